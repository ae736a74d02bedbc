"""What the scoreboard holds to the truth: each library in the form that its own documentation recommends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import softjac

from .peers import Peers


@dataclass(frozen=True)
class Contender:
    """One implementation of one kind. form: what is called, for the table. options: of `softjac.check`."""

    kind: str
    library: str
    form: str
    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)


def contenders(peers: Peers) -> list[Contender]:
    """All of them, by kind and library, of the libraries that are installed."""
    found = [*_softjac(), *_numpy()]
    if peers.scipy_special is not None:
        found += _scipy(peers.scipy_special)
    if peers.torch is not None:
        found += _torch(peers.torch)
    if peers.jax is not None:
        found += _jax(peers.jax)
    if peers.optax is not None and peers.jax is not None:
        found += _optax(peers.optax, peers.jax)
    if peers.scikit_learn_loss is not None:
        found += _scikit_learn()
    return found


def _softjac() -> list[Contender]:
    names = ("softmax", "log_softmax", "logsumexp", "softmax_jacobian", "softmax_vjp")
    losses = ("cross_entropy", "cross_entropy_grad", "cross_entropy_value_and_grad")
    return [Contender(name, "softjac", f"softjac.{name}", getattr(softjac, name)) for name in (*names, *losses)]


def _numpy() -> list[Contender]:
    """With the maximum subtracted, along the last axis, losses by the log-sum-exp: what careful people write."""

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def log_softmax(z: Any) -> Any:
        shifted = z - z.max(axis=-1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))

    def softmax_jacobian(z: Any) -> Any:
        p = softmax(z)
        return p[..., :, None] * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])

    def softmax_vjp(z: Any, g: Any) -> Any:
        p = softmax(z)
        return p * (g - (p * g).sum(axis=-1, keepdims=True))

    def cross_entropy(logits: Any, labels: Any) -> Any:
        return -log_softmax(logits)[np.arange(len(labels)), labels].mean()

    def cross_entropy_grad(logits: Any, labels: Any) -> Any:
        p = softmax(logits)
        return (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(labels)

    def cross_entropy_value_and_grad(logits: Any, labels: Any) -> Any:
        return cross_entropy(logits, labels), cross_entropy_grad(logits, labels)

    def two_lines(z: Any) -> Any:
        return np.exp(z) / np.exp(z).sum()

    def negated_logarithm(p_logits: Any, labels: Any) -> Any:
        return -np.log(softmax(p_logits)[np.arange(len(labels)), labels]).mean()

    return [
        Contender("softmax", "NumPy", "exp(z - max) / sum", softmax),
        Contender("softmax", "NumPy", "exp(z) / sum", two_lines),
        Contender("log_softmax", "NumPy", "z - max - log sum exp", log_softmax),
        Contender("logsumexp", "NumPy", "logaddexp.reduce", lambda z: np.logaddexp.reduce(z, axis=-1)),
        Contender("softmax_jacobian", "NumPy", "p[:, None] * (eye(n) - p)", softmax_jacobian),
        Contender("softmax_vjp", "NumPy", "p * (g - sum(p * g))", softmax_vjp),
        Contender("cross_entropy", "NumPy", "-log_softmax at the label", cross_entropy),
        Contender("cross_entropy", "NumPy", "-log(softmax) at the label", negated_logarithm),
        Contender("cross_entropy_grad", "NumPy", "(softmax - one-hot) / N", cross_entropy_grad),
        Contender("cross_entropy_value_and_grad", "NumPy", "both of these", cross_entropy_value_and_grad),
    ]


def _scipy(special: Any) -> list[Contender]:
    def cross_entropy(z: Any, label: Any) -> Any:
        return special.logsumexp(z, axis=-1) - np.take_along_axis(z, np.asarray(label)[..., None], -1)[..., 0]

    return [
        Contender("softmax", "SciPy", "special.softmax", special.softmax),
        Contender("log_softmax", "SciPy", "special.log_softmax", special.log_softmax),
        Contender("logsumexp", "SciPy", "special.logsumexp", special.logsumexp),
        Contender("cross_entropy", "SciPy", "logsumexp - z[label]", cross_entropy),
    ]


def _torch(torch: Any) -> list[Contender]:
    functional = torch.nn.functional

    def softmax_jacobian(z: Any) -> Any:
        return torch.autograd.functional.jacobian(lambda x: torch.softmax(x, dim=-1), z)

    def softmax_vjp(z: Any, g: Any) -> Any:
        z = z.detach().requires_grad_()
        return torch.autograd.grad(torch.softmax(z, dim=-1), z, g)[0]

    def value_and_grad(z: Any, y: Any) -> Any:
        z = z.detach().requires_grad_()
        loss = functional.cross_entropy(z, y)
        return loss.detach(), torch.autograd.grad(loss, z)[0]

    return [
        Contender("softmax", "torch", "softmax", lambda z: torch.softmax(z, dim=-1)),
        Contender("log_softmax", "torch", "log_softmax", lambda z: torch.log_softmax(z, dim=-1)),
        Contender("logsumexp", "torch", "logsumexp", lambda z: torch.logsumexp(z, dim=-1)),
        Contender("softmax_jacobian", "torch", "autograd.functional.jacobian", softmax_jacobian),
        Contender("softmax_vjp", "torch", "autograd.grad of softmax", softmax_vjp),
        Contender("cross_entropy", "torch", "functional.cross_entropy", functional.cross_entropy),
        Contender(
            "cross_entropy_grad", "torch", "autograd.grad of cross_entropy", lambda z, y: value_and_grad(z, y)[1]
        ),
        Contender("cross_entropy_value_and_grad", "torch", "cross_entropy and its autograd.grad", value_and_grad),
    ]


def _jax(jax: Any) -> list[Contender]:
    """In float32, which is what JAX computes in unless it is told otherwise."""
    return [
        Contender("softmax", "JAX", "nn.softmax", jax.nn.softmax),
        Contender("log_softmax", "JAX", "nn.log_softmax", jax.nn.log_softmax),
        Contender("logsumexp", "JAX", "nn.logsumexp", lambda z: jax.nn.logsumexp(z, axis=-1)),
        Contender("softmax_jacobian", "JAX", "jacrev(nn.softmax)", jax.jacrev(jax.nn.softmax)),
        Contender("softmax_vjp", "JAX", "vjp of nn.softmax", lambda z, g: jax.vjp(jax.nn.softmax, z)[1](g)[0]),
    ]


def _optax(optax: Any, jax: Any) -> list[Contender]:
    losses = optax.softmax_cross_entropy_with_integer_labels

    def mean(logits: Any, labels: Any) -> Any:
        return losses(logits, labels).mean()

    name = "softmax_cross_entropy_with_integer_labels"
    return [
        Contender("cross_entropy", "optax", name, losses),
        Contender("cross_entropy_grad", "optax", "jax.grad of its mean", jax.grad(mean)),
        Contender("cross_entropy_value_and_grad", "optax", "jax.value_and_grad of its mean", jax.value_and_grad(mean)),
    ]


def _scikit_learn() -> list[Contender]:
    from sklearn._loss.loss import HalfMultinomialLoss
    from sklearn.utils.extmath import softmax

    def value_and_grad(logits: Any, labels: Any) -> Any:
        """It takes float32 and float64."""
        logits = np.ascontiguousarray(logits, dtype=np.result_type(logits, np.float32))
        loss = HalfMultinomialLoss(n_classes=logits.shape[1])
        values, gradients = loss.loss_gradient(np.asarray(labels, dtype=logits.dtype), logits)
        return values.mean(), gradients / len(labels)

    return [
        Contender("softmax", "scikit-learn", "utils.extmath.softmax", softmax),
        Contender("cross_entropy", "scikit-learn", "HalfMultinomialLoss", lambda z, y: value_and_grad(z, y)[0]),
        Contender("cross_entropy_value_and_grad", "scikit-learn", "HalfMultinomialLoss.loss_gradient", value_and_grad),
    ]
