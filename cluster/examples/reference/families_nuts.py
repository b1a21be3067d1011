#!/usr/bin/env python3
"""Posterior means and standard deviations of the regression examples by NUTS, an independent reference.

    pip install numpy jax numpyro
    python3 families_nuts.py [EXAMPLE ...]

Runs NumPyro's NUTS (four chains of 5000 draws after 2000, double precision) on the data of poisson, negative-binomial, groups,
student-t and horseshoe, with the models written out here anew, and prints for every output variable of isomix its
mean and standard deviation. Tests/CommandTests/FamilyTests.swift holds the figures that it compares fits with.
"""

import csv
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

numpyro.enable_x64()
numpyro.set_host_device_count(1)
DATA = Path(__file__).resolve().parent.parent / "data"


def table(name):
    with open(DATA / name, newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def design(columns, features):
    """Numbers standardised (divisor n); of text a 0/1 column a level but the first, named column[level]."""
    names, parts = [], []
    for feature in features:
        try:
            values = np.array([float(value) for value in columns[feature]])
            names.append(feature)
            parts.append((values - values.mean()) / values.std())
        except ValueError:
            for level in sorted(set(columns[feature]))[1:]:
                names.append(f"{feature}[{level}]")
                parts.append(np.array([float(value == level) for value in columns[feature]]))
    return names, np.stack(parts, axis=1)


def numbers(values):
    return np.array([float(value) for value in values])


def late_flights(features):
    columns = table("late-flights-train.csv")
    return columns, *design(columns, features), numbers(columns["late"])


ALL = ["origin", "season", "weekday", "flights", "wind", "rain", "visibility"]


def normal_coefficients(count):
    return (numpyro.sample("intercept", dist.Normal(0, 10)),
            numpyro.sample("coefficients", dist.Normal(0, 10).expand([count]).to_event(1)))


def negative_binomial(log_mean, alpha, y):
    numpyro.sample("y", dist.NegativeBinomial2(jnp.exp(log_mean), 1 / alpha), obs=y)


def poisson():
    _, names, x, y = late_flights(ALL)

    def model():
        intercept, beta = normal_coefficients(len(names))
        numpyro.sample("y", dist.Poisson(jnp.exp(intercept + x @ beta)), obs=y)

    return model, {"coefficients": names}


def negative_binomial_example():
    _, names, x, y = late_flights(ALL)

    def model():
        intercept, beta = normal_coefficients(len(names))
        negative_binomial(intercept + x @ beta, numpyro.sample("overdispersion", dist.HalfNormal(1)), y)

    return model, {"coefficients": names}


def groups():
    columns, names, x, y = late_flights(["origin", "season", "flights", "wind", "rain", "visibility"])
    levels = {group: sorted(set(columns[group])) for group in ("weekday",)}
    places = {group: np.array([levels[group].index(v) for v in columns[group]]) for group in levels}

    def model():
        intercept, beta = normal_coefficients(len(names))
        z = intercept + x @ beta
        for group in levels:
            scale = numpyro.sample(f"scale_{group}", dist.HalfNormal(1))
            raw = numpyro.sample(f"z_{group}", dist.Normal(0, 1).expand([len(levels[group])]).to_event(1))
            effect = numpyro.deterministic(f"effect_{group}", scale * raw)
            z = z + effect[places[group]]
        negative_binomial(z, numpyro.sample("overdispersion", dist.HalfNormal(1)), y)

    return model, {"coefficients": names, **{f"effect_{group}": levels[group] for group in levels}}


def student_t():
    columns = table("stackloss.csv")
    names, x = design(columns, ["air_flow", "water_temperature", "acid"])
    y = numbers(columns["loss"])

    def model():
        intercept = numpyro.sample("intercept", dist.Normal(0, 50))
        beta = numpyro.sample("coefficients", dist.StudentT(3, 0, 5).expand([3]).to_event(1))
        noise = numpyro.sample("noise", dist.HalfNormal(5))
        numpyro.sample("y", dist.StudentT(4, intercept + x @ beta, noise), obs=y)

    return model, {"coefficients": names}


def horseshoe():
    columns = table("diabetes-train.csv")
    names, x = design(columns, [name for name in columns if name != "progression"])
    y = numbers(columns["progression"])

    def model():
        intercept = numpyro.sample("intercept", dist.Normal(0, 1))
        local = numpyro.sample("local_scale", dist.HalfCauchy(1).expand([len(names)]).to_event(1))
        overall = numpyro.sample("global_scale", dist.HalfCauchy(0.1))
        raw = numpyro.sample("z", dist.Normal(0, 1).expand([len(names)]).to_event(1))
        beta = numpyro.deterministic("coefficients", overall * local * raw)
        noise = numpyro.sample("noise", dist.HalfNormal(1))
        numpyro.sample("y", dist.Normal(intercept + x @ beta, noise), obs=y)

    return model, {"coefficients": names}


EXAMPLES = {
    "poisson": poisson, "negative-binomial": negative_binomial_example, "groups": groups,
    "student-t": student_t, "horseshoe": horseshoe}


def main():
    for name in sys.argv[1:] or EXAMPLES:
        model, labels = EXAMPLES[name]()
        kernel = NUTS(model, target_accept_prob=0.95)
        sampler = MCMC(
            kernel, num_warmup=2000, num_samples=5000, num_chains=4, chain_method="sequential", progress_bar=False)
        sampler.run(jax.random.PRNGKey(1))
        print(f"{name}: {int(sampler.get_extra_fields()['diverging'].sum())} divergences")
        for variable, draws in sorted(sampler.get_samples().items()):
            if variable == "z" or variable.startswith("z_"):
                continue
            draws = np.asarray(draws).reshape(draws.shape[0], -1)
            for place in range(draws.shape[1]):
                column = variable
                if variable in labels:
                    label = labels[variable][place]
                    column = label if variable == "coefficients" else f"{variable}[{label}]"
                elif draws.shape[1] > 1:
                    column = f"{variable}[{labels['coefficients'][place]}]"
                print(f"  {column} {draws[:, place].mean():.5g} {draws[:, place].std():.4g}")


if __name__ == "__main__":
    main()
