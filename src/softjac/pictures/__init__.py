"""Pictures of what softjac computes. Needs the extra ``softjac[plot]``, which is loaded when a picture is drawn."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from softjac.errors import ArgumentError, ShapeError
from softjac.jacobian import softmax_jacobian
from softjac.softmax import softmax

if TYPE_CHECKING:
    from softjac.pictures._drawing import Drawing

__all__ = ["MOST_CLASSES", "drawing_of", "load", "plot_jacobian"]

MOST_CLASSES = 1000
MISSING_EXTRA = "pictures need one more package, matplotlib: pip install 'softjac[plot]'"
BROKEN_EXTRA = "matplotlib is installed, but importing it fails ({}): pip install --force-reinstall matplotlib"


def plot_jacobian(logits: Any, ax: Any = None) -> Any:
    """Heat map of the softmax Jacobian with its numbers, beside bars of the probabilities.

    J_ij = dp_i/dz_j = p_i (1{i=j} - p_j): row i is what moves p_i, column j what raising z_j does. The colours are
    symmetric about zero: blue above it, red below.

    logits: shape (n,), 1 to 1000 classes; of more than 12 the colours alone are shown. ax: the matplotlib Axes in whose
    box all of it is drawn, with numbers where they can be read, so draw in it last and give it room; a new figure of
    pyplot by default. Returns that Axes, moved to where the matrix is; the bars and the scale are its insets. Infinite
    logits give the limit, as in `softmax_jacobian`.
    Raises ShapeError for another shape, ArgumentError for NaN, for too many classes and where logits have no limit,
    DTypeError for another ax, ImportError without a matplotlib that works.
    The description in words is the label of the image, ``ax.images[-1].get_label()``, and the title of a new figure is
    that of its window. matplotlib writes neither in a file by itself. To have them there: ``ax.figure.savefig("j.png",
    metadata={"Title": "Softmax Jacobian", "Description": ax.images[-1].get_label()})``, the same for SVG, and "Subject"
    for PDF. `softjac plot` writes both, and names them for screen readers in SVG.
    Naively: ``plt.imshow(softmax_jacobian(logits), cmap="RdBu", vmin=-v, vmax=v)``.
    Source: the numbers are those of `softmax_jacobian`; run by tests/test_plot.py and tests/test_plot_axes.py.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_jacobian([1, 2, 3], Figure().subplots())
    >>> ax.texts[0].get_text()
    '0.0819'
    """
    drawing = drawing_of(logits)
    return load().draw(drawing, ax)


def drawing_of(logits: Any) -> "Drawing":
    """What the picture shows: its numbers, and their description in words."""
    from softjac.pictures._drawing import Drawing

    jacobian, probabilities = np.asarray(softmax_jacobian(logits)), np.asarray(softmax(logits))
    if probabilities.ndim != 1 or not probabilities.size:
        raise ShapeError(f"logits has shape {probabilities.shape}: a picture is of one vector, of shape (n,), n > 0.")
    n = len(probabilities)
    if n > MOST_CLASSES:
        raise ArgumentError(f"logits has {n} classes: a picture shows at most {MOST_CLASSES}.")
    z = np.asarray(logits, np.float64)
    if np.isnan(z).any():
        raise ArgumentError(f"logits holds NaN at position {int(np.isnan(z).argmax())}: a picture needs numbers.")
    if np.isnan(jacobian).any():
        raise ArgumentError("logits holds more than one inf, or -inf alone: softmax has no limit there to draw.")
    return Drawing(jacobian.astype(np.float64), probabilities.astype(np.float64), z)


def load() -> Any:
    """The module that draws. Raises ImportError that says whether matplotlib is missing or broken."""
    try:
        return import_module("softjac.pictures.matplotlib")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "matplotlib":
            raise ImportError(MISSING_EXTRA) from error
        raise ImportError(BROKEN_EXTRA.format(" ".join(str(error).split()))) from error
