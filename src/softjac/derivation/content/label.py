"""The view of one label: the loss, its gradient line by line and in numbers, one step."""

from softjac.derivation.blocks import Block
from softjac.derivation.content import cross_entropy, learning
from softjac.derivation.content.pieces import heading, label_row, numbers_row
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "label"


def blocks(point: Point) -> tuple[Block, ...]:
    """The gradient chain for the reader's label; without one, for the last class."""
    labelled = cross_entropy.with_label(point)
    k = str(labelled.label)
    return (
        heading("label_title", 1, ANCHOR, k=k),
        text("label_given", logits=numbers_row(point.logits), label=label_row(labelled.label or 0, labelled.n)),
        *cross_entropy.loss(labelled),
        *cross_entropy.gradient(labelled),
        *learning.step_taken(labelled),
    )
