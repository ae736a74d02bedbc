"""The errors softjac raises: all are a `SoftjacError`, and each is also what NumPy users expect to catch."""

from numpy.exceptions import AxisError as _NumpyAxisError

__all__ = ["ArgumentError", "AxisError", "BoundsError", "DTypeError", "DerivationError", "ShapeError", "SoftjacError"]


class SoftjacError(Exception):
    """Any mistake in what was passed to softjac. It is raised before anything is computed or written."""


class ShapeError(SoftjacError, ValueError):
    """Shapes that do not fit each other, or an `out` of another shape than the result's."""


class DTypeError(SoftjacError, TypeError):
    """An argument of a type or dtype that has no meaning here (complex, strings, objects, a mixture of libraries)."""


class AxisError(SoftjacError, _NumpyAxisError):
    """An axis that the array does not have, or one that is named twice."""


class BoundsError(SoftjacError, IndexError):
    """An index of a row or a class that there is not."""


class ArgumentError(SoftjacError, ValueError):
    """Any other argument that cannot be used: a read-only `out`, a number of threads below one."""


class DerivationError(SoftjacError, ValueError):
    """A line of mathematics that does not hold, or that means nothing: `softjac.derivation` does not print it."""
