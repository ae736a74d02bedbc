"""Roots of the sum of w_j / (d_j - x), one between each two poles, found as an offset from the nearer of the two.

So a root that almost touches its pole keeps its digits. All roots are iterated side by side, and each is left alone as
soon as it is found: what it is does not depend on the others.
"""

from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.operator import _sums

_MOST_STEPS = 200  # each halves the bracket if it does nothing better


def roots_between(d: NDArray, w: NDArray, left: NDArray, right: NDArray) -> tuple[NDArray, NDArray]:
    """The root between the neighbouring poles left and right: its nearer pole, and the offset from that.

    d: poles, shape (roots, n), in each row those up to left before those from right on. w: their weights, all positive
    where d is, shape (n,) or (roots, n). left, right: shape (roots, 1). Poles d = 0 have no weight.

    Each step fits c + a / (left - x) + b / (right - x), where a and b take the slope of the poles to the left and to
    the right; a step out of the bracket is replaced by halving.
    Source: the middle way of Li 1993, Solving secular equations stably and efficiently; run by tests/test_operator.py.
    """
    unit = _unit(np.max(d, axis=-1, keepdims=True), right)
    w = np.ascontiguousarray(np.broadcast_to(w, d.shape)) / unit
    d, left, right = np.ascontiguousarray(d) / unit, left / unit, right / unit
    lefts = np.count_nonzero(d <= left, axis=-1, keepdims=True)
    gap = right - left
    # The sign in the middle tells which pole is nearer.
    middle = np.sum(w / ((d - left) - 0.5 * gap), axis=-1, keepdims=True)
    origin = np.where(middle >= 0.0, left, right)
    delta = d - origin
    to_left, to_right = left - origin, right - origin
    low = np.where(middle >= 0.0, 0.0, -0.5 * gap)
    high = np.where(middle >= 0.0, 0.5 * gap, 0.0)
    x = _first(delta, w, to_left, to_right, low, high)
    roots = np.empty_like(x)
    found = np.arange(len(x))  # where in `roots` those belong that are still iterated
    going = np.ones(len(x), bool)
    eps = np.finfo(d.dtype).eps
    for _ in range(_MOST_STEPS):
        value, size, of_left, of_right = _sums_at(x, delta, w, lefts)
        low, high = np.where(value < 0.0, x, low), np.where(value < 0.0, high, x)
        on_left, on_right = to_left - x, to_right - x
        a, b = of_left * on_left * on_left, of_right * on_right * on_right
        c = value - of_left * on_left - of_right * on_right
        step = _root_of_fit(a, b, c, on_left, on_right, on_left * on_right * value)
        # A long step is taken from the pole: x + step would lose the digits of a root close to it.
        far = np.abs(step) > 0.25 * np.abs(x)
        from_pole = _root_of_fit(a, b, c, to_left, to_right, np.where(to_left == 0.0, a * to_right, b * to_left))
        new = np.where(far, from_pole, x + step)
        inside = (new >= low) & (new <= high) & (new != 0.0)
        new = np.where(inside, new, _halved(low, high))
        # At the end the value is the rounding error of its own sum. The step that it gives is still taken.
        done = (value == 0.0) | (np.abs(new - x) <= 2.0 * eps * np.abs(x)) | (np.abs(value) <= 2.0 * eps * size)
        x = np.where(value == 0.0, x, new)
        ends = going & done[:, 0]
        roots[found[ends]] = x[ends]
        going = going & ~ends
        if not going.any():
            break
        if 2 * np.count_nonzero(going) <= len(found):
            found = found[going]
            x, low, high, to_left, to_right = (part[going] for part in (x, low, high, to_left, to_right))
            delta, w, lefts = delta[going], w[going], lefts[going]
            going = np.ones(len(found), bool)
    roots[found[going]] = x[going]
    return origin * unit, roots * unit


def _unit(largest: NDArray, right: NDArray) -> Any:
    """A power of two to count in, such that neither squares of what is like `right` overflow, nor poles are lost.

    `right` is moved up to 2^400, which leaves room for the smallest p below and for squares above; less where the
    largest pole would overflow.
    """
    most = np.finfo(right.dtype).maxexp
    exponent = np.maximum(np.frexp(right)[1] - most * 2 // 5, np.frexp(largest)[1] - (most - 64))
    return np.ldexp(np.ones((), right.dtype), exponent)


def _sums_at(x: NDArray, delta: NDArray, w: NDArray, lefts: NDArray) -> Any:
    """Sums at x of the terms w / (delta - x), of their sizes, and of the slopes to the left and to the right.

    lefts: how many poles are to the left, in each row the first ones.
    """
    n = delta.shape[-1]
    if n > _sums.STRETCH:
        return _sums_of_long_rows(x, delta, w, lefts)
    near = delta - x
    term = w / near
    # One after the other in memory: the left part of a row, its right part, and the next row. None of them is empty.
    starts = (np.arange(0, term.size, n)[:, None] + np.concat([np.zeros_like(lefts), lefts], axis=-1)).reshape(-1)
    below, above = np.add.reduceat(term.reshape(-1), starts).reshape(-1, 2).T[..., None]
    slope = np.divide(term, near, out=near)
    of_left, of_right = np.add.reduceat(slope.reshape(-1), starts).reshape(-1, 2).T[..., None]
    return below + above, above - below, of_left, of_right


def _sums_of_long_rows(x: NDArray, delta: NDArray, w: NDArray, lefts: NDArray) -> Any:
    """The same a stretch at a time."""
    sums: Any = np.zeros(4)
    for s in _sums.stretches(delta.shape[-1]):
        near, left = delta[..., s] - x, np.arange(s.start, s.stop) < lefts
        term = w[..., s] / near
        slope = term / near
        parts = (term, np.abs(term), np.where(left, slope, 0.0), np.where(left, 0.0, slope))
        sums = [before + np.sum(part, axis=-1, keepdims=True) for before, part in zip(sums, parts, strict=True)]
    return sums


def _root_of_fit(a: NDArray, b: NDArray, c: NDArray, left: NDArray, right: NDArray, constant: NDArray) -> Any:
    """The root of c + a / (left - x) + b / (right - x) between left and right, by the formula that does not cancel.

    constant: c left right + a right + b left, the last coefficient of that equation as a polynomial.
    """
    linear = c * (left + right) + a + b
    root = np.sqrt(np.maximum(linear * linear - 4.0 * c * constant, 0.0))
    return np.where(linear > 0.0, 2.0 * constant / (linear + root), (linear - root) / (2.0 * c))


def _halved(low: NDArray, high: NDArray) -> Any:
    """The middle of a bracket; of one that reaches to the pole, far closer to the pole."""
    at_pole = (low == 0.0) | (high == 0.0)
    return np.where(at_pole, (low + high) * 2.0**-10, 0.5 * (low + high))


def _first(delta: NDArray, w: NDArray, to_left: NDArray, to_right: NDArray, low: NDArray, high: NDArray) -> Any:
    """A first guess: the two poles as they are, the others as they act in the middle of the gap."""
    x = np.where(low == 0.0, high, low)
    ends = (delta == to_left) | (delta == to_right)
    rest = np.sum(np.where(ends, 0.0, w / (delta - x)), axis=-1, keepdims=True)
    a = np.sum(np.where(delta == to_left, w, 0.0), axis=-1, keepdims=True)
    b = np.sum(np.where(delta == to_right, w, 0.0), axis=-1, keepdims=True)
    guess = _root_of_fit(a, b, rest, to_left, to_right, np.where(to_left == 0.0, a * to_right, b * to_left))
    return np.where((guess > low) & (guess < high), guess, _halved(low, high))
