"""Categorical cross-entropy of logits, its gradient, and products with its Hessian.

The conventions:

- logits: shape (..., n), with the classes along axis (an int). Results come in the dtype of the logits; integers,
  booleans and lists become float64. Targets and weights are only read.
- targets, by shape: without axis they are classes, integers from 0; with the full shape of the logits they are one
  distribution for each row, of any real dtype, which need not sum to one. Nothing broadcasts.
- The effective target of class j is t_j = weight_j (y_j (1 - eps) + eps / K), with the label smoothing eps and the
  number K of classes that are not masked out; T is the sum of t_j. A row counts with its sample weight.
- reduction: "none" leaves one loss a row, "sum" adds them, "mean" divides the sum by the denominator: the sum over rows
  that count of sample weight x weight of the class, or of sample weights for distributions. Gradients, products and
  Hessians are those of what is left, "none" of each row's own loss.
- A row that is ignored, masked out whole, or of sample weight 0 does not count: its loss and its derivatives are 0, and
  nothing of it is read. A mean over nothing is 0.
- A target on a logit of -inf, or beside one of +inf, makes the loss +inf; several +inf with a target among them NaN.
  A NaN, or nothing but -inf, makes its row NaN, loss and derivatives.
"""

from typing import Any

import numpy as np

from softjac._arguments import Axis, Out
from softjac.cross_entropy import _evaluate, _short
from softjac.cross_entropy._hessian import CrossEntropyHessian
from softjac.cross_entropy._problem import Problem
from softjac.errors import DTypeError


def cross_entropy(
    logits: Any,
    targets: Any,
    /,
    axis: Axis = -1,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    z_loss: float = 0.0,
    where: Any = None,
    reduction: str = "mean",
    return_denominator: bool = False,
) -> Any:
    """Cross-entropy of logits: -log p at the target class, the sum of -t_j log p_j for a distribution.

    It is the sum of t_j d_j + T log1p(R), with d_j = max - z_j and R the sum of the other exponentials: no term is
    negative, so that a loss near 0 keeps its digits.

    logits: shape (..., n), with the classes along axis (an int). targets: classes of the shape without axis, or
    distributions of the full shape -> one number, or the shape without axis for reduction="none".
    weight: one a class, shape (n,). sample_weight: one a row. label_smoothing: from 0 to 1. ignore_index: the label of
    rows that do not count, any int. z_loss: adds z_loss x logsumexp^2 to each row. where: boolean, broadcasts to
    logits; False takes no part. return_denominator: return (loss, denominator), what a mean divides by.
    Odd rows: see docs/cross_entropy.md, Conventions.
    Raises BoundsError for a label that is no class, ShapeError, DTypeError, AxisError, ArgumentError.
    Naively: ``-log_softmax(logits)[label]``, and the mean of the rows.
    Source: -log p_j = d_j + log1p(R); run by tests/test_cross_entropy_accuracy.py.

    >>> float(cross_entropy([1.0, 2.0, 3.0], 2))
    0.4076059644443803
    >>> cross_entropy([[0.0, 20.0], [0.0, 40.0]], [1, 1], reduction="none")
    array([2.06115362e-09, 4.24835426e-18])
    """
    if not return_denominator:
        options = weight, sample_weight, label_smoothing, ignore_index, z_loss, where
        short = _short.value_and_grad(logits, targets, axis, options, reduction, None, value=True, grad=False)
        if short is not NotImplemented:
            return short[0]
    problem = Problem(
        "cross_entropy", logits, targets, axis, weight, sample_weight, label_smoothing, ignore_index, z_loss, where,
        reduction,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        loss, _ = _evaluate.value_and_grad(problem, value=True, gradient=False)
    return (loss, problem.denominator_value) if return_denominator else loss


def cross_entropy_grad(
    logits: Any,
    targets: Any,
    /,
    axis: Axis = -1,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    z_loss: float = 0.0,
    where: Any = None,
    reduction: str = "mean",
    return_denominator: bool = False,
    out: Out = None,
) -> Any:
    """Gradient of cross-entropy: p T - t, times what the row counts in the result.

    At the largest logit it is (sum of the other t) - T (1 - p) with 1 - p as the sum of the others, so that the
    gradient of a row that is nearly right keeps its digits.

    logits: shape (..., n); the rest as in `cross_entropy` -> the shape and dtype of logits, also for "mean" and "sum".
    out: an array of that shape and dtype; it may be logits. return_denominator: return (gradient, denominator).
    Odd rows: see docs/cross_entropy.md, Conventions.
    Raises BoundsError, ShapeError, DTypeError, AxisError, ArgumentError, before anything is written.
    Naively: ``softmax(logits) - numpy.eye(n)[targets]``, divided by the number of rows.
    Source: the derivative of the loss; run by tests/test_cross_entropy_derivatives.py.

    >>> cross_entropy_grad([0.0, 20.0], 1)
    array([ 2.06115362e-09, -2.06115362e-09])
    """
    if not return_denominator:
        options = weight, sample_weight, label_smoothing, ignore_index, z_loss, where
        short = _short.value_and_grad(logits, targets, axis, options, reduction, out, value=False, grad=True)
        if short is not NotImplemented:
            return short[1]
    problem = Problem(
        "cross_entropy_grad", logits, targets, axis, weight, sample_weight, label_smoothing, ignore_index, z_loss,
        where, reduction,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        _, gradient = _evaluate.value_and_grad(problem, value=False, gradient=True, out=out)
    return (gradient, problem.denominator_value) if return_denominator else gradient


def cross_entropy_value_and_grad(
    logits: Any,
    targets: Any,
    /,
    axis: Axis = -1,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    z_loss: float = 0.0,
    where: Any = None,
    reduction: str = "mean",
    return_denominator: bool = False,
    out: Out = None,
) -> Any:
    """Cross-entropy and its gradient, from one pass over the logits: (loss, p T - t).

    logits: shape (..., n); the rest as in `cross_entropy` -> (loss, gradient), or (loss, gradient, denominator).
    out: an array for the gradient, of the shape and dtype of logits; it may be logits.
    Odd rows: see docs/cross_entropy.md, Conventions.
    Raises BoundsError, ShapeError, DTypeError, AxisError, ArgumentError, before anything is written.
    Naively: ``cross_entropy(...), cross_entropy_grad(...)``: the same bits, in two passes.
    Source: as those two; run by tests/test_cross_entropy_derivatives.py.

    >>> loss, gradient = cross_entropy_value_and_grad([[0.0, 1.0], [2.0, 0.0]], [1, 0])
    >>> round(float(loss), 6)
    0.220095
    >>> gradient
    array([[ 0.13447071, -0.13447071],
           [-0.05960146,  0.05960146]])
    """
    if not return_denominator:
        options = weight, sample_weight, label_smoothing, ignore_index, z_loss, where
        short = _short.value_and_grad(logits, targets, axis, options, reduction, out, value=True, grad=True)
        if short is not NotImplemented:
            return short
    problem = Problem(
        "cross_entropy_value_and_grad", logits, targets, axis, weight, sample_weight, label_smoothing, ignore_index,
        z_loss, where, reduction,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        loss, gradient = _evaluate.value_and_grad(problem, value=True, gradient=True, out=out)
    return (loss, gradient, problem.denominator_value) if return_denominator else (loss, gradient)


def cross_entropy_hvp(
    logits: Any,
    targets: Any,
    tangent: Any,
    /,
    axis: Axis = -1,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    z_loss: float = 0.0,
    where: Any = None,
    reduction: str = "mean",
    return_denominator: bool = False,
    out: Out = None,
) -> Any:
    """Product of the Hessian of cross-entropy with a vector: alpha p (v - vbar) + beta p vbar, row by row.

    vbar is the mean of v under p; alpha = c (T + 2 z_loss logsumexp) and beta = 2 c z_loss, c what the row counts.

    logits, tangent: shape (..., n), the same; the rest as in `cross_entropy` -> that shape, in the dtype of logits.
    out: an array of that shape and dtype; it may be logits or tangent. return_denominator: (product, denominator).
    Odd rows: as in `softmax_jvp`; a row that does not count gives 0.
    Raises BoundsError, ShapeError, DTypeError, AxisError, ArgumentError, before anything is written.
    Naively: ``softmax_jvp(logits, tangent)`` divided by the number of rows, for classes and no options.
    Source: the derivative of the gradient; run by tests/test_cross_entropy_derivatives.py.

    >>> cross_entropy_hvp([0.0, 0.0], 1, [1.0, 0.0])
    array([ 0.25, -0.25])
    """
    if not return_denominator:
        options = weight, sample_weight, label_smoothing, ignore_index, z_loss, where
        short = _short.product(logits, targets, tangent, axis, options, reduction, out)
        if short is not NotImplemented:
            return short
    problem = Problem(
        "cross_entropy_hvp", logits, targets, axis, weight, sample_weight, label_smoothing, ignore_index, z_loss,
        where, reduction, _needed(tangent),
    )  # fmt: skip
    with np.errstate(all="ignore"):
        result = _evaluate.product(problem, out)
    return (result, problem.denominator_value) if return_denominator else result


def _needed(tangent: Any) -> Any:
    if tangent is None:
        raise DTypeError("tangent is None: pass an array of the shape of logits.")
    return tangent


def cross_entropy_hessian(
    logits: Any,
    targets: Any,
    /,
    axis: Axis = -1,
    *,
    weight: Any = None,
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    z_loss: float = 0.0,
    where: Any = None,
    reduction: str = "mean",
    return_denominator: bool = False,
) -> Any:
    """Hessian of cross-entropy as an operator: alpha J + beta p p^T a row, with J the Jacobian of softmax.

    alpha = c (T + 2 z_loss logsumexp) and beta = 2 c z_loss, c what the row counts. It has products, `quad`,
    `diagonal`, `solve` with damping, and no n x n matrix: see `CrossEntropyHessian`.

    logits: shape (..., n); the rest as in `cross_entropy` -> a `CrossEntropyHessian` of batch_shape, the shape of the
    logits without axis, or (hessian, denominator). Its vectors have the classes last.
    Odd rows: those of `softmax_jacobian`; a row that does not count, or whose targets are all 0, is 0.
    Raises BoundsError, ShapeError, DTypeError, AxisError, ArgumentError.
    Naively: ``softmax_jacobian(logits)`` divided by the number of rows, for classes and no options.
    Source: the derivative of the gradient; run by tests/test_cross_entropy_hessian.py.

    >>> H = cross_entropy_hessian([[0.0, 0.0], [0.0, 1.0]], [0, 1])
    >>> H
    CrossEntropyHessian(2 x 2, batch_shape=(2,), float64, weight 0.5)
    >>> H @ [[1.0, 0.0], [1.0, 0.0]]
    array([[ 0.125     , -0.125     ],
           [ 0.09830597, -0.09830597]])
    """
    problem = Problem(
        "cross_entropy_hessian", logits, targets, axis, weight, sample_weight, label_smoothing, ignore_index, z_loss,
        where, reduction,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        result = CrossEntropyHessian(problem)
    return (result, problem.denominator_value) if return_denominator else result
