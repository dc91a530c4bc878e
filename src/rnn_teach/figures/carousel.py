"""Chapter 08's live figure of the constant error carousel: the derivative along the cell state, measured."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..cells import LSTM
from ..gradcheck import with_parameters
from ..live import Control, LiveFigure, interact
from . import vanishing

H = 32
F = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 1.0)
LOWEST, HIGHEST = 1e-12, 1e4


# Measured -------------------------------------------------------------------------------------


def cell(f: float) -> LSTM:
    """An LSTM whose forget gate is held at ``f`` by its bias; the other gates hear x and h.

    With f = 1 the bias is 1000: the sigmoid is 1 to the last digit.
    """
    layer = LSTM(vanishing.D, H, rng=np.random.default_rng(8))
    forget = slice(H, 2 * H)
    layer.W_x[:, forget], layer.W_h[:, forget] = 0, 0
    layer.b[forget] = 1000 if f == 1 else np.log(f / (1 - f))
    return layer


class Ways(NamedTuple):
    """‖∂L/∂c_{T-k}‖ / ‖∂L/∂c_T‖ (T, N) at every lag k = 0 … T-1."""

    along: np.ndarray  # along the cell state alone
    all: np.ndarray  # along it, and through h


@cache
def blame(f: float, length: int) -> Ways:
    """How much of a derivative is left on its way back, twice on the same trace of `cell`.

    The loss of a sequence is L = v·c_T with a random vector v. For the way along the cell state the
    backward pass is told that W_h is 0: then nothing comes back through h. That is how the LSTM was
    trained at first.
    """
    layer = cell(f)
    trace = layer.forward(vanishing.sequences(length))
    v = np.random.default_rng(8).standard_normal(trace.c[0].shape)
    cut = with_parameters(layer, {"W_h": np.zeros_like(layer.W_h)})
    ways = (
        one.backward(trace, np.zeros_like(trace.h), (np.zeros_like(v), v))["c"]
        for one in (cut, layer)
    )
    norms = (np.linalg.norm(dc, axis=2)[::-1] for dc in ways)
    return Ways(*(norm / norm[0] for norm in norms))


# Shown ----------------------------------------------------------------------------------------


def carousel() -> LiveFigure:
    """The derivative along the cell state at every lag, on the line f^k, beside a tanh layer's."""
    longest = vanishing.LONGEST
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.6))
        ax.set(xlim=(0, 1.42 * longest), xticks=range(0, longest + 1, 20))
        ax.set(title="How much of ∂L/∂c is left", xlabel="k, steps back from the loss")
        plots.log_axis(ax, LOWEST, HIGHEST, decades=4)
        (plain,) = ax.plot([], [], color=plots.RNN, label="tanh layer")
        (both,) = ax.plot([], [], color=plots.ACCENT, label="by all ways")
        (along,) = ax.plot([], [], color=plots.LSTM, linewidth=4, alpha=0.7, label="along c")
        (theory,) = ax.plot([], [], ":", color=plots.GOLD, linewidth=2.5, label="theory fᵏ")
        labels = {
            line.get_label(): ax.text(0, 1, "", va="center", color=line.get_color())
            for line in (theory, along, both, plain)
        }

    @interact(
        fig,
        name="carousel",
        alt="The derivative of a loss by the cell state, against steps back, on a log axis: along "
        "the cell state alone, by all ways, and that of a tanh layer; with the line f to the k.",
        f=Control(F, "forget gate f", kind="slider"),
        length=Control([20, 50, 100], unit="steps"),
    )
    def update(f: float = 0.9, length: int = 50) -> str:
        ways = blame(f, length)
        layer = vanishing.gradient_at_lags(f, length, "tanh")
        lag = np.unique(np.linspace(0, length - 1, 26).round().astype(int))
        medians = [np.median(norms[lag], axis=1) for norms in (*ways, layer)]
        for line, median in zip((along, both, plain), medians, strict=True):
            line.set_data(lag, median)
        theory.set_data(lag, f ** lag.astype(float))
        ends = [f ** (length - 1), *(median[-1] for median in medians)]
        plots.label_ends(labels, ends, length + 1)
        left = "exactly 1" if ends[1] == 1 else _size(ends[1])
        return (
            f"With f = {f:g}, along the cell state {left} is left of the derivative after "
            f"{length - 1} steps back; by all ways {_size(ends[2])}, and in a tanh layer of gain "
            f"{f:g} {_size(ends[3])}."
        )

    return update


def _size(value: float) -> str:
    """Two digits where they can be read, else the nearest power of ten."""
    return f"{value:.2g}" if 1e-3 <= value < 1e3 else f"about {plots.power_of_ten(value)}"
