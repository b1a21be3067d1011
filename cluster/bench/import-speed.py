#!/usr/bin/env python3
"""Compare the speed of `isomix data import` with pandas.read_csv on the same file, side by side.

    cluster/examples/make-tall.py tall.csv --rows 1000000
    cluster/bench/import-speed.py tall.csv [--isomix .build/release/isomix] [--rounds 3]

Both run in turns, each in a process of its own, from the page cache; isomix also writes its shards, digests input and
output and makes each shard durable. Prints MB of CSV a second of wall time, CPU seconds and peak memory. Needs pandas.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time


def run(command: list[str], size: int) -> tuple[float, str]:
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command[0]} failed")
    speed = size / seconds / 1e6
    cpu = usage.ru_utime + usage.ru_stime
    return speed, f"{speed:6.0f} MB/s  {cpu:6.2f} CPU s  {usage.ru_maxrss / 1024:6.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--isomix", default="isomix")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    size = os.path.getsize(options.path)
    with open(options.path, "rb") as file:
        while file.read(1 << 24):
            pass
    best = {"isomix": 0.0, "pandas": 0.0}
    for _ in range(options.rounds):
        folder = tempfile.mkdtemp(dir=os.path.dirname(os.path.abspath(options.path)))
        commands = {
            "isomix": [options.isomix, "data", "import", options.path, "--output", folder + "/table"],
            "pandas": [sys.executable, "-c", f"import pandas; pandas.read_csv({options.path!r})"],
        }
        for name, command in commands.items():
            speed, text = run(command, size)
            best[name] = max(best[name], speed)
            print(f"{name}  {text}", flush=True)
        shutil.rmtree(folder)
    print(f"best: isomix {best['isomix']:.0f} MB/s, pandas {best['pandas']:.0f} MB/s")


if __name__ == "__main__":
    main()
