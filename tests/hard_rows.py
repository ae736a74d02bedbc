"""Rows of finite logits that are hard to get right, in one table for all tests, and tangents for each of them."""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from softjac.check.ulp import Format, format_of

LENGTHS = [1, 2, 3, 10, 15, 16, 17, 31, 33, 64, 100, 1000, 4096]
LONGEST = 131072
DEVIATIONS = [0.1, 1.0, 3.0, 10.0, 30.0]
# Around the ends of exp's range: of float16, of float32 and bfloat16, and of double.
GAPS = [0.0, 1e-9, 1e-4, 0.5, 1.0, 8.0, 9.75, 17.0, 17.5, 37.0, 87.4, 88.8, 103.3, 104.0, 200.0, 345.0, 350.0]
GAPS += [600.0, 700.0, 708.3, 708.5, 720.0, 740.0, 744.5, 745.2, 800.0]


class HardRow(NamedTuple):
    name: str
    logits: Any


class Limits(NamedTuple):
    """Ends of a format's range, as floats of double."""

    largest: float
    smallest: float
    log_of_smallest_normal: float


def limits(dtype: Any) -> Limits:
    fmt: Format = format_of(dtype if dtype.itemsize <= 8 else np.float64)
    largest = float((2.0 - 2.0 ** (1 - fmt.P)) * 2.0**fmt.emax)
    return Limits(largest, math.ldexp(1.0, fmt.emin - fmt.P + 1), fmt.emin * math.log(2.0))


def rng_for(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


@cache
def hard_rows(dtype_name: str, longest: int = 4096) -> list[HardRow]:
    """The table for one dtype: every row rounded to it, all finite. Rows longer than `longest` are left out."""
    dtype = _dtype(dtype_name)
    rows = []
    for name, logits in _rows(dtype):
        with np.errstate(all="ignore"):
            row = np.asarray(logits).astype(dtype)
        assert np.isfinite(row.astype(np.float64)).all(), name
        row.flags.writeable = False
        if len(row) <= longest:
            rows.append(HardRow(name, row))
    return rows


def long_rows(dtype_name: str) -> list[HardRow]:
    """Rows of 131072 classes: too long for every test to go through them."""
    dtype, n = _dtype(dtype_name), LONGEST
    most = limits(dtype).largest
    rng = rng_for("long")
    rows = [("long, deviation 10", rng.standard_normal(n) * 10.0)]
    small = np.full(n, -14.0)
    small[n // 3] = -0.1
    rows.append(("long, log-probabilities", small))
    if dtype.itemsize > 2:
        rows.append(("long, deviation 0.1 far from 0", rng.standard_normal(n) * 0.1 + min(1e3, most / 2)))
    return [HardRow(name, np.asarray(row).astype(dtype)) for name, row in rows]


def _dtype(name: str) -> Any:
    if name == "bfloat16":
        from ml_dtypes import bfloat16

        return np.dtype(bfloat16)
    return np.dtype(name)


def _rows(dtype: Any) -> Iterator[tuple[str, Any]]:
    yield from _random(dtype)
    yield from _few_values(dtype)
    yield from _gaps(dtype)
    yield from _tiny_probabilities(dtype)
    yield from _ends_of_the_range(dtype)
    yield from _log_probabilities(dtype)
    yield from _close_together(dtype)


def _random(dtype: Any) -> Iterator[tuple[str, Any]]:
    for n in LENGTHS:
        for deviation in DEVIATIONS:
            rng = rng_for(f"random {n} {deviation}")
            yield f"random n={n} deviation={deviation:g}", rng.standard_normal(n) * deviation


def _few_values(dtype: Any) -> Iterator[tuple[str, Any]]:
    most = limits(dtype).largest
    for n in LENGTHS:
        yield f"all equal 0 n={n}", np.zeros(n)
        far = min(1e8, most / 2)
        yield f"all equal {far:g} n={n}", np.full(n, far)
        yield f"alternating n={n}", np.where(np.arange(n) % 2, -3.5, 3.5)
        yield f"alternating, far apart n={n}", np.where(np.arange(n) % 2, -400.0, 400.0)
        for place, k in [("first", 0), ("middle", n // 2), ("last", n - 1)]:
            one = np.zeros(n)
            one[k] = 20.0
            yield f"one dominant, {place} n={n}", one
        if n >= 3:
            tied = rng_for(f"ties {n}").standard_normal(n)
            tied[[0, n // 2, n - 1]] = 5.0
            yield f"ties n={n}", tied
    for gap in [37.0, 90.0, 700.0, 744.0]:
        one = np.zeros(33)
        one[16] = gap
        yield f"one dominant by {gap:g} n=33", one
    # Two groups: the sum of many small terms decides.
    for gap in [6.9, 9.0, 16.0]:
        groups = np.full(1000, -gap)
        groups[7] = 0.0
        yield f"one against many, {gap:g} below", groups


def _gaps(dtype: Any) -> Iterator[tuple[str, Any]]:
    for gap in GAPS:
        yield f"gap {gap:g}", [0.0, -gap]
        yield f"gap {gap:g}, the larger last", [-gap / 2, gap / 2]
    yield "all gaps n=26", -np.asarray(GAPS)
    yield "gaps 0 to 740", -np.linspace(0.0, 740.0, 371)
    edge = -limits(dtype).log_of_smallest_normal  # where probabilities turn subnormal, and then 0
    digits = -math.log(2.0) * (1 - format_of(dtype).P)
    yield "subnormal results", np.concatenate([[0.0], -np.linspace(edge - 1.0, edge + digits + 2.0, 99)])
    yield "subnormal results, ties", np.concatenate([np.zeros(5), -np.linspace(edge - 1.0, edge + digits + 2.0, 40)])


def _tiny_probabilities(dtype: Any) -> Iterator[tuple[str, Any]]:
    rng = rng_for("tiny probabilities")
    edge = -limits(dtype).log_of_smallest_normal
    yield "the last normal probabilities", np.concatenate([[0.0], -rng.uniform(edge - 75.0, edge, 150)])
    yield "the first subnormal probabilities", np.concatenate([[0.0], -rng.uniform(edge, edge + 4.5, 300)])
    yield "the first subnormal probabilities, ties", np.concatenate([np.zeros(3), -rng.uniform(edge, edge + 4.5, 150)])
    yield "products of probabilities that are tiny", np.concatenate([[0.0], -rng.uniform(0.0, edge, 40)])
    for x in rng.uniform(edge - 0.5, edge + 4.5, 40):
        yield f"a pair {x:g} apart", [0.0, -x]
    for n in [3, 17, 100]:
        yield f"random n={n} deviation=150", rng.standard_normal(n) * 150.0


def _ends_of_the_range(dtype: Any) -> Iterator[tuple[str, Any]]:
    most, least, _ = limits(dtype)
    yield "subnormal logits", np.arange(-8, 9) * least
    yield "subnormal logits of both signs", [least, -least, 0.0, -0.0]
    yield "a subnormal logit beside others", [least, 1.0, -5 * least, 1.0]
    yield "zeros of both signs", [0.0, -0.0, 0.0, -0.0, -0.0]
    for n in [1, 2, 3, 17, 100]:
        yield f"all the largest n={n}", np.full(n, most)
        yield f"all the least n={n}", np.full(n, -most)
    yield "the largest of both signs", [most, -most]
    yield "the largest of both signs, n=20", np.where(np.arange(20) % 3, -most, most)
    yield "the least and 0", [-most, 0.0, -most]
    yield "the largest and 0", [0.0, most, 1.0]
    yield "huge", np.asarray([0.9, -0.9, 0.5, 0.91, 0.0]) * most
    yield "one huge negative among ordinary ones", [1.0, -most, 2.0, 0.5] * 5
    yield "from small to huge", np.geomspace(least * 4, most / 4, 60)
    yield "the next below the largest", [most, most * (1.0 - 2.0 ** -format_of(dtype).P)]


def _log_probabilities(dtype: Any) -> Iterator[tuple[str, Any]]:
    for n in [2, 3, 10, 17, 100, 1000]:
        for concentration in [0.1, 1.0, 100.0]:
            p = rng_for(f"probabilities {n} {concentration}").dirichlet(np.full(n, concentration))
            floor = -30.0 if dtype.itemsize < 4 else -700.0
            yield f"log-probabilities n={n} concentration={concentration:g}", np.maximum(np.log(p + 1e-320), floor)
    for n in [3, 17, 100, 4096]:
        for rest in [0.5, 0.01, 1e-6]:
            row = np.full(n, math.log(rest / (n - 1)))
            row[n // 2] = math.log1p(-rest)
            yield f"log-probabilities of one big class and {n - 1} of together {rest:g}", row
    yield "log of uniform probabilities", np.full(1000, -math.log(1000.0))


def _close_together(dtype: Any) -> Iterator[tuple[str, Any]]:
    most = limits(dtype).largest
    P = format_of(dtype).P
    for start in [1.0, -8.0, 1000.0, min(1e8, most / 4)]:
        spacing = 2.0 ** (math.floor(math.log2(abs(start))) + 1 - P)
        yield f"sorted, next to each other, at {start:g}", start + spacing * np.arange(50)
    far = min(1e8, most / 4)
    spacing = max(2.0 ** (math.floor(math.log2(far)) + 1 - P), 0.25)
    for n in [3, 17, 100]:
        steps = rng_for(f"offset {n}").integers(0, 40, n)
        yield f"offset {far:g} n={n}", far + spacing * steps
        yield f"offset -{far:g} n={n}", -far + spacing * steps


def tangents(row: HardRow) -> Iterator[tuple[str, Any]]:
    """Vectors to apply the derivatives of a row to."""
    n, dtype, rng = len(row.logits), row.logits.dtype, rng_for(f"tangent {row.name}")
    most = limits(dtype).largest
    ordinary = rng.standard_normal(n)
    one = np.zeros(n)
    one[int(np.argmax(row.logits.astype(np.float64)))] = 1.0
    wide = np.sign(ordinary) * 10.0 ** (rng.uniform(-1, 1, n) * math.log10(most) / 3)
    yield "ordinary", ordinary.astype(dtype)
    yield "one at the maximum", one.astype(dtype)
    yield "offset", (ordinary + min(1e6, most / 8)).astype(dtype)
    yield "of all sizes", wide.astype(dtype)
    yield "constant", np.full(n, 0.7).astype(dtype)


def huge_tangents(row: HardRow) -> Iterator[tuple[str, Any]]:
    """Vectors at the end of the range, where sums of them overflow."""
    n, most = len(row.logits), limits(row.logits.dtype).largest
    signs = np.where(np.arange(n) % 2, 1.0, -1.0)
    yield "largest", np.full(n, most).astype(row.logits.dtype)
    yield "largest of both signs", (signs * most).astype(row.logits.dtype)
    yield "one largest", np.where(np.arange(n) == n // 2, most, 0.0).astype(row.logits.dtype)
    first = int(np.argmax(row.logits.astype(np.float64)))  # so that the results of the others are far smaller
    last = np.where(np.arange(n) == n - 1, -most, np.where(row.logits == row.logits[first], most, 0.0))
    yield "largest where the probability is", last.astype(row.logits.dtype)


def tiny_tangents(row: HardRow) -> Iterator[tuple[str, Any]]:
    """Vectors of subnormal numbers."""
    n, least = len(row.logits), limits(row.logits.dtype).smallest
    yield "tiny", (np.where(np.arange(n) % 2, 3.0, -5.0) * least).astype(row.logits.dtype)


def weights(row: HardRow) -> Iterator[tuple[str, Any]]:
    """Weights b of a log-sum-exp."""
    n, dtype, rng = len(row.logits), row.logits.dtype, rng_for(f"weights {row.name}")
    signed = np.where(rng.random(n) < 0.3, -1.0, 1.0) * rng.uniform(0.0, 2.0, n)
    signed[int(np.argmax(row.logits.astype(np.float64)))] = 3.0
    yield "positive weights", rng.uniform(0.0, 2.0, n).astype(dtype)
    yield "weights of both signs", signed.astype(dtype)
    yield "weights 0 and 1", rng.integers(0, 2, n).astype(dtype)
    yield "equal weights", np.full(n, 1.0 / n).astype(dtype)
