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

_BARE = ("dumb", "unknown")

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
    """Facts about ``stream``: a pipe or file, NO_COLOR, TERM=dumb and another encoding than UTF-8 mean plain ASCII."""
    if not stream.isatty():
        return Screen()
    encoding = (getattr(stream, "encoding", "") or "").lower().replace("-", "").replace("_", "")
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in _BARE or encoding != "utf8"
    width = min(WIDEST, max(NARROWEST, shutil.get_terminal_size((WIDEST, 24)).columns))
    return Screen(terminal=True, fancy=not plain, width=width)


def progress_is_welcome() -> bool:
    """Whether a progress bar on standard error would reach a terminal that can draw it."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") not in _BARE
