"""Every line of every chain, proved by SymPy for 2, 3 and 4 classes: symbolic equality, for all classes."""

from itertools import product

import pytest

pytest.importorskip("sympy", reason="SymPy is not installed: pip install sympy")

from derivation_samples import S, all_chains, chain, delta, e, p, z
from derivation_sympy import Translator, is_zero
from softjac.derivation.expressions import Derivative, Matrix, walk
from softjac.derivation.verify import classes_named

CHAINS = all_chains()


def sizes(x):
    """2, 3 and 4, as far as the chain holds there."""
    whole = [len(part.rows) for line in x.expressions for part in walk(line) if is_whole(part)]
    if x.size or whole:
        return [x.size or max(*whole, len_of_rows(x))]
    least = 1 + max((i for line in x.expressions for i in classes_named(line)), default=0)
    if isinstance(x.label, int):
        least = max(least, 1 + x.label)
    return [n for n in (2, 3, 4) if n >= least] or [least]


def is_whole(part):
    return isinstance(part, Matrix) and part.at is None


def len_of_rows(x):
    return max(len(part.rows[0]) for line in x.expressions for part in walk(line) if is_whole(part))


def wrong_places(x, n):
    """Line, classes and entry where a line is not the goal."""
    labels = range(n) if x.label == "one-hot" else [x.label]
    for label in labels:
        translate = Translator(n, x.given, label)
        for chosen in product(range(n), repeat=len(x.free)):
            indices = dict(zip(x.free, chosen, strict=True))
            if x.where is not None and not eval_where(x.where, indices):
                continue
            goal = translate.entries(x.goal, indices)
            for k, line in enumerate(x.lines):
                found = translate.entries(line.expression, indices)
                assert goal.keys() & found.keys()
                for at in goal.keys() & found.keys():
                    if not is_zero(goal[at] - found[at]):
                        yield k, indices, at


def eval_where(where, indices):
    i, j = where.replace("!", "").split("=")
    return (indices[i] != indices[j]) == ("!" in where)


@pytest.mark.parametrize("name", CHAINS)
def test_every_line_is_the_goal(name):
    for n in sizes(CHAINS[name]):
        assert next(wrong_places(CHAINS[name], n), None) is None, n


def test_the_oracle_finds_a_wrong_line():
    right = chain(Derivative(p("i"), z("j")), p("i") * (delta("i", "j") - p("j")), free=("i", "j"))
    wrong = (delta("i", "j") * e("i") * S - e("i") * e("j")) / S  # not squared
    object.__setattr__(right.lines[0], "expression", wrong)
    assert next(wrong_places(right, 2)) == (0, {"i": 0, "j": 0}, (0, 0))
