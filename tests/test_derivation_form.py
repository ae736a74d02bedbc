"""A chain whose letters, classes, definitions or matrices are not in order says something else than was checked."""

import pytest

from derivation_samples import JACOBIAN, J, L, P, S, chain, delta, e, p, point, y, z
from softjac.derivation.blocks import Chain, Line
from softjac.derivation.expressions import Log, Matrix, Number, Sum, Symbol, Transpose
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
    with pytest.raises(DerivationError, match="its point has 3"):
        chain(p(0), ("≈", number_of(p(0), AT)), point=AT, size=2)


def test_a_line_that_is_none_is_refused():
    with pytest.raises(DerivationError, match="pass a Line"):
        Chain(S, ("S",))


def test_an_unknown_rule_is_refused_at_once():
    with pytest.raises(DerivationError, match="no rule 'no_such_rule'"):
        Line("=", S, "no_such_rule")
    assert Line("=", S, "").rule == ""


# ------------------------------------------------------------------------------------------------------------- matrices


def dots(rows, columns, entry=J):
    return Matrix(
        [[None if i is None or j is None else entry(i, j) for j in columns] for i in rows],
        (tuple(rows), tuple(columns)),
    )


CORNERS = (0, None, "n-1")
SEVEN = Number(7)
WRONG_MATRICES = {
    "a corner without dots": (JACOBIAN, dots((0, 1), (0, 1)), "dots"),
    "the end without dots": (JACOBIAN, dots((0, None, 2), (0, None, 2)), "dots"),
    "the last class next to the first": (JACOBIAN, dots((0, "n-1"), (0, "n-1")), "dots"),
    "dots where none is left out": (JACOBIAN, dots((0, None, 1, None, "n-1"), (0, None, 1, None, "n-1")), "dots"),
    "dots before the first": (JACOBIAN, dots((None, 0, None, "n-1"), (None, 0, None, "n-1")), "dots"),
    "dots twice": (JACOBIAN, dots((0, None, None, "n-1"), (0, None, None, "n-1")), "dots"),
    "dots behind the last": (JACOBIAN, dots((0, None, "n-1", None), (0, None, "n-1", None)), "dots"),
    "a class left out without dots": (JACOBIAN, dots((0, 2, None, "n-1"), (0, 2, None, "n-1")), "dots"),
    "a class twice": (JACOBIAN, dots((0, 0, None, "n-1"), (0, 0, None, "n-1")), "order"),
    "in another order": (JACOBIAN, dots((1, 0, None, "n-1"), (1, 0, None, "n-1")), "order"),
    "rows from the last to the first": (JACOBIAN, dots(("n-1", None, 0), CORNERS), "order"),
    "a letter": (JACOBIAN, dots(("i", None, "n-1"), CORNERS), "at"),
    "a class below 0": (JACOBIAN, dots((-1, None, "n-1"), CORNERS), "at"),
    "only dots": (JACOBIAN, dots((None,), CORNERS), "at"),
    "a number where dots stand": (
        JACOBIAN,
        Matrix(
            [[J(0, 0), SEVEN, J(0, "n-1")], [None] * 3, [J("n-1", 0), SEVEN, J("n-1", "n-1")]],
            (CORNERS, CORNERS),
        ),
        "dots",
    ),
    "a gap where a number stands": (
        JACOBIAN,
        Matrix([[J(0, 0), None, None], [None] * 3, [J("n-1", 0), None, J("n-1", "n-1")]], (CORNERS, CORNERS)),
        "dots",
    ),
    "fewer names than rows": (JACOBIAN, Matrix([[J(0, 0), None]], (CORNERS, (0, None))), "names"),
    "rows of two lengths": (JACOBIAN, Matrix([[J(0, 0), J(0, 1)], [J(1, 0)]]), "lengths"),
    "no rows": (JACOBIAN, Matrix(()), "no entries"),
    "a whole matrix with a gap": (JACOBIAN, Matrix([[J(0, 0), None], [J(1, 0), J(1, 1)]]), "at"),
    "a gap in the diagonal alone": (
        Matrix([[J(0, 0), None, None], [None] * 3, [None, None, J("n-1", "n-1")]], (CORNERS, CORNERS)),
        Matrix([[J(0, 0), None, SEVEN], [None] * 3, [SEVEN, None, J("n-1", "n-1")]], (CORNERS, CORNERS)),
        "dots",
    ),
    "other classes than the goal": (dots(CORNERS, CORNERS), dots((0, 1, None, "n-1"), CORNERS), "same entries"),
}


@pytest.mark.parametrize("reader", [None, AT, point("0", "800", "1", "2")])
@pytest.mark.parametrize("name", WRONG_MATRICES)
def test_a_matrix_in_disorder_is_refused(name, reader):
    goal, line, message = WRONG_MATRICES[name]
    if reader is not None and reader.n == AT.n and name == "the end without dots":
        pytest.skip("the third class is the last of three")
    with pytest.raises(DerivationError, match=message):
        chain(goal, line, point=reader)


def test_matrices_in_order_are_built():
    for at in (CORNERS, (0, 1, None, "n-1"), (None, 2, None, "n-1"), (0, None), (0, 1, None), (None, 1, None)):
        chain(JACOBIAN, dots(at, at), dots(at, at, lambda i, j: p(i) * (delta(i, j) - p(j))))
        chain(dots(at, at), JACOBIAN)
    chain(JACOBIAN, dots(CORNERS, (0, 1, None)), point=AT)
    chain(JACOBIAN, dots((0, None, 2), (0, None, 2)), point=AT)
    chain(JACOBIAN, dots((0, None, 2), (0, None, 2)), size=3)
    chain(JACOBIAN, dots((0, 1, 2, None, "n-1"), (None, 5)), point=point(*range(6)))
    chain(JACOBIAN, dots(("0", "1", None, "n-1"), ("0", None, "n-1")))
    chain(P, Matrix([[p(0)], [None], [p("n-1")]], (CORNERS, (0,))))
    chain(Transpose(P), Matrix([[p(0), None, p("n-1")]], ((0,), CORNERS)))


def whole(n, wrong=()):
    return Matrix([[SEVEN if (i, j) == wrong else J(i, j) for j in range(n)] for i in range(n)])


def test_a_whole_matrix_says_no_more_than_the_goal():
    corners = dots(CORNERS, CORNERS)
    chain(corners, JACOBIAN, whole(3))
    for wrong in ((), (0, 1), (1, 1)):
        with pytest.raises(DerivationError, match="same entries"):
            chain(corners, whole(3, wrong))
    with pytest.raises(DerivationError, match=r"entry \(1, 1\)"):
        chain(corners, JACOBIAN, whole(3, (1, 1)))


@pytest.mark.parametrize("reader", [None, point(*range(8))])
def test_every_entry_of_a_large_matrix_is_compared(reader):
    chain(JACOBIAN, whole(8), point=reader)
    for wrong in ((3, 4), (4, 4), (7, 2)):
        with pytest.raises(DerivationError, match=rf"entry \({wrong[0]}, {wrong[1]}\)"):
            chain(JACOBIAN, whole(8, wrong), point=reader)
