"""The process of a submission: it makes the calls that it is sent, and sends back numbers and words.

`process` starts it by its path. It imports nothing of softjac, so that a submission has its own copy of all that it
may spoil. Requests and answers are lines of JSON, on descriptors that the submission does not use: its standard input
is empty, and what it prints goes to the third pipe, with a mark after each call.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import os
import sys
import warnings
from typing import Any

import numpy as np

NO_WAY_TO_ANSWER = 97
"""Exit code where the submission closed the descriptors."""
OUT_OF_MEMORY = 98
SPOILT = 99


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
                with contextlib.suppress(BaseException):
                    stream.flush()
            try:
                _write(printed, token.encode())
                _write(answers, (json.dumps(message | {"token": token}) + "\n").encode())
            except OSError:
                os._exit(NO_WAY_TO_ANSWER)

        calling, facts, submission = map(_neighbour, ("calling", "facts", "submission"))
        kept = _neighbour("kept").Kept()
        sys.argv = [setup["file"]]
        warnings.simplefilter("ignore")
        _limit(setup["memory_limit"], setup["cpu_limit"])
        try:
            function = submission.load(setup["file"], setup["function"], calling.words_of_error, kept)
            answer({"facts": facts.facts_of(function, own_process=True)})
        except submission.RefusalError as refusal:
            answer({"refused": str(refusal), "out_of_memory": refusal.out_of_memory})
            os._exit(0)
        for line in lines:
            answer(_called(calling, function, json.loads(line), setup["file"], kept))
    os._exit(0)  # threads that it started may run on


def _neighbour(name: str) -> Any:
    """The module beside this file, which is on no path here."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"_softjac_{name}", path)
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


def _called(calling: Any, function: Any, request: dict[str, Any], file: str, kept: Any) -> dict[str, Any]:
    arguments = [(_decoded(value), library, read_only) for value, library, read_only in request["arguments"]]
    returned = calling.make_call(function, arguments, request["keywords"], request["outputs"], file, past=(), kept=kept)
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
    try:
        main()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BaseException:  # the submission spoilt what is needed here
        os._exit(SPOILT)
