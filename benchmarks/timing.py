"""Times of several functions in one run, turn by turn, and the memory that a call takes."""

import ctypes
import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

Call = Callable[[], Any]


@dataclass(frozen=True)
class Effort:
    """How long a case is measured. sample_s: calls are repeated until they take this long together."""

    seconds: float
    least_rounds: int
    most_rounds: int
    sample_s: float


EFFORTS = {
    "full": Effort(4.0, 11, 401, 1e-3),
    "quick": Effort(0.15, 3, 51, 5e-4),
    "tiny": Effort(0.0, 2, 2, 1e-6),
}


def seconds_of(call: Call, calls: int = 1) -> float:
    start = time.perf_counter()
    for _ in repeat(None, calls):
        call()
    return (time.perf_counter() - start) / calls


def alternate(contenders: Mapping[str, Call], effort: Effort) -> dict[str, list[float]]:
    """Seconds a call of each contender, one sample a round; every round begins with another contender.

    An untimed call comes before each sample. So no contender pays for the caches another one left, nor for threads of
    another library that still spin.
    """
    calls = {}
    for name, call in contenders.items():
        call()
        calls[name] = max(1, math.ceil(effort.sample_s / max(seconds_of(call), 1e-9)))
    names = list(contenders)
    samples: dict[str, list[float]] = {name: [] for name in names}
    collecting = gc.isenabled()
    gc.disable()
    try:
        end = time.perf_counter() + effort.seconds
        for turn in range(effort.most_rounds):
            if turn >= effort.least_rounds and time.perf_counter() > end:
                break
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                contenders[name]()
                samples[name].append(seconds_of(contenders[name], calls[name]))
    finally:
        if collecting:
            gc.enable()
    return samples


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, lower and upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return median, low, high


def peak_memory(call: Call) -> int | None:
    """Bytes that one call takes at its height on top of what was there, its result included. None where unknown.

    By the kernel's count of resident pages, which is right to about half a megabyte.
    """
    try:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # or the call would find free pages that are already counted
        Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is resident now
        before = _resident("VmRSS")
        result = call()
        peak = _resident("VmHWM")
    except (OSError, AttributeError, KeyError):
        return None
    del result
    return max(0, peak - before)


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(dict(line.split(":", 1) for line in lines)[field].split()[0]) * 1024
