"""Wrong softmaxes of batches, wrong losses and gradients, and functions that do what they should not."""

import math

import numpy as np

from check_wrong import softmax_list, softmax_rows, torch, wrong

# Batches


@wrong("wrong-axis", "softmax")
def softmax_of_columns(batch):
    e = np.exp(batch - batch.max(axis=0))
    return e / e.sum(axis=0)


@wrong("wrong-axis", "softmax")
def sum_of_columns(batch):
    e = np.exp(batch - batch.max(axis=1, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


@wrong("wrong-axis", "softmax")
def maximum_of_columns(batch):
    e = np.exp(batch - batch.max(axis=0, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@wrong("wrong-axis", "softmax", "exercise", torch)
def torch_softmax_of_columns(batch):
    return torch.softmax(batch, dim=0)


@wrong("wrong-axis", "softmax", takes="batch")
def softmax_of_columns_of_lists(rows):
    sums = [sum(math.exp(x) for x in column) for column in zip(*rows, strict=True)]
    return [[math.exp(x) / total for x, total in zip(row, sums, strict=True)] for row in rows]


@wrong("wrong-axis", "cross_entropy_value_and_grad")
def loss_of_columns(logits, labels):
    logits = np.atleast_2d(logits)
    e = np.exp(logits - logits.max(axis=0))
    p = e / e.sum(axis=0)
    rows = np.arange(len(logits))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(rows)


@wrong("wrong-axis", "softmax_jacobian")
def jacobian_of_columns(batch):
    e = np.exp(batch)
    s = e / e.sum(0)
    return np.einsum("ni,ij->nij", s, np.eye(s.shape[1])) - np.einsum("ni,nj->nij", s, s)


@wrong("wrong-axis", "logsumexp")
def logsumexp_of_columns(batch):
    return np.log(np.exp(batch).sum(axis=0))


@wrong("one-sum-over-array", "softmax", takes="batch")
def one_sum(x):
    e = np.exp(x - np.max(x))
    return e / e.sum()


@wrong("one-sum-over-array", "softmax")
def one_sum_with_an_axis_for_the_maximum(batch):
    e = np.exp(batch - batch.max(axis=1, keepdims=True))
    return e / np.sum(e)


@wrong("one-sum-over-array", "softmax", "exercise", torch, takes="batch")
def one_sum_in_torch(batch):
    assert batch.dim() == 2
    return batch.exp() / batch.exp().sum()


@wrong("one-sum-over-array", "softmax", takes="batch")
def one_sum_of_lists(rows):
    total = sum(math.exp(x) for row in rows for x in row)
    return [[math.exp(x) / total for x in row] for row in rows]


@wrong("one-sum-over-array", "softmax_vjp")
def vjp_with_one_sum(batch, g):
    assert batch.ndim == 2
    s = softmax_rows(batch)
    return s * (g - np.sum(s * g))


@wrong("one-sum-over-array", "softmax_jacobian")
def jacobian_with_one_sum(batch):
    s = np.exp(batch) / np.exp(batch).sum()
    n = batch.shape[1]
    return s[:, :, None] * np.eye(n) - s[:, :, None] * s[:, None, :]


@wrong("rows-mixed", "softmax")
def no_keepdims(batch):
    e = np.exp(batch - batch.max(axis=1, keepdims=True))
    return e / e.sum(axis=1)


@wrong("rows-mixed", "softmax")
def no_keepdims_twice(batch):
    e = np.exp(batch - batch.max(axis=-1))
    return e / e.sum(axis=-1)


@wrong("rows-mixed", "softmax", "exercise", torch)
def no_keepdim_in_torch(batch):
    e = torch.exp(batch)
    return e / e.sum(dim=1)


@wrong("rows-mixed", "softmax_vjp", takes="batch")
def vjp_without_keepdims(z, g):
    s = softmax_rows(z)
    return s * (g - (s * g).sum(axis=-1))


# Softmax


@wrong("softmax-twice", "softmax")
def softmax_of_softmax(z):
    return softmax_rows(softmax_rows(z))


@wrong("softmax-twice", "cross_entropy")
def loss_of_what_is_softmax_already(z, label):
    s = softmax_rows(z)
    logp = s - np.log(np.exp(s).sum())
    return -logp[label]


@wrong("softmax-twice", "cross_entropy", "exercise", torch)
def torch_loss_of_softmax(z, y):
    return torch.nn.functional.cross_entropy(torch.softmax(z, dim=-1), y)


@wrong("softmax-twice", "cross_entropy_grad", "exercise", torch)
def torch_gradient_of_softmax(z, y):
    z = z.detach().clone().requires_grad_()
    torch.nn.functional.cross_entropy(torch.softmax(z, dim=-1), y).backward()
    return z.grad


@wrong("softmax-twice", "softmax_jacobian", given="probs")
def jacobian_that_is_given_probabilities(p):
    s = softmax_rows(p)
    return np.diag(s) - np.outer(s, s)


@wrong("softmax-twice", "cross_entropy_grad")
def gradient_of_what_is_softmax_already(z, label):
    s = softmax_rows(softmax_rows(z))
    s[label] -= 1
    return s


@wrong("logarithm-base", "cross_entropy")
def loss_in_bits(z, label):
    return -np.log2(softmax_rows(z)[label])


@wrong("logarithm-base", "cross_entropy")
def loss_in_tens_of_lists(z, label):
    return -math.log10(softmax_list(z)[label])


@wrong("logarithm-base", "log_softmax")
def log_softmax_in_tens(z):
    return np.log10(softmax_rows(z))


@wrong("logarithm-base", "softmax")
def powers_of_two(z):
    z = np.asarray(z, dtype=float)
    e = 2.0 ** (z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@wrong("logarithm-base", "logsumexp")
def logsumexp_in_bits(z):
    return math.log2(sum(math.exp(x) for x in z))


@wrong("logarithm-base", "cross_entropy_value_and_grad", "exercise", torch)
def torch_loss_in_bits(z, y):
    z = z.detach().clone().requires_grad_()
    loss = -torch.log2(torch.softmax(z, -1)[y])
    loss.backward()
    return loss.detach(), z.grad


@wrong("rounded-before-product", "softmax_jacobian")
def product_of_rounded(z):
    s = np.round(softmax_rows(z), 2)
    return np.diag(s) - np.outer(s, s)


@wrong("rounded-before-product", "softmax_jacobian")
def product_of_rounded_lists(z):
    s = [round(x, 1) for x in softmax_list(z)]
    n = len(s)
    return [[round(s[i] * ((i == j) - s[j]), 4) for j in range(n)] for i in range(n)]


@wrong("rounded-before-product", "cross_entropy")
def logarithm_of_rounded(z, label):
    return -np.log(np.round(softmax_rows(z), 3)[label])


@wrong("rounded-before-product", "softmax")
def quotient_of_rounded(z):
    e = [round(math.exp(x), 2) for x in z]
    return [x / sum(e) for x in e]


@wrong("float16-sums", "softmax")
def all_in_half(z):
    z = np.asarray(z, dtype=np.float16)
    e = np.exp(z - z.max())
    return e / e.sum()


@wrong("float16-sums", "softmax_jacobian")
def jacobian_in_half(z):
    s = softmax_rows(z).astype("float16")
    return np.diag(s) - np.outer(s, s)


@wrong("float16-sums", "softmax", "exercise", torch)
def half_in_torch(z):
    return torch.softmax(z.half(), dim=-1)


@wrong("float32-sums", "softmax", "exact")
def all_in_single(z):
    z = np.asarray(z, dtype=np.float32)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@wrong("float32-sums", "softmax", "exact")
def sum_in_single(z):
    z = np.asarray(z, dtype=float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True, dtype="float32").astype(float)


@wrong("float32-sums", "softmax_jacobian", "exact")
def jacobian_in_single(z):
    s = softmax_rows(z).astype("float32").astype(float)
    return np.diag(s) - np.outer(s, s)


# The loss


@wrong("log-of-zero", "cross_entropy", "stable")
def loss_of_a_probability(z, label):
    return -np.log(softmax_rows(z)[label])


@wrong("log-of-zero", "cross_entropy", "stable")
def loss_of_a_product(z, y):
    return -np.sum(y * np.log(softmax_rows(z)))


@wrong("log-of-zero", "cross_entropy", "stable")
def loss_of_a_list(z, label):
    return -math.log(softmax_list(z)[label])


@wrong("log-of-zero", "cross_entropy", "stable", torch)
def torch_loss_of_a_probability(z, y):
    return torch.nn.functional.nll_loss(torch.log(torch.softmax(z, -1)), y)


@wrong("log-of-zero", "log_softmax", "stable")
def log_of_softmax(z):
    return np.log(softmax_rows(z))


@wrong("log-of-zero", "cross_entropy_grad", "stable")
def gradient_by_the_chain(z, label):
    s = softmax_rows(z)
    y = np.eye(len(s))[label]
    return (-y / s) @ (np.diag(s) - np.outer(s, s))


@wrong("epsilon", "cross_entropy", "stable")
def loss_with_a_small_number(z, label):
    return -np.log(softmax_rows(z)[label] + 1e-12)


@wrong("epsilon", "cross_entropy", "exercise")
def loss_with_a_large_small_number(z, label):
    return -np.log(softmax_rows(z)[label] + 1e-3)


@wrong("epsilon", "cross_entropy", "stable")
def loss_with_a_small_number_and_a_product(z, y):
    return -np.sum(y * np.log(softmax_rows(z) + 1e-8))


@wrong("epsilon", "cross_entropy", "stable", torch)
def torch_loss_with_a_small_number(z, y):
    return -torch.log(torch.softmax(z, -1) + 1e-10)[y]


@wrong("epsilon", "cross_entropy", "stable")
def loss_with_machine_epsilon(z, label):
    return -math.log(softmax_list(z)[label] + np.finfo(float).eps)


@wrong("epsilon", "log_softmax", "stable")
def log_softmax_with_a_small_number(z):
    return np.log(softmax_rows(z) + 1e-15)


@wrong("epsilon", "softmax", "exact")
def small_number_in_the_denominator(z):
    z = np.asarray(z, dtype=float)
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / (e.sum(axis=-1, keepdims=True) + 1e-8)


@wrong("clip", "cross_entropy", "stable")
def loss_of_clipped(z, label):
    return -np.log(np.clip(softmax_rows(z), 1e-15, 1 - 1e-15)[label])


@wrong("clip", "cross_entropy", "stable")
def loss_of_at_least(z, label):
    return -math.log(max(softmax_list(z)[label], 1e-9))


@wrong("clip", "cross_entropy", "stable", torch)
def torch_loss_of_clamped(z, y):
    return -torch.log(torch.softmax(z, -1).clamp(min=1e-7))[y]


@wrong("clip", "softmax", "stable")
def softmax_of_clipped_logits(z):
    e = np.exp(np.clip(z, -500, 500))
    return e / e.sum(axis=-1, keepdims=True)


@wrong("binary-cross-entropy", "cross_entropy")
def binary_loss(z, y):
    s = softmax_rows(z)
    return -np.sum(y * np.log(s) + (1 - y) * np.log(1 - s))


@wrong("binary-cross-entropy", "cross_entropy")
def binary_loss_of_lists(z, y):
    s = softmax_list(z)
    return -sum(a * math.log(b) + (1 - a) * math.log(1 - b) if len(s) > 1 else 0.0 for a, b in zip(y, s, strict=True))


@wrong("binary-cross-entropy", "cross_entropy", "exercise", torch)
def torch_binary_loss(z, y):
    return torch.nn.functional.binary_cross_entropy(torch.softmax(z, -1), y)


@wrong("binary-cross-entropy", "cross_entropy_grad", given="probs")
def binary_slope(p, y):
    return (p - y) / (p * (1 - p))


@wrong("binary-cross-entropy", "cross_entropy_value_and_grad")
def binary_value_and_right_gradient(z, y):
    s = softmax_rows(z)
    return -np.sum(y * np.log(s) + (1 - y) * np.log(1 - s)), s - y
