"""The engines that read what the renderers write: TeX, and a browser."""

import os
import shutil
from importlib.util import find_spec


def missing_for(name: str) -> str | None:
    """What a test of this marker cannot do without, where it is missing."""
    if name == "tex" and shutil.which("pdflatex") is None:
        return "no pdflatex. Install TeX (Debian: texlive-latex-base)."
    if name == "browser" and chromium() is None:
        return "no Chromium. Install it (Debian: chromium), or name it in SOFTJAC_CHROMIUM."
    if name == "browser" and not (find_spec("playwright") and find_spec("axe_playwright_python")):
        return "no playwright or axe-playwright-python. Install the extra [browser]."
    return None


def chromium() -> str | None:
    """The browser that is installed."""
    named = os.environ.get("SOFTJAC_CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
