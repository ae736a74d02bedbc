"""The row kernels by themselves, without Python around them (tests/native): NEON under an emulator gives this machine's
bits, and no kernel of this machine reads or writes past an operand.
"""

import os

import numpy as np
import pytest

import native_cases
import native_programs
from native_programs import skip

pytestmark = pytest.mark.compiled
SANITIZERS = "SOFTJAC_REQUIRE_SANITIZERS"
NEON = "SOFTJAC_REQUIRE_NEON"


@pytest.fixture(scope="module")
def all_cases():
    """Each case with what the harness reads, and where its result will lie."""
    return [(case, *native_cases.encode(case)) for case in native_cases.cases()]


@pytest.fixture(scope="module")
def wanted(all_cases):
    """The results of this machine's core, as it is installed."""
    from softjac.kernels import native

    return [native_cases.expected(native, case) for case, _, _ in all_cases]


def run_all(all_cases, level, how, **options):
    try:
        return native_programs.run("harness", level, how, b"".join(read for _, read, _ in all_cases), **options)
    except native_programs.ProgramFailedError as error:
        ends = np.cumsum([out.block.nbytes for _, _, out in all_cases])
        at = int(np.searchsorted(ends, len(error.output), side="right"))
        pytest.fail(f"in {all_cases[min(at, len(ends) - 1)][0]}: {error}")


def check(all_cases, wanted, results):
    start, wrong = 0, []
    for (case, _, out), values in zip(all_cases, wanted, strict=True):
        block = np.frombuffer(results, np.uint8, out.block.nbytes, start).copy()
        start += block.nbytes
        view = np.ndarray(out.view.shape, out.view.dtype, block.data, out.offset, out.view.strides)
        beside, before = block.copy(), out.block.copy()
        for untouched in (beside, before):
            np.ndarray(view.shape, view.dtype, untouched.data, out.offset, view.strides)[...] = 0
        got = np.ascontiguousarray(view).reshape(values.shape)
        if not np.array_equal(beside, before):
            wrong.append(f"{case}: wrote beside its result")
        differing = native_cases.differing(got, values, case.dtype)
        if differing.any():
            at = tuple(int(i) for i in np.argwhere(differing)[0])
            wrong.append(f"{case}: {differing.sum()} results differ, first {at}: {got[at]!r}, here {values[at]!r}")
    assert start == len(results)
    assert not wrong, f"{len(wrong)} of {len(all_cases)} cases:\n" + "\n".join(wrong[:20])


def test_cases_cover_all():
    met = {(case.op, case.dtype, case.operands[0].shape[1]) for case in native_cases.cases()}
    for op, _ in native_cases.OPS:
        for dtype in native_cases.DTYPES:
            assert {n for o, d, n in met if (o, d) == (op, dtype)} >= set(native_cases.LENGTHS)


def test_neon_gives_the_same_bits(all_cases, wanted):
    if reason := native_programs.missing("neon"):
        skip(reason, NEON)
    check(all_cases, wanted, run_all(all_cases, "neon", "guard"))


def levels_here():
    from softjac.kernels import native

    return [] if native is None else [isa for isa in native.available_isas() if isa in native_programs.LEVELS]


@pytest.mark.parametrize("level", levels_here())
def test_no_access_outside_of_the_operands(level, all_cases, wanted):
    if os.environ.get(SANITIZERS, "") in {"", "0"}:
        pytest.skip(f"building with sanitizers takes minutes: set {SANITIZERS}=1 to have it done")
    if reason := native_programs.missing(level):
        skip(reason, SANITIZERS)
    native_programs.build_all("harness", levels_here(), sanitized=True)
    for how in ("heap", "odd"):
        check(all_cases, wanted, run_all(all_cases, level, how, sanitized=True))
