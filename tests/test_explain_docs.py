"""docs/explain.md: its tables and statements. test_readme.py runs its sessions."""

import re

import softjac
from cli_helpers import message, output
from softjac import derivation
from softjac._cli import explain
from test_cross_entropy_docs import tables
from test_readme import ROOT

TEXT = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
OPTIONS, FORMATS = tables(TEXT)


def test_the_table_has_every_option_and_they_run():
    named = {re.search(r"--\w+", row[0])[0] for row in OPTIONS}
    in_help = set(re.findall(r"^  (--\w+)", output("explain", "-h"), flags=re.MULTILINE))
    assert named == in_help - {"--axis", "--array", "--format"}
    for cell, _ in OPTIONS:
        option = re.match("`(.*?)`", cell)[1].replace("NAME", "matrix")
        assert output("explain", "1", "2", "3", *option.split()) != output("explain", "1", "2", "3")


def test_the_table_has_every_part():
    (row,) = [row for row in OPTIONS if "--part" in row[0]]
    assert tuple(row[1].partition(": ")[2].split(", ")) == derivation.parts()


def test_the_table_has_every_format():
    assert [tuple(cell.strip("`") for cell in row[:2]) for row in FORMATS] == list(explain.SUFFIX_OF.items())


def test_the_largest_number_of_logits():
    found = re.search(
        r"one vector of up to (\d+) logits; the whole text and its parts take (\d+), a nudge\s(\d+)", TEXT
    )
    for limit, options in zip(found.groups(), ([], ["--all"], ["--nudge", "0"]), strict=True):
        assert f"takes up to {limit}" in message("explain", *["0"] * (int(limit) + 1), *options)
    assert "Left out: " in output("explain", *["0", "1"] * (int(found[1]) // 2))


def test_the_digits_that_are_said():
    from softjac.derivation.points import DIGITS, EQUAL_DIGITS

    assert int(re.search(r"with (\d+)\s+digits", TEXT)[1]) == DIGITS
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert int(re.search(r"to (\d+) digits", readme)[1]) == EQUAL_DIGITS


def test_pictures_say_what_they_show():
    for page in (TEXT, (ROOT / "README.md").read_text(encoding="utf-8")):
        words = re.search(r"!\[([^]]+)\]\([\w/]+jacobian\.svg\)", page)[1]
        for p in softjac.softmax([1, 2, 3]):
            assert f"{p:.4f}" in words
