"""The stored results of the experiments, by name, as arrays: what the chapters and the results page read."""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np


def names() -> list[str]:
    """Return the names of all result files, sorted.

    >>> "adding" in names() and "adding-curves" in names()
    True
    """
    folder = files("rnn_teach") / "data" / "results"
    stored = (file.name for file in folder.iterdir()) if folder.is_dir() else ()
    return sorted(name.removesuffix(".csv") for name in stored if name.endswith(".csv"))


def read(name: str) -> dict[str, np.ndarray]:
    """Return the columns of a result file by name, each (runs,): whole numbers, floats or strings.

    Arguments: name, an experiment's, as in ``names()``: a row a run, its settings, its results, then
    seconds, commit and versions; or that with "-curves": a row a point of a learning curve.
    Raises ValueError, listing the names, for a name without a file.

    >>> runs = read("adding")
    >>> runs["cell"].shape == runs["T"].shape, set(runs["solved"].tolist()) <= {0, 1}
    (True, True)
    """
    if name not in names():
        raise ValueError(f"name: expected one of {', '.join(names())}, got {name!r}")
    text = (files("rnn_teach") / "data" / "results" / f"{name}.csv").read_text(encoding="utf-8")
    head, *rows = csv.reader(text.splitlines())
    return dict(zip(head, map(_column, zip(*rows, strict=True)), strict=True))


def _column(values: tuple[str, ...]) -> np.ndarray:
    for kind in (int, float):
        try:
            return np.array([kind(value) for value in values])
        except ValueError:
            continue
    return np.array(values)
