#!/usr/bin/env python3
"""Reproduce the reference figures of README.md: -ELBO, or KL where the normaliser is known.

    pip install numpy
    OPENBLAS_NUM_THREADS=1 python3 reproduce.py [--only WORD] [--seeds 3] [--draws 1000000] [--json]

Each row: the fit at its last iterate, for seeds 1, 2, 3; the mean over seeds, the standard deviation
between them, and the standard error of that mean that comes from the evaluation, which uses fresh
draws for each seed, as many from each component.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np

from reference_mig import (
    Funnel, GaussianMixture, Logistic, SinhArcsinh, Softmax, fit, negative_elbo, read_csv,
    standardise, uniform_start)

DATA = Path(__file__).resolve().parent.parent / "data"
EVALUATION_SEED = 1000


def breast_cancer():
    features, response = read_csv(DATA / "breast-cancer-train.csv")
    return Logistic(standardise(features)[0], np.array([float(v) for v in response]), 100.0)


def wine():
    features, response = read_csv(DATA / "wine-train.csv")
    classes = sorted(set(response))
    return Softmax(
        standardise(features)[0], np.array([classes.index(v) for v in response]), 10.0)


def sinh_arcsinh(skew, stretch=1 / 1.2):
    return SinhArcsinh(
        np.array([[1, 0.4], [0.4, 1]]), np.array(skew), np.full(2, stretch))


def mixture_2d():
    means = [[-1.024, -7.585], [0.795, -1.035], [-1.274, -2.715], [-4.726, 1.908], [-3.206, -3.731]]
    variances = [[3.106, 2.646], [0.673, 2.568], [0.922, 3.927], [4.27, 2.471], [4.233, 0.398]]
    return GaussianMixture(np.full(5, 0.2), np.array(means), np.array(variances))


# Name, target, algorithm, N, step size, iterations, half-width and variance of the start.
EXPERIMENTS = [
    ("breast cancer", breast_cancer, "ibw", 5, 0.03, 5000, 5, 1),
    ("breast cancer", breast_cancer, "md", 5, 0.03, 5000, 5, 1),
    ("breast cancer", breast_cancer, "ibw", 5, 0.03, 5000, 20, 1),
    ("breast cancer", breast_cancer, "ibw", 5, 0.03, 30000, 5, 1),
    ("breast cancer", breast_cancer, "ibw", 20, 0.03, 5000, 5, 1),
    ("wine", wine, "ibw", 5, 0.01, 5000, 20, 1),
    ("wine", wine, "md", 5, 0.01, 5000, 20, 1),
    ("wine", wine, "ibw", 20, 0.01, 5000, 20, 1),
    ("funnel", Funnel, "ibw", 20, 0.003, 10000, 5, 0.5),
    ("funnel", Funnel, "md", 20, 0.003, 10000, 5, 0.5),
    ("funnel, 1.2 a standard deviation", partial(Funnel, 1.44), "ibw", 20, 0.003, 10000, 5, 0.5),
    ("sinh-arcsinh, skew (-.2, -.2)", partial(sinh_arcsinh, [-0.2, -0.2]), "ibw", 10, 0.03, 10000, 10, 2),
    ("sinh-arcsinh, skew (-.2, -.5)", partial(sinh_arcsinh, [-0.2, -0.5]), "ibw", 10, 0.03, 10000, 10, 2),
    ("sinh-arcsinh, skew (-.2, -.5)", partial(sinh_arcsinh, [-0.2, -0.5]), "md", 10, 0.03, 10000, 10, 2),
    ("sinh-arcsinh, divided by 1/1.2, skew (-.2, -.5)",
     partial(sinh_arcsinh, [-0.2, -0.5], 1.2), "ibw", 10, 0.03, 10000, 10, 2),
    ("2-D mixture", mixture_2d, "ibw", 5, 0.1, 1000, 15, 2),
    ("2-D mixture", mixture_2d, "ibw", 20, 0.1, 1000, 15, 2),
]


def run(target, algorithm, components, step_size, iterations, half_width, variance, seed, draws):
    generator = np.random.default_rng(seed)
    start = uniform_start(components, target.dimension, half_width, variance, generator)
    means, variances = fit(target, *start, generator, algorithm, step_size, iterations)
    return negative_elbo(
        target, means, variances, np.random.default_rng(EVALUATION_SEED + seed), draws // components)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="experiments whose name contains this")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=1_000_000, help="for each evaluation")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    if not arguments.json:
        print("| problem | rule | N | step | iterations | start ± | −ELBO or KL | s.d. of seeds | s.e. of evaluation |")
        print("|---|---|---|---|---|---|---|---|---|")
    for name, make, algorithm, components, step_size, iterations, half_width, variance in EXPERIMENTS:
        if arguments.only not in name:
            continue
        began = time.perf_counter()
        values, errors = zip(*(
            run(make(), algorithm, components, step_size, iterations, half_width, variance, seed,
                arguments.draws)
            for seed in range(1, arguments.seeds + 1)))
        mean = float(np.mean(values))
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
        error = float(np.sqrt(np.sum(np.square(errors))) / len(errors))
        if arguments.json:
            print(json.dumps({
                "problem": name, "algorithm": algorithm, "components": components,
                "step_size": step_size, "iterations": iterations, "half_width": half_width,
                "variance": variance, "values": [float(v) for v in values], "mean": mean,
                "seed_sd": deviation, "evaluator_se": error,
                "seconds": time.perf_counter() - began}), flush=True)
        else:
            digits = 3 if mean > 1 else 5
            print(f"| {name} | {algorithm} | {components} | {step_size} | {iterations} | {half_width} "
                  f"| {mean:.{digits}f} | {deviation:.{digits}f} | {error:.{digits}f} |", flush=True)


if __name__ == "__main__":
    main()
