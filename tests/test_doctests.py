import doctest
import importlib
import os
import pkgutil

import pytest

import softjac

FRAMEWORKS = {"torch", "jax"}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(softjac.__path__, "softjac.")
    if not module.name.endswith("._native")
)


@pytest.mark.parametrize("name", ["softjac", *MODULES])
def test_examples_of_the_docstrings_print_what_they_say(name):
    framework = name.rpartition(".")[2]
    if framework in FRAMEWORKS and not os.environ.get("SOFTJAC_REQUIRE_PEERS"):
        pytest.importorskip(framework, reason=f"{framework} is not installed: pip install 'softjac[peers]'")
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0, f"{result.failed} of {result.attempted} examples failed: see the captured output"


def test_there_are_examples():
    # Every public function shows one.
    finder = doctest.DocTestFinder(recurse=False)
    functions = [getattr(softjac, name) for name in softjac.__all__]
    functions = [function for function in functions if callable(function) and not isinstance(function, type)]
    without = [f.__name__ for f in functions if not any(test.examples for test in finder.find(f, f.__name__))]
    assert not without
