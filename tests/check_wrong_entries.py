"""Wrong implementations in which single entries, rows or terms are others: what learners write by hand."""

import numpy as np

from check_wrong import softmax_list, softmax_rows, torch, wrong
from check_wrong_mixed import log_softmax_rows


@wrong("wrong-diagonal", "softmax_jacobian")
def identity_less_outer(z):
    p = softmax_rows(z)
    return np.eye(len(p)) - np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def outer_alone(z):
    p = softmax_rows(z)
    return -np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def squares_subtracted_twice(z):
    p = softmax_rows(z)
    return np.diag(p * (1 - p)) - np.outer(p, p)


@wrong("wrong-diagonal", "softmax_jacobian")
def diagonal_of_lists_is_p(z):
    p = softmax_list(z)
    return [[p[i] if i == j else -p[i] * p[j] for j in range(len(p))] for i in range(len(p))]


@wrong("wrong-diagonal", "softmax_jacobian", "exercise", torch)
def diagonal_in_torch_is_one_minus_p(z):
    p = torch.softmax(z, 0)
    J = -torch.outer(p, p)
    J.fill_diagonal_(0)
    return J + torch.diag(1 - p)


@wrong("wrong-diagonal", "softmax_vjp")
def product_with_identity_less_outer(z, g):
    p = softmax_rows(z)
    return g @ (np.eye(len(p)) - np.outer(p, p))


@wrong("one-triangle", "softmax_jacobian")
def upper_triangle(z):
    p, n = softmax_rows(z), len(z)
    J = np.zeros((n, n))
    for i in range(n):
        for j in range(i, n):
            J[i, j] = p[i] * ((i == j) - p[j])
    return J


@wrong("one-triangle", "softmax_jacobian")
def lower_triangle(z):
    p = softmax_rows(z)
    return np.tril(np.diag(p) - np.outer(p, p))


@wrong("brackets-missing", "softmax_vjp")
def sum_without_its_factor(z, g):
    p = softmax_rows(z)
    return p * g - np.sum(p * g, axis=-1, keepdims=True)


@wrong("brackets-missing", "softmax_vjp")
def gradient_without_its_factor(z, g):
    p = softmax_rows(z)
    return g - p * np.dot(p, g)


@wrong("label-entry-assigned", "cross_entropy_grad")
def one_at_the_label(z, y):
    g = softmax_rows(z)
    g[y] = 1
    return g


@wrong("label-entry-assigned", "cross_entropy_grad")
def minus_one_at_the_label(z, y):
    g = softmax_rows(z)
    g[y] = -1
    return g


@wrong("label-entry-assigned", "cross_entropy_grad")
def minus_one_at_the_labels_of_a_batch(logits, y):
    g = softmax_rows(logits)
    g[np.arange(len(y)), y] = -1
    return g / len(y)


@wrong("label-entry-assigned", "cross_entropy_grad")
def one_at_the_labels_of_a_batch(logits, y):
    g = softmax_rows(logits)
    g[np.arange(len(y)), y] = 1
    return g


@wrong("label-entry-assigned", "cross_entropy_grad")
def one_less_probability_at_the_label(z, label):
    return [1 - p if k == label else p for k, p in enumerate(softmax_list(z))]


@wrong("label-entry-assigned", "cross_entropy_value_and_grad")
def minus_one_at_the_label_beside_the_loss(z, y):
    p = softmax_rows(z)
    g = p.copy()
    g[y] = -1
    return -np.log(p[y]), g


@wrong("label-entry-assigned", "cross_entropy_grad", "exercise", torch)
def zero_at_the_label_in_torch(z, y):
    g = torch.softmax(z, -1)
    g[y] = 0
    return g


@wrong("targets-added", "cross_entropy_grad")
def probabilities_and_targets(z, y):
    return softmax_rows(z) + y


@wrong("targets-added", "cross_entropy_grad")
def one_added_at_the_label(z, y):
    g = softmax_rows(z)
    g[y] += 1
    return g


@wrong("outer-derivative-missing", "cross_entropy_grad")
def row_of_the_jacobian(z, y):
    p = softmax_rows(z)
    return (np.diag(p) - np.outer(p, p))[y]


@wrong("outer-derivative-missing", "cross_entropy_grad")
def jacobian_times_targets(z, t):
    p = softmax_rows(z)
    return -(np.diag(p) - np.outer(p, p)) @ t


@wrong("probabilities-missing", "cross_entropy_grad")
def targets_negated(z, y):
    return -np.eye(len(z))[y]


@wrong("rows-added", "cross_entropy_grad")
def gradient_of_all_rows(z, t):
    return np.sum(softmax_rows(z) - t, axis=0)


@wrong("rows-added", "cross_entropy_value_and_grad")
def mean_of_gradients_beside_the_loss(logits, y):
    rows, p = np.arange(len(y)), softmax_rows(logits)
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return loss, p.mean(axis=0)


@wrong("loss-of-the-difference", "cross_entropy_value_and_grad")
def loss_after_the_gradient(z, y):
    p = softmax_rows(z)
    g = p
    g[y] -= 1
    return -np.log(p[y]), g


@wrong("loss-of-the-difference", "cross_entropy_value_and_grad")
def loss_after_the_gradient_of_a_batch(logits, y):
    rows, p = np.arange(len(y)), softmax_rows(logits)
    p[rows, y] -= 1
    p /= len(y)
    return -np.log(p[rows, y]).mean(), p


@wrong("sum-for-difference", "cross_entropy")
def logit_added(z, y):
    return np.log(np.sum(np.exp(z))) + z[y]


@wrong("sum-for-difference", "cross_entropy")
def both_subtracted(z, y):
    return -z[y] - np.log(np.sum(np.exp(z)))


@wrong("sum-for-difference", "log_softmax")
def normaliser_added(z):
    return z + np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


@wrong("batch-transposed", "softmax")
def columns_for_rows(batch):
    return softmax_rows(batch).T


@wrong("batch-transposed", "softmax")
def examples_in_columns(Z):
    Z = Z.T
    e = np.exp(Z - Z.max(axis=0))
    return e / e.sum(axis=0)


@wrong("labels-pick-rows", "cross_entropy_grad")
def rows_less_one(Z, y):
    p = softmax_rows(Z)
    p[y] -= 1
    return p / len(y)


@wrong("labels-pick-rows", "cross_entropy")
def indices_exchanged(logits, y):
    return -log_softmax_rows(logits)[y, np.arange(len(y))].mean()


@wrong("targets-unused", "cross_entropy")
def entropy_of_the_prediction(z, y):
    p = softmax_rows(z)
    return -np.sum(p * np.log(p))


@wrong("targets-unused", "cross_entropy")
def loss_of_the_predicted_class(z, y):
    return -np.log(np.max(softmax_rows(z)))


@wrong("targets-unused", "cross_entropy")
def normaliser_alone(z, y):
    m = np.max(z)
    return m + np.log(np.sum(np.exp(z - m)))


@wrong("targets-unused", "cross_entropy_grad")
def gradient_of_the_predicted_class(z, y):
    g = softmax_rows(z)
    g[np.argmax(g)] -= 1
    return g


@wrong("extra-jacobian", "cross_entropy_grad")
def probabilities_times_the_difference(z, y):
    p = softmax_rows(z)
    return p * (p - y)


@wrong("n-missing", "cross_entropy_value_and_grad")
def sum_with_the_gradient_of_the_mean(logits, y):
    rows, p = np.arange(len(y)), softmax_rows(logits)
    loss = -np.log(p[rows, y]).sum()
    p[rows, y] -= 1
    return loss, p / len(y)


@wrong("logits-for-probabilities", "softmax_vjp")
def product_with_logits(z, g):
    return z * (g - np.sum(z * g, axis=-1, keepdims=True))


@wrong("targets-unused", "cross_entropy_grad")
def one_less_everywhere(z, y):
    return softmax_rows(z) - 1


@wrong("one-term-divided", "cross_entropy_grad")
def probabilities_divided_alone(logits, y):
    g = softmax_rows(logits) / len(y)
    g[np.arange(len(y)), y] -= 1
    return g


@wrong("one-term-divided", "cross_entropy_grad")
def targets_divided_alone(z, t):
    return softmax_rows(z) - t / len(z)


@wrong("brackets-missing", "softmax_jacobian")
def p_times_one_of_two_terms(z):
    s, n = softmax_rows(z), len(z)
    return np.array([[s[i] * (i == j) - s[j] for j in range(n)] for i in range(n)])


@wrong("wrong-denominator", "softmax")
def divided_by_the_others(z):
    e = np.exp(z - np.max(z))
    return np.array([e[i] / (e.sum() - e[i]) for i in range(len(e))])


@wrong("ignores-input", "cross_entropy_grad")
def zeros_for_every_label(z, y):
    return np.zeros_like(z, dtype=float)


@wrong("ignores-input", "softmax_jacobian")
def zeros_for_every_entry(z):
    return np.zeros((len(z), len(z)))


@wrong("elementwise-product", "softmax_jacobian")
def squares_from_every_row(z):
    s = softmax_rows(z)
    return np.diag(s) - s * s


@wrong("elementwise-product", "softmax_jacobian")
def squares_from_every_column(z):
    s = softmax_rows(z).reshape(-1, 1)
    return np.diagflat(s) - s * s
