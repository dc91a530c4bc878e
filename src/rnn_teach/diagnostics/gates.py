"""How far activations are from where they can still learn: flat ends, open and closed gates."""

from typing import NamedTuple

import numpy as np

from ..cells import Trace, checking

GATES = ("i", "f", "o", "r", "z")


def saturation(h: np.ndarray, threshold: float = 0.95) -> np.ndarray:
    """Share of units with |h| > threshold, where a tanh is flat and lets little gradient through.

    Arguments: h (T, N, H), such as trace.h; threshold, between 0 and 1.
    Returns (T,), shares between 0 and 1, over all sequences and units.
    Raises ValueError for a wrong shape.

    >>> saturation(np.array([[[0.1, 0.99]], [[-1.0, 1.0]]]))
    array([0.5, 1. ])
    """
    h = checking.numbers("h", h, T=None, N=None, H=None)
    return (np.abs(h) > threshold).mean(axis=(1, 2))


class GateShares(NamedTuple):
    """How often each unit's gate stood near an end, as shares of time between 0 and 1."""

    closed: np.ndarray  # (H,)
    open: np.ndarray  # (H,)


def gate_shares(trace: Trace, closed: float = 0.1, open: float = 0.9) -> dict[str, GateShares]:
    """Share of time that each gate is below `closed` or above `open`, for every unit.

    A forget gate that is open all the time belongs to a unit that remembers; what stands neither
    open nor closed is a blend. Steps after the end of a sequence do not count.

    Arguments: trace, from an LSTM or a GRU; closed and open, two numbers between 0 and 1.
    Returns a `GateShares` of two (H,) for each gate: "i", "f", "o", or "r", "z".
    Raises ValueError if closed > open, or if the trace has no gates.
    Source: Karpathy, Johnson & Fei-Fei 2015 (left- and right-saturated).

    >>> from rnn_teach.cells import GRU
    >>> cell = GRU(1, 2, rng=np.random.default_rng(0))
    >>> cell.b[2:4] = [-1000, 1000]  # z of unit 0 keeps nothing, z of unit 1 all
    >>> gate_shares(cell.forward(np.ones((5, 1, 1))))["z"]
    GateShares(closed=array([1., 0.]), open=array([0., 1.]))
    """
    if not 0 <= closed <= open <= 1:
        raise ValueError(
            f"closed, open: expected 0 <= closed <= open <= 1, got {closed} and {open}"
        )
    gates = {name: getattr(trace, name) for name in GATES if hasattr(trace, name)}
    if not gates:
        raise ValueError(f"trace: expected one with gates, got {type(trace).__name__}")
    runs = slice(None) if trace.mask is None else trace.mask
    return {
        name: GateShares(*(_share(where[runs]) for where in (gate < closed, gate > open)))
        for name, gate in gates.items()
    }


def _share(where: np.ndarray) -> np.ndarray:
    """The mean over all axes but the last, the units'."""
    return where.reshape(-1, where.shape[-1]).mean(axis=0)
