"""What docs/differences.md says of torch, which not everybody has installed; test_readme.py runs the rest."""

import os

import numpy as np
import pytest

import softjac

if not os.environ.get("SOFTJAC_REQUIRE_PEERS"):
    pytest.importorskip("torch", reason="torch is not installed: pip install 'softjac[peers]'")
import torch

INF = float("inf")


def test_torch_refuses_integers_and_softjac_does_not():
    with pytest.raises(NotImplementedError):
        torch.softmax(torch.tensor([1, 2]), -1)
    assert softjac.softmax(torch.tensor([1, 2])).is_floating_point()


def test_out_goes_with_numpy_arrays_only():
    with pytest.raises(softjac.SoftjacError, match="out"):
        softjac.softmax(torch.zeros(2), out=torch.zeros(2))


def test_a_row_masked_out_whole():
    z = torch.zeros(2).masked_fill(torch.tensor([True, True]), -INF)
    assert torch.softmax(z, -1).isnan().all()
    np.testing.assert_array_equal(softjac.softmax([0.0, 0.0], where=[False, False]), 0)


def test_cotangent_of_an_element_at_minus_infinity():
    z = torch.tensor([0.0, -INF, 1.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(torch.log_softmax(z, -1), z, torch.ones(3))
    assert gradient[1] == 1
    np.testing.assert_allclose(gradient[[0, 2]], 1 - 3 * torch.softmax(z, -1)[[0, 2]].detach(), rtol=1e-6)
    ours = softjac.log_softmax_vjp([0.0, -INF, 1.0], np.ones(3))
    np.testing.assert_allclose(ours, [np.tanh(0.5), 0, -np.tanh(0.5)], rtol=1e-15)


# ---------------------------------------------------------------------------------------------------- cross-entropy


def of_torch(logits, targets, **options):
    return torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(targets), **options)


def test_the_confident_tail():
    for gap, is_zero in ((16.0, False), (17.0, True)):
        z = torch.tensor([0.0, gap], requires_grad=True)
        loss = torch.nn.functional.cross_entropy(z, torch.tensor(1))
        loss.backward()
        assert (loss == 0) == (z.grad[1] == 0) == is_zero
        ours, gradient = softjac.cross_entropy_value_and_grad(np.float32([0.0, gap]), 1)
        np.testing.assert_allclose([ours, -gradient[1]], np.exp(-gap), rtol=3e-7)


def test_classes_lie_along_axis_1_in_torch_and_along_the_last_here():
    z = np.random.default_rng(0).standard_normal((2, 3, 3))
    labels = [[0, 1, 2], [2, 0, 0]]
    np.testing.assert_allclose(softjac.cross_entropy(z, labels, axis=1), of_torch(z, labels), rtol=1e-14)
    assert abs(softjac.cross_entropy(z, labels) - of_torch(z, labels)) > 0.01


def test_a_default_ignore_index():
    z = [[0.0, 1.0], [2.0, 0.0]]
    assert of_torch(z, [0, -100]) == of_torch(z[:1], [0])
    with pytest.raises(softjac.BoundsError, match="ignore_index=-100"):
        softjac.cross_entropy(z, [0, -100])


def test_a_mean_over_nothing():
    assert of_torch([[0.0, 1.0]], [-100]).isnan()
    assert softjac.cross_entropy([[0.0, 1.0]], [-100], ignore_index=-100) == 0


def test_integer_one_hot_targets():
    with pytest.raises(RuntimeError, match="floating"):
        of_torch([[0.0, 1.0]], [[1, 0]])
    assert softjac.cross_entropy([[0.0, 1.0]], [[1, 0]]) == softjac.cross_entropy([[0.0, 1.0]], [0])


def test_zero_times_infinity():
    assert of_torch([0.0, 0.0, -INF], [0.5, 0.5, 0.0]).isnan()
    assert softjac.cross_entropy([0.0, 0.0, -INF], [0.5, 0.5, 0.0]) == np.log(2)


def test_the_label_on_an_infinite_logit():
    assert of_torch([0.0, INF], 1).isnan()
    assert softjac.cross_entropy([0.0, INF], 1) == 0
