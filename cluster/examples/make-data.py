#!/usr/bin/env python3
"""Regenerate the small data sets and the 2-D mixture's target of this folder.

    pip install numpy scikit-learn
    python3 make-data.py

Writes data/{breast-cancer,wine}-{train,test}.csv and prints the parameters that mixture-2d.yaml
has under `model`. Values are the raw measurements, written so that they read back as the same
doubles: the specs standardise, by the training half's statistics.

The split is the paper's: row i of the training half is row p[i] of the data, where
p = numpy.random.RandomState(42).permutation(rows), and the test half is the rest of p. Where the
number of rows is odd the test half has one row more.
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine

FOLDER = Path(__file__).resolve().parent
SPLIT_SEED = 42
MIXTURE_SEED = 2


def snake_case(name):
    return name.replace("/", "_").replace(" ", "_").lower()


def write_split(name, features, feature_names, response, response_name):
    order = np.random.RandomState(SPLIT_SEED).permutation(len(response))
    half = len(order) // 2
    for part, rows in [("train", order[:half]), ("test", order[half:])]:
        path = FOLDER / "data" / f"{name}-{part}.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([snake_case(column) for column in feature_names] + [response_name])
            for row in rows:
                writer.writerow([repr(float(value)) for value in features[row]] + [response[row]])
        print(f"{path.relative_to(FOLDER)}: {len(rows)} rows, {features.shape[1]} features")


def mixture_2d():
    """The paper's 2-D target: 5 components with uniform weights and diagonal covariances, means
    uniform on [-8, 8]^2 and variances uniform on [0, 5]^2 ("box 8, scale 5"), to three decimals."""
    generator = np.random.RandomState(MIXTURE_SEED)
    means = generator.uniform(-8, 8, size=(5, 2)).round(3)
    variances = generator.uniform(0, 5, size=(5, 2)).round(3)
    return means, variances


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
    means, variances = mixture_2d()
    print("mixture-2d.yaml, means:", means.tolist())
    print("mixture-2d.yaml, covariances (diagonals):", variances.tolist())


if __name__ == "__main__":
    main()
