"""Tables of a terminal: columns shrink by wrapping prose, and what still is too wide is printed in parts."""

from collections.abc import Sequence

from softjac.derivation.render._lines import GLUE, wrap

GAP = "  "
# A column of prose is wrapped no narrower than this.
NARROWEST = 16


def table_lines(
    header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int, dash: str
) -> list[str]:
    """Header, a line of dashes, rows; numeric columns flush right. Cells are strings, in which GLUE does not break."""
    columns = range(len(header))
    cells = [header, *rows]
    natural = [max(len(row[k]) for row in cells) for k in columns]
    words = [max((len(word) for row in cells for word in row[k].split(" ")), default=0) for k in columns]
    least = [natural[k] if numeric[k] else min(natural[k], max(words[k], NARROWEST)) for k in columns]
    lines: list[str] = []
    for part in _parts(least, width):
        if lines:
            lines.append("")
        widths = _widths([natural[k] for k in part], [least[k] for k in part], width)
        chosen = [numeric[k] for k in part]
        lines += _row([header[k] for k in part], widths, chosen)
        lines.append(GAP.join(dash * size for size in widths))
        for row in rows:
            lines += _row([row[k] for k in part], widths, chosen)
    return lines


def _parts(least: Sequence[int], width: int) -> list[list[int]]:
    """Columns that fit beside each other; the first, which names the rows, in each part."""
    parts = [[0]] if least else []
    used = least[0] if least else 0
    for column in range(1, len(least)):
        if used + len(GAP) + least[column] > width and len(parts[-1]) > 1:
            parts.append([0])
            used = least[0]
        parts[-1].append(column)
        used += len(GAP) + least[column]
    return parts


def _widths(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Widths that fit, the widest column giving way first; never below one character."""
    widths = list(natural)
    for floor in (least, [1] * len(widths)):
        while sum(widths) + len(GAP) * (len(widths) - 1) > width:
            able = [k for k in range(len(widths)) if widths[k] > floor[k]]
            if not able:
                break
            widths[max(able, key=lambda k: (widths[k], k))] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    wrapped = [wrap(cell, size) or [""] for cell, size in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped), default=0)
    lines = []
    for k in range(height):
        pieces = [(lines_of[k] if k < len(lines_of) else "").replace(GLUE, " ") for lines_of in wrapped]
        aligned = [
            piece.rjust(size) if right else piece.ljust(size)
            for piece, size, right in zip(pieces, widths, numeric, strict=True)
        ]
        lines.append(GAP.join(aligned).rstrip())
    return lines
