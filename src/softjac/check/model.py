"""What passes between the parts of the checker: data alone.

A probe is what a candidate is asked; an outcome is what came back; a judgement sets it beside the truth; a diagnosis
names the cause. Numbers are float64 here, whatever the candidate is given and returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Level: TypeAlias = Literal["exercise", "stable", "exact"]
Library: TypeAlias = Literal["numpy", "list", "torch", "jax"]
Given: TypeAlias = Literal["logits", "probs"]
Form: TypeAlias = Literal["vector", "column", "batch"]
TargetForm: TypeAlias = Literal["index", "one-hot"]
Reduction: TypeAlias = Literal["mean", "sum", "none"]

LEVELS: tuple[Level, ...] = ("exercise", "stable", "exact")


@dataclass(frozen=True, eq=False)
class Inputs:
    """The arguments of one call, as mathematics has them.

    logits: shape (n,) or (N, n). cotangent: the shape of logits, or None. targets: None, or soft targets of the shape
    of logits, one-hot where there are labels; labels: the classes, an integer array of shape () or (N,), or None.
    probs: softmax of the logits, rounded to float64, which is what a candidate is given that takes probabilities.
    """

    logits: Array
    probs: Array
    cotangent: Array | None = None
    targets: Array | None = None
    labels: Array | None = None

    @property
    def n(self) -> int:
        """Number of classes."""
        return int(self.logits.shape[-1])

    @property
    def is_batch(self) -> bool:
        """Whether there are rows."""
        return self.logits.ndim == 2


@dataclass(frozen=True, eq=False)
class Probe:
    """One question to a candidate.

    name: unique among the probes of a kind, words for the report. quality: the name of what it tests, a key of
    `cases.QUALITIES`. level: the lowest level that asks it. dtype: float64, float32 or int64 of what is passed.
    as_list: passed as a list whatever the candidate likes. read_only: passed as an array that refuses to be written.
    repeat: asked a second time, with the same arguments.
    """

    name: str
    quality: str
    level: Level
    inputs: Inputs
    dtype: str = "float64"
    as_list: bool = False
    read_only: bool = False
    repeat: bool = False

    @property
    def has_distributions(self) -> bool:
        """Whether it has targets that are no labels."""
        return self.inputs.targets is not None and self.inputs.labels is None


@dataclass(frozen=True)
class Convention:
    """How a candidate is called, and what it means by its results: found out by trying.

    library: of the arrays that it is given. forms: what it is held to, the preferred first. axis_keyword: the name of
    its argument for the axis of the classes, or "". axis: where the classes of a batch are, -1 or 0. swapped: the
    second operand comes first. dtype: of what it is given, where a probe does not say. targets: in which forms it takes
    them. reduction: what a batch's value is. gradient: of the mean or the sum of the losses. wrt: with respect to what
    the gradient of a loss is: to the logits, or to the probabilities that it is given. guesses: sentences for the
    report about what was guessed, and from what. stated: names of options that said a part of it.
    """

    library: Library = "numpy"
    forms: tuple[Form, ...] = ("vector",)
    given: Given = "logits"
    axis_keyword: str = ""
    axis: int = -1
    swapped: bool = False
    dtype: Literal["float64", "float32"] = "float64"
    targets: tuple[TargetForm, ...] = ()
    reduction: Reduction | None = None
    gradient: Literal["mean", "sum"] | None = None
    wrt: Given = "logits"
    guesses: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Argument:
    """One argument: an array, or an int where it is one label."""

    value: Array | int
    library: Library = "numpy"
    read_only: bool = False


@dataclass(frozen=True, eq=False)
class Call:
    """A call to be made."""

    arguments: tuple[Argument, ...]
    keywords: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one call.

    arrays: what was returned, one array for each part of a tuple where the kind has two outputs; empty where there was
    nothing of use. described: what was returned, in words ("float64 array of shape (3,)", "list of 3 lists"). library:
    of what was returned. error: "ValueError: ..." where it raised. unusable: what was returned that is no array of
    numbers ("None", "a generator", "a list of str"). fatal: where the process ended ("no answer within 10 s", "the
    process ended with code 3", "out of memory (limit 2 GB)"). changed: which arguments were written to.
    printed: the first characters that it wrote to standard output or error. printed_length: how many in all. decimals:
    to how many its numbers are known to be rounded, where somebody wrote them down.
    """

    arrays: tuple[Array, ...] = ()
    described: str = ""
    library: str = ""
    error: str = ""
    unusable: str = ""
    fatal: str = ""
    changed: tuple[int, ...] = ()
    printed: str = ""
    printed_length: int = 0
    decimals: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a candidate without calling it.

    parameters: names of its positional parameters, or () where it does not tell. keywords: all names that it takes.
    names: the names and keywords in its code and in the functions of its module that it calls (axis, keepdims, dim).
    own: those in its code alone, and in a function that it hands everything to.
    libraries: which of numpy, torch, jax its arrays may be of. printed: the first characters that it wrote while it was
    imported. printed_length: how many in all. wraps: whether its parameters, and its own name, are those of a function
    that it wraps, as a compiled one has it, and a derivative too. alias: whether name is not its own one, but the one
    under which it was asked for. source: its code, or "" where that is long or cannot be had.
    """

    name: str = ""
    parameters: tuple[str, ...] = ()
    keywords: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    libraries: frozenset[str] = frozenset({"numpy"})
    printed: str = ""
    printed_length: int = 0
    wraps: bool = False
    alias: bool = False
    source: str = ""


class Candidate(Protocol):
    """Somebody's function: called here, or in a process of its own."""

    @property
    def facts(self) -> Facts:
        """What is known of it without calling it."""

    def call(self, call: Call, outputs: int) -> Outcome:
        """Make the call. It never raises for what the candidate does. outputs: 2 where a tuple is expected, else 1."""


Problem: TypeAlias = Literal["", "raised", "unusable", "shape", "value", "not finite", "changed", "differs", "ended"]
"""What is wrong with an outcome; "" where nothing is. differs: the second call with the same arguments."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """One outcome beside the truth.

    form: what was passed. results: the outcome's arrays in float64 and in the shape of the truth where that was
    possible, else as they came. truth: rounded to float64, one
    array for each output. problem: "" where the outcome is right at the level of the probe. where: index of the first
    wrong entry, the number of the output in front where there are two; away, away_ulps: how far it is from the exact
    value; budget: how many ulps it may be. error: the largest |result - truth|. ulps: the same in units in the last
    place of the exact value, of the dtype that was returned, ulp_of; both 0 where nothing can be compared.
    within_budget: whether every entry keeps the library's own budget; None where that was not asked. targets: the form
    in which they were passed, or None.
    """

    probe: Probe
    form: Form
    outcome: Outcome
    truth: tuple[Array, ...]
    results: tuple[Array, ...] = ()
    problem: Problem = ""
    where: tuple[int, ...] | None = None
    away: float = 0.0
    away_ulps: float = 0.0
    budget: float = 0.0
    error: float = 0.0
    ulps: float = 0.0
    ulp_of: str = ""
    within_budget: bool | None = None
    targets: TargetForm | None = None

    @property
    def quality(self) -> str:
        """What it is an answer about: wrong numbers are no other answer to the same call, and no changed argument."""
        if self.probe.quality in {"same_again", "input_kept"} and self.problem in {"shape", "value", "not finite"}:
            return "batch" if self.probe.inputs.is_batch else "vectors"
        return self.probe.quality


@dataclass(frozen=True, eq=False)
class Examination:
    """All judgements about a candidate, in the order in which it was asked.

    kind: its name. guessed: from what the kind was guessed, or "". level: what it is held to. decimals: how many have
    to be right at the levels exercise and stable. asides: judgements of a form that it was tried with and is not held
    to, such as a batch for a function that is right for every vector.
    """

    kind: str
    guessed: str
    level: Level
    decimals: int
    convention: Convention
    judgements: tuple[Judgement, ...]
    asides: tuple[Judgement, ...] = ()
    could_not: str = ""

    def failed(self, level: Level) -> tuple[Judgement, ...]:
        """Judgements with a problem, of the probes up to a level."""
        upto = LEVELS[: LEVELS.index(level) + 1]
        return tuple(j for j in self.judgements if j.problem and j.probe.level in upto)


@dataclass(frozen=True)
class Diagnosis:
    """The cause of what went wrong.

    name: of the mistake, as column-formula-1d, or "" where no known mistake fits. title: a few words. why: one or two
    sentences. level: the lowest level at which it shows. symptom: lines of what was seen, which do not give the cause
    away. seen: lines with the first wrong entry, both products in numbers. experiment: one line to try. fix: what to
    write instead. others: names of mistakes that fit as well. judgement: the one that symptom and seen show.
    """

    name: str
    title: str
    why: str
    level: Level
    symptom: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    experiment: str = ""
    fix: str = ""
    others: tuple[str, ...] = ()
    judgement: Judgement | None = field(default=None, compare=False, repr=False)
