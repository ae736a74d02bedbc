"""Rows that the compiled core computes, and those that it leaves to NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from softjac import kernels
from softjac._arguments import NDArray, Shape
from softjac.operator._rows import Rows

# A closed form in NumPy: rows, weight, damping, x -> result.
Form = Callable[[Rows, NDArray, NDArray, Any], Any]
ONE, ZERO = np.ones(()), np.zeros(())


def rows_of(
    operation: str,
    form: Form,
    rows: Rows,
    weight: NDArray,
    damping: NDArray,
    x: Any = None,
    check: Callable[[], None] = lambda: None,
) -> Any:
    """What the core has for `operation`, with the rows that it reports as odd computed by `form`.

    Where the core does not serve (longdouble, no core, no classes) the form computes all of them. x: vectors, shape
    (..., n), that broadcast against the rows; None where the operation takes none. check: called before something is
    left to the form, to raise for what the core reports.
    """
    answer = _by_core(operation, rows, weight, damping, x)
    if answer is NotImplemented:
        check()
        return form(rows, weight, damping, x)
    if not isinstance(answer, tuple):
        return answer
    check()
    result, odd = answer
    rows, x = rows.chosen(odd), None if x is None else chosen(x, odd)
    weight, damping = (np.broadcast_to(part, odd.shape)[odd] for part in (weight, damping))
    if x is not None and rows.has_zeros:  # what is not read makes no row odd
        x = np.where(rows.support | (damping[..., None] > 0.0), x, 0.0)
        part, still_odd = _with_notes(_by_core(operation, rows, weight, damping, x), rows.batch)
        numbers = rows.chosen(still_odd), weight[still_odd], damping[still_odd]
        part[still_odd] = form(*numbers, x[still_odd])
        result[odd] = part
    else:
        result[odd] = form(rows, weight, damping, x)
    return result


def _with_notes(answer: Any, batch: Shape) -> Any:
    """The answer of the core, and which rows are odd."""
    return answer if isinstance(answer, tuple) else (answer, np.zeros(batch, bool))


def _by_core(operation: str, rows: Rows, weight: NDArray, damping: NDArray, x: Any) -> Any:
    if kernels.native is None or rows.p.dtype != np.float64 or (x is not None and x.dtype != np.float64):
        return NotImplemented
    known = operation, rows.p, rows.k, rows.q_k, rows.size, weight, damping  # arrays all: a NumPy scalar is none
    answer = kernels.native.operator_rows(*known, x)
    if answer is NotImplemented and x is not None and rows.n:  # elements that lie apart
        answer = kernels.native.operator_rows(*known, np.array(x, order="C"))
    return answer


def chosen(x: NDArray, index: NDArray) -> Any:
    """Some of the rows of x, side by side. index: booleans of a shape that they broadcast to."""
    return np.broadcast_to(x, (*index.shape, x.shape[-1]))[index]


Factor = Callable[[NDArray, NDArray, NDArray], tuple[Any, Any, Any]]


def factor_of(form: Factor, p: NDArray, weight: NDArray, damping: NDArray) -> tuple[Any, Any, Any]:
    """The arrays pivot, c and G of a Cholesky factor, those of odd rows by `form`."""
    if kernels.native is None or p.dtype != np.float64:
        return form(p, weight, damping)
    answer = kernels.native.operator_cholesky(p, weight, damping)
    if answer is NotImplemented:
        return form(p, weight, damping)
    *parts, odd = answer
    if odd.any():
        weight, damping = (np.broadcast_to(part, odd.shape)[odd] for part in (weight, damping))
        for part, of_odd in zip(parts, form(p[odd], weight, damping), strict=True):
            part[odd] = of_odd
    pivot, c, G = parts
    return pivot, c, G


def triangular(operation: str, *operands: NDArray) -> Any:
    """What the core has for a product or a solve with a Cholesky factor. The last operand is the vector."""
    if kernels.native is None or any(part.dtype != np.float64 for part in operands):
        return NotImplemented
    answer = kernels.native.operator_triangular(operation, *operands)
    if answer is NotImplemented and operands[0].shape[-1]:  # elements that lie apart
        *factor, x = operands
        answer = kernels.native.operator_triangular(operation, *factor, np.array(x, order="C"))
    return answer
