"""What a reader passes: taken exactly, or refused with a message that says which argument, what came, what to do."""

import decimal
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from softjac.derivation import _arguments, explain
from softjac.derivation.points import LARGEST_GAP
from softjac.derivation.views import view
from softjac.errors import ArgumentError, BoundsError, DTypeError, ShapeError, SoftjacError

NUMPYS = {ArgumentError: ValueError, BoundsError: IndexError, DTypeError: TypeError, ShapeError: ValueError}
REFUSED = {
    "NaN": ([1, float("nan")], {}, ArgumentError, ["logits holds NaN at position 1"]),
    "NaN as a Decimal": ([Decimal(1), Decimal("nan")], {}, ArgumentError, ["logits holds NaN at position 1"]),
    "inf": ([1, float("inf")], {}, ArgumentError, ["holds inf at position 1", "finite", "p[1] nears 1", "limit"]),
    "-inf": ([-np.inf, 0.0], {}, ArgumentError, ["logits holds -inf at position 0", "limit", "p[0] and its row"]),
    "inf twice": ([np.inf, 0.0, np.inf], {}, ArgumentError, ["logits holds inf at position 0", "there is no limit"]),
    "-inf alone": ([-np.inf, -np.inf], {}, ArgumentError, ["logits holds -inf at position 0", "there is no limit"]),
    "too large": ([1e300, 1e300], {}, ArgumentError, ["logits holds 1e+300", "the limit is 1e+15", "Subtract"]),
    "larger than a float": ([Decimal("1e400")], {}, ArgumentError, ["logits holds 1.00000e+400"]),
    "too far apart": ([0, 3000], {}, ArgumentError, ["from 0 to 3000", f"a distance of {LARGEST_GAP}"]),
    "text": ("1 2 3", {}, DTypeError, ["logits is '1 2 3'", "pass numbers"]),
    "texts": (["1", "2"], {}, DTypeError, ["logits has dtype <U1", "pass numbers"]),
    "complex": ([1j, 2], {}, DTypeError, ["logits has dtype complex128"]),
    "objects": ([object(), 2], {}, DTypeError, ["logits has dtype object"]),
    "a Decimal and a text": ([Decimal(1), "x"], {}, DTypeError, ["logits holds 'x' at position 1"]),
    "None inside": ([None, 2], {}, DTypeError, ["logits has dtype object"]),
    "a dictionary": ({1: 2}, {}, DTypeError, ["logits is {1: 2}"]),
    "one number": (3.0, {}, ShapeError, ["logits has shape ()", "shape (n,)"]),
    "a matrix": ([[1, 2], [3, 4]], {}, ShapeError, ["logits has shape (2, 2)", "one vector"]),
    "ragged": ([[1, 2], [3]], {}, DTypeError, ["logits cannot be made an array of numbers"]),
    "nothing": ([], {}, ShapeError, ["logits has shape (0,)", "at least one"]),
    "label too large": ([1, 2, 3], {"label": 3}, BoundsError, ["label is 3", "3 classes", "0 to 2"]),
    "label negative": ([1, 2, 3], {"label": -1}, BoundsError, ["label is -1", "0 to 2"]),
    "label a float": ([1, 2, 3], {"label": 1.0}, DTypeError, ["label is 1.0", "an int"]),
    "label a bool": ([1, 2, 3], {"label": True}, DTypeError, ["label is True", "an int"]),
    "label without logits": (None, {"label": 1}, ArgumentError, ["label is 1", "no logits"]),
    "nudge of another length": ([1, 2, 3], {"nudge": [1, 0]}, ShapeError, ["nudge has 2 elements", "logits has 3"]),
    "nudge NaN": ([1, 2], {"nudge": [np.nan, 0]}, ArgumentError, ["nudge holds NaN at position 0"]),
    "nudge inf": ([1, 2], {"nudge": [0, np.inf]}, ArgumentError, ["nudge holds inf at position 1", "finite"]),
    "nudge too large": ([1, 2], {"nudge": [0, -101]}, ArgumentError, ["holds -101 at position 1", "at most 100"]),
    "nudge a text": ([1, 2], {"nudge": "01"}, DTypeError, ["nudge is '01'"]),
    "nudge without logits": (None, {"nudge": [1.0]}, ArgumentError, ["nudge is [1.0]", "no logits"]),
    "nudge too small": ([1, 2], {"nudge": [0, -1e-31]}, ArgumentError, ["holds -1e-31 at position 1", "1e-30, or 0"]),
    "nudge too small for a float": ([1, 2], {"nudge": [Decimal("1e-400"), 0]}, ArgumentError, ["holds 1.00000e-400"]),
    "nudge too near": (
        [1, 2, 3],
        {"nudge": [Decimal(1), Decimal("1." + "0" * 50 + "1"), 0]},
        ArgumentError,
        ["nudge holds 1 and 1", "differ by 1e-51", "at least 1e-50"],
    ),
    "booleans": ([True, False], {}, DTypeError, ["logits holds True at position 0", "pass numbers"]),
    "a boolean inside": ([1.5, True], {}, DTypeError, ["logits holds True at position 1"]),
    "a boolean array": (np.array([True, False]), {}, DTypeError, ["logits has dtype bool"]),
    "a boolean beside a Decimal": ([Decimal(1), True], {}, DTypeError, ["logits holds True at position 1"]),
    "a boolean nudge": ([1, 2], {"nudge": [0, np.True_]}, DTypeError, ["nudge holds", "at position 1"]),
    "a text of a number beside a Decimal": ([Decimal(1), "2"], {}, DTypeError, ["logits holds '2' at position 1"]),
    "masked": (np.ma.masked_array([1.0, 2.0], [0, 1]), {}, DTypeError, ["logits is a masked array", "compressed()"]),
    "masked nowhere": (np.ma.masked_array([1.0, 2.0]), {}, DTypeError, ["logits is a masked array"]),
    "a masked nudge": ([1, 2], {"nudge": np.ma.masked_array([1, 2], [0, 1])}, DTypeError, ["nudge is a masked array"]),
    "a third": ([Fraction(1, 3), 1], {}, ArgumentError, ["logits holds 1/3 at position 0", "no end", "float"]),
    "no parts": ([1, 2], {"parts": []}, ArgumentError, ["parts is empty", "softmax, jacobian,"]),
    "no part left": ([1, 2], {"parts": "logarithm", "by": "quotient"}, ArgumentError, ["by is 'quotient'", "nothing"]),
    "no part left, the other way": ([1, 2], {"parts": ["quotient"], "by": "log"}, ArgumentError, ["nothing is left"]),
    "an entry and parts": ([1, 2], {"entry": (0, 1), "parts": "matrix"}, ArgumentError, ["entry is (0, 1)", "parts"]),
    "a class far out, in symbols": (None, {"entry": (0, 5000)}, BoundsError, ["entry[1] is 5000", "99", "logits"]),
    "many classes": (range(101), {}, ArgumentError, ["logits has 101 classes", "100", "entry"]),
    "many classes, one part": (range(1000), {"parts": "softmax"}, ArgumentError, ["logits has 1000 classes"]),
    "very many classes, one entry": (range(1001), {"entry": (0, 1)}, ArgumentError, ["1001 classes", "1000"]),
    "entry out of range": ([1, 2, 3], {"entry": (0, 3)}, BoundsError, ["entry[1] is 3", "3 classes", "0 to 2"]),
    "entry negative": ([1, 2, 3], {"entry": (-1, 0)}, BoundsError, ["entry[0] is -1"]),
    "entry negative, in symbols": (None, {"entry": (0, -1)}, BoundsError, ["entry[1] is -1", "numbered from 0"]),
    "entry of one": ([1, 2, 3], {"entry": (0,)}, DTypeError, ["entry is (0,)", "two ints"]),
    "entry a text": ([1, 2, 3], {"entry": "02"}, DTypeError, ["entry is '02'"]),
    "entry a number": ([1, 2, 3], {"entry": 2}, DTypeError, ["entry is 2"]),
    "by": ([1, 2, 3], {"by": "sum"}, ArgumentError, ["by is 'sum'", "'both', 'quotient', 'log'"]),
    "parts": ([1, 2, 3], {"parts": "matrices"}, ArgumentError, ["parts holds 'matrices'", "softmax, jacobian,"]),
    "parts a number": ([1, 2, 3], {"parts": 3}, DTypeError, ["parts is 3"]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    logits, options, kind, phrases = REFUSED[name]
    with pytest.raises(kind) as caught:
        explain(logits, **options)
    assert isinstance(caught.value, SoftjacError)
    assert isinstance(caught.value, NUMPYS[kind])
    message = str(caught.value)
    assert "\n" not in message
    for phrase in phrases:
        assert phrase in message, message


exactly = Decimal.from_float
EXACT = {
    "ints": ([10**15 - 1, 10**15], (10**15 - 1, 10**15)),
    "floats": ([0.1, 0.2], (exactly(0.1), exactly(0.2))),
    "decimals": ([Decimal("0.1"), 2], (Decimal("0.1"), 2)),
    "a tuple": ((1.5, 2), (Decimal("1.5"), 2)),
    "a generator": ((x / 2 for x in range(2)), (0, Decimal("0.5"))),
    "float32": (np.array([0.1, 2], np.float32), (Decimal(float(np.float32(0.1))), 2)),
    "float16": (np.array([0.1], np.float16), (Decimal(float(np.float16(0.1))),)),
    "int8": (np.array([-3, 100], np.int8), (-3, 100)),
    "uint64": (np.array([7], np.uint64), (7,)),
    "fractions": ([Fraction(1, 8), Fraction(-3, 5), 2, 0.5], (Decimal("0.125"), Decimal("-0.6"), 2, Decimal("0.5"))),
    "a long fraction": ([Fraction(1, 2**90)], (Decimal((0, tuple(map(int, str(5**90))), -90)),)),
    "an array of decimals": (np.array([Decimal("0.1"), 2]), (Decimal("0.1"), 2)),
    "a big-endian view": (np.arange(6.0, dtype=">f8")[::2], (0, 2, 4)),
    "one class": ([5e-324], (exactly(5e-324),)),
    "longdouble": (np.array([1, 3], np.longdouble) / 3, None),
}


@pytest.mark.parametrize("name", EXACT)
def test_logits_are_taken_exactly(name):
    given, expected = EXACT[name]
    if expected is None:
        with decimal.localcontext(decimal.Context(prec=200)):
            expected = tuple(Decimal(a) / Decimal(b) for a, b in (x.as_integer_ratio() for x in given))
    with decimal.localcontext(decimal.Context(prec=2, traps=[])):
        found = _arguments.point_of(given, None, None).logits
    assert found == expected
    assert all(isinstance(x, Decimal) for x in found)


def test_largest_that_is_accepted():
    assert _arguments.point_of([1e15, 1e15 - LARGEST_GAP], None, None).n == 2
    with pytest.raises(ArgumentError, match="the limit is 1e\\+15"):
        _arguments.point_of([1e15 + 1], None, None)
    coarse = decimal.Context(prec=2)
    with decimal.localcontext(coarse), pytest.raises(ArgumentError, match="a distance of"):
        _arguments.point_of([0, np.nextafter(LARGEST_GAP, 3000)], None, None)


def test_the_point_holds_what_came():
    point = _arguments.point_of([1, 2, 3], np.int64(2), [0.5, 0, 0])
    assert point.label == 2
    assert point.targets == (0, 0, 1)
    assert point.nudge == (Decimal("0.5"), 0, 0)
    soft = _arguments.point_of([1, 2, 3], None, None)
    assert soft.label is None
    assert sum(soft.targets) == 1
    assert _arguments.point_of(None, None, None) is None


def test_nothing_is_written_to():
    logits = np.array([1.0, 2.0])
    logits.flags.writeable = False
    _arguments.point_of(logits, None, logits)


def test_parts_come_in_the_order_of_the_text():
    known = ("softmax", "matrix", "nudge")
    assert _arguments.parts_of(["nudge", "softmax"], known) == ("softmax", "nudge")
    assert _arguments.parts_of("matrix", known) == ("matrix",)
    assert _arguments.parts_of(None, known) is None


def test_small_changes_are_taken_down_to_the_limit():
    for nudge in ([1e-30, 0, 0], [-1e-30, 1e-30, 0], [1, 1, 1 + 2**-52], [1e-30, np.nextafter(1e-30, 1), 0]):
        written = str(explain([1, 2, 3], nudge=nudge, parts="nudge"))
        assert written.count("0.0100") == 2, written  # the error shrinks with the square


def test_no_change_is_a_change():
    written = str(explain([1, 2, 3], nudge=[0, 0, 0], parts="nudge"))
    assert "Prediction and actual change are both" in written


def test_limits_on_the_number_of_classes():
    for logits, options in ((range(1001), {}), (range(201), {"nudge": [0.1] * 201}), (range(201), {"by": "log"})):
        with pytest.raises(ArgumentError, match=f"logits has {len(logits)} classes"):
            view(logits, **options)
    with pytest.raises(BoundsError, match="entry"):
        view(entry=(100, 0))
    assert explain(entry=(0, 99)).chains


TORCH = {
    "float64": ("float64", (1.5, 0.1), True),
    "float32": ("float32", (1.5, 0.25), True),
    "bfloat16": ("bfloat16", (1.5, 0.25), False),
    "bfloat16 with a gradient": ("bfloat16", (1.5, 0.25), True),
    "int64": ("int64", (1, 2), False),
}


@pytest.mark.parametrize("name", TORCH)
def test_tensors_are_taken_exactly(name):
    torch = pytest.importorskip("torch")
    kind, values, gradient = TORCH[name]
    tensor = torch.tensor(values, dtype=getattr(torch, kind), requires_grad=gradient)
    expected = tuple(map(exactly, map(float, values)))
    assert _arguments.point_of(tensor, None, tensor).logits == expected
    assert _arguments.point_of(list(tensor), None, None).logits == expected
    assert tensor.grad is None


def test_tensors_of_other_kinds_are_refused():
    torch = pytest.importorskip("torch")
    for tensor in (torch.tensor([True, False]), torch.tensor([1j, 2])):
        with pytest.raises(DTypeError, match="logits h"):
            _arguments.point_of(tensor, None, None)
    for tensor in (torch.tensor(1.0), torch.ones(2, 2)):
        with pytest.raises(ShapeError, match="logits has shape"):
            _arguments.point_of(tensor, None, None)
