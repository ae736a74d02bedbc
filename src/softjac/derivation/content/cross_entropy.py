"""Part 7: categorical cross-entropy, and why its gradient is p - y."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from softjac.derivation.blocks import Block, Line
from softjac.derivation.content import learning
from softjac.derivation.content.facts import facts
from softjac.derivation.content.numpy_code import code, floats
from softjac.derivation.content.pieces import (
    Cell,
    about,
    chain,
    equals,
    heading,
    label_row,
    left_out,
    numbers_row,
    plain,
    reckoning,
    rounded,
    shown_classes,
    step,
    table,
)
from softjac.derivation.expressions import Derivative, Expression, Log, Number, Sum, Symbol
from softjac.derivation.names import ONE, L, P, S, Y, by, delta, p, y, z
from softjac.derivation.points import Point
from softjac.derivation.sentences import text

ANCHOR = "cross-entropy"
PRINTED_ONE = Decimal("1e-4")
"""Where 1 - p is smaller, p is printed as 1.0000 or nearly so."""
HALF = Decimal("0.5")
EXAMPLES = (
    ((HALF, HALF), (HALF, HALF)),
    ((HALF, HALF), (Decimal("0.6"), Decimal("0.4"))),
    ((HALF, HALF), (Decimal("0.9"), Decimal("0.1"))),
    ((Decimal(1), Decimal(0)), (Decimal("0.6"), Decimal("0.4"))),
)


def blocks(point: Point | None) -> tuple[Block, ...]:
    """The loss, what it measures, its gradient through the Jacobian, and what follows."""
    labelled = None if point is None else with_label(point)
    return (
        heading("entropy_title", 2, ANCHOR),
        *kinds(point, labelled),
        heading("entropy_definition_title", 3, "cross-entropy-measures"),
        *measure(),
        heading("entropy_loss_title", 3, "cross-entropy-loss"),
        *loss(labelled),
        heading("entropy_gradient_title", 3, "cross-entropy-gradient"),
        *gradient(labelled),
        *(() if labelled is None else learning.step_taken(labelled)),
        *learning.blocks(labelled),
    )


def with_label(point: Point) -> Point:
    """The reader's label, or the last class."""
    return point if point.label is not None else point.with_label(point.n - 1)


def kinds(point: Point | None, labelled: Point | None) -> Iterator[Block]:
    """Multi-class against multi-label, and the one-hot label."""
    yield text("entropy_kinds")
    yield text("entropy_kinds_label")
    yield text("entropy_one_hot")
    if point is not None and labelled is not None:
        key = "entropy_chosen" if point.label is None else "entropy_yours"
        yield text(key, k=str(labelled.label), label=label_row(labelled.label or 0, labelled.n))


# ---------------------------------------------------------------------------------------------------- what it measures


def measure() -> tuple[Block, ...]:
    """The cross-entropy of two distributions: a dissimilarity, least where they are the same."""
    ratio = Sum("i", y("i") * Log(y("i") / p("i")))
    return (
        text("entropy_definition"),
        chain(L, (step(-Sum("i", y("i") * Log(p("i"))), "definition_loss"),), None),
        text("entropy_dissimilarity", entropy=-Sum("i", y("i") * Log(y("i")))),
        text("entropy_least", ratio=ratio, bound=ONE - Sum("i", p("i"))),
        text("entropy_one_y"),
        table(
            "entropy_examples",
            ((Y,), (P,), "entropy_cross", "entropy_own"),
            [example(a, b) for a, b in EXAMPLES],
        ),
        text("entropy_examples_seen"),
        text("entropy_left"),
    )


def cross_entropy(a: tuple[Decimal, ...], b: tuple[Decimal, ...]) -> Decimal:
    """The average of -log b with the weights a; what has weight zero does not count."""
    return sum((-x * w.ln() for x, w in zip(a, b, strict=True) if x), Decimal(0))


def example(a: tuple[Decimal, ...], b: tuple[Decimal, ...]) -> Sequence[Cell]:
    """A label, probabilities, their cross-entropy, and the entropy of the label."""
    return (numbers_row(a), numbers_row(b), plain(cross_entropy(a, b)), plain(cross_entropy(a, a)))


# ------------------------------------------------------------------------------------------------- loss and gradient


def loss(point: Point | None) -> Iterator[Block]:
    """One term is left of the sum, with the reader's numbers where there are some."""
    everything = -Sum("i", y("i") * Log(p("i")))
    yield text("entropy_loss")
    yield chain(
        L,
        (
            step(everything, "definition_loss"),
            step(-Log(p("y")), "one_hot_rule"),
            step(Log(S) - z("y"), "log_p_parts"),
        ),
        None,
        label="one-hot",
    )
    if point is None or point.label is None:
        return
    k = point.label
    yield text("entropy_numbers")
    yield chain(L, (equals(-Log(p(k)), "one_hot_rule"), *loss_value(k, point)), point, label=k)
    lines = ("s = z - z.max()", f"loss = np.log(np.exp(s).sum()) - s[{k}]", 'print(f"{loss:.4g}")')
    yield from code(lines, point, (floats([Decimal(rounded(L, point).value)]),))


def loss_value(k: int, point: Point) -> tuple[Line, ...]:
    """From the rounded probability, unless that would be rounded to one."""
    if facts(point).complements[k] < PRINTED_ONE:
        return (about(rounded(L, point), "numbers"),)
    return reckoning(lambda a: -Log(a), (p(k),), L, point)


def gradient(point: Point | None) -> Iterator[Block]:
    """Through the Jacobian, line by line, to p - y."""
    weighted = Sum("i", y("i") * by(Log(p("i")), "j"))
    entry = delta("i", "j") - p("j")
    yield text("entropy_gradient")
    yield chain(
        by(L, "j"),
        (
            step(by(-Sum("i", y("i") * Log(p("i"))), "j"), "definition_loss"),
            step(-weighted, "y_constant"),
            step(-Sum("i", y("i") / p("i") * by(p("i"), "j")), "chain_log"),
            step(-Sum("i", y("i") / p("i") * p("i") * entry), "jacobian_entry"),
            step(-Sum("i", y("i") * entry), "p_cancels"),
            step(-Sum("i", y("i") * delta("i", "j")) + Sum("i", y("i") * p("j")), "multiply_out"),
            step(-y("j") + p("j") * Sum("i", y("i")), "pick_y"),
            step(-y("j") + p("j") * ONE, "label_sums_to_one"),
            step(p("j") - y("j"), "reordered"),
        ),
        point,
        free="j",
    )
    yield text("entropy_collapse")
    yield chain(Derivative(L, Symbol("z")), (step(P - Y, "all_entries_gradient"),), point)
    yield text("entropy_one_hot_gradient")
    yield chain(by(L, "j"), (step(p("j") - delta("j", "y"), "one_hot_entry"),), None, free="j", label="one-hot")
    if point is not None and point.label is not None:
        yield from gradient_numbers(point, point.label)


def gradient_numbers(point: Point, k: int) -> Iterator[Block]:
    """The gradient at the reader's logits."""
    yield text("entropy_numbers")
    rows = [
        (str(i), shown_p(i, point), Number(int(i == k)), rounded(p(i) - y(i), point)) for i in classes_with(k, point)
    ]
    yield table("entropy_table", ("class", (p("i"),), (y("i"),), (p("i") - y("i"),)), rows)
    yield from left_out(point, classes_with(k, point))
    yield text("entropy_signs" if point.n > 1 else "entropy_signs_one")
    here = facts(point)
    values = [-here.complements[i] if i == k else here.probabilities[i] for i in range(point.n)]
    yield from code((f"y = np.eye(n)[{k}]", "print(p - y)"), point, (floats(values),))


def classes_with(k: int, point: Point) -> tuple[int, ...]:
    """The classes that are shown, and the label's."""
    return tuple(sorted({*shown_classes(point), k}))


def shown_p(i: int, point: Point) -> Expression:
    """A probability that would be printed as 1.0000 is written as 1 minus the rest."""
    if point.n > 1 and facts(point).complements[i] < PRINTED_ONE:
        return ONE - rounded(ONE - p(i), point)
    return rounded(p(i), point)
