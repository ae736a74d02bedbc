"""Arrays of every kind of memory give the result of a plain copy: byte order, alignment, files, strides, overlaps."""

from importlib import import_module

import numpy as np
import pytest

from functions import BFLOAT16, DTYPE_NAMES, DTYPES, FUNCTIONS, NAMES, bits, operands_like, same_bits
from softjac.check.ulp import format_of

NATIVE_ORDER = [dtype for dtype in DTYPES if dtype not in BFLOAT16]
EVERYWHERE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
ALL = pytest.mark.parametrize("name", NAMES)
SHAPES = [(5,), (1, 5), (20, 7), (3, 50), (2, 3, 4)]


def operands_of(function, shape, dtype, seed=0):
    z = np.random.default_rng(seed).standard_normal(shape) * 4
    return operands_like(function, z.astype(dtype), seed=seed + 1)


def check(sj, function, operands, plain, **options):
    """On the compiled core to the bit; the reference may add in another order."""
    found, expected = function(sj, *operands, **options), function(sj, *plain, **options)
    if import_module("softjac.kernels").native is not None:
        assert same_bits(found, expected)
        return
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    few_ulp = 8 * format_of(found.dtype).u
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=few_ulp, atol=few_ulp)


@pytest.mark.parametrize("dtype", NATIVE_ORDER, ids=str)
@ALL
def test_the_other_byte_order(name, dtype, sj):
    function = FUNCTIONS[name]
    other = dtype.newbyteorder()
    for shape in SHAPES:
        plain = operands_of(function, shape, dtype)
        swapped = [x.astype(other) for x in plain]
        check(sj, function, swapped, plain)
        check(sj, function, [plain[0], *swapped[1:]], plain)
        assert function(sj, *swapped).dtype.isnative


@EVERYWHERE
@ALL
def test_unaligned(name, dtype, sj):
    function = FUNCTIONS[name]
    for shape in SHAPES:
        plain = operands_of(function, shape, dtype)
        for offset in range(1, dtype.itemsize):
            moved = []
            for x in plain:
                memory = np.empty(x.nbytes + offset, np.uint8)
                moved.append(memory[offset:].view(dtype).reshape(shape))
                moved[-1][...] = x
            assert not moved[0].flags.aligned
            check(sj, function, moved, plain)
            check(sj, function, [plain[0], *moved[1:]], plain)


def test_fields_of_a_record(sj):
    record = np.zeros((6, 4), dtype=[("tag", "u1"), ("z", "f8"), ("w", "f4")])
    record["z"] = np.random.default_rng(0).standard_normal((6, 4))
    record["w"] = record["z"]
    for field in ["z", "w"]:
        assert not record[field].flags.aligned
        check(sj, FUNCTIONS["softmax"], [record[field]], [record[field].copy()])
        check(sj, FUNCTIONS["softmax_jacobian"], [record[field]], [record[field].copy()], axis=0)


@EVERYWHERE
def test_files_in_memory(dtype, sj, tmp_path):
    plain = operands_of(FUNCTIONS["softmax_jvp"], (20, 7), dtype)
    files = []
    for number, x in enumerate(plain):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(bits(x).tobytes())
        files.append(np.memmap(path, dtype=dtype, mode="r", shape=x.shape))
    check(sj, FUNCTIONS["softmax_jvp"], files, plain)
    check(sj, FUNCTIONS["softmax"], files[:1], plain[:1])
    assert type(sj.softmax(files[0])) is np.ndarray
    written = np.memmap(tmp_path / "out.bin", dtype=dtype, mode="w+", shape=(20, 7))
    assert sj.softmax(plain[0], out=written) is written
    assert same_bits(np.asarray(written), sj.softmax(plain[0]))
    back = np.memmap(tmp_path / "0.bin", dtype=dtype, mode="r", shape=plain[0].shape)
    assert same_bits(np.asarray(back), plain[0])


def test_a_memory_mapped_npy_file(sj, tmp_path):
    z = np.random.default_rng(0).standard_normal((30, 10)).astype(">f4")
    np.save(tmp_path / "z.npy", z)
    check(sj, FUNCTIONS["softmax"], [np.load(tmp_path / "z.npy", mmap_mode="r")], [z.astype("f4")])


@EVERYWHERE
@ALL
def test_strides(name, dtype, sj):
    function = FUNCTIONS[name]
    for views in [
        lambda x: x[::2, ::2],
        lambda x: x[::-1],
        lambda x: x[:, ::-1],
        lambda x: x[::-3, ::-2],
        lambda x: x.T,
        lambda x: x.T[::-1],
        lambda x: np.broadcast_to(x[3], x.shape),
        lambda x: np.broadcast_to(x[:, 3:4], x.shape),
        lambda x: np.lib.stride_tricks.sliding_window_view(x[0], 5),
        lambda x: x[:0],
    ]:
        operands = [views(x) for x in operands_of(function, (20, 14), dtype)]
        for axis in [0, -1]:
            if operands[0].shape[axis]:
                check(sj, function, operands, [x.copy() for x in operands], axis=axis)


@EVERYWHERE
@ALL
def test_fortran_order_and_the_order_of_the_result(name, dtype, sj):
    function = FUNCTIONS[name]
    plain = operands_of(function, (4, 5, 6), dtype)
    fortran = [np.asfortranarray(x) for x in plain]
    for axis in range(3):
        check(sj, function, fortran, plain, axis=axis)
    if function.result == "same":
        assert function(sj, *fortran).flags.f_contiguous
        assert function(sj, *plain).flags.c_contiguous


@EVERYWHERE
@ALL
def test_out_that_overlaps_an_operand(name, dtype, sj):
    # Every way that out can lie across an operand gives what a copy of the operands would have given.
    function = FUNCTIONS[name]
    n = 6
    for number in range(function.operands):
        plain = operands_of(function, (8, n), dtype, seed=number)
        expected = function(sj, *plain)
        size = expected.size
        for shift in [0, 1, n - 1, n, n + 1, 7 * n]:
            memory = np.zeros(shift + max(size, plain[number].size) + size, dtype)
            own = memory[shift : shift + plain[number].size].reshape(8, n)
            own[...] = plain[number]
            operands = [own if i == number else x for i, x in enumerate(plain)]
            out = memory[:size].reshape(expected.shape)
            assert function(sj, *operands, out=out) is out
            assert same_bits(out, expected), (number, shift)
    if function.result == "same":
        for view in [lambda x: x.T, lambda x: x[::-1], lambda x: x[:, ::-1]]:
            operands = [x[:6].copy() for x in plain]
            expected = function(sj, *operands)
            out = view(operands[0])
            function(sj, *operands, out=out)
            assert same_bits(out, expected)


@EVERYWHERE
def test_out_that_overlaps_the_mask(dtype, sj):
    z = np.random.default_rng(0).standard_normal((8, 16)).astype(dtype)
    memory = np.zeros_like(z)
    where = memory.view(bool)[:, :16]
    where[...] = np.random.default_rng(1).random((8, 16)) < 0.5
    expected = sj.softmax(z, where=where.copy())
    assert sj.softmax(z, where=where, out=memory) is memory
    assert same_bits(memory, expected)


@EVERYWHERE
@pytest.mark.parametrize("name", [name for name in NAMES if FUNCTIONS[name].result == "same"])
def test_the_same_array_as_every_operand_and_out(name, dtype, sj):
    function = FUNCTIONS[name]
    for shape in SHAPES:
        one = np.abs(np.random.default_rng(0).standard_normal(shape)).astype(dtype)
        expected = function(sj, *([one.copy()] * function.operands))
        function(sj, *([one] * function.operands), out=one)
        assert same_bits(one, expected)


@EVERYWHERE
@ALL
def test_more_axes(name, dtype, sj):
    function = FUNCTIONS[name]
    plain = operands_of(function, (2, 3, 1, 4, 2), dtype)
    for axis in range(-5, 5):
        expected_shape = function.result_shape((2, 3, 1, 4, 2), axis)
        result = function(sj, *plain, axis=axis)
        assert result.shape == expected_shape
        last = [np.moveaxis(x, axis, -1).copy() for x in plain]
        expected = function(sj, *last)
        if function.result == "same":
            expected = np.moveaxis(expected, -1, axis)
        np.testing.assert_allclose(result.astype(float), expected.astype(float), rtol=0.02, atol=0.02)
    if function.many_axes:
        for axes in [None, (0, 1), (4, 0), (-1, -2), (0, 1, 2, 3, 4)]:
            result = function(sj, *plain, axis=axes)
            named = tuple(range(5)) if axes is None else tuple(a % 5 for a in axes)
            rest = tuple(a for a in range(5) if a not in named)
            order = (*rest, *sorted(named))
            flat = [x.transpose(order).reshape(*(x.shape[a] for a in rest), -1) for x in plain]
            expected = np.asarray(function(sj, *flat))
            if function.result == "same":
                back = expected.reshape([plain[0].shape[a] for a in order]).transpose(np.argsort(order))
                assert same_bits(result, back)
            else:
                assert same_bits(result, expected)
                kept = function(sj, *plain, axis=axes, keepdims=True)
                assert kept.shape == tuple(1 if a in named else x for a, x in enumerate(plain[0].shape))
                assert same_bits(kept.ravel(), np.ravel(result))
