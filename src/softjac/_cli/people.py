"""The formats for people: text for a screen, Markdown, and LaTeX."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from typing import Any

from softjac._cli.digits import for_people
from softjac._cli.results import Results
from softjac._cli.screen import Line, Screen
from softjac._cli.tables import Gap, markdown_lines, text_lines
from softjac._cli.views import Detail, Shown, View, left_out

_TITLE_WIDTH = 49  # what is counted how begins here
_TEXT_ROWS, _TEXT_TABLES = 20, 3


def write_text(results: Results, view: View[Any], decimals: int, screen: Screen, offer: str) -> Iterator[str]:
    """Tables within 80 columns, shortened where they are larger; ``offer`` is the last line on a terminal."""
    detail = Detail(decimals, _TEXT_ROWS, _TEXT_TABLES, screen.derivative, screen.dots)
    lines = _title_lines(*view.title(results, detail), screen.width)
    short = False
    for usual in view.shown(results, detail):
        shown, (table, gap) = usual, text_lines(usual.table, screen)
        if gap and usual.instead:
            shown, (table, gap) = usual.instead, text_lines(usual.instead.table, screen)
        lines.append([])
        if shown.caption:
            lines.append([(f" {shown.caption}", "title")])
        lines += table
        gaps = [*shown.gaps, *(f"{text} to fit {screen.width} columns" for text in _columns_left_out(shown, gap))]
        for text in gaps:
            lines += _wrapped(f"{text}.", "note", screen.width, indent=" ")
        short |= bool(gaps)
    notes = [*view.notes(results, detail)]
    if short:
        notes.append(("Shortened: --format csv or -o FILE gives all of it.", ""))
    if screen.terminal:
        notes.append((offer, ""))
    lines.append([])
    for note in notes:
        together = "    ".join(filter(None, note))
        for text in note if len(together) > screen.width else [together]:
            lines += _wrapped(text, "note", screen.width)
    while not lines[-1]:
        lines.pop()
    yield screen.paint(lines)


def _columns_left_out(shown: Shown, gap: Gap | None) -> tuple[str, ...]:
    if gap and not shown.column_name:  # columns of several kinds, each with its own name
        names = [column.heading for column in shown.table.body[gap[0] : gap[1] + 1]]
        return (f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} left out",)
    name = f"{shown.column_name}["
    return left_out(gap, name, name, shown.table.columns, "]")


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


def write_markdown(results: Results, view: View[Any], decimals: int) -> Iterator[str]:
    """Complete tables in Markdown, as GitHub, pandoc and notebooks read them."""
    detail = Detail(decimals)
    what, how = view.title(results, detail)
    yield f"{what.replace('  ', ', ')} {how}".rstrip() + "\n"
    for shown in view.shown(results, detail):
        yield f"\n**{shown.caption}**\n\n" if shown.caption else "\n"
        yield from markdown_lines(shown.table)
    for note in view.notes(results, detail):
        yield "\n" + " ".join(filter(None, note)).replace("[ ] diagonal", "Bold: diagonal") + "\n"


def write_latex(results: Results, view: View[Any], decimals: int) -> Iterator[str]:
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
            yield " & ".join(latex_number(for_people(value, decimals)) for value in row.tolist())
            opened = True
    yield _LATEX_END


_LATEX_END = "\n\\end{array}\\right)\n\\]\n"


def _latex_begin(symbol: str, columns: int) -> str:
    return f"\\[\n{symbol} = \\left(\\begin{{array}}{{*{{{columns}}}{{r}}}}\n"


def latex_number(text: str) -> str:
    r"""A number as `for_people` writes it, in LaTeX.

    >>> print(latex_number("-2.06e-09"), latex_number("inf"))
    -2.06 \times 10^{-9} \infty
    """
    if not math.isfinite(float(text)):
        return {"nan": "\\mathrm{NaN}", "inf": "\\infty", "-inf": "-\\infty"}[text.replace("+", "")]
    digits, _, exponent = text.partition("e")
    return f"{digits} \\times 10^{{{int(exponent)}}}" if exponent else digits
