"""What to try, in the names of the reader: those of the function and of its parameters."""

from __future__ import annotations

import re

from softjac.check.as_called import stands_for
from softjac.check.kinds import KINDS
from softjac.check.model import Convention, Facts


def in_own_names(line: str, kind: str, facts: Facts, convention: Convention) -> str:
    """An experiment with the function's own name for f, and its parameters for z (or p), y and g.

    Left as it is where a name stands for something else in it already.

    >>> facts = Facts(name="my_loss", parameters=("scores", "t"))
    >>> in_own_names("print(f(z, 0), f(z, 1))   # should differ", "cross_entropy", facts, Convention())
    'print(my_loss(scores, 0), my_loss(scores, 1))   # should differ'
    """
    letters = ["p" if convention.given == "probs" else "z"]
    if len(KINDS[kind].operands) == 2:
        letters.append("y" if KINDS[kind].has_targets else "g")
    if len(facts.parameters) < len(letters):
        return line
    own = facts.parameters[len(letters) - 1 :: -1] if convention.swapped else facts.parameters[: len(letters)]
    names = dict(zip(letters, own, strict=True))
    if facts.name.isidentifier():
        names.update((f"{word}(", f"{facts.name}(") for word in stands_for(kind))
    used = set(re.findall(r"[A-Za-z_]\w*", line))
    names = {word: name for word, name in names.items() if word.rstrip("(") in used and word != name}
    if not names or any(name.rstrip("(") in used for name in names.values()):
        return line
    words = "|".join(re.escape(word) if word.endswith("(") else rf"{word}\b" for word in names)
    return re.sub(rf"(?<![\w.])(?:{words})", lambda found: names[found[0]], line)
