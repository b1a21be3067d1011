"""Predictions of rows under mixtures that are set by hand, by dense quadrature with NumPy and SciPy.

Writes references.json beside this file: for each case the model's keys, the mixture (means [N, d], variances [N], metric
unit), rows and what is expected of them. `python reference.py` takes a minute.
"""

import json
import pathlib

import numpy as np
from scipy import optimize, stats

ROWS = [[0.5, -1.5], [2.0, 1.0], [0.0, 0.0], [-3.0, 4.0]]
Z = np.linspace(-9, 9, 6001)
W = np.exp(-Z * Z / 2)
W /= W.sum()


def student(name, degrees, means, variances, noise, responses, tolerance, fitted=False):
    """y = η + σ t; under component i η ~ N(x m_i, ε_i |x|²), and log σ ~ N(m, ε_i) where it is fitted."""
    probabilities = [0.001, 0.05, 0.5, 0.95]
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    quantiles, deviations, logs = [], [], []
    for row, response in zip(np.array(ROWS), responses):
        terms = []
        for mean, variance in zip(means, variances):
            centre, deviation = row @ np.array(mean[:2]), np.sqrt(variance) * np.linalg.norm(row)
            scales = np.exp(mean[2] + np.sqrt(variance) * nodes) if fitted else np.array([noise])
            for scale, weight in zip(scales, weights if fitted else [1.0]):
                terms.append((weight / len(means), centre, deviation, scale))
        # Terms of no weight don't count.
        terms = [term for term in terms if term[0] > 1e-14]

        def distribution(y):
            return sum(w * (W @ stats.t.cdf((y - c - s * Z) / k, degrees)) for w, c, s, k in terms)

        def density(y):
            return sum(w * (W @ stats.t.pdf((y - c - s * Z) / k, degrees)) / k for w, c, s, k in terms)

        reach = 1e3 * max(k for w, c, s, k in terms) + 50
        quantiles.append(
            [
                optimize.brentq(lambda y: distribution(y) - p, -reach, reach, xtol=1e-12)
                for p in probabilities
            ]
        )
        mean = sum(w * c for w, c, s, k in terms)
        square = sum(w * (s * s + (c - mean) ** 2) for w, c, s, k in terms)
        noises = sum(w * k * k for w, c, s, k in terms)
        deviations.append(
            [mean, float(np.sqrt(square + noises * degrees / (degrees - 2))) if degrees > 2 else None]
        )
        logs.append(float(np.log(density(response))))
    model = f"family: student_t, degrees: {degrees}, noise: " + (
        "{half_normal: {scale: 1}}" if fitted else str(noise)
    )
    return {
        "name": name,
        "model": model,
        "means": means,
        "variances": variances,
        "responses": responses,
        "probabilities": probabilities,
        "expected": [m + q for m, q in zip(deviations, quantiles)],
        "log_predictive_density": float(np.mean(logs)),
        "tolerance": tolerance,
    }


def softmax(name, classes, means, variances, responses, tolerance):
    """Logits of the classes are independent, N(x m_ic, ε_i |x|²): all of them are integrated over."""
    count = {2: 801, 3: 161, 4: 45}[classes]
    z = np.linspace(-6.5, 6.5, count)
    w = np.exp(-z * z / 2)
    w /= w.sum()
    grid = np.meshgrid(*[z] * classes, indexing="ij")
    weight = np.ones([count] * classes)
    for k in range(classes):
        weight = weight * w.reshape([-1 if j == k else 1 for j in range(classes)])
    expected, logs = [], []
    for row, response in zip(np.array(ROWS), responses):
        probabilities = np.zeros(classes)
        for mean, variance in zip(means, variances):
            matrix = np.array(mean).reshape(2, classes)
            deviation = np.sqrt(variance) * np.linalg.norm(row)
            logits = [row @ matrix[:, c] + deviation * grid[c] for c in range(classes)]
            top = np.maximum.reduce(logits)
            powers = [np.exp(logit - top) for logit in logits]
            total = sum(powers)
            probabilities += [float((weight * power / total).sum()) / len(means) for power in powers]
        expected.append([float(p) for p in probabilities])
        logs.append(float(np.log(probabilities[response])))
    return {
        "name": name,
        "model": "family: softmax",
        "means": means,
        "variances": variances,
        "responses": responses,
        "probabilities": [],
        "expected": expected,
        "log_predictive_density": float(np.mean(logs)),
        "tolerance": tolerance,
    }


def main():
    y = [0.3, -1.0, 0.5, 5.0]
    centres = [[1.0, 2.0], [1.1, 1.9]]
    cases = [
        student("narrow, 4 degrees", 4.0, centres, [0.001, 0.002], 0.7, y, 2e-5),
        student("narrow, 30 degrees", 30.0, centres, [0.001, 0.002], 0.7, y, 2e-5),
        student("narrow, 1 degree", 1.0, centres, [0.0005, 0.001], 0.7, y, 2e-5),
        student("wide, 4 degrees", 4.0, [[1.0, 2.0], [3.0, -1.0]], [0.25, 0.5], 0.7, y, 2e-5),
        student("wide, 1.5 degrees", 1.5, [[1.0, 2.0], [3.0, -1.0]], [0.25, 0.5], 0.2, y, 2e-5),
        student("wide, 1 degree", 1.0, [[1.0, 2.0], [3.0, -1.0]], [0.25, 0.5], 0.7, y, 1e-4),
        student("far responses", 4.0, centres, [0.001, 0.02], 0.7, [1e3, -1e4, 50.0, 1e6], 2e-5),
        student(
            "fitted noise", 4.0, [[1.0, 2.0, -0.3], [1.2, 1.8, -0.2]], [0.01, 0.02], 0, y, 4e-3, fitted=True
        ),
    ]
    k = [0, 1, 0, 1]
    cases += [
        softmax("two classes", 2, [[1, 0.5, -0.5, 1], [0.8, 0, 0.2, 0.5]], [0.2, 0.5], k, 2e-5),
        softmax("narrow, three classes", 3, [[1, 0.5, -0.5, 1, 0, 0.2]] * 2, [0.002, 0.004], [0, 1, 2, 0], 1e-5),
        softmax(
            "three classes",
            3,
            [[1, 0.5, -0.5, 1, 0, 0.2], [0.3, 0.2, 0.1, -0.4, 0.2, 0]],
            [0.1, 0.2],
            [0, 1, 2, 0],
            3e-5,
        ),
        softmax("wide, three classes", 3, [[1, 0.5, -0.5, 1, 0, 0.2]] * 2, [0.3, 0.6], [0, 1, 2, 0], 3e-5),
        softmax("far, three classes", 3, [[8, 2, -9, 7, 0, -8]] * 2, [0.5, 1.0], [0, 0, 2, 2], 3e-5),
        softmax(
            "four classes", 4, [[1, 0.5, -0.5, 0, 1, 0, 0.2, 0.1]] * 2, [0.02, 0.05], [0, 1, 2, 3], 3e-5
        ),
    ]
    path = pathlib.Path(__file__).parent / "references.json"
    path.write_text(json.dumps(cases, indent=1) + "\n")


main()
