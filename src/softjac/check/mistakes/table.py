"""What a known mistake is: the steps that are wrong, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from softjac.check.mistakes.plain_calls import within_reach
from softjac.check.mistakes.recipe import RIGHT, Prediction, Recipe, Situation
from softjac.check.model import Convention, Form, Inputs, Level

Layer: TypeAlias = Literal["softmax", "formula", "scale", "behaviour"]
"""Where a mistake sits: before the formula, in it, in what is done with its result, or in no formula at all."""


@dataclass(frozen=True)
class Formed:
    """The product that a code forms for one entry: in symbols, in numbers, and what comes of it."""

    symbols: str
    numbers: str
    value: float


@dataclass(frozen=True, eq=False)
class Variant:
    """One way to make a mistake: the steps that are wrong.

    kinds: where this one can be, or empty for all kinds of the mistake. applies: the situations for which it has an
    answer. detail: a sentence with what is special to it. why, experiment: in place of the mistake's. level: the lowest
    at which it can show. size: of an epsilon. unless: names; code with one of them has another mistake, which gives the
    same numbers.
    """

    steps: Mapping[str, Any]
    kinds: frozenset[str] = frozenset()
    applies: Callable[[Situation], bool] | None = None
    detail: str = ""
    why: str = ""
    experiment: str = ""
    level: Level = "exercise"
    size: float | None = None
    unless: frozenset[str] = frozenset()

    def predict(self, s: Situation, base: Recipe = RIGHT) -> Prediction | None:
        """What a candidate returns that has it, on top of what is wrong in base; None where it has no answer."""
        if (self.kinds and s.kind not in self.kinds) or (self.applies is not None and not self.applies(s)):
            return None
        recipe = base.with_steps(self.steps)
        return None if recipe is None else recipe.run(s)


Entry: TypeAlias = Callable[[Situation, Recipe, tuple[int, ...]], "Formed | None"]


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake that has a name.

    title: a few words. why: which code causes it, and what it puts where. kinds: where it can be. level: the lowest at
    which it shows. variants: the ways to make it; empty where it shows in what a candidate does, not in its numbers.
    entry: what it forms for one entry, where the formula itself is another one. experiment: one line to try. fix: what
    to write instead. Both may differ by kind: fixes and experiments come before fix and experiment, and by_probs before
    these where probabilities are given. An experiment shows the symptom and does not name the cause: it is printed
    where the name is not.
    """

    name: str
    title: str
    why: str
    kinds: frozenset[str]
    level: Level
    layer: Layer
    experiment: str
    fix: str
    variants: tuple[Variant, ...] = ()
    entry: Entry | None = None
    whys: Mapping[str, str] = field(default_factory=dict)
    experiments: Mapping[str, str] = field(default_factory=dict)
    fixes: Mapping[str, str] = field(default_factory=dict)
    experiments_by_probs: Mapping[str, str] = field(default_factory=dict)
    fix_by_probs: str = ""

    def why_for(self, kind: str, variant: Variant | None = None) -> str:
        """Which code causes it, in a function of this kind. variant: the way in which it was made."""
        why = (variant.why if variant else "") or self.whys.get(kind, self.why)
        return f"{why} {variant.detail}".strip() if variant else why

    def experiment_for(self, kind: str, variant: Variant | None = None, *, by_probs: bool = False) -> str:
        """One line to try, in a function of this kind. by_probs: it is given probabilities."""
        if variant and variant.experiment:
            return variant.experiment
        if by_probs and kind in self.experiments_by_probs:
            return self.experiments_by_probs[kind]
        return within_reach(self.experiments.get(kind, self.experiment), kind, by_probs=by_probs)

    def fix_for(self, kind: str, *, by_probs: bool = False) -> str:
        """What to write instead, in a function of this kind. by_probs: it is given probabilities."""
        if by_probs and self.fix_by_probs:
            return self.fix_by_probs
        return self.fixes.get(kind, self.fix)

    def variants_for(self, kind: str) -> tuple[Variant, ...]:
        """The ways to make it in a function of this kind."""
        if kind not in self.kinds:
            return ()
        return tuple(v for v in self.variants if not v.kinds or kind in v.kinds)

    def wrong(
        self, kind: str, inputs: Inputs, convention: Convention, form: Form = "vector"
    ) -> tuple[Prediction | None, ...]:
        """What candidates with this mistake return, one for each way to make it."""
        s = Situation(kind, inputs, convention, form)
        return tuple(v.predict(s) for v in self.variants_for(kind))
