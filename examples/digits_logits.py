"""Logits of a small classifier on scikit-learn's bundled digits: 1797 images, 10 classes, one row of a .csv an image.

    python examples/digits_logits.py digits_logits.csv
    softjac softmax digits_logits.csv
    softjac jacobian digits_logits.csv -o jacobians.npy

The classifier is a logistic regression on the 64 pixels. Nothing in it is random: it starts at zero, sees all images
in every step, and the images come with scikit-learn. Needs scikit-learn; takes about a second.
"""

import argparse
import csv

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression


def digits_logits():
    """The logits, float64 of shape (1797, 10), and the digit that each image shows."""
    images, digits = load_digits(return_X_y=True)
    classifier = LogisticRegression(C=0.01, max_iter=1000).fit(images / 16.0, digits)
    return classifier.decision_function(images / 16.0), digits


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?", default="digits_logits.csv", help="the .csv file to write")
    path = parser.parse_args().file
    logits, digits = digits_logits()
    with open(path, "w", newline="", encoding="ascii") as file:
        csv.writer(file, lineterminator="\n").writerows([repr(x) for x in row] for row in logits.tolist())
    right = (logits.argmax(axis=1) == digits).sum()
    print(f"{path}: {len(logits)} rows of {logits.shape[1]} logits; the largest is the right digit in {right} of them")


if __name__ == "__main__":
    main()
