"""Cross-entropy for the command line: its options, and its losses and gradient, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from softjac._cli.arrays import Array
from softjac._cli.errors import CommandError, did_you_mean, quoted
from softjac._cli.labels import LabelColumn, check_labels, parse_labels
from softjac._cli.numerals import number, whole_number
from softjac._cli.results import Results
from softjac.cross_entropy import cross_entropy, cross_entropy_grad

REDUCTIONS = ("mean", "sum", "none")


@dataclass(frozen=True)
class Target:
    """What the logits should have been: labels, or the column that holds them, and how losses are made and reduced."""

    labels: list[int] | None
    column: LabelColumn | None
    smoothing: float = 0.0
    ignored: int | None = None
    reduction: str = "mean"


def target_of(typed: Mapping[str, str | None]) -> Target:
    """The options of cross-entropy as typed. Raises CommandError for every mistake that needs no logits to be seen."""
    label, column, reduction = (typed.get(name) for name in ("--label", "--label-column", "--reduction"))
    if label is None and column is None:
        raise CommandError(
            "no label: add --label N, the class that is right, counted from 0; for rows --label-column, or one a row"
        )
    if label is not None and column is not None:
        raise CommandError("--label and --label-column both give the labels: leave one of them out")
    if reduction is not None and reduction not in REDUCTIONS:
        there_are = f"there are {', '.join(REDUCTIONS)}"
        raise CommandError(f"unknown reduction {quoted(reduction)}: " + did_you_mean(reduction, REDUCTIONS, there_are))
    return Target(
        None if label is None else parse_labels(label),
        None if column is None else LabelColumn(column),
        _smoothing(typed.get("--label-smoothing")),
        whole_number("--ignore-index", typed.get("--ignore-index"), -(10**15), 10**15, "such as -100"),
        reduction or "mean",
    )


def _smoothing(text: str | None) -> float:
    try:
        value = 0.0 if text is None else number(text)
    except CommandError:
        value = -1.0
    if not 0 <= value <= 1:
        raise CommandError(f"--label-smoothing takes a number from 0 to 1, such as 0.1, not {quoted(text or '')}")
    return value


@dataclass(frozen=True)
class LossResults(Results):
    """Probabilities, as `Results`, with what cross-entropy makes of them: ``labels`` has one for each vector."""

    labels: Array = field(kw_only=True)
    target: Target = field(kw_only=True)

    @cached_property
    def losses(self) -> Array:
        """The loss of each vector; 0 where it is ignored."""
        return np.atleast_1d(self._of_all("none"))

    @cached_property
    def loss(self) -> Array:
        """The losses by the reduction: a number, or for "none" as many as there are vectors."""
        return np.asarray(self._of_all(self.target.reduction))

    @cached_property
    def counted(self) -> Array:
        """Which of the vectors are not ignored."""
        every = np.ones(self.labels.shape, bool)
        return every if self.target.ignored is None else np.asarray(self.labels != self.target.ignored)

    @cached_property
    def count(self) -> int:
        """How many they are."""
        return int(np.count_nonzero(self.counted))

    @property
    def gradient(self) -> Results:
        """The gradient of the loss, in the shape of the logits."""
        return _Gradient(*(getattr(self, part.name) for part in fields(Results)), losses=self)

    @cached_property
    def hits(self) -> int:
        """In how many of the vectors that count the label has the largest probability, the first of equal ones."""
        found = 0
        for rows in self.blocks():
            p = self.part(rows)
            right = (np.argmax(p, axis=-1) == self.labels[rows]) & ~np.isnan(p).any(axis=-1)
            found += int(np.count_nonzero(right & self.counted[rows]))
        return found

    @property
    def arguments(self) -> dict[str, Any]:
        """What the functions of cross-entropy take besides logits, labels and the reduction."""
        return {"label_smoothing": self.target.smoothing, "ignore_index": self.target.ignored}

    def label(self, row: int) -> int:
        """The label of one vector."""
        return int(self.labels[row])

    def _of_all(self, reduction: str) -> Any:
        values, labels = whole_problem(self)
        return cross_entropy(values, labels, self.logits.axis, reduction=reduction, **self.arguments)


@dataclass(frozen=True)
class _Gradient(Results):
    losses: LossResults = field(kw_only=True)

    def whole(self) -> Array:
        values, labels = whole_problem(self.losses)
        return self._of(values, labels, self.logits.axis)

    def part(self, rows: int | slice) -> Array:
        """As in one call for all vectors, with the same bits.

        A mean is divided by the number of all vectors that count: those outside this part are one row more here, of
        their number as its weight.
        """
        if not isinstance(rows, slice):
            only: Array = self.part(slice(rows, rows + 1))[0]
            return only
        z, labels = self.logits.vectors[rows], self.losses.labels[rows]
        counted = self.losses.counted
        others = self.losses.count - int(np.count_nonzero(counted[rows]))
        if not others:
            return self._of(z, labels, -1)
        z = np.concatenate([z, np.zeros_like(z[:1])])
        labels = np.append(labels, self.losses.labels[np.argmax(counted)])  # any that counts
        weights = np.append(np.ones(len(z) - 1), others)
        return self._of(z, labels, -1, weights)[:-1]

    def _of(self, logits: Array, labels: Array, axis: int, sample_weight: Array | None = None) -> Array:
        reduction = self.losses.target.reduction
        arguments = {**self.losses.arguments, "reduction": reduction, "sample_weight": sample_weight}
        return np.asarray(cross_entropy_grad(logits, labels, axis, **arguments))


def whole_problem(results: LossResults) -> tuple[Array, Array]:
    """Logits and labels in the shapes in which they came."""
    values = results.logits.values
    return values, results.labels if results.logits.has_rows else np.asarray(results.labels[0])


def losses_of(results: Results, target: Target) -> LossResults:
    """The losses of what `results` gives the probabilities of. Raises CommandError for labels that are no classes."""
    logits = results.logits
    count, classes = logits.vectors.shape
    row = "row" if logits.axis == logits.values.ndim - 1 else "column"
    where = (row, logits.source) if count > 1 or logits.labels is not None else ()
    if logits.labels is None:
        labels = np.array(target.labels, dtype=np.float64)
        if len(labels) != count:
            raise CommandError(_counts(len(labels), count, row))
    else:
        labels = logits.labels
    checked = check_labels(labels, classes, target.ignored, where)
    return LossResults(*(getattr(results, part.name) for part in fields(Results)), labels=checked, target=target)


def _counts(labels: int, count: int, row: str) -> str:
    have = f"--label has {labels} label{'' if labels == 1 else 's'}"
    if count == 1:
        return f"{have}, but the logits are one vector: give its one label"
    return f"{have}, but the logits are {count} {row}s: give one for each, as --label 0,2,1, or name a --label-column"
