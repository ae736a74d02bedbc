"""The readable definition of cross-entropy, its gradient and its Hessian, in the notation of `reference`.

Of a row: t_j are the effective targets, T their sum, zeta the factor of lse^2, omega what the row counts, and C what it
counts in the result.

    loss      omega (sum of t_j d_j + T log1p(R) + zeta lse^2)
    gradient  C ((T + 2 zeta lse) p_j - t_j), and at k C ((sum of the other t) - T q_k + 2 zeta lse p_k)
    product   p_i (alpha (w_i - wbar) + beta (v_k + wbar)), with w = v - v_k and wbar its mean under p

Source: log p_j = -(d_j + log1p(R)); the gradient and the Hessian alpha J + beta p p^T, alpha = C (T + 2 zeta lse) and
beta = 2 C zeta, are its derivatives. Run by tests/test_cross_entropy_derivatives.py.
"""

from typing import Any

from softjac.kernels._arithmetic import Arithmetic, Array, Pair
from softjac.kernels.reference import (
    RowState,
    Tangent,
    complements,
    distribution,
    probabilities,
    row_state,
)


class Targets:
    """Effective targets of rows, with a power of two in rows where their sum might overflow.

    t: shape (..., n), 0 on what is masked out. T: their sum, shape (..., 1). factors: powers of two, to divide by.
    """

    def __init__(self, t: Pair, T: Pair, factors: tuple[Array, ...]) -> None:
        self.t, self.T, self.factors = t, T, factors

    @classmethod
    def of(cls, a: Arithmetic, y: Array, part: Array, weight: Array | None, label_smoothing: float) -> "Targets":
        """w_j (y_j (1 - eps) + eps / K), with K the number of classes that take part."""
        xp = a.xp
        y = xp.where(part, y, 0.0)
        factor = _down(xp, xp.max(y, axis=-1, keepdims=True))
        factors = [factor]
        t: Pair = y * factor, 0.0 * y
        if label_smoothing:
            one, eps = xp.full_like(factor, 1.0), xp.full_like(factor, label_smoothing)
            K = xp.sum(xp.astype(part, a.dtype), axis=-1, keepdims=True)
            share = a.divide((eps, 0.0 * eps), (xp.where(K > 0.0, K, 1.0), 0.0 * K))
            share = share[0] * factor, share[1] * factor
            t = a.add(a.multiply(t, a.two_sum(one, -eps)), share)
        if weight is not None:
            down = _down(xp, xp.max(weight, axis=-1, keepdims=True))
            t = a.multiply(t, (weight * down, 0.0 * weight))
            factors.append(down)
        t = a.keep(part, t)
        return cls(t, a.sum(t), tuple(factors))

    def up(self, x: Array) -> Array:
        """A result without the powers of two."""
        for factor in self.factors:
            x = x / factor
        return x

    def down(self, x: Array) -> Array:
        """A term that goes with targets, with the powers of two."""
        for factor in self.factors:
            x = x * factor
        return x


def _down(xp: Any, size: Array) -> Array:
    """What targets, weights and factors of that size are multiplied by, for their products not to overflow."""
    return xp.where(size > 2.0**400, 2.0**-600, xp.full_like(size, 1.0))


def losses(a: Arithmetic, state: RowState, part: Array, targets: Targets, z_loss: float, omega: Array) -> Pair:
    """Losses of rows times omega, shape (..., 1), not negative.

    Where the target has an element with p = 0 the loss is +inf. Several +inf have no limit among each other: NaN, if
    there is a target on them. A row of which nothing is known is NaN, whatever its targets.
    """
    xp = a.xp
    t, T = targets.t, targets.T
    has_target = t[0] > 0.0
    term = a.multiply(t, state.d)
    beyond = _any(xp, has_target & part & (~state.active | xp.isinf(term[0])))
    spread = a.sum(a.keep(has_target & state.active & xp.isfinite(term[0]), term))
    log_S = state.log_total(a)
    top, several, unknown = _odd(a, state)
    beside: Pair = 0.0 * state.m, 0.0 * state.m
    if z_loss:
        lse = a.keep(~top, a.add((state.m, 0.0 * state.m), log_S))
        beside = a.multiply(a.multiply((xp.full_like(state.m, z_loss), 0.0 * state.m), lse), lse)
    loss = a.add(spread, a.multiply(T, log_S))
    loss = targets.up(loss[0]), targets.up(loss[1])
    loss, times = a.add(loss, beside), (omega, 0.0 * omega)
    if a.scale == 1.0:
        loss = a.multiply(loss, times)
    else:
        # What is subnormal is rounded once, at the end: log1p(R) is R there.
        low = (loss[0] < _LOW) & (state.R[0] < a.scale * _LOW)
        scaled = a.add((spread[0] * a.scale, spread[1] * a.scale), a.multiply(T, state.R))
        scaled = a.add((targets.up(scaled[0]), targets.up(scaled[1])), (beside[0] * a.scale, beside[1] * a.scale))
        scaled = a.multiply(a.keep(low, scaled), times)
        loss = a.multiply(loss, times)
        loss = xp.where(low, a.unscale(scaled), loss[0]), xp.where(low, 0.0, loss[1])
    on_top = _any(xp, has_target & state.active)
    hi = xp.where(beyond | (top & (z_loss > 0.0)), xp.inf, xp.where(top & ~several, 0.0, loss[0]))
    endless = xp.where(on_top, xp.nan, xp.where((T[0] > 0.0) | (z_loss > 0.0), xp.inf, xp.zeros_like(state.m)))
    hi = xp.where(several, endless, hi)
    hi = xp.where(unknown, xp.nan, hi)
    return hi, xp.where(xp.isfinite(hi) & xp.isfinite(loss[1]), loss[1], 0.0)


_LOW = 2.0**-900  # below it, products lose their low parts


def gradient(a: Arithmetic, state: RowState, part: Array, targets: Targets, z_loss: float, C: Pair) -> Array:
    """Derivatives of C times the loss, shape (..., n); 0 on what is masked out."""
    xp = a.xp
    t, T = targets.t, targets.T
    top, several, _ = _odd(a, state)
    p = a.keep(state.active, probabilities(a, state))
    q = a.keep(state.active, complements(a, state))
    others = a.sum(a.keep(~state.at_k, t))
    scaled_t, scaled_others = (
        (x[0] * a.scale, x[1] * a.scale) for x in (t, (others[0] + 0.0 * t[0], others[1] + 0.0 * t[0]))
    )
    g = _choose(
        a,
        state.at_k & state.active,
        a.add(scaled_others, _negative(a.multiply(T, q))),
        a.add(a.multiply(T, p), _negative(scaled_t)),
    )
    if z_loss:
        lse = a.keep(~top, a.add((state.m, 0.0 * state.m), state.log_total(a)))
        slope = a.multiply(lse, (targets.down(xp.full_like(state.m, 2.0 * z_loss)), xp.zeros_like(state.m)))
        small = _down(xp, xp.abs(slope[0]))  # 2^128 p times it might overflow
        g = a.add((g[0] * small, g[1] * small), a.multiply((slope[0] * small, slope[1] * small), p))
    down = _down(xp, C[0])
    result = targets.up(a.unscale(a.multiply(g, (C[0] * down, C[1] * down)))) / down
    if z_loss:
        result = result / small
        result = xp.where(top & state.active & ~several, xp.inf, result)
    nothing = several & (T[0] == 0.0) & (z_loss == 0.0)
    return xp.where(part & ~nothing, result + 0.0, 0.0)  # + 0.0: no -0


def hessian_product(a: Arithmetic, z: Array, v: Array, part: Array, alpha: Array, z_scale: Array) -> Array:
    """Products of the Hessians of rows with vectors, for alpha without its part 2 C zeta lse and z_scale = 2 C zeta.

    An infinite tangent: the limits of `softmax_jvp`; with beta, those of p_i p_a (beta - slope) v_a for all v_a that
    are infinite, and of p_i (slope q_i + beta p_i) v_i, where slope = alpha + beta lse.
    """
    xp = a.xp
    state = row_state(a, z, part)
    at = distribution(a, state, part)
    p = a.keep(state.active, probabilities(a, state))
    p = p[0] / a.scale, p[1] / a.scale
    (tangent,) = Tangent.together(a, at, v)
    v_k = xp.sum(xp.where(at.at_k, tangent.scaled, 0.0), axis=-1, keepdims=True)
    w = a.difference(tangent.scaled, v_k)
    w = w[0], w[1] + 0.0 * w[0]
    wbar = a.sum(a.multiply(p, w))
    zero = 0.0 * state.m
    has_z = z_scale != 0.0
    top, several, _ = _odd(a, state)
    lse = a.keep(~top, a.add((state.m, zero), state.log_total(a)))
    slope = a.add((alpha, 0.0 * alpha), a.keep(has_z, a.multiply(lse, (z_scale, 0.0 * z_scale))))
    moved = a.multiply(slope, a.add(w, _negative(wbar)))
    mean = a.add((v_k, 0.0 * v_k), wbar)
    both = a.add(moved, a.keep(has_z, a.multiply(mean, (z_scale, 0.0 * z_scale))))
    result = tangent.unscale(a.round(a.multiply(p, both)))
    endless = _any(xp, tangent.infinite)
    limit = tangent.limit(result)
    with_z = _infinite_product(a, tangent.infinite, v, p[0], slope[0], z_scale)
    limit = xp.where(has_z & ~state.odd, with_z, limit)
    limit = xp.where(has_z & top & ~several & at.active, z_scale * v, limit)
    result = xp.where(at.active, xp.where(endless, limit, result), 0.0)
    result = xp.where(part & tangent.has_nan, xp.nan, result)
    return xp.where((alpha == 0.0) & ~has_z, 0.0, result + 0.0)


def _infinite_product(a: Arithmetic, infinite: Array, v: Array, p: Array, slope: Array, beta: Array) -> Array:
    """The limits of slope J + beta p p^T times v, where elements of v are infinite."""
    xp = a.xp
    up, down = (xp.astype(infinite & (s * v > 0.0), a.dtype) for s in (1.0, -1.0))
    of_others = [xp.sum(x, axis=-1, keepdims=True) - x > 0.0 for x in (up, down)]
    limit = xp.where(infinite, v * (slope * (1.0 - p) + beta * p), 0.0)
    limit = limit + xp.where(of_others[0], (beta - slope) * xp.inf, 0.0)
    return limit - xp.where(of_others[1], (beta - slope) * xp.inf, 0.0)


def _odd(a: Arithmetic, state: RowState) -> tuple[Array, Array, Array]:
    """Rows with +inf, rows with several of them, and rows of which nothing is known. Shapes (..., 1)."""
    xp = a.xp
    top = state.odd & (state.odd_log_sum_exp == xp.inf)
    return top, top & xp.isnan(state.m), ~top & xp.isnan(state.m)


def _choose(a: Arithmetic, where: Array, x: Pair, y: Pair) -> Pair:
    return a.xp.where(where, x[0], y[0]), a.xp.where(where, x[1], y[1])


def _negative(x: Pair) -> tuple[Any, Any]:
    return -x[0], -x[1]


def _any(xp: Any, condition: Array) -> Array:
    return xp.any(condition, axis=-1, keepdims=True)
