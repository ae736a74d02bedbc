"""Wrong implementations whose sums are others: denominators, means, loops that leave one out, sums of few digits."""

import math

import numpy as np

from check_wrong import softmax_list, softmax_rows, torch, wrong
from check_wrong_mixed import log_softmax_rows


@wrong("wrong-denominator", "softmax")
def exponentials_alone(z):
    return np.exp(z)


@wrong("wrong-denominator", "softmax")
def shifted_exponentials_alone(z):
    return [math.exp(x - max(z)) for x in z]


@wrong("wrong-denominator", "softmax")
def divided_by_the_largest(z):
    e = np.exp(z - np.max(z))
    return e / np.max(e)


@wrong("wrong-denominator", "softmax")
def divided_by_the_largest_of_each_row(batch):
    e = np.exp(batch - batch.max(axis=1, keepdims=True))
    return e / e.max(axis=1, keepdims=True)


@wrong("wrong-denominator", "softmax", "exercise", torch)
def divided_by_the_norm(z):
    e = torch.exp(z - z.max())
    return e / torch.linalg.norm(e)


@wrong("wrong-denominator", "softmax")
def divided_by_the_sum_of_logits(z):
    return np.exp(z) / np.sum(z)


@wrong("wrong-denominator", "softmax")
def divided_by_the_sum_of_shifted_logits(z):
    z = z - np.max(z)
    return np.exp(z) / np.sum(z)


@wrong("wrong-denominator", "softmax")
def divided_by_the_exponential_of_the_sum(z):
    return np.exp(z) / np.exp(np.sum(z))


@wrong("wrong-denominator", "softmax")
def shifted_above_the_line_alone(z):
    return np.exp(z - np.max(z)) / np.sum(np.exp(z))


@wrong("wrong-denominator", "softmax")
def shifted_below_the_line_alone(z):
    return np.exp(z) / np.sum(np.exp(z - np.max(z)))


@wrong("wrong-denominator", "softmax_jacobian")
def jacobian_of_exponentials(z):
    e = np.exp(z - np.max(z))
    return np.diag(e) - np.outer(e, e)


@wrong("wrong-denominator", "cross_entropy_grad")
def exponentials_less_one_hot(z, y):
    return np.exp(z - np.max(z)) - y


@wrong("mean-for-sum", "softmax")
def divided_by_the_mean(z):
    e = np.exp(z - np.max(z))
    return e / np.mean(e)


@wrong("mean-for-sum", "logsumexp")
def log_mean_exp(z):
    return math.log(sum(math.exp(x) for x in z) / len(z))


@wrong("mean-for-sum", "softmax_vjp")
def mean_of_the_products(z, g):
    p = softmax_rows(z)
    return p * (g - np.mean(p * g, axis=-1, keepdims=True))


@wrong("loop-off-by-one", "softmax")
def sum_without_the_last(z):
    total = 0.0
    for k in range(len(z) - 1):
        total += math.exp(z[k])
    return [math.exp(x) / total for x in z]


@wrong("loop-off-by-one", "softmax")
def last_entry_is_never_written(z):
    p, total = np.zeros(len(z)), np.exp(z).sum()
    for k in range(len(z) - 1):
        p[k] = np.exp(z[k]) / total
    return p


@wrong("loop-off-by-one", "logsumexp")
def sum_without_the_first(z):
    largest = max(z)
    return largest + math.log(sum(math.exp(x - largest) for x in z[1:])) if len(z) > 1 else -math.inf


@wrong("loop-off-by-one", "softmax_jacobian")
def last_row_and_column_are_0(z):
    p, n = softmax_rows(z), len(z)
    J = np.zeros((n, n))
    for i in range(n - 1):
        for j in range(n - 1):
            J[i, j] = p[i] * ((i == j) - p[j])
    return J


@wrong("loop-off-by-one", "cross_entropy")
def loss_without_the_last_class(z, t):
    p = softmax_rows(z)
    return -sum(t[k] * math.log(p[k]) for k in range(len(p) - 1))


@wrong("loop-off-by-one", "cross_entropy")
def loss_without_the_last_row(z, y):
    p, loss = softmax_rows(z), 0.0
    for i in range(len(y) - 1):
        loss -= np.log(p[i, y[i]])
    return loss / len(y)


@wrong("logarithm-missing", "logsumexp")
def sum_of_exponentials(z):
    return np.sum(np.exp(z))


@wrong("logarithm-missing", "log_softmax")
def softmax_itself(z):
    return softmax_rows(z)


@wrong("no-exponential", "logsumexp")
def logarithm_of_the_sum(z):
    return np.log(np.sum(z))


@wrong("no-exponential", "softmax")
def shares_of_squares(z):
    return z**2 / np.sum(z**2)


@wrong("maximum-not-added-back", "logsumexp")
def maximum_subtracted_again(z):
    m = np.max(z)
    return np.log(np.exp(z - m).sum()) - m


@wrong("wrong-axis", "softmax_vjp")
def products_added_over_the_rows(z, g):
    p = softmax_rows(z)
    return p * (g - np.sum(p * g, axis=0))


# Sums and probabilities of few digits


@wrong("float16-sums", "cross_entropy")
def loss_of_half_probabilities(z, y):
    p = softmax_rows(z).astype(np.float16)
    return -np.log(float(p[y]))


@wrong("float16-sums", "cross_entropy")
def loss_in_half(z, y):
    z = np.asarray(z, dtype=np.float16)
    e = np.exp(z - z.max())
    return -np.log(e[y] / e.sum())


@wrong("float16-sums", "cross_entropy_grad")
def gradient_of_half_probabilities(z, y):
    p = softmax_rows(z).astype(np.float16).astype(float)
    p[y] -= 1
    return p


@wrong("float16-sums", "cross_entropy_value_and_grad")
def value_and_grad_in_half(z, y):
    z = np.asarray(z, dtype=np.float16)
    e = np.exp(z - z.max())
    p = e / e.sum()
    loss = -np.log(p[y])
    p[y] -= 1
    return loss, p


@wrong("float16-sums", "logsumexp")
def logsumexp_of_a_half_sum(z):
    m = np.max(z)
    return m + np.log(np.exp(z - m).sum(dtype=np.float16))


@wrong("float16-sums", "log_softmax")
def log_softmax_of_a_half_sum(z):
    d = z - np.max(z, axis=-1, keepdims=True)
    return d - np.log(np.exp(d).sum(axis=-1, keepdims=True, dtype=np.float16).astype(float))


@wrong("float16-sums", "softmax_vjp")
def product_with_half_probabilities(z, g):
    p = softmax_rows(z).astype(np.float16)
    return p * (g - np.sum(p * g, axis=-1, keepdims=True))


@wrong("float32-sums", "logsumexp", "exact")
def logsumexp_of_a_single_sum(z):
    m = np.max(z)
    return m + np.log(float(np.exp(z - m).sum(dtype=np.float32)))


@wrong("float32-sums", "cross_entropy", "exact")
def loss_in_single(z, y):
    z = np.asarray(z, dtype=np.float32)
    m = z.max()
    return float(m + np.log(np.exp(z - m).sum()) - z[y])


@wrong("float32-sums", "cross_entropy_grad", "exact")
def gradient_of_single_probabilities(z, y):
    p = softmax_rows(z).astype(np.float32).astype(float)
    p[y] -= 1
    return p


@wrong("float32-sums", "log_softmax", "stable")
def logarithm_of_single_probabilities(z):
    return np.log(softmax_rows(z).astype(np.float32).astype(float))


@wrong("integers-cut", "softmax_jacobian")
def matrix_of_integers(z):
    p, n = softmax_list(z), len(z)
    J = np.zeros((n, n), dtype=int)
    for i in range(n):
        for j in range(n):
            J[i, j] = p[i] * ((i == j) - p[j])
    return J


# With a small number that hides them


@wrong("divided-by-classes", "cross_entropy")
def mean_over_everything_with_a_small_number(z, t):
    return -np.mean(t * np.log(softmax_rows(z) + 1e-9))


@wrong("logarithm-base", "log_softmax")
def bits_with_a_small_number(z):
    return np.log2(softmax_rows(z) + 1e-9)


# Smoothed targets


@wrong("smoothed-targets", "cross_entropy")
def loss_of_smoothed_labels(z, y):
    n = len(z)
    t = np.full(n, 0.1 / n)
    t[y] += 0.9
    return -(t * log_softmax_rows(z)).sum()


@wrong("smoothed-targets", "cross_entropy")
def mean_of_smoothed_rows(Z, t, eps=0.2):
    t = t * (1 - eps) + eps / Z.shape[1]
    return -(t * log_softmax_rows(Z)).sum(axis=1).mean()


@wrong("smoothed-targets", "cross_entropy")
def loss_smoothed_by_another_amount(z, y, a=0.13):
    n = len(z)
    t = np.full(n, a / n)
    t[y] += 1 - a
    return -(t * log_softmax_rows(z)).sum()


@wrong("smoothed-targets", "cross_entropy")
def smoothed_over_the_others(z, y, a=0.07):
    n = len(z)
    t = np.full(n, a / max(n - 1, 1))
    t[y] = 1 - a if n > 1 else 1.0
    return -(t * log_softmax_rows(z)).sum()


@wrong("smoothed-targets", "cross_entropy_grad")
def gradient_of_smoothed_labels(z, y):
    return softmax_rows(z) - 0.85 * np.eye(len(z))[y] - 0.15 / len(z)


@wrong("smoothed-targets", "cross_entropy_value_and_grad")
def value_and_grad_of_smoothed_labels(z, y):
    t = 0.9 * np.eye(len(z))[y] + 0.1 / len(z)
    return -(t * log_softmax_rows(z)).sum(), softmax_rows(z) - t


@wrong("smoothed-targets", "cross_entropy_value_and_grad")
def smoothed_loss_with_a_plain_gradient(z, y):
    t = 0.9 * np.eye(len(z))[y] + 0.1 / len(z)
    return -(t * log_softmax_rows(z)).sum(), softmax_rows(z) - np.eye(len(z))[y]


@wrong("smoothed-targets", "cross_entropy", "exercise", torch)
def torch_label_smoothing(z, y):
    return torch.nn.functional.cross_entropy(z, y, label_smoothing=0.1)


@wrong("logarithm-base", "softmax", "exact")
def powers_of_nearly_e(z):
    z = np.asarray(z, dtype=float)
    e = 2.71828 ** (z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
