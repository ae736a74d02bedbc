"""Losses that are not the cross-entropy: operands exchanged, no logarithm, no targets, squares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from softjac.check.mistakes.recipe import GRADIENTS, LOSSES, WITH_TARGETS
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array


def _exchanged(eps: float | None) -> Callable[[Array, Array, Array], Array]:
    def value(_log_p: Array, p: Array, y: Array) -> Array:
        return np.asarray(-(p * np.log(y if eps is None else y + eps)).sum(axis=-1))

    return value


def _exchanges() -> Iterator[Variant]:
    yield Variant({"value": _exchanged(None)})
    for exponent in (-3, -5, -6, -7, -8, -9, -10, -12, -14, -15, -16, -20):
        yield Variant({"value": _exchanged(10.0**exponent)}, detail=f"Here 1e{exponent} is added to the targets.")


EXCHANGED = Mistake(
    name="targets-in-logarithm",
    title="the logarithm of the targets",
    why="-sum(p*log(y)) has its two operands exchanged: the logarithm belongs to the probabilities. log(0) of a "
    "one-hot target is -inf.",
    kinds=LOSSES,
    level="exercise",
    layer="formula",
    experiment="print(loss(np.array([0.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0])))   # should be 1.0986",
    fix="loss = -(y * np.log(p)).sum(axis=-1)",
    variants=tuple(_exchanges()),
)


def _without_logarithm(_log_p: Array, p: Array, y: Array) -> Array:
    return np.asarray(-(y * p).sum(axis=-1))


def _one_minus(_log_p: Array, p: Array, y: Array) -> Array:
    return np.asarray((y * (1 - p)).sum(axis=-1))


NO_LOGARITHM = Mistake(
    name="logarithm-missing",
    title="no logarithm",
    why="-p[y] (or 1 - p[y]) is between -1 and 1 however wrong the prediction is. The cross-entropy is -log(p[y]): it "
    "grows without bound as p[y] goes to 0, and that is what makes its gradient p - y.",
    kinds=LOSSES,
    level="exercise",
    layer="formula",
    experiment="print(loss([0.0, 20.0], 0))   # should be 20.0000",
    fix="loss = -np.log(p[y])",
    variants=(Variant({"value": _without_logarithm}), Variant({"value": _one_minus})),
)


def _all_logarithms(log_p: Array, _p: Array, _y: Array) -> Array:
    return np.asarray(-log_p.sum(axis=-1))


def _mean_logarithm(log_p: Array, _p: Array, _y: Array) -> Array:
    return np.asarray(-log_p.mean(axis=-1))


def _only_p(p: Array, _y: Array) -> Array:
    return np.asarray(p)


TARGETS_UNUSED = Mistake(
    name="targets-unused",
    title="the targets are not used",
    why="the result is the same whatever the label is: all logarithms are added up, or the gradient is p and not "
    "p - y. Only the class of the label counts.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(f(z, 0), f(z, 1))   # should differ",
    fix="loss = -np.log(p[y])",
    fixes={"cross_entropy_grad": "grad = p - y"},
    variants=(
        Variant({"value": _all_logarithms}, LOSSES),
        Variant({"value": _mean_logarithm}, LOSSES),
        Variant({"gradient": _only_p}, GRADIENTS),
    ),
)


def _squares(scale: float, *, by_classes: bool = False) -> Callable[[Array, Array, Array], Array]:
    def value(_log_p: Array, p: Array, y: Array) -> Array:
        return np.asarray(scale * ((p - y) ** 2).sum(axis=-1) / (p.shape[-1] if by_classes else 1))

    return value


def _gradient_of_squares(scale: float, *, through: bool) -> Callable[[Array, Array], Array]:
    def gradient(p: Array, y: Array) -> Array:
        d = 2 * scale * (p - y)
        return np.asarray(p * (d - (p * d).sum(axis=-1, keepdims=True)) if through else d)

    return gradient


SQUARED_ERROR = Mistake(
    name="squared-error",
    title="squared error in place of cross-entropy",
    why="(p - y)**2 is another loss: it is at most 2 for one row, and its gradient p*(d - sum(p*d)), d = 2(p - y), "
    "vanishes where the prediction is confident and wrong.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(loss(np.array([0.0, 0.0, 0.0]), 0))   # should be 1.0986",
    experiments={"cross_entropy_grad": "print(grad(np.array([0.0, 9.0]), 0))   # should be near -1 and 1"},
    fix="loss = -(y * np.log(p)).sum(axis=-1)",
    fixes={"cross_entropy_grad": "grad = p - y"},
    variants=(
        Variant({"value": _squares(1.0)}, LOSSES),
        Variant({"value": _squares(0.5)}, LOSSES),
        Variant({"value": _squares(1.0, by_classes=True)}, LOSSES),
        Variant({"gradient": _gradient_of_squares(1.0, through=False)}, GRADIENTS),
        Variant({"gradient": _gradient_of_squares(1.0, through=True)}, GRADIENTS),
    ),
)

MISTAKES = (EXCHANGED, NO_LOGARITHM, TARGETS_UNUSED, SQUARED_ERROR)
