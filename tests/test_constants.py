"""constants.h, exp.h and log1p.h: the numbers are those of make_constants.py, the errors those of the comments."""

import importlib.util
import re

import numpy as np
import pytest

import native_programs

mpmath = pytest.importorskip("mpmath", reason="mpmath is not installed: pip install mpmath")
mpf, mp = mpmath.mpf, mpmath.mp
KERNELS = native_programs.KERNELS

if not (KERNELS / "make_constants.py").exists():
    pytest.skip(
        "the sources of the kernels are not beside the tests: run them in the source tree", allow_module_level=True
    )

HEADER = (KERNELS / "constants.h").read_text()
LN2 = float(np.log(2.0))


@pytest.fixture(autouse=True)
def many_digits():
    with mp.workprec(400):
        yield


@pytest.fixture(scope="module")
def script():
    before = mp.prec
    spec = importlib.util.spec_from_file_location("make_constants", KERNELS / "make_constants.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)  # sets mpmath's precision for itself
    mp.prec = before
    return module


def numbers(name):
    """The values of an array or a number in constants.h."""
    match = re.search(rf"constexpr double {name}(?:\[\d+\])? = \{{?([^;}}]*)\}}?;", HEADER)
    return [float.fromhex(word) for word in re.findall(r"-?0x[0-9a-f.]+p[+-]?\d+", match[1])]


def stated_log2(name, text=HEADER):
    """The exponent of the last "largest error 2^x" before a name."""
    return float(re.findall(r"[Ll]argest error 2\^(-\d+(?:\.\d+)?)", text[: text.index(name)])[-1])


def test_constants_are_what_the_script_makes(script):
    assert script.text() == HEADER


def exp_remainder(r):
    return (mpmath.exp(r) - 1 - r) / r**2 if r else mpf(1) / 2


def atanh_remainder(z):
    s = mpmath.sqrt(z)
    return (2 * mpmath.atanh(s) - 2 * s) / s**3 if z else mpf(2) / 3


def largest_difference(coefficients, f, low, high, points=4000):
    """Of a polynomial in exact arithmetic from f, at points that crowd at the ends, as its extremes do."""
    at = [low + (high - low) * (1 - mpmath.cos(mpmath.pi * i / points)) / 2 for i in range(points + 1)]
    return max(abs(mpmath.polyval(list(map(mpf, reversed(coefficients))), x) - f(x)) for x in at)


@pytest.mark.parametrize(("name", "f"), [(n, exp_remainder) for n in ("kExpShort", "kExpNarrow", "kExpWide")])
def test_exp_polynomials(name, f):
    half_step = mp.ln2 / 32
    error = largest_difference(numbers(name), f, -half_step, half_step)
    assert float(mpmath.log(error, 2)) == pytest.approx(stated_log2(name), abs=0.11)


def test_atanh_polynomial():
    limit = ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)) ** 2
    error = largest_difference(numbers("kAtanh"), atanh_remainder, mpf(0), limit)
    assert float(mpmath.log(error, 2)) == pytest.approx(stated_log2("kAtanh"), abs=0.11)


def test_an_odd_number_of_terms_is_wrong_to_both_sides():
    """kExpShort: too large at one end of a step of the table and too small at the other, as its comment says."""
    half_step = mp.ln2 / 32
    low, high = (
        mpmath.polyval(list(map(mpf, reversed(numbers("kExpShort")))), r) - exp_remainder(r)
        for r in (-half_step, half_step)
    )
    assert low * high < 0


def test_tables_and_heads():
    table = [
        np.int64(np.float64(t).view(np.int64) + (i << 48)).view(np.float64) for i, t in enumerate(numbers("kExpTable"))
    ]
    tails = numbers("kExpTableTail") or []
    assert len(table) == len(tails) == 16
    for i, (power, tail) in enumerate(zip(table, tails, strict=True)):
        exact = mpmath.power(2, mpf(i) / 16)
        assert float(exact) == power
        assert abs((mpf(float(power)) * (1 + mpf(tail))) / exact - 1) < mpf(2) ** -105
    (head,), (tail,) = numbers("kStepHead"), numbers("kStepTail")
    assert abs(mpf(head) + mpf(tail) - mp.ln2 / 16) < mpf(2) ** -95
    assert int(mpf(head) * 2**43) == mpf(head) * 2**43  # 38 bits behind 2^-5
    (head,), (tail,) = numbers("kLn2Head"), numbers("kLn2Tail")
    assert abs(mpf(head) + mpf(tail) - mp.ln2) < mpf(2) ** -94
    assert int(mpf(head) * 2**40) == mpf(head) * 2**40


# exp and log1p as they are compiled: pairs (hi, lo) of doubles in and out.


def evaluate(function, pairs, level="scalar"):
    padded = np.zeros((-(-len(pairs) // 16) * 16, 2))
    padded[: len(pairs)] = pairs
    results = native_programs.run("elementary", level, function, padded.tobytes())
    return np.frombuffer(results).reshape(-1, 2)[: len(pairs)]


def need(level):
    if reason := native_programs.missing(level):
        native_programs.skip(reason, "SOFTJAC_REQUIRE_NEON" if level == "neon" else "SOFTJAC_REQUIRE_CORE")


def largest_error(pairs, results, f):
    """log2 of the largest relative error."""
    worst = mpf(0)
    with mp.workprec(200):
        for (hi, lo), (result_hi, result_lo) in zip(pairs.tolist(), results.tolist(), strict=True):
            exact = f(mpf(hi) + mpf(lo))
            worst = max(worst, abs((mpf(result_hi) + mpf(result_lo)) / exact - 1))
    return float(mpmath.log(worst, 2)) if worst else -np.inf


def exp_arguments(lowest, wide):
    """Over the whole range, around the ends of the table's steps, where r is largest, and close to 0."""
    rng = np.random.default_rng(3)
    ends = (np.arange(0, int(-lowest * 16 / LN2)) + 0.5) * -LN2 / 16
    hi = np.concatenate(
        [
            rng.uniform(lowest, 0, 6000),
            -np.exp(rng.uniform(np.log(1e-300), np.log(-lowest), 3000)),
            rng.choice(ends, 3000) * (1 + rng.uniform(-1e-4, 1e-4, 3000)),
            np.linspace(-LN2 / 32, 0, 2000),
            -np.arange(0.0, 100.0),
            [0.0, -0.0, lowest, np.nextafter(lowest, 0)],
        ]
    )
    hi = hi[hi >= lowest]
    lo = rng.uniform(-0.5, 0.5, len(hi)) * np.spacing(hi) if wide else np.zeros(len(hi))
    return np.stack([hi, np.where(hi + lo == hi, lo, 0.0)], axis=1)


@pytest.mark.parametrize(("function", "lowest"), [("exp_short", -700.0), ("exp_narrow", -700.0), ("exp_wide", -790.0)])
def test_exp_error(function, lowest):
    need("scalar")
    pairs = exp_arguments(lowest, function == "exp_wide")
    results = evaluate(function, pairs)
    scale = mpf(2) ** (128 if function == "exp_wide" else 0)
    error = largest_error(pairs, results, lambda x: scale * mpmath.exp(x))
    stated = stated_log2(f" {function}(", (KERNELS / "exp.h").read_text())
    assert stated - 1.5 < error <= stated


@pytest.mark.parametrize(("function", "lowest"), [("exp_short", -700.0), ("exp_narrow", -700.0), ("exp_wide", -790.0)])
def test_exp_of_odd_arguments(function, lowest):
    need("scalar")
    below = [np.nextafter(lowest, -np.inf), 2 * lowest, -1e308, -np.inf]
    pairs = np.asarray([[x, 0.0] for x in [*below, np.nan, 0.0]])
    results = evaluate(function, pairs)
    assert (results[: len(below)] == 0).all()
    assert np.isnan(results[-2, 0])
    assert results[-1].tolist() == [2.0**128 if function == "exp_wide" else 1.0, 0.0]


def log1p_arguments():
    rng = np.random.default_rng(4)
    hi = np.concatenate(
        [
            np.exp(rng.uniform(np.log(1e-290), np.log(1e12), 4000)),
            rng.uniform(0, 8, 4000),
            rng.uniform(0.35, 0.5, 3000),  # both sides of sqrt(2) - 1, where log1p loses most
            rng.uniform(-0.31, -0.26, 3000),
            rng.uniform(-0.999999, 0, 3000),
            -np.exp(rng.uniform(np.log(1e-290), np.log(0.5), 1500)),
            np.exp2(np.arange(-40.0, 60.0)) - 1,
            np.exp2(rng.integers(-4, 8, 1000) + 0.5) * (1 + rng.uniform(-1e-9, 1e-9, 1000)) - 1,  # and around others
            np.arange(1.0, 200.0),
            1 - np.exp2(-np.arange(2.0, 50.0)),
        ]
    )
    hi = hi[hi != 0]
    lo = rng.uniform(-0.5, 0.5, len(hi)) * np.spacing(hi)
    return np.stack([hi, np.where(hi + lo == hi, lo, 0.0)], axis=1)


@pytest.mark.parametrize("function", ["log1p_wide", "log1p_narrow"])
def test_log1p_error(function):
    need("scalar")
    pairs = log1p_arguments()
    if function == "log1p_narrow":
        pairs = np.stack([pairs[:, 0], np.zeros(len(pairs))], axis=1)[pairs[:, 0] > 0.0]
    error = largest_error(pairs, evaluate(function, pairs), mpmath.log1p)
    stated = stated_log2(f" {function}(", (KERNELS / "log1p.h").read_text())
    assert stated - 1 < error <= stated


# The same bits on every instruction set.


def many_arguments(function, count=10**6):
    rng = np.random.default_rng(5)
    if function.startswith("log1p"):
        hi = np.concatenate([np.exp(rng.uniform(-700, 700, count // 2)), rng.uniform(-1, 1e3, count - count // 2)])
    else:
        hi = -np.concatenate([rng.uniform(0, 800, count // 2), np.exp(rng.uniform(-740, 7, count - count // 2))])
    pairs = np.stack([hi, rng.uniform(-0.5, 0.5, count) * np.spacing(hi)], axis=1)
    pairs[:8, 0] = [0.0, -0.0, np.nan, -np.inf, -1e308, -700.0, -790.0, -5e-324]
    return pairs


def levels_to_compare():
    from softjac.kernels import native

    here = [] if native is None else [isa for isa in native.available_isas() if isa in native_programs.LEVELS]
    return [isa for isa in here if isa != "scalar"] + ["neon"] * ("neon" not in here)


@pytest.mark.parametrize("level", levels_to_compare())
@pytest.mark.parametrize("function", ["exp_short", "exp_narrow", "exp_wide", "log1p_wide", "log1p_narrow"])
def test_the_same_bits_on_all_instruction_sets(function, level):
    need("scalar")
    need(level)
    pairs = many_arguments(function, 10**5 if level == "neon" else 10**6)
    one, other = (evaluate(function, pairs, isa) for isa in ("scalar", level))
    same = (one.view(np.uint64) == other.view(np.uint64)) | (np.isnan(one) & np.isnan(other))
    assert same.all(), pairs[~same.all(axis=1)][:5]
