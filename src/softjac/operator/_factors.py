"""Factors of weight * J + damping * I as operators of O(n) numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray, Shape
from softjac.operator import _core, _rows, _sums
from softjac.operator._base import Operator
from softjac.operator._rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class SquareRootFactor(Operator):
    """F with F F^T = weight * J + damping * I.

    Without damping F is n x n, sqrt(weight) (I - p 1^T) diag(sqrt p). With damping it has n columns more,
    sqrt(damping) I. F.T has the products of the transpose.
    Source: (I - p 1^T) diag(p) (I - 1 p^T) = diag(p) - p p^T; run by tests/test_operator_exact.py.
    """

    _rows: Rows
    _weight: NDArray
    _damping: NDArray
    _dtype: "np.dtype[Any]"

    @property
    def batch_shape(self) -> Shape:
        """Shape of the rows."""
        return self._rows.batch

    @cached_property
    def _is_damped(self) -> bool:
        return bool(self._damping.any())

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one factor."""
        return (self._rows.n, self._rows.n * (2 if self._is_damped else 1))

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of the results."""
        return self._dtype

    def _product(self, x: NDArray) -> NDArray:
        rows, n = self._rows, self._rows.n
        result: Any = _core.rows_of("sqrt_product", _root_product, rows, self._weight, self._damping, x[..., :n])
        if self._is_damped:
            result = result + np.sqrt(self._damping)[..., None] * x[..., n:]
        return result if rows.n else np.zeros(np.broadcast_shapes(x.shape, rows.p.shape), x.dtype)

    def _transposed_product(self, x: NDArray) -> NDArray:
        w: NDArray = _core.rows_of("sqrt_transposed", _root_transposed, self._rows, self._weight, self._damping, x)
        if not self._is_damped:
            return w
        damped = np.sqrt(self._damping)[..., None] * x
        shape = np.broadcast_shapes(w.shape, damped.shape)
        return np.concat([np.broadcast_to(w, shape), np.broadcast_to(damped, shape)], axis=-1)

    def _expanded(self) -> "SquareRootFactor":
        weight, damping = (x[..., None] if x.ndim else x for x in (self._weight, self._damping))
        return SquareRootFactor(self._rows.expanded(), weight, damping, self._dtype)


def _root_product(rows: Rows, weight: NDArray, damping: NDArray, x: NDArray) -> Any:
    """sqrt(p) x - p (sum of sqrt(p) x); at the largest p that is sqrt(p) q x - p (the other terms)."""
    del damping
    if rows.n == 0:
        return x
    result = np.empty(np.broadcast_shapes(x.shape, rows.p.shape), x.dtype)
    for s in _sums.stretches(rows.n):
        result[..., s] = np.where(rows.support[..., s], np.sqrt(rows.p[..., s]) * x[..., s], 0.0)
    top = rows.at_k(result)
    k = np.broadcast_to(rows.k[..., None], top.shape)
    np.put_along_axis(result, k, 0.0, axis=-1)
    rest = np.sum(result, axis=-1, keepdims=True)
    for s in _sums.stretches(rows.n):
        result[..., s] -= np.where(rows.support[..., s], rows.p[..., s] * (rest + top), 0.0)
    p_k = np.take_along_axis(rows.p, rows.k[..., None], axis=-1)
    at_k = np.where(p_k == 0.0, 0.0, rows.q_k[..., None] * top - p_k * rest)
    np.put_along_axis(result, k, at_k, axis=-1)
    return result if np.all(weight == 1.0) else np.sqrt(weight)[..., None] * result


def _root_transposed(rows: Rows, weight: NDArray, damping: NDArray, x: NDArray) -> Any:
    """sqrt(p) (x - sum of p x). Of an x that is large, in units of its largest element."""
    del damping
    w = rows.on_support(x)
    if rows.n:
        size = np.max(np.abs(w), axis=-1, keepdims=True)
        far = np.isfinite(size) & (size > 2.0**1000)
        if far.any():
            unit = np.where(far, w.dtype.type(2.0**1000), 1.0)
            return unit * _root_transposed(rows, weight, weight, w / unit)
        w = w - rows.at_k(w)
        w = rows.on_support(np.sqrt(rows.p) * (w - np.sum(rows.p * w, axis=-1, keepdims=True)))
    return np.sqrt(weight)[..., None] * w


@dataclass(frozen=True, eq=False, repr=False)
class CholeskyFactor(Operator):
    """L, lower triangular, with L L^T = weight * J + damping * I: L_jj = pivot_j, below it L_ij = -p_i c_j.

    With t = damping / weight, d = p + t, and G_j = (sum of p from j on) + t (sum of p / d before j), all positive:
    pivot_j = sqrt(d_j G_(j+1) / G_j) and c_j = p_j / sqrt(d_j G_j G_(j+1)), both times sqrt(weight) in L.
    Without damping the last pivot of the support is 0, and so is its column.
    Source: for t = 0 Tanabe and Sagae 1992, An exact Cholesky decomposition and the generalized inverse of the
    variance-covariance matrix of the multinomial distribution; run by tests/test_operator_exact.py.
    """

    _p: NDArray
    _root: NDArray  # of the weight, shape (..., 1)
    _t: NDArray  # shape (..., 1)
    _G: NDArray  # n + 1 of them
    _pivot: NDArray
    _c: NDArray
    _dtype: "np.dtype[Any]"
    _ARRAYS: ClassVar = ("_p", "_root", "_t", "_G", "_pivot", "_c")

    @classmethod
    def of(cls, rows: Rows, weight: NDArray, damping: NDArray, dtype: "np.dtype[Any]") -> "CholeskyFactor":
        """The factor of weight * J + damping * I."""
        p, alone = rows.p, ~np.isfinite(damping / weight)
        if alone.any():  # then it is sqrt(damping) I, as if J were 0
            p, weight = np.where(alone[..., None], 0.0, p), np.where(alone, 1.0, weight)
        weight, damping = np.asarray(weight), np.asarray(damping)
        pivot, c, G = _core.factor_of(_factor, p, weight, damping)
        return cls(p, np.sqrt(weight)[..., None], (damping / weight)[..., None], G, pivot, c, dtype)

    @property
    def batch_shape(self) -> Shape:
        """Shape of the rows."""
        return self._pivot.shape[:-1]

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one factor, (n, n)."""
        return (self._pivot.shape[-1],) * 2

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of the results."""
        return self._dtype

    def diagonal(self) -> NDArray:
        """The diagonals of the factors, shape batch_shape + (n,): none is negative."""
        with np.errstate(all="ignore"):
            return self._pivot.astype(self._dtype)

    def to_dense(self, out: NDArray | None = None) -> NDArray:
        """All entries, zeros above the diagonals."""
        _arguments.check_out(out, self.shape, self._dtype)
        dense = np.zeros(self.shape, self._dtype) if out is None else out
        classes = np.arange(self.matrix_shape[0])
        with np.errstate(all="ignore"):
            np.multiply(-(self._root * self._p)[..., :, None], self._c[..., None, :], out=dense, casting="unsafe")
            dense[..., classes[:, None] <= classes] = 0.0
            if np.isnan(self._c).any():
                dense[(self._p[..., :, None] == 0.0) | (self._p[..., None, :] == 0.0)] = 0.0
            dense += 0.0  # no -0
            dense[..., classes, classes] = self._pivot
        return dense

    def solve(self, b: object) -> NDArray:
        """The y with L y = b, shape (..., n) -> (..., n). Where a pivot is 0, so is y."""
        return self._rounded(self._solve, self._right_sides(b))

    def solve_transposed(self, b: object) -> NDArray:
        """The y with L^T y = b, shape (..., n) -> (..., n). Where a pivot is 0, so is y."""
        return self._rounded(self._solve_transposed, self._right_sides(b))

    def _right_sides(self, b: object) -> NDArray:
        is_read = self._is_read
        x = _rows.right_sides("b", b, self.matrix_shape[0], self.batch_shape, is_read)
        return x if is_read is True else np.where(is_read, x, 0.0)

    @cached_property
    def _is_read(self) -> Any:
        """Where a right side is read: where there is a row of L."""
        has_row = (self._pivot != 0.0) | (self._p != 0.0)
        return True if has_row.all() else has_row

    def _product(self, x: NDArray) -> Any:
        return self._by_core("cholesky_product", x, CholeskyFactor._numpy_product)

    def _transposed_product(self, x: NDArray) -> Any:
        return self._by_core("cholesky_transposed", x, CholeskyFactor._numpy_transposed_product)

    def _solve(self, b: NDArray) -> Any:
        return self._by_core("cholesky_solve", b, CholeskyFactor._numpy_solve)

    def _solve_transposed(self, b: NDArray) -> Any:
        return self._by_core("cholesky_solve_transposed", b, CholeskyFactor._numpy_solve_transposed)

    def _by_core(
        self, operation: str, x: NDArray, form: "Callable[[CholeskyFactor, NDArray], Any]", *, again: bool = True
    ) -> Any:
        """What the core has for an operation, with the rows that it reports as odd computed by the form."""
        numbers = np.asarray(self._root[..., 0]), np.asarray(self._t[..., 0])
        answer = _core.triangular(operation, self._p, self._pivot, self._c, self._G, *numbers, x)
        if answer is NotImplemented:
            return form(self, x)
        if not isinstance(answer, tuple):
            return answer
        result, odd = answer
        some, x = self._chosen(odd), _core.chosen(x, odd)
        if again and some._is_read is not True:  # what is not read makes no row odd
            result[odd] = some._by_core(operation, np.where(some._is_read, x, 0.0), form, again=False)
        else:
            result[odd] = form(some, x)
        return result

    def _numpy_product(self, x: NDArray) -> Any:
        x = np.where((self._pivot == 0.0) & (self._c == 0.0), 0.0, x)  # not even an infinity matters there
        before = _before(np.where(self._c == 0.0, 0.0, self._c * x))
        if not np.isfinite(before).all():
            before = np.where(self._p == 0.0, 0.0, before)
        return self._pivot * x - self._root * self._p * before

    def _numpy_transposed_product(self, x: NDArray) -> Any:
        x = np.where((self._pivot == 0.0) & (self._p == 0.0), 0.0, x)
        after = _after(np.where(self._p == 0.0, 0.0, self._p * x))
        if not np.isfinite(after).all():
            after = np.where(self._c == 0.0, 0.0, after)
        return self._pivot * x - self._root * self._c * after

    def _numpy_solve(self, b: NDArray) -> NDArray:
        """Forward substitution: the sum of c_i y_i before j is B / G_j, B the sum of b_i p_i / d_i before j.

        With G_j = G_(j+1) + p_j^2 / d_j, b_j + p_j B / G_j is (b_j G_(j+1) + p_j (B and the term of j)) / G_j: of a b
        that nearly sums to 0, what is left is in the sum, which is carried as hi + lo, and not in b_j + B.
        """
        hi, lo = _sums.running(np.where(self._p > 0.0, b * (self._p / (self._p + self._t)), 0.0))
        here, after = self._G[..., :-1], self._G[..., 1:]
        share = np.where(here > 0.0, after / here, 1.0)
        return self._divided(b * share + np.where(here > 0.0, self._p / here, 0.0) * (hi + lo))

    def _numpy_solve_transposed(self, b: NDArray) -> NDArray:
        """Back substitution: the sum of p_i y_i after j is G_(j+1) (sum of c_i b_i after j)."""
        return self._divided(b + self._c * self._G[..., 1:] * _after(self._c * b))

    def _divided(self, x: NDArray) -> NDArray:
        return np.where(self._pivot == 0.0, 0.0, x / self._pivot)

    def _expanded(self) -> "CholeskyFactor":
        return replace(self, **{name: getattr(self, name)[..., None, :] for name in self._ARRAYS})

    def _chosen(self, index: NDArray) -> "CholeskyFactor":
        """Some of the rows, side by side. index: booleans of a shape that the batch broadcasts to."""
        return replace(self, **{name: _core.chosen(getattr(self, name), index) for name in self._ARRAYS})


def _factor(p: NDArray, weight: NDArray, damping: NDArray) -> tuple[Any, Any, Any]:
    """The arrays pivot, c and G of a factor."""
    weight, damping = weight[..., None], damping[..., None]
    t = damping / weight
    d = p + t
    before = np.where(p > 0.0, p / d, 0.0)
    tail = G = _from_here_on(p)
    is_damped = np.any(damping > 0.0)
    if is_damped:
        head = _up_to_here(before)
        G = tail + t * head
    here, after = G[..., :-1], G[..., 1:]
    pivot = np.sqrt(weight) * np.sqrt(d * np.where(here > 0.0, after / here, 1.0))
    if is_damped:
        lost = (damping > 0.0) & (t < np.finfo(p.dtype).smallest_normal)
        last = np.sqrt(d / np.where(here > 0.0, here, 1.0)) * np.sqrt(weight * tail[..., 1:] + damping * head[..., 1:])
        pivot = np.where(lost, np.where(p == 0.0, np.sqrt(damping), last), pivot)
    c = np.where((after > 0.0) & (p > 0.0), np.sqrt(before) * np.sqrt(p / here) / np.sqrt(after), 0.0)
    has_nan = np.isnan(p).any(axis=-1, keepdims=True)
    nothing = np.where(has_nan & (p != 0.0), np.nan, 0.0)
    return pivot + nothing, c + nothing, G


def _before(x: NDArray) -> NDArray:
    """Sums of what stands before each element."""
    result = np.zeros_like(x)
    result[..., 1:] = _sums.plain_running(x[..., :-1])
    return result


def _after(x: NDArray) -> NDArray:
    """Sums of what stands after each element."""
    return _before(x[..., ::-1])[..., ::-1]


def _from_here_on(x: NDArray) -> NDArray:
    """Sums of x_j + ... + x_(n-1) for j = 0 to n, the last of them 0."""
    hi, lo = _sums.running(x[..., ::-1])
    result = np.zeros((*x.shape[:-1], x.shape[-1] + 1), x.dtype)
    result[..., :-1] = (hi + lo)[..., ::-1]
    return result


def _up_to_here(x: NDArray) -> NDArray:
    """Sums of x_0 + ... + x_(j-1) for j = 0 to n, the first of them 0."""
    hi, lo = _sums.running(x)
    result = np.zeros((*x.shape[:-1], x.shape[-1] + 1), x.dtype)
    result[..., 1:] = hi + lo
    return result
