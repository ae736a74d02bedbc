"""Lines for a terminal of 80 columns, in ASCII, and for a page of Markdown: nothing in them controls anything."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

WIDTH = 80


def printable(line: str) -> str:
    """The line without what could control a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def plain(line: str) -> str:
    """The line in ASCII."""
    return printable(line).encode("ascii", "backslashreplace").decode("ascii").rstrip()


def filled(line: str, width: int) -> Iterable[str]:
    """The line in pieces of a width, those after the first indented where it is."""
    if len(line) <= width:
        return [line]
    indent = len(line) - len(line.lstrip())
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * (indent + 2 if indent else 0),
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def escaped(line: str) -> str:
    """The line as Markdown that shows it as it is."""
    return "".join("\\" + c if c in "\\`*_[]<>#|" else c for c in printable(line))
