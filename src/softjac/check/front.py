"""`softjac.check(...)`, and the same as an assertion: what is passed is checked, then the function is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from softjac.check.as_called import as_called
from softjac.check.candidate import InThisProcess
from softjac.check.model import (
    Call,
    Candidate,
    Convention,
    Examination,
    Form,
    Given,
    Level,
    Outcome,
    Reduction,
    TargetForm,
)
from softjac.check.options import Axis, Options, options_of
from softjac.check.own_letters import in_own_letters
from softjac.check.own_names import in_own_names
from softjac.check.process import MEMORY_LIMIT, OwnProcess
from softjac.check.report import Report
from softjac.errors import ArgumentError, DTypeError

Function: TypeAlias = Callable[..., Any]
MISSING_EXTRA = "checking needs one more package, python-flint: pip install 'softjac[check]'"


def check(
    function: Function | str | os.PathLike[str],
    what: str | None = None,
    *,
    level: Level = "exercise",
    decimals: int = 4,
    given: Given | None = None,
    takes: Form | None = None,
    reduction: Reduction | None = None,
    axis: Axis = -1,
    time_limit: float | None = None,
    memory_limit: float | None = None,
) -> Report:
    """Hold a function against the exact results, and name its mistake.

    function: called in this process; or "FILE:NAME", called in a process of its own with the limits. what: the kind, as
    "softmax_jacobian" (`kind_names()` has all); guessed from the name by default. level: "exercise" (right to so many
    decimals on ordinary input), "stable" (large logits, rows far apart, -inf) or "exact" (softjac's own error budget).
    given: "logits" or "probs". takes: "vector", "column" or "batch", found by trying by default. reduction: of the
    losses of a batch. axis: 0 where the classes of a batch run down its columns. time_limit: seconds for all calls, 30,
    or 120 where its code uses JAX. memory_limit: gigabytes, 2; neither holds for a function that is called here, and on
    Windows there is none of memory. A process of its own is no sandbox: check code that you would run. Raises
    ArgumentError for an option that there is not, ImportError without python-flint.
    Source: docs/check.md; the results are those of `softjac.check.oracle`, in ball arithmetic.

    >>> import numpy as np
    >>> report = check(lambda z: np.exp(z) / np.exp(z).sum(), "softmax", level="stable")
    >>> report.verdict, report.mistake
    ('NOT CONFORMING', 'no-maximum-subtracted')
    """
    options = options_of(what, level, decimals, given, takes, reduction, axis)
    if not callable(function) and isinstance(function, str | os.PathLike):
        file, name = file_and_name(os.fspath(function))
        seconds = None if time_limit is None else _positive("time_limit", time_limit)
        memory = _positive("memory_limit", MEMORY_LIMIT / 1e9 if memory_limit is None else memory_limit)
        return report_of_file(file, name, options, seconds, int(memory * 1e9))
    called = called_here(function)
    for argument, value in (("time_limit", time_limit), ("memory_limit", memory_limit)):
        if value is not None:
            raise ArgumentError(
                f'{argument} is {value!r}, but a function is called in this process, without limits: pass "FILE:NAME", '
                f"or leave {argument} out."
            )
    return report_of(InThisProcess(called), options)


def called_here(function: object) -> Function:
    """The function. Raises DTypeError for what is none, and no place of one."""
    if not callable(function):
        raise DTypeError(f'function is {function!r}: pass a function, or its place as "FILE:NAME".')
    return function


def assert_conforms(
    function: Function | str | os.PathLike[str],
    what: str | None = None,
    level: Level = "exercise",
    *,
    decimals: int = 4,
    given: Given | None = None,
    takes: Form | None = None,
    reduction: Reduction | None = None,
    axis: Axis = -1,
    time_limit: float | None = None,
    memory_limit: float | None = None,
) -> None:
    """Raise AssertionError, with the report as its text, unless the function conforms.

    Arguments, and the errors that they raise, as for `check`. Source: docs/check.md.

    >>> import softjac
    >>> assert_conforms(softjac.softmax, "softmax", level="exact")
    """
    __tracebackhide__ = True
    report = check(
        function,
        what,
        level=level,
        decimals=decimals,
        given=given,
        takes=takes,
        reduction=reduction,
        axis=axis,
        time_limit=time_limit,
        memory_limit=memory_limit,
    )
    if not report.conforms:
        raise AssertionError(str(report))


def report_of(candidate: Candidate, options: Options, source: str = "") -> Report:
    """Examine, diagnose, report."""
    try:
        from softjac.check.diagnose import diagnose
        from softjac.check.judge import examine
    except ImportError as error:
        raise missing_extra(error) from None
    listener, facts = _Listener(candidate), candidate.facts
    examination, diagnoses = diagnose(examine(listener, options), facts.names)
    other = _other_targets(examination)
    if other and diagnoses and not diagnoses[0].name and diagnoses[0].level == "exercise":
        asked = replace(options, what=examination.kind, targets=other)
        again = replace(examine(listener, asked), guessed=examination.guessed)
        again, causes = diagnose(again, facts.names, thorough=False)
        if causes and causes[0].name:  # in this form its mistake is known: it was made for targets like these
            examination, diagnoses = again, causes
    found = Report(
        examination,
        source=source or facts.name,
        printed=(listener.start, listener.length),
        printed_at_import=(facts.printed, facts.printed_length),
        in_python=isinstance(candidate, InThisProcess),
    )
    if found.could_not:
        return found
    kind, convention = examination.kind, examination.convention

    def tried(line: str) -> str:
        return in_own_names(as_called(line, kind, convention), kind, facts, convention)

    called = tuple(replace(d, experiment=tried(d.experiment)) for d in diagnoses)
    return replace(found, diagnoses=in_own_letters(called, kind, facts))


def _other_targets(examination: Examination) -> TargetForm | None:
    """The form of targets that it was not asked in, where it was asked in one alone."""
    targets = examination.convention.targets
    if examination.could_not or len(targets) != 1:
        return None
    return "index" if targets[0] == "one-hot" else "one-hot"


class _Listener:
    """A candidate, and what it prints in all calls: also in those that no question comes of."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate, self.facts = candidate, candidate.facts
        self.start, self.length = "", 0

    def call(self, call: Call, outputs: int) -> Outcome:
        """Make the call."""
        outcome = self._candidate.call(call, outputs)
        self.start = self.start or outcome.printed
        self.length += outcome.printed_length
        return outcome


def report_of_file(file: str, name: str, options: Options, time_limit: float | None, memory_limit: int) -> Report:
    """The same for a function of a file, in its own process. time_limit: seconds, or None. memory_limit: bytes."""
    source = f"{file}:{name}" if name else file
    with OwnProcess(file, name, time_limit=time_limit, memory_limit=memory_limit) as candidate:
        if candidate.could_not:
            kind = options.what or ""
            nothing = Examination(kind, "", options.level, options.decimals, Convention(), (), (), candidate.could_not)
            facts = candidate.facts
            return Report(nothing, source=source, printed_at_import=(facts.printed, facts.printed_length))
        if not name:
            source = f"{file}:{candidate.facts.name}"
        return report_of(candidate, options, source)


def file_and_name(text: str) -> tuple[str, str]:
    """FILE:NAME split at the last colon; the name is "" where there is none.

    >>> file_and_name("a b:c.py:softmax"), file_and_name("student.py")
    (('a b:c.py', 'softmax'), ('student.py', ''))
    >>> file_and_name("student.py:")
    ('student.py', '')
    """
    file, colon, name = text.rpartition(":")
    if colon and not name.strip() and not os.path.exists(text):
        return file, ""
    if not file or os.path.exists(text) or not all(part.isidentifier() for part in name.split(".")):
        return text, ""
    return file, name


def missing_extra(error: ImportError) -> ImportError:
    """What to raise for an import that failed: the advice, where python-flint is what is missing."""
    return ImportError(MISSING_EXTRA) if (error.name or "").partition(".")[0] == "flint" else error


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        unit = "seconds" if name == "time_limit" else "gigabytes"
        raise ArgumentError(f"{name} is {value!r}: pass a number of {unit} above 0, and below 1e6.")
    return float(value)
