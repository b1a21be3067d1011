#!/usr/bin/env python3
"""Make bands.json: what the NumPy reference gets for every row of reproduce.py, over several seeds.

    pip install numpy
    OPENBLAS_NUM_THREADS=1 python3 make-bands.py [--only WORD] [--missing]

In about forty minutes on one core. Nothing here comes from isomix: the method is ../reference/reference_mig.py, the
targets and the numbers of the experiments are below. For each row: the figure at the last iterate (-ELBO, or KL where
the normaliser is known) over the seeds, and with test data accuracy or RMSE of 1000 draws. A fit that leaves the
numbers (not finite, or a covariance that is not positive definite) has no figure; the row then holds how many did so.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER.parent / "data"
sys.path.append(str(FOLDER.parent / "reference"))

from bnn_reference import NeuralRegression
from experiments import TIMED_DIMENSIONS, band, draws_of, key, rows
from reference_mig import (
    Funnel, GaussianMixture, Logistic, SinhArcsinh, Softmax, draw, fit, fit_full, negative_elbo, read_csv, standardise,
    uniform_start)

EVALUATION_SEED = 1000
PREDICTION_DRAWS = 1000
# isomix changes log variances by at most this in a step; the formulas alone have no limit.
LOG_VARIANCE_CAP = 1.0
# Least half-width of a band, as a share of the figure and in its unit.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 0.005, 0.0001


class Problem:
    """A target, the numbers of its experiment, and the reference's effort: seeds (`slow_seeds` of bw) and draws of one
    evaluation. `test`: name of the score on test data, the score of draws, least half-width of its band."""

    def __init__(
        self, target, half_width, variance, step_size, iterations, seeds=10, slow_seeds=5, draws=100_000, test=None):
        self.target, self.start = target, (half_width, variance)
        self.step_size, self.iterations = step_size, iterations
        self.seeds, self.slow_seeds, self.draws, self.test = seeds, slow_seeds, draws, test


def data(name, classes=None):
    """Standardised training and test features, and the responses as numbers."""
    (x, y), (test_x, test_y) = (read_csv(DATA / f"{name}-{part}.csv") for part in ("train", "test"))
    x, test_x = standardise(x, test_x)
    number = float if classes is None else classes.index
    return x, np.array([number(v) for v in y]), test_x, np.array([number(v) for v in test_y])


def breast_cancer():
    x, y, test_x, test_y = data("breast-cancer")

    def accuracy(draws):
        probability = (0.5 * (1 + np.tanh(0.5 * draws @ test_x.T))).mean(axis=0)
        return np.mean((probability > 0.5) == (test_y > 0.5))

    return Problem(Logistic(x, y, 100.0), 20, 10, 0.01, 10_000, seeds=8, test=("accuracy", accuracy, 2 / len(test_y)))


def wine():
    x, y, test_x, test_y = data("wine", ["class_0", "class_1", "class_2"])

    def accuracy(draws):
        logits = test_x @ draws.reshape(-1, 13, 3)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        probability = (weights / weights.sum(axis=2, keepdims=True)).mean(axis=0)
        return np.mean(probability.argmax(axis=1) == test_y)

    return Problem(Softmax(x, y, 100.0), 20, 10, 0.01, 100, test=("accuracy", accuracy, 2 / len(test_y)))


def network():
    x, y, test_x, test_y = data("diabetes")

    def rmse(draws):
        w1, b1, w2, b2 = np.split(draws, np.cumsum([500, 50, 50]), axis=1)
        units = np.maximum(0, w1.reshape(-1, 50, 10) @ test_x.T + b1[:, :, None])
        prediction = (b2 + (w2[:, None, :] @ units)[:, 0]).mean(axis=0)
        return np.sqrt(np.mean((prediction - test_y) ** 2))

    return Problem(
        NeuralRegression(x, y, 50, 0.7, 10.0), 10, 10, 1e-6, 10_000, seeds=3, draws=20_000, test=("rmse", rmse, 0.01))


def from_file(name):
    values = json.loads((DATA / f"{name}.json").read_text())
    return GaussianMixture(*(np.array(values[part]) for part in ("weights", "means", "covariances")))


def modes(distance, weights):
    means = distance * np.array([[1.0, 1.0], [1, -1], [-1, 1], [-1, -1]])
    return GaussianMixture(np.array(weights), means, np.ones((4, 2)))


def sinh_arcsinh(skew):
    return Problem(
        SinhArcsinh(np.array([[1, 0.4], [0.4, 1]]), np.array(skew), np.full(2, 1 / 1.2)), 10, 2, 1e-3, 10_000, seeds=5)


def mixture_2d():
    means = [[-1.024, -7.585], [0.795, -1.035], [-1.274, -2.715], [-4.726, 1.908], [-3.206, -3.731]]
    variances = [[3.106, 2.646], [0.673, 2.568], [0.922, 3.927], [4.27, 2.471], [4.233, 0.398]]
    return GaussianMixture(np.full(5, 0.2), np.array(means), np.array(variances))


GAUSSIAN_VARIANCES = np.array([0.25, 1.0, 4.0])


def closed_form(algorithm):
    """KL at the optimum of one component on N(mean, diag): e = d / tr(C^-1) makes it (log |C| - d log e) / 2, because
    tr(C^-1) e = d; a full covariance leaves none."""
    variance = 3 / np.sum(1 / GAUSSIAN_VARIANCES)
    return 0.0 if algorithm == "bw" else 0.5 * float(np.sum(np.log(GAUSSIAN_VARIANCES / variance)))


def problems():
    result = {
        "one Gaussian": lambda: Problem(
            GaussianMixture(np.ones(1), np.array([[1.0, -2, 0.5]]), GAUSSIAN_VARIANCES[None]), 5, 1, 0.01, 5000),
        "2-D mixture": lambda: Problem(mixture_2d(), 15, 2, 0.1, 1000, seeds=30, slow_seeds=20, draws=40_000),
        "20-d mixture": lambda: Problem(from_file("mixture-20d"), 30, 100, 0.01, 10_000, seeds=8, slow_seeds=5),
        "breast cancer": breast_cancer,
        "wine": wine,
        "network (diabetes)": network,
        "funnel": lambda: Problem(Funnel(), 5, 0.5, 0.01, 10_000, seeds=5),
        "sinh-arcsinh, skew (-.2, -.2)": lambda: sinh_arcsinh([-0.2, -0.2]),
        "sinh-arcsinh, skew (-.2, -.5)": lambda: sinh_arcsinh([-0.2, -0.5]),
        "four modes": lambda: Problem(modes(3, [0.25] * 4), 10, 5, 0.01, 10_000),
        "unbalanced modes": lambda: Problem(modes(4, [0.45, 0.05, 0.05, 0.45]), 10, 5, 0.01, 10_000),
    }
    for d in TIMED_DIMENSIONS:
        seeds, slow_seeds = (40 if d <= 20 else 10, 8) if d <= 40 else (5, 2)
        result[f"time, d = {d}"] = lambda d=d, seeds=seeds, slow_seeds=slow_seeds: Problem(
            from_file(f"mixture-time-{d}d"), 100 / d, 10, 0.01 / d, 1000, seeds, slow_seeds, draws=30_000)
    return result


def fitted(problem, row, seed):
    generator = np.random.default_rng(seed)
    means, variances = uniform_start(row.components, problem.target.dimension, *problem.start, generator)
    if row.algorithm != "bw":
        return fit(
            problem.target, means, variances, generator, row.algorithm, problem.step_size, problem.iterations,
            log_variance_cap=LOG_VARIANCE_CAP)
    identity = np.eye(problem.target.dimension)
    return fit_full(
        problem.target, means, variances[:, None, None] * identity, generator, problem.step_size, problem.iterations)


def figure(values, error, draw_deviation, least=None):
    """What is stored of one row's figure; without `least` the tolerances set the least half-width."""
    mean = float(np.mean(values))
    if least is None:
        least = max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * abs(mean))
    return {
        "mean": mean, "sd": float(np.std(values, ddof=1)), "seeds": len(values), "se": float(error),
        "draw_sd": float(draw_deviation), "least": float(least), "values": [float(v) for v in values]}


def reference(problem, row):
    values, errors, scores, failures = [], [], [], 0
    for seed in range(1, (problem.slow_seeds if row.algorithm == "bw" else problem.seeds) + 1):
        evaluation = np.random.default_rng(EVALUATION_SEED + seed)
        try:
            means, spreads = fitted(problem, row, seed)
            value, error = negative_elbo(
                problem.target, means, spreads, evaluation, problem.draws // row.components,
                chunk=200 if problem.target.dimension > 100 else 1000)
        except np.linalg.LinAlgError:
            value = np.nan
        if not np.isfinite(value):
            failures += 1
            continue
        values.append(value)
        errors.append(error)
        if problem.test:
            count = -(-PREDICTION_DRAWS // row.components)
            scores.append(
                problem.test[1](np.concatenate([draw(m, e, count, evaluation) for m, e in zip(means, spreads)])))
    result = {"failures": failures}
    if len(values) > 1:
        result["objective"] = figure(
            values, np.sqrt(np.sum(np.square(errors))) / len(errors),
            np.sqrt(np.mean(np.square(errors)) * problem.draws))
        if problem.test:
            result[problem.test[0]] = figure(scores, 0, 0, problem.test[2])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose name contains this; the others stay as they are")
    parser.add_argument("--missing", action="store_true", help="rows that bands.json lacks")
    arguments = parser.parse_args()
    path = FOLDER / "bands.json"
    stored = json.loads(path.read_text())["rows"] if path.exists() else {}
    made = problems()
    for row in rows():
        if arguments.only not in key(row) or (arguments.missing and key(row) in stored):
            continue
        began = time.perf_counter()
        with np.errstate(all="ignore"):
            entry = reference(made[row.problem](), row)
        if row.problem == "one Gaussian":
            entry["closed_form"] = closed_form(row.algorithm)
        for name in ("objective", "accuracy", "rmse"):
            if name in entry:
                low, high = band(entry[name], 3, draws_of(row) if name == "objective" else 0)
                entry[name]["band_of_3_seeds"] = [low, high]
                print(f"{key(row)}: {name} {entry[name]['mean']:.5g}, {low:.5g} to {high:.5g}", end="; ")
        print(f"{entry['failures']} failed; {time.perf_counter() - began:.0f} s", flush=True)
        stored[key(row)] = entry
        order = [key(row) for row in rows()]
        text = {
            "source": "make-bands.py: ../reference/reference_mig.py and bnn_reference.py; nothing from isomix",
            "numpy": np.__version__,
            "evaluation":
                "fresh draws, as many from each component: 100,000; 2-D mixture 40,000, network 20,000, times 30,000",
            "relative_tolerance": RELATIVE_TOLERANCE, "absolute_tolerance": ABSOLUTE_TOLERANCE,
            "rows": {name: stored[name] for name in order if name in stored}}
        path.write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
