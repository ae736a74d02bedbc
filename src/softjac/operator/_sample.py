"""Standard normal numbers in a shape that a user asks for."""

import operator
from typing import Any

import numpy as np

from softjac._arguments import NDArray, Shape
from softjac.errors import ArgumentError, DTypeError


def noise(size: object, rng: object, shape: Shape) -> NDArray:
    """Numbers of shape size + shape. Raises DTypeError and ArgumentError for what is no size or no generator."""
    try:
        generator = np.random.default_rng(rng)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise DTypeError(f"rng is {rng!r} ({error}): pass a numpy.random.Generator, or an int as seed.") from None
    return generator.standard_normal((*_lengths(size), *shape))


def _lengths(size: Any) -> Shape:
    """None for one draw, an int, or a tuple of ints."""
    if size is None:
        return ()
    try:
        lengths = tuple(operator.index(x) for x in (size if isinstance(size, tuple | list) else (size,)))
    except TypeError:
        raise DTypeError(f"size is {size!r}: pass None for one draw, an int, or a tuple of ints.") from None
    if any(x < 0 for x in lengths):
        raise ArgumentError(f"size is {size!r}: pass lengths that are at least 0.")
    return lengths
