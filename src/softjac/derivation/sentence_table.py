"""The table that the sentences stand in: rules with their names and reasons, and texts, by key.

Tests: tests/test_derivation_sentences.py.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from softjac.errors import DerivationError

LANGUAGE = "en"


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
