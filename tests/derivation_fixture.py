"""A derivation that has everything a renderer meets, by hand: no content, and nothing that checks itself."""

from decimal import Decimal

from softjac.derivation.blocks import Chain, Code, Heading, Line, Parts, Table, Text
from softjac.derivation.derivation import Derivation
from softjac.derivation.expressions import (
    Derivative,
    Diagonal,
    Exp,
    Expression,
    Indicator,
    Log,
    Matrix,
    Number,
    Sum,
    Symbol,
    Transpose,
    Vector,
)
from softjac.derivation.numbers import number_of
from softjac.derivation.points import Point, reader_point

HOSTILE = "<script>alert('x')</script> & \"quoted\" $5 | 50% _under_ *star* #1 \\back {brace} `tick` ~ ^ \x1b[31m"
RULES: dict[str, Parts] = {
    "log_quotient": ("log of a quotient",),
    "constant": (Symbol("z", (0,)), " does not contain ", Symbol("z", (2,))),
    "definition_p": ("definition of ", Symbol("p", (2,))),
    "times_p": ("d log p = dp/p: multiply by p",),
    "numbers": ("with the numbers",),
    "quotient_rule": ("quotient rule",),
    "entry_by_entry": ("entry by entry",),
    "hostile": (HOSTILE,),
}


def rule(key: str) -> Parts:
    return RULES[key]


def z(i: int | str) -> Symbol:
    return Symbol("z", (i,))


def p(i: int | str) -> Symbol:
    return Symbol("p", (i,))


def rounded(value: str, of: Expression, places: int = 4) -> Number:
    return Number(Decimal(value), places, of)


S = Symbol("S")
POINT = reader_point((Decimal(1), Decimal(2), Decimal(3)))
TWELVE = reader_point(tuple(Decimal((7 * k) % 12) / 4 for k in range(12)))


def at(x: Expression, places: int = 4, point: Point = POINT) -> Number:
    return number_of(x, point, places)


def jacobian(point: Point) -> Matrix:
    entries = [[p(i) * (Indicator(i, j) - p(j)) for j in range(point.n)] for i in range(point.n)]
    return Matrix(tuple(tuple(at(entry, 4, point) for entry in row) for row in entries))


LOG_CHAINS = (
    Chain(Log(p(0)), (Line("=", z(0) - Log(S), "log_quotient", ("The log of a quotient is a difference of logs.",)),)),
    Chain(
        Derivative(Log(p(0)), z(2)),
        (
            Line("=", 0 - Exp(z(2)) / S, "constant"),
            Line("=", -p(2), "definition_p", (p(2), " is ", Exp(z(2)) / S, ", by its definition.")),
        ),
    ),
    Chain(
        Derivative(p(0), z(2)),
        (
            Line("=", p(0) * (-p(2)), "times_p"),
            Line("≈", at(p(0)) * at(-p(2)), "numbers"),
            Line("≈", at(-p(0) * p(2)), ""),
        ),
        POINT,
    ),
)
QUOTIENT = Chain(
    Derivative(p(0), z(2)),
    (
        Line(
            "=", (0 * S - Exp(z(0)) * Exp(z(2))) / S**2, "quotient_rule", ("The numerator does not contain ", z(2), ".")
        ),
        Line("=", -p(0) * p(2), "definition_p"),
    ),
)
GENERAL = Matrix(
    (
        (p("0") * (1 - p("0")), -p("0") * p("1"), None, -p("0") * p("n-1")),
        (-p("1") * p("0"), p("1") * (1 - p("1")), None, -p("1") * p("n-1")),
        (None, None, None, None),
        (-p("n-1") * p("0"), -p("n-1") * p("1"), None, p("n-1") * (1 - p("n-1"))),
    ),
    at=(("0", "1", None, "n-1"), ("0", "1", None, "n-1")),
)
MATRICES = Chain(
    Vector("J"),
    (
        Line("=", Diagonal(Vector("p")) - Vector("p") * Transpose(Vector("p")), "entry_by_entry"),
        Line("=", Diagonal(Vector("p")) * (Vector("I") - Vector("1") * Transpose(Vector("p"))), "entry_by_entry"),
        Line("=", GENERAL, "entry_by_entry"),
    ),
)
NUMERIC = Chain(
    Vector("J"),
    (Line("≈", jacobian(POINT), "numbers", ("The rows sum to zero, and so do the columns.",)),),
    POINT,
)
WIDE = Chain(Vector("J"), (Line("≈", jacobian(TWELVE), "numbers"),), TWELVE)
LONG = Chain(
    Derivative(Log(Sum("l", Exp(z("l")))), z("j")),
    (Line("=", 1 - Sum("l", Exp(z("l") - Log(S)), without="j")
          + Sum("i", p("i") * (Indicator("i", "j") - p("j"))) * (Log(S) + S**2 - Exp(z("j")) / S) / (S * S) + 0 * S,
          "times_p",
          ("A line too long for any terminal of 80 columns, which has to be broken where it hurts least.",)),),
    free=("j",),
)  # fmt: skip
TABLE = Table(
    ("Exponentials and probabilities at ", Vector("z"), " = (1, 2, 3)"),
    (("class",), (Exp(z("i")),), (p("i"),), ("in words",)),
    (
        (("0",), (at(Exp(z(0))),), (at(p(0)),), ("small",)),
        (("1",), (at(Exp(z(1))),), (at(p(1)),), ("a quarter",)),
        (("2",), (at(Exp(z(2))),), (at(p(2)),),
         ("the largest of the three, and more than the two others together, which is why the sentence is long",)),
    ),
)  # fmt: skip
SOURCE = "import numpy as np\np = np.array([[0.1], [0.9]])\nfor row in p * (np.eye(2) - p.T):\n    print(row)"
CODE = Code(SOURCE, "[ 0.09 -0.09]\n[-0.09  0.09]\n")

ALL = Derivation(
    ("The derivative of softmax",),
    (
        Text(("The probability ", p(0), " is ", Exp(z(0)) / S, ", and each of the logits changes it. " * 3,
              "Its derivative by ", z(2), " is ", Derivative(p(0), z(2)), ".")),
        Heading(("By the logarithm of ", p(0)), 2, "logarithm"),
        *LOG_CHAINS,
        Heading(("By the quotient rule",), 2, "quotient"),
        QUOTIENT,
        Text(("Both ways: ", Symbol("J", (0, 2)), " = ", -p(0) * p(2), ".")),
        TABLE,
        Heading(("The matrix",), 2, "matrix"),
        MATRICES,
        NUMERIC,
        CODE,
        Heading((-p("i") * p("j"),), 3, "mathematics"),
        Heading(("Wide things",), 3, "wide"),
        Table(("Many columns",), (("class",), *((p(k),) for k in range(12))),
              ((("0",), *((at(p(k), 4, TWELVE),) for k in range(12))),)),
        WIDE,
        LONG,
        Text((HOSTILE, " and ", Symbol("<b>", (0,)), ".")),
        Table((HOSTILE,), ((HOSTILE,), ("b",)), (((HOSTILE,), ("1",)),)),
        Code('print("<i> & </i> ``` $x$")', '<i> & </i> ``` $x$'),
    )
)  # fmt: skip
