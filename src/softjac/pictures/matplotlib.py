"""A Jacobian drawn with matplotlib, and written as PNG, SVG or PDF, the same bytes each time."""

import io
import re
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.style import context
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from softjac.errors import DTypeError
from softjac.pictures._drawing import MINUS, NAMED, NUMBERED, Drawing, number

COLOURS = "RdBu"
"""Red, white, blue: told apart with any kind of colour blindness."""
BAR, BAR_ON_DARK = "#4d4d4d", "#b3b3b3"
_READABLE = 4.5  # contrast of text to its ground, from the guidelines on web accessibility
_DARK = 0.45  # luminance below which a number is written in white
_CELL, _LEAST, _MOST = 0.62, 2.2, 5.4  # inches: a cell, and the matrix
_GLYPH = 0.66  # width of a character in its own size, with a little room
_FOUR_DIGITS = 6  # so many classes have room for logits of four digits
_LARGEST_TEXT, _SMALLEST_TEXT = 10.0, 6.0
_LEGIBLE = 4.0  # points: in Axes that are given, text that would be smaller is left out
_LARGEST_TITLE, _SMALLEST_TITLE = 12.0, 5.0
_BESIDE, _BELOW = 0.68, 0.12  # the bars and the scale, as parts of the side of the matrix
_MARGIN = 3.0  # points, between what is drawn and the box of the given Axes
_LONGEST_REPR = 60
_FORMULA = "J[i,j] = \N{PARTIAL DIFFERENTIAL}p[i]/\N{PARTIAL DIFFERENTIAL}z[j]"
_STYLE = {"svg.hashsalt": "softjac", "svg.fonttype": "path", "pdf.fonttype": 42, "savefig.facecolor": "white"}


def draw(drawing: Drawing, ax: Any = None) -> Any:
    """The drawing within the box of ``ax``, or in a new figure of pyplot; gives the Axes back."""
    if ax is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size(drawing), layout="compressed")
        if figure.canvas.manager is not None:
            figure.canvas.manager.set_window_title(drawing.title)
        return fill(drawing, figure.subplots())
    _check_axes(ax)
    former = ax.get_axes_locator()
    room = Room(ax, former.former if isinstance(former, Room) else former)
    width, height = room.points()
    sizes = sizes_within(drawing, width, height)
    fill(drawing, ax, sizes)
    ax.set_axes_locator(room)
    room.measure()
    return ax


def fill(drawing: Drawing, ax: Any, sizes: "Sizes | None" = None) -> Any:
    """Heat map in ``ax``, bars and scale beside and below it; without sizes, those of a figure of its own."""
    sizes = sizes or Sizes(side(drawing), _text_size(drawing.n), _text_size(drawing.n))
    heat_map(drawing, ax, sizes)
    ax.images[-1].set_label(drawing.description)
    bars(drawing, ax, sizes)
    return ax


def _check_axes(ax: Any) -> None:
    if isinstance(ax, Axes) and ax.name == "rectilinear":
        return
    if isinstance(ax, Axes):
        what = f"of the projection {ax.name}"
    elif hasattr(ax, "shape"):
        what = f"an array of shape {ax.shape}"
    else:
        what = " ".join(repr(ax).split())
        what = what if len(what) < _LONGEST_REPR else f"of type {type(ax).__name__}"
    raise DTypeError(f"ax is {what}: pass a matplotlib Axes, as from plt.subplots()")


def side(drawing: Drawing) -> float:
    """Of the matrix, in inches."""
    return min(max(_CELL * drawing.n, _LEAST), _MOST)


def size(drawing: Drawing) -> tuple[float, float]:
    """Width and height of a figure in inches."""
    return side(drawing) + 3.1, side(drawing) + 1.5


@dataclass(frozen=True)
class Sizes:
    """Side of the matrix in inches, and of each kind of text in points: 0 leaves it out, None is that of the style."""

    side: float
    names: float
    numbers: float
    around: float | None = None
    title: float | None = None
    wide_title: bool = True

    @property
    def ticks(self) -> dict[str, float]:
        """What ``tick_params`` is told of the numbers on an axis."""
        return {} if self.around is None else {"labelsize": self.around}


def _font(points: float | None) -> dict[str, float]:
    return {} if points is None else {"fontsize": points}


def sizes_within(drawing: Drawing, width: float, height: float) -> Sizes:
    """So that the picture fits in so many points: as in a figure of its own, smaller where it has to be."""
    n = drawing.n
    matrix = max(min((width - 35) / (1 + _BESIDE), (height - 75) / (1 + _BELOW)), 1.0)  # 35, 75: names, titles, scale
    cell, shrink = matrix / n, min(1.0, matrix / (72 * _LEAST))
    around = max(_LEGIBLE, shrink * _LARGEST_TEXT)
    numbers = [number(x, drawing.decimals) for x in drawing.jacobian.ravel().tolist()] if n <= NUMBERED else [""]
    widest = max(len(text) * (0.8 if "e" in text else 1) for text in numbers)
    names = max(map(len, _names("z", n)))
    formula = len(drawing.title + _FORMULA) + 2
    wide = 0.55 * _LARGEST_TITLE * formula < matrix  # else it could meet the title of the bars
    title = _LARGEST_TITLE if wide else matrix / (0.6 * len(_FORMULA))
    return Sizes(
        side=matrix / 72,
        names=_fitting(min(_text_size(n), around), names, cell),
        numbers=_fitting(
            _text_size(n), widest, 0.95 * cell, least=_LEGIBLE / (0.8 if any("e" in x for x in numbers) else 1)
        ),
        around=around,
        title=max(_SMALLEST_TITLE, min(_LARGEST_TITLE, title, 1.2 * around)),
        wide_title=wide,
    )


def _fitting(most: float, characters: float, width: float, least: float = _LEGIBLE) -> float:
    text_size = min(most, width / (_GLYPH * max(characters, 1)), 0.8 * width)
    return text_size if text_size >= least else 0


class Room:
    """Puts the matrix where it, the bars, the scale and all text stay within the box that the layout gave the Axes.

    matplotlib calls it, as it does the locator of a colour bar, each time that the figure is drawn or laid out.
    """

    def __init__(self, ax: Any, former: Any) -> None:
        self.ax, self.former = ax, former
        self.left = self.right = self.top = self.bottom = 0.0  # points beyond matrix, bars and scale

    def get_subplotspec(self) -> Any:
        """Where the Axes stand in their grid: tight_layout asks the locator for it."""
        return self.ax.get_subplotspec()

    def box(self, renderer: Any = None) -> Bbox:
        """What the layout gave, in pixels."""
        given = self.former(self.ax, renderer) if self.former else self.ax.get_position(original=True)
        return Bbox(given.transformed(self.ax.figure.transSubfigure).get_points())

    def points(self) -> tuple[float, float]:
        """Its width and height."""
        box = self.box()
        return box.width * 72 / self.ax.figure.dpi, box.height * 72 / self.ax.figure.dpi

    def __call__(self, ax: Any, renderer: Any = None) -> Bbox:
        """The square of the matrix, in parts of the figure."""
        box, unit = self.box(renderer), ax.figure.dpi / 72
        left, right, top, bottom = (unit * (x + _MARGIN) for x in (self.left, self.right, self.top, self.bottom))
        width, height = box.width - left - right, box.height - top - bottom
        matrix = max(min(width / (1 + _BESIDE), height / (1 + _BELOW)), 1.0)
        x = box.x0 + left + (width - matrix * (1 + _BESIDE)) / 2
        y = box.y1 - top - (height - matrix * (1 + _BELOW)) / 2 - matrix
        square = Bbox.from_bounds(x, y, matrix, matrix)
        return Bbox(square.transformed(ax.figure.transSubfigure.inverted()).get_points())

    def measure(self) -> None:
        """How far text stands out. Twice, for it depends a little on the size that it leaves for the matrix."""
        ax = self.ax
        for _ in range(2):
            ax.apply_aspect(self(ax))
            inner, unit = ax.get_window_extent(), 72 / ax.figure.dpi
            outer = ax.get_tightbbox()
            side_now = inner.width
            self.left = unit * (inner.x0 - outer.x0)
            self.right = max(0.0, unit * (outer.x1 - inner.x1 - _BESIDE * side_now))
            self.top = unit * (outer.y1 - inner.y1)
            self.bottom = max(0.0, unit * (inner.y0 - outer.y0 - _BELOW * side_now))


def heat_map(drawing: Drawing, ax: Any, sizes: Sizes) -> None:
    """The matrix, its numbers where they fit, and the scale below it."""
    n = drawing.n
    most = drawing.largest or 1.0
    image = ax.imshow(drawing.jacobian, cmap=COLOURS, vmin=-most, vmax=most, interpolation="nearest")
    ax.set_title((": " if sizes.wide_title else "\n").join((drawing.title, _FORMULA)), loc="left", **_font(sizes.title))
    ax.xaxis.tick_top()
    ax.grid(visible=False)
    if n <= NAMED and sizes.names:
        ax.set_xticks(range(n), _columns(drawing, sizes), fontsize=sizes.names)
        ax.set_yticks(range(n), _names("p", n), fontsize=sizes.names)
        ax.set_xticks([k + 0.5 for k in range(n - 1)], minor=True)
        ax.set_yticks([k + 0.5 for k in range(n - 1)], minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5 if n <= NUMBERED else 0.5)
    else:
        for axis, name in ((ax.xaxis, "z"), (ax.yaxis, "p")):
            axis.set_major_locator(MaxNLocator(integer=True))
            axis.set_label_text(f"class of {name}, from 0", **_font(sizes.around))
        ax.xaxis.set_label_position("top")
    ax.tick_params(which="both", length=0)
    if sizes.around and not (n <= NAMED and sizes.names):
        ax.tick_params(labelsize=sizes.around)
    ax.spines[:].set_visible(False)
    if n <= NUMBERED and sizes.numbers:
        _write_numbers(drawing, ax, image, sizes.numbers)
    scale = ax.figure.colorbar(image, cax=ax.inset_axes((0, -0.12, 1, 0.04)), orientation="horizontal")
    scale.set_ticks([-most, 0, most], labels=[_printed(x, 4 if drawing.largest else 0) for x in (-most, 0, most)])
    first, _, last = scale.ax.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0, **sizes.ticks)


def _write_numbers(drawing: Drawing, ax: Any, image: Any, text_size: float) -> None:
    for i, row in enumerate(drawing.jacobian.tolist()):
        for j, entry in enumerate(row):
            red, green, blue, _ = image.cmap(image.norm(entry))
            dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < _DARK
            ax.text(
                *(j, i, _printed(entry, drawing.decimals)),
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=text_size * (0.8 if _is_long(entry, drawing.decimals) else 1),
            )


def bars(drawing: Drawing, ax: Any, sizes: Sizes) -> None:
    """The probabilities, each beside its row."""
    n, p = drawing.n, drawing.probabilities
    beside = ax.inset_axes((1.06, 0, 0.62, 1), sharey=ax)
    ground = _ground(beside)
    bar = BAR if _contrast(BAR, ground) > _contrast(BAR_ON_DARK, ground) else BAR_ON_DARK
    on_bar, on_ground = _text_colour(bar, "white"), _text_colour(ground, mpl.rcParams["text.color"])
    beside.barh(range(n), p, height=0.7, color=to_rgb(bar))
    limit = drawing.bar_limit
    beside.set_xlim(0, limit)
    beside.set_title("p", loc="left", **_font(sizes.title))
    beside.grid(visible=False)
    beside.tick_params(which="both", length=0, labelleft=False, **sizes.ticks)
    beside.set_xticks([0, limit / 2, limit], labels=[f"{x:g}" for x in (0, limit / 2, limit)])
    beside.spines[["top", "right", "bottom"]].set_visible(False)
    if n <= NAMED and sizes.names:
        for i, value in enumerate(p.tolist()):
            inside = value > 0.6 * limit
            beside.annotate(
                _printed(value, 4 if n <= NUMBERED else 3),
                (value, i),
                xytext=(-3 if inside else 3, 0),
                textcoords="offset points",
                va="center",
                ha="right" if inside else "left",
                color=on_bar if inside else on_ground,
                fontsize=sizes.names,
            )


def _ground(ax: Any) -> Any:
    """The colour behind what is drawn in the Axes, which may be transparent, as may the figure: on paper then."""
    shown = (part.get_facecolor() for part in (ax, ax.figure) if to_rgba(part.get_facecolor())[3])
    return next(shown, "white")


def _text_colour(ground: Any, wanted: Any) -> Any:
    """The wanted one, that of the style, where it can be read; else black or white."""
    if _contrast(wanted, ground) >= _READABLE:
        return wanted
    return max(("black", "white"), key=lambda colour: _contrast(colour, ground))


def _contrast(one: Any, other: Any) -> float:
    low, high = sorted(_luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Any) -> float:
    """Relative luminance, of the guidelines on web accessibility."""
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _names(letter: str, n: int) -> list[str]:
    return [f"{letter}[{k}]" if n <= NUMBERED else str(k) for k in range(n)]


def _columns(drawing: Drawing, sizes: Sizes) -> list[str]:
    """The logits, with their values where those fit."""
    n, names = drawing.n, _names("z", drawing.n)
    values = [_minus(f"{z + 0.0:.{4 if n <= _FOUR_DIGITS else 3}g}") for z in drawing.logits.tolist()]
    width = max(map(len, values)) * _GLYPH * sizes.names
    if n > NUMBERED or width > 72 * sizes.side / n:
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
        fill(drawing, figure.subplots())
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
