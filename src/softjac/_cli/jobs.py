"""The commands that turn logits into an array: what each computes and how it is shown.

A new command of this kind is one more `Job` in `JOBS`: it gets every way of reading logits, every format and every
message from what is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from softjac._cli.arrays import Array
from softjac._cli.loss_formats import write_loss_csv, write_loss_json, write_loss_latex, write_loss_npy
from softjac._cli.loss_view import LossView
from softjac._cli.machine import write_csv, write_json, write_npy
from softjac._cli.people import write_latex
from softjac._cli.views import JacobianView, ProbabilityView, View
from softjac.jacobian import softmax_jacobian
from softjac.softmax import softmax


@dataclass(frozen=True)
class Writers:
    """What writes the formats that hold all of a result; the others are made of its view."""

    json: Callable[..., Any] = write_json
    csv: Callable[..., Any] = write_csv
    npy: Callable[..., Any] = write_npy
    latex: Callable[..., Any] = write_latex


@dataclass(frozen=True)
class Job:
    """One command: its name, what its help says, ``compute(logits, axis)``, and how the result is shown.

    ``core`` is 1 where a vector gives a vector and 2 where it gives a matrix. ``offer`` is the command offered next,
    in which {} stands for what was typed for the logits. ``has_labels`` says that labels belong to the logits.
    """

    name: str
    summary: str
    in_short: str
    example: str
    compute: Callable[[Array, int], Array]
    core: int
    view: View[Any]
    offer: str
    writers: Writers = Writers()
    has_labels: bool = False


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
CROSS_ENTROPY = Job(
    "cross-entropy",
    "Cross-entropy of logits and the right classes: -log p[label], and its gradient p - y.",
    "Cross-entropy: loss and gradient p - y.",
    "softjac cross-entropy 1 2 3 --label 2",
    softmax,
    core=1,
    view=LossView(),
    offer="softjac cross-entropy {} --format json",
    writers=Writers(write_loss_json, write_loss_csv, write_loss_npy, write_loss_latex),
    has_labels=True,
)
JOBS = (SOFTMAX, JACOBIAN, CROSS_ENTROPY)
