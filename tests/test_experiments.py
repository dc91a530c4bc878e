"""The runner of the experiments: what it stores, how it goes on after a kill, what it says of mistakes."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import toy_experiment
from toy_runs import SETTINGS, began, finish, results, rows, start, toy, until

from experiments import jobs
from experiments.stored import Kept, text, write

__all__ = ["toy"]


def kept(toy: Path) -> Path:
    """The file of the unfinished run."""
    (path,) = toy.parent.glob("*.jsonl")
    return path


def lines(toy: Path) -> int:
    """How many jobs the unfinished run has kept."""
    return sum(path.read_text().count("\n") for path in toy.parent.glob("*.jsonl"))


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_row_for_each_job_in_order_and_what_it_came_from(toy: Path, processes: str) -> None:
    status, said = finish(toy, "--jobs", processes)
    assert status == 0, said
    stored = rows(toy.with_name("toy.csv"))
    assert list(stored[0]) == [
        *("cell", "seed", "solved", "sequences", "loss", "seconds", "commit", "versions")
    ]
    assert [(row["cell"], row["seed"]) for row in stored] == SETTINGS
    for row in stored:
        loss = np.random.default_rng([int(row["seed"]), len(row["cell"])]).random()
        assert row["loss"] == f"{loss:.4g}"
        assert row["solved"] == str(int(loss < 0.5))
        assert float(row["seconds"]) >= 0
        assert row["commit"] == jobs._commit()
        assert row["versions"] == f"python {sys.version.split()[0]} numpy {np.__version__}"
    points = rows(toy.with_name("toy-curves.csv"))
    assert list(points[0]) == ["cell", "seed", "sequences", "loss"]
    assert [point["sequences"] for point in points] == ["0", "20", "40"] * 6
    assert points[4]["loss"] == f"{np.random.default_rng([1, 3]).random() / 21:.4g}"
    assert lines(toy) == 0, "nothing is left to go on with"
    assert all(f"toy {k}/6: cell=" in said for k in range(1, 7)), "plain lines where nobody watches"


def test_a_killed_run_goes_on_with_what_is_missing(toy: Path) -> None:
    toy.with_name("wait-1").touch()
    running = start(toy, "--jobs", "2")
    until(lambda: lines(toy) == 3 and began(toy)["LSTM", "1"])
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    done = [json.loads(line)["settings"] for line in kept(toy).read_text().splitlines()]
    with kept(toy).open("a") as file:  # as if the kill had come in the middle of writing
        file.write('{"settings": {"cell": "LS')

    before = began(toy)
    status, said = finish(toy)
    assert status == 0, said
    again = began(toy) - before
    assert set(again) == set(SETTINGS) - {tuple(settings.values()) for settings in done}
    assert set(again.values()) == {1}
    stopped = results(toy.with_name("toy.csv"))
    assert finish(toy)[0] == 0
    assert stopped == results(toy.with_name("toy.csv")), "as if it had never been stopped"
    assert began(toy)["RNN", "0"] == 2, "a complete run is repeated whole"


@pytest.mark.parametrize("before", [0, 1])
def test_a_line_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path, before: int) -> None:
    outcomes = [{"settings": {"seed": str(seed)}} for seed in range(before + 1)]
    for outcome in outcomes[:before]:
        Kept(tmp_path, "x", "key").add(outcome)
    with (tmp_path / "x-key.jsonl").open("a") as file:
        file.write('{"settings": {"se')
    Kept(tmp_path, "x", "key").add(outcomes[-1])
    assert list(Kept(tmp_path, "x", "key").outcomes.values()) == outcomes


@pytest.mark.parametrize("change", ["the code", "--fresh"])
def test_an_unfinished_run_of_other_code_is_not_gone_on_with(toy: Path, change: str) -> None:
    toy.with_name("fail-2").touch()
    assert finish(toy, "--jobs", "1")[0] == 1
    toy.with_name("fail-2").unlink()
    if change == "the code":
        toy.write_text(toy.read_text().replace("(n + 1)", "(n + 2)"))
    status, said = finish(toy, "--jobs", "1", *([] if change == "the code" else [change]))
    assert status == 0, said
    assert began(toy) == dict.fromkeys(SETTINGS, 2)
    assert not list(toy.parent.glob("*.jsonl"))


def test_a_job_that_fails_is_named_and_the_others_are_kept(toy: Path) -> None:
    toy.with_name("fail-1").touch()
    status, said = finish(toy, "--jobs", "2")
    assert status == 1
    assert re.search(r"cell=RNN seed=1 failed:\nTraceback(.|\n)*RuntimeError: told to fail", said)
    assert "cell=LSTM seed=1 failed" in said
    assert "2 failed\ntoy: 4 of 6 are kept; the same command runs the others" in said
    assert not toy.with_name("toy.csv").exists(), "a result file is whole or not there"
    toy.with_name("fail-1").unlink()
    assert finish(toy)[0] == 0
    assert began(toy) == {job: 2 if job[1] == "1" else 1 for job in SETTINGS}


def test_a_worker_that_dies_is_said_and_the_others_are_kept(toy: Path) -> None:
    toy.with_name("wait-1").touch()
    running = start(toy, "--jobs", "2")
    # three can be done before the process that was given this job has come up
    until(lambda: lines(toy) == 3 and began(toy)["RNN", "1"])
    (note,) = toy.parent.glob("began-RNN-1-*")
    os.kill(int(note.name.split("-")[3]), signal.SIGKILL)
    said = "".join(running.communicate())
    assert running.returncode == 1
    assert "stopped: TerminatedWorkerError" in said
    assert "toy: 3 of 6 are kept" in said


def heed_control_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_keeps_what_is_done(toy: Path) -> None:
    toy.with_name("wait-1").touch()
    # tests that run in the background ignore Ctrl-C, and what they start would inherit that
    running = start(toy, "--jobs", "2", preexec_fn=heed_control_c)
    until(lambda: lines(toy) == 3)
    os.killpg(running.pid, signal.SIGINT)
    said = "".join(running.communicate())
    assert running.returncode == 130
    assert "toy: 3 of 6 are kept; the same command runs the others" in said


def test_on_a_terminal_a_bar_shows_how_far_it_is(toy: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    running = start(toy, "--jobs", "1", stdout=theirs, stderr=theirs)
    running.wait()
    os.close(theirs)
    said = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert running.returncode == 0, said
    assert "6/6" in said and "toy: 100%" in said
    assert "cell=RNN" not in said


def test_quick_repeats_its_rows_anew_and_names_what_differs(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toy_experiment, "FOLDER", toy.parent)
    command = ["--jobs", "1", "--out", str(toy.parent)]
    with pytest.raises(SystemExit, match="run it without --quick first"):
        jobs.main(toy_experiment.EXPERIMENT, [*command, "--quick"])
    assert not began(toy)
    jobs.main(toy_experiment.EXPERIMENT, command)
    capsys.readouterr()
    jobs.main(toy_experiment.EXPERIMENT, [*command, "--quick"])
    assert capsys.readouterr().out == "toy: 2 of 6 rows repeated exactly\n"
    assert began(toy) == {job: 2 if job[1] == "1" else 1 for job in SETTINGS}

    for name, old, new, names in (
        ("toy.csv", ",0.01407,", ",0.01408,", "row, loss: stored 0.01408, now 0.01407"),
        ("toy-curves.csv", "RNN,1,20,", "RNN,1,21,", "curve point 1, sequences: stored 21, now 20"),
        ("toy.csv", "RNN,1,", "RNN,5,", "row: 0 stored, 1 now"),
    ):
        path = toy.with_name(name)
        whole = path.read_text()
        assert whole.count(old) == 1
        path.write_text(whole.replace(old, new))
        with pytest.raises(SystemExit) as ended:
            jobs.main(toy_experiment.EXPERIMENT, [*command, "--quick"])
        assert ended.value.code == f"toy, cell=RNN seed=1: {names}"
        path.write_text(whole)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--jobs", "0"], "--jobs: expected at least 1, got 0"),
        (["--jobs", "many"], "--jobs: invalid int value: 'many'"),
        (["--scheduler", "localhost"], "--scheduler: expected tcp://host:port, got 'localhost'"),
        (["--scheduler", "tcp://host:1", "--jobs", "2"], "--jobs: is for this machine"),
        (["--out", __file__], "--out: expected a folder, got the file"),
        (["--quik"], "unrecognized arguments: --quik"),
    ],
)
def test_a_bad_command_line_is_said_before_any_work(
    arguments: list[str],
    names: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_outcomes", lambda *_, **__: pytest.fail("it began to work"))
    with pytest.raises(SystemExit) as ended:
        jobs.main(toy_experiment.EXPERIMENT, arguments)
    assert ended.value.code == 2
    assert names in capsys.readouterr().err


def experiment(run: Callable[..., dict], *settings: dict) -> jobs.Experiment:
    return jobs.Experiment(name="x", run=run, settings=settings, quick=lambda settings: True)


def test_settings_must_tell_the_jobs_apart() -> None:
    with pytest.raises(ValueError, match="settings: expected each once, got 'seed=1' again"):
        experiment(dict, {"seed": 0}, {"seed": 1}, {"seed": 1})
    with pytest.raises(ValueError, match="rate: expected at most 4 significant digits, got 0.1234"):
        experiment(dict, {"rate": 0.12345})


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ({"row": {"seed": 1}}, r"ValueError: run: expected other columns .*\['seed'\]"),
        ({"row": {}, "curve": [{"seed": 1}]}, r"ValueError: run: expected .*\['seed'\]"),
        ({"row": {"loss": None}}, "TypeError: loss: expected a number or a string, got None"),
        ({"row": {"loss": np.zeros(2)}}, "TypeError: loss: expected a number or a string, got "),
    ],
)
def test_what_a_job_returns_must_fit_into_a_row(
    found: dict, error: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1 failed"):
        jobs.main(
            experiment(lambda seed: found, {"seed": 0}), ["--jobs", "1", "--out", str(tmp_path)]
        )
    assert re.search(error, capfd.readouterr().err)


def test_rows_must_have_the_same_columns(tmp_path: Path) -> None:
    outcomes = [{"row": {"a": "1"}, "curve": []}, {"row": {"b": "1"}, "curve": []}]
    with pytest.raises(ValueError, match=r"x: expected the columns \['a'\], got \['b'\]"):
        write(tmp_path, "x", outcomes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        *((123456, "123456"), (np.int64(-3), "-3"), (True, "1"), (np.bool_(False), "0")),
        *((0.1, "0.1"), (np.float64(1 / 3), "0.3333"), (np.array(123456.0), "1.235e+05")),
        *((float("inf"), "inf"), (float("nan"), "nan"), (1e-9, "1e-09"), ("an LSTM", "an LSTM")),
    ],
)
def test_numbers_are_stored_with_four_digits(value: object, stored: str) -> None:
    assert text("x", value) == stored


def test_the_commit_and_whether_the_tree_is_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*command: str) -> str:
        command = ("git", "-c", "user.name=a", "-c", "user.email=a@b", *command)
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    code, result = tmp_path / "src" / "code.py", tmp_path / jobs.GENERATED[0] / "adding.csv"
    result.parent.mkdir(parents=True)
    code.touch()
    result.touch()
    monkeypatch.setattr(jobs, "ROOT", tmp_path)
    assert jobs._commit() == "unknown"
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "All")
    head = git("rev-parse", "--short=12", "HEAD")
    assert jobs._commit() == head
    result.write_text("the experiment before this one wrote it")
    assert jobs._commit() == head
    code.write_text("changed")
    assert jobs._commit() == f"{head}-dirty"
    monkeypatch.setattr(jobs, "ROOT", tmp_path / "src")
    assert jobs._commit() == "unknown", "the repository around it is another's"
    monkeypatch.setenv("PATH", "")
    assert jobs._commit() == "unknown"
