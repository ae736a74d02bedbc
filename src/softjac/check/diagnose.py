"""From judgements to causes: which known mistakes explain what is wrong, and what the numbers say where none does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from softjac.check import entries, signatures
from softjac.check.compare import in_order, readings
from softjac.check.kinds import KINDS
from softjac.check.matching import Explanation, best, singles
from softjac.check.mistakes import BY_NAME, RIGHT, Mistake, Recipe
from softjac.check.mistakes.of_types import FIX_OF_JAX, OF_JAX
from softjac.check.model import LEVELS, Diagnosis, Examination, Judgement, Level
from softjac.check.observed import Case, Precision, cases_of
from softjac.check.search import Search
from softjac.check.telling import explained, named, too_few_decimals, unnamed


def diagnose(
    examination: Examination, names: frozenset[str] = frozenset(), *, thorough: bool = True
) -> tuple[Examination, tuple[Diagnosis, ...]]:
    """The causes of what went wrong: that of the lowest level first, last what holds only for forms not held to.

    Before them the examination as it was understood: where nothing was right, a known mistake says what the convention
    is, of mean or sum.

    A mistake is named where the candidate returns what that wrong implementation returns, on every probe where this is
    far from the truth. Where no mistake fits, and no two of them together, the name is "" and the numbers speak.
    names: in its code, which decide where the numbers cannot. thorough: whether more is tried than one mistake by
    itself, which takes most of the time.
    """
    if examination.could_not:
        return examination, ()
    with np.errstate(all="ignore"):
        causes = _Causes(examination, names, thorough=thorough)
        found = tuple(causes.all())
    return causes.search.examination, found


class _Causes:
    def __init__(self, examination: Examination, names: frozenset[str], *, thorough: bool) -> None:
        self.search = Search(examination, names, thorough=thorough)
        self.kind = examination.kind
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
        wrong = [c for c in self.search.cases if c.level == "exercise" and c.is_wrong]
        return bool(diagnoses) and all(c.judgement.probe.dtype == "int64" for c in wrong)

    def _of_behaviour(self, level: Level) -> Iterator[Diagnosis]:
        for problem in ("ended", "unusable"):
            for case in self.search.cases:
                if case.judgement.problem == problem and case.level == level:
                    yield unnamed([case], self.search.cases)
                    break
        if level != "exercise":
            return
        for problem, name in (("differs", "answer-differs"), ("changed", "input-overwritten")):
            for case in self.search.cases:
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
        wrong = [c for c in self.search.cases if c.level == level and c.is_wrong]
        wrong = [c for c in wrong if self.is_for_batches or c.judgement.form != "batch"]
        if level == "exact":
            yield from self._of_digits([c for c in wrong if not self.search.fits(c)])
            return
        self.recipe_below = self.search.recipe
        first = [c for c in wrong if not self.search.fits(c)]
        if level == "exercise" and signatures.whole_array(first):
            self.is_known = False
            yield named(self.kind, BY_NAME["integers-cut"], first[0])
            return
        is_zero = level == "exercise" and self.kind in _NEVER_ZERO and signatures.is_all_zero(self.search.judged)
        chain, left = ([], first) if is_zero else self._chain(first, level)
        if is_zero or (level == "exercise" and not chain and signatures.ignores_input(self.search.judged)):
            self.is_known = False
            yield named(self.kind, BY_NAME["ignores-input"], wrong[0])
            return
        left = self._without_batches(chain, left, level)
        is_half = level == "exercise" and signatures.is_half(self.search.precision)
        is_open = self.search.thorough and self.is_known and not is_half
        if is_open and any(c.judgement.problem != "raised" for c in left):
            chain, left = self._with_two_at_once(chain, first, left, level)
            left = self._without_batches(chain, left, level)
        numbers = [c for c in left if c.judgement.problem in {"value", "not finite"}]
        if level == "exercise" and len(numbers) > sum(len(found[0].cases) for found in chain):
            chain, left = [], first  # what explains the lesser part of it may do so by chance
            self.search.recipe = RIGHT
        for found in chain:
            for one in self._apart(found) if level != "exercise" else (found,):
                yield explained(self.kind, one, level)
        for mistake, cases in self._signatures(left, level, nothing_fits=not chain):
            if cases and mistake.name not in {one for found in chain for one in found[0].names}:
                yield named(self.kind, mistake, cases[0])
            left = [c for c in left if c not in cases]
        yield from self._of_the_rest(left, level)

    def _chain(self, left: list[Case], level: Level) -> tuple[list[tuple[Explanation, ...]], list[Case]]:
        """Mistakes one after the other, each on top of those before; and what none of them explains."""
        chain: list[tuple[Explanation, ...]] = []
        known: list[Judgement] = []
        while left and self.is_known:
            found = self.search.explanations(left, level)
            if not found:
                break
            chain.append(found)
            left = [c for c in self._after(found, level) if c.judgement not in known]
            known += [c.judgement for c in found[0].cases]
        return chain, left

    def _apart(self, found: tuple[Explanation, ...]) -> tuple[tuple[Explanation, ...], ...]:
        """Two mistakes of which each has cases of its own, as two explanations."""
        first = found[0]
        if len(first.mistakes) == 1:
            return (found,)
        parts: list[Explanation] = []
        for mistake, variant in zip(first.mistakes, first.variants, strict=True):
            without: Recipe | None = self.recipe_below
            for other in first.variants:
                if without is not None and other is not variant:
                    without = without.with_steps(other.steps, other.applies)
            own = tuple(c for c in first.cases if without is not None and not c.is_returned_by(without))
            parts.append(replace(first, mistakes=(mistake,), variants=(variant,), cases=own))
        if any(c in parts[1].cases for c in parts[0].cases) or not all(part.cases for part in parts):
            return (found,)
        return tuple((part,) for part in parts)

    def _after(self, found: tuple[Explanation, ...], level: Level) -> list[Case]:
        """Take an explanation as known; what is left to explain."""
        self.search.recipe = found[0].recipe
        known = [c.judgement for c in found[0].cases]
        wrong = [c for c in self.search.cases if c.level == level and c.is_wrong and c.judgement not in known]
        return [c for c in wrong if not self.search.fits(c)]

    def _with_two_at_once(
        self, chain: list[tuple[Explanation, ...]], first: list[Case], left: list[Case], level: Level
    ) -> tuple[list[tuple[Explanation, ...]], list[Case]]:
        """Two mistakes together, where they explain more than one after the other."""
        if chain and level == "exercise":
            return chain, left
        recipe = self.search.recipe
        if chain:
            self.search.recipe = self.recipe_below
        two = self.search.two_at_once(first, left, level)
        if not two or len(two[0].cases) <= len(first) - len(left):
            self.search.recipe = recipe
            return chain, left
        more, left = self._chain(self._after(two, level), level)
        return [two, *more], left

    def _signatures(
        self, left: Sequence[Case], level: Level, *, nothing_fits: bool
    ) -> Iterator[tuple[Mistake, list[Case]]]:
        if level == "exercise":
            of_floats = [c for c in self.search.judged if c.level == level and c.judgement.probe.dtype != "int64"]
            floats_are_known = all(not c.is_wrong or self.search.fits(c) for c in of_floats)
            cut = [c for c in left if floats_are_known and signatures.cut_to_integers(c)]
            if cut:
                yield BY_NAME["integers-cut"], cut
            numbers = [c for c in left if c not in cut and c.judgement.problem == "value"]
            if numbers and signatures.is_half(self.search.precision):
                yield BY_NAME["float16-sums"], numbers
                self.is_known = False
            return
        odd = [c for c in left if self.is_known and signatures.nan_at_minus_infinity(c)]
        if odd:
            yield BY_NAME["nan-at-minus-infinity"], odd
        is_open = nothing_fits or not self.is_known or self.search.recipe.softmax is not RIGHT.softmax
        if is_open and signatures.overflows(self.search.cases):
            yield BY_NAME["no-maximum-subtracted"], [c for c in left if signatures.is_overflow(c, of_large_logits=True)]

    def _of_the_rest(self, left: Sequence[Case], level: Level) -> Iterator[Diagnosis]:
        numbers = [c for c in left if c.judgement.problem != "raised"]
        raised = [c for c in left if c.judgement.problem == "raised"]
        below = LEVELS[: LEVELS.index(level)]
        if any(c.is_wrong and c.level in below for c in self.search.cases):
            return
        if self.search.recipe is not RIGHT:
            numbers = [c for c in numbers if c.judgement.problem != "shape"]
        if numbers:
            self.is_known = False
            rounded = self._of_rounding(numbers) if level == "exercise" else None
            yield rounded or unnamed(numbers, self.search.cases)
        if raised:
            yield unnamed(raised, self.search.cases)

    def _without_batches(self, chain: Sequence[tuple[Explanation, ...]], left: list[Case], level: Level) -> list[Case]:
        """Where vectors have their mistake, and nothing was right for a batch: batches are the next question."""
        of_vectors = self.search.examination.convention.forms[0] == "vector"
        if level != "exercise" or not (chain and left and of_vectors) or any(c.judgement.form != "batch" for c in left):
            return left
        if any(c.judgement.form == "batch" and c.level == level and not c.judgement.problem for c in self.search.cases):
            return left
        self.is_for_batches = False
        return []

    def _of_rounding(self, numbers: Sequence[Case]) -> Diagnosis | None:
        """What is right to fewer decimals than are asked."""
        decimals = self.search.precision.decimals
        if decimals is None or decimals >= self.search.examination.decimals:
            return None
        if not all(signatures.is_right_to(decimals, c) for c in self.search.judged if c.level == "exercise"):
            return None
        return too_few_decimals(self.kind, numbers[0], decimals, self.search.examination.decimals)

    def _of_digits(self, wrong: Sequence[Case]) -> Iterator[Diagnosis]:
        """What costs digits: an epsilon or a clip that no decimal shows, float32, a tail that is rounded away."""
        if not self.is_known or not wrong:
            return
        decimals = self.search.precision.decimals
        if self.search.precision == Precision() or (decimals is not None and decimals > LOOKS_ROUNDED):
            fine = Precision(relative=1e-13)
            cases = [
                replace(c, precision=fine)
                for c in self.search.judged
                if c.judgement.probe.dtype == "float64" and c.judgement.probe.quality != "special_values"
            ]
            left = [c for c in cases if c.level == "exact" and c.is_wrong and not self.search.returns(c)]
            of_digits = singles(self.kind, self.search.recipe, level="exact")
            tried = (e for e in of_digits if e.names[0] in _COST_DIGITS)
            others = [c for c in cases if c not in left]
            found = best(tried, left, others, (), self.search.recipe, several_count=False)
            if found:
                yield explained(self.kind, found, "exact")
                return
        lost = [
            c
            for c in wrong
            if self.search.precision.decimals is None and signatures.loses_tail(c, self.search.precision)
        ]
        hard = [c for c in wrong if c.judgement.probe.quality == "hard_rows"]
        is_short = signatures.in_float32(hard, self.search.precision, self.kind)
        if is_short:
            lost = []
            in_jax = any(c.judgement.outcome.library == "jax" for c in hard)
            short = named(self.kind, BY_NAME["float32-sums"], hard[0])
            yield replace(short, why=f"{short.why} {OF_JAX}", fix=FIX_OF_JAX) if in_jax else short
        if lost:
            yield named(self.kind, BY_NAME["tail-lost"], lost[0])
        if self.search.examination.level == "exact" and not (is_short or lost):
            yield unnamed(wrong, self.search.cases)

    def _of_asides(self) -> Iterator[Diagnosis]:
        """Known mistakes in a batch, where the function is held to vectors alone.

        Not in the other form of targets: who takes one-hot rows is not wrong about labels.
        """
        if not self.is_known or any(c.is_wrong and c.level == "exercise" for c in self.search.cases):
            return
        asides = [j for j in self.search.examination.asides if not j.probe.has_distributions]
        convention = self.search.examination.convention
        batch = next((j for j in asides if j.form == "batch" and j.results), None)
        if batch is not None:
            convention = readings(self.kind, batch.probe, convention, in_order(self.kind, batch.outcome))[0]
        made = cases_of(asides, self.kind, convention, self.search.precision)
        own = convention.targets
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


_NEVER_ZERO = frozenset({"softmax", "softmax_jacobian", "softmax_vjp", "cross_entropy_grad"})
"""Kinds of which a known mistake makes no result of zeros alone: a softmax of ones has a logarithm of zeros."""
