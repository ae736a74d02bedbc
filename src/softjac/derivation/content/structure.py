"""What can be read from the matrix: symmetry, sums, definiteness, two classes, and in words from the numbers."""

from collections.abc import Iterator
from decimal import Decimal

from softjac.derivation.blocks import Block, Parts, Text
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import code, jacobian
from softjac.derivation.content.pieces import chain, exact, heading, percent, rounded, shortened, step, table
from softjac.derivation.expressions import Divide, Expression, Number, Power, Sum, Symbol
from softjac.derivation.names import ONE, ZERO, J, by, delta, p, z
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

TWO = Number(2)
GAPS = (0, 1, 5, 10, 20)
SENSITIVE = Decimal("0.01")
MOST_PAIRS = 3
SMALLEST_DOUBLE = Decimal("4.95e-324")
"""A positive number below this is 0 in float64, or next to it."""
v = Symbol("v", ("i",))
v_j = Symbol("v", ("j",))
DIRECTION = ((v, "v"),)


def blocks(point: Point | None) -> tuple[Block, ...]:
    """Structure, the case of two classes, and sentences from the numbers."""
    return (
        heading("matrix_properties", 3, "matrix-properties"),
        text("matrix_symmetric"),
        chain(J("i", "j"), (step(-(p("i") * p("j")), "two_classes_J"), step(J("j", "i"), "factors_swapped")), point,
              free="ij", where="i!=j"),
        *sums(point),
        *definite(point),
        heading("matrix_two_title", 3, "matrix-two"),
        *two(point),
        heading("matrix_words", 3, "matrix-words"),
        *words(point),
    )  # fmt: skip


def sums(point: Point | None) -> tuple[Block, ...]:
    """Columns sum to zero for one reason, rows for another."""
    entry = p("i") * (delta("i", "j") - p("j"))
    return (
        text("matrix_columns"),
        chain(
            Sum("i", by(p("i"), "j")),
            (step(by(Sum("i", p("i")), "j"), "swap"), step(by(ONE, "j"), "sums_to_one"), step(ZERO, "constant")),
            point,
            free="j",
        ),
        text("matrix_rows"),
        chain(
            Sum("j", J("i", "j")),
            (
                step(Sum("j", entry), "jacobian_entry"),
                step(p("i") - p("i") * Sum("j", p("j")), "pick_row"),
                step(p("i") - p("i"), "sums_to_one"),
                step(ZERO, "difference_zero"),
            ),
            point,
            free="i",
        ),
        text("matrix_sums_numpy"),
        *fixed_check(point),
    )


def fixed_check(point: Point | None) -> tuple[Block, ...]:
    """Sums of a matrix in floating point are zero up to rounding, so NumPy is asked whether they are close."""
    lines = (
        "J = np.diag(p) - np.outer(p, p)",
        "print(np.allclose(J.sum(axis=0), 0))",
        "print(np.allclose(J.sum(axis=1), 0))",
        "print(np.array_equal(J, J.T))",
    )
    return code(lines, point)


def definite(point: Point | None) -> tuple[Block, ...]:
    """The quadratic form is a variance."""
    mean = Sum("l", p("l") * Symbol("v", ("l",)))
    return (
        text("matrix_definite"),
        chain(
            Sum("i", Sum("j", v * J("i", "j") * v_j)),
            (
                step(Sum("i", Sum("j", v * p("i") * (delta("i", "j") - p("j")) * v_j)), "jacobian_entry"),
                step(Sum("i", p("i") * Power(v, TWO)) - Power(mean, TWO), "pick_squares"),
                step(Sum("i", p("i") * Power(v - mean, TWO)), "mean_square"),
            ),
            point,
            given=DIRECTION,
        ),
        text("matrix_mean"),
        text("matrix_rank"),
    )


def two(point: Point | None) -> tuple[Block, ...]:
    """Four equal magnitudes."""
    lines = (step(p(0) * (ONE - p(0)), "one_entry"), step(p(0) * p(1), "rest_is_other"), step(-J(0, 1), "one_entry"))
    here = chain(J(0, 0), lines, None if point is None or point.n != 2 else point, size=2)
    if point is None or point.n != 2:
        return (text("matrix_two"), here, text("matrix_two_general"))
    return (text("matrix_two"), here, text("matrix_two_yours", value=rounded(J(0, 0), point)))


# ------------------------------------------------------------------------------------------------------------- in words


def words(point: Point | None) -> tuple[Block, ...]:
    """Which class is most sensitive, which pair trades most, what saturation does."""
    return (
        *((text("matrix_largest_general"),) if point is None else largest(point)),
        text("matrix_largest_why"),
        *((text("matrix_trade_general"),) if point is None else trade(point)),
        text("matrix_peak"),
        chain(
            p("i") * (ONE - p("i")),
            (step(Number(1) / 4 - Power(p("i") - ONE / TWO, TWO), "complete_square"),),
            point,
            free="i",
        ),
        text("matrix_saturated"),
        table(
            "matrix_saturated_table", ("matrix_saturated_gap", "matrix_saturated_p", "matrix_saturated_entry"), gaps()
        ),
        *(() if point is None else saturated(point)),
        text("matrix_relative"),
        chain(
            Divide(ONE, p("i")) * by(p("i"), "i"),
            (
                step(Divide(ONE, p("i")) * p("i") * (ONE - p("i")), "jacobian_entry"),
                step(ONE - p("i"), "equal_cancels"),
            ),
            point,
            free="i",
        ),
        *(() if point is None else relative(point)),
    )


def largest(point: Point) -> Iterator[Text]:
    """The class with the largest probability and diagonal entry."""
    here = facts(point)
    top = here.largest
    entry = rounded(J(top[0], top[0]), point)
    if point.n == 1:
        yield text("matrix_one_class")
    elif len(top) > 1:
        yield text("matrix_largest_tied", classes=classes_listed(top), entry=entry)
    elif point.n == 2:
        yield text("matrix_largest_two", entry=entry)
    else:
        yield text("matrix_largest", k=str(top[0]), entry=entry)


def trade(point: Point) -> Iterator[Block]:
    """The pair, or the pairs, with the off-diagonal entry furthest from zero."""
    pairs = facts(point).pairs
    if point.n == 1:
        return
    i, j = pairs[0]
    entry = rounded(J(i, j), point)
    if point.n == 2:
        yield text("matrix_trade_two", entry=entry)
    elif len(pairs) == 1:
        yield text("matrix_trade", i=str(i), j=str(j), entry=entry)
    else:
        shown = shortened([(J(a, b),) for a, b in pairs], MOST_PAIRS)
        yield text("matrix_trade_tied", pairs=shown, entry=entry)


def classes_listed(classes: tuple[int, ...]) -> Parts:
    """Classes by number, of many the first ones."""
    return shortened([(str(k),) for k in classes], 2 * MOST_PAIRS)


def gaps() -> list[tuple[Expression, Number, Number]]:
    """Two logits ever further apart: the larger probability, and the magnitude of all four entries."""
    rows: list[tuple[Expression, Number, Number]] = []
    for gap in GAPS:
        there = Point((Decimal(0), Decimal(gap)), (Decimal(0), Decimal(1)))
        rows.append((exact(gap), rounded(p(1), there, 10 if gap == GAPS[-1] else 6), rounded(J(1, 1), there)))
    return rows


def saturated(point: Point) -> Iterator[Block]:
    """Where the reader's own matrix is next to zero, how far from it; and what float64 keeps of 1 - p."""
    here = facts(point)
    top = here.largest[0]
    if point.n > 1 and here.entry(top, top) < SENSITIVE:
        yield text("matrix_saturated_yours", entry=rounded(J(top, top), point))
    if here.saturated:
        kept = here.complements[top] >= SMALLEST_DOUBLE
        small = rounded(ONE - p(top), point)
        if not kept:
            yield text("matrix_below", one_minus_pk=ONE - p(top), small=small)
        else:
            yield text("matrix_lost", one_minus_pk=ONE - p(top), p_k=p(top), small=small)
            yield from code(("import softjac", "print(softjac.softmax_jacobian(z))"), point, (jacobian(point),))


def relative(point: Point) -> Iterator[Block]:
    """The growth of the smallest and the largest probability, each by its own logit."""
    here = facts(point)
    if here.all_equal:
        return
    large, small = here.by_size[0], here.by_size[-1]
    yield text(
        "matrix_relative_yours",
        z_i=z(small),
        p_i=p(small),
        small=percent(here.complements[small] / 100),
        z_j=z(large),
        p_j=p(large),
        large=percent(here.complements[large] / 100),
    )
