"""Chapter 09's live figure of the forget bias: how long an error lives, measured, beside f^k."""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..cells import LSTM, RNN
from ..diagnostics import half_life
from ..functional import sigmoid
from ..live import Control, LiveFigure, interact
from .vanishing import share

D, H, N, LONGEST = 8, 32, 8, 200
LOWEST, HIGHEST = 1e-16, 1e4  # the axis of the gradient: 1e-16 is where a float64 ends
BIASES = tuple(round(-2 + 0.25 * k, 2) for k in range(29))
CELLS = ("LSTM", "coupled LSTM")


# Measured -------------------------------------------------------------------------------------


class Left(NamedTuple):
    """What is left of an error in c_T at lag k = 0 … T-1, each (T,), the median of 8 sequences."""

    measured: np.ndarray  # ‖∂L/∂c_{T-k}‖: along the cell state and by all other ways
    along: np.ndarray  # along the cell state alone: times the forget gates that were met
    theory: np.ndarray  # f^k with f = sigmoid(forget bias)


def cell(forget_bias: float, coupled: bool) -> LSTM:
    """An untrained LSTM of 32 units whose forget gates stand near sigmoid(forget_bias).

    A coupled one has no forget bias: f = 1 - i, so its input gate gets the bias with a minus.
    """
    rng = np.random.default_rng(9)
    layer = LSTM(D, H, rng=rng, coupled=coupled)
    layer.W_x[...] = 0.3 / sqrt(D) * rng.standard_normal(layer.W_x.shape)
    gate = slice(0, H) if coupled else slice(H, 2 * H)
    layer.b[gate] = -forget_bias if coupled else forget_bias
    return layer


@cache
def sequences(length: int) -> np.ndarray:
    """Random inputs (T, N, D); a shorter length is the beginning of the same sequences."""
    return np.random.default_rng(99).standard_normal((LONGEST, N, D))[:length]


def directions() -> np.ndarray:
    """A random unit vector for each sequence (N, H): the loss is L = v · c_T, or v · h_T."""
    v = np.random.default_rng(999).standard_normal((N, H))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


@cache
def error_left(forget_bias: float, length: int, coupled: bool = False) -> Left:
    """Send an error back from c_T, and see what arrives at every earlier c."""
    layer, v = cell(forget_bias, coupled), directions()
    trace = layer.forward(sequences(length))
    grads = layer.backward(trace, np.zeros_like(trace.h), dstate=(np.zeros_like(v), v))
    met = np.cumprod(np.concatenate([np.ones((1, N, H)), trace.f[:0:-1]]), axis=0)
    both = (np.linalg.norm(error, axis=2) for error in (grads["c"][::-1], met * v))
    theory = float(sigmoid(np.array(forget_bias))) ** np.arange(length)
    return Left(*(np.median(norms, axis=1) for norms in both), theory)


@cache
def plain_left(length: int) -> np.ndarray:
    """‖∂L/∂h_{T-k}‖ (T,) in a plain RNN on the same sequences, its weights as the package draws them."""
    layer = RNN(D, H, rng=np.random.default_rng(9))
    trace = layer.forward(sequences(length))
    grads = layer.backward(trace, np.zeros_like(trace.h), directions())
    return np.median(np.linalg.norm(grads["h"][::-1], axis=2), axis=1)


def lifetime(left: np.ndarray) -> float:
    """Steps after which half of the error is left; inf where more than half is left at the end.

    >>> round(lifetime(0.9 ** np.arange(50)), 1)
    6.6
    """
    return float(half_life(left[::-1]))


# Shown ----------------------------------------------------------------------------------------


def forget_bias() -> LiveFigure:
    """The error left at every lag, and its half-life against the forget bias, measured and f^k."""
    bias = np.array(BIASES)
    lives = {
        cell: np.array(
            [lifetime(error_left(b, LONGEST, cell == CELLS[1]).measured) for b in BIASES]
        )
        for cell in CELLS
    }
    plain_life = lifetime(plain_left(LONGEST))
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.2), height_ratios=(5, 4))
        top.set(xlim=(0, 1.42 * LONGEST), xticks=range(0, LONGEST + 1, 50))
        top.set(title="How much of the error is left in c", xlabel="k, steps back from the loss")
        plots.log_axis(top, LOWEST, HIGHEST, decades=4)
        top.plot([0, LONGEST], [1, 1], color=plots.MUTED, linewidth=1)
        (plain,) = top.plot([], [], color=plots.RNN, linewidth=1.5, label="plain RNN")
        (measured,) = top.plot([], [], color=plots.LSTM, linewidth=2.5, label="measured")
        (along,) = top.plot([], [], color=plots.ACCENT, linewidth=1.5, label="along c alone")
        (theory,) = top.plot([], [], ":", color=plots.GOLD, linewidth=2.5, label="fᵏ")
        labels = {
            line.get_label(): top.text(0, 1, "", va="center", color=line.get_color())
            for line in (plain, measured, along, theory)
        }

        bottom.set(xlim=(-2.2, 7.8), xticks=range(-2, 6), xlabel="forget bias")
        bottom.set_title("Half-life of the error, steps")
        bottom.set_yscale("log")
        bottom.set_ylim(0.2, 600)
        bottom.set_yticks((1, 10, 100), ("1", "10", "100"))
        bottom.minorticks_off()
        expected = np.log(2) / -np.log(sigmoid(bias))
        bottom.plot(bias, expected, ":", color=plots.GOLD, linewidth=2.5, label="theory")
        bottom.plot([-2, 5], [plain_life] * 2, color=plots.RNN, linewidth=1.5, label="plain RNN")
        bottom.text(5.2, plain_life, "plain RNN", color=plots.RNN, va="center")
        bottom.text(5.2, expected[-1], "ln 2 / −ln f", color=plots.GOLD, va="center")
        (dots,) = bottom.plot([], [], "o", color=plots.LSTM, markersize=3.5, label="measured")
        (beyond,) = bottom.plot([], [], "^", color=plots.LSTM, markersize=4, label="_beyond")
        (here,) = bottom.plot([], [], "o", color=plots.LSTM, markersize=9)
        bottom.text(-2, 250, "● measured", color=plots.LSTM, va="center")
        above = bottom.text(5.45, 330, "▲ over 200", color=plots.LSTM, va="center")

    @interact(
        fig,
        name="forget-bias",
        alt="Above, the error left in the cell state against steps back, on a log axis: measured, "
        "along the cell state alone, and f to the power k. Below, its half-life for each bias.",
        forget_bias=Control(BIASES, kind="slider"),
        length=Control([50, 100, 200], unit="steps"),
        cell=Control(CELLS),
    )
    def update(forget_bias: float = 1.0, length: int = 100, cell: str = "LSTM") -> str:
        left, null = error_left(forget_bias, length, cell == CELLS[1]), plain_left(length)
        lag = np.unique(np.linspace(0, length - 1, 26).round().astype(int))
        plain.set_data(lag, null[lag])
        for line, norms in zip((measured, along, theory), left, strict=True):
            line.set_data(lag, norms[lag])
        ends = [null[-1], *(norms[-1] for norms in left)]
        plots.label_ends(labels, ends, length + 2)
        life, at = lives[cell], BIASES.index(forget_bias)
        lasting = ~np.isfinite(life)
        dots.set_data(bias[~lasting], life[~lasting])
        beyond.set_data(bias[lasting], np.full(lasting.sum(), 330))
        above.set_visible(bool(lasting.any()))
        here.set_data([forget_bias], [min(life[at], 330)])
        lasts = f"{life[at]:.1f} steps" if np.isfinite(life[at]) else f"over {LONGEST} steps"
        return (
            f"{cell[0].upper()}{cell[1:]}, forget bias {forget_bias:.2f}, so f is near {left.theory[1]:.3f}: {length - 1} steps "
            f"back the error in c is {share(left.measured[-1], LOWEST, HIGHEST)} its size, along c "
            f"alone {share(left.along[-1], LOWEST, HIGHEST)} its size. Its half-life is {lasts}; "
            f"fᵏ says {expected[at]:.1f}."
        ).replace("bias -", "bias −")

    return update
