"""What a stranger sees of isomix's outputs, with warnings as errors: ArviZ, xarray, CmdStanPy and NumPy alone.

    python read_outputs.py inference-data FIT          summary, plots and loo of FIT/fit.nc
    python read_outputs.py densities FIT TRAIN.csv     lp, log_q, weights, likelihoods of a logistic fit, by NumPy
    python read_outputs.py coordinates FIT TRAIN.csv   the same of a linear fit with factorization: coordinates
    python read_outputs.py draws CSV NPY STAN.csv NC   one set of draws in four formats
    python read_outputs.py stan FIT STAN.csv           fit.nc and draws of stan_test_models.c

Prints JSON, or ends with a traceback.
"""

import csv
import json
import os
import sys
import tempfile
import warnings

os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())
os.environ.setdefault("OMP_NUM_THREADS", "1")

import arviz as az
import cmdstanpy
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

IS_OLD = az.__version__.startswith("0.")


def group(data, name):
    """A group as a dataset, for either generation of ArviZ."""
    return data[name] if IS_OLD else data[name].to_dataset()


def groups(data):
    return sorted(data.groups()) if IS_OLD else sorted(data.children)


def flat(values):
    """[chain, draw, ...] as [draws, ...], in the order of writing."""
    return values.reshape((-1,) + values.shape[2:])


def inference_data(fit):
    data = az.from_netcdf(f"{fit}/fit.nc")
    summary = az.summary(data, round_to="none") if IS_OLD else az.summary(data, round_to="none", fmt="wide")
    az.plot_pair(data)
    plt.close("all")
    if IS_OLD:
        az.plot_ppc(data, num_pp_samples=20, random_seed=1)
    else:
        az.plot_ppc_pava(data, var_names=["y_n"])
    plt.close("all")
    loo = az.loo(data)
    posterior = group(data, "posterior")
    return {
        "version": az.__version__,
        "groups": groups(data),
        "variables": list(posterior.data_vars),
        "dims": {str(k): int(v) for k, v in posterior.sizes.items()},
        "long_names": {str(k): v.attrs.get("long_name", "") for k, v in posterior.data_vars.items()},
        "observed": {str(k): list(map(str, v.dims)) for k, v in group(data, "observed_data").data_vars.items()},
        "predictive": {
            str(k): list(map(str, v.dims)) for k, v in group(data, "posterior_predictive").data_vars.items()
        },
        "attributes": sorted(map(str, posterior.attrs)),
        "library": str(posterior.attrs["inference_library"]),
        "rows": [str(row) for row in summary.index],
        "means": [float(value) for value in summary["mean"]],
        "sds": [float(value) for value in summary["sd"]],
        "ess": [float(value) for value in summary["ess_bulk"]],
        "rhat": [float(value) for value in summary["r_hat"]],
        "elpd": float(loo.elpd_loo if IS_OLD else loo.elpd),
        "pareto": float(np.max(np.asarray(loo.pareto_k))),
    }


def columns(posterior):
    """All variables side by side, [draws, columns]."""
    return np.concatenate(
        [flat(v.values).reshape(v.shape[0] * v.shape[1], -1) for v in posterior.data_vars.values()], axis=1
    )


def densities(fit, train):
    """Largest differences from what NumPy makes of mixture.json and of the table."""
    data = az.from_netcdf(f"{fit}/fit.nc")
    with open(f"{fit}/mixture.json") as file:
        mixture = json.load(file)
    statistics = mixture["design"]["statistics"]
    with open(train) as file:
        rows = list(csv.DictReader(file))
    x = np.array([[float(row[name]) for name in statistics["features"]] for row in rows])
    x = (x - np.array(statistics["means"])) / np.array(statistics["standard_deviations"])
    if mixture["design"]["intercept"]:
        x = np.hstack([np.ones((len(x), 1)), x])
    y = np.array([mixture["design"]["classes"].index(row[mixture["design"]["response"]]) for row in rows])
    posterior = group(data, "posterior")
    theta = columns(posterior)

    likelihood = -np.logaddexp(0, -(2 * y - 1) * (theta @ x.T))
    scale = 10.0
    lp = likelihood.sum(1) - (0.5 * (theta / scale) ** 2 + np.log(scale * np.sqrt(2 * np.pi))).sum(1)

    means, variances = np.array(mixture["means"]), np.array(mixture["variances"])
    n, d = means.shape
    factor = np.array(mixture["metric_factor"])
    shape = {"unit": lambda: np.eye(d), "diagonal": lambda: np.diag(factor[0]), "dense": lambda: factor}[
        mixture["metric"]
    ]()
    log_volume = np.linalg.slogdet(shape)[1]
    terms = []
    for mean, variance in zip(means, variances):
        z = np.linalg.solve(shape, (theta - mean).T)
        terms.append(-0.5 * (z**2).sum(0) / variance - 0.5 * d * np.log(2 * np.pi * variance) - log_volume)
    log_q = np.logaddexp.reduce(terms, axis=0) - np.log(n)

    stats = group(data, "sample_stats")
    kept = flat(group(data, "log_likelihood")[mixture["design"]["response"]].values)
    weights = flat(stats["log_weight"].values)
    ratios = xr.DataArray(lp - log_q, dims="__sample__")
    if IS_OLD:
        smoothed, shape_k = az.psislw(ratios)
    else:
        from arviz_stats.base import array_stats

        # It takes log likelihoods, of which ratios are the negative.
        smoothed, shape_k = array_stats.psislw(-ratios.values)
    observed = group(data, "observed_data")[mixture["design"]["response"]].values
    replicas = flat(group(data, "posterior_predictive")[mixture["design"]["response"]].values)
    probability = 1 / (1 + np.exp(-(theta @ x.T)))
    spread = np.sqrt((probability * (1 - probability)).sum(0)) + 1
    return {
        "draws": len(theta),
        "lp": float(np.abs(flat(stats["lp"].values) - lp).max()),
        "log_q": float(np.abs(flat(stats["log_q"].values) - log_q).max()),
        "log_likelihood": float(np.abs(kept - likelihood).max()),
        "weight": float(np.abs(np.asarray(smoothed) - weights).max()),
        "weight_sum": float(np.exp(weights).sum()),
        "pareto_k": [float(stats["log_weight"].attrs["pareto_k"]), float(np.asarray(shape_k))],
        "observed": bool((observed == y).all()),
        "replicas": float((np.abs(replicas.sum(0) - probability.sum(0)) / spread).max()),
        "elbo": float((lp - log_q).mean()),
    }


def coordinates(fit, train):
    """Largest differences from NumPy's figures for a linear regression with noise 0.7 and prior N(0, 10^2)."""
    data = az.from_netcdf(f"{fit}/fit.nc")
    with open(f"{fit}/mixture.json") as file:
        mixture = json.load(file)
    with open(train) as file:
        table = np.array([[float(row[name]) for name in ("a", "b", "y")] for row in csv.DictReader(file)])
    x, y = table[:, :2], table[:, 2]
    posterior = group(data, "posterior")
    theta = columns(posterior)

    def normal(value, mean, variance):
        return -0.5 * ((value - mean) ** 2 / variance + np.log(2 * np.pi * variance))

    likelihood = normal(y, theta @ x.T, 0.7**2)
    lp = likelihood.sum(1) + normal(theta, 0, 10.0**2).sum(1)
    means, variances = np.array(mixture["means"]), np.array(mixture["coordinate_variances"])
    log_q = np.zeros(len(theta))
    for k in range(means.shape[1]):
        terms = [normal(theta[:, k], m, v) for m, v in zip(means[:, k], variances[:, k])]
        log_q += np.logaddexp.reduce(terms, axis=0) - np.log(len(means))
    mean = means.mean(0)
    deviation = np.sqrt(variances.mean(0) + means.var(0))
    stats = group(data, "sample_stats")
    return {
        "draws": len(theta),
        "lp": float(np.abs(flat(stats["lp"].values) - lp).max()),
        "log_q": float(np.abs(flat(stats["log_q"].values) - log_q).max()),
        "log_likelihood": float(np.abs(flat(group(data, "log_likelihood")["y"].values) - likelihood).max()),
        "means": ((theta.mean(0) - mean) / deviation * np.sqrt(len(theta))).tolist(),
        "deviations": ((theta.std(0) / deviation - 1) * np.sqrt(2 * len(theta))).tolist(),
        "correlation": float(np.corrcoef(theta.T)[0, 1] * np.sqrt(len(theta))),
        "elbo": float((lp - log_q).mean()),
    }


def draws(table, npy, stan, netcdf):
    with open(table) as file:
        reader = csv.reader(file)
        header = next(reader)
        expected = np.array([[float(value) for value in row] for row in reader])
    loaded = np.load(npy)
    fit = cmdstanpy.from_csv(stan)
    sampled = fit.draws(concat_chains=True)
    data = az.from_netcdf(netcdf)
    posterior = group(data, "posterior")
    kept = np.concatenate([flat(v.values).reshape(len(expected), -1) for v in posterior.data_vars.values()], axis=1)
    az.summary(data)
    return {
        "header": header,
        "dtype": str(loaded.dtype),
        "shape": list(loaded.shape),
        "npy": bool((loaded == expected).all()),
        "stan": bool((sampled[:, 2:] == expected).all()),
        "stan_names": list(fit.column_names),
        "stan_variables": {k: list(v.shape) for k, v in fit.stan_variables().items()},
        "netcdf": bool((kept == expected).all()),
        "groups": groups(data),
    }


def stan(fit, stan_csv):
    """A Stan model's names, shapes and order, for numbers of which each says where it belongs."""
    data = az.from_netcdf(f"{fit}/fit.nc")
    summary = az.summary(data, round_to="none") if IS_OLD else az.summary(data, round_to="none", fmt="wide")
    posterior, stats = group(data, "posterior"), group(data, "sample_stats")
    places = np.array([[10 * row + column for column in range(1, 4)] for row in range(1, 3)])
    drawn = cmdstanpy.from_csv(stan_csv).stan_variables()

    def is_placed(noise):
        return bool((noise - noise[..., :1, :1] == places - places[0, 0]).all())

    return {
        "dims": {str(k): list(map(str, v.dims)) for k, v in posterior.data_vars.items()},
        "coordinates": [int(value) for value in posterior["x_dim_0"].values],
        "placed": is_placed(posterior["noise"].values) and is_placed(drawn["noise"]),
        "square": bool((posterior["square"].values == posterior["x"].values[..., 0] ** 2).all()),
        "shapes": {k: list(v.shape) for k, v in drawn.items()},
        "finite": bool(np.isfinite(summary.to_numpy(dtype=float)).all())
        and not np.isnan(stats["lp"].values).any()
        and not np.isnan(stats["log_weight"].values).any(),
        "rejected": int((stats["lp"].values == -np.inf).sum()),
        "beyond": int((posterior["x"].values[..., 0] > 1.5).sum()),
        "weight_sum": float(np.exp(stats["log_weight"].values).sum()),
    }


warnings.simplefilter("error")
commands = {
    "inference-data": inference_data,
    "densities": densities,
    "coordinates": coordinates,
    "draws": draws,
    "stan": stan,
}
print(json.dumps(commands[sys.argv[1]](*sys.argv[2:])))
