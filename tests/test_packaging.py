import json
import re
import tomllib
from importlib import metadata, resources
from pathlib import Path

import pytest

import softjac

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "softjac"


def in_clone():
    if not SOURCES.is_dir():
        pytest.skip("the sources are not here: run the tests in a clone")


def test_the_installed_package_is_tested():
    # Not src/: what users have is the installed package, with what meson.build puts into it.
    origin = json.loads(metadata.distribution("softjac").read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("an editable install: pip install . to test what users have")
    assert not Path(softjac.__file__).is_relative_to(ROOT / "src")


def test_version_is_that_of_the_metadata():
    assert softjac.__version__ == metadata.version("softjac")
    assert re.fullmatch(r"\d+\.\d+\.\d+", softjac.__version__)


def test_numpy_is_the_only_dependency():
    required = [line for line in metadata.requires("softjac") if "extra ==" not in line]
    assert required == ["numpy>=2.0"]


def test_extras():
    extras = set(metadata.metadata("softjac").get_all("Provides-Extra"))
    assert extras == {"cli", "check", "plot", "notebook", "test", "browser", "peers"}


def test_types_are_shipped():
    assert (resources.files("softjac") / "py.typed").is_file()


def test_the_command_line_is_an_entry_point():
    (entry,) = metadata.entry_points(group="console_scripts", name="softjac")
    assert entry.value == "softjac.cli:main"


def test_meson_installs_every_python_file():
    in_clone()
    installed = Path(softjac.__file__).parent
    for path in SOURCES.rglob("*"):
        name = path.relative_to(SOURCES)
        if path.suffix in {".py", ".pyi", ".typed", ".toml", ".css", ".html", ".js"} and "native" not in name.parts:
            assert (installed / name).is_file(), f"{name} is missing in python_sources of src/softjac/meson.build"


def test_hooks_use_the_versions_of_the_group_dev():
    in_clone()
    group = project_file()["dependency-groups"]["lint"]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    for name in ("ruff", "mypy", "import-linter"):
        (pinned,) = [line for line in group if line.startswith(f"{name}==")]
        assert f'"{pinned}"' in hooks
    for needed in [
        *project_file()["project"]["dependencies"],
        *project_file()["project"]["optional-dependencies"]["cli"],
    ]:
        assert f'"{needed}"' in hooks


def test_typer_is_one_that_works_with_the_click_it_brings():
    in_clone()
    # typer 0.15 sets no upper bound on click, and fails in the help of a command with click 8.5.
    assert "typer>=0.16" in project_file()["project"]["optional-dependencies"]["cli"]


def test_every_python_that_is_claimed_is_tested_and_gets_a_wheel():
    in_clone()
    project = project_file()
    claimed = {match[1] for line in project["project"]["classifiers"] if (match := re.search(r":: (3\.\d+)$", line))}
    if any("Free Threading" in line for line in project["project"]["classifiers"]):
        claimed.add(f"{max(claimed, key=lambda version: int(version[2:]))}t")
    wheels = {line.partition("-")[0] for line in project["tool"]["cibuildwheel"]["build"]}
    assert wheels == {"cp" + version.replace(".", "") for version in claimed}
    jobs = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert set(re.findall(r'"(3\.\d+t?)"', jobs)) == claimed


def project_file():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_what_contributing_names_is_there():
    in_clone()
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where things are")[2].partition("\nImports")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE)
    assert len(rows) > 5
    for row in rows:
        folder = ROOT
        for name in re.findall("`(.*?)`", row):
            path = ROOT / name if "/" in name.rstrip("/") or (ROOT / name).exists() else folder / name
            assert path.is_dir() if name.endswith("/") else path.is_file(), f"CONTRIBUTING.md names {name}"
            folder = path.parent
