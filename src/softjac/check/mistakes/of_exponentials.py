"""Mistakes in the exponentials themselves: none, of the wrong sign, of one class alone, a shift in one place only."""

from __future__ import annotations

import numpy as np

from softjac.check.mistakes.plain_calls import OF_LOGITS
from softjac.check.mistakes.recipe import ALL_KINDS, LOSSES, shifted_logsumexp, shifted_softmax
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array

_LSE = frozenset({"logsumexp"})
_LOG = frozenset({"log_softmax"}) | LOSSES
_SOFTMAX = ALL_KINDS - _LSE


def _of_negative(z: Array) -> Array:
    return shifted_softmax(-z)


NEGATIVE_EXPONENT = Mistake(
    name="negative-exponent",
    title="exp(-z) in place of exp(z)",
    why="exp(-z) gives the largest probability to the smallest logit. The minus belongs to a sigmoid, 1/(1 + exp(-z)), "
    "and to softmin.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(softmax([0.0, 5.0]))   # the second should be the larger",
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))",
    variants=(
        Variant({"softmax": _of_negative, "by_logsumexp": False}, _SOFTMAX),
        Variant({"logsumexp": lambda z: shifted_logsumexp(-z)}, _LSE),
    ),
)


def _over_sum(z: Array) -> Array:
    return np.asarray(z / z.sum(axis=-1, keepdims=True))


def _over_absolute(z: Array) -> Array:
    return _over_sum(np.abs(z))


def _over_squares(z: Array) -> Array:
    return _over_sum(z**2)


def _log_of_sum(z: Array) -> Array:
    return np.asarray(np.log(z.sum(axis=-1)))


NO_EXPONENTIAL = Mistake(
    name="no-exponential",
    title="no exponential",
    why="z / sum(z) sums to 1, but it is negative where a logit is, and adding one number to all logits changes it. "
    "Softmax divides exponentials: exp(z) / sum(exp(z)).",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(softmax([1.0, -1.0]), softmax([2.0, 0.0]))   # should be the same, and positive",
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))\np = e / e.sum(axis=-1, keepdims=True)",
    whys={"logsumexp": "log(sum(z)) is NaN where the sum is negative. It is the exponentials that are added up."},
    experiments={"logsumexp": "print(logsumexp([0.0, 0.0]))   # should be 0.6931"},
    fixes={"logsumexp": "m = z.max(axis=-1, keepdims=True)\nreturn np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]"},
    variants=(
        Variant({"softmax": _over_sum, "by_logsumexp": False}, _SOFTMAX),
        Variant({"softmax": _over_absolute, "by_logsumexp": False}, _SOFTMAX, detail="Here it is |z| / sum(|z|)."),
        Variant({"softmax": _over_squares, "by_logsumexp": False}, _SOFTMAX, detail="Here it is z**2 / sum(z**2)."),
        Variant({"logsumexp": _log_of_sum}, _LSE | _LOG, detail="Here it is log(sum(z))."),
    ),
)


def _sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


SIGMOID = Mistake(
    name="sigmoid",
    title="a sigmoid of each logit",
    why="1/(1 + exp(-z)) looks at one logit alone, and n of them do not sum to 1. Softmax divides each exponential by "
    "the sum of all.",
    kinds=_SOFTMAX,
    level="exercise",
    layer="softmax",
    experiment="print(softmax([1.0, 2.0, 4.0]).sum())   # should be 1",
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))\np = e / e.sum(axis=-1, keepdims=True)",
    variants=(Variant({"softmax": _sigmoid, "by_logsumexp": False}),),
)


def _counted_twice(z: Array) -> Array:
    return np.asarray(np.log(np.exp(z).sum(axis=-1)) + z.max(axis=-1))


COUNTED_TWICE = Mistake(
    name="maximum-counted-twice",
    title="the maximum is counted twice",
    why="the largest logit m is subtracted (or added) outside the logarithm, but the exponentials inside are those of "
    "z and not of z - m. Both or neither: log(sum(exp(z))) is m + log(sum(exp(z - m))).",
    kinds=_LSE | _LOG,
    level="exercise",
    layer="softmax",
    experiment=OF_LOGITS["logsumexp"],
    experiments={
        "log_softmax": OF_LOGITS["log_softmax"],
        **dict.fromkeys(LOSSES, "print(f(np.array([0.0, 1.0]), 0))   # the loss should be 1.3133"),
    },
    fix="m = z.max(axis=-1, keepdims=True)\nlse = np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]",
    variants=(Variant({"logsumexp": _counted_twice}),),
)


def _running_sum(z: Array) -> Array:
    """The sum of exponentials, each shifted by the largest logit up to its own place."""
    return np.asarray(np.exp(z - np.maximum.accumulate(z, axis=-1)).sum(axis=-1, keepdims=True))


def _with_running_sum(z: Array) -> Array:
    return np.asarray(np.exp(z - z.max(axis=-1, keepdims=True)) / _running_sum(z))


def _logarithm_of_running_sum(z: Array) -> Array:
    return np.asarray(z.max(axis=-1) + np.log(_running_sum(z)[..., 0]))


NOT_RESCALED = Mistake(
    name="running-sum-not-rescaled",
    title="the running sum is not rescaled",
    why="a pass that finds the maximum and the sum together holds a sum that belongs to the old maximum. Where a new "
    "maximum m_new comes, the sum so far is to be multiplied by exp(m_old - m_new). It is right by chance where the "
    "first logit is the largest.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(f([3.0, 0.0]), f([0.0, 3.0]))   # should be the same numbers, in the order of the logits",
    experiments=dict.fromkeys(_LSE, "print(f([3.0, 0.0]), f([0.0, 3.0]))   # both should be 3.0486")
    | dict.fromkeys(LOSSES, "print(f([3.0, 0.0], 0), f([0.0, 3.0], 1))   # the loss should be 0.0486 for both"),
    fix="total = total * np.exp(m_old - m_new) + np.exp(z[i] - m_new)",
    variants=(Variant({"softmax": _with_running_sum, "logsumexp": _logarithm_of_running_sum}),),
)

MISTAKES = (NEGATIVE_EXPONENT, NO_EXPONENTIAL, SIGMOID, COUNTED_TWICE, NOT_RESCALED)
