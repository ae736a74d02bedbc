"""Sums of rows that are not negative, as hi + lo."""

import math
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from softjac._arguments import NDArray


@lru_cache(maxsize=64)
def inverse(n: int) -> tuple[float, float]:
    """1 / n as hi + lo."""
    hi = 1.0 / n
    return hi, _remainder(1.0, hi, float(n)) / n


def quotient(s: float, rest: float, n: float) -> float:
    """(s + rest) / n, rounded once. n is a whole number below 2^53."""
    q = s / n
    return q + (_remainder(s, q, n) + rest) / n if -_FAR < q < _FAR else q


def _remainder(s: float, q: float, n: float) -> float:
    """S - q * n exactly. Source: Dekker 1971, with Veltkamp's splitting; run by tests/test_cross_entropy_sums.py."""
    product, a, b = q * n, q * _SPLIT, n * _SPLIT
    q_hi, n_hi = a - (a - q), b - (b - n)
    q_lo, n_lo = q - q_hi, n - n_hi
    return (s - product) - (((q_hi * n_hi - product) + (q_hi * n_lo + q_lo * n_hi)) + q_lo * n_lo)


_SPLIT = 2.0**27 + 1.0
_TOGETHER = 1 << 14  # rows that are added together, so that what is in between stays in the cache
_FEW = 32
_FAR = 2.0**900  # rows beyond it are added in units of 2^200


def total(hi: NDArray, lo: NDArray) -> tuple[Any, Any, float]:
    """Sum of all hi + lo as hi + lo, and the unit that it is in: 1, or 2^200 where it might overflow.

    Rows are cut at one place, high enough that the upper parts add up without rounding; what is below is so small that
    its rounding does not matter.
    Source: the error-free vector transformation of Rump, Ogita and Oishi 2008, Accurate floating-point summation; run
    by tests/test_cross_entropy_sums.py.
    """
    hi, lo = hi.reshape(-1), lo.reshape(-1)
    n = len(hi)
    if n == 1:
        return hi[0], lo[0], 1.0
    if n <= _FEW and hi.dtype == np.float64:
        parts = [*hi.tolist(), *lo.tolist()]
        with suppress(OverflowError, ValueError):  # the latter for +inf beside -inf
            s = math.fsum(parts)
            if -_FAR < s < _FAR:
                parts.append(-s)
                return s, math.fsum(parts), 1.0
    largest = np.max(hi, initial=0.0)
    if not np.isfinite(largest):  # +inf or NaN, and nothing is negative
        return largest, hi.dtype.type(0.0), 1.0
    unit = 2.0**200 if largest > _FAR else 1.0
    s, rest = hi.dtype.type(0.0), hi.dtype.type(0.0)
    cut = np.ldexp(hi.dtype.type(1.0), int(np.frexp(largest / unit)[1]) + n.bit_length() + 1)
    for start in range(0, n, _TOGETHER):
        rows, low = hi[start : start + _TOGETHER], lo[start : start + _TOGETHER]
        if unit != 1.0:
            rows, low = rows / unit, low / unit
        upper = (cut + rows) - cut
        s = s + np.sum(upper)
        rest = rest + (np.sum(rows - upper) + np.sum(low))
    return s, rest, unit
