"""Arrays of several kinds in one call: what goes together, what is refused, and what is said."""

import numpy as np
import pytest


@pytest.fixture
def da():
    return pytest.importorskip("dask.array", reason="Dask is not installed: pip install 'softjac[test]'")


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is not installed: pip install 'softjac[peers]'")


MASKED = np.ma.array([[1.0, 99.0, 3.0], [1.0, 2.0, 3.0]], mask=[[0, 1, 0], [0, 0, 0]])


def test_a_masked_array_is_refused_beside_dask(sj, da):
    lazy = da.zeros((2, 3), chunks=(1, 3))
    with pytest.raises(sj.DTypeError, match="tangent is a MaskedArray: beside Dask arrays"):
        sj.softmax_jvp(lazy, MASKED)
    with pytest.raises(sj.DTypeError, match="where is a MaskedArray: beside Dask arrays"):
        sj.softmax(lazy, where=np.ma.array(np.ones((2, 3), bool), mask=False))
    result = sj.softmax_jvp(lazy, da.from_array(MASKED)).compute()
    np.testing.assert_array_equal(result.filled(7.0), sj.softmax_jvp(np.zeros((2, 3)), MASKED).filled(7.0))


def test_where_goes_with_logits_and_weights_together_in_dask(sj, da):
    logits, weights, where = np.ones((6, 1)), np.ones((6, 4)), np.ones((6, 4), bool)
    expected = sj.logsumexp(logits, b=weights, where=where)
    found = sj.logsumexp(da.from_array(logits), b=weights, where=where).compute()
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(sj.ShapeError, match=r"where has shape \(5, 4\) and logits and b together has shape \(6, 4\)"):
        sj.logsumexp(da.from_array(logits), b=weights, where=np.ones((5, 4), bool))


def test_dask_of_unknown_length_keeps_dimensions(sj, da):
    x = da.from_array(np.arange(12.0).reshape(4, 3), chunks=(2, 3))
    unknown = x[x[:, 0] > 2.0]
    found = sj.logsumexp(unknown, keepdims=True).compute()
    np.testing.assert_array_equal(found, sj.logsumexp(np.arange(3.0, 12.0).reshape(3, 3), keepdims=True))


def test_where_that_is_no_array_is_refused_by_every_library(sj, da, torch):
    ragged = [[True], [True, False]]
    for logits in (np.zeros(2), da.zeros(2), torch.zeros(2)):
        with pytest.raises(sj.DTypeError, match="where cannot be made an array of booleans"):
            sj.softmax(logits, where=ragged)


def test_text_beside_tensors_is_named(sj, torch):
    with pytest.raises(sj.DTypeError, match="tangent is a str, not numbers: pass an array of torch, as logits is"):
        sj.softmax_jvp(torch.zeros(2), "ab")


@pytest.mark.parametrize("name", ["softmax_vjp", "log_softmax_vjp"])
def test_neither_logits_nor_probabilities(name, sj):
    with pytest.raises(sj.DTypeError, match="logits is None, and probs is not given: pass the logits, or"):
        getattr(sj, name)(None, [1.0, 0.0])


def test_a_masked_out_shows_what_was_computed(sj):
    out = np.ma.array(np.full((2, 3), 9.0), mask=[[1, 0, 0], [0, 0, 1]])
    result = sj.softmax(np.ones((2, 3)), out=out)
    assert result is out
    assert not np.ma.getmaskarray(out).any()
    np.testing.assert_array_equal(out.data, sj.softmax(np.ones((2, 3))))


def test_frames_of_integers_are_explained(sj):
    pd = pytest.importorskip("pandas", reason="pandas is not installed: pip install 'softjac[test]'")
    assert "as float64" in str(sj.explain_dispatch(pd.DataFrame({"i": [1], "f": np.float32([1])})))


def test_a_tangent_may_be_far_larger_than_the_result(sj):
    # Scaled so that no sum overflows, the small results must not be lost.
    found = sj.softmax_jvp([0.0, -700.0, -700.0], [1.7e308, 1.7e308, -1.7e308])
    np.testing.assert_allclose(found, [33522.9, 3.305249532617265e-300, -33522.9], rtol=1e-5)
    second = sj.softmax_second_derivative([0.0, -600.0, -600.0], [0.0, 0.0, 1.0], [0.0, 1e308, 1.0])
    np.testing.assert_allclose(second, [1.405e-213, -7.02e-214, -7.02e-214], rtol=1e-3)
