"""The operator's complements and entries within the budgets of softjac/_budget.py, on hard and random rows."""

import numpy as np
import pytest

import softjac
from exact_operator import ROWS_OF_LOGITS
from softjac._budget import budget
from softjac.check.oracle import exact, total, working_precision
from softjac.check.ulp import format_of
from ulp import error_ulps

DTYPES = [np.float16, np.float32, np.float64, np.longdouble]


def rows():
    """Of every gap and form, and random ones, where the errors of three classes can add up."""
    rng = np.random.default_rng(11)
    yield from ROWS_OF_LOGITS
    for n, scale in ((2, 1.0), (3, 1.0), (3, 6.0), (5, 2.0), (9, 20.0)):
        yield from rng.standard_normal((60, n)) * scale


@pytest.mark.parametrize("dtype", DTYPES)
def test_complements_and_entries(dtype, sj):
    fmt = format_of(dtype)
    name = np.dtype(dtype).name
    allowed = {what: budget(name, f"operator_{what}").ulps for what in ("complement", "entries")}
    found = dict.fromkeys(allowed, 0.0)
    for row in rows():
        logits = row.astype(dtype)
        J, n = sj.SoftmaxJacobian(logits), len(row)
        with working_precision(1200):
            e = [exact(x).exp() for x in logits]
            p = [x / total(e) for x in e]
            q = [total(p[:i] + p[i + 1 :]) for i in range(n)]
            entries = [p[i] * q[i] if i == j else -p[i] * p[j] for i in range(n) for j in range(n)]
        for what, results, truths in (("complement", J.complement, q), ("entries", J.to_dense().ravel(), entries)):
            for result, y in zip(results, truths, strict=True):
                if not y.is_zero():
                    found[what] = max(found[what], error_ulps(result, y, fmt))
        np.testing.assert_array_equal(np.stack([J.row(i) for i in range(n)]), J.to_dense())
        np.testing.assert_array_equal(J.diagonal(), np.diagonal(J.to_dense()))
    for what, ulps in allowed.items():
        assert found[what] <= ulps, f"{what}: {found[what]:.3g} ulp"
    if dtype is np.float64 and softjac.kernels.native is not None:
        assert found["entries"] > 1.5  # so that the budget of softmax_jacobian, 1.5 ulp, would be too little


def test_what_is_not_the_operators_would_not_pass(sj):
    """1 - p at the largest p is off by far more."""
    J = sj.SoftmaxJacobian([0.0, 30.0])
    with working_precision(1200):
        q = 1 / (1 + exact(30.0).exp())
    assert error_ulps(1.0 - J.probs[1], q, format_of(np.float64)) > 1000.0
