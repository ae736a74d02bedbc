"""Solving with alpha J + beta p p^T + t I, in closed form, for beta > 0.

On the support, with d = alpha p + t:

    m = (sum of p b / d) / (sum of p (t + beta p) / d)      the mean of x under p
    x = m + (b - m (t + beta p)) / d

Off the support x is b / t, and 0 without damping. In careful arithmetic, because b - m (t + beta p) is small for the
b that gradients are. For alpha = t = 0 the matrix is beta p p^T, and x is p (sum of p b) / (beta (sum of p^2)^2).
Source: the rows of (alpha J + beta p p^T + t I) x = b say d_i x_i + (beta - alpha) p_i m = b_i, and the p sum to one;
run by tests/test_cross_entropy_hessian.py.
"""

from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.cross_entropy import _checks
from softjac.errors import ArgumentError
from softjac.kernels._arithmetic import Arithmetic, Pair
from softjac.kernels.cross_entropy_numpy import blocks
from softjac.kernels.numpy import arithmetic_for


def solve(p: NDArray, b: NDArray, alpha: NDArray, beta: NDArray, damping: NDArray) -> NDArray:
    """The x of least norm among those of least squares, shape (..., n). Rows with beta = 0 are left 0.

    Raises ArgumentError where alpha < 0 and damping make a row singular.
    """
    a = arithmetic_for(p.dtype)
    shape = np.broadcast_shapes(b.shape, p.shape)
    p, b = np.broadcast_to(p, shape), np.broadcast_to(b, shape)
    of_row = [np.broadcast_to(x, shape[:-1]) for x in (alpha, beta, damping)]
    result = np.zeros(shape, p.dtype)
    start = 0
    for block in blocks(shape[:-1], shape[-1]):
        columns = [x[block][..., None] for x in of_row]
        x, singular = _block(a, p[block], b[block], *columns)
        if singular.any():
            row = np.unravel_index(start + int(np.argmax(singular[..., 0])), shape[:-1])
            raise ArgumentError(
                f"damping is {float(of_row[2][row]):g}, but with it the Hessian is singular"
                f"{_checks.of_place('row', tuple(int(i) for i in row))} (its weight is {float(of_row[0][row]):g}): "
                "pass another damping."
            )
        result[block] = x
        start += len(x)
    return result


def _block(a: Arithmetic, p: NDArray, b: NDArray, alpha: NDArray, beta: NDArray, t: NDArray) -> tuple[Any, Any]:
    """Rows, and which of them are singular without being so for all damping."""
    support, damped, curved = p != 0.0, t > 0.0, alpha != 0.0
    size = np.max(np.abs(b), axis=-1, keepdims=True, initial=0.0)
    unit = np.where(size > 0.0, np.ldexp(p.dtype.type(1.0), np.frexp(size)[1]), 1.0)
    on: Pair = np.where(support, b / unit, 0.0), np.zeros_like(p)
    slope = np.where(curved, alpha, 1.0)
    zero, p_pair = np.zeros_like(p), (p, np.zeros_like(p))
    d = a.add(a.multiply((alpha + zero, zero), p_pair), (t + zero, zero))
    wrong = np.any(support & damped & (d[0] == 0.0), axis=-1, keepdims=True)
    d = np.where(support & (d[0] != 0.0), d[0], 1.0), np.where(support, d[1], 0.0)
    inverse = a.divide((np.ones_like(p), zero), (slope + zero, zero))
    share = _choose(damped, a.divide(p_pair, d), a.keep(support, inverse))  # p / d
    spread = a.add((t + zero, zero), a.multiply((beta + zero, zero), p_pair))  # t + beta p
    numerator, denominator = a.sum(a.multiply(share, on)), a.sum(a.multiply(share, spread))
    wrong |= (denominator[0] == 0.0) & (curved | damped) & (beta > 0.0) & np.any(support, axis=-1, keepdims=True)
    denominator = np.where(denominator[0] == 0.0, 1.0, denominator[0]), denominator[1]
    m = a.divide(numerator, denominator)
    m = m[0] + zero, m[1] + zero
    rest = a.add(on, _negative(a.multiply(m, spread)))
    undamped = a.divide(a.divide(rest, (np.where(support, p, 1.0), zero)), (slope + zero, zero))
    x = a.add(m, _choose(damped, a.divide(rest, d), undamped))
    rank_one = a.multiply(p_pair, a.sum(a.multiply(p_pair, on)))
    square = a.sum(a.multiply(p_pair, p_pair))
    rank_one = a.divide(rank_one, a.multiply((beta, 0.0 * beta), a.multiply(square, square)))
    solution = a.round(_choose(curved | damped, x, rank_one)) * unit
    plain = np.where(damped, b / np.where(damped, t, 1.0), 0.0)
    return np.where(support & (beta != 0.0), solution, plain), wrong & (beta > 0.0)


def _choose(where: NDArray, x: Pair, y: Pair) -> Pair:
    return np.where(where, x[0], y[0]), np.where(where, x[1], y[1])


def _negative(x: Pair) -> Pair:
    return -x[0], -x[1]
