"""The softmax Jacobian, products with it, and the derivatives of its neighbours.

The conventions are those of the module `softmax`, and:

- J[..., i, j] = dp_i / dz_j. Derivative axes come last, whatever axis was.
- With two or three operands, axis (an int) is taken in each by itself, and the other axes broadcast.
- The derivatives of an element with z = -inf are 0. One +inf makes all derivatives 0, several make them NaN among each
  other and 0 elsewhere. A row of nothing but -inf, or with a NaN in any operand, is NaN. An element masked out by where
  has derivatives 0, and nothing is read of its tangent.
"""

from typing import Any, overload

from numpy.typing import NDArray

from softjac import _quantities as quantities
from softjac._arguments import Axis, Float, Out
from softjac._dispatch import evaluate
from softjac.errors import DTypeError

_fast_jacobian = quantities.JACOBIAN.in_core
_fast_jvp = quantities.JVP.in_core
_fast_vjp_probs = quantities.VJP_PROBS.in_core
_fast_log_jvp = quantities.LOG_JVP.in_core
_fast_log_vjp = quantities.LOG_VJP.in_core
_fast_log_vjp_probs = quantities.LOG_VJP_PROBS.in_core
_fast_second = quantities.SECOND.in_core


@overload
def softmax_jacobian(
    logits: NDArray[Float], /, axis: Axis = ..., *, where: Any = ..., out: Out = ...
) -> NDArray[Float]: ...
@overload
def softmax_jacobian(logits: Any, /, axis: Axis = ..., *, where: Any = ..., out: Out = ...) -> Any: ...
def softmax_jacobian(logits: Any, /, axis: Axis = -1, *, where: Any = None, out: Out = None) -> Any:
    """Jacobian of softmax, J[..., i, j] = dp_i / dz_j: p_i (1 - p_i) on the diagonal, -p_i p_j elsewhere.

    logits: shape (..., n), with the classes along axis (an int) -> the shape without axis + (n, n). Symmetric to the
    bit; each row and column sums to zero, up to rounding. It is also the Hessian of logsumexp.
    Odd rows: see the module. An entry is NaN only if its row and its column are.
    Raises ShapeError, DTypeError, AxisError, ArgumentError.
    Naively: ``np.diag(p) - np.outer(p, p)``, which loses the diagonal of a confident row.
    Source: J_ii = p_i q_i and J_ij = -p_i p_j; run by tests/test_reference.py::test_formulas.

    >>> softmax_jacobian([0.0, 20.0])
    array([[ 2.06115361e-09, -2.06115361e-09],
           [-2.06115361e-09,  2.06115361e-09]])
    """
    result = _fast_jacobian(logits, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.JACOBIAN, {"logits": logits}, axis, where, out)


@overload
def softmax_jvp(
    logits: NDArray[Float], tangent: NDArray[Float], /, axis: Axis = ..., *, where: Any = ..., out: Out = ...
) -> NDArray[Float]: ...
@overload
def softmax_jvp(logits: Any, tangent: Any, /, axis: Axis = ..., *, where: Any = ..., out: Out = ...) -> Any: ...
def softmax_jvp(logits: Any, tangent: Any, /, axis: Axis = -1, *, where: Any = None, out: Out = None) -> Any:
    """Product of the softmax Jacobian with a vector: p * (v - <p, v>).

    The Jacobian is symmetric, so this is also the vector-Jacobian product.

    logits, tangent: shape (..., n), broadcast against each other -> (..., n) in their common dtype.
    Odd rows: see the module. Where p > 0, one infinite element of the tangent gives its own infinity there and the
    other one elsewhere; several have no limit among themselves; and if one class has it all, nothing moves.
    Raises ShapeError where n differs, and DTypeError, AxisError, ArgumentError.
    Naively: ``softmax_jacobian(logits) @ tangent``, in O(n^2).
    Source: p_i (w_i - wbar) with w = v - v_k; run by tests/test_reference.py::test_products_of_the_jacobian.

    >>> softmax_jvp([0.0, 0.0], [1.0, 0.0])
    array([ 0.25, -0.25])
    """
    result = _fast_jvp(logits, tangent, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.JVP, {"logits": logits, "tangent": tangent}, axis, where, out)


@overload
def softmax_vjp(
    logits: NDArray[Float],
    cotangent: NDArray[Float],
    /,
    axis: Axis = ...,
    *,
    where: Any = ...,
    out: Out = ...,
    probs: Any = ...,
) -> NDArray[Float]: ...
@overload
def softmax_vjp(
    logits: Any, cotangent: Any, /, axis: Axis = ..., *, where: Any = ..., out: Out = ..., probs: Any = ...
) -> Any: ...
def softmax_vjp(
    logits: Any, cotangent: Any, /, axis: Axis = -1, *, where: Any = None, out: Out = None, probs: Any = None
) -> Any:
    """Product of a vector with the softmax Jacobian: p * (g - <p, g>), what a backward pass needs.

    logits, cotangent: shape (..., n), broadcast against each other -> (..., n) in their common dtype.
    probs: softmax(logits), if it was kept. Then logits is not read, and may be None; elements of probability 0 take no
    part. What rounding took from probs is lost: with the logits a confident row keeps more digits.
    Odd rows: as in `softmax_jvp`. A NaN in probs makes its row NaN.
    Raises ShapeError where n differs, and DTypeError, AxisError, ArgumentError.
    Naively: ``cotangent @ softmax_jacobian(logits)``, in O(n^2).
    Source: p_i (w_i - wbar) with w = g - g_k; run by tests/test_reference.py::test_products_of_the_jacobian.

    >>> softmax_vjp([40.0, 0.0], [1.0, 0.0])
    array([ 4.24835426e-18, -4.24835426e-18])
    >>> softmax_vjp(None, [1.0, 0.0], probs=[0.25, 0.75])
    array([ 0.1875, -0.1875])
    """
    if probs is not None:
        result = _fast_vjp_probs(probs, cotangent, axis, where, out)
        if result is not NotImplemented:
            return result
        return evaluate(quantities.VJP_PROBS, {"probs": probs, "cotangent": cotangent}, axis, where, out)
    result = _fast_jvp(logits, cotangent, axis, where, out)
    if result is not NotImplemented:
        return result
    if logits is None:
        raise _nothing_given()
    return evaluate(quantities.VJP, {"logits": logits, "cotangent": cotangent}, axis, where, out)


@overload
def log_softmax_jvp(
    logits: NDArray[Float], tangent: NDArray[Float], /, axis: Axis = ..., *, where: Any = ..., out: Out = ...
) -> NDArray[Float]: ...
@overload
def log_softmax_jvp(logits: Any, tangent: Any, /, axis: Axis = ..., *, where: Any = ..., out: Out = ...) -> Any: ...
def log_softmax_jvp(logits: Any, tangent: Any, /, axis: Axis = -1, *, where: Any = None, out: Out = None) -> Any:
    """Derivative of the log-probabilities along a vector: v - <p, v>.

    logits, tangent: shape (..., n), broadcast against each other -> (..., n) in their common dtype.
    Odd rows: see the module. An infinite element of the tangent acts as in `softmax_jvp`.
    Raises ShapeError where n differs, and DTypeError, AxisError, ArgumentError.
    Naively: ``tangent - np.sum(softmax(logits) * tangent, axis, keepdims=True)``.
    Source: w_i - wbar with w = v - v_k; run by tests/test_reference.py::test_products_of_the_jacobian.

    >>> log_softmax_jvp([0.0, 0.0], [1.0, 0.0])
    array([ 0.5, -0.5])
    """
    result = _fast_log_jvp(logits, tangent, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.LOG_JVP, {"logits": logits, "tangent": tangent}, axis, where, out)


@overload
def log_softmax_vjp(
    logits: NDArray[Float],
    cotangent: NDArray[Float],
    /,
    axis: Axis = ...,
    *,
    where: Any = ...,
    out: Out = ...,
    probs: Any = ...,
) -> NDArray[Float]: ...
@overload
def log_softmax_vjp(
    logits: Any, cotangent: Any, /, axis: Axis = ..., *, where: Any = ..., out: Out = ..., probs: Any = ...
) -> Any: ...
def log_softmax_vjp(
    logits: Any, cotangent: Any, /, axis: Axis = -1, *, where: Any = None, out: Out = None, probs: Any = None
) -> Any:
    """Product of a vector with the derivative of the log-probabilities: g - p * sum(g).

    logits, cotangent: shape (..., n), broadcast against each other -> (..., n) in their common dtype.
    probs: softmax(logits), if it was kept. Then logits is not read, and may be None; elements of probability 0 take no
    part, and a NaN in it makes its row NaN.
    Odd rows: see the module. An infinite element of the cotangent acts as in `softmax_jvp`.
    Raises ShapeError where n differs, and DTypeError, AxisError, ArgumentError.
    Naively: ``cotangent - softmax(logits) * np.sum(cotangent, axis, keepdims=True)``, which cancels at the maximum.
    Source: g_i - p_i G, and q_k g_k - p_k (sum of the others) at the maximum; run by
    tests/test_reference.py::test_products_of_the_jacobian.

    >>> log_softmax_vjp([0.0, 40.0], [0.0, 1.0])
    array([-4.24835426e-18,  4.24835426e-18])
    """
    if probs is not None:
        result = _fast_log_vjp_probs(probs, cotangent, axis, where, out)
        if result is not NotImplemented:
            return result
        return evaluate(quantities.LOG_VJP_PROBS, {"probs": probs, "cotangent": cotangent}, axis, where, out)
    result = _fast_log_vjp(logits, cotangent, axis, where, out)
    if result is not NotImplemented:
        return result
    if logits is None:
        raise _nothing_given()
    return evaluate(quantities.LOG_VJP, {"logits": logits, "cotangent": cotangent}, axis, where, out)


@overload
def softmax_second_derivative(
    logits: NDArray[Float],
    u: NDArray[Float],
    v: NDArray[Float],
    /,
    axis: Axis = ...,
    *,
    where: Any = ...,
    out: Out = ...,
) -> NDArray[Float]: ...
@overload
def softmax_second_derivative(
    logits: Any, u: Any, v: Any, /, axis: Axis = ..., *, where: Any = ..., out: Out = ...
) -> Any: ...
def softmax_second_derivative(
    logits: Any, u: Any, v: Any, /, axis: Axis = -1, *, where: Any = None, out: Out = None
) -> Any:
    """Second derivative of softmax applied to u and v: p * (c - <p, c>) with c = (u - <p, u>) (v - <p, v>).

    Entry i is the sum over j, l of d^2 p_i / (dz_j dz_l) u_j v_l. Symmetric in u and v.

    logits, u, v: shape (..., n), broadcast against each other -> (..., n) in their common dtype.
    Odd rows: see the module. An infinite element of u or v makes its row NaN where p > 0, unless one class has it all.
    Raises ShapeError where n differs, and DTypeError, AxisError, ArgumentError.
    Naively: the derivative of ``softmax_jvp(logits, u)`` along v.
    Source: run by tests/test_reference.py::test_second_derivative_differentiates_the_first.

    >>> softmax_second_derivative([0.0, 1.0], [1.0, 0.0], [1.0, 0.0])
    array([ 0.09085775, -0.09085775])
    """
    result = _fast_second(logits, u, v, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.SECOND, {"logits": logits, "u": u, "v": v}, axis, where, out)


def _nothing_given() -> DTypeError:
    return DTypeError("logits is None, and probs is not given: pass the logits, or the probabilities as probs=.")
