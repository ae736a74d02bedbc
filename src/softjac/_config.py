"""What this installation of softjac computes with."""

import platform
import sys

import numpy as np

from softjac import _threads, kernels
from softjac._report import Report
from softjac._version import __version__


def show_config() -> Report:
    """Text that says which kernels are in use and why, how many threads, and the versions.

    Returns a str that a session shows line by line; ``print(show_config())`` elsewhere. The environment variable
    SOFTJAC_DISABLE_CORE=1 leaves the compiled core out, SOFTJAC_ISA=<name> forces one of its instruction sets; both are
    read at import.

    >>> print(show_config())  # doctest: +ELLIPSIS
    softjac ...
    kernels: ...
    threads: ...
    versions: Python ..., NumPy ..., ...
    """
    core = kernels.native
    if core is None:
        used = f"the reference in NumPy, because the compiled core is missing ({kernels.why_no_native})"
        threads = f"1 (the reference uses one; set_num_threads is at {_threads.get_num_threads()})"
    else:
        used = f"the compiled core with {core.isa()} (SOFTJAC_ISA may name one of {', '.join(core.available_isas())})"
        threads = str(_threads.get_num_threads())
    python = ".".join(map(str, sys.version_info[:3]))
    return Report(
        f"softjac {__version__}\n"
        f"kernels: {used}\n"
        f"threads: {threads}\n"
        f"versions: Python {python}, NumPy {np.__version__}, {platform.system()} {platform.machine()}"
    )
