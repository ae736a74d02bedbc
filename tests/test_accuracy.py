"""Every function, dtype and kernels against the oracle on the hard rows: no error above its budget, anywhere."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

import exact_entries
import hard_rows
from exact_entries import Case
from functions import DTYPE_NAMES, DTYPES, FUNCTIONS, NAMES, Function, budget
from softjac.check.oracle import Row
from softjac.check.ulp import format_of
from ulp import Worst

# What is promised, as ulps and the factor of the scale: once more here, so that a figure cannot drift unseen.
PROMISED = {
    "softmax": ((0.501, 0.0), (0.6, 0.0)),
    "softmax_complement": ((0.501, 0.0), (0.6, 0.0)),
    "log_softmax": ((0.501, 0.0), (1.5, 0.0)),
    "softmax_jacobian": ((0.501, 0.0), (1.5, 0.0)),
    "logsumexp": ((0.501, 2.0**-50), (1.5, 2.0**-52)),
}
PROMISED_IN_U = {"softmax_jvp": 4.0, "softmax_vjp": 4.0, "log_softmax_jvp": 4.0, "log_softmax_vjp": 4.0}
PROMISED_IN_U |= {"softmax_second_derivative": 8.0}


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
def test_the_budgets_are_those_that_were_promised(dtype):
    for function in FUNCTIONS.values():
        if function.public in PROMISED:
            assert budget(function, dtype) == PROMISED[function.public][dtype == np.float64]
        else:
            assert budget(function, dtype) == (0.0, PROMISED_IN_U[function.public] * format_of(dtype).u)


def results(sj: Any, function: Function, cases: list[Case]) -> list[Any]:
    """Rows of one length go together: rows of few classes are then served as tiles."""
    together = defaultdict(list)
    for number, case in enumerate(cases):
        together[len(case.operands[0])].append(number)
    found: list[Any] = [None] * len(cases)
    for numbers in together.values():
        operands = [np.stack(rows) for rows in zip(*(cases[number].operands for number in numbers), strict=True)]
        for number, result in zip(numbers, function(sj, *operands), strict=True):
            found[number] = result
    return found


def hold(function: Function, dtype: Any, sj: Any, cases: list[Case]) -> Worst:
    worst, fmt = Worst(), format_of(dtype)
    ulps, factor = budget(function, dtype)
    for case, result in zip(cases, results(sj, function, cases), strict=True):
        for entry, truth in case.truths.items():
            worst.add((case.label, entry), result[entry], truth, fmt, ulps, factor)
    return worst


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_hard_rows_are_within_the_budget(name, dtype, sj):
    function = FUNCTIONS[name]
    hold(function, dtype, sj, exact_entries.cases(name, dtype.name)).check(at_least=200)


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
def test_long_rows_are_within_the_budget(dtype, sj):
    # 131072 classes: all of them in the sums, some of them checked.
    for name, cases in exact_entries.long_cases(dtype.name).items():
        hold(FUNCTIONS[name], dtype, sj, cases).check()


@pytest.mark.parametrize(("n", "dtype"), [(1000, np.dtype(np.float64)), (4096, np.dtype(np.float32))], ids=str)
def test_large_jacobians_are_within_the_budget(n, dtype, sj):
    # Large enough that the compiled core writes past the cache.
    function, fmt = FUNCTIONS["softmax_jacobian"], format_of(dtype)
    rng = hard_rows.rng_for(f"large Jacobian {n}")
    logits = (3.0 * rng.standard_normal(n)).astype(dtype)
    truth, jacobian = Row(logits), sj.softmax_jacobian(logits)
    budgeted, worst = budget(function, dtype), Worst()
    for i, j in [*rng.integers(0, n, (300, 2)).tolist(), *((i, i) for i in rng.integers(0, n, 100).tolist())]:
        worst.add((i, j), jacobian[i, j], truth.softmax_jacobian(i, j), fmt, *budgeted)
    worst.check(at_least=400)
    assert np.array_equal(jacobian, jacobian.T)


WITH_TANGENTS = [name for name in NAMES if FUNCTIONS[name].tangents]


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", WITH_TANGENTS)
def test_huge_tangents_are_within_the_budget(name, dtype, sj):
    # Sums of these overflow where the result does not.
    cases = exact_entries.cases_with_tangents(hard_rows.huge_tangents, name, dtype.name)
    hold(FUNCTIONS[name], dtype, sj, cases).check(at_least=100)


def test_weights_that_outweigh_the_largest_logit(sj):
    function, dtype, worst = FUNCTIONS["logsumexp_weighted"], np.dtype(np.float64), Worst()
    for logits, weights in [
        ([0.0, 800.0], [1e200, 1e-200]),
        ([0.0, 0.0, 1000.0], [1e300, 1.0, 1e-300]),
        ([0.0, 746.0], [1.0, 5e-324]),
        ([0.0, 1400.0, 3.0], [1.7e308, 5e-324, 1.0]),
        ([0.0, 800.0, 800.0], [1e308, 1e-320, -1e-320]),
        ([0.0, 1e-300, 700.0, -700.0], [1.0, -1.0, 1e-310, 1e300]),
    ]:
        truth = Row(logits).logsumexp_weighted(weights)
        worst.add((logits, weights), sj.logsumexp(logits, b=weights), truth, format_of(dtype), *budget(function, dtype))
    worst.check(at_least=6)


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", [name for name in WITH_TANGENTS if name != "logsumexp_weighted"])
def test_subnormal_tangents_are_within_the_budget(name, dtype, sj):
    # In float64 what is computed on the way is subnormal too: each such step may cost its last place.
    function, smallest = FUNCTIONS[name], hard_rows.limits(dtype).smallest
    cases = exact_entries.cases_with_tangents(hard_rows.tiny_tangents, name, dtype.name)
    if dtype != np.float64:
        hold(function, dtype, sj, cases).check(at_least=100)
        return
    for case, result in zip(cases, results(sj, function, cases), strict=True):
        for entry, truth in case.truths.items():
            assert abs(result[entry] - float(truth.value)) <= len(result) * smallest, case.label


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_masked_elements_and_elements_at_minus_infinity_take_no_part(name, dtype, sj):
    # What is left is the row without them. Tangents there hold rubbish.
    function, fmt = FUNCTIONS[name], format_of(dtype)
    budgeted, worst = budget(function, dtype), Worst()
    for case in exact_entries.cases(name, dtype.name)[::3]:
        n = len(case.operands[0])
        if n > 100:
            continue
        rng = hard_rows.rng_for(f"holes {case.label}")
        places = np.sort(rng.choice(2 * n + 1, n, replace=False))
        here = np.zeros(2 * n + 1, dtype=bool)
        here[places] = True
        for masked in [True, False]:
            operands = []
            for number, operand in enumerate(case.operands):
                absent = -np.inf if number == 0 and not function.takes_probs else 0.0
                wide = np.full(2 * n + 1, np.nan if masked else absent, dtype=dtype)
                wide[places] = operand
                operands.append(wide)
            result = function(sj, *operands, where=here if masked else None)
            for entry, truth in case.truths.items():
                label = (case.label, "masked" if masked else "minus infinity", entry)
                at = tuple(int(places[i]) for i in entry)
                worst.add(label, result[at], truth, fmt, *budgeted)
    worst.check(at_least=100)


def test_longdouble_is_within_3_ulp(sj):
    dtype = np.dtype(np.longdouble)
    fmt = format_of(dtype)
    for name in ["softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian", "softmax_jvp"]:
        function, worst = FUNCTIONS[name], Worst()
        budgeted = budget(function, dtype)
        assert function.tangents or budgeted[0] == 3.0
        for row in hard_rows.hard_rows("float64")[::5]:
            if len(row.logits) > 100:
                continue
            logits = row.logits.astype(dtype)
            third = hard_rows.HardRow(row.name, logits if np.abs(logits).max() > 1e300 else logits / 3)
            for case in exact_entries.cases_of_row(function, third, Row(third.logits)):
                result = function(sj, *case.operands)
                assert result.dtype == dtype
                for entry, truth in case.truths.items():
                    worst.add((name, case.label, entry), result[entry], truth, fmt, *budgeted)
        worst.check(at_least=10)


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
def test_the_jacobian_is_symmetric_to_the_bit_and_its_rows_sum_to_zero(dtype, sj):
    u = format_of(dtype).u
    for row in hard_rows.hard_rows(dtype.name, longest=100):
        jacobian = sj.softmax_jacobian(row.logits)
        assert np.array_equal(jacobian, jacobian.T), row.name
        wide, n = jacobian.astype(np.float64), len(row.logits)
        smallest = hard_rows.limits(dtype).smallest
        allowed = 2.0 * u * np.abs(wide).sum(axis=-1) * (1 if dtype.itemsize < 8 else n) + n * smallest
        assert (np.abs(wide.sum(axis=-1)) <= allowed).all(), row.name


def test_softmax_without_care_is_outside_the_budget():
    # The tests above can fail: the usual three lines do, and so does a complement by subtraction.
    class Naive:
        def softmax(self, z):
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            return e / e.sum(axis=-1, keepdims=True)

        def softmax_complement(self, z):
            return 1 - self.softmax(z)

        def logsumexp(self, z):
            m = z.max(axis=-1)
            return m + np.log(np.exp(z - m[:, None]).sum(axis=-1))

        def log_softmax(self, z):
            with np.errstate(all="ignore"):
                return np.log(self.softmax(z))

        def softmax_jacobian(self, z):
            p = self.softmax(z)
            return p[:, :, None] * (np.eye(z.shape[-1], dtype=z.dtype) - p[:, None, :])

        def softmax_jvp(self, z, v):
            p = self.softmax(z)
            return p * (v - (p * v).sum(axis=-1, keepdims=True))

        def log_softmax_jvp(self, z, v):
            return v - (self.softmax(z) * v).sum(axis=-1, keepdims=True)

        def log_softmax_vjp(self, z, g):
            return g - self.softmax(z) * g.sum(axis=-1, keepdims=True)

    with np.errstate(all="ignore"):
        for name in [name for name in dir(Naive) if "softmax" in name or name == "logsumexp"]:
            for dtype in [np.dtype(np.float32), np.dtype(np.float64)]:
                cases = exact_entries.cases(name, dtype.name)
                assert hold(FUNCTIONS[name], dtype, Naive(), cases).outside > 20, name
