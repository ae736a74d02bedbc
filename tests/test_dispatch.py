"""What computes an input: explained in words, and the same results whichever way it goes."""

import warnings

import numpy as np
import pytest

from functions import BFLOAT16, FUNCTIONS, NAMES, operands_like, same_bits


def explained(sj, x):
    first, *rest = str(sj.explain_dispatch(x)).splitlines()
    assert all(line.startswith("- ") for line in rest)
    return first, [line[2:] for line in rest]


@pytest.fixture
def computed(sj, kernels_in_use):
    return (
        "computed by the compiled core with" if kernels_in_use == "compiled" else "computed by the reference in NumPy"
    )


def test_arrays_as_they_are(sj, computed):
    for x, name in [
        (np.ones((3, 4), np.float32), "numpy.ndarray of float32, shape (3, 4)"),
        (np.ones(3)[::-1], "numpy.ndarray of float64, shape (3,)"),
        (np.float32(3), "float32 of float32, shape ()"),
        *((np.ones(3, dtype), "numpy.ndarray of bfloat16, shape (3,)") for dtype in BFLOAT16),
    ]:
        first, (last,) = explained(sj, x)
        assert first == name
        assert last.startswith(computed)


def test_what_is_converted_first(sj, computed):
    for x, first, step in [
        ([1, 2], "list of int64, shape (2,)", "converted to float64"),
        ([1.0, 2.0], "list of float64, shape (2,)", None),
        ([np.float32(1)], "list of float32, shape (1,)", "converted to float64"),
        (True, "bool of bool, shape ()", "converted to float64"),
        (np.ones(3, np.int8), "numpy.ndarray of int8, shape (3,)", "converted to float64"),
        (np.ones(3, np.uint16), "numpy.ndarray of uint16, shape (3,)", "converted to float64"),
        (np.ones(3, ">f4"), "numpy.ndarray of >f4, shape (3,)", "copied, because its memory is of another byte order"),
    ]:
        what, steps = explained(sj, x)
        assert what == first
        assert steps[-1].startswith(computed)
        assert len(steps) == 1 + (step is not None)
        assert step is None or steps[0].startswith(step)


def test_longdouble_is_always_the_references(sj, kernels_in_use):
    _, (last,) = explained(sj, np.ones(3, np.longdouble))
    reason = "has no longdouble" if kernels_in_use == "compiled" else "SOFTJAC_DISABLE_CORE is set"
    assert last.startswith("computed by the reference in NumPy")
    assert reason in last


def test_what_is_refused(sj):
    for x in ("a", np.ones(3, complex), [None]):
        with pytest.raises(sj.DTypeError):
            sj.explain_dispatch(x)


def test_a_session_shows_it_line_by_line(sj):
    text = sj.explain_dispatch([1, 2])
    assert repr(text) == str(text)
    assert isinstance(text, str)


@pytest.mark.parametrize("name", NAMES)
def test_the_short_way_and_the_long_way_give_the_same_bits(name, sj):
    """Plain arrays go straight to the core; what has to be normalised first comes to the same results."""
    function = FUNCTIONS[name]
    for dtype in (np.float16, np.float32, np.float64):
        z = np.random.default_rng(0).standard_normal((6, 7)).astype(dtype) * 3
        operands = operands_like(function, z)
        expected = function(sj, *operands)
        where = np.ones((6, 7), bool)
        assert same_bits(function(sj, *(x.astype(x.dtype.newbyteorder("S")) for x in operands)), expected)
        assert same_bits(function(sj, *operands, axis=np.int64(1)), expected)
        assert same_bits(function(sj, *operands, where=[[True]]), function(sj, *operands, where=where))
        assert same_bits(function(sj, *(np.asfortranarray(x) for x in operands)), expected)


@pytest.mark.parametrize("name", NAMES)
def test_no_warnings_under_any_errstate(name, sj):
    function = FUNCTIONS[name]
    rows = np.array([[np.inf, -np.inf, np.nan, 1e308], [-np.inf] * 4, [np.inf] * 4, [1e308, -1e308, 0, 5e-324]])
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype in (np.float64, np.longdouble):
            function(sj, *[rows.astype(dtype)] * function.operands)
            function(sj, *[rows.astype(dtype).tolist()] * function.operands)
            function(sj, *[rows.astype(dtype)] * function.operands, where=rows > 0)
        big = np.array([3e38, -3e38, 1e-45, 0], np.float32)
        function(sj, *[big] * function.operands)
        half = np.array([6e4, -6e4, 6e-8, 0], np.float16)
        function(sj, *[half] * function.operands)
        function(sj, *[np.array([2**64 - 1, 1], np.uint64)] * function.operands)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_never_written_to(name, sj):
    function = FUNCTIONS[name]
    rows = np.array([[np.inf, -np.inf, np.nan, 1.0], [0, 1, 2, 3.0]])
    operands = [rows.copy() for _ in range(function.operands)]
    where = rows > 0
    for axis in (0, 1):
        function(sj, *operands, axis=axis, where=where)
    for operand in operands:
        np.testing.assert_array_equal(operand, rows)
    np.testing.assert_array_equal(where, rows > 0)


def test_the_reference_has_its_own_dtype_inside():
    """Narrow floats are computed in float64: probabilities far below the least float32 still count."""
    import softjac

    z, v = np.array([0, -120], np.float32), np.array([0, 1e38], np.float32)
    for result in (softjac.softmax_jvp(z, v), softjac.softmax_vjp(z, v)):
        np.testing.assert_allclose(result, [-7.7e-15, 7.7e-15], rtol=0.01)
