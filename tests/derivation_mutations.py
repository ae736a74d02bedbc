"""All ways to break an expression in one place."""

from dataclasses import replace

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
    children,
    rebuilt,
)

OTHER_NAMES = {"z": "p", "p": "z", "y": "p", "S": "n", "L": "S", "J": "J", "n": "S"}
OTHER_VECTORS = {"p": ("1", "z"), "1": ("p",), "z": ("p",), "y": ("p",), "I": ("J",), "J": ("I",)}


def mutations(x, letters):
    """The expression broken in one node, each way once. letters: the indices that may stand in it."""
    yield from here(x, letters)
    inner = letters | {x.index} if isinstance(x, Sum) and x.index is not None else letters
    parts = children(x)
    for k, part in enumerate(parts):
        for broken in mutations(part, inner):
            if isinstance(x, Derivative) and k == 1 and not isinstance(broken, Symbol):
                continue
            yield rebuilt(x, (*parts[:k], broken, *parts[k + 1 :]))
    if isinstance(x, Number) and x.of is not None:
        for broken in mutations(x.of, letters):
            yield replace(x, of=broken)


def here(x, letters):
    """Ways to break the outermost node."""
    match x:
        case Number(value):
            yield replace(x, value=value + 1)
            if value:
                yield replace(x, value=-value)
        case Symbol(name, indices):
            for k, i in enumerate(indices):
                for other in sorted(letters - {i}, key=str):
                    yield Symbol(name, (*indices[:k], other, *indices[k + 1 :]))
            if len(indices) == 2:
                yield Symbol(name, indices[::-1])
            if name in OTHER_NAMES:
                yield Symbol(OTHER_NAMES[name], indices)
        case Add(terms):
            for k, term in enumerate(terms):
                if len(terms) > 1:
                    yield Add((*terms[:k], *terms[k + 1 :]))
                yield Add((*terms[:k], -term, *terms[k + 1 :]))
            yield Multiply(terms)
        case Multiply(factors):
            for k in range(len(factors)):
                if len(factors) > 1:
                    yield Multiply((*factors[:k], *factors[k + 1 :]))
            yield Multiply(factors[::-1])
            yield Add(factors)
        case Divide(over, under):
            yield from (Divide(under, over), Multiply((over, under)), over, under, -x)
        case Power(base, exponent):
            yield from (base, Power(base, exponent + 1), Power(base, -exponent), Power(exponent, base))
        case Exp(inner):
            yield from (Log(inner), inner, Exp(-inner))
        case Log(inner):
            yield from (Exp(inner), inner, -x)
        case Sum(index, body, without):
            yield -x
            if without is not None:
                yield Sum(index, body)
            elif index is not None:
                yield from (Sum(index, body, other) for other in sorted(letters, key=str))
        case Indicator(i, j):
            yield from (Number(1), Number(0), 1 - x)
            for other in sorted(letters - {i, j}, key=str):
                yield from (Indicator(other, j), Indicator(i, other))
        case Derivative(body):
            yield from (body, -x)
        case Vector(name):
            yield from (Vector(other) for other in OTHER_VECTORS.get(name, ()))
        case Transpose(inner):
            yield from (inner, -x)
        case Diagonal(inner):
            yield inner
        case Matrix(rows, at):
            yield Matrix(tuple(zip(*rows, strict=True)), None if at is None else at[::-1])
            yield Matrix(rows[::-1], None if at is None else (at[0][::-1], at[1])) if at is None else -x
            if at is not None and "n-1" in at[1]:
                moved = tuple(1 if i == "n-1" else i for i in at[1])
                yield Matrix(rows, (at[0], moved))
