"""A Jacobian drawn with matplotlib, and written as PNG, SVG or PDF, the same bytes each time."""

import io
import re
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.style import context
from matplotlib.ticker import MaxNLocator

from softjac.pictures._drawing import MINUS, NAMED, NUMBERED, Drawing, number

COLOURS = "RdBu"
"""Red, white, blue: told apart with any kind of colour blindness."""
BAR = "#4d4d4d"
_DARK = 0.45  # luminance below which a number is written in white
_CELL, _LEAST, _MOST = 0.62, 2.2, 5.4  # inches: a cell, and the matrix
_GLYPH = 0.66  # width of a character in its own size, with a little room
_FOUR_DIGITS = 6  # so many classes have room for logits of four digits
_LARGEST_TEXT, _SMALLEST_TEXT = 10.0, 6.0
_STYLE = {"svg.hashsalt": "softjac", "svg.fonttype": "path", "pdf.fonttype": 42, "savefig.facecolor": "white"}


def draw(drawing: Drawing, ax: Any = None) -> Any:
    """The drawing in ``ax``, or in a new figure of pyplot; gives the Axes back."""
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.figure(figsize=size(drawing), layout="compressed").subplots()
    heat_map(drawing, ax)
    bars(drawing, ax)
    return ax


def side(drawing: Drawing) -> float:
    """Of the matrix, in inches."""
    return min(max(_CELL * drawing.n, _LEAST), _MOST)


def size(drawing: Drawing) -> tuple[float, float]:
    """Width and height of a figure in inches."""
    return side(drawing) + 3.1, side(drawing) + 1.5


def heat_map(drawing: Drawing, ax: Any) -> None:
    """The matrix, its numbers where they fit, and the scale below it."""
    n = drawing.n
    most = drawing.largest or 1.0
    image = ax.imshow(drawing.jacobian, cmap=COLOURS, vmin=-most, vmax=most, interpolation="nearest")
    ax.set_title(f"{drawing.title}: J[i,j] = \N{PARTIAL DIFFERENTIAL}p[i]/\N{PARTIAL DIFFERENTIAL}z[j]", loc="left")
    ax.xaxis.tick_top()
    if n <= NAMED:
        ax.set_xticks(range(n), _columns(drawing), fontsize=_text_size(n))
        ax.set_yticks(range(n), _names("p", n), fontsize=_text_size(n))
        ax.set_xticks([k + 0.5 for k in range(n - 1)], minor=True)
        ax.set_yticks([k + 0.5 for k in range(n - 1)], minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5 if n <= NUMBERED else 0.5)
    else:
        for axis, name in ((ax.xaxis, "z"), (ax.yaxis, "p")):
            axis.set_major_locator(MaxNLocator(integer=True))
            axis.set_label_text(f"class of {name}, from 0")
        ax.xaxis.set_label_position("top")
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    if n <= NUMBERED:
        _write_numbers(drawing, ax, image)
    scale = ax.figure.colorbar(image, cax=ax.inset_axes((0, -0.12, 1, 0.04)), orientation="horizontal")
    scale.set_ticks([-most, 0, most], labels=[_printed(x, 4 if drawing.largest else 0) for x in (-most, 0, most)])
    first, _, last = scale.ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0)


def _write_numbers(drawing: Drawing, ax: Any, image: Any) -> None:
    for i, row in enumerate(drawing.jacobian.tolist()):
        for j, entry in enumerate(row):
            red, green, blue, _ = image.cmap(image.norm(entry))
            dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < _DARK
            ax.text(
                *(j, i, _printed(entry, drawing.decimals)),
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=_text_size(drawing.n) * (0.8 if _is_long(entry, drawing.decimals) else 1),
            )


def bars(drawing: Drawing, ax: Any) -> None:
    """The probabilities, each beside its row."""
    n, p = drawing.n, drawing.probabilities
    beside = ax.inset_axes((1.06, 0, 0.62, 1), sharey=ax)
    beside.barh(range(n), p, height=0.7, color=to_rgb(BAR))
    limit = drawing.bar_limit
    beside.set_xlim(0, limit)
    beside.set_title("p", loc="left")
    beside.tick_params(which="both", length=0, labelleft=False)
    beside.set_xticks([0, limit / 2, limit], labels=[f"{x:g}" for x in (0, limit / 2, limit)])
    beside.spines[["top", "right", "bottom"]].set_visible(False)
    if n <= NAMED:
        for i, value in enumerate(p.tolist()):
            inside = value > 0.6 * limit
            beside.annotate(
                _printed(value, 4 if n <= NUMBERED else 3),
                (value, i),
                xytext=(-3 if inside else 3, 0),
                textcoords="offset points",
                va="center",
                ha="right" if inside else "left",
                color="white" if inside else "black",
                fontsize=_text_size(n),
            )


def _names(letter: str, n: int) -> list[str]:
    return [f"{letter}[{k}]" if n <= NUMBERED else str(k) for k in range(n)]


def _columns(drawing: Drawing) -> list[str]:
    """The logits, with their values where those fit."""
    n, names = drawing.n, _names("z", drawing.n)
    values = [_minus(f"{z + 0.0:.{4 if n <= _FOUR_DIGITS else 3}g}") for z in drawing.logits.tolist()]
    width = max(map(len, values)) * _GLYPH * _text_size(n)
    if n > NUMBERED or width > 72 * side(drawing) / n:
        return names
    return [f"{name}\n{value}" for name, value in zip(names, values, strict=True)]


def _text_size(n: int) -> float:
    return max(_SMALLEST_TEXT, min(_LARGEST_TEXT, 13 - 0.65 * n))


def _printed(value: float, decimals: int) -> str:
    return _minus(number(value, decimals))


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def _is_long(value: float, decimals: int) -> bool:
    return "e" in number(value, decimals)


def written(drawing: Drawing, form: str) -> bytes:
    """The picture as a file: png, svg or pdf. The settings of the machine's matplotlib have no part in it."""
    file = io.BytesIO()
    with context(["default", _STYLE]):
        figure = Figure(figsize=size(drawing), layout="compressed")
        draw(drawing, figure.subplots())
        figure.savefig(
            file, format=form, dpi=150, bbox_inches="tight", pad_inches=0.12, metadata=_metadata(drawing, form)
        )
    return described(file.getvalue(), drawing) if form == "svg" else file.getvalue()


def _metadata(drawing: Drawing, form: str) -> dict[str, str | None]:
    """Title and description as each format has them, and nothing that changes from run to run."""
    title, description = drawing.title, drawing.description
    match form:
        case "png":
            return {"Title": title, "Description": description, "Software": None}
        case "pdf":
            own = {"CreationDate": None, "Creator": f"matplotlib {mpl.__version__}", "Producer": None}
            return {"Title": title, "Subject": description, **own}
        case _:
            return {"Title": title, "Description": description, "Date": None}


def described(svg: bytes, drawing: Drawing) -> bytes:
    """The SVG with <desc> beside its <title>, and both named as what a screen reader says of the picture."""
    text = svg.decode()
    labels = ' role="img" aria-labelledby="softjac-title softjac-desc"'
    text = re.sub(r"(<svg [^>]*)>", rf"\1{labels}>", text, count=1)
    title, desc = (f"{escape(words)}" for words in (drawing.title, drawing.description))
    own = f'<title id="softjac-title">{title}</title>\n <desc id="softjac-desc">{desc}</desc>'
    return re.sub(r"<title>[^<]*</title>", lambda _: own, text, count=1).encode()
