"""SoftmaxJacobian, the operator that users make."""

from typing import TYPE_CHECKING, Any

import numpy as np

from softjac import _arguments
from softjac._arguments import Axis, NDArray, Shape
from softjac.errors import ArgumentError, DTypeError, ShapeError
from softjac.operator import _core, _entries, _forms, _rows, _sample, _solve, _spectrum
from softjac.operator._base import Symmetric
from softjac.operator._factors import CholeskyFactor, SquareRootFactor
from softjac.operator._inverse import PseudoInverse
from softjac.operator._rows import Rows

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped, unused-ignore]


class SoftmaxJacobian(Symmetric):
    """The Jacobian of softmax, J = diag(p) - p p^T, as an operator: one for each row, without its n x n entries.

    It is the covariance of a categorical draw, the Fisher information of the logits, and the Hessian of log-sum-exp and
    of cross-entropy. ``t * J`` and ``J + t`` (t one number of at least 0, or one a row) are of the same kind, so that
    weighted and damped ones have all that follows; where a formula says J, it means weight * J + damping * I.

    logits: shape (..., n), with the classes along axis (an int); J has shape batch_shape + (n, n).
    where: boolean, broadcasts to logits; an element that is False takes no part, and its row and column of J are 0.
    Computed in float64, or in longdouble for longdouble; results have the dtype of the logits, or what NumPy makes of
    it together with an operand.
    Odd rows: as in `softmax_jacobian`. An element with p = 0 is off the support: its row and column are 0. A row that
    has it all, or is masked out whole, has J = 0. A NaN makes all of its row NaN but what is off the support.
    Raises ShapeError, DTypeError, AxisError, ArgumentError.
    Naively: ``softmax_jacobian(logits)``, and dense linear algebra in O(n^3).
    Source: the closed forms in docs/operator.md; run by tests/test_operator.py.

    >>> J = SoftmaxJacobian([1.0, 2.0, 3.0])
    >>> J
    SoftmaxJacobian(3 x 3, float64)
    >>> J @ [1.0, 0.0, 0.0]
    array([ 0.08192507, -0.02203304, -0.05989202])
    >>> (J + 0.5).solve([1.0, 0.0, 0.0])
    array([1.73908647, 0.09531758, 0.16559595])
    """

    def __init__(self, logits: object, /, axis: Axis = -1, *, where: object = None) -> None:
        with np.errstate(all="ignore"):
            self._set(*_rows.from_logits(logits, axis, where))

    @classmethod
    def from_probs(cls, probs: object, /, axis: Axis = -1, *, where: object = None) -> "SoftmaxJacobian":
        """The same from probabilities.

        probs: shape (..., n). Rows are not negative and sum to 1 within sqrt(eps) of their dtype; they are divided by
        their sum. Exact zeros are off the support. With the logits a confident row keeps more digits.
        Raises ArgumentError with the row and its sum, or the row and the negative element.

        >>> SoftmaxJacobian.from_probs([0.25, 0.75]).to_dense()
        array([[ 0.1875, -0.1875],
               [-0.1875,  0.1875]])
        """
        self = object.__new__(cls)
        with np.errstate(all="ignore"):
            self._set(*_rows.from_probs(probs, axis, where))
        return self

    def _set(self, rows: Rows, dtype: "np.dtype[Any]", weight: object = 1.0, damping: object = 0.0) -> None:
        self._rows, self._dtype = rows, dtype
        self._weight, self._damping = (np.asarray(x, rows.p.dtype) for x in (weight, damping))
        self._is_plain = bool((self._weight == 1.0).all() and not self._damping.any())

    def _with(self, weight: NDArray, damping: NDArray) -> "SoftmaxJacobian":
        other = object.__new__(type(self))
        other._set(self._rows, self._dtype, weight, damping)
        return other

    def _expanded(self) -> "SoftmaxJacobian":
        other = object.__new__(type(self))
        weight, damping = (x[..., None] if x.ndim else x for x in (self._weight, self._damping))
        other._set(self._rows.expanded(), self._dtype, weight, damping)
        return other

    # ------------------------------------------------------------------------------------------------ what it is

    @property
    def batch_shape(self) -> Shape:
        """Shape of the rows: one Jacobian for each."""
        return self._rows.batch

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of one Jacobian, (n, n)."""
        return (self._rows.n, self._rows.n)

    @property
    def dtype(self) -> "np.dtype[Any]":
        """Dtype of the results."""
        return self._dtype

    @property
    def probs(self) -> NDArray:
        """Probabilities p, shape batch_shape + (n,)."""
        return self._out(self._rows.p.copy())

    @property
    def complement(self) -> NDArray:
        """Complements q = 1 - p, shape batch_shape + (n,)."""
        with np.errstate(all="ignore"):
            return self._out(self._rows.q)

    @property
    def weight(self) -> NDArray:
        """What J is multiplied by: one number, or one a row."""
        return self._weight.copy()

    @property
    def damping(self) -> NDArray:
        """What is added to the diagonal: one number, or one a row."""
        return self._damping.copy()

    def __repr__(self) -> str:
        """One line: shape, dtype, and what was multiplied and added."""
        text = super().__repr__()
        for name, value, neutral in (("weight", self._weight, 1.0), ("damping", self._damping, 0.0)):
            if np.any(value != neutral):
                low, high = (_digits(float(x), neutral) for x in (value.min(), value.max()))
                shown = low if low == high else f"{low} to {high}"
                text = f"{text[:-1]}, {name} {shown})"
        return text

    # ------------------------------------------------------------------------------------------------ its family

    def __add__(self, t: object) -> "SoftmaxJacobian":
        """J + t I, t one number of at least 0, or one a row."""
        amount = self._one_a_row("t in J + t", t)
        if amount is None:
            return NotImplemented
        with np.errstate(all="ignore"):
            damping = self._damping + amount
        return self._with(self._weight, _rows.in_range("t in J + t", "damping", amount, damping))

    __radd__ = __add__

    def __mul__(self, t: object) -> "SoftmaxJacobian":
        """J times t, t one number of at least 0, or one a row."""
        amount = self._one_a_row("t in t * J", t)
        if amount is None:
            return NotImplemented
        with np.errstate(all="ignore"):
            weight, damping = self._weight * amount, self._damping * amount
        _rows.in_range("t in t * J", "weight", amount, weight)
        return self._with(weight, _rows.in_range("t in t * J", "damping", amount, damping))

    __rmul__ = __mul__

    def _one_a_row(self, name: str, t: object) -> NDArray | None:
        if type(t) is float and 0.0 <= t < np.inf:
            return np.asarray(t, self._rows.p.dtype)
        if isinstance(t, Symmetric):
            return None
        number = _rows.plain(name, t)
        try:
            fits = np.broadcast_shapes(number.shape, self.batch_shape) == self.batch_shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(
                f"{name} has shape {number.shape}, but the operator has batch_shape {self.batch_shape}: pass one "
                "number, or one for each row."
            )
        if not np.all((number >= 0.0) & np.isfinite(number)):
            bad = number[~((number >= 0.0) & np.isfinite(number))].flat[0]
            raise ArgumentError(f"{name} is {bad:g}: pass a finite number that is at least 0.")
        with np.errstate(all="ignore"):
            return _rows.in_range(name, "number", number, number.astype(self._rows.p.dtype))

    # -------------------------------------------------------------------------------------------------- products

    def _product(self, x: NDArray) -> Any:
        return _core.rows_of("product", _forms.product, self._rows, self._weight, self._damping, x)

    def _weighted(self, of_J: NDArray, of_identity: Any) -> Any:
        return _forms.weighted(self._rows, self._weight, self._damping, of_J, of_identity)

    def quad(self, v: object) -> Any:
        """Quadratic forms v^T J v = sum of p_i (v_i - vbar)^2, never negative. Shape (..., n) -> (...).

        >>> float(SoftmaxJacobian([0.0, 0.0]).quad([1.0, -1.0]))
        1.0
        """
        x = _rows.vectors("v", v, self._rows.n, self.batch_shape)
        dtype = _arguments.common_dtype_of(self._dtype, x.dtype)
        x = x.astype(_rows.wide(dtype), copy=False)
        with np.errstate(all="ignore"):
            result = _forms.quad(self._rows, self._weight, self._damping, x)
            return result.astype(dtype, copy=False)[()]

    def sandwich(self, a: object) -> NDArray:
        """A J A^T for matrices A, shape (..., m, n) -> (..., m, m): the covariance of A y (the delta method).

        >>> SoftmaxJacobian([0.0, 0.0]).sandwich([[1.0, -1.0]])
        array([[1.]])
        """
        x = _rows.vectors("a", a, self._rows.n, self.batch_shape, core=2)
        dtype = _arguments.common_dtype_of(self._dtype, x.dtype)
        with np.errstate(all="ignore"):
            matrix = x.astype(_rows.wide(dtype), copy=False)
            result: NDArray = _forms.sandwich(self._rows, matrix)
            if not self._is_plain:
                result = self._weight[..., None, None] * result
            if np.any(self._damping > 0.0):
                damping = self._damping[..., None, None]
                result += np.where(damping > 0.0, damping * (matrix @ np.swapaxes(matrix, -1, -2)), 0.0)
            return result.astype(dtype, copy=False)

    # --------------------------------------------------------------------------------------------------- entries

    def diagonal(self) -> NDArray:
        """The diagonals p_i (1 - p_i), shape batch_shape + (n,)."""
        with np.errstate(all="ignore"):
            return self._out(self._diagonal())

    def _diagonal(self) -> Any:
        result = _forms.diagonal(self._rows)
        return result if self._is_plain else self._weighted(result, 1.0)

    def trace(self) -> Any:
        """The traces, shape batch_shape."""
        with np.errstate(all="ignore"):
            return self._out(self._trace())[()]

    def _trace(self) -> Any:
        return _core.rows_of("trace", _forms.trace, self._rows, self._weight, self._damping)

    def row(self, i: object) -> NDArray:
        """Row i of each Jacobian, shape batch_shape + (n,). Raises BoundsError."""
        index = _entries.class_number("i", i, self._rows.n)
        with np.errstate(all="ignore"):
            result = _entries.row(self._rows, index)
            if not self._is_plain:
                identity = np.zeros(self._rows.n, self._rows.p.dtype)
                identity[index] = 1.0
                result = self._weighted(result, identity)
            return self._out(result + 0.0)  # no -0

    def __getitem__(self, index: Any) -> Any:
        """Entries J[..., i, j]: i and j ints or arrays of ints, whatever comes before goes to the batch."""
        if not isinstance(index, tuple) or len(index) < 2:
            raise DTypeError(
                "an entry of the operator is J[..., i, j]: for more than entries, use row(i) or to_dense()."
            )
        with np.errstate(all="ignore"):
            return self._out(_entries.entries(self._rows, self._weight, self._damping, index))[()]

    def to_dense(self, out: NDArray | None = None) -> NDArray:
        """All entries, shape batch_shape + (n, n): O(n^2) memory, unlike all else here but `eigh`.

        out: an array of that shape and of the operator's dtype.
        """
        _arguments.check_out(out, self.shape, self._dtype)
        dense = np.empty(self.shape, self._dtype) if out is None else out
        classes = np.arange(self._rows.n)
        with np.errstate(all="ignore"):
            for start, block in _entries.blocks(self._rows, None if self._is_plain else self._weight):
                dense[..., start : start + block.shape[-2], :] = block
            dense[..., classes, classes] = self._diagonal()
        return dense

    # ----------------------------------------------------------------------------------- equations and factors

    def solve(self, b: object, damping: object = 0.0) -> NDArray:
        """Solve (J + damping) x = b: x has the least norm among those of least squares. Shape (..., n) -> (..., n).

        damping: a number of at least 0, or one a row, on top of what was added with J + t. Without any, J is singular
        (J 1 = 0): x is pinv(J) b, on the support. With some there is one x, and off the support it is b / damping.
        Raises ArgumentError where damping is negative, or b not finite where it is read: without damping that is on the
        support.
        Naively: ``np.linalg.lstsq(J, b)``, in O(n^3), which loses small probabilities.
        Source: docs/operator.md; run by tests/test_operator_exact.py.

        >>> SoftmaxJacobian([0.0, 0.0]).solve([1.0, 0.0])
        array([ 1., -1.])
        """
        x = _rows.vectors("b", b, self._rows.n, self.batch_shape)
        amount = self._one_a_row("damping", damping)
        if amount is None:
            raise DTypeError("damping is an operator: pass a number, or one a row.")
        with np.errstate(all="ignore"):
            total = _rows.in_range("damping", "damping of the operator", amount, self._damping + amount)

        def check() -> None:
            _rows.check_finite("b", x, _solve.is_read(self._rows, total))

        return self._rounded(lambda v: _solve.solve(self._rows, v, self._weight, total, check), x)

    def pinv(self) -> PseudoInverse:
        """The pseudo-inverse as an operator: on the support P diag(1/p) P with P = I - 1 1^T / n."""
        return PseudoInverse(self._rows, self._weight, self._damping, self._dtype)

    def sqrt_factor(self) -> SquareRootFactor:
        """A factor F with F F^T = J as an operator: (I - p 1^T) diag(sqrt p), n x n, with damping n x 2n."""
        return SquareRootFactor(self._rows, self._weight, self._damping, self._dtype)

    def cholesky(self) -> CholeskyFactor:
        """The lower triangular factor L with L L^T = J as an operator of O(n) numbers."""
        with np.errstate(all="ignore"):
            return CholeskyFactor.of(self._rows, self._weight, self._damping, self._dtype)

    def sample(self, size: Any = None, rng: Any = None) -> NDArray:
        """Draws from the normal distribution N(0, J), shape size + batch_shape + (n,).

        size: None for one, an int, or a tuple. rng: a numpy.random.Generator, or a seed for a new one.
        """
        factor = self.sqrt_factor()
        noise = _sample.noise(size, rng, (*self.batch_shape, factor.matrix_shape[1]))
        with np.errstate(all="ignore"):
            return self._out(factor._product(noise.astype(self._rows.p.dtype, copy=False)))

    # -------------------------------------------------------------------------------------------------- spectrum

    def logpdet(self) -> Any:
        """Logarithms of the pseudo-determinants, the products of the eigenvalues that are not 0. Shape batch_shape.

        On a support of m elements that is log m + sum of log p; 0 for J = 0.

        >>> bool(SoftmaxJacobian([0.0, 0.0]).logpdet() == -np.log(2.0))
        True
        """
        with np.errstate(all="ignore"):
            return self._out(_spectrum.logpdet(self._rows, self._weight, self._damping))[()]

    def rank(self) -> Any:
        """Ranks, shape batch_shape: the size of the support less 1; n with damping; 0 for J = 0.

        Integers: a row of NaN counts by the elements that are not off the support.
        """
        of_J = np.where(self._weight > 0.0, np.maximum(self._rows.size - 1, 0), 0)
        return np.where(self._damping > 0.0, self._rows.n, of_J)[()]

    def eigvalsh(self) -> NDArray:
        """Eigenvalues in ascending order, shape batch_shape + (n,): 0 exactly, and one between each two of sorted p.

        In O(n^2) time for a row.

        >>> SoftmaxJacobian([0.0, 0.0, 0.0]).eigvalsh()
        array([0.        , 0.33333333, 0.33333333])
        """
        with np.errstate(all="ignore"):
            values = _spectrum.eigenvalues(self._rows)
            return self._out(values if self._is_plain else self._weighted(values, 1.0))

    def eigh(self) -> tuple[NDArray, NDArray]:
        """Eigenvalues in ascending order, and orthonormal eigenvectors as columns, shape batch_shape + (n, n)."""
        with np.errstate(all="ignore"):
            values, vectors = _spectrum.eigenvectors(self._rows)
            values = values if self._is_plain else self._weighted(values, 1.0)
            return self._out(values), self._out(vectors)

    def norm(self, ord: Any = 2) -> Any:  # noqa: A002 - numpy.linalg.norm calls it so
        """Norms, shape batch_shape: 2 the largest eigenvalue, "fro", "nuc" the trace, np.inf the largest row sum.

        In O(n) for each of them. Raises ArgumentError for another ord.
        """
        with np.errstate(all="ignore"):
            if not isinstance(ord, str | float | int | np.integer | np.floating):
                raise ArgumentError(f'ord is {ord!r}: pass 2, "fro", "nuc" or numpy.inf.')
            if ord == 2:
                result = self._weight * _spectrum.largest(self._rows) + self._damping * (self._rows.n > 0)
            elif ord == "nuc":
                result = self._trace()
            elif ord == "fro":
                result = _spectrum.frobenius(self._rows, self._weight, self._damping)
            elif ord == np.inf:
                off = self._rows.on_support(self._rows.p * self._rows.q)
                sums = off + off if self._is_plain else self._weighted(off + off, 1.0)
                result = np.max(sums, axis=-1, initial=0.0)
            else:
                raise ArgumentError(f'ord is {ord!r}: pass 2, "fro", "nuc" or numpy.inf.')
            return self._out(np.asarray(result))[()]

    def as_linear_operator(self) -> "LinearOperator":
        """A scipy.sparse.linalg.LinearOperator, for SciPy's solvers. Raises ShapeError for a batch."""
        if self.batch_shape:
            raise ShapeError(
                f"batch_shape is {self.batch_shape}, but a LinearOperator is one matrix: make an operator of one row."
            )
        from softjac.operator.scipy import linear_operator

        return linear_operator(self)

    def _out(self, x: NDArray) -> NDArray:
        with np.errstate(all="ignore"):
            result: NDArray = x.astype(self._dtype, copy=False)
        return result


def _digits(x: float, neutral: float) -> str:
    """A number with 6 digits, or with all where it would read like the neutral one."""
    short = f"{x:g}"
    return repr(x) if x != neutral and float(short) == neutral else short
