"""A chain holds or is not built: also lines that are right at ties, for one class or at [1, 2, 3] are refused."""

from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from derivation_samples import JACOBIAN, ONES, RULE, J, L, P, S, chain, delta, e, numeric, p, point, symbolic, y, z
from softjac.derivation.blocks import Line
from softjac.derivation.expressions import (
    Derivative,
    Diagonal,
    Divide,
    Exp,
    Indicator,
    Log,
    Matrix,
    Number,
    Sum,
    Symbol,
    Transpose,
    Vector,
)
from softjac.derivation.numbers import number_of
from softjac.derivation.printers import term_id
from softjac.errors import DerivationError

AT = point("1", "2", "3", label=2)
FREE = {"free": ("i", "j")}


RIGHT = {
    "in symbols": None,
    "[1, 2, 3]": AT,
    "one class": point("0.5"),
    "ties": point("2", "2"),
    "all the same": point("0", "0", "0", "0", label=1),
    "40 apart": point("0", "40", "39.5", label=0),
    "800 apart": point("0", "800", "-3", label=2),
    "far from 0": point("-1e15", "-999999999999999"),
    "50 classes": point(*(Decimal(k * 7 % 50) / 9 for k in range(50)), label=17),
}


@pytest.mark.parametrize("at", RIGHT)
def test_right_chains_are_built(at):
    assert len(symbolic(RIGHT[at])) == 14
    if RIGHT[at] is not None and RIGHT[at].n < 50:
        numeric(RIGHT[at])


DIAGONAL = [p(i) * (1 - p(i)) for i in range(3)]
LAST_ROW = ((0, 1, 2), (0, 1, 2), (1, 1, 2))  # the last entry but one of the last row names another class
WRONG = {
    # the known mistakes in print, and lines that hold in special places only
    "squared denominators in both factors": (J("i", "j"), -e("i") / S**2 * (e("j") / S**2), {**FREE, "where": "i!=j"}),
    "the chain rule without 1/p": (Derivative(Log(p("i")), z("j")), Derivative(p("i"), z("j")), FREE),
    "y_4 for y_3": (
        JACOBIAN,
        Matrix(tuple(tuple(DIAGONAL[i] if i == j else -p(i) * p(LAST_ROW[i][j]) for j in range(3)) for i in range(3))),
        {},
    ),
    "a row for a matrix": (JACOBIAN, Diagonal(P) * (Vector("I") - Transpose(P)), {}),
    "a column for a row": (JACOBIAN, Diagonal(P) * (Vector("I") - P * Transpose(ONES)), {}),
    "right for one class": (J("i", "j"), Number(0), FREE),
    "right for two classes": (J("i", "j"), p("i") * (2 * delta("i", "j") - 1) * (1 - p("i")), FREE),
    "right at ties": (J("i", "j"), p("j") * (delta("i", "j") - p("i") ** 2 / p("j")), FREE),
    "right where all are equal": (J("i", "i"), p("i") - 1 / Symbol("n") ** 2, {"free": ("i",)}),
    "right at [1, 2, 3]": (z("i") * z(0), z("i"), {"free": ("i",)}),
    "right at equal steps": (z(0) + z(2), 2 * z(1), {}),
    "right for three classes": (1 / Symbol("n"), Divide(Number(1), Number(3)), {}),
    "right on the diagonal": (J("i", "j"), p("i") * (1 - p("j")), FREE),
    "right off the diagonal": (J("i", "j"), -p("i") * p("j"), FREE),
    "right for one-hot labels": (L, -Sum("i", y("i") * y("i") * Log(p("i"))), {}),
    "right for one label": (L, -Log(p(2)), {}),
    "wrong in the 49th digit": (S, S * (1 + Number(Decimal("1e-49"))), {}),
    "a sign": (Derivative(L, z("j")), y("j") - p("j"), {"free": ("j",)}),
    "a column sum of 1e-20": (Sum("i", J("i", "j")), Number(Decimal("1e-20")), {"free": ("j",)}),
    "another shape": (JACOBIAN, P, {}),
    "a number for a matrix": (JACOBIAN, Number(0), {}),
    "an unknown letter": (J("i", "j"), p("i") * (delta("i", "k") - p("j")), FREE),
    "an index free and summed": (Derivative(L, z("i")), -Sum("i", y("i") / p("i") * J("i", "i")), {"free": ("i",)}),
}  # fmt: skip
READERS = {
    "without": None,
    "[1, 2, 3]": AT,
    "ties": point("1", "1", "1", label=2),
    "[0]": point("0", label=0),
    "800 apart": point("0", "800", "0", label=2),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WRONG)
def test_wrong_lines_are_refused(name, reader):
    goal, line, options = WRONG[name]
    at = READERS[reader]
    with pytest.raises(DerivationError):
        chain(goal, line, point=at, **options)


def test_a_line_that_is_right_to_51_digits_is_right():
    chain(S, S * (1 + Number(Decimal("1e-51"))))


def test_the_error_says_which_line_where_and_what():
    with pytest.raises(DerivationError) as caught:
        chain(J("i", "j"), Derivative(p("i"), z("j")), p("i") * (delta("i", "j") - p("i")), point=AT, **FREE)
    message = str(caught.value)
    assert "\n" not in message
    for phrase in (
        "line 2 of the chain for",
        "by the rule definition_p",
        "-0.0081055041",
        "the goal -0.0220330445",
        "the reader's logits (1, 2, 3)",
        "with i = 0, j = 1",
    ):
        assert phrase in message, message


def test_the_first_wrong_line_is_named():
    with pytest.raises(DerivationError, match="line 2 "):
        chain(S, S, 2 * S, 3 * S)


def test_a_wrong_entry_of_a_matrix_is_named():
    wrong = Matrix(tuple(tuple(J(i, j) if (i, j) != (1, 2) else J(i, 1) for j in range(3)) for i in range(3)))
    with pytest.raises(DerivationError, match=r"entry \(1, 2\)"):
        chain(JACOBIAN, wrong)


def test_a_wrong_entry_behind_dots_is_found():
    at = ((0, None, "n-1"), (0, None, "n-1"))
    right = ((J(0, 0), None, J(0, "n-1")), (None, None, None), (J("n-1", 0), None, J("n-1", "n-1")))
    chain(JACOBIAN, Matrix(right, at))
    with pytest.raises(DerivationError):
        chain(JACOBIAN, Matrix((*right[:2], (J("n-1", 0), None, J("n-1", 0))), at))
    with pytest.raises(DerivationError, match="show the same entries"):
        chain(Matrix(((J(0, 0), None),), ((0,), (0, None))), Matrix(((None, J(0, "n-1")),), ((0,), (None, "n-1"))))


def test_where_says_which_classes():
    chain(J("i", "j"), -p("i") * p("j"), free=("i", "j"), where="i!=j")
    chain(J("i", "j"), p("j") * (1 - p("i")), free=("i", "j"), where="i=j")
    for where in ("i", "i=k", "i<j"):
        with pytest.raises(DerivationError, match="where is"):
            chain(S, S, free=("i", "j"), where=where)


def test_size_says_for_how_many_classes():
    chain(J(0, 0), p(0) * p(1), size=2)
    chain(J(0, 0), p(0) * p(1), point=point("1", "3"), size=2)
    with pytest.raises(DerivationError, match="point=None"):  # the reader has three
        chain(J(0, 0), p(0) * p(1), point=AT, size=2)
    with pytest.raises(DerivationError):
        chain(J(0, 0), p(0) * p(1))
    with pytest.raises(DerivationError):
        chain(J(0, 0), p(0) * p(1), size=3)


def test_label_says_for_which_labels():
    chain(L, -Log(p(1)), label=1)
    chain(L, -Log(p("y")), label="one-hot")
    with pytest.raises(DerivationError):
        chain(L, -Log(p(1)), label="one-hot")
    with pytest.raises(DerivationError, match="the index y stands for no class"):
        chain(L, -Log(p("y")))


def test_given_symbols_are_defined_for_the_chain():
    q = Symbol("q", ("i",))
    shifted = {q: Exp(z("i") - Symbol("m")) / Sum("l", Exp(z("l") - Symbol("m"))), Symbol("m"): "m"}
    assert chain(q, p("i"), free=("i",), given=shifted).given == tuple(shifted.items())
    with pytest.raises(DerivationError, match="q with 1 indices has no meaning"):
        chain(q, p("i"), free=("i",))
    # A layer: z = W a, and the loss by a weight.
    W, a = Symbol("W", ("i", "k")), Symbol("a", ("k",))
    logit = Symbol("u", ("i",))
    total = Sum("l", Exp(Symbol("u", ("l",))))
    loss = -Sum("i", y("i") * (logit - Log(total)))
    layer = {logit: Sum("k", W * a), W: "W", a: "a", Symbol("loss"): loss}
    chain(
        Derivative(Symbol("loss"), Symbol("W", ("j", "k"))),
        (Exp(Symbol("u", ("j",))) / total - y("j")) * a,
        free=("j", "k"),
        given=layer,
    )
    with pytest.raises(DerivationError):
        chain(
            Derivative(Symbol("loss"), Symbol("W", ("j", "k"))),
            (Exp(Symbol("u", ("j",))) / total - y("j")) * Symbol("a", ("j",)),
            free=("j", "k"),
            given=layer,
        )


# ------------------------------------------------------------------------------------------------------------- numbers


def test_a_rounded_number_follows_the_sign_for_it():
    number = number_of(p(0), AT)
    chain(p(0), ("≈", number), point=AT)
    with pytest.raises(DerivationError, match="write ≈"):
        chain(p(0), ("=", number), point=AT)
    half = point("1", "1")
    chain(p(0), ("=", number_of(p(0), half)), point=half)  # 0.5000 is exact


def test_a_number_is_what_it_says():
    value = number_of(p(0), AT).value
    for wrong in (Number(value, 4), Number(value, 4, p(1)), Number(value * (1 + Decimal("1e-49")), 4, p(0))):
        with pytest.raises(DerivationError):
            chain(p(0), ("≈", wrong), point=AT)
    with pytest.raises(DerivationError, match="the point in the chain"):
        chain(p(0), ("≈", Number(value, 4, p(0))))
    with pytest.raises(DerivationError, match="the goal"):
        chain(Number(value, 4, p(1)), p(1), point=AT)


def test_a_number_is_checked_where_it_is_not_the_readers():
    # p_0 is J_01 / -p_1 at every point, and z_0 + z_2 - 2 z_1 is zero at this one alone.
    coincidence = z(0) + z(2) - 2 * z(1)
    with pytest.raises(DerivationError):
        chain(p(0), ("≈", number_of(p(0) + coincidence, AT)), point=AT)


def test_a_logit_as_a_number():
    literal = number_of(z(1), AT, None)
    assert str(literal.value) == "2"
    chain(e(1), Exp(literal), point=AT)
    with pytest.raises(DerivationError):
        chain(e(1), Exp(Number(2)), point=AT)  # of no logit: holds for this reader alone


def test_printed_arithmetic_gives_the_printed_result():
    at = point("0.1", "0.3", "0.7")
    factors = number_of(p(0), at, 2) * number_of(-p(1), at, 2)
    with pytest.raises(DerivationError, match=r"prints -0\.0747, but the printed numbers before it give -0\.0750"):
        chain(J(0, 1), ("≈", factors), ("≈", number_of(J(0, 1), at)), point=at)
    entries = Matrix(((factors,),))
    with pytest.raises(DerivationError, match="they need more places"):
        chain(Matrix(((J(0, 1),),)), ("≈", entries), ("≈", Matrix(((number_of(J(0, 1), at),),))), point=at, size=3)


# ------------------------------------------------------------------------------------------------------------ as data


def test_terms_that_continue_are_named():
    quotient = symbolic()["quotient"]
    first, second, third = quotient.lines
    assert term_id(e("i")) in second.continues
    assert term_id(S) in second.continues
    assert term_id(Indicator("i", "j")) not in second.continues
    assert term_id(Indicator("i", "j")) in third.continues
    assert term_id(p("j")) not in third.continues
    assert first.continues == ()
    assert term_id(p(0)) == term_id(Number(Decimal(1), 4, p(0))) != term_id(p(1))


def test_another_relation_is_refused():
    with pytest.raises(DerivationError, match="has the relation '<'"):
        chain(S, ("<", S))


def test_one_class_has_one_label():
    chain(Sum("l", y("l")), Number(1), size=1)


def test_a_chain_without_lines_is_refused():
    with pytest.raises(DerivationError, match="has no line"):
        chain(S)


def test_chains_are_immutable_and_hashable():
    one, again = (symbolic(AT)["quotient"] for _ in range(2))
    assert one == again
    assert hash(one) == hash(again)
    for name, value in (("goal", S), ("lines", ()), ("point", None)):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, value)
    with pytest.raises(FrozenInstanceError):
        one.lines[0].rule = "another"
    assert isinstance(chain(S, *[S] * 2).lines, tuple)
    assert Line("=", S, RULE) == Line("=", S, RULE)
