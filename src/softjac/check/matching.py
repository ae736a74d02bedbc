"""Whether a candidate returns what a known mistake would: within its own precision, on every probe that tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np

from softjac.check.mistakes import MISTAKES, RIGHT, Mistake, Prediction, Recipe, Situation, Variant
from softjac.check.mistakes.recipe import both
from softjac.check.model import LEVELS, Array, Convention, Inputs, Judgement, Level

FAR = 20.0
"""So many tolerances from the truth a wrong number has to be, to speak for a mistake."""

SEVERAL = 5
"""Or so many wrong numbers have to be more than one tolerance from it."""

OF_NUMBERS = frozenset({"raised", "shape", "value", "not finite"})
"""Problems that a wrong formula can have."""

_ARITHMETIC = ("OverflowError", "ZeroDivisionError", "FloatingPointError", "math domain error", "expected a positive")
"""What plain Python raises where NumPy has inf or NaN."""


@dataclass(frozen=True)
class Precision:
    """How many digits a candidate's results have. decimals: where they are rounded; relative: otherwise."""

    relative: float = 1e-9
    decimals: int | None = None

    def tolerance(self, scale: float) -> float:
        """How far its number may be from the one that it stands for, where the largest is scale."""
        rounded = 0.0 if self.decimals is None else 0.5 * 10.0**-self.decimals
        return rounded + self.relative * (scale + 1e-5)


def precision_of(judgements: Iterable[Judgement]) -> Precision:
    """The precision of the results of ordinary probes: what is known of them, or inferred from the numbers.

    Rounded to d decimals: all are multiples of 10^-d. float32 or float16: all are numbers of that type.
    """
    usable = [j for j in judgements if j.probe.level == "exercise" and j.probe.dtype == "float64"]
    written = [j.outcome.decimals for j in usable if j.outcome.decimals is not None]
    if written and len(written) == len(usable):
        return Precision(decimals=max(written))
    numbers = [np.ravel(a) for j in usable for a in j.results or j.outcome.arrays if a.dtype.kind in "fiu"]
    flat = np.concatenate([*numbers, np.empty(0)]).astype(float)
    flat = flat[np.isfinite(flat)]
    flat = flat[flat != np.round(flat, 1)]
    if len(np.unique(flat)) < 6:
        return Precision()
    for decimals in range(2, 9):
        if np.allclose(flat, np.round(flat, decimals), rtol=0, atol=1e-12):
            return Precision(decimals=decimals)
    with np.errstate(all="ignore"):
        if np.array_equal(flat, flat.astype(np.float16).astype(float)):
            return Precision(relative=4e-3)
        if np.array_equal(flat, flat.astype(np.float32).astype(float)):
            return Precision(relative=1e-5)
    return Precision()


class Fit(NamedTuple):
    """A prediction beside a result. far, off: the largest distance from the truth in tolerances; how many are off."""

    matches: bool
    far: bool
    off: int


@dataclass(frozen=True, eq=False)
class Case:
    """A judgement, as something that a mistake has to explain.

    asked: in which situation, as the probe has it.
    """

    judgement: Judgement
    asked: Situation
    precision: Precision

    @cached_property
    def situation(self) -> Situation:
        """As the candidate had it: one row that was passed as a batch is a batch."""
        inputs = self.asked.inputs
        if self.asked.form != "batch" or inputs.is_batch:
            return self.asked

        def as_batch(array: Array | None) -> Array | None:
            return None if array is None else array[None]

        rows = Inputs(
            inputs.logits[None],
            inputs.probs[None],
            as_batch(inputs.cotangent),
            as_batch(inputs.targets),
            as_batch(inputs.labels),
        )
        return replace(self.asked, inputs=rows)

    @cached_property
    def results(self) -> tuple[Array, ...]:
        """What the candidate returned, without axes of length 1."""
        return tuple(_squeezed(a) for a in self.judgement.results or self.judgement.outcome.arrays)

    @cached_property
    def truth(self) -> tuple[Array, ...]:
        """What it should have been."""
        return tuple(_squeezed(a) for a in self.judgement.truth)

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to explain."""
        return self.judgement.problem in OF_NUMBERS

    @property
    def is_judged(self) -> bool:
        """Whether its numbers count: not where the process ended or nothing of use came back."""
        return self.judgement.problem in OF_NUMBERS or self.judgement.problem in {"", "changed"}

    @property
    def level(self) -> Level:
        """Of the probe."""
        return self.judgement.probe.level

    def fit(self, prediction: Prediction | None) -> Fit:
        """Compare what a mistake returns with what the candidate returned, and with the truth."""
        if prediction is None:
            return Fit(matches=False, far=False, off=0)
        if prediction.raises:
            return Fit(bool(self.judgement.outcome.error), far=True, off=SEVERAL)
        arrays = tuple(_squeezed(a) for a in prediction.arrays)
        far, off = self._distance(arrays)
        if self.judgement.outcome.error:
            arithmetic = any(word in self.judgement.outcome.error for word in _ARITHMETIC)
            return Fit(arithmetic and not all(np.isfinite(a).all() for a in arrays), far, off)
        return Fit(self._same(arrays), far, off)

    def agrees_to_nine_digits(self, made: Prediction | None) -> bool:
        """Whether every single number does, the smallest too."""
        if made is None or made.raises or len(made.arrays) != len(self.results):
            return False
        decimals = self.precision.decimals
        arrays = [a if decimals is None else np.round(a, decimals) for a in map(_squeezed, made.arrays)]
        with np.errstate(all="ignore"):
            return all(
                a.shape == b.shape and bool(np.isclose(a, b, rtol=1e-9, atol=0, equal_nan=True).all())
                for a, b in zip(arrays, self.results, strict=True)
            )

    def _same(self, arrays: Sequence[Array]) -> bool:
        if len(arrays) != len(self.results):
            return False
        return all(self._alike(a, b, t) for a, b, t in zip(arrays, self.results, self._scales(arrays), strict=True))

    def _scales(self, arrays: Sequence[Array]) -> Iterator[float]:
        for k, a in enumerate(arrays):
            of_truth = _largest(self.truth[k]) if k < len(self.truth) else 0.0
            yield self.precision.tolerance(max(_largest(a), of_truth))

    def _alike(self, a: Array, b: Array, tolerance: float) -> bool:
        if a.shape != b.shape:
            return False
        finite = np.isfinite(a)
        if not np.array_equal(finite, np.isfinite(b)):
            return False
        if not finite.all() and not np.array_equal(a[~finite], b[~finite], equal_nan=True):
            return False
        return bool((np.abs(a[finite] - b[finite]) <= tolerance).all())

    def _distance(self, arrays: Sequence[Array]) -> tuple[bool, int]:
        """Whether it is far from the truth, and how many entries are more than a tolerance from it."""
        off = 0
        far = False
        for a, t, tolerance in zip(arrays, self.truth, self._scales(arrays), strict=False):
            if a.shape != t.shape:
                return True, SEVERAL
            with np.errstate(all="ignore"):
                away = np.abs(a - t)
            odd = ~np.isfinite(away)
            if (odd & ~((a == t) | (np.isnan(a) & np.isnan(t)))).any():
                return True, SEVERAL
            away = away[~odd]
            far |= bool((away > FAR * tolerance).any())
            off += int((away > tolerance).sum())
        return far, off


def _squeezed(a: Array) -> Array:
    """Without axes of length 1: a row, a column and a vector are alike here."""
    return np.asarray(a, dtype=float).squeeze() if a.dtype.kind in "fiub" else np.asarray(np.nan)


def _largest(a: Array) -> float:
    finite = np.abs(a[np.isfinite(a)])
    return float(finite.max()) if finite.size else 0.0


def cases_of(
    judgements: Iterable[Judgement], kind: str, convention: Convention, precision: Precision
) -> tuple[Case, ...]:
    """The judgements of a candidate as cases."""
    narrow = replace(precision, relative=max(1e-5, precision.relative))
    return tuple(
        Case(
            j,
            Situation(kind, j.probe.inputs, convention, j.form, j.targets),
            narrow if "float32" in {j.probe.dtype, convention.dtype} else precision,
        )
        for j in judgements
    )


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
    recipe: Recipe, wrong: Sequence[Case], others: Sequence[Case], *, several_count: bool = True
) -> tuple[Case, ...]:
    """The wrong cases that a recipe explains; none where it contradicts one of all cases.

    It contradicts a case where it is far from the truth and the candidate did not return that. several_count: whether
    many numbers that are off a little speak for it, too.
    """
    explained: list[Case] = []
    speaks = False
    off = 0
    all_raised = all(case.judgement.problem == "raised" for case in wrong)
    for case in wrong:
        fit = case.fit(recipe.run(case.situation))
        if fit.matches:
            if fit.far or fit.off:
                explained.append(case)
            if all_raised or case.judgement.problem != "raised":
                speaks |= fit.far
                off += fit.off
        elif fit.far and case.judgement.problem != "raised":
            return ()
    if not (speaks or (several_count and off >= SEVERAL)):
        return ()
    for case in others:
        if case.judgement.problem == "raised":
            continue
        fit = case.fit(recipe.run(case.situation))
        if fit.far and not fit.matches:
            return ()
    return tuple(explained)


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


_MANY = frozenset({"epsilon", "clip", "rounded-before-product"})
"""Mistakes of many sizes: not tried in pairs of two new ones, but where one of the two fits by itself."""


def pairs(
    kind: str,
    base: Recipe,
    wrong: Sequence[Case],
    *,
    one_fits: bool,
    where: Where | None = None,
    level: Level = "exercise",
) -> Iterator[Explanation]:
    """Every two mistakes that go together. one_fits: the first has to explain a case by itself."""
    skip = frozenset() if one_fits else _MANY
    for first in singles(kind, base, skip, where, level):
        if one_fits and not any(speaks_for(first.recipe, case) for case in wrong):
            continue
        for second in beside(first, kind, skip, where, level):
            if one_fits or MISTAKES.index(second.mistakes[1]) > MISTAKES.index(first.mistakes[0]):
                yield second


def beside(
    first: Explanation,
    kind: str,
    skip: frozenset[str] = frozenset(),
    where: Where | None = None,
    level: Level = "exercise",
) -> Iterator[Explanation]:
    """Every other mistake together with the first."""
    for second in singles(kind, first.recipe, skip | {first.mistakes[0].name}, where, level):
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
    wrong = [case for case in wrong if not case.fit(base.run(case.situation)).matches]
    for one in tried:
        explained = explain(one.recipe, wrong, others, several_count=several_count)
        if explained and _is_needed(one, base, explained):
            score = strict_score(one.recipe, every)
            found.append(Explanation(one.mistakes, one.variants, one.recipe, explained, score))
    found.sort(key=lambda e: (-len(e.cases), -e.score))
    top = found[:1]
    return tuple(e for e in found if len(e.cases) == len(top[0].cases) and e.score >= top[0].score)


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
    return not any(
        recipe is not None and all(case.fit(recipe.run(case.situation)).matches for case in explained)
        for recipe in simpler
    )


def strict_score(recipe: Recipe, cases: Iterable[Case]) -> int:
    """On how many cases every single number agrees to nine digits: tells apart what ordinary numbers cannot."""
    return sum(case.agrees_to_nine_digits(recipe.run(case.situation)) for case in cases)
