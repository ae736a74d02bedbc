"""A derivation as text for a terminal: at most 80 columns, chains aligned at the relation, in Unicode or ASCII."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from softjac.derivation.blocks import Block, Chain, Code, Heading, Line, Parts, Table, Text
from softjac.derivation.expressions import Expression, Multiply, Number
from softjac.derivation.printers import TextPrinter
from softjac.derivation.printers.text import beside
from softjac.derivation.render._base import Renderer
from softjac.derivation.render._lines import fold, glued, wrap
from softjac.derivation.render._text_code import code_lines, shown_lines
from softjac.derivation.render._text_table import table_lines
from softjac.derivation.sentences import rule_name
from softjac.errors import ArgumentError

WIDTH = 80
NARROWEST = 40
MARGIN = "  "
# A goal up to this share of the width stands beside its lines; a longer one above them.
LONGEST_GOAL = 3 / 8
# A rule up to this long stays in one line at the right.
LONGEST_RULE = 32
CLOSE = 3  # headings from this level on have no line below, and their text follows at once


class TextRenderer(Renderer):
    """Plain text; `ascii` for terminals without UTF-8."""

    printer: TextPrinter

    def __init__(
        self,
        *,
        width: int = WIDTH,
        ascii: bool = False,  # noqa: A002  # the word that users know
        rule: Callable[[str], Parts] = rule_name,
    ) -> None:
        super().__init__(rule=rule)
        if isinstance(width, bool) or not hasattr(width, "__index__"):
            raise ArgumentError(f"width is {width!r}: pass a whole number of columns, at least {NARROWEST}.")
        if width < NARROWEST:
            raise ArgumentError(f"width is {width}: formulas and tables need columns, at least {NARROWEST} of them.")
        self.width = operator.index(width)
        self._close: set[int] = set()
        self.printer = TextPrinter(ascii=ascii)

    def math(self, x: Expression) -> str:
        """An expression inside a sentence."""
        return glued(self.printer(x))

    def heading(self, block: Heading) -> str:
        """A title, underlined on the two upper levels."""
        lines = wrap(self.inline(block.parts), self.width)
        if block.level >= CLOSE:
            return "\n".join(lines) + "\n" * (id(block) in self._close)
        return "\n".join([*lines, ("=" if block.level == 1 else "-") * max(map(len, lines), default=0)])

    def text(self, block: Text) -> str:
        """A paragraph; an expression of several lines stands between its halves."""
        return "\n".join(self._paragraph(block.parts, self.width))

    def _paragraph(self, parts: Parts, width: int) -> list[str]:
        lines: list[str] = []
        sentence = ""
        for part in parts:
            printed = self.printer.prose(part) if isinstance(part, str) else self.printer(part)
            if "\n" in printed:
                lines += [*wrap(sentence, width), *(MARGIN + line for line in fold(printed, width - len(MARGIN)))]
                sentence = ""
            else:
                sentence += printed if isinstance(part, str) else glued(printed)
        return [*lines, *wrap(sentence, width)]

    def chain(self, chains: Sequence[Chain]) -> str:
        """Goal, relation, expression and rule in four columns, which the chains share."""
        goals = [self.printer(chain.goal) for chain in chains]
        beside_lines = [len(goal) for goal in goals if self._short(goal)]
        first = len(MARGIN) + max(beside_lines, default=0) + (2 if beside_lines else 0)
        steps = [(chain_number, line) for chain_number, chain in enumerate(chains) for line in chain.lines]
        sign = max((len(self.printer.relation(line.relation)) for _, line in steps), default=1)
        start = first + sign + 1
        expressions = self._expressions(steps, self.width - start)
        rules = ["".join(self.inline(self.rule(line))) for line, _ in expressions.values()]
        column = self._rule_column(start, [printed for _, printed in expressions.values()], rules)

        lines: list[str] = []
        last = -1
        for (number, (line, printed)), rule in zip(expressions.items(), rules, strict=True):
            chain_number = steps[number][0]
            goal = ""
            if chain_number != last:
                goal, last = goals[chain_number], chain_number
                if not self._short(goal):
                    lines += [MARGIN + part for part in fold(goal, self.width - len(MARGIN))]
                    goal = ""
            left = (MARGIN + goal).ljust(first) + self.printer.relation(line.relation).ljust(sign) + " "
            rows = beside([left, "\n".join(printed)]).split("\n") if len(printed) > 1 else [left + printed[0]]
            if len(printed) > 1 and "" in printed:  # slabs: the relation belongs to the first of them
                height = printed.index("")
                rows = beside([left, "\n".join(printed[:height])]).split("\n")
                rows += [(" " * start + row).rstrip() for row in printed[height:]]
            elif len(printed) > 1 and not _is_block(self.printer(line.expression)):
                rows = [left + printed[0], *(" " * start + row for row in printed[1:])]
            lines += self._with_rule(rows, rule, column)
            if why := self.why(line):
                lines += [" " * start + row for row in self._paragraph(why, self.width - start)]
        return "\n".join(line.rstrip() for line in lines)

    def _short(self, goal: str) -> bool:
        return len(goal) <= LONGEST_GOAL * self.width and "\n" not in goal

    def _expressions(self, steps: Sequence[tuple[int, Line]], width: int) -> dict[int, tuple[Line, list[str]]]:
        """The lines to print by their number; one without a rule goes on in the line before where there is room."""
        printed: dict[int, tuple[Line, list[str]]] = {}
        for number, (chain_number, line) in enumerate(steps):
            rows = fold(self.printer(line.expression), width)
            before = max(printed, default=-1)
            if number and not line.rule and not line.why and steps[number - 1][0] == chain_number and before >= 0:
                shared = f"{printed[before][1][0]} {self.printer.relation(line.relation)} {rows[0]}"
                if len(rows) == len(printed[before][1]) == 1 and len(shared) <= width and not printed[before][0].why:
                    printed[before] = (printed[before][0], [shared])
                    continue
            printed[number] = (line, rows)
        return printed

    def _rule_column(self, start: int, expressions: Sequence[list[str]], rules: Sequence[str]) -> int:
        """Where rules start: right of every expression that leaves them room."""
        longest = min(max(map(len, rules), default=0), LONGEST_RULE)
        room = self.width - start - 2 - longest
        widths = [max(map(len, rows)) for rows in expressions]
        fitting = [width for width in widths if width <= room]
        return start + (max(fitting) + 2 if fitting else 2)

    def _with_rule(self, rows: list[str], rule: str, column: int) -> list[str]:
        if not rule:
            return rows
        names = wrap(rule, self.width - column)
        level = (len(rows) - 1) // 2 if len(names) == 1 and "" not in rows else 0
        if all(len(row) + 2 <= column for row in rows[level : level + len(names)]):
            rows = rows + [""] * (level + len(names) - len(rows))
            for k, name in enumerate(names):
                rows[level + k] = rows[level + k].ljust(column) + name
            return rows
        return [*rows, *(" " * column + name for name in names)]

    def table(self, block: Table) -> str:
        """Caption, header, a line, and the rows; wider than the page in several parts."""
        header = [self.inline(cell) for cell in block.header]
        rows = [[self.inline(cell) for cell in row] for row in block.rows]
        numeric = [all(_is_number(row[k]) for row in block.rows) for k in range(len(header))]
        dash = "-" if self.printer.ascii else "─"
        body = table_lines(header, rows, numeric, self.width - len(MARGIN), dash)
        caption = wrap(self.inline(block.caption), self.width)
        return "\n".join([*caption, *(f"{MARGIN}{line}".rstrip() for line in body)])

    def code(self, block: Code) -> str:
        """Statements behind a prompt, and below them what they show."""
        width = self.width - len(MARGIN)
        source = "\n".join(self.printer.prose(line) for line in block.source.strip("\n").split("\n"))
        shows = "\n".join(self.printer.prose(line) for line in block.shows.rstrip("\n").split("\n"))
        lines = [*code_lines(source, width), *shown_lines(shows, width)]
        return "\n".join(f"{MARGIN}{line}".rstrip() for line in lines)

    def blocks(self, blocks: Iterable[Block]) -> list[str]:
        """Blocks; the chains of a small heading stand right below it."""
        blocks = tuple(blocks)
        below = [isinstance(a, Heading) and a.level >= CLOSE and isinstance(b, Chain) for a, b in pairwise(blocks)]
        self._close = {id(block) for block, close in zip(blocks, below, strict=False) if close}
        return super().blocks(blocks)

    def document(self, title: str, blocks: Sequence[str]) -> str:  # noqa: ARG002
        """Blocks with an empty line in between; one that ends its last line itself has the next right below it."""
        joined = "".join(block if block.endswith("\n") else f"{block}\n\n" for block in blocks if block)
        return joined.rstrip("\n") + "\n"


def _is_number(cell: Parts) -> bool:
    """Whether a cell ends in a number, and so belongs flush right."""
    last = cell[-1] if cell else ""
    if isinstance(last, str):
        return re.fullmatch(r"[-−+]?(\d[\d.,]*([eE][-+−]?\d+)?|inf|nan)", last.strip()) is not None
    return isinstance(last, Number) or (isinstance(last, Multiply) and isinstance(last.factors[-1], Number))


def _is_block(printed: str) -> bool:
    return "\n" in printed
