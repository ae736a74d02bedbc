"""A candidate that is called in this process, by somebody who trusts it: from Python and in tests."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
from collections.abc import Callable
from typing import Any

from softjac.check import calling, facts, kept
from softjac.check.model import Call, Facts, Outcome

MOST_PRINTED = 2000
"""So many characters of what it prints are kept."""


class InThisProcess:
    """A function, called here. What it prints is kept back; a KeyboardInterrupt goes through.

    There is no limit of time or memory, and what it changes stays changed, but for the functions of a few modules that
    the checker needs: `process.OwnProcess` has the limits.
    """

    def __init__(self, function: Callable[..., object], name: str | None = None) -> None:
        self._function = function
        self._name = name
        self._file = _file_of(function)

    @functools.cached_property
    def facts(self) -> Facts:
        """What is known of it without calling it."""
        return facts_of(self._function, self._name)

    def call(self, call: Call, outputs: int) -> Outcome:
        """Make the call. It never raises for what the candidate does."""
        arguments = [(one.value, one.library, one.read_only) for one in call.arguments]
        printed = _FirstCharacters()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            returned = calling.make_call(
                self._function, arguments, call.keywords, outputs, self._file, kept=kept.Kept()
            )
        return Outcome(
            arrays=tuple(returned.arrays),
            described=returned.described,
            library=returned.library,
            error=returned.error,
            unusable=returned.unusable,
            changed=tuple(returned.changed),
            printed=printed.text,
            printed_length=printed.length,
        )


def facts_of(function: Callable[..., object], name: str | None = None) -> Facts:
    """What is known of a function without calling it."""
    return facts_from(facts.facts_of(function), name)


def facts_from(plain: dict[str, Any], name: str | None = None) -> Facts:
    """Facts made of plain data, as it comes from the process of a candidate."""
    return Facts(
        name=name or str(plain["name"]),
        alias=bool(name) and name != plain["name"],
        wraps=bool(plain["wraps"]),
        parameters=tuple(map(str, plain["parameters"])),
        keywords=frozenset(map(str, plain["keywords"])),
        names=frozenset(map(str, plain["names"])),
        own=frozenset(map(str, plain["own"])),
        libraries=frozenset(map(str, plain["libraries"])),
        source=str(plain["source"]),
    )


def _file_of(function: Callable[..., object]) -> str:
    try:
        return str(inspect.unwrap(function).__code__.co_filename)
    except Exception:  # it has no code, or it resists
        return ""


class _FirstCharacters(io.TextIOBase):
    """Takes all that is written, keeps the first characters of it, and counts."""

    def __init__(self) -> None:
        self.text = ""
        self.length = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if len(self.text) < MOST_PRINTED:
            self.text += text[: MOST_PRINTED - len(self.text)]
        self.length += len(text)
        return len(text)
