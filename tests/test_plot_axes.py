"""`plot_jacobian` in Axes that are given: within their box, in any style, and no other ax."""

import re

import pytest

import softjac

mpl = pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'softjac[plot]'")
mpl.use("agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from plot_helpers import LOGITS, contrast, parts  # noqa: E402


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot", "Solarize_Light2", "grayscale"])
@pytest.mark.parametrize("logits", [[1, 2, 3], [0.0, 20.0]])
def test_the_labels_of_the_bars_can_be_read_in_any_style(style, logits):
    with pyplot.style.context(style):
        bars, _ = parts(softjac.plot_jacobian(logits, ax=pyplot.subplots()[1]))
    ground = bars.get_facecolor()
    for bar, label in zip(bars.patches, bars.texts, strict=True):
        assert contrast(bar.get_facecolor(), ground) >= 3
        under = bar.get_facecolor() if label.get_horizontalalignment() == "right" else ground
        assert contrast(label.get_color(), under) >= 4.5
    assert not any(line.get_visible() for line in bars.get_xgridlines())


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: 5, "ax is 5: pass a matplotlib Axes, as from plt.subplots()"),
        (lambda: Figure((6, 4)), "ax is <Figure size 600x400 with 0 Axes>: pass a matplotlib Axes"),
        (lambda: Figure().subplots(1, 2), "ax is an array of shape (2,): pass a matplotlib Axes"),
        (lambda: Figure().add_subplot(projection="3d"), "ax is of the projection 3d: pass a matplotlib Axes"),
        (lambda: Figure().add_subplot(projection="polar"), "ax is of the projection polar: pass a matplotlib Axes"),
        (lambda: "x" * 100, "ax is of type str: pass a matplotlib Axes"),
    ],
    ids=["int", "figure", "array", "3d", "polar", "long"],
)
def test_an_ax_that_is_none(made, said):
    ax = made()
    before = len(ax.get_children()) if hasattr(ax, "get_children") else 0
    with pytest.raises(softjac.DTypeError, match=re.escape(said)):
        softjac.plot_jacobian([1, 2, 3], ax=ax)
    assert (len(ax.get_children()) if hasattr(ax, "get_children") else 0) == before
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("n", "layout"),
    [*((n, None) for n in LOGITS), (3, "constrained"), (30, "constrained"), (3, "tight"), (8, "compressed")],
)
def test_in_given_axes_nothing_leaves_the_figure_or_its_place(n, layout):
    figure, ax = pyplot.subplots(layout=layout)
    softjac.plot_jacobian(LOGITS[n], ax=ax)
    assert_inside(figure.bbox, drawn(figure, ax))
    assert_texts_are_apart(figure, ax, n)

    figure, (left, right) = pyplot.subplots(1, 2, layout=layout)
    softjac.plot_jacobian(LOGITS[n], ax=left)
    softjac.plot_jacobian(LOGITS[n], ax=right)
    boxes = drawn(figure, left), drawn(figure, right)
    for box, ax in zip(boxes, (left, right), strict=True):
        assert_inside(figure.bbox, box)
        assert_texts_are_apart(figure, ax, n)
    assert boxes[0].x1 <= boxes[1].x0


def test_in_given_axes_it_uses_the_room_and_leaves_a_neighbour_alone():
    figure, (left, right) = pyplot.subplots(1, 2)
    right.plot([1, 2])
    before = right.get_position().bounds
    softjac.plot_jacobian([1, 2, 3], ax=left)
    assert drawn(figure, left).x1 <= right.get_tightbbox().x0
    assert right.get_position().bounds == before
    assert len(left.texts) == 9
    assert drawn(figure, left).width > 0.9 * left.get_position(original=True).width * figure.bbox.width


def test_axes_that_are_an_inset_or_in_a_subfigure_or_drawn_in_twice():
    figure = pyplot.figure()
    left, right = figure.subfigures(1, 2)
    ax = right.subplots()
    for _ in range(2):
        softjac.plot_jacobian([1, 2, 3], ax=ax)
    assert_inside(right.bbox, drawn(figure, ax))
    host = left.subplots()
    inset = host.inset_axes((0.1, 0.1, 0.8, 0.8))
    softjac.plot_jacobian([1, 2], ax=inset)
    assert_inside(host.bbox, drawn(figure, inset))


def drawn(figure, ax):
    figure.canvas.draw()
    return ax.get_tightbbox(figure.canvas.get_renderer())


def assert_inside(outer, box):
    assert outer.x0 <= box.x0
    assert outer.y0 <= box.y0
    assert box.x1 <= outer.x1
    assert box.y1 <= outer.y1


def assert_texts_are_apart(figure, ax, n):
    renderer = figure.canvas.get_renderer()
    cell = ax.get_window_extent(renderer).width / n
    for text in ax.texts:
        assert text.get_window_extent(renderer).width < cell
    bars, scale = parts(ax)
    title = text_box(ax, "Softmax", renderer)
    p = text_box(bars, "p", renderer)
    assert not title.overlaps(p)
    for axis in (ax.xaxis, ax.yaxis, bars.xaxis, scale.xaxis):
        boxes = [label.get_window_extent(renderer) for label in axis.get_ticklabels() if label.get_text()]
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])


def text_box(ax, start, renderer):
    (found, *_) = ax.findobj(lambda artist: getattr(artist, "get_text", str)().startswith(start))
    return found.get_window_extent(renderer)
