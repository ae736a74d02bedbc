"""What can be said about a function that is checked, so that it is neither guessed nor tried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from softjac.check.kinds import KINDS
from softjac.check.model import LEVELS, Form, Given, Level, Reduction, TargetForm
from softjac.errors import ArgumentError

Axis: TypeAlias = Literal[-1, 0]
MOST_DECIMALS = 12


@dataclass(frozen=True)
class Options:
    """How a function is examined.

    what: the kind, or None to guess it from the name and from what comes back. decimals: how many have to be right at
    the levels exercise and stable. given, takes: what it is given and takes, reduction: what it makes of the losses of
    a batch, targets: the form in which they are passed; where trying should not decide. axis: 0 where the classes of a
    batch run down its columns.
    """

    what: str | None = None
    level: Level = "exercise"
    decimals: int = 4
    given: Given | None = None
    takes: Form | None = None
    reduction: Reduction | None = None
    axis: Axis = -1
    targets: TargetForm | None = None


def options_of(
    what: object, level: object, decimals: object, given: object, takes: object, reduction: object, axis: object
) -> Options:
    """The options, each one that there is. Raises ArgumentError, which names the argument."""
    if isinstance(decimals, bool) or not isinstance(decimals, int) or not 0 <= decimals <= MOST_DECIMALS:
        raise ArgumentError(f"decimals is {decimals!r}: pass an integer from 0 to {MOST_DECIMALS}.")
    if isinstance(axis, bool) or not isinstance(axis, int) or axis not in (-1, 0):
        raise ArgumentError(f"axis is {axis!r}: pass -1, where a row of a batch has the classes, or 0, where a column.")
    choices: dict[str, Any] = {
        name: None if value is None else _one_of(name, value, get_args(known))
        for name, value, known in (("given", given, Given), ("takes", takes, Form), ("reduction", reduction, Reduction))
    }
    if what is not None:
        choices["what"] = _one_of("what", what.replace("-", "_") if isinstance(what, str) else what, tuple(KINDS))
    choices["level"] = _one_of("level", level, LEVELS)
    return Options(decimals=decimals, axis=-1 if axis == -1 else 0, **choices)


def stated(options: Options) -> tuple[str, ...]:
    """Names of those that say how a function is called and what its results mean.

    >>> stated(Options(reduction="mean", level="stable"))
    ('reduction',)
    """
    named = tuple(name for name in ("given", "takes", "reduction") if getattr(options, name) is not None)
    return named if options.axis == -1 else (*named, "axis")


def _one_of(name: str, value: Any, known: Sequence[str]) -> str:
    if isinstance(value, str) and value in known:
        return value
    import difflib

    near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
    raise ArgumentError(
        f"{name} is {value!r}: pass one of {', '.join(known)}." + (f" Did you mean {near[0]}?" if near else "")
    )
