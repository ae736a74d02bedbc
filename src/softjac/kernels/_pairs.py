"""Careful arithmetic on NumPy arrays: sums, products, quotients and exponentials keep what rounding takes away."""

from functools import cached_property
from typing import Any

import numpy as np

from softjac.kernels._arithmetic import Arithmetic, Array, Pair

# 2^256 ln 2: python -c "import mpmath; mpmath.mp.prec = 400; print(hex(int(mpmath.ln(2) * 2**256)))"
_LN2 = 0xB17217F7D1CF79ABC9E3B39803F2F6AF40F343267298B62D8A0D175B8BAAFA2B
_SCALE_BITS = 128


class Pairs(Arithmetic):
    """Arithmetic on pairs with about twice the digits of the dtype, in which results come out right to half an ulp.

    Only the logarithm is the C library's: a result with a logarithm in it has that error on top.
    Source: Dekker 1971, with Veltkamp's splitting; run by tests/test_reference.py.
    """

    scale = 2.0**_SCALE_BITS  # all that can become a subnormal probability is a normal number until the end

    def add(self, a: Pair, b: Pair) -> Pair:
        """Sum of two pairs. Where it overflows, the pair is (inf, 0)."""
        hi, lo = self.two_sum(a[0], b[0])
        return _tidy(hi, np.where(np.isfinite(hi), lo + (a[1] + b[1]), 0.0))

    def multiply(self, a: Pair, b: Pair) -> Pair:
        """Product of two pairs; its error is dropped where the dtype cannot hold it."""
        hi = a[0] * b[0]
        lo = self._product_error(a[0], b[0], hi) + (a[0] * b[1] + a[1] * b[0])
        return hi, np.where((np.abs(hi) > self._smallest_product) & np.isfinite(lo), lo, 0.0)

    def divide(self, a: Pair, b: Pair) -> Pair:
        """Quotient of two pairs."""
        hi = a[0] / b[0]
        back = hi * b[0]
        rest = (a[0] - back) - self._product_error(hi, b[0], back) + (a[1] - hi * b[1])
        return hi, np.where(np.abs(hi) > self._smallest_product, rest / b[0], 0.0)

    def exp_scaled(self, x: Pair) -> Pair:
        """2^128 e^x, from e^x = 2^k e^r, r = x - k ln 2. In e^r = 1 + r + r^2/2 + (r^3/6 + ...) only the last rounds.

        Largest error 2^-4 ulp. Below the range the result is 0.
        """
        head, tail = self._ln2
        x_hi = np.maximum(x[0], 2.0 * self.finfo.minexp * head)  # far below what has an exponential above 0
        k = np.rint(x_hi / head)
        r, r_lo = self.two_sum(x_hi - k * head, -k * tail)
        r_lo += x[1]
        beyond = np.zeros_like(r)
        for coefficient in self._coefficients:
            beyond *= r
            beyond += coefficient
        square = r * r
        beyond *= square * r
        beyond += self._product_error(r, r, square) * 0.5
        s, error = self.two_sum(np.ones_like(r), r)
        s, more = self.two_sum(s, square * 0.5)
        hi, lo = _tidy(s, (error + more) + (beyond + r_lo * (s + beyond)))
        k[np.isnan(k)] = 0.0
        power = np.ldexp(self.dtype.type(1.0), k.astype(np.intc) + _SCALE_BITS)
        return hi * power, lo * power

    def log1p(self, x: Pair) -> Pair:
        """log(1 + x) of a pair, for x >= 0."""
        s, lo = self.add((np.ones_like(x[0]), 0.0), x)
        near_0 = x[0] < 0.25  # above, the log is the better of the two in C libraries
        return np.where(near_0, np.log1p(x[0]), np.log(s)), np.where(near_0, x[1], lo) / s

    def log_of_power(self, k: Array) -> Pair:
        """Log of 2^k for whole numbers k below 2^16, k ln 2."""
        head, tail = self._ln2
        return k * head, k * tail

    def sum(self, x: Pair) -> Pair:
        """Sum along the last axis, which stays with length 1. The order of summation depends on the length alone."""
        hi, lo = x[0], x[1] + np.zeros_like(x[0])
        while (n := hi.shape[-1]) > 1:
            half = n // 2
            s, error = self.two_sum(hi[..., :half], hi[..., half : 2 * half])
            error += lo[..., :half] + lo[..., half : 2 * half]
            if n % 2:
                s, error = np.concat([s, hi[..., -1:]], axis=-1), np.concat([error, lo[..., -1:]], axis=-1)
            hi, lo = s, error
        return _tidy(hi, lo)

    def keep(self, where: Array, x: Pair) -> Pair:
        """The pair where the condition holds, else 0."""
        return np.where(where, x[0], 0.0), np.where(where, x[1], 0.0)

    def round(self, x: Pair) -> Array:
        """Hi + lo as one number, which is hi where that is infinite."""
        return np.where(np.isfinite(x[0]), x[0] + x[1], x[0])

    def unscale(self, x: Pair, times: int = 1) -> Array:
        """The same with one rounding, also where the result is a subnormal number.

        There, adding the smallest normal number rounds at the place where subnormal numbers end.
        """
        factor = self.dtype.type(2.0) ** (-times * _SCALE_BITS)
        rounded = self.round(x)
        least = self.finfo.smallest_normal / factor
        low = np.abs(rounded) < least
        if not low.any():
            return rounded * factor
        magnitude, rest = np.abs(x[0]), np.where(x[0] < 0.0, -x[1], x[1])
        s, error = self.two_sum(least, magnitude)
        return np.where(low, np.copysign(((s + (error + rest)) - least) * factor, x[0]), rounded * factor)

    def _product_error(self, a: Array, b: Array, product: Array) -> Array:
        """What product = a * b lost to rounding."""
        a_hi, a_lo = self._split(a)
        b_hi, b_lo = self._split(b)
        return ((a_hi * b_hi - product) + (a_hi * b_lo + a_lo * b_hi)) + a_lo * b_lo

    def _split(self, x: Array) -> Pair:
        """Two halves of the digits: by 2^27 + 1 in float64, by 2^32 + 1 in a longdouble of 80 bits."""
        c = x * self._splitter
        hi = c - (c - x)
        return hi, x - hi

    @cached_property
    def most_digits(self) -> float:
        """Log to base 2 of the largest number, which may be larger than Python's."""
        return float(np.log2(self.finfo.max))

    @cached_property
    def _splitter(self) -> float:
        return float(2 ** ((self.finfo.nmant + 2) // 2) + 1)

    @cached_property
    def _smallest_product(self) -> Any:
        """Products below this have an error that the dtype cannot hold."""
        return self.finfo.smallest_normal / self.finfo.eps / self.finfo.eps

    @cached_property
    def _ln2(self) -> tuple[Any, Any]:
        """Ln 2 as head + tail, where the head ends in 16 zero bits: times the exponent of any number, it is exact."""
        bits = self.finfo.nmant - 15
        head = _LN2 >> (256 - bits)
        tail = _LN2 - (head << (256 - bits))
        return np.ldexp(self.dtype.type(head), -bits), np.ldexp(self.dtype.type(tail), -256)

    @cached_property
    def _coefficients(self) -> list[Any]:
        """Of the series of e^r after r^2/2, the last first, until a term is below 2^-10 ulp for |r| <= ln(2) / 2."""
        one, factorials = self.dtype.type(1.0), [6]
        while 0.35 ** (len(factorials) + 2) / factorials[-1] > float(self.finfo.eps) * 2.0**-10:
            factorials.append(factorials[-1] * (len(factorials) + 3))
        return [one / self.dtype.type(factorial) for factorial in reversed(factorials)]


def _tidy(hi: Array, lo: Array) -> Pair:
    """The same sum with |lo| at most half an ulp of hi, for |lo| < |hi|."""
    s = hi + lo
    return s, lo - (s - hi)
