"""A formula that is broken in one place cannot be printed: over all lines of all chains, every single-node mutation."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from derivation_mutations import mutations
from derivation_samples import all_chains, symbolic
from softjac.derivation import evaluate as evaluation
from softjac.derivation.blocks import Chain, Line
from softjac.derivation.evaluate import evaluate
from softjac.derivation.expressions import Sum, Symbol, walk
from softjac.derivation.points import Point, general, one_hot, soft
from softjac.derivation.verify import sizes
from softjac.errors import DerivationError

CHAINS = all_chains()


def letters_of(chain):
    """Indices to put in place of others: those that are free, and the classes that are named."""
    named = {i for line in chain.expressions for x in walk(line) if isinstance(x, Symbol) for i in x.indices}
    bound = {x.index for line in chain.expressions for x in walk(line) if isinstance(x, Sum)}
    return (named - bound) | set(chain.free)


def places(chain):
    """Logits that are not among those at which a chain checks itself, and the classes of its letters."""
    for n, _ in sizes(chain)[:1]:
        logits = general(n, variant=5).logits
        labels = [None, 0] if chain.label is None else range(n) if chain.label == "one-hot" else [chain.label]
        for label in labels:
            at = Point(logits, soft(n) if label is None else one_hot(label, n), label)
            for chosen in product(range(n), repeat=len(chain.free)):
                indices = dict(zip(chain.free, chosen, strict=True))
                if chain.where is None or allowed(chain.where, indices):
                    yield at, indices


def allowed(where, indices):
    i, j = where.replace("!", "").split("=")
    return (indices[i] != indices[j]) == ("!" in where)


def same_number(x, at, indices, given):
    try:
        value = evaluate(x, at, indices, given)
    except DerivationError:
        return None
    return value


def entries(value):
    return [x for row in value for x in row] if isinstance(value, tuple) else [value]


def differs(chain, x, right):
    """Whether x is worth something else than the right line, anywhere."""
    for at, indices in places(chain):
        a = same_number(x, at, indices, chain.given)
        b = same_number(right, at, indices, chain.given)
        if a is None:
            return True
        pairs = list(zip(entries(a), entries(b), strict=False))
        if len(entries(a)) != len(entries(b)):
            return True
        if any(u is not None and v is not None and abs(u - v) > Decimal("1e-40") for u, v in pairs):
            return True
    return False


def broken_lines(chain):
    """(line as it stands, broken line) for each line, and the goal in the place of a line."""
    letters = letters_of(chain)
    for line in chain.lines:
        for x in dict.fromkeys(mutations(line.expression, letters)):
            if x != line.expression:
                yield line, x
    # A broken goal is a broken line of the chain read backwards.
    for x in dict.fromkeys(mutations(chain.goal, letters)):
        if x != chain.goal:
            yield Line("≈", chain.goal, ""), x


def is_refused(chain, line, x):
    options = {"point": chain.point, "free": chain.free, "where": chain.where, "given": chain.given}
    try:
        Chain(chain.goal, (replace(line, expression=x),), size=chain.size, label=chain.label, **options)
    except DerivationError:
        return True
    return False


@pytest.mark.parametrize("name", CHAINS)
def test_no_broken_line_is_built(name):
    chain = CHAINS[name]
    tried = refused = 0
    for line, x in broken_lines(chain):
        tried += 1
        if is_refused(chain, line, x):
            refused += 1
        else:
            assert not differs(chain, x, line.expression), x
    assert tried
    assert refused >= tried / 2, f"{refused} of {tried}"


DEFINED = {f"{symbol.name}{''.join(symbol.indices)}": k for k, (symbol, _) in enumerate(evaluation.DEFINITIONS)}


@pytest.mark.parametrize("name", DEFINED)
def test_no_definition_can_be_broken(name, monkeypatch):
    """With another S, p, J or L some chain is refused."""
    k = DEFINED[name]
    symbol, meaning = evaluation.DEFINITIONS[k]
    letters = {*symbol.indices, *("l" for x in walk(meaning) if isinstance(x, Sum))}
    for x in dict.fromkeys(mutations(meaning, letters)):
        others = evaluation.DEFINITIONS[:k], evaluation.DEFINITIONS[k + 1 :]
        monkeypatch.setattr(evaluation, "DEFINITIONS", (*others[0], (symbol, x), *others[1]))
        general.cache_clear()  # a point keeps what was found with the right definitions
        broken = all_are_built()
        monkeypatch.undo()
        general.cache_clear()
        assert not broken or not differs(symbolic()[IN_CHAIN[name]], x, meaning), x


IN_CHAIN = {"S": "rest", "pi": "shift", "Jij": "Hessian", "L": "one-hot"}


def all_are_built():
    try:
        symbolic()
    except DerivationError:
        return False
    return True
