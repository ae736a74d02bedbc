"""Losses that are not the cross-entropy: operands exchanged, no logarithm, no targets, squares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from softjac.check.mistakes.recipe import (
    GRADIENTS,
    LOSSES,
    VALUE_AND_GRAD,
    WITH_TARGETS,
    Situation,
    by_logits,
    own_targets,
    reduced,
)
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


_LSE, _LOG_SOFTMAX = frozenset({"logsumexp"}), frozenset({"log_softmax"})


def _unchanged(p: Array) -> Array:
    return p


def _sum_of_exponentials(z: Array) -> Array:
    return np.asarray(np.exp(z).sum(axis=-1))


def _shifted_sum(z: Array) -> Array:
    m = z.max(axis=-1)
    return np.asarray(m + np.exp(z - m[..., None]).sum(axis=-1))


NO_LOGARITHM = Mistake(
    name="logarithm-missing",
    title="no logarithm",
    why="-p[y] (or 1 - p[y]) is between -1 and 1 however wrong the prediction is. The cross-entropy is -log(p[y]): it "
    "grows without bound as p[y] goes to 0, and that is what makes its gradient p - y.",
    kinds=LOSSES | _LSE | _LOG_SOFTMAX,
    level="exercise",
    layer="formula",
    experiment="print(loss([0.0, 20.0], 0))   # should be 20.0000",
    fix="loss = -np.log(p[y])",
    whys={
        "logsumexp": "sum(exp(z)) is the normaliser itself; what is asked for is its logarithm.",
        "log_softmax": "what is asked for is log p = z - log(sum(exp(z))), and the logarithm is not there.",
    },
    experiments={
        "logsumexp": "print(logsumexp([0.0, 0.0]))   # should be 0.6931",
        "log_softmax": "print(log_softmax([0.0, 0.0]))   # should be -0.6931 and -0.6931",
    },
    fixes={
        "logsumexp": "m = z.max(axis=-1, keepdims=True)\nreturn np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]",
        "log_softmax": "return z - logsumexp(z)",
    },
    variants=(
        Variant({"value": _without_logarithm}, LOSSES),
        Variant({"value": _one_minus}, LOSSES),
        Variant({"log": _unchanged, "by_logsumexp": False}, _LOG_SOFTMAX, detail="Here it is softmax itself."),
        Variant({"logsumexp": _sum_of_exponentials}, _LSE | _LOG_SOFTMAX | LOSSES, detail="Here it is sum(exp(z))."),
        Variant({"logsumexp": _shifted_sum}, _LSE | _LOG_SOFTMAX | LOSSES, detail="Here it is m + sum(exp(z - m))."),
        Variant({"logsumexp": lambda z: _shifted_sum(z) - z.max(axis=-1)}, _LSE, detail="Here it is sum(exp(z - m))."),
    ),
)


def _log_of_sum(_log_p: Array, p: Array, y: Array) -> Array:
    return np.asarray(-np.log((y * p).sum(axis=-1)))


LOG_OF_SUM = Mistake(
    name="logarithm-of-sum",
    title="the logarithm of the sum, not the sum of the logarithms",
    why="-log(sum(y*p)) is -sum(y*log(p)) where y is one-hot, and there alone. In a distribution every probability "
    "has a logarithm of its own.",
    kinds=LOSSES,
    level="exercise",
    layer="formula",
    experiment="print(loss(np.array([0.0, 1.0]), np.array([0.5, 0.5])))   # should be 0.8133",
    experiments_by_probs={
        "cross_entropy": "print(f(np.array([0.2, 0.8]), np.array([0.5, 0.5])))   # should be 0.9163",
        "cross_entropy_value_and_grad": "print(loss(np.array([0.2, 0.8]), np.array([0.5, 0.5])))   # should be 0.9163",
    },
    fix="loss = -(y * log_p).sum(axis=-1)",
    variants=(Variant({"value": _log_of_sum}),),
)


def _all_logarithms(log_p: Array, _p: Array, _y: Array) -> Array:
    return np.asarray(-log_p.sum(axis=-1))


def _mean_logarithm(log_p: Array, _p: Array, _y: Array) -> Array:
    return np.asarray(-log_p.mean(axis=-1))


def _only_p(p: Array, _y: Array) -> Array:
    return np.asarray(p)


def _entropy(log_p: Array, p: Array, _y: Array) -> Array:
    return np.asarray(-np.where(p == 0, 0.0, p * log_p).sum(axis=-1))


def _product_of_p(log_p: Array, p: Array, _y: Array) -> Array:
    return np.asarray(-(p * log_p).sum(axis=-1))


_ENTROPY = "Here it is the entropy of p itself, -sum(p*log(p))."
_LARGEST = "Here the class with the largest probability, argmax(p), is in place of the label."


def _of_largest(log_p: Array, _p: Array, _y: Array) -> Array:
    return np.asarray(-log_p.max(axis=-1))


def _less_largest(p: Array, _y: Array) -> Array:
    return np.asarray(p - np.eye(p.shape[-1])[p.argmax(axis=-1)])


def logit_of_label(s: Situation) -> Array | None:
    """The logits of the labels, reduced as the losses are; None where one is inf, or targets do not sum to 1."""
    y, z = own_targets(s), s.inputs.logits
    at_label = np.where(y == 0, 0.0, y * z).sum(axis=-1)
    is_known = np.isfinite(at_label).all() and np.allclose(y.sum(axis=-1), 1)
    return reduced(at_label, s) if is_known else None


def _without_logit(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
    at_label = logit_of_label(s)
    return None if at_label is None else (np.asarray(arrays[0] + at_label), *arrays[1:])


TARGETS_UNUSED = Mistake(
    name="targets-unused",
    title="the targets are not used",
    why="the result is the same whatever the label is: all logarithms are added up, or the gradient is p and not "
    "p - y. Only the class of the label counts.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(f(np.array([0.0, 1.0]), 0), f(np.array([0.0, 1.0]), 1))   # should differ",
    fix="loss = -np.log(p[y])",
    fixes={"cross_entropy_grad": "grad = p - y"},
    variants=(
        Variant({"value": _all_logarithms}, LOSSES),
        Variant({"value": _mean_logarithm}, LOSSES),
        Variant({"gradient": _only_p}, GRADIENTS),
        Variant({"gradient": lambda p, _y: np.asarray(p - 1)}, GRADIENTS, detail="Here 1 is subtracted everywhere."),
        Variant({"value": _entropy}, LOSSES, detail=_ENTROPY),
        Variant({"value": _product_of_p, "by_logsumexp": False}, LOSSES, detail=_ENTROPY),
        Variant({"value": _of_largest}, LOSSES, detail=_LARGEST),
        Variant({"gradient": _less_largest}, GRADIENTS, detail=_LARGEST),
        Variant({"value": _of_largest, "gradient": _less_largest}, VALUE_AND_GRAD, detail=_LARGEST),
        Variant({"leave": (_without_logit,)}, LOSSES, by_logits, detail="Here it is log(sum(exp(z))), without z[y]."),
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

MISTAKES = (EXCHANGED, NO_LOGARITHM, LOG_OF_SUM, TARGETS_UNUSED, SQUARED_ERROR)
