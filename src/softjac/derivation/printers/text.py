"""Expressions as text for a terminal, in Unicode or in ASCII alone. A matrix takes several lines."""

from collections.abc import Sequence

from softjac.derivation.expressions import Expression, Index, Number
from softjac.derivation.printers._walk import GREEK, MATRICES, Printer

_SIGNS = {"minus": "−", "times": "×", "sum": "Σ", "d": "∂", "T": "ᵀ", "ne": "≠", "≈": "≈"}
_ASCII_SIGNS = {"minus": "-", "times": "*", "sum": "sum", "d": "d", "T": "^T", "ne": "!=", "≈": "~"}
_IN_ASCII = {
    **{letter: name for name, letter in GREEK.items()},
    "≈": "~",
    "×": "*",
    "−": "-",
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "Σ": "sum",
    "∂": "d",
    "…": "...",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "‘": "'",
    "ᵀ": "^T",
    "⋯": "...",
    "⋮": ":",
    "⋱": ".",
    "·": "*",
    "⎡": "[",
    "⎢": "[",
    "⎣": "[",
    "⎤": "]",
    "⎥": "]",
    "⎦": "]",
    "é": "e",
    "²": "^2",
    "\N{NO-BREAK SPACE}": " ",
}


def in_ascii(text: str) -> str:
    """Text with signs beyond ASCII written in ASCII; one that has no spelling becomes its code point."""
    return "".join(
        character if character.isascii() else _IN_ASCII.get(character, f"<U+{ord(character):04X}>")
        for character in text
    )


def without_controls(text: str) -> str:
    """Text in one line, in which no character steers the terminal."""
    return "".join(
        character if character.isprintable() else " " if character.isspace() else f"<U+{ord(character):04X}>"
        for character in text
    )


def beside(pieces: Sequence[str]) -> str:
    r"""Blocks of lines side by side, their middle lines level.

    >>> print(beside(["x = ", "[ 1 ]\n[ 2 ]\n[ 3 ]"]))
        [ 1 ]
    x = [ 2 ]
        [ 3 ]
    """
    blocks = [piece.split("\n") for piece in pieces]
    if all(len(block) == 1 for block in blocks):
        return "".join(pieces)
    above = max((len(block) - 1) // 2 for block in blocks)
    below = max(len(block) - 1 - (len(block) - 1) // 2 for block in blocks)
    lines = [""] * (above + 1 + below)
    for block in blocks:
        width = max(map(len, block))
        start = above - (len(block) - 1) // 2
        for number in range(len(lines)):
            inside = start <= number < start + len(block)
            lines[number] += (block[number - start] if inside else "").ljust(width)
    return "\n".join(line.rstrip() for line in lines)


class TextPrinter(Printer):
    """Text such as p[0] × (1 − p[0]); with ascii, p[0] * (1 - p[0])."""

    stacked = False

    def __init__(self, *, ascii: bool = False) -> None:  # noqa: A002  # the word that users know
        self.ascii = ascii
        self.signs = _ASCII_SIGNS if ascii else _SIGNS

    def prose(self, text: str) -> str:
        """Text between expressions."""
        text = without_controls(text)
        return in_ascii(text) if self.ascii else text

    def relation(self, sign: str) -> str:
        """The sign between the lines of a chain."""
        return self.signs.get(sign, sign)

    def row(self, pieces: Sequence[str]) -> str:
        """Terms and signs, with a space on either side of a sign."""
        return beside(pieces)

    def parentheses(self, printed: str) -> str:
        """Round brackets, level with the middle line."""
        return beside(["(", printed, ")"])

    def plus(self) -> str:
        """The sign between terms."""
        return " + "

    def minus(self) -> str:
        """The sign of a difference."""
        return f" {self.signs['minus']} "

    def signed(self, printed: str, negative: bool) -> str:
        """A sign, close to what it belongs to."""
        return beside([self.signs["minus"], printed]) if negative else printed

    def number(self, mantissa: str, exponent: int | None) -> str:
        """Digits, and an exponent as programs print it."""
        return mantissa if exponent is None else f"{mantissa}e{exponent}".replace("-", self.signs["minus"])

    def symbol(self, name: str, indices: Sequence[Index]) -> str:
        """A name, indices in brackets."""
        letter = self.prose(name if self.ascii else GREEK.get(name, name))
        return f"{letter}[{','.join(str(index) for index in indices)}]" if indices else letter

    def vector(self, name: str) -> str:
        """A column by its name."""
        return self.symbol(name, ())

    def product(self, factors: Sequence[tuple[Expression, str]], *, nested: bool) -> str:
        """Factors with a sign between them; of matrices, with a space."""
        pieces = []
        for position, (factor, printed) in enumerate(factors):
            if position:
                before = factors[position - 1][0]
                matrices = isinstance(factor, MATRICES) and not isinstance(before, Number)
                matrices = matrices or (isinstance(before, MATRICES) and not isinstance(factor, Number))
                times = self.signs["times"]
                pieces.append(" " if matrices else times if nested else f" {times} ")
            pieces.append(printed)
        return beside(pieces)

    def fraction(self, over: str, under: str, *, nested: bool) -> str:
        """A slash between the two."""
        return beside([over, "/" if nested else " / ", under])

    def power(self, base: str, exponent: str) -> str:
        """A caret between the two."""
        return beside([base, "^", exponent])

    def log(self, x: str, *, plain: bool) -> str:
        """Log of a part."""
        return beside(["log ", x] if plain else ["log", self.parentheses(x)])

    def function(self, name: str, x: str) -> str:
        """A function by name."""
        return beside([name, self.parentheses(x)])

    def big_sum(self, index: str, without: Index | None, body: str) -> str:
        """The sum sign, the index behind an underscore."""
        below = index if without is None else f"{{{index}{self.signs['ne']}{without}}}"
        return beside([f"{self.signs['sum']}_{below} ", body])

    def indicator(self, i: Index, j: Index) -> str:
        """A one, and the condition in braces."""
        return f"1{{{i}={j}}}"

    def derivative(self, body: str, by: str, symbol: bool) -> str:
        """Differentials with a slash between them."""
        d = self.signs["d"]
        return f"{d}{body}/{d}{by}" if symbol else f"{d} {body}/{d}{by}"

    def derivative_of(self, body: str, by: str) -> str:
        """The derivative of a part in parentheses."""
        d = self.signs["d"]
        return beside([d, body, f"/{d}{by}"])

    def transpose(self, x: str) -> str:
        """A raised T."""
        return beside([x, self.signs["T"]])

    def dots(self, *, down: bool, across: bool) -> str:
        """Dots in the direction of what is left out."""
        if self.ascii:
            return ":" if down and not across else "..."
        return "⋱" if down and across else "⋮" if down else "⋯"

    def matrix(self, cells: Sequence[Sequence[str]]) -> str:
        """Rows in square brackets, columns flush right."""
        flat = [[" ".join(cell.split("\n")) for cell in row] for row in cells]
        widths = [max(len(cell) for cell in column) for column in zip(*flat, strict=True)]
        rows = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in flat]
        if len(rows) <= 1 or self.ascii:
            return "\n".join(f"[ {row} ]" for row in rows)
        left = "⎡" + "⎢" * (len(rows) - 2) + "⎣"
        right = "⎤" + "⎥" * (len(rows) - 2) + "⎦"
        return "\n".join(f"{left[k]} {row} {right[k]}" for k, row in enumerate(rows))


_NAMES = TextPrinter(ascii=True)


def term_id(x: Expression) -> str:
    """The name of a term: its text in ASCII. A rounded number has the name of what it is the value of.

    >>> from softjac.derivation.expressions import Number, Symbol
    >>> term_id(Symbol("p", (0,))), term_id(Number(1, 4, of=Symbol("p", (0,))))
    ('p[0]', 'p[0]')
    """
    if isinstance(x, Number) and x.of is not None:
        return term_id(x.of)
    return _NAMES(x)
