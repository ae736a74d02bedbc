"""Targets: classes or distributions, decided by their shape, checked before anything is computed."""

from typing import Any

import numpy as np

from softjac import _arguments, kernels
from softjac._arguments import NDArray, Shape
from softjac.cross_entropy import _checks
from softjac.errors import ArgumentError, BoundsError, DTypeError, ShapeError
from softjac.kernels import cross_entropy_numpy as reference


class Targets:
    """What each row aims at. All arrays but y have the shape of the batch.

    label: the class of a row with a single target, -1 for a row that uses y, -2 for one that does not count.
    mass: the single targets, None for 1. y: distributions of the shape of logits, None where no row uses them.
    total: the sum of w y of each row; None for 1, and for classes. by_class: given as classes.
    """

    def __init__(
        self, label: NDArray, mass: NDArray | None, y: NDArray | None, total: NDArray | None, *, by_class: bool
    ) -> None:
        self.label, self.mass, self.y, self.total, self.by_class = label, mass, y, total, by_class


def find(
    function: str,
    value: object,
    shape: Shape,
    axis: int,
    part: NDArray | None,
    ignore_index: int | None,
    weight: NDArray | None,
    dtype: Any,
) -> Targets:
    """Decide by shape what the targets are, and check them. Raises DTypeError, ShapeError, BoundsError, ArgumentError.

    shape, axis: those of the logits. dtype: what is computed in.
    """
    _checks.refuse_libraries(function, "targets", value)
    given = _given(value)
    batch = shape[:axis] + shape[axis + 1 :]
    if given.shape == batch:
        return _classes(given, value, shape, axis, part, ignore_index)
    if given.shape == shape:
        if ignore_index is not None:
            raise ArgumentError(
                f"ignore_index is {ignore_index}, but targets holds a distribution for each row and no class to "
                "ignore: leave rows out with sample_weight=0 or where=False."
            )
        return _distributions(value, shape, axis, part, weight, dtype)
    raise ShapeError(
        f"targets has shape {given.shape}, but logits has shape {shape}: pass classes of shape {batch}, or one "
        f"distribution for each row, of shape {shape}."
    )


def _given(value: object) -> NDArray:
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DTypeError(
            f"targets cannot be made an array ({error}): pass an array, or a list whose rows have one length."
        ) from error


# --------------------------------------------------------------------------------------------------------- classes


def _classes(
    given: NDArray,
    value: object,
    shape: Shape,
    axis: int,
    part: NDArray | None,
    ignore_index: int | None,
) -> Targets:
    nothing = given.size == 0 and isinstance(value, list | tuple)  # NumPy makes float64 of an empty list
    n = shape[axis]
    too_large = given.dtype.kind in "fO" and isinstance(value, list | tuple | int)
    given, as_given = _as_python_ints(value, given) if too_large else given, given
    if as_given is given and given.dtype.kind not in "iu" and not nothing:
        how = "pass targets.astype(int)"
        if given.dtype.kind == "f" and np.isnan(given).any():
            how = "put a number that is no class where it is NaN, pass that as ignore_index, and targets.astype(int)"
        raise DTypeError(
            f"targets has dtype {given.dtype} and shape {given.shape}: classes are integers, {how}; "
            f"or pass one distribution for each row, of shape {shape}."
        )
    ignored = np.zeros(given.shape, bool) if ignore_index is None else np.asarray(given == ignore_index, bool)
    bad = ~ignored & np.asarray((given < 0) | (given >= n), bool)
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise _no_class(given[at], at, n, axis)
    label = np.array(np.where(ignored, -2, given) if given.dtype.kind == "O" else given, np.int64, order="C")
    label[ignored] = -2
    if part is not None:
        _leave_out_masked_classes(label, part, axis)
    return Targets(label, None, None, None, by_class=True)


def _as_python_ints(value: object, given: NDArray) -> NDArray:
    """Ints of which NumPy makes no integers, because one is too large, as they are; anything else as it was given."""
    whole = np.array(value, dtype=object)
    return whole if whole.size and all(type(x) is int for x in whole.flat) else given


def _no_class(label: object, at: tuple[int, ...], n: int, axis: int) -> BoundsError:
    return BoundsError(
        f"targets holds class {label}{_checks.of_place('row', at)}, but logits has {n} classes along axis {axis}: "
        f"classes are numbered 0 to {n - 1}. To leave an element out, pass ignore_index={label}."
    )


def _leave_out_masked_classes(label: NDArray, part: NDArray, axis: int) -> None:
    """Rows masked out whole do not count; a class that is masked out in another row is a mistake."""
    label[~part.any(axis=axis)] = -2
    at_label = np.take_along_axis(part, np.expand_dims(np.maximum(label, 0), axis), axis=axis)
    hidden = (label >= 0) & ~np.squeeze(at_label, axis)
    if hidden.any():
        at = tuple(int(i) for i in np.argwhere(hidden)[0])
        raise ArgumentError(
            f"targets holds class {label[at]}{_checks.of_place('row', at)}, but where masks that class out there: a "
            "target takes part. Leave the row out with sample_weight=0 and another class, or do not mask its target."
        )


# --------------------------------------------------------------------------------------------------- distributions


def _distributions(
    value: object, shape: Shape, axis: int, part: NDArray | None, weight: NDArray | None, dtype: Any
) -> Targets:
    y = np.asarray(value) if isinstance(value, np.ndarray) else _arguments.numbers("targets", value)
    if y.dtype.kind not in "biu":
        y = _arguments.numbers("targets", y)
    label, mass, total, bad = _scan(y, axis, weight, part, dtype)
    if bad >= 0:
        raise _refuse(y, shape, axis, part, bad)
    if part is not None:
        label[~part.any(axis=axis)] = -2
    if (label == -1).any():
        if y.dtype.char not in ("efd" if dtype == np.float64 else "efdg"):
            y = y.astype(dtype)
        elif not (y.dtype.isnative and y.flags.aligned):
            y = y.astype(y.dtype.newbyteorder("="))
        return Targets(label, mass if (label >= 0).any() else None, y, total, by_class=False)
    if (mass == 1.0).all():
        return Targets(label, None, None, None if weight is None else total, by_class=False)
    return Targets(label, mass, None, total, by_class=False)


def _scan(y: NDArray, axis: int, weight: NDArray | None, part: NDArray | None, dtype: Any) -> Any:
    """By the compiled core where it serves them."""
    core = getattr(kernels.native, "scan_targets", None)
    if core is not None and dtype == np.float64:
        found = core(y, axis, weight, part)
        # What is masked out whole has no targets: only the reference knows whether that is all that is wrong.
        if found is not NotImplemented and (found[3] < 0 or part is None):
            return found
    return reference.scan_targets(y, axis, weight, part, dtype)


def _refuse(y: NDArray, shape: Shape, axis: int, part: NDArray | None, bad: int) -> ArgumentError:
    batch, n = shape[:axis] + shape[axis + 1 :], shape[axis]
    row, at = np.unravel_index(bad // n, batch), bad % n
    index = tuple(int(i) for i in row)
    found = np.moveaxis(y, axis, -1)[(*index, at)]
    where = f"in row {_checks.place(index)}, class {at}" if batch else f"for class {at}"
    if part is not None and not np.moveaxis(part, axis, -1)[(*index, at)]:
        return ArgumentError(
            f"targets holds {found} {where}, but where masks that class out there: pass 0, or do not mask it."
        )
    return ArgumentError(
        f"targets holds {found} {where}: probabilities are finite and at least 0. To leave a row out, pass 0 in it, "
        "and sample_weight=0."
    )
