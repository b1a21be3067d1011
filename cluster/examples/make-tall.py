#!/usr/bin/env python3
"""Write a tall CSV for logistic regression: standard normal features x1 … xd, a response y with known coefficients.

    cluster/examples/make-tall.py tall.csv --rows 10000000 --features 49

10 million rows of 50 columns are about 4 GB. A block of rows is in memory at a time; the file depends on the options
alone, not on the number of processes. Needs NumPy.
"""
import argparse
import multiprocessing
import sys

import numpy as np

BLOCK = 20_000


def coefficients(features: int) -> np.ndarray:
    """The coefficients that the data were drawn with: 1, -1/2, 1/3, …"""
    index = np.arange(features)
    return (-1.0) ** index / (1 + index)


def block(job: tuple[int, int, int, int]) -> bytes:
    seed, number, rows, features = job
    draws = np.random.default_rng([seed, number])
    x = draws.standard_normal((rows, features)).round(5)
    y = draws.random(rows) < 1 / (1 + np.exp(-(x @ coefficients(features) - 0.5)))
    line = "%.5f," * features + "%d\n"
    table = np.concatenate([x, y[:, None]], axis=1)
    return ((line * rows) % tuple(table.ravel().tolist())).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=49)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    options = parser.parse_args()
    jobs = (
        (options.seed, number, min(BLOCK, options.rows - number * BLOCK), options.features)
        for number in range((options.rows + BLOCK - 1) // BLOCK)
    )
    written = 0
    with open(options.path, "wb") as file, multiprocessing.Pool(options.processes) as pool:
        names = [f"x{index + 1}" for index in range(options.features)] + ["y"]
        written += file.write((",".join(names) + "\n").encode())
        for text in pool.imap(block, jobs):
            written += file.write(text)
    print(f"{options.path}: {options.rows} rows, {written / 1e9:.2f} GB", file=sys.stderr)


if __name__ == "__main__":
    main()
