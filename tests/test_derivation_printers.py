"""Printers: what is printed is read back as the same arithmetic, with parentheses where they have to be."""

import re
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivation_reading import PRIME, Reader, from_latex, from_mathml, value
from softjac.derivation.expressions import (
    Add,
    Derivative,
    Diagonal,
    Divide,
    Exp,
    Indicator,
    Log,
    Matrix,
    Multiply,
    Number,
    Power,
    Sum,
    Symbol,
    Transpose,
    Vector,
)
from softjac.derivation.printers import LatexPrinter, MathmlPrinter, TextPrinter, term_id
from softjac.derivation.printers.text import in_ascii


def z(i):
    return Symbol("z", (i,))


def p(i):
    return Symbol("p", (i,))


def rounded(number, places, of=None):
    return Number(Decimal(number), places, of)


S = Symbol("S")
P, EYE, ONES = Vector("p"), Vector("I"), Vector("1")

TEXT, ASCII, LATEX, MATHML = TextPrinter(), TextPrinter(ascii=True), LatexPrinter(), MathmlPrinter()

PRINTED = [
    # expression, text, ASCII, LaTeX
    (p(0) * (1 - p(0)), "p[0] × (1 − p[0])", "p[0] * (1 - p[0])", r"p_{0} \left(1 - p_{0}\right)"),
    (-p(0) * p(2), "−p[0] × p[2]", "-p[0] * p[2]", r"-p_{0} p_{2}"),
    (p(0) * (-p(2)), "p[0] × (−p[2])", "p[0] * (-p[2])", r"p_{0} \left(-p_{2}\right)"),
    (0 - Exp(z(2)) / S, "0 − e^z[2]/S", "0 - e^z[2]/S", r"0 - \frac{e^{z_{2}}}{S}"),
    (
        (0 * S - Exp(z(0)) * Exp(z(2))) / S**2,
        "(0×S − e^z[0]×e^z[2]) / S^2",
        "(0*S - e^z[0]*e^z[2]) / S^2",
        r"\frac{0 \cdot S - e^{z_{0}} e^{z_{2}}}{S^{2}}",
    ),
    (Log(p(0)), "log p[0]", "log p[0]", r"\log p_{0}"),
    (Log(Exp(z(0)) / S), "log(e^z[0]/S)", "log(e^z[0]/S)", r"\log \frac{e^{z_{0}}}{S}"),
    (Log(p(0)) * S, "(log p[0]) × S", "(log p[0]) * S", r"\left(\log p_{0}\right) S"),
    (Log(p(0)) ** 2, "(log p[0])^2", "(log p[0])^2", r"\left(\log p_{0}\right)^{2}"),
    (Derivative(p(0), z(2)), "∂p[0]/∂z[2]", "dp[0]/dz[2]", r"\frac{\partial p_{0}}{\partial z_{2}}"),
    (
        Derivative(Log(p(0)), z(2)),
        "∂ log p[0]/∂z[2]",
        "d log p[0]/dz[2]",
        r"\frac{\partial \log p_{0}}{\partial z_{2}}",
    ),
    (
        Derivative(Sum("l", Exp(z("l"))), z("j")),
        "∂(Σ_l e^z[l])/∂z[j]",
        "d(sum_l e^z[l])/dz[j]",
        r"\frac{\partial}{\partial z_{j}} \left(\sum_{l} e^{z_{l}}\right)",
    ),
    (
        Derivative(p("i"), z("j")) * p(0),
        "(∂p[i]/∂z[j]) × p[0]",
        "(dp[i]/dz[j]) * p[0]",
        r"\frac{\partial p_{i}}{\partial z_{j}} p_{0}",
    ),
    (
        -Sum("i", Symbol("y", ("i",)) * Log(p("i"))),
        "−Σ_i y[i]×log p[i]",
        "-sum_i y[i]*log p[i]",
        r"-\sum_{i} y_{i} \log p_{i}",
    ),
    (
        Sum("l", p("l"), without="i") * 2,
        "(Σ_{l≠i} p[l]) × 2",
        "(sum_{l!=i} p[l]) * 2",
        r"\left(\sum_{l \ne i} p_{l}\right) \cdot 2",
    ),
    (
        p("i") * (Indicator("i", "j") - p("j")),
        "p[i] × (1{i=j} − p[j])",
        "p[i] * (1{i=j} - p[j])",
        r"p_{i} \left(\mathbf{1}\lbrace i = j \rbrace - p_{j}\right)",
    ),
    (
        rounded("0.09003057", 4) * rounded("-0.66524", 4),
        "0.0900 × −0.6652",
        "0.0900 * -0.6652",
        r"0.0900 \times \left(-0.6652\right)",
    ),
    (
        rounded("2.0611536e-9", 3) ** 2,
        "(2.06e−9)^2",
        "(2.06e-9)^2",
        r"\left(2.06 \times 10^{-9}\right)^{2}",
    ),
    (
        Diagonal(P) * (EYE - ONES * Transpose(P)),
        "diag(p) (I − 1 pᵀ)",
        "diag(p) (I - 1 p^T)",
        r"\mathrm{diag}\left(p\right) \left(I - \mathbf{1} p^{\mathsf{T}}\right)",
    ),
    (
        Exp(Vector("z")) / Sum(None, Exp(Vector("z"))),
        "e^z / sum(e^z)",
        "e^z / sum(e^z)",
        r"\frac{e^{z}}{\mathrm{sum}\left(e^{z}\right)}",
    ),
    (Symbol("J", (0, "n-1")), "J[0,n-1]", "J[0,n-1]", "J_{0,n-1}"),
    (Symbol("eta") * p(0), "η × p[0]", "eta * p[0]", r"\eta p_{0}"),
    (Exp(-z(0)), "e^(−z[0])", "e^(-z[0])", "e^{-z_{0}}"),
    (2 - (p(0) - p(1)), "2 − (p[0] − p[1])", "2 - (p[0] - p[1])", r"2 - \left(p_{0} - p_{1}\right)"),
    ((p(0) / S) / S, "(p[0]/S) / S", "(p[0]/S) / S", r"\frac{\frac{p_{0}}{S}}{S}"),
    (p(0) * Sum("l", p("l")), "p[0] × Σ_l p[l]", "p[0] * sum_l p[l]", r"p_{0} \sum_{l} p_{l}"),
    (
        Multiply((p(0) * Sum("l", p("l")), S)),
        "(p[0]×Σ_l p[l]) × S",
        "(p[0]*sum_l p[l]) * S",
        r"\left(p_{0} \sum_{l} p_{l}\right) S",
    ),
    ((p(0) / S) * (p(1) / S), "(p[0]/S) × (p[1]/S)", "(p[0]/S) * (p[1]/S)", r"\frac{p_{0}}{S} \cdot \frac{p_{1}}{S}"),
    (p(0) / (S * S), "p[0] / (S×S)", "p[0] / (S*S)", r"\frac{p_{0}}{S S}"),
]


@pytest.mark.parametrize(("x", "text", "ascii_text", "latex"), PRINTED, ids=lambda x: x if isinstance(x, str) else "")
def test_each_notation(x, text, ascii_text, latex):
    assert TEXT(x) == text
    assert ASCII(x) == ascii_text
    assert LATEX(x) == latex
    ElementTree.fromstring(f"<math>{MATHML(x)}</math>")


# Everything that can be read back: all nodes but derivatives and matrices, which the table above holds.
numbers = st.one_of(
    st.integers(-3, 12).map(Number),
    st.builds(
        rounded, st.sampled_from(["0.0900305", "-0.66524", "2.0611e-9", "-7.3e-7", "911.6105"]), st.integers(2, 5)
    ),
)
leaves = st.one_of(
    numbers,
    st.builds(Symbol, st.sampled_from(["z", "p", "y"]), st.sampled_from([(0,), (2,), ("l",), ("i",), ("n-1",)])),
    st.just(S),
    st.just(Symbol("J", ("i", 1))),
    st.just(P),
    st.just(EYE),
    st.builds(Indicator, st.sampled_from(["i", "l", 0]), st.sampled_from(["j", 1])),
)


def nodes(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(Add),
        several.map(Multiply),
        inner.map(lambda x: -x),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(Divide, inner, inner),
        st.builds(Power, inner, inner),
        inner.map(Exp),
        inner.map(Log),
        inner.map(Transpose),
        inner.map(Diagonal),
        st.builds(Sum, st.sampled_from(["l", "i"]), inner, st.sampled_from([None, None, "j", 0])),
        inner.map(lambda x: Sum(None, x)),
    )


expressions = st.recursive(leaves, nodes, max_leaves=9)


def safe(x):
    """The value, or nothing where something is divided by zero."""
    try:
        return value(x) % PRIME
    except ValueError:
        return None


@given(expressions)
def test_text_is_read_back_as_the_same_arithmetic(x):
    expected = safe(x)
    if expected is not None:
        assert Reader(ASCII(x)).value() == expected


@given(expressions)
def test_latex_is_read_back_as_the_same_arithmetic(x):
    expected = safe(x)
    if expected is not None:
        assert Reader(from_latex(LATEX(x))).value() == expected


@given(expressions)
def test_mathml_is_read_back_as_the_same_arithmetic(x):
    expected = safe(x)
    if expected is not None:
        assert Reader(from_mathml(MATHML(x))).value() == expected


@given(expressions)
def test_unicode_and_ascii_say_the_same(x):
    assert ASCII(x).isascii()
    assert in_ascii(TEXT(x)) == ASCII(x)


@given(expressions)
def test_no_backslash_before_punctuation_which_markdown_would_take(x):
    assert not re.search(r"\\[^A-Za-z]", LATEX(x))
    assert LATEX(x).count(r"\left") == LATEX(x).count(r"\right")


def test_a_matrix_in_text_has_its_columns_below_each_other():
    matrix = Matrix(((p(0), -p(0) * p(1)), (Number(1), S)))
    assert TEXT(matrix) == "⎡ p[0]  −p[0]×p[1] ⎤\n⎣    1           S ⎦"
    assert ASCII(S - matrix) == "S - [ p[0]  -p[0]*p[1] ]\n    [    1           S ]"


def test_dots_point_to_what_is_left_out():
    matrix = Matrix(((p(0), None, p(2)), (None, None, None)), at=((0, None), (0, None, 2)))
    assert TEXT(matrix) == "⎡ p[0]  ⋯  p[2] ⎤\n⎣    ⋮  ⋱     ⋮ ⎦"
    assert ASCII(matrix) == "[ p[0]  ...  p[2] ]\n[    :  ...     : ]"
    assert r"p_{0} & \cdots & p_{2} \cr \vdots & \ddots & \vdots" in LATEX(matrix)
    assert "<mo>⋱</mo>" in MATHML(matrix)


def test_a_rounded_number_is_marked_as_what_it_is_the_value_of():
    assert term_id(rounded("0.09", 4, of=p(0))) == term_id(p(0)) == "p[0]"
    assert 'data-term="p[0]"' in MATHML(rounded("0.09", 4, of=p(0)))
    assert "data-term" not in MATHML(Number(2))


def test_a_hostile_name_stays_a_name():
    hostile = Symbol("<b>&\x1b[31m$\\", (0,))
    assert "\x1b" not in TEXT(hostile)
    assert "\x1b" not in MATHML(hostile)
    assert ElementTree.fromstring(MATHML(hostile)).find(".//b") is None
    assert "$" not in LATEX(hostile).replace(r"\$", "")


def test_something_else_is_refused():
    with pytest.raises(TypeError, match="expected an expression, got str"):
        TEXT("p[0]")
