"""No right implementation is called wrong at the level that it reaches; what it is, is found from its output."""

import pytest

import softjac
from check_right_losses import RIGHT
from softjac.check.model import LEVELS


def test_there_are_many():
    assert len(RIGHT) >= 50
    assert len({case.name for case in RIGHT}) == len(RIGHT)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_conforms(case):
    report = softjac.check(case.function, level=case.reaches, **case.options)
    assert report.kind == case.kind
    assert report.conforms, str(report)
    assert report.mistake is None
    reached = LEVELS[: LEVELS.index(case.reaches) + 1]
    assert all(report.levels[level] for level in reached)
