"""No warning, whatever np.errstate says; floating-point flags left clear; no harm from modes that others have set."""

import ctypes
import ctypes.util
import platform
import sys
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

from functions import BFLOAT16, DTYPE_NAMES, DTYPES, FUNCTIONS, NAMES, bits, same_bits
from hard_rows import limits

MODES = ["raise", "warn", "call", "print", "ignore"]
NOT_INEXACT = {"x86_64": 0x1D, "aarch64": 0x0F}  # FE_ALL_EXCEPT without FE_INEXACT (and x86's denormal operand)
DIVISION_BY_ZERO = {"x86_64": 0x04, "aarch64": 0x02}
UPWARD = {"x86_64": 0x800, "aarch64": 0x400000}
MACHINE = platform.machine()


def provoking(function, dtype):
    """Operands that make careless arithmetic overflow, underflow, divide by zero and subtract infinities."""
    most, least, _ = limits(dtype)
    inf, nan = np.inf, np.nan
    logits = [
        [0.0, 1.0, 2.0, -1.0],
        [inf, inf, 0.0, -inf],
        [inf, 0.0, -inf, 1.0],
        [-inf, -inf, -inf, -inf],
        [nan, inf, 0.0, 1.0],
        [most, -most, most, -most],
        [most, most, most, most],
        [least, -least, 0.0, -0.0],
        [0.0, -20.0, -100.0, -745.0],
        [0.0, -1e4, -3e4, -6e4],
    ]
    tangents = [
        [1.0, 2.0, 3.0, 4.0],
        [inf, -inf, 1.0, 0.0],
        [most, most, -most, most],
        [nan, 1.0, 2.0, 3.0],
        [least, -least, least, 0.0],
        [-inf, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
    ]
    with np.errstate(all="ignore"):
        z, v = np.asarray(logits).astype(dtype), np.asarray(tangents).astype(dtype)
    if function.takes_probs:
        z = np.asarray([[0.25] * 4, [1, 0, 0, 0], [0, 0, 0, 0], [nan, 1, 0, 0], [least, 1, least, 0]], dtype)
    for shift in range(len(v)):
        chosen = [np.resize(np.roll(v, shift * (t + 1), axis=0), z.shape) for t in range(function.tangents)]
        yield [z, *chosen]
        if not function.tangents:
            return


@contextmanager
def silence_is_expected(mode):
    """Everything that NumPy does with an error ends in a failure of the test."""

    class Log:
        def write(self, text):
            raise AssertionError(text)

    def call(kind, flag):
        raise AssertionError(f"{kind}, flag {flag}")

    before = np.seterrcall(Log() if mode == "log" else call)
    try:
        with np.errstate(all=mode), warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        np.seterrcall(before)


@pytest.mark.parametrize("mode", [*MODES, "log"])
@pytest.mark.parametrize("name", NAMES)
def test_no_warning_under_any_errstate(name, mode, sj, capfd):
    function = FUNCTIONS[name]
    for dtype in [*DTYPES, np.dtype(np.longdouble)]:
        where = np.asarray([True, False, True, True])
        for operands in provoking(function, np.dtype(np.float64) if dtype.itemsize > 8 else dtype):
            given = [operand.astype(dtype) for operand in operands]
            across = [operand.T for operand in given]
            swapped = given if dtype in BFLOAT16 else [x.astype(dtype.newbyteorder()) for x in given]
            with silence_is_expected(mode):
                result = function(sj, *given)
                function(sj, *given, where=where)
                function(sj, *across, axis=0, where=where[:, None])
                function(sj, *swapped)
                function(sj, *given, out=np.empty_like(result))
                if dtype == np.float64:
                    function(sj, *(x.tolist() for x in given))
                    function(sj, *(np.ma.masked_array(x, mask=~np.isfinite(x)) for x in given))
            assert np.geterr() != {}
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("mode", MODES)
def test_the_users_errstate_is_left_alone(mode, sj):
    with np.errstate(all=mode):
        before = np.geterr()
        sj.softmax(np.asarray([np.nan, np.inf]))
        sj.softmax([1, 2])
        sj.softmax_jacobian(np.ones((2, 2), np.float16))
        with pytest.raises(sj.SoftjacError):
            sj.softmax("no numbers")
        assert np.geterr() == before


def test_signalling_nans_are_silent(sj):
    patterns = {
        np.dtype(np.float16): 0x7C01,
        np.dtype(np.float32): 0x7F800001,
        np.dtype(np.float64): 0x7FF0000000000001,
    }
    patterns |= dict.fromkeys(BFLOAT16, 0x7F81)
    for dtype, pattern in patterns.items():
        row = np.zeros(4, dtype)
        row.view(f"u{dtype.itemsize}")[1] = pattern
        for name, function in FUNCTIONS.items():
            for number in range(function.operands):
                operands = [row if i == number else np.full(4, 0.25, dtype) for i in range(function.operands)]
                with silence_is_expected("raise"):
                    result = function(sj, *operands)
                    masked = function(sj, *operands, where=np.asarray([True, False, True, True]))
                with np.errstate(invalid="ignore"):
                    assert np.isnan(result).all(), (name, dtype)
                    assert not np.isnan(masked).any(), (name, dtype)


# ---------------------------------------------------------------------------------- the processor's own flags and modes


@pytest.fixture
def libm():
    if not sys.platform.startswith("linux") or MACHINE not in NOT_INEXACT:
        pytest.skip("the values of <fenv.h> are known here for Linux on x86-64 and aarch64 only")
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    environment = ctypes.create_string_buffer(64)
    library.fegetenv(environment)
    yield library
    library.fesetenv(environment)


def flags(libm):
    return libm.fetestexcept(NOT_INEXACT[MACHINE])


@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_flags_are_left_clear(name, dtype, sj, libm):
    function = FUNCTIONS[name]
    for operands in provoking(function, dtype):
        with np.errstate(all="raise"):
            libm.feclearexcept(0x3F)
            function(sj, *operands)
            assert flags(libm) == 0
            assert 1.0 / np.asarray([2.0]) == 0.5  # NumPy sees no flag of ours


@pytest.mark.compiled
@pytest.mark.parametrize("kernels_in_use", ["compiled"], indirect=True)
def test_flags_of_others_are_kept(sj, libm):
    z = np.asarray([0.0, 1.0, np.inf])
    libm.feclearexcept(0x3F)
    libm.feraiseexcept(DIVISION_BY_ZERO[MACHINE])
    sj.softmax(z)
    assert flags(libm) == DIVISION_BY_ZERO[MACHINE]


def flush_to_zero(libm, on):
    """Set or clear flush-to-zero (and x86's denormals-are-zero) of this thread, as other libraries do."""
    environment = ctypes.create_string_buffer(64)
    libm.fegetenv(environment)
    offset, mask = (28, 0x8040) if MACHINE == "x86_64" else (0, 1 << 24)
    word = ctypes.c_uint32.from_buffer(environment, offset)
    word.value = word.value | mask if on else word.value & ~mask
    libm.fesetenv(environment)
    libm.fegetenv(environment)
    return bool(ctypes.c_uint32.from_buffer(environment, offset).value & mask)


def subnormal_operands(function, dtype, count, n):
    rng = np.random.default_rng(n)
    _, least, log_of_smallest = limits(dtype)
    z = rng.uniform(log_of_smallest - 3.0, log_of_smallest + 1.0, (count, n))
    z[:, 0] = 0.0
    z[::3, 1:] = rng.integers(-9, 9, z[::3, 1:].shape) * least
    if function.takes_probs:
        z = np.abs(z) * least
    return [x.astype(dtype) for x in [z, *(rng.standard_normal((function.tangents, count, n)))]]


@pytest.mark.compiled
@pytest.mark.parametrize("kernels_in_use", ["compiled"], indirect=True)
@pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
@pytest.mark.parametrize("name", NAMES)
def test_flush_to_zero_set_by_others_changes_nothing(name, dtype, sj, libm):
    # Small jobs run in this thread, large ones in others too, which may inherit its modes.
    function = FUNCTIONS[name]
    for count, n in [(1, 5), (40, 6), (3, 200) if function.result == "matrix" else (64, 2000)]:
        operands = subnormal_operands(function, dtype, count, n)
        with sj.num_threads(2):
            expected = function(sj, *operands)
            assert flush_to_zero(libm, on=True)
            result = function(sj, *operands)
            still_on = flush_to_zero(libm, on=True)
            assert not flush_to_zero(libm, on=False)
        assert still_on
        assert same_bits(result, expected)


@pytest.mark.compiled
@pytest.mark.parametrize("kernels_in_use", ["compiled"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_another_rounding_mode_changes_nothing(name, sj, libm):
    function = FUNCTIONS[name]
    rng = np.random.default_rng(1)
    for dtype in DTYPES:
        for count, n in [(1, 5), (40, 6), (5, 100)]:
            operands = [np.abs(rng.standard_normal((count, n))).astype(dtype) for _ in range(function.operands)]
            expected = function(sj, *operands)
            libm.fesetround(UPWARD[MACHINE])
            result = function(sj, *operands)
            kept = libm.fegetround()
            libm.fesetround(0)
            assert kept == UPWARD[MACHINE]
            assert np.array_equal(bits(result), bits(expected))


def test_these_tests_can_fail(libm):
    def careless(z):
        e = np.exp(z - z.max())
        return e / e.sum()

    with pytest.raises(FloatingPointError), silence_is_expected("raise"):
        careless(np.asarray([np.inf, 0.0]))
    with pytest.raises(AssertionError), silence_is_expected("call"):
        careless(np.asarray([np.inf, 0.0]))
    with pytest.raises(AssertionError), silence_is_expected("log"):
        careless(np.asarray([np.inf, 0.0]))
    if MACHINE == "x86_64":
        tiny = np.asarray([5e-324])
        assert flush_to_zero(libm, on=True)
        flushed = (tiny * 1.0)[0]
        flush_to_zero(libm, on=False)
        assert flushed == 0.0
        assert (tiny * 1.0)[0] > 0.0
