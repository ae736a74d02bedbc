"""NaN, infinities, masks, rows that do not count: by the rules of the contract, with no warning; no dtype differs."""

import math
from functools import cache

import numpy as np
import pytest
from flint import arb

import special_rules
from cross_entropy_cases import ALL_OPTIONS, COMBINATIONS, REDUCTIONS, combination_id, problem
from cross_entropy_judge import Judge, budget
from functions import DTYPE_NAMES, DTYPES, FUNCTIONS, same_bits
from softjac.check.oracle import Truth, exact, working_precision
from softjac.check.ulp import format_of
from special_rules_cross_entropy import INF, NAN, expected
from ulp import Worst

EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
LN2 = math.log(2.0)


@pytest.fixture(autouse=True)
def no_floating_point_errors():
    with np.errstate(all="raise"):
        yield


# logits, target (a class, or a distribution), options, loss, gradient
TABLE = [
    ([0.0, -INF], [1.0, 0.0], {}, 0.0, [0, 0]),
    ([0.0, -INF], 0, {}, 0.0, [0, 0]),
    ([0.0, -INF], 1, {}, INF, [1, -1]),
    ([0.0, -INF], [0.5, 0.5], {}, INF, [0.5, -0.5]),
    ([0.0, 0.0, -INF], 0, {}, LN2, [-0.5, 0.5, 0]),
    ([-INF, -INF], 0, {}, NAN, [NAN, NAN]),
    ([-INF], 0, {}, NAN, [NAN]),
    ([5.0], 0, {}, 0.0, [0]),
    ([INF], 0, {}, 0.0, [0]),
    ([INF, 0.0, 1.0], 0, {}, 0.0, [0, 0, 0]),
    ([INF, 0.0, 1.0], 1, {}, INF, [1, -1, 0]),
    ([INF, 0.0, -INF], [0.5, 0.25, 0.25], {}, INF, [0.5, -0.25, -0.25]),
    ([INF, 0.0, -INF], [2.0, 0.0, 0.0], {}, 0.0, [0, 0, 0]),
    ([INF, INF, 0.0], 0, {}, NAN, [NAN, NAN, 0]),
    ([INF, INF, 0.0], 2, {}, INF, [NAN, NAN, -1]),
    ([INF, INF, 0.0], [0.0, 0.0, 0.0], {}, 0.0, [0, 0, 0]),
    ([NAN, 0.0], 1, {}, NAN, [NAN, NAN]),
    ([NAN, 0.0], [0.0, 1.0], {}, NAN, [NAN, NAN]),
    ([NAN, 0.0], 1, {"sample_weight": 0.0}, 0.0, [0, 0]),
    ([INF, INF], [1.0, 1.0], {"sample_weight": 0.0}, 0.0, [0, 0]),
    ([NAN, 0.0], 1, {"weight": [1.0, 0.0]}, NAN, [NAN, NAN]),
    ([INF, INF, 0.0], 0, {"weight": [0.0, 1.0, 1.0]}, 0.0, [0, 0, 0]),
    ([INF, 0.0], 1, {"weight": [1.0, 0.0]}, 0.0, [0, 0]),
    ([0.0, -INF], 1, {"weight": [1.0, 0.0]}, 0.0, [0, 0]),
    ([0.0, 1.0], 1, {"weight": [1.0, 0.0]}, 0.0, [0, 0]),
    ([0.0, 0.0], [0.0, 0.0], {}, 0.0, [0, 0]),
    ([NAN, 5.0], 1, {"where": [False, True]}, 0.0, [0, 0]),
    ([NAN, 0.0, 0.0], 1, {"where": [False, True, True]}, LN2, [0, -0.5, 0.5]),
    ([INF, 0.0, 0.0], [0.0, 1.0, 1.0], {"where": [False, True, True]}, 2 * LN2, [0, 0, 0]),
    ([0.0, NAN, 0.0], 0, {"where": [True, True, False]}, NAN, [NAN, NAN, 0]),
    ([0.0, -INF], 1, {"where": [False, True]}, NAN, [0, NAN]),
    ([NAN, INF], 1, {"where": [False, False]}, 0.0, [0, 0]),
    ([NAN, INF], [0.5, 0.5], {"where": [False, False]}, 0.0, [0, 0]),
    ([INF, 0.0], 0, {"z_loss": 0.5}, INF, [INF, 0]),
    ([INF, 0.0], 1, {"z_loss": 0.5}, INF, [INF, -1]),
    ([INF, INF, 0.0], 2, {"z_loss": 0.5}, INF, [NAN, NAN, -1]),
    ([INF, INF, 0.0], 0, {"z_loss": 0.5}, NAN, [NAN, NAN, 0]),
    ([INF, INF], [0.0, 0.0], {"z_loss": 0.5}, INF, [NAN, NAN]),
    ([0.0, -INF], 0, {"z_loss": 0.5}, 0.0, [0, 0]),
    ([2.0, -INF], 0, {"z_loss": 0.5}, 2.0, [2, 0]),
    ([-INF, -INF], 0, {"z_loss": 0.5}, NAN, [NAN, NAN]),
    ([INF, 0.0], 0, {"label_smoothing": 0.5}, INF, [0.25, -0.25]),
    ([0.0, -INF], 0, {"label_smoothing": 0.5}, INF, [0.25, -0.25]),
    ([0.0, NAN], 0, {"label_smoothing": 0.5, "where": [True, False]}, 0.0, [0, 0]),
    ([0.0, NAN, 0.0], 0, {"label_smoothing": 0.5, "where": [True, False, True]}, LN2, [-0.25, 0, 0.25]),
    ([NAN, NAN], 7, {"ignore_index": 7}, 0.0, [0, 0]),
    ([NAN, NAN], 0, {"ignore_index": 0}, 0.0, [0, 0]),
    ([NAN, 1.0], -100, {"ignore_index": -100, "where": [True, False], "label_smoothing": 0.1}, 0.0, [0, 0]),
]


def one_hot(target, n):
    return [float(j == target) for j in range(n)] if np.ndim(target) == 0 else target


def test_the_rules_give_what_is_written_out():
    for z, target, options, loss, gradient in TABLE:
        if "ignore_index" in options:
            continue
        given = {"part" if name == "where" else name: value for name, value in options.items()}
        found = expected(z, one_hot(target, len(z)), **given)
        np.testing.assert_allclose(float(found.loss.value), loss, rtol=1e-15, err_msg=f"{z} {target} {options}")
        np.testing.assert_allclose([float(x.value) for x in found.gradient], gradient, rtol=1e-15)


@EVERY_DTYPE
def test_what_is_written_out(dtype, sj):
    room = 2.0 * format_of(dtype).u
    for z, target, options, loss, gradient in TABLE:
        z = np.asarray(z, dtype)  # noqa: PLW2901
        label = f"{z}, {target}, {options}"
        for reduction in REDUCTIONS:
            value, found = sj.cross_entropy_value_and_grad(z, target, reduction=reduction, **options)
            by = 1.0
            if reduction == "mean" and "weight" in options and np.ndim(target) == 0:
                by = options["weight"][target]
            if by:
                np.testing.assert_allclose(float(value), loss, rtol=room, err_msg=label)
                np.testing.assert_allclose(found.astype(float), gradient, rtol=room, err_msg=label)
            else:
                assert value == 0.0, label  # the mean over no weight
                assert not found.any(), label
            assert same_bits(sj.cross_entropy(z, target, reduction=reduction, **options), value), label
            assert same_bits(sj.cross_entropy_grad(z, target, reduction=reduction, **options), found), label


def special_rows(n, count, rng):
    z = rng.standard_normal((count, n)) * 3
    for row, kind in zip(z, rng.integers(0, 7, count), strict=True):
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


@cache
def among_others(names, dtype_name):
    """Batches with special rows, and what is expected of each row: loss, gradient, where it is plain the product."""
    found, dtype = [], DTYPES[DTYPE_NAMES.index(dtype_name)]
    for n, count in [(1, 7), (3, 33), (17, 18)] if len(names) != 2 else [(5, 21)]:
        rng = np.random.default_rng([n, count])
        z = special_rows(n, count, rng).astype(dtype)
        v = rng.standard_normal((count, n)).astype(dtype)
        targets, options = problem(names, count, n)
        where, rows = options.get("where", np.ones((count, n), bool)), []
        for r in range(count):
            given = {name: options[name] for name in ("weight", "label_smoothing", "z_loss") if name in options}
            if targets.ndim == 1 and targets[r] == options.get("ignore_index"):
                given["sample_weight"] = 0.0
            elif "sample_weight" in options:
                given["sample_weight"] = options["sample_weight"][r]
            truth = expected(z[r], one_hot(targets[r], n), part=where[r], **given)
            product = None
            if not {"weight", "label_smoothing", "z_loss", "soft targets"} & names:  # then it is omega J v
                omega = given.get("sample_weight", 1.0)
                of_jacobian = special_rules.expected(FUNCTIONS["softmax_jvp"], [z[r], v[r]], where[r])
                with working_precision(300):
                    product = [
                        Truth(*(exact(omega) * x if omega else arb(0) for x in of_jacobian[i,])) for i in range(n)
                    ]
            rows.append((truth, product))
        found.append((z, v, targets, options, rows))
    return found


@EVERY_DTYPE
@pytest.mark.parametrize("names", COMBINATIONS, ids=combination_id)
def test_special_rows_among_others(names, dtype, sj):
    judge, products = Judge(sj, dtype), Worst()
    for z, v, targets, options, rows in among_others(frozenset(names), dtype.name):
        losses, gradient = sj.cross_entropy_value_and_grad(z, targets, reduction="none", **options)
        product = sj.cross_entropy_hvp(z, targets, v, reduction="none", **options)
        for r, (truth, of_product) in enumerate(rows):
            label = (combination_id(names), z.shape, "row", r)
            judge.loss(label, losses[r], truth.loss)
            for i, entry in enumerate(truth.gradient):
                judge.gradient((label, i), gradient[r, i], entry, soft=truth.soft)
            for i, entry in enumerate(of_product or []):
                products.add((label, i), product[r, i], entry, format_of(dtype), *budget("cross_entropy_hvp", dtype))
    judge.check(losses=20, gradients=100)
    products.check(
        at_least=0 if len(names) > 1 or names & {"weight", "label_smoothing", "z_loss", "soft targets"} else 400
    )


@EVERY_DTYPE
def test_sums_and_means_of_special_rows(dtype, sj):
    z = np.asarray([[0.0, 1.0], [2.0, -INF], [INF, 0.0]], dtype)
    for reduction, loss in [("sum", INF), ("mean", INF)]:
        value, gradient = sj.cross_entropy_value_and_grad(z, [0, 1, 0], reduction=reduction)
        assert value == loss
        assert np.isfinite(gradient.astype(float)).all()
        value, gradient = sj.cross_entropy_value_and_grad(z, [0, 0, 0], reduction=reduction)
        assert np.isfinite(float(value))
        z_nan = z.copy()
        z_nan[2, 1] = NAN
        value, gradient = sj.cross_entropy_value_and_grad(z_nan, [0, 1, 0], reduction=reduction)
        assert np.isnan(float(value))
        assert np.isnan(gradient.astype(float)).tolist() == [[False] * 2, [False] * 2, [True] * 2]


@EVERY_DTYPE
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nothing_counts(reduction, dtype, sj):
    z = np.full((4, 3), NAN, dtype)
    labels, v = np.full(4, -1), np.ones((4, 3), dtype)
    masked = np.zeros((4, 3), bool)
    y = np.full((4, 3), 0.25)
    ways = [
        (labels, {"ignore_index": -1}),
        (labels, {"ignore_index": -1, "label_smoothing": 0.1, "z_loss": 0.1, "weight": [1.0, 2.0, 3.0]}),
        (np.zeros(4, int), {"sample_weight": np.zeros(4)}),
        (np.zeros(4, int), {"where": masked}),
        (y, {"where": masked, "label_smoothing": 0.1}),
        (y, {"sample_weight": np.zeros(4), "z_loss": 1.0}),
    ]
    for targets, options in ways:
        value, gradient, denominator = sj.cross_entropy_value_and_grad(
            z, targets, reduction=reduction, return_denominator=True, **options
        )
        assert denominator == 0.0
        assert np.shape(value) == ((4,) if reduction == "none" else ())
        assert not np.any(value)
        assert value.dtype == gradient.dtype == dtype
        assert not gradient.any()
        assert not sj.cross_entropy_hvp(z, targets, v, reduction=reduction, **options).any()
        assert not (sj.cross_entropy_hessian(z, targets, reduction=reduction, **options) @ v).any()


@EVERY_DTYPE
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_no_rows_and_no_classes(reduction, dtype, sj):
    for shape in [(0, 3), (2, 0, 3)]:
        z = np.zeros(shape, dtype)
        for targets in [np.zeros(shape[:-1], int), np.zeros(shape)]:
            value, gradient, denominator = sj.cross_entropy_value_and_grad(
                z, targets, reduction=reduction, return_denominator=True
            )
            assert np.shape(value) == (shape[:-1] if reduction == "none" else ())
            assert not np.any(value)
            assert denominator == 0.0
            assert gradient.shape == shape
            assert gradient.dtype == value.dtype == dtype
            assert sj.cross_entropy_hvp(z, targets, z, reduction=reduction).shape == shape
    for shape in [(0,), (3, 0), (0, 0)]:
        with pytest.raises(sj.ShapeError, match="class"):
            sj.cross_entropy(np.zeros(shape, dtype), np.zeros(shape[:-1], int), reduction=reduction)


@EVERY_DTYPE
def test_rows_that_do_not_count_are_not_read(dtype, sj):
    rng = np.random.default_rng(4)
    z, v = rng.standard_normal((2, 9, 5)).astype(dtype)
    labels = rng.integers(0, 5, 9)
    out = np.asarray([1, 4, 8])
    dirty = z.copy()
    dirty[out] = [[NAN] * 5, [INF] * 5, [-INF] * 5]
    tangent = v.copy()
    tangent[out] = NAN
    ignored = labels.copy()
    ignored[out] = -5
    weights = np.ones(9)
    weights[out] = 0.0
    where = np.ones((9, 5), bool)
    where[out] = False
    kept = np.delete(np.arange(9), out)
    for targets, options in [
        (ignored, {"ignore_index": -5}),
        (labels, {"sample_weight": weights}),
        (labels, {"where": where}),
        (np.eye(5)[labels], {"sample_weight": weights}),
        (np.eye(5)[labels], {"where": where}),
    ]:
        for reduction in REDUCTIONS:
            value, gradient, denominator = sj.cross_entropy_value_and_grad(
                dirty, targets, reduction=reduction, return_denominator=True, **options
            )
            alone, slope, mass = sj.cross_entropy_value_and_grad(
                z[kept], labels[kept], reduction=reduction, return_denominator=True
            )
            assert denominator == mass == len(kept)
            assert same_bits(value[kept] if reduction == "none" else value, alone)
            assert same_bits(gradient[kept], slope)
            assert not gradient[out].any()
            product = sj.cross_entropy_hvp(dirty, targets, tangent, reduction=reduction, **options)
            assert same_bits(product[kept], sj.cross_entropy_hvp(z[kept], labels[kept], v[kept], reduction=reduction))
            assert not product[out].any()


ONE_HOT_OPTIONS = [names for names in COMBINATIONS if not {"soft targets", "ignore_index"} & names and len(names) != 2]
ONE_HOT_OPTIONS += [ALL_OPTIONS - {"ignore_index"}]


@EVERY_DTYPE
@pytest.mark.parametrize("names", ONE_HOT_OPTIONS, ids=combination_id)
def test_a_one_hot_row_and_its_class_have_the_same_bits(names, dtype, sj):
    for n, count in [(3, 40), (10, 17), (70, 2)]:
        rng = np.random.default_rng([n, count])
        z = (special_rows(n, count, rng) if n < 50 else rng.standard_normal((count, n)) * 20).astype(dtype)
        v = rng.standard_normal((count, n)).astype(dtype)
        labels, options = problem(names, count, n)
        for reduction in REDUCTIONS if "weight" not in names else REDUCTIONS[:2]:
            value, gradient = sj.cross_entropy_value_and_grad(z, labels, reduction=reduction, **options)
            product = sj.cross_entropy_hvp(z, labels, v, reduction=reduction, **options)
            y = np.eye(n, dtype=bool)[labels]
            if "where" in options:
                y &= options["where"]
            for kind in (
                [bool, np.int8, np.int64, np.float16, np.float32, np.float64] if reduction == "none" else [float]
            ):
                found = sj.cross_entropy_value_and_grad(z, y.astype(kind), reduction=reduction, **options)
                assert same_bits(found[0], value)
                assert same_bits(found[1], gradient)
            assert same_bits(sj.cross_entropy_hvp(z, y, v, reduction=reduction, **options), product)


@EVERY_DTYPE
def test_a_special_row_leaves_its_neighbours_alone(dtype, sj):
    rng = np.random.default_rng(3)
    for n, count in [(3, 16), (17, 40), (64, 3)]:
        z = rng.standard_normal((count, n)).astype(dtype)
        labels, others = rng.integers(0, n, count), np.arange(count) != count // 2
        before = sj.cross_entropy_value_and_grad(z, labels, reduction="none")
        for special in [NAN, INF, -INF]:
            spoiled = z.copy()
            spoiled[count // 2, n // 2] = special
            after = sj.cross_entropy_value_and_grad(spoiled, labels, reduction="none")
            assert all(same_bits(x[others], y[others]) for x, y in zip(before, after, strict=True))


def test_a_certain_loss_is_zero_and_not_minus_zero(sj):
    for dtype in DTYPES:
        for z, c in [([5.0], 0), ([0.0, -INF], 0), ([INF, 0.0], 0), ([3.0, -1e4], 0)]:
            loss, gradient = sj.cross_entropy_value_and_grad(np.asarray(z, dtype), c)
            assert loss == 0.0
            assert not np.signbit(loss)
            assert not gradient.any()


def test_a_gradient_of_nothing_is_zero_and_not_minus_zero(sj):
    for z, target in [([0.0, -np.inf], [1.0, 0.0]), ([0.0, -np.inf], 0), ([3.0], 0), ([0.0, 1.0], [0.0, 0.0])]:
        for rows in (1, 3, 20):
            gradient = sj.cross_entropy_grad(np.tile(z, (rows, 1)), np.array([target] * rows))
            assert not np.signbit(gradient).any(), (z, target, rows)
            assert not gradient.any()


def test_products_with_tangents_next_to_the_largest_number(sj):
    # p = 1/2 each: the weighted mean of the tangent is what z_loss needs.
    for rows in (1, 3, 20):
        z = np.zeros((rows, 2))
        found = sj.cross_entropy_hvp(z, np.zeros(rows, int), z + 1e308, z_loss=0.1, reduction="none")
        np.testing.assert_allclose(found, 1e307, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinite_tangents_go_where_the_entries_of_the_hessian_send_them(dtype, sj):
    """With z-loss the two parts of the Hessian pull apart: what wins is the sign of an entry, alpha J + beta p p^T."""
    rng = np.random.default_rng(5)
    seen = set()
    for n in (2, 3, 7):
        for z_loss in (1e-3, 0.4, 3.0):
            z = (rng.standard_normal((40, n)) * 2).astype(dtype)
            label = rng.integers(0, n, 40)
            v = rng.standard_normal((40, n)).astype(dtype)
            for row in v:
                row[rng.integers(0, n, rng.integers(1, 3))] = INF * rng.choice([-1.0, 1.0])
            options = {"z_loss": z_loss, "reduction": "none"}
            dense = sj.cross_entropy_hessian(z.astype(float), label, **options).to_dense()
            with np.errstate(invalid="ignore"):
                expected = np.where(np.isinf(v), v, 0.0)[:, None, :] * dense
                expected = np.where(np.isinf(v)[:, None, :], expected, 0.0).sum(axis=-1)
            found = sj.cross_entropy_hvp(z, label, v, **options)
            np.testing.assert_array_equal(found, expected)
            seen |= set(map(str, found.reshape(-1).tolist()))
    assert seen == {"inf", "-inf", "nan"}


def test_factors_far_beyond_one_do_not_overflow_on_the_way(sj):
    """2^128 p is what the core keeps: times a target or a z-loss slope of 1e304 it is beyond a double."""
    for y in (1e290, 1e300, 5e307):
        loss, gradient = sj.cross_entropy_value_and_grad([1.0, 0.0, -1.0], [y, y / 2, 0.0], reduction="none")
        p = sj.softmax([1.0, 0.0, -1.0])
        np.testing.assert_allclose(gradient / y, 1.5 * p - [1.0, 0.5, 0.0], rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(loss / y, np.dot([1.0, 0.5, 0.0], -sj.log_softmax([1.0, 0.0, -1.0])), rtol=1e-14)
    gradient = sj.cross_entropy_grad([1e308, 1e308, 0.0], 0, z_loss=1e-4)
    np.testing.assert_allclose(gradient, [1e304, 1e304, 0.0], rtol=1e-14)
