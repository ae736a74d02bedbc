"""The exact results of a probe, in arrays, and how far a result is from them. Cached: many candidates share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np

from softjac._budget import budget
from softjac.check import special
from softjac.check.kinds import KINDS
from softjac.check.model import Array, Given, Inputs, Reduction
from softjac.check.oracle import Truth, total, working_precision
from softjac.check.ulp import allowed, format_of, ulp

PRECISION = 256


class TruthArray:
    """Exact entries. value: rounded to float64; with `rest` it has the exact value to about 106 bits.

    Of subnormal values rest is lost: errors of less than half an ulp are 0 there.
    """

    def __init__(self, entries: Any, quantities: list[str]) -> None:
        self.entries = _objects(entries)
        self.value = self._floats(lambda truth: float(truth.value))
        self.value.flags.writeable = False
        self._quantities = quantities
        self._known: dict[tuple[str, str], Array] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the result."""
        return tuple(self.entries.shape)

    def _floats(self, of: Callable[[Truth], float]) -> Array:
        with working_precision(PRECISION):
            flat = [of(truth) for truth in self.entries.ravel()]
        return np.asarray(flat, float).reshape(self.entries.shape)

    @cached_property
    def rest(self) -> Array:
        """What is left of the exact value, rounded to float64."""
        return self._floats(lambda truth: float(truth.value - float(truth.value)) if truth.value.is_finite() else 0.0)

    def distance(self, result: Array) -> Array:
        """|result - exact value|: 0 where both are NaN, or the same infinity; infinite where one alone is."""
        with np.errstate(all="ignore"):
            away = np.abs((np.asarray(result, float) - self.value) - self.rest)
        same = (result == self.value) | (np.isnan(result) & np.isnan(self.value))
        away = np.where(same & ~np.isfinite(self.value), 0.0, away)
        return np.where(np.isnan(away), np.inf, away)

    def ulps(self, result: Array, dtype: str) -> Array:
        """The distance in units in the last place of the exact value."""
        with np.errstate(all="ignore"):
            return np.asarray(self.distance(result) / self._per_dtype("ulp", dtype))

    def budget(self, dtype: str) -> Array:
        """How far each entry may be by the error budget of softjac, in ulps."""
        return np.asarray(self._per_dtype("allowed", dtype) / self._per_dtype("ulp", dtype))

    def within_budget(self, result: Array, dtype: str) -> Array:
        """Whether each entry keeps the error budget of softjac."""
        return np.asarray(self.distance(result) <= self._per_dtype("allowed", dtype))

    def _per_dtype(self, what: str, dtype: str) -> Array:
        if (what, dtype) not in self._known:
            fmt = format_of(dtype)
            quantities = iter(self._quantities if len(self._quantities) > 1 else self._quantities * self.entries.size)

            def one(truth: Truth) -> float:
                quantity = next(quantities)
                if not truth.value.is_finite():
                    return 0.0 if what == "allowed" else 1.0
                if what == "ulp":
                    return float(ulp(truth.value, fmt))
                of = budget(dtype, quantity)
                return float(allowed(truth, fmt, of.ulps, of.factor(fmt.P)).abs_upper())

            self._known[what, dtype] = self._floats(one)
        return self._known[what, dtype]


def _objects(entries: Any) -> Array:
    """Nested lists of truths as an array of objects; a truth is a tuple, which NumPy would take apart."""
    shape: list[int] = []
    inside = entries
    while isinstance(inside, list):
        shape.append(len(inside))
        inside = inside[0]
    result = np.empty(shape, dtype=object)
    for index, truth in zip(np.ndindex(*shape), _flat(entries), strict=True):
        result[index] = truth
    return result


def _flat(entries: Any) -> Iterator[Truth]:
    if isinstance(entries, list):
        for entry in entries:
            yield from _flat(entry)
    else:
        yield entries


def softmax_of(logits: Array) -> Array:
    """Softmax of the rows, rounded to float64."""
    rows = [[float(truth.value) for truth in special.softmax(list(map(float, row)))] for row in np.atleast_2d(logits)]
    return np.asarray(rows, float).reshape(logits.shape)


@lru_cache(maxsize=4096)
def truth(
    kind: str,
    inputs: Inputs,
    *,
    given: Given = "logits",
    reduction: Reduction = "none",
    gradient: Literal["mean", "sum"] = "sum",
    wrt: Given = "logits",
    probs_dtype: str = "float64",
) -> tuple[TruthArray, ...]:
    """The exact result of a kind, one array for each output.

    reduction: of the loss of a batch. gradient: whether that of a batch is of the mean or of the sum of the losses.
    wrt: to what it is the derivative of a loss. probs_dtype: of the probabilities that are given; the other inputs are
    the same in float32.
    """
    rows = _Rows(inputs, given, wrt, probs_dtype)
    if not KINDS[kind].has_targets:
        entries = rows.each(getattr(rows, kind))
        quantity = "operator_entries" if given == "probs" and kind == "softmax_jacobian" else kind
        return (TruthArray(entries, [quantity]),)
    count = inputs.logits.shape[0] if inputs.is_batch else 1
    outputs = []
    for output in KINDS[kind].outputs:
        if output == "scalar":
            losses = rows.each(lambda r: rows.loss(r, Fraction(1, count if reduction == "mean" else 1)))
            outputs.append(TruthArray(losses if reduction == "none" else _added(losses), ["cross_entropy"]))
        else:
            entries = rows.each(lambda r: rows.grad(r, Fraction(1, count if gradient == "mean" else 1)))
            outputs.append(TruthArray(entries, rows.of_gradient()))
    return tuple(outputs)


def _added(losses: Any) -> Truth:
    if not isinstance(losses, list):
        return losses  # type: ignore[no-any-return]
    with working_precision(2 * PRECISION):
        return Truth(total([x.value for x in losses]), total([x.scale for x in losses]))


class _Rows:
    """The rows of the inputs, one function for each kind."""

    def __init__(self, inputs: Inputs, given: Given, wrt: Given, probs_dtype: str) -> None:
        self._inputs, self._given, self._wrt = inputs, given, wrt
        probs = inputs.probs.astype(probs_dtype).astype(float)
        self._z = np.atleast_2d(inputs.logits).tolist()
        self._p = np.atleast_2d(probs).tolist()
        self._v = None if inputs.cotangent is None else np.atleast_2d(inputs.cotangent).tolist()
        self._t = None if inputs.targets is None else np.atleast_2d(inputs.targets).tolist()

    def each(self, of: Callable[[int], Any]) -> Any:
        """Of every row, in a list; of a vector alone."""
        return [of(r) for r in range(len(self._z))] if self._inputs.is_batch else of(0)

    def _by_probs(self, r: int) -> special.FromProbabilities | None:
        return special.FromProbabilities(self._p[r]) if self._given == "probs" else None

    def softmax(self, r: int) -> Any:
        return special.softmax(self._z[r])

    def log_softmax(self, r: int) -> Any:
        return special.log_softmax(self._z[r])

    def logsumexp(self, r: int) -> Any:
        return special.logsumexp(self._z[r])

    def softmax_jacobian(self, r: int) -> Any:
        by = self._by_probs(r)
        return by.softmax_jacobian() if by else special.softmax_jacobian(self._z[r])

    def softmax_vjp(self, r: int) -> Any:
        by, v = self._by_probs(r), self._needed(self._v)
        return by.softmax_vjp(v[r]) if by else special.softmax_vjp(self._z[r], v[r])

    def loss(self, r: int, factor: Fraction) -> Any:
        by, t = self._by_probs(r), self._needed(self._t)
        return by.loss(t[r], factor) if by else special.LossOfRow(self._z[r], t[r], factor).value()

    def grad(self, r: int, factor: Fraction) -> Any:
        by, t = self._by_probs(r), self._needed(self._t)
        if by is None:
            return special.LossOfRow(self._z[r], t[r], factor).grad()
        return by.grad_by_probs(t[r], factor) if self._wrt == "probs" else by.grad_by_logits(t[r], factor)

    def of_gradient(self) -> list[str]:
        """The budget of each entry: of soft targets it has a scale."""
        quantities = []
        for row in self._needed(self._t):
            soft = sum(x != 0 for x in row) != 1 or (self._given == "probs" and self._wrt == "logits")
            quantities += ["cross_entropy_grad_soft" if soft else "cross_entropy_grad"] * len(row)
        return quantities

    @staticmethod
    def _needed(operand: Any) -> Any:
        if operand is None:
            raise ValueError("the inputs have no second operand, which this kind needs")
        return operand
