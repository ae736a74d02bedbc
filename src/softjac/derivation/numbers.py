"""How exact values are printed: rounded half to even, small ones by significant digits, and so that arithmetic holds.

A printed line of arithmetic, recomputed from its printed factors, gives its printed result; where it does not, the
factors gain digits (`arithmetic`). Tests: tests/test_derivation_numbers.py.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from softjac.derivation.evaluate import context, evaluate
from softjac.derivation.expressions import (
    Add,
    Divide,
    Exp,
    Expression,
    Log,
    Matrix,
    Multiply,
    Number,
    Power,
    children,
    rebuilt,
    walk,
)
from softjac.derivation.points import Point, general
from softjac.errors import DerivationError

PLACES = 4
"""Decimals of a printed number, unless more are needed."""
MOST_PLACES = 40
LARGEST_PLAIN = Decimal(10) ** 9
"""From here on a number is printed with a power of ten."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What stands on the page: a sign, digits with a point, and a power of ten where there is one."""

    negative: bool
    digits: str
    exponent: int | None = None

    @property
    def value(self) -> Decimal:
        """The number that a reader takes from the page."""
        return Decimal(f"{'-' * self.negative}{self.digits}e{self.exponent or 0}")

    def __str__(self) -> str:
        return f"{'-' * self.negative}{self.digits}" + ("" if self.exponent is None else f"e{self.exponent}")


def printed(number: Number) -> Printed:
    """What is printed for a number: a rounded value with its places, an exact one whole.

    An exact value that is a float is printed by the shortest decimal that names this float, as Python prints it.
    """
    if number.places is None:
        return whole(Decimal(number.value))
    return rounded(Decimal(number.value), number.places)


def rounded(value: Decimal, places: int) -> Printed:
    """Half to even at so many decimals; with a power of ten where less than two digits would remain, or very many.

    >>> str(rounded(Decimal("0.09003057"), 4)), str(rounded(Decimal("2.0611536e-9"), 4))
    ('0.0900', '2.06e-9')
    """
    if places < 1:
        raise DerivationError(f"places is {places}: a rounded number is printed with at least one decimal.")
    size = abs_exact(value)
    if size and size < Decimal((0, (1,), 1 - places)):
        return _scientific(value, max(places - 1, 1))
    if size >= LARGEST_PLAIN:
        return _scientific(value, places + 1)
    with localcontext(context(max(100, size.adjusted() + places + 10))):
        digits = size.quantize(Decimal((0, (1,), -places)), ROUND_HALF_EVEN)
    return Printed(value < 0, f"{digits:f}")


def whole(value: Decimal) -> Printed:
    """Every digit, or, for a float, the digits that name it."""
    size = abs_exact(value)
    if value == value.to_integral_value() and size < Decimal(10) ** 16:
        return Printed(value < 0, str(int(size)))
    near = float(size)
    text = repr(near) if Decimal(near) == size else str(size)
    mantissa, _, exponent = text.lower().partition("e")
    return Printed(value < 0, mantissa.removesuffix(".0"), int(exponent) if exponent else None)


def abs_exact(value: Decimal) -> Decimal:
    """The value without its sign, with all its digits."""
    return value.copy_abs()


def _scientific(value: Decimal, significant: int) -> Printed:
    with localcontext(context(max(100, significant + 10))):
        exponent = value.adjusted()
        mantissa = value.copy_abs().scaleb(-exponent).quantize(Decimal((0, (1,), 1 - significant)), ROUND_HALF_EVEN)
        if mantissa == 10:
            mantissa, exponent = (mantissa / 10).quantize(Decimal((0, (1,), 1 - significant))), exponent + 1
    return Printed(value < 0, f"{mantissa:f}", exponent)


def number_of(x: Expression, point: Point, places: int = PLACES) -> Number:
    """The value of an expression at a point, to be printed with so many places."""
    value = evaluate(x, point)
    if isinstance(value, tuple):
        raise DerivationError("a matrix has no single value: number its entries one by one.")
    return Number(value, places, x)


def is_arithmetic(x: Expression) -> bool:
    """Whether x is made of numbers alone, so that a reader can recompute it."""
    return all(isinstance(part, Number | Add | Multiply | Divide | Power | Exp | Log) for part in walk(x))


def recomputed(x: Expression, places: int) -> Printed:
    """What a reader gets from the printed numbers of x, rounded to so many places."""
    value = evaluate(_as_printed(x), general(3))
    assert isinstance(value, Decimal)
    return rounded(value, places)


def _as_printed(x: Expression) -> Expression:
    if isinstance(x, Number):
        return Number(printed(x).value)
    return rebuilt(x, tuple(_as_printed(child) for child in children(x)))


def holds_as_printed(x: Expression, result: Number) -> bool:
    """Whether arithmetic, recomputed from its printed numbers, gives the printed result."""
    if result.places is None:
        return True
    found = recomputed(x, result.places)
    return found.value == printed(result).value


def with_places(x: Expression, places: int) -> Expression:
    """The same arithmetic with its rounded numbers printed to so many places; exact numbers stay whole."""
    if isinstance(x, Number):
        return x if x.places is None else Number(x.value, places, x.of)
    return rebuilt(x, tuple(with_places(child, places) for child in children(x)))


def arithmetic(x: Expression, result: Number, start: int = PLACES) -> tuple[Expression, Number]:
    """A line of arithmetic and its result, with the fewest places from start on for which it holds as printed.

    The result keeps its places. Raises DerivationError where 40 places are not enough: then the value comes out of a
    cancellation, and should be written in another way.
    """
    if not is_arithmetic(x):
        raise DerivationError("a line of arithmetic is made of numbers: this one holds symbols.")
    for places in range(start, MOST_PLACES + 1):
        tried = with_places(x, places)
        if holds_as_printed(tried, result):
            return tried, result
    raise DerivationError(
        f"{MOST_PLACES} places of the factors do not give {printed(result)}: digits cancel. Number "
        "the difference itself."
    )


def rounded_numbers(x: Expression) -> tuple[Number, ...]:
    """The numbers in x that are printed rounded."""
    return tuple(part for part in walk(x) if isinstance(part, Number) and part.places is not None)


def is_exact_as_printed(number: Number) -> bool:
    """Whether rounding changed nothing."""
    return printed(number).value == number.value


def arithmetic_beside(x: Expression, result: Expression) -> tuple[tuple[Expression, Number], ...]:
    """Pairs of arithmetic and the number it gives, in two lines that follow each other; in matrices entry by entry."""
    if isinstance(x, Matrix) and isinstance(result, Matrix) and _layout(x) == _layout(result):
        entries = zip(children(x), children(result), strict=True)
        return tuple(pair for a, b in entries for pair in arithmetic_beside(a, b))
    if isinstance(result, Number) and not isinstance(x, Number) and is_arithmetic(x):
        return ((x, result),)
    return ()


def _layout(x: Matrix) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(entry is not None for entry in row) for row in x.rows)
