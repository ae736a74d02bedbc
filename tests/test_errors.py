"""Every mistake in an argument: its class, and a message that says which argument, what came, and what to do."""

import re

import numpy as np
import pytest

from functions import FUNCTIONS, NAMES

ROWS = np.arange(12.0).reshape(3, 4)
ONE_AXIS = [name for name in NAMES if not FUNCTIONS[name].many_axes]
OF_TWO = ["softmax_jvp", "softmax_vjp", "softmax_vjp_probs", "log_softmax_jvp", "log_softmax_vjp"]


def refused(sj, kind, phrases, function, *operands, **options):
    """Expect the error, also under the name NumPy users catch; the message on one line, with all the phrases."""
    numpys = {"ShapeError": ValueError, "DTypeError": TypeError, "AxisError": IndexError, "ArgumentError": ValueError}
    with pytest.raises(getattr(sj, kind)) as caught:
        function(*operands, **options)
    assert isinstance(caught.value, (sj.SoftjacError, numpys[kind]))
    assert isinstance(caught.value, sj.SoftjacError)
    assert isinstance(caught.value, numpys[kind])
    message = str(caught.value)
    assert "\n" not in message
    for phrase in phrases:
        assert phrase in message, message


def first_name(function):
    return "probs" if function.takes_probs else "logits"


def call(sj, name, first, **options):
    """The function with this first operand, and tangents like ROWS."""
    function = FUNCTIONS[name]
    shape = np.shape(ROWS)
    return function(sj, first, *[np.ones(shape)] * function.tangents, **options)


def test_classes_are_what_numpy_users_catch(sj):
    assert issubclass(sj.ShapeError, ValueError)
    assert issubclass(sj.DTypeError, TypeError)
    assert issubclass(sj.AxisError, np.exceptions.AxisError)
    assert issubclass(sj.AxisError, (ValueError, IndexError))
    assert issubclass(sj.ArgumentError, ValueError)
    assert issubclass(sj.BoundsError, IndexError)
    assert issubclass(sj.DerivationError, ValueError)
    for error in (sj.ShapeError, sj.DTypeError, sj.AxisError, sj.BoundsError, sj.ArgumentError, sj.DerivationError):
        assert issubclass(error, sj.SoftjacError)
        assert str(error("this is the message")) == "this is the message"


@pytest.mark.parametrize("name", NAMES)
def test_axis_that_is_not_there(name, sj):
    for axis in (2, -3, np.int64(5)):
        phrases = [f"axis is {axis}", "has shape (3, 4)", "pass an axis from -2 to 1"]
        refused(sj, "AxisError", [first_name(FUNCTIONS[name]), *phrases], call, sj, name, ROWS, axis=axis)


@pytest.mark.parametrize("name", NAMES)
def test_axis_of_another_type(name, sj):
    allowed = "pass an int, a tuple of ints or None" if FUNCTIONS[name].many_axes else "pass an int"
    for axis in (1.0, "rows", [0, 1], True, np.True_):
        refused(sj, "DTypeError", ["axis is", repr(axis), allowed], call, sj, name, ROWS, axis=axis)


@pytest.mark.parametrize("name", ONE_AXIS)
def test_several_axes_where_one_is_meant(name, sj):
    for axis in (None, (0, 1), (0,)):
        phrases = [f"axis is {axis!r}", FUNCTIONS[name].public, "works along one axis: pass an int"]
        refused(sj, "DTypeError", phrases, call, sj, name, ROWS, axis=axis)


def test_an_axis_twice(sj):
    refused(sj, "AxisError", ["axis is (0, -2)", "twice", "(3, 4)"], sj.softmax, ROWS, axis=(0, -2))
    refused(sj, "AxisError", ["axis is 7", "-2 to 1"], sj.softmax, ROWS, axis=(0, 7))


@pytest.mark.parametrize("name", NAMES)
def test_a_single_number(name, sj):
    function = FUNCTIONS[name]
    first = first_name(function)
    operands = [3.0, *[1.0] * function.tangents]
    hint = "axis=None" if function.many_axes else "a vector, of shape (n,)"
    refused(sj, "AxisError", [f"{first} is a single number", "has no axis -1", hint], function, sj, *operands)


@pytest.mark.parametrize("name", OF_TWO)
def test_operands_of_different_length(name, sj):
    function = FUNCTIONS[name]
    other = "tangent" if "jvp" in name else "cotangent"
    phrases = [
        f"{first_name(function)} has shape (3, 4)",
        f"{other} has shape (5,)",
        "along axis -1",
        "4 and 5 classes",
    ]
    refused(sj, "ShapeError", phrases, function, sj, ROWS, np.ones(5))
    # One class does not stand for all: the class axis does not broadcast.
    refused(sj, "ShapeError", ["4 and 1 classes"], function, sj, ROWS, np.ones((3, 1)))


@pytest.mark.parametrize("name", OF_TWO)
def test_operands_that_do_not_broadcast(name, sj):
    phrases = ["has shape (3, 4)", "has shape (2, 4)", "without axis -1", "(3,) and (2,)", "do not broadcast"]
    refused(sj, "ShapeError", phrases, FUNCTIONS[name], sj, ROWS, np.ones((2, 4)))


def test_three_operands(sj):
    phrases = ["logits has shape (3, 4)", "u has shape (4,)", "v has shape (3, 5)", "4, 4 and 5 classes"]
    refused(sj, "ShapeError", phrases, sj.softmax_second_derivative, ROWS, np.ones(4), np.ones((3, 5)))


def test_weights_that_do_not_broadcast(sj):
    phrases = ["b has shape (5,)", "logits has shape (3, 4)", "one weight for each"]
    refused(sj, "ShapeError", phrases, sj.logsumexp, ROWS, b=np.ones(5))


NO_NUMBERS = {
    "complex": (ROWS + 1j, ["complex128", "real part"]),
    "strings": (np.full((3, 4), "1.5"), ["<U3", "convert it first"]),
    "bytes": (np.full((3, 4), b"1"), ["|S1", "convert it first"]),
    "objects": (ROWS.astype(object), ["object", "convert it first"]),
    "a list with None": ([[1.0, None, 2.0, 3.0]], ["object (it is a list)", "convert it first"]),
    "a set": ({1.0, 2.0}, ["object (it is a set)", "convert it first"]),
    "dates": (np.zeros((3, 4), dtype="datetime64[s]"), ["datetime64[s]", "float32"]),
    "durations": (np.zeros((3, 4), dtype="timedelta64[s]"), ["timedelta64[s]", "float32"]),
    "a record": (np.zeros((3, 4), dtype=[("a", float)]), ["'a'", "float32"]),
    "a ragged list": ([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0]], ["cannot be made an array", "rows have one length"]),
    "a string": ("1 2 3", ["<U5 (it is a str)", "convert it first"]),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_real_number(name, kind, sj):
    value, phrases = NO_NUMBERS[kind]
    refused(sj, "DTypeError", [first_name(FUNCTIONS[name]), *phrases], call, sj, name, value)


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_other_operands_are_judged_alike_and_by_name(kind, sj):
    value, phrases = NO_NUMBERS[kind]
    refused(sj, "DTypeError", ["tangent ", *phrases], sj.softmax_jvp, ROWS, value)
    refused(sj, "DTypeError", ["cotangent ", *phrases], sj.log_softmax_vjp, ROWS, value)
    refused(sj, "DTypeError", ["u ", *phrases], sj.softmax_second_derivative, ROWS, value, ROWS)
    refused(sj, "DTypeError", ["v ", *phrases], sj.softmax_second_derivative, ROWS, ROWS, value)
    refused(sj, "DTypeError", ["b ", *phrases], sj.logsumexp, ROWS, b=value)


def test_float8_is_refused(sj):
    ml_dtypes = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed: pip install 'softjac[test]'")
    refused(sj, "DTypeError", ["logits has dtype float8_e4m3"], sj.softmax, np.zeros(3, ml_dtypes.float8_e4m3))
    refused(sj, "DTypeError", ["logits has dtype int4"], sj.softmax, np.zeros(3, ml_dtypes.int4))


@pytest.mark.parametrize("name", NAMES)
def test_where_of_another_dtype(name, sj):
    for where in (np.ones(4), [1, 0, 1, 1], np.ones((3, 4), dtype=object)):
        phrases = ["where has dtype", str(np.asarray(where).dtype), "pass booleans"]
        refused(sj, "DTypeError", phrases, call, sj, name, ROWS, where=where)
    ragged = [[True, False, True, True], [True]]
    refused(sj, "DTypeError", ["where cannot be made an array"], call, sj, name, ROWS, where=ragged)


@pytest.mark.parametrize("name", NAMES)
def test_where_of_another_shape(name, sj):
    operand = {"logsumexp_weighted": "logits and b together"}.get(
        name, "probs" if name.endswith("_probs") else "logits"
    )
    for shape in ((3,), (4, 3), (2, 3, 4), (1, 3, 4)):  # the last two would enlarge the logits
        phrases = [f"where has shape {shape}", f"{operand} has shape (3, 4)", "must broadcast"]
        refused(sj, "ShapeError", phrases, call, sj, name, ROWS, where=np.ones(shape, dtype=bool))


def result_of(sj, name):
    return np.empty(FUNCTIONS[name].result_shape((3, 4)))


@pytest.mark.parametrize("name", NAMES)
def test_out_of_another_shape(name, sj):
    right = result_of(sj, name)
    for out in (np.empty((*right.shape, 1)), np.empty(right.size + 1), np.empty((1, *right.shape))):
        phrases = [f"out has shape {out.shape}", f"the result has shape {right.shape}"]
        refused(sj, "ShapeError", phrases, call, sj, name, ROWS, out=out)


@pytest.mark.parametrize("name", NAMES)
def test_out_of_another_dtype(name, sj):
    right = result_of(sj, name)
    for dtype in (np.float32, np.int64, ">f8", complex, np.longdouble):
        out = np.empty(right.shape, dtype=dtype)
        phrases = [f"out has dtype {out.dtype}", "the result has dtype float64"]
        refused(sj, "DTypeError", phrases, call, sj, name, ROWS, out=out)


@pytest.mark.parametrize("name", NAMES)
def test_out_that_is_read_only(name, sj):
    out = result_of(sj, name)
    out.flags.writeable = False
    refused(sj, "ArgumentError", ["out is read-only", "out.copy()"], call, sj, name, ROWS, out=out)


@pytest.mark.parametrize("name", NAMES)
def test_out_that_is_no_array(name, sj):
    for out in ([0.0] * 4, (result_of(sj, name),), "softmax.npy"):
        phrases = [f"out is a {type(out).__name__}", "pass a NumPy array of shape"]
        refused(sj, "DTypeError", phrases, call, sj, name, ROWS, out=out)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_when_something_is_wrong(name, sj):
    out = np.full(FUNCTIONS[name].result_shape((3, 4)), 7.0)
    with pytest.raises(sj.SoftjacError):
        call(sj, name, ROWS, out=out, where=np.ones((4, 3), dtype=bool))
    with pytest.raises(sj.SoftjacError):
        call(sj, name, ROWS + 1j, out=out)
    with pytest.raises(sj.SoftjacError):
        call(sj, name, ROWS, out=out, axis=9)
    assert (out == 7.0).all()


def test_messages_name_no_internals(sj):
    """What a message tells to pass is understood without the source."""
    messages = []
    for call_ in (
        lambda: sj.softmax("a"),
        lambda: sj.softmax(ROWS, axis=9),
        lambda: sj.softmax_jvp(ROWS, np.ones(5)),
        lambda: sj.softmax(ROWS, where=ROWS),
        lambda: sj.softmax(ROWS, out=np.empty(3)),
    ):
        with pytest.raises(sj.SoftjacError) as caught:
            call_()
        messages.append(str(caught.value))
    for message in messages:
        assert not re.search(r"_\w+\(|operand \d|Layout|Quantity", message), message
