"""One outcome beside the truth: what is wrong with it, where, and by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from softjac.check.dress import undress
from softjac.check.kinds import KINDS
from softjac.check.model import (
    Array,
    Convention,
    Form,
    Given,
    Judgement,
    Outcome,
    Probe,
    Problem,
    Reduction,
    TargetForm,
)
from softjac.check.truths import TruthArray, truth

Mean: TypeAlias = Literal["mean", "sum"]
FLOATS = ("float16", "float32", "float64")


def truth_for(kind: str, probe: Probe, convention: Convention, dtype: str = "float64") -> tuple[TruthArray, ...]:
    """The exact result in the convention of a candidate. dtype: of its result."""
    reduction: Reduction = convention.reduction or "none"
    narrow = "float32" in {dtype, probe.dtype} and convention.given == "probs"
    return truth(
        kind,
        probe.inputs,
        given=convention.given,
        reduction=reduction if probe.inputs.is_batch else "none",
        gradient=convention.gradient or "sum",
        wrt=convention.wrt,
        probs_dtype="float32" if narrow else "float64",
    )


def tolerance(value: Array, decimals: int, dtype: str = "float64") -> Array:
    """How far a result may be at the levels exercise and stable: half a unit of the last decimal, and a little more.

    The little is less where many decimals are asked, unless the dtype of the result has no more of them.
    """
    relative, absolute = (min(1e-6, 10.0 ** -(decimals + 2)), min(1e-9, 10.0 ** -(decimals + 3)))
    if dtype != "float64":
        relative, absolute = 1e-6, 1e-9
    with np.errstate(all="ignore"):
        size = np.where(np.isfinite(value), np.abs(value), 0.0)
    return np.asarray(0.5 * 10.0**-decimals + absolute + relative * size)


def gradient_of(reduction: Reduction | None) -> Mean | None:
    """Of what the gradient is, where the reduction of the losses is said."""
    if reduction is None:
        return None
    return "mean" if reduction == "mean" else "sum"


def readings(kind: str, probe: Probe, convention: Convention, outcome: Outcome) -> list[Convention]:
    """What a result may mean: mean or sum over a batch, gradient in logits or probabilities; the nearest first."""
    of_kind = KINDS[kind]
    choices = [convention]
    if of_kind.has_targets and probe.inputs.is_batch and convention.reduction is None:
        if of_kind.has_loss:
            one_a_row = bool(outcome.arrays) and outcome.arrays[0].size == probe.inputs.logits.shape[0]
            allowed: tuple[Reduction, ...] = ("none",) if one_a_row else ("mean", "sum")
            choices = [replace(convention, reduction=x, gradient=gradient_of(x)) for x in allowed]
            if one_a_row and of_kind.has_gradient:
                choices.append(replace(convention, reduction="none", gradient="mean"))
        else:
            choices = [replace(convention, gradient="mean"), replace(convention, gradient="sum")]
    if of_kind.has_gradient and convention.given == "probs":
        choices = [replace(choice, wrt=wrt) for wrt in _WRT for choice in choices]
    return sorted(choices, key=lambda choice: _away(kind, probe, choice, outcome))


_WRT: tuple[Given, ...] = ("probs", "logits")


def _away(kind: str, probe: Probe, convention: Convention, outcome: Outcome) -> tuple[float, ...]:
    """How far each output is from the truth; the first one decides, the second where the first is the same."""
    truths = truth_for(kind, probe, convention)
    return tuple(_ratio(a, one.value) for a, one in zip(outcome.arrays, truths, strict=False))


def _ratio(result: Array, right: Array) -> float:
    """The logarithm of the ratio of two arrays; infinite where they cannot be compared."""
    result = np.asarray(result, float)
    if result.size != right.size:
        return 0.0
    with np.errstate(all="ignore"):
        ratio = abs(float(np.abs(result).sum()) / float(np.abs(right).sum()))
    return abs(float(np.log(ratio))) if np.isfinite(ratio) and ratio > 0 else float("inf")


def judge(
    kind: str,
    probe: Probe,
    convention: Convention,
    form: Form,
    outcome: Outcome,
    *,
    again: Outcome | None = None,
    targets: TargetForm | None = None,
    decimals: int = 4,
) -> Judgement:
    """Set an outcome beside the truth. again: that of the same call, made a second time."""
    outcome, again = in_order(kind, outcome), again and in_order(kind, again)
    dtypes = [dtype_of(array) for array in outcome.arrays]
    truths = truth_for(kind, probe, convention, "float32" if "float32" in dtypes else "float64")
    values = tuple(one.value for one in truths)
    problem = _without_numbers(outcome)
    if problem:
        return Judgement(probe, form, outcome, values, problem=problem, targets=targets)
    outputs = KINDS[kind].outputs
    found = [
        undress(output, array, one.shape, probe.inputs, form, convention.axis)
        for output, array, one in zip(outputs, outcome.arrays, truths, strict=False)
    ]
    if len(found) != len(outputs) or any(result is None for result in found):
        came = tuple(np.asarray(array, float) for array in outcome.arrays)
        return Judgement(probe, form, outcome, values, results=came, problem="shape", targets=targets)
    results = tuple(result for result in found if result is not None)
    errors = _errors(truths, results, dtypes, decimals)
    wrong = errors.outside if probe.level == "exact" else errors.beyond
    problem, where = "", None
    away, away_ulps, budget = 0.0, 0.0, 0.0
    if wrong is not None:
        part, entry = wrong[0], wrong[1:]
        away = float(truths[part].distance(results[part])[entry])
        away_ulps = float(truths[part].ulps(results[part], dtypes[part])[entry])
        budget = float(truths[part].budget(dtypes[part])[entry])
        at = results[part][entry], values[part][entry]
        problem = "not finite" if np.isfinite(at[1]) and not np.isfinite(at[0]) else "value"
        where = wrong if len(results) > 1 else wrong[1:]
    if again is not None and not _same(outcome, again):
        problem, where = "differs", None  # its numbers are chance, and speak for no formula
    elif not problem and outcome.changed and probe.quality == "input_kept":
        problem = "changed"
    return Judgement(
        probe,
        form,
        outcome,
        values,
        results=results,
        problem=problem,
        where=where,
        away=away,
        away_ulps=away_ulps,
        budget=budget,
        error=errors.error,
        ulps=errors.ulps,
        ulp_of=errors.ulp_of,
        within_budget=errors.outside is None,
        targets=targets,
    )


def in_order(kind: str, outcome: Outcome) -> Outcome:
    """The outcome with the loss before the gradient, as a kind has them: some return the gradient first."""
    return replace(outcome, arrays=outcome.arrays[::-1]) if gradient_first(kind, outcome) else outcome


def gradient_first(kind: str, outcome: Outcome) -> bool:
    """Whether the first of two arrays is the gradient: it has more numbers, or more axes."""
    if len(outcome.arrays) != 2 or KINDS[kind].outputs != ("scalar", "row"):
        return False
    first, second = outcome.arrays
    return (first.size, first.ndim) > (second.size, second.ndim) and first.ndim > 0


def dtype_of(array: Array) -> str:
    """The float dtype of a result, by which its digits are counted."""
    return array.dtype.name if array.dtype.name in FLOATS else "float64"


def _without_numbers(outcome: Outcome) -> Problem:
    if outcome.fatal:
        return "ended"
    if outcome.error:
        return "raised"
    return "unusable" if outcome.unusable or not outcome.arrays else ""


class _Errors(NamedTuple):
    """beyond, outside: the first entry beyond the tolerance and outside the budget, after the number of its output."""

    error: float
    ulps: float
    ulp_of: str
    beyond: tuple[int, ...] | None
    outside: tuple[int, ...] | None


def _errors(truths: tuple[TruthArray, ...], results: tuple[Array, ...], dtypes: list[str], decimals: int) -> _Errors:
    error = ulps = 0.0
    ulp_of = dtypes[0]
    beyond = outside = None
    for k, (one, result, dtype) in enumerate(zip(truths, results, dtypes, strict=True)):
        away = one.distance(result)
        error = max(error, float(away.max(initial=0.0)))
        of_output = float(one.ulps(result, dtype).max(initial=0.0))
        if of_output > ulps:
            ulps, ulp_of = of_output, dtype
        if beyond is None:
            beyond = _first(k, away > tolerance(one.value, decimals, dtype))
        if outside is None:
            outside = _first(k, ~one.within_budget(result, dtype))
    return _Errors(error, ulps, ulp_of, beyond, outside)


def _first(output: int, wrong: Array) -> tuple[int, ...] | None:
    if not wrong.any():
        return None
    return (output, *(int(i) for i in np.unravel_index(int(np.argmax(wrong)), wrong.shape)))


def _same(one: Outcome, other: Outcome) -> bool:
    if len(one.arrays) != len(other.arrays):
        return False
    return all(
        a.shape == b.shape and np.allclose(np.asarray(a, float), np.asarray(b, float), 1e-9, 1e-12, equal_nan=True)
        for a, b in zip(one.arrays, other.arrays, strict=True)
    )
