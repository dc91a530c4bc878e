"""Chapter 08's live figure of two misprints that circulate: the LSTM's numbers with each, beside the right ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..functional import sigmoid
from ..live import Control, LiveFigure, interact
from .lstm import cell

T = 12
INPUTS = {"ones": np.ones(T), "single": np.eye(T)[2], "turns": np.resize([1.0, -1.0], T)}
INPUT = {"1 at every step": "ones", "a single 1": "single", "1 and −1 in turn": "turns"}
BIAS = [float(b) for b in np.arange(-4, 2.5, 0.5)]
MISPRINT = {"h = o·c": "no_tanh", "b_i in the candidate": "b_i_twice"}
EQUATIONS = {
    "no_tanh": ("h = o · tanh(c)", "h = o · c"),
    "b_i_twice": ("g = tanh(x W_x + h W_h + b_g)", "g = tanh(x W_x + h W_h + b_i)"),
}
Step = Callable[..., tuple[np.ndarray, np.ndarray]]


# Computed -------------------------------------------------------------------------------------


# Both are written as a reader of the page writes them, with the arguments of `checks.lstm_step`.
def without_tanh(x, h_prev, c_prev, W_x, W_h, b):
    """One step of an LSTM as some notes print it: h = o c."""
    a_i, a_f, a_g, a_o = np.split(x @ W_x + h_prev @ W_h + b, 4, axis=1)
    c = sigmoid(a_f) * c_prev + sigmoid(a_i) * np.tanh(a_g)
    h = sigmoid(a_o) * c
    return h, c


def with_b_i_twice(x, h_prev, c_prev, W_x, W_h, b):
    """One step as other notes print it: g has the bias of i."""
    b_i, b_f, _, b_o = np.split(b, 4)
    b = np.concatenate([b_i, b_f, b_i, b_o])
    a_i, a_f, a_g, a_o = np.split(x @ W_x + h_prev @ W_h + b, 4, axis=1)
    c = sigmoid(a_f) * c_prev + sigmoid(a_i) * np.tanh(a_g)
    h = sigmoid(a_o) * np.tanh(c)
    return h, c


PRINTED: dict[str, Step] = {"no_tanh": without_tanh, "b_i_twice": with_b_i_twice}


@cache
def both(misprint: str, b_i: float, inputs: str) -> tuple[np.ndarray, np.ndarray]:
    """(c, h) of the right cell and of the printed one, (2, T) each.

    The cell is this chapter's, with another bias of the input gate.
    """
    layer = cell()
    layer.b[0] = b_i
    x = INPUTS[inputs][:, None, None]
    trace = layer.forward(x)
    h = c = np.zeros((1, 1))
    printed = []
    for x_t in x:
        h, c = PRINTED[misprint](x_t, h, c, **layer.parameters)
        printed.append((c.item(), h.item()))
    return np.array([trace.c.ravel(), trace.h.ravel()]), np.array(printed).T


# Shown ----------------------------------------------------------------------------------------


def misprints() -> LiveFigure:
    """Cell state and hidden state over twelve steps, by the right equation and by a misprinted one."""
    steps = np.arange(1, T + 1)
    with plots.style():
        fig, axes = plt.subplots(3, figsize=(5.2, 5.0), height_ratios=(0.8, 3, 3))
        words, top, bottom = axes
        words.set(xlim=(0, 1), ylim=(0, 1))
        words.axis("off")
        words.text(0, 0.8, "right", color=plots.LSTM, va="center", weight="bold")
        words.text(0, 0.25, "misprint", color=plots.RNN, va="center", weight="bold")
        right_text = words.text(0.2, 0.8, "", color=plots.LSTM, va="center")
        wrong_text = words.text(0.2, 0.25, "", color=plots.RNN, va="center")
        lines, texts = [], []
        for ax, name in ((top, "cell state c"), (bottom, "hidden state h")):
            ax.set(xlim=(0.5, T + 1.9), xticks=range(1, T + 1), ylim=(-3, 12), yticks=(0, 5, 10))
            ax.set_title(name)
            ax.axhspan(-1, 1, color=plots.SOFT, zorder=0, linewidth=0)
            ax.plot([0.5, T], [0, 0], color=plots.MUTED, linewidth=1, label="_zero")
            (right,) = ax.plot([], [], "o-", color=plots.LSTM, label=f"{name}, right")
            (wrong,) = ax.plot([], [], "s--", color=plots.RNN, label=f"{name}, misprint")
            wrong.set(markersize=4, linewidth=1.5)
            lines.append((right, wrong))
            texts.append(
                [ax.text(T + 0.4, 0, "", color=c, va="center") for c in (plots.LSTM, plots.RNN)]
            )
        top.tick_params(labelbottom=False)
        top.set_xlabel("step", visible=False)  # for the table of numbers
        bottom.set_xlabel("step")

    @interact(
        fig,
        name="misprints",
        alt="The cell state, above, and the hidden state, below, over twelve steps: by the right "
        "equations and with a misprint. A pale band marks what lies between −1 and 1.",
        misprint=Control(MISPRINT),
        b_i=Control(BIAS, "bias of i", kind="slider"),
        inputs=Control(INPUT),
    )
    def update(misprint: str = "no_tanh", b_i: float = -2.0, inputs: str = "ones") -> str:
        right_text.set_text(EQUATIONS[misprint][0])
        wrong_text.set_text(EQUATIONS[misprint][1])
        right, wrong = both(misprint, b_i, inputs)
        for pair, ends, row in zip(lines, texts, (0, 1), strict=True):
            heights = [right[row, -1], wrong[row, -1]]
            middle, apart = sum(heights) / 2, max(1.4, abs(heights[0] - heights[1])) / 2
            up = 1 if heights[0] >= heights[1] else -1
            for line, end, values, side in zip(pair, ends, (right, wrong), (up, -up), strict=True):
                line.set_data(steps, values[row])
                end.set(y=middle + side * apart, text=plots.number(values[row, -1]))
        (c, h), (c_wrong, h_wrong) = (numbers[:, -1] for numbers in (right, wrong))
        if np.allclose(right, wrong, rtol=0, atol=1e-12):
            return "With b_i = 0, equal to b_g, the misprint changes nothing: the lines are one."
        if misprint == "no_tanh":
            top_h = np.abs(wrong[1]).max()
            where = "leaves the band" if top_h > 1 else "stays in the band"
            return (
                f"With h = o·c the hidden state {where}: it reaches {plots.number(top_h)}, and ends at "
                f"{plots.number(h_wrong)}; the right one ends at {plots.number(h)}."
            )
        return (
            f"With b_i = {plots.number(b_i)} in the candidate the cell state ends at {plots.number(c_wrong)}; "
            f"the right one, with b_g = 0, ends at {plots.number(c)}."
        )

    return update
