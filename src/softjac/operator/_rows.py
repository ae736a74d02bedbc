"""The probabilities that an operator is made of: computed or given, and what each row of them needs to be known."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from softjac import _arguments, _libraries
from softjac._arguments import NDArray, Shape
from softjac._containers import masked
from softjac.errors import ArgumentError, DTypeError, ShapeError
from softjac.operator import _sums
from softjac.softmax import softmax

FUNCTION = "SoftmaxJacobian"


@dataclass(frozen=True)
class Rows:
    """Rows of probabilities in the dtype computed in, float64 or longdouble.

    p: shape batch + (n,). k: first index of the largest p of each row, shape batch. q_k: 1 - p_k as the sum of the
    other p, shape batch; NaN in every row that holds one. An element with p = 0 is off the support: it was masked out,
    or had no probability.
    """

    p: NDArray
    k: NDArray
    q_k: NDArray

    @classmethod
    def of(cls, p: NDArray) -> "Rows":
        """Find the largest of each row, and what the others are together."""
        if p.shape[-1] == 0:
            return cls(p, np.zeros(p.shape[:-1], np.intp), np.zeros(p.shape[:-1], p.dtype))
        k = np.argmax(p, axis=-1)
        others = p.copy()
        np.put_along_axis(others, k[..., None], 0.0, axis=-1)
        hi, lo = _sums.total(others)
        return cls(p, k, hi + lo + 0.0 * np.take_along_axis(p, k[..., None], axis=-1)[..., 0])

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

    @property
    def support_size(self) -> Any:
        """How many elements of each row have a probability, shape batch."""
        return np.count_nonzero(self.support, axis=-1)

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
        return Rows(self.p[..., None, :], self.k[..., None], self.q_k[..., None])


def wide(dtype: "np.dtype[Any]") -> "np.dtype[Any]":
    """The dtype computed in."""
    return np.dtype(np.longdouble) if dtype.char == "g" else np.dtype(np.float64)


_SHAPES = {(1, -1): "(..., {})", (2, -1): "(..., m, {})", (2, -2): "(..., {}, m)"}


def vectors(name: str, value: object, n: int, batch: Shape, *, core: int = 1, axis: int = -1) -> NDArray:
    """What an operator is applied to: plain numbers, with n elements along axis.

    The axes before the last `core` broadcast against the batch.
    Raises DTypeError for what is no array of numbers, ShapeError for another length or other rows.
    """
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


def right_sides(name: str, value: object, n: int, batch: Shape) -> NDArray:
    """The same for the right sides of equations. Raises ArgumentError for one that is not finite."""
    b = vectors(name, value, n, batch)
    if not np.isfinite(b).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(b))[0])
        raise ArgumentError(f"{name} holds {b[at]} at {at}: a right side has finite numbers only.")
    return b


def plain(name: str, value: object) -> NDArray:
    """The value as an ndarray of numbers. Raises DTypeError, also for arrays of other libraries."""
    library = _libraries.library_of(value)
    if library is not None:
        raise DTypeError(
            f"{name} is an array of {library.name}, but operators compute with NumPy arrays: "
            f"pass numpy.asarray({name})."
        )
    if masked.holds(value):
        raise DTypeError(f"{name} is a masked array: pass its data, and where=~mask where the operator is made.")
    return _arguments.numbers(name, value)


def from_logits(logits: object, axis: object, where: object) -> tuple[Rows, "np.dtype[Any]"]:
    """Rows of softmax(logits), with the classes at the end, and the dtype of results."""
    z, part = _classes_last("logits", logits, axis, where)
    dtype = _arguments.common_dtype([z])
    return Rows.of(softmax(z.astype(wide(dtype), copy=False), where=part)), dtype


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
    wrong = ~(np.abs(sums - 1.0) <= tolerance)
    if wrong.any():
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ArgumentError(
            f"probs sums to {float(np.sum(p[at])):.6g} in row {_row(at)}, but probabilities sum to 1 (within "
            f"{tolerance:.1e} for {dtype}): divide each row by its sum, or pass logits to {FUNCTION} itself."
        )
    return sums


def _row(index: tuple[int, ...]) -> object:
    return index[0] if len(index) == 1 else index or 0


def _classes_last(name: str, value: object, axis: object, where: object) -> tuple[NDArray, NDArray | None]:
    """The array with its classes at the end, and which elements take part."""
    if masked.holds(value):
        array_and_mask: Any = value
        value, hidden = np.ma.getdata(array_and_mask), np.ma.getmaskarray(array_and_mask)
        shown = _arguments.mask(where, name, hidden.shape)
        where = ~hidden if shown is None else shown & ~hidden
    array = plain(name, value)
    part = _arguments.mask(where, name, array.shape)
    layout = _arguments.layout(FUNCTION, {name: array.shape}, axis, many_axes=False)
    return layout.to_rows(np, array, 0), None if part is None else layout.to_rows(np, part, 0)
