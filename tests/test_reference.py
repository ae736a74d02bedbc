"""The reference itself: its arithmetic, its formulas against the oracle, its odd rows, and longdouble."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb

import hard_rows
from functions import FUNCTIONS, NAMES
from odd_rows import ODD_ROWS, ODD_TANGENTS, ODD_WEIGHTS, derivatives_of
from softjac._budget import budget
from softjac.check.oracle import Row, exact, working_precision
from softjac.check.ulp import format_of
from softjac.kernels import reference
from softjac.kernels.numpy import arithmetic_for
from ulp import Worst, error_ulps

INF, NAN = np.inf, np.nan
PLAIN, DOUBLE, LONG = (arithmetic_for(np.dtype(dtype)) for dtype in (np.float32, np.float64, np.longdouble))


def fraction(x):
    if not isinstance(x, np.longdouble):
        return Fraction(float(x))
    hi = float(x)
    return Fraction(hi) + Fraction(float(x - np.longdouble(hi)))


def exactly(pair):
    return [fraction(hi) + fraction(lo) for hi, lo in zip(*np.broadcast_arrays(*pair), strict=True)]


def some_numbers(dtype, n=500, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n).astype(dtype) * 2.0 ** rng.integers(-30, 30, n)
    return x + rng.standard_normal(n) * np.abs(x) * np.finfo(dtype).eps * 100


# -------------------------------------------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("a", [DOUBLE, LONG], ids=["float64", "longdouble"])
def test_sums_and_differences_of_two_are_exact(a):
    x, y = some_numbers(a.dtype), some_numbers(a.dtype, seed=1)
    for result, sign in ((a.two_sum(x, y), 1), (a.difference(x, y), -1)):
        assert exactly(result) == [fraction(p) + sign * fraction(q) for p, q in zip(x, y, strict=True)]


@pytest.mark.parametrize("a", [DOUBLE, LONG], ids=["float64", "longdouble"])
def test_products_of_two_are_exact(a):
    x, y = some_numbers(a.dtype), some_numbers(a.dtype, seed=1)
    assert exactly(a.multiply((x, 0.0), (y, 0.0))) == [fraction(p) * fraction(q) for p, q in zip(x, y, strict=True)]


@pytest.mark.parametrize("a", [DOUBLE, LONG], ids=["float64", "longdouble"])
@pytest.mark.parametrize("operation", ["add", "multiply", "divide"])
def test_pairs_keep_twice_the_digits(a, operation):
    u = 2.0 ** -format_of(a.dtype).P
    x, y = np.abs(some_numbers(a.dtype)), np.abs(some_numbers(a.dtype, seed=1))
    pairs = (x, x * u * 0.3), (y, y * u * 0.7)
    result = exactly(getattr(a, operation)(*pairs))
    for got, p, q in zip(result, *map(exactly, pairs), strict=True):
        wanted = {"add": p + q, "multiply": p * q, "divide": p / q}[operation]
        assert abs(got / wanted - 1) < 32 * u * u


@pytest.mark.parametrize("a", [DOUBLE, LONG], ids=["float64", "longdouble"])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 1000])
def test_long_sums_lose_nothing(a, n):
    x = some_numbers(a.dtype, n)
    (got,) = exactly(a.sum((x, 0.0)))
    wanted = sum(map(fraction, x))
    assert abs(got - wanted) <= sum(abs(fraction(p)) for p in x) * Fraction(2) ** (-2 * format_of(a.dtype).P + 8)


def test_a_difference_that_overflows(sj):
    with np.errstate(all="ignore"):
        hi, lo = DOUBLE.difference(np.array([1e308]), np.array([-1e308]))
    assert hi == INF
    assert lo == 0
    assert sj.log_softmax([1e308, -1e308])[1] == -INF
    assert sj.softmax_complement([1e308, -1e308])[0] == 0


@pytest.mark.parametrize("a", [DOUBLE, LONG], ids=["float64", "longdouble"])
def test_exponentials(a):
    """To 1/16 ulp as a pair, and scaled, so that none is subnormal."""
    dtype = a.dtype
    lowest = -740.0 if dtype == np.float64 else 0.99 * float(np.finfo(dtype).minexp) * np.log(2)
    x = np.concatenate([np.linspace(lowest, 0, 400), -np.geomspace(1e-20, 700, 400), [-0.0]]).astype(dtype)
    x_lo = x * np.finfo(dtype).eps / 5
    hi, lo = a.exp_scaled((x, x_lo))
    worst = 0.0
    for big, small, p, q in zip(hi, lo, x, x_lo, strict=True):
        with working_precision(300):
            wanted = (exact(p) + exact(q)).exp() * arb(a.scale)
            worst = max(worst, float(abs(((exact(big) + exact(small)) / wanted - 1).mid())))
    assert worst < 0.06 * np.finfo(dtype).eps
    assert a.exp_scaled((np.zeros(1, dtype), np.zeros(1, dtype)))[0] == a.scale
    with np.errstate(all="ignore"):
        hi, lo = a.exp_scaled((np.array([-INF, NAN, -1e300], dtype), np.zeros(3, dtype)))
    np.testing.assert_array_equal(hi, [0.0, NAN, 0.0])


def test_plain_arithmetic_gives_the_same_to_its_own_precision():
    """What narrow floats, torch and JAX run: one number instead of a pair, by the same formulas."""
    z = np.random.default_rng(0).standard_normal((50, 20)) * 5
    part = z > -9
    assert PLAIN.dtype == np.float64
    for name in ("softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian"):
        function = getattr(reference, name)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(function(PLAIN, z, part), function(DOUBLE, z, part), rtol=1e-13)


# ---------------------------------------------------------------------------------------------------------- formulas


def rows_of(dtype, n=7):
    rng = np.random.default_rng(n)
    return [(rng.standard_normal(n) * deviation).astype(dtype) for deviation in (0.1, 1.0, 10.0)]


def within(worst, name, dtype, label, result, truth):
    allowed = budget(np.dtype(dtype).name, name)
    fmt = format_of(np.dtype(dtype))
    worst.add(label, result, truth, fmt, allowed.ulps, allowed.factor(fmt.P))


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
def test_formulas(dtype, sj, kernels_in_use):
    """The docstrings' formulas: p, log p, 1 - p, log-sum-exp and Jacobian are what their definitions say."""
    worst = Worst()
    for z in rows_of(dtype):
        truth, n = Row(z), len(z)
        for name in ("softmax", "log_softmax", "softmax_complement"):
            for i, x in enumerate(getattr(sj, name)(z)):
                within(worst, name, dtype, name, x, getattr(truth, name)(i))
        within(worst, "logsumexp", dtype, "logsumexp", sj.logsumexp(z), truth.logsumexp())
        J = sj.softmax_jacobian(z)
        for i, j in np.ndindex(n, n):
            within(worst, "softmax_jacobian", dtype, "J", J[i, j], truth.softmax_jacobian(i, j))
    worst.check(at_least=200)


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
def test_weights(dtype, sj):
    """Log of the sum of b_j exp(z_j), with weights of both signs, and where the sum is close to 1."""
    worst = Worst()
    for z in rows_of(dtype):
        for weights in (np.linspace(-0.3, 1, 7), np.array([2, 0, 1, 0, 0, 1, 3.0]), np.full(7, 1 / 7)):
            b = weights.astype(dtype)
            within(worst, "logsumexp", dtype, f"b={b}", sj.logsumexp(z, b=b), Row(z).logsumexp_weighted(b))
    # T passes 1: log1p of what is beyond it keeps the digits that log(T) would lose.
    tiny = np.finfo(dtype).eps
    for excess in (0.0, 1e-3, -1e-3, tiny, -tiny, tiny**2, -(tiny**2)):
        z, b = np.array([0, 0, 0], dtype), np.array([0.5, 0.5, excess], dtype)
        within(worst, "logsumexp", dtype, f"T = 1 + {excess}", sj.logsumexp(z, b=b), Row(z).logsumexp_weighted(b))
    worst.check(at_least=16)


def test_products_of_the_jacobian(sj):
    """All products are those with the dense matrices, within what these lose themselves."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 30):
        z, v = rng.standard_normal(n) * 3, rng.standard_normal(n) + 100
        p, J = sj.softmax(z), sj.softmax_jacobian(z)
        log_J = np.eye(n) - p  # d log p_i / dz_j
        close = {"rtol": 1e-9, "atol": 1e-11}
        np.testing.assert_allclose(sj.softmax_jvp(z, v), J @ v, **close)
        np.testing.assert_allclose(sj.softmax_vjp(z, v), v @ J, **close)
        np.testing.assert_allclose(sj.softmax_vjp(None, v, probs=p), v @ J, **close)
        np.testing.assert_allclose(sj.log_softmax_jvp(z, v), log_J @ v, **close)
        np.testing.assert_allclose(sj.log_softmax_vjp(z, v), v @ log_J, **close)
        np.testing.assert_allclose(sj.log_softmax_vjp(None, v, probs=p), v @ log_J, **close)


def test_second_derivative_differentiates_the_first(sj):
    """By a central difference of the first; and symmetric in u and v."""
    rng = np.random.default_rng(0)
    z, u, v = rng.standard_normal((3, 40, 6))
    step = 1e-5
    slope = (sj.softmax_jvp(z + step * v, u) - sj.softmax_jvp(z - step * v, u)) / (2 * step)
    np.testing.assert_allclose(sj.softmax_second_derivative(z, u, v), slope, atol=1e-9)
    np.testing.assert_array_equal(sj.softmax_second_derivative(z, u, v), sj.softmax_second_derivative(z, v, u))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_jacobians_are_symmetric_to_the_bit(dtype, sj):
    z = (np.random.default_rng(0).standard_normal((20, 30)) * 10).astype(dtype)
    J = sj.softmax_jacobian(z)
    np.testing.assert_array_equal(J, J.swapaxes(-1, -2))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_equal_logits_have_equal_bits(dtype, sj):
    rng = np.random.default_rng(0)
    for n in (2, 3, 7, 50):
        z = rng.integers(-3, 3, n).astype(dtype)
        for name in ("softmax", "log_softmax", "softmax_complement"):
            result = getattr(sj, name)(z)
            for value in set(z.tolist()):
                assert len(set(result[z == value].tolist())) == 1


# ------------------------------------------------------------------------------------------------------------ odd rows


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
@pytest.mark.parametrize(("z", "where", "p", "log_p", "q", "lse"), ODD_ROWS)
def test_odd_rows(z, where, p, log_p, q, lse, dtype, sj):
    z = np.array(z, dtype)
    close = {"rtol": max(2 * float(np.finfo(dtype).eps), 1e-15)}
    with np.errstate(all="raise"):
        np.testing.assert_allclose(sj.softmax(z, where=where), p, **close)
        np.testing.assert_allclose(sj.log_softmax(z, where=where), log_p, **close)
        np.testing.assert_allclose(sj.softmax_complement(z, where=where), q, **close)
        np.testing.assert_allclose(sj.logsumexp(z, where=where), lse, **close)
        np.testing.assert_allclose(sj.logsumexp(z, where=where, b=np.ones_like(z)), lse, **close)


@pytest.mark.parametrize(("z", "where"), [row[:2] for row in ODD_ROWS])
def test_derivatives_of_odd_rows(z, where, sj):
    alive, undefined = derivatives_of(z, where)
    v = np.linspace(1, 2, len(z))
    with np.errstate(all="raise"):
        J = sj.softmax_jacobian(z, where=where)
        np.testing.assert_array_equal(np.isnan(J), undefined[:, None] & undefined)
        np.testing.assert_array_equal(J[~(undefined[:, None] & undefined) & ~(alive[:, None] & alive)], 0)
        for product in (
            sj.softmax_jvp(z, v, where=where),
            sj.softmax_vjp(z, v, where=where),
            sj.log_softmax_jvp(z, v, where=where),
            sj.log_softmax_vjp(z, v, where=where),
            sj.softmax_second_derivative(z, v, v, where=where),
        ):
            np.testing.assert_array_equal(np.isnan(product), undefined)
            np.testing.assert_array_equal(product[~undefined & ~alive], 0)
        # Probabilities alone do not tell why one is NaN: the whole row is.
        p = sj.softmax(z, where=where)
        undefined = np.isnan(p).any() & np.broadcast_to(where, len(z))
        for product in (
            sj.softmax_vjp(None, v, probs=p, where=where),
            sj.log_softmax_vjp(None, v, probs=p, where=where),
        ):
            np.testing.assert_array_equal(np.isnan(product), undefined)
            np.testing.assert_array_equal(product[~undefined & ~alive], 0)


@pytest.mark.parametrize(("v", "where", "product"), ODD_TANGENTS)
def test_odd_tangents(v, where, product, sj):
    z, w = [0.0, 1.0, 2.0, -INF], [1.0, 2.0, 3.0, 4.0]
    p = sj.softmax(z, where=where)
    active = np.isfinite(z) & where
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(sj.softmax_jvp(z, v, where=where), product)
        np.testing.assert_array_equal(sj.softmax_vjp(z, v, where=where), product)
        np.testing.assert_array_equal(sj.softmax_vjp(None, v, probs=p, where=where), product)
        np.testing.assert_array_equal(sj.log_softmax_jvp(z, v, where=where), product)
        if np.isinf(np.array(v)[active]).any():
            np.testing.assert_array_equal(sj.log_softmax_vjp(z, v, where=where), product)
            np.testing.assert_array_equal(sj.log_softmax_vjp(None, v, probs=p, where=where), product)
            no_limit = np.where(active & (active.sum() > 1), NAN, 0)
            np.testing.assert_array_equal(sj.softmax_second_derivative(z, v, w, where=where), no_limit)
            np.testing.assert_array_equal(sj.softmax_second_derivative(z, w, v, where=where), no_limit)


@pytest.mark.parametrize(("z", "b", "expected"), ODD_WEIGHTS)
def test_odd_weights(z, b, expected, sj):
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(sj.logsumexp(np.array(z, float), b=np.array(b, float)), expected)


# ---------------------------------------------------------------------------------------------------------- longdouble


def longdoubles(z):
    """The same row with all the digits of a longdouble."""
    z = z.astype(np.longdouble)
    rest = hard_rows.rng_for("rest").uniform(-0.4, 0.4, len(z)).astype(np.longdouble)
    with np.errstate(all="ignore"):
        more = z * (1 + rest * np.longdouble(2.0**-53))
        return np.where(np.isfinite(more.astype(np.float64)), more, z)


@pytest.mark.parametrize("name", ["softmax", "softmax_complement", "log_softmax", "logsumexp", "softmax_jacobian"])
def test_longdouble_is_within_3_ulp(name, sj):
    worst = Worst()
    for row in hard_rows.hard_rows("float64", longest=100):
        z = longdoubles(row.logits)
        truth = Row(z)
        result = getattr(sj, name)(z)
        entries = (
            [()] if name == "logsumexp" else [(int(i),) for i in np.unique(np.linspace(0, len(z) - 1, 12).astype(int))]
        )
        if name == "softmax_jacobian":
            entries = [(i, j) for (i,) in entries[:5] for (j,) in entries[-3:]]
        for entry in entries:
            within(worst, name, "longdouble", f"{row.name} {entry}", result[entry], getattr(truth, name)(*entry))
    assert budget("longdouble", name).ulps <= 3
    worst.check(at_least=200)


def test_longdouble_reaches_where_float64_ends(sj):
    z = np.array([0, -11000], np.longdouble)
    if np.finfo(np.longdouble).minexp > -16000:
        pytest.skip("longdouble has the range of float64 on this platform")
    assert 0 < sj.softmax(z)[1] < np.longdouble("1e-4000")
    assert error_ulps(sj.softmax(z)[1], Row(z).softmax(1).value, format_of(np.dtype(np.longdouble))) < 1
    assert sj.softmax_complement(z)[0] == sj.softmax(z)[1]


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_depend_on_their_company(name, sj):
    """Rows are computed some at a time; a row gives the same bits alone."""
    function = FUNCTIONS[name]
    n = 9 if function.result == "matrix" else 30
    operands = list(np.random.default_rng(0).standard_normal((function.operands, 3000, n)))
    if function.takes_probs:
        operands[0] = np.abs(operands[0])
    together = function(sj, *operands)
    for i in (0, 1, 545, 546, 1500, 2999):
        np.testing.assert_array_equal(together[i], function(sj, *(x[i] for x in operands)))
