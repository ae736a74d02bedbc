"""The words of a report: numbers beside their question, levels that were asked, lines that fit."""

import csv
import io
import json

import numpy as np
import pytest

import softjac
from cli_helpers import message, run
from softjac.check.options import Options
from softjac.check.pasted import report_of_numbers

Z = [1.0, 2.0, 4.0]


def rows(z):
    z = np.asarray(z, float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def lines(report):
    return str(report).splitlines()


def joined(report):
    return " ".join(str(report).split())


# Errors


def test_the_largest_error_has_its_unit_its_question_and_one_number():
    report = softjac.check(softjac.softmax, "softmax", level="exact")
    worst = max(report.right, key=lambda j: j.ulps)
    expected = f"the largest is {worst.ulps:.2g} ulp of float64, at {worst.probe.name}: within softjac's own budget"
    assert f"Error {expected}" in joined(report)
    data = json.loads(report.to("json"))
    assert data["largest_ulps"] == worst.ulps
    assert data["largest_ulps_at"] == worst.probe.name
    assert data["ulp_of"] == "float64"


def test_where_results_are_rounded_there_are_no_ulps():
    report = softjac.check(lambda z: np.round(rows(z), 4), "softmax")
    worst = max(report.right, key=lambda j: j.error)
    assert f"Error the largest is {worst.error:.2g}, at {worst.probe.name}" in joined(report)
    data = json.loads(report.to("json"))
    assert (data["largest_ulps"], data["largest_ulps_at"], data["ulp_of"]) == (None, None, None)
    assert (data["largest_error"], data["largest_error_at"]) == (worst.error, worst.probe.name)


def test_what_is_off_a_little_is_measured_from_the_exact_number_at_one_entry():
    def tiny(z):
        p = softjac.softmax(z)
        return np.where(p < 1e-100, p * (1 + 2**-50), p)

    report = softjac.check(tiny, "softmax", level="stable")
    said = joined(report)
    failed = report.examination.failed("exact")[0]
    assert f"is off by {failed.away:.2g}, or {failed.away_ulps:.2g} ulp" in said
    rounded = abs(float(failed.results[0][failed.where]) - float(failed.truth[0][failed.where]))
    assert failed.away != rounded
    assert failed.away == pytest.approx(rounded, rel=0.5)


# Numbers that were pasted


def test_pasted_numbers_reach_no_level_that_was_not_asked():
    report = report_of_numbers(Z, np.round(rows(Z), 4), Options())
    assert report.levels == {"exercise": True}
    assert report.reached == "exercise"
    assert json.loads(report.to("json"))["levels"] == {"exercise": True}
    ran = run("check", "--logits", "1", "2", "4", "--result", "-", "--format", "csv", stdin="0.042 0.1142 0.8438")
    assert next(csv.DictReader(io.StringIO(ran.out)))["reached"] == "exercise"


def test_one_decimal_is_taken_as_one():
    report = report_of_numbers(Z, [0.0, 0.1, 0.8], Options())
    assert report.conforms
    assert report.notes[0] == "the numbers are taken as rounded to 1 decimal"
    assert not report_of_numbers(Z, [0.0, 0.2, 0.8], Options()).conforms


def test_whole_numbers_are_too_few_decimals():
    report = report_of_numbers(Z, [0.0, 0.0, 1.0], Options(what="softmax"))
    assert (report.verdict, report.mistake) == ("NOT CONFORMING", "too-few-decimals")
    assert "right to 0 decimals, and 4 are asked" in joined(report)
    assert not any("rounded to" in note for note in report.notes)
    assert report_of_numbers(Z, [1.0, 0.0, 0.0], Options(what="softmax")).mistake is None


def test_what_is_hidden_is_what_is_hidden_at_so_many_decimals():
    four, one = (report_of_numbers(Z, np.round(rows(Z), d), Options(what="softmax")) for d in (4, 1))
    assert not any("does not rule out" in note for note in four.notes)
    assert any("float16" not in note and "does not rule out" in note for note in one.notes)


def test_a_pasted_number_is_told_from_what_its_quotient_is():
    said = joined(report_of_numbers([2.0, 1.0, 0.1], np.round(rows(rows([2.0, 1.0, 0.1])), 2), Options(what="softmax")))
    assert "exp(p[0])/sum(exp(p)) ~ 1.9329/4.3108 ~ 0.4484, rounded to 0.4500 correct" in said


# What was asked


def test_wrong_in_all_says_of_which_level():
    report = softjac.check(lambda z: rows(z) ** 1.7, "softmax")
    assert report.mistake is None
    assert "It is wrong in all that level exercise asks." in joined(report)


def test_every_row_differentiated_by_every_row_is_said():
    def jacobian(z):
        p = rows(z)
        if p.ndim == 1:
            return np.diag(p) - np.outer(p, p)
        return np.stack([[np.eye(3) * (i == j) for j in range(len(p))] for i in range(len(p))]).swapaxes(1, 2)

    def torch_jacobian(z):
        torch = pytest.importorskip("torch")
        return torch.autograd.functional.jacobian(lambda t: torch.softmax(t, -1), z)

    report = softjac.check(jacobian, "softmax_jacobian")
    assert report.conforms
    assert "it returned float64 array of shape (4, 3, 4, 3), where shape (4, 3, 3) is expected" in joined(report)
    said = joined(softjac.check(torch_jacobian, "softmax_jacobian"))
    assert "shape (4, 3, 4, 3), it should be shape (4, 3, 3): the batch flattened into one matrix (a form" in said


def test_a_comment_of_what_to_try_has_a_line_of_its_own_where_both_are_long():
    def a_loss_with_a_long_name(logits, one_hot):
        return -(one_hot * np.log(rows(logits) + 1e-6)).sum()

    written = lines(softjac.check(a_loss_with_a_long_name, "cross_entropy", level="stable"))
    at = next(k for k, line in enumerate(written) if line.startswith("Try"))
    assert not written[at].rstrip().endswith("#")
    following = [line.strip() for line in written[at + 1 : at + 4]]
    assert "# should be 800" in following


def test_a_long_first_line_breaks_between_its_parts(tmp_path):
    def f(z, y):
        return -np.log(rows(z)[y])

    first, second, *_ = lines(softjac.check(f))
    assert first == "CONFORMING  cross_entropy (kind guessed from what it returns), level exercise"
    file = tmp_path / "s.py"
    file.write_text(
        "import numpy as np\nlog = lambda z, y: z - np.log(np.exp(z).sum())\n"
        "def g(z, y):\n    p = np.exp(z) / np.exp(z).sum()\n    p[y] -= 1\n    return -np.log(p[y] + 1), -p\n"
    )
    first, second, *_ = lines(softjac.check(f"{file}:g"))
    assert first.count("(") == first.count(")")
    assert second.strip().startswith("(kind guessed") or not second


# What is typed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--logits --result r.csv", "--logits needs numbers, a file of them, or - for standard input: softjac check"),
        (
            "--logits 1 2 --result r.csv --label -1",
            "--label takes a whole number from 0 (the right class, counted from 0), not '-1'",
        ),
        ("--logits 1 2 --result bad.csv", "line 2 of bad.csv: 'x' is no number, and a result is numbers alone"),
        ("--logits 1 2 --result header.csv", "line 1 of header.csv: 'a' is no number, and a result is numbers alone"),
        ("--logits 1 2 --result ragged.csv", "line 3 of ragged.csv has 1 number, and line 2 has 2"),
        ("--logits 1 2 --result comment.csv", "comment.csv is empty: the numbers of the result are needed"),
        ("s.py:softmax --logits 1 2 --result r.csv", "s.py:softmax is a function, and --result gives numbers: check"),
        ("s.py --result r.csv", "--result goes with --logits"),
    ],
)
def test_mistakes_in_the_words(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {
        "r.csv": "0.3,0.7\n",
        "bad.csv": "0.1,0.2\n0.3,x\n",
        "header.csv": "a,b\n1,2\n",
        "ragged.csv": "# a result\n1,2\n3\n",
    }
    for name, text in (files | {"comment.csv": "# nothing\n", "s.py": "def softmax(z): pass\n"}).items():
        (tmp_path / name).write_text(text)
    assert message("check", *words.split()).startswith(said)


def test_what_is_no_function_is_said_in_english(tmp_path):
    (tmp_path / "s.py").write_text("softmax = 3\n")
    reason = softjac.check(f"{tmp_path / 's.py'}:softmax").could_not
    assert reason == "softmax is an int, and no function; the file defines none"


def test_another_form_is_no_way_out_where_the_input_is_overwritten():
    def gradient(z, y):
        z -= z.max()
        np.exp(z, out=z)
        z /= z.sum()
        z[y] -= 1
        return z

    report = softjac.check(gradient, "cross_entropy_grad")
    assert report.mistake == "input-overwritten"
    assert "--takes" not in joined(report)
    assert "column" not in joined(report)


# What was found before an end


def test_a_wrong_answer_stays_one_where_the_time_runs_out_later(tmp_path):
    (tmp_path / "s.py").write_text(
        "import numpy as np, time\n\ndef wait(z):\n    if np.abs(z).max() > 500: time.sleep(60)\n"
        "\ndef softmax(z):\n    wait(z)\n    return np.exp(z)\n"
        "\ndef right(z):\n    wait(z)\n    return np.exp(z) / np.exp(z).sum()\n"
    )
    report = softjac.check(f"{tmp_path / 's.py'}:softmax", "softmax", time_limit=4)
    assert (report.verdict, report.mistake) == ("NOT CONFORMING", "wrong-denominator")
    assert "z = [1000, 0]: no answer within 4 s (level stable)" in joined(report)
    assert not any(report.levels.values())
    report = softjac.check(f"{tmp_path / 's.py'}:right", "softmax", time_limit=4)
    assert report.could_not == "no answer within 4 s, asked for z = [1000, 0]"


def test_a_quality_that_was_not_asked_since_it_ended_is_no_skipped_test(tmp_path):
    file = tmp_path / "s.py"
    file.write_text(
        "import numpy as np, os\n\ndef softmax(z):\n    if np.abs(z).max() > 500: os._exit(3)\n    return np.exp(z)\n"
    )
    properties = softjac.check.parametrize_with_properties(f"{file}:softmax", "softmax", "stable").args[1]
    named = {one.quality: one for one in properties}
    with pytest.raises(AssertionError, match="It was not asked: the process ended with code 3"):
        named["saturated"]()


# Each quality is about itself


def test_wrong_numbers_are_no_other_answer_and_no_changed_argument():
    def over_the_columns(z):
        e = np.exp(z - z.max(axis=0, keepdims=True))
        return e / e.sum(axis=0, keepdims=True)

    properties = softjac.check.parametrize_with_properties(over_the_columns, "softmax", takes="batch").args[1]
    named = {one.quality: one for one in properties}
    for quality in ("same_again", "input_kept"):
        named[quality]()
    with pytest.raises(AssertionError):
        named["batch"]()
    report = softjac.check(lambda z: rows(z) ** 1.7, "softmax")
    assert "same again" not in str(report)


def test_what_is_written_into_the_argument_is_the_mistake_and_not_that_integers_are_cut():
    def softmax(xs):
        total = 0
        for i, x in enumerate(xs):
            xs[i] = np.exp(x)
            total += xs[i]
        for i in range(len(xs)):
            xs[i] /= total
        return xs

    assert softjac.check(softmax).mistake == "input-overwritten"


def test_no_form_is_right_by_chance():
    draw = np.random.default_rng(1)
    report = softjac.check(lambda z: rows(z + draw.normal(size=np.shape(z))), "softmax")
    assert report.mistake == "answer-differs"
    assert "it is right" not in str(report)


def test_labels_that_it_does_not_take_are_no_second_mistake():
    def gradient(z, y):
        return (rows(z) - y) / len(z)

    assert "identity" not in str(softjac.check(gradient, "cross_entropy_grad"))


# What the command keeps back


def test_a_hint_names_nothing_in_a_table_or_a_gradebook(tmp_path, monkeypatch):
    for name, formula in (("a", "np.diag(p) + np.outer(p, p)"), ("b", "np.outer(p, p) - np.diag(p)")):
        (tmp_path / f"{name}.py").write_text(
            "import numpy as np\n\ndef softmax_jacobian(z):\n    p = np.exp(z) / np.exp(z).sum()\n"
            f"    return {formula}\n"
        )
    monkeypatch.chdir(tmp_path)
    files = ["a.py", "b.py"]
    ran = run("check", *files, "--reveal", "hint")
    shown = [line.split("NOT CONFORMING  ")[1] for line in ran.out.splitlines() if "NOT CONFORMING" in line]
    assert len(set(shown)) == 2
    assert all("it should be" in line for line in shown)
    gradebook = run("check", *files, "--reveal", "hint", "--format", "csv")
    assert [row["mistake"] for row in csv.DictReader(io.StringIO(gradebook.out))] == ["", ""]
    assert "negated" not in gradebook.out
    told = run("check", *files, "--format", "csv")
    assert [row["mistake"] for row in csv.DictReader(io.StringIO(told.out))][1] == "negated"


def test_few_decimals_are_said_to_tell_little():
    p = rows([2.0, 1.0, 0.1])
    report = report_of_numbers([2.0, 1.0, 0.1], np.round(2.0 ** np.array([2.0, 1.0, 0.1]) / 7.0718, 1), Options())
    assert not report.conforms
    assert "with so few decimals mistakes look alike: four tell more" in joined(report)
    assert "few decimals" not in joined(report_of_numbers([2.0, 1.0, 0.1], np.round(p, 1), Options()))


def test_what_has_no_name_can_be_tried_too():
    def jacobian(z):
        return np.cos(np.outer(z, z))

    def loss(z, y):
        return float(np.cos(z).sum())

    tried = softjac.check(jacobian, "softmax_jacobian").main.experiment
    assert tried == "print(jacobian(np.array([1.0, 2.0, 4.0])))   # J[0,0] should be 0.0402"
    tried = softjac.check(loss, "cross_entropy").main.experiment
    assert tried == "print(loss(np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 0.0])))   # should be 2.1698"
