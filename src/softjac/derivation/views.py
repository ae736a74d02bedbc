"""What the command line shows: one screen, or what its options select. `explain` is the continuous text."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from softjac.derivation import _arguments
from softjac.derivation.blocks import Block, Code, Heading
from softjac.derivation.content import entry as entry_view
from softjac.derivation.content import label as label_view
from softjac.derivation.content import logarithm, quotient, screen
from softjac.derivation.content import nudge as nudge_view
from softjac.derivation.content.numpy_code import setup
from softjac.derivation.content.pieces import heading, numbers_row
from softjac.derivation.derivation import Derivation
from softjac.derivation.points import Point, own_context
from softjac.derivation.sentences import text


@own_context()
def view(
    logits: Sequence[float] | Any = None,
    /,
    *,
    by: str | None = None,
    entry: tuple[int, int] | None = None,
    label: int | None = None,
    nudge: Sequence[float] | Any = None,
) -> Derivation:
    """One screen; with options what they select, one after the other.

    by: the routes to the derivative, "quotient", "log" or "both". entry: (i, j), one entry of the Jacobian, by these
    routes. label: the loss of a class and its gradient. nudge: what the Jacobian predicts for this change, and what
    happens. At most 1000 classes, with a nudge, or by without entry, 200. Raises as `softjac.derivation.explain` does.

    >>> print(str(view([1, 2, 3], entry=(0, 2))).splitlines()[0])
    How does p[0] change when z[2] changes?
    """
    at_length = nudge is not None or (by is not None and entry is None)
    most = _arguments.MOST_AT_LENGTH if at_length else _arguments.MOST_SHOWN
    point = _arguments.point_of(logits, label, nudge, most)
    way = _arguments.way_of("both" if by is None else by)
    at = None if entry is None else _arguments.entry_of(entry, None if point is None else point.n)
    blocks = tuple(_selected(point, None if by is None and at is None else way, at))
    return titled(with_setup(blocks, point) or screen.blocks(point))


def with_setup(blocks: tuple[Block, ...], point: Point | None) -> tuple[Block, ...]:
    """Where there are NumPy lines, under the title those that they need."""
    if not any(isinstance(block, Code) for block in blocks):
        return blocks
    return (*blocks[:1], text("opening_code"), setup(point), *blocks[1:])


def titled(blocks: tuple[Block, ...]) -> Derivation:
    """The first heading is the title; of others on its level, each begins a part."""
    first, *rest = blocks
    assert isinstance(first, Heading)
    return Derivation(
        first.parts, tuple(replace(b, level=2) if isinstance(b, Heading) and b.level == 1 else b for b in rest)
    )


def _selected(point: Point | None, way: str | None, entry: tuple[int, int] | None) -> Iterator[Block]:
    """The blocks of each option that was given."""
    if entry is not None:
        yield from entry_view.blocks(point, entry, way or "both")
    elif way is not None:
        yield from routes(point, way)
    if point is not None and point.label is not None:
        yield from label_view.blocks(point)
    if point is not None and point.nudge is not None:
        yield heading("nudge_view_title", 1, "nudge-view")
        yield text("opening_yours", logits=numbers_row(point.logits))
        yield from nudge_view.blocks(point)[1:]


def routes(point: Point | None, way: str) -> Iterator[Block]:
    """The derivative by the quotient rule, by the logarithm, or by both."""
    yield heading("routes_title", 1, "routes")
    if point is not None:
        yield text("opening_yours", logits=numbers_row(point.logits))
    if way != "log":
        yield from quotient.blocks(point)
    if way != "quotient":
        yield from logarithm.blocks(point)
