"""Mistakes in single entries: the diagonal of J, the entry of the label, one triangle, one of two terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from softjac.check.mistakes.of_jacobian import JACOBIAN, VJP, entry_of_matrix, number
from softjac.check.mistakes.of_losses import entry_of_gradient
from softjac.check.mistakes.of_other_losses import logit_of_label
from softjac.check.mistakes.recipe import (
    GRADIENTS,
    LOSSES,
    VALUE_AND_GRAD,
    Recipe,
    Situation,
    is_batch,
    jacobian_of_row,
    product_with_jacobian,
)
from softjac.check.mistakes.table import Formed, Mistake, Variant
from softjac.check.model import Array


def _with_diagonal(diagonal: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def jacobian(p: Array) -> Array:
        J = -np.outer(p, p)
        np.fill_diagonal(J, diagonal(p))
        return J

    return jacobian


def _nothing(p: Array) -> Array:
    return np.zeros_like(p)


def _written(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    """An entry of the diagonal: that of the ways below which it is."""
    if s.kind != "softmax_jacobian" or len(index) != s.inputs.logits.ndim + 1 or index[-1] != index[-2]:
        return None
    p = float(recipe.probabilities(s)[index[:-1]])
    of = entry_of_matrix(lambda a, _b, _same: a, lambda row, i, _j: number(row[i]))(s, recipe, index)
    if of is None:
        return None
    P, numbers = of.symbols, of.numbers
    for symbols, value in (
        ("-P*P", -p * p),
        ("1 - P*P", 1 - p * p),
        ("1 - P - P*P", 1 - p - p * p),
        ("P*(1 - P) - P*P", p * (1 - p) - p * p),
        ("P", p),
        ("1 - P", 1 - p),
        ("P + P*P", p + p * p),
        ("0", 0.0),
    ):
        if np.isclose(value, of.value, rtol=1e-6, atol=1e-12):
            in_numbers = symbols.replace("*", " * ").replace("P", numbers)
            return Formed(symbols.replace("P", P), in_numbers, value)
    return None


_DIAGONALS: tuple[tuple[Callable[[Array], Array], str], ...] = (
    (lambda p: -p * p, "Here diag(p) is not there: -np.outer(p, p) alone."),
    (lambda p: 1 - p * p, "Here 1 is in place of p[i]: np.eye(n) - np.outer(p, p)."),
    (lambda p: 1 - p - p * p, "Here it is 1 - p[i] - p[i]*p[i]."),
    (lambda p: p * (1 - p) - p * p, "Here p[i]*p[i] is subtracted twice: p*(1 - p) has it already."),
    (lambda p: p, "Here it is p[i]: p[i]*p[i] is not subtracted from it."),
    (lambda p: 1 - p, "Here it is 1 - p[i]: the factor p[i] is not there."),
    (lambda p: p + p * p, "Here it is p[i] + p[i]*p[i]."),
    (_nothing, "Here it is 0."),
)


def _diagonals() -> Iterator[Variant]:
    for diagonal, detail in _DIAGONALS:
        steps = {"jacobian": _with_diagonal(diagonal)}
        yield Variant(steps, JACOBIAN, detail=detail)
        yield Variant({**steps, "through": "g @ J"}, VJP, detail=detail)


DIAGONAL = Mistake(
    name="wrong-diagonal",
    title="the diagonal is another, the rest is right",
    why="on the diagonal J[i,i] is p[i]*(1 - p[i]) = p[i] - p[i]*p[i]: the entry of diag(p) less that of "
    "np.outer(p, p). Off the diagonal it is -p[i]*p[j].",
    kinds=JACOBIAN | VJP,
    level="exercise",
    layer="formula",
    experiment="print(J.sum(axis=1))   # every number should be 0",
    experiments={"softmax_vjp": "print(dz.sum())   # should be 0"},
    fix="J[i, i] = p[i] * (1 - p[i])",
    variants=tuple(_diagonals()),
    entry=_written,
)


def _half_of(half: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda p: half(jacobian_of_row(p))


def _triangles() -> Iterator[Variant]:
    for half, which in ((np.triu, "above"), (np.tril, "below")):
        detail = f"Here all that is not on the diagonal or {which} it is 0."
        steps = {"jacobian": _half_of(half)}
        yield Variant(steps, JACOBIAN, detail=detail)
        for order in ("g @ J", "J @ g"):
            yield Variant({**steps, "through": order}, VJP, detail=detail)


TRIANGLE = Mistake(
    name="one-triangle",
    title="one triangle of the matrix is missing",
    why="the loop over j does not run over all classes (range(i, n) or range(i)), so that the entries on one side of "
    "the diagonal stay 0. J is symmetric, with -p[i]*p[j] on both sides.",
    kinds=JACOBIAN | VJP,
    level="exercise",
    layer="formula",
    experiment="print(J - J.T)   # should be 0: J is symmetric",
    experiments={"softmax_vjp": "print(dz.sum())   # should be 0"},
    fix="for j in range(n):   # or J[j, i] = J[i, j]",
    variants=tuple(_triangles()),
)


def _dot(p: Array, g: Array) -> Array:
    return np.asarray((p * g).sum(axis=-1, keepdims=True))


_less_p_j = entry_of_matrix(
    lambda a, b, same: f"{a} - {a}" if same else f"-{b}",
    lambda p, i, j: f"{number(p[i])} - {number(p[i])}" if i == j else number(-p[j]),
)


def _without_brackets(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    if s.kind == "softmax_jacobian":
        return _less_p_j(s, recipe, index)
    made, g = recipe.run(s), s.inputs.cotangent
    if made is None or made.raises or g is None or len(index) != g.ndim:
        return None
    all_p, tag = recipe.probabilities(s), ",".join(map(str, index))
    a, b, total = float(all_p[index]), float(g[index]), float((all_p * g).sum(axis=-1)[index[:-1]])
    P, G, value = f"p[{tag}]", f"g[{tag}]", float(made.arrays[0][index])
    if np.isclose(value, a * b - total, rtol=1e-9):
        return Formed(f"{P}*{G} - sum(p*g)", f"{number(a)} * {number(b)} - {number(total)}", value)
    return Formed(f"{G} - {P}*sum(p*g)", f"{number(b)} - {number(a)} * {number(total)}", value)


BRACKETS = Mistake(
    name="brackets-missing",
    title="p multiplies one of two terms",
    why="in p*(g - sum(p*g)) the p in front belongs to both terms: p*g - p*sum(p*g). Without the brackets one of them "
    "is without its p.",
    kinds=VJP | {"softmax_jacobian"},
    level="exercise",
    layer="formula",
    experiment="print(dz.sum())   # should be 0",
    fix="dz = p * (g - (p * g).sum(axis=-1, keepdims=True))",
    whys={
        "softmax_jacobian": "in p[i]*((i==j) - p[j]) the p[i] in front belongs to both terms: p[i]*(i==j) - p[i]*p[j]. "
        "Without the brackets the second one is without it.",
    },
    experiments={"softmax_jacobian": "print(J.sum(axis=1))   # every number should be 0"},
    fixes={"softmax_jacobian": "J = p[:, None] * (np.eye(len(p)) - p[None, :])"},
    variants=(
        Variant({"vjp": lambda p, g: np.asarray(p * g - _dot(p, g))}, VJP, detail="Here it is p*g - sum(p*g)."),
        Variant({"vjp": lambda p, g: np.asarray(g - p * _dot(p, g))}, VJP, detail="Here it is g - p*sum(p*g)."),
        Variant({"jacobian": lambda p: np.asarray(np.diag(p) - p)}, frozenset({"softmax_jacobian"})),
    ),
    entry=_without_brackets,
)


def _at_label(number: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    return lambda p, y: np.asarray(np.where(y == 1, number(p), p))


def _entry_of_label(s: Situation, recipe: Recipe, index: tuple[int, ...]) -> Formed | None:
    made = entry_of_gradient("P", lambda p, _y: number(p))(s, recipe, index)
    if made is None:
        return None
    rows = len(s.inputs.logits) if s.inputs.is_batch and s.convention.gradient == "mean" else 1
    p, tag = float(recipe.probabilities(s)[index]), ",".join(map(str, index))
    for symbols, numbers, value in (
        ("1", "1", 1.0),
        ("-1", "-1", -1.0),
        ("0", "0", 0.0),
        (f"1 - p[{tag}]", f"1 - {number(p)}", 1 - p),
        (f"-p[{tag}]", number(-p), -p),
    ):
        if np.isclose(value / rows, made.value, rtol=1e-6, atol=1e-12):
            return (
                Formed(symbols, numbers, value)
                if rows == 1
                else Formed(f"({symbols})/{rows}", f"({numbers})/{rows}", value / rows)
            )
    return None


LABEL_ENTRY = Mistake(
    name="label-entry-assigned",
    title="the entry of the label is assigned, and not reduced by 1",
    why="g[y] = 1 (or -1, or 0) throws p[y] away and puts the same number there for every prediction. The gradient at "
    "the label is p[y] - 1: subtract 1 from what is there.",
    kinds=GRADIENTS,
    level="exercise",
    layer="formula",
    experiment="print(grad.sum())   # should be 0",
    fix="g = p.copy()\ng[y] -= 1",
    variants=(
        Variant({"gradient": _at_label(np.ones_like)}, detail="Here it is 1."),
        Variant({"gradient": _at_label(lambda p: -np.ones_like(p))}, detail="Here it is -1."),
        Variant({"gradient": _at_label(np.zeros_like)}, detail="Here it is 0."),
        Variant({"gradient": _at_label(lambda p: 1 - p)}, detail="Here it is 1 - p[y]: the sign of this entry alone."),
        Variant({"gradient": _at_label(lambda p: -p)}, detail="Here it is -p[y]."),
    ),
    entry=_entry_of_label,
)

TARGETS_ADDED = Mistake(
    name="targets-added",
    title="p + y: the targets are added",
    why="the gradient is p - y: 1 is subtracted at the label. With p + y (or g[y] += 1) the entry of the label grows "
    "where it should be negative.",
    kinds=GRADIENTS,
    level="exercise",
    layer="formula",
    experiment="print(grad.sum())   # should be 0",
    fix="grad = p - y",
    variants=(Variant({"gradient": lambda p, y: np.asarray(p + y)}),),
    entry=entry_of_gradient("P + Y", lambda p, y: f"{number(p)} + {number(y)}"),
)


def _only_targets(_p: Array, y: Array) -> Array:
    return np.asarray(-y)


OUTER_DERIVATIVE = Mistake(
    name="outer-derivative-missing",
    title="the derivative of p[y], not of its logarithm",
    why="row y of the Jacobian is the derivative of p[y]. The loss is -log(p[y]), whose derivative has the factor "
    "-1/p[y] in front; with it, the row becomes p - y.",
    kinds=GRADIENTS,
    level="exercise",
    layer="formula",
    experiment="print(grad(np.array([0.0, 9.0]), 0))   # should be near -1 and 1",
    fix="grad = p - y   # = (-y/p) @ J",
    variants=(
        Variant({"gradient": product_with_jacobian}),
        Variant({"gradient": lambda p, y: -product_with_jacobian(p, y)}, detail="Here its sign is turned."),
    ),
)

PROBABILITIES_MISSING = Mistake(
    name="probabilities-missing",
    title="-y: the probabilities are not there",
    why="the loss is log(sum(exp(z))) - z[y]. -y is the derivative of -z[y] alone; that of log(sum(exp(z))) is p, and "
    "the gradient p - y.",
    kinds=GRADIENTS,
    level="exercise",
    layer="formula",
    experiment="print(grad.sum())   # should be 0",
    fix="grad = p - y",
    variants=(Variant({"gradient": _only_targets}),),
    entry=entry_of_gradient("-Y", lambda _p, y: number(-y)),
)


def _undivided(gradient: Array, _s: Situation) -> Array:
    return gradient


ONE_TERM_DIVIDED = Mistake(
    name="one-term-divided",
    title="only one of two terms is divided by N",
    why="the mean over N rows divides the whole gradient, p - y. Where the division comes before the subtraction, one "
    "of the two is N times too large.",
    kinds=GRADIENTS,
    level="exercise",
    layer="scale",
    experiment="print(grad.sum(axis=-1))   # every number should be 0",
    fix="grad = (p - y) / z.shape[0]",
    variants=(
        Variant({"gradient": lambda p, y: np.asarray(p / len(p) - y), "divide": _undivided}, detail="Here it is p."),
        Variant({"gradient": lambda p, y: np.asarray(p - y / len(p)), "divide": _undivided}, detail="Here it is y."),
    ),
)


def _rows_added(arrays: tuple[Array, ...], _s: Situation) -> tuple[Array, ...]:
    return (*arrays[:-1], np.asarray(arrays[-1].sum(axis=0)))


def _rows_averaged(arrays: tuple[Array, ...], _s: Situation) -> tuple[Array, ...]:
    return (*arrays[:-1], np.asarray(arrays[-1].mean(axis=0)))


ROWS_ADDED = Mistake(
    name="rows-added",
    title="the gradients of the rows are added up",
    why="the loss is a mean (or sum) over the rows, and so it is one number; but its gradient has an entry for every "
    "logit, of the shape (N, n) of z. sum(axis=0) leaves one row of all, which is the gradient of a bias.",
    kinds=GRADIENTS,
    level="exercise",
    layer="scale",
    experiment="print(z.shape, np.shape(grad))   # should be the same",
    fix="grad = (p - y) / z.shape[0]   # no sum, no mean",
    variants=(
        Variant({"leave": (_rows_added,)}),
        Variant({"leave": (_rows_added,)}, applies=is_batch),
        Variant({"leave": (_rows_averaged,)}),
        Variant({"leave": (_rows_averaged,)}, applies=is_batch),
    ),
)


def _loss_of_difference(_log_p: Array, p: Array, y: Array) -> Array:
    return np.asarray(-np.where(y == 0, 0.0, y * np.log(p - y)).sum(axis=-1))


def _loss_of_part(_log_p: Array, p: Array, y: Array) -> Array:
    """With 1/N of the gradient in it already."""
    rows = len(p) if p.ndim == 2 else 1
    return np.asarray(-np.where(y == 0, 0.0, y * np.log((p - y) / rows)).sum(axis=-1))


LOSS_OF_DIFFERENCE = Mistake(
    name="loss-of-the-difference",
    title="the loss is taken of p - y, not of p",
    why="p[y] -= 1 changes p itself, and an assignment makes no copy: a loss that is taken of p after it is "
    "log(p[y] - 1), the logarithm of a negative number, which is NaN.",
    kinds=VALUE_AND_GRAD,
    level="exercise",
    layer="formula",
    experiment="g = p; g[0] = 5.0; print(p[0])   # which array was written to?",
    fix="loss = -np.log(p[y])   # first\ng = p.copy()   # then the gradient\ng[y] -= 1",
    variants=(Variant({"value": _loss_of_difference}), Variant({"value": _loss_of_part}, applies=is_batch)),
)


def _log_softmax_added(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...]:
    """The sum z + lse, which is 2z - (z - lse)."""
    return (2 * s.inputs.logits - arrays[0],)


def _loss_added(sign: float) -> Callable[[tuple[Array, ...], Situation], tuple[Array, ...] | None]:
    """The sum lse + z[y], or the negative of it: the loss and twice z[y]."""

    def leave(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
        at_label = None if s.given_probs else logit_of_label(s)
        if at_label is None:
            return None
        return (np.asarray(sign * (arrays[0] + 2 * at_label)), *arrays[1:])

    return leave


SUM_FOR_DIFFERENCE = Mistake(
    name="sum-for-difference",
    title="z and log(sum(exp(z))) are added",
    why="log p is z - log(sum(exp(z))), a difference: the two have different signs, in log p and in the loss.",
    kinds=frozenset({"log_softmax"}) | LOSSES,
    level="exercise",
    layer="formula",
    experiment="print(f([0.0, 0.0]), f([5.0, 5.0]))   # should be the same: only differences of logits count",
    experiments=dict.fromkeys(LOSSES, "print(f(np.array([5.0, 5.0]), 0))   # the loss should be 0.6931"),
    fix="log_p = z - logsumexp(z)",
    fixes=dict.fromkeys(LOSSES, "loss = logsumexp(z) - z[y]"),
    variants=(
        Variant({"leave": (_log_softmax_added,)}, frozenset({"log_softmax"})),
        Variant({"leave": (_loss_added(1.0),)}, LOSSES),
        Variant({"leave": (_loss_added(-1.0),)}, LOSSES),
    ),
)

TRANSPOSED_KINDS = frozenset({"softmax", "log_softmax", "softmax_vjp"}) | GRADIENTS


def _transposed(arrays: tuple[Array, ...], _s: Situation) -> tuple[Array, ...]:
    return (*arrays[:-1], arrays[-1].T)


TRANSPOSED = Mistake(
    name="batch-transposed",
    title="rows and columns of the batch are exchanged",
    why="the result has the shape (n, N) of z.T, with the examples in its columns: the batch was transposed on the "
    "way, and not back.",
    kinds=TRANSPOSED_KINDS,
    level="exercise",
    layer="scale",
    experiment="print(z.shape, np.shape(result))   # should be the same",
    fix="Leave out the .T, and sum over the last axis: e / e.sum(axis=-1, keepdims=True)",
    variants=(Variant({"leave": (_transposed,)}, applies=is_batch),),
)

MISTAKES = (
    DIAGONAL,
    TRIANGLE,
    BRACKETS,
    LABEL_ENTRY,
    TARGETS_ADDED,
    OUTER_DERIVATIVE,
    PROBABILITIES_MISSING,
    ONE_TERM_DIVIDED,
    ROWS_ADDED,
    LOSS_OF_DIFFERENCE,
    SUM_FOR_DIFFERENCE,
    TRANSPOSED,
)
