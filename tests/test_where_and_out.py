"""`where` and `out`: what they mean, for every function."""

import itertools

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES, logits, operands_like

SAME = [name for name in NAMES if FUNCTIONS[name].result == "same"]
PAIRS = [name for name in SAME if FUNCTIONS[name].tangents == 1]


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
