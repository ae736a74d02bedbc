"""The logits a command works on, wherever they come from: words, a file of rows, or standard input."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from softjac._cli.arrays import Array, read_npy, read_npz
from softjac._cli.errors import HOW, CommandError, printable, quoted
from softjac._cli.labels import LabelColumn
from softjac._cli.numerals import number, parse_lists
from softjac._cli.progress import Progress
from softjac._cli.text_input import read_rows, read_text

SUFFIXES = (".csv", ".npy", ".npz")


@dataclass(frozen=True)
class Logits:
    """Real numbers, shape (n,) or (rows, columns), and the axis that counts classes (0 or 1, never negative).

    ``labels`` is the column of labels that stood beside them, as it was read, and ``source`` what all came from.
    """

    values: Array
    axis: int
    labels: Array | None = None
    source: str = ""

    @property
    def vectors(self) -> Array:
        """One vector of logits a row: shape (vectors, classes), a view."""
        return np.moveaxis(np.atleast_2d(self.values), self.axis - self.values.ndim, -1)

    @property
    def has_rows(self) -> bool:
        """Whether these are rows, to be numbered, and not a single vector."""
        return self.values.ndim == 2


def read_logits(
    words: Sequence[str],
    axis: int | None,
    name: str | None,
    stdin: TextIO | None,
    progress: Progress,
    column: LabelColumn | None = None,
) -> Logits:
    """Logits from the data words of a command line; ``name`` chooses the array of a .npz file, ``column`` the labels.

    Without words standard input is read, if it is no terminal. Every mistake raises CommandError.
    """
    path = next((word for word in words if word.lower().endswith(SUFFIXES)), None)
    if name is not None and not (path or "").lower().endswith(".npz"):
        raise CommandError("--array chooses an array of a .npz file, and no such file was given")
    if path is not None:
        if len(words) > 1:
            other = next((word for word in words if word != path), path)
            raise CommandError(f"one file at a time, and nothing beside it: {quoted(path)} came with {quoted(other)}")
        return _checked(_read_file(path, name, progress, column), axis, path, column)
    if words and words[0] != "-":
        text = " ".join(words)
        values = parse_lists(text) if text.lstrip().startswith("[") else [number(word) for word in text.split()]
        return _checked(np.array(values, dtype=np.float64), axis, "the list", column)
    if len(words) > 1:
        raise CommandError("- stands for all of standard input: give nothing beside it")
    if stdin is None or (not words and stdin.isatty()):
        raise CommandError(f"no logits: {HOW}")
    return _checked(_read_stdin(stdin, "standard input", progress, column), axis, "standard input", column)


def _read_file(path: str, name: str | None, progress: Progress, column: LabelColumn | None) -> Array:
    if not os.path.exists(path):
        raise CommandError(f"there is no file {path}")
    try:
        if path.lower().endswith(".npy"):
            return read_npy(path)
        if path.lower().endswith(".npz"):
            return read_npz(path, name)
        progress.start(f"reading {printable(os.path.basename(path))}", os.path.getsize(path))
        with open(path, encoding="utf-8-sig") as lines:
            return read_rows(lines, path, progress, column)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not text in UTF-8") from None
    finally:
        progress.stop()


def read_stdin(stdin: TextIO, source: str) -> str:
    """All of standard input as text."""
    try:
        return stdin.read().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise CommandError(f"{source} is not text in UTF-8: files of arrays are read by their names") from None
    except OSError as error:
        raise CommandError(f"cannot read {source}: {error.strerror or error}") from None


def _read_stdin(stdin: TextIO, source: str, progress: Progress, column: LabelColumn | None) -> Array:
    text = read_stdin(stdin, source)
    progress.start(f"reading {source}", len(text))
    try:
        return read_text(text, source, progress, column)
    finally:
        progress.stop()


def _in_words(dtype: np.dtype[Any]) -> str:
    """What a dtype that is no number of any kind holds; the name of any other dtype."""
    if dtype.names:
        return f"records of {', '.join(dtype.names)}"
    return {"U": "text", "S": "text", "M": "dates", "m": "times", "V": "raw bytes"}.get(dtype.kind, str(dtype))


def _checked(values: Array, axis: int | None, source: str, column: LabelColumn | None) -> Logits:
    """Logits of real numbers, in one or two dimensions, with an axis that exists; one column needs it said."""
    labels: Array | None = None
    if values.dtype.kind in "biu":
        values = values.astype(np.float64)
    if values.dtype.kind != "f":
        raise CommandError(
            f"{source} holds {_in_words(values.dtype)}: logits are real numbers, such as float64 or float32"
        )
    if values.ndim not in (1, 2):
        raise CommandError(
            f"{source} holds an array of shape {values.shape}: one vector (n,) or rows (rows, classes) are needed"
        )
    if column is not None and values.shape[-1]:
        values, labels = column.split(values, source)
    if axis is None:
        if labels is None and values.ndim == 2 and values.shape[1] == 1 and len(values) > 1:
            raise CommandError(
                f"{source} has one number a row: is it one vector of {len(values)} classes (then add --axis 0),"
                f" or {len(values)} vectors of one class, where every p is 1 (--axis 1)?"
            )
        axis = -1
    if not -values.ndim <= axis < values.ndim:
        choices = " or ".join(map(str, range(-values.ndim, values.ndim)))
        raise CommandError(f"--axis {axis} does not exist in logits of shape {values.shape}: it may be {choices}")
    logits = Logits(values, axis % values.ndim, labels, source)
    if column is not None and axis % values.ndim != values.ndim - 1:
        raise CommandError("--label-column takes the label of each row: with --axis 0 give the labels after --label")
    if logits.vectors.shape[1] == 0 and len(logits.vectors):
        raise CommandError(f"{source} is an empty vector: {HOW}")
    if len(logits.vectors) == 0:
        raise CommandError(f"{source} has no rows: {HOW}")
    return logits
