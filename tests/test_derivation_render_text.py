"""Text for a terminal: 80 columns whatever comes, chains aligned, ASCII on request, nothing that steers a terminal."""

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivation_fixture import (
    ALL,
    CODE,
    HOSTILE,
    LOG_CHAINS,
    LONG,
    MATRICES,
    QUOTIENT,
    SOURCE,
    TABLE,
    WIDE,
    at,
    p,
    rule,
    z,
)
from softjac.derivation.blocks import Code, Heading, Table, Text
from softjac.derivation.derivation import Derivation
from softjac.derivation.expressions import Add, Exp, Sum
from softjac.derivation.render import render, renderer
from softjac.derivation.render._lines import fold
from softjac.errors import ArgumentError


def text(*blocks, title=(), **options):
    return render(Derivation(title, blocks), "text", rule=rule, **options)


CHAINS = """\
  log p[0]          = z[0] − log S                log of a quotient
                      The log of a quotient is a difference of logs.
  ∂ log p[0]/∂z[2]  = 0 − e^z[2]/S                z[0] does not contain z[2]
                    = −p[2]                       definition of p[2]
                      p[2] is e^z[2] / S, by its definition.
  ∂p[0]/∂z[2]       = p[0] × (−p[2])              d log p = dp/p: multiply by p
                    ≈ 0.0900 × −0.6652 ≈ −0.0599  with the numbers
"""


def test_chains_are_aligned_at_the_relation_and_the_rule():
    assert text(*LOG_CHAINS) == CHAINS


def test_ascii_has_the_same_layout():
    ascii_text = text(*LOG_CHAINS, ascii=True)
    assert ascii_text.isascii()
    assert "                    ~ 0.0900 * -0.6652 ~ -0.0599  with the numbers\n" in ascii_text
    assert "  d log p[0]/dz[2]  = 0 - e^z[2]/S                z[0] does not contain z[2]\n" in ascii_text


def test_goals_of_unlike_lengths_are_not_aligned():
    lines = text(WIDE, LONG).split("\n")
    assert any(line.startswith("  J  ≈") for line in lines)
    assert any(line.startswith("  ∂(log(Σ_l e^z[l]))/∂z[j]  = 1 − ") for line in lines)


def test_a_matrix_stands_beside_its_relation():
    lines = text(MATRICES).split("\n")
    assert "  J  = diag(p) − p pᵀ      entry by entry" in lines
    assert "     = ⎢      −p[1]×p[0]  p[1]×(1 − p[1])  ⋯         −p[1]×p[n-1] ⎥" in lines


def test_a_wide_matrix_comes_in_parts_with_all_its_columns():
    lines = text(WIDE, width=60).split("\n")
    entries = re.findall(r"−?0\.\d{4}|−?\d\.\d{3}e−\d", "\n".join(lines))
    assert len(entries) == 144
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("width", [80, 60, 40])
@pytest.mark.parametrize("plain", [False, True])
def test_no_line_is_longer_than_the_width(width, plain):
    rendered = render(ALL, "text", rule=rule, width=width, ascii=plain)
    assert max(map(len, rendered.split("\n"))) <= width
    assert rendered.isascii() == plain


def test_lines_end_without_spaces_and_the_text_with_one_newline():
    rendered = render(ALL, "text", rule=rule)
    assert not re.search(r"[ \t]\n", rendered)
    assert rendered.endswith("\n")
    assert not rendered.endswith("\n\n")


@given(st.lists(st.text("ab +-*/()[]^", min_size=1, max_size=60), min_size=1, max_size=4), st.integers(12, 80))
def test_folding_keeps_every_character_but_spaces(lines, width):
    printed = "\n".join(line.ljust(max(map(len, lines))) for line in lines)
    folded = fold(printed, width)
    assert max(map(len, folded)) <= width
    assert sorted("".join(folded).replace(" ", "")) == sorted(printed.replace(" ", "").replace("\n", ""))


def test_a_long_sum_in_a_sentence_breaks_at_spaces():
    long = Add(tuple(p(i) for i in range(40)))
    lines = text(Text(("The sum is ", long, "."))).strip().split("\n")
    assert len(lines) == 4
    joined = " ".join(" ".join(lines).split())
    assert joined == "The sum is " + " + ".join(f"p[{i}]" for i in range(40)) + "."


def test_short_expressions_stay_in_one_line():
    rendered = text(Text(("word " * 14, p(0) * (1 - p(0)), " ends.")))
    assert "\np[0] × (1 − p[0]) ends." in rendered


def test_tables_are_aligned_and_wrap_prose():
    rendered = text(TABLE)
    assert "      2  20.0855  0.6652  the largest of the three, and more than the two others\n" in rendered
    assert "                          together, which is why the sentence is long\n" in rendered
    assert rendered.startswith("Exponentials and probabilities at z = (1, 2, 3)\n  class   e^z[i]    p[i]  in words\n")


def test_a_table_of_many_columns_comes_in_parts_that_repeat_the_first():
    header = (("class",), *(((f"column {k}"),) for k in range(20)))
    wide = Table(("Wide",), header, ((("0",), *((at(p(0)),) for _ in range(20))),))
    lines = text(wide).split("\n")
    assert sum("class" in line for line in lines) == sum("0.0900" in line for line in lines) > 1
    assert sum(line.count("0.0900") for line in lines) == 20
    assert max(map(len, lines)) <= 80


def test_code_has_prompts_and_what_it_shows():
    assert text(CODE) == (
        "  >>> import numpy as np\n"
        "  >>> p = np.array([[0.1], [0.9]])\n"
        "  >>> for row in p * (np.eye(2) - p.T):\n"
        "  ...     print(row)\n"
        "  [ 0.09 -0.09]\n"
        "  [-0.09  0.09]\n"
    )
    assert text(Code("x = (1,\n\n     2)\n\n# one\ny = 1")) == (
        "  >>> x = (1,\n  ...\n  ...      2)\n\n  >>> # one\n  >>> y = 1\n"
    )


def test_headings_by_level():
    rendered = text(Heading(("Two",), 2, "two"), Heading(("Three",), 3, "three"), Text(("Below.",)), title=("One",))
    assert rendered == "One\n===\n\nTwo\n---\n\nThree\n\nBelow.\n"
    assert text(Heading(("Three",), 3, "three"), *LOG_CHAINS) == "Three\n" + CHAINS


def test_the_title_is_not_printed_twice():
    assert text(Heading(("Two",), 2, "two"), title=("Two",)) == "Two\n---\n"


@pytest.mark.parametrize("form", ["text"])
def test_nothing_steers_the_terminal(form):
    rendered = render(ALL, form, rule=rule)
    assert "\x1b" not in rendered
    assert "<U+001B>[31m" in " ".join(rendered.split())
    assert HOSTILE.split("\x1b", maxsplit=1)[0].split()[0] in rendered


def test_the_same_derivation_gives_the_same_text():
    assert render(ALL, "text", rule=rule) == render(ALL, "text", rule=rule)


def test_chains_by_themselves_leave_a_rule_that_has_no_room_for_the_next_line():
    lines = text(QUOTIENT, width=44).split("\n")
    assert lines[0] == "  ∂p[0]/∂z[2]  = (0×S − e^z[0]×e^z[2]) / S^2"
    assert lines[1].strip() == "quotient rule"


def test_sum_of_one_term_needs_no_break():
    assert text(Text((Sum("l", Exp(z("l"))), " is S."))) == "Σ_l e^z[l] is S.\n"


def test_an_unknown_format_is_refused_with_those_there_are():
    with pytest.raises(ArgumentError, match="format is 'pdf'; expected one of text, markdown, latex, html, ipynb"):
        renderer("pdf")


def test_the_source_of_code_is_kept():
    assert [line[6:] for line in text(CODE).split("\n")[:4]] == SOURCE.split("\n")


LONG_CODE = Code(
    "z = np.array([" + ", ".join(str(float(k)) for k in range(50)) + "])\n"
    'label, total = "a string, with commas, that is not to be broken whatever its length may be in the end, so", sum(z)'
)


def source_of(rendered):
    """What somebody pastes: the lines without margin and prompt."""
    return "\n".join(line[6:] for line in rendered.split("\n") if line[2:5] in {">>>", "..."})


def test_long_code_is_broken_where_python_allows_it():
    first, _ = LONG_CODE.source.split("\n")
    lines = text(Code(first)).split("\n")
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("  >>> ") for line in lines) == 1
    assert ast.dump(ast.parse(source_of(text(Code(first))))) == ast.dump(ast.parse(first))


@pytest.mark.parametrize("width", [80, 40])
def test_code_that_is_pasted_is_the_code(width):
    assert ast.dump(ast.parse(source_of(text(LONG_CODE, width=width)))) == ast.dump(ast.parse(LONG_CODE.source))
    assert ast.dump(ast.parse(source_of(text(CODE, width=width)))) == ast.dump(ast.parse(SOURCE))


def test_what_code_shows_is_broken_between_numbers():
    shows = "[" + " ".join(f"{k}.5e-07" for k in range(10, 40)) + "]"
    lines = text(Code("print(x)", shows)).rstrip().split("\n")
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines[1:]) == shows


@pytest.mark.parametrize("width", [39, 5, 0, -3])
def test_a_width_with_no_room_is_refused(width):
    with pytest.raises(ArgumentError, match=f"width is {width}: .* at least 40"):
        text(CODE, width=width)


@pytest.mark.parametrize("width", ["80", None, 80.0, True])
def test_a_width_is_a_whole_number(width):
    with pytest.raises(ArgumentError, match=r"width is .*: pass a whole number of columns, at least 40"):
        text(CODE, width=width)


def test_a_reason_is_given_once():
    chain = LOG_CHAINS[0]
    for form in ("text", "markdown", "latex", "ipynb"):
        rendered = render(Derivation((), (chain, Text(("again",)), chain)), form, rule=rule)
        assert rendered.count("The log of a quotient is a difference of logs.") == 1
        assert rendered.count("log of a quotient") >= 2
    html = render(Derivation((), (chain, Text(("again",)), chain)), "html", rule=rule)
    assert html.count("The log of a quotient is a difference of logs.") == 2
