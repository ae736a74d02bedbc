"""The NumPy lines beside the results: what stands below each is what running it prints, to the character."""

import contextlib
import io
import re

import numpy as np
import pytest

from derivation_texts import texts_of
from softjac import derivation
from softjac.derivation.blocks import Code
from softjac.derivation.views import view

# What float64 cannot hold, all but cannot, or prints with signs: large logits, gaps, ties, steps of every size.
HARD = [
    ([1, 2, 3], {}), ([0, 40], {}), ([0, 800, 1], {}), ([-2000, 0, 0], {}), ([1e15, 1e15 - 1], {}),
    ([1e15, 1e15 - 1], {"nudge": [0.1, 0]}), ([-3, -3.5, -1, -1], {"label": 2}), ([1e9 + 0.3, 1e9], {}),
    ([1e12, 1e12 + 1, 1e12 - 2], {"label": 0, "nudge": [0.01, 0, 0]}), ([0, 0], {"nudge": [0.1, 0.1]}),
    ([1, 2, 3], {"nudge": [1e-9, 0, 0]}), ([1, 2, 3], {"nudge": [100, 0, -100]}), ([0.5], {}), ([0, 36.5], {}),
    ([0, 30, 1], {}), ([1e-300, 0], {}), ([0, 745.2], {}), ([-745.5, 0, 3], {}), ([-800, -801], {}),
    ([1, 2, 3], {"nudge": [1e-14, 0, 0]}), ([0.1] * 7, {}), ([3, 1, 2, 5, 4, 0, 9, -3], {"label": 7}),
    ([0, 17, 16.99999], {}), ([1e15, 1e15 - 1000], {}), ([709.9, 1], {}), ([1, 2, 3], {"nudge": [-7e-6, 3e-8, 0]}),
    (list(range(50)), {"label": 7}), ([1, 2, 3], {"nudge": [0.1, 0.1, 0.1]}), ([0, 744.0], {"label": 0}),
]  # fmt: skip
every_hard_case = pytest.mark.parametrize(("logits", "options"), HARD, ids=str)


def printed_by(blocks):
    """Each block of code, and what it prints when all of them run in order."""
    space = {}
    with np.printoptions(), contextlib.ExitStack():
        for block in blocks:
            if isinstance(block, Code):
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    exec(compile(block.source, "<derivation>", "exec"), space)
                yield block, out.getvalue()


@every_hard_case
def test_what_is_shown_is_what_is_printed(logits, options):
    for block, printed in printed_by(derivation.explain(logits, **options).blocks):
        assert block.shows.rstrip("\n") == printed.rstrip("\n"), block.source


def test_what_is_shown_does_not_hang_on_how_the_reader_has_set_numpy():
    plain = str(derivation.explain([0, 30, 1], parts="matrix"))
    with np.printoptions(precision=2, suppress=True, sign="+", linewidth=20), np.errstate(all="raise"):
        assert str(derivation.explain([0, 30, 1], parts="matrix")) == plain


LOST = "These lines carry about 16 digits"


@pytest.mark.parametrize(("logits", "lost"), [([1, 2, 3], False), ([0, 20], False), ([0, 40], True), ([5], False)])
def test_it_is_said_where_float64_loses_digits(logits, lost):
    assert any(LOST in text for text in texts_of(derivation.explain(logits, parts="matrix").blocks)) == lost


@pytest.mark.parametrize("logits", [[0, 40], [0, 36.5], [709.9, 1]])
def test_a_saturated_matrix_is_not_shown_as_zeros(logits):
    shown = [block.shows for block in derivation.explain(logits, parts="matrix").blocks if isinstance(block, Code)]
    assert any(re.search(r"\de-\d", x) for x in shown)
    assert not any("round(" in block.source for block in derivation.explain(logits).blocks if isinstance(block, Code))


@pytest.mark.parametrize(("logits", "options"), [
    ([1, 2, 3], {"nudge": [1e-14, 0, 0]}), ([1e15, 1e15 - 1], {"nudge": [0.1, 0]}),
    ([0.3, 0.1, 1.7], {"nudge": [0.7] * 3}),
])  # fmt: skip
def test_a_difference_that_float64_cannot_show_is_left_out_and_it_is_said_why(logits, options):
    text = derivation.explain(logits, parts="nudge", **options)
    assert not any("softmax(z + dz) - p" in block.source for block in text.blocks if isinstance(block, Code))
    assert any("is left out here" in sentence for sentence in texts_of(text.blocks))


def test_a_tiny_nudge_shows_its_digits():
    (shown,) = [b.shows for b in derivation.explain([1, 2, 3], parts="nudge", nudge=[1e-9, 0, 0]).blocks
                if isinstance(b, Code) and "dz" in b.source]  # fmt: skip
    assert shown.split("\n")[0] == "[ 8.1925e-11 -2.2033e-11 -5.9892e-11]"
    assert shown.count("e-11") == 6


def test_below_the_smallest_double_nothing_is_kept_apart():
    text = derivation.explain([0, 800, 1], parts="matrix")
    assert not any("softjac.softmax_jacobian" in block.source for block in text.blocks if isinstance(block, Code))
    assert any("smallest positive float64" in sentence for sentence in texts_of(text.blocks))


def test_one_class_coincides_whatever_its_logit():
    said = " ".join(texts_of(derivation.explain([5], parts="matrix").blocks))
    assert "For any others they differ" not in said
    assert "With one class" in said


def test_many_numbers_are_shortened():
    for logits in (list(range(50)), [0.1 * k for k in range(20)]):
        for block in derivation.explain(logits, label=7).blocks:
            if isinstance(block, Code):
                assert len(block.shows.split("\n")) <= 9
                assert max(map(len, [*block.source.split("\n"), *block.shows.split("\n")])) <= 76


@pytest.mark.parametrize(
    ("logits", "below"), [([0, 800, 1], True), ([-2000, 0, 0], True), ([0, 40], False), ([5], False)]
)
def test_a_zero_that_stands_for_less_is_said_to(logits, below):
    for part in ("softmax", "quotient", "matrix", "nudge"):
        said = any("A 0 here stands for" in text for text in texts_of(derivation.explain(logits, parts=part).blocks))
        assert said == (below and not (part == "nudge" and logits[0] == 5))
    common = derivation.explain([1, 2, 3], parts="nudge", nudge=[0, 0, 0])
    assert not any("A 0 here stands for" in text for text in texts_of(common.blocks))


def test_a_loss_printed_to_four_digits_has_lost_none_of_them():
    rng = np.random.default_rng(0)
    for _ in range(40):
        blocks = list(view(rng.normal(0, 3, size=3).tolist(), label=0).blocks)
        (at,) = [k for k, block in enumerate(blocks) if isinstance(block, Code) and "loss" in block.source]
        assert not any(LOST in text for text in texts_of(blocks[at + 1 : at + 2]))
