"""Ways to call a candidate, each tried once, and what came of it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from softjac.check.cases import probes
from softjac.check.compare import gradient_first, gradient_of, in_order, judge, readings
from softjac.check.dress import dress
from softjac.check.kinds import KINDS
from softjac.check.model import (
    Candidate,
    Convention,
    Form,
    Given,
    Judgement,
    Library,
    Outcome,
    Probe,
    TargetForm,
)
from softjac.check.options import Options, stated

Dtype: TypeAlias = Literal["float64", "float32"]


class Way(NamedTuple):
    """One way to call it."""

    library: Library
    form: Form
    dtype: Dtype
    given: Given
    swapped: bool
    targets: TargetForm | None
    keyword: str


class EndedError(Exception):
    """The process of the candidate ended."""


class Tried:
    """Tries ways, each once."""

    def __init__(self, candidate: Candidate, kind: str, options: Options) -> None:
        self._candidate, self._kind, self._options = candidate, kind, options
        asked = probes(kind)
        self._vector = next(probe for probe in asked if not probe.inputs.is_batch)
        self._batch = next(probe for probe in asked if probe.quality == "batch")
        self._square = next(probe for probe in asked if probe.quality == "square_batch")
        self._without_0 = next((probe for probe in asked if _has_no_label_0(probe)), None)
        self._known: dict[Way, tuple[Judgement, Convention]] = {}
        self._one_row: dict[Way, Judgement] = {}
        self.gradient_first = False
        self.firsts: dict[Library, Outcome] = {}
        self.unusable: tuple[Outcome, Library] | None = None

    def __call__(self, way: Way) -> Judgement:
        """What comes of it, as it is right if there is a reading in which it is."""
        return self._ask(way)[0]

    def reading(self, way: Way) -> Convention:
        """What its result was taken to mean."""
        return self._ask(way)[1]

    def one_row(self, way: Way) -> Judgement:
        """What comes of the vector as a batch of one row."""
        way = way._replace(form="batch")
        if way not in self._one_row:
            self._one_row[way] = self._judged(self._vector, way)[0]
        return self._one_row[way]

    def _ask(self, way: Way) -> tuple[Judgement, Convention]:
        if way not in self._known:
            self._known[way] = self._judged(self._batch if way.form == "batch" else self._vector, way)
            if way.form == "batch" and self._raised(way):
                self._ask_square(way)
            if way.form == "batch" and way.targets == "index" and self._without_0 is not None and self._raised(way):
                self._ask_of_other_labels(self._without_0, way)
        return self._known[way]

    def _raised(self, way: Way) -> bool:
        return bool(self._known[way][0].outcome.error)

    def _ask_of_other_labels(self, probe: Probe, way: Way) -> None:
        """Where classes are counted from one a label 0 has none, which some code refuses: other labels count."""
        judged = self._judged(probe, way)
        if judged[0].problem not in {"", "raised"}:
            self._known[way] = judged

    def _ask_square(self, way: Way) -> None:
        """Where rows of a batch are mixed it raises, unless there are as many rows as classes: those numbers count."""
        judged = self._judged(self._square, way)
        if judged[0].problem not in {"", "shape", "raised"}:
            self._known[way] = judged

    def _judged(self, probe: Probe, way: Way) -> tuple[Judgement, Convention]:
        convention = self._convention(way)
        call = dress(self._kind, probe, convention, way.form, way.targets)
        outcome = self._candidate.call(call, len(KINDS[self._kind].outputs))
        self.firsts.setdefault(way.library, outcome)
        if outcome.unusable and self.unusable is None:
            self.unusable = outcome, way.library
        if outcome.fatal:
            raise EndedError(outcome.fatal)
        self.gradient_first |= gradient_first(self._kind, outcome)
        return self._read(probe, convention, way, in_order(self._kind, outcome))

    def _convention(self, way: Way) -> Convention:
        return Convention(
            library=way.library,
            forms=(way.form,),
            given=way.given,
            axis_keyword=way.keyword,
            axis=self._options.axis,
            swapped=way.swapped,
            dtype=way.dtype,
            targets=() if way.targets is None else (way.targets,),
            reduction=self._options.reduction,
            gradient=gradient_of(self._options.reduction),
            stated=stated(self._options),
        )

    def _read(self, probe: Probe, convention: Convention, way: Way, outcome: Outcome) -> tuple[Judgement, Convention]:
        """The first reading in which it is right, else the nearest."""
        found: list[tuple[Judgement, Convention]] = []
        for reading in readings(self._kind, probe, convention, outcome):
            judged = judge(
                self._kind, probe, reading, way.form, outcome, targets=way.targets, decimals=self._options.decimals
            )
            found.append((judged, reading))
            if is_right(judged):
                return found[-1]
        return found[0]


def _has_no_label_0(probe: Probe) -> bool:
    """Whether it is a batch of ordinary rows whose labels are classes from 1 on."""
    labels = probe.inputs.labels
    return (
        probe.level == "exercise"
        and probe.inputs.is_batch
        and not probe.as_list
        and probe.dtype == "float64"
        and labels is not None
        and len(labels) > 1
        and bool((labels > 0).all())
    )


def is_usable(judgement: Judgement) -> bool:
    """Whether it returned numbers."""
    return judgement.problem not in {"raised", "unusable", "ended"}


def is_right(judgement: Judgement) -> bool:
    """Whether nothing is wrong with it."""
    return not judgement.problem
