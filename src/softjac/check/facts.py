"""What is known of somebody's function without calling it: its parameters, the names in its code, its libraries.

Both sides use it, as they do `calling`: the worker reads this file by its path, so it imports the standard library
alone.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import importlib.util
import inspect
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

LIBRARIES = ("torch", "jax")
MOST_NAME = 60
MOST_SOURCE = 20_000


def facts_of(function: Any, own_process: bool = False) -> dict[str, Any]:
    """Plain data for `model.Facts`. own_process: what is loaded here was loaded for the function alone."""
    parameters, keywords = _parameters(function)
    functions = list(_functions_of(function))
    names = {name for one in functions for name in _names(one.__code__)}
    name = _attribute(function, "__name__")
    return {
        "name": name[:MOST_NAME] if type(name) is str and name.isprintable() else "",
        "wraps": inspect.getattr_static(function, "__wrapped__", None) is not None,
        "parameters": parameters,
        "keywords": sorted(keywords),
        "names": sorted(names),
        "own": sorted(_own_names(functions)),
        "source": _source(functions[0]) if functions else "",
        "libraries": ["numpy", *(x for x in LIBRARIES if _uses(function, functions, names, x, own_process))],
    }


def _source(function: types.FunctionType) -> str:
    try:
        source = inspect.getsource(function)
    except Exception:  # there is no file, or it has changed
        return ""
    return source if len(source) <= MOST_SOURCE else ""


def _attribute(value: Any, name: str) -> Any:
    """An attribute, or None where there is none, or none that can be had."""
    try:
        return getattr(value, name)
    except Exception:
        return None


def _parameters(function: Any) -> tuple[list[str], set[str]]:
    try:
        found = inspect.signature(function).parameters.values()
    except Exception:  # some that are written in C do not tell, and an object may raise anything
        return [], set()
    positional = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return positional, {p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _functions_of(function: Any) -> Iterator[types.FunctionType]:
    """It, what it wraps, and the functions of the same module that it calls, each once."""
    waiting: list[Any] = [function]
    seen: set[int] = set()
    home = None
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen or len(seen) > 200 or not callable(one) or issubclass(type(one), type):
            continue
        seen.add(id(one))
        waiting += [inspect.getattr_static(one, name, None) for name in ("__wrapped__", "__func__", "pyfunc")]
        if issubclass(type(one), functools.partial):
            waiting.append(one.func)
        if type(one) is not types.FunctionType:
            call = inspect.getattr_static(type(one), "__call__", None)
            if type(call) is types.FunctionType:
                waiting.append(call)
            continue
        if home is None:
            home = one.__globals__
        if one.__globals__ is not home:
            continue
        yield one
        waiting += _values(one)


def _values(function: types.FunctionType) -> list[Any]:
    """What its code finds in its module and around it."""
    found = [function.__globals__[name] for name in _globals(function.__code__) if name in function.__globals__]
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # it is empty
            found.append(cell.cell_contents)
    return found


def _globals(code: types.CodeType) -> Iterator[str]:
    """Names that are looked up in the module: in `scipy.softmax(z)` that is scipy, and no function softmax."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals(constant)


def _own_names(functions: Sequence[types.FunctionType]) -> set[str]:
    """Names in its code; and in the code of what it hands everything to, where it does nothing else."""
    own = list(functions[:1])
    for one in own:
        code = one.__code__
        called = [value for value in _values(one) if type(value) is types.FunctionType and value in functions]
        others = {*code.co_names, *code.co_freevars}
        if called and len(others) <= len(called):
            own += [value for value in called if value not in own]
    return {name for one in own for name in _names(one.__code__)}


def _names(code: types.CodeType) -> Iterator[str]:
    """Names in the code, of attributes, variables and keywords, and in the functions that it defines."""
    yield from (*code.co_names, *code.co_varnames, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
        elif isinstance(constant, tuple):  # the keywords of a call
            yield from (x for x in constant if isinstance(x, str) and x.isidentifier())


def _uses(function: Any, functions: list[types.FunctionType], names: set[str], library: str, own: bool) -> bool:
    """Whether the function may want arrays of the library, which can be imported here."""
    if library in names and importlib.util.find_spec(library) is not None:
        return True
    if library not in sys.modules:
        return False
    if own or not functions:
        return True
    used = (function, *list(functions[0].__globals__.values()))
    homes = (
        _attribute(value, "__name__" if issubclass(type(value), types.ModuleType) else "__module__") for value in used
    )
    return any(type(home) is str and home.partition(".")[0] == library for home in homes)
