#!/usr/bin/env python3
"""Fits in which no number is given but N, beside the best of a sweep of hand-given steps for the paper's method.

    python3 no-tuning.py [path of isomix] [--seeds 3] [--scales] [--quick] [--only WORD] [--output no-tuning-results]

The spec of an automatic fit is model, data and mixture.components, nothing else. The sweep runs ibw with metric unit,
independent samples, a start that somebody chose, and steps 1e-4 to 1 for 5000 iterations; the best final ELBO wins, and
the other seeds run with its step. --scales fits the same posteriors in coordinates a thousand times smaller and larger.

Writes table.md and table.json to the output folder. Exit code 1, with names, if a target is missed. Needs the standard
library only.
"""

import argparse
import csv
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from math import log, sqrt
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DATA = FOLDER / "data"
STEPS = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0]
QUICK_STEPS = [1e-3, 1e-2, 0.1]
SWEEP_ITERATIONS = 5000
SCALES = (1e-3, 1.0, 1e3)
TIMEOUT_SECONDS = 1800
WEIGHT_TOLERANCE = 0.02
FAMILY_SEEDS = 5  # of the 20-d mixture, whose figure is the mean of so many starts

# `box`: half-width and variance of the sweep's start. `floor`: what -ELBO or KL can't be below. `target`: what the
# automatic fit must not exceed, None for none, "sweep" for the sweep's best. `units`: by how much a coordinate is
# larger than usual.
Problem = namedtuple("Problem", "name model data components box floor target units", defaults=(1.0,))


def mixture_2d(scale):
    means = [[-1.024, -7.585], [0.795, -1.035], [-1.274, -2.715], [-4.726, 1.908], [-3.206, -3.731]]
    variances = [[3.106, 2.646], [0.673, 2.568], [0.922, 3.927], [4.27, 2.471], [4.233, 0.398]]
    return scaled_mixture([0.2] * 5, means, variances, scale)


def mixture_20d(scale):
    values = json.loads((DATA / "mixture-20d.json").read_text())
    return scaled_mixture(values["weights"], values["means"], values["covariances"], scale)


UNBALANCED_WEIGHTS = [0.45, 0.05, 0.05, 0.45]
UNBALANCED_MEANS = [[4.0, 4.0], [4.0, -4.0], [-4.0, 4.0], [-4.0, -4.0]]


def unbalanced(scale):
    return scaled_mixture(UNBALANCED_WEIGHTS, UNBALANCED_MEANS, [[1.0, 1.0]] * 4, scale)


def scaled_mixture(weights, means, variances, scale):
    return {
        "family": "gaussian_mixture", "weights": weights, "means": [[v * scale for v in row] for row in means],
        "covariances": [[v * scale * scale for v in row] for row in variances]}


def half(name):
    return {"train": str(DATA / f"{name}-train.csv"), "test": str(DATA / f"{name}-test.csv")}


def standardised(name, scale, folder):
    """The training half's CSV with features standardised here and multiplied by `scale`, so that with the prior's
    scale divided by it the posterior is the same in other coordinates."""
    with open(DATA / f"{name}-train.csv", newline="") as file:
        header, *rows = csv.reader(file)
    columns = [[float(v) for v in column] for column in list(zip(*rows))[:-1]]
    scaled = []
    for column in columns:
        mean, deviation = statistics.fmean(column), statistics.pstdev(column)
        scaled.append([repr(scale * (v - mean) / deviation) for v in column])
    path = folder / f"{name}-{scale:g}.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *zip(*scaled, [row[-1] for row in rows])])
    return {"train": str(path), "standardize": False}


def regression(family, response, prior_scale):
    return {"family": family, "response": response, "intercept": False, "prior": {"normal": {"scale": prior_scale}}}


def one_observation(scale, folder):
    path = folder / f"one-observation-{scale:g}.csv"
    path.write_text(f"y\n{scale!r}\n")
    prior = {"normal": {"scale": 10 * scale}}
    model = {
        "family": "linear", "response": "y", "features": [], "prior": prior,
        "noise": {"half_normal": {"scale": 10 * scale}}}
    # A density of y in other units differs by the log of the scale.
    return Problem(
        "one observation", model, {"train": str(path)}, 5, (5, 1), 3.461277949570 + log(scale), None, scale)


WINE_PRIOR_SCALE = sqrt(10)
CANCER_EVIDENCE, WINE_EVIDENCE = 26.16, 18.21  # reference/log_evidence.py


def problems(folder):
    cancer, wine = regression("logistic", "benign", 10), regression("softmax", "cultivar", WINE_PRIOR_SCALE)
    network = {
        "family": "bnn_regression", "response": "progression", "prior": {"normal": {"scale": 0.25}}, "noise": 0.7,
        "hidden": 50}
    return [
        Problem("breast cancer", cancer, half("breast-cancer"), 5, (5, 1), CANCER_EVIDENCE, 29.0),
        Problem("breast cancer", cancer, half("breast-cancer"), 20, (5, 1), CANCER_EVIDENCE, 28.8),
        Problem("wine", wine, half("wine"), 5, (20, 1), WINE_EVIDENCE, None),
        Problem("wine", wine, half("wine"), 20, (20, 1), WINE_EVIDENCE, 20.8),
        Problem("funnel", {"family": "funnel", "variance": 1.2}, None, 20, (5, 0.5), 0, 0.03),
        Problem("2-D mixture", mixture_2d(1.0), None, 20, (15, 2), 0, 0.08),
        Problem("20-d mixture", mixture_20d(1.0), None, 20, (30, 100), 0, 1.5),
        Problem("unbalanced modes", unbalanced(1.0), None, 20, (10, 5), 0, None),
        one_observation(1.0, folder),
        Problem("network (diabetes)", network, half("diabetes"), 5, (0.5, 0.01), None, "sweep"),
    ]


def scaled_problems(folder):
    """The same posteriors in other units: their KL is the same number, their -ELBO too (that of one observation moves
    with the units of y). The sweep is not repeated: its steps and its start would have to be chosen anew."""
    result = []
    for scale in SCALES:
        cancer = regression("logistic", "benign", 10 / scale)
        wine = regression("softmax", "cultivar", WINE_PRIOR_SCALE / scale)
        cancer_data, wine_data = (standardised(name, scale, folder) for name in ("breast-cancer", "wine"))
        result += [
            Problem("breast cancer", cancer, cancer_data, 5, None, CANCER_EVIDENCE, 29.0, scale),
            Problem("wine", wine, wine_data, 20, None, WINE_EVIDENCE, 20.8, scale),
            Problem("2-D mixture", mixture_2d(scale), None, 20, None, 0, 0.08, scale),
            Problem("20-d mixture", mixture_20d(scale), None, 20, None, 0, 1.5, scale),
            Problem("unbalanced modes", unbalanced(scale), None, 20, None, 0, None, scale),
            one_observation(scale, folder)._replace(box=None)]
    return result


class Runner:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def fit(self, problem, seed, step=None):
        """Summary and means of one fit; a failure has only an `error`."""
        specification = {"model": problem.model, "mixture": {"components": problem.components}}
        if problem.data:
            specification["data"] = problem.data
        if step is not None:
            width, variance = problem.box
            specification["mixture"]["initial"] = {"uniform": {"low": -width, "high": width, "variance": variance}}
            specification["inference"] = {
                "algorithm": "ibw", "metric": "unit", "samples": 10, "sampling": "independent", "step_size": step,
                "warmup": 0, "relocation": False, "stop": "iterations", "iterations": SWEEP_ITERATIONS,
                "objective": {"draws": 1000, "every": SWEEP_ITERATIONS}}
        path, output = self.folder / "spec.yaml", self.folder / "fit"
        path.write_text(json.dumps(specification))  # JSON is YAML
        command = [
            self.program, "fit", str(path), "--output", str(output), "--workers", "1", "--progress", "none", "--cache",
            str(self.folder / "cache"), "--seed", str(seed)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            return {"error": f"more than {TIMEOUT_SECONDS} s"}
        if result.returncode:
            shutil.rmtree(output, ignore_errors=True)
            return {"error": f"exit code {result.returncode}: {result.stderr.strip()}"}
        summary = json.loads((output / "summary.json").read_text())
        summary["means"] = json.loads((output / "mixture.json").read_text())["means"]
        shutil.rmtree(output)
        return summary


def loss(summary):
    return float("inf") if "error" in summary or summary["elbo"] is None else -summary["elbo"]


def describe(problem, fits, step=None):
    """The numbers of a table row from the fits over seeds."""
    done = [f for f in fits if loss(f) < float("inf")]
    row = {
        "problem": problem.name, "components": problem.components, "units": problem.units, "step": step,
        "failures": [f.get("error", "no ELBO") for f in fits if f not in done], "fits": len(fits),
        "floor": problem.floor}
    if done:
        values = [loss(f) for f in done]
        row |= {
            "values": values, "mean": statistics.fmean(values),
            "sd": statistics.stdev(values) if len(values) > 1 else None,
            "se": sqrt(sum(f["elbo_se"] ** 2 for f in done)) / len(done),
            "khat": statistics.median(f["khat"] for f in done if f["khat"] is not None),
            "iterations": statistics.fmean(f["iterations"] for f in done),
            "seconds": statistics.fmean(f["seconds"] for f in done),
            "converged": sum(f["converged"] is True for f in done),
            "divergences": sum(w.startswith("diverged") for f in done for w in f["warnings"])}
    return row


def sweep(runner, problem, seeds, steps):
    """The fits of all seeds at the step whose ELBO is best for the first."""
    first = {step: runner.fit(problem, 1, step) for step in steps}
    best = min(first, key=lambda step: loss(first[step]))
    fits = [first[best]] + [runner.fit(problem, seed, best) for seed in range(2, seeds + 1)]
    row = describe(problem, fits, best)
    row["by_step"] = {str(step): None if loss(f) == float("inf") else loss(f) for step, f in first.items()}
    return row


def mode_weights(means, scale):
    """The share of components nearest to each mode."""
    counts = [0] * len(UNBALANCED_MEANS)
    for mean in means:
        distances = [sum((m - scale * c) ** 2 for m, c in zip(mean, mode)) for mode in UNBALANCED_MEANS]
        counts[distances.index(min(distances))] += 1
    return [count / len(means) for count in counts]


def check(problem, row, fits, swept):
    """What is missed, each with its name."""
    name = label(row)
    missed = [f"{name}: a fit failed: {error}" for error in row["failures"]]
    if row.get("divergences"):
        missed.append(f"{name}: {row['divergences']} divergence(s)")
    if "mean" not in row:
        return missed
    target = problem.target
    if target == "sweep" and swept and "mean" in swept:
        allowed = swept["mean"] + 2 * sqrt(row["se"] ** 2 + swept["se"] ** 2)
        if row["mean"] > allowed:
            missed.append(f"{name}: {row['mean']:.4g} is worse than the sweep's best, {swept['mean']:.4g}")
    elif isinstance(target, float) and row["mean"] > target:
        missed.append(f"{name}: {row['mean']:.4g} is above {target}")
    if problem.floor is not None and row["mean"] < problem.floor - 4 * row["se"] - 0.01:
        missed.append(f"{name}: {row['mean']:.4g} is below {problem.floor:.4g}, which is impossible")
    if problem.name == "unbalanced modes":
        row["mode_weights"] = [mode_weights(f["means"], problem.units) for f in fits if "means" in f]
        for seed, weights in enumerate(row["mode_weights"], 1):
            if any(abs(w - t) > WEIGHT_TOLERANCE for w, t in zip(weights, UNBALANCED_WEIGHTS)):
                missed.append(f"{name}, seed {seed}: mode weights {weights} instead of {UNBALANCED_WEIGHTS}")
    return missed


def label(row):
    units = "" if row["units"] == 1 else f", units {row['units']:g}"
    return f"{row['problem']}, N = {row['components']}{units}"


def number(value):
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 1000 else 2 if abs(value) >= 10 else 4
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no -0.0000


def line(row):
    start = f"| {label(row)} | {'none' if row['step'] is None else format(row['step'], 'g')} |"
    if "mean" not in row:
        return f"{start} – | {number(row['floor'])} | – | – | – | – | – | {len(row['failures'])} of {row['fits']} |"
    deviation = "" if row["sd"] is None else f" ± {number(row['sd'])}"
    converged = f"{row['converged']} of {row['fits']}" if row["step"] is None else "–"
    return (
        f"{start} {number(row['mean'])}{deviation} | {number(row['floor'])} | {row['khat']:.2f} | {row['iterations']:.0f} "
        f"| {row['seconds']:.2f} | {converged} | {row['divergences']} | {len(row['failures'])} of {row['fits']} |")


HEADER = [
    "| problem | step given | −ELBO or KL | −log evidence | k̂ | iterations | seconds | converged | divergences "
    "| failures |",
    "|---|---|---|---|---|---|---|---|---|---|"]


def default_program():
    return shutil.which("isomix") or str(FOLDER.parents[1] / ".build" / "release" / "isomix")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=default_program())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scales", action="store_true", help="repeat in units of 1e-3, 1 and 1e3")
    parser.add_argument("--quick", action="store_true", help="one seed, three steps in the sweep, without the network")
    parser.add_argument("--only", default="", help="problems whose name contains this")
    parser.add_argument("--output", type=Path, default=Path("no-tuning-results"))
    arguments = parser.parse_args()
    if not shutil.which(arguments.program):
        sys.exit(f"no-tuning.py: no program {arguments.program}: give the path of isomix")
    program = str(Path(shutil.which(arguments.program)).resolve())
    seeds, steps = (1, QUICK_STEPS) if arguments.quick else (arguments.seeds, STEPS)
    results, missed, began = [], [], time.perf_counter()
    print("\n".join(HEADER), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        runner = Runner(program, Path(temporary))
        todo = problems(Path(temporary)) + (scaled_problems(Path(temporary)) if arguments.scales else [])
        for problem in todo:
            if arguments.only not in problem.name or (arguments.quick and problem.target == "sweep"):
                continue
            starts = max(seeds, FAMILY_SEEDS) if problem.name == "20-d mixture" else seeds
            fits = [runner.fit(problem, seed) for seed in range(1, starts + 1)]
            row = describe(problem, fits)
            print(line(row), flush=True)
            swept = None
            if problem.box:
                swept = sweep(runner, problem, starts, steps)
                print(line(swept), flush=True)
            missed += check(problem, row, fits, swept)
            results += [row] + ([swept] if swept else [])
    note = f"{seeds} seeds; {time.perf_counter() - began:.0f} s."
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = [*HEADER, *map(line, results), "", note, *(f"Missed: {name}." for name in missed)]
    (arguments.output / "table.md").write_text("\n".join(text) + "\n")
    (arguments.output / "table.json").write_text(
        json.dumps({"seeds": seeds, "rows": results, "missed": missed}, indent=1, ensure_ascii=False) + "\n")
    print(f"\n{note}")
    for name in missed:
        print(f"missed: {name}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
