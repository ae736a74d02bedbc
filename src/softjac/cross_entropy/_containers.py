"""Frames and masked arrays: opened to compute, and closed again around what has the shape of the logits or of its rows.

pandas goes by position, and different labels are refused. What is masked of logits or a tangent takes no part.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray
from softjac._containers import masked, pandas
from softjac.errors import ArgumentError, DTypeError

# What there is nothing to open in.
_PLAIN = frozenset({np.ndarray, list, tuple, float, int, bool, str, type(None), np.int64, np.float64})


class Shell:
    """What was around the logits: a frame or a series, or the mask of a masked array; or nothing."""

    def __init__(self, frame: Any = None, hidden: NDArray | None = None) -> None:
        self.frame, self.hidden = frame, hidden

    def around_gradient(self, x: Any, out: Any) -> Any:
        """A result of the shape of the logits; or out, which holds it already."""
        if self.hidden is not None:
            result = np.ma.MaskedArray(x, self.hidden)
            if out is None:
                return result
            if masked.holds(out):
                out[...] = result
            return out
        if out is not None:
            return out
        return x if self.frame is None else pandas.like(self.frame, x)

    def around_rows(self, x: Any, axis: int) -> Any:
        """One number a row."""
        if self.hidden is not None:
            result = np.ma.MaskedArray(x, self.hidden.all(axis=axis))
            return result if result.ndim else result[()]
        return x if self.frame is None else pandas.labelled(self.frame, x, axis)


NOTHING = Shell()


def opened(arguments: Mapping[str, Any], axis: object) -> tuple[dict[str, Any], Shell]:
    """The arguments as NumPy's arrays, and what was around the logits.

    Raises ArgumentError for frames of other labels, DTypeError for a masked array that has no meaning.
    """
    if _PLAIN.issuperset(map(type, arguments.values())):
        return dict(arguments), NOTHING
    plain, frame = dict(arguments), None
    if pandas.holds(arguments["logits"]):
        frame = arguments["logits"]
        _check_labels(frame, arguments, axis)
    for name, value in arguments.items():
        if pandas.holds(value):
            plain[name] = value.to_numpy() if name == "where" else _values(name, value)
    hidden = _masks(plain)
    return plain, Shell(frame, hidden)


def _values(name: str, value: Any) -> NDArray:
    """The values of a frame or a series; integers stay integers, for they may be classes."""
    if value.ndim == 1 and getattr(value.dtype, "kind", "O") in "iub":
        if value.isna().any():
            raise DTypeError(f"{name} has missing values: fill them, as in {name}.fillna(-1) with ignore_index=-1.")
        return np.asarray(value.to_numpy(dtype=getattr(value.dtype, "numpy_dtype", value.dtype)))
    return pandas.values(name, value)


def _check_labels(frame: Any, arguments: Mapping[str, Any], axis: object) -> None:
    """Refuse what has other labels than the frame, its rows, or its classes."""
    along = frame.axes[axis] if isinstance(axis, int) and -frame.ndim <= axis < frame.ndim else None
    rest = [index for index in frame.axes if index is not along]
    for name, value in arguments.items():
        if not pandas.holds(value) or name == "logits":
            continue
        if value.ndim == frame.ndim and name != "weight":
            fits = pandas.same_labels(frame, value)
        elif value.ndim == 1 and along is not None:
            expected = along if name == "weight" else rest[0] if rest else value.index
            fits = len(value) != len(expected) or bool(value.index.equals(expected))
        else:
            fits = True  # of another shape: refused later, by its shape
        if not fits:
            raise ArgumentError(
                f"{name} and logits have different labels, and softjac goes by position: reindex {name}, or pass "
                f"{name}.to_numpy() if the positions do fit."
            )


def _masks(plain: dict[str, Any]) -> NDArray | None:
    """Take the masks of logits and tangent out and put them into `where`."""
    logits = plain["logits"]
    masks = {name: np.ma.getmaskarray(value) for name, value in plain.items() if masked.holds(value)}
    for name, mask in masks.items():
        if name in {"logits", "tangent"}:
            plain[name] = np.ma.getdata(plain[name])
        elif name == "where":
            plain[name] = plain[name].filled(False)
        elif mask.any():
            raise DTypeError(
                f"{name} is a masked array with masked elements: pass its data, and sample_weight=0 for the rows that "
                "are to be left out."
            )
        else:
            plain[name] = np.ma.getdata(plain[name])
    hidden = [masks[name] for name in ("logits", "tangent") if name in masks]
    if not hidden:
        return None
    shape = np.shape(logits)
    if any(mask.shape != shape for mask in hidden):
        return None  # of another shape than the logits: refused later
    together = np.logical_or.reduce(hidden)
    where = _arguments.mask(plain["where"], "logits", shape)
    plain["where"] = ~together if where is None else where & ~together
    return np.asarray(together)
