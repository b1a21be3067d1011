#!/usr/bin/env python3
"""How fast a fit is with 1 to 16 worker processes on this machine, flat and behind relays, beside what
`isomix simulate --scale` foretells from measurements of empty iterations and of one-worker fits: as many at once as there
are to be workers at work, because processes that share processors and caches slow each other down; over the iterations that
the run was measured over, because later ones take longer; and right after it, because a machine has slow minutes. Of more
workers than processors some rest; with --no-rest all take part.

Where relays share processors with their workers, a message that comes between computations costs several times what it
does in empty iterations: that cost is from the run of two workers behind two relays, and foretells the runs of more.

    python3 cluster/examples/scale/compare.py [--isomix .build/release/isomix] [--workers 1,2,4,8,16] [--plot DIR]
    sudo python3 cluster/examples/scale/compare.py --namespaces      # workers behind relays in network namespaces

Needs nothing but Python; --plot needs matplotlib. A machine that does other things meanwhile gives other numbers: the load
is printed. Exit code 1: a forecast is further than --tolerance from its run.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--isomix", default=str(EXAMPLES.parents[1] / ".build/release/isomix"))
parser.add_argument("--spec", default=str(EXAMPLES / "components-200.yaml"))
parser.add_argument("--components", type=int, default=1000)
parser.add_argument("--iterations", type=int, default=120)
parser.add_argument("--workers", default="1,2,4,8,16")
parser.add_argument("--repeat", type=int, default=3)
parser.add_argument("--tolerance", type=float, default=0.2)
parser.add_argument("--namespaces", action="store_true", help="relays and their workers in network namespaces (root)")
parser.add_argument("--no-rest", action="store_true", help="let all workers take part")
parser.add_argument("--plot", help="folder for scaling.svg")
parser.add_argument("--json", help="file for all numbers")
arguments = parser.parse_args()

if arguments.no_rest:
    os.environ["ISOMIX_NO_REST"] = "1"

EVERY = 20
RELAYS = 2
SETTINGS = [
    f"mixture.components={arguments.components}", f"inference.iterations={arguments.iterations}",
    f"inference.objective.every={EVERY}", f"inference.objective.draws={arguments.components}",
    "inference.diagnosis.draws=0",
]
OPTIONS = [part for setting in SETTINGS for part in ("--set", setting)]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nexit {done.returncode}: {done.stderr}")
    return done.stdout


def isomix_json(*command):
    return json.loads(run(arguments.isomix, *command, "--json"))


def summary_of(folder):
    return json.loads((Path(folder) / "summary.json").read_text())


class Speed:
    """Iterations a second from the first evaluation at which all workers were there, or from a later one, to the last one."""

    def __init__(self, folder, workers, since=0):
        rows = [line.split(",") for line in (Path(folder) / "trace.csv").read_text().splitlines()[1:]]
        full = [(int(row[0]), float(row[1])) for row in rows if int(row[9]) == workers and int(row[0]) >= since]
        if len(full) < 2:
            sys.exit(f"{workers} workers were never together: raise --iterations")
        self.since = full[0][0]
        self.value = (full[-1][0] - full[0][0]) / (full[-1][1] - full[0][1])
        self.digest = summary_of(folder)["state_sha256"]


class Namespaces:
    """A bridge 10.92.0.1 and hosts 10.92.0.2… in namespaces of their own."""

    def __init__(self, count):
        self.names = [f"isomix-scale-{number}" for number in range(count)]
        self.remove()
        run("ip", "link", "add", "isomix-br", "type", "bridge")
        run("ip", "addr", "add", "10.92.0.1/24", "dev", "isomix-br")
        run("ip", "link", "set", "isomix-br", "up")
        for number, name in enumerate(self.names):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"ixs{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"ixs{number}", "master", "isomix-br", "up")
            run("ip", "-n", name, "addr", "add", f"10.92.0.{number + 2}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
            run("ip", "-n", name, "link", "set", "lo", "up")

    def remove(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        subprocess.run(["ip", "link", "del", "isomix-br"], capture_output=True)

    def inside(self, host):
        return ["ip", "netns", "exec", self.names[host]]


def flat(workers, folder):
    run(arguments.isomix, "fit", arguments.spec, "--output", folder, "--progress", "none", "--workers", str(workers), *OPTIONS)
    return Speed(folder, workers)


def crowd(folder, count, since):
    """Iterations a second of all of some one-worker fits at once: what the machine gives to so many processes."""
    outputs = [f"{folder}-{number}" for number in range(count)]
    fits = [
        subprocess.Popen(
            [arguments.isomix, "fit", arguments.spec, "--output", output, "--progress", "none", "--workers", "1", *OPTIONS],
            stdout=subprocess.DEVNULL)
        for output in outputs
    ]
    if any([fit.wait() for fit in fits]):
        sys.exit("a fit beside others failed")
    return sum(Speed(output, 1, since).value for output in outputs)


def tree(workers, relays, folder, namespaces=None):
    """A fit whose workers are behind relays, each with its own in a namespace if there are any."""
    address = "10.92.0.1" if namespaces else "127.0.0.1"
    inside = namespaces.inside if namespaces else lambda host: []
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    processes = []

    def start(host, *command):
        processes.append(
            subprocess.Popen(
                [*inside(host), arguments.isomix, *command], env=environment, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL))

    keyed = ["--insecure"] if namespaces else []
    fit = subprocess.Popen(
        [arguments.isomix, "fit", arguments.spec, "--output", folder, "--progress", "none", "--workers", "0", "--listen",
         f"tcp://{address}:0", *keyed, *OPTIONS], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    rendezvous = str(Path(folder) / "rendezvous.json")
    for relay in range(relays):
        published = f"{folder}.relay{relay}.json"
        listen = f"tcp://10.92.0.{relay + 2}:0" if namespaces else "tcp://127.0.0.1:0"
        start(relay, "relay", "--rendezvous", rendezvous, "--listen", listen, "--publish", published, *keyed)
        for _ in range(workers * (relay + 1) // relays - workers * relay // relays):
            start(relay, "worker", "--rendezvous", published)
    _, errors = fit.communicate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    if fit.returncode:
        sys.exit(f"the fit behind relays: exit {fit.returncode}: {errors.decode()}")
    return Speed(folder, workers)


def at_work(workers, relays):
    """Workers that don't rest, or the processors that they would leave idle."""
    employed = workers if arguments.no_rest else min(workers, os.cpu_count() * max(1, relays))
    return max(employed, os.cpu_count())


def forecast(model, workers, relays, folder):
    path = str(Path(folder) / "model.json")
    Path(path).write_text(json.dumps(model))
    rows = isomix_json("simulate", "--scale", str(workers), "--relays", str(relays), "--model", path)
    return next(row for row in rows if row["relays"] == relays)


def cost_of(key, low, high, model, case, speed, folder):
    """The value of a cost with which the model foretells so many iterations a second."""
    for _ in range(14):
        middle = (low * high) ** 0.5
        if forecast(dict(model, **{key: middle}), *case, folder)["iterations_per_second"] > speed:
            low = middle
        else:
            high = middle
    return (low * high) ** 0.5


def calibrate(plan, folder, transport=()):
    """The model but for the times of tiles: a message's and a byte's are from empty iterations of two workers."""
    gradient = plan["gradient"]
    blocks = -(-gradient["components"] // gradient["components_per_block"])
    sample_tiles = -(-gradient["samples"] // gradient["samples_per_tile"])
    row_tiles = -(-gradient["rows"] // gradient["rows_per_tile"]) if gradient["rows"] else 0
    model = {
        "components": gradient["components"], "dimension": arguments.dimension, "blocks": blocks,
        "tiles_per_block": sample_tiles * (1 + row_tiles), "cores": os.cpu_count(), "workers_per_host": 0,
        "employs_all": arguments.no_rest,
    }

    def measured(components, dimension):
        rows = isomix_json(
            "bench", "coordination", "--no-rest", *transport, "--workers", "2", "--components", str(components), "--dimension", str(dimension),
            "--iterations", "600")["rows"]
        return rows[0]["median_us"] * 1e-6

    def solve(key, low, high, sizes, seconds):
        """The value with which an empty iteration of two workers takes as long as the real one."""
        empty = dict(model, tile_s=1e-6, step_s=0, blocks=1, tiles_per_block=16, employs_all=True, **sizes)
        return cost_of(key, low, high, empty, (2, 0), 1 / seconds, folder)

    small, large = measured(10, 2), measured(arguments.components, arguments.dimension)
    model["message_s"] = solve("message_s", 1e-7, 1e-3, {"components": 10, "dimension": 2}, small)
    model["byte_s"] = solve(
        "byte_s", 1e-12, 1e-7, {"components": arguments.components, "dimension": arguments.dimension}, large)
    return model


def with_tiles(model, gradient, together):
    """The model with the times of tiles that one-worker fits had which made so many iterations a second together."""
    seconds = model["cores"] / together
    # The first tile of a block has a density of all components, the others a logistic regression's rows (CostModel.swift).
    dimension, rows = model["dimension"], min(gradient["rows"], gradient["rows_per_tile"])
    heavier = (model["components"] * (4 * dimension + 25) + 60 * dimension) / (rows * (4 * dimension + 20)) if rows else 1
    step = 0.003 * seconds
    tile = (seconds - step) / (model["blocks"] * (model["tiles_per_block"] - 1 + heavier))
    return dict(model, step_s=step, tile_s=tile, first_tile_s=heavier * tile)


def main():
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    counts = [int(count) for count in arguments.workers.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
        flat_cases = [(1, 0)] if arguments.namespaces else [(count, 0) for count in counts]
        relay_cases = [(count, RELAYS) for count in counts if count >= 2 * RELAYS]
        # The smallest one tells what a message costs.
        cases = flat_cases + ([(RELAYS, RELAYS)] + relay_cases if relay_cases else [])
        namespaces = Namespaces(RELAYS) if arguments.namespaces else None
        speeds, crowds = {case: [] for case in cases}, {case: [] for case in cases}
        digests = set()
        try:
            for repetition in range(arguments.repeat):
                for workers, relays in cases:
                    output = f"{folder}/{repetition}-{workers}-{relays}"
                    speed = tree(workers, relays, output, namespaces) if relays else flat(workers, output)
                    speeds[workers, relays].append(speed.value)
                    digests.add(speed.digest)
                    crowds[workers, relays].append(crowd(f"{output}-crowd", at_work(workers, relays), speed.since))
        finally:
            if namespaces:
                namespaces.remove()
        plan_file = json.loads(Path(f"{folder}/0-1-0/plan.json").read_text())
        plan = plan_file.get("plan", plan_file)
        plan = plan if "gradient" in plan else plan_file["setup"]["plan"]
        gradient = plan["gradient"]
        arguments.dimension = gradient["unit_width"] - 2
        together = {case: statistics.median(runs) for case, runs in crowds.items()}
        # Of each run, what it makes of what the machine gave right after it.
        measured = {
            case: together[case] * statistics.median(run / crowd for run, crowd in zip(speeds[case], crowds[case]))
            for case in cases
        }
        one = measured[1, 0]
        names = {f"{workers} workers, {relays} relays": round(speed, 2) for (workers, relays), speed in together.items()}
        print(f"one worker: {one:.2f} it/s; one-worker fits at once after each run, it/s of all:", json.dumps(names))
        # Workers of the coordinator's own have a local socket; relays and what is behind them are connected by TCP.
        models = {"flat": with_tiles(calibrate(plan, folder), gradient, together[1, 0])}
        if relay_cases:
            smallest = (RELAYS, RELAYS)
            model = with_tiles(calibrate(plan, folder, ["--tcp"]), gradient, together[smallest])
            model["message_s"] = cost_of("message_s", model["message_s"], 1e-2, model, smallest, measured[smallest], folder)
            models["relays"] = model
        print("models:", json.dumps(models))
        print(f"{'workers':>8} {'relays':>7} {'measured it/s':>14} {'foretold it/s':>14} {'off by':>8}")
        rows, is_close = [], True
        for case in flat_cases + relay_cases:
            workers, relays = case
            # One local worker computes in the coordinator's process.
            if case == (1, 0):
                foretold = one
            else:
                here = with_tiles(models["relays" if relays else "flat"], gradient, together[case])
                foretold = forecast(here, workers, relays, folder)["iterations_per_second"]
            off = foretold / measured[case] - 1
            is_close = is_close and abs(off) <= arguments.tolerance
            rows.append(
                {"workers": workers, "relays": relays, "measured": measured[case], "foretold": foretold,
                 "runs": speeds[case], "one_worker_fits_at_once": crowds[case]})
            print(f"{workers:>8} {relays:>7} {measured[case]:>14.2f} {foretold:>14.2f} {100 * off:>+7.0f}%")
        print("state_sha256 of all runs:", *digests, "(equal)" if len(digests) == 1 else "(NOT EQUAL)")
        print(f"load after: {os.getloadavg()[0]:.1f}")
        if arguments.json:
            Path(arguments.json).write_text(json.dumps({"models": models, "rows": rows}, indent=2))
        if arguments.plot:
            plot(rows, models["flat"], folder)
        sys.exit(0 if is_close and len(digests) == 1 else 1)


def plot(rows, model, folder):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.5))
    for relays, style in ((0, "o"), (RELAYS, "s")):
        chosen = [row for row in rows if row["relays"] == relays]
        name = "flat" if relays == 0 else f"{RELAYS} relays"
        left.plot([row["workers"] for row in chosen], [row["measured"] for row in chosen], style, label=f"{name}, run")
        left.plot([row["workers"] for row in chosen], [row["foretold"] for row in chosen], "-", label=f"{name}, foretold")
    left.set(xscale="log", xlabel="worker processes on this machine", ylabel="iterations a second", ylim=(0, None))
    left.legend(fontsize=7)
    # A cluster of hosts with 8 workers each, with tiles for all of them.
    cluster = dict(model, cores=9, workers_per_host=8, tiles_per_block=512)
    counts = [1, 8, 64, 256, 1024]
    for title, relays in (("flat", lambda count: 0), ("a relay a host", lambda count: count // 8)):
        usable = [count for count in counts if title == "flat" or count >= 8]
        right.plot(
            usable, [forecast(cluster, count, relays(count), folder)["speedup"] for count in usable], "o-", label=title)
    right.plot(counts, counts, ":", color="gray", label="ideal")
    right.set(xscale="log", yscale="log", xlabel="workers (foretold)", ylabel="speed-up")
    right.legend(fontsize=7)
    figure.tight_layout()
    Path(arguments.plot).mkdir(parents=True, exist_ok=True)
    figure.savefig(f"{arguments.plot}/scaling.svg")


main()
