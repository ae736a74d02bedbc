"""The exact results that the accuracy tests compare with: which entries of which rows, computed once for each dtype."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from flint import arb

import hard_rows
from functions import FUNCTIONS, Function
from hard_rows import HardRow
from softjac.check.oracle import Entry, GivenProbabilities, Row, Truth

ALL_UP_TO = 40  # longer rows are checked at some of their entries
LONGEST_JACOBIAN = 100


class Case(NamedTuple):
    """One row of operands, and what is checked of its result: truths[entry]; entry is () where it is one number."""

    label: str
    operands: tuple[Any, ...]
    truths: dict[tuple[int, ...], Truth]


@cache
def cases(function_name: str, dtype_name: str) -> list[Case]:
    """Every hard row with some tangents, as a function of this name takes them."""
    function = FUNCTIONS[function_name]
    return [
        case
        for row in hard_rows.hard_rows(dtype_name)
        if function.result != "matrix" or len(row.logits) <= LONGEST_JACOBIAN
        for case in cases_of_row(function, row, row_truth(row.name, dtype_name))
    ]


@cache
def row_truth(name: str, dtype_name: str) -> Row:
    return Row(next(row.logits for row in hard_rows.hard_rows(dtype_name) if row.name == name))


@cache
def long_cases(dtype_name: str) -> dict[str, list[Case]]:
    """Rows of 131072 classes, for each function but the Jacobian."""
    names = [name for name, function in FUNCTIONS.items() if function.result != "matrix"]
    found: dict[str, list[Case]] = {name: [] for name in names}
    for number, row in enumerate(hard_rows.long_rows(dtype_name)):
        truth = Row(row.logits)
        for name in names:
            if number == 0 or not FUNCTIONS[name].tangents:
                found[name] += cases_of_row(FUNCTIONS[name], row, truth)
    return found


@cache
def cases_with_tangents(make: Callable[[HardRow], Any], function_name: str, dtype_name: str) -> list[Case]:
    """Some rows, each with all the tangents that `make` gives."""
    function, found = FUNCTIONS[function_name], []
    for row in hard_rows.hard_rows(dtype_name, longest=100)[::7]:
        truth = row_truth(row.name, dtype_name)
        found += cases_of_row(function, row, truth, list(make(row)))
    return found


def _keeps_digits(logits: Any, weights: Any) -> bool:
    """Whether a weighted sum keeps any digit: one that cancels to 2^-40 of its terms tells nothing about its log."""
    z, b = (np.asarray(x, np.float64) for x in (logits, weights))
    taken = b != 0.0
    with np.errstate(all="ignore"):
        terms = b[taken] / np.max(np.abs(b), initial=1e-300) * np.exp(z[taken] - np.max(z[taken], initial=-np.inf))
    return abs(math.fsum(terms)) >= 2.0**-40 * math.fsum(np.abs(terms))


def cases_of_row(
    function: Function, row: HardRow, truth: Row, tangents: Sequence[tuple[str, Any]] = ()
) -> Iterator[Case]:
    """The row itself, or with tangents: those given, or two of the table's in turn (one for a long row)."""
    if function.name == "logsumexp":
        yield Case(row.name, (row.logits,), {(): truth.logsumexp()})
    elif function.name == "softmax_jacobian":
        pairs = {(i, j): truth.softmax_jacobian(i, j) for i, j in _pairs(row)}
        yield Case(row.name, (row.logits,), pairs)
    elif not function.tangents:
        entry = getattr(truth, function.name)
        yield Case(row.name, (row.logits,), {(i,): entry(i) for i in _entries(row)})
    else:
        for label, vectors in _combined(function, tangents or _in_turn(function, row)):
            if function.name == "logsumexp_weighted":
                exact = truth.logsumexp_weighted(*vectors)
                if exact.value == arb.neg_inf() or _keeps_digits(row.logits, *vectors):
                    yield Case(f"{row.name}, {label}", (row.logits, *vectors), {(): exact})
                continue
            first = _rounded_probabilities(row) if function.takes_probs else row.logits
            of_row = GivenProbabilities(first) if function.takes_probs else truth
            entries: Entry = getattr(of_row, function.truth)(*vectors)
            yield Case(f"{row.name}, {label}", (first, *vectors), {(i,): entries(i) for i in _entries(row)})


def _combined(function: Function, tangents: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Each tangent, with the one two places on where a function takes two."""
    for i in range(len(tangents)):
        some = [tangents[(i + 2 * t) % len(tangents)] for t in range(function.tangents)]
        yield " and ".join(label for label, _ in some), [vector for _, vector in some]


def _in_turn(function: Function, row: HardRow) -> list[tuple[str, Any]]:
    make = hard_rows.weights if function.name == "logsumexp_weighted" else hard_rows.tangents
    kinds = list(make(row))
    start = sum(row.name.encode())  # every kind of tangent meets every kind of row
    some = [kinds[(start + i) % len(kinds)] for i in range(2)]
    return some[:1] if len(row.logits) > 1000 else some


def _rounded_probabilities(row: HardRow) -> Any:
    """Probabilities as somebody would have kept them: in the dtype, and not exact."""
    with np.errstate(all="ignore"):
        z = row.logits.astype(np.float64)
        e = np.exp(np.maximum(z - z.max(), -1e4))
        return (e / e.sum()).astype(row.logits.dtype)


def _entries(row: HardRow) -> list[int]:
    n = len(row.logits)
    if n <= ALL_UP_TO:
        return list(range(n))
    z = row.logits.astype(np.float64)
    some = [0, 1, 15, 16, 17, n // 2, n - 17, n - 16, n - 2, n - 1, int(z.argmax()), int(z.argmin())]
    some += hard_rows.rng_for(f"entries {row.name}").integers(0, n, 12).tolist()
    return sorted(set(some))


def _pairs(row: HardRow) -> list[tuple[int, int]]:
    n = len(row.logits)
    if n <= 10:
        return [(i, j) for i in range(n) for j in range(n)]
    some, k = _entries(row), int(row.logits.astype(np.float64).argmax())
    rng = hard_rows.rng_for(f"pairs {row.name}")
    pairs = [(i, i) for i in some] + [(i, k) for i in some[::2]] + [(k, i) for i in some[1::2]]
    return sorted({*pairs, *map(tuple, rng.integers(0, n, (30, 2)).tolist())})
