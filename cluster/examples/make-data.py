#!/usr/bin/env python3
"""Regenerate the small data sets and the mixtures of this folder.

    pip install numpy scikit-learn
    python3 make-data.py

Writes data/{breast-cancer,wine,diabetes}-{train,test}.csv and prints the parameters that
mixture-2d.yaml has under `model`. Values are the raw measurements, written so that they read back
as the same doubles: the specs standardise, by the training half's statistics. Only the response of
diabetes is standardised here, by the training half's mean and standard deviation (divisor n).

Writes data/mixture-{20,time-10,time-20,time-40,time-80,time-160}d.json too: the paper's mixture in
20 dimensions and those of its times against the dimension, for `model.file`.

The split is the paper's: row i of the training half is row p[i] of the data, where
p = numpy.random.RandomState(42).permutation(rows), and the test half is the rest of p. Where the
number of rows is odd the test half has one row more.
"""

import csv
import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

FOLDER = Path(__file__).resolve().parent
SPLIT_SEED = 42
MIXTURE_SEED = 2
TIMED_DIMENSIONS = (10, 20, 40, 80, 160)


def snake_case(name):
    return name.replace("/", "_").replace(" ", "_").lower()


def split(rows):
    """Training and test rows."""
    order = np.random.RandomState(SPLIT_SEED).permutation(rows)
    return order[: rows // 2], order[rows // 2 :]


def write_split(name, features, feature_names, response, response_name):
    train, test = split(len(response))
    for part, rows in [("train", train), ("test", test)]:
        path = FOLDER / "data" / f"{name}-{part}.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([snake_case(column) for column in feature_names] + [response_name])
            for row in rows:
                writer.writerow([repr(float(value)) for value in features[row]] + [response[row]])
        print(f"{path.relative_to(FOLDER)}: {len(rows)} rows, {features.shape[1]} features")


def write_diabetes():
    """A network's output is of the order of its priors' scales, so the response is standardised."""
    diabetes = load_diabetes(scaled=False)
    train, _ = split(len(diabetes.target))
    mean, deviation = diabetes.target[train].mean(), diabetes.target[train].std()
    names = ["age", "sex", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu"]
    response = ((diabetes.target - mean) / deviation).tolist()
    write_split("diabetes", diabetes.data, names, response, "progression")
    print(f"diabetes: progression has mean {mean:.10g} and standard deviation {deviation:.10g}")


def mixture_2d():
    """The paper's 2-D target: 5 components with uniform weights and diagonal covariances, means
    uniform on [-8, 8]^2 and variances uniform on [0, 5]^2 ("box 8, scale 5"), to three decimals."""
    generator = np.random.RandomState(MIXTURE_SEED)
    means = generator.uniform(-8, 8, size=(5, 2)).round(3)
    variances = generator.uniform(0, 5, size=(5, 2)).round(3)
    return means, variances


def write_mixture(name, components, dimension, box):
    """Equal weights, means uniform on [-box, box]^d, diagonal covariances u / max(u) with u uniform on
    [1, 10]^d ("scale 1": a component's largest variance is 1), to four decimals, by RandomState(d)."""
    generator = np.random.RandomState(dimension)
    means = generator.uniform(-box, box, size=(components, dimension))
    spreads = generator.uniform(1, 10, size=(components, dimension))
    variances = spreads / spreads.max(axis=1, keepdims=True)
    weights = json.dumps([1 / components] * components)

    def matrix(rows):
        return "[\n  " + ",\n  ".join(json.dumps(row) for row in rows.round(4).tolist()) + "]"

    path = FOLDER / "data" / f"{name}.json"
    path.write_text(
        f'{{"weights": {weights},\n"means": {matrix(means)},\n"covariances": {matrix(variances)}}}\n')
    print(f"{path.relative_to(FOLDER)}: {components} components, d = {dimension}")


def main():
    (FOLDER / "data").mkdir(exist_ok=True)
    cancer = load_breast_cancer()
    # scikit-learn's target is 1 for a benign tumour and 0 for a malignant one.
    write_split(
        "breast-cancer", cancer.data, cancer.feature_names, cancer.target.tolist(), "benign")
    wine = load_wine()
    write_split(
        "wine", wine.data, wine.feature_names,
        [str(wine.target_names[k]) for k in wine.target], "cultivar")
    write_diabetes()
    write_mixture("mixture-20d", components=10, dimension=20, box=10)
    for dimension in TIMED_DIMENSIONS:
        write_mixture(f"mixture-time-{dimension}d", components=5, dimension=dimension, box=100 / dimension)
    means, variances = mixture_2d()
    print("mixture-2d.yaml, means:", means.tolist())
    print("mixture-2d.yaml, covariances (diagonals):", variances.tolist())


if __name__ == "__main__":
    main()
