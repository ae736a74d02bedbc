"""Rows on which the derivatives of torch and JAX are held against the closed forms."""

import numpy as np

INF, NAN = np.inf, np.nan

# Logits with -inf and +inf, a mask that leaves a whole row out, and logits that would overflow.
LOGITS = [[0.5, 1, -INF, 2], [1, NAN, 3, -1], [NAN, 0, INF, 1], [INF, 0, 1, 2], [1e4, -1e4, 0, 1e4]]
PART = [[1, 1, 1, 1], [1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
