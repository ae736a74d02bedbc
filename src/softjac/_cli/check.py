"""``softjac check``: functions in files, or pasted numbers, held against the exact results; files to be filled in."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from softjac._cli.check_table import written
from softjac._cli.errors import CommandError, did_you_mean, quoted
from softjac._cli.formats import choose_format
from softjac._cli.numerals import cells_of_line, number, parse_lists, whole_number
from softjac._cli.output import destination
from softjac._cli.progress import Progress
from softjac._cli.screen import Screen, progress_is_welcome, screen_of

if TYPE_CHECKING:
    from softjac.check.options import Options
    from softjac.check.report import Report

NAME = "check"
SUFFIX_OF = {"text": ".txt", "markdown": ".md", "json": ".json", "csv": ".csv"}
"""Formats, in the order in which they are listed, and the suffix of each."""
REVEAL = ("hint", "name", "fix")
KINDS = (
    "softmax",
    "log_softmax",
    "logsumexp",
    "softmax_jacobian",
    "softmax_vjp",
    "cross_entropy",
    "cross_entropy_grad",
    "cross_entropy_value_and_grad",
)
"""As in `softjac.check.kinds`, which is not loaded for the help alone; a test compares them."""
HOW = "name a file and its function: softjac check student.py:softmax_jacobian"


@dataclass(frozen=True)
class CheckRequest:
    """What was typed for the command: the data words, and the value of each option, or None."""

    words: list[str] = field(default_factory=list)
    what: str | None = None
    level: str | None = None
    decimals: str | None = None
    reveal: str | None = None
    function: str | None = None
    given: str | None = None
    takes: str | None = None
    reduction: str | None = None
    axis: str | None = None
    time_limit: str | None = None
    memory_limit: str | None = None
    starter: str | None = None
    logits: bool = False
    result: str | None = None
    label: str | None = None
    format: str | None = None
    output: str | None = None

    def perform(self) -> int:
        """Check, write, and return the exit code. Every mistake in the words is found before, and is a CommandError."""
        try:
            if self.starter is not None:
                return self._start()
            form = choose_format(self.format, self.output, SUFFIX_OF)
            reveal = _one_of("--reveal", self.reveal or "name", REVEAL)
            with destination(self.output) as write:
                reports = [self._of_numbers()] if self.logits or self.result is not None else self._of_files()
                screen = screen_of(sys.stdout) if self.output is None else Screen()
                write(written(reports, form, reveal, screen))
        except ImportError as error:
            raise CommandError(str(error)) from None
        return exit_code(reports)

    def _start(self) -> int:
        """Write the file to be filled in."""
        others = {
            name: value
            for name, value in vars(self).items()
            if name not in {"starter", "output"} and value not in (None, False, [])
        }
        if others:
            name = next(iter(others))
            which = "a file" if name == "words" else f"--{name.replace('_', '-')}"
            raise CommandError(f"--starter writes a file to be filled in, and goes without {which}")
        kind = _one_of("--starter", (self.starter or "").replace("-", "_"), KINDS)
        with destination(self.output) as write:
            from softjac.check.front import missing_extra

            try:
                from softjac.check.starter import starter
            except ImportError as error:
                raise missing_extra(error) from None
            write(starter(kind))
        return 0

    def _options(self) -> Options:
        from softjac.check.options import MOST_DECIMALS, options_of

        decimals = whole_number("--decimals", self.decimals, 0, MOST_DECIMALS, f"from 0 to {MOST_DECIMALS}")
        axis = whole_number("--axis", self.axis, -1, 0, "-1 (the rows of a batch) or 0 (its columns)")
        what = None if self.what is None else _one_of("--what", self.what.replace("-", "_"), KINDS)
        return options_of(
            what,
            _one_of("--level", self.level or "exercise", ("exercise", "stable", "exact")),
            4 if decimals is None else decimals,
            self.given and _one_of("--given", self.given, ("logits", "probs")),
            self.takes and _one_of("--takes", self.takes, ("vector", "column", "batch")),
            self.reduction and _one_of("--reduction", self.reduction, ("mean", "sum", "none")),
            -1 if axis is None else axis,
        )

    def _of_files(self) -> list[Report]:
        from softjac.check.front import file_and_name, report_of_file
        from softjac.check.process import MEMORY_LIMIT

        if not self.words:
            raise CommandError(f"{HOW}; -h lists the options")
        if self.label is not None:
            raise CommandError("--label belongs to --logits and --result; a function is asked for many labels")
        seconds = _limit("--time-limit", self.time_limit, "seconds")
        memory = _limit("--memory-limit", self.memory_limit, "gigabytes")
        memory_limit = MEMORY_LIMIT if memory is None else int(memory * 1e9)
        options = self._options()
        if not all(self.words):
            raise CommandError(HOW)
        file, *others = self.words
        if len(others) == 1 and others[0].isidentifier() and not os.path.exists(others[0]) and os.path.exists(file):
            raise CommandError(f"there is no file {others[0]}: did you mean {file}:{others[0]}?")
        places = [(file, name or self.function or "") for file, name in map(file_and_name, self.words)]
        progress = Progress(progress_is_welcome())
        progress.start("checking", len(places))
        reports = []
        try:
            for file, name in places:
                reports.append(report_of_file(file, name, options, seconds, memory_limit))
                progress.advance()
        finally:
            progress.stop()
        return reports

    def _of_numbers(self) -> Report:
        from softjac.check.front import missing_extra

        try:
            from softjac.check.pasted import report_of_numbers
        except ImportError as error:
            raise missing_extra(error) from None
        if not self.logits or self.result is None:
            there, missing = ("--logits", "--result FILE") if self.logits else ("--result", "--logits")
            raise CommandError(f"{there} goes with {missing}: softjac check --logits 2 1 0.1 --result matrix.json")
        place = next((word for word in self.words if _is_a_function(word)), None)
        if place is not None:
            raise CommandError(f"{place} is a function, and --result gives numbers: check one or the other")
        if not self.words:
            raise CommandError(
                "--logits needs numbers, a file of them, or - for standard input: "
                "softjac check --logits 2 1 0.1 --result matrix.json"
            )
        for option, value in (
            ("--level", self.level),
            ("--function", self.function),
            ("--takes", self.takes),
            ("--axis", self.axis),
            ("--time-limit", self.time_limit),
            ("--memory-limit", self.memory_limit),
        ):
            if value is not None:
                raise CommandError(f"{option} is about a function, and --result gives numbers alone")
        if "-" in self.words and self.result == "-":
            raise CommandError("standard input is read once: give --logits as numbers, or --result as a file")
        logits = _logits(self.words)
        label = whole_number("--label", self.label, 0, 10**6, "from 0 (the right class, counted from 0)")
        return report_of_numbers(
            logits,
            _result(self.result),
            self._options(),
            label,
            source=self.result,
            decimals_are_asked=self.decimals is not None,
        )


def exit_code(reports: Sequence[Report]) -> int:
    """2 where one could not run, else 1 where one does not conform, else 0."""
    return max(report.exit_code for report in reports)


def _one_of(option: str, value: str, known: Sequence[str]) -> str:
    if value in known:
        return value
    raise CommandError(f"{option} {quoted(value)}: " + did_you_mean(value, known, f"there are {', '.join(known)}"))


def _limit(option: str, text: str | None, unit: str) -> float | None:
    if text is None:
        return None
    wrong = CommandError(f"{option} is {quoted(text)}, but it is a number of {unit} above 0")
    try:
        value = number(text)
    except CommandError:
        raise wrong from None
    if not 0 < value < 1e6:
        raise wrong
    return value


def _is_a_function(word: str) -> bool:
    """Whether it is the place of one, as student.py:softmax."""
    from softjac.check.front import file_and_name

    return file_and_name(word)[0].lower().endswith(".py")


def _logits(words: Sequence[str]) -> Any:
    from softjac._cli.logits import read_logits

    vectors = read_logits(words, None, None, sys.stdin, Progress(enabled=False)).vectors
    return vectors[0] if len(vectors) == 1 else vectors


def _result(path: str) -> np.ndarray[Any, Any]:
    """The numbers of a .json, .csv or .npy file, or of standard input."""
    from softjac._cli.arrays import read_npy

    if path == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise CommandError("--result - reads standard input, and nothing is piped")
        from softjac._cli.logits import read_stdin

        return _numbers_of(read_stdin(sys.stdin, "standard input"), "standard input")
    try:
        if path.lower().endswith(".npy"):
            found = np.asarray(read_npy(path))
            if found.dtype.kind not in "fiu":
                raise CommandError(f"{path} holds {found.dtype}: numbers are needed, such as float64")
            return found.astype(float)
        with open(path, encoding="utf-8-sig") as file:
            return _numbers_of(file.read(), path)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not text in UTF-8: it may be .json, .csv or .npy") from None


def _numbers_of(text: str, source: str) -> np.ndarray[Any, Any]:
    """JSON, one list in brackets as NumPy prints it, the same in array() or tensor(), or rows as in a .csv file."""
    if not text.strip():
        raise CommandError(f"{source} is empty: the numbers of the result are needed")
    text = _AS_PRINTED.sub(r"\1", text)
    try:
        return _array(json.loads(text), source)
    except (json.JSONDecodeError, RecursionError):
        pass
    if text.lstrip().startswith("["):
        try:
            return np.asarray(parse_lists(text), float)
        except CommandError as error:
            raise CommandError(f"{source}: {error}") from None
    rows = _rows(text, source)
    return np.asarray(rows[0] if len(rows) == 1 else rows)


def _rows(text: str, source: str) -> list[list[float]]:
    """The numbers of each line that has any."""
    rows: list[list[float]] = []
    first = 0
    for count, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        row = []
        for cell in cells_of_line(line):
            try:
                row.append(float(cell))
            except ValueError:
                raise CommandError(
                    f"line {count} of {source}: {quoted(cell.strip())} is no number, and a result is numbers alone"
                ) from None
        if rows and len(row) != len(rows[0]):
            numbers = f"{len(row)} number{'s' * (len(row) != 1)}"
            raise CommandError(f"line {count} of {source} has {numbers}, and line {first} has {len(rows[0])}")
        first = first or count
        rows.append(row)
    if not rows:
        raise CommandError(f"{source} is empty: the numbers of the result are needed")
    return rows


_AS_PRINTED = re.compile(
    r"\A\s*(?:np\.|torch\.|jnp\.)?(?:array|Array|tensor)\((.*?)(?:,\s*[a-z_]+=[^\[\]]*)?\)\s*\Z", re.DOTALL
)
"""A result as it is printed with its type around it: tensor([[0.1]], grad_fn=<...>)."""


def _array(value: object, source: str) -> np.ndarray[Any, Any]:
    try:
        found = np.asarray(value)
    except ValueError:
        raise CommandError(f"{source} has rows of different lengths") from None
    if found.dtype.kind not in "fiu":
        raise CommandError(f"{source} holds what is no number, or nested lists of different lengths")
    return found.astype(float)
