"""Plain NumPy arrays, and whatever NumPy makes an array of: computed by the compiled core, or by the reference."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from softjac import _arguments, kernels
from softjac._arguments import Layout, NDArray
from softjac._quantities import Quantity
from softjac.kernels import numpy as reference_rows


def evaluate(
    quantity: Quantity, operands: Mapping[str, object], axis: object, where: object, out: Any, *, keepdims: bool
) -> Any:
    """Normalise the arguments and compute."""
    arrays = [_arguments.numbers(name, value) for name, value in operands.items()]
    dtype = _arguments.common_dtype(arrays)
    if quantity.weighted:
        shape = _arguments.broadcast_with_weights(arrays[0].shape, arrays[1].shape)
        arrays = [_broadcast(array, shape) for array in arrays]
    part = _arguments.mask(where, quantity.first_of(operands), arrays[0].shape)
    if not keepdims and (direct := _directly(quantity, arrays, dtype, axis, part, out)) is not NotImplemented:
        return direct
    shapes = {name: array.shape for name, array in zip(operands, arrays, strict=True)}
    layout = _arguments.layout(quantity.name, shapes, axis, many_axes=quantity.many_axes)
    shape = quantity.shape(layout, keepdims=keepdims)
    _arguments.check_out(out, shape, dtype)

    arrays = [_computable(array, dtype) for array in arrays]
    result = _fresh(quantity, arrays[0], shape) if out is None else np.asarray(out)
    # Memory that the kernels cannot write as it stands, or that would spoil an operand: computed elsewhere, and copied.
    apart = out is not None and (
        not (result.flags.aligned and result.dtype.isnative)
        or any(_spoils(result, array) for array in [*arrays, part] if array is not None)
    )
    target = np.empty(shape, dtype) if apart else result
    _fill(quantity, layout, arrays, part, target)
    if apart:
        result[...] = target
    if out is not None:
        return out
    return result if result.ndim else result[()]


def _directly(
    quantity: Quantity, arrays: list[NDArray], dtype: np.dtype[Any], axis: object, part: NDArray | None, out: Any
) -> Any:
    """Short cut: what was only no array, or of another dtype, may be served by the compiled core now."""
    if kernels.native is None or _arguments.is_bfloat16(dtype):
        return NotImplemented
    operands = [_computable(array, dtype) for array in arrays]
    result = quantity.in_core(*operands, *quantity.no_weights, axis, part, out)
    return result[()] if result is not NotImplemented and out is None and not result.ndim else result


def explain(x: Any) -> tuple[str, list[str]]:
    """What x is, and what is done to it."""
    array = _arguments.numbers("logits", x)
    dtype = _arguments.common_dtype([array])
    given = np.asarray(x).dtype
    steps = []
    if given != array.dtype:
        steps.append(f"converted to {dtype}")
    elif _computable(array, dtype) is not array:
        steps.append("copied, because its memory is of another byte order or not aligned")
    if kernels.native is None:
        steps.append(f"computed by the reference in NumPy: the compiled core is missing ({kernels.why_no_native})")
    elif dtype.char == "g":
        steps.append("computed by the reference in NumPy: the compiled core has no longdouble")
    else:
        steps.append(f"computed by the compiled core with {kernels.native.isa()}")
    kind = type(x).__name__ if not isinstance(x, np.ndarray) else f"numpy.{type(x).__name__}"
    return f"{kind} of {given}, shape {array.shape}", steps


def _computable(array: NDArray, dtype: np.dtype[Any]) -> NDArray:
    """The array in the dtype of the result, native and aligned: itself, or a copy in its memory order."""
    if array.dtype == dtype and array.dtype.isnative and array.flags.aligned:
        return array
    return array.astype(dtype)


def _fresh(quantity: Quantity, first: NDArray, shape: _arguments.Shape) -> NDArray:
    """Memory for the result. One of the shape of the operand has its memory order too, as NumPy's ufuncs do it."""
    if quantity.result == "same" and first.shape == shape:
        return np.empty_like(first, subok=False)
    return np.empty(shape, dtype=first.dtype)


def _spoils(out: NDArray, array: NDArray) -> bool:
    """Whether writing to out may spoil an array that is still to be read.

    Exactly the same memory does not: each row is read before it is written.
    """
    if not np.may_share_memory(array, out):
        return False
    memory, own = ((x.__array_interface__["data"], x.shape, x.strides, x.dtype) for x in (array, out))
    return memory != own


def _fill(quantity: Quantity, layout: Layout, arrays: list[NDArray], part: NDArray | None, result: NDArray) -> None:
    """Compute into result, which has the right shape and dtype and spoils no operand."""
    if layout.n == 0:
        result[...] = -np.inf
        return
    rows = [_broadcast(layout.to_rows(np, x, i), layout.rows_shape) for i, x in enumerate(arrays)]
    if part is not None:
        part = _broadcast(layout.to_rows(np, part, 0), layout.rows_shape)

    if quantity.result == "matrix":
        target = result
    elif quantity.result == "row":
        target = result.reshape(layout.batch)  # a view: only axes of length 1 go
    elif len(layout.class_shape) == 1:
        target = np.moveaxis(result, layout.result_axes[0], -1)
    else:
        target = np.empty(layout.rows_shape, dtype=result.dtype)
    if not _core(quantity, rows, part, target):
        reference_rows.run(quantity.reference, rows, part, target)
    if quantity.result == "same" and len(layout.class_shape) != 1:
        result[...] = layout.from_rows(np, target)


def _broadcast(x: NDArray, shape: _arguments.Shape) -> NDArray:
    return x if x.shape == shape else np.broadcast_to(x, shape)


def _core(quantity: Quantity, rows: list[NDArray], part: NDArray | None, target: NDArray) -> bool:
    """Compute rows by the compiled core, where it serves them. It reads and writes bfloat16 as uint16."""
    bits = _arguments.is_bfloat16(target.dtype)
    if bits:
        rows, target = [row.view(np.uint16) for row in rows], target.view(np.uint16)
    return quantity.in_core(*rows, *quantity.no_weights, -1, part, target, *[True] * bits) is not NotImplemented
