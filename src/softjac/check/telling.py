"""What a diagnosis says: symptom, the two products of an entry, why, what to try, what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from softjac.check import entries, measures
from softjac.check.cases import QUALITIES
from softjac.check.kinds import KINDS
from softjac.check.matching import Explanation
from softjac.check.mistakes import BY_NAME, Mistake, Variant
from softjac.check.mistakes.of_jacobian import number
from softjac.check.mistakes.plain_calls import IN_LOGITS
from softjac.check.model import Array, Diagnosis, Level
from softjac.check.observed import Case

NOTHING_FITS = "no known mistake fits"


def explained(kind: str, found: Sequence[Explanation], level: Level) -> Diagnosis:
    """What the first explanation says; others are named."""
    first = found[0]
    case = min(first.cases, key=_hardly_shown)
    mistakes = first.mistakes
    whys = [_sentence(m.why_for(kind, v)) for m, v in zip(mistakes, first.variants, strict=True)]
    name = "+".join(first.names)
    others = dict.fromkeys("+".join(e.names) for e in found)
    return Diagnosis(
        name=name,
        title=", and ".join(m.title for m in mistakes),
        why=" ".join(whys),
        level=level,
        symptom=tuple(_what(case, None, short=True)),
        seen=tuple(_what(case, first, short=False)),
        experiment=_experiment(mistakes[0], case, first.variants[0]),
        fix="\n".join(m.fix_for(kind, by_probs=case.asked.given_probs) for m in mistakes),
        others=tuple(other for other in others if other != name),
        judgement=case.judgement,
    )


def named(kind: str, mistake: Mistake, case: Case, seen: tuple[str, ...] = ()) -> Diagnosis:
    """What a mistake says that shows in what a candidate does. seen: in place of its numbers."""
    return Diagnosis(
        name=mistake.name,
        title=mistake.title,
        why=_sentence(mistake.why_for(kind)),
        level=case.level,
        symptom=seen or tuple(_what(case, None, short=True)),
        seen=seen or tuple(_what(case, None, short=False)),
        experiment=_experiment(mistake, case),
        fix=mistake.fix_for(kind, by_probs=case.asked.given_probs),
        judgement=case.judgement,
    )


def _experiment(mistake: Mistake, case: Case, variant: Variant | None = None) -> str:
    """What to try in the situation of a case."""
    s = case.asked
    line = mistake.experiment_for(s.kind, variant, by_probs=s.given_probs)
    is_in_logits = s.given_probs and s.convention.wrt == "logits" and s.kind in IN_LOGITS
    return IN_LOGITS[s.kind] if is_in_logits and "np.array(" in line else line


def too_few_decimals(kind: str, case: Case, decimals: int, asked: int) -> Diagnosis:
    """What is right, but for decimals that are rounded away."""
    digits = f"{decimals} decimal{'s' * (decimals != 1)}"
    return replace(named(kind, BY_NAME["too-few-decimals"], case), title=f"right to {digits}, and {asked} are asked")


def unnamed(cases: Sequence[Case], every: Sequence[Case]) -> Diagnosis:
    """What the numbers say, where no known mistake fits. every: all that was asked."""
    case = cases[0]
    problem = case.judgement.problem
    titles = {
        "raised": f"raises {case.judgement.outcome.error.split(':')[0]}",
        "unusable": f"returns {case.judgement.outcome.unusable or case.judgement.outcome.described}",
        "ended": case.judgement.outcome.fatal,
    }
    return Diagnosis(
        name="",
        title=titles.get(problem) or NOTHING_FITS,
        why=" ".join(_qualities(cases, every)),
        level=case.level,
        symptom=tuple(_what(case, None, short=True)),
        seen=tuple(_what(case, None, short=False)),
        experiment=_call_of(case),
        judgement=case.judgement,
    )


def _call_of(case: Case) -> str:
    """The question itself as what to try, where it is one short row; "" where it is not."""
    j, s = case.judgement, case.asked
    found = entries.where_of(j)
    z = s.inputs.logits
    if found is None or s.inputs.is_batch or s.given_probs or len(z) > 6 or not np.isfinite(z).all():
        return ""
    second = s.inputs.cotangent if s.inputs.labels is None else s.inputs.labels
    if KINDS[s.kind].has_targets and s.inputs.labels is None:
        second = s.inputs.targets
    operands = [f"np.array({z.tolist()})"]
    if second is not None:
        operands.append(f"{int(second)}" if second.ndim == 0 else f"np.array({second.tolist()})")
    right = entries.entry_value(j.truth, *found)
    name = entries.name_of_entry(case) if found[1] else ""
    return f"print(f({', '.join(operands)}))   # {name} should be {number(right or 0.0)}".replace("#  ", "# ")


def _qualities(cases: Sequence[Case], every: Sequence[Case]) -> Iterator[str]:
    """On what it is wrong, and on what of the same level it is right."""
    wrong = dict.fromkeys(c.judgement.quality for c in cases)
    asked = [c for c in every if c.level == cases[0].level]
    not_right = {c.judgement.quality for c in asked if c.judgement.problem}
    right = dict.fromkeys(q for c in asked if (q := c.judgement.quality) not in not_right)
    if not right:
        yield f"It is wrong in all that level {cases[0].level} asks."
        return
    yield f"Wrong: {_listed(wrong)}. Right: {_listed(right)}."


def _what(case: Case, explanation: Explanation | None, *, short: bool) -> Iterator[str]:
    j = case.judgement
    asked = entries.asked(case)
    if j.outcome.fatal or j.outcome.error or j.outcome.unusable:
        yield f"{asked}: {j.outcome.fatal or j.outcome.error or 'returns ' + j.outcome.unusable}"
        return
    arrays = j.results or j.outcome.arrays
    if j.problem == "shape" or len(arrays) != len(j.truth):
        yield f"{asked}: {_shapes(arrays)}, it should be {_shapes(j.truth)}"
        return
    found = entries.where_of(j)
    if found is None:
        yield f"{asked}: wrong"
        return
    output, index = found
    yours = entries.entry_value(arrays, output, index)
    right = entries.entry_value(j.truth, output, index)
    if yours is None or right is None:
        yield f"{asked}: {_shapes(arrays)}, it should be {_shapes(j.truth)}"
        return
    name = entries.name_of_entry(case)
    row = entries.asked(case, index)
    a, b = _told_apart(yours, right)
    if short:
        yield f"{row}: {name} is {a}, it should be {b}"
    else:
        yield f"{row}, first wrong entry {name}" if index else row
        if explanation is not None:
            formed, correct = entries.told_apart(explanation, case, index, output, yours, right)
        else:
            formed, correct = None, entries.right_formed(case.asked, index, output, right)
        digits, rounded = case.level != "exact", case.precision.decimals
        of_yours = entries.line("yours", formed, a, with_numbers=digits, decimals=rounded) if formed else ""
        of_correct = entries.line("correct", correct, b, with_numbers=digits) if correct else ""
        yield f"  {of_yours or f'yours    {a}'}"
        yield f"  {of_correct or f'correct  {b}'}"
    if case.level == "exact":
        return
    said = _measures(case, output, arrays[output], j.truth[output])
    if said:
        yield "; ".join(said)


def _measures(case: Case, output: int, result: Array, truth: Array) -> list[str]:
    ratio = measures.constant_ratio(result, truth, max(1e-6, case.precision.tolerance(1.0)))
    said = [] if ratio is None else [f"every entry is {ratio:.4g} times the right one"]
    s = case.asked
    if KINDS[s.kind].outputs[output] == "matrix":
        return said + measures.of_matrix(result, truth)
    if KINDS[s.kind].outputs[output] == "row" and not s.inputs.is_batch and np.isfinite(truth).all():
        total = float(truth.sum())
        known = s.kind == "softmax" or abs(total) < 1e-9
        if known:
            said += measures.of_row(result, truth, round(total), case.precision.tolerance(1.0))
    return said


def _hardly_shown(case: Case) -> tuple[bool, bool]:
    """What is shown is rather a number than a shape, and no row that was passed as a batch."""
    is_row = case.asked.form == "batch" and not case.asked.inputs.is_batch
    return case.judgement.problem not in {"value", "not finite"}, is_row


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1] not in {".", "+"} and not _is_code(text) else text


def _is_code(text: str) -> bool:
    """Whether it begins with code, which keeps its letters: exp(z), sum(), p*(1 - p)."""
    first = text.split(" ", 1)[0]
    return any(sign in first for sign in "()[]*_./=-") or (len(first) == 1 and first != "a")


def _listed(qualities: dict[str, None] | list[str]) -> str:
    words = [q.replace("_", " ") for q in qualities if q in QUALITIES]
    return ", ".join(words)


def _shapes(arrays: Sequence[Array]) -> str:
    return "shape " + " and ".join(str(a.shape) for a in arrays) if arrays else "nothing"


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    if number(a) != number(b):
        return number(a), number(b)
    for digits in (6, 9, 12, 17):
        if f"{a:.{digits}g}" != f"{b:.{digits}g}":
            return f"{a:.{digits}g}", f"{b:.{digits}g}"
    return f"{a:.17g}", f"{b:.17g}"
