"""Every node of an expression against its known value, to 55 digits; mpmath computes what is not known by heart."""

import decimal
from decimal import Decimal
from itertools import product

import mpmath
import pytest

from derivation_samples import JACOBIAN, ONES, J, L, P, S, Y, delta, e, p, point, y, z
from softjac.derivation.evaluate import DIGITS, evaluate
from softjac.derivation.expressions import (
    Add,
    Derivative,
    Diagonal,
    Divide,
    Exp,
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
from softjac.errors import DerivationError

AT = point("1", "2", "3", label=2)
TWO = Number(2)


def near(found, expected, digits=55):
    with mpmath.workdps(80):
        expected = mpmath.mpf(str(expected)) if isinstance(expected, Decimal | str) else mpmath.mpf(expected)
        found = mpmath.mpf(str(found))
        return abs(found - expected) <= mpmath.mpf(10) ** -digits * abs(expected)


def with_mpmath(formula):
    with mpmath.workdps(80):
        return formula(mpmath)


NODES = {
    "a number": (Number(Decimal("0.1")), lambda m: m.mpf(1) / 10),
    "a number with what it is of": (Number(Decimal("0.1"), 4, S), lambda m: m.e + m.e**2 + m.e**3),
    "a logit": (z(1), lambda m: m.mpf(2)),
    "a label": (y(2), lambda m: m.mpf(1)),
    "n": (Symbol("n"), lambda m: m.mpf(3)),
    "S": (S, lambda m: m.e + m.e**2 + m.e**3),
    "p": (p("n-1"), lambda m: m.e**3 / (m.e + m.e**2 + m.e**3)),
    "p of the label": (p("y"), lambda m: m.e**3 / (m.e + m.e**2 + m.e**3)),
    "a digit as an index": (p("0"), lambda m: m.e / (m.e + m.e**2 + m.e**3)),
    "L": (L, lambda m: -m.log(m.e**3 / (m.e + m.e**2 + m.e**3))),
    "sum": (Add((z(0), z(1), z(2))), lambda m: m.mpf(6)),
    "sum of one": (Add((z(1),)), lambda m: m.mpf(2)),
    "difference": (z(0) - z(2), lambda m: m.mpf(-2)),
    "product": (Multiply((z(1), z(2), TWO)), lambda m: m.mpf(12)),
    "quotient": (Divide(z(0), z(2)), lambda m: m.mpf(1) / 3),
    "whole power": (Power(z(2), Number(4)), lambda m: m.mpf(81)),
    "negative power": (Power(z(2), Number(-2)), lambda m: m.mpf(1) / 9),
    "power 0": (Power(z(2) - z(2), Number(0)), lambda m: m.mpf(1)),
    "root": (Power(z(1), Divide(Number(1), TWO)), lambda m: m.sqrt(2)),
    "exp": (Exp(z(2)), lambda m: m.e**3),
    "log": (Log(z(2)), lambda m: m.log(3)),
    "sum over classes": (Sum("l", Exp(z("l"))), lambda m: m.e + m.e**2 + m.e**3),
    "sum without one": (Sum("l", z("l") * z("l"), 1), lambda m: m.mpf(10)),
    "sum of a vector": (Sum(None, Exp(Vector("z"))), lambda m: m.e + m.e**2 + m.e**3),
    "indicator, same": (Indicator("n-1", 2), lambda m: m.mpf(1)),
    "derivative": (Derivative(Power(z(2), Number(3)), z(2)), lambda m: m.mpf(27)),
    "derivative of a root": (Derivative(Power(z(1), Divide(Number(1), TWO)), z(1)), lambda m: 1 / (2 * m.sqrt(2))),
    "derivative of a power by its exponent": (Derivative(Power(TWO, z(1)), z(1)), lambda m: 4 * m.log(2)),
    "derivative by another": (Derivative(z(0) * z(2), z(2)), lambda m: m.mpf(1)),
    "derivative by the label": (Derivative(L, y(0)), lambda m: -m.log(m.e / (m.e + m.e**2 + m.e**3))),
    "second derivative": (Derivative(Derivative(Exp(z(0) * z(1)), z(0)), z(1)), lambda m: 3 * m.e**2),
    "second derivative by one": (Derivative(Derivative(Power(z(2), Number(4)), z(2)), z(2)), lambda m: m.mpf(108)),
    "third derivative": (Derivative(Derivative(Derivative(Exp(TWO * z(0)), z(0)), z(0)), z(0)), lambda m: 8 * m.e**2),
    "row times column, as a number": (1 + Transpose(Vector("z")) * Vector("z"), lambda m: m.mpf(15)),
}


@pytest.mark.parametrize("name", NODES)
def test_value_of_a_node(name):
    x, formula = NODES[name]
    assert near(evaluate(x, AT), with_mpmath(formula))


def test_zero_is_zero():
    assert evaluate(Derivative(z(0), z(1)), AT) == 0
    assert evaluate(Indicator(0, 1), AT) == 0
    assert evaluate(0 * S, AT) == 0
    assert evaluate(Sum("l", z("l"), 0), point("5")) == 0


def test_matrices():
    rows = range(3)
    probabilities = [evaluate(p(i), AT) for i in rows]
    assert evaluate(P, AT) == tuple((x,) for x in probabilities)
    assert evaluate(Transpose(P), AT) == (tuple(probabilities),)
    assert evaluate(Vector("I"), AT) == tuple(tuple(Decimal(int(i == j)) for j in rows) for i in rows)
    assert evaluate(Diagonal(Vector("z")), AT) == ((1, 0, 0), (0, 2, 0), (0, 0, 3))
    assert evaluate(Vector("z") * Transpose(Vector("z")), AT) == ((1, 2, 3), (2, 4, 6), (3, 6, 9))
    assert evaluate(2 * Vector("z"), AT) == evaluate(Vector("z") * TWO, AT) == ((2,), (4,), (6,))
    assert evaluate(Vector("z") / TWO, AT) == ((Decimal("0.5"),), (1,), (Decimal("1.5"),))
    assert evaluate(Vector("z") - ONES, AT) == ((0,), (1,), (2,))
    assert evaluate((Transpose(Vector("z")) * Vector("z")) * Vector("z"), AT) == ((14,), (28,), (42,))
    assert evaluate(Diagonal(Vector("z")) * Vector("z"), AT) == ((1,), (4,), (9,))
    assert evaluate(Transpose(Vector("z")) * Diagonal(Vector("z")), AT) == ((1, 4, 9),)
    assert evaluate(Exp(Vector("z")) / Sum(None, Exp(Vector("z"))), AT) == evaluate(P, AT)
    assert evaluate(Log(Exp(Vector("z"))), AT) == ((1,), (2,), (3,))
    assert evaluate(Derivative(P, Symbol("z")), AT) == evaluate(JACOBIAN, AT) == evaluate(Symbol("J"), AT)
    assert evaluate(Derivative(L, Symbol("z")), AT) == evaluate(P - Y, AT)
    assert evaluate(Derivative(P, z(1)), AT) == tuple((evaluate(J(i, 1), AT),) for i in rows)
    assert evaluate(Derivative(Symbol("p"), Symbol("z")), AT) == evaluate(JACOBIAN, AT)


def test_matrices_with_dots_are_known_where_they_are_shown():
    at = ((0, None, "n-1"), (0, None, "n-1"))
    dots = Matrix(((z(0), None, z(1)), (None, None, None), (z(2), None, z(0))), at)
    assert evaluate(dots, AT) == ((1, None, 2), (None, None, None), (3, None, 1))
    assert evaluate(2 * dots, AT) == ((2, None, 4), (None, None, None), (6, None, 2))
    assert evaluate(Transpose(dots), AT) == ((1, None, 3), (None, None, None), (2, None, 1))
    column = Matrix(((z(0),), (None,), (z("n-1"),)), ((0, None, "n-1"), (0,)))
    assert evaluate(column, AT) == ((1,), (None,), (3,))
    assert evaluate(column * Transpose(column), AT) == ((1, None, 3), (None, None, None), (3, None, 9))


def test_entries_of_the_jacobian_at_known_logits():
    # 60 digits of mpmath at 80: p_0 p_2 at (1, 2, 3).
    assert str(evaluate(-J(0, 2), AT)).startswith("0.0598920245448189324111963351991041300400062541025526231294")
    assert len(evaluate(J(0, 0), AT).as_tuple().digits) == DIGITS


def test_given_symbols():
    shifted = Sum("l", Exp(z("l") - Symbol("m", ("i",))))
    given = ((Symbol("R", ("i",)), shifted), (Symbol("m", ("i",)), z("i")), (Symbol("c"), "c"))
    assert near(evaluate(Symbol("R", (2,)), AT, given=given), with_mpmath(lambda m: 1 + m.exp(-1) + m.exp(-2)))
    # l in R is its own, whatever l stands for outside.
    assert near(
        evaluate(Sum("l", Symbol("R", ("l",))) - Symbol("R", (0,)) - Symbol("R", (1,)), AT, given=given),
        evaluate(Symbol("R", (2,)), AT, given=given),
    )
    assert Decimal("0.2") < evaluate(Symbol("c"), AT, given=given) < 2
    assert evaluate(Derivative(Symbol("c") ** 2, Symbol("c")), AT, given=given) == 2 * evaluate(
        Symbol("c"), AT, given=given
    )
    assert near(
        evaluate(Derivative(Symbol("R", (2,)), z(2)), AT, given=given), with_mpmath(lambda m: -m.exp(-1) - m.exp(-2))
    )


def test_a_gap_of_800_keeps_its_digits():
    at = point("0", "800", "0")
    with mpmath.workdps(800):
        s = 2 + mpmath.exp(800)
        rest = mpmath.mpf(2) / s
        assert near(evaluate(1 - p(1), at), mpmath.nstr(rest, 70))
        assert near(evaluate(J(1, 1), at), mpmath.nstr(rest * (1 - rest), 70))
        assert near(evaluate(Log(p(1)), at), mpmath.nstr(mpmath.log1p(-rest), 70))


def test_large_logits():
    shift = Decimal(10) ** 15
    at = point(shift, shift - 1, shift - 2)
    near_zero = point("0", "-1", "-2")
    for i, j in product(range(3), repeat=2):
        assert near(evaluate(J(i, j), at), evaluate(J(i, j), near_zero))


def test_the_readers_decimal_context_is_neither_read_nor_changed():
    expected = evaluate(J(0, 2), point("1", "2", "3"))
    with decimal.localcontext(decimal.Context(prec=3, Emax=1, Emin=-1, traps=[decimal.Inexact])) as mine:
        before = mine.copy()
        assert evaluate(J(0, 2), point("1", "2", "3")) == expected
        assert str(decimal.getcontext()) == str(before)


REFUSED = {
    "an index that stands for nothing": (p("i"), "the index i stands for no class"),
    "a class that there is not": (p(3), "class 3 is named, but there are 3 classes"),
    "a symbol without meaning": (Symbol("q", (0,)), "the symbol q with 1 indices has no meaning"),
    "a vector without meaning": (Vector("q"), "the symbol q has no meaning"),
    "a row subtracted from a matrix": (Vector("I") - Transpose(Y), "shape (1, 3) is added to one of shape (3, 3)"),
    "a number added to a matrix": (1 - Vector("I"), "a number is added to a matrix"),
    "shapes that do not fit": (P * P, "shape (3, 1) is multiplied by one of shape (3, 1)"),
    "division by a vector": (Y / P, "divided by a matrix, of shape (3, 1)"),
    "division by zero": (1 / (z(0) - z(0)), "does it divide by 0?"),
    "logarithm of zero": (Log(z(0) - z(0)), "not positive"),
    "derivative by p": (Derivative(L, p(0)), "p with 1 indices is no free symbol"),
    "diag of a matrix": (Diagonal(Vector("I")), "diag() takes a column"),
    "transpose of a number": (Transpose(S), "a number stands where a matrix has to"),
    "power of a matrix": (JACOBIAN**2, "stands where a number has to"),
    "rows of different lengths": (Matrix(((z(0),), (z(0), z(1)))), "different lengths"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_value_is_refused(name):
    x, phrase = REFUSED[name]
    with pytest.raises(DerivationError) as caught:
        evaluate(x, AT)
    assert phrase in str(caught.value)


def test_the_letter_of_a_sum_is_its_own():
    assert evaluate(z("i") * Sum("i", z("i")), AT, {"i": 2}) == 18


def test_a_symbol_has_the_meaning_that_is_given_with_it():
    at = point("1", "2")
    meanings = [((Symbol("q"), z(i)),) for i in range(2)]
    assert [evaluate(Symbol("q"), at, given=given) for given in meanings] == [1, 2]
    with pytest.raises(DerivationError, match="q has no meaning"):
        evaluate(Symbol("q"), at)


def test_a_circle_of_definitions_is_refused():
    given = ((Symbol("a"), Symbol("b") + 1), (Symbol("b"), Symbol("a") - 1))
    with pytest.raises(DerivationError, match="defined by itself"):
        evaluate(Symbol("a"), AT, given=given)


def test_the_sum_of_entries_that_are_not_shown_is_refused():
    dots = Matrix(((z(0),), (None,), (z("n-1"),)), ((0, None, "n-1"), (0,)))
    with pytest.raises(DerivationError, match="is not shown"):
        evaluate(Sum(None, dots), AT)


def test_indices_stand_for_classes():
    assert evaluate(delta("i", "j") * e("i"), AT, {"i": 1, "j": 1}) == evaluate(e(1), AT)
    assert evaluate(delta("i", "j") * e("i"), AT, {"i": 1, "j": 0}) == 0
