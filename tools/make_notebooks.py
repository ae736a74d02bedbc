#!/usr/bin/env python3
"""Make docs/notebooks/: the derivation of softjac.derivation as notebooks, executed.

    python tools/make_notebooks.py            write them
    python tools/make_notebooks.py --check    exit with 1 where one is not what it would write

Needs the extra softjac[notebook], with nbclient and ipykernel. tests/test_notebooks.py runs what is here.
"""

import argparse
import copy
import os
import sys
from itertools import takewhile
from pathlib import Path
from typing import Any

import nbformat

from softjac import derivation
from softjac.derivation import Derivation, Heading
from softjac.derivation.blocks import PART_LEVEL

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
LOGITS = (1, 2, 3)
LABEL = 2
NUDGE = (0.1, 0, 0)
NOTEBOOKS = {
    "softmax_jacobian": (
        "The softmax Jacobian",
        ("softmax", "jacobian", "quotient", "logarithm", "matrix", "nudge"),
    ),
    "cross_entropy_gradient": ("The gradient of the cross-entropy", ("cross-entropy",)),
}
"""Their names, titles and parts."""
TIMEOUT_S = 300


def derivation_of(name: str) -> Derivation:
    """What the notebook of a name says: the opening, and its parts of the whole text."""
    whole = derivation.explain(LOGITS, label=LABEL, nudge=NUDGE)
    title, parts = NOTEBOOKS[name]
    blocks = [*takewhile(lambda block: not (isinstance(block, Heading) and block.level == PART_LEVEL), whole.blocks)]
    for part in parts:
        blocks += whole.part(part).blocks
    return Derivation((title,), tuple(blocks))


def made(name: str) -> Any:
    """The notebook as the renderer makes it, not executed."""
    return nbformat.reads(derivation_of(name).to("ipynb"), as_version=4)


def executed(notebook: Any) -> Any:
    """A copy with the outputs of its cells, and nothing that changes from run to run. Raises where a cell fails."""
    from nbclient import NotebookClient

    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    run = NotebookClient(
        copy.deepcopy(notebook), timeout=TIMEOUT_S, kernel_name="python3", record_timing=False
    ).execute()
    run.metadata = copy.deepcopy(notebook.metadata)  # without the version of the Python that ran it
    return run


def written(notebook: Any) -> str:
    """As text, the way the renderer writes it."""
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a notebook differs")
    check = parser.parse_args().check
    differ = 0
    for name in NOTEBOOKS:
        path, text = FOLDER / f"{name}.ipynb", written(executed(made(name)))
        if check:
            same = path.is_file() and path.read_text(encoding="utf-8") == text
            differ += not same
            print(f"{path.name}: {'as made' if same else 'differs from what this script makes'}")
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{path.name}: written")
    return min(differ, 1)


if __name__ == "__main__":
    sys.exit(main())
