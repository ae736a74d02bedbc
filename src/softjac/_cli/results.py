"""A command's work on its logits, done block by block, so that no more is held at once than is being written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from softjac._cli.arrays import Array
from softjac._cli.errors import CommandError
from softjac._cli.logits import Logits
from softjac._cli.progress import Progress

_BLOCK = 1 << 18  # numbers in a block: some megabytes, and a tenth of a second to write as text


@dataclass(frozen=True)
class Results:
    """What ``compute(logits, axis)`` gives: ``core`` is 1 where a vector gives a vector, 2 where it gives a matrix."""

    compute: Callable[[Array, int], Array]
    core: int
    logits: Logits
    progress: Progress
    bar: bool = True  # whether a progress bar may stand beside what is written

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the whole result, as NumPy has it: that of the logits, or their batch and (n, n)."""
        if self.core == 1:
            return self.logits.values.shape
        rows, n = self.logits.vectors.shape
        return (rows, n, n) if self.logits.has_rows else (n, n)

    def of(self, row: int) -> Array:
        """The result for one vector of logits."""
        self.check_memory()
        return self.part(row)

    def part(self, rows: int | slice) -> Array:
        """The result for one vector of logits, or for some of them, one a row."""
        return self.compute(self.logits.vectors[rows], -1)

    def whole(self) -> Array:
        """The result for all logits at once, in NumPy's shape."""
        return self.compute(self.logits.values, self.logits.axis)

    def blocks(self) -> Iterator[slice]:
        """The vectors of logits, in blocks of which the results are not too large to hold."""
        step = max(1, _BLOCK // self.logits.vectors.shape[1] ** self.core)
        for start in range(0, len(self.logits.vectors), step):
            yield slice(start, start + step)

    def items(self) -> Iterator[Array]:
        """The whole result along its first axis where the logits have rows, else as one item. Counts as progress."""
        self.check_memory()
        if not self.logits.has_rows:
            self.progress.start("writing", self.shape[0], self.bar)
            yield self.whole()
            return
        self.progress.start("writing", self.shape[0] * (self.shape[1] if self.core == 2 else 1), self.bar)
        if self.core == 1 and self.logits.axis == 0:
            yield from self.whole()
            return
        for rows in self.blocks():
            yield from self.part(rows)

    def lines(self, item: Array) -> Iterator[Array]:
        """The rows of an item, each counted as progress: of a matrix its rows, of a vector itself."""
        for row in np.atleast_2d(item):
            yield row
            self.progress.advance()

    def check_memory(self) -> None:
        """Refuse a result of which one piece is larger than this machine's memory, before it is made."""
        numbers = self.logits.vectors.shape[1] ** self.core
        size = numbers * self.logits.values.dtype.itemsize
        if size > _memory():
            n = self.logits.vectors.shape[1]
            raise CommandError(f"the result for {n} classes has {numbers} numbers ({size / 1e9:.0f} GB): too many")


def _memory() -> float:
    """Bytes of this machine's memory, infinite where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")
