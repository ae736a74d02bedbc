import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cli_helpers import output
from softjac import softmax, softmax_jacobian

SCRIPT = Path(__file__).resolve().parent.parent / "examples" / "digits_logits.py"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The file that the example writes, and what it prints."""
    if not SCRIPT.exists():
        pytest.skip("examples/ is not here: run the tests in a clone")
    if importlib.util.find_spec("sklearn") is None and not os.environ.get("SOFTJAC_REQUIRE_PEERS"):
        pytest.skip("scikit-learn is not installed: pip install 'softjac[peers]'")
    path = tmp_path_factory.mktemp("digits") / "digits.csv"
    ran = subprocess.run([sys.executable, SCRIPT, path], capture_output=True, text=True, check=True)
    return path, ran.stdout


def test_the_classifier_is_worth_the_name(digits):
    path, said = digits
    assert said.startswith(f"{path}: 1797 rows of 10 logits; the largest is the right digit in ")
    assert int(said.split()[-3]) > 0.9 * 1797


def test_real_logits_go_through_the_command_line(digits, tmp_path):
    path = str(digits[0])
    logits = np.loadtxt(path, delimiter=",")
    assert logits.shape == (1797, 10)
    probs = np.array(json.loads(output("softmax", path, "--format", "json")))
    np.testing.assert_array_equal(probs, softmax(logits))
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-15)
    output("jacobian", path, "-o", str(tmp_path / "jacobians.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "jacobians.npy"), softmax_jacobian(logits))
    table = np.loadtxt(output("jacobian", path, "--format", "csv").splitlines()[1:], delimiter=",")
    np.testing.assert_array_equal(table[:, 2:].reshape(1797, 10, 10), softmax_jacobian(logits))


def test_real_logits_as_text_fit_the_screen(digits):
    lines = output("softmax", str(digits[0])).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].split() == ["row", *(f"p[{j}]" for j in range(10)), "max"]
    assert " rows 16 to 1792 of 1797 are left out." in lines
