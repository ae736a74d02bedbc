"""A hundred random logits: all chains hold to 50 digits, and what they end in is what softjac computes."""

import random
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import softjac
from derivation_samples import numeric, symbolic
from softjac import derivation
from softjac.derivation._arguments import point_of
from softjac.derivation.evaluate import evaluate
from softjac.derivation.expressions import Derivative, Symbol, Vector
from softjac.derivation.verify import is_said_of
from softjac.derivation.views import view

chance = random.Random(20240)
KINDS = {
    "wide": lambda n: [chance.gauss(0, 2) for _ in range(n)],
    "ties": lambda n: [float(chance.choice([0, 0, 1])) for _ in range(n)],
    "gap 40": lambda n: [chance.gauss(0, 1) - 40 * (k % 2) for k in range(n)],
    "gap 800": lambda n: [chance.gauss(0, 1) - 799 * (k == 0) for k in range(n)],
    "integers": lambda n: [chance.randrange(-9, 9) for _ in range(n)],
}
CASES = [
    (f"{kind} {k}", make(1 + k % 6), chance.randrange(1 + k % 6)) for kind, make in KINDS.items() for k in range(20)
]


def ulps(found, exact):
    """Distance from the exact value in units of the last place of float64."""
    exact = Fraction(exact)
    size = abs(exact)
    power = -1100 if not size else size.numerator.bit_length() - size.denominator.bit_length()
    power -= size < Fraction(2) ** power  # floor of log2
    return abs(Fraction(float(found)) - exact) / Fraction(2) ** max(power - 52, -1074)


def chains_at(logits, label):
    at = point_of(logits, label, None)
    found = [*symbolic(at).values(), *numeric(at).values()]
    nudge = [0.1, *[0.0] * (len(logits) - 1)]
    found += derivation.explain(logits, label=label, nudge=nudge).chains
    found += view(logits).chains
    found += view(logits, label=label, nudge=nudge, entry=(0, len(logits) - 1)).chains
    return at, found


def results_of(chains, at):
    """(i, j, value of the last line) for every chain that ends in an entry of the Jacobian; i is None for the loss."""
    for chain in chains:
        if not is_said_of(chain, at):
            continue
        last = chain.lines[-1].expression
        match chain.goal:
            case Symbol("J", (i, j)) | Derivative(Symbol("p", (i,)), Symbol("z", (j,))):
                yield from scattered(chain, last, i, j, at)
            case Derivative(Symbol("L"), Symbol("z", (j,))):
                yield from scattered(chain, last, None, j, at)
            case Vector("J"):
                table = evaluate(last, at, given=chain.given)
                yield from ((r, c, x) for r, row in enumerate(table) for c, x in enumerate(row) if x is not None)


def scattered(chain, last, i, j, at):
    classes = range(at.n)
    for r in classes if i in chain.free else [i]:
        for c in classes if j in chain.free else [j]:
            indices = {**({i: r} if isinstance(i, str) else {}), **({j: c} if isinstance(j, str) else {})}
            # Where i is j by its name, only the diagonal; where a chain is of other classes, not those.
            here = (i != j or r == c) and (chain.where is None or (r == c) == (chain.where.replace(" ", "") == "i=j"))
            if here:
                yield r, c, evaluate(last, at, indices, chain.given)


@pytest.mark.parametrize(("name", "logits", "label"), CASES, ids=[name for name, _, _ in CASES])
def test_chains_hold_and_end_in_what_softjac_computes(name, logits, label):
    at, chains = chains_at(logits, label)
    matrix = softjac.softmax_jacobian(np.asarray(logits, float))
    gradient = softjac.cross_entropy_grad(np.asarray(logits, float), label)
    entries = gradients = 0
    for i, j, exact in results_of(chains, at):
        if i is None:
            found, gradients = gradient[j], gradients + 1
        else:
            found, entries = matrix[i, j], entries + 1
        assert ulps(found, exact) <= 1.5, (i, j, found, exact)
    assert entries >= len(logits) ** 2
    assert gradients >= len(logits)


def test_every_size_and_gap_is_among_the_cases():
    assert len(CASES) == 100
    assert {len(logits) for _, logits, _ in CASES} == {1, 2, 3, 4, 5, 6}
    gaps = [max(logits) - min(logits) for _, logits, _ in CASES]
    assert max(gaps) > 795
    assert sum(35 < gap < 45 for gap in gaps) >= 10
    assert sum(len(set(logits)) < len(logits) for _, logits, _ in CASES) >= 15
    assert all(Decimal(x).is_finite() for _, logits, _ in CASES for x in logits)


@pytest.mark.parametrize("n", [6, 50])
def test_all_of_it_is_built_in_two_seconds(n):
    # Processor time of this thread, and the least of some runs: other work on the machine can only add.
    times = []
    logits = [k * 0.31 % 5 for k in range(n)]
    for _ in range(5):
        start = time.thread_time()
        derivation.explain(logits, label=0, nudge=[0.1, *[0.0] * (n - 1)])
        times.append(time.thread_time() - start)
        if times[-1] < 2:
            return
    pytest.fail(f"explain took at least {min(times):.1f} s")
