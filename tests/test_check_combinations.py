"""Two mistakes at once: the verdict is never that all is well, unless they cancel; then each is found by itself."""

import itertools

import numpy as np
import pytest

import softjac
from softjac.check.candidate import InThisProcess
from softjac.check.judge import examine
from softjac.check.options import Options


def right_softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_twice(z):
    return right_softmax(right_softmax(z))


def softmax_of_powers_of_two(z):
    return right_softmax(np.asarray(z) * np.log(2.0))


def rounded_softmax(z):
    return np.round(right_softmax(z), 1)


def logits_themselves(z):
    return np.asarray(z, dtype=float)


def half_softmax(z):
    return right_softmax(np.asarray(z, dtype=np.float16))


SOFTMAXES = (softmax_twice, softmax_of_powers_of_two, rounded_softmax, logits_themselves, half_softmax)


def diagonal_only(p):
    return np.diag(p * (1 - p))


def column_formula(p):
    return p * (np.eye(len(p)) - p.T)


def diag_of_column(p):
    return np.diag(p[:, None]) - p[:, None] @ p[None, :]


def inner_product(p):
    return np.diag(p) - p @ p


def plus_outer(p):
    return np.diag(p) + np.outer(p, p)


def plus_off_diagonal(p):
    return np.where(np.eye(len(p)) == 1, p * (1 - p), np.outer(p, p))


def negated(p):
    return np.outer(p, p) - np.diag(p)


def of_log_softmax(p):
    return np.eye(len(p)) - p


def right_jacobian(p):
    return np.diag(p) - np.outer(p, p)


JACOBIANS = (
    diagonal_only,
    column_formula,
    diag_of_column,
    inner_product,
    plus_outer,
    plus_off_diagonal,
    negated,
    of_log_softmax,
)


def minus(p, y):
    return p - y


def turned(p, y):
    return y - p


def stops_early(p, y):
    return -y / p


def diagonal(p, y):
    return -y * (1 - p)


def with_extra_jacobian(p, y):
    return right_jacobian(p) @ (p - y)


def with_wrong_jacobian(p, y):
    return column_formula(p) @ (p - y)


def label_before(p, y):
    return p - np.roll(y, -1)


GRADIENTS = (turned, stops_early, diagonal, with_extra_jacobian, with_wrong_jacobian, label_before)


def whole(result):
    return result


def by_classes(result):
    return result / len(result)


def with_turned_sign(result):
    return -result


def doubled(result):
    return 2 * result


def product(firsts, seconds):
    """All pairs, but for two signs that make it right again."""
    signs = ({negated, with_turned_sign}, {turned, with_turned_sign})
    return [pair for pair in itertools.product(firsts, seconds) if set(pair) not in signs]


def is_wrong(function, kind, **options):
    return bool(examine(InThisProcess(function), Options(kind, **options)).failed("exercise"))


def name(functions):
    return "+".join(f.__name__ for f in functions)


@pytest.mark.parametrize("pair", product(SOFTMAXES, JACOBIANS), ids=name)
def test_softmax_and_jacobian(pair):
    softmax, jacobian = pair
    assert is_wrong(lambda z: jacobian(softmax(z)), "softmax_jacobian", given="logits")


@pytest.mark.parametrize("pair", product(SOFTMAXES, JACOBIANS), ids=name)
def test_softmax_and_product(pair):
    softmax, jacobian = pair
    assert is_wrong(lambda z, g: g @ jacobian(softmax(z)), "softmax_vjp", given="logits")


@pytest.mark.parametrize("pair", product((right_softmax, *SOFTMAXES), GRADIENTS), ids=name)
def test_softmax_and_gradient(pair):
    softmax, gradient = pair
    assert is_wrong(lambda z, y: gradient(softmax(z), y), "cross_entropy_grad")


@pytest.mark.parametrize("pair", product(JACOBIANS, (by_classes, with_turned_sign, doubled)), ids=name)
def test_jacobian_and_scale(pair):
    jacobian, scale = pair
    assert is_wrong(lambda z: scale(jacobian(right_softmax(z))), "softmax_jacobian")


@pytest.mark.parametrize("pair", product(GRADIENTS, (by_classes, with_turned_sign, doubled)), ids=name)
def test_gradient_and_scale(pair):
    gradient, scale = pair
    assert is_wrong(lambda z, y: scale(gradient(right_softmax(z), y)), "cross_entropy_grad")


TOGETHER = [
    (softmax_twice, column_formula, "column-formula-1d+softmax-twice"),
    (softmax_twice, plus_outer, "off-diagonal-sign+softmax-twice"),
    (softmax_of_powers_of_two, of_log_softmax, "log-softmax-jacobian+logarithm-base"),
    (softmax_of_powers_of_two, inner_product, "inner-product+logarithm-base"),
]


@pytest.mark.parametrize(("softmax", "jacobian", "both"), TOGETHER, ids=lambda x: getattr(x, "__name__", x))
def test_two_are_named_together(softmax, jacobian, both):
    report = softjac.check(lambda z: jacobian(softmax(z)), "softmax_jacobian")
    assert report.main.name == both
    assert report.main.title.count(", and ") == 1
    assert report.main.fix.count("\n") >= 1


def test_formula_and_scale_are_named_together():
    report = softjac.check(lambda z: -column_formula(right_softmax(z)), "softmax_jacobian")
    assert report.main.name == "column-formula-1d+negated"


def test_gradient_and_scale_are_named_together():
    report = softjac.check(lambda z, y: (y - right_softmax(z)) / np.shape(z)[-1], "cross_entropy_grad")
    assert report.main.name == "gradient-sign+divided-by-classes"


def test_a_mistake_at_each_level():
    """Each has a diagnosis of its own: the formula at level exercise, the missing maximum at level stable."""

    def jacobian(z):
        s = np.exp(z) / np.exp(z).sum()
        return np.diag(s) - s @ s

    report = softjac.check(jacobian, "softmax_jacobian")
    assert [(d.name, d.level) for d in report.diagnoses][:2] == [
        ("inner-product", "exercise"),
        ("no-maximum-subtracted", "stable"),
    ]


# Two that cancel


def diagonal_of_softmax(p):
    """Only the diagonal of the Jacobian."""
    return p * (1 - p)


def slope_of_binary_cross_entropy(p, y):
    return (p - y) / (p * (1 - p))


def test_two_that_cancel_are_the_right_gradient():
    """(p - y)/(p(1 - p)) times p(1 - p) is p - y: nothing in the product tells that both are wrong."""

    def gradient(z, y):
        p = right_softmax(z)
        with np.errstate(all="ignore"):
            return np.where((p > 0) & (p < 1), slope_of_binary_cross_entropy(p, y) * diagonal_of_softmax(p), p - y)

    report = softjac.check(gradient, "cross_entropy_grad")
    assert report.conforms, str(report)


@pytest.mark.parametrize(
    ("function", "what", "options", "mistake"),
    [
        (lambda z: np.diag(diagonal_of_softmax(right_softmax(z))), "softmax_jacobian", {}, "diagonal-only"),
        (lambda z: diagonal_of_softmax(right_softmax(z)), "softmax_jacobian", {}, "diagonal-only"),
        (lambda z, g: g * diagonal_of_softmax(right_softmax(z)), "softmax_vjp", {}, "diagonal-only"),
        (lambda p, g: g * diagonal_of_softmax(p), "softmax_vjp", {"given": "probs"}, "diagonal-only"),
        (slope_of_binary_cross_entropy, "cross_entropy_grad", {"given": "probs"}, "binary-cross-entropy"),
    ],
    ids=["matrix", "vector", "product", "product of probabilities", "binary"],
)
def test_each_of_two_that_cancel_is_found_by_itself(function, what, options, mistake):
    report = softjac.check(function, what, **options)
    assert report.mistake == mistake, str(report)
