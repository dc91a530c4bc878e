"""An experiment to test the runner with: jobs of no work that note that they began, and wait or fail if told to."""

import os
import time
from pathlib import Path

import numpy as np

from experiments.jobs import Experiment, main

FOLDER = Path(__file__).parent  # the copy of this file has a folder of its own


def run(cell: str, seed: int) -> dict:
    """One random number. Waits until it is killed if there is a file wait-SEED, the first time."""
    again = any(FOLDER.glob(f"began-{cell}-{seed}-*"))
    (FOLDER / f"began-{cell}-{seed}-{os.getpid()}-{time.monotonic_ns()}").touch()
    if (FOLDER / f"fail-{seed}").exists():
        raise RuntimeError("told to fail")
    if (FOLDER / f"wait-{seed}").exists() and not again:
        time.sleep(600)
    loss = np.random.default_rng([seed, len(cell)]).random()
    curve = [{"sequences": n, "loss": loss / (n + 1)} for n in (0, 20, 40)]
    return {"row": {"solved": loss < 0.5, "sequences": 40, "loss": loss}, "curve": curve}


EXPERIMENT = Experiment(
    name="toy",
    run=run,
    settings=[{"cell": cell, "seed": seed} for cell in ("RNN", "LSTM") for seed in range(3)],
    quick=lambda settings: settings["seed"] == 1,
)

if __name__ == "__main__":
    main(EXPERIMENT)
