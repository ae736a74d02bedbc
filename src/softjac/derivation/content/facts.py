"""What is true at the reader's logits, found from exact numbers: order, ties, extremes, changes.

A sentence that depends on the numbers asks here. Equality is equality of the logits, so no rounding decides a tie.
"""

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cached_property

from softjac.derivation.points import DIGITS, Point

NEXT_TO_ONE = Decimal("1e-9")
"""Where 1 - p is smaller, float64 has lost most of its digits, and the texts say so."""


@dataclass(frozen=True)
class Facts:
    """Probabilities and what follows from them, at given logits."""

    logits: tuple[Decimal, ...]
    digits: int

    @property
    def n(self) -> int:
        """Number of classes."""
        return len(self.logits)

    @cached_property
    def probabilities(self) -> tuple[Decimal, ...]:
        """Each exponential over their sum."""
        return self.at(self.logits)[0]

    @cached_property
    def complements(self) -> tuple[Decimal, ...]:
        """1 - p, from the sum of the other exponentials, so that no digit is lost."""
        return self.at(self.logits)[1]

    def at(self, logits: tuple[Decimal, ...]) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
        """Probabilities and complements of some logits."""
        with localcontext(Context(prec=self.digits)):
            largest = max(logits)
            powers = [(z - largest).exp() for z in logits]
            total = sum(powers, Decimal(0))
            others = (sum(powers[:i], Decimal(0)) + sum(powers[i + 1 :], Decimal(0)) for i in range(len(powers)))
            return tuple(x / total for x in powers), tuple(x / total for x in others)

    def entry(self, i: int, j: int) -> Decimal:
        """Entry of the Jacobian."""
        with localcontext(Context(prec=self.digits)):
            if i == j:
                return self.probabilities[i] * self.complements[i]
            return -self.probabilities[i] * self.probabilities[j]

    @cached_property
    def by_size(self) -> tuple[int, ...]:
        """Classes from the largest logit to the smallest; of equal ones the first counted comes first."""
        return tuple(sorted(range(self.n), key=lambda i: (-self.logits[i], i)))

    @cached_property
    def largest(self) -> tuple[int, ...]:
        """The class, or classes, with the largest probability, and with it the largest diagonal entry."""
        return tuple(i for i in range(self.n) if self.logits[i] == max(self.logits))

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of classes whose probabilities have the largest product."""
        if self.n < 2:
            return ()
        first, second = (self.logits[i] for i in self.by_size[:2])
        if first == second:
            return tuple((i, j) for i in self.largest for j in self.largest if i < j)
        top = self.by_size[0]
        return tuple((min(top, j), max(top, j)) for j in range(self.n) if j != top and self.logits[j] == second)

    @cached_property
    def saturated(self) -> bool:
        """Whether 1 - p of the largest probability is lost in float64."""
        return self.n > 1 and min(self.complements) < NEXT_TO_ONE

    @cached_property
    def all_equal(self) -> bool:
        """Whether all logits, and so all probabilities, are the same."""
        return len(set(self.logits)) == 1

    def changes(self, step: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        """The actual change of each probability when the logits move by a step."""
        with localcontext(Context(prec=self.digits)):
            # A common shift changes nothing: without it, nothing is also what comes out.
            moved = tuple(z + (d - step[0]) for z, d in zip(self.logits, step, strict=True))
            new, rest = self.at(moved)
            # Of p or 1 - p the smaller one is subtracted, so that the digits of the difference are kept.
            return tuple(
                new[i] - self.probabilities[i] if new[i] < Decimal("0.5") else self.complements[i] - rest[i]
                for i in range(self.n)
            )

    def predicted(self, step: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        """The Jacobian times the step, p_i (sum of p_l (step_i - step_l)): exactly 0 for a common shift."""
        with localcontext(Context(prec=self.digits)):
            p = self.probabilities
            return tuple(
                p[i] * sum((p[j] * (step[i] - step[j]) for j in range(self.n)), Decimal(0)) for i in range(self.n)
            )


def facts(point: Point) -> Facts:
    """At the reader's logits, with the digits that their gap needs; found once for a point."""
    if "facts" not in point.cache:
        point.cache["facts"] = Facts(point.logits, point.digits + DIGITS)
    found: Facts = point.cache["facts"]
    return found
