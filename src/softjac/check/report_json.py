"""A report as JSON: one object, in which what is not finite is null."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from softjac.check.model import Diagnosis

if TYPE_CHECKING:
    from softjac.check.report import Report


def written(report: Report, reveal: str) -> str:
    """The object as text, with a line break at its end."""
    return json.dumps(plain(report, reveal), indent=2) + "\n"


def plain(report: Report, reveal: str) -> dict[str, Any]:
    """What the report says, as data. What `reveal` keeps back is not in it."""
    examination = report.examination
    convention = examination.convention
    hint = reveal == "hint"
    return {
        "source": report.source,
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "could_not": report.could_not or None,
        "kind": report.kind,
        "guessed": examination.guessed or None,
        "level": report.level,
        "reached": report.reached,
        "levels": report.levels,
        "decimals": examination.decimals,
        "mistake": None if hint else report.mistake,
        "main": _plain(report.main, reveal) if report.main else None,
        "also": [_plain(diagnosis, reveal) for diagnosis in report.also],
        "largest_error": _number(report.largest_error),
        "largest_error_at": report.worst_error.probe.name if report.worst_error else None,
        "largest_ulps": _number(report.largest_ulps),
        "largest_ulps_at": report.worst_ulps.probe.name if report.worst_ulps else None,
        "ulp_of": report.worst_ulps.ulp_of if report.worst_ulps else None,
        "notes": list(report.notes),
        "called": {
            "library": convention.library,
            "forms": list(convention.forms),
            "given": convention.given,
            "axis_keyword": convention.axis_keyword or None,
            "swapped": convention.swapped,
            "targets": list(convention.targets),
            "reduction": convention.reduction,
            "gradient": convention.gradient,
            "guesses": list(convention.guesses),
            "stated": list(convention.stated),
        },
        "covered": {name: {"right": right, "asked": asked} for name, (right, asked) in report.covered.items()},
        "cannot": list(report.cannot),
        "printed": _text(report.printed) | {"at_import": _text(report.printed_at_import)},
    }


def _plain(diagnosis: Diagnosis, reveal: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "level": diagnosis.level,
        "symptom": list(diagnosis.symptom),
        "experiment": diagnosis.experiment,
    }
    if reveal != "hint":
        found |= {
            "name": diagnosis.name or None,
            "title": diagnosis.title,
            "why": diagnosis.why,
            "seen": list(diagnosis.seen),
            "others": list(diagnosis.others),
        }
    if reveal == "fix":
        found["fix"] = diagnosis.fix
    return found


def _text(printed: tuple[str, int]) -> dict[str, Any]:
    return {"start": printed[0], "length": printed[1]}


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
