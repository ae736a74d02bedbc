"""ONNX's own tests of Softmax, LogSoftmax and ReduceLogSumExp, computed by softjac."""

import os
import warnings

import numpy as np
import pytest

OPERATORS = {"Softmax", "LogSoftmax", "ReduceLogSumExp"}
FEWEST_CASES = 20  # of onnx 1.17; later versions add some
SKIPPED_PARTS = ("_expanded",)  # the same tests, with the operator written out as a graph of simpler ones


@pytest.fixture(scope="module")
def cases():
    try:
        from onnx.backend.test import loader
    except ImportError:
        if os.environ.get("SOFTJAC_REQUIRE_PEERS", "") not in {"", "0"}:
            raise
        pytest.skip("onnx is not installed: pip install 'softjac[peers]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the cases of other operators do when they are made
        every = loader.load_model_tests(kind="node")
    return [
        case
        for case in every
        if not any(part in case.name for part in SKIPPED_PARTS)
        and {node.op_type for node in case.model.graph.node} <= OPERATORS
    ]


def run(sj, model, inputs):
    """The one node of a model, as its operator's specification says."""
    (node,) = model.graph.node
    attributes = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type != "ReduceLogSumExp":
        version = next(opset.version for opset in model.opset_import if opset.domain in {"", "ai.onnx"})
        assert version >= 13  # before, the input was flattened to two dimensions
        axis = attributes["axis"].i if "axis" in attributes else -1
        function = {"Softmax": sj.softmax, "LogSoftmax": sj.log_softmax}[node.op_type]
        return function(inputs[0], axis=axis)
    if "axes" in attributes:  # before version 18
        axes = tuple(attributes["axes"].ints)
    else:
        axes = tuple(int(axis) for axis in inputs[1]) if len(inputs) > 1 else ()
    if not axes:
        if "noop_with_empty_axes" in attributes and attributes["noop_with_empty_axes"].i:
            return inputs[0]
        axes = None
    keepdims = bool(attributes["keepdims"].i) if "keepdims" in attributes else True
    return sj.logsumexp(inputs[0], axis=axes, keepdims=keepdims)


def test_nodes_of_the_onnx_backend_tests(sj, cases):
    compared = dict.fromkeys(OPERATORS, 0)
    for case in cases:
        for inputs, (expected,) in case.data_sets:
            result = np.asarray(run(sj, case.model, inputs))
            assert result.shape == expected.shape, case.name
            assert result.dtype == expected.dtype, case.name
            np.testing.assert_allclose(result, expected, rtol=case.rtol, atol=case.atol, err_msg=case.name)
            if expected.size:
                np.testing.assert_allclose(result, expected, rtol=1e-5, atol=0, err_msg=case.name)
        compared[case.model.graph.node[0].op_type] += 1
    assert sum(compared.values()) >= FEWEST_CASES
    assert all(compared.values()), compared


def test_the_empty_set_and_large_numbers_are_among_them(cases):
    names = {case.name for case in cases}
    assert {"test_softmax_large_number", "test_logsoftmax_large_number", "test_reduce_log_sum_exp_empty_set"} <= names


def test_a_wrong_softmax_does_not_pass(cases):
    class Wrong:
        def softmax(self, x, axis):
            e = np.exp(x - x.max(axis=axis, keepdims=True)) + np.float32(1e-3)
            return e / e.sum(axis=axis, keepdims=True)

        log_softmax = softmax

        def logsumexp(self, x, axis, keepdims):
            return np.max(x, axis=axis, keepdims=keepdims, initial=-np.inf)

    with pytest.raises(AssertionError):
        test_nodes_of_the_onnx_backend_tests(Wrong(), cases)
