"""Probabilities keep the order of the logits: exactly for float32 and narrower, to one ulp in float64."""

import numpy as np
import pytest

from functions import DTYPE_NAMES, DTYPES, bits, same_bits
from hard_rows import hard_rows, limits
from softjac.check.ulp import format_of

EVERYWHERE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)


def neighbours(start, count, dtype):
    """Consecutive floats upwards from start."""
    row = np.full(count, start, dtype)
    for j in range(1, count):
        row[j] = np.nextafter(row[j - 1], np.asarray(np.inf, dtype))
    return row


def ordered_rows(dtype):
    for row in hard_rows(dtype.name):
        yield row.name, np.sort(row.logits.astype(np.float64)).astype(dtype)
    most = limits(dtype).largest
    for start in [-8.0, -1.0, -1e-3, 0.5, 1.0, 3.0, 88.0, 700.0, min(1e8, most / 8)]:
        run = neighbours(start, 200, dtype)
        yield f"next to each other from {start:g}", run
        yield (
            f"next to each other from {start:g}, below a dominant one",
            np.append(run, run[-1:] + np.asarray(4, dtype)),
        )
    # Around the powers of two of exp's argument, where its reduction changes.
    for k in [1, 2, 5, 10, 20]:
        run = neighbours(-k * np.log(2.0), 60, dtype)
        run = np.append(run, np.asarray(0.0, dtype))
        yield f"around -{k} log 2", run
        half = neighbours(-(k + 0.5) * np.log(2.0), 60, dtype)
        yield f"around -({k} + 1/2) log 2", np.append(half, np.asarray(0.0, dtype))


def steps_down(p, dtype):
    """By how much each element falls below the one before, in ulp of the larger."""
    wide = p.astype(np.float64)
    fall = np.maximum(wide[:-1] - wide[1:], 0.0)
    fmt = format_of(dtype)
    exponent = np.maximum(np.frexp(wide[:-1])[1] - 1, fmt.emin) - fmt.P + 1
    return np.ldexp(fall, -exponent)


@EVERYWHERE
def test_order_is_kept(dtype, sj):
    checked = 0
    for name, row in ordered_rows(dtype):
        for label, z in [("alone", row), ("as a tile", np.stack([row] * 17))]:
            p = np.atleast_2d(sj.softmax(z))[0]
            if dtype == np.float64:
                assert (steps_down(p, dtype) <= 1.0).all(), (name, label)
            else:
                assert (p[1:].astype(np.float64) >= p[:-1].astype(np.float64)).all(), (name, label)
        checked += len(row)
    assert checked > 10_000


@EVERYWHERE
def test_equal_logits_give_equal_bits(dtype, sj):
    rng = np.random.default_rng(1)
    for n in [2, 3, 15, 16, 17, 33, 49, 100, 1000]:
        z = rng.standard_normal(max(2, n // 3)).astype(dtype)[rng.integers(0, max(2, n // 3), n)]
        for given in [z, np.stack([z] * 16)]:
            p = np.atleast_2d(sj.softmax(given))[0]
            for function in [sj.softmax, sj.softmax_complement, sj.log_softmax]:
                result = bits(np.atleast_2d(function(given))[0])
                for value in np.unique(z.astype(np.float64)):
                    assert len(set(result[z.astype(np.float64) == value].tolist())) == 1, (n, function.__name__, value)
        assert p.dtype == dtype


@EVERYWHERE
def test_the_order_of_classes_does_not_change_a_pair(dtype, sj):
    z = np.stack([np.zeros(500), np.linspace(-30.0, 30.0, 500)], axis=-1).astype(dtype)
    for function in [sj.softmax, sj.softmax_complement, sj.log_softmax]:
        assert same_bits(function(z), function(z[:, ::-1])[:, ::-1]), function.__name__
    assert same_bits(sj.logsumexp(z), sj.logsumexp(z[:, ::-1]))


def test_these_tests_can_fail():
    # Rounded differences lose the order of neighbours in float16 arithmetic.
    z = np.linspace(0.0, 4.0, 4000).astype(np.float16)
    e = np.exp(z - np.float16(1000.0))
    assert (np.diff(e.astype(np.float64)) <= 0).any()
    falls = steps_down(np.asarray([1.0, 1.0 - 2.0**-52, 0.5]), np.dtype(np.float64))
    assert falls[0] == 1.0
    assert falls[1] > 1.0
