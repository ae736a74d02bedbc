"""torch, JAX and array-API arrays: computed in their own library, with the results and errors that NumPy has."""

import numpy as np
import pytest

import softjac as sj
from functions import FUNCTIONS, NAMES, operands_like
from libraries import LIBRARIES, peer
from odd_rows import ODD_ROWS, ODD_TANGENTS, ODD_WEIGHTS, derivatives_of

INF, NAN = np.inf, np.nan


@pytest.fixture(params=LIBRARIES)
def lib(request):
    return LIBRARIES[request.param]()


def to_numpy(x):
    if hasattr(x, "detach"):
        x = x.detach().double()
    return np.asarray(x).astype(np.float64)


def close(dtype):
    eps = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}[dtype]
    return {"rtol": 60 * eps, "atol": 60 * eps}


def rounded(lib, operands, dtype):
    """The operands in the library and, exactly the same numbers, as NumPy's float64."""
    arrays = [lib.array(x, dtype) for x in operands]
    return arrays, [to_numpy(x) for x in arrays]


@pytest.mark.parametrize("name", NAMES)
def test_values_types_and_dtypes(name, lib):
    function = FUNCTIONS[name]
    z = np.random.default_rng(0).standard_normal((4, 4, 4)) * 3
    for dtype in lib.dtypes:
        arrays, plain = rounded(lib, operands_like(function, z), dtype)
        for axis in (-1, 0, 1):
            result = function(sj, *arrays, axis=axis)
            assert isinstance(result, lib.type)
            assert lib.dtype(result) == dtype
            np.testing.assert_allclose(to_numpy(result), function(sj, *plain, axis=axis), **close(dtype))


@pytest.mark.parametrize("axis", [None, (0, 2)])
@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].many_axes])
def test_several_axes(name, axis, lib):
    function = FUNCTIONS[name]
    z = np.random.default_rng(0).standard_normal((4, 4, 4))
    arrays, plain = rounded(lib, operands_like(function, z), lib.widest)
    np.testing.assert_allclose(
        to_numpy(function(sj, *arrays, axis=axis)), function(sj, *plain, axis=axis), **close(lib.widest)
    )
    if function.result == "row":
        kept = function(sj, *arrays, axis=axis, keepdims=True)
        assert tuple(kept.shape) == function(sj, *plain, axis=axis, keepdims=True).shape


def test_integers_and_booleans(lib):
    for dtype in (int, bool):
        values = np.random.default_rng(0).integers(0, 3, (4, 4, 4)).astype(dtype)
        result = sj.softmax(lib.array(values))
        assert lib.dtype(result) == lib.widest
        np.testing.assert_allclose(to_numpy(result), sj.softmax(values), **close(lib.widest))
    z, v = lib.array(np.zeros((4, 4, 4)), "float32"), lib.array(np.ones((4, 4, 4), int))
    assert lib.dtype(sj.softmax_jvp(z, v)) == lib.widest


def test_numbers_and_lists_go_with_any_library(lib):
    plain = np.random.default_rng(0).standard_normal((4, 4, 4)).astype(np.float32)
    z, where, v = lib.array(plain), [True, False, True, True], (1, 0, 2.5, True)
    result = sj.softmax_jvp(z, v)
    assert isinstance(result, lib.type)
    assert lib.dtype(result) == lib.widest
    np.testing.assert_allclose(to_numpy(result), sj.softmax_jvp(plain, v), **close("float32"))
    assert isinstance(sj.softmax_jvp(list(v), z), lib.type)
    np.testing.assert_allclose(to_numpy(sj.logsumexp(z, b=2)), sj.logsumexp(plain, b=2), **close("float32"))
    np.testing.assert_allclose(to_numpy(sj.softmax(z, where=where)), sj.softmax(plain, where=where), **close("float32"))
    with pytest.raises(sj.DTypeError, match="tangent"):
        sj.softmax_jvp(z, [[1.0, 2.0, 3.0, 4.0], [1.0]])


def test_broadcasting(lib):
    z, v = np.random.default_rng(0).standard_normal((2, 4, 4, 4))
    for first, second in ((z, v[0]), (z[0, 0], v), (z[:, :1], v)):
        result = sj.softmax_jvp(lib.array(first), lib.array(second))
        np.testing.assert_allclose(to_numpy(result), sj.softmax_jvp(first, second), **close(lib.widest))
    result = sj.logsumexp(lib.array(z), b=lib.array(np.abs(v)[..., :1]), axis=0)
    np.testing.assert_allclose(to_numpy(result), sj.logsumexp(z, b=np.abs(v)[..., :1], axis=0), **close(lib.widest))


def test_empty(lib):
    for shape in [(4, 0)] if lib.name == "jax" else [(0, 4), (4, 0), (0,)]:  # JAX would compile everything once more
        for name, function in FUNCTIONS.items():
            result = function(sj, *[lib.array(np.zeros(shape))] * function.operands)
            assert tuple(result.shape) == function.result_shape(shape), name
            if function.result == "row":
                assert (to_numpy(result) == -INF).all()


def rows_of_four(table, column, fill, dtype=float):
    """A column of a table of short rows as one array; what is missing in a row is filled."""
    rows = [np.broadcast_to(row[column], len(row[0])) for row in table]
    return np.array([[*row, *[fill] * (4 - len(row))] for row in rows], dtype)


def in_cubes(function, lib, *arrays, **options):
    """The function of rows of four, called with arrays of shape (4, 4, 4): JAX compiles once for each shape."""
    rows, results = len(arrays[0]), []
    for start in range(0, rows, 16):
        places = np.minimum(np.arange(start, start + 16), rows - 1)
        cubes = [lib.array(x[places].reshape(4, 4, 4)) for x in arrays]
        more = {key: lib.array(x[places].reshape(4, 4, 4)) for key, x in options.items()}
        result = to_numpy(function(*cubes, **more))
        results.append(result.reshape(16, *result.shape[2:]))
    return np.concatenate(results)[:rows]


# What is missing is masked out, and gives what masked elements give.
Z, PARTS = rows_of_four(ODD_ROWS, 0, 0), rows_of_four(ODD_ROWS, 1, False, bool)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("softmax", rows_of_four(ODD_ROWS, 2, 0)),
        ("log_softmax", rows_of_four(ODD_ROWS, 3, -INF)),
        ("softmax_complement", rows_of_four(ODD_ROWS, 4, 1)),
        ("logsumexp", [row[5] for row in ODD_ROWS]),
    ],
)
def test_odd_rows(name, expected, lib):
    with np.errstate(all="raise"):
        result = in_cubes(getattr(sj, name), lib, Z, where=PARTS)
    np.testing.assert_allclose(result, expected, **close(lib.widest))


@pytest.mark.parametrize("name", [name for name in NAMES if "j" in name or "derivative" in name])
def test_derivatives_of_odd_rows(name, lib):
    function = FUNCTIONS[name]
    alive, undefined = (np.array(x) for x in zip(*map(derivatives_of, Z, PARTS), strict=True))
    if function.takes_probs:  # these alone do not tell why one is NaN: the whole row is
        undefined = undefined.any(axis=-1, keepdims=True) & PARTS
    if function.result == "matrix":
        alive, undefined = (x[:, :, None] & x[:, None, :] for x in (alive, undefined))
    first = sj.softmax(Z, where=PARTS) if function.takes_probs else Z
    v = np.broadcast_to(np.linspace(1, 2, 4), Z.shape)
    result = in_cubes(
        lambda *x, where: function(sj, *x, where=where), lib, first, *[v] * function.tangents, where=PARTS
    )
    np.testing.assert_array_equal(np.isnan(result), undefined)
    np.testing.assert_array_equal(result[~undefined & ~alive], 0)


def test_odd_tangents(lib):
    v, where, product = (
        np.array([np.broadcast_to(x, 4) for x in column]) for column in zip(*ODD_TANGENTS, strict=True)
    )
    z = np.array([[0.0, 1, 2, -INF]] * len(v))
    np.testing.assert_array_equal(in_cubes(sj.softmax_jvp, lib, z, v, where=where), product)
    np.testing.assert_array_equal(in_cubes(sj.log_softmax_jvp, lib, z, v, where=where), product)


def test_odd_weights(lib):
    z, b = rows_of_four(ODD_WEIGHTS, 0, 0), rows_of_four(ODD_WEIGHTS, 1, 0)
    np.testing.assert_array_equal(in_cubes(sj.logsumexp, lib, z, b=b), [row[2] for row in ODD_WEIGHTS])


def test_out_is_refused(lib):
    z = lib.array([0.0, 1.0])
    for out in (z, np.empty(2)):
        with pytest.raises(sj.ArgumentError, match=f"out goes with NumPy arrays only.*{lib.name}: leave it out"):
            sj.softmax(z, out=out)


def test_libraries_do_not_mix(lib):
    z, v = lib.array([0.0, 1.0]), np.ones(2)
    with pytest.raises(
        sj.DTypeError, match=f"logits is an array of {lib.name} and tangent is an array of numpy: pass all"
    ):
        sj.softmax_jvp(z, v)
    with pytest.raises(sj.DTypeError, match=f"tangent is an array of {lib.name} and logits is an array of numpy"):
        sj.softmax_jvp(v, z)
    with pytest.raises(sj.DTypeError, match=f"logits is an array of {lib.name} and where is an array of numpy"):
        sj.softmax(z, where=v > 0)
    with pytest.raises(sj.DTypeError, match=f"where is an array of {lib.name} and logits is an array of numpy"):
        sj.softmax(v, where=z > 0)
    with pytest.raises(sj.DTypeError, match=f"b is an array of {lib.name} and logits"):
        sj.logsumexp(np.ma.ones(2), b=z)


def test_two_frameworks_do_not_mix():
    torch, jnp = peer("torch", "peers"), peer("jax.numpy", "peers")
    with pytest.raises(sj.DTypeError, match="logits is an array of torch and tangent is an array of jax"):
        sj.softmax_jvp(torch.ones(2), jnp.ones(2))


def test_mistakes_are_those_of_numpy(lib):
    z = lib.array(np.zeros((3, 4)))
    with pytest.raises(sj.AxisError, match=r"axis is 2, but logits has shape \(3, 4\)"):
        sj.softmax(z, axis=2)
    with pytest.raises(sj.ShapeError, match="4 and 3 classes"):
        sj.softmax_jvp(z, lib.array(np.zeros(3)))
    with pytest.raises(sj.DTypeError, match=r"logits has dtype .*complex"):
        sj.softmax(lib.array(np.zeros(3, np.complex64)))
    with pytest.raises(sj.DTypeError, match="where has dtype"):
        sj.softmax(z, where=z)
    with pytest.raises(sj.ShapeError, match=r"where has shape \(3,\)"):
        sj.softmax(z, where=lib.array(np.zeros(3, bool)))
    with pytest.raises(sj.AxisError, match="single number"):
        sj.softmax(lib.array(np.array(1.0)))


def test_explained(lib):
    text = str(sj.explain_dispatch(lib.array([1, 2])))
    assert f"computed by the reference in {lib.name}" in text
    assert "converted to" in text
    assert lib.widest in text
