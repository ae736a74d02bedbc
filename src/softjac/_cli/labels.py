"""The labels of rows: typed after --label, or a column of the rows themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from softjac._cli.arrays import Array
from softjac._cli.errors import CommandError, did_you_mean, quoted
from softjac._cli.numerals import cells_of_line, is_number


@dataclass
class LabelColumn:
    """Which column of the rows holds the labels: ``asked`` is its number, as NumPy counts, or its name in the header.

    ``names`` is the header of a file that was read and had one.
    """

    asked: str
    names: list[str] = field(default_factory=list)

    @property
    def number(self) -> int | None:
        """The column where it was asked for by number."""
        return int(self.asked) if re.fullmatch(r"\s*[-+]?\d{1,9}\s*", self.asked) else None

    def takes_header(self, line: str, source: str) -> bool:
        """Whether the first line of a text is a header, which is kept then.

        It is one where the column is asked for by name, and where none of its cells is a number.
        """
        cells = _names(line)
        numbers = [is_number(cell) for cell in cells]
        if all(numbers) or (self.number is not None and any(numbers)):
            return False
        if "" in cells:
            raise CommandError(
                f"column {cells.index('')} in the header of {source} has no name: leave out what is no logit and no"
                " label (pandas: to_csv(index=False))"
            )
        self.names = cells
        return True

    def advice(self, line: str) -> str:
        """What to do about a first line with words and numbers in it."""
        words = [name for name in _names(line) if name and not is_number(name)]
        return f" (a header? then name the column: --label-column {words[-1]})" if words else ""

    def split(self, values: Array, source: str) -> tuple[Array, Array]:
        """The logits of rows, or of a vector, without the column, and the column."""
        count = values.shape[-1]
        at = self._position(count, source)
        if count == 1:
            raise CommandError(f"{source} has one column: besides the labels there have to be logits")
        if at in (0, count - 1):
            logits = values[..., 1:] if at == 0 else values[..., :-1]  # a view: the file may be large
        else:
            logits = np.delete(values, at, axis=-1)
        return logits, np.atleast_1d(values[..., at])

    def _position(self, count: int, source: str) -> int:
        number = self.number
        if number is None:
            return self._named(source)
        if not -count <= number < count:
            raise CommandError(
                f"--label-column {number} does not exist: {source} has {count} columns, 0 to {count - 1}, or -1 for the"
                " last"
            )
        return number % count

    def _named(self, source: str) -> int:
        found = self.names.count(self.asked)
        if found == 1:
            return self.names.index(self.asked)
        start = f"--label-column {quoted(self.asked)}: {source} has "
        if found:
            raise CommandError(f"{start}{found} columns of that name: give its number, from 0 or as -1 for the last")
        if not self.names:
            raise CommandError(f"{start}no header with names: give the number, from 0 or as -1 for the last")
        some = ", ".join(self.names[:8]) + (", ..." if len(self.names) > 8 else "")
        raise CommandError(f"{start}no such column: " + did_you_mean(self.asked, self.names, f"there are {some}"))


def _names(line: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in cells_of_line(line.strip("\r\n"))]


def parse_labels(text: str) -> list[int]:
    """The labels typed after --label: one, or one a row.

    >>> parse_labels("2"), parse_labels("0, 2"), parse_labels("[0 2]")
    ([2], [0, 2], [0, 2])
    """
    words = text.replace(",", " ").strip(" []").split()
    if not words or not all(re.fullmatch(r"[-+]?\d{1,18}", word) for word in words):
        raise CommandError(
            f"--label takes a whole number, the class counted from 0, or one for each row, as 0,2,1; not {quoted(text)}"
        )
    return [int(word) for word in words]


def check_labels(labels: Array, classes: int, ignored: int | None, where: Sequence[str]) -> Array:
    """Labels as int64, each a class or the one that is ignored.

    ``where`` are two words for a row in messages, as ("row", "x.csv"); without any they were typed after --label.
    """
    bad = (labels != np.floor(labels)) | ~((labels >= 0) & (labels < classes))
    if ignored is not None:
        bad &= labels != ignored
    if bad.any():
        k = int(np.argmax(bad))
        label = f"{labels[k]:.15g}"
        there_are = f"classes are 0 to {classes - 1}" if classes > 1 else "the only class is 0"
        holds = f"{where[0]} {k} of {where[1]} has label {label}" if where else f"--label {label} is no class"
        leave = f", or --ignore-index {label} leaves such rows out" if where and label.lstrip("-").isdigit() else ""
        raise CommandError(f"{holds}: {there_are}{leave}")
    return labels.astype(np.int64)
