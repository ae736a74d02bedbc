"""softmax of many rows: along the last axis, along others, into an array and into a new one."""

from collections.abc import Iterator

import numpy as np

import softjac

from .case import Case, Goal, Settings, duel
from .peers import Peers
from .timing import Call

ROWS = ((16384, 128), (4096, 512), (2048, 1000), (512, 4096), (64, 32768), (64, 131072))
SHORT_ROWS = (65536, 10)
OTHER_AXES: tuple[tuple[tuple[int, ...], int], ...] = (((1000, 4096), 0), ((256, 1000, 64), 1))


def like_for_like(job: str, torch_out: float | None, torch: float | None, scipy: float | None) -> tuple[Goal, ...]:
    """Into `out=` against torch into `out=`, a plain call against plain calls."""
    return (
        Goal(f"{job}, into out=", "softjac out=", "torch out=", torch_out),
        Goal(f"{job}, plain call", "softjac", "torch", torch),
        Goal(f"{job}, plain call", "softjac", "SciPy", scipy),
    )


LONG_JOB = "float32 softmax, rows of 128 to 131072"
LONG = (
    Goal(f"{LONG_JOB}, into out=", "softjac out=", "torch out=", 1.0, aim=1.3),
    Goal(f"{LONG_JOB}, plain call", "softjac", "torch", 2.0),
    Goal(f"{LONG_JOB}, plain call", "softjac", "SciPy", 2.5),
)
SHORT = like_for_like("float32 softmax, 65536 rows of 10", 8.0, 8.0, 5.0)
DOUBLE = like_for_like("float64 softmax, the same shapes", 1.0, None, 3.0)
OTHER = like_for_like("float32 softmax along another axis", 1.0, 1.0, 2.5)


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    long = ROWS if settings.is_full else (ROWS[0], ROWS[2], ROWS[-1])
    yield rows_of(settings, peers, SHORT_ROWS, -1, "float32", SHORT)
    for rows in long:
        yield rows_of(settings, peers, rows, -1, "float32", LONG)
    for rows in (SHORT_ROWS, *long):
        yield rows_of(settings, peers, rows, -1, "float64", DOUBLE)
    for shape, axis in OTHER_AXES:
        yield rows_of(settings, peers, shape, axis, "float32", OTHER)


def rows_of(
    settings: Settings, peers: Peers, full_shape: tuple[int, ...], axis: int, dtype: str, goals: tuple[Goal, ...]
) -> Case:
    shape = settings.shrink(*full_shape)

    def build() -> dict[str, Call]:
        z = np.random.default_rng(0).standard_normal(shape).astype(dtype)
        out = np.empty_like(z)
        contenders: dict[str, Call] = {
            "softjac out=": lambda: softjac.softmax(z, axis, out=out),
            "softjac": lambda: softjac.softmax(z, axis),
        }
        if peers.torch is not None:
            softmax, tensor = peers.torch.softmax, peers.torch.from_numpy(z)
            tensor_out = peers.torch.empty_like(tensor)
            contenders["torch out="] = lambda: softmax(tensor, axis, out=tensor_out)
            contenders["torch"] = lambda: softmax(tensor, axis)
        if peers.scipy_special is not None:
            scipy_softmax = peers.scipy_special.softmax
            contenders["SciPy"] = lambda: scipy_softmax(z, axis=axis)
        return contenders

    elements = int(np.prod(shape))
    place = "" if axis == -1 else f", axis {axis}"
    name = f"softmax {dtype} {' x '.join(map(str, shape))}{place}"
    moved_bytes = 2 * elements * np.dtype(dtype).itemsize
    return Case(name, duel(build, goals, peers.missing, elements=elements, moved_bytes=moved_bytes))
