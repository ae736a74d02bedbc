"""Numbers in place of a function: the mistake from the numbers alone, and what an input cannot tell."""

import io
import json

import numpy as np
import pytest

import softjac
from cli_helpers import message, run
from softjac.check.options import Options
from softjac.check.pasted import report_of_numbers
from softjac.errors import ArgumentError, BoundsError, ShapeError

Z = [2.0, 1.0, 0.1]
P = softjac.softmax(Z)
J = softjac.softmax_jacobian(Z)


def pasted(result, logits=Z, label=None, **options):
    return report_of_numbers(logits, result, Options(**options), label)


@pytest.mark.parametrize(
    ("result", "label", "mistake", "kind"),
    [
        (P * (np.eye(3) - P.T), None, "column-formula-1d", "softmax_jacobian"),
        (np.diag(P * (1 - P)), None, "diagonal-only", "softmax_jacobian"),
        (np.diag(P) - P @ P, None, "inner-product", "softmax_jacobian"),
        (-J, None, "negated", "softmax_jacobian"),
        (np.diag(Z) - np.outer(Z, Z), None, "logits-for-probabilities", "softmax_jacobian"),
        (np.eye(3) - P, None, "log-softmax-jacobian", "softmax_jacobian"),
        (np.round(P, 4), None, None, "softmax"),
        (np.log(P), None, None, "log_softmax"),
        (softjac.softmax(P), None, "softmax-twice", "softmax"),
        (np.eye(3)[1] - P, 1, "gradient-sign", "cross_entropy_grad"),
        (P - np.eye(3)[1], 1, None, "cross_entropy_grad"),
        ((P - np.eye(3)[1])[:, None], 1, None, "cross_entropy_grad"),
        (-np.log(P[1]), 1, None, "cross_entropy"),
        (-np.log10(P[1]), 1, "logarithm-base", "cross_entropy"),
        (softjac.logsumexp(Z), None, None, "logsumexp"),
    ],
)
def test_the_mistake_is_found_from_the_numbers(result, label, mistake, kind):
    report = pasted(result, label=label)
    assert report.kind == kind
    names = {report.mistake, *(report.main.others if report.main else ())}
    assert mistake in names
    assert report.conforms == (mistake is None)


@pytest.mark.parametrize("decimals", [3, 4, 6, 8])
@pytest.mark.parametrize("logits", [[2.0, 1.0, 0.1], [1.0, 2.0, 4.0]])
def test_rounded_as_people_write_them_the_mistake_is_found_too(decimals, logits):
    p, y, identity = softjac.softmax(logits), np.array([0.0, 0, 1]), np.eye(3)
    j = np.diag(p) - np.outer(p, p)
    for result, label, mistake in (
        (np.diag(p * (1 - p)), None, "diagonal-only"),
        (p * (1 - p), None, "diagonal-only"),
        (np.diag(p) - p @ p, None, "inner-product"),
        (p * (identity - p.T), None, "column-formula-1d"),
        (y - p, 2, "gradient-sign"),
        (-y / p, 2, "stops-at-minus-y-over-p"),
        (j @ (p - y), 2, "extra-jacobian"),
        (p * (1 - p), 2, "diagonal-as-gradient"),
        (-np.log10(p[2]), 2, "logarithm-base"),
        ((p - y) / 3, 2, "divided-by-classes"),
        (p - identity[1], 2, "labels-from-one"),
        (j, None, None),
        (p - y, 2, None),
    ):
        assert pasted(np.round(result, decimals), logits, label).mistake == mistake


def test_a_vector_may_be_the_diagonal_of_a_jacobian():
    report = pasted(np.round(P * (1 - P), 4))
    assert (report.kind, report.examination.guessed, report.mistake) == (
        "softmax_jacobian",
        "the numbers",
        "diagonal-only",
    )
    assert pasted(np.round(P * (1 - P), 4), what="softmax_jacobian").mistake == "diagonal-only"
    report = pasted(np.round(P + np.array([0.1, 0, 0]), 4))
    assert (report.kind, report.examination.guessed, report.verdict) == ("softmax", "the shape", "NOT CONFORMING")


def test_equal_logits_tell_nothing_and_the_report_says_which_would():
    p = np.full(3, 1 / 3)
    for result in (np.diag(p) - np.outer(p, p), p * (np.eye(3) - p.T)):
        text = " ".join(str(pasted(result, [1.0, 1.0, 1.0])).split())
        assert "all logits are equal: this input cannot tell the mistakes apart" in text
        assert "z = [1, 2, 4] would" in text
    assert "equal" not in str(pasted(J))


def test_a_right_result_names_the_mistakes_that_this_input_hides():
    # of two classes, the off-diagonal entries of p[j]*((i==j) - p[j]) are -p[j]^2; of one logit of 0 p(1-p) is all
    report = pasted([[0.0]], [3.0])
    assert report.conforms
    assert any("does not rule out" in note and "diagonal-only" in note for note in report.notes)
    hidden = "with this input a right result does not rule out: running-sum-not-rescaled. z = [1, 2, 4] tells more"
    assert pasted(J).notes == (hidden,)  # the first logit is the largest
    assert not pasted(softjac.softmax_jacobian([1.0, 2.0, 4.0]), [1.0, 2.0, 4.0]).notes


def test_rounded_numbers_are_taken_as_rounded():
    report = pasted(np.round(P, 2))
    assert report.conforms
    assert report.notes[0] == "the numbers are taken as rounded to 2 decimals"
    assert not pasted(np.round(P, 2) + np.array([0.02, 0, 0])).conforms
    assert not pasted(np.round(P, 2) + 0.00317).conforms
    assert pasted(J, decimals=9).conforms


def test_a_batch():
    z = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 2.0]])
    assert pasted(softjac.softmax_jacobian(z), z).conforms
    assert not pasted(softjac.softmax(z, axis=0), z).conforms


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"result": np.ones((2, 4))}, ShapeError, "result has shape"),
        ({"result": P, "label": 3}, BoundsError, "--label 3: for one vector of 3 logits it is from 0 to 2"),
        ({"result": P, "what": "cross_entropy_grad"}, ArgumentError, "--what cross_entropy_grad needs the right class"),
        ({"result": P, "what": "softmax_vjp"}, ArgumentError, "--what softmax_vjp"),
        ({"result": P, "logits": np.ones((2, 2, 2))}, ShapeError, "logits has shape"),
    ],
)
def test_what_does_not_fit_together(arguments, error, words):
    with pytest.raises(error, match=words):
        pasted(**arguments)


def test_a_wrong_shape_is_a_wrong_result_where_it_is_said_what_it_is():
    report = pasted(np.ones((2, 2)), what="softmax_jacobian")
    assert (report.verdict, report.exit_code) == ("NOT CONFORMING", 1)
    assert "(3, 3)" in str(report)


# On the command line.

WRONG = P * (np.eye(3) - P.T)


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "m.npy", WRONG)
    (tmp_path / "m.json").write_text(json.dumps(WRONG.tolist()))
    np.savetxt(tmp_path / "m.csv", WRONG, delimiter=",")
    (tmp_path / "right file.json").write_text(json.dumps(J.tolist()))
    (tmp_path / "z.csv").write_text("2,1,0.1\n")
    (tmp_path / "ragged.json").write_text("[[1, 2], [3]]")
    (tmp_path / "text.json").write_text('{"a": 1}')
    np.save(tmp_path / "complex.npy", WRONG + 1j)
    (tmp_path / "empty.csv").write_text("")
    return tmp_path


@pytest.mark.parametrize("name", ["m.json", "m.csv", "m.npy"])
def test_files_of_results(files, name):
    ran = run("check", "--logits", "2", "1", "0.1", "--result", str(files / name))
    assert (ran.code, ran.err) == (1, "")
    assert "[column-formula-1d]" in ran.out
    assert "the numbers alone" in ran.out


def test_standard_input_and_numbers_as_numpy_prints_them():
    for text in (json.dumps(J.tolist()), str(J), "\n".join(",".join(map(repr, row)) for row in J.tolist())):
        assert run("check", "--result", "-", "--logits", "2", "1", "0.1", stdin=text).code == 0


@pytest.mark.parametrize(
    "form", ["array({})", "tensor({}, dtype=torch.float64)", "tensor({}, grad_fn=<SubBackward0>)", " np.array({})\n"]
)
def test_numbers_as_a_library_prints_them(form):
    ran = run("check", "--logits", "2", "1", "0.1", "--result", "-", stdin=form.format(np.round(J, 4).tolist()))
    assert (ran.code, ran.err) == (0, "")


def test_the_label_is_part_of_the_question():
    assert "\nSeen     z = [2, 1, 0.1], y = 1\n" in str(pasted(1.62, label=1))
    assert "wrong in all" not in str(pasted(1.62, label=1))


def test_negative_logits_a_file_of_logits_and_a_label(files):
    gradient = json.dumps((softjac.softmax([-1.0, 0.5]) - [0, 1]).tolist())
    ran = run("check", "--logits", "-1", "0.5", "--label", "1", "--result", "-", stdin=gradient)
    assert (ran.code, ran.out.split()[1]) == (0, "cross_entropy_grad")
    ran = run("check", "--logits", str(files / "z.csv"), "--result", str(files / "right file.json"), "--format", "json")
    assert json.loads(ran.out)["verdict"] == "CONFORMING"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--logits", "2", "1"], "--logits goes with --result FILE"),
        (["--result", "m.json"], "--result goes with --logits"),
        (["--logits", "2", "1", "0.1", "--result", "none.json"], "cannot read none.json: No such file"),
        (["--logits", "2", "1", "0.1", "--result", "ragged.json"], "ragged.json has rows of different lengths"),
        (["--logits", "2", "1", "0.1", "--result", "text.json"], "text.json holds what is no number"),
        (["--logits", "2", "1", "0.1", "--result", "complex.npy"], "complex.npy holds complex128"),
        (["--logits", "2", "1", "0.1", "--result", "empty.csv"], "empty.csv is empty"),
        (["--logits", "2", "1", "0.1", "--result", "-"], "--result - reads standard input, and nothing is piped"),
        (["--logits", "-", "--result", "-"], "standard input is read once"),
        (["--logits", "2", "x", "--result", "m.json"], "'x' is not a number"),
        (["--logits", "2", "1", "--result", "m.json", "--takes", "batch"], "--takes is about a function"),
        (["--logits", "2", "1", "0.1", "--result", "m.json", "--label", "x"], "--label"),
        (["--logits", "2", "1", "--result", "m.json"], "--result has shape (3, 3), and --logits (2,)"),
    ],
)
def test_mistakes_in_the_words(words, expected, files, monkeypatch):
    monkeypatch.chdir(files)
    assert message("check", *words).startswith(expected)


def test_nothing_is_unpickled(files, monkeypatch):
    import pickle

    monkeypatch.chdir(files)
    held = io.BytesIO()
    np.save(held, np.array([print], dtype=object), allow_pickle=True)
    (files / "o.npy").write_bytes(held.getvalue())
    (files / "p.npy").write_bytes(pickle.dumps([1]))
    for name in ("o.npy", "p.npy"):
        assert "pickled" in message("check", "--logits", "2", "1", "--result", name)


def test_decimals_that_are_asked_for_count():
    words = ("check", "--logits", "1", "0", "--result", "-")
    usual = run(*words, stdin="[0.73, 0.27]")
    assert usual.code == 0
    assert "taken as rounded to 2 decimals" in usual.out
    strict = run(*words, "--decimals", "4", stdin="[0.73, 0.27]")
    assert strict.code == 1
    assert "taken as rounded" not in strict.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--level", "exact"], "--level is about a function, and --result gives numbers alone"),
        (["--what", "softmax_vjp"], "--what softmax_vjp: numbers are judged for kinds with one output"),
        (["--what", "cross_entropy"], "--what cross_entropy needs the right class, counted from 0: --label N."),
        (["--label", "5"], "--label 5: for one vector of 2 logits it is from 0 to 1."),
    ],
)
def test_messages_name_what_was_typed(words, said):
    assert message("check", "--logits", "1", "0", "--result", "-", *words, stdin="[0.73, 0.27]").startswith(said)


def test_one_class():
    assert run("check", "--logits", "5", "--result", "-", stdin="1").code == 0
    assert run("check", "--logits", "5", "--result", "-", "--what", "softmax", stdin="[1]").code == 0
    assert run("check", "--logits", "5", "--result", "-", "--what", "softmax", stdin="2").code == 1
