"""A derivation as a Jupyter notebook: Markdown cells, and a NumPy cell that recomputes each result."""

from collections.abc import Sequence
from typing import Any

from softjac.derivation.blocks import Block, Code, Document, Heading
from softjac.derivation.render.markdown import MarkdownRenderer
from softjac.errors import ArgumentError

MISSING_EXTRA = "format 'ipynb' needs one more package, nbformat: pip install 'softjac[notebook]'"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class NotebookRenderer(MarkdownRenderer):
    """A notebook of nbformat 4.5. Its outputs are what the code shows, and so what running it shows."""

    def display(self, latex: str) -> str:
        """Mathematics that stands by itself. Jupyter takes it out before it reads the Markdown."""
        return f"$$\n{latex}\n$$"

    def render(self, derivation: Document) -> str:
        """The notebook as JSON. Cells are numbered, so that the same derivation gives the same bytes."""
        try:
            import nbformat
            from nbformat import v4
        except ImportError as error:
            raise ArgumentError(MISSING_EXTRA) from error
        self._explained.clear()
        cells: list[Any] = []
        count = 0
        for group in _cells(self.titled(derivation)):
            name = f"cell-{len(cells):03d}"
            if isinstance(group[0], Code):
                shows = group[0].shows.rstrip("\n")
                outputs = [v4.new_output("stream", name="stdout", text=shows + "\n")] if shows else []
                # Without numbers nothing has been run: such a cell prints, and nothing is known of what.
                ran = bool(shows) or "print(" not in group[0].source
                count += ran
                source = group[0].source.strip("\n")
                cells.append(v4.new_code_cell(source, id=name, outputs=outputs, execution_count=count if ran else None))
            else:
                source = MarkdownRenderer.document(self, "", self.blocks(group)).rstrip("\n")
                cells.append(v4.new_markdown_cell(source, id=name))
        notebook = v4.new_notebook(cells=cells, metadata=METADATA)
        notebook.metadata["title"] = self.title(derivation)
        nbformat.validate(notebook)
        return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def _cells(blocks: Sequence[Block]) -> list[list[Block]]:
    """Blocks by cell: code by itself, a heading with what follows it."""
    cells: list[list[Block]] = []
    for block in blocks:
        alone = isinstance(block, Code | Heading) or not cells or isinstance(cells[-1][0], Code)
        if alone:
            cells.append([])
        cells[-1].append(block)
    return cells
