"""The arguments of all functions of cross-entropy, normalised and checked once."""

import math
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
        self.targets = _targets.find(function, targets, shape, self.axis, self.part, ignored, self.weight, self.wide)
        if self.omega is not None:
            self.targets.label[self.omega == 0.0] = -2
        self.tangent = None if tangent is None else _tangent(function, tangent, shape)
        self.z = given if given.dtype == self.dtype and given.flags.aligned else given.astype(self.dtype)
        self.denominator = self._denominator()
        self.scale = self._scale()

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

    def _denominator(self) -> tuple[Any, Any]:
        counted = self.targets.label != -2
        by_class = self.targets.by_class and self.weight is not None
        if self.omega is None and not by_class:
            return self.wide.type(np.count_nonzero(counted)), self.wide.type(0.0)
        amount = np.ones(self.batch, self.wide) if self.omega is None else self.omega
        pair = amount, np.zeros_like(amount)
        if by_class:
            pair = arithmetic_for(self.wide).multiply(pair, (np.asarray(self.targets.total), np.zeros_like(amount)))
        hi, lo, unit = _sums.total(*(np.where(counted, x, 0.0) for x in pair))
        return (hi + lo) * unit, ((hi - (hi + lo)) + lo) * unit

    def _scale(self) -> tuple[Any, Any]:
        omega = self.wide.type(1.0) if self.omega is None else self.omega
        if self.reduction != "mean":
            return omega, self.wide.type(0.0)
        hi, lo = self.denominator
        if hi == 0.0:
            self.targets.label[...] = -2
            return self.wide.type(0.0), self.wide.type(0.0)
        return arithmetic_for(self.wide).divide((omega, 0.0 * omega), (hi, lo))


def _tangent(function: str, value: object, shape: Shape) -> NDArray:
    tangent = _checks.array(function, "tangent", value)
    if tangent.shape != shape:
        raise ShapeError(
            f"tangent has shape {tangent.shape}, but logits has shape {shape}: pass a tangent of the shape of logits "
            "(numpy.broadcast_to makes it)."
        )
    return tangent
