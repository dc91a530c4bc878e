"""Chapter 09's counters: small LSTMs that learn a^n b^n up to n = 10, and what they do beyond."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..bptt import Network, Readout, predict
from ..cells import LSTM
from ..functional import softmax
from ..live import Control, LiveFigure, interact
from ..tasks import Batch, Counting, batches
from ..training import Adam, fit, linear_decay

TASK = Counting(most=10)
H, UPDATES, SHOWN, ASKED = 4, 1000, 40, 60
KINDS = {
    "with peepholes": {"peephole": True, "forget_bias": 1.0},
    "without peepholes": {"forget_bias": 1.0},
    "coupled": {"coupled": True},
}


# Trained --------------------------------------------------------------------------------------


class Counter(NamedTuple):
    """A network that learned to count, as it was before and after."""

    untrained: Network
    trained: Network


@cache
def train(kind: str, seed: int = 0) -> Counter:
    """An LSTM of 4 units after 1,000 updates of 32 strings $ a^n b^n, n = 1 … 10."""
    rng = np.random.default_rng([seed, H])
    network = Network(LSTM(TASK.D, H, rng=rng, **KINDS[kind]), Readout(H, TASK.K, rng=rng))
    untrained = deepcopy(network)
    optimizer = Adam(linear_decay(2e-2, steps=UPDATES))
    many = batches(TASK, 32, rng=rng)
    fit(network, many, steps=UPDATES, optimizer=optimizer, clip=1.0, **TASK.options)
    return Counter(untrained, network)


# Measured -------------------------------------------------------------------------------------


def string(n: int) -> Batch:
    """The one string $ a^n b^n, its end $ as the last target.

    >>> x, target, _, _ = string(2)
    >>> "".join(TASK.symbols[k] for k in x[:, 0].argmax(axis=1)), target[:, 0].tolist()
    ('$aabb', [1, 1, 2, 2, 0])
    """
    codes = np.array([0] + n * [1] + n * [2] + [0])
    return Batch(np.eye(TASK.K)[codes[:-1], None], codes[1:, None])


def tally(n: int) -> np.ndarray:
    """How many a are still without their b after each symbol of $ a^n b^n (2n + 1,).

    >>> tally(3)
    array([0, 1, 2, 3, 2, 1, 0])
    """
    return np.r_[np.arange(n + 1), np.arange(n)[::-1]]


def counts_right(network: Network, n: int) -> bool:
    """Whether from the first b on each most probable symbol is the one that comes, the end too."""
    x, target, _, _ = string(n)
    said = predict(network, x)[0].argmax(axis=2)
    return bool((said == target)[n + 1 :].all())


def reached(network: Network, most: int = ASKED) -> int:
    """The largest n, up to ``most``, such that it counts right for every number up to n."""
    return next((n - 1 for n in range(1, most + 1) if not counts_right(network, n)), most)


class Reading(NamedTuple):
    """How to read the tally off one cell: scale * c + shift."""

    unit: int
    r: float  # the correlation of its c with the tally, over n = 1 … 10
    scale: float
    shift: float


def reading(network: Network) -> Reading:
    """The cell that goes best with the tally on the lengths of the training, and how to read it."""
    numbers = range(1, TASK.most + 1)
    c = np.concatenate([predict(network, string(n).x)[1].c[:, 0] for n in numbers])
    counted = np.concatenate([tally(n) for n in numbers])
    r = np.corrcoef(c.T, counted)[-1, :-1]
    unit = int(np.abs(r).argmax())
    scale, shift = np.polyfit(c[:, unit], counted, 1)
    return Reading(unit, float(r[unit]), float(scale), float(shift))


# Shown ----------------------------------------------------------------------------------------


def counting() -> LiveFigure:
    """What the counting cell says over a^n b^n, and when the network expects the end."""
    readings = {kind: [reading(network) for network in train(kind)] for kind in KINDS}
    limits = {kind: reached(train(kind).trained) for kind in KINDS}
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 4.3), height_ratios=(3, 1), sharex=True)
        top.set(xlim=(-1, 2 * SHOWN + 1), ylim=(-6, SHOWN + 2), yticks=range(0, SHOWN + 1, 10))
        top.set_title("The count, read off one cell")
        top.set_xlabel("symbols read", visible=False)  # for the table of numbers
        (right,) = top.plot([], [], color=plots.MUTED, linewidth=4, alpha=0.5, label="right")
        (null,) = top.plot([], [], ":", color=plots.INK, linewidth=1.5, label="untrained")
        (cell,) = top.plot([], [], color=plots.LSTM, label="trained")
        for y, words, color in (
            (0.93, "right", plots.MUTED),
            (0.83, "trained", plots.LSTM),
            (0.73, "untrained", plots.INK),
        ):
            top.text(0.01, y, words, color=color, va="center", transform=top.transAxes)
        bottom.set(ylim=(-0.05, 1.1), yticks=(0, 0.5, 1), xlabel="symbols read")
        bottom.set_title("Probability of the end")
        (where,) = bottom.plot([], [], color=plots.MUTED, linewidth=4, alpha=0.5, label="_where")
        (end,) = bottom.plot([], [], color=plots.LSTM, label="the end comes next")

    @interact(
        fig,
        name="counting",
        alt="Above, the number of a that wait for their b, rising to n and falling back to 0, and "
        "what one cell makes of it, trained and untrained. Below, the probability of the end.",
        n=Control(range(1, SHOWN + 1), kind="slider"),
        kind=Control(list(KINDS), "LSTM"),
    )
    def update(n: int = 20, kind: str = "with peepholes") -> str:
        steps = np.arange(2 * n + 1)
        right.set_data(steps, tally(n))
        for line, network, read in zip((null, cell), train(kind), readings[kind], strict=True):
            y, trace = predict(network, string(n).x)
            counted = read.scale * trace.c[:, 0, read.unit] + read.shift
            line.set_data(steps, counted.clip(-6, SHOWN + 2))
        p = softmax(y[:, 0])[:, 0]
        end.set_data(steps, p)
        where.set_data([2 * n, 2 * n], [0, 1])
        early = np.flatnonzero(p[n + 1 : -1] > 0.5)
        said = (
            f"after {early[0] + 1} b it expects the end, too early"
            if len(early)
            else (f"after the last b it gives the end {p[-1]:.0%}")
        )
        return (
            f"{kind.capitalize()}, n = {n}: {said}. It was trained up to n = {TASK.most}, and "
            f"counts right up to {limits[kind]}."
        )

    return update


def seeds(runs: dict[str, np.ndarray]) -> LiveFigure:
    """How many of the stored runs count right up to n, with and without peepholes.

    Arguments: runs, from ``results.read("peepholes")``: its columns cell and n_reached.
    """
    reached_by = {
        "without peepholes": np.sort(runs["n_reached"][runs["cell"] == "LSTM"]),
        "with peepholes": np.sort(runs["n_reached"][runs["cell"] == "LSTM with peepholes"]),
    }
    many, farthest = len(reached_by["with peepholes"]), int(runs["n_reached"].max())
    numbers = np.arange(1, farthest + 1)
    asked = sorted({n for n in (5, 10, 11, 12, 15, 20, 30, 50, 70, 100, 150) if n <= farthest})
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.2))
        ax.set(xlim=(0, farthest * 1.03), ylim=(-0.4, many * 1.22), xlabel="n")
        ax.set_yticks(range(0, many + 1, max(many // 2, 1)))
        ax.set_title("Runs that count right up to n")
        ax.axvspan(0, TASK.most, color=plots.GRID, alpha=0.6)
        ax.text(TASK.most, many * 1.16, " trained so far", color=plots.MUTED, va="center")
        dots = []
        for color, (name, ends) in zip((plots.ACCENT, plots.LSTM), reached_by.items(), strict=True):
            left = [(ends >= n).sum() for n in numbers]
            ax.plot(numbers, left, drawstyle="steps-pre", color=color, label=name)
            ax.plot(ends, np.arange(many, 0, -1), ".", color=color, label=f"{name}, runs")
            dots.append(ax.plot([], [], "o", color=color, markersize=8)[0])
        for x, (name, color) in zip(
            (0.36, 0.99), (("with peepholes", plots.LSTM), ("without", plots.ACCENT)), strict=True
        ):
            ax.text(x, 0.87, name, color=color, ha="right", transform=ax.transAxes)
        (line,) = ax.plot([], [], color=plots.INK, linewidth=1)

    @interact(
        fig,
        name="peepholes",
        alt="How many of the stored runs count right up to n, against n: one falling line for LSTMs "
        "with peepholes and one for those without, and a mark at the chosen n.",
        n=Control(asked, kind="slider"),
    )
    def update(n: int = 20) -> tuple[str, dict[str, list[int]]]:
        line.set_data([n, n], [0, many])
        left = {name: int((ends >= n).sum()) for name, ends in reached_by.items()}
        for dot, count in zip(dots, left.values(), strict=True):
            dot.set_data([n], [count])
        said = " and ".join(f"{count} of {many} {name}" for name, count in left.items())
        counts = {
            name: [int((ends >= k).sum()) for k in asked] for name, ends in reached_by.items()
        }
        sentence = f"Trained up to n = {TASK.most}: {said} count right up to {n}."
        return sentence, {"n": asked} | counts

    return update
