"""Chapter 05's live figure of truncation: which blame is cut off, and how far the gradient turns."""

from __future__ import annotations

from functools import cache
from math import degrees

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import PolyCollection

from .. import plots
from ..bptt import bptt
from ..live import Control, LiveFigure, interact
from ..tasks import Batch
from ..training import truncated_bptt
from .blame import contributions, network, sequences, two_ways

T, N = 16, 16
SIDE_BY_SIDE = 0  # the value of k1 that stands for "as long as k2"
WINDOWS = {"side by side (k₁ = k₂)": SIDE_BY_SIDE, "overlapping (k₁ = 1)": 1}


# Measured -------------------------------------------------------------------------------------


@cache
def asked_and_paid(gain: float) -> np.ndarray:
    """What step s adds to ∂L_e/∂W_h, for each step e that is asked: (e, s, H, H), 0 for s > e."""
    x, target = sequences(T, N)
    model = network(gain)
    whole = bptt(model, x, target, loss="squared_error", over_time="sum")
    _, direct = two_ways(model.cell, whole)
    parts = []
    for e in range(T):
        dh = np.zeros_like(direct)
        dh[e] = direct[e]
        grads = model.cell.backward(whole.trace, dh)
        parts.append(contributions(model.cell, whole._replace(grads=grads)))
    return np.array(parts)


def reached(k1: int, k2: int, length: int = T) -> np.ndarray:
    """Which steps s a loss L_e sends blame to: (e, s), True where truncated BPTT follows it.

    >>> reached(2, 2, 4).astype(int)
    array([[1, 0, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 0],
           [0, 0, 1, 1]])
    """
    e, s = np.ogrid[:length, :length]
    end = np.minimum((e // k1 + 1) * k1, length)
    return (s <= e) & (s >= end - k2)


@cache
def truncated_gradient(gain: float, k1: int, k2: int) -> np.ndarray:
    """∂L/∂W_h (H, H) by truncated backpropagation through time over ``T`` steps."""
    x, target = sequences(T, N)
    options = {"loss": "squared_error", "over_time": "sum"}
    return truncated_bptt(network(gain), x, target, k1=k1, k2=k2, **options).grads["cell.W_h"]


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """The angle between two arrays of one shape, in degrees.

    >>> angle(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    45.0
    """
    a, b = a.ravel() / np.linalg.norm(a), b.ravel() / np.linalg.norm(b)
    # from both chords: an arc cosine has lost half of its digits near 0
    return round(degrees(2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))), 9)


@cache
def from_the_truth(gain: float, k1: int) -> tuple[np.ndarray, np.ndarray]:
    """The angle of the truncated to the true gradient in degrees, and their ratio of lengths.

    Both are (T,), for k2 = 1 … T; k1 is 1, or `SIDE_BY_SIDE` for k1 = k2.
    """
    whole = truncated_gradient(gain, T, T)
    parts = [truncated_gradient(gain, k1 or k2, k2) for k2 in range(1, T + 1)]
    lengths = np.linalg.norm(parts, axis=(1, 2)) / np.linalg.norm(whole)
    return np.array([angle(part, whole) for part in parts]), lengths


def random_angles() -> np.ndarray:
    """Angles (1000,) of random directions to the true gradient: what knowing nothing gives."""
    whole = truncated_gradient(1.0, T, T)
    rng = np.random.default_rng(5)
    return np.array([angle(rng.normal(size=whole.shape), whole) for _ in range(1000)])


def echo(length: int, lag: int, number: int, *, rng: np.random.Generator) -> Batch:
    """Say at every step the symbol of ``lag`` steps before, and 0 while there is none.

    Symbols are random bits, one-hot: nothing else tells what to say, so a guess is right half of
    the time.
    """
    bits = rng.integers(2, size=(length, number))
    target = np.zeros_like(bits)
    target[lag:] = bits[:-lag]
    return Batch(np.eye(2)[bits], target)


# Shown ----------------------------------------------------------------------------------------


def _squares(centers: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Corners (M, 4, 2) of M squares."""
    corners = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)]) / 2
    return centers[:, None] + np.sqrt(areas)[:, None, None] * corners


def truncation_window() -> LiveFigure:
    """Which blame a window lets through, and the angle of what is left to the true gradient."""
    with plots.style():
        fig, (left, right) = plt.subplots(1, 2, figsize=(5.2, 3.1))
        left.set(xlim=(0, T + 1), ylim=(0, T + 1), xticks=(1, 8, 16), yticks=(1, 8, 16))
        left.set(box_aspect=1, xlabel="at step", ylabel="loss of step")
        left.set_title("Blame sent back")
        left.grid(False)
        kept = left.add_collection(PolyCollection([], facecolor=plots.RNN, linewidth=0))
        lost = left.add_collection(
            PolyCollection([], facecolor="none", edgecolor=plots.ACCENT, linewidth=0.6)
        )
        left.text(T, 2.9, "let through", color=plots.RNN, ha="right")
        left.text(T, 0.9, "cut off", color=plots.ACCENT, ha="right")
        right.set(xlim=(0, T + 1), xticks=(1, 8, 16), xlabel="k₂, steps back", box_aspect=1)
        right.set(ylim=(-4, 104), yticks=(0, 30, 60, 90), yticklabels=("0°", "30°", "60°", "90°"))
        right.set_title("Angle to the truth")
        low, middle, high = np.quantile(random_angles(), [0.05, 0.5, 0.95])
        right.axhspan(low, high, color=plots.GRID)
        right.text(8.5, middle, "random direction", ha="center", va="center", color=plots.MUTED)
        (curve,) = right.plot([], [], color=plots.RNN)
        (dot,) = right.plot([], [], "o", color=plots.RNN)

    loss, step = np.tril_indices(T)
    centers = np.c_[step, loss] + 1

    @interact(
        fig,
        name="truncation-window",
        alt="On the left, a square for each pair of a loss and an earlier step, filled where the "
        "window lets blame through. On the right, the angle to the true gradient against k2.",
        k2=Control(list(range(1, T + 1)), "k₂", kind="slider"),
        k1=Control(WINDOWS, "windows", kind="select"),
        gain=[0.6, 1.0, 1.4],
    )
    def update(
        k2: int = 4, k1: int = SIDE_BY_SIDE, gain: float = 1.0
    ) -> tuple[str, dict[str, np.ndarray]]:
        sizes = np.linalg.norm(asked_and_paid(gain), axis=(2, 3))[loss, step]
        through = reached(k1 or k2, k2)[loss, step]
        squares = _squares(centers, 0.9 * sizes / sizes.max())
        kept.set_verts(squares[through])
        lost.set_verts(squares[~through])
        away, length = from_the_truth(gain, k1)
        curve.set_data(range(1, T + 1), away)
        dot.set_data([k2], [away[k2 - 1]])
        sentence = (
            f"Gain {gain:.1f}, windows of {k2} {'overlapping' if k1 else 'side by side'}: "
            f"{np.sum(~through)} of {len(through)} pieces of blame are cut off. What is left "
            f"points {away[k2 - 1]:.0f}° away from the true gradient and has "
            f"{length[k2 - 1]:.2f} times its length."
        )
        return sentence, {
            "k₂, steps back": np.arange(1, T + 1),
            "angle to the true gradient, degrees": away,
            "length over that of the true gradient": length,
        }

    return update
