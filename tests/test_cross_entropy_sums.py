"""Sums and means of many rows against exact ones, through the public functions."""

from fractions import Fraction

import numpy as np
import pytest

from softjac.check.ulp import format_of


def exact(losses, weights=None, denominator=None):
    weights = np.ones(len(losses)) if weights is None else weights
    total = sum((Fraction(float(x)) * Fraction(float(w)) for x, w in zip(losses, weights, strict=True)), Fraction(0))
    return total / (Fraction(1) if denominator is None else denominator)


def rows_of(losses):
    """Logits of three classes with these losses at class 0: what the others add lies far below."""
    return np.stack([np.zeros_like(losses), losses, np.full_like(losses, -1e5)], axis=-1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [1, 2, 31, 32, 33, 1000, 20_000])
def test_sums_and_means_are_rounded_once(rows, dtype, sj):
    """The losses are differences of logits that are exact, from 1e2 to 1e4: what rounds is the sum."""
    rng = np.random.default_rng(rows)
    losses = (10.0 ** rng.uniform(2, 4, rows)).astype(dtype).astype(float)
    z, label = rows_of(losses.astype(dtype)), np.zeros(rows, int)
    u = 2.0 ** -format_of(dtype).P
    np.testing.assert_array_equal(sj.cross_entropy(z, label, reduction="none"), losses)
    weights = rng.random(rows)
    W = sum(map(Fraction, weights.tolist()), Fraction(0))
    for truth, result in (
        (exact(losses), sj.cross_entropy(z, label, reduction="sum")),
        (exact(losses) / rows, sj.cross_entropy(z, label)),
        (exact(losses, weights), sj.cross_entropy(z, label, reduction="sum", sample_weight=weights)),
        (exact(losses, weights, W), sj.cross_entropy(z, label, sample_weight=weights)),
    ):
        error = abs(Fraction(float(result)) - truth) / truth
        assert error <= 1.002 * u, (float(error / Fraction(u)), truth)
    denominator = sj.cross_entropy(z, label, sample_weight=weights, return_denominator=True)[1]
    assert abs(Fraction(float(denominator)) - W) <= Fraction(2.0**-53) * W


def test_small_rows_beside_a_large_one(sj):
    """10000 rows of 2^-14 beside one of 2^45: added one by one in float64, most of them would be lost."""
    losses = np.full(10_001, 2.0**-14)
    losses[5000] = 2.0**45
    z = np.stack([np.zeros_like(losses), losses], axis=-1)
    small = np.log1p(np.exp(-(2.0**-14))) + 2.0**-14
    total = sj.cross_entropy(z, np.zeros(10_001, int), reduction="sum")
    assert abs(Fraction(float(total)) - (2**45 + Fraction(small) * 10_000)) <= Fraction(2) ** -8
    assert total == float(2**45 + Fraction(small) * 10_000)


def test_a_mean_does_not_overflow_where_its_sum_does(sj):
    z = np.zeros((4, 2))
    z[:, 1] = 1.5e308
    assert sj.cross_entropy(z, np.zeros(4, int)) == 1.5e308
    assert sj.cross_entropy(z, np.zeros(4, int), reduction="sum") == np.inf


def test_longdouble(sj):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((500, 4)).astype(np.longdouble)
    label = rng.integers(0, 4, 500)
    rows = sj.cross_entropy(z, label, reduction="none")
    assert (
        abs(sj.cross_entropy(z, label, reduction="sum") - rows.sum()) <= 64 * np.finfo(np.longdouble).eps * rows.sum()
    )
    np.testing.assert_allclose(float(sj.cross_entropy(z, label)), float(rows.mean()), rtol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays(bad, sj):
    z = np.zeros((100, 2))
    z[70, 1] = bad
    for reduction in ("sum", "mean"):
        assert str(sj.cross_entropy(z, np.zeros(100, int), reduction=reduction)) == str(np.float64(bad))


def test_gradients_of_a_mean_of_many_rows_are_rounded_once(sj):
    """Two equal logits: p = 1/2 exactly, and the gradient is 1/2 divided by the number of rows."""
    for rows in (3, 7, 49, 1000, 12_345):
        gradient = sj.cross_entropy_grad(np.zeros((rows, 2)), np.zeros(rows, int))
        np.testing.assert_array_equal(gradient[:, 1], float(Fraction(1, 2 * rows)))
        np.testing.assert_array_equal(gradient[:, 0], -float(Fraction(1, 2 * rows)))
