"""Eigenvalues of batches and of subnormal probabilities, and determinants close to 1."""

import time

import numpy as np
import pytest
from flint import arb

from exact_operator import BITS
from softjac.check.oracle import exact, total, working_precision
from softjac.check.ulp import format_of
from test_operator import INF, NAN, random
from ulp import error_ulps

FMT = format_of(np.float64)

# Different rows side by side: ties, zeros, NaN, one-hot, confident, subnormal, and what nothing can be found in.
MIXED = np.array(
    [
        [0.0, 1.0, 2.0, 3.0, -1.0],
        [0.0, 0.0, 1.0, 1.0, 1.0],
        [-INF, 0.0, -INF, 1.0, 2.0],
        [NAN, 0.0, 1.0, 2.0, 3.0],
        [INF, 0.0, 1.0, 2.0, 3.0],
        [300.0, 0.0, -300.0, 1.0, 1.0 + 2.0**-52],
        [0.0, -708.0, -720.0, -740.0, -744.0],
        [0.0, -1e-16, -2e-16, 4e-16, 0.5],
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [0.0, 40.0, 0.0, -40.0, 0.0],
    ]
)


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_a_row_gives_the_same_bits_in_any_batch(dtype, sj):
    rng = np.random.default_rng(5)
    logits = np.concatenate([MIXED, rng.standard_normal((40, 5)), 30 * rng.standard_normal((40, 5))]).astype(dtype)
    batch = sj.SoftmaxJacobian(logits)
    values, (own, vectors), largest = batch.eigvalsh(), batch.eigh(), batch.norm(2)
    np.testing.assert_array_equal(own, values)
    for i, row in enumerate(logits):
        J = sj.SoftmaxJacobian(row)
        np.testing.assert_array_equal(J.eigvalsh(), values[i], err_msg=str(row))
        np.testing.assert_array_equal(J.eigh()[1], vectors[i], err_msg=str(row))
        np.testing.assert_array_equal(J.norm(2), largest[i], err_msg=str(row))
    for other in (logits[::-1], np.asfortranarray(logits)[::-1]):
        np.testing.assert_array_equal(sj.SoftmaxJacobian(other).eigvalsh()[::-1], values)
        np.testing.assert_array_equal(sj.SoftmaxJacobian(other).norm(2)[::-1], largest)
    np.testing.assert_array_equal(sj.SoftmaxJacobian(logits.T, axis=0).eigvalsh(), values)


def test_blocks_make_no_difference(sj, monkeypatch):
    from softjac.operator import _spectrum

    J = sj.SoftmaxJacobian(random((50, 12)))
    values, vectors = J.eigh()
    monkeypatch.setattr(_spectrum, "_ELEMENTS", 100)
    again, others = J.eigh()
    np.testing.assert_array_equal(again, values)
    np.testing.assert_array_equal(others, vectors)


def test_batches_of_two_axes_and_of_mixed_rows(sj):
    J = sj.SoftmaxJacobian(np.concatenate([MIXED[:3], MIXED[7:]]).reshape(2, 3, 5))
    values, V = J.eigh()
    assert values.shape == (2, 3, 5)
    assert np.abs(np.swapaxes(V, -1, -2) @ V - np.eye(5)).max() < 4e-15
    assert np.abs((V * values[..., None, :]) @ np.swapaxes(V, -1, -2) - J.to_dense()).max() < 1e-15
    np.testing.assert_array_equal(np.count_nonzero(values == 0.0, axis=-1), 5 - J.rank())


def test_many_small_rows_take_no_loop_over_rows(sj):
    """1000 rows of 3: by a loop over the rows 1.1 s, side by side some ms. 100 times one row is far from both."""
    one, many = sj.SoftmaxJacobian(random((3,))), sj.SoftmaxJacobian(random((1000, 3)))
    for method in ("eigvalsh", "eigh"):
        times = []
        for J in (one, many):
            best = []
            for _ in range(5):
                start = time.perf_counter()
                getattr(J, method)()
                best.append(time.perf_counter() - start)
            times.append(min(best))
        assert times[1] < 100 * times[0], (method, times)


# ------------------------------------------------------------------------------------------------- subnormal numbers


@pytest.mark.parametrize("gap", [708, 720, 730, 740, 744])
def test_eigenvalues_of_subnormal_probabilities(gap, sj):
    """Of two classes 2 p_0 p_1, from p as it is: an ulp of a subnormal number is the smallest there is."""
    J = sj.SoftmaxJacobian([0.0, -float(gap)])
    p = J.probs
    assert J.eigvalsh().tolist() == [0.0, 2.0 * p[0] * p[1]] == [0.0, J.trace()] == [0.0, J.norm(2)]
    for logits in ([0.0, -gap], [0.0, -gap, -5.0], [0.0, -gap, -gap, -gap + 1.0], [0.0, -gap, 0.25 - gap, -gap / 2]):
        J = sj.SoftmaxJacobian(logits)
        values, V = J.eigh()
        n = len(logits)
        assert np.abs(V.T @ V - np.eye(n)).max() < 4e-15
        assert np.abs(V[:, 0] - V[0, 0]).max() < 4e-15  # of 0: all ones
        assert abs(values.sum() - J.trace()) <= n * 2.0**-1074 + 8 * 2.0**-52 * J.trace()


def test_eigenvectors_of_the_smallest_probability(sj):
    values, V = sj.SoftmaxJacobian.from_probs([1.0, 5e-324]).eigh()
    assert values.tolist() == [0.0, 1e-323]
    np.testing.assert_allclose(np.abs(V), np.sqrt(0.5))
    assert V[0, 1] * V[1, 1] < 0.0


# -------------------------------------------------------------------------------------------------------- determinants


def exact_logdet(logits, weight, damping):
    """By the determinant of the entries; and what errors of half an ulp in each p come to in it."""
    with working_precision(BITS):
        e = [exact(x).exp() for x in logits]
        p = [x / total(e) for x in e]
        w, t, n = exact(weight), exact(damping), len(p)
        one, above = arb(1), [w * x + t for x in p]
        # J + t I has as many eigenvalues t (1 - sum of w p^2 / (w p + t)) as a rank-one change of diag(w p + t) leaves.
        det = one - total([w * x * x / y for x, y in zip(p, above, strict=True)])
        for y in above:
            det *= y
        if n == 1:
            det = t
        largest = max(range(n), key=lambda j: float(p[j].mid()))
        sensitivity = total([2 * w * x / y for j, (x, y) in enumerate(zip(p, above, strict=True)) if j != largest])
        return det.log(), float(sensitivity.abs_upper())


@pytest.mark.parametrize("weight", [1.0, 0.3, 1e-3, 1e6])
@pytest.mark.parametrize("damping", [1e-12, 1e-6, 0.5, 1.0 - 1e-9, 1.0, 1.0 + 1e-9, 2.0, 1e3])
@pytest.mark.parametrize("gap", [0, 5, 20, 40, 300])
def test_damped_logpdet(gap, damping, weight, sj):
    """Right to 8 ulp, or to what half an ulp in each p makes of it where logarithms of both signs cancel."""
    rng = np.random.default_rng(gap)
    for n in (1, 2, 3, 7):
        for logits in (np.zeros(n), rng.standard_normal(n)):
            logits[n // 2] += gap
            wanted, sensitivity = exact_logdet(logits, weight, damping)
            got = (weight * sj.SoftmaxJacobian(logits) + damping).logpdet()
            if wanted.is_zero():
                assert got == 0.0
                continue
            error = error_ulps(got, wanted, FMT)
            close_to_inputs = abs(float((exact(got) - wanted).abs_upper())) <= 4 * 2.0**-53 * sensitivity
            assert error <= 8.0 or close_to_inputs, (logits, got, wanted.str(20), error)


def test_logpdet_close_to_one(sj):
    J = sj.SoftmaxJacobian([0.0, 40.0])
    assert error_ulps((J + 1.0).logpdet(), exact_logdet([0.0, 40.0], 1.0, 1.0)[0], FMT) <= 8.0
    np.testing.assert_allclose((J + 1.0).logpdet(), 8.4967085105831778e-18, rtol=4e-16)


def test_elements_off_the_support_count_in_a_damped_determinant(sj):
    inside = sj.SoftmaxJacobian([0.0, 1.0])
    for t in (1e-3, 0.5, 3.0):
        J = sj.SoftmaxJacobian([0.0, -INF, 1.0, 5.0], where=[True, True, True, False])
        np.testing.assert_allclose((J + t).logpdet(), (inside + t).logpdet() + 2 * np.log(t), rtol=1e-15)
        np.testing.assert_allclose((0 * J + t).logpdet(), 4 * np.log(t), rtol=1e-15)
    large = 1.7e308 * inside + 1.7e308
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(large.logpdet(), (inside + 1.0).logpdet() + 2 * np.log(1.7e308), rtol=1e-15)
