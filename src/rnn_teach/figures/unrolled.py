"""The book's first figure: an unrolled network whose backward arrows are as thick as the measured gradient."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection

from .. import plots
from ..cells import GRU, LSTM, RNN
from ..diagnostics import state_gradient_norms
from ..live import Control, LiveFigure, interact
from ..training import orthogonal

H, N, MOST = 16, 32, 20
KEEP = 3.0  # bias of the gates that keep: sigmoid(3) = 0.95
FULL = 0.5  # height of the arrow of a gradient that has lost nothing
WIDEST = 1.6  # times that: where the arrow of an exploding gradient is cut off


@cache
def backward_norms(cell: str, gain: float, steps: int) -> np.ndarray:
    """The gradient of the state at every step, as a multiple of that at the last step.

    ``cell`` is "RNN", "GRU" or "LSTM" with 16 units, its recurrent weights orthogonal times
    ``gain``. The gated cells start with the gate that keeps open, bias 3, and in the LSTM the one
    that stores closed, bias -3 (Tallec and Ollivier 2018). The loss is a random direction of the
    last state; each norm is the mean over 32 sequences of noise.
    Returns (steps,): entry t - 1 for step t, the last entry 1.

    >>> backward_norms("RNN", 0.5, 3).round(2)
    array([0.25, 0.5 , 1.  ])
    """
    rng = np.random.default_rng(7)
    layer = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}[cell](1, H, rng=rng)
    gates = layer.W_h.shape[1] // H
    layer.W_h[:] = gain * np.hstack([orthogonal(H, H, rng=rng) for _ in range(gates)])
    if cell != "RNN":
        layer.b[H : 2 * H] = KEEP  # f of the LSTM, z of the GRU
    if cell == "LSTM":
        layer.b[:H] = -KEEP
    trace = layer.forward(rng.normal(scale=0.5, size=(steps, N, 1)))
    direction = rng.normal(size=(2, N, H))
    grads = layer.backward(
        trace,
        np.zeros((steps, N, H)),
        dstate=tuple(direction) if cell == "LSTM" else direction[0],
    )
    norms = state_gradient_norms(grads).mean(axis=1)
    return norms / norms[-1]


def _arrow(tip: float, width: float, height: float) -> np.ndarray:
    """Corners of an arrow of that height whose tip, on the left, is at ``tip``."""
    neck, half, y = tip + 0.3 * width, height / 2, 0.62
    return np.array(
        [
            (tip, y),
            (neck, y + half),
            (tip + width, y + half),
            (tip + width, y - half),
            (neck, y - half),
        ]
    )


def hero() -> LiveFigure:
    """The unrolled network: gain, steps and cell under the reader's hand."""
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 1.95))
        ax.set(xlim=(-0.04, 1.06), ylim=(-0.62, 1.05))
        ax.axis("off")
        full = ax.add_collection(PolyCollection([], facecolor=plots.GRID, edgecolor="none"))
        arrows = ax.add_collection(PolyCollection([], edgecolor="none"))
        forward = ax.add_collection(LineCollection([], color=plots.MUTED, linewidth=1.1))
        heads = ax.scatter([], [], marker=">", s=14, color=plots.MUTED, linewidth=0)
        nodes = ax.scatter([], [], s=90, facecolor=plots.SOFT, edgecolor=plots.INK, zorder=3)
        ax.text(0, -0.6, "step 1", ha="center")
        last = ax.text(1, -0.6, "", ha="center")
        ax.text(0.5, -0.6, "inputs", ha="center", color=plots.MUTED)
        ax.text(1.055, 0.62, "loss", ha="right", va="center", weight="bold")
        title = ax.set_title("What is left of the gradient on its way back")

    @interact(
        fig,
        name="unrolled",
        alt="A recurrent network unrolled in time. Between each two steps an arrow points back, "
        "as thick as the gradient measured there, over a pale one that has lost nothing.",
        gain=Control(
            [round(0.5 + 0.05 * k, 2) for k in range(21)], "recurrent gain", kind="slider"
        ),
        steps=(3, MOST, 1),
        cell=["RNN", "GRU", "LSTM"],
    )
    def update(
        gain: float = 0.8, steps: int = 12, cell: str = "RNN"
    ) -> tuple[str, dict[str, np.ndarray]]:
        norms = backward_norms(cell, gain, steps)
        x = np.linspace(0, 0.95, steps)
        gap = x[1]
        tips = x[:-1] + 0.12 * gap
        heights = FULL * np.minimum(norms[:-1], WIDEST)
        full.set_verts([_arrow(tip, 0.8 * gap, FULL) for tip in tips])
        arrows.set_verts(
            [_arrow(tip, 0.8 * gap, height) for tip, height in zip(tips, heights, strict=True)]
        )
        arrows.set_facecolor(plots.CELL_COLORS[cell])
        links = [[(a, 0), (b, 0)] for a, b in pairwise(x)]
        forward.set_segments(links + [[(at, -0.36), (at, 0)] for at in x])
        heads.set_offsets([(at + 0.62 * gap, 0) for at in x[:-1]])
        nodes.set_offsets([(at, 0) for at in x])
        last.set_x(x[-1])
        last.set_text(f"step {steps}")
        title.set_text(f"{cell}: what is left of the gradient on its way back")
        sentence = (
            f"{cell} with gain {gain:.2f}: {_share(norms[0])} the gradient at step {steps} "
            "arrives at step 1."
        )
        return sentence, {
            "step": np.arange(1, steps + 1),
            f"gradient, in units of that at step {steps}": norms,
        }

    return update


def _share(ratio: float) -> str:
    """A ratio in the words a reader takes in at once."""
    if ratio >= 1.05:
        return f"{ratio:.1f} times"
    return f"{ratio:.0%} of" if ratio >= 0.01 else f"one part in {1 / ratio:,.0f} of"
