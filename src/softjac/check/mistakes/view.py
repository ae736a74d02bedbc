"""What a product for one entry is made of: the numbers of its row, and their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from softjac.check.mistakes.recipe import Situation, own_targets, shifted_softmax
from softjac.check.mistakes.table import Formed
from softjac.check.model import Array


@dataclass(frozen=True, eq=False)
class View:
    """What an entry is made of. index: of a row, or of a row of a batch. size: of an epsilon, or a base."""

    s: Situation
    index: tuple[int, ...]
    size: float | None = None

    @property
    def z(self) -> Array:
        """All logits."""
        return self.s.inputs.logits

    @cached_property
    def all_p(self) -> Array:
        """The right probabilities."""
        return self.s.inputs.probs if self.s.given_probs else shifted_softmax(self.z)

    @property
    def row(self) -> tuple[int, ...]:
        """Of the row."""
        return self.index[: self.z.ndim - 1]

    @property
    def p(self) -> Array:
        """Of the row."""
        return np.asarray(self.all_p[self.row])

    @property
    def g(self) -> Array:
        """Of the row."""
        return np.zeros_like(self.p) if self.s.inputs.cotangent is None else self.s.inputs.cotangent[self.row]

    @property
    def y(self) -> Array:
        """Of the row."""
        return np.asarray(own_targets(self.s)[self.row])

    @property
    def i(self) -> int:
        """The class."""
        return self.index[-1]

    @property
    def label(self) -> int | None:
        """The class of the row, where it has one."""
        chosen = self.y.nonzero()[0]
        return int(chosen[0]) if len(chosen) == 1 and self.y[chosen[0]] == 1 else None

    @property
    def N(self) -> int:
        """The number of rows that the gradient of a mean is divided by."""
        return len(self.z) if self.z.ndim == 2 and self.s.convention.gradient == "mean" else 1

    def name(self, letter: str, i: int | None = None) -> str:
        """How an entry of the row is written: p[0,1]."""
        return f"{letter}[{','.join(map(str, (*self.row, self.i if i is None else i)))}]"

    def divided(self, symbols: str, numbers: str, value: float, by: int) -> Formed:
        """The same, divided by a number of rows or classes."""
        return (
            Formed(symbols, numbers, value) if by == 1 else Formed(f"({symbols})/{by}", f"({numbers})/{by}", value / by)
        )


Forms: TypeAlias = Callable[[View], Iterator[Formed]]
"""The products that a code with one mistake may form for an entry."""
