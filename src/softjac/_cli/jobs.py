"""The commands that turn logits into an array: what each computes and how it is shown.

A new command of this kind is one more `Job` in `JOBS`: it gets every way of reading logits, every format and every
message from what is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softjac._cli.arrays import Array
from softjac._cli.views import JacobianView, ProbabilityView, View
from softjac.jacobian import softmax_jacobian
from softjac.softmax import softmax


@dataclass(frozen=True)
class Job:
    """One command: its name, what its help says, ``compute(logits, axis)``, and how the result is shown.

    ``core`` is 1 where a vector gives a vector and 2 where it gives a matrix. ``offer`` is the command offered next,
    in which {} stands for what was typed for the logits.
    """

    name: str
    summary: str
    in_short: str
    example: str
    compute: Callable[[Array, int], Array]
    core: int
    view: View
    offer: str


SOFTMAX = Job(
    "softmax",
    "Probabilities of logits: p[i] = exp(z[i]) / sum of exp(z).",
    "Probabilities of logits.",
    "softjac softmax 1 2 3 --decimals 6",
    softmax,
    core=1,
    view=ProbabilityView(),
    offer="softjac jacobian {}",
)
JACOBIAN = Job(
    "jacobian",
    "Jacobian of softmax: J[i,j] = dp[i]/dz[j], how each probability changes with each logit.",
    "Jacobian of softmax: dp[i]/dz[j].",
    "softjac jacobian -1 0.5 -2e3 -o jacobian.csv",
    softmax_jacobian,
    core=2,
    view=JacobianView(),
    offer="softjac jacobian {} -o jacobian.tex",
)
JOBS = (SOFTMAX, JACOBIAN)
