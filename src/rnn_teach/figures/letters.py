"""Chapter 10's GRU that reads: its two gates over a real text, and what each of them is worth."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from .. import plots
from ..bptt import Network
from ..cells import GRU, GRUTrace
from ..live import Control, LiveFigure, interact
from ..training import evaluate
from .language import Data, before_and_after

GATES = {"z": "update gate z", "r": "reset gate r"}
H = 64
UNITS = 14  # of all units, evenly spaced from the one that keeps least to the one that keeps most
PASSAGE = "if there are more positional arguments "  # held out
SPACE = "␣"


# Trained --------------------------------------------------------------------------------------


class Run(NamedTuple):
    """A GRU that predicts the next letter, before and after training."""

    data: Data
    untrained: Network
    trained: Network


def train(data: Data, *, steps: int, rng: np.random.Generator, reset: str = "after") -> Run:
    """Train a character GRU with ``H`` units for ``steps`` updates, as chapter 04 trained its RNN."""
    gru = GRU(data.vocabulary.size, H, rng=rng, reset=reset)
    return Run(data, *before_and_after(data, gru, steps=steps, rng=rng))


# Measured -------------------------------------------------------------------------------------


def loss(network: Network, data: Data) -> float:
    """The cross-entropy on the held-out text, nats per symbol."""
    x, target, lengths, _ = data.measured
    return evaluate(network, x, target, lengths)


def read(network: Network, data: Data, text: str) -> GRUTrace:
    """The trace of the layer as it reads ``text`` after a line end."""
    codes = data.vocabulary.encode("\n" + text)
    return network.cell.forward(data.vocabulary.one_hot(codes[:, None]))


def frozen(network: Network, data: Data, gate: str) -> Network:
    """The network with a gate that stands still: each unit's at its mean over the held-out text.

    The gate's weights become 0 and its bias is such that the sigmoid gives the mean.
    """
    still = deepcopy(network)
    cell = still.cell
    part = slice(0, cell.H) if gate == "r" else slice(cell.H, 2 * cell.H)
    mean = getattr(cell.forward(data.measured.x), gate).mean(axis=(0, 1))
    cell.W_x[:, part] = cell.W_h[:, part] = 0
    cell.b[part] = np.log(mean / (1 - mean))
    return still


def kept(network: Network, data: Data, lag: int) -> np.ndarray:
    """How much of a change of one unit is in that unit ``lag`` steps later: (H,), no sign.

    The mean of |∂h_{t+lag,j}/∂h_{t,j}| over 57 moments of the held-out text, by the complex step:
    unit j is moved along the imaginary axis in copy j of the sequence.
    """
    cell, x = network.cell, data.measured.x
    h = cell.forward(x[:400]).h
    left = []
    for t in range(20, 400, 20):
        for n in (0, 7, 14):
            copies = np.repeat(x[t + 1 : t + 1 + lag, n, None], cell.H, axis=1)
            moved = cell.forward(copies.astype(complex), h[t, n] + 1e-30j * np.eye(cell.H))
            left.append(np.abs(moved.final.imag.diagonal()) / 1e-30)
    return np.mean(left, axis=0)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """The correlation of two rows' ranks: 1 if they are in the same order, -1 in the opposite one.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.2, 0.3]))
    1.0
    """
    ranks = [row.argsort().argsort() for row in (a, b)]
    return round(float(np.corrcoef(*ranks)[0, 1]), 12)


# Shown ----------------------------------------------------------------------------------------


def squares(values: np.ndarray) -> Path:
    """A square in the middle of each cell of values (rows, columns): its area is the value."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) / 2
    rows, columns = np.indices(values.shape)
    middles = np.stack([columns, rows], axis=-1)[:, :, None]
    points = middles + 0.94 * np.sqrt(values)[:, :, None, None] * corners
    codes = [Path.MOVETO, *3 * [Path.LINETO], Path.CLOSEPOLY]
    return Path(points.reshape(-1, 2), codes * values.size)


def _letters(ax: Axes, text: str) -> list[plt.Text]:
    """The text above the axes, a letter over each column."""
    return [
        ax.text(
            k, 1.05, symbol, ha="center", family="monospace", transform=ax.get_xaxis_transform()
        )
        for k, symbol in enumerate(text.replace(" ", SPACE))
    ]


def gates_over_letters(run: Run, text: str = PASSAGE) -> LiveFigure:
    """Both gates of some units over a text, a letter to move to, and the means with their null."""
    last = len(text) - 1
    networks = {"trained": run.trained, "untrained": run.untrained}
    traces = {name: read(network, run.data, text) for name, network in networks.items()}
    gates = {
        name: {gate: getattr(trace, gate)[1:, 0] for gate in GATES}  # [0] reads the line end
        for name, trace in traces.items()
    }
    means = {
        name: {gate: values.mean(axis=1) for gate, values in both.items()}
        for name, both in gates.items()
    }
    paths = {}
    for name, values in gates.items():
        rows = values["z"].mean(axis=0).argsort()[np.linspace(0, H - 1, UNITS).round().astype(int)]
        for gate in GATES:
            paths[name, gate] = squares(values[gate][:, rows].T)
    with plots.style():
        fig, axes = plt.subplots(3, figsize=(5.2, 5.6), height_ratios=(5, 5, 3), sharex=True)
        axes[0].set(xlim=(-0.6, last + 0.6))
        filled = {}
        for ax, (gate, title), color in zip(
            axes, GATES.items(), (plots.GRU, plots.RNN), strict=False
        ):
            ax.set(ylim=(-0.6, UNITS - 0.4), yticks=(0, UNITS - 1))
            ax.set_yticklabels(["keeps\nleast", "keeps\nmost"])
            ax.grid(False)
            ax.tick_params(length=0, labelbottom=False)
            ax.set_title(
                f"{title[0].upper()}{title[1:]} (full square: 1)", pad=22 if gate == "z" else 6
            )
            filled[gate] = ax.add_patch(
                PathPatch(paths["trained", gate], facecolor=color, linewidth=0)
            )
        letters = _letters(axes[0], text)
        below = axes[2]
        below.set(ylim=(0, 1), yticks=(0, 0.5, 1), xlabel="letter")
        below.set_xticks([])
        below.set_title(f"Mean of all {H}")
        dots, words = {}, {}
        for gate, color, right in zip(GATES, (plots.GRU, plots.RNN), (0.58, 0.77), strict=True):
            null = {"color": color, "linewidth": 1.2, "label": f"{gate}, untrained"}
            below.plot(means["untrained"][gate], ":", **null)
            below.plot(means["trained"][gate], color=color, label=f"{gate}, trained")
            (dots[gate],) = below.plot([], [], "o", color=color, label=f"_{gate}")
            place = {"ha": "right", "transform": below.transAxes}
            words[gate] = below.text(right, 1.06, "", color=color, **place)
        below.text(1, 1.06, "┅ untrained", color=plots.MUTED, **place)
        cursors = [ax.axvline(0, color=plots.INK, linewidth=1, zorder=3) for ax in axes]

    @interact(
        fig,
        name="gates-over-letters",
        alt="Above, a text. Below it the update gates and then the reset gates of 14 units, a square "
        "for each unit and letter, larger for a gate more open; then the mean of both over all units.",
        letter=Control(range(1, len(text) + 1), "letter", kind="slider", artists=letters),
        network=list(networks),
    )
    def update(
        letter: int = 17, network: str = "trained"
    ) -> tuple[str, dict[str, list[str] | list[float]]]:
        k, mean = letter - 1, means[network]
        for gate, patch in filled.items():
            patch.set_path(paths[network, gate])
            dots[gate].set_data([k], [mean[gate][k]])
            words[gate].set_text(f"━ {gate} {plots.number(mean[gate][k])}")
        for artist in letters:
            lit = artist is letters[k]
            artist.set(weight="bold" if lit else "normal", color=plots.INK if lit else plots.MUTED)
        for cursor in cursors:
            cursor.set_xdata([k, k])
        z, r = (plots.number(mean[gate][k]) for gate in GATES)
        symbol = "the space" if text[k] == " " else f"“{text[k]}”"
        sentence = (
            f"{network.capitalize()}: as it reads {symbol}, letter {letter} of {len(text)}, the "
            f"update gates keep {z} of the state on average, and the reset gates let {r} of it "
            "through to the candidate."
        )
        table = {"letter": list(text.replace(" ", SPACE))}
        return sentence, table | {GATES[gate]: mean[gate].tolist() for gate in GATES}

    return update
