"""Mistakes in the Jacobian and in products with it, and what they do to the gradient that goes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.recipe import (
    ALL_KINDS,
    GRADIENTS,
    LOSSES,
    WITH_JACOBIAN,
    Recipe,
    Situation,
    by_logits,
    divided,
    gradient_of_loss,
    own_targets,
)
from softjac.check.mistakes.table import Entry, Formed, Mistake, Variant
from softjac.check.model import Array

JACOBIAN = frozenset({"softmax_jacobian"})
VJP = frozenset({"softmax_vjp"})


def number(x: float) -> str:
    """Four decimals, as in an exercise; three digits where those say nothing.

    >>> number(-0.01304), number(2.5e-8)
    ('-0.0130', '2.50e-08')
    """
    if x == 0:
        return "0.0000"
    if 0.00095 <= abs(x) < 1e6 or not np.isfinite(x):
        return f"{x:.4f}"
    return f"{x:.2e}"


def through_jacobian(jacobian: Callable[[Array], Array], **about: Any) -> Iterator[Variant]:
    """A wrong Jacobian: itself, and in the product and the gradient that go through it, in both orders."""
    yield Variant({"jacobian": jacobian}, kinds=JACOBIAN, **about)
    for order in ("g @ J", "J @ g"):
        yield Variant({"jacobian": jacobian, "through": order}, kinds=VJP | GRADIENTS, **about)


def entry_of_matrix(symbols: Callable[[str, str, bool], str], numbers: Callable[[Array, int, int], str]) -> Entry:
    """What is said of J[i, j], from p[i] and p[j] in symbols and from the row of probabilities."""

    def entry(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
        if s.kind != "softmax_jacobian" or len(index) != s.inputs.logits.ndim + 1:
            return None
        *rows, i, j = index
        tag = "".join(f"{r}," for r in rows)
        p = recipe.probabilities(s)[tuple(rows)]
        made = recipe.run(s)
        if made is None or made.raises or made.arrays[0].ndim != len(index):
            return None
        value = float(made.arrays[0][index])
        return Formed(symbols(f"p[{tag}{i}]", f"p[{tag}{j}]", i == j), numbers(p, i, j), value)

    return entry


def diagonal_vector(p: Array) -> Array:
    """p(1 - p) alone."""
    return np.asarray(p * (1 - p))


def diagonal_matrix(p: Array) -> Array:
    """diag(p(1 - p)) of one row."""
    return np.diag(p * (1 - p))


DIAGONAL_ONLY = Mistake(
    name="diagonal-only",
    title="only the diagonal, p(1 - p)",
    why="p*(1 - p) is the derivative of p[i] in its own logit z[i], as for a sigmoid. Every p[i] depends on every z[j] "
    "through the sum, so there are n*n derivatives: -p[i]*p[j] off the diagonal, not 0.",
    kinds=JACOBIAN | VJP,
    level="exercise",
    layer="formula",
    experiment="print(softmax([1.0, 2.0, 4.0]), softmax([1.0, 2.1, 4.0]))   # all three change",
    fix="J = np.diag(p) - np.outer(p, p)",
    fixes={"softmax_vjp": "dz = p * (g - (p * g).sum(axis=-1, keepdims=True))"},
    variants=(
        Variant({"jacobian": diagonal_vector}, kinds=JACOBIAN),
        Variant({"jacobian": diagonal_matrix}, kinds=JACOBIAN),
        Variant({"jacobian": diagonal_matrix, "through": "g @ J"}, kinds=VJP),
    ),
    entry=entry_of_matrix(
        lambda a, _b, same: f"{a}*(1 - {a})" if same else "0",
        lambda p, i, j: f"{number(p[i])} * (1 - {number(p[i])})" if i == j else "0",
    ),
)


def _column_formula(p: Array) -> Array:
    return np.asarray(p * (np.eye(len(p)) - p))


COLUMN_FORMULA = Mistake(
    name="column-formula-1d",
    title="column formula on a 1-D array",
    why=".T does nothing to a 1-D array, so p * (I - p.T) put p[j]*((i==j) - p[j]) at [i,j]; it needs p[i] in front.",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(p.shape, p.T.shape)",
    fix="J = np.diag(p) - np.outer(p, p)\n# or, with p as a column: p[:, None] * (np.eye(len(p)) - p[None, :])",
    variants=tuple(through_jacobian(_column_formula)),
    entry=entry_of_matrix(
        lambda _a, b, same: f"{b}*(1 - {b})" if same else f"-{b}*{b}",
        lambda p, i, j: f"{number(p[j])} * (1 - {number(p[j])})" if i == j else f"{number(-p[j])} * {number(p[j])}",
    ),
)


def _diag_of_column(p: Array) -> Array:
    return np.asarray(p[0] - np.outer(p, p))


DIAG_OF_COLUMN = Mistake(
    name="diag-of-column",
    title="np.diag of a column",
    why="np.diag makes a matrix of a 1-D array, but of a 2-D array it takes the diagonal: of a column (n, 1) that is "
    "the one number p[0], which is then added to every entry.",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(J.sum(axis=0), J.sum(axis=1))   # every number should be 0",
    fix="J = np.diagflat(p) - np.outer(p, p)",
    variants=tuple(through_jacobian(_diag_of_column)),
    entry=entry_of_matrix(
        lambda a, b, _same: f"p[0] - {a}*{b}".replace("p[0]", f"{a[: a.rfind(',') + 1] or 'p['}0]"),
        lambda p, i, j: f"{number(p[0])} - {number(p[i])} * {number(p[j])}",
    ),
)


def _inner_product(p: Array) -> Array:
    return np.asarray(np.diag(p) - p @ p)


INNER_PRODUCT = Mistake(
    name="inner-product",
    title="inner product in place of the outer product",
    why="for 1-D arrays p @ p, np.dot(p, p) and p @ p.T are one number, the sum of the squares; it is subtracted from "
    "every entry. p p^T, the matrix of all p[i]*p[j], is np.outer(p, p).",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(J.sum(axis=0), J.sum(axis=1))   # every number should be 0",
    fix="J = np.diag(p) - np.outer(p, p)",
    variants=tuple(through_jacobian(_inner_product)),
    entry=entry_of_matrix(
        lambda a, _b, same: f"{a} - sum(p*p)" if same else "-sum(p*p)",
        lambda p, i, j: f"{number(p[i])} - {number(float(p @ p))}" if i == j else f"-{number(float(p @ p))}",
    ),
)


def _plus_off_diagonal(p: Array) -> Array:
    return np.where(np.eye(len(p), dtype=bool), p * (1 - p), np.outer(p, p))


def _plus_outer(p: Array) -> Array:
    return np.asarray(np.diag(p) + np.outer(p, p))


def _off_sign_symbols(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    plus_on_diagonal = recipe.jacobian is _plus_outer
    return entry_of_matrix(
        lambda a, b, same: f"{a}*(1 {'+' if plus_on_diagonal else '-'} {a})" if same else f"{a}*{b}",
        lambda p, i, j: (
            f"{number(p[i])} * (1 {'+' if plus_on_diagonal else '-'} {number(p[i])})"
            if i == j
            else f"{number(p[i])} * {number(p[j])}"
        ),
    )(s, recipe, index)


OFF_DIAGONAL_SIGN = Mistake(
    name="off-diagonal-sign",
    title="sign of the entries off the diagonal",
    why="p[i]*p[j] is there without its minus. If z[j] grows, class j takes its share from all others, so that "
    "dp[i]/dz[j] is negative for i != j, and every row sums to 0.",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(J.sum(axis=1))   # every number should be 0",
    fix="J = np.diag(p) - np.outer(p, p)",
    fixes={"softmax_vjp": "dz = p * (g - (p * g).sum(axis=-1, keepdims=True))"},
    variants=(*through_jacobian(_plus_off_diagonal), *through_jacobian(_plus_outer)),
    entry=_off_sign_symbols,
)


def _log_softmax_jacobian(p: Array) -> Array:
    return np.asarray(np.eye(len(p)) - p)


def _log_softmax_jacobian_transposed(p: Array) -> Array:
    return np.asarray(np.eye(len(p)) - p[:, None])


def _log_entry(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    is_transposed = recipe.jacobian is _log_softmax_jacobian_transposed
    return entry_of_matrix(
        lambda a, b, same: f"1 - {a}" if same else f"-{a if is_transposed else b}",
        lambda p, i, j: f"1 - {number(p[i])}" if i == j else number(-p[i if is_transposed else j]),
    )(s, recipe, index)


LOG_SOFTMAX_JACOBIAN = Mistake(
    name="log-softmax-jacobian",
    title="the Jacobian of log-softmax",
    why="(i==j) - p[j] is the derivative of log p[i]. The derivative of p[i] itself has p[i] in front: "
    "dp = p * dlog p.",
    kinds=WITH_JACOBIAN,
    level="exercise",
    layer="formula",
    experiment="print(J.sum(axis=0))   # every number should be 0",
    fix="J = p[:, None] * (np.eye(len(p)) - p[None, :])",
    fixes={"softmax_vjp": "dz = p * (g - (p * g).sum(axis=-1, keepdims=True))"},
    variants=(*through_jacobian(_log_softmax_jacobian), *through_jacobian(_log_softmax_jacobian_transposed)),
    entry=_log_entry,
)


def _plain_value(log_p: Array, _p: Array, y: Array) -> Array:
    return np.asarray(-(y * log_p).sum(axis=-1))


def _gradient_of_logits(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...]:
    """The right value, and z - y."""
    return arrays[0], divided(gradient_of_loss(s.inputs.logits, own_targets(s)), s)


def _logits_entry(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    return entry_of_matrix(
        lambda a, b, same: (f"{a}*(1 - {a})" if same else f"-{a}*{b}").replace("p[", "z["),
        lambda p, i, j: f"{number(p[i])} * (1 - {number(p[i])})" if i == j else f"{number(-p[i])} * {number(p[j])}",
    )(s, recipe, index)


LOGITS_FOR_PROBABILITIES = Mistake(
    name="logits-for-probabilities",
    title="logits in place of probabilities",
    why="the formula is for p = softmax(z), and z itself was put into it. If the function is meant to be given "
    "probabilities, say --given probs.",
    kinds=WITH_JACOBIAN | LOSSES,
    level="exercise",
    layer="softmax",
    experiment="print(p.sum())   # of what the formula uses: it should be 1",
    fix="p = softmax(z)   # and then the formula with p",
    variants=(
        Variant({"softmax": np.array, "by_logsumexp": False}, applies=by_logits),
        Variant({"softmax": np.array, "by_logsumexp": False, "value": _plain_value}, kinds=LOSSES, applies=by_logits),
        Variant({"softmax": np.array, "by_logsumexp": False, "log": np.array}, kinds=LOSSES, applies=by_logits),
        Variant(
            {"leave": (_gradient_of_logits,)}, LOSSES & GRADIENTS, by_logits, "Here it is so in the gradient alone."
        ),
    ),
    entry=_logits_entry,
)


def _negate(arrays: tuple[Array, ...], _s: Situation) -> tuple[Array, ...]:
    return tuple(-a for a in arrays)


def _negate_loss(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
    return (-arrays[0], *arrays[1:]) if s.kind == "cross_entropy_value_and_grad" else None


NEGATED = Mistake(
    name="negated",
    title="the whole negated",
    why="every number is right but for its sign.",
    kinds=ALL_KINDS - {"cross_entropy_grad"},
    level="exercise",
    layer="scale",
    experiment="print(f(np.array([0.0, 1.0])))   # should be positive",
    experiments={
        "log_softmax": "print(log_softmax(np.array([0.0, 1.0])))   # no logarithm of a probability is above 0",
        "softmax_jacobian": "print(J[0, 0], J[0, 1])   # p[0] grows with z[0], and falls with z[1]",
        "softmax_vjp": "print(f(np.array([0.0, 1.0]), np.array([1.0, 0.0])))   # should be 0.1966 and -0.1966",
        "cross_entropy": "print(loss(np.array([0.0, 1.0]), 0))   # should be 1.3133",
        "cross_entropy_value_and_grad": "print(f(np.array([0.0, 1.0]), 0))   # should be 1.3133, and -0.7311 0.7311",
    },
    fix="Turn the sign of the result.",
    whys={
        "softmax_jacobian": "this is p p^T - diag(p), the right matrix times -1. dp[i]/dz[i] is positive: a class "
        "gains when its own logit grows.",
        "cross_entropy": "the logarithm of p is negative, and the loss is minus the sum of y * log p; the minus is "
        "missing, so that the loss is negative and training would make it worse.",
    },
    variants=(Variant({"leave": (_negate,)}), Variant({"leave": (_negate_loss,)}, kinds=LOSSES & GRADIENTS)),
    entry=entry_of_matrix(
        lambda a, b, same: f"-{a}*(1 - {a})" if same else f"{a}*{b}",
        lambda p, i, j: f"{number(-p[i])} * (1 - {number(p[i])})" if i == j else f"{number(p[i])} * {number(p[j])}",
    ),
)

MISTAKES = (
    DIAGONAL_ONLY,
    COLUMN_FORMULA,
    DIAG_OF_COLUMN,
    INNER_PRODUCT,
    OFF_DIAGONAL_SIGN,
    NEGATED,
    LOGITS_FOR_PROBABILITIES,
    LOG_SOFTMAX_JACOBIAN,
)
