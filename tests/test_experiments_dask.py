"""The experiments on a real cluster: a scheduler and worker processes that have no folder `experiments`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_runs import SETTINGS, began, finish, results, start, toy, until

from experiments import jobs

__all__ = ["toy"]
WORKERS = 3


class Cluster:
    """A scheduler, and workers with one thread each, every one a process of its own."""

    def __init__(self, folder: Path, exits: contextlib.ExitStack) -> None:
        self.folder, self._exits, self._file = folder, exits, folder / "scheduler.json"
        self.elsewhere = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        self._start("scheduler", "--port", "0")
        until(self._file.exists)
        self.address = json.loads(self._file.read_text())["address"]

    def add_worker(self) -> None:
        self._start("worker", "--nthreads", "1", "--no-nanny")

    def _start(self, *command: str) -> None:
        running = subprocess.Popen(
            [
                *(sys.executable, "-m", "dask", *command, "--host", "127.0.0.1"),
                *("--scheduler-file", self._file, "--dashboard-address", "127.0.0.1:0"),
            ],
            cwd=self.folder,
            env=self.elsewhere,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._exits.callback(running.wait)
        self._exits.callback(running.kill)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster without workers."""
    with contextlib.ExitStack() as exits:
        yield Cluster(tmp_path_factory.mktemp("cluster"), exits)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of ``WORKERS`` workers."""
    with contextlib.ExitStack() as exits:
        made = Cluster(tmp_path_factory.mktemp("cluster"), exits)
        for _ in range(WORKERS):
            made.add_worker()
        yield made


def workers_at(toy: Path, cell: str, seed: int) -> list[int]:
    """The processes that began this job, the latest last."""
    notes = [path.name.split("-") for path in toy.parent.glob(f"began-{cell}-{seed}-*")]
    return [int(note[3]) for note in sorted(notes, key=lambda note: int(note[4]))]


def test_its_workers_have_no_folder_experiments(cluster: Cluster) -> None:
    command = [sys.executable, "-c", "import rnn_teach, joblib, experiments"]
    done = subprocess.run(
        command,
        cwd=cluster.folder,
        env=cluster.elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No module named 'experiments'" in done.stderr


def test_experiments_run_there_all_the_same(cluster: Cluster) -> None:
    command = [sys.executable, "-m", "experiments.temporal_order", "--quick"]
    done = subprocess.run(
        [*command, "--scheduler", cluster.address],
        cwd=jobs.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "rows repeated exactly" in done.stdout, done.stderr


def test_a_worker_killed_in_the_middle_loses_and_doubles_no_row(
    cluster: Cluster, toy: Path
) -> None:
    toy.with_name("wait-1").touch()
    running, killed = start(toy, "--scheduler", cluster.address), []
    for cell in ("RNN", "LSTM"):
        until(lambda cell=cell: workers_at(toy, cell, 1))
        killed.append(workers_at(toy, cell, 1)[0])
        os.kill(killed[-1], signal.SIGKILL)
    said = "".join(running.communicate())
    assert running.returncode == 0, said

    assert len({*killed, running.pid}) == 3, "each job that was waiting had a process of its own"
    assert set(began(toy)) == set(SETTINGS)
    for cell, worker in zip(("RNN", "LSTM"), killed, strict=True):
        assert worker not in workers_at(toy, cell, 1)[1:] != [], "another worker did it again"
    there = results(toy.with_name("toy.csv")), results(toy.with_name("toy-curves.csv"))
    assert [(row["cell"], row["seed"]) for row in there[0]] == SETTINGS
    assert finish(toy, "--jobs", "1")[0] == 0
    here = results(toy.with_name("toy.csv")), results(toy.with_name("toy-curves.csv"))
    assert there == here


def test_no_scheduler_and_no_workers_are_said_before_any_work(bare: Cluster, toy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    both = [start(toy, "--scheduler", address) for address in (nobody, bare.address)]
    said = [running.communicate()[1] for running in both]
    assert [running.returncode for running in both] == [1, 1]
    assert said[0].endswith(f"expected a Dask scheduler at {nobody}, got no answer\n")
    assert said[1].endswith(f"expected workers at {bare.address}, got none in {jobs.REACH} s\n")
    assert list(toy.parent.iterdir()) == [toy]
