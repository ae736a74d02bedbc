"""What a report says: verdict, mistake, levels, and how much is revealed, in three formats."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import softjac
from softjac import check
from softjac.check.kinds import KINDS
from softjac.check.model import LEVELS
from softjac.errors import ArgumentError, DTypeError

WHERE = str(Path(softjac.__file__).parents[1])


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


def forgets(z):
    softmax(z)


def softmax_jacobian(z):
    s = softmax(np.array(z))
    return s * (np.eye(len(s)) - s.T)


@pytest.fixture(scope="module")
def wrong():
    return check(softmax_jacobian)


@pytest.fixture(scope="module")
def naive():
    return check(softmax)


@pytest.fixture(scope="module")
def ours():
    return check(softjac.softmax)


def test_facts_of_a_wrong_function(wrong):
    assert (wrong.verdict, wrong.exit_code, wrong.conforms) == ("NOT CONFORMING", 1, False)
    assert (wrong.kind, wrong.level, wrong.reached) == ("softmax_jacobian", "exercise", None)
    assert wrong.mistake == "column-formula-1d"
    assert wrong.levels == dict.fromkeys(LEVELS, False)
    assert wrong.covered["vectors"] == (0, 4)
    assert any("symmetric" in words for words in wrong.cannot)
    assert repr(wrong) == "<Report: NOT CONFORMING, softmax_jacobian, level exercise, column-formula-1d>"


def test_facts_of_a_right_function(ours):
    assert (ours.verdict, ours.exit_code, ours.conforms, ours.mistake) == ("CONFORMING", 0, True, None)
    assert ours.reached == "exact"
    assert 0 < ours.largest_ulps < 1
    assert 0 < ours.largest_error < 1e-6
    assert all(right == asked > 0 for right, asked in ours.covered.values())


def test_a_function_right_at_its_level_and_wrong_at_the_next(naive):
    assert (naive.verdict, naive.reached, naive.mistake) == ("CONFORMING", "exercise", None)
    assert "no-maximum-subtracted" in {diagnosis.name for diagnosis in naive.also}
    higher = check(softmax, level="stable")
    assert (higher.verdict, higher.mistake, higher.reached) == (
        "NOT CONFORMING",
        "no-maximum-subtracted",
        "exercise",
    )


def test_the_text_is_that_of_the_issue(wrong):
    text = str(wrong)
    assert text == wrong.to("text") == wrong.to("text", reveal="name")
    assert text.startswith("NOT CONFORMING  softmax_jacobian (kind guessed from the name), level exercise\n\nMistake  ")
    assert "column formula on a 1-D array  [column-formula-1d]\n" in text
    assert "\nSeen     z = [1, 2, 4], first wrong entry J[0,1]\n           yours    " in text
    assert "~ -0.1142 * 0.1142 ~ -0.0130\n           correct  " in text
    assert "~ -0.0420 * 0.1142 ~ -0.0048\n" in text
    assert "diagonal right; row sums -0.6848 -0.6126 +0.1170, should be 0\n" in text
    assert "\nTry      print(" in text
    assert "no maximum subtracted (level stable)" in " ".join(text.split())
    assert "\nMore     --reveal fix\n" in text
    labels = [line[:9].strip() for line in text.splitlines() if line[:9].strip()]
    assert labels[-3:] == ["Called", "Checked", "Cannot"]


def test_hint_gives_nothing_away_and_fix_all(wrong):
    hint, fix = wrong.to("text", reveal="hint"), wrong.to("text", reveal="fix")
    for word in ("column", "[", "yours", "needs", "maximum", "np.outer"):
        assert word not in hint.split("\nLevels")[0].replace("z = [", "").replace("J[0", "")
    assert "Seen     z = [1, 2, 4]: J[0,1] is -0.0130, it should be -0.0048\n" in hint
    assert "\nTry      " in hint
    assert "--reveal name" in hint
    assert "\nFix      J = np.diag(p) - np.outer(p, p)\n" in fix
    assert "--reveal" not in fix


@pytest.mark.parametrize("reveal", ["hint", "name", "fix"])
def test_lines_are_ascii_and_fit_in_80_columns(wrong, naive, ours, reveal):
    for report in (wrong, naive, ours, check(forgets, "softmax"), check(lambda z: z * 1.5)):
        text = report.to("text", reveal=reveal)
        assert text.isascii()
        assert text.endswith("\n")
        assert max(map(len, text.splitlines())) <= 80
        assert not any(line != line.rstrip() for line in text.splitlines())


def test_markdown_has_the_same_lines(wrong):
    text = wrong.to("markdown")
    assert text == wrong._repr_markdown_()
    assert text.startswith("**NOT CONFORMING** softmax\\_jacobian")
    assert "**Seen**\n\n```\nz = [1, 2, 4], first wrong entry J[0,1]\n" in text
    assert "\\[column-formula-1d\\]" in text


def test_json_is_data(wrong, ours):
    data = json.loads(wrong.to("json"))
    assert data["verdict"] == "NOT CONFORMING"
    assert data["mistake"] == data["main"]["name"] == "column-formula-1d"
    assert "fix" not in data["main"]
    assert data["levels"] == {"exercise": False, "stable": False, "exact": False}
    assert data["covered"]["vectors"] == {"right": 0, "asked": 4}
    assert "fix" in json.loads(wrong.to("json", reveal="fix"))["main"]
    hint = wrong.to("json", reveal="hint")
    assert "column-formula-1d" not in hint
    assert json.loads(hint)["mistake"] is None
    assert json.loads(ours.to("json"))["main"] is None


def test_what_could_not_run_says_why():
    report = check(forgets, "softmax")
    assert (report.verdict, report.exit_code, report.reached, report.mistake) == ("COULD NOT RUN", 2, None, None)
    assert "None" in report.could_not
    assert "a return statement" in str(report)

    def softmax(z):
        raise NotImplementedError("not written yet")

    report = check(softmax)
    assert report.exit_code == 2
    assert "NotImplementedError: not written yet" in str(report)


def test_what_is_printed_is_reported_and_not_failed():
    def softmax(z):
        print("z is", z)
        return softjac.softmax(z)

    report = check(softmax)
    assert report.conforms
    assert report.printed[0].startswith("z is [1. 2. 4.]")
    assert report.printed[1] > 100
    assert "\nPrinted  " in str(report)
    assert "beginning 'z is [1. 2. 4.]" in str(report)


def test_control_characters_do_not_reach_the_terminal():
    def softmax(z):
        print("\x1b[31m\ud800 red")
        raise ValueError("\x1b[2J \ud800 gone")

    for form in ("text", "markdown", "json"):
        text = check(softmax).to(form)
        assert "\x1b" not in text
        text.encode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": "softmx"}, r"what is 'softmx': pass one of .* Did you mean softmax\?"),
        ({"what": 3}, "what is 3"),
        ({"level": "perfect"}, "level is 'perfect': pass one of exercise, stable, exact"),
        ({"decimals": 99}, "decimals is 99"),
        ({"decimals": True}, "decimals is True"),
        ({"given": "p"}, "given is 'p': pass one of logits, probs"),
        ({"takes": "rows"}, "takes is 'rows'"),
        ({"reduction": "max"}, "reduction is 'max'"),
        ({"axis": 1}, "axis is 1"),
        ({"time_limit": 3}, "time_limit is 3, but a function is called in this process"),
        ({"memory_limit": 3}, "memory_limit is 3, but"),
    ],
)
def test_a_wrong_argument_is_named(options, words):
    with pytest.raises(ArgumentError, match=words):
        check(softmax, **options)


def test_a_wrong_form_or_reveal_is_named(ours):
    with pytest.raises(ArgumentError, match="form is 'html': pass one of text, markdown, json"):
        ours.to("html")
    with pytest.raises(ArgumentError, match="reveal is 'all': pass one of hint, name, fix"):
        ours.to("text", reveal="all")


def test_what_is_no_function_is_named():
    with pytest.raises(DTypeError, match="function is 3: pass a function"):
        check(3)


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"time_limit": 0}, "time_limit is 0: pass a number of seconds"), ({"memory_limit": "2"}, "memory_limit is '2'")],
)
def test_limits_are_numbers(limits, words):
    with pytest.raises(ArgumentError, match=words):
        check("student.py:f", **limits)


def test_a_file_is_checked_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "student.py"
    path.write_text("import numpy as np\nnp.exp = None\ndef softmax(z):\n    return z\n")
    for place in (f"{path}:softmax", str(path), path):
        report = check(place, level="stable")
        assert report.verdict == "NOT CONFORMING"
        assert report.source == f"{path}:softmax"
    assert np.exp(0.0) == 1.0


def test_the_module_is_called_and_has_its_parts():
    assert softjac.check is check
    assert check.kind_names() == tuple(KINDS)
    assert "no-maximum-subtracted" in check.mistake_names()
    assert set(check.__all__) <= set(dir(check))


def test_without_flint_the_extra_is_named(run_python):
    code = """
import sys
sys.modules["flint"] = None
import softjac
try:
    softjac.check(softjac.softmax)
except ImportError as error:
    print(error)
"""
    assert run_python(code).strip() == "checking needs one more package, python-flint: pip install 'softjac[check]'"


@pytest.fixture
def run_python(tmp_path):
    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": WHERE},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run
