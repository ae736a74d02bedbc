"""Cross-entropy of pandas and np.ma: computed by position, and the labels and the mask come back."""

import numpy as np
import pytest

from functions import logits

Z = logits((3, 4))
LABEL = np.array([0, 3, 1])


@pytest.fixture
def pd():
    return pytest.importorskip("pandas", reason="pandas is not installed: pip install 'softjac[test]'")


@pytest.fixture
def frame(pd):
    return pd.DataFrame(Z, index=["a", "b", "c"], columns=list("wxyz"))


def test_a_frame_gives_its_labels_to_the_gradient(frame, pd, sj):
    label = pd.Series(LABEL, index=frame.index)
    loss, gradient = sj.cross_entropy_value_and_grad(frame, label)
    assert loss == sj.cross_entropy(Z, LABEL)
    assert isinstance(loss, np.float64)
    pd.testing.assert_frame_equal(gradient, pd.DataFrame(sj.cross_entropy_grad(Z, LABEL), frame.index, frame.columns))
    product = sj.cross_entropy_hvp(frame, label, frame)
    pd.testing.assert_frame_equal(product, pd.DataFrame(sj.cross_entropy_hvp(Z, LABEL, Z), frame.index, frame.columns))
    rows = sj.cross_entropy(frame, label, reduction="none")
    pd.testing.assert_series_equal(rows, pd.Series(sj.cross_entropy(Z, LABEL, reduction="none"), frame.index))
    out = np.empty((3, 4))
    assert sj.cross_entropy_grad(frame, label, out=out) is out
    np.testing.assert_array_equal(out, gradient.to_numpy())
    H = sj.cross_entropy_hessian(frame, label)
    np.testing.assert_array_equal(H.to_dense(), sj.cross_entropy_hessian(Z, LABEL).to_dense())


def test_along_the_index_of_a_frame(frame, pd, sj):
    label = pd.Series([0, 1, 2, 0], index=frame.columns)
    rows = sj.cross_entropy(frame, label, axis=0, reduction="none")
    pd.testing.assert_series_equal(
        rows, pd.Series(sj.cross_entropy(Z, label.to_numpy(), axis=0, reduction="none"), frame.columns)
    )
    weight = pd.Series([1.0, 2.0, 3.0], index=frame.index)
    result = sj.cross_entropy(frame, label, axis=0, weight=weight)
    assert result == sj.cross_entropy(Z, label.to_numpy(), axis=0, weight=[1.0, 2.0, 3.0])


def test_frames_and_series_in_every_place(frame, pd, sj):
    y = pd.DataFrame(np.eye(4)[LABEL], frame.index, frame.columns)
    sample_weight, weight = pd.Series([1.0, 2.0, 3.0], frame.index), pd.Series([1, 2, 3, 4], frame.columns)
    where = frame > -1.0
    result = sj.cross_entropy_grad(frame, y, sample_weight=sample_weight, weight=weight, where=where | (y > 0))
    expected = sj.cross_entropy_grad(
        Z, LABEL, sample_weight=[1, 2, 3], weight=[1, 2, 3, 4], where=(Z > -1.0) | (np.eye(4)[LABEL] > 0)
    )
    factor = np.sum([1 * 1, 2 * 4, 3 * 2]) / 6.0  # distributions divide by the sample weights alone
    np.testing.assert_allclose(result.to_numpy(), expected * factor, rtol=1e-14)
    one = pd.Series(Z[0], index=list("wxyz"), name="odds")
    gradient = sj.cross_entropy_grad(one, 2)
    pd.testing.assert_series_equal(gradient, pd.Series(sj.cross_entropy_grad(Z[0], 2), list("wxyz"), name="odds"))
    np.testing.assert_array_equal(sj.cross_entropy(Z, pd.Series(LABEL)), sj.cross_entropy(Z, LABEL))
    for dtype in ("Int64", "uint8"):
        assert sj.cross_entropy(Z, pd.Series(LABEL, dtype=dtype)) == sj.cross_entropy(Z, LABEL)


def test_labels_that_do_not_fit(frame, pd, sj):
    shuffled = frame.index[::-1]
    cases = {
        "targets": pd.Series(LABEL, index=shuffled),
        "sample_weight": pd.Series(np.ones(3), index=shuffled),
        "weight": pd.Series(np.ones(4), index=frame.columns[::-1]),
        "where": pd.DataFrame(np.ones((3, 4), bool), shuffled, frame.columns),
    }
    for name, value in cases.items():
        options = {"targets": LABEL, name: value}
        with pytest.raises(sj.ArgumentError, match=rf"{name} and logits have different labels"):
            call(sj, frame, options)
    with pytest.raises(sj.ArgumentError, match="tangent and logits have different labels"):
        sj.cross_entropy_hvp(frame, LABEL, frame.loc[shuffled])
    with pytest.raises(sj.DTypeError, match="targets has missing values"):
        sj.cross_entropy(frame, pd.Series([0, None, 1], index=frame.index, dtype="Int64"))
    with pytest.raises(sj.DTypeError, match="targets has dtype"):
        sj.cross_entropy(frame, pd.Series(["x", "y", "z"], index=frame.index))


def call(sj, z, options):
    options = dict(options)
    return sj.cross_entropy(z, options.pop("targets"), **options)


def test_what_is_masked_takes_no_part(sj):
    hidden = np.zeros((3, 4), bool)
    hidden[0, 2] = hidden[1, 0] = True
    hidden[2] = True
    z = np.ma.MaskedArray(np.where(hidden, np.nan, Z), hidden)
    loss, gradient = sj.cross_entropy_value_and_grad(z, LABEL)
    assert loss == sj.cross_entropy(Z, LABEL, where=~hidden)
    assert isinstance(gradient, np.ma.MaskedArray)
    np.testing.assert_array_equal(gradient.mask, hidden)
    np.testing.assert_array_equal(gradient.data, sj.cross_entropy_grad(Z, LABEL, where=~hidden))
    rows = sj.cross_entropy(z, LABEL, reduction="none")
    np.testing.assert_array_equal(rows.mask, [False, False, True])
    assert not np.ma.isMaskedArray(sj.cross_entropy(z, LABEL))
    only = np.array([[True], [False], [True]])
    part = ~hidden & only
    assert sj.cross_entropy(z, LABEL, where=only) == sj.cross_entropy(Z, LABEL, where=part)
    masked_only = np.ma.MaskedArray(np.ones((3, 1), bool), ~only)
    assert sj.cross_entropy(z, LABEL, where=masked_only) == sj.cross_entropy(Z, LABEL, where=part)
    H = sj.cross_entropy_hessian(z, LABEL)
    np.testing.assert_array_equal(H.to_dense(), sj.cross_entropy_hessian(Z, LABEL, where=~hidden).to_dense())

    out = np.ma.MaskedArray(np.ones((3, 4)), np.zeros((3, 4), bool))
    assert sj.cross_entropy_grad(z, LABEL, out=out) is out
    np.testing.assert_array_equal(out.mask, hidden)
    np.testing.assert_array_equal(out.data[~hidden], gradient.data[~hidden])
    one = sj.cross_entropy(np.ma.MaskedArray([1.0, 2.0], [True, True]), 0, reduction="none")
    assert one is np.ma.masked


def test_a_tangent_with_a_mask(sj):
    hidden = np.zeros((3, 4), bool)
    hidden[0, 2] = True
    product = sj.cross_entropy_hvp(Z, LABEL, np.ma.MaskedArray(Z, hidden))
    np.testing.assert_array_equal(product.mask, hidden)
    np.testing.assert_array_equal(product.data, sj.cross_entropy_hvp(Z, LABEL, Z, where=~hidden))


def test_masked_targets_and_weights_are_refused(sj):
    hidden = np.array([False, True, False])
    for options in (
        {"targets": np.ma.MaskedArray(LABEL, hidden)},
        {"targets": LABEL, "sample_weight": np.ma.MaskedArray(np.ones(3), hidden)},
    ):
        with pytest.raises(sj.DTypeError, match="masked array with masked elements: pass its data"):
            call(sj, Z, options)
    assert sj.cross_entropy(Z, np.ma.MaskedArray(LABEL)) == sj.cross_entropy(Z, LABEL)
