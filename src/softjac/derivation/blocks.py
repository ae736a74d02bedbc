"""What a derivation is made of: headings, text, chains of equal expressions, tables, code.

All of it is immutable. A Chain checks itself when it is built (`softjac.derivation.evaluate`): one that holds a wrong
line cannot exist.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, Union

from softjac.derivation.expressions import Expression

Parts: TypeAlias = tuple[str | Expression, ...]
"""A sentence: text, with expressions in between."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A title, and the name by which the part can be asked for or linked to."""

    parts: Parts
    level: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    parts: Parts


@dataclass(frozen=True, slots=True)
class Line:
    """One step: what the expression before equals, by which rule, and why."""

    relation: Literal["=", "≈"]
    expression: Expression
    rule: str  # a key of sentences' rules
    why: Parts = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers side by side."""

    caption: Parts
    header: tuple[Parts, ...]
    rows: tuple[tuple[Parts, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines of NumPy, and what they show; run by the tests."""

    source: str
    shows: str = ""
