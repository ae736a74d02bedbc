"""What machine this is, without names or paths."""

import os
import platform
import re
from pathlib import Path
from typing import Any

_CPU = Path("/sys/devices/system/cpu")


def describe() -> dict[str, Any]:
    info = _cpuinfo()
    model = info.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in info:
        model += f" (family {info['cpu family']}, model {info.get('model', '?')})"
    return {
        "cpu": model,
        "cores": len(cpus()),
        "virtual": "hypervisor" in info.get("flags", "").split(),
        "caches": _caches(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def load_average() -> float | None:
    """Of the last minute; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def without_paths(text: str) -> str:
    return re.sub(r"(?<![\w.])(?:[A-Za-z]:\\|/)[^\s:,)]*", "...", text)


def cpus() -> list[int]:
    """The processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def stay_on(count: int) -> None:
    """Keep this process on so many cores, where the system lets it: some libraries have no other setting.

    The last ones, as interrupts favour the first; of two processors that share a core, one.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    by_core: dict[str, int] = {}
    for cpu in reversed(cpus()):
        by_core.setdefault(_read(_CPU / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu), cpu)
    os.sched_setaffinity(0, (list(by_core.values()) + [cpu for cpu in cpus() if cpu not in by_core.values()])[:count])


def _caches() -> list[str]:
    found = []
    for index in sorted((_CPU / "cpu0/cache").glob("index*")):
        kind = {"Data": "d", "Instruction": "i"}.get(_read(index / "type"), "")
        found.append(f"L{_read(index / 'level')}{kind} {_read(index / 'size')}")
    return found


def _cpuinfo() -> dict[str, str]:
    lines = _read(Path("/proc/cpuinfo")).split("\n\n", 1)[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
