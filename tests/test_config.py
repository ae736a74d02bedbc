"""show_config says what computes, and why; the environment variables do what it says."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

SHOW = "import softjac; print(softjac.show_config())"


def run(code, **environment):
    settings = {key: value for key, value in os.environ.items() if not key.startswith("SOFTJAC_")}
    return subprocess.run(
        [sys.executable, "-c", code], env={**settings, **environment}, capture_output=True, text=True, check=False
    )


def test_lines(sj):
    lines = str(sj.show_config()).splitlines()
    assert lines[0] == f"softjac {sj.__version__}"
    assert [line.partition(":")[0] for line in lines[1:]] == ["kernels", "threads", "versions"]
    assert f"NumPy {np.__version__}" in lines[3]
    assert "Python {}.{}.{}".format(*sys.version_info) in lines[3]


def test_a_session_shows_it_line_by_line(sj):
    assert repr(sj.show_config()) == str(sj.show_config())


def test_which_kernels(sj, kernels_in_use):
    text = str(sj.show_config())
    if kernels_in_use == "compiled":
        assert re.search(r"kernels: the compiled core with \S+ \(SOFTJAC_ISA may name one of ", text)
        assert f"threads: {sj.get_num_threads()}" in text
    else:
        assert (
            "kernels: the reference in NumPy, because the compiled core is missing (SOFTJAC_DISABLE_CORE is set)"
            in text
        )
        assert "threads: 1 " in text


def test_the_core_can_be_left_out():
    for value in ("1", "yes"):
        done = run(SHOW, SOFTJAC_DISABLE_CORE=value)
        assert "the reference in NumPy, because the compiled core is missing (SOFTJAC_DISABLE_CORE" in done.stdout
    default = run(SHOW)
    for value in ("", "0"):
        assert run(SHOW, SOFTJAC_DISABLE_CORE=value).stdout == default.stdout


@pytest.mark.compiled
def test_an_instruction_set_can_be_forced(compiled):
    for name in compiled.available_isas():
        assert f"the compiled core with {name} " in run(SHOW, SOFTJAC_ISA=name).stdout


@pytest.mark.compiled
def test_an_unknown_instruction_set_is_an_error_that_lists_those_there_are(compiled):
    done = run(SHOW, SOFTJAC_ISA="sse9")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "SOFTJAC_ISA" in last
    assert "sse9" in last
    for name in compiled.available_isas():
        assert name in last


def test_a_core_that_does_not_load_is_no_silence(tmp_path):
    """A broken extension module falls back to the reference, and the text gives the reason."""
    code = f"""
import importlib.machinery, importlib.util, sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "softjac.kernels._native":
            raise ImportError("libstdc++.so.6: cannot open shared object file")
sys.meta_path.insert(0, Broken())
{SHOW}
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert "missing (it does not load: libstdc++.so.6: cannot open shared object file)" in done.stdout
