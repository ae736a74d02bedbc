"""What all operators have in common: products with vectors and matrices from one method for vectors."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray, Shape
from softjac.errors import DTypeError, ShapeError
from softjac.operator import _rows


class Operator(ABC):
    """A matrix for each row of a batch, known by its products.

    A vector has shape (..., n), with the batch before; it broadcasts against batch_shape.
    """

    __array_ufunc__ = None  # array @ operator is the operator's own
    __array_priority__ = 100.0
    __pandas_priority__ = 5000  # frame * operator, too

    def __array__(self, *_: object, **__: object) -> NDArray:
        """Refuse: numpy.asarray would make an array of n x n entries, or of one object. Raises DTypeError."""
        raise DTypeError(
            f"a {type(self).__name__} is an operator, not an array: use operator @ x for a product, and "
            "operator.to_dense() for the array of its entries."
        )

    @property
    @abstractmethod
    def batch_shape(self) -> Shape:
        """Shape of the rows: one matrix for each."""

    @property
    @abstractmethod
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one matrix."""

    @property
    @abstractmethod
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of its entries."""

    @abstractmethod
    def _product(self, x: NDArray) -> NDArray:
        """Products with vectors in the dtype computed in, shape (..., columns) -> (..., rows)."""

    @abstractmethod
    def _transposed_product(self, x: NDArray) -> NDArray:
        """The same for the transpose."""

    @abstractmethod
    def _expanded(self) -> "Operator":
        """The same matrices with a batch axis of length 1 at the end."""

    @property
    def shape(self) -> Shape:
        """Shape that all the matrices would have as one array."""
        return (*self.batch_shape, *self.matrix_shape)

    @property
    def ndim(self) -> int:
        """Number of axes of that array."""
        return len(self.shape)

    @property
    def T(self) -> "Operator":
        """The transpose of each matrix."""
        return Transpose(self)

    def matvec(self, x: object) -> NDArray:
        """Products with vectors, shape (..., columns) -> (..., rows). Raises ShapeError, DTypeError."""
        v = _rows.vectors("x", x, self.matrix_shape[1], self.batch_shape)
        return self._rounded(self._product, v)

    def rmatvec(self, x: object) -> NDArray:
        """Products of the transpose with vectors, shape (..., rows) -> (..., columns)."""
        v = _rows.vectors("x", x, self.matrix_shape[0], self.batch_shape)
        return self._rounded(self._transposed_product, v)

    def matmat(self, x: object) -> NDArray:
        """Products with the columns of matrices, shape (..., columns, k) -> (..., rows, k)."""
        v = _rows.vectors("x", x, self.matrix_shape[1], self.batch_shape, core=2, axis=-2)
        return np.swapaxes(self._expanded().matvec(_columns(v)), -1, -2)

    def rmatmat(self, x: object) -> NDArray:
        """Products of the transpose with the columns of matrices."""
        v = _rows.vectors("x", x, self.matrix_shape[0], self.batch_shape, core=2, axis=-2)
        return np.swapaxes(self._expanded().rmatvec(_columns(v)), -1, -2)

    def to_dense(self, out: NDArray | None = None) -> NDArray:
        """All the matrices as one array of the operator's shape and dtype."""
        _arguments.check_out(out, self.shape, self.dtype)
        dense = self.matmat(np.eye(self.matrix_shape[1], dtype=self.dtype))
        dense = np.broadcast_to(dense, self.shape)
        with np.errstate(all="ignore"):
            if out is None:
                return np.array(dense, dtype=self.dtype)
            out[...] = dense
        return out

    def __matmul__(self, x: object) -> NDArray:
        """Operator @ x: a vector, or a matrix where x has one axis more than the batch has."""
        if self._is_vector(x):
            return self.matvec(x)
        try:
            return self.matmat(x)
        except ShapeError as error:
            shape = _rows.plain("x", x).shape
            if len(shape) < 2 or shape[-1] != self.matrix_shape[1]:
                raise
            raise ShapeError(f"{error} If x holds vectors along its last axis, use matvec.") from None

    def __rmatmul__(self, x: object) -> NDArray:
        """Operand x @ operator."""
        if self._is_vector(x):
            return self.rmatvec(x)
        v = _rows.vectors("x", x, self.matrix_shape[0], self.batch_shape, core=2)
        return self._expanded().rmatvec(v)

    def _is_vector(self, x: object) -> bool:
        return (x if type(x) is np.ndarray else _rows.plain("x", x)).ndim in {1, 1 + len(self.batch_shape)}

    def _rounded(self, product: Any, v: NDArray) -> NDArray:
        """A product, computed wide, in the common dtype of the operator and the vector."""
        dtype = v.dtype if v.dtype == self.dtype else _arguments.common_dtype_of(self.dtype, v.dtype)
        with np.errstate(all="ignore"):
            result: NDArray = product(_rows.side_by_side(v.astype(_rows.wide(dtype), copy=False)))
            return result.astype(dtype, copy=False)

    def __repr__(self) -> str:
        rows, columns = self.matrix_shape
        batch = f", batch_shape={self.batch_shape}" if self.batch_shape else ""
        return f"{type(self).__name__}({rows} x {columns}{batch}, {self.dtype})"


def _columns(v: NDArray) -> NDArray:
    """The columns of matrices as rows of their own memory, so that each gives the bits that it gives by itself."""
    return np.ascontiguousarray(np.swapaxes(v, -1, -2))


class Transpose(Operator):
    """The transpose of an operator."""

    def __init__(self, of: Operator) -> None:
        self._of = of

    @property
    def batch_shape(self) -> Shape:
        """Shape of the rows."""
        return self._of.batch_shape

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one matrix."""
        rows, columns = self._of.matrix_shape
        return columns, rows

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of its entries."""
        return self._of.dtype

    @property
    def T(self) -> Operator:
        """The operator itself."""
        return self._of

    def _product(self, x: NDArray) -> NDArray:
        return self._of._transposed_product(x)

    def _transposed_product(self, x: NDArray) -> NDArray:
        return self._of._product(x)

    def _expanded(self) -> Operator:
        return Transpose(self._of._expanded())


class Symmetric(Operator):
    """An operator that is its own transpose."""

    @property
    def T(self) -> Operator:
        """The operator itself."""
        return self

    def _transposed_product(self, x: NDArray) -> NDArray:
        return self._product(x)
