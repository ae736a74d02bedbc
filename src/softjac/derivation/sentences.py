"""The sentences that a reader sees, from one table by key: a translation is another file with the same keys.

A rule has a name and one sentence of why; all other sentences are texts. {name} in a sentence stands for an expression
or for words that the caller gives, or for one of the expressions in `names`. Tests: tests/test_derivation_sentences.py.
"""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypeAlias

from softjac.derivation.blocks import Parts, Text
from softjac.derivation.expressions import Expression
from softjac.derivation.names import STANDARD
from softjac.errors import DerivationError

LANGUAGE = "en"
Filling: TypeAlias = str | Expression | Parts
"""What may stand in a sentence for a {name}."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The short name of a rule and one sentence of why it holds, with their {names}."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Sentences:
    """A table of sentences in one language."""

    rules: Mapping[str, Rule]
    texts: Mapping[str, str]

    def rule(self, key: str) -> Rule:
        """The rule of a key. Raises DerivationError for one that is not in the table."""
        if key not in self.rules:
            raise DerivationError(f"there is no rule {key!r}: add [rules.{key}] to the table of sentences.")
        return self.rules[key]

    def text(self, key: str) -> str:
        """The sentence of a key. Raises DerivationError for one that is not in the table."""
        if key not in self.texts:
            raise DerivationError(f"there is no text {key!r}: add it under [texts] to the table of sentences.")
        return self.texts[key]


def parsed(toml: str) -> Sentences:
    """A table from its text. Raises DerivationError where it is not made of rules with name and why, and texts."""
    try:
        table = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise DerivationError(f"the table of sentences is not TOML: {error}.") from error
    if set(table) != {"rules", "texts"}:
        raise DerivationError(f"the table of sentences has the parts {sorted(table)}: it has to have rules and texts.")
    for key, rule in table["rules"].items():
        if set(rule) != {"name", "why"} or not all(isinstance(x, str) and x for x in rule.values()):
            raise DerivationError(f"the rule {key} has {rule}: it has to have a name and a why, both sentences.")
    for key, text in table["texts"].items():
        if not isinstance(text, str) or not text:
            raise DerivationError(f"the text {key} is {text!r}: it has to be a sentence.")
    return Sentences({key: Rule(**rule) for key, rule in table["rules"].items()}, table["texts"])


@lru_cache
def sentences(language: str = LANGUAGE) -> Sentences:
    """The table of a language, read once."""
    return parsed(resources.files("softjac.derivation").joinpath("sentences", f"{language}.toml").read_text("utf-8"))


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
