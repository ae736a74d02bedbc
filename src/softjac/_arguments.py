"""Axis, shapes, dtypes, `where` and `out`: normalised once, for every function and every array library.

What is decided here from shapes and dtypes holds for all libraries; what builds arrays is NumPy's.
"""

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from softjac.errors import ArgumentError, AxisError, DTypeError, ShapeError

Shape: TypeAlias = tuple[int, ...]
NDArray: TypeAlias = npt.NDArray[Any]

# Types of the public arguments. Arrays of `Float` come back as they came; what else is accepted (lists, frames,
# tensors) is Any to a type checker.
Float = TypeVar("Float", np.float16, np.float32, np.float64, np.longdouble)
Axis: TypeAlias = SupportsIndex
Axes: TypeAlias = SupportsIndex | tuple[SupportsIndex, ...] | None
Out: TypeAlias = npt.NDArray[Any] | None


# ---------------------------------------------------------------------------------------------------------- shapes


@dataclass(frozen=True, eq=False, repr=False)
class Layout:
    """Where the classes and the rows of a call stand.

    operand_axes: the class axes of each operand, ascending and not negative. batch: shape of the rows, broadcast over
    the operands. class_shape: lengths of the class axes. result_axes: where the class axes stand in the broadcast
    shape of all operands.
    """

    operand_axes: tuple[Shape, ...]
    batch: Shape
    class_shape: Shape
    result_axes: Shape

    @property
    def n(self) -> int:
        """Number of classes."""
        return math.prod(self.class_shape)

    @property
    def rows_shape(self) -> Shape:
        """Shape of an operand whose class axes were moved to the end and made one: batch + (n,)."""
        return (*self.batch, self.n)

    @property
    def full_shape(self) -> Shape:
        """Shape of all operands broadcast against each other: that of a same-shape result."""
        return self._with_classes(self.class_shape)

    @property
    def kept_shape(self) -> Shape:
        """Shape of a result that has length 1 along the class axes (keepdims)."""
        return self._with_classes((1,) * len(self.class_shape))

    def to_rows(self, xp: Any, x: Any, operand: int) -> Any:
        """An operand with its class axes moved to the end and made one: shape (..., n). A view, for one axis."""
        axes = self.operand_axes[operand]
        rest = _others(axes, x.ndim)
        moved = xp.permute_dims(x, (*rest, *axes))
        return moved if len(axes) == 1 else xp.reshape(moved, (*moved.shape[: len(rest)], self.n))

    def from_rows(self, xp: Any, rows: Any) -> Any:
        """Back from batch + (n,) to the broadcast shape."""
        order = (*_others(self.result_axes, len(self.full_shape)), *self.result_axes)
        unfolded = rows if len(self.class_shape) == 1 else xp.reshape(rows, (*self.batch, *self.class_shape))
        return xp.permute_dims(unfolded, tuple(order.index(axis) for axis in range(len(order))))

    def _with_classes(self, lengths: Shape) -> Shape:
        shape = list(self.batch)
        for axis, length in zip(self.result_axes, lengths, strict=True):
            shape.insert(axis, length)
        return tuple(shape)


def layout(function: str, shapes: Mapping[str, Shape], axis: object, *, many_axes: bool) -> Layout:
    """Find the classes in each operand by itself and broadcast the rest.

    Raises AxisError for an axis that an operand lacks, ShapeError where the numbers of classes differ or the other
    axes do not broadcast.
    """
    operand_axes = tuple(class_axes(function, name, shape, axis, many_axes=many_axes) for name, shape in shapes.items())
    lengths = {
        name: tuple(shape[i] for i in axes) for (name, shape), axes in zip(shapes.items(), operand_axes, strict=True)
    }
    if len(set(lengths.values())) > 1:
        raise ShapeError(
            f"{_listed(shapes)}: along axis {axis} they have {_and(str(_single(x)) for x in lengths.values())} "
            "classes. The number of classes must be the same in each."
        )
    rests = [tuple(shape[i] for i in _others(axes, len(shape))) for shape, axes in _pairs(shapes, operand_axes)]
    try:
        batch = np.broadcast_shapes(*rests)
    except ValueError:
        raise ShapeError(
            f"{_listed(shapes)}: without axis {axis} they are {_and(str(rest) for rest in rests)}, which do not "
            "broadcast. Make their other axes equal, or 1."
        ) from None
    class_shape = next(iter(lengths.values()))
    ndim = len(batch) + len(class_shape)
    result_axes = operand_axes[0] if many_axes else (operator.index(axis) % ndim,)  # type: ignore[arg-type]
    return Layout(operand_axes, batch, class_shape, result_axes)


def class_axes(function: str, name: str, shape: Shape, axis: object, *, many_axes: bool) -> Shape:
    """The class axes of one operand, ascending and not negative."""
    ndim = len(shape)
    if axis is None or isinstance(axis, tuple):
        if not many_axes:
            raise DTypeError(f"axis is {axis!r}, but {function} works along one axis: pass an int.")
        if axis is None:
            return tuple(range(ndim))
    wanted = axis if isinstance(axis, tuple) else (axis,)
    if not ndim:
        hint = "a vector, or axis=None for the one number itself" if many_axes else "a vector, of shape (n,)"
        raise AxisError(f"{name} is a single number, of shape (), and has no axis {axis}: pass {hint}.")
    axes = []
    for one in wanted:
        try:
            index = None if isinstance(one, bool | np.bool_) else operator.index(one)
        except TypeError:
            index = None
        if index is None:
            allowed = "an int, a tuple of ints or None" if many_axes else "an int"
            raise DTypeError(f"axis is {axis!r}: pass {allowed}.")
        if not -ndim <= index < ndim:
            raise AxisError(f"axis is {index}, but {name} has shape {shape}: pass an axis from {-ndim} to {ndim - 1}.")
        axes.append(index % ndim)
    if len(set(axes)) < len(axes):
        raise AxisError(f"axis is {axis!r}, which names an axis of {name} twice (its shape is {shape}): name it once.")
    return tuple(sorted(axes))


def broadcast_with_weights(logits: Shape, b: Shape) -> Shape:
    """Shape of logits and of the weights b together."""
    try:
        return np.broadcast_shapes(logits, b)
    except ValueError:
        raise ShapeError(
            f"b has shape {b} and logits has shape {logits}, which do not broadcast: pass one weight for each logit."
        ) from None


def check_where(name_of_dtype: str, is_bool: bool, shape: Shape, operand: str, wanted: Shape) -> None:
    """Refuse a `where` that is not boolean, or that does not broadcast to the shape wanted, that of an operand."""
    if not is_bool:
        raise DTypeError(
            f"where has dtype {name_of_dtype}: pass booleans, True for the elements that take part (where != 0 makes "
            "them from numbers)."
        )
    try:
        fits = np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"where has shape {shape} and {operand} has shape {wanted}: where must broadcast to {operand}."
        )


# ---------------------------------------------------------------------------------------------------------- dtypes


def refuse_dtype(name: str, dtype: object, hint: str) -> DTypeError:
    """The error for an argument that is no real floating-point or integer array."""
    return DTypeError(f"{name} has dtype {dtype}, but softjac computes with real numbers only: {hint}")


def mixed_libraries(names: Sequence[str], libraries: Sequence[str]) -> DTypeError:
    """The error for operands of two array libraries."""
    listed = _and(f"{name} is an array of {library}" for name, library in zip(names, libraries, strict=True))
    return DTypeError(f"{listed}: pass all of them as arrays of one library.")


_FLOATS = {np.float16, np.float32, np.float64, np.longdouble}


def is_bfloat16(dtype: "np.dtype[Any]") -> bool:
    """Whether this is the bfloat16 of ml_dtypes, which softjac does not import."""
    return dtype.itemsize == 2 and dtype.name == "bfloat16"


def numbers(name: str, value: object) -> NDArray:
    """The value as a plain ndarray of a dtype that softjac computes in; the caller's own memory where that is possible.

    Integers, booleans and lists become float64; floats of any size, and bfloat16, stay what they are.
    """
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DTypeError(
            f"{name} cannot be made an array of numbers ({error}): pass an array, or a list whose rows have one length."
        ) from error
    dtype = array.dtype
    if dtype.kind in "biu" or (isinstance(value, list | tuple) and (dtype.kind == "f" or is_bfloat16(dtype))):
        return array.astype(np.float64, copy=False)
    if dtype.type in _FLOATS or is_bfloat16(dtype):
        return array
    kind = type(value).__name__
    if dtype.kind == "c":
        raise refuse_dtype(name, dtype, "pass its real part, if that is what you mean.")
    if dtype.kind in "OSUT":
        source = "" if isinstance(value, np.ndarray) else f" (it is a {kind})"
        raise refuse_dtype(name, f"{dtype}{source}", "convert it first, as in numpy.asarray(x, dtype=float).")
    raise refuse_dtype(name, dtype, "pass float16, bfloat16, float32, float64, longdouble, integers or booleans.")


def common_dtype(arrays: Sequence[NDArray]) -> "np.dtype[Any]":
    """The dtype of the result: numpy.result_type of the operands, in native byte order."""
    first = arrays[0].dtype
    if len(arrays) == 1 and first.isnative:
        return first
    return common_dtype_of(*(array.dtype for array in arrays))


def common_dtype_of(*given: "np.dtype[Any]") -> "np.dtype[Any]":
    """The same for dtypes."""
    dtypes = {dtype.newbyteorder("=") for dtype in given}
    if len(dtypes) == 1:
        return dtypes.pop()
    if any(map(is_bfloat16, dtypes)) and np.dtype(np.float16) in dtypes:  # NumPy has no common dtype for these two
        dtypes.add(np.dtype(np.float32))
        dtypes = {dtype for dtype in dtypes if dtype.itemsize > 2}
    return np.result_type(*dtypes)


# ------------------------------------------------------------------------------------------------- NumPy's arrays


def mask(where: object, operand: str, wanted: Shape) -> NDArray | None:
    """`where` as a boolean array of the shape wanted, that of an operand (a view that may repeat memory)."""
    if where is None:
        return None
    array = booleans(where)
    if array.dtype.kind != "b" or array.shape != wanted:
        check_where(str(array.dtype), array.dtype.kind == "b", array.shape, operand, wanted)
    return array if array.shape == wanted else np.broadcast_to(array, wanted)


def booleans(where: object) -> NDArray:
    """`where` as an array, of whatever dtype."""
    try:
        return np.asarray(where)
    except (ValueError, TypeError) as error:
        raise refuse_where(error) from error


def refuse_where(error: Exception) -> DTypeError:
    """The error for a `where` that no array can be made of."""
    return DTypeError(f"where cannot be made an array of booleans ({error}): pass a boolean array.")


def check_out(out: object, shape: Shape, dtype: "np.dtype[Any]") -> None:
    """Refuse an `out` that cannot hold exactly the result."""
    if out is None:
        return
    if not isinstance(out, np.ndarray):
        raise DTypeError(
            f"out is a {type(out).__name__}: pass a NumPy array of shape {shape} and dtype {dtype}, or leave it out."
        )
    if out.shape != shape:
        raise ShapeError(f"out has shape {out.shape}, but the result has shape {shape}: pass an out of that shape.")
    if out.dtype.newbyteorder("=") != dtype or not out.dtype.isnative:
        raise DTypeError(f"out has dtype {out.dtype}, but the result has dtype {dtype}: pass an out of that dtype.")
    if not out.flags.writeable:
        raise ArgumentError("out is read-only: pass an array that can be written to, such as out.copy().")


# ------------------------------------------------------------------------------------------------------- phrases


def _others(axes: Shape, ndim: int) -> Shape:
    return tuple(i for i in range(ndim) if i not in axes)


def _pairs(shapes: Mapping[str, Shape], axes: Sequence[Shape]) -> Sequence[tuple[Shape, Shape]]:
    return list(zip(shapes.values(), axes, strict=True))


def _listed(shapes: Mapping[str, Shape]) -> str:
    return _and(f"{name} has shape {shape}" for name, shape in shapes.items())


def _and(parts: Any) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else str(last)


def _single(lengths: Shape) -> object:
    return lengths[0] if len(lengths) == 1 else lengths
