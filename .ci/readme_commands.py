"""Print command 1 or 2 of the README's installation, as it stands there: the lines of its first block of kind sh.

Usage: readme_commands.py 1|2, from the root of a clone.
"""

import re
import sys
from pathlib import Path

block = re.search(r"^```sh\n(.*?)^```", Path("README.md").read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
if block is None:
    raise SystemExit("README.md has no block that begins with ```sh")
commands = [line for line in block.group(1).splitlines() if line.strip() and not line.startswith("#")]
if len(commands) != 2:
    raise SystemExit(f"the first sh block of README.md has {len(commands)} commands, not 2: {commands}")
print(commands[int(sys.argv[1]) - 1])
