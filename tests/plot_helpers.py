"""What the tests of pictures share."""

import matplotlib as mpl
import numpy as np

LOGITS = {
    1: [7.0],
    2: [0.0, 20.0],
    3: [1.0, 2.0, 3.0],
    8: [1, -2, 0.5, 3, 2, 1.5, 0, -1],
    6: [1e5, 99999.5, 0.25, -1e-9, 99998.25, 0],
    12: np.linspace(-2, 3, 12),
    30: np.sin(np.arange(30.0)) * 2,
}


def texts(ax):
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts]


def parts(ax):
    """The bars, and the scale, which stand beside the matrix and below it."""
    scale, bars = sorted(ax.child_axes, key=lambda child: len(child.patches))
    return bars, scale


def luminance(colour):
    """Relative luminance as the guidelines on web accessibility define it."""
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in colour[:3]]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one, other):
    low, high = sorted(luminance(mpl.colors.to_rgba(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)
