"""At how many classes a chain is checked: a line that is right for some numbers of classes only is refused."""

import pytest

from derivation_samples import J, L, S, chain, p
from softjac.derivation.expressions import Log, Symbol
from softjac.derivation.verify import sizes
from softjac.errors import DerivationError

n = Symbol("n")


def test_right_for_some_sizes_alone():
    for roots in ((3, 4), (2, 3, 4), (3, 4, 5), (2, 3, 4, 6)):
        factor = n - roots[0]
        for root in roots[1:]:
            factor = factor * (n - root)
        with pytest.raises(DerivationError):
            chain(p("i"), p("i") + factor, free=("i",))


def test_two_classes_are_checked_where_the_chain_may_speak_of_them():
    at = {size for size, _ in sizes(chain(S, S))}
    assert {2, 3, 4, 5} == at
    assert 2 in {size for size, _ in sizes(chain(p(1), p(1)))}
    assert 2 not in {size for size, _ in sizes(chain(p(2), p(2)))}
    assert min(size for size, _ in sizes(chain(L, -Log(p(4)), label=4))) == 5
    assert {size for size, _ in sizes(chain(p(7), p(7)))} == {8, 9, 10}
    assert {size for size, _ in sizes(chain(J(0, 0), p(0) * p(1), size=2))} == {2}
