"""Dual numbers against differences at high precision, and nested ones against derivatives known by heart."""

from decimal import Context, Decimal, localcontext

import mpmath
import pytest

from softjac.derivation import duals
from softjac.derivation.duals import ONE, ZERO, Dual

X = Decimal("0.7")


def variable(x, level=1):
    return Dual(level, x, ONE)


# The same formula for Duals and for mpmath.
FORMULAS = {
    "sum": lambda x, _: x + 3,
    "sum from the left": lambda x, _: 3 + x,
    "difference": lambda x, _: x - 3,
    "difference from the left": lambda x, _: 3 - x,
    "sign": lambda x, _: -x,
    "product": lambda x, _: x * x * 5,
    "quotient": lambda x, _: (x + 1) / (x * x + 3),
    "quotient from the left": lambda x, _: 2 / x,
    "quotient by a number": lambda x, _: x / 7,
    "exp": lambda x, f: f.exp(x * x),
    "log": lambda x, f: f.log(x * x + 1),
    "whole power": lambda x, f: f.power(x, 5),
    "negative power": lambda x, f: f.power(x, -3),
    "root": lambda x, f: f.power(x, f.number("0.5")),
    "power of itself": lambda x, f: f.power(x, x),
    "softmax": lambda x, f: f.exp(x) / (f.exp(x) + f.exp(f.number("1.2")) + f.exp(f.number("-0.4"))),
    "log of softmax": lambda x, f: x - f.log(f.exp(x) + f.exp(f.number("1.2"))),
}


class WithDuals:
    exp, log = staticmethod(duals.exp), staticmethod(duals.log)

    @staticmethod
    def power(x, exponent):
        return duals.power(x, Decimal(exponent) if isinstance(exponent, int) else exponent)

    number = staticmethod(Decimal)


class WithMpmath:
    exp, log, power, number = mpmath.exp, mpmath.log, mpmath.power, mpmath.mpf


def derivatives(formula, order):
    """By Duals nested so many times: one level each."""
    x = X
    for level in range(1, order + 1):
        x = variable(x, level)
    with localcontext(Context(prec=90)):
        result = formula(x, WithDuals)
    for level in range(order, 0, -1):
        result = duals.at_level(result, level).slope
    return result


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", FORMULAS)
def test_derivative_is_that_of_differences(name, order):
    found = derivatives(FORMULAS[name], order)
    with mpmath.workdps(400):
        h = mpmath.mpf(10) ** -60
        # Central differences: the error is of the order h^2, 1e-120.
        at = [mpmath.mpf(str(X)) + (2 * k - order) * h / 2 for k in range(order + 1)]
        terms = [
            (-1) ** (order - k) * mpmath.binomial(order, k) * FORMULAS[name](x, WithMpmath) for k, x in enumerate(at)
        ]
        expected = mpmath.fsum(terms) / h**order
        assert abs(mpmath.mpf(str(found)) - expected) <= mpmath.mpf(10) ** -80 * max(1, abs(expected))


def test_levels_are_kept_apart():
    # d/dx (x * d/dy (x + y)) at the same number: 1, where slopes of one level would be mixed up: 2.
    x = variable(X, 1)
    y = variable(X, 2)
    inner = duals.at_level(x + y, 2).slope
    assert inner == ONE or duals.at_level(inner, 1) == Dual(1, ONE, ZERO)
    assert duals.at_level(x * inner, 1).slope == 1


def test_what_does_not_depend_has_slope_zero():
    assert duals.at_level(Decimal(5), 1) == Dual(1, Decimal(5), ZERO)
    assert duals.at_level(variable(X, 1), 2).slope == ZERO
    assert (variable(X, 2) * 0).slope == 0


def test_duals_are_immutable():
    with pytest.raises(AttributeError):
        variable(X).slope = ZERO
    assert hash(variable(X)) == hash(variable(X))
