"""Print what extras of softjac bring, a requirement a line, so that it can be installed before softjac is built.

Usage: extras.py NAME..., from the root of a clone. An extra that brings others, softjac[cli,check], is opened.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(names: list[str]) -> Iterator[str]:
    for name in names:
        for requirement in project["optional-dependencies"][name]:
            own = re.fullmatch(rf"{project['name']}\[(.+)\]", requirement)
            if own:
                yield from requirements([part.strip() for part in own[1].split(",")])
            else:
                yield requirement


print("\n".join(dict.fromkeys([*project["dependencies"], *requirements(sys.argv[1:])])))
