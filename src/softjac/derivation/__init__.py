"""The mathematics of softmax and cross-entropy as data, which checks itself and is written in several formats.

    >>> from softjac import derivation
    >>> text = derivation.explain([1, 2, 3], parts="quotient")
    >>> text.parts
    ('quotient',)

Every chain of equal expressions is evaluated when it is built, at the logits given and in general position, to 50
digits: one that holds a wrong line raises DerivationError. Symbols: z logits, p probabilities, y label; classes count
from 0.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from softjac.derivation import _arguments
from softjac.derivation.blocks import Chain, Code, Heading, Line, Table, Text
from softjac.derivation.content import (
    cross_entropy,
    jacobian_idea,
    logarithm,
    matrix,
    nudge,
    opening,
    quotient,
    softmax,
)
from softjac.derivation.content import entry as entry_view
from softjac.derivation.derivation import Derivation
from softjac.derivation.points import own_context
from softjac.derivation.sentences import sentence
from softjac.derivation.views import titled, view
from softjac.errors import ArgumentError

__all__ = ["Chain", "Code", "Derivation", "Heading", "Line", "Table", "Text", "explain", "parts", "view"]

_PARTS = {
    "softmax": softmax,
    "jacobian": jacobian_idea,
    "quotient": quotient,
    "logarithm": logarithm,
    "matrix": matrix,
    "nudge": nudge,
    "cross-entropy": cross_entropy,
}
"""Parts in the order of the text, and the modules that write them."""


def parts() -> tuple[str, ...]:
    """Names of the parts, in the order of the text."""
    return tuple(_PARTS)


@own_context()
def explain(
    logits: Sequence[float] | Any = None,
    /,
    *,
    parts: str | Iterable[str] | None = None,
    by: str = "both",
    entry: tuple[int, int] | None = None,
    label: int | None = None,
    nudge: Sequence[float] | Any = None,
) -> Derivation:
    """Softmax, its Jacobian and the gradient of the cross-entropy, step by step.

    J_ij = p_i (1{i=j} - p_j), by the quotient rule and by the logarithm, and p - y.

    logits: shape (n,), n at most 100, with entry 1000: the reader's numbers, each taken exactly; None explains in
    symbols. parts: names of `parts()`, all by default. by: "quotient", "log" or "both", the routes to the derivative.
    entry: (i, j) explains one entry of the Jacobian, and goes without parts. label: the class of a one-hot label.
    nudge: shape (n,), the change of the logits that the Jacobian predicts for; each is 0 or from 1e-30 to 100. Raises
    ArgumentError for more classes, for logits that are not finite, larger than 1e15 or further apart than 2000, for a
    nudge beyond these limits, and where parts and by leave no part;
    BoundsError for a label or an entry out of range; ShapeError for a nudge of another length.
    Naively: the chain rule on paper.
    Source: every line is evaluated when it is built; run by tests/test_derivation_content.py.

    >>> print(explain([1, 2, 3]).parts)
    ('softmax', 'jacobian', 'quotient', 'logarithm', 'matrix', 'nudge', 'cross-entropy')
    """
    most = _arguments.MOST_EXPLAINED if entry is None else _arguments.MOST_SHOWN
    point = _arguments.point_of(logits, label, nudge, most)
    way = _arguments.way_of(by)
    n = None if point is None else point.n
    if entry is not None:
        if parts is not None:
            raise ArgumentError(
                f"entry is {entry!r} and parts is {parts!r}: an entry is explained by itself. Pass one of them."
            )
        i, j = _arguments.entry_of(entry, n)
        return titled(entry_view.blocks(point, (i, j), way))
    wanted = _arguments.parts_of(parts, tuple(_PARTS))
    shown = [name for name in wanted or _PARTS if way == "both" or _arguments.ROUTE_OF.get(name, way) == way]
    if not shown:
        raise ArgumentError(
            f"parts is {parts!r} and by is {by!r}: nothing is left. Pass by='both', or parts that are not of one route."
        )
    found = (_PARTS[name].blocks(point) for name in shown)
    return Derivation(
        sentence("title"), (*opening.blocks(point, short=wanted is not None), *chain.from_iterable(found))
    )
