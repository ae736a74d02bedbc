"""The question that a diagnosis is about, in full and as it was passed, where it is short enough to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from softjac.check.dress import dress
from softjac.check.kinds import KINDS
from softjac.check.model import Array, Convention, Diagnosis, Examination, Judgement

MOST = 60
"""So many characters of one operand are shown in a line."""
MOST_LINES = 3

_LETTERS = {"logits": "z", "cotangent": "g", "targets": "y"}


def with_question(lines: Sequence[str], diagnosis: Diagnosis, examination: Examination) -> tuple[str, ...]:
    """The lines of a diagnosis, and after the first the operands that it leaves out."""
    judged = diagnosis.judgement
    if judged is None or not lines:
        return tuple(lines)
    added = list(_operands(judged, examination, lines[0]))
    row, found, named = lines[0].partition(f" in {judged.probe.name}")
    first = judged.probe.name + named if added and found and row.startswith("z[") else lines[0]
    return first, *added, *lines[1:]


def _operands(judged: Judgement, examination: Examination, line: str) -> Iterator[str]:
    kind, convention = examination.kind, examination.convention
    row = _row(judged, kind)
    if row is not None:
        label, operands = f"row {row}", _of_row(judged, kind, convention, row)
    else:
        label, operands = "passed", _as_passed(judged, kind, convention)
    texts = {letter: _rows(value) for letter, value in operands.items()}
    if any(len(rows) > MOST_LINES or max(map(len, rows)) > MOST for rows in texts.values()):
        return
    said = line.replace(f"z[{row}]", "z")
    if all(_is_said(f"{letter} = {rows[0]}", said) for letter, rows in texts.items() if len(rows) == 1) and all(
        len(rows) == 1 for rows in texts.values()
    ):
        return
    together = ", ".join(f"{letter} = {rows[0]}" for letter, rows in texts.items())
    if all(len(rows) == 1 for rows in texts.values()) and len(together) <= MOST:
        yield f"  {label:<9}{together}"
        return
    for letter, rows in texts.items():
        yield f"  {label:<9}{letter} = {rows[0]}"
        yield from (f"  {'':9}    {more}" for more in rows[1:])
        label = ""


def _is_said(words: str, line: str) -> bool:
    """Whether the line has the words, and not more digits after them."""
    _, found, rest = line.partition(words)
    return bool(found) and not rest[:1].isalnum() and rest[:1] != "."


def _row(judged: Judgement, kind: str) -> int | None:
    """The row of a batch in which the first wrong entry is."""
    if not judged.probe.inputs.is_batch or judged.where is None:
        return None
    where = judged.where[1:] if len(KINDS[kind].outputs) > 1 else judged.where
    return where[0] if where and where[0] < len(judged.probe.inputs.logits) else None


def _of_row(judged: Judgement, kind: str, convention: Convention, row: int) -> dict[str, Array]:
    inputs = judged.probe.inputs
    found = {"p": inputs.probs[row]} if convention.given == "probs" else {"z": inputs.logits[row]}
    if "cotangent" in KINDS[kind].operands and inputs.cotangent is not None:
        found["g"] = inputs.cotangent[row]
    elif judged.targets == "index" and inputs.labels is not None:
        found["y"] = inputs.labels[row]
    elif judged.targets and inputs.targets is not None:
        found["y"] = inputs.targets[row]
    return _in_order(found, convention)


def _as_passed(judged: Judgement, kind: str, convention: Convention) -> dict[str, Array]:
    call = dress(kind, judged.probe, convention, judged.form, judged.targets)
    letters = [_LETTERS[operand] for operand in KINDS[kind].operands]
    if convention.given == "probs":
        letters[0] = "p"
    if convention.swapped:
        letters.reverse()
    return {letter: np.asarray(one.value) for letter, one in zip(letters, call.arguments, strict=True)}


def _in_order(found: dict[str, Array], convention: Convention) -> dict[str, Array]:
    return dict(reversed(found.items())) if convention.swapped else found


def _rows(value: Array) -> list[str]:
    """A number, a vector in one line, or a matrix in lines that break between its rows."""
    if value.ndim == 0:
        return [_number(float(value))]
    if value.ndim == 1:
        return [f"[{', '.join(_number(float(x)) for x in value)}]"]
    lines = [""]
    rows = [_rows(row)[0] for row in value]
    for k, row in enumerate(rows):
        piece = f"{'' if k else '['}{row}{', ' if k + 1 < len(rows) else ']'}"
        if lines[-1] and len((lines[-1] + piece).rstrip()) > MOST:
            lines.append(" ")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _number(x: float) -> str:
    """As it is written by hand where it has few digits, else with four of them."""
    short = f"{x:.6g}"
    return short if float(short) == x else f"{x:.4g}"
