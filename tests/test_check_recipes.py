"""The recipes of wrong implementations: right without a mistake, wrong with one, and two that go together."""

import functools
import itertools

import numpy as np
import pytest

import softjac
from softjac.check.mistakes import BY_NAME, MISTAKES, RIGHT, Situation
from softjac.check.mistakes.forms import FORMS
from softjac.check.mistakes.recipe import ALL_KINDS
from softjac.check.model import Convention, Inputs


def right_softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_a_recipe_without_a_mistake_is_right():
    """What the wrong ones are made of is right on ordinary numbers, where softjac is, which has tests of its own."""
    z = np.array([[2.0, 0.5, -1.75], [1.0, 2.0, 4.0], [-3.5, -1.0, -4.25], [0.25, 3.0, 1.5]])
    g = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0], [0.0, 1.0, 0.0], [2.0, -0.5, 4.0]])
    y = np.eye(3)[[2, 0, 1, 0]]
    inputs = Inputs(z, softjac.softmax(z), g, y, np.array([2, 0, 1, 0]))
    convention = Convention(reduction="mean", gradient="mean")
    value, gradient = softjac.cross_entropy_value_and_grad(z, y, reduction="mean")
    expected = {
        "softmax": (softjac.softmax(z),),
        "log_softmax": (softjac.log_softmax(z),),
        "logsumexp": (softjac.logsumexp(z),),
        "softmax_jacobian": (softjac.softmax_jacobian(z),),
        "softmax_vjp": (softjac.softmax_vjp(z, g),),
        "cross_entropy": (value,),
        "cross_entropy_grad": (gradient,),
        "cross_entropy_value_and_grad": (value, gradient),
    }
    assert set(expected) == ALL_KINDS
    for kind, arrays in expected.items():
        made = RIGHT.run(Situation(kind, inputs, convention, "batch"))
        for a, b in zip(made.arrays, arrays, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("mistake", [m for m in MISTAKES if m.variants], ids=lambda m: m.name)
def test_every_mistake_is_wrong_somewhere(mistake):
    """Each variant returns something else than the right recipe, on some probe of some kind."""
    for variant in mistake.variants:
        kinds = sorted(variant.kinds or mistake.kinds, key=len)
        assert any(_is_other(variant.predict(s), right) for kind in kinds for s, right in _situations(kind)), variant


@functools.cache
def _situations(kind):
    """Each with what is right there; small inputs first, which are compared in no time."""
    from softjac.check.cases import probes

    inputs = sorted((probe.inputs for probe in probes(kind)), key=lambda inputs: inputs.logits.size)
    found = []
    for one, given, targets in itertools.product(inputs, ("logits", "probs"), ("index", "one-hot")):
        for reduction in ("mean", "sum"):
            convention = Convention(given=given, wrt=given, reduction=reduction, gradient=reduction)
            s = Situation(kind, one, convention, "batch" if one.is_batch else "vector", targets)
            found.append((s, RIGHT.run(s)))
    return found


def _is_other(made, right):
    if made is None:
        return False
    if made.raises or any(a.shape != b.shape for a, b in zip(made.arrays, right.arrays, strict=True)):
        return True
    return any(
        not np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True) for a, b in zip(made.arrays, right.arrays, strict=True)
    )


def test_forms_are_of_mistakes():
    assert set(FORMS) <= set(BY_NAME)


def test_steps_that_are_taken_are_not_replaced():
    steps = {"softmax": right_softmax}
    once = RIGHT.with_steps(steps)
    assert once.with_steps({"softmax": np.array}) is None
    assert once.with_steps(steps).softmax is right_softmax
    assert RIGHT.with_steps({"leave": (abs,)}).with_steps({"leave": (min,)}).leave == (abs, min)


def test_a_mistake_of_batches_leaves_vectors_to_others():
    batches = RIGHT.with_steps({"softmax": right_softmax}, lambda s: s.inputs.is_batch)
    both = batches.with_steps({"softmax": np.array})
    vector = Situation("softmax", Inputs(np.array([1.0, 2.0]), np.array([0.5, 0.5])), Convention())
    batch = Situation("softmax", Inputs(np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]])), Convention(), "batch")
    np.testing.assert_array_equal(both.run(vector).arrays[0], [1.0, 2.0])
    np.testing.assert_allclose(both.run(batch).arrays[0], [[0.26894142, 0.73105858]])
