"""The Jacobian of softmax as an operator: products, solves, factors and spectrum without its n x n entries."""

from softjac.operator._jacobian import SoftmaxJacobian

__all__ = ["SoftmaxJacobian"]
