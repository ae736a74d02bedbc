"""np.ma: what is masked takes no part, and the result keeps the mask."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import Layout, NDArray
from softjac._quantities import Quantity


def holds(value: object) -> bool:
    """Whether this is a masked array."""
    ma = sys.modules.get("numpy.ma")
    return ma is not None and isinstance(value, ma.MaskedArray)


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
    """Compute with where=~mask. An element that is masked in any operand takes no part.

    The result is masked where its element is, a log-sum-exp where its whole row is, and an entry of a Jacobian where
    its row or its column is. What stands under the mask is what an element without part gets (0, -inf, ...).
    """
    if holds(where):
        where = where.filled(False)
    arrays = {name: _arguments.numbers(name, np.ma.getdata(value)) for name, value in operands.items()}
    masks = [np.ma.getmaskarray(value) for value in operands.values()]
    if quantity.weighted:
        shape = _arguments.broadcast_with_weights(*(array.shape for array in arrays.values()))
        arrays = {name: np.broadcast_to(array, shape) for name, array in arrays.items()}
        masks = [np.broadcast_to(mask, shape) for mask in masks]
    shapes = {name: array.shape for name, array in arrays.items()}
    layout = _arguments.layout(quantity.name, shapes, axis, many_axes=quantity.many_axes)
    part = _arguments.mask(where, quantity.first_of(operands), next(iter(shapes.values())))
    shape = quantity.shape(layout, keepdims=keepdims)
    dtype = _arguments.common_dtype(list(arrays.values()))
    _arguments.check_out(out, shape, dtype)

    rows = {name: _rows(layout, array, i) for i, (name, array) in enumerate(arrays.items())}
    hidden = np.logical_or.reduce([_rows(layout, mask, i) for i, mask in enumerate(masks)])
    takes_part = ~hidden if part is None else ~hidden & _rows(layout, part, 0)
    data = np.asarray(inner(quantity, rows, -1, takes_part))
    if quantity.result == "same":
        data, mask = layout.from_rows(np, data), layout.from_rows(np, hidden)
    elif quantity.result == "row":
        data, mask = data.reshape(shape), hidden.all(axis=-1).reshape(shape)
    else:
        mask = hidden[..., :, None] | hidden[..., None, :]
    return _close(data, mask, out)


def _rows(layout: Layout, array: NDArray, operand: int) -> NDArray:
    return np.broadcast_to(layout.to_rows(np, array, operand), layout.rows_shape)


def _close(data: NDArray, mask: NDArray, out: Any) -> Any:
    if out is not None:
        out[...] = np.ma.MaskedArray(data, mask) if holds(out) else data
        return out
    result = np.ma.MaskedArray(data, mask)
    return result if result.ndim else result[()]
