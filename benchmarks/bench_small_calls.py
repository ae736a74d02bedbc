"""Calls with three numbers: what a call costs before it computes anything."""

from collections.abc import Iterator

import numpy as np

import softjac

from .case import Case, Goal, Settings, duel
from .peers import Peers, naive_jacobian, naive_product, naive_softmax
from .timing import Call

Z, V = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])
BY_HAND = "NumPy by hand"


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    del settings  # three numbers are tiny already
    yield softmax(peers)
    yield logsumexp(peers)
    yield by_hand(peers, "Jacobian", lambda: softjac.softmax_jacobian(Z), lambda: naive_jacobian(Z))
    yield by_hand(peers, "jvp", lambda: softjac.softmax_jvp(Z, V), lambda: naive_product(naive_softmax(Z), V))


def softmax(peers: Peers) -> Case:
    job = "softmax of 3 float64 numbers"

    def build() -> dict[str, Call]:
        contenders: dict[str, Call] = {"softjac": lambda: softjac.softmax(Z), BY_HAND: lambda: naive_softmax(Z)}
        if peers.scipy_special is not None:
            scipy_softmax = peers.scipy_special.softmax
            contenders["SciPy"] = lambda: scipy_softmax(Z)
        if peers.torch is not None:
            torch_softmax, tensor = peers.torch.softmax, peers.torch.from_numpy(Z)
            contenders["torch"] = lambda: torch_softmax(tensor, -1)
        if peers.jax is not None:
            contenders["JAX jit, float32"] = peers.jax_call(peers.jax.nn.softmax, Z.astype(np.float32))
        return contenders

    goals = [Goal(job, "softjac", BY_HAND, 2.0)]
    goals += [Goal(job, "softjac", peer) for peer in ("SciPy", "torch", "JAX jit, float32")]
    return Case(job, duel(build, goals, peers.missing), threads=(1,))


def logsumexp(peers: Peers) -> Case:
    job = "logsumexp of 3 float64 numbers"

    def build() -> dict[str, Call]:
        contenders: dict[str, Call] = {"softjac": lambda: softjac.logsumexp(Z)}
        if peers.scipy_special is not None:
            scipy_logsumexp = peers.scipy_special.logsumexp
            contenders["SciPy"] = lambda: scipy_logsumexp(Z)
        return contenders

    return Case(job, duel(build, [Goal(job, "softjac", "SciPy")], peers.missing), threads=(1,))


def by_hand(peers: Peers, what: str, ours: Call, naive: Call) -> Case:
    job = f"{what} of 3 float64 numbers"
    measure = duel(lambda: {"softjac": ours, BY_HAND: naive}, [Goal(job, "softjac", BY_HAND)], peers.missing)
    return Case(job, measure, threads=(1,))
