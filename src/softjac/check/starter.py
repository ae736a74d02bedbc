"""A file to be filled in: the statement of a task, a signature, constraints and three worked examples."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np

from softjac.check.cases import inputs_of, numbers
from softjac.check.kinds import KINDS
from softjac.check.model import Array, Inputs
from softjac.check.truths import truth

WIDTH = 79
NOT_WRITTEN = "not written yet"


@dataclass(frozen=True)
class Task:
    """The words of a task. arguments: names, and what each is. returns: what comes back, as a line of text."""

    title: str
    formulas: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    returns: str
    results: tuple[str, ...]


_P = "p[i] = exp(z[i]) / sum over k of exp(z[k])"
_Z = ("z", "n real numbers, the logits: a NumPy array or a list")
_Y = ("y", "the right class, an integer from 0 to n - 1")

TASKS: dict[str, Task] = {
    "softmax": Task("Softmax", (_P,), (_Z,), "n probabilities, whose sum is 1", ("p",)),
    "log_softmax": Task(
        "Log-softmax", ("log p[i] = z[i] - log(sum over k of exp(z[k]))",), (_Z,), "n numbers", ("log p",)
    ),
    "logsumexp": Task("Log-sum-exp", ("lse = log(sum over k of exp(z[k]))",), (_Z,), "one number", ("lse",)),
    "softmax_jacobian": Task(
        "The Jacobian of softmax",
        ("J[i, j] = dp[i]/dz[j] = p[i] * ((1 if i == j else 0) - p[j])", _P),
        (_Z,),
        "an n x n matrix: row i has the derivatives of p[i]",
        ("J",),
    ),
    "softmax_vjp": Task(
        "A gradient taken back through softmax",
        ("dz[i] = sum over j of g[j] * dp[j]/dz[i]", _P),
        (_Z, ("g", "n real numbers, the gradient of some loss with respect to p")),
        "n numbers: the gradient of that loss with respect to z",
        ("dz",),
    ),
    "cross_entropy": Task("Cross-entropy of logits", ("L = -log p[y]", _P), (_Z, _Y), "one number", ("L",)),
    "cross_entropy_grad": Task(
        "The gradient of cross-entropy",
        ("dz[i] = dL/dz[i], where L = -log p[y]", _P),
        (_Z, _Y),
        "n numbers: the gradient with respect to the logits",
        ("dz",),
    ),
    "cross_entropy_value_and_grad": Task(
        "Cross-entropy and its gradient",
        ("L = -log p[y]", "dz[i] = dL/dz[i]", _P),
        (_Z, _Y),
        "a pair: the loss L, and the gradient dz, n numbers",
        ("L", "dz"),
    ),
}

_EXAMPLES = (
    inputs_of([1.0, 2.0, 4.0], cotangent=[1.0, -2.0, 0.5], labels=1),
    inputs_of([0.5, -1.25], cotangent=[2.0, 0.5], labels=0),
    inputs_of([-0.75, 2.5, 0.25, 1.75], cotangent=[0.5, -1.0, 4.0, 2.0], labels=3),
)


def starter(kind: str) -> str:
    """The file, as text of Python; what it has to return is computed in ball arithmetic.

    >>> "raise NotImplementedError" in starter("softmax")
    True
    """
    task = TASKS[kind]
    names = [name for name, _ in task.arguments]
    lines = [
        '"""' + f"{task.title}: write the function below.",
        "",
        *(f"    {formula}" for formula in task.formulas),
        "",
        *_filled(
            "Right to four decimals; any number n of classes, from 1. Arguments are left as they are, nothing is "
            "printed, no library's softmax is called. What is not asked, but good: logits of 1000 that do not overflow "
            "(--level stable), and rows of a batch, (N, n)."
        ),
        "",
        "Three examples, rounded to four decimals:",
        *(line for example in _EXAMPLES for line in ("", *_worked(kind, example))),
        "",
        "Check it, where this file is student.py:",
        "",
        f"    softjac check student.py:{kind}",
        '"""',
        "",
        "import numpy as np",
        "",
        "",
        f"def {kind}({', '.join(names)}):",
        f'    """{task.title}.',
        "",
        *(line for name, what in task.arguments for line in _filled(f"{name}: {what}.", indent=4)),
        *_filled(f"Returns {task.returns}.", indent=4),
        '    """',
        f'    raise NotImplementedError("{NOT_WRITTEN}")',
        "",
    ]
    return "\n".join(lines)


def _filled(text: str, indent: int = 0) -> list[str]:
    blank = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=blank, subsequent_indent=blank + "    " * bool(indent))


def _worked(kind: str, example: Inputs) -> list[str]:
    spec = KINDS[kind]
    lines = [f"    z = {numbers(example.logits)}"]
    if "cotangent" in spec.operands and example.cotangent is not None:
        lines.append(f"    g = {numbers(example.cotangent)}")
    if spec.has_targets and example.labels is not None:
        lines.append(f"    y = {int(example.labels)}")
    for name, exact in zip(TASKS[kind].results, truth(kind, example), strict=True):
        lines += _written(name, exact.value)
    return lines


def _written(name: str, value: Array) -> list[str]:
    """A number, a vector or a matrix with four decimals, after its name."""
    if value.ndim < 2:
        cells = ", ".join(_four(x) for x in np.atleast_1d(value))
        return [f"    {name} = [{cells}]" if value.ndim else f"    {name} = {cells}"]
    rows = [[_four(x) for x in row] for row in value]
    width = max(len(cell) for row in rows for cell in row)
    made = [f"[{', '.join(cell.rjust(width) for cell in row)}]" for row in rows]
    start = f"    {name} = ["
    ends = [","] * (len(made) - 1) + ["]"]
    blank = " " * len(start)
    return [(blank if k else start) + row + end for k, (row, end) in enumerate(zip(made, ends, strict=True))]


def _four(x: float) -> str:
    return f"{round(float(x), 4) + 0.0:.4f}"
