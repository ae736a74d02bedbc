"""Which words of a command line are options and which are data.

Option parsers read -1, -inf and -2e3 as options, and take a misspelt option for data. So the words are sorted here
before typer sees them: a number is data, another word that begins with - must be an option by its full name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from softjac._cli.errors import CommandError, nearest, quoted
from softjac._cli.numerals import is_number

_NEARLY_A_NUMBER = re.compile(r"-\.?\d")


def is_data(word: str) -> bool:
    """Whether ``word`` is data: all that does not begin with -, a lone -, numbers, and what only a number can be.

    >>> [is_data(word) for word in ("-", "-inf", "-0,5", "-1 2", "-i", "--formt", "x.csv")]
    [True, True, True, True, False, False, True]
    """
    if not word.startswith("-") or word == "-":
        return True
    return is_number(word.split(maxsplit=1)[0]) or _NEARLY_A_NUMBER.match(word) is not None


class Option(NamedTuple):
    """An option of a command: its long name, and whether a value follows it."""

    name: str
    takes_value: bool


def separate(words: Sequence[str], options: Mapping[str, Option], command: str) -> tuple[list[str], list[str]]:
    """The options among ``words``, and the data; ``options`` has each option under each of its names.

    Options come back as one word each (--name=value), whatever way they were written; after -- all is data.

    >>> separate(["-1", "--axis", "0", "-inf"], {"--axis": Option("--axis", True)}, "softjac softmax")
    (['--axis=0'], ['-1', '-inf'])
    """
    given: list[str] = []
    data: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            data.extend(rest)
        elif is_data(word):
            data.append(word)
        else:
            name, has_value, value = word.partition("=")
            if name == "--version":
                raise CommandError(f"--version comes before any command: {command.split(maxsplit=1)[0]} --version")
            if name not in options:
                there_are = ", ".join(dict.fromkeys(option.name for option in options.values()))
                raise CommandError(unknown_option(name, options, f"there are {there_are}"))
            option = options[name]
            if not option.takes_value:
                if has_value:
                    raise CommandError(f"{name} takes no value, not even {quoted(value)}")
                given.append(option.name)
                continue
            if not has_value:
                value = next(rest, "--")
                if not is_data(value):
                    raise CommandError(f"{name} needs a value after it: {command} -h lists the options")
            given.append(f"{option.name}={value}")
    return given, data


def unknown_option(name: str, options: Mapping[str, Option], otherwise: str) -> str:
    """Message about an option that does not exist, with the nearest that does, or ``otherwise`` where none is near.

    >>> unknown_option("--formt", {"--format": Option("--format", True)}, "there are others")
    'unknown option --formt: did you mean --format?'
    """
    body = name.lstrip("-").lower()
    bodies = {option.name.lstrip("-"): option.name for option in options.values()}
    near = [option for other, option in bodies.items() if body and other.startswith(body)]  # -d, -output, --form
    if not near and name[:2] in options and options[name[:2]].takes_value:
        near = [f"{name[:2]} {name[2:]}"]  # a short option and its value in one word
    if not near:
        numbers = {} if name.startswith("--") else {"inf": "-inf", "nan": "-nan"}
        near = [{**bodies, **numbers}[other] for other in nearest(body, [*bodies, *numbers])]
    return f"unknown option {quoted(name)[1:-1]}: " + (f"did you mean {near[0]}?" if near else otherwise)
