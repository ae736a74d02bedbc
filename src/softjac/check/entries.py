"""One wrong entry, yours beside the correct one: in symbols and in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from softjac.check.kinds import KINDS, entry_symbol, right_entry
from softjac.check.matching import Explanation
from softjac.check.mistakes import Formed, Situation
from softjac.check.mistakes.forms import formed_as
from softjac.check.mistakes.of_jacobian import number
from softjac.check.mistakes.view import View
from softjac.check.model import Array, Judgement
from softjac.check.observed import Case

_ONLY_PROBABILITIES = frozenset({"logits", "softmax", "softmax_column", "on_probs", "targets", "by_logsumexp"})
"""Steps before the formula: where only these are wrong, the formula is right, and its numbers are not."""


def where_of(judgement: Judgement) -> tuple[int, tuple[int, ...]] | None:
    """The output and the index of the first wrong entry, or None where there is none.

    Above ordinary numbers that is the first NaN or inf where a number is right, if there is one: what is wrong before
    it may be another mistake's.
    """
    if judgement.where is None:
        return None
    if judgement.probe.level == "stable":
        for output, (result, right) in enumerate(zip(judgement.results, judgement.truth, strict=False)):
            odd = np.isfinite(right) & ~np.isfinite(result) if result.shape == right.shape else np.zeros(0)
            if odd.any():
                return output, tuple(int(i) for i in np.unravel_index(int(np.argmax(odd)), odd.shape))
    if len(judgement.truth) == 2:
        return judgement.where[0], tuple(judgement.where[1:])
    return 0, judgement.where


def name_of_entry(case: Case) -> str:
    """How the first wrong entry is written: J[0,1]."""
    found = where_of(case.judgement)
    if found is None:
        return ""
    s = case.asked
    return entry_symbol(s.kind, found[1], found[0], s.convention.wrt)


def asked(case: Case, index: tuple[int, ...] = ()) -> str:
    """What was asked, with the numbers of the row where the probe is a batch."""
    name, z = case.judgement.probe.name, case.asked.inputs.logits
    if z.ndim == 2 and index and len(z) > index[0] and z.shape[1] <= 6:
        return f"z[{index[0]}] = [{', '.join(f'{x:g}' for x in z[index[0]])}] in {name}"
    return name


def told_apart(
    explanation: Explanation, case: Case, index: tuple[int, ...], output: int, yours: float, right: float
) -> tuple[Formed, Formed | None]:
    """Both products: where they are the same to four decimals with six digits, or yours without its numbers."""
    for written in (number, six_digits):
        mine = wrong_formed(explanation, case, index, output, yours, written)
        correct = right_formed(case.asked, index, output, right, written=written)
        if correct is None or not mine.numbers or mine.numbers != correct.numbers:
            return mine, correct
    return Formed("", "", yours), right_formed(case.asked, index, output, right)


def six_digits(x: float) -> str:
    """A number where four decimals say too little.

    >>> six_digits(0.80218388)
    '0.802184'
    """
    return f"{x:.6g}"


def right_formed(
    s: Situation,
    index: tuple[int, ...],
    output: int,
    value: float,
    *,
    by_log: bool = False,
    written: Callable[[float], str] = number,
) -> Formed | None:
    """The right entry, as it is made of numbers. by_log: a loss as the logarithm of p, however small that is.

    written: how numbers are.
    """
    if s.kind in {"softmax", "log_softmax", "logsumexp"}:
        return _of_exponentials(s, index, value)
    if KINDS[s.kind].outputs[output] == "scalar" and s.inputs.is_batch and not index:
        return None
    product = right_entry(s.kind, s.inputs, index, output, s.convention.wrt)
    if product is None:
        return None
    if KINDS[s.kind].outputs[output] == "scalar" and product.numbers[0] < 1e-3 and not by_log:
        return _of_logits(s, index, value)
    symbols, numbers = product.symbols, product.template.format(*map(written, product.numbers))
    numbers = numbers.replace("--", "").replace("- -", "+ ")
    rows = len(s.inputs.logits) if s.inputs.is_batch else 1
    is_mean = s.convention.gradient == "mean" and KINDS[s.kind].has_gradient
    if rows > 1 and is_mean and KINDS[s.kind].outputs[output] == "row":
        return Formed(f"({symbols})/{rows}", f"({numbers})/{rows}", value)
    return Formed(symbols, numbers, value)


def _of_logits(s: Situation, index: tuple[int, ...], value: float) -> Formed | None:
    """A large loss, which is best said from the logits."""
    z, targets = s.inputs.logits[index], s.inputs.targets
    if s.given_probs or targets is None or not np.isfinite(z).any():
        return None
    label = int(targets[index].argmax())
    largest = float(z.max())
    total = float(np.exp(z - largest).sum())
    tag = "".join(f"{i}," for i in index)
    lse = largest + float(np.log(total))
    return Formed(f"log(sum(exp(z))) - z[{tag}{label}]", f"{number(lse)} - {number(float(z[label]))}", value)


def _of_exponentials(s: Situation, index: tuple[int, ...], value: float) -> Formed | None:
    rows = index[: s.inputs.logits.ndim - 1]
    z = s.inputs.logits[rows]
    tag = ",".join(map(str, index))
    with np.errstate(all="ignore"):
        total = float(np.exp(z).sum())
    if z.ndim != 1 or not 1e-3 < total < 1e6:
        return None
    of_row = f"z[{rows[0]}]" if rows else "z"
    if s.kind == "softmax":
        e = float(np.exp(s.inputs.logits[index]))
        return Formed(f"exp(z[{tag}])/sum(exp({of_row}))", f"{e:.4f}/{total:.4f}", value)
    if s.kind == "logsumexp":
        return Formed(f"log(sum(exp({of_row})))", f"log({total:.4f})", value)
    numbers = f"{number(float(s.inputs.logits[index]))} - log({total:.4f})"
    return Formed(f"z[{tag}] - log(sum(exp({of_row})))", numbers, value)


def wrong_formed(
    explanation: Explanation,
    case: Case,
    index: tuple[int, ...],
    output: int,
    value: float,
    written: Callable[[float], str] = number,
) -> Formed:
    """The entry that the candidate returned, as the mistake makes it. written: how numbers are."""
    s, recipe = case.asked, explanation.recipe
    if len(explanation.mistakes) == 1:
        mistake, variant = explanation.mistakes[0], explanation.variants[0]
        view = View(s, index, variant.size)
        formed = formed_as(mistake.name, view, value, case.precision.tolerance(abs(value)))
        if formed is None and mistake.entry is not None:
            formed = mistake.entry(s, recipe, index)
        if formed is not None and _near(formed.value, value, case):
            return formed
    formed = _right_with_other_numbers(explanation, case, index, output, value, written)
    return formed or Formed("", "", value)


def _right_with_other_numbers(
    explanation: Explanation,
    case: Case,
    index: tuple[int, ...],
    output: int,
    value: float,
    written: Callable[[float], str],
) -> Formed | None:
    """The right formula, with the probabilities and the targets of a candidate that are wrong."""
    s, recipe = case.asked, explanation.recipe
    steps = {step for variant in explanation.variants for step in variant.steps}
    has_formula = s.kind == "softmax_jacobian" or len(KINDS[s.kind].operands) > 1
    if not (has_formula and steps <= _ONLY_PROBABILITIES):
        return None
    with np.errstate(all="ignore"):
        p = recipe.probabilities(s)
    if p.shape != s.inputs.logits.shape:
        return None
    targets = None if s.inputs.targets is None else recipe.targets(s)
    moved = replace(s, inputs=replace(s.inputs, probs=p, targets=targets))
    formed = right_formed(moved, index, output, value, by_log=True, written=written)
    if formed is None or "logits-for-probabilities" not in explanation.names:
        return formed
    return replace(formed, symbols=formed.symbols.replace("p[", "z[").replace("(p*g)", "(z*g)"))


def _near(a: float, b: float, case: Case) -> bool:
    tolerance = 1e-4 * abs(b) + case.precision.tolerance(abs(b)) if np.isfinite(b) else 0.0
    return a == b or bool(np.isnan(a) and np.isnan(b)) or abs(a - b) <= tolerance


def line(label: str, formed: Formed, value: str, *, with_numbers: bool = True, decimals: int | None = None) -> str:
    """One of the two lines: yours, or correct. with_numbers: not where four decimals of them say nothing.

    decimals: to which yours is rounded.

    >>> line("yours", Formed("-p[1]*p[1]", "-0.1142 * 0.1142", -0.01304), "-0.0130")
    'yours    -p[1]*p[1] ~ -0.1142 * 0.1142 ~ -0.0130'
    """
    if formed.symbols == "0":
        return f"{label:<9}0"
    parts = [formed.symbols, formed.numbers if with_numbers else ""]
    made = number(formed.value)
    is_rounded = with_numbers and formed.numbers and decimals is not None and made != value
    last = f"{made}, rounded to {value}" if is_rounded else value
    return f"{label:<9}{' ~ '.join([*(part for part in dict.fromkeys(parts) if part and part != value), last])}"


def entry_value(arrays: tuple[Array, ...], output: int, index: tuple[int, ...]) -> float | None:
    """A number of a result, or None where it has no such index."""
    if output >= len(arrays) or len(index) != arrays[output].ndim:
        return None
    if any(not 0 <= i < n for i, n in zip(index, arrays[output].shape, strict=True)):
        return None
    return float(arrays[output][index])
