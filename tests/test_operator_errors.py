"""Every mistake with the operator: its class, and a message that says which argument, what came, and what to do."""

import re

import numpy as np
import pytest

INF, NAN = np.inf, np.nan


def one(sj):
    return sj.SoftmaxJacobian([0.0, 1.0, 2.0])


def four(sj):
    return sj.SoftmaxJacobian(np.zeros((4, 3)))


def empty(sj):
    return sj.SoftmaxJacobian(np.zeros((2, 0)))


def probs(sj, *values, **options):
    return sj.SoftmaxJacobian.from_probs(*values, **options)


# What is called; the error; phrases of its message.
MISTAKES = {
    # making it
    "logits of strings": (
        lambda sj: sj.SoftmaxJacobian(["a"]),
        "DTypeError",
        ["logits has dtype <U1", "convert it first"],
    ),
    "complex logits": (lambda sj: sj.SoftmaxJacobian([1j]), "DTypeError", ["logits has dtype complex128", "real part"]),
    "one number": (lambda sj: sj.SoftmaxJacobian(1.0), "AxisError", ["logits is a single number", "pass a vector"]),
    "axis 5": (
        lambda sj: sj.SoftmaxJacobian(np.zeros((2, 3)), axis=5),
        "AxisError",
        ["axis is 5", "(2, 3)", "-2 to 1"],
    ),
    "axis None": (
        lambda sj: sj.SoftmaxJacobian([1.0], axis=None),
        "DTypeError",
        ["axis is None", "SoftmaxJacobian", "an int"],
    ),
    "two axes": (lambda sj: sj.SoftmaxJacobian([1.0], axis=(0,)), "DTypeError", ["axis is (0,)", "pass an int"]),
    "where of ints": (
        lambda sj: sj.SoftmaxJacobian([1.0], where=[1]),
        "DTypeError",
        ["where has dtype int64", "booleans"],
    ),
    "where too long": (
        lambda sj: sj.SoftmaxJacobian([1.0], where=[True] * 2),
        "ShapeError",
        ["where has shape (2,)", "(1,)"],
    ),
    # probabilities
    "a sum of 1.1": (
        lambda sj: probs(sj, [0.5, 0.6]),
        "ArgumentError",
        ["probs sums to 1.1 in row 0", "divide each row"],
    ),
    "the sum of a row": (
        lambda sj: probs(sj, [[[0.5, 0.5]], [[0.5, 0.25]]]),
        "ArgumentError",
        ["probs sums to 0.75 in row (1, 0)", "within 1.5e-08 for float64", "pass logits to SoftmaxJacobian"],
    ),
    "a sum in float16": (
        lambda sj: probs(sj, np.float16([0.5, 0.4])),
        "ArgumentError",
        ["0.899", "3.1e-02 for float16"],
    ),
    "a sum of 0": (lambda sj: probs(sj, [0.0, 0.0]), "ArgumentError", ["probs sums to 0 in row 0"]),
    "infinite probs": (lambda sj: probs(sj, [INF, 0.0]), "ArgumentError", ["probs sums to inf in row 0"]),
    "all masked but wrong": (
        lambda sj: probs(sj, [[0.5, 0.2], [9.0, 9.0]], where=[[True, True], [False, False]]),
        "ArgumentError",
        ["probs sums to 0.7 in row 0"],
    ),
    "negative probs": (
        lambda sj: probs(sj, [[0.5, 0.5], [1.5, -0.5]]),
        "ArgumentError",
        ["probs holds -0.5 in row 1, class 1", "from 0 to 1"],
    ),
    "NaN in probs": (lambda sj: probs(sj, [NAN, 1.0]), "ArgumentError", ["probs holds nan in row 0, class 0"]),
    "one probability": (lambda sj: probs(sj, 1.0), "AxisError", ["probs is a single number"]),
    # the family
    "J + -1": (lambda sj: one(sj) + -1, "ArgumentError", ["t in J + t is -1", "finite number that is at least 0"]),
    "J + NaN": (lambda sj: one(sj) + NAN, "ArgumentError", ["t in J + t is nan"]),
    "J + inf": (lambda sj: INF + one(sj), "ArgumentError", ["t in J + t is inf"]),
    "-2 * J": (lambda sj: -2 * one(sj), "ArgumentError", ["t in t * J is -2", "at least 0"]),
    "a row's t": (lambda sj: four(sj) + np.array([1, 2, -3, 4]), "ArgumentError", ["t in J + t is -3"]),
    "t of no row": (
        lambda sj: np.ones(3) * four(sj),
        "ShapeError",
        ["t in t * J has shape (3,)", "batch_shape (4,)", "one for each row"],
    ),
    "t that adds rows": (
        lambda sj: one(sj) + np.ones(2),
        "ShapeError",
        ["t in J + t has shape (2,)", "batch_shape ()"],
    ),
    "a string": (lambda sj: "a" * one(sj), "DTypeError", ["t in t * J has dtype <U1"]),
    # products
    "J @ longer": (
        lambda sj: one(sj) @ np.ones(4),
        "ShapeError",
        ["x has shape (4,)", "needs 3 elements along axis -1", "(..., 3)"],
    ),
    "J @ a number": (lambda sj: one(sj) @ 3.0, "ShapeError", ["x has shape ()"]),
    "J @ matrix": (
        lambda sj: one(sj) @ np.ones((4, 2)),
        "ShapeError",
        ["x has shape (4, 2)", "axis -2", "(..., 3, m)"],
    ),
    "matrix @ J": (lambda sj: np.ones((2, 4)) @ one(sj), "ShapeError", ["x has shape (2, 4)", "(..., m, 3)"]),
    "other rows": (
        lambda sj: four(sj) @ np.ones((5, 3)),
        "ShapeError",
        ["x has shape (5, 3)", "batch_shape (4,)", "(5,) and (4,) do not broadcast"],
    ),
    "other rows of matrices": (
        lambda sj: four(sj) @ np.ones((5, 3, 2)),
        "ShapeError",
        ["x has shape (5, 3, 2)", "(4,)"],
    ),
    "rmatmat": (lambda sj: one(sj).rmatmat(np.ones(3)), "ShapeError", ["x has shape (3,)", "(..., 3, m)"]),
    "J @ J": (
        lambda sj: one(sj) @ one(sj),
        "DTypeError",
        ["x is a SoftmaxJacobian, an operator", "are not formed", "x.to_dense()"],
    ),
    "ragged": (lambda sj: one(sj) @ [[1.0], [1.0, 2.0]], "DTypeError", ["x cannot be made an array", "one length"]),
    "a masked array": (
        lambda sj: one(sj) @ np.ma.array([1.0, 2, 3]),
        "DTypeError",
        ["x is a masked array", "where=~mask"],
    ),
    "quad": (lambda sj: one(sj).quad([1.0]), "ShapeError", ["v has shape (1,)", "(..., 3)"]),
    "quad of other rows": (lambda sj: four(sj).quad(np.ones((3, 3))), "ShapeError", ["v has shape (3, 3)", "(4,)"]),
    "sandwich of a vector": (
        lambda sj: one(sj).sandwich(np.ones(3)),
        "ShapeError",
        ["a has shape (3,)", "(..., m, 3)"],
    ),
    "sandwich": (lambda sj: one(sj).sandwich(np.ones((2, 4))), "ShapeError", ["a has shape (2, 4)", "(..., m, 3)"]),
    # entries
    "J[0]": (lambda sj: one(sj)[0], "DTypeError", ["J[..., i, j]", "row(i) or to_dense()"]),
    "J[:, 0]": (lambda sj: one(sj)[:, 0], "DTypeError", ["i is slice(None, None, None)", "number of a class"]),
    "J[0, 1.5]": (lambda sj: one(sj)[0, 1.5], "DTypeError", ["j is 1.5", "an int"]),
    "J[True, 0]": (lambda sj: one(sj)[True, 0], "DTypeError", ["i is True"]),
    "J[0, 3]": (lambda sj: one(sj)[0, 3], "BoundsError", ["j is 3", "3 classes", "-3 to 2"]),
    "J[[0, -4], 0]": (lambda sj: one(sj)[[0, -4], 0], "BoundsError", ["i is [0, -4]", "-3 to 2"]),
    "uneven indices": (lambda sj: one(sj)[[0, 1], [0, 1, 2]], "ShapeError", ["i has shape (2,)", "j has shape (3,)"]),
    "no such row": (lambda sj: four(sj)[7, 0, 0], "BoundsError", ["the batch has shape (4,)", "(7,)", "J[..., i, j]"]),
    "too few indices": (lambda sj: four(sj)[0, 0], "BoundsError", ["the batch has shape (4,)", "too few"]),
    "too many indices": (lambda sj: one(sj)[0, 0, 0], "BoundsError", ["the batch has shape ()"]),
    "a new axis": (lambda sj: four(sj)[None, 0, 0], "BoundsError", ["None makes a new axis"]),
    "row(3)": (lambda sj: one(sj).row(3), "BoundsError", ["i is 3", "3 classes", "-3 to 2"]),
    "row(1.5)": (lambda sj: one(sj).row(1.5), "DTypeError", ["i is 1.5", "number of a class"]),
    "row(True)": (lambda sj: one(sj).row(True), "DTypeError", ["i is True"]),
    "row of nothing": (lambda sj: empty(sj).row(0), "BoundsError", ["0 classes", "no number"]),
    "entry of nothing": (lambda sj: empty(sj)[..., 0, 0], "BoundsError", ["0 classes", "no number"]),
    "out": (lambda sj: one(sj).to_dense(out=np.empty(3)), "ShapeError", ["out has shape (3,)", "(3, 3)"]),
    "out of float32": (lambda sj: one(sj).to_dense(out=np.empty((3, 3), "f")), "DTypeError", ["out has dtype float32"]),
    "out of a factor": (lambda sj: one(sj).cholesky().to_dense(out=[0.0]), "DTypeError", ["out is a list"]),
    # equations
    "b too long": (lambda sj: one(sj).solve(np.ones(4)), "ShapeError", ["b has shape (4,)", "(..., 3)"]),
    "b of other rows": (lambda sj: four(sj).solve(np.ones((5, 3))), "ShapeError", ["b has shape (5, 3)", "(4,)"]),
    "NaN in b": (lambda sj: one(sj).solve([0.0, NAN, 0.0]), "ArgumentError", ["b holds nan at (1,)", "finite"]),
    "inf in b": (lambda sj: four(sj).solve([[0.0, 0, 0], [0, 0, -INF]]), "ShapeError", ["b has shape (2, 3)"]),
    "inf in rows": (lambda sj: one(sj).solve([[0.0, 0, 0], [0, 0, -INF]]), "ArgumentError", ["b holds -inf at (1, 2)"]),
    "inf and Cholesky": (lambda sj: one(sj).cholesky().solve([0, INF, 0]), "ArgumentError", ["b holds inf at (1,)"]),
    "NaN and L^T": (
        lambda sj: one(sj).cholesky().solve_transposed([NAN, 0, 0]),
        "ArgumentError",
        ["b holds nan at (0,)"],
    ),
    "b too long for L": (lambda sj: one(sj).cholesky().solve(np.ones(4)), "ShapeError", ["b has shape (4,)"]),
    "damping -1": (lambda sj: one(sj).solve(np.ones(3), damping=-1), "ArgumentError", ["damping is -1", "at least 0"]),
    "damping NaN": (lambda sj: one(sj).solve(np.ones(3), damping=NAN), "ArgumentError", ["damping is nan"]),
    "damping inf": (lambda sj: one(sj).solve(np.ones(3), damping=INF), "ArgumentError", ["damping is inf"]),
    "damping of no row": (
        lambda sj: four(sj).solve(np.ones(3), damping=[1.0, 2]),
        "ShapeError",
        ["damping has shape (2,)", "(4,)"],
    ),
    "damping J": (lambda sj: one(sj).solve(np.ones(3), damping=one(sj)), "DTypeError", ["damping is an operator"]),
    "complex damping": (
        lambda sj: one(sj).solve(np.ones(3), damping=1j),
        "DTypeError",
        ["damping has dtype complex128"],
    ),
    "inf and pinv": (lambda sj: one(sj).pinv() @ [INF, 1, 0], "ArgumentError", ["x holds inf at (0,)", "finite"]),
    "NaN, pinv and a matrix": (
        lambda sj: one(sj).pinv() @ [[0, 0], [NAN, 1], [0, 0]],
        "ArgumentError",
        ["x holds nan at (0, 1)", "finite"],
    ),
    # too large
    "1e200 (1e200 J)": (
        lambda sj: 1e200 * (1e200 * one(sj)),
        "ArgumentError",
        ["t in t * J is 1e+200", "weight larger than 1.8e+308", "float64"],
    ),
    "1e200 (J + 1e200)": (
        lambda sj: 1e200 * (one(sj) + 1e200),
        "ArgumentError",
        ["t in t * J is 1e+200", "damping larger than 1.8e+308"],
    ),
    "J + 1e308 + 1e308": (
        lambda sj: one(sj) + 1e308 + np.array(1e308),
        "ArgumentError",
        ["t in J + t is 1e+308", "damping larger than 1.8e+308"],
    ),
    "too much to solve": (
        lambda sj: (one(sj) + 1e308).solve(np.ones(3), damping=1e308),
        "ArgumentError",
        ["damping is 1e+308", "larger than 1.8e+308"],
    ),
    "a longdouble": (
        lambda sj: one(sj) * np.longdouble("1e400"),
        "ArgumentError",
        ["t in t * J is 1e+400", "number larger than 1.8e+308", "float64"],
    ),
    # operators and sparse matrices are no arrays
    "np.asarray(J)": (lambda sj: np.asarray(one(sj)), "DTypeError", ["a SoftmaxJacobian is", "@ x", "to_dense()"]),
    "np.dot(J, x)": (lambda sj: np.dot(one(sj), np.ones(3)), "DTypeError", ["to_dense()", "@ x"]),
    "np.array(L)": (lambda sj: np.array(one(sj).cholesky()), "DTypeError", ["a CholeskyFactor is", "to_dense()"]),
    "J @ L": (
        lambda sj: one(sj) @ one(sj).cholesky(),
        "DTypeError",
        ["x is a CholeskyFactor, an operator", "are not formed", "x.to_dense()"],
    ),
    "J + L": (lambda sj: one(sj) + one(sj).cholesky(), "DTypeError", ["t in J + t is a CholeskyFactor"]),
    # vectors for a batch of two axes
    "vectors for a batch": (
        lambda sj: sj.SoftmaxJacobian(np.zeros((2, 3, 5))) @ np.ones((3, 5)),
        "ShapeError",
        ["x has shape (3, 5)", "use matvec"],
    ),
    # the rest
    "ragged i": (lambda sj: one(sj)[[[0], [0, 1]], 0], "DTypeError", ["i is [[0], [0, 1]]", "rows of one length"]),
    "ragged rows": (lambda sj: four(sj)[[[0], [0, 1]], 0, 0], "BoundsError", ["the batch has shape (4,)"]),
    "rows that do not fit": (lambda sj: four(sj)[[0, 1, 2], [0, 1], 0], "BoundsError", ["broadcast"]),
    "J[[], [0.5]]": (lambda sj: one(sj)[[], [0.5]], "DTypeError", ["j is [0.5]"]),
    "norm(True)": (lambda sj: one(sj).norm(True), "ArgumentError", ["ord is True"]),
    "norm(1)": (lambda sj: one(sj).norm(1), "ArgumentError", ["ord is 1", '"fro"', "numpy.inf"]),
    "norm('two')": (lambda sj: one(sj).norm("two"), "ArgumentError", ["ord is 'two'"]),
    "norm(-inf)": (lambda sj: one(sj).norm(-INF), "ArgumentError", ["ord is -inf"]),
    "norm of a list": (lambda sj: one(sj).norm([1, 2]), "ArgumentError", ["ord is [1, 2]"]),
    "norm of an array": (lambda sj: one(sj).norm(np.arange(2)), "ArgumentError", ["ord is array"]),
    "size -1": (lambda sj: one(sj).sample(-1), "ArgumentError", ["size is -1", "at least 0"]),
    "size 2.5": (lambda sj: one(sj).sample(2.5), "DTypeError", ["size is 2.5", "an int, or a tuple"]),
    "size 'a'": (lambda sj: one(sj).sample("a"), "DTypeError", ["size is 'a'"]),
    "rng 'a'": (lambda sj: one(sj).sample(2, "a"), "DTypeError", ["rng is 'a'", "numpy.random.Generator"]),
    "rng -1": (lambda sj: one(sj).sample(2, -1), "DTypeError", ["rng is -1", "seed"]),
    "a batch for SciPy": (lambda sj: four(sj).as_linear_operator(), "ShapeError", ["batch_shape is (4,)", "one row"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name, sj):
    call, kind, phrases = MISTAKES[name]
    numpys = {"DTypeError": TypeError, "AxisError": IndexError, "BoundsError": IndexError}
    with pytest.raises(getattr(sj, kind)) as caught:
        call(sj)
    assert isinstance(caught.value, sj.SoftjacError)
    assert isinstance(caught.value, numpys.get(kind, ValueError))
    message = str(caught.value)
    assert "\n" not in message
    for phrase in phrases:
        assert phrase in message, message


@pytest.mark.parametrize("library", ["torch", "jax.numpy"])
def test_arrays_of_other_libraries(library, sj):
    """The operator computes with NumPy; it says so, instead of copying a tensor from somewhere."""
    xp = pytest.importorskip(library, reason=f"{library} is not installed: pip install 'softjac[peers]'")
    x = xp.asarray(np.zeros(3))
    for call in (lambda: sj.SoftmaxJacobian(x), lambda: one(sj) @ x, lambda: one(sj).solve(x)):
        with pytest.raises(sj.DTypeError, match=r"is an array of .*pass numpy\.asarray\("):
            call()


@pytest.mark.parametrize("call", [lambda J: J + J, lambda J: J * J, lambda J: J - 1, lambda J: -J, lambda J: J / 2])
def test_what_leaves_the_family_is_no_operation(call, sj):
    with pytest.raises(TypeError, match=r"unsupported operand|bad operand"):
        call(one(sj))


def test_sparse_matrices(sj):
    sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed: pip install 'softjac[test]'")
    for make in (sparse.eye_array, sparse.eye):
        matrix = make(3).tocsr()
        with pytest.raises(sj.DTypeError, match=r"x is a sparse csr_.*: pass x\.toarray\(\)"):
            one(sj) @ matrix
        with pytest.raises(sj.DTypeError, match=r"to_dense\(\)"):
            matrix @ one(sj)


def test_the_argument_is_named_without_its_expression(sj):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'softjac[peers]'")
    with pytest.raises(sj.DTypeError, match=r"t in t \* J is an array of torch.*pass numpy\.asarray\(t\)\."):
        one(sj) * torch.ones(())


def test_pandas(sj):
    pd = pytest.importorskip("pandas", reason="pandas is not installed: pip install 'softjac[test]'")
    J, t = four(sj), pd.Series([1.0, 2.0, 3.0, 4.0])
    for operator in (t * J, J * t):
        np.testing.assert_array_equal(operator.weight, [1, 2, 3, 4])
    for operator in (t + J, J + t):
        np.testing.assert_array_equal(operator.damping, [1, 2, 3, 4])
    np.testing.assert_array_equal(one(sj) @ pd.Series([1.0, 2, 3]), one(sj) @ [1.0, 2, 3])
    for frame in (pd.Series([1.0, 2, 3]), pd.DataFrame(np.ones((2, 3)))):
        with pytest.raises(sj.DTypeError, match=r"to_dense\(\)"):
            frame @ one(sj)


def test_a_sum_is_printed_with_the_digits_that_tell_it_from_1(sj):
    for off, shown in ((1e-7, "1 + 1e-07"), (-1e-7, "1 - 1e-07"), (2.0**-20, "1 + 9.54e-07"), (0.5, "1.5")):
        with pytest.raises(sj.ArgumentError, match=re.escape(f"probs sums to {shown} in row 0, but")):
            sj.SoftmaxJacobian.from_probs([[0.5, 0.5 + off]])


def test_nothing_is_written_when_something_is_wrong(sj):
    out = np.full((3, 3), 7.0)
    for bad in (out[:2], out.astype(np.float32)):
        with pytest.raises(sj.SoftjacError):
            one(sj).to_dense(out=bad)
        assert (bad == 7.0).all()
    out.flags.writeable = False
    for operator in (one(sj), one(sj).cholesky(), one(sj).sqrt_factor(), one(sj).pinv(), one(sj).sqrt_factor().T):
        with pytest.raises(sj.ArgumentError, match="out is read-only"):
            operator.to_dense(out=out)
    assert (out == 7.0).all()


def test_a_sum_within_the_tolerance_is_taken(sj):
    """Within sqrt(eps) of the dtype, on both sides of 1; and then it is divided by its sum."""
    for dtype, off in ((np.float16, 0.02), (np.float32, 3e-4), (np.float64, 1e-8)):
        for sign in (-1, 1):
            J = sj.SoftmaxJacobian.from_probs(np.array([0.5, 0.5 + sign * off], dtype))
            assert J.dtype == dtype
            np.testing.assert_allclose(J.probs.astype(float).sum(), 1.0, rtol=2 * np.finfo(dtype).eps)
            with pytest.raises(sj.ArgumentError, match="probs sums to"):
                sj.SoftmaxJacobian.from_probs(np.array([0.5, 0.5 + 3 * sign * off], dtype))
