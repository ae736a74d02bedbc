import json
import runpy
import shlex
import subprocess
import sys

import numpy as np
import pytest

import softjac
from cli_helpers import message, output, run
from softjac import softmax, softmax_jacobian
from softjac.cli import MISSING_EXTRA, main

JACOBIAN_OF_1_2_3 = """\
Softmax Jacobian  J[i,j] = dp[i]/dz[j]           (classes count from 0)

          z[0]=1     z[1]=2     z[2]=3    row sum        p
 p[0]   [+0.0819]   -0.0220    -0.0599          0   0.0900
 p[1]    -0.0220   [+0.1848]   -0.1628          0   0.2447
 p[2]    -0.0599    -0.1628   [+0.2227]         0   0.6652

[ ] diagonal p(1-p), elsewhere -p[i]p[j]. Column j: what raising z[j] does.
"""

SEVEN = ["1", "2", "1", "2", "1", "2", "1"]

SOFTMAX_OF_1_2_3 = """\
Softmax  p[i] = exp(z[i]) / sum of exp(z)        (classes count from 0)

 class   z        p
     0   1   0.0900
     1   2   0.2447
     2   3   0.6652

They sum to 1; the largest is p[2].
"""


def test_the_jacobian_as_text_is_the_promised_one():
    assert output("jacobian", "1", "2", "3") == JACOBIAN_OF_1_2_3


def test_the_probabilities_as_text():
    assert output("softmax", "1", "2", "3") == SOFTMAX_OF_1_2_3


def test_the_jacobian_as_json_is_the_promised_one():
    printed = output("jacobian", "1", "2", "3", "--decimals", "4", "--format", "json")
    assert printed == "[[0.0819, -0.022, -0.0599], [-0.022, 0.1848, -0.1628], [-0.0599, -0.1628, 0.2227]]\n"


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ("0 1", [[0.1966, -0.1966], [-0.1966, 0.1966]]),
        (
            "1 -1 2 -2",
            [
                [0.1906, -0.0089, -0.1784, -0.0033],
                [-0.0089, 0.0335, -0.0241, -0.0004],
                [-0.1784, -0.0241, 0.2114, -0.0089],
                [-0.0033, -0.0004, -0.0089, 0.0126],
            ],
        ),
    ],
)
def test_worked_jacobians(logits, expected):
    assert json.loads(output("jacobian", *logits.split(), "--decimals", "4", "--format", "json")) == expected


def test_worked_probabilities():
    assert output("softmax", "1.1", "2.2", "0.2", "-1.7", "--decimals", "4", "--format", "csv") == (
        "0.2236,0.6718,0.0909,0.0136\n"
    )
    words = ["0.25", "-1", "2.3", "-0.2", "1", "--decimals", "8", "--format", "json"]
    assert json.loads(output("softmax", *words)) == [0.08468093, 0.02426149, 0.6577931, 0.05399495, 0.17926953]
    jacobian = np.array(json.loads(output("jacobian", *words)))
    assert np.diagonal(jacobian).tolist() == [0.07751007, 0.02367287, 0.22510134, 0.05107949, 0.14713197]
    assert (jacobian[0, 2], jacobian[2, 4]) == (-0.05570253, -0.11792226)


def test_all_digits_come_out_unless_decimals_are_asked_for():
    logits = np.array([1.0, 2.0, 3.0])
    for form in ("json", "csv"):
        printed = output("softmax", "1", "2", "3", "--format", form)
        read = np.array(json.loads(printed if form == "json" else f"[{printed}]"))
        np.testing.assert_array_equal(read, softmax(logits))


@pytest.mark.parametrize(
    "words",
    [
        ["-1", "0.5", "-2e3"],
        ["[-1, 0.5, -2e3]"],
        ["[-1 0.5 -2e3]"],
        ["[-1,", "0.5,", "-2e3]"],
        ["-1 0.5 -2e3"],
        ["--axis", "-1", "-1", "0.5", "-2000"],
        ["-1", "--axis=0", "+.5", "-2_000.0"],
        ["\N{MINUS SIGN}1", "0.5", "\N{MINUS SIGN}2e3"],
    ],
)
def test_ways_to_write_the_same_numbers(words):
    printed = output("jacobian", *words, "--format", "json")
    np.testing.assert_array_equal(np.array(json.loads(printed)), softmax_jacobian([-1.0, 0.5, -2e3]))


def test_infinities_and_nan_are_numbers():
    assert output("softmax", "-inf", "0", "-Infinity", "--format", "csv") == "0.0,1.0,0.0\n"
    assert output("softmax", "inf", "0", "--format", "csv") == "1.0,0.0\n"
    assert output("softmax", "-nan", "0", "--format", "csv") == "nan,nan\n"


def test_rows_and_columns_as_numpy_means_them():
    rows = "[[1, 2, 3], [3, 1, 0]]"
    logits = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0]])
    for axis in (-2, -1, 0, 1):
        printed = json.loads(output("softmax", rows, "--axis", str(axis), "--format", "json"))
        np.testing.assert_array_equal(np.array(printed), softmax(logits, axis=axis))
        printed = json.loads(output("jacobian", rows, "--axis", str(axis), "--format", "json"))
        np.testing.assert_array_equal(np.array(printed), softmax_jacobian(logits, axis=axis))
    assert output("softmax", rows) == output("softmax", "[1,2,3]", "[3,1,0]") == output("softmax", rows, "--axis", "1")


def test_a_batch_as_text_has_one_row_a_vector():
    assert output("softmax", "[[1, 2], [3, 3], [0, -inf]]", "--decimals", "2") == (
        "Softmax  p[i] = exp(z[i]) / sum of exp(z)        (rows and classes from 0)\n"
        "\n"
        " row   p[0]   p[1]    max\n"
        "   0   0.27   0.73   p[1]\n"
        "   1   0.50   0.50   p[0]\n"
        "   2   1.00   0.00   p[0]\n"
    )
    assert " column   p[0]" in output("softmax", "[[1, 2], [3, 3]]", "--axis", "0", "--decimals", "2")


def test_a_batch_of_jacobians_as_text_is_one_table_a_vector():
    printed = output("jacobian", "[[1, 2, 3], [0, 1, 2]]")
    table = JACOBIAN_OF_1_2_3.split("\n\n")[1]
    again = table.replace("z[0]=1", "z[0]=0").replace("z[1]=2", "z[1]=1").replace("z[2]=3", "z[2]=2")
    assert f"\n row 0\n{table}\n\n row 1\n{again}\n\n[ ] diagonal" in printed


def test_a_small_number_never_prints_as_zero():
    assert output("jacobian", "0", "20").splitlines()[3:5] == [
        " p[0]   [+2.06e-09]   -2.06e-09          0   2.06e-09",
        " p[1]    -2.06e-09   [+2.06e-09]         0     1.0000",
    ]


def test_true_zeros_and_nan_as_text():
    lines = output("jacobian", "1", "-inf", "2").splitlines()
    assert lines[4] == " p[1]     0.0000      [0.0000]    0.0000          0   0.0000"
    lines = output("jacobian", "1", "nan").splitlines()
    assert lines[3] == " p[0]      [nan]        nan        nan   nan"
    assert "sum to 1" not in output("softmax", "1", "nan")


def test_row_sums_are_those_of_the_numbers_before_rounding():
    rows = [line.split() for line in output("jacobian", "1", "2", "3", "--decimals", "1").splitlines()[3:6]]
    assert [row[-2] for row in rows] == ["0", "0", "0"]  # though 0.1 - 2.20e-02 - 0.1 is not


@pytest.mark.parametrize("n", [2, 5, 6, 10, 11, 40, 300])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 30.0, 1e6])
@pytest.mark.parametrize("decimals", [0, 4, 17])
def test_text_is_never_wider_than_80_columns(n, scale, decimals):
    numbers = [repr(round(scale * ((7 * k) % 11 - 5.3), 6)) for k in range(n)]
    rows = f"[[{','.join(numbers)}], [{','.join(reversed(numbers))}]]"
    for command in ("softmax", "jacobian"):
        for words in (numbers, [rows], [rows, "--axis", "0"]):
            printed = output(command, *words, "--decimals", str(decimals))
            assert printed.isascii()
            assert max(map(len, printed.splitlines())) <= 80
            assert not any(line.endswith(" ") for line in printed.splitlines())


def test_a_wide_matrix_is_shortened_and_says_so():
    lines = output("jacobian", *SEVEN).splitlines()
    assert lines[2] == "          z[0]=1     z[1]=2     z[2]=1    ...     z[6]=1    row sum        p"
    assert lines[3] == " p[0]   [+0.0755]   -0.0184    -0.0068    ...    -0.0068          0   0.0823"
    assert lines[9] == " p[6]    -0.0068    -0.0184    -0.0068    ...   [+0.0755]         0   0.0823"
    assert lines[10] == " z[3] to z[5] of 7 are left out to fit 80 columns."
    assert lines[-1] == "Shortened: --format csv or -o FILE gives all of it."


def test_five_classes_fit_without_shortening():
    printed = output("jacobian", "0.25", "-1", "2.3", "-0.2", "1")
    assert "..." not in printed
    assert printed.splitlines()[2:5] == [
        "           z[0]=      z[1]=      z[2]=      z[3]=      z[4]=    row sum        p",
        "            0.25         -1        2.3       -0.2          1",
        " p[0]   [+0.0775]   -0.0021    -0.0557    -0.0046    -0.0152          0   0.0847",
    ]


def test_long_lists_are_shortened_and_say_so():
    lines = output("softmax", *map(str, range(100))).splitlines()
    assert [line.split()[0] for line in lines[3:24]] == [*map(str, range(16)), "...", "96", "97", "98", "99"]
    assert lines[24] == " classes 16 to 95 of 100 are left out."
    rows = ",".join(f"[{k}, 0]" for k in range(22))
    assert " rows 16 to 17 of 22 are left out." in output("softmax", f"[{rows}]")
    assert " rows 3 to 21 of 22 are left out." in output("jacobian", f"[{rows}]")
    four = output("jacobian", "[[1,2],[3,4],[5,6],[7,8]]")
    assert " row 3 of 4 is left out." in four
    assert four.endswith("Shortened: --format csv or -o FILE gives all of it.\n")


def test_json_of_odd_numbers():
    assert output("jacobian", "0", "-inf", "--format", "json") == "[[0.0, 0.0], [0.0, 0.0]]\n"
    assert output("softmax", "nan", "1", "--format", "json") == "[null, null]\n"
    assert output("jacobian", "inf", "inf", "0", "--format", "json") == (
        "[[null, null, 0.0], [null, null, 0.0], [0.0, 0.0, 0.0]]\n"
    )
    assert "-0.0]" not in output("jacobian", "0", "30", "--decimals", "3", "--format", "json")


def test_json_of_a_batch_has_one_result_a_line():
    printed = output("jacobian", "[[0, 1], [0, 0]]", "--decimals", "4", "--format", "json")
    assert printed == "[[[0.1966, -0.1966], [-0.1966, 0.1966]],\n[[0.25, -0.25], [-0.25, 0.25]]]\n"
    assert output("softmax", "[[0, 0]]", "--format", "json") == "[[0.5, 0.5]]\n"


def test_csv():
    assert output("jacobian", "0", "0", "--format", "csv") == "0.25,-0.25\n-0.25,0.25\n"
    assert output("softmax", "[[0, 0], [0, -inf]]", "--format", "csv") == "0.5,0.5\n1.0,0.0\n"
    assert output("jacobian", "[[0, 0], [0, -inf]]", "--format", "csv") == (
        "row,i,z[0],z[1]\n0,0,0.25,-0.25\n0,1,-0.25,0.25\n1,0,0.0,0.0\n1,1,0.0,0.0\n"
    )


def test_markdown_is_a_table_to_a_markdown_reader():
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py comes with rich")
    read = markdown.MarkdownIt("commonmark").enable("table")
    printed = output("jacobian", "1", "2", "3", "--format", "markdown")
    tokens = [token.content for token in read.parse(printed) if token.type == "inline"]
    assert tokens[0] == "Softmax Jacobian, J[i,j] = dp[i]/dz[j] (classes count from 0)"
    assert tokens[1:7] == ["", "z[0]=1", "z[1]=2", "z[2]=3", "row sum", "p"]
    assert tokens[7:13] == ["p[0]", "**+0.0819**", "-0.0220", "-0.0599", "0", "0.0900"]
    assert tokens[-1] == "Bold: diagonal p(1-p), elsewhere -p[i]p[j]. Column j: what raising z[j] does."
    rows = ",".join(f"[{k}, 0, 1]" for k in range(30))
    assert output("jacobian", f"[{rows}]", "--format", "markdown").count("| p[2] |") == 30
    assert output("softmax", f"[{rows}]", "--format", "markdown").count("\n| ") == 31


def test_latex_is_complete_and_balanced():
    assert output("jacobian", "0", "20", "--format", "latex") == (
        "% Softmax Jacobian  J[i,j] = dp[i]/dz[j] (classes count from 0)\n"
        "\\[\n"
        "J = \\left(\\begin{array}{*{2}{r}}\n"
        "2.06 \\times 10^{-9} & -2.06 \\times 10^{-9} \\\\\n"
        "-2.06 \\times 10^{-9} & 2.06 \\times 10^{-9}\n"
        "\\end{array}\\right)\n"
        "\\]\n"
    )
    assert "\\mathrm{NaN} & \\mathrm{NaN}" in output("softmax", "nan", "0", "--format", "latex")
    batch = output("jacobian", "[[0, 1, 2], [1, 1, 1], [2, 1, 0]]", "--format", "latex")
    assert [batch.count(part) for part in ("\\[", "\\]", "\\begin", "\\end", "\\left(", "\\right)")] == [3] * 6
    assert [f"J^{{({k})}} = " in batch for k in range(4)] == [True, True, True, False]
    assert batch.count(" & ") == 3 * 3 * 2
    assert batch.count(" \\\\\n") == 3 * 2


def test_help():
    alone = output()
    assert alone == output("-h") == output("--help")
    assert alone.isascii()
    assert sum(line.startswith("    softjac ") for line in alone.splitlines()) == 8  # examples
    for command in ("softmax", "jacobian", "cross-entropy", "explain", "plot"):
        options = ["--axis", "--array", "--format", "-o, --output"]
        options += {"explain": ["--entry", "--nudge", "--all"], "plot": []}.get(command, ["--decimals"])
        for words in ([command, "-h"], [command, "1", "2", "--help"], [command, "-h", "--format", "json"]):
            printed = output(*words)
            assert printed.isascii()
            for part in ("Usage: softjac " + command, *options, "Example: "):
                assert part in printed


def test_help_is_within_80_columns_and_claims_no_more_than_the_readme():
    for words in (
        [],
        ["softmax", "-h"],
        ["jacobian", "-h"],
        ["cross-entropy", "-h"],
        ["explain", "-h"],
        ["plot", "-h"],
    ):
        printed = output(*words)
        assert max(map(len, printed.splitlines())) <= 80
        assert "exact" not in printed


def test_the_examples_in_the_help_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logits.csv").write_text("1,2,3\n3,2,1\n")
    (tmp_path / "student.py").write_text("from softjac import softmax\n")
    for line in output().splitlines():
        if line.startswith("    softjac "):
            example = line.strip().partition("   ")[0]
            assert run(*shlex.split(example)[1:]).code == 0
    np.testing.assert_array_equal(np.load("probs.npy"), softmax(np.array([[1.0, 2, 3], [3, 2, 1]])))


def test_version():
    assert output("--version") == f"softjac {softjac.__version__}\n"


def test_python_m_softjac_is_the_same_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["softjac", "softmax", "0", "0", "--format", "csv"])
    monkeypatch.delitem(sys.modules, "softjac.__main__", raising=False)  # as in a new process
    with pytest.raises(SystemExit) as exit_:
        runpy.run_module("softjac", run_name="__main__")
    assert exit_.value.code == 0
    assert capsys.readouterr().out == "0.5,0.5\n"


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_the_extra_one_line_names_it(package, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["softmax", "1", "2"]) == 2
    assert capsys.readouterr().err == f"softjac: {MISSING_EXTRA}\n"
    assert "pip install 'softjac[cli]'" in MISSING_EXTRA


def test_importing_softjac_does_not_load_what_only_the_command_line_needs():
    code = "import sys, softjac; print([m for m in ('typer', 'rich', 'click', 'softjac.cli') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"


def test_too_large_a_result_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr("softjac._cli.results._memory", lambda: 1000.0)
    assert output("jacobian", *["1"] * 11, "--format", "csv")
    assert message("jacobian", *["1"] * 12) == "the result for 12 classes has 144 numbers (0 GB): too many"
