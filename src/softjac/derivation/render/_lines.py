"""Lines of a terminal: prose and expressions folded to a width."""

import re
import textwrap

HANG = 2
# A space inside an expression that stays in one line of prose; a private character, which prose cannot contain.
GLUE = "\ue000"
# Expressions in prose up to this long are kept in one line.
GLUED = 28
_OPERATOR = re.compile(r" (?=[+\-−*×/=≈~] )")
_TIGHT = re.compile(r"(?<=[^ (\[{,^_eE])(?=[+\-−*×/])|(?<=,)")


def glued(printed: str) -> str:
    """An expression for prose, kept in one line where it is short."""
    return printed.replace(" ", GLUE) if len(printed) <= GLUED else printed


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Prose as lines of at most `width` characters."""
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_on_hyphens=False,
    )
    return [line.replace(GLUE, " ") for line in lines]


def fold(printed: str, width: int) -> list[str]:
    """An expression as lines of at most `width` characters; a matrix that is wider as slabs of columns."""
    lines = printed.split("\n")
    width = max(width, HANG + 1)  # narrower than that no character would fit behind the indent
    if max(map(len, lines)) <= width:
        return lines
    return _slabs(lines, width) if len(lines) > 1 else _folded(printed, width)


def _folded(line: str, width: int) -> list[str]:
    """Broken before an operator, of those that fit the one inside the fewest brackets."""
    folded = []
    while len(line) > width:
        cut = _best_cut(line, width)
        folded.append(line[:cut].rstrip())
        line = " " * HANG + line[cut:].lstrip()
    return [*folded, line]


def _best_cut(line: str, width: int) -> int:
    start = len(line) - len(line.lstrip()) + 1
    for pattern in (_OPERATOR, re.compile(" "), _TIGHT):
        cuts = [found.start() for found in pattern.finditer(line, start, width + 1) if found.start() <= width]
        if cuts:
            return min(cuts, key=lambda cut: (_depth(line, cut), -cut))
    return width


def _depth(line: str, end: int) -> int:
    return sum(line.count(opening, 0, end) for opening in "([{") - sum(line.count(closing, 0, end) for closing in ")]}")


def _slabs(lines: list[str], width: int) -> list[str]:
    """Columns that fit beneath each other, cut where every line has a space."""
    full = max(map(len, lines))
    lines = [line.ljust(full) for line in lines]
    blank = [all(line[column] == " " for line in lines) for column in range(full)]
    folded: list[str] = []
    start = 0
    while start < full:
        indent = " " * HANG if start else ""
        end = start + width - len(indent)
        if end < full:
            cuts = [column for column in range(start + 1, end + 1) if blank[column]]
            end = cuts[-1] if cuts else end
        folded += [(indent + line[start:end]).rstrip() for line in lines]
        start = end
        while start < full and blank[start]:
            start += 1
        if start < full:
            folded.append("")
    return folded
