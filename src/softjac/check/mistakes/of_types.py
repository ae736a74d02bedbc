"""Numbers of fewer digits on the way: float32 and float16."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from softjac.check.mistakes.plain_calls import OF_DIGITS, OF_DIGITS_BY_PROBS
from softjac.check.mistakes.recipe import ALL_KINDS, LOSSES, WITH_LOGARITHM, shifted_softmax
from softjac.check.mistakes.table import Mistake, Variant
from softjac.check.model import Array, Level

_LSE = frozenset({"logsumexp"})


def _through(dtype: Any) -> Callable[[Array], Array]:
    """Kept in an array of fewer digits, and taken out again."""
    return lambda a: np.asarray(a.astype(dtype), dtype=np.float64)


def _softmax_then(kept: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda z: kept(shifted_softmax(z))


def _exponentials(kept: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def softmax(z: Array) -> Array:
        e = kept(np.exp(z - z.max(axis=-1, keepdims=True)))
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    return softmax


def _sum_in(dtype: Any) -> dict[str, Any]:
    def softmax(z: Array) -> Array:
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return np.asarray(e / e.sum(axis=-1, keepdims=True, dtype=dtype).astype(float))

    return {"softmax": softmax, "logsumexp": lambda z: _logsumexp_in(dtype, z)}


def _logsumexp_in(dtype: Any, z: Array) -> Array:
    """The logarithm in float64 of a sum of fewer digits."""
    m = z.max(axis=-1)
    return np.asarray(np.log(np.exp(z - m[..., None]).sum(axis=-1, dtype=dtype).astype(float)) + m)


def _log_in(dtype: Any, z: Array) -> Array:
    """The sum and its logarithm, of fewer digits both."""
    m = z.max(axis=-1)
    return np.asarray(np.log(np.exp(z - m[..., None]).sum(axis=-1, dtype=dtype)).astype(float) + m)


def _narrow(dtype: Any, level: Level) -> Iterator[Variant]:
    kept, name = _through(dtype), np.dtype(dtype).name
    of_p = f"Here the probabilities are {name} on the way."
    of_log: Level = "stable" if level == "exact" else level
    softmax = {"softmax": _softmax_then(kept), "on_probs": kept}
    yield Variant(softmax, ALL_KINDS - _LSE - LOSSES - {"log_softmax"}, detail=of_p, level=level)
    yield Variant({**softmax, "by_logsumexp": False}, WITH_LOGARITHM, detail=of_p, level=of_log)
    of_z = f"Here the logits are {name} on the way."
    yield Variant({"logits": kept}, detail=of_z, level=level)
    yield Variant({"logits": kept, "by_logsumexp": False}, WITH_LOGARITHM, detail=of_z, level=level)
    of_e = f"Here the exponentials are {name} on the way."
    yield Variant({"softmax": _exponentials(kept)}, ALL_KINDS - _LSE, detail=of_e, level=level)
    yield Variant({"softmax": _exponentials(kept), "by_logsumexp": False}, WITH_LOGARITHM, detail=of_e, level=of_log)
    of_sum = f"Here the sum of the exponentials is {name}."
    yield Variant(_sum_in(dtype), detail=of_sum, level=level)
    yield Variant({**_sum_in(dtype), "by_logsumexp": False}, WITH_LOGARITHM, detail=of_sum, level=level)
    in_log = frozenset({"logsumexp", "log_softmax"}) | LOSSES
    yield Variant({"logsumexp": lambda z: _log_in(dtype, z)}, in_log, detail=of_sum, level=level)


FLOAT32 = Mistake(
    name="float32-sums",
    title="sums in float32",
    why="float64 came in, and the result has 7 digits and not 16: somewhere an array is float32 (astype, dtype=, a "
    "buffer made by another library).",
    kinds=ALL_KINDS,
    level="exact",
    layer="behaviour",
    experiment=OF_DIGITS["softmax"],
    experiments=OF_DIGITS,
    experiments_by_probs=OF_DIGITS_BY_PROBS,
    fix="Leave out the astype(np.float32), or give the dtype of the input to the arrays that are made.",
    variants=tuple(_narrow(np.float32, "exact")),
)

FLOAT16 = Mistake(
    name="float16-sums",
    title="sums in float16",
    why="the result has 3 digits: somewhere an array is float16, which has 11 bits, and no number above 65504.",
    kinds=ALL_KINDS,
    level="exercise",
    layer="behaviour",
    experiment=OF_DIGITS["softmax"],
    experiments=OF_DIGITS,
    experiments_by_probs=OF_DIGITS_BY_PROBS,
    fix="Leave out the astype(np.float16), or compute in float64 and convert at the end.",
    variants=tuple(_narrow(np.float16, "exercise")),
)

OF_JAX = "JAX makes float32 of float64, unless it is told not to."
FIX_OF_JAX = 'jax.config.update("jax_enable_x64", True)   # before the first array is made'

MISTAKES = (FLOAT32, FLOAT16)
