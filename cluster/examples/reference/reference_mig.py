"""An independent NumPy implementation of variational inference with mixtures of isotropic Gaussians.

Written from the formulas (Petit-Talamon, Lambert, Korba, arXiv 2506.13613, Prop. 3.1), sharing no
code with the Swift program, so that each can be checked against the other. Plain and dense: no
tiles, no workers, one NumPy expression a formula.

    q(x) = (1/N) sum_i N(x; m_i, e_i I),   V = -log posterior (normalised prior and likelihood)
    x_is = m_i + sqrt(e_i) z_is,           G_is = grad log q(x_is) + grad V(x_is)
    g_i = mean_s G_is,                     h_i = mean_s (x_is - m_i).G_is / (d e_i)
    IBW: m <- m - c g,  e <- e (1 - c h)^2
    MD:  m <- m - c g,  e <- e exp(-c h)

A target has `dimension` and `value_and_gradient(x)`: V [S] and its gradient [S, d] at x [S, d].
"""

import csv
from dataclasses import dataclass

import numpy as np

LOG_2PI = np.log(2 * np.pi)


# --- the mixture ---------------------------------------------------------------------------------


def log_sum_exp(values):
    top = values.max(axis=-1, keepdims=True)
    return (top + np.log(np.exp(values - top).sum(axis=-1, keepdims=True)))[..., 0]


def mixture_log_density_and_score(x, means, variances):
    """log q(x) [S] and its gradient [S, d], by direct differences and log-sum-exp."""
    dimension = x.shape[1]
    differences = x[:, None, :] - means[None, :, :]
    terms = (
        -0.5 * np.einsum("snd,snd->sn", differences, differences) / variances
        - 0.5 * dimension * np.log(2 * np.pi * variances)
        - np.log(len(means)))
    log_density = log_sum_exp(terms)
    pull = np.exp(terms - log_density[:, None]) / variances
    return log_density, -np.einsum("sn,snd->sd", pull, differences)


# --- targets -------------------------------------------------------------------------------------


@dataclass
class Logistic:
    """Logistic regression without intercept; response in {0, 1}; prior N(0, prior_variance I)."""
    features: np.ndarray
    response: np.ndarray
    prior_variance: float

    @property
    def dimension(self):
        return self.features.shape[1]

    def value_and_gradient(self, x):
        logits = x @ self.features.T
        value = np.logaddexp(0, logits).sum(axis=1) - logits @ self.response
        probability = 0.5 * (1 + np.tanh(0.5 * logits))
        gradient = (probability - self.response) @ self.features
        return add_gaussian_prior(x, value, gradient, self.prior_variance)


@dataclass
class Softmax:
    """Softmax regression without intercept, one coefficient a feature and class, flattened as
    [features, classes]; prior N(0, prior_variance I)."""
    features: np.ndarray
    response: np.ndarray  # class indices
    prior_variance: float

    @property
    def classes(self):
        return int(self.response.max()) + 1

    @property
    def dimension(self):
        return self.features.shape[1] * self.classes

    def value_and_gradient(self, x):
        rows, columns = self.features.shape
        coefficients = x.reshape(-1, columns, self.classes)
        logits = self.features @ coefficients  # [S, rows, classes]
        normaliser = log_sum_exp(logits)
        value = (normaliser - logits[:, np.arange(rows), self.response]).sum(axis=1)
        residual = np.exp(logits - normaliser[..., None])
        residual[:, np.arange(rows), self.response] -= 1
        gradient = (self.features.T @ residual).reshape(len(x), -1)
        return add_gaussian_prior(x, value, gradient, self.prior_variance)


def add_gaussian_prior(x, value, gradient, variance):
    value = value + 0.5 * (x * x).sum(axis=1) / variance
    value = value + 0.5 * x.shape[1] * np.log(2 * np.pi * variance)
    return value, gradient + x / variance


@dataclass
class Funnel:
    """x1 ~ N(0, variance) and x2 | x1 ~ N(0, exp(power x1)): power 1 makes e^x1 the variance of x2,
    power 2 its standard deviation."""
    variance: float = 1.2
    power: float = 1.0
    dimension = 2

    def value_and_gradient(self, x):
        x1, x2 = x[:, 0], x[:, 1]
        precision = np.exp(-self.power * x1)
        value = (
            0.5 * x1 ** 2 / self.variance + 0.5 * np.log(2 * np.pi * self.variance)
            + 0.5 * x2 ** 2 * precision + 0.5 * self.power * x1 + 0.5 * LOG_2PI)
        gradient = np.stack(
            [x1 / self.variance - 0.5 * self.power * x2 ** 2 * precision + 0.5 * self.power,
             x2 * precision], axis=1)
        return value, gradient


@dataclass
class SinhArcsinh:
    """The law of x = sinh((asinh(z) + skew) * stretch), z ~ N(0, covariance), coordinate by
    coordinate. Jones and Pewsey's tail parameter is 1 / stretch: below 1 the tails are heavier."""
    covariance: np.ndarray
    skew: np.ndarray
    stretch: np.ndarray
    dimension = 2

    def __post_init__(self):
        self.precision = np.linalg.inv(self.covariance)
        self.constant = 0.5 * np.linalg.slogdet(2 * np.pi * np.asarray(self.covariance))[1]

    def value_and_gradient(self, x):
        u = np.arcsinh(x) / self.stretch - self.skew
        z = np.sinh(u)
        slope_of_u = 1 / (self.stretch * np.sqrt(1 + x * x))
        weighted = z @ self.precision
        value = self.constant + 0.5 * (z * weighted).sum(axis=1) - (
            np.log(np.cosh(u)) + np.log(slope_of_u)).sum(axis=1)
        gradient = (weighted * np.cosh(u) - np.tanh(u)) * slope_of_u + x / (1 + x * x)
        return value, gradient


@dataclass
class GaussianMixture:
    """Mixture of Gaussians with diagonal covariances [K, d]."""
    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    @property
    def dimension(self):
        return self.means.shape[1]

    def value_and_gradient(self, x):
        differences = x[:, None, :] - self.means
        terms = np.log(self.weights) - 0.5 * (
            differences ** 2 / self.variances + np.log(2 * np.pi * self.variances)).sum(axis=2)
        log_density = log_sum_exp(terms)
        responsibility = np.exp(terms - log_density[:, None])
        gradient = np.einsum("sk,skd->sd", responsibility, differences / self.variances)
        return -log_density, gradient


# --- the fit -------------------------------------------------------------------------------------


def uniform_start(components, dimension, half_width, variance, generator):
    means = generator.uniform(-half_width, half_width, size=(components, dimension))
    return means, np.full(components, float(variance))


def fit(target, means, variances, generator, algorithm="ibw", step_size=0.01, iterations=1000,
        samples=10, log_variance_cap=np.inf, observe=None):
    """Run the iteration with a constant step; return the final means [N, d] and variances [N]."""
    components, dimension = means.shape
    for iteration in range(iterations):
        z = generator.standard_normal((components, samples, dimension))
        x = means[:, None, :] + np.sqrt(variances)[:, None, None] * z
        flat = x.reshape(-1, dimension)
        score = mixture_log_density_and_score(flat, means, variances)[1]
        integrand = (score + target.value_and_gradient(flat)[1]).reshape(x.shape)
        g = integrand.mean(axis=1)
        h = ((x - means[:, None, :]) * integrand).sum(axis=2).mean(axis=1) / (dimension * variances)
        means = means - step_size * g
        if algorithm == "ibw":
            change = 2 * np.log(np.abs(1 - step_size * h))
        elif algorithm == "md":
            change = -step_size * h
        else:
            raise ValueError(f"unknown algorithm {algorithm}")
        variances = variances * np.exp(np.clip(change, -log_variance_cap, log_variance_cap))
        if observe is not None:
            observe(iteration + 1, means, variances)
    return means, variances


def negative_elbo(target, means, variances, generator, draws_per_component=4000, chunk=1000):
    """E_q[log q + V] and its standard error, by fresh draws, as many from each component: -ELBO, and
    the KL divergence where V is normalised."""
    components, dimension = means.shape
    component_means, component_errors = [], []
    for mean, variance in zip(means, variances):
        values = []
        for start in range(0, draws_per_component, chunk):
            count = min(chunk, draws_per_component - start)
            x = mean + np.sqrt(variance) * generator.standard_normal((count, dimension))
            values.append(
                mixture_log_density_and_score(x, means, variances)[0]
                + target.value_and_gradient(x)[0])
        values = np.concatenate(values)
        component_means.append(values.mean())
        component_errors.append(values.var(ddof=1) / len(values))
    return np.mean(component_means), np.sqrt(np.sum(component_errors)) / components


# --- data ----------------------------------------------------------------------------------------


def read_csv(path):
    """Features [rows, columns] and the last column as text."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    features = np.array([[float(cell) for cell in row[:-1]] for row in rows])
    return features, [row[-1] for row in rows]


def standardise(train, *others, ddof=0):
    centre, scale = train.mean(axis=0), train.std(axis=0, ddof=ddof)
    return [(part - centre) / scale for part in (train, *others)]
