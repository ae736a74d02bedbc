"""The truth, by ball arithmetic: enclosures of everything softjac computes. Imports nothing of softjac.

A row is given as exact, finite floats. Every formula here is the plain definition: arb carries the rounding errors, and
the working precision is doubled until an enclosure is far tighter than what its error is measured against.

Notation: z logits, k first index of the maximum, m = z_k, e_j = exp(z_j - m), R = sum of e_j over j != k, S = 1 + R.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx, fmpq

START_BITS = 160
LIMIT_BITS = 1 << 17
TIGHT = arb(2) ** -90
NOTHING = arb(2) ** -17000  # below the smallest number of every float format, binary128 included
HALF_SUBNORMAL = arb(2) ** -1075  # what a double loses that is no normal number
SMALLEST_NORMAL = arb(2) ** -1022


class NotTightError(ArithmeticError):
    """No precision within reason tells this number from its neighbours."""


class Truth(NamedTuple):
    """An exact result: its enclosure, and what the factor of an error budget multiplies (0 where it has none).

    underflow: what it may cost that probabilities below the normal numbers of a double are rounded to subnormal ones.
    """

    value: arb
    scale: arb = arb(0)
    underflow: arb = arb(0)

    @property
    def is_tight(self) -> bool:
        """Whether the enclosure is far smaller than what an error is measured in."""
        radius = self.value.rad()
        if radius <= NOTHING or not self.value.is_finite():
            return True
        return bool(radius <= TIGHT * self.value.abs_lower() or radius <= TIGHT * self.scale.abs_lower())


Entry = Callable[[int], Truth]


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """So many bits within the block."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def settle(formula: Callable[[], Truth]) -> Truth:
    """The formula at the first precision that makes it tight."""
    bits = START_BITS
    while bits <= LIMIT_BITS:
        with working_precision(bits):
            truth = formula()
            if truth.is_tight:
                return truth
        bits *= 2
    raise NotTightError


def exact(x: Any) -> arb:
    """The float x, of any format, without rounding."""
    if not isinstance(x, np.longdouble):
        return arb(float(x))
    mantissa, exponent = np.frexp(x)
    total = Fraction(0)
    while mantissa != 0:
        total += Fraction(float(mantissa))
        mantissa = mantissa - np.longdouble(float(mantissa))
    with working_precision(256):
        return arb(fmpq(total.numerator, total.denominator)) * arb(2) ** int(exponent)


def total(terms: Sequence[arb]) -> arb:
    """The sum; 0 of nothing."""
    result = arb(0)
    for term in terms:
        result += term
    return result


class _Distribution:
    """Probabilities at one working precision, and means under them."""

    def __init__(self, p: Sequence[arb], k: int) -> None:
        self.p, self.k = p, k

    def centred(self, v: Sequence[arb]) -> "_Centred":
        return _Centred(self, v)

    @cached_property
    def below_normal(self) -> list[int]:
        return [j for j, p in enumerate(self.p) if not p >= SMALLEST_NORMAL]

    def mean(self, x: Sequence[arb]) -> arb:
        return total([p * y for p, y in zip(self.p, x, strict=True)])

    def lost(self, i: int) -> arb:
        """Half the last place of p_i where it is no normal number."""
        return arb(0) if self.p[i] >= SMALLEST_NORMAL else HALF_SUBNORMAL


class _Centred:
    """w = v - v_k and its mean at one working precision. spread: mean of |w|. lost: what underflow costs the mean."""

    def __init__(self, under: _Distribution, v: Sequence[arb]) -> None:
        self.w = [x - v[under.k] for x in v]
        self.mean = under.mean(self.w)
        self.spread = under.mean([abs(x) for x in self.w])
        self.lost = HALF_SUBNORMAL * total([abs(self.w[j]) for j in under.below_normal])

    def reach(self, i: int) -> arb:
        return abs(self.w[i]) + self.spread


class _Level(_Distribution):
    """The state of a row of logits at one working precision."""

    def __init__(self, z: Sequence[arb], k: int) -> None:
        self.m = z[k]
        self.d = [self.m - x for x in z]
        self.e = [(-d).exp() for d in self.d]
        self.R = total([e for j, e in enumerate(self.e) if j != k])
        self.S = 1 + self.R
        self.log_S = self.R.log1p()
        super().__init__([e / self.S for e in self.e], k)

    def q(self, i: int) -> arb:
        return (self.R if i == self.k else self.S - self.e[i]) / self.S


class _OncePerPrecision:
    """Something computed once for each working precision."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: dict[int, Any] = {}

    def __call__(self) -> Any:
        if ctx.prec not in self._made:
            self._made[ctx.prec] = self._make()
        return self._made[ctx.prec]


def _first_largest(numbers: Sequence[Any]) -> int:
    return max(range(len(numbers)), key=lambda j: (numbers[j], -j))


class Row:
    """One row of finite logits."""

    def __init__(self, logits: Sequence[Any]) -> None:
        self.numbers = [x if isinstance(x, np.longdouble) else float(x) for x in logits]
        self.k = _first_largest(self.numbers)
        self.z = [exact(x) for x in logits]
        self.level = _OncePerPrecision(lambda: _Level(self.z, self.k))

    def softmax(self, i: int) -> Truth:
        """p_i = e_i / S."""
        return settle(lambda: Truth(self.level().p[i]))

    def softmax_complement(self, i: int) -> Truth:
        """q_i = 1 - p_i."""
        return settle(lambda: Truth(self.level().q(i)))

    def log_softmax(self, i: int) -> Truth:
        """Log p_i = z_i - m - log S."""

        def formula() -> Truth:
            s = self.level()
            return Truth(-(s.d[i] + s.log_S))

        return settle(formula)

    def logsumexp(self) -> Truth:
        """M + log S; scale |m| + log S."""

        def formula() -> Truth:
            s = self.level()
            return Truth(s.m + s.log_S, abs(s.m) + s.log_S)

        return settle(formula)

    def logsumexp_weighted(self, b: Sequence[Any]) -> Truth:
        """Log T + m, T = sum of b_j exp(z_j - m), m the largest z_j with b_j != 0.

        NaN where T < 0, -inf where T = 0. Scale |m| + |log T| + (sum of |b_j| exp(z_j - m)) / T: what the sum loses.
        """
        weights = [exact(x) for x in b]
        used = [j for j, x in enumerate(weights) if not x.is_zero()]
        together: dict[Any, list[arb]] = {}
        for j in used:
            together.setdefault(self.numbers[j], []).append(weights[j])
        # By Lindemann and Weierstrass exponentials of different floats never cancel: each group has to.
        if all(sum(map(_fraction, group)) == 0 for group in together.values()):
            return Truth(arb.neg_inf())
        k = max(used, key=lambda j: self.numbers[j])

        def formula() -> Truth:
            m = self.z[k]
            terms = [weights[j] * (self.z[j] - m).exp() for j in used]
            T = total(terms)
            if T < 0:
                return Truth(arb.nan())
            if not T > 0:
                return Truth(arb(0, 1))
            log_T = T.log()
            return Truth(m + log_T, abs(m) + abs(log_T) + total([abs(x) for x in terms]) / T)

        return settle(formula)

    def softmax_jacobian(self, i: int, j: int) -> Truth:
        """p_i q_i on the diagonal, -p_i p_j elsewhere."""

        def formula() -> Truth:
            s = self.level()
            return Truth(s.p[i] * s.q(i) if i == j else -s.p[i] * s.p[j])

        return settle(formula)

    def softmax_jvp(self, v: Sequence[Any]) -> Entry:
        """p_i (v_i - mean of v); scale p_i (|w_i| + mean of |w|), w = v - v_k."""
        return _jvp(self.level, v)

    def log_softmax_jvp(self, v: Sequence[Any]) -> Entry:
        """v_i - mean of v; scale |w_i| + mean of |w|."""
        v = [exact(x) for x in v]
        centred = _OncePerPrecision(lambda: self.level().centred(v))

        def entry(i: int) -> Truth:
            def formula() -> Truth:
                c = centred()
                return Truth(c.w[i] - c.mean, c.reach(i), c.lost)

            return settle(formula)

        return entry

    def log_softmax_vjp(self, g: Sequence[Any]) -> Entry:
        """g_i - p_i G, where G is the sum of g; scale q_i |g_i| + p_i (sum of the other |g_j|)."""
        g = [exact(x) for x in g]
        sums = _OncePerPrecision(lambda: (total(g), total([abs(x) for x in g])))

        def entry(i: int) -> Truth:
            def formula() -> Truth:
                s, (G, size) = self.level(), sums()
                others, own = G - g[i], abs(g[i])
                lost = s.lost(i) * size + len(s.below_normal) * HALF_SUBNORMAL * own
                return Truth(s.q(i) * g[i] - s.p[i] * others, s.q(i) * own + s.p[i] * (size - own), lost)

            return settle(formula)

        return entry

    def softmax_second_derivative(self, u: Sequence[Any], v: Sequence[Any]) -> Entry:
        """p_i (c_i - mean of c) with c = (u - mean of u)(v - mean of v).

        Scale p_i (a_i b_i + mean of a b), where a_i = |u_i - u_k| + mean of |u - u_k|, and b likewise from v.
        """
        u, v = [exact(x) for x in u], [exact(x) for x in v]

        def at() -> Any:
            s = self.level()
            cu, cv = s.centred(u), s.centred(v)
            c = [(x - cu.mean) * (y - cv.mean) for x, y in zip(cu.w, cv.w, strict=True)]
            ab = [cu.reach(j) * cv.reach(j) for j in range(len(c))]
            lost = HALF_SUBNORMAL * total([ab[j] for j in s.below_normal])
            return cu, cv, c, s.mean(c), ab, s.mean(ab), lost

        parts = _OncePerPrecision(at)

        def entry(i: int) -> Truth:
            def formula() -> Truth:
                s, (cu, cv, c, mean, ab, spread, lost) = self.level(), parts()
                size = ab[i] + spread
                cost = s.p[i] * (lost + cu.lost * cv.reach(i) + cv.lost * cu.reach(i)) + s.lost(i) * size
                return Truth(s.p[i] * (c[i] - mean), s.p[i] * size, 2 * cost)

            return settle(formula)

        return entry


class GivenProbabilities:
    """Probabilities that somebody kept, as exact floats; they need not add up to 1. k: the first of the largest."""

    def __init__(self, probs: Sequence[Any]) -> None:
        p = [exact(x) for x in probs]
        self._p = p
        self.level = _OncePerPrecision(lambda: _Distribution(p, _first_largest(probs)))

    def softmax_vjp(self, g: Sequence[Any]) -> Entry:
        """p_i (w_i - sum of p_j w_j), w = g - g_k; scale p_i (|w_i| + sum of p_j |w_j|)."""
        return _jvp(self.level, g)

    def log_softmax_vjp(self, g: Sequence[Any]) -> Entry:
        """q_i g_i - p_i (sum of the other g); scale q_i |g_i| + p_i (sum of the other |g_j|).

        q_k is the sum of the other probabilities, which keeps its digits where p_k was rounded to 1; the other q_i are
        1 - p_i. Elements of probability 0 take no part.
        """
        g = [arb(0) if p.is_zero() else exact(x) for p, x in zip(self._p, g, strict=True)]

        def at() -> Any:
            k = self.level().k
            return k, total(self._p[:k]) + total(self._p[k + 1 :]), total(g), total([abs(x) for x in g])

        parts = _OncePerPrecision(at)

        def entry(i: int) -> Truth:
            def formula() -> Truth:
                k, q_k, G, size = parts()
                p, own = self._p[i], abs(g[i])
                q = q_k if i == k else 1 - p
                return Truth(q * g[i] - p * (G - g[i]), abs(q) * own + p * (size - own))

            return settle(formula)

        return entry


def _jvp(level: Callable[[], _Distribution], v: Sequence[Any]) -> Entry:
    v = [exact(x) for x in v]
    centred = _OncePerPrecision(lambda: level().centred(v))

    def entry(i: int) -> Truth:
        def formula() -> Truth:
            s, c = level(), centred()
            return Truth(s.p[i] * (c.w[i] - c.mean), s.p[i] * c.reach(i), s.p[i] * c.lost + s.lost(i) * c.reach(i))

        return settle(formula)

    return entry


def _fraction(x: arb) -> Fraction:
    of_ball = x.man_exp()
    mantissa, exponent = int(of_ball[0]), int(of_ball[1])
    return Fraction(mantissa * 2**exponent) if exponent >= 0 else Fraction(mantissa, 2**-exponent)
