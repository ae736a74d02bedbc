"""Every pair [0, x]: all 2^16 values of x in float16 and in bfloat16, special ones included."""

import os
from functools import cache

import numpy as np
import pytest
from flint import arb

from functions import BFLOAT16, FUNCTIONS, is_nan, same_bits
from softjac.check.oracle import working_precision
from softjac.check.ulp import Format, format_of

HALVES = [np.dtype(np.float16), *BFLOAT16]
LIMIT = 0.501  # ulp


def every(dtype):
    """All values but NaN, as the second of pairs [0, x]."""
    x = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    x = x[~is_nan(x)]
    return np.stack([np.zeros_like(x), x], axis=-1)


@cache
def truths(dtype_name):
    """Exact results of all pairs, rounded once to double: 2^-42 of a last place here.

    With s = 1 / (1 + exp(x)): p = [s, 1 - s], q the other way round, J = s (1 - s), log p = [-log(1 + exp(x)), ...].
    """
    dtype = next(dtype for dtype in HALVES if dtype.name == dtype_name)
    found = {"p0": [], "p1": [], "log_p0": [], "log_p1": [], "lse": [], "variance": []}
    with working_precision(200):
        for x in every(dtype)[:, 1].astype(np.float64).tolist():
            if np.isinf(x):
                row = [0.0, 1.0, -np.inf, 0.0, np.inf, 0.0] if x > 0 else [1.0, 0.0, 0.0, -np.inf, 0.0, 0.0]
            else:
                e = (-abs(arb(x))).exp()
                small, large, log_1p = e / (1 + e), 1 / (1 + e), e.log1p()
                low, high = -abs(arb(x)) - log_1p, -log_1p
                row = [small, large, low, high, max(x, 0.0) + log_1p, small * large]
                if x <= 0:
                    row[:4] = large, small, high, low
            for name, value in zip(found, row, strict=True):
                found[name].append(float(value))
    return {name: np.asarray(values) for name, values in found.items()}


def errors(result, exact, fmt: Format):
    """In ulp, elementwise; 0 where both are the same infinity."""
    exponent = np.maximum(np.frexp(exact)[1] - 1, fmt.emin) - fmt.P + 1
    wide = result.astype(np.float64)
    limit = 2.0 ** (fmt.emax + 1)
    with np.errstate(invalid="ignore"):
        reached = np.where(np.isinf(wide) & np.isfinite(exact), np.sign(wide) * limit, wide)
        beyond = np.isinf(wide) & (np.abs(exact) >= limit) & (np.sign(wide) == np.sign(exact))
        return np.where((wide == exact) | beyond, 0.0, np.abs(np.ldexp(reached - exact, -exponent)))


def exact_results(dtype):
    t = truths(dtype.name)
    p = np.stack([t["p0"], t["p1"]], axis=-1)
    v = t["variance"][:, None, None]
    return {
        "softmax": p,
        "softmax_complement": p[:, ::-1],
        "log_softmax": np.stack([t["log_p0"], t["log_p1"]], axis=-1),
        "logsumexp": t["lse"],
        "softmax_jacobian": v * np.asarray([[1.0, -1.0], [-1.0, 1.0]]),
    }


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", ["softmax", "softmax_complement", "log_softmax", "logsumexp", "softmax_jacobian"])
def test_every_pair_is_within_the_budget(name, dtype, sj):
    pairs = every(dtype)
    assert len(pairs) > 63_000
    result = FUNCTIONS[name](sj, pairs)
    off = errors(result, exact_results(dtype)[name], format_of(dtype))
    assert not np.isnan(off).any()
    worst = int(off.reshape(len(pairs), -1).max(axis=-1).argmax())
    assert off.max() <= LIMIT, f"{name}({pairs[worst]}) is {result[worst]}: {off.max():.4f} ulp"
    assert off.max() > 0.49  # it is the rounding to the dtype that is seen here


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_product_with_a_unit_vector_is_within_the_budget(dtype, sj):
    # J e_1: 4 u p_i (|w_i| + sum of p_j |w_j|), where w is e_1 seen from the larger of the two.
    pairs, fmt, t = every(dtype), format_of(dtype), truths(dtype.name)
    finite = np.isfinite(pairs[:, 1].astype(np.float64))
    unit = np.broadcast_to(np.asarray([0.0, 1.0], dtype), pairs.shape)
    result = sj.softmax_jvp(pairs, unit).astype(np.float64)
    p = np.stack([t["p0"], t["p1"]], axis=-1)
    first = pairs[:, 1].astype(np.float64) <= 0.0
    reach = np.where(first, t["p1"], t["p0"])[:, None] + np.stack([~first, first], axis=-1)
    smallest = 2.0 ** (fmt.emin - fmt.P + 1)
    allowed = 4.0 * fmt.u * p * reach
    exact = t["variance"][:, None] * [-1.0, 1.0]
    allowed += np.where(np.abs(exact) - allowed < 2.0**fmt.emin, 0.5 * smallest, 0.0)
    assert (np.abs(result - exact)[finite] <= allowed[finite]).all()
    assert (result[~finite] == 0.0).all()


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_both_orders_and_a_nan(dtype, sj):
    pairs = every(dtype)
    assert same_bits(sj.softmax(pairs), sj.softmax(pairs[:, ::-1])[:, ::-1])
    nans = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    nans = nans[is_nan(nans)]
    with_nan = np.stack([np.zeros_like(nans), nans], axis=-1)
    for name in ["softmax", "softmax_complement", "log_softmax", "logsumexp", "softmax_jacobian"]:
        assert np.isnan(FUNCTIONS[name](sj, with_nan)).all(), name


def test_bfloat16_is_among_the_dtypes():
    if not BFLOAT16 and not os.environ.get("SOFTJAC_REQUIRE_PEERS"):
        pytest.skip("ml_dtypes is not installed, so no test here sees bfloat16: pip install 'softjac[test]'")
    assert BFLOAT16


def test_these_tests_can_fail():
    dtype = np.dtype(np.float16)
    pairs = every(dtype)
    with np.errstate(all="ignore"):
        e = np.exp(pairs - pairs.max(axis=-1, keepdims=True))
        naive = e / e.sum(axis=-1, keepdims=True)
        off = errors(naive, exact_results(dtype)["softmax"], format_of(dtype))
    assert np.nanmax(off) > 1.0
