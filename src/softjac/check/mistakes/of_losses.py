"""Mistakes in the cross-entropy, in its gradient, and in what both are divided by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from softjac.check.mistakes.of_jacobian import diagonal_matrix, number
from softjac.check.mistakes.plain_calls import OF_LOGITS, OF_PROBABILITIES
from softjac.check.mistakes.recipe import (
    GRADIENTS,
    LOSSES,
    VALUE_AND_GRAD,
    WITH_TARGETS,
    Recipe,
    Situation,
    by_logits,
    gradient_of_loss,
    is_batch,
    jacobian_of_row,
    product_with_jacobian,
    slope_of_loss,
)
from softjac.check.mistakes.table import Entry, Formed, Mistake, Variant
from softjac.check.model import Array


def entry_of_gradient(symbols: str, numbers: Callable[[float, float], str]) -> Entry:
    """What is said of entry j of a gradient, from p[j] and y[j]; P and Y stand for them in the symbols."""

    def entry(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
        if s.kind not in GRADIENTS or len(index) != s.inputs.logits.ndim:
            return None
        made = recipe.run(s)
        if made is None or made.raises or made.arrays[-1].shape != s.inputs.logits.shape:
            return None
        tag = ",".join(map(str, index))
        p, y = recipe.probabilities(s), recipe.targets(s)
        value = float(made.arrays[-1][index])
        words = symbols.replace("P", f"p[{tag}]").replace("Y", f"y[{tag}]")
        rows = len(p) if p.ndim == 2 and s.convention.gradient == "mean" else 1
        of_one = numbers(float(p[index]), float(y[index]))
        if rows > 1:
            return Formed(f"({words})/{rows}", f"({of_one})/{rows}", value)
        return Formed(words, of_one, value)

    return entry


def _negate_gradient(arrays: tuple[Array, ...], _s: Situation) -> tuple[Array, ...]:
    return (*arrays[:-1], -arrays[-1])


def _by_slope(s: Situation) -> bool:
    return s.given_probs and s.convention.wrt == "probs"


def _by_logits(s: Situation) -> bool:
    return not _by_slope(s)


_less_p = entry_of_gradient("Y - P", lambda p, y: f"{number(y)} - {number(p)}")
_over_p = entry_of_gradient("Y/P", lambda p, y: f"{number(y)} / {number(p)}")

GRADIENT_SIGN = Mistake(
    name="gradient-sign",
    title="sign of the gradient: y - p",
    why="the gradient is p - y. y - p points downhill: it is the step to take, not the derivative, and code that "
    "subtracts it climbs.",
    kinds=GRADIENTS,
    level="exercise",
    layer="scale",
    experiment=OF_LOGITS["cross_entropy_grad"],
    experiments={kind: OF_LOGITS[kind] for kind in GRADIENTS},
    experiments_by_probs={kind: OF_PROBABILITIES[kind] for kind in GRADIENTS},
    fix="grad = p - y",
    fix_by_probs="grad = -y / p",
    variants=(
        Variant({"leave": (_negate_gradient,)}, applies=_by_logits),
        Variant(
            {"leave": (_negate_gradient,)},
            applies=_by_slope,
            why="the derivative of -y*log(p) in p is -y/p. With the other sign it points downhill: it is the step to "
            "take, not the derivative, and code that subtracts it climbs.",
        ),
    ),
    entry=lambda s, recipe, index: (_over_p if _by_slope(s) else _less_p)(s, recipe, index),
)


def _sum_of_rows(values: Array, s: Situation) -> Array:
    return values if s.convention.reduction == "none" else np.asarray(values.sum())


def _undivided(gradient: Array, _s: Situation) -> Array:
    return gradient


def _once_divided(gradient: Array, s: Situation) -> Array:
    return np.asarray(gradient / len(s.inputs.logits))


_OF_TWO_ROWS = "print(f(np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([0, 1])))"
_OF_A_MEAN = {
    "cross_entropy_grad": f"{_OF_TWO_ROWS}   # of the mean loss: should be -0.25 and 0.25, and 0.25 and -0.25",
    "cross_entropy_value_and_grad": f"{_OF_TWO_ROWS}   # a mean of 0.6931 has a gradient of -0.25 0.25, 0.25 -0.25",
}
_OF_A_MEAN_BY_PROBS = dict.fromkeys(
    _OF_A_MEAN,
    "print(f(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 1])), f(np.array([[0.5, 0.5]]), np.array([0])))   # the "
    "gradient of a mean of two rows is half that of one",
)
_SAME_ROWS_TWICE = "print(loss([[0.0, 1.0]], [0]), loss([[0.0, 1.0], [0.0, 1.0]], [0, 0]))   # a mean: should be alike"

N_MISSING = Mistake(
    name="n-missing",
    title="1/N missing",
    why="the loss is the mean over N rows, and the gradient (or the loss) is that of their sum: N times too large. "
    "Value and gradient have to be of the same function.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="scale",
    experiment=_OF_A_MEAN["cross_entropy_grad"],
    experiments={**_OF_A_MEAN, "cross_entropy": _SAME_ROWS_TWICE},
    experiments_by_probs=_OF_A_MEAN_BY_PROBS,
    fix="grad = (p - y) / z.shape[0]",
    fixes={"cross_entropy": "return losses.mean()"},
    variants=(
        Variant({"divide": _undivided}, kinds=GRADIENTS, applies=is_batch),
        Variant({"reduce": _sum_of_rows}, kinds=LOSSES, applies=is_batch),
        Variant(
            {"divide": _once_divided},
            kinds=VALUE_AND_GRAD,
            applies=lambda s: is_batch(s) and s.convention.gradient == "sum",
            detail="Here it is the loss that is a sum, beside the gradient of the mean.",
        ),
    ),
)


def _twice_divided(gradient: Array, s: Situation) -> Array:
    return np.asarray(gradient / len(s.inputs.logits) ** 2)


def _mean_divided(values: Array, _s: Situation) -> Array:
    return np.asarray(values.mean() / max(values.size, 1))


N_DOUBLED = Mistake(
    name="n-doubled",
    title="1/N doubled",
    why="the mean is taken already, and the result is divided by the number of rows once more.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="scale",
    experiment=_OF_A_MEAN["cross_entropy_grad"],
    experiments={**_OF_A_MEAN, "cross_entropy": _SAME_ROWS_TWICE},
    experiments_by_probs=_OF_A_MEAN_BY_PROBS,
    fix="Divide by the number of rows once: grad = (p - y) / z.shape[0]",
    variants=(
        Variant({"divide": _twice_divided}, kinds=GRADIENTS, applies=is_batch),
        Variant({"reduce": _mean_divided}, kinds=LOSSES, applies=is_batch),
        Variant({"reduce": _mean_divided, "divide": _twice_divided}, kinds=VALUE_AND_GRAD, applies=is_batch),
    ),
)


def _value_by_classes(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
    return (arrays[0] / s.inputs.n, *arrays[1:]) if s.kind in LOSSES else None


def _gradient_by_classes(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...]:
    return (*arrays[:-1], arrays[-1] / s.inputs.n)


def _all_by_classes(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...]:
    return tuple(a / s.inputs.n for a in arrays)


def _sum_by_classes(gradient: Array, _s: Situation) -> Array:
    return np.asarray(gradient / gradient.shape[-1])


def _sum_of_values_by_classes(values: Array, s: Situation) -> Array:
    return np.asarray(values.sum() / s.inputs.n)


DIVIDED_BY_CLASSES = Mistake(
    name="divided-by-classes",
    title="divided by the number of classes",
    why="np.mean over all entries, or a division by len(z) of one vector, divides by the number of classes. "
    "The loss of a row is a sum over its classes; a mean is taken over rows alone.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="scale",
    experiment="print(f(np.array([0.0, 0.0]), 0))   # the loss should be 0.6931, the gradient -0.5 and 0.5",
    experiments={
        "cross_entropy": "print(f(np.array([0.0, 0.0]), 0))   # should be 0.6931",
        "cross_entropy_grad": "print(f(np.array([0.0, 0.0]), 0))   # should be -0.5 and 0.5",
    },
    experiments_by_probs={"cross_entropy": "print(f(np.array([0.5, 0.5]), 0))   # should be 0.6931"},
    fix="loss = -(y * np.log(p)).sum(axis=-1).mean()\ngrad = (p - y) / N, with N rows",
    variants=(
        Variant({"leave": (_all_by_classes,)}),
        Variant({"leave": (_gradient_by_classes,)}, kinds=VALUE_AND_GRAD),
        Variant({"leave": (_value_by_classes,)}, kinds=VALUE_AND_GRAD),
        Variant({"divide": _sum_by_classes}, kinds=GRADIENTS),
        Variant({"reduce": _sum_of_values_by_classes}, kinds=LOSSES, applies=is_batch),
    ),
)

STOPS_EARLY = Mistake(
    name="stops-at-minus-y-over-p",
    title="stops at -y/p",
    why="-y/p is the derivative of the loss in the probabilities. The gradient in the logits goes on through the "
    "Jacobian of softmax: (-y/p) @ J, which is p - y.",
    kinds=GRADIENTS,
    level="exercise",
    layer="formula",
    experiment="print(grad.sum())   # a gradient in the logits sums to 0, for targets that sum to 1",
    fix="grad = p - y",
    variants=(
        Variant({"gradient": slope_of_loss}, applies=by_logits),
        Variant({"gradient": lambda p, y: -y / p}, applies=by_logits),
        Variant(
            {"gradient": lambda p, y: y / p},
            applies=by_logits,
            detail="And without its minus: y/p.",
        ),
        Variant(
            {"gradient": lambda p, _y: -1 / p},
            applies=by_logits,
            detail="And for all classes, not only for the label.",
        ),
    ),
    entry=entry_of_gradient("-Y/P", lambda p, y: f"{number(-y)} / {number(p)}"),
)


def _chain(jacobian: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    def gradient(p: Array, y: Array) -> Array:
        delta = gradient_of_loss(p, y)
        if p.ndim == 1:
            return np.asarray(delta @ jacobian(p))
        return np.stack([d @ jacobian(row) for d, row in zip(delta, p, strict=True)])

    return gradient


def _product_twice(p: Array, g: Array) -> Array:
    return product_with_jacobian(p, product_with_jacobian(p, g))


EXTRA_JACOBIAN = Mistake(
    name="extra-jacobian",
    title="an extra Jacobian",
    why="p - y is the gradient in the logits already: the Jacobian of softmax has been used to get there. Multiplying "
    "by it (or by p*(1 - p)) once more takes the derivative of softmax twice.",
    whys={
        "softmax_vjp": "the product is J @ g, with one J for one softmax; here it is J @ (J @ g).",
        "softmax_jacobian": "one softmax has one J. J @ J would be that of a softmax of a softmax, were its two "
        "Jacobians not at different logits.",
    },
    kinds=GRADIENTS | {"softmax_vjp", "softmax_jacobian"},
    level="exercise",
    layer="formula",
    experiment="print(grad(np.array([0.0, 9.0]), 0))   # should be near -1 and 1",
    experiments={
        "softmax_vjp": "print(f(np.array([0.0, 1.0]), np.array([1.0, 0.0])))   # should be 0.1966 and -0.1966",
        "softmax_jacobian": "print(f(np.array([0.0, 1.0])))   # should be 0.1966 and -0.1966",
    },
    fix="grad = p - y",
    fixes={
        "softmax_vjp": "dz = p * (g - (p * g).sum(axis=-1, keepdims=True))",
        "softmax_jacobian": "J = np.diag(p) - np.outer(p, p)",
    },
    variants=(
        Variant({"vjp": _product_twice}, frozenset({"softmax_vjp"})),
        Variant({"jacobian": lambda p: jacobian_of_row(p) @ jacobian_of_row(p)}, frozenset({"softmax_jacobian"})),
        Variant({"gradient": _chain(jacobian_of_row)}),
        Variant({"gradient": _chain(diagonal_matrix)}, detail="Here it is its diagonal, p*(1 - p)."),
        Variant(
            {"gradient": lambda p, y: -product_with_jacobian(p, gradient_of_loss(p, y))},
            detail="And the sign is turned.",
        ),
        Variant({"gradient": lambda p, y: p * gradient_of_loss(p, y)}, detail="Here it is p alone: p*(p - y)."),
    ),
)

DIAGONAL_AS_GRADIENT = Mistake(
    name="diagonal-as-gradient",
    title="the diagonal of J used as the gradient",
    why="p*(1 - p) is the diagonal of the Jacobian, the change of p[j] by its own logit. The loss depends on z[j] "
    "through every p[i], so that all of J is needed: (-y/p) @ J, which is p - y.",
    kinds=GRADIENTS,
    level="exercise",
    layer="formula",
    experiment="print(grad.sum())   # a gradient in the logits sums to 0, for targets that sum to 1",
    fix="grad = p - y",
    variants=(
        Variant({"gradient": lambda p, y: -y / p * (p * (1 - p))}),
        Variant({"gradient": lambda p, y: -y * (1 - p)}),
        Variant({"gradient": lambda p, _y: p * (1 - p)}, detail="Here the targets are not in it at all."),
        Variant({"jacobian": diagonal_matrix, "through": "g @ J"}),
    ),
)


def binary_value(log_p: Array, p: Array, y: Array) -> Array:
    """-sum(y log p + (1 - y) log(1 - p))."""
    return np.asarray(-(y * log_p + (1 - y) * np.log(1 - p)).sum(axis=-1))


def _careful_binary_value(log_p: Array, p: Array, y: Array) -> Array:
    """The same, with 0 log 0 = 0."""
    others = np.where(y == 1, 0.0, (1 - y) * np.log(1 - p))
    return np.asarray(-(np.where(y == 0, 0.0, y * log_p) + others).sum(axis=-1))


def binary_slope(p: Array, y: Array) -> Array:
    """Its derivative in p."""
    return np.asarray((p - y) / (p * (1 - p)))


def _mean_of_classes(value: Callable[..., Array]) -> Callable[..., Array]:
    return lambda log_p, p, y: np.asarray(value(log_p, p, y) / p.shape[-1])


def _binary_slope_by_classes(p: Array, y: Array) -> Array:
    return np.asarray(binary_slope(p, y) / p.shape[-1])


_BY_CLASSES = "Here it is a mean over the classes."

BINARY = Mistake(
    name="binary-cross-entropy",
    title="binary cross-entropy on the output of softmax",
    why="(1 - y)*log(1 - p) is the second half of a loss for one probability, with two outcomes. With n classes, "
    "of which one is right, the loss is -sum(y*log(p)), and its derivative in p is -y/p.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(loss(np.array([0.0, 0.0, 0.0]), 0))   # should be 1.0986",
    experiments={"cross_entropy_grad": "print(grad(np.array([0.0, 0.0, 0.0]), 0))   # should be -0.6667 0.3333 0.3333"},
    experiments_by_probs={
        "cross_entropy": "print(loss(np.array([0.2, 0.3, 0.5]), 2))   # should be 0.6931",
        "cross_entropy_grad": "print(grad(np.array([0.2, 0.3, 0.5]), 2))   # should be 0, 0 and -2",
        "cross_entropy_value_and_grad": "print(f(np.array([0.2, 0.3, 0.5]), 2))   # should be 0.6931, and 0 0 -2",
    },
    fix="loss = -(y * np.log(p)).sum(axis=-1)",
    fixes={"cross_entropy_grad": "grad = p - y   # in the logits; -y/p in the probabilities"},
    variants=(
        Variant({"value": binary_value}, kinds=LOSSES),
        Variant({"value": _careful_binary_value}, kinds=LOSSES),
        Variant({"value": _mean_of_classes(binary_value)}, kinds=LOSSES, detail=_BY_CLASSES),
        Variant({"value": _mean_of_classes(_careful_binary_value)}, kinds=LOSSES, detail=_BY_CLASSES),
        Variant({"slope": binary_slope, "through": "g @ J"}, kinds=GRADIENTS),
        Variant({"slope": _binary_slope_by_classes, "through": "g @ J"}, kinds=GRADIENTS),
        Variant({"slope": binary_slope, "through": "g @ J", "value": binary_value}, kinds=VALUE_AND_GRAD),
        Variant({"gradient": binary_slope}, kinds=GRADIENTS, detail="Here the derivative in p is the result."),
    ),
)


MISTAKES = (
    GRADIENT_SIGN,
    STOPS_EARLY,
    EXTRA_JACOBIAN,
    DIAGONAL_AS_GRADIENT,
    BINARY,
    N_MISSING,
    N_DOUBLED,
    DIVIDED_BY_CLASSES,
)
