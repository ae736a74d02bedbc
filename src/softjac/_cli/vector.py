"""One vector of logits, for the commands that work on one alone: from words, a file with one row, or standard input."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TextIO

from softjac._cli.arrays import Array
from softjac._cli.errors import CommandError
from softjac._cli.logits import read_logits, read_stdin
from softjac._cli.numerals import whole_number
from softjac._cli.progress import Progress


def read_vector(
    words: Sequence[str],
    axis: str | None,
    array: str | None,
    stdin: TextIO | None,
    progress: Progress,
    most: int,
    command: str,
) -> Array:
    """The only vector there is, shape (n,), with n up to ``most``. Every mistake raises CommandError.

    ``command`` is the name of the one that takes it, for messages.
    """
    number = whole_number("--axis", axis, -99, 99, "such as 0 or -1")
    logits = read_logits(words, number, array, stdin, progress)
    count, n = logits.vectors.shape
    if count != 1:
        file = words[0] if words and words[0].lower().endswith(".csv") else ""
        one = f"or pipe one row, as in sed -n 1p {file} | softjac {command} -" if file else "or a file with one row"
        raise CommandError(f"{logits.source} has {count} vectors, and {command} takes one: give its numbers, {one}")
    if n > most:
        raise CommandError(
            f"{logits.source} has {n} logits, and {command} takes up to {most}: softjac jacobian takes any number"
        )
    vector: Array = logits.vectors[0]
    return vector


def read_vector_if_any(
    words: Sequence[str],
    axis: str | None,
    array: str | None,
    stdin: TextIO | None,
    progress: Progress,
    most: int,
    command: str,
) -> Array | None:
    """As `read_vector`; None where no logits are given, and nothing is piped."""
    if not words:
        text = "" if stdin is None or stdin.isatty() else read_stdin(stdin, "standard input")
        if not text.strip():
            for name, value in (("--axis", axis), ("--array", array)):
                if value is not None:
                    raise CommandError(f"{name} {value} says how logits are read, and there are none")
            return None
        stdin = io.StringIO(text)
    return read_vector(words, axis, array, stdin, progress, most, command)
