"""Wrong implementations, as people write them: each has a mistake that the checker has to name. Here: no maximum.

Those of Jacobians, losses and gradients are in check_wrong_jacobians, check_wrong_losses and check_wrong_gradients;
those of sums, entries and mixed rows, and what else people write, in check_wrong_sums, _entries, _mixed and _others.
Written from the mistake, and not from what the checker knows of it. Where arrays, lists and torch behave differently,
the mistake is here in each.
"""

import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from libraries import REQUIRED


def _optional(name: str) -> Any:
    """A library that may be absent, where peers are not required."""
    return importlib.import_module(name) if REQUIRED or importlib.util.find_spec(name) else None


torch = _optional("torch")


@dataclass(frozen=True)
class Wrong:
    """A wrong implementation. mistake: its name. level: at which it shows. options: of softjac.check."""

    name: str
    mistake: str
    function: Callable[..., Any]
    kind: str
    level: str
    options: Mapping[str, Any] = field(default_factory=dict)


WRONG: list[Wrong] = []


def wrong(mistake: str, kind: str, level: str = "exercise", needs: Any = True, **options: Any) -> Callable[..., Any]:
    """Enter a function in the table; one whose library is not there stays out."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        if needs is not None:
            WRONG.append(Wrong(function.__name__, mistake, function, kind, level, options))
        return function

    return enter


def softmax_rows(z):
    """Right, for the mistakes that come after it."""
    z = np.asarray(z, dtype=float)
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_list(z):
    largest = max(z)
    powers = [math.exp(x - largest) for x in z]
    return [power / sum(powers) for power in powers]


def as_one_hot(y, n):
    return np.asarray(y, dtype=float) if np.ndim(y) and np.shape(y)[-1] == n else np.eye(n)[np.asarray(y)]


# No maximum, or the maximum of something else


@wrong("no-maximum-subtracted", "softmax", "stable")
def softmax_without_a_shift(x):
    exps = np.exp(x)
    return exps / np.sum(exps, axis=-1, keepdims=True)


@wrong("no-maximum-subtracted", "softmax", "stable")
def softmax_without_a_shift_of_a_list(x):
    total = 0.0
    for value in x:
        total += math.exp(value)
    return [math.exp(value) / total for value in x]


@wrong("no-maximum-subtracted", "softmax", "stable", torch)
def softmax_without_a_shift_in_torch(x):
    return x.exp() / x.exp().sum(-1, keepdim=True)


@wrong("no-maximum-subtracted", "log_softmax", "stable")
def log_softmax_without_a_shift(x):
    x = np.asarray(x, dtype=float)
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


@wrong("no-maximum-subtracted", "log_softmax", "stable")
def log_softmax_of_the_quotient(x):
    exps = np.exp(x)
    return np.log(exps / np.sum(exps, axis=-1, keepdims=True))


@wrong("no-maximum-subtracted", "logsumexp", "stable")
def logsumexp_without_a_shift(x):
    return np.log(np.sum(np.exp(x), axis=-1))


@wrong("no-maximum-subtracted", "softmax_jacobian", "stable")
def jacobian_without_a_shift(x):
    exps = np.exp(x)
    s = exps / exps.sum()
    return np.diag(s) - np.outer(s, s)


@wrong("no-maximum-subtracted", "softmax_vjp", "stable")
def vjp_without_a_shift(z, g):
    s = np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)
    return s * (g - np.sum(s * g, axis=-1, keepdims=True))


@wrong("no-maximum-subtracted", "cross_entropy", "stable")
def loss_without_a_shift(z, y):
    s = np.exp(z) / np.sum(np.exp(z))
    return -np.log(s[y])


@wrong("no-maximum-subtracted", "cross_entropy_grad", "stable")
def gradient_without_a_shift(z, y):
    s = np.exp(z) / np.sum(np.exp(z))
    s[y] = s[y] - 1.0
    return s


@wrong("no-maximum-subtracted", "cross_entropy_value_and_grad", "stable")
def value_and_grad_without_a_shift(z, y):
    s = np.exp(z) / np.sum(np.exp(z))
    loss = -np.log(s[y])
    grad = s.copy()
    grad[y] -= 1
    return loss, grad


@wrong("batch-maximum", "softmax", "stable")
def softmax_with_one_maximum(batch):
    e = np.exp(batch - np.max(batch))
    return e / np.sum(e, axis=1, keepdims=True)


@wrong("batch-maximum", "softmax", "stable", torch)
def softmax_with_one_maximum_in_torch(batch):
    e = torch.exp(batch - batch.max())
    return e / e.sum(dim=-1, keepdim=True)


@wrong("batch-maximum", "logsumexp", "stable")
def logsumexp_with_one_maximum(batch):
    c = batch.max()
    return c + np.log(np.exp(batch - c).sum(axis=-1))


@wrong("batch-maximum", "cross_entropy_grad", "stable")
def gradient_with_one_maximum(logits, labels):
    e = np.exp(logits - logits.max())
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


@wrong("maximum-not-added-back", "logsumexp")
def logsumexp_of_the_shifted(z):
    m = np.max(z)
    return float(np.log(np.sum(np.exp(z - m))))


@wrong("maximum-not-added-back", "cross_entropy")
def loss_with_the_shifted_sum(z, label):
    m = max(z)
    return math.log(sum(math.exp(x - m) for x in z)) - z[label]
