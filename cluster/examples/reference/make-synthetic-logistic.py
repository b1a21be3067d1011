#!/usr/bin/env python3
"""Write a synthetic logistic regression as NPY files, to time both programs on the same data.

    python3 make-synthetic-logistic.py ROWS COLUMNS OUT_PREFIX

writes OUT_PREFIX/X.npy [ROWS, COLUMNS] float64 and OUT_PREFIX/y.npy [ROWS] float64 in {0, 1}, if
OUT_PREFIX is a folder, and OUT_PREFIXX.npy and OUT_PREFIXy.npy otherwise. Features are standard
normal, coefficients normal with standard deviation 1/sqrt(COLUMNS); the seed is fixed. Rows are
written in blocks, so memory stays bounded.
"""

import argparse
import os

import numpy as np
from numpy.lib.format import open_memmap

SEED = 20250101
BLOCK_ROWS = 65536


def generate(rows, columns, features, response):
    """Fill `features` [rows, columns] and `response` [rows]."""
    generator = np.random.default_rng(SEED)
    coefficients = generator.standard_normal(columns) / np.sqrt(columns)
    for start in range(0, rows, BLOCK_ROWS):
        block = generator.standard_normal((min(BLOCK_ROWS, rows - start), columns))
        probability = 1 / (1 + np.exp(-block @ coefficients))
        features[start : start + len(block)] = block
        response[start : start + len(block)] = generator.random(len(block)) < probability


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int)
    parser.add_argument("columns", type=int)
    parser.add_argument("out_prefix")
    arguments = parser.parse_args()
    prefix = arguments.out_prefix
    if os.path.isdir(prefix):
        prefix = os.path.join(prefix, "")
    shape = (arguments.rows, arguments.columns)
    features = open_memmap(f"{prefix}X.npy", mode="w+", dtype=np.float64, shape=shape)
    response = open_memmap(f"{prefix}y.npy", mode="w+", dtype=np.float64, shape=shape[:1])
    generate(*shape, features, response)
    features.flush()
    response.flush()
    print(f"{prefix}X.npy and {prefix}y.npy: {shape[0]} rows, {shape[1]} columns")


if __name__ == "__main__":
    main()
