"""A derivation as Markdown with GitHub's mathematics: $...$ in sentences, fenced math blocks for chains."""

import re
from collections.abc import Sequence

from softjac.derivation.blocks import Chain, Code, Heading, Line, Parts, Table, Text
from softjac.derivation.expressions import Expression
from softjac.derivation.printers import LatexPrinter
from softjac.derivation.printers.text import without_controls
from softjac.derivation.render._base import Renderer

_RELATIONS = {"=": "=", "≈": r"\approx"}
# What GitHub's Markdown, HTML in it, or its mathematics would act on. As references, because a backslash before a
# dollar or a brace is taken off before the mathematics is looked for.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>&#|~$^!]")
# Inside \text{...} only these pass every engine unchanged.
_SAFE_IN_TEXT = re.compile(r"[^A-Za-z0-9 ,.:;()/=+'?-]")


def escape(text: str) -> str:
    """Text of which Markdown changes nothing, in one line.

    >>> escape("a*b costs $1")
    'a&#42;b costs &#36;1'
    """
    return _SPECIAL.sub(lambda found: f"&#{ord(found.group())};", without_controls(text))


class MarkdownPrinter(LatexPrinter):
    """LaTeX for mathematics, Markdown for the text between."""

    def prose(self, text: str) -> str:
        """Text outside of mathematics."""
        return escape(text)


class MarkdownRenderer(Renderer):
    """Markdown as GitHub reads it."""

    printer: LatexPrinter = MarkdownPrinter()

    def math(self, x: Expression) -> str:
        """An expression inside a sentence."""
        return f"${self.printer(x)}$"

    def display(self, latex: str) -> str:
        """Mathematics that stands by itself; in a fence Markdown changes nothing of it."""
        return f"```math\n{latex}\n```"

    def heading(self, block: Heading) -> str:
        """A title."""
        return f"{'#' * max(1, min(block.level, 6))} {self.inline(block.parts)}"

    def text(self, block: Text) -> str:
        """A paragraph. What would open a list or a heading at its start is escaped."""
        return re.sub(r"^\s*([+-]|\d+[.)])(?=\s)", _as_references, self.inline(block.parts))

    def chain(self, chains: Sequence[Chain]) -> str:
        """The chains aligned in one block, the rules at the right; the reasons in a list below."""
        rows, reasons = [], []
        for chain in chains:
            goal = self.printer(chain.goal)
            for line in chain.lines:
                named = f" && {self._in_math(self.rule(line))}" if line.rule else ""
                rows.append(rf"{goal} &{_RELATIONS[line.relation]} {self.printer(line.expression)}{named}")
                goal = ""
                if why := self.why(line):
                    name = f"*{self.inline(self.rule(line))}*: " if line.rule else ""
                    reasons.append(f"- {name}{self.inline(why)}")
        block = self.display("\\begin{aligned}\n" + " \\\\\n".join(row.lstrip() for row in rows) + "\n\\end{aligned}")
        return "\n".join([block, *([""] if reasons else []), *reasons])

    def _in_math(self, parts: Parts) -> str:
        """The name of a rule inside mathematics."""
        return " ".join(
            rf"\text{{{_SAFE_IN_TEXT.sub(' ', part)}}}" if isinstance(part, str) else self.printer(part)
            for part in parts
        )

    def table(self, block: Table) -> str:
        """A table with its caption above."""
        lines = [
            [self.inline(cell) for cell in block.header],
            [":--" if k == 0 else "--:" if _numeric(block, k) else ":--" for k in range(len(block.header))],
            *([self.inline(cell) for cell in row] for row in block.rows),
        ]
        return "\n".join([f"**{self.inline(block.caption)}**", "", *(f"| {' | '.join(line)} |" for line in lines)])

    def code(self, block: Code) -> str:
        """A block of Python, and one of what it shows."""
        shown = [_fenced("text", block.shows)] if block.shows else []
        return "\n\n".join([_fenced("python", block.source), *shown])

    def document(self, title: str, blocks: Sequence[str]) -> str:  # noqa: ARG002
        """Blocks with an empty line in between."""
        return "\n\n".join(block for block in blocks if block) + "\n"


def _as_references(found: re.Match[str]) -> str:
    marker = found.group(1)
    return f"{marker[:-1]}&#{ord(marker[-1])};"


def _numeric(block: Table, column: int) -> bool:
    return all(not isinstance(part, str) for row in block.rows for part in row[column])


def _fenced(language: str, content: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{content.strip(chr(10))}\n{fence}"


__all__ = ["Line", "MarkdownRenderer", "escape"]
