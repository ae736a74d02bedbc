"""Eigenvalues, eigenvectors and norms of J = diag(p) - p p^T.

The eigenvalues are 0 and one in each gap between sorted p: the roots of the sum of p_j / (p_j - x), from which the
trivial root 0 of the usual secular equation is divided out. Equal p are one pole of their common weight, and give their
own value once less than they are many. An element off the support gives 0.
"""

from typing import Any

import numpy as np

from softjac._arguments import NDArray
from softjac.operator import _core, _sums
from softjac.operator._roots import roots_between
from softjac.operator._rows import Rows


def logpdet(rows: Rows, weight: NDArray, damping: NDArray) -> Any:
    """Logarithm of the product of the eigenvalues of weight * J + damping * I that are not 0, shape batch.

    With t = damping / weight the determinant is weight^n times the product of p + t, times t (sum of p / (p + t)).
    Source: Sylvester's determinant identity; run by tests/test_operator_exact.py.
    """
    size = rows.size
    n = rows.n
    if n == 0:
        return np.zeros(rows.batch, rows.p.dtype)
    log_p = np.log(rows.p)
    k = rows.k[..., None]
    near_one = rows.q_k[..., None] < 0.5
    top = np.where(near_one, np.log1p(-rows.q_k[..., None]), np.take_along_axis(log_p, k, axis=-1))
    np.put_along_axis(log_p, k, top, axis=-1)
    hi, lo = _sums.total(rows.on_support(log_p))
    if rows.log_p is not None:
        from_p = np.isnan(rows.log_p)
        hi, lo = np.where(from_p, hi, rows.log_p), np.where(from_p, lo, 0.0)
    singular = np.where(size > 1, np.log(np.maximum(size, 1)) + hi + lo + (size - 1) * np.log(weight), 0.0)
    singular = np.where(weight > 0.0, singular, 0.0) + 0.0 * rows.q_k  # NaN for a row that holds one
    if not np.any(damping > 0.0):
        return singular
    with_weight = np.isfinite(damping / weight)
    weight = np.where(with_weight, weight, 1.0)
    t = (damping / weight)[..., None]
    p = np.where(with_weight[..., None] | np.isnan(rows.p), rows.p, 0.0)
    hi, lo = _sums.total(np.log(p + t))
    with_J = np.sum(p / (p + t), axis=-1)
    last = np.where(with_J > 0.0, np.log(damping) - np.log(weight) + np.log(with_J), 0.0)
    regular = hi + lo + last + n * np.log(weight)
    return np.where(damping > 0.0, regular, singular)


def frobenius(rows: Rows, weight: NDArray, damping: NDArray) -> Any:
    """Frobenius norm of weight * J + damping * I, shape batch. In units of q_k, so that no square is lost."""
    if rows.n == 0:
        return np.zeros(rows.batch, rows.p.dtype)
    k = rows.k[..., None]
    p_k, q_k = np.take_along_axis(rows.p, k, axis=-1), rows.q_k[..., None]
    unit = np.where(q_k > 0.0, q_k, 1.0)
    others = rows.p / unit
    np.put_along_axis(others, k, 0.0, axis=-1)
    others *= others
    together = np.sum(others, axis=-1, keepdims=True)
    q = rows.q
    beside = q * q + p_k * p_k + unit * unit * (together - others)  # of the other entries in a row but the one at k
    square = (p_k * (q_k / unit)) ** 2 + p_k * p_k * together + np.sum(others * beside, axis=-1, keepdims=True)
    of_J = weight * (unit * np.sqrt(square))[..., 0]
    if not np.any(damping > 0.0):
        return of_J
    trace = weight * np.sum(rows.on_support(rows.p * q), axis=-1)
    return np.hypot(of_J, np.sqrt(damping) * np.sqrt(2.0 * trace + damping * rows.n))


def largest(rows: Rows) -> Any:
    """The largest eigenvalue of J, shape batch: the root between the two largest p, or p where they tie."""
    return _core.rows_of("norm", _largest, rows, _core.ONE, _core.ZERO)


def _largest(rows: Rows, weight: NDArray, damping: NDArray, x: None) -> Any:
    del weight, damping, x
    result = np.zeros(rows.batch, rows.p.dtype)
    if rows.n < 2:
        return result + rows.q_k if rows.n else result
    together = max(1, _ELEMENTS // rows.n)
    p, k = rows.p.reshape(-1, rows.n), rows.k.reshape(-1)
    flat = result.reshape(-1)
    for start in range(0, len(k), together):
        block = slice(start, start + together)
        others = p[block].copy()
        np.put_along_axis(others, k[block, None], 0.0, axis=-1)
        second = np.max(others, axis=-1, keepdims=True)
        first = np.take_along_axis(p[block], k[block, None], axis=-1)
        flat[block] = np.where(second == 0.0, 0.0, first)[:, 0]
        to_find = np.flatnonzero((second < first) & (second > 0.0))
        if to_find.size:
            chosen = p[block][to_find]
            origin, offset = roots_between(chosen, chosen, second[to_find], first[to_find])
            flat[start + to_find] = (origin + offset)[:, 0]
    return np.where(np.isnan(rows.q_k), np.nan, result)


def eigenvalues(rows: Rows) -> NDArray:
    """Eigenvalues of J in ascending order, shape batch + (n,)."""
    values = np.zeros(rows.p.shape, rows.p.dtype)
    for index in np.ndindex(rows.batch):
        values[index] = _row_values(rows.p[index])
    return values


def eigenvectors(rows: Rows) -> tuple[NDArray, NDArray]:
    """Eigenvalues in ascending order, and eigenvectors as columns, shape batch + (n, n)."""
    values = np.zeros(rows.p.shape, rows.p.dtype)
    vectors = np.zeros((*rows.p.shape, rows.n), rows.p.dtype)
    for index in np.ndindex(rows.batch):
        values[index], vectors[index] = _row_vectors(rows.p[index])
    return values, vectors


_UP = 500  # powers of two that p is moved up by, so that gaps of subnormal p keep their digits
_ELEMENTS = 1 << 18  # of the arrays of poles by roots that are worked on together


class _Poles:
    """The different p of one row in ascending order, how many of each there are, and the roots between them."""

    def __init__(self, p: NDArray) -> None:
        self.at, self.member, self.count = np.unique(p[p > 0.0], return_inverse=True, return_counts=True)
        weight = self.at * self.count
        gaps = len(self.at) - 1
        self.origin, self.offset = np.zeros((2, max(gaps, 0)), p.dtype)
        together = max(1, _ELEMENTS // max(len(self.at), 1))
        for start in range(0, gaps, together):
            block = slice(start, min(start + together, gaps))
            left, right = self.at[:-1][block, None], self.at[1:][block, None]
            shape = (len(left), len(self.at))
            origin, offset = roots_between(np.broadcast_to(self.at, shape), weight, left, right)
            self.origin[block], self.offset[block] = origin[:, 0], offset[:, 0]

    @property
    def roots(self) -> Any:
        return self.origin + self.offset


def _row_values(p: NDArray) -> Any:
    if np.isnan(p).any():
        return np.full_like(p, np.nan)
    poles = _Poles(np.ldexp(p, _UP))
    repeated = np.repeat(poles.at, poles.count - 1)
    rest = np.zeros(len(p) - len(repeated) - len(poles.offset), p.dtype)
    return np.ldexp(np.sort(np.concat([rest, repeated, poles.roots])), -_UP)


def _row_vectors(p: NDArray) -> tuple[NDArray, NDArray]:
    """Eigenvectors by Gu and Eisenstat: those of the matrix of this form that has the computed roots exactly.

    With d the poles, that matrix is diag(d) - y y^T with y_j^2 = product of d_j - roots / product of d_j - other d,
    the root 0 included, and its vectors are y_j / (d_j - root): orthogonal to rounding, however close the poles are.
    Source: Gu and Eisenstat 1994, A stable and efficient algorithm for the rank-one modification of the symmetric
    eigenproblem.
    """
    n = len(p)
    if np.isnan(p).any():
        return np.full_like(p, np.nan), np.full((n, n), np.nan, p.dtype)
    poles, support = _Poles(np.ldexp(p, _UP)), np.flatnonzero(p > 0.0)
    d, m = poles.at, len(poles.at)
    columns, values = [], []
    for off in np.flatnonzero(p == 0.0):
        columns.append(np.zeros(n, p.dtype))
        columns[-1][off] = 1.0
        values.append(0.0)
    if len(support):
        columns.append(np.where(p > 0.0, 1.0 / np.sqrt(p.dtype.type(len(support))), 0.0))
        values.append(0.0)
    for group in np.flatnonzero(poles.count > 1):
        members = support[poles.member == group]
        for j in range(1, len(members)):  # contrasts of each element with those before it
            contrast = np.zeros(n, p.dtype)
            contrast[members[:j]] = 1.0
            contrast[members[j]] = -j
            columns.append(contrast / np.sqrt(p.dtype.type(j * (j + 1))))
            values.append(d[group])
    if m > 1:
        to_root = (d[:, None] - poles.origin) - poles.offset  # d_j - root, to the last digit
        to_pole = d[:, None] - d
        other = np.arange(m)[:, None]
        gap = np.arange(m - 1)
        ratio = to_root / np.take_along_axis(to_pole, np.where(gap < other, gap, gap + 1), axis=1)
        y = np.sqrt(d) * np.sqrt(np.prod(ratio, axis=1))
        spread = (y[:, None] / to_root) / np.sqrt(poles.count)[:, None]
        vectors = np.zeros((n, m - 1), p.dtype)
        vectors[support] = spread[poles.member]
        largest_of = np.max(np.abs(vectors), axis=0)
        vectors /= largest_of
        vectors /= np.sqrt(np.sum(vectors * vectors, axis=0))
        columns += list(vectors.T)
        values += list(poles.roots)
    order = np.argsort(np.array(values, p.dtype), kind="stable")
    return np.ldexp(np.array(values, p.dtype)[order], -_UP), np.array(columns, p.dtype).reshape(n, n)[order].T
