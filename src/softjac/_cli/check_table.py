"""What `softjac check` writes: one report, or of several functions a table and a tally of their mistakes."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from softjac._cli.screen import Line, Screen

if TYPE_CHECKING:
    from softjac.check.report import Report

COLUMNS = ("file", "function", "kind", "verdict", "exit_code", "level", "reached", "mistake", "reason")
"""Of the CSV."""

_LABEL = 9


def written(reports: Sequence[Report], form: str, reveal: str, screen: Screen) -> str:
    """The reports in one of the formats."""
    if form == "csv":
        return _csv(reports, reveal)
    if len(reports) == 1:
        text = reports[0].to(form, reveal=reveal)
        return screen.paint(_line(line, k == 0) for k, line in enumerate(text.splitlines())) if form == "text" else text
    if form == "json":
        from softjac.check.report_json import plain

        return json.dumps([plain(report, reveal) for report in reports], indent=2) + "\n"
    rows = [(report.source, report.verdict, _found(report, reveal)) for report in reports]
    if form == "markdown":
        return _markdown(rows, reports)
    return screen.paint(_table(rows, reports, reveal))


def _line(line: str, is_first: bool) -> Line:
    if is_first:
        verdict, gap, rest = line.partition("  ")
        return [(verdict, "title"), (gap + rest, "")]
    label = line[:_LABEL]
    return [(label, "title" if label.strip() else ""), (line[_LABEL:], "")]


def _found(report: Report, reveal: str) -> str:
    """What stands in the last column: the mistake, or why it could not run."""
    if report.could_not:
        return report.could_not
    if report.main is None:
        return ""
    if reveal == "hint":  # the numbers, whose question is too long for a column
        symptom = next(iter(report.main.symptom), "")
        return symptom.rpartition(": ")[2] or symptom
    return report.mistake or report.main.title


def _tally(reports: Sequence[Report]) -> tuple[str, list[tuple[int, str]]]:
    """A sentence about all, and how many have each mistake, and how many none that has a name."""
    verdicts: Counter[str] = Counter(report.verdict for report in reports)
    words = {"CONFORMING": "conforming", "NOT CONFORMING": "not conforming", "COULD NOT RUN": "could not run"}
    counted = [f"{verdicts[verdict]} {word}" for verdict, word in words.items() if verdicts[verdict]]
    mistakes = Counter(report.mistake for report in reports if report.mistake)
    titles = {report.mistake: report.main.title for report in reports if report.mistake and report.main}
    lines = [(count, f"{name}: {titles[name]}") for name, count in mistakes.most_common()]
    others = Counter(_no_mistake(report) for report in reports)
    lines += [(count, words) for words, count in others.most_common() if words]
    return f"{len(reports)} functions: {', '.join(counted)}", lines


def _no_mistake(report: Report) -> str:
    """Why a report that is not conforming names none, or ""."""
    if report.could_not:
        return "could not run"
    if report.conforms or report.mistake:
        return ""
    return report.main.title if report.main else "no known mistake fits"


def _table(rows: Sequence[tuple[str, str, str]], reports: Sequence[Report], reveal: str) -> list[Line]:
    from softjac.check.plain_text import plain

    widest = min(max(len(plain(row[0])) for row in rows), 40)
    lines: list[Line] = [[(f"{'FILE':{widest}}  {'VERDICT':14}  MISTAKE", "title")]]
    for source, verdict, found in rows:
        first = plain(source)
        if len(first) > widest:
            first = "..." + first[3 - widest :]
        lines.append(
            [(f"{first:{widest}}  ", ""), (f"{verdict:14}", "mark"), (f"  {_cut(plain(found), 62 - widest)}", "")]
        )
    sentence, mistakes = _tally(reports)
    lines += [[], [(sentence, "")]]
    if reveal != "hint":
        width = max((len(str(count)) for count, _ in mistakes), default=0)
        lines += [[(f"  {count:>{width}}  {_cut(plain(words), 76 - width)}", "")] for count, words in mistakes]
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _markdown(rows: Sequence[tuple[str, str, str]], reports: Sequence[Report]) -> str:
    from softjac.check.plain_text import escaped

    lines = ["| File | Verdict | Mistake |", "|---|---|---|"]
    lines += [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in rows]
    sentence, mistakes = _tally(reports)
    lines += ["", f"{sentence}.", ""]
    lines += [f"- {count}: {escaped(words)}" for count, words in mistakes]
    return "\n".join(lines).rstrip() + "\n"


def _csv(reports: Sequence[Report], reveal: str) -> str:
    """A line for each function, for a gradebook."""
    from softjac.check.front import file_and_name

    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    for report in reports:
        file, name = file_and_name(report.source)
        table.writerow(
            _harmless(str(cell or ""))
            for cell in (
                file,
                name,
                report.kind,
                report.verdict,
                str(report.exit_code),
                report.level,
                report.reached,
                None if reveal == "hint" else report.mistake,
                report.could_not or _reason(report, reveal),
            )
        )
    return written.getvalue()


def _reason(report: Report, reveal: str) -> str:
    """Why it does not conform, where that is no mistake with a name, or one that is kept back."""
    if report.main is None or (report.mistake and reveal != "hint"):
        return ""
    return _found(report, reveal) if reveal == "hint" else report.main.title


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    from softjac.check.plain_text import printable

    return "'" + printable(cell) if cell[:1] in ("=", "+", "-", "@") else printable(cell)
