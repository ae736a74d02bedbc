"""What a submission returns, as numbers or as words; and what it writes into its arguments."""

import numpy as np
import pytest

from check_submissions import Z, outcome_of
from softjac.check.model import Argument, Call


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("None", "None"),
        ("'0.1 0.2'", "the str '0.1 0.2'"),
        ("(x for x in z)", "a generator"),
        ("{0: 1.0}", "a dict"),
        ("f", "a function"),
        ("z > 0", "bool array of shape (3,)"),
        ("z + 1j", "complex128 array of shape (3,)"),
        ("z.astype(object)", "object array of shape (3,)"),
        ("[[1.0, 2.0], [3.0]]", "list of 2 lists, whose parts have different lengths"),
        ("['a', 'b']", "a list with the str 'a' in it"),
        ("[None] * 3", "a list with None in it"),
        ("(1.0, z)", "tuple of 2 (float, ndarray), whose parts have different lengths"),
        ("np.broadcast_to(z, (10**6, 3))", "float64 array of shape (1000000, 3): 3e+06 numbers, too many to look at"),
        ("[]", "an empty list"),
        ("()", "an empty tuple"),
        ("[[], []]", "list of 2 lists, without a number"),
        ("z[:0]", "float64 array of shape (0,), without a number"),
        ("{0, 1}", "a set"),
        ("10**400", "an int too large for float64 (above 1.8e+308)"),
        ("[1, -10**400]", "a list with an int too large for float64 (above 1.8e+308)"),
        ("1j", "a complex"),
        ("[1j]", "a list with a complex in it"),
        ("[{1: 2.0}]", "a list with a dict in it"),
        ("z.astype(str)", "str array of shape (3,)"),
        ("z.astype('M8[D]')", "datetime64[D] array of shape (3,)"),
        ("np.datetime64('2020')", "a datetime64"),
        ("np.str_('abc')", "the str 'abc'"),
        ("b'abc'", "the bytes b'abc'"),
        ("np.complex64(1)", "a complex64"),
        ("np.float64", "a type"),
        ("[0.0] * 10**7", "a list of more than 1e+06 numbers, too many to look at"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(submission, body, words):
    outcome = outcome_of(submission(f"def f(z):\n    return {body}"))
    assert outcome.unusable == words
    assert outcome.arrays == ()


@pytest.mark.parametrize(
    ("body", "expected", "library"),
    [
        ("z * np.nan", [np.nan] * 3, "numpy"),
        ("z.astype('f4')", [1, 2, 4], "numpy"),
        ("z.astype('f2')", [1, 2, 4], "numpy"),
        ("z.astype('longdouble')", [1, 2, 4], "numpy"),
        ("z.astype('>f8')", [1, 2, 4], "numpy"),
        ("z.tolist()", [1, 2, 4], "list"),
        ("tuple(z)", [1, 2, 4], "list"),
        ("[[1, 2], [3, 4.5]]", [[1, 2], [3, 4.5]], "list"),
        ("3", 3, "list"),
        ("z[1]", 2, "numpy"),
        ("np.asmatrix(z)", [1, 2, 4], "numpy"),
        ("np.ma.masked_array(z, [0, 1, 0])", [1, np.nan, 4], "numpy"),
        ("z[::-1]", [4, 2, 1], "numpy"),
        ("[2**63, 2**64, -1]", [2.0**63, 2.0**64, -1], "list"),
        ("10**300", 1e300, "list"),
        ("type('Odd', (float,), {})(2)", 2, "list"),
        ("[type('Odd', (int,), {})(2)]", [2], "list"),
        ("[__import__('decimal').Decimal('0.5'), 0.25]", [0.5, 0.25], "list"),
        ("[[__import__('fractions').Fraction(1, 4)]]", [[0.25]], "list"),
        ("__import__('fractions').Fraction(1, 4)", 0.25, ""),
    ],
)
def test_what_is_an_array_of_numbers_comes_back(submission, body, expected, library):
    outcome = outcome_of(submission(f"def f(z):\n    return {body}"))
    np.testing.assert_array_equal(outcome.arrays[0], expected)
    assert outcome.library == library
    assert outcome.arrays[0].dtype.kind in "fi"


def test_two_outputs(submission):
    path = submission("def f(z):\n    return 1.5, z")
    value, gradient = outcome_of(path, outputs=2).arrays
    assert value == 1.5
    np.testing.assert_array_equal(gradient, Z)
    path = submission("def f(z):\n    return z")
    assert "a pair (value, gradient) was expected" in outcome_of(path, outputs=2).unusable


@pytest.mark.parametrize(
    ("body", "argument", "changed"),
    [
        ("z -= 1", Argument(Z), (0,)),
        ("z.shape = (3, 1)", Argument(Z), (0,)),
        ("z.append(1)", Argument(Z, "list"), (0,)),
        ("z = z - 1", Argument(Z), ()),
        ("z[0] = -0.0", Argument(np.array([0.0, np.nan])), (0,)),
        ("pass", Argument(np.array([0.0, np.nan])), ()),
    ],
)
def test_a_changed_input_is_seen(submission, body, argument, changed):
    outcome = outcome_of(submission(f"def f(z):\n    {body}\n    return 1.0"), call=Call((argument,)))
    assert outcome.error == ""
    assert outcome.changed == changed
