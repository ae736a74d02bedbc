"""What the tests of submissions share: a file is written and called in a process of its own."""

import textwrap
import time
from pathlib import Path

import numpy as np

from softjac.check.model import Argument, Call, Outcome
from softjac.check.process import OwnProcess

Z = np.array([1.0, 2.0, 4.0])
CALL = Call((Argument(Z),))


def write_submission(path, body):
    """Write a file, with its imports in front; hand back its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("import os, sys, time\nimport numpy as np\n\n" + textwrap.dedent(body), encoding="utf-8")
    return str(path)


def outcome_of(path, name="f", call=CALL, outputs=1, **limits) -> Outcome:
    with OwnProcess(path, name, **({"time_limit": 20} | limits)) as candidate:
        assert candidate.could_not == ""
        return candidate.call(call, outputs)


def refusal_of(path, name="f", **limits) -> str:
    with OwnProcess(path, name, **({"time_limit": 20} | limits)) as candidate:
        reason = candidate.could_not
        assert candidate.call(CALL, 1).fatal == reason
        return reason


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
