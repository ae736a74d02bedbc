"""Mistakes in the sums: another denominator, a mean in place of a sum, a loop that leaves one out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.of_jacobian import JACOBIAN, VJP
from softjac.check.mistakes.recipe import (
    ALL_KINDS,
    GRADIENTS,
    LOSSES,
    WITH_JACOBIAN,
    Leave,
    Recipe,
    Situation,
    is_batch,
    jacobian_of_row,
    value_of_loss,
)
from softjac.check.mistakes.table import Formed, Mistake, Variant
from softjac.check.model import Array

_LSE = frozenset({"logsumexp"})
_LOG = frozenset({"log_softmax"}) | LOSSES
_SOFTMAX = ALL_KINDS - _LSE


def _shifted(z: Array) -> Array:
    return np.asarray(z - z.max(axis=-1, keepdims=True))


def _over(above: Callable[[Array], Array], below: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda z: np.asarray(above(z) / below(z))


def _exp(z: Array) -> Array:
    return np.exp(z)


def _exp_of_shifted(z: Array) -> Array:
    return np.exp(_shifted(z))


def _sum(of: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda z: np.asarray(of(z).sum(axis=-1, keepdims=True))


def _largest(of: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda z: np.asarray(of(z).max(axis=-1, keepdims=True))


def _norm(z: Array) -> Array:
    return np.asarray(np.linalg.norm(_exp_of_shifted(z), axis=-1, keepdims=True))


def _sum_of_others(z: Array) -> Array:
    e = _exp_of_shifted(z)
    return np.asarray(e.sum(axis=-1, keepdims=True) - e)


def _denominators() -> Iterator[Variant]:
    shifted_above = "Here the maximum is subtracted above the line and not below it."
    shifted_below = "Here the maximum is subtracted below the line and not above it."
    for softmax, detail in (
        (_exp_of_shifted, "Here nothing is divided: exp(z - max(z)) is the result."),
        (_exp, "Here nothing is divided: exp(z) is the result."),
        (_over(_exp_of_shifted, _largest(_exp_of_shifted)), "Here they are divided by the largest."),
        (_over(_exp_of_shifted, _norm), "Here they are divided by the root of the sum of their squares."),
        (_over(_exp, _sum(lambda z: z)), "Here they are divided by the sum of the logits."),
        (_over(_exp_of_shifted, _sum(_shifted)), "Here they are divided by the sum of the shifted logits."),
        (_over(_exp, lambda z: np.exp(z.sum(axis=-1, keepdims=True))), "Here they are divided by exp(sum(z))."),
        (_over(_exp_of_shifted, _sum_of_others), "Here they are divided by the sum of all other exponentials."),
        (_over(_exp_of_shifted, _sum(_exp)), shifted_above),
        (_over(_exp, _sum(_exp_of_shifted)), shifted_below),
    ):
        yield Variant({"softmax": softmax, "by_logsumexp": False}, detail=detail)


def _share(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    """What is returned for p, as a number of the denominator that it has."""
    if s.kind != "softmax" or len(index) != s.inputs.logits.ndim:
        return None
    value = float(recipe.probabilities(s)[index])
    e = float(np.exp(s.inputs.logits[index]))
    if not np.isfinite(value) or value == 0 or not 1e-3 < abs(e / value) < 1e6:
        return None
    tag = ",".join(map(str, index))
    return Formed(f"exp(z[{tag}])/d, d = {e / value:.4f}", f"{e:.4f}/{e / value:.4f}", value)


DENOMINATOR = Mistake(
    name="wrong-denominator",
    title="another denominator than the sum of the exponentials",
    why="only exp(z) / sum(exp(z)) sums to 1, with the same shift above and below the line.",
    kinds=_SOFTMAX,
    level="exercise",
    layer="softmax",
    experiment="print(p.sum(axis=-1))   # should be 1",
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))\np = e / e.sum(axis=-1, keepdims=True)",
    variants=tuple(_denominators()),
    entry=_share,
)


_OF_SOFTMAX = frozenset({"softmax", "log_softmax", "softmax_jacobian"})


def _by_mean(z: Array) -> Array:
    e = _exp_of_shifted(z)
    return np.asarray(e / e.mean(axis=-1, keepdims=True))


def _log_of_mean(z: Array) -> Array:
    return np.asarray(np.log(_exp_of_shifted(z).mean(axis=-1)) + z.max(axis=-1))


def _mean_under_nothing(p: Array, g: Array) -> Array:
    return np.asarray(p * (g - (p * g).mean(axis=-1, keepdims=True)))


MEAN_FOR_SUM = Mistake(
    name="mean-for-sum",
    title="a mean in place of the sum",
    why="np.mean divides by the number of classes: e / mean(e) sums to n and not to 1, and log(mean(exp(z))) is "
    "log(n) too small.",
    kinds=_OF_SOFTMAX | _LSE | VJP | LOSSES,
    level="exercise",
    layer="softmax",
    experiment="print(softmax(np.array([0.0, 0.0])).sum())   # should be 1",
    experiments={
        "logsumexp": "print(logsumexp(np.array([0.0, 0.0])))   # should be 0.6931",
        "log_softmax": "print(log_softmax(np.array([0.0, 0.0])))   # should be -0.6931",
        "softmax_vjp": "print(dz.sum())   # should be 0",
        **dict.fromkeys(LOSSES, "print(f(np.array([0.0, 0.0]), 0))   # the loss should be 0.6931"),
    },
    fix="p = e / e.sum(axis=-1, keepdims=True)",
    fixes={
        "logsumexp": "return np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]",
        **dict.fromkeys(LOSSES, "log_p = z - m - np.log(np.exp(z - m).sum(axis=-1, keepdims=True))"),
        "softmax_vjp": "dz = p * (g - (p * g).sum(axis=-1, keepdims=True))",
    },
    variants=(
        Variant({"softmax": _by_mean, "by_logsumexp": False}, _OF_SOFTMAX),
        Variant({"logsumexp": _log_of_mean}, _LSE | _LOG),
        Variant({"vjp": _mean_under_nothing}, VJP, detail="Here it is the mean of p*g that is subtracted from g."),
    ),
)


def _partial_softmax(taken: slice) -> dict[str, Any]:
    def softmax(z: Array) -> Array:
        e = _exp_of_shifted(z)
        return np.asarray(e / e[..., taken].sum(axis=-1, keepdims=True))

    return {"softmax": softmax, "by_logsumexp": False}


def _partial_logsumexp(taken: slice) -> Callable[[Array], Array]:
    return lambda z: np.asarray(np.log(_exp_of_shifted(z)[..., taken].sum(axis=-1)) + z.max(axis=-1))


def _kept(a: Array, taken: slice, axes: tuple[int, ...] = (-1,)) -> Array:
    """Zeros where the loop does not come."""
    mask = np.zeros(a.shape)
    where: list[Any] = [slice(None)] * a.ndim
    for axis in axes:
        where[axis] = taken
    mask[tuple(where)] = 1.0
    return np.asarray(np.where(mask == 1, a, 0.0))


def _partial_value(taken: slice) -> Callable[[Array, Array, Array], Array]:
    return lambda log_p, p, y: value_of_loss(log_p[..., taken], p[..., taken], y[..., taken])


def _partial_product_of_log(taken: slice) -> Callable[[Array, Array, Array], Array]:
    return lambda log_p, _p, y: np.asarray(-(y * log_p)[..., taken].sum(axis=-1))


def _partial_rows(taken: slice, *, counted: bool) -> Callable[[Array, Situation], Array]:
    def reduce(values: Array, s: Situation) -> Array:
        if s.convention.reduction == "none" or values.ndim == 0:
            return values
        some = values[taken]
        by = 1 if s.convention.reduction == "sum" else len(some) if counted else len(values)
        return np.asarray(some.sum() / by)

    return reduce


def _partial_result(taken: slice) -> Leave:
    return lambda arrays, _s: (*arrays[:-1], _kept(arrays[-1], taken))


def _partial_result_rows(taken: slice) -> Leave:
    return lambda arrays, _s: (*arrays[:-1], _kept(arrays[-1], taken, (0,)))


def _partial_matrix(taken: slice, axes: tuple[int, ...]) -> Callable[[Array], Array]:
    return lambda p: _kept(jacobian_of_row(p), taken, axes)


def _partial_product(taken: slice) -> Callable[[Array, Array], Array]:
    return lambda p, g: np.asarray(p * (g - (p * g)[..., taken].sum(axis=-1, keepdims=True)))


def _loops() -> Iterator[Variant]:
    for taken, which in ((slice(None, -1), "last"), (slice(1, None), "first")):
        of_sum = f"Here the {which} class is left out of the sum."
        of_result = f"Here the entry of the {which} class stays 0."
        yield Variant(_partial_softmax(taken), _SOFTMAX, detail=of_sum)
        yield Variant({"logsumexp": _partial_logsumexp(taken)}, _LSE | _LOG, detail=of_sum)
        yield Variant({"vjp": _partial_product(taken)}, VJP, detail=of_sum)
        yield Variant({"leave": (_partial_result(taken),)}, _SOFTMAX - LOSSES - JACOBIAN | GRADIENTS, detail=of_result)
        yield Variant({"value": _partial_value(taken)}, LOSSES, detail=of_sum)
        yield Variant({"value": _partial_product_of_log(taken), "by_logsumexp": False}, LOSSES, detail=of_sum)
        for axes, words in (((-2, -1), "row and column"), ((-2,), "row"), ((-1,), "column")):
            detail = f"Here the {which} {words} of J stays 0."
            yield Variant({"jacobian": _partial_matrix(taken, axes)}, JACOBIAN, detail=detail)
        of_rows = f"Here the {which} row of a batch is left out."
        for counted in (False, True):
            yield Variant({"reduce": _partial_rows(taken, counted=counted)}, LOSSES, is_batch, of_rows)
        yield Variant({"leave": (_partial_result_rows(taken),)}, WITH_JACOBIAN, is_batch, of_rows)


LOOP = Mistake(
    name="loop-off-by-one",
    title="a loop leaves one out",
    why="range(n - 1) ends at n - 2, and range(1, n) begins at 1: one class (or one row of the batch) is not counted. "
    "range(n) runs from 0 to n - 1.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(list(range(3)), list(range(3 - 1)), list(range(1, 3)))   # classes 0, 1, 2",
    fix="for j in range(n):",
    variants=tuple(_loops()),
)

MISTAKES = (DENOMINATOR, MEAN_FOR_SUM, LOOP)
