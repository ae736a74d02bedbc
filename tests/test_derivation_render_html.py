"""The HTML as text: well-formed, nothing from elsewhere, everything escaped, titles and tables as they should be."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from derivation_fixture import ALL, CODE, HOSTILE, LOG_CHAINS, TABLE, p, rule
from softjac.derivation import sentence_table, sentences
from softjac.derivation.blocks import Code, Heading, Table, Text
from softjac.derivation.derivation import Derivation
from softjac.derivation.expressions import Symbol
from softjac.derivation.render import render


def page(*blocks, title=("Title",), **options):
    return render(Derivation(title, blocks), "html", rule=rule, **options)


def parsed(html):
    """The page as XML: all elements closed, all attributes quoted. HTML's own elements without an end are closed."""
    body = re.sub(r"<!doctype html>", "", html)
    body = re.sub(r"<(meta [^>]*)>", r"<\1/>", body)
    body = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", body, flags=re.DOTALL)
    body = re.sub(r" hidden([ >])", r' hidden=""\1', body)
    return ElementTree.fromstring(body)


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.stack = []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  # the parser passes them
        if tag != "meta":
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag


def test_the_page_is_well_formed():
    html = render(ALL, "html", rule=rule)
    balance = Balance()
    balance.feed(html)
    assert balance.stack == []
    root = parsed(html)
    assert root.tag == "html"
    assert root.attrib["lang"] == "en"
    assert [element.tag for element in root.find("body")] == ["a", "header", "nav", "main", "footer", "script"]
    assert root.findtext("head/title") == "The derivative of softmax"
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))


def test_nothing_comes_from_elsewhere_and_the_policy_says_so():
    html = render(ALL, "html", rule=rule)
    root = parsed(html)
    for element in root.iter():
        assert not {"src", "srcset", "style", "onclick", "onload", "action"} & set(element.attrib)
        assert element.attrib.get("href", "#").startswith("#")
        assert element.tag not in {"link", "img", "iframe", "object", "embed"}
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[1] for tag in ("style", "script"))
    assert not re.search(r"url\(|@import|https?:", style)
    assert not re.search(r"fetch\(|XMLHttpRequest|https?:|import\(|innerHTML|eval\(", script)
    for content, directive in ((style, "style-src"), (script, "script-src")):
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_everything_that_was_given_is_escaped():
    blocks = (
        Heading((HOSTILE,), 2, '"><script>'),
        Text((HOSTILE, Symbol("<b>", ("<i>",)))),
        Table((HOSTILE,), ((HOSTILE,), ("b",)), (((HOSTILE,), ("1",)),)),
        Code(HOSTILE, HOSTILE),
    )
    html = page(*blocks, title=(HOSTILE,))
    root = parsed(html)
    assert [element.tag for element in root.iter("script")] == ["script"]
    assert not list(root.iter("b")) + list(root.iter("i"))
    assert "\x1b" not in html
    assert root.findtext("head/title").startswith("<script>alert('x')</script>")


def test_levels_of_titles_start_at_one_and_are_not_skipped():
    root = parsed(page(Heading(("Deep",), 4, "deep"), Text(("x",)), Heading(("Part",), 2, "part"), title=("Title",)))
    assert [element.tag for element in root.find("body/main") if element.tag.startswith("h")] == ["h1", "h2", "h2"]
    alone = parsed(page(Heading(("Part",), 2, "part"), Heading(("Below",), 3, "below"), title=("Part",)))
    assert [element.tag for element in alone.find("body/main")] == ["h1", "h2"]


def test_a_page_without_titles_has_one_for_readers_who_look_for_it():
    root = parsed(page(Text(("x",)), title=()))
    assert root.findtext("body/main/h1") == root.findtext("head/title") == "Derivation"


def test_anchors_are_kept_and_made_different():
    root = parsed(page(*(Heading(("A",), 2, name) for name in ("matrix", "matrix", "content"))))
    assert [element.attrib["id"] for element in root.find("body/main")][1:] == ["matrix", "matrix-2", "content-2"]


def test_tables_are_real():
    table = parsed(page(TABLE)).find(".//table")
    assert "".join(table.find("caption").itertext()) == "Exponentials and probabilities at z = (1, 2, 3)"
    assert [cell.attrib["scope"] for cell in table.findall("thead/tr/th")] == ["col"] * 4
    assert [cell.attrib["scope"] for cell in table.findall("tbody/tr/th")] == ["row"] * 3
    empty = parsed(page(Table(("c",), ((), ("b",)), ((("x",), ("1",)),)))).find(".//table")
    assert [cell.tag for cell in empty.find("thead/tr")] == ["td", "th"]


def test_equal_terms_have_equal_names_and_numbers_that_of_their_term():
    root = parsed(page(*LOG_CHAINS))
    named = [element for element in root.iter() if element.attrib.get("data-term") == "p[2]"]
    assert {element.find("msub") is not None for element in named} == {True}
    numbers = [element for element in root.iter() if element.attrib.get("data-term") == "-p[0] * p[2]"]
    assert ["".join(element.itertext()) for element in numbers] == ["−0.0599"]


def test_one_stop_of_the_tabulator_for_chains_that_follow_each_other():
    root = parsed(page(*LOG_CHAINS))
    assert [element.attrib["class"] for element in root.find("body/main").iter() if "tabindex" in element.attrib] == [
        "softjac",
        "chain",
    ]
    group = root.find(".//div[@class='chain']")
    assert group.attrib["aria-label"] == "log p[0], ∂ log p[0]/∂z[2], ∂p[0]/∂z[2]"


def test_a_fragment_is_one_element_without_a_script():
    fragment = page(*LOG_CHAINS, CODE, Text((p(0),)), fragment=True)
    root = ElementTree.fromstring(re.sub(r"<style>.*?</style>", "", fragment, flags=re.DOTALL))
    assert root.attrib == {"class": "softjac"}
    assert not list(root.iter("script"))
    style = re.search(r"<style>(.*?)</style>", fragment, re.DOTALL)[1]
    selectors = re.sub(r"\{[^{}]*\}", ";", re.sub(r"@media[^{]*\{(.*)\}", r"\1", style, flags=re.DOTALL)).split(";")
    parts = [part.strip() for selector in selectors for part in re.sub(r"\([^)]*\)", "", selector).split(",")]
    assert {part.split()[0] for part in parts if part} == {".softjac"}


@pytest.mark.parametrize("fragment", [False, True])
def test_the_same_renderer_twice_gives_the_same_page(fragment):
    from softjac.derivation.render import renderer

    one = renderer("html", fragment=fragment, rule=rule)
    assert one.render(ALL) == one.render(ALL)


def test_the_words_of_the_page_come_from_the_table(monkeypatch):
    table = sentences.sentences()
    other = {
        key: f"{words} in another language" if key.startswith("page_") else words for key, words in table.texts.items()
    }
    monkeypatch.setattr(sentences, "sentences", lambda: sentence_table.Sentences(table.rules, other))
    html = render(ALL, "html", rule=rule)
    shown = re.sub(r"<script>.*?</script>|<style>.*?</style>", "", html, flags=re.DOTALL)
    for word in ("Previous", "Next", "Play", "Pause", "Close", "Contents", "Presentation", "Step {step} of {steps}"):
        assert f"{word} in another language" in shown
        assert not re.search(rf'[>"]{re.escape(word)}[<"]', shown)
