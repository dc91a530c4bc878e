"""Chapter 11's live figures: races of three cells from stored runs, and the gradient of all three."""

from __future__ import annotations

from functools import cache
from math import comb, sqrt
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon, Rectangle

from .. import plots, results
from ..cells import GRU, LSTM, RNN, Layer
from ..diagnostics import state_gradient_norms
from ..functional import sigmoid
from ..live import Control, LiveFigure, interact
from ..training import with_spectral_radius
from .vanishing import HIGHEST, LOWEST, D, H, N, network, sequences, share, unit_radius_matrix

CELLS = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}


class Task(NamedTuple):
    """How a task's figure is labeled, and the loss axis that holds all its runs."""

    name: str
    measure: str  # of the loss
    guess: str  # the trivial baseline
    lag: str  # what the lag control is called
    axis: tuple[float, float]


TASKS = {
    "adding": Task("Adding", "squared error", "always 0.5", "length", (1e-4, 1e0)),
    "temporal_order": Task("Temporal order", "nats an answer", "a guess", "length", (1e-3, 1e1)),
    "copy_memory": Task("Copy", "nats a step", "no memory", "delay", (1e-3, 1e1)),
}


# Read -----------------------------------------------------------------------------------------


@cache
def runs(task: str) -> dict[str, np.ndarray]:
    """The stored runs of a task, a column each: cell, T, seed, solved, sequences, loss, …"""
    return results.read(task)


@cache
def points(task: str) -> dict[str, np.ndarray]:
    """The stored points of all learning curves of a task: cell, T, seed, sequences, loss, …"""
    return results.read(f"{task}-curves")


def of(table: dict[str, np.ndarray], column: str, cell: str, lag: int) -> np.ndarray:
    """The entries of a column that belong to a cell and a lag."""
    return table[column][(table["cell"] == cell) & (table["T"] == lag)]


def lags(task: str) -> list[int]:
    """The lags that were run, the shortest first."""
    return sorted({int(T) for T in runs(task)["T"]})


def solved(task: str, cell: str, lag: int) -> int:
    """How many seeds solved it."""
    return int(of(runs(task), "solved", cell, lag).sum())


def seeds(task: str, cell: str, lag: int) -> int:
    """From how many seeds it was run."""
    return len(of(runs(task), "seed", cell, lag))


def baseline(task: str, lag: int) -> float:
    """The loss of the model without a memory."""
    table = runs(task)
    return float(table["baseline"][table["T"] == lag][0])


def learning_curves(task: str, cell: str, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences shown (P,), and the held-out loss there of every seed (S, P).

    The moments are those of all three cells. A run that had solved its task was ended there; from
    then on it keeps its last loss.
    """
    table = points(task)
    moments = np.unique(table["sequences"][table["T"] == lag])
    losses = []
    for seed in np.unique(of(table, "seed", cell, lag)):
        own = of(table, "seed", cell, lag) == seed
        shown, loss = (of(table, column, cell, lag)[own] for column in ("sequences", "loss"))
        losses.append(loss[np.searchsorted(shown, moments, side="right") - 1])
    return moments, np.array(losses)


def needed(task: str, cell: str, lag: int) -> float:
    """The median of the sequences shown until it was solved, of the runs that solved it; NaN for none."""
    shown = of(runs(task), "sequences", cell, lag)[of(runs(task), "solved", cell, lag) == 1]
    return float(np.median(shown)) if len(shown) else np.nan


def scoreboard(task: str) -> str:
    """Who solved it at which lag, and after how many sequences, as a table."""
    lines = [f"{TASKS[task].lag:16}" + "".join(f"{lag:>16}" for lag in lags(task))]
    for cell in CELLS:
        entries = [
            f"{solved(task, cell, lag)} of {seeds(task, cell, lag)}"
            + (f", {needed(task, cell, lag):7,.0f}" if solved(task, cell, lag) else " " * 9)
            for lag in lags(task)
        ]
        lines.append(f"{cell:16}" + "".join(f"{entry:>16}" for entry in entries))
    return "\n".join(lines)


def by_chance(best: int, worst: int, n: int = 5) -> float:
    """How often ``best`` or more of ``n`` runs solve it where best + worst of all 2n do, dealt at random.

    >>> round(by_chance(5, 0), 4), round(by_chance(5, 3), 4)
    (0.004, 0.2222)
    """
    total = best + worst
    ways = [comb(n, k) * comb(n, total - k) for k in range(best, min(n, total) + 1)]
    return sum(ways) / comb(2 * n, total)


# Measured -------------------------------------------------------------------------------------


@cache
def layer(cell: str, gain: float, bias: float) -> Layer:
    """Chapter 06's tanh layer, or a gated one made like it; do not change it.

    Every block of W_h is a Gaussian matrix of spectral radius ``gain``. ``bias`` is that of the gate
    that keeps, f of the LSTM and z of the GRU; all others are 0. The RNN has no such gate.
    """
    if cell == "RNN":
        return network(gain, "tanh")
    rng = np.random.default_rng(67)
    made = CELLS[cell](D, H, rng=rng)
    made.W_x[...] = 0.3 / sqrt(D) * rng.standard_normal(made.W_x.shape)
    others = [rng.standard_normal((H, H)) for _ in range(made.W_h.shape[1] // H - 1)]
    blocks = [unit_radius_matrix(), *(with_spectral_radius(W, 1.0) for W in others)]
    made.W_h[...] = gain * np.hstack(blocks)
    made.b[...] = 0
    made.b[H : 2 * H] = bias
    return made


@cache
def gradient_at_lags(cell: str, gain: float, bias: float, length: int) -> np.ndarray:
    """‖∂L/∂state_{T-k}‖ (T, N) for every lag k = 0 … T-1, for the loss of chapter 06.

    L = v·h_T with a random unit vector v. The state is h, and for the LSTM h and c.
    """
    made = layer(cell, gain, bias)
    trace = made.forward(sequences(length))
    dh = np.zeros_like(trace.h)
    dh[-1] = np.random.default_rng(6666).standard_normal((N, H))
    dh[-1] /= np.linalg.norm(dh[-1], axis=1, keepdims=True)
    return state_gradient_norms(made.backward(trace, dh))[::-1]


# Shown ----------------------------------------------------------------------------------------


def race(task: str) -> LiveFigure:
    """The learning curves of the three cells at a lag, one of them lit, over who solved what."""
    about, distances, last = TASKS[task], lags(task), points(task)["sequences"].max()
    most = max(seeds(task, cell, lag) for cell in CELLS for lag in distances)
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 4.9), height_ratios=(5, 2))
        top.set_xscale("symlog", linthresh=1, linscale=0.3)
        top.set(xlim=(0, 4.5 * last / 1000), xlabel="thousands of sequences shown")
        ticks = [tick for tick in (0, 1, 3, 10, 30, 100) if tick * 1000 <= last]
        top.set_xticks(ticks, ticks)
        title = top.set_title(" ")
        plots.log_axis(top, *about.axis, decades=1)
        band = top.add_patch(Polygon(np.ones((3, 2)), alpha=0.25))
        (guess,) = top.plot([], [], "--", color=plots.ACCENT, linewidth=1.2)
        lines = {name: top.plot([], [], color=plots.CELL_COLORS[name])[0] for name in CELLS}
        labels = {name: top.text(0, 1, "", va="center", color=line.get_color())
                  for name, line in lines.items()}  # fmt: skip
        labels[about.guess] = top.text(0, 1, "", va="center", color=plots.ACCENT)

        bottom.set(xlim=(-0.5, len(distances) - 0.5), ylim=(2.6, -0.6), xlabel=about.lag)
        bottom.set_xticks(range(len(distances)), distances)
        bottom.set_yticks(range(3), CELLS)
        bottom.set_title("Each dot a seed, full where it solved the task")
        bottom.tick_params(length=0)
        bottom.grid(False)
        columns = [
            bottom.add_patch(Rectangle((k - 0.5, -0.6), 1, 3.2, facecolor=plots.GRID, alpha=0))
            for k in range(len(distances))
        ]
        for row, cell in enumerate(CELLS):
            for k, lag in enumerate(distances):
                place = k + 0.7 * ((np.arange(most) + 0.5) / most - 0.5)
                full = np.arange(most) < solved(task, cell, lag)
                for fill, which in (("none", ~full), (plots.CELL_COLORS[cell], full)):
                    edge = {"facecolor": fill, "edgecolor": plots.CELL_COLORS[cell]}
                    bottom.scatter(place[which], 0 * place[which] + row, s=30, **edge)

    @interact(
        fig,
        name=f"race-{task.replace('_', '-')}",
        alt="Above, the held-out loss of three cells against the sequences shown, on a log axis: "
        "median and range of the seeds, with the loss without a memory. Below, a dot for each seed, "
        "for each cell and lag, filled where it solved the task.",
        lag=Control(distances, about.lag, kind="slider", artists=columns),
        cell=Control(list(CELLS), "cell in focus"),
    )
    def update(lag: int = distances[-1], cell: str = "LSTM") -> tuple[str, dict[str, np.ndarray]]:
        numbers, ends = {}, []
        for name, line in lines.items():
            moments, losses = learning_curves(task, name, lag)
            median = np.median(losses, axis=0)
            line.set_data(moments / 1000, median)
            line.set_linewidth(3 if name == cell else 1.3)
            numbers["sequences"] = moments
            numbers[f"{name}, median loss"] = median
            ends.append(median[-1])
            if name == cell:
                lowest, highest = losses.min(axis=0), losses.max(axis=0)
        band.set_xy(np.c_[np.r_[moments, moments[::-1]] / 1000, np.r_[lowest, highest[::-1]]])
        band.set_facecolor(plots.CELL_COLORS[cell])
        without = baseline(task, lag)
        guess.set_data([0, moments[-1] / 1000], [without, without])
        plots.label_ends(labels, [*ends, without], 1.06 * moments[-1] / 1000)
        for column, value in zip(columns, distances, strict=True):
            column.set_alpha(0.7 if value == lag else 0)
        title.set_text(f"{about.name}, {about.lag} {lag}: {about.measure}")
        counts = ", ".join(
            f"{name} {solved(task, name, lag)} of {seeds(task, name, lag)}" for name in CELLS
        )
        sentence = (
            f"{about.name}, {about.lag} {lag}: solved by {counts} seeds. After "
            f"{moments[-1]:,} sequences the {cell} has a loss of {numbers[f'{cell}, median loss'][-1]:.2g}, "
            f"from {lowest[-1]:.2g} to {highest[-1]:.2g}; {about.guess} costs {without:.2g}."
        )
        numbers |= {f"{cell}, lowest": lowest, f"{cell}, highest": highest}
        some = slice(None, None, 1 + len(moments) // 100)  # rows enough for a table
        return sentence, {name: column[some] for name, column in numbers.items()}

    return update


def three_gradients() -> LiveFigure:
    """What is left of the gradient at every lag in an untrained RNN, GRU and LSTM."""
    longest = 100
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.6))
        ax.set(xlim=(0, 1.35 * longest), xticks=range(0, longest + 1, 20))
        ax.set(title="How much of the gradient is left", xlabel="k, steps back from the loss")
        plots.log_axis(ax, LOWEST, HIGHEST, decades=4)
        (kept,) = ax.plot([], [], color=plots.MUTED, linewidth=1, label="nothing lost")
        bands = {name: ax.add_patch(Polygon(np.ones((3, 2)), facecolor=color, alpha=0.2))
                 for name, color in plots.CELL_COLORS.items()}  # fmt: skip
        (alone,) = ax.plot([], [], ":", color=plots.GOLD, linewidth=2.5, label="gate alone")
        lines = {name: ax.plot([], [], color=color, linewidth=2.5, label=name)[0]
                 for name, color in plots.CELL_COLORS.items()}  # fmt: skip
        labels = {
            line.get_label(): ax.text(0, 1, "", va="center", color=line.get_color())
            for line in (*lines.values(), alone, kept)
        }

    @interact(
        fig,
        name="three-gradients",
        alt="The norm of the gradient against steps back from the loss, on a log axis, for an RNN, "
        "a GRU and an LSTM, with the power of the gate that keeps.",
        gain=Control([round(0.5 + 0.1 * k, 1) for k in range(16)], kind="slider"),
        bias=Control(range(-1, 7), "gate bias", kind="slider"),
        length=Control([20, 50, 100], unit="steps"),
    )
    def update(gain: float = 0.9, bias: int = 0, length: int = 50) -> str:
        gate = sigmoid(np.array(float(bias))).item()
        lag = np.unique(np.linspace(0, length - 1, 16).round().astype(int))
        left = {}
        for name, line in lines.items():
            norms = gradient_at_lags(name, gain, bias if name != "RNN" else 0, length)[lag]
            low, median, high = np.quantile(norms, [0.1, 0.5, 0.9], axis=1)
            line.set_data(lag, median)
            bands[name].set_xy(np.r_[np.c_[lag, low], np.c_[lag, high][::-1]])
            left[name] = median[-1]
        alone.set_data([0, length - 1], [1, gate ** (length - 1)])
        kept.set_data([0, length - 1], [1, 1])
        plots.label_ends(labels, [*left.values(), gate ** (length - 1), 1], length + 1)
        sizes = ", ".join(
            f"{name} {share(ratio, LOWEST, HIGHEST)} its size" for name, ratio in left.items()
        )
        return (
            f"With gain {gain:.1f} and bias {bias} the gate that keeps starts near {gate:.2f}. "
            f"What reaches step 1 from step {length}: {sizes}."
        )

    return update
