"""JAX arrays: differentiated by JAX's own autodiff, compiled, and mapped over."""

import numpy as np
import pytest

import softjac as sj
from framework_rows import LOGITS, PART
from functions import FUNCTIONS, NAMES, operands_like
from libraries import Jax


@pytest.fixture
def jax():
    return Jax().jax


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_complement"])
def test_jax_gradients_are_the_closed_forms(name, jax):
    z, part = jax.numpy.asarray(LOGITS, "float32"), jax.numpy.asarray(PART, bool)
    g = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    gradient = jax.jit(lambda z: jax.vjp(lambda z: getattr(sj, name)(z, where=part), z)[1](g)[0])(z)
    closed = {"softmax": sj.softmax_vjp, "log_softmax": sj.log_softmax_vjp, "softmax_complement": sj.softmax_vjp}[name]
    expected = closed(LOGITS, g, where=np.array(PART, bool)) * (-1 if name == "softmax_complement" else 1)
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=1e-6)


def test_jax_gradient_of_logsumexp_is_softmax(jax):
    z, part = jax.numpy.asarray(LOGITS, "float32"), jax.numpy.asarray(PART, bool)
    gradient = jax.grad(lambda z: jax.numpy.sum(jax.numpy.nan_to_num(sj.logsumexp(z, where=part), neginf=0, posinf=0)))(
        z
    )
    finite = np.isfinite(sj.logsumexp(LOGITS, where=np.array(PART, bool)))
    np.testing.assert_allclose(
        gradient[finite], sj.softmax(LOGITS, where=np.array(PART, bool))[finite], rtol=1e-5, atol=1e-7
    )
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
def test_jax_transforms(name, jax):
    """jit, vmap and grad of everything, compiled: nothing looks at a value."""
    function = FUNCTIONS[name]
    operands = operands_like(function, np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32))
    operands = [jax.numpy.asarray(np.abs(x) if function.keyword and i else x) for i, x in enumerate(operands)]

    def call(*x):
        return function(sj, *x)

    expected = function(sj, *map(np.asarray, operands))
    np.testing.assert_allclose(jax.jit(call)(*operands), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.vmap(call))(*operands), expected, rtol=1e-4, atol=1e-6)
    gradient = jax.jit(jax.grad(lambda *x: call(*x).sum(), argnums=tuple(range(len(operands)))))(*operands)
    assert all(np.isfinite(x).all() for x in gradient)


def test_jax_higher_derivatives(jax):
    x = np.float32([0.3, -1.0, 2.0, 0.0])
    J = sj.softmax_jacobian(x)
    for derivative in (jax.jacrev(sj.softmax), jax.jacfwd(sj.softmax), jax.hessian(sj.logsumexp)):
        np.testing.assert_allclose(jax.jit(derivative)(x), J, atol=1e-6)
    third = jax.jit(jax.jacfwd(jax.jacrev(sj.softmax)))(x)
    u, v = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    contracted = np.einsum("ijk,j,k->i", third, u, v)
    np.testing.assert_allclose(sj.softmax_second_derivative(x, u, v), contracted, atol=1e-6)


def test_jax_with_64_bits(jax):
    """In x64 mode float64 is there, and float32 is computed in it."""
    with jax.enable_x64(True):
        z = np.random.default_rng(0).standard_normal((3, 50)) * 10
        softmax = jax.jit(sj.softmax)
        result = softmax(jax.numpy.asarray(z))
        assert result.dtype == np.float64
        np.testing.assert_allclose(result, sj.softmax(z), rtol=1e-14)
        narrow = jax.numpy.asarray(z.astype(np.float32))
        np.testing.assert_array_equal(np.asarray(softmax(narrow)), sj.softmax(z.astype(np.float32)))
        assert softmax(jax.numpy.asarray([1, 2])).dtype == np.float64
