"""Wrong implementations for batches: gradients that are divided by N, and sums over the wrong rows after softmax."""

import numpy as np
import scipy.special

from check_wrong import softmax_rows, torch, wrong
from check_wrong_frameworks import jax


@wrong("logits-for-probabilities", "cross_entropy_grad")
def logits_less_one_at_the_label(logits, y):
    g = np.array(logits, dtype=float)
    g[np.arange(len(y)), y] -= 1
    return g / len(y)


@wrong("stops-at-minus-y-over-p", "cross_entropy_grad")
def quotients_at_the_labels_by_n(logits, y):
    n = logits.shape[0]
    p = softmax_rows(logits)
    d = np.zeros_like(p)
    d[np.arange(n), y] = -1.0 / p[np.arange(n), y]
    return d / n


@wrong("stops-at-minus-y-over-p", "cross_entropy_grad", "exercise", torch)
def quotients_of_one_hot_by_n(logits, onehot):
    return -onehot / torch.softmax(logits, dim=-1) / logits.shape[0]


@wrong("subtracts-from-column", "cross_entropy_grad", "exercise", jax)
def columns_of_labels_by_n(x, y):
    return jax.nn.softmax(x, axis=1).at[:, y].add(-1.0) / x.shape[0]


@wrong("gradient-sign", "cross_entropy_grad")
def labels_less_probabilities_by_n(logits, y):
    one_hot = np.eye(logits.shape[1])[y]
    return (one_hot - softmax_rows(logits)) / logits.shape[0]


@wrong("diagonal-as-gradient", "cross_entropy_grad")
def slopes_of_each_class_by_n(logits, y):
    p = softmax_rows(logits)
    return p * (1 - p) / len(y)


@wrong("wrong-axis", "softmax_vjp")
def products_summed_down_the_columns(z, g):
    p = softmax_rows(z)
    return p * (g - (g * p).sum(axis=0, keepdims=True))


@wrong("one-sum-over-array", "softmax_vjp")
def products_summed_over_all_rows(z, g):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p * (g - (g * p).sum())


@wrong("rows-mixed", "softmax_vjp")
def products_summed_without_keepdims(z, g):
    p = softmax_rows(z)
    return p * (g - (g * p).sum(axis=-1))


@wrong("one-sum-over-array", "logsumexp")
def one_logarithm_for_all_rows(X):
    m = X.max()
    return np.full(X.shape[0], m + np.log(np.exp(X - m).sum()))


@wrong("wrong-axis", "logsumexp")
def logarithms_of_columns(X):
    m = X.max(axis=0)
    return np.log(np.exp(X - m).sum(axis=0)) + m


@wrong("unnormalised-targets", "cross_entropy_value_and_grad", "stable")
def logsumexp_less_the_logit_of_the_class(z, t):
    m = np.max(z)
    e = np.exp(np.subtract(z, m))
    loss = m + np.log(e.sum()) - sum(a * b for a, b in zip(t, z, strict=True) if a)
    return loss, e / e.sum() - t


@wrong("rows-mixed", "cross_entropy")
def logarithms_without_keepdims(z, y):
    lp = z - np.log(np.exp(z).sum(axis=1))
    return -lp[np.arange(len(y)), y].mean()


@wrong("wrong-axis", "logsumexp")
def scipy_down_the_columns(z):
    return scipy.special.logsumexp(z, axis=0)


@wrong("wrong-axis", "logsumexp", "exercise", torch)
def torch_down_the_columns(z):
    return torch.logsumexp(z, dim=0)


@wrong("logarithm-of-sum", "cross_entropy", given="probs")
def log_of_chosen_probabilities(y_pred, y_true):
    return np.mean(-np.log(np.sum(y_pred * y_true, axis=1)))


@wrong("logarithm-of-sum", "cross_entropy", "exercise", torch)
def log_of_chosen_probabilities_in_torch(logits, y):
    return -torch.log((torch.softmax(logits, dim=-1) * y).sum(dim=-1)).mean()


@wrong("gradient-sign", "cross_entropy_grad")
def quotients_of_the_other_sign(probs, y):
    return y / probs


@wrong("log-of-zero", "cross_entropy_value_and_grad", "stable")
def mean_of_logarithms_and_its_gradient(X, y):
    p, rows = softmax_rows(X), np.arange(len(y))
    loss = -np.sum(np.log(p[rows, y])) / len(y)
    p[rows, y] -= 1
    return loss, p / len(y)


@wrong("gradient-sign", "cross_entropy_grad", given="probs")
def targets_less_given_probabilities(probs, y):
    return y - probs


@wrong("n-missing", "cross_entropy_value_and_grad", "exercise", torch, takes="batch")
def mean_beside_the_gradient_of_the_sum_by_autograd(x, y):
    x = x.clone().requires_grad_(True)
    torch.nn.functional.cross_entropy(x, y, reduction="sum").backward()
    return torch.nn.functional.cross_entropy(x, y).item(), x.grad
