"""The operator as SciPy's sparse linear algebra takes it. Imported only when somebody asks for it."""

from typing import TYPE_CHECKING

from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped, unused-ignore]

if TYPE_CHECKING:
    from softjac.operator._base import Operator


def linear_operator(of: "Operator") -> LinearOperator:
    """The products of an operator of one row. It has the operator's shape and dtype."""
    return LinearOperator(
        shape=of.matrix_shape,
        matvec=lambda x: of.matvec(x.reshape(-1)),  # SciPy passes columns, too
        rmatvec=lambda x: of.rmatvec(x.reshape(-1)),
        matmat=of.matmat,
        rmatmat=of.rmatmat,
        dtype=of.dtype,
    )
