"""``softjac plot``: a picture of the Jacobian, in a file."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from typing import Any

from softjac import pictures
from softjac._cli.errors import CommandError
from softjac._cli.formats import choose_format
from softjac._cli.output import destination
from softjac._cli.progress import Progress
from softjac._cli.screen import progress_is_welcome
from softjac._cli.vector import read_vector

NAME = "plot"
SUFFIX_OF = {"svg": ".svg", "png": ".png", "pdf": ".pdf"}
"""Formats, in the order in which they are listed, and the suffix of each."""


@dataclass(frozen=True)
class PlotRequest:
    """What was typed for the command: the data words, and the value of each option, or None."""

    words: list[str] = field(default_factory=list)
    axis: str | None = None
    array: str | None = None
    format: str | None = None
    output: str | None = None

    def perform(self) -> None:
        """Read, draw, write. Every mistake is found before anything is drawn or written, and is a SoftjacError."""
        if self.output is None and self.format is None:
            raise CommandError("a picture needs a file: add -o jacobian.svg, .png or .pdf")
        form = choose_format(self.format, self.output, SUFFIX_OF)
        progress = Progress(progress_is_welcome())
        try:
            with destination(self.output) as write:
                source = (self.words, self.axis, self.array, sys.stdin)
                logits = read_vector(*source, progress, pictures.MOST_CLASSES, NAME)
                drawing = pictures.drawing_of(logits)
                write(_drawer().written(drawing, form))
        finally:
            progress.stop()


def _drawer() -> Any:
    backend = os.environ.pop(
        "MPLBACKEND", None
    )  # for windows, which the command has none of; a wrong one stops matplotlib
    try:
        return pictures.load()
    except ImportError as error:
        raise CommandError(str(error)) from None
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
