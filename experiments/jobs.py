"""Runs the jobs of an experiment, here or on a cluster, and stores what they find.

A job is one call of the experiment's `run`, and depends on its settings alone. Its outcome is kept
as soon as it is there, so that a run that is stopped goes on where it was; the result files are
written when all are there. See `python -m experiments.adding --help` for the command line.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
from joblib import (
    Parallel,
    delayed,
    effective_n_jobs,
    parallel_config,
    wrap_non_picklable_objects,
)
from tqdm import tqdm

import experiments

from .stored import Kept, Outcome, differences, named, read, text, texts, write

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "src" / "rnn_teach" / "data" / "results"
UNFINISHED = ROOT / "_build" / "experiments"
GENERATED = (RESULTS.relative_to(ROOT), Path("book", "results.md"))
REACH = 10  # seconds until a scheduler counts as out of reach
Settings = dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """What is run, and what the results page says about it (in Markdown, without numbers of ours).

    ``run(**settings)`` returns {"row": results by column} and, if it likes, "curve": a list of points
    {column: value}; the settings are columns of both. Raises ValueError for settings that are not
    told apart, or not stored as they are.
    """

    name: str  # of the result file
    run: Callable[..., dict[str, Any]]
    settings: Sequence[dict[str, Any]]  # one dict a job, in the order of the rows
    quick: Callable[[dict[str, Any]], bool]  # which jobs --quick repeats: seconds in all
    title: str = ""  # the heading
    paper: str = ""  # who reported it: "{cite:t}`hochreiter1997`"
    says: str = ""  # what the paper says, in words
    ours: str = ""  # what we did: sizes, criterion, how hyperparameters were chosen
    why: str = ""  # where and why we differ, failures included
    columns: dict[str, str] = field(default_factory=dict)  # results in the table: their headings
    shown: Callable[[dict[str, Any]], bool] = lambda settings: True  # those the table shows
    chapter: str = ""  # the page that reads the file: "notebooks/11_contest"

    def __post_init__(self) -> None:
        names = [named(settings) for settings in self.settings]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"settings: expected each once, got {min(twice)!r} again")
        for settings in self.settings:
            for name, value in settings.items():
                if isinstance(value, float) and float(text(name, value)) != value:
                    raise ValueError(
                        f"{name}: expected at most 4 significant digits, got {value!r}"
                    )


def main(experiment: Experiment, arguments: Sequence[str] | None = None) -> None:
    """Run the experiment as the command line says, and write its result files or compare with them.

    Ends the program, with a message and an exit status of 1, where a job fails or a row differs.
    """
    options = _options(experiment, arguments)
    folder = options.out or RESULTS
    jobs = list(experiment.settings)
    with _workers(options.scheduler, options.jobs):
        if options.quick:
            jobs = [settings for settings in jobs if experiment.quick(settings)]
            _compare(experiment, jobs, folder)
        else:
            kept = Kept(options.out or UNFINISHED, experiment.name, _key(), fresh=options.fresh)
            _complete(experiment, jobs, kept)
            outcomes = [kept.outcomes[named(settings)] for settings in jobs]
            print(*write(folder, experiment.name, outcomes), sep="\n")
            kept.remove()


def _compare(experiment: Experiment, jobs: list[Settings], folder: Path) -> None:
    """Run the jobs anew, all of them, and hold what they find against the result files."""
    name = experiment.name
    if not jobs or not read(folder / f"{name}.csv"):
        sys.exit(f"{name}: nothing in {folder} to compare with; run it without --quick first")
    outcomes = list(_outcomes(experiment, jobs, done=0))
    if any("error" in outcome for outcome in outcomes):
        sys.exit(f"{name}: not compared")
    if different := differences(folder, name, outcomes):
        sys.exit("\n".join(different))
    print(f"{name}: {len(jobs)} of {len(experiment.settings)} rows repeated exactly")


def _complete(experiment: Experiment, jobs: list[Settings], kept: Kept) -> None:
    """Run the jobs that are not kept yet, and keep what they find."""
    left = [settings for settings in jobs if named(settings) not in kept.outcomes]
    failed = 0
    try:
        for outcome in _outcomes(experiment, left, done=len(jobs) - len(left)):
            if "error" in outcome:
                failed += 1
            else:
                kept.add(outcome)
    except KeyboardInterrupt:
        print(_unfinished(experiment, kept), file=sys.stderr)
        sys.exit(130)  # what a shell expects of an interrupted program
    except Exception as error:  # noqa: BLE001  no job's: a worker died, the cluster is gone
        sys.exit(f"stopped: {error!r}\n{_unfinished(experiment, kept)}")
    if failed:
        sys.exit(f"{failed} failed\n{_unfinished(experiment, kept)}")


def _unfinished(experiment: Experiment, kept: Kept) -> str:
    there = f"{len(kept.outcomes)} of {len(experiment.settings)} are kept"
    return f"{experiment.name}: {there}; the same command runs the others"


def _outcomes(experiment: Experiment, jobs: list[Settings], done: int) -> Iterator[Outcome]:
    """The outcomes of the jobs, as they come in; shows how far it is, and every error."""
    name, total, watched = experiment.name, done + len(jobs), sys.stderr.isatty()
    attempt = delayed(wrap_non_picklable_objects(partial(_attempt, experiment.run, _commit())))
    parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")
    with tqdm(total=total, initial=done, desc=name, disable=not watched, unit="job") as bar:
        for outcome in parallel(attempt(settings) for settings in jobs):
            bar.update()
            done += 1
            job = f"{name} {done}/{total}: {' '.join(map('='.join, outcome['settings'].items()))}"
            if "error" in outcome:
                bar.write(f"{job} failed:\n{outcome['error']}", file=sys.stderr)
            elif not watched:
                print(f"{job}: {outcome['row']['seconds']} s", file=sys.stderr, flush=True)
            yield outcome


def _attempt(run: Callable[..., dict[str, Any]], commit: str, settings: Settings) -> Outcome:
    """Do one job, wherever this is; an error in it is an outcome, too."""
    outcome, start = {"settings": texts(settings)}, time.perf_counter()
    try:
        result = run(**settings)
        seconds = time.perf_counter() - start
        found = [result["row"], *result.get("curve", ())]
        if taken := settings.keys() & {name for point in found for name in point}:
            raise ValueError(f"run: expected other columns than its settings, got {sorted(taken)}")
        row, *curve = [texts({**settings, **point}) for point in found]
    except Exception:  # noqa: BLE001  whatever it is, the other jobs go on
        return outcome | {"error": traceback.format_exc()}
    versions = f"python {platform.python_version()} numpy {np.__version__}"
    row |= texts({"seconds": seconds, "commit": commit, "versions": versions})
    return outcome | {"row": row, "curve": curve}


@contextmanager
def _workers(scheduler: str | None, jobs: int) -> Iterator[None]:
    """Give joblib the workers: processes of this machine, or those of a cluster."""
    if scheduler is None:
        with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
            yield
        return
    try:
        from distributed import Client
    except ImportError:
        sys.exit("--scheduler: needs the package distributed (pip install distributed)")
    try:
        client = Client(scheduler, timeout=REACH, set_as_default=False)
    except OSError:
        sys.exit(f"--scheduler: expected a Dask scheduler at {scheduler}, got no answer")
    # The workers need rnn_teach and joblib, but not this folder: its functions travel as code.
    cloudpickle.register_pickle_by_value(experiments)
    with client, parallel_config("dask", client=client, wait_for_workers_timeout=REACH):
        try:
            effective_n_jobs()
        except TimeoutError:
            sys.exit(f"--scheduler: expected workers at {scheduler}, got none in {REACH} s")
        yield


def _key() -> str:
    """Hash of all code that a job may run: the modules of ours that are loaded."""
    digest = hashlib.sha256(f"{sys.version} {np.__version__}".encode())
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] in ("__main__", "experiments", "rnn_teach") and file:
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()[:12]


def _commit() -> str:
    """The commit of this tree, "-dirty" if anything but results has changed since; or "unknown"."""
    here = os.environ | {"GIT_CEILING_DIRECTORIES": str(ROOT.parent)}  # not a repository around it
    changed = ["status", "--porcelain", "--", ".", *(f":(exclude){path}" for path in GENERATED)]
    said = []
    for command in (["rev-parse", "--short=12", "HEAD"], changed):
        try:
            done = subprocess.run(
                ["git", *command], cwd=ROOT, env=here, capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return "unknown"
        said.append(done.stdout.strip())
    return said[0] + ("-dirty" if said[1] else "")


def _options(experiment: Experiment, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; a mistake in it ends the program before any work, with status 2."""
    summary = f"{experiment.title or experiment.name}: {len(experiment.settings)} jobs."
    parser = argparse.ArgumentParser(description=summary, allow_abbrev=False)
    parser.add_argument(
        "--quick", action="store_true", help="repeat a few rows and compare them with the stored"
    )
    parser.add_argument("--jobs", type=int, help="worker processes on this machine (default: 2)")
    parser.add_argument("--scheduler", help="use a Dask cluster: tcp://host:port of its scheduler")
    parser.add_argument("--out", type=Path, help="folder of the result files (default: the book's)")
    parser.add_argument("--fresh", action="store_true", help="do not go on with a stopped run")
    options = parser.parse_args(arguments)
    if options.scheduler is not None:
        if options.jobs is not None:
            parser.error("--jobs: is for this machine; a cluster has as many workers as it has")
        if not re.fullmatch(r"[a-z]+://\S+:\d+", options.scheduler):
            parser.error(f"--scheduler: expected tcp://host:port, got {options.scheduler!r}")
    options.jobs = 2 if options.jobs is None else options.jobs
    if options.jobs < 1:
        parser.error(f"--jobs: expected at least 1, got {options.jobs}")
    if options.out is not None and options.out.exists() and not options.out.is_dir():
        parser.error(f"--out: expected a folder, got the file {options.out}")
    return options
