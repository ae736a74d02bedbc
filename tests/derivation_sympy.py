"""Expressions as SymPy's, for a number of classes: an oracle that shares nothing with `evaluate`.

A logit z_i is log(x_i) with x_i positive, so that e^z_i is x_i and what is to be zero becomes a rational function of
the x_i, beside logarithms of sums.
"""

from decimal import Decimal

import sympy

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


class Translator:
    """Expressions at n classes. given: a chain's own symbols. label: the class of a one-hot label; None for any y."""

    def __init__(self, n, given=(), label=None):
        self.n = n
        self.label = label
        self.given = {(symbol.name, len(symbol.indices)): (symbol.indices, meaning) for symbol, meaning in given}
        self.exponentials = {
            name: [sympy.Symbol(f"{letter}{i}", positive=True) for i in range(n)]
            for name, letter in (("z", "x"), ("dz", "u"))
        }
        self.soft = [sympy.Symbol(f"y{i}") for i in range(n - 1)]

    def index(self, i, indices):
        if i == "n-1":
            return self.n - 1
        if i == "y" and i not in indices:
            return self.label
        found = int(i) if isinstance(i, int) or i.isdigit() else indices[i]
        assert 0 <= found < self.n
        return found

    def symbol(self, name, at):
        if name == "n" and not at:
            return sympy.Integer(self.n)
        if name in self.exponentials and len(at) == 1:
            return sympy.log(self.exponentials[name][at[0]])
        if name == "y" and len(at) == 1:
            if self.label is not None:
                return sympy.Integer(int(at[0] == self.label))
            return self.soft[at[0]] if at[0] < self.n - 1 else 1 - sum(self.soft)
        if (name, len(at)) in self.given:
            letters, meaning = self.given[name, len(at)]
            if isinstance(meaning, str):
                return sympy.Symbol(f"{meaning}_{'_'.join(map(str, at))}", positive=True)
            return self(meaning, dict(zip(letters, at, strict=True)))
        total = sum(self.exponentials["z"])
        if name == "S" and not at:
            return total
        if name == "p" and len(at) == 1:
            return self.exponentials["z"][at[0]] / total
        if name == "J" and len(at) == 2:
            return self.differentiated(self.symbol("p", at[:1]), "z", at[1:])
        if name == "L" and not at:
            return -sum(self.symbol("y", (i,)) * sympy.log(self.symbol("p", (i,))) for i in range(self.n))
        assert not at, f"no meaning for {name} at {at}"
        return self.vector(name)

    def vector(self, name):
        n = self.n
        if name == "1":
            return sympy.ones(n, 1)
        if name == "I":
            return sympy.eye(n)
        if name == "J" or (name, 2) in self.given:
            return sympy.Matrix(n, n, lambda i, j: self.symbol(name, (int(i), int(j))))
        return sympy.Matrix([self.symbol(name, (i,)) for i in range(n)])

    def differentiated(self, body, name, at):
        if name in self.exponentials:
            x = self.exponentials[name][at[0]]
            return x * body.diff(x)  # by log x
        variable = self.symbol(name, at)
        assert isinstance(variable, sympy.Symbol)
        return body.diff(variable)

    def __call__(self, x, indices):
        def of(part):
            return self(part, indices)

        match x:
            case Number(value, _, meaning):
                return sympy.Rational(str(Decimal(value))) if meaning is None else of(meaning)
            case Symbol(name, own):
                return self.symbol(name, tuple(self.index(i, indices) for i in own))
            case Vector(name):
                return self.vector(name)
            case Add(terms):
                result = of(terms[0])
                for term in terms[1:]:
                    result = scalar(result) + scalar(of(term))
                return result
            case Multiply(factors):
                result = of(factors[0])
                for factor in factors[1:]:
                    result = product(result, of(factor))
                return result
            case Divide(over, under):
                return of(over) / scalar(of(under))
            case Power(base, exponent):
                return scalar(of(base)) ** scalar(of(exponent))
            case Exp(inner):
                return each(sympy.exp, of(inner))
            case Log(inner):
                return each(sympy.log, of(inner))
            case Sum(None, body, _):
                return sum(of(body), sympy.Integer(0))
            case Sum(letter, body, without):
                left_out = None if without is None else self.index(without, indices)
                classes = [k for k in range(self.n) if k != left_out]
                terms = [self(body, {**indices, letter: k}) for k in classes]
                return sum(terms[1:], terms[0]) if terms else sympy.Integer(0)
            case Indicator(i, j):
                return sympy.Integer(int(self.index(i, indices) == self.index(j, indices)))
            case Derivative(body, Symbol(name, ())) if name in self.exponentials:
                value = of(body)
                if not isinstance(value, sympy.MatrixBase):
                    return sympy.Matrix([self.differentiated(value, name, (i,)) for i in range(self.n)])
                columns = [self.differentiated(value, name, (i,)) for i in range(self.n)]
                return sympy.Matrix.hstack(*columns)
            case Derivative(body, Symbol(name, own)):
                return self.differentiated(of(body), name, tuple(self.index(i, indices) for i in own))
            case Transpose(inner):
                return of(inner).T
            case Diagonal(inner):
                return sympy.diag(*of(inner))
            case Matrix(rows, None):
                return sympy.Matrix([[of(entry) for entry in row] for row in rows])
            case Matrix():
                raise AssertionError("a matrix with dots is compared entry by entry")

    def entries(self, x, indices):
        """What is compared: by row and column, or under (0, 0)."""
        if isinstance(x, Matrix) and x.at is not None:
            at = [[None if i is None else self.index(i, indices) for i in axis] for axis in x.at]
            return {
                (r, c): self(entry, indices)
                for r, row in zip(at[0], x.rows, strict=True)
                for c, entry in zip(at[1], row, strict=True)
                if entry is not None
            }
        value = self(x, indices)
        if not isinstance(value, sympy.MatrixBase):
            return {(0, 0): value}
        return {(r, c): value[r, c] for r in range(value.rows) for c in range(value.cols)}


def scalar(x):
    return x[0, 0] if isinstance(x, sympy.MatrixBase) and x.shape == (1, 1) else x


def product(a, b):
    both = isinstance(a, sympy.MatrixBase) and isinstance(b, sympy.MatrixBase)
    if both and a.cols != b.rows:
        return scalar(a) * scalar(b)
    return a * b


def each(function, x):
    return x.applyfunc(function) if isinstance(x, sympy.MatrixBase) else function(x)


def is_zero(x):
    """Whether an expression is zero, symbolically."""
    x = sympy.expand_log(sympy.expand_power_exp(sympy.sympify(x)), force=True)
    over, _ = sympy.fraction(sympy.together(sympy.expand_log(x.doit(), force=True)))
    return sympy.expand(sympy.expand_log(over, force=True)) == 0
