"""Axis and dtype: what they mean, for every function."""

import numpy as np
import pytest

from functions import BFLOAT16, DTYPES, FUNCTIONS, NAMES, logits, operands_like

SAME = [name for name in NAMES if FUNCTIONS[name].result == "same"]
MANY_AXES = [name for name in NAMES if FUNCTIONS[name].many_axes]
PAIRS = [name for name in SAME if FUNCTIONS[name].tangents == 1]


def row_by_row(sj, function, operands, axis, **options):
    """The function called for one row after the other: operands of one shape, results with class axes last."""
    last = [np.moveaxis(x, axis, -1) for x in operands]
    batch = last[0].shape[:-1]
    rows = {i: function(sj, *(np.ascontiguousarray(x[i]) for x in last), **options) for i in np.ndindex(batch)}
    first = next(iter(rows.values()))
    stacked = np.empty(batch + np.shape(first), dtype=first.dtype)
    for i, row in rows.items():
        stacked[i] = row
    return stacked


def last(function, result, axis):
    return np.moveaxis(result, axis, -1) if function.result == "same" else result


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3, np.int8(1)])
@pytest.mark.parametrize("name", NAMES)
def test_axis_is_where_the_classes_are(name, axis, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((3, 4, 5)))
    result = function(sj, *operands, axis=axis)
    assert result.shape == function.result_shape((3, 4, 5), axis)
    np.testing.assert_allclose(last(function, result, axis), row_by_row(sj, function, operands, axis), rtol=1e-13)


@pytest.mark.parametrize("axis", [None, (), (0,), (1, 2), (2, 0), (-1, 0, 1), (np.int64(1), -3)])
@pytest.mark.parametrize("name", MANY_AXES)
def test_several_axes_are_one_row(name, axis, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((3, 4, 5)))
    together = range(3) if axis is None else [i % 3 for i in axis]
    rest = [i for i in range(3) if i not in together]
    flat = [x.transpose(*rest, *sorted(together)).reshape(*(x.shape[i] for i in rest), -1) for x in operands]
    expected = function(sj, *flat)
    result = function(sj, *operands, axis=axis)
    if function.result == "same":
        assert result.shape == (3, 4, 5)
        result = result.transpose(*rest, *sorted(together)).reshape(expected.shape)
    np.testing.assert_allclose(result, expected, rtol=1e-13)


@pytest.mark.parametrize("axis", [0, -1, (0, 2), None])
def test_keepdims(axis, sj):
    z, b = logits((3, 4, 5)), logits((3, 4, 5), seed=2)
    for weights in (None, b):
        kept = sj.logsumexp(z, axis=axis, b=weights, keepdims=True)
        assert kept.shape == np.sum(z, axis=axis, keepdims=True).shape
        np.testing.assert_array_equal(kept.reshape(-1), np.ravel(sj.logsumexp(z, axis=axis, b=weights)))
        out = np.empty_like(kept)
        assert sj.logsumexp(z, axis=axis, b=weights, keepdims=True, out=out) is out
        np.testing.assert_array_equal(out, kept)


def test_a_column_is_rows_of_one_class_unless_axis_says_otherwise(sj):
    column = logits((5, 1))
    np.testing.assert_array_equal(sj.softmax(column), np.ones((5, 1)))
    np.testing.assert_array_equal(sj.softmax(column, axis=0)[:, 0], sj.softmax(column[:, 0]))
    assert sj.softmax_jacobian(column, axis=0).shape == (1, 5, 5)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_broadcast_beside_the_class_axis(name, axis, sj):
    function = FUNCTIONS[name]
    n = 4
    shapes = [((3, n), (3, n)), ((2, 3, n), (3, n)), ((3, 1, n), (1, 2, n)), ((3, n), (2, 3, n)), ((1, n), (3, n))]
    for first_shape, second_shape in shapes:
        rows = operands_like(function, logits(first_shape))[0], logits(second_shape, seed=2)
        operands = [np.moveaxis(x, -1, axis) for x in rows]
        expected = function(sj, *(np.array(x) for x in np.broadcast_arrays(*rows)))
        result = function(sj, *operands, axis=axis)
        # As NumPy's generalized ufuncs do it: the class axis of the result stands at `axis` of the result.
        np.testing.assert_allclose(np.moveaxis(result, axis, -1), expected, rtol=1e-13)


def test_pairs_with_a_vector(sj):
    z, v = logits((3, 4)), logits(4, seed=2)
    np.testing.assert_array_equal(sj.softmax_jvp(z, v), sj.softmax_jvp(z, np.stack([v] * 3)))
    np.testing.assert_array_equal(
        sj.softmax_second_derivative(v, z, v), sj.softmax_second_derivative([v] * 3, z, [v] * 3)
    )
    # axis counts in each operand by itself.
    np.testing.assert_array_equal(sj.softmax_jvp(z.T, v, axis=0), sj.softmax_jvp(z, v).T)


def test_weights_broadcast_element_by_element(sj):
    z = logits((3, 4))
    for b in (2.0, logits(4), logits((3, 1)), logits((2, 1, 4)), [1, 0, 2, 1]):
        full_z, full_b = (np.array(x) for x in np.broadcast_arrays(z, np.asarray(b, dtype=float)))
        for axis in (-1, 0, None):
            result = sj.logsumexp(z, b=b, axis=axis)
            np.testing.assert_array_equal(result, sj.logsumexp(full_z, b=full_b, axis=axis))
    assert sj.logsumexp(z, b=logits((2, 1, 1))).shape == (2, 3)


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(np.longdouble)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_floats_come_back_as_they_came(name, dtype, sj):
    function = FUNCTIONS[name]
    assert function(sj, *operands_like(function, logits((3, 4), dtype))).dtype == dtype


@pytest.mark.parametrize("dtype", ["bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("name", NAMES)
def test_integers_and_booleans_become_float64(name, dtype, sj):
    function = FUNCTIONS[name]
    integers = np.array([[1, 0, 2, 1], [0, 1, 1, 3]]).astype(dtype)
    operands = [integers] * function.operands
    result = function(sj, *operands)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(result, function(sj, *(x.astype(float) for x in operands)))


def test_large_integers_are_rounded_to_float64(sj):
    assert sj.logsumexp(np.array([2**62, 0])) == 2.0**62
    np.testing.assert_array_equal(sj.softmax(np.array([2**64 - 1, 0], dtype=np.uint64)), [1.0, 0.0])


@pytest.mark.parametrize("name", NAMES)
def test_lists_and_numbers_become_float64(name, sj):
    function = FUNCTIONS[name]
    nested = [[1, 2.5, True, 0], (0, 1, 2, 3)]
    result = function(sj, *[nested] * function.operands)
    assert result.dtype == np.float64
    array = np.array([[1, 2.5, 1, 0], [0, 1, 2, 3]])
    np.testing.assert_array_equal(result, function(sj, *[array] * function.operands))
    assert sj.softmax([np.float32(1), np.float32(2)]).dtype == np.float64


def test_common_dtype_of_two_operands(sj):
    z32, z64, z16, ints = (logits(3).astype(dtype) for dtype in ("f4", "f8", "f2", "i4"))
    cases = [(z32, z64, "f8"), (z16, z32, "f4"), (z32, ints, "f8"), (z32, [1.0, 2.0, 3.0], "f8"), (z16, z16, "f2")]
    cases.append((z32, logits(3, np.longdouble), np.longdouble))
    for first, second, dtype in cases:
        assert sj.softmax_jvp(first, second).dtype == np.dtype(dtype)
        assert sj.softmax_jvp(second, first).dtype == np.dtype(dtype)
        assert sj.logsumexp(first, b=second).dtype == np.dtype(dtype)
    assert sj.softmax_second_derivative(z16, z32, z64).dtype == np.float64


@pytest.mark.skipif(not BFLOAT16, reason="ml_dtypes is not installed: pip install 'softjac[test]'")
def test_common_dtype_with_bfloat16(sj):
    (bfloat16,) = BFLOAT16
    z = logits(3).astype(bfloat16)
    for other, dtype in [(bfloat16, bfloat16), ("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("g", "g")]:
        assert sj.softmax_jvp(z, logits(3).astype(other)).dtype == np.dtype(dtype)
    expected = sj.softmax(z.astype(np.float64)).astype(bfloat16)
    np.testing.assert_array_equal(sj.softmax(z).astype(float), expected.astype(float))


def test_numpy_scalars_come_out_where_nothing_is_left(sj):
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        z = logits(4, dtype)
        for result in (
            sj.logsumexp(z),
            sj.logsumexp(z, axis=None),
            sj.logsumexp(z, b=z * z),
            sj.logsumexp(z, axis=(0,)),
        ):
            assert type(result) is dtype
        one = sj.softmax(dtype(3), axis=None)
        assert type(one) is dtype
        assert one == 1
        assert sj.logsumexp(dtype(3), axis=None) == 3
    assert sj.softmax_complement(3.0, axis=None) == 0
    assert sj.log_softmax(3, axis=None) == 0
    out = np.empty(())
    assert sj.logsumexp([1.0, 2.0], out=out) is out
    assert out == sj.logsumexp([1.0, 2.0])
