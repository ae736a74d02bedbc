"""Options of cross-entropy as data: what the tests of every pair of them go through. Imports nothing of softjac."""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

REDUCTIONS = ("none", "sum", "mean")
OPTIONS = ("weight", "sample_weight", "label_smoothing", "ignore_index", "z_loss", "where", "soft targets")
REFUSED = {"ignore_index", "soft targets"}  # there is no index to ignore
PAIRS = [set(pair) for pair in itertools.combinations(OPTIONS, 2) if set(pair) != REFUSED]
WITHOUT_MASK = [{*OPTIONS} - {"ignore_index", "where"}, {*OPTIONS} - {"soft targets", "where"}]
COMBINATIONS = [set(), *({option} for option in OPTIONS), *PAIRS, *WITHOUT_MASK]
COMBINATIONS += [{*OPTIONS} - {"ignore_index"}, {*OPTIONS} - {"soft targets"}]
ALL_OPTIONS = COMBINATIONS[-1]


def combination_id(names: Iterable[str]) -> str:
    return " and ".join(sorted(names)) or "no options"


def problem(names: Iterable[str], count: int, n: int, seed: int = 0) -> tuple[Any, dict[str, Any]]:
    """Targets for (count, n) logits and the options of these names, of every kind of row some."""
    names = set(names)
    rng = np.random.default_rng([seed, count, n, *(OPTIONS.index(name) for name in sorted(names))])
    options: dict[str, Any] = {}
    labels = rng.integers(0, n, count)
    where = np.ones((count, n), bool)
    if "where" in names:
        where = rng.random((count, n)) < 0.6
        where[np.arange(count), labels] = True
        where[count // 3] = False
        options["where"] = where
    if "weight" in names:
        weight = rng.uniform(0.1, 2.0, n)
        weight[n // 2] = 0.0
        options["weight"] = weight
    if "sample_weight" in names:
        options["sample_weight"] = rng.uniform(0.1, 2.0, count)
        options["sample_weight"][count // 4] = 0.0
    if "label_smoothing" in names:
        options["label_smoothing"] = 0.1
    if "z_loss" in names:
        options["z_loss"] = 0.02
    if "ignore_index" in names:
        options["ignore_index"] = -100 if n < 4 else 1  # one that is no class, and one that is
        labels[rng.random(count) < 0.2] = options["ignore_index"]
    if "soft targets" not in names:
        return labels, options
    y = rng.standard_exponential((count, n)) ** 2
    y *= rng.uniform(0.5, 1.5, (count, 1)) / y.sum(axis=-1, keepdims=True)
    y[rng.random((count, n)) < 0.2] = 0.0
    for rows, mass in [(slice(1, None, 4), rng.uniform(0.5, 1.5)), (slice(2, None, 5), 1.0)]:  # one class alone
        y[rows] = 0.0
        y[rows][np.arange(len(y[rows])), labels[rows]] = mass
    return np.where(where, y, 0.0), options
