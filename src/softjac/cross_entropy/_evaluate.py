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
    problem.targets.total = None  # no longer needed
    target, result = _memory(problem, out, []) if gradient else (None, None)
    each = problem.reduction == "none"
    losses, total = np.empty(problem.batch, problem.dtype) if value and each else None, _sums.Total(problem.wide)
    moved = None if target is None else np.moveaxis(target, problem.axis, -1)
    for at, piece in problem.pieces():
        hi = np.empty(piece.batch, problem.wide) if value else None
        lo = np.empty(piece.batch, problem.wide) if value and not each and problem.dtype.char in "dg" else None
        _run(piece, hi, lo, target if at is ... or moved is None else moved[at])
        if losses is not None:
            losses[at] = hi
        elif hi is not None:
            total.add(hi, lo)
    loss = None
    if losses is not None:
        loss = problem.shell.around_rows(losses[()], problem.axis)
    elif value:
        loss = _reduced(problem, total)
    if target is not None and result is not None:
        return loss, problem.shell.around_gradient(_placed(target, result), out)
    return loss, None


def product(problem: Problem, out: Any = None) -> Any:
    """The product of the Hessian with the problem's tangent, in the dtype of the logits.

    A tangent of a wider dtype is not rounded to that of the logits first.
    """
    _arguments.check_out(out, problem.z.shape, problem.dtype)
    if problem.targets.total is not None:
        problem.targets.mass = None  # it is in the total; the memory is worth having back
    tangent = problem.z if problem.tangent is None else problem.tangent
    target, result = _memory(problem, out, [tangent])
    dtype = _arguments.common_dtype([problem.z, tangent])
    computed = target if dtype == problem.dtype else np.empty_like(problem.z, dtype=dtype, subok=False)
    problem.z, problem.tangent = (
        x if x.dtype == dtype and x.flags.aligned else x.astype(dtype) for x in (problem.z, tangent)
    )
    moved = np.moveaxis(computed, problem.axis, -1)
    for at, piece in problem.pieces():
        alpha, beta = (_one_a_row(x) for x in _factors(piece))
        place = computed if at is ... else moved[at]
        operands = piece.z, piece.tangent, alpha, beta, piece.part, piece.axis, place
        _compute("cross_entropy_hvp", dtype, operands, [0, 1, 6])
    return problem.shell.around_gradient(_placed(computed, result), out)


def _factors(problem: Problem) -> tuple[Any, Any]:
    """The same as `curvature`, without work where T = 1 in all rows."""
    t = problem.targets
    if t.total is None and t.mass is None and problem.weight is None and not problem.z_loss and np.all(t.label != -2):
        return problem.scale()[0], 0.0
    alpha, beta = curvature(problem)
    return alpha, beta if problem.z_loss else 0.0


def curvature(problem: Problem) -> tuple[NDArray, NDArray]:
    """Factors of the Hessian of each row: of J without the part of z_loss, C T, and 2 C zeta. Shape of the batch.

    Both are 0 in a row that does not count.
    """
    a, t, eps = arithmetic_for(problem.wide), problem.targets, problem.wide.type(problem.label_smoothing)
    one = np.broadcast_to(problem.wide.type(1.0), problem.batch)
    T = t.mass if t.total is None and t.mass is not None else t.total
    if t.by_class and problem.weight is not None:
        T = np.take(problem.weight, np.maximum(t.label, 0))
    share, share_lo = _mean_weight(problem) if problem.label_smoothing else (one, one)
    C = [np.broadcast_to(x, problem.batch) for x in problem.scale()]

    def factors(label: NDArray, c: NDArray, c_lo: NDArray, T: NDArray, share: NDArray, share_lo: NDArray) -> Any:
        pair: Any = (T, 0.0 * T)
        if eps:
            rest = a.two_sum(np.ones_like(T), -np.broadcast_to(eps, T.shape))
            pair = a.add(a.multiply(pair, rest), a.multiply((eps + 0.0 * T, 0.0 * T), (share, share_lo)))
        counted, scale = label != -2, (c, c_lo)
        alpha = np.where(counted, a.round(a.multiply(scale, pair)), 0.0)
        if not problem.z_loss:
            return (alpha,)
        twice_zeta = 2.0 * problem.z_loss + 0.0 * T
        return alpha, np.where(counted, a.round(a.multiply(scale, (twice_zeta, 0.0 * T))), 0.0)

    rows = t.label, *C, one if T is None else T, share, share_lo
    alpha, *beta = _sums.blockwise(factors, 2 if problem.z_loss else 1, problem.wide, *rows)
    return alpha, beta[0] if beta else np.broadcast_to(problem.wide.type(0.0), problem.batch)


def _mean_weight(problem: Problem) -> tuple[Any, Any]:
    """The mean weight of the classes that take part in each row, as hi + lo."""
    a, wide = arithmetic_for(problem.wide), problem.wide
    if problem.weight is None:
        return np.broadcast_to(wide.type(1.0), problem.batch), np.broadcast_to(wide.type(0.0), problem.batch)
    if problem.part is None:
        hi, lo = _mean(problem.weight, wide)
        return np.broadcast_to(hi, problem.batch), np.broadcast_to(lo, problem.batch)
    hi, lo = np.empty(problem.batch, wide), np.empty(problem.batch, wide)
    rows = np.moveaxis(problem.part, problem.axis, -1)
    for block in reference.blocks(problem.batch, problem.n):
        part = rows[block]
        if len(part) == 1:  # a long row, of which pairs would take memory
            hi[block], lo[block] = _mean(problem.weight[part[0]], wide)
            continue
        K = np.maximum(np.count_nonzero(part, axis=-1, keepdims=True), 1).astype(wide)
        s = a.divide(a.sum(a.keep(part, (problem.weight + 0.0 * K, 0.0 * problem.weight + 0.0 * K))), (K, 0.0 * K))
        hi[block], lo[block] = s[0][..., 0], s[1][..., 0]
    return hi, lo


def _mean(weights: NDArray, wide: "np.dtype[Any]") -> tuple[Any, Any]:
    """The mean of some weights as hi + lo; 0 of none."""
    total, zero = _sums.Total(wide), wide.type(0.0)
    total.add(weights, None)
    return arithmetic_for(wide).divide(total.pair, (wide.type(max(weights.size, 1)), zero))


def _run(problem: Problem, hi: NDArray | None, lo: NDArray | None, out: NDArray | None) -> None:
    """Losses of rows times `Problem.weights_of_rows`, as hi + lo, and the gradient with its scale."""
    t, smoothing, z_loss = problem.targets, problem.label_smoothing, problem.z_loss
    scale = [_one_a_row(x) for x in problem.scale()]
    if t.y is not None and not smoothing and not z_loss and np.any(t.label >= 0):
        _run_apart(problem, hi, lo, out)
        return
    operands = (
        problem.z, t.y, t.label, t.mass, *scale, problem.weights_of_rows(), problem.weight, problem.part, problem.axis,
        smoothing, z_loss, hi, lo, out,
    )  # fmt: skip
    _compute("cross_entropy", problem.dtype, operands, [0, 14])


def _run_apart(problem: Problem, hi: NDArray | None, lo: NDArray | None, out: NDArray | None) -> None:
    """The same where some rows have a class and some a distribution: a block at a time, each kind by itself.

    So a one-hot row has the bits of its class, whatever stands beside it.
    """
    t, last = problem.targets, -1
    z, y, part, target = (
        None if x is None else np.moveaxis(x, problem.axis, -1) for x in (problem.z, t.y, problem.part, out)
    )
    of_row = t.label, t.mass, *problem.scale(), problem.weights_of_rows()
    columns = [None if x is None else np.broadcast_to(x, problem.batch) for x in of_row]
    for block in reference.blocks(problem.batch, problem.n):
        wholes = [None if x is None else x[block] for x in (z, y, part, *columns)]
        own = wholes[3] == -1
        for rows, with_y in ((np.flatnonzero(own), True), (np.flatnonzero(~own), False)):
            x, its_y, its_part, label, mass, *scale, omega = (None if w is None else w[rows] for w in wholes)
            found = [None if w is None else np.empty(len(rows), problem.wide) for w in (hi, lo)]
            g = None if target is None else np.empty((len(rows), problem.n), problem.dtype)
            operands = (
                x, its_y if with_y else None, label, mass, *scale, omega, problem.weight, its_part, last,
                0.0, 0.0, *found, g,
            )  # fmt: skip
            _compute("cross_entropy", problem.dtype, operands, [0, 14])
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


def _reduced(problem: Problem, total: _sums.Total) -> Any:
    """The sum or the mean, rounded once."""
    if problem.reduction == "sum":
        return np.asarray(total.divided(None)).astype(problem.dtype)[()]
    if problem.denominator[0] == 0.0:
        return problem.dtype.type(0.0)
    hi, lo = problem.denominator
    if problem.counts_rows:
        mean = _sums.quotient(float(total.s), float(total.rest), float(hi)) * total.unit
        return np.asarray(mean).astype(problem.dtype)[()]
    return np.asarray(total.divided((hi, lo))).astype(problem.dtype)[()]
