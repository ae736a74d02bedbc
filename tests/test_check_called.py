"""How a report says that a function was called, what it is held to, and what it is not."""

import numpy as np
import pytest
import scipy.special

import softjac
from cli_helpers import message, run
from softjac.check.properties import Property


def rows(z):
    z = np.asarray(z, float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def joined(report):
    return " ".join(str(report).split())


def losses(z, y):
    p = rows(z)
    return -np.log(p[np.arange(len(p)), y])


def test_a_loss_has_no_gradient_and_none_is_one_a_row():
    said = joined(softjac.check(losses, "cross_entropy"))
    assert "targets as labels; the losses of a batch: one a row (found by trying)" in said
    assert "gradient" not in said


def test_what_is_stated_is_not_found_by_trying():
    def grad(z, y):
        return rows(z) - np.eye(z.shape[1])[y]

    stated = softjac.check(grad, "cross_entropy_grad", reduction="mean", takes="batch")
    assert stated.mistake == "n-missing"
    assert "gradient of the mean (found by trying; takes and reduction as stated)" in joined(stated)
    assert softjac.check(grad, "cross_entropy_grad").conforms


def test_a_stated_reduction_stays():
    """The one that is not stated would explain it: it is no gradient of a mean, with another sign."""

    def grad(z, y):
        return np.eye(z.shape[1])[y] - rows(z)

    found = softjac.check(grad, "cross_entropy_grad", reduction="mean")
    assert found.examination.convention.gradient == "mean"
    assert not found.conforms


@pytest.mark.parametrize(("axis", "said"), [(-1, "axis=-1"), (0, "axis=0")])
def test_the_axis_that_is_passed(axis, said):
    report = softjac.check(scipy.special.log_softmax, "log_softmax", axis=axis, takes="batch")
    assert f"with NumPy batches, {said}" in joined(report)


def test_a_form_that_it_is_not_held_to_is_said_so_beside_other_mistakes():
    def softmax(x):
        x -= np.max(x)
        np.exp(x, out=x)
        x /= x.sum()
        return x

    report = softjac.check(softmax)
    assert report.mistake == "input-overwritten"
    assert "one sum over the whole array (a form that it is not held to)" in joined(report)


def test_the_argument_that_is_written_into_is_the_one_to_look_at():
    def grad(x, y):
        y -= rows(x)
        return -y

    report = softjac.check(grad, "cross_entropy_grad", takes="vector")
    assert report.mistake == "input-overwritten"
    assert report.main.experiment == "before = y.copy(); grad(x, y); print(np.array_equal(before, y))"


def test_one_digit_too_few_stands_beside_what_is_allowed():
    report = softjac.check(scipy.special.softmax, "softmax")
    assert not report.levels["exact"]
    assert "ulp, where 0.6 is allowed" in joined(report)


@pytest.mark.parametrize(
    "loss",
    [
        lambda z, t: -(t * (1 - rows(z)) ** 2 * np.log(rows(z))).sum(),
        lambda z, t: -2 * np.sum(t * np.log(rows(z))),
        lambda z, t: -np.mean(t * np.log(rows(z) + 1e-2)),
        lambda z, t: -(t * np.log(rows(z / 2.0))).sum(),
    ],
    ids=["focal", "twice", "mean and epsilon", "temperature"],
)
def test_what_explains_the_lesser_part_of_it_is_no_cause(loss):
    """Called with a label 0, which is 0 times a logarithm, such a loss seems to leave the first class out."""
    report = softjac.check(loss, "cross_entropy", takes="vector")
    assert report.mistake is None
    assert report.examination.convention.targets == ("one-hot",)


def test_rounded_squares_from_every_row_have_two_causes_but_where_the_code_tells():
    def by_squares(z):
        s = rows(z)
        return np.round(np.diag(s) - s * s, 6)

    def by_column_formula(z):
        s = rows(z)
        return np.round(np.diag(s) - s * s.T, 6)

    either, one = (softjac.check(f, "softmax_jacobian") for f in (by_squares, by_column_formula))
    assert {either.mistake, *either.main.others} == {"column-formula-1d", "elementwise-product"}
    assert (one.mistake, one.main.others) == ("column-formula-1d", ())


def test_a_division_by_zero_of_one_class_is_no_overflow():
    def softmax(z):
        e = np.exp(z - np.max(z)).tolist()
        return [one / (sum(e) - one) for one in e]

    found = softjac.check(softmax).diagnoses
    assert [d.name for d in found] == ["wrong-denominator"]


def test_two_mistakes_of_different_questions_are_two():
    def both(z, y):
        p = rows(z)
        return -(y * np.log(p)).sum(), y - p

    found = softjac.check(both, "cross_entropy_value_and_grad").diagnoses
    assert [d.name for d in found] == ["gradient-sign", "log-of-zero", "unnormalised-targets"]


@pytest.mark.parametrize("decimals", [4, 6, 8, 10])
def test_as_many_decimals_as_are_asked(decimals):
    def rounded(z):
        return np.round(rows(z), decimals)

    assert softjac.check(rounded, "softmax", decimals=decimals, takes="vector").conforms
    assert not softjac.check(rounded, "softmax", decimals=decimals + 1, takes="vector").conforms


def test_a_limit_that_is_no_number_is_told_what_it_is():
    said = message("check", "student.py:softmax", "--memory-limit", "abc")
    assert said == "--memory-limit is 'abc', but it is a number of gigabytes above 0"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ([[0.25, -0.15, -0.1], [-0.15, 0.21, -0.06], [-0.1, -0.06, 0.16]], "CONFORMING"),
        ([[0.5, -0.15, -0.1], [-0.15, 0.3, -0.06], [-0.1, -0.06, 0.2]], "wrong-diagonal"),
    ],
)
def test_pasted_numbers_of_probabilities(tmp_path, result, expected):
    (tmp_path / "J.json").write_text(str(result))
    done = run("check", "--logits", "0.5", "0.3", "0.2", "--given", "probs", "--result", str(tmp_path / "J.json"))
    assert done.out.startswith(expected) or f"[{expected}]" in done.out
    assert "p = [0.5, 0.3, 0.2]" in done.out or "p = [0.042, 0.1142, 0.8438] tells more" in " ".join(done.out.split())


def test_pasted_probabilities_are_a_distribution_and_of_a_kind_that_takes_them(tmp_path):
    (tmp_path / "J.json").write_text("[[1, 2], [3, 4]]")
    words = ("check", "--given", "probs", "--result", str(tmp_path / "J.json"), "--logits")
    assert "[0.5, 0.75] is no distribution" in message(*words, "0.5", "0.75")
    assert "softmax is a function of logits" in message(*words, "0.5", "0.5", "--what", "softmax")


@pytest.mark.parametrize(("logits", "number"), [("1000 0", "NaN"), ("2 1", "0")])
def test_pasted_nan_or_zeros_speak_for_no_formula(tmp_path, logits, number):
    (tmp_path / "J.json").write_text(f"[[{number}, {number}], [{number}, {number}]]")
    done = run("check", "--result", str(tmp_path / "J.json"), "--logits", *logits.split())
    assert "no known mistake fits" in done.out


def test_what_a_batch_gets_is_said_where_vectors_are_right():
    def value_and_grad(x, y):
        p = rows(x)
        one_hot = np.zeros(np.shape(p))
        np.put_along_axis(one_hot, np.expand_dims(y, -1), 1, -1)
        return -(one_hot * np.log(p)).sum(-1).mean(), p - one_hot

    report = softjac.check(value_and_grad, "cross_entropy_value_and_grad")
    assert report.conforms
    assert "1/N missing (a form that it is not held to)" in joined(report)


def test_a_distribution_may_be_taken_for_a_label_by_what_takes_labels():
    def loss(z, t):
        t = np.argmax(t) if np.size(t) == np.size(z) else t
        return -np.log(rows(z)[t])

    said = joined(softjac.check(loss, "cross_entropy", takes="vector"))
    assert said.startswith("CONFORMING")
    assert "taken for the class of the largest, as a label (a form that it is not held to)" in said
    soft = Property("soft_targets", lambda: softjac.check(loss, "cross_entropy", takes="vector"))
    with pytest.raises(pytest.skip.Exception, match="takes labels, and a distribution for its largest class"):
        soft()
    assert not softjac.check(lambda z, t: -np.log(rows(z)[np.argmax(t)]), "cross_entropy", takes="vector").conforms


def test_another_form_is_advised_where_it_is_right_for_the_same_question():
    def cut(z, y):
        g = np.zeros_like(z)
        g[:] = np.exp(z) / np.exp(z).sum()
        g[y] -= 1
        return g

    report = softjac.check(cut, "cross_entropy_grad")
    assert report.mistake == "integers-cut"
    assert "--takes" not in str(report)
    assert "takes=" not in str(report)
