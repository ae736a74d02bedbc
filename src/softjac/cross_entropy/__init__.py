"""Categorical cross-entropy of logits: loss, gradient, products with the Hessian, and the Hessian as an operator."""

from softjac.cross_entropy._functions import (
    cross_entropy,
    cross_entropy_grad,
    cross_entropy_hessian,
    cross_entropy_hvp,
    cross_entropy_value_and_grad,
)
from softjac.cross_entropy._hessian import CrossEntropyHessian

__all__ = [
    "CrossEntropyHessian",
    "cross_entropy",
    "cross_entropy_grad",
    "cross_entropy_hessian",
    "cross_entropy_hvp",
    "cross_entropy_value_and_grad",
]
