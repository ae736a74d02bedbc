"""How far a result may be from the exact one: the error budgets as data. The tests and the documentation read these.

The error of a result whose exact value is y is at most ulps * ulp(y) + factor * scale. ulp(y) is
2^max(floor(log2|y|) - P + 1, emin - P + 1), and scale is what cancels on the way to y:

    logsumexp                  |m| + log1p(R); with weights |m| + |log T| + (sum of |b_j| e_j) / T
    softmax_jvp, softmax_vjp   p_i (|w_i| + mean of |w|), with w = v - v_k
    log_softmax_jvp            |w_i| + mean of |w|
    log_softmax_vjp            q_i |g_i| + p_i (sum of the other |g_j|)
    softmax_second_derivative  p_i (a_i b_i + mean of a b), a_i = |u_i - u_k| + mean of |u - u_k|, b likewise from v
    cross_entropy_grad_soft    p_j Y + t_j, with the targets t and Y = (sum of t) + 2 z_loss |lse|, times what the row
                               counts
    cross_entropy              with z_loss 2 z_loss |lse| (|m| + log1p R), with the factor of logsumexp
    cross_entropy_hvp          A p_i (|w_i| + mean of |w|) + beta p_i (|v_k| + mean of |w|), with what the row counts
                               times A = T + 2 z_loss (|m| + log1p R) and beta = 2 z_loss
    operator_complement        of SoftmaxJacobian: 1 - p from the rounded p, at the largest the sum of the others
    operator_entries           to_dense, row, diagonal, J[..., i, j]: products of those and of p, plain J

cross_entropy is that of rows, sums and means; cross_entropy_grad is for a class or a one-hot row without smoothing and
z_loss, cross_entropy_grad_soft for all other targets.

Where the budget is a factor alone, half an ulp of a subnormal result and what subnormal probabilities cost come on top.

Both the compiled core and the reference in NumPy hold the same figures; longdouble is the reference's alone. Where a
logarithm is in the result, the reference has that of the C library, taken to be right to an ulp.
Source: held by tests/test_accuracy.py and, for longdouble, tests/test_reference.py; for the operator, by
tests/test_operator_budget.py.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["narrow", "float64", "longdouble"]


@dataclass(frozen=True)
class Budget:
    """Error allowed: ulps * ulp(y) + (of_scale + u_of_scale * u) * scale, with u = 2^-P of the dtype of the result."""

    ulps: float = 0.0
    of_scale: float = 0.0
    u_of_scale: float = 0.0

    def factor(self, P: int) -> float:
        """What multiplies the scale, for a dtype of P bits of precision."""
        return self.of_scale + self.u_of_scale * 2.0**-P


_PRODUCT = Budget(u_of_scale=4.0)

BUDGETS: dict[str, dict[Family, Budget]] = {
    "softmax": {"narrow": Budget(0.501), "float64": Budget(0.6), "longdouble": Budget(3.0)},
    "softmax_complement": {"narrow": Budget(0.501), "float64": Budget(0.6), "longdouble": Budget(3.0)},
    "log_softmax": {"narrow": Budget(0.501), "float64": Budget(1.5), "longdouble": Budget(3.0)},
    "softmax_jacobian": {"narrow": Budget(0.501), "float64": Budget(1.5), "longdouble": Budget(3.0)},
    "logsumexp": {
        "narrow": Budget(0.501, of_scale=2.0**-50),
        "float64": Budget(1.5, of_scale=2.0**-52),
        "longdouble": Budget(3.0, u_of_scale=2.0),
    },
    **{
        name: dict.fromkeys(("narrow", "float64", "longdouble"), _PRODUCT)
        for name in ("softmax_jvp", "softmax_vjp", "log_softmax_jvp", "log_softmax_vjp")
    },
    "cross_entropy": {"narrow": Budget(0.501), "float64": Budget(1.5), "longdouble": Budget(3.0)},
    "cross_entropy_grad": {"narrow": Budget(0.501), "float64": Budget(1.5), "longdouble": Budget(3.0)},
    "cross_entropy_grad_soft": {
        "narrow": Budget(0.501, of_scale=2.0**-50),
        "float64": Budget(1.5, of_scale=2.0**-52),
        "longdouble": Budget(3.0, u_of_scale=2.0),
    },
    "cross_entropy_hvp": dict.fromkeys(("narrow", "float64", "longdouble"), _PRODUCT),
    "operator_complement": {"narrow": Budget(0.501), "float64": Budget(1.5), "longdouble": Budget(4.0)},
    "operator_entries": {"narrow": Budget(0.501), "float64": Budget(2.5), "longdouble": Budget(8.0)},
    "softmax_second_derivative": dict.fromkeys(("narrow", "float64", "longdouble"), Budget(u_of_scale=8.0)),
}


def family(dtype_name: str) -> Family:
    """The family of a dtype, by its name as NumPy has it."""
    if dtype_name in {"float16", "bfloat16", "float32"}:
        return "narrow"
    return "float64" if dtype_name == "float64" else "longdouble"


def budget(dtype_name: str, quantity: str) -> Budget:
    """The budget of a function, or of the operator's results, by its name.

    >>> budget("float64", "softmax").ulps
    0.6
    """
    return BUDGETS[quantity][family(dtype_name)]
