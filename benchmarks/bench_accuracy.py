"""The largest error of float32 probabilities, by an oracle of 200 bits: python-flint, or mpmath without it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import softjac

from .case import Case, Figure, Outcome, Settings
from .peers import Peers

BITS = 200
LIMIT_ULP = 0.501
ROWS = {"full": 100, "quick": 20, "tiny": 2}
JOB = "largest error of float32 probabilities, rows of 1000, standard deviation 10"


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    del settings
    yield Case("accuracy float32 rows of 1000", lambda used: errors(used, peers), threads=(1,))


def errors(settings: Settings, peers: Peers) -> Outcome:
    probabilities = oracle()
    if probabilities is None:
        return Outcome(skipped=["oracle: neither python-flint nor mpmath is installed"])
    (n,) = settings.shrink(1000)
    z = (10 * np.random.default_rng(0).standard_normal((ROWS[settings.size], n))).astype(np.float32)
    exact = np.array([probabilities(row) for row in z.tolist()])
    outcome = Outcome()
    for name, p in contenders(z, peers).items():
        worst = ulps(np.asarray(p), exact).max(axis=-1)
        allowed = LIMIT_ULP if name == "softjac" else None
        largest = float(worst.max())
        low, high = map(float, np.quantile(worst, [0.25, 0.75]))
        outcome.figures.append(Figure(JOB, name, "exact", largest, low, high, unit="ulp", at_most=allowed))
    outcome.skipped += [f"{name}: {reason}" for name, reason in peers.missing.items()]
    return outcome


def contenders(z: np.ndarray, peers: Peers) -> dict[str, Any]:
    found: dict[str, Any] = {"softjac": softjac.softmax(z)}
    if peers.scipy_special is not None:
        found["SciPy"] = peers.scipy_special.softmax(z, axis=-1)
    if peers.torch is not None:
        found["torch"] = peers.torch.softmax(peers.torch.from_numpy(z), -1).numpy()
    if peers.jax is not None:
        found["JAX"] = peers.jax_call(peers.jax.nn.softmax, z)()
    return found


def ulps(p: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """|p - exact| / ulp(exact), with ulp(y) = 2^max(floor(log2 y) - 23, -149).

    exact is rounded to float64, which adds 2^-29 of an ulp.
    """
    floor_log2 = np.frexp(exact)[1] - 1
    distance = np.abs(p.astype(np.float64) - exact)
    return np.asarray(distance / np.ldexp(1.0, np.maximum(floor_log2 - 23, -149)))


def oracle() -> Callable[[list[float]], list[float]] | None:
    """Probabilities of a row, rounded once from 200 bits."""
    try:
        import flint
    except ImportError:
        return mpmath_oracle()

    def probabilities(row: list[float]) -> list[float]:
        before = flint.ctx.prec
        flint.ctx.prec = BITS
        try:
            e = [flint.arb(z).exp() for z in row]
            total = sum(e, flint.arb(0))
            return [float(x / total) for x in e]
        finally:
            flint.ctx.prec = before

    return probabilities


def mpmath_oracle() -> Callable[[list[float]], list[float]] | None:
    try:
        import mpmath
    except ImportError:
        return None

    def probabilities(row: list[float]) -> list[float]:
        with mpmath.workprec(BITS):
            e = [mpmath.exp(z) for z in row]
            total = mpmath.fsum(e)
            return [float(x / total) for x in e]

    return probabilities
