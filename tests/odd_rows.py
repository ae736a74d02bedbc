"""Rows with infinities, NaN and masked elements, and what comes out: one table for all kernels and array libraries."""

import numpy as np

INF, NAN = np.inf, np.nan

# logits, where; then p, log p, 1 - p, log-sum-exp. Of the words on special values, one row each.
ODD_ROWS = [
    ([-INF, 0, 0], True, [0, 0.5, 0.5], [-INF, -np.log(2), -np.log(2)], [1, 0.5, 0.5], np.log(2)),
    ([INF, 0, -INF], True, [1, 0, 0], [0, -INF, -INF], [0, 1, 1], INF),
    ([INF, 3, INF], True, [NAN, 0, NAN], [NAN, -INF, NAN], [NAN, 1, NAN], INF),
    ([-INF, -INF], True, [NAN, NAN], [NAN, NAN], [NAN, NAN], -INF),
    ([-INF, -INF, 1], [True, True, False], [NAN, NAN, 0], [NAN, NAN, -INF], [NAN, NAN, 1], -INF),
    ([NAN, 0, -INF], True, [NAN] * 3, [NAN] * 3, [NAN] * 3, NAN),
    ([NAN, INF], True, [NAN] * 2, [NAN] * 2, [NAN] * 2, NAN),
    ([NAN, 1, 1], [False, True, True], [0, 0.5, 0.5], [-INF, -np.log(2), -np.log(2)], [1, 0.5, 0.5], 1 + np.log(2)),
    ([INF, 1, -INF], [False, True, True], [0, 1, 0], [-INF, 0, -INF], [1, 0, 1], 1),
    ([NAN, INF], False, [0, 0], [-INF, -INF], [1, 1], -INF),
    ([NAN], True, [NAN], [NAN], [NAN], NAN),
    ([5], True, [1], [0], [0], 5),
    ([-INF], True, [NAN], [NAN], [NAN], -INF),
]

# tangent, where; then the product with the Jacobian (or that of the log-probabilities), for logits [0, 1, 2, -inf].
ODD_TANGENTS = [
    ([INF, 1, 2, 3], True, [INF, -INF, -INF, 0]),
    ([1, -INF, 2, 3], True, [INF, -INF, INF, 0]),
    ([INF, 1, INF, 3], True, [NAN, -INF, NAN, 0]),
    ([INF, 1, -INF, 3], True, [NAN, NAN, NAN, 0]),
    ([1, 1, 1, INF], True, [0, 0, 0, 0]),
    ([1, 1, 1, NAN], True, [NAN] * 4),
    ([1, NAN, 1, INF], [True, False, True, True], [0, 0, 0, 0]),
    ([INF, 1, 1, 1], [True, False, False, True], [0, 0, 0, 0]),
    ([NAN, 1, 1, 1], False, [0, 0, 0, 0]),
]

# z, b, log-sum-exp.
ODD_WEIGHTS = [
    ([INF, 1], [0, 1], 1),
    ([NAN, 1], [0, 1], 1),
    ([INF, 1], [2, 1], INF),
    ([INF, 1], [-2, 1], NAN),
    ([INF, INF], [1, -1], NAN),
    ([INF, INF], [1, 1], INF),
    ([1, 2], [1, -1], NAN),
    ([3, 3], [1, -1], -INF),
    ([1, 2], [0, 0], -INF),
    ([1, 2], [-0.0, 0], -INF),
    ([-INF, 0], [5, 1], 0),
    ([-INF, 0], [-5, 1], 0),
    ([-INF, -INF], [1, 2], -INF),
    ([1, 2], [INF, 1], INF),
    ([1, 2], [-INF, 1], NAN),
    ([-INF, 2], [INF, 1], NAN),
    ([1, 2], [NAN, 1], NAN),
    ([-INF, 2], [NAN, 1], NAN),
    ([1, NAN], [1, 1], NAN),
    ([], [], -INF),
]


def derivatives_of(z, where):
    """For a row and its mask: which elements have derivatives other than 0, and which have NaN ones."""
    z, part = np.array(z), np.broadcast_to(where, len(z))
    alive = part & (z > -INF)
    if np.isnan(z[part]).any() or (part.any() and not alive.any()):
        return np.zeros(len(z), bool), part
    if (z[part] == INF).any():
        tops = part & (z == INF)
        return np.zeros(len(z), bool), tops if tops.sum() > 1 else np.zeros(len(z), bool)
    return alive, np.zeros(len(z), bool)
