"""Chapter 15's race: networks of one size that work out an expression, along its tree or along its text."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..bptt import Network, Readout
from ..cells import GRU, RNN
from ..functional import softmax
from ..live import Control, LiveFigure, interact
from ..problems.batch import Batch
from ..problems.expressions import Expressions
from ..training import Adam, fit, linear_decay
from ..tree import Recursive, bpts

H = {"tree": 24, "GRU": 17, "RNN": 32}  # so that all have the same number of parameters
COLORS = {"tree": plots.ACCENT, "GRU": plots.GRU, "RNN": plots.RNN}
TRAINED, DEEPEST = 3, 8  # the deepest expressions of the training, and of the test
MOMENTS = (0, 100, 300, 1000)  # updates after which a network is kept
N = 32  # expressions in a batch
EXAM = 200  # expressions of each depth


# Trained --------------------------------------------------------------------------------------


def network(name: str, *, rng: np.random.Generator) -> Network:
    """An untrained "tree", the recursive network, or a "GRU" or "RNN" that reads the characters."""
    if name == "tree":
        cell = Recursive(Expressions.symbols, H[name], rng=rng)
    else:
        cell = {"GRU": GRU, "RNN": RNN}[name](Expressions.D, H[name], rng=rng)
    return Network(cell, Readout(H[name], Expressions.K, rng=rng))


def size(network: Network) -> int:
    """The number of parameters."""
    return sum(parameter.size for parameter in network.parameters.values())


def train(name: str, *, steps: int = MOMENTS[-1], seed: int = 0) -> dict[int, Network]:
    """Train on batches of expressions of depth 1 to 3; the network after each of ``MOMENTS``.

    All three see the same expressions in the same order, and learn from the value of the whole
    expression only.
    """
    problem, drawn = Expressions(most=TRAINED), np.random.default_rng([seed, 1])
    learner, kept = network(name, rng=np.random.default_rng(seed)), {}
    texts = (problem.draw(N, rng=drawn) for _ in range(steps))
    optimizer = Adam(linear_decay(1e-2, steps=steps))

    def keep(step: int, network: Network) -> None:
        if step in MOMENTS or step == steps:
            kept[step] = deepcopy(network)

    if name == "tree":
        lessons, options = map(problem.as_trees, texts), {"bptt": bpts}
    else:
        lessons, options = map(problem.as_sequences, texts), problem.options
    fit(learner, lessons, steps=steps, optimizer=optimizer, clip=1.0, callback=keep, **options)
    return kept


# Measured -------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """The same expressions twice, with their values."""

    texts: list[str]
    trees: Batch
    sequences: Batch


def asked(texts: list[str]) -> Asked:
    """Some expressions, ready for either kind of network."""
    return Asked(texts, Expressions().as_trees(texts), Expressions().as_sequences(texts))


@cache
def exam(depth: int) -> Asked:
    """The test expressions of one depth, always the same."""
    problem = Expressions(most=depth, least=depth)
    return asked(problem.draw(EXAM, rng=np.random.default_rng([15, depth])))


def probabilities(network: Network, expressions: Asked) -> np.ndarray:
    """How probable the network thinks it that each expression is 1: (N,)."""
    if isinstance(network.cell, Recursive):
        trace = network.cell.forward(expressions.trees.x)
    else:
        x, _, lengths, _ = expressions.sequences
        trace = network.cell.forward(x, lengths=lengths)
    return softmax(network.readout.forward(trace.final))[:, 1]


def accuracy(network: Network, expressions: Asked) -> float:
    """The share of the expressions that it works out."""
    return float(((probabilities(network, expressions) > 0.5) == expressions.trees.target).mean())


# Shown ----------------------------------------------------------------------------------------


def deeper_trees(runs: dict[str, dict[int, Network]]) -> LiveFigure:
    """The share of expressions worked out, against their depth: three networks of one size, and a guess."""
    depths = np.arange(1, DEEPEST + 1)
    exams = [exam(depth) for depth in depths]
    letters = [each.sequences.lengths.mean() for each in exams]
    shares = {
        (name, moment): np.array([accuracy(network, each) for each in exams])
        for name, run in runs.items()
        for moment, network in run.items()
    }
    moments = list(next(iter(runs.values())))
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.8))
        ax.set(xlim=(0.5, DEEPEST + 1.6), xticks=depths, xlabel="depth of the expression")
        ax.set(ylim=(0, 1.08), yticks=(0, 0.5, 1), yticklabels=("0%", "50%", "100%"))
        ax.set_title("Expressions worked out")
        ax.axvspan(0.5, TRAINED + 0.5, color=plots.SOFT, zorder=0)
        ax.text(2, 0.04, "in the training", color=plots.MUTED, ha="center")
        ax.plot([1, DEEPEST], [0.5, 0.5], "--", color=plots.MUTED, linewidth=1, label="a guess")
        columns = [
            ax.axvspan(depth - 0.5, depth + 0.5, facecolor=plots.GRID, alpha=0, zorder=0.5)
            for depth in depths
        ]
        lines = {
            name: ax.plot([], [], "o-", color=COLORS[name], markersize=5, label=name)[0]
            for name in runs
        }
        ends = {
            name: ax.text(DEEPEST + 0.25, 1, name, color=COLORS[name], va="center") for name in runs
        }
        ends["a guess"] = ax.text(DEEPEST + 0.25, 0.5, "a guess", color=plots.MUTED, va="center")

    @interact(
        fig,
        name="deeper-trees",
        alt="The share of expressions worked out against their depth, for a recursive network, a "
        "GRU and an RNN of one size, with the depths of the training shaded and the line of a guess.",
        depth=Control(list(depths.tolist()), kind="slider", artists=columns),
        updates=Control(moments, "updates of training", kind="slider"),
    )
    def update(depth: int = 6, updates: int = moments[-1]) -> str:
        for name, line in lines.items():
            line.set_data(depths, shares[name, updates])
        for at, column in zip(depths, columns, strict=True):
            column.set_alpha(0.7 if at == depth else 0)
        heights = {name: shares[name, updates][-1] for name in runs} | {"a guess": 0.5}
        for name, height in apart(heights, 0.08).items():
            ends[name].set_y(height)
        told = ", ".join(f"the {name} {shares[name, updates][depth - 1]:.0%}" for name in runs)
        return (
            f"After {updates:,} updates, expressions of depth {depth}, "
            f"{letters[depth - 1]:.0f} characters long on average: {told}; a guess 50%."
        )

    return update


def apart(heights: dict[str, float], gap: float) -> dict[str, float]:
    """The same heights, in the same order, moved up as little as keeps them ``gap`` apart.

    >>> apart({"a": 0.5, "b": 0.5, "c": 1.0}, 0.1)
    {'a': 0.5, 'b': 0.6, 'c': 1.0}
    """
    placed, last = {}, -np.inf
    for name in sorted(heights, key=heights.get):
        placed[name] = last = max(heights[name], last + gap)
    return placed
