"""Mistakes in the rows of a batch: sums and maxima along another axis, over all rows, or of another row."""

from __future__ import annotations

import numpy as np

from softjac.check.mistakes.of_products import mixed_jacobians
from softjac.check.mistakes.of_softmax import both_routes, no_shift, quotient, row_max, row_sum, whole_max
from softjac.check.mistakes.recipe import ALL_KINDS, by_logits, is_batch, shifted_logsumexp
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array

_LSE = frozenset({"logsumexp"})
_VJP = frozenset({"softmax_vjp"})
_SUMS_OF_PRODUCT = "print(f(z, g).sum(axis=-1))   # should be 0, for each row of a batch"
_TWO_ROWS = "print(f(np.array([[0.0, 0.0], [5.0, 5.0]])))   # should be 0.6931 and 5.6931"


def _whole_sum(e: Array) -> Array:
    return np.asarray(e.sum(keepdims=True))


_OF_ANOTHER = "Here every row is divided by the sum of another row."


def _sum_reversed(e: Array) -> Array:
    return row_sum(e)[::-1]


def _sum_before(e: Array) -> Array:
    return np.roll(row_sum(e), 1, axis=0)


def _sum_after(e: Array) -> Array:
    return np.roll(row_sum(e), -1, axis=0)


def _first_max(z: Array) -> Array:
    return np.asarray(z.max(axis=0, keepdims=True))


def _first_sum(e: Array) -> Array:
    return np.asarray(e.sum(axis=0, keepdims=True))


def _flat_max(z: Array) -> Array:
    return np.asarray(z.max(axis=-1))


def _flat_sum(e: Array) -> Array:
    return np.asarray(e.sum(axis=-1))


WRONG_AXIS = Mistake(
    name="wrong-axis",
    title="softmax over the wrong axis",
    why="the sum (or the maximum) runs along axis 0, over the rows of the batch, so that columns are normalised: the "
    "probabilities of one row do not sum to 1. Classes lie along the last axis.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(p.sum(axis=0), p.sum(axis=-1))",
    whys={
        "logsumexp": "the sum (or the maximum) runs along axis 0, over the rows of the batch: there is a number for "
        "each column. Classes lie along the last axis, and every row has its number.",
    },
    experiments={"logsumexp": _TWO_ROWS},
    fix="e = np.exp(z - z.max(axis=-1, keepdims=True))\np = e / e.sum(axis=-1, keepdims=True)",
    variants=(
        *both_routes({**quotient(_first_max, _first_sum), "softmax_column": np.ones_like}),
        *both_routes(quotient(row_max, _first_sum), applies=is_batch),
        *both_routes(quotient(no_shift, _first_sum), applies=is_batch),
        *both_routes(
            quotient(_first_max, row_sum),
            applies=is_batch,
            detail="Here it is the maximum: what is subtracted has to be one number for a whole row.",
        ),
        Variant({"logsumexp": lambda z: shifted_logsumexp(z.T)}, kinds=_LSE, applies=is_batch),
        Variant({"logsumexp": lambda z: np.log(np.exp(z).sum(axis=0))}, kinds=_LSE, applies=is_batch),
        Variant(
            {"vjp": lambda p, g: p * (g - (p * g).sum(axis=0))},
            kinds=_VJP,
            applies=is_batch,
            why="the sum of p * g runs along axis 0, over the rows of the batch. Every row has its own, along the last "
            "axis.",
            experiment=_SUMS_OF_PRODUCT,
        ),
        Variant(
            {**quotient(_first_max, _first_sum), "vjp": lambda p, g: p * (g - (p * g).sum(axis=0))},
            kinds=_VJP,
            applies=lambda s: is_batch(s) and by_logits(s),
            detail="Here the sum of p * g runs along axis 0 as well.",
        ),
    ),
)

ONE_SUM = Mistake(
    name="one-sum-over-array",
    title="one sum over the whole array",
    why="sum() without an axis adds up all rows of a batch, so that the whole array sums to 1 and not each row. "
    "For a single vector it is right.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(p.sum(axis=-1))   # of a batch: every number should be 1",
    whys={
        "logsumexp": "sum() without an axis adds up all rows of a batch. Every row has its own sum, and the logarithm "
        "of it. For a single vector it is right.",
    },
    experiments={"logsumexp": _TWO_ROWS},
    fix="p = e / e.sum(axis=-1, keepdims=True)",
    fixes={
        "softmax_vjp": "p = e / e.sum(axis=-1, keepdims=True)\ndz = p * (g - (p * g).sum(axis=-1, keepdims=True))",
        "logsumexp": "return np.log(np.exp(z - m).sum(axis=-1)) + m[..., 0]",
    },
    variants=(
        *both_routes(quotient(whole_max, _whole_sum), applies=is_batch),
        *both_routes(quotient(row_max, _whole_sum), applies=is_batch),
        *both_routes(quotient(no_shift, _whole_sum), applies=is_batch),
        Variant({"logsumexp": lambda z: np.log(np.exp(z - z.max()).sum()) + z.max()}, kinds=_LSE, applies=is_batch),
        Variant({"logsumexp": lambda z: np.log(np.exp(z).sum())}, kinds=_LSE, applies=is_batch),
        Variant(
            {"vjp": lambda p, g: p * (g - (p * g).sum())},
            kinds=_VJP,
            applies=is_batch,
            why="sum() without an axis adds p * g of all rows of a batch up. Every row has its own sum, along the last "
            "axis. For a single vector it is right.",
            experiment=_SUMS_OF_PRODUCT,
        ),
    ),
)


def _lse_of_mixed(z: Array) -> Array:
    m = z.max(axis=-1)
    return np.asarray(np.log(np.exp(z - m).sum(axis=-1)) + m)


ROWS_MIXED = Mistake(
    name="rows-mixed",
    title="rows of a batch mixed",
    why="numbers of one row meet those of another. Without keepdims, sum(axis=-1) of shape (N,) is laid along the "
    "classes: entry [r, j] meets the number of row j. Where N is not the number of classes that raises an error; "
    "where it is, the numbers are wrong in silence.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="softmax",
    experiment="print(p.sum(axis=-1))   # of a batch with N = n: every number should be 1",
    fix="p = e / e.sum(axis=-1, keepdims=True)",
    whys={
        "softmax_jacobian": "numbers of one row meet those of another: in the outer product, where both factors have "
        "to be of one row, or in a sum without keepdims, which is laid along the classes and not along the rows.",
    },
    experiments={
        "softmax_jacobian": "print(np.subtract(f(z)[-1], f(z[-1:])[0]))   # the last row of a batch by itself: "
        "should be 0",
        "logsumexp": _TWO_ROWS,
    },
    fixes={"softmax_jacobian": "J = p[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])"},
    variants=(
        *mixed_jacobians(),
        *both_routes(quotient(row_max, _flat_sum), applies=is_batch),
        *both_routes(quotient(_flat_max, row_sum), applies=is_batch),
        *both_routes(quotient(_flat_max, _flat_sum), applies=is_batch),
        *both_routes(quotient(no_shift, _flat_sum), applies=is_batch),
        *both_routes(quotient(whole_max, _flat_sum), applies=is_batch),
        *(
            variant
            for shift in (row_max, no_shift)
            for total in (_sum_reversed, _sum_before, _sum_after)
            for variant in both_routes(quotient(shift, total), applies=is_batch, detail=_OF_ANOTHER)
        ),
        Variant({"logsumexp": _lse_of_mixed}, kinds=_LSE, applies=is_batch),
        Variant(
            {"vjp": lambda p, g: p * (g - (p * g).sum(axis=-1))},
            kinds=_VJP,
            applies=is_batch,
            detail="Here it is the sum of p * g.",
            experiment=f"{_SUMS_OF_PRODUCT}, with N = n",
        ),
    ),
)

MISTAKES = (WRONG_AXIS, ONE_SUM, ROWS_MIXED)
