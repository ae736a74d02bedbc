"""How a run ends: whoever reads leaves, streams are closed or full, Ctrl-C. No traceback, and a true exit code."""

import contextlib
import io
import os
import subprocess
import sys

import numpy as np
import pytest

from cli_helpers import environment, run
from softjac._cli import app
from softjac.cli import main

needs_a_full_disk = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="only Linux has /dev/full, a disk that is always full"
)
needs_a_shell = pytest.mark.skipif(os.name == "nt", reason="Windows has no shell that closes single streams")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def shell(redirection, *words):
    """`softjac WORDS` with its streams redirected by a shell."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "softjac", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes that break like this")
def test_whoever_has_read_enough_may_leave():
    np.save("many.npy", np.zeros((20000, 10)))
    words = [sys.executable, "-m", "softjac", "softmax", "many.npy", "--format", "csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout.readline().startswith(b"0.1,")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


@needs_a_full_disk
@pytest.mark.parametrize("words", [["softmax", "1", "2"], ["--version"], ["-h"], ["softmax", "-h"], []])
def test_a_full_disk_is_one_line(words):
    ran = shell("> /dev/full", *words)
    assert (ran.returncode, ran.stderr) == (2, "softjac: cannot write standard output: No space left on device\n")


@needs_a_shell
def test_closed_standard_output_is_one_line(monkeypatch):
    ran = shell(">&-", "softmax", "1", "2")
    assert ran.stderr == "softjac: standard output is closed: write to a file with -o FILE\n"
    assert ran.returncode == 2
    ran = shell(">&-", "softmax", "0", "0", "-o", "p.csv")
    assert (ran.returncode, ran.stderr) == (0, "")
    with open("p.csv") as file:
        assert file.read() == "0.5,0.5\n"


@needs_a_full_disk
@pytest.mark.parametrize("redirection", ["2> /dev/full", "2>&-", "> /dev/full 2> /dev/full"])
def test_the_exit_code_tells_where_standard_error_cannot(redirection):
    ran = shell(redirection, "softmax", "0,5")
    assert (ran.returncode, ran.stdout) == (2, "")


def test_standard_input_that_cannot_be_read(monkeypatch):
    class Broken:
        def isatty(self):
            return False

        def read(self):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdin", Broken())
    assert run_as_it_is("softmax") == (2, "softjac: cannot read standard input: Input/output error\n")


def run_as_it_is(*words):
    """The exit code and standard error of `softjac WORDS` with the standard input of this process."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        return main(list(words)), err.getvalue()


def interrupt(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (app, "get_command"),
        (app, "Request"),  # while typer calls the command: it would make an exit code of the interrupt, and return it
        (app, "separate"),
        (app.Request, "perform"),
    ],
)
def test_an_interrupt_ends_with_130(module, name, monkeypatch):
    monkeypatch.setattr(module, name, interrupt)
    assert run("softmax", "1", "2", "-o", "p.csv") == (130, "", "")
    assert os.listdir() == []


INTERRUPTED_IMPORT = """
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from softjac.cli import main
sys.exit(main(["softmax", "1", "2"]))
"""


@pytest.mark.parametrize("module", ["rich", "typer", "typer.main", "softjac._cli.app", "softjac._cli.screen"])
def test_an_interrupt_while_modules_are_loaded_ends_with_130(module):
    words = [sys.executable, "-c", INTERRUPTED_IMPORT, module]
    ran = subprocess.run(words, capture_output=True, text=True, env=environment(), check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


INTERRUPTED_WRITING = """
import sys
from softjac._cli import machine
lines = iter([["1.0"]])
def texts(row, decimals):
    for line in lines:
        return line
    raise KeyboardInterrupt
machine.for_programs = texts
from softjac.cli import main
sys.exit(main(["softmax", "[[1], [2]]", "--axis", "1", "--format", "csv"]))
"""


def test_an_interrupt_drops_what_is_not_written_yet():
    words = [sys.executable, "-c", INTERRUPTED_WRITING]
    buffered = environment(PYTHONUNBUFFERED=None)
    ran = subprocess.run(words, capture_output=True, text=True, env=buffered, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def test_what_cannot_be_shown_is_escaped():
    ran = run("softmax", "no\x1b[31m\nsuch.csv")
    assert ran == (2, "", "softjac: there is no file no\\x1b[31m such.csv\n")
    assert run("softmax", "no\udcff.csv").err == "softjac: there is no file no\\udcff.csv\n"
