"""What sentences say: no count without its word, nothing that points at what is not there, nothing false at an edge."""

import re
from decimal import Decimal

import pytest

from derivation_texts import texts_of
from softjac import derivation
from softjac.derivation import sentences
from softjac.derivation._arguments import point_of
from softjac.derivation.blocks import Table
from softjac.derivation.content import nudge, structure
from softjac.derivation.content.nudge import Trial, facts_for
from softjac.derivation.content.softmax import order
from softjac.derivation.views import view


def words(text):
    """The text as one line of words."""
    return " ".join(str(text).split())


def test_the_rest_of_a_list_is_said_to_be_more():
    said = words(derivation.explain(range(50), label=7, parts="cross-entropy"))
    assert "Up as well: 0, 1, 2, 3 and 44 more." in said
    tied = point_of([1.0] * 50, None, None)
    assert texts_of(structure.trade(tied))[0].count("J[") == 2
    assert "J[0,1], J[0,2] and 1223 more are" in texts_of(structure.trade(tied))[0]
    assert "Classes 0, 1, 2, 3, 4 and 45 more share" in texts_of(structure.largest(tied))[0]


def test_a_further_square_makes_small_only_where_s_is_large():
    said = words(derivation.explain([-5, -6], parts="quotient"))
    assert "too small" not in said
    assert "divided by a further S^2" in said


@pytest.mark.parametrize(("label", "shown"), [
    (7, "y = (0, ..., 1 (class 7), ..., 0)"), (0, "y = (1 (class 0), 0, ..., 0)"),
    (49, "y = (0, ..., 0, 1 (class 49))"),
])  # fmt: skip
def test_a_long_label_shows_its_one(label, shown):
    assert shown in words(derivation.explain(range(50), label=label, parts="cross-entropy"))
    assert shown in words(view(range(50), label=label))


def test_a_short_label_is_written_out():
    assert "y = (0, 0, 1)" in words(derivation.explain([1, 2, 3], label=2, parts="cross-entropy"))


def test_what_is_rounded_is_said_of_chains_alone():
    said = words(derivation.explain([1, 2, 3]))
    assert "Every number below is rounded" not in said
    assert "In a chain of steps ≈ says so" in said


@pytest.mark.parametrize("logits", [[0, 40], [0, 700], [0, 2000], [1000, 0, 3], [0, 20], [1, 2, 3], [0.0, 0.1]])
def test_the_loss_that_is_said_to_change_is_seen_to_change(logits):
    for label in range(len(logits)):
        said = words(derivation.explain(logits, label=label, parts="cross-entropy"))
        if found := re.search(r"the loss goes from (\S+) to (\S+)\. ", said):
            assert found[1] != found[2]
        else:
            loss, fall = re.search(r"the loss has fallen from (\S+), by (\S+)\. ", said).groups()
            assert 0 < Decimal(fall.replace("−", "-")) < Decimal("1e-4") * Decimal(loss.replace("−", "-"))


@pytest.mark.parametrize("gap", [20, 40, 700, 2000])
def test_the_fall_of_a_saturated_loss(gap):
    """Two classes: c = 1 - p, the gradient is (c, -c), and the loss falls by 2 c^2 to first order."""
    said = words(derivation.explain([0, gap], label=1, parts="cross-entropy"))
    (fall,) = re.findall(r"has fallen from \S+, by (\S+)\. ", said)
    expected = 2 * Decimal(-2 * gap).exp()
    assert abs(Decimal(fall.replace("−", "-")) / expected - 1) < Decimal("5e-4")


POINTING = re.compile(r"found above|see the part|next parts|two results of|Both routes arrive", re.IGNORECASE)


@pytest.mark.parametrize("logits", [None, [1, 2, 3], [5], [0, 0]])
@pytest.mark.parametrize(
    "options", [{"by": "log"}, {"by": "quotient"}, *({"parts": part} for part in derivation.parts())], ids=str
)
def test_a_part_points_at_nothing_that_is_not_in_it(logits, options):
    assert not POINTING.search(words(derivation.explain(logits, **options)))


def test_a_view_points_at_nothing_that_is_not_in_it():
    for options in ({"by": "log"}, {"label": 1}, {"nudge": [0.1, 0, 0]}, {"entry": (0, 1)}):
        assert not POINTING.search(words(view([1, 2, 3], **options)))


def test_an_error_larger_than_the_change_is_so_many_times_it():
    said = " ".join(texts_of(nudge.blocks(point_of([0.01 * k for k in range(100)], None, [100.0] + [0.0] * 99))))
    assert re.search(r"the largest error is \d+\.\d+ times the largest actual change", said)


def test_ties_are_written_in_the_order_of_the_classes():
    (said,) = texts_of(order(point_of([1.0, 1.0, 0.0, 1.0], None, None)))
    assert said == "Here z[2] < z[0] = z[1] = z[3], and therefore p[2] < p[0] = p[1] = p[3]."


@pytest.mark.parametrize(("logits", "entries"), [([5], 1), ([0, 40], 2), ([1, 2, 3], 2)])
def test_one_entry_of_each_kind_is_as_many_as_follow(logits, entries):
    text = derivation.explain(logits, parts="quotient")
    chains = [chain for chain in text.chains if str(getattr(chain.goal, "name", "")) == "J"]
    assert len(chains) == entries
    assert ("one entry of each kind" in words(text)) == (entries == 2)


# ------------------------------------------------------------------------------------------------------ small changes

SMALL = [[1e-8, 0, 0], [1e-12, 0, 0], [1e-20, -3e-20, 0], [1e-30, 0, 0], [1e-30, 0, 1.5e-30], [1, 1, 1 + 2**-52],
         [1e-30, 1e-30, 1e-30 * (1 + 2**-52)]]  # fmt: skip


@pytest.mark.parametrize("step", SMALL, ids=str)
@pytest.mark.parametrize("logits", [[1, 2, 3], [0, 0, 0], [0, 40, 1]])
def test_errors_of_small_changes_have_their_digits(logits, step):
    point = point_of(logits, None, step)
    tried = Trial(facts_for(point, point.nudge), point.nudge)
    more = Trial(type(tried.here)(point.logits, 3 * tried.here.digits), point.nudge)
    for scale in (Decimal(1), Decimal("0.1"), Decimal("0.01")):
        error, true = tried.scaled(scale).largest_error, more.scaled(scale).largest_error
        assert abs(error - true) < Decimal("1e-9") * true


@pytest.mark.parametrize("step", SMALL, ids=str)
def test_the_table_of_a_small_change_shows_its_order(step):
    tables = [block for block in nudge.blocks(point_of([1, 2, 3], None, step)) if isinstance(block, Table)]
    (table,) = [table for table in tables if table.caption == sentences.sentence("nudge_shrink_table")]
    fractions = [row[3][0].value for row in table.rows[1:]]
    assert all(abs(x - Decimal("0.01")) < Decimal("1e-3") for x in fractions)


def test_a_common_shift_is_predicted_as_nothing():
    for logits, shift in (([1, 2, 3], [1, 1, 1]), ([0.1, 40.7], [1e-3, 1e-3]), ([5, -800, 2.5], [0.3] * 3)):
        text = view(logits, nudge=shift).to("text")
        table = text[text.index("Predicted and actual") : text.index("The change is the same for every logit.")]
        numbers = [float(word) for word in table.split() if word.replace(".", "", 1).isdigit() and "." in word]
        assert len(numbers) == 3 * len(logits)
        assert not any(numbers)
        assert "e−" not in table
