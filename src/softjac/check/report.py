"""What an examination found, for a reader: verdict, mistake, levels, and what was checked."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from softjac.check import report_json, report_lines
from softjac.check.model import LEVELS, Diagnosis, Examination, Judgement, Level
from softjac.check.report_lines import MOST_ULPS
from softjac.errors import ArgumentError

Verdict: TypeAlias = Literal["CONFORMING", "NOT CONFORMING", "COULD NOT RUN"]
Reveal: TypeAlias = Literal["hint", "name", "fix"]
Format: TypeAlias = Literal["text", "markdown", "json"]

EXIT_CODES: dict[Verdict, int] = {"CONFORMING": 0, "NOT CONFORMING": 1, "COULD NOT RUN": 2}


@dataclass(frozen=True, eq=False)
class Report:
    """What `softjac.check` returns; print it, or ask it for one fact.

    examination: all that was asked and answered. diagnoses: causes, the main one first. source: the function, as
    FILE:NAME or by its name. notes: what there is to say about the input. of_numbers: whether numbers were judged that
    somebody had, and no function was called. printed: the first characters that it wrote in its calls, and how many in
    all. printed_at_import: the same while its file was imported. in_python: whether the reader passed a function, and
    gives options as arguments.
    """

    examination: Examination
    diagnoses: tuple[Diagnosis, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()
    of_numbers: bool = False
    printed: tuple[str, int] = ("", 0)
    printed_at_import: tuple[str, int] = ("", 0)
    in_python: bool = False

    @functools.cached_property
    def could_not(self) -> str:
        """Why it could not be checked, or "": it cannot be called, it hangs, or nothing usable ever comes back."""
        if self.examination.could_not:
            return self.examination.could_not
        judgements = self.examination.judgements
        if judgements and all(not j.outcome.arrays for j in judgements):
            return report_lines.trouble(judgements[0])
        return "" if judgements else "nothing was asked"

    @property
    def conforms(self) -> bool:
        """Whether it is right at the level that it is held to."""
        return self.verdict == "CONFORMING"

    @functools.cached_property
    def verdict(self) -> Verdict:
        """CONFORMING, NOT CONFORMING or COULD NOT RUN."""
        if self.could_not:
            return "COULD NOT RUN"
        return "NOT CONFORMING" if self.examination.failed(self.level) else "CONFORMING"

    @property
    def exit_code(self) -> int:
        """0 conforming, 1 not, 2 could not run."""
        return EXIT_CODES[self.verdict]

    @property
    def kind(self) -> str:
        """What it was held to be, as softmax_jacobian; "" where that is not known."""
        return self.examination.kind

    @property
    def level(self) -> Level:
        """The level that the verdict is about."""
        return self.examination.level

    @functools.cached_property
    def levels(self) -> dict[Level, bool]:
        """Each level that was asked, and whether it is reached; of numbers alone, level exercise."""
        held = LEVELS[:1] if self.of_numbers else LEVELS
        return {level: not self.could_not and not self.examination.failed(level) for level in held}

    @property
    def reached(self) -> Level | None:
        """The highest level that is reached."""
        return next((level for level, is_reached in reversed(self.levels.items()) if is_reached), None)

    @property
    def main(self) -> Diagnosis | None:
        """The cause of the verdict, where it is not that all is well."""
        first = next(iter(self.diagnoses), None)
        held = LEVELS[: LEVELS.index(self.level) + 1]
        return first if self.verdict == "NOT CONFORMING" and first and first.level in held else None

    @property
    def mistake(self) -> str | None:
        """The name of the mistake that the verdict is due to; None where there is none, or none that is known."""
        return (self.main.name or None) if self.main else None

    @property
    def also(self) -> tuple[Diagnosis, ...]:
        """What else was found: at other levels, or in forms that it is not held to."""
        return self.diagnoses[1:] if self.main else self.diagnoses

    @functools.cached_property
    def right(self) -> tuple[Judgement, ...]:
        """What it answered rightly, of what is asked up to the highest level that it reaches."""
        upto = LEVELS[: LEVELS.index(self.reached) + 1] if self.reached else ()
        return tuple(j for j in self.examination.judgements if not j.problem and j.probe.level in upto)

    @property
    def largest_error(self) -> float | None:
        """The largest |result - truth| up to the level that is reached; None where none is."""
        return None if self.worst_error is None else self.worst_error.error

    @property
    def largest_ulps(self) -> float | None:
        """The largest in units in the last place of the exact value; None where decimals are the measure."""
        return None if self.worst_ulps is None else self.worst_ulps.ulps

    @functools.cached_property
    def worst_error(self) -> Judgement | None:
        """The answer with the largest error."""
        return max(self.right, key=lambda j: j.error, default=None)

    @functools.cached_property
    def worst_ulps(self) -> Judgement | None:
        """The answer with the most ulps; None where these are so many, as in rounded answers, that they say nothing."""
        worst = None if self.of_numbers else max(self.right, key=lambda j: j.ulps, default=None)
        return worst if worst is not None and (worst.ulps < MOST_ULPS or self.reached == "exact") else None

    @functools.cached_property
    def covered(self) -> dict[str, tuple[int, int]]:
        """Each quality that was asked for: how often it was right, and how often it was asked."""
        counts: dict[str, tuple[int, int]] = {}
        for j in self.examination.judgements:
            right, asked = counts.get(j.quality, (0, 0))
            counts[j.quality] = right + (not j.problem), asked + 1
        return counts

    @property
    def cannot(self) -> tuple[str, ...]:
        """What these questions cannot tell."""
        return report_lines.cannot(self.examination)

    def to(self, form: Format | str, *, reveal: Reveal | str = "name") -> str:
        """The report as text, markdown or json. reveal: hint (symptom, experiment), name (the cause), fix (all).

        Raises ArgumentError for another form or another reveal.
        """
        for name, value, known in (("form", form, Format), ("reveal", reveal, Reveal)):
            if value not in get_args(known):
                raise ArgumentError(f"{name} is {value!r}: pass one of {', '.join(get_args(known))}.")
        if form == "json":
            return report_json.written(self, reveal)
        return report_lines.text(self, reveal) if form == "text" else report_lines.markdown(self, reveal)

    def __str__(self) -> str:
        """The text, 80 columns wide."""
        return self.to("text")

    def __repr__(self) -> str:
        mistake = f", {self.mistake}" if self.mistake else ""
        return f"<Report: {self.verdict}, {self.kind or self.source}, level {self.level}{mistake}>"

    def _repr_markdown_(self) -> str:
        return self.to("markdown")
