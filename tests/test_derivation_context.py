"""The decimal context of the caller changes nothing in a derivation, and is not changed by one."""

import decimal
from decimal import Context, Decimal

import pytest

from derivation_samples import J, p, point
from softjac.derivation import explain
from softjac.derivation.blocks import Chain, Line
from softjac.derivation.expressions import Number
from softjac.derivation.names import ONE
from softjac.derivation.numbers import number_of
from softjac.derivation.views import view

AT = point("1", "2", "3", label=2)
CALLERS = {
    "rounds up": {"rounding": decimal.ROUND_UP, "traps": []},
    "two digits": {"prec": 2},
    "small exponents": {"prec": 3, "Emax": 3, "Emin": -3, "clamp": 1, "traps": []},
    "nothing inexact": {"traps": [decimal.Inexact, decimal.Rounded]},
    "no underflow": {"Emax": 20, "Emin": -20, "traps": [decimal.Underflow, decimal.Subnormal, decimal.Overflow]},
    "no floats": {"traps": [decimal.FloatOperation]},
    "capitals": {"capitals": 0},
}
ARGUMENTS = {
    "a change": (explain, [1, 2, 3], {"nudge": [0.1, 0, 0], "label": 2}),
    "a large change": (explain, [1, 2.5, 3], {"nudge": [100, 0, -100], "parts": "nudge"}),
    "40 apart": (explain, [0, 40], {"parts": ["softmax", "matrix"]}),
    "large logits": (explain, [1e15, 1e15 - 1], {"parts": "softmax"}),
    "symbols": (explain, None, {"parts": "matrix"}),
    "an entry": (explain, [1, 2, 3], {"entry": (0, 2)}),
    "one screen": (view, [0.1, 0.2, -3], {}),
    "decimals": (view, [Decimal("0.123456789"), 2], {"label": 0, "nudge": [0.01, 0]}),
}


@pytest.fixture(scope="module")
def written():
    """Each text under the default context."""
    with decimal.localcontext(Context()):
        return {name: str(function(logits, **options)) for name, (function, logits, options) in ARGUMENTS.items()}


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("caller", CALLERS)
def test_the_text_is_the_same_and_no_flag_is_set(written, name, caller):
    function, logits, options = ARGUMENTS[name]
    with decimal.localcontext(Context(**CALLERS[caller])) as context:
        context.clear_flags()
        before = repr(context)
        derivation = function(logits, **options)
        found = derivation.to("text")
        derivation.to("html")
        assert decimal.getcontext() is context
        assert repr(context) == before
    assert found == written[name]


@pytest.mark.parametrize("caller", CALLERS)
def test_a_chain_is_the_same(caller):
    with decimal.localcontext(Context()):
        number, other = number_of(J(0, 0), AT), number_of(J(1, 1), AT)
    lines = (Line("=", p(0) * (ONE - p(0)), "definition_p"), Line("≈", number, "definition_p"))
    with decimal.localcontext(Context(**CALLERS[caller])) as context:
        context.clear_flags()
        before = repr(context)
        assert Chain(J(0, 0), lines, AT).lines[1].expression == number
        wrong = (lines[0], Line("≈", Number(other.value, 4, J(0, 0)), "definition_p"))
        context.clear_flags()
        with pytest.raises(ValueError, match="says 0"):
            Chain(J(0, 0), wrong, AT)
        assert repr(context) == before
