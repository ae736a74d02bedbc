"""The whole text in every format, for logits of several kinds: what holds for the fixture holds for readers, too."""

import json
import re
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from itertools import pairwise

import numpy as np
import pytest

from softjac import derivation
from softjac.derivation.blocks import Code
from softjac.derivation.render import render
from test_derivation_render_html import Balance, parsed
from test_derivation_render_markup import assert_balanced, without_fences
from test_derivation_render_tex import WRAPPED, compiled

CASES = {
    "123": {"logits": (1, 2, 3), "label": 2, "nudge": (0.1, 0, 0)},
    "symbols": {"logits": None},
    "one": {"logits": (4.5,)},
    "saturated": {"logits": (0, 20, 800)},
    "many": {"logits": tuple((7 * k) % 12 / 4 - 1e-3 * k for k in range(12)), "label": 5},
}


@cache
def whole(case):
    options = dict(CASES[case])
    return derivation.explain(options.pop("logits"), parts=derivation.parts(), **options)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("plain", [False, True])
def test_text_has_80_columns(case, plain):
    rendered = render(whole(case), "text", ascii=plain)
    assert max(map(len, rendered.split("\n"))) <= 80
    assert rendered.isascii() or not plain
    assert not re.search(r"<U\+|[ \t]\n", rendered)


@pytest.mark.parametrize("case", CASES)
def test_markdown_is_balanced(case):
    rest, fences = without_fences(render(whole(case), "markdown"))
    assert rest.count("$") % 2 == 0
    for latex in [*re.findall(r"\$([^$]*)\$", rest), *(content for language, content in fences if language == "math")]:
        assert_balanced(latex)


@pytest.mark.parametrize("case", CASES)
def test_mathematics_in_markdown_stands_apart_from_letters(case):
    """GitHub reads `$x$` as mathematics only where no letter or digit touches the dollars."""
    rest, _ = without_fences(render(whole(case), "markdown"))
    for found in re.finditer(r"(.?)\$[^$]*\$(.?)", rest):
        assert not re.match(r"\w", found[1]), found[0]
        assert not re.match(r"\w", found[2]), found[0]


@pytest.mark.parametrize("case", CASES)
def test_html_is_well_formed(case):
    html = render(whole(case), "html")
    balance = Balance()
    balance.feed(html)
    assert balance.stack == []
    headings = [int(element.tag[1]) for element in parsed(html).iter() if re.fullmatch("h[1-6]", element.tag)]
    assert headings[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))


@pytest.mark.parametrize("case", CASES)
def test_notebooks_are_valid(case):
    nbformat = pytest.importorskip("nbformat", reason="install the extra [notebook]")
    nbformat.validate(nbformat.reads(render(whole(case), "ipynb"), as_version=4))


@pytest.mark.tex
@pytest.mark.parametrize("case", CASES)
def test_latex_compiles_and_fits_the_page(case, tmp_path):
    log = compiled(tmp_path, render(whole(case), "latex"))
    assert "LaTeX Warning" not in log
    assert "Missing character" not in log
    assert [x for x in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log) if float(x) > 2] == []


@pytest.mark.tex
def test_a_fragment_compiles_in_a_document_of_somebody_else(tmp_path):
    compiled(tmp_path, WRAPPED % render(whole("123"), "latex", fragment=True))


@pytest.mark.parametrize("case", ["123", "many"])
@pytest.mark.parametrize("part", [None, *derivation.parts()])
def test_the_cells_of_a_notebook_run_in_order_and_show_what_the_text_shows(case, part):
    pytest.importorskip("nbformat", reason="install the extra [notebook]")
    options = dict(CASES[case])
    made = whole(case) if part is None else derivation.explain(options.pop("logits"), parts=part, **options)
    cells = [cell for cell in json.loads(render(made, "ipynb"))["cells"] if cell["cell_type"] == "code"]
    blocks = [block for block in made.blocks if isinstance(block, Code)]
    assert len(cells) == len(blocks) > 0
    names = {}
    with np.printoptions():  # the first cell sets them
        for cell, block in zip(cells, blocks, strict=True):
            with redirect_stdout(StringIO()) as shown:
                exec("".join(cell["source"]), names)  # the code is the text's own
            assert shown.getvalue().rstrip() == block.shows.rstrip(), block.source
