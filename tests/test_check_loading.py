"""The file of a submission is loaded, or the outcome says why it cannot be."""

import sys
import time

import numpy as np
import pytest

import softjac
from check_submissions import CALL, Z, outcome_of, refusal_of
from softjac.check.process import OwnProcess


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import no_such_module_of_mine", "it cannot be imported: ModuleNotFoundError: No module named"),
        ("def f(z)\n    return z", "SyntaxError: expected ':' (line 4)"),
        ("sys.exit(3)", "it cannot be imported: SystemExit: the code was 3 (line 4)"),
        ("os._exit(5)", "the process ended with code 5 while it is imported"),
        ("def softmax_jacobain(z): return z", "no function f: it has softmax_jacobain"),
        ("def g(z): return z\nf = 3", "f is an int, and no function; it has g"),
        ("x = 1", "no function f: the file defines no function"),
        ("raise ValueError('first\\nsecond')", "it cannot be imported: ValueError: first (line 4)"),
        ("raise KeyboardInterrupt", "it cannot be imported: KeyboardInterrupt (line 4)"),
        ("os.close(0); os.closerange(3, 100)", "the process closed the files through which it answers"),
    ],
)
def test_what_cannot_be_called_says_why(submission, body, words):
    assert refusal_of(submission(body)).startswith(words)


def test_a_misspelt_name_gets_the_nearest(submission):
    path = submission("def Softmax_Jacobian(z): return z\ndef other(z): return z")
    assert refusal_of(path, "softmax_jacobain") == "no function softmax_jacobain: did you mean Softmax_Jacobian?"


def test_a_file_with_one_function_needs_no_name(submission):
    assert refusal_of(submission("def f(z): return z\ndef g(z): return z"), "") == "name a function: it has f, g"
    with OwnProcess(submission("def f(z): return z\ndef _help(z): return z"), "") as candidate:
        assert candidate.facts.name == "f"


CLASSES = """
class Layer:
    def __init__(self, scale=1.0):
        self.scale = scale

    def forward(self, z):
        return self.scale * z

    __call__ = forward

    @staticmethod
    def plain(z):
        return z

    @classmethod
    def of_class(cls, z):
        return cls().forward(z)


class Plain:
    def forward(self, z):
        return z


class Needs:
    def __init__(self, scale):
        pass

    def forward(self, z):
        return z


class Empty:
    pass
"""


@pytest.mark.parametrize("name", ["Layer.forward", "Layer.plain", "Layer.of_class", "Layer", "Plain.forward"])
def test_a_method_is_called_on_an_instance_that_is_made_without_arguments(submission, name):
    outcome = outcome_of(submission(CLASSES), name)
    assert outcome.arrays[0].tolist() == Z.tolist()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Plain", "Plain is a class, and what it makes cannot be called: name a method, as Plain.forward"),
        ("Empty", "Empty is a class, and what it makes cannot be called"),
        ("Needs.forward", "Needs() cannot be made without arguments (TypeError: "),
        ("Needs", "Needs() cannot be made without arguments (TypeError: "),
    ],
)
def test_a_class_that_cannot_be_called_says_why(submission, name, words):
    assert refusal_of(submission(CLASSES), name).startswith(words)


def test_there_is_no_such_file(tmp_path):
    assert refusal_of(str(tmp_path / "none.py")) == "there is no such file"


def test_a_loop_at_the_import_ends_at_the_limit(submission):
    begun = time.monotonic()
    reason = refusal_of(submission("while True: pass"), time_limit=1.5)
    assert reason == "no answer within 1.5 s while it is imported"
    assert time.monotonic() - begun < 6


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is RLIMIT_DATA of Linux")
def test_ten_gigabytes_at_the_import_are_refused(submission):
    path = submission("x = np.ones(10**10 // 8)\ndef f(z): return z")
    words = "out of memory (limit 1.5 GB) while it is imported: MemoryError: Unable to allocate 9.31 GiB"
    assert refusal_of(path, memory_limit=1_500_000_000).startswith(words)
    with OwnProcess(path, "f", memory_limit=0) as candidate:
        assert "out of memory (no limit" in candidate.could_not or not candidate.could_not


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is RLIMIT_DATA of Linux")
@pytest.mark.parametrize("error", ["ImportError('x.so: Cannot allocate memory')", "OSError('Cannot allocate memory')"])
def test_a_library_without_memory_at_the_import(submission, error):
    words = "out of memory (limit 2 GB) while it is imported: "
    assert refusal_of(submission(f"raise {error}")).startswith(words)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is RLIMIT_DATA of Linux")
def test_the_last_byte_is_taken(submission):
    path = submission("""
    sys.kept = kept = []
    for size in (10**6, 1000, 100, 20):
        try:
            while True:
                kept.append(bytes(size))
        except MemoryError:
            pass

    def f(z):
        return z + np.ones(10**6)[0]
    """)
    with OwnProcess(path, "f", memory_limit=200_000_000) as candidate:
        assert (candidate.could_not or candidate.call(CALL, 1).fatal).startswith("out of memory (limit 0.2 GB)")


def test_main_is_not_run(submission):
    assert outcome_of(submission("def f(z):\n    return z\nif __name__ == '__main__':\n    sys.exit(1)")).arrays


def test_a_neighbour_can_be_imported_and_nothing_is_written(submission, tmp_path):
    submission("def g(z): return z + 1", "neighbour.py")
    path = submission("from neighbour import g\ndef f(z): return g(z)")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z + 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["neighbour.py", "student.py"]


@pytest.mark.parametrize("name", ["random.py", "a b:c.py", "numpy.py", "ünï.py"])
def test_odd_file_names(submission, name):
    np.testing.assert_array_equal(outcome_of(submission("def f(z): return z", name)).arrays[0], Z)


# Where it is: a flat file, or a module of a package.


@pytest.mark.parametrize(
    "line",
    [
        "from . import other\ng = other.g",
        "from .other import g",
        "from pk.other import g",
        "from .inner.third import g",
        "from pk import g",
        "import other; g = other.g",
    ],
)
def test_a_module_of_a_package_imports_its_neighbours(submission, line):
    submission("from .other import g", "pk/__init__.py")
    submission("def g(z): return z + 1", "pk/other.py")
    submission("", "pk/inner/__init__.py")
    submission("from ..other import g", "pk/inner/third.py")
    path = submission(f"{line}\ndef f(z): return g(z) if __name__ == 'pk.sub' else __name__", "pk/sub.py")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z + 1)


@pytest.mark.parametrize("line", ["from ..other import g", "from pk.other import g", "from . import g"])
def test_packages_in_packages(submission, line):
    submission("", "pk/__init__.py")
    submission("def g(z): return z + 1", "pk/other.py")
    submission("from pk.other import g", "pk/inner/__init__.py")
    path = submission(f"{line}\ndef f(z): return g(z)", "pk/inner/sub.py")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z + 1)


def test_a_package_may_import_the_module_itself_and_is_one(submission):
    path = submission("COUNT = []\ndef f(z): return z + len(COUNT)", "pk/sub.py")
    init = submission("from . import sub\nfrom .sub import f\nsub.COUNT.append(1)", "pk/__init__.py")
    for one in (path, init):
        np.testing.assert_array_equal(outcome_of(one).arrays[0], Z + 1)


@pytest.mark.parametrize("name", ["json", "numpy", "statistics", "softjac", "my-pk", "v1.0", "torch"])
def test_odd_names_of_packages(submission, name):
    submission("", f"{name}/__init__.py")
    submission("", f"{name}/v2.0/__init__.py")
    submission("import numpy, json, statistics\ndef g(z): return numpy.exp(z * 0)", f"{name}/other.py")
    path = submission("from .other import g\ndef f(z): return z * g(z)", f"{name}/sub.py")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z)
    path = submission("from ..other import g\ndef f(z): return z * g(z)", f"{name}/v2.0/sub.py")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z)


@pytest.mark.parametrize("name", ["statistics", "softjac", "flint", "difflib", "queue"])
def test_a_file_with_the_name_of_a_library_may_import_it(submission, name):
    path = submission(f"import {name}\ndef f(z): return z if {name}.__file__ != __file__ else None", f"{name}.py")
    outcome = outcome_of(path)
    np.testing.assert_array_equal(outcome.arrays[0], Z)
    assert "did you mean f?" in refusal_of(path, "F")


def test_a_file_is_itself_under_its_own_name(submission):
    path = submission("import student\ndef f(z): return z + (student.f is f)")
    np.testing.assert_array_equal(outcome_of(path).arrays[0], Z + 1)


def test_a_package_that_cannot_be_imported(submission):
    submission("x = 1\nraise ValueError('mine')", "pk/__init__.py")
    path = submission("def f(z): return z", "pk/sub.py")
    assert refusal_of(path) == "its package pk cannot be imported: ValueError: mine"
    path = submission("from . import none\ndef f(z): return z", "other/sub.py")
    assert "ImportError: attempted relative import with no known parent package (line 4)" in refusal_of(path)
    submission("", "other/__init__.py")
    assert "ImportError: cannot import name 'none' from 'other'" in refusal_of(path)


def test_what_came_back_says_more_than_what_was_refused(tmp_path):
    body = "def f(z, y):\n    n, k = z.shape\n    return {'loss': 0.5, 'grad': z}\n"
    (tmp_path / "s.py").write_text(body)
    report = softjac.check(f"{tmp_path / 's.py'}:f", "cross_entropy_value_and_grad")
    assert report.could_not.startswith("it returned a dict")


def test_the_name_under_which_it_is_asked_for_counts(tmp_path):
    pytest.importorskip("jax")
    body = "import jax\nsoftmax_jacobian = jax.hessian(jax.scipy.special.logsumexp)\n"
    (tmp_path / "s.py").write_text(body)
    report = softjac.check(f"{tmp_path / 's.py'}:softmax_jacobian")
    assert (report.kind, report.examination.guessed) == ("softmax_jacobian", "the name")
    assert report.conforms, str(report)
