"""A candidate in a process of its own, with a limit of time and of memory. That is no sandbox.

What comes back is text and numbers, read with care: nothing is unpickled. The process ends with the examination, and
with it all that it started: on Linux also what began a session of its own, elsewhere what did not.
"""

from __future__ import annotations

import base64
import os
import signal
import time
from dataclasses import replace
from typing import Any, Self

import numpy as np

from softjac.check.candidate import facts_from
from softjac.check.model import Array, Call, Facts, Outcome
from softjac.check.pipes import CLOSED, Pipes

TIME_LIMIT = 30.0
"""Seconds for the import and all calls together, where nobody says how many."""
TIME_LIMIT_WITH_JAX = 120.0
"""The same for code that uses JAX, which compiles anew for every shape, of which there are some twenty."""
MEMORY_LIMIT = 2 * 10**9
"""Bytes that the process may ask for."""

_MOST_TEXT = 2000
MOST_OUTPUTS = 2
"""Arrays in an answer: a loss and its gradient."""
_OUT_OF_MEMORY = 98  # and worker.OUT_OF_MEMORY
_SPOILT = 99  # and worker.SPOILT
_SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGABRT": "it was aborted",
    "SIGFPE": "an arithmetic error",
    "SIGILL": "an illegal instruction",
    "SIGBUS": "a bus error",
    "SIGXCPU": "too much computing time",
    "SIGKILL": "it was killed, as it happens where memory runs out",
}


class OwnProcess:
    """A function of a file, called in a process that is started when it is needed. Close it, or use it in `with`.

    time_limit: seconds for the import and all calls together; the time between calls does not count; None for the usual
    ones of what its code uses. memory_limit: bytes, or 0 for none; on Windows there is none. Once the process has
    ended, every call has the same outcome.
    """

    def __init__(
        self,
        file: str,
        function: str = "",
        *,
        time_limit: float | None = None,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self._file = os.path.abspath(file)
        self._name = function
        self._is_usual = time_limit is None
        self._left = TIME_LIMIT if time_limit is None else time_limit
        self._limits = (self._left, memory_limit)
        self._pipes: Pipes | None = None
        self._facts = Facts(name=function)
        self._fatal = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def facts(self) -> Facts:
        """What is known of it without calling it."""
        self._start()
        return self._facts

    @property
    def could_not(self) -> str:
        """Why it cannot be called, or ""; starts it."""
        self._start()
        return self._fatal

    def call(self, call: Call, outputs: int) -> Outcome:
        """Make the call. It never raises for what the candidate does."""
        self._start()
        if self._fatal or self._pipes is None:
            return Outcome(fatal=self._fatal or "it is closed")
        request = {
            "arguments": [[_encoded(one.value), one.library, one.read_only] for one in call.arguments],
            "keywords": dict(call.keywords),
            "outputs": outputs,
        }
        answer = self._ask(request, "")
        printed, length = self._printed
        if answer is None:
            return Outcome(fatal=self._fatal, printed=printed, printed_length=length)
        try:
            outcome = _outcome_of(answer, len(call.arguments), printed, length, self._limits[1])
        except Exception:
            self._end("its process answered what cannot be read: does it write to descriptors that are not its own?")
            return Outcome(fatal=self._fatal, printed=printed, printed_length=length)
        return outcome

    def close(self) -> None:
        """End the process and what it started. Calls have no answer afterwards."""
        if self._pipes is not None:
            self._pipes.end()
            self._pipes = None
        self._fatal = self._fatal or "it is closed"

    def _start(self) -> None:
        if self._pipes is not None or self._fatal:
            return
        seconds, memory = self._limits
        try:
            self._pipes = Pipes()
        except OSError as error:
            self._fatal = f"no process can be started: {error.strerror or error}"
            return
        setup: dict[str, Any] = {"file": self._file, "function": self._name, "memory_limit": memory}
        most = max(seconds, TIME_LIMIT_WITH_JAX) if self._is_usual else seconds
        setup |= {"cpu_limit": int(most * (os.cpu_count() or 1)) + 10, "token": self._pipes.token}
        answer = self._ask(setup, " while it is imported")
        printed, length = self._printed
        self._facts = Facts(name=self._name, printed=printed, printed_length=length)
        if answer is None:
            return
        if "refused" in answer:
            reason = str(answer["refused"])[:_MOST_TEXT]
            full = f"{_out_of_memory(memory)} while it is imported: "
            self._end(full + reason if answer.get("out_of_memory") is True else reason)
            return
        try:
            self._facts = replace(
                facts_from(answer["facts"], self._name.rpartition(".")[2]), printed=printed, printed_length=length
            )
        except Exception:
            self._end("its process answered what cannot be read")
        if self._is_usual and "jax" in self._facts.libraries:
            self._left += TIME_LIMIT_WITH_JAX - TIME_LIMIT
            self._limits = (TIME_LIMIT_WITH_JAX, memory)

    def _ask(self, request: dict[str, Any], when: str) -> dict[str, Any] | None:
        """The answer; None where the process ended or was ended, and then `_fatal` says why."""
        pipes = self._pipes
        assert pipes is not None
        begun = time.monotonic()
        pipes.send(request, self._left)
        answer = pipes.receive(self._left - (time.monotonic() - begun))
        self._printed = pipes.printed(answer is not None)
        self._left -= time.monotonic() - begun
        if isinstance(answer, dict):
            return answer
        if answer is None:
            self._end(f"no answer within {self._limits[0]:g} s{when}")
        else:
            self._end(_words_of_end(answer, *self._limits) + when)
        return None

    _printed: tuple[str, int] = ("", 0)

    def _end(self, why: str) -> None:
        self._fatal = why
        self.close()


def _encoded(value: Array | int) -> dict[str, Any] | int:
    if not isinstance(value, np.ndarray):
        return int(value)
    return {
        "dtype": value.dtype.str,
        "shape": list(value.shape),
        "data": base64.b64encode(value.tobytes()).decode("ascii"),
    }


def _decoded(message: dict[str, Any]) -> Array:
    """An array of numbers; anything else that a message may hold raises."""
    dtype = np.dtype(str(message["dtype"]))
    if dtype.kind not in "fiu" or dtype.hasobject:
        raise ValueError(dtype)
    data = base64.b64decode(message["data"], validate=True)
    return np.frombuffer(data, dtype=dtype).reshape([int(n) for n in message["shape"]]).copy()


def _outcome_of(answer: dict[str, Any], arguments: int, printed: str, length: int, memory: int) -> Outcome:
    """What a message says. It may have been written by the candidate: anything but such a message raises."""
    words = {name: str(answer[name])[:_MOST_TEXT] for name in ("described", "library", "error", "unusable")}
    fatal = ""
    if answer["out_of_memory"]:
        fatal = f"{_out_of_memory(memory)}: {words['error']}"
        words["error"] = ""
    arrays = tuple(map(_decoded, answer["arrays"]))
    changed = tuple(map(int, answer["changed"]))
    if len(arrays) > MOST_OUTPUTS or not set(changed) <= set(range(arguments)):
        raise ValueError(answer["described"])
    return Outcome(
        arrays=arrays,
        changed=changed,
        fatal=fatal,
        printed=printed,
        printed_length=length,
        described=words["described"],
        library=words["library"],
        error=words["error"],
        unusable=words["unusable"],
    )


def _out_of_memory(limit: int) -> str:
    return f"out of memory ({f'limit {limit / 1e9:g} GB' if limit else 'no limit was set'})"


def _words_of_end(code: int, seconds: float, memory: int) -> str:
    if code == CLOSED:
        return "the process closed the files through which it answers"
    if code == _OUT_OF_MEMORY:
        return _out_of_memory(memory)
    if code == _SPOILT:
        return "its process cannot go on: it changed what Python itself needs, such as sys.modules"
    if code >= 0 or os.name == "nt":
        return f"the process ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGXCPU":
        return f"no answer within {seconds:g} s"
    return f"the process ended by {name}" + (f" ({_SIGNALS[name]})" if name in _SIGNALS else "")
