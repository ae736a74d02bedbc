"""Single entries and rows of J."""

import operator
from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.errors import BoundsError, DTypeError
from softjac.operator._rows import Rows


def class_number(name: str, i: object, n: int) -> int:
    """The number of a class, from 0 to n - 1. Raises DTypeError, BoundsError."""
    try:
        index = operator.index(i)  # type: ignore[arg-type]
    except TypeError:
        raise DTypeError(f"{name} is {i!r}: pass the number of a class, an int.") from None
    if not -n <= index < n:
        raise BoundsError(f"{name} is {index}, but there are {n} classes: pass a number from {-n} to {n - 1}.")
    return index % n


def row(rows: Rows, i: int) -> Any:
    """Row i of each J, shape batch + (n,)."""
    p_i = rows.p[..., i : i + 1]
    result = np.where(rows.support & (p_i != 0.0), -p_i * rows.p, 0.0)
    result[..., i] = np.where(p_i == 0.0, 0.0, p_i * rows.q[..., i : i + 1])[..., 0]
    return result


def entries(rows: Rows, weight: NDArray, damping: NDArray, index: Any) -> Any:
    """Entries of weight * J + damping * I at [..., i, j]: i and j ints or arrays of them, the rest for the batch."""
    if not isinstance(index, tuple) or len(index) < 2:
        raise DTypeError(f"[{index!r}] is no entry: pass J[..., i, j], or use row(i) or to_dense() for more.")
    *before, i, j = index
    i, j = np.broadcast_arrays(_class_numbers("i", i, rows.n), _class_numbers("j", j, rows.n))
    p, q, weight, damping = (
        _of_batch(x, rows.batch, tuple(before)) for x in (rows.p, rows.q, weight[..., None], damping[..., None])
    )
    p_i, p_j, q_i = p[..., i], p[..., j], q[..., i]
    entry = np.where(i == j, p_i * q_i, -p_i * p_j)
    entry = np.where((p_i == 0.0) | (p_j == 0.0), 0.0, entry)
    weight, damping = (x[..., 0].reshape(*x.shape[:-1], *(1,) * i.ndim) for x in (weight, damping))
    return weight * entry + np.where(i == j, damping, 0.0)


def _of_batch(x: NDArray, batch: tuple[int, ...], index: tuple[Any, ...]) -> NDArray:
    """What an index of the batch takes of an array of shape (..., m)."""
    stood = np.broadcast_to(x, (*batch, x.shape[-1]))
    try:
        if Ellipsis not in index and len(index) < len(batch):
            raise IndexError("too few indices")
        return stood[(*index, slice(None))]
    except IndexError as error:
        raise BoundsError(
            f"the batch has shape {batch}, but {index} is no index of it ({error}): pass one, or J[..., i, j]."
        ) from None


def _class_numbers(name: str, i: object, n: int) -> NDArray:
    array = np.asarray(i)
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{name} is {i!r}: pass the number of a class, an int, or an array of them.")
    if array.size and not (-n <= array.min() and array.max() < n):
        raise BoundsError(f"{name} is {i}, but there are {n} classes: pass numbers from {-n} to {n - 1}.")
    return array % max(n, 1)
