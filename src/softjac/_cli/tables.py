"""A table of texts, laid out in lines that fit the screen, or in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from softjac._cli.screen import Line, Screen

Gap = tuple[int, int]
"""First and last index of what was left out."""


@dataclass(frozen=True)
class Column:
    """One column: its heading, its cells, and the cell that is marked.

    ``value`` may follow the heading: "z[0]" and "1" are shown as "z[0]=1", or on two lines where that is too wide.
    """

    heading: str
    cells: Sequence[str]
    value: str = ""
    marked: int | None = None


@dataclass(frozen=True)
class Table:
    """Labels of the rows, the columns that may be left out where they are too many (``body``), and those that stay.

    ``columns`` is how many body columns there are in truth: of very many, ``body`` has only the first, and the last.
    ``names`` says that the labels are names and no numbers, though they have a heading.
    """

    heading: str
    labels: Sequence[str]
    body: Sequence[Column]
    tail: Sequence[Column] = ()
    columns: int = 0
    names: bool = False


def shortened(count: int, most: int, last: int) -> list[int | None]:
    """Indices below ``count``: all, or where they are more than ``most`` the first, None for a gap, and ``last`` more.

    >>> shortened(3, 3, 1), shortened(10, 4, 1)
    ([0, 1, 2], [0, 1, 2, None, 9])
    """
    if count <= most:
        return list(range(count))
    return [*range(most - last), None, *range(count - last, count)]


def gap_of(picked: Sequence[int | None], count: int) -> Gap | None:
    """What ``picked`` leaves out of ``count``, or None.

    >>> gap_of([0, 1, 2, None, 9], 10)
    (3, 8)
    """
    if None not in picked:
        return None
    position = picked.index(None)
    return position, count - (len(picked) - position)


def text_lines(table: Table, screen: Screen) -> tuple[list[Line], Gap | None]:
    """The table as lines no wider than the screen, and which body columns are left out for that."""
    body, gap = table.body, None
    for body, gap in _from_wide_to_narrow(table, screen.dots):
        for split, space in ((False, 3), (False, 2), (False, 1), (True, 3)):
            lines = _lines(table, body, split, space)
            if max(sum(len(piece) for piece, _ in line) for line in lines) <= screen.width:
                return lines, gap
    return _lines(table, body, split=True, space=1, least=1), gap


def _from_wide_to_narrow(table: Table, dots: str) -> Iterator[tuple[Sequence[Column], Gap | None]]:
    have = len(table.body)
    if have == table.columns:
        yield table.body, None
    between = Column(dots, [dots if label != dots else "" for label in table.labels])
    for keep in range(have - 1, 0, -1):
        last = 1 if keep > 1 else 0
        first = keep - last
        yield [*table.body[:first], between, *table.body[have - last :]], (first, table.columns - last - 1)


def _lines(table: Table, body: Sequence[Column], split: bool, space: int, least: int = 3) -> list[Line]:
    """Label, body, tail, with ``space`` between the columns.

    Where cells are marked, all have room for brackets, and ``least`` is the space beside the label and the tail.
    """
    split = split and any(column.value for column in body)
    join = "=\n" if split else "="
    headings = [f"{column.heading}{join}{column.value}" if column.value else column.heading for column in body]
    tops = [heading.partition("\n") for heading in headings]
    rows: list[tuple[str, Sequence[str], Sequence[str]]] = [
        (table.heading, [top for top, _, _ in tops], [column.heading for column in table.tail])
    ]
    if split:
        rows.append(("", [below for _, _, below in tops], ["" for _ in table.tail]))
    first = len(rows)
    for i, label in enumerate(table.labels):
        rows.append((label, [column.cells[i] for column in body], [column.cells[i] for column in table.tail]))

    label_width = max(len(label) for label, _, _ in rows)
    widths = [max(len(cells[k]) for _, cells, _ in rows) for k in range(len(body))]
    tail_widths = [max(len(tail[k]) for _, _, tail in rows) for k in range(len(table.tail))]
    has_marks = any(column.marked is not None for column in body)
    blank = " " if has_marks else ""
    gap = " " * (least if has_marks else space)
    between = "  " if has_marks else gap
    lines = []
    for i, (label, cells, tail) in enumerate(rows, -first):
        names = table.names or not table.heading
        label_ = label.ljust(label_width) if names else label.rjust(label_width)
        line: Line = [(f" {label_}{gap}", "")]
        for k, (text, width) in enumerate(zip(cells, widths, strict=True)):
            line.append(((between if k else "") + " " * (width - len(text)), ""))
            marked = body[k].marked == i
            line.append((f"[{text}]", "mark") if marked else (blank + text + blank, ""))
        line += [(f"{gap}{text:>{width}}", "") for text, width in zip(tail, tail_widths, strict=True)]
        lines.append(_stripped(line))
    return lines


def _stripped(line: Line) -> Line:
    """The line without the white space at its end, which would count as width."""
    while line and not line[-1][0].strip():
        line = line[:-1]
    return [*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else line


def markdown_lines(table: Table) -> Iterator[str]:
    """The table in Markdown, complete, the marked cells in bold."""
    columns = [*table.body, *table.tail]
    headings = [f"{column.heading}={column.value}" if column.value else column.heading for column in columns]
    yield "| " + " | ".join([table.heading or " ", *headings]) + " |\n"
    yield "|" + "|".join([":--", *("--:" for _ in columns)]) + "|\n"
    for i, label in enumerate(table.labels):
        cells = [f"**{column.cells[i]}**" if column.marked == i else column.cells[i] for column in columns]
        yield "| " + " | ".join(" ".join(text.split()) for text in [label, *cells]) + " |\n"
