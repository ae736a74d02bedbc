"""`softjac cross-entropy`: the text people see, every format, files with a column of labels, mistakes."""

import json
import os

import numpy as np
import pytest

from cli_helpers import environment, message, output, run_program
from labelled_rows import LABELS, OF_1_2_3, PROGRAM, ROWS, with_labels, write_csv
from softjac import cross_entropy, cross_entropy_grad, softmax
from softjac._cli.screen import Screen


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_text_is_the_promised_one():
    assert output(PROGRAM, "1", "2", "3", "--label", "2") == OF_1_2_3


def test_the_numbers_of_the_step_are_those_of_a_step():
    z = np.array([1.0, 2.0, 3.0])
    moved = z - cross_entropy_grad(z, 2)
    assert f"p[2] {softmax(z)[2]:.6f} -> {softmax(moved)[2]:.6f}" in (
        text := output(PROGRAM, "1", "2", "3", "--label", "2", "--decimals", "6")
    )
    assert f"loss {cross_entropy(z, 2):.6f} -> {cross_entropy(moved, 2):.6f}" in text


def test_a_confident_row_keeps_its_digits():
    assert output(PROGRAM, "0", "20", "--label", "1") == (
        "Cross-entropy, label 1 (classes count from 0)\n"
        "\n"
        " class                   0          *1\n"
        " logit       z           0          20\n"
        " probability p    2.06e-09      1.0000\n"
        " label       y           0           1\n"
        " gradient  p-y   +2.06e-09   -2.06e-09    sum 0\n"
        "\n"
        "loss = -log p[1] ~ 2.06e-09\n"
        "(certain and right 0; uniform guess log 2 ~ 0.6931)\n"
        "One step z - (p-y): p[1] 1.0000 -> 1.0000, loss 2.06e-09 -> 2.06e-09\n"
    )


def test_infinite_logits_and_nan():
    lines = output(PROGRAM, "0", "-inf", "--label", "1").splitlines()
    assert lines[3] == " logit       z         0      -inf"
    assert lines[6] == " gradient  p-y   +1.0000   -1.0000    sum 0"
    assert lines[8].startswith("loss = -log p[1] = inf    (certain and right 0;")
    assert lines[9:] == ["No step z - (p-y) helps: an infinite logit stays infinite."]
    lines = output(PROGRAM, "0", "-inf", "--label", "0").splitlines()
    assert lines[6] == " gradient  p-y   0.0000   0.0000    sum 0"
    assert lines[8:] == ["loss = -log p[0] = 0    (certain and right 0; uniform guess log 2 ~ 0.6931)"]
    lines = output(PROGRAM, "nan", "0", "--label", "0").splitlines()
    assert lines[6] == " gradient  p-y   nan   nan    sum nan"
    assert lines[8:] == ["loss = -log p[0] = nan    (certain and right 0; uniform guess log 2 ~ 0.6931)"]


def test_smoothing_shows_its_target_and_the_least_loss():
    lines = output(PROGRAM, "1", "2", "3", "--label", "2", "--label-smoothing", "0.1").splitlines()
    assert lines[0] == "Cross-entropy, label 2, smoothing 0.1 (classes count from 0)"
    assert lines[5:7] == [
        " target      y    0.0333    0.0333    0.9333",
        " gradient  p-y   +0.0567   +0.2114   -0.2681    sum 0",
    ]
    y = np.array([1 / 30, 1 / 30, 28 / 30])
    loss, least = -(y * np.log(softmax([1.0, 2.0, 3.0]))).sum(), -(y * np.log(y)).sum()
    assert lines[8:10] == [
        f"loss = -sum of y log p ~ {loss:.4f}",
        f"(least for this y ~ {least:.4f}; uniform guess log 3 ~ {np.log(3):.4f})",
    ]
    flat = output(PROGRAM, "0", "0", "--label", "0", "--label-smoothing", "1")
    assert "loss = -sum of y log p ~ 0.6931" in flat
    assert "least for this y ~ 0.6931" in flat


def test_an_ignored_label():
    for label in ("2", "-100"):
        lines = output(PROGRAM, "1", "2", "3", "--label", label, "--ignore-index", label).splitlines()
        assert lines[-3:] == [
            " gradient    g   0.0000   0.0000   0.0000    sum 0",
            "",
            f"loss = 0, gradient 0: label {label} is ignored",
        ]


@pytest.mark.parametrize("label", [0, 3, 9])
def test_many_classes_stand_one_below_the_other(label):
    lines = output(PROGRAM, *map(str, range(10)), "--label", str(label)).splitlines()
    assert lines[2] == " class   z        p   y       p-y"
    assert [line.split()[0] for line in lines[3:14]] == [
        *(f"*{j}" if j == label else str(j) for j in range(10)),
        "sum",
    ]
    assert lines[3 + label].split()[3] == "1"
    assert lines[13].split() == ["sum", "0"]


@pytest.mark.parametrize(
    ("label", "shown", "gaps"),
    [
        (3, [*range(16), None, 96, 97, 98, 99], ["classes 16 to 95"]),
        (16, [*range(15), None, 16, None, 96, 97, 98, 99], ["class 15", "classes 17 to 95"]),
        (50, [*range(15), None, 50, None, 96, 97, 98, 99], ["classes 15 to 49", "classes 51 to 95"]),
        (95, [*range(15), None, 95, 96, 97, 98, 99], ["classes 15 to 94"]),
        (97, [*range(16), None, 96, 97, 98, 99], ["classes 16 to 95"]),
    ],
)
def test_the_label_is_among_the_classes_that_are_shown(label, shown, gaps):
    lines = output(PROGRAM, *map(str, range(100)), "--label", str(label)).splitlines()
    end = next(i for i, line in enumerate(lines) if line.split()[:1] == ["sum"])
    names = ["..." if j is None else f"*{j}" if j == label else str(j) for j in shown]
    assert [line.split()[0] for line in lines[3:end]] == names
    said = [line.strip() for line in lines[end + 1 : end + 1 + len(gaps)]]
    assert said == [f"{gap} of 100 {'is' if gap.startswith('class ') else 'are'} left out." for gap in gaps]
    assert lines[-1] == "Shortened: --format csv or -o FILE gives all of it."
    assert output(PROGRAM, *map(str, range(100)), "--label", str(label), "--format", "markdown").count("\n| ") == 102


OF_ROWS = """\
Cross-entropy  loss = -log p[label]              (rows and classes from 0)

 row   label   p[label]       loss    max
   0       2     0.6652     0.4076   p[2]
   1       0     0.8438     0.1698   p[0]
   2       1     1.0000   8.50e-18   p[1]
   3    -100               ignored   p[0]
   4       0     0.1824     1.7014   p[1]

mean loss ~ 0.5697 over 4 rows    (uniform guess log 3 ~ 1.0986)
The label has the largest p in 3 of 4 rows.
1 row with label -100 is ignored.
"""


def test_rows_as_text():
    write_csv("x.csv", with_labels())
    assert output(PROGRAM, "x.csv", "--label-column", "-1", "--ignore-index", "-100") == OF_ROWS


def test_reductions_as_text():
    write_csv("x.csv", with_labels())
    words = [PROGRAM, "x.csv", "--label-column", "3", "--ignore-index=-100", "--reduction"]
    total = cross_entropy(ROWS, LABELS, ignore_index=-100, reduction="sum")
    assert output(*words, "mean") == OF_ROWS
    assert f"\nsum of the losses ~ {total:.4f} over 4 rows    (uniform guess log 3 ~ 1.0986 a row)\n" in (
        output(*words, "sum")
    )
    assert output(*words, "none") == OF_ROWS.replace(OF_ROWS.splitlines()[-3] + "\n", "")


def test_many_rows_are_shortened_and_counted_whole():
    rows = np.tile([[0.0, 1.0, 1.0]], (30, 1))  # the last column is the label: right in every row
    rows[7, 2] = 0
    np.save("x.npy", rows)
    printed = output(PROGRAM, "x.npy", "--label-column", "-1")
    assert [line.split()[0] for line in printed.splitlines()[3:24]] == [
        *map(str, range(16)),
        "...",
        *map(str, range(26, 30)),
    ]
    assert " rows 16 to 25 of 30 are left out.\n" in printed
    assert "The label has the largest p in 29 of 30 rows.\n" in printed
    assert output(PROGRAM, "x.npy", "--label-column", "-1", "--format", "markdown").count("\n| ") == 31


def test_a_class_may_be_ignored():
    lines = output(PROGRAM, "[[3, 0], [0, 1], [2, 0]]", "--label", "0,1,0", "--ignore-index", "0").splitlines()
    assert lines[3].split() == ["0", "0", "ignored", "p[0]"]
    assert lines[-3:] == [
        f"mean loss ~ {np.log1p(np.exp(-1)):.4f} over 1 row    (uniform guess log 2 ~ 0.6931)",
        "The label has the largest p in 1 of 1 row.",
        "2 rows with label 0 are ignored.",
    ]
    nothing = output(PROGRAM, "[[3, 0], [0, 1]]", "--label", "0,0", "--ignore-index", "0")
    assert "mean loss = 0 over 0 rows" in nothing


def test_a_row_of_nan_is_not_right():
    printed = output(PROGRAM, "[[nan, 0], [0, 1]]", "--label", "0,1")
    assert "mean loss = nan over 2 rows" in printed
    assert "The label has the largest p in 1 of 2 rows." in printed


@pytest.mark.parametrize("at", [0, 1, 2, 3, -1, -2, -4])
@pytest.mark.parametrize("kind", ["csv", "header", "name", "npy", "npz", "stdin", "lists", "words"])
def test_where_the_column_may_be_and_stand(kind, at):
    rows, stdin = with_labels(at), None
    place = at % rows.shape[1]
    header = ",".join("right" if j == place else f"z{j}" for j in range(rows.shape[1]))
    words = ["--label-column", str(at), "--ignore-index", "-100", "--format", "csv"]
    if kind in ("csv", "header", "name"):
        write_csv("x.csv", rows, header=None if kind == "csv" else header)
        words = ["x.csv", *words]
    elif kind == "npy":
        np.save("x.npy", rows)
        words = ["x.npy", *words]
    elif kind == "npz":
        np.savez("x.npz", other=np.zeros(3), rows=rows)
        words = ["x.npz", "--array", "rows", *words]
    elif kind == "stdin":
        write_csv("x.csv", rows, header=header)
        with open("x.csv") as file:
            stdin = file.read()
    elif kind == "lists":
        stdin = json.dumps(rows.tolist()).replace("Infinity", "inf")
    else:
        words = [str(rows.tolist()), *words]
    if kind == "name":
        words[words.index("--label-column") + 1] = "right"
    assert output(PROGRAM, *words, stdin=stdin) == (
        output(PROGRAM, str(ROWS.tolist()), "--label", "2,0,1,-100,0", "--ignore-index", "-100", "--format", "csv")
    )


def test_one_line_and_one_vector_with_a_label_among_them():
    assert output(PROGRAM, "--label-column", "-1", stdin="1 2 3 2\n") == OF_1_2_3
    assert output(PROGRAM, "--label-column", "right", stdin="right,a,b,c\n2,1,2,3\n") == OF_1_2_3
    assert output(PROGRAM, "2", "1", "2", "3", "--label-column", "0") == OF_1_2_3
    np.save("v.npy", np.array([1.0, 2.0, 3.0, 2.0]))
    assert output(PROGRAM, "v.npy", "--label-column", "3") == OF_1_2_3


def test_a_header_of_numbers_and_one_name():
    # What pandas writes of a frame of logits whose columns have no names, with a column of labels put beside them.
    write_csv("x.csv", with_labels(), header='0,1,2,"label"')
    words = ["--ignore-index", "-100"]
    assert output(PROGRAM, "x.csv", "--label-column", "label", *words) == OF_ROWS
    assert message(PROGRAM, "x.csv", "--label-column", "-1", *words).endswith(
        "(a header? then name the column: --label-column label)"
    )


@pytest.mark.parametrize("n", [1, 2, 5, 6, 10, 11, 40, 300])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 30.0, 1e6])
@pytest.mark.parametrize("decimals", ["0", "4", "17"])
def test_text_is_never_wider_than_the_terminal(n, scale, decimals, monkeypatch):
    numbers = [repr(round(scale * ((7 * k) % 11 - 5.3), 6)) for k in range(n)]
    rows = f"[[{','.join(numbers)}], [{','.join(reversed(numbers))}]]"
    last = str(n - 1)
    cases = [[*numbers, "--label", last], [rows, "--axis", "1", "--label", f"0,{last}"]]
    for words in [*cases, [*cases[0], "--label-smoothing", "0.125"]]:
        for columns in (80, 64):
            monkeypatch.setattr(
                "softjac._cli.run.screen_of", lambda _, wide=columns: Screen(terminal=False, width=wide)
            )
            printed = output(PROGRAM, *words, "--decimals", decimals)
            assert printed.isascii()
            assert max(map(len, printed.splitlines())) <= columns
            assert not any(line.endswith(" ") for line in printed.splitlines())


def test_what_does_not_fit_is_named(monkeypatch):
    monkeypatch.setattr("softjac._cli.run.screen_of", lambda _: Screen(width=40))
    printed = output(PROGRAM, "1", "2", "3", "--label", "2", "--decimals", "12")
    assert " p, y are left out to fit 40 columns." in printed
    assert max(map(len, printed.splitlines())) <= 40


@pytest.mark.skipif(os.name == "nt", reason="this test needs a Unix terminal (pty)")
def test_a_terminal_of_80_columns_gets_the_same_and_the_next_command():
    words = [PROGRAM, "1", "2", "3", "--label", "2"]
    ran = run_program(words, env=environment(NO_COLOR="1"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == OF_1_2_3 + "Next: softjac cross-entropy 1 2 3 --label 2 --format json\n"


@pytest.mark.parametrize(
    ("words", "offer"),
    [
        (["[[1, 2], [3, 4]]", "--label", "0 1"], "cross-entropy '[[1, 2], [3, 4]]' --label '0 1' --format json"),
        (["[" + "[1, 2]," * 11 + "[1, 2]]", "--label", "0," * 12], "cross-entropy LOGITS --label LABEL --format json"),
        (["x.csv", "--label-column", "a\x1b[31m"], "cross-entropy x.csv --label-column LABEL-COLUMN --format json"),
    ],
)
def test_the_next_command_has_the_labels(words, offer, monkeypatch):
    monkeypatch.setattr("softjac._cli.run.screen_of", lambda _: Screen(terminal=True))
    write_csv("x.csv", ROWS[:1], header="a\x1b[31m,b,c")
    assert output(PROGRAM, *words).splitlines()[-1] == f"Next: softjac {offer}"
