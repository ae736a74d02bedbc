"""The checker in somebody's tests: an assertion, and one named test for each property."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import softjac
from softjac.check import assert_conforms, parametrize_with_properties
from softjac.errors import ArgumentError, DTypeError


def naive_softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


@parametrize_with_properties(softjac.softmax, "softmax", "exact")
def test_ours_has_every_property(check):
    check()


@parametrize_with_properties(naive_softmax, "softmax")
def test_an_exercise_has_every_property(check):
    check()


def test_an_assertion_is_silent_or_has_the_report():
    assert assert_conforms(naive_softmax, "softmax") is None
    with pytest.raises(AssertionError, match="NOT CONFORMING  softmax, level stable") as raised:
        assert_conforms(naive_softmax, "softmax", "stable")
    assert "no maximum subtracted" in str(raised.value)
    with pytest.raises(AssertionError, match="COULD NOT RUN"):
        assert_conforms(print, "softmax")


def test_wrong_arguments_are_named_where_the_tests_are_collected():
    with pytest.raises(ArgumentError, match="what is 'softmx'"):
        parametrize_with_properties(naive_softmax, "softmx")
    with pytest.raises(ArgumentError, match="level is 'x'"):
        parametrize_with_properties(naive_softmax, "softmax", "x")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What pytest says of a file of tests: the outcome of each test by its name, and all the text."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "test_theirs.py").write_text(
        textwrap.dedent(
            """
            import numpy as np
            import softjac

            def softmax(z):
                return np.exp(z) / np.exp(z).sum()

            @softjac.check.parametrize_with_properties(softmax, "softmax", "stable")
            def test_softmax(check):
                check()

            @softjac.check.parametrize_with_properties(lambda z: None, "logsumexp")
            def test_none(check):
                check()
            """
        )
    )
    environment = {"PYTHONPATH": softjac.__path__[0].rpartition("softjac")[0]}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-rA", "test_theirs.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("test_theirs.py::")]
    return {words[0].partition("::")[2]: words[1] for words in lines}, done.stdout


def test_each_property_is_a_test_of_its_own(results):
    outcomes, text = results
    assert outcomes["test_softmax[vectors]"] == "PASSED"
    assert outcomes["test_softmax[large_logits]"] == "FAILED"
    assert outcomes["test_softmax[batch]"] == "SKIPPED"
    assert "test_softmax[tails]" not in outcomes
    assert "large_logits: It is right for logits of 1000 and -1000." in text
    assert "batch is not asked of a function that is held to: vector" in text


def test_where_nothing_runs_every_property_fails(results):
    outcomes, text = results
    assert {outcome for name, outcome in outcomes.items() if "test_none" in name} == {"FAILED"}
    assert "could not be checked: it returned None" in text


def test_what_cannot_be_parametrised_is_refused_at_once():
    with pytest.raises(ArgumentError, match=r"^what is None: pass one of softmax, "):
        parametrize_with_properties(softjac.softmax, None)
    with pytest.raises(DTypeError, match=r"^function is 3: pass a function"):
        parametrize_with_properties(3, "softmax")
