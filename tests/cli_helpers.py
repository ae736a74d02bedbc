"""Runs the command line for the tests: in this process, or in another one that has a terminal."""

import contextlib
import io
import os
import subprocess
import sys
import threading
from typing import NamedTuple

from softjac.cli import main


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """A standard input where nobody types: nothing is to be read from it."""

    def isatty(self):
        return True

    def read(self, *_):
        raise AssertionError("standard input was read, and nothing is piped")


def run(*words, stdin=None):
    """`softjac WORDS`, with ``stdin`` piped into it, or a terminal."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, Terminal() if stdin is None else io.StringIO(stdin)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(words))
    finally:
        sys.stdin = before
    return Ran(code, out.getvalue(), err.getvalue())


def output(*words, stdin=None):
    """What `softjac WORDS` prints, where all goes well."""
    ran = run(*words, stdin=stdin)
    assert (ran.code, ran.err) == (0, ""), ran
    return ran.out


def message(*words, stdin=None):
    """The one line of a mistake, without its "softjac: "; nothing is printed elsewhere, and the exit code is 2."""
    ran = run(*words, stdin=stdin)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("softjac: ")
    assert ran.err.endswith("\n")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    return ran.err.removeprefix("softjac: ").removesuffix("\n")


def environment(**changes):
    """The environment of this process with a terminal that has colour and UTF-8, and with ``changes``; None unsets."""
    ours = ("NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "TERM", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONCOERCECLOCALE")
    ours += ("COLUMNS", "LINES")  # the terminal's own size counts
    plain = {name: value for name, value in os.environ.items() if name not in ours}
    settings = {**plain, "TERM": "xterm", "LANG": "C.UTF-8", **changes}
    return {name: value for name, value in settings.items() if value is not None}


def run_program(words, *, columns=80, stdin=None, stdout="terminal", stderr="pipe", env=None, code=None):
    """Run ``python -m softjac WORDS`` (or ``code``) in another process, with a terminal as stdout or as stderr.

    ``stdin`` is what is piped into it; without it that is a terminal too.

    Gives the exit code, and what came out of stdout and of stderr.
    """
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    ends = {"terminal": slave, "pipe": subprocess.PIPE}
    start = ["-m", "softjac"] if code is None else ["-c", code]
    with subprocess.Popen(
        [sys.executable, *start, *words],
        stdin=slave if stdin is None else subprocess.PIPE,
        stdout=ends[stdout],
        stderr=ends[stderr],
        env=environment() if env is None else env,
    ) as process:
        os.close(slave)
        seen = bytearray()
        reader = threading.Thread(target=_read_terminal, args=(master, seen))
        reader.start()
        if process.stdin is not None:
            with process.stdin:
                process.stdin.write(stdin.encode())
        piped = (process.stdout or process.stderr).read()
        exit_code = process.wait(60)
        reader.join(60)
    os.close(master)
    on_screen = seen.decode().replace("\r\n", "\n")
    texts = {"terminal": on_screen, "pipe": piped.decode()}
    return Ran(exit_code, texts[stdout], texts[stderr])


def _read_terminal(master, seen):
    with contextlib.suppress(OSError):  # which is how the end of a terminal reads on Linux
        while chunk := os.read(master, 65536):
            seen += chunk
