"""What a problem hands out, N sequences at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np


class Batch(NamedTuple):
    """N sequences for one step of training, time first."""

    x: np.ndarray  # (T, N, D), or one-hot (T, N, K)
    target: np.ndarray  # codes (T, N) or numbers (T, N, K); without T if only the end is asked
    lengths: np.ndarray | None = None  # (N,) steps of each sequence; None: all T
    carry: bool = False  # True: start from the state in which the batch before ended


class Problem(Protocol):
    """Whatever draws batches from a generator."""

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """N new sequences."""


def batches(problem: Problem, N: int, *, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield new batches of ``N`` sequences, without end: what ``training.fit`` reads.

    >>> from rnn_teach.tasks import Adding
    >>> next(batches(Adding(50), 20, rng=np.random.default_rng(0))).x.shape
    (50, 20, 2)
    """
    while True:
        yield problem.batch(N, rng=rng)


def at_least(least: int, /, **values: object) -> None:
    """Raise an error that names the first of ``values`` that is not an integer of at least ``least``."""
    for name, value in values.items():
        wanted = f"{name}: expected an integer of at least {least}, got {value!r}"
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(wanted)
        if value < least:
            raise ValueError(wanted)


def one_hot(codes: np.ndarray, K: int) -> np.ndarray:
    """Return ``codes`` (...) as (..., K), one 1 among zeros; a code of -1 gives zeros only.

    >>> one_hot(np.array([1, -1]), 2)
    array([[0., 1.],
           [0., 0.]])
    """
    return (codes[..., None] == np.arange(K)).astype(np.float64)
