"""Chapter 16's leaks: an autoregression that knows too much, and what each way of it wins."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from ..tasks import sunspots
from .forecast import (
    HORIZONS,
    MOST,
    ORIGINS,
    all_errors,
    autoregression,
    direct,
    errors,
    order,
    walk,
    weights,
)
from .windows import FIRST, inputs


def smoothed(series: np.ndarray) -> np.ndarray:
    """The mean of each number and its two neighbors, of which one is the year after."""
    return np.convolve(np.pad(series, 1, mode="edge"), np.ones(3) / 3, mode="valid")


def peeking(series: np.ndarray, last: int, years: np.ndarray) -> np.ndarray:
    """An autoregression whose lessons end with the input of the year ``last``: answers come later."""
    p = order(series, last)
    seen = inputs(series, years + 1, p)
    end = FIRST + len(series) - 1
    return np.stack([seen @ weights(series, min(last + h, end), p, h) for h in HORIZONS], axis=1)


@cache
def leaks() -> dict[str, np.ndarray]:
    """The error (12,) of an autoregression that knows too much, in five ways, and of the honest one."""
    series = sunspots()[1]
    scaled = (series - series.mean()) / series.std()
    every = [partial(direct, p=p) for p in range(1, MOST + 1)]
    return {
        "none": all_errors()["autoregression"],
        "scaled by all years": errors(walk(autoregression, scaled) * series.std() + series.mean()),
        "window picked by the exam": np.min([errors(walk(one, series)) for one in every], axis=0),
        "answers not yet known": errors(walk(peeking, series)),
        "fitted on all years": errors(autoregression(series, FIRST + len(series) - 1, ORIGINS)),
        "smoothed over 3 years": errors(walk(autoregression, smoothed(series))),
    }
