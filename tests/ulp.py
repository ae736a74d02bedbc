"""How far a float is from the truth: in units in the last place, and as a share of what a budget allows."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb

from softjac.check.oracle import Truth, exact, working_precision
from softjac.check.ulp import Format, allowed, ulp


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
    """Error of the result over what is allowed; at most 1 is within the budget."""
    y = truth.value
    if not y.is_finite():
        return 0.0 if np.array_equal(float(y), float(result), equal_nan=True) else float("inf")
    if np.isnan(result):
        return float("inf")
    with working_precision(256):
        most = allowed(truth, fmt, ulps, factor)
        error = distance(result, y, fmt)
        if error.is_zero():
            return 0.0
        return float((error / most).abs_upper()) if most > 0 else float("inf")


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
