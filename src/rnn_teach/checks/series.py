"""What a network reads and has to predict: pairs, windows, scales and the simplest forecast."""

from collections.abc import Callable

import numpy as np

from .marking import Task, Verdict, mark

INPUTS_AND_TARGETS = Task(
    "inputs_and_targets",
    results=("inputs", "targets"),
    right=lambda codes: (codes[:-1], codes[1:]),
    cases=lambda: [(np.array([3, 1, 4, 1, 5, 9, 2, 6]),), (np.array([2, 7]),)],
    lines={"inputs": lambda codes: codes[:-1], "targets": lambda codes: codes[1:]},
    wrong={
        "the targets are the inputs: the network would only copy": {
            "targets": lambda codes: codes[:-1]
        },
        "inputs and targets have changed places: this predicts the symbol before": {
            "inputs": lambda codes: codes[1:],
            "targets": lambda codes: codes[:-1],
        },
        "the last symbol has no next one, yet it is among the inputs": {
            "inputs": lambda codes: codes
        },
        "the text is bent to a ring: the last symbol is followed by the first": {
            "inputs": lambda codes: codes,
            "targets": lambda codes: np.roll(codes, -1),
        },
        "off by one: the target is the symbol after the next": {
            "inputs": lambda codes: codes[:-2],
            "targets": lambda codes: codes[2:],
        },
        "off by one: the last pair is missing": {
            "inputs": lambda codes: codes[:-2],
            "targets": lambda codes: codes[1:-1],
        },
        "off by one: the first pair is missing": {
            "inputs": lambda codes: codes[1:-1],
            "targets": lambda codes: codes[2:],
        },
    },
)


def inputs_and_targets(theirs: Callable) -> Verdict:
    """Mark what a character model reads and what it has to say: each symbol, and the next one.

    Arguments: theirs(codes (T,)) -> inputs (T-1,), targets (T-1,).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> inputs_and_targets(lambda codes: (codes[1:], codes[:-1]))  # doctest: +ELLIPSIS
    inputs_and_targets is wrong. Most likely: inputs and targets have changed places: ...
    """
    return mark(INPUTS_AND_TARGETS, theirs)


def _windows(series, size: int, step: int = 1) -> np.ndarray:
    return np.array([series[t : t + size] for t in range(0, len(series) - size, step)])


def _series() -> list[np.ndarray]:
    rng = np.random.default_rng(12)
    return [rng.normal(5, 2, size=T) for T in (8, 11)]


WINDOWS = Task(
    "windows",
    results=("inputs", "targets"),
    right=lambda series, size: (_windows(series, size), series[size:]),
    cases=lambda: [(series, size) for series, size in zip(_series(), (3, 2), strict=True)],
    lines={
        "inputs": lambda series, size: _windows(series, size),
        "targets": lambda series, size: series[size:],
    },
    wrong={
        "the target is inside its window: the answer is given away": {
            "targets": lambda series, size: series[size - 1 : -1]
        },
        "off by one: the last window is missing": {
            "inputs": lambda series, size: _windows(series, size)[:-1],
            "targets": lambda series, size: series[size:-1],
        },
        "off by one: the last window has no target, for nothing comes after it": {
            "inputs": lambda series, size: np.append(
                _windows(series, size), [series[-size:]], axis=0
            )
        },
        "off by one: the target is the number after the next": {
            "inputs": lambda series, size: _windows(series, size)[:-1],
            "targets": lambda series, size: series[size + 1 :],
        },
        "the windows do not overlap: each starts one step after the one before": {
            "inputs": lambda series, size: _windows(series, size, step=size),
            "targets": lambda series, size: series[size::size],
        },
        "the windows are reversed: the oldest number stands first": {
            "inputs": lambda series, size: _windows(series, size)[:, ::-1]
        },
        "the windows stand in columns: each is a row": {
            "inputs": lambda series, size: _windows(series, size).T
        },
    },
)


def windows(theirs: Callable) -> Verdict:
    """Mark inputs[k] = series[k..k+size-1] and targets[k] = series[k+size], for all k there are.

    Arguments: theirs(series (T,), size) -> inputs (T-size, size), targets (T-size,).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> def my_windows(series, size):
    ...     inputs = np.lib.stride_tricks.sliding_window_view(series, size)
    ...     return inputs[:-1], series[size:]
    >>> windows(my_windows)
    windows is right.
    """
    return mark(WINDOWS, theirs)


STANDARDIZE = Task(
    "standardize",
    results=("scaled",),
    right=lambda series, n_train: (series - series[:n_train].mean()) / series[:n_train].std(),
    cases=lambda: [(series, n_train) for series, n_train in zip(_series(), (5, 6), strict=True)],
    lines={
        "train": lambda series, n_train: series[:n_train],
        "center": lambda train: train.mean(),
        "width": lambda train: train.std(),
        "scaled": lambda series, center, width: (series - center) / width,
    },
    wrong={
        "the future leaks: mean and deviation are those of the first n_train numbers alone": {
            "train": lambda series: series
        },
        "mean and deviation come from the numbers after the first n_train": {
            "train": lambda series, n_train: series[n_train:]
        },
        "the two parts are scaled apart: the first n_train give the scale of all": {
            "scaled": lambda series, n_train: np.concatenate(
                [(s - s.mean()) / s.std() for s in (series[:n_train], series[n_train:])]
            )
        },
        "the root is missing: divide by the standard deviation, not by the variance": {
            "width": lambda train: train.var()
        },
        "the deviation has n - 1 in it: here it has n": {"width": lambda train: train.std(ddof=1)},
        "the mean is not subtracted": {"center": lambda: 0},
        "it is not divided by the standard deviation": {"width": lambda: 1},
        "it is multiplied by the standard deviation, not divided": {
            "width": lambda train: 1 / train.std()
        },
        "it is scaled to 0..1: here to mean 0 and deviation 1": {
            "center": lambda train: train.min(),
            "width": lambda train: np.ptp(train),
        },
        "only the first n_train numbers are returned": {
            "scaled": lambda train, center, width: (train - center) / width
        },
    },
)


def standardize(theirs: Callable) -> Verdict:
    """Mark (series - m) / s with mean m and standard deviation s of the first n_train numbers.

    The scale must not know the future: what comes after n_train is there to be predicted.

    Arguments: theirs(series (T,), n_train) -> the whole series (T,), scaled.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> standardize(lambda series, n_train: (series - series.mean()) / series.std())
    ... # doctest: +ELLIPSIS
    standardize is wrong. Most likely: the future leaks: ...
    """
    return mark(STANDARDIZE, theirs)


PERSISTENCE = Task(
    "persistence",
    results=("forecast",),
    right=lambda series, horizon: series[:-horizon],
    cases=lambda: [(series, horizon) for series, horizon in zip(_series(), (2, 3), strict=True)],
    lines={"forecast": lambda series, horizon: series[:-horizon]},
    wrong={
        "these are the numbers to be forecast themselves": {
            "forecast": lambda series, horizon: series[horizon:]
        },
        "off by one: it looks back horizon - 1 steps": {
            "forecast": lambda series, horizon: series[1 : len(series) - horizon + 1]
        },
        "it looks back one step, whatever the horizon": {
            "forecast": lambda series, horizon: series[horizon - 1 : -1]
        },
        "there is one forecast too many: series[horizon:] has T - horizon numbers": {
            "forecast": lambda series, horizon: series[: len(series) - horizon + 1]
        },
        "this is the mean of what came before, not the last number": {
            "forecast": lambda series, horizon: np.array(
                [series[: t + 1].mean() for t in range(len(series) - horizon)]
            )
        },
        "this is the mean of the whole series, not the last number": {
            "forecast": lambda series, horizon: 0 * series[horizon:] + series.mean()
        },
    },
)


def persistence(theirs: Callable) -> Verdict:
    """Mark forecast[k] = series[k] for series[k + horizon]: nothing will change.

    Whatever learns has to be better than this.

    Arguments: theirs(series (T,), horizon, at least 1) -> forecasts of series[horizon:].
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> persistence(lambda series, horizon: series[horizon - 1:-1])  # doctest: +ELLIPSIS
    persistence is wrong. Most likely: it looks back one step, whatever the horizon.
    ...
    """
    return mark(PERSISTENCE, theirs)
