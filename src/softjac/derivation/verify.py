"""Whether the lines of a chain are equal: at the reader's logits and in general position, for all classes.

A chain is checked at several numbers of classes, at label distributions soft and one-hot, and for every assignment of
its free letters. Tests: tests/test_derivation_chain.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import product
from typing import TYPE_CHECKING

from softjac.derivation.evaluate import DEFINITIONS, Evaluator, Given, context, plain
from softjac.derivation.expressions import (
    Derivative,
    Expression,
    Indicator,
    Matrix,
    Number,
    Sum,
    Symbol,
    Vector,
    walk,
)
from softjac.derivation.form import shown
from softjac.derivation.grids import Grid
from softjac.derivation.numbers import (
    arithmetic_beside,
    holds_as_printed,
    is_exact_as_printed,
    numbers_named,
    printed,
    recomputed,
)
from softjac.derivation.points import EQUAL_DIGITS, FEW_CLASSES, Point, general
from softjac.errors import DerivationError

if TYPE_CHECKING:
    from softjac.derivation.blocks import Chain

EQUAL = Decimal(10) ** -EQUAL_DIGITS
MORE_DIGITS = 60
"""Two values that differ are computed with so many digits more: what is rounding alone shrinks with them."""
GENERAL_CLASSES = 3
"""With fewer classes than these nothing is in general position."""
TWO_CLASSES = 2
WITH_ALL_CLASSES = 2
"""At the first sizes every class is tried; at the others three: there only the number of classes matters."""
RELATIONS = ("=", "≈")
SHRINKS_DIGITS = 40
COMPARED_DIGITS = 200


@dataclass(frozen=True)
class Case:
    """A point, whether it is the reader's, and the classes that the free letters stand for there."""

    point: Point
    is_readers: bool
    classes: tuple[int, ...]


def verify(chain: "Chain") -> None:
    """Raise DerivationError unless all lines are equal, and the numbers in them are what they say.

    The chain is in order already: `form.check_form`.
    """
    _check_numbers(chain)
    checked = 0
    for case in cases(chain):
        quick = Evaluator(case.point, chain.given)
        exact = Evaluator(case.point, chain.given, quick.digits + MORE_DIGITS)
        for indices in assignments(chain, case):
            _check_lines(chain, case, indices, quick, exact)
            checked += 1
    if not checked:
        raise DerivationError(
            f"there is nothing to check in the chain for {shown(chain.goal)}: no classes are as where "
            f"({chain.where}) says, among {chain.size}."
        )


# ------------------------------------------------------------------------------------------------------ where to check


def cases(chain: "Chain") -> Iterator[Case]:
    """The points at which the chain is evaluated."""
    reader = chain.point
    if reader is not None and is_said_of(chain, reader):
        yield Case(reader, is_readers=True, classes=reader.classes_to_check())
    names = symbols_of(chain)
    for k, (n, variant) in enumerate(sizes(chain)):
        for label in labels_of(chain, n, names):
            point = general(n, variant, label)
            few = tuple(sorted({0, n // 2, n - 1}))
            yield Case(point, is_readers=False, classes=point.classes_to_check() if k < WITH_ALL_CLASSES else few)


def is_said_of(chain: "Chain", reader: Point) -> bool:
    """Whether the chain speaks of the reader's number of classes and label."""
    if chain.size not in {None, reader.n}:
        return False
    if chain.label is not None and chain.label != reader.label and (chain.label != "one-hot" or reader.label is None):
        return False
    return all(index < reader.n for x in chain.expressions for index in classes_named(x))


def sizes(chain: "Chain") -> tuple[tuple[int, int], ...]:
    """Numbers of classes to check in general position, with the variant of the logits."""
    whole = chain.size or max((size_of(x) for line in chain.expressions for x in walk(line)), default=0)
    if whole:
        return ((whole, 0), (whole, 1))
    named = max((1 + index for line in chain.expressions for index in classes_named(line)), default=0)
    named = max(named, 0 if isinstance(chain.label, str) or chain.label is None else chain.label + 1)
    least = max(GENERAL_CLASSES, named)
    sizes = ((least, 0), (least + 1, 1), (least + 2, 1))
    has_dots = any(isinstance(x, Matrix) for line in chain.expressions for x in walk(line))
    return sizes if named > TWO_CLASSES or has_dots else (*sizes, (TWO_CLASSES, 1))


def size_of(x: Expression) -> int:
    """Number of classes of a matrix that is written whole; 0 for anything else."""
    return max(len(x.rows), len(x.rows[0])) if isinstance(x, Matrix) and x.at is None else 0


def classes_named(x: Expression) -> Iterator[int]:
    """The classes that an expression names by number."""
    for part in _with_meaning(x):
        indices: tuple[object, ...] = ()
        match part:
            case Symbol(_, own):
                indices = own
            case Indicator(i, j):
                indices = (i, j)
            case Sum(_, _, without):
                indices = (without,)
            case Matrix(_, at) if at is not None:
                indices = (*at[0], *at[1])
        for index in indices:
            if isinstance(index, int):
                yield index
            elif isinstance(index, str) and index.isdigit():
                yield int(index)


def _with_meaning(x: Expression) -> Iterator[Expression]:
    for part in walk(x):
        yield part
        if isinstance(part, Number) and part.of is not None:
            yield from _with_meaning(part.of)


def symbols_of(chain: "Chain") -> set[str]:
    """Names of all symbols in the chain and in what they are defined by."""
    meanings = {symbol.name: x for symbol, x in (*DEFINITIONS, *chain.given)}
    names: set[str] = set()
    waiting = list(chain.expressions)
    while waiting:
        for part in _with_meaning(waiting.pop()):
            found = {part.name, *map(str, part.indices)} if isinstance(part, Symbol) else set()
            if isinstance(part, Vector):
                found = {part.name}
            if isinstance(part, Sum):
                found = {str(part.without)}
            for name in found - names:
                names.add(name)
                meaning = meanings.get(name)
                if meaning is not None and not isinstance(meaning, str):
                    waiting.append(meaning)
    return names


def labels_of(chain: "Chain", n: int, names: set[str]) -> tuple[int | None, ...]:
    """The label distributions to check: None is soft. A chain without a label needs one alone."""
    if isinstance(chain.label, int):
        return (chain.label,)
    if chain.label == "one-hot":
        return tuple(range(n)) if n <= FEW_CLASSES else (0, n // 2, n - 1)
    return (None, min(1, n - 1)) if "y" in names else (None,)


def assignments(chain: "Chain", case: Case) -> Iterator[dict[str, int]]:
    """What the free letters stand for, all that `where` allows."""
    for chosen in product(case.classes, repeat=len(chain.free)):
        indices = dict(zip(chain.free, chosen, strict=True))
        if chain.where is None or _allowed(chain.where, indices):
            yield indices


def _allowed(where: str, indices: dict[str, int]) -> bool:
    i, _, j = where.partition("=")
    differ = i.endswith("!")
    return (indices[i.removesuffix("!").strip()] != indices[j.strip()]) == differ


# ---------------------------------------------------------------------------------------------------------------- lines


def _check_lines(chain: "Chain", case: Case, indices: dict[str, int], quick: Evaluator, exact: Evaluator) -> None:
    """Compare each line with the goal, and where they differ compare again with more digits.

    Where the goal shows some entries, the first line that shows all stands in its place for the lines after it.
    """
    shown_at = classes_shown(chain, case.point)
    goal = tabulated(quick, chain.goal, indices, shown_at)
    reference, said = goal, chain.goal
    for k, line in enumerate(chain.lines):
        found = tabulated(quick, line.expression, indices, shown_at)
        if found.shape != goal.shape or not _cover_the_same(reference, found, line.expression):
            raise DerivationError(
                f"line {k + 1} of the chain for {shown(chain.goal)} is {shown(line.expression)}, of shape "
                f"{found.shape}: the goal has shape {goal.shape}. Both have to show the same entries, or the goal all."
            )
        gaps = differences(reference, found)
        if gaps:
            reference_again, again = (tabulated(exact, x, indices, shown_at) for x in (said, line.expression))
            for at, gap in differences(reference_again, again).items():
                if at not in gaps or gap.copy_abs() > gaps[at].copy_abs().scaleb(-SHRINKS_DIGITS):
                    values = reference_again.entries[at], again.entries[at]
                    raise DerivationError(_refusal(chain, k, case, indices, at, *values))
        if found.is_whole and not reference.is_whole:
            reference, said = found, line.expression


@dataclass(frozen=True)
class Tabulated:
    """What a line is worth: the entries to compare, by row and column; shape is () for a number."""

    shape: tuple[int, ...]
    entries: dict[tuple[int, int], Decimal]
    is_whole: bool = True


def classes_shown(chain: "Chain", point: Point) -> tuple[int, ...]:
    """Rows and columns of a matrix to compare: those of classes_to_check, and those that a matrix shows."""
    found = set(point.classes_to_check())
    for x in (part for line in chain.expressions for part in walk(line)):
        if isinstance(x, Matrix) and x.at is None:
            return tuple(range(point.n))
        if isinstance(x, Matrix) and x.at is not None:
            indices = {index for axis in x.at for index in axis if index is not None}
            found |= {point.n - 1 if index == "n-1" else int(index) for index in indices}
    return tuple(sorted(found))


def tabulated(evaluator: Evaluator, x: Expression, indices: dict[str, int], classes: tuple[int, ...]) -> Tabulated:
    """The entries of a line that are shown, in these rows and columns."""
    with evaluator.computing():
        value = evaluator.value(x, indices)
        if not isinstance(value, Grid) or value.shape == (1, 1):
            one = value.known(0, 0) if isinstance(value, Grid) else value
            return Tabulated((), {(0, 0): plain(one)})
        rows, columns = (classes if m == evaluator.n else range(m) for m in value.shape)
        entries = {(r, c): value.at(r, c) for r in rows for c in columns}
        known = {at: plain(entry) for at, entry in entries.items() if entry is not None}
        return Tabulated(value.shape, known, len(known) == len(entries))


def _cover_the_same(reference: Tabulated, found: Tabulated, x: Expression) -> bool:
    """Whether no entry is written on one side alone, where nothing that stands before says what it is worth.

    A line such as J, in which no entries are written, may follow a matrix with dots.
    """
    if reference.entries.keys() == found.entries.keys() or reference.is_whole:
        return True
    return found.is_whole and not any(isinstance(part, Matrix) for part in walk(x))


def differences(goal: Tabulated, found: Tabulated) -> dict[tuple[int, int], Decimal]:
    """Goal minus line, where they are not the same to 50 digits."""
    gaps = {}
    with localcontext(context(COMPARED_DIGITS)):
        for at, a in goal.entries.items():
            b = found.entries.get(at, a)
            if a != b and abs(a - b) > EQUAL * max(abs(a), abs(b)):
                gaps[at] = a - b
    return gaps


def _refusal(
    chain: "Chain", k: int, case: Case, indices: dict[str, int], at: tuple[int, int], goal: Decimal, found: Decimal
) -> str:
    line = chain.lines[k]
    place = ", ".join(f"{letter} = {value}" for letter, value in indices.items())
    entry = "" if at == (0, 0) else f", entry {at}"
    logits = ", ".join(map(str, case.point.logits[:8])) + (", ..." if case.point.n > 8 else "")
    whose = "the reader's logits" if case.is_readers else "logits"
    with localcontext(context(20)):
        return (
            f"line {k + 1} of the chain for {shown(chain.goal)}, by the rule {line.rule}, is {shown(line.expression)}. "
            f"It is worth {+found}, and the goal {+goal}, at {whose} ({logits}){' with ' * bool(place)}{place}{entry}: "
            "the line is wrong, or holds for some classes only (where, size, label)."
        )


# -------------------------------------------------------------------------------------------------------------- numbers


def _check_numbers(chain: "Chain") -> None:
    """Numbers are the values they name; rounded ones follow a ≈, and from the printed arithmetic before them."""
    for x in chain.expressions:
        _check_derivatives(x)
    for k, line in enumerate(chain.lines):
        where = f"line {k + 1} of the chain for {shown(chain.goal)}"
        if line.relation not in RELATIONS:
            raise DerivationError(f"{where} has the relation {line.relation!r}: it has to be = or ≈.")
        for number in numbers_named(line.expression):
            _check_value(number, chain, where)
            if line.relation == "=" and not is_exact_as_printed(number):
                raise DerivationError(
                    f"{where} prints {number.value} rounded, as {printed(number)}, after a =: write ≈."
                )
        for arithmetic, result in arithmetic_beside(chain.expressions[k], line.expression):
            if not holds_as_printed(arithmetic, result):
                raise DerivationError(
                    f"{where} prints {printed(result)}, but the printed numbers before it give "
                    f"{printed(recomputed(arithmetic, result.places or 1))}: they need more places, see "
                    "numbers.arithmetic."
                )
    for number in numbers_named(chain.goal):
        _check_value(number, chain, f"the goal {shown(chain.goal)}")


def _check_derivatives(x: Expression) -> None:
    """A number does not change, whatever it is the value of."""
    for part in walk(x):
        for number in numbers_named(part) if isinstance(part, Derivative) else ():
            raise DerivationError(f"{printed(number)} stands inside a derivative: write there what it is the value of.")


def _check_value(number: Number, chain: "Chain", where: str) -> None:
    if number.of is None or chain.point is None:
        raise DerivationError(
            f"{where} prints {printed(number)}, and does not say of what: name the expression in `of`, and the point "
            "in the chain."
        )
    evaluator = Evaluator(chain.point, chain.given)
    with evaluator.computing():
        value = plain(evaluator.real(number.of, {}))
        if abs(value - number.value) > EQUAL * abs(value):
            raise DerivationError(f"{where} says {number.value} of {shown(number.of)}, which is worth {value}.")
    if number.places is None and not _is_exact(number, number.of, chain.point, chain.given):
        raise DerivationError(
            f"{where} has {printed(number)} printed whole, and is rounded: the value of {shown(number.of)} "
            "has more digits. Name places."
        )


def _is_exact(number: Number, meaning: Expression, point: Point, given: Given) -> bool:
    """Whether more digits of the value find the same number."""
    for digits in (point.digits, point.digits + MORE_DIGITS):
        evaluator = Evaluator(point, given, digits)
        with evaluator.computing():
            if plain(evaluator.real(meaning, {})) != number.value:
                return False
    return True
