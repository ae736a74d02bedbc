"""From text to numbers: one word, one line of a file, or one quoted list such as "[1, 2, 3]"."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from softjac._cli.errors import CommandError, quoted

POINT_AND_SPACES = "write decimals with a point, separate numbers by spaces"

_MINUS = str.maketrans("\N{MINUS SIGN}", "-")  # the minus sign of printed text
_FRACTION = re.compile(r"[-+]?[\d.]+/[\d.]+")
_INNERMOST_LIST = re.compile(r"\[([^\[\]]*)\]")
_NESTING = re.compile(r"#(,?#)*|\[#(,?#)*\]")  # lists side by side, or inside one more pair of brackets


def is_number(text: str) -> bool:
    """Whether ``text`` is a float literal, inf or nan.

    >>> is_number("-inf"), is_number("-info")
    (True, False)
    """
    try:
        float(text.translate(_MINUS))
    except ValueError:
        return False
    return True


def number(text: str) -> float:
    """The float literal ``text``, also inf and nan; CommandError says what else it may have been meant to be.

    >>> number("-2e3"), number("-inf")
    (-2000.0, -inf)
    """
    try:
        value = float(text.translate(_MINUS))
    except ValueError:
        raise CommandError(f"{quoted(text)} is not a number: {_advice(text)}") from None
    if math.isinf(value) and "n" not in text.lower():
        raise CommandError(f"{quoted(text)} is too large for float64: write inf if that is meant")
    return value


def whole_number(option: str, text: str | None, least: int, most: int, which: str) -> int | None:
    """The value of an option that takes a whole number from ``least`` to ``most``; None where it was not given.

    >>> whole_number("--axis", "-1", -99, 99, "such as 0 or -1")
    -1
    """
    if text is None:
        return None
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise CommandError(f"{option} takes a whole number {which}, not {quoted(text)}")
    return value


def _advice(text: str) -> str:
    if re.search(r"\d\s*[,;]|[,;]\s*[\d.]|\d\s+\S", text):
        return POINT_AND_SPACES
    if _FRACTION.fullmatch(text):
        return "write a fraction as a decimal number, such as 0.25"
    if re.search(r"[^\d]\.\w+$|/|\\", text):
        return "files of logits end in .csv, .npy or .npz"
    return "logits are numbers such as 1, -0.5, 2e3, inf or nan"


def cells_of_line(line: str) -> list[str]:
    r"""Cells of one line: a comma separates them, in a line without one a semicolon, else a tab, else white space.

    >>> cells_of_line("1,\t,3"), cells_of_line("1\t\t3"), cells_of_line("1  3")
    (['1', '\t', '3'], ['1', '', '3'], ['1', '3'])
    """
    return line.split(next((separator for separator in ",;\t" if separator in line), None))


def numbers_of_line(line: str) -> list[float]:
    """Numbers of the cells of one line.

    >>> numbers_of_line("1, 2, -inf"), numbers_of_line("1 2 3")
    ([1.0, 2.0, -inf], [1.0, 2.0, 3.0])
    """
    cells = cells_of_line(line)
    try:
        values = [float(cell) for cell in cells]
        if math.inf not in values and -math.inf not in values:
            return values
    except ValueError:
        pass  # the slow way finds and names the cell
    values = []
    for position, cell in enumerate(cells, 1):
        word = cell.strip().strip('"').strip()
        if not word:
            raise CommandError(f"number {position} of {len(cells)} is missing: write nan where there is none")
        values.append(number(word))
    return values


def parse_lists(text: str) -> list[float] | list[list[float]]:
    """Numbers of "[1, 2, 3]", or rows of "[[1, 2], [3, 4]]"; lists side by side are rows too, as NumPy prints them.

    >>> parse_lists("[1, 2, 3]"), parse_lists("[[1. 2.] [3. 4.]]")
    ([1.0, 2.0, 3.0], [[1.0, 2.0], [3.0, 4.0]])
    """
    nesting = "".join(_INNERMOST_LIST.sub("#", text).split())
    if not _NESTING.fullmatch(nesting):
        raise CommandError(f'{quoted(text)} is not a list: write "[1, 2, 3]", or rows as "[[1, 2], [3, 4]]"')
    lists = [numbers_of_line(inner) for inner in _INNERMOST_LIST.findall(text)]
    if nesting == "#":
        return lists[0]
    check_lengths((f"row {k} of the list", len(row)) for k, row in enumerate(lists))
    return lists


def check_lengths(rows: Iterable[tuple[str, int]]) -> None:
    """Refuse ragged rows, given as (where, how many numbers): each needs as many numbers as the first.

    >>> check_lengths([("line 1", 3), ("line 2", 3)])
    """
    first_place, first = "", -1
    for place, count in rows:
        if first < 0:
            first_place, first = place, count
        elif count != first:
            have = "number" if count == 1 else "numbers"
            raise CommandError(
                f"{place} has {count} {have} and {first_place} {first}: every row needs one for each class"
            )
