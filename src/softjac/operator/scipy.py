"""The operator as SciPy's sparse linear algebra takes it. Imported only when somebody asks for it."""

from typing import TYPE_CHECKING

from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped, unused-ignore]

if TYPE_CHECKING:
    from softjac._arguments import NDArray
    from softjac.operator._base import Operator


class _Products:
    """The products as SciPy calls them: vectors may be columns. Methods of a class, so that they can be pickled."""

    def __init__(self, of: "Operator") -> None:
        self._of = of

    def matvec(self, x: "NDArray") -> "NDArray":
        return self._of.matvec(x.reshape(-1))

    def rmatvec(self, x: "NDArray") -> "NDArray":
        return self._of.rmatvec(x.reshape(-1))


def linear_operator(of: "Operator") -> LinearOperator:
    """The products of an operator of one row. It has the operator's shape and dtype."""
    products = _Products(of)
    return LinearOperator(
        shape=of.matrix_shape,
        matvec=products.matvec,
        rmatvec=products.rmatvec,
        matmat=of.matmat,
        rmatmat=of.rmatmat,
        dtype=of.dtype,
    )
