"""Right implementations of the cross-entropy and its gradient, entered in the table of check_right."""

import math

import numpy as np
import scipy.special

import softjac
from check_right import RIGHT, Right, compiled, jax, optax, right, torch

# Cross-entropy


@right("cross_entropy", "exercise")
def logarithm_of_one_probability(z, label):
    e = np.exp(z - np.max(z))
    return -np.log(e[label] / e.sum())


@right("cross_entropy", "exercise")
def sum_with_one_hot(z, y):
    s = scipy.special.softmax(z)
    return -np.sum(y * np.log(s))


@right("cross_entropy", "stable")
def logsumexp_less_logit(z, label):
    return scipy.special.logsumexp(z) - z[label]


@right("cross_entropy", "stable")
def mean_over_rows(logits, labels):
    logp = scipy.special.log_softmax(logits, axis=1)
    return -logp[np.arange(len(labels)), labels].mean()


@right("cross_entropy", "stable")
def sum_over_rows(logits, labels):
    logp = scipy.special.log_softmax(logits, axis=1)
    return -logp[np.arange(len(labels)), labels].sum()


@right("cross_entropy", "stable")
def one_a_row(logits, labels):
    logp = scipy.special.log_softmax(logits, axis=-1)
    return -np.take_along_axis(logp, np.asarray(labels)[..., None], axis=-1)[..., 0]


@right("cross_entropy", "exercise", given="probs")
def loss_of_probabilities(p, y):
    return -np.sum(y * np.log(p))


@right("cross_entropy", "exercise")
def loss_of_lists(z, label):
    total = sum(math.exp(x) for x in z)
    return round(-math.log(math.exp(z[label]) / total), 4)


@right("cross_entropy", "stable", torch)
def torch_cross_entropy(z, y):
    return torch.nn.functional.cross_entropy(z, y)


if torch is not None:
    RIGHT.append(
        Right("torch.nn.functional.cross_entropy", torch.nn.functional.cross_entropy, "cross_entropy", "stable")
    )


@right("cross_entropy", "stable", optax)
@compiled
def optax_with_integer_labels(logits, labels):
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


RIGHT.append(Right("softjac.cross_entropy", softjac.cross_entropy, "cross_entropy", "exact"))


# Its gradient


@right("cross_entropy_grad", "exercise")
def probabilities_less_one_hot(z, y):
    return scipy.special.softmax(z) - y


@right("cross_entropy_grad", "stable")
def one_subtracted_at_the_label(z, label):
    p = scipy.special.softmax(z)
    p[label] -= 1
    return p


@right("cross_entropy_grad", "stable")
def mean_over_the_batch(logits, labels):
    p = scipy.special.softmax(logits, axis=1)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


@right("cross_entropy_grad", "stable")
def sum_over_the_batch(logits, labels):
    p = scipy.special.softmax(logits, axis=1)
    p[np.arange(len(labels)), labels] -= 1
    return p


@right("cross_entropy_grad", "exercise")
def chain_rule_in_full(z, y):
    s = scipy.special.softmax(z)
    return (np.diag(s) - np.outer(s, s)) @ (-y / s)


@right("cross_entropy_grad", "exercise")
def rounded_gradient_of_lists(z, label):
    total = sum(math.exp(x) for x in z)
    return [round(math.exp(x) / total - (j == label), 4) for j, x in enumerate(z)]


@right("cross_entropy_grad", "exercise", given="probs")
def minus_y_over_p(p, y):
    return -y / p


@right("cross_entropy_grad", "stable", torch)
def torch_backward(z, y):
    z = z.detach().clone().requires_grad_()
    torch.nn.functional.cross_entropy(z, y).backward()
    return z.grad


@right("cross_entropy_grad", "stable", jax)
@compiled
def jax_grad(logits, labels):
    return jax.grad(lambda x: -jax.numpy.sum(labels * jax.nn.log_softmax(x)))(logits)


RIGHT.append(Right("softjac.cross_entropy_grad", softjac.cross_entropy_grad, "cross_entropy_grad", "exact"))


@right("cross_entropy_value_and_grad", "stable")
def mean_and_its_gradient(logits, labels):
    rows = np.arange(len(labels))
    logp = scipy.special.log_softmax(logits, axis=1)
    gradient = np.exp(logp)
    gradient[rows, labels] -= 1
    return -logp[rows, labels].mean(), gradient / len(labels)


@right("cross_entropy_value_and_grad", "stable")
def sum_and_its_gradient(logits, labels):
    rows = np.arange(len(labels))
    logp = scipy.special.log_softmax(logits, axis=1)
    gradient = np.exp(logp)
    gradient[rows, labels] -= 1
    return -logp[rows, labels].sum(), gradient


@right("cross_entropy_value_and_grad", "stable")
def loss_and_gradient_of_one(z, label):
    p = scipy.special.softmax(z)
    loss = scipy.special.logsumexp(z) - z[label]
    return loss, p - np.eye(len(z))[label]


@right("cross_entropy_value_and_grad", "stable", torch)
def torch_value_and_grad(z, y):
    z = z.detach().clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(z, y)
    (gradient,) = torch.autograd.grad(loss, z)
    return loss, gradient


@right("cross_entropy_value_and_grad", "stable", optax)
@compiled
def optax_value_and_grad(logits, labels):
    def mean(x):
        return optax.softmax_cross_entropy_with_integer_labels(x, labels).mean()

    return jax.value_and_grad(mean)(logits)


RIGHT.append(
    Right(
        "softjac.cross_entropy_value_and_grad",
        softjac.cross_entropy_value_and_grad,
        "cross_entropy_value_and_grad",
        "exact",
    )
)


@right("cross_entropy", "stable")
def labels_or_one_hot(z, t):
    """As textbooks have it: one-hot targets are made labels by argmax, and a distribution is no label."""
    z = np.atleast_2d(z)
    t = np.argmax(t, axis=-1) if np.size(t) == z.size else np.ravel(t)
    logp = scipy.special.log_softmax(z, axis=1)
    return -logp[np.arange(len(z)), t].mean()


@right("cross_entropy_grad", "stable")
def gradient_by_labels_or_one_hot(z, t):
    p = scipy.special.softmax(np.atleast_2d(z), axis=1)
    t = np.argmax(t, axis=-1) if np.size(t) == p.size else np.ravel(t)
    p[np.arange(len(p)), t] -= 1
    return p.reshape(np.shape(z)) / len(p)
