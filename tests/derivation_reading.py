"""Reads what the printers print: a grammar of school arithmetic that knows nothing of how the printers decide.

Values are integers modulo a prime, and exp, log, powers and the like are arbitrary functions of their arguments. So two
expressions have the same value where they are the same arithmetic, without rounding and without points where a
logarithm is undefined.
"""

import re
import zlib
from decimal import Decimal
from fractions import Fraction
from xml.etree import ElementTree

from softjac.derivation.expressions import (
    Add,
    Diagonal,
    Divide,
    Exp,
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
from softjac.derivation.rounding import printed_value

PRIME = (1 << 61) - 1
CLASSES = 3


def arbitrary(*what):
    """A value for a function at arguments; never zero."""
    text = repr(what).encode()
    return 1 + (zlib.crc32(text) * 0x9E3779B97F4A7C15 + zlib.adler32(text)) % (PRIME - 1)


def from_decimal(value):
    ratio = Fraction(Decimal(value))
    return ratio.numerator * pow(ratio.denominator, -1, PRIME) % PRIME


def filled(index, letters):
    return str(letters.get(str(index), index))


def value(x, letters=None):
    """What an expression is worth, by its nodes."""
    letters = letters or {}

    def of(child):
        return value(child, letters)

    match x:
        case Number(number, places, _):
            return from_decimal(printed_value(number, places)) % PRIME
        case Symbol(name, indices):
            return arbitrary("name", name, tuple(filled(index, letters) for index in indices))
        case Vector(name):
            return arbitrary("name", name, ())
        case Add(terms):
            return sum(map(of, terms)) % PRIME
        case Multiply(factors):
            product = 1
            for factor in factors:
                product = product * of(factor) % PRIME
            return product
        case Divide(over, under):
            return of(over) * pow(of(under), -1, PRIME) % PRIME
        case Power(base, exponent):
            return arbitrary("power", of(base), of(exponent))
        case Exp(inner):
            return arbitrary("exp", of(inner))
        case Log(inner):
            return arbitrary("log", of(inner))
        case Transpose(inner):
            return arbitrary("T", of(inner))
        case Diagonal(inner):
            return arbitrary("diag", of(inner))
        case Sum(None, body, _):
            return arbitrary("sum", of(body))
        case Sum(index, body, without):
            left_out = None if without is None else filled(without, letters)
            return summed(index, left_out, lambda k: value(body, {**letters, index: k}))
        case Indicator(i, j):
            return arbitrary("indicator", filled(i, letters), filled(j, letters))
    raise TypeError(type(x).__name__)


def summed(index, left_out, body):
    """The sum over all classes; a letter that is left out stands for a class of its own."""
    taken = [body(k) for k in range(CLASSES) if str(k) != left_out]
    return (sum(taken) + arbitrary("left out", index, str(left_out))) % PRIME


TOKEN = re.compile(
    r"\s*(?:(?P<indicator>1\{[^}]*\})|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]))"
    r"|(?P<sum>sum_(?:\{[^}]*\}|\w))|(?P<name>[A-Za-z]+(?:\[[^\]]*\])?)|(?P<sign>[-+*/^()]))"
)


class Reader:
    """Recursive descent: sums of terms, terms of factors, factors of powers. A sum over an index takes its term."""

    def __init__(self, text):
        self.text = text
        self.tokens = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            assert found, f"cannot read {text[at:]!r} in {text!r}"
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()
        self.at = 0

    def value(self):
        result = self.expression({})
        assert self.peek() is None, f"{self.tokens[self.at :]} left of {self.text!r}"
        return result

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, expected=None):
        kind, text = self.tokens[self.at]
        assert expected in {None, text}, f"expected {expected!r}, found {text!r} in {self.text!r}"
        self.at += 1
        return kind, text

    def expression(self, letters):
        negative = self.peek() == "-"
        if negative:
            self.take()
        result = self.term(letters)
        result = -result if negative else result
        while self.peek() in {"+", "-"}:
            _, sign = self.take()
            result += self.term(letters) if sign == "+" else -self.term(letters)
        return result % PRIME

    def term(self, letters):
        result = self.factor(letters)
        while self.peek() not in {None, "+", "-", ")"}:
            operator = self.take()[1] if self.peek() in {"*", "/"} else "*"
            factor = self.factor(letters)
            result = result * (factor if operator == "*" else pow(factor, -1, PRIME)) % PRIME
        return result

    def factor(self, letters):
        if self.peek() == "-":
            self.take()
            return -self.factor(letters)
        kind, text = self.tokens[self.at]
        if kind == "sum":
            self.take()
            index, _, without = text.removeprefix("sum_").strip("{}").partition("!=")
            start = self.at

            def body(k):
                self.at = start
                return self.term({**letters, index: k})

            return summed(index, filled(without, letters) if without else None, body)
        if text == "log":
            self.take()
            return arbitrary("log", self.factor(letters) % PRIME)
        return self.power(letters)

    def power(self, letters):
        base = self.atom(letters)
        if self.peek() != "^":
            return arbitrary("name", "e", ()) if base == "e" else base
        self.take()
        if self.peek() == "T":
            self.take()
            return arbitrary("T", base)
        exponent = self.atom(letters)
        assert self.peek() != "^", f"two exponents in {self.text!r}"
        return arbitrary("exp", exponent) if base == "e" else arbitrary("power", base, exponent)

    def atom(self, letters):
        kind, text = self.take()
        if kind == "number":
            return from_decimal(text) % PRIME
        if kind == "indicator":
            i, _, j = text[2:-1].replace(" ", "").partition("=")
            return arbitrary("indicator", filled(i, letters), filled(j, letters))
        if kind == "name":
            if text in {"diag", "sum"}:
                return arbitrary(text, self.atom(letters))
            name, _, indices = text.rstrip("]").partition("[")
            if text == "e":
                return "e"
            return arbitrary("name", name, tuple(filled(i, letters) for i in indices.split(",") if i))
        assert text == "(", f"{text!r} where a factor has to stand in {self.text!r}"
        result = self.expression(letters)
        self.take(")")
        return result


def from_latex(latex):
    """LaTeX of the printers in the notation of the reader; braces that TeX does not show leave no trace."""
    latex = re.sub(r"([\d.]+) \\times 10\^\{(-?\d+)\}", r"\1e\2", latex)
    latex = re.sub(r"\\mathbf\{1\}\\lbrace (\S+) = (\S+) \\rbrace", r"1<\1=\2>", latex)
    tokens = re.findall(r"\\[A-Za-z]+|.", latex)
    out, at = read_group(tokens, 0)
    assert at == len(tokens)
    return out


def read_group(tokens, at):
    out = ""
    while at < len(tokens) and tokens[at] != "}":
        token = tokens[at]
        at += 1
        if token == r"\frac":
            over, at = read_group(tokens, at + 1)
            under, at = read_group(tokens, at + 2)
            at += 1
            out += f"(({over})/({under}))"
        elif token in {"_", "^"}:
            inner, at = read_group(tokens, at + 1)
            at += 1
            if token == "^":
                out += "^T" if inner == "T" else f"^({inner})"
            elif out.endswith("sum"):
                out += f"_{{{inner.replace(' ', '')}}}"
            else:
                out += f"[{inner}]"
        elif token in {r"\mathrm", r"\mathsf", r"\mathit"}:
            inner, at = read_group(tokens, at + 1)
            at += 1
            out += inner
        else:
            named = {r"\left": "", r"\right": "", r"\cdot": "*", r"\times": "*", r"\sum": " sum", r"\log": " log "}
            out += named.get(token, {r"\ne": "!=", "<": "{", ">": "}"}.get(token, token))
    return out, at


def from_mathml(mathml):
    """MathML of the printers in the notation of the reader; rows, which nobody sees, leave no trace."""
    return read_element(ElementTree.fromstring(f"<math>{mathml}</math>"))


def read_element(element):
    children = [read_element(child) for child in element]
    match element.tag:
        case "mfrac":
            return f"(({children[0]})/({children[1]}))"
        case "msub":
            return f"{children[0]}[{children[1]}]"
        case "msup":
            return f"{children[0]}^T" if children[1] == "T" else f"{children[0]}^({children[1]})"
        case "munder":
            return f" sum_{{{children[1]}}} "
        case "mrow":
            whole = "".join(children)
            power_of_ten = re.fullmatch(r"([\d.]+)\*10\^\((-?\d+)\)", whole)
            return f"{power_of_ten[1]}e{power_of_ten[2]}" if power_of_ten else whole
        case "math" | "mspace":
            return "".join(children)
    signs = {"−": "-", "×": "*", "⋅": "*", "\N{INVISIBLE TIMES}": "*", "\N{FUNCTION APPLICATION}": "", "≠": "!="}
    text = (element.text or "").strip()
    text = signs.get(text, text)
    return {"𝟏": "1", "log": " log "}.get(text, text)
