#!/usr/bin/env python3
"""Seconds an iteration of the same algorithm takes in JAX: jitted, float64, on one thread.

    pip install numpy jax
    taskset -c 0 python3 jax_benchmark.py [--problem NAME]... [--data FOLDER] > jax.json

The whole loop is one compiled program (lax.fori_loop), so that no dispatch is counted; compilation is
excluded by running the same program once before. Random normals come from JAX's default generator,
inside the loop. Both wall and CPU time of the process are printed: on one thread they should agree,
and where other programs compete for the core, CPU time is the fairer.

Problems: `logistic` (10^6 rows, 54 features, N = 5) in one pair of matrix products,
`logistic-blocked` (the same in blocks of rows, which JAX's users rarely write), `mixture-2d` (N = 20), `breast-cancer` (N = 5);
B = 10 samples each. --data reads X.npy and y.npy, as make-synthetic-logistic.py writes them, so that
both programs see the same data; without it the same numbers are made in memory.
"""

import os

# Before NumPy and JAX start their threads.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "")
    + " --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse
import importlib.util
import json
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import reference_mig

jax.config.update("jax_enable_x64", True)

HERE = Path(__file__).resolve().parent
SAMPLES = 10
REPEATS = 5
BLOCK_ROWS = 2000


def mixture_score(x, means, variances):
    """Gradient of log q at x [S, d], distances by matrix products."""
    dimension = x.shape[1]
    squared = (
        (x * x).sum(1)[:, None] - 2 * x @ means.T + (means * means).sum(1)[None, :])
    terms = -0.5 * squared / variances - 0.5 * dimension * jnp.log(variances)
    pull = jax.nn.softmax(terms, axis=1) / variances
    return pull @ means - x * pull.sum(1, keepdims=True)


def logistic_gradient(x, features, response, prior_variance):
    residual = jax.nn.sigmoid(x @ features.T) - response
    return residual @ features + x / prior_variance


def gaussian_mixture_gradient(x, centres, spreads):
    differences = x[:, None, :] - centres
    terms = -0.5 * (differences ** 2 / spreads + jnp.log(spreads)).sum(2)
    responsibility = jax.nn.softmax(terms, axis=1)
    return jnp.einsum("sk,skd->sd", responsibility, differences / spreads)


def blocked_logistic_gradient(x, features, response, prior_variance):
    """The same over blocks of rows [K, rows, d], so that logits and residuals stay in cache."""

    def add(total, block):
        rows, answers = block
        return total + (jax.nn.sigmoid(x @ rows.T) - answers) @ rows, None

    total, _ = lax.scan(add, jnp.zeros_like(x), (features, response))
    return total + x / prior_variance


@partial(jax.jit, static_argnames=("gradient",))
def fit(gradient, data, key, means, variances, step_size, iterations):
    """`iterations` steps of isotropic Bures-Wasserstein descent."""
    components, dimension = means.shape

    def step(iteration, state):
        means, variances = state
        z = jax.random.normal(
            jax.random.fold_in(key, iteration), (components, SAMPLES, dimension), dtype=means.dtype)
        offset = jnp.sqrt(variances)[:, None, None] * z
        x = (means[:, None, :] + offset).reshape(-1, dimension)
        integrand = (mixture_score(x, means, variances) + gradient(x, *data)).reshape(z.shape)
        g = integrand.mean(1)
        h = (offset * integrand).sum(2).mean(1) / (dimension * variances)
        return means - step_size * g, variances * (1 - step_size * h) ** 2

    return lax.fori_loop(0, iterations, step, (means, variances))


def synthetic(folder):
    if folder is not None:
        return np.load(folder / "X.npy"), np.load(folder / "y.npy")
    location = importlib.util.spec_from_file_location(
        "make_synthetic_logistic", HERE / "make-synthetic-logistic.py")
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    features, response = np.empty((1_000_000, 54)), np.empty(1_000_000)
    module.generate(*features.shape, features, response)
    return features, response


def problems(folder):
    """Name to a function that returns gradient, data, N, half-width, variance, step, iterations."""

    def logistic():
        features, response = synthetic(folder)
        return logistic_gradient, (features, response, 100.0), 5, 1.0, 0.01, 2e-6, 5

    def blocked_logistic():
        features, response = synthetic(folder)
        blocks = len(features) // BLOCK_ROWS
        if blocks * BLOCK_ROWS != len(features):
            raise SystemExit(f"the rows must be a multiple of {BLOCK_ROWS}")
        data = (
            features.reshape(blocks, BLOCK_ROWS, -1), response.reshape(blocks, BLOCK_ROWS), 100.0)
        return blocked_logistic_gradient, data, 5, 1.0, 0.01, 2e-6, 5

    def mixture_2d():
        centres = np.array(
            [[-1.024, -7.585], [0.795, -1.035], [-1.274, -2.715], [-4.726, 1.908], [-3.206, -3.731]])
        spreads = np.array(
            [[3.106, 2.646], [0.673, 2.568], [0.922, 3.927], [4.27, 2.471], [4.233, 0.398]])
        return gaussian_mixture_gradient, (centres, spreads), 20, 15.0, 2.0, 0.1, 20000

    def breast_cancer():
        features, response = reference_mig.read_csv(
            HERE.parent / "data" / "breast-cancer-train.csv")
        (features,) = reference_mig.standardise(features)
        response = np.array([float(value) for value in response])
        return logistic_gradient, (features, response, 100.0), 5, 5.0, 1.0, 0.03, 5000

    return {
        "logistic": logistic, "logistic-blocked": blocked_logistic, "mixture-2d": mixture_2d, "breast-cancer": breast_cancer,
    }


def measure(problem):
    gradient, data, components, half_width, variance, step_size, iterations = problem()
    data = tuple(jnp.asarray(part) for part in data)
    dimension = data[0].shape[-1]
    means, variances = reference_mig.uniform_start(
        components, dimension, half_width, variance, np.random.default_rng(1))
    start = (jax.random.key(1), jnp.asarray(means), jnp.asarray(variances), step_size, iterations)
    jax.block_until_ready(fit(gradient, data, *start))
    wall, cpu = [], []
    for _ in range(REPEATS):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        final = jax.block_until_ready(fit(gradient, data, *start))
        wall.append((time.perf_counter() - wall_start) / iterations)
        cpu.append((time.process_time() - cpu_start) / iterations)
    return {
        "components": components, "dimension": dimension, "samples": SAMPLES,
        "iterations": iterations, "repeats": REPEATS,
        "wall_seconds_per_iteration": float(np.median(wall)),
        "wall_seconds_per_iteration_minimum": float(np.min(wall)),
        "cpu_seconds_per_iteration": float(np.median(cpu)),
        "cpu_seconds_per_iteration_minimum": float(np.min(cpu)),
        "final_variances_finite": bool(np.isfinite(np.asarray(final[1])).all()),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problem", action="append", choices=list(problems(None)))
    parser.add_argument("--data", type=Path, help="folder with X.npy and y.npy, for `logistic`")
    arguments = parser.parse_args()
    available = problems(arguments.data)
    results = {name: measure(available[name]) for name in arguments.problem or available}
    print(json.dumps(
        {"jax": jax.__version__, "precision": "float64",
         "cpus": len(os.sched_getaffinity(0)), "results": results}, indent=2))


if __name__ == "__main__":
    main()
