"""An independent NumPy implementation of variational inference with mixtures of isotropic Gaussians.

Written from the formulas (Petit-Talamon, Lambert, Korba, arXiv 2506.13613, Prop. 3.1), sharing no
code with the Swift program, so that each can be checked against the other. Plain and dense: no
tiles, no workers, one NumPy expression a formula.

    q(x) = (1/N) sum_i N(x; m_i, e_i I),   V = -log posterior (normalised prior and likelihood)
    x_is = m_i + sqrt(e_i) z_is,           G_is = grad log q(x_is) + grad V(x_is)
    g_i = mean_s G_is,                     h_i = mean_s (x_is - m_i).G_is / (d e_i)
    IBW: m <- m - c g,     e <- e (1 - c h)^2
    MD:  m <- m - c g,     e <- e exp(-c h)
    NGD: m <- m - c e' g,  1/e' = 1/e + c h + c^2 e h^2 / 2   (the form that stays positive)
    GD:  m <- m - c g,     e stays
    IBW and MD shared: one variance for all components, h averaged over them
    BW:  m <- m - c g,     C <- M C M',  M = I - c S,  S = sym(mean_s G_is (x_is - m_i)' C^-1),
         with full covariances C_i

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


def full_mixture_log_density_and_score(x, means, covariances):
    """The same with full covariances [N, d, d]."""
    dimension = x.shape[1]
    differences = x[None, :, :] - means[:, None, :]  # [N, S, d]
    pulls = differences @ np.linalg.inv(covariances)
    terms = (
        -0.5 * (differences * pulls).sum(axis=2)
        - 0.5 * (dimension * LOG_2PI + np.linalg.slogdet(covariances)[1])[:, None]
        - np.log(len(means))).T
    log_density = log_sum_exp(terms)
    responsibility = np.exp(terms - log_density[:, None])
    return log_density, -np.einsum("sn,nsd->sd", responsibility, pulls)


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


ALGORITHMS = ("ibw", "md", "ngd", "gd", "ibw-shared", "md-shared")


def fit(target, means, variances, generator, algorithm="ibw", step_size=0.01, iterations=1000,
        samples=10, log_variance_cap=np.inf, observe=None):
    """Run the iteration with a constant step; return the final means [N, d] and variances [N]."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"unknown algorithm {algorithm}")
    components, dimension = means.shape
    rule = algorithm.removesuffix("-shared")
    for iteration in range(iterations):
        z = generator.standard_normal((components, samples, dimension))
        x = means[:, None, :] + np.sqrt(variances)[:, None, None] * z
        flat = x.reshape(-1, dimension)
        score = mixture_log_density_and_score(flat, means, variances)[1]
        integrand = (score + target.value_and_gradient(flat)[1]).reshape(x.shape)
        g = integrand.mean(axis=1)
        h = ((x - means[:, None, :]) * integrand).sum(axis=2).mean(axis=1) / (dimension * variances)
        if algorithm.endswith("-shared"):
            h = np.full(components, h.mean())
        if rule == "ibw":
            change = 2 * np.log(np.abs(1 - step_size * h))
        elif rule == "md":
            change = -step_size * h
        elif rule == "ngd":
            change = -np.log(1 + step_size * variances * h + 0.5 * (step_size * variances * h) ** 2)
        else:
            change = np.zeros(components)
        variances = variances * np.exp(np.clip(change, -log_variance_cap, log_variance_cap))
        means = means - step_size * g * (variances[:, None] if rule == "ngd" else 1)
        if observe is not None:
            observe(iteration + 1, means, variances)
    return means, variances


def fit_full(target, means, covariances, generator, step_size=0.01, iterations=1000, samples=10):
    """BW: the same with full covariances [N, d, d]."""
    components, dimension = means.shape
    for _ in range(iterations):
        z = generator.standard_normal((components, samples, dimension))
        offsets = z @ np.linalg.cholesky(covariances).swapaxes(1, 2)
        flat = (means[:, None, :] + offsets).reshape(-1, dimension)
        score = full_mixture_log_density_and_score(flat, means, covariances)[1]
        integrand = (score + target.value_and_gradient(flat)[1]).reshape(z.shape)
        slope = integrand.swapaxes(1, 2) @ offsets @ np.linalg.inv(covariances) / samples
        move = np.eye(dimension) - step_size * 0.5 * (slope + slope.swapaxes(1, 2))
        means = means - step_size * integrand.mean(axis=1)
        covariances = move @ covariances @ move
        covariances = 0.5 * (covariances + covariances.swapaxes(1, 2))
    return means, covariances


def draw(mean, spread, count, generator):
    """Draws [count, d] of one component; `spread` is its variance or its covariance [d, d]."""
    z = generator.standard_normal((count, len(mean)))
    return mean + (np.sqrt(spread) * z if np.ndim(spread) == 0 else z @ np.linalg.cholesky(spread).T)


def negative_elbo(target, means, spreads, generator, draws_per_component=4000, chunk=1000):
    """E_q[log q + V] and its standard error, by fresh draws, as many from each component: -ELBO, and
    the KL divergence where V is normalised. `spreads` are variances [N] or covariances [N, d, d]."""
    log_density_and_score = (
        mixture_log_density_and_score if np.ndim(spreads) == 1 else full_mixture_log_density_and_score)
    component_means, component_errors = [], []
    for mean, spread in zip(means, spreads):
        values = []
        for start in range(0, draws_per_component, chunk):
            x = draw(mean, spread, min(chunk, draws_per_component - start), generator)
            values.append(
                log_density_and_score(x, means, spreads)[0] + target.value_and_gradient(x)[0])
        values = np.concatenate(values)
        component_means.append(values.mean())
        component_errors.append(values.var(ddof=1) / len(values))
    return np.mean(component_means), np.sqrt(np.sum(component_errors)) / len(means)


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
