"""What the operator promises beside its results: orthogonal eigenvectors, SciPy, silence, inputs untouched, memory."""

import pickle
import tracemalloc

import numpy as np
import pytest

from test_operator import INF, ODD, close, everything, random

# ------------------------------------------------------------------------------------------------------------ spectrum

SPECTRA = {
    "ties": [0.0, 0.0, 0.0, 1.0, 1.0, 2.0],
    "all equal": [0.0] * 8,
    "near ties": [0.0, 1e-16, 3e-16, 1e-15, 1.0, 1.0 + 2.0**-52, 1.0 + 2.0**-51],
    "near ties far down": [0.0, -300.0, -300.0 + 1e-13, -600.0, -600.0 + 1e-13, -600.0],
    "ties and zeros": [0.0, -INF, 0.0, 1.0, -INF, 1.0],
    "smallest normal": [0.0, -690.0, -700.0, -700.0, -708.0],
    "random": list(random((40,)) * 20),
    "one-hot": [0.0, -INF, -INF],
}


@pytest.mark.parametrize("name", SPECTRA)
def test_eigenvectors_are_orthonormal_and_give_the_matrix_back(name, sj):
    J = sj.SoftmaxJacobian(SPECTRA[name])
    values, V = J.eigh()
    n = len(values)
    assert np.abs(V.T @ V - np.eye(n)).max() < 4e-15
    assert np.abs((V * values) @ V.T - J.to_dense()).max() <= 4e-15 * J.norm()
    assert (np.diff(values) >= 0).all()
    assert np.count_nonzero(values == 0.0) == n - J.rank()
    np.testing.assert_allclose(J.norm(), values[-1], rtol=8 * 2.0**-52)


# --------------------------------------------------------------------------------------------------------------- SciPy


def test_scipy_takes_it(sj):
    linalg = pytest.importorskip("scipy.sparse.linalg", reason="SciPy is not installed: pip install 'softjac[test]'")
    J = sj.SoftmaxJacobian(random((60,)))
    A, d = J.as_linear_operator(), J.to_dense()
    assert (A.shape, A.dtype) == ((60, 60), np.float64)
    x = random((60, 3))
    for got, wanted in ((A @ x, d @ x), (A @ x[:, 0], d @ x[:, 0]), (A @ x[:, :1], d @ x[:, :1]), (A.T @ x, d @ x)):
        close(got, wanted)
    close(A.rmatvec(x[:, :1]), d @ x[:, :1])
    start = np.ones(60) + x[:, 0]
    np.testing.assert_allclose(linalg.eigsh(A, k=3, v0=start)[0], J.eigvalsh()[-3:], rtol=1e-10)
    np.testing.assert_allclose(np.sort(linalg.svds(A, k=3, v0=start)[1]), J.eigvalsh()[-3:], rtol=1e-10)
    again = pickle.loads(pickle.dumps(A))
    np.testing.assert_array_equal(again @ x, A @ x)
    np.testing.assert_array_equal(again.rmatvec(x[:, :1]), A.rmatvec(x[:, :1]))
    damped = J + 0.1
    got, info = linalg.cg(damped.as_linear_operator(), x[:, 0], rtol=1e-12)
    assert info == 0
    np.testing.assert_allclose(got, damped.solve(x[:, 0]), rtol=1e-9)


# ---------------------------------------------------------------------------------------------------- manners, memory


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weight", [1.0, 0.0, 2.0])
def test_no_warnings(weight, sj):
    rows = [logits for logits, where, _ in ODD if where is True]
    rows += [*SPECTRA.values(), [1e308, -1e308], [800.0, 0.0], [0.0, -720.0, -735.0, -735.0, -744.0]]
    with np.errstate(all="raise"):
        for logits in rows:
            for damping in (0.0, 0.5, 1e-300):
                J = weight * sj.SoftmaxJacobian(logits) + damping
                everything(J, len(logits))
                J.sample(2, 0)
                repr(J)
                (
                    J @ np.full(len(logits), INF),
                    J.quad(np.full(len(logits), 1e300)),
                    J.sandwich([[1e300] * len(logits)]),
                )
        sj.SoftmaxJacobian.from_probs(np.array([1.0, 5e-324, 0.0])).solve([1.0, 2.0, 3.0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_no_warnings_in_narrow_dtypes(dtype, sj):
    """Rounding to float16 overflows and underflows; so do weights, dampings and what is made of them."""
    with np.errstate(all="raise"):
        for logits in ([0.0, -20.0, -90.0], [0.0, 200.0, 100.0], [0.0, 1.0, -INF]):
            J = sj.SoftmaxJacobian(np.array(logits, dtype))
            for operator in (J, 1e5 * J + 1e-9, 1e30 * (1e-60 * J) + 1e30, np.longdouble("1e-400") * J + 1e-320):
                everything(operator, 3)
                assert operator.dtype == dtype
                (operator.weight, operator.damping, repr(operator), operator.pinv().to_dense())
                (
                    operator.cholesky().diagonal(),
                    operator.sample(3, 0),
                    operator.solve([1.0, 1e30, 1e-30], damping=1e-320),
                )
            (1e-200 * (1e-200 * J), (J + 5e-324) * 0.5, sj.SoftmaxJacobian.from_probs(np.array([1, 1e-9, 0], dtype)))


def test_norms_by_numbers_of_numpy(sj):
    J = sj.SoftmaxJacobian(random((5,)))
    for two in (2, 2.0, np.int64(2), np.float32(2), np.int8(2)):
        assert J.norm(two) == J.norm()
    for endless in (INF, np.float32(INF), np.longdouble(INF)):
        assert J.norm(endless) == J.norm(INF)


def test_inputs_are_untouched(sj):
    logits, v, t = random(), random(seed=1), np.arange(4.0)
    probs, where = sj.softmax(logits), random() > -2
    for array in (logits, v, t, probs, where):
        array.flags.writeable = False
    for J in (sj.SoftmaxJacobian(logits, where=where), sj.SoftmaxJacobian.from_probs(probs)):
        operator = t * J + t
        for result in (J @ v, operator @ v, J.solve(v), operator.solve(v), J.cholesky() @ v, J.sqrt_factor().T @ v):
            assert result.flags.writeable
        (J.quad(v), J.sandwich(v[:2]), operator.sqrt_factor() @ np.ones(10), J.cholesky().solve(v), operator.eigh())
        for own in (J.probs, J.complement, J.weight, operator.damping, J.diagonal(), J.cholesky().diagonal()):
            before = J.to_dense()
            own[...] = 7.0  # nobody else's memory
            np.testing.assert_array_equal(J.to_dense(), before)


N = 1_000_000
LARGE = {
    "construction": lambda J, v: type(J)(v),
    "product": lambda J, v: J @ v,
    "quad": lambda J, v: J.quad(v),
    "damped solve": lambda J, v: J.solve(v, damping=0.1),
    "solve": lambda J, v: J.solve(v),
    "sqrt product": lambda J, v: J.sqrt_factor() @ v,
    "Cholesky product": lambda J, v: J.cholesky() @ v,
    "damped Cholesky product": lambda J, v: (J + 0.1).cholesky() @ v,
    "norm(2)": lambda J, _: J.norm(2),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_for_a_million_classes(name, sj, kernels_in_use):
    v = np.random.default_rng(0).standard_normal(N)
    J = sj.SoftmaxJacobian(v)
    tracemalloc.start()
    try:
        result = LARGE[name](J, v)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not isinstance(result, np.ndarray) or np.isfinite(result).all()
    allowed = 20 if kernels_in_use == "compiled" else 22  # the softmax of the reference carries pairs
    assert peak < allowed * v.nbytes, f"{peak / v.nbytes:.1f} vectors"
