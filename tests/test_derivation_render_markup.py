"""Markdown, LaTeX and notebooks: balanced mathematics, everything escaped, the same bytes for the same derivation."""

import json
import re
import subprocess
import sys

import pytest

from derivation_fixture import ALL, CODE, HOSTILE, LOG_CHAINS, SOURCE, TABLE, rule
from softjac.derivation.blocks import Code, Table, Text
from softjac.derivation.derivation import Derivation
from softjac.derivation.expressions import Symbol
from softjac.derivation.render import FORMATS, render
from softjac.errors import ArgumentError


def made(form, *blocks, **options):
    return render(Derivation((), blocks), form, rule=rule, **options)


def without_fences(markdown):
    """The text, and the content of the fenced blocks, by language."""
    fences = []
    fence = re.compile(r"^(`{3,})(\w+)\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
    rest = fence.sub(lambda found: fences.append((found[2], found[3])) or "", markdown)
    assert "```" not in rest
    return rest, fences


def assert_balanced(latex):
    bare = latex.replace(r"\\", "").replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        assert depth >= 0, latex
    assert depth == 0, latex
    assert bare.count(r"\left") == bare.count(r"\right")
    begun, ended = re.findall(r"\\begin\{(\w+)", bare), re.findall(r"\\end\{(\w+)", bare)
    assert sorted(begun) == sorted(ended)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_derivation_gives_the_same_bytes(form):
    if form == "ipynb":
        pytest.importorskip("nbformat", reason="install the extra [notebook]")
    assert render(ALL, form, rule=rule) == render(ALL, form, rule=rule)


def test_bytes_do_not_depend_on_the_hash_seed():
    pytest.importorskip("nbformat", reason="install the extra [notebook]")
    program = (
        f"import sys, hashlib; sys.path[:0] = {sys.path}\n"
        "from derivation_fixture import ALL, rule\n"
        "from softjac.derivation.render import FORMATS, render\n"
        "print(hashlib.sha256(''.join(render(ALL, form, rule=rule) for form in FORMATS).encode()).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


# Markdown


def test_mathematics_in_markdown_is_balanced():
    rest, fences = without_fences(render(ALL, "markdown", rule=rule))
    assert rest.count("$") % 2 == 0
    inline = re.findall(r"\$([^$]*)\$", rest)
    assert len(inline) > 10
    for latex in inline:
        assert_balanced(latex)
        assert "\n" not in latex
        assert latex == latex.strip()
    blocks = [content for language, content in fences if language == "math"]
    assert len(blocks) == 5  # chains that follow each other share one
    for block in blocks:
        assert_balanced(block)


def test_a_chain_in_markdown_is_aligned_with_its_rules():
    rest, fences = without_fences(made("markdown", *LOG_CHAINS))
    lines = fences[0][1].split("\n")
    assert lines[0] == r"\begin{aligned}"
    assert lines[1] == r"\log p_{0} &= z_{0} - \log S && \text{log of a quotient} \\"
    assert lines[5] == r"&\approx 0.0900 \times \left(-0.6652\right) && \text{with the numbers} \\"
    assert lines[6] == r"&\approx -0.0599"
    assert "- *log of a quotient*: The log of a quotient is a difference of logs." in rest
    assert r"- *definition of $p_{2}$*: $p_{2}$ is $\frac{e^{z_{2}}}{S}$, by its definition." in rest


def test_markdown_acts_on_nothing_that_was_given():
    markdown_it = pytest.importorskip("markdown_it", reason="install the extra [cli], rich brings markdown-it")
    rest, _ = without_fences(made("markdown", Text((HOSTILE,)), Text(("1. one",)), Text(("- two",)), Text(("# 3",))))
    html = markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(rest)
    assert set(re.findall(r"<(\w+)", html)) == {"p"}
    assert "&lt;script&gt;alert('x')&lt;/script&gt; &amp; &quot;quoted&quot; $5 | 50% _under_ *star* #1" in html
    assert "$" not in rest  # a bare one would open mathematics


def test_pipes_in_tables_do_not_open_columns():
    table = Table(("Pipes",), (("a|b",), ("c",)), (((HOSTILE,), (Symbol("p", (0,)),)),))
    lines = [line for line in made("markdown", table).split("\n") if line.startswith("|")]
    assert [line.count("|") for line in lines] == [3, 3, 3]
    assert made("markdown", TABLE).count("| --: | --: | :-- |") == 1


def test_fences_are_longer_than_any_in_the_code():
    rest, fences = without_fences(made("markdown", Code("s = '''\n```\n'''", "````")))
    assert rest.strip() == ""
    assert fences == [("python", "s = '''\n```\n'''"), ("text", "````")]


# LaTeX


def test_a_document_and_a_fragment_differ_by_what_is_around():
    document, fragment = render(ALL, "latex", rule=rule), render(ALL, "latex", rule=rule, fragment=True)
    body = fragment.split("\n", 1)[1]
    assert document.startswith(r"\documentclass")
    assert document.endswith(body + "\\end{document}\n")
    assert r"\documentclass" not in fragment
    assert r"\begin{document}" not in fragment


def test_only_packages_of_every_installation():
    document = render(ALL, "latex", rule=rule)
    assert set(re.findall(r"\\usepackage(?:\[[^]]*\])?\{(\w+)\}", document)) == {
        "amsmath",
        "geometry",
        "graphicx",
        "inputenc",
    }


def test_a_chain_in_latex_has_its_rules_as_tags():
    latex = made("latex", *LOG_CHAINS, fragment=True)
    assert r"\log p_{0} &= z_{0} - \log S \tag*{\small log of a quotient} \\" in latex
    assert r"&\approx -0.0599" + "\n" + r"\end{align*}" in latex
    assert r"\item \emph{definition of $p_{2}$}: $p_{2}$ is $\frac{e^{z_{2}}}{S}$, by its definition." in latex


def test_tex_acts_on_nothing_that_was_given():
    latex = made("latex", Text((HOSTILE,)), Code(r"\end{verbatim}\input{x} % $ #"), fragment=True)
    body = latex.split("\n\n", 1)[1]
    for special in "$#%&":
        assert not re.search(rf"(?<!\\){re.escape(special)}", body)
    assert r"\input" not in body
    assert r"\back" not in body
    assert r"\textbackslash{}back" in body


# Notebook


def notebook(*blocks, title=()):
    pytest.importorskip("nbformat", reason="install the extra [notebook]")
    return json.loads(render(Derivation(title, blocks), "ipynb", rule=rule))


def test_a_notebook_is_valid_and_its_cells_are_numbered():
    nbformat = pytest.importorskip("nbformat", reason="install the extra [notebook]")
    content = render(ALL, "ipynb", rule=rule)
    nbformat.validate(nbformat.reads(content, as_version=4))
    cells = json.loads(content)["cells"]
    assert [cell["id"] for cell in cells] == [f"cell-{k:03d}" for k in range(len(cells))]
    assert json.loads(content)["metadata"]["title"] == "The derivative of softmax"


def test_code_is_in_cells_of_its_own_and_runs():
    cells = notebook(Text(("before",)), CODE, Text(("after",)))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "markdown"]
    assert "".join(cells[1]["source"]) == SOURCE
    run = subprocess.run([sys.executable, "-c", SOURCE], capture_output=True, text=True, check=True)
    assert run.stdout == CODE.shows


def test_mathematics_in_a_notebook_stands_between_dollars():
    source = "".join(notebook(*LOG_CHAINS)["cells"][0]["source"])
    assert source.startswith("$$\n\\begin{aligned}\n")
    assert "```" not in source
    assert source.replace("$$", "").count("$") % 2 == 0


def test_without_nbformat_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(ArgumentError, match=r"nbformat: pip install 'softjac\[notebook\]'"):
        render(ALL, "ipynb", rule=rule)


def test_a_code_cell_shows_its_output_before_it_is_run():
    nbformat = pytest.importorskip("nbformat", reason="install the extra [notebook]")
    content = render(Derivation((), (CODE, Code("x = 1"), CODE)), "ipynb", rule=rule)
    nbformat.validate(nbformat.reads(content, as_version=4))
    first, second, third = json.loads(content)["cells"]
    assert [cell["execution_count"] for cell in (first, second, third)] == [1, 2, 3]
    assert second["outputs"] == []
    for cell in (first, third):
        (output,) = cell["outputs"]
        assert (output["output_type"], output["name"]) == ("stream", "stdout")
        assert "".join(output["text"]) == CODE.shows


def test_no_macro_that_github_refuses():
    for form in ("markdown", "ipynb"):
        assert "operatorname" not in render(ALL, form, rule=rule)
