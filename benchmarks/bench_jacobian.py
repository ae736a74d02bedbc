"""Jacobians, and products with one."""

from collections.abc import Iterator

import numpy as np

import softjac

from .case import Case, Goal, Settings, duel
from .peers import Peers, naive_jacobian, naive_jacobians, naive_product, naive_softmax
from .timing import Call

BY_HAND, FILL, EMPTY_AND_FILL = "NumPy diag - outer", "NumPy fill", "NumPy empty and fill"
BROADCAST, TORCH, JAX = "NumPy broadcasting", "torch jacrev", "JAX jit jacrev"
BATCHED_TORCH, BATCHED_JAX = "torch vmap(jacrev)", "JAX jit vmap(jacrev)"
FROM_LOGITS, FROM_PROBS = "NumPy s*(v - s@v)", "NumPy s*(v - s@v), s given"
OURS_FROM_PROBS = "softjac vjp, probs= given"


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    yield dense(settings, peers, 4096, "float32", (8.0, 0.75))
    yield batch(settings, peers, "float32", (5.0, 8.0, 0.8))
    if settings.size != "quick":  # no floors
        yield dense(settings, peers, 4096, "float64", (None, None))
        yield dense(settings, peers, 1000, "float32", (None, None))
        yield batch(settings, peers, "float64", (None, None, None))
    yield product(settings, peers)


def dense(settings: Settings, peers: Peers, full_n: int, dtype: str, floors: tuple[float | None, float | None]) -> Case:
    (n,) = settings.shrink(full_n)
    job = f"dense Jacobian, {dtype}, n = {full_n}"
    goals = [
        Goal(f"{job}, into out=", "softjac out=", BY_HAND, floors[0]),
        Goal(f"{job}, into out=", "softjac out=", FILL, floors[1]),
        Goal(f"{job}, plain call", "softjac", BY_HAND),
    ]
    if dtype == "float32":
        goals += [Goal(f"{job}, plain call", "softjac", peer) for peer in (TORCH, JAX)]

    def build() -> dict[str, Call]:
        z = np.random.default_rng(0).standard_normal(n).astype(dtype)
        out = np.empty((n, n), dtype)
        contenders: dict[str, Call] = {
            "softjac out=": lambda: softjac.softmax_jacobian(z, out=out),
            "softjac": lambda: softjac.softmax_jacobian(z),
            FILL: lambda: out.fill(1.0),
            BY_HAND: lambda: naive_jacobian(z),
        }
        if dtype == "float32":
            add_autodiff(contenders, peers, z, (TORCH, JAX))
        return contenders

    moved_bytes = (n * n + n) * np.dtype(dtype).itemsize
    name = f"Jacobian {dtype} n = {n}"
    return Case(name, duel(build, goals, peers.missing, elements=n * n, moved_bytes=moved_bytes))


def batch(
    settings: Settings, peers: Peers, dtype: str, floors: tuple[float | None, float | None, float | None]
) -> Case:
    rows, n = settings.shrink(1000, 100)
    job = f"1000 Jacobians, {dtype}, n = 100"
    goals = [
        Goal(f"{job}, into out=", "softjac out=", BROADCAST, floors[0]),
        Goal(f"{job}, into out=", "softjac out=", FILL),
        Goal(f"{job}, plain call", "softjac", EMPTY_AND_FILL, floors[2]),
    ]
    if dtype == "float32":
        goals.insert(1, Goal(f"{job}, into out=", "softjac out=", BATCHED_JAX, floors[1]))
        goals.append(Goal(f"{job}, plain call", "softjac", BATCHED_TORCH))

    def build() -> dict[str, Call]:
        z = np.random.default_rng(0).standard_normal((rows, n)).astype(dtype)
        out = np.empty((rows, n, n), dtype)
        contenders: dict[str, Call] = {
            "softjac out=": lambda: softjac.softmax_jacobian(z, out=out),
            "softjac": lambda: softjac.softmax_jacobian(z),
            FILL: lambda: out.fill(1.0),
            EMPTY_AND_FILL: lambda: np.empty((rows, n, n), dtype).fill(1.0),
            BROADCAST: lambda: naive_jacobians(z),
        }
        if dtype == "float32":
            add_autodiff(contenders, peers, z, (BATCHED_TORCH, BATCHED_JAX))
        return contenders

    moved_bytes = (rows * n * n + rows * n) * np.dtype(dtype).itemsize
    name = f"Jacobians {dtype} {rows} of n = {n}"
    return Case(name, duel(build, goals, peers.missing, elements=rows * n * n, moved_bytes=moved_bytes))


def add_autodiff(contenders: dict[str, Call], peers: Peers, z: np.ndarray, names: tuple[str, str]) -> None:
    """Add torch's and JAX's Jacobians by reverse mode, of each row of z where it has rows."""
    if peers.torch is not None:
        torch = peers.torch
        jacobian = torch.func.jacrev(lambda x: torch.softmax(x, -1))
        function, tensor = jacobian if z.ndim == 1 else torch.func.vmap(jacobian), torch.from_numpy(z)
        contenders[names[0]] = lambda: function(tensor)
    if peers.jax is not None:
        derivative = peers.jax.jacrev(peers.jax.nn.softmax)
        contenders[names[1]] = peers.jax_call(derivative if z.ndim == 1 else peers.jax.vmap(derivative), z)


def product(settings: Settings, peers: Peers) -> Case:
    (n,) = settings.shrink(1_000_000)
    job = "jvp, float64, n = 1e6"
    goals = (
        Goal(f"{job}, plain call", "softjac", FROM_LOGITS, 3.0),
        Goal(f"{job}, from probabilities", OURS_FROM_PROBS, FROM_PROBS),
    )

    def build() -> dict[str, Call]:
        rng = np.random.default_rng(0)
        z, v = rng.standard_normal(n), rng.standard_normal(n)
        s, out = naive_softmax(z), np.empty(n)
        return {
            "softjac": lambda: softjac.softmax_jvp(z, v),
            "softjac out=": lambda: softjac.softmax_jvp(z, v, out=out),
            FROM_LOGITS: lambda: naive_product(naive_softmax(z), v),
            OURS_FROM_PROBS: lambda: softjac.softmax_vjp(z, v, probs=s),
            FROM_PROBS: lambda: naive_product(s, v),
        }

    return Case(f"jvp float64 n = {n}", duel(build, goals, peers.missing, elements=n, moved_bytes=3 * n * 8))
