"""Chapter 07's cliff: a loss over two weights, and gradient descent on it, clipped in three ways."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle, Rectangle

from .. import plots
from ..cells import RNN
from ..live import Control, LiveFigure, interact
from ..training import clip_by_norm, clip_by_value

T, TARGET = 20, 0.5
START = {"w": np.array([1.6]), "b": np.array([-0.4])}
RATE, UPDATES = 0.05, 40
THRESHOLDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
W_SHOWN, B_SHOWN = (0.4, 2.2), (-0.5, 0.9)
LEVELS = (0.01, 0.04, 0.1, 0.2, 0.4, 0.7, 1.0, 1.3, 1.6, 1.9, 2.05, 2.3)

Grads = dict[str, np.ndarray]


# Measured -------------------------------------------------------------------------------------


def neuron(w: float, b: float) -> RNN:
    """One tanh unit, h_t = tanh(x_t + w h_{t-1} + b)."""
    cell = RNN(1, 1, rng=np.random.default_rng(0))
    cell.W_x[...], cell.W_h[...], cell.b[...] = 1, w, b
    return cell


def loss_and_gradient(w: float, b: float) -> tuple[float, Grads]:
    """L = (h_T - 0.5)² after T = 20 steps from h_0 = 0 without input, and dL/dw, dL/db by name."""
    cell = neuron(w, b)
    trace = cell.forward(np.zeros((T, 1, 1)))
    miss = trace.final - TARGET
    grads = cell.backward(trace, np.zeros((T, 1, 1)), dstate=2 * miss)
    return miss.item() ** 2, {"w": grads["W_h"].ravel(), "b": grads["b"]}


def surface(w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The loss (B, W) for all pairs of b (B,) and w (W,).

    A constant input does what a bias does, so one pass over B sequences gives a whole column.
    """
    x = np.broadcast_to(b[:, None], (T, len(b), 1))
    last = [neuron(value, 0).forward(x).final[:, 0] for value in w]
    return (np.stack(last, axis=1) - TARGET) ** 2


def as_vector(grads: Grads) -> np.ndarray:
    """All arrays of a gradient in one row: what its length and direction mean."""
    return np.concatenate([grad.ravel() for grad in grads.values()])


def angle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The angle between vectors (..., n), in degrees, exact for small ones, too.

    >>> angle(np.array([1.0, 0.0]), np.array([2.0, 2.0])).round(6)
    np.float64(45.0)
    """
    u, v = (a / np.linalg.norm(a, axis=-1, keepdims=True) for a in (u, v))
    apart, together = (np.linalg.norm(a, axis=-1) for a in (u - v, u + v))
    return np.degrees(2 * np.arctan2(apart, together))


class Descent(NamedTuple):
    """Gradient descent from START; row k is what is true after k updates."""

    place: np.ndarray  # (UPDATES + 1, 2) w and b
    loss: np.ndarray  # (UPDATES + 1,)
    raw: np.ndarray  # (UPDATES + 1, 2) dL/dw and dL/db
    used: np.ndarray  # (UPDATES + 1, 2) the same, clipped

    @property
    def length(self) -> np.ndarray:
        """How long each gradient is before clipping."""
        return np.linalg.norm(self.raw, axis=1)

    @property
    def turned(self) -> np.ndarray:
        """The angle, in degrees, by which clipping turns each gradient."""
        return angle(self.raw, self.used)


@cache
def descent(clipping: str, threshold: float = 1.0) -> Descent:
    """``UPDATES`` updates p <- p - 0.05 g; clipping is "none", "norm" or "value"."""
    clip = {
        "none": lambda grads: grads,
        "norm": lambda grads: clip_by_norm(grads, threshold)[0],
        "value": lambda grads: clip_by_value(grads, threshold),
    }[clipping]
    here, rows = {name: value.copy() for name, value in START.items()}, []
    for _ in range(UPDATES + 1):
        loss, raw = loss_and_gradient(**here)
        used = clip(raw)
        rows.append([as_vector(p) for p in (here, raw, used)] + [[loss]])
        here = {name: here[name] - RATE * used[name] for name in here}
    place, raw, used, losses = (np.array(column) for column in zip(*rows, strict=True))
    return Descent(place, losses[:, 0], raw, used)


def cliff_height(w: float, width: float = 1e-3) -> float:
    """How far the loss falls from b = -width to b = +width."""
    before, behind = surface(np.array([w]), np.array([-width, width]))[:, 0]
    return float(before - behind)


# Shown ----------------------------------------------------------------------------------------


def _draw_surface(ax: plt.Axes) -> None:
    """The loss as shades over w and b: the darker, the higher."""
    w = np.linspace(*W_SHOWN, 60)
    b = np.r_[np.linspace(B_SHOWN[0], -0.05, 25), np.linspace(-0.04, 0.04, 33)]
    b = np.r_[b, np.linspace(0.05, B_SHOWN[1], 25)]
    shades = [(plots.LSTM, alpha) for alpha in np.linspace(0.03, 0.6, len(LEVELS))]
    ax.contourf(w, b, surface(w, b), levels=LEVELS, colors=shades)
    ax.set(xlim=W_SHOWN, ylim=B_SHOWN, xlabel="w, recurrent weight", ylabel="b, bias")
    ax.set(xticks=(0.5, 1, 1.5, 2), yticks=(-0.4, 0, 0.4, 0.8), aspect="equal")
    ax.grid(False)
    ax.text(2.17, 0.03, "the cliff", color=plots.INK, ha="right", va="bottom", weight="bold")
    ax.text(2.17, -0.47, "loss 2.1", color=plots.INK, ha="right", va="bottom")
    ax.text(2.17, 0.87, "loss 0.25", color=plots.INK, ha="right", va="top")
    ax.text(0.6, 0.3, "loss near 0", color=plots.INK, ha="center", va="center")


def loss_cliff() -> LiveFigure:
    """Gradient descent meets a cliff: not clipped, clipped by norm or by value; step by step."""
    with plots.style():
        fig, axes = plt.subplot_mosaic(
            [["map", "map"], ["loss", "step"]],
            figsize=(5.2, 6.2),
            height_ratios=(7, 4),
            width_ratios=(5, 3),
        )
        ground, ax, box = axes["map"], axes["loss"], axes["step"]
        _draw_surface(ground)
        ground.set_title("The loss over w and b")
        free = descent("none")
        ground.plot(*free.place.T, color=plots.MUTED, linewidth=1.5)
        (path,) = ground.plot([], [], "o-", color=plots.RNN, linewidth=1.5, markersize=2.5)
        (here,) = ground.plot([], [], "o", color=plots.INK, markersize=7)
        label = {"y": 1.022, "s": "not clipped", "ha": "right", "transform": ground.transAxes}
        ground.text(x=0.77, color=plots.MUTED, **label)
        which = ground.text(x=1, color=plots.RNN, **label)

        ax.set(xlim=(0, UPDATES + 1), ylim=(0, 2.4), xlabel="updates", title="Loss")
        k = np.arange(UPDATES + 1)
        ax.plot(k, free.loss, color=plots.MUTED, linewidth=1.5)
        (losses,) = ax.plot([], [], color=plots.RNN)
        (loss_here,) = ax.plot([], [], "o", color=plots.INK, markersize=7)

        box.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", xticks=(), yticks=())
        box.set(xlabel="along w", ylabel="along b", title="This step")
        circle = box.add_patch(Circle((0, 0), 1, fill=False))
        square = box.add_patch(Rectangle((-1, -1), 2, 2, fill=False))
        (raw,) = box.plot([], [], color=plots.MUTED, linewidth=1.5)
        (used,) = box.plot([], [], "o-", color=plots.RNN, linewidth=3, markevery=[-1])

    @interact(
        fig,
        name="loss-cliff",
        alt="Above, the loss over a weight and a bias as shades, with a cliff across it and the path "
        "of gradient descent. Below, the loss at each update, and the step inside the circle or "
        "square that clipping allows.",
        clipping={"none": "none", "by norm": "norm", "by value": "value"},
        threshold=Control(THRESHOLDS, kind="slider"),
        updates=(0, UPDATES, 1),
    )
    def update(
        clipping: str = "none", threshold: float = 4.0, updates: int = 15
    ) -> tuple[str, dict[str, np.ndarray]]:
        run = descent(clipping, threshold)
        reached = np.minimum(k, updates)  # always 41 points, so that every state has the same shape
        path.set_data(*run.place[reached].T)
        here.set_data(*run.place[[updates]].T)
        here.set_visible(_inside(run.place[updates]))
        which.set_text("" if clipping == "none" else f"by {clipping}")
        losses.set_data(reached, run.loss[reached])
        loss_here.set_data([updates], [run.loss[updates]])
        for patch, mine in ((circle, "norm"), (square, "value")):
            patch.set_edgecolor(plots.RNN if clipping == mine else plots.GRID)
            patch.set_linewidth(2 if clipping == mine else 1)
        for line, gradient in ((raw, run.raw[updates]), (used, run.used[updates])):
            step = -gradient / threshold
            step = step / max(1, np.abs(step).max() / 1.6)  # a longer one ends at the frame
            line.set_data([0, step[0]], [0, step[1]])
        done = slice(updates + 1)
        return _says(run, clipping, updates), {
            "updates": k[done],
            "w": run.place[done, 0],
            "b": run.place[done, 1],
            "loss": run.loss[done],
            "loss, not clipped": free.loss[done],
            "length of the gradient": run.length[done],
            "turned by clipping, degrees": run.turned[done],
        }

    return update


def _inside(place: np.ndarray) -> bool:
    return all(low <= p <= high for p, (low, high) in zip(place, (W_SHOWN, B_SHOWN), strict=True))


def _says(run: Descent, clipping: str, k: int) -> str:
    w, b = (f"{round(value, 2) + 0.0:.2f}".replace("-", "−") for value in run.place[k])
    at = f"After {k} updates w = {w} and b = {b}"
    if not _inside(run.place[k]):
        at += ", far outside the picture"
    length, short = run.length[k], np.linalg.norm(run.used[k])
    gradient = f"the gradient has length {_number(length)}"
    if clipping != "none" and short < 0.999 * length:
        gradient += f", clipped to {_number(short)} and turned by {run.turned[k]:.0f}°"
    return f"{at}. The loss is {_number(run.loss[k])}; {gradient}."


def _number(value: float) -> str:
    """A number from 0 up to thousands as a reader takes it in.

    >>> [_number(value) for value in (202.4, 5.66, 0.25, 1e-9)]
    ['202', '5.7', '0.25', 'below 0.01']
    """
    if value < 0.01:
        return "below 0.01"
    return f"{value:.{2 if value < 1 else 1 if value < 10 else 0}f}"
