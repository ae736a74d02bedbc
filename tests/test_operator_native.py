"""The operator's kernels as a program of their own: under sanitizers, and for AArch64 in an emulator.

The truth is what the installed core answers; tests/test_operator_exact.py holds its values.
"""

import os
import re

import numpy as np
import pytest

import native_programs
import softjac
from native_programs import skip
from softjac.kernels import native
from test_native_kernels import NEON, SANITIZERS, levels_here

pytestmark = pytest.mark.compiled

VECTORS = ("product", "solve", "sqrt_product", "sqrt_transposed", "diagonal")
NUMBERS = ("quad", "trace", "norm")
TRIANGULAR = ("cholesky_product", "cholesky_transposed", "cholesky_solve", "cholesky_solve_transposed")
FAMILY = [(1.0, 0.0), (1.0, 0.25), (0.7, 1e-12)]


def rows():
    """Probabilities and vectors of every length up to three blocks, and of some stretches of the largest."""
    for n in (*range(1, 50), 127, 4096, 4097, 8200):
        rng = np.random.default_rng(n)
        z, x = rng.standard_normal((2, n))
        kind = n % 5
        if kind == 1:
            z[n // 2] += 300.0
        if kind == 2:
            z[n // 3] = -np.inf
        if kind == 3:
            z = np.round(z)
        if kind == 4:
            z[0] += 740.0
        p = softjac.softmax(z)
        if n % 7 == 6:
            p[-1] = np.nan
        if n % 11 == 10:
            x[0] = np.inf
        yield p, x


def written(answer):
    """As the program writes a result: its note, and the result where it stands."""
    if isinstance(answer, tuple):
        return b"\1"
    return b"\0" + answer.tobytes()


def records():
    """What the program reads, and what it has to write."""
    read, wanted = [], []
    for p, x in rows():
        k, q_k, size, notes = native.operator_state(p)
        for weight, damping in FAMILY:
            numbers = np.array(weight), np.array(damping)
            read += [np.array([p.size, k, size]).tobytes(), np.array([q_k, weight, damping]).tobytes()]
            read += [p.tobytes(), x.tobytes()]
            wanted.append(notes.tobytes())
            if not notes & 1:
                wanted += [k.tobytes(), q_k.tobytes(), size.tobytes()]
            for name in VECTORS + NUMBERS:
                wanted.append(written(native.operator_rows(name, p, k, q_k, size, *numbers, x)))
            pivot, c, G, odd = native.operator_cholesky(p, *numbers)
            wanted.append(odd.tobytes())
            if odd:
                continue
            wanted += [pivot.tobytes(), c.tobytes(), G.tobytes()]
            for name in TRIANGULAR:
                wanted.append(written(native.operator_triangular(name, p, pivot, c, G, *numbers, x)))
    return b"".join(read), b"".join(wanted)


@pytest.mark.parametrize("level", levels_here())
def test_no_access_outside_of_the_operands(level):
    if os.environ.get(SANITIZERS, "") in {"", "0"}:
        pytest.skip(f"building with sanitizers takes minutes: set {SANITIZERS}=1 to have it done")
    if reason := native_programs.missing(level):
        skip(reason, SANITIZERS)
    native_programs.build_all("operator", levels_here(), sanitized=True)
    read, wanted = records()
    assert native_programs.run("operator", level, "", read, sanitized=True) == wanted


def test_neon_gives_the_same_bits():
    if reason := native_programs.missing("neon"):
        skip(reason, NEON)
    read, wanted = records()
    assert native_programs.run("operator", "neon", "", read) == wanted


def test_every_operation_is_met():
    header = (native_programs.KERNELS / "operator_job.h").read_text()
    listed = re.findall(r"^    (\w+),", header.partition("enum class OperatorOp {")[2].partition("};")[0], re.MULTILINE)
    assert set(listed) == {"state", "cholesky_factor", *VECTORS, *NUMBERS, *TRIANGULAR}
