"""The command `python -m benchmarks`."""

import argparse
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import machine
from .render import QUIET_LOAD, figure_rows, misses_sentence, plain_table, skipped_rows
from .worker import MARK

LATEST = Path(__file__).with_name("results") / "latest.json"
THREADS = (1, 2)
# One thread is one in every library. JAX has no setting but these; `machine.stay_on` does the rest.
ONE_XLA_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure softjac beside its peers.")
    result.add_argument("--quick", action="store_true", help="fewer shapes, short samples: under a minute")
    result.add_argument("--tiny", action="store_true", help="arrays of a few numbers: shows that everything runs")
    result.add_argument("--only", metavar="PATTERN", default="", help='a regular expression: "float64", "bench_import"')
    result.add_argument("--json", metavar="FILE", type=Path, default=LATEST, help="default: results/latest.json")
    return result


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        re.compile(options.only)
    except re.error as error:
        parser().error(f"--only {options.only!r} is no regular expression: {error}")
    size = "tiny" if options.tiny else "quick" if options.quick else "full"
    record: dict[str, Any] = {
        "size": size,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(),
        "load_average": machine.load_average(),
        "versions": {},
        "missing": {},
        "config": "",
        "results": [],
        "skipped": [],
        "failed": [],
    }
    warn_of_load(record["load_average"])
    for threads in THREADS:
        if threads > len(machine.cpus()):
            record["skipped"].append(f"{threads} threads: this process may run on {len(machine.cpus())} processor only")
            continue
        for message in messages({"threads": threads, "size": size, "only": options.only}):
            take(record, message)
    if not record["results"] and not record["failed"]:
        parser().error(f"--only {options.only!r} matches no benchmark")
    report(record)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"\nsaved as {options.json.name}")
    for failed in record["failed"]:
        print(f"failed, see above: {failed}", file=sys.stderr)
    return 1 if record["failed"] else 0


def warn_of_load(load: float | None) -> None:
    if load is not None and load > QUIET_LOAD:
        print(
            f"warning: the load average is {load}, not below {QUIET_LOAD}: other work runs on this machine, "
            "and the figures below may be wrong. Wait until it is quiet, then run again.",
            file=sys.stderr,
        )


def messages(request: dict[str, Any]) -> Any:
    """What a worker says, as it says it."""
    threads = str(request["threads"])
    environment = os.environ | {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "JAX_PLATFORMS": "cpu",
    }
    if request["threads"] == 1:
        environment["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_XLA_THREAD}".strip()
    command = [sys.executable, "-m", "benchmarks.worker", json.dumps(request)]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if line.startswith(MARK):
                yield json.loads(line.removeprefix(MARK))
    if worker.returncode != 0:
        yield {"failed": f"the measuring process for {threads} threads, which ended with {worker.returncode}"}


def take(record: dict[str, Any], message: dict[str, Any]) -> None:
    if "failed" in message:
        record["failed"].append(message["failed"])
        return
    if "versions" in message:
        # Of the process with one thread: the configurations differ in that number alone.
        if not record["config"]:
            record["config"] = machine.without_paths(message["config"])
        record["versions"] = message["versions"]
        record["missing"] = message["missing"]
        return
    record["results"].append(message)
    shown = [f"{name} {entry['median_s'] * 1e6:.4g} us" for name, entry in message["times"].items()]
    shown += [f"{f['ours']} {f['value']:.4g} {f['unit']}" for f in message["figures"] if f["unit"] == "ulp"]
    print(f"{message['threads']} thread(s), {message['case']}: {', '.join(shown)}", file=sys.stderr, flush=True)


def report(record: dict[str, Any]) -> None:
    print(record["config"])
    print(plain_table(figure_rows(record["results"])))
    print(f"\n{misses_sentence(record)}")
    rows = skipped_rows(record)
    if rows:
        print("\nskipped")
        for row in rows:
            print(f"  {row}")
