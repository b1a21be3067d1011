#!/usr/bin/env python3
"""The density of family bnn_regression in NumPy, its gradient checked by JAX's automatic differentiation.

    pip install numpy jax
    python3 bnn_reference.py            # or with --fit: the fit of diabetes.yaml in NumPy, in a minute or two

    f(x; t) = b2 + sum_h w2_h max(0, b1_h + sum_k W1_hk x_k),  y ~ N(f(x; t), noise^2),  t_j ~ N(0, variance)
    t = [W1 (hidden x features, row-major by unit), b1 (hidden), w2 (hidden), b2]

Prints V = -log(prior x likelihood) and its gradient on the small fixture of the Swift tests: features
sin(1 + 0.7 i + 1.3 k), responses cos(0.9 i), t_j = 0.8 cos(2 + j), for the literals there.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reference_mig import (
    LOG_2PI, add_gaussian_prior, fit, negative_elbo, read_csv, standardise, uniform_start)

DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass
class NeuralRegression:
    """One hidden layer of rectified linear units, known noise; prior N(0, prior_variance I)."""
    features: np.ndarray
    response: np.ndarray
    hidden: int
    noise: float
    prior_variance: float

    @property
    def dimension(self):
        return self.hidden * (self.features.shape[1] + 2) + 1

    def value_and_gradient(self, x):
        rows, columns = self.features.shape
        w1, b1, w2, b2 = np.split(
            x, np.cumsum([self.hidden * columns, self.hidden, self.hidden]), axis=1)
        units = w1.reshape(-1, columns) @ self.features.T  # [S hidden, rows]
        units = np.maximum(0, units.reshape(len(x), self.hidden, rows) + b1[:, :, None])
        error = b2 + (w2[:, None, :] @ units)[:, 0] - self.response
        value = 0.5 * (error**2).sum(1) / self.noise**2 + rows * (0.5 * LOG_2PI + np.log(self.noise))
        residual = error / self.noise**2
        active_residual = (units > 0) * residual[:, None, :]
        slopes = active_residual.reshape(-1, rows) @ self.features
        gradient = np.concatenate(
            [
                (w2.reshape(-1, 1) * slopes).reshape(len(x), -1), w2 * active_residual.sum(2),
                (units @ residual[:, :, None])[:, :, 0], residual.sum(1, keepdims=True),
            ], axis=1)
        return add_gaussian_prior(x, value, gradient, self.prior_variance)


def jax_value_and_gradient(target, point):
    """The same from the formula alone, differentiated by JAX."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.stats import norm

    jax.config.update("jax_enable_x64", True)

    def value(t):
        h, k = target.hidden, target.features.shape[1]
        inner = jax.nn.relu(target.features @ t[: h * k].reshape(h, k).T + t[h * k : h * k + h])
        prediction = inner @ t[h * k + h : -1] + t[-1]
        return -(
            norm.logpdf(t, 0, target.prior_variance**0.5).sum()
            + norm.logpdf(target.response, prediction, target.noise).sum())

    return jax.value_and_grad(value)(point)


def fixture(rows=23, columns=4, hidden=3):
    i, k = np.arange(rows)[:, None], np.arange(columns)[None, :]
    target = NeuralRegression(
        np.sin(1 + i * 0.7 + k * 1.3), np.cos(0.9 * np.arange(rows)), hidden, 0.7, 1.5**2)
    return target, 0.8 * np.cos(2 + np.arange(target.dimension))


def fit_diabetes(seed=1, iterations=4000):
    features, response = read_csv(DATA / "diabetes-train.csv")
    target = NeuralRegression(
        standardise(features)[0], np.array([float(value) for value in response]), 50, 0.7, 0.25**2)
    generator = np.random.default_rng(seed)
    means, variances = uniform_start(5, target.dimension, 0.5, 0.01, generator)
    means, variances = fit(target, means, variances, generator, "ibw", 1e-4, iterations)
    value, error = negative_elbo(
        target, means, variances, np.random.default_rng(1000 + seed), 4000, chunk=200)
    print(f"diabetes, {iterations} iterations: -ELBO {value:.2f}, standard error {error:.2f}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    if parser.parse_args().fit:
        return fit_diabetes()
    target, point = fixture()
    value, gradient = target.value_and_gradient(point[None])
    jax_value, jax_gradient = jax_value_and_gradient(target, point)
    assert abs(value[0] - jax_value) < 1e-12 * abs(jax_value)
    assert np.allclose(gradient[0], jax_gradient, rtol=1e-12, atol=1e-12)
    print("value:", repr(float(value[0])))
    print("gradient:", gradient[0].tolist())


if __name__ == "__main__":
    main()
