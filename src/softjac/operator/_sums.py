"""Sums along the last axis that keep what rounding takes away, as pairs hi + lo."""

from collections.abc import Callable
from typing import Any

import numpy as np

from softjac._arguments import NDArray

Pair = tuple[NDArray, NDArray]


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """A + b and the rounding error of that sum, exactly. Source: Knuth, The Art of Computer Programming 2, 4.2.2."""
    s = a + b
    b_part = s - a
    return s, (a - (s - b_part)) + (b - b_part)


STRETCH = 1 << 15  # elements that are worked on together: what is in between stays in the second cache


def stretches(n: int) -> list[slice]:
    """The elements of long rows, a stretch at a time; a short row is one."""
    return [slice(start, min(start + STRETCH, n)) for start in range(0, max(n, 1), STRETCH)]


def summed(n: int, term: Callable[[slice], Any]) -> Any:
    """Sum of what `term` makes of each stretch along the last axis, which stays with length 1."""
    return sum(np.sum(term(s), axis=-1, keepdims=True) for s in stretches(n))


def total(x: NDArray, *, bits: int = 64) -> Pair:
    """Sum of finite numbers as hi + lo, right to 2^-bits of itself, however it cancels. Shape (..., n) -> (...).

    Level by level, each x is cut at one place for all of its row, high enough that the upper parts add up without
    rounding; the lower parts go on to the next level, until they cannot matter any more.
    Source: the error-free vector transformation of Rump, Ogita and Oishi 2008, Accurate floating-point summation, and
    the expansions of Shewchuk 1997; run by tests/test_operator_sums.py.
    """
    n = x.shape[-1]
    if n > STRETCH:
        pieces = [total(x[..., s], bits=2 * np.finfo(x.dtype).nmant) for s in stretches(n)]
        return total(np.stack([part for pair in pieces for part in pair], axis=-1), bits=bits)
    exact: list[NDArray] = []
    one = np.ones((), x.dtype)
    digits = np.finfo(x.dtype).nmant + 1
    while n:
        largest = np.max(np.abs(x), axis=-1)
        known = _compress(exact) if exact else None
        bound = largest * n * 2.0**-digits
        if known is not None and not np.any(bound > np.abs(known[0]) * 2.0**-bits):
            break
        cut = np.ldexp(one, np.frexp(largest)[1] + (n + 1).bit_length())[..., None]
        upper = (cut + x) - cut
        upper = np.where(np.isfinite(cut), upper, x)
        exact = _grown(exact, np.sum(upper, axis=-1))
        x = x - upper
    exact = _grown(exact, np.sum(x, axis=-1))
    return _compress(exact)


def _grown(parts: list[NDArray], x: NDArray) -> list[NDArray]:
    """An expansion, smallest part first, with one number more. Nothing is lost."""
    result = []
    for part in parts:
        x, rest = two_sum(x, part)
        result.append(rest)
    return [*result, x]


def _compress(parts: list[NDArray]) -> Pair:
    """An expansion as hi + lo."""
    hi, lo = parts[-1], np.zeros_like(parts[-1])
    for part in reversed(parts[:-1]):
        hi, rest = two_sum(hi, part)
        lo = lo + rest
    return two_sum(hi, lo)


def running(x: NDArray) -> Pair:
    """Sums x_0 + ... + x_j for each j, as hi + lo. Shape (..., n) -> (..., n).

    Blocks of about sqrt(n) elements side by side, each from its first to its last; then the same for their totals.
    """
    n = x.shape[-1]
    length = max(1, int(np.ceil(np.sqrt(n)))) if n > 32 else n
    blocks = -(-n // length) if n else 0
    if n == 0:
        return x.copy(), x.copy()
    padded = np.zeros((*x.shape[:-1], blocks * length), x.dtype)
    padded[..., :n] = x
    steps = np.moveaxis(padded.reshape(*x.shape[:-1], blocks, length), -1, 0)
    hi, lo = np.empty(steps.shape, x.dtype), np.empty(steps.shape, x.dtype)
    hi[0], lo[0] = steps[0], 0.0
    for j in range(1, length):
        hi[j], error = two_sum(hi[j - 1], steps[j])
        lo[j] = lo[j - 1] + error
    if blocks > 1:
        before, before_lo = _running_pairs(hi[-1], lo[-1])
        hi[..., 1:], error = two_sum(hi[..., 1:], before[..., :-1])
        lo[..., 1:] += error + before_lo[..., :-1]
    hi, lo = two_sum(hi, lo)
    return _unblocked(hi, n), _unblocked(lo, n)


def _unblocked(steps: NDArray, n: int) -> NDArray:
    stood = np.moveaxis(steps, 0, -1)
    return stood.reshape(*stood.shape[:-2], stood.shape[-2] * stood.shape[-1])[..., :n]


def _running_pairs(hi: NDArray, lo: NDArray) -> Pair:
    """The same for numbers that are pairs."""
    sums, errors = running(hi)
    return sums, errors + np.cumsum(lo, axis=-1)


def plain_running(x: NDArray) -> NDArray:
    """Sums x_0 + ... + x_j for each j, with errors that grow with the square root of n: block by block."""
    n = x.shape[-1]
    length = int(np.sqrt(n))
    if length < 16:
        return np.cumsum(x, axis=-1)
    whole = n // length * length
    blocks = np.cumsum(x[..., :whole].reshape(*x.shape[:-1], n // length, length), axis=-1)
    blocks[..., 1:, :] += np.cumsum(blocks[..., :-1, -1], axis=-1)[..., None]
    result = np.empty_like(x)
    result[..., :whole] = blocks.reshape(*x.shape[:-1], whole)
    if whole < n:
        result[..., whole:] = result[..., whole - 1 : whole] + np.cumsum(x[..., whole:], axis=-1)
    return result
