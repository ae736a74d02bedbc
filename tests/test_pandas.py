"""pandas: computed as an array, and given its labels back."""

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES, operands_like

SAME = [name for name in NAMES if FUNCTIONS[name].result == "same"]
ROWS = np.random.default_rng(0).standard_normal((6, 4))


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
