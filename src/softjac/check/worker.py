"""The process of a submission: it loads the file, makes the calls that it is sent, and sends back numbers and words.

`process` starts it by its path. It imports nothing of softjac, so that a submission has its own copy of all that it
may spoil. Requests and answers are lines of JSON, on descriptors that the submission does not use: its standard input
is empty, and what it prints goes to the third pipe, with a mark after each call.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import importlib.util
import json
import os
import sys
import types
import warnings
from typing import Any

import numpy as np

NO_WAY_TO_ANSWER = 97
"""Exit code where the submission closed the descriptors."""


class RefusalError(Exception):
    """The submission cannot be called; its text says why."""


_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""


def _end_with_the_checker() -> None:
    """Where the checker is killed, nobody else ends a submission that hangs. On Linux; elsewhere its limits have to."""
    if sys.platform == "linux":
        import ctypes
        import signal

        with contextlib.suppress(Exception):
            ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def main() -> None:
    """Load, answer, until the requests end."""
    _end_with_the_checker()
    requests, answers, printed = (os.dup(k) for k in range(3))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(printed, 1)
    pid = os.getpid()
    with os.fdopen(requests, "rb") as lines:
        setup = json.loads(lines.readline())
        token = setup["token"]

        def answer(message: dict[str, Any]) -> None:
            if os.getpid() != pid:  # the submission forked, and this is the copy
                os._exit(0)
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            try:
                _write(printed, token.encode())
                _write(answers, (json.dumps(message | {"token": token}) + "\n").encode())
            except OSError:
                os._exit(NO_WAY_TO_ANSWER)

        calling = _load_calling()
        sys.argv = [setup["file"]]
        warnings.simplefilter("ignore")
        _limit(setup["memory_limit"], setup["cpu_limit"])
        try:
            function = _load(calling, setup["file"], setup["function"])
            answer({"facts": calling.facts_of(function, own_process=True)})
        except RefusalError as refusal:
            answer({"refused": str(refusal)})
            os._exit(0)
        for line in lines:
            answer(_called(calling, function, json.loads(line), setup["file"]))
    os._exit(0)  # threads that it started may run on


def _load_calling() -> Any:
    """The module beside this file, which is on no path here."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "calling.py")
    spec = importlib.util.spec_from_file_location("_softjac_calling", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _limit(memory: int, cpu: int) -> None:
    """Limits of bytes and seconds, and no image of the memory left behind by a crash."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = [("RLIMIT_CORE", 0), ("RLIMIT_CPU", cpu)]
    if memory:
        wanted.append(("RLIMIT_DATA" if sys.platform == "linux" else "RLIMIT_AS", memory))
    for name, most in wanted:
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))


def _load(calling: Any, file: str, name: str) -> Any:
    """The function of that name in the file, or the only public one. Raises RefusalError."""
    if file.lower().endswith(".ipynb"):
        raise RefusalError("it is a notebook: save it as a Python file (jupyter nbconvert --to script FILE)")
    if file.lower().endswith((".json", ".csv", ".npy", ".npz")):
        raise RefusalError("it is no Python file: numbers go with --result, and --logits with what they are of")
    try:
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec", dont_inherit=True)
    except FileNotFoundError:
        raise RefusalError("there is no such file") from None
    except OSError as error:
        if os.path.isdir(file):
            raise RefusalError("it is a folder: name the files in it, as folder/*.py") from None
        raise RefusalError(f"it cannot be read: {error.strerror or error}") from None
    except SyntaxError as error:
        where = f" (line {error.lineno})" if error.lineno else ""
        raise RefusalError(f"{type(error).__name__}: {error.msg}{where}") from None
    except BaseException as error:
        raise RefusalError(calling.words_of_error(error, file)) from None
    stem = os.path.splitext(os.path.basename(file))[0]
    module = types.ModuleType("submission" if stem in sys.modules or not stem.isidentifier() else stem)
    module.__file__ = file
    module.__dict__["__builtins__"] = builtins
    sys.modules[module.__name__] = module
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        raise RefusalError(f"it cannot be imported: {calling.words_of_error(error, file)}") from None
    return _function_of(module, name)


def _function_of(module: types.ModuleType, name: str) -> Any:
    own = [
        key
        for key, value in vars(module).items()
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__ and not key.startswith("_")
    ]
    there_are = (
        f"it has {', '.join(own[:8])}{', ...' if len(own) > 8 else ''}" if own else "it has no function of its own"
    )
    if not name:
        if not own:
            raise RefusalError("it has no function of its own, with a name that does not begin with _")
        if len(own) != 1:
            raise RefusalError(f"name a function: {there_are}")
        return getattr(module, own[0])
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            import difflib

            near = difflib.get_close_matches(name.lower(), [key.lower() for key in own], n=1, cutoff=0.5)
            meant = [key for key in own if key.lower() in near]
            raise RefusalError(
                f"no function {name}: " + (f"did you mean {meant[0]}?" if meant else there_are)
            ) from None
    if not callable(found):
        raise RefusalError(f"{name} is no function but a {type(found).__name__}: {there_are}")
    return found


def _called(calling: Any, function: Any, request: dict[str, Any], file: str) -> dict[str, Any]:
    arguments = [(_decoded(value), library, read_only) for value, library, read_only in request["arguments"]]
    returned = calling.make_call(function, arguments, request["keywords"], request["outputs"], file, past=())
    found = dict(vars(returned))
    found["arrays"] = [_encoded(array) for array in returned.arrays]
    return found


def _decoded(value: Any) -> Any:
    if isinstance(value, int):
        return value
    data = np.frombuffer(base64.b64decode(value["data"]), dtype=np.dtype(value["dtype"]))
    return data.reshape(value["shape"])


def _encoded(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "data": base64.b64encode(array.tobytes()).decode("ascii"),
    }


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    main()
