#!/usr/bin/env python3
"""Run the paper's experiments with isomix and compare each figure with the NumPy reference's band (bands.json).

    python3 reproduce.py [path of isomix] [--seeds 3] [--quick] [--only WORD] [--output paper-results]

Writes table.md and table.json to the output folder. Exit code 1, with names, if a figure lies outside its band. Rows
whose algorithm the program does not know are left out with a note. Needs the standard library only.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments import TIMED_DIMENSIONS, band, draws_of, is_timed, key, rows

FOLDER = Path(__file__).resolve().parent
TIMEOUT_SECONDS = 1800


class UnknownAlgorithm(Exception):
    pass


def default_program():
    built = FOLDER.parents[2] / ".build" / "release" / "isomix"
    return shutil.which("isomix") or str(built)


def fit(program, row, seed, folder):
    """One fit's summary; `error` instead where the program gave up."""
    output = folder / "fit"
    settings = [
        f"inference.algorithm={row.algorithm}", f"mixture.components={row.components}",
        f"inference.objective.draws={draws_of(row)}", "inference.objective.every=1000000",
        "inference.diagnosis.draws=0", *row.settings]
    command = [
        program, "fit", str(FOLDER / row.spec), "--output", str(output), "--workers", "1", "--progress", "none",
        "--cache", str(folder / "cache"), "--seed", str(seed)]
    for setting in settings:
        command += ["--set", setting]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    if "not a valid inference.algorithm" in result.stderr:
        raise UnknownAlgorithm
    if result.returncode:
        return {"error": f"exit code {result.returncode}: {result.stderr.strip()}"}
    summary = json.loads((output / "summary.json").read_text())
    shutil.rmtree(output)
    return summary


def mean_and_deviation(values):
    return statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None


def compare(row, summaries, reference):
    """The row's figures and what is wrong with them."""
    errors = [summary["error"] for summary in summaries if "error" in summary]
    summaries = [summary for summary in summaries if "error" not in summary]
    result = {
        "row": key(row), "algorithm": row.algorithm, "components": row.components, "errors": errors,
        "warnings": [warning for summary in summaries for warning in summary["warnings"]], "figures": {}, "outside": []}
    expected = (reference or {}).get("objective")
    if errors and expected and not reference["failures"]:
        result["outside"].append(f"{len(errors)} of {len(errors) + len(summaries)} fits failed: {errors[0]}")
    if not summaries:
        return result
    result["seconds"] = statistics.median(summary["seconds"] for summary in summaries)
    result["microseconds_an_iteration"] = 1e6 * min(s["seconds"] / s["iterations"] for s in summaries)
    values = {"objective": [-summary["elbo"] for summary in summaries]}
    for name in ("accuracy", "rmse"):
        if summaries[0]["test"] and name in summaries[0]["test"]:
            values[name] = [summary["test"][name] for summary in summaries]
    for name, numbers in values.items():
        mean, deviation = mean_and_deviation(numbers)
        figure = {"mean": mean, "sd": deviation, "values": numbers}
        result["figures"][name] = figure
        if not reference or name not in reference:
            continue
        low, high = band(reference[name], len(numbers), draws_of(row) if name == "objective" else 0)
        figure |= {
            "reference": reference[name]["mean"], "reference_sd": reference[name]["sd"], "low": low, "high": high}
        if not low <= mean <= high:
            result["outside"].append(f"{name} {mean:.5g} is not in {low:.5g} to {high:.5g}")
    return result


def number(value):
    digits = 0 if abs(value) >= 1000 else 2 if abs(value) >= 10 else 4
    return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no -0.0000


def with_deviation(mean, deviation):
    return number(mean) + ("" if deviation is None else f" ± {number(deviation)}")


def line(result):
    cells = []
    for figure in (result["figures"].get("objective"), *(result["figures"].get(n) for n in ("accuracy", "rmse"))):
        if not figure:
            continue
        cells.append(with_deviation(figure["mean"], figure["sd"]))
        if "low" in figure:
            cells.append(with_deviation(figure["reference"], figure["reference_sd"]))
            cells.append(f"{number(figure['low'])} to {number(figure['high'])}")
        else:
            cells += ["–", "–"]
    if not result["figures"]:
        cells = ["fails", "–", "–"]
    cells += [""] * (6 - len(cells))
    verdict = "outside" if result["outside"] else "within" if any(
        "low" in figure for figure in result["figures"].values()) else "no reference"
    diverged = sum(warning.startswith("diverged") for warning in result["warnings"])
    if diverged:
        verdict += f"; {diverged} divergences"
    return f"| {result['row']} | {' | '.join(cells)} | {verdict} |"


def times(results):
    """Microseconds an iteration by dimension and rule."""
    found = {r["row"]: r for r in results if "microseconds_an_iteration" in r}
    lines = ["| d | ibw, µs an iteration | bw, µs an iteration |", "|---|---|---|"]
    for d in TIMED_DIMENSIONS:
        cells = [found.get(f"time, d = {d}, {rule}, N = 15") for rule in ("ibw", "bw")]
        if any(cells):
            lines.append(f"| {d} | " + " | ".join(
                f"{cell['microseconds_an_iteration']:.0f}" if cell else "–" for cell in cells) + " |")
    return lines if len(lines) > 2 else []


HEADER = [
    "| row | −ELBO or KL | reference | band | accuracy or RMSE | reference | band | |",
    "|---|---|---|---|---|---|---|---|"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=default_program())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one seed, without the network and the times: a minute")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--output", type=Path, default=Path("paper-results"))
    arguments = parser.parse_args()
    if not shutil.which(arguments.program):
        sys.exit(f"reproduce.py: no program {arguments.program}: give the path of isomix")
    program = str(Path(shutil.which(arguments.program)).resolve())
    seeds = 1 if arguments.quick else arguments.seeds
    references = json.loads((FOLDER / "bands.json").read_text())["rows"]
    results, skipped = [], []
    began = time.perf_counter()
    print("\n".join(HEADER), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for row in rows():
            if arguments.only not in key(row):
                continue
            if arguments.quick and (is_timed(row) or row.problem.startswith("network")):
                continue
            if row.algorithm in skipped:
                continue
            try:
                summaries = [fit(program, row, seed, Path(temporary)) for seed in range(1, seeds + 1)]
            except UnknownAlgorithm:
                skipped.append(row.algorithm)
                continue
            results.append(compare(row, summaries, references.get(key(row))))
            print(line(results[-1]), flush=True)
    outside = [f"{r['row']}: {what}" for r in results for what in r["outside"]]
    notes = [f"Left out: this program does not know the algorithm {algorithm}." for algorithm in skipped]
    notes.append(f"{len(results)} rows, {seeds} seeds, {time.perf_counter() - began:.0f} s.")
    text = [*HEADER, *map(line, results), "", *times(results), "", *notes, *(f"Outside: {o}." for o in outside)]
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "table.md").write_text("\n".join(text) + "\n")
    (arguments.output / "table.json").write_text(json.dumps(
        {"seeds": seeds, "rows": results, "skipped": skipped, "outside": outside}, indent=1, ensure_ascii=False) + "\n")
    print("\n".join(["", *times(results), "", *notes]))
    for name in outside:
        print(f"outside: {name}", file=sys.stderr)
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
