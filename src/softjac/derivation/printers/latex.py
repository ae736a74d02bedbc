"""Expressions as LaTeX, with amsmath alone.

No backslash is followed by punctuation: Markdown takes such a pair for an escape, and `$...$` has to pass through it.
"""

from collections.abc import Sequence

from softjac.derivation.expressions import Expression, Index
from softjac.derivation.printers._walk import GREEK, Printer

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "[": "{[}",  # behind \\\\ or \item a bare one opens an option
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",  # \textquotedbl would need another font encoding
    "`": r"\textasciigrave{}",
    "'": "'",
    "≈": r"\ensuremath{\approx}",
    "×": r"\ensuremath{\times}",
    "−": r"\ensuremath{-}",
    "≤": r"\ensuremath{\le}",
    "≥": r"\ensuremath{\ge}",
    "≠": r"\ensuremath{\ne}",
    "→": r"\ensuremath{\to}",
    "Σ": r"\ensuremath{\Sigma}",
    "∂": r"\ensuremath{\partial}",
    "…": r"\dots{}",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "’": "'",
}


TIMES: dict[str, list[str]] = {"": [], "dot": [r"\cdot"], "cross": [r"\times"]}
# Keeps rows with fractions in them apart, which an array does not.
STRUT = r"\rule[-1.7ex]{0pt}{4.6ex} "


def escape(text: str) -> str:
    r"""Text with what is special to TeX escaped; a sign that standard fonts lack is written by its code point.

    >>> escape("50% of $x_1")
    '50\\% of \\$x\\_1'
    """
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in GREEK.values():
        name = next(name for name, letter in GREEK.items() if letter == character)
        return rf"\ensuremath{{\{name}}}"
    # pdflatex reads Latin letters with accents; for others it has no font, and would stop.
    if (character.isprintable() and ord(character) < 0x180) or character in "\n\t":
        return character
    return f"{{[}}U+{ord(character):04X}]"


class LatexPrinter(Printer):
    """LaTeX for what stands between dollar signs."""

    def prose(self, text: str) -> str:
        """Text outside of mathematics."""
        return escape(text)

    def row(self, pieces: Sequence[str]) -> str:
        """Pieces with spaces, which TeX does not set."""
        return " ".join(pieces)

    def parentheses(self, printed: str) -> str:
        """Brackets that grow with what they hold."""
        return rf"\left({printed}\right)"

    def plus(self) -> str:
        """The sign between terms."""
        return "+"

    def minus(self) -> str:
        """The sign of a difference."""
        return "-"

    def signed(self, printed: str, negative: bool) -> str:
        """A sign, close to what it belongs to."""
        return f"-{printed}" if negative else printed

    def number(self, mantissa: str, exponent: int | None) -> str:
        """Digits, times a power of ten."""
        return mantissa if exponent is None else rf"{mantissa} \times 10^{{{exponent}}}"

    def symbol(self, name: str, indices: Sequence[Index]) -> str:
        """A letter in italics, indices below."""
        if name in GREEK:
            letter = rf"\{name}"
        elif name.isascii() and name.isalnum():
            letter = name if len(name) == 1 else rf"\mathit{{{name}}}"
        else:
            letter = rf"\text{{{escape(name)}}}"
        return f"{letter}_{{{','.join(str(index) for index in indices)}}}" if indices else letter

    def vector(self, name: str) -> str:
        """A column; the ones are bold."""
        return r"\mathbf{1}" if name == "1" else self.symbol(name, ())

    def product(self, factors: Sequence[tuple[Expression, str]], *, nested: bool) -> str:  # noqa: ARG002
        """Factors side by side; a cross between numbers, a dot between a number and a symbol."""
        pieces = []
        for position, (factor, printed) in enumerate(factors):
            if position:
                pieces += TIMES[self.times(factors[position - 1][0], factor)]
            pieces.append(printed)
        return " ".join(pieces)

    def fraction(self, over: str, under: str, *, nested: bool) -> str:  # noqa: ARG002
        """One above the other."""
        return rf"\frac{{{over}}}{{{under}}}"

    def power(self, base: str, exponent: str) -> str:
        """The exponent raised."""
        return f"{base}^{{{exponent}}}"

    def log(self, x: str, *, plain: bool) -> str:
        """An upright log."""
        return rf"\log {x}" if plain else rf"\log{self.parentheses(x)}"

    def function(self, name: str, x: str) -> str:
        """An upright name; GitHub refuses the macro for operators."""
        return rf"\mathrm{{{name}}}{self.parentheses(x)}"

    def big_sum(self, index: str, without: Index | None, body: str) -> str:
        """The sum sign with the index below."""
        below = index if without is None else rf"{index} \ne {without}"
        return rf"\sum_{{{below}}} {body}"

    def indicator(self, i: Index, j: Index) -> str:
        """A bold one, and the condition in braces."""
        return rf"\mathbf{{1}}\lbrace {i} = {j} \rbrace"

    def derivative(self, body: str, by: str, symbol: bool) -> str:  # noqa: ARG002
        """A fraction of differentials."""
        return rf"\frac{{\partial {body}}}{{\partial {by}}}"

    def derivative_of(self, body: str, by: str) -> str:
        """The operator, and what it is applied to."""
        return rf"\frac{{\partial}}{{\partial {by}}} {body}"

    def transpose(self, x: str) -> str:
        """A raised upright T."""
        return rf"{x}^{{\mathsf{{T}}}}"

    def dots(self, *, down: bool, across: bool) -> str:
        """Dots in the direction of what is left out."""
        return r"\ddots" if down and across else r"\vdots" if down else r"\cdots"

    def matrix(self, cells: Sequence[Sequence[str]]) -> str:
        """An array in square brackets: bmatrix would stop at ten columns."""
        columns = "r" * max((len(row) for row in cells), default=1)
        strut = STRUT if any(r"\frac" in cell for row in cells for cell in row) else ""
        rows = r" \cr ".join(strut + " & ".join(row) for row in cells)
        return rf"\left[\begin{{array}}{{{columns}}} {rows} \end{{array}}\right]"
