"""Where a result goes with -o: a file that is complete or not there, a device, an open file of the shell."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from cli_helpers import environment, message, output, run
from softjac import softmax


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_failure_leaves_the_old_file_and_nothing_else(monkeypatch, tmp_path):
    (tmp_path / "result.csv").write_text("old\n")

    def fail(error):
        def items(_self):
            yield softmax([1.0, 2.0])
            raise error

        monkeypatch.setattr("softjac._cli.results.Results.items", items)
        return run("softmax", "1", "2", "-o", "result.csv")

    assert fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == (
        2, "", "softjac: cannot write result.csv: No space left on device\n",
    )  # fmt: skip
    assert fail(KeyboardInterrupt()) == (130, "", "")
    assert fail(MemoryError()) == (2, "", "softjac: not enough memory\n")
    assert os.listdir() == ["result.csv"]
    assert (tmp_path / "result.csv").read_text() == "old\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions, links and devices")
def test_permissions_links_and_devices():
    old_mask = os.umask(0o027)
    try:
        output("softmax", "1", "2", "-o", "new.csv")
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(os.stat("new.csv").st_mode) == 0o640
    os.chmod("new.csv", 0o604)
    os.symlink("new.csv", "link.csv")
    output("softmax", "0", "0", "-o", "link.csv")
    assert os.path.islink("link.csv")
    assert stat.S_IMODE(os.stat("new.csv").st_mode) == 0o604
    with open("new.csv") as file:
        assert file.read() == "0.5,0.5\n"
    before = os.stat(os.devnull)
    output("softmax", "0", "0", "-o", os.devnull, "--format", "csv")
    assert os.stat(os.devnull).st_ino == before.st_ino
    if os.geteuid():
        os.chmod("new.csv", 0o400)
        assert message("softmax", "0", "0", "-o", "new.csv") == "-o new.csv may not be written"


needs_descriptors = pytest.mark.skipif(not os.path.exists("/dev/fd/0"), reason="this system has no /dev/fd")


@needs_descriptors
@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/../dev/stdout", "link.csv"])
def test_standard_output_by_its_path_is_the_open_file_and_no_new_one(path):
    if path.startswith("/proc") and not os.path.exists("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    os.symlink("/dev/stdout", "link.csv")
    words = [sys.executable, "-m", "softjac", "softmax", "0", "0", "--format", "csv", "-o", path]
    with open("log", "wb", buffering=0) as log:
        log.write(b"one\n")
        subprocess.run(words, stdout=log, env=environment(), check=True)
        log.write(b"two\n")
    with open("log") as file:
        assert file.read() == "one\n0.5,0.5\ntwo\n"
    assert sorted(os.listdir()) == ["link.csv", "log"]


@needs_descriptors
def test_standard_error_by_its_path():
    words = [sys.executable, "-m", "softjac", "softmax", "0", "0", "--format", "csv", "-o", "/dev/stderr"]
    ran = subprocess.run(words, capture_output=True, text=True, env=environment(), check=True)
    assert (ran.stdout, ran.stderr) == ("", "0.5,0.5\n")


@needs_descriptors
def test_what_is_said_of_an_open_file_that_cannot_be_written(monkeypatch):
    monkeypatch.setattr("softjac._cli.run.read_logits", None)  # it is said before anything is read
    with open(os.devnull) as file:
        path = f"/dev/fd/{file.fileno()}"
        assert message("softmax", "1", "--format", "csv", "-o", path) == f"cannot write {path}: Bad file descriptor"
    assert message("softmax", "1", "--format", "csv", "-o", path) == f"cannot write {path}: Bad file descriptor"


def test_a_folder_that_takes_no_file_is_found_before_anything_is_computed(monkeypatch, tmp_path):
    (tmp_path / "result.csv").write_text("old\n")
    monkeypatch.setattr("softjac._cli.run.read_logits", None)
    usual = open

    def refuse(path, mode="r", **options):
        if "x" in mode:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return usual(path, mode, **options)

    monkeypatch.setattr("builtins.open", refuse)
    assert message("softmax", "1", "2", "-o", "result.csv") == (
        "-o result.csv: the result is put together beside it, and no file can be made there: Permission denied"
    )
    assert (tmp_path / "result.csv").read_text() == "old\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows does not delete the working directory of a process")
def test_a_working_directory_that_is_gone(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert message("softmax", "1", "2", "-o", "p.csv") == "cannot write p.csv: No such file or directory"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full, a disk that is always full")
def test_a_full_device_is_called_by_its_name():
    assert message("softmax", "1", "2", "--format", "csv", "-o", "/dev/full") == (
        "cannot write /dev/full: No space left on device"
    )
