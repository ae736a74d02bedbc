"""What every part is built from: chains with their rules, rounded numbers, matrices, rows of the largest classes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Literal

from softjac.derivation.blocks import Block, Chain, Heading, Line, Parts, Table
from softjac.derivation.content.facts import facts
from softjac.derivation.evaluate import Evaluator, Given
from softjac.derivation.expressions import Expression, Index, Matrix, Number
from softjac.derivation.names import z
from softjac.derivation.numbers import PLACES, arithmetic, number_of, numbers_named, printed
from softjac.derivation.points import FEW_CLASSES, Point, one_hot
from softjac.derivation.sentences import Filling, rule_why, sentence, text

LARGEST_WHOLE = 1000


def heading(key: str, level: int, anchor: str, **given: Filling) -> Heading:
    """A title from the table of sentences."""
    return Heading(sentence(key, **given), level, anchor)


# ------------------------------------------------------------------------------------------------------------ chains


def step(expression: Expression, rule: str) -> Line:
    """An exact line, with the sentence of its rule."""
    return Line("=", expression, rule, rule_why(rule))


def about(expression: Expression, rule: str = "") -> Line:
    """A line of rounded numbers; one whose numbers are whole is exact."""
    whole = all(number.places is None for number in numbers_named(expression))
    return Line("=" if whole else "≈", expression, rule)


def equals(expression: Expression, rule: str = "") -> Line:
    """An exact line whose rule is not explained again."""
    return Line("=", expression, rule)


def named(line: Line, name: Parts) -> Line:
    """The line with a name of its own for its rule, such as one with the classes in it."""
    return replace(line, name=name)


def chain(
    goal: Expression,
    lines: Iterable[Line],
    point: Point | None,
    *,
    free: Sequence[str] = (),
    where: str | None = None,
    given: Given = (),
    size: int | None = None,
    label: int | Literal["one-hot"] | None = None,
) -> Chain:
    """A chain, which is checked as it is built. A point that has not the classes it names is left out."""
    return Chain(goal, tuple(lines), point, tuple(free), where, given, size, label)


# ----------------------------------------------------------------------------------------------------------- numbers


def rounded(x: Expression, point: Point, places: int = PLACES) -> Number:
    """The value of x, to be printed rounded; a small whole number as it is."""
    evaluator = Evaluator(point)
    with evaluator.computing():
        value = evaluator.real(x, {})  # with all its digits: 1 - 1e-300 is not 1
        if isinstance(value, Decimal) and abs(value) < LARGEST_WHOLE and value == value.to_integral_value():
            return Number(int(value), None, x)
    return number_of(x, point, places)


def logit(i: int, point: Point) -> Number:
    """The reader's logit, printed as it is."""
    return Number(point.logits[i], None, z(i))


def reckoned(
    make: Callable[..., Expression], factors: Sequence[Expression], result: Expression, point: Point
) -> tuple[Expression, Number]:
    """Arithmetic with rounded numbers and its rounded result: the printed numbers give the printed result."""
    return arithmetic(make(*(rounded(x, point) for x in factors)), rounded(result, point))


def reckoning(
    make: Callable[..., Expression],
    factors: Sequence[Expression],
    result: Expression,
    point: Point,
    rule: str = "numbers",
) -> tuple[Line, Line]:
    """The same as two lines of a chain."""
    left, right = reckoned(make, factors, result, point)
    return about(left, rule), about(right)


def plain(value: Decimal, places: int = PLACES) -> Number:
    """A number that is printed rounded where nothing is checked: in a table or a sentence."""
    return Number(value, places)


def exact(value: Decimal | int) -> Number:
    """A number that is printed whole."""
    return Number(value)


def percent(value: Decimal) -> Number:
    """A share of one in percent, to two digits behind the point."""
    return Number(value.scaleb(2, Context(prec=100, Emax=MAX_EMAX, Emin=MIN_EMIN)), 2)


# ----------------------------------------------------------------------------------------------------------- classes


def shown_classes(point: Point) -> tuple[int, ...]:
    """All classes where there are few; else those with the largest probabilities. In their order."""
    return tuple(sorted(facts(point).by_size[:FEW_CLASSES]))


def is_short(point: Point) -> bool:
    """Whether every class is shown."""
    return point.n <= FEW_CLASSES


def left_out(point: Point, classes: Sequence[int] | None = None) -> tuple[Block, ...]:
    """How many classes are not shown, and how much they hold; nothing where all are shown."""
    shown = shown_classes(point) if classes is None else classes
    rest = [i for i in range(point.n) if i not in shown]
    if not rest:
        return ()
    share = sum((facts(point).probabilities[i] for i in rest), Decimal(0))
    return (text("more_classes", left=str(len(rest)), count=str(point.n), share=plain(share)),)


def numbers_row(values: Sequence[Decimal], most: int = 2 * FEW_CLASSES) -> Parts:
    """Numbers as they are, in parentheses: (1, 2, 3). Of more than `most`, the first three and the last."""
    written = [printed(exact(value)).replace("-", "−") for value in values]
    if len(written) > most:
        written = [*written[:3], "...", written[-1]]
    return (f"({', '.join(written)})",)


def label_row(k: int, n: int) -> Parts:
    """The one-hot label of class k; of many classes, zeros at the ends and the class where its 1 stands."""
    if n <= 2 * FEW_CLASSES:
        return numbers_row(one_hot(k, n))
    before = {0: "", 1: "0, "}.get(k, "0, ..., ")
    if k == n - 1:
        before = "0, ..., 0, "
    after = {n - 1: "", n - 2: ", 0"}.get(k, ", ..., 0")
    if k == 0:
        after = ", 0, ..., 0"
    return (f"({before}", *sentence("at_class", k=str(k)), f"{after})")


def listed(items: Sequence[Parts]) -> Parts:
    """Items with commas between them, and "and" before the last."""
    parts: list[str | Expression] = []
    for k, item in enumerate(items):
        if k:
            parts += sentence("and") if k == len(items) - 1 else (", ",)
        parts += item
    return tuple(parts)


def shortened(items: Sequence[Parts], most: int) -> Parts:
    """Items listed; of more than `most`, the first ones and how many more there are."""
    if len(items) <= most:
        return listed(items)
    shown = items[: most - 1]
    return listed([*shown, sentence("more_items", count=str(len(items) - len(shown)))])


Cell = Parts | Expression | str


def table(key: str, header: Sequence[Parts | str], rows: Sequence[Sequence[Cell]], **given: Filling) -> Table:
    """A table; a header that is a string is a key of the sentences, a cell may be an expression or words."""
    head = tuple(sentence(title) if isinstance(title, str) else title for title in header)
    cells = tuple(tuple(cell if isinstance(cell, tuple) else (cell,) for cell in row) for row in rows)
    return Table(sentence(key, **given), head, cells)


# ----------------------------------------------------------------------------------------------------------- matrices


def general_matrix(entry: Callable[[Index, Index], Expression]) -> Matrix:
    """The first two classes, dots, and the last."""
    return dotted((0, 1, None, "n-1"), entry)


def dotted(at: tuple[Index | None, ...], entry: Callable[[Index, Index], Expression]) -> Matrix:
    """Some rows and columns; None is where dots stand."""
    rows = tuple(tuple(None if i is None or j is None else entry(i, j) for j in at) for i in at)
    return Matrix(rows, (at, at))


def readers_matrix(point: Point, entry: Callable[[int, int], Expression]) -> Matrix:
    """All classes where there are few; else the first three and the last, with dots between."""
    n = point.n
    if is_short(point):
        return Matrix(tuple(tuple(entry(i, j) for j in range(n)) for i in range(n)))
    at = (0, 1, 2, None, n - 1)
    rows = tuple(tuple(None if i is None or j is None else entry(i, j) for j in at) for i in at)
    return Matrix(rows, (at, at))
