#!/usr/bin/env python3
"""Reference values of the diagnostics' tests: PSIS, split R-hat, ESS, MCSE, transport, distances, Sobol, ndtri.

    pip install "arviz<1" scipy pot
    python3 diagnostics.py

Prints what the tests hold as literals. Every input is a closed formula that the tests evaluate themselves.
"""

import warnings

import numpy as np

warnings.simplefilter("ignore")
import arviz as az
import ot
from scipy.optimize import linprog
from scipy.special import ndtri
from scipy.stats import qmc


def log_weights(count, tail, scale=1.0):
    """log w_s = -tail log(1 - u) + scale u on a shuffled grid u = i/(S + 1): `tail` is the true Pareto shape."""
    i = (np.arange(count) * 7919) % count + 1
    u = i / (count + 1)
    return -tail * np.log(1 - u) + scale * u


def iterates(rows):
    """Columns: white, correlated, drifting, constant, slow wave; from a 32-bit linear congruential generator."""
    state, noise = 12345, []
    for _ in range(2 * rows):
        state = (1664525 * state + 1013904223) % 2**32
        noise.append(state / 2**32 - 0.5)
    white, other = np.array(noise[0::2]), np.array(noise[1::2])
    correlated = np.zeros(rows)
    alternating = np.zeros(rows)
    for t in range(1, rows):
        correlated[t] = 0.9 * correlated[t - 1] + other[t]
        alternating[t] = -0.5 * alternating[t - 1] + white[t]
    t = np.arange(rows)
    return np.stack(
        [white, correlated, white + 3 * t / rows, 1e6 + correlated, alternating, (t % 50) / 50 + 0.1 * white], axis=1)


def psis():
    for count in (30, 200, 1000, 5000):
        for tail, scale in ((0.1, 0.0), (0.3, 1.0), (0.6, 0.0), (1.2, 0.5), (0.0, 2.0)):
            raw = log_weights(count, tail, scale)
            smoothed, shape = az.psislw(raw)
            weights = np.exp(smoothed)
            order = np.argsort(raw, kind="stable")
            print("psis", count, tail, scale, repr(float(shape)), repr(float(smoothed[order[-1]])),
                  repr(float(smoothed[order[-3]])), repr(float(smoothed[order[0]])), repr(float(1 / (weights**2).sum())))


def series():
    for rows in (9, 100, 1001):
        x = iterates(rows)
        half = rows // 2
        for k in range(x.shape[1]):
            column = x[:, k]
            rhat = az.rhat(np.stack([column[:half], column[-half:]]), method="identity")
            print("series", rows, k, repr(float(rhat)), repr(float(az.ess(column[None], method="mean"))),
                  repr(float(az.mcse(column[None], method="mean"))))


def cost_matrix(n, m):
    i, j = np.meshgrid(np.arange(n), np.arange(m), indexing="ij")
    return ((i * j * 3701 + i * 113 + j * j * 59) % 1009) / 8.0


def transport():
    for n, m in ((3, 5), (40, 25), (60, 60)):
        for general in (False, True):
            a = np.ones(n) if not general else (np.arange(n) * 7 % 11) + 0.0
            b = np.ones(m) if not general else (np.arange(m) * 5 % 13) + 0.5
            a, b, cost = a / a.sum(), b / b.sum(), cost_matrix(n, m)
            rows = np.kron(np.eye(n), np.ones(m))
            columns = np.kron(np.ones(n), np.eye(m))
            exact = linprog(cost.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([a, b])).fun
            print("transport", n, m, general, repr(float(ot.emd2(a, b, cost))), repr(float(exact)))


def mixture(count, d, seed):
    """Means [count, d] and variances from the fractional parts of multiples of an irrational number."""
    means = 6 * ((np.arange(count * d) + seed) * 0.6180339887498949 % 1) - 3
    return means.reshape(count, d), 0.2 + ((np.arange(count) + seed) * 0.41421356237309515 % 1)


def covariance(d, seed):
    i, j = np.meshgrid(np.arange(d), np.arange(d), indexing="ij")
    factor = np.tril(((i * d + j + seed) * 0.7320508075688772 % 1) - 0.5) + np.eye(d)
    return factor @ factor.T


def distances():
    for n, m, d in ((4, 7, 3), (20, 12, 2)):
        (x, e), (y, f) = mixture(n, d, 1), mixture(m, d, 5)
        cost = ot.dist(x, y) + d * (np.sqrt(e)[:, None] - np.sqrt(f)[None]) ** 2
        print("mixture", n, m, d, repr(float(ot.emd2(ot.unif(n), ot.unif(m), cost))))
        c, s = covariance(d, 1), covariance(d, 9)
        cost = np.array([[ot.gaussian.bures_wasserstein_distance(x[i], y[j], e[i] * c, f[j] * s) ** 2
                          for j in range(m)] for i in range(n)])
        print("shaped", n, m, d, repr(float(ot.emd2(ot.unif(n), ot.unif(m), cost))))
    for d in (1, 2, 5, 30):
        (x, _), (y, _) = mixture(1, d, 1), mixture(1, d, 5)
        value = ot.gaussian.bures_wasserstein_distance(x[0], y[0], covariance(d, 1), covariance(d, 9)) ** 2
        print("gaussian", d, repr(float(value)))


def comparison():
    """Two and three components with metrics of every kind, as CompareCommandTests writes them to mixture.json."""
    first = (np.array([[0, 1], [3, -2]]), np.array([0.5, 1.5]))
    second = (np.array([[1, 1], [2, -3], [-4, 0.5]]), np.array([1, 0.25, 2]))
    factors = {"dense": np.array([[1, 0.5], [0.25, 2]]), "other": np.array([[2, 0], [-1, 0.5]]),
               "diagonal": np.diag([0.5, 3]), "unit": np.eye(2)}
    for a, b in (("dense", "other"), ("diagonal", "unit"), ("diagonal", "other"), ("unit", "unit")):
        (x, e), (y, f), c, s = first, second, factors[a] @ factors[a].T, factors[b] @ factors[b].T
        cost = np.array([[ot.gaussian.bures_wasserstein_distance(x[i], y[j], e[i] * c, f[j] * s) ** 2
                          for j in range(3)] for i in range(2)])
        print("comparison", a, b, repr(float(np.sqrt(ot.emd2(ot.unif(2), ot.unif(3), cost)))))
        for means, scales, shape in ((x, e, c), (y, f, s)):
            deviations = np.sqrt(scales.mean() * np.diag(shape) + means.var(axis=0))
            print("moments", means.mean(axis=0).tolist(), deviations.tolist())


def sobol():
    points = (qmc.Sobol(4096, scramble=False, bits=30).random(2048) * 2**30).astype(np.int64)
    print("sobol first eight of 0, 1, 2, 1023, 4095", [points[:8, j].tolist() for j in (0, 1, 2, 1023, 4095)])
    hashed = 0
    for row in points:
        hashed = (hashed * 31 + int(((row >> 19) * (np.arange(4096) + 1)).sum())) % (2**32 - 5)
    print("sobol hash", hashed)
    for p in (1e-300, 1e-20, 2.0**-31, 1e-6, 0.001, 0.02425, 0.075, 0.0750000001, 0.3, 0.4999, 0.6, 0.925, 0.99,
              1 - 2.0**-31):
        print("ndtri", repr(p), repr(float(ndtri(p))))


if __name__ == "__main__":
    for part in (psis, series, transport, distances, comparison, sobol):
        part()
