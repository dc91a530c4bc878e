"""Chapter 07's shorter time steps: the sunspots read in strides, what that gains and what it loses."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from .. import plots
from ..bptt import Network, Readout, bptt
from ..cells import RNN
from ..diagnostics import state_gradient_norms
from ..live import Control, LiveFigure, interact
from ..tasks import Batch, Sunspots, batches, sunspots
from ..training import Adam, fit

SERIES = Sunspots(T=40, last=1920)
STRIDES = tuple(range(1, 11))
H, N, UPDATES, SEEDS = 16, 32, 300, (0, 1, 2)
SHOWN = 1957  # the year whose number is forecast in the picture


# Measured -------------------------------------------------------------------------------------


def every(stride: int, x: np.ndarray) -> np.ndarray:
    """Each ``stride``-th step of x (T, ...), counted back from the last one.

    >>> every(3, np.arange(10))
    array([0, 3, 6, 9])
    """
    return x[(len(x) - 1) % stride :: stride]


@cache
def held_out() -> Batch:
    """The years after 1920, each with the 40 before it: x (40, 88, 1), target (88, 1), in hundreds."""
    years, numbers = sunspots()
    windows = np.lib.stride_tricks.sliding_window_view(numbers / SERIES.scale, SERIES.T + 1)
    windows = windows[years[SERIES.T :] > SERIES.last].T[..., None]
    return Batch(windows[:-1], windows[-1])


class Forecast(NamedTuple):
    """What forecasting next year costs where only each so many-th year is read."""

    error: np.ndarray  # (seeds,) mean squared error on the held-out years
    left: np.ndarray  # (seeds,) share of the gradient left at the first step, after training
    linear: float  # the error of a linear regression on the same numbers: no network, no gradient


@cache
def forecast(stride: int) -> Forecast:
    """A network for each seed and the regression, on 40 years of sunspots read in these strides."""
    exam = held_out()
    x, ask = every(stride, exam.x), {"loss": "squared_error", "at": "last"}
    error, left = [], []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        model = Network(RNN(1, H, rng=rng), Readout(H, 1, rng=rng))
        lessons = _shortened(stride, rng)
        fit(model, lessons, steps=UPDATES, optimizer=Adam(1e-2), clip=1.0, **ask)
        result = bptt(model, x, exam.target, **ask)
        norms = state_gradient_norms(result.grads)
        error.append(result.loss)
        left.append(np.median(norms[0] / norms[-1]))
    return Forecast(np.array(error), np.array(left), _regression(stride))


def _shortened(stride: int, rng: np.random.Generator) -> Iterator[Batch]:
    for batch in batches(SERIES, N, rng=rng):
        yield Batch(every(stride, batch.x), batch.target[-1])


def _regression(stride: int) -> float:
    """Least squares on the years up to 1920, judged on those after."""
    years, numbers = sunspots()
    windows = np.lib.stride_tricks.sliding_window_view(numbers / SERIES.scale, SERIES.T + 1)
    known = np.c_[every(stride, windows[:, :-1].T).T, np.ones(len(windows))]
    fitted = years[SERIES.T :] <= SERIES.last
    weights = np.linalg.lstsq(known[fitted], windows[fitted, -1], rcond=None)[0]
    return float(((known[~fitted] @ weights - windows[~fitted, -1]) ** 2).mean())


def never_forecast() -> float:
    """The null: next year is as this year."""
    exam = held_out()
    return float(((exam.x[-1] - exam.target) ** 2).mean())


# Shown ----------------------------------------------------------------------------------------


def shorter_steps() -> LiveFigure:
    """The sunspots read in strides: what the network sees, its error, and its gradient."""
    years, numbers = sunspots()
    seen = (years >= SHOWN - SERIES.T) & (years < SHOWN)
    runs = [forecast(stride) for stride in STRIDES]
    with plots.style():
        fig, axes = plt.subplot_mosaic(
            [["series", "series"], ["error", "left"]], figsize=(5.2, 4.9), height_ratios=(1, 1)
        )
        top, ax, back = axes["series"], axes["error"], axes["left"]
        top.set(xlim=(SHOWN - SERIES.T - 1, SHOWN + 2), ylim=(-5, 205), yticks=(0, 100, 200))
        top.set_title("Sunspots, and what the network reads")
        top.set_xlabel("year", visible=False)  # for the table of numbers
        top.plot(years, numbers, color=plots.MUTED, linewidth=4, alpha=0.35)
        top.plot([SHOWN], numbers[years == SHOWN], "D", color=plots.ACCENT)
        top.text(SHOWN - 1, 185, f"{SHOWN}?", color=plots.ACCENT, ha="right")
        (read,) = top.plot([], [], "o-", color=plots.RNN, linewidth=1.5, markersize=5, label="read")

        ticks = (1, 4, 7, 10)
        ax.set(xlim=(0.5, 10.5), ylim=(0, 0.112), xticks=ticks, yticks=(0, 0.05, 0.1))
        ax.set(title="Error of the forecast", xlabel="stride, years")
        ax.axhline(never_forecast(), linestyle="--", color=plots.ACCENT, linewidth=1.2)
        ax.text(1, never_forecast() + 0.002, "as this year", color=plots.ACCENT, va="bottom")
        ax.plot(STRIDES, [run.linear for run in runs], ":", color=plots.INK, label="regression")
        ax.text(10.4, 0.005, "dotted: regression", color=plots.INK, ha="right", va="bottom")
        error = np.array([run.error for run in runs])
        ax.fill_between(STRIDES, *_range(error), color=plots.RNN, alpha=0.25, linewidth=0)
        ax.plot(STRIDES, np.median(error, axis=1), color=plots.RNN, label="network, median")
        (error_here,) = ax.plot([], [], "o", color=plots.RNN, markersize=8)

        back.set(xlim=(0.5, 10.5), xticks=ticks, title="Gradient left", xlabel="stride, years")
        plots.log_axis(back, 1e-8, 1e0, decades=2)
        left = np.array([run.left for run in runs])
        back.fill_between(STRIDES, *_range(left), color=plots.RNN, alpha=0.25, linewidth=0)
        back.plot(STRIDES, np.median(left, axis=1), color=plots.RNN, label="network, median")
        (left_here,) = back.plot([], [], "o", color=plots.RNN, markersize=8)

    @interact(
        fig,
        name="shorter-steps",
        alt="Above, forty years of sunspot numbers with a dot at each year that is read. Below, the "
        "error of the forecast and the share of the gradient left, against the stride.",
        stride=Control({f"{k} year{'s' * (k > 1)}": k for k in STRIDES}, kind="slider"),
    )
    def update(stride: int = 1) -> str:
        run = forecast(stride)
        read.set_data(every(stride, years[seen]), every(stride, numbers[seen]))
        error_here.set_data([stride], [np.median(run.error)])
        left_here.set_data([stride], [np.median(run.left)])
        rhythm, steps = f"{stride} years" if stride > 1 else "year", read.get_xdata().size
        return (
            f"Read every {rhythm}, forty years are {steps} steps: "
            f"{plots.power_of_ten(np.median(run.left))} of the gradient is left at the first, and "
            f"the error is {np.median(run.error):.3f}, where saying the last number again costs "
            f"{never_forecast():.3f}."
        )

    return update


def _range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values.min(axis=1), values.max(axis=1)
