"""Expressions as MathML Core, each term marked by what it is, so that a page can show it wherever it occurs."""

import re
from collections.abc import Sequence
from html import escape

from softjac.derivation.expressions import (
    Derivative,
    Divide,
    Exp,
    Expression,
    Index,
    Indicator,
    Log,
    Number,
    Power,
    Sum,
    Symbol,
    Vector,
)
from softjac.derivation.printers._walk import GREEK, Printer
from softjac.derivation.printers.text import term_id, without_controls

MARKED = (Symbol, Vector, Exp, Log, Sum, Indicator, Derivative, Divide, Power)
TIMES = {
    "": '<mo lspace="0.08em" rspace="0.08em">&#x2062;</mo>',
    "dot": "<mo>⋅</mo>",
    "cross": "<mo>×</mo>",
}
APPLY = "&#x2061;"
# What is higher than a line; around anything else brackets keep their size.
TALL = ("<mfrac>", "<munder>", "<mtable>")


class MathmlPrinter(Printer):
    """MathML for what stands inside <math>."""

    def prose(self, text: str) -> str:
        """Text as HTML."""
        return escape(without_controls(text))

    def math(self, x: Expression, *, block: bool = False) -> str:
        """A whole <math> element."""
        display = ' display="block"' if block else ""
        return f"<math{display}>{self(x)}</math>"

    def term(self, x: Expression, printed: str) -> str:
        """The part with its name in data-term; a rounded number carries the name of what it is the value of."""
        if isinstance(x, MARKED) or (isinstance(x, Number) and x.of is not None):
            return f'<mrow data-term="{escape(term_id(x))}">{printed}</mrow>'
        return printed

    def row(self, pieces: Sequence[str]) -> str:
        """Pieces in one row."""
        return f"<mrow>{''.join(pieces)}</mrow>"

    def parentheses(self, printed: str) -> str:
        """Fences that grow with what they hold."""
        grows = "" if any(tag in printed for tag in TALL) else ' stretchy="false"'
        return f"<mrow><mo{grows}>(</mo>{printed}<mo{grows}>)</mo></mrow>"

    def plus(self) -> str:
        """The sign between terms."""
        return "<mo>+</mo>"

    def minus(self) -> str:
        """The sign of a difference."""
        return "<mo>−</mo>"

    def signed(self, printed: str, negative: bool) -> str:
        """A sign that belongs to what follows."""
        return f'<mrow><mo form="prefix">−</mo>{printed}</mrow>' if negative else printed

    def number(self, mantissa: str, exponent: int | None) -> str:
        """Digits, times a power of ten."""
        if exponent is None:
            return f"<mn>{mantissa}</mn>"
        raised = self.signed(f"<mn>{abs(exponent)}</mn>", exponent < 0)
        return f"<mrow><mn>{mantissa}</mn><mo>×</mo><msup><mn>10</mn>{raised}</msup></mrow>"

    def symbol(self, name: str, indices: Sequence[Index]) -> str:
        """A letter, indices below."""
        letter = f"<mi>{escape(without_controls(GREEK.get(name, name)))}</mi>"
        if not indices:
            return letter
        below = '<mo separator="true">,</mo>'.join(self._index(index) for index in indices)
        return f"<msub>{letter}<mrow>{below}</mrow></msub>"

    @staticmethod
    def _index(index: Index) -> str:
        """An index such as 2, i, or n-1."""
        pieces = re.findall(r"[0-9]+|[+-]|[^0-9+-]+", str(index))
        named = {"-": "<mo>−</mo>", "+": "<mo>+</mo>"}
        return "".join(
            named.get(piece) or (f"<mn>{piece}</mn>" if piece.isdigit() else f"<mi>{escape(piece)}</mi>")
            for piece in pieces
        )

    def vector(self, name: str) -> str:
        """A column; the ones are bold."""
        return "<mn>𝟏</mn>" if name == "1" else self.symbol(name, ())

    def product(self, factors: Sequence[tuple[Expression, str]], *, nested: bool) -> str:  # noqa: ARG002
        """Factors side by side; a cross between numbers, a dot between a number and a symbol."""
        pieces = []
        for position, (factor, printed) in enumerate(factors):
            if position:
                pieces.append(TIMES[self.times(factors[position - 1][0], factor)])
            pieces.append(printed)
        return pieces[0] if len(pieces) == 1 else self.row(pieces)

    def fraction(self, over: str, under: str, *, nested: bool) -> str:  # noqa: ARG002
        """One above the other."""
        return f"<mfrac><mrow>{over}</mrow><mrow>{under}</mrow></mfrac>"

    def power(self, base: str, exponent: str) -> str:
        """The exponent raised."""
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"

    def log(self, x: str, *, plain: bool) -> str:
        """An upright log."""
        argument = f'<mspace width="0.17em"></mspace>{x}' if plain else self.parentheses(x)
        return f"<mrow><mi>log</mi><mo>{APPLY}</mo>{argument}</mrow>"

    def function(self, name: str, x: str) -> str:
        """An upright name."""
        return f"<mrow><mi>{name}</mi><mo>{APPLY}</mo>{self.parentheses(x)}</mrow>"

    def big_sum(self, index: str, without: Index | None, body: str) -> str:
        """The sum sign with the index below."""
        below = self._index(index)
        if without is not None:
            below = f"{below}<mo>≠</mo>{self._index(without)}"
        return f"<mrow><munder><mo>∑</mo><mrow>{below}</mrow></munder>{body}</mrow>"

    def indicator(self, i: Index, j: Index) -> str:
        """A bold one, and the condition in braces."""
        return f"<mrow><mn>𝟏</mn><mo>{{</mo>{self._index(i)}<mo>=</mo>{self._index(j)}<mo>}}</mo></mrow>"

    def derivative(self, body: str, by: str, symbol: bool) -> str:
        """A fraction of differentials."""
        space = "" if symbol else '<mspace width="0.17em"></mspace>'
        return self.fraction(f"<mi>∂</mi>{space}{body}", f"<mi>∂</mi>{by}", nested=True)

    def derivative_of(self, body: str, by: str) -> str:
        """The operator, and what it is applied to."""
        return self.row([self.fraction("<mi>∂</mi>", f"<mi>∂</mi>{by}", nested=True), body])

    def transpose(self, x: str) -> str:
        """A raised upright T."""
        return f'<msup><mrow>{x}</mrow><mi mathvariant="normal">T</mi></msup>'

    def dots(self, *, down: bool, across: bool) -> str:
        """Dots in the direction of what is left out."""
        return f"<mo>{'⋱' if down and across else '⋮' if down else '⋯'}</mo>"

    def matrix(self, cells: Sequence[Sequence[str]]) -> str:
        """A table in square brackets."""
        rows = "".join("<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in row) + "</mtr>" for row in cells)
        return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"
