"""`plot_jacobian` and `softjac plot`: what the picture shows, in which files, and what is said of mistakes."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import softjac
from cli_helpers import message, output
from softjac import pictures

mpl = pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'softjac[plot]'")
mpl.use("agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from plot_helpers import LOGITS, luminance, parts, texts  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    pyplot.close("all")


# ----------------------------------------------------------------------------------------------------- what it shows


@pytest.mark.parametrize("n", LOGITS)
def test_the_image_is_the_jacobian_and_the_bars_are_the_probabilities(n):
    ax = softjac.plot_jacobian(LOGITS[n])
    (image,) = ax.get_images()
    np.testing.assert_array_equal(image.get_array(), softjac.softmax_jacobian(LOGITS[n]))
    bars, _ = parts(ax)
    assert [bar.get_width() for bar in bars.patches] == softjac.softmax(LOGITS[n]).tolist()
    centres = [bar.get_y() + bar.get_height() / 2 for bar in bars.patches]
    np.testing.assert_allclose(centres, range(n), atol=1e-12)
    assert bars.get_ylim() == ax.get_ylim()
    assert bars.get_xlim()[1] >= softjac.softmax(LOGITS[n]).max()


@pytest.mark.parametrize("n", LOGITS)
def test_the_scale_is_centred_at_zero_and_holds_every_entry(n):
    (image,) = softjac.plot_jacobian(LOGITS[n]).get_images()
    least, most = image.get_clim()
    assert least == -most
    assert most == (np.abs(softjac.softmax_jacobian(LOGITS[n])).max() or 1)
    assert image.cmap.name == "RdBu"
    middle = np.array(image.cmap(image.norm(0.0))[:3])
    assert np.ptp(middle) < 0.01
    assert middle.min() > 0.95


@pytest.mark.parametrize("n", [1, 2, 3, 6, 8, 12])
def test_few_classes_have_their_numbers_in_the_cells(n):
    ax = softjac.plot_jacobian(LOGITS[n])
    J = softjac.softmax_jacobian(LOGITS[n])
    decimals = {1: 4, 2: 4, 3: 4, 6: 4, 8: 3, 12: 2}[n]
    assert len(ax.texts) == n * n
    for text, shown in zip(ax.texts, texts(ax), strict=True):
        j, i = (int(x) for x in text.get_position())
        unit = 0.5 * 10.0**-decimals
        assert float(shown) == pytest.approx(J[i, j], abs=unit if abs(J[i, j]) > unit else 0, rel=0.5)
        assert (float(shown) == 0) == (J[i, j] == 0)
        assert np.sign(float(shown)) == np.sign(J[i, j])


def test_the_numbers_of_three_logits():
    assert texts(softjac.plot_jacobian([1, 2, 3])) == [
        *("0.0819", "-0.0220", "-0.0599"),
        *("-0.0220", "0.1848", "-0.1628"),
        *("-0.0599", "-0.1628", "0.2227"),
    ]


def test_a_saturated_entry_is_not_shown_as_zero():
    assert texts(softjac.plot_jacobian([0, 20])) == ["2.1e-9", "-2.1e-9", "-2.1e-9", "2.1e-9"]


def test_many_classes_have_colours_alone():
    ax = softjac.plot_jacobian(LOGITS[30])
    assert not ax.texts
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(k) for k in range(30)]
    assert len(softjac.plot_jacobian(np.zeros(200)).get_xticks()) < 30


@pytest.mark.parametrize("n", LOGITS)
def test_no_text_leaves_its_cell_or_the_figure_and_none_overlap(n):
    ax = softjac.plot_jacobian(LOGITS[n])
    figure = ax.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    cell = ax.get_window_extent(renderer).width / n
    for text in ax.texts:
        box = text.get_window_extent(renderer)
        assert box.width < 0.97 * cell
        assert box.height < cell
    for axis in (ax.xaxis, ax.yaxis):
        boxes = [label.get_window_extent(renderer) for label in axis.get_ticklabels() if label.get_text()]
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    bars, scale = parts(ax)
    for shown in (ax, bars, scale):
        box = shown.get_tightbbox(renderer)
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


@pytest.mark.parametrize("n", [2, 3, 6, 8, 12])
def test_numbers_have_a_contrast_of_4_5_to_their_cells(n):
    ax = softjac.plot_jacobian(LOGITS[n])
    (image,) = ax.get_images()
    for text in ax.texts:
        j, i = (int(x) for x in text.get_position())
        cell = luminance(image.cmap(image.norm(image.get_array()[i, j])))
        number = luminance(mpl.colors.to_rgba(text.get_color()))
        assert (max(cell, number) + 0.05) / (min(cell, number) + 0.05) >= 4.5


def test_signs_differ_in_lightness_for_all_kinds_of_colour_blindness():
    """Equal magnitudes of both signs, at half the scale and at its end, seen without red, green or blue cones."""
    colours = mpl.colormaps["RdBu"]
    for place in (0.25, 0.5):
        low, high = (np.array(colours(0.5 + sign * place)[:3]) for sign in (-1, 1))
        for matrix in COLOUR_BLIND.values():
            seen = matrix @ low, matrix @ high
            assert np.linalg.norm(seen[0] - seen[1]) > 0.25


# Machado, Oliveira and Fernandes 2009, severity 1.0, on sRGB.
COLOUR_BLIND = {
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def test_it_draws_in_axes_that_are_given():
    figure = Figure()
    ax = figure.subplots()
    assert softjac.plot_jacobian([1, 2, 3], ax) is ax
    assert softjac.plot_jacobian([1, 2, 3], ax=figure.subplots()).figure is figure
    assert not pyplot.get_fignums()
    softjac.plot_jacobian([1, 2, 3])
    assert len(pyplot.get_fignums()) == 1


def test_title_and_description_are_within_reach(monkeypatch):
    titles = []
    monkeypatch.setattr(mpl.backend_bases.FigureManagerBase, "set_window_title", lambda _, title: titles.append(title))
    ax = softjac.plot_jacobian(LOGITS[3])
    assert titles[-1:] == ["Softmax Jacobian"]
    titles.clear()
    assert ax.get_images()[-1].get_label() == description(3)
    given = Figure().subplots()
    softjac.plot_jacobian(LOGITS[3], ax=given)
    assert given.get_images()[-1].get_label() == description(3)
    assert not titles
    assert "ax.images[-1].get_label()" in softjac.plot_jacobian.__doc__


@pytest.mark.parametrize("kind", [list, tuple, np.float32, np.float16, np.longdouble, np.int8])
def test_logits_of_any_kind(kind):
    logits = kind([1, 2, 3]) if kind in {list, tuple} else np.array([1, 2, 3], kind)
    assert texts(softjac.plot_jacobian(logits))[0] == "0.0819"


def test_infinite_logits_give_the_limit():
    assert texts(softjac.plot_jacobian([0.0, 1.0, -np.inf]))[:3] == ["0.1966", "-0.1966", "0"]


def test_the_settings_of_the_user_are_left_alone():
    before = dict(mpl.rcParams)
    softjac.plot_jacobian([1, 2, 3])
    pictures.load().written(pictures.drawing_of([1, 2, 3]), "svg")
    assert dict(mpl.rcParams) == before


# ------------------------------------------------------------------------------------------------------------ files


def picture(words, form, folder):
    path = folder / f"jacobian.{form}"
    assert output("plot", *words, "-o", str(path)) == ""
    return path.read_bytes()


def description(n):
    return pictures.drawing_of(LOGITS[n]).description


def test_the_description_has_every_number():
    assert description(3) == (
        "Heat map of the 3 by 3 matrix J[i,j] = dp[i]/dz[j] for the logits (1, 2, 3), beside bars of the probabilities."
        " The largest probability is p[2] = 0.6652. The probabilities are 0.0900, 0.2447, 0.6652. The entries: row 0:"
        " 0.0819, -0.0220, -0.0599; row 1: -0.0220, 0.1848, -0.1628; row 2: -0.0599, -0.1628, 0.2227. The diagonal,"
        " p[i] (1 - p[i]), is blue, for not negative; all else, -p[i] p[j], is red, for not positive. Rows and columns"
        " sum to zero."
    )
    assert "The only entry is 0" in description(1)
    assert len(description(30)) < 500


def test_svg_has_title_and_description_for_screen_readers(tmp_path):
    svg = picture(["1", "2", "3"], "svg", tmp_path)
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    title, desc = list(root)[:2]
    assert (title.tag, desc.tag) == (f"{SVG}title", f"{SVG}desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.text == "Softmax Jacobian"
    assert desc.text == description(3)
    assert b"<dc:date>" not in svg
    assert svg.endswith(b"</svg>\n")


def test_png_has_title_and_description(tmp_path):
    Image = pytest.importorskip("PIL.Image")  # matplotlib needs it
    with Image.open(io.BytesIO(picture(["1", "2", "3"], "png", tmp_path))) as image:
        assert image.text == {"Title": "Softmax Jacobian", "Description": description(3)}
        assert image.size[0] > 600
        assert image.getpixel((0, 0))[:3] == (255, 255, 255)


def test_pdf_has_title_and_subject_and_no_date(tmp_path):
    pdf = picture(["1", "2", "3"], "pdf", tmp_path)
    assert pdf.startswith(b"%PDF-")
    assert b"/Title (Softmax Jacobian)" in pdf
    assert b"/Subject (Heat map of the 3 by 3 matrix" in pdf
    assert b"Date" not in pdf


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_the_same_bytes_each_time_whatever_the_settings_of_matplotlib(form, tmp_path):
    first = picture(["1", "2", "3"], form, tmp_path)
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nimage.cmap: jet\nsvg.fonttype: none\naxes.facecolor: red\n")
    command = [sys.executable, "-m", "softjac", "plot", "1", "2", "3", "-o", f"again.{form}"]
    env = {**os.environ, "MATPLOTLIBRC": str(tmp_path), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / f"again.{form}").read_bytes() == first


def test_a_picture_on_standard_output():
    assert output("plot", "1", "2", "--format", "svg").startswith("<?xml")


def test_the_picture_of_the_readme_is_what_the_command_makes(tmp_path):
    """The same bytes with the version of matplotlib that made it; with another one, the same title and description."""
    path = ROOT / "docs" / "images" / "jacobian.svg"
    if not path.is_file():
        pytest.skip("docs/ is not here: run the tests in a clone")
    shown, made = path.read_bytes(), picture(["1", "2", "3"], "svg", tmp_path)
    version = re.compile(rb"Matplotlib v([\d.]+)")
    if version.search(shown)[1] == version.search(made)[1]:
        assert shown == made
    else:
        assert [child.text for child in list(ElementTree.fromstring(shown))[:2]] == [
            child.text for child in list(ElementTree.fromstring(made))[:2]
        ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    alternative, _ = re.search(r"!\[(.+?)\]\((docs/images/jacobian\.svg)\)", readme, flags=re.DOTALL).groups()
    assert len(alternative) > 40


# --------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("logits", "error", "said"),
    [
        ([[1, 2]], softjac.ShapeError, r"logits has shape \(1, 2\): a picture is of one vector"),
        ([], softjac.ShapeError, r"logits has shape \(0,\)"),
        (3.0, softjac.SoftjacError, "logits"),
        ([1, np.nan], softjac.ArgumentError, "logits holds NaN at position 1: a picture needs numbers"),
        ([np.inf, np.inf], softjac.ArgumentError, "logits holds more than one inf"),
        (np.zeros(1001), softjac.ArgumentError, "logits has 1001 classes: a picture shows at most 1000"),
        (["a"], softjac.DTypeError, "logits"),
    ],
)
def test_what_cannot_be_drawn(logits, error, said):
    with pytest.raises(error, match=said):
        softjac.plot_jacobian(logits)
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["1", "2"], "a picture needs a file: add -o jacobian.svg, .png or .pdf"),
        (["1", "2", "--format", "png"], "png is not text for a screen: name a file for it, as -o FILE.png"),
        (["1", "2", "--format", "jpg"], "unknown format 'jpg': did you mean png?"),
        (
            ["1", "-o", "x.jpg"],
            "-o x.jpg: the suffix tells the format, and is one of .svg, .png, .pdf; or add --format",
        ),
        (["1", "nan", "-o", "x.png"], "logits holds NaN at position 1: a picture needs numbers."),
        (["0"] * 1001 + ["-o", "x.png"], "the list has 1001 logits, and plot takes up to 1000: softjac jacobian takes"),
        (["-o", "x.png"], "no logits: give numbers (1 2 3), a file of rows (.csv, .npy, .npz), or - for standard"),
        (["1", "-o", "no/x.png"], "-o no/x.png: there is no folder no"),
    ],
    ids=lambda words: " ".join(words)[-40:] if isinstance(words, list) else "",
)
def test_what_is_said_of_mistakes(words, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message("plot", *words).startswith(expected)
    assert not list(tmp_path.iterdir())


WITHOUT = """
import sys
sys.modules["matplotlib"] = None  # importing it raises ImportError
import softjac
from softjac.cli import main
try:
    softjac.plot_jacobian([1, 2])
except ImportError as error:
    print(error)
print(main(["plot", "1", "2", "-o", "x.png"]))
"""


def test_without_matplotlib_the_pip_command_is_named(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    said = "pictures need one more package, matplotlib: pip install 'softjac[plot]'"
    assert done.stdout == f"{said}\n2\n"
    assert done.stderr == f"softjac: {said}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_the_command_needs_no_backend(form, tmp_path):
    command = [sys.executable, "-m", "softjac", "plot", "1", "2", "-o", f"x.{form}"]
    env = {**os.environ, "MPLBACKEND": "nonsense"}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / f"x.{form}").stat().st_size > 1000


def test_a_broken_matplotlib_is_not_called_missing(tmp_path):
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").write_text("import a_part_that_is_lost\n")
    command = [sys.executable, "-m", "softjac", "plot", "1", "2", "-o", "x.png"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "softjac: matplotlib is installed, but importing it fails (No module named 'a_part_that_is_lost'):"
        " pip install --force-reinstall matplotlib\n"
    )
    assert not (tmp_path / "x.png").exists()
