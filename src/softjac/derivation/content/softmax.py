"""Part 1: softmax, entry by entry and as a vector; what comes out; why the maximum may be subtracted."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np

from softjac.derivation.blocks import Block, Line, Parts
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import code, fixed, floats
from softjac.derivation.content.pieces import (
    about,
    chain,
    equals,
    exact,
    heading,
    is_short,
    left_out,
    logit,
    plain,
    reckoned,
    reckoning,
    rounded,
    shown_classes,
    step,
    table,
)
from softjac.derivation.expressions import Add, Divide, Exp, Expression, Number, Sum, Symbol
from softjac.derivation.names import ONE, P, S, Z, e, m, p, z
from softjac.derivation.numbers import PLACES
from softjac.derivation.points import EXACT, Point
from softjac.derivation.rounding import printed_value
from softjac.derivation.sentences import text

ANCHOR = "softmax"
LARGEST_EXPONENT = Decimal("709.78")
"""NumPy's exp returns inf beyond this, for float64."""
LONGEST = 7
FREE_M = ((m, "m"),)


def blocks(point: Point | None) -> tuple[Block, ...]:
    """The function, its values, its properties, and how it is computed."""
    return (
        heading("softmax_title", 2, ANCHOR),
        text("softmax_what"),
        text("softmax_entry"),
        chain(
            p("i"), (step(e("i") / Sum("l", e("l")), "definition_p"), step(e("i") / S, "definition_S")), point, free="i"
        ),
        text("softmax_vector"),
        chain(P, (step(Exp(Z) / Sum(None, Exp(Z)), "all_entries"),), point),
        *(() if point is None else values(point)),
        *naive_code(point),
        heading("softmax_properties", 3, "softmax-properties"),
        *properties(point),
        heading("softmax_shift_title", 3, "softmax-shift"),
        *shift(point),
    )


# ----------------------------------------------------------------------------------------------------------- the values


def values(point: Point) -> tuple[Block, ...]:
    """Exponentials, their sum, each probability."""
    classes = shown_classes(point)
    rows = [(str(i), logit(i, point), rounded(e(i), point), *share(i, point)) for i in classes]
    return (
        text("softmax_numbers"),
        chain(S, total(point), point, size=point.n if is_short(point) else None),
        table("softmax_table", ("class", (z("i"),), (e("i"),), (e("i") / S,), (p("i"),)), rows),
        *left_out(point),
    )


def total(point: Point) -> tuple[Line, ...]:
    """The exponentials added up, where there are few."""
    if not is_short(point):
        return (equals(Sum("l", e("l")), "definition_S"), about(rounded(S, point), "numbers"))
    if point.n == 1:
        return (equals(Exp(logit(0, point)), "definition_S"), about(rounded(S, point), "numbers"))
    terms = tuple(e(i) for i in range(point.n))
    exponentials = Add(tuple(Exp(logit(i, point)) for i in range(point.n)))
    return (equals(exponentials, "definition_S"), *reckoning(lambda *x: Add(x), terms, S, point))


def share(i: int, point: Point) -> tuple[Expression, Expression]:
    """One exponential over the sum in numbers, and the probability."""
    return reckoned(Divide, (e(i), S), p(i), point)


def naive_code(point: Point | None) -> tuple[Block, ...]:
    """The definition as it stands; where its exponentials overflow, the function that subtracts the maximum."""
    if point is not None and max(abs(x) for x in point.logits) > 300:
        return code(("print(softmax(z))",), point, (floats(facts(point).probabilities),))
    lines = ("e = np.exp(z)", "print(e)", "print(e / e.sum())")
    if point is None:
        return code(lines, None)
    exponentials = floats([x.exp(EXACT) for x in point.logits])
    return code(lines, point, (exponentials, floats(facts(point).probabilities)))


# ------------------------------------------------------------------------------------------------------- the properties


def properties(point: Point | None) -> tuple[Block, ...]:
    """Positive, below one, summing to one, in the order of the logits."""
    below_one = "softmax_below_one_general" if point is None else "softmax_below_one"
    return (
        text("softmax_positive"),
        text("softmax_one_class" if point is not None and point.n == 1 else below_one),
        text("softmax_sum"),
        chain(
            Sum("i", p("i")),
            (
                step(Sum("i", e("i") / S), "definition_p"),
                step(Sum("i", e("i")) / S, "one_denominator"),
                step(S / S, "definition_S"),
                step(ONE, "equal_cancels"),
            ),
            point,
        ),
        text("softmax_probabilities"),
        *(() if point is None else rounded_sum(point)),
        text("softmax_float_sum"),
        fixed(("print(0.7 + 0.2 + 0.1)",), "0.9999999999999999"),
        text("softmax_order"),
        *(() if point is None or point.n == 1 else order(point)),
    )


def rounded_sum(point: Point) -> Iterator[Block]:
    """The sum of the printed probabilities, where it is not one."""
    total_shown = sum((printed_value(x, PLACES) for x in facts(point).probabilities), Decimal(0))
    if 1 != total_shown == round(total_shown, PLACES) and len(shown_classes(point)) == point.n:
        yield text("softmax_rounded_sum", sum=exact(total_shown))


def order(point: Point) -> Iterator[Block]:
    """The classes from the smallest logit to the largest, equal ones marked so."""
    classes = sorted(shown_classes(point), key=lambda i: (point.logits[i], i))
    yield text("softmax_order_numbers", logits=ordered(classes, z, point), probabilities=ordered(classes, p, point))


def ordered(classes: list[int], of: Callable[[int], Symbol], point: Point) -> Parts:
    """z_0 < z_2 = z_1 and the like."""
    parts: list[str | Expression] = []
    for before, i in zip([None, *classes], classes, strict=False):
        if before is not None:
            parts.append(" = " if point.logits[before] == point.logits[i] else " < ")
        parts.append(of(i))
    return tuple(parts)


# ------------------------------------------------------------------------------------------------------------ the shift


def shift(point: Point | None) -> tuple[Block, ...]:
    """Why any number may be subtracted, and what happens without."""
    shifted = Exp(z("i") - m)
    return (
        text("softmax_shift"),
        chain(
            shifted / Sum("l", Exp(z("l") - m)),
            (
                step(e("i") * Exp(-m) / Sum("l", e("l") * Exp(-m)), "exp_of_sum"),
                step(e("i") * Exp(-m) / (S * Exp(-m)), "common_factor"),
                step(e("i") / S, "equal_cancels"),
                step(p("i"), "definition_p"),
            ),
            point,
            free="i",
            given=FREE_M,
        ),
        text("softmax_shift_why"),
        *(() if point is None else shifted_values(point)),
        text("softmax_overflow"),
        *(() if point is None else own_overflow(point)),
        text("softmax_overflow_try"),
        *overflow_code(point),
        text("softmax_zero"),
        fixed(("print(np.exp(-746.0))",), "0.0"),
        text("softmax_batch"),
        fixed(("batch = np.array([[0.0, 0.0], [0.0, 1000.0]])", "print(softmax(batch))"), "[[0.5 0.5]\n [0.  1. ]]"),
    )


def shifted_values(point: Point) -> tuple[Block, ...]:
    """The table of the exponentials again, the largest of them one."""
    top = facts(point).by_size[0]
    total_shifted = Sum("l", Exp(z("l") - z(top)))
    rows = []
    for i in shown_classes(point):
        left, right = reckoned(Divide, (Exp(z(i) - z(top)), total_shifted), p(i), point)
        rows.append(
            (str(i), distance(point.logits[i], point.logits[top]), rounded(Exp(z(i) - z(top)), point), left, right)
        )
    header = ("class", (z("i") - m,), (Exp(z("i") - m),), (Exp(z("i") - m) / Sum("l", Exp(z("l") - m)),), (p("i"),))
    return (table("softmax_shift_table", header, rows, m=(m, " = ", logit(top, point))),)


def distance(a: Decimal, b: Decimal) -> Number:
    """The difference of two logits as the reader writes them; of long ones rounded."""
    difference = printed_value(a, None) - printed_value(b, None)
    return exact(difference) if len(str(difference)) <= LONGEST else plain(difference)


def own_overflow(point: Point) -> Iterator[Block]:
    """Where the reader's logits overflow by themselves."""
    if max(point.logits) > LARGEST_EXPONENT:
        yield text("softmax_overflow_own", z_max=logit(facts(point).by_size[0], point))


def overflow_code(point: Point | None) -> tuple[Block, ...]:
    """The naive formula and the shifted one at logits of a thousand and more."""
    lines = (
        "large = z - z.min() + 1000",
        'with np.errstate(over="ignore", invalid="ignore"):',
        "    print(np.exp(large) / np.exp(large).sum())",
        "print(softmax(large))",
    )
    if point is None:
        return code(lines, None)
    return code(lines, point, (np.full(point.n, np.nan), floats(facts(point).probabilities)))
