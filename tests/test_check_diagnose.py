"""What is said where no known mistake fits, where one does and is not the whole, and within which precision."""

import dataclasses

import numpy as np
import pytest

import softjac
from softjac.check import measures, signatures
from softjac.check.candidate import InThisProcess
from softjac.check.diagnose import diagnose
from softjac.check.judge import examine
from softjac.check.mistakes.of_jacobian import number
from softjac.check.model import Convention
from softjac.check.observed import Case, Precision, cases_of, precision_of
from softjac.check.options import Options
from softjac.check.pasted import report_of_numbers


def right_softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def right_jacobian(z):
    p = right_softmax(z)
    return np.diag(p) - np.outer(p, p)


# Nothing fits


def test_a_constant_ratio_is_said():
    report = softjac.check(lambda z: 2.5 * right_jacobian(z), "softmax_jacobian")
    assert report.main.name == ""
    assert report.mistake is None
    assert "every entry is 2.5 times the right one" in report.main.symptom[1]
    assert report.main.title == "no known mistake fits"


def test_row_sums_column_sums_and_the_diagonal_are_said():
    def jacobian(z):
        J = right_jacobian(z)
        J[0, -1] += 0.25
        return J

    report = softjac.check(jacobian, "softmax_jacobian")
    assert report.main.name == ""
    assert report.main.symptom[1] == "diagonal right; row sums +0.2500 0.0000 0.0000, should be 0"


def test_a_matrix_that_is_not_symmetric_is_said_to_be_so():
    turned = np.array([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])

    def jacobian(z):
        J = right_jacobian(z)
        return J + 0.01 * turned if len(z) == 3 else J

    report = softjac.check(jacobian, "softmax_jacobian")
    assert report.main.symptom[1] == "diagonal right; not symmetric"


def test_the_sum_of_a_softmax_is_said():
    report = softjac.check(lambda z: right_softmax(z) ** 0.75, "softmax")
    assert report.main.name == ""
    assert report.main.symptom[0] == "z = [1, 2, 4]: p[0] is 0.0928, it should be 0.0420"
    assert report.main.symptom[1] == "sum 1.1696, should be 1"


def test_what_it_is_right_on_is_said():
    def softmax(z):
        return right_softmax(z) if len(z) < 5 else 2 * right_softmax(z)

    report = softjac.check(softmax, "softmax", takes="vector")
    assert report.main.name == ""
    assert report.main.why == (
        "Wrong: sizes, float32. Right: vectors, integers, lists, read only, same again, input kept, equal logits."
    )


def test_an_exception_is_told():
    def softmax(z):
        if len(z) > 4:
            raise RuntimeError("five are too many")
        return right_softmax(z)

    report = softjac.check(softmax, "softmax", takes="vector")
    assert report.main.name == ""
    assert report.main.title == "raises RuntimeError"
    assert "five are too many" in report.main.seen[0]


def test_a_wrong_shape_is_told():
    report = softjac.check(lambda z: right_softmax(z)[:-1], "softmax", takes="vector")
    assert report.main.symptom == ("z = [1, 2, 4]: shape (2,), it should be shape (3,)",)


def test_level_exact_without_a_known_cause():
    report = softjac.check(lambda z: right_softmax(z) * (1 + 1e-14), "softmax", level="exact", takes="vector")
    assert (report.main.name, report.main.level) == ("", "exact")


def test_nothing_is_said_where_nothing_is_wrong():
    assert softjac.check(softjac.softmax_jacobian, level="exact").diagnoses == ()


def test_what_cannot_run_has_no_cause():
    examination = dataclasses.replace(examine(InThisProcess(right_softmax), Options("softmax")), could_not="it hangs")
    assert diagnose(examination) == (examination, ())


# More than one


def test_a_wrong_vector_beside_another_batch():
    """np.diag of a matrix is a vector: the vector has its mistake, whatever the batch is."""

    def jacobian(batch):
        p = right_softmax(batch)
        return np.diag(p * (1 - p))

    report = softjac.check(jacobian, "softmax_jacobian")
    assert report.main.name == "diagonal-only"


def test_a_batch_that_a_function_of_one_vector_is_not_held_to():
    def softmax(z):
        return np.exp(z) / np.sum(np.exp(z))

    report = softjac.check(softmax)
    assert report.conforms
    assert [(d.name, d.level) for d in report.also] == [
        ("no-maximum-subtracted", "stable"),
        ("one-sum-over-array", "exercise"),
    ]


def test_a_gradient_of_the_sum_with_another_mistake():
    """Where a gradient is never right, mean and sum cannot be found by trying: both are looked at."""

    def gradient(z, label):
        p = right_softmax(z)
        return p - np.asarray(label)[..., None]

    report = softjac.check(gradient, "cross_entropy_grad")
    assert report.main.name == "index-as-one-hot"


def test_an_epsilon_beside_a_missing_maximum():
    def loss(z, label):
        e = np.exp(z)
        return -np.log(e[label] / e.sum() + 1e-9)

    report = softjac.check(loss, "cross_entropy", level="stable")
    assert [d.name for d in report.diagnoses] == ["no-maximum-subtracted", "epsilon"]


def test_an_unknown_formula_that_overflows():
    report = softjac.check(lambda z: (np.exp(z) / np.exp(z).sum()) ** 0.75, "softmax", takes="vector")
    assert [d.name for d in report.diagnoses] == ["", "no-maximum-subtracted"]


def test_large_logits_need_not_be_nan():
    """What is finite for large logits is no missing maximum."""
    report = softjac.check(lambda z: right_softmax(z) ** 0.75, "softmax", takes="vector")
    assert "no-maximum-subtracted" not in {d.name for d in report.diagnoses}


def test_several_that_fit_are_listed():
    """At z = [0, 0] three mistakes give the same four numbers; at [0, 1] they do not."""
    options = Options(what="softmax_jacobian")
    report = report_of_numbers([0.0, 0.0], [[0.25, 0.25], [0.25, 0.25]], options)
    assert (report.mistake, report.main.others) == ("diag-of-column", ("off-diagonal-sign", "identity-missing"))
    report = report_of_numbers([0.0, 1.0], [[0.1966, 0.1966], [0.1966, 0.1966]], options)
    assert (report.mistake, report.main.others) == ("off-diagonal-sign", ())


@pytest.mark.parametrize("decimals", [2, 3, 4, 12])
def test_numbers_of_one_input_are_enough(decimals):
    p = right_softmax(np.array([2.0, 1.0, 0.1]))
    J = np.round(p * (np.eye(3) - p.T), decimals)
    report = report_of_numbers([2.0, 1.0, 0.1], J, Options(what="softmax_jacobian"))
    assert report.mistake == "column-formula-1d"


# What is inferred


def judged(function, kind="softmax"):
    return examine(InThisProcess(function), Options(kind)).judgements


@pytest.mark.parametrize("decimals", [3, 4, 6])
def test_rounded_results_are_seen_to_be_so(decimals):
    assert precision_of(judged(lambda z: np.round(right_softmax(z), decimals))) == Precision(decimals=decimals)


def test_narrow_types_are_seen():
    assert precision_of(judged(lambda z: right_softmax(z).astype("float32"))).relative == 1e-5
    assert precision_of(judged(lambda z: right_softmax(z).astype("float16"))).relative == 4e-3
    assert precision_of(judged(right_softmax)) == Precision()


@pytest.mark.parametrize("decimals", [3, 4, 5])
def test_a_rounded_mistake_is_still_named(decimals):
    def jacobian(z):
        p = right_softmax(z)
        return np.round(p * (np.eye(len(p)) - p.T), decimals).tolist()

    assert softjac.check(jacobian, "softmax_jacobian").mistake == "column-formula-1d"


def test_a_mistake_in_float32_is_still_named():
    def jacobian(z):
        p = right_softmax(np.asarray(z, dtype=np.float32))
        return np.diag(p) + np.outer(p, p)

    assert softjac.check(jacobian, "softmax_jacobian").mistake == "off-diagonal-sign"


@pytest.mark.parametrize("eps", [1e-3, 1e-5, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, 1e-300])
def test_an_epsilon_is_read_off(eps):
    report = softjac.check(lambda z, label: -np.log(right_softmax(z)[label] + eps), "cross_entropy", level="stable")
    assert report.mistake == "epsilon"
    assert f"Here it is {eps:.3g}:" in report.main.why


@pytest.mark.parametrize("eps", [1e-7, 1e-10, 1e-15])
def test_a_clip_is_told_from_an_epsilon(eps):
    def loss(z, label):
        return -np.log(np.clip(right_softmax(z), eps, 1 - eps)[label])

    report = softjac.check(loss, "cross_entropy", level="stable")
    assert report.mistake == "clip"
    assert f"Here it is {eps:.3g}:" in report.main.why


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_how_many_decimals_are_rounded_to_is_read_off(decimals):
    def jacobian(z):
        p = np.round(right_softmax(z), decimals)
        return np.diag(p) - np.outer(p, p)

    report = softjac.check(jacobian, "softmax_jacobian")
    assert report.mistake == "rounded-before-product"
    assert f"{decimals} decimal" in report.main.why


def test_a_base_is_read_off():
    for base, log in ((2, np.log2), (10, np.log10)):
        report = softjac.check(lambda z, label, log=log: -log(right_softmax(z)[label]), "cross_entropy")
        assert report.mistake == "logarithm-base"
        assert f"log{base}" in report.main.why


# Measures


def test_measures():
    truth = np.array([[0.25, -0.25], [-0.25, 0.25]])
    assert measures.constant_ratio(3 * truth, truth) == pytest.approx(3)
    assert measures.constant_ratio(truth, truth) is None
    assert measures.constant_ratio(truth + 0.1, truth) is None
    assert measures.of_matrix(truth, truth) == ["diagonal right"]
    assert measures.of_matrix(truth + 4e-5, truth) == ["diagonal right"]
    assert measures.of_matrix(truth + np.array([[0, 0.1], [0.1, 0]]), truth) == [
        "diagonal right",
        "row sums +0.1000 +0.1000, should be 0",
    ]
    assert measures.of_row(np.array([0.5, 0.6]), np.array([0.5, 0.5]), 1, 1e-9) == ["sum 1.1000, should be 1"]
    assert measures.few(np.array([0.0004, -3e-9])) == "0.0004 0.0000"


def test_rounded_sums_are_not_called_wrong():
    """Four decimals in each of n entries: the sum may be off by n * 5e-5."""
    J = np.round(right_jacobian(np.array([0.25, -1.5, 3.125, 0.75, -0.125])), 4)
    assert not [said for said in measures.of_matrix(J, right_jacobian(np.arange(5.0))) if "row sums" in said]


def test_numbers():
    assert number(-0.0) == "0.0000"
    assert (number(-0.01304), number(2.5e-8), number(float("inf"))) == ("-0.0130", "2.50e-08", "inf")


# Signatures


def test_difference_quotients_are_not_float32():
    def jacobian(z):
        step = 1e-6 * np.eye(len(z))
        return np.stack([(right_softmax(z + e) - right_softmax(z)) / 1e-6 for e in step], axis=1)

    report = softjac.check(jacobian, "softmax_jacobian", level="exact", takes="vector")
    assert report.mistake != "float32-sums"


def test_a_constant_is_not_called_so_for_one_input():
    judgements = judged(lambda _z: np.array([0.1, 0.2, 0.7]))
    cases = cases_of(judgements, "softmax", Convention(), Precision())
    (one,) = (c for c in cases if c.judgement.probe.name == "z = [1, 2, 4]")
    assert signatures.ignores_input(cases)
    assert not signatures.ignores_input([one])


def test_thousands_of_pairs_share_their_arrays(monkeypatch):
    """An unknown value with an unknown gradient is held against all pairs, and each array is compared once."""
    counted = []
    compare = Case._compare
    monkeypatch.setattr(Case, "_compare", lambda case, k, a: counted.append(k) or compare(case, k, a))

    def value_and_grad(z, y):
        p = right_softmax(z)
        return -(y * np.log(p)).sum() + np.sin(z).sum(), p - y + np.sin(z)

    report = softjac.check(value_and_grad, "cross_entropy_value_and_grad")
    assert report.main.title == "no known mistake fits"
    assert 500 < len(counted) < 20_000


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (lambda z: (np.asarray(z) == np.max(z, axis=-1, keepdims=True)).astype(float), "softmax"),
        (lambda z, y: float(np.argmax(z) != y), "cross_entropy"),
    ],
    ids=["largest", "zero or one"],
)
def test_whole_numbers_are_not_cut(function, kind):
    """Whole numbers come back of floats, too, and are as wrong."""
    report = softjac.check(function, kind)
    assert "integers-cut" not in {d.name for d in report.diagnoses}, str(report)


def test_overflow_is_shown_where_there_is_one():
    """With another formula that nobody knows: what is shown of the missing maximum is inf or NaN."""

    def gradient(z, y):
        p = np.exp(z) / np.exp(z).sum()
        return p * 0.5 - y + np.sin(p)

    report = softjac.check(gradient, "cross_entropy_grad", level="stable")
    (shown,) = [d for d in report.diagnoses if d.name == "no-maximum-subtracted"]
    assert "is nan" in shown.symptom[0]


def test_nan_is_shown_and_not_what_is_wrong_before_it():
    def softmax(z):
        p, masked = right_softmax(z), np.isneginf(z)
        return np.where(masked, np.nan, p + masked.any())

    report = softjac.check(softmax)
    (shown,) = [d for d in report.diagnoses if d.name == "nan-at-minus-infinity"]
    assert "is nan, it should be 0.0000" in shown.symptom[0]


def test_a_mistake_is_told_once():
    def loss(z, t):
        return np.log(np.exp(z - np.max(z)).sum()) + np.max(z) - (t * z).sum()

    report = softjac.check(loss, "cross_entropy", level="stable")
    names = [d.name for d in report.diagnoses]
    assert sorted(names) == sorted(set(names))


def test_decimals_that_are_missing_are_counted():
    report = softjac.check(lambda z: np.round(right_softmax(z), 2), "softmax")
    assert report.main.title == "right to 2 decimals, and 4 are asked"
    assert softjac.check(lambda z: np.round(right_softmax(z), 2), "softmax", decimals=2).conforms


def test_an_epsilon_in_the_sum_is_explained_once():
    def softmax(z):
        e = np.exp(z - np.max(z, axis=-1, keepdims=True))
        return e / (e.sum(axis=-1, keepdims=True) + 0.01)

    report = softjac.check(softmax)
    assert report.mistake == "epsilon"
    assert report.main.why.count("epsilon") == report.main.why.count("0.01") == 1
    assert softjac.check(lambda z: np.log(right_softmax(z)), "log_softmax", level="stable").main.why.startswith("A p")


def test_a_function_of_one_vector_is_not_asked_about_batches_before_its_mistake_is_mended():
    """Its softmax has an axis, so that batches come back; p[y] is a row there, and no second mistake to be told."""

    def gradient(z, y):
        g = right_softmax(z)
        g[y] = 1
        return g

    report = softjac.check(gradient, "cross_entropy_grad")
    assert [d.name for d in report.diagnoses if d.level == "exercise"] == ["label-entry-assigned"]


def test_a_clip_of_any_size_is_none():
    """S**2 overflows before S does: neither a missing maximum alone nor a clip of the logits beside it."""

    def jacobian(z):
        e = np.exp(z)
        S = e.sum()
        return (np.outer(e, e) - np.diag(e) * S) / S**2

    report = softjac.check(jacobian, "softmax_jacobian", level="stable")
    assert report.mistake == "negated"
    assert not [d.name for d in report.diagnoses if "clip" in d.name]


def test_powers_of_nearly_e_are_not_float32():
    def softmax(z):
        return 2.718281 ** (z - np.max(z)) / (2.718281 ** (z - np.max(z))).sum()

    assert "float32-sums" not in {d.name for d in softjac.check(softmax, level="exact").diagnoses}


def test_a_mean_of_whole_numbers_is_not_cut():
    """Integers come in and whole numbers go out; so they do for floats, whose mistake it is."""

    def loss(z, t):
        return -sum(t[k] * np.log(right_softmax(z)[k]) for k in range(len(z) - 2))

    assert "integers-cut" not in {d.name for d in softjac.check(loss, "cross_entropy").diagnoses}


@pytest.mark.parametrize("amount", [0.37, 0.0123, 0.5])
def test_the_amount_of_smoothing_is_read_off(amount):
    def loss(z, y):
        t = np.full(len(z), amount / len(z))
        t[y] += 1 - amount
        return -(t * np.log(right_softmax(z))).sum()

    report = softjac.check(loss, "cross_entropy")
    assert report.mistake == "smoothed-targets"
    assert f"a = {amount:.3g}" in report.main.why
