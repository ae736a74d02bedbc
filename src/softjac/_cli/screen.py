"""What standard output can show: a terminal or not, its width, colour and symbols beyond ASCII."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

WIDEST = 80
NARROWEST = 40

_BARE = ("", "dumb", "unknown")
_SET_BY_PYTHON = ("C.UTF-8", "C.utf8", "UTF-8")  # LC_CTYPE where the locale was C, see PEP 538

Line = list[tuple[str, str]]
"""Pieces of one line of text, each with the name of its style: "" (plain), "title", "mark" or "note"."""

_STYLES = {"": "", "title": "bold", "mark": "bold cyan", "note": "dim"}


@dataclass(frozen=True)
class Screen:
    """Where text goes: ``terminal`` says a person looks, ``fancy`` that colour and Unicode are welcome."""

    terminal: bool = False
    fancy: bool = False
    width: int = WIDEST

    @property
    def derivative(self) -> str:
        """The d of dp/dz."""
        return "\N{PARTIAL DIFFERENTIAL}" if self.fancy else "d"

    @property
    def dots(self) -> str:
        """What stands for all that was left out."""
        return "\N{HORIZONTAL ELLIPSIS}" if self.fancy else "..."

    def paint(self, lines: Iterable[Line]) -> str:
        """The lines as one text, in colour where the screen has it."""
        if not self.fancy:
            return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines)
        from rich.console import Console
        from rich.text import Text

        drawn = io.StringIO()
        console = Console(file=drawn, force_terminal=True, color_system="standard", legacy_windows=False)
        for line in lines:
            text = Text.assemble(*((piece, _STYLES[style]) for piece, style in line))
            text.rstrip()
            console.print(text, soft_wrap=True)
        return drawn.getvalue()


def screen_of(stream: TextIO) -> Screen:
    """Facts about ``stream``: a pipe or file, NO_COLOR, a bare terminal, no UTF-8 mean plain ASCII."""
    if not stream.isatty():
        return Screen()
    utf8 = _is_utf8(getattr(stream, "encoding", None) or "") and _locale_is_utf8()
    plain = bool(os.environ.get("NO_COLOR")) or _is_bare() or not utf8
    width = min(WIDEST, max(NARROWEST, shutil.get_terminal_size((WIDEST, 24)).columns))
    return Screen(terminal=True, fancy=not plain, width=width)


def progress_is_welcome() -> bool:
    """Whether a progress bar on standard error would reach a terminal that can draw it."""
    return sys.stderr is not None and sys.stderr.isatty() and not _is_bare()


def _is_bare() -> bool:
    """Whether the terminal can do no more than print; on Windows TERM is not what tells."""
    return os.environ.get("TERM", "xterm" if os.name == "nt" else "") in _BARE


def _locale_is_utf8() -> bool:
    """Whether the locale says that the terminal has UTF-8: what Python encodes does not, it takes UTF-8 for C, too.

    LC_ALL counts before LC_CTYPE before LANG, and where none is set the locale is C. A value that Python may have set
    itself tells nothing, so there the next one counts. Windows has no such variables and tells by the encoding alone.
    """
    if os.name == "nt":
        return True
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    values = [os.environ.get(name, "") for name in names]
    if values[1] in _SET_BY_PYTHON:
        values[1] = ""
    return _is_utf8(next(filter(None, values), "C"))


def _is_utf8(name: str) -> bool:
    """Whether a locale or an encoding of this name has UTF-8."""
    return "utf8" in name.lower().replace("-", "").replace("_", "")
