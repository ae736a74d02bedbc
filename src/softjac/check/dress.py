"""From mathematics to a call and back: the shapes, dtypes and order in which a candidate wants its arguments."""

from __future__ import annotations

import numpy as np

from softjac.check.kinds import KINDS, Output
from softjac.check.model import Argument, Array, Call, Convention, Form, Inputs, Library, Probe, TargetForm


def dress(kind: str, probe: Probe, convention: Convention, form: Form, targets: TargetForm | None = None) -> Call:
    """The call that asks a probe."""
    inputs = probe.inputs
    library: Library = "list" if probe.as_list else convention.library
    main = inputs.probs if convention.given == "probs" else inputs.logits
    asked = convention.dtype if probe.dtype == "float64" else probe.dtype
    dtype = asked if convention.given == "logits" or asked != "int64" else convention.dtype

    def argument(value: Array, dtype: str = dtype) -> Argument:
        return Argument(_formed(value, form, convention.axis).astype(dtype), library, probe.read_only)

    arguments = [argument(main)]
    if "cotangent" in KINDS[kind].operands:
        arguments.append(argument(_there(inputs.cotangent)))
    elif KINDS[kind].has_targets and targets == "index":
        arguments.append(_labels(_there(inputs.labels), form, library, probe.read_only))
    elif KINDS[kind].has_targets:
        arguments.append(argument(_there(inputs.targets), asked))
    if convention.swapped:
        arguments.reverse()
    keywords = {}
    if convention.axis_keyword:
        keywords[convention.axis_keyword] = 0 if form == "column" else convention.axis if form == "batch" else -1
    return Call(tuple(arguments), keywords)


def _there(operand: Array | None) -> Array:
    if operand is None:
        raise ValueError("the inputs have no second operand, which this kind needs")
    return operand


def _formed(value: Array, form: Form, axis: int) -> Array:
    if form == "column":
        return value[:, None]
    if form == "batch":
        rows = np.atleast_2d(value)
        return np.ascontiguousarray(rows.T) if axis == 0 else rows
    return value


def _labels(labels: Array, form: Form, library: Library, read_only: bool) -> Argument:
    if form == "batch":
        return Argument(np.atleast_1d(labels).astype("int64"), library, read_only)
    if library in {"torch", "jax"}:
        return Argument(np.asarray(labels, "int64"), library)
    return Argument(int(labels), library)


def undress(
    output: Output, result: Array, shape: tuple[int, ...], inputs: Inputs, form: Form, axis: int
) -> Array | None:
    """A result in the shape of the truth and in float64, or None where its shape is not that of a right answer.

    A column gives a column or a vector. A batch of one row that was made of a vector gives one row, or is reduced. What
    is one number for a row may keep its axis.
    """
    result = np.asarray(result, float)
    if form == "batch" and axis == 0:
        result = _rows_first(output, result, inputs)
    if output == "scalar":
        wanted = [shape, (*shape, 1)]
        if shape == ():
            wanted = [(), (1,), (1, 1)]
    elif form == "vector":
        wanted = [shape, (1, 1)] if shape == (1,) else [shape]  # of one class, from code for numpy.matrix
    elif form == "column":
        wanted = [shape, (*shape, 1)] if output == "row" else [shape]
    else:
        wanted = [shape] if inputs.is_batch else [(1, *shape), shape]
    return result.reshape(shape) if result.shape in wanted else None


def _rows_first(output: Output, result: Array, inputs: Inputs) -> Array:
    rows, n = np.atleast_2d(inputs.logits).shape
    if output == "row" and result.shape == (n, rows):
        return result.T
    if output == "matrix" and result.shape == (n, n, rows) and rows != n:
        return np.moveaxis(result, -1, 0)
    return result
