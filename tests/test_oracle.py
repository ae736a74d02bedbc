"""The oracle and the measure of errors, against mpmath: by other formulas, and by differentiating numerically."""

import ast
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from functions import DTYPE_NAMES, DTYPES
from softjac.check import oracle
from softjac.check import ulp as check_ulp
from softjac.check.oracle import GivenProbabilities, NotTightError, Row, Truth
from softjac.check.ulp import format_of, ulp
from ulp import Worst, distance, error_ulps, share

ROWS = {
    "three": [1.0, 2.0, 3.0],
    "ties": [0.5, 2.0, 2.0, -1.0],
    "one dominant": [0.0, 60.0, 0.0, -5.0],
    "far from 0": [1e8, 1e8 + 1.0, 1e8 - 2.0],
    "all gaps": [0.0, -37.0, -300.0, -740.0],
    "one": [0.25],
    "log-probabilities": [math.log(0.7), math.log(0.2), math.log(0.1)],
}
V, U, B = [0.7, -1.3, 2.1, 0.4], [-0.2, 0.9, 1.1, -3.0], [0.5, 2.0, -0.01, 1.5]


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(1000):
        yield


def softmax(z):
    e = [mpmath.exp(x) for x in z]
    return [x / mpmath.fsum(e) for x in e]


def derivative(function, z, *directions):
    """Directional derivative of a function of a row, once for each direction, by differences at 1000 digits."""
    if not directions:
        return function(z)
    first, *rest = directions
    h = mpmath.mpf(10) ** -80
    up, down = ([x + s * h * y for x, y in zip(z, first, strict=True)] for s in (1, -1))
    pairs = zip(derivative(function, up, *rest), derivative(function, down, *rest), strict=True)
    return [(a - b) / (2 * h) for a, b in pairs]


def agree(truth, value, digits=60):
    """Whether mpmath's value is in the enclosure, widened by what mpmath may be off: 10^-digits, relative."""
    with oracle.working_precision(2000):
        expected = arb(mpmath.nstr(value, 300, strip_zeros=False))
        slack = abs(expected) * arb(10) ** -digits + arb(10) ** -150 * truth.scale
        assert truth.is_tight
        assert abs(truth.value - expected) <= slack + 2 * truth.value.rad()


@pytest.mark.parametrize("name", ROWS)
def test_values_agree_with_mpmath(name):
    z = [mpmath.mpf(x) for x in ROWS[name]]
    row, p = Row(ROWS[name]), softmax(z)
    agree(row.logsumexp(), mpmath.log(mpmath.fsum(map(mpmath.exp, z))))
    weighted = mpmath.fsum(b * mpmath.exp(x) for b, x in zip(B, z, strict=False))
    agree(row.logsumexp_weighted(B[: len(z)]), mpmath.log(weighted))
    for i, p_i in enumerate(p):
        agree(row.softmax(i), p_i)
        agree(row.softmax_complement(i), 1 - p_i)
        agree(row.log_softmax(i), mpmath.log(p_i))


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_agree_with_numerical_ones(name):
    z, n = [mpmath.mpf(x) for x in ROWS[name]], len(ROWS[name])
    row, u, v = Row(ROWS[name]), U[:n], V[:n]
    unit = [[float(i == j) for i in range(n)] for j in range(n)]
    for j in range(n):
        for i, expected in enumerate(derivative(softmax, z, unit[j])):
            agree(row.softmax_jacobian(i, j), expected)
    jvp, log_jvp, second = row.softmax_jvp(v), row.log_softmax_jvp(v), row.softmax_second_derivative(u, v)
    log_vjp = row.log_softmax_vjp(v)

    def log_softmax(z):
        return [mpmath.log(p) for p in softmax(z)]

    for i in range(n):
        agree(jvp(i), derivative(softmax, z, v)[i])
        agree(log_jvp(i), derivative(log_softmax, z, v)[i])
        agree(second(i), derivative(softmax, z, u, v)[i])
        agree(log_vjp(i), mpmath.fsum(g * x for g, x in zip(v, derivative(log_softmax, z, unit[i]), strict=True)))


def test_given_probabilities_agree_with_the_row_they_came_from():
    row = Row([0.0, math.log(3.0)])  # near 1/4 and 3/4, which are exact floats
    given = GivenProbabilities([0.25, 0.75])
    for i in range(2):
        for of in (lambda x: x.softmax_vjp, lambda x: x.log_softmax_vjp):
            ours = row.softmax_jvp if of(given).__name__ == "softmax_vjp" else row.log_softmax_vjp
            assert abs(float(of(given)([1.0, 5.0])(i).value) - float(ours([1.0, 5.0])(i).value)) < 1e-14


def test_the_complement_of_kept_probabilities_is_the_sum_of_the_others():
    assert float(GivenProbabilities([1.0, 1e-30]).log_softmax_vjp([1.0, 0.0])(0).value) == 1e-30
    assert float(GivenProbabilities([1.0, 0.0]).log_softmax_vjp([1.0, math.inf])(0).value) == 0.0


def test_weights_that_cancel_exactly_and_negative_sums():
    assert float(Row([1.0, 1.0, 0.0]).logsumexp_weighted([1.0, -1.0, 0.0]).value) == -math.inf
    assert float(Row([3.0, 5.0]).logsumexp_weighted([0.0, 0.0]).value) == -math.inf
    assert math.isnan(float(Row([1.0, 2.0]).logsumexp_weighted([1.0, -1.0]).value))
    # The largest logit has no weight: the enclosure may not suffer from it.
    assert float(Row([1e5, 2.0]).logsumexp_weighted([0.0, 1.0]).value) == 2.0


def test_enclosures_are_tight_where_everything_cancels():
    # log-probabilities: m + log S is 13 digits below m.
    p = np.random.default_rng(0).dirichlet(np.ones(50))
    truth = Row(np.log(p)).logsumexp()
    assert truth.value.rad() < 1e-30
    assert abs(float(truth.value)) < 1e-14
    # A nearly constant tangent: what is left of it is 1e-16 of its size.
    truth = Row([0.0, 0.0]).softmax_jvp([1.0, math.nextafter(1.0, 2.0)])(0)
    assert float(truth.value) == -(2.0**-54)


def test_precision_is_raised_until_an_enclosure_is_tight_and_not_forever():
    asked = []

    def formula():
        asked.append(ctx.prec)
        return Truth(arb(1, 2.0 ** -(ctx.prec // 4)))

    assert oracle.settle(formula).is_tight
    assert asked == [160, 320, 640]
    with pytest.raises(NotTightError):
        oracle.settle(lambda: Truth(arb(0, 1)))
    assert ctx.prec == 53


def test_longdouble_is_taken_exactly():
    third = np.longdouble(1) / 3
    back = oracle.exact(third)
    with oracle.working_precision(200):
        assert abs(3 * back - 1) <= arb(2) ** -np.finfo(np.longdouble).nmant
    assert oracle.exact(np.longdouble(0)).is_zero()
    least = np.nextafter(np.longdouble(0), np.longdouble(1))
    assert oracle.exact(least) > 0
    assert oracle.exact(-np.finfo(np.longdouble).max) < arb(-1e308)


def test_the_oracle_imports_nothing_of_softjac():
    for module in [oracle, check_ulp]:
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported <= {
            *("__future__", "collections.abc", "contextlib", "dataclasses", "fractions", "functools", "typing"),
            *("numpy", "flint", "softjac.check.oracle"),
        }


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
def test_ulp_is_the_distance_between_neighbours(dtype):
    fmt = format_of(dtype)
    one, two = np.ones((), dtype), np.full((), 2.0, dtype)
    up = np.nextafter(one, two)
    assert ulp(arb(1), fmt) == oracle.exact(up) - 1
    assert 2 * ulp(arb(1) - arb(2) ** -60, fmt) == ulp(arb(1), fmt)
    assert ulp(-arb(3), fmt) == 2 * ulp(arb(1), fmt)
    smallest = np.nextafter(np.zeros((), dtype), one)
    for subnormal in [arb(0), arb(2) ** -2000, oracle.exact(smallest), arb(2) ** fmt.emin]:
        assert ulp(subnormal, fmt) == oracle.exact(smallest)
    assert ulp(arb(2) ** (fmt.emin + 1), fmt) == 2 * oracle.exact(smallest)
    assert ulp(arb(2) ** (fmt.emax + 1), fmt) == arb(2) ** (fmt.emax + 2 - fmt.P)
    assert fmt.u == 2.0**-fmt.P


def test_results_beyond_the_range():
    fmt, most = format_of(np.float32), float(np.finfo(np.float32).max)
    last = 2.0**104  # the last place of the largest float32
    assert error_ulps(np.float32(np.inf), arb(most) + arb(last) * 0.5, fmt) == 0.5
    assert error_ulps(np.float32(np.inf), arb(most), fmt) == 1.0
    assert error_ulps(np.float32(np.inf), arb(1e300), fmt) == 0.0
    assert error_ulps(np.float32(-np.inf), arb(1e300), fmt) > 1e6
    assert error_ulps(np.float32(most), arb(2) ** 128, fmt) == 0.5
    assert distance(np.float32(-np.inf), -(arb(2) ** 128), fmt) == 0


def test_results_that_round_to_zero():
    fmt = format_of(np.float16)
    tiny = arb(2) ** -26  # a quarter of the smallest number
    assert error_ulps(np.float16(0), tiny, fmt) == 0.25
    assert error_ulps(np.float16(2.0**-24), tiny, fmt) == 0.75
    assert math.isinf(error_ulps(np.float16(np.nan), tiny, fmt))


def test_shares_of_a_budget():
    fmt = format_of(np.float64)
    assert share(1.0, Truth(arb(1)), fmt, 0.5, 0.0) == 0.0
    assert share(1.0 + 2.0**-52, Truth(arb(1)), fmt, 0.5, 0.0) == 2.0
    assert share(0.0, Truth(arb(0)), fmt, 0.5, 0.0) == 0.0
    assert share(1.0 + 2.0**-52, Truth(arb(1), arb(4)), fmt, 0.0, 2.0**-52) == 0.25
    assert math.isinf(share(np.nan, Truth(arb(1)), fmt, 0.5, 0.0))
    assert math.isinf(share(1.0, Truth(arb(0)), fmt, 0.0, 1.0))
    assert share(-np.inf, Truth(arb.neg_inf()), fmt, 0.5, 0.0) == 0.0
    assert math.isinf(share(-1e308, Truth(arb.neg_inf()), fmt, 0.5, 0.0))
    worst = Worst()
    worst.add("a row", 1.0 + 2.0**-52, Truth(arb(1)), fmt, 0.5, 0.0)
    with pytest.raises(AssertionError, match="1 of 1 results are outside their budget"):
        worst.check()
    with pytest.raises(AssertionError, match="only 1 results were checked"):
        worst.check(at_least=2)
