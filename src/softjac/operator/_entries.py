"""Single entries and rows of J."""

import operator
from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.errors import BoundsError, DTypeError, ShapeError
from softjac.operator._rows import Rows


def class_number(name: str, i: object, n: int) -> int:
    """The number of a class, from 0 to n - 1. Raises DTypeError, BoundsError."""
    try:
        index = None if isinstance(i, bool | np.bool_) else operator.index(i)  # type: ignore[arg-type]
    except TypeError:
        index = None
    if index is None:
        raise DTypeError(f"{name} is {i!r}: pass the number of a class, an int.")
    if not -n <= index < n:
        raise _out_of_bounds(name, i, n)
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
    i, j = _class_numbers("i", i, rows.n), _class_numbers("j", j, rows.n)
    try:
        i, j = np.broadcast_arrays(i, j)
    except ValueError:
        raise ShapeError(
            f"i has shape {i.shape} and j has shape {j.shape}, which do not broadcast: pass one j for each i."
        ) from None
    p, q, weight, damping = (
        _of_batch(x, rows.batch, tuple(before)) for x in (rows.p, rows.q, weight[..., None], damping[..., None])
    )
    p_i, p_j, q_i = p[..., i], p[..., j], q[..., i]
    entry = np.where(i == j, p_i * q_i, -p_i * p_j)
    entry = np.where((p_i == 0.0) | (p_j == 0.0), 0.0, entry)
    weight, damping = (x[..., 0].reshape((*x.shape[:-1], *(1,) * i.ndim)) for x in (weight, damping))
    return weight * entry + np.where(i == j, damping, 0.0)


def _of_batch(x: NDArray, batch: tuple[int, ...], index: tuple[Any, ...]) -> NDArray:
    """What an index of the batch takes of an array of shape (..., m)."""
    stood = np.broadcast_to(x, (*batch, x.shape[-1]))
    try:
        if any(x is None for x in index):
            raise IndexError("None makes a new axis")
        if not any(x is Ellipsis for x in index) and len(index) < len(batch):
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
        raise _out_of_bounds(name, i, n)
    return array % max(n, 1)


def _out_of_bounds(name: str, i: object, n: int) -> BoundsError:
    allowed = f"pass numbers from {-n} to {n - 1}" if n else "no number is one of a class"
    return BoundsError(f"{name} is {i}, but there are {n} classes: {allowed}.")
