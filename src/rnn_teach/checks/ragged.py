"""Which steps count: truncated backpropagation, and sequences of unequal length."""

from collections.abc import Callable

import numpy as np

from ..cells import checking
from .marking import Task, Verdict, mark

TRUNCATE = Task(
    "truncate",
    results=("steps",),
    right=lambda t, k: np.arange(max(0, t - k + 1), t + 1),
    cases=lambda: [(9, 4), (9, 1), (5, 6), (2, 5), (0, 3)],
    lines={
        "first": lambda t, k: max(0, t - k + 1),
        "last": lambda t: t,
        "steps": lambda first, last: np.arange(first, last + 1),
    },
    wrong={
        "off by one: there is one step too many, k + 1 in place of k": {
            "first": lambda t, k: max(0, t - k)
        },
        "off by one: there is one step too few, k - 1 in place of k": {
            "first": lambda t, k: max(0, t - k + 2)
        },
        "off by one: step t itself is missing": {"last": lambda t: t - 1},
        "off by one: these are the k steps before t, and t itself is missing": {
            "first": lambda t, k: max(0, t - k),
            "last": lambda t: t - 1,
        },
        "there are steps before the first one, 0": {"first": lambda t, k: t - k + 1},
        "these are the numbers from 0 to k - 1: the last k steps up to t count": {
            "steps": lambda t, k: np.arange(min(k, t + 1))
        },
        "these are the steps that are cut off": {"steps": lambda first: np.arange(first)},
        "nothing is cut off": {"first": lambda: 0},
        "the steps stand in descending order": {
            "steps": lambda first, last: np.arange(first, last + 1)[::-1]
        },
        "the sequence is cut into pieces of k: here every t looks back k steps": {
            "first": lambda t, k: t - t % k
        },
    },
)


def truncate(theirs: Callable) -> Verdict:
    """Mark which steps contribute to the gradient of the loss at step t: the last k up to t.

    In truncated backpropagation through time the error of step t goes back through k steps and no
    further: t, t-1, ..., t-k+1. Steps are counted from 0, as in `trace.h[t]`.

    Arguments: theirs(t, k) -> the steps in ascending order (list, range, array or set of integers).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Williams & Peng 1990.

    >>> truncate(lambda t, k: range(max(0, t - k), t + 1))
    truncate is wrong. Most likely: off by one: there is one step too many, k + 1 in place of k.
    steps has shape (5,), expected (4,).
    Called as truncate(t=9, k=4).
    """
    return mark(TRUNCATE, theirs)


def _ragged_cases() -> list[tuple]:
    """x (T, N, 2) and lengths (N,)."""
    rng = np.random.default_rng(3)
    return [
        (rng.normal(size=(T, len(lengths), 2)), np.array(lengths))
        for T, lengths in ((5, (5, 2, 3)), (4, (1, 3)), (3, (3, 3, 3)))
    ]


MASK = Task(
    "mask",
    results=("mask",),
    right=lambda lengths, T: checking.lengths_mask(lengths, T, len(lengths)),
    cases=lambda: [(lengths, len(x)) for x, lengths in _ragged_cases()],
    lines={
        "t": lambda T: np.arange(T)[:, None],
        "mask": lambda t, lengths: t < lengths,
    },
    wrong={
        "off by one, too long: length 2 means t = 0 and 1, so t < length and not t <= length": {
            "mask": lambda t, lengths: t <= lengths
        },
        "off by one, too short: length 2 means t = 0 and 1": {
            "mask": lambda t, lengths: t < lengths - 1
        },
        "it is flipped: True while a sequence runs": {"mask": lambda t, lengths: t >= lengths},
        "sequences stand first: the mask is (T, N), time first": {
            "mask": lambda t, lengths: (t < lengths).T
        },
        "the padding stands first: here it comes after the sequence": {
            "mask": lambda t, T, lengths: t >= T - lengths
        },
        "only the last step of each sequence is marked": {
            "mask": lambda t, lengths: t == lengths - 1
        },
    },
)


def mask(theirs: Callable) -> Verdict:
    """Mark mask[t, n] = t < lengths[n]: True while sequence n runs, t counted from 0.

    Arguments: theirs(lengths (N,), T) -> mask (T, N), truth values or 0 and 1.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> mask(lambda lengths, T: np.arange(T)[:, None] <= lengths)  # doctest: +ELLIPSIS
    mask is wrong. Most likely: off by one, too long: ...
    mask[2, 1] is True, expected False.
    Called as mask(lengths (3,), T=5).
    """
    return mark(MASK, theirs)


MASKED_MEAN = Task(
    "masked_mean",
    results=("loss",),
    right=lambda losses, lengths: np.mean(
        [losses[: lengths[n], n].mean() for n in range(len(lengths))]
    ),
    cases=lambda: [(x[:, :, 0] ** 2, lengths) for x, lengths in _ragged_cases()],
    lines={
        "mask": lambda losses, lengths: np.arange(len(losses))[:, None] < lengths,
        "sums": lambda losses, mask: (losses * mask).sum(axis=0),
        "means": lambda sums, lengths: sums / lengths,
        "loss": lambda means: means.mean(),
    },
    wrong={
        "the padding is counted": {"loss": lambda losses: losses.mean()},
        "the padding is zero but still divides: divide by the length, not by T": {
            "means": lambda sums, losses: sums / len(losses)
        },
        "every step counts alike: here every sequence counts alike, whatever its length": {
            "loss": lambda sums, lengths: sums.sum() / lengths.sum()
        },
        "each sequence is summed over time, not averaged": {"means": lambda sums: sums},
        "the sequences are added up, not averaged": {"loss": lambda means: means.sum()},
        "there is one mean for each sequence: average them too": {"loss": lambda means: means},
        "off by one: the first step of the padding is counted": {
            "mask": lambda losses, lengths: np.arange(len(losses))[:, None] <= lengths
        },
        "off by one: the last step of each sequence is left out": {
            "mask": lambda losses, lengths: np.arange(len(losses))[:, None] < lengths - 1
        },
    },
)


def masked_mean(theirs: Callable) -> Verdict:
    """Mark L = 1/N sum_n 1/T_n sum_{t < T_n} losses[t, n], where T_n is the sequence's own length.

    Arguments: theirs(losses (T, N), lengths (N,)) -> L, a number.
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.

    >>> masked_mean(lambda losses, lengths: losses.mean())  # doctest: +ELLIPSIS
    masked_mean is wrong. Most likely: the padding is counted.
    ...
    """
    return mark(MASKED_MEAN, theirs)


def _reverse(x, lengths, start: int = 0):
    t = np.arange(len(x))[:, None]
    source = np.where((t >= start) & (t < lengths), lengths - 1 - t + start, t)
    return np.take_along_axis(x, source[:, :, None], axis=0)


REVERSE = Task(
    "reverse",
    results=("y",),
    right=lambda x, lengths: np.stack(
        [np.concatenate([x[:T, n][::-1], x[T:, n]]) for n, T in enumerate(lengths)], axis=1
    ),
    cases=_ragged_cases,
    lines={"y": lambda x, lengths: _reverse(x, lengths)},
    wrong={
        "the padding is reversed too, and now stands first": {"y": lambda x: x[::-1]},
        "the sequences change places: time is the first axis": {"y": lambda x: x[:, ::-1]},
        "the inputs of each step are reversed: time is the first axis": {
            "y": lambda x: x[..., ::-1]
        },
        "the padding is lost: it stays where it is": {
            "y": lambda x, lengths: (
                _reverse(x, lengths) * (np.arange(len(x))[:, None, None] < lengths[:, None])
            )
        },
        "off by one: the last step of each sequence stays where it is": {
            "y": lambda x, lengths: _reverse(x, lengths - 1)
        },
        "off by one: the first step of each sequence stays where it is": {
            "y": lambda x, lengths: _reverse(x, lengths, start=1)
        },
        "every sequence is reversed as if it were as long as the first": {
            "y": lambda x, lengths: _reverse(x, 0 * lengths + lengths[0])
        },
    },
)


def reverse(theirs: Callable) -> Verdict:
    """Mark y[t, n] = x[T_n - 1 - t, n] while t < T_n: each sequence reversed within its own length.

    It is what the backward half of a bidirectional network reads. The padding stays as it is.

    Arguments: theirs(x (T, N, D), lengths (N,)) -> y (T, N, D).
    Returns a `Verdict`.
    Raises TypeError if `theirs` is not a function.
    Source: Schuster & Paliwal 1997.

    >>> reverse(lambda x, lengths: x[::-1])  # doctest: +ELLIPSIS
    reverse is wrong. Most likely: the padding is reversed too, and now stands first.
    ...
    """
    return mark(REVERSE, theirs)
