#!/usr/bin/env python3
"""Write sparse LIBSVM text for logistic or linear regression: a few columns of many in each row, low ones more often.

    cluster/examples/make-sparse.py sparse.svm --rows 20000 --columns 20000 --stored 50

Columns are drawn as words are (the k-th with weight 1/(k + 10)), numbers like weights of words, uniform on (0.1, 2); a
tenth of the coefficients is not 0. Needs NumPy.
"""
import argparse
import sys

import numpy as np

BLOCK = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=20_000)
    parser.add_argument("--stored", type=int, default=50, help="numbers of a row, about")
    parser.add_argument("--uniform", action="store_true", help="every column as often as any other")
    parser.add_argument("--linear", action="store_true", help="a response that is a number")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    weights = np.ones(options.columns) if options.uniform else 1 / (np.arange(options.columns) + 10)
    cumulative = np.cumsum(weights / weights.sum())
    draws = np.random.default_rng(options.seed)
    coefficients = draws.standard_normal(options.columns) * (draws.random(options.columns) < 0.1)
    written = 0
    with open(options.path, "w") as file:
        for start in range(0, options.rows, BLOCK):
            for row in range(start, min(start + BLOCK, options.rows)):
                places = np.unique(np.searchsorted(cumulative, draws.random(options.stored)))
                places = places[places < options.columns]
                if row == 0:
                    # The highest column is there, so that the table has all of them.
                    places = np.union1d(places, [options.columns - 1])
                numbers = draws.uniform(0.1, 2, len(places)).round(4)
                predictor = float(numbers @ coefficients[places])
                if options.linear:
                    label = f"{predictor + draws.standard_normal():.5f}"
                else:
                    label = "+1" if draws.random() < 1 / (1 + np.exp(-predictor)) else "-1"
                pairs = " ".join(f"{place + 1}:{number}" for place, number in zip(places, numbers))
                file.write(f"{label} {pairs}\n")
                written += len(places)
    share = 100 * written / (options.rows * options.columns)
    print(f"{options.path}: {options.rows} rows × {options.columns} columns, {share:.3g} % not 0", file=sys.stderr)


if __name__ == "__main__":
    main()
