"""Rows of logits from lines of text: a .csv file, or standard input."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable

import numpy as np

from softjac._cli.arrays import Array
from softjac._cli.errors import HOW, CommandError
from softjac._cli.labels import LabelColumn
from softjac._cli.numerals import cells_of_line, check_lengths, numbers_of_line, parse_lists
from softjac._cli.progress import Progress

_BEGINS_AS_A_NUMBER = re.compile(r"\s*[-+]?\.?\d")
_ARRAYS = (
    "\x93NUMPY",
    "\udc93NUMPY",
    "PK\x03\x04",
)  # how .npy and .npz files begin, read as text in one way or another


def read_rows(lines: Iterable[str], source: str, progress: Progress, column: LabelColumn | None = None) -> Array:
    """One row of numbers a line, float64, shape (rows, columns). Lines that begin with # are left out.

    A hole, an empty line between others and a row of another length raise CommandError with the line number; so does a
    header, unless a ``column`` of labels takes it.
    """
    values = array("d")
    rows = classes = first = empty = 0
    begun = False
    for count, line in enumerate(lines, 1):
        progress.advance(len(line))
        if not line.strip():
            empty = empty or count
            continue
        if line.startswith("#"):
            continue
        if empty:
            raise CommandError(f"line {empty} of {source} is empty, and others follow: a missing row?")
        begun, at_the_start = True, not begun
        if at_the_start and column is not None and column.takes_header(line, source):
            continue
        try:
            row = numbers_of_line(line.rstrip("\r\n"))
        except CommandError as error:
            advice = _about_a_header(line, column) if at_the_start else ""
            raise CommandError(f"line {count} of {source}: {error}{advice}") from None
        if not rows:
            first, classes = count, len(row)
            if column is not None and column.names:
                check_lengths([(f"the header of {source}", len(column.names)), (f"line {count}", classes)])
        elif len(row) != classes:
            check_lengths([(f"line {first} of {source}", classes), (f"line {count}", len(row))])
        values.extend(row)
        rows += 1
    if not rows:
        raise CommandError(f"{source} is empty: {HOW}")
    return np.frombuffer(values, dtype=np.float64).reshape(rows, classes)


def _about_a_header(line: str, column: LabelColumn | None) -> str:
    """Advice where the first line holds what is no number."""
    if column is not None:
        return column.advice(line)
    header = not any(map(_BEGINS_AS_A_NUMBER.match, cells_of_line(line)))
    return " (a header? take it out: a file of logits has numbers only)" if header else ""


def read_text(text: str, source: str, progress: Progress, column: LabelColumn | None = None) -> Array:
    """Standard input: lists in brackets, or rows as in a .csv file. One line alone is one vector."""
    if text.startswith(_ARRAYS):
        raise CommandError(f"{source} is an array and not text: files of arrays are read by their names")
    if text.lstrip().startswith("["):
        try:
            return np.array(parse_lists(text), dtype=np.float64)
        except CommandError as error:
            raise CommandError(f"{source}: {error}") from None
    rows = read_rows(text.splitlines(), source, progress, column)
    return rows[0] if len(rows) == 1 else rows
