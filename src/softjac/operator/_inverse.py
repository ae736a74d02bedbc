"""The pseudo-inverse of an operator, as an operator."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray, Shape
from softjac.operator import _rows, _solve
from softjac.operator._base import Symmetric
from softjac.operator._rows import Rows


@dataclass(frozen=True, eq=False, repr=False)
class PseudoInverse(Symmetric):
    """pinv(weight * J + damping * I), the inverse where there is damping. O(n) numbers, O(n) a product."""

    _rows: Rows
    _weight: NDArray
    _damping: NDArray
    _dtype: "np.dtype[Any]"

    @property
    def batch_shape(self) -> Shape:
        """Shape of the rows."""
        return self._rows.batch

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one matrix, (n, n)."""
        return (self._rows.n, self._rows.n)

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of the results."""
        return self._dtype

    def to_dense(self, out: NDArray | None = None) -> NDArray:
        """All the matrices as one array, symmetric to the bit."""
        _arguments.check_out(out, self.shape, self._dtype)
        dense = super().to_dense()
        lower = np.tril(dense, -1)
        result: NDArray = np.add(np.tril(dense), np.swapaxes(lower, -1, -2), out=out)
        return result

    def matvec(self, x: object) -> NDArray:
        """Products with vectors, the solutions of equations: they are finite where they are read, as in `solve`."""
        is_read = _solve.is_read(self._rows, self._damping)
        return super().matvec(_rows.right_sides("x", x, self._rows.n, self.batch_shape, is_read))

    def rmatvec(self, x: object) -> NDArray:
        """The same."""
        return self.matvec(x)

    def _product(self, x: NDArray) -> Any:
        return _solve.solve(self._rows, x, self._weight, self._damping)

    def _expanded(self) -> "PseudoInverse":
        weight, damping = (x[..., None] if x.ndim else x for x in (self._weight, self._damping))
        return PseudoInverse(self._rows.expanded(), weight, damping, self._dtype)
