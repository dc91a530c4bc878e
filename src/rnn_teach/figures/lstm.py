"""Chapter 08's live figures of one step: the LSTM cell with a number on every wire, and its gates' sums."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from .. import plots
from ..cells import LSTM
from ..functional import sigmoid, tanh
from ..live import Control, LiveFigure, interact
from .wires import Wires, box, node, outline

# what each gate hears, so that a step can be checked by hand: weight of x, weight of h, bias
HEARS = {"i": (3.0, 0.5, -2.0), "f": (-2.0, 1.0, 3.0), "g": (1.0, 0.5, 0.0), "o": (1.0, 1.0, 0.0)}
NAMES = {"i": "input", "f": "forget", "g": "candidate", "o": "output"}
ORDER = ["xₜ", "hₜ₋₁", "cₜ₋₁", "f", "f·cₜ₋₁", "i", "g", "i·g", "cₜ", "tanh cₜ", "o", "hₜ"]
STEPS = ("forget", "store", "update", "output")
H_PREV = 0.5
X, C, H = (-2.0, 2.0, 0.25), (-2.0, 2.0, 0.25), (-1.0, 1.0, 0.25)
GROUP = "lstm-cell"


# Computed -------------------------------------------------------------------------------------


def cell() -> LSTM:
    """The cell of this chapter: one input, one unit, and weights that fit on a blackboard."""
    layer = LSTM(1, 1, rng=np.random.default_rng(0))
    layer.W_x[0], layer.W_h[0], layer.b[:] = zip(*HEARS.values(), strict=True)
    return layer


def one_step(x: float, c: float, h: float = H_PREV) -> dict[str, float]:
    """Every number of one step of `cell` from the states h and c, named as in the equations.

    >>> {name: round(value, 2) for name, value in one_step(1.0, 1.0).items()}["f"]
    0.82
    """
    state = np.array([[h]]), np.array([[c]])
    trace = cell().forward(np.array([[[x]]]), state)
    names = ("i", "f", "g", "o", "cₜ", "tanh cₜ", "hₜ")
    n = {name: array.item() for name, array in zip(names, trace[3:10], strict=True)}
    n |= {"xₜ": x, "hₜ₋₁": h, "cₜ₋₁": c, "f·cₜ₋₁": n["f"] * c, "i·g": n["i"] * n["g"]}
    return {name: n[name] for name in ORDER}


def sums(x: float, h: float) -> dict[str, float]:
    """The weighted sum of each gate of `cell`, before its sigmoid or tanh.

    >>> sums(1.0, 0.5)
    {'i': 1.25, 'f': 1.5, 'g': 1.25, 'o': 1.5}
    """
    return {gate: w_x * x + w_h * h + b for gate, (w_x, w_h, b) in HEARS.items()}


# Shown ----------------------------------------------------------------------------------------

BELT, FULL = 6.55, 3.0  # the belt's height in the picture, and the |c| that fills it
THICK = 1.1 / FULL  # of the belt, for each unit of |c|
RAIL, GATE_Y, TALL, WIDTH = 1.35, 2.75, 1.1, 1.72
GATE_X = {"f": 2.2, "i": 4.13, "g": 6.06, "o": 7.99}
STORE_Y, OUT_X, OUT_Y = 4.85, 9.7, 4.1
# where each number stands, and the steps that make it or use it
NUMBERS = {
    "cₜ₋₁": (0.15, 7.3, "forget"),
    "f": (2.35, 4.85, "forget"),
    "f·cₜ₋₁": (3.35, 7.3, "forget update"),
    "i": (4.28, 4.3, "store"),
    "g": (6.21, 4.1, "store"),
    "i·g": (6.21, 5.5, "store update"),
    "cₜ": (7.1, 7.3, "update output"),
    "tanh cₜ": (9.55, 4.72, "output"),
    "o": (8.14, 3.62, "output"),
    "hₜ": (10.4, 0.75, "output"),
    "hₜ₋₁": (0.0, 1.6, "forget store output"),
    "xₜ": (1.15, 0.35, "forget store output"),
}
BELTS = {"cₜ₋₁": (0.0, 2.2), "f·cₜ₋₁": (2.2, 6.06), "cₜ": (6.06, 10.4)}  # from where to where
REACH = {"forget": 2.2, "store": 6.06, "update": 0.0, "output": 7.99}  # along the rail of x and h
WIRES = {
    "forget": [[(2.2, RAIL), (2.2, 2.2)], [(2.2, 3.3), (2.2, BELT - 0.3)]],
    "store": [
        *[[(GATE_X[gate], RAIL), (GATE_X[gate], 2.2)] for gate in "ig"],
        [(4.13, 3.3), (4.13, STORE_Y), (5.76, STORE_Y)],
        [(6.06, 3.3), (6.06, STORE_Y - 0.3)],
    ],
    "update": [[(6.06, STORE_Y + 0.3), (6.06, BELT - 0.3)]],
    "output": [
        [(7.99, RAIL), (7.99, 2.2)],
        [(7.99, 3.3), (7.99, OUT_Y), (OUT_X - 0.3, OUT_Y)],
        [(OUT_X, BELT), (OUT_X, 5.6)],
        [(OUT_X, 5.05), (OUT_X, OUT_Y + 0.3)],
        [(OUT_X, OUT_Y - 0.3), (OUT_X, RAIL), (10.4, RAIL)],
    ],
}


class _Level:
    """A gate's box, filled up to the gate's value; the candidate's from the middle, up or down."""

    def __init__(self, ax: Axes, gate: str) -> None:
        self.signed = gate == "g"
        self.full = TALL / 2 if self.signed else TALL
        corner = GATE_X[gate] - WIDTH / 2, GATE_Y + TALL / 2 - self.full
        self.box = box(ax, (GATE_X[gate], GATE_Y), WIDTH, TALL)
        self.fill = ax.add_patch(Rectangle(corner, WIDTH, 0, alpha=0.35, zorder=2))
        self.fill.set_clip_path(self.box)
        function = "tanh" if self.signed else "sigmoid"
        for y, text in ((0.22, NAMES[gate]), (-0.24, function)):
            ax.text(GATE_X[gate], GATE_Y + y, text, ha="center", va="center", zorder=5)

    def show(self, value: float, color: str | None) -> None:
        self.fill.set(height=value * self.full, facecolor=_sign_color(value))
        outline(self.box, color)


def _sign_color(value: float) -> str:
    return plots.LSTM if value >= 0 else plots.RNN


def _says(step: str, n: dict[str, float]) -> str:
    """What a step has done, in words, with its numbers."""
    said = {name: plots.number(value) for name, value in n.items()}
    return {
        "forget": "Forget: the forget gate is {f}, so of the old cell state {cₜ₋₁} "
        "it keeps {f·cₜ₋₁}.",
        "store": "Store: the candidate is {g}, the input gate {i}; together they offer {i·g}.",
        "update": "Update: {f·cₜ₋₁} kept and {i·g} new make the cell state {cₜ}.",
        "output": "Output: tanh of the cell state is {tanh cₜ}, the output gate {o}, "
        "and their product hₜ is {hₜ}.",
    }[step].format_map(said)


def four_steps() -> LiveFigure:
    """The LSTM cell, drawn once: a step lights the part that works, and every wire has its number."""
    with plots.style():
        plt.rc("font", size=11)  # a number to read, not a tick: 10 px on a phone
        fig, ax = plt.subplots(figsize=(5.2, 4.25), layout=None)
        ax.set_position((0.01, 0.01, 0.98, 0.91))
        ax.set(xlim=(-0.05, 10.45), ylim=(-0.05, 7.75))
        ax.axis("off")
        title = ax.set_title(" ")
        ax.add_patch(Rectangle((0, BELT - 0.55), 10.4, 1.1, color=plots.SOFT, zorder=0))
        belts = {
            name: ax.add_patch(Rectangle((left, BELT), right - left, 0, zorder=1))
            for name, (left, right) in BELTS.items()
        }
        unchanged = ax.add_collection(
            LineCollection([], color=plots.MUTED, linestyle=":", zorder=1)
        )
        ax.plot([0, GATE_X["o"]], [RAIL, RAIL], color=plots.MUTED, linewidth=1)
        (rail,) = ax.plot([], [], color=plots.LSTM, linewidth=2.5)
        input_wire = Wires(ax, [[(1.0, 0.15), (1.0, RAIL)]])
        wires = {step: Wires(ax, routes) for step, routes in WIRES.items()}
        levels = {gate: _Level(ax, gate) for gate in GATE_X}
        tanh_box = box(ax, (OUT_X, 5.33), 1.2, 0.56)
        ax.text(OUT_X, 5.33, "tanh", ha="center", va="center", zorder=5)
        nodes = {
            "forget": node(ax, (2.2, BELT), "×"),
            "store": node(ax, (6.06, STORE_Y), "×"),
            "update": node(ax, (6.06, BELT), "+"),
            "output": node(ax, (OUT_X, OUT_Y), "×"),
        }
        texts = {name: ax.text(x, y, "") for name, (x, y, _) in NUMBERS.items()}
        texts["tanh cₜ"].set_ha("right")
        texts["hₜ"].set_ha("right")

    @interact(
        fig,
        name="four-steps",
        group=GROUP,
        alt="An LSTM cell. Above, a belt carries the cell state from left to right, through a "
        "product with the forget gate and a sum. Below it four boxes hear x and h: forget gate, "
        "input gate, candidate and output gate. A number stands beside every wire.",
        step=Control(STEPS, "step", kind="slider", artists=list(nodes.values())),
        x=Control(_grid(X), "input x", kind="slider"),
        c=Control(_grid(C), "cell state before", kind="slider"),
    )
    def update(
        step: str = "forget", x: float = 1.0, c: float = 1.0
    ) -> tuple[str, dict[str, list[str] | list[float]]]:
        n = one_step(x, c)
        title.set_text(f"Step {STEPS.index(step) + 1} of 4: {step}")
        for name, text in texts.items():
            at_work = step in NUMBERS[name][2]
            text.set(text=f"{name} {plots.number(n[name])}", weight="bold" if at_work else "normal")
            text.set_color(plots.INK if at_work else plots.MUTED)
        for name, belt in belts.items():
            thick = THICK * abs(n[name])
            belt.set(y=BELT - thick / 2, height=thick, facecolor=_sign_color(n[name]))
            belt.set_alpha(0.9 if step in NUMBERS[name][2] else 0.35)
        edge = THICK * abs(c) / 2
        unchanged.set_segments([[(2.2, BELT + y), (10.4, BELT + y)] for y in (-edge, edge)])
        rail.set_data([0, REACH[step]], [RAIL, RAIL])
        input_wire.light(plots.LSTM if REACH[step] else None)
        lit = {which: plots.LSTM if which == step else None for which in STEPS}
        for which in STEPS:
            wires[which].light(lit[which])
            outline(nodes[which], lit[which])
        outline(tanh_box, lit["output"])
        for gate, level in levels.items():
            level.show(n[gate], lit[NUMBERS[gate][2]])
        return _says(step, n), {
            "wire": [*n, *(f"sum of {gate}" for gate in HEARS)],
            "number": [*n.values(), *sums(x, H_PREV).values()],
        }

    return update


def gates() -> LiveFigure:
    """The sum that each gate hears, and where it lies on the gate's sigmoid or tanh."""
    a = np.linspace(-9, 9, 91)
    with plots.style():
        fig, axes = plt.subplots(2, 2, figsize=(5.2, 4.0), sharex=True)
        dots, texts = {}, {}
        for ax, gate in zip(axes.flat, ("f", "i", "g", "o"), strict=True):
            function, low = (tanh, -1) if gate == "g" else (sigmoid, 0)
            pad = 0.1 * (1 - low)
            ax.set(xlim=(-9, 9), xticks=(-5, 0, 5), ylim=(low - pad, 1 + pad), yticks=(low, 0, 1))
            ax.set_title(f"{NAMES[gate]}{'' if gate == 'g' else ' gate'} {gate}")
            ax.plot(a, function(a), color=plots.MUTED, linewidth=1.5, label="_curve")
            ax.plot([0], [function(np.zeros(1)).item()], "o", color=plots.MUTED, fillstyle="none")
            (dots[gate],) = ax.plot([], [], "o", color=plots.LSTM, markersize=8, label=gate)
            texts[gate] = ax.text(-8.6, 1 - pad / 2, "", color=plots.LSTM, va="top")
        for ax in axes[1]:
            ax.set_xlabel("sum a")

    @interact(
        fig,
        name="gates",
        group=GROUP,
        alt="Four curves: the sigmoids of the forget, input and output gates and the tanh of the "
        "candidate. A dot on each marks the sum that it hears now, and its value.",
        x=Control(_grid(X), "input x", kind="slider"),
        h=Control(_grid(H), "h before", kind="slider"),
    )
    def update(x: float = 1.0, h: float = H_PREV) -> tuple[str, dict[str, list[str] | list[float]]]:
        n, heard = one_step(x, 0.0, h), sums(x, h)
        for gate, dot in dots.items():
            dot.set_data([heard[gate]], [n[gate]])
            texts[gate].set_text(
                f"a = {plots.number(heard[gate])}\n{gate} = {plots.number(n[gate])}"
            )
        f, i, g, o = (plots.number(n[gate]) for gate in "figo")
        return (
            f"At x = {plots.number(x)} and h = {plots.number(h)} the cell keeps {f} of its state, lets in {i} "
            f"of the candidate {g}, and shows {o} of the result."
        ), {
            "gate": [NAMES[gate] for gate in dots],
            "sum a": [heard[gate] for gate in dots],
            "value": [n[gate] for gate in dots],
        }

    return update


def _grid(low_high_step: tuple[float, float, float]) -> list[float]:
    low, high, step = low_high_step
    return [low + k * step for k in range(round((high - low) / step) + 1)]
