"""Weights far from one: in a mean only their ratios matter, and nothing is lost or overflows on the way."""

import numpy as np
import pytest

import hard_rows
from cross_entropy_judge import Judge
from softjac.check.oracle_losses import Batch

FACTORS = [-460, -300, -60, -1, 1, 60, 300, 460]


def results(sj, z, targets, **options):
    loss, gradient = sj.cross_entropy_value_and_grad(z, targets, **options)
    return loss, gradient, sj.cross_entropy_hvp(z, targets, np.cos(np.arange(z.size)).reshape(z.shape), **options)


@pytest.mark.parametrize("kind", ["sample_weight", "weight", "both"])
@pytest.mark.parametrize("exponent", FACTORS)
def test_a_power_of_two_in_the_weights_changes_no_bit_of_a_mean(exponent, kind, sj):
    rng = np.random.default_rng(7)
    z = rng.standard_normal((20, 4)) * np.array([[1.0], [30.0], [300.0], [720.0]] * 5)
    label = rng.integers(0, 4, 20)
    weights = {}
    if kind != "weight":
        weights["sample_weight"] = rng.random(20)
    if kind != "sample_weight":
        weights["weight"] = rng.random(4)
    plain = results(sj, z, label, **weights)
    scaled = results(sj, z, label, **{name: np.ldexp(w, exponent) for name, w in weights.items()})
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_array_equal(one, other)
    denominators = [
        sj.cross_entropy(z, label, return_denominator=True, **{name: np.ldexp(w, e) for name, w in weights.items()})[1]
        for e in (0, exponent)
    ]
    assert denominators[1] == np.ldexp(denominators[0], exponent * len(weights))


@pytest.mark.parametrize(
    ("z", "label", "options", "expected"),
    [
        ([[0.0, 700.0]], [1], {"sample_weight": [1e-20]}, 9.8596765437597708567e-305),
        ([[0.0, 300.0]], [1], {"sample_weight": [1e-200]}, 5.148200222412013e-131),
        ([[0.0, 300.0]], [1], {"weight": [1e-200, 1e-200]}, 5.148200222412013e-131),
        ([[0.0, 740.0]], [1], {"sample_weight": [1e-3]}, 4.2e-322),
        ([[0.0, 744.0]], [1], {"sample_weight": [0.3]}, 1e-323),
        ([[1e305, 0.0]], [1], {"sample_weight": [1e-100]}, 1e305),
        ([[1.7e308, 0.0]], [1], {"sample_weight": [1e-249]}, 1.7e308),
        ([[1e308, 0.0]], [1], {"weight": [2.0, 2.0]}, 1e308),
        ([[1e308, 0.0]] * 4, [1] * 4, {"weight": [1.0, 1e140], "sample_weight": [1e140] * 4}, 1e308),
        ([[1e200, 0.0]], [0], {"z_loss": 1e-95}, 1e305),
        ([[0.0, 5.0]], [0], {"weight": [1e-300] * 2}, 5.006715348489118),
    ],
)
def test_means_at_the_ends_of_the_range(z, label, options, expected, sj):
    found = sj.cross_entropy(np.array(z), label, **options)
    assert abs(found - expected) <= max(4e-16 * expected, 5e-324), found


def test_gradients_of_means_with_small_weights(sj):
    z = np.array([[0.0, -700.0]])
    q = 9.8596765437597708567e-305
    for options in ({"weight": [1e-20] * 2, "z_loss": 1e-220}, {"weight": [1e-59] * 2}):
        np.testing.assert_allclose(sj.cross_entropy_grad(z, [0], **options), [[-q, q]], rtol=1e-14)
    smoothed = sj.cross_entropy_grad(z, [0], weight=[1e-20] * 2, label_smoothing=1e-300)
    np.testing.assert_allclose(smoothed[0, 1], q - 5e-301, rtol=1e-14)


@pytest.mark.parametrize(
    "options", [{"weight"}, {"weight", "sample_weight"}, set()], ids=lambda names: " and ".join(sorted(names)) or "none"
)
@pytest.mark.parametrize("targets", ["classes", "one-hot with a mass", "soft"])
def test_losses_with_smoothing_are_within_the_budget(targets, options, sj):
    """Effective targets are pairs: rounded to one double, they cost up to 2 ulp."""
    rng = hard_rows.rng_for(f"smoothing {targets} {sorted(options)}")
    judge = Judge(sj, np.dtype(np.float64))
    for eps in (1e-10, 0.1, 0.73):
        n = 3
        z = rng.standard_normal((600, n)) * np.repeat([1.0, 4.0, 20.0], 200)[:, np.newaxis]
        y = rng.integers(0, n, 600)
        if targets == "one-hot with a mass":
            y = np.eye(n)[y] * rng.random((600, 1))
        if targets == "soft":
            y = rng.dirichlet(np.ones(n), 600)
        given = {"label_smoothing": eps}
        if "weight" in options:
            given["weight"] = rng.uniform(0.1, 2.0, n)
        if "sample_weight" in options:
            given["sample_weight"] = rng.uniform(0.1, 2.0, 600)
        batch = Batch(z, y, reduction="none", **given)
        judge.value_and_grad(f"eps {eps}", z, y, batch, lambda _: [0], **given)
    judge.check(losses=1800)


NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("z", "v", "options", "expected"),
    [
        ([0.0, 1.0, NAN], [INF, 0.0, 0.0], {}, [NAN] * 3),
        ([-INF, -INF], [INF, 0.0], {}, [NAN] * 2),
        ([INF, INF, 0.0], [INF, 0.0, 0.0], {}, [NAN, NAN, 0.0]),
        ([INF, INF, 0.0], [INF, 0.0, 0.0], {"z_loss": 0.1}, [NAN, NAN, 0.0]),
        ([0.0, 1.0, NAN], [INF, 0.0, 0.0], {"z_loss": 0.1}, [NAN] * 3),
        ([INF, 1.0, 0.0], [2.0, INF, 0.0], {"z_loss": 0.1}, [0.4, 0.0, 0.0]),
        ([INF, 1.0, 0.0], [INF, 0.0, 0.0], {"z_loss": 0.1}, [INF, 0.0, 0.0]),
    ],
)
def test_odd_rows_stay_odd_under_infinite_tangents(z, v, options, expected, sj):
    np.testing.assert_array_equal(sj.cross_entropy_hvp(np.array(z), 0, np.array(v), **options), expected)


def test_no_negative_zeros(sj):
    gradient = sj.cross_entropy_grad(np.array([-3.0, -INF], np.float32), 0, z_loss=1.0)
    product = sj.cross_entropy_hvp(np.array([0.0, 1.0, -INF]), 0, np.array([1.0, 2.0, -3.0]))
    assert not np.signbit(gradient[1])
    assert not np.signbit(product[2])


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
@pytest.mark.parametrize("label", [-1, -2, -100])
def test_negative_labels_of_every_width_are_refused(label, dtype, sj):
    n = 70_000 if dtype == np.int16 else 300
    z = np.zeros((2, n), np.float32)
    targets = np.array([0, label], dtype)
    for call in (
        lambda: sj.cross_entropy(z, targets),
        lambda: sj.cross_entropy_value_and_grad(z, targets),
        lambda: sj.cross_entropy_hvp(z, targets, z),
    ):
        with pytest.raises(sj.BoundsError, match=f"targets holds class {label}"):
            call()
