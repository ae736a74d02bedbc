"""The probabilities that an operator is made of: computed or given, and what each row of them needs to be known."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from softjac import _arguments, _libraries, kernels
from softjac._arguments import NDArray, Shape
from softjac._containers import masked
from softjac.errors import ArgumentError, DTypeError, ShapeError
from softjac.operator import _sums
from softjac.softmax import log_softmax, softmax

FUNCTION = "SoftmaxJacobian"


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """Rows of probabilities in the dtype computed in, float64 or longdouble.

    p: shape batch + (n,), C-contiguous. k: first index of the largest p of each row, shape batch. q_k: 1 - p_k as the
    sum of the other p, shape batch; NaN in every row that holds one. An element with p = 0 is off the support: it was
    masked out, or had no probability. size: how many elements of each row are on the support, NaN included.
    has_subnormal: whether some p have lost digits to the end of the range. log_p: then the sums of log p over the
    support, from the logits, NaN for the rows without such p.
    """

    p: NDArray
    k: NDArray
    q_k: NDArray
    size: NDArray
    has_subnormal: bool = False
    log_p: NDArray | None = None

    @classmethod
    def of(cls, p: NDArray) -> "Rows":
        """Find the largest of each row, and what the others are together."""
        p = np.ascontiguousarray(p)
        state = kernels.native.operator_state(p) if kernels.native is not None else NotImplemented
        if state is NotImplemented:
            return cls(p, *_state(p))
        k, q_k, size, notes = state
        odd = (notes & _ODD) != 0
        if odd.any():
            k[odd], q_k[odd], size[odd], _ = _state(p[odd])
        return cls(p, k, q_k, size, bool((notes & _SUBNORMAL).any()))

    @property
    def n(self) -> int:
        """Number of classes."""
        return int(self.p.shape[-1])

    @property
    def batch(self) -> Shape:
        """Shape of the rows."""
        return self.p.shape[:-1]

    @cached_property
    def support(self) -> NDArray:
        """Which elements have a probability, NaN included."""
        return np.not_equal(self.p, 0.0)

    @cached_property
    def has_zeros(self) -> bool:
        """Whether some element is off the support."""
        return bool(np.any(self.size < self.n))

    @cached_property
    def has_nan(self) -> bool:
        """Whether some row holds a NaN."""
        return bool(np.isnan(self.q_k).any())

    @property
    def q(self) -> NDArray:
        """Complements 1 - p: the sum of the others at the largest p, the difference elsewhere."""
        q = 1.0 - self.p
        if self.n:
            np.put_along_axis(q, self.k[..., None], self.q_k[..., None], axis=-1)
        return q

    def at_k(self, x: NDArray) -> NDArray:
        """The element of x where the largest p is; shape (..., 1)."""
        k = np.broadcast_to(self.k[..., None], (*np.broadcast_shapes(self.batch, x.shape[:-1]), 1))
        return np.take_along_axis(np.broadcast_to(x, (*k.shape[:-1], x.shape[-1])), k, axis=-1)

    def on_support(self, x: NDArray) -> NDArray:
        """The x where there is a probability, else 0."""
        return np.where(self.support, x, 0.0)

    def expanded(self) -> "Rows":
        """The same rows with a batch axis of length 1 at the end."""
        k, q_k, size = (part[..., None] for part in (self.k, self.q_k, self.size))
        log_p = None if self.log_p is None else self.log_p[..., None]
        return Rows(self.p[..., None, :], k, q_k, size, self.has_subnormal, log_p)

    def chosen(self, index: NDArray) -> "Rows":
        """Some of the rows, side by side. index: booleans of a shape that the batch broadcasts to."""
        p = np.broadcast_to(self.p, (*index.shape, self.n))[index]
        k, q_k, size = (np.broadcast_to(part, index.shape)[index] for part in (self.k, self.q_k, self.size))
        log_p = None if self.log_p is None else np.broadcast_to(self.log_p, index.shape)[index]
        return Rows(p, k, q_k, size, self.has_subnormal, log_p)

    def with_logits(self, z: NDArray, part: NDArray | None) -> "Rows":
        """The same, with the sums of log p from the logits where p has lost its digits: only there is it worth it."""
        if not self.has_subnormal:
            return self
        needs = np.any((self.p > 0.0) & (self.p < np.finfo(self.p.dtype).smallest_normal), axis=-1)
        log_p = np.full(self.batch, np.nan, self.p.dtype)
        logs = log_softmax(z[needs], where=None if part is None else np.broadcast_to(part, z.shape)[needs])
        hi, lo = _sums.total(np.where(self.support[needs], logs, 0.0))
        log_p[needs] = hi + lo
        return replace(self, log_p=log_p)


# The notes of kernels/native/operator_job.h.
_ODD, _SUBNORMAL = 1, 2


def _state(p: NDArray) -> tuple[NDArray, NDArray, NDArray, bool]:
    """What Rows needs to know besides p."""
    batch = p.shape[:-1]
    if p.shape[-1] == 0:
        return np.zeros(batch, np.int64), np.zeros(batch, p.dtype), np.zeros(batch, np.int64), False
    k = np.asarray(np.argmax(p, axis=-1), np.int64)
    others = p.copy()
    np.put_along_axis(others, k[..., None], 0.0, axis=-1)
    hi, lo = _sums.total(others)
    q_k = np.asarray(hi + lo + 0.0 * np.take_along_axis(p, k[..., None], axis=-1)[..., 0])
    is_subnormal = bool(np.any((p > 0.0) & (p < np.finfo(p.dtype).smallest_normal)))
    return k, q_k, np.asarray(np.count_nonzero(p, axis=-1), np.int64), is_subnormal


def wide(dtype: "np.dtype[Any]") -> "np.dtype[Any]":
    """The dtype computed in."""
    return np.dtype(np.longdouble) if dtype.char == "g" else np.dtype(np.float64)


_SHAPES = {(1, -1): "(..., {})", (2, -1): "(..., m, {})", (2, -2): "(..., {}, m)"}


def vectors(name: str, value: object, n: int, batch: Shape, *, core: int = 1, axis: int = -1) -> NDArray:
    """What an operator is applied to: plain numbers, with n elements along axis.

    The axes before the last `core` broadcast against the batch.
    Raises DTypeError for what is no array of numbers, ShapeError for another length or other rows.
    """
    if type(value) is np.ndarray and value.dtype == np.float64 and core == 1 and value.shape == (*batch, n):
        return value  # the short way for the plainest
    x = plain(name, value)
    if x.ndim < core or x.shape[axis] != n:
        raise ShapeError(
            f"{name} has shape {x.shape}, but the operator needs {n} elements along axis {axis}: "
            f"pass an array of shape {_SHAPES[core, axis].format(n)}."
        )
    try:
        np.broadcast_shapes(x.shape[: x.ndim - core], batch)
    except ValueError:
        raise ShapeError(
            f"{name} has shape {x.shape}, but the operator has batch_shape {batch}: {x.shape[: x.ndim - core]} and "
            f"{batch} do not broadcast. Make them equal, or 1."
        ) from None
    return x


def right_sides(name: str, value: object, n: int, batch: Shape, is_read: Any = True) -> NDArray:
    """The same for the right sides of equations. Raises ArgumentError for one that is not finite where it is read."""
    b = vectors(name, value, n, batch)
    with np.errstate(all="ignore"):
        check_finite(name, b, is_read)
    return b


def check_finite(name: str, b: NDArray, is_read: Any = True) -> None:
    """Refuse right sides that are not finite where they are read. Raises ArgumentError with the first one."""
    if math.isfinite(np.add.reduce(b, axis=None)):  # then all of it is
        return
    shape = np.broadcast_shapes(b.shape, np.shape(is_read))
    bad = np.broadcast_to(~np.isfinite(b), shape) & is_read
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ArgumentError(
            f"{name} holds {np.broadcast_to(b, shape)[at]} at {at}: a right side has finite numbers only."
        )


def in_range(name: str, what: str, t: NDArray, result: Any) -> NDArray:
    """What became of t as a weight or a damping. Raises ArgumentError where that is infinite."""
    if not np.all(np.isfinite(result)):
        dtype = np.asarray(result).dtype
        raise ArgumentError(
            f"{name} is {np.max(t)!s}, which makes the {what} larger than {np.finfo(dtype).max:.3g}, the largest "
            f"{dtype}: pass a smaller number."
        )
    return np.asarray(result)


def side_by_side(x: NDArray) -> NDArray:
    """The same numbers with the last axis side by side in memory: the order of a sum can follow the layout."""
    return x if x.strides[-1] == x.itemsize or x.shape[-1] < 2 else np.ascontiguousarray(x)


def plain(name: str, value: object) -> NDArray:
    """The value as an ndarray of numbers. Raises DTypeError, also for arrays of other libraries."""
    argument = name.partition(" in ")[0]
    if hasattr(value, "matrix_shape"):
        raise DTypeError(
            f"{name} is a {type(value).__name__}, an operator: products and sums of operators are not formed. Apply "
            f"one after the other to a vector, or pass {argument}.to_dense()."
        )
    if hasattr(value, "toarray") and hasattr(value, "tocsr"):
        raise DTypeError(f"{name} is a sparse {type(value).__name__}: pass {argument}.toarray().")
    library = _libraries.library_of(value)
    if library is not None:
        raise DTypeError(
            f"{name} is an array of {library.name}, but operators compute with NumPy arrays: "
            f"pass numpy.asarray({argument})."
        )
    if masked.holds(value):
        raise DTypeError(f"{name} is a masked array: pass its data, and where=~mask where the operator is made.")
    return _arguments.numbers(name, value)


def from_logits(logits: object, axis: object, where: object) -> tuple[Rows, "np.dtype[Any]"]:
    """Rows of softmax(logits), with the classes at the end, and the dtype of results."""
    z, part = _classes_last("logits", logits, axis, where)
    dtype = _arguments.common_dtype([z])
    z = z.astype(wide(dtype), copy=False)
    return Rows.of(softmax(z, where=part)).with_logits(z, part), dtype


def from_probs(probs: object, axis: object, where: object) -> tuple[Rows, "np.dtype[Any]"]:
    """Rows of given probabilities, divided by their sum."""
    given, part = _classes_last("probs", probs, axis, where)
    dtype = _arguments.common_dtype([given])
    p = np.array(given, dtype=wide(dtype), order="C")
    if part is not None:
        p[~part] = 0.0
    p += 0.0  # no -0
    if p.shape[-1]:
        takes_part = np.ones(p.shape[:-1], bool) if part is None else np.any(part, axis=-1)
        p /= _checked_sums(p, takes_part, dtype)[..., None]
    return Rows.of(p), dtype


def _checked_sums(p: NDArray, takes_part: Any, dtype: "np.dtype[Any]") -> NDArray:
    """Sums of the rows; 1 where nothing takes part. Raises ArgumentError for a row that is no distribution."""
    negative = (p < 0.0) | np.isnan(p)
    if negative.any():
        at = tuple(int(i) for i in np.argwhere(negative)[0])
        raise ArgumentError(
            f"probs holds {p[at]} in row {_row(at[:-1])}, class {at[-1]}: probabilities are from 0 to 1."
        )
    tolerance = float(2.0**-7 if _arguments.is_bfloat16(dtype) else np.finfo(dtype).eps) ** 0.5
    hi, lo = _sums.total(np.minimum(p, 2.0))
    sums = np.where(takes_part, hi + lo, 1.0)
    excess = np.where(takes_part, (hi - 1.0) + lo, 0.0)
    wrong = ~(np.abs(excess) <= tolerance)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ArgumentError(
            f"probs sums to {_sum_in_words(float(np.sum(p[at])), float(excess[at]))} in row {_row(at)}, but "
            f"probabilities sum to 1 (within "
            f"{tolerance:.1e} for {dtype}): divide each row by its sum, or pass logits to {FUNCTION} itself."
        )
    return sums


def _sum_in_words(total: float, excess: float) -> str:
    """A sum with the digits that tell it from 1."""
    if not abs(excess) < 1e-3:
        return f"{total:.6g}"
    return f"1 {'-' if excess < 0.0 else '+'} {abs(excess):.3g}"


def _row(index: tuple[int, ...]) -> object:
    return index[0] if len(index) == 1 else index or 0


def _classes_last(name: str, value: object, axis: object, where: object) -> tuple[NDArray, NDArray | None]:
    """The array with its classes at the end, and which elements take part."""
    is_last = where is None and type(axis) is int and axis == -1
    if is_last and type(value) is np.ndarray and value.dtype == np.float64 and value.ndim:
        return value, None  # the short way for the plainest
    if masked.holds(value):
        array_and_mask: Any = value
        value, hidden = np.ma.getdata(array_and_mask), np.ma.getmaskarray(array_and_mask)
        shown = _arguments.mask(where, name, hidden.shape)
        where = ~hidden if shown is None else shown & ~hidden
    array = plain(name, value)
    part = _arguments.mask(where, name, array.shape)
    layout = _arguments.layout(FUNCTION, {name: array.shape}, axis, many_axes=False)
    return layout.to_rows(np, array, 0), None if part is None else layout.to_rows(np, part, 0)
