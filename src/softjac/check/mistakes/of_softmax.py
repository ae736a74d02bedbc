"""Mistakes in softmax itself: its shift, its sum, its base, and how often it is applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.plain_calls import OF_LOGITS
from softjac.check.mistakes.recipe import (
    ALL_KINDS,
    GRADIENTS,
    LOSSES,
    WITH_LOGARITHM,
    is_batch,
    jacobian_of_row,
    product_with_jacobian,
    shifted_logsumexp,
    shifted_softmax,
)
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array

_LSE = frozenset({"logsumexp"})
_LOG = frozenset({"log_softmax"}) | LOSSES


def both_routes(steps: dict[str, Any], **about: Any) -> Iterator[Variant]:
    """The steps with log p as z - logsumexp(z), and as the logarithm of the probabilities."""
    yield Variant(steps, **about)
    kinds = about.pop("kinds", _LOG) & _LOG
    yield Variant({**steps, "by_logsumexp": False}, kinds=kinds, **about)


def quotient(shift: Callable[[Array], Array], total: Callable[[Array], Array]) -> dict[str, Any]:
    """Steps of softmax and logsumexp with a shift m(z) that is subtracted and a sum of e."""

    def softmax(z: Array) -> Array:
        e = np.exp(z - shift(z))
        return np.asarray(e / total(e))

    def logsumexp(z: Array) -> Array:
        m = shift(z)
        full = np.log(total(np.exp(z - m))) + m
        return np.asarray(np.broadcast_to(full, z.shape)[..., 0])

    return {"softmax": softmax, "logsumexp": logsumexp}


def no_shift(z: Array) -> Array:
    """Nothing is subtracted."""
    return np.zeros((1,) * z.ndim, z.dtype)


def row_max(z: Array) -> Array:
    """The largest logit of each row."""
    return np.asarray(z.max(axis=-1, keepdims=True))


def _row_min(z: Array) -> Array:
    return np.asarray(z.min(axis=-1, keepdims=True))


def _row_mean(z: Array) -> Array:
    return np.asarray(z.mean(axis=-1, keepdims=True))


def whole_max(z: Array) -> Array:
    """The largest logit of all."""
    return np.asarray(z.max(keepdims=True))


def row_sum(e: Array) -> Array:
    """The sum of each row."""
    return np.asarray(e.sum(axis=-1, keepdims=True))


NO_MAXIMUM = Mistake(
    name="no-maximum-subtracted",
    title="no maximum subtracted",
    why="exp(z) overflows to inf for a logit above 709 and underflows to 0 below -745; inf/inf and 0/0 are NaN. "
    "Subtracting the largest logit first changes nothing on paper, and no exponential exceeds 1.",
    kinds=ALL_KINDS,
    level="stable",
    layer="softmax",
    experiment="print(np.exp(1000.0), np.exp(1000.0) / np.exp(1000.0))",
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))\np = e / e.sum(axis=-1, keepdims=True)",
    fixes={"logsumexp": "m = z.max(axis=-1, keepdims=True)\nreturn np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]"},
    variants=(
        *both_routes(quotient(no_shift, row_sum)),
        *both_routes(quotient(_row_min, row_sum), detail="Here the smallest is subtracted, and not the largest."),
        *both_routes(quotient(_row_mean, row_sum), detail="Here the mean is subtracted, and not the largest."),
    ),
)

BATCH_MAXIMUM = Mistake(
    name="batch-maximum",
    title="the maximum of the whole batch subtracted",
    why="z.max() without an axis is the largest logit of all rows. In a row that lies 900 below it every exponential "
    "underflows to 0, and 0/0 is NaN. Each row needs its own maximum.",
    kinds=ALL_KINDS,
    level="stable",
    layer="softmax",
    experiment="print(z[0] - z.max(), z[1] - z.max())   # for z = [[0, 1], [900, 901]]: their exponentials?",
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))",
    variants=tuple(both_routes(quotient(whole_max, row_sum), applies=is_batch)),
)


def _twice(z: Array) -> Array:
    return shifted_softmax(shifted_softmax(z))


def _gradient_through_both(p: Array, y: Array) -> Array:
    """Of the loss of softmax(softmax(z)), all the way back to z: p are the probabilities after one softmax."""
    outer = shifted_softmax(p)
    return product_with_jacobian(p, outer * y.sum(axis=-1, keepdims=True) - y)


def _jacobian_through_both(p: Array) -> Array:
    return np.asarray(jacobian_of_row(shifted_softmax(p)) @ jacobian_of_row(p))


def _product_through_both(p: Array, g: Array) -> Array:
    return product_with_jacobian(p, product_with_jacobian(shifted_softmax(p), g))


def _lse_of_softmax(z: Array) -> Array:
    return shifted_logsumexp(shifted_softmax(z))


def _value_of_two(_log_p: Array, p: Array, y: Array) -> Array:
    return np.asarray(-(y * np.log(shifted_softmax(p))).sum(axis=-1))


TWICE = Mistake(
    name="softmax-twice",
    title="softmax applied twice",
    why="softmax is applied to what are probabilities already. The result sums to 1 as well, but it is much flatter: "
    "the largest of n probabilities cannot exceed e/(e + n - 1).",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(softmax([0.0, 0.0, 50.0]))   # the last should be 1, not 0.5761",
    fix="Apply softmax once, to the logits. A loss that takes logits applies it itself.",
    variants=(
        Variant({"softmax": _twice, "on_probs": shifted_softmax, "by_logsumexp": False}),
        Variant({"logsumexp": _lse_of_softmax}, kinds=_LSE),
        Variant(
            {"gradient": _gradient_through_both, "value": _value_of_two},
            kinds=GRADIENTS,
            detail="Here the gradient goes back through both.",
        ),
        Variant(
            {"jacobian": _jacobian_through_both, "vjp": _product_through_both},
            kinds=frozenset({"softmax_jacobian", "softmax_vjp"}),
            detail="Here the derivative goes back through both.",
        ),
    ),
)


def _softmax_of_base(base: float) -> Callable[[Array], Array]:
    def softmax(z: Array) -> Array:
        e = base ** (z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    return softmax


def _lse_of_base(base: float, inner: float | None) -> Callable[[Array], Array]:
    scale = 1.0 if inner is None else np.log(inner)
    return lambda z: np.asarray(shifted_logsumexp(z * scale) / np.log(base))


def _lse_of_shift(base: float) -> Callable[[Array], Array]:
    """Shift + log of another base: only the logarithm of the sum is of that base."""
    return lambda z: np.asarray(z.max(axis=-1) + (shifted_logsumexp(z) - z.max(axis=-1)) / np.log(base))


def _log_of_base(base: float) -> Callable[[Array], Array]:
    return lambda p: np.asarray(np.log(p) / np.log(base))


def _scaled_gradient(base: float) -> Callable[[Array, Array], Array]:
    return lambda p, y: np.asarray((p * y.sum(axis=-1, keepdims=True) - y) / np.log(base))


def _scaled_slope(base: float) -> Callable[[Array, Array], Array]:
    return lambda p, y: np.asarray(-y / (p * np.log(base)))


def _bases() -> Iterator[Variant]:
    for e in (2.718, 2.7183, 2.71828, 2.718282):
        steps = {"softmax": _softmax_of_base(e), "logsumexp": _lse_of_base(np.e, e)}
        yield Variant(steps, detail=f"Here {e} stands for e: it is 2.718281828459045, math.e.", level="exact")
    for base in (2.0, 10.0):
        of_log = f"Here the logarithm is log{base:g}; it is the natural one over ln({base:g}) = {np.log(base):.4f}."
        of_power = f"Here {base:g}**z stands for exp(z)."
        log = _log_of_base(base)
        softmax = _softmax_of_base(base)
        exact = {"softmax": softmax, "logsumexp": _lse_of_base(np.e, base)}
        yield from both_routes(exact, detail=of_power)
        yield Variant({"log": log, "by_logsumexp": False}, kinds=WITH_LOGARITHM, detail=of_log)
        for lse in (_lse_of_shift(base), _lse_of_base(base, None), _lse_of_base(base, base)):
            yield Variant({"logsumexp": lse}, kinds=frozenset({"logsumexp", "log_softmax"}) | LOSSES, detail=of_log)
        yield Variant(
            {"log": log, "softmax": softmax, "by_logsumexp": False},
            kinds=WITH_LOGARITHM,
            detail=f"Here both the powers and the logarithm are of base {base:g}.",
        )
        yield Variant(
            {"log": log, "by_logsumexp": False, "gradient": _scaled_gradient(base), "slope": _scaled_slope(base)},
            kinds=GRADIENTS,
            detail=f"{of_log[:-1]}, and so is the gradient.",
        )


BASE = Mistake(
    name="logarithm-base",
    title="logarithm or power of another base",
    why="softmax and cross-entropy are made of e**z and the natural logarithm; in another base they are other numbers, "
    "and the gradient of that loss has a factor 1/ln(base). np.log is natural; log2 and log10 are not.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(f(np.array([0.0, 1.0])))   # should be 0.2689 and 0.7311",
    experiments=OF_LOGITS,
    experiments_by_probs=dict.fromkeys(LOSSES, "print(f(np.array([0.5, 0.5]), 0))   # the loss should be 0.6931"),
    fix="Use np.exp (math.exp) for the powers and np.log (math.log with one argument) for the logarithm.",
    variants=tuple(_bases()),
)


def _without_maximum(z: Array) -> Array:
    return np.asarray(shifted_logsumexp(z) - z.max(axis=-1))


NOT_ADDED_BACK = Mistake(
    name="maximum-not-added-back",
    title="the maximum is not added back",
    why="the largest logit m was subtracted before the exponentials, but the result is log(sum(exp(z - m))) without "
    "+ m. In softmax the shift cancels; in a log-sum-exp it does not.",
    kinds=frozenset({"logsumexp", "log_softmax"}) | LOSSES,
    level="exercise",
    layer="softmax",
    experiment="print(logsumexp([0.0, 0.0]), logsumexp([5.0, 5.0]))   # should differ by 5",
    fix="m = z.max(axis=-1, keepdims=True)\nreturn np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]",
    variants=(
        Variant({"logsumexp": _without_maximum}),
        Variant(
            {"logsumexp": lambda z: _without_maximum(z) - z.max(axis=-1)},
            detail="Here it is subtracted once more, where it has to be added.",
        ),
    ),
)


MISTAKES = (NO_MAXIMUM, BATCH_MAXIMUM, TWICE, BASE, NOT_ADDED_BACK)
