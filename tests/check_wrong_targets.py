"""Wrong implementations of losses and gradients: what is done at the label, with the targets, and with the rows."""

import numpy as np

import softjac
from check_wrong import as_one_hot, softmax_rows, torch, wrong


def log_rows(z):
    """Right, for the mistakes that come after it."""
    z = np.asarray(z, dtype=float)
    m = z.max(axis=-1, keepdims=True)
    return z - m - np.log(np.exp(z - m).sum(axis=-1, keepdims=True))


# The entry of the label


@wrong("label-entry-assigned", "cross_entropy_grad")
def minus_one_at_the_labels_of_rows(z, y):
    g = softmax_rows(z)
    g[np.arange(len(y)), y] = -1
    return g / len(y)


@wrong("label-entry-assigned", "cross_entropy_grad")
def zero_at_the_label(z, y):
    g = softmax_rows(z)
    g[y] = 0
    return g


@wrong("label-entry-assigned", "cross_entropy_grad")
def complement_at_the_label(z, y):
    g = softmax_rows(z)
    g[y] = 1 - g[y]
    return g


@wrong("label-entry-assigned", "cross_entropy_value_and_grad")
def loss_beside_minus_one_at_the_label(z, y):
    p = softmax_rows(z)
    g = p.copy()
    g[np.arange(len(y)), y] = -1
    return -np.log(p[np.arange(len(y)), y]).mean(), g / len(y)


@wrong("label-entry-assigned", "cross_entropy_grad", "exercise", torch)
def torch_one_at_the_label(z, y):
    g = torch.softmax(z, -1)
    g[torch.arange(len(y)), y] = 1
    return g


@wrong("targets-added", "cross_entropy_grad")
def sum_of_p_and_y(z, t):
    return softmax_rows(z) + t


@wrong("outer-derivative-missing", "cross_entropy_grad")
def derivative_of_minus_p(z, y):
    p = softmax_rows(z)
    g = p * p[y]
    g[y] = p[y] * (p[y] - 1)
    return g


@wrong("probabilities-missing", "cross_entropy_grad")
def minus_one_hot(z, y):
    return -np.eye(len(z))[y]


# The rows


@wrong("rows-added", "cross_entropy_grad")
def rows_are_summed(z, t):
    return (softmax_rows(z) - t).sum(axis=0)


@wrong("rows-added", "cross_entropy_grad")
def rows_are_averaged(z, t):
    return (softmax_rows(z) - t).mean(axis=0)


@wrong("rows-added", "cross_entropy_value_and_grad")
def loss_beside_averaged_rows(z, y):
    p = softmax_rows(z)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return loss, p.mean(axis=0)


# The loss


@wrong("loss-of-the-difference", "cross_entropy_value_and_grad")
def loss_after_the_subtraction(z, y):
    p = softmax_rows(z)
    rows = np.arange(len(y))
    p[rows, y] -= 1
    p /= len(y)
    return -np.log(p[rows, y]).mean(), p


@wrong("loss-of-the-difference", "cross_entropy_value_and_grad")
def loss_of_an_alias(z, y):
    p = softmax_rows(z)
    g = p
    g[y] -= 1
    return -np.log(p[y]), g


@wrong("sum-for-difference", "cross_entropy")
def normaliser_and_logit_added(z, y):
    return np.log(np.exp(z).sum()) + z[y]


@wrong("sum-for-difference", "cross_entropy")
def both_negative(z, y):
    return -z[y] - np.log(np.exp(z).sum())


@wrong("sum-for-difference", "log_softmax")
def logarithm_added(z):
    return z + np.log(np.exp(z).sum())


# Smoothed targets


@wrong("smoothed-targets", "cross_entropy")
def tenth_to_all_classes(z, y):
    n = z.shape[-1]
    t = as_one_hot(y, n) * 0.9 + 0.1 / n
    return -(t * log_rows(z)).sum(axis=-1)


@wrong("smoothed-targets", "cross_entropy", takes="batch")
def fifth_to_all_classes_of_rows(z, t, eps=0.2):
    t = t * (1 - eps) + eps / z.shape[1]
    return -(t * log_rows(z)).sum(axis=1).mean()


@wrong("smoothed-targets", "cross_entropy")
def tenth_to_the_others(z, y, a=0.1):
    t = np.full(len(z), a / (len(z) - 1))
    t[y] = 1 - a
    return -(t * log_rows(z)).sum()


@wrong("smoothed-targets", "cross_entropy")
def thirteen_hundredths_to_all(z, y, a=0.13):
    t = np.full(len(z), a / len(z))
    t[y] += 1 - a
    return -(t * log_rows(z)).sum()


@wrong("smoothed-targets", "cross_entropy_grad")
def gradient_of_smoothed_targets(z, y):
    t = np.full(len(z), 0.1 / len(z))
    t[y] += 0.9
    return softmax_rows(z) - t


@wrong("smoothed-targets", "cross_entropy_value_and_grad")
def smoothed_loss_beside_a_plain_gradient(z, y):
    t = np.full(len(z), 0.1 / len(z))
    t[y] += 0.9
    g = softmax_rows(z)
    g[y] -= 1
    return -(t * log_rows(z)).sum(), g


# In float16, and float32


@wrong("float16-sums", "cross_entropy")
def half_loss(z, y):
    z = np.asarray(z, dtype=np.float16)
    e = np.exp(z - z.max())
    return float(-np.log((e / e.sum())[y]))


@wrong("float16-sums", "cross_entropy")
def half_probabilities(z, y):
    return -np.log(softmax_rows(z).astype(np.float16)[y].astype(float))


@wrong("float16-sums", "cross_entropy_grad")
def half_gradient(z, y):
    p = softmax_rows(z).astype(np.float16).astype(float)
    p[y] -= 1
    return p


@wrong("float16-sums", "logsumexp")
def half_sum(z):
    m = z.max()
    return m + np.log(np.exp(z - m).sum(dtype=np.float16))


@wrong("float16-sums", "log_softmax")
def half_probabilities_in_the_logarithm(z):
    return np.log(softmax_rows(z).astype(np.float16))


@wrong("float32-sums", "cross_entropy_grad", "exact")
def single_probabilities(z, y):
    p = softmax_rows(z).astype(np.float32).astype(float)
    p[y] -= 1
    return p


@wrong("float32-sums", "softmax", "exact")
def single_logits(z):
    return softjac.softmax(np.asarray(z).astype(np.float32).astype(float))


@wrong("float32-sums", "logsumexp", "exact")
def single_sum(z):
    m = np.max(z)
    return m + np.log(np.exp(z - m).sum(dtype=np.float32).astype(float))
