"""The file of a submission is loaded, and its function found.

The worker reads this file by its path, so it imports the standard library alone.
"""

from __future__ import annotations

import builtins
import difflib  # now, because a neighbour of the submission may have its name
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import types
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

Words: TypeAlias = Callable[[BaseException, str], str]


class RefusalError(Exception):
    """The submission cannot be called; its text says why. out_of_memory: because it needs too much of it."""

    out_of_memory = False


def load(file: str, name: str, words_of_error: Words, kept: AbstractContextManager[None]) -> Any:
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
    try:
        module = _imported(code, file, kept)
    except _PackageError as error:
        words = words_of_error(error.cause, file)
        raise RefusalError(f"its package {error} cannot be imported: {words}") from None
    except BaseException as error:
        refusal = RefusalError(f"it cannot be imported: {words_of_error(error, file)}")
        if issubclass(type(error), MemoryError) or "cannot allocate memory" in str(refusal).lower():
            refusal = RefusalError(words_of_error(error, file))
            refusal.out_of_memory = True
        raise refusal from None
    try:
        return _function_of(module, name)
    except RefusalError:
        raise
    except BaseException as error:
        raise RefusalError(f"{name or 'it'} cannot be looked at: {words_of_error(error, file)}") from None


def _imported(code: types.CodeType, file: str, kept: AbstractContextManager[None]) -> types.ModuleType:
    """The module, made as an import makes it: of the package that it is in, or beside its neighbours."""
    folder, stem = os.path.dirname(file), os.path.splitext(os.path.basename(file))[0]
    outside, packages = _packages_of(folder)
    if not packages:
        name = "submission" if _is_taken(stem, file) else stem
        sys.meta_path.insert(0, _NotTheSubmission(stem, folder))
        sys.path.insert(0, folder)
        return _executed(name, file, code, kept)
    sys.path.insert(0, outside)
    sys.path.append(folder)  # as it would be found where it is run as a script; last, for its modules have any names
    name = ""
    for package in packages:
        outside = os.path.join(outside, package)
        plain = package.replace(".", "_")
        name = f"{name}.{plain}" if name else "submission" if _is_loaded(plain) else plain
        if name not in sys.modules:
            try:
                _executed(name, os.path.join(outside, "__init__.py"), None, kept, outside)
            except BaseException as error:
                raise _PackageError(package, error) from None
    full = name if stem == "__init__" else f"{name}.{stem}"
    return sys.modules[full] if full in sys.modules else _executed(full, file, code, kept)


class _PackageError(Exception):
    """A package that the submission is in cannot be imported."""

    def __init__(self, name: str, cause: BaseException) -> None:
        super().__init__(name)
        self.cause = cause


def _packages_of(folder: str) -> tuple[str, list[str]]:
    """The first folder above that is no package, and the names of the packages in it, the outermost first."""
    packages: list[str] = []
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.basename(folder):
        folder, name = os.path.split(folder)
        packages.insert(0, name)
    return folder, packages


def _executed(
    name: str,
    file: str,
    code: types.CodeType | None,
    kept: AbstractContextManager[None],
    package: str | None = None,
) -> types.ModuleType:
    """A module of that name, known under it. package: the folder, where it is one."""
    loader = importlib.machinery.SourceFileLoader(name, file)  # by name a file without .py has none
    spec = importlib.util.spec_from_file_location(
        name, file, loader=loader, submodule_search_locations=None if package is None else [package]
    )
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__builtins__"] = builtins
    sys.modules[name] = module
    if code is None:
        with open(file, "rb") as source:
            code = compile(source.read(), file, "exec", dont_inherit=True)
    with kept:
        exec(code, module.__dict__)
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)
    return module


def _is_loaded(name: str) -> bool:
    return name in sys.modules or name in sys.stdlib_module_names


def _is_taken(stem: str, file: str) -> bool:
    """Whether an import of that name is one of something else."""
    if _is_loaded(stem) or not stem.isidentifier():
        return True
    try:
        spec = importlib.util.find_spec(stem)
    except Exception:  # of what is installed and broken
        return True
    return spec is not None and spec.origin != file


class _NotTheSubmission:
    """Finds what is installed, in a file that has its name: a torch.py may import torch."""

    def __init__(self, name: str, folder: str) -> None:
        self._name, self._folder = name, folder

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """What an import of the name finds elsewhere."""
        if fullname != self._name:
            return None
        elsewhere = [entry for entry in sys.path if entry != self._folder]
        return importlib.machinery.PathFinder.find_spec(fullname, elsewhere)


def _function_of(module: types.ModuleType, name: str) -> Any:
    own = [
        key
        for key, value in vars(module).items()
        if type(value) is types.FunctionType and value.__module__ == module.__name__ and not key.startswith("_")
    ]
    there_are = (
        f"it has {', '.join(own[:8])}{', ...' if len(own) > 8 else ''}" if own else "the file defines no function"
    )
    if not name:
        if not own:
            raise RefusalError("it has no function of its own, with a name that does not begin with _")
        if len(own) != 1:
            raise RefusalError(f"name a function: {there_are}")
        return getattr(module, own[0])
    found: Any = module
    for part in name.split("."):
        owner = found
        try:
            found = getattr(found, part)
        except AttributeError:
            near = difflib.get_close_matches(name.lower(), [key.lower() for key in own], n=1, cutoff=0.5)
            meant = [key for key in own if key.lower() in near]
            raise RefusalError(
                f"no function {name}: " + (f"did you mean {meant[0]}?" if meant else there_are)
            ) from None
    if not callable(found):
        kind = type(found).__name__
        there = there_are if own else "the file defines none"
        raise RefusalError(f"{name} is a{'n' * (kind[:1].lower() in 'aeiou')} {kind}, and no function; {there}")
    if issubclass(type(found), type):
        made = _instance(found)
        if callable(made):
            return made
        methods = [key for key, value in vars(found).items() if callable(value) and not key.startswith("_")]
        advice = f": name a method, as {name}.{methods[0]}" if methods else ""
        raise RefusalError(f"{name} is a class, and what it makes cannot be called{advice}")
    if issubclass(type(owner), type) and isinstance(inspect.getattr_static(owner, part), types.FunctionType):
        return getattr(_instance(owner), part)
    return found


def _instance(of: type) -> Any:
    """One made without arguments, as Softmax().forward needs it."""
    try:
        return of()
    except Exception as error:
        raise RefusalError(
            f"{of.__name__}() cannot be made without arguments ({type(error).__name__}: {error}): "
            "add a function that makes one, and calls it"
        ) from None
