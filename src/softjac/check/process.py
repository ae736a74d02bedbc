"""A candidate in a process of its own, with a limit of time and of memory. That is no sandbox.

What comes back is text and numbers, read with care: nothing is unpickled. The process ends with the examination, and
with it all that it started: on Linux also what began a session of its own, elsewhere what did not.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any, Self

import numpy as np

from softjac.check.calling import MOST_NUMBERS
from softjac.check.candidate import MOST_PRINTED, facts_from
from softjac.check.model import Array, Call, Facts, Outcome

TIME_LIMIT = 30.0
TIME_LIMIT_WITH_JAX = 120.0
"""Seconds where nobody says how many; JAX compiles anew for every shape, of which there are some twenty."""
"""Seconds for the import and all calls together."""
MEMORY_LIMIT = 2 * 10**9
"""Bytes that the process may ask for."""

_MOST_BYTES = 24 * MOST_NUMBERS  # of an answer: two arrays of float64 in base64 are below
_MOST_TEXT = 2000
_HERE = os.path.dirname(os.path.abspath(__file__))
_COMMAND = [sys.executable, "-B", "-P", os.path.join(_HERE, "worker.py")]
if sys.platform == "linux":
    _COMMAND = [sys.executable, "-I", "-S", "-B", os.path.join(_HERE, "supervisor.py"), *_COMMAND]
_CLOSED = 97  # worker.NO_WAY_TO_ANSWER
_OUT_OF_MEMORY = 98  # and worker.OUT_OF_MEMORY
_SPOILT = 99  # and worker.SPOILT
_GRACE = 1.0
_QUIET = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "MPLBACKEND": "agg",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}
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
        self._pipes: _Pipes | None = None
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
        self._pipes.send(
            {
                "arguments": [[_encoded(one.value), one.library, one.read_only] for one in call.arguments],
                "keywords": dict(call.keywords),
                "outputs": outputs,
            }
        )
        answer = self._wait("")
        printed, length = self._printed
        if answer is None:
            return Outcome(fatal=self._fatal, printed=printed, printed_length=length)
        try:
            outcome = _outcome_of(answer, printed, length, self._limits[1])
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
            self._pipes = _Pipes()
        except OSError as error:
            self._fatal = f"no process can be started: {error.strerror or error}"
            return
        setup = {"file": self._file, "function": self._name, "memory_limit": memory}
        most = max(seconds, TIME_LIMIT_WITH_JAX) if self._is_usual else seconds
        self._pipes.send(setup | {"cpu_limit": int(most * (os.cpu_count() or 1)) + 10, "token": self._pipes.token})
        answer = self._wait(" while it is imported")
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

    def _wait(self, when: str) -> dict[str, Any] | None:
        """The answer; None where the process ended or was ended, and then `_fatal` says why."""
        pipes = self._pipes
        assert pipes is not None
        begun = time.monotonic()
        answer = pipes.receive(self._left)
        self._left -= time.monotonic() - begun
        self._printed = pipes.printed(answer is not None)
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


class _Pipes:
    """The process and its three pipes, each read by a thread of its own, so that none of them ever fills up."""

    def __init__(self) -> None:
        self.token = f"\0{secrets.token_hex(16)}\0"
        session: dict[str, Any] = {} if os.name == "nt" else {"start_new_session": True}
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=_QUIET | os.environ,
            **session,
        )
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()  # b"" is the end
        self._printed: queue.SimpleQueue[tuple[bytes, int]] = queue.SimpleQueue()
        self._latest = (b"", 0)
        self._threads = [
            threading.Thread(target=target, daemon=True) for target in (self._read_answers, self._read_printed)
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:  # no more threads
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self.end()
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
            raise OSError(str(error)) from None

    def send(self, message: dict[str, Any]) -> None:
        """Send a request; where nobody reads it, the wait for the answer tells."""
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError):
            view = memoryview((json.dumps(message) + "\n").encode())
            while view:
                view = view[stdin.write(view) :]

    def receive(self, seconds: float) -> dict[str, Any] | int | None:
        """The next answer; the code with which the process ended; or None where it had so many seconds."""
        end = time.monotonic() + seconds
        line = b""
        while not line:
            left = end - time.monotonic()
            if left <= 0:
                return None
            try:
                line = self._answers.get(timeout=min(left, 0.2))
            except queue.Empty:
                if self._process.poll() is None:
                    continue
                with contextlib.suppress(queue.Empty):  # its last answer may be on the way
                    line = self._answers.get(timeout=0.2)
            if not line:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    return self._process.wait(_GRACE)
                return _CLOSED
        try:
            answer = json.loads(line)
            return answer if answer.pop("token") == self.token else {}
        except Exception:
            return {}

    def printed(self, complete: bool) -> tuple[str, int]:
        """The first characters that were printed for an answer, and how many there were."""
        start, length = self._latest
        if complete:
            with contextlib.suppress(queue.Empty):
                start, length = self._printed.get(timeout=_GRACE)
        return start.decode("utf-8", "replace")[:MOST_PRINTED], length

    def end(self) -> None:
        """Kill it and its group, and leave nothing behind: on Linux the supervisor has the time to end all."""
        if sys.platform == "linux":
            self._process.terminate()
            end = time.monotonic() + _GRACE
            with contextlib.suppress(ChildProcessError):
                while not _has_ended(self._process.pid) and time.monotonic() < end:
                    time.sleep(0.001)
        if os.name != "nt":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(_GRACE)  # it lasts longer where something that got away holds a pipe open
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _read_answers(self) -> None:
        with self._process.stdout or contextlib.nullcontext():  # who reads it closes it, when nobody writes any more
            self._split_answers()

    def _read_printed(self) -> None:
        with self._process.stderr or contextlib.nullcontext():
            self._split_printed()

    def _split_answers(self) -> None:
        assert self._process.stdout is not None
        waiting: list[bytes] = []
        length = 0
        while chunk := _read(self._process.stdout.fileno()):
            first, *others = chunk.split(b"\n")
            waiting.append(first)
            length += len(first)
            for line in others:
                self._answers.put(b"".join(waiting) or b"?")
                waiting, length = [line], len(line)
            if length > _MOST_BYTES:
                self._answers.put(b"?")
                waiting, length = [], 0
        self._answers.put(b"")

    def _split_printed(self) -> None:
        assert self._process.stderr is not None
        mark = self.token.encode()
        start, length, rest = b"", 0, b""
        while chunk := _read(self._process.stderr.fileno()):
            *before, rest = (rest + chunk).split(mark)
            for piece in before:
                start, length = (start + piece)[: 4 * MOST_PRINTED], length + len(piece)
                self._printed.put((start, length))
                start, length = b"", 0
            keep = _begun(rest, mark)
            piece, rest = rest[: len(rest) - keep], rest[len(rest) - keep :]
            start, length = (start + piece[: 4 * MOST_PRINTED])[: 4 * MOST_PRINTED], length + len(piece)
            self._latest = (start, length)


def _has_ended(pid: int) -> bool:
    """Whether a child has; it is not waited for, so that its number stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:
        return b""


def _begun(text: bytes, mark: bytes) -> int:
    """How many of the last bytes may be the first ones of the mark."""
    return next((k for k in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:k])), 0)


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


def _outcome_of(answer: dict[str, Any], printed: str, length: int, memory: int) -> Outcome:
    words = {name: str(answer[name])[:_MOST_TEXT] for name in ("described", "library", "error", "unusable")}
    fatal = ""
    if answer["out_of_memory"]:
        fatal = f"{_out_of_memory(memory)}: {words['error']}"
        words["error"] = ""
    return Outcome(
        arrays=tuple(map(_decoded, answer["arrays"])),
        changed=tuple(map(int, answer["changed"])),
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
    if code == _CLOSED:
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
