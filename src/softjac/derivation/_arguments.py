"""What a reader passes, checked in one place and made exact: logits, label, entry, nudge, names of parts."""

import math
import operator
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from softjac.derivation.points import (
    EXACT,
    LARGEST_GAP,
    LARGEST_LOGIT,
    LARGEST_NUDGE,
    SMALLEST_NUDGE,
    SMALLEST_STEP,
    Point,
    reader_point,
)
from softjac.errors import ArgumentError, BoundsError, DTypeError, ShapeError

WAYS = ("both", "quotient", "log")
ROUTE_OF = {"quotient": "quotient", "logarithm": "log"}
"""Parts that go one route alone, and which."""
MOST_EXPLAINED = 100
"""So many classes has the continuous text: about 5 seconds."""
MOST_SHOWN = 1000
"""So many classes has one screen, or one entry: about 2 seconds."""
MOST_AT_LENGTH = 200
"""So many classes have a nudge, and the routes to the derivative by themselves: about 2 seconds."""


def point_of(logits: object, label: object, nudge: object, most: int = MOST_SHOWN) -> Point | None:
    """The reader's point, of so many classes at most; None without logits, and then there is no label and no nudge."""
    if logits is None:
        for name, value in (("label", label), ("nudge", nudge)):
            if value is not None:
                raise ArgumentError(f"{name} is {value!r}, but there are no logits: pass them, or leave {name} out.")
        return None
    z = exact_numbers("logits", logits)
    if not z:
        raise ShapeError("logits has shape (0,): pass at least one logit.")
    _check_count(len(z), most)
    _check_logits(z)
    step = None if nudge is None else exact_numbers("nudge", nudge)
    if step is not None:
        if len(step) != len(z):
            raise ShapeError(
                f"nudge has {len(step)} elements, but logits has {len(z)}: pass one change for each logit, 0 where it "
                "stays."
            )
        _check_nudge(step)
    return reader_point(z, None if label is None else class_of("label", label, len(z)), step)


def exact_numbers(name: str, value: object) -> tuple[Decimal, ...]:
    """A vector of numbers, each exactly what it is in binary; a Decimal or a Fraction as it is."""
    if isinstance(value, str | bytes | dict | set | frozenset):
        raise DTypeError(f"{name} is {value!r}: pass numbers, as in [1.0, 2.0, 3.0].")
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(
            f"{name} is a masked array: a derivation is of all its numbers. Pass {name}.compressed(), without the "
            "masked ones, or fill them."
        )
    value = _detached(value)
    if not isinstance(value, np.ndarray) and isinstance(value, Iterable) and not hasattr(value, "__array__"):
        value = [_detached(x) for x in value]
    if not isinstance(value, list) or not any(isinstance(x, bool | np.bool_ | Decimal | Fraction) for x in value):
        value = _rows(name, value)
    return tuple(_exact(name, k, x) for k, x in enumerate(value))


def _detached(x: Any) -> Any:
    """A tensor of PyTorch as Python's own numbers, without its gradient; bfloat16, which NumPy lacks, as well."""
    return x.detach().tolist() if hasattr(x, "detach") and hasattr(x, "tolist") else x


def _rows(name: str, value: object) -> list[Any]:
    """As a list of numbers, if it has one axis."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DTypeError(
            f"{name} cannot be made an array of numbers ({error}): pass a vector, as in [1.0, 2.0, 3.0]."
        ) from error
    if array.ndim != 1:
        raise ShapeError(f"{name} has shape {array.shape}: a derivation is of one vector, of shape (n,).")
    if array.size and array.dtype.kind not in "iuf" and array.dtype.name != "bfloat16":
        exact = array.dtype.kind == "O" and all(isinstance(x, int | Decimal | Fraction) for x in array)
        if not exact:
            raise DTypeError(f"{name} has dtype {array.dtype}: pass numbers, integers or floating point.")
    return list(array)


def _exact(name: str, k: int, x: Any) -> Decimal:
    if isinstance(x, bool | np.bool_ | str | bytes):
        raise DTypeError(f"{name} holds {x!r} at position {k}: pass numbers.")
    if isinstance(x, Decimal):
        number = x
    elif isinstance(x, float | np.floating) and not math.isfinite(x):
        number = Decimal(float(x))
    elif isinstance(x, np.longdouble):
        number = _from_ratio(*x.as_integer_ratio())
    elif isinstance(x, Fraction):
        number = _from_fraction(name, k, x)
    elif isinstance(x, int | np.integer):
        number = Decimal(int(x))
    else:
        try:
            number = Decimal(float(x))
        except (TypeError, ValueError) as error:
            raise DTypeError(f"{name} holds {x!r} at position {k}: pass numbers.") from error
    if number.is_nan():
        raise ArgumentError(f"{name} holds NaN at position {k}: a derivation with numbers needs numbers.")
    return number


def _from_fraction(name: str, k: int, x: Fraction) -> Decimal:
    """Exactly, where the digits of the fraction end: where 2 and 5 alone divide what is under it."""
    places = x.denominator.bit_length()
    over, rest = divmod(x.numerator * 10**places, x.denominator)
    if rest:
        raise ArgumentError(
            f"{name} holds {x} at position {k}, whose digits have no end: numbers are taken exactly and printed whole. "
            f"Pass float({x}), or a Decimal with the digits you want."
        )
    return Decimal((int(over < 0), tuple(map(int, str(abs(over)))), -places))


def _from_ratio(over: int, under: int) -> Decimal:
    """Exactly over / 2^k, whatever the precision of the context."""
    k = under.bit_length() - 1
    sign, numerals = int(over < 0), str(abs(over) * 5**k)
    return Decimal((sign, tuple(map(int, numerals)), -k))


def _check_logits(z: tuple[Decimal, ...]) -> None:
    infinite = [k for k, x in enumerate(z) if x.is_infinite()]
    if infinite:
        k = infinite[0]
        raise ArgumentError(
            f"logits holds {_short(z[k])} at position {k}: a derivation needs finite logits. {_limit(z, k)}"
        )
    for k, x in enumerate(z):
        if x.copy_abs() > LARGEST_LOGIT:
            raise ArgumentError(
                f"logits holds {_short(x)} at position {k}, and the limit is {float(LARGEST_LOGIT):g}: e^z is written "
                "out. Subtract the largest logit from all of them, which leaves p as it is."
            )
    if EXACT.subtract(max(z), min(z)) > LARGEST_GAP:
        raise ArgumentError(
            f"logits go from {_short(min(z))} to {_short(max(z))}, and the limit is a distance of {LARGEST_GAP}: "
            "1 - p is written out with all its digits. Further apart nothing new happens: the entries are next to 0."
        )


def _limit(z: tuple[Decimal, ...], k: int) -> str:
    """What an infinite logit stands for."""
    largest = max(z)
    if sum(x == largest for x in z) > 1 and largest.is_infinite():
        return "Where more than one is the largest, and infinite, there is no limit: softjac.softmax gives NaN."
    gives = "softjac.softmax and softjac.softmax_jacobian give that limit."
    if z[k] > 0:
        return (
            f"As z[{k}] grows without limit, p[{k}] nears 1, all others 0, and every entry of the Jacobian 0: {gives}"
        )
    return f"As z[{k}] falls without limit, p[{k}] and its row and column of the Jacobian near 0: {gives}"


def _check_nudge(step: tuple[Decimal, ...]) -> None:
    for k, x in enumerate(step):
        if not x.is_finite() or x.copy_abs() > LARGEST_NUDGE:
            raise ArgumentError(
                f"nudge holds {_short(x)} at position {k}: pass finite changes, each at most {LARGEST_NUDGE} from 0."
            )
        if x and x.copy_abs() < SMALLEST_NUDGE:
            raise ArgumentError(
                f"nudge holds {_short(x)} at position {k}: pass changes of at least {float(SMALLEST_NUDGE):g}, or 0. "
                "Of smaller ones the error, of second order, is lost among the digits that are computed."
            )
    for a, b in pairwise(sorted(step)):
        gap = EXACT.subtract(b, a)
        if gap and gap < SMALLEST_STEP:
            raise ArgumentError(
                f"nudge holds {_short(a)} and {_short(b)}, which differ by {_short(gap)}: pass changes that are equal "
                f"or differ by at least {float(SMALLEST_STEP):g}; what all have in common changes no probability."
            )


def _check_count(n: int, most: int) -> None:
    """Refuse more classes than are written in a few seconds."""
    if n > most:
        raise ArgumentError(
            f"logits has {n} classes, and the limit is {most} here: every line is checked with all of them. The whole "
            f"text has up to {MOST_EXPLAINED}, a nudge or the routes by themselves {MOST_AT_LENGTH}, "
            f"explain(logits, entry=(i, j)) and the screen of view(logits) {MOST_SHOWN}. "
            "Beyond them there is softjac.softmax_jacobian."
        )


def _short(x: Decimal) -> str:
    """A few digits of a number, for a message."""
    near = float(x)
    return f"{near:g}" if not x.is_finite() or (math.isfinite(near) and bool(near) == bool(x)) else f"{x:.5e}"


def class_of(name: str, value: object, n: int | None) -> int:
    """A class by its number. n: how many there are; None where there are no logits."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # the TypeError is what is asked for
    except TypeError:
        raise DTypeError(f"{name} is {value!r}: pass the number of a class, an int from 0.") from None
    if number < 0 or number >= (MOST_EXPLAINED if n is None else n):
        symbols = f"classes are numbered from 0, and without logits to {MOST_EXPLAINED - 1}"
        there = symbols if n is None else f"logits has {n} classes, numbered 0 to {n - 1}"
        raise BoundsError(f"{name} is {number}, but {there}.")
    return number


def entry_of(value: object, n: int | None) -> tuple[int, int]:
    """Row and column of an entry of the Jacobian."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray) or len(value) != 2:
        raise DTypeError(f"entry is {value!r}: pass the row and the column, two ints, as in (0, 2).")
    return class_of("entry[0]", value[0], n), class_of("entry[1]", value[1], n)


def way_of(by: object) -> str:
    """By which route the derivative is taken."""
    if by not in WAYS:
        raise ArgumentError(f"by is {by!r}: pass one of {', '.join(map(repr, WAYS))}.")
    return str(by)


def parts_of(parts: object, known: tuple[str, ...]) -> tuple[str, ...] | None:
    """Names of parts, in the order of the text; None for all."""
    if parts is None:
        return None
    wanted = (parts,) if isinstance(parts, str) else parts
    if not isinstance(wanted, Iterable):
        raise DTypeError(f"parts is {parts!r}: pass names of parts, of {', '.join(known)}.")
    wanted = tuple(wanted)
    if not wanted:
        raise ArgumentError(f"parts is empty: name one or more of {', '.join(known)}, or leave parts out for all.")
    for name in wanted:
        if name not in known:
            raise ArgumentError(f"parts holds {name!r}: the parts are {', '.join(known)}.")
    return tuple(name for name in known if name in wanted)
