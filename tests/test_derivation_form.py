"""A chain whose letters, classes, definitions or matrices are not in order says something else than was checked."""

import pytest

from derivation_samples import J, L, S, chain, e, p, point, y, z
from softjac.derivation.blocks import Line
from softjac.derivation.expressions import Log, Number, Sum, Symbol
from softjac.derivation.numbers import number_of
from softjac.errors import DerivationError

AT = point("1", "2", "3", label=2)
FREE = {"free": ("i", "j")}
WRONG_LETTERS = {
    "no class is unlike itself": (p("i"), Number(7), {"free": ("i",), "where": "i!=i"}, "two letters"),
    "every class is like itself": (p("i"), p("i"), {"free": ("i",), "where": "i=i"}, "two letters"),
    "one class is never two": (J("i", "j"), p("i") * p("j"), {**FREE, "where": "i!=j", "size": 1}, "nothing to check"),
    "no classes": (p("i"), Number(7), {"free": ("i",), "size": 0}, "size is 0"),
    "fewer than none": (p("i"), Number(7), {"free": ("i",), "size": -1}, "size is -1"),
    "a size that is no number": (p(0), Number(1), {"size": True}, "size is True"),
    "a half class": (p("i"), Number(7), {"free": ("i",), "size": 1.5}, "size is 1.5"),
    "a label before the first": (L, Number(0), {"label": -1}, "label is -1"),
    "a label that is no number": (L, -Log(p(1)), {"label": True}, "label is True"),
    "a label by another word": (L, -Log(p("y")), {"label": "hot"}, "label is 'hot'"),
    "a label beyond the size": (L, Number(0), {"label": 2, "size": 2}, "label is 2"),
    "one letter twice": (p("i"), p("i"), {"free": ("i", "i")}, "twice"),
    "a class as a letter": (p("0"), p("0"), {"free": ("0",)}, "the letter '0'"),
    "the label as a letter": (p("y"), p("y"), {"free": ("y",)}, "the letter 'y'"),
    "the last class as a letter": (p("n-1"), p("n-1"), {"free": ("n-1",)}, "the letter 'n-1'"),
    "the number of classes as a letter": (p("n"), p("n"), {"free": ("n",)}, "the letter 'n'"),
    "free and summed": (p("i"), p("i") * Sum("i", p("i")), {"free": ("i",)}, "i is free and summed"),
    "free and summed in another line": (p("i"), e("i") / Sum("i", e("i")), {"free": ("i",)}, "i is free and summed"),
    "summed twice": (Sum("i", p("i")), Sum("i", p("i") * Sum("i", p("i"))), {}, "i is free and summed"),
    "summed over the label": (S, Sum("y", e("y")), {}, "the letter 'y'"),
    "without itself": (S, Sum("l", e("l"), "l") + Number(0), {}, "leaves out"),
    "p again": (p("i"), Number(7), {"free": ("i",), "given": {p("i"): Number(7)}}, "p is defined already"),
    "S again": (S, Number(1), {"given": {S: Number(1)}}, "S is defined already"),
    "J as free values": (J("i", "j"), J("i", "j"), {**FREE, "given": {J("i", "j"): "v"}}, "J is defined already"),
    "L again": (L, Number(1), {"given": {L: Number(1)}}, "L is defined already"),
    "z again": (z(0), Number(1), {"given": {z("i"): Number(1)}}, "z is defined already"),
    "the identity again": (S, S, {"given": {Symbol("I"): Number(1)}}, "I is defined already"),
    "one name twice": (
        Symbol("q"),
        Number(2),
        {"given": ((Symbol("q"), Number(1)), (Symbol("q"), Number(2)))},
        "q is defined already",
    ),
    "given of a class": (Symbol("q", (0,)), p(0), {"given": {Symbol("q", (0,)): p(0)}}, "letters"),
    "given, free and summed": (
        Symbol("q", (0,)),
        p(0),
        {"given": {Symbol("q", ("i",)): Sum("i", p("i")) * p(0)}},
        "i is free and summed",
    ),
}


@pytest.mark.parametrize("name", WRONG_LETTERS)
def test_letters_and_definitions_in_disorder_are_refused(name):
    goal, line, options, message = WRONG_LETTERS[name]
    with pytest.raises(DerivationError, match=message):
        chain(goal, line, **options)


def test_a_letter_may_be_summed_twice_side_by_side():
    chain(Sum("i", p("i")) * Sum("i", y("i")), Number(1))
    chain(Sum("i", J("i", "j")), Number(0), free=("j",))


def test_a_reader_of_one_class_has_no_two():
    chain(J("i", "j"), -(p("i") * p("j")), point=point("0.5"), where="i!=j", **FREE)


def test_numbers_of_a_reader_that_the_chain_is_not_about_are_refused():
    with pytest.raises(DerivationError, match="3 classes"):
        chain(p(0), ("≈", number_of(p(0), AT)), point=AT, size=2)


def test_an_unknown_rule_is_refused_at_once():
    with pytest.raises(DerivationError, match="no rule 'no_such_rule'"):
        Line("=", S, "no_such_rule")
    assert Line("=", S, "").rule == ""
