"""The Hessian of cross-entropy as an operator, against matrices of rational numbers with many digits."""

import itertools
import pickle

import mpmath
import numpy as np
import pytest

from functions import logits, same_bits

ROWS, N = 6, 4


def problem(seed=0, batch=(ROWS,)):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((*batch, N)) * 2.0
    return z, rng.integers(0, N, batch), rng.random((*batch, N)), rng.random(N) + 0.5, rng.random(batch) + 0.5


def dense(z, t, c, z_loss, part=None):
    """c ((T + 2 zeta lse) (diag p - p p^T) + 2 zeta p p^T) of one row, by its definition in 50 digits."""
    with mpmath.workdps(50):
        part = np.ones(len(z), bool) if part is None else part
        e = [mpmath.exp(mpmath.mpf(float(x))) if counts else mpmath.mpf(0) for x, counts in zip(z, part, strict=True)]
        S = mpmath.fsum(e)
        p = [x / S for x in e]
        alpha = c * (mpmath.fsum(t) + 2 * mpmath.mpf(z_loss) * mpmath.log(S))
        beta = 2 * c * mpmath.mpf(z_loss)
        matrix = [
            [(beta - alpha) * a * b + (alpha * a if i == j else 0) for j, b in enumerate(p)] for i, a in enumerate(p)
        ]
        return np.array([[float(x) for x in row] for row in matrix])


def effective(y, weight, smoothing, part):
    return [w * (x * (1.0 - smoothing) + smoothing / part.sum()) * m for x, w, m in zip(y, weight, part, strict=True)]


OPTIONS = list(itertools.product([False, True], [0.0, 0.125], [0.0, 0.25], [False, True], ["none", "sum", "mean"]))


@pytest.mark.parametrize(("by_class", "smoothing", "z_loss", "masked", "reduction"), OPTIONS)
def test_all_of_it_is_the_dense_matrix(by_class, smoothing, z_loss, masked, reduction, sj):
    z, label, y, weight, sample_weight = problem()
    part = np.ones(z.shape, bool)
    if masked:
        part[np.arange(ROWS), (label + 1) % N] = False
        y = np.where(part, y, 0.0)
    sample_weight[2] = 0.0
    options = {"weight": weight, "sample_weight": sample_weight, "label_smoothing": smoothing, "z_loss": z_loss}
    options |= {"where": part if masked else None, "reduction": reduction}
    H, denominator = sj.cross_entropy_hessian(z, label if by_class else y, return_denominator=True, **options)
    one_hot = np.eye(N)[label]
    divisor = np.sum(sample_weight * (weight[label] if by_class else 1.0))
    np.testing.assert_allclose(denominator, divisor, rtol=1e-15)
    expected = np.stack(
        [
            dense(
                z[i],
                effective((one_hot if by_class else y)[i], weight, smoothing, part[i]),
                sample_weight[i] / (divisor if reduction == "mean" else 1.0),
                z_loss,
                part[i],
            )
            for i in range(ROWS)
        ]
    )
    size = np.abs(expected)
    assert (H.shape, H.batch_shape, H.matrix_shape, H.dtype) == (expected.shape, (ROWS,), (N, N), np.float64)
    np.testing.assert_allclose(H.to_dense(), expected, rtol=1e-13, atol=0.0)
    np.testing.assert_allclose(H.diagonal(), np.diagonal(expected, axis1=-2, axis2=-1), rtol=1e-13, atol=0.0)
    v, columns = logits((ROWS, N), seed=3), logits((ROWS, N, 3), seed=4)
    for result, x in ((H @ v, v), (H.matvec(v), v), (v @ H, v), (H.T @ v, v)):
        error = np.abs(result - np.einsum("bij,bj->bi", expected, x))
        assert np.all(error <= 2e-15 * np.einsum("bij,bj->bi", size, np.abs(x)) * 2)
    np.testing.assert_allclose(H @ columns, expected @ columns, rtol=0, atol=1e-14 * size.max())
    product = sj.cross_entropy_hvp(z, label if by_class else y, v, **options)
    np.testing.assert_allclose(product, np.einsum("bij,bj->bi", expected, v), rtol=0, atol=1e-15 * size.max() * N)
    quad = np.einsum("bi,bij,bj->b", v, expected, v)
    np.testing.assert_allclose(H.quad(v), quad, rtol=0, atol=1e-15 * size.max() * N**2)
    np.testing.assert_allclose(H.jacobian.to_dense()[0], sj.softmax_jacobian(z[0], where=part[0]), rtol=1e-13)
    for damping in (0.0, 0.25, np.linspace(0.1, 1.0, ROWS)):
        t = np.broadcast_to(damping, ROWS)[:, None, None] * np.eye(N)
        x = H.solve(v, damping)
        truth = np.einsum("bij,bj->bi", np.linalg.pinv(expected + t, rcond=1e-10, hermitian=True), v)
        np.testing.assert_allclose(x, truth, rtol=1e-9, atol=1e-11 * np.abs(truth).max(), err_msg=str(damping))


def test_without_z_loss_it_is_the_weighted_jacobian(sj):
    z, label, _, weight, sample_weight = problem()
    H = sj.cross_entropy_hessian(z, label, weight=weight, sample_weight=sample_weight)
    J = H.weight * sj.SoftmaxJacobian(z)
    np.testing.assert_allclose(
        H.weight, sample_weight * weight[label] / np.sum(sample_weight * weight[label]), rtol=1e-15
    )
    assert not H.z_weight.any()
    v = logits(z.shape, seed=5)
    for mine, its in (
        (H @ v, J @ v),
        (H.diagonal(), J.diagonal()),
        (H.quad(v), J.quad(v)),
        (H.solve(v), J.solve(v)),
        (H.solve(v, 0.5), J.solve(v, 0.5)),
    ):
        assert same_bits(mine, its)
    np.testing.assert_array_equal(H.to_dense(), np.swapaxes(H.to_dense(), -1, -2))


def hard(z, label, z_loss, b, damping):
    """The solution with 400 digits: the logits are so far apart that some probabilities are 1e-100."""
    with mpmath.workdps(400):
        e = [mpmath.exp(mpmath.mpf(float(x))) for x in z]
        S = mpmath.fsum(e)
        p = [x / S for x in e]
        alpha, beta = 1 + 2 * mpmath.mpf(z_loss) * mpmath.log(S), 2 * mpmath.mpf(z_loss)
        M = mpmath.matrix(len(z))
        for i, j in itertools.product(range(len(z)), repeat=2):
            M[i, j] = (beta - alpha) * p[i] * p[j] + (alpha * p[i] + mpmath.mpf(damping) if i == j else 0)
        x = mpmath.lu_solve(M, mpmath.matrix(b.tolist()))
        return np.array([float(v) for v in x]), float(alpha)


@pytest.mark.parametrize("damping", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("z_loss", [1e-4, 0.3])
@pytest.mark.parametrize("offset", [0.0, 30.0, -4.0])
def test_solve_on_confident_rows(z_loss, damping, offset, sj):
    """Also where alpha is negative. Relative to the largest element of the solution."""
    rng = np.random.default_rng(7)
    signs = set()
    for spread in (0.5, 10.0, 60.0):
        z = rng.standard_normal(5) * spread + offset
        H = sj.cross_entropy_hessian(z, 1, z_loss=z_loss)
        for b in (rng.standard_normal(5), np.asarray(sj.cross_entropy_grad(z, 1))):
            truth, alpha = hard(z, 1, z_loss, b, damping)
            signs.add(np.sign(alpha))
            np.testing.assert_allclose(H.weight, alpha, rtol=1e-12)
            error = np.max(np.abs(H.solve(b, damping) - truth))
            assert error <= 1e-13 * np.max(np.abs(truth)), (spread, error)
    assert -1.0 in signs or offset >= 0.0 or z_loss < 0.1


def test_a_negative_alpha_may_make_a_row_singular_with_damping(sj):
    z = np.array([[-40.0, -40.0], [0.0, 0.0]])
    H = sj.cross_entropy_hessian(z, [0, 0], z_loss=1.0, reduction="sum")
    assert H.weight[0] < 0.0 < H.weight[1]
    p = 0.5
    with pytest.raises(sj.ArgumentError, match=r"damping is .*, but with it the Hessian is singular at row 0"):
        H.solve(np.ones((2, 2)), [-H.weight[0] * p, 1.0])


def test_rows_that_do_not_count_are_0(sj):
    z, label, _, weight, sample_weight = problem()
    z[0], z[1], z[2], z[3] = np.nan, np.inf, np.nan, np.nan
    label[0], sample_weight[1], label[3] = -1, 0.0, 2
    weight[2] = 0.0
    part = np.ones(z.shape, bool)
    part[2] = False
    for z_loss in (0.0, 0.5):
        H = sj.cross_entropy_hessian(
            z, label, weight=weight, sample_weight=sample_weight, ignore_index=-1, where=part, z_loss=z_loss
        )
        nothing = slice(0, 3)
        assert not H.to_dense()[nothing].any()
        v = logits(z.shape, seed=1)
        assert not (H @ v)[nothing].any()
        assert not H.diagonal()[nothing].any()
        assert not H.quad(v)[nothing].any()
        assert not H.solve(v)[nothing].any()
        np.testing.assert_array_equal(H.solve(v, 0.5)[nothing], v[nothing] / 0.5)
        if z_loss == 0.0:  # no target, no Hessian
            assert not H.to_dense()[3].any()
        else:
            assert np.isnan(H.to_dense()[3]).all()
        assert np.isfinite(H.to_dense()[4:]).all()


def test_nothing_counts(sj):
    H, denominator = sj.cross_entropy_hessian(logits((3, 4)), [7, 7, 7], ignore_index=7, return_denominator=True)
    assert denominator == 0.0
    assert not H.to_dense().any()
    assert not (H @ np.ones((3, 4))).any()


def test_odd_rows(sj):
    inf = np.inf
    z = np.array([[0.0, inf, 1.0], [inf, inf, 0.0], [-inf, 0.0, 0.0], [-inf, -inf, -inf]])
    H = sj.cross_entropy_hessian(z, [0, 0, 1, 0], reduction="sum")
    np.testing.assert_array_equal(H.to_dense(), sj.softmax_jacobian(z))
    with_z = sj.cross_entropy_hessian(z, [0, 0, 1, 0], reduction="sum", z_loss=0.5)
    expected = np.zeros((3, 3))
    expected[1, 1] = 1.0  # J = 0, and beta = 1 where p = 1
    np.testing.assert_array_equal(with_z.to_dense()[0], expected)
    np.testing.assert_array_equal((with_z @ np.array([1.0, 2.0, 3.0]))[0], [0.0, 2.0, 0.0])
    assert np.isnan(with_z.to_dense()[1][:2, :2]).all()
    assert not with_z.to_dense()[1][2].any()
    np.testing.assert_array_equal(with_z.to_dense()[2][0], 0.0)
    assert np.isnan(with_z.to_dense()[3]).all()


@pytest.mark.parametrize("z_loss", [0.0, 0.25])
def test_axis_batch_and_broadcasting(z_loss, sj):
    z, label, _, _, _ = problem(batch=(2, 3))
    H = sj.cross_entropy_hessian(np.moveaxis(z, -1, 1), label, axis=1, z_loss=z_loss)
    last = sj.cross_entropy_hessian(z, label, z_loss=z_loss)
    assert H.batch_shape == (2, 3)
    np.testing.assert_array_equal(H.to_dense(), last.to_dense())
    v = logits(N, seed=2)
    np.testing.assert_allclose(H @ v, last.to_dense() @ v, rtol=1e-13, atol=1e-16)
    assert H.quad(v).shape == (2, 3)
    assert H.solve(v, 0.5).shape == (2, 3, N)
    assert H.quad(logits((5, 2, 3, N))).shape == (5, 2, 3)
    one = sj.cross_entropy_hessian(z[0, 0], label[0, 0], z_loss=z_loss)
    assert one.shape == (N, N)
    assert isinstance(one.quad(v), np.float64)
    np.testing.assert_allclose(
        H.quad(np.ones((2, 3, N)) * v).sum(), np.einsum("i,abij,j->", v, last.to_dense(), v), rtol=1e-13
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_dtypes(dtype, sj):
    z, label, _, _, _ = problem()
    H = sj.cross_entropy_hessian(z.astype(dtype), label, z_loss=0.1)
    v = np.ones(z.shape, dtype)
    assert {x.dtype for x in (H @ v, H.diagonal(), H.to_dense(), H.quad(v), H.solve(v, 1.0))} == {np.dtype(dtype)}
    assert (H @ v.astype(np.longdouble)).dtype == np.longdouble


@pytest.mark.parametrize("z_loss", [0.0, 0.25])
def test_it_can_be_pickled_and_shown(z_loss, sj):
    z, label, _, _, _ = problem()
    H = sj.cross_entropy_hessian(z, label, z_loss=z_loss)
    assert repr(H).startswith("CrossEntropyHessian(4 x 4, batch_shape=(6,), float64, weight 0.1")
    assert "\n" not in repr(H)
    assert ("z_weight" in repr(H)) == bool(z_loss)
    again = pickle.loads(pickle.dumps(H))
    assert same_bits(again.to_dense(), H.to_dense())
    assert repr(again) == repr(H)
    H.weight[:] = 0.0  # a copy
    assert same_bits(again.to_dense(), H.to_dense())


def test_errors_of_the_operator(sj):
    H = sj.cross_entropy_hessian(logits((3, 4)), [0, 1, 2], z_loss=0.1)
    with pytest.raises(sj.ShapeError, match=r"x has shape \(3, 5\), but the operator needs 4 elements"):
        H @ np.ones((3, 5))
    with pytest.raises(sj.ArgumentError, match=r"b holds nan at \(2, 3\)"):
        H.solve(np.where(np.arange(12).reshape(3, 4) == 11, np.nan, 1.0))
    with pytest.raises(sj.ArgumentError, match=r"damping is -1: pass a finite number"):
        H.solve(np.ones(4), -1.0)
    with pytest.raises(sj.ShapeError, match=r"damping has shape \(2,\), but the operator has batch_shape \(3,\)"):
        H.solve(np.ones(4), [1.0, 2.0])
    with pytest.raises(sj.ShapeError, match=r"out has shape \(3, 4\), but the result has shape \(3, 4, 4\)"):
        H.to_dense(out=np.empty((3, 4)))
    out = np.empty((3, 4, 4))
    assert H.to_dense(out=out) is out
