"""Mistakes in products with the Jacobian, and in the Jacobians of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from softjac.check.mistakes.of_jacobian import JACOBIAN, VJP, entry_of_matrix, number, through_jacobian
from softjac.check.mistakes.recipe import (
    GRADIENTS,
    WITH_JACOBIAN,
    is_batch,
    jacobian_of_row,
    product_with_jacobian,
    shifted_softmax,
)
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array


def _times_columns(p: Array, g: Array) -> Array:
    return np.asarray(_jacobians(p) * g[..., None, :])


def _times_rows(p: Array, g: Array) -> Array:
    return np.asarray(_jacobians(p) * g[..., :, None])


def _summed_wrong_way(p: Array, g: Array) -> Array:
    return np.asarray((_jacobians(p) * g[..., None, :]).sum(axis=-2))


def _jacobians(p: Array) -> Array:
    return np.asarray(jacobian_of_row(p) if p.ndim == 1 else np.stack([jacobian_of_row(row) for row in p]))


def _times_p(p: Array, g: Array) -> Array:
    return np.asarray(p * g)


def _elementwise() -> Iterator[Variant]:
    details = {
        _times_columns: "",
        _times_rows: "",
        _summed_wrong_way: "Summing that over the other axis gives g[j] times a column sum of J, which is 0.",
        _times_p: "Here it is p * g: the Jacobian is not there at all.",
    }
    for product, detail in details.items():

        def gradient(p: Array, y: Array, product: Callable[[Array, Array], Array] = product) -> Array:
            return product(p, -y / p)

        yield Variant({"vjp": product}, kinds=VJP, detail=detail)
        yield Variant({"gradient": gradient}, kinds=GRADIENTS, detail=detail)


_OF_COLUMN_FORMULA = frozenset({"T", "transpose", "eye", "identity"})

ELEMENTWISE = Mistake(
    name="elementwise-product",
    title="elementwise product in place of the matrix product",
    why="* multiplies entry by entry, so that J * g is a matrix again; the chain rule needs the sum over the "
    "outputs, dz[j] = sum_i g[i]*J[i,j], which is g @ J.",
    kinds=VJP | GRADIENTS | JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(np.shape(result), result.sum())   # one number for each class, and 0",
    fix="dz = g @ J",
    whys={
        "softmax_jacobian": "* multiplies entry by entry: p * p is the squares of the entries, subtracted from every "
        "row of the matrix (or from every column, of a column). All p[i]*p[j] are np.outer(p, p).",
    },
    experiments={"softmax_jacobian": "print(J.sum(axis=1))   # every number should be 0"},
    fixes={"softmax_jacobian": "J = np.diagflat(p) - np.outer(p, p)"},
    variants=(
        *_elementwise(),
        Variant({"jacobian": lambda p: np.asarray(np.diag(p) - p * p)}, kinds=JACOBIAN, unless=_OF_COLUMN_FORMULA),
        Variant({"jacobian": lambda p: np.asarray(np.diag(p) - (p * p)[:, None])}, kinds=JACOBIAN),
    ),
)


def _flattened(p: Array) -> Array:
    return jacobian_of_row(p.ravel())


def _four_axes(p: Array) -> Array:
    N, n = p.shape
    J = np.zeros((N, n, N, n))
    for r in range(N):
        J[r, :, r, :] = jacobian_of_row(p[r])
    return J


def _one_sum(z: Array) -> Array:
    return shifted_softmax(z.reshape(-1)).reshape(z.shape)


def _flat_product(p: Array, g: Array) -> Array:
    return product_with_jacobian(p.ravel(), g.ravel()).reshape(p.shape)


BATCH_FLATTENED = Mistake(
    name="batch-flattened",
    title="the batch flattened into one matrix",
    why="reshape(-1, 1) and np.diagflat make one long row of all rows, and of N rows of n classes one matrix "
    "(N*n, N*n), with products between different rows. Each row has a Jacobian of its own: (N, n, n).",
    kinds=JACOBIAN | VJP,
    level="exercise",
    layer="formula",
    experiment="print(z.shape, J.shape)   # (N, n) and (N, n, n)",
    whys={
        "softmax_vjp": "one sum over all rows, in the softmax and in p*g, makes one long row of the batch, as ravel() "
        "and reshape(-1) do. Each row has a softmax and a product of its own.",
    },
    experiments={"softmax_vjp": "print(dz.sum(axis=1))   # of a batch: every number should be 0"},
    fix="J = p[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])",
    fixes={"softmax_vjp": "dz = p * (g - (p * g).sum(axis=-1, keepdims=True))"},
    variants=(
        Variant({"jacobian_of_batch": _flattened}, kinds=JACOBIAN, applies=is_batch),
        Variant(
            {"jacobian_of_batch": _flattened, "softmax": _one_sum},
            kinds=JACOBIAN,
            applies=is_batch,
            detail="The softmax in it has one sum over the whole array, too.",
        ),
        Variant(
            {"jacobian_of_batch": _four_axes},
            kinds=JACOBIAN,
            applies=is_batch,
            detail="Here it is (N, n, N, n): the derivative of every row in every other, which is 0 but for the same.",
        ),
        Variant({"vjp": _flat_product, "softmax": _one_sum}, kinds=VJP, applies=is_batch),
    ),
)


def _one_index_twice(p: Array) -> Array:
    return np.asarray(p[:, None] * (np.eye(len(p)) - p[:, None]))


ONE_INDEX = Mistake(
    name="index-repeated",
    title="one index twice: -p[i]*p[i]",
    why="the entry off the diagonal is made of p[i] twice, where it needs p[i] and p[j]: every row has one number "
    "beside its diagonal.",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(J - J.T)   # should be 0: J is symmetric",
    fix="J[i, j] = -p[i] * p[j]",
    variants=tuple(through_jacobian(_one_index_twice)),
    entry=entry_of_matrix(
        lambda a, _b, same: f"{a}*(1 - {a})" if same else f"-{a}*{a}",
        lambda p, i, j: f"{number(p[i])} * (1 - {number(p[i])})" if i == j else f"{number(-p[i])} * {number(p[i])}",
    ),
)


def _without_identity(p: Array) -> Array:
    return np.outer(p, 1 - p)


IDENTITY_MISSING = Mistake(
    name="identity-missing",
    title="1 in place of the identity matrix",
    why="p[i]*(1 - p[j]) is right on the diagonal alone; the 1 stands for 1 where i == j and 0 elsewhere. As a matrix "
    "it is np.eye(n).",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(J.sum(axis=0), J.sum(axis=1))   # every number should be 0",
    fix="J = p[:, None] * (np.eye(len(p)) - p[None, :])",
    variants=tuple(through_jacobian(_without_identity)),
    entry=entry_of_matrix(
        lambda a, b, _same: f"{a}*(1 - {b})", lambda p, i, j: f"{number(p[i])} * (1 - {number(p[j])})"
    ),
)


def _plain_sum(p: Array, g: Array) -> Array:
    return np.asarray(p * (g - g.sum(axis=-1, keepdims=True)))


def _plain_mean(p: Array, g: Array) -> Array:
    return np.asarray(p * (g - g.mean(axis=-1, keepdims=True)))


NOT_WEIGHTED = Mistake(
    name="sum-not-weighted",
    title="the sum of g without its weights",
    why="p*(g - sum(g)) and p*(g - mean(g)) subtract a plain sum or mean; it has to be the mean under p, sum(p*g), for "
    "the result to sum to 0.",
    kinds=VJP,
    level="exercise",
    layer="formula",
    experiment="print(dz.sum())   # should be 0",
    fix="dz = p * (g - (p * g).sum(axis=-1, keepdims=True))",
    variants=(Variant({"vjp": _plain_sum}), Variant({"vjp": _plain_mean})),
)


def _by_first_row(p: Array) -> Array:
    return np.stack([np.diag(row) - np.outer(row, p[0]) for row in p])


def _by_all_rows(p: Array) -> Array:
    return np.stack([np.diag(row) - p.T @ p for row in p])


def _by_other_rows(p: Array, others: Array) -> Array:
    return np.stack([np.diag(row) - np.outer(row, other) for row, other in zip(p, others, strict=True)])


def _by_sum_of_rows(p: Array) -> Array:
    return _by_other_rows(p, np.broadcast_to(p.sum(axis=0), p.shape))


def _by_mean_of_rows(p: Array) -> Array:
    return _by_other_rows(p, np.broadcast_to(p.mean(axis=0), p.shape))


def mixed_jacobians() -> Iterator[Variant]:
    """Jacobians of a batch in which one row is multiplied by another."""
    for jacobians, detail in (
        (_by_first_row, "Here every row is multiplied by row 0, as p[0] in place of p[r] does."),
        (_by_all_rows, "Here it is p.T @ p, the sum over all rows, that is subtracted from every diagonal."),
        (
            _by_sum_of_rows,
            "Here every row is multiplied by the sum of all rows.",
        ),
        (_by_mean_of_rows, "Here every row is multiplied by the mean of all rows."),
        (lambda p: _by_other_rows(p, p[::-1]), "Here every row is multiplied by that of the reversed batch."),
        (lambda p: _by_other_rows(p, np.roll(p, 1, 0)), "Here every row is multiplied by the one before it."),
        (lambda p: _by_other_rows(p, np.roll(p, -1, 0)), "Here every row is multiplied by the one after it."),
    ):
        yield Variant({"jacobian_of_batch": jacobians}, JACOBIAN, lambda s: len(s.inputs.logits) > 1, detail)


MISTAKES = (ONE_INDEX, ELEMENTWISE, BATCH_FLATTENED, IDENTITY_MISSING, NOT_WEIGHTED)
