"""Rows of logits with labels, for the tests of `softjac cross-entropy`."""

import numpy as np

OF_1_2_3 = """\
Cross-entropy, label 2 (classes count from 0)

 class                 0         1        *2
 logit       z         1         2         3
 probability p    0.0900    0.2447    0.6652
 label       y         0         0         1
 gradient  p-y   +0.0900   +0.2447   -0.3348    sum 0

loss = -log p[2] ~ 0.4076    (certain and right 0; uniform guess log 3 ~ 1.0986)
One step z - (p-y): p[2] 0.6652 -> 0.7725, loss 0.4076 -> 0.2582
"""
ROWS = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0], [0.0, 40.0, 0.0], [1.0, 1.0, 1.0], [-1.0, 0.5, -np.inf]])
LABELS = np.array([2, 0, 1, -100, 0])
PROGRAM = "cross-entropy"


def with_labels(at=-1):
    """The rows with their labels as a column."""
    place = at % (ROWS.shape[1] + 1)
    return np.insert(ROWS, place, LABELS, axis=1)


def write_csv(path, rows, header=None):
    with open(path, "w") as file:
        file.writelines([f"{header}\n"] if header else [])
        file.writelines(",".join(map(repr, row)) + "\n" for row in rows.tolist())
