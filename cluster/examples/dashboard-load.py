#!/usr/bin/env python3
"""How much open dashboards slow a fit down.

Runs the same fit again and again, in turn with no page open and with many (server-sent events, read as a browser reads
them but not drawn), and compares the medians of the fit's own seconds. What reads the pages runs on the same machine and
is counted in; `--bare` compares the fit without a dashboard with the fit that has one nobody looks at.

    cluster/examples/dashboard-load.py --pages 100 --pairs 8
"""

import argparse
import json
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(options, pages, dashboard, folder):
    """The seconds that one fit took, its iterations' digest, and events and bytes that the pages got."""
    output = os.path.join(folder, "out")
    shutil.rmtree(output, ignore_errors=True)
    command = [options.isomix, "fit", options.spec, "--output", output, "--workers", str(options.workers)]
    command += ["--progress", "plain", "--cache", os.path.join(folder, "cache")]
    for value in ["inference.stop=iterations", f"inference.iterations={options.iterations}"] + options.set:
        command += ["--set", value]
    if dashboard:
        command += ["--dashboard"]
    fit = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    open_pages, events, received = [], 0, 0
    selector = selectors.DefaultSelector()
    if dashboard:
        found = None
        while found is None:
            line = fit.stderr.readline()
            if not line:
                sys.exit("the fit ended without a dashboard")
            found = re.match(r"dashboard: http://127\.0\.0\.1:(\d+)/", line)
        for _ in range(pages):
            page = socket.create_connection(("127.0.0.1", int(found[1])))
            page.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            page.setblocking(False)
            selector.register(page, selectors.EVENT_READ)
            open_pages.append(page)
    # A full pipe must not hold up the fit.
    os.set_blocking(fit.stderr.fileno(), False)
    while fit.poll() is None:
        try:
            os.read(fit.stderr.fileno(), 1 << 16)
        except BlockingIOError:
            pass
        for key, _ in selector.select(timeout=0.2) if open_pages else []:
            try:
                data = key.fileobj.recv(1 << 18)
            except (BlockingIOError, ConnectionResetError):
                continue
            received += len(data)
            events += data.count(b"event: status")
            if not data:
                selector.unregister(key.fileobj)
        if not open_pages:
            try:
                fit.wait(0.2)
            except subprocess.TimeoutExpired:
                pass
    for page in open_pages:
        page.close()
    if fit.returncode != 0:
        sys.exit(f"the fit failed with exit code {fit.returncode}")
    with open(os.path.join(output, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    return summary["seconds"], summary["state_sha256"], events, received


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isomix", default=os.path.join(repository, ".build/release/isomix"))
    parser.add_argument("--spec", default=os.path.join(repository, "cluster/examples/components-200.yaml"))
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--set", action="append", default=[], help="a value of the spec; repeatable")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--bare", action="store_true", help="no dashboard against one that nobody looks at")
    options = parser.parse_args()
    without, with_pages, digests = [], [], set()
    with tempfile.TemporaryDirectory() as folder:
        run(options, 0, False, folder)  # Prepares the data.
        for pair in range(options.pairs):
            kinds = [False, True] if pair % 2 == 0 else [True, False]
            for has_pages in kinds:
                pages = options.pages if has_pages and not options.bare else 0
                dashboard = has_pages or not options.bare
                seconds, digest, events, received = run(options, pages, dashboard, folder)
                digests.add(digest)
                (with_pages if has_pages else without).append(seconds)
                note = f", {events} events, {received / 1e6:.1f} MB" if pages else ""
                name = ("dashboard" if dashboard else "none") if options.bare else f"{pages} pages"
                print(f"pair {pair + 1}: {name}: {seconds:.3f} s{note}", flush=True)
    if len(digests) != 1:
        sys.exit(f"the bits differ: {digests}")
    ratios = [a / b for a, b in zip(with_pages, without)]
    first, second = statistics.median(without), statistics.median(with_pages)
    print(
        f"median {first:.3f} s without, {second:.3f} s with: {100 * (second / first - 1):+.1f} %; "
        f"median of the pairs' ratios {100 * (statistics.median(ratios) - 1):+.1f} %, "
        f"fastest against fastest {100 * (min(with_pages) / min(without) - 1):+.1f} %; same bits"
    )


if __name__ == "__main__":
    main()
