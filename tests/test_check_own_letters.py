"""Reports speak of the reader's own variable where it is clear which one holds the probabilities."""

import numpy as np
import pytest

import softjac
from softjac.check.model import Facts
from softjac.check.own_letters import letter_of


def of(*lines, parameters=("z",)):
    return letter_of(Facts(source="def f(z):\n    " + "\n    ".join(lines), parameters=parameters))


@pytest.mark.parametrize(
    "lines",
    [
        ("s = np.exp(z) / np.sum(np.exp(z))",),
        ("e = np.exp(z - np.max(z))", "s = e / e.sum(axis=-1, keepdims=True)"),
        ("e = [math.exp(v) for v in z]", "total = sum(e)", "s = [v / total for v in e]"),
        ("m = max(z)", "e = [math.exp(v - m) for v in z]", "s = [v / sum(e) for v in e]"),
        ("s = np.exp(z)", "s /= s.sum()"),
        ("shifted = z - z.max()", "e = np.exp(shifted)", "t = e.sum(1)", "s: float = e / t[:, None]"),
        ("s = softmax(z)",),
        ("s = torch.softmax(z, dim=0)",),
        ("s = stable_softmax(z).reshape(-1, 1)",),
        ("s = np.asarray(scipy.special.softmax(z))", "J = np.diag(s) - np.outer(s, s)"),
        ("s = F.softmax(z, 0)[:, None]", "n = len(s)", "eye = np.eye(n)"),
    ],
)
def test_what_is_assigned_a_softmax(lines):
    assert of(*lines) == "s"


@pytest.mark.parametrize(
    "lines",
    [
        ("return np.exp(z) / np.exp(z).sum()",),
        ("s = log_softmax(z)",),
        ("s = softmax_jacobian(z)",),
        ("s = z / z.sum()",),
        ("s = np.exp(z) / len(z)",),
        ("s = np.diag(softmax(z))",),
        ("a = softmax(z)", "b = softmax(a)"),
        ("z = softmax(z)",),
        ("s = np.exp(z).sum()",),
        ("e = sum(math.exp(v) for v in z)", "s = [-math.exp(v) / e for v in z]"),
        ("s[0] = softmax(z)",),
        ("s, t = softmax(z), 1",),
    ],
)
def test_otherwise_there_is_none(lines):
    assert of(*lines) == ""


@pytest.mark.parametrize("source", ["", "def f(z:", "s = " + "(" * 5000 + "z" + ")" * 5000, "s = '\0'"])
def test_source_that_is_none(source):
    assert letter_of(Facts(source=source)) == ""


def softmax_jacobian(z):
    s = np.exp(z) / np.sum(np.exp(z))
    return s * (np.eye(len(s)) - s.T)


def test_a_report_speaks_of_it():
    text = softjac.check.check(softmax_jacobian).to("text", reveal="fix")
    assert "p[j]*((i==j) - p[j])".replace("p[", "s[") in " ".join(text.split())
    assert "yours    -s[1]*s[1] ~ -0.1142 * 0.1142 ~ -0.0130" in text
    assert "correct  -s[0]*s[1] ~ -0.0420 * 0.1142 ~ -0.0048" in text
    assert "print(s.shape, s.T.shape)" in text
    assert "J = np.diag(s) - np.outer(s, s)" in text


def test_a_report_of_a_file_speaks_of_it(submission):
    body = """
    def grad(z, y):
        e = np.exp(z - z.max())
        probs = e / e.sum()
        probs[y] += 1
        return probs
    """
    report = softjac.check.check(f"{submission(body)}:grad", "cross_entropy_grad")
    assert "probs[1] + y[1]" in report.to("text")
    assert "p[1]" not in report.to("text")


def test_a_name_that_is_not_ascii_is_left_out():
    def grad(z, y):
        σ = np.exp(z) / np.exp(z).sum()  # noqa: PLC2401
        σ[y] += 1
        return σ

    text = softjac.check.check(grad, "cross_entropy_grad").to("text")
    assert "p[1] + y[1]" in text
    assert text.isascii()
    assert "\\u" not in text


def test_a_name_that_is_something_else_in_the_report_is_left_out():
    def softmax_jacobian(z):
        J = np.exp(z) / np.sum(np.exp(z))
        return J * (np.eye(len(J)) - J.T)

    assert "print(p.shape, p.T.shape)" in softjac.check.check(softmax_jacobian).to("text")
