"""What renderers share: the walk over blocks, sentences with expressions in them, the title, the names of rules."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence

from softjac.derivation.blocks import Block, Chain, Code, Document, Heading, Line, Parts, Table, Text
from softjac.derivation.expressions import Expression
from softjac.derivation.printers import Printer, TextPrinter
from softjac.derivation.sentences import rule_name

UNTITLED = "Derivation"
# Chains that follow each other are aligned with each other where their goals' lengths differ by no more.
LIKE_GOALS = 14


class Renderer(ABC):
    """A printer, five block methods, and the document around them."""

    printer: Printer

    def __init__(self, *, rule: Callable[[str], Parts] = rule_name) -> None:
        self._rule = rule
        self._explained: set[tuple[str, Parts]] = set()

    def render(self, derivation: Document) -> str:
        """The whole derivation as one string that ends with a newline."""
        self._explained.clear()
        return self.document(self.title(derivation), self.blocks(self.titled(derivation)))

    @staticmethod
    def titled(derivation: Document) -> tuple[Block, ...]:
        """The blocks under the derivation's title, which a part by itself has as its first heading already."""
        first = derivation.blocks[0] if derivation.blocks else None
        if not derivation.title or (isinstance(first, Heading) and first.parts == derivation.title):
            return derivation.blocks
        return (Heading(derivation.title, 1, "derivation"), *derivation.blocks)

    @staticmethod
    def title(derivation: Document) -> str:
        """The title without markup."""
        plain = TextPrinter()
        parts = derivation.title
        return "".join(plain.prose(part) if isinstance(part, str) else plain(part) for part in parts) or UNTITLED

    def blocks(self, blocks: Iterable[Block]) -> list[str]:
        """Each block rendered; chains that follow each other are handed over together, to be aligned."""
        rendered: list[str] = []
        for chains, block in _grouped(blocks):
            if chains:
                rendered.append(self.chain(chains))
            match block:
                case Heading():
                    rendered.append(self.heading(block))
                case Text():
                    rendered.append(self.text(block))
                case Table():
                    rendered.append(self.table(block))
                case Code():
                    rendered.append(self.code(block))
        return rendered

    def rule(self, line: Line) -> Parts:
        """The name of the rule of a line; nothing where the line has none."""
        return line.name or (self._rule(line.rule) if line.rule else ())

    def why(self, line: Line) -> Parts:
        """Why the rule of a line holds, the first time that the derivation says it; then nothing."""
        said = (line.rule, line.why)
        if said in self._explained:
            return ()
        self._explained.add(said)
        return line.why

    def inline(self, parts: Parts) -> str:
        """A sentence: prose escaped, expressions printed."""
        return "".join(self.printer.prose(part) if isinstance(part, str) else self.math(part) for part in parts)

    @abstractmethod
    def math(self, x: Expression) -> str:
        """An expression inside a sentence."""

    @abstractmethod
    def heading(self, block: Heading) -> str:
        """A title."""

    @abstractmethod
    def text(self, block: Text) -> str:
        """A paragraph."""

    @abstractmethod
    def chain(self, chains: Sequence[Chain]) -> str:
        """Chains that follow each other."""

    @abstractmethod
    def table(self, block: Table) -> str:
        """A table."""

    @abstractmethod
    def code(self, block: Code) -> str:
        """Lines of Python and what they show."""

    @abstractmethod
    def document(self, title: str, blocks: Sequence[str]) -> str:
        """The blocks as one document."""


def _grouped(blocks: Iterable[Block]) -> Iterator[tuple[list[Chain], Block | None]]:
    """Chains to align with each other, and the block behind them that is none."""
    length = TextPrinter()
    chains: list[Chain] = []
    goals: list[int] = []
    for block in blocks:
        if not isinstance(block, Chain):
            yield chains, block
            chains, goals = [], []
            continue
        goal = len(length(block.goal))
        if any(abs(goal - other) > LIKE_GOALS for other in goals):
            yield chains, None
            chains, goals = [], []
        chains.append(block)
        goals.append(goal)
    yield chains, None
