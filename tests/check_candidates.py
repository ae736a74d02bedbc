"""Candidates of the tests that are no functions: they answer as they are told, and keep what they were asked."""

from collections.abc import Callable
from typing import Any

from softjac.check.model import Call, Facts, Outcome


class Scripted:
    """Answers each call with what a function makes of it, and writes the calls down."""

    def __init__(self, answer: Callable[[Call], Outcome], facts: Facts | None = None) -> None:
        self.facts = facts or Facts(name="softmax", parameters=("z",))
        self.calls: list[Any] = []
        self._answer = answer

    def call(self, call: Call, outputs: int) -> Outcome:
        assert outputs in {1, 2}
        self.calls.append(call)
        return self._answer(call)
