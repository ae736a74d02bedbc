"""Part 2: what a Jacobian is, and why softmax needs one where the sigmoid does not."""

from decimal import Decimal

from softjac.derivation.blocks import Block
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import differences_code
from softjac.derivation.content.pieces import (
    chain,
    general_matrix,
    heading,
    left_out,
    plain,
    shown_classes,
    step,
    table,
)
from softjac.derivation.expressions import Exp, Number, Power, Symbol
from softjac.derivation.names import JACOBIAN, ONE, ZERO, Divide, by, e, p, z
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "jacobian"
TRIAL = Decimal("0.1")
SIGMOID = ((Symbol("s", ("i",)), Divide(ONE, ONE + Exp(-z("i")))),)
s = Symbol("s", ("i",))


def blocks(point: Point | None) -> tuple[Block, ...]:
    """One number in, one derivative; n numbers in and out, a matrix of them."""
    return (
        heading("jacobian_title", 2, ANCHOR),
        text("jacobian_one"),
        *sigmoid(),
        text("jacobian_softmax", f_i=Symbol("f", ("i",))),
        text("jacobian_pairs"),
        chain(JACOBIAN, (step(general_matrix(lambda i, j: by(p(i), j)), "definition_J"),), point),
        text("jacobian_read"),
        *(() if point is None else trial(point)),
        text("jacobian_resemble"),
        text("jacobian_two"),
        two(point),
    )


def sigmoid() -> tuple[Block, ...]:
    """The derivative of the sigmoid, and why its matrix is diagonal: in symbols, for it is no softmax."""
    under = ONE + Exp(-z("i"))
    return (
        text("jacobian_sigmoid"),
        chain(s, (step(ONE / under, "definition_s"),), None, free="i", given=SIGMOID),
        chain(
            by(s, "i"),
            (
                step((ZERO * under - ONE * -Exp(-z("i"))) / Power(under, Number(2)), "quotient_rule"),
                step(Exp(-z("i")) / Power(under, Number(2)), "zero_and_signs"),
                step((ONE / under) * (Exp(-z("i")) / under), "split_bottom"),
                step(s * (ONE - s), "sigmoid_rest"),
            ),
            None,
            free="i",
            given=SIGMOID,
        ),
        text("jacobian_sigmoid_off"),
        chain(by(s, "j"), (step(ZERO, "other_logit"),), None, free="ij", where="i!=j", given=SIGMOID),
        text("jacobian_sigmoid_diagonal"),
    )


def trial(point: Point) -> tuple[Block, ...]:
    """One logit moves, and all probabilities with it."""
    if point.n == 1:
        return (text("jacobian_try_one"),)
    moved = shown_classes(point)[0]
    nudge = tuple(TRIAL if i == moved else Decimal(0) for i in range(point.n))
    here = facts(point)
    changes = here.changes(nudge)
    after = here.at(tuple(a + b for a, b in zip(point.logits, nudge, strict=True)))[0]
    rows = [(str(i), plain(here.probabilities[i]), plain(after[i]), plain(changes[i])) for i in shown_classes(point)]
    return (
        text("jacobian_try", z_k=z(moved)),
        table("jacobian_try_table", ("class", "before", "after", "change"), rows, z_k=z(moved)),
        *left_out(point),
        text("jacobian_try_seen", k=str(moved)),
        *differences_code((), ((f"softmax(z + 0.1 * np.eye(n)[{moved}]) - p", changes),), point),
    )


def two(point: Point | None) -> Block:
    """Softmax of two logits is the sigmoid of their difference."""
    return chain(
        e(0) / (e(0) + e(1)),
        (step(ONE / (ONE + e(1) / e(0)), "divide_exp"), step(ONE / (ONE + Exp(-(z(0) - z(1)))), "exp_of_difference")),
        point if point is not None and point.n > 1 else None,
    )
