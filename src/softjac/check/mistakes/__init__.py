"""The mistakes that have a name: wrong implementations, and the words for them."""

from __future__ import annotations

from softjac.check.mistakes import (
    of_behaviour,
    of_entries,
    of_exponentials,
    of_jacobian,
    of_labels,
    of_losses,
    of_other_losses,
    of_precision,
    of_products,
    of_rows,
    of_smoothing,
    of_softmax,
    of_sums,
    of_types,
)
from softjac.check.mistakes.recipe import RIGHT, Prediction, Recipe, Situation
from softjac.check.mistakes.table import Formed, Mistake, Variant

MISTAKES: tuple[Mistake, ...] = (
    *of_jacobian.MISTAKES,
    *of_products.MISTAKES,
    *of_softmax.MISTAKES,
    *of_rows.MISTAKES,
    *of_exponentials.MISTAKES,
    *of_sums.MISTAKES,
    *of_losses.MISTAKES,
    *of_entries.MISTAKES,
    *of_labels.MISTAKES,
    *of_smoothing.MISTAKES,
    *of_other_losses.MISTAKES,
    *of_precision.MISTAKES,
    *of_types.MISTAKES,
    *of_behaviour.MISTAKES,
)

BY_NAME: dict[str, Mistake] = {mistake.name: mistake for mistake in MISTAKES}

__all__ = ["BY_NAME", "MISTAKES", "RIGHT", "Formed", "Mistake", "Prediction", "Recipe", "Situation", "Variant"]
