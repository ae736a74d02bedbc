"""Mistakes that show in what a candidate does: in no formula, but in digits, in NaN, in answers that never change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from softjac.check.model import Array
from softjac.check.observed import Case, Precision

_HALF_ULP = {False: 2.0**-53, True: 2.0**-24}


def ignores_input(cases: Sequence[Case]) -> bool:
    """Whether the same numbers come back for different inputs of one shape, or for all that was asked.

    NaN for all is no number: nan * z depends on z, and cannot show it.
    """
    seen: dict[tuple[int, ...], list[Case]] = {}
    for case in cases:
        if case.level == "exercise" and case.judgement.problem != "raised" and _is_a_number(case.results):
            seen.setdefault(case.situation.inputs.logits.shape, []).append(case)
    groups = [group for group in seen.values() if _differ([c.truth for c in group])]
    if sum(map(len, groups)) < 4:
        return False
    return not any(_differ([c.results for c in group]) for group in groups)


def is_all_zero(cases: Sequence[Case]) -> bool:
    """Whether every number that came back is exactly 0, where none of them should be: no formula gives that."""
    asked = [c for c in cases if c.level == "exercise" and c.judgement.problem != "raised"]
    is_zero = all(not r.any() for c in asked for r in c.results)
    return is_zero and len(asked) > 3 and all(c.is_wrong and c.results for c in asked)


def _is_a_number(results: Sequence[Array]) -> bool:
    return bool(results) and not all(np.isnan(r).all() for r in results)


def _differ(results: Sequence[tuple[Array, ...]]) -> bool:
    return any(not _equal(results[0], other) for other in results[1:])


def _equal(these: tuple[Array, ...], others: tuple[Array, ...]) -> bool:
    return len(these) == len(others) and all(
        a.shape == b.shape and np.array_equal(a, b, equal_nan=True) for a, b in zip(these, others, strict=True)
    )


def cut_to_integers(case: Case) -> bool:
    """Whether integers came in, and what came back is the truth without its decimals."""
    return case.judgement.probe.dtype == "int64" and _is_cut(case)


def whole_array(cases: Sequence[Case]) -> bool:
    """Whether arrays of integers came back for numbers of any kind: the truth, without its decimals."""
    kinds = {case.judgement.probe.dtype for case in cases}
    return "float64" in kinds and all(
        case.judgement.outcome.described.startswith("int") and _is_cut(case) and _is_nearer_0(case) for case in cases
    )


def _is_nearer_0(case: Case) -> bool:
    """Whether every number is, as what is cut off its decimals."""
    return all(bool((np.abs(r) <= np.abs(t) + 1e-9).all()) for r, t in zip(case.results, case.truth, strict=True))


def _is_cut(case: Case) -> bool:
    if not _comparable(case):
        return False
    pairs = list(zip(case.results, case.truth, strict=True))
    if any(not np.isfinite(r).all() for r, _ in pairs):
        return False
    whole = all(np.array_equal(r, np.trunc(r)) for r, _ in pairs)
    return whole and all((np.abs(r - t) <= 1.0 + 1e-9).all() for r, t in pairs)


def nan_at_minus_infinity(case: Case) -> bool:
    """Whether a logit is -inf, and NaN came back where there is a number."""
    if case.judgement.probe.quality != "minus_infinity" or not _comparable(case):
        return False
    return any((np.isnan(r) & ~np.isnan(t)).any() for r, t in zip(case.results, case.truth, strict=True))


def overflows(cases: Sequence[Case]) -> bool:
    """Whether every large logit makes inf or NaN (or plain Python's OverflowError), in a formula nobody knows."""
    asked = [c for c in cases if c.judgement.probe.quality == "large_logits"]
    ordinary = [c for c in cases if c.level == "exercise" and not c.judgement.outcome.error]
    if any(not np.isfinite(r).all() for c in ordinary for r in c.results):
        return False
    return len(asked) > 1 and all(map(is_overflow, asked))


def is_overflow(case: Case, *, of_large_logits: bool = False) -> bool:
    """Whether inf or NaN came back, or what plain Python raises in place of them."""
    if of_large_logits and not (np.abs(case.situation.inputs.logits) > LARGEST_LOGIT).any():
        return False
    if case.judgement.outcome.error:
        return any(word in case.judgement.outcome.error for word in ("OverflowError", "ZeroDivisionError"))
    return any(not np.isfinite(r).all() for r in case.results)


LARGEST_LOGIT = 700.0
"""exp() of ordinary logits, below this, is neither inf nor 0."""


def is_right_to(decimals: int, case: Case) -> bool:
    """Whether every number is the truth, rounded to so many decimals."""
    return _comparable(case) and all(
        bool((np.abs(r - t) <= 0.5 * 10.0**-decimals + 1e-6 * (1 + np.abs(t))).all())
        for r, t in zip(case.results, case.truth, strict=True)
    )


def is_half(precision: Precision) -> bool:
    """Whether all results are numbers of float16."""
    return precision.decimals is None and precision.relative > 1e-3


def loses_tail(case: Case, precision: Precision) -> bool:
    """Whether what is wrong is tiny, and off by no more than numbers next to 1 are rounded."""
    if not _comparable(case):
        return False
    half_ulp = _HALF_ULP[precision.relative > 1e-8]
    lost = False
    for r, t in zip(case.results, case.truth, strict=True):
        if not np.isfinite(r).all() or not np.isfinite(t).all():
            return False
        away = np.abs(r - t)
        size = max(1.0, float(np.abs(t).max(initial=0.0)))
        if (away > 64 * half_ulp * size * max(1, np.log2(t.size + 1))).any():
            return False
        tiny = (np.abs(t) < 1e-6 * size) & (t != 0)
        lost |= bool((away[tiny] > 1e-4 * np.abs(t[tiny])).any())
    return lost


def in_float32(cases: Sequence[Case], precision: Precision, kind: str) -> bool:
    """Whether float64 came in, and the results have the error of float32: in most hard rows.

    Difference quotients have such errors as well, but the sums of what they return are 0 to more digits.
    """
    if precision.decimals is not None or not cases:
        return False
    if precision.relative == RELATIVE_OF_FLOAT32:
        return True
    short = [
        c for c in cases if _has_seven_digits(c) and (kind not in _KNOWN_SUMS or _sum_is_off(c, _KNOWN_SUMS[kind]))
    ]
    return len(short) > 2 and 2 * len(short) > len(cases)


RELATIVE_OF_FLOAT32 = 1e-5
_KNOWN_SUMS = {
    "softmax": 1.0,
    "softmax_jacobian": 0.0,
    "softmax_vjp": 0.0,
    "cross_entropy_grad": 0.0,
    "cross_entropy_value_and_grad": 0.0,
}


def has_seven_digits(cases: Sequence[Case]) -> bool:
    """Whether the answers to most ordinary questions have the error of float32, whatever their type is."""
    ordinary = [c for c in cases if c.level == "exercise" and not c.is_wrong]
    return 2 * sum(map(_has_seven_digits, ordinary)) > len(ordinary)


def _has_seven_digits(case: Case) -> bool:
    if not _comparable(case):
        return False
    large = 0.0
    for r, t in zip(case.results, case.truth, strict=True):
        if not np.isfinite(r).all() or not np.isfinite(t).all():
            return False
        size = float(np.abs(t).max(initial=0.0))
        away = np.abs(r - t) / size if size else np.zeros(1)
        large = max(large, float(away.max(initial=0.0)))
    return 2e-9 < large < 2e-5


def _sum_is_off(case: Case, right: float) -> bool:
    last = case.results[-1]
    sums = last.sum(axis=-2) if last.ndim > 1 else last.sum()
    return bool((np.abs(sums - right) > 1e-9 * np.abs(last).max(initial=0.0)).any())


def _comparable(case: Case) -> bool:
    return len(case.results) == len(case.truth) and all(
        r.shape == t.shape for r, t in zip(case.results, case.truth, strict=True)
    )
