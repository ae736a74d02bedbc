"""What the derivation says: every point of the contents is there, and what depends on the numbers is true of them."""

import itertools
import re
from decimal import Decimal

import numpy as np
import pytest

import softjac
from derivation_texts import every_logits, run_code, texts_of
from softjac import derivation
from softjac.derivation import sentence_table, sentences
from softjac.derivation._arguments import point_of
from softjac.derivation.blocks import Table
from softjac.derivation.content import matrix, nudge, structure
from softjac.derivation.content.facts import facts
from softjac.derivation.content.nudge import Trial
from softjac.derivation.content.softmax import order
from softjac.derivation.expressions import (
    Derivative,
    Diagonal,
    Divide,
    Log,
    Multiply,
    Number,
    Sum,
    Symbol,
    Transpose,
    walk,
)
from softjac.derivation.names import EYE, JACOBIAN, ONE, ONES, ZERO, J, L, P, S, Y, by, delta, e, p, y, z
from softjac.derivation.numbers import holds_as_printed, is_arithmetic


def keys_of(monkeypatch, build):
    """The keys of the sentences and rules that are read while something is built."""
    used = set()
    for kind in ("text", "rule"):
        read = getattr(sentence_table.Sentences, kind)

        def recording(table, key, read=read):
            used.add(key)
            return read(table, key)

        monkeypatch.setattr(sentence_table.Sentences, kind, recording)
    build()
    return used


# --------------------------------------------------------------------------------------------------- what must be there

# Every point of the seven parts, with the sentence that makes it; where the point is a formula, see FORMULAS.
POINTS = {
    "what other texts write": ("opening_elsewhere", "opening_z_others", "opening_p_others", "opening_delta_others",
                               "opening_first_others"),
    "1 one function of n numbers": ("softmax_what",),
    "1 entry by entry and as a vector": ("softmax_entry", "softmax_vector", "all_entries"),
    "1 exponentials, sum, each p in numbers": ("softmax_numbers", "softmax_table"),
    "1 positive": ("softmax_positive",),
    "1 below one": ("softmax_below_one",),
    "1 sums to one, and both make probabilities": ("softmax_sum", "softmax_probabilities"),
    "1 why a float sum prints 0.9999999999999999": ("softmax_float_sum",),
    "1 keeps the order, ties included": ("softmax_order", "softmax_order_numbers"),
    "1 why the maximum may be subtracted": ("softmax_shift", "softmax_shift_why", "softmax_shift_table"),
    "1 the overflow of the naive formula": ("softmax_overflow", "softmax_overflow_try"),
    "1 zero in floating point": ("softmax_zero",),
    "1 a batch": ("softmax_batch",),
    "2 what a Jacobian is": ("jacobian_one", "jacobian_pairs", "jacobian_read"),
    "2 the sigmoid, entry by entry": ("jacobian_sigmoid", "jacobian_sigmoid_off", "jacobian_sigmoid_diagonal"),
    "2 p_i = f_i of all logits": ("jacobian_softmax", "jacobian_try", "jacobian_try_seen"),
    "2 the resemblance of the derivatives": ("jacobian_resemble", "jacobian_two"),
    "3 quotient rule, two cases": ("quotient_rule", "quotient_diagonal", "quotient_off"),
    "3 the 0 * S term": ("zero_times",),
    "3 squares shared out": ("quotient_square", "split_square"),
    "4 chain rule for log": ("logarithm_chain", "chain_log"),
    "4 log of a quotient": ("log_quotient",),
    "4 a logit by a logit": ("logarithm_two", "indicator"),
    "4 log of the sum, and the sum": ("logarithm_log_S", "one_term"),
    "4 multiply by p_i": ("logarithm_multiply", "times_p"),
    "4 both routes land on the same entry": ("logarithm_same", "logarithm_differ", "logarithm_quotient",
                                             "logarithm_numbers"),
    "5 general n with dots, and the reader's n": ("matrix_general", "matrix_yours"),
    "5 diag(p)(I - 1 pT)": ("matrix_factored", "rows_scaled", "matrix_ones"),
    "5 in NumPy, and what a 1-D p gives": ("matrix_numpy", "matrix_numpy_flat", "matrix_numpy_safe"),
    "5 each entry in numbers": ("matrix_diagonal_table", "matrix_off_table"),
    "5 symmetric": ("matrix_symmetric",),
    "5 columns and rows sum to zero, each for its reason": ("matrix_columns", "matrix_rows"),
    "5 semidefinite, one dimension lost": ("matrix_definite", "matrix_rank"),
    "5 two classes": ("matrix_two", "matrix_two_general"),
    "5 the largest diagonal": ("matrix_largest", "matrix_largest_why"),
    "5 the two largest trade most": ("matrix_trade",),
    "5 sensitivity peaks at 1/4 and vanishes": ("matrix_peak", "matrix_saturated", "matrix_saturated_table"),
    "5 relative sensitivity": ("matrix_relative", "matrix_relative_yours"),
    "6 predicted beside actual": ("nudge_idea", "nudge_table"),
    "6 the error shrinks with the square": ("nudge_taylor", "nudge_shrink_table"),
    "7 multi-class against multi-label": ("entropy_kinds", "entropy_kinds_label"),
    "7 one-hot": ("entropy_one_hot",),
    "7 a dissimilarity, least at p = y": ("entropy_definition", "entropy_dissimilarity", "entropy_least"),
    "7 closer for one y only": ("entropy_one_y", "entropy_examples", "entropy_examples_seen"),
    "7 why y stands on the left": ("entropy_left",),
    "7 the loss": ("entropy_loss", "log_p_parts"),
    "7 the gradient through the Jacobian": ("entropy_gradient", "p_cancels", "entropy_collapse"),
    "7 with numbers": ("entropy_table", "entropy_signs"),
    "7 one gradient step": ("entropy_step", "entropy_step_table", "entropy_step_loss"),
    "7 backpropagation": ("entropy_layer", "entropy_layer_chain", "entropy_layer_matrix"),
    "7 why the pieces explode": ("entropy_float", "entropy_float_after"),
    "7 the Hessian": ("entropy_hessian", "entropy_hessian_convex"),
}  # fmt: skip


def test_every_point_is_there(monkeypatch):
    used = keys_of(monkeypatch, lambda: derivation.explain([1.0, 2.0, 3.0], label=2, nudge=[0.1, 0.0, 0.0]))
    missing = {point: [key for key in keys if key not in used] for point, keys in POINTS.items()}
    assert not {point: keys for point, keys in missing.items() if keys}


# Goal, and a line that the chain must have.
FORMULAS = {
    "definition": (p("i"), e("i") / Sum("l", e("l"))),
    "the 0 * S term": (by(p("i"), "j"), (ZERO * S - e("i") * e("j")) / S**2),
    "diagonal": (by(p("i"), "i"), p("i") * (ONE - p("i"))),
    "off the diagonal": (by(p("i"), "j"), -(p("i") * p("j"))),
    "log of p": (Log(p("i")), z("i") - Log(S)),
    "a logit by a logit": (by(z("i"), "j"), delta("i", "j")),
    "log of the sum": (by(Log(S), "j"), p("j")),
    "log of p by a logit": (by(Log(p("i")), "j"), delta("i", "j") - p("j")),
    "back": (by(p("i"), "j"), p("i") * (delta("i", "j") - p("j"))),
    "outer product": (JACOBIAN, Diagonal(P) - Multiply((P, Transpose(P)))),
    "rows scaled": (JACOBIAN, Multiply((Diagonal(P), EYE - Multiply((ONES, Transpose(P)))))),
    "columns": (Sum("i", by(p("i"), "j")), ZERO),
    "rows": (Sum("j", J("i", "j")), ZERO),
    "gradient, the weighted Jacobian": (
        by(L, "j"), -Sum("i", y("i") / p("i") * p("i") * (delta("i", "j") - p("j")))),
    "gradient": (by(L, "j"), p("j") - y("j")),
    "gradient as a vector": (Derivative(L, Symbol("z")), P - Y),
    "Hessian": (Derivative(by(L, "j"), z("k")), J("j", "k")),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("logits", [None, [2.0, 1.0, 0.1]], ids=["symbols", "numbers"])
def test_every_formula_is_a_line(name, logits):
    goal, line = FORMULAS[name]
    chains = derivation.explain(logits).chains
    assert any(chain.goal == goal and line in chain.expressions for chain in chains)


def test_parts_stand_by_themselves_and_in_order():
    whole = derivation.explain([1.0, 2.0, 3.0])
    assert whole.parts == derivation.parts()
    for name in derivation.parts():
        part = derivation.explain([1.0, 2.0, 3.0], parts=name)
        assert part.parts == (name,)
        # Its NumPy lines have what they need: the setup comes with it.
        assert run_code(part)


# ------------------------------------------------------------------------------------------------- NumPy beside results


@every_logits
def test_the_numpy_lines_print_what_they_say(logits):
    ran = run_code(derivation.explain(logits, label=0, nudge=[0.1, *[0.0] * (len(logits) - 1)]))
    assert sum(ran) > 15


def test_the_numpy_lines_run_without_numbers():
    assert len(run_code(derivation.explain())) > 15


# ------------------------------------------------------------------------------------------------- what the numbers say


random_logits = [
    np.random.default_rng(seed).choice([-1.0, 0.0, 0.5, 2.0, 30.0], size=1 + seed % 7).tolist() for seed in range(60)
] + [np.random.default_rng(seed).normal(0, 3, size=1 + seed % 7).tolist() for seed in range(40)]


@pytest.mark.parametrize("logits", random_logits, ids=str)
def test_the_sentences_name_the_right_classes(logits):
    point = point_of(logits, None, None)
    here = facts(point)
    exact = softjac.softmax_jacobian(np.array(logits))
    diagonal = np.diag(exact)
    # The largest probabilities have the largest diagonal entries: with two classes both do, by symmetry.
    assert set(here.largest) <= set(np.flatnonzero(diagonal >= diagonal.max() * (1 - 1e-12)))
    (largest,) = texts_of(structure.largest(point))
    if 1 < len(here.largest) < 4:
        for k in here.largest:
            assert re.search(rf"\b{k}\b", largest)
    elif len(logits) > 2 and len(here.largest) == 1:
        assert f"class {here.largest[0]}," in largest
    off = exact - np.diag(diagonal)
    traded = texts_of(structure.trade(point))
    if len(logits) == 1:
        assert not traded
        return
    best = {(i, j) for i, j in np.argwhere(off <= off.min() * (1 - 1e-12)) if i < j}
    assert set(here.pairs) == best
    if len(logits) > 2 and len(best) == 1:
        ((i, j),) = best
        assert f"Classes {i} and {j} " in traded[0]


@pytest.mark.parametrize("logits", random_logits, ids=str)
def test_the_order_of_the_sentence_is_that_of_the_numbers(logits):
    if len(logits) == 1:
        return
    (sentence,) = texts_of(order(point_of(logits, None, None)))
    said = re.findall(r"z\[(\d)\]( [<=] )?", sentence)
    for (i, sign), (j, _) in itertools.pairwise(said):
        assert (logits[int(i)] == logits[int(j)]) if sign == " = " else (logits[int(i)] < logits[int(j)])


@pytest.mark.parametrize("logits", random_logits, ids=str)
def test_changes_are_those_of_softjac(logits):
    z_row = np.array(logits)
    nudge_row = np.random.default_rng(len(logits)).normal(size=len(logits))
    tried = Trial(facts(point_of(logits, None, None)), tuple(map(Decimal, nudge_row)))
    predicted = np.array([float(x) for x in tried.predicted])
    assert np.allclose(predicted, softjac.softmax_jvp(z_row, nudge_row), rtol=1e-9, atol=1e-300)
    actual = np.array([float(x) for x in tried.actual])
    assert np.allclose(actual, softjac.softmax(z_row + nudge_row) - softjac.softmax(z_row), rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize(("logits", "step", "key"), [
    ([1.0, 2.0, 3.0], [0.1, 0.0, 0.0], "nudge_taylor"),
    ([1.0, 2.0, 3.0], [9.0, 0.0, 0.0], "nudge_large"),
    ([0.0, 0.0], [0.1, 0.0], "nudge_cubic"),
    ([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], "nudge_none"),
    ([1.0], [0.1], "nudge_none_one"),
])  # fmt: skip
def test_the_error_is_said_to_shrink_as_it_does(logits, step, key, monkeypatch):
    point = point_of(logits, None, step)
    assert key in keys_of(monkeypatch, lambda: nudge.blocks(point))


def test_the_error_shrinks_by_a_hundred():
    tried = Trial(facts(point_of([1.0, 2.0, 3.0], None, None)), (Decimal("0.1"), Decimal(0), Decimal(0)))
    fraction = tried.scaled(Decimal("0.1")).largest_error / tried.largest_error
    assert Decimal("0.009") < fraction < Decimal("0.011")


@pytest.mark.parametrize("logits", random_logits, ids=str)
@pytest.mark.parametrize("k", [0, -1])
def test_one_gradient_step_does_what_is_said(logits, k):
    label = k % len(logits)
    text = texts_of(derivation.explain(logits, parts="cross-entropy", label=label).blocks)
    before = softjac.softmax(np.array(logits))
    gradient = softjac.cross_entropy_grad(np.array(logits), label)
    after = softjac.softmax(np.array(logits) - gradient)
    (said,) = [t for t in text if re.search("the loss (goes|has fallen) from|Nothing changes", t)]
    if len(logits) == 1:
        assert said.startswith("Nothing changes")
        return
    assert softjac.cross_entropy(np.array(logits) - gradient, label) < softjac.cross_entropy(np.array(logits), label)
    assert f"class {label} has grown" in said
    rising = [i for i in range(len(logits)) if i != label and after[i] > before[i] * (1 + 1e-9)]
    up = [t for t in text if t.startswith("Up as well")]
    assert bool(up) == bool(rising)
    if up and len(rising) < 6:
        assert re.findall(r"\d+", up[0].split(".")[0]) == [str(i) for i in rising]


# --------------------------------------------------------------------------------------------- numbers that are printed


@every_logits
def test_arithmetic_in_tables_gives_what_stands_beside_it(logits):
    seen = 0
    for block in derivation.explain(logits, label=0).blocks:
        if isinstance(block, Table):
            for row in block.rows:
                for left, right in itertools.pairwise(row):
                    pair = (left[-1], right[-1])
                    if isinstance(pair[0], Multiply | Divide) and is_arithmetic(pair[0]):
                        assert isinstance(pair[1], Number | Multiply | Divide)
                        result = row[-1][-1]
                        assert holds_as_printed(pair[0], result)
                        seen += 1
    assert seen > 2


@every_logits
def test_an_approximation_is_a_rounded_number(logits):
    for chain in derivation.explain(logits).chains:
        for line in chain.lines:
            numbers = [x for x in walk(line.expression) if isinstance(x, Number) and x.places is not None]
            assert (line.relation == "≈") == bool(numbers)


# ------------------------------------------------------------------------------------------------------------ sentences


def sentences_of(template):
    return re.split(r"(?<=[.:?]) ", re.sub(r"\{\w+\}", "x", template))


def test_sentences_are_short():
    table = sentences.sentences()
    long = {
        key: one
        for key, template in [*table.texts.items(), *((k, r.why) for k, r in table.rules.items())]
        for one in sentences_of(template)
        if len(one.split()) > 30
    }
    assert not long


def test_names_of_rules_are_shorter_still():
    assert not {k: r.name for k, r in sentences.sentences().rules.items() if len(r.name) > 32}


def test_matrix_of_two_classes_names_the_one_magnitude():
    point = point_of([0.0, 20.0], None, None)
    (text,) = [t for t in texts_of(matrix.blocks(point)) if t.startswith("So all four entries")]
    assert "2.061e-9" in text
