"""What the arguments of cross-entropy must be one by one: numbers, weights, names."""

import math
import operator
from numbers import Real
from typing import Any

import numpy as np

from softjac import _arguments, _libraries
from softjac._arguments import NDArray, Shape
from softjac._containers import dask
from softjac.errors import ArgumentError, DTypeError, ShapeError

REDUCTIONS = ("none", "sum", "mean")
MOST = 1e140  # of a weight: two of them and their low parts multiply within the range of a double


def refuse_libraries(function: str, name: str, value: object) -> None:
    """Refuse arrays that are not NumPy's. Raises DTypeError that says how they become so."""
    library = _libraries.library_of(value)
    kind = "dask" if dask.holds(value) else "" if library is None else library.name
    if kind:
        raise DTypeError(
            f"{name} is an array of {kind}, but {function} computes with NumPy arrays: pass numpy.asarray({name})."
        )


def array(function: str, name: str, value: object) -> NDArray:
    """The value as an ndarray of a dtype that softjac computes in. Raises DTypeError."""
    refuse_libraries(function, name, value)
    return _arguments.numbers(name, value)


def number(name: str, value: Any, most: float) -> float:
    """A number from 0 to `most`. Raises DTypeError, ArgumentError."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise DTypeError(f"{name} is {value!r}, a {type(value).__name__}: pass a number.")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not 0.0 <= result <= most or math.isinf(result):
        allowed = f"from 0 to {most:g}" if math.isfinite(most) else "that is finite and at least 0"
        raise ArgumentError(f"{name} is {value}: pass a number {allowed}.")
    return result


def class_weights(function: str, value: object, n: int, axis: int, dtype: Any) -> NDArray | None:
    """Weights of the classes, shape (n,). Raises DTypeError, ShapeError, ArgumentError."""
    if value is None:
        return None
    weights = array(function, "weight", value)
    if weights.shape != (n,):
        raise ShapeError(
            f"weight has shape {weights.shape}, but logits has {n} classes along axis {axis}: pass one weight for each "
            f"class, of shape ({n},). Weights of rows are sample_weight."
        )
    return _not_negative("weight", weights, "class", dtype)


def sample_weights(function: str, value: object, batch: Shape, dtype: Any) -> NDArray | None:
    """Weights of the rows, of the batch's shape. Raises DTypeError, ShapeError, ArgumentError."""
    if value is None:
        return None
    weights = array(function, "sample_weight", value)
    if weights.shape != batch:
        raise ShapeError(
            f"sample_weight has shape {weights.shape}, but the rows of logits have shape {batch}: pass one weight for "
            "each row, of that shape (numpy.broadcast_to makes it). Weights of classes are weight."
        )
    return _not_negative("sample_weight", weights, "row", dtype)


def _not_negative(name: str, weights: NDArray, of: str, dtype: Any) -> NDArray:
    with np.errstate(all="ignore"):
        bad = ~(np.isfinite(weights) & (weights >= 0) & (weights <= MOST))
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(
            f"{name} is {weights[at]!s}{of_place(of, at)}: weights are from 0 to {MOST:g}. To leave a {of} out, pass 0."
        )
    return np.asarray(weights, dtype=dtype, order="C")


def ignored_index(value: Any) -> int | None:
    """The label of rows that do not count. Raises DTypeError."""
    if value is None:
        return None
    try:
        index = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        index = None
    if index is None:
        raise DTypeError(f"ignore_index is {value!r}, a {type(value).__name__}: pass an int, or None.")
    return index


def reduction(value: object) -> str:
    """How rows become one number. Raises ArgumentError."""
    if isinstance(value, str) and value in REDUCTIONS:
        return value
    raise ArgumentError(f'reduction is {value!r}: pass "none", "sum" or "mean".')


def of_place(what: str, index: tuple[int, ...]) -> str:
    """Where something is, in words; nothing where there is one of it.

    >>> of_place("row", (3,)), of_place("row", (0, 1)), of_place("row", ())
    (' at row 3', ' at row (0, 1)', '')
    """
    return f" at {what} {place(index)}" if index else ""


def place(index: tuple[int, ...]) -> object:
    """An index as messages show it: the number itself, where there is one axis."""
    return index[0] if len(index) == 1 else index
