"""Solving with weight * J + damping * I, in closed form.

With t = damping / weight, A = 1 / (p + t), bbar the mean of b and c = b - bbar:

    x = bbar / t + A c - A p (sum of A c) / (sum of A p)        for t > 0
    x = P diag(1/p) c, P = I - 1 1^T / m on a support of m      for t = 0

bbar and c are carried as hi + lo: otherwise a b that sums to zero, such as p - y, would lose its digits to bbar / t.
Source: A - A p p^T A / (sum of A p t) inverts diag(p) + t - p p^T (Sherman and Morrison); 1 - p^T A p is the sum of
A p t, without cancellation. Run by tests/test_operator_exact.py.
"""

from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.operator import _sums
from softjac.operator._rows import Rows

_FAR = 2.0**900  # beyond it, the parts that numbers are cut in may overflow


def solve(rows: Rows, b: NDArray, weight: NDArray, damping: NDArray) -> Any:
    """The x of least norm among those of least squares, shape (..., n)."""
    if rows.n == 0:
        return np.zeros(np.broadcast_shapes(b.shape, rows.p.shape), b.dtype)
    size = np.max(np.abs(b), axis=-1, keepdims=True)
    far = (size > _FAR) | (size < 1.0 / _FAR) & (size > 0.0)
    if far.any():
        unit = np.where(far, np.ldexp(np.ones((), b.dtype), np.frexp(size)[1] - 1), 1.0)
        return unit * _solve_in_range(rows, b / unit, weight, damping)
    return _solve_in_range(rows, b, weight, damping)


def _solve_in_range(rows: Rows, b: NDArray, weight: NDArray, damping: NDArray) -> Any:
    weight, damping = weight[..., None], damping[..., None]
    t = damping / weight
    plain = np.where(damping > 0.0, b / damping, 0.0)  # where J has no part in it
    inside = rows.on_support(b)
    bbar_hi, bbar_lo = _mean(inside, rows)
    c_hi, c_lo = _sums.two_sum(inside, -bbar_hi)
    c_lo = c_lo - bbar_lo
    if not np.any(damping > 0.0):
        x = _undamped(rows, c_hi, c_lo)
    elif np.all(damping > 0.0):
        x = _damped(rows, c_hi, c_lo, t)
    else:
        x = np.where(damping > 0.0, _damped(rows, c_hi, c_lo, t), _undamped(rows, c_hi, c_lo))
    mean = np.where(damping > 0.0, bbar_hi / damping, 0.0)
    with_J = np.isfinite(t) & (weight > 0.0) | np.isnan(rows.p)
    return np.where(rows.support & with_J, mean + x / weight, plain)


def _mean(x: NDArray, rows: Rows) -> tuple[Any, Any]:
    """Mean over the support as hi + lo, shape (..., 1)."""
    hi, lo = (part[..., None] for part in _sums.total(x, bits=90))
    size = np.maximum(rows.support_size, 1)[..., None].astype(x.dtype)
    mean = hi / size
    rest = _remainder(hi, mean, size)
    return mean, (rest + lo) / size


def _remainder(a: NDArray, quotient: NDArray, b: NDArray) -> Any:
    """A - quotient * b exactly, for a b of few digits: the quotient is cut in two halves."""
    scale = 2.0 ** ((np.finfo(a.dtype).nmant + 2) // 2) + 1.0
    upper = quotient * scale
    upper = upper - (upper - quotient)
    return (a - upper * b) - (quotient - upper) * b


def _undamped(rows: Rows, c_hi: NDArray, c_lo: NDArray) -> Any:
    p = np.where(rows.support, rows.p, 1.0)
    x = rows.on_support(c_hi / p + c_lo / p)
    size = np.maximum(rows.support_size, 1)[..., None]
    return x - np.sum(x, axis=-1, keepdims=True) / size


def _damped(rows: Rows, c_hi: NDArray, c_lo: NDArray, t: NDArray) -> Any:
    a = rows.on_support(1.0 / (rows.p + t))
    ac = a * c_hi + a * c_lo
    ap = a * rows.p
    ratio = np.sum(ac, axis=-1, keepdims=True) / np.sum(ap, axis=-1, keepdims=True)
    return ac - ap * ratio
