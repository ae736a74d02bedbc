"""Every benchmark runs, on arrays of a few numbers; docs/benchmarks.md shows the saved results. No time is judged."""

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
PUBLISHED, PAGE = BENCHMARKS / "results" / "published.json", ROOT / "docs" / "benchmarks.md"
ABSENT = ("scipy", "torch", "jax", "linear_operator", "optax", "sklearn", "flint", "mpmath")

if not BENCHMARKS.exists():
    pytest.skip("benchmarks/ is not here: run the tests in a clone", allow_module_level=True)


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def benchmark(*arguments, **environment):
    done = run("-m", "benchmarks", *arguments, **environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def skip_before_the_first_run():
    if not PUBLISHED.exists() and not PAGE.exists():
        pytest.skip("nothing is published yet: python -m benchmarks --json benchmarks/results/published.json")


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """The tables printed by a tiny run of all, and what it saved."""
    saved = tmp_path_factory.mktemp("benchmarks") / "saved.json"
    code, tables, messages = benchmark("--quick", "--tiny", "--json", str(saved))
    assert code == 0, messages
    return tables, saved


@pytest.fixture(scope="module")
def path_without_peers(tmp_path_factory):
    """A PYTHONPATH on which no peer can be imported."""
    folder = tmp_path_factory.mktemp("no_peers")
    for name in ABSENT:
        (folder / f"{name}.py").write_text("raise ImportError('not for this test')\n")
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)


@pytest.fixture(scope="module")
def without_peers(path_without_peers, tmp_path_factory):
    """The tables and results of a tiny run without any peer, and without a C compiler."""
    saved = tmp_path_factory.mktemp("benchmarks") / "saved.json"
    options = ["--tiny", "--json", str(saved)]
    code, tables, messages = benchmark(*options, PYTHONPATH=path_without_peers, CC="no-such-compiler")
    assert code == 0, messages
    return tables, json.loads(saved.read_text())


def test_every_benchmark_runs_and_prints_its_rows(everything):
    tables, saved = everything
    results = json.loads(saved.read_text())["results"]
    modules = {path.stem for path in BENCHMARKS.glob("bench_*.py")}
    expected = modules if processors() > 1 else modules - {"bench_threads"}
    assert {result["module"] for result in results} == expected
    lines = tables.splitlines()
    for result in results:
        assert result["times"] or result["figures"] or result["skipped"]
        for figure in result["figures"]:
            start, pair = f"{result['threads']}        {result['case']} ", f" {figure['ours']} / {figure['peer']} "
            assert any(line.startswith(start) and pair in line for line in lines), (result["case"], pair)


def test_the_floors_of_the_table_are_all_judged(everything):
    _, saved = everything
    record = json.loads(saved.read_text())
    floors = [f["at_least"] for r in record["results"] for f in r["figures"] if f["at_least"] is not None]
    if not record["missing"] and processors() > 1 and shutil.which("cc"):
        assert set(floors) == {0.5, 0.6, 0.75, 0.8, 0.85, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0}
    limits = {f["unit"] for r in record["results"] for f in r["figures"] if f["at_most"] is not None}
    assert {"ms", "ulp"} >= limits >= {"ms"}


def test_the_saved_results_name_neither_host_nor_folder(everything):
    text = everything[1].read_text()
    assert json.loads(text)["machine"]["cores"] >= 1
    for name in (str(ROOT), str(Path.home()), str(Path(sys.prefix))):
        assert name not in text or name == "/"
    assert platform.node() not in text.split() or len(platform.node()) < 2


def test_the_page_can_be_made_of_a_tiny_run_and_says_so(everything):
    done = run("benchmarks/render.py", str(everything[1]))
    assert done.returncode == 0, done.stderr
    assert "This was a tiny run" in done.stdout.decode()


def test_absent_peers_are_skipped_with_the_reason(without_peers):
    tables, record = without_peers
    assert record["missing"] == {
        name: f"{name} is not installed"
        for name in ("SciPy", "torch", "JAX", "linear_operator", "optax", "scikit-learn")
    }
    reasons = tables.partition("\nskipped\n")[2]
    for reason in ("torch is not installed", "SciPy is not installed", "neither python-flint nor mpmath is installed"):
        assert reason in reasons
    assert "no C compiler" in reasons or processors() == 1


def test_the_loop_runs_in_two_threads():
    if not shutil.which(os.environ.get("CC", "cc")):
        pytest.skip("there is no C compiler for benchmarks/fma_loop.c: install cc")
    code = "from benchmarks.fma_loop import FmaLoop; print(FmaLoop()(2, 1 << 22), FmaLoop()(1, 1 << 22))"
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    both, one = (json.loads(f"[{part}]") for part in done.stdout.decode().strip("[]\n").split("] ["))
    assert len(both) == 2
    assert len(one) == 1
    # Each thread does half, by its own processor time. The bounds are wide: other work slows a core.
    assert all(0.05 * one[0] < seconds < 5 * one[0] for seconds in both)


def test_wrong_options_are_answered(path_without_peers):
    code, _, message = benchmark("--only", "(")
    assert code == 2
    assert "no regular expression" in message
    code, _, message = benchmark("--tiny", "--only", "no such benchmark", PYTHONPATH=path_without_peers)
    assert code == 2
    assert "matches no benchmark" in message


def test_the_page_is_made_of_the_published_results():
    skip_before_the_first_run()
    done = run("benchmarks/render.py", str(PUBLISHED))
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == PAGE.read_text(encoding="utf-8")


def test_the_published_results_are_of_a_whole_run_with_all_peers():
    skip_before_the_first_run()
    record = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert record["size"] == "full"
    assert record["missing"] == {}
    assert record["skipped"] == []
    assert record["failed"] == []


def test_flint_and_mpmath_agree():
    for name in ("flint", "mpmath"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed: pip install '.[test]'")
    code = (
        "from benchmarks.bench_accuracy import mpmath_oracle, oracle\n"
        "row = [0.5, -1.25, 80.0, -30.0, 79.5]\n"
        "assert oracle()(row) == mpmath_oracle()(row), (oracle()(row), mpmath_oracle()(row))"
    )
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
