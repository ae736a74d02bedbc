from typing import Any, TypeAlias

from numpy.typing import NDArray

# Every function serves plain arrays of one dtype and shape, and returns NotImplemented for all else. `out` may be None.
# A last True says that arrays of uint16 hold the bits of bfloat16.

_Array: TypeAlias = NDArray[Any]
_Mask: TypeAlias = NDArray[Any] | None

def softmax(logits: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /) -> Any: ...
def log_softmax(logits: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /) -> Any: ...
def softmax_complement(logits: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /) -> Any: ...
def logsumexp(
    logits: _Array, b: _Array | None, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...
def softmax_jacobian(logits: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /) -> Any: ...
def softmax_jvp(
    logits: _Array, tangent: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...
def softmax_vjp_probs(
    probs: _Array, cotangent: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...
def log_softmax_jvp(
    logits: _Array, tangent: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...
def log_softmax_vjp(
    logits: _Array, cotangent: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...
def log_softmax_vjp_probs(
    probs: _Array, cotangent: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...
def softmax_second_derivative(
    logits: _Array, u: _Array, v: _Array, axis: int, where: _Mask, out: _Array | None, bits: bool = ..., /
) -> Any: ...

# Of rows of float64 that run along the last axis: k, q_k and size of operator/_rows.py, and notes (1: the row is odd,
# 2: there are subnormal p).
def operator_state(p: _Array, /) -> Any: ...

# The operation by name. Answers the result, or (result, is_odd) where rows have to be computed in another way. x is
# None for what takes no vector.
def operator_rows(
    operation: str,
    p: _Array,
    k: _Array,
    q_k: _Array,
    size: _Array,
    weight: _Array,
    damping: _Array,
    x: _Array | None,
    /,
) -> Any: ...

# Rows of operator/_factors.py: pivot, c, G and is_odd.
def operator_cholesky(p: _Array, weight: _Array, damping: _Array, /) -> Any: ...
def operator_triangular(
    operation: str, p: _Array, pivot: _Array, c: _Array, G: _Array, root: _Array, t: _Array, x: _Array, /
) -> Any: ...
def set_num_threads(n: int, /) -> None: ...
def get_num_threads() -> int: ...
def isa() -> str: ...
def available_isas() -> list[str]: ...
def cross_entropy(
    logits: _Array,
    targets: _Array | None,
    label: _Array,
    mass: _Array | None,
    scale: _Array | float,
    scale_lo: _Array | float,
    omega: _Array | None,
    weight: _Array | None,
    where: _Mask,
    axis: int,
    label_smoothing: float,
    z_loss: float,
    loss: _Array | None,
    loss_lo: _Array | None,
    out: _Array | None,
    bits: bool = ...,
    /,
) -> Any: ...
def cross_entropy_hvp(
    logits: _Array,
    tangent: _Array,
    alpha: _Array | float,
    beta: _Array | float,
    where: _Mask,
    axis: int,
    out: _Array,
    bits: bool = ...,
    /,
) -> Any: ...
def sum_of_losses(loss: _Array, loss_lo: _Array | None, /) -> Any: ...
def scan_targets(targets: _Array, axis: int, weight: _Array | None, where: _Mask, /) -> Any: ...
