"""The formats, by name and by the suffix of a file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from softjac._cli.errors import CommandError, did_you_mean, quoted

SUFFIX_OF = {"text": ".txt", "json": ".json", "csv": ".csv", "markdown": ".md", "latex": ".tex", "npy": ".npy"}
"""Formats, in the order in which they are listed, and the suffix of each."""

FORMATS = ", ".join(SUFFIX_OF)

_NO_TEXT = ("npy", "png", "pdf")


def choose_format(name: str | None, output: str | None, suffix_of: Mapping[str, str] = SUFFIX_OF) -> str:
    """The format asked for by name, by the suffix of the output file, or by both, if they agree; else the first.

    ``suffix_of`` are the formats that a command has, and the suffix of each.

    >>> choose_format(None, "probs.npy"), choose_format("json", None), choose_format(None, None)
    ('npy', 'json', 'text')
    """
    if name is not None and name not in suffix_of:
        there_are = f"there are {', '.join(suffix_of)}"
        raise CommandError(f"unknown format {quoted(name)}: " + did_you_mean(name, suffix_of, there_are))
    usual = next(iter(suffix_of))
    if output == "":
        example = "result" + suffix_of.get("csv", suffix_of[usual])
        raise CommandError(f"-o needs the name of a file: its suffix tells the format, as in -o {example}")
    if output == "-":
        raise CommandError("-o - names no file: without -o the result goes to standard output")
    if output is None:
        chosen = name or usual
        if chosen in _NO_TEXT:
            raise CommandError(f"{chosen} is not text for a screen: name a file for it, as -o FILE{suffix_of[chosen]}")
        return chosen
    format_of = {suffix: form for form, suffix in suffix_of.items()}
    by_suffix = format_of.get(os.path.splitext(output)[1].lower())
    if name is None and by_suffix is None:
        raise CommandError(
            f"-o {output}: the suffix tells the format, and is one of {', '.join(format_of)}; or add --format"
        )
    if name is not None and by_suffix not in (None, name):
        raise CommandError(f"-o {output} asks for {by_suffix} and --format for {name}: leave one of them out")
    return name or by_suffix or usual
