"""Part 3: the derivative by the quotient rule, the two cases line by line."""

from collections.abc import Iterator

from softjac.derivation.blocks import Block, Line
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import code, floats
from softjac.derivation.content.pieces import chain, equals, heading, reckoning, step
from softjac.derivation.expressions import Divide, Expression, Index, Number, Power, Sum
from softjac.derivation.names import ONE, ZERO, J, S, by, delta, e, p
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "quotient"
S2 = Power(S, Number(2))


def blocks(point: Point | None) -> tuple[Block, ...]:
    """The denominator, the diagonal, the rest, and both in one formula."""
    return (
        heading("quotient_title", 2, ANCHOR),
        text("quotient_rule"),
        text("quotient_S"),
        denominator(point),
        text("quotient_above"),
        heading("quotient_diagonal_title", 3, "quotient-diagonal"),
        text("quotient_diagonal"),
        chain(by(p("i"), "i"), diagonal("i"), point, free="i"),
        heading("quotient_off_title", 3, "quotient-off-diagonal"),
        text("quotient_off"),
        chain(by(p("i"), "j"), off_diagonal("i", "j"), point, free="ij", where="i!=j"),
        text("quotient_square"),
        text("quotient_both"),
        chain(by(p("i"), "j"), (step(p("i") * (delta("i", "j") - p("j")), "both_cases"),), point, free="ij"),
        *(() if point is None else numbers(point)),
        *numpy_line(point),
    )


def denominator(point: Point | None) -> Block:
    """The derivative of S by one logit."""
    lines = (
        step(by(Sum("l", e("l")), "j"), "definition_S"),
        step(Sum("l", by(e("l"), "j")), "sum_rule"),
        step(e("j"), "one_term"),
    )
    return chain(by(S, "j"), lines, point, free="j")


def diagonal(i: Index) -> tuple[Line, ...]:
    """From the fraction to p_i (1 - p_i)."""
    return (
        step(by(e(i) / S, i), "definition_p"),
        step((e(i) * S - e(i) * e(i)) / S2, "quotient_rule"),
        step(e(i) * (S - e(i)) / S2, "common_factor"),
        step((e(i) / S) * ((S - e(i)) / S), "split_square"),
        step((e(i) / S) * (ONE - e(i) / S), "split_fraction"),
        step(p(i) * (ONE - p(i)), "definition_p"),
    )


def off_diagonal(i: Index, j: Index) -> tuple[Line, ...]:
    """From the fraction to -p_i p_j."""
    return (
        step(by(e(i) / S, j), "definition_p"),
        step((ZERO * S - e(i) * e(j)) / S2, "quotient_rule"),
        step(-(e(i) * e(j)) / S2, "zero_times"),
        step(-((e(i) / S) * (e(j) / S)), "split_square"),
        step(-(p(i) * p(j)), "definition_p"),
    )


def numbers(point: Point) -> Iterator[Block]:
    """One diagonal entry and one beside it."""
    yield text("quotient_numbers" if point.n > 1 else "quotient_numbers_one")
    yield chain(J(0, 0), numeric_diagonal(0, point), point)
    if point.n > 1:
        last = point.n - 1
        yield chain(J(0, last), numeric_off(0, last, point), point)


def numeric_diagonal(i: int, point: Point) -> tuple[Line, ...]:
    """The fraction of the diagonal; S - e^z_i is rounded as one number, so that no digits cancel."""
    rest: Expression = S - e(i)
    return (
        equals(e(i) * rest / S2, "quotient_rule"),
        *reckoning(lambda a, b, c: Divide(a * b, Power(c, Number(2))), (e(i), rest, S), J(i, i), point),
    )


def numeric_off(i: int, j: int, point: Point) -> tuple[Line, ...]:
    """The fraction off the diagonal, numerator and denominator worked out."""
    return (
        equals((ZERO * S - e(i) * e(j)) / S2, "quotient_rule"),
        *reckoning(Divide, (-(e(i) * e(j)), S2), J(i, j), point),
    )


def numpy_line(point: Point | None) -> tuple[Block, ...]:
    """The two fractions in NumPy."""
    last = "n - 1" if point is None else str(point.n - 1)
    entries = ["e[0] * S - e[0] * e[0]", f"0 * S - e[0] * e[{last}]"]
    if point is not None and point.n == 1:
        entries.pop()
    lines = ("e = np.exp(z - z.max())", "S = e.sum()", f"print(np.array([{', '.join(entries)}]) / S**2)")
    if point is None:
        return code(lines, None)
    here = facts(point)
    return code(lines, point, (floats([here.entry(0, 0), here.entry(0, here.n - 1)][: len(entries)]),))
