"""Masked arrays: what is masked takes no part, and the result keeps the mask."""

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES, operands_like

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
