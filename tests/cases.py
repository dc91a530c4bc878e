"""The cells and options that every test of the numeric rooms runs over, and inputs for them."""

from typing import NamedTuple

import numpy as np

from rnn_teach import GRU, LSTM, RNN
from rnn_teach.functional import ACTIVATIONS

CELLS = {
    **{
        f"RNN-{name}": lambda D, H, rng, name=name: RNN(D, H, rng=rng, nonlinearity=name)
        for name in ACTIVATIONS
    },
    "LSTM": lambda D, H, rng: LSTM(D, H, rng=rng),
    "LSTM-forget-1": lambda D, H, rng: LSTM(D, H, rng=rng, forget_bias=1.0),
    "LSTM-peephole": lambda D, H, rng: LSTM(D, H, rng=rng, peephole=True),
    "LSTM-coupled": lambda D, H, rng: LSTM(D, H, rng=rng, coupled=True),
    "LSTM-peephole-coupled": lambda D, H, rng: LSTM(D, H, rng=rng, peephole=True, coupled=True),
    "GRU-after": lambda D, H, rng: GRU(D, H, rng=rng, reset="after"),
    "GRU-before": lambda D, H, rng: GRU(D, H, rng=rng, reset="before"),
}
# one of each kind, for what does not depend on the options
KINDS = ("RNN-tanh", "LSTM", "GRU-after", "GRU-before")


class Case(NamedTuple):
    """A cell and read-only arguments for its forward and backward."""

    cell: object
    x: np.ndarray
    state: object
    lengths: np.ndarray | None
    dh: np.ndarray
    dstate: object


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def cell_of(kind: str, D: int, H: int, rng: np.random.Generator):
    """A cell whose biases are not zero, or a wrong one would go unnoticed."""
    cell = CELLS[kind](D, H, rng)
    for p in cell.parameters.values():
        p += rng.normal(size=p.shape) / 4
        frozen(p)
    return cell


def case(kind: str, T=6, N=4, D=3, H=5, *, ragged=False, seed=0) -> Case:
    rng = np.random.default_rng(seed)
    cell = cell_of(kind, D, H, rng)

    def normal(*shape):
        return frozen(rng.normal(size=shape))

    def state():
        return (normal(N, H), normal(N, H)) if isinstance(cell, LSTM) else normal(N, H)

    lengths = frozen(1 + np.arange(N) * (T - 1) // max(N - 1, 1)) if ragged else None
    return Case(cell, normal(T, N, D), state(), lengths, normal(T, N, H), state())


def halves(state) -> tuple[np.ndarray, ...]:
    """A state as a tuple of arrays, whichever cell it is from."""
    return state if isinstance(state, tuple) else (state,)


def sequence(case: Case, n: int) -> Case:
    """Sequence n of a batch on its own, cut to its length."""
    T = len(case.x) if case.lengths is None else case.lengths[n]
    one = slice(n, n + 1)

    def row(state):
        return tuple(a[one] for a in state) if isinstance(state, tuple) else state[one]

    # what the loss asks of the copied states after the end, it asks of the last state
    dh = np.array(case.dh[:T, one])
    dh[-1] += case.dh[T:, one].sum(axis=0)
    return Case(case.cell, case.x[:T, one], row(case.state), None, dh, row(case.dstate))
