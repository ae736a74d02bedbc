"""What a derivation is made of: headings, text, chains of equal expressions, tables, code.

All of it is immutable. A Chain checks itself when it is built (`softjac.derivation.evaluate`): one that holds a wrong
line cannot exist.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

from softjac.derivation.evaluate import Given
from softjac.derivation.expressions import Expression, Number, walk
from softjac.derivation.form import check_form
from softjac.derivation.points import Point, own_context
from softjac.derivation.printers import term_id
from softjac.derivation.sentence_table import sentences
from softjac.derivation.verify import verify
from softjac.errors import ArgumentError

Parts: TypeAlias = tuple[str | Expression, ...]
"""A sentence: text, with expressions in between."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A title, and the name by which the part can be asked for or linked to."""

    parts: Parts
    level: int
    anchor: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    parts: Parts

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))


@dataclass(frozen=True, slots=True)
class Line:
    """One step: what the expression before equals, by which rule, and why.

    rule: a key of the rules in sentences/en.toml, which has its name and a sentence of why. continues: the terms that
    stood in the line before already, by their names (`printers.term_id`), found by the Chain. name: what is shown in
    place of the rule's name, where that has the classes of this line in it. Raises DerivationError for a rule that is
    not in the table; "" is none.
    """

    relation: Literal["=", "≈"]
    expression: Expression
    rule: str
    why: Parts = ()
    continues: tuple[str, ...] = ()
    name: Parts = ()

    def __post_init__(self) -> None:
        if self.rule:
            sentences().rule(self.rule)
        object.__setattr__(self, "why", tuple(self.why))
        object.__setattr__(self, "continues", tuple(self.continues))
        object.__setattr__(self, "name", tuple(self.name))


@dataclass(frozen=True, slots=True)
class Chain:
    """goal = line = line ...: it holds, or it is not built.

    point: the reader's, or None for symbols alone. free: letters that stand for any class. where: "i=j" or "i!=j".
    given: what the chain's own symbols are worth; a string is the name of a free value. size: the number of classes,
    where the chain holds for that one only; one that writes a whole matrix has its size. label: the class, where the
    chain holds for a one-hot label only, or "one-hot" where that class is the index "y".

    Raises DerivationError where a line differs from the goal, at the reader's logits or in general position, for any
    classes that the letters may stand for; where a rounded number is not the value it names, follows a "=", or is not
    what the printed arithmetic before it gives.
    """

    goal: Expression
    lines: tuple[Line, ...]
    point: Point | None = None
    free: tuple[str, ...] = ()
    where: str | None = None
    given: Given = ()
    size: int | None = None
    label: int | Literal["one-hot"] | None = None

    @own_context()
    def __post_init__(self) -> None:
        own = self.given.items() if isinstance(self.given, Mapping) else self.given
        object.__setattr__(self, "given", tuple((symbol, meaning) for symbol, meaning in own))
        object.__setattr__(self, "free", tuple(self.free))
        object.__setattr__(self, "lines", tuple(self.lines))
        check_form(self)
        object.__setattr__(self, "lines", tuple(continued(self.goal, self.lines)))
        verify(self)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The goal and what stands in each line."""
        return (self.goal, *(line.expression for line in self.lines))


def terms_within(x: Expression) -> tuple[str, ...]:
    """Names of the expression and of all it is made of, without exact numbers, each once."""
    named = (part for part in walk(x) if not (isinstance(part, Number) and part.of is None))
    return tuple(dict.fromkeys(term_id(part) for part in named))


def continued(goal: Expression, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, each with the terms that it has in common with what stands before it."""
    before = terms_within(goal)
    for line in lines:
        terms = terms_within(line.expression)
        yield replace(line, continues=tuple(term for term in terms if term in before))
        before = terms


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers side by side."""

    caption: Parts
    header: tuple[Parts, ...]
    rows: tuple[tuple[Parts, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "caption", tuple(self.caption))
        object.__setattr__(self, "header", tuple(map(tuple, self.header)))
        object.__setattr__(self, "rows", tuple(tuple(map(tuple, row)) for row in self.rows))


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of NumPy, and what they show; run by the tests."""

    source: str
    shows: str = ""


Block: TypeAlias = Heading | Text | Chain | Table | Code
PART_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Document:
    """Blocks under a title. A Heading of level 2 begins a part, which its anchor names."""

    title: Parts
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", tuple(self.title))
        object.__setattr__(self, "blocks", tuple(self.blocks))

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in order."""
        return tuple(heading.anchor for heading in self._headings() if heading.level == PART_LEVEL)

    @property
    def chains(self) -> tuple[Chain, ...]:
        """All chains, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Chain))

    def part(self, name: str) -> Self:
        """One part by itself: its heading and what stands under it. Raises ArgumentError for a name that is none."""
        for heading in self._headings():
            if heading.anchor == name:
                start = self.blocks.index(heading)
                rest = self.blocks[start + 1 :]
                ends = (
                    k for k, block in enumerate(rest) if isinstance(block, Heading) and block.level <= heading.level
                )
                return replace(self, title=heading.parts, blocks=self.blocks[start : start + 1 + next(ends, len(rest))])
        raise ArgumentError(f"there is no part {name!r}: the parts are {', '.join(self.parts)}.")

    def _headings(self) -> Iterator[Heading]:
        return (block for block in self.blocks if isinstance(block, Heading))
