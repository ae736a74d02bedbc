"""docs/operator.md: its examples, its table and its statements, by brute force. test_readme.py runs the sessions."""

import doctest
import importlib.util
import os
import pickle
import re
import tracemalloc

import numpy as np
import pytest

import softjac
from softjac import SoftmaxJacobian
from test_readme import ROOT, blocks

PAGE = ROOT / "docs" / "operator.md"
TEXT = PAGE.read_text(encoding="utf-8")
DIFFERENCE = 2.0**-13  # step of central differences


def run_sections(page):
    """The names that a page's sessions have at the end of each section. test_readme.py looks at what they print."""
    text = page.read_text(encoding="utf-8")
    headings = [(text.count("\n", 0, m.start()) + 1, m[1]) for m in re.finditer(r"^#+ (.*)$", text, re.MULTILINE)]
    names, found = {"__name__": "__main__"}, {}
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    for block in blocks(page):
        assert block.kind == "pycon"
        session = parser.get_doctest(block.body, names, page.name, page.name, block.line - 1)
        runner.run(session, out=lambda _: None, clear_globs=False)
        names = session.globs
        found[[title for line, title in headings if line < block.line][-1]] = dict(names)
    return found


@pytest.fixture(scope="module")
def sections():
    return run_sections(PAGE)


def naive_softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def derivative(f, x, h=DIFFERENCE):
    """Central differences: the last axis is that of x."""
    return np.stack([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))], axis=-1)


def hessian(f, x):
    return derivative(lambda at: derivative(f, at), x)


# -------------------------------------------------------------------------------------------------------- the tasks


def test_standard_errors_by_finite_differences(sections):
    names = sections["Standard errors of predicted probabilities"]
    A, y, beta = names["A"], names["y"], names["beta"]

    def loss(b):
        return -np.sum(y * np.log(naive_softmax(A @ b)))

    information = hessian(loss, beta)
    np.testing.assert_allclose(derivative(loss, beta), 0, atol=1e-5)
    np.testing.assert_allclose(names["information"], information, rtol=1e-4)
    G = derivative(lambda b: naive_softmax(names["A_0"] @ b), beta)
    errors = np.sqrt(np.diag(G @ np.linalg.inv(information) @ G.T))
    np.testing.assert_allclose(names["standard_errors"], errors, rtol=1e-4)


def test_standard_errors_are_those_of_a_bootstrap(sections):
    """Estimates from data drawn of the fitted model scatter by the standard errors, within a tenth."""
    names = sections["Standard errors of predicted probabilities"]
    A, rng = names["A"], np.random.default_rng(1)
    drawn = []
    for _ in range(300):
        y = rng.multinomial(1, naive_softmax(A @ names["beta"]))
        b = names["beta"].copy()
        for _ in range(4):
            p = naive_softmax(A @ b)
            J = p[:, :, None] * (np.eye(3) - p[:, None, :])
            information = np.einsum("ink,inm,iml->kl", A, J, A)
            b += np.linalg.solve(information, np.einsum("ink,in->k", A, y - p))
        drawn.append(naive_softmax(names["A_0"] @ b))
    np.testing.assert_allclose(np.std(drawn, axis=0), names["standard_errors"], rtol=0.15)


def test_the_natural_gradient_by_finite_differences(sections):
    names = sections["A natural-gradient step"]
    z, y = names["z"], names["y"]
    p = naive_softmax(z)
    fisher = hessian(lambda d: p @ np.log(p / naive_softmax(z + d)), np.zeros(4))
    gradient = derivative(lambda at: -y @ np.log(naive_softmax(at)), z)
    np.testing.assert_allclose(names["gradient"], gradient, rtol=1e-6)
    np.testing.assert_allclose(names["natural"], np.linalg.solve(fisher + 0.01 * np.eye(4), gradient), rtol=1e-4)


def test_the_predictive_variance_by_finite_differences_and_by_sampling(sections):
    names = sections["A Laplace approximation's predictive variance"]
    rng = np.random.default_rng(2)
    for counts, mode, deviation in zip(names["counts"], names["mode"], names["deviation"], strict=True):

        def energy(z, counts=counts):
            return -np.log(naive_softmax(z)) @ counts + np.sum(z * z, -1) / 2

        np.testing.assert_allclose(derivative(energy, mode), 0, atol=1e-5)
        precision = hessian(energy, mode)
        J_i = derivative(lambda z: naive_softmax(z)[0], mode)
        np.testing.assert_allclose(deviation, np.sqrt(J_i @ np.linalg.solve(precision, J_i)), rtol=1e-4)
        # The posterior itself, by weighted draws: the approximation is right within a tenth.
        root = np.linalg.cholesky(np.linalg.inv(precision))
        noise = rng.standard_normal((200_000, 4))
        z = mode + noise @ root.T
        log_weight = -energy(z) + np.sum(noise * noise, -1) / 2
        weight = np.exp(log_weight - log_weight.max())
        p = naive_softmax(z)[:, 0]
        mean = np.average(p, weights=weight)
        assert abs(deviation / np.sqrt(np.average((p - mean) ** 2, weights=weight)) - 1) < 0.1


def test_elasticities_by_finite_differences(sections):
    names = sections["Elasticities of a logit demand model"]
    alpha, delta, price = names["alpha"], names["delta"], names["price"]

    def shares(at):
        return naive_softmax(delta - alpha * at)

    by_differences = derivative(lambda at: np.log(shares(at)), price) * price
    np.testing.assert_allclose(names["elasticities"], by_differences, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(names["own"], np.diag(by_differences), rtol=1e-6, atol=1e-9)
    change, h = names["change"], DIFFERENCE
    by_differences = (shares(price + h * change) - shares(price - h * change)) / (2 * h)
    np.testing.assert_allclose(names["J"] @ (-alpha * change), by_differences, rtol=1e-6)


# --------------------------------------------------------------------------------------------------------- the table


def table():
    """Rows of the table of methods: calls, closed form, and the limit of vectors, "" where none is given."""
    part = TEXT.partition("## All methods")[2].partition("## The formulas")[0]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| `")]
    return [
        (re.findall("`([^`]+)`", row[0]), row[1].strip("`"), row[3].rstrip(" |") if row[3:] else "") for row in rows
    ]


CALLS = [(call, form, vectors) for calls, form, vectors in table() for call in calls]


@pytest.mark.parametrize(("call", "form"), [row[:2] for row in CALLS], ids=[row[0] for row in CALLS])
def test_a_call_is_its_closed_form(call, form, sections):
    names = sections["All methods"]
    np.testing.assert_allclose(eval(call, names), eval(form, names), rtol=1e-12, atol=1e-15)


@pytest.mark.compiled
@pytest.mark.parametrize(("call", "vectors"), [(c, v) for c, _, v in CALLS if v], ids=[c for c, _, v in CALLS if v])
def test_a_call_takes_no_more_vectors_than_the_table_says(call, vectors):
    n, k, m = 400 if "n" in vectors else 50_000, 2, 2
    rng = np.random.default_rng(0)
    z, v = rng.standard_normal((2, n))
    J = SoftmaxJacobian(z)
    names = {"np": np, "SoftmaxJacobian": SoftmaxJacobian, "z": z, "v": v, "J": J, "p": J.probs, "L": J.cholesky()}
    names |= {"V": rng.standard_normal((n, k)), "A": rng.standard_normal((m, n)), "t": 0.5, "w": 2.0, "i": 3, "j": 1}
    code = compile(call, call, "eval")
    eval(code, names)
    with softjac.num_threads(1):
        tracemalloc.start()
        try:
            eval(code, names)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    limit = eval(re.sub(r"(\d) ([nkm])", r"\1 * \2", vectors), {"n": n, "k": k, "m": m})
    assert peak <= limit * n * 8 + 200_000  # NumPy casts in buffers


def test_eigenvalues_need_no_matrix(monkeypatch):
    monkeypatch.setattr("softjac.operator._spectrum._ELEMENTS", 1 << 12)  # numbers in a block
    J = SoftmaxJacobian(np.random.default_rng(0).standard_normal(500))
    tracemalloc.start()
    try:
        J.eigvalsh()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500 * 500 * 8 / 2


def test_the_page_names_every_method():
    public = {name for name in dir(SoftmaxJacobian) if not name.startswith("_")}
    missing = {name for name in public if not re.search(rf"\b{name}\b", TEXT)}
    assert not missing - {"T", "rmatmat", "matrix_shape"}, missing


# --------------------------------------------------------------------------------------------------- the statements


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1.5e-8), ("float32", 3.5e-4), ("float16", 0.031)])
def test_from_probs_accepts_sums_within_the_tolerance(dtype, tolerance):
    p = np.array([0.25, 0.75], dtype=dtype)
    near, far = (np.array([0.25, 0.75 + part * tolerance], dtype=dtype) for part in (0.9, 1.1))
    np.testing.assert_allclose(SoftmaxJacobian.from_probs(near).probs, p, rtol=2 * tolerance)
    with pytest.raises(softjac.ArgumentError, match="row 0"):
        SoftmaxJacobian.from_probs(far)


def test_what_raises_which_error():
    J = SoftmaxJacobian(np.zeros((2, 3)))
    for call in (lambda: J @ [1.0, 2.0], lambda: J + np.full(3, 0.1), J.as_linear_operator):
        with pytest.raises(softjac.ShapeError):
            call()
    for call in (lambda: J + -1.0, lambda: J * np.inf, lambda: J.solve([1.0, np.inf, 0.0]), lambda: J.norm(1)):
        with pytest.raises(softjac.ArgumentError):
            call()
    with pytest.raises(softjac.BoundsError):
        J.row(3)
    for call in (lambda: J - 1.0, lambda: J / 2.0, lambda: J + J):
        with pytest.raises(TypeError):
            call()


def test_pickling_keeps_everything():
    H = 2.0 * SoftmaxJacobian([1.0, 2.0, 3.0]) + 0.5
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(H)).to_dense(), H.to_dense())


def test_a_nan_stays_in_its_row_and_out_of_what_is_masked():
    dense = SoftmaxJacobian([[np.nan, 0.0, 1.0], [0.0, 1.0, 2.0]], where=[True, True, False]).to_dense()
    assert np.isnan(dense[0, :2, :2]).all()
    assert not np.isnan(dense[1]).any()
    assert (dense[0, 2] == 0).all()
    assert (dense[0, :, 2] == 0).all()


def test_small_eigenvalues_and_solutions_where_numpy_cuts(sections):
    mpmath = pytest.importorskip("mpmath", reason="mpmath is not installed: pip install '.[test]'")
    names = sections["What differs"]
    J, b = SoftmaxJacobian([0.0, -5.0, -40.0]), np.array([1.0, -1.0, 0.5])
    with mpmath.workdps(60):
        e = [mpmath.exp(z) for z in (0, -5, -40)]
        p = [x / sum(e) for x in e]
        exact = mpmath.matrix(3, 3)
        for i in range(3):
            for j in range(3):
                exact[i, j] = p[i] * ((i == j) - p[j])
        values = [float(x) for x in mpmath.eigsy(exact, eigvals_only=True)]
        P = mpmath.eye(3) - mpmath.ones(3) / 3
        x = P * mpmath.diag([1 / q for q in p]) * P * mpmath.matrix(b.tolist())
        solution = np.array([float(one) for one in x])
    np.testing.assert_allclose(J.eigvalsh()[1:], values[1:], rtol=1e-15)
    np.testing.assert_allclose(J.solve(b), solution, rtol=1e-14)
    np.testing.assert_array_equal(names["b"], b)
    by_numpy = np.linalg.eigvalsh(J.to_dense())
    assert abs(by_numpy[1] / values[1] - 1) > 1e-6
    assert np.abs(by_numpy - values).max() < 1e-15
    for x in (np.linalg.pinv(J.to_dense()) @ b, np.linalg.lstsq(J.to_dense(), b)[0]):
        assert np.linalg.norm(x) < 1000 < np.linalg.norm(solution)


def test_plus_and_matmul_differ_from_those_of_arrays():
    J, x = SoftmaxJacobian(np.zeros((2, 2))), np.array([[1.0, 2.0], [3.0, 5.0]])
    dense = J.to_dense()
    np.testing.assert_array_equal((J + 0.5).to_dense(), dense + 0.5 * np.eye(2))
    np.testing.assert_allclose(J @ x, np.einsum("bij,bj->bi", dense, x))
    assert (dense @ x).shape == (2, 2, 2)


@pytest.mark.filterwarnings("ignore")
def test_what_is_said_of_linear_operator():
    if not os.environ.get("SOFTJAC_REQUIRE_PEERS") and importlib.util.find_spec("linear_operator") is None:
        pytest.skip("linear_operator is not installed: pip install 'softjac[peers]'")
    import torch
    from linear_operator.operators import DiagLinearOperator, LinearOperator, RootLinearOperator

    assert not hasattr(LinearOperator, "pinv")
    rng, t = np.random.default_rng(0), 0.01
    errors = {}
    for n in (100, 1000):
        J, v = SoftmaxJacobian(rng.standard_normal(n)), rng.standard_normal(n)
        p, b = torch.from_numpy(J.probs), torch.from_numpy(v)[:, None]
        theirs = DiagLinearOperator(p) - RootLinearOperator(p[:, None])
        np.testing.assert_allclose((theirs @ b).numpy()[:, 0], J @ v, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(theirs.diagonal().numpy(), J.diagonal(), rtol=1e-12)
        x = theirs.add_diagonal(torch.tensor(t, dtype=torch.float64)).solve(b).numpy()[:, 0]
        exact = np.linalg.solve(J.to_dense() + t * np.eye(n), v)
        errors[n] = np.abs(x - exact).max() / np.abs(exact).max()
        with pytest.raises(softjac.DTypeError, match="torch"):
            J @ b
    assert errors[100] < 1e-12  # a factorisation
    assert 1e-6 < errors[1000] < 1e-3  # an iteration
