"""`softjac explain`: what it shows, what selects it, in which formats, and what is said of mistakes."""

import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import softjac
from cli_helpers import environment, message, output, run_program
from softjac import derivation
from softjac._cli import explain
from softjac._cli.errors import CommandError
from softjac._cli.progress import Progress
from softjac._cli.screen import Screen
from softjac._cli.vector import read_vector_if_any
from softjac.derivation.views import view

SUCH = "logits are numbers such as 1, -0.5, 2e3, inf or nan"
FIFTY = [f"{k * 37 % 50 / 10 - 2:g}" for k in range(50)]
STARTS = {"text": "softmax of", "markdown": "# ", "latex": "\\documentclass", "html": "<!doctype", "ipynb": "{"}
INFINITE = (
    "logits holds inf at position 1: a derivation needs finite logits. As z[1] grows without limit, p[1] nears 1, all"
    " others 0, and every entry of the Jacobian 0: softjac.softmax and softjac.softmax_jacobian give that limit."
)
ROWS = "the list has 2 vectors, and explain takes one: give its numbers, or a file with one row"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def numbers(text):
    return [float(word) for word in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)]


# ------------------------------------------------------------------------------------------------------ one screen


def test_one_screen_has_every_number_and_the_commands_for_more():
    shown = output("explain", "1", "2", "3")
    p, J = softjac.softmax([1, 2, 3]), softjac.softmax_jacobian([1, 2, 3])
    assert "~ 30.1929\n" in shown
    for i in range(3):
        assert re.search(rf"p\[{i}\] .*= e\^{i + 1} / S ~ .* ~ {p[i]:.4f}\n", shown)
        assert f"J[{i},{i}]  = p[{i}] * (1 - p[{i}]) ~ {p[i]:.4f} * {1 - p[i]:.4f} ~ {J[i, i]:.4f}\n" in shown
        for j in range(i + 1, 3):
            assert f"J[{i},{j}]  = -p[{i}] * p[{j}] ~ -{p[i]:.4f} * {p[j]:.4f} ~ {J[i, j]:.4f}\n" in shown
    matrix = shown.partition("The Jacobian\n")[2].partition("\n\n")[0].splitlines()
    assert [numbers(row) for row in matrix] == [[float(f"{x:.4f}") for x in row] for row in J]
    for option in ("--all", "--by log", "--entry 0,2", "--label 2", "--nudge 0.1,0,0"):
        assert f"softjac explain 1 2 3 {option} " in shown


@pytest.mark.parametrize("words", [["1", "2", "3"], ["7"], ["-1", "2"], ["0", "20", "0", "-3"], FIFTY, []])
def test_it_is_within_80_columns_and_50_lines(words):
    lines = output("explain", *words).splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 80


def test_many_logits_are_shortened_and_what_is_left_out_is_said():
    shown = output("explain", *FIFTY)
    shares = softjac.softmax([float(x) for x in FIFTY])
    named = [int(k) for k in re.findall(r"p\[(\d+)\] +=", shown)]
    assert sorted(named) == sorted(np.argsort(shares)[-len(named) :].tolist())
    rest = 1 - shares[named].sum()
    assert f"Left out: {50 - len(named)} of 50 classes, which together hold {rest:.4f} of the probability." in shown


@pytest.mark.parametrize("option", ["--all", "--by log", "--entry 0,2", "--label 2", "--nudge 0.1,0,0"])
def test_the_commands_it_offers_run(option):
    assert len(output("explain", "1", "2", "3", *option.split())) > 500


def test_without_numbers_it_is_in_symbols():
    shown = output("explain")
    assert "p[i] * (1 - p[i])" in shown
    assert not numbers(shown.partition("More:")[0])


# ------------------------------------------------------------------------------------------------- what is selected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--entry", "0,2"], {"entry": (0, 2)}),
        (["--entry=1,1", "--by", "log"], {"entry": (1, 1), "by": "log"}),
        (["--entry", "(0, 2)"], {"entry": (0, 2)}),
        (["--by", "quotient"], {"by": "quotient"}),
        (["--by", "both"], {"by": "both"}),
        (["--label", "2"], {"label": 2}),
        (["--nudge", "0.1,0,0"], {"nudge": (0.1, 0.0, 0.0)}),
        (["--nudge", "-0.1 0 2e-3"], {"nudge": (-0.1, 0.0, 2e-3)}),
        (["--nudge", "[0.1, 0, 0]", "--label", "0"], {"nudge": (0.1, 0.0, 0.0), "label": 0}),
    ],
    ids=" ".join,
)
def test_an_option_selects_a_view(options, expected):
    shown = output("explain", "1", "2", "3", *options)
    assert shown == view([1.0, 2.0, 3.0], **expected).to("text", ascii=True)
    assert shown != output("explain", "1", "2", "3")


@pytest.mark.parametrize("part", explain.PARTS)
def test_a_part_can_be_asked_for_by_itself(part):
    shown = output("explain", "1", "2", "3", "--part", part)
    asked = derivation.explain([1.0, 2.0, 3.0], parts=part)
    assert asked.parts == (part,)
    assert shown == asked.to("text", ascii=True)


def test_the_parts_and_ways_in_the_help_are_those_there_are():
    assert derivation.parts() == explain.PARTS
    assert set(derivation._arguments.WAYS) == set(explain.WAYS)


def test_several_parts_and_options_go_together():
    words = ["explain", "1", "2", "3", "--part", "nudge,matrix", "--nudge", "0.1,0,0"]
    expected = derivation.explain([1.0, 2.0, 3.0], parts=("matrix", "nudge"), nudge=(0.1, 0, 0))
    assert expected.parts == ("matrix", "nudge")
    assert output(*words) == expected.to("text", ascii=True)


@pytest.mark.parametrize("by", explain.WAYS)
def test_all_is_the_continuous_text(by):
    shown = output("explain", "1", "2", "--all", "--label", "1", "--by", by)
    assert shown == derivation.explain([1.0, 2.0], label=1, by=by).to("text", ascii=True)
    assert max(map(len, shown.splitlines())) <= 80


def test_symbols_can_be_selected_too():
    assert output("explain", "--all") == derivation.explain().to("text", ascii=True)
    assert output("explain", "--entry", "0,9") == view(entry=(0, 9)).to("text", ascii=True)


# ---------------------------------------------------------------------------------------------------------- the logits


@pytest.mark.parametrize("words", [["-1", "2"], ["--", "-1", "2"], ["[-1, 2]"], ["-1 2"], ["logits.csv"], ["z.npz"]])
def test_logits_come_as_for_the_other_commands(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logits.csv").write_text("-1,2\n")
    np.savez(tmp_path / "z.npz", a=np.array([-1.0, 2.0]), b=np.array([0.0]))
    options = ["--array", "a"] if words == ["z.npz"] else []
    assert output("explain", *options, *words) == view([-1.0, 2.0]).to("text", ascii=True)


def test_a_column_is_one_vector_with_axis_0():
    assert output("explain", "[[1], [2]]", "--axis", "0") == output("explain", "1", "2")


def test_logits_can_be_piped_and_nothing_piped_means_symbols():
    assert output("explain", stdin="1, 2, 3\n") == output("explain", "1", "2", "3")
    assert output("explain", "-", stdin="[1, 2, 3]") == output("explain", "1", "2", "3")
    assert output("explain", "--entry", "0,1", stdin="1 2") == output("explain", "1", "2", "--entry", "0,1")
    assert output("explain", stdin=" \n") == output("explain")


# ----------------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize(("form", "suffix"), explain.SUFFIX_OF.items())
def test_a_format_goes_by_its_name_or_by_the_suffix(form, suffix, tmp_path):
    pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'softjac[notebook]'")
    by_name = output("explain", "1", "2", "--format", form)
    path = tmp_path / f"page{suffix}"
    assert output("explain", "1", "2", "-o", str(path)) == ""
    assert path.read_text(encoding="utf-8") == by_name
    start = {
        "text": "softmax of",
        "markdown": "# ",
        "latex": "\\documentclass",
        "html": "<!doctype html>",
        "ipynb": "{",
    }
    assert by_name.lower().startswith(start[form])
    assert by_name.endswith("\n")
    whole = derivation.explain([1.0, 2.0])
    options = {"ascii": True} if form == "text" else {}
    assert output("explain", "1", "2", "--all", "--format", form) == whole.to(form, **options)


def test_a_notebook_has_cells():
    pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'softjac[notebook]'")
    notebook = json.loads(output("explain", "1", "2", "--part", "softmax", "--format", "ipynb"))
    assert {cell["cell_type"] for cell in notebook["cells"]} == {"markdown", "code"}


def test_what_has_symbols_beyond_ascii_is_utf_8_whatever_the_encoding_of_standard_output():
    html = output("explain", "1", "2", "--format", "html")
    assert not html.isascii()
    words = [sys.executable, "-m", "softjac", "explain", "1", "2", "--format", "html"]
    env = environment(PYTHONIOENCODING="ascii")
    ran = subprocess.run(words, capture_output=True, env=env, stdin=subprocess.DEVNULL, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode("utf-8") == html


def test_a_file_gets_plain_ascii_as_a_pipe_does(tmp_path):
    output("explain", "1", "2", "-o", str(tmp_path / "x.txt"))
    text = (tmp_path / "x.txt").read_text(encoding="utf-8")
    assert text.isascii()
    assert text == output("explain", "1", "2")


# ------------------------------------------------------------------------------------------------------- the terminal


def test_a_terminal_gets_symbols_and_bold_titles():
    ran = run_program(["explain", "1", "2", "3"])
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b[1mThe Jacobian\x1b[0m\n" in ran.out
    assert "\ue000" not in ran.out
    assert "≈ 0.0900" in ran.out
    assert COLOUR.sub("", ran.out) == view([1.0, 2.0, 3.0]).to("text")


@pytest.mark.parametrize(
    "changes",
    [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": None}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"}],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()),
)
def test_a_plain_terminal_gets_ascii(changes):
    ran = run_program(["explain", "1", "2", "3", "--all"], env=environment(**changes))
    assert ran.code == 0
    assert ran.out.isascii()
    assert "\x1b" not in ran.out
    assert ran.out == output("explain", "1", "2", "3", "--all")


@pytest.mark.parametrize("options", [[], ["--entry", "0,2"], ["--all", "--label", "2"]], ids=" ".join)
@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_gets_narrower_text(columns, options, monkeypatch):
    monkeypatch.setattr(explain, "screen_of", lambda _: Screen(terminal=True, width=columns))
    lines = output("explain", "1", "2", "3", *options).splitlines()
    code = (">>> ", "... ")  # stays as it is, to be copied
    assert max(len(line) for line in lines if not line.lstrip().startswith(code)) <= columns


def test_no_other_format_gets_colour():
    words = ["explain", "1", "2", "--entry", "0,1", "--format", "markdown"]
    assert run_program(words).out == output(*words)


# ------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["1", "2", "--label", "2"], "--label 2 is no class: classes are 0 to 1"),
        (["1", "2", "--label", "-1"], "--label -1 is no class: classes are 0 to 1"),
        (["1", "--label", "1"], "--label 1 is no class: the only class is 0"),
        (
            ["1", "2", "--label", "0,1"],
            "--label takes a whole number such as 2, the class counted from 0, not '0,1'",
        ),
        (["--label", "2"], "--label needs logits: softjac explain 1 2 3 --label 2, for example"),
        (["1", "2", "--entry", "0,2"], "column 2 of --entry is no class: classes are 0 to 1"),
        (["1", "2", "--entry", "-1,1"], "row -1 of --entry is no class: classes are 0 to 1"),
        (["--entry", "0,-1"], "column -1 of --entry is no class: classes are counted from 0"),
        *(
            (["1", "2", f"--entry={text}"], f"--entry takes a row and a column, counted from 0, as 0,2; not '{text}'")
            for text in ("0", "0,1,1", "a,b", "", "0.5,1")
        ),
        (["1", "2", "--nudge", "1"], "--nudge has 1 change for 2 logits: give one for each, 0 where it stays"),
        (["1", "--nudge", "1,2"], "--nudge has 2 changes for 1 logit: give one for each, 0 where it stays"),
        *(
            (["1", "2", f"--nudge={text}"], f"--nudge takes a change for each logit, as 0.1,0,0; not '{text}'")
            for text in ("a,b", "", "0.1;0")
        ),
        (
            ["1", "2", "--nudge", "0,inf"],
            "--nudge has the change 'inf': one is 0, or in size from 1e-30 to 100",
        ),
        (["--nudge", "1,2"], "--nudge needs logits: softjac explain 1 2 3 --nudge 1,2, for example"),
        (["1", "nan"], "logits holds NaN at position 1: a derivation with numbers needs numbers."),
        (
            ["1", "inf"],
            INFINITE,
        ),
        (["1", "abc"], f"'abc' is not a number: {SUCH}"),
        (["1", "2", "--by", "lgo"], "unknown way 'lgo': did you mean log?"),
        (["1", "2", "--by", "xyz"], "unknown way 'xyz': --by takes quotient, log, both"),
        (["1", "2", "--part", "matix"], "unknown part 'matix': did you mean matrix?"),
        (["1", "2", "--part", "xyz"], f"unknown part 'xyz': there are {', '.join(explain.PARTS)}"),
        (["1", "2", "--part="], f"unknown part '': there are {', '.join(explain.PARTS)}"),
        (["1", "2", "--all", "--part", "matrix"], "--all and --part select different things: leave one of them out"),
        (["1", "2", "--entry", "0,1", "--all"], "--all and --entry select different things: leave one of them out"),
        (
            ["1", "2", "--part", "softmax,quotient", "--by", "log"],
            "--by log leaves the part quotient out: leave one of them out",
        ),
        (
            ["[[1, 2], [3, 4]]"],
            ROWS,
        ),
        (
            [*["0"] * 101, "--all"],
            "the list has 101 logits, and explain takes up to 100: softjac jacobian takes any number",
        ),
        (
            [*["0"] * 201, "--nudge", "0"],
            "the list has 201 logits, and explain takes up to 200: softjac jacobian takes any number",
        ),
        (
            ["0"] * 1001,
            "the list has 1001 logits, and explain takes up to 1000: softjac jacobian takes any number",
        ),
        (["--part", "quotient", "--by", "log"], "--by log leaves the part quotient out: leave one of them out"),
        (["--entry", "5,100"], "column 100 of --entry is no class: classes are 0 to 99 without logits"),
        (["1", "2", "--label", "9" * 20], f"--label {'9' * 20} is no class: classes are 0 to 1"),
        (["1", "2", "--nudge", "1e400,0"], "--nudge has the change '1e400': one is 0, or in size from 1e-30 to 100"),
        (["1", "2", "--nudge", "1e-400,0"], "--nudge has the change '1e-400': one is 0, or in size from 1e-30 to 100"),
        (["1", "2", "--nudge", "nan,0"], "--nudge has the change 'nan': one is 0, or in size from 1e-30 to 100"),
        (["1", "2", "--nudge", "0,-101"], "--nudge has the change '-101': one is 0, or in size from 1e-30 to 100"),
        (["1", "2", "-o", "-"], "-o - names no file: without -o the result goes to standard output"),
        (["--axis", "0"], "--axis 0 says how logits are read, and there are none"),
        (["1", "2", "--format", "htlm"], "unknown format 'htlm': did you mean html?"),
        (["1", "2", "--format", "csv"], "unknown format 'csv': there are text, markdown, latex, html, ipynb"),
        (
            ["1", "-o", "page.pdf"],
            "-o page.pdf: the suffix tells the format, and is one of .txt, .md, .tex, .html, .ipynb; or add --format",
        ),
        (["1", "-o", "no/page.html"], "-o no/page.html: there is no folder no"),
        (["1", "-o", "folder.html"], "-o folder.html is a folder: name a file in it"),
        (["1", "-o="], "-o needs the name of a file: its suffix tells the format, as in -o result.txt"),
        (["1", "--decimals", "2"], "unknown option --decimals: there are --by, --entry, --label, --nudge, --part,"),
    ],
)
def test_what_is_said_of_mistakes(words, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    said = message("explain", *words)
    assert said == expected or (expected.endswith(",") and said.startswith(expected))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full on this system")
def test_an_output_that_cannot_be_written():
    assert message("explain", "1", "2", "-o", "/dev/full", "--format", "html") == (
        "cannot write /dev/full: No space left on device"
    )


def test_the_old_file_stays_where_the_logits_are_wrong(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    message("explain", "1", "nan", "-o", str(path))
    assert path.read_text() == "old"


def test_standard_input_that_is_no_text():
    with pytest.raises(CommandError, match="standard input is not text in UTF-8: files of arrays are read by their"):
        read_vector_if_any([], None, None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"), Progress(False), 9, "")


def test_without_nbformat_the_pip_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    said = message("explain", "1", "2", "--format", "ipynb")
    assert said == "format 'ipynb' needs one more package, nbformat: pip install 'softjac[notebook]'"
