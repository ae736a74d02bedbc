"""Softmax, its Jacobian and everything differentiated out of it, for NumPy."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from softjac._config import show_config
from softjac._dispatch import explain_dispatch
from softjac._threads import get_num_threads, num_threads, set_num_threads
from softjac._version import __version__
from softjac.cross_entropy import (
    CrossEntropyHessian,
    cross_entropy,
    cross_entropy_grad,
    cross_entropy_hessian,
    cross_entropy_hvp,
    cross_entropy_value_and_grad,
)
from softjac.errors import ArgumentError, AxisError, BoundsError, DerivationError, DTypeError, ShapeError, SoftjacError
from softjac.jacobian import (
    log_softmax_jvp,
    log_softmax_vjp,
    softmax_jacobian,
    softmax_jvp,
    softmax_second_derivative,
    softmax_vjp,
)
from softjac.operator import SoftmaxJacobian
from softjac.pictures import plot_jacobian
from softjac.softmax import log_softmax, logsumexp, softmax, softmax_complement

__all__ = [
    "ArgumentError",
    "AxisError",
    "BoundsError",
    "CrossEntropyHessian",
    "DTypeError",
    "DerivationError",
    "ShapeError",
    "SoftjacError",
    "SoftmaxJacobian",
    "__version__",
    "cross_entropy",
    "cross_entropy_grad",
    "cross_entropy_hessian",
    "cross_entropy_hvp",
    "cross_entropy_value_and_grad",
    "explain_dispatch",
    "get_num_threads",
    "log_softmax",
    "log_softmax_jvp",
    "log_softmax_vjp",
    "logsumexp",
    "num_threads",
    "plot_jacobian",
    "set_num_threads",
    "show_config",
    "softmax",
    "softmax_complement",
    "softmax_jacobian",
    "softmax_jvp",
    "softmax_second_derivative",
    "softmax_vjp",
]

if _TYPE_CHECKING:
    from softjac import derivation as derivation
    from softjac.check import CallableModule as _CallableModule

    check: _CallableModule


def __getattr__(name: str) -> object:
    """`softjac.derivation` and `softjac.check` are loaded when asked for: importing softjac takes no time for them."""
    if name in {"check", "derivation"}:
        from importlib import import_module

        return import_module(f"softjac.{name}")
    raise AttributeError(f"module 'softjac' has no attribute {name!r}")
