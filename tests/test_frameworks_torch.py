"""torch tensors: differentiated by torch's own autodiff, transformed by torch.func."""

import numpy as np
import pytest

import softjac as sj
from framework_rows import INF, LOGITS, NAN, PART
from functions import FUNCTIONS
from libraries import peer


@pytest.fixture
def torch():
    return peer("torch", "peers")


@pytest.fixture
def double(torch):
    def leaf(x):
        return torch.tensor(x, dtype=torch.float64, requires_grad=True)

    return leaf


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_complement"])
def test_torch_gradients_are_the_closed_forms(name, torch, double):
    z, part = double(LOGITS), torch.tensor(PART, dtype=torch.bool)
    g = np.random.default_rng(0).standard_normal((5, 4))
    (gradient,) = torch.autograd.grad(getattr(sj, name)(z, where=part), z, torch.as_tensor(g), create_graph=True)
    closed = {"softmax": sj.softmax_vjp, "log_softmax": sj.log_softmax_vjp, "softmax_complement": sj.softmax_vjp}[name]
    expected = closed(LOGITS, g, where=np.array(PART, bool)) * (-1 if name == "softmax_complement" else 1)
    np.testing.assert_allclose(gradient.detach(), expected, rtol=1e-12, atol=1e-14)
    (second,) = torch.autograd.grad(gradient.sum(dim=0)[0], z)
    assert second.isfinite().all()


def test_torch_gradient_of_logsumexp_is_softmax(torch, double):
    z, part = double(LOGITS), torch.tensor(PART, dtype=torch.bool)
    (gradient,) = torch.autograd.grad(sj.logsumexp(z, where=part).sum(), z)
    np.testing.assert_allclose(gradient, sj.softmax(LOGITS, where=np.array(PART, bool)), rtol=1e-12, atol=1e-15)
    b = torch.tensor([1.0, 2, 0, 0.5], dtype=torch.float64, requires_grad=True)
    finite = double([[0.5, 1, -INF, 2], [1, -INF, 3, -1], [0, 0, 0, 0]])
    gradients = torch.autograd.grad(
        sj.logsumexp(finite, b=b, where=torch.tensor([[True], [True], [False]])).nansum(), (finite, b)
    )
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_torch_gradient_of_a_nan_row_is_nan(torch, double):
    """A NaN is not lost on the way back either; the other rows do not notice."""
    z = double([[NAN, 1.0, 2.0], [0.0, 1.0, 2.0]])
    (gradient,) = torch.autograd.grad(sj.log_softmax(z)[:, 1].sum(), z)
    assert gradient[0].isnan().any()
    assert gradient[1].isfinite().all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_checks_all_derivatives(torch, double):
    """gradcheck and gradgradcheck of every function, forward and reverse, by every operand."""
    rng = np.random.default_rng(0)
    for function in FUNCTIONS.values():
        if function.takes_probs:
            continue
        operands = [double(x) for x in rng.standard_normal((function.operands, 2, 3))]
        if function.keyword:
            operands[1] = double(np.abs(operands[1].detach().numpy()) + 0.1)

        def call(*x, function=function):
            return function(sj, *x)

        assert torch.autograd.gradcheck(call, operands, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(call, operands)
    tied = double([1.0, 1, 0, 1])
    for name in ("softmax", "log_softmax", "softmax_complement", "logsumexp", "softmax_jacobian"):
        assert torch.autograd.gradcheck(getattr(sj, name), (tied,))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torch_function_transforms(torch):
    func = torch.func
    x = torch.tensor([0.3, -1.0, 2.0, 0.0], dtype=torch.float64)
    for jacobian in (func.jacrev, func.jacfwd):
        torch.testing.assert_close(jacobian(sj.softmax)(x), sj.softmax_jacobian(x))
    torch.testing.assert_close(func.hessian(sj.logsumexp)(x), sj.softmax_jacobian(x))
    rows, others = torch.randn(2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for function in FUNCTIONS.values():
        operands = [rows.abs() if function.takes_probs else rows, *[others.abs()] * function.tangents]
        mapped = func.vmap(lambda *x, function=function: function(sj, *x))(*operands)
        torch.testing.assert_close(mapped, function(sj, *operands))
    masked = func.vmap(lambda z, part: sj.softmax(z, where=part))(rows, others > 0)
    torch.testing.assert_close(masked, sj.softmax(rows, where=others > 0))
    torch.testing.assert_close(func.vmap(func.jacrev(sj.softmax))(rows), sj.softmax_jacobian(rows))


def test_torch_leaves_other_state_alone(torch):
    z = torch.tensor([1.0, 2.0], requires_grad=True)
    assert sj.softmax(z).requires_grad
    assert not sj.softmax(z.detach()).requires_grad
    with torch.no_grad():
        assert not sj.softmax(z).requires_grad
    assert z.grad is None
    parameter = torch.nn.Parameter(torch.zeros(3))
    sj.logsumexp(parameter).backward()
    torch.testing.assert_close(parameter.grad, torch.full((3,), 1 / 3))


def test_torch_refuses_what_it_cannot(torch):
    for dtype in (torch.complex64, torch.float8_e4m3fn):
        with pytest.raises(sj.DTypeError, match="logits has dtype torch"):
            sj.softmax(torch.zeros(2, dtype=dtype))
    with pytest.raises(sj.DTypeError, match=r"logits has layout torch\.sparse_coo: pass its to_dense\(\)"):
        sj.softmax(torch.zeros(2, 2).to_sparse())


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_float32_in_torch_is_as_good_as_numpy(name):
    """Computed in float64 and rounded once."""
    torch = peer("torch", "peers")
    z = (np.random.default_rng(0).standard_normal((20, 100)) * 10).astype(np.float32)
    np.testing.assert_allclose(getattr(sj, name)(torch.as_tensor(z)).numpy(), getattr(sj, name)(z), rtol=1.2e-7)
