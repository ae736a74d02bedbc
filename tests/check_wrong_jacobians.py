"""Wrong Jacobians, and wrong products with them."""

import numpy as np

from check_wrong import as_one_hot, softmax_list, softmax_rows, torch, wrong

# The Jacobian


@wrong("diagonal-only", "softmax_jacobian")
def derivative_as_of_a_sigmoid(z):
    s = softmax_rows(z)
    return s * (1 - s)


@wrong("diagonal-only", "softmax_jacobian")
def diagonal_matrix_alone(z):
    s = softmax_rows(z)
    return np.diag(s * (1.0 - s))


@wrong("diagonal-only", "softmax_jacobian")
def diagonal_of_lists(z):
    s = softmax_list(z)
    return [[s[i] * (1 - s[i]) if i == j else 0.0 for j in range(len(s))] for i in range(len(s))]


@wrong("diagonal-only", "softmax_jacobian", "exercise", torch)
def diagonal_in_torch(z):
    s = torch.softmax(z, 0)
    return torch.diag(s - s**2)


@wrong("diagonal-only", "softmax_vjp")
def backward_as_of_a_sigmoid(z, upstream):
    s = softmax_rows(z)
    return upstream * s * (1 - s)


@wrong("diagonal-only", "softmax_vjp")
def backward_as_of_a_sigmoid_of_lists(z, upstream):
    return [g * s * (1 - s) for g, s in zip(upstream, softmax_list(z), strict=True)]


@wrong("column-formula-1d", "softmax_jacobian")
def column_formula(z):
    s = softmax_rows(z)
    return s * (np.identity(s.size) - s.T)


@wrong("column-formula-1d", "softmax_jacobian")
def diagflat_less_elementwise(z):
    s = softmax_rows(z)
    return np.diagflat(s) - s * s.T


@wrong("column-formula-1d", "softmax_jacobian", "exercise", torch)
def column_formula_in_torch(z):
    s = torch.softmax(z, dim=0)
    return s * (torch.eye(len(s), dtype=s.dtype) - s.t())


@wrong("column-formula-1d", "softmax_jacobian")
def column_formula_of_lists(z):
    s = softmax_list(z)
    n = len(s)
    return [[s[j] * ((1.0 if i == j else 0.0) - s[j]) for j in range(n)] for i in range(n)]


@wrong("column-formula-1d", "softmax_vjp")
def vjp_by_the_column_formula(z, g):
    s = softmax_rows(z)
    return (s * (np.eye(len(s)) - s.T)) @ g


@wrong("column-formula-1d", "cross_entropy_grad")
def gradient_by_the_column_formula(z, y):
    s = softmax_rows(z)
    y = as_one_hot(y, len(s))
    return (-y / s) @ (s * (np.eye(len(s)) - s.T))


@wrong("diag-of-column", "softmax_jacobian")
def diag_of_a_column(z):
    s = softmax_rows(z).reshape(-1, 1)
    return np.diag(s) - np.dot(s, s.T)


@wrong("diag-of-column", "softmax_jacobian", "exercise", torch)
def diag_of_a_column_in_torch(z):
    s = torch.softmax(z, 0).unsqueeze(1)
    return torch.diag(s) - s @ s.T


@wrong("inner-product", "softmax_jacobian")
def inner_product(z):
    s = softmax_rows(z)
    return np.diag(s) - s @ s


@wrong("inner-product", "softmax_jacobian")
def dot_with_the_transpose(z):
    s = softmax_rows(z)
    return np.diag(s) - np.dot(s, s.T)


@wrong("inner-product", "softmax_jacobian", "exercise", torch)
def inner_product_in_torch(z):
    s = torch.softmax(z, 0)
    return torch.diag(s) - torch.dot(s, s)


@wrong("off-diagonal-sign", "softmax_jacobian")
def plus_off_the_diagonal(z):
    s = softmax_rows(z)
    n = len(s)
    J = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            J[i, j] = s[i] * (1 - s[i]) if i == j else s[i] * s[j]
    return J


@wrong("off-diagonal-sign", "softmax_jacobian")
def plus_the_outer_product(z):
    s = softmax_rows(z)
    return np.diag(s) + np.outer(s, s)


@wrong("off-diagonal-sign", "softmax_jacobian")
def plus_off_the_diagonal_of_lists(z):
    s = softmax_list(z)
    n = len(s)
    return [[s[i] * (1 - s[j]) if i == j else s[i] * s[j] for j in range(n)] for i in range(n)]


@wrong("off-diagonal-sign", "softmax_vjp")
def vjp_with_a_plus(z, g):
    s = softmax_rows(z)
    return s * (g + np.sum(s * g, axis=-1, keepdims=True))


@wrong("negated", "softmax_jacobian")
def outer_less_diagonal(z):
    s = softmax_rows(z)
    return np.outer(s, s) - np.diag(s)


@wrong("negated", "softmax_vjp")
def vjp_negated(z, g):
    s = softmax_rows(z)
    return s * (np.sum(s * g, axis=-1, keepdims=True) - g)


@wrong("negated", "cross_entropy")
def log_likelihood(z, label):
    return np.log(softmax_rows(z)[label])


@wrong("negated", "log_softmax")
def minus_log_softmax(z):
    return -np.log(softmax_rows(z))


@wrong("negated", "cross_entropy_value_and_grad")
def log_likelihood_and_gradient(z, label):
    s = softmax_rows(z)
    return np.log(s[label]), np.eye(len(s))[label] - s


@wrong("logits-for-probabilities", "softmax_jacobian")
def jacobian_of_the_argument(z):
    return np.diag(z) - np.outer(z, z)


@wrong("logits-for-probabilities", "softmax_vjp", given="logits")
def vjp_of_the_argument(z, g):
    return z * (g - np.sum(z * g, axis=-1, keepdims=True))


@wrong("logits-for-probabilities", "cross_entropy_grad")
def logits_less_one_hot(z, label):
    out = np.array(z, dtype=float)
    out[label] -= 1
    return out


@wrong("log-softmax-jacobian", "softmax_jacobian")
def jacobian_of_log_softmax(z):
    s = softmax_rows(z)
    return np.eye(len(s)) - s


@wrong("log-softmax-jacobian", "softmax_jacobian")
def jacobian_of_log_softmax_of_lists(z):
    s = softmax_list(z)
    n = len(s)
    return [[(1 if i == j else 0) - s[j] for j in range(n)] for i in range(n)]


@wrong("log-softmax-jacobian", "softmax_jacobian", "exercise", torch)
def jacobian_of_torch_log_softmax(z):
    return torch.autograd.functional.jacobian(lambda x: torch.log_softmax(x, -1), z)


@wrong("log-softmax-jacobian", "softmax_vjp")
def vjp_of_log_softmax(z, g):
    s = softmax_rows(z)
    return g - s * np.sum(g, axis=-1, keepdims=True)


@wrong("batch-flattened", "softmax_jacobian")
def flattened(batch):
    s = softmax_rows(batch).reshape(-1, 1)
    return np.diagflat(s) - s @ s.T if batch.ndim == 2 else None


@wrong("batch-flattened", "softmax_jacobian", "exercise", torch)
def autograd_of_the_whole_batch(batch):
    assert batch.ndim == 2
    return torch.autograd.functional.jacobian(lambda x: torch.softmax(x, dim=1), batch)


@wrong("elementwise-product", "softmax_vjp")
def star_for_at(z, g):
    s = softmax_rows(z)
    return (np.diag(s) - np.outer(s, s)) * g


@wrong("elementwise-product", "softmax_vjp", "exercise", torch)
def star_for_at_in_torch(z, g):
    s = torch.softmax(z, 0)
    return g * (torch.diag(s) - torch.outer(s, s))


@wrong("elementwise-product", "softmax_vjp")
def times_probabilities(z, g):
    return softmax_rows(z) * g


@wrong("elementwise-product", "softmax_vjp")
def times_probabilities_of_lists(z, g):
    return [a * b for a, b in zip(softmax_list(z), g, strict=True)]


@wrong("elementwise-product", "cross_entropy_grad")
def star_for_at_in_the_gradient(z, label):
    s = softmax_rows(z)
    slope = np.zeros(len(s))
    slope[label] = -1 / s[label]
    return slope * (np.diag(s) - np.outer(s, s))
