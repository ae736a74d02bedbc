"""How a function gets from its inputs to its result, in steps that can each be a wrong one.

A recipe is the right way, written as people write it in NumPy; a mistake replaces one or a few of its steps. Two
mistakes go together where they replace different steps. What is wrong here is wrong on purpose: nothing of this is a
truth, and nothing is compared with it but candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from softjac.check.model import Array, Convention, Form, Inputs, TargetForm

Through: TypeAlias = Literal["", "g @ J", "J @ g"]
"""Whether products and gradients are made by way of the Jacobian, and in which order."""

WITH_JACOBIAN = frozenset({"softmax_jacobian", "softmax_vjp", "cross_entropy_grad", "cross_entropy_value_and_grad"})
LOSSES = frozenset({"cross_entropy", "cross_entropy_value_and_grad"})
GRADIENTS = frozenset({"cross_entropy_grad", "cross_entropy_value_and_grad"})
WITH_TARGETS = LOSSES | GRADIENTS
VALUE_AND_GRAD = LOSSES & GRADIENTS
WITH_LOGARITHM = frozenset({"log_softmax", "cross_entropy", "cross_entropy_value_and_grad"})
ALL_KINDS = frozenset({"softmax", "log_softmax", "logsumexp"}) | WITH_JACOBIAN | LOSSES


@dataclass(frozen=True, eq=False)
class Situation:
    """What a candidate was asked, and in which convention. targets: the form in which they were passed."""

    kind: str
    inputs: Inputs
    convention: Convention
    form: Form = "vector"
    targets: TargetForm | None = None

    @cached_property
    def made(self) -> dict[Hashable, Array]:
        """What steps made of it, by the steps: thousands of recipes share most of theirs."""
        return {}

    @property
    def labels(self) -> Array | None:
        """The labels, where it was given labels."""
        return None if self.targets == "one-hot" else self.inputs.labels

    @property
    def given_probs(self) -> bool:
        """Whether it was given probabilities in place of logits."""
        return self.convention.given == "probs" and self.kind not in {"softmax", "log_softmax", "logsumexp"}


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a recipe returns: arrays, or that it raises."""

    arrays: tuple[Array, ...] = ()
    raises: bool = False


def is_batch(s: Situation) -> bool:
    """Whether there are rows."""
    return s.inputs.is_batch


def by_logits(s: Situation) -> bool:
    """Whether logits are given, and no probabilities."""
    return not s.given_probs


def shifted_softmax(z: Array) -> Array:
    """Softmax along the last axis, the largest logit subtracted."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def shifted_logsumexp(z: Array) -> Array:
    """Logarithm of the sum of the exponentials, the largest logit subtracted."""
    m = z.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0])


def unchanged(a: Array) -> Array:
    """What is left as it is."""
    return a


def own_targets(s: Situation) -> Array:
    """The targets, of the shape of the logits."""
    return np.zeros_like(s.inputs.logits) if s.inputs.targets is None else s.inputs.targets


def jacobian_of_row(p: Array) -> Array:
    """diag(p) - p p^T of one row."""
    return np.asarray(np.diag(p) - np.outer(p, p))


def product_with_jacobian(p: Array, g: Array) -> Array:
    """Product with the Jacobian, by rows: p * (g - <p, g>)."""
    return np.asarray(p * (g - (p * g).sum(axis=-1, keepdims=True)))


def slope_of_loss(p: Array, y: Array) -> Array:
    """Derivative of -sum(y log p) in p; 0 where y is."""
    return np.asarray(-np.where(y == 0, 0.0, y / p))


def gradient_of_loss(p: Array, y: Array) -> Array:
    """Derivative of -sum(y log softmax(z)) in z."""
    return np.asarray(p * y.sum(axis=-1, keepdims=True) - y)


def value_of_loss(log_p: Array, _p: Array, y: Array) -> Array:
    """-sum(y log p) by rows, with 0 log 0 = 0."""
    return np.asarray(-np.where(y == 0, 0.0, y * log_p).sum(axis=-1))


def reduced(values: Array, s: Situation) -> Array:
    """The losses of the rows, as the convention has them."""
    if values.ndim == 0 or s.convention.reduction == "none":
        return values
    return np.asarray(values.sum() if s.convention.reduction == "sum" else values.mean())


def divided(gradient: Array, s: Situation) -> Array:
    """The gradients of the rows, as the convention has them."""
    is_mean = s.convention.gradient == "mean" and s.inputs.is_batch
    return np.asarray(gradient / len(s.inputs.logits)) if is_mean else gradient


def both(
    first: Callable[[Situation], bool] | None, second: Callable[[Situation], bool] | None
) -> Callable[[Situation], bool] | None:
    """Where both hold; None is everywhere."""
    if first is None or second is None or first is second:
        return first or second
    return lambda s: first(s) and second(s)


Leave: TypeAlias = Callable[[tuple[Array, ...], Situation], "tuple[Array, ...] | None"]


@dataclass(frozen=True, eq=False)
class Recipe:
    """The steps. Each takes whole arrays, rows last, except jacobian, which takes one row.

    logits: what happens to them first. softmax, softmax_column: of logits, and of a column (n, 1) where that differs.
    on_probs: what happens to probabilities that are given. log, by_logsumexp: log p is z - logsumexp(z), or the
    logarithm of the probabilities. jacobian_of_batch: of all rows at once. leave: what happens to the result, in order.
    loss_by, gradient_by: another recipe for one of two results. applies: where the last steps are taken; elsewhere: the
    recipe without them.
    """

    logits: Callable[[Array], Array] = unchanged
    targets: Callable[[Situation], Array] = own_targets
    softmax: Callable[[Array], Array] = shifted_softmax
    softmax_column: Callable[[Array], Array] | None = None
    on_probs: Callable[[Array], Array] = unchanged
    logsumexp: Callable[[Array], Array] = shifted_logsumexp
    by_logsumexp: bool = True
    log: Callable[[Array], Array] = np.log
    jacobian: Callable[[Array], Array] = jacobian_of_row
    jacobian_of_batch: Callable[[Array], Array] | None = None
    through: Through = ""
    vjp: Callable[[Array, Array], Array] = product_with_jacobian
    slope: Callable[[Array, Array], Array] = slope_of_loss
    gradient: Callable[[Array, Array], Array] = gradient_of_loss
    value: Callable[[Array, Array, Array], Array] = value_of_loss
    reduce: Callable[[Array, Situation], Array] = reduced
    divide: Callable[[Array, Situation], Array] = divided
    leave: tuple[Leave, ...] = ()
    loss_by: Recipe | None = None
    gradient_by: Recipe | None = None
    applies: Callable[[Situation], bool] | None = None
    elsewhere: Recipe | None = None

    def with_steps(self, steps: Mapping[str, Any], applies: Callable[[Situation], bool] | None = None) -> Recipe | None:
        """The recipe with other steps; None where a step is replaced already by another one.

        applies: where they are taken; elsewhere it stays as it is.
        """
        below = None if self.elsewhere is None else self.elsewhere.with_steps(steps, applies)
        other = self if below is None else self._replaced({"elsewhere": below})
        changed: dict[str, Any] = {}
        for name, step in steps.items():
            mine = getattr(self, name)
            if name == "leave":
                changed[name] = (*mine, *step)
            elif mine is getattr(RIGHT, name) or mine == step:
                changed[name] = step
            else:
                return None if below is None else other
        where = both(self.applies, applies)
        return self._replaced({**changed, "applies": where, "elsewhere": None if where is None else other})

    def _replaced(self, changed: Mapping[str, Any]) -> Recipe:
        """As dataclasses.replace has it, in a tenth of its time."""
        made = object.__new__(Recipe)
        made.__dict__.update(self.__dict__)
        made.__dict__.update(changed)
        return made

    def probabilities(self, s: Situation) -> Array:
        """The probabilities that it works with."""
        if s.given_probs:
            return self.on_probs(s.inputs.probs)
        z = self.logits(s.inputs.logits)
        if s.form == "column" and self.softmax_column is not None:
            return self.softmax_column(z)
        return self.softmax(z)

    def run(self, s: Situation, fits: Callable[[Array], bool] | None = None) -> Prediction | None:
        """What it returns; None where it has no answer of its own.

        fits: asked about the loss, where a gradient would come after it: None, too, where it says no.
        """
        if self.applies is not None and self.elsewhere is not None and not self.applies(s):
            return self.elsewhere.run(s, fits)
        with np.errstate(all="ignore"):
            try:
                arrays = self._results(s, None if self.leave else fits)
                for step in self.leave:
                    if arrays is not None:
                        arrays = step(arrays, s)
            except (ValueError, IndexError):
                return Prediction(raises=True)
        return None if arrays is None else Prediction(tuple(np.asarray(a, dtype=np.float64) for a in arrays))

    def _results(self, s: Situation, fits: Callable[[Array], bool] | None = None) -> tuple[Array, ...] | None:
        if s.kind == "logsumexp":
            return (self._logsumexp(s),)
        if s.kind == "softmax":
            return (self._p(s),)
        if s.kind == "log_softmax":
            return (self._log_p(s),)
        if s.kind == "softmax_jacobian":
            return (self._jacobian(s),)
        if s.kind == "softmax_vjp":
            return (self._product(s),)
        results: list[Array] = []
        if s.kind in LOSSES:
            results.append(self._part(self.loss_by, s)._loss(s))
        if s.kind in GRADIENTS:
            if results and fits is not None and not fits(results[0]):
                return None
            results.append(self._part(self.gradient_by, s)._gradient(s))
        return tuple(results)

    def _part(self, by: Recipe | None, s: Situation) -> Recipe:
        """The recipe of the loss, or of the gradient, as it applies there."""
        found = self if by is None else by
        while by is not None and found.applies is not None and found.elsewhere is not None and not found.applies(s):
            found = found.elsewhere
        return found

    # What follows is made once of a situation for all recipes with the same steps up to there. The first of a key is
    # what is made, the rest are the steps that it takes. Of inputs in float32 it is float32, with what overflows there.

    def _steps_of_p(self, s: Situation) -> tuple[Hashable, ...]:
        return (self.on_probs,) if s.given_probs else (self.logits, self.softmax, self.softmax_column)

    def _p(self, s: Situation) -> Array:
        return _once(s, ("p", *self._steps_of_p(s)), lambda: self.probabilities(s))

    def _y(self, s: Situation) -> Array:
        return _once(s, ("y", self.targets), lambda: self.targets(s))

    def _logsumexp(self, s: Situation) -> Array:
        return _once(s, ("lse", self.logits, self.logsumexp), lambda: self.logsumexp(self.logits(s.inputs.logits)))

    def _takes_log(self, s: Situation) -> bool:
        return not self.by_logsumexp or s.given_probs

    def _steps_of_log_p(self, s: Situation) -> tuple[Hashable, ...]:
        return (self.log, *self._steps_of_p(s)) if self._takes_log(s) else (self.logits, self.logsumexp)

    def _log_p(self, s: Situation) -> Array:
        def make() -> Array:
            if self._takes_log(s):
                return self.log(self._p(s))
            return np.asarray(self.logits(s.inputs.logits) - self._logsumexp(s)[..., None])

        return _once(s, ("log p", *self._steps_of_log_p(s)), make)

    def _loss(self, s: Situation) -> Array:
        steps = (self.value, self.reduce, self.targets, *self._steps_of_log_p(s), *self._steps_of_p(s))
        return _once(s, ("loss", *steps), lambda: self.reduce(self.value(self._log_p(s), self._p(s), self._y(s)), s))

    def _jacobian(self, s: Situation) -> Array:
        def make() -> Array:
            p = self._p(s)
            if p.ndim == 1:
                return self.jacobian(p)
            if self.jacobian_of_batch is not None:
                return self.jacobian_of_batch(p)
            return np.stack([self.jacobian(row) for row in p])

        return _once(s, ("J", self.jacobian, self.jacobian_of_batch, *self._steps_of_p(s)), make)

    def _product(self, s: Situation) -> Array:
        g = s.inputs.cotangent
        steps = (self.through, self.vjp, self.jacobian, self.jacobian_of_batch, *self._steps_of_p(s))
        return _once(s, ("vjp", *steps), lambda: self._times(np.zeros_like(self._p(s)) if g is None else g, s))

    def _times(self, g: Array, s: Situation) -> Array:
        if not self.through:
            return self.vjp(self._p(s), g)
        order = "...i,...ij->...j" if self.through == "g @ J" else "...j,...ij->...i"
        return np.asarray(np.einsum(order, g, self._jacobian(s)))

    def _gradient(self, s: Situation) -> Array:
        by_slope = s.given_probs and s.convention.wrt == "probs"

        def make() -> Array:
            p, y = self._p(s), self._y(s)
            if by_slope:
                return self.slope(p, y)
            return self._times(self.slope(p, y), s) if self.through else self.gradient(p, y)

        own: tuple[Hashable, ...] = (self.gradient,)
        if by_slope:
            own = ("slope", self.slope)
        elif self.through:
            own = ("through", self.through, self.slope, self.jacobian, self.jacobian_of_batch)
        steps = (self.divide, self.targets, *self._steps_of_p(s))
        return _once(s, ("gradient", *own, *steps), lambda: self.divide(make(), s))


_KEPT = 4096
"""Numbers of the largest array that is kept."""


def _once(s: Situation, key: Hashable, make: Callable[[], Array]) -> Array:
    found = s.made.get(key)
    if found is None:
        found = np.asarray(make())
        found = found if found.dtype == np.float32 else found.astype(np.float64, copy=False)
        if found.size <= _KEPT:
            s.made[key] = found
    return found


RIGHT = Recipe()
"""No step is wrong. It still loses the tail, as most code does: level stable."""
