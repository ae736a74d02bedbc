"""What to try where an experiment would need a softmax, or a Jacobian, that is not there: the call itself.

Two classes are enough to see most mistakes, and the right numbers of them are known by heart: p = (0.2689, 0.7311).
"""

from __future__ import annotations

import re


def _digits(call: str) -> str:
    """All digits of what a call returns, be it an array, a tensor, a list or a number."""
    return f"print(np.ravel({call}).tolist())"


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

IN_LOGITS = {
    "cross_entropy_grad": "print(f(np.array([0.2, 0.3, 0.5]), 2))   # should be 0.2, 0.3 and -0.5",
    "cross_entropy_value_and_grad": "print(f(np.array([0.2, 0.3, 0.5]), 2))   # should be 0.6931, and 0.2 0.3 -0.5",
}
"""Of probabilities, where the gradient is with respect to the logits."""

_SHARE, _REST, _LOSS = "0.2689414213699951", "0.7310585786300049", "1.3132616875182228"
_SLOPE, _QUOTIENT = "0.19661193324148185", "-3.3333333333333335"
OF_DIGITS = {
    "softmax": f"{_digits('f(np.array([0.0, 1.0]))')}   # should be {_SHARE} and {_REST}",
    "log_softmax": f"{_digits('f(np.array([0.0, 1.0]))')}   # should be -{_LOSS} and -0.3132616875182228",
    "logsumexp": f"{_digits('f(np.array([0.0, 1.0]))')}   # should be {_LOSS}",
    "softmax_jacobian": f"{_digits('f(np.array([0.0, 1.0]))')}   # should be {_SLOPE} and -{_SLOPE}",
    "softmax_vjp": f"{_digits('f(np.array([0.0, 1.0]), np.array([1.0, 0.0]))')}   # should be {_SLOPE} and -{_SLOPE}",
    "cross_entropy": f"{_digits('f(np.array([0.0, 1.0]), 0)')}   # should be {_LOSS}",
    "cross_entropy_grad": f"{_digits('f(np.array([0.0, 1.0]), 0)')}   # should be -{_REST} and {_REST}",
    "cross_entropy_value_and_grad": f"{_digits('grad(np.array([0.0, 1.0]), 0)')}   # should be -{_REST} and {_REST}",
}
"""With all digits, of what shows in the last ones alone."""

OF_DIGITS_BY_PROBS = {
    "softmax_jacobian": f"{_digits('f(np.array([0.3, 0.7]))')}   # should be 0.21 and -0.21",
    "softmax_vjp": f"{_digits('f(np.array([0.3, 0.7]), np.array([1.0, 0.0]))')}   # should be 0.21 and -0.21",
    "cross_entropy": f"{_digits('f(np.array([0.3, 0.7]), 0)')}   # should be 1.2039728043259361",
    "cross_entropy_grad": f"{_digits('f(np.array([0.3, 0.7]), 0)')}   # should be {_QUOTIENT} and 0",
    "cross_entropy_value_and_grad": f"{_digits('grad(np.array([0.3, 0.7]), 0)')}   # should be {_QUOTIENT} and 0",
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
