"""From judgements to causes: which known mistakes explain what is wrong, and what the numbers say where none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from softjac.check import entries, measures, signatures
from softjac.check.cases import QUALITIES
from softjac.check.kinds import KINDS
from softjac.check.matching import (
    Case,
    Explanation,
    Precision,
    beside,
    best,
    cases_of,
    for_batches,
    for_vectors,
    pairs,
    precision_of,
    singles,
)
from softjac.check.mistakes import BY_NAME, RIGHT, Mistake, Recipe
from softjac.check.mistakes.of_jacobian import number
from softjac.check.model import LEVELS, Convention, Diagnosis, Examination, Level, Reduction

NOTHING_FITS = "no known mistake fits"


def diagnose(examination: Examination) -> tuple[Diagnosis, ...]:
    """The causes of what went wrong: that of the lowest level first, last what holds only for forms not held to.

    A mistake is named where the candidate returns what that wrong implementation returns, on every probe where this is
    far from the truth. Where no mistake fits, and no two of them together, the name is "" and the numbers speak.
    """
    if examination.could_not:
        return ()
    return tuple(_Causes(examination).all())


class _Causes:
    def __init__(self, examination: Examination) -> None:
        self.examination = examination
        self.kind = examination.kind
        self.precision = precision_of(examination.judgements)
        self.cases = cases_of(examination.judgements, self.kind, examination.convention, self.precision)
        self.judged = tuple(c for c in self.cases if c.is_judged)
        self.recipe: Recipe = RIGHT
        self.recipe_of_exercise: Recipe = RIGHT
        self.is_known = True

    def all(self) -> Iterator[Diagnosis]:
        for level in LEVELS:
            of_level = list(self._of_numbers(level))
            behaviour = list(self._of_behaviour()) if level == "exercise" else []
            if level == "exercise":
                self.recipe_of_exercise = self.recipe
            differs = [d for d in behaviour if d.name == "answer-differs"]
            if differs and not any(d.name for d in of_level):
                of_level, behaviour = differs, [d for d in behaviour if d not in differs]
            yield from of_level
            yield from behaviour
        yield from self._of_asides()

    def _of_behaviour(self) -> Iterator[Diagnosis]:
        for problem, name in (("differs", "answer-differs"), ("changed", "input-overwritten")):
            for case in self.cases:
                if case.judgement.problem == problem or (problem == "changed" and case.judgement.outcome.changed):
                    yield self._named(BY_NAME[name], case, seen=(self._what_happened(case, problem),))
                    break
        for problem in ("ended", "unusable"):
            for case in self.cases:
                if case.judgement.problem == problem:
                    yield self._unnamed([case])
                    break

    def _what_happened(self, case: Case, problem: str) -> str:
        asked = entries.asked(case)
        if problem == "differs":
            return f"{asked}: the second call returned other numbers than the first"
        operands: tuple[str, ...] = KINDS[self.kind].operands
        names = [operands[k] for k in case.judgement.outcome.changed if k < len(operands)] or ["the input"]
        return f"{asked}: after the call, {' and '.join(names)} had other numbers than before"

    def _of_numbers(self, level: Level) -> Iterator[Diagnosis]:
        wrong = [c for c in self.cases if c.level == level and c.is_wrong]
        if level == "exact":
            yield from self._of_digits([c for c in wrong if not self._fits(c)])
            return
        left = [c for c in wrong if not self._fits(c)]
        while left and self.is_known:
            found = self._explanations(left, level)
            if not found and level == "exercise" and signatures.ignores_input(self.judged):
                self.is_known = False
                yield self._named(BY_NAME["ignores-input"], wrong[0], entry=False)
                return
            found = found or self._two_at_once(left, level)
            if not found:
                break
            yield self._explained(found, level)
            self.recipe = found[0].recipe
            explained = [c.judgement for c in found[0].cases]
            left = [c for c in self.cases if c.level == level and c.is_wrong and c.judgement not in explained]
            left = [c for c in left if not self._fits(c)]
        for mistake, cases in self._signatures(left, level):
            yield self._named(mistake, cases[0])
            left = [c for c in left if c not in cases]
        yield from self._of_the_rest(left, level)

    def _fits(self, case: Case) -> bool:
        return self.recipe is not RIGHT and self._returns(case)

    def _returns(self, case: Case) -> bool:
        """Whether this is what comes of what is known to be wrong already."""
        return case.fit(self.recipe.run(case.situation)).matches

    def _explanations(self, left: Sequence[Case], level: Level) -> tuple[Explanation, ...]:
        upto = LEVELS[: LEVELS.index(level) + 1]
        others = [c for c in self.judged if c.level in upto and c not in left]
        skip = frozenset() if level == "exercise" else frozenset({"rounded-before-product"})
        found = best(singles(self.kind, self.recipe, skip, None, level), left, others, self.judged, self.recipe)
        if found or level != "exercise":
            return found
        return self._in_another_convention(left, others) or self._of_one_form(left, others)

    def _in_another_convention(self, left: Sequence[Case], others: Sequence[Case]) -> tuple[Explanation, ...]:
        """Where it was never right, sum and mean could not be found out: the other one may fit, with one mistake."""
        if not KINDS[self.kind].has_targets or self.recipe is not RIGHT or not any(map(_is_batch, left)):
            return ()
        for other in _conventions(self.examination.convention):

            def moved(cases: Sequence[Case], other: Convention = other) -> list[Case]:
                return [replace(c, situation=replace(c.situation, convention=other)) for c in cases]

            tried = singles(self.kind, self.recipe, _OF_N)
            found = best(tried, moved(left), moved(others), moved(self.judged))
            if found:
                self.cases, self.judged = tuple(moved(self.cases)), tuple(moved(self.judged))
                return found
        return ()

    def _of_one_form(self, left: Sequence[Case], others: Sequence[Case]) -> tuple[Explanation, ...]:
        """A mistake that is made in vectors, or in batches, alone."""

        def best_of(tried: Iterator[Explanation]) -> tuple[Explanation, ...]:
            return best(tried, left, others, self.judged, self.recipe)

        found = best_of(singles(self.kind, self.recipe, frozenset(), for_vectors))
        if not found:
            return best_of(singles(self.kind, self.recipe, frozenset(), for_batches))
        everywhere = self.recipe.with_steps(found[0].variants[0].steps, found[0].variants[0].applies)
        if everywhere is None:
            return found
        two = best_of(beside(replace(found[0], recipe=everywhere), self.kind))
        known = [c.judgement for c in found[0].cases]
        of_both = [c for c in two[0].cases if c.judgement not in known] if two else []
        return two if any(c.judgement.problem != "raised" for c in of_both) else found

    def _two_at_once(self, left: Sequence[Case], level: Level) -> tuple[Explanation, ...]:
        upto = LEVELS[: LEVELS.index(level) + 1]
        others = [c for c in self.judged if c.level in upto and c not in left]
        one_fits = level != "exercise" or self.recipe is not RIGHT
        for where in (None, for_vectors) if level == "exercise" else (None,):
            two = pairs(self.kind, self.recipe, left, one_fits=one_fits, where=where, level=level)
            found = best(two, left, others, self.judged, self.recipe)
            if found:
                return found
        return ()

    def _signatures(self, left: Sequence[Case], level: Level) -> Iterator[tuple[Mistake, list[Case]]]:
        if level == "exercise":
            cut = [c for c in left if signatures.cut_to_integers(c)]
            if cut:
                yield BY_NAME["integers-cut"], cut
            numbers = [c for c in left if c not in cut and c.judgement.problem == "value"]
            if numbers and signatures.is_half(self.precision):
                yield BY_NAME["float16-sums"], numbers
            return
        odd = [c for c in left if signatures.nan_at_minus_infinity(c)]
        if odd:
            yield BY_NAME["nan-at-minus-infinity"], odd
        if not self.is_known and signatures.overflows(self.cases):
            yield BY_NAME["no-maximum-subtracted"], list(left)

    def _of_the_rest(self, left: Sequence[Case], level: Level) -> Iterator[Diagnosis]:
        numbers = [c for c in left if c.judgement.problem != "raised"]
        raised = [c for c in left if c.judgement.problem == "raised"]
        if level == "stable" and not self.is_known:
            return
        if numbers:
            self.is_known = False
            yield self._unnamed(numbers)
        if raised:
            yield self._unnamed(raised)

    def _of_digits(self, wrong: Sequence[Case]) -> Iterator[Diagnosis]:
        """What costs digits: an epsilon or a clip that no decimal shows, float32, a tail that is rounded away."""
        if not self.is_known or not wrong:
            return
        if self.precision == Precision():
            fine = Precision(relative=1e-13)
            cases = [
                replace(c, precision=fine)
                for c in self.judged
                if c.judgement.probe.dtype == "float64" and c.judgement.probe.quality != "special_values"
            ]
            left = [c for c in cases if c.level == "exact" and c.is_wrong and not self._returns(c)]
            of_digits = singles(self.kind, self.recipe, level="exact")
            tried = (e for e in of_digits if e.names[0] in {"epsilon", "clip"})
            others = [c for c in cases if c not in left]
            found = best(tried, left, others, (), self.recipe, several_count=False)
            if found:
                yield self._explained(found, "exact")
                return
        lost = [c for c in wrong if self.precision.decimals is None and signatures.loses_tail(c, self.precision)]
        hard = [c for c in wrong if c.judgement.probe.quality == "hard_rows"]
        library = self.examination.convention.library
        is_short = library != "jax" and signatures.in_float32(hard, self.precision, self.kind)
        if is_short:
            yield self._named(BY_NAME["float32-sums"], hard[0])
        if lost:
            yield self._named(BY_NAME["tail-lost"], lost[0])
        if self.examination.level == "exact" and not (is_short or lost):
            yield self._unnamed(wrong)

    def _of_asides(self) -> Iterator[Diagnosis]:
        """Known mistakes in a batch, where the function is held to vectors alone, and in the other form of targets."""
        if not self.is_known:
            return
        made = cases_of(self.examination.asides, self.kind, self.examination.convention, self.precision)
        of_targets = self.examination.convention.targets[:1]
        batches = [c for c in made if c.judgement.form == "batch"]
        other_targets = [c for c in made if c.judgement.targets and c.judgement.targets not in of_targets]
        for group in (batches, other_targets):
            wrong = [c for c in group if c.is_wrong and c.judgement.problem != "raised"]
            raised = [c for c in group if c.judgement.problem == "raised"]
            if not wrong:
                continue
            others = [c for c in group if c not in wrong and c not in raised]
            base = self.recipe_of_exercise
            found = best(singles(self.kind, base), [*wrong, *raised], others, group, base)
            if found:
                yield self._explained(found, "exercise")

    # What is said

    def _explained(self, found: Sequence[Explanation], level: Level) -> Diagnosis:
        first = found[0]
        case = next((c for c in first.cases if c.judgement.problem in {"value", "not finite"}), first.cases[0])
        mistakes = first.mistakes
        details = [v.detail for v in first.variants if v.detail]
        name = "+".join(first.names)
        others = dict.fromkeys("+".join(e.names) for e in found)
        return Diagnosis(
            name=name,
            title=", and ".join(m.title for m in mistakes),
            why=" ".join([*(_sentence(m.why_for(self.kind)) for m in mistakes), *details]),
            level=level,
            symptom=tuple(self._symptom(case)),
            seen=tuple(self._seen(case, first)),
            experiment=mistakes[0].experiment_for(self.kind),
            fix="\n".join(m.fix_for(self.kind) for m in mistakes),
            others=tuple(other for other in others if other != name),
        )

    def _named(self, mistake: Mistake, case: Case, seen: tuple[str, ...] = (), *, entry: bool = True) -> Diagnosis:
        lines = seen or tuple(self._seen(case, None))
        return Diagnosis(
            name=mistake.name,
            title=mistake.title,
            why=_sentence(mistake.why_for(self.kind)),
            level=case.level,
            symptom=seen or tuple(self._symptom(case)),
            seen=lines if entry else lines[:3],
            experiment=mistake.experiment_for(self.kind),
            fix=mistake.fix_for(self.kind),
        )

    def _unnamed(self, cases: Sequence[Case]) -> Diagnosis:
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
            why=" ".join(self._qualities(cases)),
            level=case.level,
            symptom=tuple(self._symptom(case)),
            seen=tuple(self._seen(case, None)),
        )

    def _qualities(self, cases: Sequence[Case]) -> Iterator[str]:
        """On what it is wrong, and on what of the same level it is right."""
        wrong = dict.fromkeys(c.judgement.probe.quality for c in cases)
        asked = [c for c in self.cases if c.level == cases[0].level]
        not_right = {c.judgement.probe.quality for c in asked if c.judgement.problem}
        right = dict.fromkeys(q for c in asked if (q := c.judgement.probe.quality) not in not_right)
        if not right:
            yield "It is wrong in all that was asked."
            return
        yield f"Wrong: {_listed(wrong)}. Right: {_listed(right)}."

    def _symptom(self, case: Case) -> Iterator[str]:
        yield from self._what(case, None, short=True)

    def _seen(self, case: Case, explanation: Explanation | None) -> Iterator[str]:
        yield from self._what(case, explanation, short=False)

    def _what(self, case: Case, explanation: Explanation | None, *, short: bool) -> Iterator[str]:
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
            correct = entries.right_formed(case.situation, index, output, right)
            formed = None
            if explanation is not None:
                formed = entries.wrong_formed(explanation, case, index, output, yours)
            yield "  " + entries.line("yours", formed, a) if formed else f"  yours    {a}"
            yield "  " + entries.line("correct", correct, b) if correct else f"  correct  {b}"
        said = self._measures(case, output, arrays[output], j.truth[output])
        if said:
            yield "; ".join(said)

    def _measures(self, case: Case, output: int, result: np.ndarray, truth: np.ndarray) -> list[str]:
        ratio = measures.constant_ratio(result, truth, max(1e-6, case.precision.tolerance(1.0)))
        said = [] if ratio is None else [f"every entry is {number(ratio)} times the right one"]
        s = case.situation
        if KINDS[s.kind].outputs[output] == "matrix":
            return said + measures.of_matrix(result, truth)
        if KINDS[s.kind].outputs[output] == "row" and not s.inputs.is_batch and np.isfinite(truth).all():
            total = float(truth.sum())
            known = s.kind == "softmax" or abs(total) < 1e-9
            if known:
                said += measures.of_row(result, truth, round(total), case.precision.tolerance(1.0))
        return said


_OF_N = frozenset({"n-missing", "n-doubled"})


def _conventions(convention: Convention) -> Iterator[Convention]:
    """Others than this one, of mean and sum."""
    for reduction, gradient in _OF_SUMS:
        if convention.reduction is None:
            if gradient != convention.gradient and reduction != "none":
                yield replace(convention, gradient=gradient)
        elif (reduction, gradient) != (convention.reduction, convention.gradient):
            yield replace(convention, reduction=reduction, gradient=gradient)


_OF_SUMS: tuple[tuple[Reduction, Literal["mean", "sum"]], ...] = (
    ("mean", "mean"),
    ("sum", "sum"),
    ("none", "sum"),
    ("none", "mean"),
)


def _is_batch(case: Case) -> bool:
    return case.situation.inputs.is_batch


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1] not in {".", "+"} and not _is_code(text) else text


def _is_code(text: str) -> bool:
    """Whether it begins with code, which keeps its letters: exp(z), sum(), p*(1 - p)."""
    first = text.split(" ", 1)[0]
    return any(sign in first for sign in "()[]*_./=-") or len(first) == 1


def _listed(qualities: dict[str, None] | list[str]) -> str:
    words = [q.replace("_", " ") for q in qualities if q in QUALITIES]
    return ", ".join(words)


def _shapes(arrays: Sequence[np.ndarray]) -> str:
    return "shape " + " and ".join(str(a.shape) for a in arrays) if arrays else "nothing"


def _told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    if number(a) != number(b):
        return number(a), number(b)
    for digits in (6, 9, 12, 17):
        if f"{a:.{digits}g}" != f"{b:.{digits}g}":
            return f"{a:.{digits}g}", f"{b:.{digits}g}"
    return f"{a:.17g}", f"{b:.17g}"
