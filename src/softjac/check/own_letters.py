"""The name under which somebody's code keeps the probabilities: reports speak of s[0] to who writes s."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace

from softjac.check.model import Diagnosis, Facts

MOST_LETTERS = 5
"""Longer names would make the products too long for a line."""

_OTHER_FUNCTIONS = re.compile("log|jac|grad|vjp|jvp|deriv|backward|entropy|loss", re.IGNORECASE)
_OF_FORM = frozenset({"array", "asarray", "atleast_2d", "flatten", "ravel", "reshape", "squeeze", "tolist", "list"})


def in_own_letters(diagnoses: Sequence[Diagnosis], kind: str, facts: Facts) -> tuple[Diagnosis, ...]:
    """Diagnoses that say s where they said p, if that is what the code calls the probabilities that it computes.

    Left as they are for softmax, whose result is called p; where the name is long, or not in ASCII, as reports are;
    where it stands in them as something else. Titles are left, since they are the same for a whole class.
    """
    letter = "" if kind == "softmax" else letter_of(facts)
    texts = " ".join(text for d in diagnoses for text in (d.why, *d.symptom, *d.seen, d.experiment, d.fix))
    if not letter or not letter.isascii() or len(letter) > MOST_LETTERS or re.search(rf"(?<![\w']){letter}\b", texts):
        return tuple(diagnoses)

    def said(text: str) -> str:
        return re.sub(r"(?<![\w.'])p\b", letter, text)

    return tuple(
        replace(
            one,
            why=said(one.why),
            symptom=tuple(map(said, one.symptom)),
            seen=tuple(map(said, one.seen)),
            experiment=said(one.experiment),
            fix=said(one.fix),
        )
        for one in diagnoses
    )


def letter_of(facts: Facts) -> str:
    r"""The one variable that is assigned a softmax; "" where there is none, or several.

    >>> letter_of(Facts(source="def f(z):\n    e = exp(z)\n    s = e / e.sum()\n    return diag(s) - outer(s, s)"))
    's'
    """
    try:
        tree = ast.parse(textwrap.dedent(facts.source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    exponentials: set[str] = set()
    sums: set[str] = set()
    found: set[str] = set()
    for name, value in _assignments(tree):
        if _is_softmax(value, exponentials, sums):
            found.add(name)
        elif _is_sum(value, set()):
            sums.add(name)
        elif _calls(value, "exp") or _names(value) & exponentials:
            exponentials.add(name)
    found -= set(facts.parameters)
    return found.pop() if len(found) == 1 else ""


def _assignments(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names and what they are assigned, in the order of the lines; x /= y is x = x / y."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)]
    for node in sorted(nodes, key=lambda node: node.lineno):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if not isinstance(target, ast.Name) or node.value is None:
            continue
        if isinstance(node, ast.AugAssign):
            yield target.id, ast.BinOp(ast.Name(target.id), node.op, node.value)
        else:
            yield target.id, node.value


def _is_softmax(value: ast.expr, exponentials: set[str], sums: set[str]) -> bool:
    """Whether it is softmax(z), or exponentials divided by their sum, perhaps in another form or for each of a list."""
    if isinstance(value, ast.ListComp):
        own = {*exponentials, *(t.id for g in value.generators for t in ast.walk(g.target) if isinstance(t, ast.Name))}
        return _is_softmax(value.elt, own, sums)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
        return _is_sum(value.right, sums) and _is_exponential(value.left, exponentials)
    if isinstance(value, ast.Subscript):
        return _is_softmax(value.value, exponentials, sums)
    if not isinstance(value, ast.Call):
        return False
    name = _name(value.func)
    if name in _OF_FORM:
        inner = value.func.value if isinstance(value.func, ast.Attribute) else None
        inside = [*value.args[:1], *([inner] if inner else [])]
        return any(_is_softmax(one, exponentials, sums) for one in inside)
    return "softmax" in name.lower() and not _OTHER_FUNCTIONS.search(name)


def _is_exponential(value: ast.expr, exponentials: set[str]) -> bool:
    """Whether it is exponentials themselves: not the negative of them, and no other product."""
    if isinstance(value, ast.Subscript):
        return _is_exponential(value.value, exponentials)
    if isinstance(value, ast.Name):
        return value.id in exponentials
    return isinstance(value, ast.Call) and _name(value.func) == "exp"


def _is_sum(value: ast.expr, sums: set[str]) -> bool:
    if isinstance(value, ast.Subscript):
        return _is_sum(value.value, sums)
    if isinstance(value, ast.Name):
        return value.id in sums
    return isinstance(value, ast.Call) and _name(value.func) in {"sum", "fsum", "nansum"}


def _calls(value: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Call) and _name(one.func) == name for one in ast.walk(value))


def _names(value: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
