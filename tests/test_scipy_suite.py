"""SciPy's own tests of logsumexp, softmax and log_softmax, from the installed SciPy, with softjac in their place."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

scipy_shim = pytest.importorskip("scipy_shim", reason="SciPy is not installed: pip install 'softjac[test]'")

FEWEST_PASSED = 50  # of SciPy 1.17; 53 there, and hundreds of complex ones that do not apply
MODULE = "scipy.special.tests.test_logsumexp"


@pytest.fixture
def run_suite(tmp_path):
    def run(plugin, kernels, *selection):
        environment = {key: x for key, x in os.environ.items() if key not in {"SCIPY_ARRAY_API", "PYTEST_ADDOPTS"}}
        environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(Path(__file__).parent), *sys.path])
        if kernels == "reference":
            environment["SOFTJAC_DISABLE_CORE"] = "1"
        report = tmp_path / "report.xml"
        # SciPy's own settings for warnings are not ours; here they only must not come from softjac.
        options = ["-p", plugin, "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "-c", os.devnull, "-q"]
        options += ["-W", "error:::softjac", f"--junitxml={report}", "--pyargs", MODULE]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *selection],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        cases = list(ET.parse(report).iter("testcase"))
        bad = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
        skipped = {
            case.get("name"): left.get("message") for case in cases if (left := case.find("skipped")) is not None
        }
        return bad, skipped, len(cases) - len(bad) - len(skipped), done.stdout

    return run


def test_the_suite_of_scipy_passes(run_suite, kernels_in_use):
    bad, skipped, passed, output = run_suite("scipy_shim", kernels_in_use)
    assert not bad, output
    assert passed >= FEWEST_PASSED, output
    by_rule = {name: scipy_shim.rule_for(name) for name in skipped}
    assert by_rule == skipped
    assert set(skipped.values()) == set(scipy_shim.RULES.values()), "a rule that leaves out nothing is to go"


def test_a_wrong_function_does_not_pass(run_suite, tmp_path):
    (tmp_path / "wrong_shim.py").write_text(
        "import scipy_shim\n"
        "from scipy_shim import pytest_collection_modifyitems, pytest_configure\n"
        "import softjac\n"
        "softmax = softjac.softmax\n"
        "softjac.softmax = lambda x, axis: softmax(x, axis=axis) * 1.0001\n"
    )
    bad, _, passed, output = run_suite("wrong_shim", "reference", "-k", "TestSoftmax or TestLogSoftmax")
    assert {name.partition("[")[0] for name in bad} >= {"test_softmax_fixtures", "test_softmax_multi_axes"}, output
    assert passed >= 10, output
