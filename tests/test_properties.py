"""Random shapes, broadcasting, strides, masks, dtypes and special values, against the rules and the oracle."""

import math

import numpy as np
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from functions import DTYPES, FUNCTIONS, NAMES, budget, same_bits
from hard_rows import limits
from softjac.check.ulp import format_of
from special_rules import expected
from ulp import Worst

# The fixture sj only says which kernels; it holds no state that an example could spoil.
drawn = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0]


@st.composite
def arrays(draw, shape, dtype, *, probabilities=False):
    """Numbers of some spread, a few of them replaced, in memory of some order and strides."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 20), label="seed"))
    spread = draw(st.sampled_from([0.1, 1.0, 10.0, 100.0]))
    values = rng.uniform(0.0, 0.5, shape) if probabilities else spread * rng.standard_normal(shape)
    most, least, _ = limits(dtype)
    replaced = st.one_of(st.sampled_from([*SPECIAL, least, -least, most, -most]), st.floats(-1000.0, 1000.0))
    if probabilities:
        replaced = st.sampled_from([0.0, 0.5, math.nan, least])
    for _ in range(draw(st.integers(0, 4)) if values.size else 0):
        place = draw(st.integers(0, values.size - 1))
        values.flat[place] = draw(replaced)
    with np.errstate(all="ignore"):
        return draw(laid_out(values.astype(dtype)))


@st.composite
def laid_out(draw, array):
    """A view of the same values with other strides: axes in another order in memory, backwards, with gaps."""
    order = draw(st.permutations(range(array.ndim)))
    steps = [draw(st.sampled_from([1, 1, 1, -1, 2, -2])) for _ in order]
    memory = np.zeros([array.shape[axis] * abs(step) for axis, step in zip(order, steps, strict=True)], array.dtype)
    view = memory[tuple(slice(None, None, step) for step in steps)].transpose(np.argsort(order))
    view[...] = array
    return view


@st.composite
def batch_part(draw, batch):
    """A shape that broadcasts to batch: some axes of length 1, some left out at the front."""
    kept = [1 if draw(st.booleans()) and draw(st.booleans()) else length for length in batch]
    return tuple(kept[draw(st.integers(0, len(kept))) if draw(st.booleans()) else 0 :])


@st.composite
def calls(draw):
    function = FUNCTIONS[draw(st.sampled_from(NAMES))]
    dtype = draw(st.sampled_from(DTYPES))
    batch = tuple(draw(st.lists(st.sampled_from([0, 1, 1, 2, 2, 3]), max_size=3)))
    if draw(st.booleans()):
        batch = (draw(st.integers(1, 18)),)
    n = draw(st.integers(1, 6 if function.result == "matrix" else 24))
    axis = -1 - draw(st.integers(0, len(batch)))
    operands = []
    for number in range(function.operands):
        part = draw(batch_part(batch)) if number and not function.keyword and axis == -1 else batch
        shape = list(part)
        shape.insert(len(shape) + 1 + axis, n)
        operands.append(draw(arrays(tuple(shape), dtype, probabilities=function.takes_probs and number == 0)))
    if function.name == "logsumexp_weighted" and dtype == np.float64:
        assume(ordinary_weights(operands[1]))
    where = None
    if draw(st.booleans()):
        full = operands[0].shape
        part = tuple(1 if draw(st.integers(0, 5)) == 0 else length for length in full)
        where = np.random.default_rng(draw(st.integers(0, 1000))).random(part) < draw(st.sampled_from([0.3, 0.8, 1.0]))
    return function, operands, axis, where


def ordinary_weights(b):
    """None so far from 1 that it could outweigh the largest logit: those have a test of their own."""
    size = np.abs(b[np.isfinite(b) & (b != 0.0)])
    return not size.size or (size.max() < 1e6 and size.min() > 1e-30)


def rows_of(operands, axis, where):
    """The batch shape, and for each row of it the operands and mask."""
    moved = [np.moveaxis(x, axis, -1) for x in operands]
    batch = np.broadcast_shapes(*(x.shape[:-1] for x in moved))
    n = moved[0].shape[-1]
    full = [np.broadcast_to(x, (*batch, n)) for x in moved]
    masks = None if where is None else np.moveaxis(np.broadcast_to(where, operands[0].shape), axis, -1)
    for place in np.ndindex(batch):
        yield place, [x[place] for x in full], None if masks is None else masks[place]


@drawn
@given(call=calls())
def test_any_call_follows_the_rules(call, sj):
    function, operands, axis, where = call
    note(f"{function.name}, shapes {[x.shape for x in operands]}, axis {axis}, {operands[0].dtype}")
    result = function(sj, *operands, axis=axis, where=where)
    dtype = operands[0].dtype
    fmt, budgeted, worst = format_of(dtype), budget(function, dtype), Worst()
    assert result.dtype == dtype
    shape = list(np.broadcast_shapes(*(np.moveaxis(x, axis, -1).shape for x in operands)))
    batch, n = tuple(shape[:-1]), shape[-1]
    tail = {"same": (n,), "row": (), "matrix": (n, n)}[function.result]
    by_row = np.moveaxis(np.asarray(result), axis, -1) if function.result == "same" else np.asarray(result)
    assert by_row.shape == (*batch, *tail)
    for place, row, part in rows_of(operands, axis, where):
        for entry, truth in expected(function, row, part).items():
            worst.add((row, part, entry), by_row[(*place, *entry)], truth, fmt, *budgeted)
    worst.check(at_least=0)


@drawn
@given(call=calls(), data=st.data())
def test_out_changes_nothing(call, data, sj):
    function, operands, axis, where = call
    expected_bits = function(sj, *operands, axis=axis, where=where)
    if not np.ndim(expected_bits):
        return
    out = data.draw(laid_out(np.zeros_like(expected_bits)))
    assert function(sj, *operands, axis=axis, where=where, out=out) is out
    assert same_bits(out, expected_bits)
    if out.shape == operands[0].shape and function.result == "same":
        first = operands[0]
        assert function(sj, first, *operands[1:], axis=axis, where=where, out=first) is first
        assert same_bits(first, expected_bits)


@drawn
@given(call=calls())
def test_a_mask_of_the_full_shape_is_the_same_mask(call, sj):
    function, operands, axis, where = call
    if where is None:
        return
    full = np.broadcast_to(where, operands[0].shape)
    first = function(sj, *operands, axis=axis, where=where)
    assert same_bits(first, function(sj, *operands, axis=axis, where=full))
    assert same_bits(first, function(sj, *operands, axis=axis, where=full.copy()))
