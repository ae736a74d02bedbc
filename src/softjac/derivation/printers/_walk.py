"""The walk over an expression that all printers share: which part binds how tightly, and where parentheses stand."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import IntEnum
from typing import Literal

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
from softjac.derivation.rounding import digits


class Binding(IntEnum):
    """How tightly the outermost operation of an expression binds, loosest first."""

    ADD = 1
    SIGN = 2
    SUM = 3
    QUOTIENT = 4
    MULTIPLY = 5
    PREFIX = 6
    POWER = 7
    ATOM = 8


MATRICES = (Vector, Transpose, Diagonal, Matrix)
GREEK = {"alpha": "α", "eta": "η", "lambda": "λ", "sigma": "σ", "delta": "δ", "epsilon": "ε"}


class Printer(ABC):
    """Prints expressions in one notation. `printer(expression)` is the string."""

    stacked: bool = True
    """Whether fractions and exponents are set above and below, and so need no parentheses of their own."""

    def __call__(self, x: Expression) -> str:
        """The expression in this notation."""
        return self.part(x, Binding.ADD, nested=False)

    @abstractmethod
    def prose(self, text: str) -> str:
        """Text between expressions, with what is special in this notation escaped."""

    # -- the walk

    def part(self, x: Expression, loosest: Binding, *, nested: bool = True) -> str:
        """A part of an expression, in parentheses where it binds more loosely than its place allows."""
        printed = self.term(x, self._node(x, nested))
        return self.parentheses(printed) if self.binding(x) < loosest else printed

    def binding(self, x: Expression) -> Binding:
        """How tightly the outermost operation binds, as this notation writes it."""
        match x:
            case Add():
                return Binding.ADD
            case Multiply():
                return Binding.SIGN if self.negative(x) else Binding.MULTIPLY
            case Divide(over, _):
                if self.stacked:
                    return Binding.POWER
                return Binding.SIGN if self.negative(over) else Binding.QUOTIENT
            case Derivative():
                return Binding.POWER if self.stacked else Binding.QUOTIENT
            case Sum(index, _, _):
                return Binding.ATOM if index is None else Binding.SUM
            case Log(inner):
                return Binding.PREFIX if self._plain_argument(inner) else Binding.POWER
            case Exp() | Power() | Transpose():
                return Binding.POWER
            case Number():
                if x.value < 0:
                    return Binding.SIGN
                if digits(x.value, x.places)[1] is None:
                    return Binding.ATOM
                return Binding.MULTIPLY if self.stacked else Binding.POWER
            case _:
                return Binding.ATOM

    def negative(self, x: Expression) -> bool:
        """Whether the printed form starts with a minus sign that belongs to all of it."""
        match x:
            case Number():
                return x.value < 0
            case Multiply(factors):
                return bool(factors) and self.negative(factors[0])
            case Divide(over, _):
                return not self.stacked and self.negative(over)
            case _:
                return False

    def open(self, x: Expression) -> bool:
        """Whether a factor written behind it would be read as part of it: a sum over an index, log x."""
        match x:
            case Sum(index, _, _):
                return index is not None
            case Log(inner):
                return self._plain_argument(inner)
            case Multiply(factors):
                return bool(factors) and self._may_end_open(factors[-1]) and self.open(factors[-1])
            case _:
                return False

    @staticmethod
    def _may_end_open(x: Expression) -> bool:
        return isinstance(x, Sum | Log | Multiply)

    def _plain_argument(self, x: Expression) -> bool:
        """Whether log needs no parentheses around it."""
        if isinstance(x, Divide):
            return self.stacked
        return isinstance(x, Symbol | Exp | Vector) or (isinstance(x, Number) and x.value >= 0)

    def _node(self, x: Expression, nested: bool) -> str:
        match x:
            case Number():
                return self.signed(self.number(*digits(x.value, x.places)), x.value < 0)
            case Symbol(name, indices):
                return self.symbol(name, indices)
            case Vector(name):
                return self.vector(name)
            case Add(terms):
                return self._add(terms)
            case Multiply(factors):
                return self._multiply(factors, nested)
            case Divide(over, under):
                return self._divide(over, under, nested)
            case Power(base, exponent):
                return self.power(self.part(base, Binding.ATOM), self._exponent(exponent))
            case Exp(inner):
                return self.power(self.symbol("e", ()), self._exponent(inner))
            case Log(inner):
                plain = self._plain_argument(inner)
                return self.log(self.part(inner, Binding.ADD), plain=plain)
            case Sum(None, body, _):
                return self.function("sum", self.part(body, Binding.ADD))
            case Sum(index, body, without):
                within = self.part(body, Binding.SUM)
                return self.big_sum(index, without, within)  # type: ignore[arg-type]  # the case above took None
            case Indicator(i, j):
                return self.indicator(i, j)
            case Derivative(body, by):
                return self._derivative(body, by)
            case Transpose(inner):
                return self.transpose(self.part(inner, Binding.ATOM))
            case Diagonal(inner):
                return self.function("diag", self.part(inner, Binding.ADD))
            case Matrix(rows, at):
                return self._matrix(rows, at)
        raise TypeError(f"expected an expression, got {type(x).__name__}")

    def _exponent(self, x: Expression) -> str:
        return self.part(x, Binding.ADD if self.stacked else Binding.ATOM)

    def _add(self, terms: Sequence[Expression]) -> str:
        pieces = []
        for position, term in enumerate(terms):
            minus = self.negative(term)
            if position == 0:
                pieces.append(self.part(term, Binding.SIGN))
            elif minus:
                pieces += [self.minus(), self._without_sign(term)]
            else:
                pieces += [self.plus(), self.part(term, Binding.SUM)]
        return self.row(pieces)

    def _without_sign(self, x: Expression) -> str:
        """What a negative term is, apart from its minus sign, as a term that is subtracted."""
        match x:
            case Multiply(factors):
                return self._factors(factors, nested=True, sign=False)
            case Divide(over, under):
                over_printed = self._without_sign(over)
                return self.term(x, self.fraction(over_printed, self.part(under, Binding.POWER), nested=True))
            case Number():
                return self.term(x, self.number(*digits(x.value, x.places)))
        raise TypeError(f"{type(x).__name__} has no sign")

    def _multiply(self, factors: Sequence[Expression], nested: bool) -> str:
        if not factors:
            return self.number("1", None)
        minus = self.negative(factors[0])
        return self.signed(self._factors(factors, nested=nested, sign=False), minus)

    def _factors(self, factors: Sequence[Expression], *, nested: bool, sign: bool) -> str:
        """A product; without `sign`, a minus sign in front of it is left out, and a factor of -1 with it."""
        first, *others = factors
        left_out = not sign and self.negative(first)
        shown = list(factors)
        if left_out and isinstance(first, Number) and first.places is None and first.value == -1 and others:
            shown, left_out = others, False
        alone = len(shown) == 1
        printed = []
        for position, factor in enumerate(shown):
            last = position == len(shown) - 1
            if position == 0 and left_out:
                text = self._without_sign(factor)
                text = self.parentheses(text) if self.open(factor) and not last else text
            elif alone:
                text = self.part(factor, Binding.SUM, nested=nested)
            elif isinstance(factor, Number) and factor.value < 0 and not self.stacked:
                text = self.part(factor, Binding.ADD)
            elif self.open(factor):
                text = self.part(factor, Binding.ADD if last else Binding.ATOM)
                text = self.parentheses(text) if not last and self.binding(factor) >= Binding.ATOM else text
            else:
                text = self.part(factor, Binding.MULTIPLY)
            printed.append(text)
        return self.product(list(zip(shown, printed, strict=True)), nested=nested)

    def _divide(self, over: Expression, under: Expression, nested: bool) -> str:
        if self.stacked:
            return self.fraction(self.part(over, Binding.ADD), self.part(under, Binding.ADD), nested=nested)
        numerator = self.part(over, Binding.ADD)
        loose = self.binding(over) in {Binding.ADD, Binding.QUOTIENT, Binding.SUM}
        if loose or self.open(over) or isinstance(over, Divide):
            numerator = self.parentheses(numerator)
        return self.fraction(numerator, self.part(under, Binding.POWER), nested=nested)

    def _derivative(self, body: Expression, by: Symbol) -> str:
        short = isinstance(body, Symbol) or (isinstance(body, Log) and isinstance(body.x, Symbol))
        if short or (self.stacked and isinstance(body, Exp)):
            return self.derivative(self.part(body, Binding.ADD), self.part(by, Binding.ADD), isinstance(body, Symbol))
        printed = self.part(body, Binding.ADD)
        if not (self.stacked and isinstance(body, Divide)):
            printed = self.parentheses(printed)
        return self.derivative_of(printed, self.part(by, Binding.ADD))

    def _matrix(
        self,
        rows: Sequence[Sequence[Expression | None]],
        at: tuple[tuple[Index | None, ...], tuple[Index | None, ...]] | None,
    ) -> str:
        """Entries, with dots for rows and columns left out: vertical, horizontal and diagonal where both meet."""
        hidden_rows = [index is None for index in at[0]] if at else [False] * len(rows)
        hidden_columns = [index is None for index in at[1]] if at else [False] * (len(rows[0]) if rows else 0)
        cells: list[list[str]] = []
        for y, entries in enumerate(rows):
            cells.append([])
            for x, entry in enumerate(entries):
                if entry is not None:
                    cells[-1].append(self.part(entry, Binding.ADD))
                else:
                    down = y < len(hidden_rows) and hidden_rows[y]
                    across = x < len(hidden_columns) and hidden_columns[x]
                    cells[-1].append(self.dots(down=down, across=across))
        return self.matrix(cells)

    @staticmethod
    def times(a: Expression, b: Expression) -> Literal["", "dot", "cross"]:
        """What stands between two factors that are set side by side: between numbers, or between fractions."""
        numbers = isinstance(a, Number) + isinstance(b, Number)
        if numbers == 0:
            return "dot" if isinstance(a, Divide | Derivative) and isinstance(b, Divide | Derivative) else ""
        return "dot" if numbers == 1 else "cross"

    # -- the notation

    def term(self, x: Expression, printed: str) -> str:  # noqa: ARG002  # for a notation that marks terms
        """The printed form of a part, marked as this expression where the notation can."""
        return printed

    @abstractmethod
    def row(self, pieces: Sequence[str]) -> str:
        """Pieces of one expression side by side."""

    @abstractmethod
    def parentheses(self, printed: str) -> str:
        """Round brackets around a part."""

    @abstractmethod
    def plus(self) -> str:
        """The sign between terms."""

    @abstractmethod
    def minus(self) -> str:
        """The sign between a term and one that is subtracted."""

    @abstractmethod
    def signed(self, printed: str, negative: bool) -> str:
        """A part with a minus sign in front where it is negative."""

    @abstractmethod
    def number(self, mantissa: str, exponent: int | None) -> str:
        """A magnitude: digits, and a power of ten."""

    @abstractmethod
    def symbol(self, name: str, indices: Sequence[Index]) -> str:
        """A name with its indices."""

    @abstractmethod
    def vector(self, name: str) -> str:
        """A column by name, the ones, or the identity."""

    @abstractmethod
    def product(self, factors: Sequence[tuple[Expression, str]], *, nested: bool) -> str:
        """Factors in their order, each with its printed form."""

    @abstractmethod
    def fraction(self, over: str, under: str, *, nested: bool) -> str:
        """One part over another."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """A base with its exponent."""

    @abstractmethod
    def log(self, x: str, *, plain: bool) -> str:
        """The logarithm of a part; in parentheses unless plain."""

    @abstractmethod
    def function(self, name: str, x: str) -> str:
        """A function by name of a part in parentheses: diag(p)."""

    @abstractmethod
    def big_sum(self, index: str, without: Index | None, body: str) -> str:
        """The sum over an index, of all classes or all but one."""

    @abstractmethod
    def indicator(self, i: Index, j: Index) -> str:
        """One where two indices are equal."""

    @abstractmethod
    def derivative(self, body: str, by: str, symbol: bool) -> str:
        """The derivative of a part that is written behind the d."""

    @abstractmethod
    def derivative_of(self, body: str, by: str) -> str:
        """The derivative of a part that stands for itself."""

    @abstractmethod
    def transpose(self, x: str) -> str:
        """A column as a row."""

    @abstractmethod
    def dots(self, *, down: bool, across: bool) -> str:
        """What stands for entries that are left out, downwards, across, or both."""

    @abstractmethod
    def matrix(self, cells: Sequence[Sequence[str]]) -> str:
        """Rows of printed entries."""
