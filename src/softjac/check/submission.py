"""The file of a submission is loaded, and its function found.

The worker reads this file by its path, so it imports the standard library alone.
"""

from __future__ import annotations

import builtins
import os
import sys
import types
from collections.abc import Callable
from typing import Any, TypeAlias

Words: TypeAlias = Callable[[BaseException, str], str]


class RefusalError(Exception):
    """The submission cannot be called; its text says why."""


def load(file: str, name: str, words_of_error: Words) -> Any:
    """The function of that name in the file, or the only public one. Raises RefusalError."""
    if file.lower().endswith(".ipynb"):
        raise RefusalError("it is a notebook: save it as a Python file (jupyter nbconvert --to script FILE)")
    if file.lower().endswith((".json", ".csv", ".npy", ".npz")):
        raise RefusalError("it is no Python file: numbers go with --result, and --logits with what they are of")
    try:
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec", dont_inherit=True)
    except FileNotFoundError:
        raise RefusalError("there is no such file") from None
    except OSError as error:
        if os.path.isdir(file):
            raise RefusalError("it is a folder: name the files in it, as folder/*.py") from None
        raise RefusalError(f"it cannot be read: {error.strerror or error}") from None
    except SyntaxError as error:
        where = f" (line {error.lineno})" if error.lineno else ""
        raise RefusalError(f"{type(error).__name__}: {error.msg}{where}") from None
    except BaseException as error:
        raise RefusalError(words_of_error(error, file)) from None
    stem = os.path.splitext(os.path.basename(file))[0]
    module = types.ModuleType("submission" if stem in sys.modules or not stem.isidentifier() else stem)
    module.__file__ = file
    module.__dict__["__builtins__"] = builtins
    sys.modules[module.__name__] = module
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        raise RefusalError(f"it cannot be imported: {words_of_error(error, file)}") from None
    return _function_of(module, name)


def _function_of(module: types.ModuleType, name: str) -> Any:
    own = [
        key
        for key, value in vars(module).items()
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__ and not key.startswith("_")
    ]
    there_are = (
        f"it has {', '.join(own[:8])}{', ...' if len(own) > 8 else ''}" if own else "it has no function of its own"
    )
    if not name:
        if not own:
            raise RefusalError("it has no function of its own, with a name that does not begin with _")
        if len(own) != 1:
            raise RefusalError(f"name a function: {there_are}")
        return getattr(module, own[0])
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            import difflib

            near = difflib.get_close_matches(name.lower(), [key.lower() for key in own], n=1, cutoff=0.5)
            meant = [key for key in own if key.lower() in near]
            raise RefusalError(
                f"no function {name}: " + (f"did you mean {meant[0]}?" if meant else there_are)
            ) from None
    if not callable(found):
        raise RefusalError(f"{name} is no function but a {type(found).__name__}: {there_are}")
    return found
