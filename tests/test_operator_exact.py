"""The operator against dense linear algebra of many digits, at gaps of the logits that take p to 1e-260."""

import numpy as np
import pytest
from flint import arb, fmpq, fmpq_mat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import exact_operator as truth
from exact_operator import BITS, DAMPINGS, GAPS, KINDS, LENGTHS, dense, logits_of, normwise, right_sides, times
from softjac._budget import budget
from softjac.check.oracle import exact, total, working_precision
from softjac.check.ulp import format_of
from ulp import error_ulps

ULPS = 8.0
NORMWISE = 1e-13
FMT = format_of(np.float64)

ROWS = [(gap, n, kind) for gap in GAPS for n in LENGTHS for kind in KINDS if 1 < n < 64]
ROWS += [(gap, 1, "even") for gap in GAPS] + [(gap, 64, "up and down") for gap in GAPS] + [(0, 64, "even")]
ROW_NAMES = [f"gap {gap}, n {n}, {kind}" for gap, n, kind in ROWS]
of_each_row = pytest.mark.parametrize("row", ROWS, ids=ROW_NAMES)
of_each_short_row = pytest.mark.parametrize(
    "row", [r for r in ROWS if r[1] <= 7], ids=[name for name, r in zip(ROW_NAMES, ROWS, strict=True) if r[1] <= 7]
)
FAMILY = [(1.0, 0.0), (0.3, 0.0), (1.0, 1e-6), (3.0, 0.5), (0.5, 1e-12)]  # weight, damping

worst: dict[str, tuple[float, object]] = {}


def note(name, error, row):
    """Keep the largest error of each quantity: print(worst) shows what there was."""
    if error > worst.get(name, (-1.0, None))[0]:
        worst[name] = (error, row)


def assert_close(name, results, truths, row, ulps=ULPS):
    """Each element by itself, relative to itself. An exact 0 has to be 0."""
    results = np.asarray(results).ravel()
    assert len(results) == len(truths)
    for result, y in zip(results, truths, strict=True):
        error = error_ulps(result, y, FMT) if not y.is_zero() else 0.0 if result == 0.0 else np.inf
        note(name, error, row)
        assert error <= ulps, f"{name}: got {result!r}, exactly {y.str(25)}: {error:.3g} ulp"


def assert_near(name, results, truths, row, scale=()):
    """All elements together, relative to the largest, or to the largest of scale."""
    error = normwise(results, truths, scale)
    note(name, error, row)
    assert error <= NORMWISE, f"{name}: {error:.3g} of the largest element"


def operator(sj, row, weight=1.0, damping=0.0):
    return weight * sj.SoftmaxJacobian(logits_of(*row)) + damping


def flat(matrix):
    return [x for r in matrix for x in r]


# ------------------------------------------------------------------------------------------------------- componentwise


@of_each_row
def test_entries(row, sj):
    """The dense array, its rows, single entries and its diagonal."""
    for family in FAMILY[:2]:
        J, D = operator(sj, row, *family), dense(*row, *family)
        n = row[1]
        assert_close("to_dense", J.to_dense(), flat(D.entries), row)
        assert_close("diagonal", J.diagonal(), [D.entries[i][i] for i in range(n)], row)
        for i in {0, n // 2, n - 1}:
            assert_close("row", J.row(i), D.entries[i], row)
        i, j = np.indices((n, n))
        assert_close("J[..., i, j]", J[..., i, j], flat(D.entries), row)


@of_each_row
def test_damped_entries(row, sj):
    for family in FAMILY[2:]:
        J, D = operator(sj, row, *family), dense(*row, *family)
        assert_close("to_dense, damped", J.to_dense(), flat(D.entries), row)
        assert_close("row, damped", J.row(row[1] // 2), D.entries[row[1] // 2], row)
        i, j = np.indices(J.shape)
        assert_close("J[..., i, j], damped", J[..., i, j], flat(D.entries), row)


@of_each_row
def test_probabilities_and_complements(row, sj):
    J, p = operator(sj, row), truth.probabilities(*row)
    with working_precision(BITS):
        q = [total([x for j, x in enumerate(p) if j != i]) for i in range(row[1])]
    assert_close("probs", J.probs, p, row, ulps=0.6)
    assert_close("complement", J.complement, q, row, ulps=budget("float64", "operator_complement").ulps)


@of_each_row
def test_trace_and_norms(row, sj):
    for family in FAMILY:
        J, D = operator(sj, row, *family), dense(*row, *family)
        with working_precision(BITS):
            trace = total([D.entries[i][i] for i in range(row[1])])
            fro = total([x * x for x in flat(D.entries)]).sqrt()
            inf = max((total([abs(x) for x in r]) for r in D.entries), key=lambda x: float(x.mid()))
        assert_close("trace", J.trace(), [trace], row)
        assert_close("nuc", J.norm("nuc"), [trace], row)
        assert_close("fro", J.norm("fro"), [fro], row)
        assert_close("norm(inf)", J.norm(np.inf), [inf], row)


def vectors(n):
    rng = np.random.default_rng(n)
    at = np.eye(n)
    offsets = [0.0, 1e6, 1e13, 1e8 * at[0]]
    return [*(x + rng.standard_normal(n) for x in offsets), at[n // 2], at[0]]


@of_each_row
def test_quad(row, sj):
    for family in FAMILY:
        J, D = operator(sj, row, *family), dense(*row, *family)
        for v in vectors(row[1]):
            with working_precision(BITS):
                wanted = total([exact(x) * y for x, y in zip(v, times(D.entries, v), strict=True)])
            assert_close("quad", J.quad(v), [wanted], row)


@of_each_row
def test_cholesky_entries(row, sj):
    for family in FAMILY:
        L = operator(sj, row, *family).cholesky()
        wanted = dense(*row, *family).cholesky
        n = row[1]
        assert_close("cholesky", L.to_dense(), flat(wanted), row)
        np.testing.assert_array_equal(L.diagonal(), np.diagonal(L.to_dense()))
        # LDL^T: the diagonal D = L_jj^2, and unit columns L_ij / L_jj.
        got = L.to_dense()
        with working_precision(BITS):
            for j in range(n - 1):
                assert_close(
                    "LDL^T", got[j + 1 :, j] / got[j, j], [wanted[i][j] / wanted[j][j] for i in range(j + 1, n)], row
                )


@of_each_row
def test_logpdet(row, sj):
    for family in FAMILY[:1] + FAMILY[2:]:
        got, D = operator(sj, row, *family).logpdet(), dense(*row, *family)
        wanted = D.log_pseudo_determinant
        if family == FAMILY[0]:
            assert_close("logpdet", got, [wanted], row)
        else:  # the logarithms have both signs
            size = float(total([abs((family[0] * p + family[1]).log()) for p in D.p]).abs_upper()) + 1.0
            assert abs(got - float(wanted.mid())) <= 8 * np.finfo(float).eps * size


@pytest.mark.parametrize("gap", [700, 709, 720, 740, 743])
def test_logpdet_of_what_is_subnormal(gap, sj):
    """There p has lost digits to the end of the range, and its logarithm is that of the logits."""
    z = np.array([[0.25, -gap, 0.5 - gap, 0.3], [0.25, -5.0, 0.1, 0.3], [1.0, -gap, -np.inf, 0.7]])
    with working_precision(BITS):
        wanted = []
        for row in z:
            logits = [exact(x) for x in row if x > -np.inf]
            log_sum = total([x.exp() for x in logits]).log()
            wanted.append(arb(len(logits)).log() + total([x - log_sum for x in logits]))
    J = sj.SoftmaxJacobian(z)
    assert (J.rank() == [3, 3, 2]).all()
    assert_close("logpdet", J.logpdet(), wanted, gap)
    assert_close("logpdet", [sj.SoftmaxJacobian(z[2], where=[True, True, False, True]).logpdet()], wanted[2:], gap)
    assert_close("logpdet", [J._expanded().logpdet()[0, 0]], wanted[:1], gap)
    given = sj.SoftmaxJacobian.from_probs([1.0, 5e-324])  # exact as it is
    assert_close("logpdet", given.logpdet(), [arb(2).log() + (arb(2) ** -1074).log()], gap)


def is_eigenvalue(count_below, value, number, ulps=ULPS):
    """Whether eigenvalue `number`, from 0 on in ascending order, is so close to value."""
    with working_precision(BITS):
        x, unit = exact(value), arb(2) ** (int(np.frexp(value)[1]) - 53)
        return count_below(x - ulps * unit) <= number < count_below(x + ulps * unit)


@of_each_row
def test_eigenvalues(row, sj):
    J, D, n = operator(sj, row), dense(*row), row[1]
    count_below = D.count_below if n <= 7 else D.count_below_of_plain
    values = J.eigvalsh()
    assert values[0] == 0.0
    for number in range(1, n):
        assert is_eigenvalue(count_below, values[number], number), (number, values[number])
    largest = J.norm(2)
    assert is_eigenvalue(count_below, largest, n - 1) if n > 1 else largest == 0.0
    np.testing.assert_array_equal(J.eigh()[0], values)


@of_each_short_row
def test_eigenvalues_of_the_family(row, sj):
    for weight, damping in FAMILY[1:]:
        J, D, n = operator(sj, row, weight, damping), dense(*row, weight, damping), row[1]
        values = J.eigvalsh()
        assert values[0] == damping
        for number in range(1, n):
            assert is_eigenvalue(D.count_below, values[number], number), (number, values[number])
        assert is_eigenvalue(D.count_below, J.norm(2), n - 1) if n > 1 else J.norm(2) == damping


def test_both_ways_to_count_eigenvalues_agree():
    D = dense(40, 7, "up")
    for x in np.geomspace(1e-25, 1.0, 60):
        assert D.count_below(exact(x)) == D.count_below_of_plain(exact(x))


# ------------------------------------------------------------------------------------------------------------ normwise


@of_each_row
def test_products(row, sj):
    """Entry by entry within 4 u p_i (|w_i| + sum of p_j |w_j|), as softmax_jvp."""
    J, D = operator(sj, row), dense(*row)
    k = max(range(row[1]), key=lambda j: float(D.p[j].mid()))
    for v in [*vectors(row[1]), *right_sides(*row)]:
        got, wanted = J @ v, times(D.entries, v)
        with working_precision(BITS):
            w = [abs(exact(x) - exact(v[k])) for x in v]
            spread = total([p * x for p, x in zip(D.p, w, strict=True)])
            for result, y, p, x in zip(got, wanted, D.p, w, strict=True):
                assert abs(exact(result) - y) <= 6 * FMT.u * p * (x + spread) + arb(2) ** -1074
    for family in FAMILY[1:]:
        v = vectors(row[1])[0]
        got = operator(sj, row, *family) @ v
        assert_near("product", got, times(dense(*row, *family).entries, v), row)


@of_each_row
def test_least_norm_solve(row, sj):
    J = operator(sj, row)
    pinv = J.pinv()
    for b, wanted in zip(right_sides(*row), truth.solutions(*row, 0.0), strict=True):
        assert_near("solve", J.solve(b), wanted, row)
        assert_near("pinv @ b", pinv @ b, wanted, row)
        assert_near("pinv.T @ b", pinv.T @ b, wanted, row)


@of_each_row
def test_damped_solve(row, sj):
    for damping in DAMPINGS:
        J = operator(sj, row)
        for b, wanted in zip(right_sides(*row), truth.solutions(*row, damping), strict=True):
            assert_near("damped solve", J.solve(b, damping=damping), wanted, row)
            assert_near("(J + t).pinv() @ b", (J + damping).pinv() @ b, wanted, row)


OVERFLOWING = [  # probabilities, right side, weight, damping
    ([1.0, 2.0**-1060], [-1.0, 1.0], 1.0, 0.0),
    ([1.0, 2.0**-1060], [1.0, 2.0], 1.0, 0.0),
    ([0.5, 0.5, 2.0**-1070], [1.0, 2.0, 3.0], 0.5, 0.0),
    ([0.5, 0.5, 2.0**-1060], [1.0, 2.0, -3.0], 1.0, 2.0**-1050),
    ([0.5, 0.5, 2.0**-1040], [1.0, 2.0, 3.0], 1.0, 1e-310),
    ([0.5, 0.5], [1e10, 1e10], 1.0, 1e-300),
    ([0.5, 0.5], [1e308, -1e308], 2.0**-4, 0.0),
    ([0.75, 0.25], [1.5e308, -1.5e308], 1.0, 0.0),
]


@pytest.mark.parametrize(("p", "b", "weight", "damping"), OVERFLOWING)
def test_a_solution_that_is_too_large_is_infinite(p, b, weight, damping, sj):
    got = (weight * sj.SoftmaxJacobian.from_probs(p)).solve(b, damping=damping)
    wanted = truth.Dense([exact(x) for x in p], weight, damping).solve([b])[0]
    limit = arb(2) ** 1024
    assert any(abs(y) > limit for y in wanted)
    for x, y in zip(got, wanted, strict=True):
        assert x == (np.inf if y > limit else -np.inf if y < -limit else x)
        assert abs(y) > limit or abs(exact(x) - y) < NORMWISE * max(abs(z) for z in wanted)


def test_only_what_is_too_large_is_infinite(sj):
    J = sj.SoftmaxJacobian([0.0, 0.0, -np.inf])
    assert J.solve([1.0, -1.0, 1e10], damping=1e-300).tolist() == [2.0, -2.0, np.inf]
    batch = sj.SoftmaxJacobian(np.array([[0.0, 0.0, -np.inf], [0.0, 1.0, 2.0]]))
    got = batch.solve([1.0, -1.0, 1e10], damping=1e-300)
    assert got[0].tolist() == [2.0, -2.0, np.inf]
    assert np.isposinf(got[1]).all()


@of_each_short_row
def test_weighted_solve(row, sj):
    for weight, damping in FAMILY[1:]:
        J = operator(sj, row, weight, damping)
        for b, wanted in zip(right_sides(*row), truth.solutions(*row, damping, weight), strict=True):
            assert_near("weighted solve", J.solve(b), wanted, row)


def gram(factor):
    """F F^T of floats, exactly."""
    with working_precision(BITS):
        F = truth.arb_mat([[exact(x) for x in r] for r in factor.to_dense()])
        return flat((F * F.transpose()).table())


@of_each_row
def test_square_root_factor(row, sj):
    for family in FAMILY[:3]:
        F = operator(sj, row, *family).sqrt_factor()
        D = dense(*row, *family)
        assert_near("F F^T", gram(F), flat(D.entries), row)
        x = np.random.default_rng(0).standard_normal(F.matrix_shape[1])
        table = [[exact(y) for y in r] for r in F.to_dense()]
        assert_near("F @ x", F @ x, times(table, x), row)
        assert_near("F.T @ x", F.T @ x[: row[1]], times(truth.transposed(table), x[: row[1]]), row)


@of_each_row
def test_sandwich(row, sj):
    for m, offset in ((1, 0.0), (3, 1e4)):
        A = np.random.default_rng(m).standard_normal((m, row[1])) + offset
        for family in FAMILY[:3]:
            with working_precision(BITS):
                B = truth.arb_mat([[exact(x) for x in r] for r in A])
                wanted = flat((B * dense(*row, *family).matrix * B.transpose()).table())
            got = operator(sj, row, *family).sandwich(A)
            np.testing.assert_array_equal(got, got.T)
            assert_near("sandwich", got, wanted, row)


@of_each_row
def test_cholesky_products(row, sj):
    for family in FAMILY[:3]:
        L, wanted = operator(sj, row, *family).cholesky(), dense(*row, *family).cholesky
        for x in (*vectors(row[1])[:2], *right_sides(*row)[:2]):
            assert_near("L @ x", L @ x, times(wanted, x), row)
            scale = times(
                [[abs(y) for y in r] for r in truth.transposed(wanted)], abs(x)
            )  # L^T 1 = 0: an offset cancels
            assert_near("L.T @ x", L.T @ x, times(truth.transposed(wanted), x), row, scale)


@of_each_row
def test_triangular_solves(row, sj):
    """A right side may cancel in the sums of the substitution: what it is measured against is |L^-1| |b|."""
    for family in FAMILY:
        L, inverse = operator(sj, row, *family).cholesky(), truth.inverse_of_cholesky(*row, *family)
        for matrix, solve in ((inverse, L.solve), (truth.transposed(inverse), L.solve_transposed)):
            for b in right_sides(*row):
                scale = times([[abs(y) for y in r] for r in matrix], abs(b))
                assert_near(f"cholesky {solve.__name__}", solve(b), times(matrix, b), row, scale)


# ----------------------------------------------------------------------------------------------------- for all numbers


logits_and_vectors = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-1e3, 1e3), min_size=n, max_size=n),
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=n, max_size=n),
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logits_and_vectors)
@example(([0.0, 0.0], [1.7e308, -1.7e308]))
@example(([0.0, 700.0], [1.7e308, 0.0]))
@example(([0.0, 1.0], [5e-324, 0.0]))
def test_quad_is_never_negative(sj, pair):
    logits, v = pair
    for dtype in (np.float64, np.float32):
        J = sj.SoftmaxJacobian(np.array(logits, dtype))
        assert J.quad(v) >= 0.0
        assert (0.5 * J + 1e-3).quad(v) >= 0.0
        assert J.sandwich(np.array(v)[None] / 2.0**600) >= 0.0


# ----------------------------------------------------------------------------------------------- formulas, as rationals


def fractions_of(n, zeros):
    """Rational probabilities, some of them 0."""
    parts = [0 if i in zeros else (i * i * 7 + 3) % 11 + 1 for i in range(n)]
    return [fmpq(x, sum(parts)) for x in parts]


SUPPORTS = [(1, ()), (2, ()), (2, (1,)), (3, ()), (3, (0,)), (7, ()), (7, (2, 6))]


def diag(x):
    return fmpq_mat([[y if i == j else fmpq(0) for j in range(len(x))] for i, y in enumerate(x)])


def column(x):
    return fmpq_mat([[y] for y in x])


@pytest.mark.parametrize(("n", "zeros"), SUPPORTS)
def test_the_four_penrose_conditions(n, zeros, sj):
    p = fractions_of(n, zeros)
    one = column([fmpq(int(x != 0)) for x in p])
    J = diag(p) - column(p) * column(p).transpose()
    P = diag([x for r in one.table() for x in r]) - one * one.transpose() * fmpq(1, n - len(zeros))
    G = P * diag([1 / x if x else fmpq(0) for x in p]) * P
    assert J * G * J == J
    assert G * J * G == G
    assert (J * G).transpose() == J * G
    assert (G * J).transpose() == G * J
    computed = sj.SoftmaxJacobian.from_probs([float(x.p) / float(x.q) for x in p]).pinv().to_dense()
    np.testing.assert_allclose(computed, [[float(x.p) / float(x.q) for x in r] for r in G.table()], rtol=1e-13)


@pytest.mark.parametrize(("n", "zeros"), SUPPORTS)
def test_the_other_closed_forms(n, zeros):
    p, t = fractions_of(n, zeros), fmpq(2, 7)
    J = diag(p) - column(p) * column(p).transpose()
    ones, identity = column([fmpq(1)] * n), diag([fmpq(1)] * n)
    left = identity - column(p) * ones.transpose()
    assert left * diag(p) * left.transpose() == J  # of the square root
    # The damped solve, for any b.
    b = [fmpq(3 * i - 4, i + 2) for i in range(n)]
    A, mean = [1 / (x + t) for x in p], sum(b) / n
    c = [x - mean for x in b]
    ratio = sum(a * x for a, x in zip(A, c, strict=True)) / sum(a * x for a, x in zip(A, p, strict=True))
    x = [mean / t + a * (y - z * ratio) for a, y, z in zip(A, c, p, strict=True)]
    assert (J + t * identity) * column(x) == column(b)
    # The squares of the Cholesky factor's entries, damped, and the determinant.
    d = [x + t for x in p]
    G = [sum(p[j:]) + t * sum(p[i] / d[i] for i in range(j)) for j in range(n + 1)]
    unit = [[-p[i] * p[j] / (d[j] * G[j + 1]) if i > j else fmpq(int(i == j)) for j in range(n)] for i in range(n)]
    squares = [d[j] * G[j + 1] / G[j] for j in range(n)]
    assert fmpq_mat(unit) * diag(squares) * fmpq_mat(unit).transpose() == J + t * identity
    det = t * sum(x / y for x, y in zip(p, d, strict=True))
    for y in d:
        det *= y
    assert (J + t * identity).det() == det
    inside = [x for x in p if x != 0]
    pseudo_det = fmpq(len(inside))
    for y in inside:
        pseudo_det *= y
    J = diag(inside) - column(inside) * column(inside).transpose()
    shift = fmpq_mat([[fmpq(1, len(inside))] * len(inside)] * len(inside))
    assert (J + shift).det() == (pseudo_det if len(inside) > 1 else 1)
