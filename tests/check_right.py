"""Right implementations, as people write them: what the checker must never call wrong.

Those of the cross-entropy are in check_right_losses, which has the whole table.

Each has its kind, the highest level that it reaches, and how it is to be called where that cannot be found out. Those
that reach a level higher than the one named here are welcome to; none may be called wrong at this one.
"""

import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.special
import scipy.stats

import softjac
from libraries import REQUIRED


def _optional(name: str) -> Any:
    """A library that may be absent, where peers are not required."""
    return importlib.import_module(name) if REQUIRED or importlib.util.find_spec(name) else None


torch, jax, optax = map(_optional, ("torch", "jax", "optax"))
if jax is not None:
    jax.config.update("jax_disable_most_optimizations", True)  # compiling, for every shape, is what takes the time


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """By JAX, once for each shape: operation by operation it takes several times as long."""
    return function if jax is None else jax.jit(function)


@dataclass(frozen=True)
class Right:
    """A right implementation. reaches: a level. options: of softjac.check."""

    name: str
    function: Callable[..., Any]
    kind: str
    reaches: str
    options: Mapping[str, Any] = field(default_factory=dict)


RIGHT: list[Right] = []


def right(kind: str, reaches: str, needs: Any = True, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Enter a function in the table; one whose library is not there stays out."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        if needs is not None:
            RIGHT.append(Right(function.__name__, function, kind, reaches, options))
        return function

    return enter


# Softmax


@right("softmax", "exercise")
def two_lines_without_a_shift(z):
    e = np.exp(z)
    return e / e.sum()


@right("softmax", "stable")
def shifted(z):
    e = np.exp(z - np.max(z))
    return e / e.sum()


@right("softmax", "stable")
def shifted_along_the_last_axis(z):
    z = np.asarray(z, dtype=float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@right("softmax", "exercise")
def by_a_loop_over_a_list(z):
    return [math.exp(x) / sum(math.exp(other) for other in z) for x in z]


@right("softmax", "stable")
def by_a_loop_with_the_largest_first(z):
    largest = max(z)
    powers = [math.exp(x - largest) for x in z]
    total = math.fsum(powers)
    return [power / total for power in powers]


@right("softmax", "exercise")
def rounded_list(z):
    e = np.exp(np.asarray(z, dtype=float) - np.max(z))
    return [round(float(x), 4) for x in e / e.sum()]


@right("softmax", "stable")
def scipy_softmax_of_rows(z):
    return scipy.special.softmax(z, axis=-1)


RIGHT.append(Right("scipy.special.softmax", scipy.special.softmax, "softmax", "stable"))
RIGHT.append(Right("softjac.softmax", softjac.softmax, "softmax", "exact"))


@right("softmax", "stable")
def by_reciprocal_differences(z):
    """p_i = 1 / sum of exp(z_l - z_i)."""
    z = np.asarray(z, dtype=float)
    with np.errstate(all="ignore"):
        largest = z.max(axis=-1, keepdims=True)
        z = np.where(np.isneginf(z), -1e30, z - largest)
        return 1 / np.exp(z[..., None, :] - z[..., :, None]).sum(axis=-1)


@right("softmax", "stable")
def of_columns_only(z):
    _, one = z.shape
    assert one == 1
    e = np.exp(z - z.max())
    return e / e.sum()


@right("softmax", "stable")
def of_rows_only(batch):
    e = np.exp(batch - batch.max(axis=1)[:, None])
    return e / e.sum(axis=1)[:, None]


@right("softmax", "stable", torch)
def torch_softmax(z):
    return torch.softmax(z, dim=-1)


@right("softmax", "stable", torch)
def torch_by_hand(z):
    e = torch.exp(z - z.max(dim=-1, keepdim=True).values)
    return e / e.sum(dim=-1, keepdim=True)


if torch is not None:
    RIGHT.append(Right("torch.nn.functional.softmax", torch.nn.functional.softmax, "softmax", "stable"))


@right("softmax", "stable", jax)
@compiled
def jax_softmax(z):
    return jax.nn.softmax(z)


# Its logarithm, and the normaliser


@right("log_softmax", "stable")
def log_softmax_by_scipy(z):
    return scipy.special.log_softmax(z, axis=-1)


@right("log_softmax", "stable")
def log_sum_exp_subtracted(z):
    z = np.asarray(z, dtype=float)
    shifted_logits = z - z.max(axis=-1, keepdims=True)
    return shifted_logits - np.log(np.exp(shifted_logits).sum(axis=-1, keepdims=True))


@right("log_softmax", "exercise")
def logarithm_of_softmax(z):
    e = np.exp(z)
    return np.log(e / e.sum())


@right("log_softmax", "stable", torch)
def torch_log_softmax(z):
    return torch.log_softmax(z, -1)


RIGHT.append(Right("softjac.log_softmax", softjac.log_softmax, "log_softmax", "exact"))


@right("logsumexp", "stable")
def logsumexp_by_numpy(z):
    return np.logaddexp.reduce(z, axis=-1)


@right("logsumexp", "exercise")
def logsumexp_in_one_line(z):
    return math.log(sum(math.exp(x) for x in z))


@right("logsumexp", "stable")
def logsumexp_with_the_largest_first(z):
    z = np.asarray(z, dtype=float)
    largest = z.max(axis=-1)
    return largest + np.log(np.exp(z - largest[..., None]).sum(axis=-1))


RIGHT.append(Right("scipy.special.logsumexp", scipy.special.logsumexp, "logsumexp", "stable"))
RIGHT.append(Right("softjac.logsumexp", softjac.logsumexp, "logsumexp", "exact"))


# The Jacobian


@right("softmax_jacobian", "stable")
def diagonal_less_outer(z):
    s = scipy.special.softmax(z)
    return np.diag(s) - np.outer(s, s)


@right("softmax_jacobian", "stable")
def column_and_its_transpose(z):
    s = scipy.special.softmax(z).reshape(-1, 1)
    return np.diagflat(s) - np.dot(s, s.T)


@right("softmax_jacobian", "stable")
def column_times_identity_less_row(z):
    s = scipy.special.softmax(z).reshape(-1, 1)
    return s * (np.eye(len(s)) - s.T)


@right("softmax_jacobian", "stable")
def column_in_and_square_out(z):
    _, one = z.shape
    assert one == 1
    s = np.exp(z - z.max())
    s /= s.sum()
    return np.diag(s[:, 0]) - s @ s.T


@right("softmax_jacobian", "exercise")
def two_loops(z):
    total = sum(math.exp(x) for x in z)
    s = [math.exp(x) / total for x in z]
    n = len(s)
    J = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            J[i][j] = s[i] * (1 - s[i]) if i == j else -s[i] * s[j]
    return J


@right("softmax_jacobian", "exercise")
def rounded_lists(z):
    e = np.exp(np.asarray(z, dtype=float) - max(z))
    s = e / e.sum()
    return [[round(float(s[i] * ((i == j) - s[j])), 4) for j in range(len(s))] for i in range(len(s))]


@right("softmax_jacobian", "exercise")
def transposed(z):
    """The Jacobian is symmetric: this is the same matrix."""
    s = scipy.special.softmax(z)
    return (s[:, None] * (np.eye(len(s)) - s)).T


@right("softmax_jacobian", "stable")
def einsum_of_a_batch(z):
    s = scipy.special.softmax(z, axis=-1)
    return np.einsum("...i,ij->...ij", s, np.eye(s.shape[-1])) - np.einsum("...i,...j->...ij", s, s)


@right("softmax_jacobian", "stable")
def broadcast_of_rows(batch):
    s = scipy.special.softmax(batch, axis=1)
    return s[:, :, None] * (np.eye(s.shape[1])[None] - s[:, None, :])


@right("softmax_jacobian", "stable")
def covariance_of_one_draw(z):
    """The Jacobian is the covariance matrix of a one-hot draw."""
    return scipy.stats.multinomial(1, scipy.special.softmax(z)).cov()


@right("softmax_jacobian", "exercise")
def complex_step(z):
    z = np.asarray(z, dtype=float)
    columns = []
    for j in range(len(z)):
        moved = z.astype(complex)
        moved[j] += 1e-20j
        e = np.exp(moved)
        columns.append((e / e.sum()).imag / 1e-20)
    return np.stack(columns, axis=1)


@right("softmax_jacobian", "exercise")
def central_differences(z):
    z = np.asarray(z, dtype=float)
    h = 1e-5
    step = h * np.eye(len(z))
    return np.stack([(scipy.special.softmax(z + e) - scipy.special.softmax(z - e)) / (2 * h) for e in step], axis=1)


@right("softmax_jacobian", "stable", given="probs")
def jacobian_of_probabilities(s):
    return np.diag(s) - np.outer(s, s)


@right("softmax_jacobian", "stable", torch)
def torch_autograd(z):
    return torch.autograd.functional.jacobian(lambda x: torch.softmax(x, dim=-1), z)


@right("softmax_jacobian", "stable", torch)
def torch_by_hand_of_a_vector(z):
    s = torch.softmax(z, 0)
    return torch.diag(s) - torch.outer(s, s)


@right("softmax_jacobian", "stable", jax)
@compiled
def jax_jacobian(z):
    return jax.jacrev(jax.nn.softmax)(z)


RIGHT.append(Right("softjac.softmax_jacobian", softjac.softmax_jacobian, "softmax_jacobian", "exact"))


# Products with it


@right("softmax_vjp", "stable")
def vjp_of_logits(z, g):
    s = scipy.special.softmax(z, axis=-1)
    return s * (g - (s * g).sum(axis=-1, keepdims=True))


@right("softmax_vjp", "stable")
def vjp_of_probabilities(p, g):
    return p * (g - np.dot(p, g))


@right("softmax_vjp", "stable")
def backward(grad_output, output):
    """In the order of torch's backward passes."""
    return output * (grad_output - (grad_output * output).sum(axis=-1, keepdims=True))


@right("softmax_vjp", "stable")
def by_the_dense_matrix(z, g):
    s = scipy.special.softmax(z)
    return (np.diag(s) - np.outer(s, s)).T @ g


@right("softmax_vjp", "stable", torch)
def torch_grad(z, g):
    z = z.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(torch.softmax(z, -1), z, g)
    return gradient


@right("softmax_vjp", "stable", jax)
@compiled
def jax_vjp(z, g):
    return jax.vjp(jax.nn.softmax, z)[1](g)[0]


RIGHT.append(Right("softjac.softmax_vjp", softjac.softmax_vjp, "softmax_vjp", "exact"))
