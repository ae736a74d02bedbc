"""What the contract of cross-entropy promises for rows of NaN, infinities and masks; finite rows are the oracle's.

Slow and plain on purpose; imports nothing of softjac. tests/test_cross_entropy_special.py holds it against a table
written out by hand.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from flint import arb

from softjac.check.oracle import Truth, working_precision
from softjac.check.oracle_losses import ZERO, LossRow, effective_targets, fractions, rational, row_of

INF, NAN = math.inf, math.nan


class Expected(NamedTuple):
    """The loss of a row, its gradient, and whether the budget of the gradient has a scale."""

    loss: Truth
    gradient: list[Truth]
    soft: bool


def value(x: float | Fraction, scale: Fraction = ZERO) -> Truth:
    with working_precision(512):
        return Truth(rational(x) if isinstance(x, Fraction) else arb(x), rational(scale))


def expected(
    logits: Sequence[Any],
    y: Sequence[float],
    *,
    weight: Sequence[float] | None = None,
    sample_weight: float = 1.0,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    part: Sequence[bool] | None = None,
) -> Expected:
    """One row that is not ignored. y: its distribution, or the one-hot row of its class."""
    z, n = [float(x) for x in logits], len(logits)
    members = [j for j in range(n) if part is None or part[j]]
    omega, eps, zeta = (Fraction(float(x)) for x in (sample_weight, label_smoothing, z_loss))
    soft = bool(eps or zeta or sum(x != 0 for x in y) != 1)
    zeros = [value(0.0)] * n
    if not members or not omega:
        return Expected(value(0.0), zeros, soft)

    def fill(of_members: dict[int, Truth]) -> list[Truth]:
        return [of_members.get(j, value(0.0)) for j in range(n)]

    w = None if weight is None else fractions([weight[j] for j in members])
    t = dict(zip(members, effective_targets(fractions([y[j] for j in members]), w, eps), strict=True))
    T = sum(t.values(), ZERO)
    finite = [j for j in members if abs(z[j]) < INF]
    tops = [j for j in members if z[j] == INF]
    if any(math.isnan(z[j]) for j in members) or not (finite or tops):
        return Expected(value(NAN), fill(dict.fromkeys(members, value(NAN))), soft)

    left = {j: value(-omega * t[j], omega * t[j] * soft) for j in members}  # -t_j, where p_j is 0
    if len(tops) == 1:
        others = T - t[tops[0]]
        loss = INF if others or zeta else 0.0
        top = value(INF) if zeta else value(omega * others, omega * (T + t[tops[0]]) * soft)
        return Expected(value(loss), fill(left | {tops[0]: top}), soft)
    if tops:
        loss = NAN if any(t[j] for j in tops) else INF if T or zeta else 0.0
        return Expected(value(loss), fill(left | dict.fromkeys(tops, value(NAN if T or zeta else 0.0))), soft)

    beyond = sum((t[j] for j in members if z[j] == -INF), ZERO)
    row = LossRow(
        row_of([logits[j] for j in finite]),
        [t[j] for j in finite],
        factor=omega,
        zeta=zeta,
        cancels=soft,
        beyond=beyond,
    )
    loss = value(INF) if beyond else row.loss()
    return Expected(loss, fill(left | {j: row.grad(i) for i, j in enumerate(finite)}), soft)
