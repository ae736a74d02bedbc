"""ONNX's own tests of SoftmaxCrossEntropyLoss and NegativeLogLikelihoodLoss, all of them through softjac.cross_entropy.

SoftmaxCrossEntropyLoss is cross_entropy along axis 1. NegativeLogLikelihoodLoss takes log-probabilities x and gives
-w_c x_c: of these cross_entropy is the same, because log-sum-exp is then 0. The inputs of ONNX's cases are not
normalised, so what cross_entropy adds is subtracted: w_c logsumexp(x) of every row that counts, reduced alike.
"""

import os
import pkgutil
import warnings
from importlib import import_module

import numpy as np
import pytest

CASES = {"SoftmaxCrossEntropyLoss": 34, "NegativeLogLikelihoodLoss": 18}
MODULES = ("softmaxcrossentropy", "negativeloglikelihood")  # without underscores, which differ between versions


@pytest.fixture(scope="module")
def cases():
    try:
        node = import_module("onnx.backend.test.case.node")
    except ImportError:
        if os.environ.get("SOFTJAC_REQUIRE_PEERS", "") not in {"", "0"}:
            raise
        pytest.skip("onnx is not installed: pip install 'softjac[peers]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.iter_modules(node.__path__):
            if module.name.replace("_", "").startswith(MODULES):  # the cases of all operators take ten seconds
                import_module(f"{node.__name__}.{module.name}")
    # "_expanded" are the same tests, with the operator written out as a graph of simpler ones.
    return [
        case
        for case in node._NodeTestCases
        if "_expanded" not in case.name and case.model.graph.node[0].op_type in CASES
    ]


def options_of(node, inputs):
    attributes = {attribute.name: attribute for attribute in node.attribute}
    options = {"reduction": attributes["reduction"].s.decode() if "reduction" in attributes else "mean"}
    if "ignore_index" in attributes:
        options["ignore_index"] = attributes["ignore_index"].i
    if len(inputs) > 2:
        options["weight"] = inputs[2]
    return options


def softmax_cross_entropy_loss(sj, x, labels, **options):
    return sj.cross_entropy(x, labels, axis=1, **options)


def negative_log_likelihood_loss(sj, x, labels, **options):
    x, dtype = x.astype(np.float64), x.dtype  # so that the difference loses nothing
    loss, denominator = sj.cross_entropy(x, labels, axis=1, return_denominator=True, **options)
    counts = labels != options["ignore_index"] if "ignore_index" in options else np.ones(labels.shape, bool)
    weight = options.get("weight", np.ones(x.shape[1], x.dtype))
    added = np.where(counts, weight[np.where(counts, labels, 0)] * sj.logsumexp(x, axis=1), 0.0)
    if options["reduction"] == "none":
        return (loss - added).astype(dtype)
    return (loss - added.sum() / (denominator if options["reduction"] == "mean" else 1.0)).astype(dtype)


def run(sj, model, inputs):
    (node,) = model.graph.node
    x, labels = inputs[:2]
    options = options_of(node, inputs)
    if node.op_type == "NegativeLogLikelihoodLoss":
        return [negative_log_likelihood_loss(sj, x, labels, **options)]
    results = [softmax_cross_entropy_loss(sj, x, labels, **options)]
    if len(node.output) > 1:
        results.append(sj.log_softmax(x, axis=1))
    return results


def compare(sj, cases):
    compared = dict.fromkeys(CASES, 0)
    for case in cases:
        for inputs, outputs in case.data_sets:
            results = run(sj, case.model, inputs)
            assert len(results) == len(outputs), case.name
            for result, expected in zip(results, outputs, strict=True):
                assert np.shape(result) == np.shape(expected), case.name
                assert np.asarray(result).dtype == np.asarray(expected).dtype, case.name
                np.testing.assert_allclose(result, expected, rtol=case.rtol, atol=case.atol, err_msg=case.name)
                np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-7, err_msg=case.name)
        compared[case.model.graph.node[0].op_type] += 1
    return compared


def test_all_nodes_of_the_onnx_backend_tests(sj, cases):
    compared = compare(sj, cases)
    assert all(compared[name] >= fewest for name, fewest in CASES.items()), compared


def test_weights_ignored_labels_and_five_spatial_dimensions_are_among_them(cases):
    ignored = [a.i for case in cases for a in case.model.graph.node[0].attribute if a.name == "ignore_index"]
    assert min(ignored) < 0
    assert max(ignored) >= 10
    assert max(inputs[0].ndim for case in cases for inputs, _ in case.data_sets) == 7
    assert {len(inputs) for case in cases for inputs, _ in case.data_sets} == {2, 3}


def test_log_probabilities_need_no_correction(sj):
    x = sj.log_softmax(np.random.default_rng(0).standard_normal((4, 5, 6)), axis=1)
    labels = np.random.default_rng(1).integers(0, 5, (4, 6))
    likelihood = negative_log_likelihood_loss(sj, x, labels, reduction="mean")
    np.testing.assert_allclose(sj.cross_entropy(x, labels, axis=1), likelihood, rtol=1e-13)
    picked = np.take_along_axis(x, labels[:, None], axis=1)
    np.testing.assert_allclose(likelihood, -picked.mean(), rtol=1e-13)


def test_a_wrong_loss_does_not_pass(sj, cases):
    class Wrong:
        logsumexp, log_softmax = staticmethod(sj.logsumexp), staticmethod(sj.log_softmax)

        def __init__(self, option):
            self.option = option

        def cross_entropy(self, *operands, **options):
            # One that divides by the rows, or does not leave out, or sums.
            changed = {"weight": None, "ignore_index": None, "reduction": "sum"}
            if self.option == "ignore_index" and "ignore_index" in options:
                operands = (operands[0], np.clip(operands[1], 0, operands[0].shape[1] - 1))
            return sj.cross_entropy(*operands, **(options | {self.option: changed[self.option]}))

    for option in ["weight", "ignore_index", "reduction"]:
        with pytest.raises(AssertionError):
            compare(Wrong(option), cases)
