"""Single entries and rows of J."""

import operator
from collections.abc import Iterator
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
    if i.ndim == 0:  # ints, as NumPy tells them from arrays
        i, j = int(i), int(j)
    batch = tuple(before)

    def at(x: NDArray, c: Any) -> Any:
        return _at(np.broadcast_to(x, rows.p.shape), batch, c)

    p_i, p_j = at(rows.p, i), at(rows.p, j)
    number = np.arange(rows.n)
    on_diagonal = at(number, i) == at(number, j)
    entry = np.where(on_diagonal, p_i * at(rows.q, i), -(p_i * p_j))
    entry = np.where((p_i == 0.0) | (p_j == 0.0), 0.0, entry)
    return at(weight[..., None], i) * entry + np.where(on_diagonal, at(damping[..., None], i), 0.0)


def blocks(rows: Rows, weight: NDArray | None) -> Iterator[tuple[int, Any]]:
    """The entries -w p_i p_j for some i at a time, and the first of those i. Of the diagonal there is nothing in them.

    weight: None for 1. Times p_i p_j, so that the entries are symmetric to the bit.
    """
    p, n = rows.p, rows.n
    together = max(1, _TOGETHER // max(p.size, 1))
    for start in range(0, n, together):
        of_rows = slice(start, start + together)
        block = p[..., of_rows, None] * p[..., None, :]
        np.negative(block, out=block)
        if weight is not None:
            block *= weight[..., None, None]
        if rows.has_nan:
            block[~(rows.support[..., of_rows, None] & rows.support[..., None, :])] = 0.0
        block += 0.0  # no -0
        yield start, block


_TOGETHER = 1 << 12  # entries of a block


def _at(x: NDArray, index: tuple[Any, ...], classes: Any) -> Any:
    """x[index, classes] of an array of shape batch + (n,), as NumPy does it: arrays broadcast against each other."""
    batch = x.shape[:-1]
    try:
        if any(part is None for part in index):
            raise IndexError("None makes a new axis")
        used = sum(_axes_of(part) for part in index)
        if not any(part is Ellipsis for part in index) and used < len(batch):
            raise IndexError("too few indices")
        if used > len(batch):
            raise IndexError("too many indices")
        return x[(*index, classes)]
    except (IndexError, ValueError, TypeError) as error:
        raise BoundsError(
            f"the batch has shape {batch}, but {index} is no index of it ({error}): pass one, or J[..., i, j]."
        ) from None


def _axes_of(part: Any) -> int:
    """How many axes of the batch a part of an index speaks of."""
    if part is Ellipsis:
        return 0
    array = None if isinstance(part, slice) else np.asarray(part)
    return array.ndim if array is not None and array.dtype.kind == "b" else 1


def _class_numbers(name: str, i: object, n: int) -> NDArray:
    try:
        array = np.asarray(i)
    except ValueError as error:
        raise DTypeError(f"{name} is {i!r} ({error}): pass an array of ints, with rows of one length.") from None
    if array.size == 0 and isinstance(i, list):
        array = array.astype(np.intp)
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{name} is {i!r}: pass the number of a class, an int, or an array of them.")
    if array.size and not (-n <= array.min() and array.max() < n):
        raise _out_of_bounds(name, i, n)
    return array % max(n, 1)


def _out_of_bounds(name: str, i: object, n: int) -> BoundsError:
    allowed = f"pass numbers from {-n} to {n - 1}" if n else "no number is one of a class"
    return BoundsError(f"{name} is {i}, but there are {n} classes: {allowed}.")
