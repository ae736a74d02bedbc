"""The arguments of all functions of cross-entropy, normalised and checked once."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray, Shape
from softjac.cross_entropy import _checks, _containers, _sums, _targets
from softjac.errors import ArgumentError, ShapeError
from softjac.kernels.numpy import arithmetic_for

_LEAST = 1e-250  # of a denominator: its reciprocal has a low part


class Problem:
    """One call.

    z: logits, in memory that the kernels can read. axis: of the classes, not negative. batch: shape of the rows.
    part: which elements take part, or None. targets: see `Targets`; a row that does not count has the label -2.
    weight, omega: of classes and of rows, or None. label_smoothing, z_loss: numbers. dtype: of results; wide: of what
    is computed on the way. denominator: what a mean divides by, as hi + lo. scale: what a row counts in the result,
    omega, for a mean divided by the denominator, as hi + lo. unit: a power of two that losses are divided by until a
    mean is complete, so that it is finite where some of its terms, times what they count, are not.
    """

    def __init__(
        self,
        function: str,
        logits: object,
        targets: object,
        axis: object,
        weight: object,
        sample_weight: object,
        label_smoothing: object,
        ignore_index: object,
        z_loss: object,
        where: object,
        reduction: object,
        tangent: object = None,
    ) -> None:
        arguments, self.shell = _containers.opened(
            {
                "logits": logits,
                "targets": targets,
                "weight": weight,
                "sample_weight": sample_weight,
                "where": where,
                "tangent": tangent,
            },
            axis,
        )
        logits, targets, weight, sample_weight, where, tangent = arguments.values()
        given = _checks.array(function, "logits", logits)
        self.dtype = _arguments.common_dtype([given])
        self.wide = np.dtype(np.longdouble if self.dtype.char == "g" else np.float64)
        (self.axis,) = _arguments.class_axes(function, "logits", given.shape, axis, many_axes=False)
        shape, n = given.shape, given.shape[self.axis]
        if n == 0:
            raise ShapeError(
                f"logits has shape {shape}, and no classes along axis {axis}: there is no cross-entropy of no classes. "
                "Pass logits of at least one class."
            )
        self.batch: Shape = shape[: self.axis] + shape[self.axis + 1 :]
        self.reduction = _checks.reduction(reduction)
        self.label_smoothing = _checks.number("label_smoothing", label_smoothing, 1.0)
        self.z_loss = _checks.number("z_loss", z_loss, math.inf)
        self.part = _arguments.mask(where, "logits", shape)
        self.weight = _checks.class_weights(function, weight, n, self.axis, self.wide)
        self.omega = _checks.sample_weights(function, sample_weight, self.batch, self.wide)
        ignored = _checks.ignored_index(ignore_index)
        with np.errstate(all="ignore"):
            self.targets = _targets.find(
                function, targets, shape, self.axis, self.part, ignored, self.weight, self.wide
            )
        if self.omega is not None:
            self.targets.label[self.omega == 0.0] = -2
        self.tangent = None if tangent is None else _tangent(function, tangent, shape)
        self.z = given if given.dtype == self.dtype and given.flags.aligned else given.astype(self.dtype)
        with np.errstate(all="ignore"):
            self.denominator = self._denominator()
        self.unit = 1.0
        if self.reduction == "mean":
            self._check_denominator()
            if self.omega is not None and self.omega.size:
                exponent = int(np.frexp(np.max(self.omega))[1])
                self.unit = 2.0 ** min(max(exponent, 0), 1000)

    def _check_denominator(self) -> None:
        """A mean over nothing is 0. One over next to nothing has no digits left in its quotients."""
        if self.denominator[0] == 0.0:
            self.targets.label[...] = -2
        elif not _LEAST <= self.denominator[0] <= 1.0 / _LEAST:
            raise ArgumentError(
                f"the denominator of the mean is {self.denominator[0]:g}, a sum of "
                f"{'weight' if self.omega is None else 'sample_weight'}: multiply the weights by one number, so that "
                f'it is between {_LEAST:g} and {1.0 / _LEAST:g}, or pass reduction="sum".'
            )

    @property
    def n(self) -> int:
        """Number of classes."""
        return int(self.z.shape[self.axis])

    @property
    def rows(self) -> int:
        """Number of rows."""
        return math.prod(self.batch)

    @property
    def denominator_value(self) -> Any:
        """The denominator as users get it."""
        hi, lo = self.denominator
        return self.wide.type(hi + lo)

    def scale(self) -> tuple[Any, Any]:
        """What each row counts in the result, as hi + lo: one number, or an array of the batch's shape and 0."""
        omega = 1.0 if self.omega is None else self.omega
        hi, lo = self.denominator
        if self.reduction != "mean":
            return omega, 0.0
        if hi == 0.0:
            return 0.0, 0.0
        if self.omega is None and self.counts_rows:
            return _sums.inverse(int(hi))
        a = arithmetic_for(self.wide)
        if not isinstance(omega, np.ndarray):
            return a.divide((self.wide.type(omega), self.wide.type(0.0)), (hi, lo))
        high, low = _sums.blockwise(lambda x: a.divide((x, 0.0 * x), (hi, lo)), 2, self.wide, omega)
        return high, low

    @property
    def counts_rows(self) -> bool:
        """Whether the denominator is a number of rows, or as plain: then a float divides by it as well as a pair."""
        hi, lo = self.denominator
        return lo == 0.0 and self.unit == 1.0 and self.wide.char == "d" and 0.0 < hi < _WHOLE and hi == int(hi)

    def counts(self) -> NDArray | None:
        """What the losses of rows are multiplied by: omega, in the unit."""
        return self.omega if self.omega is None or self.unit == 1.0 else self.omega / self.unit

    def pieces(self) -> Iterator[tuple[Any, "Problem"]]:
        """Some rows at a time, as problems with the classes last, and where they stand in arrays with those last."""
        first = self.batch[0] if self.batch else 1
        step = max(1, _PIECE * first // max(self.rows, 1))
        if step >= first:
            yield ..., self
            return
        moved = {name: _last(getattr(self, name), self.axis) for name in ("z", "part", "tangent")}
        t = self.targets
        y = _last(t.y, self.axis)
        for start in range(0, first, step):
            at = slice(start, start + step)
            piece = object.__new__(Problem)
            piece.__dict__.update(self.__dict__)
            piece.__dict__.update({name: _at(x, at) for name, x in moved.items()})
            piece.targets = _targets.Targets(
                t.label[at], _at(t.mass, at), _at(y, at), _at(t.total, at), by_class=t.by_class
            )
            piece.omega = _at(self.omega, at)
            piece.batch = piece.targets.label.shape
            piece.axis = len(piece.batch)
            yield at, piece

    def _denominator(self) -> tuple[Any, Any]:
        by_class = self.targets.by_class and self.weight is not None
        if self.omega is None and not by_class:
            return self.wide.type(np.count_nonzero(self.targets.label != -2)), self.wide.type(0.0)
        total = _sums.Total(self.wide)
        label = self.targets.label.reshape(-1)
        for start in range(0, label.size, _PIECE):
            at = slice(start, start + _PIECE)
            counted = label[at] != -2
            omega = None if self.omega is None else self.omega.reshape(-1)[at]
            amount: Any = np.take(self.weight, np.maximum(label[at], 0)) if by_class else omega  # type: ignore[arg-type]
            amount = np.where(counted, amount, self.wide.type(0.0))
            total.add(amount, np.zeros_like(amount), omega if by_class else None)
        return total.pair


_WHOLE = 2.0**53
_PIECE = 1 << 14  # rows: what is one a row takes 0.13 MB for each of them


def _last(x: NDArray | None, axis: int) -> NDArray | None:
    return None if x is None else np.moveaxis(x, axis, -1)


def _at(x: NDArray | None, rows: slice) -> NDArray | None:
    return None if x is None else x[rows]


def _tangent(function: str, value: object, shape: Shape) -> NDArray:
    tangent = _checks.array(function, "tangent", value)
    if tangent.shape != shape:
        raise ShapeError(
            f"tangent has shape {tangent.shape}, but logits has shape {shape}: pass a tangent of the shape of logits "
            "(numpy.broadcast_to makes it)."
        )
    return tangent
