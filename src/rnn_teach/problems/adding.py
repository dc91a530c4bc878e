"""The adding problem in its two conventions: remember two marked numbers and say their sum at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .batch import Batch, at_least


@dataclass(frozen=True)
class Adding:
    """Add the two marked ones of ``T`` random numbers: target = a + b at the last step.

    Input 0 is a number from U[0, 1], input 1 is 1 at two steps and 0 elsewhere: one step of the
    first half, steps 1 to T/2 (rounded down), and one of the rest. All sequences have T steps.

    Always saying 1, the mean, costs Var(a) + Var(b) = 1/12 + 1/12.

    Raises TypeError or ValueError naming the argument.
    Source: Arjovsky, Shah & Bengio 2016, after Hochreiter & Schmidhuber 1997.

    >>> problem = Adding(50)
    >>> x, target, lengths, _ = problem.batch(3, rng=np.random.default_rng(0))
    >>> x.shape, target.shape, bool(np.allclose(target[:, 0], (x[..., 0] * x[..., 1]).sum(axis=0)))
    ((50, 3, 2), (3, 1), True)
    >>> round(problem.baseline(), 5)
    0.16667
    """

    T: int = 100
    D: ClassVar[int] = 2
    K: ClassVar[int] = 1
    options: ClassVar[dict[str, Any]] = {"loss": "squared_error", "at": "last"}

    def __post_init__(self) -> None:
        at_least(2, T=self.T)

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N sequences: x (T, N, 2), target (N, 1)."""
        at_least(1, N=N)
        T, n = self.T, np.arange(N)
        x = np.zeros((T, N, 2))
        x[..., 0] = rng.random((T, N))
        first, second = rng.integers(T // 2, size=N), rng.integers(T // 2, T, size=N)
        x[first, n, 1] = x[second, n, 1] = 1
        return Batch(x, (x[first, n, 0] + x[second, n, 0])[:, None])

    def baseline(self) -> float:
        """Return the mean squared error of always saying 1: 1/6."""
        return 1 / 6


@dataclass(frozen=True)
class HochreiterAdding:
    """The adding problem as it was first posed: target = 0.5 + (a + b)/4 for numbers from U[-1, 1].

    A sequence has T to T + T/10 steps. Input 0 is the number. Input 1 is 1 at the two marked steps,
    -1 at the first and the last step, and 0 elsewhere. One of the first ten steps is marked, then
    one of the first T/2 - 1 that are still unmarked. (T/10 and T/2 are rounded down.) Beyond a
    sequence's length x is 0.

    One detail differs: where the first step is marked its mark stands in place of the -1 and its
    number counts; in the paper that number is set to 0. So a constant 0.5 costs exactly
    (Var(a) + Var(b)) / 16 = (1/3 + 1/3) / 16.

    Raises TypeError or ValueError naming the argument.
    Source: Hochreiter & Schmidhuber 1997.

    >>> problem = HochreiterAdding(50)
    >>> x, target, lengths, _ = problem.batch(3, rng=np.random.default_rng(0))
    >>> x.shape, target.shape, lengths
    ((55, 3, 2), (3, 1), array([55, 53, 53]))
    >>> round(problem.baseline(), 5)
    0.04167
    """

    T: int = 100
    D: ClassVar[int] = 2
    K: ClassVar[int] = 1
    options: ClassVar[dict[str, Any]] = {"loss": "squared_error", "at": "last"}

    def __post_init__(self) -> None:
        at_least(22, T=self.T)  # so that T/2 - 1 is at least the ten steps of the first mark

    def batch(self, N: int, *, rng: np.random.Generator) -> Batch:
        """Return N sequences: x (longest, N, 2), target (N, 1), lengths (N,)."""
        at_least(1, N=N)
        T, n = self.T, np.arange(N)
        lengths = rng.integers(T, T + T // 10, size=N, endpoint=True)
        runs = np.arange(lengths.max())[:, None] < lengths
        x = np.zeros((*runs.shape, 2))
        x[..., 0] = rng.uniform(-1, 1, runs.shape) * runs
        first, second = rng.integers(10, size=N), rng.integers(T // 2 - 1, size=N)
        second += second >= first  # counted among the steps that are still unmarked
        x[0, :, 1] = x[lengths - 1, n, 1] = -1
        x[first, n, 1] = x[second, n, 1] = 1
        total = x[first, n, 0] + x[second, n, 0]
        return Batch(x, (0.5 + total / 4)[:, None], lengths)

    def baseline(self) -> float:
        """Return the mean squared error of always saying 0.5: 1/24."""
        return 1 / 24

    def correct(self, y: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return which answers y (N, 1) count as correct, (N,): within 0.04 of target (N, 1).

        The constant 0.5 is correct in 15.4 % of all cases: s = a + b has the density (2 - |s|)/4,
        and |s|/4 < 0.04 has the probability (2 x 0.16 - 0.16^2 / 2) / 2.
        """
        return np.abs(y - target)[:, 0] < 0.04
