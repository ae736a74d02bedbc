"""Rows that the compiled core computes, and those that it leaves to NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from softjac import kernels
from softjac._arguments import NDArray
from softjac.jacobian import softmax_vjp
from softjac.operator._rows import Rows

# A closed form in NumPy: rows, weight, damping, x -> result.
Form = Callable[[Rows, NDArray, NDArray, Any], Any]
ONE, ZERO = np.ones(()), np.zeros(())


def rows_of(operation: str, form: Form, rows: Rows, weight: NDArray, damping: NDArray, x: Any = None) -> Any:
    """What the core has for `operation`, with the rows that it reports as odd computed by `form`.

    Where the core does not serve (longdouble, no core, no classes) the form computes all of them. x: vectors, shape
    (..., n), that broadcast against the rows; None where the operation takes none.
    """
    answer = _by_core(operation, rows, weight, damping, x)
    if answer is NotImplemented:
        return form(rows, weight, damping, x)
    if not isinstance(answer, tuple):
        return answer
    result, odd = answer
    weight, damping = (np.broadcast_to(part, odd.shape)[odd] for part in (weight, damping))
    result[odd] = form(rows.chosen(odd), weight, damping, None if x is None else _chosen(x, odd))
    return result


def _by_core(operation: str, rows: Rows, weight: NDArray, damping: NDArray, x: Any) -> Any:
    if kernels.native is None or rows.p.dtype != np.float64 or (x is not None and x.dtype != np.float64):
        return NotImplemented
    known = operation, rows.p, rows.k, rows.q_k, rows.size, weight, damping  # arrays all: a NumPy scalar is none
    answer = kernels.native.operator_rows(*known, x)
    if answer is NotImplemented and x is not None and rows.n:  # elements that lie apart
        answer = kernels.native.operator_rows(*known, np.array(x, order="C"))
    return answer


def _chosen(x: NDArray, odd: NDArray) -> Any:
    return np.broadcast_to(x, (*odd.shape, x.shape[-1]))[odd]


def product(rows: Rows, x: NDArray) -> NDArray:
    """The product J x, shape (..., n). Of a single row the core is told where the largest p is."""
    p = rows.p
    result: Any = NotImplemented
    if kernels.native is not None and x.shape == p.shape and x.dtype == p.dtype:
        peak = (int(rows.k),) if p.ndim == 1 and rows.n else ()
        result = kernels.native.softmax_vjp_probs(p, x, -1, None, None, *peak)
    if result is NotImplemented:
        result = softmax_vjp(None, x, probs=p)
    return np.where(rows.support, result, 0.0) if rows.has_nan else result
