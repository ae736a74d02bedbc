"""Loss and gradient of a row that is nearly right, by softjac and its peers; and the loss of ordinary rows.

    python -m benchmarks.confident_tail

It prints the tables that docs/cross_entropy.md holds, in seconds. A peer that is not installed is left out.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import softjac

from .peers import Peers
from .render import markdown_table

GAPS = (10, 17, 20, 37, 40, 100)
DTYPES = ("float32", "float64")
ORDINARY = ((2000, 10), (2000, 1000))

LossAndGradient = Callable[[Any, Any], tuple[Any, Any]]  # of each row, each by itself


def contenders(peers: Peers) -> dict[str, LossAndGradient]:
    found: dict[str, LossAndGradient] = {"softjac": of_softjac}
    if peers.torch is not None:
        found["torch"] = lambda z, labels: of_torch(peers.torch, z, labels)
    if peers.optax is not None:
        found["optax"] = lambda z, labels: of_optax(peers.jax, peers.optax, z, labels)
    if peers.scikit_learn_loss is not None:
        found["scikit-learn"] = lambda z, labels: of_scikit_learn(peers.scikit_learn_loss, z, labels)
    return found


def of_softjac(z: Any, labels: Any) -> tuple[Any, Any]:
    return softjac.cross_entropy_value_and_grad(z, labels, reduction="none")


def of_torch(torch: Any, z: Any, labels: Any) -> tuple[Any, Any]:
    logits = torch.from_numpy(z).requires_grad_()
    losses = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels), reduction="none")
    losses.sum().backward()
    return losses.detach().numpy(), logits.grad.numpy()


def of_optax(jax: Any, optax: Any, z: Any, labels: Any) -> tuple[Any, Any]:
    with jax.enable_x64(z.dtype == np.float64):
        there = jax.numpy.asarray(z)
        losses, pull_back = jax.vjp(lambda x: optax.softmax_cross_entropy_with_integer_labels(x, labels), there)
        return np.asarray(losses), np.asarray(pull_back(jax.numpy.ones_like(losses))[0])


def of_scikit_learn(module: Any, z: Any, labels: Any) -> tuple[Any, Any]:
    loss = module.HalfMultinomialLoss(n_classes=z.shape[1])
    return loss.loss_gradient(labels.astype(z.dtype), z)


def tail(peers: Peers) -> Iterator[tuple[str, list[list[str]]]]:
    """Title and table: logits [0, g] with class 1, of loss log(1 + e^-g) and gradient -1/(1 + e^g) there."""
    named = contenders(peers)
    exact = {
        "loss": [math.log1p(math.exp(-g)) for g in GAPS],
        "gradient": [-1 / (1 + math.exp(g)) for g in GAPS],
    }
    labels = np.ones(len(GAPS), np.int64)
    rows = {name: [["dtype", "g", "exact", *named]] for name in exact}
    for dtype in DTYPES:
        z = np.array([[0, g] for g in GAPS], dtype)
        results = [call(z, labels) for call in named.values()]
        for i, g in enumerate(GAPS):
            for name, pick in (("loss", lambda r, i=i: r[0][i]), ("gradient", lambda r, i=i: r[1][i, 1])):
                cells = [f"{float(x) + 0.0:.4g}" for x in (exact[name][i], *map(pick, results))]
                rows[name].append([dtype, str(g), *cells])
    yield "Loss of the logits [0, g], class 1:", rows["loss"]
    yield "Gradient at the label:", rows["gradient"]


def ordinary(peers: Peers) -> list[list[str]]:
    """Largest relative error of the mean loss and of a row's loss, standard normal logits in float32."""
    named = contenders(peers)
    rows = [["rows x classes", "of", *named]]
    for shape in ORDINARY:
        rng = np.random.default_rng(0)
        z, labels = rng.standard_normal(shape).astype("float32"), rng.integers(0, shape[1], shape[0])
        wide = z.astype(np.float64)
        exact = np.log(np.exp(wide).sum(axis=1)) - wide[np.arange(len(z)), labels]
        losses = [np.asarray(call(z, labels)[0], np.float64) for call in named.values()]
        mean = [abs(float(loss.mean()) / exact.mean() - 1) for loss in losses]
        row = [float(np.abs(loss / exact - 1).max()) for loss in losses]
        size = f"{shape[0]} x {shape[1]}"
        rows += [[size, "the mean", *(f"{x:.0e}" for x in mean)], [size, "a row, at most", *(f"{x:.0e}" for x in row)]]
    return rows


def main() -> None:
    peers = Peers(threads=1)
    for title, rows in tail(peers):
        print(f"{title}\n\n{markdown_table(rows)}\n")
    print(f"Relative error of the loss of standard normal logits, float32:\n\n{markdown_table(ordinary(peers))}")


if __name__ == "__main__":
    main()
