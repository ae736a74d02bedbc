"""What users meet of the operator: shapes, dtypes, odd rows, its family, indices."""

import pickle

import numpy as np
import pytest

from functions import DTYPE_NAMES, DTYPES, is_nan

INF, NAN = np.inf, np.nan
ALL_DTYPES = [*DTYPES, np.dtype(np.longdouble)]
of_each_dtype = pytest.mark.parametrize("dtype", ALL_DTYPES, ids=[*DTYPE_NAMES, "longdouble"])


def dense(logits):
    """Naively, in longdouble."""
    with np.errstate(all="ignore"):
        z = np.asarray(logits).astype(np.longdouble)
        e = np.exp(z - np.max(z, axis=-1, keepdims=True, initial=-INF))
        p = e / np.sum(e, axis=-1, keepdims=True)
        return p[..., :, None] * np.eye(z.shape[-1]) - p[..., :, None] * p[..., None, :]


def random(shape=(4, 5), dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def close(got, wanted, dtype=np.float64, factor=16):
    wanted = np.asarray(wanted, np.longdouble)
    eps = 2.0**-7 if np.dtype(dtype).name == "bfloat16" else np.finfo(dtype).eps
    error = np.abs(np.asarray(got).astype(np.longdouble) - wanted)
    assert np.shape(got) == wanted.shape
    assert (error <= factor * eps * np.max(np.abs(wanted), initial=0.0)).all(), error


def times(matrix, x):
    return np.einsum("...ij,...j->...i", matrix, x)


def everything(J, n):
    """Each result that is made for a row, by name."""
    v, A = np.linspace(-1.0, 2.0, n), np.linspace(0.0, 1.0, 2 * n).reshape(2, n)
    L, F = J.cholesky(), J.sqrt_factor()
    return {
        "probs": J.probs, "complement": J.complement, "to_dense": J.to_dense(), "diagonal": J.diagonal(),
        "trace": J.trace(), "row": J.row(n // 2), "entry": J[..., 0, n - 1], "matvec": J @ v, "rmatvec": J.rmatvec(v),
        "quad": J.quad(v), "sandwich": J.sandwich(A), "solve": J.solve(v), "damped": J.solve(v, damping=0.5),
        "pinv": J.pinv() @ v, "F @ x": F @ np.ones(F.matrix_shape[1]), "F.T @ x": F.T @ v, "L @ x": L @ v,
        "L.T @ x": L.T @ v, "L solve": L.solve(v), "L^T solve": L.solve_transposed(v), "L": L.to_dense(),
        "L diagonal": L.diagonal(), "F": F.to_dense(), "pinv dense": J.pinv().to_dense(), "logpdet": J.logpdet(),
        "rank": J.rank(), "eigvalsh": J.eigvalsh(), "values": J.eigh()[0], "vectors": J.eigh()[1],
        "2": J.norm(2), "fro": J.norm("fro"), "nuc": J.norm("nuc"), "inf": J.norm(np.inf),
    }  # fmt: skip


# --------------------------------------------------------------------------------------------------- shapes and dtypes


@pytest.mark.parametrize("shape", [(1,), (5,), (4, 5), (2, 3, 4), (1, 1), (0, 3), (2, 0, 40)])
def test_shapes(shape, sj):
    J = sj.SoftmaxJacobian(random(shape))
    *batch, n = shape
    batch = tuple(batch)
    assert (J.batch_shape, J.matrix_shape, J.shape, J.ndim) == (batch, (n, n), (*batch, n, n), len(shape) + 1)
    assert J.T is J
    row, matrix = (*batch, n), (*batch, n, n)
    of_shape = dict.fromkeys(["trace", "entry", "quad", "logpdet", "rank", "2", "fro", "nuc", "inf"], batch)
    of_shape |= dict.fromkeys(["to_dense", "L", "F", "pinv dense", "vectors"], matrix) | {"sandwich": (*batch, 2, 2)}
    for name, result in everything(J, n).items():
        assert np.shape(result) == of_shape.get(name, row), name
        assert name == "rank" or result.dtype == np.float64
    damped = J + 1.0
    assert damped.sqrt_factor().shape == (*batch, n, 2 * n)
    assert damped.sqrt_factor().T.shape == (*batch, 2 * n, n)
    assert damped.sqrt_factor().to_dense().shape == (*batch, n, 2 * n)
    for size, lead in ((None, ()), (3, (3,)), ((2, 3), (2, 3)), (0, (0,))):
        assert J.sample(size, 0).shape == damped.sample(size, 0).shape == (*lead, *batch, n)


def test_no_classes(sj):
    J = sj.SoftmaxJacobian(np.zeros((2, 0)))
    assert J.shape == (2, 0, 0)
    assert (J @ np.zeros(0)).shape == J.solve(np.zeros(0)).shape == J.probs.shape == J.eigvalsh().shape == (2, 0)
    for number in (J.trace(), J.quad(np.zeros(0)), J.logpdet(), J.rank(), J.norm(), J.norm("fro"), J.norm(INF)):
        np.testing.assert_array_equal(number, [0.0, 0.0])
    for operator in (J, J.cholesky(), J.pinv(), J.sqrt_factor(), (J + 1.0).sqrt_factor().T):
        assert operator.to_dense().shape == operator.shape == (2, 0, 0)


@of_each_dtype
def test_dtypes(dtype, sj):
    logits = random(dtype=dtype)
    J = sj.SoftmaxJacobian(logits)
    wanted = dense(logits)
    assert J.dtype == dtype
    close(J.to_dense(), wanted, dtype, 2)
    v = random(dtype=dtype, seed=1)
    close(J @ v, times(wanted, v.astype(np.longdouble)), dtype, 4)
    own = {"row", "entry", "trace", "diagonal", "to_dense", "L", "F", "logpdet", "eigvalsh", "vectors", "2", "fro"}
    results = everything(J, 5)
    for name in own:
        assert results[name].dtype == dtype, name
    common = np.result_type(dtype, np.float64)
    for name in ("matvec", "quad", "solve", "sandwich", "L solve", "F.T @ x"):
        assert results[name].dtype == common, name
    assert J.sample(2, 0).dtype == dtype
    x = J.solve(v, damping=0.5)
    assert x.dtype == dtype
    close(times(wanted + 0.5 * np.eye(5), x.astype(np.longdouble)), v, dtype, 8)


def test_integers_and_lists_become_float64(sj):
    for logits in ([0, 1, 2], np.array([0, 1, 2]), np.array([0, 1, 2], np.int8), (0.0, 1.0, 2.0), [False, True, True]):
        J = sj.SoftmaxJacobian(logits)
        assert J.dtype == np.float64
        close(J.to_dense(), dense(np.asarray(logits, float)))
        assert (J @ [1, 2, 3]).dtype == np.float64
    assert sj.SoftmaxJacobian.from_probs([1, 0]).dtype == np.float64


def test_axis(sj):
    logits = random((2, 5, 3))
    for axis in (0, 1, 2, -1, -2):
        J = sj.SoftmaxJacobian(logits, axis=axis)
        np.testing.assert_array_equal(J.to_dense(), sj.SoftmaxJacobian(np.moveaxis(logits, axis, -1)).to_dense())
        again = sj.SoftmaxJacobian.from_probs(sj.softmax(logits, axis=axis), axis=axis)
        close(again.to_dense(), J.to_dense())


@pytest.mark.parametrize("family", [(1.0, 0.0), (0.5, 0.25)])
def test_a_batch_equals_its_rows(family, sj):
    logits = random((2, 3, 40)) * 10
    weight, damping = family
    of_batch = everything(weight * sj.SoftmaxJacobian(logits) + damping, 40)
    for index in np.ndindex(2, 3):
        of_row = everything(weight * sj.SoftmaxJacobian(logits[index]) + damping, 40)
        for name, result in of_row.items():
            np.testing.assert_allclose(of_batch[name][index], result, rtol=1e-13, atol=1e-14, err_msg=name)


def test_vectors_and_matrices(sj):
    one, many = sj.SoftmaxJacobian(random((5,))), sj.SoftmaxJacobian(random((4, 5)))
    d1, d4 = one.to_dense(), many.to_dense()
    M = random((5, 2), seed=1)
    close(one @ M, d1 @ M)
    close(one.matmat(M), d1 @ M)
    close(M.T @ one, M.T @ d1)
    close(M[:, 0] @ one, M[:, 0] @ d1)
    close(one.matvec(M.T), times(d1, M.T))  # several vectors
    close(one @ random((3, 5, 2)), d1 @ random((3, 5, 2)))
    close(many @ M[:, 0], times(d4, M[:, 0]))
    close(many @ random(), times(d4, random()))  # as many axes as the logits: a vector a row
    close(many @ random((4, 5, 2)), d4 @ random((4, 5, 2)))
    close(many @ random((1, 5, 2)), d4 @ random((1, 5, 2)))
    close(many.matmat(M), d4 @ M)
    close(random((4, 2, 5)) @ many, random((4, 2, 5)) @ d4)
    for operator in (many.cholesky(), many.sqrt_factor(), (many + 1.0).sqrt_factor(), many.pinv(), many.cholesky().T):
        table, columns = operator.to_dense(), operator.matrix_shape[1]
        x = random((4, columns, 2), seed=2)
        close(operator @ x, table @ x)
        close(operator.rmatmat(random((5, 2))), np.swapaxes(table, -1, -2) @ random((5, 2)))
        close(operator.T.to_dense(), np.swapaxes(table, -1, -2))
        assert operator.T.T.shape == operator.shape


# ------------------------------------------------------------------------------------------------------------ odd rows

ODD = [  # logits, where, J
    ([INF, 0.0, 1.0], True, np.zeros((3, 3))),
    ([0.0, INF, INF], True, [[0, 0, 0], [0, NAN, NAN], [0, NAN, NAN]]),
    ([-INF, 0.0, 0.0], True, [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]]),
    ([-INF, -INF], True, np.full((2, 2), NAN)),
    ([NAN, 0.0], True, np.full((2, 2), NAN)),
    ([NAN], True, [[NAN]]),
    ([3.0], True, [[0]]),
    ([NAN, 0.0, 0.0], [False, True, True], [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]]),
    ([0.0, NAN], [True, False], np.zeros((2, 2))),
    ([7.0, NAN], [False, True], [[0, 0], [0, NAN]]),
    ([1.0, 2.0], [False, False], np.zeros((2, 2))),
]


@of_each_dtype
@pytest.mark.parametrize(("logits", "where", "wanted"), ODD)
def test_odd_rows(logits, where, wanted, dtype, sj):
    wanted, n = np.asarray(wanted, float), len(logits)
    J = sj.SoftmaxJacobian(np.array(logits, dtype), where=where)
    np.testing.assert_array_equal(J.to_dense().astype(float), wanted)
    np.testing.assert_array_equal(J.diagonal().astype(float), np.diagonal(wanted))
    np.testing.assert_array_equal(J[np.arange(n)[:, None], np.arange(n)].astype(float), wanted)
    np.testing.assert_array_equal(np.stack([J.row(i) for i in range(n)]).astype(float), wanted)
    off = ~np.isnan(wanted).any(axis=1)
    assert not (J @ np.ones(n))[off].any()
    nan = bool(np.isnan(wanted).any())
    for number in (
        J.trace(),
        J.logpdet(),
        J.quad(np.arange(n) + 1.0),
        J.norm(),
        J.norm("fro"),
        J.norm("nuc"),
        J.norm(INF),
    ):
        assert bool(is_nan(number)) == nan
    assert is_nan(J.eigvalsh()).all() == nan
    b = np.arange(n) + 1.0
    for t in (0.0, 0.5):
        x, L = (J + t).solve(b), (J + t).cholesky().to_dense()
        zero = wanted == 0
        np.testing.assert_array_equal(is_nan(x), ~off)
        assert not np.triu(L.astype(float), 1).any()
        assert not L.astype(float)[zero & ~np.eye(n, dtype=bool)].any()
        alone = zero.all(axis=1)
        np.testing.assert_allclose(x[alone], b[alone] / t if t else 0 * b[alone])
        if not nan:
            G = np.linalg.pinv(wanted + t * np.eye(n))
            np.testing.assert_allclose(x, G @ b, atol=1e-14)
            np.testing.assert_allclose((J + t).pinv().to_dense().astype(float), G, rtol=1e-2, atol=1e-14)
            assert (J + t).rank() == np.linalg.matrix_rank(wanted + t * np.eye(n))


def test_probabilities_that_are_exactly_zero_are_off_the_support(sj):
    p = np.array([0.0, 0.5, 0.0, 0.3, 0.2, -0.0])
    J, inside = sj.SoftmaxJacobian.from_probs(p), sj.SoftmaxJacobian.from_probs(p[p > 0])
    on = np.flatnonzero(p)
    for name in ("to_dense", "pinv", "cholesky"):
        got, small = (getattr(x, name)() for x in (J, inside))
        got, small = (x if isinstance(x, np.ndarray) else x.to_dense() for x in (got, small))
        np.testing.assert_array_equal(got[np.ix_(on, on)], small)
        assert not np.delete(got, on, axis=0).any()
        assert not np.delete(got, on, axis=1).any()
    np.testing.assert_array_equal(J.eigvalsh(), [0, 0, 0, *inside.eigvalsh()])
    assert J.logpdet() == inside.logpdet()
    assert J.rank() == 2
    assert not np.signbit(J.probs).any()
    # An operand has no part there, infinite or not.
    x = np.array([INF, 1.0, -INF, 2.0, 3.0, INF])
    for operator in (J, 2.0 * J, J.cholesky(), J.sqrt_factor(), J.sqrt_factor().T, J.cholesky().T):
        assert np.isfinite(operator @ x).all(), operator
    assert np.isfinite([J.quad(x), (2.0 * J).quad(x)]).all()


def test_from_probs_agrees_and_keeps_a_confident_row(sj):
    logits = random((6, 7)) * 8
    J, given = sj.SoftmaxJacobian(logits), sj.SoftmaxJacobian.from_probs(sj.softmax(logits))
    np.testing.assert_allclose(given.to_dense(), J.to_dense(), rtol=1e-14)
    given = sj.SoftmaxJacobian.from_probs([1.0, 1e-20, 3e-20])
    np.testing.assert_allclose(given.complement, [4e-20, 1.0, 1.0], rtol=1e-15)
    np.testing.assert_allclose(given.diagonal(), [4e-20, 1e-20, 3e-20], rtol=1e-15)
    masked = sj.SoftmaxJacobian.from_probs(
        [[0.5, 9.0, 0.5], [NAN, 3.0, -1.0]], where=[[True, False, True], [False] * 3]
    )
    np.testing.assert_array_equal(masked.diagonal(), [[0.25, 0, 0.25], [0, 0, 0]])
    hidden = np.ma.masked_invalid([[1.0, NAN, 1.0]])
    np.testing.assert_array_equal(sj.SoftmaxJacobian(hidden).diagonal(), [[0.25, 0, 0.25]])


# ---------------------------------------------------------------------------------------------------------- its family


def test_the_family_composes(sj):
    J = sj.SoftmaxJacobian(random())
    d, one = J.to_dense(), np.eye(5)
    t = np.array([0.0, 1.0, 0.5, 2.0])
    column = t[:, None, None]
    cases = [
        (2 * J, 2 * d), (J * 2.0, 2 * d), (J + 1, d + one), (1 + J, d + one), (np.float64(2.0) * J, 2 * d),
        (2 * (J + 1), 2 * d + 2 * one), (2 * J + 1 + 0.5, 2 * d + 1.5 * one), (t * J, column * d),
        (J + t, d + column * one), (t * (J + t) + 1, column * (d + column * one) + one), (0 * J + 3, 0 * d + 3 * one),
        (np.array(2) * J, 2 * d), (J + t[:1], d + 0 * one),
    ]  # fmt: skip
    v, A = random(seed=3), random((2, 5), seed=4)
    for operator, wanted in cases:
        assert isinstance(operator, sj.SoftmaxJacobian)
        close(operator.to_dense(), wanted)
        close(operator @ v, times(wanted, v))
        close(operator.diagonal(), np.diagonal(wanted, axis1=-2, axis2=-1))
        close(operator.row(2), wanted[..., 2, :])
        close(operator[..., 2, [1, 2]], wanted[..., 2, [1, 2]])
        close(operator.trace(), np.trace(wanted, axis1=-2, axis2=-1))
        close(operator.quad(v), np.sum(v * times(wanted, v), axis=-1), factor=64)
        close(operator.sandwich(A), A @ wanted @ A.T, factor=64)
        close(operator.norm("fro"), np.linalg.norm(wanted, axis=(-2, -1)))
        close(operator.norm(2), np.linalg.norm(wanted, 2, axis=(-2, -1)))
        close(operator.norm(INF), np.linalg.norm(wanted, INF, axis=(-2, -1)))
        close(operator.eigvalsh(), np.linalg.eigvalsh(wanted))
        G = np.linalg.pinv(wanted, hermitian=True, rcond=1e-12)
        close(operator.solve(v), times(G, v), factor=1e3)
        close(operator.solve(v, damping=t + 0.5), times(np.linalg.inv(wanted + (column + 0.5) * one), v), factor=1e3)
        for factor in (operator.sqrt_factor().to_dense(), operator.cholesky().to_dense()):
            close(factor @ np.swapaxes(factor, -1, -2), wanted)
        np.testing.assert_array_equal(operator.rank(), np.linalg.matrix_rank(wanted, hermitian=True))
    assert J.weight == 1.0
    assert J.damping == 0.0
    np.testing.assert_array_equal((t * (J + 1.0)).damping, t)


def test_extreme_weights_and_dampings(sj):
    J = sj.SoftmaxJacobian([0.0, 1.0, 2.0])
    b = np.array([1.0, 2.0, -3.0])
    np.testing.assert_allclose((1e-320 * J + 1.0).solve(b), b)
    np.testing.assert_allclose((1e-320 * J + 1.0).cholesky().to_dense(), np.eye(3))
    np.testing.assert_allclose((1e300 * J + 1e-20).solve(b), J.solve(b) / 1e300)
    np.testing.assert_allclose((1e300 * J + 1e-300).solve(b), J.solve(b) / 1e300)
    np.testing.assert_allclose((1e-320 * J + 1.0).logpdet(), 1e-320 * J.trace(), rtol=1e-2)
    np.testing.assert_allclose((J + 1e-200).norm("fro"), J.norm("fro"))
    np.testing.assert_allclose((0 * J + 1e-200).norm("fro"), np.sqrt(3) * 1e-200)
    np.testing.assert_allclose(J.solve(b * 2.0**1020), J.solve(b) * 2.0**1020)
    np.testing.assert_allclose((J + 1.0).solve(b * 2.0**-1000), (J + 1.0).solve(b) * 2.0**-1000)
    assert (2 * J).quad(np.full(3, 1e200)) == (2 * J).sandwich(np.full((1, 3), 1e200)) == 0.0
    assert (0 * J).quad([1e200, 0.0, 0.0]) == 0.0


def test_repr_is_one_line(sj):
    J = sj.SoftmaxJacobian(np.zeros((4, 3), np.float32))
    assert repr(J) == "SoftmaxJacobian(3 x 3, batch_shape=(4,), float32)"
    assert repr(0.5 * J + 2) == "SoftmaxJacobian(3 x 3, batch_shape=(4,), float32, weight 0.5, damping 2)"
    assert repr(J + np.arange(4)) == "SoftmaxJacobian(3 x 3, batch_shape=(4,), float32, damping 0 to 3)"
    assert repr(sj.SoftmaxJacobian([0.0])) == "SoftmaxJacobian(1 x 1, float64)"
    assert repr((J + 1).sqrt_factor()) == "SquareRootFactor(3 x 6, batch_shape=(4,), float32)"
    assert repr((1 + 1e-9) * J) == "SoftmaxJacobian(3 x 3, batch_shape=(4,), float32, weight 1.000000001)"
    weights = np.array([1.0, 1.0 + 1e-9, 1.0, 1.0])
    assert repr(weights * J) == "SoftmaxJacobian(3 x 3, batch_shape=(4,), float32, weight 1 to 1.000000001)"
    assert repr(J * (1 / 3)) == "SoftmaxJacobian(3 x 3, batch_shape=(4,), float32, weight 0.333333)"
    for operator in (J.cholesky(), J.pinv(), J.sqrt_factor().T):
        assert "(3 x 3, batch_shape=(4,), float32)" in repr(operator)


def test_pickle(sj):
    J = 2 * sj.SoftmaxJacobian(random()) + np.arange(4)
    for operator in (J, J.cholesky(), J.sqrt_factor(), J.sqrt_factor().T, J.pinv()):
        again = pickle.loads(pickle.dumps(operator))
        assert repr(again) == repr(operator)
        np.testing.assert_array_equal(again.to_dense(), operator.to_dense())


def test_indices(sj):
    J = sj.SoftmaxJacobian(random((2, 3, 5)))
    d = J.to_dense()
    rows, columns = np.array([0, -1, 2]), np.array([[1], [2]])
    for index in [
        (..., 0, 1), (..., 2, 2), (..., -1, -5), (1, 2, 3, 4), (1, ..., 3, 4), (slice(None), 0, 1, 1),
        (..., rows, rows), (..., rows, columns), (..., rows, 0), (1, 2, rows, columns), (..., np.int8(1), np.uint8(2)),
        (..., [0, 1], [1, 0]), (..., np.zeros(0, int), 0),
    ]:  # fmt: skip
        np.testing.assert_array_equal(J[index], d[index], err_msg=str(index))
        np.testing.assert_array_equal((2 * J + 1)[index], (2 * J + 1).to_dense()[index], err_msg=str(index))
    some = np.array([[0, 1], [1, 0]])
    for index in [
        ([0, 1], [0, 1], [0, 1], [0, 1]), ([0, 1], 0, 1, 2), (0, [0, 2], [3, 4], [4, 3]), ([], 0, 0, 0),
        ([0, 1], ..., [0, 1], [0, 1]), ([0, 1], slice(None), 0, 1), (some[..., None], 0, 1, [2, 3]),
        (np.array([True, False]), 0, 1, 1), (np.ones((2, 3), bool), 1, 2), ([True, False], ..., rows, rows),
        (slice(0, 1), slice(1, 3), 1, 2), (slice(None), [0, 2], [0, 1], 4), ([[0], [1]], 0, rows, 1),
    ]:  # fmt: skip
        np.testing.assert_array_equal(J[index], d[index], err_msg=str(index))
        np.testing.assert_array_equal((J * [1, 2, 3] + 1)[index], (J * [1, 2, 3] + 1).to_dense()[index])
    one = sj.SoftmaxJacobian([0.0, 1.0])
    assert one[[], []].shape == (0,)
    assert J[..., [], []].shape == (2, 3, 0)
    assert one[0, 1] == one.to_dense()[0, 1]
    assert isinstance(one[0, 1], np.float64)


def test_to_dense_out(sj):
    J = sj.SoftmaxJacobian(random(dtype=np.float32))
    for operator in (J, J + 1, J.cholesky(), J.sqrt_factor(), (J + 1).sqrt_factor(), J.pinv(), J.sqrt_factor().T):
        out = np.full(operator.shape, NAN, np.float32)
        assert operator.to_dense(out=out) is out
        np.testing.assert_array_equal(out, operator.to_dense())
        strided = np.full((*operator.shape[:-1], 2 * operator.shape[-1]), NAN, np.float32)[..., ::2]
        np.testing.assert_array_equal(operator.to_dense(out=strided), out)


@pytest.mark.parametrize("family", [(1.0, 0.0), (2.0, 0.5)])
def test_samples_have_the_covariance(family, sj):
    J = family[0] * sj.SoftmaxJacobian([[0.0, 1.0, 2.0, 3.0], [5.0, 0.0, 0.0, -INF]]) + family[1]
    draws = J.sample(200_000, 7)
    np.testing.assert_array_equal(draws[:3], sj.SoftmaxJacobian.sample(J, 200_000, np.random.default_rng(7))[:3])
    for row, wanted in zip(np.moveaxis(draws, 1, 0), J.to_dense(), strict=True):
        assert np.abs(row.mean(axis=0)).max() < 5 * np.sqrt(wanted.max() / len(row))
        assert np.abs(row.T @ row / len(row) - wanted).max() < 8 * wanted.max() / np.sqrt(len(row))
    if family == (1.0, 0.0):
        assert np.abs(draws.sum(axis=-1)).max() < 1e-14
        assert not draws[:, 1, 3].any()
