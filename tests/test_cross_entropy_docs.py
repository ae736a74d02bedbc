"""docs/cross_entropy.md: its examples, tables and statements, by brute force. test_readme.py runs the sessions."""

import inspect
import math
import re
import subprocess
import sys

import numpy as np
import pytest

import softjac
from libraries import peer
from test_operator_docs import derivative, hessian, naive_softmax, run_sections
from test_readme import ROOT

PAGE = ROOT / "docs" / "cross_entropy.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sections():
    return run_sections(PAGE)


def tables(text):
    """The tables of a text, each a list of rows of cells, without its header."""
    found, rows = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append(rows[2:])
            rows = []
    return found


def part(start, end):
    return TEXT.partition(start)[2].partition(end)[0]


# ------------------------------------------------------------------------------------------------------- the tasks


def naive_loss(z, labels):
    return -np.log(naive_softmax(z)[np.arange(len(z)), labels]).mean()


def test_the_loss_of_a_batch():
    logits, labels = np.array([[2.0, 0.5, -1.0], [0.0, 20.0, 0.0]]), [0, 1]
    assert "0.12065565038973215" in TEXT
    np.testing.assert_allclose(naive_loss(logits, labels), 0.12065565038973215, rtol=1e-14)


def test_parts_of_a_batch_are_put_together_with_their_denominators():
    rng = np.random.default_rng(0)
    z, labels = rng.standard_normal((30, 4)), rng.integers(-1, 4, 30)
    options = {"weight": [0.5, 1.0, 2.0, 0.0], "ignore_index": -1, "return_denominator": True}
    loss, denominator = softjac.cross_entropy(z, labels, sample_weight=np.arange(30.0), **options)
    slices = slice(0, 7), slice(7, 30)
    parts = [softjac.cross_entropy(z[s], labels[s], sample_weight=np.arange(30.0)[s], **options) for s in slices]
    assert sum(d for _, d in parts) == denominator
    np.testing.assert_allclose(sum(x * d for x, d in parts) / denominator, loss, rtol=1e-14)


def test_the_training_step(sections):
    names = sections["A training step"]
    X, labels, W = names["X"].astype(float), names["labels"], np.zeros((8, 4))
    for loss in names["losses"]:
        np.testing.assert_allclose(loss, naive_loss(X @ W, labels), rtol=1e-5)
        W -= 2.0 * X.T @ (naive_softmax(X @ W) - np.eye(4)[labels]) / len(X)
    np.testing.assert_allclose(names["W"], W, atol=1e-5)


def test_newton_steps_of_two_distributions(sections):
    names = sections["Newton's method"]
    y, z = names["y"], np.zeros((2, 3))
    for excess in names["excess"]:
        p = naive_softmax(z)
        assert f"{-(y * np.log(p / y)).sum() / 2:.1e}" == excess
        J = [np.diag(row) - np.outer(row, row) for row in p]
        z -= np.stack([np.linalg.lstsq(*pair)[0] for pair in zip(J, p - y, strict=True)])


def test_newton_steps_end_at_the_optimum(sections):
    names = sections["Newton's method"]
    X, labels, W = names["X"].astype(float), names["labels"], names["W"]

    def loss(w):
        return naive_loss(X @ w.reshape(W.shape), labels) + names["ridge"] * (w @ w) / 2

    np.testing.assert_allclose(derivative(loss, W.ravel()), 0, atol=1e-7)
    direction = np.random.default_rng(0).standard_normal(W.size)
    by_differences = hessian(loss, W.ravel()) @ direction
    np.testing.assert_allclose(names["product"](direction), by_differences, atol=1e-5)


# ------------------------------------------------------------------------------------------------------ the options

OPTIONS = [[cell.strip("`") for cell in row] for row in tables(part("What each option does", "In one line"))[0]]
FUNCTIONS = ("cross_entropy", "cross_entropy_grad", "cross_entropy_value_and_grad", "cross_entropy_hessian")
HVP = {"cross_entropy_hvp": softjac.cross_entropy_hvp}


def test_the_table_has_every_option():
    names = set(inspect.signature(softjac.cross_entropy).parameters)
    names -= {"logits", "targets", "axis", "reduction", "return_denominator"}
    found = set(re.findall(r"(\w+)=", " ".join(row[0] for row in OPTIONS)))
    assert found == names
    assert len(OPTIONS) == 13


@pytest.mark.parametrize(("arguments", "loss", "gradient", "second"), OPTIONS, ids=[row[0] for row in OPTIONS])
def test_an_option_is_its_formula(arguments, loss, gradient, second, sections):
    names = dict(sections["The options"]) | {name: getattr(softjac, name) for name in FUNCTIONS}
    value, slope, both, H = (eval(f"{name}({arguments}, reduction='sum')", names) for name in FUNCTIONS)
    np.testing.assert_allclose(value, eval(loss, names), rtol=1e-13)
    np.testing.assert_allclose(slope, eval(gradient, names), rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(both[1], slope)
    assert both[0] == value
    matrix = eval(second, names)
    np.testing.assert_allclose(H.to_dense(), matrix, rtol=1e-13, atol=1e-15)
    names["v"] = np.array([1.0, 0.0, -2.0, 0.5, 3.0])
    arguments = arguments.replace("c", "c, v", 1) if arguments.startswith("z, c") else arguments.replace("y", "y, v", 1)
    product = eval(f"cross_entropy_hvp({arguments}, reduction='sum')", names | HVP)
    np.testing.assert_allclose(product, matrix @ names["v"], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_denominators(weighted):
    rng = np.random.default_rng(0)
    z, labels, y = rng.standard_normal((6, 4)), np.array([0, 1, -1, 2, 3, 3]), rng.random((6, 4))
    w, omega = (np.array([0.5, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0, 0.0, 1.5, 3.0])) if weighted else (None, None)
    options = {"weight": w, "sample_weight": omega}
    found = softjac.cross_entropy(z, labels, ignore_index=-1, return_denominator=True, **options)[1]
    assert found == (0.5 + 2.0 + 1.5 * 3.0 + 3.0 * 3.0 if weighted else 5)
    assert softjac.cross_entropy(z, y, return_denominator=True, **options)[1] == (omega.sum() if weighted else 6)
    for reduction in ("none", "sum", "mean"):
        by_class = softjac.cross_entropy_grad(z[:2], labels[:2], reduction=reduction, weight=w)
        by_row = softjac.cross_entropy_grad(z[:2], np.eye(4)[labels[:2]], reduction=reduction, weight=w)
        assert np.array_equal(by_class, by_row) == (not weighted or reduction != "mean")


def test_a_hessian_is_in_the_directions_that_the_page_says():
    z = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    labels = np.random.default_rng(1).integers(0, 3, (2, 4, 5))
    H = softjac.cross_entropy_hessian(z, labels, axis=1)
    assert H.batch_shape == (2, 4, 5)
    v = np.random.default_rng(2).standard_normal(z.shape)
    product = H @ np.moveaxis(v, 1, -1)
    np.testing.assert_allclose(softjac.cross_entropy_hvp(z, labels, v, axis=1), np.moveaxis(product, -1, 1), rtol=1e-12)
    assert softjac.cross_entropy_hessian([-5.0, -6.0], 0, z_loss=1.0).weight < 0


# ------------------------------------------------------------------------------------------------ the confident tail

LOSS, GRADIENT, ORDINARY = tables(part("confident_tail: begin", "confident_tail: end"))


def test_the_tables_of_the_tail_are_exact_and_ours():
    for table, pick in ((LOSS, lambda value, _: value), (GRADIENT, lambda _, gradient: gradient[1])):
        assert [row[:2] for row in table] == [
            [dtype, gap] for dtype in ("float32", "float64") for gap in ("10", "17", "20", "37", "40", "100")
        ]
        for dtype, gap, exact, ours, *_ in table:
            g = float(gap)
            value = math.log1p(math.exp(-g)) if table is LOSS else -1 / (1 + math.exp(g))
            assert exact == f"{value:.4g}"
            found = pick(*softjac.cross_entropy_value_and_grad(np.array([0, g], dtype), 1))
            assert ours == f"{float(found):.4g}"
            assert found == np.dtype(dtype).type(value) or abs(found / value - 1) < 2.0**-51


def test_the_page_holds_what_the_script_prints():
    for name in ("torch", "optax", "sklearn"):
        peer(name, "peers")
    command = [sys.executable, "-m", "benchmarks.confident_tail"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout
    on_page = part("<!-- confident_tail: begin -->\n\n", "\n<!-- confident_tail: end -->")
    number = r"(?<=\| )-?\d[\d.]*(e-\d+)?(?= \|)"
    assert re.sub(number, "#", printed) == re.sub(number, "#", on_page)
    for new, old in zip(tables(printed)[:2], (LOSS, GRADIENT), strict=True):
        for found, expected in zip(new, old, strict=True):
            assert found[:4] == expected[:4]
            # Where peers are not 0 they are within rounding, which other processors and versions do differently.
            peers = [[float(x) for x in row[4:]] for row in (found, expected)]
            assert [x == 0 for x in peers[0]] == [x == 0 for x in peers[1]]
            np.testing.assert_allclose(*peers, rtol=0.02 if found[0] == "float32" else 1e-3)
    for rows in (tables(printed)[2], ORDINARY):
        for row in rows:
            limit = 1e-8 if row[1] == "the mean" else 5e-7
            assert all(0 <= float(x) <= limit for x in row[2:]), row


def test_where_rounded_sums_and_probabilities_end():
    one = np.float32(1)
    assert one + np.exp(np.float32(-16)) > one == one + np.exp(np.float32(-17))
    assert 1 + math.exp(-36) > 1 == 1 + math.exp(-37)
    assert softjac.softmax(np.float32([0, 17]))[1] < 1 == softjac.softmax(np.float32([0, 18]))[1]
    assert softjac.softmax(np.float32([0, 103]))[0] > 0 == softjac.softmax(np.float32([0, 104]))[0]


def test_what_is_lost_with_rounded_probabilities():
    for gap in np.linspace(0.0, 80.0, 41):
        p = softjac.softmax(np.array([0, gap], np.float32)).astype(float)
        z = np.array([0, gap], np.float32).astype(float)
        for label in (0, 1):
            loss = softjac.cross_entropy(np.log(p), label)
            assert abs(loss / softjac.cross_entropy(z, label) - 1) < 2 * 6e-8


def test_logarithms_of_probabilities_are_logits():
    z = np.random.default_rng(0).standard_normal((20, 6)) * 10
    labels = np.arange(20) % 6
    shift = np.random.default_rng(1).standard_normal((20, 1))
    np.testing.assert_allclose(
        softjac.cross_entropy(softjac.log_softmax(z) + shift, labels, reduction="none"),
        softjac.cross_entropy(z, labels, reduction="none"),
        rtol=1e-13,
    )


# --------------------------------------------------------------------------------------------------- what differs


def test_what_is_said_of_optax():
    optax = peer("optax", "peers")
    z = np.tile(np.float32([0.0, 1.0, 2.0]), (3, 1))
    past, negative, last = optax.softmax_cross_entropy_with_integer_labels(z, np.array([3, -1, 2]))
    assert np.isnan(past)
    assert negative == last
    smoothed = np.asarray(optax.smooth_labels(np.float32([[0, 1, 0]]), 0.3))
    np.testing.assert_allclose(
        softjac.cross_entropy(z[:1], [1], label_smoothing=0.3),
        optax.softmax_cross_entropy(z[:1], smoothed)[0],
        rtol=1e-6,
    )
    options = inspect.signature(optax.softmax_cross_entropy_with_integer_labels).parameters
    assert not {"weight", "sample_weight", "label_smoothing", "reduction"} & set(options)


def test_what_is_said_of_scikit_learn():
    metrics, losses = peer("sklearn.metrics", "peers"), peer("sklearn._loss", "peers")
    wrong = metrics.log_loss([0], np.float32([[0.0, 1.0]]), labels=[0, 1])
    assert 15.9 < wrong < 15.95
    assert softjac.cross_entropy([0.0, 100.0], 0) == 100
    loss = losses.HalfMultinomialLoss(n_classes=3)
    rows, _ = loss.loss_gradient(np.array([7.0, 1.0]), np.zeros((2, 3)))
    np.testing.assert_allclose(rows, np.log(3))
    with pytest.raises(softjac.BoundsError):
        softjac.cross_entropy(np.zeros((2, 3)), [7, 1])


def test_what_is_said_of_keras_follows_from_its_clipping():
    found = re.search(r"clips them\s+to \[(\S+),.*below (\S+)\s+nor\s+above ([\d.]+)\.", TEXT, re.DOTALL)
    clipped, least, most = map(float, found.groups())
    assert least <= -math.log1p(-clipped) < 1.001 * least
    assert most - 0.1 < -math.log(clipped) < most
