"""No function writes to what it was given, unless that is `out`."""

import numpy as np
import pytest

from functions import DTYPE_NAMES, DTYPES, FUNCTIONS, NAMES, bits, operands_like, same_bits


def some(function, shape, dtype):
    z = np.random.default_rng(0).standard_normal(shape) * 3
    if not function.takes_probs:
        z[0, 0], z[1 % shape[0], -1] = -np.inf, np.inf
    return operands_like(function, z.astype(dtype), seed=1)


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_operands_and_mask_keep_their_bits(name, dtype, sj):
    function = FUNCTIONS[name]
    for shape in [(2, 3), (20, 7), (3, 100)]:
        operands = some(function, shape, dtype)
        where = np.random.default_rng(2).random(shape) < 0.7
        before = [bits(x).copy() for x in operands]
        mask_before = where.copy()
        result = function(sj, *operands)
        function(sj, *operands, where=where)
        function(sj, *operands, out=np.empty_like(result))
        function(sj, *(np.asfortranarray(x) for x in operands), where=np.asfortranarray(where))
        if dtype == np.float64:
            function(sj, *(x.astype(np.float32) if i else x for i, x in enumerate(operands)))
        assert all(np.array_equal(bits(x), y) for x, y in zip(operands, before, strict=True))
        assert np.array_equal(where, mask_before)
        assert not any(np.shares_memory(result, x) for x in operands)


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_read_only_operands_are_taken(name, dtype, sj):
    function = FUNCTIONS[name]
    for shape in [(2, 3), (20, 7), (3, 100)]:
        operands = some(function, shape, dtype)
        expected = function(sj, *operands)
        where = np.ones(shape, bool)
        for array in [*operands, where]:
            array.flags.writeable = False
        assert same_bits(function(sj, *operands), expected)
        assert same_bits(function(sj, *operands, where=where), expected)
        result = function(sj, *operands)
        assert result.flags.writeable


@pytest.mark.parametrize("name", NAMES)
def test_lists_and_integers_stay_as_they_are(name, sj):
    function = FUNCTIONS[name]
    lists = [[1.0, 2.0, 3.0], [0.5, 0.25, 0.125], [1.0, -1.0, 2.0]][: function.operands]
    copies = [list(x) for x in lists]
    function(sj, *lists)
    assert lists == copies
    for dtype in [np.int8, np.uint16, np.int64, np.bool_]:
        operands = [np.asarray([1, 0, 1], dtype) for _ in range(function.operands)]
        result = function(sj, *operands)
        assert np.asarray(result).dtype == np.float64
        assert all(np.array_equal(x, [1, 0, 1]) and x.dtype == dtype for x in operands)


WITH_ANOTHER_OPERAND = [name for name in NAMES if FUNCTIONS[name].result == "same" and FUNCTIONS[name].tangents]


@pytest.mark.parametrize("name", WITH_ANOTHER_OPERAND)
def test_only_out_is_written_when_an_operand_is_out(name, sj):
    function = FUNCTIONS[name]
    for number in range(function.operands):
        operands = some(function, (20, 7), np.float64)
        before = [x.copy() for x in operands]
        function(sj, *operands, out=operands[number])
        for i, (x, y) in enumerate(zip(operands, before, strict=True)):
            assert i == number or np.array_equal(bits(x), bits(y))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_when_the_arguments_are_refused(name, sj):
    function = FUNCTIONS[name]
    operands = some(function, (2, 3), np.float64)
    out = np.full(function.result_shape((2, 3)), 7.0)
    with pytest.raises(sj.SoftjacError):
        function(sj, *operands, axis=5, out=out)
    with pytest.raises(sj.SoftjacError):
        function(sj, *operands, where=np.ones((4, 3), bool), out=out)
    with pytest.raises(sj.SoftjacError):
        function(sj, *(x.astype(np.float32) for x in operands), out=out)
    assert (out == 7.0).all()
