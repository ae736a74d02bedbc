"""docs/scoreboard.md: every implementation has its row, and what needs no framework is run again."""

import importlib
import re
import sys
import warnings

import pytest

import softjac
from softjac import kernels
from test_readme import ROOT

PAGE = ROOT / "docs" / "scoreboard.md"
NEED_NO_FRAMEWORK = {"softjac", "NumPy", "SciPy"}

if not (ROOT / "benchmarks").exists():
    pytest.skip("benchmarks/ is not here: run the tests in a clone", allow_module_level=True)


@pytest.fixture(scope="module")
def benchmarks():
    """Scripts beside the tests, which are not installed."""
    sys.path.insert(0, str(ROOT))
    try:
        yield {
            name: importlib.import_module(f"benchmarks.{name}") for name in ("scoreboard", "scoreboard_peers", "peers")
        }
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def contenders(benchmarks):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what libraries do as they are loaded
        return benchmarks["scoreboard_peers"].contenders(benchmarks["peers"].Peers(threads=1))


def rows_of_page():
    """Kind and form -> cells of the row."""
    found, kind = {}, ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"`--what (\w+)`", line):
            kind = match[1]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if kind and line.startswith("| ") and cells[1].startswith("`"):
            found[kind, cells[0], cells[1].strip("`")] = cells
    return found


def test_every_implementation_has_its_row(contenders):
    here = {(one.kind, one.library, one.form) for one in contenders}
    libraries = {library for _, library, _ in here}
    assert {key for key in rows_of_page() if key[1] in libraries} == here
    assert {one.kind for one in contenders if one.library == "softjac"} == set(softjac.check.kind_names())


def test_rows_say_what_the_checker_says(benchmarks, contenders):
    """Largest errors are compared where the page's are this machine's: softjac's are its compiled core's."""
    scoreboard, written = benchmarks["scoreboard"], rows_of_page()
    headings = scoreboard.HEADINGS
    own = () if kernels.native else ("ordinary", "hard")
    for one in contenders:
        if one.library not in NEED_NO_FRAMEWORK:
            continue
        cells = dict(zip(headings, written[one.kind, one.library, one.form], strict=True))
        row = scoreboard.row(one)
        of_machine = own if one.library == "softjac" else ("exact", "ordinary", "hard")
        same = [heading for heading in headings if heading not in of_machine]
        assert {heading: row[heading] for heading in same} == {heading: cells[heading] for heading in same}, one.form


def test_softjac_reaches_every_level():
    own = [cells for (_, library, _), cells in rows_of_page().items() if library == "softjac"]
    assert len(own) == len(softjac.check.kind_names())
    assert all(cells[3:6] == ["all"] * 3 and cells[-1] == "all" for cells in own)
