"""Losses, gradients and Hessian products against ball arithmetic on the hard rows: no error above its budget."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

import hard_rows
from cross_entropy_cases import ALL_OPTIONS, problem
from cross_entropy_judge import PROMISED, PROMISED_IN_U, Judge
from functions import DTYPE_NAMES, DTYPES, Function, budget
from softjac.check.oracle_losses import Batch
from softjac.check.ulp import format_of

EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
WIDE = [np.dtype(np.float32), np.dtype(np.float64)]
EVERY_CLASS_UP_TO = 10  # classes: of longer rows some are the label


class Case(NamedTuple):
    """Rows of one length, their labels or targets, what is known of them, and the entries that are looked at."""

    label: str
    logits: Any
    targets: Any
    options: dict[str, Any]
    batch: Batch
    entries: list[list[int]]


@EVERY_DTYPE
def test_the_budgets_are_those_that_were_promised(dtype):
    for name, figures in PROMISED.items():
        assert budget(Function(name, name), dtype) == figures[dtype == np.float64]
    for name, factor in PROMISED_IN_U.items():
        assert budget(Function(name, name), dtype) == (0.0, factor * format_of(dtype).u)


def some_entries(logits: Any, *others: int) -> list[int]:
    n = len(logits)
    if n <= EVERY_CLASS_UP_TO:
        return list(range(n))
    k = int(np.argmax(logits.astype(np.float64)))
    return list(dict.fromkeys([k, *others, n - 1, 0, n // 2, 1, min(16, n - 2)]))


@cache
def by_length(dtype_name: str) -> dict[int, list[hard_rows.HardRow]]:
    found: dict[int, list[hard_rows.HardRow]] = {}
    for row in hard_rows.hard_rows(dtype_name):
        found.setdefault(len(row.logits), []).append(row)
    return found


@cache
def class_cases(dtype_name: str) -> list[Case]:
    """Every hard row, with every class of a short row as its label."""
    found = []
    for n, rows in by_length(dtype_name).items():
        logits, labels = [], []
        for row in rows if n < 1000 else rows[::6]:
            z = row.logits.astype(np.float64)
            rng = hard_rows.rng_for(f"label {row.name}")
            of_row = {int(z.argmax()), int(z.argmin()), *rng.integers(0, n, 1 if n < 1000 else 0).tolist()}
            for label in range(n) if n <= EVERY_CLASS_UP_TO else sorted(of_row):
                logits.append(row.logits)
                labels.append(label)
        z, c = np.stack(logits), np.asarray(labels)
        entries = [some_entries(*pair) for pair in zip(z, labels, strict=True)]
        found.append(Case(f"n={n}", z, c, {}, Batch(z, c, reduction="none"), entries))
    return found


def hold(sj: Any, dtype: Any, cases: list[Case]) -> Judge:
    judge = Judge(sj, dtype)
    for case in cases:
        judge.value_and_grad(case.label, *case[1:3], case.batch, case.entries.__getitem__, **case.options)
    return judge


@EVERY_DTYPE
def test_hard_rows_are_within_the_budget(dtype, sj):
    hold(sj, dtype, class_cases(dtype.name)).check(losses=700, gradients=3000)


@cache
def gap_cases(dtype_name: str) -> list[Case]:
    """Two classes from 0 to 100 (float64: 740) apart, both as label and on both sides; and with a third far below."""
    dtype = np.dtype(dtype_name)
    gaps = np.linspace(0.0, 740.0, 371) if dtype == np.float64 else np.linspace(0.0, 100.0, 201)
    found = []
    for name, rows in [
        ("the larger last", [np.zeros_like(gaps), gaps]),
        ("the larger first", [gaps, np.zeros_like(gaps)]),
        ("three classes", [gaps, np.zeros_like(gaps), -0.37 * gaps]),
        ("two equal below", [np.zeros_like(gaps), gaps, np.zeros_like(gaps)]),
    ]:
        z = np.stack(rows, axis=-1).astype(dtype)
        for c in range(z.shape[1]):
            labels = np.full(len(z), c)
            batch = Batch(z, labels, reduction="none")
            found.append(Case(f"{name}, class {c}", z, labels, {}, batch, [list(range(z.shape[1]))] * len(z)))
    return found


@pytest.mark.parametrize("dtype", WIDE, ids=str)
def test_gaps_are_within_the_budget(dtype, sj):
    hold(sj, dtype, gap_cases(dtype.name)).check(losses=2000, gradients=5000)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("z_loss", [0.0, 1e-4, 2.0])
def test_losses_at_the_end_of_float64_keep_their_digits_under_weights(reduction, z_loss, sj):
    """From 1e-265 to the last subnormal number: multiplied by what a row counts, none of it was rounded before."""
    gaps = np.linspace(610.0, 744.0, 135)
    z = np.stack([np.zeros_like(gaps), gaps, 0.25 * gaps], axis=-1)
    labels = np.ones(len(z), int)
    judge = Judge(sj, np.dtype(np.float64))
    for name, omega in [
        ("large", np.full(len(z), 1000.0)),
        ("enormous", np.full(len(z), 1e130)),
        ("small", np.full(len(z), 1e-3)),
        ("mixed", 10.0 ** hard_rows.rng_for("tiny losses").uniform(-3, 12, len(z))),
    ]:
        for weight in (None, np.array([1.0, 7e5, 0.3])):
            options = {"sample_weight": omega, "weight": weight, "z_loss": z_loss}
            batch = Batch(z, labels, reduction=reduction, **options)
            judge.value_and_grad(name, z, labels, batch, lambda _: [1], **options)
    judge.check(losses=8)


def test_a_weighted_mean_is_finite_where_its_terms_are_not(sj):
    z = np.array([[0.0, 1.5e308], [0.0, 1.0]])
    omega = np.array([6.0, 2.0])
    loss, gradient = sj.cross_entropy_value_and_grad(z, [0, 1], sample_weight=omega)
    assert loss == 1.125e308
    assert gradient[0].tolist() == [-0.75, 0.75]
    assert sj.cross_entropy(z, [0, 1], sample_weight=omega, reduction="sum") == np.inf


@pytest.mark.parametrize("dtype", WIDE, ids=str)
def test_worked_values(dtype, sj):
    def near(found, digits):
        mantissa, _, exponent = digits.partition("e")
        last = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        rounding = float(np.spacing(np.abs(dtype.type(digits)))) / 2 if dtype == np.float32 else 0.0
        assert np.asarray(found).dtype == dtype
        assert abs(float(found) - float(digits)) <= 0.51 * last + rounding, (found, digits)

    loss, gradient = sj.cross_entropy_value_and_grad(np.asarray([0, 20], dtype), 1)
    near(loss, "2.0611536203e-9")
    near(gradient[1], "-2.0611536182e-9")
    near(gradient[0], "2.0611536182e-9")
    near(sj.cross_entropy(np.asarray([0, 40], dtype), 1), "4.248354255e-18")
    near(sj.cross_entropy(np.full(3, 1e8, dtype), 0), "1.09861228866811")
    near(sj.cross_entropy(np.asarray([2, -1], dtype) + dtype.type(1e6), 0), "0.0485873516")
    loss, gradient = sj.cross_entropy_value_and_grad(np.asarray([0, -np.inf], dtype), [1.0, 0.0])
    assert loss == 0.0
    assert gradient.tolist() == [0.0, 0.0]


def ordinary_in_float64(rows: list[hard_rows.HardRow], dtype: Any) -> list[hard_rows.HardRow]:
    """Rows whose weighted losses, and squares of log-sum-exp, are inside the range of a double."""
    return [row for row in rows if dtype != np.float64 or np.abs(row.logits).max() < 1e150]


OPTION_SETS = [
    {"soft targets"},
    {"label_smoothing"},
    {"weight"},
    {"sample_weight"},
    {"z_loss"},
    {"where"},
    {"weight", "sample_weight"},
    {"soft targets", "z_loss"},
    {"soft targets", "weight", "sample_weight", "label_smoothing", "z_loss", "where"},
    ALL_OPTIONS,
]


@cache
def option_cases(dtype_name: str, number: int) -> list[Case]:
    found = []
    names = OPTION_SETS[number]
    for n, rows in by_length(dtype_name).items():
        chosen = ordinary_in_float64(rows, rows[0].logits.dtype)[number % 3 :: 3][: None if n <= 100 else 2]
        if n > 1000 or not chosen:
            continue
        z = np.stack([row.logits for row in chosen])
        targets, options = problem(names, len(z), n)
        for reduction in ["none", "mean"]:
            batch = Batch(z, targets, reduction=reduction, **options)
            found.append(Case(f"n={n}, {reduction}", z, targets, options, batch, [some_entries(row)[:6] for row in z]))
    return found


@EVERY_DTYPE
@pytest.mark.parametrize("number", range(len(OPTION_SETS)), ids=["+".join(sorted(x)) for x in OPTION_SETS])
def test_options_on_hard_rows_are_within_the_budget(number, dtype, sj):
    hold(sj, dtype, option_cases(dtype.name, number)).check(losses=50, gradients=400)


REDUCED = ["confident and right", "ordinary", "of all sizes"]


@cache
def reduced_cases(dtype_name: str) -> list[Case]:
    """Batches whose sum or mean is what is looked at."""
    found, dtype = [], np.dtype(dtype_name)
    for kind in REDUCED:
        for count, n in [(1, 5), (2, 3), (7, 10), (100, 4)]:
            rng = hard_rows.rng_for(f"reduced {kind} {count}")
            z = rng.standard_normal((count, n)) * 3.0
            for names in [set(), {"weight", "sample_weight"}, {"label_smoothing", "z_loss"}]:
                labels, options = problem(names, count, n)
                lift = {"confident and right": 40.0, "ordinary": 0.0}.get(kind, rng.uniform(-60, 300, count))
                spread = z.copy()
                spread[np.arange(count), labels] += lift
                spread = spread.astype(dtype)
                for reduction in ["sum", "mean"]:
                    batch = Batch(spread, labels, reduction=reduction, **options)
                    label = f"{kind}, {count} rows, {sorted(names)}"
                    found.append(Case(label, spread, labels, options, batch, [[0, n - 1]] * count))
    return found


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), *WIDE], ids=str)
def test_sums_and_means_are_within_the_budget(dtype, sj):
    hold(sj, dtype, reduced_cases(dtype.name)).check(losses=70, gradients=3000)


@cache
def product_cases(dtype_name: str) -> list[tuple[Case, Any]]:
    """Hard rows with the tangents of the table in turn."""
    found = []
    for n, rows in by_length(dtype_name).items():
        if n > 1000:
            continue
        for number, names in enumerate([set(), {"z_loss", "label_smoothing"}]):
            chosen = ordinary_in_float64(rows, rows[0].logits.dtype)[number::3][: 40 if n <= 100 else 2]
            if not chosen:
                continue
            z, v = [], []
            for place, row in enumerate(chosen):
                kinds = list(hard_rows.tangents(row))
                z.append(row.logits)
                v.append(kinds[(place + n) % len(kinds)][1])
            targets, options = problem(names, len(z), n)
            batch = Batch(np.stack(z), targets, reduction="none", **options)
            entries = [some_entries(row) for row in z]
            found.append((Case(f"n={n}, {sorted(names)}", np.stack(z), targets, options, batch, entries), np.stack(v)))
    return found


def hold_products(sj: Any, dtype: Any, cases: list[tuple[Case, Any]]) -> Judge:
    judge = Judge(sj, dtype)
    for case, v in cases:
        judge.hvp(case.label, *case[1:3], v, case.batch, case.entries.__getitem__, **case.options)
    return judge


@EVERY_DTYPE
def test_products_with_the_hessian_are_within_the_budget(dtype, sj):
    hold_products(sj, dtype, product_cases(dtype.name)).check(products=700)


@cache
def long_cases(dtype_name: str) -> list[Case]:
    row = hard_rows.long_rows(dtype_name)[0]
    labels = np.asarray([int(np.argmax(row.logits.astype(np.float64))), len(row.logits) - 1])
    z, entries = np.stack([row.logits] * 2), [some_entries(row.logits, int(label)) for label in labels]
    return [Case(row.name, z, labels, {}, Batch(z, labels, reduction="none"), entries)]


@pytest.mark.parametrize("dtype", WIDE, ids=str)
def test_long_rows_are_within_the_budget(dtype, sj):
    # 131072 classes: all of them in the sums, some of them checked.
    judge = Judge(sj, dtype)
    for case in long_cases(dtype.name):
        judge.value_and_grad(case.label, *case[1:3], case.batch, case.entries.__getitem__)
    judge.check(losses=2, gradients=12)


def test_longdouble_is_within_3_ulp(sj):
    dtype = np.dtype(np.longdouble)
    judge = Judge(sj, dtype)
    for n, rows in by_length("float64").items():
        if n > 33:
            continue
        chosen = ordinary_in_float64(rows, np.dtype(np.float64))[::4]
        if not chosen:
            continue
        z = np.stack([row.logits for row in chosen]).astype(dtype) / 3
        labels = hard_rows.rng_for(f"longdouble {n}").integers(0, n, len(z))
        judge.value_and_grad(f"n={n}", z, labels, Batch(z, labels, reduction="none"))
        judge.hvp(f"n={n}", z, labels, np.cos(z), Batch(z, labels, reduction="none"))
    judge.check(losses=50, gradients=200, products=200)


class Naive:
    """The usual lines: a logarithm of the probability, and p - y."""

    def _parts(self, logits, targets):
        with np.errstate(all="ignore"):
            e = np.exp(logits - logits.max(axis=-1, keepdims=True))
            p = e / e.sum(axis=-1, keepdims=True)
            y = np.eye(logits.shape[-1], dtype=logits.dtype)[targets] if targets.ndim == 1 else targets
            return p, y.astype(logits.dtype)

    def cross_entropy_value_and_grad(self, logits, targets, *, reduction, **_):
        p, y = self._parts(logits, targets)
        with np.errstate(all="ignore"):
            losses = -np.where(y != 0, y * np.log(p), 0).sum(axis=-1)
            if reduction == "none":
                return losses, p - y
            by = len(p) if reduction == "mean" else 1
            return (losses.sum() / losses.dtype.type(by)), (p - y) / p.dtype.type(by)

    def cross_entropy_hvp(self, logits, targets, tangent, **_):
        p, _ = self._parts(logits, targets)
        with np.errstate(all="ignore"):
            return p * (tangent - (p * tangent).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("dtype", WIDE, ids=str)
def test_cross_entropy_without_care_is_outside_the_budget(dtype):
    # The tests above can fail: the usual lines do.
    for cases in [class_cases(dtype.name), gap_cases(dtype.name), option_cases(dtype.name, 0)]:
        losses, gradients, _ = hold(Naive(), dtype, cases).outside
        assert losses > 10
        assert gradients > 20
    no_options = [case for case in reduced_cases(dtype.name) if not case.options]
    losses, gradients, _ = hold(Naive(), dtype, no_options).outside
    assert losses > 5
    assert gradients > 20
    plain = [(case, v) for case, v in product_cases(dtype.name) if not case.options]
    assert hold_products(Naive(), dtype, plain).outside[2] > 20
