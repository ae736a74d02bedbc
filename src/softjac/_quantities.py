"""The functions that users call, as data: what each returns and what computes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from softjac import kernels
from softjac._arguments import Layout, Shape
from softjac.kernels import reference


@dataclass(frozen=True, eq=False, repr=False)
class Quantity:
    """One function.

    name: as users call it. result: "same" (the shape of the operands), "row" (one number a row) or "matrix" (n by n a
    row). reference: what defines it. native_name: its name in the compiled core, where that differs.
    many_axes: axis may be a tuple or None. weighted: the second operand, b, broadcasts element by element.
    """

    name: str
    result: Literal["same", "row", "matrix"]
    reference: Callable[..., Any]
    native_name: str = ""
    many_axes: bool = False
    weighted: bool = False

    @property
    def in_core(self) -> Callable[..., Any]:
        """The compiled function, or one that serves nothing."""
        found: Callable[..., Any] = getattr(kernels.native, self.native_name or self.name, _serves_nothing)
        return found

    @property
    def no_weights(self) -> tuple[None, ...]:
        """What stands in the compiled function's arguments for weights that are not there."""
        return (None,) if self.result == "row" and not self.weighted else ()

    def first_of(self, operands: Iterable[str]) -> str:
        """What `where` broadcasts to, in words: the first operand, or logits and weights together."""
        return "logits and b together" if self.weighted else next(iter(operands))

    def shape(self, layout: Layout, *, keepdims: bool) -> Shape:
        """Shape of the result."""
        if self.result == "same":
            return layout.full_shape
        if self.result == "row":
            return layout.kept_shape if keepdims else layout.batch
        return (*layout.batch, layout.n, layout.n)


def _serves_nothing(*_: object) -> Any:
    return NotImplemented


SOFTMAX = Quantity("softmax", "same", reference.softmax, many_axes=True)
LOG_SOFTMAX = Quantity("log_softmax", "same", reference.log_softmax, many_axes=True)
COMPLEMENT = Quantity("softmax_complement", "same", reference.softmax_complement, many_axes=True)
LOGSUMEXP = Quantity("logsumexp", "row", reference.logsumexp, many_axes=True)
WEIGHTED = Quantity("logsumexp", "row", reference.logsumexp_weighted, many_axes=True, weighted=True)
JACOBIAN = Quantity("softmax_jacobian", "matrix", reference.softmax_jacobian)
JVP = Quantity("softmax_jvp", "same", reference.softmax_jvp)
VJP = Quantity("softmax_vjp", "same", reference.softmax_jvp, "softmax_jvp")
VJP_PROBS = Quantity("softmax_vjp", "same", reference.softmax_jvp_probs, "softmax_vjp_probs")
LOG_JVP = Quantity("log_softmax_jvp", "same", reference.log_softmax_jvp)
LOG_VJP = Quantity("log_softmax_vjp", "same", reference.log_softmax_vjp)
LOG_VJP_PROBS = Quantity("log_softmax_vjp", "same", reference.log_softmax_vjp_probs, "log_softmax_vjp_probs")
SECOND = Quantity("softmax_second_derivative", "same", reference.softmax_second_derivative)
