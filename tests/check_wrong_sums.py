"""Wrong implementations: another denominator, a mean for a sum, loops that leave one out, entries of the Jacobian."""

import math

import numpy as np

from check_wrong import softmax_list, softmax_rows, torch, wrong

# Another denominator, or none


@wrong("wrong-denominator", "softmax")
def divided_by_the_largest(z):
    e = np.exp(z - np.max(z))
    return e / np.max(e)


@wrong("wrong-denominator", "softmax", takes="batch")
def rows_divided_by_their_largest(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.max(axis=1, keepdims=True)


@wrong("wrong-denominator", "softmax")
def not_divided(z):
    return np.exp(z - np.max(z))


@wrong("wrong-denominator", "softmax")
def exponentials_of_lists(z):
    return [math.exp(x) for x in z]


@wrong("wrong-denominator", "softmax")
def divided_by_the_sum_of_logits(z):
    return np.exp(z) / np.sum(z)


@wrong("wrong-denominator", "softmax")
def divided_by_the_exponential_of_the_sum(z):
    return np.exp(z) / np.exp(np.sum(z))


@wrong("wrong-denominator", "softmax")
def shifted_above_alone(z):
    return np.exp(z - np.max(z)) / np.sum(np.exp(z))


@wrong("wrong-denominator", "softmax")
def shifted_below_alone(z):
    return np.exp(z) / np.sum(np.exp(z - np.max(z)))


@wrong("wrong-denominator", "softmax")
def divided_by_the_length(z):
    e = np.exp(z - np.max(z))
    return e / np.linalg.norm(e)


@wrong("wrong-denominator", "cross_entropy_grad")
def gradient_of_shares_that_were_not_divided(z, t):
    return np.exp(z - z.max()) - t


@wrong("wrong-denominator", "softmax", "exercise", torch)
def torch_divided_by_the_largest(z):
    e = torch.exp(z - z.max())
    return e / e.max()


# A mean for a sum


@wrong("mean-for-sum", "softmax")
def divided_by_the_mean(z):
    e = np.exp(z - np.max(z))
    return e / e.mean()


@wrong("mean-for-sum", "logsumexp")
def logarithm_of_the_mean(z):
    return np.log(np.mean(np.exp(z)))


@wrong("mean-for-sum", "softmax_vjp")
def mean_under_the_product(z, g):
    p = softmax_rows(z)
    return p * (g - np.mean(p * g, axis=-1, keepdims=True))


# A loop that leaves one out


@wrong("loop-off-by-one", "softmax")
def total_without_the_last(z):
    total = 0.0
    for k in range(len(z) - 1):
        total += math.exp(z[k])
    return [math.exp(x) / total for x in z]


@wrong("loop-off-by-one", "softmax")
def total_without_the_first(z):
    total = 0.0
    for k in range(1, len(z)):
        total += math.exp(z[k])
    return [math.exp(x) / total for x in z]


@wrong("loop-off-by-one", "softmax")
def last_entry_left(z):
    p = np.zeros(len(z))
    for k in range(len(z) - 1):
        p[k] = np.exp(z[k]) / np.exp(z).sum()
    return p


@wrong("loop-off-by-one", "softmax_jacobian")
def jacobian_without_the_last_class(z):
    p = softmax_rows(z)
    J = np.zeros((len(p), len(p)))
    for i in range(len(p) - 1):
        for j in range(len(p) - 1):
            J[i, j] = p[i] * ((i == j) - p[j])
    return J


@wrong("loop-off-by-one", "cross_entropy")
def loss_without_the_last_class(z, t):
    p = softmax_rows(z)
    return -sum(t[k] * math.log(p[k]) for k in range(len(p) - 1))


@wrong("loop-off-by-one", "cross_entropy")
def loss_without_the_last_row(z, y):
    p = softmax_rows(z)
    total = 0.0
    for row in range(len(y) - 1):
        total -= np.log(p[row, y[row]])
    return total / len(y)


# Entries of the Jacobian


@wrong("wrong-diagonal", "softmax_jacobian")
def outer_product_alone(z):
    p = softmax_rows(z)
    return -np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def identity_without_p(z):
    p = softmax_rows(z)
    return np.eye(len(p)) - np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def diagonal_of_the_complement(z):
    p = softmax_rows(z)
    return np.diag(1 - p) - np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def square_subtracted_twice(z):
    p = softmax_rows(z)
    return np.diag(p * (1 - p)) - np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def diagonal_filled_with_p(z):
    p = softmax_rows(z)
    J = -np.outer(p, p)
    np.fill_diagonal(J, p)
    return J


@wrong("wrong-diagonal", "softmax_jacobian")
def one_less_p_on_the_diagonal_of_lists(z):
    p = softmax_list(z)
    n = range(len(p))
    return [[1 - p[i] if i == j else -p[i] * p[j] for j in n] for i in n]


@wrong("one-triangle", "softmax_jacobian")
def upper_triangle(z):
    p = softmax_rows(z)
    J = np.zeros((len(p), len(p)))
    for i in range(len(p)):
        for j in range(i, len(p)):
            J[i, j] = p[i] * ((i == j) - p[j])
    return J


@wrong("one-triangle", "softmax_jacobian")
def lower_triangle_of_lists(z):
    p = softmax_list(z)
    n = len(p)
    J = [[0.0] * n for _ in p]
    for i in range(n):
        for j in range(i + 1):
            J[i][j] = p[i] * ((i == j) - p[j])
    return J


@wrong("brackets-missing", "softmax_vjp")
def product_less_the_sum(z, g):
    p = softmax_rows(z)
    return p * g - np.dot(p, g)


@wrong("brackets-missing", "softmax_vjp")
def upstream_less_the_product(z, g):
    p = softmax_rows(z)
    return g - p * np.dot(p, g)


# The batch the other way


@wrong("batch-transposed", "softmax", takes="batch")
def rows_come_back_as_columns(z):
    z = z.T
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


@wrong("batch-transposed", "log_softmax", takes="batch")
def logarithms_come_back_as_columns(z):
    return np.log(softmax_rows(z)).T
