"""No function of cross-entropy writes to what it was given, and none needs more memory than it says."""

import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import softjac
from cross_entropy_cases import ALL_OPTIONS, OPTIONS, problem
from functions import DTYPE_NAMES, DTYPES, bits, same_bits
from test_same_bits import in_a_new_process

MOST = 2_000_000  # bytes beyond input and gradient, a thread
MOST_OF_REFERENCE = 6_000_000  # it works in blocks
BYTES_A_ROW = 30
KINDS = [set(), {"soft targets"}, ALL_OPTIONS, set(OPTIONS) - {"ignore_index"}]
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)


def operands(kind, shape, dtype):
    """Logits, targets, tangent and options; some logits are special."""
    rng = np.random.default_rng(0)
    z = (rng.standard_normal(shape) * 3).astype(dtype)
    z[0, 0], z[1 % shape[0], -1] = -np.inf, np.inf
    targets, options = problem(kind, *shape)
    return z, targets, rng.standard_normal(shape).astype(dtype), options


def calls(sj, z, targets, v, options):
    yield lambda: sj.cross_entropy(z, targets, **options)
    yield lambda: sj.cross_entropy_grad(z, targets, **options)
    yield lambda: sj.cross_entropy_value_and_grad(z, targets, **options)[1]
    yield lambda: sj.cross_entropy_value_and_grad(z, targets, out=np.empty_like(z), **options)[1]
    yield lambda: sj.cross_entropy_hvp(z, targets, v, **options)
    yield lambda: sj.cross_entropy_hvp(z, targets, v, out=np.empty_like(z), **options)
    yield lambda: sj.cross_entropy_hessian(z, targets, **options) @ v


@EVERY_DTYPE
@pytest.mark.parametrize("kind", KINDS, ids=["classes", "distributions", "every option", "distributions, every option"])
def test_operands_keep_their_bits_and_may_be_read_only(kind, dtype, sj):
    for shape in [(2, 3), (20, 7), (3, 100)]:
        z, targets, v, options = operands(kind, shape, dtype)
        given = [z, targets, v, *(x for x in options.values() if isinstance(x, np.ndarray))]
        before = [np.array(x) for x in given]
        for reduction in ["none", "mean"]:
            options["reduction"] = reduction
            expected = [call() for call in calls(sj, z, targets, v, options)]
            for x in given:
                x.flags.writeable = False
            for call, y in zip(calls(sj, z, targets, v, options), expected, strict=True):
                result = call()
                assert same_bits(result, y)
                assert not any(np.shares_memory(result, x) for x in given)
            for x in given:
                x.flags.writeable = True
        for x, y in zip(given, before, strict=True):
            assert np.array_equal(bits(x), bits(y))


@EVERY_DTYPE
def test_lists_stay_as_they_are(dtype, sj):
    z, y, labels = [[1.0, 2.0, 3.0], [0.5, 0.25, 0.125]], [[0.5, 0.25, 0.25], [1, 0, 0]], [2, 0]
    weight, where = [1.0, 2.0, 0.5], [[True, True, True], [True, False, True]]
    for targets in [y, labels]:
        value = sj.cross_entropy(z, targets, weight=weight, where=where, sample_weight=[1, 2])
        arrays = {"weight": np.asarray(weight), "where": np.asarray(where), "sample_weight": np.asarray([1.0, 2.0])}
        assert same_bits(value, sj.cross_entropy(np.asarray(z), np.asarray(targets), **arrays))
    assert (z[0], y[1], labels, weight) == ([1.0, 2.0, 3.0], [1, 0, 0], [2, 0], [1.0, 2.0, 0.5])


def test_only_the_gradient_is_written_in_place_of_the_logits(sj):
    for kind in KINDS:
        z, targets, v, options = operands(kind, (20, 7), np.float64)
        others = [targets, v, *(x for x in options.values() if isinstance(x, np.ndarray))]
        before = [np.array(x) for x in others]
        expected = sj.cross_entropy_value_and_grad(z, targets, **options)
        found = sj.cross_entropy_value_and_grad(z, targets, out=z, **options)
        assert found[1] is z
        assert same_bits(found[0], expected[0])
        assert same_bits(z, expected[1])
        for x, y in zip(others, before, strict=True):
            assert np.array_equal(bits(x), bits(y))


def test_nothing_is_written_when_the_arguments_are_refused(sj):
    z, out = np.zeros((3, 4)), np.full((3, 4), 7.0)
    labels = np.asarray([0, 1, 4])
    y = np.full((3, 4), 0.25)
    y[2, 3] = -1.0
    for targets, options in [
        (labels, {}),
        (y, {}),
        ([0, 1, 2], {"weight": [1.0, 1.0, 1.0, np.nan]}),
        ([0, 1, 2], {"sample_weight": [1.0, 1.0, -1.0]}),
        ([0, 1, 2], {"where": [[True] * 4, [True] * 4, [True, True, False, True]]}),
        ([0, 1, 2], {"reduction": "average"}),
        ([0, 1, 2], {"label_smoothing": 1.5}),
    ]:
        for function in [sj.cross_entropy_grad, sj.cross_entropy_value_and_grad]:
            for target in [out, z]:
                with pytest.raises(sj.SoftjacError):
                    function(z, targets, out=target, **options)
        with pytest.raises(sj.SoftjacError):
            sj.cross_entropy_hvp(z, targets, z, out=out, **options)
    assert (out == 7.0).all()
    assert not z.any()


LARGE = [((24, 32_000), set()), ((65_536, 10), set()), ((24, 32_000), {"soft targets"})]
LARGE += [((65_536, 10), {"soft targets"}), ((24, 32_000), {"weight", "label_smoothing", "z_loss"})]
LARGE += [((6, 128_256), {"weight", "label_smoothing", "where"})]
LARGE_IDS = ["classes", "rows of 10", "distributions", "distributions of 10", "options", "options of long rows"]


@pytest.mark.parametrize(("shape", "kind"), LARGE, ids=LARGE_IDS)
def test_memory_that_python_knows_of(shape, kind, sj, kernels_in_use):
    z = np.random.default_rng(0).standard_normal(shape, np.float32)
    targets, options = problem(kind, *shape)
    out = np.empty_like(z)
    with sj.num_threads(1):
        for call in [
            lambda: sj.cross_entropy_value_and_grad(z, targets, out=out, **options),
            lambda: sj.cross_entropy_hvp(z, targets, z, out=out, **options),
        ]:
            tracemalloc.start()
            try:
                call()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            of_reference = MOST_OF_REFERENCE * max(1, shape[1] / 32_000)  # it works on a row at a time
            assert peak < (MOST if kernels_in_use == "compiled" else of_reference)


@pytest.mark.compiled
@pytest.mark.parametrize("kind", [*KINDS, {"where"}], ids=lambda kind: " and ".join(sorted(kind)) or "classes")
def test_many_rows_take_30_bytes_each(kind):
    # docs/cross_entropy.md has the figure: a label, a mass, a total, a weight.
    rows = 300_000
    z = np.random.default_rng(0).standard_normal((rows, 4), np.float32)
    targets, options = problem(kind, rows, 4)
    out = np.empty_like(z)
    with softjac.num_threads(1):
        for call in [
            lambda: softjac.cross_entropy_value_and_grad(z, targets, out=out, **options),
            lambda: softjac.cross_entropy_hvp(z, targets, z, out=out, **options),
        ]:
            tracemalloc.start()
            try:
                call()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak < BYTES_A_ROW * rows


MEASURED = """
import re, sys
import numpy as np
import softjac
from cross_entropy_cases import problem

def status(name):
    with open("/proc/self/status") as lines:
        return int(re.search(name + r":\\s+(\\d+) kB", lines.read())[1]) * 1024

shape, kind, threads = {arguments}
softjac.set_num_threads(threads)
z = np.random.default_rng(0).standard_normal(shape, np.float32)
targets, options = problem(kind, *shape)
out = np.ones_like(z)
few = slice(0, 64)
softjac.cross_entropy_value_and_grad(z[few], targets[few], out=out[few], **options)
before = status("VmRSS")
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")
softjac.cross_entropy_value_and_grad(z, targets, out=out, **options)
print(status("VmHWM") - before)
"""


@pytest.mark.compiled
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of a process is reset on Linux only")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("shape", "kind"), LARGE, ids=LARGE_IDS)
def test_memory_of_the_process(shape, kind, threads):
    peak = int(in_a_new_process(MEASURED.replace("{arguments}", repr((shape, kind, threads)))))
    assert peak < threads * MOST, sys.version
