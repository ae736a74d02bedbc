"""How a candidate is called is found out: forms, libraries, operands, targets, and what a batch's loss means."""

import math

import numpy as np
import pytest
import scipy.special

import softjac
from libraries import peer
from softjac.check import names
from softjac.check.candidate import InThisProcess
from softjac.check.convention import Options, find_convention
from softjac.check.judge import examine
from softjac.check.model import Facts


def softmax_rows(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_rows(z):
    return scipy.special.log_softmax(z, axis=-1)


def found(function, kind, **options):
    return find_convention(InThisProcess(function), kind, Options(**options))


def convention(function, kind, **options):
    result = found(function, kind, **options)
    assert result.right
    return result.convention


# Forms


def of_a_vector(z):
    e = np.exp(z)
    return e / e.sum()


def of_rows(batch):
    return softmax_rows(batch) if batch.ndim == 2 else batch[:, None].no_such_thing


def of_a_column(z):
    assert z.ndim == 2
    assert z.shape[1] == 1
    return of_a_vector(z)


def of_a_list(z):
    assert isinstance(z, list)
    total = sum(map(math.exp, z))
    return [math.exp(x) / total for x in z]


def of_a_list_of_lists(rows):
    assert isinstance(rows[0], list)
    return [of_a_list(row) for row in rows]


def vector_as_column(z):
    """A column for a vector, as code for columns has it that reshapes first."""
    z = np.reshape(z, (-1, 1))
    return of_a_vector(z)


def along_axis_0(z):
    e = np.exp(z)
    return e / e.sum(axis=0, keepdims=True)


@pytest.mark.parametrize(
    ("function", "library", "forms"),
    [
        (of_a_vector, "numpy", ("vector",)),
        (softmax_rows, "numpy", ("vector", "batch")),
        (of_rows, "numpy", ("batch",)),
        (of_a_column, "numpy", ("column",)),
        (of_a_list, "list", ("vector",)),
        (of_a_list_of_lists, "list", ("batch",)),
        (vector_as_column, "numpy", ("column",)),
        (along_axis_0, "numpy", ("vector", "batch")),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_form_and_library(function, library, forms):
    result = convention(function, "softmax")
    assert (result.library, result.forms) == (library, forms)


def test_takes_is_not_tried_out():
    assert convention(of_a_vector, "softmax", takes="column").forms == ("column",)
    assert found(of_a_vector, "softmax", takes="batch").convention.forms == ("batch",)
    assert not found(of_a_vector, "softmax", takes="batch").right


def column_formula(s):
    p = of_a_vector(s)
    return p * (np.eye(len(p)) - p.T)


def test_right_for_a_column_alone_is_held_to_vectors():
    """p * (I - p.T) is right for a column: the vector counts, and the column is an aside."""
    examination = examine(InThisProcess(column_formula), "softmax_jacobian")
    assert examination.convention.forms == ("vector",)
    assert examination.failed("exercise")
    assert [j.problem for j in examination.asides if j.form == "column"] == [""]
    assert not examine(InThisProcess(column_formula), "softmax_jacobian", takes="column").failed("exercise")


def stacked(z):
    """Right for a vector; its code names an axis, and for a batch the shape is another one."""
    p = of_a_vector(z)
    return np.stack([p[j] * ((np.arange(len(p)) == j) - p) for j in range(len(p))], axis=1)


def differences(z):
    """The same by central differences: for a batch it returns numbers, in another shape."""
    step = 1e-5 * np.eye(z.shape[-1])
    return np.stack([(softmax_rows(z + e) - softmax_rows(z - e)) / 2e-5 for e in step], axis=0)


def test_an_axis_in_the_code_alone_holds_nobody_to_batches():
    for function in (stacked, differences):
        assert convention(function, "softmax_jacobian").forms == ("vector",)


def along(z, axis=-1):
    return scipy.special.softmax(np.asarray(z, float), axis=axis)


def vjp_in_lists(z, g):
    p = softmax_rows(z).tolist()
    mean = sum(a * b for a, b in zip(p, g, strict=True))
    return [a * (b - mean) for a, b in zip(p, g, strict=True)]


def vjp_by_matrix_product(z, g):
    p = softmax_rows(z)
    return p * (g - p @ g)


def scaled_gradient(z, t):
    return along(z) * np.sum(t) - t


def gradient_as_matrix(z, y):
    p = np.asmatrix(along(z))
    p[0, y] -= 1
    return p


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (vjp_in_lists, "softmax_vjp"),
        (vjp_by_matrix_product, "softmax_vjp"),
        (scaled_gradient, "cross_entropy_grad"),
        (gradient_as_matrix, "cross_entropy_grad"),
    ],
)
def test_the_axis_of_a_helper_holds_nobody_to_batches(function, kind):
    examination = examine(InThisProcess(function), kind)
    assert examination.convention.forms == ("vector",)
    assert not examination.failed("exercise")
    assert [j for j in examination.asides if j.form == "batch" and j.problem]


def softmax_as_matrix(z):
    return np.asmatrix(along(z))


def jacobian_as_matrix(z):
    p = np.asmatrix(along(z)).T
    return np.diagflat(p) - p * p.T


@pytest.mark.parametrize(
    ("function", "kind"), [(softmax_as_matrix, "softmax"), (jacobian_as_matrix, "softmax_jacobian")]
)
def test_a_numpy_matrix_of_one_row_is_a_vector(function, kind):
    examination = examine(InThisProcess(function), kind)
    assert examination.convention.forms[0] == "vector"
    assert not [j for j in examination.failed("stable") if j.form == "vector"]


def test_rows_that_are_mixed_are_held_to_batches():
    """It raises for a batch, and returns numbers for as many rows as classes; one row alone is right."""

    def softmax(z):
        e = np.exp(z - z.max(axis=-1))
        return e / e.sum(axis=-1)

    def softmax_vjp(z, g):
        p = softmax_rows(z)
        return p * (g - (p * g).sum(axis=-1))

    for function in (softmax, softmax_vjp):
        examination = examine(InThisProcess(function), function.__name__)
        assert examination.convention.forms == ("vector", "batch")
        assert "square_batch" in {j.probe.quality for j in examination.failed("exercise")}


def handed_on(z):
    return wrong_for_rows(z)


def wrong_for_rows(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum()


def test_what_a_function_hands_everything_to_is_its_own_code():
    assert found(handed_on, "softmax").convention.forms == ("vector", "batch")


def test_an_attribute_is_no_function_of_the_module():
    """In `scipy.special.softmax_rows` the name is that of a function here, which is not called."""

    def softmax(z):
        return scipy.special.softmax_rows(z)

    facts = InThisProcess(softmax).facts
    assert "softmax_rows" in facts.names
    assert "keepdims" not in facts.names


def test_classes_and_rows_are_not_columns():
    """Right for a column (n, 1), with the sums of lists of rows over their columns, or over all."""

    def down_the_columns(rows):
        sums = [sum(math.exp(x) for x in column) for column in zip(*rows, strict=True)]
        return [[math.exp(x) / total for x, total in zip(row, sums, strict=True)] for row in rows]

    def over_all(rows):
        total = sum(math.exp(x) for row in rows for x in row)
        return [[math.exp(x) / total for x in row] for row in rows]

    for function in (down_the_columns, over_all):
        examination = examine(InThisProcess(function), "softmax")
        assert examination.convention.forms == ("batch",)
        assert examination.failed("exercise")


def test_axis_keyword_is_passed():
    def softmax(z, axis=None):
        assert axis == -1
        return scipy.special.softmax(z, axis=axis)

    assert convention(softmax, "softmax").axis_keyword == "axis"


def test_axis_that_is_in_the_signature_and_not_taken():
    """As of `jax.jit(jax.nn.softmax)`, whose axis may not be traced."""

    def softmax(z, axis=-1):
        if axis is not softmax.__defaults__[0]:
            raise TypeError("axis is fixed")
        return softmax_rows(z)

    def traced(z, axis=None):
        if axis is not None:
            raise TypeError("axis is traced")
        return softmax_rows(z)

    assert convention(softmax, "softmax").axis_keyword == "axis"
    assert convention(traced, "softmax").axis_keyword == ""
    jax = peer("jax", "peers")
    assert convention(jax.jit(jax.nn.softmax), "softmax").forms == ("vector", "batch")
    assert convention(jax.vmap(jax.jacrev(jax.nn.softmax)), "softmax_jacobian").forms == ("batch",)


def test_axis_of_a_column_is_the_first():
    def softmax(z, axis=-1):
        assert z.ndim == 2
        return scipy.special.softmax(z, axis=axis)

    assert convention(softmax, "softmax", takes="column").axis_keyword == "axis"


def test_classes_down_the_columns():
    def softmax(Z):
        e = np.exp(Z - Z.max(axis=0))
        return e / e.sum(axis=0)

    def softmax_jacobian(Z):
        p = scipy.special.softmax(Z, axis=0)
        return np.einsum("in,ij->ijn", p, np.eye(len(p))) - np.einsum("in,jn->ijn", p, p)

    assert found(softmax, "softmax").convention.forms == ("vector", "batch")
    assert examine(InThisProcess(softmax), "softmax").failed("exercise")
    for function in (softmax, softmax_jacobian):
        examination = examine(InThisProcess(function), function.__name__, axis=0, level="stable", takes="batch")
        assert not [j for j in examination.failed("stable") if j.probe.quality != "square_batch"]
    assert not examine(InThisProcess(softmax), "softmax", axis=0).failed("stable")


def test_float32_alone():
    def softmax(z):
        if z.dtype != np.float32:
            raise TypeError("float32 is needed")
        return softmax_rows(z)

    assert convention(softmax, "softmax").dtype == "float32"
    assert not examine(InThisProcess(softmax), "softmax").failed("stable")


def test_torch_where_it_is_used():
    torch = pytest.importorskip("torch", reason="torch is not installed; the extra [peers] has it")

    def softmax(z):
        return torch.softmax(z, dim=-1)

    assert convention(softmax, "softmax").library == "torch"


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


def of_probs(z):
    return np.diag(z) - np.outer(z, z)


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
        assert not examine(InThisProcess(function), kind).failed("exercise")
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
    assert examine(InThisProcess(gradient), "cross_entropy_grad").failed("exercise")
    assert convention(neutral, "cross_entropy_grad").targets == ("one-hot",)
    beside = examine(InThisProcess(neutral), "cross_entropy_grad").asides
    assert [(j.targets, j.problem) for j in beside if j.targets == "index"] == [("index", "value")]


def test_targets_first():
    def loss(y_true, logits):
        return with_one_hot(logits, y_true)

    def unnamed(a, b):
        return with_one_hot(b, a)

    assert convention(loss, "cross_entropy").swapped
    assert convention(unnamed, "cross_entropy").swapped


# Mean and sum


def losses(z, y):
    return -log_rows(z)[np.arange(len(y)), y]


def slopes(z, y):
    p = softmax_rows(z)
    p[np.arange(len(y)), y] -= 1
    return p


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
        assert not examine(InThisProcess(function), kind).failed("exercise")
    assert {j.where[0] for j in examine(InThisProcess(wrong), kind).failed("exercise")} == {1}


def test_gradient_from_probabilities_in_either():
    def in_probs(probs, y):
        return -y / probs

    def in_logits(probs, y):
        return probs - y

    for function, wrt in [(in_probs, "probs"), (in_logits, "logits")]:
        result = convention(function, "cross_entropy_grad")
        assert (result.given, result.wrt) == ("probs", wrt)


# Names


@pytest.mark.parametrize(
    ("name", "parameters", "kind"),
    [
        ("softmax", 1, "softmax"),
        ("stable_softmax", 1, "softmax"),
        ("Softmax.forward", 1, ""),
        ("log_softmax", 1, "log_softmax"),
        ("logsumexp", 1, "logsumexp"),
        ("log_sum_exp", 1, "logsumexp"),
        ("jacobian", 1, "softmax_jacobian"),
        ("softmax_derivative", 1, "softmax_jacobian"),
        ("softmax_grad", 1, "softmax_jacobian"),
        ("softmax_grad", 2, "softmax_vjp"),
        ("softmax_backward", 2, "softmax_vjp"),
        ("softmax_jvp", 2, "softmax_vjp"),
        ("cross_entropy", 2, "cross_entropy"),
        ("crossentropy_loss", 2, "cross_entropy"),
        ("nll", 2, "cross_entropy"),
        ("grad_loss", 2, "cross_entropy_grad"),
        ("softmax_cross_entropy_backward", 2, "cross_entropy_grad"),
        ("loss_and_grad", 2, "cross_entropy_value_and_grad"),
        ("f", 1, ""),
    ],
)
def test_kinds_from_names(name, parameters, kind):
    facts = Facts(name=name, parameters=tuple("abc"[:parameters]))
    assert names.kind_from_name(facts).kind == kind


def test_kind_is_found_from_the_output_where_the_name_says_nothing():
    def f(z):
        return column_formula(z) * 0 + of_probs(softmax_rows(z))

    def g(z, y):
        return float(losses(z[None], [y])[0]), slopes(z[None], [y])[0]

    def softmax_loss(z, y):
        return g(z, y)

    def softmax_matrix(z):
        return f(z)

    for function, kind, guessed in [
        (f, "softmax_jacobian", "what it returns"),
        (g, "cross_entropy_value_and_grad", "what it returns"),
        (softmax_loss, "cross_entropy_value_and_grad", "what it returns"),
        (softmax_matrix, "softmax_jacobian", "what it returns"),
        (softmax_rows, "softmax", "the name"),
    ]:
        examination = examine(InThisProcess(function))
        assert (examination.kind, examination.guessed) == (kind, guessed)
        assert not examination.failed("exercise")


def test_kind_of_what_is_wrong_is_the_nearest():
    def of_base_2(z):
        return log_rows(z) / np.log(2)

    def matrix(z):
        return column_formula(z)

    assert examine(InThisProcess(of_base_2)).kind == "log_softmax"
    assert examine(InThisProcess(matrix)).kind == "softmax_jacobian"


def test_a_name_that_leaves_no_doubt_is_not_overruled():
    def softmax_jacobian(z):
        return softmax_rows(z)

    examination = examine(InThisProcess(softmax_jacobian))
    assert examination.kind == "softmax_jacobian"
    assert {j.problem for j in examination.failed("exercise")} == {"shape"}


def test_what_a_framework_differentiates_is_a_function_of_one_vector():
    """Given a batch it differentiates every row by every row; that is no mistake of the function."""
    jax = peer("jax", "peers")
    for function in (jax.jacrev(jax.nn.softmax), jax.jacfwd(jax.nn.softmax)):
        found = examine(InThisProcess(function), "softmax_jacobian")
        assert found.convention.forms == ("vector",)
        assert not found.failed("stable")
