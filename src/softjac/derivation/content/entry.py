"""One entry of the Jacobian, by either route or both, and a test with an actual change."""

from collections.abc import Callable, Iterator
from decimal import Decimal

from softjac.derivation.blocks import Block, Line, Parts
from softjac.derivation.content.facts import facts
from softjac.derivation.content.pieces import (
    about,
    chain,
    equals,
    heading,
    logit,
    named,
    numbers_row,
    plain,
    reckoning,
    rounded,
)
from softjac.derivation.content.quotient import S2
from softjac.derivation.expressions import Divide, Exp, Expression, Log, Number, Power
from softjac.derivation.names import ONE, ZERO, J, S, by, e, p, z
from softjac.derivation.points import Point
from softjac.derivation.sentences import sentence, text

ANCHOR = "entry"
STEP = Decimal("0.01")
MANY_PLACES = 8
TEST_PLACES = 6


def blocks(point: Point | None, entry: tuple[int, int], way: str = "both") -> tuple[Block, ...]:
    """The question, the numbers, the routes, the result, the test."""
    i, j = entry
    return (
        heading("entry_title", 1, ANCHOR, p_i=p(i), z_j=z(j)),
        *(() if point is None else numbers(point, i, j)),
        *(by_logarithm(point, i, j) if way in {"both", "log"} else ()),
        *(by_quotient(point, i, j) if way in {"both", "quotient"} else ()),
        *result(point, i, j, "entry_both" if way == "both" else "entry_one_way"),
    )


def numbers(point: Point, i: int, j: int) -> Iterator[Block]:
    """The exponentials, their sum, and the probabilities that the entry needs."""
    yield text("entry_title_given", logits=numbers_row(point.logits))
    yield heading("entry_numbers", 3, "entry-numbers")
    pair = (i,) if i == j else (i, j)
    for k in pair:
        yield chain(e(k), (equals(Exp(logit(k, point))), about(rounded(e(k), point))), point)
    yield chain(S, (about(rounded(S, point)),), point)
    for k in pair:
        yield chain(p(k), (equals(e(k) / S), *reckoning(Divide, (e(k), S), p(k), point, "")), point)


def by_logarithm(point: Point | None, i: int, j: int) -> Iterator[Block]:
    """The log first: a difference, then its derivative, then back."""
    own = ONE if i == j else ZERO
    rule = sentence("entry_same_logit", z_i=z(i)) if i == j else sentence("entry_other_logit", z_i=z(i), z_j=z(j))
    factor: Expression = ONE - p(i) if i == j else -p(j)
    yield heading("entry_by_logarithm", 3, "entry-logarithm")
    yield chain(Log(p(i)), (equals(z(i) - Log(S), "log_quotient"),), point)
    yield chain(
        by(Log(p(i)), j),
        (named(equals(own - e(j) / S, "difference_rule"), rule), named(equals(factor, "definition_p"), definition(j))),
        point,
    )
    yield chain(
        by(p(i), j),
        (
            named(equals(p(i) * factor, "times_p"), sentence("entry_back")),
            *values(lambda a, b: a * b, (p(i), factor), point, i, j),
        ),
        point,
    )


def by_quotient(point: Point | None, i: int, j: int) -> Iterator[Block]:
    """The fraction, and its numbers."""
    yield heading("entry_by_quotient", 3, "entry-quotient")
    if i == j:
        fraction = (
            equals((e(i) * S - e(i) * e(i)) / S2, "quotient_rule"),
            equals(e(i) * (S - e(i)) / S2, "common_factor"),
        )
        rest: Expression = S - e(i)
        lines = values(lambda a, b, c: Divide(a * b, Power(c, Number(2))), (e(i), rest, S), point, i, j)
    else:
        fraction = (
            equals((ZERO * S - e(i) * e(j)) / S2, "quotient_rule"),
            equals(-(p(i) * p(j)), "split_square"),
        )
        lines = values(Divide, (-(e(i) * e(j)), S2), point, i, j)
    yield chain(by(p(i), j), (*fraction, *lines), point)


def values(
    make: Callable[..., Expression], factors: tuple[Expression, ...], point: Point | None, i: int, j: int
) -> tuple[Line, ...]:
    """The numbers of a line, where there are some."""
    if point is None:
        return ()
    return reckoning(make, factors, J(i, j), point)


def definition(j: int) -> Parts:
    """The name of the rule: definition of p[2]."""
    return sentence("entry_definition", p_j=p(j))


def result(point: Point | None, i: int, j: int, key: str) -> Iterator[Block]:
    """The entry to more digits, and what one hundredth of a logit does."""
    formula: Expression = p(i) * (ONE - p(i)) if i == j else -(p(i) * p(j))
    if point is None:
        yield text(key, formula=(J(i, j), " = ", formula))
        return
    yield text(key, formula=(J(i, j), " = ", formula, " ≈ ", rounded(J(i, j), point, MANY_PLACES)))
    here = facts(point)
    nudge = tuple(STEP if k == j else Decimal(0) for k in range(point.n))
    actual = here.changes(nudge)[i]
    predicted = here.entry(i, j) * STEP
    yield text(
        "entry_test",
        z_j=z(j),
        p_i=p(i),
        actual=plain(actual, TEST_PLACES),
        predicted=plain(predicted, TEST_PLACES),
    )
