"""Wrong implementations in JAX, in torch's own losses and in float32, where a mistake shows other numbers."""

import numpy as np

from check_wrong import _optional, softmax_rows, torch, wrong

jax = _optional("jax")


def as_rows(z):
    """In float32, the maximum of each row subtracted."""
    z = np.asarray(z, np.float32)
    return z - z.max(axis=-1, keepdims=True)


# What overflows and underflows in float32


@wrong("log-of-zero", "log_softmax", "stable", jax)
def jax_log_of_softmax(z):
    return jax.numpy.log(jax.nn.softmax(z, axis=-1))


@wrong("log-of-zero", "log_softmax", "stable")
def log_of_softmax_in_float32(z):
    e = np.exp(as_rows(z))
    return np.log(e / e.sum(-1, keepdims=True))


@wrong("log-of-zero", "cross_entropy", "stable", jax)
def jax_loss_of_softmax(z, y):
    p = jax.nn.softmax(z, axis=-1)
    return -jax.numpy.log(p[..., y] if p.ndim == 1 else p[jax.numpy.arange(len(p)), y]).mean()


@wrong("log-of-zero", "log_softmax", "stable")
def log_of_softmax_of_float64_handed_back_in_float32(z):
    return np.log(softmax_rows(z)).astype(np.float32)


@wrong("batch-maximum", "softmax", "stable", jax)
def jax_maximum_of_the_batch(z):
    e = jax.numpy.exp(z - z.max())
    return e / e.sum(-1, keepdims=True)


@wrong("batch-maximum", "softmax", "stable")
def maximum_of_the_batch_in_float32(z):
    e = np.exp(np.float32(z) - np.float32(z).max())
    return e / e.sum(-1, keepdims=True)


@wrong("epsilon", "cross_entropy", "stable", jax)
def jax_epsilon_in_the_logarithm(z, y):
    return -jax.numpy.mean(jax.numpy.sum(y * jax.numpy.log(jax.nn.softmax(z) + 1e-8), axis=-1))


@wrong("epsilon", "cross_entropy", "stable", torch)
def torch_epsilon_in_float32(z, y):
    return -(y * torch.log(torch.softmax(z.float(), -1) + 1e-8)).sum(-1).mean()


@wrong("no-maximum-subtracted", "log_softmax", "stable", jax)
def jax_log_softmax_without_a_shift(z):
    return z - jax.numpy.log(jax.numpy.exp(z).sum(-1, keepdims=True))


# A division by the rows, which of a vector is one by the classes


@wrong("gradient-sign", "cross_entropy_grad", "exercise", jax)
def jax_sign_over_the_rows(z, y):
    return (jax.nn.one_hot(y, z.shape[-1]) - jax.nn.softmax(z)) / z.shape[0]


@wrong("gradient-sign", "cross_entropy_grad", "exercise", torch)
def torch_sign_over_the_rows(z, y):
    return (torch.nn.functional.one_hot(y, z.shape[-1]) - torch.softmax(z, -1)) / z.shape[0]


@wrong("labels-from-one", "cross_entropy_grad", "exercise", jax)
def jax_gradient_of_labels_from_one(z, y):
    return (jax.nn.softmax(z, -1) - jax.nn.one_hot(y - 1, z.shape[-1])) / z.shape[0]


# Labels from one in losses that take both forms of targets, or no class -1


@wrong("labels-from-one", "cross_entropy", "exercise", torch)
def torch_loss_of_labels_from_one(z, y):
    return torch.nn.functional.cross_entropy(z, y - 1)


@wrong("labels-from-one", "cross_entropy", "exercise", torch)
def torch_likelihood_of_labels_from_one(logits, labels):
    return torch.nn.functional.nll_loss(torch.nn.functional.log_softmax(logits, dim=1), labels - 1)


@wrong("labels-from-one", "cross_entropy", "exercise", jax)
def jax_one_hot_of_labels_from_one(z, y):
    return -(jax.nn.one_hot(y - 1, z.shape[-1]) * jax.nn.log_softmax(z)).sum(-1).mean()


@wrong("labels-from-one", "cross_entropy_value_and_grad", "exercise", torch)
def torch_value_and_gradient_of_labels_from_one(z, y):
    z = z.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(z, y - 1)
    loss.backward()
    return loss.detach(), z.grad


# Rounded on the way, and at the end


@wrong("rounded-before-product", "softmax_jacobian")
def jacobian_rounded_to_four_twice(z):
    p = np.round(softmax_rows(z), 4)
    return np.round(np.diag(p) - np.outer(p, p), 4)


@wrong("rounded-before-product", "softmax_jacobian")
def jacobian_rounded_to_three_twice(z):
    p = np.round(softmax_rows(z), 3)
    return np.round(np.diag(p) - np.outer(p, p), 3)


@wrong("rounded-before-product", "softmax_jacobian")
def jacobian_of_lists_rounded_to_four_twice(z):
    p = [round(float(x), 4) for x in softmax_rows(z)]
    return [[round(a * ((i == j) - b), 4) for j, b in enumerate(p)] for i, a in enumerate(p)]


@wrong("rounded-before-product", "softmax_vjp")
def product_rounded_to_four_twice(z, g):
    p = np.round(softmax_rows(z), 4)
    return np.round(p * (g - (p * g).sum(-1, keepdims=True)), 4)


@wrong("rounded-before-product", "cross_entropy")
def loss_rounded_to_three_and_four(z, y):
    return round(-float(np.log(round(float(softmax_rows(z)[y]), 3))), 4)


# The wrong axis, columns, and a mean in place of a sum


@wrong("wrong-axis", "softmax_vjp")
def product_down_the_columns(z, g):
    p = np.exp(z - z.max(0, keepdims=True))
    p /= p.sum(0, keepdims=True)
    return p * (g - (p * g).sum(0, keepdims=True))


@wrong("wrong-axis", "softmax_vjp", "exercise", torch)
def torch_product_down_the_columns(z, g):
    p = torch.softmax(z, 0)
    return p * (g - (p * g).sum(0, keepdim=True))


@wrong("subtracts-from-column", "cross_entropy_grad", "exercise", jax)
def jax_columns_at_the_labels(z, y):
    return jax.nn.softmax(z).at[:, y].add(-1.0) / len(z)


@wrong("mean-for-sum", "cross_entropy")
def loss_with_the_mean_of_the_exponentials(z, y):
    z = z - z.max(1, keepdims=True)
    log_p = z - np.log(np.exp(z).mean(1, keepdims=True))
    return -log_p[np.arange(len(z)), y].mean()


@wrong("mean-for-sum", "cross_entropy")
def loss_of_a_vector_with_the_mean_of_the_exponentials(z, y):
    z = np.asarray(z, float)
    return np.log(np.exp(z - z.max()).mean()) + z.max() - z[y]


# Two names for the rows in an einsum


@wrong("rows-mixed", "softmax_jacobian")
def einsum_of_two_names_for_the_rows(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    if p.ndim == 1:
        return np.diag(p) - np.outer(p, p)
    return np.einsum("ni,ij->nij", p, np.eye(p.shape[1])) - np.einsum("ni,mj->nij", p, p)


# An epsilon in softmax itself


@wrong("epsilon", "softmax", "exact")
def epsilon_in_every_exponential(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True)) + 1e-9
    return e / e.sum(axis=-1, keepdims=True)


@wrong("epsilon", "softmax")
def thousandth_in_every_exponential(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True)) + 1e-3
    return e / e.sum(axis=-1, keepdims=True)


@wrong("epsilon", "softmax_jacobian")
def jacobian_of_probabilities_and_an_epsilon(x):
    p = softmax_rows(x) + 1e-3
    return np.diag(p) - np.outer(p, p)


@wrong("epsilon", "softmax")
def softmax_plus_a_thousandth(x):
    return softmax_rows(x) + 1e-3


# JAX in float32, as it is without jax_enable_x64


@wrong("float32-sums", "softmax", "exact", jax)
def jax_softmax_of_float32(x):
    return jax.nn.softmax(x.astype("float32"), axis=-1)


@wrong("float32-sums", "softmax_jacobian", "exact", jax)
def jax_jacobian_of_float32(x):
    p = jax.nn.softmax(jax.numpy.float32(x))
    return jax.numpy.diag(p) - jax.numpy.outer(p, p)


@wrong("float32-sums", "cross_entropy_grad", "exact", jax)
def jax_gradient_of_float32(z, y):
    return jax.grad(lambda z: -(y * jax.nn.log_softmax(z)).sum())(z.astype("float32"))


# Written into, entry by entry: integers are cut


@wrong("input-overwritten", "softmax")
def exponentials_in_place_of_the_logits(z):
    for i in range(len(z)):
        z[i] = np.exp(z[i])
    total = sum(z)
    return [x / total for x in z]


# Twice through J, and the sums of other rows


@wrong("extra-jacobian", "softmax_vjp")
def product_taken_twice(z, g):
    p = softmax_rows(z)
    j = np.diag(p) - np.outer(p, p)
    return j @ (j @ g)


@wrong("extra-jacobian", "softmax_jacobian", "exercise", torch)
def torch_jacobian_squared(z):
    p = torch.softmax(z, 0)
    j = torch.diag(p) - torch.outer(p, p)
    return j @ j


@wrong("rows-mixed", "softmax")
def sums_of_the_reversed_batch(z):
    e = np.exp(z)
    return e / e.sum(axis=1)[::-1, None]


@wrong("rows-mixed", "softmax_jacobian")
def jacobian_by_the_mean_of_the_rows(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return np.stack([np.diag(row) - np.outer(row, p.mean(axis=0)) for row in p])


# In one of two results alone


def _rows_and_loss(z, y):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return e, p, -np.log(p[np.arange(len(y)), y]).mean()


@wrong("index-as-one-hot", "cross_entropy_value_and_grad")
def labels_as_a_column_in_the_gradient(z, y):
    _, p, loss = _rows_and_loss(z, y)
    return loss, (p - y[:, None]) / len(z)


@wrong("labels-from-one", "cross_entropy_value_and_grad")
def labels_from_one_in_the_gradient(z, y):
    _, p, loss = _rows_and_loss(z, y)
    return loss, (p - np.eye(z.shape[1])[y - 1]) / len(z)


@wrong("softmax-twice", "cross_entropy_value_and_grad")
def softmax_twice_in_the_gradient(z, y):
    _, p, loss = _rows_and_loss(z, y)
    return loss, (softmax_rows(p) - np.eye(z.shape[1])[y]) / len(z)


@wrong("one-sum-over-array", "cross_entropy_value_and_grad")
def one_sum_in_the_gradient(z, y):
    e, _, loss = _rows_and_loss(z, y)
    return loss, (e / e.sum() - np.eye(z.shape[1])[y]) / len(z)


@wrong("wrong-axis", "cross_entropy_value_and_grad", "exercise", torch)
def torch_wrong_axis_in_the_gradient(z, y):
    loss = torch.nn.functional.cross_entropy(z, y)
    return loss, (torch.softmax(z, 0) - torch.nn.functional.one_hot(y, z.shape[1])) / len(z)


@wrong("labels-from-one", "cross_entropy_value_and_grad")
def labels_from_one_in_the_loss(z, y):
    _, p, _ = _rows_and_loss(z, y)
    return -np.log(p[np.arange(len(y)), y - 1]).mean(), (p - np.eye(z.shape[1])[y]) / len(z)


@wrong("negated", "softmax_jacobian", "exercise", jax)
def negated_jacobian_in_jax(z):
    p = jax.nn.softmax(z)
    return jax.numpy.outer(p, p) - jax.numpy.diag(p)


@wrong("off-diagonal-sign", "softmax_jacobian", "exercise", torch)
def plus_outer_in_float32(z):
    p = torch.softmax(z.float(), dim=-1)
    return torch.diag(p) + torch.outer(p, p)


@wrong("negated", "softmax_jacobian")
def negated_jacobian_in_float32(z):
    e = np.exp(np.asarray(z, dtype=np.float32))
    p = e / e.sum()
    return np.outer(p, p) - np.diag(p)


def _differentiated(loss, z):
    z = z.detach().clone().requires_grad_(True)
    value = loss(z)
    value.backward()
    return value.detach(), z.grad


@wrong("clip", "cross_entropy_value_and_grad", "stable", torch)
def clamped_and_differentiated(z, t):
    def loss(z):
        return -(t * torch.log(torch.softmax(z, dim=1).clamp(1e-8, 1))).sum(1).mean()

    return _differentiated(loss, z)


@wrong("clip", "cross_entropy_grad", "stable", torch)
def gradient_of_clamped(z, t):
    def loss(z):
        return -(t * torch.log(torch.softmax(z, dim=1).clamp(1e-7, 1 - 1e-7))).sum(1).mean()

    return _differentiated(loss, z)[1]


@wrong("log-of-zero", "cross_entropy_value_and_grad", "stable", torch)
def differentiated_logarithm_of_the_label(z, y):
    def loss(z):
        return -torch.log(torch.softmax(z, dim=-1))[torch.arange(len(y)), y].mean()

    return _differentiated(loss, z)


@wrong("no-maximum-subtracted", "softmax_jacobian", "stable", torch)
def differentiated_quotient(z):
    return torch.autograd.functional.jacobian(lambda x: torch.exp(x) / torch.exp(x).sum(), z)
