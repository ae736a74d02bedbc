"""Targets that were smoothed: the loss of other targets than those that were passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.recipe import (
    GRADIENTS,
    LOSSES,
    VALUE_AND_GRAD,
    WITH_TARGETS,
    Situation,
    own_targets,
    value_of_loss,
)
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array

AMOUNTS = (0.1, 0.2, 0.05, 0.01)


def _over_all(y: Array, a: float) -> Array:
    return np.asarray(y * (1 - a) + a / y.shape[-1])


def _over_others(y: Array, a: float) -> Array:
    """To the other classes alone: 1 - a at the label, a/(n - 1) elsewhere."""
    n = y.shape[-1]
    return np.asarray(y * (1 - a) + (1 - y) * (a / (n - 1) if n > 1 else 0.0))


def _steps(smooth: Callable[[Array, float], Array], a: float) -> dict[str, Any]:
    return {"targets": lambda s: smooth(own_targets(s), a)}


def _value(smooth: Callable[[Array, float], Array], a: float) -> dict[str, Any]:
    """The loss alone, beside a gradient of the targets as they are."""
    return {"value": lambda log_p, p, y: value_of_loss(log_p, p, smooth(y, a))}


def smoothings(amounts: tuple[float, ...]) -> Iterator[Variant]:
    """Targets smoothed by each of these amounts, over all classes or over all others."""
    for a in amounts:
        for smooth, formula in (
            (_over_all, "y*(1 - a) + a/n"),
            (_over_others, "1 - a at the label and a/(n - 1) elsewhere"),
        ):
            detail = f"Here they are {formula}, with a = {a:.3g}."
            yield Variant(_steps(smooth, a), WITH_TARGETS, detail=detail)
            beside = f"{detail} Its gradient is that of the targets as they were passed."
            yield Variant(_value(smooth, a), VALUE_AND_GRAD, detail=beside)


SMOOTHED = Mistake(
    name="smoothed-targets",
    title="the targets are smoothed",
    why="label smoothing takes a part of the 1 from the label and gives it to all classes. That is the cross-entropy "
    "of other targets than those that were passed: it is a choice for training, and not part of the loss.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(f(np.array([0.0, 20.0]), 1))   # the loss should be near 0",
    experiments={"cross_entropy_grad": "print(grad(np.array([0.0, 20.0]), 1))   # both numbers should be near 0"},
    experiments_by_probs={
        "cross_entropy": "print(f(np.array([0.001, 0.999]), 1))   # should be 0.0010",
        "cross_entropy_grad": "print(grad(np.array([0.5, 0.5]), 1))   # should be 0 and -2",
        "cross_entropy_value_and_grad": "print(f(np.array([0.5, 0.5]), 1))   # should be 0.6931, and 0 -2",
    },
    fix="Leave the smoothing out, or smooth the targets before the call.",
    variants=tuple(smoothings(AMOUNTS)),
)


def amounts_from(result: Array, truth: Array, s: Situation) -> tuple[float, ...]:
    """The amounts that explain one wrong result, were it one of smoothed targets: it is linear in them.

    result, truth: the loss of one row, or its gradient in the logits.
    """
    y, p = s.inputs.targets, s.inputs.probs
    if y is None or s.inputs.is_batch or s.given_probs or y.shape[-1] < 2 or y.sum() != 1 or y.max() != 1:
        return ()
    n = y.shape[-1]
    with np.errstate(all="ignore"):
        uniform = -np.log(p).mean() if s.kind in LOSSES else p - 1 / n
        share = (result - truth) / (uniform - truth)
    a = float(np.ravel(share)[0])
    if s.kind not in GRADIENTS | LOSSES or not np.isfinite(a) or not 1e-6 < a < 1:
        return ()
    return tuple(round(x, 9) for x in (a, a * (n - 1) / n))


MISTAKES = (SMOOTHED,)
