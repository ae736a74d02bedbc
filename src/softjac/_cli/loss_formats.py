"""Cross-entropy in JSON, CSV, .npy and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from softjac._cli.digits import for_people, for_programs
from softjac._cli.logits import Logits
from softjac._cli.losses import LossResults
from softjac._cli.machine import json_of, json_row, write_npy
from softjac._cli.numerals import is_number
from softjac._cli.people import latex_number
from softjac._cli.tables import Table
from softjac._cli.views import Detail, View

_INDEXED = re.compile(r"p\[(\w+)\]")


def write_loss_json(results: LossResults, decimals: int | None) -> Iterator[str]:
    """An object: loss (a list for the reduction "none" of rows), gradient and probabilities, in NumPy's shapes."""
    loss = json_row(np.atleast_1d(results.loss), decimals)
    yield '{"loss": ' + (loss if results.loss.ndim else loss[1:-1])
    yield ',\n"gradient": '
    yield from json_of(results.gradient, decimals)
    yield ',\n"probabilities": '
    yield from json_of(results, decimals)
    yield "}\n"


def write_loss_csv(results: LossResults, decimals: int | None) -> Iterator[str]:
    """A header, then one line a vector: row, label, its own loss, its probabilities, its gradient."""
    several, n = results.logits.has_rows, results.logits.vectors.shape[1]
    names = [f"{letter}[{j}]" for letter in ("p", "g") for j in range(n)]
    yield ",".join([*(["row"] if several else []), "label", "loss", *names]) + "\n"
    logits = Logits(results.logits.vectors, axis=1)  # also of columns one a line
    losses = for_programs(results.losses, decimals)
    in_lines = replace(results, logits=logits)
    for k, (p, g) in enumerate(zip(in_lines.items(), in_lines.gradient.items(), strict=True)):
        place = [str(k)] if several else []
        numbers = [*for_programs(p, decimals), *for_programs(g, decimals)]
        yield ",".join([*place, str(results.label(k)), losses[k], *numbers]) + "\n"
        results.progress.advance()


def write_loss_npy(results: LossResults, decimals: int | None) -> Iterator[bytes]:
    """The gradient, in the shape and dtype of the logits."""
    yield from write_npy(results.gradient, decimals)


def write_loss_latex(results: LossResults, view: View[LossResults], decimals: int) -> Iterator[str]:
    """The complete tables as arrays, and the loss, in displayed formulas that need no package."""
    detail = Detail(decimals)
    yield "% " + " ".join(view.title(results, detail)).rstrip() + "\n"
    for shown in view.shown(results, detail):
        yield from _latex_table(shown.table)
    loss = _latex_loss(results, decimals)
    if loss:
        yield f"\\[\n{loss}\n\\]\n"


def _latex_table(table: Table) -> Iterator[str]:
    columns = [*table.body, *(column for column in table.tail if column.heading)]  # without the sum beside a line
    yield f"\\[\n\\begin{{array}}{{l*{{{len(columns)}}}{{r}}}}\n"
    yield _latex_line([table.heading, *(column.heading for column in columns)])
    for i, label in enumerate(table.labels):
        yield " \\\\\n" + _latex_line([label.split()[-1], *(column.cells[i] for column in columns)])
    yield "\n\\end{array}\n\\]\n"


def _latex_line(cells: Sequence[str]) -> str:
    return " & ".join(map(_latex_cell, cells))


def _latex_cell(text: str) -> str:
    r"""A cell of a table in mathematics: a number, a letter, p of a class, or words.

    >>> print(_latex_cell("+0.0900"), _latex_cell("*2"), _latex_cell("p[2]"), _latex_cell("p-y"), _latex_cell("max"))
    +0.0900 2^{*} p_{2} p-y \mbox{max}
    """
    indexed = _INDEXED.fullmatch(text)
    if indexed:
        index = indexed[1] if indexed[1].isdigit() else f"\\mbox{{\\scriptsize {indexed[1]}}}"
        return f"p_{{{index}}}"
    if text.startswith("*"):
        return text[1:] + "^{*}"
    if is_number(text):
        return latex_number(text)
    return text if len(text) <= 1 or text == "p-y" else f"\\mbox{{{text}}}"


def _latex_loss(results: LossResults, decimals: int) -> str:
    reduction, count = results.target.reduction, results.count
    if len(results.logits.vectors) == 1 and count:
        of = "-\\sum_j y_j \\log p_j" if results.target.smoothing else f"-\\log p_{{{results.label(0)}}}"
    elif reduction == "none":
        return ""
    else:
        of = f"\\mbox{{{'mean' if reduction == 'mean' else 'sum'} of {count} loss{'' if count == 1 else 'es'}}}"
    loss = float(results.loss.ravel()[0])
    is_ = "\\approx" if np.isfinite(loss) and loss else "="
    return f"{of} {is_} {latex_number(for_people(loss, decimals)) if loss else 0}"
