"""The libraries softjac is measured against, and what people write by hand in NumPy."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import numpy as np

Array = Any


class Peers:
    """The peers that are installed. missing: library, as contenders begin -> why it is not here."""

    def __init__(self, threads: int) -> None:
        self.missing: dict[str, str] = {}
        self.versions: dict[str, str] = {"NumPy": np.__version__}
        self.scipy_special = self._load("SciPy", "scipy.special", "scipy")
        self.torch = self._load("torch", "torch", "torch")
        self.jax = self._load("JAX", "jax", "jax")
        self.linear_operator = self._load("linear_operator", "linear_operator", "linear_operator")
        self.optax = self._load("optax", "optax", "optax")
        self.scikit_learn_loss = self._load("scikit-learn", "sklearn._loss", "scikit-learn")
        if self.torch is not None:
            self.torch.set_num_threads(threads)

    def _load(self, name: str, module: str, package: str) -> ModuleType | None:
        try:
            loaded = import_module(module)
        except ImportError:
            self.missing[name] = f"{name} is not installed"
            return None
        try:
            self.versions[name] = version(package)
        except PackageNotFoundError:
            self.versions[name] = "unknown"
        return loaded

    def jax_call(self, function: Callable[[Any], Any], x: Array) -> Callable[[], Any]:
        """function, compiled, on x in JAX's memory (float32), waiting for the result."""
        assert self.jax is not None
        compiled, there = self.jax.jit(function), self.jax.numpy.asarray(x)
        return lambda: compiled(there).block_until_ready()

    def jax_call_float64(self, function: Callable[..., Any], *operands: Array) -> Callable[[], Any]:
        """The same in float64, which JAX has only where it is asked for."""
        assert self.jax is not None
        with self.jax.enable_x64(True):
            there = [self.jax.numpy.asarray(operand) for operand in operands]
            compiled = self.jax.jit(function).lower(*there).compile()
        return lambda: compiled(*there).block_until_ready()


def naive_softmax(z: Array) -> Array:
    """Three calls: max, exp, sum."""
    e = np.exp(z - z.max())
    return e / e.sum()


def naive_jacobian(z: Array) -> Array:
    s = naive_softmax(z)
    return np.diag(s) - np.outer(s, s)


def naive_jacobians(z: Array) -> Array:
    """Rows of z, by broadcasting."""
    e = np.exp(z - z.max(-1, keepdims=True))
    s = e / e.sum(-1, keepdims=True)
    return s[:, :, None] * (np.eye(z.shape[-1], dtype=z.dtype) - s[:, None, :])


def naive_product(s: Array, v: Array) -> Array:
    """Jacobian of softmax times v, from s = softmax(z)."""
    return s * (v - s @ v)
