"""The process that measures, for one number of threads: `run` starts it and reads its lines of JSON.

A process of its own because a number of threads is settled when a library is loaded (JAX has no other way), and
because no library then sees the threads of another run.
"""

import json
import re
import sys
import traceback
from importlib import import_module
from typing import Any

from . import machine

MODULES = (
    "bench_import",
    "bench_small_calls",
    "bench_softmax",
    "bench_jacobian",
    "bench_operator",
    "bench_cross_entropy",
    "bench_threads",
    "bench_accuracy",
)
MARK = "result "


def main(request: dict[str, Any]) -> None:
    threads = request["threads"]
    machine.stay_on(threads)

    import softjac

    from .case import Settings
    from .peers import Peers
    from .timing import EFFORTS

    softjac.set_num_threads(threads)
    peers = Peers(threads)
    say({"versions": peers.versions, "missing": peers.missing, "config": str(softjac.show_config())})
    settings = Settings(request["size"], threads, EFFORTS[request["size"]])
    for module in MODULES:
        for case in import_module(f"benchmarks.{module}").cases(settings, peers):
            name = f"{module} {case.name}"
            if threads not in case.threads or not re.search(request["only"], name, re.IGNORECASE):
                continue
            try:
                outcome = case.measure(settings)
            except Exception:
                traceback.print_exc()
                say({"failed": f"{case.name}, threads: {threads}"})  # the others are measured all the same
                continue
            say({"module": module, "case": case.name, "threads": threads} | outcome.record())


def say(message: dict[str, Any]) -> None:
    print(MARK + json.dumps(message), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
