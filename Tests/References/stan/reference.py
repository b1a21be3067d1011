"""Makes the data and the reference figures of the Stan tests, by NUTS.

    pip install stanli numpy
    python Tests/References/stan/reference.py

The sampler is Stan's NUTS, as stanli runs it: 4 chains of 25,000 draws after 2,000 for warm-up, target acceptance 0.95.
`figures.json` has means and standard deviations of the unconstrained parameters (what a mixture is fitted to: the
logarithm of what is positive) and of the constrained ones.
"""

import json
import pathlib

import numpy as np
import stanli

HERE = pathlib.Path(__file__).parent


def write(name, data):
    (HERE / name).write_text(json.dumps(data) + "\n")


def make_data():
    random = np.random.default_rng(20)
    groups = np.repeat(np.arange(1, 21), 6)
    x = np.round(random.normal(size=120), 3)
    effects = 0.6 * random.normal(size=20)
    y = random.poisson(np.exp(1.0 + 0.4 * x + effects[groups - 1]))
    write("hierarchical-poisson.json", {
        "N": 120, "J": 20, "group": groups.tolist(), "x": x.tolist(), "y": y.tolist()})
    X = np.round(random.normal(size=(300, 3)), 3)
    p = 1 / (1 + np.exp(-(0.5 + X @ np.array([1.0, -0.7, 0.3]))))
    y = (random.uniform(size=300) < p).astype(int)
    write("logistic.json", {"N": 300, "K": 3, "X": X.tolist(), "y": y.tolist()})
    for number, rows in enumerate([range(0, 120), range(120, 200), range(200, 300)]):
        write(f"weighted-logistic-{number}.json", {
            "N": len(rows), "K": 3, "X": X[rows].tolist(), "y": y[rows].tolist(),
            "prior_weight": int(number == 1)})
    write("weighted-logistic-all.json", {
        "N": 300, "K": 3, "X": X.tolist(), "y": y.tolist(), "prior_weight": 1})


def figures(program, data, positive):
    model = stanli.Model(stan_file=str(HERE / program), data=str(HERE / data))
    fit = model.sample(seed=1, chains=4, warmup=2000, samples=25000, delta=0.95, refresh=0)
    summary = fit.summary()
    print(program, "worst R-hat", max(summary.r_hat), "least ESS", min(summary.ess_bulk),
          "divergences", fit.divergences.sum())
    result = {"constrained": {}, "unconstrained": {}}
    for name in fit.names:
        draws = fit[name].astype(float)
        result["constrained"][name] = {"mean": draws.mean(), "sd": draws.std()}
        if name.split("[")[0] in ("theta", "odds", "heads"):
            continue
        if name in positive:
            draws = np.log(draws)
        result["unconstrained"][name] = {"mean": draws.mean(), "sd": draws.std()}
    return result


if __name__ == "__main__":
    make_data()
    write("figures.json", {
        "eight-schools": figures("eight-schools.stan", "eight-schools.json", ["tau"]),
        "hierarchical-poisson": figures(
            "hierarchical-poisson.stan", "hierarchical-poisson.json", ["tau"]),
        "logistic": figures("logistic.stan", "logistic.json", ["scale"]),
        "weighted-logistic": figures(
            "weighted-logistic.stan", "weighted-logistic-all.json", []),
    })
