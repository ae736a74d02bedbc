"""The files to be filled in: they say what they are for, fail as long as they are empty, and conform when filled in."""

import ast
import re

import numpy as np
import pytest

import softjac
from cli_helpers import message, output, run
from softjac.check.kinds import KINDS
from softjac.check.starter import TASKS, starter

BODIES = {
    "softmax": "e = np.exp(np.array(z) - max(z))\n    return e / e.sum()",
    "log_softmax": "z = np.array(z) - max(z)\n    return z - np.log(np.exp(z).sum())",
    "logsumexp": "return max(z) + np.log(np.exp(np.array(z) - max(z)).sum())",
    "softmax_jacobian": "p = np.exp(np.array(z) - max(z))\n    p = p / p.sum()\n    return np.diag(p) - np.outer(p, p)",
    "softmax_vjp": "p = np.exp(np.array(z) - max(z))\n    p = p / p.sum()\n    return p * (g - p @ np.array(g))",
    "cross_entropy": "z = np.array(z)\n    return np.log(np.exp(z - max(z)).sum()) + max(z) - z[y]",
    "cross_entropy_grad": "p = np.exp(np.array(z) - max(z))\n    p = p / p.sum()\n    p[y] -= 1\n    return p",
    "cross_entropy_value_and_grad": "p = np.exp(np.array(z) - max(z))\n    p = p / p.sum()\n    loss = -np.log(p[y])\n"
    "    p[y] -= 1\n    return loss, p",
}
EMPTY = 'raise NotImplementedError("not written yet")'


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_python_and_says_what_it_is_for(kind):
    text = starter(kind)
    module = ast.parse(text)
    (function,) = (node for node in module.body if isinstance(node, ast.FunctionDef))
    assert function.name == kind
    assert ast.get_docstring(function)
    statement = ast.get_docstring(module)
    assert f"softjac check student.py:{kind}" in statement
    assert "Three examples, rounded to four decimals:" in statement
    assert statement.count("    z = [") == 3
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    assert set(TASKS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_fails_while_it_is_empty_and_conforms_when_it_is_filled_in(kind, tmp_path):
    path = tmp_path / "student.py"
    text = output("check", "--starter", kind)
    assert text == starter(kind)
    path.write_text(text)
    ran = run("check", f"{path}:{kind}")
    assert ran.code == 2
    assert ran.out.startswith(f"COULD NOT RUN  {kind}")
    assert "NotImplementedError: not written yet" in ran.out
    assert EMPTY in text
    path.write_text(text.replace(EMPTY, BODIES[kind]))
    ran = run("check", f"{path}:{kind}")
    assert (ran.code, ran.out.partition("  ")[0]) == (0, "CONFORMING")


def test_the_examples_are_right():
    text = ast.get_docstring(ast.parse(starter("softmax_jacobian")))
    for z, jacobian in re.findall(r"z = (\[.*\])\n    J = (\[\[[^=]*\]\])", text):
        np.testing.assert_allclose(
            np.array(ast.literal_eval(jacobian)), softjac.softmax_jacobian(ast.literal_eval(z)), atol=5.1e-5
        )
    assert len(re.findall(r"J = ", text)) == 3
    text = ast.get_docstring(ast.parse(starter("cross_entropy_value_and_grad")))
    examples = re.findall(r"z = (.*)\n    y = (.*)\n    L = (.*)\n    dz = (.*)", text)
    assert len(examples) == 3
    for z, y, loss, gradient in examples:
        value, grad = softjac.cross_entropy_value_and_grad(ast.literal_eval(z), int(y))
        np.testing.assert_allclose(float(loss), value, atol=5.1e-5)
        np.testing.assert_allclose(np.array(ast.literal_eval(gradient)), grad, atol=5.1e-5)


def test_it_is_written_to_a_file(tmp_path):
    path = tmp_path / "student.py"
    assert output("check", "--starter", "softmax-jacobian", "-o", str(path)) == ""
    assert path.read_text() == starter("softmax_jacobian")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["softmx"], "--starter 'softmx': did you mean softmax?"),
        (["softmax", "x.py"], "--starter writes a file to be filled in, and goes without a file"),
        (["softmax", "--level", "exact"], "--starter writes a file to be filled in, and goes without --level"),
    ],
)
def test_what_does_not_go_with_it(words, expected):
    assert message("check", "--starter", *words) == expected
