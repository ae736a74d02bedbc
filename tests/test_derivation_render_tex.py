"""LaTeX through a real engine: it compiles without a warning, and nothing sticks out of the page."""

import re
import shutil
import subprocess

import pytest

from derivation_fixture import ALL, rule
from softjac.derivation.render import render

pytestmark = pytest.mark.tex

WRAPPED = r"""\documentclass{article}
\usepackage{amsmath}
\usepackage{graphicx}
\begin{document}
%s
\end{document}
"""


def compiled(folder, source, engine="pdflatex"):
    (folder / "text.tex").write_text(source, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "text.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = run.stdout.decode("utf-8", "replace")
    assert run.returncode == 0, log[-3000:]
    assert (folder / "text.pdf").read_bytes().startswith(b"%PDF")
    return log


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_a_document_compiles_and_fits_the_page(tmp_path, engine):
    if engine != "pdflatex" and shutil.which(engine) is None:
        pytest.skip(f"no {engine}; pdflatex is the one that has to be there. Install texlive-luatex.")
    log = compiled(tmp_path, render(ALL, "latex", rule=rule), engine)
    assert not re.search(r"LaTeX Warning: (?!Label)", log), log
    assert "Missing character" not in log
    for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log):
        assert float(points) < 2, log


def test_a_fragment_compiles_in_a_document_of_somebody_else(tmp_path):
    compiled(tmp_path, WRAPPED % render(ALL, "latex", rule=rule, fragment=True))
