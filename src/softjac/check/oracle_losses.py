"""The truth of cross-entropy, by ball arithmetic: losses, gradients, Hessian products. Imports nothing of softjac.

Notation of oracle.py, and for one row: y target, w class weights, eps label smoothing, K classes that are not masked
out, omega sample weight, zeta z-loss, lse = m + log S. The plain definition:

    t_j = w_j (y_j (1 - eps) + eps / K),  T = sum of t_j
    loss              omega [ sum of t_j (lse - z_j) + zeta lse^2 ]
    gradient          omega [ (T + 2 zeta lse) p_j - t_j ]
    Hessian product   omega p_i [ (T + 2 zeta lse) (v_i - vbar) + 2 zeta vbar ],  vbar = sum of p_j v_j

tests/test_oracle_cross_entropy.py differentiates the loss and finds the other two. Targets, weights and options are
taken as the exact floats they are: what is added up of them alone is exact (fractions).
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, fmpq

from softjac.check.oracle import Entry, Row, Truth, exact, settle, total, working_precision

NOTHING = Truth(arb(0))
ZERO, ONE = Fraction(0), Fraction(1)


def rational(x: Fraction) -> arb:
    """The enclosure of a fraction."""
    return arb(fmpq(x.numerator, x.denominator))


class LossRow:
    """Cross-entropy of one row of finite logits with the targets t, times a factor.

    cancels: the budget of the gradient has a scale, as that of soft targets, smoothing and z-loss has.
    beyond: what T has on top of the sum of t, of classes that are not in the row.
    """

    def __init__(
        self,
        row: Row,
        t: Sequence[Fraction],
        *,
        factor: Fraction = ONE,
        zeta: Fraction = ZERO,
        cancels: bool = True,
        beyond: Fraction = ZERO,
    ) -> None:
        self.row, self.t, self.factor, self.zeta, self.cancels = row, list(t), factor, zeta, cancels
        self.T = sum((x for x in self.t if x), beyond)
        self._known: dict[int | None, Truth] = {}

    def _once(self, of: int | None, formula: Callable[[], Truth]) -> Truth:
        if of not in self._known:
            self._known[of] = settle(formula)
        return self._known[of]

    def loss(self) -> Truth:
        """Scale 2 zeta |lse| (|m| + log S): what z-loss has of the cancellation in lse."""

        def formula() -> Truth:
            s, by, zeta = self.row.level(), rational(self.factor), rational(self.zeta)
            lse = s.m + s.log_S
            of_targets = total([rational(t) * (d + s.log_S) for t, d in zip(self.t, s.d, strict=True) if t])
            loss, scale = of_targets, arb(0)
            if self.zeta:
                loss, scale = of_targets + zeta * lse * lse, 2 * by * zeta * abs(lse) * (abs(s.m) + s.log_S)
            return Truth(by * loss, scale)

        return self._once(None, formula)

    def grad(self, i: int) -> Truth:
        """Scale p_i (T + 2 zeta (|m| + log S)) + t_i where the budget has one: lse has that of log-sum-exp."""

        def formula() -> Truth:
            s, by, twice_zeta = self.row.level(), rational(self.factor), rational(2 * self.zeta)
            p, lse, T = s.p[i], s.m + s.log_S, rational(self.T)
            # The same at i = k, by p_k = 1 - q_k: needs fewer digits there.
            value = rational(self.T - self.t[i]) - T * s.q(i) if i == s.k else T * p - rational(self.t[i])
            if self.zeta:
                value += twice_zeta * lse * p
            size = T + twice_zeta * (abs(s.m) + s.log_S)
            scale = p * size + rational(self.t[i]) if self.cancels else arb(0)
            return Truth(by * value, by * scale)

        return self._once(i, formula)

    def hvp(self, v: Sequence[Any]) -> Entry:
        """Scale p_i ((T + 2 zeta (|m| + log S)) (|w_i| + mean of |w|) + 2 zeta (|v_k| + mean of |w|)), w = v - v_k."""
        v = [exact(x) for x in v]

        def entry(i: int) -> Truth:
            def formula() -> Truth:
                s, by, beta = self.row.level(), rational(self.factor), rational(2 * self.zeta)
                c, at_k = s.centred(v), v[s.k]
                alpha = rational(self.T) + beta * (s.m + s.log_S)
                value = s.p[i] * (alpha * (c.w[i] - c.mean) + beta * (at_k + c.mean))
                size = rational(self.T) + beta * (abs(s.m) + s.log_S)
                reach = size * c.reach(i) + beta * (abs(at_k) + c.spread)
                lost = s.p[i] * (size + beta) * c.lost + s.lost(i) * reach
                return Truth(by * value, by * s.p[i] * reach, by * lost)

            return settle(formula)

        return entry


@lru_cache(maxsize=4096)
def _row(logits: tuple[Any, ...]) -> Row:
    return Row(logits)


def row_of(logits: Any) -> Row:
    """A row of logits; equal ones share their state."""
    return _row(tuple(x if isinstance(x, np.longdouble) else float(x) for x in logits))


def fractions(values: Any) -> list[Fraction]:
    """Floats as the fractions that they are."""
    return [Fraction(float(x)) for x in values]


def effective_targets(y: Sequence[Fraction], weight: Sequence[Fraction] | None, eps: Fraction) -> list[Fraction]:
    """T of a row without the classes that are masked out."""
    t = [x * (1 - eps) + eps / len(y) for x in y] if eps else y
    return list(t) if weight is None else [w * x if x else x for w, x in zip(weight, t, strict=True)]


class Batch:
    """Cross-entropy of a batch: logits (rows, n), labels (rows,) or targets (rows, n), and every option.

    Rows that count and are masked in part are rows of the other classes. members[r] are the classes that take part;
    rows[r] is None where nothing is lost: ignored, masked out whole, or without weight.
    """

    def __init__(
        self,
        logits: Any,
        targets: Any,
        *,
        weight: Any = None,
        sample_weight: Any = None,
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        z_loss: float = 0.0,
        where: Any = None,
        reduction: str = "mean",
    ) -> None:
        logits, targets = np.asarray(logits), np.asarray(targets)
        count, n = logits.shape
        self.shape, self.reduction = (count, n), reduction
        classes = targets.ndim == 1
        omega = fractions(np.ones(count) if sample_weight is None else sample_weight)
        w = None if weight is None else fractions(weight)
        eps, zeta = Fraction(float(label_smoothing)), Fraction(float(z_loss))
        part = np.ones((count, n), bool) if where is None else np.broadcast_to(where, (count, n))
        self.members = [np.flatnonzero(row).tolist() for row in part]
        counted = [
            bool(self.members[r]) and not (classes and ignore_index is not None and targets[r] == ignore_index)
            for r in range(count)
        ]
        self.denominator = sum(
            (omega[r] * (w[targets[r]] if classes and w else 1) for r in range(count) if counted[r]), ZERO
        )
        self.rows: list[LossRow | None] = []
        for r in range(count):
            factor = omega[r]
            if reduction == "mean":
                factor = factor / self.denominator if self.denominator else ZERO
            if not counted[r] or not factor:
                self.rows.append(None)
                continue
            inside = self.members[r]
            y = [ONE if j == targets[r] else ZERO for j in inside] if classes else fractions(targets[r, inside])
            single = classes or sum(map(bool, y)) == 1
            t = effective_targets(y, w and [w[j] for j in inside], eps)
            row = row_of(logits[r, inside])
            self.rows.append(LossRow(row, t, factor=factor, zeta=zeta, cancels=bool(eps or zeta or not single)))

    def losses(self) -> list[Truth]:
        """The share of each row in the value; with reduction none the losses themselves."""
        return [NOTHING if row is None else row.loss() for row in self.rows]

    def value(self) -> Truth:
        """Sum or mean."""
        losses = self.losses()
        with working_precision(512):
            return Truth(total([x.value for x in losses]), total([x.scale for x in losses]))

    def grad(self, r: int, i: int) -> Truth:
        """One entry of the gradient of row r."""
        row = self.rows[r]
        return NOTHING if row is None or i not in self.members[r] else row.grad(self.members[r].index(i))

    def hvp(self, r: int, v: Any) -> Entry:
        """Entries of the product with row r of a tangent; v is that row."""
        row, members = self.rows[r], self.members[r]
        if row is None:
            return lambda _: NOTHING
        entry = row.hvp([v[j] for j in members])
        return lambda i: entry(members.index(i)) if i in members else NOTHING
