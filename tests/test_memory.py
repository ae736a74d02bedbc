"""Inputs in memory of every kind, in the order the caller chose, and empty ones."""

import itertools

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES, logits, operands_like

SAME = [name for name in NAMES if FUNCTIONS[name].result == "same"]


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
