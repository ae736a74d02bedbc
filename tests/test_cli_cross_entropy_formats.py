"""`softjac cross-entropy` in every format but text."""

import json

import numpy as np
import pytest

from cli_helpers import output
from labelled_rows import LABELS, OF_1_2_3, PROGRAM, ROWS, with_labels, write_csv
from softjac import cross_entropy, cross_entropy_grad, softmax


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def arrays_of(words):
    """What every format for programs has, as arrays: loss, losses of rows, labels, p and gradient."""
    read = json.loads(output(PROGRAM, *words, "--format", "json"))
    lines = output(PROGRAM, *words, "--format", "csv").splitlines()
    names = lines[0].split(",")
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    output(PROGRAM, *words, "-o", "gradient.npy")
    return read, names, table, np.load("gradient.npy")


@pytest.mark.parametrize("reduction", [None, "mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [None, "0.25"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2"])
@pytest.mark.parametrize("block", [1 << 18, 6])
def test_formats_for_programs_hold_what_the_functions_give(reduction, smoothing, axis, dtype, block, monkeypatch):
    monkeypatch.setattr("softjac._cli.results._BLOCK", block)  # 6: two vectors at a time
    logits = ROWS[:4].astype(dtype) * np.array(0.7, dtype)
    labels = LABELS[:4]
    np.save("x.npy", logits if axis == 1 else np.ascontiguousarray(logits.T))
    words = ["x.npy", "--axis", str(axis), "--label", "2,0,1,-100", "--ignore-index", "-100"]
    words += ["--reduction", reduction] if reduction else []
    words += ["--label-smoothing", smoothing] if smoothing else []
    given = {"ignore_index": -100, "label_smoothing": float(smoothing or 0)}
    losses = cross_entropy(logits, labels, reduction="none", **given)
    gradient = cross_entropy_grad(logits, labels, reduction=reduction or "mean", **given)
    loss = cross_entropy(logits, labels, reduction=reduction or "mean", **given)
    read, names, table, npy = arrays_of(words)
    in_place = gradient if axis == 1 else gradient.T

    assert list(read) == ["loss", "gradient", "probabilities"]
    np.testing.assert_array_equal(np.array(read["loss"]).astype(dtype), loss)
    np.testing.assert_array_equal(np.array(read["gradient"]).astype(dtype), in_place)
    np.testing.assert_array_equal(np.array(read["probabilities"]).astype(dtype), softmax(np.load("x.npy"), axis=axis))
    assert names == ["row", "label", "loss", "p[0]", "p[1]", "p[2]", "g[0]", "g[1]", "g[2]"]
    np.testing.assert_array_equal(table[:, :2], np.column_stack([range(4), labels]))
    expected = np.column_stack([losses, softmax(logits), gradient])
    np.testing.assert_array_equal(table[:, 2:].astype(dtype), expected)
    assert npy.dtype == dtype
    np.testing.assert_array_equal(npy, in_place)


@pytest.mark.parametrize("suffix", ["json", "csv", "npy"])
def test_large_inputs_go_block_by_block(suffix, monkeypatch):
    sizes = []

    def noted(logits, *args, **kwargs):
        sizes.append(len(logits))
        return cross_entropy_grad(logits, *args, **kwargs)

    monkeypatch.setattr("softjac._cli.losses.cross_entropy_grad", noted)
    monkeypatch.setattr("softjac._cli.results._BLOCK", 9)
    np.save("x.npy", np.tile([[0.0, 1.0, 2.0, 1.0]], (20, 1)))
    output(PROGRAM, "x.npy", "--label-column", "3", "-o", f"gradient.{suffix}")
    assert sizes == [4, 4, 4, 4, 4, 4, 3]  # three rows of 3 classes, and one more for those outside the block


def test_formats_for_programs_of_one_vector():
    words = ["1", "2", "3", "--label", "2"]
    read, names, table, npy = arrays_of(words)
    z = np.array([1.0, 2.0, 3.0])
    assert read == {
        "loss": cross_entropy(z, 2),
        "gradient": cross_entropy_grad(z, 2).tolist(),
        "probabilities": softmax(z).tolist(),
    }
    assert names == ["label", "loss", "p[0]", "p[1]", "p[2]", "g[0]", "g[1]", "g[2]"]
    np.testing.assert_array_equal(table, [[2, cross_entropy(z, 2), *softmax(z), *cross_entropy_grad(z, 2)]])
    np.testing.assert_array_equal(npy, cross_entropy_grad(z, 2))
    assert json.loads(output(PROGRAM, *words, "--format", "json", "--reduction", "none")) == read
    assert output(PROGRAM, *words, "--decimals", "3", "--format", "json") == (
        '{"loss": 0.408,\n"gradient": [0.09, 0.245, -0.335],\n"probabilities": [0.09, 0.245, 0.665]}\n'
    )


def test_json_of_odd_numbers():
    assert output(PROGRAM, "0", "-inf", "--label", "1", "--format", "json") == (
        '{"loss": null,\n"gradient": [1.0, -1.0],\n"probabilities": [1.0, 0.0]}\n'
    )
    rows = output(PROGRAM, "[[0, -inf], [0, nan]]", "--label", "1 0", "--format", "json", "--reduction", "none")
    assert json.loads(rows)["loss"] == [None, None]


def test_markdown_is_a_table_to_a_markdown_reader():
    markdown = pytest.importorskip("markdown_it", reason="markdown-it-py comes with rich")
    read = markdown.MarkdownIt("commonmark").enable("table")
    tokens = read.parse(output(PROGRAM, "1", "2", "3", "--label", "2", "--format", "markdown"))
    texts = [token.content for token in tokens if token.type == "inline"]
    assert texts[0] == "Cross-entropy, label 2 (classes count from 0)"
    assert texts[1:11] == ["class", "0", "1", "*2", "", "logit z", "1", "2", "3", ""]
    assert texts[21:26] == ["gradient p-y", "+0.0900", "+0.2447", "-0.3348", "sum 0"]
    assert texts[26:] == [" ".join(line.split()) for line in OF_1_2_3.splitlines()[-2:]]
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds == {"text"}  # no star, bracket or tilde is taken for emphasis, a link or a strike


def test_latex():
    assert output(PROGRAM, "1", "2", "3", "--label", "2", "--format", "latex") == (
        "% Cross-entropy, label 2 (classes count from 0)\n"
        "\\[\n"
        "\\begin{array}{l*{3}{r}}\n"
        "\\mbox{class} & 0 & 1 & 2^{*} \\\\\n"
        "z & 1 & 2 & 3 \\\\\n"
        "p & 0.0900 & 0.2447 & 0.6652 \\\\\n"
        "y & 0 & 0 & 1 \\\\\n"
        "p-y & +0.0900 & +0.2447 & -0.3348\n"
        "\\end{array}\n"
        "\\]\n"
        "\\[\n"
        "-\\log p_{2} \\approx 0.4076\n"
        "\\]\n"
    )
    write_csv("x.csv", with_labels())
    words = [PROGRAM, "x.csv", "--label-column", "3", "--ignore-index", "-100", "--format", "latex", "--reduction"]
    printed = output(*words, "mean")
    assert (
        "2 & 1 & 1.0000 & 8.50 \\times 10^{-18} & p_{1} \\\\\n3 & -100 &  & \\mbox{ignored} & p_{0} \\\\\n" in printed
    )
    assert "\\mbox{mean of 4 losses} \\approx 0.5697" in printed
    assert "\\mbox{sum of 4 losses} \\approx 2.2789" in output(*words, "sum")
    assert output(*words, "none").count("\\[") == 1
    smooth = output(PROGRAM, "0", "-inf", "--label", "0", "--label-smoothing", "0.5", "--format", "latex")
    assert "z & 0 & -\\infty \\\\\n" in smooth
    assert "-\\sum_j y_j \\log p_j = \\infty" in smooth
    assert "-\\log p_{0} = 0\n" in output(PROGRAM, "0", "-inf", "--label", "0", "--format", "latex")
