"""`softjac check` on the command line: exit codes, formats, classes of submissions, and what is typed wrong."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import softjac
from cli_helpers import environment, message, output, run, run_program
from softjac._cli import check as command
from softjac._cli.check_table import COLUMNS
from softjac.check.kinds import KINDS

WHERE = str(Path(softjac.__file__).parents[1])
"""For processes that run elsewhere."""

RIGHT = """
import numpy as np

def softmax_jacobian(z):
    p = np.exp(np.array(z) - np.max(z))
    p = p / p.sum()
    return np.diag(p) - np.outer(p, p)
"""
DIAGONAL = RIGHT.replace("np.diag(p) - np.outer(p, p)", "np.diag(p * (1 - p))")
COLUMN = RIGHT.replace("np.diag(p) - np.outer(p, p)", "p * (np.eye(len(p)) - p.T)")
NAMES = {"right.py": RIGHT, "diagonal.py": DIAGONAL, "column.py": COLUMN, "c2.py": COLUMN, "broken.py": "def f(:\n"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with submissions, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    for name, text in NAMES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "code", "verdict"),
    [("right.py", 0, "CONFORMING"), ("diagonal.py", 1, "NOT CONFORMING"), ("broken.py", 2, "COULD NOT RUN")],
)
def test_the_exit_code_is_the_verdict(folder, name, code, verdict):
    ran = run("check", f"{name}:softmax_jacobian")
    assert (ran.code, ran.err) == (code, "")
    assert ran.out.startswith(f"{verdict}  ")


def test_a_function_may_be_named_in_three_ways(folder):
    text = output("check", "right.py:softmax_jacobian")
    assert output("check", "right.py") == text
    assert output("check", "right.py", "--function", "softmax_jacobian") == text
    (folder / "two.py").write_text(RIGHT + "\ndef softmax(z): return z\n")
    assert "name a function: it has softmax_jacobian, softmax" in run("check", "two.py").out
    assert "did you mean softmax_jacobian?" in run("check", "two.py:softmax_jacobain").out


@pytest.mark.parametrize("name", ["a b.py", "a:b.py", "a:b c.py", "ünï.py", "no suffix", "sub.folder.py"])
def test_odd_names_of_files(folder, name):
    (folder / name).write_text(RIGHT)
    for words in ([f"{name}:softmax_jacobian"], [name], [f"./{name}"], [str(folder / name)]):
        assert run("check", *words).code == 0


@pytest.mark.parametrize("encoding", ["crlf", "bom"])
def test_files_as_windows_writes_them(folder, encoding):
    text = RIGHT.replace("\n", "\r\n").encode("utf-8-sig" if encoding == "bom" else "utf-8")
    (folder / "windows.py").write_bytes(text)
    assert run("check", "windows.py:softmax_jacobian").code == 0


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("missing.py:softmax_jacobian", "there is no such file"),
        ("missing.py", "there is no such file"),
        ("folder", "it is a folder: name the files in it, as folder/*.py"),
        ("n.ipynb:softmax", "it is a notebook: save it as a Python file (jupyter nbconvert --to script FILE)"),
        ("broken.py:f", "SyntaxError: "),
        ("m.json", "it is no Python file: numbers go with --result, and --logits with what they are of"),
        ("nothing.py", "it has no function of its own, with a name that does not begin with _"),
    ],
)
def test_what_is_no_file_of_python_is_said_in_clear_words(folder, word, reason):
    (folder / "folder").mkdir()
    (folder / "n.ipynb").write_text('{"cells": [], "nbformat": 4}')
    (folder / "m.json").write_text("[1]")
    (folder / "nothing.py").write_text("from math import exp\n\ndef _f(z):\n    return z\n")
    ran = run("check", word)
    assert (ran.code, ran.err) == (2, "")
    assert reason in " ".join(ran.out.split())
    assert str(folder) not in ran.out
    # of several files, the others are checked all the same
    rows = list(csv.DictReader(io.StringIO(run("check", "right.py:softmax_jacobian", word, "--format", "csv").out)))
    assert [row["exit_code"] for row in rows] == ["0", "2"]
    assert rows[1]["reason"].startswith(reason)


def test_a_colon_without_a_name_names_the_file(folder):
    assert run("check", "right.py:").code == 0


def test_options_reach_the_examination(folder):
    assert run("check", "right.py", "--level", "stable").code == 0
    assert run("check", "right.py", "--decimals", "11").code == 0
    assert "level stable\n" in output("check", "right.py", "--level", "stable")
    assert "softmax_jacobian, level" in output("check", "right.py", "--what", "softmax-jacobian")
    assert run("check", "right.py", "--what", "softmax").code == 1
    assert run("check", "column.py", "--takes", "column").code == 0
    assert run("check", "right.py", "--takes", "batch").code != 0
    assert "--reveal" not in run("check", "column.py", "--reveal", "fix").out
    assert "column" not in run("check", "column.py", "--reveal", "hint").out


def test_limits_reach_the_process(folder):
    (folder / "slow.py").write_text("def softmax(z):\n    while True: pass\n")
    begun = time.monotonic()
    ran = run("check", "slow.py", "--time-limit", "1.5")
    assert (ran.code, time.monotonic() - begun < 10) == (2, True)
    assert "no answer within 1.5 s" in ran.out
    if sys.platform == "linux":
        (folder / "large.py").write_text("x = bytearray(10**9)\ndef softmax(z):\n    return z\n")
        assert "MemoryError" in run("check", "large.py", "--memory-limit", "0.5").out
        assert "MemoryError" not in run("check", "large.py").out


def test_formats(folder):
    words = ["check", "column.py:softmax_jacobian"]
    assert json.loads(run(*words, "--format", "json").out)["mistake"] == "column-formula-1d"
    assert run(*words, "--format", "markdown").out.startswith("**NOT CONFORMING** ")
    assert run(*words, "--format", "csv").out.splitlines()[0] == ",".join(COLUMNS)
    for suffix, start in ((".txt", "NOT CONFORMING"), (".md", "**NOT"), (".json", "{"), (".csv", "file,")):
        ran = run(*words, "-o", f"report{suffix}")
        assert (ran.code, ran.out) == (1, "")
        assert Path(f"report{suffix}").read_text().startswith(start)


def test_a_class_ends_in_a_table_and_a_tally(folder):
    ran = run("check", *NAMES, "--function", "softmax_jacobian")
    assert (ran.code, ran.err) == (2, "")
    lines = ran.out.splitlines()
    assert lines[0].split() == ["FILE", "VERDICT", "MISTAKE"]
    assert [line.split()[0].partition(":")[0] for line in lines[1:6]] == list(NAMES)
    assert lines[2].split()[1:] == ["NOT", "CONFORMING", "diagonal-only"]
    assert "SyntaxError" in lines[5]
    assert lines[7] == "5 functions: 1 conforming, 3 not conforming, 1 could not run"
    assert lines[8] == "  2  column-formula-1d: column formula on a 1-D array"
    assert lines[9].startswith("  1  diagonal-only: ")
    assert max(map(len, lines)) <= 80
    assert run("check", "right.py", "column.py", "--function", "softmax_jacobian").code == 1
    assert run("check", "right.py", "right.py", "--function", "softmax_jacobian").code == 0


def test_the_tally_counts_what_has_no_name(folder):
    (folder / "odd.py").write_text(RIGHT.replace("np.outer(p, p)", "np.outer(p, p) + np.sin(7 * z)"))
    (folder / "loop.py").write_text("def softmax_jacobian(z):\n    while True: pass\n")
    names = ["right.py", "column.py", "odd.py", "broken.py", "loop.py", "none.py"]
    ran = run("check", *names, "--function", "softmax_jacobian", "--time-limit", "2")
    lines = ran.out.partition("functions: ")[2].splitlines()
    assert lines == [
        "1 conforming, 2 not conforming, 3 could not run",
        "  1  column-formula-1d: column formula on a 1-D array",
        "  3  could not run",
        "  1  no known mistake fits",
    ]


def test_a_class_in_other_formats(folder):
    words = ["check", *NAMES, "--function", "softmax_jacobian", "--format"]
    rows = list(csv.DictReader(io.StringIO(run(*words, "csv").out)))
    assert [row["file"] for row in rows] == list(NAMES)
    assert [row["exit_code"] for row in rows] == ["0", "1", "1", "1", "2"]
    assert rows[2] == {
        "file": "column.py",
        "function": "softmax_jacobian",
        "kind": "softmax_jacobian",
        "verdict": "NOT CONFORMING",
        "exit_code": "1",
        "level": "exercise",
        "reached": "",
        "mistake": "column-formula-1d",
        "reason": "",
    }
    assert rows[0]["reached"] == "stable"
    assert "SyntaxError" in rows[4]["reason"]
    reports = json.loads(run(*words, "json").out)
    assert [report["exit_code"] for report in reports] == [0, 1, 1, 1, 2]
    table = run(*words, "markdown").out
    assert table.startswith("| File | Verdict | Mistake |\n|---|---|---|\n| right.py:softmax\\_jacobian | CONFORMING |")
    assert "- 2: column-formula-1d" in table


def test_a_hint_for_a_class_names_no_mistake(folder):
    text = run("check", *NAMES, "--function", "softmax_jacobian", "--reveal", "hint").out
    assert "column-formula" not in text
    assert "J[0,1]" in text


def test_no_cell_is_a_formula_of_a_spreadsheet(folder):
    (folder / "=1+1.py").write_text("raise ValueError('=2')")
    (row,) = csv.DictReader(io.StringIO(run("check", "=1+1.py:f", "--format", "csv").out))
    assert row["file"] == "'=1+1.py"


HOSTILE = {
    "loop.py": "    while True: pass",
    "exit.py": "    os._exit(3)",
    "sysexit.py": "    sys.exit(3)",
    "memory.py": "    return np.ones(10**10 // 8)",
    "prints.py": "    print('x' * 10**6)\n    e = np.exp(z - np.max(z))\n    return e / e.sum()",
    "none.py": "    e = np.exp(z)",
    "text.py": "    return str(z)",
    "nan.py": "    return z * np.nan",
    "generator.py": "    yield from z",
    "shape.py": "    return np.ones((2, 2))",
    "copied.py": "    return np.array([0.04201007, 0.1141952, 0.84379473])",
    "recursion.py": "    return softmax(z)",
    "deletes.py": "    del z\n    return z",
    "spoils.py": "    np.exp = np.asarray = np.errstate = None\n    return z",
    "closes.py": "    os.closerange(0, 100)\n    return z",
    "huge.py": "    return np.broadcast_to(1.0, (10**9,))",
    "threads.py": "    import threading\n    threading.Thread(target=time.sleep, args=(99,)).start()\n    return z",
    "dict.py": "    return dict(enumerate(z))",
}
VERDICTS = dict.fromkeys(HOSTILE, "COULD NOT RUN") | {
    "prints.py": "CONFORMING",
    "nan.py": "NOT CONFORMING",
    "shape.py": "NOT CONFORMING",
    "copied.py": "NOT CONFORMING",
    "spoils.py": "NOT CONFORMING",
    "threads.py": "NOT CONFORMING",
}
if sys.platform != "linux":
    del HOSTILE["memory.py"]


def test_hostile_submissions_end_in_clean_reports(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, body in HOSTILE.items():
        (tmp_path / name).write_text(f"import os, sys, time\nimport numpy as np\n\ndef softmax(z):\n{body}\n")
    begun = time.monotonic()
    ran = run("check", *HOSTILE, "--function", "softmax", "--time-limit", "4", "--format", "csv")
    assert time.monotonic() - begun < 60
    assert (ran.code, ran.err) == (2, "")
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(ran.out))}
    assert {name: row["verdict"] for name, row in rows.items()} == {name: VERDICTS[name] for name in HOSTILE}
    assert rows["loop.py"]["reason"].startswith("no answer within 4 s")
    assert rows["exit.py"]["reason"].startswith("the process ended with code 3")
    assert "SystemExit" in rows["sysexit.py"]["reason"]
    assert "returned None" in rows["none.py"]["reason"]
    assert "a generator" in rows["generator.py"]["reason"]
    assert rows["copied.py"]["mistake"] == "ignores-input"
    if "memory.py" in rows:
        assert rows["memory.py"]["reason"].startswith("out of memory (limit 2 GB)")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(HOSTILE)
    printed = run("check", "prints.py:softmax").out
    assert "\nPrinted  " in printed
    assert "characters in all, beginning 'xxx" in printed
    assert len(printed) < 4000


def test_thirty_submissions_take_under_a_minute(folder):
    names = []
    for k in range(30):
        names.append(f"s{k:02}.py")
        (folder / names[-1]).write_text([RIGHT, DIAGONAL, COLUMN][k % 3])
    begun = time.monotonic()
    ran = run("check", *names, "--function", "softmax_jacobian")
    assert time.monotonic() - begun < 60
    assert "30 functions: 10 conforming, 20 not conforming" in ran.out
    assert "  10  column-formula-1d" in ran.out


# What is typed wrong: one plain line, exit code 2.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "name a file and its function: softjac check student.py:softmax_jacobian; -h lists the options"),
        (["right.py", "--what", "softmx"], "--what 'softmx': did you mean softmax?"),
        (["right.py", "--level", "exat"], "--level 'exat': did you mean exact?"),
        (["right.py", "--reveal", "all"], "--reveal 'all': there are hint, name, fix"),
        (["right.py", "--given", "logit"], "--given 'logit': did you mean logits?"),
        (["right.py", "--takes", "x"], "--takes 'x': there are vector, column, batch"),
        (["right.py", "--reduction", "x"], "--reduction 'x': there are mean, sum, none"),
        (["right.py", "--axis", "1"], "--axis"),
        (["right.py", "--decimals", "x"], "--decimals"),
        (["right.py", "--time-limit", "0"], "--time-limit is '0', but it is a number of seconds above 0"),
        (["right.py", "--memory-limit", "x"], "--memory-limit is 'x', but it is a number of gigabytes above 0"),
        (["right.py", "--format", "html"], "unknown format 'html'"),
        (["right.py", "-o", "report.pdf"], "-o report.pdf: the suffix tells the format"),
        (["right.py", "--label", "1"], "--label belongs to --logits and --result"),
        (["right.py", "softmax"], "there is no file softmax: did you mean right.py:softmax?"),
        (["right.py", "--levl", "exact"], "unknown option --levl: did you mean --level?"),
        ([""], "name a file and its function"),
    ],
)
def test_what_is_typed_wrong(folder, words, expected):
    assert message("check", *words).startswith(expected)


def test_without_flint_one_plain_line_names_the_extra(folder):
    """In another process: modules that are loaded a second time here would be others than those of the tests."""
    code = """
import sys
sys.modules["flint"] = None
from softjac.cli import main
commands = ["right.py"], ["--starter", "softmax"], ["--logits", "1", "--result", "right.py"]
assert [main(["check", *words]) for words in commands] == [2, 2, 2]
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    expected = "softjac: checking needs one more package, python-flint: pip install 'softjac[check]'"
    assert done.stderr.splitlines() == [expected] * 3
    assert not done.stdout


def test_the_kinds_in_the_help_are_those_that_there_are():
    assert tuple(KINDS) == command.KINDS
    text = output("check", "-h")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    assert all(kind in text for kind in KINDS)


def test_the_help_does_not_load_the_checker(tmp_path):
    code = "import sys; from softjac.cli import main; main(['-h']); assert 'softjac.check' not in sys.modules"
    anywhere = os.environ | {"PYTHONPATH": WHERE}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=anywhere, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(os.name == "nt", reason="a terminal of POSIX")
def test_on_a_terminal_labels_stand_out_and_the_text_is_the_same(folder):
    plain = run("check", str(folder / "column.py")).out
    shown = run_program(["check", str(folder / "column.py")], env=environment(PYTHONPATH=WHERE))
    assert shown.code == 1
    assert "\x1b[1mNOT CONFORMING" in shown.out
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown.out) == plain


def test_numbers_nested_without_end_are_refused_in_one_line():
    assert message("check", "--logits", "1", "2", "--result", "-", stdin="[" * 5000)
