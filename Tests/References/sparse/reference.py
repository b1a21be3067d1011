#!/usr/bin/env python3
"""Densities of sparse regressions with SciPy's csr_matrix: the figures in Tests/PosteriorsTests/SparseRowsTests.swift.

    python3 Tests/References/sparse/reference.py

V is minus the log posterior density with all constants, under a normal prior of scale 1.5. Needs NumPy and SciPy.
"""
import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit
from scipy.stats import bernoulli, norm

ROWS, COLUMNS, PRIOR, NOISE = 40, 12, 1.5, 0.7


def design() -> csr_matrix:
    """A quarter of the numbers; row 8 and column 9 have none."""
    places, numbers, offsets = [], [], [0]
    for row in range(ROWS):
        for column in range(COLUMNS):
            if (row * 7 + column * 5) % 4 == 0 and row != 8 and column != 9:
                places.append(column)
                numbers.append(np.sin(1 + 0.7 * row + 1.3 * column))
        offsets.append(len(places))
    return csr_matrix((numbers, places, offsets), shape=(ROWS, COLUMNS))


def main() -> None:
    x = design()
    theta = np.cos(0.5 + 0.9 * np.arange(COLUMNS))
    prior = -norm.logpdf(theta, scale=PRIOR).sum()
    predictor = x @ theta
    y = np.array([1.0 if (row * 7 + 3) % 5 < 2 else 0.0 for row in range(ROWS)])
    value = prior - bernoulli.logpmf(y.astype(int), expit(predictor)).sum()
    gradient = theta / PRIOR**2 + x.T @ (expit(predictor) - y)
    print("logistic", repr(float(value)), [float(g) for g in gradient])
    y = np.cos(0.9 * np.arange(ROWS))
    value = prior - norm.logpdf(y, predictor, NOISE).sum()
    gradient = theta / PRIOR**2 + x.T @ ((predictor - y) / NOISE**2)
    print("linear", repr(float(value)), [float(g) for g in gradient])


if __name__ == "__main__":
    main()
