"""Part 4: the derivative by the logarithm, each step by itself, and that both routes arrive at the same entry."""

from softjac.derivation.blocks import Block
from softjac.derivation.content.numpy_code import jacobian_code
from softjac.derivation.content.pieces import (
    about,
    chain,
    heading,
    is_short,
    readers_matrix,
    reckoned,
    rounded,
    shown_classes,
    step,
    table,
)
from softjac.derivation.content.quotient import S2
from softjac.derivation.expressions import Derivative, Divide, Expression, Log, Multiply, Sum, Symbol, Transpose
from softjac.derivation.names import EYE, ONE, ONES, ZERO, J, P, S, by, delta, e, p, z
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "logarithm"
LOG_P = Log(p("i"))
ENTRY = p("i") * (delta("i", "j") - p("j"))


def blocks(point: Point | None) -> tuple[Block, ...]:
    """Log first, then the derivative, then back."""
    return (
        heading("logarithm_title", 2, ANCHOR),
        text("logarithm_idea"),
        text("logarithm_chain"),
        chain(by(LOG_P, "j"), (step(ONE / p("i") * by(p("i"), "j"), "chain_log"),), point, free="ij"),
        text("logarithm_turn"),
        chain(by(p("i"), "j"), (step(p("i") * by(LOG_P, "j"), "times_p"),), point, free="ij"),
        text("logarithm_log_p"),
        chain(
            LOG_P,
            (
                step(Log(e("i") / S), "definition_p"),
                step(Log(e("i")) - Log(S), "log_quotient"),
                step(z("i") - Log(S), "log_exp"),
            ),
            point,
            free="i",
        ),
        text("logarithm_two"),
        chain(by(z("i"), "j"), (step(delta("i", "j"), "indicator"),), point, free="ij"),
        text("logarithm_log_S"),
        chain(
            by(Log(S), "j"),
            (
                step(ONE / S * by(S, "j"), "chain_log"),
                step(ONE / S * by(Sum("l", e("l")), "j"), "definition_S"),
                step(ONE / S * Sum("l", by(e("l"), "j")), "sum_rule"),
                step(ONE / S * e("j"), "one_term"),
                step(e("j") / S, "one_fraction"),
                step(p("j"), "definition_p"),
            ),
            point,
            free="j",
        ),
        text("logarithm_together"),
        chain(
            by(LOG_P, "j"),
            (
                step(by(z("i") - Log(S), "j"), "insert_log"),
                step(by(z("i"), "j") - by(Log(S), "j"), "difference_rule"),
                step(delta("i", "j") - p("j"), "insert_both"),
            ),
            point,
            free="ij",
        ),
        text("logarithm_multiply"),
        chain(
            by(p("i"), "j"), (step(p("i") * by(LOG_P, "j"), "times_p"), step(ENTRY, "insert_bracket")), point, free="ij"
        ),
        *(() if point is None else log_matrix(point)),
        heading("logarithm_both_title", 3, "logarithm-both"),
        *both(point),
        *(() if point is None else compared(point)),
        *numpy_line(point),
    )


def log_matrix(point: Point) -> tuple[Block, ...]:
    """The derivatives of the logs in numbers, before row i is multiplied by p_i."""
    return (
        text("logarithm_matrix"),
        chain(
            Derivative(Log(P), Symbol("z")),
            (
                step(EYE - Multiply((ONES, Transpose(P))), "all_at_once"),
                about(readers_matrix(point, lambda i, j: rounded(delta(i, j) - p(j), point)), "numbers"),
            ),
            point,
        ),
        text("logarithm_rows"),
    )


def both(point: Point | None) -> tuple[Block, ...]:
    """The results of both routes, case by case, and the fraction of the quotient rule before the cases."""
    fraction = (delta("i", "j") * e("i") * S - e("i") * e("j")) / S2
    return (
        text("logarithm_same"),
        chain(ENTRY, (step(p("i") * (ONE - p("i")), "same_class"),), point, free="ij", where="i=j"),
        text("logarithm_differ"),
        chain(
            ENTRY,
            (step(p("i") * (ZERO - p("j")), "two_classes"), step(-(p("i") * p("j")), "multiply_out")),
            point,
            free="ij",
            where="i!=j",
        ),
        text("logarithm_quotient"),
        chain(
            fraction,
            (
                step(delta("i", "j") * e("i") * S / S2 - e("i") * e("j") / S2, "split_fraction"),
                step(delta("i", "j") * p("i") - p("i") * p("j"), "definition_p"),
                step(ENTRY, "common_factor"),
            ),
            point,
            free="ij",
        ),
    )


def compared(point: Point) -> tuple[Block, ...]:
    """Entries by either route, in numbers."""
    rows = []
    for i, j in some_entries(point):
        by_log = reckoned((lambda a, b: a * b), (p(i), (ONE - p(i)) if i == j else -p(j)), J(i, j), point)
        over: Expression = e(i) * (S - e(i)) if i == j else -(e(i) * e(j))
        by_quotient = reckoned(Divide, (over, S2), J(i, j), point)
        rows.append(((J(i, j),), by_log[0], by_quotient[0], by_log[1]))
    return (table("logarithm_numbers", ("entry", "logarithm_by_log", "logarithm_by_quotient", "value"), rows),)


def some_entries(point: Point) -> tuple[tuple[int, int], ...]:
    """The first row, of many classes its first entries."""
    first = shown_classes(point)[0] if not is_short(point) else 0
    return tuple((first, j) for j in shown_classes(point))


def numpy_line(point: Point | None) -> tuple[Block, ...]:
    """The matrix of 1{i=j} - p_j, and the Jacobian from it."""
    return jacobian_code(("rows = np.eye(n) - p    # p in every row",), "p[:, np.newaxis] * rows", point)
