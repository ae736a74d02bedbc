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
    return np.where(damping > 0.0, _damped_logdet(rows, weight, damping), singular)


def _damped_logdet(rows: Rows, weight: NDArray, damping: NDArray) -> Any:
    """Sum over j != k of log(w p_j + t), and log(t + sum over j != k of w p_j (p_k - p_j) t / (w p_j + t)).

    w: weight. t: damping. k: where the largest p is. All that is added up is positive, and t + what is added to it is
    carried as hi + lo, so that determinants close to 1 keep the digits of their logarithm.
    """
    unit = np.where(np.isinf(weight + damping), rows.p.dtype.type(0.25), rows.p.dtype.type(1.0))
    w, t = (unit * weight)[..., None], (unit * damping)[..., None]
    wp, p_k = w * rows.p, rows.at_k(rows.p)
    k = rows.k[..., None]
    factor, lost = _sums.two_sum(wp, t)
    terms = wp * (p_k - rows.p) * (t / factor)
    np.put_along_axis(terms, np.broadcast_to(k, (*terms.shape[:-1], 1)), 0.0, axis=-1)
    last, last_lost = _sums.two_sum(np.sum(terms, axis=-1, keepdims=True), t)
    at = np.broadcast_to(k, (*factor.shape[:-1], 1))
    np.put_along_axis(factor, at, last, axis=-1)
    np.put_along_axis(lost, at, last_lost, axis=-1)
    lost /= factor
    # Powers of two are added up by themselves: large logarithms of both signs would hide what is left of them.
    mantissa, exponent = np.frexp(factor)
    low = mantissa < np.sqrt(0.5)
    mantissa, exponent = np.where(low, 2.0 * mantissa, mantissa), exponent - low
    hi, lo = _sums.total(np.concat([np.log(mantissa), lost], axis=-1))
    twos = np.sum(exponent, axis=-1) - rows.n * (np.frexp(unit)[1] - 1)
    return _sums.total(np.stack([hi, lo, twos * _LN2[0], twos * rows.p.dtype.type(_LN2[1])], axis=-1))[0]


# log(2) as hi + lo: hi has 32 bits, so that it times a count of powers is exact. lo: mpmath.log(2) - hi, at 200 bits.
_LN2 = (float.fromhex("0x1.62e42feep-1"), 1.908214929270587816e-10)


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
            chosen = others[to_find]
            chosen[np.arange(len(to_find)), k[block][to_find]] = chosen[:, -1]  # the largest goes to the end
            chosen[:, -1:] = first[to_find]
            origin, offset = roots_between(chosen, chosen, second[to_find], first[to_find])
            flat[start + to_find] = (origin + offset)[:, 0]
    return np.where(np.isnan(rows.q_k), np.nan, result)


def eigenvalues(rows: Rows) -> NDArray:
    """Eigenvalues of J in ascending order, shape batch + (n,)."""
    if rows.p.size == 0:
        return rows.p.copy()
    p = rows.p.reshape(-1, rows.n)
    values = np.full(p.shape, np.nan, p.dtype)
    whole = np.flatnonzero(~np.isnan(p).any(axis=-1))
    values[whole] = _values(*_roots(np.ldexp(np.sort(p[whole], axis=-1), _UP)))
    return values.reshape(rows.p.shape)


def eigenvectors(rows: Rows) -> tuple[NDArray, NDArray]:
    """Eigenvalues in ascending order, and eigenvectors as columns, shape batch + (n, n)."""
    n = rows.n
    if rows.p.size == 0:
        return rows.p.copy(), np.zeros((*rows.p.shape, n), rows.p.dtype)
    p = rows.p.reshape(-1, n)
    values, vectors = np.full(p.shape, np.nan, p.dtype), np.full((*p.shape, n), np.nan, p.dtype)
    whole = np.flatnonzero(~np.isnan(p).any(axis=-1))
    order = np.argsort(p[whole], axis=-1, kind="stable")
    d = np.ldexp(np.take_along_axis(p[whole], order, axis=-1), _UP)
    origin, offset = _roots(d)
    values[whole] = _values(origin, offset)
    # Rows with equal p, and with zeros, in the same places of the sorted row have vectors of the same form.
    starts = np.concat([d[:, :1] >= 0.0, d[:, 1:] != d[:, :-1]], axis=-1)
    forms, form_of = np.unique(np.concat([d[:, :1] == 0.0, starts], axis=-1), axis=0, return_inverse=True)
    together = max(1, _ELEMENTS // max(n * n, 1))
    for number in range(len(forms)):
        same = np.flatnonzero(form_of.reshape(-1) == number)
        for start in range(0, len(same), together):
            block = same[start : start + together]
            of_sorted = _vectors(d[block], origin[block], offset[block])
            vectors[whole[block][:, None], order[block]] = of_sorted
    return values.reshape(rows.p.shape), vectors.reshape((*rows.p.shape, n))


_UP = 500  # powers of two that p is moved up by, so that gaps of subnormal p keep their digits
_ELEMENTS = 1 << 15  # of the arrays of poles by roots that are worked on together


def _roots(d: NDArray) -> tuple[NDArray, NDArray]:
    """The eigenvalues but the one that is always 0, one for each two neighbours of sorted rows: pole and offset."""
    rows, n = d.shape
    origin, offset = np.zeros((2, rows, max(n - 1, 0)), d.dtype)
    if n < 2:
        return origin, offset
    left, right = d[:, :-1], d[:, 1:]
    origin[...] = left  # equal p are an eigenvalue themselves; and beside a p of 0 it is 0
    row_of, gap_of = np.nonzero((left > 0.0) & (left < right))
    together = max(1, _ELEMENTS // n)
    for start in range(0, len(row_of), together):
        row, gap = row_of[start : start + together], gap_of[start : start + together]
        poles = d[row]
        at, by = roots_between(poles, poles, left[row, gap][:, None], right[row, gap][:, None])
        origin[row, gap], offset[row, gap] = at[:, 0], by[:, 0]
    return origin, offset


def _values(origin: NDArray, offset: NDArray) -> Any:
    """All eigenvalues of rows, in ascending order, from what _roots says of the rows moved up."""
    rows, gaps = origin.shape
    values = np.zeros((rows, gaps + 1), origin.dtype)
    values[:, 1:] = np.ldexp(origin + offset, -_UP)
    return values


def _vectors(d: NDArray, origin: NDArray, offset: NDArray) -> NDArray:
    """Eigenvectors by Gu and Eisenstat: those of the matrix of this form that has the computed roots exactly.

    For sorted rows with their zeros and their equal elements in the same places. With d the poles, that matrix is
    diag(d) - y y^T with y_j^2 = product of d_j - roots / product of d_j - other d, the root 0 included, and its vectors
    are y_j / (d_j - root): orthogonal to rounding, however close the poles are.
    Source: Gu and Eisenstat 1994, A stable and efficient algorithm for the rank-one modification of the symmetric
    eigenproblem.
    """
    rows, n = d.shape
    vectors = np.zeros((rows, n, n), d.dtype)
    if rows == 0 or n == 0:
        return vectors
    number = d.dtype.type
    zeros = int(np.count_nonzero(d[0] == 0.0))
    vectors[:, np.arange(zeros), np.arange(zeros)] = 1.0
    if zeros == n:
        return vectors
    vectors[:, zeros:, zeros] = 1.0 / np.sqrt(number(n - zeros))
    starts = np.flatnonzero(np.concat([[True], d[0, 1:] != d[0, :-1]]))
    starts = starts[starts >= zeros]
    ends = np.append(starts[1:], n)
    for start, end in zip(starts, ends, strict=True):
        for j in range(1, end - start):  # contrasts of each element with those before it
            root = np.sqrt(number(j * (j + 1)))
            vectors[:, start : start + j, start + j] = 1.0 / root
            vectors[:, start + j, start + j] = -j / root
    count, m = ends - starts, len(starts)
    if m > 1:
        poles, gaps = d[:, starts, None], starts[1:] - 1
        to_root = (poles - origin[:, None, gaps]) - offset[:, None, gaps]  # d_j - root, to the last digit
        other, gap = np.arange(m)[:, None], np.arange(m - 1)
        to_pole = poles - d[:, starts[np.where(gap < other, gap, gap + 1)]]
        y = np.sqrt(poles[..., 0]) * np.sqrt(np.prod(to_root / to_pole, axis=-1))
        spread = (y[..., None] / to_root) / np.sqrt(count.astype(d.dtype))[:, None]
        spread /= np.max(np.abs(spread), axis=1, keepdims=True)
        spread /= np.sqrt(np.sum(count.astype(d.dtype)[:, None] * (spread * spread), axis=1, keepdims=True))
        vectors[:, zeros:, gaps + 1] = np.repeat(spread, count, axis=1)
    return vectors
