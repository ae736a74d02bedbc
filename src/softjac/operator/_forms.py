"""Quadratic forms of J: variances and covariances under p."""

from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.jacobian import softmax_vjp
from softjac.operator import _core, _sums
from softjac.operator._rows import Rows


def product(rows: Rows, weight: NDArray, damping: NDArray, x: NDArray) -> Any:
    """(weight * J + damping * I) x, shape (..., n)."""
    result = softmax_vjp(None, rows.on_support(x) if rows.has_zeros else x, probs=rows.p)
    if np.isnan(rows.q_k).any():
        result = np.where(rows.support, result, 0.0)
    if np.all(weight == 1.0) and np.all(damping == 0.0):
        return result
    return weighted(rows, weight, damping, result, x)


def weighted(rows: Rows, weight: NDArray, damping: NDArray, of_J: NDArray, of_identity: Any) -> Any:
    """Weight times one vector, plus damping times another. A factor of 0 leaves nothing, not even of infinity."""
    weight, damping = weight[..., None], damping[..., None]
    of_J = np.where((weight > 0.0) | np.isnan(rows.q_k)[..., None], weight * of_J, 0.0)
    return of_J + np.where(damping > 0.0, damping * of_identity, 0.0)


def quad(rows: Rows, weight: NDArray, damping: NDArray, x: NDArray) -> Any:
    """x^T (weight * J + damping * I) x. Shape (..., n) -> (...).

    With J that is the variance of x under p, sum of p_i (x_i - xbar)^2.

    Centred twice: first at the largest p and the mean from there, so that the second mean is small, and what is squared
    has no error but its own.
    """
    return _core.rows_of("quad", _quad, rows, weight, damping, x)


def _quad(rows: Rows, weight: NDArray, damping: NDArray, x: NDArray) -> Any:
    variance = _variance(rows, x)
    if np.all(weight == 1.0) and np.all(damping == 0.0):
        return variance
    length = np.sum(np.ascontiguousarray(x * x), axis=-1)
    return weighted(rows, weight, damping, variance[..., None], length[..., None])[..., 0]


def _variance(rows: Rows, x: NDArray) -> Any:
    """In units of the largest x, so that no square overflows."""
    if rows.n == 0:
        return np.zeros(np.broadcast_shapes(rows.batch, x.shape[:-1]), x.dtype)
    x = rows.on_support(x)
    size = np.max(np.abs(x), axis=-1, keepdims=True)
    unit = np.ldexp(np.ones((), x.dtype), np.where(np.isfinite(size), np.frexp(size)[1] - 1, 0))
    p, at_k = rows.p, rows.at_k(x) / unit
    centre = at_k + _sums.summed(rows.n, lambda s: p[..., s] * (x[..., s] / unit - at_k))
    rest = _sums.summed(rows.n, lambda s: p[..., s] * (x[..., s] / unit - centre))
    square = _sums.summed(rows.n, lambda s: p[..., s] * ((x[..., s] / unit - centre) - rest) ** 2)
    result = square[..., 0] * unit[..., 0] * unit[..., 0]
    endless = np.isinf(size[..., 0])
    if not endless.any():
        return result
    limit = np.where(np.isnan(rows.p).any(axis=-1), np.nan, np.where(rows.size > 1, np.inf, 0.0))
    return np.where(endless, limit, result)


def diagonal(rows: Rows) -> Any:
    """The diagonal p (1 - p), shape batch + (n,)."""
    return _core.rows_of("diagonal", _diagonal, rows, _core.ONE, _core.ZERO)


def trace(rows: Rows, weight: NDArray, damping: NDArray, x: None) -> Any:
    """The trace of weight * J + damping * I, shape batch."""
    del x
    hi, lo = _sums.total(rows.on_support(rows.p * rows.q))
    return weight * (hi + lo) + damping * rows.n


def _diagonal(rows: Rows, weight: NDArray, damping: NDArray, x: None) -> Any:
    del weight, damping, x
    return rows.on_support(rows.p * rows.q)


def sandwich(rows: Rows, a: NDArray) -> Any:
    """A J A^T, the covariance of A y for a draw y: B diag(p) B^T, B the rows of A centred. Symmetric to the bit."""
    rows = rows.expanded()
    w = rows.on_support(a)
    if rows.n:
        w = w - rows.at_k(w)
        w = rows.on_support(w - np.sum(rows.p * w, axis=-1, keepdims=True)) * np.sqrt(rows.p)
    return w @ np.swapaxes(w, -1, -2)
