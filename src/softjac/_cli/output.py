"""Where a result goes: standard output, or a file that appears only when it is complete."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterable

from softjac._cli.errors import CommandError


def check_output(path: str) -> None:
    """Refuse a file that cannot be written, before anything is computed."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        raise CommandError(f"-o {path} is a folder: name a file in it")
    if not os.path.isdir(folder):
        raise CommandError(f"-o {path}: there is no folder {os.path.dirname(path)}")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise CommandError(f"-o {path} may not be written")


def write_stdout(chunks: Iterable[str] | Iterable[bytes]) -> None:
    """Write to standard output, and see that it arrives."""
    if sys.stdout is None:
        raise CommandError("standard output is closed: write to a file with -o FILE")
    for chunk in chunks:
        sys.stdout.write(chunk if isinstance(chunk, str) else chunk.decode())
    sys.stdout.flush()


def write_file(path: str, chunks: Iterable[str] | Iterable[bytes]) -> None:
    """Write to a temporary file beside ``path`` and put it in place once it is complete; on any failure remove it.

    A link is followed. What is not a file (a pipe, /dev/null) is written to directly.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        _write(target, "wb", chunks)
        return
    temporary = os.path.join(os.path.dirname(target), f".softjac-{secrets.token_hex(8)}.part")
    try:
        _write(temporary, "xb", chunks)
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise CommandError(f"cannot write {path}: {error.strerror or error}") from None
        raise


def _write(path: str, mode: str, chunks: Iterable[str] | Iterable[bytes]) -> None:
    with open(path, mode) as file:
        file.writelines(chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks)
