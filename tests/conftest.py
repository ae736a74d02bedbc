"""What the tests share: softjac on both of its kernels, and the rules for tests that cannot run here."""

import os
import sys
import zlib
from importlib import import_module
from types import ModuleType

import pytest
from hypothesis import settings

import softjac
from rendering_engines import missing_for
from softjac import kernels

# The same examples in every run. HYPOTHESIS_PROFILE=explore draws new ones.
settings.register_profile("repeat", derandomize=True, deadline=None, database=None, max_examples=250)
settings.register_profile("explore", derandomize=False, deadline=None, database=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))

NO_CORE = f"no compiled core: {kernels.why_no_native}. Install with a C++ compiler, or unset SOFTJAC_DISABLE_CORE."


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in ("tex", "browser"):
        missing = missing_for(name) if item.get_closest_marker(name) else None
        if missing and os.environ.get("SOFTJAC_REQUIRE_RENDERERS", "") not in {"", "0"}:
            pytest.fail(f"SOFTJAC_REQUIRE_RENDERERS is set, but there is {missing}")
        if missing:
            pytest.skip(missing)
    if kernels.native is None and item.get_closest_marker("compiled"):
        if os.environ.get("SOFTJAC_REQUIRE_CORE", "") not in {"", "0"}:
            pytest.fail(f"SOFTJAC_REQUIRE_CORE is set, but {NO_CORE}")
        pytest.skip(NO_CORE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """SOFTJAC_SHARE=3 runs the first and about a third of the other cases of each test: for where each takes long.

    Which ones is a hash of their names, so that no value of a parameter falls out in step with the others.
    """
    share = int(os.environ.get("SOFTJAC_SHARE", "1"))
    met: set[str] = set()
    left, out = [], []
    for item in items:
        test = item.nodeid.partition("[")[0]
        (left if test not in met or zlib.crc32(item.nodeid.encode()) % share == 0 else out).append(item)
        met.add(test)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = left


def softjac_modules() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "softjac"}


@pytest.fixture(scope="session")
def modules_without_core():
    """A second softjac in this process, loaded as under SOFTJAC_DISABLE_CORE=1."""
    first = softjac_modules()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTJAC_DISABLE_CORE", "1")
        for name in first:
            del sys.modules[name]
        try:
            second = import_module("softjac")
            assert import_module("softjac.kernels").native is None
            return {"softjac": second, **softjac_modules()}
        finally:
            for name in softjac_modules():
                del sys.modules[name]
            sys.modules.update(first)


@pytest.fixture(params=[pytest.param("compiled", marks=pytest.mark.compiled), "reference"])
def kernels_in_use(request):
    return request.param


@pytest.fixture
def sj(kernels_in_use, request):
    """The package, once on the compiled core and once on the reference. Test modules import no softjac themselves."""
    if kernels_in_use == "compiled":
        yield softjac
        return
    without_core = request.getfixturevalue("modules_without_core")
    first = softjac_modules()
    for name in first:
        del sys.modules[name]
    sys.modules.update(without_core)
    try:
        yield without_core["softjac"]
    finally:
        without_core.update(softjac_modules())  # those that were loaded on demand
        for name in softjac_modules():
            del sys.modules[name]
        sys.modules.update(first)


@pytest.fixture
def compiled():
    """The compiled core, for tests that are about nothing else; they also carry the marker `compiled`."""
    return kernels.native


@pytest.fixture
def submission(tmp_path):
    """Write a file for the checker, with its imports in front; hand back its path."""
    from check_submissions import write_submission  # here, since it loads the checker

    return lambda body, name="student.py": write_submission(tmp_path / name, body)
