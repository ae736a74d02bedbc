"""What a person is shown of a cross-entropy: one vector class by class, rows as one line each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from softjac._cli.digits import for_people, logit, sum_for_people
from softjac._cli.losses import LossResults
from softjac._cli.tables import Column, Table, gap_of, shortened
from softjac._cli.views import (
    Detail,
    Rows,
    Shown,
    counting,
    largest,
    left_out,
    row_labels,
    row_name,
    rows_left_out,
    texts,
)
from softjac.cross_entropy import cross_entropy
from softjac.softmax import softmax

_MOST_ACROSS = 10  # classes that stand side by side; more stand one below the other
_LAST_CLASSES = 4  # of a shortened list, how many are from its end

Formula = tuple[str, str, list[str]]
"""A line of the table of one vector: what it is, its letter, and a text for each class."""


class LossView:
    """Cross-entropy of one vector from logits to gradient, of rows as a table of losses."""

    symbol = "p-y"

    def title(self, results: LossResults, detail: Detail) -> tuple[str, str]:  # noqa: ARG002
        target = results.target
        eps = f", smoothing {target.smoothing:g}" if target.smoothing else ""
        if len(results.logits.vectors) == 1:
            return f"Cross-entropy, label {results.label(0)}{eps} {counting(results)}", ""
        return f"Cross-entropy  loss = {_formula(results, '[label]')}{eps}", counting(results)

    def shown(self, results: LossResults, detail: Detail) -> Iterator[Shown]:
        if len(results.logits.vectors) > 1:
            yield self._rows(results, detail)
            return
        upright = self._upright(results, detail)
        n = len(results.logits.vectors[0])
        yield upright if n > _MOST_ACROSS else self._across(results, detail, upright)

    def notes(self, results: LossResults, detail: Detail) -> Sequence[tuple[str, str]]:
        if len(results.logits.vectors) > 1:
            return _notes_of_rows(results, detail)
        c, n = results.label(0), len(results.logits.vectors[0])
        if not results.count:
            return [(f"loss = 0, gradient 0: label {c} is ignored", "")]
        loss = float(results.losses[0])
        least = "certain and right 0" if not results.target.smoothing else f"least for this y{_least(results, detail)}"
        shown = " ~ 0" if loss == 0 and not _certain(results) else about(loss, detail)
        first = f"loss = {_formula(results, f'[{c}]')}{shown}"
        return [(first, f"({least}; uniform guess log {n}{about(math.log(n), detail)})"), *_step(results, detail)]

    def _rows(self, results: LossResults, detail: Detail) -> Shown:
        count = len(results.logits.vectors)
        rows = detail.pick_rows(count)

        def cells(text: Callable[[int], str], ignored: str = "") -> Sequence[str]:
            return texts(rows, lambda k: text(k) if results.counted[k] else ignored)

        body = [
            Column("label", texts(rows, lambda k: str(results.label(k)))),
            Column("p[label]", cells(lambda k: for_people(float(results.of(k)[results.label(k)]), detail.decimals))),
            Column("loss", cells(lambda k: for_people(float(results.losses[k]), detail.decimals), "ignored")),
        ]
        maximum = Column("max", texts(rows, lambda k: largest(results.of(k))))
        table = Table(row_name(results), row_labels(rows, detail), body, [maximum], len(body))
        return Shown("", table, rows_left_out(results, gap_of(rows, count)))

    def _across(self, results: LossResults, detail: Detail, instead: Shown) -> Shown:
        n, c = len(results.logits.vectors[0]), results.label(0)
        lines = _lines(results, range(n), detail)
        width = max(len(f"{name} {symbol}") for name, symbol, _ in lines)
        labels = [name + symbol.rjust(width - len(name)) for name, symbol, _ in lines]
        body = [Column(_marked(j, c), [cells[j] for _, _, cells in lines]) for j in range(n)]
        total = sum_for_people(results.gradient.of(0), detail.decimals)
        tail = [Column("", ["", "", "", f" sum {total}"][-len(lines) :])]
        return Shown("", Table("class", labels, body, tail, n, names=True), instead=instead)

    def _upright(self, results: LossResults, detail: Detail) -> Shown:
        n, c = len(results.logits.vectors[0]), results.label(0)
        rows = _with(c, shortened(n, n if detail.rows is None else detail.rows, _LAST_CLASSES), n)
        picked = [j for j in rows if j is not None]
        lines = _lines(results, picked, detail)
        body = []
        for _, symbol, cells in lines:
            at = iter(cells)
            body.append(Column(symbol, [*("" if j is None else next(at) for j in rows), ""]))
        total = sum_for_people(results.gradient.of(0), detail.decimals)
        body[-1] = Column(body[-1].heading, [*body[-1].cells[:-1], total])
        labels = [*(detail.dots if j is None else _marked(j, c) for j in rows), "sum"]
        return Shown("", Table("class", labels, body, columns=len(body)), _gaps(rows, n))


def about(value: float, detail: Detail) -> str:
    """`` ~ 0.4076``, or `` = 0`` and `` = inf`` for what is not rounded.

    >>> about(0.40760596, Detail(4)), about(0.0, Detail(4))
    (' ~ 0.4076', ' = 0')
    """
    if value == 0:
        return " = 0"
    return f" {'~' if math.isfinite(value) else '='} {for_people(value, detail.decimals)}"


def _certain(results: LossResults) -> bool:
    """Whether the label is the only class that is possible: then a loss of 0 is exact, else smaller than any number."""
    z = results.logits.vectors[0].astype(np.float64)
    return bool(np.count_nonzero(z > -math.inf) == 1 or np.isinf(z.max()))


def _formula(results: LossResults, label: str) -> str:
    return "-sum of y log p" if results.target.smoothing else f"-log p{label}"


def _target(results: LossResults) -> tuple[float, float]:
    """What the target is at the label, and at each other class: y."""
    n, eps = len(results.logits.vectors[0]), results.target.smoothing
    return (1 - eps) + eps / n, eps / n


def _least(results: LossResults, detail: Detail) -> str:
    """The loss where p = y: the entropy of y."""
    at, other = _target(results)
    n = len(results.logits.vectors[0])
    entropy = -math.fsum([at * math.log(at), *([(n - 1) * other * math.log(other)] if n > 1 else [])])
    return about(entropy + 0.0, detail)


def _lines(results: LossResults, classes: Sequence[int], detail: Detail) -> list[Formula]:
    """Logits, probabilities, target and gradient of the only vector, for some of its classes."""
    picked = list(classes)
    z, p, g = (x[picked].tolist() for x in (results.logits.vectors[0], results.of(0), results.gradient.of(0)))
    at, other = _target(results)
    whole = not results.target.smoothing
    y = [at if j == results.label(0) else other for j in picked]
    lines = [
        ("logit", "z", [logit(x) for x in z]),
        ("probability", "p", [for_people(x, detail.decimals) for x in p]),
        ("label" if whole else "target", "y", [f"{x:.0f}" if whole else for_people(x, detail.decimals) for x in y]),
        ("gradient", "p-y", [for_people(x, detail.decimals, "+") for x in g]),
    ]
    return lines if results.count else [*lines[:2], ("gradient", "g", lines[3][2])]


def _step(results: LossResults, detail: Detail) -> list[tuple[str, str]]:
    """What one step of gradient descent does to the probability and to the loss."""
    c, loss = results.label(0), float(results.losses[0])
    if math.isnan(loss) or loss == 0:
        return []
    z = results.logits.vectors[0].astype(np.float64)
    if math.isinf(loss) and np.isfinite(z).all():
        return [("The loss is larger than any number.", "")]
    if math.isinf(loss):
        return [("No step z - (p-y) helps: an infinite logit stays infinite.", "")]
    moved = z - results.gradient.of(0).astype(np.float64)
    p, after = float(results.of(0)[c]), float(softmax(moved)[c])
    better = float(cross_entropy(moved, c, **results.arguments))
    P, P2, L, L2 = (for_people(x, detail.decimals) for x in (p, after, loss, better))
    return [(f"One step z - (p-y): p[{c}] {P} -> {P2}, loss {L} -> {L2}", "")]


def _notes_of_rows(results: LossResults, detail: Detail) -> list[tuple[str, str]]:
    name, count, every = row_name(results), results.count, len(results.labels)
    notes = []
    if results.target.reduction != "none":
        n = results.logits.vectors.shape[1]
        what = "mean loss" if results.target.reduction == "mean" else "sum of the losses"
        uniform = f"(uniform guess log {n}{about(math.log(n), detail)}{'' if what == 'mean loss' else f' a {name}'})"
        notes.append((f"{what}{about(float(results.loss), detail)} over {_many(count, name)}", uniform))
    notes.append((f"The label has the largest p in {results.hits} of {_many(count, name)}.", ""))
    if count < every:
        are = "is" if every - count == 1 else "are"
        notes.append((f"{_many(every - count, name)} with label {results.target.ignored} {are} ignored.", ""))
    return notes


def _many(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _marked(j: int, label: int) -> str:
    return f"*{j}" if j == label else str(j)


def _with(label: int, rows: Rows, n: int) -> list[int | None]:
    """The classes shown, with the label among them: where it was in the gap, it takes the place of another."""
    if None not in rows or label in rows or not 0 <= label < n:
        return list(rows)
    gap = rows.index(None)
    before, last = list(rows[: gap - 1]), list(rows[gap + 1 :])
    return [*before, None, label, *([] if label + 1 == last[0] else [None]), *last]


def _gaps(rows: Rows, n: int) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for at, j in enumerate(rows):
        if j is None:
            before, after = rows[at - 1], rows[at + 1]
            found += left_out(((before or 0) + 1, (after or n) - 1), "class ", "classes ", n)
    return found
