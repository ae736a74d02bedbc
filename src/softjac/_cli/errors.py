"""What the command line says where it cannot go on: one plain line, exit code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from softjac.errors import SoftjacError

HOW = "give numbers (1 2 3), a file of rows (.csv, .npy, .npz), or - for standard input"
"""How logits are given, for the messages that there are none."""


class CommandError(SoftjacError):
    """A mistake in what was typed or in a file that was read; its text is one line for standard error."""


def printable(text: str) -> str:
    r"""``text`` on one line, where what could control a terminal is escaped: for whatever is shown of a file's name.

    >>> print(printable("a\x1b[31m\nb"))
    a\x1b[31m b
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))


def quoted(text: str, most: int = 48) -> str:
    r"""``text`` in quotes, on one line, cut where it is long: for use inside a message.

    >>> print(quoted("0,5"), quoted("a\nb"))
    '0,5' 'a\nb'
    """
    return repr(text if len(text) <= most else text[: most - 3] + "...")


def nearest(word: str, names: Iterable[str], cutoff: float = 0.7) -> list[str]:
    """The one of ``names`` that is most like ``word``; none where none is like it.

    >>> nearest("formt", ["format", "axis"]), nearest("colour", ["format", "output"])
    (['format'], [])
    """
    return difflib.get_close_matches(word.lower(), list(names), n=1, cutoff=cutoff)


def did_you_mean(word: str, names: Iterable[str], otherwise: str) -> str:
    """End of a message about an unknown name: the nearest name, or ``otherwise`` where none is near.

    >>> did_you_mean("jsn", ["json", "csv"], "see -h")
    'did you mean json?'
    """
    near = nearest(word, names, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else otherwise
