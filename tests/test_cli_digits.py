import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softjac import softmax_jacobian
from softjac._cli.digits import exact_sum, for_people, for_programs, sum_for_people
from softjac._cli.tables import gap_of, shortened


@given(st.floats(), st.integers(0, 17), st.sampled_from("-+"))
def test_what_is_not_zero_never_looks_like_zero(value, decimals, sign):
    text = for_people(value, decimals, sign)
    assert (float(text) == 0) == (value == 0)
    assert math.isnan(value) == (text == "nan")
    if value == 0:
        assert set(text) <= {"0", "."}
    elif not math.isnan(value):
        assert text.startswith("-") == (value < 0)
        assert text.startswith("+") == (value > 0 and sign == "+")
        if "e" not in text and math.isfinite(value):
            assert float(text) == pytest.approx(value, abs=0.5000001 * 10.0**-decimals, rel=1e-15)


@given(st.lists(st.floats(allow_nan=False, width=32)), st.sampled_from(["f4", "f8"]))
def test_programs_read_back_the_same_numbers(values, dtype):
    array = np.array(values, dtype=dtype)
    texts = for_programs(array, None)
    assert "-0.0" not in texts
    np.testing.assert_array_equal(np.array([float(text) for text in texts]).astype(dtype), array)


@given(st.lists(st.floats(-2, 2)), st.integers(0, 17), st.sampled_from(["f2", "f4", "f8"]))
def test_rounded_numbers_are_those_of_round(values, decimals, dtype):
    array = np.array(values, dtype=dtype)
    texts = for_programs(array, decimals)
    assert not {"-0.0", "-0"} & set(texts)
    for text, value in zip(texts, array.tolist(), strict=True):
        assert np.dtype(dtype).type(text) == np.dtype(dtype).type(round(value, decimals))
        if dtype == "f8":
            assert text == repr(round(value, decimals) + 0.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("n", [2, 10, 300])
def test_the_residue_of_rounding_is_zero_and_more_is_not(dtype, n):
    logits = (np.random.default_rng(n).normal(size=n) * 3).astype(dtype)
    J = softmax_jacobian(logits)
    residues = [math.fsum(row) for row in J.astype(float)]
    assert any(residues) == (n > 2)  # of two entries one is the other with its sign turned
    assert [sum_for_people(row) for row in J] == ["0"] * n
    wrong = J.copy()
    wrong[0, 0] += max(
        float(abs(J[0]).sum()) * 20 * max(float(np.finfo(dtype).eps), 2.0**-52),
        1e-300 if dtype == np.longdouble else float(np.finfo(dtype).tiny),
    )
    assert exact_sum(wrong[0]) > 0
    assert sum_for_people(wrong[0]) != "0"


def test_sums_of_odd_rows():
    assert sum_for_people(np.array([np.inf, -np.inf])) == "nan"
    assert sum_for_people(np.array([np.nan, 1.0])) == "nan"
    assert sum_for_people(np.array([])) == "0"
    assert sum_for_people(np.array([0.5, 0.25]), 2) == "0.75"
    assert sum_for_people(np.array([1e-9, 1e-9]), 2) == "2.00e-09"
    assert sum_for_people(np.array([5e-324, -1e-323])) == "0"


@given(st.integers(0, 50), st.integers(5, 20), st.integers(1, 4))
def test_a_gap_counts_what_is_left_out(count, most, last):
    picked = shortened(count, most, last)
    kept = [i for i in picked if i is not None]
    assert len(kept) == min(count, most)
    gap = gap_of(picked, count)
    left_out = [] if gap is None else list(range(gap[0], gap[1] + 1))
    assert sorted(kept + left_out) == list(range(count))
