"""What numbers say of themselves, whatever their cause: ratio, sums, symmetry, where they are right."""

from __future__ import annotations

import numpy as np

from softjac.check.mistakes.of_jacobian import number
from softjac.check.model import Array

OF_ROUNDING = 5e-5
"""What a number with four decimals may be off; so much for each of n in a sum."""


def constant_ratio(result: Array, truth: Array, tolerance: float = 1e-6) -> float | None:
    """By what number all entries are too large, or None: where they are right, 0 or have no such number."""
    if result.shape != truth.shape or not np.isfinite(result).all() or not np.isfinite(truth).all():
        return None
    large = np.abs(truth) > 1e-3 * np.abs(truth).max(initial=0.0)
    if large.sum() < 2:
        return None
    ratios = result[large] / truth[large]
    ratio = float(np.median(ratios))
    small_enough = np.abs(result - ratio * truth) <= tolerance * max(1.0, float(np.abs(truth).max()))
    is_one = abs(ratio - 1) < max(1e-4, 20 * tolerance)
    return None if is_one or abs(ratio) < 1e-6 or not small_enough.all() else ratio


def of_matrix(result: Array, truth: Array) -> list[str]:
    """Of a matrix (n, n): which part of it is right, and sums that are not 0; else whether it is symmetric."""
    said: list[str] = []
    if result.shape != truth.shape or result.ndim != 2 or not np.isfinite(result).all():
        return said
    n = len(result)
    right = np.abs(result - truth) <= OF_ROUNDING * 1.01
    diagonal = np.eye(n, dtype=bool)
    if right[diagonal].all():
        said.append("diagonal right")
    elif n > 1 and right[~diagonal].all():
        said.append("all right off the diagonal")
    for axis, what in ((1, "row sums"), (0, "column sums")):
        sums = result.sum(axis=axis)
        if (np.abs(sums) > n * OF_ROUNDING).any():
            said.append(f"{what} {few(sums, signed=True)}, should be 0")
            break
    else:
        if np.abs(result - result.T).max() > 2 * OF_ROUNDING:
            said.append("not symmetric")
    return said


def of_row(result: Array, truth: Array, total: float, tolerance: float) -> list[str]:
    """Of a row: its sum, where that is not the total that it should be."""
    if result.shape != truth.shape or result.ndim != 1 or not np.isfinite(result).all():
        return []
    found = float(result.sum())
    if abs(found - total) <= max(tolerance, len(result) * OF_ROUNDING):
        return []
    return [f"sum {number(found)}, should be {total:g}"]


def few(values: Array, *, signed: bool = False) -> str:
    """A few numbers in a line; of many the first four.

    >>> few(np.array([0.5, -0.25]), signed=True)
    '+0.5000 -0.2500'
    """
    shown = [f"{'+' if signed and x > OF_ROUNDING else ''}{_four(float(x))}" for x in values[:6]]
    return " ".join(shown) + (" ..." if len(values) > 6 else "")


def _four(x: float) -> str:
    return f"{x + 0.0:.4f}".replace("-0.0000", "0.0000") if abs(x) < 1e6 else number(x)
