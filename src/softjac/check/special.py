"""The truth of one row, infinite and NaN logits included: the oracle's where it is finite, else the limit or NaN.

With +inf at several places there is no limit there; a row of all -inf and a row with a NaN have none; -inf is p = 0.
DESIGN.md has the table. Imports nothing of softjac but the oracle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from flint import arb

from softjac.check.oracle import GivenProbabilities, Row, Truth, exact, settle, total, working_precision
from softjac.check.oracle_losses import LossRow, fractions, rational, row_of

INF, NAN = math.inf, math.nan
Floats = Sequence[float]
OneRow = list[Truth]


def known(x: float | Fraction, scale: Fraction = Fraction(0)) -> Truth:
    """A number that needs no oracle."""
    with working_precision(512):
        return Truth(rational(x) if isinstance(x, Fraction) else arb(x), rational(scale))


ZERO, UNKNOWN = known(0.0), known(NAN)


class Places:
    """Where a row is finite, +inf and NaN."""

    def __init__(self, z: Floats) -> None:
        self.n = len(z)
        self.finite = [j for j, x in enumerate(z) if math.isfinite(x)]
        self.tops = [j for j, x in enumerate(z) if x == INF]
        self.unknown = any(map(math.isnan, z)) or not (self.finite or self.tops)

    def fill(self, of: dict[int, Truth], other: Truth = ZERO) -> OneRow:
        """A row with some entries given and all others the same."""
        return [of.get(j, other) for j in range(self.n)]


def _along(z: Floats, finite: Callable[[Row, int], Truth], alone: float, outside: Truth = ZERO) -> OneRow:
    """One entry for each class. alone: where one logit is +inf. outside: where p is 0."""
    at = Places(z)
    if at.unknown:
        return [UNKNOWN] * at.n
    if at.tops:
        return at.fill(dict.fromkeys(at.tops, known(alone) if len(at.tops) == 1 else UNKNOWN), outside)
    row = row_of([z[j] for j in at.finite])
    return at.fill({j: finite(row, i) for i, j in enumerate(at.finite)}, outside)


def softmax(z: Floats) -> OneRow:
    """Every p_i."""
    return _along(z, Row.softmax, 1.0)


def log_softmax(z: Floats) -> OneRow:
    """Every log p_i."""
    return _along(z, Row.log_softmax, 0.0, known(-INF))


def logsumexp(z: Floats) -> Truth:
    """Of one row."""
    at = Places(z)
    if any(map(math.isnan, z)):
        return UNKNOWN
    if at.tops or not at.finite:
        return known(INF if at.tops else -INF)
    return row_of([z[j] for j in at.finite]).logsumexp()


def softmax_jacobian(z: Floats) -> list[OneRow]:
    """Every J_ij."""
    at = Places(z)
    if at.unknown:
        return [[UNKNOWN] * at.n for _ in range(at.n)]
    if at.tops:
        within = at.fill(dict.fromkeys(at.tops, UNKNOWN)) if len(at.tops) > 1 else [ZERO] * at.n
        return [within if i in at.tops else [ZERO] * at.n for i in range(at.n)]
    row, place = row_of([z[j] for j in at.finite]), {j: i for i, j in enumerate(at.finite)}
    result = [[ZERO] * at.n for _ in range(at.n)]
    for j in at.finite:
        for k in at.finite:
            result[j][k] = result[k][j] if k < j else row.softmax_jacobian(place[j], place[k])
    return result


def softmax_vjp(z: Floats, g: Floats) -> OneRow:
    """J^T g, which is J g; g is finite."""
    at = Places(z)
    if at.unknown or at.tops:
        return _along(z, Row.softmax, 0.0)
    entry = row_of([z[j] for j in at.finite]).softmax_jvp([g[j] for j in at.finite])
    return at.fill({j: entry(i) for i, j in enumerate(at.finite)})


class LossOfRow:
    """Cross-entropy of one row with finite targets, and its gradient, times a factor."""

    def __init__(self, z: Floats, targets: Floats, factor: Fraction = Fraction(1)) -> None:
        self._at, self._factor = Places(z), factor
        self._t = fractions(targets)
        self._soft = sum(bool(x) for x in self._t) != 1
        finite, beyond = self._at.finite, sum((self._t[j] for j, x in enumerate(z) if x == -INF), Fraction(0))
        self._beyond = bool(beyond)
        self._row = None
        if not self._at.unknown and not self._at.tops:
            self._row = LossRow(
                row_of([z[j] for j in finite]),
                [self._t[j] for j in finite],
                factor=factor,
                cancels=self._soft,
                beyond=beyond,
            )

    def value(self) -> Truth:
        """The loss."""
        tops, T = self._at.tops, sum(self._t, Fraction(0))
        if self._row is not None:
            return known(INF) if self._beyond else self._row.loss()
        if self._at.unknown:
            return UNKNOWN
        if len(tops) == 1:
            return known(INF if self._t[tops[0]] != T else 0.0)
        return known(NAN if any(self._t[j] for j in tops) else INF if T else 0.0)

    def grad(self) -> OneRow:
        """The derivative with respect to every logit."""
        at, by = self._at, self._factor
        if at.unknown:
            return [UNKNOWN] * at.n
        T = sum(self._t, Fraction(0))
        result = [known(-by * t, by * t * self._soft) for t in self._t]
        if self._row is not None:
            for i, j in enumerate(at.finite):
                result[j] = self._row.grad(i)
        elif len(at.tops) == 1:
            top = at.tops[0]
            result[top] = known(by * (T - self._t[top]), by * (T + self._t[top]) * self._soft)
        else:
            for top in at.tops:
                result[top] = UNKNOWN if T else ZERO
        return result


class FromProbabilities:
    """The same of one row of finite probabilities that are given, as the exact floats they are."""

    def __init__(self, probs: Floats) -> None:
        self._given = list(probs)
        self._p = [exact(x) for x in probs]

    def softmax_jacobian(self) -> list[OneRow]:
        """p_i (1 - p_i) on the diagonal, -p_i p_j elsewhere."""
        p, n = self._p, len(self._p)

        def entry(i: int, j: int) -> Truth:
            return settle(lambda: Truth(p[i] * (1 - p[i]) if i == j else -p[i] * p[j]))

        return [[entry(i, j) for j in range(n)] for i in range(n)]

    def softmax_vjp(self, g: Floats) -> OneRow:
        """p_i (g_i - mean of g)."""
        entry = GivenProbabilities(self._given).softmax_vjp(g)
        return [entry(i) for i in range(len(self._given))]

    def loss(self, targets: Floats, factor: Fraction = Fraction(1)) -> Truth:
        """- sum of t_j log p_j; a class of probability 0 counts where its target is not 0."""
        t = fractions(targets)
        if any(x and not p for x, p in zip(t, self._given, strict=True)):
            return known(INF)
        terms = [(x * factor, p) for x, p in zip(t, self._p, strict=True) if x]

        def formula() -> Truth:
            return Truth(-total([rational(x) * p.log() for x, p in terms]))

        return ZERO if all(p == 1 for _, p in terms) else settle(formula)

    def grad_by_logits(self, targets: Floats, factor: Fraction = Fraction(1)) -> OneRow:
        """T p_i - t_i, the derivative with respect to the logits that the probabilities are made of."""
        t = fractions(targets)
        T = sum(t, Fraction(0))

        def entry(own: Fraction, p: arb) -> Truth:
            def formula() -> Truth:
                by, from_p, target = rational(factor), rational(T) * p, rational(own)
                return Truth(by * (from_p - target), by * (from_p + target))

            return settle(formula)

        return [entry(*x) for x in zip(t, self._p, strict=True)]

    def grad_by_probs(self, targets: Floats, factor: Fraction = Fraction(1)) -> OneRow:
        """-t_i / p_i, the derivative with respect to p_i."""

        def entry(t: Fraction, given: float, p: arb) -> Truth:
            if not t:
                return ZERO
            return settle(lambda: Truth(-rational(t * factor) / p)) if given else known(-INF)

        return [entry(*x) for x in zip(fractions(targets), self._given, self._p, strict=True)]
