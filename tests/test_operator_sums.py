"""The sums that the operator is made of, against exact rational numbers, and the roots between two poles."""

from fractions import Fraction

import numpy as np
import pytest

from softjac.operator import _sums
from softjac.operator._roots import roots_between
from test_reference import fraction

DTYPES = [np.float64, np.longdouble]
of_both = pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "longdouble"])


def cancelling(n, dtype, seed=0):
    """Numbers of very different size that add up to almost nothing."""
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal(n) * 2.0 ** rng.integers(-200, 200, n)).astype(dtype)
    return np.concatenate([x, -x[::-1], rng.standard_normal(1).astype(dtype) * 2.0**-250])


def exactly(hi, lo):
    return fraction(hi) + fraction(lo)


@of_both
def test_two_sum_is_exact(dtype):
    x, y = cancelling(300, dtype), cancelling(300, dtype, 1)
    for a, b, hi, lo in zip(x, y, *_sums.two_sum(x, y), strict=True):
        assert exactly(hi, lo) == fraction(a) + fraction(b)


@of_both
@pytest.mark.parametrize("bits", [64, 90])
@pytest.mark.parametrize("n", [1, 2, 3, 40, 1000])
def test_total_is_right_however_it_cancels(dtype, bits, n):
    rng = np.random.default_rng(n)
    rows = [
        rng.standard_normal(n).astype(dtype),
        cancelling(n, dtype)[-n:],
        np.sort(cancelling(n, dtype))[:n],
        np.full(n, 0.1, dtype),
        (rng.random(n) * 5e-324).astype(dtype),
    ]
    rows += [np.concatenate([x[:-1], [-np.sum(x[:-1])]]).astype(dtype) for x in rows[:2]]
    for x in rows:
        hi, lo = _sums.total(x, bits=bits)
        wanted = sum(map(fraction, x))
        assert abs(exactly(hi, lo) - wanted) <= abs(wanted) * Fraction(2) ** -bits
        assert hi == hi + lo


@of_both
def test_total_of_what_cancels_to_the_last_bit(dtype):
    x = cancelling(100, dtype)
    hi, lo = _sums.total(x)
    assert exactly(hi, lo) == fraction(x[-1])
    assert _sums.total(x[:-1]) == (0.0, 0.0)


def test_total_of_nothing_and_of_what_is_not_finite():
    for shape in ((0,), (3, 0), (0, 3)):
        hi, lo = _sums.total(np.zeros(shape))
        assert hi.shape == lo.shape == shape[:-1]
        assert not hi.any()
    with np.errstate(all="ignore"):
        hi, _ = _sums.total(np.array([[np.nan, 1.0], [1.0, 2.0]]))
    np.testing.assert_array_equal(hi, [np.nan, 3.0])


def test_total_of_a_row_does_not_depend_on_the_others():
    rows = np.stack([cancelling(20, np.float64), cancelling(20, np.float64, 1) * 1e-30, np.zeros(41)])
    hi, lo = _sums.total(rows)
    for row, a, b in zip(rows, hi, lo, strict=True):
        assert abs(exactly(a, b) - sum(map(fraction, row))) <= abs(fraction(a)) * Fraction(2) ** -64


LENGTHS = [0, 1, 2, 31, 32, 33, 36, 37, 255, 256, 257, 1000]


@of_both
@pytest.mark.parametrize("n", LENGTHS)
def test_running_sums(dtype, n):
    """As if they were added up with twice the digits."""
    u = Fraction(2) ** -(np.finfo(dtype).nmant + 1)
    rng = np.random.default_rng(n)
    for numbers in (rng.random(n), rng.standard_normal(n), rng.random(n) * 2.0 ** -rng.integers(0, 900, n)):
        x = numbers.astype(dtype)
        hi, lo = _sums.running(np.stack([x, x[::-1]]))
        assert hi.shape == lo.shape == (2, n)
        for row, row_hi, row_lo in zip((x, x[::-1]), hi, lo, strict=True):
            wanted = size = Fraction(0)
            for y, a, b in zip(row, row_hi, row_lo, strict=True):
                wanted, size = wanted + fraction(y), size + abs(fraction(y))
                assert abs(exactly(a, b) - wanted) <= 2 * u * u * max(n, 4) * size + u * u * abs(wanted)


@pytest.mark.parametrize("n", [*LENGTHS, 100_000])
def test_plain_running_sums(n):
    """Errors grow with the length of a block and the number of blocks, not with n."""
    x = np.random.default_rng(n).random((2, n))
    got = _sums.plain_running(x)
    assert got.shape == (2, n)
    with np.errstate(all="ignore"):
        wanted = np.cumsum(x.astype(np.longdouble), axis=-1)
    assert (np.abs(got - wanted) <= 2.0**-53 * (2 * np.sqrt(n) + 32) * wanted).all()


def test_running_sums_without_rows():
    assert _sums.running(np.zeros((0, 40)))[0].shape == (0, 40)
    assert _sums.plain_running(np.zeros((0, 400))).shape == (0, 400)


# ------------------------------------------------------------------------------------------------------------ roots


def value_at(d, w, x):
    """The sum of w / (d - x), which grows with x from pole to pole, and the sum of its terms' sizes: exactly."""
    terms = [fraction(b) / (fraction(a) - x) for a, b in zip(d, w, strict=True)]
    return sum(terms), sum(map(abs, terms))


POLES = {
    "two": [0.25, 0.75],
    "random": np.random.default_rng(0).random(12),
    "near ties": [0.1, 0.1 + 1e-15, 0.1 + 3e-15, 0.3, 0.3 + 6e-17, 0.5],
    "far apart": 10.0 ** -np.arange(0, 300, 25.0),
    "tiny": [1e-308, 3e-308, 1e-300, 1.0],
    "neighbours": [0.5, np.nextafter(0.5, 1.0), 0.9],
}


WEIGHTS = {"poles": 1.0, "ties": np.arange(12) % 4 + 1.0, "uneven": 10.0 ** (np.arange(12) % 5 * 3.0)}


# Tiny poles with large weights are none of a distribution: there the sums overflow.
CASES = [(name, weights) for name in POLES for weights in WEIGHTS if (name, weights) != ("tiny", "uneven")]


@pytest.mark.parametrize(("name", "weights"), CASES)
def test_roots_between_poles(name, weights):
    """Each lies where rounding hides the sign of the sum; and for weights like poles, it is right to 8 ulp."""
    d = np.unique(POLES[name])
    w = d * np.broadcast_to(WEIGHTS[weights], 12)[: len(d)]
    left, right = d[:-1, None], d[1:, None]
    with np.errstate(all="ignore"):
        origin, offset = roots_between(np.broadcast_to(d, (len(left), len(d))), w, left, right)
    for a, b, at, x in zip(d[:-1], d[1:], origin[:, 0], offset[:, 0], strict=True):
        assert at in {a, b}
        assert (x > 0.0) == (at == a)
        root = fraction(at) + fraction(x)
        value, size = value_at(d, w, root)
        assert abs(value) <= 4 * Fraction(2) ** -52 * size
        if weights != "uneven":
            step = 8 * fraction(np.spacing(at + x))
            assert root - step <= fraction(a) or value_at(d, w, root - step)[0] <= 0
            assert root + step >= fraction(b) or value_at(d, w, root + step)[0] >= 0


def test_roots_keep_the_digits_of_an_offset_that_touches_its_pole():
    """1e-40 / (1e-40 - x) + 1 + 1 = 0 to first order: the offset from 1e-40 is half of it."""
    d = np.array([1e-40, 0.5, 1.0])
    with np.errstate(all="ignore"):
        origin, offset = roots_between(d[None], d, d[None, :1], d[None, 1:2])
    assert origin[0, 0] == 1e-40
    value, size = value_at(d, d, fraction(origin[0, 0]) + fraction(offset[0, 0]))
    assert abs(value) <= Fraction(2) ** -50 * size
    np.testing.assert_allclose(offset[0, 0], 0.5e-40, rtol=1e-14)
