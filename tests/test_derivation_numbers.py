"""Rounding is half to even, once, from the exact value; printed arithmetic gives its printed result."""

import decimal
import random
from decimal import Decimal
from fractions import Fraction

import pytest

from derivation_samples import J, S, chain, p, point, z
from softjac.derivation import _arguments
from softjac.derivation.evaluate import evaluate
from softjac.derivation.expressions import Derivative, Exp, Log, Multiply, Number, Power, Symbol, Vector
from softjac.derivation.numbers import arithmetic, holds_as_printed, number_of, printed, recomputed
from softjac.derivation.rounding import digits, printed_value
from softjac.errors import DerivationError

AT = point("1", "2", "3")
ROUNDED = [
    ("0.0900305731703805", 4, "0.0900"),
    ("-0.0598920245448", 4, "-0.0599"),
    ("0.66524", 4, "0.6652"),
    ("30.19287485", 4, "30.1929"),
    ("0.00005", 4, "5.000e-5"),
    ("0.0009999", 4, "9.999e-4"),
    ("0.00099996", 4, "1.000e-3"),
    ("0.001", 4, "0.0010"),
    ("2.0611536181902037e-9", 4, "2.061e-9"),
    ("9.9999e-9", 4, "1.000e-8"),
    ("3.7e-348", 4, "3.700e-348"),
    ("2.5", 1, "2.5"),
    # ties to even, and not through a shorter number
    ("0.12345", 4, "0.1234"),
    ("0.12355", 4, "0.1236"),
    ("0.123450000000000000000000000000000000000000000000000001", 4, "0.1235"),
    ("-0.12345", 4, "-0.1234"),
    ("0.99995", 4, "1.0000"),
    ("0", 4, "0.0000"),
    ("123456789012345678901234", 4, "1.235e23"),
    ("272.637465", 4, "272.6375"),
    # exact numbers, whole
    ("2", None, "2"),
    ("-3", None, "-3"),
    ("0.1", None, "0.1"),
    ("2.50", None, "2.5"),
    ("1000", None, "1000"),
    ("1e15", None, "1000000000000000"),
    ("1e300", None, "1e300"),
    ("-1.5e-30", None, "-1.5e-30"),
    ("0", None, "0"),
]


@pytest.mark.parametrize(("value", "places", "expected"), ROUNDED)
def test_what_is_printed(value, places, expected):
    assert printed(Number(Decimal(value), places)) == expected


@pytest.mark.parametrize("x", [0.1, -1.1, 1 / 3, 5e-324, 1.7976931348623157e308, 1e22, 123456.789])
def test_a_float_is_printed_as_python_prints_it(x):
    mantissa, exponent = digits(Decimal(x), None)
    assert float(f"{mantissa}e{exponent or 0}") == abs(x)
    assert len(mantissa) <= 21


def test_the_readers_decimal_context_does_not_matter():
    with decimal.localcontext(decimal.Context(prec=2, Emax=2, Emin=-2, traps=[decimal.Inexact, decimal.Rounded])):
        for value, places, expected in ROUNDED:
            assert printed(Number(Decimal(value), places)) == expected


def test_rounding_is_to_the_nearest():
    chance = random.Random(1)
    for _ in range(2000):
        value = Decimal(chance.randrange(-(10**12), 10**12)).scaleb(chance.randrange(-16, -9))
        places = chance.randrange(1, 8)
        found = Fraction(printed_value(value, places))
        mantissa, exponent = digits(value, places)
        step = Fraction(10) ** ((exponent or 0) - len(mantissa.partition(".")[2]))
        assert abs(found - Fraction(value)) <= step / 2
        if exponent is not None:
            assert len(mantissa.replace(".", "")) == places
            assert abs(value) < Decimal(10) ** (1 - places)


def test_arithmetic_keeps_its_places_where_it_holds():
    factors = number_of(p(0), AT) * number_of(-p(2), AT)
    assert arithmetic(factors, number_of(J(0, 2), AT)) == (factors, number_of(J(0, 2), AT))
    assert holds_as_printed(factors, number_of(J(0, 2), AT))


def test_arithmetic_gains_the_fewest_digits():
    result = number_of(J(0, 1), AT)
    x, same = arithmetic(number_of(p(0), AT) * number_of(-p(1), AT), result, start=2)
    places = x.factors[0].places
    assert same == result
    assert places == x.factors[1].places > 2
    assert holds_as_printed(x, result)
    for fewer in range(2, places):
        assert not holds_as_printed(number_of(p(0), AT, fewer) * number_of(-p(1), AT, fewer), result)


def test_printed_arithmetic_holds_at_many_logits():
    chance = random.Random(2)
    for _ in range(200):
        at = point(*(str(round(chance.gauss(0, 3), 1)) for _ in range(3)))
        for i in range(3):
            diagonal = number_of(p(i), at) * number_of(1 - p(i), at)
            for x, result in (
                (diagonal, number_of(J(i, i), at)),
                (number_of(p(0), at) + number_of(p(1), at) + number_of(p(2), at), number_of(p(0) + p(1) + p(2), at)),
            ):
                found, _ = arithmetic(x, result)
                again = recomputed(found, result.places)
                assert printed(again) == printed(result)


def test_exact_numbers_stay_whole():
    x, _ = arithmetic(Exp(number_of(p(0), AT) * 2 - 1), number_of(Exp(2 * p(0) - 1), AT), start=1)
    assert x.x.terms[1] == -Number(1)
    assert printed(recomputed(Power(Log(Number(Decimal("2.7183"), 4)), Number(2)), 3)) == "1.000"


def test_digits_that_cancel_are_refused():
    at = point("0", "400")
    lost = number_of(p(1), at) * (1 - number_of(p(1), at))
    with pytest.raises(DerivationError, match="digits cancel"):
        arithmetic(lost, number_of(J(1, 1), at))
    assert arithmetic(number_of(p(1), at) * number_of(1 - p(1), at), number_of(J(1, 1), at))


def test_what_is_printed_whole_is_exact():
    at = point("0.1", "2", nudge=("0.25", "0"))
    assert number_of(p(0) + p(1), at, None).value == 1
    assert printed(number_of(Symbol("dz", (0,)), at, None)) == "0.25"
    tiny = _arguments.point_of([1e-300], None, None)
    assert printed(number_of(Symbol("z", (0,)), tiny, None)) == "1e-300"
    with pytest.raises(DerivationError, match="not to be printed whole"):
        number_of(p(0), at, None)


def test_symbols_are_no_arithmetic():
    with pytest.raises(DerivationError, match="holds symbols"):
        arithmetic(S * 2, number_of(2 * S, AT))
    with pytest.raises(DerivationError, match="no single value"):
        number_of(2 * Vector("J"), AT)


# ------------------------------------------------------------------------------------------- numbers in a chain's lines


def test_a_rounded_number_has_no_derivative():
    number = number_of(p(0), AT)
    assert chain(p(0), ("≈", number), point=AT)
    for inside in (number, 2 * number, Number(AT.logits[0], None, z(0))):
        with pytest.raises(DerivationError, match="inside a derivative"):
            chain(Derivative(p(0), z(0)), ("≈", Derivative(inside, z(0))), point=AT)
    with pytest.raises(DerivationError, match="inside a derivative"):
        chain(Derivative(number, z(0)), J(0, 0), point=AT)


def test_a_number_printed_whole_is_exact():
    value = evaluate(p(0), AT)
    with pytest.raises(DerivationError, match="printed whole, and is rounded"):
        chain(p(0), Number(value, None, p(0)), point=AT)
    with pytest.raises(DerivationError, match="printed whole, and is rounded"):
        chain(S, ("≈", Number(evaluate(S, AT), None, S)), point=AT)
    half = point("1", "1")
    chain(p(0), Number(Decimal("0.5"), None, p(0)), point=half)
    chain(z(1), Number(AT.logits[1], None, z(1)), point=AT)
    tenth = point("0.1", "0.3000000000000000000000000000000000000000000000000000000000000000000000000000001")
    chain(z(1), Number(tenth.logits[1], None, z(1)), point=tenth)


@pytest.mark.parametrize("sign", [1, -1])
def test_arithmetic_before_a_number_with_a_sign_is_checked(sign):
    rough = Multiply((Number(-1), number_of(p(0), AT, 2), number_of(p(1), AT, 2)))
    result = number_of(J(0, 1) if sign == 1 else p(0) * p(1), AT, 6)
    with pytest.raises(DerivationError, match="they need more places"):
        chain(J(0, 1), ("≈", rough), ("≈", Multiply((Number(sign), result))), point=AT)
    fine, _ = arithmetic(rough, number_of(J(0, 1), AT, 6))
    chain(J(0, 1), ("≈", fine), ("≈", Multiply((Number(sign), result))), point=AT)
    again = number_of(p(0) * p(1), AT, 4)  # not arithmetic: the same number with fewer places
    chain(J(0, 1), ("≈", -number_of(p(0) * p(1), AT, 6)), ("≈", -again), point=AT)
