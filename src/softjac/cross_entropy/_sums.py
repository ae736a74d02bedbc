"""Sums of rows that are not negative, as hi + lo."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from softjac import kernels
from softjac._arguments import NDArray
from softjac.kernels._arithmetic import Pair
from softjac.kernels.numpy import arithmetic_for


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


_core = getattr(kernels.native, "sum_of_losses", None)
_SPLIT = 2.0**27 + 1.0
_TOGETHER = 1 << 11  # rows that are worked on together, so that what is in between stays in the cache
_FEW = 32
_FAR = 2.0**900  # rows beyond it are added in units of 2^200


def blockwise(function: Callable[..., Sequence[NDArray]], results: int, dtype: Any, *arrays: Any) -> list[NDArray]:
    """What a function makes of arrays of one shape, some rows at a time: so many arrays of that shape."""
    flat = [x.reshape(-1) for x in arrays]
    made = [np.empty(flat[0].size, dtype) for _ in range(results)]
    for start in range(0, flat[0].size, _TOGETHER):
        block = slice(start, start + _TOGETHER)
        for whole, part in zip(made, function(*(x[block] for x in flat)), strict=True):
            whole[block] = part
    return [whole.reshape(arrays[0].shape) for whole in made]


class Total:
    """A sum that rows are added to, as s + rest, in a unit: 1, or 2^200 where it might overflow.

    Rows are not negative. They are cut at one place, high enough that the upper parts add up without rounding; what is
    below is so small that its rounding does not matter.
    Source: the error-free vector transformation of Rump, Ogita and Oishi 2008, Accurate floating-point summation; run
    by tests/test_cross_entropy_sums.py.
    """

    def __init__(self, dtype: "np.dtype[Any]") -> None:
        self._a = arithmetic_for(dtype)
        self.s, self.rest, self.unit = dtype.type(0.0), dtype.type(0.0), 1.0

    def add(self, hi: NDArray, lo: NDArray | None, times: NDArray | None = None) -> None:
        """Add all of (hi + lo) times what the rows count."""
        if times is None and self._add_by_core(hi, lo):
            return
        hi = hi.reshape(-1)
        lo = np.zeros_like(hi) if lo is None else lo.reshape(-1)
        times = None if times is None else times.reshape(-1)
        if times is None and len(hi) <= _FEW and self.s == 0.0 and self._add_few(hi, lo):
            return
        step = 8 * _TOGETHER if times is None else _TOGETHER
        for start in range(0, len(hi), step):
            block = slice(start, start + step)
            self._add_block(hi[block], lo[block], None if times is None else times[block])

    def _add_by_core(self, hi: NDArray, lo: NDArray | None) -> bool:
        """By the compiled core, where it serves this: float64, and a sum that is finite and far from overflow."""
        if _core is None or self.unit != 1.0 or not -_FAR < self.s < _FAR:
            return False
        both = _core(hi, lo)
        if both is NotImplemented:
            return False
        self.s, lost = self._a.two_sum(self.s, both[0])
        self.rest = self.rest + (lost + both[1])
        return True

    def _add_few(self, hi: NDArray, lo: NDArray) -> bool:
        if hi.dtype != np.float64:
            return False
        parts = [*hi.tolist(), *lo.tolist()]
        try:
            s = math.fsum(parts)
        except (OverflowError, ValueError):  # the latter for +inf beside -inf
            return False
        if not -_FAR < s < _FAR:
            return False
        self.s, self.rest = s, math.fsum([*parts, -s])
        return True

    def _add_block(self, hi: NDArray, lo: NDArray, times: NDArray | None) -> None:
        most = 1.0 if times is None else max(float(np.max(times)), 1.0)
        largest = np.max(hi)
        if not np.isfinite(largest):  # +inf or NaN, and nothing is negative
            self.s, self.rest = self.s + largest, self.s * 0.0
            return
        if np.isinf(self.s) or np.isnan(self.s):
            return
        if self.unit == 1.0 and largest > _FAR / most:
            self.unit = 2.0**200
            self.s, self.rest = self.s / self.unit, self.rest / self.unit
        pair: Pair = (hi, lo) if self.unit == 1.0 else (hi / self.unit, lo / self.unit)
        if times is not None:
            pair = self._a.multiply(pair, (times, np.zeros_like(times)))
            largest = np.max(pair[0])
        elif self.unit != 1.0:
            largest = largest / self.unit
        cut = np.ldexp(hi.dtype.type(1.0), int(np.frexp(largest)[1]) + len(hi).bit_length() + 1)
        upper = (cut + pair[0]) - cut
        self.s, lost = self._a.two_sum(self.s, np.sum(upper))
        self.rest = self.rest + (lost + (np.sum(pair[0] - upper) + np.sum(pair[1])))

    @property
    def pair(self) -> tuple[Any, Any]:
        """The sum as hi + lo, the unit undone."""
        hi = self.s + self.rest
        return hi * self.unit, ((self.s - hi) + self.rest) * self.unit

    def divided(self, denominator: tuple[Any, Any] | None) -> Any:
        """The sum, or its quotient, rounded once."""
        pair = self._a.two_sum(self.s, self.rest)
        if denominator is not None:
            pair = self._a.divide(pair, denominator)
        return self._a.round(pair) * self.unit
