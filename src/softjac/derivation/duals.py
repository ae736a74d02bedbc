"""Numbers that carry a derivative: dual numbers over `decimal`, nested by level.

A Dual is value + slope * e with e * e = 0, and each Derivative has an e of its own, its level: the derivative of a
derivative is a Dual of Duals. The higher level is outside. Tests: tests/test_derivation_duals.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Dual:
    """A value and its slope, by the variable of one level."""

    level: int
    value: "Real"
    slope: "Real"

    def __add__(self, other: "Real") -> "Dual":
        level, a, b = aligned(self, other)
        return Dual(level, a.value + b.value, a.slope + b.slope)

    __radd__ = __add__

    def __neg__(self) -> "Dual":
        return Dual(self.level, -self.value, -self.slope)

    def __mul__(self, other: "Real") -> "Dual":
        level, a, b = aligned(self, other)
        return Dual(level, a.value * b.value, a.slope * b.value + a.value * b.slope)

    __rmul__ = __mul__

    def __truediv__(self, other: "Real") -> "Dual":
        level, a, b = aligned(self, other)
        return Dual(level, a.value / b.value, (a.slope * b.value - a.value * b.slope) / (b.value * b.value))

    def __rtruediv__(self, other: Decimal) -> "Dual":
        return Dual(self.level, other, ZERO) / self

    def __sub__(self, other: "Real") -> "Dual":
        return self + -other

    def __rsub__(self, other: Decimal) -> "Dual":
        return -self + other


Real: TypeAlias = Decimal | Dual


def aligned(a: "Real", b: "Real") -> tuple[int, Dual, Dual]:
    """Both as Duals of the higher level of the two."""
    level = max(x.level for x in (a, b) if isinstance(x, Dual))
    return level, at_level(a, level), at_level(b, level)


def at_level(x: "Real", level: int) -> Dual:
    """As a Dual of that level; what does not depend on its variable has slope zero."""
    return x if isinstance(x, Dual) and x.level == level else Dual(level, x, ZERO)


def exp(x: "Real", of: Callable[[Decimal], Decimal] = Decimal.exp) -> "Real":
    """E to the x; `of` is the exponential of a plain number."""
    if isinstance(x, Decimal):
        return of(x)
    value = exp(x.value, of)
    return Dual(x.level, value, value * x.slope)


def log(x: "Real", of: Callable[[Decimal], Decimal] = Decimal.ln) -> "Real":
    """Natural logarithm; `of` is the logarithm of a plain number."""
    if isinstance(x, Decimal):
        return of(x)
    return Dual(x.level, log(x.value, of), x.slope / x.value)


def power(x: "Real", exponent: "Real") -> "Real":
    """Base to the exponent: by multiplying for whole exponents, so any base may have them, else by exp and log."""
    if isinstance(exponent, Decimal) and exponent == exponent.to_integral_value() and abs(exponent) <= 64:
        result: Real = ONE
        for _ in range(abs(int(exponent))):
            result = result * x
        return ONE / result if exponent < 0 else result
    return exp(exponent * log(x))
