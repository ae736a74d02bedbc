"""Cases for tests/native/harness.cpp: every function of the kernels on rows of many lengths, numbers and layouts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

# In the order of Op in job.h: the core's function, the number of operands.
OPS = [
    ("softmax", 1),
    ("log_softmax", 1),
    ("softmax_complement", 1),
    ("logsumexp", 1),
    ("weighted_logsumexp", 2),
    ("softmax_jvp", 2),
    ("log_softmax_jvp", 2),
    ("log_softmax_vjp", 2),
    ("softmax_second_derivative", 3),
    ("softmax_vjp_probs", 2),
    ("log_softmax_vjp_probs", 2),
    ("softmax_jacobian", 1),
]
OP_NUMBER = {name: number for number, (name, _) in enumerate(OPS)}
# In the order of Type in job.h. bfloat16 is held as its bits.
DTYPES = ["float16", "bfloat16", "float32", "float64"]
STORED = {"bfloat16": np.dtype(np.uint16), **{name: np.dtype(name) for name in ("float16", "float32", "float64")}}
ONE_RESULT = {"logsumexp", "weighted_logsumexp"}

LENGTHS = [*range(1, 71)]
LONGER = [100, 127, 128, 255, 256, 257, 258, 271, 272, 300, 513, 1000, 4095, 4097]
ROWS = [1, 2, 16, 17, 33, 3, 15, 18, 32]
LAYOUTS = [
    "rows",
    "strided",
    "rows apart",
    "every other",
    "strided apart",
    "reversed",
    "two dimensions",
    "rows backwards",
]
IN_PLACE = ["rows", "strided", "every other", "rows apart", "two dimensions"]


@dataclass
class Case:
    """One call: operands of shape (rows, n) as they are, and how they are to lie in memory."""

    op: str
    dtype: str
    operands: list[Any]
    mask: Any
    layouts: list[str]  # of the operands, the mask, the output
    in_place: int  # the operand that is the output, or -1
    stream: bool
    split: int

    def __str__(self) -> str:
        rows, n = self.operands[0].shape
        return (
            f"{self.op} {self.dtype} rows={rows} n={n} layouts={self.layouts} in_place={self.in_place} "
            f"masked={self.mask is not None} stream={self.stream} split={self.split}"
        )


def to_dtype(values: Any, dtype: str) -> Any:
    with np.errstate(all="ignore"):
        if dtype != "bfloat16":
            return values.astype(dtype)
        bits = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    bits[np.isnan(values)] = 0x7FC0
    return bits


def logits(rng: Any, rows: int, n: int, dtype: str) -> Any:
    """Rows of different kinds, ordinary ones among them in every case."""
    z = rng.standard_normal((rows, n)) * rng.choice([0.1, 1.0, 5.0, 30.0, 300.0], (rows, 1))
    for i in range(rows):
        row = z[i]
        kind, k = rng.integers(14), rng.integers(n)
        match kind:
            case 0:
                row[:] = row[0]
            case 1:
                row[:] = np.round(row)  # ties
            case 2:
                row[k] += 800.0 if dtype == "float64" else 100.0
            case 3:
                row[rng.random(n) < 0.3] = -np.inf
            case 4:
                row[k] = np.inf
            case 5:
                row[[k, rng.integers(n)]] = np.inf
            case 6:
                row[k] = np.nan
            case 7:
                row[:] = -np.inf
            case 8:
                row *= {"float64": 1e305, "float16": 100.0}.get(dtype, 1e35)
            case 9:
                row += {"float16": 1e4}.get(dtype, 1e8)
            case 10:
                row[:] = np.where(rng.random(n) < 0.5, 0.0, -0.0)
    return to_dtype(z, dtype)


def probs(rng: Any, rows: int, n: int, dtype: str) -> Any:
    p = rng.dirichlet(np.full(n, 0.3), rows)
    for row in p:
        k = rng.integers(n)
        match rng.integers(8):
            case 0:
                row[rng.random(n) < 0.4] = 0.0
            case 1:
                row[:] = 0.0
                row[k] = 1.0
            case 2:
                row[k] = np.nan
            case 3:
                row[:] = 0.0
    return to_dtype(p, dtype)


def tangents(rng: Any, rows: int, n: int, dtype: str) -> Any:
    v = rng.standard_normal((rows, n))
    for i in range(rows):
        row = v[i]
        k = rng.integers(n)
        match rng.integers(12):
            case 0:
                row[k] = np.inf
            case 1:
                row[k] = np.nan
            case 2:
                row *= {"float64": 3e307, "float16": 1e4}.get(dtype, 6e37)
            case 3:
                row *= {"float64": 1e-310, "float16": 1e-7}.get(dtype, 1e-42)
            case 4:
                row += 1e4
            case 5:
                row[:] = 0.0
            case 6:
                row[[k, rng.integers(n)]] = [np.inf, -np.inf]
    return to_dtype(v, dtype)


def cases() -> Iterator[Case]:
    """About 3700 of them, the same ones every time: every length with every function and dtype."""
    rng = np.random.default_rng(20)
    turn = 0
    for n in [*LENGTHS, *LONGER]:
        for op, inputs in OPS:
            for dtype in DTYPES:
                turn += 1
                if n > 300 and (turn % 5 or n > 1000) and turn % 7:
                    continue  # long rows cost an emulator much
                rows = ROWS[turn % len(ROWS)] if n <= 70 else [1, 3, 5, 17][turn % 4 if n <= 300 else turn % 3]
                if op == "softmax_jacobian":
                    rows = min(rows, max(1, 10000 // (n * n)))
                    if n > 1000:
                        continue
                yield one_case(rng, op, inputs, dtype, rows, n)
    # Rows that were longer than a tile takes, and a Jacobian that is streamed segment by segment.
    # Rows that lie apart, and are more than one panel.
    yield one_case(rng, "softmax", 1, "float32", 3, 65537, layout="strided")
    yield one_case(rng, "softmax", 1, "float32", 150, 3000, layout="strided")
    yield one_case(rng, "softmax_jvp", 2, "float64", 40, 3000, layout="strided apart")
    for dtype, rows, n in [("float32", 1, 2065), ("float64", 1, 1040), ("float32", 2, 100)]:
        case = one_case(rng, "softmax_jacobian", 1, dtype, rows, n, layout="rows")
        yield Case(case.op, dtype, case.operands, None, case.layouts, -1, True, 0)


def one_case(rng: Any, op: str, inputs: int, dtype: str, rows: int, n: int, layout: str = "") -> Case:
    first = probs if op.endswith("_probs") else logits
    operands = [first(rng, rows, n, dtype)] + [tangents(rng, rows, n, dtype) for _ in range(inputs - 1)]
    mask = None
    if rng.random() < 0.3:
        mask = rng.random((rows, n)) < rng.choice([0.2, 0.8])
        mask[rng.integers(rows)] = rng.random() < 0.5
    base = layout or str(rng.choice(LAYOUTS))
    layouts = [base if rng.random() < 0.7 else str(rng.choice(LAYOUTS)) for _ in range(inputs + 2)]
    in_place = -1
    if op not in ONE_RESULT and op != "softmax_jacobian" and rng.random() < 0.3:
        in_place = int(rng.integers(inputs))
        layouts[in_place] = str(rng.choice(IN_PLACE))
    if op in ONE_RESULT and layouts[-1] in {"strided", "reversed", "every other"}:
        layouts[-1] = "rows"
    end = n if op == "softmax_jacobian" else rows
    split = int(rng.integers(end)) if rng.random() < 0.3 else 0
    return Case(op, dtype, operands, mask, layouts, in_place, bool(rng.random() < 0.3), split)


def batch_shape(rows: int) -> tuple[int, ...]:
    """Of two dimensions, as 16 = 2 x 8."""
    for factor in (2, 3, 5):
        if rows % factor == 0 and rows > factor:
            return factor, rows // factor
    return (rows,)


@dataclass
class Placed:
    """Memory for one array: a block without a byte before or after what the array touches."""

    block: Any
    view: Any

    @property
    def offset(self) -> int:
        return self.view.__array_interface__["data"][0] - self.block.__array_interface__["data"][0]


def place(shape: tuple[int, ...], dtype: Any, layout: str, batch_dims: int) -> Placed:
    """An array of this shape, class axes last, laid out as the name says; the block holds 0xa5 where it is not set."""
    item, batch, core = dtype.itemsize, shape[:batch_dims], shape[batch_dims:]
    rows, size = int(np.prod(batch)), int(np.prod(core))
    if not core:
        step, strides_core = item * (3 if layout == "rows apart" else 1), ()
    elif layout == "strided" or (layout == "two dimensions" and batch_dims < 2):
        step, strides_core = item, c_strides(core, rows * item)
    elif layout == "strided apart":
        step, strides_core = item, c_strides(core, (rows + 3) * item)
    elif layout == "every other":
        step, strides_core = 2 * size * item, c_strides(core, 2 * item)
    elif layout == "reversed":
        step, strides_core = size * item, tuple(-s for s in c_strides(core, item))
    elif layout == "rows apart":
        step, strides_core = (size + 3) * item, c_strides(core, item)
    elif layout == "two dimensions":  # the classes in the middle
        inner = batch[-1] * item
        strides_core, step = c_strides(core, inner), item
        strides = (*[inner * size] * (batch_dims - 1), step, *strides_core)
        return placed(shape, dtype, strides)
    else:
        step, strides_core = size * item, c_strides(core, item)
    strides_batch = c_strides(batch, step)
    if layout == "rows backwards":
        strides_batch = tuple(-s for s in strides_batch)
    return placed(shape, dtype, (*strides_batch, *strides_core))


def c_strides(shape: tuple[int, ...], step: int) -> tuple[int, ...]:
    strides = []
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def placed(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...]) -> Placed:
    reach = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    offset = -sum(r for r in reach if r < 0)
    block = np.full(offset + sum(r for r in reach if r > 0) + dtype.itemsize, 0xA5, np.uint8)
    return Placed(block, np.ndarray(shape, dtype, block.data, offset, strides))


def numbers(array: Placed, batch_dims: int) -> list[int]:
    strides = list(array.view.strides)
    core = [*strides[batch_dims:], 0, 0]
    return [array.block.nbytes, array.offset, *core[:2], *strides[:batch_dims]]


def encode(case: Case) -> tuple[bytes, Placed]:
    """What the harness reads, and where its result will lie."""
    rows, n = case.operands[0].shape
    dtype = STORED[case.dtype]
    batch = batch_shape(rows) if "two dimensions" in case.layouts else (rows,)
    dims = len(batch)
    arrays = []
    for operand, layout in zip(case.operands, case.layouts, strict=False):
        array = place((*batch, n), dtype, layout, dims)
        array.view[...] = operand.reshape(array.view.shape)
        arrays.append(array)
    if case.in_place >= 0:
        out = arrays[case.in_place]
    else:
        result = () if case.op in ONE_RESULT else (n, n) if case.op == "softmax_jacobian" else (n,)
        out = place((*batch, *result), dtype, case.layouts[-1], dims)
    if case.mask is not None:
        mask = place((*batch, n), np.dtype(bool), case.layouts[-2], dims)
        mask.view[...] = case.mask.reshape(mask.view.shape)
        arrays.append(mask)
    if case.in_place < 0:
        arrays.append(out)
    head = [OP_NUMBER[case.op], DTYPES.index(case.dtype), len(case.operands), n, case.stream, case.split]
    head += [case.in_place, case.mask is not None, dims, *batch]
    parts = [np.asarray(head, np.int64).tobytes()]
    for array in arrays:
        parts += [np.asarray(numbers(array, dims), np.int64).tobytes(), array.block.tobytes()]
    return b"".join(parts), out


def expected(core: Any, case: Case) -> Any:
    """What the compiled core gives for the case on this machine: C-ordered operands, an output of its own."""
    arguments = [-1, case.mask, None, *([True] if case.dtype == "bfloat16" else [])]
    operands = list(case.operands)
    name = case.op
    if name in ONE_RESULT:
        operands = [operands[0], operands[1] if name == "weighted_logsumexp" else None]
        name = "logsumexp"
    result = getattr(core, name)(*operands, *arguments)
    assert result is not NotImplemented
    return result


def differing(result: Any, wanted: Any, dtype: str) -> Any:
    """Where the bits differ; any NaN is the same as any other."""
    bits = f"u{wanted.dtype.itemsize}"
    both_nan = is_nan(result, dtype) & is_nan(wanted, dtype)
    return (result.view(bits) != wanted.view(bits)) & ~both_nan


def is_nan(values: Any, dtype: str) -> Any:
    return (values & 0x7FFF) > 0x7F80 if dtype == "bfloat16" else np.isnan(values)
