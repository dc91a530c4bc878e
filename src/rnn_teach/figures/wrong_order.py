"""Chapter 17's second figure: a trained LSTM whose gates have been loaded in each of 24 orders."""

from __future__ import annotations

from copy import deepcopy
from itertools import permutations
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .. import plots, tasks
from ..bptt import Network
from ..convert.layout import reorder
from ..live import Control, LiveFigure, interact
from ..sampling import sample
from ..training import evaluate
from .frameworks import TOLERANCE
from .gate_layout import COLORS
from .language import Data

RIGHT = "ifgo"
ORDERS = ["".join(order) for order in permutations(RIGHT)]
PARTS = {"all weights": ("W_x", "W_h", "b"), "W_h alone": ("W_h",), "the biases alone": ("b",)}
WHOSE = {RIGHT: "the right one", "iofg": "ONNX's", "igfo": "TensorFlow 1's"}
LOWEST, HIGHEST = 1e-10, 1e1  # the axis of the largest difference
FLOOR = 1e-9  # where a difference of 0 is drawn, which a logarithmic axis does not have


# Measured -------------------------------------------------------------------------------------


class Misread(NamedTuple):
    """What becomes of a network whose blocks are taken for others."""

    loss: float  # on the held-out names, nats per symbol
    apart: float  # the largest difference of a state from the right one
    names: list[str]  # that it makes up


def misread(network: Network, order: str, part: str = "all weights") -> Network:
    """The network in a program that takes the blocks i f g o for ``order``, in this part of it."""
    wrong = deepcopy(network)
    for name in PARTS[part]:
        p = wrong.cell.parameters[name]
        p[...] = reorder(p, order, RIGHT)
    return wrong


def measure(network: Network, data: Data, order: str, part: str = "all weights") -> Misread:
    """Its loss on the held-out names, how far its states are off, and six names it makes up."""
    wrong, (x, target, lengths, _) = misread(network, order, part), data.measured
    some, ends = x[:, :100], lengths[:100]
    right, other = (net.cell.forward(some, lengths=ends).h for net in (network, wrong))
    rng = np.random.default_rng(1)
    ask = {"rng": rng, "start": tasks.END, "stop": tasks.END, "length": 12, "temperature": 0.7}
    names = [sample(wrong, data.vocabulary, **ask) for _ in range(6)]
    loss = float(evaluate(wrong, x, target, lengths))
    return Misread(loss, float(np.abs(right - other).max()), names)


def measured(network: Network, data: Data) -> dict[tuple[str, str], Misread]:
    """Every part in every order: ``measured[part, order]``."""
    return {
        (part, order): measure(network, data, order, part) for part in PARTS for order in ORDERS
    }


# Shown ----------------------------------------------------------------------------------------


def wrong_order(data: Data, found: dict[tuple[str, str], Misread]) -> LiveFigure:
    """Loss and states in each of 24 orders, from the least harm to the most, and what it says."""
    orders = sorted(ORDERS, key=lambda order: found["all weights", order].loss)
    place = np.arange(24)
    lines = tasks.baselines(data.train, data.held_out, data.vocabulary)
    highest = max(lines["uniform"], *(row.loss for row in found.values()))
    lowest = found["all weights", RIGHT].loss
    with plots.style():
        fig, (top, middle, below) = plt.subplots(3, figsize=(5.2, 5.7), height_ratios=(6, 4, 2.6))
        for ax in (top, middle):
            ax.set(xlim=(-0.8, 30.5))
            ax.grid(False, axis="x")
        top.set(ylim=(lowest - 0.12, highest + 0.12), title="Loss on held-out names, nats")
        top.set_xticks([])
        middle.set_title("Largest difference of a state")
        plots.log_axis(middle, LOWEST, HIGHEST, decades=2)
        middle.set_xticks(place, orders, rotation=90, family="monospace")
        middle.tick_params(axis="x", length=0)
        for name, loss in lines.items():
            top.plot([-0.8, 23.8], [loss, loss], "--", color=plots.MUTED, linewidth=1.2)
            top.text(24.2, loss, f"{name} {loss:.2f}", color=plots.MUTED, va="center")
        top.plot([-0.8, 23.8], [lowest, lowest], ":", color=plots.MUTED, linewidth=1.2)
        top.text(24.2, lowest, f"right {lowest:.2f}", color=plots.MUTED, va="center")
        middle.plot([-0.8, 23.8], [TOLERANCE] * 2, "--", color=plots.MUTED, linewidth=1.2)
        middle.text(24.2, TOLERANCE, "tolerance", color=plots.MUTED, va="center")
        columns = [
            top.add_patch(Rectangle((k - 0.5, lowest - 0.12), 1, 10, facecolor=plots.GRID, alpha=0))
            for k in place
        ]
        dots = [ax.plot([], [], "o", color=plots.LSTM, markersize=5)[0] for ax in (top, middle)]
        now = [ax.plot([], [], "o", color=plots.RNN, markersize=9)[0] for ax in (top, middle)]
        values = [ax.text(24.2, 0, "", color=plots.RNN, weight="bold", va="center")
                  for ax in (top, middle)]  # fmt: skip
        values[0].set_position((24.2, lines["unigram"] + 0.24))
        values[1].set_position((24.2, 1e-2))

        below.set(xlim=(0, 10), ylim=(0, 3))
        below.axis("off")
        below.text(0, 2.6, "the blocks hold", va="center")
        below.text(0, 1.8, "are taken for", va="center")
        taken = []
        for k, gate in enumerate(RIGHT):
            below.text(3.1 + 0.5 * k, 2.6, gate, color=COLORS[gate], weight="bold", va="center")
            taken.append(below.text(3.1 + 0.5 * k, 1.8, "", weight="bold", va="center"))
        whose = below.text(5.3, 1.8, "", color=plots.MUTED, va="center")
        below.text(5.3, 2.6, "in this book and PyTorch", color=plots.MUTED, va="center")
        said = below.text(0, 1.1, "", va="top", linespacing=1.4)

    @interact(
        fig,
        name="wrong-order",
        alt="A dot for each of the 24 orders in which four gates can be loaded: above, the loss of "
        "the trained network, with the losses of uniform, unigram and bigram; in the middle the "
        "largest difference of a state, on a log axis. Below, names that it makes up.",
        order=Control(
            {" ".join(order): order for order in orders},
            "taken for",
            kind="slider",
            artists=columns,
        ),
        part=Control(list(PARTS), "in the wrong order"),
    )
    def update(
        order: str = "iofg", part: str = "all weights"
    ) -> tuple[str, dict[str, list[str] | list[float]]]:
        rows, here = [found[part, other] for other in orders], found[part, order]
        k = orders.index(order)
        for column, at in zip(columns, place, strict=True):
            column.set_alpha(0.8 if at == k else 0)
        losses = [row.loss for row in rows]
        apart = np.maximum([row.apart for row in rows], FLOOR)
        for line, point, heights in zip(dots, now, (losses, apart), strict=True):
            line.set_data(place, heights)
            point.set_data([k], [heights[k]])
        values[0].set_text(f"{here.loss:.2f}")
        values[1].set_text(plots.number(here.apart) if here.apart else "0")
        for text, gate in zip(taken, order, strict=True):
            text.set(text=gate, color=COLORS[gate])
        whose.set_text(WHOSE.get(order, ""))
        said.set_text(
            "It makes up: " + ", ".join(here.names[:3]) + ",\n" + ", ".join(here.names[3:])
        )
        beaten = [name for name, loss in lines.items() if here.loss < loss]
        against = f"better than {', '.join(beaten)}" if beaten else "worse than uniform guessing"
        sentence = (
            f"With {part} of i f g o taken for {' '.join(order)}, the loss is {here.loss:.2f} nats "
            f"per symbol ({here.loss - lowest:+.2f}), {against}; a state is off by up to "
            f"{here.apart:.2f}."
        ).replace("-", "−")
        return sentence, {
            "taken for": [" ".join(other) for other in orders],
            "loss": losses,
            "largest difference": [row.apart for row in rows],
        }

    return update
