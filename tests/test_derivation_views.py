"""The views of the command line: one screen, one entry, one label, one change."""

import numpy as np
import pytest

import softjac
import softjac.derivation.views
from derivation_texts import every_logits, run_code
from softjac import derivation
from softjac.derivation.blocks import Text
from softjac.derivation.expressions import Number


@every_logits
def test_one_screen(logits):
    lines = str(derivation.views.view(logits)).rstrip("\n").split("\n")
    assert len(lines) <= 49
    assert max(map(len, lines)) <= 80
    shown = "\n".join(lines)
    assert ("Left out" in shown) == (len(logits) > 4)
    if len(logits) == 50:
        assert "Left out: 46 of 50 classes" in shown or "Left out: 47 of 50 classes" in shown


@pytest.mark.parametrize("seed", range(25))
def test_one_screen_at_random(seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, [1, 5, 200][seed % 3], size=1 + seed % 9).tolist()
    lines = str(derivation.views.view(logits)).rstrip("\n").split("\n")
    assert len(lines) <= 49
    assert max(map(len, lines)) <= 80


ENTRY = """\
How does p[0] change when z[2] changes?
=======================================

z = (1, 2, 3), p = softmax(z)

Numbers
  e^z[0]  = e^1 ~ 2.7183
  e^z[2]  = e^3 ~ 20.0855
  S       ~ 30.1929
  p[0]    = e^z[0] / S ~ 2.7183 / 30.1929 ~ 0.0900
  p[2]    = e^z[2] / S ~ 20.0855 / 30.1929 ~ 0.6652

By the logarithm
  log p[0]          = z[0] - log S                log of a quotient
  d log p[0]/dz[2]  = 0 - e^z[2]/S                z[0] does not contain z[2]
                    = -p[2]                       definition of p[2]
  dp[0]/dz[2]       = p[0] * (-p[2])              d log p = dp/p: multiply by p
                    ~ 0.0900 * -0.6652 ~ -0.0599  your numbers

By the quotient rule
  dp[0]/dz[2]  = (0*S - e^z[0]*e^z[2]) / S^2    quotient rule
               = -p[0] * p[2]                   one S to each factor
               ~ -54.5982 / 911.6097 ~ -0.0599  your numbers

Both ways: J[0,2] = -p[0] * p[2] ~ -0.05989202

Test: z[2] + 0.01 moves p[0] by -0.000598; J predicts -0.000599.
"""


def test_one_entry_reads_as_it_should():
    assert derivation.views.view([1, 2, 3], entry=(0, 2)).to("text", ascii=True) == ENTRY


@every_logits
def test_an_entry_ends_in_what_softjac_computes(logits):
    exact = softjac.softmax_jacobian(np.array(logits))
    last = len(logits) - 1
    for i, j in {(0, 0), (0, last), (last, 0), (last, last)}:
        text = derivation.views.view(logits, entry=(i, j))
        (number,) = [x for b in text.blocks if isinstance(b, Text) for x in b.parts if isinstance(x, Number) and x.of]
        assert np.isclose(float(number.value), exact[i, j], rtol=1e-14, atol=0) or abs(exact[i, j]) < 1e-300


def test_one_route_alone():
    by_log = str(derivation.views.view([1, 2, 3], by="log"))
    assert "by the logarithm" in by_log
    assert "The same class: i = j" not in by_log
    assert "By the quotient rule" not in str(derivation.views.view([1, 2, 3], by="log", entry=(0, 1)))


def test_several_options_come_one_after_the_other():
    text = str(derivation.views.view([1, 2, 3], entry=(0, 1), label=2, nudge=[0.1, 0, 0]))
    assert text.index("How does p[0]") < text.index("The loss of label 2") < text.index("A small change")


def test_without_numbers_the_screen_is_in_symbols():
    text = str(derivation.views.view())
    assert "p[i] × (1{i=j} − p[j])" in text
    assert "≈" not in text


@every_logits
def test_the_numpy_lines_of_the_views_run(logits):
    label = len(logits) - 1
    view = derivation.views.view(logits, label=label, nudge=[0.1, *[0.0] * label])
    assert any(run_code(view))
    assert run_code(derivation.views.view(logits, by="both"))
