"""Chapter 02's live figures: one neuron fed back on itself, what it forgets and what it keeps."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..cells import RNN
from ..diagnostics import half_life
from ..functional import ACTIVATIONS
from ..live import Control, LiveFigure, interact

ACTIVATION = {"tanh": "tanh", "none (linear)": "identity"}
STEPS, STAIRS = 20, 12  # shown over time, and in the cobweb plot
LONG = 400  # long enough to tell "slowly" from "never"
WEIGHTS = np.round(np.r_[0:0.8:0.05, 0.8:1.1:0.01, 1.1:1.41:0.05], 2)  # closer where it is steep
ON, OFF, LATCH_STEPS = 5, 18, 30  # steps of the two pulses, counted from 1, and of the sequence


# Computed -------------------------------------------------------------------------------------


def neuron(w: float, b: float = 0.0, activation: str = "tanh") -> RNN:
    """h_t = f(w h_{t-1} + x_t + b): the package's layer with one input of weight 1 and one unit."""
    layer = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity=activation)
    layer.W_x[:], layer.W_h[:], layer.b[:] = 1, w, b
    return layer


def pasts(layer: RNN, pulse: float = 1.0, steps: int = LONG) -> np.ndarray:
    """States (steps, 2, H) of a layer that heard +pulse at step 1, and of one that heard -pulse.

    From then on both hear nothing. What one remembers is how far the two are apart.

    >>> pasts(neuron(0.5, activation="identity"), steps=3)[:, :, 0]
    array([[ 1.  , -1.  ],
           [ 0.5 , -0.5 ],
           [ 0.25, -0.25]])
    """
    x = np.zeros((steps, 2, 1))
    x[0, :, 0] = pulse, -pulse
    return layer.forward(x).h


def memory_half_life(h: np.ndarray) -> np.ndarray:
    """Steps (H,) until the two pasts (T, 2, H) are half as far apart as after the pulse; inf: never.

    >>> memory_half_life(pasts(neuron(0.5, activation="identity")))
    array([1.])
    """
    # `half_life` counts back from the last entry, and this runs forward from the pulse
    return half_life(np.abs(h[:, 0] - h[:, 1])[::-1])


def linear_half_life(w: np.ndarray) -> np.ndarray:
    """log(1/2) / log|w|, the half-life of a linear neuron; inf for |w| >= 1.

    >>> linear_half_life(np.array([0.0, 0.5, -0.5, 1.0]))
    array([ 0.,  1.,  1., inf])
    """
    with np.errstate(divide="ignore"):  # log 0 = -inf is what it should be
        return np.where(np.abs(w) < 1, np.log(0.5) / np.log(np.abs(w)), np.inf)


class FixedPoint(NamedTuple):
    """A state that stays as it is; it attracts its neighbors if |slope| < 1, repels them if > 1."""

    h: float
    slope: float  # by what one step multiplies a small distance from it


def fixed_points(w: float, b: float = 0.0, activation: str = "tanh") -> list[FixedPoint]:
    """All solutions of h = f(w h + b), in ascending order, for f = tanh or the identity.

    The slope at a solution is f'(w h + b) w. With the identity there is one, b / (1 - w), and
    none for w = 1, where all states stay (b = 0) or none does.

    >>> [(round(h, 2), round(slope, 2)) for h, slope in fixed_points(1.5)]
    [(-0.86, 0.39), (0.0, 1.5), (0.86, 0.39)]
    """
    if activation == "identity":
        return [] if w == 1 else [FixedPoint(b / (1 - w), w)]

    def above(h: float) -> float:
        return np.tanh(w * h + b) - h

    # `above` turns where w (1 - tanh^2) = 1: between two turns it has one root at most
    turns = (np.arctanh(np.array([-1, 1]) * np.sqrt(1 - 1 / w)) - b) / w if w > 1 else []
    ends = np.r_[-1, np.clip(turns, -1, 1), 1]
    found = []
    for left, right in pairwise(ends):
        rising = above(left) < above(right)
        if above(left) * above(right) > 0:
            continue
        for _ in range(60):  # each halves the interval: 2^-60 is below rounding
            middle = (left + right) / 2
            left, right = (middle, right) if (above(middle) < 0) == rising else (left, middle)
        h = float(round(middle, 15)) + 0.0  # no -0.0
        found.append(FixedPoint(h, float(w * (1 - np.tanh(w * middle + b) ** 2))))
    return found


def pulse_to_flip(w: float, b: float = 0.0) -> float | None:
    """The size w (h_repelling - h_low) that an input must exceed to flip the neuron up for good.

    None where there are no two stable states to choose from.

    >>> round(pulse_to_flip(1.5), 3), pulse_to_flip(0.9)
    (1.288, None)
    """
    points = fixed_points(w, b)
    return w * (points[1].h - points[0].h) if len(points) == 3 else None


def switched(w: float, pulse: float, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and states, (T,) each, of a neuron at its lower state that hears +pulse, then -pulse."""
    x = noise * np.random.default_rng(2).standard_normal((LATCH_STEPS, 1, 1))
    x[ON - 1] += pulse
    x[OFF - 1] -= pulse
    low = fixed_points(w)[0].h
    return x.ravel(), neuron(w).forward(x, np.full((1, 1), low)).h.ravel()


# Shown ----------------------------------------------------------------------------------------


def cobweb() -> LiveFigure:
    """Two pasts of one neuron: the state over time, and the same steps on the curve f(w h + b)."""
    with plots.style():
        fig, (time, web) = plt.subplots(1, 2, figsize=(5.2, 3.4), sharey=True)
        time.set(xlim=(0.4, STEPS + 0.6), xticks=(1, 5, 10, 15, 20), xlabel="t, steps")
        time.set(ylim=(-1.6, 1.6), yticks=(-1, 0, 1))
        time.set_title("The state h", pad=20)
        (null,) = time.plot([], [], ":", color=plots.MUTED, linewidth=2)
        web.set(xlim=(-1.6, 1.6), xticks=(-1, 0, 1), xlabel="h before a step")
        web.set_title("… and h after it", pad=20)
        web.plot([-1.6, 1.6], [-1.6, 1.6], color=plots.MUTED, linewidth=1)
        (curve,) = web.plot([], [], color=plots.INK)
        runs = []
        for color in (plots.RNN, plots.ACCENT):
            (states,) = time.plot([], [], ".-", color=color, markersize=6, linewidth=1.2)
            (stairs,) = web.plot([], [], color=color, linewidth=1.2)
            (start,) = web.plot([], [], ".", color=color, markersize=9)
            runs.append((states, stairs, start))
        (attracts,) = web.plot([], [], "o", color=plots.INK, markersize=8)
        (repels,) = web.plot([], [], "o", color=plots.INK, markersize=8, markerfacecolor="#ffffff")
        time.text(0, 1.035, "heard +1", color=plots.RNN, transform=time.transAxes)
        time.text(0.36, 1.035, "heard −1", color=plots.ACCENT, transform=time.transAxes)
        time.text(0.72, 1.035, "··· w = 0", color=plots.MUTED, transform=time.transAxes)
        web.text(0, 1.035, "● attracts     ○ repels", transform=web.transAxes)

    inputs, t = np.linspace(-1.6, 1.6, 33), np.arange(1, STEPS + 1)

    @interact(
        fig,
        name="one-neuron",
        alt="Left, the state of one neuron over twenty steps after an input of plus one and after "
        "one of minus one. Right, its cobweb plot: the curve of a step, the diagonal, the stairs "
        "between them, and the fixed points.",
        w=Control([round(k / 10 - 2, 1) for k in range(41)], "weight w", kind="slider"),
        b=Control([round(k / 10, 1) for k in range(6)], "bias b", kind="slider"),
        activation=ACTIVATION,
    )
    def update(w: float = 0.9, b: float = 0.0, activation: str = "tanh") -> tuple[str, dict]:
        f = ACTIVATIONS[activation].value
        h = pasts(neuron(w, b, activation))[:, :, 0]
        for (states, stairs, start), run in zip(runs, h[:STEPS].T, strict=True):
            run = np.clip(run, -99, 99)  # far outside the axes, where a linear neuron explodes
            states.set_data(t, run)
            stairs.set_data(np.repeat(run[:STAIRS], 2)[:-1], np.repeat(run[:STAIRS], 2)[1:])
            start.set_data(run[:1], run[1:2])
        null.set_data(t[1:], np.full(STEPS - 1, f(np.array(b))))
        curve.set_data(inputs, f(w * inputs + b))
        points = fixed_points(w, b, activation)
        at = [[h for h, s in points if abs(s) < 1], [h for h, s in points if abs(s) > 1]]
        attracts.set_data(at[0], at[0])
        repels.set_data(at[1], at[1])
        kind = "tanh" if activation == "tanh" else "no activation"
        says = f"With w = {w:.1f}, b = {b:.1f} and {kind}, {_fate(h)}.".replace("-", "−")
        return says, {"t, steps": t, "heard +1": h[:STEPS, 0], "heard −1": h[:STEPS, 1]}

    return update


def _fate(h: np.ndarray) -> str:
    """What becomes of the distance of two pasts (T, 2), in words."""
    apart = np.abs(h[:, 0] - h[:, 1])
    steps = memory_half_life(h[:, :, None]).item()
    if apart[-1] > 10:
        return "the two pasts move apart without end"
    if steps == 0:
        return "nothing of the difference is left after one step"
    if np.isinf(steps):
        turned = (h[-1, 0] > h[-1, 1]) != (h[-2, 0] > h[-2, 1])
        sides = " and change sides at every step" if turned else ""
        return f"the two pasts stay {apart[-1]:.2f} apart for good{sides}"
    left = apart[STEPS - 1] / apart[0]
    return (
        f"half of the difference is gone after {steps:.1f} steps, "
        f"and {f'{left:.0%}' if left >= 0.01 else 'less than 1%'} is left at step {STEPS}"
    )


def half_lives() -> LiveFigure:
    """The half-life of the memory against w: measured for tanh, with the linear neuron's line."""
    layer = RNN(1, len(WEIGHTS), rng=np.random.default_rng(0))
    layer.W_x[:], layer.W_h[:] = 1, np.diag(WEIGHTS)  # neurons that do not hear one another
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.2))
        ax.set(xlim=(0, 1.4), ylim=(0, 20), yticks=range(0, 21, 5), xlabel="weight w")
        ax.set_title("Steps until half of the difference is gone")
        ax.axvline(1, color=plots.MUTED, linewidth=1)
        w = np.linspace(0, 0.99, 100)
        ax.plot(w, linear_half_life(w), "--", color=plots.GOLD, label="linear")
        ax.plot([0], [0], "o", color=plots.MUTED, clip_on=False, zorder=3)
        ax.text(0.03, 18, "tanh, measured", color=plots.RNN)
        ax.text(0.03, 16.5, "linear: log ½ / log w", color=plots.GOLD)
        ax.text(0.03, 15, "● w = 0: gone at once", color=plots.MUTED)
        (measured,) = ax.plot([], [], color=plots.RNN, linewidth=2.5, label="tanh (99: or more)")

    @interact(
        fig,
        name="half-life",
        alt="The half-life of a neuron's memory against its weight: measured with tanh, and the "
        "line of the linear neuron, which goes to infinity at weight 1.",
        pulse=Control([0.1, *(round(k / 4, 2) for k in range(1, 13))], "input ±", kind="slider"),
        b=Control([round(k / 10, 1) for k in range(16)], "bias b", kind="slider"),
    )
    def update(pulse: float = 1.0, b: float = 0.0) -> str:
        layer.b[:] = b
        steps = memory_half_life(pasts(layer, pulse))
        measured.set_data(WEIGHTS, np.minimum(steps, 99))
        at = {w: steps[np.abs(WEIGHTS - w).argmin()] for w in (0.9, 1.2)}
        says = {w: "never" if np.isinf(s) else f"after {s:.1f} steps" for w, s in at.items()}
        return (
            f"With inputs ±{pulse:g} and b = {b:.1f}, half of the difference is gone {says[0.9]} "
            f"at w = 0.9 (linear: {linear_half_life(0.9):.1f}) and {says[1.2]} at w = 1.2."
        )

    return update


def latch() -> LiveFigure:
    """A neuron that one input switches on and a later one off, with the size that it takes."""
    with plots.style():
        fig, (above, below) = plt.subplots(2, figsize=(5.2, 4.0), sharex=True, height_ratios=(2, 3))
        t = np.arange(1, LATCH_STEPS + 1)
        above.set(ylim=(-2.6, 2.6), yticks=(-2, 0, 2), title="The input x")
        below.set(xlim=(0.4, LATCH_STEPS + 0.6), ylim=(-1.15, 1.15), yticks=(-1, 0, 1))
        below.set(title="The state h", xlabel="t, steps")
        below.text(1, 1.035, "··· w = 0", color=plots.MUTED, ha="right", transform=below.transAxes)
        bars = above.vlines(t, 0, 0, color=plots.INK, linewidth=4)
        needed = [above.axhline(0, color=plots.GOLD, linestyle="--", linewidth=1.5) for _ in "+-"]
        needed_text = above.text(LATCH_STEPS + 0.5, 0, "", color=plots.GOLD, ha="right")
        settles = [below.axhline(0, color=plots.GRID, linewidth=5) for _ in "+-"]
        (null,) = below.plot([], [], ":", color=plots.MUTED, linewidth=2)
        (state,) = below.plot([], [], ".-", color=plots.RNN, markersize=7)

    @interact(
        fig,
        name="latch",
        alt="Above, the input over thirty steps: a positive pulse, later a negative one, and the "
        "size that it takes to flip the neuron. Below, the state, the two states that attract it, "
        "and the same neuron without its loop.",
        w=Control([round(k / 10, 1) for k in range(21)], "weight w", kind="slider"),
        pulse=Control([round(k / 10, 1) for k in range(1, 25)], "pulse ±", kind="slider"),
        noise=Control([0.0, 0.2], "noise", kind="select"),
    )
    def update(w: float = 1.5, pulse: float = 1.2, noise: float = 0.0) -> tuple[str, dict]:
        x, h = switched(w, pulse, noise)
        bars.set_segments([[(at, 0), (at, height)] for at, height in zip(t, x, strict=True)])
        state.set_data(t, h)
        null.set_data(t, switched(0.0, pulse, noise)[1])
        need = pulse_to_flip(w)
        for line, sign in zip(needed, (1, -1), strict=True):
            line.set(ydata=[sign * (need or 0)] * 2, visible=need is not None)
        needed_text.set(y=(need or 0) + 0.2, text="" if need is None else "this flips it")
        points = fixed_points(w)
        for line, point in zip(settles, (points[0], points[-1]), strict=True):
            line.set_ydata([point.h, point.h])
        table = {"t, steps": t, "input x": x, "state h": h, "h with w = 0": null.get_ydata()}
        return _verdict(w, pulse, h, need), table

    return update


def _verdict(w: float, pulse: float, h: np.ndarray, need: float | None) -> str:
    """What the neuron made of the two pulses."""
    later = f"{OFF - 1 - ON} steps later"
    struck, kept = f"{h[ON - 1]:.2f}", f"{h[OFF - 2]:.2f}"
    if need is None:
        says = f"nothing latches: the pulse brings h to {struck}, {later} it is {kept}"
    else:
        does = "does" if h[OFF - 2] > 0 else "does not"
        says = f"more than {need:.2f} flips it, and {pulse:.1f} {does}: {later} h is {kept}"
    return f"With w = {w:.1f} {says}.".replace("-", "−")
