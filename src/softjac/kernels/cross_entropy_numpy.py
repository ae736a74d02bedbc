"""The reference of cross-entropy on NumPy arrays, some rows at a time, as the compiled core is called.

Beside one block of rows, no memory is used. The classes of z, y, v, `where` and out stand along axis; label, mass,
scale and what else there is one of a row have the shape of the rest, or are one number.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from softjac.kernels import cross_entropy_reference as reference
from softjac.kernels.numpy import arithmetic_for
from softjac.kernels.reference import row_state

NDArray = npt.NDArray[Any]

_STEP = 1 << 14  # elements of a block, as in kernels/numpy.py


def cross_entropy(
    z: NDArray,
    y: NDArray | None,
    label: NDArray,
    mass: NDArray | None,
    scale: Any,
    scale_lo: Any,
    omega: NDArray | None,
    weight: NDArray | None,
    where: NDArray | None,
    axis: int,
    label_smoothing: float,
    z_loss: float,
    losses: NDArray | None,
    losses_lo: NDArray | None,
    out: NDArray | None,
) -> bool:
    """Losses of rows times omega as hi + lo, and the gradient times scale + scale_lo.

    label: the class of a row with a single target, of that mass; -1 for a row that uses y, -2 for one that does not
    count: it is not read. losses, losses_lo, out: written where they are not None; out may be z. Without losses_lo,
    losses are rounded.
    """
    a = arithmetic_for(z.dtype)
    z, y, where, out = np.moveaxis(z, axis, -1), _last(y, axis), _last(where, axis), _last(out, axis)
    w = None if weight is None else weight.astype(a.dtype)
    batch, n = z.shape[:-1], z.shape[-1]
    of_row = [np.broadcast_to(1.0 if x is None else x, batch) for x in (mass, scale, scale_lo, omega)]
    for block in blocks(batch, n):
        x = z[block].astype(a.dtype)
        part = np.ones(x.shape, bool) if where is None else where[block]
        classes = label[block][..., None]
        part = part & (classes != -2)
        m, c, c_lo, times = (np.asarray(column[block], a.dtype)[..., None] for column in of_row)
        target = np.where(np.arange(n) == classes, m, 0.0)
        if y is not None:
            target = np.where(classes == -1, y[block].astype(a.dtype), target)
        targets = reference.Targets.of(a, target, part, w, label_smoothing)
        state = row_state(a, x, part)
        if losses is not None:
            pair = reference.losses(a, state, part, targets, z_loss, times)
            hi, lo = (np.broadcast_to(x, m.shape)[..., 0] for x in pair)
            if losses_lo is None:
                losses[block] = hi + lo
            else:
                losses[block], losses_lo[block] = hi, lo
        if out is not None:
            out[block] = reference.gradient(a, state, part, targets, z_loss, (c, c_lo))
    np.positive(0.0)  # clears the flags of the processor, as in kernels/numpy.py
    return True


def cross_entropy_hvp(
    z: NDArray, v: NDArray, alpha: Any, z_scale: Any, where: NDArray | None, axis: int, out: NDArray
) -> bool:
    """Products of the Hessians with v, see `cross_entropy_reference.hessian_product`. out may be z or v."""
    a = arithmetic_for(out.dtype)
    z, v, out = (np.moveaxis(x, axis, -1) for x in (z, v, out))
    where = _last(where, axis)
    batch, n = z.shape[:-1], z.shape[-1]
    of_row = [np.broadcast_to(x, batch) for x in (alpha, z_scale)]
    for block in blocks(batch, n):
        first, second = (np.asarray(column[block], a.dtype)[..., None] for column in of_row)
        x, tangent = z[block].astype(a.dtype), v[block].astype(a.dtype)
        part = np.ones(x.shape, bool) if where is None else where[block]
        part = part & ((first != 0.0) | (second != 0.0))
        out[block] = reference.hessian_product(a, x, tangent, part, first, second)
    np.positive(0.0)
    return True


def scan_targets(
    y: NDArray, axis: int, weight: NDArray | None, where: NDArray | None, dtype: Any = np.float64
) -> tuple[NDArray, NDArray, NDArray, int]:
    """Look through distributions: the one target of each row and its mass, the sum of w y, and what is wrong.

    label: -1 for a row of no target or several. bad: the place, in batch + (n,), of the first element that is negative
    or not finite, or positive and masked out (in a row of which some part is not); -1 if there is none.
    """
    a = arithmetic_for(np.dtype(dtype))
    y, where = np.moveaxis(y, axis, -1), _last(where, axis)
    batch, n = y.shape[:-1], y.shape[-1]
    label, mass, total = np.empty(batch, np.int64), np.empty(batch, dtype), np.empty(batch, dtype)
    start = 0
    for block in blocks(batch, n):
        t = y[block].astype(a.dtype)
        part = None if where is None else where[block]
        wrong = ~(np.isfinite(t) & (t >= 0.0))
        if part is not None:
            wrong = np.where(part, wrong, (t > 0.0) & np.any(part, axis=-1, keepdims=True))
            t = np.where(part, t, 0.0)
        if wrong.any():
            return label, mass, total, start + int(np.flatnonzero(wrong)[0])
        start += t.size
        at = np.argmax(t, axis=-1, keepdims=True)
        single = np.count_nonzero(t, axis=-1) == 1
        label[block] = np.where(single, at[..., 0], -1)
        mass[block] = np.take_along_axis(t, at, axis=-1)[..., 0]
        pair = (t, 0.0 * t) if weight is None else a.multiply((t, 0.0 * t), (weight.astype(a.dtype), 0.0 * t))
        total[block] = a.round(a.sum(pair))[..., 0]
    return label, mass, total, -1


def _last(x: NDArray | None, axis: int) -> NDArray | None:
    return None if x is None else np.moveaxis(x, axis, -1)


def blocks(batch: tuple[int, ...], n: int) -> Iterator[Any]:
    """Indices of rows, some at a time. Whatever the memory is like, nothing but those is copied."""
    rows, step = math.prod(batch), max(1, _STEP // max(n, 1))
    if not batch:
        yield None  # a new axis: the one row
        return
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        yield slice(start, stop) if len(batch) == 1 else np.unravel_index(np.arange(start, stop), batch)
