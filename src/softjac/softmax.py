"""softmax, its logarithm, its complement, and the log-sum-exp they come from.

Conventions of these and of the derivatives in `jacobian`:

- logits is anything that NumPy makes an array of: an array, a list, a pandas frame, a masked or a Dask array. An array
  of torch, JAX or another array-API library is computed in that library and comes back as one of its own.
- axis is the class axis: each vector of logits along it is a row. A column of shape (n, 1) needs axis=0.
- where, boolean, broadcasts to logits: an element that is False takes no part, whatever it is.
- out, a NumPy array, has exactly the shape and dtype of the result. It may be an operand itself.
- float16, bfloat16, float32, float64 and longdouble come back as they came; integers, booleans and lists as float64.
- Raised before anything is computed: ShapeError, DTypeError, AxisError, ArgumentError, all of them SoftjacError.
- No warning is raised for NaN or infinities, under any `numpy.errstate`.
"""

from typing import Any, overload

from numpy.typing import NDArray

from softjac import _quantities as quantities
from softjac._arguments import Axes, Float, Out
from softjac._dispatch import evaluate

_fast_softmax = quantities.SOFTMAX.in_core
_fast_log_softmax = quantities.LOG_SOFTMAX.in_core
_fast_complement = quantities.COMPLEMENT.in_core
_fast_logsumexp = quantities.LOGSUMEXP.in_core


@overload
def softmax(logits: NDArray[Float], /, axis: Axes = ..., *, where: Any = ..., out: Out = ...) -> NDArray[Float]: ...
@overload
def softmax(logits: Any, /, axis: Axes = ..., *, where: Any = ..., out: Out = ...) -> Any: ...
def softmax(logits: Any, /, axis: Axes = -1, *, where: Any = None, out: Out = None) -> Any:
    """Probabilities of the classes: p_j = exp(z_j) / sum of exp(z_i).

    logits: shape (..., n), with the classes along axis (an int, a tuple of ints, or None for all axes) -> the same
    shape. Probabilities keep the order of the logits, and equal logits have equal ones.
    -inf gives 0. One +inf gives 1 and all others 0; several give NaN, and the others 0. A row of nothing but -inf, or
    with a NaN, is NaN. An element masked out by where gives 0.
    Raises ShapeError, DTypeError, AxisError, ArgumentError; see the module's conventions.
    Naively: ``np.exp(logits) / np.exp(logits).sum(axis, keepdims=True)``, which overflows.
    Source: p_j = e_j / S of the row state; run by tests/test_reference.py::test_formulas.

    >>> softmax([1, 2, 3])
    array([0.09003057, 0.24472847, 0.66524096])
    """
    result = _fast_softmax(logits, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.SOFTMAX, {"logits": logits}, axis, where, out)


@overload
def log_softmax(logits: NDArray[Float], /, axis: Axes = ..., *, where: Any = ..., out: Out = ...) -> NDArray[Float]: ...
@overload
def log_softmax(logits: Any, /, axis: Axes = ..., *, where: Any = ..., out: Out = ...) -> Any: ...
def log_softmax(logits: Any, /, axis: Axes = -1, *, where: Any = None, out: Out = None) -> Any:
    """Logarithms of the probabilities: log p_j = z_j - logsumexp(z).

    logits: shape (..., n), with the classes along axis (an int, a tuple of ints, or None) -> the same shape.
    -inf gives -inf. One +inf gives 0 and all others -inf; several give NaN, and the others -inf. A row of nothing but
    -inf, or with a NaN, is NaN. An element masked out by where gives -inf.
    Raises ShapeError, DTypeError, AxisError, ArgumentError; see the module's conventions.
    Naively: ``np.log(softmax(logits, axis))``, which is -inf where the probability is too small for its dtype.
    Source: log p_j = -(d_j + log1p(R)) of the row state; run by tests/test_reference.py::test_formulas.

    >>> log_softmax([0.0, 1000.0])
    array([-1000.,     0.])
    """
    result = _fast_log_softmax(logits, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.LOG_SOFTMAX, {"logits": logits}, axis, where, out)


@overload
def softmax_complement(
    logits: NDArray[Float], /, axis: Axes = ..., *, where: Any = ..., out: Out = ...
) -> NDArray[Float]: ...
@overload
def softmax_complement(logits: Any, /, axis: Axes = ..., *, where: Any = ..., out: Out = ...) -> Any: ...
def softmax_complement(logits: Any, /, axis: Axes = -1, *, where: Any = None, out: Out = None) -> Any:
    """One minus each probability: q_j = 1 - p_j, with all its digits where p_j is close to 1.

    logits: shape (..., n), with the classes along axis (an int, a tuple of ints, or None) -> the same shape.
    -inf gives 1. One +inf gives 0 and all others 1; several give NaN, and the others 1. A row of nothing but -inf, or
    with a NaN, is NaN. An element masked out by where gives 1.
    Raises ShapeError, DTypeError, AxisError, ArgumentError; see the module's conventions.
    Naively: ``1 - softmax(logits, axis)``, which is 0 as soon as the others are below an ulp of 1.
    Source: q_j = (R + (1 - e_j)) / S of the row state; run by tests/test_reference.py::test_formulas.

    >>> softmax_complement([0.0, 40.0])
    array([1.00000000e+00, 4.24835426e-18])
    """
    result = _fast_complement(logits, axis, where, out)
    if result is not NotImplemented:
        return result
    return evaluate(quantities.COMPLEMENT, {"logits": logits}, axis, where, out)


def logsumexp(
    logits: Any, /, axis: Axes = -1, *, b: Any = None, keepdims: bool = False, where: Any = None, out: Out = None
) -> Any:
    """Logarithm of a sum of exponentials: log of sum of exp(z_j), or of b_j exp(z_j).

    logits: shape (..., n), with the classes along axis (an int, a tuple of ints, or None) -> the shape without axis, or
    with length 1 there if keepdims; a NumPy scalar where nothing is left.
    b: real weights, broadcast with logits (they may enlarge the result). An element of weight 0 takes no part, a
    negative sum gives NaN, a sum of 0 gives -inf. axis then counts in the common shape.
    Any +inf gives +inf, nothing but -inf (or no class at all) -inf, a NaN NaN. An element masked out by where takes no
    part; a row masked out whole gives -inf.
    Raises ShapeError, DTypeError, AxisError, ArgumentError; see the module's conventions.
    Naively: ``np.log(np.sum(b * np.exp(logits), axis))``, which overflows.
    Source: m + log1p(R) of the row state, run by tests/test_reference.py::test_formulas; with b m + log T, where T is
    the sum of b_j e_j, run by tests/test_reference.py::test_weights.

    >>> logsumexp([1000.0, 1000.0])
    np.float64(1000.6931471805599)
    >>> logsumexp([[0, 1], [2, 3]], axis=0, b=[[1], [0.5]])
    array([1.54639759, 2.54639759])
    """
    if not keepdims:
        result = _fast_logsumexp(logits, b, axis, where, out)
        if result is not NotImplemented:
            return result if out is not None or result.ndim else result[()]
    if b is None:
        return evaluate(quantities.LOGSUMEXP, {"logits": logits}, axis, where, out, keepdims=keepdims)
    return evaluate(quantities.WEIGHTED, {"logits": logits, "b": b}, axis, where, out, keepdims=keepdims)
