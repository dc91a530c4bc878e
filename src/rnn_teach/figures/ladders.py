"""Chapter 12's ladders: the gradient of every layer at every step, and a live figure of it."""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..cells import Layer
from ..diagnostics import norms_by_layer, state_gradient_norms
from ..live import Control, LiveFigure, interact
from ..training import with_spectral_radius
from . import deep, vanishing
from .vanishing import D, H, N

LENGTH = 50
LOWEST, HIGHEST = 1e-16, 1e4  # the gradient's axis
GAINS = [round(0.6 + 0.1 * k, 1) for k in range(13)]
COLORS = (plots.LSTM, plots.GRU, plots.GOLD, plots.ACCENT)  # of layer 1, 2, 3, 4


# Measured -------------------------------------------------------------------------------------


@cache
def square(k: int) -> np.ndarray:
    """Gaussian matrices (H, H) of spectral radius 1, one for each k; number 0 is chapter 06's."""
    if k == 0:
        return vanishing.unit_radius_matrix()
    W = with_spectral_radius(np.random.default_rng([12, k]).standard_normal((H, H)), 1.0)
    W.flags.writeable = False
    return W


def ladder(way: str, depth: int, gain: float) -> Layer:
    """Chapter 06's tanh layer made deep: each of its square matrices has spectral radius ``gain``.

    At depth 1 it is that layer.
    """
    made = deep.layers(way, depth, D, H, rng=np.random.default_rng(12))
    squares = 0
    for p in made.parameters.values():
        if p.shape == (D, H):
            p[:] = vanishing.network(gain, "tanh").W_x
        elif p.shape == (H, H):
            p[:] = gain * square(squares)
            squares += 1
    return made


@cache
def gradient_at_lags(way: str, depth: int, gain: float) -> dict[str, np.ndarray]:
    """‖∂L/∂h_{T-k}‖ (T, N) of each layer, from the input up, for every lag k = 0 … T-1.

    The loss is chapter 06's, L = v·h_T with a random unit vector v and the h of the last layer. A
    deep transition hands on one state, its last layer's.
    """
    made = ladder(way, depth, gain)
    trace = made.forward(vanishing.sequences(LENGTH))
    dh = np.zeros_like(trace.h)
    dh[-1] = np.random.default_rng(6666).standard_normal((N, H))
    dh[-1] /= np.linalg.norm(dh[-1], axis=1, keepdims=True)
    grads = made.backward(trace, dh)
    if way == "hidden-to-hidden":
        return {f"layer {depth}": state_gradient_norms(grads)[::-1]}
    norms = norms_by_layer(grads)
    return {f"layer {int(k) + 1}": norms[k][::-1] for k in sorted(norms)}


def medians(way: str, depth: int, gain: float) -> dict[str, np.ndarray]:
    """The same, as the median over the sequences (T,)."""
    measured = gradient_at_lags(way, depth, gain)
    return {name: np.median(norms, axis=1) for name, norms in measured.items()}


# Shown ----------------------------------------------------------------------------------------


def depth_gradient() -> LiveFigure:
    """The size of the gradient of each layer at every lag, and that of the layer of chapter 06."""
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.6))
        ax.set(xlim=(-0.5, 1.28 * LENGTH), xticks=range(0, LENGTH + 1, 10))
        ax.set(title="How much of the gradient is left", xlabel="k, steps back from the loss")
        plots.log_axis(ax, LOWEST, HIGHEST, decades=4)
        lines = {
            f"layer {k}": ax.plot([], [], color=color, marker="o", markevery=[0], markersize=4)[0]
            for k, color in zip(deep.DEPTHS, COLORS, strict=True)
        }
        (null,) = ax.plot([], [], "--", color=plots.INK, linewidth=1.2)
        labels = {
            name: ax.text(0, 1, "", va="center", color=line.get_color())
            for name, line in (*lines.items(), ("depth 1", null))
        }
        above = ax.text(0.5, 10**1.6, "", color=plots.MUTED, va="center")

    @interact(
        fig,
        name="depth-gradient",
        group="deep",
        alt="The norm of the gradient of each layer against steps back from the loss, on a log "
        "axis, and, dashed, that of a single layer.",
        way=list(deep.WAYS),
        depth=Control(deep.DEPTHS, kind="slider"),
        gain=Control(GAINS, kind="slider"),
    )
    def update(
        way: str = "stacked", depth: int = 3, gain: float = 0.9
    ) -> tuple[str, dict[str, np.ndarray]]:
        lag = np.arange(LENGTH)
        shown = medians(way, depth, gain)
        [plain] = medians("stacked", 1, gain).values()
        null.set_data(lag, plain)
        for name, line in lines.items():
            norms = shown.get(name, np.zeros(LENGTH))
            some = norms > 0  # above the loop of hidden-to-output a step hears of no other
            line.set_data(lag[some], norms[some])
            labels[name].set_visible(bool(some[-1]))
        left = {name: norms[-1] for name, norms in shown.items() if norms[-1]} | {
            "depth 1": plain[-1]
        }
        plots.label_ends({name: labels[name] for name in left}, list(left.values()), LENGTH + 0.5)
        fed_once = way == "hidden-to-output" and depth > 1
        which = ("layer 2", "layers 2 and 3", "layers 2 to 4")[max(depth - 2, 0)]
        above.set_text(f"{which}: at the last step only" if fed_once else "")
        said = ", ".join(f"{name} {_size(ratio)}" for name, ratio in left.items())
        sentence = (
            f"{way.capitalize()}, depth {depth}, gain {gain:.1f}: of a gradient of 1 at step "
            f"{LENGTH}, what reaches step 1 is {said}."
        )
        some = slice(None, None, 7)  # rows enough for a table
        columns = {"steps back": lag, **shown, "depth 1": plain}
        return sentence, {name: column[some] for name, column in columns.items()}

    return update


def _size(ratio: float) -> str:
    if ratio < LOWEST:
        return f"less than {plots.power_of_ten(LOWEST)}"
    return plots.power_of_ten(ratio)
