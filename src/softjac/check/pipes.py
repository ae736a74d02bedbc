"""The process of a candidate, and the pipes through which it is asked and answers."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from softjac.check.calling import MOST_NUMBERS
from softjac.check.candidate import MOST_PRINTED

CLOSED = 97  # worker.NO_WAY_TO_ANSWER
_MOST_BYTES = 24 * MOST_NUMBERS  # of an answer: two arrays of float64 in base64 are below
_MOST_WAITING = 64
"""Answers that nobody asked for, after which no more are read."""
_GRACE = 1.0
_HERE = os.path.dirname(os.path.abspath(__file__))
_COMMAND = [sys.executable, "-B", "-P", os.path.join(_HERE, "worker.py")]
if sys.platform == "linux":
    _COMMAND = [sys.executable, "-I", "-S", "-B", os.path.join(_HERE, "supervisor.py"), *_COMMAND]
_QUIET = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "MPLBACKEND": "agg",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}


class Pipes:
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

    def send(self, message: dict[str, Any], seconds: float) -> None:
        """Send a request; where nobody reads it in so many seconds, the wait for the answer tells."""
        stdin = self._process.stdin
        assert stdin is not None
        end = time.monotonic() + seconds
        view = memoryview((json.dumps(message) + "\n").encode())
        with contextlib.suppress(OSError):
            if os.name == "nt":  # there a pipe cannot be waited for
                while view:
                    view = view[stdin.write(view) :]
                return
            has_room = select.poll()
            has_room.register(stdin, select.POLLOUT)
            while view and has_room.poll(max(0.0, 1000 * (end - time.monotonic()))):
                view = view[stdin.write(view[: select.PIPE_BUF]) :]

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
                return CLOSED
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
            if self._answers.qsize() > _MOST_WAITING:
                break
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
            if self._printed.qsize() > _MOST_WAITING:
                break
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
