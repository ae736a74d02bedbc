"""What the reference needs to know of JAX, whose arrays follow the array-API standard but for their devices."""

from typing import Any

import jax.numpy as jnp

from softjac.kernels.array_api import Array, Library


class Jax(Library):
    """JAX. Without its x64 mode there is no float64, so float32 is computed in float32."""

    def __init__(self) -> None:
        super().__init__("jax", jnp)

    def from_numbers(self, value: object, like: Array) -> Array:
        """A number or list; JAX places it by itself."""
        del like
        return jnp.asarray(value)

    def widest(self, like: Array) -> Any:
        """float64 in x64 mode, else float32."""
        del like
        floats = jnp.__array_namespace_info__().dtypes(kind="real floating")
        return floats.get("float64", floats["float32"])

    def device(self, like: Array) -> Any:
        """None: an array that is being traced has no device."""
        del like
