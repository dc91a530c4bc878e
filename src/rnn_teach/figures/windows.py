"""Chapter 01's other live figures: what a window of fixed length learns of the sunspots, and how far back it sees."""

from __future__ import annotations

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .. import plots
from ..bptt import Network, Readout, predict
from ..cells import RNN
from ..diagnostics import connectivity
from ..live import Control, LiveFigure, interact
from ..tasks import Sunspots, batches, sunspots
from ..training import Adam, fit

FIRST = 1700  # the year of the first number
TRAINING, HELD_OUT = np.arange(1760, 1921), np.arange(1921, 2009)
WINDOWS = range(61)
SHUFFLES = 5
PEAK = 1957  # the largest number of all: the year whose window the figure shows
UPDATES = 400
REACH = 60
NOTHING = 1e-16  # where the influence figure's log axis shows a 0


# Measured -------------------------------------------------------------------------------------


def inputs(series: np.ndarray, years: np.ndarray, window: int) -> np.ndarray:
    """The ``window`` numbers before each of the years, oldest first, and a 1 for the bias.

    ``series`` (309,) begins in 1700. Returns (years, window + 1).

    >>> inputs(np.arange(309), np.array([1710, 2008]), 3)
    array([[  7,   8,   9,   1],
           [305, 306, 307,   1]])
    """
    place = years[:, None] - FIRST + np.arange(-window, 0)
    return np.append(series[place], np.ones((len(years), 1), series.dtype), axis=1)


@cache
def fitted(window: int) -> np.ndarray:
    """The weights (window + 1,) with the least squared error over the years 1760 to 1920.

    The years are the same for every window, so that all of them learn from the same answers.
    """
    _, numbers = sunspots()
    seen = inputs(numbers, TRAINING, window)
    weights = np.linalg.lstsq(seen, numbers[TRAINING - FIRST], rcond=None)[0]
    weights.flags.writeable = False
    return weights


def forecast(window: int, years: np.ndarray) -> np.ndarray:
    """What a window of that length says of each of the years, from the numbers before it."""
    return inputs(sunspots()[1], years, window) @ fitted(window)


@cache
def shuffled_forecasts(window: int) -> np.ndarray:
    """(5, 88): forecasts of the held-out years from windows whose numbers are in random order.

    Each window is shuffled on its own, in the years to learn from and in the held-out ones.
    """
    rng, (_, numbers) = np.random.default_rng(1), sunspots()
    seen, asked = (inputs(numbers, years, window) for years in (TRAINING, HELD_OUT))
    said = np.empty((SHUFFLES, len(HELD_OUT)))
    for k in range(SHUFFLES):
        for rows in (seen, asked):
            rows[:, :-1] = rng.permuted(rows[:, :-1], axis=1)
        said[k] = asked @ np.linalg.lstsq(seen, numbers[TRAINING - FIRST], rcond=None)[0]
    said.flags.writeable = False
    return said


def error(said: np.ndarray, years: np.ndarray) -> float:
    """The root mean squared error of forecasts (..., years), in sunspot numbers."""
    return float(np.sqrt(((said - sunspots()[1][years - FIRST]) ** 2).mean()))


@cache
def errors() -> dict[str, np.ndarray]:
    """The error (61,) of the windows 0 to 60 in training, held out, and held out and shuffled."""
    return {
        "training": np.array([error(forecast(w, TRAINING), TRAINING) for w in WINDOWS]),
        "held out": np.array([error(forecast(w, HELD_OUT), HELD_OUT) for w in WINDOWS]),
        "shuffled": np.array([error(shuffled_forecasts(w), HELD_OUT) for w in WINDOWS]),
    }


def baselines() -> dict[str, float]:
    """The error on the held-out years of last year's number, and of the mean in training."""
    _, numbers = sunspots()
    mean = np.full(len(HELD_OUT), numbers[TRAINING - FIRST].mean())
    return {
        "persistence": error(numbers[HELD_OUT - 1 - FIRST], HELD_OUT),
        "mean": error(mean, HELD_OUT),
    }


@cache
def window_influence(window: int) -> np.ndarray:
    """|∂(forecast of 2008)/∂(number k years before)| for k = 1 … 60, by the complex step.

    One year of the series after the other is moved along the imaginary axis; nothing is used of
    the forecaster but what it says.
    """
    _, numbers = sunspots()
    moved = numbers + 1e-30j * np.eye(len(numbers))  # in row s the year 1700 + s is moved
    said = [inputs(series, HELD_OUT[-1:], window) @ fitted(window) for series in moved]
    before_2008 = np.imag(said)[-2 : -2 - REACH : -1, 0]
    return np.abs(before_2008) / 1e-30


@cache
def recurrent(updates: int = UPDATES) -> Network:
    """A recurrent network of 8 units after so many updates on the years up to 1920."""
    rng = np.random.default_rng(1)
    network = Network(RNN(1, 8, rng=rng), Readout(8, 1, rng=rng))
    if updates:
        lessons = batches(Sunspots(T=60), 16, rng=rng)
        options = {"optimizer": Adam(5e-3), "clip": 1.0, "loss": "squared_error"}
        fit(network, lessons, steps=updates, **options)
    return network


def recurrent_forecast(network: Network, years: np.ndarray) -> np.ndarray:
    """What the network says of each of the years, having read every number before it."""
    y, _ = predict(network, sunspots()[1][:-1, None, None] / Sunspots.scale)
    return y[years - 1 - FIRST, 0, 0] * Sunspots.scale


@cache
def recurrent_influence(updates: int) -> np.ndarray:
    """|∂(forecast of a year)/∂(number k years before)|, k = 1 … 60: median of the held-out years."""
    network, read = recurrent(updates), sunspots()[1][:-1, None, None] / Sunspots.scale
    reach = connectivity(network.cell, network.cell.forward(read), network.readout.W_y[:, 0])
    last_read = HELD_OUT[:, None] - 1 - FIRST  # the step that says a year has read the one before
    return np.median(reach[last_read, last_read - np.arange(REACH)], axis=0)


# Shown ----------------------------------------------------------------------------------------


def years_long(years: int) -> str:
    """A number of years in words.

    >>> years_long(1), years_long(9)
    ('1 year', '9 years')
    """
    return f"{years} year{'' if years == 1 else 's'}"


def amount(influence: float) -> str:
    """An influence in words that tell a zero from what is only small.

    >>> amount(0.0), amount(0.1234), amount(3e-7)
    ('exactly 0', '0.12', 'about 10⁻⁷')
    """
    if influence == 0:
        return "exactly 0"
    return f"{influence:.2g}" if influence >= 0.01 else f"about {plots.power_of_ten(influence)}"


def window_length() -> LiveFigure:
    """Forecasts from a window of the reader's length, and the error of every length."""
    years, numbers = sunspots()
    shown = years >= 1895
    measured, simplest = errors(), baselines()
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5), height_ratios=(2, 3))
        top.set(xlim=(1895, 2009), ylim=(-20, 235), xticks=range(1900, 2001, 20))
        top.set(title="Sunspots", yticks=(0, 100, 200))
        top.set_xlabel("year", visible=False)  # for the table of numbers
        read = top.add_patch(Rectangle((PEAK, -20), 0, 255, color=plots.GRID, linewidth=0))
        top.axvline(HELD_OUT[0] - 0.5, color=plots.MUTED, linewidth=1)
        top.text(HELD_OUT[0] + 0.5, 230, "held out →", color=plots.MUTED, va="top")
        top.plot(years[shown], numbers[shown], color=plots.INK, linewidth=1.2, label="counted")
        (said,) = top.plot([], [], linewidth=1.8, label="forecast")
        (said_of_peak,) = top.plot([], [], "o")
        place = {"ha": "right", "transform": top.transAxes}
        top.text(0.5, 1.05, "counted", color=plots.INK, **place)
        said_name = top.text(0.72, 1.05, "forecast", **place)
        top.text(1, 1.05, "▮ read for 1957", color=plots.MUTED, **place)

        bottom.set(xlim=(-1, 86), ylim=(0, 75), xticks=range(0, 61, 10), xlabel="window, years")
        bottom.set_title("Root mean squared error, in sunspots")
        for name, value in simplest.items():
            bottom.plot([0, 60], [value] * 2, "--", color=plots.MUTED, linewidth=1)
            bottom.text(62, value, f"{name} {value:.1f}", color=plots.MUTED, va="center")
        labels = {}
        looks = (("-", plots.GOLD), ("-", plots.ACCENT), (":", plots.INK))
        for name, (dash, color) in zip(("shuffled", "held out", "training"), looks, strict=True):
            bottom.plot(WINDOWS, measured[name], dash, color=color, label=name)
            labels[name] = bottom.text(62, measured[name][-1], "", color=color, va="center")
        (now,) = bottom.plot([], [], "o", markersize=8)
        (now_training,) = bottom.plot([], [], "o", color=plots.INK, markersize=4)

    @interact(
        fig,
        name="window-length",
        alt="Above, yearly sunspot numbers and forecasts of the years after 1920, and what the "
        "forecast of 1957 reads. Below, the error against the length of the window: in training "
        "it falls, held out it falls and rises again, of shuffled windows it stays high.",
        window=Control({years_long(w): w for w in WINDOWS}, kind="slider"),
        order=["as counted", "shuffled"],
    )
    def update(window: int = 1, order: str = "as counted") -> str:
        error_now = {name: values[window] for name, values in measured.items()}
        if order == "shuffled":
            line, missed, color = shuffled_forecasts(window)[0], "shuffled", plots.GOLD
        else:
            line, missed, color = forecast(window, HELD_OUT), "held out", plots.ACCENT
        said.set_data(HELD_OUT, line)
        said_of_peak.set_data([PEAK], line[HELD_OUT == PEAK])
        now.set_data([window], [error_now[missed]])
        now_training.set_data([window], [error_now["training"]])
        now_training.set_visible(order != "shuffled")
        for artist in (said, said_of_peak, said_name, now):
            artist.set_color(color)
        for name, label in labels.items():
            label.set_text(f"{name} {error_now[name]:.1f}")
        read.set(x=PEAK - 0.5 - window, width=window)
        size = f"{years_long(window)}, {window + 1} parameter{'s' if window else ''}"
        if order == "shuffled":
            return (
                f"Window of {size}, its numbers in random order: the forecasts of the held-out "
                f"years miss by {error_now['shuffled']:.1f}; in the right order it is "
                f"{error_now['held out']:.1f}."
            )
        return (
            f"Window of {size}: the forecasts miss by {error_now['training']:.1f} in training "
            f"and by {error_now['held out']:.1f} in the held-out years; last year's number "
            f"misses those by {simplest['persistence']:.1f}."
        )

    return update


def influence() -> LiveFigure:
    """How much a forecast changes with the number k years before: a window beside a recurrent network."""
    k = np.arange(1, REACH + 1)
    trained, untrained = recurrent_influence(UPDATES), recurrent_influence(0)
    with plots.style():
        fig, ax = plt.subplots(figsize=(5.2, 3.8))
        ax.set(xlim=(0, 1.5 * REACH), xticks=range(0, REACH + 1, 10))
        ax.set(
            title="Influence on the forecast", xlabel="k, years before the year that is forecast"
        )
        plots.log_axis(ax, NOTHING, 1e4, decades=4)
        ticks = ax.get_yticks()
        ax.set_yticks(ticks, ["0", *map(plots.power_of_ten, ticks[1:])])
        at_k = ax.axvline(0, color=plots.GRID, linewidth=4)
        ax.plot(k, untrained, ":", color=plots.MUTED)
        ax.plot(k, trained, color=plots.RNN)
        (by_window,) = ax.plot([], [], "o", color=plots.ACCENT, markersize=3.5, clip_on=False)
        (now,) = ax.plot([], [], "o", color=plots.ACCENT, markersize=8, clip_on=False)
        (now_trained,) = ax.plot([], [], "o", color=plots.RNN, markersize=8)
        labels = {
            "window": ax.text(0, 1, "", va="center", color=plots.ACCENT),
            "untrained RNN": ax.text(0, 1, "", va="center", color=plots.MUTED),
            "trained RNN": ax.text(0, 1, "", va="center", color=plots.RNN),
        }

    @interact(
        fig,
        name="influence",
        alt="How much the forecast changes with the number k years before, on a log axis. For a "
        "window it is exactly 0 beyond its length; for a recurrent network it falls with k and "
        "is never 0.",
        window=Control({years_long(w): w for w in (1, 2, 5, 9, 20, 30, 40, 60)}, kind="slider"),
        back=Control({f"{years_long(b)} back": b for b in k.tolist()}, label="k", kind="slider"),
    )
    def update(window: int = 9, back: int = 5) -> tuple[str, dict[str, np.ndarray]]:
        measured = window_influence(window)
        by_window.set_data(k, np.maximum(measured, NOTHING))
        at_k.set_xdata([back, back])
        now.set_data([back], [max(measured[back - 1], NOTHING)])
        now_trained.set_data([back], [trained[back - 1]])
        ends = [max(measured[-1], NOTHING), untrained[-1], trained[-1]]
        plots.label_ends(labels, ends, REACH + 2)
        sentence = (
            f"The number {years_long(back)} back has an influence of {amount(measured[back - 1])} "
            f"on the forecast from a window of {years_long(window)}, and of "
            f"{amount(trained[back - 1])} on that of the trained recurrent network."
        )
        of_networks = {"trained RNN": trained, "untrained RNN": untrained}
        return sentence, {"k, years before": k, f"window of {window}": measured, **of_networks}

    return update
