"""Somebody's function is called, and what it returns is made arrays of numbers, or words where it is none.

Both sides use it: `candidate` in this process and `worker` in the process of a submission. The worker reads this file
by its path, so it imports nothing of softjac, and NumPy alone besides the standard library.
"""

from __future__ import annotations

import contextlib
import math
import sys
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np

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
    kept: contextlib.AbstractContextManager[None] | None = None,
) -> Returned:
    """Call it with (value, library, read_only) for each argument, copies all of them.

    file: in which the line of an error is looked for. past: what is raised and not caught. kept: entered for the call
    alone. Warnings are not shown, and neither they nor the error state of NumPy outlive the call.
    """
    returned = Returned()
    try:
        given = [_dress(*argument) for argument in arguments]
        before = [_trace(value) for value in given]
        with warnings.catch_warnings(), np.errstate():
            warnings.simplefilter("ignore")
            with kept or contextlib.nullcontext():
                value = function(*given, **keywords)
            returned.changed = [k for k, was in enumerate(before) if _trace(given[k]) != was]
            vectors = all(np.ndim(argument) < 2 for argument, _, _ in arguments)
            _read(returned, value, outputs, vectors, past)
    except past:
        raise
    except BaseException as error:
        returned.out_of_memory = issubclass(type(error), MemoryError)
        returned.error = words_of_error(error, file)
    return returned


def words_of_error(error: BaseException, file: str = "") -> str:
    """The type and the first line of an error, and the last line of the file that it went through."""
    name = name_of(type(error))
    try:
        text = "the code was " + repr(error.code) if issubclass(type(error), SystemExit) else str(error)  # type: ignore[attr-defined]
    except BaseException:  # its own text may raise anything
        text = ""
    first = next(iter(str.strip(text).splitlines()), "")
    words = f"{name}: {first}" if first else name
    words = words if len(words) <= MOST_WORDS else words[: MOST_WORDS - 3] + "..."
    line = _line_of(error, file)
    return f"{words} (line {line})" if line else words


_TRACEBACK: Callable[[BaseException], types.TracebackType | None] = BaseException.__dict__["__traceback__"].__get__
_NAME: Callable[[type], str] = type.__dict__["__name__"].__get__
_HOME: Callable[[type], object] = type.__dict__["__module__"].__get__
"""Attributes as they are, past what a class or its own class puts in their place."""


def name_of(kind: type) -> str:
    """The name of a type, and not more than 60 characters of it."""
    return _NAME(kind)[:60]


def _line_of(error: BaseException, file: str) -> int:
    line, step = 0, _TRACEBACK(error)
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


def _read(
    returned: Returned, value: object, outputs: int, vectors: bool, past: tuple[type[BaseException], ...]
) -> None:
    """Fill it with what was returned, which may be an object that resists."""
    try:
        returned.described = described(value)
        _fill(returned, value, outputs, vectors)
    except _UnusableError as error:
        returned.unusable = str(error)
    except MemoryError:
        raise
    except past:
        raise
    except BaseException as error:
        returned.described = returned.described or _a(type(value))
        returned.unusable = f"{_a(type(value))} that cannot be read: {words_of_error(error)}"


def _fill(returned: Returned, value: object, outputs: int, vectors: bool) -> None:
    """Put into it what was returned: one array for each output. Raises _UnusableError where there is none.

    vectors: no argument was a batch. A numpy.matrix of one row is a vector then, which it cannot be otherwise; one
    of one number may be a Jacobian.
    """
    parts: Sequence[object] = [value]
    if outputs > 1:
        if not _is(value, tuple, list) or len(_items(value)) != outputs:
            raise _UnusableError(f"{described(value)}, and a pair (value, gradient) was expected")
        parts = _items(value)
    parts = [part.A1 if vectors and _is_row(part) else part for part in parts]
    found = [_array_of(part) for part in parts]
    returned.arrays = [array for array, _ in found]
    returned.library = found[-1][1]


def _is(value: object, *kinds: type) -> bool:
    """isinstance, for an object whose __class__ may be anything."""
    return issubclass(type(value), kinds)


def _items(value: Any) -> Sequence[object]:
    """What is in a list or a tuple, whatever its class makes of it."""
    found: Sequence[object] = (list if _is(value, list) else tuple).__getitem__(value, slice(None))
    return found


def _is_row(value: object) -> TypeGuard[np.matrix[Any, Any]]:
    return isinstance(value, np.matrix) and value.shape[0] == 1 < value.shape[1]


def _array_of(value: Any) -> tuple[np.ndarray[Any, Any], str]:
    """The numbers, and the library that they came in. Raises _UnusableError where there are none."""
    library = library_of(value)
    if _is(value, list, tuple):
        try:
            array = np.asarray(_plain(value, _DEEPEST, [MOST_NUMBERS]))
        except ValueError:
            raise _UnusableError(f"{described(value)}, whose parts have different lengths") from None
    elif _is(value, bool, np.bool_, complex, np.complexfloating):
        raise _UnusableError(described(value))
    elif _is(value, np.number):
        array = np.asarray(value)
    elif _is(value, int, float):
        array = np.asarray(_number(value))
    elif _is_exact(value):
        array = np.asarray(float(value))
    elif library:
        array = _of_library(value, library)
    else:
        raise _UnusableError(described(value))
    if array.dtype.kind == "V" or array.dtype.name in ("bfloat16", "longdouble", "float128", "float96"):
        array = array.astype(np.float32 if array.dtype.name == "bfloat16" else np.float64)
    if array.dtype.kind not in _KINDS or array.dtype.hasobject:
        raise _UnusableError(described(value))
    if not array.size:
        words = described(value)
        raise _UnusableError(words if words.startswith("an empty") else f"{words}, without a number")
    return np.array(array, order="C", copy=True, subok=False), library


def _number(value: Any) -> float:
    """Python's own number. Raises _UnusableError for one that float64 cannot hold."""
    if _is(value, float):
        return float.__float__(value)
    whole = int.__int__(value)
    if -(2**63) <= whole < 2**63:
        return whole
    try:
        return float(whole)
    except OverflowError:
        raise _UnusableError(f"{described(value)} (above {sys.float_info.max:.2g})") from None


def _is_exact(value: object) -> bool:
    """Whether it is a Decimal or a Fraction, whose modules are not loaded for this alone."""
    homes = (("decimal", "Decimal"), ("fractions", "Fraction"))
    return any(home in sys.modules and type(value) is getattr(sys.modules[home], name, None) for home, name in homes)


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
        return np.asarray(value.resolve_neg().numpy())
    if library == "numpy" and hasattr(value, "filled"):  # a masked array
        return np.asarray(value.astype(np.float64).filled(np.nan))
    return np.asarray(value)


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    """Nested lists of Python's and NumPy's numbers, where a leaf may be an array of any library."""
    if _is(value, list, tuple):
        if not depth:
            raise _UnusableError(f"a list nested more than {_DEEPEST} deep")
        items = _items(value)
        budget[0] -= len(items)
        if budget[0] < 0:
            raise _UnusableError(f"a list of more than {MOST_NUMBERS:.0e} numbers, too many to look at")
        return [_plain(part, depth - 1, budget) for part in items]
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return _number(value)
        except _UnusableError as error:
            raise _UnusableError(f"a list with {error}") from None
    if _is_exact(value):
        return float(value)
    if not library_of(value) or _is(value, bool):
        raise _UnusableError(f"a list with {described(value)} in it")
    return _array_of(value)[0]


def library_of(value: object) -> str:
    """numpy, torch, jax, pandas; list for Python's own numbers, lists and tuples; "" for what is no array."""
    kind = type(value)
    root = str(_HOME(kind)).partition(".")[0]
    if _is(value, np.ndarray, np.generic):
        return "numpy"
    if _is(value, list, tuple, int, float):
        return "list"
    if root == "torch" and hasattr(kind, "detach"):
        return "torch"
    if _is(value, type) or not hasattr(kind, "__array__"):
        return ""
    return {"jaxlib": "jax"}.get(root, root)


def described(value: Any) -> str:
    """What it is, in a few words, as "float64 array of shape (3,)", "list of 3 lists", "a generator", "None"."""
    if value is None or _is(value, bool):
        return repr(value)
    name = name_of(type(value))
    library = library_of(value)
    if _is(value, list, tuple):
        items = _items(value)
        return f"{name} of {len(items)}{_of_what(items)}" if items else f"an empty {name}"
    for kind in (str, bytes):
        if _is(value, kind):
            start = kind.__getitem__(value, slice(0, 21))
            return f"the {kind.__name__} {start[:20]!r}{'...' if len(start) > 20 else ''}"
    if _is(value, int) and abs(int.__int__(value)).bit_length() > 1024:
        return f"{_a(type(value))} too large for float64"
    if _is(value, int, float, complex, np.generic) or not library:
        return _a(type(value))
    kind_of_numbers = str(getattr(value, "dtype", "")).removeprefix("torch.")
    if kind_of_numbers[:2] in ("<U", ">U", "|S"):
        kind_of_numbers = "bytes" if "S" in kind_of_numbers else "str"
    what = {"numpy": "array", "torch": "torch tensor", "jax": "JAX array"}.get(library, name)
    shape = getattr(value, "shape", None)
    return f"{kind_of_numbers} {what}".strip() + ("" if shape is None else f" of shape {tuple(shape)}")


def _a(kind: type) -> str:
    name = name_of(kind)
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def _of_what(items: Sequence[object]) -> str:
    kinds = list(dict.fromkeys(name_of(type(part)) for part in items[:1000]))
    if len(kinds) == 1:
        one = kinds[0]
        return f" {one}s" if len(items) > 1 and one != "NoneType" else f" {one}"
    return f" ({', '.join(kinds[:4])}{', ...' if len(kinds) > 4 else ''})"
