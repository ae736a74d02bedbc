"""Somebody's function is called, and what it returns is made arrays of numbers, or words where it is none.

Both sides use it: `candidate` in this process and `worker` in the process of a submission. The worker reads this file
by its path, so it imports nothing of softjac, and NumPy alone besides the standard library.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np
from numpy import array as new_array  # by their own names, because a submission may put others in their place
from numpy import asarray, errstate

MOST_NUMBERS = 1_000_000
"""So many numbers of a result are looked at. The largest that a probe asks for has far fewer."""
MOST_WORDS = 300
_DEEPEST = 8
_KINDS = "fiu"


@dataclass
class Returned:
    """What came of one call, in plain data. out_of_memory: it raised MemoryError."""

    arrays: list[np.ndarray[Any, Any]] = field(default_factory=list)
    described: str = ""
    library: str = ""
    error: str = ""
    unusable: str = ""
    changed: list[int] = field(default_factory=list)
    out_of_memory: bool = False


class _UnusableError(Exception):
    """What was returned is no array of numbers; its text says what it is."""


def make_call(
    function: Callable[..., object],
    arguments: Sequence[tuple[Any, str, bool]],
    keywords: Mapping[str, int],
    outputs: int,
    file: str = "",
    past: tuple[type[BaseException], ...] = (KeyboardInterrupt,),
) -> Returned:
    """Call it with (value, library, read_only) for each argument, copies all of them.

    file: in which the line of an error is looked for. past: what is raised and not caught. Warnings are not shown, and
    neither they nor the error state of NumPy outlive the call.
    """
    returned = Returned()
    try:
        given = [_dress(*argument) for argument in arguments]
        before = [_trace(value) for value in given]
        with warnings.catch_warnings(), errstate():
            warnings.simplefilter("ignore")
            value = function(*given, **keywords)
            returned.changed = [k for k, was in enumerate(before) if _trace(given[k]) != was]
            vectors = all(np.ndim(argument) < 2 for argument, _, _ in arguments)
            _fill(returned, value, outputs, vectors)
    except past:
        raise
    except BaseException as error:
        returned.out_of_memory = isinstance(error, MemoryError)
        returned.error = words_of_error(error, file)
    return returned


def words_of_error(error: BaseException, file: str = "") -> str:
    """The type and the first line of an error, and the last line of the file that it went through."""
    name = type(error).__name__
    try:
        text = "the code was " + repr(error.code) if isinstance(error, SystemExit) else str(error)
    except BaseException:  # its own text may raise anything
        text = ""
    first = next(iter(text.strip().splitlines()), "")
    words = f"{name}: {first}" if first else name
    words = words if len(words) <= MOST_WORDS else words[: MOST_WORDS - 3] + "..."
    line = _line_of(error, file)
    return f"{words} (line {line})" if line else words


def _line_of(error: BaseException, file: str) -> int:
    line, step = 0, error.__traceback__
    while file and step is not None:
        if step.tb_frame.f_code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _dress(value: Any, library: str, read_only: bool) -> Any:
    """The argument as it is passed: a copy, of a list or of an array of the library."""
    if not isinstance(value, np.ndarray):
        return value
    if library == "list":
        return value.tolist()
    copy = value.copy()
    if library == "torch":
        import torch  # type: ignore[import-not-found, unused-ignore]

        return torch.from_numpy(copy)
    if library == "jax":
        import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]

        return jnp.asarray(copy)
    copy.flags.writeable = not read_only
    return copy


def _trace(value: Any) -> object:
    """What an argument is, to see afterwards whether it still is that: NaN equals NaN, -0.0 is not 0.0."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if hasattr(value, "detach"):
        return _trace(value.detach().numpy())
    return repr(value)


def _fill(returned: Returned, value: object, outputs: int, vectors: bool) -> None:
    """Put into it what was returned: one array for each output, or the words why there is none.

    vectors: no argument was a batch. A numpy.matrix of one row is a vector then, which it cannot be otherwise; one
    of one number may be a Jacobian.
    """
    returned.described = described(value)
    try:
        parts: Sequence[object] = [value]
        if outputs > 1:
            if not isinstance(value, tuple | list) or len(value) != outputs:
                raise _UnusableError(f"{described(value)}, and a pair (value, gradient) was expected")
            parts = value
        parts = [part.A1 if vectors and _is_row(part) else part for part in parts]
        found = [_array_of(part) for part in parts]
    except _UnusableError as error:
        returned.unusable = str(error)
        return
    returned.arrays = [array for array, _ in found]
    returned.library = found[-1][1]


def _is_row(value: object) -> TypeGuard[np.matrix[Any, Any]]:
    return isinstance(value, np.matrix) and value.shape[0] == 1 < value.shape[1]


def _array_of(value: object) -> tuple[np.ndarray[Any, Any], str]:
    """The numbers, and the library that they came in. Raises _UnusableError where there are none."""
    library = library_of(value)
    if isinstance(value, list | tuple):
        budget = [MOST_NUMBERS]
        try:
            array = asarray(_plain(value, _DEEPEST, budget))
        except ValueError:
            raise _UnusableError(f"{described(value)}, whose parts have different lengths") from None
    elif isinstance(value, bool | np.bool_ | complex | np.complexfloating):
        raise _UnusableError(described(value))
    elif isinstance(value, int | float | np.number):
        array = asarray(value)
    elif library:
        array = _of_library(value, library)
    else:
        raise _UnusableError(described(value))
    if array.dtype.kind == "V" or array.dtype.name in ("bfloat16", "longdouble", "float128", "float96"):
        array = array.astype(np.float32 if array.dtype.name == "bfloat16" else np.float64)
    if array.dtype.kind not in _KINDS or array.dtype.hasobject:
        raise _UnusableError(described(value))
    return new_array(array, order="C", copy=True, subok=False), library


def _of_library(value: Any, library: str) -> np.ndarray[Any, Any]:
    size = math.prod(map(int, value.shape)) if hasattr(value, "shape") else 0
    if size > MOST_NUMBERS:
        raise _UnusableError(f"{described(value)}: {size:.3g} numbers, too many to look at")
    if library == "torch":
        value = value.detach().cpu()
        if value.is_complex() or value.dtype == sys.modules["torch"].bool:
            raise _UnusableError(described(value))
        if value.dtype == sys.modules["torch"].bfloat16:
            value = value.float()
        return asarray(value.resolve_neg().numpy())
    if library == "numpy" and hasattr(value, "filled"):  # a masked array
        return asarray(value.astype(np.float64).filled(np.nan))
    try:
        return asarray(value)
    except Exception:
        raise _UnusableError(described(value)) from None


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    """Nested lists of Python's and NumPy's numbers, where a leaf may be an array of any library."""
    if isinstance(value, list | tuple):
        if not depth:
            raise _UnusableError(f"a list nested more than {_DEEPEST} deep")
        budget[0] -= len(value)
        if budget[0] < 0:
            raise _UnusableError(f"a list of more than {MOST_NUMBERS:.0e} numbers, too many to look at")
        return [_plain(part, depth - 1, budget) for part in value]
    if type(value) is float or type(value) is int:
        return value
    if not library_of(value) or isinstance(value, bool):
        raise _UnusableError(f"a list with {described(value)} in it")
    return _array_of(value)[0]


def library_of(value: object) -> str:
    """numpy, torch, jax, pandas; list for Python's own numbers, lists and tuples; "" for what is no array."""
    kind = type(value)
    root = (kind.__module__ or "").partition(".")[0]
    if isinstance(value, np.ndarray | np.generic):
        return "numpy"
    if isinstance(value, list | tuple | int | float):
        return "list"
    if root == "torch" and hasattr(value, "detach"):
        return "torch"
    if isinstance(value, type) or not hasattr(kind, "__array__"):
        return ""
    return {"jaxlib": "jax"}.get(root, root)


def described(value: object) -> str:
    """What it is, in a few words, as "float64 array of shape (3,)", "list of 3 lists", "a generator", "None"."""
    if value is None or isinstance(value, bool):
        return repr(value)
    name = type(value).__name__
    library = library_of(value)
    if isinstance(value, list | tuple):
        return f"{name} of {len(value)}{_of_what(value)}"
    if isinstance(value, str | bytes):
        return f"the {name} {value[:20]!r}{'...' if len(value) > 20 else ''}"
    if isinstance(value, int | float | complex) or not library:
        return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"
    dtype = str(getattr(value, "dtype", "")).removeprefix("torch.")
    what = {"numpy": "array", "torch": "torch tensor", "jax": "JAX array"}.get(library, name)
    shape = getattr(value, "shape", None)
    return f"{dtype} {what}".strip() + ("" if shape is None else f" of shape {tuple(shape)}")


def _of_what(value: Sequence[object]) -> str:
    kinds = list(dict.fromkeys(type(part).__name__ for part in value[:1000]))
    if not kinds:
        return ""
    if len(kinds) == 1:
        one = kinds[0]
        return f" {one}s" if len(value) > 1 and one != "NoneType" else f" {one}"
    return f" ({', '.join(kinds[:4])}{', ...' if len(kinds) > 4 else ''})"
