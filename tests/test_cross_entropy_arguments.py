"""Every mistake in an argument of cross-entropy: its class, what the message says, and that nothing is written.

And what is accepted: dtypes, lists, shapes, `out`.
"""

import numpy as np
import pytest

from functions import BFLOAT16, DTYPES, logits, same_bits

Z = logits((3, 4))
LABEL = np.array([0, 3, 1])
Y = np.full((3, 4), 0.25)
NAMES = [
    "cross_entropy", "cross_entropy_grad", "cross_entropy_value_and_grad", "cross_entropy_hvp", "cross_entropy_hessian",
]  # fmt: skip
WITH_OUT = NAMES[1:4]


def call(sj, name, z, targets, **options):
    tangent = options.pop("tangent", np.ones(np.shape(z)))
    more = [tangent] if name == "cross_entropy_hvp" else []
    return getattr(sj, name)(z, targets, *more, **options)


NUMPYS = {
    "ShapeError": ValueError,
    "DTypeError": TypeError,
    "AxisError": IndexError,
    "ArgumentError": ValueError,
    "BoundsError": IndexError,
}

# What is passed, the error, and phrases of its message.
REFUSED = {
    "logits of no axis": ({"z": 1.0}, "AxisError", ["logits is a single number", "pass a vector"]),
    "an axis that is not there": ({"axis": 2}, "AxisError", ["axis is 2", "(3, 4)", "from -2 to 1"]),
    "several axes": ({"axis": (0, 1)}, "DTypeError", ["axis is (0, 1)", "one axis", "pass an int"]),
    "no classes": ({"z": np.ones((3, 0))}, "ShapeError", ["(3, 0)", "no classes", "at least one class"]),
    "complex logits": ({"z": Z + 0j}, "DTypeError", ["logits has dtype complex128", "real part"]),
    "strings": ({"z": [["a"] * 4] * 3}, "DTypeError", ["logits has dtype", "convert it first"]),
    "a class too large": (
        {"targets": [0, 4, 1]},
        "BoundsError",
        ["targets holds class 4 at row 1", "4 classes along axis -1", "0 to 3", "pass ignore_index=4"],
    ),
    "a negative class": ({"targets": [0, 1, -1]}, "BoundsError", ["class -1 at row 2", "ignore_index=-1"]),
    "a class beyond int64": (
        {"targets": np.array([0, 2**64 - 1, 1], np.uint64)},
        "BoundsError",
        ["class 18446744073709551615 at row 1"],
    ),
    "another class is ignored": ({"targets": [0, 9, 8], "ignore_index": 9}, "BoundsError", ["class 8 at row 2"]),
    "a class beyond all integers of NumPy": (
        {"targets": [0, 1, 10**30]},
        "BoundsError",
        ["class 1000000000000000000000000000000 at row 2"],
    ),
    "classes with a NaN": (
        {"targets": [0.0, np.nan, 1.0]},
        "DTypeError",
        ["targets has dtype float64", "no class where it is NaN", "ignore_index"],
    ),
    "bool classes": (
        {"targets": [True, False, True]},
        "DTypeError",
        ["targets has dtype bool", "classes are integers", "targets.astype(int)", "shape (3, 4)"],
    ),
    "float classes": ({"targets": [0.0, 1.0, 2.0]}, "DTypeError", ["targets has dtype float64", "astype(int)"]),
    "no numbers": ({"targets": ["a", "b", "c"]}, "DTypeError", ["targets has dtype <U1", "classes are integers"]),
    "ragged targets": ({"targets": [[1], [1, 2]]}, "DTypeError", ["targets cannot be made an array"]),
    "targets of another shape": (
        {"targets": [0, 1]},
        "ShapeError",
        ["targets has shape (2,)", "logits has shape (3, 4)", "classes of shape (3,)", "distribution for each row"],
    ),
    "targets that would broadcast": ({"targets": np.ones((1, 4))}, "ShapeError", ["targets has shape (1, 4)"]),
    "complex distributions": ({"targets": Y + 0j}, "DTypeError", ["targets has dtype complex128"]),
    "a negative probability": (
        {"targets": Y - 0.5 * (np.arange(12).reshape(3, 4) == 6)},
        "ArgumentError",
        ["targets holds -0.25 in row 1, class 2", "at least 0"],
    ),
    "a NaN probability": (
        {"targets": np.where(np.arange(12).reshape(3, 4) == 8, np.nan, Y)},
        "ArgumentError",
        ["targets holds nan in row 2, class 0", "finite"],
    ),
    "an infinite probability": (
        {"targets": np.where(np.arange(12).reshape(3, 4) == 3, np.inf, Y)},
        "ArgumentError",
        ["targets holds inf in row 0, class 3"],
    ),
    "a class that is masked out": (
        {"where": np.arange(4) != 3},
        "ArgumentError",
        ["targets holds class 3 at row 1", "where masks that class out"],
    ),
    "a probability that is masked out": (
        {"targets": Y, "where": np.arange(4) != 2},
        "ArgumentError",
        ["targets holds 0.25 in row 0, class 2", "where masks that class out"],
    ),
    "ignore_index beside distributions": (
        {"targets": Y, "ignore_index": 1},
        "ArgumentError",
        ["ignore_index is 1", "distribution", "sample_weight=0"],
    ),
    "a float ignore_index": ({"ignore_index": 1.0}, "DTypeError", ["ignore_index is 1.0, a float", "pass an int"]),
    "a bool ignore_index": ({"ignore_index": True}, "DTypeError", ["ignore_index is True, a bool"]),
    "one weight too few": (
        {"weight": [1.0, 2.0, 3.0]},
        "ShapeError",
        ["weight has shape (3,)", "4 classes", "shape (4,)", "sample_weight"],
    ),
    "one weight for all": ({"weight": 2.0}, "ShapeError", ["weight has shape ()", "shape (4,)"]),
    "a negative weight": (
        {"weight": [1, -2, 1, 1]},
        "ArgumentError",
        ["weight is -2.0 at class 1", "from 0 to 1e+140"],
    ),
    "a weight of NaN": (
        {"weight": [1, 1, 1, np.nan]},
        "ArgumentError",
        ["weight is nan at class 3", "from 0 to 1e+140"],
    ),
    "complex weights": ({"weight": np.ones(4) + 0j}, "DTypeError", ["weight has dtype complex128"]),
    "sample weights of classes": (
        {"sample_weight": np.ones(4)},
        "ShapeError",
        ["sample_weight has shape (4,)", "rows of logits have shape (3,)"],
    ),
    "one sample weight": ({"sample_weight": 1.0}, "ShapeError", ["sample_weight has shape ()", "broadcast_to"]),
    "a negative sample weight": (
        {"sample_weight": [1.0, 1.0, -1e-3]},
        "ArgumentError",
        ["sample_weight is -0.001 at row 2", "pass 0"],
    ),
    "an infinite sample weight": (
        {"sample_weight": [np.inf, 1, 1]},
        "ArgumentError",
        ["sample_weight is inf at row 0"],
    ),
    "a weight too large": ({"weight": [1, 1, 1e300, 1]}, "ArgumentError", ["weight is 1e+300 at class 2", "1e+140"]),
    "a weight beyond float64": (
        {"weight": np.ones(4, np.longdouble) * np.longdouble("1e400")},
        "ArgumentError",
        ["weight is 1e+400 at class 0"],
    ),
    "smoothing below 0": ({"label_smoothing": -0.1}, "ArgumentError", ["label_smoothing is -0.1", "from 0 to 1"]),
    "smoothing above 1": ({"label_smoothing": 1.5}, "ArgumentError", ["label_smoothing is 1.5", "from 0 to 1"]),
    "smoothing of NaN": ({"label_smoothing": np.nan}, "ArgumentError", ["label_smoothing is nan"]),
    "smoothing True": ({"label_smoothing": True}, "DTypeError", ["label_smoothing is True, a bool", "pass a number"]),
    "smoothing of text": ({"label_smoothing": "0.1"}, "DTypeError", ["label_smoothing is '0.1', a str"]),
    "smoothing of an array": ({"label_smoothing": np.ones(3)}, "DTypeError", ["label_smoothing is", "ndarray"]),
    "z_loss below 0": ({"z_loss": -1}, "ArgumentError", ["z_loss is -1", "finite and at least 0"]),
    "z_loss infinite": ({"z_loss": np.inf}, "ArgumentError", ["z_loss is inf", "finite"]),
    "z_loss None": ({"z_loss": None}, "DTypeError", ["z_loss is None, a NoneType"]),
    "z_loss beyond float64": ({"z_loss": 10**400}, "ArgumentError", ["z_loss is 1000", "finite"]),
    "a list of reductions": ({"reduction": ["mean"]}, "ArgumentError", ["reduction is ['mean']", '"mean"']),
    "another reduction": ({"reduction": "average"}, "ArgumentError", ["reduction is 'average'", '"mean"']),
    "reduction None": ({"reduction": None}, "ArgumentError", ["reduction is None", '"none"']),
    "where of numbers": ({"where": np.ones(4)}, "DTypeError", ["where has dtype float64", "pass booleans"]),
    "where of another shape": (
        {"where": [True] * 3},
        "ShapeError",
        ["where has shape (3,)", "logits has shape (3, 4)"],
    ),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", REFUSED)
def test_mistakes(case, name, sj):
    options, kind, phrases = REFUSED[case]
    options = {"z": Z, "targets": LABEL, **options}
    z, targets = options.pop("z"), options.pop("targets")
    if name in WITH_OUT:
        options["out"] = np.full(np.shape(z), 7.0)
    with pytest.raises(getattr(sj, kind)) as caught:
        call(sj, name, z, targets, **options)
    assert isinstance(caught.value, NUMPYS[kind])
    assert isinstance(caught.value, sj.SoftjacError)
    assert "\n" not in str(caught.value)
    for phrase in phrases:
        assert phrase.replace("axis -1", "axis 1") in str(caught.value), str(caught.value)
    if "out" in options:
        np.testing.assert_array_equal(options["out"], np.full(np.shape(z), 7.0))


def test_no_reduction_of_another_type_for_the_plainest_input(sj):
    for reduction in (["mean"], {}, np.array("mean"), np.array(["mean", "sum"]), None, 1):
        for name in NAMES:
            with pytest.raises(sj.ArgumentError, match="reduction is"):
                call(sj, name, np.ones((2, 3)), np.array([0, 1]), reduction=reduction)


def test_an_ignored_label_may_be_any_int(sj):
    for index in (-1, 2**63 - 1, -(2**63), 2**64, 10**40, 1):
        loss = sj.cross_entropy(np.zeros((2, 3)), [0, index], ignore_index=index, reduction="none")
        np.testing.assert_allclose(loss, [np.log(3.0), 0.0])


def test_numbers_may_be_arrays_of_no_axis(sj):
    expected = sj.cross_entropy(Z, LABEL, label_smoothing=0.1, z_loss=0.5)
    assert sj.cross_entropy(Z, LABEL, label_smoothing=np.array(0.1), z_loss=np.float64(0.5)) == expected


def test_small_weights_beside_others_and_sums_of_small_ones(sj):
    z, label = np.array([[0.0, 2.0], [1.0, 0.0]]), np.array([0, 1])
    losses = sj.cross_entropy(z, label, reduction="none")
    for small in (1e-160, 1e-300, 1e-310):
        loss, gradient = sj.cross_entropy_value_and_grad(z, label, sample_weight=[1.0, small])
        np.testing.assert_allclose(loss, losses[0], rtol=1e-15)
        np.testing.assert_allclose(gradient[1] / small, sj.cross_entropy_grad(z[1], 1), rtol=1e-12)
        total, gradient = sj.cross_entropy_value_and_grad(z, label, weight=[small, small], reduction="sum")
        np.testing.assert_allclose([total / small, gradient[0, 1] / small], [losses.sum(), sj.softmax(z[0])[1]], 1e-12)


def test_the_place_of_a_bad_target_in_every_batch(sj):
    with pytest.raises(sj.BoundsError, match=r"targets holds class 4, but logits has 4 classes"):
        sj.cross_entropy(np.ones(4), 4)
    with pytest.raises(sj.BoundsError, match=r"class -7 at row \(1, 0\), but logits has 4 classes along axis 1"):
        sj.cross_entropy(np.ones((2, 4, 3)), [[0, 1, 2], [-7, 1, 9]], axis=1)
    with pytest.raises(sj.ArgumentError, match=r"targets holds -1.0 for class 2: probabilities"):
        sj.cross_entropy(np.ones(4), [0.0, 0.0, -1.0, 0.0])
    y = np.ones((2, 4, 3))
    y[1, 3, 2] = -2.0
    with pytest.raises(sj.ArgumentError, match=r"targets holds -2.0 in row \(1, 2\), class 3"):
        sj.cross_entropy(np.ones((2, 4, 3)), y, axis=1)
    y = np.ones((3000, 17))  # beyond the first block
    y[2345, 16] = np.nan
    with pytest.raises(sj.ArgumentError, match=r"targets holds nan in row 2345, class 16"):
        sj.cross_entropy(np.ones((3000, 17)), y)


def test_tangents(sj):
    with pytest.raises(sj.ShapeError, match=r"tangent has shape \(4,\), but logits has shape \(3, 4\)"):
        sj.cross_entropy_hvp(Z, LABEL, np.ones(4))
    with pytest.raises(sj.DTypeError, match=r"tangent has dtype complex128"):
        sj.cross_entropy_hvp(Z, LABEL, Z + 0j)
    with pytest.raises(sj.DTypeError, match=r"tangent is None"):
        sj.cross_entropy_hvp(Z, LABEL, None)


@pytest.mark.parametrize("name", WITH_OUT)
def test_out_that_does_not_fit(name, sj):
    read_only = np.zeros((3, 4))
    read_only.flags.writeable = False
    for out, kind, phrase in [
        ([[0.0] * 4] * 3, "DTypeError", "out is a list"),
        (np.zeros((4, 3)), "ShapeError", "out has shape (4, 3), but the result has shape (3, 4)"),
        (np.zeros((3, 4), "f4"), "DTypeError", "out has dtype float32, but the result has dtype float64"),
        (read_only, "ArgumentError", "out is read-only"),
    ]:
        with pytest.raises(getattr(sj, kind)) as caught:
            call(sj, name, Z, LABEL, out=out)
        assert phrase in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_of_other_libraries_are_refused(name, sj):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'softjac[peers]'")
    da = pytest.importorskip("dask.array", reason="Dask is not installed: pip install 'softjac[test]'")
    for z, label, phrase in [
        (torch.zeros(3, 4), LABEL, "logits is an array of torch"),
        (Z, torch.zeros(3, dtype=torch.int64), "targets is an array of torch"),
        (da.zeros((3, 4)), LABEL, "logits is an array of dask"),
    ]:
        with pytest.raises(
            sj.DTypeError, match=rf"{phrase}, but {name} computes with NumPy arrays: pass numpy.asarray"
        ):
            call(sj, name, z, label, tangent=np.ones((3, 4)))


# -------------------------------------------------------------------------------------------------- what is accepted


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype(np.longdouble)], ids=str)
def test_dtypes_come_back_as_they_came(dtype, sj):
    z = Z.astype(dtype)
    for targets in (LABEL, Y, Y.astype("f4"), np.eye(4, dtype=int)[LABEL]):
        for options in ({}, {"weight": np.arange(1, 5), "sample_weight": [1, 2, 0], "label_smoothing": 0.1}):
            for reduction in ("none", "sum", "mean"):
                options["reduction"] = reduction
                loss, gradient = sj.cross_entropy_value_and_grad(z, targets, **options)
                assert loss.dtype == dtype
                assert loss.shape == ((3,) if reduction == "none" else ())
                assert isinstance(loss, np.ndarray if reduction == "none" else dtype.type)
                assert (gradient.dtype, gradient.shape) == (dtype, (3, 4))
                product = sj.cross_entropy_hvp(z, targets, Z, **options)
                assert (product.dtype, product.shape) == (dtype, (3, 4))
            _, denominator = sj.cross_entropy(z, targets, return_denominator=True, **options)
            assert type(denominator) is (np.longdouble if dtype == np.longdouble else np.float64)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4"])
def test_labels_of_every_integer(dtype, sj):
    assert sj.cross_entropy(Z, LABEL.astype(dtype)) == sj.cross_entropy(Z, LABEL)
    assert sj.cross_entropy(Z, LABEL.astype(dtype), ignore_index=-100) == sj.cross_entropy(Z, LABEL)
    assert sj.cross_entropy(Z, LABEL.astype(dtype), ignore_index=10**30) == sj.cross_entropy(Z, LABEL)


@pytest.mark.parametrize("dtype", [bool, "i4", "u1", "f2", "f4", "f8", "g", ">f8", *BFLOAT16], ids=str)
def test_distributions_of_every_dtype(dtype, sj):
    one_hot = np.eye(4)[LABEL].astype(dtype)
    assert sj.cross_entropy(Z, one_hot) == sj.cross_entropy(Z, LABEL)
    two = np.minimum(np.eye(4)[LABEL] + np.eye(4)[(LABEL + 1) % 4], 1.0)
    expected = sj.cross_entropy(Z, two, reduction="none")
    np.testing.assert_array_equal(sj.cross_entropy(Z, two.astype(dtype), reduction="none"), expected)


@pytest.mark.parametrize("name", NAMES[:4])
def test_lists_numbers_and_integers(name, sj):
    expected = call(sj, name, np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 0]))
    for z in ([[1, 2], [3, 0]], ((1.0, 2), (3, 0.0)), np.array([[1, 2], [3, 0]])):
        for targets in ([1, 0], (1, 0), np.array([1, 0], "i1")):
            result = call(sj, name, z, targets)
            np.testing.assert_equal(result, expected)
    assert sj.cross_entropy([1, 2], 1) == sj.cross_entropy([1.0, 2.0], np.int8(1)) == sj.cross_entropy([[1, 2]], [1])
    assert sj.cross_entropy([1, 2], [0, 1]) == sj.cross_entropy([1, 2], 1)
    assert isinstance(sj.cross_entropy([1, 2], 1), np.float64)
    assert sj.cross_entropy([1, 2], 1, label_smoothing=1, z_loss=np.float32(0.5)) > 0


def test_no_rows(sj):
    for shape, axis, batch in (((0, 4), -1, (0,)), ((4, 0), 0, (0,)), ((2, 4, 0), 1, (2, 0))):
        z = np.ones(shape)
        for targets in (np.ones(batch, int), np.ones(shape)):
            for reduction in ("sum", "mean"):
                loss, gradient, denominator = sj.cross_entropy_value_and_grad(
                    z, targets, axis, reduction=reduction, return_denominator=True
                )
                assert (loss, denominator, gradient.shape) == (0.0, 0.0, shape)
            assert sj.cross_entropy(z, targets, axis, reduction="none").shape == batch
            assert sj.cross_entropy_hvp(z, targets, z, axis).shape == shape
    assert sj.cross_entropy(np.ones((0, 4)), []) == 0.0
    assert sj.cross_entropy_hessian(np.ones((0, 4)), []).shape == (0, 4, 4)


def test_what_is_ignored_or_does_not_count_is_not_read(sj):
    z = Z.copy()
    z[1] = np.nan
    for options in (
        {"targets": [0, -1, 1], "ignore_index": np.int64(-1)},
        {"targets": [0, 2, 1], "ignore_index": 2},
        {"targets": LABEL, "sample_weight": [1.0, 0.0, 1.0]},
        {"targets": LABEL, "where": np.array([[True], [False], [True]])},
        {"targets": np.eye(4)[LABEL], "where": np.array([[True], [False], [True]])},
    ):
        targets = options.pop("targets")
        loss, gradient, denominator = sj.cross_entropy_value_and_grad(z, targets, return_denominator=True, **options)
        assert denominator == 2.0
        assert loss == sj.cross_entropy(z[[0, 2]], LABEL[[0, 2]])
        assert not gradient[1].any()
        assert same_bits(gradient[[0, 2]], sj.cross_entropy_grad(z[[0, 2]], LABEL[[0, 2]]))
        assert not sj.cross_entropy_hvp(z, targets, z * 0.0 + 1.0, **options)[1].any()


@pytest.mark.parametrize("name", WITH_OUT)
def test_out_is_filled_and_returned_whatever_it_shares(name, sj):
    """Exactly the logits, the tangent, or memory that overlaps with any operand."""
    rng = np.random.default_rng(5)
    z, v, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 4)), rng.random((5, 4))
    sample_weight, weight = rng.random(5), rng.random(4)
    options = {"sample_weight": sample_weight, "weight": weight, "tangent": v}

    def gradient(z, y, out=None, **options):
        result = call(sj, name, z, y, out=out, **options)
        return result[1] if isinstance(result, tuple) else result

    expected = gradient(z, y, **options)
    out = np.empty((5, 4))
    assert gradient(z, y, out=out, **options) is out
    np.testing.assert_array_equal(out, expected)

    memory = np.empty((7, 4))
    for operand in ("z", "y", "tangent"):
        for rows in (slice(0, 5), slice(1, 6), slice(2, 7)):
            given = {"z": z, "y": y, **options}
            memory[1:6] = given[operand]
            given[operand] = memory[1:6]
            out = memory[rows]
            assert gradient(out=out, **given) is out
            np.testing.assert_array_equal(out, expected, err_msg=f"{operand} {rows}")
    memory = np.empty((6, 4))
    memory[5] = weight
    assert gradient(z, y, out=memory[1:6], **(options | {"weight": memory[5]})) is not None
    np.testing.assert_array_equal(memory[1:6], expected)
    turned = np.asfortranarray(z)
    np.testing.assert_array_equal(gradient(turned, y, out=turned, **options), expected)
    swapped = np.empty((5, 4), ">f8")
    with pytest.raises(sj.DTypeError):
        gradient(z, y, out=swapped, **options)
    unaligned = np.zeros(8 * 20 + 1, np.uint8)[1:].view("f8").reshape(5, 4)
    np.testing.assert_array_equal(gradient(z, y, out=unaligned, **options), expected)


def test_nothing_but_out_is_written(sj):
    for targets in (LABEL, Y, np.eye(4)[LABEL]):
        given = [Z, targets, np.array([1.0, 2.0, 0.0]), np.array([1.0, 2.0, 3.0, 0.5]), np.ones((3, 4), bool)]
        given = [x.copy() for x in given]
        for x in given:
            x.flags.writeable = False
        z, t, sample_weight, weight, where = given
        for name in NAMES:
            call(sj, name, z, t, sample_weight=sample_weight, weight=weight, where=where, tangent=z)
