"""One screen, 80 by 50: exponentials, probabilities, each entry, the matrix, two sentences, and commands for more."""

from collections.abc import Iterator
from dataclasses import replace

from softjac.derivation.blocks import Block, Parts, Text
from softjac.derivation.content import matrix, structure
from softjac.derivation.content.facts import facts
from softjac.derivation.content.pieces import (
    about,
    chain,
    equals,
    exact,
    general_matrix,
    heading,
    left_out,
    logit,
    numbers_row,
    reckoned,
    rounded,
    table,
)
from softjac.derivation.content.softmax import share, total
from softjac.derivation.expressions import Derivative as By
from softjac.derivation.expressions import Exp, Expression, Index, Matrix, Sum, Symbol
from softjac.derivation.names import JACOBIAN, ONE, J, L, P, S, Y, by, delta, e, p
from softjac.derivation.numbers import printed
from softjac.derivation.points import Point
from softjac.derivation.sentences import sentence, text

ANCHOR = "screen"
MOST_CLASSES = 4
"""All of so many classes fit; of more the largest FEW are shown."""
FEW = 4
LONGEST = 6
"""Characters of a logit that the lines have room for."""
MOST_DOTS = 3
"""With more rows of dots between the shown classes than this, one class fewer is shown."""
PAGE = "page.html"


def blocks(point: Point | None) -> tuple[Block, ...]:
    """The reader's screen, or the formulas alone."""
    return symbols() if point is None else tuple(readers(point))


def classes_of(point: Point) -> tuple[int, ...]:
    """The classes that are shown, in their order."""
    if point.n <= MOST_CLASSES:
        return tuple(range(point.n))
    few = tuple(sorted(facts(point).by_size[:FEW]))
    return few if positions(few, point.n).count(None) <= MOST_DOTS else tuple(sorted(facts(point).by_size[: FEW - 1]))


def readers(point: Point) -> Iterator[Block]:
    """With numbers."""
    shown = classes_of(point)
    yield heading("screen_title", 1, ANCHOR, logits=numbers_row(point.logits, FEW if are_long(point) else 12))
    yield from left_out(point, shown)
    yield heading("screen_probabilities", 3, "screen-probabilities")
    yield sum_line(point)
    for i in shown:
        left, right = share(i, point)
        own = e(i) if are_long(point) else Exp(logit(i, point))
        yield chain(p(i), (equals(own / S), about(left), about(right)), point)
    yield heading("screen_diagonal", 3, "screen-diagonal")
    for i in shown:
        left, right = reckoned(lambda a, b: a * b, (p(i), ONE - p(i)), J(i, i), point)
        yield chain(J(i, i), (equals(p(i) * (ONE - p(i))), about(left), about(right)), point)
    if point.n > 1:
        yield heading("screen_off", 3, "screen-off-diagonal")
    for i in shown:
        for j in (j for j in shown if j > i):
            left, right = reckoned(lambda a, b: -a * b, (p(i), p(j)), J(i, j), point)
            yield chain(J(i, j), (equals(-(p(i) * p(j))), about(left), about(right)), point)
    yield heading("screen_matrix", 3, "screen-matrix")
    yield chain(JACOBIAN, (about(shown_matrix(point, shown)),), point)
    yield words(point)
    yield commands(point)


def sum_line(point: Point) -> Block:
    """S, in one line."""
    if point.n > MOST_CLASSES or are_long(point):
        return chain(S, (equals(Sum("l", e("l"))), about(rounded(S, point))), point)
    return chain(S, (replace(line, rule="") for line in total(point)), point, size=point.n)


def words(point: Point) -> Block:
    """Two sentences on the structure."""
    if point.n == 1:
        return text("matrix_one_class")
    (second,) = structure.largest(point)
    return Text((*sentence("screen_structure"), " ", *second.parts))


def positions(shown: tuple[int, ...], n: int) -> tuple[Index | None, ...]:
    """The shown classes, and None where others lie before, between or behind them."""
    at: list[Index | None] = []
    for k, i in enumerate(shown):
        if i > (shown[k - 1] + 1 if k else 0):
            at.append(None)
        at.append(i)
    return (*at, None) if shown[-1] < n - 1 else tuple(at)


def shown_matrix(point: Point, shown: tuple[int, ...]) -> Matrix:
    """Rows and columns of the shown classes, with dots where others lie between."""
    at = positions(shown, point.n)

    def entry(i: Index, j: Index) -> Expression:
        return rounded(J(i, j), point)

    rows = tuple(tuple(None if i is None or j is None else entry(i, j) for j in at) for i in at)
    return Matrix(rows, (at, at)) if len(shown) < point.n else Matrix(rows)


def symbols() -> tuple[Block, ...]:
    """Without numbers: definition, entries, matrix, gradient."""
    return (
        heading("screen_title_symbols", 1, ANCHOR),
        text("softmax_entry"),
        chain(p("i"), (equals(e("i") / S, "definition_p"),), None, free="i"),
        text("screen_entries"),
        chain(by(p("i"), "i"), (equals(p("i") * (ONE - p("i")), "same_class"),), None, free="i"),
        chain(by(p("i"), "j"), (equals(-(p("i") * p("j")), "two_classes"),), None, free="ij", where="i!=j"),
        chain(by(p("i"), "j"), (equals(p("i") * (delta("i", "j") - p("j")), "both_cases"),), None, free="ij"),
        chain(JACOBIAN, (equals(general_matrix(matrix.entry), "entry_by_entry"),), None),
        text("screen_structure"),
        text("screen_gradient"),
        chain(By(L, Symbol("z")), (equals(P - Y, "all_entries_gradient"),), None),
        commands(None),
    )


def commands(point: Point | None) -> Block:
    """What else can be asked for."""
    if point is None:
        rows: list[tuple[str, Parts]] = [
            ("softjac explain 1 2 3", sentence("command_numbers")),
            ("softjac explain --all", sentence("command_all")),
            ("softjac explain --by log", sentence("command_by")),
        ]
        return table("screen_commands", ("command", "command_shows"), rows)
    given = "softjac explain " + typed(point)
    i, j = (0, point.n - 1)
    rows = [
        (f"{given} --all", sentence("command_all")),
        (f"{given} --by log", sentence("command_by")),
        (f"{given} --entry {i},{j}", sentence("command_entry")),
        (f"{given} --label {j}", sentence("command_label")),
        (f"{given} --nudge {nudge(point)}", sentence("command_nudge")),
        (f"{given} --all --format html -o {PAGE}", sentence("command_html")),
    ]
    return table("screen_commands", ("command", "command_shows"), rows)


def typed(point: Point) -> str:
    """The logits as they are typed; of many, dots."""
    written = [printed(exact(x)) for x in point.logits]
    return "..." if point.n > MOST_CLASSES or are_long(point) else " ".join(written)


def are_long(point: Point) -> bool:
    """Whether the logits have many digits, so that the lines that repeat them would not fit."""
    return max(len(printed(exact(x))) for x in point.logits) > LONGEST


def nudge(point: Point) -> str:
    """A change of the first logit, as it is typed."""
    return ",".join(["0.1", *("0" for _ in range(min(point.n, FEW) - 1)), *(["..."] if point.n > FEW else [])])
