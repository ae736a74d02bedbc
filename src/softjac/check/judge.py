"""Asks a candidate every probe of its kind, and judges what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from softjac.check import names
from softjac.check.cases import probes
from softjac.check.compare import in_order, judge, readings
from softjac.check.convention import Found, find_convention
from softjac.check.dress import dress
from softjac.check.kinds import KINDS
from softjac.check.model import (
    LEVELS,
    Argument,
    Call,
    Candidate,
    Convention,
    Examination,
    Form,
    Judgement,
    Outcome,
    Probe,
    TargetForm,
)
from softjac.check.options import Options

MAY_BE_REFUSED = frozenset({"lists", "integers", "float32", "read_only"})
"""Where a candidate that raises is not wrong: it says that it takes other input."""


def examine(candidate: Candidate, options: Options | None = None) -> Examination:
    """Ask a candidate every probe of a kind, and judge its answers. It never raises for what the candidate does."""
    options = options or Options()
    if options.what is not None and options.what not in KINDS:
        raise ValueError(f"what is {options.what!r}, and can be one of {', '.join(KINDS)}")
    kind = options.what
    guessed = ""
    if kind is None:
        kind, guessed, found = _guess_kind(candidate, options)
    else:
        found = find_convention(candidate, kind, options)
    if not found.usable:
        why = _nothing_usable(found, "" if guessed and guessed != "the name" else kind)
        return Examination(kind, guessed, options.level, options.decimals, found.convention, (), could_not=why)
    return _Interview(candidate, kind, found.convention, options).run(guessed)


def in_convention(examination: Examination, convention: Convention) -> Examination:
    """The same answers, judged as those of another convention. Nothing is asked again."""

    def judged(one: Judgement) -> Judgement:
        if one.problem in {"differs", "changed"}:  # of which a second call tells, and not the numbers
            return one
        return judge(
            examination.kind,
            one.probe,
            convention,
            one.form,
            one.outcome,
            targets=one.targets,
            decimals=examination.decimals,
        )

    return replace(
        examination,
        convention=convention,
        judgements=tuple(map(judged, examination.judgements)),
        asides=tuple(map(judged, examination.asides)),
    )


def _nothing_usable(found: Found, kind: str) -> str:
    """Why there is nothing to judge. kind: what is expected, or ""."""
    if found.ended:
        return found.ended
    first = found.first
    if first.error:
        of = "" if found.library in {"numpy", "list"} else f" of {found.library}"
        return f"it raised {first.error} for the first input{of}, and returned nothing of use for any other"
    what = first.unusable or first.described or "nothing"
    if not what.endswith("was expected"):
        what += f", where {_EXPECTED[KINDS[kind].outputs[0]] if kind else 'an array or a number'} is expected"
    return f"it returned {what}; and no numbers for any input"


_EXPECTED = {"row": "an array of shape (n,)", "scalar": "a number", "matrix": "an array of shape (n, n)"}
"""For a vector of n classes."""


def _guess_kind(candidate: Candidate, options: Options) -> tuple[str, str, Found]:
    """A kind, from what it was guessed, and how the candidate is called as that."""
    by_name = names.kind_from_name(candidate.facts)
    # Then the name is that of another: of a loss, where it is the gradient of the loss.
    wraps = candidate.facts.wraps and not candidate.facts.alias
    sure = by_name.sure and not wraps
    candidate = _Remembers(candidate)
    tried: dict[str, Found] = {}
    for kind in _kinds_to_try(by_name, candidate):
        found = tried[kind] = find_convention(candidate, kind, options)
        if found.ended:
            return by_name.kind or kind, "the name" if by_name.kind else "", found
        if found.right or (kind == by_name.kind and sure and found.usable):
            return kind, "the name" if kind == by_name.kind else "what it returns", found
    if by_name.kind and tried[by_name.kind].usable:
        named = tried[by_name.kind]
        if not wraps or not _misfit(candidate, by_name.kind, named, options)[0]:
            return by_name.kind, "the name", named
    usable = [kind for kind, found in tried.items() if found.usable]
    if by_name.kind and not usable:
        return by_name.kind, "the name", tried[by_name.kind]
    nearest = min(usable, key=lambda kind: _misfit(candidate, kind, tried[kind], options), default=next(iter(tried)))
    return nearest, "what it returns", tried[nearest]


def _kinds_to_try(by_name: names.KindGuess, candidate: Candidate) -> list[str]:
    first = [by_name.kind] if by_name.kind else []
    if by_name.kind in {"cross_entropy", "cross_entropy_grad"}:
        first.append("cross_entropy_value_and_grad")
    parameters = candidate.facts.parameters
    one, two = ([name for name, kind in KINDS.items() if len(kind.operands) == count] for count in (1, 2))
    if len(parameters) == 1:
        others = one
    elif len(parameters) == 2 and parameters[1] != names.axis_keyword(candidate.facts):
        others = two + one
    else:
        others = one + two
    return list(dict.fromkeys((*first, *others)))


class _Remembers:
    """A candidate that is asked nothing twice, while its kind is found out: kinds share their first questions."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate, self.facts = candidate, candidate.facts
        self._known: dict[object, Outcome] = {}

    def call(self, call: Call, outputs: int) -> Outcome:
        """Make the call, or give the outcome of the same one."""
        key = (tuple(map(_key, call.arguments)), tuple(call.keywords.items()), outputs)
        if key not in self._known:
            self._known[key] = self._candidate.call(call, outputs)
        return self._known[key]


def _misfit(candidate: Candidate, kind: str, found: Found, options: Options) -> tuple[int, float]:
    """How badly what came back for the first probe fits a kind: by its shape, then by its values."""
    judged = next(_Interview(candidate, kind, found.convention, options).questions(), None)
    if judged is None or judged.problem not in {"", "value", "not finite"}:
        return 1, 0.0
    return 0, judged.error


def _key(argument: Argument) -> object:
    value = argument.value
    what = value if isinstance(value, int) else (value.dtype, value.shape, value.tobytes())
    return what, argument.library, argument.read_only


def _is_of_float32(probe: Probe) -> bool:
    """Whether float32 has all the logits."""
    logits = probe.inputs.logits
    return np.array_equal(logits, logits.astype(np.float32), equal_nan=True)


@dataclass
class _Interview:
    """The questions to one candidate."""

    candidate: Candidate
    kind: str
    convention: Convention
    options: Options
    ended: str = ""

    def run(self, guessed: str) -> Examination:
        judgements: list[Judgement] = []
        asides: list[Judgement] = []
        for judged in self.questions():
            # A library of float32 is asked nothing that float32 cannot hold.
            if any(a.dtype == np.float32 for a in judged.outcome.arrays) and not _is_of_float32(judged.probe):
                continue
            refused = judged.problem == "raised" and judged.probe.quality in MAY_BE_REFUSED
            (asides if refused or self._takes_for_a_label(judged) else judgements).append(judged)
        if not self.ended:
            asides += self._beside()
        held = LEVELS[: LEVELS.index(self.options.level) + 1]
        is_wrong = any(j.problem not in {"", "ended"} and j.probe.level in held for j in judgements)
        return Examination(
            self.kind,
            guessed,
            self.options.level,
            self.options.decimals,
            self.convention,
            tuple(judgements),
            tuple(asides),
            could_not="" if is_wrong else self.ended,  # a wrong answer stays one, whatever comes after it
        )

    def questions(self) -> Iterator[Judgement]:
        """Judgements of all that it is held to, until its process ends."""
        for probe in probes(self.kind):
            form = self._form(probe)
            if form is None or self._makes_no_sense(probe):
                continue
            for targets in self._target_forms(probe):
                judged = self._ask(probe, form, targets)
                yield judged
                if judged.problem == "ended":
                    self.ended = f"{judged.outcome.fatal}, asked for {probe.name}"
                    return

    def _form(self, probe: Probe) -> Form | None:
        forms = self.convention.forms
        if probe.inputs.is_batch:
            return "batch" if "batch" in forms else None
        return next((form for form in ("vector", "column", "batch") if form in forms), None)

    def _makes_no_sense(self, probe: Probe) -> bool:
        library = self.convention.library
        if library in {"torch", "jax"} and probe.quality in {"lists", "integers", "read_only"}:
            return True
        if library == "list" and probe.quality in {"float32", "read_only"}:
            return True
        if self.convention.dtype == "float32" and not _is_of_float32(probe):
            return True
        return self.convention.given == "probs" and probe.quality in {"tails", "special_values"}

    def _takes_for_a_label(self, judged: Judgement) -> bool:
        """Whether a distribution is taken for its largest class, by what takes labels as well: so it may."""
        targets = judged.probe.inputs.targets
        if not judged.probe.has_distributions or judged.problem != "value" or targets is None:
            return False
        if set(self.convention.targets) != {"index", "one-hot"}:
            return False
        labels = targets.argmax(axis=-1)
        inputs = replace(judged.probe.inputs, targets=np.eye(targets.shape[-1])[labels], labels=labels)
        asked = replace(judged.probe, inputs=inputs)
        again = judge(self.kind, asked, self.convention, judged.form, judged.outcome, decimals=self.options.decimals)
        return not again.problem

    def _target_forms(self, probe: Probe) -> tuple[TargetForm | None, ...]:
        if not KINDS[self.kind].has_targets:
            return (None,)
        if probe.inputs.labels is None:
            return ("one-hot",) if "one-hot" in self.convention.targets else ()
        return self.convention.targets if probe.level == "exercise" else self.convention.targets[:1]

    def _ask(self, probe: Probe, form: Form, targets: TargetForm | None, *, nearest: bool = False) -> Judgement:
        """Ask, and judge. nearest: what its result means is not known yet: it is taken for what it is nearest to."""
        call = dress(self.kind, probe, self.convention, form, targets)
        outputs = len(KINDS[self.kind].outputs)
        outcome = self.candidate.call(call, outputs)
        again: Outcome | None = None
        if probe.repeat and not outcome.fatal:
            again = self.candidate.call(call, outputs)
            if again.fatal:
                outcome, again = again, None
        convention = self.convention
        if nearest:
            convention = readings(self.kind, probe, convention, in_order(self.kind, outcome))[0]
        return judge(
            self.kind,
            probe,
            convention,
            form,
            outcome,
            again=again,
            targets=targets,
            decimals=self.options.decimals,
        )

    def _beside(self) -> list[Judgement]:
        """What it does with forms that it is not held to."""
        found: list[Judgement] = []
        forms, asked = self.convention.forms, probes(self.kind)
        first = next(probe for probe in asked if not probe.inputs.is_batch)
        targets = self.convention.targets[0] if self.convention.targets else None
        if self.options.takes is None and forms == ("vector",):
            batches = [probe for probe in asked if probe.quality in {"batch", "square_batch"}]
            found += [self._ask(probe, "batch", targets, nearest=True) for probe in batches]
            # Once is not enough: an answer that ignores its input is right for the first question alone.
            found += [self._ask(probe, "column", targets) for probe in asked if probe.quality == "vectors"]
        if self.options.takes is None and forms == ("batch",):
            found.append(self._ask(first, "vector", targets))
        if len(self.convention.targets) == 1:
            other: TargetForm = "index" if targets == "one-hot" else "one-hot"
            found.append(self._ask(first, forms[0], other))
        return found
