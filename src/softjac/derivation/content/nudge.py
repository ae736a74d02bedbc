"""Part 6: what the Jacobian predicts for a small change of the logits, and what happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cached_property
from itertools import pairwise

from softjac.derivation.blocks import Block
from softjac.derivation.content.facts import Facts, facts
from softjac.derivation.content.numpy_code import array_written, code, differences_code
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
from softjac.derivation.expressions import Sum, Symbol
from softjac.derivation.names import J, delta, p, z
from softjac.derivation.points import EXACT, Point
from softjac.derivation.sentences import text

ANCHOR = "nudge"
SCALES = tuple(Decimal(1).scaleb(-k) for k in range(6))
HUNDREDTH = Decimal("0.01")
MOST_MOVED = 3
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
        *numpy_line(point),
    )


def nudge_of(point: Point) -> tuple[Decimal, ...]:
    """The reader's change, or 0.1 to one logit."""
    if point.nudge is not None:
        return point.nudge
    return tuple(Decimal("0.1") if i == chosen(point) else Decimal(0) for i in range(point.n))


def chosen(point: Point) -> int:
    """The class whose logit moves, where the reader names no change: the first that is shown."""
    return shown_classes(point)[0]


def classes_of(point: Point, nudge: tuple[Decimal, ...]) -> tuple[int, ...]:
    """The classes that are shown, and those that are moved most."""
    moved = sorted((i for i in range(point.n) if nudge[i]), key=lambda i: -abs(nudge[i]))
    return tuple(sorted({*shown_classes(point), *moved[:MOST_MOVED]}))


def facts_for(point: Point, nudge: tuple[Decimal, ...]) -> Facts:
    """Digits that hold the error of a hundredth of the change: it is of second order, or of third."""
    with localcontext(EXACT):
        size = max(nudge) - min(nudge)
    more = 3 * max(0, -size.adjusted() - 1)
    return Facts(point.logits, facts(point).digits + more) if more else facts(point)


def trial(point: Point) -> Iterator[Block]:
    """Predicted and actual change, and how the error shrinks."""
    tried = Trial(facts_for(point, nudge_of(point)), nudge_of(point))
    if point.nudge is None:
        yield text("nudge_chosen", z_k=z(chosen(point)))
    else:
        yield text("nudge_yours", nudge=numbers_row(point.nudge))
    classes = classes_of(point, tried.nudge)
    columns = zip(tried.predicted, tried.actual, tried.errors, strict=True)
    rows = [(str(i), plain(a), plain(b), plain(c)) for i, (a, b, c) in enumerate(columns) if i in classes]
    yield table("nudge_table", ("class", "nudge_predicted", "nudge_actual", "nudge_error"), rows)
    yield from left_out(point, classes)
    if point.n == 1:
        yield text("nudge_none_one")
    elif tried.is_common:
        yield text("nudge_none")
    else:
        yield from shrinking(tried)


def shrinking(tried: Trial) -> Iterator[Block]:
    """The error at the change, a tenth and a hundredth of it; of a large change, smaller parts as well."""
    part = EXACT.divide(tried.largest_error, tried.largest_change)
    large = part > FAR_OFF
    if large:
        yield text("nudge_large", part=plain(part))
    steps = [tried.scaled(scale) for scale in (SCALES if large else SCALES[:3])]
    fractions = [EXACT.divide(after.largest_error, before.largest_error) for before, after in pairwise(steps)]
    yield text(order_of_error(fractions[-1]))
    rows = [
        (exact(scale), plain(step.largest_change), plain(step.largest_error), plain(fraction) if fraction else "")
        for scale, step, fraction in zip(SCALES, steps, (None, *fractions), strict=False)
    ]
    header = ("nudge_scale", "nudge_largest_actual", "nudge_largest_error", "nudge_fraction")
    yield table("nudge_shrink_table", header, rows)


def order_of_error(fraction: Decimal) -> str:
    """The sentence that fits how the error shrinks when the change shrinks to a tenth."""
    if HUNDREDTH / 2 < fraction < HUNDREDTH * 2:
        return "nudge_taylor"
    return "nudge_cubic" if HUNDREDTH / 20 < fraction < HUNDREDTH / 5 else "nudge_between"


def numpy_line(point: Point | None) -> tuple[Block, ...]:
    """Both in NumPy: the product that is predicted and the difference that is found."""
    nudge = (Decimal("0.1"),) if point is None else nudge_of(point)
    written = array_written("dz = ", nudge)
    if point is None or point.nudge is None:
        written = f"0.1 * np.eye(n)[{0 if point is None else chosen(point)}]"
    predicted, actual = "p * (dz - p @ dz)", "softmax(z + dz) - p"
    if point is None:
        return code((f"dz = {written}", f"print({predicted})", f"print({actual})"), None)
    tried = Trial(facts_for(point, nudge), nudge)
    return differences_code((f"dz = {written}",), ((predicted, tried.predicted), (actual, tried.actual)), point)
