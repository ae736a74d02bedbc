"""Two threads against one, beside what a loop without memory gains from the second core in the same run."""

from collections.abc import Iterator

import numpy as np

import softjac

from .case import Case, Figure, Outcome, Settings, times
from .fma_loop import FmaLoop, NoCompilerError
from .peers import Peers
from .timing import alternate, seconds_of, spread

JOB = "two threads against one, float32 softmax, 64 x 131072, into out="
FLOOR = 0.85
ONE, TWO, LOOP_ONE, LOOP_TWO = "softjac 1 thread", "softjac 2 threads", "loop 1 thread", "loop 2 threads"
GAIN = "register-only multiply-add loop"


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    del peers
    shape = settings.shrink(64, 131072)
    yield Case(f"threads float32 {shape[0]} x {shape[1]}", lambda used: gain(used, shape), threads=(2,))


def gain(settings: Settings, shape: tuple[int, ...]) -> Outcome:
    z = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    out = np.empty_like(z)

    def ours(threads: int) -> None:
        with softjac.num_threads(threads):
            softjac.softmax(z, out=out)

    try:
        loop = FmaLoop()
    except NoCompilerError as reason:
        samples = alternate({ONE: lambda: ours(1), TWO: lambda: ours(2)}, settings.effort)
        return Outcome(times(samples, z.size, 2 * z.nbytes), skipped=[f"{GAIN}: {reason}"])

    rounds = as_long_as(loop, min(seconds_of(lambda: ours(1)) for _ in range(10)))
    contenders = {
        ONE: lambda: ours(1),
        TWO: lambda: ours(2),
        LOOP_ONE: lambda: loop(1, rounds),
        LOOP_TWO: lambda: loop(2, rounds),
    }
    samples = alternate(contenders, settings.effort)
    outcome = Outcome(times({name: samples[name] for name in (ONE, TWO)}, z.size, 2 * z.nbytes))
    outcome.times |= times({name: samples[name] for name in (LOOP_ONE, LOOP_TWO)})
    for name, threads in ((LOOP_ONE, 1), (LOOP_TWO, 2)):
        outcome.times[name]["cpu_seconds"] = loop(threads, rounds)
    medians = {name: spread(seconds)[0] for name, seconds in samples.items()}
    figures = {name: gains(samples, name) for name in ("softjac", "loop")}
    _, low, high = spread([our / its for our, its in zip(figures["softjac"], figures["loop"], strict=True)])
    value = medians[ONE] / medians[TWO] / (medians[LOOP_ONE] / medians[LOOP_TWO])
    outcome.figures.append(Figure(JOB, "softjac gain", f"{GAIN}, its gain", value, low, high, at_least=FLOOR))
    for name, of in (("softjac", "softjac"), ("loop", GAIN)):
        _, low, high = spread(figures[name])
        value = medians[f"{name} 1 thread"] / medians[f"{name} 2 threads"]
        two, one = f"{name} 2 threads", f"{name} 1 thread"
        outcome.figures.append(Figure(f"gain of {of}", two, one, value, low, high))
    return outcome


def as_long_as(loop: FmaLoop, seconds: float) -> int:
    """Rounds of the loop that take about this long in one thread."""
    trial = 1 << 20
    loop(1, trial)
    took = min(seconds_of(lambda: loop(1, trial)) for _ in range(10))
    return max(2, int(trial * seconds / took))


def gains(samples: dict[str, list[float]], name: str) -> list[float]:
    ones, twos = samples[f"{name} 1 thread"], samples[f"{name} 2 threads"]
    return [one / two for one, two in zip(ones, twos, strict=True)]
