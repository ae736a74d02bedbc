"""What a candidate computes is guessed from its name, and from what it returns."""

import functools

import numpy as np
import pytest

from check_conventions import (
    column_formula,
    log_rows,
    losses,
    of_probs,
    slopes,
    softmax_rows,
)
from libraries import peer
from softjac.check import names
from softjac.check.candidate import InThisProcess
from softjac.check.judge import examine
from softjac.check.model import Facts


@pytest.mark.parametrize(
    ("name", "parameters", "kind"),
    [
        ("softmax", 1, "softmax"),
        ("stable_softmax", 1, "softmax"),
        ("Softmax.forward", 1, ""),
        ("log_softmax", 1, "log_softmax"),
        ("logsumexp", 1, "logsumexp"),
        ("log_sum_exp", 1, "logsumexp"),
        ("jacobian", 1, "softmax_jacobian"),
        ("softmax_derivative", 1, "softmax_jacobian"),
        ("softmax_grad", 1, "softmax_jacobian"),
        ("softmax_grad", 2, "softmax_vjp"),
        ("softmax_backward", 2, "softmax_vjp"),
        ("softmax_jvp", 2, "softmax_vjp"),
        ("cross_entropy", 2, "cross_entropy"),
        ("crossentropy_loss", 2, "cross_entropy"),
        ("nll", 2, "cross_entropy"),
        ("grad_loss", 2, "cross_entropy_grad"),
        ("softmax_cross_entropy_backward", 2, "cross_entropy_grad"),
        ("loss_and_grad", 2, "cross_entropy_value_and_grad"),
        ("f", 1, ""),
    ],
)
def test_kinds_from_names(name, parameters, kind):
    facts = Facts(name=name, parameters=tuple("abc"[:parameters]))
    assert names.kind_from_name(facts).kind == kind


def test_kind_is_found_from_the_output_where_the_name_says_nothing():
    def f(z):
        return column_formula(z) * 0 + of_probs(softmax_rows(z))

    def g(z, y):
        return float(losses(z[None], [y])[0]), slopes(z[None], [y])[0]

    def softmax_loss(z, y):
        return g(z, y)

    def softmax_matrix(z):
        return f(z)

    for function, kind, guessed in [
        (f, "softmax_jacobian", "what it returns"),
        (g, "cross_entropy_value_and_grad", "what it returns"),
        (softmax_loss, "cross_entropy_value_and_grad", "what it returns"),
        (softmax_matrix, "softmax_jacobian", "what it returns"),
        (softmax_rows, "softmax", "the name"),
    ]:
        examination = examine(InThisProcess(function))
        assert (examination.kind, examination.guessed) == (kind, guessed)
        assert not examination.failed("exercise")


def test_kind_of_what_is_wrong_is_the_nearest():
    def of_base_2(z):
        return log_rows(z) / np.log(2)

    def matrix(z):
        return column_formula(z)

    assert examine(InThisProcess(of_base_2)).kind == "log_softmax"
    assert examine(InThisProcess(matrix)).kind == "softmax_jacobian"


def test_a_name_that_leaves_no_doubt_is_not_overruled():
    def softmax_jacobian(z):
        return softmax_rows(z)

    examination = examine(InThisProcess(softmax_jacobian))
    assert examination.kind == "softmax_jacobian"
    assert {j.problem for j in examination.failed("exercise")} == {"shape"}


def test_what_a_framework_differentiates_is_a_function_of_one_vector():
    """It bears the name softmax. Given a batch it differentiates every row by every row; that is no mistake of it."""
    jax = peer("jax", "peers")
    found = examine(InThisProcess(jax.jacfwd(jax.nn.softmax)))
    assert (found.kind, found.guessed) == ("softmax_jacobian", "what it returns")
    assert found.convention.forms == ("vector",)
    assert not found.failed("stable")


def named(name):
    def decorate(function):
        @functools.wraps(function)
        def derivative(*arguments):
            return function(*arguments)

        derivative.__name__ = name
        return derivative

    return decorate


@pytest.mark.parametrize(
    ("name", "function", "kind"),
    [
        (
            "softmax",
            lambda z: np.diag(softmax_rows(z)) - np.outer(softmax_rows(z), softmax_rows(z)),
            "softmax_jacobian",
        ),
        ("softmax", lambda z: np.diag(softmax_rows(z)), "softmax_jacobian"),
        ("cross_entropy", lambda z, y: softmax_rows(z) - np.eye(len(z))[y], "cross_entropy_grad"),
        ("softmax", lambda z: 2 * softmax_rows(z), "softmax"),
    ],
)
def test_the_name_of_what_is_wrapped_counts_where_the_output_agrees(name, function, kind):
    found = examine(InThisProcess(named(name)(function)))
    assert (found.kind, found.guessed) == (kind, "the name" if kind == name else "what it returns")
