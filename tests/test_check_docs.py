"""docs/check.md: its tables and its figures. test_readme.py runs its sessions."""

import re
import subprocess
import sys

import softjac
from cli_helpers import output
from softjac.check.cases import QUALITIES
from softjac.check.mistakes import MISTAKES
from softjac.check.model import LEVELS
from softjac.check.process import MEMORY_LIMIT, TIME_LIMIT, TIME_LIMIT_WITH_JAX
from test_cross_entropy_docs import tables
from test_readme import ROOT

TEXT = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
KINDS, LEVEL_ROWS, NAMES = tables(TEXT)


def test_every_kind_is_in_the_table():
    assert tuple(row[0].strip("`") for row in KINDS) == softjac.check.kind_names()


def test_every_level_is_in_the_table():
    assert tuple(row[0].strip("`") for row in LEVEL_ROWS) == LEVELS
    assert {quality.level for quality in QUALITIES.values()} == set(LEVELS)


def test_every_mistake_is_in_the_table():
    assert [tuple(row) for row in NAMES] == [(f"`{m.name}`", m.title, m.level) for m in MISTAKES]
    assert set(softjac.check.mistake_names()) == {m.name for m in MISTAKES}


def test_the_options_that_are_named_are_there():
    named = set(re.findall(r"`(--[a-z-]+)", TEXT)) - {"--level"}
    in_help = set(re.findall(r"(--[a-z-]+)", output("check", "-h")))
    assert named <= in_help, named - in_help


def test_the_limits_that_are_said():
    assert float(re.search(r"`--time-limit`; (\d+) seconds", TEXT)[1]) == TIME_LIMIT
    assert float(re.search(r"calls, and (\d+)\nwhere its code uses JAX", TEXT)[1]) == TIME_LIMIT_WITH_JAX
    assert float(re.search(r"`--memory-limit`, (\d+) GB", TEXT)[1]) * 1e9 == MEMORY_LIMIT


def test_the_tests_that_are_shown_run_under_pytest(tmp_path):
    code = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (block,) = [text for text in code if "assert_conforms" in text]
    (tmp_path / "test_mine.py").write_text(block)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "test_mine.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed", done.stdout)
