"""What the tests of how a candidate is called share: functions to call, and what is found of them."""

import numpy as np
import scipy.special

from softjac.check.candidate import InThisProcess
from softjac.check.convention import find_convention
from softjac.check.options import Options


def softmax_rows(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_rows(z):
    return scipy.special.log_softmax(z, axis=-1)


def found(function, kind, **options):
    return find_convention(InThisProcess(function), kind, Options(**options))


def convention(function, kind, **options):
    result = found(function, kind, **options)
    assert result.right
    return result.convention


def of_a_vector(z):
    e = np.exp(z)
    return e / e.sum()


def column_formula(s):
    p = of_a_vector(s)
    return p * (np.eye(len(p)) - p.T)


def of_probs(z):
    return np.diag(z) - np.outer(z, z)


def losses(z, y):
    return -log_rows(z)[np.arange(len(y)), y]


def slopes(z, y):
    p = softmax_rows(z)
    p[np.arange(len(y)), y] -= 1
    return p
