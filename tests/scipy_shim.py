"""A pytest plugin: softjac's functions stand in for SciPy's logsumexp, softmax and log_softmax while SciPy's tests run.

Used by tests/test_scipy_suite.py. What does not apply is skipped by the rules below, each with its reason.
"""

import re

import pytest
import scipy.special

import softjac

COMPLEX = "softjac computes with real numbers only"
SIGN = "softjac's logsumexp has no return_sign: a negative sum gives NaN"

# What a test's name (with its parameters) contains, and why it is left out. Everything else has to pass.
RULES = {
    r"complex|j\)|\b\d*\.?\d*j\b": COMPLEX,
    r"test_gh21610|test_gh21709": COMPLEX,
    r"test_logsumexp_sign|test_gh23548|test_gh22903": SIGN,
    r"test_wrap_radians": "a private helper of SciPy's complex logarithm",
}


def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    assert not return_sign, SIGN
    return softjac.logsumexp(a, axis=axis, b=b, keepdims=keepdims)


def softmax(x, axis=None):
    return softjac.softmax(x, axis=axis)


def log_softmax(x, axis=None):
    return softjac.log_softmax(x, axis=axis)


def replace():
    try:
        from scipy._lib._array_api import xp_capabilities_table as table
    except ImportError:  # SciPy before 1.16 has none
        table = {}
    for ours in [logsumexp, softmax, log_softmax]:
        theirs = getattr(scipy.special, ours.__name__)
        if theirs in table:
            table[ours] = table[theirs]
        setattr(scipy.special, ours.__name__, ours)


def pytest_configure():
    replace()


def rule_for(name):
    return next((reason for pattern, reason in RULES.items() if re.search(pattern, name)), None)


def pytest_collection_modifyitems(items):
    for item in items:
        if reason := rule_for(item.name):
            item.add_marker(pytest.mark.skip(reason=reason))
