"""What a chain was checked with cannot be changed afterwards through a list that the caller kept."""

from decimal import Decimal

from derivation_samples import p
from softjac.derivation.blocks import Chain, Heading, Line, Table, Text
from softjac.derivation.derivation import Derivation
from softjac.derivation.expressions import Add, Matrix, Multiply, Number, Symbol
from softjac.derivation.points import Point

RULE = "definition_p"


def test_expressions_keep_tuples():
    factors, indices, rows, at = [p(0), Number(1)], ["i"], [[p(0), p(1)]], [[0], [0, 1]]
    found = (Multiply(factors), Add(factors), Symbol("p", indices), Matrix(rows), Matrix(rows, at))
    before = tuple(map(repr, found))
    factors[1], indices[0], rows[0][1], at[1][1] = Number(5), "j", Number(7), 2
    assert tuple(map(repr, found)) == before
    assert all(isinstance(hash(x), int) for x in found)


def test_blocks_keep_tuples():
    why, name, cell, caption, words = ["why"], ["name"], ["1"], ["caption"], ["words"]
    line = Line("=", p("i"), RULE, why, ["term"], name)
    rows, header = [[cell]], [["head"]]
    found = (
        line,
        Table(caption, header, rows),
        Text(words),
        Heading(words, 2, "one"),
        Derivation(words, [Text(words)]),
    )
    before = tuple(map(repr, found))
    why[0] = name[0] = cell[0] = caption[0] = words[0] = header[0][0] = "changed"
    rows.clear()
    assert tuple(map(repr, found)) == before
    assert all(isinstance(hash(x), int) for x in found)


def test_a_chain_keeps_tuples():
    lines, given = [Line("=", p("i"), RULE)], [[Symbol("q", ["i"]), p("i")]]
    chain = Chain(p("i"), lines, free=["i"], given=given)
    before = repr(chain)
    lines.clear()
    given[0][1] = Number(7)
    assert repr(chain) == before
    assert isinstance(hash(chain), int)


def test_a_point_keeps_tuples():
    logits, targets, nudge, entries = ([Decimal(k), Decimal(1)] for k in range(4))
    point = Point(logits, targets, nudge=nudge, values=[["v", entries]])
    before = repr(point)
    logits[0] = targets[0] = nudge[0] = entries[0] = Decimal(7)
    assert repr(point) == before
    assert isinstance(hash(point), int)
