"""Part 5: the Jacobian as a matrix, its entries in numbers."""

from collections.abc import Iterator, Sequence

import numpy as np

from softjac.derivation.blocks import Block
from softjac.derivation.content import structure
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import code, floats, jacobian_code
from softjac.derivation.content.pieces import (
    Cell,
    about,
    chain,
    general_matrix,
    heading,
    is_short,
    left_out,
    readers_matrix,
    reckoned,
    rounded,
    shown_classes,
    step,
    table,
)
from softjac.derivation.expressions import Diagonal, Expression, Index, Multiply, Transpose
from softjac.derivation.names import EYE, JACOBIAN, ONE, ONES, J, P, p
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "matrix"
WRITTEN_OUT = 4
"""With more classes than this the symbols of a whole matrix are wider than a page."""


def blocks(point: Point | None) -> tuple[Block, ...]:
    """The matrix, each entry in numbers, and what can be read from it."""
    return (
        heading("matrix_title", 2, ANCHOR),
        text("matrix_general"),
        chain(JACOBIAN, (step(general_matrix(entry), "entry_by_entry"),), point),
        *(() if point is None else readers(point)),
        text("matrix_factored"),
        chain(
            JACOBIAN,
            (
                step(Diagonal(P) - Multiply((P, Transpose(P))), "outer"),
                step(Multiply((Diagonal(P), EYE - Multiply((ONES, Transpose(P))))), "rows_scaled"),
            ),
            point,
        ),
        *jacobian_code((), "np.diag(p) - np.outer(p, p)", point),
        text("matrix_ones"),
        *in_numpy(point),
        *(() if point is None else entries(point)),
        *structure.blocks(point),
    )


def entry(i: Index, j: Index) -> Expression:
    """p_i (1 - p_i) on the diagonal, -p_i p_j beside it."""
    return p(i) * (ONE - p(i)) if i == j else -(p(i) * p(j))


def readers(point: Point) -> tuple[Block, ...]:
    """The whole matrix of few classes, the corners of many."""
    numbers = about(readers_matrix(point, lambda i, j: rounded(J(i, j), point)), "numbers")
    count = str(point.n)
    if point.n > WRITTEN_OUT:
        key = "matrix_yours_numbers" if is_short(point) else "matrix_yours_short"
        return (text(key, count=count), chain(JACOBIAN, (numbers,), point))
    symbols = step(readers_matrix(point, entry), "entry_by_entry")
    if point.n == 1:
        return (text("matrix_one_class"), chain(JACOBIAN, (symbols, numbers), point))
    return (text("matrix_yours", count=count), chain(JACOBIAN, (symbols, numbers), point))


# ------------------------------------------------------------------------------------------------------------- in NumPy


def in_numpy(point: Point | None) -> tuple[Block, ...]:
    """The column that is right, the one-dimensional array that is not, and what is right for batches."""
    return (
        text("matrix_numpy"),
        *jacobian_code(("column = p[:, np.newaxis]",), "column * (np.eye(n) - column.T)", point),
        text("matrix_numpy_flat"),
        *flat_code(point),
        *coinciding(point),
        text("matrix_numpy_safe"),
        *code(
            (
                "def jacobian(z):",
                "    q = softmax(z)",
                "    rows, columns = q[..., :, np.newaxis], q[..., np.newaxis, :]",
                "    return rows * (np.eye(q.shape[-1]) - columns)",
                "",
                "print(jacobian(np.stack([z, z])).shape)",
            ),
            point,
        ),
    )


def coinciding(point: Point | None) -> tuple[Block, ...]:
    """Where the wrong product is the right one: for one class always, else for equal probabilities."""
    if point is None or not facts(point).all_equal:
        return ()
    return (text("matrix_numpy_one" if point.n == 1 else "matrix_numpy_equal"),)


def flat_code(point: Point | None) -> tuple[Block, ...]:
    """What p * (I - p.T) gives where p has one axis: column j is scaled by p_j."""
    lines = ("wrong = p * (np.eye(n) - p.T)", "print(wrong)", "print(np.allclose(wrong.sum(axis=1), 0))")
    if point is None:
        return code(lines, None)
    here = facts(point)
    p = floats(here.probabilities)
    scaled = np.tile(-(p**2), (here.n, 1))
    np.fill_diagonal(scaled, p * floats(here.complements))
    return code(lines, point, (scaled,))


# ---------------------------------------------------------------------------------------------------------- each entry


def entries(point: Point) -> Iterator[Block]:
    """Each diagonal entry and each pair of classes worked out in numbers."""
    yield heading("matrix_diagonal_title", 3, "matrix-entries")
    yield text("matrix_diagonal")
    yield table("matrix_diagonal_table", ("entry", "product", "value"), diagonal_rows(point))
    if point.n > 1:
        yield text("matrix_off")
        yield table("matrix_off_table", ("entries", "product", "value"), pair_rows(point))
    yield from left_out(point)


def diagonal_rows(point: Point) -> Sequence[Sequence[Cell]]:
    """P x (1 - p) for each class that is shown."""
    rows: list[Sequence[Cell]] = []
    for i in shown_classes(point):
        left, right = reckoned(lambda a, b: a * b, (p(i), ONE - p(i)), J(i, i), point)
        rows.append((J(i, i), left, right))
    return rows


def pair_rows(point: Point) -> Sequence[Sequence[Cell]]:
    """-p x p for each pair of classes that are shown."""
    rows: list[Sequence[Cell]] = []
    classes = shown_classes(point)
    for i in classes:
        for j in (j for j in classes if j > i):
            left, right = reckoned(lambda a, b: -a * b, (p(i), p(j)), J(i, j), point)
            rows.append(((J(i, j), ", ", J(j, i)), left, right))
    return rows
