"""Chapter 15's live parse tree: an expression folded up by a recursive network, sign by sign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection

from .. import plots
from ..bptt import Network
from ..functional import softmax
from ..live import Control, LiveFigure, interact
from ..problems.expressions import Tree, parse, value
from .inside import Tiles

# eight bits and seven signs each, from the flattest tree there is to two chains
EXPRESSIONS = {
    "depth 3, balanced": "((1&0)|(1^0))^((0|1)&(1&1))",
    "depth 4": "((0|1)&(1^(0|0)))^((1&1)|0)",
    "depth 5": "(((1&(0|1))^1)|(0&1))^(1&1)",
    "depth 6": "1^((0|(1&((1^0)&(1|0))))&1)",
    "depth 7, to the left": "((((((1&0)|1)^1)|0)^1)&1)^1",
    "depth 7, to the right": "1&(0|(1^(1&(0|(1^(0&1))))))",
}

TOP = 7  # where the root stands


# Laid out ------------------------------------------------------------------------------------


def subtrees(tree: Tree) -> Iterator[Tree]:
    """All nodes in the order of folding: children before their parent, left before right.

    >>> list(subtrees(("&", "1", ("|", "0", "1"))))
    ['1', '0', '1', ('|', '0', '1'), ('&', '1', ('|', '0', '1'))]
    """
    for child in tree[1:]:
        yield from subtrees(child)
    yield tree


def written(tree: Tree) -> str:
    """The tree as text, every operation in parentheses.

    >>> written(("&", "1", ("|", "0", "1")))
    '(1&(0|1))'
    """
    return tree if isinstance(tree, str) else f"({written(tree[1])}{tree[0]}{written(tree[2])})"


class Place(NamedTuple):
    """Where each node of a tree stands: above its place in the text, as high as it is folded late."""

    x: np.ndarray  # (M,) its place in the text, parentheses not counted
    y: np.ndarray  # (M,) 0 for a leaf, for others one more than the higher child
    children: np.ndarray  # (M, 2) the numbers of its children, -1 for a leaf


def places(tree: Tree) -> Place:
    """The places of all nodes, in the order of folding."""
    x, y, children = [], [], []

    def place(node: Tree, start: int) -> tuple[int, int]:
        """Place what is below ``node`` and it; its number, and how many signs and bits it has."""
        if isinstance(node, str):
            below, at, high, width = (-1, -1), start, 0, 1
        else:
            left, before = place(node[1], start)
            right, after = place(node[2], start + before + 1)
            below, at, high = (left, right), start + before, 1 + max(y[left], y[right])
            width = before + 1 + after
        x.append(at)
        y.append(high)
        children.append(below)
        return len(x) - 1, width

    place(tree, 0)
    return Place(np.array(x), np.array(y), np.array(children))


# Shown ----------------------------------------------------------------------------------------


def fold_tree(moments: Mapping[int, Network]) -> LiveFigure:
    """An expression folded up its parse tree, sign by sign, by a network after some of its training."""
    units, trees = moments[0].cell.H, {text: parse(text) for text in EXPRESSIONS.values()}
    nodes = {text: list(subtrees(tree)) for text, tree in trees.items()}
    M = len(next(iter(nodes.values())))
    traces = {
        (text, moment): network.cell.forward([tree])
        for text, tree in trees.items()
        for moment, network in moments.items()
    }
    says = {
        (text, moment): softmax(moments[moment].readout.forward(trace.h))[:, 1]
        for (text, moment), trace in traces.items()
    }
    with plots.style():
        fig, (ax, below) = plt.subplots(2, figsize=(5.2, 5.6), height_ratios=(4, 1))
        ax.set(xlim=(-0.9, M - 0.1), ylim=(-0.6, TOP + 0.7))
        ax.axis("off")
        title = ax.set_title(" ")
        links = ax.add_collection(LineCollection([], color=plots.MUTED, linewidth=1))
        done = ax.add_collection(LineCollection([], color=plots.INK, linewidth=2))
        circles = ax.scatter(np.zeros(M), np.zeros(M), s=320, facecolor="#ffffff", zorder=3)
        middle = {"ha": "center", "va": "center_baseline", "size": 11, "zorder": 4}
        signs = [ax.text(0, 0, "", **middle) for _ in range(M)]
        answers = [ax.text(0, 0, "", va="bottom", weight="bold", zorder=4) for _ in range(M)]

        below.set(xlim=(-3.6, units + 7.4), ylim=(-0.6, 2.6))
        below.axis("off")
        heading = below.set_title(" ")
        tiles = Tiles(below)
        rows = [below.text(-0.9, 2 - k, "", ha="right", va="center") for k in range(3)]
        read = [below.text(units + 0.4, 2 - k, "", va="center") for k in range(3)]
    corners = np.stack(np.meshgrid(np.arange(units) - 0.46, [1.6, 0.6, -0.4]), axis=-1)

    @interact(
        fig,
        name="fold-tree",
        alt="The parse tree of an expression above its bits. Each sign that has been folded is "
        "filled in with the network's answer. Below, the states of the two sides and of the sign.",
        expression=EXPRESSIONS,
        step=(0, M // 2, 1),
        updates=Control(list(moments), "updates of training", kind="slider"),
    )
    def update(
        expression: str = EXPRESSIONS["depth 6"], step: int = 4, updates: int = max(moments)
    ) -> tuple[str, dict[str, list | np.ndarray]]:
        parts, place = nodes[expression], places(trees[expression])
        p, h = says[expression, updates], traces[expression, updates].h
        truth = np.array([value(part) for part in parts])
        inner = np.flatnonzero(place.children[:, 0] >= 0)
        folded, at = inner[:step], np.c_[place.x, place.y * TOP / place.y.max()]
        right = (p > 0.5) == truth

        title.set_text(written(trees[expression])[1:-1])
        lines = {n: [[at[n], at[child]] for child in place.children[n]] for n in inner}
        links.set_segments([line for n in inner[step:] for line in lines[n]])
        done.set_segments([line for n in folded for line in lines[n]])
        circles.set_offsets(at)
        edges = [plots.MUTED] * M
        for n in folded:
            edges[n] = plots.GRU if right[n] else plots.RNN
        circles.set_edgecolor(edges)
        now = folded[-1] if step else None
        circles.set_linewidth([3.5 if n == now else 1.5 if n in folded else 0.8 for n in range(M)])
        turned = set(place.children[:, 0].tolist())  # their line leaves to the right
        for n, part in enumerate(parts):
            signs[n].set(text=part[0], position=at[n])
            side = -1 if n in turned else 1
            answer = f"{p[n] > 0.5:d}" + ("" if right[n] else f"≠{truth[n]}")
            answers[n].set(
                text=answer if n in folded else "",
                position=at[n] + (0.45 * side, 0.15),
                ha="right" if side < 0 else "left",
                color=plots.GRU if right[n] else plots.RNN,
            )

        shown = [*place.children[now], now] if step else []
        for row, text in enumerate(rows):
            text.set_text(("left", "right", parts[now][0])[row] if step else "")
            read[row].set_text("" if not step or row < 2 else f"1 with {p[now]:.0%}")
        values = h[shown].ravel() if step else np.zeros(3 * units)
        tiles.show(values, corners.reshape(-1, 2), 0.92, 0.92)
        numbers = {
            "step": np.arange(1, len(inner) + 1),
            "part": [written(parts[n])[1:-1] for n in inner],
            "value": truth[inner],
            "probability of 1": p[inner],
        }
        if not step:
            heading.set_text("States: none folded yet")
            return f"{written(trees[expression])[1:-1]}: nothing is folded yet.", numbers
        heading.set_text(f"The states of {written(parts[now])[1:-1]}")
        sentence = (
            f"After {updates:,} updates, step {step} of {M // 2}: {written(parts[now])[1:-1]} is folded; "
            f"the network says 1 with {p[now]:.0%}, and the value is {truth[now]}. "
            f"Right so far: {right[folded].sum()} of {step}."
        )
        return sentence, numbers

    return update
