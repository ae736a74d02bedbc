"""What a report says: verdict, mistake, levels, and how much is revealed, in three formats."""

import dataclasses
import inspect
import json
import math
from pathlib import Path

import numpy as np
import pytest

import softjac
from softjac import check
from softjac.check.model import LEVELS

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
    assert wrong.covered["vectors"] == (0, 6)  # with those of the same call again, and of what is kept
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
    assert '\nMore     report.to("text", reveal="fix")\n' in text
    labels = [line[:9].strip() for line in text.splitlines() if line[:9].strip()]
    assert labels[-3:] == ["Called", "Checked", "Cannot"]


def test_options_are_those_of_the_command_or_of_python(naive, tmp_path):
    assert '\nMore     level="stable"\n' in str(naive)
    (tmp_path / "student.py").write_text(inspect.getsource(softmax).replace("def", "import numpy as np\ndef", 1))
    of_file = check(f"{tmp_path / 'student.py'}:softmax")
    assert "\nMore     --level stable\n" in str(of_file)
    for report in (naive, of_file):
        assert report.in_python == (report is naive)


def test_hint_gives_nothing_away_and_fix_all(wrong):
    hint, fix = wrong.to("text", reveal="hint"), wrong.to("text", reveal="fix")
    for word in ("column", "[", "yours", "needs", "maximum", "np.outer"):
        assert word not in hint.split("\nLevels")[0].replace("z = [", "").replace("J[0", "")
    assert "Seen     z = [1, 2, 4]: J[0,1] is -0.0130, it should be -0.0048\n" in hint
    assert "\nTry      " in hint
    assert 'reveal="name"' in hint
    assert "\nFix      J = np.diag(s) - np.outer(s, s)\n" in fix
    assert "reveal=" not in fix


@pytest.mark.parametrize("reveal", ["hint", "name", "fix"])
def test_lines_are_ascii_and_fit_in_80_columns(wrong, naive, ours, reveal):
    for report in (wrong, naive, ours, check(forgets, "softmax"), check(lambda z: z * 1.5)):
        text = report.to("text", reveal=reveal)
        assert text.isascii()
        assert text.endswith("\n")
        assert max(map(len, text.splitlines())) <= 80
        assert not any(line != line.rstrip() for line in text.splitlines())


def stable(z):
    z = np.asarray(z, float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_no_more_is_said_of_a_form_that_was_merely_tried():
    def softmax_jacobian(z):
        s = np.exp(z - np.max(z)).reshape(-1, 1)
        s = s / s.sum()
        return np.diagflat(s) - s @ s.T  # of a batch (N n, N n): no answer for a batch

    def vjp(z, g):
        p = [math.exp(x) for x in z]
        total = sum(p)
        inner = sum(a * b / total for a, b in zip(p, g, strict=True))
        return [a / total * (b - inner) for a, b in zip(p, g, strict=True)]

    for level in LEVELS:
        for report in (check(softmax_jacobian, level=level), check(vjp, "softmax_vjp", level=level)):
            assert report.levels["exercise"]
            assert "takes=" not in str(report)
            assert "batch" not in str(report)


def test_a_batch_that_gets_wrong_numbers_is_mentioned_once_whatever_the_verdict(naive):
    for report in (naive, check(softmax, level="stable")):
        lines = " ".join(str(report).split())
        assert lines.count("batch of 4 rows") == lines.count("a form that it is not held to") == 1
        assert "one sum over the whole array (a form that it is not held to)" in lines
        assert "takes=" not in lines


def test_another_form_is_advised_where_it_alone_is_right(wrong):
    assert str(wrong).count('given a column (n, 1) it is right: takes="column"') == 1
    assert "takes=" not in wrong.to("text", reveal="hint")


def test_no_line_is_said_twice(wrong):
    twice = dataclasses.replace(wrong, diagnoses=(*wrong.diagnoses, *wrong.diagnoses[1:]))
    assert str(twice) == str(wrong)


def test_the_question_is_shown_in_full_and_as_it_was_passed():
    def shown(function, what, **options):
        return str(check(function, what, **options)).partition("\nSeen     ")[2].split("\n")

    lines = shown(lambda z, g: stable(z) * g, "softmax_vjp")
    assert lines[:2] == [
        "z = [1, 2, 4], first wrong entry dz[0]",
        "           passed   z = [1, 2, 4], g = [1, -2, 0.5]",
    ]
    lines = shown(lambda g, z: stable(z) * g, "softmax_vjp")
    assert lines[1] == "           passed   g = [1, -2, 0.5], z = [1, 2, 4]"
    lines = shown(lambda p, y: 2 * -np.log(p[y]), "cross_entropy")
    assert lines[1] == "           passed   p = [0.04201, 0.1142, 0.8438], y = 1"
    lines = shown(lambda z, y: 2 * -np.log(stable(z)[:, y]).mean(), "cross_entropy", takes="batch")
    assert lines[1] == "           passed   z = [[1, 2, 4]], y = [1]"
    lines = shown(lambda z, y: y - stable(z), "cross_entropy_grad", takes="vector")
    assert lines[1] == "           passed   z = [1, 2, 4], y = [0, 1, 0]"


def test_of_a_batch_one_row_is_shown_or_all_where_its_loss_is_one_number():
    def seen(function, what):
        return str(check(function, what, takes="batch")).partition("\nSeen     ")[2].split("\n")

    def only_first(z, y):
        z, y = np.atleast_2d(z), np.atleast_1d(y)
        g = stable(z)
        g[np.arange(len(y)), y] -= 1
        g[2:] *= -1
        return g

    lines = seen(only_first, "cross_entropy_grad")
    assert lines[0] == "a batch of 4 rows and 3 classes, first wrong entry dz[2,0]"
    assert lines[1] == "           row 2    z = [-3.5, -1, -4.25], y = 1"

    def mixed(z, y):
        return -np.log(stable(np.atleast_2d(z))[:, np.atleast_1d(y)]).mean()

    lines = seen(mixed, "cross_entropy")
    assert lines[:4] == [
        "a batch of 4 rows and 3 classes",
        "           passed   z = [[2, 0.5, -1.75], [1, 2, 4], [-3.5, -1, -4.25],",
        "                         [0.25, 3, 1.5]]",
        "                    y = [2, 0, 1, 0]",
    ]


def test_nothing_is_added_where_the_question_is_there(wrong):
    assert "passed" not in str(wrong)
    assert "  passed" not in str(check(lambda z, y: np.log(stable(z)[y]), "cross_entropy"))


def test_rounded_answers_are_measured_in_decimals():
    report = check(lambda z: np.round(stable(z), 4), "softmax")
    assert report.conforms
    assert "ulp" not in str(report)
    assert "the largest is 4.9e-05" in str(report)
    assert "ulp" in str(check(stable, "softmax"))


def test_the_last_lines_are_short_where_something_is_wrong(wrong, ours):
    lines = str(wrong).splitlines()
    assert "Levels   exercise no (14 of 15 wrong), stable no (12 of 13), exact no (18 of 20)" in lines
    checked = next(k for k, line in enumerate(lines) if line.startswith("Checked"))
    assert lines[checked] == "Checked  48 questions, 44 answers wrong"
    assert lines[checked + 1].startswith("Cannot")
    assert len(lines) == checked + 2
    assert "right: vectors, sizes, batch" in str(ours)
    assert "\nLevels   exercise yes, stable yes, exact yes\n" in str(ours)


def test_there_is_no_largest_error_where_no_level_is_reached(wrong, ours):
    assert (wrong.largest_error, wrong.largest_ulps) == (None, None)
    data = json.loads(wrong.to("json"))
    assert (data["largest_error"], data["largest_ulps"]) == (None, None)
    assert json.loads(ours.to("json"))["largest_ulps"] > 0
    none = json.loads(check(forgets, "softmax").to("json"))
    assert (none["largest_error"], none["largest_ulps"]) == (None, None)


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
    assert data["covered"]["vectors"] == {"right": 0, "asked": 6}
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


def test_no_kind_is_guessed_from_what_nothing_is_returned():
    def helper(z):
        raise ValueError("no")

    assert str(check(helper)).startswith("COULD NOT RUN  helper, level exercise\n")


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


@pytest.mark.parametrize("ending", ["return None", "raise ValueError(1)", "return softjac.softmax(z)"])
def test_what_is_printed_is_reported_whatever_comes_of_it(ending):
    space = {"softjac": softjac}
    exec(f"def softmax(z):\n    print('p =', z)\n    {ending}", space)
    report = check(space["softmax"])
    assert "beginning 'p = [1. 2. 4.]" in str(report)
    assert json.loads(report.to("json"))["printed"]["start"].startswith("p = [1. 2. 4.]")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("def softmax(z): return np.exp(z) / np.exp(z).sum()", "CONFORMING"),
        ("def softmax(z): return print(z)", "COULD NOT RUN"),
        ("sys.exit(1)", "COULD NOT RUN"),
    ],
)
@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_what_is_printed_at_the_import_is_reported(submission, body, verdict, form):
    path = submission(f"print(4 * 'abc ')\n{body}")
    report = check(f"{path}:softmax", "softmax")
    assert report.verdict == verdict
    text = report.to(form)
    assert report.printed_at_import == ("abc abc abc abc \n", 17)
    if form == "json":
        printed = json.loads(text)["printed"]
        assert printed["at_import"] == {"start": "abc abc abc abc \n", "length": 17}
        assert (printed["length"] > 100) == ("print(z)" in body)
    else:
        assert "17 characters while it was imported, beginning 'abc abc abc abc'" in text
        assert ("characters in all calls" in text) == ("print(z)" in body)


def test_control_characters_do_not_reach_the_terminal():
    def softmax(z):
        print("\x1b[31m\ud800 red")
        raise ValueError("\x1b[2J \ud800 gone")

    for form in ("text", "markdown", "json"):
        text = check(softmax).to(form)
        assert "\x1b" not in text
        text.encode()


@pytest.mark.parametrize(
    ("returned", "what", "words"),
    [
        (None, "softmax", "None, where an array of shape (n,) is expected"),
        ([], "softmax_jacobian", "an empty list, where an array of shape (n, n) is expected"),
        (10**400, "logsumexp", "an int too large for float64 (above 1.8e+308), where a number is expected"),
        (1 + 1j, "softmax", "a complex, where an array of shape (n,) is expected"),
        ({1.0: 2.0}, None, "a dict, where an array or a number is expected"),
        (
            np.zeros((3, 3), "M8[D]"),
            "softmax_jacobian",
            "datetime64[D] array of shape (3, 3), where an array of shape (n, n) is expected",
        ),
    ],
)
def test_what_came_and_what_was_expected(returned, what, words):
    report = check(lambda *_: returned, what)
    assert report.exit_code == 2
    assert report.could_not == f"it returned {words}; and no numbers for any input"
    assert max(map(len, str(report).splitlines())) <= 80


def test_a_pair_that_was_expected():
    report = check(lambda *_: 1.0, "cross_entropy_value_and_grad")
    words = "it returned a float, and a pair (value, gradient) was expected; and no numbers for any input"
    assert report.could_not == words


def test_a_long_first_line_goes_on_after_a_comma():
    def cross_entropy_value_and_grad(z, y):
        return 0.0, np.zeros(3)

    lines = str(check(cross_entropy_value_and_grad)).splitlines()
    assert lines[:2] == [
        "NOT CONFORMING  cross_entropy_value_and_grad (kind guessed from the name),",
        "  level exercise",
    ]


def test_who_takes_one_hot_rows_is_not_told_about_labels():
    def gradient(z, y):
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True) - y

    report = check(gradient, "cross_entropy_grad")
    assert [j for j in report.examination.asides if j.targets == "index" and j.problem == "value"]
    assert report.conforms
    assert {d.name for d in report.diagnoses} == {"unnormalised-targets"}
    assert "index" not in str(report)
