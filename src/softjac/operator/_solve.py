"""Solving with weight * J + damping * I, in closed form.

With t = damping / weight, A = 1 / (p + t), bbar the mean of b and c = b - bbar:

    x = bbar / t + A c - A p (sum of A c) / (sum of A p)        for t > 0
    x = P diag(1/p) c, P = I - 1 1^T / m on a support of m      for t = 0

bbar and c are carried as hi + lo: otherwise a b that sums to zero, such as p - y, would lose its digits to bbar / t.
Source: A - A p p^T A / (sum of A p t) inverts diag(p) + t - p p^T (Sherman and Morrison); 1 - p^T A p is the sum of
A p t, without cancellation. Run by tests/test_operator_exact.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.operator import _core, _sums
from softjac.operator._rows import Rows

_FAR = 2.0**900  # beyond it, the parts that numbers are cut in may overflow
_HEADROOM = 128  # powers of two: a sum of 2^50 quotients by the smallest p is below 2^1024


def is_read(rows: Rows, damping: NDArray) -> Any:
    """Where a right side is read: everywhere with damping, else on the support."""
    return (rows.support | (damping[..., None] > 0.0)) if rows.has_zeros else True


def solve(rows: Rows, b: NDArray, weight: NDArray, damping: NDArray, check: Callable[[], None] = lambda: None) -> Any:
    """The x of least norm among those of least squares, shape (..., n). check: raises for a b that is not finite."""
    return _core.rows_of("solve", _solve, rows, weight, damping, b, check)


def _solve(rows: Rows, weight: NDArray, damping: NDArray, b: NDArray) -> Any:
    if rows.n == 0:
        return np.zeros(np.broadcast_shapes(b.shape, rows.p.shape), b.dtype)
    if rows.has_zeros:
        b = np.where(is_read(rows, damping), b, 0.0)
    size = np.max(np.abs(b), axis=-1, keepdims=True)
    far = (size > _FAR) | (size < 1.0 / _FAR) & (size > 0.0)
    exponent = np.frexp(size)[1] - 1
    result = _scaled(rows, b, weight, damping, np.where(far, exponent, 0))
    too_large = ~np.isfinite(result).all(axis=-1, keepdims=True)
    if too_large.any():
        # Terms overflow, of which one may be taken from another. Once more, so small that none does: in the end, each
        # element that is too large overflows by itself.
        result = np.where(too_large, _scaled(rows, b, weight, damping, exponent + _HEADROOM), result)
    return result


def _scaled(rows: Rows, b: NDArray, weight: NDArray, damping: NDArray, exponent: NDArray) -> Any:
    """Solved for b / 2^exponent, one exponent a row, and multiplied back."""
    if not exponent.any():
        return _solve_in_range(rows, b, weight, damping)
    return np.ldexp(_solve_in_range(rows, np.ldexp(b, -exponent), weight, damping), exponent)


def _solve_in_range(rows: Rows, b: NDArray, weight: NDArray, damping: NDArray) -> Any:
    weight, damping = weight[..., None], damping[..., None]
    t = damping / weight
    damped = damping > 0.0
    bbar, bbar_lo = _mean(rows.on_support(b), rows)
    system = _System(rows, b, bbar, bbar_lo, t)
    shift = np.where(damped, bbar / damping, 0.0)
    ratio = system.ratio() if np.any(damped) else 0.0
    mean = 0.0 if np.all(damped) else system.mean()
    with_J = np.isfinite(t) & (weight > 0.0)
    result = np.empty(np.broadcast_shapes(b.shape, rows.p.shape), b.dtype)
    for s in _sums.stretches(rows.n):
        x: Any = system.centred(s) - np.where(damped, system.ap(s) * ratio, mean)
        plain = np.where(damped, b[..., s] / damping, 0.0)  # where J has no part in it
        of_J = rows.support[..., s] & (with_J | np.isnan(rows.p[..., s]))
        result[..., s] = np.where(of_J, shift + x / weight, plain)
    return result


@dataclass(frozen=True, eq=False, repr=False)
class _System:
    """The terms of the closed forms, stretch by stretch: 0 off the support."""

    rows: Rows
    b: NDArray
    bbar: NDArray
    bbar_lo: NDArray
    t: NDArray

    def centred(self, s: slice) -> Any:
        """A c, with A = 1 / (p + t) and c = b - bbar as hi + lo."""
        support = self.rows.support[..., s]
        hi, lo = _sums.two_sum(np.where(support, self.b[..., s], 0.0), -self.bbar)
        d = self.rows.p[..., s] + self.t
        return np.where(support, hi / d + (lo - self.bbar_lo) / d, 0.0)

    def ap(self, s: slice) -> Any:
        """A p."""
        p = self.rows.p[..., s]
        return np.where(self.rows.support[..., s], p / (p + self.t), 0.0)

    def ratio(self) -> Any:
        """Sum of A c over the sum of A p."""
        return _sums.summed(self.rows.n, self.centred) / _sums.summed(self.rows.n, self.ap)

    def mean(self) -> Any:
        """Mean of A c over the support."""
        size = np.maximum(self.rows.size, 1)[..., None]
        return _sums.summed(self.rows.n, self.centred) / size


def _mean(x: NDArray, rows: Rows) -> tuple[Any, Any]:
    """Mean over the support as hi + lo, shape (..., 1)."""
    hi, lo = (part[..., None] for part in _sums.total(x, bits=90))
    size = np.maximum(rows.size, 1)[..., None].astype(x.dtype)
    mean = hi / size
    rest = _remainder(hi, mean, size)
    return mean, (rest + lo) / size


def _remainder(a: NDArray, quotient: NDArray, b: NDArray) -> Any:
    """A - quotient * b exactly, for a b of few digits: the quotient is cut in two halves."""
    scale = 2.0 ** ((np.finfo(a.dtype).nmant + 2) // 2) + 1.0
    upper = quotient * scale
    upper = upper - (upper - quotient)
    return (a - upper * b) - (quotient - upper) * b
