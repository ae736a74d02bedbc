"""How long `import softjac` takes on top of `import numpy`, each in a new Python, turn by turn."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from .case import Case, Figure, Outcome, Settings, times
from .peers import Peers
from .timing import spread

JOB = "import softjac, more than import numpy"
LIMIT_MS = 20.0
MODULES = ("numpy", "softjac")  # softjac imports numpy itself
ROUNDS = {"full": 25, "quick": 5, "tiny": 2}
PROGRAM = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def cases(settings: Settings, peers: Peers) -> Iterator[Case]:
    del settings, peers
    yield Case("import softjac", measure, threads=(1,))


def measure(settings: Settings) -> Outcome:
    samples: dict[str, list[float]] = {name: [] for name in MODULES}
    # Bytecode is there once a package is installed: here in a folder of its own, whatever the settings of this Python.
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for name in MODULES:
            seconds_of_import(name, environment)
        for turn in range(ROUNDS[settings.size]):
            for name in MODULES if turn % 2 == 0 else MODULES[::-1]:
                samples[name].append(seconds_of_import(name, environment))
    more = [1e3 * (ours - base) for base, ours in zip(samples["numpy"], samples["softjac"], strict=True)]
    value = 1e3 * (spread(samples["softjac"])[0] - spread(samples["numpy"])[0])
    _, low, high = spread(more)
    figure = Figure(JOB, "softjac", "NumPy import", value, low, high, unit="ms", at_most=LIMIT_MS)
    return Outcome({f"import {name}": entry for name, entry in times(samples).items()}, [figure])


def seconds_of_import(name: str, environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", PROGRAM.format(name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)
