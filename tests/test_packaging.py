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
    assert extras == {"cli", "check", "plot", "notebook", "test", "peers"}


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
        if path.suffix in {".py", ".pyi", ".typed"} and "native" not in name.parts:
            assert (installed / name).is_file(), f"{name} is missing in python_sources of src/softjac/meson.build"


def test_hooks_use_the_versions_of_the_group_dev():
    in_clone()
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["lint"]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    for name in ("ruff", "mypy", "import-linter"):
        (pinned,) = [line for line in group if line.startswith(f"{name}==")]
        assert f'"{pinned}"' in hooks
