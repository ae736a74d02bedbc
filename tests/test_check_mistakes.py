"""Every mistake is an implementation here, and each is named as itself, at the level at which it shows."""

import re

import numpy as np
import pytest

import check_wrong_batches
import check_wrong_entries
import check_wrong_frameworks
import check_wrong_gradients
import check_wrong_jacobians
import check_wrong_losses
import check_wrong_mixed
import check_wrong_others
import check_wrong_sums
import check_wrong_targets
import softjac
from check_right_losses import RIGHT
from check_wrong import WRONG, torch
from check_wrong_frameworks import jax
from softjac.check.kinds import KINDS
from softjac.check.mistakes import BY_NAME, MISTAKES
from softjac.check.model import LEVELS

ENTERED = (
    check_wrong_jacobians,
    check_wrong_losses,
    check_wrong_gradients,
    check_wrong_mixed,
    check_wrong_others,
    check_wrong_sums,
    check_wrong_targets,
    check_wrong_entries,
    check_wrong_frameworks,
    check_wrong_batches,
)

OF_THE_ISSUE = (
    "no-maximum-subtracted batch-maximum diagonal-only column-formula-1d diag-of-column inner-product "
    "off-diagonal-sign negated logits-for-probabilities log-softmax-jacobian wrong-axis one-sum-over-array "
    "batch-flattened rows-mixed softmax-twice gradient-sign n-missing n-doubled divided-by-classes "
    "stops-at-minus-y-over-p elementwise-product extra-jacobian binary-cross-entropy log-of-zero epsilon clip "
    "labels-from-one index-as-one-hot subtracts-from-column input-overwritten diagonal-as-gradient "
    "unnormalised-targets rounded-before-product logarithm-base float32-sums float16-sums tail-lost "
    "nan-at-minus-infinity ignores-input"
)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_is_named_as_itself(case):
    report = softjac.check(case.function, case.kind, level=case.level, **case.options)
    assert report.verdict == "NOT CONFORMING", str(report)
    assert report.main.name == case.mistake, str(report)
    assert report.main.level == case.level
    below = LEVELS[: LEVELS.index(case.level)]
    assert all(report.levels[level] for level in below)
    _what_is_said_agrees_with_the_candidate(report.main)
    _what_is_to_be_tried_runs(report.main.experiment, case.function)


def _what_is_said_agrees_with_the_candidate(main):
    """The last number of the line on yours is what the candidate returned; a symptom names no cause."""
    assert main.symptom
    assert main.seen
    assert main.why
    assert main.experiment
    assert main.fix
    title = main.title.split(":")[0]
    assert not any(title in line for line in main.symptom)
    yours = [line for line in main.seen if line.strip().startswith("yours")]
    correct = [line for line in main.seen if line.strip().startswith("correct")]
    assert len(yours) == len(correct) <= 1
    for line, number in zip(yours + correct, _two_numbers(main.symptom[0]), strict=True):
        assert float(line.split()[-1]) == pytest.approx(float(number), rel=1e-12, nan_ok=True)
        of_numbers = line.split(" ~ ")[1:-1]
        if of_numbers and not set(of_numbers[0]) - set("0123456789.+-*/() e"):
            with np.errstate(all="ignore"):
                assert float(eval(of_numbers[0])) == pytest.approx(float(number), rel=0.02, abs=2e-4)


def _what_is_to_be_tried_runs(line, function):
    """Where the function is called with written numbers: it takes what is passed."""
    if re.search(rf"(?<![\w.]){function.__name__}\((np\.array|torch\.tensor|jax\.numpy|\[)", line):
        with np.errstate(all="ignore"):
            try:
                exec(line, {"np": np, "torch": torch, "jax": jax, function.__name__: function})
            except (ArithmeticError, ValueError) as error:  # in plain Python: that is what there is to see
                if str(error) not in {"math domain error", "math range error", "expected a positive input, got 0.0"}:
                    raise


def _two_numbers(symptom):
    found = re.findall(r"is (\S+), it should be (\S+)", symptom)
    return found[0] if found else ()


def test_every_mistake_is_written_down():
    assert set(BY_NAME) >= set(OF_THE_ISSUE.split())
    assert len(BY_NAME) == len(MISTAKES)


def test_every_mistake_is_an_implementation():
    assert {case.mistake for case in WRONG} == set(BY_NAME)
    assert len({case.name for case in WRONG}) == len(WRONG) >= 370


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_well_formed(mistake):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mistake.name)
    assert mistake.kinds <= set(KINDS)
    assert mistake.level in LEVELS
    for kind in mistake.kinds:
        texts = (mistake.why_for(kind), mistake.experiment_for(kind), mistake.fix_for(kind))
        assert all(text and text.isascii() for text in texts)
        assert "\n" not in mistake.experiment_for(kind)
        assert mistake.fix_for(kind).count("\n") <= 2
    for texts in (mistake.whys, mistake.experiments, mistake.fixes, mistake.experiments_by_probs):
        assert set(texts) <= mistake.kinds
    for variant in mistake.variants:
        assert variant.kinds <= mistake.kinds | {""}


OF_NUMPY = [case for case in RIGHT if not re.match("jax|optax|torch", case.name)]


@pytest.mark.parametrize("case", OF_NUMPY, ids=lambda case: case.name)
def test_nothing_is_named_beside_what_is_right(case):
    """Not even below the verdict, which test_check_right looks at, but for what a batch or a label gets."""
    report = softjac.check(case.function, case.kind, level=case.reaches, **case.options)
    upto = LEVELS[: LEVELS.index(case.reaches) + 1]
    of_what_it_is_held_to = [d for d in report.diagnoses if d.level in upto and d.name not in _of_asides(report)]
    assert not of_what_it_is_held_to


def _of_asides(report):
    """What a batch gets from a function of one vector."""
    return (
        {"one-sum-over-array", "batch-flattened", "rows-mixed", "labels-pick-rows", "subtracts-from-column"}
        if report.examination.asides
        else ()
    )


def test_the_example_of_a_column_formula():
    def softmax_jacobian(z):
        s = np.exp(z) / np.exp(z).sum()
        return s * (np.eye(len(s)) - s.T)

    report = softjac.check(softmax_jacobian)
    main, stable = report.main, report.also[0]
    assert main.name == "column-formula-1d"
    assert main.seen == (
        "z = [1, 2, 4], first wrong entry J[0,1]",
        "  yours    -s[1]*s[1] ~ -0.1142 * 0.1142 ~ -0.0130",
        "  correct  -s[0]*s[1] ~ -0.0420 * 0.1142 ~ -0.0048",
        "diagonal right; row sums -0.6848 -0.6126 +0.1170, should be 0",
    )
    assert main.symptom == (
        "z = [1, 2, 4]: J[0,1] is -0.0130, it should be -0.0048",
        "diagonal right; row sums -0.6848 -0.6126 +0.1170, should be 0",
    )
    assert (stable.name, stable.level) == ("no-maximum-subtracted", "stable")
