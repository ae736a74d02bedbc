"""A derivation is an immutable list of blocks, with parts by name."""

from dataclasses import FrozenInstanceError, fields

import pytest

from derivation_samples import S, symbolic
from softjac.derivation.blocks import Chain, Code, Heading, Line, Table, Text
from softjac.derivation.derivation import Derivation
from softjac.errors import ArgumentError

BLOCKS = (
    Text(("Before the first part.",)),
    Heading(("One",), 2, "one"),
    Text(("The sum is ", S)),
    Heading(("Inside one",), 3, "inside"),
    symbolic()["quotient"],
    Heading(("Two",), 2, "two"),
    Table(("Numbers",), (("a",), ("b",)), ((("1",), (S,)),)),
    Code("p = softmax(z)", "0.5"),
)
DERIVATION = Derivation(("Softmax",), BLOCKS)


def test_parts_are_slices_from_heading_to_heading():
    assert DERIVATION.parts == ("one", "two")
    assert DERIVATION.part("one") == Derivation(("One",), BLOCKS[1:5])
    assert DERIVATION.part("inside") == Derivation(("Inside one",), BLOCKS[3:5])
    assert DERIVATION.part("two").blocks == BLOCKS[5:]
    with pytest.raises(ArgumentError, match="no part 'three': the parts are one, two"):
        DERIVATION.part("three")


def test_chains_are_listed():
    assert DERIVATION.chains == (BLOCKS[4],)


def test_derivations_are_immutable_and_hashable():
    again = Derivation(["Softmax"], list(BLOCKS))
    assert again == DERIVATION
    assert hash(again) == hash(DERIVATION)
    for kind, one in (
        (Derivation, DERIVATION),
        (Heading, BLOCKS[1]),
        (Text, BLOCKS[0]),
        (Chain, BLOCKS[4]),
        (Line, BLOCKS[4].lines[0]),
        (Table, BLOCKS[6]),
        (Code, BLOCKS[7]),
    ):
        assert isinstance(one, kind)
        assert hash(one) == hash(one)
        for field in fields(kind):
            with pytest.raises(FrozenInstanceError):
                setattr(one, field.name, None)
