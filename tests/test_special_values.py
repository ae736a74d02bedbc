"""NaN, infinities, masks and empty axes: the limit where there is one, NaN where there is none; no dtype differs."""

import itertools
import math

import numpy as np
import pytest
from flint import arb

import special_rules
from functions import DTYPE_NAMES, DTYPES, FUNCTIONS, NAMES, budget, same_bits
from softjac.check.oracle import Row, working_precision
from softjac.check.ulp import format_of
from special_rules import INF, NAN, as_array, expected
from ulp import Worst

# logits: p, log p, q, log-sum-exp
VALUES = [
    ([INF, 0.0, 1.0], [1, 0, 0], [0, -INF, -INF], [0, 1, 1], INF),
    ([0.0, INF, INF], [0, NAN, NAN], [-INF, NAN, NAN], [1, NAN, NAN], INF),
    ([INF, -INF], [1, 0], [0, -INF], [0, 1], INF),
    ([INF], [1], [0], [0], INF),
    ([-INF, 0.0, -INF], [0, 1, 0], [-INF, 0, -INF], [1, 0, 1], 0),
    ([-INF, 7.0], [0, 1], [-INF, 0], [1, 0], 7),
    ([-INF, -INF], [NAN, NAN], [NAN, NAN], [NAN, NAN], -INF),
    ([-INF], [NAN], [NAN], [NAN], -INF),
    ([NAN, 0.0], [NAN, NAN], [NAN, NAN], [NAN, NAN], NAN),
    ([INF, NAN, -INF], [NAN, NAN, NAN], [NAN, NAN, NAN], [NAN, NAN, NAN], NAN),
    ([0.0], [1], [0], [0], 0),
    ([0.0, 0.0], [0.5, 0.5], None, [0.5, 0.5], None),
]

JACOBIANS = [
    ([INF, 0.0, 1.0], np.zeros((3, 3))),
    ([0.0, INF, INF], [[0, 0, 0], [0, NAN, NAN], [0, NAN, NAN]]),
    ([-INF, 0.0, 0.0], [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]]),
    ([-INF, -INF], np.full((2, 2), NAN)),
    ([NAN, 0.0], np.full((2, 2), NAN)),
    ([3.0], [[0]]),
]

# function, logits (or probabilities), tangents, result
PRODUCTS = [
    ("softmax_jvp", [INF, 0.0, 1.0], [[1, 2, 3]], [0, 0, 0]),
    ("softmax_jvp", [INF, INF, 1.0], [[1, 2, 3]], [NAN, NAN, 0]),
    ("softmax_jvp", [-INF, 0.0, 0.0], [[9, 1, 0]], [0, 0.25, -0.25]),
    ("softmax_jvp", [-INF, -INF], [[1, 2]], [NAN, NAN]),
    ("softmax_jvp", [NAN, 1.0], [[1, 2]], [NAN, NAN]),
    ("softmax_jvp", [0.0, 0.0], [[NAN, 2]], [NAN, NAN]),
    ("softmax_jvp", [-INF, 0.0], [[NAN, 2]], [NAN, NAN]),
    ("softmax_jvp", [INF, 0.0], [[1, NAN]], [NAN, NAN]),
    ("softmax_jvp", [0.0, 0.0, 0.0], [[INF, 2, 3]], [INF, -INF, -INF]),
    ("softmax_jvp", [0.0, 0.0, 0.0], [[1, -INF, 3]], [INF, -INF, INF]),
    ("softmax_jvp", [0.0, 0.0, 0.0], [[INF, INF, 3]], [NAN, NAN, -INF]),
    ("softmax_jvp", [0.0, 0.0, 0.0], [[INF, -INF, 3]], [NAN, NAN, NAN]),
    ("softmax_jvp", [-INF, 0.0, 0.0], [[1, -INF, 3]], [0, -INF, INF]),
    ("softmax_jvp", [-INF, 0.0, 0.0], [[INF, 1, 0]], [0, 0.25, -0.25]),
    ("softmax_jvp", [-INF, 0.0], [[1, INF]], [0, 0]),
    ("softmax_jvp", [5.0], [[INF]], [0]),
    ("softmax_jvp", [INF, 0.0], [[INF, INF]], [0, 0]),
    ("log_softmax_jvp", [INF, 0.0], [[1, 2]], [0, 0]),
    ("log_softmax_jvp", [INF, INF, 0.0], [[1, 2, 3]], [NAN, NAN, 0]),
    ("log_softmax_jvp", [-INF, 0.0, 0.0], [[9, 1, 0]], [0, 0.5, -0.5]),
    ("log_softmax_jvp", [-INF, -INF], [[1, 2]], [NAN, NAN]),
    ("log_softmax_jvp", [0.0, 0.0, 0.0], [[INF, 2, 3]], [INF, -INF, -INF]),
    ("log_softmax_jvp", [0.0, 0.0, 0.0], [[-INF, -INF, 3]], [NAN, NAN, INF]),
    ("log_softmax_jvp", [5.0], [[INF]], [0]),
    ("log_softmax_vjp", [INF, 0.0], [[1, 2]], [0, 0]),
    ("log_softmax_vjp", [INF, INF, 0.0], [[1, 2, 3]], [NAN, NAN, 0]),
    ("log_softmax_vjp", [-INF, 0.0, 0.0], [[9, 1, 0]], [0, 0.5, -0.5]),
    ("log_softmax_vjp", [-INF, 0.0, 0.0], [[INF, 1, 0]], [0, 0.5, -0.5]),
    ("log_softmax_vjp", [-INF, -INF], [[1, 2]], [NAN, NAN]),
    ("log_softmax_vjp", [0.0, NAN], [[1, 2]], [NAN, NAN]),
    ("log_softmax_vjp", [0.0, 0.0, 0.0], [[INF, 2, 3]], [INF, -INF, -INF]),
    ("log_softmax_vjp", [0.0, 0.0, 0.0], [[INF, -INF, 3]], [NAN, NAN, NAN]),
    ("log_softmax_vjp", [5.0], [[INF]], [0]),
    ("softmax_second_derivative", [INF, 0.0], [[1, 2], [3, 4]], [0, 0]),
    ("softmax_second_derivative", [INF, INF, 0.0], [[1, 2, 5], [3, 4, 5]], [NAN, NAN, 0]),
    ("softmax_second_derivative", [-INF, -INF], [[1, 2], [3, 4]], [NAN, NAN]),
    ("softmax_second_derivative", [-INF, 0.0, 0.0], [[1, INF, 5], [3, 4, 5]], [0, NAN, NAN]),
    ("softmax_second_derivative", [-INF, 0.0, 0.0], [[INF, 2, 5], [3, 4, 5]], [0, 0, 0]),
    ("softmax_second_derivative", [0.0, 0.0], [[1, 2], [3, NAN]], [NAN, NAN]),
    ("softmax_second_derivative", [5.0], [[INF], [1]], [0]),
    ("softmax_vjp_probs", [0.5, 0.0, 0.5], [[1, INF, 0]], [0.25, 0, -0.25]),
    ("softmax_vjp_probs", [0.5, 0.5, 0.0], [[INF, 1, 2]], [INF, -INF, 0]),
    ("softmax_vjp_probs", [0.5, NAN, 0.5], [[1, 2, 0]], [NAN, NAN, NAN]),
    ("softmax_vjp_probs", [0.0, 0.0], [[1, 2]], [0, 0]),
    ("softmax_vjp_probs", [1.0, 0.0], [[INF, 2]], [0, 0]),
    ("log_softmax_vjp_probs", [0.5, 0.0, 0.5], [[1, INF, 0]], [0.5, 0, -0.5]),
    ("log_softmax_vjp_probs", [0.5, 0.5, 0.0], [[INF, 1, 2]], [INF, -INF, 0]),
    ("log_softmax_vjp_probs", [0.5, NAN, 0.5], [[1, 2, 0]], [NAN, NAN, NAN]),
    ("log_softmax_vjp_probs", [0.0, 0.0], [[1, 2]], [0, 0]),
    ("logsumexp_weighted", [INF, 1.0], [[1, 1]], INF),
    ("logsumexp_weighted", [INF, 1.0], [[-1, 1]], NAN),
    ("logsumexp_weighted", [INF, INF], [[-1, 1]], NAN),
    ("logsumexp_weighted", [INF, 3.0], [[0, 1]], 3),
    ("logsumexp_weighted", [NAN, 3.0], [[0, 1]], 3),
    ("logsumexp_weighted", [NAN, 3.0], [[1, 1]], NAN),
    ("logsumexp_weighted", [0.0, 3.0], [[NAN, 1]], NAN),
    ("logsumexp_weighted", [0.0, 3.0], [[INF, 1]], INF),
    ("logsumexp_weighted", [0.0, 3.0], [[-INF, 1]], NAN),
    ("logsumexp_weighted", [0.0, 3.0], [[-INF, INF]], NAN),
    ("logsumexp_weighted", [-INF, 3.0], [[INF, 1]], NAN),
    ("logsumexp_weighted", [-INF, 3.0], [[-2, 1]], 3),
    ("logsumexp_weighted", [-INF, -INF], [[1, 1]], -INF),
    ("logsumexp_weighted", [1.0, 1.0], [[1, -1]], -INF),
    ("logsumexp_weighted", [1.0, 1.0], [[1, -2]], NAN),
    ("logsumexp_weighted", [1.0, 1.0], [[0, 0]], -INF),
]

# function, logits, tangents, where, result
MASKED = [
    ("softmax", [NAN, INF, 0.0], [], [0, 0, 1], [0, 0, 1]),
    ("softmax", [NAN, INF, 0.0], [], [0, 1, 1], [0, 1, 0]),
    ("softmax", [1.0, NAN, 0.0], [], [0, 1, 1], [0, NAN, NAN]),
    ("softmax", [1.0, -INF, -INF], [], [0, 1, 1], [0, NAN, NAN]),
    ("softmax", [NAN, INF], [], [0, 0], [0, 0]),
    ("log_softmax", [NAN, 5.0], [], [0, 1], [-INF, 0]),
    ("log_softmax", [1.0, NAN], [], [0, 1], [-INF, NAN]),
    ("log_softmax", [NAN, 5.0], [], [0, 0], [-INF, -INF]),
    ("softmax_complement", [NAN, 5.0], [], [0, 1], [1, 0]),
    ("softmax_complement", [1.0, NAN], [], [0, 1], [1, NAN]),
    ("softmax_complement", [NAN, 5.0], [], [0, 0], [1, 1]),
    ("logsumexp", [NAN, INF, 5.0], [], [0, 0, 1], 5),
    ("logsumexp", [NAN, INF, 5.0], [], [0, 0, 0], -INF),
    ("logsumexp", [1.0, -INF, -INF], [], [0, 1, 1], -INF),
    ("logsumexp_weighted", [NAN, INF, 5.0], [[1, NAN, 1]], [0, 0, 1], 5),
    ("logsumexp_weighted", [NAN, INF, 5.0], [[1, NAN, 1]], [0, 0, 0], -INF),
    ("softmax_jacobian", [NAN, 0.0, 0.0], [], [0, 1, 1], [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]]),
    ("softmax_jacobian", [1.0, NAN], [], [0, 1], [[0, 0], [0, NAN]]),
    ("softmax_jacobian", [1.0, -INF], [], [0, 1], [[0, 0], [0, NAN]]),
    ("softmax_jacobian", [1.0, NAN], [], [0, 0], [[0, 0], [0, 0]]),
    ("softmax_jvp", [NAN, 0.0, 0.0], [[NAN, 1, 0]], [0, 1, 1], [0, 0.25, -0.25]),
    ("softmax_jvp", [0.0, 0.0, 0.0], [[INF, 1, 0]], [0, 1, 1], [0, 0.25, -0.25]),
    ("softmax_jvp", [0.0, 0.0, 0.0], [[5, NAN, 0]], [0, 1, 1], [0, NAN, NAN]),
    ("softmax_jvp", [NAN, 0.0], [[NAN, 1]], [0, 0], [0, 0]),
    ("log_softmax_jvp", [NAN, 0.0, 0.0], [[NAN, 1, 0]], [0, 1, 1], [0, 0.5, -0.5]),
    ("log_softmax_vjp", [NAN, 0.0, 0.0], [[NAN, 1, 0]], [0, 1, 1], [0, 0.5, -0.5]),
    ("log_softmax_vjp", [NAN, 0.0], [[NAN, 1]], [0, 0], [0, 0]),
    ("softmax_second_derivative", [NAN, 0.0, 0.0], [[NAN, 1, 0], [INF, 1, 0]], [0, 1, 1], [0, 0, 0]),
    ("softmax_second_derivative", [NAN, 0.0], [[NAN, 1], [INF, 1]], [0, 0], [0, 0]),
    ("softmax_vjp_probs", [NAN, 0.5, 0.5], [[NAN, 1, 0]], [0, 1, 1], [0, 0.25, -0.25]),
    ("log_softmax_vjp_probs", [NAN, 0.5, 0.5], [[NAN, 1, 0]], [0, 1, 1], [0, 0.5, -0.5]),
]


def written_out():
    for z, p, log_p, q, lse in VALUES:
        yield "softmax", [z], None, p
        yield "softmax_complement", [z], None, q
        if log_p is not None:
            yield "log_softmax", [z], None, log_p
            yield "logsumexp", [z], None, lse
    for z, jacobian in JACOBIANS:
        yield "softmax_jacobian", [z], None, jacobian
    for name, z, tangents, result in PRODUCTS:
        yield name, [z, *tangents], None, result
        if name == "softmax_jvp":
            yield "softmax_vjp", [z, *tangents], None, result
    for name, z, tangents, where, result in MASKED:
        yield name, [z, *tangents], [bool(x) for x in where], result


WRITTEN_OUT = list(written_out())


def test_the_rules_give_what_is_written_out():
    for name, operands, where, result in WRITTEN_OUT:
        found = as_array(expected(FUNCTIONS[name], operands, where))
        assert np.array_equal(found, np.asarray(result, float), equal_nan=True), (name, operands, where, found)


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
def test_what_is_written_out(dtype, sj):
    for name, operands, where, result in WRITTEN_OUT:
        arrays = [np.asarray(x, dtype) for x in operands]
        found = FUNCTIONS[name](sj, *arrays, where=None if where is None else np.asarray(where))
        label = f"{name}({operands}, where={where})"
        assert found.dtype == dtype, label
        assert np.array_equal(np.asarray(found, float), np.asarray(result, float), equal_nan=True), f"{label}: {found}"


def special_rows(n, count, rng):
    """Random rows with special values at random places, and every kind of tangent; of every kind some."""
    z = rng.standard_normal((count, n)) * 3
    kinds = rng.integers(0, 6, count)
    for row, kind in zip(z, kinds, strict=True):
        some = rng.integers(0, n, 3)
        if kind in {1, 4}:
            row[some[: rng.integers(1, 3)]] = INF
        if kind in {2, 4}:
            row[some[2]] = -INF
        if kind == 3:
            row[some[0]] = NAN
        if kind == 5:
            row[:] = -INF
            row[some[: rng.integers(0, 3)]] = 1.0
    return z


def special_tangents(z, rng):
    v = rng.standard_normal(z.shape)
    for row, kind in zip(v, rng.integers(0, 8, len(v)), strict=True):
        some = rng.integers(0, len(row), 2)
        if kind in {1, 2}:
            row[some[:kind]] = INF
        if kind == 3:
            row[some[0]] = NAN
        if kind == 4:
            row[some] = [INF, -INF]
        if kind == 5:
            row[some[0]] = -INF
    return v


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_special_rows_among_others(name, dtype, sj):
    # In batches that are served as tiles, one by one, and in rows longer than a block; with and without a mask.
    function, fmt, worst = FUNCTIONS[name], format_of(dtype), Worst()
    budgeted = budget(function, dtype)
    for n, count in [(1, 20), (2, 33), (3, 33), (5, 37), (17, 20), (33, 7), (50, 2)]:
        if function.result == "matrix" and n > 5:
            continue
        rng = np.random.default_rng([n, count])
        z = special_rows(n, count, rng)
        if function.takes_probs:
            z = np.where(np.isfinite(z), np.abs(z) / (3.0 * n), np.where(np.isnan(z), NAN, 0.0))
        operands = [x.astype(dtype) for x in [z, *(special_tangents(z, rng) for _ in range(function.tangents))]]
        for where in [None, rng.random((count, n)) < 0.7]:
            batch = function(sj, *operands, where=where)
            for number in range(count):
                row = [operand[number] for operand in operands]
                part = None if where is None else where[number]
                for entry, truth in expected(function, row, part).items():
                    got = batch[number][entry]
                    worst.add((name, row, part, entry), got, truth, fmt, *budgeted)
                if number % 5 == 0:
                    alone = function(sj, *row, where=part)
                    assert np.array_equal(alone, batch[number], equal_nan=True), (name, row, part)
    worst.check(at_least=100)


LIMIT_ROWS = [row for n in (1, 2, 3) for row in itertools.product([INF, -INF, 0.0, 1.5], repeat=n)]


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian"])
def test_the_rules_are_limits(name):
    """Each infinity runs off as L + c, L = 1e6. The limit is what all choices of c agree on; NaN where they do not."""
    function = FUNCTIONS[name]
    for z in LIMIT_ROWS:
        if name != "logsumexp" and not any(x > -INF for x in z):
            continue  # by the rule a row of nothing but -inf is unknown, also where it has one class
        seen = []
        for shift in itertools.permutations([0.0, 1.0, -2.0]):
            row = [math.copysign(1e6, x) + c if math.isinf(x) else x for x, c in zip(z, shift, strict=False)]
            seen.append({entry: t.value for entry, t in expected(function, [row]).items()})
        for entry, truth in expected(function, [z]).items():
            limit = common_limit([values[entry] for values in seen])
            assert np.array_equal(limit, float(truth.value), equal_nan=True), (name, z, entry, limit)


def test_the_rules_for_infinite_tangents_are_limits():
    z = [0.0, 0.5, -1.0]
    for tangent in itertools.product([INF, -INF, 0.25, -2.0], repeat=3):
        infinite = {x for x in tangent if math.isinf(x)}
        for name in ["softmax_jvp", "log_softmax_jvp", "log_softmax_vjp"]:
            if not infinite:
                continue
            seen = []
            for factor in itertools.permutations([1.0, 50.0, 2500.0]):
                v = [math.copysign(1e9, x) * c if math.isinf(x) else x for x, c in zip(tangent, factor, strict=True)]
                entries = getattr(Row(z), name)(v)
                seen.append([entries(i).value for i in range(3)])
            for i in range(3):
                truth = float(expected(FUNCTIONS[name], [z, tangent])[i,].value)
                if len(infinite) == 2:
                    assert math.isnan(truth)  # by the rule, also at the one element of its sign
                    continue
                limit = common_limit([values[i] for values in seen])
                assert np.array_equal(limit, truth, equal_nan=True), (name, tangent, i, limit)


def common_limit(values):
    """What values at L = 1e6 are near to: a number below 1e5, or an infinity; NaN where they differ."""
    with working_precision(200):
        far = [x for x in values if abs(x) > 1e5]
        if len(far) == len(values):
            signs = {1.0 if x > 0 else -1.0 for x in far}
            return INF * signs.pop() if len(signs) == 1 else NAN
        near = all(abs(x - values[0]) < arb(10) ** -30 for x in values)
        return round(float(values[0]), 25) if near and not far else NAN


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_empty_axes(name, dtype, sj):
    function = FUNCTIONS[name]
    for shape in [(0,), (3, 0), (0, 3), (2, 0, 4), (0, 0)]:
        for axis in range(-len(shape), len(shape)):
            operands = [np.zeros(shape, dtype)] * function.operands
            result = function(sj, *operands, axis=axis)
            assert result.shape == function.result_shape(shape, axis)
            assert result.dtype == dtype
            assert (np.asarray(result) == -np.inf).all()  # log-sum-exp of nothing; all others are empty
            out = np.empty(result.shape, dtype)
            masked = function(sj, *operands, axis=axis, where=np.ones(shape, bool), out=out)
            assert masked is out
            assert (out == -np.inf).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
def test_a_special_row_leaves_its_neighbours_alone(dtype, sj):
    rng = np.random.default_rng(3)
    for name, function in FUNCTIONS.items():
        for n, count in [(3, 16), (17, 40), (64, 3)]:
            plain = [np.abs(rng.standard_normal((count, n))).astype(dtype) for _ in range(function.operands)]
            before = function(sj, *plain)
            for special in [NAN, INF, -INF]:
                for number in range(function.operands):
                    spoiled = [operand.copy() for operand in plain]
                    spoiled[number][count // 2, n // 2] = special
                    after = function(sj, *spoiled)
                    others = np.arange(count) != count // 2
                    assert same_bits(before[others], after[others]), (name, n, special, number)


def test_minus_zero_and_the_sign_of_zero_logits(sj):
    for dtype in DTYPES:
        both = np.asarray([0.0, -0.0, 0.0], dtype)
        for name in ["softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian"]:
            function = FUNCTIONS[name]
            assert same_bits(function(sj, both), function(sj, np.abs(both))), name
        # A certain element has log-probability 0, not -0.
        assert not np.signbit(sj.log_softmax(np.asarray([0.0, -INF], dtype))[0])
        assert not np.signbit(sj.log_softmax(np.asarray([3.0], dtype))[0])
        assert special_rules.value(0.0).value == 0
