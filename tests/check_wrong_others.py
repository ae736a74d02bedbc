"""More wrong implementations, beyond the list that the checker began with: what else people write."""

import math

import numpy as np

from check_wrong import softmax_list, softmax_rows, torch, wrong


@wrong("no-maximum-subtracted", "softmax", "stable")
def shifted_by_the_smallest(z):
    e = np.exp(z - np.min(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@wrong("no-maximum-subtracted", "softmax_jacobian", "stable")
def shifted_by_the_average(z):
    e = np.exp(z - np.mean(z))
    s = e / e.sum()
    return np.diag(s) - np.outer(s, s)


@wrong("negative-exponent", "softmax")
def softmin(z):
    e = np.exp(-(z - np.min(z, axis=-1, keepdims=True)))
    return e / e.sum(axis=-1, keepdims=True)


@wrong("negative-exponent", "softmax")
def softmin_of_lists(z):
    return [math.exp(-x) / sum(math.exp(-other) for other in z) for x in z]


@wrong("no-exponential", "softmax")
def shares(z):
    return np.asarray(z) / np.sum(z)


@wrong("no-exponential", "softmax")
def shares_of_lists(z):
    return [x / sum(z) for x in z]


@wrong("sigmoid", "softmax")
def logistic(z):
    return 1 / (1 + np.exp(-np.asarray(z, dtype=float)))


@wrong("sigmoid", "softmax", "exercise", torch)
def torch_sigmoid(z):
    return torch.sigmoid(z)


@wrong("maximum-counted-twice", "logsumexp")
def maximum_added_to_the_whole(z):
    return np.max(z) + np.log(np.sum(np.exp(z)))


@wrong("maximum-counted-twice", "log_softmax")
def maximum_subtracted_from_the_whole(z):
    return z - np.max(z) - np.log(np.sum(np.exp(z)))


@wrong("index-repeated", "softmax_jacobian")
def one_index_twice(z):
    s = softmax_rows(z)
    n = len(s)
    J = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            J[i, j] = s[i] * (1 - s[i]) if i == j else -s[i] * s[i]
    return J


@wrong("index-repeated", "softmax_jacobian")
def one_index_twice_in_lists(z):
    s = softmax_list(z)
    return [[s[i] * ((i == j) - s[i]) for j in range(len(s))] for i in range(len(s))]


@wrong("identity-missing", "softmax_jacobian")
def outer_product_with_the_complement(z):
    s = softmax_rows(z)
    return np.outer(s, 1 - s)


@wrong("identity-missing", "softmax_jacobian", "exercise", torch)
def torch_outer_product_with_the_complement(z):
    s = torch.softmax(z, 0)
    return torch.outer(s, 1 - s)


@wrong("sum-not-weighted", "softmax_vjp")
def plain_sum(z, g):
    s = softmax_rows(z)
    return s * g - s * np.sum(g, axis=-1, keepdims=True)


@wrong("sum-not-weighted", "softmax_vjp")
def plain_mean_of_lists(z, g):
    mean = sum(g) / len(g)
    return [s * (x - mean) for s, x in zip(softmax_list(z), g, strict=True)]


@wrong("targets-in-logarithm", "cross_entropy")
def operands_exchanged(z, y):
    return -np.sum(softmax_rows(z) * np.log(y + 1e-12))


@wrong("targets-in-logarithm", "cross_entropy", "exercise", torch)
def operands_exchanged_in_torch(z, y):
    return -(torch.softmax(z, -1) * torch.log(y + 1e-8)).sum()


@wrong("logarithm-missing", "cross_entropy")
def minus_the_probability(z, label):
    return -softmax_rows(z)[label]


@wrong("logarithm-missing", "cross_entropy")
def one_minus_the_probability(z, label):
    return 1 - softmax_list(z)[label]


@wrong("logarithm-missing", "cross_entropy", "exercise", torch)
def nll_loss_of_probabilities(z, y):
    return torch.nn.functional.nll_loss(torch.softmax(z, -1), y)


@wrong("targets-unused", "cross_entropy")
def all_the_logarithms(z, label):
    return -np.sum(np.log(softmax_rows(z)))


@wrong("targets-unused", "cross_entropy_grad")
def only_the_probabilities(z, label):
    return softmax_rows(z)


@wrong("squared-error", "cross_entropy")
def squares(z, y):
    return np.sum((softmax_rows(z) - y) ** 2)


@wrong("squared-error", "cross_entropy", "exercise", torch)
def torch_squares(z, y):
    return torch.nn.functional.mse_loss(torch.softmax(z, -1), y)


@wrong("squared-error", "cross_entropy_grad")
def gradient_of_squares(z, y):
    p = softmax_rows(z)
    d = 2 * (p - y)
    return p * (d - np.sum(p * d, axis=-1, keepdims=True))


@wrong("running-sum-not-rescaled", "softmax")
def online_softmax(z):
    m, total = -math.inf, 0.0
    for x in z:
        m = max(m, x)
        total += math.exp(x - m)
    return np.exp(np.asarray(z) - m) / total


@wrong("running-sum-not-rescaled", "softmax", "exercise", torch)
def online_softmax_of_torch(z):
    m = torch.cummax(z, -1).values
    return torch.exp(z - m[..., -1:]) / torch.exp(z - m).sum(-1, keepdim=True)


@wrong("running-sum-not-rescaled", "logsumexp")
def online_logsumexp(z):
    m, total = z[0], 1.0
    for x in z[1:]:
        m = max(m, x)
        total += math.exp(x - m)
    return m + math.log(total)


@wrong("running-sum-not-rescaled", "cross_entropy")
def fused_loss_of_one_pass(z, y):
    m, total = -math.inf, 0.0
    for x in z:
        m = max(m, x)
        total += math.exp(x - m)
    return math.log(total) + m - z[y]
