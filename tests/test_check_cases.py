"""The probes of the checker: what they must have to tell mistakes apart, and the exact results that go with them."""

import ast
import itertools
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import special_rules
import special_rules_cross_entropy
from functions import FUNCTIONS
from odd_rows import ODD_ROWS
from softjac._budget import budget
from softjac.check import special, truths
from softjac.check.cases import QUALITIES, inputs_of, numbers, one_hot, probes
from softjac.check.kinds import KINDS, entry_symbol, output_shape, right_entry
from softjac.check.model import LEVELS
from softjac.check.special import LossOfRow
from softjac.check.truths import TruthArray, softmax_of, truth
from softjac.check.ulp import format_of
from ulp import error_ulps, share

ALL = [(kind, probe) for kind in KINDS for probe in probes(kind)]
FREE = {"equal_logits", "special_values", "minus_infinity"}  # of these the logits may be equal


def of_kinds(function):
    return pytest.mark.parametrize("kind", KINDS)(function)


@of_kinds
def test_there_are_enough_and_not_too_many(kind):
    asked = probes(kind)
    assert 50 <= len(asked) <= 80
    assert len({probe.name for probe in asked}) == len(asked)
    assert {probe.level for probe in asked} == set(LEVELS)
    assert all(QUALITIES[probe.quality].level == probe.level for probe in asked)


@of_kinds
def test_every_quality_that_makes_sense_is_asked(kind):
    targets = {"soft_targets", "unnormalised_targets"}
    assert {probe.quality for probe in probes(kind)} == set(QUALITIES) - (set() if KINDS[kind].has_targets else targets)


@of_kinds
def test_equal_logits_come_last(kind):
    qualities = [probe.quality for probe in probes(kind)]
    first = qualities.index("equal_logits")
    assert set(qualities[first:]) == {"equal_logits"}
    assert all(np.ptp(row) for probe in probes(kind)[:first] for row in rows(probe) if row.size > 1 and finite(row))


def rows(probe):
    return np.atleast_2d(probe.inputs.logits)


def finite(row):
    return bool(np.isfinite(row).all())


def test_logits_are_never_equally_spaced():
    """The gaps between neighbours of a sorted row are distinct, where the row is short and has no ties."""
    checked = 0
    for _, probe in ALL:
        for row in rows(probe):
            gaps = np.diff(np.sort(row[np.isfinite(row)]))
            if probe.quality not in FREE and 3 <= row.size <= 10 and "ties" not in probe.name:
                assert gaps.all(), probe.name
                assert row.size > 5 or len(set(gaps)) == len(gaps), probe.name
                checked += 1
    assert checked > 300


def test_the_first_probe_is_the_one_of_the_documentation():
    assert all(probes(kind)[0].inputs.logits.tolist() == [1, 2, 4] for kind in KINDS)


def test_every_number_is_one_of_float32_but_for_those_of_16_digits():
    for kind in KINDS:
        (probe,) = (probe for probe in probes(kind) if probe.name.startswith("logits of 16 digits"))
        assert not np.array_equal(probe.inputs.logits.astype("float32"), probe.inputs.logits)
    for _, probe in ALL:
        if probe.name.startswith("logits of 16 digits"):
            continue
        for array in (probe.inputs.logits, probe.inputs.cotangent, probe.inputs.targets):
            if array is not None:
                assert np.array_equal(array.astype("float32").astype(float), array, equal_nan=True), probe.name


def test_integers_are_integers():
    for _, probe in ALL:
        if probe.dtype == "int64":
            for array in (probe.inputs.logits, probe.inputs.cotangent, probe.inputs.targets):
                assert array is None or np.array_equal(array, np.rint(array))


@of_kinds
def test_sizes_and_shapes(kind):
    shapes = {probe.inputs.logits.shape for probe in probes(kind)}
    vectors = {shape[0] for shape in shapes if len(shape) == 1}
    batches = {shape for shape in shapes if len(shape) == 2}
    assert {1, 2, 3, 4, 5, 10} <= vectors
    assert any(n > k for n, k in batches)
    assert any(n < k for n, k in batches)
    assert any(n == k for n, k in batches)
    assert any(n == 1 for n, _ in batches)


def test_a_batch_has_rows_900_apart():
    for kind in KINDS:
        batches = [probe for probe in probes(kind) if probe.quality == "distant_rows"]
        assert any(np.ptp(rows(probe).max(axis=1)) >= 899 for probe in batches)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.has_targets])
def test_labels_have_the_first_and_the_last_class(kind):
    labels = [(probe.inputs.labels, probe.inputs.n) for probe in probes(kind) if probe.inputs.labels is not None]
    assert any((label == 0).any() for label, _ in labels)
    assert any((label == n - 1).any() for label, n in labels)
    soft = [probe.inputs.targets.sum(axis=-1) for probe in probes(kind) if probe.quality == "soft_targets"]
    assert np.all(np.concatenate([np.atleast_1d(total) for total in soft]) == 1)


def test_inputs_cannot_be_written_to():
    for _, probe in ALL:
        with pytest.raises(ValueError, match="read-only"):
            probe.inputs.logits[...] = 0


# The exact results


def by_numpy(kind, inputs):
    """In float64, for ordinary logits."""
    z, p, t = inputs.logits, scipy.special.softmax(inputs.logits, axis=-1), inputs.targets
    logp = scipy.special.log_softmax(z, axis=-1)
    n = z.shape[-1]
    if kind == "softmax_jacobian":
        return (p[..., :, None] * np.eye(n) - p[..., :, None] * p[..., None, :],)
    if kind == "softmax_vjp":
        v = inputs.cotangent
        return (p * (v - (p * v).sum(axis=-1, keepdims=True)),)
    if t is None:
        return ({"softmax": p, "log_softmax": logp, "logsumexp": scipy.special.logsumexp(z, axis=-1)}[kind],)
    both = (-(t * logp).sum(axis=-1), p * t.sum(axis=-1, keepdims=True) - t)
    return {"cross_entropy": both[:1], "cross_entropy_grad": both[1:]}.get(kind, both)


@of_kinds
def test_exact_results_are_those_of_numpy_where_logits_are_ordinary(kind):
    for probe in probes(kind):
        if finite(rows(probe)) and np.abs(rows(probe)).max() < 30:
            found = truth(kind, probe.inputs)
            for output, one, expected in zip(KINDS[kind].outputs, found, by_numpy(kind, probe.inputs), strict=True):
                assert one.shape == output_shape(output, probe.inputs.logits.shape)
                assert np.allclose(one.value, expected, rtol=1e-9, atol=1e-12), probe.name


def test_reductions_of_a_batch():
    inputs = inputs_of([[1.0, 2.0, 4.0], [0.5, -1.75, 0.0]], labels=[1, 2])
    each, gradient = (one.value for one in truth("cross_entropy_value_and_grad", inputs))
    mean, of_mean = truth("cross_entropy_value_and_grad", inputs, reduction="mean", gradient="mean")
    total, of_sum = truth("cross_entropy_value_and_grad", inputs, reduction="sum", gradient="sum")
    assert mean.value == pytest.approx(each.mean(), rel=1e-15)
    assert total.value == pytest.approx(each.sum(), rel=1e-15)
    assert of_mean.value == pytest.approx(gradient / 2, rel=1e-15)
    assert np.array_equal(of_sum.value, gradient)


def test_given_probabilities():
    inputs = inputs_of([1.0, 2.0, 4.0], targets=[0.25, 0.5, 0.25], cotangent=[1.0, -2.0, 0.5])
    p, t = inputs.probs, inputs.targets
    for kind in ["softmax_jacobian", "softmax_vjp"]:
        assert np.allclose(truth(kind, inputs, given="probs")[0].value, by_numpy(kind, inputs)[0], rtol=1e-12)
    loss, in_probs = truth("cross_entropy_value_and_grad", inputs, given="probs", wrt="probs")
    assert loss.value == pytest.approx(-(t * np.log(p)).sum(), rel=1e-14)
    assert in_probs.value == pytest.approx(-t / p, rel=1e-14)
    (in_logits,) = truth("cross_entropy_grad", inputs, given="probs", wrt="logits")
    assert in_logits.value == pytest.approx(p - t, rel=1e-12)


def test_a_label_of_probability_0():
    inputs = inputs_of([0.0, 800.0], labels=0)
    assert inputs.probs.tolist() == [0.0, 1.0]
    loss, gradient = truth("cross_entropy_value_and_grad", inputs, given="probs", wrt="probs")
    assert loss.value == np.inf
    assert gradient.value.tolist() == [-np.inf, 0.0]
    loss, gradient = truth("cross_entropy_value_and_grad", inputs)
    assert loss.value == 800.0
    assert gradient.value.tolist() == [-1.0, 1.0]


ODD = [row for row, where, *_ in ODD_ROWS if where is True]


@pytest.mark.parametrize("z", ODD, ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "softmax_jacobian", "softmax_vjp"])
def test_odd_rows_are_as_the_other_rules_have_them(name, z):
    """Two implementations of what DESIGN.md promises: the one in the tests of the library, and the checker's."""
    g = [1.0, -2.0, 0.5][: len(z)] if name == "softmax_vjp" else None
    expected = special_rules.expected(FUNCTIONS[name], [z] if g is None else [z, g])
    found = getattr(special, name)(z) if g is None else special.softmax_vjp(z, g)
    assert np.allclose(TruthArray(found, [name]).value, special_rules.as_array(expected), 1e-15, 0, equal_nan=True)


@pytest.mark.parametrize("z", ODD, ids=str)
def test_odd_rows_of_losses_are_as_the_other_rules_have_them(z):
    n = len(z)
    soft = [0.25, 0.0, 0.5, 0.125][:n]
    for y in (*np.eye(n).tolist(), soft, [0.0] * n):
        expected = special_rules_cross_entropy.expected(z, y)
        found = LossOfRow(z, y)
        assert np.array_equal(float(found.value().value), float(expected.loss.value), equal_nan=True), y
        for one, other in zip(found.grad(), expected.gradient, strict=True):
            assert np.array_equal(float(one.value), float(other.value), equal_nan=True), y


# Errors


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@of_kinds
def test_errors_are_those_of_ball_arithmetic(kind, dtype):
    """Distances made of two doubles, and ulps, against the balls: for results at and beside the right ones."""
    rng = np.random.default_rng(7)
    checked = 0
    for probe in probes(kind)[::3]:
        for one in truth(kind, probe.inputs):
            with np.errstate(all="ignore"):
                near = (one.value * (1 + rng.choice([0.0, 3e-16, -2e-7, 1e-3], one.shape))).astype(dtype)
            ulps, within = one.ulps(near, dtype), one.within_budget(near, dtype)
            for index in itertools.islice(np.ndindex(one.shape), 50):
                exact, result = one.entries[index], near[index]
                if not exact.value.is_finite() or not np.isfinite(result):
                    continue
                expected = error_ulps(result, exact.value, format_of(dtype))
                # Half an ulp of a subnormal number is no double: there less than that counts as nothing.
                lost = 0.5 if abs(one.value[index]) < 1e-300 else 1e-12
                assert ulps[index] == pytest.approx(expected, rel=1e-9, abs=lost), (probe.name, index)
                allowed = allowance(kind, one, index, dtype)
                of_budget = share(result, exact, format_of(dtype), *allowed)
                assert within[index] == (of_budget <= 1) or of_budget == pytest.approx(1, rel=1e-12)
                checked += 1
    assert checked > 25


def allowance(kind, one, index, dtype):
    quantity = kind
    if KINDS[kind].has_targets:
        quantity = "cross_entropy"
        if index or kind == "cross_entropy_grad":
            quantity = "cross_entropy_grad_soft" if one.entries[index].scale > 0 else "cross_entropy_grad"
        if kind != "cross_entropy_grad" and len(index) < 1:
            quantity = "cross_entropy"
    found = budget(dtype, quantity)
    return found.ulps, found.factor(format_of(dtype).P)


def test_distance_of_what_is_not_finite():
    one = truth("log_softmax", inputs_of([1.0, -np.inf, 2.0]))[0]
    right = one.value.copy()
    assert one.distance(right).max() < 1e-16
    for wrong in [np.nan, np.inf, 0.0]:
        result = right.copy()
        result[1] = wrong
        assert one.distance(result)[1] == np.inf
        assert not one.within_budget(result, "float64")[1]
    nothing = truth("softmax", inputs_of([-np.inf, -np.inf]))[0]
    assert nothing.distance(np.asarray([np.nan, np.nan])).tolist() == [0, 0]
    assert nothing.distance(np.asarray([0.5, np.nan])).tolist() == [np.inf, 0]


def test_exact_results_are_shared():
    probe = probes("softmax")[0]
    assert truth("softmax", probe.inputs) is truth("softmax", probe.inputs)


def test_softmax_of_is_rounded_correctly():
    assert softmax_of(np.asarray([0.0, np.log(3.0)])) == pytest.approx([0.25, 0.75], rel=1e-15)


def test_kinds_of_the_same_name_are_the_functions_of_softjac():
    import softjac

    assert all(hasattr(softjac, kind) for kind in KINDS)


# What is said of an entry


def test_right_entries_have_the_right_numbers():
    checked = 0
    for kind in KINDS:
        for probe in probes(kind)[:17]:
            for output, one in enumerate(truth(kind, probe.inputs)):
                for index in np.ndindex(one.shape):
                    product = right_entry(kind, probe.inputs, index, output)
                    if product is None:
                        continue
                    assert product.template.count("{}") == len(product.numbers)
                    row = probe.inputs.logits[index[: probe.inputs.logits.ndim - 1]]
                    names = {"exp": np.exp, "log": np.log, "lse": scipy.special.logsumexp(row)}
                    found = eval(product.template.format(*map(repr, product.numbers)), names)
                    assert found == pytest.approx(one.value[index], rel=1e-9, abs=1e-12), (kind, probe.name, index)
                    checked += 1
    assert checked > 500


def test_names_of_entries():
    assert entry_symbol("softmax_jacobian", (0, 1)) == "J[0,1]"
    assert entry_symbol("cross_entropy_value_and_grad", (2,), 1) == "dz[2]"
    assert entry_symbol("cross_entropy_grad", (2,), wrt="probs") == "dp[2]"
    assert entry_symbol("cross_entropy", ()) == "L"
    assert entry_symbol("log_softmax", (1,)) == "log_p[1]"


def test_numbers_are_written_as_by_hand():
    assert numbers([1.0, 0.5, -np.inf, 1e-7]) == "[1, 0.5, -inf, 1e-07]"
    assert one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_truths_import_no_kernel():
    """What is judged has no part in the truth: of softjac, the budgets alone."""
    for module in [special, truths]:
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        of_softjac = {name for name in imported if name.startswith("softjac") and "softjac.check" not in name}
        assert of_softjac <= {"softjac._budget"}
