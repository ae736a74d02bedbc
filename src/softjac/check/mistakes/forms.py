"""The product that a code with a known mistake forms for one entry, where it is not one of the Jacobian.

Each is shown only where its value is what the candidate returned: a line that does not fit is left out, never shown.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from softjac.check.mistakes.forms_of_entries import FORMS_OF_ENTRIES
from softjac.check.mistakes.of_jacobian import number
from softjac.check.mistakes.table import Formed
from softjac.check.mistakes.view import Forms, View


def _quotient(view: View, of: str, total: float) -> Formed:
    e = float(np.exp(view.z[view.index]))
    return Formed(f"exp({view.name('z')})/sum(exp({of}))", f"{e:.4f}/{total:.4f}", e / total)


def _wrong_axis(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax" and view.z.ndim == 2:
        yield _quotient(view, f"z[:,{view.i}]", float(np.exp(view.z[:, view.i]).sum()))
    if view.s.kind == "softmax_vjp" and view.s.inputs.cotangent is not None:
        column = (view.all_p * view.s.inputs.cotangent)[..., view.i]
        yield _product(view, float(column.sum()), f"sum(p[:,{view.i}]*g[:,{view.i}])")


def _one_sum(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax":
        yield _quotient(view, "z", float(np.exp(view.z).sum()))
    if view.s.kind == "softmax_vjp" and view.s.inputs.cotangent is not None:
        yield _product(view, float((view.all_p * view.s.inputs.cotangent).sum()), "sum(p*g)")  # of all rows


def _rows_mixed(view: View) -> Iterator[Formed]:
    if view.z.ndim != 2 or view.i >= len(view.z):
        return
    if view.s.kind == "softmax":
        yield _quotient(view, f"z[{view.i}]", float(np.exp(view.z[view.i]).sum()))
    if view.s.kind == "softmax_vjp" and view.s.inputs.cotangent is not None:
        mean = float((view.all_p * view.s.inputs.cotangent)[view.i].sum())
        yield _product(view, mean, f"sum(p[{view.i}]*g[{view.i}])")


def _product(view: View, mean: float, of: str = "", sign: str = "-") -> Formed:
    p, g = float(view.p[view.i]), float(view.g[view.i])
    of = of or (f"sum(p[{view.row[0]}]*g[{view.row[0]}])" if view.row else "sum(p*g)")
    value = p * (g - mean if sign == "-" else g + mean)
    return Formed(
        f"{view.name('p')}*({view.name('g')} {sign} {of})", f"{number(p)} * ({number(g)} {sign} {number(mean)})", value
    )


def _twice(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax":
        e = np.exp(view.p)
        of = f"p[{view.row[0]}]" if view.row else "p"
        numbers = f"{e[view.i]:.4f}/{e.sum():.4f}"
        yield Formed(f"exp({view.name('p')})/sum(exp({of}))", numbers, float(e[view.i] / e.sum()))


def _base(view: View) -> Iterator[Formed]:
    for base in (2.0, 10.0):
        log = np.log(base)
        if view.s.kind == "softmax":
            e = base ** view.z[view.row]
            numbers = f"{e[view.i]:.4f}/{e.sum():.4f}"
            yield Formed(f"{base:g}**{view.name('z')}/sum({base:g}**z)", numbers, float(e[view.i] / e.sum()))
        if view.s.kind == "log_softmax":
            p = float(view.p[view.i])
            yield Formed(f"log{base:g}({view.name('p')})", f"log{base:g}({number(p)})", float(np.log(p) / log))
        if view.s.kind in _LOSS and view.label is not None:
            p = float(view.p[view.label])
            symbols = f"-log{base:g}({view.name('p', view.label)})"
            yield Formed(symbols, f"-log{base:g}({number(p)})", float(-np.log(p) / log))


_LOSS = frozenset({"cross_entropy", "cross_entropy_value_and_grad"})


def _loss(inside: str, numbers: str, value: float) -> Formed:
    return Formed(f"-log({inside})", f"-log({numbers})", float(-np.log(value)))


def _epsilon(view: View) -> Iterator[Formed]:
    if view.size is None:
        return
    eps = f"{view.size:.3g}"
    if view.s.kind in _LOSS and view.label is not None:
        p = float(view.p[view.label])
        yield _loss(f"{view.name('p', view.label)} + {eps}", f"{number(p)} + {eps}", p + view.size)
    if view.s.kind == "log_softmax":
        p = float(view.p[view.i])
        value = float(np.log(p + view.size))
        yield Formed(f"log({view.name('p')} + {eps})", f"log({number(p)} + {eps})", value)


def _clip(view: View) -> Iterator[Formed]:
    if view.size is not None and view.s.kind in _LOSS and view.label is not None:
        p, eps = float(view.p[view.label]), f"{view.size:.3g}"
        P = view.name("p", view.label)
        yield _loss(f"max({P}, {eps})", f"max({number(p)}, {eps})", max(p, view.size))


def _log_of_zero(view: View) -> Iterator[Formed]:
    if view.s.kind in _LOSS and view.label is not None:
        p = float(view.p[view.label])
        yield _loss(view.name("p", view.label), number(p), p)
    if view.s.kind == "log_softmax":
        p = float(view.p[view.i])
        yield Formed(f"log({view.name('p')})", f"log({number(p)})", float(np.log(p)))


def _negated(view: View) -> Iterator[Formed]:
    if view.s.kind in _LOSS and view.label is not None:
        p = float(view.p[view.label])
        yield Formed(f"log({view.name('p', view.label)})", f"log({number(p)})", float(np.log(p)))
    if view.s.kind == "softmax_vjp":
        of = _product(view, float((view.p * view.g).sum()))
        yield Formed(f"-{of.symbols}", f"-{of.numbers}", -of.value)


def _binary(view: View) -> Iterator[Formed]:
    if view.s.kind in _LOSS and view.label is not None:
        p = float(view.p[view.label])
        others = float(-np.log(1 - np.delete(view.p, view.label)).sum())
        symbols = f"-log({view.name('p', view.label)}) - sum of log(1 - p) of the others"
        for by in (1, view.s.inputs.n):
            yield view.divided(
                symbols, f"{number(float(-np.log(p)))} + {number(others)}", float(-np.log(p)) + others, by
            )
    elif view.s.kind not in _LOSS:
        p, y = float(view.p[view.i]), float(view.y[view.i])
        P, Y = view.name("p"), view.name("y")
        value = (p - y) / (p * (1 - p))
        numbers = f"({number(p)} - {number(y)})/({number(p)} * (1 - {number(p)}))"
        yield Formed(f"({P} - {Y})/({P}*(1 - {P}))", numbers, value)


def _index_as_one_hot(view: View) -> Iterator[Formed]:
    labels = view.s.labels
    if labels is None:
        return
    label = int(labels[view.row[0]]) if labels.ndim and view.row else int(np.ravel(labels)[0])
    if view.s.kind == "cross_entropy":
        total = float(np.log(view.p).sum())
        yield Formed("-y*sum(log(p))", f"-{label} * {number(total)}", -label * total)
    elif view.s.kind == "cross_entropy_grad":
        p = float(view.p[view.i])
        yield view.divided(f"{view.name('p')} - y", f"{number(p)} - {label}", p - label, view.N)


def _difference(view: View, by: int) -> Formed:
    p, y = float(view.p[view.i]), float(view.y[view.i])
    return view.divided(f"{view.name('p')} - {view.name('y')}", f"{number(p)} - {number(y)}", p - y, by)


def _scaled(view: View) -> Iterator[Formed]:
    if view.s.kind in {"cross_entropy_grad", "cross_entropy_value_and_grad"} and len(view.index) == view.z.ndim:
        N, K = (len(view.z) if view.z.ndim == 2 else 1), view.s.inputs.n
        for by in (1, N * N, N, K, N * K):
            yield _difference(view, by)
    if view.s.kind in _LOSS and view.label is not None:
        p, K = float(view.p[view.label]), view.s.inputs.n
        yield view.divided(f"-log({view.name('p', view.label)})", f"-log({number(p)})", float(-np.log(p)), K)


def _whole_columns(view: View) -> Iterator[Formed]:
    p = float(view.p[view.i])
    for by in (1, len(view.z)):
        yield view.divided(f"{view.name('p')} - 1", f"{number(p)} - 1", p - 1, by)


def _not_added_back(view: View) -> Iterator[Formed]:
    if view.s.kind == "logsumexp":
        row = view.z[view.row] if view.row else view.z
        total = float(np.exp(row - row.max()).sum())
        yield Formed("log(sum(exp(z - m)))", f"log({total:.4f})", float(np.log(total)))


def _diagonal(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax_vjp":
        p, g = float(view.p[view.i]), float(view.g[view.i])
        P = view.name("p")
        yield Formed(
            f"{P}*(1 - {P})*{view.name('g')}", f"{number(p)} * (1 - {number(p)}) * {number(g)}", p * (1 - p) * g
        )


def _elementwise(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax_vjp":
        p, g = float(view.p[view.i]), float(view.g[view.i])
        yield Formed(f"{view.name('p')}*{view.name('g')}", f"{number(p)} * {number(g)}", p * g)


def _plus(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax_vjp":
        yield _product(view, float((view.p * view.g).sum()), sign="+")


def _of_log_softmax(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax_vjp":
        p, g, total = float(view.p[view.i]), float(view.g[view.i]), float(view.g.sum())
        symbols = f"{view.name('g')} - {view.name('p')}*sum(g)"
        yield Formed(symbols, f"{number(g)} - {number(p)} * {number(total)}", g - p * total)
        mean = float((view.p * view.g).sum())
        yield Formed(f"{view.name('g')} - sum(p*g)", f"{number(g)} - {number(mean)}", g - mean)


def _by_columns(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax_vjp":
        p, g, total = float(view.p[view.i]), float(view.g[view.i]), float(view.g.sum())
        P, G = view.name("p"), view.name("g")
        numbers = f"{number(p)} * ({number(g)} - {number(p)} * {number(total)})"
        yield Formed(f"{P}*({G} - {P}*sum(g))", numbers, p * (g - p * total))
        squares = float((view.p * view.p * view.g).sum())
        yield Formed(f"{P}*{G} - sum(p*p*g)", f"{number(p)} * {number(g)} - {number(squares)}", p * g - squares)


def _extra(view: View) -> Iterator[Formed]:
    if len(view.index) != view.z.ndim:
        return
    p, y = float(view.p[view.i]), float(view.y[view.i])
    P, Y = view.name("p"), view.name("y")
    mean = float((view.p * (view.p - view.y)).sum())
    of_p, of_y = number(p), number(y)
    numbers = f"{of_p} * ({of_p} - {of_y} - {number(mean)})"
    yield view.divided(f"{P}*({P} - {Y} - sum(p*(p - y)))", numbers, p * (p - y - mean), view.N)
    numbers = f"({of_p} - {of_y}) * {of_p} * (1 - {of_p})"
    yield view.divided(f"({P} - {Y})*{P}*(1 - {P})", numbers, (p - y) * p * (1 - p), view.N)


def _diagonal_as_gradient(view: View) -> Iterator[Formed]:
    if len(view.index) != view.z.ndim:
        return
    p, y = float(view.p[view.i]), float(view.y[view.i])
    P, Y = view.name("p"), view.name("y")
    of_p = number(p)
    numbers = f"{number(-y)} / {of_p} * {of_p} * (1 - {of_p})"
    yield view.divided(f"-{Y}/{P}*{P}*(1 - {P})", numbers, -y * (1 - p), view.N)
    yield view.divided(f"{P}*(1 - {P})", f"{of_p} * (1 - {of_p})", p * (1 - p), view.N)


def _exponent(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax":
        e = np.exp(-view.z[view.row])
        of = f"z[{view.row[0]}]" if view.row else "z"
        numbers = f"{e[view.i]:.4f}/{e.sum():.4f}"
        yield Formed(f"exp(-{view.name('z')})/sum(exp(-{of}))", numbers, float(e[view.i] / e.sum()))


def _no_exponential(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax":
        row, of = view.z[view.row], f"z[{view.row[0]}]" if view.row else "z"
        value = float(row[view.i] / row.sum())
        yield Formed(f"{view.name('z')}/sum({of})", f"{number(float(row[view.i]))}/{number(float(row.sum()))}", value)


def _of_sigmoid(view: View) -> Iterator[Formed]:
    if view.s.kind == "softmax":
        e = float(np.exp(-view.z[view.index]))
        yield Formed(f"1/(1 + exp(-{view.name('z')}))", f"1/(1 + {number(e)})", 1 / (1 + e))


def _no_logarithm(view: View) -> Iterator[Formed]:
    if view.label is not None:
        p, P = float(view.p[view.label]), view.name("p", view.label)
        yield Formed(f"-{P}", number(-p), -p)
        yield Formed(f"1 - {P}", f"1 - {number(p)}", 1 - p)


def _not_weighted(view: View) -> Iterator[Formed]:
    yield _product(view, float(view.g.sum()), "sum(g)")
    yield _product(view, float(view.g.mean()), "mean(g)")


FORMS: dict[str, Forms] = {
    "negative-exponent": _exponent,
    "no-exponential": _no_exponential,
    "sigmoid": _of_sigmoid,
    "logarithm-missing": _no_logarithm,
    "sum-not-weighted": _not_weighted,
    "wrong-axis": _wrong_axis,
    "one-sum-over-array": _one_sum,
    "rows-mixed": _rows_mixed,
    "softmax-twice": _twice,
    "logarithm-base": _base,
    "epsilon": _epsilon,
    "clip": _clip,
    "log-of-zero": _log_of_zero,
    "negated": _negated,
    "binary-cross-entropy": _binary,
    "index-as-one-hot": _index_as_one_hot,
    "n-missing": _scaled,
    "n-doubled": _scaled,
    "divided-by-classes": _scaled,
    "unnormalised-targets": _scaled,
    "subtracts-from-column": _whole_columns,
    "maximum-not-added-back": _not_added_back,
    "diagonal-only": _diagonal,
    "elementwise-product": _elementwise,
    "off-diagonal-sign": _plus,
    "log-softmax-jacobian": _of_log_softmax,
    "column-formula-1d": _by_columns,
    "extra-jacobian": _extra,
    "diagonal-as-gradient": _diagonal_as_gradient,
    **FORMS_OF_ENTRIES,
}


def formed_as(name: str, view: View, value: float, tolerance: float) -> Formed | None:
    """What a mistake forms for this entry, if that is the number that was returned; else None."""
    if name not in FORMS or (not view.index and view.z.ndim > 1):
        return None
    with np.errstate(all="ignore"):
        for formed in FORMS[name](view):
            same = formed.value == value or bool(np.isnan(formed.value) and np.isnan(value))
            if same or (np.isfinite(value) and abs(formed.value - value) <= tolerance + 1e-6 * abs(value)):
                return formed
    return None
