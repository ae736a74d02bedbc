"""Dask: arrays stay lazy, and every block is computed as an array of its own kind."""

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES, operands_like

ROWS = np.random.default_rng(0).standard_normal((6, 4))
MASK = np.random.default_rng(1).random((6, 4)) < 0.3
MASK[2] = True
MASK[3] = False


@pytest.fixture(scope="module")
def da():
    return pytest.importorskip("dask.array", reason="Dask is not installed: pip install 'softjac[test]'")


def compute(x):
    return x.compute(scheduler="synchronous")


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("name", NAMES)
def test_dask_arrays_stay_lazy(name, axis, sj, da):
    function = FUNCTIONS[name]
    operands = operands_like(function, np.random.default_rng(0).standard_normal((4, 5, 6)))
    chunks = [2, 3, 4]
    chunks[axis] = -1
    lazy = [da.from_array(x, chunks=tuple(chunks)) for x in operands]
    function(sj, *(x.map_blocks(fails, dtype=x.dtype, meta=np.empty((0, 0, 0))) for x in lazy), axis=axis)
    result = function(sj, *lazy, axis=axis)
    assert isinstance(result, da.Array)
    expected = function(sj, *operands, axis=axis)
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    batch = [c for i, c in enumerate(lazy[0].chunks) if i != axis % 3]
    n = (expected.shape[-1],)
    assert result.chunks == {"same": lazy[0].chunks, "row": tuple(batch), "matrix": (*batch, n, n)}[function.result]
    np.testing.assert_array_equal(compute(result), expected)


def fails(block):
    raise AssertionError("computed before anybody asked")


@pytest.mark.parametrize("axis", [None, (0, 2)])
@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].many_axes])
def test_dask_with_several_axes(name, axis, sj, da):
    function = FUNCTIONS[name]
    operands = operands_like(function, np.random.default_rng(0).standard_normal((4, 5, 6)))
    chunks = (-1, -1, -1) if axis is None else (-1, 2, -1)
    lazy = [da.from_array(x, chunks=chunks) for x in operands]
    result = function(sj, *lazy, axis=axis)
    np.testing.assert_array_equal(compute(result), function(sj, *operands, axis=axis))
    if function.result == "row":
        kept = function(sj, *lazy, axis=axis, keepdims=True)
        np.testing.assert_array_equal(compute(kept), function(sj, *operands, axis=axis, keepdims=True))


@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].tangents == 1])
def test_dask_beside_numpy_and_of_other_chunks(name, sj, da):
    function = FUNCTIONS[name]
    first, second = operands_like(function, ROWS)
    lazy = da.from_array(first, chunks=(2, -1))
    for other in (second, second[0], second[:1], second.tolist(), da.from_array(second, chunks=(3, -1))):
        plain = compute(other) if isinstance(other, da.Array) else other
        np.testing.assert_array_equal(compute(function(sj, lazy, other)), function(sj, first, plain))
    np.testing.assert_array_equal(
        compute(function(sj, first, da.from_array(second, chunks=(3, -1)))), function(sj, first, second)
    )


def test_dask_with_weights(sj, da):
    lazy = da.from_array(ROWS, chunks=(2, -1))
    some, plain = lazy[lazy[:, 0] > 0], ROWS[ROWS[:, 0] > 0]
    for b in (2.0, [1.0, 0, 2, 1], ROWS[:1], ROWS[:, :1], ROWS, np.ones((3, 1, 4))):
        expected = sj.logsumexp(ROWS, b=b)
        result = sj.logsumexp(lazy, b=b)
        assert result.shape == expected.shape
        np.testing.assert_array_equal(compute(result), expected)
        np.testing.assert_array_equal(compute(sj.logsumexp(ROWS, b=da.asarray(b))), expected)
    np.testing.assert_array_equal(compute(sj.logsumexp(some, b=[1.0, 2, 3, 4])), sj.logsumexp(plain, b=[1.0, 2, 3, 4]))
    with pytest.raises(sj.ShapeError, match="one weight for each"):
        sj.logsumexp(lazy, b=np.ones(3))


def test_dask_with_where(sj, da):
    lazy = da.from_array(ROWS, chunks=(2, -1))
    for where in (ROWS > 0, lazy > 0, [True, False, True, True], da.from_array(ROWS[:1] > 0), (lazy > 0).rechunk(1)):
        plain = compute(where) if isinstance(where, da.Array) else where
        for name in ("softmax", "logsumexp", "softmax_jacobian"):
            function = getattr(sj, name)
            np.testing.assert_array_equal(compute(function(lazy, where=where)), function(ROWS, where=plain))
    np.testing.assert_array_equal(compute(sj.softmax(ROWS, where=lazy > 0)), sj.softmax(ROWS, where=ROWS > 0))
    with pytest.raises(sj.DTypeError, match="where has dtype float64"):
        sj.softmax(lazy, where=lazy)
    with pytest.raises(sj.ShapeError, match=r"where has shape \(3,\)"):
        sj.softmax(lazy, where=np.ones(3, bool))


def test_dask_with_the_classes_in_several_chunks(sj, da):
    lazy = da.from_array(ROWS, chunks=(2, 3))
    with pytest.raises(sj.ShapeError, match=r"logits has 2 chunks along axis 1.*logits\.rechunk\(\{1: -1\}\)"):
        sj.softmax(lazy)
    with pytest.raises(sj.ShapeError, match=r"logits has 3 chunks along axis 0.*rechunk\(\{0: -1\}\)"):
        sj.softmax_jacobian(lazy, axis=0)
    with pytest.raises(sj.ShapeError, match=r"rechunk\(\{0: -1, 1: -1\}\)"):
        sj.logsumexp(lazy, axis=None)
    with pytest.raises(sj.ShapeError, match=r"tangent has 2 chunks along axis 1.*tangent\.rechunk"):
        sj.softmax_jvp(lazy.rechunk((2, -1)), lazy)
    np.testing.assert_array_equal(compute(sj.softmax(lazy.rechunk({1: -1}))), sj.softmax(ROWS))


def test_dask_mistakes_come_at_once(sj, da):
    lazy = da.from_array(ROWS, chunks=(2, -1))
    with pytest.raises(sj.ArgumentError, match="out goes with NumPy arrays only"):
        sj.softmax(lazy, out=np.empty((6, 4)))
    with pytest.raises(sj.AxisError, match="axis is 2"):
        sj.softmax(lazy, axis=2)
    with pytest.raises(sj.DTypeError, match="logits has dtype complex128"):
        sj.softmax(lazy * 1j)
    with pytest.raises(sj.ShapeError, match="4 and 3 classes"):
        sj.softmax_jvp(lazy, lazy[:, :3])


def test_dask_dtypes(sj, da):
    for dtype, expected in (("f4", "f4"), ("f2", "f2"), ("i4", "f8"), ("?", "f8")):
        lazy = da.from_array(np.ones((4, 3), dtype), chunks=(2, 3))
        assert sj.softmax(lazy).dtype == np.dtype(expected)
        assert compute(sj.softmax(lazy)).dtype == np.dtype(expected)


def test_dask_with_unknown_lengths(sj, da):
    lazy = da.from_array(ROWS, chunks=(2, -1))
    some, plain = lazy[lazy[:, 0] > 0], ROWS[ROWS[:, 0] > 0]
    for name in ("softmax", "logsumexp", "softmax_jacobian"):
        np.testing.assert_array_equal(compute(getattr(sj, name)(some)), getattr(sj, name)(plain))
    np.testing.assert_array_equal(compute(sj.softmax_jvp(some, some)), sj.softmax_jvp(plain, plain))
    np.testing.assert_array_equal(compute(sj.softmax(some, where=some > 0)), sj.softmax(plain, where=plain > 0))
    with pytest.raises(sj.ShapeError, match=r"unknown number of classes.*compute_chunk_sizes"):
        sj.softmax(some.T)


def test_dask_blocks_may_be_masked(sj, da):
    lazy = da.ma.masked_array(da.from_array(ROWS, chunks=(2, -1)), da.from_array(MASK, chunks=(2, -1)))
    result = compute(sj.softmax(lazy))
    np.testing.assert_array_equal(result.filled(9), sj.softmax(np.ma.MaskedArray(ROWS, MASK)).filled(9))


def test_dask_goes_on_lazily(sj, da):
    lazy = da.from_array(ROWS, chunks=(2, -1))
    entropy = -(sj.softmax(lazy) * sj.log_softmax(lazy)).sum(axis=-1)
    assert entropy.chunks == ((2, 2, 2),)
    np.testing.assert_allclose(compute(entropy), -(sj.softmax(ROWS) * sj.log_softmax(ROWS)).sum(axis=-1))


def test_dask_is_explained(sj, da):
    assert "stays lazy: each block by itself" in str(sj.explain_dispatch(da.from_array(ROWS, chunks=(2, -1))))
