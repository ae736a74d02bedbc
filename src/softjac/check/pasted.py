"""Numbers in place of a function: what somebody got for one input, held against the exact result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from softjac.check.cases import inputs_of, numbers
from softjac.check.compare import judge
from softjac.check.diagnose import diagnose
from softjac.check.kinds import KINDS
from softjac.check.mistakes import MISTAKES
from softjac.check.model import Array, Convention, Examination, Form, Inputs, Level, Outcome, Probe
from softjac.check.options import MOST_DECIMALS, Options
from softjac.check.report import Report
from softjac.check.report_lines import decimals_in_words
from softjac.errors import ArgumentError, BoundsError, ShapeError

TELLING = (1.0, 2.0, 4.0)
"""Logits that tell mistakes apart: distinct, and not equally spaced."""
FEWEST_DECIMALS = 1
FEW_DECIMALS, USUAL_DECIMALS = 2, 4
MOST_HIDDEN = 6


@dataclass(frozen=True, eq=False)
class Numbers:
    """What was pasted. kind: of the function that they are to be of. guessed: from what that was guessed."""

    inputs: Inputs
    result: Array
    kind: str
    guessed: str


def report_of_numbers(
    logits: Any,
    result: Any,
    options: Options,
    label: int | None = None,
    source: str = "",
    *,
    decimals_are_asked: bool = False,
) -> Report:
    """Judge a result from the numbers alone, and name the mistake where the numbers tell it.

    logits: (n,), or (N, n) for a batch. result: what should be the value of `options.what` for them; without it, what
    its shape says. label: the right class, for a loss or its gradient. Numbers with one, two or three decimals are
    taken as rounded to so many, unless decimals_are_asked. Raises ShapeError, BoundsError or ArgumentError where they
    do not fit together; their words are those of the command line, since nothing else comes here.
    """
    tried = [
        _judged(given, options, source, decimals_are_asked) for given in _understood(logits, result, options, label)
    ]
    return next((report for report in tried if report.conforms or report.mistake), tried[0])


def _judged(given: Numbers, options: Options, source: str, decimals_are_asked: bool) -> Report:
    decimals, rounded = (options.decimals, False) if decimals_are_asked else _decimals(given.result, options.decimals)
    form: Form = "batch" if given.inputs.is_batch else "vector"
    convention = Convention(
        forms=(form,),
        given=options.given or "logits",
        targets=("one-hot",) if KINDS[given.kind].has_targets else (),
        reduction=options.reduction,
        wrt=options.given or "logits",
    )
    passed = given.inputs.probs if convention.given == "probs" else given.inputs.logits
    asked = f"{'p' if convention.given == 'probs' else 'z'} = {numbers(np.ravel(passed)[:8])}"
    if given.inputs.labels is not None:
        asked += f", y = {int(given.inputs.labels)}"
    level: Level = "exercise" if np.isfinite(given.result).all() else "stable"
    probe = Probe(asked, "vectors", level, given.inputs)
    written = _decimals(given.result, MOST_DECIMALS + 1)
    outcome = Outcome(
        (given.result,), f"shape {given.result.shape}", "list", decimals=written[0] if written[1] else None
    )
    judged = judge(given.kind, probe, convention, form, outcome, decimals=decimals)
    examination = Examination(given.kind, given.guessed, level, decimals, convention, (judged,))
    examination, causes = diagnose(examination)
    if causes and not causes[0].name and given.result.any() and (given.result == np.round(given.result)).all():
        whole = replace(judged, outcome=replace(outcome, decimals=0))
        _, causes = diagnose(replace(examination, judgements=(whole,)))
    notes = [f"the numbers are taken as rounded to {decimals_in_words(decimals)}"] if rounded else []
    if judged.problem and rounded and decimals <= FEW_DECIMALS and not any(one.name for one in causes):
        notes.append("with so few decimals mistakes look alike: four tell more")
    notes += _about_the_input(given, convention, decimals, right=not judged.problem)
    return Report(examination, causes, source, notes=tuple(notes), of_numbers=True)


def _understood(logits: Any, result: Any, options: Options, label: int | None) -> Iterator[Numbers]:
    """What the numbers may be meant to be, the likeliest first."""
    z, found = np.asarray(logits, float), np.asarray(result, float)
    probs = z
    if options.given == "probs":
        z = _logits_of(probs)
    if z.ndim not in (1, 2) or not z.size:
        raise ShapeError(f"--logits has shape {z.shape}: give (n,), or (N, n) for a batch.")
    n = z.shape[-1]
    if label is not None and (z.ndim != 1 or not 0 <= label < n):
        raise BoundsError(f"--label {label}: for one vector of {n} logits it is from 0 to {n - 1}.")
    kinds = (options.what,) if options.what else _kinds_of_shape(z, found, label)
    for kind in kinds:
        spec = KINDS[kind]
        if "cotangent" in spec.operands or len(spec.outputs) > 1:
            raise ArgumentError(
                f"--what {kind}: numbers are judged for kinds with one output, of logits and a label. Give the "
                "function, as FILE:NAME."
            )
        if spec.has_targets and label is None:
            raise ArgumentError(f"--what {kind} needs the right class, counted from 0: --label N.")
        if found.shape in _like_a_row(z) and spec.outputs == ("row",):
            found = found.reshape(z.shape)
        guessed = "" if options.what else "the shape" if kind == kinds[0] else "the numbers"
        inputs = inputs_of(z, labels=label if spec.has_targets else None)
        if options.given == "probs":
            if not spec.by_probs:
                raise ArgumentError(f"--given probs: {kind} is a function of logits. Leave it out.")
            inputs = replace(inputs, probs=probs)
        yield Numbers(inputs, found, kind, guessed)


def _logits_of(probs: Array) -> Array:
    """Logits of which these are the probabilities."""
    if not ((probs >= 0) & (probs <= 1)).all() or not np.allclose(probs.sum(axis=-1), 1, rtol=0, atol=5e-3):
        raise ArgumentError(
            f"--given probs: {numbers(np.ravel(probs)[:8])} is no distribution. Pass numbers from 0 to 1 whose sum is "
            "1, or logits without --given."
        )
    with np.errstate(divide="ignore"):
        return np.log(probs)


def _like_a_row(z: Array) -> set[tuple[int, ...]]:
    """Shapes in which a result of the shape of the logits is written, too; one number has none."""
    return {(*z.shape, 1), (1, *z.shape), *([()] if z.shape == (1,) else [])}


def _kinds_of_shape(z: Array, result: Array, label: int | None) -> tuple[str, ...]:
    n = z.shape[-1]
    if result.shape == (*z.shape, n):
        return ("softmax_jacobian",)
    if result.size == z.size:
        if label is not None:
            return ("cross_entropy_grad",)
        one = "log_softmax" if (result < 0).all() else "softmax"
        return (one, "softmax_jacobian")  # of a Jacobian, some write the diagonal alone
    if result.size == max(1, z.size // n):
        return ("logsumexp" if label is None else "cross_entropy",)
    raise ShapeError(
        f"--result has shape {result.shape}, and --logits {z.shape}: a Jacobian has {(*z.shape, n)}, softmax {z.shape}."
        " With --what it is judged as that."
    )


def _decimals(result: Array, decimals: int) -> tuple[int, bool]:
    """How many decimals count, and whether that is because the numbers have no more."""
    finite = result[np.isfinite(result)]
    for few in range(FEWEST_DECIMALS, decimals):
        if finite.size and (finite != np.round(finite)).any() and np.allclose(finite, np.round(finite, few), 0, 1e-12):
            return few, True
    return decimals, False


def _about_the_input(given: Numbers, convention: Convention, decimals: int, *, right: bool) -> list[str]:
    """What this input cannot tell, and which could."""
    logits = given.inputs.logits
    telling, what = f"z = {numbers(TELLING)}", "logits"
    if convention.given == "probs":
        telling, what = f"p = {numbers(np.round(inputs_of(TELLING).probs, 4))}", "probabilities"
    if logits.size > 1 and (logits == logits[..., :1]).all():
        why = "because most give the right numbers here, or the same wrong ones"
        would = f"{telling} would: distinct, and not equally spaced"
        return [f"all {what} are equal: this input cannot tell the mistakes apart, {why}. {would}"]
    hidden = _hidden(given, convention, decimals) if right else []
    if not hidden:
        return []
    shown = ", ".join(hidden[:MOST_HIDDEN]) + (
        f", and {len(hidden) - MOST_HIDDEN} more" if hidden[MOST_HIDDEN:] else ""
    )
    return [f"with this input a right result does not rule out: {shown}. {telling} tells more"]


def _hidden(given: Numbers, convention: Convention, decimals: int) -> list[str]:
    """Known mistakes of ordinary input that give the right numbers here, and wrong ones for the telling logits."""
    n = len(TELLING)
    label = None if given.inputs.labels is None else int(given.inputs.labels) % n
    telling = inputs_of(TELLING, labels=label)
    found = []
    for mistake in MISTAKES:
        if mistake.level != "exercise" or given.kind not in mistake.kinds or given.inputs.is_batch:
            continue
        if mistake.layer == "behaviour":  # as of numbers of fewer digits, which are no question of the input
            continue
        here = _off(mistake.wrong(given.kind, given.inputs, convention), given, given.inputs, convention, decimals)
        there = _off(mistake.wrong(given.kind, telling, convention), given, telling, convention, USUAL_DECIMALS)
        if any(not a and b for a, b in zip(here, there, strict=True)):
            found.append(mistake.name)
    return found


def _off(predictions: Any, given: Numbers, inputs: Inputs, convention: Convention, decimals: int) -> list[bool]:
    """For each prediction, whether it is wrong for this input."""
    probe = Probe("", "vectors", "exercise", inputs)
    wrong = []
    for prediction in predictions:
        if prediction is None or prediction.raises:
            wrong.append(prediction is not None)
        else:
            outcome = Outcome(tuple(prediction.arrays))
            judged = judge(given.kind, probe, convention, "vector", outcome, decimals=decimals)
            wrong.append(bool(judged.problem))
    return wrong
