"""Mistakes in labels and targets: how they are counted, what they are taken for, what they sum to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.recipe import (
    GRADIENTS,
    LOSSES,
    VALUE_AND_GRAD,
    WITH_TARGETS,
    Leave,
    Situation,
    is_batch,
    own_targets,
    reduced,
    shifted_logsumexp,
)
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array


def _shifted_labels(by: int) -> Callable[[Situation], Array]:
    def targets(s: Situation) -> Array:
        if s.labels is None:
            return own_targets(s)
        n = s.inputs.n
        taken = np.atleast_1d(s.labels) + by
        if (taken >= n).any():
            raise IndexError("a class that does not exist")
        return np.asarray(np.eye(n)[taken].reshape(s.inputs.logits.shape))

    return targets


def _refused_below_0(s: Situation) -> Array:
    if s.labels is not None and (s.labels < 1).any():
        raise IndexError("a class that does not exist")
    return _one_less(s)


_one_less = _shifted_labels(-1)


def _none_where_absent(by: int) -> Callable[[Situation], Array]:
    """Compared with the numbers of the classes: no class at all where there is none of that number."""

    def targets(s: Situation) -> Array:
        if s.labels is None:
            return own_targets(s)
        classes = np.arange(s.inputs.n)
        return np.asarray((classes == np.asarray(s.labels)[..., None] + by).astype(float))

    return targets


def _difference(p: Array, y: Array) -> Array:
    return np.asarray(p - y)


_COMPARED = "Here the numbers are compared, and a label that has no class leaves its row without one."


def _compared() -> Iterator[Variant]:
    for by, detail in ((-1, ""), (1, "Here it is y + 1.")):
        steps = {"targets": _none_where_absent(by), "gradient": _difference}
        yield Variant(steps, applies=_by_label, detail=f"{detail} {_COMPARED}".strip())


def _by_label(s: Situation) -> bool:
    return s.labels is not None


LABELS_FROM_ONE = Mistake(
    name="labels-from-one",
    title="labels counted from one",
    why="classes are numbered 0 to n - 1. With y - 1 in the index label 1 takes class 0, and label 0 takes the last "
    "class, since an index of -1 counts from the end.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(f(np.array([0.0, 0.0, 9.0]), 2))   # classes 0, 1, 2: every number should be near 0",
    experiments_by_probs=dict.fromkeys(
        WITH_TARGETS, "print(f(np.array([0.2, 0.3, 0.5]), 2))   # classes 0, 1, 2: which one does it take?"
    ),
    fix="loss = -np.log(p[y])",
    variants=(
        Variant({"targets": _one_less}),
        Variant({"targets": _refused_below_0}, applies=_by_label, detail="Here a class -1 is refused."),
        Variant({"targets": _shifted_labels(1)}, detail="Here it is y + 1."),
        *_compared(),
    ),
)


def _label_as_targets(s: Situation) -> Array:
    if s.labels is None:
        return own_targets(s)
    return np.asarray(np.broadcast_to(s.labels, s.inputs.logits.shape))


def _label_column_as_targets(s: Situation) -> Array:
    if s.labels is None:
        return own_targets(s)
    return np.asarray(np.broadcast_to(np.asarray(s.labels)[..., None], s.inputs.logits.shape))


def _as_numbers(targets: Callable[[Situation], Array]) -> dict[str, Any]:
    def minus(p: Array, y: Array) -> Array:
        return np.asarray(p - y)

    def value(log_p: Array, _p: Array, y: Array) -> Array:
        return np.asarray(-(y * log_p).sum(axis=-1))

    return {"targets": targets, "gradient": minus, "value": value}


def _value_at_index(log_p: Array, _p: Array, y: Array) -> Array:
    """-mean(log p[y]), where y is one-hot."""
    return np.asarray(-log_p[y.astype(int)].mean())


def _column_of_targets(count: Callable[[Situation], int]) -> Leave:
    """y[:, None] * log p, which is meant for labels, with one-hot rows: all rows with all others."""

    def leave(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
        if s.targets != "one-hot" or s.given_probs:
            return None
        z = s.inputs.logits
        total = (own_targets(s)[:, None] * (z - shifted_logsumexp(z)[..., None])).sum()
        return (np.asarray(-total / count(s)), *arrays[1:])

    return leave


INDEX_AS_ONE_HOT = Mistake(
    name="index-as-one-hot",
    title="index labels used as one-hot targets",
    why="y is the number of a class, and the formula needs a vector with 1 at that class. y * log(p) multiplies all "
    "classes by the number, and p - y subtracts it from every entry; label 0 counts for nothing.",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(np.shape(y), np.shape(p))",
    fix="y = np.eye(n)[y]   # one-hot rows from labels",
    fixes={"cross_entropy": "loss = -np.log(p[y])   # or np.eye(n)[y] in place of y"},
    variants=(
        Variant(_as_numbers(_label_as_targets), applies=_by_label),
        Variant(_as_numbers(_label_column_as_targets), applies=_by_label),
        Variant(
            {"value": _value_at_index},
            kinds=LOSSES,
            applies=lambda s: s.targets == "one-hot" and not is_batch(s),
            detail="Here it is the reverse: p[y] with a one-hot y takes p[0] for every 0 and p[1] for the 1.",
        ),
        *(
            Variant(
                {"leave": (_column_of_targets(count),)},
                kinds=LOSSES,
                applies=lambda s: s.targets == "one-hot",
                detail="Here it is y[:, None] * log(p): the number of each row times all its classes. Given one-hot "
                "rows, it multiplies every row by every other.",
            )
            for count in (lambda s: len(s.inputs.logits), lambda _: 1)
        ),
    ),
)


def _fancy_minus(*, mean: bool, each: bool) -> Leave:
    """Whole columns less 1. each: once for each row that has the label, as JAX does it, and not once for all."""

    def leave(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
        labels = s.labels
        if labels is None or not s.inputs.is_batch:
            return None
        gradient = np.array(s.inputs.probs)
        if each:
            gradient -= np.bincount(labels, minlength=s.inputs.n)
        else:
            gradient[:, labels] -= 1
        return (*arrays[:-1], gradient / len(gradient) if mean else gradient)

    return leave


def _fancy_value(by: Callable[[int], int]) -> Leave:
    """The logarithms of whole columns, added up and divided by what is made of N."""

    def leave(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
        labels = s.labels
        if labels is None or not s.inputs.is_batch:
            return None
        return (np.asarray(-np.log(s.inputs.probs[:, labels]).sum() / by(len(labels))), *arrays[1:])

    return leave


SUBTRACTS_FROM_COLUMN = Mistake(
    name="subtracts-from-column",
    title="p[:, y] takes whole columns",
    why="p[:, y] is every row at every label of the batch, so that p[:, y] -= 1 subtracts from whole columns. The "
    "label of each row is p[np.arange(N), y].",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(grad.sum(axis=1))   # of a batch: every number should be 0",
    experiments={"cross_entropy": "print(p[:, y].shape)   # how many numbers are there, for N rows?"},
    fix="p[np.arange(N), y] -= 1",
    whys={
        "cross_entropy": "p[:, y] is every row at every label of the batch, N*N numbers, and the loss is the mean of "
        "all their logarithms. The label of each row is p[np.arange(N), y]."
    },
    fixes={"cross_entropy": "loss = -np.log(p[np.arange(N), y]).mean()"},
    variants=(
        *(
            Variant({"leave": (_fancy_minus(mean=mean, each=each),)}, GRADIENTS, is_batch)
            for each in (False, True)
            for mean in (True, False)
        ),
        *(
            Variant({"leave": (_fancy_value(by),)}, LOSSES, is_batch)
            for by in (lambda n: n * n, lambda n: n, lambda _: 1)
        ),
    ),
)


def _by_labels(s: Situation) -> bool:
    return s.labels is not None and s.inputs.is_batch


def _less_at(where: Callable[[Array], tuple[Array, ...]]) -> Callable[[Array, Array], Array]:
    """1 subtracted where an index puts it."""

    def gradient(p: Array, y: Array) -> Array:
        g = np.array(p)
        g[where(y.argmax(axis=-1))] -= 1
        return g

    return gradient


def _value_at(where: Callable[[Array], tuple[Array, ...]]) -> Callable[[Array, Array, Array], Array]:
    """The mean of all that an index takes."""
    return lambda log_p, _p, y: np.asarray(-log_p[where(y.argmax(axis=-1))].mean())


def _of_rows() -> Iterator[Variant]:
    for where, detail in (
        (lambda labels: (labels,), "Here it is p[y]: whole rows."),
        (lambda labels: (labels, np.arange(len(labels))), "Here the two indices are exchanged: p[y, np.arange(N)]."),
    ):
        yield Variant({"gradient": _less_at(where)}, GRADIENTS, _by_labels, detail)
        yield Variant({"value": _value_at(where)}, LOSSES, _by_labels, detail)
        yield Variant({"value": _value_at(where), "gradient": _less_at(where)}, VALUE_AND_GRAD, _by_labels, detail)


LABELS_PICK_ROWS = Mistake(
    name="labels-pick-rows",
    title="the labels pick rows, not classes",
    why="the first index of a batch is the row and the second the class. p[y] is row y, of another example; the label "
    "of each row is p[np.arange(N), y].",
    kinds=WITH_TARGETS,
    level="exercise",
    layer="formula",
    experiment="print(p[y].shape, z.shape, y.max())   # of a batch: which axis does y count along?",
    fix="p[np.arange(N), y] -= 1",
    fixes={"cross_entropy": "loss = -np.log(p[np.arange(N), y]).mean()"},
    variants=tuple(_of_rows()),
)


def _without_sum(p: Array, y: Array) -> Array:
    return np.asarray(p - y)


def _normalised(s: Situation) -> Array:
    y = own_targets(s)
    return np.asarray(y / y.sum(axis=-1, keepdims=True))


def _log_sum_once(arrays: tuple[Array, ...], s: Situation) -> tuple[Array, ...] | None:
    """logsumexp(z) - sum(y z), by the rows."""
    if s.given_probs:
        return None
    z, y = s.inputs.logits, own_targets(s)
    return (reduced(shifted_logsumexp(z) - np.where(y == 0, 0.0, y * z).sum(axis=-1), s), *arrays[1:])


def _smoothed() -> Iterator[Variant]:
    """Targets smoothed with a*1 in place of a/n: they sum to 1 + (n - 1)*a."""
    for a in (0.1, 0.2, 0.05, 0.01):
        steps = {"targets": lambda s, a=a: np.asarray(own_targets(s) * (1 - a) + a)}
        detail = f"Here they are smoothed to y*(1 - a) + a with a = {a:g}; it has to be a/n that is added."
        yield Variant(steps, detail=detail)
        yield Variant({**steps, "gradient": _without_sum}, GRADIENTS, detail=detail)


UNNORMALISED = Mistake(
    name="unnormalised-targets",
    title="targets whose sum is not 1",
    why="p - y is the gradient where the targets of a row sum to 1. Where they sum to Y it is Y*p - y, and the loss is "
    "Y*logsumexp(z) - sum(y*z); nothing in -sum(y*log(p)) makes them sum to 1.",
    kinds=WITH_TARGETS,
    level="stable",
    layer="formula",
    experiment="print(y.sum(axis=-1), grad.sum(axis=-1))   # the second should be 0",
    experiments={
        "cross_entropy": "print(f(np.array([0.0, 0.0]), np.array([1.0, 1.0])))   # 2 * log(2): should be 1.3863",
        "cross_entropy_grad": "print(f(np.array([0.0, 1.0]), np.array([1.0, 1.0])))   # should be -0.4621 and 0.4621",
    },
    fix="grad = p * y.sum(axis=-1, keepdims=True) - y",
    fixes={"cross_entropy": "loss = -(y * log_p).sum(axis=-1)"},
    variants=(
        Variant({"gradient": _without_sum}, kinds=GRADIENTS),
        Variant({"targets": _normalised}, detail="Here they are divided by their sum."),
        *_smoothed(),
        Variant(
            {"leave": (_log_sum_once,)},
            kinds=LOSSES,
            detail="Here logsumexp(z) is there once, and not sum(y) times.",
        ),
        Variant(
            {"leave": (_log_sum_once,), "gradient": _without_sum},
            kinds=VALUE_AND_GRAD,
            detail="Here logsumexp(z) is there once, and not sum(y) times: its gradient is p - y.",
        ),
    ),
)

MISTAKES = (LABELS_FROM_ONE, INDEX_AS_ONE_HOT, SUBTRACTS_FROM_COLUMN, LABELS_PICK_ROWS, UNNORMALISED)
