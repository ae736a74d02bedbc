"""Whether a chain is in order before it is evaluated: its letters, its own definitions, its sizes, its matrices.

What is evaluated and what is read are the same only where a letter stands for one thing, a name for one definition, and
the entries of a matrix stand where they are said to be. Tests: tests/test_derivation_form.py.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from softjac.derivation.expressions import Expression, Index, Matrix, Number, Sum, children, walk
from softjac.derivation.printers import TextPrinter
from softjac.errors import DerivationError

if TYPE_CHECKING:
    from softjac.derivation.blocks import Chain

DEFINED = frozenset({"z", "y", "dz", "n", "p", "S", "J", "L", "1", "I"})
"""Names that mean the same in every chain."""
NO_LETTERS = frozenset({"y", "n"})
"""As an index, y is the class of the label, and n the number of classes."""
LONGEST_SHOWN = 300


def check_form(chain: "Chain") -> None:
    """Raise DerivationError unless every letter, name, size and matrix of the chain has one meaning."""
    if not chain.lines:
        raise DerivationError(f"the chain for {shown(chain.goal)} has no line.")
    _check_size(chain)
    _check_letters(chain.free, f"the free letters of the chain for {shown(chain.goal)}")
    _check_where(chain)
    _check_given(chain)
    for x in chain.expressions:
        _check_sums(x, frozenset(chain.free), x)


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
    if label is None or label == "one-hot":
        return
    if not _is_count(label, 0):
        raise DerivationError(f'label is {label!r}: it is a class, an int from 0, or "one-hot", or None for any y.')
    if size is not None and isinstance(label, int) and label >= size:
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
    if not equal or not names <= set(chain.free) or len(names) != 2:  # noqa: PLR2004
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
