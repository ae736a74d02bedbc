"""Every code block of README.md and docs/ is run, and has to print what stands below it.

pycon    a Python session, run as a doctest; the blocks of a file share their names, from top to bottom
python   a script, run among them; below a comment "<!-- file: NAME -->" a file for the console blocks, not run here
console  lines "$ command", run by bash in one folder a page, each with its output; there are its files, and no others
sh       the README's two commands, which .ci/run copies from there and runs
text     no code: formulas, figures

A block that cannot be run here follows a comment "<!-- not run: the reason -->".
"""

import doctest
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if path.exists()]
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]
BLOCK = re.compile(
    r"(?P<excuse><!-- not run: .+? -->\n+)?(?:<!-- file: (?P<file>\S+) -->\n+)?"
    r"^(?P<indent> *)```(?P<kind>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$",
    flags=re.MULTILINE | re.DOTALL,
)

if not FILES:
    pytest.skip("README.md is not here: run the tests in a clone", allow_module_level=True)


@dataclass(frozen=True)
class Block:
    kind: str
    body: str
    line: int
    file: str | None = None


def blocks(path):
    text = path.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        if match["excuse"]:
            continue
        body = re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
        line = text.count("\n", 0, match.start("body")) + 1
        found.append(Block(match["kind"].strip(), body, line, match["file"]))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_block_is_of_a_kind_that_is_run(name):
    for block in blocks(ROOT / name):
        allowed = {"pycon", "python", "console", "text"} | ({"sh"} if name == "README.md" else set())
        assert block.kind in allowed, f"{name}:{block.line}: a block of kind {block.kind!r} would not be run"


@pytest.mark.parametrize("name", NAMES)
def test_python_blocks_print_what_they_show(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    parser, runner, report = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False), []
    for block in blocks(ROOT / name):
        if block.kind == "pycon":
            session = parser.get_doctest(block.body, names, name, name, block.line - 1)
            runner.run(session, out=report.append, clear_globs=False)
            names = session.globs
        elif block.kind == "python" and not block.file:
            exec(compile(block.body, f"{name}:{block.line}", "exec"), names)
    assert not report, "".join(report)


@pytest.mark.parametrize("name", NAMES)
def test_console_blocks_print_what_they_show(name, tmp_path):
    sessions = [block for block in blocks(ROOT / name) if block.kind == "console"]
    if not sessions:
        return
    if shutil.which("bash") is None or os.name == "nt":
        pytest.skip("there is no bash here")
    if importlib.util.find_spec("typer") is None:
        pytest.skip("the command line is not installed: pip install 'softjac[cli]'")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SOFTJAC_", "LC_", "LANG"))}
    environment |= {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    environment |= {"LC_ALL": "C.UTF-8", "TERM": "dumb"}
    for block in blocks(ROOT / name):
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.body, encoding="utf-8")
    for block in sessions:
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.body, flags=re.MULTILINE):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.stdout.rstrip("\n") == expected.rstrip("\n"), f"{name}:{block.line}: {command}"


def test_the_readme_installs_with_two_commands():
    commands = next(block for block in blocks(ROOT / "README.md") if block.kind == "sh").body.splitlines()
    assert commands == [
        "python3 -m venv .venv && .venv/bin/pip install '.[cli]' && .venv/bin/softjac jacobian 1 2 3",
        "python3 -m venv .venv && .venv/bin/pip install '.[cli,test]' && .venv/bin/pytest",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_links_between_the_pages_lead_somewhere(name):
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith(("http://", "https://", "#")):
            assert ((ROOT / name).parent / target.partition("#")[0]).exists(), f"{name} links to {target}"
