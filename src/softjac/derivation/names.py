"""The expressions that the text speaks about, and the names by which sentences call them."""

from typing import Final

from softjac.derivation.expressions import (
    Derivative,
    Divide,
    Exp,
    Expression,
    Index,
    Indicator,
    Log,
    Multiply,
    Number,
    Power,
    Sum,
    Symbol,
    Transpose,
    Vector,
)


def z(i: Index) -> Symbol:
    """The logit of class i."""
    return Symbol("z", (i,))


def p(i: Index) -> Symbol:
    """The probability of class i."""
    return Symbol("p", (i,))


def y(i: Index) -> Symbol:
    """Entry i of the label."""
    return Symbol("y", (i,))


def J(i: Index, j: Index) -> Symbol:
    """Entry of the Jacobian: derivative of p_i by z_j."""
    return Symbol("J", (i, j))


def e(i: Index) -> Exp:
    """The exponential of the logit of class i."""
    return Exp(z(i))


def by(body: Expression, j: Index) -> Derivative:
    """The derivative by the logit of class j."""
    return Derivative(body, z(j))


def delta(i: Index, j: Index) -> Indicator:
    """1 where i and j are the same class, else 0."""
    return Indicator(i, j)


S: Final = Symbol("S")
L: Final = Symbol("L")
m: Final = Symbol("m")
ONE: Final = Number(1)
ZERO: Final = Number(0)
P, Z, Y, ONES, EYE, JACOBIAN = (Vector(name) for name in ("p", "z", "y", "1", "I", "J"))

STANDARD: Final[dict[str, Expression]] = {
    "n": Symbol("n"),
    "i": Symbol("i"),
    "j": Symbol("j"),
    "k": Symbol("k"),
    "m": m,
    "n1": Symbol("n") - 1,
    "n2": Power(Symbol("n"), Number(2)),
    "z": Z,
    "p": P,
    "y": Y,
    "v": Vector("v"),
    "dz": Vector("dz"),
    "a": Vector("a"),
    "W": Vector("W"),
    "I": EYE,
    "ones": ONES,
    "pT": Transpose(P),
    "minus_pT": -Transpose(P),
    "oneT_p": Multiply((ONES, Transpose(P))),
    "p_minus_y": P - Y,
    "vJv": Multiply((Transpose(Vector("v")), JACOBIAN, Vector("v"))),
    "Jdz": Multiply((JACOBIAN, Vector("dz"))),
    "S": S,
    "S2": Power(S, Number(2)),
    "Rn": Power(Symbol("R"), Symbol("n")),
    "z_i": z("i"),
    "z_j": z("j"),
    "z_k": z("k"),
    "z_0": z(0),
    "p_i": p("i"),
    "p_j": p("j"),
    "p_k": p("k"),
    "p_0": p(0),
    "y_i": y("i"),
    "y_j": y("j"),
    "y_k": y("k"),
    "s_i": Symbol("s", ("i",)),
    "a_k": Symbol("a", ("k",)),
    "b_i": Symbol("b", ("i",)),
    "W_ik": Symbol("W", ("i", "k")),
    "W_jk": Symbol("W", ("j", "k")),
    "q_0": p(0),
    "q_1": p(1),
    "e_z_i": e("i"),
    "e_z_j": e("j"),
    "e_m": Exp(-m),
    "J_ij": J("i", "j"),
    "one_over_p": ONE / p("i"),
    "minus_log_p_i": -Log(p("i")),
    "p_j_y_j": p("j") - y("j"),
    "p_i_y_i": p("i") - y("i"),
    "z_i_log_S": z("i") - Log(S),
    "bracket": delta("i", "j") - p("j"),
    "entry": p("i") * (delta("i", "j") - p("j")),
    "J_ji": J("j", "i"),
    "I_minus_pT": EYE - Transpose(P),
    "one_minus_p1": ONE - p(1),
    "minus_pj": -p("j"),
    "one_minus_pj": ONE - p("j"),
    "minus_pj2": -Power(p("j"), Number(2)),
    "log_p_i": Log(p("i")),
    "delta_ij": delta("i", "j"),
    "s_1_s": Symbol("s", ("i",)) * (ONE - Symbol("s", ("i",))),
    "p_1_p": p("i") * (ONE - p("i")),
    "minus_p_p": -(p("i") * p("j")),
    "one_minus_p": ONE - p("i"),
}

__all__ = [
    "EYE",
    "JACOBIAN",
    "ONE",
    "ONES",
    "STANDARD",
    "ZERO",
    "Divide",
    "Expression",
    "J",
    "L",
    "Log",
    "Number",
    "P",
    "S",
    "Sum",
    "Symbol",
    "Y",
    "Z",
    "by",
    "delta",
    "e",
    "m",
    "p",
    "y",
    "z",
]
