"""Matrices of numbers whose entries are found when they are asked for, and may be unknown where dots stand."""

from collections.abc import Callable
from typing import TypeAlias

from softjac.derivation.duals import ZERO, Real
from softjac.errors import DerivationError

Entry: TypeAlias = "Real | None"


class Grid:
    """Rows and columns; an entry is computed once, and only if somebody asks."""

    def __init__(self, rows: int, columns: int, entry: Callable[[int, int], Entry], *, diagonal: bool = False) -> None:
        self.rows, self.columns = rows, columns
        self.diagonal = diagonal  # zero beside the diagonal: products skip the rest
        self._entry = entry
        self._found: dict[tuple[int, int], Entry] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows, number of columns."""
        return self.rows, self.columns

    def at(self, r: int, c: int) -> Entry:
        """An entry, or None where it is not shown."""
        if (r, c) not in self._found:
            self._found[r, c] = self._entry(r, c)
        return self._found[r, c]

    def known(self, r: int, c: int) -> Real:
        """An entry that has to be shown."""
        entry = self.at(r, c)
        if entry is None:
            raise DerivationError(f"the entry in row {r} and column {c} is not shown, but is computed with.")
        return entry

    def each(self, function: Callable[[Real], Real]) -> "Grid":
        """A function of every entry."""

        def entry(r: int, c: int) -> Entry:
            old = self.at(r, c)
            return None if old is None else function(old)

        return Grid(self.rows, self.columns, entry)

    def transposed(self) -> "Grid":
        """Rows for columns."""
        return Grid(self.columns, self.rows, lambda r, c: self.at(c, r), diagonal=self.diagonal)

    def as_diagonal(self) -> "Grid":
        """A column as the diagonal of a matrix."""
        if self.columns != 1:
            raise DerivationError(f"diag() takes a column, and this is a matrix of shape {self.shape}.")
        return Grid(self.rows, self.rows, lambda r, c: self.at(r, 0) if r == c else ZERO, diagonal=True)

    def total(self) -> Real:
        """Sum of the entries."""
        total: Real = ZERO
        for r in range(self.rows):
            for c in range(self.columns):
                total = total + self.known(r, c)
        return total

    def found(self) -> "Grid":
        """The same with every entry computed now, before what it depends on changes."""
        for r in range(self.rows):
            for c in range(self.columns):
                self.at(r, c)
        return self

    def table(self) -> tuple[tuple[Entry, ...], ...]:
        """All entries, row by row."""
        return tuple(tuple(self.at(r, c) for c in range(self.columns)) for r in range(self.rows))


def column(n: int, entry: Callable[[int], Entry]) -> Grid:
    """A column of n entries."""
    return Grid(n, 1, lambda r, _: entry(r))


def plus(a: Real | Grid, b: Real | Grid) -> Real | Grid:
    """Sum of two numbers, or of two matrices of one shape."""
    a, b = _fitted(a, b)
    if isinstance(a, Grid) and isinstance(b, Grid):
        left, right = a, b
        if a.shape != b.shape:
            raise DerivationError(f"a matrix of shape {b.shape} is added to one of shape {a.shape}.")

        def entry(r: int, c: int) -> Entry:
            x, y = left.at(r, c), right.at(r, c)
            return None if x is None or y is None else x + y

        return Grid(a.rows, a.columns, entry, diagonal=a.diagonal and b.diagonal)
    if isinstance(a, Grid) or isinstance(b, Grid):
        raise DerivationError("a number is added to a matrix.")
    return a + b


def times(a: Real | Grid, b: Real | Grid) -> Real | Grid:
    """Product of numbers, of a number and a matrix, or of two matrices."""
    if isinstance(a, Grid) and isinstance(b, Grid):
        if a.columns == b.rows:
            return matrix_product(a, b)
        if a.shape == (1, 1):
            return times(a.known(0, 0), b)
        if b.shape == (1, 1):
            return times(a, b.known(0, 0))
        raise DerivationError(f"a matrix of shape {a.shape} is multiplied by one of shape {b.shape}.")
    if isinstance(a, Grid):
        factor = b
        return a.each(lambda x: x * factor)  # type: ignore[operator]  # no Grid
    if isinstance(b, Grid):
        factor = a
        return b.each(lambda x: factor * x)
    return a * b


def matrix_product(a: Grid, b: Grid) -> Grid:
    """Rows times columns; an entry is unknown where one of its factors is."""

    def entry(r: int, c: int) -> Entry:
        total: Real = ZERO
        inner = range(a.columns)
        if a.diagonal:
            inner = range(r, r + 1)
        elif b.diagonal:
            inner = range(c, c + 1)
        for k in inner:
            x, y = a.at(r, k), b.at(k, c)
            if x is None or y is None:
                return None
            total = total + x * y
        return total

    return Grid(a.rows, b.columns, entry, diagonal=a.diagonal and b.diagonal)


def _fitted(a: Real | Grid, b: Real | Grid) -> tuple[Real | Grid, Real | Grid]:
    """A matrix of one entry as a number, beside a number."""
    if isinstance(a, Grid) and not isinstance(b, Grid) and a.shape == (1, 1):
        return a.known(0, 0), b
    if isinstance(b, Grid) and not isinstance(a, Grid) and b.shape == (1, 1):
        return a, b.known(0, 0)
    return a, b
