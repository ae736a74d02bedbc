"""What a candidate returned, as something to explain: within its own precision, beside what a recipe returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from softjac.check.mistakes import Prediction, Recipe, Situation
from softjac.check.model import Array, Convention, Inputs, Judgement, Level

FAR = 20.0
"""So many tolerances from the truth a wrong number has to be, to speak for a mistake."""

SEVERAL = 5
"""Or so many wrong numbers have to be more than one tolerance from it."""

MANY_NUMBERS = 4096
"""So many numbers an array has at most whose comparison is kept."""

OF_NUMBERS = frozenset({"raised", "shape", "value", "not finite"})
"""Problems that a wrong formula can have."""

_ARITHMETIC = ("OverflowError", "ZeroDivisionError", "FloatingPointError", "math domain error", "expected a positive")
"""What plain Python raises where NumPy has inf or NaN."""


@dataclass(frozen=True)
class Precision:
    """How many digits a candidate's results have. decimals: where they are rounded; relative: otherwise.

    of_one: what is rounded away of numbers next to 1, of which a small number may be the difference.
    """

    relative: float = 1e-9
    decimals: int | None = None
    of_one: float = 0.0

    def tolerance(self, scale: float) -> float:
        """How far its number may be from the one that it stands for, where the largest is scale."""
        rounded = 0.0 if self.decimals is None else 0.5 * 10.0**-self.decimals
        return rounded + self.of_one + self.relative * (scale + 1e-5)


def precision_of(judgements: Iterable[Judgement]) -> Precision:
    """The precision of the results of ordinary probes: what is known of them, or inferred from the numbers.

    Rounded to d decimals: all are multiples of 10^-d. float32 or float16: all are numbers of that type.
    """
    usable = [j for j in judgements if j.probe.level == "exercise" and j.probe.dtype == "float64"]
    written = [j.outcome.decimals for j in usable if j.outcome.decimals is not None]
    if written and len(written) == len(usable):
        return Precision(decimals=max(written))
    numbers = [np.ravel(a) for j in usable for a in j.results or j.outcome.arrays if a.dtype.kind in "fiu"]
    flat = np.concatenate([*numbers, np.empty(0)]).astype(float)
    flat = flat[np.isfinite(flat)]
    flat = flat[flat != np.round(flat, 1)]
    if len(np.unique(flat)) < 6:
        return Precision()
    for decimals in range(2, 9):
        if np.allclose(flat, np.round(flat, decimals), rtol=0, atol=1e-12):
            return Precision(decimals=decimals)
    with np.errstate(all="ignore"):
        if np.array_equal(flat, flat.astype(np.float16).astype(float)):
            return Precision(relative=4e-3)
        if np.array_equal(flat, flat.astype(np.float32).astype(float)):
            return Precision(relative=1e-5, of_one=3e-7)
    return Precision()


class Fit(NamedTuple):
    """A prediction beside a result. far, off: the largest distance from the truth in tolerances; how many are off."""

    matches: bool
    far: bool
    off: int


@dataclass(frozen=True, eq=False)
class Case:
    """A judgement, as something that a mistake has to explain.

    asked: in which situation, as the probe has it. in_float32: whether mistakes are made in float32, too.
    """

    judgement: Judgement
    asked: Situation
    precision: Precision
    in_float32: bool = False

    @cached_property
    def situation(self) -> Situation:
        """As the candidate had it: one row that was passed as a batch is a batch."""
        inputs = self.asked.inputs
        if self.asked.form == "batch" and not inputs.is_batch:
            inputs = _each(inputs, lambda array: array[None])
        if self.in_float32:
            inputs = _each(inputs, lambda array: array.astype(np.float32) if array.dtype.kind == "f" else array)
        return self.asked if inputs is self.asked.inputs else replace(self.asked, inputs=inputs)

    @cached_property
    def results(self) -> tuple[Array, ...]:
        """What the candidate returned, without axes of length 1."""
        return tuple(_squeezed(a) for a in self.judgement.results or self.judgement.outcome.arrays)

    @cached_property
    def truth(self) -> tuple[Array, ...]:
        """What it should have been."""
        return tuple(_squeezed(a) for a in self.judgement.truth)

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to explain."""
        return self.judgement.problem in OF_NUMBERS

    @property
    def is_judged(self) -> bool:
        """Whether its numbers count: not where the process ended or nothing of use came back."""
        return self.judgement.problem in OF_NUMBERS or self.judgement.problem in {"", "changed"}

    @property
    def level(self) -> Level:
        """Of the probe."""
        return self.judgement.probe.level

    @property
    def is_out_of_range(self) -> bool:
        """Whether no wrong number that came back is finite, or what plain Python raises in place of one."""
        error = self.judgement.outcome.error
        if error:
            return _is_arithmetic(error)
        if [r.shape for r in self.results] != [t.shape for t in self.truth]:
            return not any(np.isfinite(r).any() for r in self.results)
        tolerances = (self.precision.tolerance(max(_largest(r), _largest(t))) for r, t in self._pairs)
        with np.errstate(all="ignore"):
            wrong = [np.abs(r - t) > tolerance for (r, t), tolerance in zip(self._pairs, tolerances, strict=True)]
        return not any((w & np.isfinite(r)).any() for w, (r, _) in zip(wrong, self._pairs, strict=True))

    @property
    def _pairs(self) -> list[tuple[Array, Array]]:
        return list(zip(self.results, self.truth, strict=True))

    def is_returned_by(self, recipe: Recipe) -> bool:
        """Whether the candidate returned what a recipe returns."""
        can_be_quick = not self.judgement.outcome.error and len(self.results) == 2
        made = recipe.run(self.situation, self._is_loss if can_be_quick else None)
        if made is None or self.judgement.outcome.error or made.raises:
            return self.fit(made).matches
        return self._same(made.arrays)

    def _is_loss(self, loss: Array) -> bool:
        return self._beside(0, loss).alike

    def fit(self, prediction: Prediction | None) -> Fit:
        """Compare what a mistake returns with what the candidate returned, and with the truth."""
        if prediction is None:
            return Fit(matches=False, far=False, off=0)
        if prediction.raises:
            return Fit(bool(self.judgement.outcome.error), far=True, off=SEVERAL)
        arrays = prediction.arrays
        far, off = self._distance(arrays)
        if self.judgement.outcome.error:
            return Fit(
                _is_arithmetic(self.judgement.outcome.error) and not all(np.isfinite(a).all() for a in arrays), far, off
            )
        return Fit(self._same(arrays), far, off)

    def agrees_to_nine_digits(self, made: Prediction | None) -> bool:
        """Whether every single number does, the smallest too."""
        if made is None or made.raises or len(made.arrays) != len(self.results):
            return False
        decimals = self.precision.decimals
        arrays = [a if decimals is None else np.round(a, decimals) for a in map(_squeezed, made.arrays)]
        with np.errstate(all="ignore"):
            return all(
                a.shape == b.shape and bool(np.isclose(a, b, rtol=1e-9, atol=0, equal_nan=True).all())
                for a, b in zip(arrays, self.results, strict=True)
            )

    def _same(self, arrays: Sequence[Array]) -> bool:
        return len(arrays) == len(self.results) and all(self._beside(k, a).alike for k, a in enumerate(arrays))

    def _distance(self, arrays: Sequence[Array]) -> tuple[bool, int]:
        """Whether it is far from the truth, and how many entries are more than a tolerance from it."""
        compared = [self._beside(k, a) for k, a in enumerate(arrays[: len(self.truth)])]
        if any(one.odd for one in compared):
            return True, SEVERAL
        return any(one.far for one in compared), sum(one.off for one in compared)

    def _beside(self, output: int, array: Array) -> _Compared:
        """One array of a prediction, compared once: thousands of predictions share their arrays."""
        found = self._compared.get((output, id(array)))
        if found is None:
            found = self._compare(output, array)
            if array.size <= MANY_NUMBERS:
                self._compared[output, id(array)] = found
        return found

    @cached_property
    def _compared(self) -> dict[tuple[int, int], _Compared]:
        return {}

    @cached_property
    def _largest_of_truth(self) -> tuple[float, ...]:
        return tuple(map(_largest, self.truth))

    def _compare(self, output: int, array: Array) -> _Compared:
        a = _squeezed(array)
        of_truth = self._largest_of_truth[output] if output < len(self.truth) else 0.0
        tolerance = self.precision.tolerance(max(_largest(a), of_truth))
        alike = output < len(self.results) and _alike(a, self.results[output], tolerance)
        if output >= len(self.truth):
            return _Compared(array, alike)
        t = self.truth[output]
        if a.shape != t.shape:
            return _Compared(array, alike, odd=True)
        with np.errstate(all="ignore"):
            away = np.abs(a - t)
        odd = ~np.isfinite(away)
        if odd.any():
            if (odd & ~((a == t) | (np.isnan(a) & np.isnan(t)))).any():
                return _Compared(array, alike, odd=True)
            away = away[~odd]
        off = int((away > tolerance).sum())
        return _Compared(array, alike, far=off > 0 and bool((away > FAR * tolerance).any()), off=off)


def _is_arithmetic(error: str) -> bool:
    return any(word in error for word in _ARITHMETIC)


def _each(inputs: Inputs, made: Callable[[Array], Array]) -> Inputs:
    """Something made of every array."""

    def of(array: Array | None) -> Array | None:
        return None if array is None else made(array)

    return Inputs(made(inputs.logits), made(inputs.probs), of(inputs.cotangent), of(inputs.targets), of(inputs.labels))


class _Compared(NamedTuple):
    """An array beside that of the candidate and the true one. odd: another shape, or inf or NaN where there is none.

    array: kept, so that no other one has its id.
    """

    array: Array
    alike: bool
    odd: bool = False
    far: bool = False
    off: int = 0


def _alike(a: Array, b: Array, tolerance: float) -> bool:
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        if (np.abs(a - b) <= tolerance).all():
            return True
    finite = np.isfinite(a)
    if finite.all() or not np.array_equal(finite, np.isfinite(b)):
        return False
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return False
    return bool((np.abs(a[finite] - b[finite]) <= tolerance).all())


def _squeezed(a: Array) -> Array:
    """Without axes of length 1: a row, a column and a vector are alike here."""
    return np.asarray(a, dtype=float).squeeze() if a.dtype.kind in "fiub" else np.asarray(np.nan)


def _largest(a: Array) -> float:
    finite = np.abs(a[np.isfinite(a)])
    return float(finite.max()) if finite.size else 0.0


def cases_of(
    judgements: Iterable[Judgement], kind: str, convention: Convention, precision: Precision
) -> tuple[Case, ...]:
    """The judgements of a candidate as cases."""
    narrow = replace(precision, relative=max(1e-5, precision.relative))
    return tuple(
        Case(
            j,
            Situation(kind, j.probe.inputs, convention, j.form, j.targets),
            narrow if "float32" in {j.probe.dtype, convention.dtype} else precision,
        )
        for j in judgements
    )
