"""Chapter 15's figure of blame in a tree: how much of a gradient arrives at each of n leaves, and in a chain."""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..cells import RNN
from ..diagnostics import state_gradient_norms
from ..live import Control, LiveFigure, interact
from ..training import orthogonal
from ..tree import Recursive, Tree, labeled
from .vanishing import share

H, N = 32, 16
LEAVES = [2, 4, 8, 16, 32, 64, 128]
SHAPES = ("balanced", "random", "one-sided")
LOWEST, HIGHEST = 1e-16, 1e2


# Measured -------------------------------------------------------------------------------------


def shaped(leaves: str, shape: str, rng: np.random.Generator) -> Tree:
    """Bare tuples over the leaves, halved again and again, cut at random, or with one leaf cut off.

    >>> rng = np.random.default_rng(0)
    >>> shaped("0110", "balanced", rng), shaped("0110", "one-sided", rng)
    ((('0', '1'), ('1', '0')), ((('0', '1'), '1'), '0'))
    """
    n = len(leaves)
    if n == 1:
        return leaves
    cut = {"balanced": n // 2, "one-sided": n - 1}.get(shape) or rng.integers(1, n)
    return shaped(leaves[:cut], shape, rng), shaped(leaves[cut:], shape, rng)


def inputs(leaves: int) -> list[str]:
    """N sequences of so many random bits."""
    bits = np.random.default_rng(15).integers(2, size=(LEAVES[-1], N))[:leaves]
    return ["".join(map(str, sequence)) for sequence in bits.T]


def recursive(gain: float) -> Recursive:
    """A recursive layer whose two matrices W_h are orthogonal times ``gain``, with small inputs."""
    rng = np.random.default_rng(151)
    layer = Recursive("01+", H, rng=rng)
    layer.W_x[...] = 0.3 * rng.standard_normal((3, H))
    layer.W_h[...] = [gain * orthogonal(H, H, rng=rng) for _ in range(2)]
    return layer


def chain(gain: float) -> RNN:
    """An RNN with the left one of these two matrices and the same inputs."""
    layer = recursive(gain)
    rnn = RNN(2, H, rng=np.random.default_rng(0))
    rnn.W_x[...], rnn.W_h[...] = layer.W_x[:2], layer.W_h[0]
    return rnn


def directions() -> np.ndarray:
    """How the loss looks at the last state: N random unit vectors (N, H)."""
    v = np.random.default_rng(152).standard_normal((N, H))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


@cache
def in_tree(gain: float, leaves: int, shape: str) -> tuple[np.ndarray, np.ndarray]:
    """‖∂L/∂h‖ (leaves, N) at every leaf, left to right, and how deep each leaf lies (leaves,).

    The loss of a tree is L = v·h_root with a random unit vector v, so the root itself reads 1.
    """
    layer = recursive(gain)
    trees = [
        labeled(shaped(bits, shape, np.random.default_rng(153)), "+") for bits in inputs(leaves)
    ]
    trace = layer.forward(trees)
    grads = layer.backward(trace, np.zeros_like(trace.h), dstate=directions())
    leaf = (trace.children < 0).all(axis=1)
    norms = np.linalg.norm(grads["h"][leaf], axis=1).reshape(N, leaves).T
    return norms, trace.depth[leaf][:leaves]


@cache
def in_chain(gain: float, leaves: int) -> np.ndarray:
    """‖∂L/∂h_t‖ (leaves, N) at every step of an RNN that reads nothing but the leaves."""
    layer = chain(gain)
    bits = np.array([list(map(int, sequence)) for sequence in inputs(leaves)])
    trace = layer.forward(np.eye(2)[bits.T])
    dh = np.zeros_like(trace.h)
    dh[-1] = directions()
    return state_gradient_norms(layer.backward(trace, dh))


# Shown ----------------------------------------------------------------------------------------


def tree_gradient() -> LiveFigure:
    """The gradient at each of n leaves, in a tree and in a chain: by place, and by steps from the loss."""
    most = LEAVES[-1]
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.2))
        panels = {top: "leaf, from left to right", bottom: "k, steps from the loss"}
        for ax, label in panels.items():
            ax.set(xlim=(0, 1.22 * most), xticks=range(0, most + 1, 32), xlabel=label)
            plots.log_axis(ax, LOWEST, HIGHEST, decades=4)
        top.set_title("What arrives at each leaf")
        bottom.set_title("The same, by the way it has come")
        dots, lines, labels = {}, {}, {}
        for ax in panels:
            (lines[ax],) = ax.plot([], [], color=plots.RNN, label="chain")
            (dots[ax],) = ax.plot([], [], "o", color=plots.ACCENT, markersize=4, label="tree")
            labels[ax] = {"chain": ax.text(0, 1, "", color=plots.RNN, va="center")}
        (bound,) = bottom.plot([], [], "--", color=plots.GOLD, linewidth=1.5, label="bound gainᵏ")
        labels[top]["tree"] = top.text(0, 1, "", color=plots.ACCENT, va="center")
        labels[bottom]["gainᵏ"] = bottom.text(0, 1, "", color=plots.GOLD, va="center")

    @interact(
        fig,
        name="tree-gradient",
        alt="The norm of the gradient at every leaf of a tree and at every step of a chain, on a log "
        "axis: above against the place of the leaf, below against the steps from the loss.",
        leaves=Control(LEAVES, kind="slider"),
        gain=(0.5, 1.0, 0.1),
        tree=list(SHAPES),
    )
    def update(
        leaves: int = 64, gain: float = 0.8, tree: str = "balanced"
    ) -> tuple[str, dict[str, np.ndarray]]:
        norms, depth = in_tree(gain, leaves, tree)
        of_tree = np.median(norms, axis=1)
        of_chain = np.median(in_chain(gain, leaves), axis=1)
        place, last = np.arange(1, leaves + 1), leaves - 1
        for ax, of_dots, of_line in ((top, place, place), (bottom, depth, leaves - place)):
            dots[ax].set_data(of_dots, of_tree)
            lines[ax].set_data(of_line, of_chain)
        bound.set_data([0, last], [1, gain**last])
        plots.label_ends(labels[top], [of_chain[-1], of_tree[-1]], leaves + 2)
        plots.label_ends(labels[bottom], [of_chain[0], gain**last], leaves + 2)
        deepest = depth.argmax()
        some = slice(None, None, max(1, leaves // 64))  # a table of 128 rows is no help
        numbers = {
            "leaf": place[some],
            "steps in the tree": depth[some],
            "left in the tree": of_tree[some],
            "steps in the chain": (leaves - place)[some],
            "left in the chain": of_chain[some],
        }
        sentence = (
            f"Gain {gain:.1f}, {leaves} leaves: in the {tree} tree the deepest leaf is "
            f"{_steps(depth[deepest])} from the loss and gets "
            f"{share(of_tree[deepest], LOWEST, HIGHEST)} the gradient at the root; in the chain the "
            f"first leaf is {_steps(last)} away and gets {share(of_chain[0], LOWEST, HIGHEST)} it."
        )
        return sentence, numbers

    return update


def _steps(number: int) -> str:
    return f"{number} step{'' if number == 1 else 's'}"
