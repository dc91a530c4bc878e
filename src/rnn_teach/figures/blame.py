"""Chapter 05's live figures of one backward pass: the blame of every step, and the oracles that check it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import floor, log10

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from .. import plots
from ..bptt import BPTT, Network, Readout, bptt
from ..cells import RNN
from ..functional import ACTIVATIONS
from ..gradcheck import with_parameters
from ..live import Control, LiveFigure, interact
from ..training import orthogonal

D, H, K, T = 2, 16, 4, 8
ASKED = {"at the last step": "last", "at every step": "every"}
RADIUS = 0.2  # of a disc, and half the width of an arrow, that has lost nothing
STEPS = 20  # the step sizes go from 1/10 down to 1e-20
EXACT = 2.0**-53  # half of the last digit of a float64: no error is shown smaller
Corners = np.ndarray  # (corners, 2), what a PolyCollection draws


# Measured -------------------------------------------------------------------------------------


def network(gain: float, *, lossless: bool = False) -> Network:
    """This chapter's network: W_h is a rotation times ``gain``, under tanh.

    ``lossless`` is its null: W_h is the identity and there is no activation, so a gradient goes
    back as it is. Everything else is the same.
    """
    rng = np.random.default_rng(18)
    cell = RNN(D, H, rng=rng, nonlinearity="identity" if lossless else "tanh")
    readout = Readout(H, K, rng=rng)
    cell.W_x[:] = 0.5 * rng.normal(size=(D, H))
    rotation = orthogonal(H, H, rng=rng)
    cell.W_h[:] = np.eye(H) if lossless else gain * rotation
    return Network(cell, readout)


def sequences(length: int, number: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs (T, N, D) and random targets (T, N, K): something to be wrong about."""
    rng = np.random.default_rng(18)
    x = 0.6 * rng.normal(size=(length, number, D))
    return x, rng.normal(size=(length, number, K))


@cache
def pass_back(gain: float, at: str, *, lossless: bool = False) -> BPTT:
    """One pass forward and back over ``T`` steps of one sequence, L the sum of squared errors."""
    x, target = sequences(T)
    target = target if at == "every" else target[-1]
    model = network(gain, lossless=lossless)
    return bptt(model, x, target, loss="squared_error", at=at, over_time="sum")


def step_errors(cell: RNN, result: BPTT) -> np.ndarray:
    """∂L/∂a_t (T, N, H) for every t: the blame of each state times the slope there."""
    return result.grads["h"] * ACTIVATIONS[cell.nonlinearity].slope(result.trace.h)


def contributions(cell: RNN, result: BPTT) -> np.ndarray:
    """What each step adds to ∂L/∂W_h (T, H, H): h_{t-1} transposed times ∂L/∂a_t."""
    da = step_errors(cell, result)
    return result.trace.h_prev.swapaxes(1, 2) @ da


def two_ways(cell: RNN, result: BPTT) -> tuple[np.ndarray, np.ndarray]:
    """The two parts of ∂L/∂h_t (T, N, H): through h_{t+1}, and directly, from L's own look at h_t."""
    through = np.zeros_like(result.grads["h"])
    through[:-1] = step_errors(cell, result)[1:] @ cell.W_h.T
    return through, result.grads["h"] - through


def shares(parts: np.ndarray) -> np.ndarray:
    """How much of a sum each of its ``parts`` (T, ...) is, along the sum: (T,), adding up to 1.

    >>> shares(np.array([[3.0, 1.0], [1.0, -1.0]]))
    array([0.75, 0.25])
    """
    whole = parts.sum(axis=0)
    return np.array([(part * whole).sum() for part in parts]) / (whole**2).sum()


@cache
def in_units_of_the_last(gain: float, at: str, *, lossless: bool = False) -> tuple[np.ndarray, ...]:
    """What the figure draws, (T,) each: ‖through h_{t+1}‖, ‖directly‖ and ‖∂L/∂h_t‖ over
    ‖∂L/∂h_T‖, and the share of step t in ∂L/∂W_h.
    """
    cell, result = network(gain, lossless=lossless).cell, pass_back(gain, at, lossless=lossless)
    ways = np.array([*two_ways(cell, result), result.grads["h"]])
    norms = np.linalg.norm(ways[:, :, 0], axis=2)
    return *(norms / norms[2, -1]), shares(contributions(cell, result))


def neuron_loss(w: Sequence[float], u: float = 1.0, b: float = 0.1) -> float:
    """(h_3 - 1)^2 of one tanh unit that reads 1, 0, 0, with a weight w_t of its own for each step.

    >>> round(neuron_loss((0.8, 0.8, 0.8)), 3)
    0.212
    """
    h = 0.0
    for w_t, x_t in zip(w, (1.0, 0.0, 0.0), strict=True):
        h = np.tanh(w_t * h + u * x_t + b)
    return float((h - 1) ** 2)


@cache
def oracle_errors(step: float, summed: bool = True) -> tuple[float, float, float]:
    """Relative error of a slope by a one-sided difference, a central one and a complex step.

    Each is compared with what the gradient of W_h says along one random direction. With
    ``summed=False`` that gradient has a bug: it keeps only what the last step adds.
    """
    model, (x, target) = network(1.0), sequences(T)
    parts = contributions(model.cell, pass_back(1.0, "every"))
    v = np.random.default_rng(5).normal(size=(H, H))
    v /= np.linalg.norm(v)

    def loss(move: complex) -> complex:
        moved = with_parameters(model, {"cell.W_h": model.cell.W_h + move * v})
        return bptt(moved, x, target, loss="squared_error", over_time="sum").loss

    claimed = ((parts.sum(axis=0) if summed else parts[-1]) * v).sum()
    slopes = (
        (loss(step) - loss(0)) / step,
        (loss(step) - loss(-step)) / (2 * step),
        loss(1j * step).imag / step,
    )
    return tuple(float(abs(s - claimed) / max(abs(s), abs(claimed))) for s in slopes)


# Shown ----------------------------------------------------------------------------------------


def percent(share: float) -> str:
    """A share in whole percent, without a minus before 0.

    >>> percent(0.384), percent(-0.001)
    ('38 %', '0 %')
    """
    return f"{round(100 * share) + 0} %"


def _arrow(tip: tuple[float, float], length: float, width: float, *, down: bool = False) -> Corners:
    """An arrow that points left, or down, at ``tip``."""
    neck, half = 0.45 * length, width / 2
    outline = np.array([(0, 0), (neck, half), (length, half), (length, -half), (neck, -half)])
    return np.array(tip) + (outline[:, ::-1] if down else outline)


def _disc(center: float, radius: float) -> Corners:
    around = np.linspace(0, 2 * np.pi, 37)
    return np.c_[center + radius * np.cos(around), radius * np.sin(around)]


def _bar(center: float, width: float, height: float) -> Corners:
    left, right = center - width / 2, center + width / 2
    return np.array([(left, 0), (left, height), (right, height), (right, 0)])


def blame_back() -> LiveFigure:
    """The backward pass step by step: the blame of each state, and what the step adds to ∂L/∂W_h."""
    steps = np.arange(1, T + 1)

    def shapes(ax: Axes, color: str) -> PolyCollection:
        return ax.add_collection(PolyCollection([], facecolor=color, edgecolor="none"))

    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 4.3), height_ratios=(5, 6))
        top.set(xlim=(0.45, T + 0.55), ylim=(-0.8, 1.45), aspect="equal")
        top.axis("off")
        top.set_title("The blame of each state, ∂L/∂h")
        forward = top.add_collection(LineCollection([], color=plots.MUTED, linewidth=1.1))
        heads = top.scatter([], [], marker=">", s=14, color=plots.MUTED, linewidth=0)
        pale, discs = shapes(top, plots.GRID), shapes(top, plots.RNN)
        through, direct = shapes(top, plots.RNN), shapes(top, plots.ACCENT)
        top.add_collection(
            LineCollection([_disc(t, RADIUS) for t in steps], color=plots.MUTED, linewidth=1)
        )
        here = top.add_collection(LineCollection([], color=plots.INK, linewidth=2))
        losses = [
            top.text(t, 1.15, f"L{chr(0x2080 + t)}", ha="center", color=plots.ACCENT) for t in steps
        ]
        for t in steps:
            top.text(t, -0.76, f"h{chr(0x2080 + t)}", ha="center")

        bottom.set(xlim=(0.45, T + 0.55), xticks=steps, xlabel="t, step")
        bottom.set(ylim=(-0.06, 1.08), yticks=(0, 0.5, 1), yticklabels=("0", "50 %", "100 %"))
        bottom.set_title("What the steps add to ∂L/∂Wₕ")
        null_bars, bars = shapes(bottom, plots.GRID), shapes(bottom, plots.RNN)
        (total,) = bottom.plot([], [], "o-", color=plots.INK, linewidth=1.2, markersize=4)
        bottom.text(0.55, 0.62, "all so far", color=plots.INK)
        bottom.text(0.55, 0.47, "this step", color=plots.RNN)
        bottom.text(0.55, 0.32, "nothing lost", color=plots.MUTED)

    @interact(
        fig,
        name="blame-back",
        alt="An unrolled network. Arrows lead from the loss back to step t, as thick as the "
        "gradient, over pale ones that have lost nothing. Below, what each step adds to the sum.",
        t=Control(list(range(T, 0, -1)), "back to step", kind="slider"),
        asked=Control(ASKED, "loss"),
        gain=(0.6, 1.4, 0.2),
    )
    def update(
        t: int = T, asked: str = "last", gain: float = 0.8
    ) -> tuple[str, dict[str, np.ndarray]]:
        back, own, size, share = in_units_of_the_last(gain, asked)
        null_back, _, _, null_share = in_units_of_the_last(gain, asked, lossless=True)
        done, gaps = steps[t - 1 :], steps[t - 1 : -1]
        index, width = done - 1, 2 * RADIUS
        pale.set_verts([_arrow((s + 0.26, 0), 0.48, width * null_back[s - 1]) for s in gaps])
        through.set_verts([_arrow((s + 0.26, 0), 0.48, width * back[s - 1]) for s in gaps])
        direct.set_verts([_arrow((s, 0.26), 0.6, width * own[s - 1], down=True) for s in done])
        discs.set_verts([_disc(s, RADIUS * size[s - 1]) for s in done])
        here.set_segments([_disc(t, RADIUS)])
        forward.set_segments([[(s + 0.3, 0), (s + 0.7, 0)] for s in steps[: t - 1]])
        heads.set_offsets(np.c_[steps[: t - 1] + 0.68, np.zeros(t - 1)])
        for text in losses[:-1]:
            text.set_visible(asked == "every")
        bars.set_verts([_bar(s, 0.5, share[s - 1]) for s in done])
        null_bars.set_verts([_bar(s, 0.8, null_share[s - 1]) for s in done])
        so_far = np.cumsum(share[::-1])[::-1][index]
        total.set_data(done, so_far)
        sentence = (
            f"Gain {gain:.1f}, loss {'at every step' if asked == 'every' else 'at the last step'}: "
            f"the blame of h{chr(0x2080 + t)} is {size[t - 1]:.2f} times that of h₈. Step {t} adds "
            f"{percent(share[t - 1])} of ∂L/∂Wₕ; with it {percent(so_far[0])} are there."
        )
        return sentence, {
            "t, step": done,
            "‖∂L/∂hₜ‖ / ‖∂L/∂h₈‖": size[index],
            "through the next state": back[index],
            "directly": own[index],
            "share of ∂L/∂Wₕ": share[index],
            "all so far": so_far,
            "share, nothing lost": null_share[index],
        }

    return update


def step_sizes() -> LiveFigure:
    """The error of three ways to take a slope, against the size of the step that they take."""
    sizes = 10.0 ** -np.arange(1, STEPS + 1)
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.4))
        ax.set(xscale="log", xlim=(0.2, sizes[-1] / 2), xlabel="size of the step")
        ticks = 10.0 ** -np.arange(0, STEPS + 1, 4)
        ax.set_xticks(ticks[1:], [plots.power_of_ten(tick) for tick in ticks[1:]])
        plots.log_axis(ax, 1e-17, 1e1, decades=4)
        ax.set_title("Relative error of the slope")
        names = {"one-sided": plots.MUTED, "central": plots.RNN, "complex step": plots.LSTM}
        lines = [ax.plot([], [], color=c, linewidth=2, label=name)[0] for name, c in names.items()]
        dots = [ax.plot([], [], "o", color=color)[0] for color in names.values()]
        for (name, color), y in zip(names.items(), (1e-5, 1e-7, 1e-9), strict=True):
            ax.text(1e-14, y, name, color=color, va="center")

    @interact(
        fig,
        name="step-sizes",
        alt="The error of a one-sided difference, a central difference and a complex step against "
        "the size of the step, both axes logarithmic, with a dot at the chosen size.",
        step=Control(
            {plots.power_of_ten(size): float(size) for size in sizes}, "size", kind="slider"
        ),
        gradient=Control({"right": True, "last step only": False}),
    )
    def update(step: float = 1e-3, gradient: bool = True) -> str:
        errors = np.array([oracle_errors(float(size), gradient) for size in sizes])
        here = oracle_errors(step, gradient)
        for line, dot, error, y in zip(lines, dots, errors.T, here, strict=True):
            line.set_data(sizes, np.maximum(error, EXACT))
            dot.set_data([step], [max(y, EXACT)])
        digits = [floor(-log10(max(error, EXACT))) for error in here]
        return (
            f"With a step of {plots.power_of_ten(step)} this many digits agree with the "
            f"{'gradient' if gradient else 'wrong gradient'}: one-sided {digits[0]}, "
            f"central {digits[1]}, complex step {digits[2]}."
        )

    return update
