"""Short cut for the plainest calls: an array with its classes last, a class for each row, no options.

It computes what the long way does, with the same bits, in a few microseconds. What it does not serve is left to it.
"""

from typing import Any

import numpy as np

from softjac import kernels
from softjac.cross_entropy import _sums

_core = getattr(kernels.native, "cross_entropy", None)
_core_hvp = getattr(kernels.native, "cross_entropy_hvp", None)
_maximum = np.maximum.reduce
_FLOAT64 = np.dtype(np.float64)
_MOST = 1 << 16  # rows: the losses of more are added a piece at a time, the long way
_INT64 = np.dtype(np.int64)
_UNSIGNED = {char: np.dtype(char.upper()) for char in "bhilqBHILQ"}
_HALF = {char: np.iinfo(char).max + 1 for char in _UNSIGNED}  # of unsigned ones, the whole range


def value_and_grad(
    logits: Any, targets: Any, axis: Any, options: tuple[Any, ...], reduction: Any, out: Any, *, value: bool, grad: bool
) -> Any:
    """The loss and the gradient, each None where it is not asked for; NotImplemented for all but the plainest calls.

    options: weight, sample_weight, label_smoothing, ignore_index, z_loss, where.
    """
    if _core is None or type(reduction) is not str or not _are_defaults(options):
        return NotImplemented
    if not _is_plain(logits, targets, axis, out):
        return NotImplemented
    label = np.asarray(targets, _INT64)
    batch = label.shape
    rows = label.size
    if value and rows > _MOST and reduction != "none":
        return NotImplemented
    if reduction == "mean":
        scale, scale_lo = _sums.inverse(rows)
    elif reduction in {"none", "sum"}:
        scale, scale_lo = 1.0, 0.0
    else:
        return NotImplemented
    dtype = logits.dtype
    hi = np.empty(batch) if value else None
    lo = np.empty(batch) if value and dtype.char == "d" else None
    g = (np.empty_like(logits) if out is None else out) if grad else None
    axis = len(batch)
    if _core(logits, None, label, None, scale, scale_lo, None, None, None, axis, 0.0, 0.0, hi, lo, g) is NotImplemented:
        return NotImplemented
    if hi is None:
        return None, g
    if reduction == "none":
        with np.errstate(all="ignore"):
            return hi.astype(dtype, copy=False)[()], g
    if rows == 1:
        s, rest, unit = hi.item(), 0.0 if lo is None else lo.item(), 1.0
    else:
        with np.errstate(all="ignore"):
            total = _sums.Total(_FLOAT64)
            total.add(hi, lo)
            s, rest, unit = float(total.s), float(total.rest), total.unit
    mean = _sums.quotient(s, rest, float(rows) if reduction == "mean" else 1.0) * unit
    if dtype.char == "d":
        return np.float64(mean), g
    with np.errstate(all="ignore"):
        return dtype.type(mean), g


def product(
    logits: Any, targets: Any, tangent: Any, axis: Any, options: tuple[Any, ...], reduction: Any, out: Any
) -> Any:
    """The product of the Hessian with a tangent, in the same way."""
    if _core_hvp is None or type(reduction) is not str or not _are_defaults(options):
        return NotImplemented
    if not _is_plain(logits, targets, axis, out):
        return NotImplemented
    if type(tangent) is not np.ndarray or tangent.dtype != logits.dtype or tangent.shape != logits.shape:
        return NotImplemented
    if reduction == "mean":
        scale = _sums.inverse(logits.size // logits.shape[-1])[0]
    elif reduction in {"none", "sum"}:
        scale = 1.0
    else:
        return NotImplemented
    result = np.empty_like(logits) if out is None else out
    done = _core_hvp(logits, tangent, scale, 0.0, None, logits.ndim - 1, result)
    return done if done is NotImplemented else result


def _are_defaults(options: tuple[Any, ...]) -> bool:
    weight, sample_weight, label_smoothing, ignore_index, z_loss, where = options
    return (
        weight is None
        and sample_weight is None
        and ignore_index is None
        and where is None
        and type(label_smoothing) is type(z_loss) is float
        and label_smoothing == z_loss == 0.0
    )


def _is_plain(logits: Any, targets: Any, axis: Any, out: Any) -> bool:
    if type(logits) is not np.ndarray or type(axis) is not int or axis != -1 or not logits.size:
        return False
    shape, dtype = logits.shape, logits.dtype
    if dtype.char not in "fde":
        return False
    if out is not None and not (
        type(out) is np.ndarray and out.dtype == dtype and out.shape == shape and out.flags.writeable
    ):
        return False
    if type(targets) is int:
        return len(shape) == 1 and 0 <= targets < shape[0]
    if type(targets) is not np.ndarray or targets.shape != shape[:-1]:
        return False
    # As unsigned numbers, negative classes are at least as large as half of their range.
    unsigned = _UNSIGNED.get(targets.dtype.char)
    if unsigned is None or not targets.flags.c_contiguous or not targets.dtype.isnative:
        return False
    most = min(shape[-1], _HALF[targets.dtype.char])
    return bool(_maximum(targets.view(unsigned), axis=None) < most)
