"""Mistakes that show in what a function does, whatever its formula is."""

from __future__ import annotations

from softjac.check.mistakes.recipe import ALL_KINDS
from softjac.check.mistakes.table import Mistake

INPUT_OVERWRITTEN = Mistake(
    name="input-overwritten",
    title="input overwritten in place",
    why="-=, /=, p[y] -= 1 or out= write into the array that was passed, so that the caller's numbers are others "
    "after the call. np.asarray makes no copy of an array.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="behaviour",
    experiment="before = z.copy(); f(z); print(np.array_equal(before, z))",
    fix="z = z - z.max(axis=-1, keepdims=True)   # a new array\np = p.copy()   # before p[y] -= 1",
)

IGNORES_INPUT = Mistake(
    name="ignores-input",
    title="an answer that ignores its input",
    why="the same numbers come back for different inputs: the result is a constant, or it is made of a variable "
    "outside the function and not of its argument.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="behaviour",
    experiment="print(f([1.0, 2.0, 4.0]), f([0.0, 8.0, 1.5]))",
    fix="Use the argument, and no number that was found for one input.",
)

ANSWER_DIFFERS = Mistake(
    name="answer-differs",
    title="another answer for the same call",
    why="called twice with the same arguments, it returns different numbers: something is kept between calls (a "
    "default argument that is a list, a global, the input written to), or drawn at random.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="behaviour",
    experiment="print(f(z), f(z))",
    fix="Make all arrays inside the function, at every call.",
)

INTEGERS_CUT = Mistake(
    name="integers-cut",
    title="cut to integers",
    why="an array made like the input (zeros_like, empty_like, copy) is of integers where the input is, and what is "
    "put into it loses its decimals: 0.84 becomes 0.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="behaviour",
    experiment="print(np.zeros_like(np.array([1, 2, 4])).dtype)",
    fix="z = np.asarray(z, dtype=float)",
)

MISTAKES = (INPUT_OVERWRITTEN, IGNORES_INPUT, ANSWER_DIFFERS, INTEGERS_CUT)
