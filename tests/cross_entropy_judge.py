"""What softjac.cross_entropy promises, as figures, and a judge that holds results against the oracle by them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softjac.check.oracle import Truth
from softjac.check.oracle_losses import Batch
from softjac.check.ulp import format_of
from ulp import Worst

# Ulps and the factor of the scale: narrow dtypes, float64. Once more here, so that a figure cannot drift unseen.
PROMISED = {
    "cross_entropy": ((0.501, 0.0), (1.5, 0.0)),
    "cross_entropy_grad": ((0.501, 0.0), (1.5, 0.0)),
    "cross_entropy_grad_soft": ((0.501, 2.0**-50), (1.5, 2.0**-52)),
}
PROMISED_IN_U = {"cross_entropy_hvp": 4.0}
LOGSUMEXP = (2.0**-50, 2.0**-52)  # the factors of log-sum-exp, whose square z-loss adds
LONGDOUBLE_ULPS = 3.0

Entries = Callable[[int], Iterable[int]]


def budget(quantity: str, dtype: Any) -> tuple[float, float]:
    if quantity in PROMISED_IN_U:
        return 0.0, PROMISED_IN_U[quantity] * format_of(dtype).u
    if dtype == np.longdouble:
        return LONGDOUBLE_ULPS, 4.0 * format_of(dtype).u * quantity.endswith("soft")
    return PROMISED[quantity][dtype == np.float64]


@dataclass
class Judge:
    """The worst of the losses, gradients and Hessian products of many calls."""

    sj: Any
    dtype: Any
    losses: Worst = field(default_factory=Worst)
    gradients: Worst = field(default_factory=Worst)
    products: Worst = field(default_factory=Worst)

    def loss(self, label: object, found: Any, truth: Truth) -> None:
        ulps, _ = budget("cross_entropy", self.dtype)
        fmt = format_of(self.dtype)
        factor = 2.0 * fmt.u if self.dtype == np.longdouble else LOGSUMEXP[self.dtype == np.float64]
        self.losses.add(label, found, truth, fmt, ulps, factor)

    def gradient(self, label: object, found: Any, truth: Truth, *, soft: bool) -> None:
        budgeted = budget("cross_entropy_grad_soft" if soft else "cross_entropy_grad", self.dtype)
        self.gradients.add(label, found, truth, format_of(self.dtype), *budgeted)

    def value_and_grad(
        self, label: object, logits: Any, targets: Any, batch: Batch, entries: Entries | None = None, **options: Any
    ) -> None:
        """One call, with the reduction of the batch; the gradient at some entries of each row."""
        value, gradient = self.sj.cross_entropy_value_and_grad(logits, targets, reduction=batch.reduction, **options)
        assert gradient.dtype == np.asarray(value).dtype == self.dtype
        if batch.reduction == "none":
            assert value.shape == batch.shape[:1]
            for r, truth in enumerate(batch.losses()):
                self.loss((label, "row", r), value[r], truth)
        else:
            assert np.ndim(value) == 0
            self.loss((label, batch.reduction), value, batch.value())
        assert gradient.shape == batch.shape
        for r, row in enumerate(batch.rows):
            for i in range(batch.shape[1]) if entries is None else entries(r):
                soft = row is not None and row.cancels
                self.gradient((label, "row", r, "entry", i), gradient[r, i], batch.grad(r, i), soft=soft)

    def hvp(
        self,
        label: object,
        logits: Any,
        targets: Any,
        tangent: Any,
        batch: Batch,
        entries: Entries | None = None,
        **options: Any,
    ) -> None:
        product = self.sj.cross_entropy_hvp(logits, targets, tangent, reduction=batch.reduction, **options)
        assert product.shape == batch.shape
        assert product.dtype == self.dtype
        fmt = format_of(self.dtype)
        for r in range(batch.shape[0]):
            entry = batch.hvp(r, tangent[r])
            for i in range(batch.shape[1]) if entries is None else entries(r):
                at = (label, "row", r, "entry", i)
                self.products.add(at, product[r, i], entry(i), fmt, *budget("cross_entropy_hvp", self.dtype))

    def check(self, *, losses: int = 0, gradients: int = 0, products: int = 0) -> None:
        """No error above its budget, and at least so many were looked at."""
        for worst, at_least in [(self.losses, losses), (self.gradients, gradients), (self.products, products)]:
            worst.check(at_least=at_least)

    @property
    def outside(self) -> tuple[int, int, int]:
        return self.losses.outside, self.gradients.outside, self.products.outside
