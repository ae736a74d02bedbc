"""How numbers are written: for people (text, Markdown, LaTeX) and for programs (JSON, CSV)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from softjac._cli.arrays import Array

FEWEST, MOST, USUAL = 0, 17, 4


def for_people(value: float, decimals: int = USUAL, sign: str = "-") -> str:
    """``value`` to a number of decimals; one that is not zero and would look it is written as -2.06e-09.

    ``sign`` "+" writes the plus too. Zero has no sign.

    >>> for_people(0.0819, sign="+"), for_people(-2.0611536e-9), for_people(0.0), for_people(-0.0)
    ('+0.0819', '-2.06e-09', '0.0000', '0.0000')
    """
    if value == 0:
        return f"{0:.{decimals}f}"
    if math.isnan(value):
        return "nan"
    if math.isfinite(value) and float(f"{value:.{decimals}f}") == 0:
        return f"{value:{sign}.2e}"
    return f"{value:{sign}.{decimals}f}"


def logit(value: float, width: int = 0) -> str:
    """A logit as a label: six digits; in a heading of some ``width`` four, unless six are exact and fit.

    >>> logit(2.302585), logit(2.302585, 7), logit(-2000.0, 7), logit(12345.0, 7)
    ('2.30259', '2.303', '-2000', '12345')
    """
    text = f"{value + 0.0:.6g}"
    fits = len(text) <= width and float(text) == value
    return text if fits or not width else f"{value + 0.0:.4g}"


def exact_sum(entries: Array) -> float:
    """Sum of the entries as they are, before any rounding for display, in exact arithmetic.

    Entries are rounded results, each wrong by up to 1.5 units in its last place, so the sum of a row that is zero in
    truth is some 1e-17. A sum no larger than these roundings explain, 2 eps sum |entry|, is 0.
    Source: run by tests/test_cli_digits.py::test_the_residue_of_rounding_is_zero_and_more_is_not.

    >>> exact_sum(np.array([0.1, 0.2, -0.3]))
    0.0
    """
    values = entries.tolist()
    if not np.isfinite(entries).all():
        return math.nan
    total = math.fsum(values)
    kind = np.finfo(entries.dtype if entries.dtype.itemsize <= 8 else np.float64)  # fsum adds Python floats
    residue = 2 * float(kind.eps) * math.fsum(map(abs, values)) + len(values) * float(kind.smallest_subnormal)
    return 0.0 if abs(total) <= residue else total


def sum_for_people(entries: Array, decimals: int = USUAL) -> str:
    """The exact sum of a row, where 0 is written as 0.

    >>> sum_for_people(np.array([0.25, -0.25]))
    '0'
    """
    total = exact_sum(entries)
    return "0" if total == 0 else for_people(total, decimals)


def for_programs(values: Array, decimals: int | None) -> Sequence[str]:
    """Shortest texts that read back as the same numbers, or those of the numbers rounded to ``decimals``; no -0.0.

    >>> for_programs(np.array([-0.02203, -1e-9, np.inf]), 4)
    ['-0.022', '0.0', 'inf']
    >>> for_programs(np.array([0.1], np.float32), None)
    ['0.1']
    """
    if decimals is not None:
        values = rounded(values, decimals)
    if values.dtype == np.float64:
        return [repr(number + 0.0) for number in values.tolist()]
    return [str(number) for number in values + values.dtype.type(0)]


def rounded(values: Array, decimals: int) -> Array:
    """A row of numbers rounded to ``decimals``, in its dtype and without -0.0.

    NumPy's own rounding multiplies and divides by 10^decimals, which is not always the nearest.

    >>> rounded(np.array([2.675, -1e-9]), 2)
    array([2.67, 0.  ])
    """
    numbers = values.astype(np.float64).tolist()
    return np.array([round(number, decimals) + 0.0 for number in numbers], dtype=values.dtype)
