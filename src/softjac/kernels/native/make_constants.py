"""Writes constants.h: every number that the kernels' exp and log1p are made of.

Run ``python make_constants.py`` in this folder after a change (needs mpmath). tests/test_constants.py holds the file
against this script, and checks the largest error of each polynomial that its comment states.
"""

from pathlib import Path

import mpmath
from mpmath import mp, mpf

mp.prec = 400
TABLE_BITS = 4
TABLE_SIZE = 2**TABLE_BITS


def bits_of(x: float) -> int:
    import struct

    return struct.unpack("<Q", struct.pack("<d", x))[0]


def from_bits(u: int) -> float:
    import struct

    return struct.unpack("<d", struct.pack("<Q", u % 2**64))[0]


def head(x: mpf, bits: int) -> float:
    """The leading bits of x, rounded to nearest, as a double."""
    mantissa, exponent = mpmath.frexp(x)
    return float(mpmath.ldexp(mpmath.nint(mpmath.ldexp(mantissa, bits)), exponent - bits))


def fit(f, low, high, terms):
    """Coefficients, lowest first, of the Chebyshev fit of f as doubles, and log2 of the largest error they leave."""
    coefficients = [float(c) for c in reversed(mpmath.chebyfit(f, [low, high], terms))]
    points = [low + (high - low) * mpf(i) / 2000 for i in range(2001)]
    error = max(abs(f(x) - mpmath.polyval([mpf(c) for c in reversed(coefficients)], x)) for x in points)
    return coefficients, float(mpmath.log(error, 2))


def exp_remainder(r):
    """(e^r - 1 - r) / r^2."""
    return mpmath.hyp1f1(1, 3, r) / 2


def atanh_remainder(z):
    """(2 atanh(s) - 2 s) / s^3 as a function of z = s^2."""
    if z == 0:
        return mpf(2) / 3
    s = mpmath.sqrt(z)
    return (2 * mpmath.atanh(s) - 2 * s) / s**3


def hexadecimal(x: float) -> str:
    return x.hex()


def array(name: str, values: list[float]) -> str:
    body = "".join(f"    {hexadecimal(v)},\n" for v in values)
    return f"constexpr double {name}[{len(values)}] = {{\n{body}}};\n"


def constants() -> dict[str, object]:
    step = mp.ln2 / TABLE_SIZE
    half_step = step / 2
    powers = [mpmath.power(2, mpf(i) / TABLE_SIZE) for i in range(TABLE_SIZE)]
    heads = [float(p) for p in powers]
    step_head = head(step, 38)
    short, short_error = fit(exp_remainder, -half_step, half_step, 3)
    narrow, narrow_error = fit(exp_remainder, -half_step, half_step, 5)
    wide, wide_error = fit(exp_remainder, -half_step, half_step, 6)
    s_limit = (mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)
    atanh, atanh_error = fit(atanh_remainder, mpf(0), (s_limit * mpf("1.0001")) ** 2, 8)
    ln2_head = head(mp.ln2, 40)
    return {
        "kStepsPerUnit": float(1 / step),
        "kStepHead": step_head,
        "kStepTail": float(step - step_head),
        "kExpTable": [from_bits(bits_of(h) - (i << 48)) for i, h in enumerate(heads)],
        "kExpTableTail": [float((p - h) / p) for p, h in zip(powers, heads, strict=True)],
        "kStep": float(step),
        "kExpShort": short,
        "kExpShortError": short_error,
        "kExpNarrow": narrow,
        "kExpNarrowError": narrow_error,
        "kExpWide": wide,
        "kExpWideError": wide_error,
        "kAtanh": atanh,
        "kAtanhError": atanh_error,
        "kLn2Head": ln2_head,
        "kLn2Tail": float(mp.ln2 - ln2_head),
        "kSqrtTwo": float(mpmath.sqrt(2)),
    }


TEMPLATE = """\
// Made by make_constants.py; do not edit.
#pragma once

namespace {{

// exp: x = k ln(2)/16 + r, |r| <= ln(2)/32. The head has 38 bits, so that k times it is exact.
{kStepsPerUnit}{kStepHead}{kStepTail}{kStep}
// 2^(i/16), with i << 48 taken off its bits, so that adding k << 48 gives 2^(k/16) for k = 16 q + i.
{kExpTable}
// What rounding took off 2^(i/16), relative to it.
{kExpTableTail}
// (e^r - 1 - r) / r^2 for |r| <= ln(2)/32, largest error 2^{kExpShortError:.1f}; lowest power first.
// An odd number of terms: the error is of opposite sign at the two ends, so that from one step of the table to
// the next the result never falls as x grows.
{kExpShort}
// The same, largest error 2^{kExpNarrowError:.1f}.
{kExpNarrow}
// The same, largest error 2^{kExpWideError:.1f}.
{kExpWide}
// (2 atanh(s) - 2 s) / s^3 as a polynomial in s^2, for |s| up to (sqrt(2) - 1)/(sqrt(2) + 1), largest error \
2^{kAtanhError:.1f}.
{kAtanh}
// ln(2): the head has 40 bits, so that an exponent times it is exact.
{kLn2Head}{kLn2Tail}{kSqrtTwo}
}}  // namespace
"""


def declaration(name: str, value: object) -> object:
    if isinstance(value, list):
        return array(name, value)
    return value if name.endswith("Error") else f"constexpr double {name} = {hexadecimal(value)};\n"


def text() -> str:
    return TEMPLATE.format_map({name: declaration(name, value) for name, value in constants().items()})


if __name__ == "__main__":
    Path(__file__).with_name("constants.h").write_text(text())
