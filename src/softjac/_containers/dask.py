"""Dask arrays: nothing is computed until somebody asks, and every block is a whole number of rows."""

import math
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import Layout, Shape
from softjac._containers import masked
from softjac._quantities import Quantity
from softjac.errors import ArgumentError, DTypeError, ShapeError

# Stands for the length of an axis that Dask does not know yet: equal to itself, unlike any real length.
_UNKNOWN = 2**61 - 1


def holds(value: object) -> bool:
    """Whether this is a Dask array."""
    dask: Any = sys.modules.get("dask.array")
    return dask is not None and isinstance(value, dask.Array)


def evaluate(
    inner: Callable[..., Any],
    quantity: Quantity,
    operands: Mapping[str, Any],
    axis: object,
    where: Any,
    out: Any,
    *,
    keepdims: bool,
) -> Any:
    """Compute block by block, later. The class axis must be in one chunk; the other axes keep their chunks.

    A Jacobian has the chunks of its batch, and one chunk of n along both class axes.
    """
    da: Any = sys.modules["dask.array"]
    if out is not None:
        raise ArgumentError("out goes with NumPy arrays only, but this call has Dask arrays: leave it out.")
    arrays = {name: _lazy(da, name, value) for name, value in operands.items()}
    samples = [_arguments.numbers(name, np.empty(0, array.dtype)) for name, array in arrays.items()]
    dtype = _arguments.common_dtype(samples)
    shapes = {name: _shape(array) for name, array in arrays.items()}
    if quantity.weighted:  # lengths of 1 are left to the blocks
        shape = _arguments.broadcast_with_weights(*shapes.values())
        shapes = dict.fromkeys(arrays, shape)
        arrays = {name: array[(None,) * (len(shape) - array.ndim)] for name, array in arrays.items()}
    layout = _arguments.layout(quantity.name, shapes, axis, many_axes=quantity.many_axes)
    for i, (name, array) in enumerate(arrays.items()):
        _check_chunks(name, array, layout.operand_axes[i])
    if where is not None:
        where = _lazy(da, "where", where)
        full = next(iter(shapes.values()))
        _arguments.check_where(
            str(where.dtype), where.dtype.kind == "b", _shape(where), quantity.first_of(operands), full
        )
        where = where[(None,) * (len(full) - where.ndim)].rechunk(dict.fromkeys(layout.operand_axes[0], -1))
    function = partial(
        _block, inner, quantity, tuple(arrays), class_axes=len(layout.class_shape), masked=where is not None
    )
    result = _blocks(da, function, [*arrays.values(), where], layout, quantity.result, dtype)
    if quantity.result == "same":
        order = (*(j for j in range(result.ndim) if j not in layout.result_axes), *layout.result_axes)
        return da.transpose(result, tuple(order.index(j) for j in range(result.ndim)))
    if keepdims:
        for class_axis in layout.result_axes:
            result = result[(*(slice(None),) * class_axis, None)]
    return result


def _blocks(da: Any, function: Any, arrays: list[Any], layout: Layout, result: str, dtype: Any) -> Any:
    """The lazy result, class axes last: `blockwise` with a label for each axis, those of the batch first.

    arrays: the operands, then `where` or None, which goes with the first of them.
    """
    batch = tuple(range(len(layout.batch)))
    classes = tuple(range(len(batch), len(batch) + len(layout.class_shape)))
    pieces: list[Any] = []
    for array, axes in zip(arrays, [*layout.operand_axes, layout.operand_axes[0]], strict=True):
        if array is not None:
            rest = tuple(i for i in range(array.ndim) if i not in axes)
            pieces += [da.transpose(array, (*rest, *axes)), (*batch[len(batch) - len(rest) :], *classes)]
    column = len(batch) + 1  # a Jacobian's second class axis
    labels = {"same": (*batch, *classes), "row": batch, "matrix": (*batch, *classes, column)}[result]
    return da.blockwise(
        function,
        labels,
        *pieces,
        new_axes={column: layout.n} if result == "matrix" else None,
        concatenate=True,
        dtype=dtype,
        meta=np.empty((0,) * len(labels), dtype),
    )


def _block(
    inner: Callable[..., Any], quantity: Quantity, names: tuple[str, ...], *blocks: Any, class_axes: int, masked: bool
) -> Any:
    """One block, whose class axes are the last."""
    *values, where = blocks if masked else (*blocks, None)
    operands = dict(zip(names, values, strict=True))
    axis = tuple(range(-class_axes, 0)) if quantity.many_axes else -1
    return inner(quantity, operands, axis, where)


def _lazy(da: Any, name: str, value: Any) -> Any:
    if holds(value):
        return value
    if masked.holds(value) or not isinstance(value, np.ndarray | np.generic | list | tuple | int | float):
        raise DTypeError(
            f"{name} is a {type(value).__name__}: beside Dask arrays pass Dask or NumPy arrays (a masked one as "
            "dask.array.from_array makes it lazy)."
        )
    array = _arguments.booleans(value) if name == "where" else _arguments.numbers(name, value)
    return da.from_array(array, chunks=-1)


def _shape(array: Any) -> Shape:
    return tuple(_UNKNOWN if math.isnan(length) else length for length in array.shape)


def _check_chunks(name: str, array: Any, axes: Shape) -> None:
    if any(math.isnan(array.shape[axis]) for axis in axes):
        raise ShapeError(f"{name} has an unknown number of classes: call {name}.compute_chunk_sizes() first.")
    split = [axis for axis in axes if len(array.chunks[axis]) > 1]
    if split:
        whole = ", ".join(f"{axis}: -1" for axis in split)
        raise ShapeError(
            f"{name} has {len(array.chunks[split[0]])} chunks along axis {split[0]}, but a row must be in one: pass "
            f"{name}.rechunk({{{whole}}})."
        )
