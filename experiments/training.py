"""A race: train a network on a problem until it has solved it, as held-out sequences tell, or until a cap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_teach.bptt import LOSSES, Network, Readout, predict, step_weights
from rnn_teach.cells import GRU, LSTM, RNN, Layer
from rnn_teach.tasks import Batch, batches
from rnn_teach.training import Optimizer, fit, orthogonal

CELLS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
ENOUGH = 0.99  # the share of correct answers that counts as solved
HELD_OUT = 1000  # sequences
START = (  # what `lasting` does, for the results page
    "The gates begin nearly open, their biases as {cite:t}`tallec2018` draw them; $W_h$ of the RNN begins "
    "orthogonal ({cite:t}`saxe2014`)."
)


def race(
    cell: Callable[..., Layer],
    problem: Any,
    correct: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    optimizer: Optimizer,
    clip: float | None = 1.0,
    H: int = 16,
    N: int = 20,
    updates: int,
    measurements: int = 40,
    seed: int,
) -> dict[str, Any]:
    """Train a network of one cell and a readout for at most ``updates`` updates; stop when it has solved ``problem``.

    ``measurements`` times, evenly spaced, it answers the same ``HELD_OUT`` sequences. It has solved
    the problem once ``ENOUGH`` of the answers are correct. Weights, training sequences and held-out
    sequences have a generator each, made from ``seed`` alone: all cells are shown the same.

    Arguments: cell, called as cell(D, H, rng=...), such as ``GRU``; problem, of
    ``rnn_teach.tasks``; correct, called as correct(y, target), tells which answers are, an array of
    any shape; clip as for ``fit``; N, sequences in an update.
    Returns a dict of: "row", a dict of solved (0 or 1), sequences (shown until then), loss and
    accuracy (on the held-out ones at the end) and baseline; "curve", a dict of sequences, loss and
    accuracy per measurement, the first before any update; "network". A run that overflows ends
    there, with an infinite loss and accuracy 0.
    """
    weights, shown, kept = np.random.default_rng(seed).spawn(3)
    network = Network(cell(problem.D, H, rng=weights), Readout(H, problem.K, rng=weights))
    many, held_out = batches(problem, N, rng=shown), problem.batch(HELD_OUT, rng=kept)
    every = updates // measurements

    loss, accuracy = measure(network, problem, correct, held_out)
    curve = [{"sequences": 0, "loss": loss, "accuracy": accuracy}]
    while accuracy < ENOUGH and len(curve) <= measurements and math.isfinite(loss):
        try:
            with np.errstate(over="raise", invalid="raise"):
                fit(
                    network,
                    many,
                    steps=every,
                    optimizer=optimizer,
                    clip=clip,
                    progress=False,
                    **problem.options,
                )
                loss, accuracy = measure(network, problem, correct, held_out)
        except FloatingPointError:
            loss, accuracy = math.inf, 0.0
        curve.append({"sequences": len(curve) * every * N, "loss": loss, "accuracy": accuracy})

    row = {"solved": accuracy >= ENOUGH, **curve[-1], "baseline": problem.baseline()}
    return {"row": row, "curve": curve, "network": network}


def lasting(cell: str, T: int) -> Callable[..., Layer]:
    """Return what makes RNNs, LSTMs or GRUs that remember for up to T steps before they have learned anything.

    A gate that keeps k of its value every step remembers for about 1 / (1 - k) steps. So that all
    lengths from 2 to T are there, the bias of the LSTM's f and of the GRU's z is drawn as
    ln U[1, T - 1], and the LSTM's i has the same with the other sign. An RNN has no gate to open:
    its W_h is orthogonal, so that no linear memory of it fades.
    Source: gates: Tallec & Ollivier 2018; RNN: Saxe, McClelland & Ganguli 2014.
    """

    def make(D: int, H: int, *, rng: np.random.Generator) -> Layer:
        layer = CELLS[cell](D, H, rng=rng)
        if isinstance(layer, RNN):
            layer.W_h[:] = orthogonal(H, H, rng=rng)
            return layer
        keeping = np.log(rng.uniform(1, T - 1, H))
        layer.b[H : 2 * H] = keeping  # f in i, f, g, o, and z in r, z, n
        if isinstance(layer, LSTM):
            layer.b[:H] = -keeping
        return layer

    return make


def measure(
    network: Network,
    problem: Any,
    correct: Callable[[np.ndarray, np.ndarray], np.ndarray],
    batch: Batch,
) -> tuple[float, float]:
    """Return the loss on ``batch``, as ``bptt`` counts it for this problem, and the share of correct answers."""
    x, target, lengths, _ = batch
    at = problem.options.get("at", "every")
    y, trace = predict(network, x, lengths=lengths)
    if at == "last":
        y = y[-1]
    loss, _ = LOSSES[problem.options["loss"]](y, target, step_weights(trace, at, "mean"))
    return float(loss), float(correct(y, target).mean())
