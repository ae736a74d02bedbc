"""NumPy lines beside the results, and what they print: from the exact values, as NumPy formats floats."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from softjac.derivation.blocks import Code
from softjac.derivation.content.facts import facts
from softjac.derivation.points import Point

DIGITS = 4
"""Digits behind the point that the lines print: np.set_printoptions at the start of the text."""
LOST = Decimal("1e-10")
SETUP = """\
import numpy as np
np.set_printoptions(precision=4)

def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

z = np.array([{logits}])
p = softmax(z)
n = len(z)"""
EXAMPLE = (Decimal("0.5"), Decimal(-1), Decimal(2))


def setup(point: Point | None) -> Code:
    """What the other lines use: NumPy, softmax, the logits, the probabilities. In symbols, logits to be replaced."""
    logits = EXAMPLE if point is None else point.logits
    return Code(SETUP.format(logits=literals(logits)))


def code(lines: Sequence[str], shows: str, point: Point | None) -> Code:
    """Lines, and what they print at the reader's logits; without those, lines alone."""
    return Code("\n".join(lines), "" if point is None else shows)


def fixed(lines: Sequence[str], shows: str) -> Code:
    """Lines that do not use the reader's logits, and what they print."""
    return Code("\n".join(lines), shows)


def printed(product: str, *, lost: bool) -> str:
    """A line that prints a product, rounded where float64 has lost the digits behind."""
    return f"print(({product}).round({DIGITS}))" if lost else f"print({product})"


def rounded_all(values: Sequence[Decimal]) -> list[Decimal]:
    """As NumPy's round leaves them."""
    return [round(x, DIGITS) for x in values]


def differences_code(lines: Sequence[str], pairs: Sequence[tuple[str, Sequence[Decimal]]], point: Point) -> Code:
    """Lines, then changes of probabilities, each product with its exact values.

    A change far smaller than the probability itself has lost its digits in float64: then all are rounded.
    """
    here = facts(point).probabilities
    lost = any(abs(x) < LOST * p for _, values in pairs for x, p in zip(values, here, strict=True))
    shown = [vector_shown(rounded_all(values) if lost else values) for _, values in pairs]
    return code((*lines, *(printed(product, lost=lost) for product, _ in pairs)), "\n".join(shown), point)


def literals(values: Sequence[Decimal]) -> str:
    """Floats as they are written in Python."""
    return ", ".join(repr(float(x)) for x in values)


def vector_shown(values: Sequence[Decimal]) -> str:
    """What print shows of a vector."""
    return array_shown(np.array([float(x) for x in values]))


def matrix_shown(rows: Sequence[Sequence[Decimal]]) -> str:
    """What print shows of a matrix."""
    return array_shown(np.array([[float(x) for x in row] for row in rows]))


def jacobian_code(lines: Sequence[str], product: str, point: Point | None) -> Code:
    """Lines that end by printing the Jacobian as a product; rounded where 1 - p has lost its digits in float64."""
    if point is None:
        return code((*lines, f"print({product})"), "", None)
    here = facts(point)
    entries = [[here.entry(i, j) for j in range(here.n)] for i in range(here.n)]
    shown = [rounded_all(row) for row in entries] if here.saturated else entries
    return code((*lines, printed(product, lost=here.saturated)), matrix_shown(shown), point)


def array_shown(array: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> str:
    """As NumPy prints it after the setup."""
    with np.printoptions(precision=DIGITS):
        return str(array + 0.0)  # no -0.
