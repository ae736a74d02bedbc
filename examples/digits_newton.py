"""Multinomial logistic regression of scikit-learn's digits by Newton's method, with softjac's derivatives of the loss.

    python examples/digits_newton.py
    python examples/digits_newton.py 0.01

The number is C, as in scikit-learn's LogisticRegression: what is minimised is the mean loss of the images plus
|W|^2 / (2 C images), where W holds the coefficients. The intercepts b are not in the penalty. SciPy's trust-ncg solves
each Newton step by conjugate gradients; it asks for the gradient and for products with the Hessian, and no matrix is
built. Needs scikit-learn, which brings the digits, and SciPy; takes about a second.
"""

import argparse

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

import softjac


def fit(X, y, C=1.0, say=None):
    """Coefficients W and intercepts b, one row and one number a class, and SciPy's result.

    Adding one vector to all rows of W changes no probability. The penalty decides: the rows sum to zero. It leaves the
    intercepts alone; these sum to zero as well, for they start at zero, and every step sums to zero over the classes.
    """
    rows, features = X.shape
    shape = (y.max() + 1, features + 1)
    inputs = np.column_stack([X, np.ones(rows)])
    ridge = np.full(shape, 1 / (C * rows))
    ridge[:, -1] = 0

    def value_and_grad(parameters):
        W = parameters.reshape(shape)
        loss, slope = softjac.cross_entropy_value_and_grad(inputs @ W.T, y)
        return loss + np.sum(ridge * W * W) / 2, (slope.T @ inputs + ridge * W).ravel()

    def hvp(parameters, direction):
        W, V = parameters.reshape(shape), direction.reshape(shape)
        curved = softjac.cross_entropy_hvp(inputs @ W.T, y, inputs @ V.T)
        return (curved.T @ inputs + ridge * V).ravel()

    steps = []

    def progress(intermediate_result):
        steps.append(intermediate_result.fun)
        if say:
            slope = np.linalg.norm(value_and_grad(intermediate_result.x)[1])
            say(f"{len(steps):9}   {intermediate_result.fun:.12f}   {slope:.1e}")

    if say:
        say("iteration   objective        |gradient|")
    settings = {"method": "trust-ncg", "options": {"gtol": 1e-10}, "callback": progress}
    result = minimize(value_and_grad, np.zeros(np.prod(shape)), jac=True, hessp=hvp, **settings)
    W = result.x.reshape(shape)
    return W[:, :-1], W[:, -1], result


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("C", nargs="?", type=float, default=1.0, help="inverse of the penalty, as in scikit-learn")
    images, digits = load_digits(return_X_y=True)
    W, b, result = fit(images / 16, digits, parser.parse_args().C, say=print)
    right = np.sum((images / 16 @ W.T + b).argmax(axis=1) == digits)
    print(f"{result.nit} iterations, {result.nhev} products with the Hessian; {result.message}")
    print(f"accuracy on the same images: {right / len(digits):.4f} ({right} of {len(digits)})")


if __name__ == "__main__":
    main()
