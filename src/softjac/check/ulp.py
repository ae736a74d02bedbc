"""Units in the last place of an exact number, and what an error budget allows of them. Imports nothing of softjac."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from flint import arb

from softjac.check.oracle import Truth


@dataclass(frozen=True)
class Format:
    """A float format: P bits of precision, exponents of normal numbers from emin to emax, as in 2^emin."""

    P: int
    emin: int
    emax: int

    @property
    def u(self) -> float:
        """Half the distance from 1 to the next number."""
        return float(2.0**-self.P)


@cache
def format_of(dtype: Any) -> Format:
    """The format of a dtype."""
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


def allowed(truth: Truth, fmt: Format, ulps: float, factor: float) -> arb:
    """The error that a budget allows a result with a finite exact value: ulps * ulp(y) + factor * scale.

    What truth.underflow names comes on top, and where the budget is a factor alone half an ulp of a subnormal result:
    no arithmetic could do without them.
    """
    most = ulps * ulp(truth.value, fmt) + factor * truth.scale + truth.underflow
    if not ulps and abs(truth.value) - most < arb(2) ** fmt.emin:
        most += arb(2) ** (fmt.emin - fmt.P)
    return most
