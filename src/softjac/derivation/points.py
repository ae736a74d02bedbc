"""Where expressions are evaluated: the reader's logits, and fixed logits in general position.

General position: at least three classes, no two values equal, no equal steps, probabilities without coincidences. A
wrong line can hold at ties, for one class or at [1, 2, 3]; it does not hold here. tests/test_derivation_points.py.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from functools import lru_cache
from typing import Any

DIGITS = 60
"""Digits of every value that comes out; two values are the same where they agree to EQUAL_DIGITS."""
EQUAL_DIGITS = 50
GUARD_DIGITS = 30
LARGEST_GAP = 2000
"""Logits may lie so far apart: 1 - p loses a digit for each 2.3, and so many more are carried."""
LARGEST_LOGIT = 10**15
"""Logits may be so large: the exponents of `decimal` end at 10^18."""
LARGEST_NUDGE = 100
"""A change of the logits may be so large: it adds to the gap."""
SMALLEST_NUDGE = Decimal("1e-30")
SMALLEST_STEP = Decimal("1e-50")
"""What is not 0 in a change, and what two entries of it differ by, is at least so large: the error of the prediction is
its square, and has to stand before the last of DIGITS + GUARD_DIGITS."""
FEW_CLASSES = 6
"""With more classes than this, the extreme ones stand for all at the reader's logits."""

TRAPS = [InvalidOperation, DivisionByZero, Overflow]
EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=TRAPS)
"""For the few operations outside of an evaluation: the context of the user's thread is neither read nor changed."""
PLAIN = Context(28, ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, capitals=1, clamp=0, flags=[], traps=TRAPS)


@contextmanager
def own_context() -> Iterator[None]:
    """Arithmetic as Python has it by default, whatever the caller's thread rounds to or traps; his flags stay."""
    with localcontext(PLAIN):
        yield


Values = tuple[tuple[str, tuple[Decimal, ...]], ...]


@dataclass(frozen=True)
class Point:
    """Logits, and what else the symbols stand for.

    targets: the label distribution y. label: the class, where y is one-hot. nudge: dz. values: entries of other free
    symbols with one index, by name; what is not given has a fixed arbitrary value.
    """

    logits: tuple[Decimal, ...]
    targets: tuple[Decimal, ...]
    label: int | None = None
    nudge: tuple[Decimal, ...] | None = None
    values: Values = ()
    cache: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("logits", "targets"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.nudge is not None:
            object.__setattr__(self, "nudge", tuple(self.nudge))
        object.__setattr__(self, "values", tuple((name, tuple(entries)) for name, entries in self.values))

    @property
    def n(self) -> int:
        """Number of classes."""
        return len(self.logits)

    @property
    def digits(self) -> int:
        """Digits to compute with, so that DIGITS of 1 - p remain where p is next to one."""
        step = max((abs_of(x) for x in self.nudge or ()), default=Decimal(0))
        gap = EXACT.add(EXACT.subtract(max(self.logits), min(self.logits)), EXACT.multiply(2, step))
        size = max(abs_of(z) for z in self.logits)
        return DIGITS + GUARD_DIGITS + int(EXACT.divide(gap, Decimal("2.3"))) + max(0, size.adjusted() + 1)

    def with_label(self, label: int) -> "Point":
        """The same logits with a one-hot label."""
        return replace(self, targets=one_hot(label, self.n), label=label, cache={})

    def free_value(self, name: str, indices: tuple[int, ...]) -> Decimal:
        """An entry of a symbol that has no definition."""
        given = dict(self.values).get(name)
        if given is not None and len(indices) == 1:
            return given[indices[0]]
        if name == "dz" and self.nudge is not None and len(indices) == 1:
            return self.nudge[indices[0]]
        # Between 0.2 and 2, the same on every machine, without a pattern.
        scrambled = zlib.crc32(repr((name, indices)).encode())
        return Decimal(2003 + scrambled % 17989).scaleb(-4, EXACT)

    def classes_to_check(self) -> tuple[int, ...]:
        """All classes, or, where there are many, those with the two largest logits, the smallest, and the label."""
        if self.n <= FEW_CLASSES:
            return tuple(range(self.n))
        order = sorted(range(self.n), key=self.logits.__getitem__)
        return tuple(sorted({order[-1], order[-2], order[0], *(() if self.label is None else (self.label,))}))


abs_of = Decimal.copy_abs
"""Without the sign, and not rounded to the context of the user's thread, as abs() would."""


def one_hot(label: int, n: int) -> tuple[Decimal, ...]:
    """1 at the label, 0 elsewhere."""
    return tuple(Decimal(int(i == label)) for i in range(n))


def reader_point(
    logits: tuple[Decimal, ...], label: int | None = None, nudge: tuple[Decimal, ...] | None = None
) -> Point:
    """The reader's own. Without a label, y is a distribution in general position: lines hold for any."""
    targets = soft(len(logits)) if label is None else one_hot(label, len(logits))
    return Point(logits, targets, label, nudge)


@lru_cache(maxsize=64)
def general(n: int, variant: int = 0, label: int | None = None) -> Point:
    """Logits in general position, with a soft label distribution, or a one-hot one."""
    logits = tuple(scrambled_logit(k, variant) for k in range(n))
    return Point(logits, soft(n) if label is None else one_hot(label, n), label)


def scrambled_logit(k: int, variant: int) -> Decimal:
    """Logit of class k, between -2 and 2.5, from square roots.

    Of the factors 10, 10.07, 10.14 ... 18.68 keeps logits, their steps and the probabilities furthest from
    coincidences, up to six classes: tests/test_derivation_points.py says how far.
    """
    with localcontext(EXACT):
        fraction = Decimal(2 * k + 3 + 20 * variant).sqrt() * Decimal("18.68") % Decimal("4.5")
        return (fraction - 2).quantize(Decimal("1e-13"))


@lru_cache(maxsize=64)
def soft(n: int) -> tuple[Decimal, ...]:
    """A label distribution in general position: positive, no two entries equal, the sum exactly one."""
    with localcontext(EXACT):
        weights = [Decimal(7 * k + 5).sqrt() % 1 + Decimal("0.1") for k in range(n)]
        total = sum(weights)
        first = [(weight / total).quantize(Decimal("1e-15")) for weight in weights[:-1]]
        return (*first, 1 - sum(first, Decimal(0)))
