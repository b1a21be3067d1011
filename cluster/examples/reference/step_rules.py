"""Compares rules for automatic steps, in NumPy and in the same learned coordinates: the relative step of the
program (gamma_i = eta eps_i) and distance over gradients (DoG, Ivgi, Hinder, Carmon, arXiv 2302.12022) for each
component.

    OPENBLAS_NUM_THREADS=1 python3 step_rules.py

Both start on the box +-5 with variance 1, learn a full metric in windows of 25, 25, 25, 25, 50, 50, 100, 200
iterations from the average curvature along orthogonal directions, and then take 2400 more iterations, of which
the later half is averaged. DoG's only number is the first step r, in units of a component's radius sqrt(d eps);
its accumulators are kept over the windows, or begin anew with each. Printed is -ELBO (KL where the target is
normalised) of the average, by 20,000 draws.
"""

import sys
from pathlib import Path

import numpy as np

import reference_mig as mig
import reproduce

WINDOWS = (25, 25, 25, 25, 50, 50, 100, 200)
AFTERWARDS = 2400
SAMPLES = 10


class Fit:
    """A mixture in coordinates u, theta = center + factor u."""

    def __init__(self, target, components, seed):
        self.target, self.rng = target, np.random.default_rng(seed)
        d = target.dimension
        self.means = self.rng.uniform(-5, 5, (components, d))
        self.variances = np.ones(components)
        self.center, self.factor = np.zeros(d), np.eye(d)

    def at(self, u):
        value, gradient = self.target.value_and_gradient(self.center + u @ self.factor.T)
        return value, gradient @ self.factor

    def draws(self, count):
        n, d = self.means.shape
        z = self.rng.standard_normal((n, count // 2, d))
        z = np.concatenate([z, -z], 1)
        return z, (self.means[:, None] + np.sqrt(self.variances)[:, None, None] * z).reshape(-1, d)

    def gradient(self):
        """g [N, d] and h [N] of METHOD's table."""
        n, d = self.means.shape
        z, u = self.draws(SAMPLES)
        score = mig.mixture_log_density_and_score(u, self.means, self.variances)[1]
        total = (score + self.at(u)[1]).reshape(n, SAMPLES, d)
        offsets = np.sqrt(self.variances)[:, None, None] * z
        return total.mean(1), (offsets * total).sum(-1).mean(1) / (d * self.variances)

    def learn(self, share, pairs):
        """Moves to coordinates in which the average curvature is nearer to a multiple of the identity."""
        n, d = self.means.shape
        frames = [np.linalg.qr(self.rng.standard_normal((d, d)))[0].T * np.sqrt(d) for _ in range(-(-n * pairs // d))]
        z = np.concatenate(frames)[:n * pairs].reshape(n, pairs, d)
        offsets = np.sqrt(self.variances)[:, None, None] * z
        up = self.at((self.means[:, None] + offsets).reshape(-1, d))[1]
        down = self.at((self.means[:, None] - offsets).reshape(-1, d))[1]
        slopes = ((up - down).reshape(n, pairs, d) / 2 / np.sqrt(self.variances)[:, None, None]).reshape(-1, d)
        curvature = slopes.T @ z.reshape(-1, d) / (n * pairs)
        values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
        values = np.maximum(values, 1e-2 * np.median(np.abs(values)))
        mean = values.mean()
        values = (1 - share) * mean + share * values
        self.means = self.means @ ((vectors * np.sqrt(values)) @ vectors.T)
        self.factor = self.factor @ ((vectors / np.sqrt(values)) @ vectors.T)
        self.variances = self.variances * mean

    def loss(self, draws=20_000):
        _, u = self.draws(draws // len(self.means) // 2 * 2)
        log_q = mig.mixture_log_density_and_score(u, self.means, self.variances)[0]
        return np.mean(log_q - np.linalg.slogdet(self.factor)[1] + self.at(u)[0])


class RelativeStep:
    def __init__(self, fit):
        self.rate = 0.2

    def begin_window(self, fit):
        pass

    def step(self, fit, g, h):
        d = fit.means.shape[1]
        move = -self.rate * fit.variances[:, None] * g
        length = np.sqrt((move ** 2).sum(1) / (d * fit.variances))
        fit.means = fit.means + move * np.minimum(1, 0.5 / np.maximum(length, 1e-300))[:, None]
        fit.variances = fit.variances * (1 - np.clip(self.rate * fit.variances * h, -0.5, 0.5)) ** 2


class DistanceOverGradients:
    def __init__(self, fit, first, anew):
        self.first, self.anew = first, anew
        self.begin(fit)

    def begin(self, fit):
        d = fit.means.shape[1]
        self.means, self.radii = fit.means.copy(), np.sqrt(d * fit.variances)
        self.distance, self.squares = self.first * self.radii.copy(), np.zeros(len(fit.variances))

    def begin_window(self, fit):
        if self.anew:
            self.begin(fit)

    def step(self, fit, g, h):
        d = fit.means.shape[1]
        self.squares += (g * g).sum(1) + d * fit.variances * h * h
        size = self.distance / np.sqrt(self.squares)
        fit.means = fit.means - size[:, None] * g
        fit.variances = fit.variances * (1 - np.clip(size * h, -0.5, 0.5)) ** 2
        moved = ((fit.means - self.means) ** 2).sum(1) + (np.sqrt(d * fit.variances) - self.radii) ** 2
        self.distance = np.maximum(self.distance, np.sqrt(moved))


def run(target, components, seed, make):
    fit = Fit(target, components, seed)
    rule = make(fit)
    for window, length in enumerate(WINDOWS):
        for _ in range(length):
            rule.step(fit, *fit.gradient())
        fit.learn(1.0 if window < 2 else 0.5, -(-16 * target.dimension // components))
        rule.begin_window(fit)
    means, logs = np.zeros_like(fit.means), np.zeros_like(fit.variances)
    for iteration in range(AFTERWARDS):
        rule.step(fit, *fit.gradient())
        if isinstance(rule, RelativeStep) and iteration in (800, 1600):
            rule.rate /= 2
        if iteration >= AFTERWARDS // 2:
            means += fit.means
            logs += np.log(fit.variances)
    count = AFTERWARDS - AFTERWARDS // 2
    fit.means, fit.variances = means / count, np.exp(logs / count)
    return fit.loss()


def main():
    rules = [("relative step", RelativeStep)]
    for anew in (True, False):
        for first in (1e-4, 1e-2, 0.3):
            name = f"DoG, r = {first}, {'anew in each window' if anew else 'never anew'}"
            rules.append((name, lambda fit, first=first, anew=anew: DistanceOverGradients(fit, first, anew)))
    problems = [
        ("breast cancer, N = 5", reproduce.breast_cancer(), 5),
        ("wine, N = 20", reproduce.wine(), 20),
        ("funnel, N = 20", mig.Funnel(), 20),
    ]
    for problem, target, components in problems:
        print(problem)
        for name, make in rules:
            with np.errstate(all="ignore"):
                losses = [run(target, components, seed, make) for seed in (1, 2, 3)]
            print(f"  {name:40} {np.mean(losses):9.4f}  (s.d. of 3 seeds {np.std(losses, ddof=1):.4f})", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
