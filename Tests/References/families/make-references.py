#!/usr/bin/env python3
"""Posterior means and standard deviations of every regression family, by NUTS or in closed form.

Writes the data sets (`NAME.csv`), the specs (`NAME.yaml`) and the figures (`references.json`) beside this script. What a
fit has to agree with are `mean` and `sd` of each column of `isomix sample`; `mcse` is the Monte Carlo error of the mean.
The densities are written down here once more, with NumPyro's distributions, and share no code with the program.

    python3 -m venv venv && venv/bin/pip install numpy scipy jax numpyro scikit-learn
    venv/bin/python make-references.py            # all, some minutes
    venv/bin/python make-references.py poisson    # those named
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import summary
from numpyro.infer import MCMC, NUTS
from sklearn import datasets

numpyro.enable_x64()
HERE = pathlib.Path(__file__).parent
SEED = 20240611
CHAINS, WARMUP, DRAWS = 4, 2000, 5000


def standardized(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


def design(x):
    """A column of ones, then the features by their own mean and standard deviation (divisor n)."""
    return np.column_stack([np.ones(len(x)), standardized(x)])


def write(name, columns, rows, spec):
    with open(HERE / f"{name}.csv", "w") as file:
        file.write(",".join(columns) + "\n")
        for row in rows:
            file.write(",".join(v if isinstance(v, str) else f"{v:.6g}" for v in row) + "\n")
    (HERE / f"{name}.yaml").write_text(spec)


def read(name, response, text=()):
    """The data as written: rounded, like everybody else's."""
    lines = (HERE / f"{name}.csv").read_text().splitlines()
    columns = lines[0].split(",")
    cells = [line.split(",") for line in lines[1:]]
    table = {c: [row[k] for row in cells] for k, c in enumerate(columns)}
    features = [c for c in columns if c != response and c not in text]
    x = np.array([[float(v) for v in table[c]] for c in features]).T
    y = np.array([float(v) for v in table[response]])
    return x, y, features, {c: table[c] for c in text}


def spec(name, model, components=1, extra=""):
    return (
        "model:\n" + "".join(f"  {line}\n" for line in model)
        + f"data: {{train: {name}.csv}}\nmixture: {{components: {components}}}\n"
        + f"inference: {{metric: dense, seed: 7}}\n{extra}"
    )


def nuts(model, names, *arguments):
    """Means, standard deviations and Monte Carlo errors of `names`: (site, index) for each column."""
    mcmc = MCMC(
        NUTS(model, target_accept_prob=0.95), num_warmup=WARMUP, num_samples=DRAWS, num_chains=CHAINS,
        progress_bar=False)
    mcmc.run(jax.random.PRNGKey(SEED), *arguments)
    samples = mcmc.get_samples(group_by_chain=True)
    figures = summary(samples)
    columns, worst = {}, 0.0
    for column, (site, index) in names.items():
        draws = np.asarray(samples[site])[(...,) + index]
        stats = {k: np.asarray(figures[site][k])[index] for k in ("n_eff", "r_hat")}
        worst = max(worst, float(stats["r_hat"]))
        columns[column] = {
            "mean": float(draws.mean()), "sd": float(draws.std()),
            "mcse": float(draws.std() / np.sqrt(stats["n_eff"])),
        }
    return {"method": "NUTS", "r_hat": worst, "columns": columns}


def coefficient_names(features):
    return {c: ("beta", (k,)) for k, c in enumerate(["intercept"] + features)}


# Data sets.

def make_numbers(rng, rows=120):
    x = rng.normal(size=(rows, 3))
    x[:, 1] = 0.7 * x[:, 0] + 0.7 * x[:, 1]
    return x * np.array([2.0, 0.5, 10.0]) + np.array([1.0, -3.0, 40.0])


def linear():
    """Closed form: y ~ N(Xβ, 1.5²), β ~ N(0, 10²)."""
    rng = np.random.default_rng(1)
    x = make_numbers(rng)
    y = design(x) @ np.array([2.0, 1.0, -0.5, 0.3]) + 1.5 * rng.normal(size=len(x))
    write("linear", ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec("linear", ["family: linear", "response: y", "noise: 1.5"]))
    x, y, features, _ = read("linear", "y")
    X = design(x)
    covariance = np.linalg.inv(X.T @ X / 1.5**2 + np.eye(X.shape[1]) / 100)
    mean = covariance @ X.T @ y / 1.5**2
    columns = {c: {"mean": mean[k], "sd": covariance[k, k] ** 0.5, "mcse": 0.0}
               for k, c in enumerate(["intercept"] + features)}
    return {"method": "closed form", "r_hat": 1.0, "columns": columns}


def linear_noise():
    rng = np.random.default_rng(2)
    x = make_numbers(rng, 60)
    y = design(x) @ np.array([2.0, 1.0, -0.5, 0.3]) + 1.5 * rng.normal(size=len(x))
    write("linear_noise", ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec("linear_noise", ["family: linear", "response: y", "noise: {half_normal: {scale: 2}}"]))
    x, y, features, _ = read("linear_noise", "y")

    def model(X, y):
        beta = numpyro.sample("beta", dist.Normal(0, 10).expand([X.shape[1]]))
        sigma = numpyro.sample("sigma", dist.HalfNormal(2))
        numpyro.sample("y", dist.Normal(X @ beta, sigma), obs=y)

    return nuts(model, coefficient_names(features) | {"noise": ("sigma", ())}, design(x), y)


def student_t():
    rng = np.random.default_rng(3)
    x = make_numbers(rng, 80)
    y = design(x) @ np.array([2.0, 1.0, -0.5, 0.3]) + rng.standard_t(3, size=len(x))
    y[::20] += 15
    write("student_t", ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec("student_t", ["family: student_t", "response: y", "degrees: 4",
                             "noise: {half_normal: {scale: 2}}"]))
    x, y, features, _ = read("student_t", "y")

    def model(X, y):
        beta = numpyro.sample("beta", dist.Normal(0, 10).expand([X.shape[1]]))
        sigma = numpyro.sample("sigma", dist.HalfNormal(2))
        numpyro.sample("y", dist.StudentT(4, X @ beta, sigma), obs=y)

    return nuts(model, coefficient_names(features) | {"noise": ("sigma", ())}, design(x), y)


def logistic():
    rng = np.random.default_rng(4)
    x = make_numbers(rng, 150)
    p = 1 / (1 + np.exp(-design(x) @ np.array([0.5, 1.5, -1.0, 0.5])))
    y = (rng.uniform(size=len(x)) < p).astype(float)
    write("logistic", ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec("logistic", ["family: logistic", "response: y", "prior: {normal: {scale: 2.5}}"]))
    x, y, features, _ = read("logistic", "y")

    def model(X, y):
        beta = numpyro.sample("beta", dist.Normal(0, 2.5).expand([X.shape[1]]))
        numpyro.sample("y", dist.BernoulliLogits(X @ beta), obs=y)

    return nuts(model, coefficient_names(features), design(x), y)


def softmax():
    """Fisher's irises with a prior tight enough to identify every class's coefficients."""
    iris = datasets.load_iris()
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    write("softmax", names + ["species"], np.column_stack([iris.data, iris.target]),
          spec("softmax", ["family: softmax", "response: species", "prior: {normal: {scale: 1}}"]))
    x, y, features, _ = read("softmax", "species")

    def model(X, y):
        theta = numpyro.sample("beta", dist.Normal(0, 1).expand([X.shape[1], 3]))
        numpyro.sample("y", dist.Categorical(logits=X @ theta), obs=y)

    columns = {f"{c}[{k}]": ("beta", (j, k))
               for j, c in enumerate(["intercept"] + features) for k in range(3)}
    return nuts(model, columns, design(x), y.astype(int))


def poisson():
    rng = np.random.default_rng(5)
    x = make_numbers(rng, 100)
    y = rng.poisson(np.exp(design(x) @ np.array([1.0, 0.4, -0.3, 0.2])))
    write("poisson", ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec("poisson", ["family: poisson", "response: y", "prior: {normal: {scale: 2}}"]))
    x, y, features, _ = read("poisson", "y")

    def model(X, y):
        beta = numpyro.sample("beta", dist.Normal(0, 2).expand([X.shape[1]]))
        numpyro.sample("y", dist.Poisson(jnp.exp(X @ beta)), obs=y)

    return nuts(model, coefficient_names(features), design(x), y)


def negative_binomial():
    rng = np.random.default_rng(6)
    x = make_numbers(rng, 150)
    mu = np.exp(design(x) @ np.array([1.2, 0.4, -0.3, 0.2]))
    y = rng.poisson(mu * rng.gamma(2.0, 0.5, size=len(x)))
    write("negative_binomial", ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec("negative_binomial", ["family: negative_binomial", "response: y",
                                     "prior: {normal: {scale: 2}}",
                                     "overdispersion: {half_normal: {scale: 1}}"]))
    x, y, features, _ = read("negative_binomial", "y")

    def model(X, y):
        beta = numpyro.sample("beta", dist.Normal(0, 2).expand([X.shape[1]]))
        alpha = numpyro.sample("alpha", dist.HalfNormal(1))
        numpyro.sample("y", dist.NegativeBinomial2(jnp.exp(X @ beta), 1 / alpha), obs=y)

    return nuts(model, coefficient_names(features) | {"overdispersion": ("alpha", ())}, design(x), y)


def prior(name, law, draw, components=1):
    """Linear regression with known noise and one law for the intercept, another for the coefficients."""
    rng = np.random.default_rng(7)
    x = make_numbers(rng, 50)
    y = design(x) @ np.array([2.0, 1.0, 0.0, 0.3]) + 1.5 * rng.normal(size=len(x))
    write(name, ["a", "b", "c", "y"], np.column_stack([x, y]),
          spec(name, ["family: linear", "response: y", "noise: 1.5",
                      f"prior: {{intercept: {{normal: {{scale: 5}}}}, coefficients: {law}}}"], components))
    x, y, features, _ = read(name, "y")

    def model(X, y):
        intercept = numpyro.sample("intercept", dist.Normal(0, 5))
        slopes = draw(X.shape[1] - 1)
        beta = numpyro.deterministic("beta", jnp.concatenate([intercept[None], slopes]))
        numpyro.sample("y", dist.Normal(X @ beta, 1.5), obs=y)

    return nuts(model, coefficient_names(features), design(x), y)


def prior_laplace():
    return prior("prior_laplace", "{laplace: {scale: 0.5}}",
                 lambda k: numpyro.sample("slopes", dist.Laplace(0, 0.5).expand([k])), components=5)


def prior_student_t():
    return prior("prior_student_t", "{student_t: {degrees: 3, scale: 0.5}}",
                 lambda k: numpyro.sample("slopes", dist.StudentT(3, 0, 0.5).expand([k])), components=5)


def prior_horseshoe():
    def draw(k):
        z = numpyro.sample("z", dist.Normal(0, 1).expand([k]))
        local = numpyro.sample("local", dist.HalfCauchy(1).expand([k]))
        overall = numpyro.sample("overall", dist.HalfCauchy(1))
        return z * local * overall

    return prior("prior_horseshoe", "{horseshoe: {scale: 1}}", draw, components=20)


def groups():
    """Poisson regression with varying intercepts, ten rows a group."""
    rng = np.random.default_rng(8)
    origins = ["north", "east", "south", "west", "centre", "coast", "hills", "lake"]
    origin = np.repeat(np.arange(len(origins)), 12)
    rng.shuffle(origin)
    x = rng.normal(size=(len(origin), 2)) * np.array([2.0, 0.3]) + np.array([5.0, 1.0])
    effect = 0.6 * rng.normal(size=len(origins))
    y = rng.poisson(np.exp(design(x) @ np.array([1.3, 0.3, -0.2]) + effect[origin]))
    rows = [[a, b, origins[g], float(v)] for (a, b), g, v in zip(x, origin, y)]
    write("groups", ["a", "b", "origin", "y"], rows,
          spec("groups", ["family: poisson", "response: y", "prior: {normal: {scale: 2}}", "groups: [origin]",
                          "group_scale: {half_normal: {scale: 1}}"], components=20))
    x, y, features, text = read("groups", "y", text=("origin",))
    levels = sorted(set(text["origin"]))
    index = np.array([levels.index(v) for v in text["origin"]])

    def model(X, index, y):
        beta = numpyro.sample("beta", dist.Normal(0, 2).expand([X.shape[1]]))
        tau = numpyro.sample("tau", dist.HalfNormal(1))
        z = numpyro.sample("z", dist.Normal(0, 1).expand([len(levels)]))
        effects = numpyro.deterministic("effects", tau * z)
        numpyro.sample("y", dist.Poisson(jnp.exp(X @ beta + effects[index])), obs=y)

    columns = coefficient_names(features) | {"scale_origin": ("tau", ())}
    columns |= {f"effect_origin[{level}]": ("effects", (k,)) for k, level in enumerate(levels)}
    return nuts(model, columns, design(x), index, y)


def categories():
    """Logistic regression with a column of texts: 0/1 columns for all but the first text."""
    rng = np.random.default_rng(9)
    colours = ["blue", "green", "red"]
    colour = rng.integers(0, 3, size=180)
    a = rng.normal(size=180) * 3 + 1
    logit = 0.3 + 0.8 * (a - a.mean()) / a.std() + np.array([0.0, 1.2, -0.9])[colour]
    y = (rng.uniform(size=180) < 1 / (1 + np.exp(-logit))).astype(float)
    write("categories", ["a", "colour", "y"], [[u, colours[k], v] for u, k, v in zip(a, colour, y)],
          spec("categories", ["family: logistic", "response: y", "prior: {normal: {scale: 2.5}}"]))
    x, y, features, text = read("categories", "y", text=("colour",))
    dummies = np.array([[float(v == c) for c in colours[1:]] for v in text["colour"]])
    X = np.column_stack([design(x), dummies])

    def model(X, y):
        beta = numpyro.sample("beta", dist.Normal(0, 2.5).expand([X.shape[1]]))
        numpyro.sample("y", dist.BernoulliLogits(X @ beta), obs=y)

    return nuts(model, coefficient_names(features + ["colour[green]", "colour[red]"]), X, y)


FAMILIES = {f.__name__: f for f in [
    linear, linear_noise, student_t, logistic, softmax, poisson, negative_binomial, prior_laplace, prior_student_t,
    prior_horseshoe, groups, categories]}


def main():
    numpyro.set_host_device_count(4)
    file = HERE / "references.json"
    figures = json.loads(file.read_text()) if file.exists() else {}
    for name in sys.argv[1:] or FAMILIES:
        figures[name] = FAMILIES[name]()
        assert figures[name]["r_hat"] < 1.01, (name, figures[name]["r_hat"])
        worst = max(c["mcse"] / c["sd"] for c in figures[name]["columns"].values())
        print(f"{name}: {figures[name]['method']}, R-hat {figures[name]['r_hat']:.4f}, MCSE/sd {worst:.4f}", flush=True)
        file.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
