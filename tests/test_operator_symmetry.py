"""Entries to the bit: symmetric, and the same from to_dense, row and indices; columns of a product as by themselves."""

import numpy as np
import pytest

from test_operator import INF, random

FAMILIES = {
    "plain": (1.0, 0.0),
    "weighted": (3.0, 0.0),
    "damped": (1.0, 0.1),
    "both": (0.7, 1e-3),
    "one a row": (np.array([3.0, 0.1, 0.7]), np.array([0.0, 0.3, 1e-9])),
}


def operator(sj, family, dtype):
    logits = 5 * random((3, 9))
    logits[1, 4] = -INF
    logits[2, 3] += 50.0
    weight, damping = FAMILIES[family]
    return weight * sj.SoftmaxJacobian(logits.astype(dtype)) + damping


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("family", FAMILIES)
def test_entries_agree_and_are_symmetric(family, dtype, sj):
    J = operator(sj, family, dtype)
    dense = J.to_dense()
    np.testing.assert_array_equal(dense, np.swapaxes(dense, -1, -2))
    np.testing.assert_array_equal(np.stack([J.row(i) for i in range(9)], axis=-2), dense)
    i, j = np.indices((9, 9))
    np.testing.assert_array_equal(J[..., i, j], dense)
    np.testing.assert_array_equal(J.diagonal(), np.diagonal(dense, axis1=-2, axis2=-1))
    for result in (dense, J.row(0), J[..., i, j]) if np.finfo(dtype).bits >= 64 else ():  # narrow: -1e-9 is -0
        assert not np.signbit(result[result == 0.0]).any()
    for inverse in (J.pinv().to_dense(), J.pinv().to_dense(out=np.empty(J.shape, dtype))):
        np.testing.assert_array_equal(inverse, np.swapaxes(inverse, -1, -2))


def test_large_matrices_are_made_block_by_block(sj):
    J = 3 * sj.SoftmaxJacobian(random((1000,)))
    dense = J.to_dense()
    np.testing.assert_array_equal(dense, dense.T)
    p = J.probs
    np.testing.assert_allclose(dense, 3 * (np.diag(p) - np.outer(p, p)), rtol=1e-13, atol=0)


OPERATORS = {
    "J": lambda J: J,
    "pinv": lambda J: J.pinv(),
    "damped": lambda J: (J + 0.1).pinv(),
    "F": lambda J: J.sqrt_factor(),
    "F.T": lambda J: J.sqrt_factor().T,
    "L": lambda J: J.cholesky(),
    "L.T": lambda J: J.cholesky().T,
}


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("n", [3, 40, 700])
@pytest.mark.parametrize("name", OPERATORS)
def test_columns_have_the_bits_that_they_have_by_themselves(name, n, dtype, sj):
    made = OPERATORS[name](sj.SoftmaxJacobian(random((n,)).astype(dtype)))
    X = (random((n, 6), seed=1) + 2.0).astype(dtype)
    wanted = np.stack([made @ np.ascontiguousarray(x) for x in X.T], axis=1)
    for other in (X, np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[::-1].copy()[::-1]):
        np.testing.assert_array_equal(made @ other, wanted)
        np.testing.assert_array_equal(np.stack([made @ x for x in other.T], axis=1), wanted)
    np.testing.assert_array_equal(made.T.rmatmat(X), wanted)
    np.testing.assert_array_equal((X.T @ made.T).T, wanted)


def test_solve_has_the_bits_of_pinv(sj):
    J = sj.SoftmaxJacobian(random((50,)))
    B = random((50, 4), seed=1)
    np.testing.assert_array_equal(J.pinv() @ B, J.solve(B.T).T)
