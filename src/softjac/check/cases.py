"""The probes of every kind: questions that tell mistakes apart. Data alone.

Every logit, target and cotangent is a number of float32, so that a candidate that computes in float32 is asked the
same question. The logits of a row are distinct and never equally spaced, but where a probe is about ties: [1, 2, 3]
has entries of the wrong Jacobian where those of the right one are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from softjac.check.kinds import KINDS
from softjac.check.model import Array, Inputs, Level, Probe
from softjac.check.truths import softmax_of

INF, NAN = float("inf"), float("nan")


@dataclass(frozen=True)
class Quality:
    """What probes test. title: a sentence for a report."""

    name: str
    title: str
    level: Level


QUALITIES: dict[str, Quality] = {
    quality.name: quality
    for quality in (
        Quality("vectors", "It is right for vectors of three classes.", "exercise"),
        Quality("sizes", "It is right for vectors of 2, 4, 5 and 10 classes.", "exercise"),
        Quality("batch", "It is right for batches, where the number of rows is not that of the classes.", "exercise"),
        Quality("square_batch", "It is right for a batch of as many rows as classes.", "exercise"),
        Quality("batch_of_one", "It is right for a batch of one row.", "exercise"),
        Quality("integers", "It is right for integers.", "exercise"),
        Quality("lists", "It is right for lists, or refuses them.", "exercise"),
        Quality("float32", "It is right for float32.", "exercise"),
        Quality("read_only", "It is right for arrays that cannot be written to.", "exercise"),
        Quality("same_again", "It gives the same answer for the same arguments.", "exercise"),
        Quality("input_kept", "It leaves its arguments as they are.", "exercise"),
        Quality("soft_targets", "It is right for targets that are distributions.", "exercise"),
        Quality("one_class", "It is right for one class alone.", "stable"),
        Quality("large_logits", "It is right for logits of 1000 and -1000.", "stable"),
        Quality("distant_rows", "It is right for a batch whose rows are 900 apart.", "stable"),
        Quality("minus_infinity", "It is right where a logit is -inf, as a mask has it.", "stable"),
        Quality("saturated", "It is right for confident rows: a loss of 800 is 800.", "stable"),
        Quality("unnormalised_targets", "It is right for targets whose sum is not 1.", "stable"),
        Quality("hard_rows", "It is right to the last digits on hard rows.", "exact"),
        Quality("tails", "It keeps the digits of what is tiny: confident rows, probabilities near 0.", "exact"),
        Quality("special_values", "It has the limits, or NaN, where a row has inf or NaN or is all -inf.", "exact"),
        Quality("equal_logits", "It is right for equal logits, which hide most mistakes.", "exercise"),
    )
}


@dataclass(frozen=True)
class _Case:
    """Logits with second operands. labels: one class for each row. targets: in place of labels."""

    quality: str
    logits: Any
    labels: Any = None
    targets: Any = None
    cotangent: Any = None
    name: str = ""
    dtype: str = "float64"
    as_list: bool = False
    read_only: bool = False
    repeat: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


_JACOBIAN = ("softmax_jacobian",)
_FIVE = [-0.75, 2.5, 0.25, 1.75, -2.5]
_TEN = [0.25, -1.5, 3.125, 0.75, -0.125, 2.0, -3.0, 1.375, -2.25, 4.5]
_MIXED = [3.0, -0.5, 2.0, 0.0, 1.0, -1.0, 0.25, 1.5, -2.0, 0.75]
_SQUARE = [[1.0, 2.0, 4.0], [0.5, -1.75, 0.0], [3.0, 2.5, -0.25]]
_TALL = [[2.0, 0.5, -1.75], [1.0, 2.0, 4.0], [-3.5, -1.0, -4.25], [0.25, 3.0, 1.5]]
_WIDE = [[0.5, -1.0, 2.25, 3.0, 0.0], [1.0, 4.0, 2.0, -0.5, 7.0]]

_ORDINARY: tuple[_Case, ...] = (
    _Case("vectors", [1.0, 2.0, 4.0], labels=1, cotangent=[1.0, -2.0, 0.5]),
    _Case("vectors", [2.0, 0.5, -1.75], labels=0, cotangent=[0.25, 3.0, -1.0]),
    _Case("vectors", [-3.5, -1.0, -4.25], labels=2, cotangent=[0.0, 0.0, 1.0]),
    _Case("vectors", [0.0, 8.0, 1.5], labels=0, cotangent=[-4.0, 2.0, 7.0]),
    _Case("soft_targets", [1.0, 2.0, 4.0], targets=[0.25, 0.625, 0.125]),
    _Case("soft_targets", [2.0, 0.5, -1.75, 1.0], targets=[0.0, 0.5, 0.375, 0.125]),
    _Case("sizes", [0.5, -1.25], labels=1, cotangent=[2.0, 0.5]),
    _Case("sizes", [0.5, -1.0, 2.25, 3.0], labels=3, cotangent=[1.0, 0.0, -0.5, 2.0]),
    _Case("sizes", _FIVE, labels=0, cotangent=[0.5, -1.0, 4.0, 2.0, -3.0]),
    _Case("sizes", _FIVE, labels=4, cotangent=[0.0, 1.0, 0.0, 0.0, 0.0], skip=("softmax", "softmax_jacobian")),
    _Case("sizes", _TEN, labels=6, cotangent=[1.0, -0.5, 2.0, 0.0, 3.0, -1.0, 0.25, 1.5, -2.0, 0.75]),
    _Case(
        "batch",
        _TALL,
        labels=[2, 0, 1, 0],
        cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [0.0, 1.0, 0.0], [2.0, -0.5, 4.0]],
    ),
    _Case("batch", _WIDE, labels=[0, 4], cotangent=[[1.0, 0.5, -1.0, 2.0, 0.0], [0.0, -3.0, 1.0, 0.25, 0.5]]),
    _Case("soft_targets", _WIDE, targets=[[0.5, 0.0, 0.125, 0.25, 0.125], [0.0, 0.75, 0.0, 0.0625, 0.1875]]),
    _Case("square_batch", _SQUARE, labels=[1, 2, 1], cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [2.0, 0.0, 0.75]]),
    _Case("batch_of_one", [[0.5, -1.0, 2.25, 3.0]], labels=[2], cotangent=[[1.0, 0.0, -0.5, 2.0]]),
    _Case("integers", [1.0, 2.0, 4.0], labels=2, cotangent=[1.0, -2.0, 3.0], dtype="int64"),
    _Case(
        "integers",
        [[3.0, 0.0, 1.0, -3.0, 7.0], [1.0, 2.0, 4.0, 9.0, -3.0]],
        labels=[1, 3],
        cotangent=[[1.0, 0.0, -1.0, 2.0, 3.0], [0.0, 3.0, 1.0, -2.0, 5.0]],
        dtype="int64",
    ),
    _Case("lists", [1.0, 2.0, 4.0], labels=0, cotangent=[1.0, -2.0, 0.5], as_list=True),
    _Case(
        "lists", _WIDE, labels=[3, 1], cotangent=[[1.0, 0.5, -1.0, 2.0, 0.0], [0.0, -3.0, 1.0, 0.25, 0.5]], as_list=True
    ),
    _Case("float32", _FIVE, labels=3, cotangent=[0.5, -1.0, 4.0, 2.0, -3.0], dtype="float32"),
    _Case("float32", _SQUARE[:2], labels=[1, 0], cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], dtype="float32"),
    _Case("read_only", [0.5, -1.0, 2.25, 3.0], labels=1, cotangent=[1.0, 0.0, -0.5, 2.0], read_only=True),
    _Case("same_again", [2.0, 0.5, -1.75], labels=1, cotangent=[1.0, 4.0, -1.0], repeat=True),
    _Case("same_again", _TALL[:2], labels=[1, 2], cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], repeat=True),
    _Case("input_kept", [0.5, -1.0, 2.25, 3.0], labels=0, cotangent=[1.0, 0.0, -0.5, 2.0]),
    _Case("input_kept", _WIDE, labels=[1, 0], cotangent=[[1.0, 0.5, -1.0, 2.0, 0.0], [0.0, -3.0, 1.0, 0.25, 0.5]]),
)

_STABLE: tuple[_Case, ...] = (
    _Case("one_class", [0.75], labels=0, cotangent=[3.0]),
    _Case("large_logits", [1000.0, 0.0], labels=1, cotangent=[1.0, -2.0]),
    _Case("large_logits", [1000.0, 1002.0, 999.5], labels=0, cotangent=[1.0, -2.0, 0.5]),
    _Case("large_logits", [-1000.0, -1001.5, -1000.25], labels=2, cotangent=[0.5, 1.0, -1.0]),
    _Case("large_logits", [-1000.0, 1000.0, 3.0, 998.0], labels=3, cotangent=[1.0, 0.5, -2.0, 3.0]),
    _Case(
        "distant_rows",
        [[1.0, 2.0, 4.0], [903.0, 900.0, 901.75]],
        labels=[1, 1],
        cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]],
    ),
    _Case(
        "distant_rows",
        [[-450.0, -447.5, -451.0], [450.0, 452.0, 446.5], [0.0, 3.5, -2.0], [1.0, 1.5, 0.25]],
        labels=[0, 1, 2, 0],
        cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [0.0, 1.0, 0.0], [2.0, -0.5, 4.0]],
    ),
    _Case("minus_infinity", [1.0, -INF, 2.0, 4.0], labels=2, cotangent=[1.0, 3.0, -2.0, 0.5]),
    _Case("minus_infinity", [-INF, 0.5, -INF, -1.25], labels=1, cotangent=[2.0, 1.0, 0.5, -1.0]),
    _Case(
        "minus_infinity",
        [[1.0, 2.0, -INF], [-INF, 0.5, -1.75]],
        labels=[0, 2],
        cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]],
    ),
    _Case("saturated", [12.0, 0.0, 1.5], labels=1, cotangent=[1.0, -2.0, 0.5]),
    _Case("saturated", [0.0, 20.0, 1.0], labels=0, cotangent=[3.0, 1.0, -2.0]),
    _Case("saturated", [2.0, -1.0, 40.0, 0.25], labels=1, cotangent=[1.0, -1.0, 2.0, 0.5]),
    _Case("saturated", [800.0, 0.0, 3.0], labels=1, cotangent=[0.5, -2.0, 1.0]),
    _Case("saturated", [0.0, -800.0], labels=1, cotangent=[1.0, 2.0]),
    _Case("saturated", [0.0, 800.0, 1.0], labels=1, cotangent=[1.0, 2.0, -1.0]),
    _Case(
        "saturated",
        [[300.0, 0.0, 2.0], [0.5, 1.0, 60.0]],
        labels=[1, 0],
        cotangent=[[1.0, 0.0, -0.5], [0.5, 1.0, -2.0]],
    ),
    _Case("saturated", [0.0, 800.0, 3.0], targets=[0.25, 0.75, 0.0]),
    _Case("unnormalised_targets", [1.0, 2.0, 4.0], targets=[0.5, 0.25, 1.5]),
    _Case("unnormalised_targets", [[2.0, 0.5, -1.75], [0.25, 3.0, 1.5]], targets=[[0.125, 0.5, 0.0], [1.0, 2.0, 0.5]]),
)


def _many(n: int, deviation: float, seed: int) -> list[float]:
    row = np.random.default_rng(seed).standard_normal(n) * deviation
    return [float(x) for x in row.astype(np.float32)]


def _exact() -> Iterator[_Case]:
    hard, tail, odd = "hard_rows", "tails", "special_values"
    ties = [1.5, -2.0, 5.0, 0.25, 5.0, 5.0, -0.75, 1.5, 3.0, -4.0]
    yield _Case(hard, _TEN, labels=2, cotangent=_MIXED)
    yield _Case(hard, ties, labels=3, cotangent=_MIXED, name="a row with ties")
    for n, deviation, kinds in [(200, 10.0, ()), (200, 1.0, ()), (40, 3.0, _JACOBIAN), (40, 30.0, _JACOBIAN)]:
        yield _Case(
            hard,
            _many(n, deviation, n + int(deviation)),
            labels=n // 3,
            cotangent=_many(n, 2.0, n + 1),
            name=f"{n} classes, deviation {deviation:g}",
            only=kinds,
            skip=() if kinds else _JACOBIAN,
        )
    offset = [2.0**17 + x for x in (0.25, -1.5, 2.75, 0.5)]
    yield _Case(hard, _FIVE[:4], labels=1, cotangent=offset, name="cotangents far from 0", only=("softmax_vjp",))
    yield _Case(hard, offset, labels=0, cotangent=[1.0, 0.5, -2.0, 0.0], name="logits far from 0")
    yield _Case(hard, [-5.25, -0.0078125, -6.5], labels=0, cotangent=[1.0, 2.0, 0.5], name="log-probabilities")
    digits = [0.1, -1 / 3, 2.7, np.pi]  # all others are numbers of float32 as well
    yield _Case(hard, digits, labels=2, cotangent=[0.7, -1.1, 0.3, 2.9], name="logits of 16 digits")
    yield _Case(hard, _FIVE, targets=[0.0625, 0.5, 0.25, 0.125, 0.0625])
    yield _Case(hard, _WIDE, labels=[2, 1], cotangent=[[1.0, 0.5, -1.0, 2.0, 0.0], [0.0, -3.0, 1.0, 0.25, 0.5]])
    for gap in (20.0, 40.0, 300.0, 745.0):
        yield _Case(tail, [0.0, gap], labels=1, cotangent=[1.0, -2.0])
        yield _Case(tail, [gap, 0.0, 1.5], labels=0, cotangent=[0.5, 2.0, -1.0])
    yield _Case(tail, [0.0, -17.0, -16.25, -18.5], labels=0, cotangent=[1.0, 0.5, 2.0, -1.0])
    yield _Case(tail, [0.0, 1.0, 90.0], targets=[0.125, 0.0, 0.875])
    yield _Case(
        tail, [[0.0, 37.5, 1.0], [50.0, 2.0, 0.0]], labels=[1, 0], cotangent=[[1.0, 2.0, 0.5], [0.25, 1.0, 3.0]]
    )
    yield _Case(odd, [-INF, -INF, -INF], labels=1, cotangent=[1.0, -2.0, 0.5])
    yield _Case(odd, [1.0, INF, 2.0], labels=1, cotangent=[1.0, -2.0, 0.5])
    yield _Case(odd, [1.0, INF, 2.0], labels=0, cotangent=[1.0, -2.0, 0.5], only=_LOSSES)
    yield _Case(odd, [INF, 1.0, INF], labels=1, cotangent=[1.0, -2.0, 0.5])
    yield _Case(odd, [1.0, NAN, 2.0], labels=0, cotangent=[1.0, -2.0, 0.5])
    yield _Case(odd, [1.0, -INF, 2.0], labels=1, only=_LOSSES)
    yield _Case(odd, [1.0, -INF, 2.0], targets=[0.25, 0.0, 0.75])
    yield _Case(odd, [[1.0, NAN, 2.0], [1.0, 2.0, 4.0]], labels=[0, 1], cotangent=[[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])


_LOSSES = tuple(name for name, kind in KINDS.items() if kind.has_targets)

_LAST: tuple[_Case, ...] = (
    _Case("equal_logits", [0.5, 0.5, 0.5], labels=1, cotangent=[1.0, -2.0, 0.5]),
    _Case(
        "equal_logits",
        [[2.0, 2.0, 2.0], [-1.0, -1.0, -1.0]],
        labels=[0, 1],
        cotangent=[[1.0, -2.0, 0.5], [0.5, 3.0, -1.0]],
    ),
)


@cache
def probes(kind: str) -> tuple[Probe, ...]:
    """The probes of a kind, in the order in which they are asked.

    >>> probes("softmax_jacobian")[0].name
    'z = [1, 2, 4]'
    """
    asked: list[Probe] = []
    for case in (*_ORDINARY, *_STABLE, *_exact(), *_LAST):
        if (case.only and kind not in case.only) or kind in case.skip:
            continue
        found = _inputs(kind, case)
        if found is not None:
            quality = QUALITIES[case.quality]
            name = _unique(_name(case, found), [probe.name for probe in asked])
            asked.append(
                Probe(
                    name,
                    quality.name,
                    quality.level,
                    found,
                    dtype=case.dtype,
                    as_list=case.as_list,
                    read_only=case.read_only,
                    repeat=case.repeat,
                )
            )
    return tuple(asked)


def _inputs(kind: str, case: _Case) -> Inputs | None:
    """The case as the kind takes it, or None where it is not for that kind."""
    logits = np.asarray(case.logits, float)
    of_kind = KINDS[kind]
    cotangent = targets = labels = None
    if of_kind.has_targets:
        if case.targets is not None:
            targets = np.asarray(case.targets, float)
        elif case.labels is not None:
            labels = np.asarray(case.labels)
            targets = one_hot(labels, logits.shape[-1])
        else:
            return None
    elif case.targets is not None:
        return None
    if "cotangent" in of_kind.operands:
        if case.cotangent is None:
            return None
        cotangent = np.asarray(case.cotangent, float)
    probs = softmax_of(logits)
    for array in (logits, probs, cotangent, targets, labels):
        if array is not None:
            array.flags.writeable = False
    return Inputs(logits, probs, cotangent, targets, labels)


def inputs_of(logits: Any, *, cotangent: Any = None, targets: Any = None, labels: Any = None) -> Inputs:
    """Inputs from numbers that somebody has; labels make one-hot targets."""
    logits = np.asarray(logits, float)
    labels = None if labels is None else np.asarray(labels)
    if labels is not None:
        targets = one_hot(labels, logits.shape[-1])
    targets = None if targets is None else np.asarray(targets, float)
    cotangent = None if cotangent is None else np.asarray(cotangent, float)
    return Inputs(logits, softmax_of(logits), cotangent, targets, labels)


def one_hot(labels: Array, n: int) -> Array:
    """1 at the label of each row.

    >>> one_hot(np.asarray(1), 3)
    array([0., 1., 0.])
    """
    return np.asarray(np.asarray(labels)[..., None] == np.arange(n), float)


def numbers(row: Sequence[float] | Array) -> str:
    """A few numbers as they are written by hand: [1, 2, 0.5]."""
    return f"[{', '.join(f'{x:.6g}' for x in np.asarray(row, float))}]"


def _name(case: _Case, inputs: Inputs) -> str:
    if case.name:
        named = case.name
    elif inputs.is_batch:
        rows, n = inputs.logits.shape
        named = f"a batch of {rows} row{'s' * (rows > 1)} and {n} classes"
        if case.quality not in {"batch", "square_batch", "batch_of_one"}:
            named += f" ({_SHORT.get(case.quality, case.quality.replace('_', ' '))})"
    else:
        named = f"z = {numbers(inputs.logits)}"
        if case.quality in _SHORT:
            named += f" ({_SHORT[case.quality]})"
    if inputs.targets is None or inputs.is_batch or case.name:
        return named
    if inputs.labels is None:
        return f"{named}, y = {numbers(inputs.targets)}"
    return f"{named}, y = {int(inputs.labels)}"


_SHORT = {
    "integers": "integers",
    "lists": "lists",
    "float32": "float32",
    "read_only": "read-only",
    "same_again": "asked twice",
    "input_kept": "compared afterwards",
    "soft_targets": "soft targets",
    "hard_rows": "all digits",
    "tails": "all digits",
}


def _unique(name: str, taken: list[str]) -> str:
    count = sum(other == name or other.startswith(f"{name} no. ") for other in taken)
    return f"{name} no. {count + 1}" if count else name
