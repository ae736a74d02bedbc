"""The formats, by name and by the suffix of a file."""

from __future__ import annotations

import os

from softjac._cli.errors import CommandError, did_you_mean, quoted

SUFFIX_OF = {"text": ".txt", "json": ".json", "csv": ".csv", "markdown": ".md", "latex": ".tex", "npy": ".npy"}
"""Formats, in the order in which they are listed, and the suffix of each."""

_FORMAT_OF = {suffix: name for name, suffix in SUFFIX_OF.items()}
FORMATS = ", ".join(SUFFIX_OF)


def choose_format(name: str | None, output: str | None) -> str:
    """The format asked for by name, by the suffix of the output file, or by both, if they agree; else text.

    >>> choose_format(None, "probs.npy"), choose_format("json", None), choose_format(None, None)
    ('npy', 'json', 'text')
    """
    if name is not None and name not in SUFFIX_OF:
        raise CommandError(f"unknown format {quoted(name)}: " + did_you_mean(name, SUFFIX_OF, f"there are {FORMATS}"))
    if output == "":
        raise CommandError("-o needs the name of a file: its suffix tells the format, as in -o result.csv")
    if output is None:
        if name == "npy":
            raise CommandError("npy is not text for a screen: name a file for it, as -o FILE.npy")
        return name or "text"
    suffix = os.path.splitext(output)[1].lower()
    by_suffix = _FORMAT_OF.get(suffix)
    if name is None and by_suffix is None:
        raise CommandError(
            f"-o {output}: the suffix tells the format, and is one of {', '.join(_FORMAT_OF)}; or add --format"
        )
    if name is not None and by_suffix not in (None, name):
        raise CommandError(f"-o {output} asks for {by_suffix} and --format for {name}: leave one of them out")
    return name or by_suffix or "text"
