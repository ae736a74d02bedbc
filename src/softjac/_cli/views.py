"""What a person is shown of a result: titles, tables and a note, the same for text and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from softjac._cli.arrays import Array
from softjac._cli.digits import for_people, logit, sum_for_people
from softjac._cli.results import Results
from softjac._cli.tables import Column, Gap, Table, gap_of, shortened
from softjac.softmax import softmax

Rows: TypeAlias = Sequence[int | None]  # which rows are shown, and None for a gap between them
Cells: TypeAlias = Sequence[str]
R_contra = TypeVar("R_contra", bound=Results, contravariant=True)

_MOST_COLUMNS = 32  # no more fit into 80 characters, so no more are written out for a shortened text
_LAST_ROWS = 4  # of the rows of a shortened table, how many are from its end


@dataclass(frozen=True)
class Detail:
    """How much is shown: decimals, rows of a table, tables one after the other (None: all), and the symbols used."""

    decimals: int
    rows: int | None = None
    tables: int | None = None
    derivative: str = "d"
    dots: str = "..."

    def pick_rows(self, count: int) -> list[int | None]:
        """Which of ``count`` rows are shown; None stands for those left out."""
        return shortened(count, count if self.rows is None else self.rows, _LAST_ROWS)

    def pick_columns(self, count: int) -> list[int]:
        """Which of ``count`` columns are written out, for the layout to choose from."""
        most = count if self.rows is None else _MOST_COLUMNS
        return [j for j in shortened(count, most, 1) if j is not None]

    def cells(self, rows: Rows, columns: list[int], row_of: Callable[[int], Array], sign: str = "-") -> list[Cells]:
        """The cells of each of ``columns``: the numbers of the rows picked, nothing in the gap."""
        texts = [
            [""] * len(columns)
            if i is None
            else [for_people(x, self.decimals, sign) for x in row_of(i)[columns].tolist()]
            for i in rows
        ]
        return list(zip(*texts, strict=True))


@dataclass(frozen=True)
class Shown:
    """One table, what it is of ("row 3"), what was left out of its rows, and the name of its columns ("z").

    ``instead`` is shown where the table is too wide for the screen.
    """

    caption: str
    table: Table
    gaps: tuple[str, ...] = ()
    column_name: str = ""
    instead: Shown | None = None


class View(Protocol[R_contra]):
    """How one kind of result is shown to a person. ``symbol`` is its letter in formulas."""

    @property
    def symbol(self) -> str: ...

    def title(self, results: R_contra, detail: Detail) -> tuple[str, str]:
        """What it is, and how things are counted."""
        ...

    def shown(self, results: R_contra, detail: Detail) -> Iterator[Shown]:
        """The tables, one after the other."""
        ...

    def notes(self, results: R_contra, detail: Detail) -> Sequence[tuple[str, str]]:
        """What to know to read them: each a line, and what may stand beside it."""
        ...


class ProbabilityView:
    """Probabilities: one vector down the page beside its logits, several as one row each."""

    symbol = "p"

    def title(self, results: Results, detail: Detail) -> tuple[str, str]:  # noqa: ARG002
        return "Softmax  p[i] = exp(z[i]) / sum of exp(z)", counting(results)

    def shown(self, results: Results, detail: Detail) -> Iterator[Shown]:
        vectors = results.logits.vectors
        count, n = vectors.shape
        if count == 1:
            z, p = vectors[0], results.of(0)
            rows = detail.pick_rows(n)
            body = [
                Column("z", texts(rows, lambda i: logit(float(z[i])))),
                Column("p", texts(rows, lambda i: for_people(float(p[i]), detail.decimals))),
            ]
            table = Table("class", row_labels(rows, detail), body, columns=2)
            yield Shown("", table, left_out(gap_of(rows, n), "class ", "classes ", n))
            return
        rows, columns = detail.pick_rows(count), detail.pick_columns(n)
        cells = detail.cells(rows, columns, results.of)
        body = [Column(f"p[{j}]", cells_of_j) for j, cells_of_j in zip(columns, cells, strict=True)]
        maximum = Column("max", texts(rows, lambda k: largest(results.of(k))))
        table = Table(row_name(results), row_labels(rows, detail), body, [maximum], n)
        yield Shown("", table, rows_left_out(results, gap_of(rows, count)), "p")

    def notes(self, results: Results, detail: Detail) -> Sequence[tuple[str, str]]:  # noqa: ARG002
        if len(results.logits.vectors) > 1:
            return []
        p = results.of(0)
        total = sum_for_people(np.append(p, -p.dtype.type(1)))
        if total != "0":  # NaN, or not probabilities
            return []
        return [(f"They sum to 1; the largest is {largest(p)}.", "")]


class JacobianView:
    """The Jacobian as a matrix with its row sums and the probabilities; several one below the other."""

    symbol = "J"

    def title(self, results: Results, detail: Detail) -> tuple[str, str]:
        d = detail.derivative
        return f"Softmax Jacobian  J[i,j] = {d}p[i]/{d}z[j]", counting(results)

    def shown(self, results: Results, detail: Detail) -> Iterator[Shown]:
        count, n = results.logits.vectors.shape
        tables = count if detail.tables is None else min(count, detail.tables)
        rows = detail.pick_rows(n)
        gaps = left_out(gap_of(rows, n), "p[", "p[", n, "]")
        for k in range(tables):
            if k + 1 == tables < count:
                gaps += rows_left_out(results, (tables, count - 1))
            caption = f"{row_name(results)} {k}" if count > 1 else ""
            yield Shown(caption, self._table(results.logits.vectors[k], results.of(k), rows, detail), gaps, "z")

    def _table(self, z: Array, J: Array, rows: Rows, detail: Detail) -> Table:
        p = softmax(z)
        columns = detail.pick_columns(len(z))
        body = [
            Column(
                f"z[{j}]",
                cells,
                value=logit(float(z[j]), detail.decimals + 3),
                marked=rows.index(j) if j in rows else None,
            )
            for j, cells in zip(columns, detail.cells(rows, columns, J.__getitem__, "+"), strict=True)
        ]
        tail = [
            Column("row sum", texts(rows, lambda i: sum_for_people(J[i], detail.decimals))),
            Column("p", texts(rows, lambda i: for_people(float(p[i]), detail.decimals))),
        ]
        labels = [detail.dots if i is None else f"p[{i}]" for i in rows]
        return Table("", labels, body, tail, len(z))

    def notes(self, results: Results, detail: Detail) -> Sequence[tuple[str, str]]:  # noqa: ARG002
        return [("[ ] diagonal p(1-p), elsewhere -p[i]p[j]. Column j: what raising z[j] does.", "")]


def row_name(results: Results) -> str:
    """What one vector of logits is in the input: a row, or along axis 0 a column."""
    return "row" if results.logits.axis == results.logits.values.ndim - 1 else "column"


def counting(results: Results) -> str:
    """How classes, and rows where there are several, are counted."""
    if len(results.logits.vectors) == 1:
        return "(classes count from 0)"
    return f"({row_name(results)}s and classes from 0)"


def texts(rows: Rows, text: Callable[[int], str]) -> Cells:
    return tuple("" if i is None else text(i) for i in rows)


def row_labels(rows: Rows, detail: Detail) -> list[str]:
    return [detail.dots if i is None else str(i) for i in rows]


def left_out(gap: Gap | None, one: str, several: str, count: int, end: str = "") -> tuple[str, ...]:
    """A sentence about a gap, or none where there is no gap.

    >>> left_out((3, 3), "row ", "rows ", 5), left_out((1, 2), "p[", "p[", 5, "]")
    (('row 3 of 5 is left out',), ('p[1] to p[2] of 5 are left out',))
    """
    if gap is None:
        return ()
    first, last = gap
    if first == last:
        return (f"{one}{first}{end} of {count} is left out",)
    return (f"{several}{first}{end} to {several if end else ''}{last}{end} of {count} are left out",)


def rows_left_out(results: Results, gap: Gap | None) -> tuple[str, ...]:
    name = row_name(results)
    return left_out(gap, f"{name} ", f"{name}s ", len(results.logits.vectors))


def largest(p: Array) -> str:
    return "" if np.isnan(p).any() else f"p[{int(np.argmax(p))}]"
