"""NumPy lines beside the results, and what they print: they are run, and compared with the exact values.

What stands below the lines is what float64 gives at the reader's logits, to the character. Where that is not the exact
value to the digits shown, a sentence says so. Tests: tests/test_derivation_numpy.py.
"""

import textwrap
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np

from softjac.derivation.blocks import Code, Text
from softjac.derivation.content.facts import facts
from softjac.derivation.content.pieces import listed
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

Exact: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
"""Exact values, each rounded to a float once."""

DIGITS = 4
"""Digits behind the point that the lines print: np.set_printoptions at the start of the text."""
MOST_PRINTED = 40
"""Of an array with more elements than this, only its ends are printed: the matrix of six classes is printed whole."""
ENDS = 2
"""How many numbers at each end: a row of them fits in one line, and so does a row of a matrix."""
WIDTH = 74
"""Longest line of code: with margin and prompt 80 columns."""
AGREE = 1e-4
"""A float that is further from the exact value, relative to it, has lost digits that are shown."""
AGREE_WRITTEN = 6e-4
"""The same for a number that was rounded to four digits when it was printed."""
# What the other lines use; the options of printing come first, and are set for a while where the lines are run here.
IMPORTED = f"""\
import numpy as np
np.set_printoptions(precision={DIGITS}, threshold={MOST_PRINTED}, edgeitems={ENDS})
"""
DEFINED = """
def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

z = {logits}
p = softmax(z)
n = len(z)"""
EXAMPLE = (Decimal("0.5"), Decimal(-1), Decimal(2))
# As NumPy is when it is imported, but for what IMPORTED sets.
OPTIONS: dict[str, Any] = {
    "precision": DIGITS, "threshold": MOST_PRINTED, "edgeitems": ENDS, "linewidth": 75, "suppress": False,
    "nanstr": "nan", "infstr": "inf", "sign": "-", "floatmode": "maxprec", "formatter": None, "legacy": False,
}  # fmt: skip


def setup(point: Point | None) -> Code:
    """What the other lines use: NumPy, softmax, the logits, the probabilities. In symbols, logits to be replaced."""
    logits = EXAMPLE if point is None else point.logits
    return Code(IMPORTED + DEFINED.format(logits=array_written("z = ", logits)))


def fixed(lines: Sequence[str], shows: str) -> Code:
    """Lines that do not use the reader's logits, and what they print."""
    return Code("\n".join(lines), shows)


def code(lines: Sequence[str], point: Point | None, exact: Sequence[Exact] = ()) -> tuple[Code | Text, ...]:
    """Lines, what they print at the reader's logits, and a sentence where that differs from the exact values.

    exact: what each print would show with all digits. In symbols, lines alone.
    """
    source = "\n".join(lines)
    if point is None:
        return (Code(source),)
    shown, found = run(source, point)
    blocks: list[Code | Text] = [Code(source, shown)]
    if not all(agree(value, true) for value, true in zip(found, exact, strict=False)):
        blocks.append(text("numpy_lost"))
    # With two classes or more none of the exact values is 0, so one that is 0 as a float is below the smallest.
    if point.n > 1 and any(np.any(true == 0) for true in exact):
        blocks.append(text("numpy_below"))
    return tuple(blocks)


def differences_code(
    lines: Sequence[str], pairs: Sequence[tuple[str, Sequence[Decimal]]], point: Point
) -> tuple[Code | Text, ...]:
    """Lines, then changes of probabilities, each product with its exact values.

    A change far smaller than the probability itself has lost its digits in float64: it is left out, and said so.
    """
    blocks: list[Code | Text] = []
    kept: list[str] = []
    lost: list[str] = []
    for product, values in pairs:
        _, (found,) = run("\n".join((*lines, f"print({product})")), point)
        (kept if agree(found, floats(values)) else lost).append(product)
    if kept:
        moved = [floats(values) for product, values in pairs if product in kept and any(values)]
        blocks += code((*lines, *(f"print({product})" for product in kept)), point, moved)
    if lost:
        blocks.append(text("numpy_left_out", products=listed([(product,) for product in lost])))
    return tuple(blocks)


def jacobian_code(lines: Sequence[str], product: str, point: Point | None) -> tuple[Code | Text, ...]:
    """Lines that end by printing the Jacobian as a product."""
    return code((*lines, f"print({product})"), point, () if point is None else (jacobian(point),))


# ------------------------------------------------------------------------------------------------------ running them


def run(source: str, point: Point) -> tuple[str, list[Any]]:
    """What the lines print, and the values that are printed, after all lines that were run at this point before."""
    space = session(point)
    found: list[Any] = []
    shown: list[str] = []

    def record(value: object) -> None:
        found.append(value)
        shown.append(str(value))

    with np.printoptions(**OPTIONS), np.errstate(all="ignore"):
        exec(compile(source, "<derivation>", "exec"), {**space, "print": record}, space)
    return "\n".join(shown), found


def session(point: Point) -> dict[str, Any]:
    """The names that the lines have made so far; of a new point those of the setup."""
    if "numpy" not in point.cache:
        space: dict[str, Any] = {"np": np}
        exec(DEFINED.format(logits=array_written("z = ", point.logits)), space)
        point.cache["numpy"] = space
    names: dict[str, Any] = point.cache["numpy"]
    return names


def agree(found: object, exact: Exact) -> bool:
    """Whether a printed value has the digits of the exact one."""
    rtol = AGREE_WRITTEN if isinstance(found, str) else AGREE
    return bool(np.allclose(np.asarray(found, dtype=np.float64), exact, rtol=rtol, atol=0, equal_nan=True))


# ---------------------------------------------------------------------------------------------------- the exact values


def floats(values: Sequence[Decimal]) -> Exact:
    """Exact values as floats."""
    return np.array([float(x) for x in values])


def jacobian(point: Point) -> Exact:
    """The Jacobian from exact p and exact 1 - p: each entry is a product of two numbers."""
    here = facts(point)
    p = floats(here.probabilities)
    entries: Exact = -np.outer(p, p)
    np.fill_diagonal(entries, p * floats(here.complements))
    return entries


def array_written(name: str, values: Sequence[Decimal]) -> str:
    """A vector as it is written in Python behind `name`; a long one over several lines, broken behind commas."""
    numbers = ", ".join(repr(float(x)) for x in values)
    if len(f"{name}np.array([{numbers}])") <= WIDTH:
        return f"np.array([{numbers}])"
    lines = textwrap.wrap(numbers, WIDTH - 4, break_long_words=False, break_on_hyphens=False)
    return "np.array([\n" + "\n".join(f"    {line}" for line in lines) + "\n])"
