"""The rows of the table, for reproduce.py and make-bands.py: what is run, how a row is named, how a band is computed.

Starts, steps and iterations stand twice: in the specs of this folder, for isomix, and in make-bands.py, for the
NumPy reference. They are not shared, so that a slip in one shows in the comparison.
"""

from collections import namedtuple
from math import sqrt

# `section` heads the row in the table; `problem` names the target in make-bands.py; `settings` go to --set.
Row = namedtuple("Row", "section problem spec algorithm components settings")

TIMED_DIMENSIONS = (10, 20, 40, 80, 160)
SKEWS = {"sinh-arcsinh, skew (-.2, -.2)": "[-0.2, -0.2]", "sinh-arcsinh, skew (-.2, -.5)": "[-0.2, -0.5]"}


def rows():
    def add(problem, spec, algorithms, components, *settings):
        result.extend(Row(problem, problem, spec, rule, components, settings) for rule in algorithms)

    result = []
    add("one Gaussian", "gaussian.yaml", ["ibw", "md", "ngd", "bw"], 1)
    for components in (1, 5, 10, 20):
        add("2-D mixture", "mixture-2d.yaml", ["ibw", "md", "ngd", "gd", "ibw-shared", "md-shared", "bw"], components)
    add("20-d mixture", "mixture-20d.yaml", ["ibw", "md", "bw"], 20)
    add("breast cancer", "breast-cancer.yaml", ["ibw", "md", "bw"], 5)
    add("wine", "wine.yaml", ["ibw", "md", "bw"], 5)
    add("network (diabetes)", "network.yaml", ["ibw"], 5)
    add("funnel", "funnel.yaml", ["ibw", "md", "bw"], 20)
    for problem, skew in SKEWS.items():
        add(problem, "sinh-arcsinh.yaml", ["ibw", "md", "bw"], 20, f"model.skew={skew}")
    add("four modes", "four-modes.yaml", ["ibw", "md", "bw"], 20)
    add("unbalanced modes", "unbalanced.yaml", ["ibw", "md", "bw"], 20)
    for dimension in TIMED_DIMENSIONS:
        edge = 100 / dimension
        add(
            f"time, d = {dimension}", "mixture-time.yaml", ["ibw", "bw"], 15,
            f"model.file=../data/mixture-time-{dimension}d.json",
            f"mixture.initial={{uniform: {{low: {-edge}, high: {edge}, variance: 10}}}}",
            f"inference.step_size={0.01 / dimension}")
    return result


def is_timed(row):
    return row.problem.startswith("time")


def draws_of(row):
    """Of isomix's evaluation. The paper takes 1000 and so do the specs; here are more, so that a band is not mostly the
    evaluation's noise, but a timed fit should not consist of its evaluation."""
    return 1000 if is_timed(row) else 20_000 if row.problem.startswith("network") else 100_000


def key(row):
    return f"{row.problem}, {row.algorithm}, N = {row.components}"


def band(figure, seeds, draws):
    """Low and high for the mean over `seeds` fits, each evaluated by `draws` draws (0: the evaluation has no noise of
    its own). `figure` is the reference's: mean and standard deviation over its seeds (`sd`), standard error of that
    mean from its evaluation (`se`), standard deviation of one draw (`draw_sd`), and the least half-width."""
    evaluation = figure["se"] ** 2 + (figure["draw_sd"] ** 2 / (draws * seeds) if draws else 0)
    half = 4 * sqrt(figure["sd"] ** 2 * (1 / seeds + 1 / figure["seeds"]) + evaluation)
    half = max(half, figure["least"])
    return figure["mean"] - half, figure["mean"] + half
