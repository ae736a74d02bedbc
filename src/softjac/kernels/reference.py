"""The readable definition of every quantity, in array-API operations.

Each function takes an `Arithmetic`, then arrays of one shape (..., n) in its dtype, last `part`, a boolean array of
that shape: which elements take part (the others are masked out). The class axis is the last and n >= 1. Nothing here
looks at a value to decide what to do next, so a framework can trace, differentiate and batch all of it.

Notation: z logits, k first index of the maximum, m = z_k, e_j = exp(z_j - m), R = sum of e_j over j != k, S = 1 + R.
"""

import math
from dataclasses import dataclass
from typing import Any

from softjac.kernels._arithmetic import Arithmetic, Array, Pair


@dataclass(frozen=True, eq=False, repr=False)
class RowState:
    """What one pass over a row of logits leaves, with the odd rows already sorted out.

    active: the elements with p > 0, or p = NaN: not masked out and above -inf; in a row with +inf only these; in a
    row of which nothing is known (a NaN, or nothing but -inf) all that take part.
    at_k: the element k. m, R: shape (..., 1). d = m - z, e: shape (..., n); e, R and S carry the arithmetic's `scale`.
    An element that is not active has d = 0 and e = 0. Rows without a limit have NaN in m, d, e and R.
    odd: rows whose log-sum-exp is not m + log1p(R), but odd_log_sum_exp, +inf or -inf.
    """

    active: Array
    at_k: Array
    m: Array
    d: Pair
    e: Pair
    R: Pair
    odd: Array
    odd_log_sum_exp: Array

    def total(self, a: Arithmetic) -> Pair:
        """S = 1 + R."""
        return a.add((a.xp.full_like(self.m, a.scale), 0.0), self.R)

    def log_total(self, a: Arithmetic) -> Pair:
        """Log of S, log1p(R)."""
        return a.log1p(_unscaled(a, self.R))


def row_state(a: Arithmetic, z: Array, part: Array) -> RowState:
    """Reduce rows of logits to their state.

    Source: run by tests/test_reference.py::test_formulas and ::test_odd_rows.
    """
    xp = a.xp
    has_nan = _any(xp, part & xp.isnan(z))
    at_top = part & (z == xp.inf)
    has_top = _any(xp, at_top) & ~has_nan
    several_tops = xp.sum(xp.astype(at_top, a.dtype), axis=-1, keepdims=True) > 1.5
    only_minus_inf = ~_any(xp, part & (z != -xp.inf))
    no_limit = has_nan | (only_minus_inf & _any(xp, part))
    active = part & xp.where(has_top, at_top, (z > -xp.inf) | no_limit)

    # What is not finite leaves the arithmetic here: +inf counts as 0 beside nothing, and rows without a limit get NaN.
    x = xp.where(active & xp.isfinite(z), z, 0.0)
    x = xp.where(no_limit | (has_top & several_tops), x + xp.nan, x)

    k = xp.argmax(xp.where(active, x, -xp.inf), axis=-1, keepdims=True)
    m = xp.take_along_axis(x, k, axis=-1)
    at_k = a.positions(z.shape[-1]) == k
    d = a.difference(m, xp.where(active, x, m))
    e = a.keep(active, a.exp_scaled((-d[0], -d[1])))
    R = a.sum(a.keep(~at_k, e))
    odd = has_top | (only_minus_inf & ~has_nan)
    top = xp.sum(xp.where(at_top, z, 0.0), axis=-1, keepdims=True)  # +inf, and for autodiff it is z
    lse = xp.where(has_top, top, -xp.inf)
    return RowState(active, at_k, m, d, e, R, odd, lse)


def softmax(a: Arithmetic, z: Array, part: Array) -> Array:
    """Probabilities p_j = e_j / S."""
    state = row_state(a, z, part)
    return a.xp.where(state.active, a.unscale(probabilities(a, state)), 0.0)


def softmax_complement(a: Arithmetic, z: Array, part: Array) -> Array:
    """Complements q = 1 - p: (R + (1 - e_j)) / S, which is R / S at the maximum."""
    state = row_state(a, z, part)
    return a.xp.where(state.active, a.unscale(complements(a, state)), 1.0)


def log_softmax(a: Arithmetic, z: Array, part: Array) -> Array:
    """Log-probabilities -(d_j + log1p(R))."""
    state = row_state(a, z, part)
    log_p = 0.0 - a.round(a.add(state.d, state.log_total(a)))  # 0.0 - x: a certain element gets 0.0, not -0.0
    return a.xp.where(state.active, log_p, -a.xp.inf)


def logsumexp(a: Arithmetic, z: Array, part: Array) -> Array:
    """Log of the sum of exponentials, m + log1p(R). Shape (...)."""
    state = row_state(a, z, part)
    lse = a.round(a.add((state.m, 0.0), state.log_total(a)))
    return a.xp.where(state.odd, state.odd_log_sum_exp, lse)[..., 0]


def logsumexp_weighted(a: Arithmetic, z: Array, b: Array, part: Array) -> Array:
    """Log of sum of b_j exp(z_j) = m + log T, with T = sum of b_j e_j. Shape (...).

    Where T is near 1, log T = log1p(T - 1) with T - 1 = (b_k - 1) + the others, so nothing is lost as T passes 1.
    An element of weight 0 takes no part. A negative T gives NaN, T = 0 gives -inf. Weights that differ so much that
    the largest term may not be at the largest logit give their powers of two to the logits, see `_balanced`.
    """
    xp = a.xp
    part = part & (b != 0.0)
    z, z_lo, balanced = _balanced(a, z, b, part)
    state = row_state(a, z, part)
    m_lo = xp.sum(xp.where(state.at_k, z_lo, 0.0), axis=-1, keepdims=True)
    # An infinite logit or weight decides alone; both signs at once, or exp(-inf) times an infinite weight, do not.
    endless = part & ((z == xp.inf) | xp.isinf(b))
    up, down = _any(xp, endless & (b > 0.0)), _any(xp, endless & (b < 0.0))
    no_limit = _any(xp, part & (xp.isnan(b) | xp.isnan(z) | (xp.isinf(b) & (z == -xp.inf))))

    # Where weights are so large that T might overflow, they are taken times a power of two.
    weights = xp.where(state.active & xp.isfinite(b) & ~endless, balanced, 0.0)
    factor = 2.0**-24
    large = _any(xp, xp.abs(weights) > a.finfo.max * factor / a.scale)
    weights = xp.where(large, weights * (factor / a.scale), weights)
    scaled = a.sum(a.multiply(state.e, (weights, weights * (z_lo - m_lo))))  # e^x is 1 + x for an x that small
    scaled = xp.where(xp.isnan(scaled[0]), 0.0, scaled[0]), scaled[1]  # rows without a limit get theirs below
    back = xp.where(large, xp.full_like(state.m, 1.0 / factor), 1.0 / a.scale)
    T = scaled[0] * back, scaled[1] * back

    excess = a.round(a.add(T, (-xp.ones_like(state.m), 0.0)))
    near, over = (T[0] > 0.5) & (T[0] < 2.0), xp.isinf(T[0])
    far = xp.where(over, scaled[0], xp.where(near | (T[0] == 0.0), 1.0, T[0]))
    log_T = xp.where(near, xp.log1p(xp.where(near, excess, 0.0)), xp.log(far))
    log_T = xp.where(over, log_T - math.log(factor), log_T)
    lse = a.round(a.add((state.m, m_lo), (log_T, xp.where(near | over, 0.0, T[1] / far))))
    lse = xp.where(T[0] == 0.0, -xp.inf, lse)
    lse = xp.where(up, xp.inf, lse)
    return xp.where(no_limit | down, xp.nan, lse)[..., 0]


def _balanced(a: Arithmetic, z: Array, b: Array, part: Array) -> tuple[Array, Array, Array]:
    """Logits (hi, lo) and weights with the same terms: z + s ln 2 and b / 2^s, s a multiple of 64.

    s is 0 in rows whose weights differ by less than the square of the dtype's digits.
    """
    xp = a.xp
    counts = part & xp.isfinite(b) & xp.isfinite(z)
    digits = xp.log2(xp.abs(xp.where(counts, b, 1.0)))
    largest = xp.max(xp.where(counts, digits, -xp.inf), axis=-1, keepdims=True)
    smallest = xp.min(xp.where(counts, digits, xp.inf), axis=-1, keepdims=True)
    far_apart = largest - smallest > -2.0 * math.log2(a.finfo.eps)
    s = xp.where(counts & far_apart, xp.round(digits / 64.0) * 64.0, 0.0)
    half = 2.0 ** (s * -0.5)  # 2^-s itself may be infinite
    hi, lo = a.add((xp.where(counts, z, 0.0), 0.0), a.log_of_power(s))
    return xp.where(counts, hi, z), xp.where(counts, lo, 0.0), xp.where(counts, b, 0.0) * half * half


def softmax_jacobian(a: Arithmetic, z: Array, part: Array) -> Array:
    """Jacobian J_ii = p_i q_i, J_ij = -p_i p_j. Shape (..., n, n)."""
    xp = a.xp
    state = row_state(a, z, part)
    p, q = probabilities(a, state), complements(a, state)
    diagonal = a.unscale(a.multiply(p, q), 2)
    product = a.unscale(a.multiply(_as_row(p), _as_column(p)), 2)
    classes = a.positions(z.shape[-1])
    on_diagonal = classes[:, None] == classes
    active = state.active[..., :, None] & state.active[..., None, :]
    return xp.where(active, xp.where(on_diagonal, diagonal[..., None, :], -product), 0.0)


def softmax_jvp(a: Arithmetic, z: Array, tangent: Array, part: Array) -> Array:
    """Product of the Jacobian with a vector, p_i (w_i - wbar), where w = v - v_k and wbar is the mean of w under p.

    The Jacobian is symmetric, so this serves the product from the left as well.
    """
    return _jvp(a, distribution(a, row_state(a, z, part), part), tangent)


def softmax_jvp_probs(a: Arithmetic, probs: Array, tangent: Array, part: Array) -> Array:
    """`softmax_jvp` from probabilities; those above 0 take part."""
    return _jvp(a, _given(a, probs, part), tangent)


def log_softmax_jvp(a: Arithmetic, z: Array, tangent: Array, part: Array) -> Array:
    """Derivative of the log-probabilities along a vector, w_i - wbar, and 0 where z = -inf."""
    at = distribution(a, row_state(a, z, part), part)
    (v,) = Tangent.together(a, at, tangent)
    w, wbar = _centred(a, at, v.scaled)
    return v.limit(v.unscale(w - wbar))


def log_softmax_vjp(a: Arithmetic, z: Array, cotangent: Array, part: Array) -> Array:
    """Product of a vector with the derivative of the log-probabilities, g_i - p_i G, where G is the sum of g.

    At the maximum that cancels; it is q_k g_k - p_k (sum of the others) there.
    """
    state = row_state(a, z, part)
    return _log_vjp(a, distribution(a, state, part), a.unscale(complements(a, state)), cotangent)


def log_softmax_vjp_probs(a: Arithmetic, probs: Array, cotangent: Array, part: Array) -> Array:
    """`log_softmax_vjp` from probabilities; those above 0 take part. q_k is the sum of the other probabilities."""
    at = _given(a, probs, part)
    return _log_vjp(a, at, a.round(a.sum((a.xp.where(at.at_k, 0.0, at.p), 0.0))), cotangent)


def softmax_second_derivative(a: Arithmetic, z: Array, u: Array, v: Array, part: Array) -> Array:
    """Second derivative of softmax applied to u and v: p (c - E[c]) with c = (u - ubar)(v - vbar), means under p."""
    xp = a.xp
    at = distribution(a, row_state(a, z, part), part)
    first, second = Tangent.together(a, at, u, v)
    wu, ubar = _centred(a, at, first.scaled)
    wv, vbar = _centred(a, at, second.scaled)
    c = (wu - ubar) * (wv - vbar)
    mean = a.round(a.sum((at.p * c, 0.0)))
    result = second.unscale(first.unscale(at.p * (c - mean)))
    infinite = _any(xp, first.infinite | second.infinite) & ~at.alone(xp)
    result = xp.where(at.active, xp.where(infinite, xp.nan, result), 0.0)
    return xp.where(part & (first.has_nan | second.has_nan), xp.nan, result)


@dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """Probabilities of rows: which elements take part, which of them have p > 0 (`active`), and the largest."""

    p: Array
    part: Array
    active: Array
    at_k: Array

    def alone(self, xp: Any) -> Array:
        """Rows of at most one active element: they do not move, whatever the tangent."""
        return ~_any(xp, self.active & ~self.at_k)


class Tangent:
    """A vector that a derivative is applied to, with its odd values sorted out.

    scaled: finite, 0 where nothing takes part, and times a power of two in rows whose sums or products might overflow.
    infinite: infinite elements with p > 0. has_nan: rows with a NaN that takes part.
    """

    def __init__(self, a: Arithmetic, v: Array, at: Distribution) -> None:
        xp = a.xp
        self._xp, self._v, self._at, self._factor = xp, v, at, 1.0
        self.infinite = at.active & xp.isinf(v)
        self.has_nan = _any(xp, at.part & xp.isnan(v))
        self.scaled = xp.where(at.active & xp.isfinite(v), v, 0.0)

    @classmethod
    def together(cls, a: Arithmetic, at: Distribution, *vectors: Array) -> "list[Tangent]":
        """Vectors that a derivative is applied to at once, as small as their product has to be."""
        tangents = [cls(a, v, at) for v in vectors]
        largest = [a.xp.max(a.xp.abs(tangent.scaled), axis=-1, keepdims=True) for tangent in tangents]
        for tangent, factor in zip(tangents, a.shrink(*largest), strict=True):
            tangent._factor = factor
            tangent.scaled = tangent.scaled * factor
        return tangents

    def unscale(self, x: Array) -> Array:
        """Undo the scaling in a result that is linear in the vector."""
        return x / self._factor

    def limit(self, result: Array) -> Array:
        """The result for finite vectors, or the limit where the vector has infinite elements.

        One infinite element v_s moves to the side of its sign, and all others with p > 0 to the other side (unless it
        is alone: then nothing moves). Several of one sign move the others so, and among themselves there is no limit;
        with both signs there is none anywhere. A NaN makes its row NaN.
        """
        xp, at, hit = self._xp, self._at, self.infinite
        up, down = _any(xp, hit & (self._v > 0.0)), _any(xp, hit & (self._v < 0.0))
        one = xp.sum(xp.astype(hit, at.p.dtype), axis=-1, keepdims=True) < 1.5
        zero = xp.zeros_like(at.p)
        others = xp.where(up, xp.where(down, zero + xp.nan, zero - xp.inf), zero + xp.inf)
        at_hit = xp.where(one, xp.where(at.alone(xp), zero, self._v), zero + xp.nan)
        result = xp.where((up | down) & ~xp.isnan(at.p), xp.where(hit, at_hit, others), result)
        result = xp.where(at.active, result, 0.0)
        return xp.where(at.part & self.has_nan, xp.nan, result)


def _jvp(a: Arithmetic, at: Distribution, tangent: Array) -> Array:
    (v,) = Tangent.together(a, at, tangent)
    w, wbar = _centred(a, at, v.scaled)
    return v.limit(v.unscale(at.p * (w - wbar)))


def _log_vjp(a: Arithmetic, at: Distribution, q: Array, cotangent: Array) -> Array:
    """Q: the complement of p, of which only that of the maximum is read."""
    xp = a.xp
    (g,) = Tangent.together(a, at, cotangent)
    others = a.round(a.sum((xp.where(at.at_k, 0.0, g.scaled), 0.0)))
    total = others + xp.sum(xp.where(at.at_k, g.scaled, 0.0), axis=-1, keepdims=True)
    return g.limit(g.unscale(xp.where(at.at_k, q * g.scaled - at.p * others, g.scaled - at.p * total)))


def _centred(a: Arithmetic, at: Distribution, v: Array) -> Pair:
    """W = v - v_k, so that a large offset in v costs nothing, and its mean under p."""
    xp = a.xp
    w = v - xp.sum(xp.where(at.at_k, v, 0.0), axis=-1, keepdims=True)
    return w, a.round(a.sum((at.p * w, 0.0)))


def distribution(a: Arithmetic, state: RowState, part: Array) -> Distribution:
    """The probabilities of a row, as derivatives are taken at."""
    return Distribution(a.unscale(probabilities(a, state)), part, state.active, state.at_k)


def _given(a: Arithmetic, probs: Array, part: Array) -> Distribution:
    """Probabilities that somebody kept. What is not finite makes its row NaN."""
    xp = a.xp
    bad = _any(xp, part & ~xp.isfinite(probs))
    active = part & ((probs != 0.0) | bad)
    p = xp.where(active, xp.where(bad, xp.nan, probs), 0.0)
    k = xp.argmax(p, axis=-1, keepdims=True)
    return Distribution(p, part, active, a.positions(p.shape[-1]) == k)


def probabilities(a: Arithmetic, state: RowState) -> Pair:
    """The p with the arithmetic's scale: so they keep their low parts."""
    return a.divide(state.e, _unscaled(a, state.total(a)))


def complements(a: Arithmetic, state: RowState) -> Pair:
    """(R + (1 - e_j)) / S, with the arithmetic's scale.

    At the maximum 1 - e is 0, which leaves R / S; elsewhere R holds e_j, so nothing cancels.
    """
    rest = a.add((a.xp.full_like(state.e[0], a.scale), 0.0), (-state.e[0], -state.e[1]))
    return a.divide(a.add(state.R, rest), _unscaled(a, state.total(a)))


def _unscaled(a: Arithmetic, x: Pair) -> Pair:
    return x[0] / a.scale, x[1] / a.scale


def _as_row(x: Pair) -> Pair:
    return x[0][..., None, :], x[1] if isinstance(x[1], float) else x[1][..., None, :]


def _as_column(x: Pair) -> Pair:
    return x[0][..., :, None], x[1] if isinstance(x[1], float) else x[1][..., :, None]


def _any(xp: Any, condition: Array) -> Array:
    return xp.any(condition, axis=-1, keepdims=True)
