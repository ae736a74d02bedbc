"""What somebody's code puts into modules that all share holds while it runs, and not outside.

`builtins.open = None` or `numpy.asarray = None` would end the checker too, in this process and in a submission's own.
The worker reads this file by its path, so it imports the standard library alone.
"""

from __future__ import annotations

import sys
from typing import Any

MODULES = (
    "base64",
    "builtins",
    "contextlib",
    "dis",
    "functools",
    "inspect",
    "json",
    "json.decoder",
    "json.encoder",
    "math",
    "numpy",
    "numpy.linalg",
    "os",
    "types",
    "warnings",
)
"""Those that the checker calls after a function has run."""

_GONE = object()
_WORKED_WITH = (list, dict, int)
"""What a module itself may put in another's place, as the filters of warnings; it is not kept."""


class Kept:
    """In `with`, the modules are as the code in it left them the last time; afterwards as they were at first.

    What is added to a module stays. The methods use no name of builtins, which may be gone when they run.
    """

    def __init__(self) -> None:
        self._first = [
            (space, {name: value for name, value in space.items() if type(value) not in _WORKED_WITH})
            for space in (vars(sys.modules[name]) for name in MODULES if name in sys.modules)
        ]
        self._changes: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._get_depth, self._set_depth = sys.getrecursionlimit, sys.setrecursionlimit
        self._depth = sys.getrecursionlimit()

    def __enter__(self) -> None:
        for space, changes in self._changes:
            for name, value in changes.items():
                if value is _GONE:
                    del space[name]
                else:
                    space[name] = value

    def __exit__(self, *_: object) -> None:
        self._changes = []
        for space, first in self._first:
            changes = {
                name: space.get(name, _GONE) for name, value in first.items() if space.get(name, _GONE) is not value
            }
            if changes:
                space.update(first)
                self._changes.append((space, changes))
        if self._get_depth() != self._depth:
            self._set_depth(self._depth)
