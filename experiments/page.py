"""Writes the results page, book/results.md, from the result files and what the experiments say of them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

import numpy as np

from rnn_teach.results import names, read

from . import ALL, speed
from .jobs import ROOT, Experiment

PAGE = ROOT / "book" / "results.md"
HEAD = """\
# Results

<!-- Written by `make results` from the result files and the texts in experiments/. Change those. -->

What the field's papers report, repeated at a size that a laptop can do, and what came out, failures included.
`make experiments` runs everything on this page again, and `python -m experiments.adding` one experiment; how to do it on a cluster, {{ref}}`is below <repeat-experiments>`.
The papers' claims are given in words, for their numbers belong to their sizes; every number in the tables was measured here.

In a table a line stands for several runs that differ in nothing but the seed. It shows their median, and of what a run can only pass or miss, how many passed.
A run that never passed counts with all the sequences that it was shown.
"Seconds" is the time of one such run on one core.

All {runs} runs together took {time}, each on one core of a server (Intel Xeon, two cores) that had other work, too.
Versions: {versions}. Commits: {commits}; with `-dirty`, something in the folder had not been committed.
"""
FOOT = """\
(repeat-experiments)=
## Repeat them

```bash
make experiments          # everything
make experiments-quick    # a few rows of each
python -m experiments.adding --jobs 8
python -m experiments.adding --scheduler tcp://10.0.0.1:8786
```

Everything takes {half} with two processes on two cores like ours. The rows of the quick form must come out as they are stored.
Each run is a job of its own, and `--jobs` says how many processes share them. With `--scheduler` the jobs go to the workers of a Dask cluster, which need `joblib` and the same `rnn_teach`, but not the folder `experiments/`.
A run that is stopped, even by force, goes on with the same command: what was done is kept in `_build/experiments/` until the code changes.
A job that fails names its settings, and the others go on.

The result files are in `src/rnn_teach/data/results/`: `adding.csv` has a row for each run with settings, seed, results, seconds, commit and versions, and `adding-curves.csv` the learning curves.
`rnn_teach.results.read("adding")` reads them.
The digits are those of the versions and the kind of processor named in the rows: another processor rounds sums differently, and a long training makes such a difference large. The order of the cells and how many succeed should stay.
"""


def text() -> str:
    """Return the page as the result files that are there make it."""
    stored = [import_module(f"experiments.{name}").EXPERIMENT for name in ALL if name in names()]
    runs = [read(experiment.name) for experiment in stored]
    seconds = sum(columns["seconds"].sum() for columns in runs)
    filled = {
        "runs": f"{sum(len(columns['seconds']) for columns in runs):,}",
        "time": duration(seconds),
        "half": f"about {duration(seconds / 2)}",
        "versions": _listed(version for columns in runs for version in columns["versions"]),
        "commits": _listed(commit for columns in runs for commit in columns["commit"]),
    }
    parts = [
        HEAD.format(**filled),
        *map(section, stored, runs),
        speed.section(),
        FOOT.format(**filled),
    ]
    return "\n".join(parts)


def section(experiment: Experiment, columns: dict[str, np.ndarray]) -> str:
    """Return one experiment's part of the page."""
    chapter = f"Chapter: {{doc}}`/{experiment.chapter}`. " if experiment.chapter else ""
    return f"""\
(results-{experiment.name.replace("_", "-")})=
## {experiment.title}

**The paper.** {experiment.paper}: {experiment.says}

**Here.** {experiment.ours}

{table(experiment, columns)}

**Why they differ.** {experiment.why}

{chapter}Command: `python -m experiments.{experiment.name}`, {len(columns["seconds"])} runs, {duration(columns["seconds"].sum())}.
"""


def table(experiment: Experiment, columns: dict[str, np.ndarray]) -> str:
    """Return a Markdown table: a line for the runs that differ in the seed alone."""
    by = [name for name in experiment.settings[0] if name != "seed"]
    lines: dict[tuple, list[int]] = {}
    for k, settings in enumerate(experiment.settings):
        if experiment.shown(settings):
            lines.setdefault(tuple(str(settings[name]) for name in by), []).append(k)
    heads = [*by, "runs", *experiment.columns.values(), "seconds"]
    rows = [heads, ["---"] * len(by) + ["---:"] * (len(heads) - len(by))]
    for line, runs in lines.items():
        found = [summary(columns[name], runs) for name in [*experiment.columns, "seconds"]]
        rows.append([*line, str(len(runs)), *found])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def summary(column: np.ndarray, runs: list[int]) -> str:
    """Return what these runs of a column have in common: "4 of 5" for what is 0 or 1, or the median."""
    values = column[runs]
    if column.dtype.kind == "i" and set(column.tolist()) <= {0, 1}:
        return f"{values.sum()} of {len(values)}"
    middle = np.median(values)
    return f"{middle:,.0f}" if column.dtype.kind == "i" else f"{middle:.3g}"


def duration(seconds: float) -> str:
    """Return a time as one says it: "4 minutes"."""
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in dict.fromkeys(words))


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    print(PAGE)
