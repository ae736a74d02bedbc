"""A report as text of 80 columns, plain ASCII, and as Markdown: labels, and lines under each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from softjac.check import question
from softjac.check.as_called import axis_passed
from softjac.check.kinds import KINDS
from softjac.check.model import LEVELS, Convention, Diagnosis, Examination, Judgement, Level
from softjac.check.plain_text import WIDTH, escaped, filled, plain, printable

if TYPE_CHECKING:
    from softjac.check.report import Report

LABEL = 9
MOST_ALSO = 6
MOST_ULPS = 1e4
"""Where an error is larger, as in rounded answers, decimals are the measure."""

_FORMS = {"vector": "vectors", "column": "columns (n, 1)", "batch": "batches"}
_LISTS = {"vector": "lists", "column": "lists of lists of one", "batch": "lists of rows"}


@dataclass(frozen=True)
class Section:
    """A label and its lines. as_is: numbers and code, whose columns count; they are not filled."""

    label: str
    lines: tuple[str, ...]
    as_is: bool = False


def text(report: Report, reveal: str) -> str:
    """The report for a terminal."""
    groups = [[plain(line) for line in _first_lines(header(report))]]
    for group in sections(report, reveal):
        lines = [line for section in group for line in _labelled(section)]
        if lines:
            groups.append(lines)
    return "\n\n".join("\n".join(lines) for lines in groups) + "\n"


def markdown(report: Report, reveal: str) -> str:
    """The report for a page or a notebook."""
    verdict, _, rest = header(report).partition("  ")
    parts = [f"**{verdict}** {escaped(rest)}"]
    for group in sections(report, reveal):
        for section in group:
            if section.as_is:
                parts.append(f"**{section.label}**\n\n```\n" + "\n".join(map(printable, section.lines)) + "\n```")
            else:
                parts.append(f"**{section.label}** " + "  \n".join(escaped(line) for line in section.lines))
    return "\n\n".join(parts) + "\n"


def _first_lines(line: str) -> list[str]:
    """In two lines where one is too long: how the kind was guessed, and the level, in the second; or the level."""
    if len(line) <= WIDTH:
        return [line]
    for cut in (line.rfind(", level"), line.rfind(" (kind")):
        if 0 < cut < WIDTH:
            return [line[: cut + (line[cut] == ",")], f"  {line[cut:].lstrip(', ')}"]
    return list(filled(line, WIDTH))


def decimals_in_words(count: int) -> str:
    """1 decimal, 2 decimals."""
    return f"{count} decimal{'s' * (count != 1)}"


def header(report: Report) -> str:
    """Verdict, kind, level."""
    examination = report.examination
    guessed = examination.guessed
    kind = examination.kind or report.source
    if report.could_not and guessed and guessed != "the name":  # it was tried as all kinds
        kind, guessed = report.source or "a function", ""
    return (
        f"{report.verdict}  {kind}" + (f" (kind guessed from {guessed})" if guessed else "") + f", level {report.level}"
    )


def sections(report: Report, reveal: str) -> Iterator[list[Section]]:
    """All that is said, in groups: the finding, what was done, what cannot be said."""
    if report.could_not:
        yield _not_run(report)
        return
    yield _finding(report, reveal)
    if report.of_numbers:
        alone = Section("Checked", ("the numbers alone, for one input; no function was called",))
        yield [alone, Section("Cannot", ("; ".join(report.cannot) + ".",))]
        return
    done = [_called(report.kind, report.examination.convention), *_printed(report)]
    yield [*done, Section("Checked", _covered(report)), Section("Cannot", ("; ".join(report.cannot) + ".",))]


def _not_run(report: Report) -> list[Section]:
    found = [Section("Reason", (report.could_not,))]
    if "returned None" in report.could_not:
        found.append(Section("Try", ("a return statement: without one, a function returns None",)))
    return [*found, *_printed(report)]


def _finding(report: Report, reveal: str) -> list[Section]:
    found: list[Section] = []
    main = report.main
    hint = reveal == "hint"
    if report.verdict == "NOT CONFORMING":
        if main and not hint:
            why = main.why.splitlines() if main.name or not report.of_numbers else []
            found.append(Section("Mistake", (_title(main), *why, *_others(main))))
        seen = (main.symptom if hint else _seen(main)) if main else ()
        if main and not report.of_numbers:
            seen = question.with_question(seen, main, report.examination)
        found.append(Section("Seen", seen or _first_failure(report), as_is=True))
        if main and main.experiment and (main.name or not report.of_numbers):
            found.append(Section("Try", _tried(main.experiment), as_is=True))
        if main and main.fix and reveal == "fix":
            found.append(Section("Fix", tuple(main.fix.splitlines()), as_is=True))
    else:
        found.append(Section("Error", (_error(report),)))
    also = _also(report, hint)
    if also:
        found.append(Section("Also", also))
    if report.notes:
        found.append(Section("Note", report.notes))
    if not report.of_numbers:
        found.append(Section("Levels", (_levels(report),)))
    more = {"hint": "name", "name": "fix"}.get(reveal)
    if more and main and (more == "name" or main.fix):
        found.append(Section("More", (_reveal(report, more),)))
    elif report.conforms and report.reached != "exact" and not report.of_numbers:
        found.append(Section("More", (_option(report, "level", _following(report)),)))
    return found


def _option(report: Report, name: str, value: str) -> str:
    """An option as the reader gives it: to the command, or to `softjac.check`."""
    return f'{name}="{value}"' if report.in_python else f"--{name} {value}"


def _reveal(report: Report, name: str) -> str:
    return f'report.to("text", reveal="{name}")' if report.in_python else f"--reveal {name}"


def _tried(experiment: str) -> tuple[str, ...]:
    """What to try, its comment in a line of its own where both are too long for one: it can be copied."""
    code, _, comment = experiment.partition("   # ")
    if not comment or len(experiment) <= WIDTH - LABEL:
        return tuple(experiment.splitlines())
    return code, *(f"# {line}" for line in textwrap.wrap(comment, WIDTH - LABEL - 2))


def _title(diagnosis: Diagnosis) -> str:
    return diagnosis.title + (f"  [{diagnosis.name}]" if diagnosis.name else "")


def _others(diagnosis: Diagnosis) -> tuple[str, ...]:
    return (f"These fit as well: {', '.join(diagnosis.others)}.",) if diagnosis.others else ()


def _seen(diagnosis: Diagnosis) -> tuple[str, ...]:
    """What was seen, with the products; the symptom alone where there are none."""
    return diagnosis.seen or diagnosis.symptom


def _also(report: Report, hint: bool) -> tuple[str, ...]:
    named = report.main.name if report.main else ""
    others = [one for one in report.also if not named or one.name != named]
    beside = [one for one in others if _is_aside(report, one)]
    lines = [_also_line(one, hint, f"level {one.level}") for one in others if one not in beside]
    lines += [_also_line(one, hint, NOT_HELD_TO) for one in beside if _is_worth_saying(one)]
    examination = report.examination
    if not hint:
        lines += [
            f"given {_ONE.get(form, f'a {form}')} it is right: {_option(report, 'takes', form)}"
            for form in _right_forms(examination)
        ]
    soft = [j for j in examination.asides if j.probe.has_distributions]
    if soft:
        lines.append(f"{soft[0].probe.name}: taken for the class of the largest, as a label ({NOT_HELD_TO})")
    batches = [j for j in examination.asides if j.probe.inputs.is_batch and _says_something(j) and j not in soft]
    if batches and not beside and report.levels["exercise"]:
        lines.append(f"{batches[0].probe.name}: {trouble(batches[0])} ({NOT_HELD_TO})")
    lines = list(dict.fromkeys(lines))
    more = len(lines) - MOST_ALSO
    return (*lines[:MOST_ALSO], f"and {more} more") if more > 1 else tuple(lines)


NOT_HELD_TO = "a form that it is not held to"
_ONE = {"column": "a column (n, 1)"}
_OF_RIGHT_SHAPE = frozenset({"value", "not finite"})


def _says_something(batch: Judgement) -> bool:
    """Whether a batch gives what is an answer, or every row differentiated by every row."""
    return batch.problem in _OF_RIGHT_SHAPE or any(result.ndim == 4 for result in batch.results)


def _also_line(diagnosis: Diagnosis, hint: bool, where: str) -> str:
    symptom = diagnosis.symptom[0] if diagnosis.symptom else ""
    title = "" if symptom and (hint or diagnosis.title in symptom) else diagnosis.title
    return f"{symptom}{': ' if symptom and title else ''}{title} ({where})"


def _is_aside(report: Report, diagnosis: Diagnosis) -> bool:
    """Whether it was found in a form that the function is not held to, for which it is right at level exercise."""
    return diagnosis.level == "exercise" and diagnosis.judgement in report.examination.asides


def _is_worth_saying(diagnosis: Diagnosis) -> bool:
    """Not that a batch gives what is no answer for a batch: it was merely tried."""
    asked = diagnosis.judgement
    return asked is None or not asked.probe.inputs.is_batch or _says_something(asked)


def _right_forms(examination: Examination) -> list[str]:
    """Forms in which it is right, where it is wrong, at level exercise, in the one that it is held to."""
    if any(j.problem == "differs" for j in examination.judgements):  # then it was chance
        return []
    wrong_here = {j.probe.name for j in examination.judgements if j.problem not in {"", "changed"}}
    tried = [j for j in examination.asides if j.form not in examination.convention.forms]
    wrong = {j.form for j in tried if j.problem or j.probe.name not in wrong_here}
    return [form for form in dict.fromkeys(j.form for j in tried) if form not in wrong]


def _levels(report: Report) -> str:
    """Each level, whether it is reached, and how many of its own questions are wrong."""
    words = []
    of_what = " wrong"
    for level in LEVELS:
        of_level = [j for j in report.examination.judgements if j.probe.level == level]
        wrong = sum(bool(j.problem) for j in of_level)
        words.append(f"{level} {'yes' if report.levels[level] else 'no'}")
        if wrong:
            words[-1] += f" ({wrong} of {len(of_level)}{of_what})"
            of_what = ""
    return ", ".join(words)


def _error(report: Report) -> str:
    """The largest error, and the next thing worth knowing."""
    by_ulps, by_error = report.worst_ulps, report.worst_error
    if by_ulps is not None:
        words = f"the largest is {by_ulps.ulps:.2g} ulp of {by_ulps.ulp_of}, at {by_ulps.probe.name}"
    else:
        words = f"the largest is {report.largest_error or 0.0:.2g}"
        if report.of_numbers:
            return f"{words}, right to {decimals_in_words(report.examination.decimals)}"
        words += f", at {by_error.probe.name}" if by_error else ""
    if report.reached == "exact":
        return f"{words}: within softjac's own budget wherever it was asked"
    following = _following(report)
    wrong = next((j for j in report.examination.failed(following) if j.probe.level == following), None)
    if wrong is None or any(diagnosis.level == following for diagnosis in report.also):
        return words
    return f"{words}; level {following} is not reached: {wrong.probe.name}: {trouble(wrong)}"


def _following(report: Report) -> Level:
    """The level after the one that is reached."""
    return LEVELS[LEVELS.index(report.reached or "exercise") + 1]


def _first_failure(report: Report) -> tuple[str, ...]:
    wrong = report.examination.failed(report.level)
    return (f"{wrong[0].probe.name}:", f"  {trouble(wrong[0])}")


def trouble(judgement: Judgement) -> str:
    """What is wrong with an outcome, in a few words."""
    outcome, problem = judgement.outcome, judgement.problem
    if outcome.fatal or outcome.error:
        return outcome.fatal or outcome.error
    if outcome.unusable:
        return f"it returned {outcome.unusable}"
    if problem == "changed":
        return "it wrote into its argument"
    if problem == "differs":
        return "called again with the same arguments, it returned something else"
    if problem == "shape" or judgement.where is None or not judgement.results:
        shapes = " and ".join(str(t.shape) for t in judgement.truth)
        return f"it returned {outcome.described}, where shape {shapes} is expected" if problem == "shape" else problem
    part = judgement.where[0] if len(judgement.truth) > 1 else 0
    where = judgement.where[1:] if len(judgement.truth) > 1 else judgement.where
    mine, truth = (float(np.asarray(a[part])[where]) for a in (judgement.results, judgement.truth))
    entry = f"entry [{','.join(map(str, where))}]" if where else "the value"
    if f"{mine:.6g}" == f"{truth:.6g}":
        away = f"{entry}, {truth:.6g}, is off by {judgement.away:.2g}"
        if judgement.away_ulps > MOST_ULPS:
            return away
        allowed = f", where {judgement.budget:.2g} is allowed" if judgement.probe.level == "exact" else ""
        return f"{away}, or {judgement.away_ulps:.2g} ulp{allowed}"
    return f"{entry} is {mine:.6g} and should be {truth:.6g}"


def _called(kind: str, convention: Convention) -> Section:
    library = {"numpy": "NumPy", "torch": "torch", "jax": "JAX"}.get(convention.library, "")
    forms = _FORMS if library else _LISTS
    words = ["with", *([library] if library else []), " and ".join(forms[form] for form in convention.forms)]
    if convention.given == "probs":
        words.append("of probabilities")
    line = " ".join(words)
    if convention.axis_keyword:
        line += f", {convention.axis_keyword}={axis_passed(convention)}"
    if convention.swapped:
        line += ", the second operand first"
    if convention.targets:
        line += f"; targets as {' and '.join({'index': 'labels'}.get(form, form) for form in convention.targets)}"
    of_kind = KINDS[kind]
    if convention.reduction and of_kind.has_loss:
        line += f"; the losses of a batch: {'one a row' if convention.reduction == 'none' else convention.reduction}"
    if convention.gradient and of_kind.has_gradient:
        line += f"; gradient of the {convention.gradient}"
    stated = f"; {' and '.join(convention.stated)} as stated" if convention.stated else ""
    return Section("Called", (f"{line} (found by trying{stated})", *convention.guesses))


def _printed(report: Report) -> list[Section]:
    imported = report.printed_at_import[1]
    said = (
        (report.printed_at_import, "while it was imported"),
        (report.printed, "in all calls" if imported else "in all"),
    )
    lines = [f"{length} characters {when}, beginning {_start(text)}" for (text, length), when in said if length]
    return [Section("Printed", tuple(lines))] if lines else []


def _start(text: str) -> str:
    text = " ".join(text.split())
    shown = text[:24] + ("..." if len(text) > 24 else "")
    return repr(shown) if shown.isascii() else ascii(text[:4] + ("..." if len(text) > 4 else ""))


def _covered(report: Report) -> tuple[str, ...]:
    """How much was asked; where it conforms, also what was right in all, and what was wrong: in all, or so often."""
    if not report.conforms:
        judgements = report.examination.judgements
        return (f"{len(judgements)} questions, {sum(bool(j.problem) for j in judgements)} answers wrong",)
    right = [name for name, (count, asked) in report.covered.items() if count == asked]
    wrong = [
        f"{name} {asked - count} of {asked}" if count else name
        for name, (count, asked) in report.covered.items()
        if count < asked
    ]
    lines = [f"{len(report.examination.judgements)} questions"]
    lines += [f"right: {', '.join(right)}"] if right else []
    lines += [f"wrong: {', '.join(wrong)}"] if wrong else []
    return tuple(lines)


_CANNOT = {
    "softmax_jacobian": "a transposed J (it is symmetric)",
    "softmax_vjp": "a transposed J (it is symmetric)",
    "cross_entropy_grad": "two mistakes that cancel in p - y (check the pieces by themselves)",
    "cross_entropy_value_and_grad": "two mistakes that cancel in p - y (check the pieces by themselves)",
}


def cannot(examination: Examination) -> tuple[str, ...]:
    """What the questions cannot tell."""
    words = ["tell: other inputs, speed, memory"]
    if examination.kind in _CANNOT:
        words.append(_CANNOT[examination.kind])
    if examination.kind == "cross_entropy_grad" and examination.convention.gradient:
        words.append("whether 1/N belongs there, without the loss")
    return tuple(words)


def _labelled(section: Section) -> Iterator[str]:
    lines = [piece for line in section.lines for piece in filled(plain(line), WIDTH - LABEL)]
    for k, line in enumerate(lines):
        yield f"{section.label if not k else '':{LABEL}}{line}".rstrip()
