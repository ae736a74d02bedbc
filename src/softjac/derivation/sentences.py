"""The sentences that a reader sees, from one table by key: a translation is another file with the same keys.

A rule has a name and one sentence of why; all other sentences are texts. {name} in a sentence stands for an expression
or for words that the caller gives, or for one of the expressions in `names`. Tests: tests/test_derivation_sentences.py.
"""

import string
from collections.abc import Mapping
from typing import TypeAlias

from softjac.derivation.blocks import Parts, Text
from softjac.derivation.expressions import Expression
from softjac.derivation.names import STANDARD
from softjac.derivation.sentence_table import sentences
from softjac.errors import DerivationError

Filling: TypeAlias = str | Expression | Parts
"""What may stand in a sentence for a {name}."""


def rule_name(key: str, **given: Filling) -> Parts:
    """The short name of a rule."""
    return filled(sentences().rule(key).name, given, f"the name of the rule {key}")


def rule_why(key: str, **given: Filling) -> Parts:
    """The sentence of why a rule holds."""
    return filled(sentences().rule(key).why, given, f"the rule {key}")


def sentence(key: str, **given: Filling) -> Parts:
    """The sentence of a key, its {names} filled."""
    return filled(sentences().text(key), given, f"the text {key}")


def text(key: str, **given: Filling) -> Text:
    """A paragraph of one sentence of the table."""
    return Text(sentence(key, **given))


def filled(template: str, given: Mapping[str, Filling], what: str = "the sentence") -> Parts:
    """Words with expressions in between, next to each other where they stand so.

    Raises DerivationError for a {name} that nothing stands for, and for something given that no {name} asks for.
    """
    parts: list[str | Expression] = []
    unused = set(given)
    for words, name, _, _ in string.Formatter().parse(template):
        _append(parts, words)
        if name is None:
            continue
        if name in given:
            unused.discard(name)
            filling = given[name]
        elif name in STANDARD:
            filling = STANDARD[name]
        else:
            raise DerivationError(f"{what} asks for {{{name}}}, which is neither given nor one of the names.")
        for part in filling if isinstance(filling, tuple) else (filling,):
            _append(parts, part)
    if unused:
        raise DerivationError(f"{what} does not ask for {', '.join(sorted(unused))}: give only what it names.")
    return tuple(parts)


def _append(parts: list[str | Expression], part: str | Expression) -> None:
    """Words behind words become one."""
    if isinstance(part, str) and parts and isinstance(parts[-1], str):
        parts[-1] += part
    elif part != "":
        parts.append(part)
