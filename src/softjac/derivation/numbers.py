"""How exact values are printed: rounded half to even, small ones by significant digits, and so that arithmetic holds.

A printed line of arithmetic, recomputed from its printed factors, gives its printed result; where it does not, the
factors gain digits (`arithmetic`). Tests: tests/test_derivation_numbers.py.
"""

from decimal import Decimal

from softjac.derivation.evaluate import Evaluator, evaluate, plain
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
    Symbol,
    children,
    rebuilt,
    walk,
)
from softjac.derivation.points import DIGITS, Point, general
from softjac.derivation.rounding import digits, printed_value
from softjac.errors import DerivationError

PLACES = 4
"""Decimals of a printed number, unless more are needed."""
MOST_PLACES = 40


def printed(number: Number) -> str:
    """What stands on the page for a number, as plain text: -0.0599, 2.061e-9."""
    mantissa, exponent = digits(number.value, number.places)
    return ("-" if number.value < 0 else "") + mantissa + ("" if exponent is None else f"e{exponent}")


def number_of(x: Expression, point: Point, places: int | None = PLACES) -> Number:
    """The value of an expression at a point, to be printed with so many places.

    With places=None it is printed whole, and has to be exact: a logit, an entry of y or of dz, a whole number.
    """
    value = evaluate(x, point)
    if isinstance(value, tuple) and len(value) == len(value[0]) == 1 and value[0][0] is not None:
        value = value[0][0]
    if isinstance(value, tuple):
        raise DerivationError("a matrix has no single value: number its entries one by one.")
    if places is None:
        exact = value if value == value.to_integral_value() else None
        if isinstance(x, Symbol) and x.name in {"z", "y", "dz"}:
            exact = plain(Evaluator(point).real(x, {}))
        if exact is None:
            raise DerivationError(
                f"{value} is rounded to {DIGITS} digits, and is not to be printed whole: name places."
            )
        value = exact
    return Number(value, places, x)


def is_arithmetic(x: Expression) -> bool:
    """Whether x is made of numbers alone, so that a reader can recompute it."""
    return all(isinstance(part, Number | Add | Multiply | Divide | Power | Exp | Log) for part in walk(x))


def recomputed(x: Expression, places: int) -> Number:
    """What a reader gets from the printed numbers of x, to be printed with so many places."""
    value = evaluate(_as_printed(x), general(3))
    assert isinstance(value, Decimal)
    return Number(value, places)


def _as_printed(x: Expression) -> Expression:
    if isinstance(x, Number):
        return Number(printed_value(x.value, x.places))
    return rebuilt(x, tuple(_as_printed(child) for child in children(x)))


def holds_as_printed(x: Expression, result: Number) -> bool:
    """Whether arithmetic, recomputed from its printed numbers, gives the printed result."""
    if result.places is None:
        return True
    found = recomputed(x, result.places)
    return printed_value(found.value, found.places) == printed_value(result.value, result.places)


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


def numbers_named(x: Expression) -> tuple[Number, ...]:
    """The numbers in x that stand for the value of an expression, or are printed rounded."""
    return tuple(part for part in walk(x) if isinstance(part, Number) and (part.of or part.places) is not None)


def is_exact_as_printed(number: Number) -> bool:
    """Whether rounding changed nothing."""
    return number.places is None or printed_value(number.value, number.places) == number.value


def arithmetic_beside(x: Expression, result: Expression) -> tuple[tuple[Expression, Number], ...]:
    """Pairs of arithmetic and the number it gives, in two lines that follow each other; in matrices entry by entry."""
    if isinstance(x, Matrix) and isinstance(result, Matrix) and _layout(x) == _layout(result):
        entries = zip(children(x), children(result), strict=True)
        return tuple(pair for a, b in entries for pair in arithmetic_beside(a, b))
    number = with_sign(result)
    if number is not None and with_sign(x) is None and is_arithmetic(x):
        return ((x, number),)
    return ()


def with_sign(x: Expression) -> Number | None:
    """A number, also one that is multiplied by 1 or -1, as one number; None for anything else."""
    if isinstance(x, Number):
        return x
    if not isinstance(x, Multiply):
        return None
    signs = [y for y in x.factors if isinstance(y, Number) and y.places is None and y.of is None and abs(y.value) == 1]
    rest = [y for y in x.factors if y not in signs]
    if len(rest) != 1 or not isinstance(rest[0], Number):
        return None
    negative = sum(y.value < 0 for y in signs) % 2
    number = rest[0]
    return Number(Decimal(number.value).copy_negate(), number.places, -number) if negative else number


def _layout(x: Matrix) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(entry is not None for entry in row) for row in x.rows)
