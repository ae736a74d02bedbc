"""Many rows are worked on a piece at a time, and rows of classes apart from distributions: nobody sees it."""

import numpy as np
import pytest

from functions import same_bits

ROWS, N = 40_000, 3  # more than two pieces
FUNCTIONS = ["cross_entropy", "cross_entropy_grad", "cross_entropy_hvp"]


def call(sj, name, z, targets, tangent, **options):
    more = [tangent] if name == "cross_entropy_hvp" else []
    return getattr(sj, name)(z, targets, *more, reduction="none", **options)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    y = rng.random((ROWS, N))
    y[::3] = np.eye(N)[rng.integers(0, N, y[::3].shape[0])]
    y[1::9] = 2.5 * np.eye(N)[0]
    where = np.ones((ROWS, N), bool)
    where[::5, 1] = False
    y[::5, 1] = 0.0
    sample_weight = rng.random(ROWS)
    sample_weight[7::100] = 0.0
    return rng.standard_normal((ROWS, N)), y, rng.standard_normal((ROWS, N)), where, sample_weight


SETS = {
    "none": {},
    "sample_weight": {"sample_weight": True},
    "all": {"sample_weight": True, "weight": [0.5, 1.0, 2.0], "label_smoothing": 0.1, "z_loss": 0.01, "where": True},
    "masked": {"where": True, "weight": [0.5, 1.0, 2.0]},
}


@pytest.mark.parametrize("options", SETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_row_has_the_bits_that_it_has_in_a_small_batch(name, options, data, sj):
    z, y, tangent, where, sample_weight = data
    options = dict(SETS[options])
    of_row = {"sample_weight": sample_weight, "where": where}
    whole = call(sj, name, z, y, tangent, **{k: of_row.get(k, v) for k, v in options.items()})
    for at in (slice(0, 5), slice(16_380, 16_390), slice(32_765, 32_772), slice(ROWS - 3, ROWS)):
        part = {k: of_row[k][at] if k in of_row else v for k, v in options.items()}
        assert same_bits(whole[at], call(sj, name, z[at], y[at], tangent[at], **part)), at


@pytest.mark.parametrize("name", FUNCTIONS)
def test_axes_and_batches(name, data, sj):
    z, y, tangent, where, sample_weight = data
    expected = call(sj, name, z, y, tangent, where=where, sample_weight=sample_weight)
    shape = (200, 200, N)
    folded = [x.reshape(shape) for x in (z, y, tangent, where)]
    for axis in (0, 1, 2):
        a, b, c, d = (np.moveaxis(x, -1, axis) for x in folded)
        result = call(sj, name, a, b, c, axis=axis, where=d, sample_weight=sample_weight.reshape(200, 200))
        rows = result.reshape(ROWS) if name == "cross_entropy" else np.moveaxis(result, axis, -1).reshape(ROWS, N)
        assert same_bits(rows, expected), axis


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_one_hot_row_has_the_bits_of_its_class_beside_any_distribution(name, data, sj):
    z, y, tangent, _, _ = data
    at = slice(0, 3000, 3)
    mixed = call(sj, name, z[:3000], y[:3000], tangent[:3000])[at]
    label = np.argmax(y[at], axis=-1)
    keep = np.max(y[at], axis=-1) == 1.0
    alone = call(sj, name, z[at], label, tangent[at])
    assert keep.sum() > 500
    assert same_bits(np.ascontiguousarray(mixed[keep]), np.ascontiguousarray(alone[keep]))


def test_the_mean_of_many_rows(data, sj):
    z, y, _, where, sample_weight = data
    options = {"where": where, "sample_weight": sample_weight, "weight": [0.5, 1.0, 2.0]}
    rows = sj.cross_entropy(z, y, reduction="none", **options)
    loss, denominator = sj.cross_entropy(z, y, return_denominator=True, **options)
    np.testing.assert_allclose(denominator, sample_weight.sum(), rtol=1e-15)
    np.testing.assert_allclose(loss, rows.sum() / sample_weight.sum(), rtol=1e-14)
    label = np.argmax(y, axis=-1)
    _, denominator = sj.cross_entropy(z, label, return_denominator=True, **options)
    np.testing.assert_allclose(denominator, np.sum(sample_weight * np.array([0.5, 1.0, 2.0])[label]), rtol=1e-15)


def test_out_may_be_the_logits_of_many_rows(data, sj):
    z, y, _, where, sample_weight = data
    expected = sj.cross_entropy_grad(z, y, where=where, sample_weight=sample_weight)
    for memory in (z.copy(), np.asfortranarray(z)):
        assert sj.cross_entropy_grad(memory, y, where=where, sample_weight=sample_weight, out=memory) is memory
        np.testing.assert_array_equal(memory, expected)
