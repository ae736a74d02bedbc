"""Part 6: what the Jacobian predicts for a small change of the logits, and what happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cached_property

from softjac.derivation.blocks import Block, Table
from softjac.derivation.content.facts import Facts, facts
from softjac.derivation.content.numpy_code import code, differences_code, literals
from softjac.derivation.content.pieces import (
    chain,
    exact,
    heading,
    left_out,
    numbers_row,
    plain,
    shown_classes,
    step,
    table,
)
from softjac.derivation.expressions import Number, Sum, Symbol
from softjac.derivation.names import J, delta, p
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "nudge"
SCALES = (Decimal(1), Decimal("0.1"), Decimal("0.01"))
FAR_OFF = Decimal("0.1")
"""An error above this share of the change is called too large."""
DZ = Symbol("dz", ("j",))


@dataclass(frozen=True)
class Trial:
    """A change of the logits, what is predicted and what happens."""

    here: Facts
    nudge: tuple[Decimal, ...]

    def scaled(self, scale: Decimal) -> "Trial":
        """The same change, smaller."""
        with localcontext(Context(prec=self.here.digits)):
            return Trial(self.here, tuple(x * scale for x in self.nudge))

    @cached_property
    def predicted(self) -> tuple[Decimal, ...]:
        """J dz."""
        return self.here.predicted(self.nudge)

    @cached_property
    def actual(self) -> tuple[Decimal, ...]:
        """p(z + dz) - p(z)."""
        return self.here.changes(self.nudge)

    @cached_property
    def errors(self) -> tuple[Decimal, ...]:
        """Actual minus predicted."""
        with localcontext(Context(prec=self.here.digits)):
            return tuple(a - b for a, b in zip(self.actual, self.predicted, strict=True))

    @cached_property
    def largest_change(self) -> Decimal:
        """Of any probability."""
        return max(abs(x) for x in self.actual)

    @cached_property
    def largest_error(self) -> Decimal:
        """Of any probability."""
        return max(abs(x) for x in self.errors)

    @cached_property
    def is_common(self) -> bool:
        """Whether all logits move alike, so that no probability does."""
        return len(set(self.nudge)) == 1


def blocks(point: Point | None) -> tuple[Block, ...]:
    """The prediction in symbols, then for the reader's change."""
    predicted = Sum("j", J("i", "j") * DZ)
    mean = Sum("l", p("l") * Symbol("dz", ("l",)))
    return (
        heading("nudge_title", 2, ANCHOR),
        text("nudge_idea"),
        text("nudge_mean"),
        chain(
            predicted,
            (
                step(Sum("j", p("i") * (delta("i", "j") - p("j")) * DZ), "jacobian_entry"),
                step(p("i") * (Symbol("dz", ("i",)) - mean), "mean_out"),
            ),
            point,
            free="i",
        ),
        *(() if point is None else trial(point)),
        *((text("nudge_taylor"),) if point is None else ()),
        numpy_line(point),
    )


def nudge_of(point: Point) -> tuple[Decimal, ...]:
    """The reader's change, or 0.1 to the first logit."""
    if point.nudge is not None:
        return point.nudge
    return (Decimal("0.1"), *(Decimal(0) for _ in range(point.n - 1)))


def trial(point: Point) -> Iterator[Block]:
    """Predicted and actual change, and how the error shrinks."""
    tried = Trial(facts(point), nudge_of(point))
    if point.nudge is None:
        yield text("nudge_chosen")
    else:
        yield text("nudge_yours", nudge=numbers_row(point.nudge))
    columns = zip(tried.predicted, tried.actual, tried.errors, strict=True)
    rows = [(str(i), *(plain(x) for x in row)) for i, row in enumerate(columns) if i in shown_classes(point)]
    yield table("nudge_table", ("class", "nudge_predicted", "nudge_actual", "nudge_error"), rows)
    yield from left_out(point)
    if point.n == 1:
        yield text("nudge_none_one")
    elif tried.is_common:
        yield text("nudge_none")
    else:
        yield from shrinking(tried)


def shrinking(tried: Trial) -> Iterator[Block]:
    """The error at the change, a tenth and a hundredth of it."""
    part = tried.largest_error / tried.largest_change
    if part > FAR_OFF:
        yield text("nudge_large", part=plain(part))
    cubic = tried.here.second_order_vanishes(tried.nudge)
    yield text("nudge_cubic" if cubic else "nudge_taylor")
    yield shrink_table(tried)


def shrink_table(tried: Trial) -> Table:
    """Each line has the error as a fraction of the error of the line above."""
    rows = []
    before: Decimal | None = None
    for scale in SCALES:
        smaller = tried.scaled(scale)
        fraction: Number | str = "" if before is None else plain(smaller.largest_error / before)
        rows.append((exact(scale), plain(smaller.largest_change), plain(smaller.largest_error), fraction))
        before = smaller.largest_error
    header = ("nudge_scale", "nudge_largest_actual", "nudge_largest_error", "nudge_fraction")
    return table("nudge_shrink_table", header, rows)


def numpy_line(point: Point | None) -> Block:
    """Both in NumPy: the product that is predicted and the difference that is found."""
    nudge = (Decimal("0.1"),) if point is None else nudge_of(point)
    written = "0.1 * np.eye(n)[0]" if point is None or point.nudge is None else f"np.array([{literals(nudge)}])"
    predicted, actual = "p * (dz - p @ dz)", "softmax(z + dz) - p"
    if point is None:
        return code((f"dz = {written}", f"print({predicted})", f"print({actual})"), "", None)
    tried = Trial(facts(point), nudge)
    return differences_code((f"dz = {written}",), ((predicted, tried.predicted), (actual, tried.actual)), point)
