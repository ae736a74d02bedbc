"""What computes: the reference in array-API operations, and the compiled core where there is one."""

import os
from importlib import import_module
from typing import Any

# The compiled core, or None and why. Typed in _native.pyi.
native: Any = None
why_no_native = ""

if os.environ.get("SOFTJAC_DISABLE_CORE", "") not in {"", "0"}:
    why_no_native = "SOFTJAC_DISABLE_CORE is set"
else:
    try:
        native = import_module("softjac.kernels._native")
    except ImportError as error:  # a wrong SOFTJAC_ISA is another error, and is not hidden
        never_built = isinstance(error, ModuleNotFoundError) and error.name == "softjac.kernels._native"
        why_no_native = "softjac was installed without it" if never_built else f"it does not load: {error}"
