"""Which mistakes a candidate has: it returns what they would on every probe that tells, once far from the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from softjac.check.mistakes import MISTAKES, RIGHT, Mistake, Prediction, Recipe, Situation, Variant
from softjac.check.mistakes.recipe import VALUE_AND_GRAD, both
from softjac.check.model import LEVELS, Convention, Level, Reduction
from softjac.check.observed import SEVERAL, Case


@dataclass(frozen=True, eq=False)
class Explanation:
    """One or two mistakes that explain what was seen. cases: that they explain. score: how well the digits fit."""

    mistakes: tuple[Mistake, ...]
    variants: tuple[Variant, ...]
    recipe: Recipe
    cases: tuple[Case, ...]
    score: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Of the mistakes."""
        return tuple(m.name for m in self.mistakes)


def explain(
    recipe: Recipe, wrong: Sequence[Case], others: Sequence[Case], base: Recipe = RIGHT, *, several_count: bool = True
) -> tuple[Case, ...]:
    """The wrong cases that a recipe explains; none where it contradicts one of all cases.

    It contradicts a case where it is far from the truth and the candidate did not return that; but not where it is as
    far without its last mistake, on the base of those before. several_count: whether many numbers that are off a little
    speak for it, too.
    """
    explained: list[Case] = []
    speaks = False
    off = 0
    all_raised = all(case.judgement.problem == "raised" for case in wrong)
    batch = next((case for case in wrong if case.asked.inputs.is_batch and case.judgement.problem != "raised"), None)
    # Most mistakes show in a batch, and most of them are not the one: it is asked first.
    if batch is not None and batch is not wrong[0] and _contradicts(recipe, batch, base):
        return ()
    for case in wrong:
        fit = case.fit(recipe.run(case.situation))
        if fit.matches:
            if fit.far or fit.off:
                explained.append(case)
            if all_raised or case.judgement.problem != "raised":
                speaks |= fit.far
                off += fit.off
        elif case.judgement.problem != "raised" and _contradicts(recipe, case, base):
            return ()
    if not (speaks or (several_count and off >= SEVERAL)):
        return ()
    if any(_contradicts(recipe, case, base) for case in others if case.judgement.problem != "raised"):
        return ()
    return tuple(explained)


def _contradicts(recipe: Recipe, case: Case, base: Recipe) -> bool:
    made = recipe.run(case.situation)
    fit = case.fit(made)
    if fit.matches or not fit.far:
        return False
    return base is RIGHT or not _alike(made, base.run(case.situation))


def _alike(made: Prediction | None, other: Prediction | None) -> bool:
    if made is None or other is None or made.raises != other.raises or len(made.arrays) != len(other.arrays):
        return False
    pairs = list(zip(made.arrays, other.arrays, strict=True))
    return all(a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in pairs)


Where: TypeAlias = Callable[[Situation], bool]


def for_vectors(s: Situation) -> bool:
    """Whether it is one row."""
    return not s.inputs.is_batch


def for_batches(s: Situation) -> bool:
    """Whether it is a batch."""
    return s.inputs.is_batch


def applicable(
    mistake: Mistake, variant: Variant, base: Recipe, kind: str, where: Where | None = None
) -> Recipe | None:
    """The base with the steps of one variant; None where these are taken or it is of another kind."""
    if kind not in mistake.kinds or (variant.kinds and kind not in variant.kinds):
        return None
    return base.with_steps(variant.steps, both(where, variant.applies))


def singles(
    kind: str,
    base: Recipe = RIGHT,
    skip: frozenset[str] = frozenset(),
    where: Where | None = None,
    level: Level = "exercise",
) -> Iterator[Explanation]:
    """Every mistake on top of what is wrong already, not yet compared, that can show at a level.

    where: made there alone.
    """
    upto = LEVELS[: LEVELS.index(level) + 1]
    for mistake in MISTAKES:
        if mistake.name in skip:
            continue
        for variant in mistake.variants_for(kind):
            recipe = applicable(mistake, variant, base, kind, where) if variant.level in upto else None
            if recipe is not None:
                yield Explanation((mistake,), (variant,), recipe, ())


def of_one_result(kind: str, base: Recipe = RIGHT) -> Iterator[Explanation]:
    """Every mistake in the loss alone, or in the gradient alone, of a function that returns both."""
    if kind not in VALUE_AND_GRAD:
        return
    for part, of_part, where in (
        ("gradient_by", "cross_entropy_grad", "It is in the gradient alone."),
        ("loss_by", "cross_entropy", "It is in the loss alone."),
    ):
        for one in singles(of_part, base):
            variant = one.variants[0]
            recipe = None if "leave" in variant.steps else base.with_steps({part: one.recipe})
            if recipe is not None:
                there = replace(variant, detail=f"{variant.detail} {where}".strip())
                yield Explanation(one.mistakes, (there,), recipe, ())


def of_variants(mistake: Mistake, variants: Iterable[Variant], kind: str, base: Recipe) -> Iterator[Explanation]:
    """One mistake, in ways that are not in the table."""
    for variant in variants:
        recipe = applicable(mistake, variant, base, kind)
        if recipe is not None:
            yield Explanation((mistake,), (variant,), recipe, ())


_MANY = frozenset(
    {
        "epsilon",
        "clip",
        "rounded-before-product",
        "targets-in-logarithm",
        "unnormalised-targets",
        "smoothed-targets",
        "float16-sums",
    }
)
"""Mistakes of many sizes: not tried in pairs of two new ones, but where one of the two fits by itself."""

_ALONE = frozenset({"loop-off-by-one", "smoothed-targets", "float16-sums", "float32-sums"})
"""Mistakes of many ways, tried alone and on top of what is known: in pairs they would take most of the time."""


def pairs_after_one(
    kind: str, base: Recipe, wrong: Sequence[Case], unexplained: Sequence[Case], level: Level
) -> Iterator[Explanation]:
    """Every two mistakes, where the first explains a case by itself, and both together one of the unexplained."""
    for first in singles(kind, base, _ALONE, None, level):
        if any(speaks_for(first.recipe, case) and _may_speak(first, [case]) for case in wrong):
            for two in beside(first, kind, _ALONE, level):
                if any(case.is_returned_by(two.recipe) for case in unexplained):
                    yield two


def pairs_at_once(kind: str, wrong: Sequence[Case]) -> Iterator[Explanation]:
    """Every two mistakes that go together, and that together return the first of the wrong cases."""
    telling = next((case for case in wrong if case.judgement.problem != "raised"), None)
    ones = [(one, _Alone.of(one, telling)) for one in singles(kind, skip=_ALONE | _MANY)]
    for k, (first, in_first) in enumerate(ones):
        for second, in_second in ones[k + 1 :]:
            if first.mistakes == second.mistakes:
                continue
            # Where one of them does not apply, the other one is by itself.
            if not in_first.applies or not in_second.applies:
                if not (in_first.returned or in_second.returned):
                    continue
                two = _together(first, second)
            else:
                two = _together(first, second)
                if two is not None and telling is not None and not telling.is_returned_by(two.recipe):
                    continue
            if two is not None:
                yield two


class _Alone(NamedTuple):
    """One mistake in the situation of a case: whether it applies there, and whether the case is what it returns."""

    applies: bool
    returned: bool

    @classmethod
    def of(cls, one: Explanation, case: Case | None) -> _Alone:
        if case is None:
            return cls(applies=True, returned=True)
        applies = one.recipe.applies is None or one.recipe.applies(case.situation)
        return cls(applies, applies and case.is_returned_by(one.recipe))


def _together(first: Explanation, second: Explanation) -> Explanation | None:
    """Both mistakes, where they go together."""
    (variant,) = second.variants
    recipe = first.recipe.with_steps(variant.steps, variant.applies)
    if recipe is None:
        return None
    return Explanation((*first.mistakes, *second.mistakes), (*first.variants, variant), recipe, ())


def in_vectors_alone(found: Iterable[Explanation]) -> Iterator[Explanation]:
    """The same mistakes, made in vectors alone."""
    for one in found:
        recipe: Recipe | None = RIGHT
        for variant in one.variants:
            recipe = None if recipe is None else recipe.with_steps(variant.steps, both(for_vectors, variant.applies))
        if recipe is not None:
            yield replace(one, recipe=recipe)


def beside(
    first: Explanation, kind: str, skip: frozenset[str] = frozenset(), level: Level = "exercise"
) -> Iterator[Explanation]:
    """Every other mistake together with the first."""
    for second in singles(kind, first.recipe, skip | {first.mistakes[0].name}, None, level):
        yield Explanation((*first.mistakes, *second.mistakes), (*first.variants, *second.variants), second.recipe, ())


def speaks_for(recipe: Recipe, case: Case) -> bool:
    """Whether a case is what the recipe returns, and far from the truth."""
    fit = case.fit(recipe.run(case.situation))
    return fit.matches and fit.far


def best(
    tried: Iterable[Explanation],
    wrong: Sequence[Case],
    others: Sequence[Case],
    every: Sequence[Case],
    base: Recipe = RIGHT,
    *,
    several_count: bool = True,
) -> tuple[Explanation, ...]:
    """Of what was tried, that which explains most, the best first; then others that explain as much.

    every: the cases of all levels, whose digits decide where ordinary numbers cannot. base: what is wrong already.
    """
    found: list[Explanation] = []
    wrong = [case for case in wrong if not case.is_returned_by(base)]
    for one in tried:
        explained = explain(one.recipe, wrong, others, base, several_count=several_count)
        if explained and _may_speak(one, explained) and _is_needed(one, base, explained):
            score = strict_score(one.recipe, every)
            found.append(Explanation(one.mistakes, one.variants, one.recipe, explained, score))
    found.sort(key=lambda e: (-len(e.cases), -e.score))
    top = found[:1]
    return tuple(e for e in found if len(e.cases) == len(top[0].cases) and e.score >= top[0].score)


def _may_speak(one: Explanation, explained: Sequence[Case]) -> bool:
    """NaN and inf of large logits speak for what makes them; for no formula that ordinary ones show wrong, no pair."""
    levels = {*(m.level for m in one.mistakes), *(v.level for v in one.variants)}
    makes_them = len(one.mistakes) == 1 and levels != {"exercise"}
    return makes_them or any(c.level == "exercise" or not c.is_out_of_range for c in explained)


def _is_needed(one: Explanation, base: Recipe, explained: Sequence[Case]) -> bool:
    """Whether it takes each of the mistakes, and not only that the logarithm of a probability is taken beside them."""
    simpler: list[Recipe | None] = []
    for k, variant in enumerate(one.variants):
        without: Recipe | None = base
        for other in one.variants[:k] + one.variants[k + 1 :]:
            without = None if without is None else without.with_steps(other.steps, other.applies)
        if one.variants[1:]:
            simpler.append(without)
        if without is not None and "by_logsumexp" in variant.steps and one.names[k] != "log-of-zero":
            simpler.append(without.with_steps({"by_logsumexp": False}))
    return not any(recipe is not None and all(case.is_returned_by(recipe) for case in explained) for recipe in simpler)


def strict_score(recipe: Recipe, cases: Iterable[Case]) -> int:
    """On how many cases every single number agrees to nine digits: tells apart what ordinary numbers cannot."""
    return sum(case.agrees_to_nine_digits(recipe.run(case.situation)) for case in cases)


def other_conventions(convention: Convention) -> Iterator[Convention]:
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
