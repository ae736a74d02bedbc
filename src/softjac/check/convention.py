"""How a candidate wants to be called, and what it means by its results: found by trying, with names as a help.

It is tried with a vector, a batch, lists, a column, and the arrays of the frameworks that it uses, in this order, and
in every order and form of its operands that its names leave open. The first way in which it is right is its way. Where
it is never right, it is the first in which it returned numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from softjac.check import names
from softjac.check.kinds import KINDS
from softjac.check.model import Array, Candidate, Convention, Form, Given, Judgement, Library, Outcome, TargetForm
from softjac.check.options import Options
from softjac.check.trying import Dtype, EndedError, Tried, Way, is_right, is_usable

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


class Found(NamedTuple):
    """A convention, whether the candidate was right in it, and judgements of what it is not held to.

    usable: whether it ever returned numbers. ended: what ended the process, or "". first: what came of the first try;
    library: of its arguments.
    """

    convention: Convention
    right: bool
    usable: bool
    ended: str
    first: Outcome
    library: Library


_ORDERS: dict[names.Order, tuple[bool, ...]] = {
    "as is": (False,),
    "swapped": (True,),
    "perhaps swapped": (True, False),
    "": (False, True),
}


class _Guessed(NamedTuple):
    """What names say. given: the ways to try; also: those that count where it is right in them, and in no other.

    word: the parameter that gave the guess.
    """

    given: tuple[Given, ...]
    also: tuple[Given, ...]
    word: str
    swapped: tuple[bool, ...]
    targets: tuple[TargetForm | None, ...]
    keywords: tuple[str, ...]


def _guess(candidate: Candidate, kind: str, options: Options) -> _Guessed:
    facts, of_kind = candidate.facts, KINDS[kind]
    word = names.probs_parameter(kind, facts) if of_kind.by_probs else ""
    given: tuple[Given, ...] = ("logits",)
    also: tuple[Given, ...] = ()
    if options.given is not None:
        given, word = (options.given,), ""
    elif word:
        given = ("probs", "logits")
    elif kind == "softmax_vjp":
        given = ("logits",) if names.logits_parameter(facts) else ("logits", "probs")
    elif of_kind.by_probs and of_kind.has_targets and not names.logits_parameter(facts):
        also = ("probs",)
    order = names.order_from_names(kind, facts) if len(of_kind.operands) == 2 else "as is"
    swapped = _ORDERS[order]
    targets: tuple[TargetForm | None, ...] = (None,)
    if of_kind.has_targets:
        index_first = names.target_parameter(facts) not in names.ONE_HOT
        targets = ("index", "one-hot") if index_first else ("one-hot", "index")
        targets = targets if options.targets is None else (options.targets,)
    keyword = names.axis_keyword(facts)
    keywords: tuple[str, ...] = (keyword,)
    if keyword and facts.wraps:  # what it wraps may have another axis
        keywords = (keyword, "")
    if not facts.parameters and not facts.keywords and not of_kind.has_targets:
        keywords = ("", "dim", "axis")
    return _Guessed(given, also, word, swapped, targets, keywords)


def find_convention(candidate: Candidate, kind: str, options: Options) -> Found:
    """How the candidate is called; see the module."""
    tried = Tried(candidate, kind, options)
    try:
        found = _find(tried, candidate, kind, options)
    except EndedError as ended:
        return Found(Convention(), False, False, str(ended), *_first(tried))
    if found is None:
        return Found(Convention(), False, False, "", *_first(tried))
    convention, right = found
    return Found(convention, right, True, "", *_first(tried))


def _first(tried: Tried) -> tuple[Outcome, Library]:
    """What came of the first try, and with arrays of what: of its own framework, where it takes no other.

    Where that raised, and something came back for another input, what came back says more.
    """
    library, first = next(iter(tried.firsts.items()), ("numpy", Outcome()))
    own = next((x for x in ("torch", "jax") if x in tried.firsts), None)
    if first.error and tried.unusable is not None:
        return tried.unusable
    if own is not None and _of_another_library(first.error):
        return tried.firsts[own], own
    return first, library


def _of_another_library(error: str) -> bool:
    return "ndarray" in error or "Tensor" in error


def _find(tried: Tried, candidate: Candidate, kind: str, options: Options) -> tuple[Convention, bool] | None:
    guessed = _guess(candidate, kind, options)
    chosen = _chosen(tried, guessed, candidate, options)
    if chosen is None and any(guessed.keywords):  # it has an axis in its signature that it does not take
        chosen = _chosen(tried, guessed._replace(keywords=("",)), candidate, options)
    if chosen is None:
        return None
    forms = _forms(tried, chosen, candidate, options)
    targets = _targets(tried, chosen, forms, candidate) if KINDS[kind].has_targets else ()
    first = targets[0] if targets else None
    held = [chosen._replace(form=form, targets=first) for form in forms]
    right = any(is_right(tried(way._replace(targets=one))) for way in held for one in targets or (None,))
    convention = replace(tried.reading(held[-1]), forms=forms, targets=targets)
    return replace(convention, guesses=_sentences(convention, guessed, kind, tried.gradient_first)), right


def _chosen(tried: Tried, guessed: _Guessed, candidate: Candidate, options: Options) -> Way | None:
    """The first way in which it is right; else the first in which it returned numbers."""
    ways = list(_ways(guessed, candidate, options))
    others = _ways(guessed._replace(given=guessed.also), candidate, options)
    chosen = next((way for way in (*ways, *others) if is_right(tried(way))), None)
    return chosen or _first_usable(tried, ways, guessed, candidate)


def _ways(guessed: _Guessed, candidate: Candidate, options: Options) -> Iterator[Way]:
    for library, form, dtype in ORDER:
        if options.takes not in {None, form} or library not in {*candidate.facts.libraries, "list"}:
            continue
        for keyword in guessed.keywords:
            for given in guessed.given:
                for swapped in guessed.swapped:
                    for targets in guessed.targets:
                        yield Way(library, form, dtype, given, swapped, targets, keyword)


def _first_usable(tried: Tried, ways: list[Way], guessed: _Guessed, candidate: Candidate) -> Way | None:
    """The first way in which it returned numbers, those of the right shape before others.

    Of several forms of targets one-hot is taken, which code for labels refuses, unless the name says it is a label.
    """
    usable = [way for way in ways if is_usable(tried(way))]
    well_shaped = [way for way in usable if tried(way).problem != "shape"] or usable
    if not usable:
        return None
    same = [way for way in well_shaped if way[:3] == well_shaped[0][:3]]
    label = names.target_parameter(candidate.facts) in names.INDICES
    wanted = "index" if label or None in guessed.targets else "one-hot"
    return next((way for way in same if way.targets == wanted), same[0])


def _forms(tried: Tried, way: Way, candidate: Candidate, options: Options) -> tuple[Form, ...]:
    """What it is held to."""
    if options.takes is not None:
        return (options.takes,)
    vector, batch = (_of_targets(tried, way._replace(form=form)) for form in ("vector", "batch"))
    if is_right(vector):
        if is_right(batch) or (is_usable(batch) and _is_held_to(tried, way, batch, candidate)):
            return ("vector", "batch")
        return ("vector",)
    if is_right(batch):
        return ("batch",)
    column = _of_targets(tried, way._replace(form="column"))
    if is_right(column) and (vector.problem == "shape" or not is_usable(vector)):
        return ("batch",) if _has_shape(batch) and not _is_square(batch) else ("column",)
    if not is_usable(vector) or (vector.problem == "shape" and is_usable(batch) and batch.problem != "shape"):
        return ("batch",) if is_usable(batch) else (way.form,)
    if _divides_by_rows(tried, way, vector, batch):
        return ("batch",)
    if is_usable(batch) and not _is_square(batch) and names.means_batches(candidate.facts):
        return ("vector", "batch")
    return ("vector",)


def _of_targets(tried: Tried, way: Way) -> Judgement:
    """The judgement of a way; with the other form of targets where that alone is right."""
    found = tried(way)
    if way.targets is None or is_right(found):
        return found
    other = tried(way._replace(targets="index" if way.targets == "one-hot" else "one-hot"))
    return other if is_right(other) else found


def _is_held_to(tried: Tried, way: Way, batch: Judgement, candidate: Candidate) -> bool:
    """Whether it is held to batches, where it is right for vectors alone.

    Not where it differentiates every row by every row, (N, n, N, n), as a framework does for any function of a vector.
    Where it raises, but for as many rows as classes, it was made for rows if it is right for one row.
    """
    facts = candidate.facts
    if any(result.ndim == 4 for result in batch.results) or (facts.wraps and batch.problem == "shape"):
        return False
    if names.takes_batches(facts):
        return True
    if batch.problem == "shape" and _is_of_columns(batch):
        return names.speaks_of_rows(facts)
    if batch.problem == "shape":  # as of p[label], for one vector, of a softmax that is right for rows
        return False
    return names.speaks_of_rows(facts) and (not _is_square(batch) or is_right(tried.one_row(way)))


def _is_of_columns(batch: Judgement) -> bool:
    """Whether there is one number for each column, where there should be one for each row."""
    rows, n = batch.probe.inputs.logits.shape
    return [r.shape for r in batch.results] == [(n,)] and [t.shape for t in batch.truth] == [(rows,)]


def _divides_by_rows(tried: Tried, way: Way, vector: Judgement, batch: Judgement) -> bool:
    """Whether a factor 1/n of what it returns for a vector is 1/N of a batch: then a vector is no form of its own.

    It is where one row gives n times as much, or n * n. Or where the vector is right but for 1/n, and the batch is not
    right but for 1/n: then the batch has another mistake, which does not show in a vector.
    """
    if way.targets is None or not (_has_shape(vector) and _has_shape(batch)):
        return False
    row = tried.one_row(way)
    if not _has_shape(row):
        return False
    n, rows = vector.probe.inputs.n, len(batch.probe.inputs.logits)
    powers = [_factor(a, b, (1, n, n * n)) for a, b in zip(row.results, vector.results, strict=True)]
    if None not in powers and set(powers) != {1}:
        return True
    last = vector.results[-1], batch.results[-1]
    by_n = _factor(vector.truth[-1], last[0], (n, -n)) is not None
    return by_n and _factor(batch.truth[-1], last[1], (n, -n, n * rows, -n * rows, n / rows, -n / rows)) is None


def _factor(value: Array, part: Array, factors: tuple[float, ...]) -> float | None:
    """The factor with which a part is the value, to the digits of rounded results."""
    return next((f for f in factors if np.allclose(f * part, value, rtol=1e-3, atol=abs(f) * 1e-4)), None)


def _has_shape(judgement: Judgement) -> bool:
    """Whether numbers of the right shape came back."""
    return is_usable(judgement) and judgement.problem != "shape"


def _is_square(batch: Judgement) -> bool:
    """Whether it raises for any other batch."""
    return batch.probe.quality == "square_batch"


def _targets(tried: Tried, way: Way, forms: tuple[Form, ...], candidate: Candidate) -> tuple[TargetForm, ...]:
    """The forms of targets that it is held to: those that are right; where none is, the one it was chosen with."""
    word = names.target_parameter(candidate.facts)
    every: tuple[TargetForm, ...] = ("index", "one-hot")
    judged = {form: [tried(way._replace(form=f, targets=form)) for f in forms] for form in every}
    if word in names.INDICES and any(map(is_usable, judged["index"])) and not any(map(is_right, judged["index"])):
        return ("index",)
    right = tuple(form for form in every if any(map(is_right, judged[form])))
    if right:
        return right
    return (way.targets or "one-hot",)


def _sentences(convention: Convention, guessed: _Guessed, kind: str, gradient_first: bool) -> tuple[str, ...]:
    sentences = []
    if guessed.word and convention.given == "probs":
        word = guessed.word
        doubt = "" if "prob" in word.lower() or "softmax" in word.lower() else f": if {word} are logits, --given logits"
        sentences.append(f"It is given probabilities, guessed from the name of its parameter {word}{doubt}.")
    elif convention.given == "probs" and len(guessed.given + guessed.also) > 1:
        sentences.append("It is given probabilities: with logits it is not right.")
    if convention.given == "probs" and KINDS[kind].has_gradient:
        sentences.append(f"Its gradient is with respect to the {_IN_WORDS[convention.wrt]}.")
    if convention.swapped:
        first = "its targets" if KINDS[kind].has_targets else "the upstream gradient"
        how = "guessed from the names of its parameters" if len(guessed.swapped) == 1 else "found by trying"
        sentences.append(f"It takes {first} first, {how}.")
    if gradient_first:
        sentences.append("It returns the gradient first, and the loss after it.")
    return tuple(sentences)


_IN_WORDS = {"logits": "logits", "probs": "probabilities"}
