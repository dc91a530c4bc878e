"""The stored results: whole, small, read as numbers, repeated exactly, and what the results page says."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from experiments import ALL, page
from experiments.jobs import RESULTS, ROOT, Experiment
from experiments.stored import CIRCUMSTANCES, read, texts
from rnn_teach import results


def experiment(name: str) -> Experiment:
    return import_module(f"experiments.{name}").EXPERIMENT


def test_every_experiment_is_known_by_name() -> None:
    files = (ROOT / "experiments").glob("*.py")
    there = {file.stem for file in files if "\nEXPERIMENT = " in file.read_text("utf-8")}
    assert there == set(ALL)
    assert [experiment(name).name for name in ALL] == list(ALL)
    stored = {name.removesuffix("-curves") for name in results.names()}
    assert stored == set(ALL), "an old file, or one that nothing writes"


@pytest.mark.parametrize("name", ALL)
def test_its_file_has_a_row_for_each_job(name: str) -> None:
    rows, settings = read(RESULTS / f"{name}.csv"), experiment(name).settings
    names = list(settings[0])
    assert [{column: row[column] for column in names} for row in rows] == list(map(texts, settings))
    assert tuple(rows[0])[-3:] == CIRCUMSTANCES
    for row in rows:
        assert float(row["seconds"]) > 0
        assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?", row["commit"])
        assert re.fullmatch(r"python 3\.\d+\.\d+ numpy \d+\.\d+\.\d+", row["versions"])
    for column in names:
        assert len({row[column] for row in rows}) > 1 or column == "seed", "a setting is varied"


def test_the_files_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in RESULTS.glob("*.csv")}
    assert sizes and max(sizes.values()) < 200_000, sizes


@pytest.mark.parametrize("name", ALL)
def test_a_few_rows_are_repeated_exactly(name: str) -> None:
    command = [sys.executable, "-m", f"experiments.{name}", "--quick", "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"{name}: [1-9]\d* of \d+ rows repeated exactly\n", done.stdout)


def test_the_rows_to_repeat_took_two_minutes_at_most_when_they_were_stored() -> None:
    took = {}
    for name in ALL:
        rows = zip(experiment(name).settings, results.read(name)["seconds"], strict=True)
        took[name] = sum(seconds for settings, seconds in rows if experiment(name).quick(settings))
    assert sum(took.values()) < 120, took


def test_columns_are_numbers_where_they_can_be() -> None:
    columns = results.read("spectral_radius")
    kinds = {name: column.dtype.kind for name, column in columns.items()}
    assert kinds["seed"] == "i"
    assert kinds["radius"] == kinds["growth"] == kinds["seconds"] == "f"
    assert kinds["matrix"] == kinds["commit"] == kinds["versions"] == "U"
    rows = read(RESULTS / "spectral_radius.csv")
    assert [float(row["growth"]) for row in rows] == columns["growth"].tolist()
    assert {len(column) for column in columns.values()} == {len(rows)}


@pytest.mark.parametrize("name", ["addition", "../sunspots", ""])
def test_an_unknown_name_is_an_error_that_lists_the_known(name: str) -> None:
    with pytest.raises(
        ValueError, match=f"name: expected one of .*spectral_radius.*, got '{name}'"
    ):
        results.read(name)


def test_the_page_is_what_the_files_make_it() -> None:
    assert page.PAGE.read_text("utf-8") == page.text(), "run `make results`"


@pytest.mark.parametrize("name", ALL)
def test_the_page_tells_the_whole_story(name: str) -> None:
    told = experiment(name)
    assert all((told.title, told.paper, told.says, told.ours, told.why, told.columns))
    assert f"## {told.title}\n" in page.text()
    assert (ROOT / f"{told.chapter}.ipynb").is_file()
    assert page.table(told, results.read(name)).count("\n") <= 31, "choose with `shown`"
    cited = re.findall(
        r"{cite(?::[a-z]+)?}`([^`]+)`", told.paper + told.says + told.ours + told.why
    )
    known = re.findall(
        r"^@\w+{(\w+),", (ROOT / "book/references.bib").read_text("utf-8"), re.MULTILINE
    )
    assert cited and {key for keys in cited for key in keys.split(",")} <= set(known)


def test_a_line_of_the_table_stands_for_the_seeds() -> None:
    told = Experiment(
        name="x",
        run=dict,
        settings=[{"cell": cell, "seed": seed} for cell in ("GRU", "RNN") for seed in range(3)],
        quick=bool,
        shown=lambda settings: settings["cell"] == "RNN",
        columns={"solved": "solved", "shown": "shown", "loss": "held-out loss"},
    )
    table = page.table(
        told,
        {
            "solved": np.array([1, 1, 1, 0, 1, 1]),
            "shown": np.array([0, 0, 0, 30_000, 10_000, 20_000]),
            "loss": np.array([0, 0, 0, np.inf, 0.012345, 0.2]),
            "seconds": np.array([0, 0, 0, 1.25, 3.5, 2]),
        },
    )
    assert table.splitlines() == [
        "| cell | runs | solved | shown | held-out loss | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| RNN | 3 | 2 of 3 | 20,000 | 0.2 | 2 |",
    ]


def test_all_are_run_in_turn_whatever_one_of_them_does(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def run(command: list[str], *, check: bool) -> SimpleNamespace:
        ran.append(command)
        return SimpleNamespace(returncode=int(command[2] == "experiments.clipping"))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["experiments", "--quick"])
    with pytest.raises(SystemExit, match="failed: clipping"):
        runpy.run_module("experiments", run_name="__main__")
    assert ran == [[sys.executable, "-m", f"experiments.{name}", "--quick"] for name in ALL]
