"""No right implementation is called wrong at the level that it reaches."""

import pytest

import softjac
from check_right import RIGHT

LEVELS = ("exercise", "stable", "exact")


def test_there_are_many():
    assert len(RIGHT) >= 50
    assert len({case.name for case in RIGHT}) == len(RIGHT)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_conforms(case):
    report = softjac.check(case.function, case.kind, level=case.reaches, **case.options)
    assert report.conforms, str(report)
    assert report.mistake is None
    for level in LEVELS[: LEVELS.index(case.reaches)]:
        assert softjac.check(case.function, case.kind, level=level, **case.options).conforms


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_kind_is_found_from_the_output_alone(case):
    """Most names say nothing: what comes back has to tell."""
    report = softjac.check(case.function, level=case.reaches, **case.options)
    assert report.conforms, str(report)
    assert report.kind == case.kind
