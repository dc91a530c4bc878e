"""Chapter 16's forecasts of the sunspots, made by walking forward, and the live figure of their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon

from .. import plots, results
from ..bptt import Network, Readout, predict
from ..cells import GRU, LSTM, RNN
from ..live import Control, LiveFigure, interact
from ..tasks import Batch, Sunspots, sunspots
from ..training import Adam, fit, linear_decay
from .windows import FIRST, inputs, years_long

HORIZONS = np.arange(1, 13)  # years ahead: a cycle and one more
ORIGINS = np.arange(1843, 2008)  # the years at whose end forecasts are made
TARGETS = np.arange(1921, 2009)  # the years that are judged: those that chapter 01 held out
REFIT = 11  # years from one fit to the next
PERIOD = 11  # of the sun, for the seasonal forecast
MOST = 22  # the longest window that an autoregression may have
CELLS = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}
SEEDS = range(5)
H, T, N, UPDATES = 8, 60, 16, 200  # of the networks
Forecaster = Callable[[np.ndarray, int, np.ndarray], np.ndarray]


# Forecast -------------------------------------------------------------------------------------
# A forecaster is given the series (309,), the last year that it may be fitted on, and the years
# (Y,) at whose end it speaks; it returns what it says of the 12 years after each: (Y, 12).


def mean(series: np.ndarray, last: int, years: np.ndarray) -> np.ndarray:
    """The mean of all that was known in each of the years (Y,), for all horizons: (Y, 12)."""
    so_far = np.cumsum(series) / np.arange(1, len(series) + 1)
    return np.repeat(so_far[years - FIRST, None], len(HORIZONS), axis=1)


def persistence(series: np.ndarray, last: int, years: np.ndarray) -> np.ndarray:
    """The number of each of the years (Y,), for all horizons: (Y, 12)."""
    return np.repeat(series[years - FIRST, None], len(HORIZONS), axis=1)


def seasonal(series: np.ndarray, last: int, years: np.ndarray) -> np.ndarray:
    """The number 11 years before the year that is forecast, or 22 where 11 is not over yet: (Y, 12)."""
    cycles = -(-HORIZONS // PERIOD)
    return series[years[:, None] + HORIZONS - PERIOD * cycles - FIRST]


def weights(series: np.ndarray, last: int, order: int, horizon: int) -> np.ndarray:
    """The least squares weights (order + 1,) for a forecast ``horizon`` years ahead.

    They are fitted on all answers known in the year ``last``, the first of them such that every
    order has as many.
    """
    answers = np.arange(FIRST + MOST + horizon - 1, last + 1)
    seen = inputs(series, answers - horizon + 1, order)
    return np.linalg.lstsq(seen, series[answers - FIRST], rcond=None)[0]


def order(series: np.ndarray, last: int) -> int:
    """The window of 1 to 22 years with the least AIC, n ln(mean squared error) + 2 (parameters).

    Source: Akaike 1974.
    """
    answers = np.arange(FIRST + MOST, last + 1)
    scores = []
    for p in range(1, MOST + 1):
        left = series[answers - FIRST] - inputs(series, answers, p) @ weights(series, last, p, 1)
        scores.append(len(answers) * np.log((left**2).mean()) + 2 * (p + 1))
    return 1 + int(np.argmin(scores))


def direct(series: np.ndarray, last: int, years: np.ndarray, p: int) -> np.ndarray:
    """A weighted sum of the latest p numbers, with other weights for each horizon: (Y, 12)."""
    seen = inputs(series, years + 1, p)
    return np.stack([seen @ weights(series, last, p, h) for h in HORIZONS], axis=1)


def autoregression(series: np.ndarray, last: int, years: np.ndarray) -> np.ndarray:
    """The direct forecast from a window whose length the years up to ``last`` have chosen."""
    return direct(series, last, years, order(series, last))


def lessons(series: np.ndarray, last: int, *, rng: np.random.Generator) -> Iterator[Batch]:
    """Windows of 60 years, and after each year the 12 that follow it, none of them after ``last``."""
    known = series[: last + 1 - FIRST] / Sunspots.scale
    while True:
        starts = rng.integers(len(known) - T - HORIZONS[-1] + 1, size=N)
        place = np.arange(T)[:, None] + starts
        yield Batch(known[place][..., None], known[place[..., None] + HORIZONS])


def trained(
    series: np.ndarray, last: int, cell: str, seed: int, *, updates: int = UPDATES
) -> Network:
    """A network with twelve outputs, one for each horizon, trained on the years up to ``last``."""
    rng = np.random.default_rng([seed, last])
    network = Network(CELLS[cell](1, H, rng=rng), Readout(H, len(HORIZONS), rng=rng))
    many = lessons(series, last, rng=rng)
    adam = Adam(linear_decay(1e-2, steps=updates))
    options = {"optimizer": adam, "clip": 1.0, "loss": "squared_error", "progress": False}
    fit(network, many, steps=updates, **options)
    return network


def read(network: Network, series: np.ndarray, years: np.ndarray) -> np.ndarray:
    """What the network says in each of the years (Y,), having read every number up to it: (Y, 12)."""
    known = series[: years.max() + 1 - FIRST, None, None] / Sunspots.scale
    return predict(network, known)[0][years - FIRST, 0] * Sunspots.scale


def truth(series: np.ndarray, years: np.ndarray) -> np.ndarray:
    """What came in the 12 years after each of the years (Y,): (Y, 12), NaN after the last number.

    >>> truth(np.arange(309.0), np.array([1995, 2007]))[:, [0, 1, 11]]
    array([[296., 297., 307.],
           [308.,  nan,  nan]])
    """
    to_come = np.append(series, np.full(len(HORIZONS), np.nan))
    return to_come[years[:, None] + HORIZONS - FIRST]


def training_error(forecaster: Forecaster, series: np.ndarray, last: int) -> np.ndarray:
    """The root mean squared error (12,) on the answers that ``forecaster`` was fitted on."""
    years = np.arange(FIRST + MOST - 1, last)
    left = truth(series, years) - forecaster(series, last, years)
    left[years[:, None] + HORIZONS > last] = np.nan
    return np.sqrt(np.nanmean(left**2, axis=0))


FORECASTERS = {
    "mean": mean,
    "persistence": persistence,
    "seasonal": seasonal,
    "autoregression": autoregression,
}
NAMES = (*FORECASTERS, *CELLS)


# Walked ---------------------------------------------------------------------------------------


def blocks() -> list[tuple[int, np.ndarray]]:
    """The year of each fit, and the 11 years in which it is used: 1843 … 1853, …, 1997 … 2007."""
    return [(int(years[0]), years) for years in ORIGINS.reshape(-1, REFIT)]


def walk(forecaster: Forecaster, series: np.ndarray) -> np.ndarray:
    """Forecasts (165, 12) at every origin, fitted anew every 11 years on what was known by then."""
    return np.concatenate([forecaster(series, last, years) for last, years in blocks()])


@cache
def by_seed(cell: str) -> np.ndarray:
    """The forecasts (5, 165, 12) of the stored networks, as ``trained`` made them in experiments/."""
    table = results.read("sunspots-curves")
    said = np.stack([table[f"ahead_{h}"] for h in HORIZONS], axis=1)
    return np.stack([said[(table["cell"] == cell) & (table["seed"] == seed)] for seed in SEEDS])


@cache
def forecasts(name: str) -> np.ndarray:
    """The forecasts (165, 12) of a simple forecaster, or the mean of a cell's five networks."""
    if name in CELLS:
        return by_seed(name).mean(axis=0)
    return walk(FORECASTERS[name], sunspots()[1])


def judged(table: np.ndarray) -> np.ndarray:
    """Of a table (…, 165, 12) by origin what is about the years 1921 to 2008: (…, 88, 12).

    So every horizon is asked about the same years, and a longer one is not given easier ones.
    """
    return table[..., TARGETS[:, None] - HORIZONS - ORIGINS[0], HORIZONS - 1]


def errors(said: np.ndarray) -> np.ndarray:
    """The root mean squared error (…, 12), in sunspots, of forecasts (…, 165, 12)."""
    return np.sqrt(judged((truth(sunspots()[1], ORIGINS) - said) ** 2).mean(axis=-2))


@cache
def all_errors() -> dict[str, np.ndarray]:
    """The error (12,) of every forecaster, the cells' being that of the mean of five networks."""
    return {name: errors(forecasts(name)) for name in NAMES}


def blocks_won(name: str, other: str) -> np.ndarray:
    """In how many (12,) of the eight spans of 11 years from 1921 on ``name`` errs less than ``other``."""
    came = truth(sunspots()[1], ORIGINS)
    squares = (judged((came - forecasts(one)) ** 2) for one in (name, other))
    mine, theirs = (s.reshape(-1, REFIT, len(HORIZONS)).mean(axis=1) for s in squares)
    return (mine < theirs).sum(axis=0)


# Shown ----------------------------------------------------------------------------------------

LOOKS = {  # color and dash
    "mean": (plots.MUTED, ":"),
    "persistence": (plots.INK, "--"),
    "seasonal": (plots.GOLD, "-."),
    "autoregression": (plots.ACCENT, "-"),
    **{cell: (color, "-") for cell, color in plots.CELL_COLORS.items()},
}


def named(model: str) -> str:
    """A forecaster as a sentence says it.

    >>> named("seasonal"), named("RNN"), named("persistence")
    ('the seasonal forecast', 'the mean of five RNNs', 'persistence')
    """
    words = {"seasonal": "the seasonal forecast", "persistence": "persistence"}
    return words.get(model, f"the mean of five {model}s" if model in CELLS else f"the {model}")


def horizon_error() -> LiveFigure:
    """What was said so many years before, over what came; and every forecaster's error by horizon."""
    years, numbers = sunspots()
    measured, ahead = all_errors(), HORIZONS[-1]
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.2), height_ratios=(2, 3))
        top.set(xlim=(1920, 2009), ylim=(-20, 235), yticks=(0, 100, 200))
        title = top.set_title(" ")
        known = years >= TARGETS[0]
        top.plot(years[known], numbers[known], color=plots.INK, linewidth=1, label="counted")
        (said,) = top.plot([], [], label="forecast")
        top.set_xlabel("year", visible=False)  # for the table of numbers

        bottom.set(xlim=(0.5, 17.2), xticks=HORIZONS, xlabel="horizon, years ahead")
        bottom.set_title("Root mean squared error, in sunspots")
        plots.log_axis(bottom, 10, 100, decades=1)
        bottom.set(ylim=(14, 105))
        bottom.set_yticks((20, 50, 100), ("20", "50", "100"))
        at = bottom.axvline(1, color=plots.GRID, linewidth=6)
        band = bottom.add_patch(Polygon(np.full((3, 2), 20.0), alpha=0.25))
        lines, labels = {}, {}
        for name, (color, dash) in LOOKS.items():
            (lines[name],) = bottom.plot(HORIZONS, measured[name], dash, color=color)
            labels[name] = bottom.text(0, 20, "", color=color, va="center")
        (now,) = bottom.plot([], [], "o", markersize=8)
        plots.label_ends(labels, [error[-1] for error in measured.values()], ahead + 0.4)

    @interact(
        fig,
        name="horizon-error",
        alt="Above, the sunspots of 1921 to 2008 and what a forecaster said of each year so many "
        "years before. Below, the error of seven forecasters against the horizon, on a log axis.",
        horizon=Control(HORIZONS, "years ahead", kind="slider"),
        model=Control(NAMES[1:], "forecaster"),
    )
    def update(
        horizon: int = 1, model: str = "autoregression"
    ) -> tuple[str, dict[str, np.ndarray]]:
        color, _ = LOOKS[model]
        said.set_data(TARGETS, judged(forecasts(model))[:, horizon - 1])
        said.set_color(color)
        title.set_text(f"{model[0].upper()}{model[1:]}, {years_long(horizon)} ahead")
        for name, line in lines.items():
            line.set_linewidth(3 if name == model else 1.3)
        at.set_xdata([horizon, horizon])
        now.set_data([horizon], [measured[model][horizon - 1]])
        now.set_color(color)
        shown = NAMES if model not in CELLS else (*FORECASTERS, model)
        columns = {"years ahead": HORIZONS, **{name: measured[name] for name in shown}}
        spread = ""
        band.set_visible(model in CELLS)
        if model in CELLS:
            one = errors(by_seed(model))
            low, high = one.min(axis=0), one.max(axis=0)
            band.set_xy(np.r_[np.c_[HORIZONS, low], np.c_[HORIZONS, high][::-1]])
            band.set_facecolor(color)
            columns |= {"best seed": low, "worst seed": high}
            spread = f", one network alone by {low[horizon - 1]:.1f} to {high[horizon - 1]:.1f}"
        others = ", ".join(
            f"{named(name)} by {measured[name][horizon - 1]:.1f}"
            for name in reversed(FORECASTERS)
            if name != model
        )
        sentence = (
            f"{years_long(horizon)} ahead: {named(model)} misses by "
            f"{measured[model][horizon - 1]:.1f}{spread}; {others}."
        )
        return sentence, columns

    return update
