"""The digits that are printed for a number: rounded half to even, once, from the exact value.

One rule for every printer and for `numbers`, which recomputes what is printed. Tests: tests/test_derivation_numbers.py.
"""

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

FEWEST_DIGITS = 2
"""A rounded number keeps at least so many digits that count; where its places leave fewer, it has a power of ten."""
LONGEST_PLAIN = 21
"""Longest exact number that is written out, rather than with a power of ten."""
LARGEST_PLAIN = 7
"""A rounded number with more digits before the point has a power of ten: its decimals would say nothing."""


def digits(value: int | Decimal, places: int | None) -> tuple[str, int | None]:
    """A magnitude as digits and, where it is written with a power of ten, its exponent.

    places: decimals of a rounded number, and its digits where it has a power of ten; None for an exact number, which
    is printed whole. An exact number that is a float has the digits that name this float, as Python prints it.

    >>> digits(Decimal("0.090030573"), 4), digits(Decimal("2.0611536e-9"), 4), digits(Decimal("235385266837.4"), 4)
    (('0.0900', None), ('2.061', -9), ('2.354', 11))
    >>> digits(Decimal(0.1), None), digits(Decimal("1e300"), None)
    (('0.1', None), ('1', 300))
    """
    number = Decimal(value).copy_abs()
    if places is None:
        return _whole(number)
    kept = number.adjusted() + 1 + places
    if not number or (kept >= FEWEST_DIGITS and number.adjusted() < LARGEST_PLAIN):
        step = Decimal((0, (1,), -places))
        return f"{number.quantize(step, context=_context(max(kept, 1) + 1)):f}", None
    rounded = _context(max(places, 1)).plus(number)
    return _mantissa(rounded, max(places, 1)), rounded.adjusted()


def printed_value(value: int | Decimal, places: int | None) -> Decimal:
    """The number that a reader takes from the page."""
    mantissa, exponent = digits(value, places)
    return Decimal(f"{'-' if value < 0 else ''}{mantissa}e{exponent or 0}")


def _whole(number: Decimal) -> tuple[str, int | None]:
    near = float(number)
    exact = number if Decimal(near) != number else Decimal(repr(near))
    shortest = _trimmed(exact)
    plain = f"{shortest:f}"
    if len(plain) <= LONGEST_PLAIN:
        return plain, None
    return _mantissa(shortest, len(shortest.as_tuple().digits)), shortest.adjusted()


def _trimmed(number: Decimal) -> Decimal:
    """Without zeros at the end behind the point."""
    if number == number.to_integral_value() and number.adjusted() < LONGEST_PLAIN:
        return Decimal(int(number))
    return number.normalize(_context(max(1, len(number.as_tuple().digits))))


def _mantissa(number: Decimal, count: int) -> str:
    """So many digits of a number, a point behind the first."""
    kept = "".join(map(str, number.as_tuple().digits)).ljust(count, "0")[:count]
    return kept[0] + ("." + kept[1:] if kept[1:] else "")


def _context(precision: int) -> Context:
    traps = [InvalidOperation]
    return Context(prec=precision, rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=traps)
