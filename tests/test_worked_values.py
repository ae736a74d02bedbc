"""Values worked out once and written down: those of the README, and those that usual implementations get wrong."""

import numpy as np
import pytest

FIVE = [0.25, -1.0, 2.3, -0.2, 1.0]
FIVE_PROBABILITIES = [0.08468093, 0.02426149, 0.6577931, 0.05399495, 0.17926953]
FIVE_DIAGONAL = [0.07751007, 0.02367287, 0.22510134, 0.05107949, 0.14713197]

FOUR_JACOBIAN = [
    [0.1906, -0.0089, -0.1784, -0.0033],
    [-0.0089, 0.0335, -0.0241, -0.0004],
    [-0.1784, -0.0241, 0.2114, -0.0089],
    [-0.0033, -0.0004, -0.0089, 0.0126],
]

# q and J of [0, 20]: python -c "import mpmath as m; m.mp.dps = 30; q = 1 / (1 + m.exp(20)); print(q, q * (1 - q))"
COMPLEMENT_OF_20, DIAGONAL_OF_20 = 2.0611536181902037e-9, 2.0611536139418493e-9
# J of [40, 0]: the same with 40.
DIAGONAL_OF_40 = 4.248354255e-18


def to_decimals(array, decimals):
    """Rounded, and -0.0 as 0.0."""
    return np.round(np.asarray(array, float), decimals) + 0.0


@pytest.mark.parametrize("column", [False, True])
def test_five_logits(sj, column):
    z = np.asarray(FIVE)
    probabilities = sj.softmax(z[:, None], axis=0)[:, 0] if column else sj.softmax(z)
    jacobian = sj.softmax_jacobian(z[:, None], axis=0) if column else sj.softmax_jacobian(z)
    if column:
        assert jacobian.shape == (1, 5, 5)
        jacobian = jacobian[0]
    assert np.abs(probabilities - FIVE_PROBABILITIES).max() < 5.1e-9
    assert np.abs(np.diag(jacobian) - FIVE_DIAGONAL).max() < 5.1e-9
    assert abs(jacobian[0, 2] - -0.05570253) < 5.1e-9
    assert abs(jacobian[2, 4] - -0.11792226) < 5.1e-9


def test_a_column_on_the_default_axis_is_five_vectors_of_one_class(sj):
    assert np.array_equal(sj.softmax(np.asarray(FIVE)[:, None]), np.ones((5, 1)))
    assert np.array_equal(sj.softmax_jacobian(np.asarray(FIVE)[:, None]), np.zeros((5, 1, 1)))


def test_jacobians_to_four_decimals(sj):
    assert np.array_equal(to_decimals(sj.softmax_jacobian([0, 1]), 4), [[0.1966, -0.1966], [-0.1966, 0.1966]])
    assert np.array_equal(to_decimals(sj.softmax_jacobian([1, -1, 2, -2]), 4), FOUR_JACOBIAN)
    three = [[0.0819, -0.022, -0.0599], [-0.022, 0.1848, -0.1628], [-0.0599, -0.1628, 0.2227]]
    assert np.array_equal(to_decimals(sj.softmax_jacobian([1, 2, 3]), 4), three)


def test_probabilities_to_four_decimals(sj):
    assert np.array_equal(to_decimals(sj.softmax([1.1, 2.2, 0.2, -1.7]), 4), [0.2236, 0.6718, 0.0909, 0.0136])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_lost_by_subtracting_from_one(sj, dtype):
    z = np.asarray([0.0, 20.0], dtype)
    within = np.finfo(dtype).eps
    assert sj.softmax(z)[1] == 1.0 or dtype == np.float64
    assert abs(float(sj.softmax_complement(z)[1]) / COMPLEMENT_OF_20 - 1.0) <= within
    jacobian = sj.softmax_jacobian(z).astype(np.float64)
    assert np.abs(jacobian / (DIAGONAL_OF_20 * np.asarray([[1, -1], [-1, 1]])) - 1.0).max() <= within
    assert sj.softmax_jacobian(z)[1, 1] != sj.softmax(z)[1] * (1 - sj.softmax(z)[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_that_is_not_zero(sj, dtype):
    # DIAGONAL_OF_40 is given to ten digits.
    z, v = np.asarray([40.0, 0.0], dtype), np.asarray([1.0, 0.0], dtype)
    for product in [sj.softmax_vjp(z, v), sj.softmax_jvp(z, v)]:
        assert np.abs(product.astype(np.float64) / [DIAGONAL_OF_40, -DIAGONAL_OF_40] - 1.0).max() < 1e-7


def test_a_product_of_a_probability_below_the_range(sj):
    # p of the second is 7.7e-53, no float32, but its product with 1e38 is one.
    z, v = np.asarray([0.0, -120.0], np.float32), np.asarray([0.0, 1e38], np.float32)
    expected = 7.667648073722000e-53 * float(v[1])
    product = sj.softmax_jvp(z, v).astype(np.float64)
    assert np.abs(product / [-expected, expected] - 1.0).max() < 1e-6


def test_log_sum_exp(sj):
    assert sj.logsumexp([1000.0, 1000.0]) == 1000.0 + np.log(2.0)
    assert sj.logsumexp(np.log([0.25, 0.75])) == pytest.approx(0.0, abs=1e-16)
    assert np.isnan(sj.logsumexp([0.0, 1.0], b=[1.0, -1.0]))
    assert sj.logsumexp([0.0, 1.0], b=[-1.0, 1.0]) == pytest.approx(np.log(np.expm1(1.0)), rel=1e-15)


def test_derivatives_in_closed_form(sj):
    # [0, log 3]: p = 1/4, 3/4.
    z, v = np.asarray([0.0, np.log(3.0)]), np.asarray([1.0, -1.0])
    assert np.allclose(sj.softmax_jvp(z, v), [0.375, -0.375], rtol=1e-15, atol=0)
    assert np.allclose(sj.log_softmax_jvp(z, v), [1.5, -0.5], rtol=1e-15, atol=0)
    assert np.allclose(sj.log_softmax_vjp(z, v), [1.0, -1.0], rtol=1e-15, atol=0)
    assert np.allclose(sj.log_softmax_vjp(z, [1.0, 0.0]), [0.75, -0.75], rtol=1e-15, atol=0)
    # p'' along e_0: p q (q - p) and its negative, with p = 1/4.
    e0 = np.asarray([1.0, 0.0])
    assert np.allclose(sj.softmax_second_derivative(z, e0, e0), [0.09375, -0.09375], rtol=1e-15, atol=0)
    p = np.asarray([0.25, 0.75])
    assert np.array_equal(sj.softmax_vjp(z, v, probs=p), [0.375, -0.375])
    assert np.array_equal(sj.log_softmax_vjp(z, [1.0, 0.0], probs=p), [0.75, -0.75])
