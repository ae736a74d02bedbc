"""What `softjac cross-entropy` says of mistakes."""

import os

import pytest

from cli_helpers import message
from labelled_rows import PROGRAM, ROWS, write_csv

HOW = "give numbers (1 2 3), a file of rows (.csv, .npy, .npz), or - for standard input"

NUMBER_OR_ROWS = (
    "no label: add --label N, the class that is right, counted from 0; for rows --label-column, or one a row"
)
ONE_EACH = "give one for each, as --label 0,2,1, or name a --label-column"
LABEL = "--label takes a whole number, the class counted from 0, or one for each row, as 0,2,1; not"
NO_NAME = "leave out what is no logit and no label (pandas: to_csv(index=False))"
TWO_ROWS = "[[1, 2, 3], [3, 2, 1]]"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["1", "2", "3"], NUMBER_OR_ROWS),
        (["1", "2", "--label", "2"], "--label 2 is no class: classes are 0 to 1"),
        (["1", "2", "--label", "-1"], "--label -1 is no class: classes are 0 to 1"),
        (["1", "--label", "1"], "--label 1 is no class: the only class is 0"),
        (["1", "2", "--label", "2", "--ignore-index", "3"], "--label 2 is no class: classes are 0 to 1"),
        *((["1", "2", "--label", word], f"{LABEL} {word!r}") for word in ("cat", "1.0", "", "[]", "1;0", "x,1")),
        (["1", "2", "--label"], "--label needs a value after it: softjac cross-entropy -h lists the options"),
        (["1", "2", "--label", "0,1"], "--label has 2 labels, but the logits are one vector: give its one label"),
        ([TWO_ROWS, "--label", "1"], f"--label has 1 label, but the logits are 2 rows: {ONE_EACH}"),
        (
            [TWO_ROWS, "--axis", "0", "--label", "1,0"],
            f"--label has 2 labels, but the logits are 3 columns: {ONE_EACH}",
        ),
        (
            [TWO_ROWS, "--label", "1,7"],
            "row 1 of the list has label 7: classes are 0 to 2, or --ignore-index 7 leaves such rows out",
        ),
        (
            ["1", "2", "--label", "0", "--label-column", "0"],
            "--label and --label-column both give the labels: leave one of them out",
        ),
        (
            [TWO_ROWS, "--label-column", "3"],
            "--label-column 3 does not exist: the list has 3 columns, 0 to 2, or -1 for the last",
        ),
        (
            [TWO_ROWS, "--label-column", "right"],
            "--label-column 'right': the list has no header with names: give the number, from 0 or as -1 for the last",
        ),
        (
            [TWO_ROWS, "--label-column", "0", "--axis", "0"],
            "--label-column takes the label of each row: with --axis 0 give the labels after --label",
        ),
        (["[[1], [0]]", "--label-column", "0"], "the list has one column: besides the labels there have to be logits"),
        (["", "--label-column", "0"], f"the list is an empty vector: {HOW}"),
        (["1", "--label", "0", "--reduction", "men"], "unknown reduction 'men': did you mean mean?"),
        (["1", "--label", "0", "--reduction", "x"], "unknown reduction 'x': there are mean, sum, none"),
        *(
            (
                ["1", "--label", "0", "--label-smoothing", word],
                f"--label-smoothing takes a number from 0 to 1, such as 0.1, not {word!r}",
            )
            for word in ("1.5", "-0.1", "nan", "x", "inf")
        ),
        (["1", "--label", "0", "--ignore-index", "x"], "--ignore-index takes a whole number such as -100, not 'x'"),
        (["1", "--label", "0", "--labels", "1"], "unknown option --labels: did you mean --label?"),
        (
            ["1", "2", "--label", "0", "--format", "npy"],
            "npy is not text for a screen: name a file for it, as -o FILE.npy",
        ),
    ],
)
def test_what_is_said_of_words(words, expected):
    assert message(PROGRAM, *words) == expected
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("1,2,2\n", "-1", "row 0 of x.csv has label 2: classes are 0 to 1, or --ignore-index 2 leaves such rows out"),
        (
            "1,2,0\n3,4,-1\n",
            "2",
            "row 1 of x.csv has label -1: classes are 0 to 1, or --ignore-index -1 leaves such rows out",
        ),
        ("1,2,0\n3,4,0.5\n", "2", "row 1 of x.csv has label 0.5: classes are 0 to 1"),
        ("1,2,nan\n", "2", "row 0 of x.csv has label nan: classes are 0 to 1"),
        ("1,2,inf\n", "2", "row 0 of x.csv has label inf: classes are 0 to 1"),
        ("1,2,1e300\n", "2", "row 0 of x.csv has label 1e+300: classes are 0 to 1"),
        ("a,b,right\n1,2,0\n", "rihgt", "--label-column 'rihgt': x.csv has no such column: did you mean right?"),
        ("a,b,right\n1,2,0\n", "zzz", "--label-column 'zzz': x.csv has no such column: there are a, b, right"),
        (
            "a,y,y\n1,2,0\n",
            "y",
            "--label-column 'y': x.csv has 2 columns of that name: give its number, from 0 or as -1 for the last",
        ),
        (
            "1,2,0\n",
            "right",
            "--label-column 'right': x.csv has no header with names: give the number, from 0 or as -1 for the last",
        ),
        (
            ",a,b,right\n0,1,2,0\n",
            "right",
            f"column 0 in the header of x.csv has no name: {NO_NAME}",
        ),
        (
            "a,right\n1,2,0\n",
            "right",
            "line 2 has 3 numbers and the header of x.csv 2: every row needs one for each class",
        ),
        ("a,right\n", "right", f"x.csv is empty: {HOW}"),
        (
            "a,right\n1,0\nb,right\n",
            "right",
            "line 3 of x.csv: 'b' is not a number: logits are numbers such as 1, -0.5, 2e3, inf or nan",
        ),
    ],
)
def test_what_is_said_of_a_csv_file(text, column, expected):
    with open("x.csv", "w") as file:
        file.write(text)
    assert message(PROGRAM, "x.csv", "--label-column", column) == expected
    if len(text.splitlines()) > 2 or "\n1,2,0\n3" in text:  # a single line of standard input is a vector
        assert message(PROGRAM, "--label-column", column, stdin=text) == expected.replace("x.csv", "standard input")


def test_the_other_commands_refuse_a_header_and_the_options_of_labels():
    write_csv("x.csv", ROWS, header="a,b,c")
    for words in (["softmax", "x.csv"], [PROGRAM, "x.csv", "--label", "2,0,1,0,0"]):
        assert message(*words).endswith("(a header? take it out: a file of logits has numbers only)")
    assert message("softmax", "1", "--label", "0").startswith("unknown option --label: there are --axis,")


def test_a_failure_leaves_no_file():
    assert "is no class" in message(PROGRAM, "1", "2", "--label", "2", "-o", "x.csv")
    assert os.listdir() == []
