"""How a candidate wants to be called, and what it means by its results: found by trying, with names as a help.

It is tried with a vector, a batch, lists, a column, and the arrays of the frameworks that it uses, in this order, and
in every order and form of its operands that its names leave open. The first way in which it is right is its way. Where
it is never right, it is the first in which it returned numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from softjac.check import names
from softjac.check.cases import probes
from softjac.check.compare import judge, truth_for
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
    Reduction,
    TargetForm,
)

Dtype: TypeAlias = Literal["float64", "float32"]
ORDER: tuple[tuple[Library, Form, Dtype], ...] = (
    ("numpy", "vector", "float64"),
    ("numpy", "batch", "float64"),
    ("list", "vector", "float64"),
    ("list", "batch", "float64"),
    ("numpy", "column", "float64"),
    ("torch", "vector", "float64"),
    ("torch", "batch", "float64"),
    ("jax", "vector", "float64"),
    ("jax", "batch", "float64"),
    ("list", "column", "float64"),
    ("torch", "column", "float64"),
    ("jax", "column", "float64"),
    ("numpy", "vector", "float32"),
    ("numpy", "batch", "float32"),
    ("torch", "vector", "float32"),
    ("torch", "batch", "float32"),
)
"""In which a candidate is tried."""


Mean: TypeAlias = Literal["mean", "sum"]


@dataclass(frozen=True)
class Options:
    """What somebody says about a candidate, so that it is not tried out."""

    given: Given | None = None
    takes: Form | None = None
    reduction: Reduction | None = None
    axis: Literal[-1, 0] = -1
    decimals: int = 4


class Found(NamedTuple):
    """A convention, whether the candidate was right in it, and judgements of what it is not held to.

    usable: whether it ever returned numbers. ended: what ended the process, or "". first: what came of the first try.
    """

    convention: Convention
    right: bool
    usable: bool
    ended: str
    first: Outcome


class _Way(NamedTuple):
    """One way to call it."""

    library: Library
    form: Form
    dtype: Dtype
    given: Given
    swapped: bool
    targets: TargetForm | None
    keyword: str


class _EndedError(Exception):
    """The process of the candidate ended."""


class _Tried:
    """Tries ways, each once."""

    def __init__(self, candidate: Candidate, kind: str, options: Options) -> None:
        self._candidate, self._kind, self._options = candidate, kind, options
        asked = probes(kind)
        self._vector = next(probe for probe in asked if not probe.inputs.is_batch)
        self._batch = next(probe for probe in asked if probe.quality == "batch")
        self._square = next(probe for probe in asked if probe.quality == "square_batch")
        self._known: dict[_Way, tuple[Judgement, Convention]] = {}
        self.first: Outcome | None = None

    def __call__(self, way: _Way) -> Judgement:
        """What comes of it, as it is right if there is a reading in which it is."""
        return self._ask(way)[0]

    def reading(self, way: _Way) -> Convention:
        """What its result was taken to mean."""
        return self._ask(way)[1]

    def _ask(self, way: _Way) -> tuple[Judgement, Convention]:
        if way not in self._known:
            probe, convention = self._batch if way.form == "batch" else self._vector, self._convention(way)
            call = dress(self._kind, probe, convention, way.form, way.targets)
            outcome = self._candidate.call(call, len(KINDS[self._kind].outputs))
            if self.first is None:
                self.first = outcome
            if outcome.fatal:
                raise _EndedError(outcome.fatal)
            self._known[way] = self._read(probe, convention, way, outcome)
            if way.form == "batch" and outcome.error:
                self._ask_square(way, convention)
        return self._known[way]

    def _ask_square(self, way: _Way, convention: Convention) -> None:
        """Where rows of a batch are mixed it raises, unless there are as many rows as classes: those numbers count."""
        call = dress(self._kind, self._square, convention, way.form, way.targets)
        outcome = self._candidate.call(call, len(KINDS[self._kind].outputs))
        if outcome.fatal:
            raise _EndedError(outcome.fatal)
        judged = self._read(self._square, convention, way, outcome)
        if judged[0].problem not in {"", "shape", "raised"}:
            self._known[way] = judged

    def _convention(self, way: _Way) -> Convention:
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
            gradient=_gradient_of(self._options.reduction),
        )

    def _read(self, probe: Probe, convention: Convention, way: _Way, outcome: Outcome) -> tuple[Judgement, Convention]:
        """The first reading in which it is right, else the nearest."""
        found: list[tuple[Judgement, Convention]] = []
        for reading in _readings(self._kind, probe, convention, outcome):
            judged = judge(
                self._kind, probe, reading, way.form, outcome, targets=way.targets, decimals=self._options.decimals
            )
            found.append((judged, reading))
            if _right(judged):
                return found[-1]
        return found[0]


def _gradient_of(reduction: Reduction | None) -> Mean | None:
    if reduction is None:
        return None
    return "mean" if reduction == "mean" else "sum"


def _readings(kind: str, probe: Probe, convention: Convention, outcome: Outcome) -> list[Convention]:
    """What a result may mean: mean or sum over a batch, gradient in logits or probabilities; the nearest first."""
    of_kind = KINDS[kind]
    choices = [convention]
    if of_kind.has_targets and probe.inputs.is_batch and convention.reduction is None:
        if of_kind.has_loss:
            one_a_row = bool(outcome.arrays) and outcome.arrays[0].size == probe.inputs.logits.shape[0]
            allowed: tuple[Reduction, ...] = ("none",) if one_a_row else ("mean", "sum")
            choices = [replace(convention, reduction=x, gradient=_gradient_of(x)) for x in allowed]
            if one_a_row and of_kind.has_gradient:
                choices.append(replace(convention, reduction="none", gradient="mean"))
        else:
            choices = [replace(convention, gradient="mean"), replace(convention, gradient="sum")]
    if of_kind.has_gradient and convention.given == "probs":
        choices = [replace(choice, wrt=wrt) for wrt in _WRT for choice in choices]
    return sorted(choices, key=lambda choice: _away(kind, probe, choice, outcome))


_WRT: tuple[Given, ...] = ("probs", "logits")


def _away(kind: str, probe: Probe, convention: Convention, outcome: Outcome) -> float:
    """How far the first output is from the truth, by its ratio; infinite where they cannot be compared."""
    if not outcome.arrays:
        return 0.0
    right = truth_for(kind, probe, convention)[0].value
    result = np.asarray(outcome.arrays[0], float)
    if result.size != right.size:
        return 0.0
    with np.errstate(all="ignore"):
        ratio = abs(float(np.abs(result).sum()) / float(np.abs(right).sum()))
    return abs(float(np.log(ratio))) if np.isfinite(ratio) and ratio > 0 else float("inf")


def _usable(judgement: Judgement) -> bool:
    return judgement.problem not in {"raised", "unusable", "ended"}


def _right(judgement: Judgement) -> bool:
    return not judgement.problem


class _Guessed(NamedTuple):
    """What names say. given: the ways to try. word: the parameter that gave the guess."""

    given: tuple[Given, ...]
    word: str
    swapped: tuple[bool, ...]
    targets: tuple[TargetForm | None, ...]
    keywords: tuple[str, ...]


def _guess(candidate: Candidate, kind: str, options: Options) -> _Guessed:
    facts, of_kind = candidate.facts, KINDS[kind]
    word = names.probs_parameter(kind, facts) if of_kind.by_probs else ""
    given: tuple[Given, ...] = ("logits",)
    if options.given is not None:
        given, word = (options.given,), ""
    elif word:
        given = ("probs", "logits")
    elif kind == "softmax_vjp":
        given = ("logits", "probs")
    order = names.order_from_names(kind, facts) if len(of_kind.operands) == 2 else "as is"
    swapped = {"as is": (False,), "swapped": (True,), "": (False, True)}[order]
    targets: tuple[TargetForm | None, ...] = (None,)
    if of_kind.has_targets:
        index_first = names.target_parameter(facts) not in names.ONE_HOT
        targets = ("index", "one-hot") if index_first else ("one-hot", "index")
    keyword = names.axis_keyword(facts)
    keywords: tuple[str, ...] = (keyword,)
    if not facts.parameters and not facts.keywords and not of_kind.has_targets:
        keywords = ("", "dim", "axis")
    return _Guessed(given, word, swapped, targets, keywords)


def find_convention(candidate: Candidate, kind: str, options: Options) -> Found:
    """How the candidate is called; see the module."""
    tried = _Tried(candidate, kind, options)
    nothing = Outcome()
    try:
        found = _find(tried, candidate, kind, options)
    except _EndedError as ended:
        return Found(Convention(), False, False, str(ended), tried.first or nothing)
    if found is None:
        return Found(Convention(), False, False, "", tried.first or nothing)
    convention, right = found
    return Found(convention, right, True, "", tried.first or nothing)


def _find(tried: _Tried, candidate: Candidate, kind: str, options: Options) -> tuple[Convention, bool] | None:
    guessed = _guess(candidate, kind, options)
    ways = list(_ways(guessed, candidate, options))
    chosen = next((way for way in ways if _right(tried(way))), None)
    if chosen is None:
        chosen = _first_usable(tried, ways, guessed, candidate)
    if chosen is None:
        return None
    forms = _forms(tried, chosen, candidate, options)
    targets = _targets(tried, chosen, forms, candidate) if KINDS[kind].has_targets else ()
    first = targets[0] if targets else None
    held = [chosen._replace(form=form, targets=first) for form in forms]
    right = any(_right(tried(way._replace(targets=one))) for way in held for one in targets or (None,))
    convention = replace(tried.reading(held[-1]), forms=forms, targets=targets)
    return replace(convention, guesses=_sentences(convention, guessed, kind)), right


def _ways(guessed: _Guessed, candidate: Candidate, options: Options) -> Iterator[_Way]:
    for library, form, dtype in ORDER:
        if options.takes not in {None, form} or library not in {*candidate.facts.libraries, "list"}:
            continue
        for keyword in guessed.keywords:
            for given in guessed.given:
                for swapped in guessed.swapped:
                    for targets in guessed.targets:
                        yield _Way(library, form, dtype, given, swapped, targets, keyword)


def _first_usable(tried: _Tried, ways: list[_Way], guessed: _Guessed, candidate: Candidate) -> _Way | None:
    """The first way in which it returned numbers, those of the right shape before others.

    Of several forms of targets one-hot is taken, which code for labels refuses, unless the name says it is a label.
    """
    usable = [way for way in ways if _usable(tried(way))]
    well_shaped = [way for way in usable if tried(way).problem != "shape"] or usable
    if not usable:
        return None
    same = [way for way in well_shaped if way[:3] == well_shaped[0][:3]]
    label = names.target_parameter(candidate.facts) in names.INDICES
    wanted = "index" if label or None in guessed.targets else "one-hot"
    return next((way for way in same if way.targets == wanted), same[0])


def _forms(tried: _Tried, way: _Way, candidate: Candidate, options: Options) -> tuple[Form, ...]:
    """What it is held to."""
    if options.takes is not None:
        return (options.takes,)
    vector, batch = (_of_targets(tried, way._replace(form=form)) for form in ("vector", "batch"))
    if _right(vector):
        if _right(batch) or (_usable(batch) and _speaks_of_batches(batch, candidate)):
            return ("vector", "batch")
        return ("vector",)
    if _right(batch):
        return ("batch",)
    column = _of_targets(tried, way._replace(form="column"))
    if _right(column) and (vector.problem == "shape" or not _usable(vector)):
        return ("column",)
    if not _usable(vector) or (vector.problem == "shape" and _usable(batch) and batch.problem != "shape"):
        return ("batch",) if _usable(batch) else (way.form,)
    if _usable(batch) and not _is_square(batch) and names.means_batches(candidate.facts):
        return ("vector", "batch")
    return ("vector",)


def _of_targets(tried: _Tried, way: _Way) -> Judgement:
    """The judgement of a way; with the other form of targets where that alone is right."""
    found = tried(way)
    if way.targets is None or _right(found):
        return found
    other = tried(way._replace(targets="index" if way.targets == "one-hot" else "one-hot"))
    return other if _right(other) else found


def _speaks_of_batches(batch: Judgement, candidate: Candidate) -> bool:
    """Whether it is held to batches, where it is right for vectors alone.

    Not where it differentiates every row by every row, (N, n, N, n), as a framework does for any function of a vector.
    """
    facts = candidate.facts
    if any(result.ndim == 4 for result in batch.results):
        return False
    if names.takes_batches(facts):
        return True
    if batch.problem == "shape":  # as of p[label], for one vector, of a softmax that is right for rows
        return False
    return names.means_batches(facts) or (names.names_an_axis(facts) and not _is_square(batch))


def _is_square(batch: Judgement) -> bool:
    """Whether it raises for any other batch."""
    return batch.probe.quality == "square_batch"


def _targets(tried: _Tried, way: _Way, forms: tuple[Form, ...], candidate: Candidate) -> tuple[TargetForm, ...]:
    """The forms of targets that it is held to: those that are right; where none is, the one it was chosen with."""
    word = names.target_parameter(candidate.facts)
    every: tuple[TargetForm, ...] = ("index", "one-hot")
    judged = {form: [tried(way._replace(form=f, targets=form)) for f in forms] for form in every}
    if word in names.INDICES and any(map(_usable, judged["index"])) and not any(map(_right, judged["index"])):
        return ("index",)
    right = tuple(form for form in every if any(map(_right, judged[form])))
    if right:
        return right
    return (way.targets or "one-hot",)


def _sentences(convention: Convention, guessed: _Guessed, kind: str) -> tuple[str, ...]:
    sentences = []
    if guessed.word and convention.given == "probs":
        sentences.append(f"It is given probabilities, guessed from the name of its parameter {guessed.word}.")
    elif convention.given == "probs" and len(guessed.given) > 1:
        sentences.append("It is given probabilities: with logits it is not right.")
    if convention.given == "probs" and KINDS[kind].has_gradient:
        sentences.append(f"Its gradient is with respect to the {_IN_WORDS[convention.wrt]}.")
    if convention.swapped:
        first = "its targets" if KINDS[kind].has_targets else "the upstream gradient"
        how = "guessed from the names of its parameters" if len(guessed.swapped) == 1 else "found by trying"
        sentences.append(f"It takes {first} first, {how}.")
    return tuple(sentences)


_IN_WORDS = {"logits": "logits", "probs": "probabilities"}
