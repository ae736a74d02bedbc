"""The mistakes in print of docs/errata.md: the text repeats none of them, and what can be refused is refused."""

import re
from pathlib import Path

import numpy as np
import pytest

import softjac
import softjac.derivation.views
from softjac import derivation
from softjac.derivation import sentences
from softjac.derivation.blocks import Chain, Code, Line
from softjac.derivation.content.matrix import entry
from softjac.derivation.expressions import Add, Derivative, Log, Matrix, Multiply, Sum, Symbol, Transpose, walk
from softjac.derivation.names import EYE, JACOBIAN, ONE, ONES, J, L, P, S, by, delta, e, p, y
from softjac.errors import DerivationError

DOC = Path(__file__).parents[1] / "docs" / "errata.md"


def text_of(logits=None, **options):
    """The whole text in ASCII, without the ends of lines."""
    return " ".join(derivation.explain(logits, **options).to("text", ascii=True).split())


def every_chain():
    for logits, label in ((None, None), ([1.0, 2.0, 3.0], 2), ([0.0, 20.0], 0), ([2.0, 1.0, 0.1, 0.1], 1)):
        yield from derivation.explain(logits, label=label).chains


def refused(goal, line, **options):
    with pytest.raises(DerivationError):
        Chain(goal, (Line("=", line, "definition_p"),), **options)
    return True


def test_every_mistake_has_its_entry():
    headings = re.findall(r"^## (\d+)\. ", DOC.read_text("utf-8"), re.MULTILINE)
    tests = [int(found.group(1)) for name in globals() if (found := re.match(r"test_(\d+)_", name))]
    assert [int(number) for number in headings] == sorted(tests) == list(range(1, 13))


def test_1_no_factor_keeps_the_squared_denominator():
    right = -((e("i") / S) * (e("j") / S))
    wrong = -((e("i") / S**2) * (e("j") / S**2))
    Chain(by(p("i"), "j"), (Line("=", right, "split_square"),), None, ("i", "j"), "i!=j")
    assert refused(by(p("i"), "j"), wrong, free=("i", "j"), where="i!=j")
    assert any(right in chain.expressions for chain in every_chain())


def test_2_the_last_row_names_the_last_class():
    rows = tuple(tuple(entry(i, j) for j in range(3)) for i in range(3))
    Chain(JACOBIAN, (Line("=", Matrix(rows), "entry_by_entry"),))
    for last in (p(3) * (ONE - p(3)), p(1) * (ONE - p(1)), -(p(2) * p(2))):
        assert refused(JACOBIAN, Matrix((*rows[:2], (*rows[2][:2], last))))
    matrices = [
        x for chain in every_chain() for line in chain.lines for x in walk(line.expression) if isinstance(x, Matrix)
    ]
    dotted = [x for x in matrices if x.at is not None]
    assert dotted
    for matrix in dotted:
        assert matrix.at[0][-1] == "n-1"
        assert {i for s in walk(matrix.rows[-1][-1]) if isinstance(s, Symbol) for i in s.indices} == {"n-1"}


def test_3_the_chain_rule_keeps_one_over_p():
    assert refused(by(Log(p("i")), "j"), by(p("i"), "j"), free=("i", "j"))
    rule = ONE / p("i") * by(p("i"), "j")
    assert any(chain.goal == by(Log(p("i")), "j") and chain.lines[0].expression == rule for chain in every_chain())


def test_4_a_probability_is_rounded_and_not_cut():
    text = text_of([4.1, 2.5, 0.0])
    assert "0.0136" in text
    assert not re.search(r"\b0\.013\b", text)
    # Where the rounded row does not sum to one, the text says so.
    assert "sum to 0.9999, not to 1" in text_of([1.0, 2.0, 3.0])
    assert "not to 1" not in text


def test_5_no_index_is_both_free_and_summed():
    assert refused(by(L, "i"), -Sum("i", y("i") * by(Log(p("i")), "i")), free=("i",))
    for chain in every_chain():
        for line in chain.expressions:
            summed = [x.index for x in walk(line) if isinstance(x, Sum) and x.index is not None]
            assert not set(summed) & set(chain.free)


def test_6_no_row_is_subtracted_from_a_matrix():
    wrong = Multiply((P, Add((EYE, -Transpose(P)))))
    assert refused(JACOBIAN, wrong)
    right = EYE - Multiply((ONES, Transpose(P)))
    lines = [x for chain in every_chain() for line in chain.expressions for x in walk(line)]
    assert right in lines
    assert not any(isinstance(x, Add) and EYE in x.terms and -Transpose(P) in x.terms for x in lines)
    assert "alone would subtract a row from a matrix, which algebra does not" in text_of()


def test_7_probabilities_are_not_negative_and_sum_to_one():
    text = text_of()
    assert "None is negative, and they sum to one: both together make them probabilities." in text
    assert "The numbers 2 and -1 sum to one as well." in text


def test_8_entries_are_made_from_exact_probabilities():
    logits = [3.1, 2.7, 1.6, 0.0]
    assert round(float(softjac.softmax_jacobian(logits)[0, 1]), 4) == -0.1784
    for text in (text_of(logits), softjac.derivation.views.view(logits).to("text", ascii=True)):
        assert "-0.1784" in text
        assert "-0.1785" not in text


def test_9_a_dominant_class_is_not_said_to_be_sensitive():
    text = softjac.derivation.views.view([0.0, 20.0]).to("text", ascii=True)
    matrix = text[text.index("The Jacobian\n") : text.index("Symmetric")]
    assert re.findall(r"-?\d\.\d+e-?\d+", matrix) == ["2.061e-9", "-2.061e-9", "-2.061e-9", "2.061e-9"]
    assert "A dominant class is therefore not a sensitive one." in text_of()
    assert "no entry is further from zero than 2.061e-9" in text_of([0.0, 20.0])
    assert "strong" not in text_of([0.0, 20.0])


def test_10_cross_entropy_is_a_dissimilarity():
    text = text_of()
    assert re.findall(r"\b\w*similarity\b", text) == ["dissimilarity"]
    assert "Smaller means closer for one y only." in text
    assert [value for value in ("0.6931", "0.7136", "1.2040", "0.5108") if value in text_of([1.0, 2.0])] == [
        "0.6931", "0.7136", "1.2040", "0.5108"]  # fmt: skip


def test_11_zero_occurs_in_floating_point():
    for sentence in re.split(r"(?<=\.) ", sentences.sentences().text("softmax_zero")):
        if "never" in sentence:
            assert sentence.startswith("On paper")
    assert "never" not in " ".join(t for k, t in sentences.sentences().texts.items() if k not in NEVER)
    assert softjac.softmax([0.0, 746.0])[0] == 0
    assert "print(np.exp(-746.0))" in text_of()


NEVER = {"softmax_zero", "matrix_definite", "softmax_positive"}


def functions_of(logits=(1.0, 2.0, 3.0)):
    """What the code blocks define, after all of them have run."""
    space = {}
    with np.printoptions():
        for block in derivation.explain(list(logits)).blocks:
            if isinstance(block, Code) and "softjac" not in block.source:
                exec(block.source, space)
    return space


def test_12_the_code_is_right_past_709_for_batches_and_for_any_shape(capsys):
    space = functions_of()
    capsys.readouterr()
    rng = np.random.default_rng(3)
    for z in (rng.normal(size=(4, 3)), rng.normal(size=(2, 5)) + 800, np.array([0.0, 2000.0]), rng.normal(size=(1, 1))):
        assert np.allclose(space["softmax"](z), softjac.softmax(z), rtol=1e-14)
        assert np.allclose(space["jacobian"](z), softjac.softmax_jacobian(z), rtol=1e-12)
    z = rng.normal(size=(3, 4))
    assert np.allclose(space["softmax"](z, axis=0), softjac.softmax(z, axis=0))
    # What a one-dimensional p gives is shown as wrong, with the matrix that it is.
    assert not np.allclose(space["wrong"], softjac.softmax_jacobian([1.0, 2.0, 3.0]))


def test_what_is_refused_is_refused_for_being_wrong():
    # The same chains with the right lines are built: it is not the shape of the chain that is refused.
    right = delta("i", "j") - p("j")
    Chain(by(Log(p("i")), "j"), (Line("=", right, "definition_p"),), None, ("i", "j"))
    Chain(by(L, "j"), (Line("=", -Sum("i", y("i") * by(Log(p("i")), "j")), "definition_p"),), None, ("j",))
    Chain(Derivative(P, Symbol("z")), (Line("=", JACOBIAN, "definition_p"),))
    Chain(J(0, 1), (Line("=", -(p(0) * p(1)), "definition_p"),))
