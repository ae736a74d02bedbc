"""The arguments of all functions of cross-entropy, normalised and checked once."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray, Shape
from softjac.cross_entropy import _checks, _containers, _sums, _targets
from softjac.errors import ShapeError
from softjac.kernels.numpy import arithmetic_for


class Problem:
    """One call.

    z: logits, in memory that the kernels can read. axis: of the classes, not negative. batch: shape of the rows.
    part: which elements take part, or None. targets: see `Targets`; a row that does not count has the label -2.
    weight, omega: of classes and of rows, or None. label_smoothing, z_loss: numbers. dtype: of results; wide: of what
    is computed on the way. denominator: what a mean divides by, as hi + lo. scale: what a row counts in the result,
    omega, for a mean divided by the denominator, as hi + lo.

    In a mean, weight and omega are in units, powers of two, in which the largest that counts is from 1/2 to 1: they
    cancel, and nothing overflows or is lost on the way. weight is kept in its unit, and with it z_loss, which goes
    beside it; omega is not, `weights_of_rows` has it so. units: the exponents of both.
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
        self.units = (0, 0)
        with np.errstate(all="ignore"):
            if self.reduction == "mean":
                self._choose_units()
            self.denominator = self._denominator()
        if self.reduction == "mean" and self.denominator[0] == 0.0:  # a mean over nothing is 0
            self.targets.label[...] = -2

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
        with np.errstate(all="ignore"):
            return np.ldexp(self.wide.type(hi + lo), sum(self.units))

    def scale(self) -> tuple[Any, Any]:
        """What each row counts in the result, as hi + lo: one number, or an array of the batch's shape and 0."""
        omega = 1.0 if self.omega is None else self.weights_of_rows()
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
        """Whether the denominator is a whole number, as that of rows is: to divide by it takes no pairs."""
        hi, lo = self.denominator
        return lo == 0.0 and self.wide.char == "d" and 0.0 < hi < _WHOLE and hi == int(hi)

    def weights_of_rows(self, at: Any = ...) -> Any:
        """Omega in its unit, of some rows as they follow each other or of all as they stand; None without."""
        if self.omega is None:
            return None
        omega = self.omega if at is ... else self.omega.reshape(-1)[at]
        return np.ldexp(omega, -self.units[1]) if self.units[1] else omega

    def _choose_units(self) -> None:
        if self.weight is not None and self.targets.by_class:
            unit = _exponent(np.max(x) for _, x in self._amounts(with_omega=False))
            self.weight, self.z_loss = np.ldexp(self.weight, -unit), float(np.ldexp(self.z_loss, -unit))
            self.units = (unit, 0)
        if self.omega is not None:
            self.units = (self.units[0], _exponent(np.max(x) for _, x in self._amounts(with_omega=True)))

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
        for at, amount in self._amounts(with_omega=not by_class):
            total.add(amount, None, self.weights_of_rows(at) if by_class else None)
        return total.pair

    def _amounts(self, *, with_omega: bool) -> Iterator[tuple[slice, NDArray]]:
        """Of rows, some at a time: the weight of the class, times omega if asked for; 0 where one does not count."""
        label, by_class = self.targets.label.reshape(-1), self.targets.by_class and self.weight is not None
        for start in range(0, label.size, _PIECE):
            at = slice(start, start + _PIECE)
            amount: Any = self.wide.type(1.0)
            if by_class:
                amount = np.take(self.weight, np.maximum(label[at], 0))  # type: ignore[arg-type]
            if with_omega:
                amount = amount * self.weights_of_rows(at)
            yield at, np.where(label[at] != -2, amount, self.wide.type(0.0))


def _exponent(largest: Iterable[Any]) -> int:
    """The power of two just above the largest of some numbers, 0 without any."""
    most = max(largest, default=0.0)
    return int(np.frexp(most)[1]) if most > 0.0 else 0


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
