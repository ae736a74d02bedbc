"""Triangular solves with right sides that nearly sum to 0, and Cholesky factors at the ends of the range."""

import numpy as np
import pytest

import exact_operator as truth
from exact_operator import BITS, Dense, logits_of, normwise, probabilities, times, transposed
from softjac.check.oracle import exact, working_precision

GAPS = (0, 5, 40, 100, 300)


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("n", [2, 3, 7])
def test_solving_for_the_gradient_of_any_label(gap, n, dtype, sj):
    """b = p - y: to 1e-13 of the solution itself, not of |L^-1| |b|. With NumPy's forms, too."""
    row = (gap, n, "up")
    p = np.array([float(x.mid()) for x in probabilities(*row)])
    L = sj.SoftmaxJacobian(logits_of(*row).astype(dtype)).cholesky()
    inverse = truth.inverse_of_cholesky(*row, 1.0, 0.0)
    for label in range(n):
        b = p - np.eye(n)[label]
        if label == n // 2:
            b[label] = -np.sum(np.delete(p, label))
        assert normwise(L.solve(b), times(inverse, b)) < 1e-13
        scale = times([[abs(y) for y in r] for r in transposed(inverse)], abs(b))
        assert normwise(L.solve_transposed(b), times(transposed(inverse), b), scale) < 1e-13


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("gap", [20, 100, 300])
def test_solving_where_several_probable_classes_cancel(gap, dtype, sj):
    """Behind them, a sum of rounded sums would be their rounding errors, divided by the square root of a tiny p."""
    logits = np.array([0.3, 0.0, 1.0, 0.7, -0.2, -gap, 0.5 - gap, -gap])
    with working_precision(BITS):
        e = [exact(x).exp() for x in logits]
        p = [x / truth.total(e) for x in e]
        wanted = Dense(p).cholesky
        inverse = truth.arb_mat([r[:7] for r in wanted[:7]]).inv().table()
    L = sj.SoftmaxJacobian(logits.astype(dtype)).cholesky()
    for label in range(5):
        b = np.array([float(x.mid()) for x in p]) - np.eye(8)[label]
        for _ in range(3):  # so that it sums to 0 as closely as doubles can
            with working_precision(BITS):
                b[label] -= float(truth.total([exact(x) for x in b]).mid())
        got = L.solve(b)
        assert normwise(got[:7], times(inverse, b[:7])) < 1e-13
        assert got[7] == 0.0


@pytest.mark.parametrize(
    ("weight", "damping"), [(1e300, 1e-300), (1e300, 1e-20), (1e200, 1e-120), (1e-300, 1e-310), (1e-300, 1e300)]
)
def test_factors_where_damping_by_weight_is_out_of_range(weight, damping, sj):
    """Damping over weight of 1e-600 underflows; the last pivot is sqrt(3 damping) for all that."""
    for logits in ([0.0, 1.0, 2.0], [5.0, -40.0, 0.0], [0.0, 1.0, 2.0, -np.inf]):
        L = (weight * sj.SoftmaxJacobian(logits) + damping).cholesky()
        inside = [x for x in logits if x > -np.inf]
        with working_precision(BITS):
            e = [exact(x).exp() for x in inside]
            wanted = Dense([x / truth.total(e) for x in e], weight, damping).cholesky
            for i, row in enumerate(wanted):
                for got, y in zip(L.to_dense()[i], row, strict=False):
                    assert abs(exact(got) - y) <= abs(y) * 16 * exact(2.0**-53) + exact(5e-324), (i, got, y.str(20))
        for got in np.diagonal(L.to_dense())[len(inside) :]:
            np.testing.assert_allclose(got, np.sqrt(damping), rtol=1e-15)
        np.testing.assert_array_equal(L.diagonal(), np.diagonal(L.to_dense()))


def test_a_damping_that_counts_for_the_last_pivot_alone(sj):
    np.testing.assert_allclose(
        (1e300 * sj.SoftmaxJacobian([0.0, 1.0, 2.0]) + 1e-300).cholesky().diagonal()[-1], np.sqrt(3e-300), rtol=1e-15
    )


def test_the_transposed_square_root_of_large_numbers(sj):
    F = sj.SoftmaxJacobian([0.0, 1.0, 2.0]).sqrt_factor()
    x = np.array([1.0, -1.0, 1.0])
    np.testing.assert_allclose(F.T @ (x * 2.0**1023), (F.T @ x) * 2.0**1023, rtol=1e-15)
    both = sj.SoftmaxJacobian(np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])).sqrt_factor().T
    got = both @ np.stack([x * 2.0**1023, x])
    np.testing.assert_array_equal(got[0], F.T @ (x * 2.0**1023))
    np.testing.assert_array_equal(got[1], F.T @ x)
