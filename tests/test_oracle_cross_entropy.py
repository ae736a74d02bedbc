"""The oracle of cross-entropy against its own loss, differentiated by series of balls and numerically in mpmath."""

import ast
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from flint import arb, arb_series, fmpq

import cross_entropy_cases
from cross_entropy_cases import ALL_OPTIONS, COMBINATIONS, combination_id, problem
from softjac.check import oracle, oracle_losses
from softjac.check.oracle import Row, exact, working_precision
from softjac.check.oracle_losses import Batch, LossRow

ROWS = [
    [1.0, 2.0, 3.0],
    [0.5, 2.0, 2.0, -1.0],
    [0.0, 60.0, 0.0, -5.0],
    [1e8, 1e8 + 1.0, 1e8 - 2.0],
    [0.0, -37.0, -300.0, -740.0],
    [0.25],
    [-0.35667494393873245, -1.6094379124341003, -2.3025850929940455],
]
FACTOR, ZETA = Fraction(3, 7), Fraction(1, 50)


def series_of_loss(z, v, t):
    """Coefficients of the loss at z + x v in powers of x, by the plain definition and 6000 bits."""
    at = [arb_series([exact(a), exact(b)], 3) for a, b in zip(z, v, strict=True)]
    m = exact(max(z))
    lse = sum(((a - m).exp() for a in at[1:]), (at[0] - m).exp()).log() + m
    loss = lse * lse * arb(fmpq(ZETA.numerator, ZETA.denominator))
    for a, x in zip(at, t, strict=True):
        loss += (lse - a) * arb(fmpq(x.numerator, x.denominator))
    return list(loss * arb(fmpq(FACTOR.numerator, FACTOR.denominator)))


def coefficient(series, order):
    return series[order] if order < len(series) else arb(0)


def same(truth, expected):
    assert truth.is_tight
    size = abs(expected) + truth.scale
    assert abs(truth.value - expected) <= truth.value.rad() + arb(2) ** -300 + size * arb(2) ** -85


@pytest.mark.parametrize("z", ROWS, ids=str)
def test_gradient_and_hessian_are_the_derivatives_of_the_loss(z):
    n, rng = len(z), np.random.default_rng(len(z))
    soft = [Fraction(float(x)) for x in rng.uniform(0.0, 1.0, n)]
    targets = [soft, *([Fraction(int(i == j)) for i in range(n)] for j in range(n))]
    v = rng.standard_normal(n).tolist()
    units = [[float(i == j) for i in range(n)] for j in range(n)]
    for t in targets:
        row = LossRow(Row(z), t, factor=FACTOR, zeta=ZETA)
        entry = row.hvp(v)
        with working_precision(6000):
            for i, unit in enumerate(units):
                along = series_of_loss(z, unit, t)
                same(row.loss(), coefficient(along, 0))
                same(row.grad(i), coefficient(along, 1))
                # e_i H v by polarisation of the second coefficient, which is half of x H x.
                plus = series_of_loss(z, [a + b for a, b in zip(unit, v, strict=True)], t)
                minus = series_of_loss(z, [a - b for a, b in zip(unit, v, strict=True)], t)
                mixed = (coefficient(plus, 2) - coefficient(minus, 2)) / 2
                assert abs(entry(i).value - mixed) <= (entry(i).scale + abs(mixed)) * arb(2) ** -40 + arb(2) ** -2000


@pytest.mark.parametrize("z", ROWS, ids=str)
def test_without_z_loss_the_gradient_of_a_class_keeps_every_digit(z):
    for c in range(len(z)):
        row = LossRow(Row(z), [Fraction(int(j == c)) for j in range(len(z))], cancels=False)
        p = Row(z)
        for i in range(len(z)):
            truth = p.softmax_complement(i) if i == c else p.softmax(i)
            with working_precision(400):
                expected = -truth.value if i == c else truth.value
                assert abs(row.grad(i).value - expected) <= abs(expected) * arb(2) ** -85
        with working_precision(400):
            assert abs(row.loss().value + p.log_softmax(c).value) <= abs(row.loss().value) * arb(2) ** -85


def plain(logits, targets, options, reduction):
    """The loss as PyTorch's documentation writes it, in mpmath: (1 - eps) w_c nll_c + eps / K sum of w_j nll_j."""
    losses, mass = [], mpmath.mpf(0)
    for r, z in enumerate(logits):
        inside = [j for j in range(len(z)) if "where" not in options or options["where"][r, j]]
        omega = mpmath.mpf(float(options["sample_weight"][r])) if "sample_weight" in options else mpmath.mpf(1)
        w = [mpmath.mpf(float(x)) for x in options.get("weight", np.ones(len(z)))]
        eps, zeta = (mpmath.mpf(options.get(name, 0.0)) for name in ("label_smoothing", "z_loss"))
        if not inside or (np.ndim(targets) == 1 and targets[r] == options.get("ignore_index")):
            losses.append(mpmath.mpf(0))
            continue
        lse = mpmath.log(mpmath.fsum(mpmath.exp(z[j]) for j in inside))
        nll = {j: w[j] * (lse - z[j]) for j in inside}
        if np.ndim(targets) == 1:
            of_target = nll[targets[r]]
            mass += omega * w[targets[r]]
        else:
            of_target = mpmath.fsum(mpmath.mpf(float(targets[r, j])) * nll[j] for j in inside)
            mass += omega
        smooth = mpmath.fsum(nll.values()) / len(inside)
        losses.append(omega * ((1 - eps) * of_target + eps * smooth + zeta * lse**2))
    if reduction == "none":
        return losses, mass
    total = mpmath.fsum(losses)
    return [(total / mass if mass else mpmath.mpf(0)) if reduction == "mean" else total], mass


@pytest.mark.parametrize(
    ("names", "reduction"),
    [*((names, "mean") for names in COMBINATIONS), *((ALL_OPTIONS, reduction) for reduction in ("none", "sum"))],
    ids=lambda x: x if isinstance(x, str) else combination_id(x),
)
def test_every_option_by_numerical_derivatives(names, reduction):
    count, n = 8, 4
    targets, options = problem(names, count, n)
    rng = np.random.default_rng(9)
    logits, v = rng.standard_normal((count, n)) * 3, rng.standard_normal((count, n))
    batch = Batch(logits, targets, reduction=reduction, **options)
    with mpmath.workdps(150):
        h = mpmath.mpf(10) ** -40

        def sum_at(r, i, dz, dv=0):
            z = [[mpmath.mpf(x) for x in row] for row in logits]
            z[r] = [x + dv * mpmath.mpf(y) for x, y in zip(z[r], v[r], strict=True)]
            z[r][i] += dz
            return mpmath.fsum(plain(z, targets, options, reduction)[0])

        losses, mass = plain([[mpmath.mpf(x) for x in z] for z in logits], targets, options, reduction)
        agree(oracle.Truth(arb(fmpq(batch.denominator.numerator, batch.denominator.denominator))), mass)
        truths = batch.losses() if reduction == "none" else [batch.value()]
        for truth, expected in zip(truths, losses, strict=True):
            agree(truth, expected)
        for r in [0, 1, count // 3]:
            entry = batch.hvp(r, v[r])
            for i in range(n):
                agree(batch.grad(r, i), (sum_at(r, i, h) - sum_at(r, i, -h)) / (2 * h))
                mixed = sum_at(r, i, h, h) - sum_at(r, i, h, -h) - sum_at(r, i, -h, h) + sum_at(r, i, -h, -h)
                agree(entry(i), mixed / (4 * h * h))


def agree(truth, value):
    with working_precision(400):
        expected = arb(mpmath.nstr(value, 60, strip_zeros=False))
        assert abs(truth.value - expected) <= arb(10) ** -15 * abs(expected) + arb(10) ** -30


def test_the_oracle_imports_nothing_of_softjac():
    for module in [oracle_losses, cross_entropy_cases]:
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert imported <= {
            *("__future__", "collections.abc", "fractions", "functools", "itertools", "typing"),
            *("numpy", "flint", "softjac.check.oracle"),
        }
