"""Times a forward and a full backward pass of each cell against other ways to the same gradients.

What is timed is a layer's pass with all it costs its user, our checks of the arguments among it;
what a library prepares once (its modules, its tensors, JAX's compiling) is not, but reported.

Every contender runs in processes of its own, one with one thread and one with two (two libraries'
thread pools in one process starve each other), and its faster setting counts. Its gradients of all
weights, the inputs and the initial state must first equal rnn_teach's. Then it takes turns with
rnn_teach, A B A B; the table shows the medians of the turns' ratios, above 1 rnn_teach is faster.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import itertools
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from contenders import CONTENDERS, Case

SIZES = [  # T, N, D, H
    (50, 1, 1, 2),
    (50, 1, 8, 32),
    (100, 1, 64, 64),
    (100, 32, 32, 64),
    (1000, 8, 8, 64),
    (200, 32, 128, 128),
    (100, 64, 256, 256),
]
LONG = (1000, 8, 8, 64)
NAMES = ("W_x", "W_h", "b", "b_hn", "x", "h0", "c0")
CLOSE = {"float64": 1e-9, "float32": 1e-3}  # of the largest number in the gradient
TABLE = Path(__file__).with_suffix(".csv")
COLUMNS = ["torch", "jax", "compiling", "autograd", "naive"]  # compiling: JAX's first pass
ROW = ["quantity", "cell", "dtype", "T", "N", "D", "H", "contender", "threads", "value", "unit"]
ROW += ["ratio", "lowest", "highest", "load"]


def installed(distribution: str) -> str | None:
    """Its version, None if it is not there."""
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution)
    return None


def resident(field: str) -> float:
    """VmRSS, the memory this process has now, or VmHWM, the most it has had, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1000


def work(pipe: Connection, contender: str) -> None:
    """What a contender's process does: prepare a case, time it, or measure its memory."""
    build, run = CONTENDERS[contender][0], None
    while (message := pipe.recv()) is not None:
        match message:
            case "time", seconds:
                took = []
                while sum(took) < seconds:
                    start = time.perf_counter()
                    run()
                    took.append(time.perf_counter() - start)
                pipe.send(statistics.median(took))
            case "memory", case:
                build(case._replace(T=2))[0]()  # libraries take what they need once
                run, _ = build(case)
                before = resident("VmRSS")
                Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
                run()
                pipe.send(resident("VmHWM") - before)
            case "prepare", case:
                run, named = build(case)
                start = time.perf_counter()
                result = run()
                first = time.perf_counter() - start  # a compiler does its work here
                grads = {name: np.asarray(array) for name, array in named(result).items()}
                pipe.send((first, grads))


class Process:
    """A contender with its number of threads, waiting for work."""

    def __init__(self, contender: str, threads: int):
        self.contender, self.threads = contender, threads
        for library in ("OMP", "OPENBLAS", "MKL"):
            os.environ[f"{library}_NUM_THREADS"] = str(threads)
        os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}"
        spawn = multiprocessing.get_context("spawn")
        self.pipe, end = spawn.Pipe()
        self.process = spawn.Process(target=work, args=(end, contender), daemon=True)
        self.process.start()
        end.close()  # if the process dies, the pipe says so

    def ask(self, *message: object) -> object:
        self.pipe.send(message)
        return self.pipe.recv()

    def seconds(self, at_least: float) -> float:
        time.sleep(0.03)  # the threads of whoever ran before stop spinning
        return self.ask("time", at_least)

    def stop(self) -> None:
        self.pipe.send(None)
        self.process.join()


def agree(case: Case, contender: str, grads: dict, wanted: dict) -> None:
    """Stops everything if a gradient differs from rnn_teach's by more than rounding."""
    for name in [name for name in NAMES if name in wanted]:
        error = np.abs(grads[name] - wanted[name]).max() / np.abs(wanted[name]).max()
        if grads[name].shape != wanted[name].shape or not error < CLOSE[case.dtype]:
            raise SystemExit(f"{case}: {contender}'s gradient of {name} differs by {error:.1e}")


def ratios(pairs: list[tuple[float, float]]) -> dict:
    """What a row says of (A's seconds, B's seconds), taken in turns."""
    quotients = [b / a for a, b in pairs]
    row = {"value": statistics.median(b for _, b in pairs), "unit": "s"}
    row |= {"ratio": statistics.median(quotients), "lowest": min(quotients)}
    return row | {"highest": max(quotients), "load": round(os.getloadavg()[0], 1)}


def compare(case: Case, teams: dict[str, list], turns: int, block: float) -> Iterator[dict]:
    """The rows of one case. rnn_teach is paired with itself too: so far from 1 is noise."""
    fastest, first, wanted = {}, {}, None
    for name, team in teams.items():
        for process in team:
            first[name], grads = process.ask("prepare", case)
            wanted = wanted or grads
            if name != "limit":
                agree(case, name, grads, wanted)
        tried = [min(process.seconds(block / 2) for _ in range(2)) for process in team]
        fastest[name] = team[int(np.argmin(tried))]
    us = fastest["rnn_teach"]
    for name, them in fastest.items():
        pairs = [(us.seconds(block), them.seconds(block)) for _ in range(turns)]
        row = {"quantity": "pass", **case._asdict(), "contender": name, "threads": them.threads}
        yield row | ratios(pairs)
        if name == "jax":
            pairs = [(ours, first[name]) for ours, _ in pairs]
            yield row | ratios(pairs) | {"quantity": "first pass"}


def memory(present: list[str], cells: list[str]) -> Iterator[dict]:
    """How much the peak of one pass over the long sequence exceeds what was there before it."""
    if not Path("/proc/self/clear_refs").exists():
        return
    for cell in cells:
        case, ours = Case(cell, "float64", *LONG), None
        for name in present:
            process = Process(name, 1)
            peak = process.ask("memory", case)
            process.stop()
            ours = ours or peak
            row = {"quantity": "peak memory", **case._asdict(), "contender": name, "threads": 1}
            yield row | {"value": peak, "unit": "MB", "ratio": peak / ours}


def imports(names: list[str], turns: int) -> Iterator[dict]:
    """The time of a whole process that imports one package; the ratio is to importing NumPy."""

    def seconds(name: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
        return time.perf_counter() - start

    for name in names:
        pairs = [(seconds("numpy"), seconds(name)) for _ in range(turns)]
        yield {"quantity": "import", "contender": name} | ratios(pairs)


def machine() -> str:
    """The processor, its cores and the system."""
    name = platform.processor() or platform.machine()
    with suppress(OSError, TypeError):
        name = re.search("model name.*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    python = f"Python {platform.python_version()}"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, {python}"


def rounded(row: dict) -> dict:
    """A row as it is written: four digits say enough."""
    return {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()}


def line(case: Case, rows: list[dict]) -> str:
    """A row of the printed table."""
    found = {r["contender"] if r["quantity"] == "pass" else "compiling": r for r in rows}
    us = found["rnn_teach"]
    size = ", ".join(map(str, case[2:]))
    text = f"{case.cell:5}{case.dtype:9}{size:19}{1000 * us['value']:>9.2f}{us['threads']:>8}"
    for name in COLUMNS:
        text += f"{found[name]['ratio']:>14.3g}" if name in found else f"{'-':>14}"
    return text + f"{1 / found['limit']['ratio']:>8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the smallest size, one turn, one thread, no CSV"
    )
    parser.add_argument("--turns", type=int, default=9, help="turns of each pair")
    parser.add_argument("--seconds", type=float, default=0.1, help="at least this long a turn")
    parser.add_argument("--against", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--dtypes", nargs="+", choices=CLOSE, default=list(CLOSE))
    every = list(range(len(SIZES)))
    parser.add_argument("--sizes", nargs="+", type=int, choices=every, default=every)
    parser.add_argument(
        "--append", action="store_true", help="add passes to the CSV: a long run in pieces"
    )
    options = parser.parse_args()
    turns, block = (1, 0.01) if options.quick else (options.turns, options.seconds)
    threads = (1,) if options.quick else (1, 2)

    wanted = {"rnn_teach", "limit", *options.against}
    present = [n for n, (_, needed) in CONTENDERS.items() if n in wanted and installed(needed)]
    needed = dict.fromkeys(needed for _, needed in CONTENDERS.values())
    versions = [f"{name} {installed(name) or 'not installed'}" for name in needed]
    about = [machine(), ", ".join(versions)]
    about += [f"{turns} turns of at least {block} s, load at the start {os.getloadavg()[0]:.1f}"]
    print(*about, sep="\n", end="\n\n")

    cells = ["RNN", "LSTM", "GRU"]
    sizes = SIZES[:1] if options.quick else [SIZES[k] for k in options.sizes]
    path = os.devnull if options.quick else TABLE
    with open(path, "a" if options.append else "w", newline="") as file:
        table = csv.DictWriter(file, ROW)
        if not options.append:
            file.writelines(f"# {text}\n" for text in about)
            table.writeheader()

            print("import, whole process: s, and over importing numpy")
            packages = [name for name in ("torch", "jax") if name in present]
            for row in imports(["rnn_teach", *packages], turns):
                table.writerow(rounded(row))
                print(f"{row['contender']:17}{row['value']:>8.2f}{row['ratio']:>8.2f}")

            print(f"\npeak memory of one pass: MB, float64, {LONG}")
            for row in memory(present, ["LSTM"] if options.quick else cells):
                table.writerow(rounded(row))
                print(f"{row['cell']:5}{row['contender']:12}{row['value']:>8.1f}")

        print("\npass: ms of rnn_teach; the others' time over its time; its time over the limit")
        print(f"{'cell':5}{'dtype':9}{'T, N, D, H':19}{'ms':>9}{'threads':>8}", end="")
        print(*(f"{name:>14}" for name in COLUMNS), f"{'limit':>8}", sep="")
        teams = {name: [Process(name, k) for k in threads] for name in present}
        for dtype, size, cell in itertools.product(options.dtypes, sizes, cells):
            rows = list(compare(Case(cell, dtype, *size), teams, turns, block))
            table.writerows(map(rounded, rows))
            file.flush()
            print(line(Case(cell, dtype, *size), rows), flush=True)
        for process in itertools.chain(*teams.values()):
            process.stop()


if __name__ == "__main__":
    main()
