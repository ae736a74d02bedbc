"""The reference on NumPy arrays: in float64 (longdouble for longdouble), some rows at a time."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from softjac.kernels._arithmetic import Arithmetic
from softjac.kernels._pairs import Pairs

NDArray = npt.NDArray[Any]

# Result elements a step, so that the two dozen temporaries of a step stay in a cache of a few MB.
_STEP = 1 << 14


def run(function: Callable[..., NDArray], operands: Sequence[NDArray], part: NDArray | None, out: NDArray) -> None:
    """Compute rows of the operands into out.

    operands, part: shape batch + (n,), n >= 1, the operands in the dtype of out. out: shape batch + the function's own.
    It may be the memory of an operand, if it has the same strides.
    """
    arithmetic = arithmetic_for(out.dtype)
    batch, n = operands[0].shape[:-1], operands[0].shape[-1]
    rows = math.prod(batch)
    if not rows:
        return
    flat = [operand.reshape(rows, n) for operand in operands]
    flat_part = None if part is None else part.reshape(rows, n)
    tail = out.shape[len(batch) :]
    flat_out = out.reshape(rows, *tail)
    step = max(1, _STEP // max(n, math.prod(tail)))
    for start in range(0, rows, step):
        block = slice(start, start + step)
        z = [np.ascontiguousarray(x[block], dtype=arithmetic.dtype) for x in flat]
        takes_part = np.ones(z[0].shape, dtype=bool) if flat_part is None else flat_part[block]
        flat_out[block] = function(arithmetic, *z, takes_part)
    if not np.may_share_memory(flat_out, out):
        out[...] = flat_out.reshape(out.shape)
    # A cast to a narrower dtype leaves the processor's flags set; a ufunc clears them before it computes.
    np.positive(0.0)


def arithmetic_for(dtype: "np.dtype[Any]") -> Arithmetic:
    """Plain float64 for what is narrower; for float64 and longdouble, pairs of themselves."""
    if dtype.itemsize < 8:
        return Arithmetic(np, np.dtype(np.float64), exact_differences=False)
    return Pairs(np, dtype, exact_differences=True)
