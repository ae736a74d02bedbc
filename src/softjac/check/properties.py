"""One named test for each quality of a function, with pytest."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar

from softjac.check.front import Function, called_here, check, missing_extra
from softjac.check.kinds import KINDS
from softjac.check.model import LEVELS, Form, Given, Level, Reduction
from softjac.check.options import Axis, options_of
from softjac.check.report import Report
from softjac.check.report_lines import trouble
from softjac.errors import ArgumentError

Test = TypeVar("Test", bound=Callable[..., Any])


class Property:
    """One quality of a function; called, it raises AssertionError where the function lacks it."""

    def __init__(self, quality: str, report: Callable[[], Report]) -> None:
        self.quality = quality
        self._report = report

    def __call__(self) -> None:
        """Examine the function, once for all its properties, and look at this one."""
        __tracebackhide__ = True
        import pytest

        from softjac.check.cases import QUALITIES

        report = self._report()
        title = QUALITIES[self.quality].title
        if report.could_not:
            raise AssertionError(f"{report.source} could not be checked: {report.could_not}")
        asked = [j for j in report.examination.judgements if self.quality in {j.quality, j.probe.quality}]
        wrong = [j for j in asked if j.problem and j.quality == self.quality]
        if wrong:
            shown = f"{wrong[0].probe.name}: {trouble(wrong[0])}"
            raise AssertionError(
                f"{self.quality}: {title}\nIt is not, for {len(wrong)} of {len(asked)}; {shown}\n\n{report}"
            )
        ended = [j.outcome.fatal for j in report.examination.judgements if j.outcome.fatal]
        if not asked and ended:
            raise AssertionError(f"{self.quality}: {title}\nIt was not asked: {ended[0]}\n\n{report}")
        if any(j.quality == self.quality and j.probe.has_distributions for j in report.examination.asides):
            pytest.skip(f"{self.quality}: it takes labels, and a distribution for its largest class")
        if not asked:
            refused = [j for j in report.examination.asides if j.quality == self.quality and j.problem == "raised"]
            if refused:
                pytest.skip(f"{self.quality}: it refuses them, and may: {refused[0].outcome.error}")
            forms = " and ".join(report.examination.convention.forms)
            pytest.skip(f"{self.quality} is not asked of a function that is held to: {forms}")

    def __repr__(self) -> str:
        return f"<Property {self.quality}>"


def parametrize_with_properties(
    function: Function | str | os.PathLike[str],
    what: str,
    level: Level = "exercise",
    *,
    decimals: int = 4,
    given: Given | None = None,
    takes: Form | None = None,
    reduction: Reduction | None = None,
    axis: Axis = -1,
) -> Callable[[Test], Test]:
    """A decorator for pytest: the test runs once for each property, with `check`, a function without arguments.

        @softjac.check.parametrize_with_properties(softmax, "softmax", "stable")
        def test_softmax(check):
            check()

    The tests are named after the qualities: test_softmax[large_logits]. Arguments as for `softjac.check`, and `what`
    has to be given. Needs pytest. Raises ArgumentError for an option that there is not, DTypeError for what is no
    function.
    """
    import pytest

    if what is None:
        raise ArgumentError(f"what is None: pass one of {', '.join(KINDS)}, since each kind has tests of its own.")
    options = options_of(what, level, decimals, given, takes, reduction, axis)
    if callable(function) or not isinstance(function, str | os.PathLike):
        called_here(function)
    try:
        from softjac.check.cases import QUALITIES, probes
    except ImportError as error:
        raise missing_extra(error) from None

    @functools.cache
    def report() -> Report:
        return check(
            function, what, level=level, decimals=decimals, given=given, takes=takes, reduction=reduction, axis=axis
        )

    held = LEVELS[: LEVELS.index(options.level) + 1]
    asked = {probe.quality for probe in probes(str(options.what)) if probe.level in held}
    properties = [Property(quality, report) for quality in QUALITIES if quality in asked]
    mark: Callable[[Test], Test] = pytest.mark.parametrize("check", properties, ids=[one.quality for one in properties])
    return mark
