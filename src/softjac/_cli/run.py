"""From a request, as typed, to the result, written where it was asked for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from softjac._cli.digits import FEWEST, MOST, USUAL
from softjac._cli.formats import choose_format
from softjac._cli.jobs import Job
from softjac._cli.logits import read_logits
from softjac._cli.losses import losses_of, target_of
from softjac._cli.numerals import whole_number
from softjac._cli.output import destination
from softjac._cli.people import write_markdown, write_text
from softjac._cli.progress import Progress
from softjac._cli.results import Results
from softjac._cli.screen import Screen, progress_is_welcome, screen_of

_LONGEST_VALUE = 20  # of a label, to be repeated in the command that is offered


@dataclass(frozen=True)
class Request:
    """A job and what was typed for it: the data words, and the value of each option, or None.

    ``labels`` are the options of a job that has labels, by their names.
    """

    job: Job
    words: list[str] = field(default_factory=list)
    axis: str | None = None
    array: str | None = None
    decimals: str | None = None
    format: str | None = None
    output: str | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)

    def perform(self) -> None:
        """Read, compute, write. Every mistake is found before anything is computed or written: a CommandError."""
        name = choose_format(self.format, self.output)
        decimals = whole_number("--decimals", self.decimals, FEWEST, MOST, f"from {FEWEST} to {MOST}")
        axis = whole_number("--axis", self.axis, -99, 99, "such as 0 or -1")
        target = target_of(self.labels) if self.job.has_labels else None
        progress = Progress(progress_is_welcome())
        try:
            with destination(self.output) as write:
                column = target.column if target else None
                logits = read_logits(self.words, axis, self.array, sys.stdin, progress, column)
                screen = screen_of(sys.stdout) if self.output is None else Screen()
                results = Results(self.job.compute, self.job.core, logits, progress, bar=not screen.terminal)
                if target:
                    results = losses_of(results, target)
                for piece in _pieces(name, results, decimals, self, screen):
                    write(piece)
        finally:
            progress.stop()


def _pieces(
    name: str, results: Results, decimals: int | None, request: Request, screen: Screen
) -> Iterable[str] | Iterable[bytes]:
    few = USUAL if decimals is None else decimals
    view, writers = request.job.view, request.job.writers
    match name:
        case "json":
            return writers.json(results, decimals)  # type: ignore[no-any-return]
        case "csv":
            return writers.csv(results, decimals)  # type: ignore[no-any-return]
        case "npy":
            return writers.npy(results, decimals)  # type: ignore[no-any-return]
        case "markdown":
            return write_markdown(results, view, few)
        case "latex":
            return writers.latex(results, view, few)  # type: ignore[no-any-return]
        case _:
            return write_text(results, view, few, screen, _offer(request, screen.width))


def _offer(request: Request, width: int) -> str:
    """The command to try next, on the same logits. LOGITS stands for what was piped or is too long to repeat."""
    options = [f"--axis {request.axis}"] if request.axis else []
    options += [f"--array {shlex.quote(request.array)}"] if request.array else []
    for name, value in request.labels.items():
        if value is not None:
            short = len(value) <= _LONGEST_VALUE and value.isprintable()
            options.append(f"{name} {shlex.quote(value) if short else name.strip('-').upper()}")
    typed = "LOGITS" if request.words in ([], ["-"]) else shlex.join(request.words)
    line, template = ("Next: " + request.job.offer.format(" ".join([data, *options])) for data in (typed, "LOGITS"))
    return line if len(line) <= width and line.isprintable() else template
