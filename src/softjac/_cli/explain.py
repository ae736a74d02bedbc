"""``softjac explain``: the derivation on one screen, a part of it, or all of it, in one of five formats."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from softjac._cli.arrays import Array
from softjac._cli.errors import CommandError, did_you_mean, quoted
from softjac._cli.formats import choose_format
from softjac._cli.numerals import whole_number
from softjac._cli.output import destination
from softjac._cli.progress import Progress
from softjac._cli.screen import Line, Screen, progress_is_welcome, screen_of
from softjac._cli.vector import read_vector_if_any

if TYPE_CHECKING:
    from softjac.derivation import Derivation

NAME = "explain"
SUFFIX_OF = {"text": ".txt", "markdown": ".md", "latex": ".tex", "html": ".html", "ipynb": ".ipynb"}
"""Formats, in the order in which they are listed, and the suffix of each."""
WAYS = ("quotient", "log", "both")
PARTS = ("softmax", "jacobian", "quotient", "logarithm", "matrix", "nudge", "cross-entropy")
"""As `softjac.derivation.parts()`, which the help shows without loading the derivation."""

_TITLE = "\ue000"  # begins a line of a heading between the renderer and the screen; no text has it


@dataclass(frozen=True)
class ExplainRequest:
    """What was typed for the command: the data words, and the value of each option, or None."""

    words: list[str] = field(default_factory=list)
    by: str | None = None
    entry: str | None = None
    label: str | None = None
    nudge: str | None = None
    part: str | None = None
    whole: bool = False
    axis: str | None = None
    array: str | None = None
    format: str | None = None
    output: str | None = None

    def perform(self) -> None:
        """Read, derive, write. Every mistake is found before anything is written, and is a SoftjacError."""
        name = choose_format(self.format, self.output, SUFFIX_OF)
        self._check_selection()
        progress = Progress(progress_is_welcome())
        try:
            with destination(self.output) as write:
                source = (self.words, self.axis, self.array, sys.stdin)
                logits = read_vector_if_any(*source, progress, self._most(), NAME)
                derivation = self._derivation(logits)
                screen = screen_of(sys.stdout) if self.output is None else Screen()
                write(_text(derivation, screen) if name == "text" else derivation.to(name).encode())
        finally:
            progress.stop()

    def _most(self) -> int:
        """How many logits the selection takes."""
        from softjac.derivation import _arguments

        if self.whole or self.part is not None:
            return _arguments.MOST_EXPLAINED
        at_length = self.nudge is not None or (self.by is not None and self.entry is None)
        return _arguments.MOST_AT_LENGTH if at_length else _arguments.MOST_SHOWN

    def _check_selection(self) -> None:
        """Refuse options that no derivation can follow at once, and values that are none of those there are."""
        chosen = {"--all": self.whole, "--part": self.part is not None, "--entry": self.entry is not None}
        first, *others = [name for name, given in chosen.items() if given] or [""]
        if others:
            raise CommandError(f"{first} and {others[0]} select different things: leave one of them out")
        if self.by is not None and self.by not in WAYS:
            raise CommandError(
                f"unknown way {quoted(self.by)}: " + did_you_mean(self.by, WAYS, f"--by takes {', '.join(WAYS)}")
            )
        if self.part is None or self.by in {None, "both"}:
            return
        from softjac.derivation import _arguments

        for part in _parts(self.part):
            if _arguments.ROUTE_OF.get(part, self.by) != self.by:
                raise CommandError(f"--by {self.by} leaves the part {part} out: leave one of them out")

    def _derivation(self, logits: Array | None) -> Derivation:
        from softjac import derivation

        n = None if logits is None else len(logits)
        for option, value in (("--label", self.label), ("--nudge", self.nudge)):
            if value is not None and n is None:
                raise CommandError(f"{option} needs logits: softjac {NAME} 1 2 3 {option} {value}, for example")
        label, nudge = _label(self.label, n), _nudge(self.nudge, n)
        if self.whole or self.part is not None:
            parts = None if self.part is None else _parts(self.part)
            by = self.by or "both"
            return derivation.explain(logits, parts=parts, by=by, label=label, nudge=nudge)
        return derivation.view(logits, by=self.by, entry=_entry(self.entry, n), label=label, nudge=nudge)


def _label(text: str | None, n: int | None) -> int | None:
    label = whole_number("--label", text, -(10**100), 10**100, "such as 2, the class counted from 0")
    return None if label is None else _class(label, n, f"--label {label}")


def _entry(text: str | None, n: int | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        i, j = map(int, _cells(text))
    except ValueError:
        raise CommandError(f"--entry takes a row and a column, counted from 0, as 0,2; not {quoted(text)}") from None
    return _class(i, n, f"row {i} of --entry"), _class(j, n, f"column {j} of --entry")


def _class(value: int, n: int | None, what: str) -> int:
    """The number of a class that there is."""
    from softjac.derivation import _arguments

    if value < 0 or value >= (_arguments.MOST_EXPLAINED if n is None else n):
        there_are = f"classes are 0 to {n - 1}" if n is not None else "classes are counted from 0"
        if n is None and value > 0:
            there_are = f"classes are 0 to {_arguments.MOST_EXPLAINED - 1} without logits"
        raise CommandError(f"{what} is no class: " + ("the only class is 0" if n == 1 else there_are))
    return value


def _nudge(text: str | None, n: int | None) -> list[float] | None:
    from softjac.derivation.points import LARGEST_NUDGE, SMALLEST_NUDGE

    if text is None:
        return None
    changes = []
    for word in _cells(text) or [text]:
        try:
            exact = Decimal(word)
        except InvalidOperation:
            raise CommandError(f"--nudge takes a change for each logit, as 0.1,0,0; not {quoted(text)}") from None
        if not (exact.is_finite() and (not exact or SMALLEST_NUDGE <= abs(exact) <= LARGEST_NUDGE)):
            least = f"{float(SMALLEST_NUDGE):g}"
            raise CommandError(
                f"--nudge has the change {quoted(word)}: one is 0, or in size from {least} to {LARGEST_NUDGE}"
            )
        changes.append(float(exact))
    if len(changes) != n:
        have = "change" if len(changes) == 1 else "changes"
        logits = "1 logit" if n == 1 else f"{n} logits"
        raise CommandError(f"--nudge has {len(changes)} {have} for {logits}: give one for each, 0 where it stays")
    return changes


def _cells(text: str) -> list[str]:
    return text.replace(",", " ").strip(" []()").split()


def _parts(text: str) -> tuple[str, ...]:
    wanted = _cells(text)
    for name in wanted or [text]:
        if name not in PARTS:
            raise CommandError(
                f"unknown part {quoted(name)}: " + did_you_mean(name, PARTS, f"there are {', '.join(PARTS)}")
            )
    return tuple(wanted)


def _text(derivation: Derivation, screen: Screen) -> str:
    """As wide as the screen, headings in its colours; symbols beyond ASCII where it has them."""
    from softjac.derivation.blocks import Heading
    from softjac.derivation.render.text import TextRenderer

    class Marked(TextRenderer):
        def heading(self, block: Heading) -> str:
            return "\n".join(line and _TITLE + line for line in super().heading(block).split("\n"))

    text = Marked(width=screen.width, ascii=not screen.fancy).render(derivation)
    return screen.paint(_line(line) for line in text.rstrip("\n").split("\n"))


def _line(line: str) -> Line:
    return [(line.removeprefix(_TITLE), "title" if line.startswith(_TITLE) else "")]
