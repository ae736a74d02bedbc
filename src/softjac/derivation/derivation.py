"""A derivation: a document that can write itself."""

from dataclasses import dataclass
from typing import Any

from softjac.derivation.blocks import Document
from softjac.derivation.points import own_context
from softjac.derivation.render import render


@dataclass(frozen=True, slots=True)
class Derivation(Document):
    """A text made of blocks, and its title, written in any of the formats of `softjac.derivation.render`."""

    @own_context()
    def to(self, format: str, **options: Any) -> str:  # noqa: A002
        """Written as text, markdown, latex, html or ipynb; the options are those of the renderer."""
        return render(self, format, **options)

    def __str__(self) -> str:
        return self.to("text")

    def _repr_html_(self) -> str:
        return self.to("html", fragment=True)

    def _repr_latex_(self) -> str:
        return self.to("latex", fragment=True)
