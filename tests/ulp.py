"""How far a float is from the truth: in units in the last place, and as a share of what a budget allows."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from flint import arb

from oracle import Truth, exact, working_precision


@dataclass(frozen=True)
class Format:
    """A float format: P bits of precision, exponents of normal numbers from emin to emax, as in 2^emin."""

    P: int
    emin: int
    emax: int

    @property
    def u(self) -> float:
        """Half the distance from 1 to the next number."""
        return 2.0**-self.P


@cache
def format_of(dtype: Any) -> Format:
    name = np.dtype(dtype).name
    known = {
        "float16": Format(11, -14, 15),
        "bfloat16": Format(8, -126, 127),
        "float32": Format(24, -126, 127),
        "float64": Format(53, -1022, 1023),
    }
    if name in known:
        return known[name]
    finfo = np.finfo(dtype)
    return Format(finfo.nmant + 1, int(finfo.minexp), int(finfo.maxexp) - 1)


def ulp(y: arb, fmt: Format) -> arb:
    """2^max(floor(log2|y|) - P + 1, emin - P + 1) of the exact y: also where y rounds to 0 or to infinity."""
    mantissa, exponent = y.abs_lower().man_exp()
    lowest = fmt.emin - fmt.P + 1
    if mantissa == 0:
        return arb(2) ** lowest
    floor_log2 = int(mantissa).bit_length() - 1 + int(exponent)
    return arb(2) ** max(floor_log2 - fmt.P + 1, lowest)


def distance(result: Any, y: arb, fmt: Format) -> arb:
    """|result - y|. An infinite result stands for 2^(emax + 1) and all that lies beyond it."""
    if np.isinf(result):
        top = arb(2) ** (fmt.emax + 1)
        signed = y if result > 0 else -y
        return arb(0) if signed >= top else top - signed
    return abs(exact(result) - y)


def error_ulps(result: Any, y: arb, fmt: Format) -> float:
    """Distance in ulp(y); infinite for a NaN."""
    if np.isnan(result):
        return float("inf")
    with working_precision(256):
        return float((distance(result, y, fmt) / ulp(y, fmt)).abs_upper())


def share(result: Any, truth: Truth, fmt: Format, ulps: float, factor: float) -> float:
    """Error of the result over what is allowed: ulps * ulp(y) + factor * scale; at most 1 is within the budget.

    What truth.underflow names comes on top, and where the budget is a factor alone half an ulp of a subnormal result:
    no arithmetic could do without them.
    """
    y = truth.value
    if not y.is_finite():
        return 0.0 if np.array_equal(float(y), float(result), equal_nan=True) else float("inf")
    if np.isnan(result):
        return float("inf")
    with working_precision(256):
        allowed = ulps * ulp(y, fmt) + factor * truth.scale + truth.underflow
        if not ulps and abs(y) - allowed < arb(2) ** fmt.emin:
            allowed += arb(2) ** (fmt.emin - fmt.P)
        error = distance(result, y, fmt)
        if error.is_zero():
            return 0.0
        return float((error / allowed).abs_upper()) if allowed > 0 else float("inf")


@dataclass
class Worst:
    """The worst of many results, and where it was."""

    share: float = 0.0
    ulps: float = 0.0
    checked: int = 0
    outside: int = 0
    where: list[str] = field(default_factory=list)

    def add(self, label: object, result: Any, truth: Truth, fmt: Format, ulps: float, factor: float) -> None:
        self.checked += 1
        found = share(result, truth, fmt, ulps, factor)
        self.share = max(self.share, found)
        if found > 1.0:
            self.outside += 1
            if len(self.where) < 8:
                off = error_ulps(result, truth.value, fmt) if truth.value.is_finite() else float("nan")
                self.where.append(
                    f"{label}: got {result!r}, exactly {truth.value.str(25)}: {found:.4g} of the budget, {off:.4g} ulp"
                )

    def check(self, at_least: int = 1) -> None:
        assert self.checked >= at_least, f"only {self.checked} results were checked, expected {at_least}"
        lines = "\n  ".join(self.where)
        assert not self.outside, f"{self.outside} of {self.checked} results are outside their budget:\n  {lines}"
