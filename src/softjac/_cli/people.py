"""The formats for people: text for a screen, Markdown, and LaTeX."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

from softjac._cli.digits import for_people
from softjac._cli.results import Results
from softjac._cli.screen import Line, Screen
from softjac._cli.tables import markdown_lines, text_lines
from softjac._cli.views import Detail, View, left_out

_TITLE_WIDTH = 49  # what is counted how begins here
_TEXT_ROWS, _TEXT_TABLES = 20, 3


def write_text(results: Results, view: View, decimals: int, screen: Screen, offer: str) -> Iterator[str]:
    """Tables within 80 columns, shortened where they are larger; ``offer`` is the last line on a terminal."""
    detail = Detail(decimals, _TEXT_ROWS, _TEXT_TABLES, screen.derivative, screen.dots)
    lines = _title_lines(*view.title(results, detail), screen.width)
    short = False
    for shown in view.shown(results, detail):
        lines.append([])
        if shown.caption:
            lines.append([(f" {shown.caption}", "title")])
        table, gap = text_lines(shown.table, screen)
        lines += table
        name = f"{shown.column_name}["
        narrower = left_out(gap, name, name, shown.table.columns, "]")
        gaps = [*shown.gaps, *(f"{text} to fit {screen.width} columns" for text in narrower)]
        for text in gaps:
            lines += _wrapped(f"{text}.", "note", screen.width, indent=" ")
        short |= bool(gaps)
    notes = [view.note(results), "Shortened: --format csv or -o FILE gives all of it." if short else ""]
    if screen.terminal:
        notes.append(offer)
    lines.append([])
    for note in notes:
        lines += _wrapped(note, "note", screen.width)
    while not lines[-1]:
        lines.pop()
    yield screen.paint(lines)


def _title_lines(what: str, how: str, width: int) -> list[Line]:
    padded = f"{what:<{_TITLE_WIDTH - 1}} "
    if len(padded) + len(how) <= width:
        return [[(padded, "title"), (how, "")]]
    return [*_wrapped(what, "title", width), *_wrapped(how, "", width)]


def _wrapped(text: str, style: str, width: int, indent: str = "") -> list[Line]:
    lines = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [[(line, style)] for line in lines]


def write_markdown(results: Results, view: View, decimals: int) -> Iterator[str]:
    """Complete tables in Markdown, as GitHub, pandoc and notebooks read them."""
    detail = Detail(decimals)
    what, how = view.title(results, detail)
    yield f"{what.replace('  ', ', ')} {how}\n"
    for shown in view.shown(results, detail):
        yield f"\n**{shown.caption}**\n\n" if shown.caption else "\n"
        yield from markdown_lines(shown.table)
    note = view.note(results).replace("[ ] diagonal", "Bold: diagonal")
    if note:
        yield f"\n{note}\n"


def write_latex(results: Results, view: View, decimals: int) -> Iterator[str]:
    r"""Displayed formulas in plain LaTeX (no package is needed): one matrix, or one for each Jacobian."""
    what, how = view.title(results, Detail(decimals))
    yield f"% {what} {how}\n"
    matrices = len(results.shape) == 3
    opened = False
    for k, item in enumerate(results.items()):
        if matrices and opened:
            yield _LATEX_END
            opened = False
        for row in results.lines(item):
            symbol = f"{view.symbol}^{{({k})}}" if matrices else view.symbol
            yield " \\\\\n" if opened else _latex_begin(symbol, results.shape[-1])
            yield " & ".join(_latex_number(for_people(value, decimals)) for value in row.tolist())
            opened = True
    yield _LATEX_END


_LATEX_END = "\n\\end{array}\\right)\n\\]\n"


def _latex_begin(symbol: str, columns: int) -> str:
    return f"\\[\n{symbol} = \\left(\\begin{{array}}{{*{{{columns}}}{{r}}}}\n"


def _latex_number(text: str) -> str:
    if not math.isfinite(float(text)):
        return {"nan": "\\mathrm{NaN}", "inf": "\\infty", "-inf": "-\\infty"}[text.replace("+", "")]
    digits, _, exponent = text.partition("e")
    return f"{digits} \\times 10^{{{int(exponent)}}}" if exponent else digits
