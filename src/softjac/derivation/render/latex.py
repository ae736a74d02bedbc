"""A derivation as LaTeX: a whole document, or a fragment for one that loads amsmath and graphicx."""

import re
from collections.abc import Callable, Sequence

from softjac.derivation.blocks import Chain, Code, Heading, Parts, Table, Text
from softjac.derivation.expressions import Expression
from softjac.derivation.printers import LatexPrinter, TextPrinter
from softjac.derivation.printers.latex import escape
from softjac.derivation.printers.text import in_ascii
from softjac.derivation.render._base import Renderer
from softjac.derivation.sentences import rule_name

_RELATIONS = {"=": "=", "≈": r"\approx"}
_SECTIONS = ("section*", "subsection*", "subsubsection*", "paragraph*")
PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\usepackage{graphicx}
\usepackage[a4paper,margin=25mm]{geometry}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6em}
\allowdisplaybreaks
\begin{document}
"""
# Scales down what is wider than its place, such as the matrix of twenty classes, and leaves the rest as it is.
FIT = r"""\providecommand{\softjacfit}[2]{\sbox0{$\displaystyle #2$}%
  \ifdim\wd0>#1\resizebox{#1}{!}{\usebox0}\else\usebox0\fi}
"""
# Expressions that are longer than this as text are measured, and scaled where they do not fit.
LONG = 48
# Keeps rows of a table with fractions in them apart.
STRUT = r"\rule[-2.8ex]{0pt}{7.2ex} "
# In a typewriter font: spaces stay, hyphens do not join, quotes stay straight.
_TYPED = {" ": "~", "-": "{-}", "'": r"\textquotesingle{}", "<": "<", ">": ">", "|": "|"}
_TYPED.update({character: f"\\char{ord(character)}{{}}" for character in '"_{}\\~^`'})
# Tables have their columns of prose as wide as this share of the line.
PROSE_COLUMN = 0.4
LONGEST_CELL = 40


class LatexRenderer(Renderer):
    """LaTeX with amsmath and graphicx, for any engine."""

    printer: LatexPrinter = LatexPrinter()

    def __init__(self, *, fragment: bool = False, rule: Callable[[str], Parts] = rule_name) -> None:
        super().__init__(rule=rule)
        self.fragment = fragment
        self._length = TextPrinter()

    def math(self, x: Expression) -> str:
        """An expression inside a sentence; it is not broken where the line ends, unless it is long."""
        return f"${self._fitted(x, 1.0)}$"

    def _fitted(self, x: Expression, share: float) -> str:
        printed = self.printer(x)
        longest = max(map(len, self._length(x).split("\n")))
        return rf"\softjacfit{{{share:g}\linewidth}}{{{printed}}}" if longest > LONG else printed

    def heading(self, block: Heading) -> str:
        """A section without a number."""
        section = _SECTIONS[max(1, min(block.level, len(_SECTIONS))) - 1]
        return rf"\{section}{{{self.inline(block.parts)}}}"

    def text(self, block: Text) -> str:
        """A paragraph."""
        return self.inline(block.parts)

    def chain(self, chains: Sequence[Chain]) -> str:
        """The chains aligned, rules at the right as tags, which amsmath moves down where there is no room."""
        rows, reasons = [], []
        for chain in chains:
            goal = self._fitted(chain.goal, 0.3)
            for line in chain.lines:
                tag = rf" \tag*{{\small {self.inline(self.rule(line))}}}" if line.rule else ""
                rows.append(f"{goal} &{_RELATIONS[line.relation]} {self._fitted(line.expression, 0.66)}{tag}".lstrip())
                goal = ""
                if why := self.why(line):
                    name = rf"\emph{{{self.inline(self.rule(line))}}}: " if line.rule else ""
                    reasons.append(rf"\item {name}{self.inline(why)}")
        aligned = "{\\setlength{\\jot}{0.6em}\n\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}}"
        if not reasons:
            return aligned
        return "\n".join([aligned, r"\begin{itemize}", *reasons, r"\end{itemize}"])

    def table(self, block: Table) -> str:
        """A table with its caption above, where it stands in the text."""
        columns = "".join(self._column(block, k) for k in range(len(block.header)))
        header, *rows = [self._row(row) for row in (block.header, *block.rows)]
        header += r" \hline"
        body = [rf"\begin{{tabular}}{{{columns}}}", header, *rows, r"\end{tabular}"]
        measured = r"\sbox0{" + "%\n" + "\n".join(body) + "}%"
        placed = r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
        display = "\\everymath{\\displaystyle}%\n" if any(r"\frac" in row for row in rows) else ""
        caption = rf"\textbf{{{self.inline(block.caption)}}}\par\smallskip"
        return f"\\begin{{center}}\n{caption}\n{display}{measured}\n{placed}\n\\end{{center}}"

    def _row(self, row: Sequence[Parts]) -> str:
        cells = [self.inline(cell) for cell in row]
        return (STRUT if any(r"\frac" in cell for cell in cells) else "") + " & ".join(cells) + r" \\"

    @staticmethod
    def _column(block: Table, k: int) -> str:
        prose = max((sum(len(part) for part in row[k] if isinstance(part, str)) for row in block.rows), default=0)
        if prose > LONGEST_CELL:
            return rf"p{{{PROSE_COLUMN:g}\linewidth}}"
        return "r" if all(not isinstance(part, str) for row in block.rows for part in row[k]) else "l"

    def code(self, block: Code) -> str:
        """Source and what it shows, as typed."""
        shown = [_typed(block.shows)] if block.shows else []
        return "\n".join([_typed(block.source), *shown])

    def document(self, title: str, blocks: Sequence[str]) -> str:  # noqa: ARG002  # the first heading shows it
        """A whole document; of a fragment only the body."""
        body = FIT + "\n" + "\n\n".join(block for block in blocks if block) + "\n"
        if self.fragment:
            return "% Needs \\usepackage{amsmath} and \\usepackage{graphicx}.\n" + body
        return f"{PREAMBLE}{body}\\end{{document}}\n"


def _typed(content: str) -> str:
    """Lines in a typewriter font, each escaped: verbatim would end at the first end of it in the content."""
    lines = in_ascii(content.strip("\n").expandtabs()).split("\n")
    typed = ["".join(_TYPED.get(character) or escape(character) for character in line) or "~" for line in lines]
    # A long line may break, at the last of the spaces between two words.
    typed = [re.sub(r"(?<=[^~])(~*)~(?=[^~])", r"\1 ", line) for line in typed]
    return "{\\small\\ttfamily\\frenchspacing\\raggedright\n" + "\\\\\n".join(typed) + "\\par}"
