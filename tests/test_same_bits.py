"""With the compiled core a row has the same bits, whatever stands around it and whatever computes it.

The truth of each row here is that row alone, as a vector of adjacent elements; tests/test_accuracy.py holds its values.
"""

import hashlib
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import softjac
from functions import DTYPE_NAMES, DTYPES, FUNCTIONS, NAMES, bits, operands_like, same_bits
from hard_rows import hard_rows

pytestmark = pytest.mark.compiled

BATCHES = [1, 2, 15, 16, 17, 33, 1000]
DISTINCT = 37  # rows; larger batches repeat them, so that each meets every place of a tile
EVERYWHERE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
ALL = pytest.mark.parametrize("name", NAMES)


def some_rows(n, count, dtype, *, special=True):
    """Rows of logits: random ones, ties, dominant and special ones."""
    rng = np.random.default_rng([n, count])
    z = rng.standard_normal((count, n)) * 10.0 ** rng.uniform(-1.0, 1.5, (count, 1))
    z[::5] = np.round(z[::5])
    if special:
        z[3::11, n // 2] = -np.inf
        z[5::13, 0] = np.inf
        z[7::17, n - 1] = np.nan
        z[9::19, n // 3] = 1e4
    with np.errstate(all="ignore"):
        return z.astype(dtype)


def operands_of(function, n, count, dtype, *, special=True):
    first, *tangents = operands_like(function, some_rows(n, count, dtype, special=special), seed=n)
    for tangent in tangents:
        tangent[4::7, n // 2] *= np.asarray(100.0, dtype)
        if special:
            tangent[6::23, 0] = np.inf
            tangent[8::29, n - 1] = np.nan
    return [first, *tangents]


def one_by_one(function, operands):
    return np.stack([function(softjac, *row) for row in zip(*operands, strict=True)])


def check(found, expected, label):
    if not same_bits(found, expected):
        differ = np.flatnonzero(bits(found).ravel() != bits(expected).ravel())
        at = [tuple(int(x) for x in np.unravel_index(i, expected.shape)) for i in differ[:5]]
        pairs = [(np.asarray(found)[i], np.asarray(expected)[i]) for i in at]
        pytest.fail(f"{label}: {len(differ)} of {np.size(expected)} elements differ, at {at}: {pairs}")


@EVERYWHERE
@ALL
def test_batch_size_and_position(name, dtype):
    function = FUNCTIONS[name]
    lengths = [*range(1, 71), 127, 129, 300] if function.result != "matrix" else [*range(1, 20), 31, 33, 48, 49, 70]
    for n in lengths:
        operands = operands_of(function, n, DISTINCT, dtype)
        alone = one_by_one(function, operands)
        for batch in BATCHES:
            if batch * alone[0].size > 300_000:
                continue
            start = (n * 5) % DISTINCT
            order = (np.arange(batch) + start) % DISTINCT
            check(function(softjac, *(x[order] for x in operands)), alone[order], f"n={n}, batch={batch}")


@EVERYWHERE
@ALL
def test_number_of_threads(name, dtype):
    # Large enough to be shared out, and not a multiple of anything.
    function = FUNCTIONS[name]
    shapes = [(67, 1009), (4111, 11), (3, 20011)] if function.result != "matrix" else [(3, 301), (1, 530), (301, 13)]
    for count, n in shapes:
        operands = operands_of(function, n, count, dtype)
        alone = one_by_one(function, operands)
        for threads in [1, 2, 3, 7]:
            with softjac.num_threads(threads):
                check(function(softjac, *operands), alone, f"{count} rows of {n}, {threads} threads")


PAST_THE_CACHES = [
    ("softmax", "float32", (100, 70_001), -1),
    ("softmax", "float64", (5, 700_001), -1),
    ("log_softmax", "float32", (9, 800_003), -1),
    ("softmax_jvp", "float64", (3, 1_100_000), -1),
    ("softmax", "float32", (1000, 1111), 0),
    ("softmax", "float64", (7, 300, 500), 1),
    ("log_softmax", "float32", (60, 20_011), 0),
    ("softmax_jvp", "float32", (2000, 613), 0),
    ("softmax_jacobian", "float32", (650, 101), -1),
    ("softmax_jacobian", "float64", (1, 2100), -1),
    ("softmax_jacobian", "float32", (40_000, 13), -1),
]


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "axis", "in_place"),
    [(*case, False) for case in PAST_THE_CACHES]
    + [(*case, True) for case in PAST_THE_CACHES if case[0] != "softmax_jacobian"],
)
def test_results_that_go_past_the_caches(name, dtype, shape, axis, in_place):
    # Large enough for it, in memory that was there before.
    function = FUNCTIONS[name]
    rows = int(np.prod(shape)) // shape[axis]
    operands = operands_of(function, shape[axis], rows, np.dtype(dtype))
    batch = tuple(size for i, size in enumerate(shape) if i != axis % len(shape))
    stood = [np.ascontiguousarray(np.moveaxis(x.reshape(*batch, -1), -1, axis)) for x in operands]
    out = stood[0] if in_place else None
    if out is None:
        out = np.full((*shape, shape[-1]) if function.result == "matrix" else shape, 7.0, dtype)
    some = np.unique(np.linspace(0, rows - 1, 60).astype(int))
    alone = one_by_one(function, [x[some] for x in operands])
    function(softjac, *stood, axis=axis, out=out)
    found = out if function.result == "matrix" else np.moveaxis(out, axis, -1)
    check(found.reshape(rows, *found.shape[len(batch) :])[some], alone, f"{name} {dtype} {shape}")


def layouts(array, rng):
    """The same values in other memory."""
    yield "C", array.copy()
    yield "F", np.asfortranarray(array)
    wide = np.empty((*array.shape[:-1], array.shape[-1] * 3), array.dtype)
    wide[..., ::3] = array
    yield "every third", wide[..., ::3]
    backwards = np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    yield "backwards", backwards
    every_way = np.ascontiguousarray(array[::-1, ..., ::-1])[::-1, ..., ::-1]
    yield "rows and classes backwards", every_way
    padded = np.empty((array.shape[0], *(size + 3 for size in array.shape[1:])), array.dtype)
    inner = padded[(slice(None), *(slice(1, -2) for _ in array.shape[1:]))]
    inner[...] = array
    yield "inside a larger array", inner
    buffer = np.empty(array.nbytes + 1, np.uint8)
    unaligned = buffer[1:].view(array.dtype).reshape(array.shape)
    unaligned[...] = array
    assert not unaligned.flags.aligned or array.dtype.alignment == 1
    yield "unaligned", unaligned
    offset = np.empty(array.size + 1, array.dtype)[1:].reshape(array.shape)
    offset[...] = array
    yield "one element off", offset


@EVERYWHERE
@ALL
def test_memory_layout(name, dtype):
    function, rng = FUNCTIONS[name], np.random.default_rng(0)
    for count, n in [(20, 7), (17, 16), (20, 33), (5, 64), (3, 333)]:
        operands = operands_of(function, n, count, dtype)
        alone = one_by_one(function, operands)
        for (label, first), *others in zip(*(layouts(x, rng) for x in operands), strict=True):
            check(function(softjac, first, *(x for _, x in others)), alone, f"{count} rows of {n}, {label}")
        # Operands that do not lie alike.
        mixed = [np.asfortranarray(x) if i % 2 else x for i, x in enumerate(operands)]
        check(function(softjac, *mixed), alone, f"{count} rows of {n}, C and F")


@EVERYWHERE
@ALL
def test_axis(name, dtype):
    function = FUNCTIONS[name]
    for n in [3, 16, 70]:
        operands = operands_of(function, n, 60, dtype)
        alone = one_by_one(function, operands)
        batch = alone.reshape(4, 15, *alone.shape[1:])
        for axis in [0, 1, 2, -1, -2, -3]:
            moved = [np.moveaxis(x.reshape(4, 15, n), -1, axis) for x in operands]
            expected = np.moveaxis(batch, -1, axis) if function.result == "same" else batch
            check(function(softjac, *moved, axis=axis), expected, f"n={n}, axis={axis}, a view")
            contiguous = [np.ascontiguousarray(x) for x in moved]
            check(function(softjac, *contiguous, axis=axis), expected, f"n={n}, axis={axis}, contiguous")


@EVERYWHERE
@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].tangents])
def test_broadcasting(name, dtype):
    function = FUNCTIONS[name]
    operands = operands_of(function, 9, 40, dtype)
    one = [operands[0], *(x[:1] for x in operands[1:])]
    full = [operands[0], *(np.repeat(x[:1], 40, axis=0) for x in operands[1:])]
    check(function(softjac, *one), one_by_one(function, full), "one tangent for all rows")
    check(function(softjac, operands[0], *(x[0] for x in operands[1:])), one_by_one(function, full), "a vector")
    full = [np.repeat(operands[0][:1], 40, axis=0), *operands[1:]]
    check(function(softjac, operands[0][:1], *operands[1:]), one_by_one(function, full), "one row for all tangents")


@EVERYWHERE
@ALL
def test_out_and_in_place(name, dtype):
    function, rng = FUNCTIONS[name], np.random.default_rng(0)
    for count, n in [(20, 7), (17, 16), (33, 48), (5, 64), (3, 333)]:
        if function.result == "matrix" and n > 64:
            continue
        operands = operands_of(function, n, count, dtype)
        alone = one_by_one(function, operands)
        for label, out in layouts(np.zeros_like(alone), rng) if alone.ndim > 1 else [("vector", np.zeros_like(alone))]:
            assert function(softjac, *operands, out=out) is out
            check(out, alone, f"{count} rows of {n}, out {label}")
        for number in range(len(operands) if function.result == "same" else 0):
            for label, own in layouts(operands[number], rng):
                given = [*operands[:number], own, *operands[number + 1 :]]
                assert function(softjac, *given, out=own) is own
                check(own, alone, f"{count} rows of {n}, in place of operand {number}, {label}")


@EVERYWHERE
@ALL
def test_a_mask_that_masks_nothing(name, dtype):
    function = FUNCTIONS[name]
    for count, n in [(20, 7), (1, 7), (5, 64)]:
        operands = operands_of(function, n, count, dtype)
        where = np.ones((count, n), bool)
        check(function(softjac, *operands, where=where), function(softjac, *operands), f"{count} rows of {n}")


@EVERYWHERE
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian"])
def test_masked_is_minus_infinity(name, dtype):
    function = FUNCTIONS[name]
    for count, n in [(20, 7), (1, 7), (5, 64), (3, 200)]:
        z = some_rows(n, count, dtype, special=False)
        where = np.random.default_rng(n).random((count, n)) < 0.6
        where[:, 0] = True
        hidden = np.where(where, z, np.asarray(np.nan, dtype))
        put = np.where(where, z, np.asarray(-np.inf, dtype))
        check(function(softjac, hidden, where=where), function(softjac, put), f"{count} rows of {n}")


def digest():
    """A hash over results of all functions, dtypes and kinds of rows; computed alike in every process."""
    found = {}
    for dtype in DTYPES:
        for name, function in FUNCTIONS.items():
            state = hashlib.sha256()
            shapes = [(37, n) for n in [*range(1, 35), 47, 48, 49, 70]] + [(5, 257), (2, 4099)]
            if function.result == "matrix":
                shapes = [(20, n) for n in [1, 2, 3, 8, 15, 16, 17, 33]] + [(1, 150)]
            for count, n in shapes:
                operands = operands_of(function, n, count, dtype)
                state.update(bits(function(softjac, *operands)).tobytes())
                state.update(bits(function(softjac, *(x[0] for x in operands))).tobytes())
                across = [np.ascontiguousarray(x.T) for x in operands]
                state.update(bits(function(softjac, *across, axis=0)).tobytes())
            if not function.tangents:
                for row in hard_rows(dtype.name, longest=100):
                    state.update(bits(function(softjac, row.logits)).tobytes())
            found[f"{dtype.name} {name}"] = state.hexdigest()
    return found


@cache
def own_digest():
    return digest()


def levels():
    return softjac.kernels.native.available_isas() if softjac.kernels.native else ["none"]


@pytest.mark.parametrize("isa", levels())
def test_instruction_sets(isa):
    code = "import json, test_same_bits as t; print(json.dumps([t.softjac.kernels.native.isa(), t.digest()]))"
    found, others = json.loads(in_a_new_process(code, SOFTJAC_ISA=isa))
    assert found == isa
    assert len(others) == len(FUNCTIONS) * len(DTYPES)
    assert others == own_digest()


def in_a_new_process(code, **environment):
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = {**os.environ, **environment, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_these_tests_can_fail():
    # NumPy's own three lines do not pass them: the order of a sum depends on the layout.
    class Naive:
        def softmax(self, z):
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            return e / e.sum(axis=-1, keepdims=True)

    z = some_rows(1000, 8, np.dtype(np.float32), special=False)
    function = FUNCTIONS["softmax"]
    with pytest.raises(pytest.fail.Exception, match="elements differ"):
        check(function(Naive(), np.asfortranarray(z)), np.stack([function(Naive(), row) for row in z]), "F")
