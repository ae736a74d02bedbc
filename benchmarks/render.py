"""Tables from saved results. As a command: `python benchmarks/render.py results.json > docs/benchmarks.md`.

No figure of docs/benchmarks.md is typed by hand. This file needs nothing but Python.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

QUIET_LOAD = 0.5  # processes running or waiting, on average over the last minute
Record = dict[str, Any]
Rows = list[list[str]]

FIGURE_HEADER = ["threads", "case", "ours / peer", "floor", "reached", "middle half", ""]


def number(value: float, digits: int = 3) -> str:
    """Write value with so many digits, without an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, digits - len(str(int(abs(value)))) if abs(value) >= 1 else digits)
    return f"{value:.{decimals}f}"


def with_unit(value: float, unit: str) -> str:
    return number(value) if unit == "x" else f"{number(value)} {unit}"


def middle_half(figure: Record) -> str:
    return f"{number(figure['low'])} to {number(figure['high'])}"


def floor_of(figure: Record) -> str:
    if figure["at_least"] is not None:
        aim = "" if figure["aim"] is None else f" (aim {number(figure['aim'], 2)})"
        return f"at least {number(figure['at_least'], 3 if figure['at_least'] < 1 else 2)}{aim}"
    if figure["at_most"] is not None:
        return f"at most {with_unit(figure['at_most'], figure['unit'])}"
    return ""


def figure_rows(results: Iterable[Record]) -> Rows:
    rows = [FIGURE_HEADER]
    for result in results:
        for figure in result["figures"]:
            cells = [str(result["threads"]), result["case"], f"{figure['ours']} / {figure['peer']}", floor_of(figure)]
            cells += [with_unit(figure["value"], figure["unit"]), middle_half(figure)]
            rows.append([*cells, {"pass": "pass", "miss": "MISS", None: ""}[figure["verdict"]]])
    return rows


def skipped_rows(record: Record) -> list[str]:
    """What was left out and why, each reason once."""
    rows = list(record["skipped"])
    for result in record["results"]:
        rows += [f"{result['case']}: {reason}" for reason in result["skipped"]]
    return list(dict.fromkeys(rows))


def plain_table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    header, *body = rows
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in body]
    return "\n".join(lines)


def worst_by_job(results: Iterable[Record]) -> list[tuple[Record, Record]]:
    """For each job and pair, in the order measured: the figure nearest to its floor, or farthest below it."""
    worst: dict[tuple[Any, ...], tuple[Record, Record]] = {}
    for result in results:
        for figure in result["figures"]:
            if figure["verdict"] is None:
                continue
            key = (figure["job"], figure["ours"], figure["peer"])
            sign = 1 if figure["at_least"] is not None else -1
            if key not in worst or sign * figure["value"] < sign * worst[key][1]["value"]:
                worst[key] = (result, figure)
    return list(worst.values())


def floors_section(record: Record) -> str:
    rows = [["job", "ours", "against", "floor", "reached", "middle half", "worst case", ""]]
    for result, figure in worst_by_job(record["results"]):
        rows.append(
            [
                figure["job"],
                figure["ours"],
                figure["peer"],
                floor_of(figure),
                with_unit(figure["value"], figure["unit"]),
                middle_half(figure),
                result["case"],
                "pass" if figure["verdict"] == "pass" else "**miss**",
            ]
        )
    return markdown_table(rows)


def misses_sentence(record: Record) -> str:
    judged = [(r, f) for r in record["results"] for f in r["figures"] if f["verdict"] is not None]
    missed = [(r, f) for r, f in judged if f["verdict"] == "miss"]
    if not missed:
        return f"All {len(judged)} figures that have a floor reach it."
    lines = [f"{len(missed)} of the {len(judged)} figures that have a floor miss it:", ""]
    lines += [
        f"- {result['case']}, {figure['ours']} against {figure['peer']}: "
        f"{with_unit(figure['value'], figure['unit'])}, floor {floor_of(figure)}."
        for result, figure in missed
    ]
    return "\n".join(lines)


def machine_sentences(record: Record) -> str:
    machine, versions = record["machine"], record["versions"]
    virtual = "a virtual machine with " if machine["virtual"] else ""
    cores = f"{machine['cores']} core" + ("s" if machine["cores"] != 1 else "")
    caches = f"; caches of a core: {', '.join(machine['caches'])}" if machine["caches"] else ""
    peers = ", ".join(f"{name} {version}" for name, version in versions.items())
    load = record["load_average"]
    text = (
        f"Measured on {record['date']} on {virtual}{cores} of {machine['cpu']}{caches}; {machine['system']}. "
        f"Python {machine['python']}, {peers}."
    )
    if load is not None:
        text += f" The load average at the start was {load}."
        if load > QUIET_LOAD:
            text += " **Other work ran on the machine: these figures are not reliable.**"
    if record["size"] != "full":
        text += f" **This was a {record['size']} run: its figures are rough.**"
    return text


def duration(seconds: float) -> str:
    for scale, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{number(seconds * scale)} {unit}"
    return f"{number(seconds * 1e6)} us"


def times_section(results: Iterable[Record]) -> str:
    rows = [["case", "contender", "median", "ns an element", "GB/s", "peak memory, MiB", "peer time / ours"]]
    for result in results:
        case = result["case"]
        against: dict[str, list[str]] = {}
        for figure in result["figures"]:
            if figure["unit"] == "x" and figure["peer"] in result["times"]:
                against.setdefault(figure["peer"], []).append(f"{number(figure['value'])} ({figure['ours']})")
        for name, entry in result["times"].items():
            per_element, speed, peak = (entry.get(key) for key in ("ns_per_element", "bytes_per_s", "peak_bytes"))
            rows.append(
                [
                    case,
                    name,
                    duration(entry["median_s"]),
                    "" if per_element is None else number(per_element),
                    "" if speed is None else number(speed / 1e9),
                    "" if peak is None else f"{peak / 2**20:.1f}",
                    ", ".join(against.get(name, [])),
                ]
            )
            case = ""
    return markdown_table(rows)


def accuracy_section(record: Record) -> str:
    rows = [["", "largest error, ulp", "largest error of a row, middle half of the rows"]]
    for result in record["results"]:
        rows += [[f["ours"], number(f["value"]), middle_half(f)] for f in result["figures"] if f["unit"] == "ulp"]
    return markdown_table(rows) if len(rows) > 1 else "Not measured."


HOW = """\
Our call and the peers' take turns in the same run. Each sample follows an untimed call of the same function, and short
calls are repeated until a sample takes a millisecond. A time is the median of the samples. A ratio is peer time / our
time, of the medians: above 1 softjac is faster. The middle half is that of the ratios of single rounds.

With one thread every library has one: the process is kept on one core, with `OMP_NUM_THREADS=1`,
`torch.set_num_threads(1)`, `softjac.set_num_threads(1)` and XLA's flags. With two threads each has two, but NumPy and
SciPy, which use one for this. The floors are for one thread.

"into out=" writes to an array that is there. A "plain call" returns a new one, and is compared with plain calls. The
gradients of cross-entropy into out= are compared with the fastest way of each peer, also of those that have no out=:
torch and optax. GB/s counts the input read once and the result written once. Peak memory is what a call takes on top of
its input and of `out`, its result included, by the system's count of pages, which is right to about half a MiB. Input
is drawn from the standard normal distribution."""

ACCURACY = """\
Largest error of float32 probabilities against an oracle of 200 bits, in units in the last place. Rows of 1000 logits,
standard deviation 10."""

REPEAT = """\
Run it from a clone, with softjac and the extra `peers` installed: `python -m benchmarks`. It takes about ten minutes;
`--quick` takes less than one, `--only PATTERN` runs a part, `--json FILE` says where the results go. Then
`python benchmarks/render.py results.json > docs/benchmarks.md` writes this page from them."""


def page(record: Record) -> str:
    one, two = ([r for r in record["results"] if r["threads"] == threads] for threads in (1, 2))
    skipped = skipped_rows(record)
    config = "\n".join(["```text", record["config"], "```"])
    parts = [
        "# Benchmarks",
        "<!-- Written by benchmarks/render.py: change that, or measure again. -->",
        machine_sentences(record),
        "`softjac.show_config()`, in the process with one thread:",
        config,
        HOW,
        "## Floors",
        misses_sentence(record),
        "Where a job has several cases, its row shows the worst.",
        floors_section(record),
        "## Accuracy",
        ACCURACY,
        accuracy_section(record),
        "## One thread",
        times_section([r for r in one if r["times"]]),
        "## Two threads",
        times_section([r for r in two if r["times"]]) if two else "Not measured.",
    ]
    if skipped:
        parts += ["## Left out", "\n".join(f"- {row}." for row in skipped)]
    return "\n\n".join([*parts, "## Again", REPEAT]) + "\n"


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python benchmarks/render.py results.json > docs/benchmarks.md", file=sys.stderr)
        return 2
    record = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.buffer.write(page(record).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
