#!/usr/bin/env python3
"""Compare the fit of tall.yaml with Newton's method on all rows: with so many of them the posterior is a Gaussian.

    cluster/examples/check-tall.py tall out

`tall` is the folder of `isomix data import`, `out` the fit's. Prints how far the mixture's means are from the mode, in posterior
standard deviations, and its standard deviations over those of the mode's curvature. Reads the data some ten times, a shard at a
time. Needs NumPy; exit code 1: a mean is off by more than 0.1, or a standard deviation by more than 15 %.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("fit")
    options = parser.parse_args()
    mixture = json.loads((Path(options.fit) / "mixture.json").read_text())
    statistics = mixture["design"]["statistics"]
    shift, scale = np.array(statistics["means"]), np.array(statistics["standard_deviations"])
    shards = sorted(Path(options.data).glob("rows-*.npy"))
    dimension = mixture["dimension"]

    mode = np.zeros(dimension)
    for _ in range(20):
        curvature, gradient = np.eye(dimension), -mode  # Of the standard normal prior.
        for shard in shards:
            table = np.load(shard, mmap_mode="r")
            rows = np.column_stack([np.ones(len(table)), (table[:, :-1] - shift) / scale])
            probability = 1 / (1 + np.exp(-rows @ mode))
            gradient = gradient + rows.T @ (table[:, -1] - probability)
            curvature = curvature + (rows * (probability * (1 - probability))[:, None]).T @ rows
        change = np.linalg.solve(curvature, gradient)
        mode += change
        if np.abs(change).max() < 1e-9:
            break
    deviations = np.sqrt(np.diag(np.linalg.inv(curvature)))

    means, factor = np.array(mixture["means"]), np.array(mixture["metric_factor"])
    within = np.mean(mixture["variances"]) * factor @ factor.T
    fitted = np.sqrt(np.diag(within + np.cov(means.T, bias=True)))
    off = np.abs((means.mean(axis=0) - mode) / deviations).max()
    ratios = fitted / deviations
    print(f"means off by at most {off:.4f} standard deviations; these are {ratios.min():.3f} to {ratios.max():.3f} times the mode's")
    sys.exit(0 if off <= 0.1 and np.abs(ratios - 1).max() <= 0.15 else 1)


main()
