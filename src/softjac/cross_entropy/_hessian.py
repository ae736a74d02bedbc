"""CrossEntropyHessian, the Hessians of the rows of a batch as an operator."""

from typing import Any

import numpy as np

from softjac import _arguments
from softjac._arguments import NDArray, Shape
from softjac.cross_entropy import _evaluate, _solve
from softjac.cross_entropy._problem import Problem
from softjac.errors import ArgumentError, ShapeError
from softjac.operator import SoftmaxJacobian, _core, _forms, _rows
from softjac.operator._base import Symmetric
from softjac.operator._rows import Rows
from softjac.softmax import logsumexp, softmax


class CrossEntropyHessian(Symmetric):
    """The Hessian of cross-entropy as an operator over the batch: one n x n matrix a row, never built.

    Rows of logits do not see each other, so that the Hessian of a loss over the batch is block-diagonal, and these are
    its blocks: H = alpha J + beta p p^T, with J the Jacobian of softmax, alpha = c (T + 2 z_loss logsumexp) and
    beta = 2 c z_loss, where T is the sum of the row's targets and c what the row counts in the result. Without z_loss
    it is the weighted Jacobian ``weight * jacobian``. `cross_entropy_hessian` makes it.

    Vectors have shape (..., n), with the classes last wherever they stand in the logits, and broadcast against
    batch_shape. Computed in float64 (longdouble for longdouble); results have the dtype of the logits, or what NumPy
    makes of it together with an operand. A row that does not count, or without any target, is 0.
    """

    def __init__(self, problem: Problem) -> None:
        """From arguments that were checked: users call `cross_entropy_hessian`."""
        alpha, beta = _evaluate.curvature(problem)
        z = np.moveaxis(problem.z, problem.axis, -1).astype(problem.wide)
        counted = ((alpha != 0.0) | (beta != 0.0))[..., None]
        part = counted if problem.part is None else counted & np.moveaxis(problem.part, problem.axis, -1)
        if problem.z_loss:
            lse = np.asarray(logsumexp(z, where=part))
            alpha = np.where(beta == 0.0, alpha, alpha + beta * lse)
            alpha = np.where(np.isposinf(lse), 0.0, alpha)  # J = 0 there
        self._set(Rows.of(softmax(z, where=part)), np.asarray(alpha), np.asarray(beta), problem.dtype)

    def _set(self, rows: Rows, alpha: NDArray, beta: NDArray, dtype: "np.dtype[Any]") -> None:
        self._rows, self._alpha, self._beta, self._dtype = rows, alpha, beta, dtype
        self._is_weighted_jacobian = not np.any(beta != 0.0)

    def _expanded(self) -> "CrossEntropyHessian":
        other = object.__new__(type(self))
        other._set(self._rows.expanded(), self._alpha[..., None], self._beta[..., None], self._dtype)
        return other

    # ------------------------------------------------------------------------------------------------ what it is

    @property
    def batch_shape(self) -> Shape:
        """Shape of the rows: one matrix for each."""
        return self._rows.batch

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one matrix, (n, n)."""
        return (self._rows.n, self._rows.n)

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of the results."""
        return self._dtype

    @property
    def jacobian(self) -> SoftmaxJacobian:
        """The Jacobian J of softmax of each row, without its weight; 0 in a row that does not count."""
        return self._jacobian_times(np.ones((), self._alpha.dtype))

    @property
    def weight(self) -> NDArray:
        """What J is multiplied by in each row, alpha. It may be negative with z_loss, where logsumexp is."""
        return self._alpha.copy()

    @property
    def z_weight(self) -> NDArray:
        """What p p^T is multiplied by in each row, beta: 0 without z_loss."""
        return self._beta.copy()

    def _jacobian_times(self, weight: NDArray) -> SoftmaxJacobian:
        result = object.__new__(SoftmaxJacobian)
        result._set(self._rows, self._dtype, weight)
        return result

    # -------------------------------------------------------------------------------------------------- products

    def _product(self, x: NDArray) -> NDArray:
        if self._is_weighted_jacobian:
            product: NDArray = self._jacobian_times(self._alpha)._product(x)
            return product
        rows = self._rows
        of_J = self._times_alpha(self._jacobian_times(np.ones((), x.dtype))._product(x))
        along = rows.on_support(rows.p * (self._beta * self._mean(x))[..., None])
        result: NDArray = np.where(self._beta[..., None] == 0.0, of_J, of_J + along)
        return result

    def _times_alpha(self, of_J: NDArray) -> Any:
        """A vector times alpha; what is 0 stays so."""
        return np.where(of_J == 0.0, 0.0, self._alpha[..., None] * of_J)

    def _mean(self, x: NDArray) -> Any:
        """The mean of x under p, from the element at the largest p."""
        if not self._rows.n:
            return np.zeros(np.broadcast_shapes(x.shape[:-1], self.batch_shape), x.dtype)
        on = self._rows.on_support(x)
        at_k = self._rows.at_k(on)
        endless = ~np.isfinite(on).all(axis=-1)
        centred = np.sum(self._rows.on_support(self._rows.p * (on - at_k)), axis=-1)
        plain = np.sum(self._rows.on_support(self._rows.p * on), axis=-1)
        return np.where(endless, plain, at_k[..., 0] + centred)

    def quad(self, v: object) -> Any:
        """Quadratic forms v^T H v of each row, shape (..., n) -> (...): alpha (variance of v) + beta (mean of v)^2.

        That of the whole batch, for a loss that was added up or averaged, is their sum: ``H.quad(v).sum()``.

        >>> from softjac import cross_entropy_hessian
        >>> H = cross_entropy_hessian([[0.0, 0.0], [0.0, 0.0]], [0, 1])
        >>> H.quad([[1.0, -1.0], [2.0, 0.0]])
        array([0.5, 0.5])
        """
        x = _rows.vectors("v", v, self._rows.n, self.batch_shape)
        dtype = _arguments.common_dtype_of(self._dtype, x.dtype)
        x = x.astype(_rows.wide(dtype), copy=False)
        with np.errstate(all="ignore"):
            result = self._times_alpha(_forms.quad(self._rows, _core.ONE, _core.ZERO, x)[..., None])[..., 0]
            if not self._is_weighted_jacobian:
                mean = self._mean(x)
                result = result + np.where(self._beta == 0.0, 0.0, self._beta * mean * mean)
            return np.asarray(result).astype(dtype)[()]

    # --------------------------------------------------------------------------------------------------- entries

    def diagonal(self) -> NDArray:
        """The diagonals alpha p_i (1 - p_i) + beta p_i^2, shape batch_shape + (n,)."""
        with np.errstate(all="ignore"):
            return self._diagonal().astype(self._dtype, copy=False)

    def _diagonal(self) -> NDArray:
        rows = self._rows
        result: NDArray = self._times_alpha(rows.on_support(rows.p * rows.q))
        if not self._is_weighted_jacobian:
            result = result + np.where(self._beta[..., None] == 0.0, 0.0, self._beta[..., None] * rows.p * rows.p)
        return result

    def to_dense(self, out: NDArray | None = None) -> NDArray:
        """All entries, shape batch_shape + (n, n): O(n^2) memory a row, unlike all else here.

        out: an array of that shape and of the operator's dtype.
        """
        _arguments.check_out(out, self.shape, self._dtype)
        dense = np.empty(self.shape, self._dtype) if out is None else out
        rows, classes = self._rows, np.arange(self._rows.n)
        with np.errstate(all="ignore"):
            factor = (self._beta - self._alpha)[..., None, None]
            product = rows.p[..., :, None] * rows.p[..., None, :]
            np.multiply(factor, product, out=product)
            product[~(rows.support[..., :, None] & rows.support[..., None, :])] = 0.0
            product += 0.0  # no -0
            product[..., classes, classes] = self._diagonal()
            dense[...] = product
        return dense

    # -------------------------------------------------------------------------------------------------- equations

    def solve(self, b: object, damping: object = 0.0) -> NDArray:
        """Solve (H + damping I) x = b in each row: x has the least norm among those of least squares.

        b: shape (..., n) -> (..., n). damping: a number of at least 0, or one a row. Without any, and without z_loss, H
        is singular (H 1 = 0), and x is pinv(H) b. A row that does not count gives b / damping, or 0.
        Raises ArgumentError where b is not finite, where damping is negative, and where alpha < 0 and damping together
        make a row singular.
        Naively: ``numpy.linalg.solve`` of each matrix, in O(n^3).
        Source: the closed forms in cross_entropy/_solve.py; run by tests/test_cross_entropy_hessian.py.

        >>> from softjac import cross_entropy_grad, cross_entropy_hessian
        >>> z, label = [0.0, 2.0], 0
        >>> cross_entropy_hessian(z, label).solve(cross_entropy_grad(z, label), damping=0.125)
        array([-2.6293457,  2.6293457])
        """
        right = _rows.right_sides("b", b, self._rows.n, self.batch_shape)
        amount = self._damping(damping)
        if self._is_weighted_jacobian:
            return self._jacobian_times(self._alpha).solve(right, amount)
        with_z = self._beta != 0.0
        weighted = self._jacobian_times(np.where(with_z, 0.0, self._alpha)) if not with_z.all() else None

        def solution(x: NDArray) -> NDArray:
            result = _solve.solve(self._rows.p, x, self._alpha, self._beta, amount)
            return result if weighted is None else np.where(with_z[..., None], result, weighted.solve(x, amount))

        return self._rounded(solution, right)

    def _damping(self, damping: object) -> NDArray:
        amount = _rows.plain("damping", damping)
        if amount.shape not in {(), self.batch_shape}:
            raise ShapeError(
                f"damping has shape {amount.shape}, but the operator has batch_shape {self.batch_shape}: pass one "
                "number, or one for each row."
            )
        if not np.all((amount >= 0.0) & np.isfinite(amount)):
            bad = amount[~((amount >= 0.0) & np.isfinite(amount))].flat[0]
            raise ArgumentError(f"damping is {bad:g}: pass a finite number that is at least 0.")
        return np.asarray(amount.astype(self._rows.p.dtype))

    def __repr__(self) -> str:
        """One line: shape, dtype, and the weights of the rows."""
        text = super().__repr__()
        for name, value in (("weight", self._alpha), ("z_weight", self._beta)):
            if value.size and (name == "weight" or np.any(value != 0.0)):
                low, high = f"{value.min():g}", f"{value.max():g}"
                text = f"{text[:-1]}, {name} {low if low == high else f'{low} to {high}'})"
        return text
