"""Chapter 12's four ways to be deep: the networks, their graphs walked end to end, and a live figure."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Rectangle

from .. import plots
from ..bptt import Network, Readout
from ..cells import RNN, Layer
from ..deep import Chain, DeepTransition, Dense
from ..live import Control, LiveFigure, interact
from .layer import count

WAYS = ("stacked", "input-to-hidden", "hidden-to-hidden", "hidden-to-output")
DEPTHS, STEPS = (1, 2, 3, 4), 4
D, H, K = 8, 32, 2  # of the networks whose parameters are counted
ROW, RADIUS = 0.43, 0.1  # from level to level, and of a node, where a step is 1 wide
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Node = tuple[int, int]  # (step, level): level 0 is x, 1 … depth are the layers, depth + 1 is y


# Built ----------------------------------------------------------------------------------------


def loops(way: str, depth: int) -> list[tuple[int, int]]:
    """Pairs (a, b): layer b hears what layer a said one step before. The ways differ in this alone.

    >>> [loops(way, 3) for way in WAYS]
    [[(1, 1), (2, 2), (3, 3)], [(3, 3)], [(3, 1)], [(1, 1)]]
    """
    return {
        "stacked": [(k, k) for k in range(1, depth + 1)],
        "input-to-hidden": [(depth, depth)],
        "hidden-to-hidden": [(depth, 1)],
        "hidden-to-output": [(1, 1)],
    }[way]


def layers(
    way: str, depth: int, D: int, H: int, *, rng: np.random.Generator, nonlinearity: str = "tanh"
) -> Layer:
    """``depth`` layers of H units from x_t up to h_t, with the loop where ``way`` puts it."""
    if way == "hidden-to-hidden":
        return DeepTransition(D, H, rng=rng, nonlinearity=nonlinearity, depth=depth)
    recurrent = {b for _, b in loops(way, depth)}
    chain = []
    for k in range(1, depth + 1):
        kind = RNN if k in recurrent else Dense
        chain.append(kind(D if k == 1 else H, H, rng=rng, nonlinearity=nonlinearity))
    return Chain(chain)


def network(way: str, depth: int, D: int, H: int, K: int, *, rng: np.random.Generator) -> Network:
    """The same with a readout of K numbers."""
    return Network(layers(way, depth, D, H, rng=rng), Readout(H, K, rng=rng))


@cache
def cost(way: str, depth: int) -> int:
    """How many numbers a network of this way has to learn, for D = 8, H = 32 and K = 2.

    >>> cost("stacked", 1), cost("stacked", 2)
    (1378, 3458)
    """
    return count(network(way, depth, D, H, K, rng=np.random.default_rng(0)))


# Walked ---------------------------------------------------------------------------------------


@cache
def edges(way: str, depth: int, steps: int = STEPS) -> list[tuple[Node, Node]]:
    """The unrolled graph, sorted: what leads to a node comes before what leaves it."""
    up = [((t, k), (t, k + 1)) for t in range(1, steps + 1) for k in range(depth + 1)]
    on = [((t - 1, a), (t, b)) for t in range(2, steps + 1) for a, b in loops(way, depth)]
    return sorted(up + on)


def lengths(way: str, depth: int, steps: int = STEPS, start: int = 1) -> Counter[int]:
    """How many paths from x_start to the last y have so many layers on them.

    >>> lengths("stacked", 2), lengths("hidden-to-hidden", 2)
    (Counter({5: 4}), Counter({8: 1}))
    """
    found = {(start, 0): Counter({0: 1})}  # one path, and it still stands at x_start
    for tail, head in edges(way, depth, steps):
        for length, paths in found.get(tail, Counter()).items():
            # y has no nonlinearity, so it is no layer
            found.setdefault(head, Counter())[length + (head[1] <= depth)] += paths
    return found[steps, depth + 1]


def unit_gradient(way: str, depth: int, steps: int, weight: float) -> float:
    """∂h_T/∂x_1 by backward, with one unit a layer, no activation, and every weight the same.

    Each path then counts weight^(layers on it), and weight 1 makes it the number of paths.

    >>> unit_gradient("stacked", 3, 4, 1.0), unit_gradient("hidden-to-hidden", 3, 4, 1.0)
    (10.0, 1.0)
    """
    units = layers(way, depth, 1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
    for p in units.parameters.values():
        if p.ndim == 2:
            p[:] = weight
    dh = np.zeros((steps, 1, 1))
    dh[-1] = 1
    return units.backward(units.forward(np.zeros((steps, 1, 1))), dh)["x"][0].item()


def through(way: str, depth: int, start: int) -> np.ndarray:
    """The share of all paths from x_start to the last y that take each of the edges."""
    walked, end = edges(way, depth), (STEPS, depth + 1)
    into, out_of = Counter({(start, 0): 1}), Counter({end: 1})
    for tail, head in walked:
        into[head] += into[tail]
    for tail, head in reversed(walked):
        out_of[tail] += out_of[head]
    return np.array([into[tail] * out_of[head] for tail, head in walked]) / into[end]


# Shown ----------------------------------------------------------------------------------------


def _place(node: Node) -> np.ndarray:
    return np.array([node[0], ROW * node[1]])


def _arrow(tail: Node, head: Node, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The line from node to node, and the corners of its arrowhead, which is larger on a path."""
    along = _place(head) - _place(tail)
    along /= np.linalg.norm(along)
    long, half = (0.14, 0.065) if share else (0.09, 0.04)
    start, tip = _place(tail) + 1.1 * RADIUS * along, _place(head) - 1.1 * RADIUS * along
    back, across = tip - long * along, half * along[::-1] * (1, -1)
    return np.array([start, back]), np.array([tip, back + across, back - across])


class _Bars:
    """A bar and its number for each way, and a dashed line where depth 1 is."""

    def __init__(self, ax: Axes, most: int, *, named: bool) -> None:
        # the names stand inside: ticks would take their room from the graph above, too
        ax.set(xlim=(-1.25 * most if named else 0, 1.45 * most), ylim=(3.7, -0.6))
        ax.axis("off")
        ax.plot([0, 0], [-0.5, 3.5], color=plots.MUTED, linewidth=0.8)
        if named:
            for k, way in enumerate(WAYS):
                ax.text(-0.04 * most, k, way, ha="right", va="center")
        self.gap, self.bars = 0.04 * most, ax.barh(range(4), 0, height=0.6).patches
        self.title = ax.text(0, -0.75, "", weight="bold")
        self.numbers = [ax.text(0, k, "", va="center") for k in range(4)]
        (self.null,) = ax.plot([], [], "--", color=plots.INK, linewidth=1)

    def show(self, values: list[int], null: int, way: str) -> None:
        for name, bar, number, value in zip(WAYS, self.bars, self.numbers, values, strict=True):
            bar.set(width=value, facecolor=plots.RNN if name == way else plots.GRID)
            number.set(x=value + self.gap, text=f"{value:,}")
            number.set_weight("bold" if name == way else "normal")
        self.null.set_data([null, null], [-0.5, 3.5])


def four_ways() -> LiveFigure:
    """The unrolled graph of a way to be deep, all paths from an input to the end, and what they cost."""
    deepest, times = DEPTHS[-1], range(1, STEPS + 1)
    with plots.style():
        fig, axes = plt.subplot_mosaic(
            "aa;bc", figsize=(5.2, 5), height_ratios=(2.1, 1), width_ratios=(1.6, 1)
        )
        graph = axes["a"]
        graph.set(xlim=(0.1, STEPS + 0.4), ylim=(-0.2, ROW * (deepest + 1) + 0.2), aspect="equal")
        graph.axis("off")
        title = graph.set_title(" ")
        places = [
            graph.add_patch(Rectangle((t - 0.22, -0.17), 0.44, 0.32, facecolor=plots.GRID, alpha=0))
            for t in times
        ]
        wires = graph.add_collection(LineCollection([]))
        heads = graph.add_collection(PolyCollection([], edgecolor="none", zorder=3))
        states = graph.scatter([], [], s=140, facecolor=plots.SOFT, edgecolor=plots.INK, zorder=3)
        others = graph.scatter([], [], s=120, marker="s", facecolor="none", edgecolor=plots.MUTED)
        for t in times:
            graph.text(t, 0, f"x{_sub(t)}", ha="center", va="center_baseline")
        outputs = [graph.text(t, 0, f"y{_sub(t)}", ha="center", va="center") for t in times]
        rows = [
            graph.text(0.12, ROW * k, f"layer {k}", color=plots.MUTED, va="center") for k in DEPTHS
        ]
        far = _Bars(axes["b"], STEPS * deepest, named=True)
        numbers = _Bars(axes["c"], cost("stacked", deepest), named=False)
        numbers.title.set_text("Numbers to learn")

    @interact(
        fig,
        name="four-ways",
        group="deep",
        alt="A deep recurrent network unrolled over four steps: circles are layers that hand a "
        "state on, squares layers that do not. All paths from one input to the last output are "
        "lit. Below, for each way, the layers on a path and the numbers to learn.",
        way=list(WAYS),
        depth=Control(DEPTHS, kind="slider"),
        start=Control({f"x{_sub(t)}": t for t in times}, "from", kind="slider", artists=places),
    )
    def update(
        way: str = "stacked", depth: int = 3, start: int = 1
    ) -> tuple[str, dict[str, list[Any]]]:
        walked, share = edges(way, depth), through(way, depth, start)
        arrows = [_arrow(*edge, part) for edge, part in zip(walked, share, strict=True)]
        color = [plots.RNN if taken else plots.MUTED for taken in share]
        wires.set_segments([line for line, _ in arrows])
        wires.set(color=color, linewidth=np.where(share, 1 + 2.5 * share, 0.8))
        heads.set_verts([corners for _, corners in arrows])
        heads.set_facecolor(color)
        handed_on = {a for a, _ in loops(way, depth)}
        levels = {True: [], False: []}
        for k in range(1, depth + 1):
            levels[k in handed_on] += [_place((t, k)) for t in times]
        for nodes, offsets in ((states, levels[True]), (others, levels[False])):
            nodes.set_offsets(np.reshape(offsets, (-1, 2)))
        for text in outputs:
            text.set_y(ROW * (depth + 1))
        for k, row in zip(DEPTHS, rows, strict=True):
            row.set_visible(k <= depth)
        for t, place in zip(times, places, strict=True):
            place.set_alpha(0.8 if t == start else 0)

        # all paths of a way are equally long, so the one length says it
        found = {name: lengths(name, depth, start=start) for name in WAYS}
        on_path = [max(found[name]) for name in WAYS]
        learned = [cost(name, depth) for name in WAYS]
        ends = f"x{_sub(start)} to y{_sub(STEPS)}"
        far.title.set_text(f"Layers from {ends}")
        far.show(on_path, max(lengths(way, 1, start=start)), way)
        numbers.show(learned, cost(way, 1), way)
        paths, here = found[way].total(), WAYS.index(way)
        layers_on = f"{on_path[here]} layer{'s' * (on_path[here] > 1)}"
        if paths > 1:
            title.set_text(f"{paths} paths from {ends}, {layers_on} on each")
            lead = f"{paths} paths lead from {ends}, each through {layers_on}"
        else:
            title.set_text(f"One path from {ends}, {layers_on} on it")
            lead = f"one path leads from {ends}, through {layers_on}"
        sentence = (
            f"{way.capitalize()}, depth {depth}: {lead}. It has {learned[here]:,} numbers to learn, "
            f"the plain layer {cost(way, 1):,}."
        )
        return sentence, {
            "way": list(WAYS),
            f"paths from {ends}": [found[name].total() for name in WAYS],
            "layers on each": on_path,
            "numbers to learn": learned,
        }

    return update


def _sub(t: int) -> str:
    return str(t).translate(SUBSCRIPT)
