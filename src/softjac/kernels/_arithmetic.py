"""The arithmetic that the reference is written in: plain here, in array-API operations; `_pairs` has the careful one.

A pair (hi, lo) stands for the number hi + lo. Plain arithmetic has lo = 0.0, but for differences of data.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Array = Any
Pair = tuple[Array, Any]


@dataclass(frozen=True, eq=False, repr=False)
class Arithmetic:
    """The operations of one array library in one dtype.

    xp: array-API namespace. dtype: the dtype computed in. device: where new arrays are made, if that has to be said.
    exact_differences: `difference` also returns what a - b lost. For dtypes no wider than the data: there, rounding
    z - m costs up to hundreds of ulp.
    """

    xp: Any
    dtype: Any
    exact_differences: bool
    device: Any = None

    scale = 1.0  # `exp_scaled` returns exponentials times this power of two

    @cached_property
    def finfo(self) -> Any:
        """Limits of the dtype."""
        return self.xp.finfo(self.dtype)

    @cached_property
    def most_digits(self) -> float:
        """Log to base 2 of the largest number."""
        return math.log2(self.finfo.max)

    def shrink(self, *largest: Array) -> list[Array]:
        """Powers of two for numbers up to each of these: times them, their sums and their product stay finite.

        They are 1 unless that is needed, and no smaller than is needed, so that small results are not lost.
        """
        xp, most = self.xp, self.most_digits - 24.0
        digits = [xp.log2(xp.where(x > 0.0, x, 1.0)) for x in largest]
        excess = [xp.where(d > most, xp.ceil(d - most), 0.0) for d in digits]
        rest = sum(d - e for d, e in zip(digits, excess, strict=True)) - most
        share = xp.where(rest > 0.0, xp.ceil(rest / len(largest)), 0.0)
        return [2.0 ** (-(e + share)) for e in excess]

    def positions(self, n: int) -> Array:
        """0, 1, ... n - 1, on the device of the other arrays."""
        return self.xp.arange(n) if self.device is None else self.xp.arange(n, device=self.device)

    def two_sum(self, a: Array, b: Array) -> Pair:
        """A + b and the rounding error of that sum, exactly (while nothing overflows).

        Source: Knuth, The Art of Computer Programming 2, 4.2.2; run by tests/test_reference.py.
        """
        s = a + b
        b_part = s - a
        return s, (a - (s - b_part)) + (b - b_part)

    def difference(self, a: Array, b: Array) -> Pair:
        """A - b as a pair. Where a - b overflows, the pair is (inf, 0)."""
        if not self.exact_differences:
            return a - b, 0.0
        hi, lo = self.two_sum(a, -b)
        return hi, self.xp.where(self.xp.isfinite(hi), lo, 0.0)

    def add(self, a: Pair, b: Pair) -> Pair:
        """Sum of two pairs."""
        return a[0] + b[0], a[1] + b[1]

    def multiply(self, a: Pair, b: Pair) -> Pair:
        """Product of two pairs: the same bits in either order."""
        return a[0] * b[0], 0.0

    def divide(self, a: Pair, b: Pair) -> Pair:
        """Quotient of two pairs."""
        return a[0] / b[0], 0.0

    def exp_scaled(self, x: Pair) -> Pair:
        """Exponential of a pair, for x <= 0, times `scale`: exp(hi) + exp(hi) * lo."""
        e = self.xp.exp(x[0])
        return e + e * x[1], 0.0

    def log1p(self, x: Pair) -> Pair:
        """log(1 + x) of a pair, for x >= 0."""
        return self.xp.log1p(x[0]), 0.0

    def log_of_power(self, k: Array) -> Pair:
        """Log of 2^k for whole numbers k, k ln 2."""
        return k * math.log(2.0), 0.0 * k

    def sum(self, x: Pair) -> Pair:
        """Sum along the last axis, which stays with length 1."""
        return self.xp.sum(x[0], axis=-1, keepdims=True), 0.0

    def keep(self, where: Array, x: Pair) -> Pair:
        """The pair where the condition holds, else 0."""
        return self.xp.where(where, x[0], 0.0), 0.0

    def round(self, x: Pair) -> Array:
        """Hi + lo as one number."""
        return x[0] + x[1]

    def unscale(self, x: Pair, times: int = 1) -> Array:
        """A pair that carries the `scale` so many times, as one number without it."""
        return self.round(x) if self.scale == 1.0 else self.round(x) / self.scale**times
