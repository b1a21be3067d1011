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


def case(name, model, means, variances, responses, probabilities, expected, logs, tolerance):
    """One case of the file; `logs` are those of the rows' predictive densities."""
    return {
        "name": name,
        "model": model,
        "means": means,
        "variances": variances,
        "responses": responses,
        "probabilities": probabilities,
        "expected": expected,
        "log_predictive_density": float(np.mean(logs)),
        "tolerance": tolerance,
    }


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
    expected = [m + q for m, q in zip(deviations, quantiles)]
    return case(name, model, means, variances, responses, probabilities, expected, logs, tolerance)


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
    return case(name, "family: softmax", means, variances, responses, [], expected, logs, tolerance)


def counts(name, means, variances, responses, tolerance=1e-4):
    """Under component i η ~ N(x m_i, ε_i |x|²), and log α ~ N(m, ε_i) where there is a third number; y has mean e^η."""
    probabilities = [0.01, 0.05, 0.5, 0.95]
    z = np.linspace(-8, 8, 801)
    w = np.exp(-z * z / 2)
    w /= w.sum()
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    weights = weights / weights.sum()
    expected, logs = [], []
    for row, response in zip(np.array(ROWS), responses):
        terms, total, square = [], 0.0, 0.0
        for mean, variance in zip(means, variances):
            centre, deviation = row @ np.array(mean[:2]), np.sqrt(variance) * np.linalg.norm(row)
            first, second = np.exp(centre + deviation**2 / 2), np.exp(2 * centre + 2 * deviation**2)
            alpha = np.exp(mean[2] + variance / 2) if len(mean) > 2 else 0.0
            total += first / len(means)
            square += (first + (1 + alpha) * second) / len(means)
            alphas = np.exp(mean[2] + np.sqrt(variance) * nodes) if len(mean) > 2 else [0.0]
            for alpha, weight in zip(alphas, weights if len(mean) > 2 else [1.0]):
                if weight > 1e-10:
                    terms.append((weight / len(means), np.exp(centre + deviation * z), alpha))
        k = np.arange(int(total * 4 + 12 * np.sqrt(square - total**2)) + 20)

        def law(mu, alpha):
            return stats.nbinom(1 / alpha, (1 / (1 + alpha * mu))[:, None]) if alpha > 0 else stats.poisson(mu[:, None])

        distribution = sum(weight * (w @ law(mu, alpha).cdf(k)) for weight, mu, alpha in terms)
        quantiles = [int(np.searchsorted(distribution, p)) for p in probabilities]
        # Else rounding would decide.
        assert all(abs(distribution[max(0, q - d)] - p) > 4e-5 for q, p in zip(quantiles, probabilities) for d in (0, 1))
        expected.append([float(total), float(np.sqrt(square - total**2))] + quantiles)
        logs.append(float(np.log(sum(weight * (w @ law(mu, alpha).pmf(response))[0] for weight, mu, alpha in terms))))
    model = "family: poisson"
    if len(means[0]) > 2:
        model = "family: negative_binomial, overdispersion: {half_normal: {scale: 1}}"
    return case(name, model, means, variances, responses, probabilities, expected, logs, tolerance)


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
    # Components that are taken together, and such as are just too far apart or too different.
    near = [[1, 0.5, -0.5, 1, 0, 0.2], [0.9, 0.6, -0.4, 0.8, 0.1, 0.1]]
    k = [0, 1, 2, 0]
    cases += [
        softmax("near, two classes", 2, [[1, 0.5, -0.5, 1], [0.8, 0.6, -0.4, 0.8]], [0.2, 0.25], [0, 1, 0, 1], 2e-5),
        softmax("near, three classes", 3, near, [0.3, 0.4], k, 3e-5),
        softmax("near and narrow, three classes", 3, near, [0.03, 0.04], k, 3e-5),
        softmax("near and wide, three classes", 3, near, [0.8, 0.9], k, 3e-5),
        softmax("near and far out, three classes", 3, [[8, 2, -9, 7, 0, -8], [8.2, 2, -9, 7, 0, -8]], [0.9, 1], [2, 0, 2, 1], 3e-5),
        softmax("nearly too different", 3, near, [0.2, 0.3], k, 3e-5),
        softmax("just too different", 3, near, [0.17, 0.3], k, 3e-5),
        softmax("near, four classes", 4, [[1, 0.5, -9, 0, 1, 0, 9, 0.1], [1.1, 0.4, -9, 0, 1, 0, 9, 0.2]], [0.2, 0.25], k, 3e-5),
    ]
    # More than are taken together at once.
    many = [[round(number + 0.04 * ((7 * i + 3 * j) % 5 - 2), 2) for j, number in enumerate(near[0])] for i in range(10)]
    cases.append(softmax("many near, three classes", 3, many, [0.3 + 0.005 * i for i in range(10)], k, 3e-5))
    # Standard deviations of predictors around those where the number of points for them changes.
    y = [0, 50, 1, 14]
    pair, apart = [[1.2, 1.6], [1.21, 1.59]], [[1.2, 1.6], [1.25, 1.5]]
    for variance in [1e-4, 2.4e-4, 3e-4, 1.4e-3, 1.8e-3, 9e-3, 0.012, 0.017]:
        cases.append(counts(f"counts, variance {variance}", pair, [variance, 1.1 * variance], y))
    cases += [
        counts("near, large counts", [[1.9, 1.6], [1.901, 1.6]], [5e-5, 6e-5], [0, 220, 1, 2]),
        counts("centres apart", apart, [1.5e-4, 1.5e-4], y),
        counts("centres far apart", [[1.2, 1.6], [1.6, 1.0]], [1e-4, 2e-4], y),
        counts("one overdispersion", [m + [-2.0] for m in pair], [5e-4, 6e-4], y),
        counts("spread overdispersions", [pair[0] + [-3.0], pair[1] + [-5.0]], [3e-3, 4e-3], y),
        counts("spread overdispersions, narrow", [pair[0] + [-1.0], pair[1] + [-4.0]], [4e-4, 4e-4], y),
        counts("overdispersions far apart", [pair[0] + [1.0], pair[1] + [-6.0]], [4e-4, 4e-4], y),
        counts("wider overdispersions", [pair[0] + [-2.0], pair[1] + [-2.5]], [0.015, 0.017], y),
    ]
    path = pathlib.Path(__file__).parent / "references.json"
    path.write_text(json.dumps(cases, indent=1) + "\n")


main()
