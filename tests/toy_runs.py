"""Runs of the toy experiment, each in a folder of its own, and what they leave there."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import toy_experiment

from experiments.jobs import ROOT

SETTINGS = [(cell, str(seed)) for cell in ("RNN", "LSTM") for seed in range(3)]


RUNNING: list[subprocess.Popen] = []


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Path]:
    """A copy of the toy experiment in a folder of its own, where its jobs leave their notes."""
    yield Path(shutil.copy(toy_experiment.__file__, tmp_path))
    while RUNNING:
        left = RUNNING.pop()
        if left.poll() is None:  # the test failed
            os.killpg(left.pid, signal.SIGKILL)
            left.communicate()


def start(toy: Path, *arguments: str | Path, **options: object) -> subprocess.Popen:
    """Begin a run of the toy experiment, in a session of its own, with result files beside it."""
    command = [sys.executable, toy, "--out", toy.parent, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    RUNNING.append(
        subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes)
    )
    return RUNNING[-1]


def finish(toy: Path, *arguments: str | Path) -> tuple[int, str]:
    """Run it to its end; return the exit status and all it said."""
    running = start(toy, *arguments)
    said = "".join(running.communicate())
    return running.returncode, said


def until(true: Callable[[], object]) -> None:
    """Wait for it, however busy the machine is; a test that would wait forever fails."""
    for _ in range(2400):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it never came")


def began(toy: Path) -> Counter:
    """How often each job began."""
    notes = [path.name.split("-") for path in toy.parent.glob("began-*")]
    return Counter((cell, seed) for _, cell, seed, *_ in notes)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def results(path: Path) -> list[dict[str, str]]:
    """The rows without the columns that no rerun repeats."""
    left_out = ("seconds", "commit", "versions")
    return [{name: row[name] for name in row if name not in left_out} for row in rows(path)]
