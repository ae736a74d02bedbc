"""examples/digits_newton.py finds the optimum that scikit-learn's LogisticRegression finds."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from libraries import peer

SCRIPT = Path(__file__).resolve().parent.parent / "examples" / "digits_newton.py"


@pytest.fixture(scope="module")
def example():
    if not SCRIPT.exists():
        pytest.skip("examples/ is not here: run the tests in a clone")
    peer("scipy", "test")
    peer("sklearn", "peers")
    spec = importlib.util.spec_from_file_location("digits_newton", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def norm_of_difference(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def test_the_optimum_is_that_of_scikit_learn(example):
    linear_model = peer("sklearn.linear_model", "peers")
    images, digits = example.load_digits(return_X_y=True)
    X = images / 16
    theirs = linear_model.LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-13).fit(X, digits)
    W, b, result = example.fit(X, digits)
    assert result.success
    assert result.nit < 20
    assert W.shape == (10, 64)
    # Pixels that are 0 in every image have coefficients of 0.
    assert norm_of_difference(W, theirs.coef_) < 1e-9
    assert norm_of_difference(b, theirs.intercept_) < 1e-9
    # One gauge in both: over the classes coefficients and intercepts sum to zero.
    assert np.abs(W.sum(axis=0)).max() < 1e-12
    assert abs(b.sum()) < 1e-9
    assert abs(theirs.intercept_.sum()) < 1e-9
    # At the optimum the gradient of scikit-learn's own loss is 0.
    p = np.exp(X @ W.T + b)
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(digits)), digits] -= 1
    assert np.linalg.norm(p.T @ X + W) < 1e-6
    assert np.linalg.norm(p.sum(axis=0)) < 1e-6


def test_it_prints_progress_iterations_and_accuracy(example, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["digits_newton.py", "0.01"])
    example.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["iteration", "objective", "|gradient|"]
    steps = [line.split() for line in lines[1:-2]]
    assert [int(step[0]) for step in steps] == list(range(1, len(steps) + 1))
    values = [float(step[1]) for step in steps]
    assert values == sorted(values, reverse=True)
    assert float(steps[-1][2]) < 1e-10
    iterations = re.match(r"(\d+) iterations, \d+ products with the Hessian; .*success", lines[-2])
    assert int(iterations[1]) == len(steps)
    assert float(re.search(r"accuracy on the same images: (0\.\d+)", lines[-1])[1]) > 0.9
