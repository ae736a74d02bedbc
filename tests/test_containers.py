"""np.ma, pandas and Dask: opened, computed, and closed again."""

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES, operands_like

SAME = [name for name in NAMES if FUNCTIONS[name].result == "same"]
ROWS = np.random.default_rng(0).standard_normal((6, 4))
MASK = np.random.default_rng(1).random((6, 4)) < 0.3
MASK[2] = True
MASK[3] = False


def spread(where, result, axis=-1):
    """The mask of a result."""
    where = np.moveaxis(where, axis, -1)
    if result == "row":
        return where.all(axis=-1)
    return where[..., :, None] | where[..., None, :]


# ------------------------------------------------------------------------------------------------------------- np.ma


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", NAMES)
def test_masked_elements_take_no_part(name, axis, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, ROWS)
    hidden = np.where(MASK, np.nan, operands[0])  # what is under the mask is not read
    result = function(sj, np.ma.MaskedArray(hidden, MASK), *operands[1:], axis=axis)
    expected = function(sj, *operands, axis=axis, where=~MASK)
    assert type(result) is np.ma.MaskedArray
    np.testing.assert_array_equal(result.data, expected)
    mask = MASK if function.result == "same" else spread(MASK, function.result, axis)
    np.testing.assert_array_equal(np.ma.getmaskarray(result), mask)


@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].many_axes])
def test_masked_with_several_axes(name, sj):
    function = FUNCTIONS[name]
    operands = [x.reshape(3, 2, 4) for x in operands_like(function, ROWS)]
    mask = MASK.reshape(3, 2, 4)
    for axis in ((0, 2), None):
        result = function(sj, np.ma.MaskedArray(operands[0], mask), *operands[1:], axis=axis)
        expected = function(sj, *operands, axis=axis, where=~mask)
        np.testing.assert_array_equal(np.ma.getdata(result), expected)
        hidden = mask if function.result == "same" else mask.all(axis=axis)
        np.testing.assert_array_equal(np.ma.getmaskarray(result), hidden)


def test_masked_in_any_operand(sj):
    v = np.ma.MaskedArray(np.ones((6, 4)), MASK)
    result = sj.softmax_jvp(ROWS, v)
    np.testing.assert_array_equal(result.data, sj.softmax_jvp(ROWS, np.ones((6, 4)), where=~MASK))
    np.testing.assert_array_equal(result.mask, MASK)
    # A vector with a mask stands beside every row.
    one = np.ma.MaskedArray([1.0, 2, 3, 4], [0, 0, 1, 0])
    result = sj.softmax_jvp(ROWS, one)
    np.testing.assert_array_equal(result.mask, np.broadcast_to(one.mask, (6, 4)))
    np.testing.assert_array_equal(result.data, sj.softmax_jvp(ROWS, one.data, where=~one.mask))
    # Rows that the other operand adds.
    result = sj.softmax_jvp(one, np.ma.MaskedArray(ROWS, MASK))
    np.testing.assert_array_equal(result.mask, MASK | one.mask)
    weighted = sj.logsumexp(ROWS, b=np.ma.MaskedArray(np.ones((6, 4)), MASK))
    np.testing.assert_array_equal(weighted.data, sj.logsumexp(ROWS, where=~MASK))


def test_mask_and_where(sj):
    where = ROWS > -0.5
    result = sj.softmax(np.ma.MaskedArray(ROWS, MASK), where=where)
    np.testing.assert_array_equal(result.data, sj.softmax(ROWS, where=where & ~MASK))
    np.testing.assert_array_equal(result.mask, MASK)  # what `where` left out is 0, not masked
    masked_where = np.ma.MaskedArray(where, MASK)  # of a masked condition nothing is known: left out
    np.testing.assert_array_equal(sj.softmax(ROWS, where=masked_where), sj.softmax(ROWS, where=where & ~MASK))


def test_masked_without_a_mask(sj):
    result = sj.softmax(np.ma.MaskedArray(ROWS))
    assert not result.mask.any()
    np.testing.assert_array_equal(result.data, sj.softmax(ROWS))


def test_masked_dtypes_and_scalars(sj):
    assert sj.softmax(np.ma.MaskedArray(ROWS.astype(np.float32), MASK)).dtype == np.float32
    assert sj.softmax(np.ma.MaskedArray([1, 2], [0, 1])).dtype == np.float64
    assert type(sj.logsumexp(np.ma.MaskedArray(ROWS, MASK), axis=None)) is np.float64
    assert sj.logsumexp(np.ma.MaskedArray([1.0, 2.0], True)) is np.ma.masked
    kept = sj.logsumexp(np.ma.MaskedArray(ROWS, MASK), axis=0, keepdims=True)
    assert kept.shape == (1, 4)
    with pytest.raises(sj.DTypeError, match="logits has dtype complex128"):
        sj.softmax(np.ma.MaskedArray([1j]))


def test_masked_out(sj):
    z = np.ma.MaskedArray(ROWS, MASK)
    expected = sj.softmax(z)
    out = np.empty((6, 4))
    assert sj.softmax(z, out=out) is out
    np.testing.assert_array_equal(out, expected.data)
    out = np.ma.MaskedArray(np.empty((6, 4)), False)
    assert sj.softmax(z, out=out) is out
    np.testing.assert_array_equal(out.mask, MASK)
    np.testing.assert_array_equal(out.filled(9), expected.filled(9))
    with pytest.raises(sj.ShapeError, match="out has shape"):
        sj.softmax(z, out=np.empty(3))
    in_place = z.copy()
    assert sj.softmax(in_place, out=in_place) is in_place
    np.testing.assert_array_equal(in_place.filled(9), expected.filled(9))


def test_masked_is_explained(sj):
    assert "what is masked takes no part" in str(sj.explain_dispatch(np.ma.MaskedArray(ROWS, MASK)))


# ------------------------------------------------------------------------------------------------------------- pandas


@pytest.fixture(scope="module")
def pd():
    return pytest.importorskip("pandas", reason="pandas is not installed: pip install 'softjac[test]'")


@pytest.fixture
def frame(pd):
    return pd.DataFrame(ROWS, index=list("uvwxyz"), columns=["a", "b", "c", "d"])


@pytest.mark.parametrize("name", SAME)
def test_frames_keep_their_labels(name, sj, pd, frame):
    function = FUNCTIONS[name]
    operands = operands_like(function, ROWS)
    first = pd.DataFrame(operands[0], index=frame.index, columns=frame.columns)
    for axis in (0, 1, -1, -2):
        result = function(sj, first, *operands[1:], axis=axis)
        assert type(result) is pd.DataFrame
        assert result.index.equals(frame.index)
        assert result.columns.equals(frame.columns)
        np.testing.assert_array_equal(result.to_numpy(), function(sj, *operands, axis=axis))
        frames = [pd.DataFrame(x, index=frame.index, columns=frame.columns) for x in operands]
        pd.testing.assert_frame_equal(function(sj, *frames, axis=axis), result)
    column = function(sj, first["b"], *(x[:, 1] for x in operands[1:]))
    assert type(column) is pd.Series
    assert column.name == "b"
    assert column.index.equals(frame.index)


def test_frames_with_several_axes(sj, pd, frame):
    for axis in (None, (0, 1)):
        result = sj.softmax(frame, axis=axis)
        assert type(result) is pd.DataFrame
        np.testing.assert_array_equal(result, sj.softmax(ROWS, axis=axis))


def test_logsumexp_of_a_frame_is_a_series_of_the_other_axis(sj, pd, frame):
    for b in (None, np.abs(ROWS), frame.abs(), [1.0, 2.0, 0.0, 1.0]):
        plain = b.to_numpy() if isinstance(b, pd.DataFrame) else b
        for axis, labels in (
            (1, frame.index),
            (-1, frame.index),
            (0, frame.columns),
            (-2, frame.columns),
            ((0,), frame.columns),
        ):
            result = sj.logsumexp(frame, axis=axis, b=b)
            assert type(result) is pd.Series
            assert result.index.equals(labels)
            np.testing.assert_array_equal(result, sj.logsumexp(ROWS, axis=axis, b=plain))
    assert type(sj.logsumexp(frame, axis=None)) is np.float64
    assert type(sj.logsumexp(frame["a"])) is np.float64
    assert type(sj.logsumexp(frame, keepdims=True)) is np.ndarray
    square = frame.iloc[:4]
    assert sj.logsumexp(square, axis=0).index.equals(frame.columns)


def test_jacobians_of_frames_are_arrays(sj, frame):
    for axis in (0, 1):
        result = sj.softmax_jacobian(frame, axis=axis)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, sj.softmax_jacobian(ROWS, axis=axis))
    assert sj.softmax_jacobian(frame["a"]).shape == (6, 6)


def test_derivatives_follow_their_logits(sj, pd, frame):
    assert type(sj.softmax_jvp(ROWS, frame)) is np.ndarray
    assert type(sj.softmax_jvp(frame, ROWS)) is pd.DataFrame
    assert type(sj.softmax_jvp(frame, ROWS[0])) is pd.DataFrame
    np.testing.assert_array_equal(sj.softmax_jvp(frame, frame["a"], axis=0), sj.softmax_jvp(ROWS, ROWS[:, 0], axis=0))
    assert type(sj.softmax_vjp(None, frame, probs=sj.softmax(frame))) is pd.DataFrame
    larger = sj.softmax_jvp(frame, np.ones((2, 6, 4)))  # more than a frame can label
    assert type(larger) is np.ndarray
    assert larger.shape == (2, 6, 4)


def test_labels_that_differ_are_no_accident(sj, frame):
    other = frame.iloc[::-1]
    with pytest.raises(
        sj.ArgumentError, match=r"tangent and logits have different labels.*tangent\.reindex_like\(logits\)"
    ):
        sj.softmax_jvp(frame, other)
    np.testing.assert_array_equal(sj.softmax_jvp(frame, other.reindex_like(frame)), sj.softmax_jvp(ROWS, ROWS))
    np.testing.assert_array_equal(sj.softmax_jvp(frame, other.to_numpy()), sj.softmax_jvp(ROWS, ROWS[::-1]))
    with pytest.raises(sj.ArgumentError, match="where and logits have different labels"):
        sj.softmax(frame, where=other > 0)


def test_where_of_a_frame(sj, pd, frame):
    result = sj.softmax(frame, where=frame > 0)
    assert type(result) is pd.DataFrame
    np.testing.assert_array_equal(result, sj.softmax(ROWS, where=ROWS > 0))
    np.testing.assert_array_equal(sj.softmax(ROWS, where=frame > 0), sj.softmax(ROWS, where=ROWS > 0))
    with pytest.raises(sj.DTypeError, match="where has dtype float64"):
        sj.softmax(frame, where=frame)


def test_columns_of_several_dtypes(sj, pd):
    mixed = pd.DataFrame({"a": [1, 2, 3], "b": np.float32([0.5, 1, 2]), "c": [True, False, True]})
    result = sj.softmax(mixed)
    assert (result.dtypes == np.float64).all()
    np.testing.assert_array_equal(result, sj.softmax([[1, 0.5, 1], [2, 1, 0], [3, 2, 1]]))
    narrow = pd.DataFrame({"a": np.float32([1, 2]), "b": np.float16([1, 2])})
    assert (sj.softmax(narrow).dtypes == np.float32).all()
    whole = pd.DataFrame(ROWS.astype(np.float32))
    assert (sj.softmax(whole).dtypes == np.float32).all()
    assert sj.logsumexp(whole).dtype == np.float32


def test_nullable_columns(sj, pd):
    nullable = pd.DataFrame(
        {
            "a": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([0.5, 1, 2], dtype="Float32"),
            "c": pd.array([True, False, None], dtype="boolean"),
        }
    )
    result = sj.softmax(nullable)
    assert (result.dtypes == np.float64).all()
    np.testing.assert_array_equal(result, sj.softmax([[1, 0.5, 1], [np.nan, 1, 0], [3, 2, np.nan]]))
    assert sj.softmax(nullable["b"]).dtype == np.float32
    assert sj.softmax(nullable["a"]).isna().all()


def test_sparse_columns(sj, pd):
    sparse = pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 0, 1]), "b": pd.arrays.SparseArray([1, 0, 0])})
    np.testing.assert_array_equal(sj.softmax(sparse), sj.softmax([[0, 1], [0, 0], [1, 0]]))


def test_columns_without_numbers_are_named(sj, pd):
    good = [1.0, 2.0]
    bad = {
        "words": (["x", "y"], "str|object"),
        "when": (pd.to_datetime(["2020", "2021"]), "datetime64"),
        "kind": (pd.Categorical([1, 2]), "category"),
        "spiral": (np.array([1j, 2]), "complex128"),
        "things": (np.array([1, None], dtype=object), "object"),
        "zones": (pd.to_datetime(["2020", "2021"], utc=True), "datetime64"),
    }
    for label, (values, dtype) in bad.items():
        with pytest.raises(sj.DTypeError, match=f"column '{label}' of logits has dtype ({dtype})"):
            sj.softmax(pd.DataFrame({"fine": good, label: values}))
        with pytest.raises(sj.DTypeError, match=f"tangent has dtype ({dtype})"):
            sj.softmax_jvp([1.0, 2.0], pd.Series(values))


def test_frames_with_odd_labels(sj, pd):
    twice = pd.DataFrame(ROWS, columns=["a", "a", "b", "b"])
    assert list(sj.softmax(twice).columns) == ["a", "a", "b", "b"]
    many = pd.DataFrame(ROWS, index=pd.MultiIndex.from_product([[1, 2], list("xyz")]))
    assert sj.logsumexp(many).index.equals(many.index)
    assert sj.softmax(pd.DataFrame(index=range(3))).shape == (3, 0)
    np.testing.assert_array_equal(sj.logsumexp(pd.DataFrame(index=range(3))), [-np.inf] * 3)
    assert sj.softmax(pd.DataFrame(columns=["a"], dtype=float)).shape == (0, 1)


def test_frames_with_out(sj, frame):
    out = np.empty((6, 4))
    assert sj.softmax(frame, out=out) is out
    np.testing.assert_array_equal(out, sj.softmax(ROWS))


def test_frames_are_not_written_to(sj, frame):
    before = frame.copy()
    sj.softmax(frame)
    result = sj.softmax(frame, where=frame > 0)
    result.iloc[:, 0] = 5
    assert frame.equals(before)


def test_axis_of_a_frame_goes_by_number(sj, frame):
    with pytest.raises(sj.DTypeError, match="axis is 'columns': pass an int"):
        sj.softmax(frame, axis="columns")
    with pytest.raises(sj.AxisError, match=r"axis is 2, but logits has shape \(6, 4\)"):
        sj.softmax(frame, axis=2)


def test_frames_are_explained(sj, frame):
    assert "the result gets the labels" in str(sj.explain_dispatch(frame))
    assert "pandas.Series" in str(sj.explain_dispatch(frame["a"]))


# --------------------------------------------------------------------------------------------------------------- Dask


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
