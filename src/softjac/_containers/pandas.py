"""pandas: frames and series are computed as arrays, by position, and the result gets the labels back."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray
from softjac._quantities import Quantity
from softjac.errors import ArgumentError


def holds(value: object) -> bool:
    """Whether this is a DataFrame or a Series."""
    pandas: Any = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series))


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
    """Compute with the values. The labels are those of logits, where the result has its shape.

    A log-sum-exp of a frame is a Series with the labels of the other axis, one over everything a number. Jacobians,
    results with keepdims and results for logits without labels are arrays.
    """
    name, first = next(iter(operands.items()))
    for other, value in {**operands, "where": where}.items():
        if holds(first) and type(value) is type(first) and not same_labels(first, value):
            raise ArgumentError(
                f"{other} and {name} have different labels, and softjac goes by position: pass "
                f"{other}.reindex_like({name}), or {other}.to_numpy() if the positions do fit."
            )
    arrays = {key: values(key, value) if holds(value) else value for key, value in operands.items()}
    where = where.to_numpy() if holds(where) else where
    result = inner(quantity, arrays, axis, where, out, keepdims=keepdims)
    if out is not None or not holds(first) or keepdims or quantity.result == "matrix":
        return result
    return labelled(first, result, axis) if quantity.result == "row" else like(first, result)


def like(first: Any, result: Any) -> Any:
    """The result with the labels of logits, if it has the same shape."""
    if np.shape(result) != first.shape:
        return result
    pandas: Any = sys.modules["pandas"]
    if first.ndim == 1:
        return pandas.Series(result, index=first.index, name=first.name, copy=False)
    return pandas.DataFrame(result, index=first.index, columns=first.columns, copy=False)


def labelled(first: Any, result: Any, axis: Any) -> Any:
    """A log-sum-exp with the labels that are left."""
    if np.ndim(result) != 1 or first.ndim != 2:
        return result
    (axis,) = axis if isinstance(axis, tuple) else (axis,)
    left = first.columns if axis % 2 == 0 else first.index
    return sys.modules["pandas"].Series(result, index=left, copy=False) if len(left) == len(result) else result


def same_labels(a: Any, b: Any) -> bool:
    """Whether two frames, or two series, have the same labels in the same order."""
    return bool(a.index.equals(b.index)) and (a.ndim == 1 or bool(a.columns.equals(b.columns)))


def values(name: str, value: Any) -> NDArray:
    """The values in the common dtype of the columns, after integers and booleans became float64."""
    if value.ndim == 1:
        return _column(f"{name}", value)
    columns = [_column(f"column {label!r} of {name}", value.iloc[:, i]) for i, label in enumerate(value.columns)]
    if not columns:
        return np.empty(value.shape)
    dtype = _arguments.common_dtype(columns)
    if all(isinstance(column_dtype, np.dtype) and column_dtype == dtype for column_dtype in value.dtypes):
        return value.to_numpy()  # type: ignore[no-any-return]  # often without a copy
    return np.stack([column.astype(dtype, copy=False) for column in columns], axis=1)


def _column(name: str, column: Any) -> NDArray:
    """One column as floating-point numbers; a missing value is NaN."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _arguments.numbers(name, column.to_numpy())
    numeric = getattr(dtype, "subtype", None) or getattr(dtype, "numpy_dtype", None)
    kind = getattr(dtype, "kind", "O")
    if kind not in "fiub" or numeric is None:
        raise _arguments.refuse_dtype(name, dtype, "leave it out, or convert it with .astype(float).")
    target = numeric if kind == "f" else np.dtype(np.float64)
    return column.to_numpy(dtype=target, na_value=np.nan)  # type: ignore[no-any-return]
