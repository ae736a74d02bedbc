#!/usr/bin/env python3
"""Print the version of softjac, which stands once, in src/softjac/_version.py. Run by meson.build."""

import re
from pathlib import Path

text = (Path(__file__).resolve().parent.parent / "src" / "softjac" / "_version.py").read_text(encoding="utf-8")
match = re.search(r'^__version__\s*=\s*"([^"]+)"$', text, flags=re.MULTILINE)
if match is None:
    raise SystemExit('src/softjac/_version.py has no line of the form __version__ = "1.2.3"')
print(match.group(1))
