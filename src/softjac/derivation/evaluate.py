"""What an expression is worth at a point: 60 digits, from the definitions, through derivatives.

Defined symbols (S, p, J, L) are worth their definitions, so a derivative goes through them, and J is the derivative of
p and not its closed form. Computed in a decimal context of its own. Tests: tests/test_derivation_evaluate.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    localcontext,
)
from typing import TypeAlias

from softjac.derivation import duals
from softjac.derivation.duals import ONE, ZERO, Dual, Real
from softjac.derivation.expressions import (
    Add,
    Derivative,
    Diagonal,
    Divide,
    Exp,
    Expression,
    Index,
    Indicator,
    Log,
    Matrix,
    Multiply,
    Number,
    Power,
    Sum,
    Symbol,
    Transpose,
    Vector,
)
from softjac.derivation.grids import Grid, column, plus, times
from softjac.derivation.points import DIGITS, TRAPS, Point
from softjac.errors import DerivationError

Value: TypeAlias = Real | Grid
Given: TypeAlias = tuple[tuple[Symbol, Expression | str], ...]
"""Symbols of a chain's own: what each is worth, or, as a string, the name of a free value of the Point."""
Table: TypeAlias = tuple[tuple[Decimal | None, ...], ...]
"""The entries of a matrix, row by row; None where dots stand."""

Z, P, Y = (Symbol(name, ("i",)) for name in "zpy")
DEFINITIONS: Given = (
    (Symbol("S"), Sum("l", Exp(Symbol("z", ("l",))))),
    (P, Exp(Z) / Symbol("S")),
    (Symbol("J", ("i", "j")), Derivative(P, Symbol("z", ("j",)))),
    (Symbol("L"), -Sum("i", Y * Log(P))),
)


LOGITS_AND_LIKE = ("z", "y", "dz")
"""Symbols with one index that need no definition: the point says what they are."""


def evaluate(
    x: Expression, point: Point, indices: Mapping[str, int] | None = None, given: Given = ()
) -> Decimal | Table:
    """What x is worth, rounded to 60 digits: a number, or the entries of a matrix.

    indices: the classes that the free letters of x stand for. Raises DerivationError where x has no value: a symbol or
    a letter without meaning, shapes that do not fit, a division by zero.
    """
    evaluator = Evaluator(point, given)
    with evaluator.computing():
        value = evaluator.value(x, indices or {})
        table = value.table() if isinstance(value, Grid) else None
    with localcontext(context(DIGITS)):
        if table is None:
            return +plain(value)  # type: ignore[arg-type]  # no Grid
        return tuple(tuple(None if entry is None else +plain(entry) for entry in row) for row in table)


def context(digits: int) -> Context:
    """Of so many digits, with the widest exponents; what has no value raises."""
    return Context(digits, ROUND_HALF_EVEN, MIN_EMIN, MAX_EMAX, traps=TRAPS)


def plain(x: Real) -> Decimal:
    """A value outside of every derivative: it is no Dual."""
    if isinstance(x, Dual):
        raise DerivationError(f"{x} is a derivative that nobody asked for.")
    return x


class Evaluator:
    """Values at one point, to so many digits; exponentials, logarithms and defined symbols are found once."""

    def __init__(self, point: Point, given: Given = (), digits: int | None = None) -> None:
        self.point = point
        self.n = point.n
        self.digits = point.digits if digits is None else digits
        self._definitions = {(s.name, len(s.indices)): (s.indices, x) for s, x in (*DEFINITIONS, *given)}
        self._seeds: dict[tuple[str, tuple[int, ...]], Dual] = {}
        self._open: set[object] = set()
        self._level = 0
        # What a chain defines itself is not seen by other chains at the point.
        shared = point.cache.setdefault(self.digits, {})
        self._cache: dict[object, Value] = {} if given else shared.setdefault("symbols", {})
        self._exps: dict[Decimal, Decimal] = shared.setdefault("exp", {})
        self._logs: dict[Decimal, Decimal] = shared.setdefault("log", {})

    @contextmanager
    def computing(self) -> Iterator[None]:
        """The decimal context of this evaluator; an operation without a value becomes a DerivationError."""
        with localcontext(context(self.digits)):
            try:
                yield
            except DecimalException as error:
                kind = type(error).__name__
                raise DerivationError(f"an expression has no value here ({kind}): does it divide by 0?") from error

    def value(self, x: Expression, indices: Mapping[str, int]) -> Value:
        """What x is worth where the letters stand for these classes."""
        match x:  # what is met most often comes first
            case Symbol(name, own):
                return self._symbol(name, tuple([self._class(i, indices) for i in own]))
            case Multiply(factors):
                return self._folded(times, factors, indices)
            case Number(value, _, of):
                return Decimal(value) if of is None else self.value(of, indices)
            case Add(terms):
                return self._folded(plus, terms, indices)
            case Exp(inner):
                return self._each(self._exp, self.value(inner, indices))
            case Divide(over, under):
                return self._quotient(self.value(over, indices), self.value(under, indices))
            case Indicator(i, j):
                return ONE if self._class(i, indices) == self._class(j, indices) else ZERO
            case Sum(letter, body, without):
                return self._sum(letter, body, without, indices)
            case Derivative(body, by):
                return self._derivative(body, by, indices)
            case Power(base, exponent):
                return duals.power(self.real(base, indices), self.real(exponent, indices))
            case Log(inner):
                return self._each(self._log, self.value(inner, indices))
            case Vector(name):
                return self._vector(name)
            case Transpose(inner):
                return self._grid(inner, indices).transposed()
            case Diagonal(inner):
                return self._grid(inner, indices).as_diagonal()
            case Matrix(rows, at):
                return self._matrix(rows, at, indices)

    def real(self, x: Expression, indices: Mapping[str, int]) -> Real:
        """What x is worth, where it has to be a number."""
        value = self.value(x, indices)
        if isinstance(value, Grid):
            if value.shape == (1, 1):
                return value.known(0, 0)
            raise DerivationError(f"a matrix of shape {value.shape} stands where a number has to.")
        return value

    def _grid(self, x: Expression, indices: Mapping[str, int]) -> Grid:
        value = self.value(x, indices)
        if isinstance(value, Grid):
            return value
        raise DerivationError("a number stands where a matrix has to.")

    def _class(self, index: Index, indices: Mapping[str, int]) -> int:
        """The number of the class that an index stands for."""
        k = index if isinstance(index, int) else indices.get(index, -1)
        if 0 <= k < self.n:
            return k
        return self._named_class(index)

    def _named_class(self, index: Index) -> int:
        """The same for an index that stands for itself."""
        if index == "n-1":
            return self.n - 1
        if index == "y" and self.point.label is not None:
            return self.point.label
        if isinstance(index, str) and not index.isdigit():
            raise DerivationError(f"the index {index} stands for no class: it is neither free nor summed over.")
        if not 0 <= int(index) < self.n:
            raise DerivationError(f"class {index} is named, but there are {self.n} classes, 0 to {self.n - 1}.")
        return int(index)

    # ----------------------------------------------------------------------------------------------------- symbols

    def _symbol(self, name: str, at: tuple[int, ...]) -> Value:
        if self._seeds and (name, at) in self._seeds:
            return self._seeds[name, at]
        if name == "z" and len(at) == 1:
            return self.point.logits[at[0]]
        if name == "y" and len(at) == 1:
            return self.point.targets[at[0]]
        if name == "n" and not at:
            return Decimal(self.n)
        if name == "dz" and len(at) == 1:
            return self.point.free_value(name, at)
        found = self._definitions.get((name, len(at)))
        if found is None:
            if at:
                raise DerivationError(f"the symbol {name} with {len(at)} indices has no meaning here: add it to given.")
            return self._vector(name)  # p for all p_i, as in dp/dz
        letters, meaning = found
        if isinstance(meaning, str):
            return self.point.free_value(meaning, at)
        key = (name, at, tuple([(seed, variable.level) for seed, variable in self._seeds.items()]))
        if key not in self._cache:
            if key in self._open:
                raise DerivationError(f"the symbol {name} is defined by itself.")
            self._open.add(key)
            try:
                self._cache[key] = self.value(meaning, dict(zip(map(str, letters), at, strict=True)))
            finally:
                self._open.discard(key)
        return self._cache[key]

    def _vector(self, name: str) -> Grid:
        n = self.n
        if name == "1":
            return column(n, lambda _: ONE)
        if name == "I":
            return Grid(n, n, lambda r, c: ONE if r == c else ZERO)
        if name in LOGITS_AND_LIKE or (name, 1) in self._definitions:
            return column(n, lambda r: self._entry(name, (r,)))
        if (name, 2) in self._definitions:
            return Grid(n, n, lambda r, c: self._entry(name, (r, c)))
        raise DerivationError(f"the symbol {name} has no meaning here: add it to given.")

    def _entry(self, name: str, at: tuple[int, ...]) -> Real:
        value = self._symbol(name, at)
        if isinstance(value, Grid):
            raise DerivationError(f"{name} at {at} is a matrix, and should be a number.")
        return value

    # -------------------------------------------------------------------------------------------------- operations

    def _folded(
        self, join: Callable[[Value, Value], Value], parts: tuple[Expression, ...], indices: Mapping[str, int]
    ) -> Value:
        result = self.value(parts[0], indices)
        for part in parts[1:]:
            result = join(result, self.value(part, indices))
        return result

    def _quotient(self, over: Value, under: Value) -> Value:
        if isinstance(under, Grid):
            if under.shape != (1, 1):
                raise DerivationError(f"nothing can be divided by a matrix, of shape {under.shape}.")
            under = under.known(0, 0)
        divisor = under
        return self._each(lambda entry: entry / divisor, over)

    def _each(self, function: Callable[[Real], Real], x: Value) -> Value:
        return x.each(function) if isinstance(x, Grid) else function(x)

    def _exp(self, x: Real) -> Real:
        return duals.exp(x, self._plain_exp)

    def _log(self, x: Real) -> Real:
        return duals.log(x, self._plain_log)

    def _plain_exp(self, x: Decimal) -> Decimal:
        if x not in self._exps:
            self._exps[x] = x.exp()
        return self._exps[x]

    def _plain_log(self, x: Decimal) -> Decimal:
        if x not in self._logs:
            if x <= 0:
                raise DerivationError("a logarithm is taken of a number that is not positive.")
            self._logs[x] = x.ln()
        return self._logs[x]

    def _sum(self, letter: str | None, body: Expression, without: Index | None, indices: Mapping[str, int]) -> Value:
        if letter is None:
            return self._grid(body, indices).total()
        left_out = None if without is None else self._class(without, indices)
        result: Value = ZERO
        for k in range(self.n):
            if k != left_out:
                term = self.value(body, {**indices, letter: k})
                result = term if result is ZERO else plus(result, term)
        return result

    # ------------------------------------------------------------------------------------------------- derivatives

    def _derivative(self, body: Expression, by: Symbol, indices: Mapping[str, int]) -> Value:
        at = tuple(self._class(i, indices) for i in by.indices)
        if by.name in LOGITS_AND_LIKE and not at:
            # All partial derivatives: a column for a number, for a column a matrix with a column for each.
            n = self.n
            shape = self.value(body, indices)
            if not isinstance(shape, Grid):
                return column(n, lambda r: _number(self._along(body, (by.name, (r,)), indices)))
            if shape.columns != 1:
                raise DerivationError(f"the derivative of a matrix of shape {shape.shape} has three indices.")
            columns: dict[int, Grid] = {}

            def entry(r: int, c: int) -> Real | None:
                if c not in columns:
                    columns[c] = _matrix(self._along(body, (by.name, (c,)), indices))
                return columns[c].at(r, 0)

            return Grid(shape.rows, n, entry)
        return self._along(body, (by.name, at), indices)

    def _along(self, body: Expression, seed: tuple[str, tuple[int, ...]], indices: Mapping[str, int]) -> Value:
        """The partial derivative by one variable, which must be free: p is a function, not a variable."""
        name, at = seed
        meaning = self._definitions.get((name, len(at)))
        if (meaning is None or not isinstance(meaning[1], str)) and (name not in LOGITS_AND_LIKE or len(at) != 1):
            raise DerivationError(f"{name} with {len(at)} indices is no free symbol: no derivative is taken by it.")
        before = self._seeds.get(seed)
        variable = self._entry(name, at)
        self._level += 1
        level = self._level
        self._seeds[seed] = Dual(level, variable, ONE)
        try:
            value = self.value(body, indices)
            if isinstance(value, Grid):
                value = value.found()
        finally:
            self._level -= 1
            if before is None:
                del self._seeds[seed]
            else:
                self._seeds[seed] = before
        return self._each(lambda x: duals.at_level(x, level).slope, value)

    # ---------------------------------------------------------------------------------------------------- matrices

    def _matrix(
        self,
        rows: tuple[tuple[Expression | None, ...], ...],
        at: tuple[tuple[Index | None, ...], tuple[Index | None, ...]] | None,
        indices: Mapping[str, int],
    ) -> Grid:
        if at is None:
            if len({len(row) for row in rows}) != 1:
                raise DerivationError("the rows of a matrix have different lengths.")
            return Grid(len(rows), len(rows[0]), lambda r, c: self._shown(rows[r][c], indices))
        n = self.n
        row_at, column_at = ([None if i is None else self._class(i, indices) for i in axis] for axis in at)
        if len(row_at) != len(rows) or any(len(row) != len(column_at) for row in rows):
            raise DerivationError(f"a matrix has {len(rows)} rows, but names {len(row_at)}, or rows of another length.")
        shown = {
            (r, c): entry
            for r, row in zip(row_at, rows, strict=True)
            for c, entry in zip(column_at, row, strict=True)
            if r is not None and c is not None
        }
        width = 1 if at[1] == (None,) or len(column_at) == 1 else n
        height = 1 if len(row_at) == 1 else n
        return Grid(height, width, lambda r, c: self._shown(shown.get((r, c)), indices))

    def _shown(self, entry: Expression | None, indices: Mapping[str, int]) -> Real | None:
        return None if entry is None else self.real(entry, indices)


def _number(x: Value) -> Real:
    assert not isinstance(x, Grid)
    return x


def _matrix(x: Value) -> Grid:
    assert isinstance(x, Grid)
    return x
