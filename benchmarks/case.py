"""What a benchmark is, and what comes out of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .timing import Call, Effort, alternate, peak_memory, spread

WORTH_MEASURING_BYTES = 4 << 20  # peak memory below this is lost in the page counters


@dataclass(frozen=True)
class Settings:
    """How one run is made. size: "full", "quick" (fewer shapes, no peak memory) or "tiny" (a few numbers)."""

    size: str
    threads: int
    effort: Effort

    @property
    def is_full(self) -> bool:
        """Whether every shape is measured."""
        return self.size == "full"

    def shrink(self, *shape: int) -> tuple[int, ...]:
        """The shape itself, or a tiny one."""
        return tuple(min(length, 6) for length in shape) if self.size == "tiny" else shape


@dataclass(frozen=True)
class Goal:
    """A ratio peer time / our time, and the least it should be with one thread. A job gathers several cases."""

    job: str
    ours: str
    peer: str
    at_least: float | None = None
    aim: float | None = None


@dataclass(frozen=True)
class Figure:
    """One number that came out. low, high: the middle half of the rounds."""

    job: str
    ours: str
    peer: str
    value: float
    low: float
    high: float
    unit: str = "x"
    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None

    @property
    def verdict(self) -> str | None:
        """How the value stands to its floor or its limit: "pass", "miss", or None without one."""
        if self.at_least is not None:
            return "pass" if self.value >= self.at_least else "miss"
        if self.at_most is not None:
            return "pass" if self.value <= self.at_most else "miss"
        return None

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"verdict": self.verdict}


@dataclass
class Outcome:
    """What a case gave: times by contender, figures, and what had to be left out and why."""

    times: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {"times": self.times, "figures": [f.record() for f in self.figures], "skipped": self.skipped}


@dataclass(frozen=True)
class Case:
    """A named measurement. threads: the numbers of threads it is worth measuring with."""

    name: str
    measure: Callable[[Settings], Outcome]
    threads: tuple[int, ...] = (1, 2)


def ratio(goal: Goal, samples: Mapping[str, list[float]], *, binding: bool) -> Figure:
    """Peer time / our time: of the medians; the middle half is that of the rounds, each by itself."""
    ours, peers = samples[goal.ours], samples[goal.peer]
    _, low, high = spread([peer / our for our, peer in zip(ours, peers, strict=True)])
    value = spread(peers)[0] / spread(ours)[0]
    at_least, aim = (goal.at_least, goal.aim) if binding else (None, None)
    return Figure(goal.job, goal.ours, goal.peer, value, low, high, at_least=at_least, aim=aim)


def times(samples: Mapping[str, list[float]], elements: int = 0, moved_bytes: int = 0) -> dict[str, dict[str, Any]]:
    """Seconds a call, with ns an element of the result and bytes per second where they mean something."""
    result = {}
    for name, seconds in samples.items():
        median, low, high = spread(seconds)
        entry: dict[str, Any] = {"median_s": median, "low_s": low, "high_s": high, "rounds": len(seconds)}
        if elements:
            entry["ns_per_element"] = median * 1e9 / elements
        if moved_bytes:
            entry["bytes_per_s"] = moved_bytes / median
        result[name] = entry
    return result


def duel(
    build: Callable[[], dict[str, Call]],
    goals: Iterable[Goal],
    missing: Mapping[str, str],
    *,
    elements: int = 0,
    moved_bytes: int = 0,
) -> Callable[[Settings], Outcome]:
    """A measurement of contenders against each other.

    build: makes the contenders, without the peers that are missing. A contender's first word is its library.
    moved_bytes: the input read once and the result written once, whatever a contender really moves.
    """

    def measure(settings: Settings) -> Outcome:
        contenders = build()
        samples = alternate(contenders, settings.effort)
        outcome = Outcome(times(samples, elements, moved_bytes))
        for goal in goals:
            if goal.peer in samples:
                outcome.figures.append(ratio(goal, samples, binding=settings.threads == 1))
            else:
                outcome.skipped.append(f"{goal.peer}: {missing[goal.peer.split()[0]]}")
        if settings.is_full and moved_bytes >= WORTH_MEASURING_BYTES:
            for name, call in contenders.items():
                outcome.times[name]["peak_bytes"] = peak_memory(call)
        return outcome

    return measure
