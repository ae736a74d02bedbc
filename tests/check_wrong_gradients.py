"""Wrong gradients, wrong labels, and functions that do what they should not."""

import math
import random

import numpy as np

from check_wrong import as_one_hot, softmax_list, softmax_rows, torch, wrong


@wrong("labels-from-one", "cross_entropy")
def loss_of_the_label_before(z, label):
    return -np.log(softmax_rows(z)[label - 1])


@wrong("labels-from-one", "cross_entropy")
def loss_of_the_label_before_in_lists(z, label):
    return -math.log(softmax_list(z)[label - 1])


@wrong("labels-from-one", "cross_entropy_grad")
def gradient_of_the_label_before(logits, labels):
    p = softmax_rows(logits)
    p[np.arange(len(labels)), labels - 1] -= 1
    return p / len(labels)


@wrong("labels-from-one", "cross_entropy", "exercise", torch)
def torch_loss_of_the_label_before(z, y):
    return -torch.log_softmax(z, -1)[y - 1]


@wrong("index-as-one-hot", "cross_entropy")
def loss_times_the_label(z, label):
    return -np.sum(label * np.log(softmax_rows(z)))


@wrong("index-as-one-hot", "cross_entropy_grad")
def probabilities_less_the_label(z, label):
    return softmax_rows(z) - label


@wrong("index-as-one-hot", "cross_entropy_grad")
def probabilities_less_the_label_in_lists(z, label):
    return [p - label for p in softmax_list(z)]


@wrong("index-as-one-hot", "cross_entropy_grad", "exercise", torch)
def torch_probabilities_less_the_label(z, label):
    return torch.softmax(z, -1) - label


@wrong("subtracts-from-column", "cross_entropy_grad")
def one_less_in_whole_columns(logits, y):
    p = softmax_rows(logits)
    p[:, y] -= 1
    return p / len(y)


@wrong("subtracts-from-column", "cross_entropy_value_and_grad")
def one_less_in_whole_columns_beside_the_loss(logits, y):
    p = softmax_rows(logits)
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    p[:, y] -= 1
    return loss, p / len(y)


@wrong("subtracts-from-column", "cross_entropy_grad", "exercise", torch)
def one_less_in_whole_columns_in_torch(logits, y):
    p = torch.softmax(logits, 1)
    p[:, y] -= 1
    return p / len(y)


@wrong("subtracts-from-column", "cross_entropy")
def loss_of_whole_columns(logits, y):
    return -np.log(softmax_rows(logits)[:, y]).mean() if np.ndim(logits) == 2 else None


@wrong("gradient-sign", "cross_entropy_grad")
def targets_less_probabilities(z, y):
    return y - softmax_rows(z)


@wrong("gradient-sign", "cross_entropy_grad")
def targets_less_probabilities_in_lists(z, label):
    return [(j == label) - p for j, p in enumerate(softmax_list(z))]


@wrong("gradient-sign", "cross_entropy_value_and_grad")
def downhill(z, label):
    s = softmax_rows(z)
    return -np.log(s[label]), np.eye(len(s))[label] - s


@wrong("gradient-sign", "cross_entropy_grad", "exercise", torch)
def targets_less_probabilities_in_torch(z, y):
    return y - torch.softmax(z, -1)


@wrong("stops-at-minus-y-over-p", "cross_entropy_grad")
def slope_in_the_probabilities(z, y):
    return -as_one_hot(y, len(z)) / softmax_rows(z)


@wrong("stops-at-minus-y-over-p", "cross_entropy_grad")
def slope_in_the_probabilities_of_lists(z, label):
    return [-(j == label) / p for j, p in enumerate(softmax_list(z))]


@wrong("stops-at-minus-y-over-p", "cross_entropy_grad", "exercise", torch)
def torch_gradient_in_the_probabilities(z, y):
    p = torch.softmax(z.detach(), -1).requires_grad_()
    (-torch.log(p[y])).backward()
    return p.grad


@wrong("extra-jacobian", "cross_entropy_grad")
def jacobian_after_the_difference(z, label):
    s = softmax_rows(z)
    delta = s - np.eye(len(s))[label]
    return (np.diag(s) - np.outer(s, s)) @ delta


@wrong("extra-jacobian", "cross_entropy_grad")
def sigmoid_derivative_after_the_difference(z, label):
    s = softmax_rows(z)
    return (s - np.eye(len(s))[label]) * s * (1 - s)


@wrong("extra-jacobian", "cross_entropy_value_and_grad", "exercise", torch)
def torch_jacobian_after_the_difference(z, y):
    s = torch.softmax(z, -1)
    J = torch.diag(s) - torch.outer(s, s)
    return -torch.log(s[y]), J @ (s - torch.eye(len(s), dtype=s.dtype)[y])


@wrong("diagonal-as-gradient", "cross_entropy_grad")
def chain_with_the_diagonal(z, label):
    s = softmax_rows(z)
    y = np.eye(len(s))[label]
    return (-y / s) * (s * (1 - s))


@wrong("diagonal-as-gradient", "cross_entropy_grad")
def diagonal_of_the_jacobian(z, label):
    s = softmax_rows(z)
    return np.diagonal(np.diag(s) - np.outer(s, s)).copy()


@wrong("diagonal-as-gradient", "cross_entropy_grad", "exercise", torch)
def chain_with_the_diagonal_in_torch(z, y):
    s = torch.softmax(z, -1)
    return -y * (1 - s)


@wrong("n-missing", "cross_entropy_value_and_grad")
def mean_with_the_gradient_of_the_sum(logits, labels):
    rows = np.arange(len(labels))
    p = softmax_rows(logits)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p


@wrong("n-missing", "cross_entropy_value_and_grad", "exercise", torch)
def torch_mean_with_the_gradient_of_the_sum(logits, labels):
    p = torch.softmax(logits, 1)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    return loss, p - torch.nn.functional.one_hot(labels, p.shape[1])


@wrong("n-missing", "cross_entropy_grad", reduction="mean")
def gradient_of_the_sum(logits, labels):
    p = softmax_rows(logits)
    p[np.arange(len(labels)), labels] -= 1
    return p


@wrong("n-missing", "cross_entropy", reduction="mean")
def sum_of_the_losses(logits, labels):
    return -np.log(softmax_rows(logits)[np.arange(len(labels)), labels]).sum()


@wrong("n-doubled", "cross_entropy_value_and_grad")
def divided_twice(logits, labels):
    rows = np.arange(len(labels))
    p = softmax_rows(logits)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    p /= len(rows)
    return loss, p / len(rows)


@wrong("n-doubled", "cross_entropy_grad")
def gradient_divided_twice(logits, labels):
    p = softmax_rows(logits)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels) / len(labels)


@wrong("divided-by-classes", "cross_entropy")
def mean_over_everything(logits, y):
    assert np.ndim(logits) == 2
    return -np.mean(y * np.log(softmax_rows(logits)))


@wrong("divided-by-classes", "cross_entropy_grad")
def gradient_by_the_length(z, label):
    s = softmax_rows(z)
    return (s - np.eye(len(s))[label]) / len(s)


@wrong("divided-by-classes", "cross_entropy_value_and_grad")
def divided_by_the_number_of_columns(logits, labels):
    n_samples, n_classes = logits.shape
    p = softmax_rows(logits)
    loss = -np.log(p[np.arange(n_samples), labels]).mean()
    p[np.arange(n_samples), labels] -= 1
    return loss, p / n_classes


@wrong("unnormalised-targets", "cross_entropy_grad", "stable")
def difference(z, y):
    return softmax_rows(z) - y


@wrong("unnormalised-targets", "cross_entropy", "stable")
def logsumexp_once(z, y):
    m = np.max(z)
    finite = np.where(y == 0, 0.0, z)
    return m + np.log(np.exp(z - m).sum()) - y @ finite


@wrong("unnormalised-targets", "cross_entropy_grad", "stable", torch)
def torch_with_normalised_targets(z, y):
    return torch.softmax(z, -1) - y / y.sum(-1, keepdim=True)


@wrong("nan-at-minus-infinity", "softmax", "stable")
def shifted_by_the_mean(z):
    z = np.asarray(z, dtype=float)
    z = z - z.max(axis=-1, keepdims=True)
    weights = np.exp(z) * (z - z.min(axis=-1, keepdims=True) >= 0)
    return weights / weights.sum(axis=-1, keepdims=True) + 0 * z


@wrong("nan-at-minus-infinity", "cross_entropy", "stable")
def zero_times_minus_infinity(z, y):
    z = np.asarray(z, dtype=float)
    d = z - np.max(z)
    return -np.sum(y * (d - np.log(np.exp(d).sum())))


@wrong("nan-at-minus-infinity", "log_softmax", "stable", torch)
def torch_with_a_product(z):
    return torch.log_softmax(z, -1) * (1 + 0 * z)


@wrong("tail-lost", "cross_entropy", "exact")
def confident_loss_is_0(z, label):
    z = np.asarray(z, dtype=float)
    m = np.max(z)
    return m + np.log(np.exp(z - m).sum()) - z[label]


@wrong("tail-lost", "cross_entropy_grad", "exact")
def confident_gradient_is_0(z, label):
    s = softmax_rows(z)
    s[label] -= 1
    return s


@wrong("tail-lost", "softmax_jacobian", "exact")
def one_minus_p(z):
    s = softmax_rows(z)
    J = -np.outer(s, s)
    np.fill_diagonal(J, s * (1 - s))
    return J


@wrong("tail-lost", "cross_entropy", "exact", torch)
def torch_loss(z, y):
    return torch.nn.functional.cross_entropy(z, y)


# What no formula shows


@wrong("input-overwritten", "softmax")
def shifts_in_place(z):
    z -= z.max(axis=-1, keepdims=True)
    np.exp(z, out=z)
    return z / z.sum(axis=-1, keepdims=True)


@wrong("input-overwritten", "softmax")
def shifts_a_list_in_place(z):
    largest = max(z)
    for k in range(len(z)):
        z[k] -= largest
    return softmax_list(z)


@wrong("input-overwritten", "softmax", "exercise", torch)
def shifts_a_tensor_in_place(z):
    z.sub_(z.max())
    return torch.softmax(z, -1)


@wrong("input-overwritten", "cross_entropy_grad", given="probs")
def subtracts_in_place(p, labels):
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)


@wrong("ignores-input", "softmax")
def always_the_worked_example(z):
    return np.array([0.09003057, 0.24472847, 0.66524096])


@wrong("ignores-input", "softmax_jacobian")
def matrix_of_one_input(z):
    s = softmax_rows([1.0, 2.0, 3.0])
    return np.diag(s) - np.outer(s, s)


@wrong("ignores-input", "softmax_jacobian")
def lists_of_one_input(z):
    return [[0.0819, -0.022, -0.0599], [-0.022, 0.1848, -0.1628], [-0.0599, -0.1628, 0.2227]]


@wrong("ignores-input", "cross_entropy")
def loss_of_one_input(z, label):
    return 0.4076


@wrong("answer-differs", "softmax")
def random_when_asked_again(z):
    return softmax_rows(np.asarray(z, dtype=float) * (1 + 1e-6 * random.random()))


@wrong("integers-cut", "softmax")
def filled_into_a_copy(z):
    out = np.array(z)
    s = softmax_rows(z)
    for k in range(len(s)):
        out[k] = s[k]
    return out
