"""The libraries of arrays that the tests know: each makes arrays of its own, and says what dtypes it has."""

import os

import numpy as np
import pytest

REQUIRED = os.environ.get("SOFTJAC_REQUIRE_PEERS", "") not in {"", "0"}


def peer(name, extra):
    if REQUIRED:
        return __import__(name, fromlist=["_"])
    return pytest.importorskip(name, reason=f"{name} is not installed: pip install 'softjac[{extra}]'")


class Strict:
    """array-api-strict: the standard and nothing more."""

    def __init__(self):
        self.xp = peer("array_api_strict", "test")
        self.name, self.type = "array_api_strict", type(self.xp.asarray(0.0))
        self.dtypes = ["float32", "float64"]
        self.widest = "float64"

    def array(self, x, dtype=None):
        x = np.asarray(x)
        return self.xp.asarray(x if dtype is None else x.astype(dtype))

    def dtype(self, x):
        return str(x.dtype).rpartition(".")[2]


class Torch:
    def __init__(self):
        self.xp = peer("torch", "peers")
        self.name, self.type = "torch", self.xp.Tensor
        self.dtypes = ["float16", "bfloat16", "float32", "float64"]
        self.widest = "float64"

    def array(self, x, dtype=None):
        x = self.xp.as_tensor(np.asarray(x))
        return x if dtype is None else x.to(getattr(self.xp, dtype))

    def dtype(self, x):
        return str(x.dtype).rpartition(".")[2]


class Jax:
    def __init__(self):
        self.jax = peer("jax", "peers")
        self.jax.config.update("jax_disable_most_optimizations", True)  # compiling is what takes the time here
        self.xp = peer("jax.numpy", "peers")
        self.name, self.type = "jax", self.jax.Array
        self.dtypes = ["float16", "bfloat16", "float32"]
        self.widest = "float32"

    def array(self, x, dtype=None):
        x = np.asarray(x)
        if dtype is None and x.dtype == np.float64:
            dtype = "float32"
        return self.xp.asarray(x, dtype=dtype)

    def dtype(self, x):
        return str(x.dtype)


LIBRARIES = {"array_api_strict": Strict, "torch": Torch, "jax": Jax}
