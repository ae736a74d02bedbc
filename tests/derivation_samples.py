"""Chains to test the machinery with: the main results, by both routes, in few lines; and all chains of the content."""

from decimal import Decimal
from functools import lru_cache

from softjac import derivation
from softjac.derivation.blocks import Chain, Line
from softjac.derivation.expressions import (
    Derivative,
    Diagonal,
    Divide,
    Exp,
    Indicator,
    Log,
    Matrix,
    Number,
    Power,
    Sum,
    Symbol,
    Transpose,
    Vector,
)
from softjac.derivation.numbers import arithmetic, number_of
from softjac.derivation.points import reader_point
from softjac.derivation.views import view

S, L = Symbol("S"), Symbol("L")
P, Y, ONES, EYE, JACOBIAN = (Vector(name) for name in ("p", "y", "1", "I", "J"))

RULE = "definition_p"


def z(i):
    return Symbol("z", (i,))


def p(i):
    return Symbol("p", (i,))


def y(i):
    return Symbol("y", (i,))


def e(i):
    return Exp(z(i))


def J(i, j):
    return Symbol("J", (i, j))


def delta(i, j):
    return Indicator(i, j)


def point(*logits, label=None, nudge=None):
    exact = None if nudge is None else tuple(Decimal(x) for x in nudge)
    return reader_point(tuple(Decimal(x) for x in logits), label, exact)


def chain(goal, *lines, **options):
    """Each line an expression; "≈" where it holds rounded numbers."""
    made = []
    for x in lines:
        relation, expression = x if isinstance(x, tuple) else ("=", x)
        made.append(Line(relation, expression, RULE))
    return Chain(goal, tuple(made), **options)


def symbolic(at=None):
    """Chains without numbers, by name."""
    free = {"point": at, "free": ("i", "j")}
    two = at if at is not None and at.n == 2 else None
    moved = Symbol("q", ("i",))
    given = {moved: Divide(Exp(z("i") + Symbol("c")), Sum("l", Exp(z("l") + Symbol("c")))), Symbol("c"): "c"}
    dots = Matrix(
        (
            (p(0) * (1 - p(0)), -p(0) * p(1), None, -p(0) * p("n-1")),
            (-p(1) * p(0), p(1) * (1 - p(1)), None, -p(1) * p("n-1")),
            (None, None, None, None),
            (-p("n-1") * p(0), -p("n-1") * p(1), None, p("n-1") * (1 - p("n-1"))),
        ),
        ((0, 1, None, "n-1"), (0, 1, None, "n-1")),
    )
    return {
        "quotient": chain(
            J("i", "j"),
            Derivative(e("i") / S, z("j")),
            (delta("i", "j") * e("i") * S - e("i") * e("j")) / S**2,
            p("i") * (delta("i", "j") - p("j")),
            **free,
        ),
        "off the diagonal": chain(
            Derivative(p("i"), z("j")), (0 * S - e("i") * e("j")) / S**2, -p("i") * p("j"), where="i!=j", **free
        ),
        "on the diagonal": chain(
            J("i", "j"), (e("i") * S - e("i") * e("i")) / S**2, p("i") * (1 - p("i")), where="i=j", **free
        ),
        "logarithm": chain(
            Derivative(Log(p("i")), z("j")),
            Derivative(z("i") - Log(S), z("j")),
            delta("i", "j") - Derivative(S, z("j")) / S,
            delta("i", "j") - Sum("l", delta("l", "j") * e("l")) / S,
            delta("i", "j") - p("j"),
            **free,
        ),
        "matrix": chain(
            JACOBIAN,
            Diagonal(P) - P * Transpose(P),
            Diagonal(P) * (EYE - ONES * Transpose(P)),
            Derivative(P, Symbol("z")),
            point=at,
        ),
        "matrix with dots": chain(JACOBIAN, dots, point=at),
        "columns": chain(Sum("i", J("i", "j")), p("j") - p("j") * Sum("i", p("i")), Number(0), point=at, free=("j",)),
        "rest": chain(Sum("l", p("l"), "i"), 1 - p("i"), point=at, free=("i",)),
        "shift": chain(moved, p("i"), point=at, free=("i",), given=given),
        "loss": chain(
            Derivative(L, z("j")),
            -Sum("i", y("i") / p("i") * J("i", "j")),
            -Sum("i", y("i") * (delta("i", "j") - p("j"))),
            p("j") - y("j"),
            point=at,
            free=("j",),
        ),
        "Hessian": chain(Derivative(Derivative(L, z("i")), z("j")), J("i", "j"), **free),
        "one-hot": chain(L, -Log(p("y")), Log(S) - z("y"), point=at, label="one-hot"),
        "two classes": chain(J(0, 0), p(0) * p(1), -J(0, 1), Power(p(0), Number(1)) - p(0) ** 2, point=two, size=2),
        "variance": chain(
            Transpose(P) * (JACOBIAN * P), Sum("i", p("i") * (p("i") - Sum("l", p("l") ** 2)) ** 2), point=at
        ),
    }


def numeric(at):
    """Chains with the reader's numbers, by name; needs three classes."""
    if at.n < 3:
        return {}
    factors, result = arithmetic(number_of(p(0), at) * number_of(-p(2), at), number_of(J(0, 2), at))
    literals = [Exp(number_of(z(i), at, None)) for i in range(at.n)]
    rows = range(at.n)
    whole = Matrix(tuple(tuple(number_of(J(i, j), at) for j in rows) for i in rows))
    entries = Matrix(tuple(tuple(J(i, j) for j in rows) for i in rows))
    total = literals[0]
    for term in literals[1:]:
        total = total + term
    return {
        "entry": chain(J(0, 2), -p(0) * p(2), ("≈", factors), ("≈", result), point=at),
        "sum of exponentials": chain(S, total, ("≈", number_of(S, at)), point=at, size=at.n),
        "whole matrix": chain(JACOBIAN, entries, ("≈", whole), point=at),
    }


@lru_cache
def all_chains():
    """Name and chain: every chain of the samples and of the content, in symbols and at several logits.

    A chain that says the same at several logits is there once, with the fewest points at which it is checked.
    """
    at = point("1", "2", "3", label=2)
    found = [(f"symbols: {name}", x) for name, x in symbolic().items()]
    found += [(f"samples: {name}", x) for name, x in {**symbolic(at), **numeric(at)}.items()]
    for title, (function, logits, options) in EXPLAINED.items():
        chains = function(logits, **options).chains
        assert chains
        found += [(f"{title}: {k}", x) for k, x in enumerate(chains)]
    distinct = {}
    for name, x in found:
        said = (x.goal, tuple(line.expression for line in x.lines), x.free, x.where, x.given, x.size, x.label)
        distinct.setdefault(said, (f"{len(distinct)} {name}", x))
    return dict(distinct.values())


explain = derivation.explain
EXPLAINED = {
    "explain()": (explain, None, {}),
    "explain([1, 2, 3])": (explain, [1, 2, 3], {}),
    "explain([1, 2, 3], label, nudge)": (explain, [1, 2, 3], {"label": 2, "nudge": [0.1, 0, 0]}),
    "explain([0.3, -1.1])": (explain, [0.3, -1.1], {"label": 0}),
    "explain([0.5, 0.5, -2, 0.7])": (explain, [0.5, 0.5, -2, 0.7], {"label": 1}),
    "entry, in symbols": (explain, None, {"entry": (0, 2)}),
    "entry (0, 2)": (explain, [1, 2, 3], {"entry": (0, 2)}),
    "entry (1, 1)": (explain, [1, 2, 3], {"entry": (1, 1)}),
    "screen": (view, [1, 2, 3], {}),
    "screen, in symbols": (view, None, {}),
    "view, label, nudge": (view, [1, 2, 3], {"label": 1, "nudge": [0.1, 0, 0], "entry": (2, 0)}),
    "view, by": (view, [1, 2, 3], {"by": "both"}),
}
