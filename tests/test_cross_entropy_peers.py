"""torch.nn.functional.cross_entropy and optax on a grid of options: the same loss and gradient, to their accuracy."""

import itertools
from functools import cache

import numpy as np
import pytest

from libraries import peer

REDUCTIONS = ("none", "sum", "mean")
TORCH_GRID = list(itertools.product(REDUCTIONS, [False, True], [0.0, 0.1, 1.0], [None, -100, 1], ["class", "soft"]))
SHAPES = [((5,), 0), ((7, 4), 1), ((3, 4, 6), 1), ((2, 5, 3, 2), 1)]


@pytest.fixture(autouse=True)
def one_thread(torch):
    # Small arrays on a busy machine: torch's threads wait for each other.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def torch():
    return peer("torch", "peers")


def some(shape, axis, kind, dtype, ignore_index=None, seed=0):
    """Logits, and labels or distributions along the axis."""
    rng = np.random.default_rng([seed, *shape])
    z = (rng.standard_normal(shape) * 3).astype(dtype)
    batch = shape[:axis] + shape[axis + 1 :]
    if kind == "soft":
        y = np.moveaxis(rng.dirichlet(np.full(shape[axis], 0.7), batch), -1, axis)
        return z, (y * rng.uniform(0.5, 1.5, np.expand_dims(np.zeros(batch), axis).shape)).astype(dtype)
    labels = np.asarray(rng.integers(0, shape[axis], batch))
    if ignore_index is not None and batch:
        labels.reshape(-1)[::3] = ignore_index
        if (labels == ignore_index).all():
            labels.reshape(-1)[-1] = 0
    elif ignore_index is not None and labels == ignore_index:
        labels = np.asarray(0)  # torch gives NaN where nothing counts
    return z, labels


def agree(found, expected, dtype, scale=1.0):
    digits = {np.float64: 1e-13, np.float32: 3e-6}[dtype]
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape
    np.testing.assert_allclose(found, expected, rtol=digits, atol=digits * scale)


@cache
def of_torch(shape, axis, dtype):
    """Operands and options of ours, and the loss and the gradient that torch gives."""
    torch, found = peer("torch", "peers"), []
    for reduction, weighted, smoothing, ignore_index, kind in TORCH_GRID:
        if kind == "soft" and ignore_index is not None:
            continue
        z, targets = some(shape, axis, kind, dtype, ignore_index)
        weight = np.linspace(0.25, 2.0, shape[axis]).astype(dtype) if weighted else None
        logits = torch.tensor(z, requires_grad=True)
        loss = torch.nn.functional.cross_entropy(
            logits,
            torch.as_tensor(targets),
            weight=None if weight is None else torch.as_tensor(weight),
            ignore_index=-1000 if ignore_index is None else ignore_index,
            reduction=reduction,
            label_smoothing=smoothing,
        )
        loss.sum().backward()
        options = {"axis": axis, "weight": weight, "label_smoothing": smoothing, "reduction": reduction}
        if ignore_index is not None:
            options["ignore_index"] = ignore_index
        found.append((z, targets, options, loss.detach().numpy(), logits.grad.numpy()))
    return found


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_torch_value_and_gradient(shape, axis, dtype, sj):
    cases = of_torch(shape, axis, dtype)
    assert len(cases) == 3 * 2 * 3 * 4
    for z, targets, options, loss, slope in cases:
        value, gradient = sj.cross_entropy_value_and_grad(z, targets, **options)
        assert value.dtype == gradient.dtype == dtype
        agree(value, loss, dtype, scale=10.0)
        agree(gradient, slope, dtype, scale=2.0)


def test_torch_second_derivatives(torch, sj):
    for kind, weighted, smoothing in itertools.product(["class", "soft"], [False, True], [0.0, 0.1]):
        z, targets = some((6, 5), 1, kind, np.float64)
        v = np.random.default_rng(3).standard_normal(z.shape)
        weight = np.linspace(0.25, 2.0, 5) if weighted else None

        def loss(x, targets=targets, weight=weight, smoothing=smoothing):
            return torch.nn.functional.cross_entropy(
                x,
                torch.as_tensor(targets),
                weight=None if weight is None else torch.as_tensor(weight),
                label_smoothing=smoothing,
            )

        _, product = torch.autograd.functional.hvp(loss, torch.tensor(z), torch.tensor(v))
        ours = sj.cross_entropy_hvp(z, targets, v, weight=weight, label_smoothing=smoothing)
        agree(ours, product.numpy(), np.float64)


@cache
def of_optax(axis, masked, kind):
    jax, optax = peer("jax", "peers"), peer("optax", "peers")
    z, targets = some((4, 6, 5), axis % 3, kind, np.float32)
    where = np.random.default_rng(2).random(z.shape) < 0.7 if masked else None
    if masked and kind == "soft":
        targets = np.where(where, targets, np.float32(0))
    elif masked:
        np.put_along_axis(where, np.expand_dims(targets, axis), True, axis)
    theirs = optax.softmax_cross_entropy if kind == "soft" else optax.softmax_cross_entropy_with_integer_labels
    value, pull_back = jax.vjp(lambda z: theirs(z, targets, axis=axis, where=where), z)
    return z, targets, where, value, pull_back(np.ones(value.shape, np.float32))[0]


@pytest.mark.parametrize("kind", ["class", "soft"])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_optax_value_and_gradient(axis, masked, kind, sj):
    z, targets, where, value, slope = of_optax(axis, masked, kind)
    losses, gradient = sj.cross_entropy_value_and_grad(z, targets, axis=axis, where=where, reduction="none")
    agree(losses, value, np.float32, scale=5.0)
    agree(gradient, slope, np.float32)


def test_peers_are_looked_at_where_they_are_right(torch, sj):
    # In the confident tail they are not: the loss is 0 in float32 from a gap of 17 on.
    z = np.asarray([[0.0, 20.0]], np.float32)
    theirs = torch.nn.functional.cross_entropy(torch.as_tensor(z), torch.tensor([1]))
    assert float(theirs) == 0.0
    assert float(sj.cross_entropy(z, [1])) > 2e-9
