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
