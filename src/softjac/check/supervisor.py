"""The process between the checker and that of a submission, on Linux: all that the submission started ends with it.

What begins a session of its own is in no group that the checker could end. But its parents are below this process, and
when they end it becomes a child of this one. Every child of this process is the submission's. `process` runs this file
by its path, with the command of the worker as its words.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator

SECONDS = 0.8
"""So long it tries, where a submission starts processes faster than they end. The checker waits a little longer."""
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36
"""PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of Linux's prctl."""


def main(command: list[str]) -> None:
    """Run the command, end what is left, and end as it did."""
    with contextlib.suppress(Exception):
        prctl = ctypes.CDLL(None).prctl
        prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
        prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, _stop)
    worker = os.fork()
    if not worker:
        os.execv(command[0], command)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):  # so that the pipes end with the submission
        os.dup2(nothing, descriptor)
    status = int(signal.SIGTERM)
    with contextlib.suppress(_StopError):
        ended = (0, 0)
        while ended[0] != worker:
            ended = os.waitpid(-1, 0)
        status = ended[1]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _end_children()
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 255)


class _StopError(Exception):
    """The checker wants an end."""


def _stop(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _StopError


def _end_children() -> None:
    end = time.monotonic() + SECONDS
    with contextlib.suppress(ChildProcessError):  # there are no more
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            for pid in _children():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)


def _children() -> Iterator[int]:
    """Of this process; they are not waited for, so that their numbers stay theirs."""
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit():
                with open(f"/proc/{name}/stat", "rb") as file:
                    if int(file.read().rpartition(b")")[2].split()[1]) == os.getpid():
                        yield int(name)


if __name__ == "__main__":
    main(sys.argv[1:])
