"""What renderers share: the walk over blocks, sentences with expressions in them, the title, the names of rules."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from softjac.derivation.blocks import Code, Heading, Line, Parts, Table, Text
from softjac.derivation.expressions import Expression
from softjac.derivation.printers import Printer

UNTITLED = "Derivation"


class ChainOfLines(Protocol):
    """What a renderer reads of a Chain."""

    @property
    def goal(self) -> Expression: ...  # noqa: D102
    @property
    def lines(self) -> tuple[Line, ...]: ...  # noqa: D102


class Derived(Protocol):
    """What a renderer reads of a Derivation."""

    @property
    def blocks(self) -> tuple[object, ...]: ...  # noqa: D102


def named_rule(key: str) -> Parts:
    """The short name of a rule, from the table of sentences."""
    from softjac.derivation import sentences

    return sentences.rule_name(key)


class Renderer(ABC):
    """A printer, five block methods, and the document around them."""

    printer: Printer

    def __init__(self, *, rule: Callable[[str], Parts] = named_rule) -> None:
        self._rule = rule

    def render(self, derivation: Derived) -> str:
        """The whole derivation as one string that ends with a newline."""
        return self.document(self.title(derivation), self.blocks(derivation.blocks))

    def blocks(self, blocks: Iterable[object]) -> list[str]:
        """Each block rendered; chains that follow each other are handed over together, to be aligned."""
        rendered = []
        chains: list[ChainOfLines] = []
        for block in [*blocks, None]:
            if chains and (block is None or isinstance(block, Heading | Text | Table | Code)):
                rendered.append(self.chain(chains))
                chains = []
            match block:
                case Heading():
                    rendered.append(self.heading(block))
                case Text():
                    rendered.append(self.text(block))
                case Table():
                    rendered.append(self.table(block))
                case Code():
                    rendered.append(self.code(block))
                case None:
                    pass
                case _:
                    chains.append(block)  # type: ignore[arg-type]  # the fifth kind
        return rendered

    def title(self, derivation: Derived) -> str:
        """The first heading, without markup, for the document's title."""
        from softjac.derivation.printers import TextPrinter

        plain = TextPrinter()
        for block in derivation.blocks:
            if isinstance(block, Heading):
                return "".join(plain.prose(part) if isinstance(part, str) else plain(part) for part in block.parts)
        return UNTITLED

    def rule(self, line: Line) -> Parts:
        """The name of the rule of a line; nothing where the line has none."""
        return self._rule(line.rule) if line.rule else ()

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
    def chain(self, chains: Sequence[ChainOfLines]) -> str:
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
