"""Expressions of the derivation, as immutable data.

An expression says what is written, and nothing is simplified: 0 * S stays 0 * S. What it is worth is found by
`softjac.derivation.evaluate`, how it looks by the printers. Symbols: z logits, p probabilities, y label; classes count
from 0.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, Union

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
    """A number. With places it is printed rounded to so many decimals, and is what `of` is worth at the logits shown."""

    value: int | Decimal
    places: int | None = None
    of: "Expression | None" = None


@dataclass(frozen=True, slots=True)
class Symbol(Operators):
    """A quantity by name, such as S, or one entry of a vector or matrix, such as p_i or J_ij."""

    name: str
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Add(Operators):
    """Sum of terms; a term that is a product with -1 in front is subtracted."""

    terms: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Multiply(Operators):
    """Product of factors, of matrices in this order."""

    factors: tuple["Expression", ...]


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


Expression: TypeAlias = Union[
    Number, Symbol, Add, Multiply, Divide, Power, Exp, Log, Sum, Indicator, Derivative, Vector, Transpose, Diagonal, Matrix
]
Operand: TypeAlias = Union[Operators, int, Decimal]


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
