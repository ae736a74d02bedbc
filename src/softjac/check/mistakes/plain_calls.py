"""What to try where an experiment would need a softmax, or a Jacobian, that is not there: the call itself.

Two classes are enough to see most mistakes, and the right numbers of them are known by heart: p = (0.2689, 0.7311).
"""

from __future__ import annotations

import re

OF_LOGITS = {
    "log_softmax": "print(f(np.array([0.0, 1.0])))   # should be -1.3133 and -0.3133",
    "logsumexp": "print(f(np.array([0.0, 1.0])))   # should be 1.3133",
    "softmax_jacobian": "print(f(np.array([0.0, 1.0])))   # should be 0.1966 and -0.1966",
    "softmax_vjp": "print(f(np.array([0.0, 1.0]), np.array([1.0, 0.0])))   # should be 0.1966 and -0.1966",
    "cross_entropy": "print(f(np.array([0.0, 1.0]), 0))   # should be 1.3133",
    "cross_entropy_grad": "print(f(np.array([0.0, 1.0]), 0))   # should be -0.7311 and 0.7311",
    "cross_entropy_value_and_grad": "print(f(np.array([0.0, 1.0]), 0))   # should be 1.3133, and -0.7311 0.7311",
}
OF_PROBABILITIES = {
    "softmax_jacobian": "print(f(np.array([0.25, 0.75])))   # should be 0.1875 and -0.1875",
    "softmax_vjp": "print(f(np.array([0.25, 0.75]), np.array([1.0, 0.0])))   # should be 0.1875 and -0.1875",
    "cross_entropy": "print(f(np.array([0.2, 0.3, 0.5]), 2))   # should be 0.6931",
    "cross_entropy_grad": "print(f(np.array([0.2, 0.3, 0.5]), 2))   # should be 0, 0 and -2",
    "cross_entropy_value_and_grad": "print(f(np.array([0.2, 0.3, 0.5]), 2))   # should be 0.6931, and 0 0 -2",
}


def within_reach(line: str, kind: str, *, by_probs: bool) -> str:
    """The experiment; the plain call, where it needs what a function of this kind need not have.

    >>> within_reach("print(softmax([0.0, 5.0]))   # the second should be the larger", "logsumexp", by_probs=False)
    'print(f(np.array([0.0, 1.0])))   # should be 1.3133'
    """
    needs = [] if kind == "softmax" else [r"(?<![\w.])softmax\("]
    needs += [] if kind == "softmax_jacobian" else [r"\bJ\b"]
    if by_probs and kind in OF_PROBABILITIES and any(re.search(one, line) for one in (*needs, r"np\.array\(")):
        return OF_PROBABILITIES[kind]
    return OF_LOGITS[kind] if any(re.search(one, line) for one in needs) else line
