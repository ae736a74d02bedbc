"""Builds the C++ programs of tests/native for an instruction set, once in a test session, and runs them."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "native"
KERNELS = Path(__file__).parent.parent / "src" / "softjac" / "kernels" / "native"

# As in the kernels' meson.build: what each instruction set is compiled with.
LEVELS = {
    "scalar": [],
    "x86-64-v3": ["-march=x86-64-v3", "-DSOFTJAC_SIMD_AVX2"],
    "x86-64-v4": ["-march=x86-64-v4", "-mprefer-vector-width=512", "-DSOFTJAC_SIMD_AVX512"],
    # Inlining all is most of the work of a compiler, and changes no bit: what runs in an emulator need not be fast.
    "neon": ["-DSOFTJAC_SIMD_NEON", "-O1", "-fno-inline", "-Dalways_inline=unused"],
}
# The files of kernels that each program holds.
KERNEL_FILES = {
    "elementary": [],
    "harness": ["kernels", "narrow_kernels", "operator_kernels"],
    "operator": ["operator_kernels"],
}
COMMON = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-math-errno", "-Wno-psabi"]
SANITIZED = ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# Any report ends the program with an error.
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
SANITIZED_BUILD = "SOFTJAC_SANITIZED_BUILD"
"""A build folder of the extension module with sanitizers: its kernels are taken, and not compiled once more."""


class ProgramFailedError(AssertionError):
    """A program ended with an error, or a sanitizer reported one; `output` is what it had written until then."""

    def __init__(self, message: str, output: bytes) -> None:
        super().__init__(message)
        self.output = output


def skip(reason: str, required_by: str) -> None:
    """Skips with a reason; fails where the environment variable `required_by` asks for the test."""
    if os.environ.get(required_by, "") not in {"", "0"}:
        pytest.fail(f"{required_by} is set, but {reason}")
    pytest.skip(f"{reason}; {required_by}=1 makes this a failure")


def native_compiler() -> list[str]:
    return shlex.split(os.environ.get("CXX", "g++"))


def emulator() -> str | None:
    return shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")


def missing(level: str) -> str:
    """What the programs need and is not here, or nothing."""
    if not (KERNELS / "kernels.cpp").exists():
        return "the sources of the kernels are not beside the tests: run them in the source tree"
    compiler = "aarch64-linux-gnu-g++" if level == "neon" else native_compiler()[0]
    if not shutil.which(compiler):
        return (
            f"there is no {compiler}: install g++-aarch64-linux-gnu" if level == "neon" else f"there is no {compiler}"
        )
    if level == "neon" and not emulator():
        return "there is no qemu-aarch64: install qemu-user"
    return ""


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="softjac-native-")  # removed when the session ends


@cache
def build(program: str, level: str, sanitized: bool = False) -> Path:
    """The program for one instruction set, with its kernels linked in; its files are compiled at the same time."""
    name = f"{program}-{level}{'-sanitized' if sanitized else ''}"
    result = Path(_folder().name) / name
    compiler = ["aarch64-linux-gnu-g++", "-static"] if level == "neon" else native_compiler()
    flags = [*COMMON, *(SANITIZED if sanitized else []), *LEVELS[level]]
    flags += [f"-I{KERNELS}", f"-DSOFTJAC_ISA_NAME={level.replace('-', '_')}"]
    sources = {f"{name}.o": PROGRAMS / f"{program}.cpp"}
    linked = []
    if KERNEL_FILES[program] and sanitized and os.environ.get(SANITIZED_BUILD):
        linked = [_built_kernels(level)]
    else:
        sources |= {f"{name}-{kernels}.o": KERNELS / f"{kernels}.cpp" for kernels in KERNEL_FILES[program]}
    objects = {result.with_name(key): source for key, source in sources.items()}
    commands = [[*compiler, *flags, "-c", str(source), "-o", str(made)] for made, source in objects.items()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_compiled, commands))
    _compiled([*compiler, *flags, *map(str, (*objects, *linked)), "-o", str(result)])
    return result


def _built_kernels(level: str) -> Path:
    """The static library of an instruction set, in the folder that SOFTJAC_SANITIZED_BUILD names."""
    folder = Path(os.environ[SANITIZED_BUILD])
    name = f"libkernels_{level.replace('-', '_')}.a"
    found = next(folder.rglob(name), None)
    assert found is not None, f"{SANITIZED_BUILD} is {folder}, and has no {name}"
    return found


def _compiled(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def build_all(program: str, levels: Iterable[str], sanitized: bool = False) -> None:
    """Builds for several instruction sets, as many at a time as there are processors."""
    _folder()  # made here: a cache called by two threads at once makes two, and the one it drops is removed
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda level: build(program, level, sanitized), levels))


def run(program: str, level: str, argument: str, data: bytes, *, sanitized: bool = False) -> bytes:
    """What the program writes for `data`; an error message of its own, or of a sanitizer, fails the test."""
    command = [str(build(program, level, sanitized)), argument]
    if level == "neon":
        command.insert(0, str(emulator()))
    environment = {**os.environ, **SANITIZER_OPTIONS}
    done = subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
    message = done.stderr.decode(errors="replace")[:6000]
    if done.returncode or message:
        raise ProgramFailedError(f"{program} for {level} ended with {done.returncode}:\n{message}", done.stdout)
    return done.stdout
