"""What jobs have found, as text: kept line by line while they run, then written as result files.

A job's outcome is a dict: "settings", "row" (settings, results, and how it was run) and "curve" (a
list of points of a learning curve, the settings among their columns). All values are strings.
"""

from __future__ import annotations

import csv
import json
import numbers
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CIRCUMSTANCES = ("seconds", "commit", "versions")  # the columns that no rerun can repeat
Row = dict[str, str]
Outcome = dict[str, Any]


def text(name: str, value: object) -> str:
    """Return how a value is stored: whole numbers in full, others with 4 significant digits.

    Raises TypeError, naming ``name``, for what is neither a number nor a string.
    """
    if isinstance(value, str):
        return value
    if hasattr(value, "dtype") and value.ndim == 0:
        value = value.item()
    if isinstance(value, numbers.Integral):  # bool, too
        return str(int(value))
    if isinstance(value, numbers.Real):
        return f"{value:.4g}"
    raise TypeError(f"{name}: expected a number or a string, got {value!r}")


def texts(row: dict[str, Any]) -> Row:
    """Return the row with all values as they are stored."""
    return {name: text(name, value) for name, value in row.items()}


def named(settings: dict[str, Any]) -> str:
    """Return the settings as a person names a job: "cell=RNN T=10 seed=0"."""
    return " ".join(f"{name}={value}" for name, value in texts(settings).items())


class Kept:
    """The outcomes of an unfinished run, a file with one a line: a killed run goes on from there.

    The file's name holds ``key``, the code that they came from: other code, other file. A last
    line that was cut off is dropped: that job runs again.
    """

    def __init__(self, folder: Path, name: str, key: str, *, fresh: bool = False) -> None:
        self.path, self._outdated = folder / f"{name}-{key}.jsonl", f"{name}-*.jsonl"
        if fresh:
            self.path.unlink(missing_ok=True)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.outcomes = {named(outcome["settings"]): outcome for outcome in self._read()}

    def _read(self) -> Iterator[Outcome]:
        if not self.path.exists():
            return
        whole, _, torn = self.path.read_bytes().rpartition(b"\n")
        if torn:
            os.truncate(self.path, len(whole) + 1 if whole else 0)
        for line in whole.splitlines():
            yield json.loads(line)

    def add(self, outcome: Outcome) -> None:
        """Keep one more, on disk when this returns."""
        with self.path.open("ab") as file:
            file.write(json.dumps(outcome).encode() + b"\n")
        self.outcomes[named(outcome["settings"])] = outcome

    def remove(self) -> None:
        """Forget them, and those of older code: the run is complete."""
        for path in self.path.parent.glob(self._outdated):
            path.unlink(missing_ok=True)


def write(folder: Path, name: str, outcomes: list[Outcome]) -> list[Path]:
    """Write NAME.csv, a row a job, and NAME-curves.csv if there are curves; return their paths.

    Raises ValueError if the rows do not have the same columns.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / f"{name}.csv": [outcome["row"] for outcome in outcomes]}
    if curves := [point for outcome in outcomes for point in outcome["curve"]]:
        files[folder / f"{name}-curves.csv"] = curves
    for rows in files.values():
        for row in rows:
            if list(row) != list(rows[0]):
                raise ValueError(f"{name}: expected the columns {list(rows[0])}, got {list(row)}")
    for path, rows in files.items():
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
        os.replace(unfinished, path)
    return list(files)


def read(path: Path) -> list[Row]:
    """Return the rows of a result file as they are written; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def differences(folder: Path, name: str, outcomes: list[Outcome]) -> list[str]:
    """Return what is stored otherwise than these outcomes: the job, the column, both values."""
    rows, curves = read(folder / f"{name}.csv"), read(folder / f"{name}-curves.csv")
    found = []
    for outcome in outcomes:
        settings = outcome["settings"]
        for what, stored, now in (
            ("row", rows, [outcome["row"]]),
            ("curve", curves, outcome["curve"]),
        ):
            old = [row for row in stored if settings.items() <= row.items()]
            where = f"{name}, {named(settings)}: {what}"
            if len(old) != len(now):
                found.append(f"{where}: {len(old)} stored, {len(now)} now")
                continue
            for k, (before, after) in enumerate(zip(old, now, strict=True)):
                point = f" point {k}" if what == "curve" else ""
                found += [
                    f"{where}{point}, {column}: stored {before.get(column)}, now {after.get(column)}"
                    for column in {**before, **after}
                    if column not in CIRCUMSTANCES and before.get(column) != after.get(column)
                ]
    return found
