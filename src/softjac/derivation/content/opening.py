"""The opening: what the letters mean, what other texts write for them, and the NumPy lines that the rest uses."""

from softjac.derivation.blocks import Block
from softjac.derivation.content.numpy_code import setup
from softjac.derivation.content.pieces import numbers_row, table
from softjac.derivation.expressions import Log, Symbol
from softjac.derivation.names import J, P, Y, Z, by, delta, p, z
from softjac.derivation.points import Point
from softjac.derivation.sentences import sentence, text


def blocks(point: Point | None, *, short: bool = False) -> tuple[Block, ...]:
    """Symbols, here and elsewhere; short, what a part by itself needs."""
    return (
        text("opening_logits"),
        *(() if point is None else readers(point)),
        *(() if short else elsewhere()),
        text("opening_code"),
        setup(point),
    )


def elsewhere() -> tuple[Block, ...]:
    """What other texts write."""
    return (
        text("opening_elsewhere"),
        table(
            "opening_table",
            ("opening_here", "opening_meaning", "opening_others"),
            (
                ((Z,), sentence("opening_z"), sentence("opening_z_others")),
                ((P,), sentence("opening_p"), sentence("opening_p_others")),
                ((Y,), sentence("opening_y"), sentence("opening_y_others")),
                ((delta("i", "j"),), sentence("opening_delta"), sentence("opening_delta_others")),
                ((J("i", "j"), " = ", by(p("i"), "j")), sentence("opening_J"), sentence("opening_J_others")),
                ((z(0),), sentence("opening_first"), sentence("opening_first_others")),
                ((Log(Symbol("x")),), sentence("opening_log"), sentence("opening_log_others")),
            ),
        ),
    )


def readers(point: Point) -> tuple[Block, ...]:
    """The reader's numbers."""
    return (
        text("opening_yours", logits=numbers_row(point.logits)),
        *(() if point.label is None else (text("opening_label", k=str(point.label)),)),
        text("opening_rounding"),
    )
