"""Axis, dtype, memory, `where` and `out`: what an argument means, for every function."""

import itertools

import numpy as np
import pytest

from functions import BFLOAT16, DTYPES, FUNCTIONS, NAMES, operands_like

SAME = [name for name in NAMES if FUNCTIONS[name].result == "same"]
MANY_AXES = [name for name in NAMES if FUNCTIONS[name].many_axes]
PAIRS = [name for name in SAME if FUNCTIONS[name].tangents == 1]


def logits(shape, dtype=np.float64, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


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


# ---------------------------------------------------------------------------------------------------------- dtypes


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


# ------------------------------------------------------------------------------------------------------------ memory


def memory_kinds(x, tmp_path):
    """The same numbers in memory of many kinds."""
    n = x.shape[-1]
    wide = np.zeros((*x.shape[:-1], 2 * n), x.dtype)
    wide[..., ::2] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    bytes_of = np.zeros(x.nbytes + 1, dtype=np.uint8)
    unaligned = bytes_of[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    mapped = np.memmap(tmp_path / str(x.ctypes.data), dtype=x.dtype, mode="w+", shape=x.shape)
    mapped[...] = x
    return {
        "Fortran order": np.asfortranarray(x),
        "every second": wide[..., ::2],
        "reversed": x[..., ::-1].copy()[..., ::-1],
        "transposed": np.ascontiguousarray(x.T).T,
        "read-only": read_only,
        "other byte order": x.astype(x.dtype.newbyteorder("S")),
        "not aligned": unaligned,
        "memory-mapped": mapped,
        "a matrix": np.matrix(x),
        "a subclass": x.view(type("Sub", (np.ndarray,), {})),
    }


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "i4"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_memory_of_every_kind(name, dtype, sj, tmp_path):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((5, 6)) * 3)
    operands = [x.astype(dtype) for x in operands]
    expected = function(sj, *operands)
    kinds = [memory_kinds(x, tmp_path) for x in operands]
    for kind in kinds[0]:
        given = [of_operand[kind] for of_operand in kinds]
        before = [np.array(x) for x in given]
        result = function(sj, *given)
        assert type(result) is np.ndarray, kind
        assert result.dtype == expected.dtype
        assert result.dtype.isnative
        np.testing.assert_array_equal(result, expected, err_msg=kind)
        for x, copy in zip(given, before, strict=True):
            np.testing.assert_array_equal(x, copy)


@pytest.mark.parametrize("name", SAME)
def test_results_keep_the_memory_order_of_the_logits(name, sj):
    function = FUNCTIONS[name]
    orders = [logits((3, 4, 5)).transpose(order) for order in itertools.permutations(range(3))]
    for z in [*orders, *(x.astype("i8") for x in orders), *(x.astype(">f4") for x in orders)]:
        operands = [z, *[z] * function.tangents]
        for axis in range(3):
            assert (
                function(sj, *operands, axis=axis).strides
                == np.negative(z.astype(function(sj, *operands).dtype)).strides
            )


def test_uint16_logits_are_numbers(sj):
    """The compiled core reads uint16 as the bits of bfloat16, but not those of a user."""
    z = np.array([0, 1, 2], dtype=np.uint16)
    np.testing.assert_array_equal(sj.softmax(z), sj.softmax([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(sj.softmax_jvp(z, z), sj.softmax_jvp([0.0, 1, 2], [0.0, 1, 2]))
    with pytest.raises(sj.DTypeError):
        sj.softmax(z, out=z)
    np.testing.assert_array_equal(z, [0, 1, 2])


def test_empty_inputs(sj):
    for name, function in FUNCTIONS.items():
        for shape in ((0, 3), (2, 0, 3), (3, 0), (0, 0), (0,)):
            operands = [np.zeros(shape)] * function.operands
            result = function(sj, *operands)
            assert np.shape(result) == function.result_shape(shape), name
            if function.result == "row":
                np.testing.assert_array_equal(result, -np.inf)
            assert result.dtype == np.float64
    assert sj.logsumexp([]) == -np.inf
    assert sj.logsumexp(np.zeros((0, 3)), axis=None) == -np.inf
    np.testing.assert_array_equal(sj.logsumexp(np.zeros((2, 0)), keepdims=True), [[-np.inf], [-np.inf]])
    assert sj.softmax([]).shape == (0,)


# ------------------------------------------------------------------------------------------------------ where and out


@pytest.mark.parametrize("name", NAMES)
def test_where_broadcasts(name, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((3, 4)))
    for where in (
        True,
        False,
        [True, False, True, True],
        [[True], [False], [True]],
        np.array([[True, True, False, True]]),
    ):
        full = np.array(np.broadcast_to(where, (3, 4)))
        np.testing.assert_array_equal(function(sj, *operands, where=where), function(sj, *operands, where=full))
    where = np.array([True, False, True])
    if function.result == "same":
        by_column = function(sj, *operands, axis=0, where=where[:, None])
        rows = [np.ascontiguousarray(x.T) for x in operands]
        np.testing.assert_allclose(by_column.T, function(sj, *rows, where=where), rtol=1e-13)


@pytest.mark.parametrize("name", PAIRS)
def test_where_goes_with_the_logits(name, sj):
    function = FUNCTIONS[name]
    first = operands_like(function, logits((3, 4)))[0]
    where = logits((3, 4), seed=3) > 0
    tangent = logits((2, 3, 4), seed=2)
    both = function(sj, first, tangent, where=where)
    for i in range(2):
        np.testing.assert_allclose(both[i], function(sj, first, tangent[i], where=where), rtol=1e-13)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", NAMES)
def test_where_is_the_row_without_the_element(name, axis, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((5,)))
    where = np.array([True, False, True, True, False])
    for i, operand in enumerate(operands):  # nothing of a masked element is read
        operand[1] = np.nan if i else np.inf
    short = function(sj, *(x[where] for x in operands), axis=axis)
    result = function(sj, *operands, axis=axis, where=where)
    if function.result == "row":
        np.testing.assert_allclose(result, short, rtol=1e-14)
        return
    kept = result[where] if function.result == "same" else result[where][:, where]
    np.testing.assert_allclose(kept, short, rtol=1e-13)
    rest = {"log_softmax": -np.inf, "softmax_complement": 1.0}.get(name, 0.0)
    masked = result[~where] if function.result == "same" else np.concatenate([result[~where], result[:, ~where].T])
    np.testing.assert_array_equal(masked, rest)


@pytest.mark.parametrize("name", NAMES)
def test_out_is_filled_and_returned(name, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((3, 4)))
    expected = function(sj, *operands)
    for out in (
        np.empty(expected.shape),
        np.asfortranarray(np.empty(expected.shape)),
        np.empty((2, *expected.shape))[1],
    ):
        assert function(sj, *operands, out=out) is out
        np.testing.assert_array_equal(out, expected)
        # Also where the arguments have to be converted first.
        out.fill(7)
        assert function(sj, *(x.astype(">f8") for x in operands), out=out) is out
        np.testing.assert_array_equal(out, expected)
    axes = [0, None, (1, 0)] if function.many_axes else [0]
    for axis in axes:
        expected = function(sj, *operands, axis=axis)
        out = np.empty(np.shape(expected))
        assert function(sj, *operands, axis=axis, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", SAME)
def test_out_may_be_an_operand(name, sj):
    function = FUNCTIONS[name]
    operands = operands_like(function, logits((40, 50)))
    for axis, position in itertools.product([0, 1], range(len(operands))):
        expected = function(sj, *operands, axis=axis)
        fresh = [x.copy() for x in operands]
        assert function(sj, *fresh, axis=axis, out=fresh[position]) is fresh[position]
        np.testing.assert_array_equal(fresh[position], expected)


@pytest.mark.parametrize("name", NAMES)
def test_out_that_overlaps_otherwise(name, sj):
    """Shifted, transposed, reversed: the result is exact all the same."""
    function = FUNCTIONS[name]
    n = 6
    operands = operands_like(function, logits((n, n)))
    shape = np.shape(function(sj, *operands))
    for place in ("shifted", "transposed", "reversed", "at the mask"):
        memory = np.zeros(n * n * n + n * n + 1)
        start = memory[: n * n].reshape(n, n)
        start[...] = operands[0]
        size = int(np.prod(shape))
        out = memory[1 : size + 1].reshape(shape) if place == "shifted" else memory[:size].reshape(shape)
        if place == "transposed":
            out = out.swapaxes(0, -1)
        if place == "reversed":
            out = out[::-1]
        options = {}
        if place == "at the mask":
            options = {"where": memory[-n * n :].view(np.bool_)[: n * n].reshape(n, n)}
            options["where"][...] = logits((n, n)) > -1
            out = memory[-size:].reshape(shape)
        expected = function(sj, *operands, **{key: value.copy() for key, value in options.items()})
        function(sj, start, *operands[1:], out=out, **options)
        np.testing.assert_array_equal(out, expected, err_msg=place)


def test_out_with_one_class_and_keepdims_may_be_the_logits(sj):
    z = logits((5, 1))
    expected = z.copy()
    assert sj.logsumexp(z, keepdims=True, out=z) is z
    np.testing.assert_array_equal(z, expected)


def test_out_keeps_nan_and_infinity_quiet(sj):
    with np.errstate(all="raise"):
        out = np.empty(3, dtype=np.float16)
        sj.softmax(np.array([np.inf, np.nan, 1], dtype=np.float16), out=out)
        sj.softmax(np.array([6e4, -6e4, 1], dtype=np.float16), out=out)
        sj.logsumexp(np.array([np.finfo(np.float32).max] * 3, dtype=np.float32))
        sj.logsumexp([1, -1e308, 1e308], b=[-1, 5, 1e-300])
        sj.softmax_jvp([1.0, 2.0], [np.inf, np.finfo(float).max])
