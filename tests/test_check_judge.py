"""What counts as wrong, at which level: values, shapes, special values, what it does to its input, and how it ends."""

import numpy as np
import pytest
import scipy.special

import softjac
from check_candidates import Scripted
from softjac.check.candidate import InThisProcess
from softjac.check.cases import probes
from softjac.check.judge import examine
from softjac.check.kinds import KINDS
from softjac.check.model import LEVELS, Facts, Outcome
from softjac.check.options import Options


def softmax_rows(z):
    with np.errstate(all="ignore"):
        e = np.exp(z - np.max(z, axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


def examined(function, kind="softmax", **options):
    return examine(InThisProcess(function), Options(kind, **options))


def reached(examination):
    return [level for level in LEVELS if not examination.failed(level)]


def problems(examination, level="exercise"):
    return {(j.probe.quality, j.problem) for j in examination.failed(level)}


# Levels


@pytest.mark.parametrize("kind", KINDS)
def test_softjac_keeps_its_own_budget(kind):
    """The reason for the level exact: what it asks is what the library promises, no more."""
    examination = examined(getattr(softjac, kind), kind)
    assert reached(examination) == list(LEVELS), examination.failed("exact")[:3]
    assert all(j.within_budget for j in examination.judgements)
    assert len(examination.judgements) > 55
    assert not examination.asides


def test_softjac_keeps_it_from_probabilities():
    examination = examined(lambda probs, g: softjac.softmax_vjp(probs, g, probs=probs), "softmax_vjp")
    assert examination.convention.given == "probs"
    assert reached(examination) == list(LEVELS)


def losses(z, y):
    return scipy.special.logsumexp(z, axis=-1) - np.take_along_axis(z, np.asarray(y)[..., None], -1)[..., 0]


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (softmax_rows, "softmax"),
        (lambda z: scipy.special.log_softmax(z, axis=-1), "log_softmax"),
        (lambda z: scipy.special.logsumexp(z, axis=-1), "logsumexp"),
        (losses, "cross_entropy"),
    ],
    ids=["softmax", "log_softmax", "logsumexp", "cross_entropy"],
)
def test_code_that_subtracts_the_maximum_is_stable(function, kind):
    assert reached(examined(function, kind))[:2] == ["exercise", "stable"]


def test_the_textbook_formula_is_right_for_exercises_alone():
    examination = examined(lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))
    assert reached(examination) == ["exercise"]
    assert problems(examination, "stable") == {
        ("large_logits", "not finite"),
        ("distant_rows", "not finite"),
        ("saturated", "not finite"),
    }


def test_four_decimals_are_enough_and_three_are_not():
    def rounded(to):
        return lambda z: [[round(float(x), to) for x in row] for row in softmax_rows(np.atleast_2d(z))]

    assert reached(examined(rounded(4), takes="batch")) == ["exercise", "stable"]
    assert not reached(examined(rounded(3), takes="batch"))
    assert reached(examined(rounded(3), takes="batch", decimals=3)) == ["exercise", "stable"]


def test_large_numbers_are_held_to_six_digits():
    near = examined(lambda z, y: losses(z, y) * (1 + 1e-6), "cross_entropy")
    far = examined(lambda z, y: losses(z, y) * (1 + 3e-6), "cross_entropy")
    assert reached(near) == ["exercise", "stable"]
    assert reached(far) == ["exercise"]
    assert {j.probe.quality for j in far.failed("stable")} == {"large_logits", "saturated"}


def test_digits_are_asked_at_the_level_exact_alone():
    examination = examined(softmax_rows)
    hard = [j for j in examination.judgements if j.probe.quality == "hard_rows"]
    assert any(j.problem == "value" and j.error < 1e-12 for j in hard)
    ordinary = [j for j in examination.judgements if j.probe.level == "exercise"]
    assert any(not j.within_budget for j in ordinary)
    assert not any(j.problem for j in ordinary)


def test_probabilities_that_a_float32_candidate_rounds():
    def jacobian(probs):
        p = np.asarray(probs, "float32").astype(float)
        return (np.diag(p * (1 - p)) - (1 - np.eye(len(p))) * np.outer(p, p)).astype("float32")

    examination = examined(jacobian, "softmax_jacobian", given="probs")
    assert reached(examination) == list(LEVELS)
    assert max(j.ulps for j in examination.judgements) <= 0.501
    assert not {"tails", "special_values"} & {j.probe.quality for j in examination.judgements}


def test_float32_is_held_to_the_digits_of_float32():
    def rounded(z):
        return softjac.softmax(z).astype(np.float32)

    def added_in_float32(z):
        return softmax_rows(np.asarray(z, np.float32))

    assert reached(examined(rounded)) == list(LEVELS)
    assert reached(examined(added_in_float32)) == ["exercise", "stable"]
    worst = max(j.ulps for j in examined(rounded).judgements)
    assert 0.4 < worst <= 0.5001


def test_a_mask_and_special_values():
    def loss(z, y):
        p = softmax_rows(z)
        return -(y * np.log(p)).sum(axis=-1)

    assert ("minus_infinity", "not finite") in problems(examined(loss, "cross_entropy"), "stable")
    found = [j for j in examined(softmax_rows).judgements if j.probe.quality == "special_values"]
    all_masked = next(j for j in found if j.probe.name == "z = [-inf, -inf, -inf]")
    assert not all_masked.problem
    one_infinite = next(j for j in found if j.probe.name == "z = [1, inf, 2]")
    assert one_infinite.truth[0].tolist() == [0, 1, 0]
    assert (one_infinite.problem, one_infinite.where) == ("not finite", (0,))


def test_a_loss_of_800_is_800():
    def capped(z, y):
        return -np.log(np.maximum(np.take_along_axis(softmax_rows(z), np.asarray(y)[..., None], -1), 1e-300))[..., 0]

    failed = [j for j in examined(capped, "cross_entropy").failed("stable") if j.probe.quality == "saturated"]
    assert {float(j.truth[0].max()) for j in failed} == {800.0}
    assert failed[0].error == pytest.approx(800 - 690.7755, abs=0.001)


# What is wrong


def test_the_first_wrong_entry():
    def jacobian(z):
        p = softmax_rows(z)
        return p * (np.eye(len(p)) - p)

    judged = examined(jacobian, "softmax_jacobian").judgements[0]
    assert (judged.problem, judged.where) == ("value", (0, 1))
    assert judged.error == pytest.approx(0.6765, abs=1e-4)
    assert judged.ulps > 1e12
    assert judged.within_budget is False


def test_the_first_wrong_entry_of_two_outputs():
    def value_and_grad(z, y):
        return losses(z, y), softmax_rows(z) * 0.5

    judged = examined(value_and_grad, "cross_entropy_value_and_grad").judgements[0]
    assert judged.where == (1, 0)
    assert len(judged.results) == len(judged.truth) == 2


def test_a_wrong_shape_keeps_what_came():
    def diagonal(z):
        p = softmax_rows(z)
        return p * (1 - p)

    judged = examined(diagonal, "softmax_jacobian").judgements[0]
    assert judged.problem == "shape"
    assert judged.results[0] == pytest.approx([0.0403, 0.1012, 0.1318], abs=1e-4)
    assert judged.truth[0].shape == (3, 3)


def test_lists_and_numbers_are_results():
    examination = examined(lambda z, y: float(losses(z, y)), "cross_entropy")
    assert reached(examination)[:2] == ["exercise", "stable"]
    assert reached(examined(lambda z, y: [float(losses(z, y))], "cross_entropy"))[:1] == ["exercise"]
    assert reached(examined(lambda z: softmax_rows(z).tolist()))[:2] == ["exercise", "stable"]


def test_a_negative_zero_is_a_zero():
    def jacobian(z):
        p = softmax_rows(z)
        return np.where(np.eye(len(p)), p * (1 - p), -np.outer(p, p))

    judged = [j for j in examined(jacobian, "softmax_jacobian").judgements if j.probe.quality == "saturated"]
    assert any(np.signbit(j.results[0][j.truth[0] == 0]).any() for j in judged)
    assert not any(j.problem for j in judged)


def test_a_batch_of_one_row_is_no_vector():
    def two_dimensional(z):
        return softmax_rows(np.atleast_2d(z))

    examination = examined(two_dimensional)
    assert examination.convention.forms == ("batch",)
    assert reached(examination)[:2] == ["exercise", "stable"]
    assert [j.problem for j in examination.asides if j.form == "vector"] == ["shape"]
    assert {j.problem for j in examined(two_dimensional, takes="vector").failed("exercise")} == {"shape"}


def test_a_function_of_a_vector_says_what_a_batch_gets():
    examination = examined(lambda z: np.exp(z) / np.exp(z).sum())
    assert not examination.failed("exercise")
    assert {j.form for j in examination.judgements} == {"vector"}
    assert [(j.form, j.problem) for j in examination.asides if j.form == "batch"] == [("batch", "value")] * 3


def test_code_for_rows_is_held_to_batches():
    def softmax(X):
        e = np.exp(X)
        return e / e.sum()

    assert {j.form for j in examined(softmax).failed("exercise")} == {"batch"}


# What it does


def test_input_that_is_changed():
    def in_place(z):
        z -= np.max(z, axis=-1, keepdims=True)
        return softmax_rows(z)

    assert problems(examined(in_place)) == {("input_kept", "changed")}


def test_another_answer_for_the_same_call():
    calls = []

    def counts(z):
        calls.append(1)
        return softmax_rows(z) + 1e-5 * (len(calls) % 2)

    assert problems(examined(counts)) == {("same_again", "differs")}


def test_refusing_lists_and_integers_is_not_wrong():
    def strict(z):
        if not isinstance(z, np.ndarray) or z.dtype != np.float64 or not z.flags.writeable:
            raise TypeError("a writeable float64 array is needed")
        return softmax_rows(z)

    examination = examined(strict)
    assert not examination.failed("stable")
    assert {j.probe.quality for j in examination.asides} == {"lists", "integers", "float32", "read_only"}


def test_a_wrong_number_for_integers_is_wrong():
    def truncates(z):
        result = np.empty_like(z)
        result[...] = softmax_rows(z)
        return result

    assert problems(examined(truncates)) == {("integers", "value")}


def test_an_exception_for_some_input():
    def small(z):
        if np.size(z) > 4 and np.ndim(z) == 1:
            raise ValueError("too many classes")
        return softmax_rows(z)

    assert ("sizes", "raised") in problems(examined(small))


# How it ends


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: None, "it returned None"),
        (lambda _: "0.1", "it returned the str '0.1'"),
        (lambda z: (x for x in z), "it returned a generator"),
        (lambda _: 1 / 0, "it raised ZeroDivisionError: division by zero"),
    ],
)
def test_nothing_of_use(answer, words):
    examination = examined(answer)
    assert examination.could_not.startswith(words)
    assert examination.judgements == ()


def test_nan_is_wrong_and_not_useless():
    examination = examined(lambda z: np.full(np.shape(z), np.nan))
    assert not examination.could_not
    assert examination.failed("exercise")[0].problem == "not finite"


def test_it_is_not_asked_again_once_it_ended():
    hung = Scripted(lambda _: Outcome(fatal="no answer within 10 s"))
    examination = examine(hung, Options("softmax"))
    assert examination.could_not == "no answer within 10 s"
    assert len(hung.calls) == 1


def test_it_may_end_when_it_is_asked_again():
    repeated = next(probe for probe in probes("softmax") if probe.repeat).inputs.logits
    seen = []

    def answer(call):
        if np.array_equal(call.arguments[0].value, repeated):
            seen.append(1)
        return Outcome(fatal="gone") if len(seen) == 3 else Outcome(arrays=(softmax_rows(call.arguments[0].value),))

    examination = examine(Scripted(answer), Options("softmax"))
    assert examination.could_not == "gone, asked for z = [2, 0.5, -1.75] (asked twice)"


def test_what_was_judged_before_it_ended_is_kept():
    def answer(call):
        z = call.arguments[0].value
        if np.abs(z).max() > 500:
            return Outcome(fatal="the process ended with code 3")
        return Outcome(arrays=(softmax_rows(z),))

    examination = examine(Scripted(answer), Options("softmax"))
    assert examination.could_not == "the process ended with code 3, asked for z = [1000, 0]"
    assert examination.judgements[-1].problem == "ended"
    assert not examination.failed("exercise")
    assert len(examination.judgements) > 20


def test_every_probe_is_asked_once_and_one_of_them_twice():
    asked = Scripted(lambda call: Outcome(arrays=(softmax_rows(call.arguments[0].value),)))
    examination = examine(asked, Options("softmax"))
    assert [j.probe for j in examination.judgements] == list(probes("softmax"))
    twice = sum(probe.repeat for probe in probes("softmax"))
    assert twice == 2
    assert len(asked.calls) <= len(probes("softmax")) + twice + 4


def test_both_forms_of_targets_are_asked_where_logits_are_ordinary():
    examination = examined(softjac.cross_entropy, "cross_entropy")
    asked = {(j.probe.level, j.targets) for j in examination.judgements if j.probe.inputs.labels is not None}
    assert asked == {("exercise", "index"), ("exercise", "one-hot"), ("stable", "index"), ("exact", "index")}


def test_nothing_is_asked_twice_to_find_the_kind():
    asked = Scripted(lambda call: Outcome(arrays=(np.tanh(call.arguments[0].value),)), Facts("f", ("z",)))
    examination = examine(asked)
    to_find = asked.calls[: -len(examination.judgements) - len(examination.asides) - 2]
    keys = [(x.value.tobytes(), x.value.shape, x.library, x.value.dtype) for (x,) in (c.arguments for c in to_find)]
    assert len(set(keys)) == len(keys) > 5


def test_two_parameters_are_two_operands():
    why = examine(InThisProcess(lambda _a, _b: None)).could_not
    assert why == "it returned None, where an array or a number is expected; and no numbers for any input"


def test_an_unknown_kind():
    with pytest.raises(ValueError, match=r"what is 'sofmax', and can be one of softmax, log_softmax"):
        examined(softmax_rows, "sofmax")
