"""What to try, as a function is called: with lists, rows, tensors or one-hot targets, its operands in its own order."""

from __future__ import annotations

import ast
import re
from typing import Any

from softjac.check.kinds import KINDS
from softjac.check.model import Convention, Form

_STANDS_FOR = {
    "cross_entropy": {"f": "", "loss": ""},
    "cross_entropy_grad": {"f": "", "grad": ""},
    "cross_entropy_value_and_grad": {"f": "", "value_and_grad": "", "loss": "[0]", "grad": "[1]"},
}
"""Names that an experiment has for the function, and which part of its result they mean."""

_ARRAYS = {"numpy": "np.array({})", "list": "{}", "torch": "torch.tensor({})", "jax": "jax.numpy.array({})"}
_ROW = r"\[[-+.,\de ]*\]"
_NUMBERS = rf"\[(?:[-+.,\de ]|{_ROW})*\]"
_ARRAY = rf"np\.array\({_NUMBERS}\)|{_NUMBERS}"


def stands_for(kind: str) -> tuple[str, ...]:
    """The names that an experiment has for a function of this kind, with all that it returns."""
    return (*(name for name, part in _STANDS_FOR.get(kind, {"f": ""}).items() if not part), kind)


def as_called(line: str, kind: str, convention: Convention) -> str:
    """An experiment in which each call of the function, with numbers or with z, is one that it takes.

    A label that the experiment leaves out is class 0.

    >>> in_rows = Convention(library="torch", forms=("batch",), targets=("one-hot",))
    >>> as_called("print(f(np.array([0.0, 20.0]), 1))   # near 0", "cross_entropy", in_rows)
    'print(f(torch.tensor([[0.0, 20.0]]), torch.tensor([[0.0, 1.0]])))   # near 0'
    """
    whole = "|".join(stands_for(kind))
    every = "|".join((*_STANDS_FOR.get(kind, ()), whole))
    with_numbers = re.compile(rf"(?<![\w.])({every})\(({_ARRAY})(?:, (\d+|{_ARRAY}))?\)")
    with_letters = re.compile(rf"(?<![\w.])({whole})\(([zp](?:\[-1:\])?)(?:, ([yg]))?\)")
    line = with_letters.sub(lambda found: _of_letters(found[1], found[2], kind, convention), line)
    if convention.given == "probs" and not re.search(r"\bp\b", line):
        line = re.sub(r"\bz\b", "p", line)
    if convention.library == "torch":
        line = re.sub(r"\b([zp])\.copy\(\)", r"\1.clone()", line)
    if convention.library == "list":
        line = _of_lists(line)
    return with_numbers.sub(lambda found: _of_numbers(found[1], found[2], found[3], kind, convention), line)


def _of_lists(line: str) -> str:
    """NumPy's functions in place of the methods and operators that lists do not have.

    >>> _of_lists("print(J.sum(axis=1), J - J.T, p.shape)")
    'print(np.sum(J, axis=1), np.subtract(J, np.transpose(J)), np.shape(p))'
    >>> _of_lists("print(f(z, g).sum(axis=-1))")
    'print(np.sum(f(z, g), axis=-1))'
    """
    line = re.sub(
        r"\b(\w+(?:\([\w, =-]*\))?)\.sum\((axis=-?\d)?\)",
        lambda m: f"np.sum({m[1]}{', ' + m[2] if m[2] else ''})",
        line,
    )
    line = line.replace("J - J.T", "np.subtract(J, np.transpose(J))")
    line = re.sub(r"\b(\w+)\.T\.shape", r"np.shape(np.transpose(\1))", line)
    return re.sub(r"\b(\w+)\.shape", r"np.shape(\1)", line)


def _of_letters(name: str, first: str, kind: str, convention: Convention) -> str:
    second = [] if len(KINDS[kind].operands) == 1 else ["y" if KINDS[kind].has_targets else "g"]
    return _call(name, [first, *second], kind, convention)


def _of_numbers(name: str, first: str, second: str | None, kind: str, convention: Convention) -> str:
    values = _value(first)
    operands = [_array(values, convention)]
    n = len(values[0] if isinstance(values[0], list) else values)
    if KINDS[kind].has_targets:
        operands.append(_targets(_value(second or "0"), n, convention))
    elif len(KINDS[kind].operands) == 2:
        operands.append(_array(_value(second) if second else _one_hot(0, n), convention))
    return _call(name, operands, kind, convention)


def _call(name: str, operands: list[str], kind: str, convention: Convention) -> str:
    if convention.swapped:
        operands.reverse()
    if convention.axis_keyword:
        operands = [*operands, f"{convention.axis_keyword}={axis_passed(convention)}"]
    part = _STANDS_FOR.get(kind, {}).get(name, "")
    return f"{'f' if part else name}({', '.join(operands)}){part}"


def axis_passed(convention: Convention) -> int:
    """The axis of the classes, in the form that is written."""
    form = _form(convention)
    return convention.axis if form == "batch" else 0 if form == "column" else -1


def _value(text: str) -> Any:
    return ast.literal_eval(text.removeprefix("np.array(").removesuffix(")"))


def _one_hot(label: int, n: int) -> list[float]:
    return [float(i == label) for i in range(n)]


def _form(convention: Convention) -> Form:
    """The one that is written: a vector, where it takes vectors."""
    return next((form for form in ("vector", "batch", "column") if form in convention.forms), "vector")


def _array(values: list[Any], convention: Convention) -> str:
    form = _form(convention)
    rows = values if isinstance(values[0], list) else [values]
    if form == "column" or convention.axis == 0:
        rows = [list(column) for column in zip(*rows, strict=True)]
    is_matrix = form != "vector" or rows is values or len(rows) > 1
    return _ARRAYS[convention.library].format(rows if is_matrix else values)


def _targets(value: Any, n: int, convention: Convention) -> str:
    """A label or several, or one-hot rows of them, as the function takes its targets."""
    if isinstance(value, list) and isinstance(value[0], float):
        if "one-hot" in convention.targets:
            return _array(value, convention)
        value = value.index(max(value))
    if "index" not in convention.targets:
        rows = [_one_hot(label, n) for label in value] if isinstance(value, list) else _one_hot(value, n)
        return _array(rows, convention)
    if isinstance(value, list) or _form(convention) == "batch":
        return _ARRAYS[convention.library].format(value if isinstance(value, list) else [value])
    return f"torch.tensor({value})" if convention.library == "torch" else f"{value}"
