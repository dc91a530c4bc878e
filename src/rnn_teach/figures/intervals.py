"""Chapter 16's prediction intervals: how wide, and how often they hold, and two live figures of them."""

from __future__ import annotations

from functools import cache
from math import ceil, sqrt
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Polygon, Rectangle

from .. import plots, results
from ..live import Control, LiveFigure, interact
from ..tasks import sunspots
from . import forecast
from .forecast import CELLS, FORECASTERS, HORIZONS, LOOKS, ORIGINS, TARGETS, judged, named
from .windows import FIRST, years_long

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
METHODS = ("past forecasts", "training errors")  # what a width is taken from
MODELS = forecast.NAMES[1:]  # those that have an interval here
BEFORE = 22  # years that the walk shows before its origin: two cycles
HIGHEST = 285  # of its axis


# Measured -------------------------------------------------------------------------------------


def half_width(errors: np.ndarray, level: float) -> float:
    """The k-th smallest |error| of n, k = (n + 1) level rounded up; inf where n is less than that.

    If the next error is as likely to have any rank among all n + 1 as any other, then it is no
    larger with a probability of at least ``level``.
    Source: Lei and others 2018.

    >>> half_width(np.array([3.0, -1.0, 2.0, -4.0]), 0.6), half_width(np.ones(4), 0.9)
    (3.0, inf)
    """
    sizes = np.sort(np.abs(errors))
    k = ceil((len(sizes) + 1) * level)
    return float(sizes[k - 1]) if k <= len(sizes) else np.inf


@cache
def training_errors(name: str) -> np.ndarray:
    """The root mean squared error (15, 12) in training of every fit, by horizon."""
    _, numbers = sunspots()
    if name in FORECASTERS:
        fits = [
            forecast.training_error(FORECASTERS[name], numbers, last)
            for last, _ in forecast.blocks()
        ]
        return np.array(fits)
    table = results.read("sunspots")
    found = np.stack([table[f"training_{h}"] for h in HORIZONS], axis=1)[table["cell"] == name]
    return np.sqrt((found.reshape(len(forecast.SEEDS), -1, len(HORIZONS)) ** 2).mean(axis=0))


@cache
def half_widths(name: str, level: float, method: str) -> np.ndarray:
    """Half the width (165, 12) of the interval at every origin and horizon, from what was known there.

    "past forecasts": from the errors that this forecaster has made so far, those whose answer has
    come. "training errors": as if errors were Gaussian and those to come as large as in training.
    """
    if method == METHODS[1]:
        z = NormalDist().inv_cdf((1 + level) / 2)
        return z * np.repeat(training_errors(name), forecast.REFIT, axis=0)
    missed = forecast.truth(sunspots()[1], ORIGINS) - forecast.forecasts(name)
    wide = [
        [half_width(missed[: max(t + 1 - h, 0), h - 1], level) for h in HORIZONS]
        for t in range(len(ORIGINS))
    ]
    return np.array(wide)


@cache
def covered(name: str, level: float, method: str) -> np.ndarray:
    """Whether the number lay in its interval: (88, 12), for the years 1921 to 2008."""
    missed = forecast.truth(sunspots()[1], ORIGINS) - forecast.forecasts(name)
    return judged(np.abs(missed) <= half_widths(name, level, method))


@cache
def mean_width(name: str, level: float, method: str) -> np.ndarray:
    """The mean width (12,) of the intervals for 1921 to 2008, cut at 0: no number is below."""
    said, wide = forecast.forecasts(name), half_widths(name, level, method)
    return judged(said + wide - np.maximum(said - wide, 0)).mean(axis=0)


def binomial_interval(hits: int, n: float, level: float = 0.95) -> tuple[float, float]:
    """Between which shares the true one may lie if ``hits`` of ``n`` independent trials succeeded.

    Source: Wilson 1927.

    >>> [round(share, 3) for share in binomial_interval(79, 88)]
    [0.817, 0.945]
    """
    z, share = NormalDist().inv_cdf((1 + level) / 2), hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


# Shown ----------------------------------------------------------------------------------------


def walk_forward() -> LiveFigure:
    """What was known in a year, what was forecast then, with intervals of 90 %, and what came."""
    years, numbers = sunspots()
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5), height_ratios=(1, 3))
        top.set(xlim=(1843, 2009), ylim=(0, 200), yticks=(0, 100, 200))
        top.set_title("Known so far, and what was still to come")
        seen = top.add_patch(Rectangle((1843, 0), 0, 200, color=plots.GRID, linewidth=0))
        top.plot(years, numbers, color=plots.INK, linewidth=1, label="_all")

        bottom.set(xlim=(-BEFORE - 0.5, 13), ylim=(0, HIGHEST), xticks=(-20, -10, 0, 5, 10))
        bottom.set_xlabel("years from the origin")
        title = bottom.set_title(" ")
        bottom.add_patch(
            Rectangle((-BEFORE - 1, 0), BEFORE + 1, HIGHEST, color=plots.GRID, linewidth=0)
        )
        band = bottom.add_patch(Polygon(np.zeros((3, 2)), alpha=0.2, linewidth=0))
        (known,) = bottom.plot([], [], color=plots.INK, linewidth=1.5, label="known")
        (naive,) = bottom.plot([], [], "--", color=plots.MUTED, linewidth=1.2, label="persistence")
        seeds = [bottom.plot([], [], linewidth=0.7, label="_seed")[0] for _ in forecast.SEEDS]
        (path,) = bottom.plot([], [], linewidth=2.2, label="forecast")
        (at,) = bottom.plot([], [], linewidth=5, alpha=0.6, solid_capstyle="butt", label="_at")
        (came,) = bottom.plot(
            [], [], "o", color=plots.INK, markersize=5, fillstyle="none", label="what came"
        )
        (now,) = bottom.plot([], [], "o", markersize=7, label="_now")
        place = {"transform": bottom.transAxes, "va": "top"}
        bottom.text(0.02, 0.98, "known", color=plots.INK, **place)
        named_here = bottom.text(0.02, 0.90, "", **place)
        bottom.text(0.02, 0.82, "- - persistence", color=plots.MUTED, **place)
        bottom.text(0.02, 0.74, "○ what came", color=plots.INK, **place)

    @interact(
        fig,
        name="walk-forward",
        alt="Above, all sunspots from 1843 on, with the part known at the origin shaded. Below, the "
        "last 22 years before the origin, the forecast of the 12 years after it with a band of "
        "90 percent intervals, and the numbers that came.",
        origin=Control(range(1920, 1997, 4), "origin, end of", kind="slider"),
        horizon=Control([1, 5, 11], "years ahead", kind="slider"),
        model=Control(MODELS, "forecaster"),
    )
    def update(
        origin: int = 1952, horizon: int = 5, model: str = "autoregression"
    ) -> tuple[str, dict[str, np.ndarray]]:
        row, color = origin - ORIGINS[0], LOOKS[model][0]
        said, half = (
            forecast.forecasts(model)[row],
            half_widths(model, 0.9, METHODS[0])[row],
        )
        low, high = np.maximum(said - half, 0), said + half
        past, answer = np.arange(-BEFORE, 1), numbers[origin + HORIZONS - FIRST]
        seen.set_width(origin - 1843)
        known.set_data(past, numbers[origin + past - FIRST])
        last = numbers[origin - FIRST]
        naive.set_data([0, HORIZONS[-1]], [last, last])
        came.set_data(HORIZONS, answer)
        path.set_data(np.r_[0, HORIZONS], np.r_[last, said])
        band.set_xy(np.r_[np.c_[HORIZONS, low], np.c_[HORIZONS, high][::-1]])
        for k, line in enumerate(seeds):
            line.set_visible(model in CELLS)
            if model in CELLS:
                line.set_data(np.r_[0, HORIZONS], np.r_[last, forecast.by_seed(model)[k, row]])
        of = horizon - 1
        at.set_data([horizon, horizon], [low[of], high[of]])
        now.set_data([horizon], [said[of]])
        for artist in (band, path, at, now, named_here, *seeds):
            artist.set_color(color)
        named_here.set_text(f"— {model}, with 90 %")
        title.set_text(f"At the end of {origin}")
        inside = "inside" if low[of] <= answer[of] <= high[of] else "outside"
        sentence = (
            f"At the end of {origin} {named(model)} says {max(said[of], 0):.0f} for "
            f"{origin + horizon}, {years_long(horizon)} ahead, and with 90 % between {low[of]:.0f} "
            f"and {high[of]:.0f}; {answer[of]:.0f} came, {inside}. Persistence says {last:.0f}."
        )
        return sentence, {
            "year": origin + HORIZONS,
            model: said,
            "from": low,
            "to": high,
            "what came": answer,
        }

    return update


def coverage() -> LiveFigure:
    """How many intervals hold, against how many should, and how wide those of 90 % are."""
    n, nominal = len(TARGETS), 100 * np.array(LEVELS)
    with plots.style():
        fig, (top, bottom) = plt.subplots(2, figsize=(5.2, 5.6), height_ratios=(3, 2))
        top.set(xlim=(45, 100), ylim=(0, 103), xticks=nominal, yticks=range(0, 101, 20))
        top.set_xticklabels([f"{level:.0f}" for level in nominal])
        top.set(xlabel="should hold, %", title="Intervals that hold, % of 88 years")
        top.plot([45, 100], [45, 100], "--", color=plots.MUTED, linewidth=1.2)
        legend = "- - as promised\n— the other forecasters"
        top.text(99.5, 3, legend, color=plots.MUTED, ha="right", va="bottom")
        others = {
            name: top.plot([], [], color=plots.MUTED, linewidth=0.7, label=name)[0]
            for name in MODELS
        }
        (thin,) = top.plot([], [], linewidth=1.2, label="_few")
        (thick,) = top.plot([], [], linewidth=4, alpha=0.5, label="_all")
        (points,) = top.plot([], [], "o", markersize=6, label="_now")

        bottom.set(xlim=(0, 290), ylim=(len(MODELS) - 0.4, -0.6), xlabel="sunspots")
        bottom.set_title("Mean width of the intervals of 90 %")
        bottom.set_yticks(range(len(MODELS)), MODELS)
        bottom.tick_params(length=0)
        bottom.grid(False)
        widths = [bottom.barh(k, 0, 0.6)[0] for k in range(len(MODELS))]
        texts = [bottom.text(0, k, "", va="center") for k in range(len(MODELS))]

    @interact(
        fig,
        name="coverage",
        alt="Above, the share of intervals that hold against the share that should, with binomial "
        "error bars and the diagonal. Below, the mean width of the intervals of 90 percent.",
        horizon=Control(HORIZONS, "years ahead", kind="slider"),
        model=Control(MODELS, "forecaster"),
        method=Control(METHODS, "width from"),
    )
    def update(
        horizon: int = 1, model: str = "autoregression", method: str = METHODS[0]
    ) -> tuple[str, dict[str, np.ndarray]]:
        color, of = LOOKS[model][0], horizon - 1
        held = {
            name: np.array([covered(name, level, method)[:, of].sum() for level in LEVELS])
            for name in MODELS
        }
        for name, line in others.items():
            line.set_data(nominal, 100 * held[name] / n)
        ends = np.array([binomial_interval(hits, n) for hits in held[model]])
        few = np.array([binomial_interval(hits / horizon, n / horizon) for hits in held[model]])
        for line, bar in ((thick, ends), (thin, few)):
            gaps = np.full(len(LEVELS), np.nan)
            line.set_data(np.repeat(nominal, 3), np.c_[100 * bar, gaps].ravel())
        points.set_data(nominal, 100 * held[model] / n)
        for artist in (points, thick, thin):
            artist.set_color(color)
        wide = {name: mean_width(name, 0.9, method)[of] for name in MODELS}
        at = LEVELS.index(0.9)
        for k, name in enumerate(MODELS):
            widths[k].set_width(wide[name])
            widths[k].set_color(color if name == model else plots.GRID)
            texts[k].set_x(wide[name] + 5)
            texts[k].set_text(f"{wide[name]:.0f}, holds {held[name][at] / n:.0%}")
            texts[k].set_color(color if name == model else plots.MUTED)
        sentence = (
            f"Width from {method}, {years_long(horizon)} ahead: of 88 intervals of 90 % of "
            f"{named(model)}, {held[model][at]} hold, {held[model][at] / n:.0%}; the true share may be "
            f"{ends[at, 0]:.0%} to {ends[at, 1]:.0%}. They are {wide[model]:.0f} sunspots wide, "
            f"those of persistence {wide['persistence']:.0f}."
        )
        shares = {f"{name}, %": 100 * hits / n for name, hits in held.items()}
        return sentence, {"should hold, %": nominal, **shares}

    return update
