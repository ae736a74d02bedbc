"""fma_loop.c, compiled when it is needed."""

import ctypes
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("fma_loop.c")
# Contraction makes one instruction of a * x + y. Where a compiler knows no -march=native, its default has to do.
OPTIONS = ["-O2", "-shared", "-fPIC", "-pthread", "-ffp-contract=fast"]


class NoCompilerError(Exception):
    """fma_loop.c cannot be compiled here. The message says why."""


class FmaLoop:
    """The loop as a function of threads and rounds."""

    def __init__(self) -> None:
        compiler = shlex.split(os.environ.get("CC", "")) or [next(filter(shutil.which, ("cc", "gcc", "clang")), "")]
        if shutil.which(compiler[0]) is None:
            raise NoCompilerError("there is no C compiler for the multiply-add loop (cc, gcc or clang, or set CC)")
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder) / "fma_loop.so"
            for extra in (["-march=native"], []):
                command = [*compiler, *OPTIONS, *extra, str(SOURCE), "-o", str(library)]
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                    break
            else:
                raise NoCompilerError(f"the C compiler {Path(compiler[0]).name} does not compile the multiply-add loop")
            self._function = ctypes.CDLL(str(library)).fma_loop  # stays loaded when the file is gone
        self._function.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.POINTER(ctypes.c_double)]
        self._function.restype = ctypes.c_double

    def __call__(self, threads: int, rounds: int) -> list[float]:
        """Run it, without holding the interpreter. Returns the processor time of each thread in seconds."""
        cpu_seconds = (ctypes.c_double * threads)()
        if self._function(threads, rounds, cpu_seconds) < 0:
            raise OSError(f"no {threads} threads could be started")
        return list(cpu_seconds)
