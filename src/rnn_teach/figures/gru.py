"""Chapter 10's live figure of one step: the GRU cell with two units and their numbers on every wire."""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .. import plots
from ..cells import GRU, GRUTrace
from ..live import Control, LiveFigure, interact
from .wires import Point, Wires, box, node

# Two units, few numbers: an input above 0 opens the reset gate of unit 1 and closes that of
# unit 2, and replaces unit 1 while it keeps unit 2. Each candidate hears the other unit only.
W_X = [[3.0, -3.0, -2.0, 2.0, 0.5, 0.5]]
W_H = [[0.5, 0.0, 0.5, 0.0, 0.0, 1.5], [0.0, 0.5, 0.0, 0.5, 1.5, 0.0]]
H_PREV = (0.8, -0.6)
X = [k / 4 for k in range(-8, 9)]
RESETS = {"after the product": "after", "before the product": "before"}
SIGNS = {"z keeps": "keeps", "z takes": "takes"}


# Computed -------------------------------------------------------------------------------------


def cell(reset: str = "after") -> GRU:
    """The GRU of the picture: one input, two units, and weights that fit on a blackboard."""
    layer = GRU(1, 2, rng=np.random.default_rng(0), reset=reset)
    layer.W_x[:], layer.W_h[:] = W_X, W_H
    return layer


def turned(layer: GRU) -> GRU:
    """A GRU whose update gate is 1 - z, where that of ``layer`` is z: the other sign of its sum.

    So it computes what a text with the other convention computes from the weights of ``layer``.

    >>> there = turned(cell())
    >>> (turned(there).W_x == cell().W_x).all()
    np.True_
    """
    twin = GRU(layer.D, layer.H, rng=np.random.default_rng(0), reset=layer.reset)
    for name, p in layer.parameters.items():
        twin.parameters[name][:] = p
        if name != "b_hn":
            twin.parameters[name][..., layer.H : 2 * layer.H] *= -1
    return twin


@cache
def one_step(x: float, reset: str = "after", sign: str = "keeps") -> dict[str, np.ndarray]:
    """The two numbers of every wire, by the names in the picture, for one step from ``H_PREV``.

    ``sign`` is what z near 1 does, by the convention of the text in which these weights are read:
    it "keeps" the old state or "takes" the candidate.

    >>> one_step(1.0)["hₜ"].round(2).tolist()
    [-0.16, -0.43]
    """
    layer = cell(reset) if sign == "keeps" else turned(cell(reset))
    trace: GRUTrace = layer.forward(np.array([[[x]]]), [H_PREV])
    old, r, n, m, share, h = (
        a[0, 0] for a in (trace.h_prev, trace.r, trace.n, trace.m, trace.z, trace.h)
    )
    heard = r * m if reset == "after" else (r * m) @ layer.W_h[:, 4:]
    z = share if sign == "keeps" else 1 - share
    return {
        "hₜ₋₁": old,
        "r": r,
        "heard": heard,
        "n": n,
        "z": z,
        "1 − z": 1 - z,
        "kept": share * old,
        "new": (1 - share) * n,
        "hₜ": h,
    }


# Shown ----------------------------------------------------------------------------------------

BELT, Z_Y, LANE, R_Y = 6.5, 4.8, 2.95, 0.95  # the four levels of the picture, from above
X_RAIL, RAIL, KEEP, ADD = 0.3, 0.7, 4.9, 8.15  # the rails of x and h, z's first product, the sum
BEFORE, PRODUCT, AFTER, TANH = 1.75, 3.3, 4.9, 6.75  # along the candidate's lane
WIDTH, TALL = 1.72, 1.1
NUMBERS = {  # where each pair of numbers begins or, left of z's way up, ends
    "hₜ₋₁": (0.1, 7.1),
    "kept": (5.3, 7.1),
    "hₜ": (8.4, 7.1),
    "z": (KEEP - 0.15, 5.42),
    "1 − z": (5.6, 4.97),
    "new": (ADD + 0.18, 5.4),
    "n": (ADD + 0.18, 3.3),
    "heard": (KEEP + 0.15, 1.85),
    "r": (4.35, 0.6),
}
FIXED = [  # the wires of every GRU: of h, of x, and of z and the candidate
    [(RAIL, BELT), (RAIL, R_Y + 0.2), (2.44, R_Y + 0.2)],
    [(RAIL, Z_Y + 0.2), (1.84, Z_Y + 0.2)],
    [(0.0, 0.2), (7.1, 0.2), (7.1, LANE - 0.55)],
    [(X_RAIL, 0.2), (X_RAIL, Z_Y - 0.2), (1.84, Z_Y - 0.2)],
    [(X_RAIL, R_Y - 0.2), (2.44, R_Y - 0.2)],
    [(3.56, Z_Y), (KEEP, Z_Y), (KEEP, BELT - 0.3)],
    [(KEEP, Z_Y), (ADD - 0.3, Z_Y)],
    [(TANH + 0.86, LANE), (ADD, LANE), (ADD, Z_Y - 0.3)],
    [(ADD, Z_Y + 0.3), (ADD, BELT - 0.3)],
    [(ADD + 0.3, BELT), (10.4, BELT)],
]
JOINTS = [(RAIL, BELT), (RAIL, Z_Y + 0.2), (RAIL, LANE), (X_RAIL, 0.2), (X_RAIL, R_Y - 0.2)]
JOINTS += [(KEEP, Z_Y)]  # where a wire branches; elsewhere two that cross do not meet
LANES = {  # from the old state to the candidate, with the reset gate in one of two places
    "before": [
        [(RAIL, LANE), (BEFORE - 0.3, LANE)],
        [(BEFORE + 0.3, LANE), (PRODUCT - 0.65, LANE)],
        [(PRODUCT + 0.65, LANE), (TANH - 0.86, LANE)],
        [(2.9, R_Y + 0.55), (2.9, 1.95), (BEFORE, 1.95), (BEFORE, LANE - 0.3)],
    ],
    "after": [
        [(RAIL, LANE), (PRODUCT - 0.65, LANE)],
        [(PRODUCT + 0.65, LANE), (AFTER - 0.3, LANE)],
        [(AFTER + 0.3, LANE), (TANH - 0.86, LANE)],
        [(3.7, R_Y + 0.55), (3.7, 1.95), (AFTER, 1.95), (AFTER, LANE - 0.3)],
    ],
}


class _Gate:
    """A gate's box, each half filled up to the gate of one unit."""

    def __init__(self, ax: Axes, middle: Point, name: str) -> None:
        (x, y), self.fills = middle, []
        frame = box(ax, middle, WIDTH, TALL)
        for left in (x - WIDTH / 2, x):
            corner = (left + 0.03, y - TALL / 2)
            fill = Rectangle(corner, WIDTH / 2 - 0.06, 0, facecolor=plots.GRU, alpha=0.35, zorder=2)
            fill.set_clip_path(frame)
            self.fills.append(ax.add_patch(fill))
        _lines(ax, middle, name, "sigmoid")

    def show(self, values: np.ndarray) -> None:
        for fill, value in zip(self.fills, values, strict=True):
            fill.set_height(value * TALL)


class _Ribbons:
    """A piece of the belt: a ribbon for each unit, as thick as its number."""

    def __init__(self, ax: Axes, left: float, right: float) -> None:
        self.ribbons = [
            ax.add_patch(Rectangle((left, BELT), right - left, 0, alpha=0.8, zorder=1))
            for _ in range(2)
        ]

    def show(self, values: np.ndarray) -> None:
        for ribbon, value, y in zip(self.ribbons, values, (BELT + 0.22, BELT - 0.22), strict=True):
            thick = 0.4 * abs(value)
            ribbon.set(y=y - thick / 2, height=thick)
            ribbon.set_facecolor(plots.GRU if value >= 0 else plots.RNN)


def _lines(ax: Axes, middle: Point, above: str, below: str) -> None:
    """Two lines of text in a box."""
    for y, text in ((0.22, above), (-0.24, below)):
        ax.text(middle[0], middle[1] + y, text, ha="center", va="center", zorder=5)


def pair(values: np.ndarray, between: str = "\u2002") -> str:
    """The numbers of unit 1 and unit 2, apart by a space that no browser makes narrower.

    >>> pair(np.array([0.5, -0.25]), " and ")
    '0.50 and −0.25'
    """
    return between.join(plots.number(value) for value in values)


def gru_steps() -> LiveFigure:
    """The GRU cell, drawn once: two switches move the reset gate and turn the sign of z."""
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 4.4), layout=None)
        ax.set_position((0.01, 0.01, 0.98, 0.92))
        ax.set(xlim=(-0.05, 10.45), ylim=(-0.55, 7.95))
        ax.axis("off")
        title = ax.set_title(" ")
        ax.add_patch(Rectangle((0, BELT - 0.5), 10.4, 1.0, color=plots.SOFT, zorder=0))
        ends = {"hₜ₋₁": (0.0, KEEP), "kept": (KEEP, ADD), "hₜ": (ADD, 10.4)}
        belt = {name: _Ribbons(ax, *places) for name, places in ends.items()}
        Wires(ax, FIXED)
        ax.scatter(*zip(*JOINTS, strict=True), s=9, color=plots.MUTED, zorder=3)
        lanes = {reset: Wires(ax, routes) for reset, routes in LANES.items()}
        for lane in lanes.values():
            lane.light(plots.GRU)
        reset_gate = _Gate(ax, (3.3, R_Y), "reset")
        update_gate = _Gate(ax, (2.7, Z_Y), "update")
        box(ax, (PRODUCT, LANE), 1.3, TALL)
        ax.text(PRODUCT, LANE, "· Wₕₙ", ha="center", va="center", zorder=5)
        box(ax, (TANH, LANE), WIDTH, TALL)
        _lines(ax, (TANH, LANE), "candidate", "tanh")
        for place, sign in (((KEEP, BELT), "×"), ((ADD, Z_Y), "×"), ((ADD, BELT), "+")):
            node(ax, place, sign)
        products = {}
        for reset, place in (("before", BEFORE), ("after", AFTER)):
            products[reset] = [node(ax, (place, LANE), "×"), ax.texts[-1]]
            products[reset][0].set(edgecolor=plots.GRU, linewidth=2.5)
        texts = {name: ax.text(x, y, "", linespacing=1.25) for name, (x, y) in NUMBERS.items()}
        texts["z"].set_ha("right")
        input_text = ax.text(0.0, -0.35, "")
        null = ax.text(10.4, -0.35, "", ha="right", color=plots.MUTED)

    @interact(
        fig,
        name="gru-steps",
        alt="A GRU cell with two units. Above, a belt carries the state from left to right, through "
        "a product with the update gate and a sum with what is new. Below, the candidate hears the "
        "input and, through a reset gate, the old state. Two numbers stand beside every wire.",
        x=Control(X, "input x", kind="slider"),
        reset=RESETS,
        sign=Control(SIGNS, "sign of z"),
    )
    def update(
        x: float = 2.0, reset: str = "after", sign: str = "keeps"
    ) -> tuple[str, dict[str, list[str] | np.ndarray]]:
        n = one_step(x, reset, sign)
        ours = one_step(x)["hₜ"]
        title.set_text(f"Reset {reset} the product, z {sign}")
        names = {name: name for name in NUMBERS}
        # what multiplies the old state stands on the way up, what multiplies the candidate beside it
        up, beside = ("z", "1 − z") if sign == "keeps" else ("1 − z", "z")
        names |= {"z": up, "1 − z": beside}
        for name, text in texts.items():
            text.set_text(f"{names[name]}\n{pair(n[names[name]])}")
        for name, ribbons in belt.items():
            ribbons.show(n[name])
        reset_gate.show(n["r"])
        update_gate.show(n["z"])
        for place, lane in lanes.items():
            for artist in (lane.lines, lane.heads, *products[place]):
                artist.set_visible(place == reset)
        input_text.set_text(f"xₜ {plots.number(x)}")
        null.set_text(f"after, z keeps: hₜ {pair(ours)}")
        r, z, h = (pair(n[name], " and ") for name in ("r", "z", "hₜ"))
        told = (
            f"Reset {reset} the product, z {sign}, x = {plots.number(x)}: the reset gates are {r}, the "
            f"update gates {z}, and the new state is {h}"
        )
        same = np.array_equal(n["hₜ"], ours)
        others = pair(ours, " and ")
        told += "." if same else f"; the same weights with reset after, z keeps, give {others}."
        return told, {
            "wire": list(n),
            **{f"unit {k + 1}": np.array([v[k] for v in n.values()]) for k in range(2)},
        }

    return update
