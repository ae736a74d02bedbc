"""One wrong entry, yours beside the correct one: in symbols and in numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softjac.check.kinds import KINDS, entry_symbol, right_entry
from softjac.check.matching import Case, Explanation
from softjac.check.mistakes import Formed, Situation
from softjac.check.mistakes.of_jacobian import number
from softjac.check.model import Array, Judgement

_ONLY_PROBABILITIES = frozenset({"logits", "softmax", "softmax_column", "on_probs", "targets", "by_logsumexp"})
"""Steps before the formula: where only these are wrong, the formula is right, and its numbers are not."""


def where_of(judgement: Judgement) -> tuple[int, tuple[int, ...]] | None:
    """The output and the index of the first wrong entry, or None where there is none."""
    if judgement.where is None:
        return None
    if len(judgement.truth) == 2:
        return judgement.where[0], tuple(judgement.where[1:])
    return 0, judgement.where


def name_of_entry(case: Case) -> str:
    """How the first wrong entry is written: J[0,1]."""
    found = where_of(case.judgement)
    if found is None:
        return ""
    s = case.situation
    return entry_symbol(s.kind, found[1], found[0], s.convention.given)


def asked(case: Case, index: tuple[int, ...] = ()) -> str:
    """What was asked, with the numbers of the row where the probe is a batch."""
    name, z = case.judgement.probe.name, case.situation.inputs.logits
    if z.ndim == 2 and index and len(z) > index[0] and z.shape[1] <= 6:
        return f"z[{index[0]}] = [{', '.join(f'{x:g}' for x in z[index[0]])}] in {name}"
    return name


def right_formed(s: Situation, index: tuple[int, ...], output: int, value: float) -> Formed | None:
    """The right entry, as it is made of numbers."""
    if s.kind in {"softmax", "log_softmax", "logsumexp"}:
        return _of_exponentials(s, index, value)
    if KINDS[s.kind].outputs[output] == "scalar" and s.inputs.is_batch and not index:
        return None
    product = right_entry(s.kind, s.inputs, index, output, s.convention.given)
    if product is None:
        return None
    symbols, numbers = product.symbols, product.template.format(*map(number, product.numbers))
    numbers = numbers.replace("--", "").replace("- -", "+ ")
    rows = len(s.inputs.logits) if s.inputs.is_batch else 1
    is_mean = s.convention.gradient == "mean" and KINDS[s.kind].has_gradient
    if rows > 1 and is_mean and KINDS[s.kind].outputs[output] == "row":
        return Formed(f"({symbols})/{rows}", f"({numbers})/{rows}", value)
    return Formed(symbols, numbers, value)


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


def wrong_formed(explanation: Explanation, case: Case, index: tuple[int, ...], output: int, value: float) -> Formed:
    """The entry that the candidate returned, as the mistake makes it."""
    s, recipe = case.situation, explanation.recipe
    if len(explanation.mistakes) == 1 and explanation.mistakes[0].entry is not None:
        formed = explanation.mistakes[0].entry(s, recipe, index)
        if formed is not None and _near(formed.value, value, case):
            return formed
    steps = {step for variant in explanation.variants for step in variant.steps}
    if (steps <= _ONLY_PROBABILITIES and KINDS[s.kind].operands != ("logits",)) or s.kind == "softmax_jacobian":
        with np.errstate(all="ignore"):
            p = recipe.probabilities(s) if steps <= _ONLY_PROBABILITIES else None
        if p is not None and p.shape == s.inputs.logits.shape:
            targets = None if s.inputs.targets is None else recipe.targets(s)
            formed = right_formed(replace(s, inputs=replace(s.inputs, probs=p, targets=targets)), index, output, value)
            if formed is not None:
                return formed
    return Formed("", "", value)


def _near(a: float, b: float, case: Case) -> bool:
    return bool(np.isclose(a, b, rtol=1e-4, atol=1e-12 + case.precision.tolerance(abs(b)), equal_nan=True))


def line(label: str, formed: Formed, value: str) -> str:
    """One of the two lines: yours, or correct.

    >>> line("yours", Formed("-p[1]*p[1]", "-0.1142 * 0.1142", -0.01304), "-0.0130")
    'yours    -p[1]*p[1] ~ -0.1142 * 0.1142 ~ -0.0130'
    """
    parts = [formed.symbols, formed.numbers]
    return f"{label:<9}{' ~ '.join([*(part for part in dict.fromkeys(parts) if part and part != value), value])}"


def entry_value(arrays: tuple[Array, ...], output: int, index: tuple[int, ...]) -> float | None:
    """A number of a result, or None where it has no such index."""
    if output >= len(arrays) or len(index) != arrays[output].ndim:
        return None
    if any(not 0 <= i < n for i, n in zip(index, arrays[output].shape, strict=True)):
        return None
    return float(arrays[output][index])
