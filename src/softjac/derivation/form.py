"""Whether a chain is in order before it is evaluated: its letters, its own definitions, its sizes, its matrices.

What is evaluated and what is read are the same only where a letter stands for one thing, a name for one definition, and
the entries of a matrix stand where they are said to be. Tests: tests/test_derivation_form.py.
"""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from softjac.derivation.expressions import Expression, Index, Matrix, Number, Operators, Sum, children, walk
from softjac.derivation.printers import TextPrinter
from softjac.errors import DerivationError

if TYPE_CHECKING:
    from softjac.derivation.blocks import Chain

DEFINED = frozenset({"z", "y", "dz", "n", "p", "S", "J", "L", "1", "I"})
"""Names that mean the same in every chain."""
NO_LETTERS = frozenset({"y", "n"})
"""As an index, y is the class of the label, and n the number of classes."""
LAST = math.inf
"""Where the class n-1 stands, for any n."""
LONGEST_SHOWN = 300


def check_form(chain: "Chain") -> None:
    """Raise DerivationError unless every letter, name, size and matrix of the chain has one meaning."""
    if not chain.lines:
        raise DerivationError(f"the chain for {shown(chain.goal)} has no line.")
    for k, line in enumerate(chain.lines):
        if not isinstance(getattr(line, "expression", None), Operators):
            raise DerivationError(f"line {k + 1} of the chain for {shown(chain.goal)} is {line!r}: pass a Line.")
    _check_size(chain)
    _check_letters(chain.free, f"the free letters of the chain for {shown(chain.goal)}")
    _check_where(chain)
    _check_given(chain)
    for x in chain.expressions:
        _check_sums(x, frozenset(chain.free), x)
        for part in walk(x):
            if isinstance(part, Matrix):
                _check_matrix(part, chain)


def shown(x: Expression) -> str:
    """An expression in a message: in one line."""
    text = "; ".join(TextPrinter(ascii=True)(x).split("\n"))
    return text if len(text) < LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."


def _is_count(x: object, least: int) -> bool:
    return isinstance(x, int) and not isinstance(x, bool) and x >= least


def _check_size(chain: "Chain") -> None:
    size, label = chain.size, chain.label
    if size is not None and not _is_count(size, 1):
        raise DerivationError(f"size is {size!r}: it is the number of classes, an int from 1, or None for any.")
    if size is not None and chain.point is not None and chain.point.n != size:
        raise DerivationError(
            f"the chain for {shown(chain.goal)} is about {size} classes, and its point has {chain.point.n}: "
            "there it would not be checked. Build it with point=None."
        )
    if label is None or label == "one-hot":
        return
    if not _is_count(label, 0):
        raise DerivationError(f'label is {label!r}: it is a class, an int from 0, or "one-hot", or None for any y.')
    if size is not None and label >= size:
        raise DerivationError(f"label is {label}, but size says that there are {size} classes, 0 to {size - 1}.")


# -------------------------------------------------------------------------------------------------------------- letters


def _check_letters(letters: tuple[Index, ...], where: str) -> None:
    for k, letter in enumerate(letters):
        if not isinstance(letter, str) or not letter.isidentifier() or letter in NO_LETTERS:
            raise DerivationError(
                f"{where} hold the letter {letter!r}: a letter for any class is one like 'i'; classes, 'y', 'n' and "
                "'n-1' have meanings of their own."
            )
        if letter in letters[:k]:
            raise DerivationError(f"{where} hold {letter!r} twice.")


def _check_where(chain: "Chain") -> None:
    if chain.where is None:
        return
    i, equal, j = chain.where.partition("=")
    names = {i.removesuffix("!").strip(), j.strip()}
    if not equal or not names <= set(chain.free) or len(names) != 2:
        raise DerivationError(f'where is {chain.where!r}: write it as "i=j" or "i!=j", with two letters that are free.')


def _check_given(chain: "Chain") -> None:
    names = set(DEFINED)
    for symbol, meaning in chain.given:
        if symbol.name in names:
            raise DerivationError(
                f"given says what {symbol.name} is worth, but {symbol.name} is defined already: name it another way."
            )
        names.add(symbol.name)
        _check_letters(symbol.indices, f"the indices of {shown(symbol)} in given, which are letters,")
        if not isinstance(meaning, str):
            _check_sums(meaning, frozenset(map(str, symbol.indices)), meaning)


def _check_sums(x: Expression, taken: frozenset[str], whole: Expression) -> None:
    """A sum runs through a letter that stands for nothing else where it is."""
    if isinstance(x, Number):
        if x.of is not None:
            _check_sums(x.of, taken, whole)
        return
    if isinstance(x, Sum) and x.index is not None:
        _check_letters((x.index,), f"the sums in {shown(whole)}")
        if x.index in taken:
            raise DerivationError(
                f"in {shown(whole)} the index {x.index} is free and summed over at once: sum over another letter."
            )
        if x.without == x.index:
            raise DerivationError(f"a sum in {shown(whole)} leaves out {x.index}, the letter that it runs through.")
        taken = taken | {x.index}
    for child in children(x):
        _check_sums(child, taken, whole)


# ------------------------------------------------------------------------------------------------------------- matrices


def _check_matrix(matrix: Matrix, chain: "Chain") -> None:
    """Entries stand in the order of the classes, and dots where classes are left out, and nowhere else."""
    rows, at = matrix.rows, matrix.at
    where = f"a matrix in the chain for {shown(chain.goal)}"
    if not rows or not rows[0]:
        raise DerivationError(f"{where} has no entries.")
    if len({len(row) for row in rows}) != 1:
        raise DerivationError(f"{where} has rows of different lengths.")
    if at is None:
        if any(entry is None for row in rows for entry in row):
            raise DerivationError(f"{where} leaves out entries: say in `at` which rows and columns it shows.")
        return
    if (len(at[0]), len(at[1])) != (len(rows), len(rows[0])):
        raise DerivationError(
            f"{where} has {len(rows)} rows and {len(rows[0])} columns, but names {len(at[0])} and {len(at[1])}."
        )
    n = chain.size if chain.point is None or chain.size is not None else chain.point.n
    for axis in at:
        _check_axis(axis, n, where)
    for row, r in zip(rows, at[0], strict=True):
        for entry, c in zip(row, at[1], strict=True):
            if (entry is None) != (r is None or c is None):
                raise DerivationError(
                    f"{where} has an entry where dots stand, or dots where an entry stands, in row {r} and column {c}: "
                    "entries stand where both row and column are named."
                )


def _check_axis(axis: tuple[Index | None, ...], n: int | None, where: str) -> None:
    """The rows or columns that are named; (0,) alone is that of a row or column. n: how many there are, if known."""
    if axis in {(0,), ("0",)}:
        return
    named = [_place(index, axis, where) for index in axis if index is not None]
    if any(later <= here for here, later in pairwise(named)):
        raise DerivationError(f"{where} names the classes {axis}: they have to be in their order, each once.")
    before = -1.0
    dots = False
    for index in axis:
        if index is None and not dots:
            dots = True
            continue
        here = _place(index, axis, where)
        _check_dots(dots, here > before + 1, axis, where)
        before, dots = here, False
    if before < 0:
        raise DerivationError(f"{where} names no class in {axis}.")
    _check_dots(dots, before < LAST and (n is None or before != n - 1), axis, where)


def _place(index: Index | None, axis: tuple[Index | None, ...], where: str) -> float:
    if index is None:
        raise DerivationError(f"{where} has dots twice in a row, in {axis}.")
    if index == "n-1":
        return LAST
    if isinstance(index, str) and index.isdecimal():
        return float(index)
    if not _is_count(index, 0):
        raise DerivationError(f'{where} names {index!r} in {axis}, which is no class: write ints from 0, or "n-1".')
    return float(index)


def _check_dots(dots: bool, left_out: bool, axis: tuple[Index | None, ...], where: str) -> None:
    if dots != left_out:
        raise DerivationError(
            f"{where} shows the classes {axis}: dots (None) stand exactly where classes are left out, also before the "
            "first and behind the last."
        )
