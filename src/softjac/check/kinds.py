"""The kinds of functions that can be checked, and what they are called: data alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from softjac.check.model import Array, Given, Inputs

Operand: TypeAlias = Literal["logits", "cotangent", "targets"]
Output: TypeAlias = Literal["row", "scalar", "matrix"]


@dataclass(frozen=True)
class Kind:
    """What a function computes.

    outputs: of one row of n classes: a row (n,), a matrix (n, n) or a scalar (). symbols: of the outputs in a report,
    as in J[0,1]. by_probs: whether it may be given probabilities in place of logits.
    """

    name: str
    operands: tuple[Operand, ...]
    outputs: tuple[Output, ...]
    symbols: tuple[str, ...]
    by_probs: bool = False

    @property
    def has_targets(self) -> bool:
        """Whether a label or a distribution is its second operand."""
        return "targets" in self.operands

    @property
    def has_loss(self) -> bool:
        """Whether its first output is a loss, which a batch may reduce to one number."""
        return self.has_targets and self.outputs[0] == "scalar"

    @property
    def has_gradient(self) -> bool:
        """Whether its last output is the gradient of a loss."""
        return self.has_targets and self.outputs[-1] == "row"


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("softmax", ("logits",), ("row",), ("p",)),
        Kind("log_softmax", ("logits",), ("row",), ("log p",)),
        Kind("logsumexp", ("logits",), ("scalar",), ("lse",)),
        Kind("softmax_jacobian", ("logits",), ("matrix",), ("J",), by_probs=True),
        Kind("softmax_vjp", ("logits", "cotangent"), ("row",), ("dz",), by_probs=True),
        Kind("cross_entropy", ("logits", "targets"), ("scalar",), ("L",), by_probs=True),
        Kind("cross_entropy_grad", ("logits", "targets"), ("row",), ("dz",), by_probs=True),
        Kind("cross_entropy_value_and_grad", ("logits", "targets"), ("scalar", "row"), ("L", "dz"), by_probs=True),
    )
}


def output_shape(output: Output, logits_shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an output for logits (n,) or (N, n), before a batch is reduced.

    >>> output_shape("matrix", (4, 3))
    (4, 3, 3)
    """
    if output == "scalar":
        return logits_shape[:-1]
    return logits_shape if output == "row" else (*logits_shape, logits_shape[-1])


def entry_symbol(kind: str, index: tuple[int, ...], output: int = 0, wrt: Given = "logits") -> str:
    """How an entry of an output is written. wrt: to what a gradient is.

    >>> entry_symbol("softmax_jacobian", (0, 1))
    'J[0,1]'
    """
    symbol = KINDS[kind].symbols[output]
    if symbol == "dz" and wrt == "probs" and KINDS[kind].has_targets:
        symbol = "dp"
    if symbol == "log p" and index:
        symbol = "log_p"
    return f"{symbol}[{','.join(map(str, index))}]" if index else symbol


class Product(NamedTuple):
    """An entry as a formula in symbols, and the same formula with its numbers left open as {}, which come after it."""

    symbols: str
    template: str
    numbers: tuple[float, ...]


def right_entry(
    kind: str, inputs: Inputs, index: tuple[int, ...], output: int = 0, wrt: Given = "logits"
) -> Product | None:
    """The right entry of one output, from the probabilities: -p[0]*p[1]. None where no product of numbers says it.

    index: of one row, or of a batch without a reduction; the gradient is that of the sum of the losses, with respect to
    wrt.

    >>> from softjac.check.cases import probes
    >>> right_entry("softmax_jacobian", probes("softmax_jacobian")[0].inputs, (0, 1)).symbols
    '-p[0]*p[1]'
    """
    rows = index[: inputs.logits.ndim - 1]
    if inputs.is_batch and not rows:
        return None
    place = index[len(rows) :]
    p = inputs.probs[rows]
    of_row = "".join(f"{r}," for r in rows)
    spec = KINDS[kind]
    if kind == "softmax":
        i = place[0]
        return Product(f"exp(z[{of_row}{i}] - lse)", "exp({} - lse)", (float(inputs.logits[rows][i]),))
    if kind == "softmax_jacobian":
        i, j = place
        if i == j:
            return Product(f"p[{of_row}{i}]*(1 - p[{of_row}{i}])", "{} * (1 - {})", (float(p[i]), float(p[i])))
        return Product(f"-p[{of_row}{i}]*p[{of_row}{j}]", "-{} * {}", (float(p[i]), float(p[j])))
    if kind == "softmax_vjp" and inputs.cotangent is not None:
        i, g = place[0], inputs.cotangent[rows]
        mean = float((p * g).sum())
        both = f"p[{rows[0]}]*g[{rows[0]}]" if rows else "p*g"
        symbols = f"p[{of_row}{i}]*(g[{of_row}{i}] - sum({both}))"
        return Product(symbols, "{} * ({} - {})", (float(p[i]), float(g[i]), mean))
    if inputs.targets is None or not spec.has_targets:
        return None
    return _right_loss_entry(p, inputs.targets[rows], spec.outputs[output], place, of_row, wrt)


def _right_loss_entry(
    p: Array, targets: Array, output: Output, place: tuple[int, ...], of_row: str, wrt: Given
) -> Product | None:
    chosen = targets.nonzero()[0]
    if output == "scalar":
        if len(chosen) != 1 or targets[chosen[0]] != 1.0:
            return None
        return Product(f"-log(p[{of_row}{chosen[0]}])", "-log({})", (float(p[chosen[0]]),))
    i = place[0]
    if wrt == "probs":
        return Product(f"-y[{of_row}{i}]/p[{of_row}{i}]", "-{} / {}", (float(targets[i]), float(p[i])))
    total = float(targets.sum())
    if total != 1.0:
        symbols = f"sum(y)*p[{of_row}{i}] - y[{of_row}{i}]"
        return Product(symbols, "{} * {} - {}", (total, float(p[i]), float(targets[i])))
    return Product(f"p[{of_row}{i}] - y[{of_row}{i}]", "{} - {}", (float(p[i]), float(targets[i])))
