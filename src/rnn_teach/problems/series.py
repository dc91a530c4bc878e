"""Numbers over time, to forecast: noisy sines, and the sunspots of three centuries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar

import numpy as np

from .batch import Batch, at_least


@dataclass(frozen=True)
class NoisySines:
    """Predict the next value of x_t = sin(2 pi f t + phase) + noise.

    Each sequence has its own frequency f, drawn evenly from 1/slowest to 1/fastest (periods, in
    steps), and its own phase. The noise is Gaussian with standard deviation ``noise``. Without noise
    two steps are enough, x_{t+1} = 2 cos(2 pi f) x_t - x_{t-1}; with it more memory pays, and
    noise^2 is the error that nobody can avoid.

    Raises TypeError or ValueError naming the argument.
    Source: Yule 1927, who put noise on a sine to understand the sunspots.

    >>> problem = NoisySines(T=40, noise=0.1)
    >>> x, target, *_ = problem.batch(2, rng=np.random.default_rng(0))
    >>> x.shape, target.shape, bool((x[1:] == target[:-1]).all())
    ((40, 2, 1), (40, 2, 1), True)
    >>> round(problem.baseline(), 4)
    0.1617
    """

    T: int = 50
    noise: float = 0.1
    fastest: float = 8.0
    slowest: float = 25.0
    D: ClassVar[int] = 1
    K: ClassVar[int] = 1
    options: ClassVar[dict[str, Any]] = {"loss": "squared_error"}

    def __post_init__(self) -> None:
        at_least(1, T=self.T)
        if not 0 <= self.noise < math.inf:
            raise ValueError(f"noise: expected a number of at least 0, got {self.noise!r}")
        if not 2 <= self.fastest < self.slowest < math.inf:
            raise ValueError(
                "fastest, slowest: expected periods 2 <= fastest < slowest, "
                f"got {self.fastest!r}, {self.slowest!r}"
            )

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N sequences: x (T, N, 1), target (T, N, 1), the noisy value one step later."""
        at_least(1, N=N)
        f = rng.uniform(1 / self.slowest, 1 / self.fastest, N)
        phase = rng.uniform(0, 2 * np.pi, N)
        t = np.arange(self.T + 1)[:, None]
        values = np.sin(2 * np.pi * f * t + phase)
        values += self.noise * rng.standard_normal(values.shape)
        return Batch(values[:-1, :, None], values[1:, :, None])

    def baseline(self) -> float:
        """Return the mean squared error of persistence: the next value is the present one.

        A sine of angular speed w = 2 pi f moves by (1 - cos w) in the mean square over its phase, and
        two noises differ by 2 noise^2. With w spread evenly from w0 to w1 the mean of cos w is
        (sin w1 - sin w0) / (w1 - w0).
        """
        w0, w1 = 2 * math.pi / self.slowest, 2 * math.pi / self.fastest
        return 1 - (math.sin(w1) - math.sin(w0)) / (w1 - w0) + 2 * self.noise**2


def sunspots() -> tuple[np.ndarray, np.ndarray]:
    """Return (years, numbers), both (309,): the yearly mean sunspot number, 1700 to 2008.

    Source: data/README.md.

    >>> years, numbers = sunspots()
    >>> years[[0, -1]], numbers[[0, -1]]
    (array([1700, 2008]), array([5. , 2.9]))
    """
    text = (files("rnn_teach") / "data" / "sunspots.csv").read_text(encoding="ascii")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    return np.array([int(year) for year, _ in rows]), np.array([float(n) for _, n in rows])


@dataclass(frozen=True)
class Sunspots:
    """Predict the sunspot number ``horizon`` years ahead, in hundreds.

    Training reads windows of ``T`` years, all of whose targets are up to the year ``last``; the years
    after it are held out, whole: nothing is drawn from them, and the scale of 100 is not fitted.

    Raises TypeError or ValueError naming the argument.
    Source: Yule 1927, who forecast the same numbers; the data: data/README.md.

    >>> problem = Sunspots(T=40, horizon=1, last=1920)
    >>> x, target, *_ = problem.batch(8, rng=np.random.default_rng(0))
    >>> x.shape, target.shape
    ((40, 8, 1), (40, 8, 1))
    >>> problem.held_out().x.shape  # what is known in 1920..2007, to predict 1921..2008
    (88, 1, 1)
    >>> round(problem.baseline(), 3)
    0.093
    """

    T: int = 40
    horizon: int = 1
    last: int = 1920
    D: ClassVar[int] = 1
    K: ClassVar[int] = 1
    scale: ClassVar[float] = 100.0
    options: ClassVar[dict[str, Any]] = {"loss": "squared_error"}

    def __post_init__(self) -> None:
        at_least(1, T=self.T, horizon=self.horizon, last=self.last)
        years, _ = sunspots()
        first = years[0] + self.T + self.horizon - 1  # the earliest year that ends a window
        if not first <= self.last < years[-1]:
            raise ValueError(
                f"last: expected a year in {first}..{years[-1] - 1}, got {self.last!r}"
            )

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N windows, any of them equally likely: x (T, N, 1), target (T, N, 1)."""
        at_least(1, N=N)
        years, numbers = sunspots()
        n_windows = self.last - years[0] - self.T - self.horizon + 2
        return self._read(numbers, rng.integers(n_windows, size=N), self.T)

    def held_out(self) -> Batch:
        """Return the held-out years as one sequence: its targets are all the years after ``last``."""
        years, numbers = sunspots()
        start = self.last + 1 - self.horizon - years[0]
        return self._read(numbers, np.array([start]), years[-1] - self.last)

    def baseline(self) -> float:
        """Return the mean squared error, over the held-out years, of persistence: y_t = x_t."""
        x, target, *_ = self.held_out()
        return float(((target - x) ** 2).mean())

    def _read(self, numbers: np.ndarray, starts: np.ndarray, T: int) -> Batch:
        place = np.arange(T)[:, None] + starts
        known, later = numbers[place] / self.scale, numbers[place + self.horizon] / self.scale
        return Batch(known[..., None], later[..., None])
