"""Gradients and Hessian products of every pair of options against the oracle; symmetry; one call or two, the same bits.

That the oracle's gradients and products are derivatives of the loss is shown in test_oracle_cross_entropy.py.
"""

import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from cross_entropy_cases import ALL_OPTIONS, COMBINATIONS, REDUCTIONS, combination_id, problem
from cross_entropy_judge import Judge, budget
from functions import DTYPE_NAMES, DTYPES, same_bits
from softjac.check.oracle_losses import Batch

COUNT, N = 12, 5
EVERY_COMBINATION = pytest.mark.parametrize("names", COMBINATIONS, ids=combination_id)
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)


def rows(dtype, count=COUNT, n=N, seed=5):
    """Logits of which some are far apart, one is below all, and ties; and two tangents."""
    rng = np.random.default_rng([seed, count, n])
    z = rng.standard_normal((count, n)) * 10.0 ** rng.uniform(-0.5, 1.2, (count, 1))
    z[1] += 700.0
    z[2] = 3.0
    z[4, 1] -= 60.0
    z[7] -= np.log(np.exp(z[7]).sum())  # log-sum-exp near 0: z-loss adds next to nothing
    tangents = rng.standard_normal((2, count, n))
    return z.astype(dtype), *tangents.astype(dtype)


@cache
def exact(names, reduction, dtype_name):
    dtype = DTYPES[DTYPE_NAMES.index(dtype_name)]
    z, u, v = rows(dtype)
    targets, options = problem(names, COUNT, N)
    return z, u, v, targets, options, Batch(z, targets, reduction=reduction, **options)


@pytest.mark.parametrize(
    ("dtype", "reduction"),
    [(dtype, reduction) for dtype in DTYPES for reduction in REDUCTIONS if dtype.itemsize > 2 or reduction == "mean"],
    ids=str,
)
@EVERY_COMBINATION
def test_every_pair_of_options_in_first_and_second_order(names, reduction, dtype, sj):
    z, _, v, targets, options, batch = exact(frozenset(names), reduction, dtype.name)
    judge = Judge(sj, dtype)
    judge.value_and_grad(combination_id(names), z, targets, batch, **options)
    judge.hvp(combination_id(names), z, targets, v, batch, **options)
    judge.check(losses=1, gradients=COUNT * N, products=COUNT * N)
    # Something is lost in most rows, and where nothing is, everything is 0.
    assert sum(row is not None for row in batch.rows) >= COUNT // 2


@EVERY_COMBINATION
def test_denominators(names, sj):
    reduction = REDUCTIONS[sum(map(len, names)) % 3]
    z, _, v, targets, options, batch = exact(frozenset(names), reduction, "float64")
    calls = [
        sj.cross_entropy(z, targets, reduction=reduction, return_denominator=True, **options),
        sj.cross_entropy_grad(z, targets, reduction=reduction, return_denominator=True, **options),
        sj.cross_entropy_value_and_grad(z, targets, reduction=reduction, return_denominator=True, **options),
        sj.cross_entropy_hvp(z, targets, v, reduction=reduction, return_denominator=True, **options),
        sj.cross_entropy_hessian(z, targets, reduction=reduction, return_denominator=True, **options),
    ]
    for result in calls:
        found = result[-1]
        assert isinstance(found, np.float64)
        assert abs(Fraction(float(found)) - batch.denominator) <= Fraction(1, 2**52) * batch.denominator
    assert same_bits(calls[0][0], sj.cross_entropy(z, targets, reduction=reduction, **options))


@EVERY_DTYPE
@EVERY_COMBINATION
def test_value_and_grad_is_the_value_and_the_gradient(names, dtype, sj):
    for reduction in REDUCTIONS:
        z, _, _, targets, options, _ = exact(frozenset(names), reduction, dtype.name)
        value, gradient = sj.cross_entropy_value_and_grad(z, targets, reduction=reduction, **options)
        assert same_bits(value, sj.cross_entropy(z, targets, reduction=reduction, **options))
        assert same_bits(gradient, sj.cross_entropy_grad(z, targets, reduction=reduction, **options))


@EVERY_COMBINATION
def test_the_hessian_is_symmetric(names, sj):
    """u.Hv and v.Hu differ by what the budgets of their entries allow."""
    _, factor = budget("cross_entropy_hvp", np.dtype(np.float64))
    for reduction in REDUCTIONS:
        z, u, v, targets, options, batch = exact(frozenset(names), reduction, "float64")
        sides, allowed = [], 0.0
        for left, right in [(u, v), (v, u)]:
            product = sj.cross_entropy_hvp(z, targets, right, reduction=reduction, **options)
            sides.append(math.fsum((left * product).ravel()))
            for r in range(COUNT):
                entry = batch.hvp(r, right[r])
                allowed += factor * math.fsum(abs(float(left[r, i])) * float(entry(i).scale) for i in range(N))
            allowed += 2.0**-52 * math.fsum(np.abs(left * product).ravel())
        assert abs(sides[0] - sides[1]) <= allowed
        assert allowed < 1e-9


@EVERY_COMBINATION
def test_numerical_derivatives_of_our_own_loss(names, sj):
    # Without the oracle: differences of the loss give the gradient, differences of the gradient the product.
    z, _, v, targets, options, _ = exact(frozenset(names), "mean", "float64")
    z, h = z * 0.1, 1e-5
    up, down = (sj.cross_entropy_value_and_grad(z + s * h * v, targets, **options) for s in (1, -1))
    gradient = sj.cross_entropy_grad(z, targets, **options)
    slope = (up[0] - down[0]) / (2 * h)
    assert abs(slope - np.vdot(gradient, v)) <= 1e-8 * (1.0 + abs(slope))
    product = sj.cross_entropy_hvp(z, targets, v, **options)
    np.testing.assert_allclose((up[1] - down[1]) / (2 * h), product, rtol=1e-6, atol=1e-9)


@EVERY_COMBINATION
def test_the_operator_is_the_same_hessian(names, sj):
    for reduction in REDUCTIONS:
        z, _, v, targets, options, _ = exact(frozenset(names), reduction, "float64")
        hessian = sj.cross_entropy_hessian(z, targets, reduction=reduction, **options)
        product = sj.cross_entropy_hvp(z, targets, v, reduction=reduction, **options)
        scale = np.abs(product).max() + 1e-300
        np.testing.assert_allclose(hessian @ v, product, rtol=1e-13, atol=1e-14 * scale)


def test_options_change_something(sj):
    # An option that is not honoured would pass unseen where it changes nothing.
    z, _, v, targets, options, _ = exact(frozenset(ALL_OPTIONS), "sum", "float64")
    calls = [
        lambda **given: sj.cross_entropy(z, targets, reduction="sum", **given),
        lambda **given: sj.cross_entropy_grad(z, targets, reduction="sum", **given),
        lambda **given: sj.cross_entropy_hvp(z, targets, v, reduction="sum", **given),
    ]
    for call in calls:
        everything = call(**options)
        for left_out in set(options) - {"ignore_index", "where"}:
            fewer = {name: value for name, value in options.items() if name != left_out}
            assert not np.array_equal(call(**fewer), everything), left_out
    with pytest.raises(sj.SoftjacError):  # the labels of rows that are left out are none of the classes that are in
        sj.cross_entropy(z, np.where(targets == options["ignore_index"], -7, targets), **options)


def test_a_wrong_hessian_is_outside_the_budget():
    # p - y differentiated as if the weights were not there.
    class Wrong:
        def cross_entropy_hvp(self, z, _, v, **__):
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            p = e / e.sum(axis=-1, keepdims=True)
            return p * (v - (p * v).sum(axis=-1, keepdims=True))

    for names in COMBINATIONS[1:]:
        z, _, v, targets, options, batch = exact(frozenset(names), "sum", "float64")
        judge = Judge(Wrong(), z.dtype)
        judge.hvp(combination_id(names), z, targets, v, batch, **options)
        assert judge.products.outside >= 1 or names == {"label_smoothing"}, names  # smoothing leaves T = 1
