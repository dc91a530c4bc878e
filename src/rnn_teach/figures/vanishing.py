"""Chapter 06's live figures: gradients measured step by step, with the lines theory draws for them."""

from __future__ import annotations

from functools import cache
from math import floor, log, sqrt

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon

from .. import plots
from ..cells import RNN
from ..diagnostics import largest_singular_value, state_gradient_norms
from ..functional import ACTIVATIONS
from ..live import Control, LiveFigure, interact
from ..tasks import Batch
from ..training import with_spectral_radius

NAMES = {"tanh": "tanh", "sigmoid": "sigmoid"}
NAMES |= {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU"}
D, H, N, LONGEST, MEMORY = 8, 64, 16, 100, 50
GAIN = (0.5, 2.0, 0.05)
ACTIVATION = {shown: name for name, shown in NAMES.items()}
LOWEST, HIGHEST = 1e-16, 1e8  # the gradient figure's axis: 1e-16 is where a float64 ends
FORGOTTEN, LOUDEST = 1e-12, 1e4  # the memory figure's axis: above the rounding of the states


# Measured -------------------------------------------------------------------------------------


@cache
def unit_radius_matrix() -> np.ndarray:
    """A Gaussian matrix (H, H) over its spectral radius: radius 1, largest singular value near 2."""
    W = with_spectral_radius(np.random.default_rng(6).standard_normal((H, H)), 1.0)
    W.flags.writeable = False
    return W


@cache
def sequences(length: int) -> np.ndarray:
    """Random inputs (T, N, D); a shorter length is the beginning of the same sequences."""
    x = np.random.default_rng(666).standard_normal((LONGEST, N, D))[:length]
    x.flags.writeable = False
    return x


def network(gain: float, activation: str) -> RNN:
    """This chapter's recurrent layer: W_h has spectral radius ``gain`` whatever the activation.

    W_x has entries of standard deviation 0.3/√D: inputs so small that W_h and the activation
    decide how far a gradient gets.
    """
    rng = np.random.default_rng(66)
    cell = RNN(D, H, rng=rng, nonlinearity=activation)
    cell.W_x[...] = 0.3 / sqrt(D) * rng.standard_normal((D, H))
    cell.W_h[...] = gain * unit_radius_matrix()
    cell.b[...] = 0.0
    return cell


def gradient_at_lags(gain: float, length: int, activation: str) -> np.ndarray:
    """‖∂L/∂h_{T-k}‖ (T, N) for every lag k = 0 … T-1, from one backward pass.

    The loss of a sequence is L = v·h_T with a random unit vector v: lag 0 reads 1, and lag k the
    share of the gradient that is left k steps earlier.
    """
    cell = network(gain, activation)
    trace = cell.forward(sequences(length))
    dh = np.zeros_like(trace.h)
    dh[-1] = np.random.default_rng(6666).standard_normal((N, H))
    dh[-1] /= np.linalg.norm(dh[-1], axis=1, keepdims=True)
    return state_gradient_norms(cell.backward(trace, dh))[::-1]


def theory_rates(gain: float, activation: str) -> tuple[float, float]:
    """(γσ, γρ) a step: the most it can multiply a gradient by, and its long-run rate at slope γ."""
    gamma = ACTIVATIONS[activation].bound
    return gamma * gain * largest_singular_value(unit_radius_matrix()), gamma * gain


def three_memories(gain: float, activation: str) -> np.ndarray:
    """States (T, 3, H) of one sequence, of it with the first input's sign turned, and with the last's."""
    x = np.repeat(sequences(MEMORY)[:, :1], 3, axis=1)
    x[0, 1] *= -1
    x[-1, 2] *= -1
    return network(gain, activation).forward(x).h


def last_state_jacobian(gain: float, activation: str) -> np.ndarray:
    """∂h_T/∂x_t (T, H, D) for every t, from one backward pass over H copies of one sequence.

    Copy j asks for the gradient of unit j of h_T, so the batch holds the rows of the Jacobian.
    """
    cell = network(gain, activation)
    trace = cell.forward(np.repeat(sequences(MEMORY)[:, :1], H, axis=1))
    dh = np.zeros_like(trace.h)
    dh[-1] = np.eye(H)
    return cell.backward(trace, dh)["x"]


def recall(length: int, sequences: int, *, rng: np.random.Generator) -> Batch:
    """Repeat each symbol one step late, and at the last step say the *first* symbol again.

    Symbols are random bits: inputs 0 and 1 are one-hot, input 2 is 1 at the last step only, so
    every answer can be known; all but the last need a memory of one step.
    """
    bits = rng.integers(2, size=(length, sequences))
    x = np.zeros((length, sequences, 3))
    x[..., :2] = np.eye(2)[bits]
    x[-1, :, 2] = 1
    target = np.roll(bits, 1, axis=0)
    target[-1] = target[0] = bits[0]
    return Batch(x, target)


def steps_to_a_thousandth(slope: float) -> int | None:
    """The first k with slope^k < 1/1000; None where there is none, for a slope of 1.

    >>> steps_to_a_thousandth(0.25), steps_to_a_thousandth(0.0), steps_to_a_thousandth(1.0)
    (5, 1, None)
    """
    if slope >= 1:
        return None
    return 1 if slope == 0 else floor(log(1e-3) / log(slope)) + 1


# Shown ----------------------------------------------------------------------------------------


def share(ratio: float, low: float, high: float) -> str:
    """What to say before "its size", for a ratio that is shown from ``low`` to ``high``.

    >>> [share(r, 1e-16, 1e8) for r in (3e-7, 1e-30, 1.3, 130)]
    ['10⁻⁷ of', 'less than 10⁻¹⁶ of', 'about', '10² times']
    """
    if ratio < low:
        return f"less than {plots.power_of_ten(low)} of"
    if ratio > high:
        return f"more than {plots.power_of_ten(high)} times"
    size = plots.power_of_ten(ratio)
    return "about" if size == "1" else f"{size} {'of' if ratio < 1 else 'times'}"


def gradient_flow() -> LiveFigure:
    """The size of the gradient at every lag, measured, under the bound (γσ)^k and beside (γρ)^k."""
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.6))
        ax.set(xlim=(0, 1.35 * LONGEST), xticks=range(0, LONGEST + 1, 20))
        ax.set(title="How much of the gradient is left", xlabel="k, steps back from the loss")
        plots.log_axis(ax, LOWEST, HIGHEST, decades=4)
        (kept,) = ax.plot([], [], color=plots.MUTED, linewidth=1, label="nothing lost")
        band = ax.add_patch(Polygon(np.ones((3, 2)), facecolor=plots.RNN, alpha=0.25))
        (bound,) = ax.plot([], [], "--", color=plots.ACCENT, label="bound (γσ)ᵏ")
        (rate,) = ax.plot([], [], ":", color=plots.GOLD, linewidth=2.5, label="rate (γρ)ᵏ")
        (measured,) = ax.plot([], [], color=plots.RNN, linewidth=2.5, label="measured")
        labels = {
            line.get_label(): ax.text(0, 1, "", va="center", color=line.get_color())
            for line in (bound, rate, measured, kept)
        }

    @interact(
        fig,
        name="gradient-flow",
        alt="The norm of the gradient against steps back from the loss, on a log axis: measured, "
        "with the bound from the largest singular value and the rate from the spectral radius.",
        gain=GAIN,
        length=Control([20, 50, 100], unit="steps"),
        activation=ACTIVATION,
    )
    def update(gain: float = 0.9, length: int = 50, activation: str = "tanh") -> str:
        norms = gradient_at_lags(gain, length, activation)
        bound_end, rate_end = (r ** (length - 1) for r in theory_rates(gain, activation))
        lag = np.unique(np.linspace(0, length - 1, 26).round().astype(int))
        low, median, high = np.quantile(norms[lag], [0.1, 0.5, 0.9], axis=1)
        band.set_xy(np.r_[np.c_[lag, low], np.c_[lag, high][::-1]])
        measured.set_data(lag, median)
        kept.set_data([0, length - 1], [1, 1])
        bound.set_data([0, length - 1], [1, bound_end])
        rate.set_data([0, length - 1], [1, rate_end])
        plots.label_ends(labels, [bound_end, rate_end, median[-1], 1], length + 1)
        return (
            f"With gain {gain:.2f}, {NAMES[activation]} and {length} steps the gradient reaches "
            f"step 1 at {share(median[-1], LOWEST, HIGHEST)} its size at step {length}."
        )

    return update


def activation_slopes() -> LiveFigure:
    """An activation and its slope at one input, and what is left when that slope is met k times."""
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 4.8), height_ratios=(3, 2))
        top.set(xlim=(-5, 5), ylim=(-1.25, 2.25), yticks=(-1, 0, 1, 2), xlabel="input a")
        top.set_title("The activation f and its slope f′")
        (value,) = top.plot([], [], color=plots.INK, label="f")
        (slope,) = top.plot([], [], color=plots.RNN, label="f′")
        (value_at,) = top.plot([], [], "o", color=plots.INK, label="f")
        (slope_at,) = top.plot([], [], "o", color=plots.RNN, label="f′")
        value_text = top.text(-4.8, 1.85, "", color=plots.INK)
        slope_text = top.text(-4.8, 1.45, "", color=plots.RNN)

        bottom.set(xlim=(0, 30), title="What k such slopes leave", xlabel="k, steps")
        plots.log_axis(bottom, 1e-6, 1e1, decades=3)
        bottom.axhline(1e-3, color=plots.MUTED, linewidth=1)
        bottom.text(29.8, 1.3e-3, "a thousandth", color=plots.MUTED, ha="right", va="bottom")
        (best,) = bottom.plot([], [], "--", color=plots.ACCENT, label="steepest slope")
        (product,) = bottom.plot([], [], color=plots.RNN, label="slope at a")
        (reached,) = bottom.plot([], [], "o", color=plots.RNN)
        best_text = bottom.text(29.8, 1.7, "", color=plots.ACCENT, ha="right", va="bottom")

    inputs = np.sort(np.r_[np.linspace(-5, 5, 101), 1e-9])  # 1e-9: the jump of ReLU's slope
    k = np.arange(31)

    @interact(
        fig,
        name="activation-slopes",
        alt="Above, an activation function and its slope, with a dot at the chosen input. Below, "
        "that slope to the power k on a log axis, beside the steepest slope to the power k.",
        a=(-5.0, 5.0, 0.1),
        activation=ACTIVATION,
    )
    def update(a: float = 2.0, activation: str = "sigmoid") -> str:
        f = ACTIVATIONS[activation]
        y = f.value(np.array([a]))
        s = f.slope(y).item()
        value.set_data(inputs, f.value(inputs))
        slope.set_data(inputs, f.slope(f.value(inputs)))
        value_at.set_data([a], y)
        slope_at.set_data([a], [s])
        value_text.set_text(f"f(a) = {y.item():.3g}".replace("-", "−"))
        slope_text.set_text(f"f′(a) = {s:.3g}")
        best.set_data(k, f.bound**k)
        best_text.set_text(f"steepest slope of {NAMES[activation]}: {f.bound:g}")
        product.set_data(k, s**k)
        steps = steps_to_a_thousandth(s)
        reached.set_data([] if steps is None else [steps], [] if steps is None else [s**steps])
        if steps is None:
            left = "any number of such steps leaves everything"
        elif steps == 1:
            left = "one such step leaves less than a thousandth"
        else:
            left = f"{steps} such steps leave less than a thousandth"
        return f"At a = {a:.1f} the slope of {NAMES[activation]} is {s:.3g}: {left}."

    return update


def first_input_left() -> LiveFigure:
    """Two sequences that differ in their first input only: one unit in both, and their distance."""
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 4.8), height_ratios=(2, 3), sharex=True)
        top.set(xlim=(0, 1.32 * MEMORY), xticks=range(0, MEMORY + 1, 10))
        top.set(ylim=(-1.1, 1.1), yticks=(-1, 0, 1), title="One unit, over its largest value")
        top.set_xlabel("t, steps", visible=False)  # for the table of numbers
        (one,) = top.plot([], [], color=plots.MUTED, linewidth=4, alpha=0.5, label="first x₁")
        (other,) = top.plot([], [], color=plots.RNN, linewidth=1.5, label="first −x₁")
        top.text(MEMORY + 1, 0.5, "first x₁", color=plots.MUTED, va="center")
        top.text(MEMORY + 1, -0.5, "first −x₁", color=plots.RNN, va="center")

        bottom.set(title="Distance of the states (after step 1: 1)", xlabel="t, steps")
        plots.log_axis(bottom, FORGOTTEN, LOUDEST, decades=4)
        bottom.plot([1, MEMORY], [1, 1], color=plots.MUTED, linewidth=1)
        (distance,) = bottom.plot([], [], color=plots.RNN, linewidth=2.5)
        (of_last,) = bottom.plot([], [], "o", color=plots.ACCENT, label="x₅₀ changed")
        distance.set_label("x₁ changed (10⁻¹³: or less)")
        labels = {
            "x₁ changed": bottom.text(0, 1, "", va="center", color=plots.RNN),
            "x₅₀ changed": bottom.text(0, 1, "", va="center", color=plots.ACCENT),
        }

    t = np.arange(1, MEMORY + 1)

    @interact(
        fig,
        name="first-input-left",
        alt="Above, one unit over time in two sequences that differ in their first input only. "
        "Below, the distance of the two states on a log axis, and a dot for a change of the last.",
        gain=GAIN,
        activation=ACTIVATION,
    )
    def update(gain: float = 0.9, activation: str = "tanh") -> str:
        h = three_memories(gain, activation)
        unit = h[:, :2, np.abs(h[0, 0] - h[0, 1]).argmax()]
        one.set_data(t, unit[:, 0] / np.abs(unit).max())
        other.set_data(t, unit[:, 1] / np.abs(unit).max())
        apart = np.linalg.norm(h[:, 1:] - h[:, :1], axis=2)
        left, fresh = apart[:, 0] / apart[0, 0], apart[-1, 1] / apart[0, 0]
        distance.set_data(t, np.maximum(left, FORGOTTEN / 10))
        of_last.set_data([MEMORY], [fresh])
        plots.label_ends(labels, [left[-1], fresh], MEMORY + 1)
        jacobians = last_state_jacobian(gain, activation)
        first, last = np.linalg.norm(jacobians[[0, -1]], ord=2, axis=(1, 2))
        return (
            f"With gain {gain:.2f} and {NAMES[activation]}, the first input's mark on the state is, "
            f"at step {MEMORY}, {share(left[-1], FORGOTTEN, LOUDEST)} its size at step 1; "
            f"∂h₅₀/∂x₁ is {share(first / last, FORGOTTEN, LOUDEST)} the size of ∂h₅₀/∂x₅₀."
        )

    return update
