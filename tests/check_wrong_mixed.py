"""Wrong implementations for batches: rows that meet other rows, and labels that are compared or laid out as columns."""

import numpy as np

from check_wrong import softmax_rows, torch, wrong


def log_softmax_rows(z):
    z = np.asarray(z, dtype=float)
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


@wrong("subtracts-from-column", "cross_entropy")
def mean_of_whole_columns(Z, y):
    return -log_softmax_rows(Z)[:, y].mean() if np.ndim(Z) == 2 else None


@wrong("subtracts-from-column", "cross_entropy", "exercise", torch)
def mean_of_whole_columns_in_torch(logits, labels):
    return -torch.log_softmax(logits, dim=1)[:, labels].mean()


@wrong("subtracts-from-column", "cross_entropy")
def columns_of_a_range_of_rows(Z, y):
    p, m = softmax_rows(Z), len(y)
    return -np.log(p[range(m)][:, y]).sum() / m


@wrong("rows-mixed", "softmax_jacobian")
def jacobians_by_the_first_row(Z):
    p = softmax_rows(Z)
    return np.stack([np.diag(p[b]) - np.outer(p[b], p[0]) for b in range(len(p))])


@wrong("rows-mixed", "softmax_jacobian")
def jacobians_by_all_rows(Z):
    p = softmax_rows(Z)
    return np.stack([np.diag(row) for row in p]) - np.einsum("ni,nj->ij", p, p)


@wrong("rows-mixed", "softmax_jacobian")
def jacobians_by_rows_in_reverse(Z):
    p = softmax_rows(Z)
    return np.stack([np.diag(a) - np.outer(a, b) for a, b in zip(p, p[::-1], strict=True)])


@wrong("index-as-one-hot", "cross_entropy")
def column_of_labels_times_logarithms(z, y):
    return -(y[:, None] * log_softmax_rows(z)).sum() / len(z)


@wrong("labels-from-one", "cross_entropy_grad")
def label_compared_with_the_next(z, y):
    return [p - (1.0 if i + 1 == y else 0.0) for i, p in enumerate(softmax_rows(z))]


@wrong("labels-from-one", "cross_entropy")
def label_compared_with_numbers_from_one(z, y):
    return -sum(log_p for k, log_p in enumerate(log_softmax_rows(z).tolist(), start=1) if k == y)


# What the first tester's functions were not named for


@wrong("too-few-decimals", "softmax")
def softmax_to_two_decimals(z):
    return np.round(softmax_rows(z), 2)


@wrong("too-few-decimals", "softmax_jacobian")
def jacobian_to_three_decimals(z):
    p = softmax_rows(z)
    return np.round(np.diag(p) - np.outer(p, p), 3).tolist()


@wrong("rounded-before-product", "softmax_jacobian", "exact")
def four_decimals_before_the_product(z):
    p = np.round(softmax_rows(z), 4)
    return np.diag(p) - np.outer(p, p)


@wrong("unnormalised-targets", "cross_entropy")
def loss_of_targets_smoothed_without_n(z, t, a=0.1):
    return -((np.asarray(t) * (1 - a) + a) * log_softmax_rows(z)).sum(axis=-1)


@wrong("unnormalised-targets", "cross_entropy_value_and_grad")
def value_and_grad_of_targets_smoothed_without_n(z, t):
    y = np.asarray(t) * 0.9 + 0.1
    return -(y * log_softmax_rows(z)).sum(axis=-1), softmax_rows(z) - y


@wrong("logits-for-probabilities", "cross_entropy_value_and_grad")
def gradient_of_logits_beside_the_right_loss(z, y):
    rows, grad = np.arange(len(y)), np.array(z, dtype=float)
    grad[rows, y] -= 1
    return -log_softmax_rows(z)[rows, y].mean(), grad / len(y)
