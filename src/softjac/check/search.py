"""Which known mistakes explain what is left to explain, on top of what is known already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from softjac.check import signatures
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
from softjac.check.mistakes import RIGHT, Recipe
from softjac.check.mistakes.of_smoothing import SMOOTHED, amounts_from, smoothings
from softjac.check.model import LEVELS, Examination, Level
from softjac.check.observed import Case, Precision, cases_of, precision_of


class Search:
    """What is known of a candidate so far, and ways to look for more.

    recipe: what is wrong with it, as far as it is known. names: in its code. thorough: whether more is tried than one
    mistake by itself, which takes most of the time.
    """

    def __init__(self, examination: Examination, names: frozenset[str], *, thorough: bool) -> None:
        self.examination, self.names, self.thorough = examination, names, thorough
        self.kind = examination.kind
        self.precision = precision_of(examination.judgements)
        self.cases = cases_of(examination.judgements, self.kind, examination.convention, self.precision)
        self.judged = tuple(c for c in self.cases if c.is_judged)
        self.recipe: Recipe = RIGHT

    def fits(self, case: Case) -> bool:
        """Whether what is known explains what came back; nothing is known at first."""
        return self.recipe is not RIGHT and self.returns(case)

    def returns(self, case: Case) -> bool:
        """Whether this is what comes of what is known to be wrong already."""
        return case.is_returned_by(self.recipe)

    def explanations(self, left: Sequence[Case], level: Level) -> tuple[Explanation, ...]:
        """One mistake more, that explains most of what is left, or several that do; () where there is none."""
        upto = LEVELS[: LEVELS.index(level) + 1]
        others = [c for c in self.judged if c.level in upto and c not in left]
        skip = frozenset() if level == "exercise" else frozenset({"rounded-before-product"})
        if level == "exercise" and self.precision.decimals is not None:
            found = self._rounded_twice(left, others)
            if found:
                return found
        is_narrow = level == "stable" and self.precision.relative == signatures.RELATIVE_OF_FLOAT32
        found = self._in_float32(left, others, skip) if is_narrow else ()
        tried = (
            one
            for one in singles(self.kind, self.recipe, skip, None, level)
            if not any(variant.unless & self.names for variant in one.variants)
        )
        found = found or best(tried, left, others, self.judged, self.recipe)
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

    def two_at_once(self, left: Sequence[Case], unexplained: Sequence[Case], level: Level) -> tuple[Explanation, ...]:
        """Two mistakes more. unexplained: by one after the other."""
        upto = LEVELS[: LEVELS.index(level) + 1]
        others = [c for c in self.judged if c.level in upto and c not in left]
        if level == "exercise":
            two = tuple(pairs_at_once(self.kind, left))
            each: tuple[Iterable[Explanation], ...] = (two, in_vectors_alone(two))
        else:
            each = (pairs_after_one(self.kind, self.recipe, left, unexplained, level),)
        for tried in each:
            found = best(tried, left, others, self.judged, self.recipe)
            if found and not _of_any_size(found):
                return found
        return ()


ROUGH = 3e-5
"""The relative precision in which one mistake may hide a small number that has another cause."""

_OF_N = frozenset({"n-missing", "n-doubled"})


def _of_any_size(found: Sequence[Explanation]) -> bool:
    """Whether an epsilon or a clip of three sizes or more would do: then none of them is what was seen."""
    same = [e for e in found if e.names == found[0].names]
    return len(same) > 2 and not {"epsilon", "clip"}.isdisjoint(found[0].names)


def _is_batch(case: Case) -> bool:
    return case.situation.inputs.is_batch
