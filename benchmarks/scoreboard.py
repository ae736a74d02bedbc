"""The checker over softjac and over the libraries that people use, as the page docs/scoreboard.md.

    python -m benchmarks.scoreboard > docs/scoreboard.md

Every question of every kind is asked; nothing here is timed. The tables say how many questions of each level are
answered rightly, and how large the errors are.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import softjac
from softjac.check.model import LEVELS, Judgement

from .peers import Peers
from .scoreboard_peers import Contender, contenders

KINDS = {
    "softmax": "Softmax",
    "log_softmax": "Log-softmax",
    "logsumexp": "Log-sum-exp",
    "softmax_jacobian": "The Jacobian of softmax",
    "softmax_vjp": "Products with the Jacobian",
    "cross_entropy": "Cross-entropy",
    "cross_entropy_grad": "Its gradient",
    "cross_entropy_value_and_grad": "Loss and gradient together",
}
HEADINGS = ("library", "called as", "dtype", *LEVELS, "ordinary", "hard", "special")
HARD = ("hard_rows", "tails")

INTRODUCTION = """# Scoreboard

`softjac check` over softjac itself, over NumPy as people write it, and over libraries that people use, each in the form
that its documentation recommends. `python -m benchmarks.scoreboard > docs/scoreboard.md` writes this page, on one
machine: the last places of other libraries depend on it. It is about right and wrong; [the benchmarks](benchmarks.md)
are about time. tests/test_scoreboard.py runs the rows of softjac, NumPy and SciPy again, and compares all of the first,
and all but *exact*, *ordinary* and *hard* of the others.

How to read it. *exercise*, *stable* and *exact* are [the levels of the checker](check.md): right answers of all
questions of a level. *exercise*: right to four decimals on ordinary input. *stable*: the same for logits of 1000, rows
far apart, -inf, confident rows. *exact*: softjac's own budget, about the last digit, with every special value.
*ordinary* and *hard* are the largest error in units in the last place of the dtype that is returned: on ordinary input,
and on hard rows and tails (gaps of 20 to 745). *special*: rows with NaN, +inf or nothing but -inf that agree with the
limits, or with NaN where there is none.

A question counts as missed at *exact* where softjac promises more than a library does. No library here but softjac
promises the last digit, and to miss that is no mistake of theirs. JAX computes in float32 unless it is told otherwise,
and is held to float32.
"""


def main() -> None:
    """Write the page to standard output."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoreboard", description=__doc__)
    parser.parse_args()
    sys.stdout.write(page(Peers(threads=1)))


def page(peers: Peers) -> str:
    """The whole page."""
    everyone = contenders(peers)
    rows = {kind: [row(contender) for contender in everyone if contender.kind == kind] for kind in KINDS}
    pieces = [INTRODUCTION]
    for kind, heading in KINDS.items():
        pieces.append(f"## {heading}\n\n`--what {kind}`\n\n" + "\n".join(table(rows[kind])) + "\n")
    pieces.append("## In short\n\n" + "\n".join(in_short(rows)) + "\n")
    pieces.append(f"## Versions\n\n{versions(peers, {contender.library for contender in everyone})}\n")
    return "\n".join(pieces)


def row(contender: Contender) -> dict[str, Any]:
    """What is told of one implementation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = softjac.check(contender.function, contender.kind, level="exact", **contender.options)
    judgements = report.examination.judgements
    special = [j for j in judgements if j.probe.quality == "special_values"]
    return {
        "library": contender.library,
        "called as": f"`{contender.form}`",
        "dtype": dtype_of(judgements),
        **{level: share([j for j in judgements if j.probe.level == level]) for level in LEVELS},
        "ordinary": largest(j for j in judgements if j.probe.level == "exercise"),
        "hard": largest(j for j in judgements if j.probe.quality in HARD),
        "special": share(special),
        "reached": report.reached,
    }


def dtype_of(judgements: Iterable[Judgement]) -> str:
    """Of what is returned for float64."""
    return next(j.outcome.arrays[-1].dtype.name for j in judgements if j.probe.dtype == "float64" and j.outcome.arrays)


def share(judgements: list[Judgement]) -> str:
    """Right answers of all that were asked."""
    if not judgements:
        return "not asked"
    right = sum(not j.problem for j in judgements)
    return "all" if right == len(judgements) else f"{right} of {len(judgements)}"


def largest(judgements: Iterable[Judgement]) -> str:
    """The largest error in ulp; what is not finite where it should be counts as infinite."""
    found = max((math.inf if j.problem in {"not finite", "raised"} else j.ulps for j in judgements), default=0.0)
    if math.isinf(found):
        return "no number"
    return f"{found:.1f}" if found < 1e4 else f"{found:.0e}"


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows in Markdown."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|{'---|' * len(HEADINGS)}"
    for one in rows:
        yield f"| {' | '.join(one[heading] for heading in HEADINGS)} |"


def in_short(rows: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Which levels each library reaches, over all its rows."""
    everyone = [one for of_kind in rows.values() for one in of_kind]
    yield "| library | implementations | reach exercise | reach stable | reach exact |"
    yield "|---|---|---|---|---|"
    for library in dict.fromkeys(one["library"] for one in everyone):
        own = [one for one in everyone if one["library"] == library]
        reached = [sum(one["reached"] in LEVELS[place:] for one in own) for place in range(len(LEVELS))]
        yield f"| {library} | {len(own)} | {' | '.join(map(str, reached))} |"


def versions(peers: Peers, libraries: set[str]) -> str:
    """Of the libraries of the tables, in one line; what is missing is said."""
    known = {"softjac": softjac.__version__, **peers.versions}
    told = ", ".join(f"{name} {version}" for name, version in known.items() if name in libraries)
    missing = "".join(f" {reason}." for reason in peers.missing.values())
    return f"{told}.{missing}"


if __name__ == "__main__":
    main()
