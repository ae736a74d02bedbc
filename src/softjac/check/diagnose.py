"""From judgements to causes: which known mistakes explain what is wrong, and what the numbers say where none does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from softjac.check import entries, signatures
from softjac.check.judge import in_convention
from softjac.check.kinds import KINDS
from softjac.check.matching import (
    Explanation,
    beside,
    best,
    for_batches,
    for_vectors,
    in_vectors_alone,
    of_one_result,
    of_variants,
    other_conventions,
    pairs_after_one,
    pairs_at_once,
    singles,
)
from softjac.check.mistakes import BY_NAME, RIGHT, Mistake, Recipe
from softjac.check.mistakes.of_smoothing import SMOOTHED, amounts_from, smoothings
from softjac.check.mistakes.of_types import FIX_OF_JAX, OF_JAX
from softjac.check.model import LEVELS, Diagnosis, Examination, Level
from softjac.check.observed import Case, Precision, cases_of, precision_of
from softjac.check.telling import explained, named, too_few_decimals, unnamed


def diagnose(examination: Examination, *, thorough: bool = True) -> tuple[Examination, tuple[Diagnosis, ...]]:
    """The causes of what went wrong: that of the lowest level first, last what holds only for forms not held to.

    Before them the examination as it was understood: where nothing was right, a known mistake says what the convention
    is, of mean or sum.

    A mistake is named where the candidate returns what that wrong implementation returns, on every probe where this is
    far from the truth. Where no mistake fits, and no two of them together, the name is "" and the numbers speak.
    thorough: whether more is tried than one mistake by itself, which takes most of the time.
    """
    if examination.could_not:
        return examination, ()
    with np.errstate(all="ignore"):
        causes = _Causes(examination, thorough=thorough)
        found = tuple(causes.all())
    return causes.examination, found


class _Causes:
    def __init__(self, examination: Examination, *, thorough: bool) -> None:
        self.examination, self.thorough = examination, thorough
        self.kind = examination.kind
        self.precision = precision_of(examination.judgements)
        self.cases = cases_of(examination.judgements, self.kind, examination.convention, self.precision)
        self.judged = tuple(c for c in self.cases if c.is_judged)
        self.recipe: Recipe = RIGHT
        self.recipe_below: Recipe = RIGHT
        self.is_known = True
        self.is_for_batches = True

    def all(self) -> Iterator[Diagnosis]:
        for level in LEVELS:
            of_level = list(self._of_numbers(level))
            behaviour = list(self._of_behaviour(level))
            if {d.name for d in of_level} <= {"", "integers-cut"} and any(d.name for d in behaviour):
                differs = [d for d in behaviour if d.name == "answer-differs"]
                changed = [d for d in behaviour if d.name == "input-overwritten"]
                if differs:
                    of_level, behaviour = differs, [d for d in behaviour if d not in differs]
                elif self._are_of_integers(of_level):  # what is written into integers is cut
                    of_level, behaviour = changed, [d for d in behaviour if d not in changed]
            yield from of_level
            yield from behaviour
        yield from self._of_asides()

    def _are_of_integers(self, diagnoses: Sequence[Diagnosis]) -> bool:
        wrong = [c for c in self.cases if c.level == "exercise" and c.is_wrong]
        return bool(diagnoses) and all(c.judgement.probe.dtype == "int64" for c in wrong)

    def _of_behaviour(self, level: Level) -> Iterator[Diagnosis]:
        for problem in ("ended", "unusable"):
            for case in self.cases:
                if case.judgement.problem == problem and case.level == level:
                    yield unnamed([case], self.cases)
                    break
        if level != "exercise":
            return
        for problem, name in (("differs", "answer-differs"), ("changed", "input-overwritten")):
            for case in self.cases:
                if case.judgement.problem == problem or (problem == "changed" and case.judgement.outcome.changed):
                    found = named(self.kind, BY_NAME[name], case, seen=(self._what_happened(case, problem),))
                    yield self._of_second(found) if case.judgement.outcome.changed == (1,) else found
                    break

    def _of_second(self, overwritten: Diagnosis) -> Diagnosis:
        """What to try where it is the targets, or the upstream gradient, that are written into."""
        letter = "y" if KINDS[self.kind].has_targets else "g"
        line = overwritten.experiment.replace("z.copy()", f"{letter}.copy()").replace("before, z", f"before, {letter}")
        return replace(overwritten, experiment=line)

    def _what_happened(self, case: Case, problem: str) -> str:
        asked = entries.asked(case)
        if problem == "differs":
            return f"{asked}: the second call returned other numbers than the first"
        written = [("its first argument", "its second argument")[k] for k in case.judgement.outcome.changed if k < 2]
        return f"{asked}: after the call, {' and '.join(written) or 'its input'} had other numbers than before"

    def _of_numbers(self, level: Level) -> Iterator[Diagnosis]:
        wrong = [c for c in self.cases if c.level == level and c.is_wrong]
        wrong = [c for c in wrong if self.is_for_batches or c.judgement.form != "batch"]
        if level == "exact":
            yield from self._of_digits([c for c in wrong if not self._fits(c)])
            return
        self.recipe_below = self.recipe
        first = [c for c in wrong if not self._fits(c)]
        if level == "exercise" and signatures.whole_array(first):
            self.is_known = False
            yield named(self.kind, BY_NAME["integers-cut"], first[0])
            return
        is_zero = level == "exercise" and self.kind in _NEVER_ZERO and signatures.is_all_zero(self.judged)
        chain, left = ([], first) if is_zero else self._chain(first, level)
        if is_zero or (level == "exercise" and not chain and signatures.ignores_input(self.judged)):
            self.is_known = False
            yield named(self.kind, BY_NAME["ignores-input"], wrong[0])
            return
        left = self._without_batches(chain, left, level)
        is_half = level == "exercise" and signatures.is_half(self.precision)
        if self.thorough and any(c.judgement.problem != "raised" for c in left) and self.is_known and not is_half:
            chain, left = self._with_two_at_once(chain, first, left, level)
            left = self._without_batches(chain, left, level)
        numbers = [c for c in left if c.judgement.problem in {"value", "not finite"}]
        if level == "exercise" and len(numbers) > sum(len(found[0].cases) for found in chain):
            chain, left, self.recipe = [], first, RIGHT  # what explains the lesser part of it may do so by chance
        for found in chain:
            yield explained(self.kind, found, level)
        for mistake, cases in self._signatures(left, level):
            if cases and mistake.name not in {one for found in chain for one in found[0].names}:
                yield named(self.kind, mistake, cases[0])
            left = [c for c in left if c not in cases]
        yield from self._of_the_rest(left, level)

    def _chain(self, left: list[Case], level: Level) -> tuple[list[tuple[Explanation, ...]], list[Case]]:
        """Mistakes one after the other, each on top of those before; and what none of them explains."""
        chain: list[tuple[Explanation, ...]] = []
        while left and self.is_known:
            found = self._explanations(left, level)
            if not found:
                break
            chain.append(found)
            left = self._after(found, level)
        return chain, left

    def _after(self, found: tuple[Explanation, ...], level: Level) -> list[Case]:
        """Take an explanation as known; what is left to explain."""
        self.recipe = found[0].recipe
        known = [c.judgement for c in found[0].cases]
        wrong = [c for c in self.cases if c.level == level and c.is_wrong and c.judgement not in known]
        return [c for c in wrong if not self._fits(c)]

    def _with_two_at_once(
        self, chain: list[tuple[Explanation, ...]], first: list[Case], left: list[Case], level: Level
    ) -> tuple[list[tuple[Explanation, ...]], list[Case]]:
        """Two mistakes together, where they explain more than one after the other."""
        if chain and level == "exercise":
            return chain, left
        recipe = self.recipe
        if chain:
            self.recipe = self.recipe_below
        two = self._two_at_once(first, level)
        if not two or len(two[0].cases) <= len(first) - len(left):
            self.recipe = recipe
            return chain, left
        more, left = self._chain(self._after(two, level), level)
        return [two, *more], left

    def _fits(self, case: Case) -> bool:
        return self.recipe is not RIGHT and self._returns(case)

    def _returns(self, case: Case) -> bool:
        """Whether this is what comes of what is known to be wrong already."""
        return case.is_returned_by(self.recipe)

    def _explanations(self, left: Sequence[Case], level: Level) -> tuple[Explanation, ...]:
        upto = LEVELS[: LEVELS.index(level) + 1]
        others = [c for c in self.judged if c.level in upto and c not in left]
        skip = frozenset() if level == "exercise" else frozenset({"rounded-before-product"})
        if level == "exercise" and self.precision.decimals is not None:
            found = self._rounded_twice(left, others)
            if found:
                return found
        is_narrow = level == "stable" and self.precision.relative == signatures.RELATIVE_OF_FLOAT32
        found = self._in_float32(left, others, skip) if is_narrow else ()
        found = found or best(
            singles(self.kind, self.recipe, skip, None, level), left, others, self.judged, self.recipe
        )
        if not found and level == "stable" and signatures.has_seven_digits(self.judged):
            found = self._in_float32(left, others, skip)
        if found or level != "exercise" or not self.thorough:
            return found
        found = best(of_one_result(self.kind, self.recipe), left, others, self.judged, self.recipe)
        found = found or self._of_smoothing(left, others) or self._to_five_digits(left, others)
        if found:
            return found
        return self._in_another_convention(left) or self._of_one_form(left, others)

    def _in_float32(
        self, left: Sequence[Case], others: Sequence[Case], skip: frozenset[str]
    ) -> tuple[Explanation, ...]:
        """Where results are float32 all steps may have been: there exp(89) overflows, and exp(-104) is 0."""

        def narrow(cases: Sequence[Case]) -> list[Case]:
            return [replace(c, in_float32=True, precision=digits) for c in cases]

        digits = Precision(relative=signatures.RELATIVE_OF_FLOAT32)
        tried = singles(self.kind, self.recipe, skip | {"float32-sums"}, None, "stable")
        found = best(tried, narrow(left), narrow(others), narrow(self.judged), self.recipe)
        if found:
            self.cases, self.judged = tuple(narrow(self.cases)), tuple(narrow(self.judged))
        return found

    def _rounded_twice(self, left: Sequence[Case], others: Sequence[Case]) -> tuple[Explanation, ...]:
        """Rounded on the way and at the end: off by a unit of the last decimal here and there, and by no more.

        No number of it is far from the truth. What speaks for it is that every single one is what comes of it.
        """
        asked = [c for c in (*left, *others) if c.level == "exercise" and c.judgement.problem != "raised"]
        if all(c.is_returned_by(self.recipe) for c in asked):
            return ()
        tried = (one for one in singles(self.kind, self.recipe) if one.names == ("rounded-before-product",))
        found = next((one for one in tried if all(c.is_returned_by(one.recipe) for c in asked)), None)
        return () if found is None else (replace(found, cases=tuple(c for c in left if c in asked)),)

    def _of_smoothing(self, left: Sequence[Case], others: Sequence[Case]) -> tuple[Explanation, ...]:
        """Targets that are smoothed by any amount, read off the first wrong row."""
        rows = [c for c in left if not _is_batch(c) and c.judgement.problem == "value"]
        if not KINDS[self.kind].has_targets or not rows:
            return ()
        first = rows[0]
        read = amounts_from(first.results[0], first.truth[0], first.situation)
        tried = of_variants(SMOOTHED, smoothings(read), self.kind, self.recipe)
        return best(tried, left, others, self.judged, self.recipe)

    def _to_five_digits(self, left: Sequence[Case], others: Sequence[Case]) -> tuple[Explanation, ...]:
        """One mistake and a small number beside it, as an epsilon of 1e-9, which has its name at level stable."""
        if self.precision != Precision() or self.recipe is not RIGHT:
            return ()
        rough = Precision(relative=ROUGH)

        def roughly(cases: Sequence[Case]) -> list[Case]:
            return [replace(c, precision=rough) for c in cases]

        return best(singles(self.kind), roughly(left), roughly(others), (), several_count=False)

    def _in_another_convention(self, left: Sequence[Case]) -> tuple[Explanation, ...]:
        """Where it was never right, sum and mean could not be found out: the other one may fit, with one mistake."""
        if not KINDS[self.kind].has_targets or self.recipe is not RIGHT or not any(map(_is_batch, left)):
            return ()
        if "reduction" in self.examination.convention.stated:
            return ()
        for other in other_conventions(self.examination.convention):
            examination = in_convention(self.examination, other)
            cases = cases_of(examination.judgements, self.kind, other, self.precision)
            judged = [c for c in cases if c.is_judged]
            wrong = [c for c in judged if c.is_wrong and c.level == "exercise"]
            others = [c for c in judged if not c.is_wrong and c.level == "exercise"]
            found = best(singles(self.kind, self.recipe, _OF_N), wrong, others, judged)
            if found:
                self.examination, self.cases, self.judged = examination, cases, tuple(judged)
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
        if level == "exercise":
            two = tuple(pairs_at_once(self.kind, left))
            each: tuple[Iterable[Explanation], ...] = (two, in_vectors_alone(two))
        else:
            each = (pairs_after_one(self.kind, self.recipe, left, level),)
        for tried in each:
            found = best(tried, left, others, self.judged, self.recipe)
            if found and not _of_any_size(found):
                return found
        return ()

    def _signatures(self, left: Sequence[Case], level: Level) -> Iterator[tuple[Mistake, list[Case]]]:
        if level == "exercise":
            of_floats = [c for c in self.judged if c.level == level and c.judgement.probe.dtype != "int64"]
            floats_are_known = all(not c.is_wrong or self._fits(c) for c in of_floats)
            cut = [c for c in left if floats_are_known and signatures.cut_to_integers(c)]
            if cut:
                yield BY_NAME["integers-cut"], cut
            numbers = [c for c in left if c not in cut and c.judgement.problem == "value"]
            if numbers and signatures.is_half(self.precision):
                yield BY_NAME["float16-sums"], numbers
                self.is_known = False
            return
        odd = [c for c in left if self.is_known and signatures.nan_at_minus_infinity(c)]
        if odd:
            yield BY_NAME["nan-at-minus-infinity"], odd
        is_open = not self.is_known or self.recipe.softmax is not RIGHT.softmax  # to no other mistake of softmax
        if is_open and signatures.overflows(self.cases):
            yield BY_NAME["no-maximum-subtracted"], [c for c in left if signatures.is_overflow(c)]

    def _of_the_rest(self, left: Sequence[Case], level: Level) -> Iterator[Diagnosis]:
        numbers = [c for c in left if c.judgement.problem != "raised"]
        raised = [c for c in left if c.judgement.problem == "raised"]
        below = LEVELS[: LEVELS.index(level)]
        if any(c.is_wrong and c.level in below for c in self.cases):
            return
        if self.recipe is not RIGHT:
            numbers = [c for c in numbers if c.judgement.problem != "shape"]
        if numbers:
            self.is_known = False
            rounded = self._of_rounding(numbers) if level == "exercise" else None
            yield rounded or unnamed(numbers, self.cases)
        if raised:
            yield unnamed(raised, self.cases)

    def _without_batches(self, chain: Sequence[tuple[Explanation, ...]], left: list[Case], level: Level) -> list[Case]:
        """Where vectors have their mistake, and nothing was right for a batch: batches are the next question."""
        of_vectors = self.examination.convention.forms[0] == "vector"
        if level != "exercise" or not (chain and left and of_vectors) or any(c.judgement.form != "batch" for c in left):
            return left
        if any(c.judgement.form == "batch" and c.level == level and not c.judgement.problem for c in self.cases):
            return left
        self.is_for_batches = False
        return []

    def _of_rounding(self, numbers: Sequence[Case]) -> Diagnosis | None:
        """What is right to fewer decimals than are asked."""
        decimals = self.precision.decimals
        if decimals is None or decimals >= self.examination.decimals:
            return None
        if not all(signatures.is_right_to(decimals, c) for c in self.judged if c.level == "exercise"):
            return None
        return too_few_decimals(self.kind, numbers[0], decimals, self.examination.decimals)

    def _of_digits(self, wrong: Sequence[Case]) -> Iterator[Diagnosis]:
        """What costs digits: an epsilon or a clip that no decimal shows, float32, a tail that is rounded away."""
        if not self.is_known or not wrong:
            return
        decimals = self.precision.decimals
        if self.precision == Precision() or (decimals is not None and decimals > LOOKS_ROUNDED):
            fine = Precision(relative=1e-13)
            cases = [
                replace(c, precision=fine)
                for c in self.judged
                if c.judgement.probe.dtype == "float64" and c.judgement.probe.quality != "special_values"
            ]
            left = [c for c in cases if c.level == "exact" and c.is_wrong and not self._returns(c)]
            of_digits = singles(self.kind, self.recipe, level="exact")
            tried = (e for e in of_digits if e.names[0] in _COST_DIGITS)
            others = [c for c in cases if c not in left]
            found = best(tried, left, others, (), self.recipe, several_count=False)
            if found:
                yield explained(self.kind, found, "exact")
                return
        lost = [c for c in wrong if self.precision.decimals is None and signatures.loses_tail(c, self.precision)]
        hard = [c for c in wrong if c.judgement.probe.quality == "hard_rows"]
        is_short = signatures.in_float32(hard, self.precision, self.kind)
        if is_short:
            lost = []
            in_jax = any(c.judgement.outcome.library == "jax" for c in hard)
            short = named(self.kind, BY_NAME["float32-sums"], hard[0])
            yield replace(short, why=f"{short.why} {OF_JAX}", fix=FIX_OF_JAX) if in_jax else short
        if lost:
            yield named(self.kind, BY_NAME["tail-lost"], lost[0])
        if self.examination.level == "exact" and not (is_short or lost):
            yield unnamed(wrong, self.cases)

    def _of_asides(self) -> Iterator[Diagnosis]:
        """Known mistakes in a batch, where the function is held to vectors alone.

        Not in the other form of targets: who takes one-hot rows is not wrong about labels.
        """
        if not self.is_known or any(c.is_wrong and c.level == "exercise" for c in self.cases):
            return
        made = cases_of(self.examination.asides, self.kind, self.examination.convention, self.precision)
        own = self.examination.convention.targets
        batches = [c for c in made if c.judgement.form == "batch" and c.judgement.targets in (None, *own)]
        wrong = [c for c in batches if c.is_wrong and c.judgement.problem != "raised"]
        raised = [c for c in batches if c.judgement.problem == "raised"]
        if not wrong:
            return
        others = [c for c in batches if c not in wrong and c not in raised]
        found = best(singles(self.kind), [*wrong, *raised], others, batches)
        if found:
            yield explained(self.kind, found, "exercise")


LOOKS_ROUNDED = 6
"""Products of numbers with four decimals have eight: results with more decimals than this need not be rounded."""

_COST_DIGITS = frozenset(
    {"epsilon", "clip", "rounded-before-product", "logarithm-base", "float32-sums", "float16-sums"}
)

ROUGH = 3e-5
"""The relative precision in which one mistake may hide a small number that has another cause."""

_NEVER_ZERO = frozenset({"softmax", "softmax_jacobian", "softmax_vjp", "cross_entropy_grad"})
"""Kinds of which a known mistake makes no result of zeros alone: a softmax of ones has a logarithm of zeros."""

_OF_N = frozenset({"n-missing", "n-doubled"})


def _of_any_size(found: Sequence[Explanation]) -> bool:
    """Whether an epsilon or a clip of three sizes or more would do: then none of them is what was seen."""
    same = [e for e in found if e.names == found[0].names]
    return len(same) > 2 and not {"epsilon", "clip"}.isdisjoint(found[0].names)


def _is_batch(case: Case) -> bool:
    return case.situation.inputs.is_batch
