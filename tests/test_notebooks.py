"""docs/notebooks/: what tools/make_notebooks.py makes, and every cell runs and gives the output that is stored."""

import importlib.util
import warnings

import pytest

from softjac import derivation
from test_readme import ROOT

SCRIPT = ROOT / "tools" / "make_notebooks.py"
FOLDER = ROOT / "docs" / "notebooks"
NAMES = ("cross_entropy_gradient", "softmax_jacobian")

if not SCRIPT.is_file():
    pytest.skip("tools/ is not here: run the tests in a clone", allow_module_level=True)
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'softjac[notebook]'")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_notebooks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stored(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_these_are_the_notebooks(script):
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(script.NOTEBOOKS) == list(NAMES)


def test_together_they_have_every_part(script):
    parts = [part for _, parts in script.NOTEBOOKS.values() for part in parts]
    assert tuple(parts) == derivation.parts()


@pytest.mark.parametrize("name", NAMES)
def test_the_cells_are_what_the_script_makes(name, script):
    here, made = stored(name), script.made(name)
    assert [(cell.cell_type, cell.id, cell.source) for cell in here.cells] == [
        (cell.cell_type, cell.id, cell.source) for cell in made.cells
    ]
    assert here.metadata == made.metadata
    assert (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8") == script.written(here)
    assert all(key.startswith("cell-") for key in (cell.id for cell in here.cells))
    assert sum(cell.cell_type == "code" for cell in here.cells) >= 5


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_runs_and_gives_the_stored_output(name, script):
    for package in ("nbclient", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install 'softjac[test]'")
    here = stored(name)
    for cell in here.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Jupyter's own packages
        ran = script.executed(here)
    assert [cell.get("outputs") for cell in ran.cells] == [cell.get("outputs") for cell in stored(name).cells]
    assert script.written(ran) == (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert any(cell.get("outputs") for cell in ran.cells)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_what_the_derivation_says_the_code_shows(name, script):
    """The text of a cell's output, against the digits that the derivation computed by itself."""
    shows = [block.shows.strip() for block in script.derivation_of(name).blocks if isinstance(block, derivation.Code)]
    printed = [
        "".join(output.text for output in cell.outputs).strip()
        for cell in stored(name).cells
        if cell.cell_type == "code"
    ]
    assert printed == shows
