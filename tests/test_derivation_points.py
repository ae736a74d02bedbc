"""The fixed logits are in general position, and the digits of a point are those that its gap needs."""

from decimal import Decimal
from itertools import combinations

import pytest

from derivation_samples import point
from softjac.derivation.evaluate import evaluate
from softjac.derivation.expressions import Vector
from softjac.derivation.points import general, one_hot, reader_point, soft

POINTS = [(n, variant) for n in (3, 4, 5, 6) for variant in (0, 1)]


@pytest.mark.parametrize(("n", "variant"), POINTS)
def test_general_logits_have_no_coincidence(n, variant):
    logits = general(n, variant).logits
    assert len(logits) == n
    assert all(abs(z) < 3 and z not in {0, 1} for z in logits)
    steps = [abs(a - b) for a, b in combinations(logits, 2)]
    for values in (logits, steps, [abs(z) for z in logits]):
        assert all(abs(a - b) > Decimal("0.05") for a, b in combinations(values, 2))


@pytest.mark.parametrize(("n", "variant"), POINTS)
def test_general_probabilities_have_no_coincidence(n, variant):
    at = general(n, variant)
    (p,) = zip(*evaluate(Vector("p"), at), strict=True)
    values = [*p, *at.targets, *(1 - x for x in p), *(a * b for a, b in combinations(p, 2))]
    assert all(abs(a - b) > Decimal("2e-4") for a, b in combinations(values, 2))
    assert min(p) > Decimal("0.001")


@pytest.mark.parametrize("n", range(1, 60))
def test_label_distributions(n):
    assert sum(soft(n)) == 1
    assert all(0 < y <= 1 for y in soft(n))
    assert len(set(soft(n))) == n
    assert one_hot(n - 1, n) == (0,) * (n - 1) + (1,)


def test_general_logits_of_many_classes():
    assert len(set(general(200).logits)) == 200


def test_digits_grow_with_the_gap():
    assert point("1", "2", "3").digits == 91
    assert point("0", "800").digits >= 90 + 800 / 2.303
    assert point("1e15", "1e15").digits == 106
    assert point("1", "2", "3", nudge=("100", "0", "0")).digits >= point("1", "2", "3").digits + 200 / 2.303


def test_classes_to_check():
    assert point("5", "5", "1").classes_to_check() == (0, 1, 2)
    many = reader_point(tuple(Decimal(k * 7 % 50) for k in range(50)), label=9)
    assert [many.logits[k] for k in (7, 14, 0)] == [49, 48, 0]
    assert many.classes_to_check() == (0, 7, 9, 14)


def test_free_values():
    at = point("1", "2", nudge=("0.1", "0"))
    assert at.free_value("dz", (0,)) == Decimal("0.1")
    assert at.free_value("a", (0,)) == at.free_value("a", (0,)) != at.free_value("a", (1,))
    assert at.free_value("W", (0, 1)) != at.free_value("W", (1, 0))
    assert general(3).free_value("dz", (0,)) != 0


def test_points_are_values():
    assert point("1", "2") == point("1", "2")
    assert hash(point("1", "2")) == hash(point("1", "2"))
    with pytest.raises(AttributeError):
        point("1").label = 0
