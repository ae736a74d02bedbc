"""Arrays of other libraries: torch, JAX, and whatever follows the array-API standard.

They are computed by the reference in their own library, so that they come back as their own type and their own autodiff
goes through. A library is found through what is already imported, never imported first.
"""

import sys
from collections.abc import Mapping

import numpy as np

from softjac import _arguments
from softjac._quantities import Quantity
from softjac.errors import ArgumentError, DTypeError
from softjac.kernels.array_api import Array, Library


def library_of(value: object) -> Library | None:
    """The library that a value is an array of, or None for NumPy and all that NumPy can read."""
    if isinstance(value, np.ndarray | np.generic):
        return None
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        from softjac.kernels.torch import Torch

        return Torch()
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(value, jax.Array):
        from softjac.kernels.jax import Jax

        return Jax()
    name = type(value).__module__.partition(".")[0]
    if hasattr(value, "__array_namespace__") and name != "dask":  # Dask arrays are opened as containers of NumPy's
        return Library(name, value.__array_namespace__())
    return None


def name_of(value: object) -> str | None:
    """The library that a value is an array of, by name; None for numbers and lists, which go with any."""
    library = library_of(value)
    if library is not None:
        return library.name
    if isinstance(value, bool | int | float | list | tuple) or value is None:
        return None
    return type(value).__module__.partition(".")[0]


def find(operands: Mapping[str, object], where: object) -> Library | None:
    """The one library of all arrays of a call, or None for NumPy.

    Raises DTypeError for arrays of two libraries.
    """
    values = {**operands, "where": where}
    libraries = {name: library for name, value in values.items() if (library := library_of(value)) is not None}
    if not libraries:
        return None
    first_name, first = next(iter(libraries.items()))
    for name, value in values.items():
        other = name_of(value)
        if other == "builtins":
            kind = type(value).__name__
            raise DTypeError(f"{name} is a {kind}, not numbers: pass an array of {first.name}, as {first_name} is.")
        if other is not None and other != first.name:
            raise _arguments.mixed_libraries([first_name, name], [first.name, other])
    return first


def evaluate(
    library: Library,
    quantity: Quantity,
    operands: Mapping[str, object],
    axis: object,
    where: object,
    out: object,
    *,
    keepdims: bool,
) -> Array:
    """Normalise the arguments and compute in the library."""
    xp = library.xp
    if out is not None:
        raise ArgumentError(
            f"out goes with NumPy arrays only, but this call has arrays of {library.name}: leave it out."
        )
    own = [value for value in [*operands.values(), where] if library_of(value) is not None]
    like = own[0]
    arrays = [_numbers(library, name, value, like) for name, value in operands.items()]
    dtype = xp.result_type(*arrays)
    if quantity.weighted:
        shape = _arguments.broadcast_with_weights(tuple(arrays[0].shape), tuple(arrays[1].shape))
        arrays = [xp.broadcast_to(array, shape) for array in arrays]
    shapes = {name: tuple(array.shape) for name, array in zip(operands, arrays, strict=True)}
    layout = _arguments.layout(quantity.name, shapes, axis, many_axes=quantity.many_axes)
    part = _part(library, where, quantity.first_of(operands), shapes[next(iter(operands))], like)
    shape = quantity.shape(layout, keepdims=keepdims)
    if layout.n == 0:
        return xp.full(shape, -xp.inf, dtype=dtype, device=library.device(like))

    arithmetic = library.arithmetic(dtype, like)
    rows = [
        xp.broadcast_to(layout.to_rows(xp, xp.astype(x, arithmetic.dtype), i), layout.rows_shape)
        for i, x in enumerate(arrays)
    ]
    part = xp.broadcast_to(layout.to_rows(xp, part, 0), layout.rows_shape)
    result = xp.astype(quantity.reference(arithmetic, *rows, part), dtype)
    return layout.from_rows(xp, result) if quantity.result == "same" else xp.reshape(result, shape)


def explain(library: Library, x: Array) -> list[str]:
    """What is done to an array of the library."""
    array = _numbers(library, "logits", x, x)
    converted = [] if array.dtype == x.dtype else [f"converted to {array.dtype}"]
    inside = library.arithmetic(array.dtype, array).dtype
    return [*converted, f"computed by the reference in {library.name}, in {inside}"]


def _numbers(library: Library, name: str, value: object, like: Array) -> Array:
    """The value as an array of the library, of a floating-point dtype."""
    given = library_of(value) is not None
    try:
        array: Array = value if given else library.from_numbers(value, like)
    except (ValueError, TypeError, RuntimeError) as error:
        raise DTypeError(
            f"{name} cannot be made an array of {library.name} ({error}): pass an array, or a list whose rows have one "
            "length."
        ) from error
    if problem := library.problem(array):
        raise DTypeError(f"{name} {problem}.")
    kind = library.kind(array.dtype)
    if kind == "float" and given:
        return array
    if kind == "other":
        raise _arguments.refuse_dtype(name, array.dtype, "pass floating-point numbers, integers or booleans.")
    return library.xp.astype(array, library.widest(like))


def _part(library: Library, where: object, operand: str, wanted: _arguments.Shape, like: Array) -> Array:
    """`where` as a boolean array of the shape wanted, that of an operand."""
    xp = library.xp
    if where is None:
        return xp.ones(wanted, dtype=xp.bool, device=library.device(like))
    try:
        array: Array = where if library_of(where) is not None else library.from_numbers(where, like)
    except (ValueError, TypeError, RuntimeError) as error:
        raise _arguments.refuse_where(error) from error
    is_bool = library.kind(array.dtype) == "bool"
    _arguments.check_where(str(array.dtype), is_bool, tuple(array.shape), operand, wanted)
    return xp.broadcast_to(array, wanted)
