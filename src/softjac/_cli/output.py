"""Where a result goes: standard output, a file that appears only when it is complete, or what is no file.

A destination is opened before anything is computed, so that one that cannot be written costs no work.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO, TextIO, TypeAlias

from softjac._cli.errors import CommandError

Write: TypeAlias = Callable[[str | bytes], object]

_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|thread-self))/fd/(\d+)")
_MOST_LINKS = 40


@contextlib.contextmanager
def destination(path: str | None) -> Iterator[Write]:
    """What writes one piece of the result after the other: to the file ``path``, or without one to standard output."""
    if path is None:
        with standard_output() as stream:
            yield lambda piece: _write_to(stream, piece)
        return
    try:
        with _open(path) as file:
            yield lambda piece: file.write(piece.encode() if isinstance(piece, str) else piece)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from None


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, which is flushed at the end: what goes wrong is found here, and said of it."""
    if sys.stdout is None:
        raise CommandError("standard output is closed: write to a file with -o FILE")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        raise
    except OSError as error:
        silence(sys.stdout)
        raise CommandError(f"cannot write standard output: {error.strerror or error}") from None


def _write_to(stream: TextIO, piece: str | bytes) -> None:
    """Text in the encoding of the stream; bytes as they are, whatever that is, where the stream has a way for them."""
    if isinstance(piece, str):
        stream.write(piece)
    elif hasattr(stream, "buffer"):
        stream.flush()
        stream.buffer.write(piece)
    else:
        stream.write(piece.decode())


def silence(stream: TextIO | None) -> None:
    """Let nothing more be written to ``stream``: Python flushes it at its end, and would complain again."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def _open(path: str) -> Iterator[BinaryIO]:
    descriptor = _descriptor(path)
    if descriptor is not None:
        os.write(descriptor, b"")  # raises an error where it is closed, or open for reading only
        with os.fdopen(os.dup(descriptor), "wb") as file:
            yield file
        return
    if os.path.isdir(path):
        raise CommandError(f"-o {path} is a folder: name a file in it")
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):  # a pipe, /dev/null
        with open(target, "wb") as file:
            yield file
        return
    with _open_beside(path, target) as file:
        yield file


def _descriptor(path: str) -> int | None:
    """Number of the open file that ``path`` is another name of, as /dev/stdout and links to it are; else None.

    Where such a file is a redirection of the shell, to open it by its path would overwrite what others wrote to it.
    """
    path = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        match = _DESCRIPTOR.fullmatch(path)
        if match or path in _STANDARD:
            return int(match[1]) if match else _STANDARD[path]
        if not os.path.islink(path):
            return None
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
    return None


@contextlib.contextmanager
def _open_beside(path: str, target: str) -> Iterator[BinaryIO]:
    """A temporary file beside ``target``, put in its place once it is complete; removed on any failure."""
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise CommandError(f"-o {path}: there is no folder {os.path.dirname(path)}")
    if os.path.exists(target) and not os.access(target, os.W_OK):
        raise CommandError(f"-o {path} may not be written")
    temporary = os.path.join(folder, f".softjac-{secrets.token_hex(8)}.part")
    try:
        with _create(temporary, path) as file:
            yield file
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _create(temporary: str, path: str) -> BinaryIO:
    try:
        return open(temporary, "xb")
    except OSError as error:
        raise CommandError(
            f"-o {path}: the result is put together beside it, and no file can be made there: {error.strerror or error}"
        ) from None
