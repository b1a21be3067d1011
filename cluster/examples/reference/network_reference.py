#!/usr/bin/env python3
"""Values that the tests of networks and analytic targets hold as literals, by NumPy and SciPy.

    pip install numpy scipy
    python3 network_reference.py

Networks: rows and theta are fixed formulas (below), prior scale 1.5, noise 0.7, half-normal scale 0.9. Theta is, layer by
layer, the weights (row-major by unit), then the biases; with learned noise it ends in log noise.
"""
import math

import numpy as np
from scipy import stats

ROWS, COLUMNS = 23, 4


def forward(hidden, outputs, activation, extra=0):
    """Outputs [rows, outputs] of the fixture, and theta."""
    i, k = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij")
    a = np.sin(1 + 0.7 * i + 1.3 * k)
    sizes = [COLUMNS, *hidden, outputs]
    theta = 0.8 * np.cos(2 + np.arange(sum((n + 1) * m for n, m in zip(sizes, sizes[1:])) + extra))
    start = 0
    for layer, (n, m) in enumerate(zip(sizes, sizes[1:])):
        weights = theta[start : start + n * m].reshape(m, n)
        biases = theta[start + n * m : start + (n + 1) * m]
        start += (n + 1) * m
        a = a @ weights.T + biases
        if layer < len(hidden):
            a = np.tanh(a) if activation == "tanh" else np.maximum(a, 0)
    return a, theta


def prior(theta):
    return -stats.norm.logpdf(theta, 0, 1.5).sum()


def network(hidden, activation):
    real = np.cos(0.9 * np.arange(ROWS))
    binary = (np.arange(ROWS) * 7 + 3) % 5 < 2
    classes = (np.arange(ROWS) * 5 + 1) % 3
    f, theta = forward(hidden, 1, activation)
    f = f[:, 0]
    known = prior(theta) - stats.norm.logpdf(real, f, 0.7).sum()
    logit = prior(theta) + (np.logaddexp(0, f) - binary * f).sum()
    g, theta = forward(hidden, 3, activation)
    softmax = prior(theta) + (np.log(np.exp(g).sum(1)) - g[np.arange(ROWS), classes]).sum()
    f, theta = forward(hidden, 1, activation, extra=1)
    noise = math.exp(theta[-1])
    learned = prior(theta[:-1]) - stats.halfnorm.logpdf(noise, 0, 0.9) - theta[-1]
    learned -= stats.norm.logpdf(real, f[:, 0], noise).sum()
    values = [f"{name}: {float(value)!r}" for name, value in
              [("real", known), ("learned", learned), ("binary", logit), ("classes", softmax)]]
    print(f"ForwardPass(.{activation}, {hidden}, {', '.join(values)})")


def student(x):
    return -math.log(
        0.3 * stats.multivariate_t.pdf(x, [1, -2], [[2, 0.6], [0.6, 1]], df=3)
        + 0.7 * stats.multivariate_t.pdf(x, [-0.5, 0.75], [[0.5, -0.3], [-0.3, 1.5]], df=7.5))


def banana(x, variance, curvature):
    return -(
        stats.norm.logpdf(x[0], 0, math.sqrt(variance))
        + stats.norm.logpdf(x[1], curvature * (x[0] ** 2 - variance), 1)
        + stats.norm.logpdf(x[2:]).sum())


def funnel(x, variance):
    return -(stats.norm.logpdf(x[0], 0, math.sqrt(variance))
             + stats.norm.logpdf(x[1:], 0, math.exp(x[0] / 2)).sum())


if __name__ == "__main__":
    for activation in ("relu", "tanh"):
        for hidden in ([3], [5, 3], [4, 3, 2]):
            network(hidden, activation)
    for x in ([0.2, 0.4], [3, -4], [-80, 90]):
        print("Student t mixture", x, student(x))
    odd = stats.multivariate_t([0.1, 0.2, 0.3], 2 * np.eye(3) + 0.5, df=4.5)
    print("Student t in three dimensions", -odd.logpdf([1, -1, 2]))
    for x in ([0.2, 0.4], [-3, 2.5]):
        print("banana", x, banana(x, 4, 0.5))
    print("banana in four dimensions", banana([1.5, -0.5, 0.3, 2], 3, -0.3))
    print("funnel in five dimensions", funnel([-0.7, 0.3, -0.2, 0.5, 1.1], 2))
    inputs = [1e-300, 1e-10, 1e-5, 0.01, 0.1, 0.17, 0.18, 0.3, 0.5, 0.54, 0.55, 0.7, 1, 1.3, 2, 3, 5, 10, 15, 19, 30]
    print("tanh", [(x, float(np.tanh(x))) for x in inputs])
