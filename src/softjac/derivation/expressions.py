"""Expressions of the derivation, as immutable data.

An expression says what is written, and nothing is simplified: 0 * S stays 0 * S. What it is worth is found by
`softjac.derivation.evaluate`, how it looks by the printers. Symbols: z logits, p probabilities, y label; classes count
from 0. Lists that are passed are kept as tuples: what was checked stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

Index: TypeAlias = int | str
"""A class: a number, a letter ("i", "j", "l") that stands for one, or "n-1", the last."""


class Operators:
    """Arithmetic on expressions, which writes down what is done and does not do it."""

    __slots__ = ()

    def __add__(self, other: "Operand") -> "Add":
        return Add((*terms_of(self), as_expression(other)))

    def __radd__(self, other: "Operand") -> "Add":
        return Add((as_expression(other), *terms_of(self)))

    def __sub__(self, other: "Operand") -> "Add":
        return Add((*terms_of(self), -as_expression(other)))

    def __rsub__(self, other: "Operand") -> "Add":
        return Add((as_expression(other), -as_expression(self)))

    def __neg__(self) -> "Multiply":
        return Multiply((Number(-1), as_expression(self)))

    def __mul__(self, other: "Operand") -> "Multiply":
        return Multiply((*factors_of(self), as_expression(other)))

    def __rmul__(self, other: "Operand") -> "Multiply":
        return Multiply((as_expression(other), *factors_of(self)))

    def __truediv__(self, other: "Operand") -> "Divide":
        return Divide(as_expression(self), as_expression(other))

    def __rtruediv__(self, other: "Operand") -> "Divide":
        return Divide(as_expression(other), as_expression(self))

    def __pow__(self, exponent: "Operand") -> "Power":
        return Power(as_expression(self), as_expression(exponent))


@dataclass(frozen=True, slots=True)
class Number(Operators):
    """A number: exact and printed whole, or, with places, printed rounded to so many decimals.

    A number of the reader's, such as a logit or a rounded value, says in `of` what it is the value of; elsewhere in
    general position the expression stands for it.
    """

    value: int | Decimal
    places: int | None = None
    of: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Symbol(Operators):
    """A quantity by name, such as S, or one entry of a vector or matrix, such as p_i or J_ij."""

    name: str
    indices: tuple[Index, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "indices", tuple(self.indices))


@dataclass(frozen=True, slots=True)
class Add(Operators):
    """Sum of terms; a term that is a product with -1 in front is subtracted."""

    terms: tuple["Expression", ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))


@dataclass(frozen=True, slots=True)
class Multiply(Operators):
    """Product of factors, of matrices in this order."""

    factors: tuple["Expression", ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", tuple(self.factors))


@dataclass(frozen=True, slots=True)
class Divide(Operators):
    """One expression over another."""

    over: "Expression"
    under: "Expression"


@dataclass(frozen=True, slots=True)
class Power(Operators):
    """A base and its exponent."""

    base: "Expression"
    exponent: "Expression"


@dataclass(frozen=True, slots=True)
class Exp(Operators):
    """E to the x; of a vector, entry by entry."""

    x: "Expression"


@dataclass(frozen=True, slots=True)
class Log(Operators):
    """Natural logarithm; of a vector, entry by entry."""

    x: "Expression"


@dataclass(frozen=True, slots=True)
class Sum(Operators):
    """Sum of the body over an index that runs through all classes, or all but one; without an index, of a vector."""

    index: str | None
    body: "Expression"
    without: Index | None = None


@dataclass(frozen=True, slots=True)
class Indicator(Operators):
    """1{i=j}: one where two indices are the same class, else zero. Other texts write the Kronecker delta."""

    i: Index
    j: Index


@dataclass(frozen=True, slots=True)
class Derivative(Operators):
    """Partial derivative of the body by a symbol."""

    body: "Expression"
    by: Symbol


@dataclass(frozen=True, slots=True)
class Vector(Operators):
    """A column by name: z, p, y, or 1 for all ones; and I, the identity matrix."""

    name: str


@dataclass(frozen=True, slots=True)
class Transpose(Operators):
    """Rows for columns."""

    x: "Expression"


@dataclass(frozen=True, slots=True)
class Diagonal(Operators):
    """diag(x): the matrix with a vector on its diagonal and zeros beside it."""

    x: "Expression"


@dataclass(frozen=True, slots=True)
class Matrix(Operators):
    """A matrix entry by entry. With `at`, which rows and columns are shown; None is where dots stand."""

    rows: tuple[tuple["Expression | None", ...], ...]
    at: tuple[tuple[Index | None, ...], tuple[Index | None, ...]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        if self.at is not None:
            row_at, column_at = self.at
            object.__setattr__(self, "at", (tuple(row_at), tuple(column_at)))


Expression: TypeAlias = (
    Number
    | Symbol
    | Add
    | Multiply
    | Divide
    | Power
    | Exp
    | Log
    | Sum
    | Indicator
    | Derivative
    | Vector
    | Transpose
    | Diagonal
    | Matrix
)
Operand: TypeAlias = Operators | int | Decimal


def as_expression(x: "Operand") -> "Expression":
    """A plain number as an exact Number, an expression as it is."""
    if isinstance(x, Operators):
        return x  # type: ignore[return-value]  # every subclass is one of Expression
    return Number(x)


def terms_of(x: Operators) -> tuple["Expression", ...]:
    """The terms of a sum; anything else is one term."""
    return x.terms if isinstance(x, Add) else (as_expression(x),)


def factors_of(x: Operators) -> tuple["Expression", ...]:
    """The factors of a product; anything else is one factor."""
    return x.factors if isinstance(x, Multiply) else (as_expression(x),)


def children(x: "Expression") -> tuple["Expression", ...]:
    """The expressions that an expression is made of directly, in the order in which they are read."""
    match x:
        case Add(terms):
            return terms
        case Multiply(factors):
            return factors
        case Divide(over, under):
            return (over, under)
        case Power(base, exponent):
            return (base, exponent)
        case Exp(inner) | Log(inner) | Transpose(inner) | Diagonal(inner):
            return (inner,)
        case Sum(_, body, _):
            return (body,)
        case Derivative(body, by):
            return (body, by)
        case Matrix(rows, _):
            return tuple(entry for row in rows for entry in row if entry is not None)
        case _:
            return ()


def walk(x: "Expression") -> Iterator["Expression"]:
    """The expression and all that it is made of, in the order in which they are read."""
    yield x
    for child in children(x):
        yield from walk(child)


def with_indices(x: "Expression", indices: Mapping[str, Index]) -> "Expression":
    """The same expression with classes in place of free letters; the letter that a Sum runs through is its own."""
    if not indices:
        return x

    def index(old: Index) -> Index:
        return indices.get(old, old) if isinstance(old, str) else old

    def inside(child: "Expression") -> "Expression":
        return with_indices(child, indices)

    match x:
        case Symbol(name, own):
            return Symbol(name, tuple(index(i) for i in own))
        case Indicator(i, j):
            return Indicator(index(i), index(j))
        case Sum(letter, body, without):
            rest = {old: new for old, new in indices.items() if old != letter}
            return Sum(letter, with_indices(body, rest), None if without is None else index(without))
        case Derivative(body, by):
            return Derivative(inside(body), Symbol(by.name, tuple(index(i) for i in by.indices)))
        case Number(value, places, of):
            return Number(value, places, None if of is None else inside(of))
        case _:
            return rebuilt(x, tuple(inside(child) for child in children(x)))


def rebuilt(x: "Expression", new: tuple["Expression", ...]) -> "Expression":
    """The same node over other children, in the order of `children`."""
    match x:
        case Add():
            return Add(new)
        case Multiply():
            return Multiply(new)
        case Divide():
            return Divide(*new)
        case Power():
            return Power(*new)
        case Exp():
            return Exp(*new)
        case Log():
            return Log(*new)
        case Transpose():
            return Transpose(*new)
        case Diagonal():
            return Diagonal(*new)
        case Sum(index, _, without):
            return Sum(index, new[0], without)
        case Derivative():
            return Derivative(new[0], new[1])  # type: ignore[arg-type]  # a Symbol, as in children
        case Matrix(rows, at):
            entries = iter(new)
            return Matrix(tuple(tuple(None if e is None else next(entries) for e in row) for row in rows), at)
        case _:
            return x
