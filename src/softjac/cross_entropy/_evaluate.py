"""Losses, gradients and products of a problem, by the compiled core or the reference."""

from typing import Any

import numpy as np

from softjac import _arguments, kernels
from softjac._arguments import NDArray
from softjac.cross_entropy import _sums
from softjac.cross_entropy._problem import Problem
from softjac.kernels import cross_entropy_numpy as reference
from softjac.kernels.numpy import arithmetic_for


def value_and_grad(problem: Problem, *, value: bool, gradient: bool, out: Any = None) -> tuple[Any, Any]:
    """The reduced loss and the gradient, each None where it is not asked for: one pass over the logits."""
    if gradient:
        _arguments.check_out(out, problem.z.shape, problem.dtype)
    target, result = _memory(problem, out, []) if gradient else (None, None)
    hi, lo = (np.empty(problem.batch, problem.wide) if value else None for _ in range(2))
    _run(problem, hi, lo, target)
    loss = _reduced(problem, hi, lo) if hi is not None and lo is not None else None
    if problem.reduction == "none" and loss is not None:
        loss = problem.shell.around_rows(loss, problem.axis)
    if target is not None and result is not None:
        return loss, problem.shell.around_gradient(_placed(target, result), out)
    return loss, None


def product(problem: Problem, out: Any = None) -> Any:
    """The product of the Hessian with the problem's tangent, in the dtype of the logits.

    A tangent of a wider dtype is not rounded to that of the logits first.
    """
    _arguments.check_out(out, problem.z.shape, problem.dtype)
    tangent = problem.z if problem.tangent is None else problem.tangent
    dtype = _arguments.common_dtype([problem.z, tangent])
    z, v = (x if x.dtype == dtype and x.flags.aligned else x.astype(dtype) for x in (problem.z, tangent))
    target, result = _memory(problem, out, [tangent])
    computed = target if dtype == problem.dtype else np.empty_like(z, subok=False)
    alpha, beta = (_one_a_row(x) for x in _factors(problem))
    _compute("cross_entropy_hvp", dtype, (z, v, alpha, beta, problem.part, problem.axis, computed), [0, 1, 6])
    return problem.shell.around_gradient(_placed(computed, result), out)


def _factors(problem: Problem) -> tuple[Any, Any]:
    """The same as `curvature`, without work where T = 1 in all rows."""
    t = problem.targets
    if t.total is None and t.mass is None and problem.weight is None and not problem.z_loss and np.all(t.label != -2):
        return problem.scale[0], 0.0
    alpha, beta = curvature(problem)
    return alpha, beta if problem.z_loss else 0.0


def curvature(problem: Problem) -> tuple[NDArray, NDArray]:
    """Factors of the Hessian of each row: of J without the part of z_loss, C T, and 2 C zeta. Shape of the batch.

    Both are 0 in a row that does not count.
    """
    counted = problem.targets.label != -2
    a = arithmetic_for(problem.wide)
    one, zero = np.ones(problem.batch, problem.wide), np.zeros(problem.batch, problem.wide)
    C = problem.scale[0] * one, problem.scale[1] * one
    T = one if problem.targets.total is None else problem.targets.total, zero
    if problem.targets.total is None and problem.targets.mass is not None:
        T = problem.targets.mass, zero
    if problem.label_smoothing:
        eps = problem.label_smoothing * one
        T = a.add(a.multiply(T, a.two_sum(one, -eps)), a.multiply((eps, zero), _mean_weight(problem)))
    alpha = a.round(a.multiply(C, T))
    z_scale = a.round(a.multiply(C, (2.0 * problem.z_loss * one, zero)))
    return np.where(counted, alpha, 0.0), np.where(counted, z_scale, 0.0)


def _mean_weight(problem: Problem) -> tuple[Any, Any]:
    """The mean weight of the classes that take part in each row, as hi + lo."""
    a = arithmetic_for(problem.wide)
    one, zero = np.ones(problem.batch, problem.wide), np.zeros(problem.batch, problem.wide)
    if problem.weight is None:
        return one, zero
    w = problem.weight, np.zeros_like(problem.weight)
    if problem.part is None:
        hi, lo = a.sum(w)
        return a.divide((hi[0] * one, lo[0] * one), (problem.n * one, zero))
    hi, lo, K = zero.copy(), zero.copy(), one.copy()
    rows = np.moveaxis(problem.part, problem.axis, -1)
    for block in reference.blocks(problem.batch, problem.n):
        part = rows[block]
        s = a.sum(a.keep(part, (w[0] + zero[block][..., None], w[1] + zero[block][..., None])))
        hi[block], lo[block] = s[0][..., 0], s[1][..., 0]
        K[block] = np.maximum(np.count_nonzero(part, axis=-1), 1)
    return a.divide((hi, lo), (K, zero))


def _run(problem: Problem, hi: NDArray | None, lo: NDArray | None, out: NDArray | None) -> None:
    """Losses of rows as hi + lo, without their scale, and the gradient with it."""
    t, smoothing, z_loss = problem.targets, problem.label_smoothing, problem.z_loss
    scale = [_one_a_row(x) for x in problem.scale]
    if t.y is not None and not smoothing and not z_loss and np.any(t.label >= 0):
        _run_apart(problem, hi, lo, out)
        return
    operands = (
        problem.z, t.y, t.label, t.mass, *scale, problem.weight, problem.part, problem.axis, smoothing, z_loss,
        hi, lo, out,
    )  # fmt: skip
    _compute("cross_entropy", problem.dtype, operands, [0, 13])


def _run_apart(problem: Problem, hi: NDArray | None, lo: NDArray | None, out: NDArray | None) -> None:
    """The same where some rows have a class and some a distribution: a block at a time, each kind by itself.

    So a one-hot row has the bits of its class, whatever stands beside it.
    """
    t, last = problem.targets, -1
    z, y, part, target = (
        None if x is None else np.moveaxis(x, problem.axis, -1) for x in (problem.z, t.y, problem.part, out)
    )
    columns = [None if x is None else np.broadcast_to(x, problem.batch) for x in (t.label, t.mass, *problem.scale)]
    for block in reference.blocks(problem.batch, problem.n):
        wholes = [None if x is None else x[block] for x in (z, y, part, *columns)]
        own = wholes[3] == -1
        for rows, with_y in ((np.flatnonzero(own), True), (np.flatnonzero(~own), False)):
            x, its_y, its_part, label, mass, *scale = (None if w is None else w[rows] for w in wholes)
            found = [None if w is None else np.empty(len(rows), problem.wide) for w in (hi, lo)]
            g = None if target is None else np.empty((len(rows), problem.n), problem.dtype)
            operands = (
                x, its_y if with_y else None, label, mass, *scale, problem.weight, its_part, last, 0.0, 0.0, *found, g,
            )  # fmt: skip
            _compute("cross_entropy", problem.dtype, operands, [0, 13])
            for whole, piece in ((hi, found[0]), (lo, found[1]), (target, g)):
                if whole is not None:
                    whole[_rows_of(block, rows)] = piece


def _rows_of(block: Any, rows: NDArray) -> Any:
    """The rows of a block as an index of the batch."""
    if block is None:
        return (None, ...)
    return block.start + rows if isinstance(block, slice) else tuple(i[rows] for i in block)


def _compute(name: str, dtype: "np.dtype[Any]", operands: tuple[Any, ...], of_dtype: list[int]) -> None:
    """Compute by the compiled core where it serves this, else by the reference.

    of_dtype: the operands of that dtype. The core reads and writes bfloat16 as uint16.
    """
    core = None if dtype.char == "g" else getattr(kernels.native, name, None)
    if core is not None:
        given: list[Any] = list(operands)
        if _arguments.is_bfloat16(dtype):
            for i in of_dtype:
                given[i] = None if given[i] is None else given[i].view(np.uint16)
            given.append(True)
        if core(*given) is not NotImplemented:
            return
    getattr(reference, name)(*operands)


def _one_a_row(x: Any) -> Any:
    """An array of the shape of the batch, or a number."""
    return float(x) if not isinstance(x, np.longdouble) and not np.ndim(x) else x


def _memory(problem: Problem, out: Any, tangents: list[NDArray]) -> tuple[NDArray, NDArray]:
    """Where to compute, and where the result goes: the same memory, unless that would spoil what is still to be read.

    Exactly the memory of logits or of a tangent does not: each row is read before it is written.
    """
    if out is None:
        fresh = np.empty_like(problem.z, subok=False)
        return fresh, fresh
    result = np.asarray(out)
    t = problem.targets
    others = [t.y, t.label, t.mass, problem.weight, problem.omega, problem.part]
    apart = not (result.flags.aligned and result.dtype.isnative) or any(
        x is not None and np.may_share_memory(x, result) for x in others
    )
    apart = apart or any(_spoils(result, x) for x in [problem.z, *tangents])
    return (np.empty_like(problem.z, subok=False) if apart else result), result


def _placed(computed: NDArray, result: NDArray) -> NDArray:
    """The result, after it was computed elsewhere, or in its place."""
    if computed is not result:
        result[...] = computed
    return result


def _spoils(out: NDArray, array: NDArray) -> bool:
    if not np.may_share_memory(array, out):
        return False
    memory, own = ((x.__array_interface__["data"], x.shape, x.strides, x.dtype) for x in (array, out))
    return memory != own


def _reduced(problem: Problem, hi: NDArray, lo: NDArray) -> Any:
    """The losses of rows by the reduction, rounded once."""
    a = arithmetic_for(problem.wide)
    pair = hi, lo
    if problem.omega is not None:
        pair = a.multiply(pair, (problem.omega, np.zeros_like(problem.omega)))
        pair = tuple(np.where(problem.targets.label == -2, 0.0, x) for x in pair)  # type: ignore[assignment]
    if problem.reduction == "none":
        return a.round(pair).astype(problem.dtype)[()]
    s, rest, unit = _sums.total(*pair)
    if problem.reduction == "mean":
        denominator = problem.denominator
        if denominator[0] == 0.0:
            return problem.dtype.type(0.0)
        s, rest = a.divide(a.two_sum(s, rest), denominator)
    return (a.round((s, rest)) * unit).astype(problem.dtype)[()]
