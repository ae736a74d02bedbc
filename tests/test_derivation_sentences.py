"""The table of sentences: what it has to be, how its {names} are filled, and that every key is used."""

import ast
import re
from importlib import resources
from pathlib import Path

import pytest

from derivation_samples import S, p
from softjac.derivation import sentence_table, sentences
from softjac.derivation.blocks import Text
from softjac.derivation.expressions import Number
from softjac.derivation.names import STANDARD
from softjac.errors import DerivationError

GOOD = """
[rules.quotient_rule]
name = "quotient rule"
why = "Derivative of the top times the bottom, minus ..., over {S} squared."
[texts]
title = "Softmax"
"""


def test_a_table_is_rules_and_texts():
    table = sentence_table.parsed(GOOD)
    assert table.rule("quotient_rule").name == "quotient rule"
    assert table.text("title") == "Softmax"


@pytest.mark.parametrize(
    ("toml", "phrase"),
    [
        ("[texts]", "has the parts ['texts']"),
        ("[rules]\n[texts]\n[more]", "has the parts ['more', 'rules', 'texts']"),
        ("[rules.a]\nname = 'x'\n[texts]", "the rule a has"),
        ("[rules.a]\nname = 'x'\nwhy = ''\n[texts]", "the rule a has"),
        ("[rules]\n[texts]\nb = 3", "the text b is 3"),
        ("[rules]\n[texts]\nb = ''", "the text b is ''"),
        ("rules", "is not TOML"),
    ],
)
def test_another_table_is_refused(toml, phrase):
    with pytest.raises(DerivationError) as caught:
        sentence_table.parsed(toml)
    assert phrase in str(caught.value)


def test_a_key_that_is_not_there_is_refused():
    table = sentence_table.parsed(GOOD)
    with pytest.raises(DerivationError, match="there is no rule 'product_rule'"):
        table.rule("product_rule")
    with pytest.raises(DerivationError, match="there is no text 'end'"):
        table.text("end")


def test_names_are_filled():
    assert sentences.filled("no names", {}) == ("no names",)
    assert sentences.filled("{S} squared, {x}.", {"x": "words"}) == (S, " squared, words.")
    assert sentences.filled("at {a}{b}", {"a": p(0), "b": ("and ", p(1))}) == ("at ", p(0), "and ", p(1))
    assert sentences.filled("{p_i}", {"p_i": p(2)}) == (p(2),)
    assert sentences.filled("1{{i=j}} is {x}", {"x": Number(1)}) == ("1{i=j} is ", Number(1))
    with pytest.raises(DerivationError, match=r"asks for \{nothing\}"):
        sentences.filled("{nothing}", {})
    with pytest.raises(DerivationError, match="does not ask for more"):
        sentences.filled("{S}", {"more": "x"})


def test_standard_names_are_expressions():
    assert STANDARD["p_i"] == p("i")
    assert STANDARD["S"] == S


# -------------------------------------------------------------------------------------------------- the table in use


def keys_in_the_source():
    """What may be a key: the strings that stand in the sources, and patterns of those that are put together."""
    root = Path(str(resources.files("softjac.derivation")))
    found, patterns = set(), set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.JoinedStr):
                known = [part.value for part in node.values if isinstance(part, ast.Constant)]
                if any(re.fullmatch("[a-z0-9]*_[a-z0-9_]+|[a-z0-9_]+_[a-z0-9]*", x) for x in known):
                    pattern = (re.escape(x.value) if isinstance(x, ast.Constant) else ".+" for x in node.values)
                    patterns.add("".join(pattern))
    return found, patterns


def test_every_sentence_is_used():
    table = sentences.sentences()
    found, patterns = keys_in_the_source()
    unused = {*table.rules, *table.texts} - found
    assert not {key for key in unused if not any(re.fullmatch(pattern, key) for pattern in patterns)}


def test_every_rule_can_be_written():
    for key in sentences.sentences().rules:
        assert sentences.rule_name(key)
        assert sentences.rule_why(key)


def test_text_is_a_paragraph():
    assert sentences.text("title") == Text(sentences.sentence("title"))
