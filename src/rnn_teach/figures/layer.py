"""Chapter 03's live figures: one set of weights used at every step, and a state that knows the order."""

from __future__ import annotations

from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path

from .. import plots
from ..cells import RNN
from ..live import Control, LiveFigure, interact

MOST = 8  # steps in the unrolled picture
WIDTH = 0.115  # of a weight's cell in the unrolled picture, where a step is 1 wide
PAIRS = {  # the same symbols in two orders, and both end alike
    "listen / silent": ("listen.", "silent."),
    "master / stream": ("master.", "stream."),
    "man and dog": (
        ("the", "dog", "bit", "the", "old", "man", "."),
        ("the", "man", "bit", "the", "old", "dog", "."),
    ),
}
LENGTH = 7


# Computed -------------------------------------------------------------------------------------


@cache
def layer_of_step(D: int, H: int, step: int = 0) -> RNN:
    """An untrained layer; each ``step`` has other weights, as in a network that shares none."""
    return RNN(D, H, rng=np.random.default_rng(30 + step))


def count(layer: RNN) -> int:
    """How many numbers training may change.

    >>> count(layer_of_step(D=2, H=3))
    18
    """
    return sum(p.size for p in layer.parameters.values())


def reader(symbols: int, gain: float, seed: int = 114) -> RNN:
    """An untrained layer of two units that reads one-hot symbols.

    W_h turns the state by one radian and multiplies it by ``gain``, so gain 0 leaves no memory.
    The seed is one of those that make the picture easy to see.
    """
    rng = np.random.default_rng(seed)
    layer = RNN(symbols, 2, rng=rng)
    layer.W_x[:] = rng.normal(scale=0.5, size=(symbols, 2))
    layer.W_h[:] = gain * np.array([[np.cos(1), np.sin(1)], [-np.sin(1), np.cos(1)]])
    return layer


def one_hot(pair: str) -> np.ndarray:
    """Both orders of a pair as inputs x (T, 2, D)."""
    orders = PAIRS[pair]
    symbols = sorted(set(orders[0]))
    codes = np.array([[symbols.index(symbol) for symbol in order] for order in orders])
    return np.eye(len(symbols))[codes.T]


def states_and_bags(pair: str, gain: float, seed: int = 114) -> tuple[np.ndarray, np.ndarray]:
    """States (T, 2, 2) of the two orders, and what the same layer makes of the mean input so far.

    The mean is the bag of inputs: it knows what came and how often, and nothing of when.
    """
    x = one_hot(pair)
    layer = reader(x.shape[2], gain, seed)
    bag = np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None, None]
    return layer.forward(x).h, np.stack([layer.forward(m[None]).final for m in bag])


def apart(h: np.ndarray) -> np.ndarray:
    """The distance (T,) of two states (T, 2, H) at every step."""
    return np.linalg.norm(h[:, 0] - h[:, 1], axis=1)


# Shown ----------------------------------------------------------------------------------------


def _matrix(W: np.ndarray, x: float, y: float) -> list[list[np.ndarray]]:
    """A box around (x, y); a square for each weight above 0, its area the size; those below 0."""
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) / 2
    rows, columns = W.shape
    drawn = [[(x, y) + square * (WIDTH * np.array([columns, rows]) + 0.06)], [], []]
    for (i, j), w in np.ndenumerate(W):
        middle = (x + (j - (columns - 1) / 2) * WIDTH, y + ((rows - 1) / 2 - i) * WIDTH)
        side = WIDTH * np.sqrt(np.abs(w) / np.abs(W).max())
        drawn[1 if w > 0 else 2].append(middle + square * side)
    return drawn


def _one_path(squares: list[np.ndarray]) -> Path:
    """Many squares as one path: a hundred paths a picture would be slow."""
    corners = [Path.MOVETO, *3 * [Path.LINETO], Path.CLOSEPOLY]
    return Path(np.reshape(squares, (-1, 2)), corners * len(squares))


class _Row:
    """One unrolled network: nodes h_0 … h_T in a row, a W_h before each and a W_x below it."""

    def __init__(self, ax: Axes, y: float, title: str) -> None:
        self.y = y
        ax.text(-0.2, y + 0.62, title, weight="bold")
        self.wires = ax.add_collection(LineCollection([], color=plots.MUTED, linewidth=1))
        self.heads = ax.scatter([], [], marker=">", s=16, color=plots.MUTED, linewidth=0)
        self.nodes = ax.scatter([], [], s=70, facecolor=plots.SOFT, edgecolor=plots.INK, zorder=3)
        colors = [plots.SOFT, plots.RNN, plots.ACCENT]
        self.weights = [
            ax.add_collection(PathCollection([], facecolor=colors, linewidth=0, zorder=3))
            for _ in range(MOST)
        ]
        steps = range(MOST + 1)
        self.states = [ax.text(t, y + 0.22, _sub("h", t), ha="center") for t in steps]
        self.inputs = [ax.text(t, y - 1.13, _sub("x", t), ha="center") for t in steps[1:]]

    def show(self, layers: list[RNN]) -> None:
        """Draw as many steps as there are layers, each with the weights of its own."""
        steps = np.arange(1, len(layers) + 1)
        y = self.y
        wires = [((t - 1, y), (t, y)) for t in steps] + [((t, y - 0.92), (t, y)) for t in steps]
        self.wires.set_segments(wires)
        self.heads.set_offsets([(t - 0.16, y) for t in steps])
        self.nodes.set_offsets([(t, y) for t in (0, *steps)])
        for t, weights in enumerate(self.weights, start=1):
            weights.set_visible(t <= len(layers))
            if t <= len(layers):
                layer = layers[t - 1]
                recurrent = _matrix(layer.W_h, t - 0.52, y)
                inputs = _matrix(layer.W_x, t, y - 0.55)
                both = zip(recurrent, inputs, strict=True)
                weights.set_paths([_one_path(of_h + of_x) for of_h, of_x in both])
        for t, text in enumerate(self.states):
            text.set_visible(t <= len(layers))
        for t, text in enumerate(self.inputs, start=1):
            text.set_visible(t <= len(layers))


def _sub(letter: str, t: int) -> str:
    return letter + str(t).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def unrolling() -> LiveFigure:
    """A layer unrolled over T steps above a network that shares nothing, and the weights of both."""
    with plots.style():
        fig, (graph, counts) = plt.subplots(2, figsize=(5.2, 5.4), height_ratios=(2.2, 1))
        graph.set(xlim=(-0.25, MOST + 0.3), ylim=(-3.25, 0.85))
        graph.axis("off")
        shared = _Row(graph, 0, "A recurrent layer: the same weights at every step")
        own = _Row(graph, -2.05, "The null: weights of its own at every step")
        counts.set(xlim=(-0.25, MOST + 0.3), xticks=range(1, MOST + 1), xlabel="T, steps")
        counts.set(ylim=(0, 400), yticks=(0, 100, 200), title="How many numbers to learn")
        steps = np.arange(1, MOST + 1)
        (of_own,) = counts.plot([], [], "--", color=plots.GOLD, label="weights of its own")
        (of_shared,) = counts.plot([], [], color=plots.RNN, label="shared weights")
        (own_dot,) = counts.plot([], [], "o", color=plots.GOLD)
        (shared_dot,) = counts.plot([], [], "o", color=plots.RNN)
        own_text = counts.text(-0.1, 350, "", color=plots.GOLD)
        shared_text = counts.text(-0.1, 295, "", color=plots.RNN)

    @interact(
        fig,
        name="unrolling",
        alt="A recurrent layer unrolled in time, with its weight matrices drawn at each step as "
        "squares, all alike; below it a network with other weights at each step. At the foot, the "
        "number of weights of both against the number of steps.",
        T=Control(list(range(1, MOST + 1)), "steps T", kind="slider"),
        D=Control([1, 2, 3], "inputs D", kind="slider"),
        H=Control([1, 2, 3, 4], "units H", kind="slider"),
    )
    def update(T: int = 4, D: int = 2, H: int = 3) -> str:
        shared.show([layer_of_step(D, H)] * T)
        own.show([layer_of_step(D, H, step) for step in range(T)])
        once = count(layer_of_step(D, H))
        each = [sum(count(layer_of_step(D, H, step)) for step in range(t)) for t in steps]
        of_own.set_data(steps, each)
        of_shared.set_data(steps, [once] * MOST)
        own_dot.set_data([T], [each[T - 1]])
        shared_dot.set_data([T], [once])
        own_text.set_text(f"weights of its own: {each[T - 1]}")
        shared_text.set_text(f"shared weights: {once}")
        return (
            f"With D = {D} and H = {H} the layer has {once} numbers to learn for {T} "
            f"step{'s' * (T > 1)}; with weights of its own at each step it would be {each[T - 1]}."
        )

    return update


def two_orders() -> LiveFigure:
    """Two orders of the same symbols: the path of the state, and how far the two are apart."""
    with plots.style():
        fig, (plane, distance) = plt.subplots(1, 2, figsize=(5.2, 3.2), width_ratios=(1, 1.15))
        plane.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        plane.set(xlabel="unit 1", ylabel="unit 2", title="The two states")
        plane.plot([0], [0], "o", color=plots.MUTED)
        paths = [plane.plot([], [], ".-", color=color)[0] for color in (plots.RNN, plots.ACCENT)]
        ends = [
            plane.plot([], [], "o", color=color, markersize=size)[0]
            for color, size in ((plots.RNN, 12), (plots.ACCENT, 8))
        ]
        distance.set(xlim=(0.4, LENGTH + 0.6), xticks=range(1, LENGTH + 1), ylim=(0, 2.6))
        distance.set(title="How far they are apart", yticks=(0, 1, 2))
        distance.tick_params(labelbottom=False)
        (of_bags,) = distance.plot([], [], "o:", color=plots.MUTED)
        (of_states,) = distance.plot([], [], "o-", color=plots.INK)
        distance.text(0.6, 2.38, "recurrent states", color=plots.INK)
        distance.text(0.6, 2.16, "bags of inputs", color=plots.MUTED)
        place = distance.get_xaxis_transform()
        tokens = [
            [
                distance.text(t, y, "", ha="center", va="top", color=color, transform=place)
                for t in range(1, LENGTH + 1)
            ]
            for y, color in ((-0.03, plots.RNN), (-0.11, plots.ACCENT))
        ]

    @interact(
        fig,
        name="two-orders",
        alt="Left, the states of a layer of two units as it reads two orders of the same symbols. "
        "Right, the distance of the two states at each step, and that of two bags of inputs.",
        words=list(PAIRS),
        gain=Control([round(k / 10, 1) for k in range(16)], "recurrent gain", kind="slider"),
        t=Control(list(range(1, LENGTH + 1)), "step t", kind="slider"),
    )
    def update(
        words: str = "listen / silent", gain: float = 0.9, t: int = LENGTH
    ) -> tuple[str, dict[str, Any]]:
        h, bags = states_and_bags(words, gain)
        for n, (path, end, row) in enumerate(zip(paths, ends, tokens, strict=True)):
            path.set_data(*np.vstack([np.zeros(2), h[:t, n]]).T)
            end.set_data(*h[t - 1 : t, n].T)
            for k, (text, symbol) in enumerate(zip(row, PAIRS[words][n], strict=True)):
                text.set(text=symbol, alpha=1.0 if k < t else 0.35)
        steps = np.arange(1, t + 1)
        of_states.set_data(steps, apart(h)[:t])
        of_bags.set_data(steps, apart(bags)[:t])
        table = {"step": steps}
        for n, path in enumerate(paths):
            unit_1, unit_2 = path.get_data()  # they begin at step 0
            table[f"order {n + 1}"] = list(PAIRS[words][n][:t])
            table |= {f"unit 1, order {n + 1}": unit_1[1:], f"unit 2, order {n + 1}": unit_2[1:]}
        table |= {"distance": apart(h)[:t], "distance of bags": apart(bags)[:t]}
        sentence = (
            f"With gain {gain:.1f} the two states are {apart(h)[t - 1]:.2f} apart after "
            f"{t} symbol{'s' * (t > 1)}, and the two bags {apart(bags)[t - 1]:.2f}."
        )
        return sentence, table

    return update
