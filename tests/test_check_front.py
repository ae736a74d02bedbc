"""`softjac.check` as it is called: its arguments, its errors, and a file in place of a function."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import softjac
from softjac import check
from softjac.check.kinds import KINDS
from softjac.errors import ArgumentError, DTypeError
from test_check_report import softmax, stable

WHERE = str(Path(softjac.__file__).parents[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"what": "softmx"}, r"what is 'softmx': pass one of .* Did you mean softmax\?"),
        ({"what": 3}, "what is 3"),
        ({"level": "perfect"}, "level is 'perfect': pass one of exercise, stable, exact"),
        ({"decimals": 99}, "decimals is 99"),
        ({"decimals": True}, "decimals is True"),
        ({"given": "p"}, "given is 'p': pass one of logits, probs"),
        ({"takes": "rows"}, "takes is 'rows'"),
        ({"reduction": "max"}, "reduction is 'max'"),
        ({"axis": 1}, "axis is 1"),
        ({"time_limit": 3}, "time_limit is 3, but a function is called in this process"),
        ({"memory_limit": 3}, "memory_limit is 3, but"),
    ],
)
def test_a_wrong_argument_is_named(options, words):
    with pytest.raises(ArgumentError, match=words):
        check(softmax, **options)


def test_a_wrong_form_or_reveal_is_named():
    ours = check(softjac.softmax)
    with pytest.raises(ArgumentError, match="form is 'html': pass one of text, markdown, json"):
        ours.to("html")
    with pytest.raises(ArgumentError, match="reveal is 'all': pass one of hint, name, fix"):
        ours.to("text", reveal="all")


def test_what_is_no_function_is_named():
    with pytest.raises(DTypeError, match="function is 3: pass a function"):
        check(3)


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"time_limit": 0}, "time_limit is 0: pass a number of seconds"), ({"memory_limit": "2"}, "memory_limit is '2'")],
)
def test_limits_are_numbers(limits, words):
    with pytest.raises(ArgumentError, match=words):
        check("student.py:f", **limits)


def test_a_file_is_checked_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "student.py"
    path.write_text("import numpy as np\nnp.exp = None\ndef softmax(z):\n    return z\n")
    for place in (f"{path}:softmax", str(path), path):
        report = check(place, level="stable")
        assert report.verdict == "NOT CONFORMING"
        assert report.source == f"{path}:softmax"
    assert np.exp(0.0) == 1.0


def test_the_module_is_called_and_has_its_parts():
    assert softjac.check is check
    assert check.kind_names() == tuple(KINDS)
    assert "no-maximum-subtracted" in check.mistake_names()
    assert set(check.__all__) <= set(dir(check))


def test_without_flint_the_extra_is_named(run_python):
    code = """
import sys
sys.modules["flint"] = None
import softjac
try:
    softjac.check(softjac.softmax)
except ImportError as error:
    print(error)
"""
    assert run_python(code).strip() == "checking needs one more package, python-flint: pip install 'softjac[check]'"


@pytest.fixture
def run_python(tmp_path):
    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": WHERE},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


def test_a_constant_is_not_right_for_a_column_because_one_question_has_that_answer():
    report = check(lambda _: np.array([0.0420, 0.1142, 0.8438]), "softmax")
    assert report.mistake == "ignores-input"
    assert "takes=" not in str(report)


def test_nan_for_every_input_does_not_show_that_the_input_is_ignored():
    report = check(lambda z: z * np.nan, "softmax")
    assert not report.conforms
    assert report.mistake is None


def test_the_signature_is_that_of_the_function():
    assert list(inspect.signature(check).parameters)[:2] == ["function", "what"]


@pytest.mark.parametrize(("name", "value"), [("axis", np.array([0, -1])), ("level", np.array(["exact", "stable"]))])
def test_arrays_as_options_are_refused_by_their_name(name, value):
    with pytest.raises(ArgumentError, match=f"^{name} is array"):
        check(stable, "softmax", **{name: value})
