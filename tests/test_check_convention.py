"""How a candidate is called is found out: the form and library of its arrays, and what it is held to."""

import math

import numpy as np
import pytest
import scipy.special

from check_conventions import (
    column_formula,
    convention,
    found,
    of_a_vector,
    softmax_rows,
)
from libraries import peer
from softjac.check.candidate import InThisProcess
from softjac.check.judge import examine
from softjac.check.options import Options


def of_rows(batch):
    return softmax_rows(batch) if batch.ndim == 2 else batch[:, None].no_such_thing


def of_a_column(z):
    assert z.ndim == 2
    assert z.shape[1] == 1
    return of_a_vector(z)


def of_a_list(z):
    assert isinstance(z, list)
    total = sum(map(math.exp, z))
    return [math.exp(x) / total for x in z]


def of_a_list_of_lists(rows):
    assert isinstance(rows[0], list)
    return [of_a_list(row) for row in rows]


def vector_as_column(z):
    """A column for a vector, as code for columns has it that reshapes first."""
    z = np.reshape(z, (-1, 1))
    return of_a_vector(z)


def along_axis_0(z):
    e = np.exp(z)
    return e / e.sum(axis=0, keepdims=True)


@pytest.mark.parametrize(
    ("function", "library", "forms"),
    [
        (of_a_vector, "numpy", ("vector",)),
        (softmax_rows, "numpy", ("vector", "batch")),
        (of_rows, "numpy", ("batch",)),
        (of_a_column, "numpy", ("column",)),
        (of_a_list, "list", ("vector",)),
        (of_a_list_of_lists, "list", ("batch",)),
        (vector_as_column, "numpy", ("column",)),
        (along_axis_0, "numpy", ("vector", "batch")),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_form_and_library(function, library, forms):
    result = convention(function, "softmax")
    assert (result.library, result.forms) == (library, forms)


def test_takes_is_not_tried_out():
    assert convention(of_a_vector, "softmax", takes="column").forms == ("column",)
    assert found(of_a_vector, "softmax", takes="batch").convention.forms == ("batch",)
    assert not found(of_a_vector, "softmax", takes="batch").right


def test_right_for_a_column_alone_is_held_to_vectors():
    """p * (I - p.T) is right for a column: the vector counts, and the column is an aside."""
    examination = examine(InThisProcess(column_formula), Options("softmax_jacobian"))
    assert examination.convention.forms == ("vector",)
    assert examination.failed("exercise")
    assert [j.problem for j in examination.asides if j.form == "column"] == [""] * 4
    assert not examine(InThisProcess(column_formula), Options("softmax_jacobian", takes="column")).failed("exercise")


def stacked(z):
    """Right for a vector; its code names an axis, and for a batch the shape is another one."""
    p = of_a_vector(z)
    return np.stack([p[j] * ((np.arange(len(p)) == j) - p) for j in range(len(p))], axis=1)


def differences(z):
    """The same by central differences: for a batch it returns numbers, in another shape."""
    step = 1e-5 * np.eye(z.shape[-1])
    return np.stack([(softmax_rows(z + e) - softmax_rows(z - e)) / 2e-5 for e in step], axis=0)


def test_an_axis_in_the_code_alone_holds_nobody_to_batches():
    for function in (stacked, differences):
        assert convention(function, "softmax_jacobian").forms == ("vector",)


def along(z, axis=-1):
    return scipy.special.softmax(np.asarray(z, float), axis=axis)


def vjp_in_lists(z, g):
    p = softmax_rows(z).tolist()
    mean = sum(a * b for a, b in zip(p, g, strict=True))
    return [a * (b - mean) for a, b in zip(p, g, strict=True)]


def vjp_by_matrix_product(z, g):
    p = softmax_rows(z)
    return p * (g - p @ g)


def scaled_gradient(z, t):
    return along(z) * np.sum(t) - t


def gradient_as_matrix(z, y):
    p = np.asmatrix(along(z))
    p[0, y] -= 1
    return p


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (vjp_in_lists, "softmax_vjp"),
        (vjp_by_matrix_product, "softmax_vjp"),
        (scaled_gradient, "cross_entropy_grad"),
        (gradient_as_matrix, "cross_entropy_grad"),
    ],
)
def test_the_axis_of_a_helper_holds_nobody_to_batches(function, kind):
    examination = examine(InThisProcess(function), Options(kind))
    assert examination.convention.forms == ("vector",)
    assert not examination.failed("exercise")
    assert [j for j in examination.asides if j.form == "batch" and j.problem]


def softmax_as_matrix(z):
    return np.asmatrix(along(z))


def jacobian_as_matrix(z):
    p = np.asmatrix(along(z)).T
    return np.diagflat(p) - p * p.T


@pytest.mark.parametrize(
    ("function", "kind"), [(softmax_as_matrix, "softmax"), (jacobian_as_matrix, "softmax_jacobian")]
)
def test_a_numpy_matrix_of_one_row_is_a_vector(function, kind):
    examination = examine(InThisProcess(function), Options(kind))
    assert examination.convention.forms[0] == "vector"
    assert not [j for j in examination.failed("stable") if j.form == "vector"]


def test_rows_that_are_mixed_are_held_to_batches():
    """It raises for a batch, and returns numbers for as many rows as classes; one row alone is right."""

    def softmax(z):
        e = np.exp(z - z.max(axis=-1))
        return e / e.sum(axis=-1)

    def softmax_vjp(z, g):
        p = softmax_rows(z)
        return p * (g - (p * g).sum(axis=-1))

    for function in (softmax, softmax_vjp):
        examination = examine(InThisProcess(function), Options(function.__name__))
        assert examination.convention.forms == ("vector", "batch")
        assert "square_batch" in {j.probe.quality for j in examination.failed("exercise")}


def handed_on(z):
    return wrong_for_rows(z)


def wrong_for_rows(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum()


def test_what_a_function_hands_everything_to_is_its_own_code():
    assert found(handed_on, "softmax").convention.forms == ("vector", "batch")


def test_an_attribute_is_no_function_of_the_module():
    """In `scipy.special.softmax_rows` the name is that of a function here, which is not called."""

    def softmax(z):
        return scipy.special.softmax_rows(z)

    facts = InThisProcess(softmax).facts
    assert "softmax_rows" in facts.names
    assert "keepdims" not in facts.names


def test_classes_and_rows_are_not_columns():
    """Right for a column (n, 1), with the sums of lists of rows over their columns, or over all."""

    def down_the_columns(rows):
        sums = [sum(math.exp(x) for x in column) for column in zip(*rows, strict=True)]
        return [[math.exp(x) / total for x, total in zip(row, sums, strict=True)] for row in rows]

    def over_all(rows):
        total = sum(math.exp(x) for row in rows for x in row)
        return [[math.exp(x) / total for x in row] for row in rows]

    for function in (down_the_columns, over_all):
        examination = examine(InThisProcess(function), Options("softmax"))
        assert examination.convention.forms == ("batch",)
        assert examination.failed("exercise")


def test_axis_keyword_is_passed():
    def softmax(z, axis=None):
        assert axis == -1
        return scipy.special.softmax(z, axis=axis)

    assert convention(softmax, "softmax").axis_keyword == "axis"


def test_axis_that_is_in_the_signature_and_not_taken():
    """As of `jax.jit(jax.nn.softmax)`, whose axis may not be traced."""

    def softmax(z, axis=-1):
        if axis is not softmax.__defaults__[0]:
            raise TypeError("axis is fixed")
        return softmax_rows(z)

    def traced(z, axis=None):
        if axis is not None:
            raise TypeError("axis is traced")
        return softmax_rows(z)

    assert convention(softmax, "softmax").axis_keyword == "axis"
    assert convention(traced, "softmax").axis_keyword == ""
    jax = peer("jax", "peers")
    assert convention(jax.jit(jax.nn.softmax), "softmax").forms == ("vector", "batch")
    assert convention(jax.vmap(jax.jacrev(jax.nn.softmax)), "softmax_jacobian").forms == ("batch",)


def test_axis_of_a_column_is_the_first():
    def softmax(z, axis=-1):
        assert z.ndim == 2
        return scipy.special.softmax(z, axis=axis)

    assert convention(softmax, "softmax", takes="column").axis_keyword == "axis"


def test_classes_down_the_columns():
    def softmax(Z):
        e = np.exp(Z - Z.max(axis=0))
        return e / e.sum(axis=0)

    def softmax_jacobian(Z):
        p = scipy.special.softmax(Z, axis=0)
        return np.einsum("in,ij->ijn", p, np.eye(len(p))) - np.einsum("in,jn->ijn", p, p)

    assert found(softmax, "softmax").convention.forms == ("vector", "batch")
    assert examine(InThisProcess(softmax), Options("softmax")).failed("exercise")
    for function in (softmax, softmax_jacobian):
        examination = examine(
            InThisProcess(function), Options(function.__name__, axis=0, level="stable", takes="batch")
        )
        assert not [j for j in examination.failed("stable") if j.probe.quality != "square_batch"]
    assert not examine(InThisProcess(softmax), Options("softmax", axis=0)).failed("stable")


def test_float32_alone():
    def softmax(z):
        if z.dtype != np.float32:
            raise TypeError("float32 is needed")
        return softmax_rows(z)

    assert convention(softmax, "softmax").dtype == "float32"
    assert not examine(InThisProcess(softmax), Options("softmax")).failed("stable")


def test_torch_where_it_is_used():
    torch = pytest.importorskip("torch", reason="torch is not installed; the extra [peers] has it")

    def softmax(z):
        return torch.softmax(z, dim=-1)

    assert convention(softmax, "softmax").library == "torch"
