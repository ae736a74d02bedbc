"""Expressions as text, LaTeX and MathML: one walk that decides where parentheses stand, three notations."""

from softjac.derivation.printers._walk import Printer
from softjac.derivation.printers.latex import LatexPrinter
from softjac.derivation.printers.mathml import MathmlPrinter
from softjac.derivation.printers.text import TextPrinter, term_id

__all__ = ["LatexPrinter", "MathmlPrinter", "Printer", "TextPrinter", "term_id"]
