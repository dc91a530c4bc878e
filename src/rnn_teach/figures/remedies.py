"""Chapter 07's remedies: each trained on the same task, and how much of the gradient each lets through."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon

from .. import plots
from ..bptt import Network, Readout, bptt, predict
from ..cells import RNN
from ..cells.normalized import NormalizedRNN
from ..diagnostics import state_gradient_norms
from ..live import Control, LiveFigure, interact
from ..tasks import Batch, DelayedRecall, batches
from ..training import Adam, Optimizer, fit, orthogonal
from .vanishing import share

TASK = DelayedRecall(T=25)
H, N, UPDATES, EVERY, SEEDS = 32, 32, 200, 10, (0, 1, 2)
LOWEST, HIGHEST = 1e-12, 1e4  # the gradient's axis


class Remedy(NamedTuple):
    """How a network differs from the plain one, which is all of these defaults."""

    start: str = "uniform"  # or "orthogonal", "identity": what W_h is before training
    activation: str = "tanh"
    norm: str | None = None  # or "layer", "batch"
    clip: float | None = None  # the longest gradient let through


REMEDIES = {
    "plain tanh": Remedy(),
    "clipping to norm 1": Remedy(clip=1.0),
    "leaky ReLU": Remedy(activation="leaky_relu"),
    "ELU": Remedy(activation="elu"),
    "orthogonal start": Remedy(start="orthogonal"),
    "orthogonal start, ELU": Remedy(start="orthogonal", activation="elu"),
    "identity start, ReLU": Remedy(start="identity", activation="relu"),
    "identity start, leaky ReLU": Remedy(start="identity", activation="leaky_relu"),
    "layer normalization": Remedy(norm="layer"),
    "batch normalization": Remedy(norm="batch"),
}


# Measured -------------------------------------------------------------------------------------


def network(remedy: Remedy, *, rng: np.random.Generator) -> Network:
    """The network of 32 units that starts with this remedy."""
    if remedy.norm:
        cell = NormalizedRNN(TASK.D, H, rng=rng, norm=remedy.norm, nonlinearity=remedy.activation)
    else:
        cell = RNN(TASK.D, H, rng=rng, nonlinearity=remedy.activation)
    if remedy.start == "orthogonal":
        cell.W_h[...] = orthogonal(H, H, rng=rng)
    elif remedy.start == "identity":
        cell.W_h[...] = np.eye(H)
    return Network(cell, Readout(H, TASK.K, rng=rng))


class Run(NamedTuple):
    """One training; row j of the first two is what is true after j * EVERY updates."""

    left: np.ndarray  # (UPDATES / EVERY + 1, T) share of the gradient left at lag k
    right: np.ndarray  # (UPDATES / EVERY + 1,) share of new sequences answered right
    grad_norm: np.ndarray  # (UPDATES,) the gradient of the parameters before clipping


def train(remedy: Remedy, seed: int, optimizer: Optimizer | None = None) -> Run:
    """200 updates of 32 sequences each, with Adam at 0.002 unless you say otherwise."""
    rng = np.random.default_rng(seed)
    model = network(remedy, rng=rng)
    exam = TASK.batch(500, rng=np.random.default_rng(99))
    left, right = [], []

    def look(k: int, model: Network) -> None:
        if k % EVERY == 0:
            left.append(gradient_at_lags(model, exam))
            answers = predict(model, exam.x)[0][-1].argmax(axis=1)
            right.append((answers == exam.target).mean())

    history = fit(
        model,
        batches(TASK, N, rng=rng),
        steps=UPDATES,
        optimizer=optimizer or Adam(2e-3),
        clip=remedy.clip,
        callback=look,
        **TASK.options,
    )
    return Run(np.array(left), np.array(right), history.grad_norm)


def gradient_at_lags(model: Network, exam: Batch) -> np.ndarray:
    """‖∂L/∂h_{T-k}‖ / ‖∂L/∂h_T‖ (T,) for k = 0 … T-1, the median of 100 sequences."""
    grads = bptt(model, exam.x[:, :100], exam.target[:100], **TASK.options).grads
    norms = state_gradient_norms(grads)[::-1]
    return np.median(norms / norms[0], axis=1)


@cache
def trained(name: str) -> tuple[Run, ...]:
    """The remedy of that name, trained from every seed."""
    return tuple(train(REMEDIES[name], seed) for seed in SEEDS)


# Shown ----------------------------------------------------------------------------------------


def remedies() -> LiveFigure:
    """A remedy against the plain network: gradient at every lag, and right answers, as it learns."""
    moments = np.arange(0, UPDATES + 1, EVERY)
    lag = np.arange(TASK.T)
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.2), height_ratios=(5, 4))
        top.set(xlim=(0, TASK.T + 6), xticks=range(0, TASK.T, 6), xlabel="k, steps back")
        top.set_title("How much of the gradient is left")
        plots.log_axis(top, LOWEST, HIGHEST, decades=2)
        top.plot([0, TASK.T - 1], [1, 1], color=plots.MUTED, linewidth=1)
        pale = {"color": plots.MUTED, "linewidth": 4, "alpha": 0.5, "label": "plain"}
        (plain,) = top.plot([], [], **pale)
        band = top.add_patch(Polygon(np.ones((3, 2)), facecolor=plots.RNN, alpha=0.25))
        (mine,) = top.plot([], [], color=plots.RNN, linewidth=2.5, label="remedy")
        labels = {
            "nothing lost": top.text(0, 1, "", va="center", color=plots.MUTED),
            "plain": top.text(0, 1, "", va="center", color=plots.MUTED),
            "remedy": top.text(0, 1, "", va="center", color=plots.RNN),
        }

        bottom.set(xlim=(0, UPDATES * 1.25), ylim=(0.4, 1.04), xlabel="updates")
        bottom.set_xticks(range(0, UPDATES + 1, 50))
        bottom.set_yticks((0.5, 0.75, 1), ("50 %", "75 %", "100 %"))
        bottom.set_title("Right answers")
        bottom.plot([0, UPDATES], [0.5, 0.5], "--", color=plots.ACCENT, linewidth=1.2)
        bottom.text(UPDATES + 9, 0.5, "a guess", color=plots.ACCENT, va="center")
        null = np.median([run.right for run in trained("plain tanh")], axis=0)
        bottom.plot(moments, null, **pale)
        range_ = bottom.add_patch(Polygon(np.ones((3, 2)), facecolor=plots.RNN, alpha=0.25))
        (curve,) = bottom.plot([], [], color=plots.RNN, linewidth=2.5, label="remedy")
        (now,) = bottom.plot([], [], "o", color=plots.RNN, markersize=8)

    @interact(
        fig,
        name="remedies",
        alt="Above, the gradient left at each step back, on a log axis, for a remedy and for the "
        "plain network. Below, the share of right answers of both while they learn.",
        remedy=list(REMEDIES),
        updates=Control(moments.tolist(), kind="slider"),
    )
    def update(remedy: str = "orthogonal start", updates: int = 0) -> str:
        j = updates // EVERY
        left = np.array([run.left[j] for run in trained(remedy)])
        right = np.array([run.right for run in trained(remedy)])
        usual = np.median([run.left[j] for run in trained("plain tanh")], axis=0)
        plain.set_data(lag, usual)
        middle = np.median(left, axis=0)
        mine.set_data(lag, middle)
        band.set_xy(np.r_[np.c_[lag, left.min(axis=0)], np.c_[lag, left.max(axis=0)][::-1]])
        plots.label_ends(labels, [1, usual[-1], middle[-1]], TASK.T - 0.4)
        learned = np.median(right, axis=0)
        curve.set_data(moments, learned)
        range_.set_xy(
            np.r_[np.c_[moments, right.min(axis=0)], np.c_[moments, right.max(axis=0)][::-1]]
        )
        now.set_data([updates], [learned[j]])
        arrives, plain_arrives = (share(norms[-1], LOWEST, HIGHEST) for norms in (middle, usual))
        return (
            f"{remedy[0].upper()}{remedy[1:]}, after {updates} updates: {TASK.T - 1} steps back the "
            f"gradient arrives at {arrives} its size (plain: at {plain_arrives} its size), and "
            f"{learned[j]:.0%} of the answers are right."
        )

    return update
