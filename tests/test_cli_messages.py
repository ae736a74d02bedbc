"""Every mistake gets one plain line on standard error and exit code 2: here each with its whole text."""

import pickle
import shlex
import zipfile

import numpy as np
import pytest

from cli_helpers import message, output
from softjac._cli import app
from softjac._cli.errors import CommandError

POINT = "write decimals with a point, separate numbers by spaces"
SUCH = "logits are numbers such as 1, -0.5, 2e3, inf or nan"
HOW = "give numbers (1 2 3), a file of rows (.csv, .npy, .npz), or - for standard input"
LISTS = 'write "[1, 2, 3]", or rows as "[[1, 2], [3, 4]]"'
COLUMN = (
    "has one number a row: is it one vector of 3 classes (then add --axis 0),"
    " or 3 vectors of one class, where every p is 1 (--axis 1)?"
)
OPTIONS = "softjac softmax -h lists the options"
NAME_A_FILE = "needs the name of a file: its suffix tells the format, as in -o result.csv"
THERE_ARE = "there are --axis, --array, --decimals, --format, --output, --help"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # words that are no numbers
        (["0,5"], f"'0,5' is not a number: {POINT}"),
        (["-0,5", "1"], f"'-0,5' is not a number: {POINT}"),
        (["1,", "2"], f"'1,' is not a number: {POINT}"),
        (["1;2"], f"'1;2' is not a number: {POINT}"),
        (["[0,5 1,5]"], f"'5 1' is not a number: {POINT}"),
        (["1", "abc"], f"'abc' is not a number: {SUCH}"),
        (["1", "-2x"], f"'-2x' is not a number: {SUCH}"),
        (["a\x1bb" + "c" * 60], f"'a\\x1bb{'c' * 42}...' is not a number: {SUCH}"),
        (["logits.txt"], "'logits.txt' is not a number: files of logits end in .csv, .npy or .npz"),
        (["data/logits"], "'data/logits' is not a number: files of logits end in .csv, .npy or .npz"),
        (["1/3", "2"], "'1/3' is not a number: write a fraction as a decimal number, such as 0.25"),
        (["-1/.5"], "'-1/.5' is not a number: write a fraction as a decimal number, such as 0.25"),
        (["1e400"], "'1e400' is too large for float64: write inf if that is meant"),
        (["[1, -1e999]"], "'-1e999' is too large for float64: write inf if that is meant"),
        # no numbers
        ([], f"no logits: {HOW}"),
        ([""], f"the list is an empty vector: {HOW}"),
        (["[]"], f"the list is an empty vector: {HOW}"),
        (["[[], []]"], f"the list is an empty vector: {HOW}"),
        # lists
        (["[1, 2"], f"'[1, 2' is not a list: {LISTS}"),
        (["[1, 2]]"], f"'[1, 2]]' is not a list: {LISTS}"),
        (["[[[1]]]"], f"'[[[1]]]' is not a list: {LISTS}"),
        (["[1, 2],"], f"'[1, 2],' is not a list: {LISTS}"),
        (["[1,,2]"], "number 2 of 3 is missing: write nan where there is none"),
        (["[1, 2,]"], "number 3 of 3 is missing: write nan where there is none"),
        (["[null]"], f"'null' is not a number: {SUCH}"),
        (
            ["[[1, 2], [3]]"],
            "row 1 of the list has 1 number and row 0 of the list 2: every row needs one for each class",
        ),
        (
            ["[[1], [2], [3]]"],
            f"the list {COLUMN}",
        ),
        # options
        (["--formt", "json", "1"], "unknown option --formt: did you mean --format?"),
        (["--formt=json", "1"], "unknown option --formt: did you mean --format?"),
        (["--form", "json", "1"], "unknown option --form: did you mean --format?"),
        (["-format", "json", "1"], "unknown option -format: did you mean --format?"),
        (["1", "--decimal", "3"], "unknown option --decimal: did you mean --decimals?"),
        (["1", "-d", "3"], "unknown option -d: did you mean --decimals?"),
        (["1", "-f", "json"], "unknown option -f: did you mean --format?"),
        (["1", "-inff"], "unknown option -inff: did you mean -inf?"),
        (["1", "-ofile.csv"], "unknown option -ofile.csv: did you mean -o file.csv?"),
        (["1", "-output", "x"], "unknown option -output: did you mean --output?"),
        (["1", "--out", "x"], "unknown option --out: did you mean --output?"),
        (["1", "--Format", "x"], "unknown option --Format: did you mean --format?"),
        (["1", "-O", "x"], "unknown option -O: did you mean --output?"),
        (["1", "-nann"], "unknown option -nann: did you mean -nan?"),
        (["1", "--version"], "--version comes before any command: softjac --version"),
        *(
            (["1", option], f"unknown option {option}: {THERE_ARE}")
            for option in ("--12", "--json", "--no-such", "--colour", "--logits", "--inf", "-x", "-v", "-e", "-V")
        ),
        (["1", "--help=3"], "--help takes no value, not even '3'"),
        (["1", "-o="], f"-o {NAME_A_FILE}"),
        (["1", "-o", "", "--format", "csv"], f"-o {NAME_A_FILE}"),
        (["1", "-o"], f"-o needs a value after it: {OPTIONS}"),
        (["1", "--decimals", "--format", "json"], f"--decimals needs a value after it: {OPTIONS}"),
        (["1", "--decimals", "18"], "--decimals takes a whole number from 0 to 17, not '18'"),
        (["1", "--decimals", "-1"], "--decimals takes a whole number from 0 to 17, not '-1'"),
        (["1", "--decimals", "two"], "--decimals takes a whole number from 0 to 17, not 'two'"),
        (["1", "--decimals="], "--decimals takes a whole number from 0 to 17, not ''"),
        (["1", "--axis", "0.5"], "--axis takes a whole number such as 0 or -1, not '0.5'"),
        (["1", "--axis", "2"], "--axis 2 does not exist in logits of shape (1,): it may be -1 or 0"),
        (
            ["[[1, 2]]", "--axis", "-3"],
            "--axis -3 does not exist in logits of shape (1, 2): it may be -2 or -1 or 0 or 1",
        ),
        (["1", "--format", "jsn"], "unknown format 'jsn': did you mean json?"),
        (["1", "--format", "xyz"], "unknown format 'xyz': there are text, json, csv, markdown, latex, npy"),
        (["1", "--array", "z"], "--array chooses an array of a .npz file, and no such file was given"),
        # where it goes
        (["1", "--format", "npy"], "npy is not text for a screen: name a file for it, as -o FILE.npy"),
        (
            ["1", "-o", "p.dat"],
            "-o p.dat: the suffix tells the format, and is one of .txt, .json, .csv, .md, .tex, .npy; or add --format",
        ),
        (
            ["1", "-o", "p.json", "--format", "csv"],
            "-o p.json asks for json and --format for csv: leave one of them out",
        ),
        (["1", "-o", "no/p.csv"], "-o no/p.csv: there is no folder no"),
        (["1", "-o", "folder.csv"], "-o folder.csv is a folder: name a file in it"),
        # files and standard input
        (["none.csv"], "there is no file none.csv"),
        (["NONE.NPY"], "there is no file NONE.NPY"),
        (["none.csv", "1"], "one file at a time, and nothing beside it: 'none.csv' came with '1'"),
        (["folder.csv"], "cannot read folder.csv: Is a directory"),
        (["1", "-"], "'-' is not a number: " + SUCH),
        (["-", "1"], "- stands for all of standard input: give nothing beside it"),
    ],
)
def test_what_is_said_of_words(words, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    for command in ("softmax", "jacobian"):
        assert message(command, *words) == expected.replace("softjac softmax", f"softjac {command}")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["jacobain", "1"], "unknown command 'jacobain': did you mean jacobian?"),
        (["Softmax", "1"], "unknown command 'Softmax': did you mean softmax?"),
        (
            ["gradient", "1"],
            "unknown command 'gradient': there are softmax, jacobian, cross-entropy, explain, plot, check",
        ),
        (["1", "2", "3"], "name a command before '1': softjac softmax 1 2 3, for example"),
        (["-1", *["2"] * 50], "name a command before '-1': softjac softmax LOGITS, for example"),
        (["logits.csv"], "name a command before 'logits.csv': softjac softmax logits.csv, for example"),
        ([""], "name a command: there are softmax, jacobian, cross-entropy, explain, plot, check"),
        (["", "1"], "name a command: there are softmax, jacobian, cross-entropy, explain, plot, check"),
        (["--label", "2", "1", "2"], "--label comes after the command: softjac cross-entropy 1 2 --label=2"),
        (["cross_entropy", "1"], "unknown command 'cross_entropy': did you mean cross-entropy?"),
        (["--decimals", "3", "-1"], "--decimals comes after the command: softjac softmax -1 --decimals=3"),
        (["--decimals", "3"], "--decimals comes after the command: softjac softmax LOGITS --decimals=3"),
        (["--decimals"], f"--decimals needs a value after it: {OPTIONS}"),
        (
            ["--decimals", "3", "jacobian", *["2"] * 60],
            "--decimals comes after the command: softjac jacobian LOGITS --decimals=3",
        ),
        (["--verion"], "unknown option --verion: did you mean --version?"),
        (["-V"], "unknown option -V: did you mean --version?"),
        (["--json", "1"], "unknown option --json: softjac -h lists the commands"),
    ],
)
def test_what_is_said_where_the_command_is_missing(words, expected):
    assert message(*words) == expected


@pytest.mark.parametrize(
    "words",
    [
        ["--decimals", "3", "softmax", "1", "2"],
        ["--decimals=3", "jacobian", "-1", "-inf"],
        ["--axis", "0", "--decimals", "3", "softmax", "[[1, 2], [3, 4]]", "--format", "json"],
        ["--format", "json", "softmax", "1"],
    ],
)
def test_the_command_shown_for_options_too_early_can_be_typed(words):
    said, _, command = message(*words).partition(": ")
    assert said == f"{words[0].partition('=')[0]} comes after the command"
    typed = shlex.split(command)
    assert typed[0] == "softjac"
    assert sorted(" ".join(typed[1:]).replace("=", " ").split()) == sorted(" ".join(words).replace("=", " ").split())
    output(*typed[1:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"x.csv is empty: {HOW}"),
        ("# only this\n\n", f"x.csv is empty: {HOW}"),
        (
            "a,b\n1,2\n",
            f"line 1 of x.csv: 'a' is not a number: {SUCH} (a header? take it out: a file of logits has numbers only)",
        ),
        ("1,b\n", f"line 1 of x.csv: 'b' is not a number: {SUCH}"),
        ("1,2\n3,\n", "line 2 of x.csv: number 2 of 2 is missing: write nan where there is none"),
        ("1,2\n,4\n5,6\n", "line 2 of x.csv: number 1 of 2 is missing: write nan where there is none"),
        ("1,2\n\n5,6\n", "line 2 of x.csv is empty, and others follow: a missing row?"),
        ("1,2\n3,4,5\n", "line 2 has 3 numbers and line 1 of x.csv 2: every row needs one for each class"),
        ("1\t\t3\n4\t\t6\n", "line 1 of x.csv: number 2 of 3 is missing: write nan where there is none"),
        ("1\t2\n\t6\n", "line 2 of x.csv: number 1 of 2 is missing: write nan where there is none"),
        (
            "class 1,class 2\n1,2\n",
            (
                f"line 1 of x.csv: 'class 1' is not a number: {SUCH}"
                " (a header? take it out: a file of logits has numbers only)"
            ),
        ),
        ("1x,y\n", f"line 1 of x.csv: '1x' is not a number: {SUCH}"),
        ("# z\n1,2\n3,x\n", f"line 3 of x.csv: 'x' is not a number: {SUCH}"),
        ("0,5;1,5\n", f"line 1 of x.csv: '5;1' is not a number: {POINT}"),
        ("1,1e999\n", "line 1 of x.csv: '1e999' is too large for float64: write inf if that is meant"),
        ("1\n2\n3\n", f"x.csv {COLUMN}"),
    ],
)
def test_what_is_said_of_a_csv_file(text, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text(text)
    assert message("softmax", "x.csv") == expected
    if text:  # the same text through a pipe
        assert message("softmax", stdin=text) == expected.replace("x.csv", "standard input")
        assert message("softmax", "-", stdin=text) == expected.replace("x.csv", "standard input")


def test_what_is_said_of_a_file_that_is_not_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_bytes("1,2".encode("utf-16"))
    assert message("softmax", "x.csv") == "x.csv is not text in UTF-8"


@pytest.mark.parametrize("start", ["\udc93NUMPY\x01\0v\0", "\x93NUMPY", "PK\x03\x04\x14\0"])
def test_what_is_said_of_an_array_in_standard_input(start):
    # In the C locale Python reads bytes that are not text as surrogates, and raises no UnicodeDecodeError.
    expected = "standard input is an array and not text: files of arrays are read by their names"
    assert message("softmax", stdin=start) == expected
    assert message("softmax", "-", stdin=start) == expected


def test_what_is_said_of_lists_in_standard_input():
    assert message("softmax", stdin="[1, 2") == f"standard input: '[1, 2' is not a list: {LISTS}"
    assert message("softmax", stdin=" \n") == f"standard input is empty: {HOW}"


DAMAGED = "is damaged: it begins as a .npy file, but what follows cannot be read"
PICKLED = (
    "holds pickled Python objects, which can run any code when read:"
    " save plain numbers, with numpy.save(file, array.astype(float))"
)


class Trap:
    """What a pickle can do: run anything. Here, say that it was read."""

    def __reduce__(self):
        return print, ("the pickle was run",)


def test_what_is_said_of_npy_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("good.npy", np.arange(12.0).reshape(3, 4))
    good = (tmp_path / "good.npy").read_bytes()

    def said(content):
        (tmp_path / "x.npy").write_bytes(content)
        return message("softmax", "x.npy")

    assert said(b"") == "x.npy is not a .npy file: it is empty"
    assert said(b"1,2,3\n") == "x.npy is not a .npy file: write it with numpy.save or numpy.savez"
    assert said(good[:-1]) == f"x.npy {DAMAGED}"
    assert said(good[:60]) == f"x.npy {DAMAGED}"
    assert said(good[:8]) == f"x.npy {DAMAGED}"
    assert said(good.replace(b"(3, 4)", b"(3, 4(")) == f"x.npy {DAMAGED}"
    assert said(good.replace(b"'<f8'", b"'<zz'")) == f"x.npy {DAMAGED}"
    assert said(pickle.dumps([Trap()])) == f"x.npy {PICKLED}"
    np.save("o.npy", np.array([Trap(), None], dtype=object), allow_pickle=True)
    assert said((tmp_path / "o.npy").read_bytes()) == f"x.npy {PICKLED}"
    np.savez("z.npz", a=np.zeros(2))
    assert said((tmp_path / "z.npz").read_bytes()) == "x.npy is not a .npy file: it is a .npz or another zip file"

    def said_of(array):
        np.save("x.npy", array)
        return message("softmax", "x.npy")

    assert said_of(np.zeros((2, 3, 4))) == (
        "x.npy holds an array of shape (2, 3, 4): one vector (n,) or rows (rows, classes) are needed"
    )
    assert said_of(np.zeros(())).startswith("x.npy holds an array of shape (): ")
    assert said_of(np.zeros(2, complex)) == (
        "x.npy holds complex128: logits are real numbers, such as float64 or float32"
    )
    assert said_of(np.array(["a"])).startswith("x.npy holds text: logits are real numbers")
    assert said_of(np.array([b"a"])).startswith("x.npy holds text: logits are real numbers")
    assert said_of(np.zeros(2, "f8,i4")).startswith("x.npy holds records of f0, f1: logits are real numbers")
    assert said_of(np.zeros(2, "V3")).startswith("x.npy holds raw bytes: logits are real numbers")
    assert said_of(np.zeros(2, "M8[s]")).startswith("x.npy holds dates: logits are real numbers")
    assert said_of(np.zeros(2, "m8[s]")).startswith("x.npy holds times: logits are real numbers")
    assert said_of(np.zeros(0)) == f"x.npy is an empty vector: {HOW}"
    assert said_of(np.zeros((3, 0))) == f"x.npy is an empty vector: {HOW}"
    assert said_of(np.zeros((0, 3))) == f"x.npy has no rows: {HOW}"
    assert said_of(np.zeros((4, 1))).startswith("x.npy has one number a row: is it one vector of 4 classes")
    assert capsys.readouterr().out == ""


def test_what_is_said_of_npz_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("two.npz", logits=np.zeros((2, 3)), labels=np.zeros(2))
    assert message("softmax", "two.npz") == ("two.npz holds 2 arrays (logits, labels): choose one, as --array logits")
    assert message("softmax", "two.npz", "--array", "logit") == "two.npz holds no array 'logit': did you mean logits?"
    assert message("softmax", "two.npz", "--array", "x") == ("two.npz holds no array 'x': it holds logits, labels")
    np.savez("many.npz", *[np.zeros(1)] * 12)
    assert "holds 12 arrays (arr_0, arr_1, arr_2, arr_3, arr_4, arr_5, arr_6, arr_7, ...)" in (
        message("softmax", "many.npz")
    )
    np.savez("none.npz")
    assert message("softmax", "none.npz") == "none.npz holds no array"
    np.savez("objects.npz", np.array([Trap()], dtype=object))
    assert message("softmax", "objects.npz") == f"objects.npz {PICKLED}"
    content = (tmp_path / "two.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    damaged = "is damaged: it begins as a .npz file, but what follows cannot be read"
    assert message("softmax", "cut.npz") == f"cut.npz {damaged}"
    with zipfile.ZipFile("other.npz", "w") as archive:
        archive.writestr("readme.txt", "no array")
    assert message("softmax", "other.npz") == "other.npz holds no array"
    with zipfile.ZipFile("junk.npz", "w") as archive:
        archive.writestr("a.npy", b"junk")
    assert message("softmax", "junk.npz") == f"junk.npz {damaged}"
    np.save("y.npy", np.zeros(2))
    (tmp_path / "y.npz").write_bytes((tmp_path / "y.npy").read_bytes())
    assert message("softmax", "y.npz") == "y.npz is not a .npz file: it is a .npy file, name it so"
    (tmp_path / "p.npz").write_bytes(pickle.dumps(Trap()))
    assert message("softmax", "p.npz") == "p.npz is not a .npz file: it is a pickle"
    assert capsys.readouterr().out == ""


def test_what_typer_finds_wrong_is_one_line_too():
    with pytest.raises(CommandError, match="--bogus") as error:
        app._typer(app.get_command(app._make_app()), ["softmax", "--bogus"])
    assert "\n" not in str(error.value)
    assert error.value.__cause__ is None
