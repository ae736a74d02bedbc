"""What the design promises for any row: NaN, infinite, masked and empty ones by its rules, the rest from the oracle.

Slow and plain on purpose; imports nothing of softjac. tests/test_special_values.py holds it against a table written out
by hand, and against limits taken numerically.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb

from functions import Function
from softjac.check.oracle import GivenProbabilities, Row, Truth

INF, NAN = math.inf, math.nan
Expected = dict[tuple[int, ...], Truth]


def value(x: float) -> Truth:
    return Truth(arb(x))


def expected(function: Function, operands: Sequence[Any], part: Sequence[bool] | None = None) -> Expected:
    """The result of a function at every entry. part: which elements take part."""
    z = [float(x) for x in operands[0]]
    tangents = [[float(x) for x in operand] for operand in operands[1:]]
    n = len(z)
    members = [j for j in range(n) if part is None or part[j]]
    if function.name == "logsumexp":
        return {(): _logsumexp([z[j] for j in members])}
    if function.name == "logsumexp_weighted":
        return {(): _logsumexp_weighted([z[j] for j in members], [tangents[0][j] for j in members])}

    outside = value({"log_softmax": -INF, "softmax_complement": 1.0}.get(function.name, 0.0))
    dims = 2 if function.result == "matrix" else 1
    result: Expected = dict.fromkeys(itertools.product(range(n), repeat=dims), outside)
    inside = list(itertools.product(members, repeat=dims))

    def fill(entries: Any, x: float) -> Expected:
        return result | dict.fromkeys(entries, value(x))

    unknown = [x for x in z if math.isnan(x) or (function.takes_probs and math.isinf(x))]
    if any(math.isnan(x) or x in unknown for x in (z[j] for j in members)):
        return fill(inside, NAN)
    if any(math.isnan(tangent[j]) for tangent in tangents for j in members):
        return fill(inside, NAN)
    if not members:
        return result

    tops = [j for j in members if z[j] == INF]
    if len(tops) > 1:
        return fill(itertools.product(tops, repeat=dims), NAN)
    if tops:
        alone = {"softmax": 1.0, "log_softmax": 0.0, "softmax_complement": 0.0}.get(function.name, 0.0)
        return fill(itertools.product(tops, repeat=dims), alone)
    support = [j for j in members if (z[j] != 0.0 if function.takes_probs else z[j] > -INF)]
    if not support:
        return result if function.takes_probs else fill(inside, NAN)

    infinite = [tangent[j] for tangent in tangents for j in support if math.isinf(tangent[j])]
    if infinite:
        return result | _infinite_tangent(function, tangents, support, infinite)
    return result | _ordinary(function, z, tangents, support, dims)


def _ordinary(function: Function, z: Any, tangents: Any, support: list[int], dims: int) -> Expected:
    """The row without the elements that have no part in it."""
    row = (GivenProbabilities if function.takes_probs else Row)([z[j] for j in support])
    entry = getattr(row, function.truth)
    if tangents:
        entry = entry(*([tangent[j] for j in support] for tangent in tangents))
    found = {}
    for place in itertools.product(range(len(support)), repeat=dims):
        found[tuple(support[i] for i in place)] = entry(*place)
    return found


def _infinite_tangent(function: Function, tangents: Any, support: list[int], infinite: list[float]) -> Expected:
    """J fixed. One infinite v_s goes to its own side, and all others to the other one; several have no limit."""
    if len(support) == 1:
        return {(support[0],): value(0.0)}
    if function.name == "softmax_second_derivative" or len(set(infinite)) > 1:
        return {(j,): value(NAN) for j in support}
    own = infinite[0] if len(infinite) == 1 else NAN
    return {(j,): value(own if math.isinf(tangents[0][j]) else -infinite[0]) for j in support}


def _logsumexp(z: list[float]) -> Truth:
    if any(map(math.isnan, z)):
        return value(NAN)
    finite = [x for x in z if x > -INF]
    if INF in z or not finite:
        return value(INF if finite else -INF)
    return Row(finite).logsumexp()


def _logsumexp_weighted(z: list[float], b: list[float]) -> Truth:
    """Weight 0 takes no part. Infinite terms of one sign decide; exp(-inf) times an infinite weight is unknown."""
    terms = [(x, y) for x, y in zip(z, b, strict=True) if y != 0.0]
    if any(math.isnan(x) or math.isnan(y) or (x == -INF and math.isinf(y)) for x, y in terms):
        return value(NAN)
    endless = {y > 0 for x, y in terms if x == INF or math.isinf(y)}
    if endless:
        return value(INF if endless == {True} else NAN)
    finite = [(x, y) for x, y in terms if x > -INF]
    if not finite:
        return value(-INF)
    return Row([x for x, _ in finite]).logsumexp_weighted([y for _, y in finite])


def as_array(found: Expected, dtype: Any = float) -> Any:
    """Expected entries as a (nearest) array, to compare by eye and where they are exact."""
    if () in found:
        return np.asarray(float(found[()].value), dtype)
    shape = np.max(list(found), axis=0) + 1 if found else (0,)
    result = np.zeros(shape, dtype)
    for entry, truth in found.items():
        result[entry] = float(truth.value)
    return result
