"""How a candidate is called is found out: its operands and targets, and what a batch's loss and gradient mean."""

import numpy as np
import pytest
import scipy.special

import softjac
from check_conventions import convention, found, log_rows, losses, of_probs, slopes, softmax_rows
from softjac.check.candidate import InThisProcess
from softjac.check.judge import examine
from softjac.check.options import Options

# Operands


def vjp(z, g):
    p = softmax_rows(z)
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


def from_probs(p, g):
    return p * (g - (p * g).sum(axis=-1, keepdims=True))


def test_order_and_what_is_given_are_found():
    def unnamed_swapped(a1, a2):
        return vjp(a2, a1)

    def unnamed_probs(a1, a2):
        return from_probs(a1, a2)

    def named(dout, softmax_output):
        return from_probs(softmax_output, dout)

    assert convention(vjp, "softmax_vjp").given == "logits"
    for function, given, swapped in [
        (unnamed_swapped, "logits", True),
        (unnamed_probs, "probs", False),
        (named, "probs", True),
        (from_probs, "probs", False),
    ]:
        result = convention(function, "softmax_vjp")
        assert (result.given, result.swapped) == (given, swapped), function
        assert result.guesses


def test_trying_does_not_decide_that_a_jacobian_is_given_probabilities():
    assert found(of_probs, "softmax_jacobian").convention.given == "logits"
    assert not found(of_probs, "softmax_jacobian").right
    assert convention(of_probs, "softmax_jacobian", given="probs").given == "probs"


def test_a_name_is_a_guess_that_logits_can_refute():
    def by_name(s):
        return of_probs(s)

    def misnamed(s):
        return of_probs(softmax_rows(s))

    def wrong(s):
        return np.diag(s) + np.outer(s, s)

    assert convention(by_name, "softmax_jacobian").given == "probs"
    assert "parameter s" in convention(by_name, "softmax_jacobian").guesses[0]
    assert convention(misnamed, "softmax_jacobian").given == "logits"
    assert found(wrong, "softmax_jacobian").convention.given == "probs"


def test_the_upstream_gradient_by_its_names():
    def backward(dvalues, output):
        return from_probs(output, dvalues)

    def unnamed_first(x1, output):
        return from_probs(output, x1)

    def wrong(dvalues, probs):
        return probs * (1 - probs) * dvalues

    def wrong_and_unnamed(delta_l, probs):
        return probs * (1 - probs) * delta_l

    assert convention(backward, "softmax_vjp").swapped
    assert "names of its parameters" in convention(backward, "softmax_vjp").guesses[1]
    assert convention(unnamed_first, "softmax_vjp").swapped
    for function in (wrong, wrong_and_unnamed):
        assert found(function, "softmax_vjp").convention.swapped
        assert found(function, "softmax_vjp").convention.given == "probs"


def test_given_probabilities_where_with_logits_it_is_not_right():
    def loss(x, t):
        return -np.sum(t * np.log(x)) / t.shape[0]

    def gradient(x, t):
        return (x - t) / t.shape[0]

    def loss_and_gradient(x, t):
        return loss(x, t), gradient(x, t)

    def named(Y, A2):
        return loss(A2, Y)

    def as_of_scikit_learn(y_true, y_prob):
        return -np.log(y_prob)[np.arange(y_prob.shape[0]), y_true].mean()

    for function, kind in [
        (loss, "cross_entropy"),
        (gradient, "cross_entropy_grad"),
        (loss_and_gradient, "cross_entropy_value_and_grad"),
    ]:
        result = convention(function, kind)
        assert (result.given, result.forms) == ("probs", ("batch",))
        assert result.guesses[0] == "It is given probabilities: with logits it is not right."
        assert not examine(InThisProcess(function), Options(kind)).failed("exercise")
    for function in (named, as_of_scikit_learn):
        result = convention(function, "cross_entropy")
        assert (result.given, result.swapped) == ("probs", True)


def test_what_is_named_logits_is_given_logits():
    def gradient(logits, label):
        return logits - np.eye(len(logits))[label]

    def loss(z, y):
        return -np.log(z[y])

    assert not found(gradient, "cross_entropy_grad").right
    assert not found(loss, "cross_entropy").right
    assert convention(loss, "cross_entropy", given="probs").given == "probs"


def test_a_guess_says_what_to_do_where_it_is_wrong():
    def by_letter(s):
        return of_probs(s)

    def by_word(probs):
        return of_probs(probs)

    start = "It is given probabilities, guessed from the name of its parameter"
    assert convention(by_letter, "softmax_jacobian").guesses == (f"{start} s: if s are logits, --given logits.",)
    assert convention(by_word, "softmax_jacobian").guesses == (f"{start} probs.",)


# Targets


def with_index(z, y):
    return scipy.special.logsumexp(z) - z[y]


def with_one_hot(z, y):
    return -(y * log_rows(z)).sum(axis=-1)


def with_both(z, y):
    y = np.asarray(y)
    return with_one_hot(z, y if y.ndim == np.ndim(z) else np.eye(np.shape(z)[-1])[y])


@pytest.mark.parametrize(
    ("function", "targets"), [(with_index, ("index",)), (with_one_hot, ("one-hot",)), (with_both, ("index", "one-hot"))]
)
def test_forms_of_targets(function, targets):
    assert convention(function, "cross_entropy").targets == targets


def test_a_label_used_as_one_hot_is_held_to_labels():
    def gradient(z, label):
        return softmax_rows(z) - label

    def neutral(z, y):
        return softmax_rows(z) - y

    assert found(gradient, "cross_entropy_grad").convention.targets == ("index",)
    assert examine(InThisProcess(gradient), Options("cross_entropy_grad")).failed("exercise")
    assert convention(neutral, "cross_entropy_grad").targets == ("one-hot",)
    beside = examine(InThisProcess(neutral), Options("cross_entropy_grad")).asides
    assert [(j.targets, j.problem) for j in beside if j.targets == "index"] == [("index", "value")]


def test_targets_first():
    def loss(y_true, logits):
        return with_one_hot(logits, y_true)

    def unnamed(a, b):
        return with_one_hot(b, a)

    assert convention(loss, "cross_entropy").swapped
    assert convention(unnamed, "cross_entropy").swapped


# Mean and sum


@pytest.mark.parametrize(
    ("value", "reduction"), [(lambda x: x, "none"), (np.mean, "mean"), (np.sum, "sum")], ids=["none", "mean", "sum"]
)
def test_reduction_of_a_batch(value, reduction):
    result = convention(lambda z, y: value(losses(z, y)), "cross_entropy")
    assert (result.forms, result.reduction) == (("batch",), reduction)


@pytest.mark.parametrize(("divisor", "gradient"), [(1, "sum"), (None, "mean")])
def test_a_gradient_alone_may_be_either(divisor, gradient):
    result = convention(lambda z, y: slopes(z, y) / (divisor or len(y)), "cross_entropy_grad")
    assert (result.reduction, result.gradient) == (None, gradient)


def test_value_and_gradient_have_to_agree():
    def mean(z, y):
        return losses(z, y).mean(), slopes(z, y) / len(y)

    def total(z, y):
        return losses(z, y).sum(), slopes(z, y)

    def each(z, y):
        return losses(z, y), slopes(z, y)

    def mixed(z, y):
        return losses(z, y).mean(), slopes(z, y)

    kind = "cross_entropy_value_and_grad"
    agreed = [convention(function, kind) for function in (mean, total, each)]
    assert [(x.reduction, x.gradient) for x in agreed] == [("mean", "mean"), ("sum", "sum"), ("none", "sum")]
    result = found(mixed, kind)
    assert not result.right
    assert (result.convention.reduction, result.convention.gradient) == ("mean", "mean")


def test_reduction_that_is_given_is_held_to():
    def loss(z, y):
        return losses(z, y).sum()

    assert found(loss, "cross_entropy", reduction="sum").right
    assert not found(loss, "cross_entropy", reduction="mean").right
    assert not found(slopes, "cross_entropy_grad", reduction="mean").right


def minus_gradient(z, t):
    return (t - softmax_rows(z)) / len(z)


def down_the_rows(z, t):
    e = np.exp(z - z.max(0))
    return (e / e.sum(0) - t) / z.shape[0]


def of_logits(logits, t):
    return (logits - t) / len(logits)


def before_the_softmax(z, t):
    return -(t / softmax_rows(z)) / len(t)


@pytest.mark.parametrize(
    ("function", "mistake"),
    [
        (minus_gradient, "gradient-sign"),
        (down_the_rows, "wrong-axis"),
        (of_logits, "logits-for-probabilities"),
        (before_the_softmax, "stops-at-minus-y-over-p"),
    ],
)
def test_what_is_divided_by_the_rows_is_no_gradient_of_a_vector(function, mistake):
    """For a vector of n classes len(z) is n: the factor 1/n is 1/N, and no second mistake."""
    report = softjac.check(function, "cross_entropy_grad")
    assert report.examination.convention.forms == ("batch",)
    assert [report.main.name, *report.main.others] == [mistake]


def test_what_is_divided_by_the_classes_is_held_to_vectors():
    def gradient(z, t):
        return (softmax_rows(z) - t) / z.shape[-1]

    def of_a_label(z, label):
        return slopes(z[None], [label])[0] / len(z)

    for function in (gradient, of_a_label):
        assert "vector" in found(function, "cross_entropy_grad").convention.forms
        assert not found(function, "cross_entropy_grad").right


def test_the_gradient_may_come_first():
    def both(z, y):
        return slopes(z, y) / len(y), losses(z, y).mean()

    def wrong(z, y):
        return -slopes(z, y) / len(y), losses(z, y).mean()

    def of_one(z, t):
        return softmax_rows(z) - t, with_one_hot(z, t)

    kind = "cross_entropy_value_and_grad"
    for function in (both, of_one):
        assert convention(function, kind).guesses == ("It returns the gradient first, and the loss after it.",)
        assert not examine(InThisProcess(function), Options(kind)).failed("exercise")
    assert {j.where[0] for j in examine(InThisProcess(wrong), Options(kind)).failed("exercise")} == {1}


def test_gradient_from_probabilities_in_either():
    def in_probs(probs, y):
        return -y / probs

    def in_logits(probs, y):
        return probs - y

    for function, wrt in [(in_probs, "probs"), (in_logits, "logits")]:
        result = convention(function, "cross_entropy_grad")
        assert (result.given, result.wrt) == ("probs", wrt)


def test_a_product_with_what_is_named_logits_is_one_with_logits():
    def named(z, g):
        return z * (g - np.sum(z * g, axis=-1, keepdims=True))

    def unnamed(a, g):
        return named(a, g)

    assert found(named, "softmax_vjp").convention.given == "logits"
    assert not found(named, "softmax_vjp").right
    assert convention(unnamed, "softmax_vjp").given == "probs"


def test_a_helper_with_an_axis_holds_no_wrong_function_to_batches():
    def loss(z, t):
        return -np.sum(t * log_rows(z)) / 2

    assert found(loss, "cross_entropy").convention.forms == ("vector",)
