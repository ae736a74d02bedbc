"""The truth for the operator: dense linear algebra on the n x n entries, by ball arithmetic of many digits.

No closed form of the operator is used here: solves are by elimination, factors by Cholesky's steps on the entries,
eigenvalues by counting the negative pivots of J - x I (Sylvester's law of inertia).
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np
from flint import arb, arb_mat

from softjac.check.oracle import exact, total, working_precision

BITS = 2400  # 720 digits: elimination on gaps of 300 loses 870 bits, a right side p - y as many again
GAPS = (0, 5, 40, 300)
LENGTHS = (1, 2, 3, 7, 64)
DAMPINGS = (1e-12, 1e-6, 1.0, 1e3)
KINDS = ("even", "up", "up and down")
UNDERFLOW = arb(2) ** -1021  # a double below this keeps no 53 bits


def logits_of(gap: int, n: int, kind: str) -> Any:
    """Even: logits from 0 to 1, or all equal for gap 0. Up: random, and one higher by gap. Down: one lower as well."""
    rng = np.random.default_rng(1000 * gap + n)
    z = rng.standard_normal(n)
    if kind == "even":
        z = np.linspace(0.0, 1.0, n) if gap else np.zeros(n)
    z[n // 2] += gap
    if kind == "up and down":
        z[0] -= gap
    return z


ROWS_OF_LOGITS = [logits_of(gap, n, kind) for gap in GAPS for n in (2, 3, 7) for kind in KINDS]


class Dense:
    """Weight * J + damping * I for one row, entry by entry."""

    def __init__(self, p: Sequence[arb], weight: float = 1.0, damping: float = 0.0) -> None:
        self.p, self.n = list(p), len(p)
        self.weight, self.damping = weight, damping
        with working_precision(BITS):
            q = [total([y for j, y in enumerate(p) if j != i]) for i in range(self.n)]
            self.J = [[p[i] * q[i] if i == j else -p[i] * p[j] for j in range(self.n)] for i in range(self.n)]
            w, t = exact(weight), exact(damping)
            self.entries = [[w * x + (t if i == j else 0) for j, x in enumerate(r)] for i, r in enumerate(self.J)]

    @property
    def is_singular(self) -> bool:
        return self.damping == 0.0

    @cached_property
    def matrix(self) -> arb_mat:
        return arb_mat(self.entries)

    @cached_property
    def _regular(self) -> arb_mat:
        """The matrix, and where that is singular with 1 1^T / n added: the pseudo-inverse is its inverse less that."""
        with working_precision(BITS):
            return self.matrix + arb_mat([[self._ones] * self.n] * self.n)

    @property
    def _ones(self) -> arb:
        return arb(1) / self.n if self.is_singular else arb(0)

    def solve(self, right_sides: Sequence[Any]) -> list[list[arb]]:
        """Of least norm among those of least squares, one for each right side."""
        with working_precision(BITS):
            columns = [[exact(x) for x in b] for b in right_sides]
            if self.is_singular:
                columns = [[x - total(b) / self.n for x in b] for b in columns]
            transposed = arb_mat([list(x) for x in zip(*columns, strict=True)])
            return [list(x) for x in zip(*self._regular.solve(transposed).table(), strict=True)]

    @cached_property
    def log_pseudo_determinant(self) -> arb:
        with working_precision(BITS):
            return self._regular.det().log()

    @cached_property
    def cholesky(self) -> list[list[arb]]:
        """Lower triangular, by the steps of Cholesky; the last pivot of a singular one is 0."""
        with working_precision(BITS):
            rest, n = [list(r) for r in self.entries], self.n
            L = [[arb(0)] * n for _ in range(n)]
            for j in range(n - 1 if self.is_singular else n):
                L[j][j] = rest[j][j].sqrt()
                for i in range(j + 1, n):
                    L[i][j] = rest[i][j] / L[j][j]
                for i in range(j + 1, n):
                    for k in range(j + 1, i + 1):
                        rest[i][k] -= L[i][j] * L[k][j]
            return L

    def count_below(self, x: arb) -> int:
        """How many eigenvalues are less than x: the negative pivots of J - x I."""
        with working_precision(BITS):
            rest, n = [[y - (x if i == j else 0) for j, y in enumerate(r)] for i, r in enumerate(self.entries)], self.n
            negative = 0
            for j in range(n):
                negative += is_negative(rest[j][j])
                for i in range(j + 1, n):
                    factor = rest[j][i] / rest[j][j]
                    for k in range(i, n):
                        rest[i][k] -= factor * rest[j][k]
            return negative

    def count_below_of_plain(self, x: arb) -> int:
        """The same in O(n), plain J only: J - x I is what eliminating 1 leaves of [[1, p], [p, D - x I]]."""
        with working_precision(BITS):
            of_poles = sum(is_negative(y - x) for y in self.p)
            return of_poles + is_negative(1 - total([y * y / (y - x) for y in self.p]))


def is_negative(x: arb) -> bool:
    assert x > 0 or x < 0
    return bool(x < 0)


@cache
def probabilities(gap: int, n: int, kind: str) -> tuple[arb, ...]:
    with working_precision(BITS):
        e = [exact(x).exp() for x in logits_of(gap, n, kind)]
        return tuple(x / total(e) for x in e)


@cache
def dense(gap: int, n: int, kind: str, weight: float = 1.0, damping: float = 0.0) -> Dense:
    return Dense(probabilities(gap, n, kind), weight, damping)


@cache
def right_sides(gap: int, n: int, kind: str) -> tuple[Any, ...]:
    """Random ones, two classes' gradients p - y rounded to doubles, and one with a large offset."""
    rng = np.random.default_rng(n)
    p = np.array([float(x.mid()) for x in probabilities(gap, n, kind)])
    return (
        rng.standard_normal(n),
        p - np.eye(n)[n // 3],
        p - np.eye(n)[n // 2],
        rng.standard_normal(n) + 1e6,
    )


@cache
def solutions(gap: int, n: int, kind: str, damping: float, weight: float = 1.0) -> list[list[arb]]:
    return dense(gap, n, kind, weight, damping).solve(right_sides(gap, n, kind))


def times(matrix: Sequence[Sequence[arb]], x: Sequence[Any]) -> list[arb]:
    """Matrix times the vector of floats x."""
    with working_precision(BITS):
        v = [exact(y) for y in x]
        return [total([a * y for a, y in zip(r, v, strict=True)]) for r in matrix]


def transposed(matrix: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(x) for x in zip(*matrix, strict=True)]


def normwise(results: Any, truths: Sequence[arb], scale: Sequence[arb] = ()) -> float:
    """Largest error over the largest truth, or the largest of scale; infinite for a NaN. Underflow is no error."""
    results = list(np.asarray(results).ravel())
    if any(not isinstance(x, arb) and np.isnan(x) for x in results):
        return float("inf")
    with working_precision(BITS):
        results = [x if isinstance(x, arb) else exact(x) for x in results]
        error = max((abs(x - y).abs_upper() for x, y in zip(results, truths, strict=True)), default=arb(0))
        size = max((abs(y).abs_lower() for y in scale or truths), default=arb(0))
        return float((error / (size + UNDERFLOW)).abs_upper())


@cache
def inverse_of_cholesky(gap: int, n: int, kind: str, weight: float, damping: float) -> list[list[arb]]:
    """The inverse of the triangular factor; a row and a column with the pivot 0 are 0 in it."""
    L = dense(gap, n, kind, weight, damping).cholesky
    with working_precision(BITS):
        m = n - 1 if damping == 0.0 else n
        inside = arb_mat([r[:m] for r in L[:m]]).inv().table() if m else []
        return [[*r, *[arb(0)] * (n - m)] for r in inside] + [[arb(0)] * n] * (n - m)
