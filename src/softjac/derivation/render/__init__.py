"""A derivation as text, Markdown, LaTeX, HTML or a notebook: a renderer is a printer and five block methods."""

from importlib import import_module
from typing import Any

from softjac.derivation.blocks import Document
from softjac.derivation.render._base import Renderer
from softjac.errors import ArgumentError

__all__ = ["FORMATS", "Renderer", "render", "renderer"]

FORMATS = {
    "text": ("text", "TextRenderer"),
    "markdown": ("markdown", "MarkdownRenderer"),
    "latex": ("latex", "LatexRenderer"),
    "html": ("html", "HtmlRenderer"),
    "ipynb": ("notebook", "NotebookRenderer"),
}
"""Format, the module that makes it, and the class in it. A module is loaded when its format is asked for."""


def renderer(form: str, /, **options: Any) -> Renderer:
    """The renderer of a format: text (width, ascii), markdown, latex (fragment), html (fragment), ipynb."""
    if form not in FORMATS:
        raise ArgumentError(f"format is {form!r}; expected one of {', '.join(FORMATS)}")
    module, name = FORMATS[form]
    made: Renderer = getattr(import_module(f"{__name__}.{module}"), name)(**options)
    return made


def render(derivation: Document, form: str = "text", /, **options: Any) -> str:
    """The derivation in a format, as one string; the same derivation and options give the same bytes."""
    return renderer(form, **options).render(derivation)
