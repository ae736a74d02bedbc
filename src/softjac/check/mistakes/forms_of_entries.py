"""The products of mistakes in sums, in single entries and at the label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from softjac.check.mistakes.of_jacobian import number
from softjac.check.mistakes.recipe import LOSSES
from softjac.check.mistakes.table import Formed
from softjac.check.mistakes.view import Forms, View


def _exponentials(view: View) -> tuple[float, np.ndarray, str]:
    """That of the entry, those of its row, and the name of the row."""
    e = np.exp(view.z[view.row])
    return float(e[view.i]), e, f"z[{view.row[0]}]" if view.row else "z"


def _mean(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax":
        one, e, of = _exponentials(view)
        mean = float(e.mean())
        yield Formed(f"exp({view.name('z')})/mean(exp({of}))", f"{one:.4f}/{mean:.4f}", one / mean)
    if view.s.kind == "logsumexp":
        mean = float(np.exp(view.z[view.row] if view.row else view.z).mean())
        yield Formed("log(mean(exp(z)))", f"log({mean:.4f})", float(np.log(mean)))
    if view.s.kind == "softmax_vjp":
        p, g, mean = float(view.p[view.i]), float(view.g[view.i]), float((view.p * view.g).mean())
        symbols = f"{view.name('p')}*({view.name('g')} - mean(p*g))"
        yield Formed(symbols, f"{number(p)} * ({number(g)} - {number(mean)})", p * (g - mean))


def _loop(view: View) -> Iterator[Formed]:
    if len(view.p) == 1:  # nothing is left of the sum
        return
    if view.s.kind == "softmax":
        one, e, of = _exponentials(view)
        for total, part in ((float(e[:-1].sum()), f"{of}[:-1]"), (float(e[1:].sum()), f"{of}[1:]")):
            yield Formed(f"exp({view.name('z')})/sum(exp({part}))", f"{one:.4f}/{total:.4f}", one / total)
    if view.s.kind == "logsumexp":
        row = view.z[view.row] if view.row else view.z
        for counted, name in ((row[:-1], "z[:-1]"), (row[1:], "z[1:]")):
            total = float(np.exp(counted).sum())
            yield Formed(f"log(sum(exp({name})))", f"log({total:.4f})", float(np.log(total)))


def _running(view: View) -> Iterator[Formed]:
    row = view.z[view.row] if view.row else view.z
    total = float(np.exp(row - np.maximum.accumulate(row)).sum())
    largest = float(row.max())
    if view.s.kind == "softmax":
        shifted = float(np.exp(row[view.i] - largest))
        yield Formed(f"exp({view.name('z')} - m)/total", f"{number(shifted)}/{number(total)}", shifted / total)
    if view.s.kind == "logsumexp":
        yield Formed("m + log(total)", f"{number(largest)} + log({number(total)})", largest + float(np.log(total)))
    if view.s.kind in LOSSES and view.label is not None:
        z = float(row[view.label])
        value = largest + float(np.log(total)) - z
        numbers = f"{number(largest)} + log({number(total)}) - {number(z)}"
        yield Formed(f"m + log(total) - {view.name('z', view.label)}", numbers, value)


def _diagonal_entry(view: View) -> Iterator[Formed]:
    """Of J[i,i]; the index is that of the matrix."""
    if view.s.kind != "softmax_jacobian" or len(view.index) < 2 or view.index[-1] != view.index[-2]:
        return
    p = float(np.asarray(view.all_p[view.index[:-2]])[view.i])
    P, of_p = f"p[{','.join(map(str, view.index[:-1]))}]", number(p)
    for symbols, numbers, value in (
        (f"-{P}*{P}", f"-{of_p} * {of_p}", -p * p),
        (f"1 - {P}*{P}", f"1 - {of_p} * {of_p}", 1 - p * p),
        (f"1 - {P} - {P}*{P}", f"1 - {of_p} - {of_p} * {of_p}", 1 - p - p * p),
        (f"{P}*(1 - {P}) - {P}*{P}", f"{of_p} * (1 - {of_p}) - {of_p} * {of_p}", p * (1 - p) - p * p),
        (P, of_p, p),
        (f"1 - {P}", f"1 - {of_p}", 1 - p),
        (f"{P} + {P}*{P}", f"{of_p} + {of_p} * {of_p}", p + p * p),
    ):
        yield Formed(symbols, numbers, value)


def _brackets(view: View) -> Iterator[Formed]:
    p, g, mean = float(view.p[view.i]), float(view.g[view.i]), float((view.p * view.g).sum())
    P, G = view.name("p"), view.name("g")
    yield Formed(f"{P}*{G} - sum(p*g)", f"{number(p)} * {number(g)} - {number(mean)}", p * g - mean)
    yield Formed(f"{G} - {P}*sum(p*g)", f"{number(g)} - {number(p)} * {number(mean)}", g - p * mean)


def _at_the_label(view: View) -> Iterator[Formed]:
    if len(view.index) == view.z.ndim:
        p, P = float(view.p[view.i]), view.name("p")
        yield view.divided(f"1 - {P}", f"1 - {number(p)}", 1 - p, view.N)
        yield view.divided(f"-{P}", number(-p), -p, view.N)


def _added(view: View) -> Iterator[Formed]:
    if len(view.index) == view.z.ndim:
        p, y = float(view.p[view.i]), float(view.y[view.i])
        yield view.divided(f"{view.name('p')} + {view.name('y')}", f"{number(p)} + {number(y)}", p + y, view.N)


def _of_p(view: View) -> Iterator[Formed]:
    """Of row y of the Jacobian."""
    if len(view.index) != view.z.ndim or view.label is None:
        return
    own, p = float(view.p[view.label]), float(view.p[view.i])
    name, P = view.name("p", view.label), view.name("p")
    for sign, factor in (("-", -1.0), ("", 1.0)):
        if view.i == view.label:
            value = -factor * own * (1 - own)
            front = "" if sign else "-"
            yield view.divided(
                f"{front}{name}*(1 - {name})", f"{front}{number(own)} * (1 - {number(own)})", value, view.N
            )
        else:
            yield view.divided(f"{sign}{name}*{P}", f"{sign}{number(own)} * {number(p)}", factor * own * p, view.N)


def _sum_of_both(view: View) -> Iterator[Formed]:
    total = float(np.exp(view.z[view.row]).sum()) if view.index or view.z.ndim == 1 else np.nan
    lse = float(np.log(total))
    if view.s.kind == "log_softmax":
        z = float(view.z[view.index])
        yield Formed(f"{view.name('z')} + log(sum(exp(z)))", f"{number(z)} + {number(lse)}", z + lse)
    elif view.s.kind in LOSSES and view.label is not None:
        z, Z = float(view.z[view.row][view.label]), view.name("z", view.label)
        yield Formed(f"log(sum(exp(z))) + {Z}", f"{number(lse)} + {number(z)}", lse + z)
        yield Formed(f"-{Z} - log(sum(exp(z)))", f"{number(-z)} - {number(lse)}", -z - lse)


def _of_the_difference(view: View) -> Iterator[Formed]:
    if view.label is not None and not view.index:
        p, P = float(view.p[view.label]), view.name("p", view.label)
        yield Formed(f"-log({P} - 1)", f"-log({number(p)} - 1)", float(np.nan))


FORMS_OF_ENTRIES: dict[str, Forms] = {
    "mean-for-sum": _mean,
    "loop-off-by-one": _loop,
    "running-sum-not-rescaled": _running,
    "wrong-diagonal": _diagonal_entry,
    "brackets-missing": _brackets,
    "label-entry-assigned": _at_the_label,
    "targets-added": _added,
    "outer-derivative-missing": _of_p,
    "sum-for-difference": _sum_of_both,
    "loss-of-the-difference": _of_the_difference,
}
