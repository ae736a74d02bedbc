"""The number of threads: set, read, restored, and refused where it makes no sense."""

import subprocess
import sys
import sysconfig

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def restored(sj):
    before = sj.get_num_threads()
    yield
    sj.set_num_threads(before)


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="not a free-threaded Python, such as 3.14t")
def test_free_threading_stays_on(sj):
    # A module that does not declare that it is safe without the lock turns the lock on for the whole process.
    code = "import sys, numpy; before = sys._is_gil_enabled(); import softjac; print(before, sys._is_gil_enabled())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ran.stdout == "False False\n"


def test_set_and_get(sj):
    assert sj.get_num_threads() >= 1
    for n in (1, 2, np.int64(3), 4096):
        assert sj.set_num_threads(n) is None
        assert sj.get_num_threads() == n
        assert type(sj.get_num_threads()) is int


def test_a_block_sets_it_back(sj):
    sj.set_num_threads(3)
    with sj.num_threads(2):
        assert sj.get_num_threads() == 2
        with sj.num_threads(1):
            assert sj.get_num_threads() == 1
        assert sj.get_num_threads() == 2
    assert sj.get_num_threads() == 3


def test_a_block_sets_it_back_after_an_error(sj):
    sj.set_num_threads(3)
    with pytest.raises(KeyError), sj.num_threads(2):
        raise KeyError
    assert sj.get_num_threads() == 3


def test_a_function_can_be_decorated(sj):
    @sj.num_threads(2)
    def inside():
        return sj.get_num_threads()

    sj.set_num_threads(1)
    assert (inside(), inside(), sj.get_num_threads()) == (2, 2, 1)


@pytest.mark.parametrize("n", [0, -1, 4097, 10**30])
def test_numbers_out_of_range(n, sj):
    for setter in (sj.set_num_threads, lambda n: sj.num_threads(n).__enter__()):
        with pytest.raises(sj.ArgumentError, match=f"n is {n}: pass a number of threads from 1 to 4096") as caught:
            setter(n)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("n", [1.0, "2", None, [1]])
def test_what_is_no_integer(n, sj):
    with pytest.raises(sj.DTypeError, match=f"a {type(n).__name__}: pass the number of threads as an int"):
        sj.set_num_threads(n)


def test_results_are_the_same(sj):
    z = np.random.default_rng(0).standard_normal((64, 5000)).astype(np.float32)
    with sj.num_threads(1):
        one = sj.softmax(z)
    with sj.num_threads(2):
        np.testing.assert_array_equal(sj.softmax(z), one)
