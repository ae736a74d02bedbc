"""The functions of softjac as data: what every test of all of them goes through."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from softjac import _budget
from softjac.check.ulp import format_of

try:
    from ml_dtypes import bfloat16

    BFLOAT16 = [np.dtype(bfloat16)]
except ImportError:  # bfloat16 is tested where ml_dtypes is installed; the extra [test] names it
    BFLOAT16 = []

DTYPES = [np.dtype(np.float16), *BFLOAT16, np.dtype(np.float32), np.dtype(np.float64)]
DTYPE_NAMES = [dtype.name for dtype in DTYPES]


@dataclass(frozen=True)
class Function:
    """One function: what it takes beside the logits (or instead of them), and the shape of its result.

    result: "same" (shape of the logits), "row" (one number a row) or "matrix" (n by n a row).
    keyword: the last operand goes by this name.
    """

    name: str
    public: str
    tangents: int = 0
    result: Literal["same", "row", "matrix"] = "same"
    keyword: str | None = None
    takes_probs: bool = False
    many_axes: bool = False

    @property
    def operands(self) -> int:
        return 1 + self.tangents

    @property
    def truth(self) -> str:
        """The oracle's name for it."""
        if self.takes_probs:
            return self.public
        return "softmax_jvp" if self.name == "softmax_vjp" else self.name  # the Jacobian is symmetric

    def __call__(self, sj: Any, *operands: Any, **options: Any) -> Any:
        function = getattr(sj, self.public)
        if self.takes_probs:
            return function(*operands, probs=operands[0], **options)
        if self.keyword:
            return function(*operands[:-1], **{self.keyword: operands[-1]}, **options)
        return function(*operands, **options)

    def result_shape(self, shape: tuple[int, ...], axis: int = -1) -> tuple[int, ...]:
        axis %= len(shape)
        batch = shape[:axis] + shape[axis + 1 :]
        return {"same": shape, "row": batch, "matrix": (*batch, shape[axis], shape[axis])}[self.result]


FUNCTIONS = {
    function.name: function
    for function in [
        Function("softmax", "softmax", many_axes=True),
        Function("log_softmax", "log_softmax", many_axes=True),
        Function("softmax_complement", "softmax_complement", many_axes=True),
        Function("logsumexp", "logsumexp", result="row", many_axes=True),
        Function("logsumexp_weighted", "logsumexp", 1, "row", keyword="b", many_axes=True),
        Function("softmax_jacobian", "softmax_jacobian", result="matrix"),
        Function("softmax_jvp", "softmax_jvp", 1),
        Function("softmax_vjp", "softmax_vjp", 1),
        Function("softmax_vjp_probs", "softmax_vjp", 1, takes_probs=True),
        Function("log_softmax_jvp", "log_softmax_jvp", 1),
        Function("log_softmax_vjp", "log_softmax_vjp", 1),
        Function("log_softmax_vjp_probs", "log_softmax_vjp", 1, takes_probs=True),
        Function("softmax_second_derivative", "softmax_second_derivative", 2),
    ]
}
NAMES = list(FUNCTIONS)


def budget(function: Function, dtype: Any) -> tuple[float, float]:
    """Ulps, and what multiplies the scale that the oracle names."""
    allowed = _budget.budget(np.dtype(dtype).name, function.public)
    return allowed.ulps, allowed.factor(format_of(dtype).P)


def bits(array: Any) -> Any:
    """The bytes of each element as an unsigned integer: equal only where the bits are."""
    array = np.asarray(array)
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)


def same_bits(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and bool(np.array_equal(bits(a), bits(b)))


def operands_like(function: Function, logits: Any, seed: int = 0) -> list[Any]:
    """Operands for a function: the logits (or probabilities of theirs), and random tangents of their shape."""
    rng = np.random.default_rng(seed)
    first = logits
    if function.takes_probs:
        with np.errstate(all="ignore"):
            wide = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits, axis=-1, keepdims=True))
            first = (wide / wide.sum(axis=-1, keepdims=True)).astype(logits.dtype)
    more = [rng.standard_normal(logits.shape).astype(logits.dtype) for _ in range(function.tangents)]
    return [first, *more]


def is_nan(array: Any) -> Any:
    """np.isnan, which warns of the signalling NaNs of bfloat16."""
    with np.errstate(invalid="ignore"):
        return np.isnan(array)


def logits(shape: Any, dtype: Any = np.float64, seed: int = 1) -> Any:
    """Random logits, the same for the same seed."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)
