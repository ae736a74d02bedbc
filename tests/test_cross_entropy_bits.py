"""With the compiled core a row's loss, gradient and Hessian product have the same bits, whatever stands around it.

The truth of each row here is that row alone, as a vector of adjacent elements; tests/test_cross_entropy_accuracy.py
holds its values.
"""

import hashlib
import json
from functools import cache

import numpy as np
import pytest

import softjac
from cross_entropy_cases import ALL_OPTIONS, OPTIONS, REDUCTIONS, problem
from functions import DTYPE_NAMES, DTYPES, bits
from test_same_bits import check, in_a_new_process, layouts, levels, some_rows

pytestmark = pytest.mark.compiled

EVERYWHERE = pytest.mark.parametrize("dtype", DTYPES, ids=DTYPE_NAMES)
KINDS = {
    "classes": set(),
    "classes and every option": ALL_OPTIONS,
    "distributions": {"soft targets"},
    "distributions and every option": set(OPTIONS) - {"ignore_index"},
}
ALL = pytest.mark.parametrize("kind", KINDS)
DISTINCT = 23
PER_ROW = ("sample_weight", "where")
NAMES = ("losses", "gradient", "product")


class Rows:
    """Logits, targets, a tangent and options of some rows, and what softjac makes of them."""

    def __init__(self, z, targets, v, options):
        self.z, self.targets, self.v, self.options = z, targets, v, options

    @classmethod
    def some(cls, kind, n, count, dtype, *, special=True):
        targets, options = problem(KINDS[kind], count, n)
        v = np.random.default_rng([n, 8]).standard_normal((count, n)).astype(dtype)
        return cls(some_rows(n, count, dtype, special=special), targets, v, options)

    def take(self, rows):
        options = {name: x[rows] if name in PER_ROW else x for name, x in self.options.items()}
        return Rows(self.z[rows], self.targets[rows], self.v[rows], options)

    def results(self, **more):
        losses, gradient = softjac.cross_entropy_value_and_grad(
            self.z, self.targets, reduction="none", **self.options, **more
        )
        product = softjac.cross_entropy_hvp(self.z, self.targets, self.v, reduction="none", **self.options, **more)
        return np.asarray(losses), gradient, product

    def reduced(self, **more):
        found = []
        for reduction in REDUCTIONS[1:]:
            options = {**self.options, **more, "reduction": reduction}
            found += softjac.cross_entropy_value_and_grad(self.z, self.targets, **options)
            found.append(softjac.cross_entropy_hvp(self.z, self.targets, self.v, **options))
        return found

    def one_by_one(self):
        rows = [self.take(r).results() for r in range(len(self.z))]
        return [np.stack(part) for part in zip(*rows, strict=True)]

    def moved(self, shape, axis, *, contiguous):
        """The same rows as a batch of this shape, with the classes along another axis."""
        n = self.z.shape[-1]

        def move(x):
            x = np.moveaxis(x.reshape(*shape, n), -1, axis)
            return np.ascontiguousarray(x) if contiguous else x

        options = dict(self.options)
        if "where" in options:
            options["where"] = move(options["where"])
        if "sample_weight" in options:
            options["sample_weight"] = options["sample_weight"].reshape(shape)
        targets = self.targets.reshape(shape) if self.targets.ndim == 1 else move(self.targets)
        return Rows(move(self.z), targets, move(self.v), options)


def compare(found, expected, label):
    for name, x, y in zip(NAMES, found, expected, strict=True):
        check(x, y, f"{label}: {name}")


@EVERYWHERE
@ALL
def test_batch_size_and_position(kind, dtype):
    for n in [1, 2, 3, 5, 8, 9, 15, 16, 17, 33, 70, 300]:
        rows = Rows.some(kind, n, DISTINCT, dtype)
        alone = rows.one_by_one()
        for batch in [2, 16, 33, 90]:
            order = (np.arange(batch) + (n * 5) % DISTINCT) % DISTINCT
            compare(rows.take(order).results(), [x[order] for x in alone], f"n={n}, batch={batch}")


@EVERYWHERE
@ALL
def test_number_of_threads(kind, dtype):
    # Large enough to be shared out, and not a multiple of anything.
    for count, n in [(67, 1009), (4111, 11), (3, 20011)]:
        rows = Rows.some(kind, n, count, dtype)
        some = np.unique(np.linspace(0, count - 1, 20).astype(int))
        alone, reduced = rows.take(some).one_by_one(), None
        for threads in [1, 2, 3, 7]:
            with softjac.num_threads(threads):
                compare([x[some] for x in rows.results()], alone, f"{count} rows of {n}, {threads} threads")
                found = rows.reduced()
            reduced = reduced or found
            for x, y in zip(found, reduced, strict=True):
                check(np.asarray(x), np.asarray(y), f"sum and mean of {count} rows of {n}, {threads} threads")


@EVERYWHERE
@ALL
def test_memory_layout(kind, dtype):
    rng = np.random.default_rng(0)
    for count, n in [(20, 7), (17, 16), (20, 33), (3, 333)]:
        rows = Rows.some(kind, n, count, dtype)
        alone, reduced = rows.one_by_one(), rows.reduced()
        targets = layouts(rows.targets, rng) if rows.targets.ndim > 1 else [("C", rows.targets)] * 8
        for (label, z), (_, v), (_, y) in zip(layouts(rows.z, rng), layouts(rows.v, rng), targets, strict=True):
            given = Rows(z, y, v, rows.options)
            compare(given.results(), alone, f"{count} rows of {n}, {label}")
            for x, expected in zip(given.reduced(), reduced, strict=True):
                check(np.asarray(x), np.asarray(expected), f"sum and mean of {count} rows of {n}, {label}")
        for label, z in layouts(rows.z, rng):  # operands that do not lie alike
            compare(Rows(z, rows.targets, rows.v, rows.options).results(), alone, f"logits {label}")
        labels = np.repeat(rows.targets, 3, axis=0)[::3]
        compare(Rows(rows.z, labels, rows.v, rows.options).results(), alone, "every third label")


@EVERYWHERE
@ALL
def test_axis(kind, dtype):
    for n in [3, 16, 70]:
        rows = Rows.some(kind, n, 60, dtype)
        losses, *full = rows.one_by_one()
        reduced = rows.reduced()
        for axis in [0, 1, 2, -1, -2, -3]:
            for contiguous in [False, True]:
                given = rows.moved((4, 15), axis, contiguous=contiguous)
                expected = [losses.reshape(4, 15), *(np.moveaxis(x.reshape(4, 15, n), -1, axis) for x in full)]
                label = f"n={n}, axis={axis}, contiguous={contiguous}"
                compare(given.results(axis=axis), expected, label)
                for x, y in zip(given.reduced(axis=axis), reduced, strict=True):
                    y = np.asarray(y)  # noqa: PLW2901
                    check(np.asarray(x), np.moveaxis(y.reshape(4, 15, n), -1, axis) if y.ndim else y, label)


@EVERYWHERE
@ALL
def test_out_and_in_place(kind, dtype):
    rng = np.random.default_rng(0)
    for count, n in [(20, 7), (17, 16), (5, 64), (3, 333)]:
        rows = Rows.some(kind, n, count, dtype)
        losses, gradient, product = rows.one_by_one()
        options = {"reduction": "none", **rows.options}
        for label, out in layouts(np.zeros_like(gradient), rng):
            found = softjac.cross_entropy_value_and_grad(rows.z, rows.targets, out=out, **options)
            assert found[1] is out
            check(found[0], losses, f"out {label}: losses")
            check(out, gradient, f"{count} rows of {n}, out {label}: gradient")
            assert softjac.cross_entropy_grad(rows.z, rows.targets, out=out, **options) is out
            check(out, gradient, f"{count} rows of {n}, out {label}: gradient alone")
            assert softjac.cross_entropy_hvp(rows.z, rows.targets, rows.v, out=out, **options) is out
            check(out, product, f"{count} rows of {n}, out {label}: product")
        for label, own in layouts(rows.z, rng):
            found = softjac.cross_entropy_value_and_grad(own, rows.targets, out=own, **options)
            check(found[0], losses, f"out=logits {label}: losses")
            check(own, gradient, f"{count} rows of {n}, out=logits {label}: gradient")
        for (label, own), (_, also) in zip(layouts(rows.z, rng), layouts(rows.v, rng), strict=True):
            check(
                softjac.cross_entropy_hvp(rows.z, rows.targets, also, out=also, **options),
                product,
                f"out=tangent {label}",
            )
            check(
                softjac.cross_entropy_hvp(own, rows.targets, rows.v, out=own, **options),
                product,
                f"hvp out=logits {label}",
            )
        # Shifted by a row, and by an element.
        for shift in [n, 1]:
            memory = np.zeros(count * n + shift, dtype)
            memory[: count * n] = rows.z.ravel()
            own, out = memory[: count * n].reshape(count, n), memory[shift:].reshape(count, n)
            found = softjac.cross_entropy_value_and_grad(own, rows.targets, out=out, **options)
            check(found[0], losses, f"overlap by {shift}: losses")
            check(out, gradient, f"{count} rows of {n}, overlap by {shift}: gradient")


@EVERYWHERE
def test_kinds_of_labels_and_targets(dtype):
    for count, n in [(20, 7), (5, 64), (1, 10)]:
        rows = Rows.some("classes", n, count, dtype)
        expected = rows.one_by_one()
        for kind in [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, ">i4", list]:
            labels = rows.targets.tolist() if kind is list else rows.targets.astype(kind)
            compare(Rows(rows.z, labels, rows.v, {}).results(), expected, f"labels {kind}")
        y = np.random.default_rng(n).integers(0, 9, (count, n)) / 8.0
        soft = Rows(rows.z, y, rows.v, {})
        expected = soft.one_by_one()
        for kind in [np.float16, np.float32, ">f8", list]:
            given = y.tolist() if kind is list else y.astype(kind)
            compare(Rows(rows.z, given, rows.v, {}).results(), expected, f"targets {kind}")
        whole = Rows(rows.z, y * 8, rows.v, {}).one_by_one()
        compare(Rows(rows.z, (y * 8).astype(np.int16), rows.v, {}).results(), whole, "targets of integers")


@EVERYWHERE
@ALL
def test_a_mask_that_masks_nothing_and_weights_of_one(kind, dtype):
    for count, n in [(20, 7), (5, 64)]:
        rows = Rows.some(kind, n, count, dtype)
        rows.options.pop("where", None)
        expected = rows.results()
        more = {"where": np.ones((count, n), bool)}
        more |= {name: np.ones(count if name == "sample_weight" else n) for name in ("weight", "sample_weight")}
        for name, x in more.items():
            if name not in rows.options:
                compare(rows.results(**{name: x}), expected, f"{count} rows of {n}, {name} of ones")


def digest():
    """A hash over results of all dtypes and kinds of rows; computed alike in every process."""
    found = {}
    for dtype in DTYPES:
        for kind in KINDS:
            state = hashlib.sha256()
            for count, n in [*((19, n) for n in [1, 2, 3, 4, 7, 8, 9, 16, 17, 33, 70]), (5, 257)]:
                rows = Rows.some(kind, n, count, dtype)
                across = rows.moved((count,), 0, contiguous=True)
                for result in [*rows.results(), *rows.reduced(), *across.results(axis=0)]:
                    state.update(np.ascontiguousarray(bits(result)).tobytes())
            found[f"{dtype.name} {kind}"] = state.hexdigest()
    return found


@cache
def own_digest():
    return digest()


@pytest.mark.parametrize("isa", levels())
def test_instruction_sets(isa):
    code = "import json, test_cross_entropy_bits as t; print(json.dumps([t.softjac.kernels.native.isa(), t.digest()]))"
    found, others = json.loads(in_a_new_process(code, SOFTJAC_ISA=isa))
    assert found == isa
    assert len(others) == len(KINDS) * len(DTYPES)
    assert others == own_digest()


def test_these_tests_can_fail():
    # NumPy's own lines do not pass them: the order of a sum depends on the layout.
    def naive(z, labels):
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True) - np.eye(z.shape[-1], dtype=z.dtype)[labels]

    rows = Rows.some("classes", 1000, 8, np.dtype(np.float32), special=False)
    alone = np.stack([naive(z, label) for z, label in zip(rows.z, rows.targets, strict=True)])
    with pytest.raises(pytest.fail.Exception, match="elements differ"):
        check(naive(np.asfortranarray(rows.z), rows.targets), alone, "F")
