"""The identity to begin with: a ReLU network that starts out remembering everything, on adding over 150 steps and more."""

from functools import partial

import numpy as np

from experiments.jobs import Experiment, main
from experiments.training import race
from rnn_teach.cells import LSTM, RNN
from rnn_teach.tasks import Adding
from rnn_teach.training import Adam, identity, linear_decay


def identity_rnn(D: int, H: int, *, rng: np.random.Generator) -> RNN:
    """A ReLU network with W_h = 1 and small W_x: at first it adds up what it reads, and keeps it."""
    cell = RNN(D, H, rng=rng, nonlinearity="relu")
    cell.W_x[:] = rng.normal(scale=0.03, size=(D, H))
    cell.W_h[:] = identity(H)
    return cell


CELLS = {  # how to begin, and the learning rate
    "identity ReLU RNN": (identity_rnn, 2e-4),
    "tanh RNN": (RNN, 1e-3),
    "LSTM": (partial(LSTM, forget_bias=4.0), 5e-3),
}
UPDATES = 3000


def near(y: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Which answers y (N, 1) are within 0.08: Hochreiter & Schmidhuber's criterion in these units.

    They have numbers in [-1, 1] and a quarter of the sum; 0.04 there is 0.08 for numbers in [0, 1].
    """
    return np.abs(y - target)[:, 0] < 0.08


def run(cell: str, T: int, seed: int) -> dict:
    """Train one network to add two marked numbers of T."""
    begin, rate = CELLS[cell]
    return race(
        begin,
        Adding(T),
        near,
        optimizer=Adam(linear_decay(rate, steps=UPDATES)),
        H=32,
        updates=UPDATES,
        measurements=20,
        seed=seed,
    )


EXPERIMENT = Experiment(
    name="identity",
    run=run,
    settings=[
        {"cell": cell, "T": T, "seed": seed}
        for T in (20, 150, 200)
        for cell in CELLS
        for seed in range(3)
        if (cell, T) != ("LSTM", 200)  # it takes minutes a run
    ],
    quick=lambda settings: settings == {"cell": "tanh RNN", "T": 20, "seed": 2},
    title="The identity to begin with",
    paper="{cite:t}`le2015`",
    says=(
        "A ReLU network whose recurrent weights start as the identity learns long-range problems, "
        "adding over 150 steps and more among them, about as well as an LSTM."
    ),
    ours=(
        "32 units, 20 sequences an update, Adam with a learning rate that falls to 0 over "
        f"{UPDATES} updates, clipped at 1. The ReLU network starts from the identity, inputs' weights "
        "of standard deviation 0.03 and a rate of 0.0002: the best of five settings on a seed that is "
        "not shown. The tanh network starts from uniform weights and 0.001, the usual; the LSTM from "
        "forget bias 4 and 0.005, one of three settings none of which learned anything on that seed. "
        "Solved means that 99 % of 1,000 held-out answers are within 0.08, {cite:t}`hochreiter1997`'s "
        "tolerance in these units; the mean has a loss of 1/6."
    ),
    why=(
        "Over 150 steps and more the identity gets far below the mean in every run and the tanh network "
        "in none: that is the paper's order. In runs as short as ours it does not come "
        "within the tolerance. Nor is it the LSTM's equal: over 20 steps the LSTM solves "
        "the problem and the identity does not, and over 150 each run of the LSTM has either not begun "
        "to learn or has all but finished. This adding problem is harder than the one first posed, "
        "where both marks come early: here they may fall anywhere in the two halves."
    ),
    columns={
        "solved": "solved",
        "sequences": "sequences shown",
        "loss": "squared error",
        "accuracy": "correct",
    },
    chapter="notebooks/07_taming",
)

if __name__ == "__main__":
    main(EXPERIMENT)
