"""Which kernels serve an input, and why."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from softjac import _libraries, _plain
from softjac._containers import dask, masked, pandas
from softjac._quantities import Quantity
from softjac._report import Report

# From the outside in: a Dask array has blocks of any kind, a frame has arrays.
_CONTAINERS = (dask, pandas, masked)
# What needs no look into libraries and containers.
_NUMPYS = frozenset({np.ndarray, list, tuple, float, int, bool, type(None)})


def evaluate(
    quantity: Quantity,
    operands: Mapping[str, object],
    axis: object,
    where: object = None,
    out: object = None,
    *,
    keepdims: bool = False,
) -> Any:
    """Normalise the arguments and compute: what the public functions do with all but the plainest input."""
    with np.errstate(all="ignore"):
        if _NUMPYS.issuperset(map(type, [*operands.values(), where, out])):
            return _plain.evaluate(quantity, operands, axis, where, out, keepdims=keepdims)
        library = _libraries.find(operands, where)
        if library is not None:
            return _libraries.evaluate(library, quantity, operands, axis, where, out, keepdims=keepdims)
        for container in _CONTAINERS:
            if any(map(container.holds, [*operands.values(), where, out])):
                return container.evaluate(evaluate, quantity, operands, axis, where, out, keepdims=keepdims)
        return _plain.evaluate(quantity, operands, axis, where, out, keepdims=keepdims)


def explain_dispatch(x: object, /) -> Report:
    """Say which kernels compute an input, and what has to be done to it first.

    x: anything that the functions take as logits. Nothing is computed. Returns a str that a session shows line by line.
    Raises DTypeError for what they refuse.

    >>> explain_dispatch([1, 2, 3])  # doctest: +ELLIPSIS
    list of int64, shape (3,)
    - converted to float64
    - computed by ...
    """
    what, steps = _steps(x)
    return Report("\n- ".join([what, *steps]))


def _steps(x: Any) -> tuple[str, list[str]]:
    library = _libraries.library_of(x)
    kind = f"{type(x).__module__.partition('.')[0]}.{type(x).__name__}"
    if library is not None:
        return f"{kind} of {x.dtype}, shape {tuple(x.shape)}", _libraries.explain(library, x)
    if dask.holds(x):
        _, steps = _steps(x._meta)
        return f"{kind} of {x.dtype}, shape {x.shape}", ["stays lazy: each block by itself", *steps]
    if pandas.holds(x):
        values = pandas.values("logits", x)
        _, steps = _steps(values)
        labels = f"its values are taken by position, as {values.dtype}; the result gets the labels"
        return f"{kind} of shape {x.shape}", [labels, *steps]
    if masked.holds(x):
        _, steps = _steps(x.data)
        return f"{kind} of {x.dtype}, shape {x.shape}", [
            "what is masked takes no part; the result keeps the mask",
            *steps,
        ]
    return _plain.explain(x)
