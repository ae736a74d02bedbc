"""With the compiled core, a row of the operator has the same bits whatever stands around it and whatever computes it.

The truth of each row is that row alone, as adjacent elements; tests/test_operator_exact.py holds its values.
"""

import hashlib
import json

import numpy as np
import pytest

import softjac
from functions import bits, same_bits
from test_same_bits import in_a_new_process, levels

pytestmark = pytest.mark.compiled

N = [1, 2, 3, 7, 15, 16, 17, 33, 100, 4099]
FAMILIES = {"plain": (1.0, 0.0), "damped": (1.0, 0.3), "weighted": (0.7, 1e-9)}


def root(J, v):
    """The square-root factor times v, or v twice where damping makes it n x 2 n."""
    F = J.sqrt_factor()
    return F.matvec(v if F.matrix_shape[1] == v.shape[-1] else np.concatenate([v, v], axis=-1))


METHODS = {
    "product": lambda J, v: J.matvec(v),
    "quad": lambda J, v: J.quad(v),
    "diagonal": lambda J, _: J.diagonal(),
    "trace": lambda J, _: J.trace(),
    "complement": lambda J, _: J.complement,
    "solve": lambda J, v: J.solve(v),
    "solve with damping": lambda J, v: J.solve(v, damping=0.01),
    "square root": root,
    "square root, transposed": lambda J, v: J.sqrt_factor().T.matvec(v),
    "Cholesky diagonal": lambda J, _: J.cholesky().diagonal(),
    "Cholesky product": lambda J, v: J.cholesky().matvec(v),
    "Cholesky product, transposed": lambda J, v: J.cholesky().T.matvec(v),
    "Cholesky solve": lambda J, v: J.cholesky().solve(v),
    "Cholesky solve, transposed": lambda J, v: J.cholesky().solve_transposed(v),
    "logpdet": lambda J, _: J.logpdet(),
    "norm(2)": lambda J, _: J.norm(2),
    "norm(fro)": lambda J, _: J.norm("fro"),
    "rank": lambda J, _: J.rank().astype(float),
}


of_each_method = pytest.mark.parametrize("name", METHODS)
of_each_family = pytest.mark.parametrize("family", FAMILIES)


def rows(n, special=True):
    """Logits and right sides: random, tied, dominant, with zeros, and beyond what the kernels take."""
    rng = np.random.default_rng(n)
    z = rng.standard_normal((23, n)) * 10.0 ** rng.uniform(-1.0, 1.5, (23, 1))
    v = rng.standard_normal((23, n)) + 3.0
    z[::5] = np.round(z[::5])
    z[1::6, n // 2] += 300.0
    v[2::7] -= v[2::7].mean(axis=-1, keepdims=True)
    if special:
        z[3::11, n // 2] = -np.inf
        z[4, 0] = np.nan
        z[5] = -np.inf
        z[6, n - 1] = np.inf
        z[8, 0] = z[8].max() + 735.0
        v[9] *= 2.0**950
        v[10] *= 2.0**-950
    return z, v


def operator(z, family, **options):
    weight, damping = FAMILIES[family]
    return weight * softjac.SoftmaxJacobian(z, **options) + damping


def one_by_one(method, z, v, family):
    return np.stack([method(operator(a, family), b) for a, b in zip(z, v, strict=True)])


def check(found, expected, label):
    if not same_bits(np.ascontiguousarray(found), expected):
        differ = np.argwhere(bits(np.ascontiguousarray(found)) != bits(expected))
        pytest.fail(f"{label}: {len(differ)} of {np.size(expected)} elements differ, the first at {differ[0]}")


@of_each_family
@of_each_method
def test_place_in_a_batch_and_layout(name, family):
    method = METHODS[name]
    for n in N:
        z, v = rows(n)
        expected = one_by_one(method, z, v, family)
        check(method(operator(z, family), v), expected, f"n {n}, a batch")
        for some in (slice(5), slice(7, 24), slice(None, None, -3)):
            check(method(operator(z[some], family), v[some]), expected[some], f"n {n}, rows {some}")
        check(
            method(operator(z[:22].reshape(2, 11, n), family), v[:22].reshape(2, 11, n)).reshape(expected[:22].shape),
            expected[:22],
            f"n {n}, two batch axes",
        )
        check(method(operator(np.asfortranarray(z), family), np.asfortranarray(v)), expected, f"n {n}, column-major")
        check(method(operator(np.ascontiguousarray(z.T), family, axis=0), v), expected, f"n {n}, axis 0")
        apart = np.full((23, n, 2), np.nan)
        apart[..., 0] = v
        check(method(operator(np.repeat(z, 2, axis=-1)[:, ::2], family), apart[..., 0]), expected, f"n {n}, apart")
        back = np.ascontiguousarray(v[:, ::-1])[:, ::-1]
        check(method(operator(z, family), back), expected, f"n {n}, backwards")


@of_each_method
def test_vectors_for_one_row_and_rows_for_one_vector(name):
    method = METHODS[name]
    z, v = rows(33)
    for family in FAMILIES:
        expected = one_by_one(method, z, np.broadcast_to(v[1], v.shape), family)
        check(np.broadcast_to(method(operator(z, family), v[1]), expected.shape), expected, "one vector for all rows")
        expected = one_by_one(method, np.broadcast_to(z[1], z.shape), v, family)
        check(np.broadcast_to(method(operator(z[1], family), v), expected.shape), expected, "one row for all vectors")


@of_each_method
def test_threads(name):
    z, v = (np.tile(part, (40, 1)) for part in rows(300))
    method, before = METHODS[name], softjac.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            softjac.set_num_threads(threads)
            found.append(method(operator(z, "weighted"), v))
    finally:
        softjac.set_num_threads(before)
    for threads, result in zip((2, 5), found[1:], strict=True):
        check(result, found[0], f"{threads} threads")


def digest():
    found = {}
    with np.errstate(all="ignore"):
        for name, method in METHODS.items():
            state = hashlib.sha256()
            for n in (*N, 20_000):
                z, v = rows(n)
                count = 23 if n < 20_000 else 3
                for family in FAMILIES:
                    state.update(bits(np.ascontiguousarray(method(operator(z[:count], family), v[:count]))).tobytes())
            found[name] = state.hexdigest()
    return found


@pytest.mark.parametrize("isa", levels())
def test_instruction_sets(isa):
    code = "import json, test_operator_bits as t; print(json.dumps([t.softjac.kernels.native.isa(), t.digest()]))"
    found, others = json.loads(in_a_new_process(code, SOFTJAC_ISA=isa))
    assert found == isa
    assert others == digest()


def test_these_tests_can_fail():
    # A sum by NumPy over columns has another order than one along a row.
    z, v = rows(4099, special=False)
    naive = np.asfortranarray(softjac.softmax(z) * v).sum(axis=-1)
    with pytest.raises(pytest.fail.Exception, match="elements differ"):
        check(naive, np.stack([(softjac.softmax(a) * b).sum() for a, b in zip(z, v, strict=True)]), "by columns")
