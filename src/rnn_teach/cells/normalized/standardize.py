"""Mean 0 and variance 1: over the units of a gate or over the sequences, value beside derivative.

Sums of gates come as (..., N, G, H): N sequences, G gates side by side, H units.
"""

import copy
from typing import ClassVar, NamedTuple, Self

import numpy as np

from .. import checking
from ..layer import Trace

EPS = 1e-5  # added to the variance, as everywhere: a sum that does not vary stays finite
AXIS = {"layer": -1, "batch": -3}  # what the mean is taken over: units, or sequences
GAIN = {"layer": 1.0, "batch": 0.1}  # initial; 0.1 keeps tanh from its flat ends (Cooijmans)

Statistics = dict[str, np.ndarray]


class Standardize(NamedTuple):
    """y = (a - mean) / sqrt(var + EPS), and the way back, for all steps or for one.

    norm is "layer" (mean and var over the H units of each gate: every sequence on its own) or
    "batch" (over the sequences that still run at that step: every unit on its own). mask (T, N)
    or None; with given statistics "batch" takes mean and var from there: they are constants.
    """

    norm: str
    mask: np.ndarray | None
    given: Statistics | None

    def value(self, a: np.ndarray, name: str, t: int | slice) -> tuple[np.ndarray, np.ndarray]:
        """y, shaped as a, and 1 / sqrt(var + EPS), for the sums a (..., N, G, H) of step(s) t.

        >>> a = np.array([[[1.0, 3.0, 5.0]]])
        >>> Standardize("layer", None, None).value(a, "a", 0)[0].round(4)
        array([[[-1.2247,  0.    ,  1.2247]]])
        """
        if self.given is None:
            mean = self._mean(a, t)
            centered = a - mean
            var = self._mean(centered**2, t)
        else:
            mean, var = _at(self.given[name], t, len(a)).astype(a.dtype)
            centered = a - mean
        scale = 1 / np.sqrt(var + EPS)
        return centered * scale, scale

    def slope(self, dy: np.ndarray, y: np.ndarray, scale: np.ndarray, t: int | slice) -> np.ndarray:
        """dL/da from dL/dy: scale (dy - mean(dy) - y mean(dy y)).

        Moving one a moves its y by scale; moves the mean, and with it all y together: what they
        have in common, mean(dy), is lost; and moves the variance, which stretches all y: what
        points along y is lost, too. Neither scale nor shift of a can be seen behind the norm.
        """
        if self.given is not None:
            return dy * scale
        common = self._mean(dy, t) + y * self._mean(dy * y, t)
        if self.norm == "batch" and self.mask is not None:
            common = common * self.mask[t][..., None, None]  # who has ended moves no mean
        return scale * (dy - common)

    def _mean(self, a: np.ndarray, t: int | slice) -> np.ndarray:
        axis = AXIS[self.norm]
        if self.norm == "layer" or self.mask is None:
            return a.mean(axis=axis, keepdims=True)
        runs = self.mask[t][..., None, None]
        count = np.maximum(runs.sum(axis=axis, keepdims=True), 1)
        return (a * (runs / count).astype(a.real.dtype)).sum(axis=axis, keepdims=True)


def _at(statistics: np.ndarray, t: int | slice, T: int) -> np.ndarray:
    """mean and var of step(s) t; a step later than any that was seen has those of the last one."""
    last = statistics.shape[1] - 1
    steps = np.minimum(np.arange(T), last) if isinstance(t, slice) else min(t, last)
    return np.expand_dims(statistics[:, steps], -3)


def running_statistics(
    old: Statistics | None, new: Statistics, momentum: float = 0.1
) -> Statistics:
    """(1 - momentum) old + momentum new for every step, a new dict; old None: new alone.

    A step that only one of them has seen is taken from that one.

    Arguments: old and new, from a cell's `statistics(trace)`: arrays (2, T, G, H) by name, whose T
    may differ; momentum, the weight of what is new.
    Raises ValueError if momentum is not between 0 and 1.
    Source: Ioffe & Szegedy 2015; for each step apart: Cooijmans et al. 2017.

    >>> one, two = ({"a": np.full((2, T, 1, 1), float(T))} for T in (1, 2))
    >>> running_statistics(one, two)["a"][0].ravel()
    array([1.1, 2. ])
    """
    if not 0 <= momentum <= 1:
        raise ValueError(f"momentum: expected a number in 0..1, got {momentum}")
    merged = {}
    for name, fresh in new.items():
        past = fresh if old is None else old[name]
        T = min(past.shape[1], fresh.shape[1])
        longer = past if past.shape[1] > T else fresh
        merged[name] = longer.copy()
        merged[name][:, :T] = (1 - momentum) * past[:, :T] + momentum * fresh[:, :T]
    return merged


class Normalized:
    """What the three normalized cells share: the option `norm`, and batch statistics."""

    norm: str
    normed: ClassVar[dict[str, int]]  # what is normalized, by name, and of how many gates it is
    given: Statistics | None = None

    def statistics(self, trace: Trace) -> Statistics:
        """Mean and variance of a batch, for every step and unit: (2, T, G, H) by name.

        For each step apart, because a state that starts at zero has not the same spread at first
        as later on. Sequences that have ended do not count; T is as long as the longest of them.
        Nothing is kept on the cell: after each step of training you hand the result on,

            seen = running_statistics(seen, cell.statistics(trace))

        and `cell.evaluating(seen)` is the cell to test with.

        Arguments: trace, from `forward` (`bptt` has it, too).
        Source: Cooijmans et al. 2017.
        """
        mask = trace.mask
        T = len(trace.x) if mask is None else int(mask.any(axis=1).sum())
        over = Standardize("batch", mask, None)
        found = {}
        for name, a in self.sums(trace).items():
            mean = over._mean(a, slice(None))
            var = over._mean((a - mean) ** 2, slice(None))
            found[name] = np.stack([mean, var])[:, :T, 0]
        return found

    def evaluating(self, statistics: Statistics) -> Self:
        """This cell with given statistics in place of the batch's: outputs of a sequence no longer
        depend on the others. The parameters are the very same arrays. Start from the states that
        the statistics were taken with: h_0 = 0 has variance 0, so any other h_0 would seem huge.

        Arguments: statistics, by name (2, T, G, H), from `statistics` or `running_statistics`.
        Raises ValueError if norm is not "batch", or for a wrong shape; KeyError for a missing one.
        """
        if self.norm != "batch":
            raise ValueError(f'norm: expected "batch" for statistics, got {self.norm!r}')
        fixed = copy.copy(self)
        fixed.given = {
            name: checking.numbers(
                f"statistics[{name!r}]", statistics[name], moments=2, T=None, G=G, H=self.H
            )
            for name, G in self.normed.items()
        }
        for name, (_, var) in fixed.given.items():
            if (var < 0).any():
                raise ValueError(f"statistics[{name!r}]: expected var >= 0, got {var.min()}")
        return fixed

    def _standardize(self, mask: np.ndarray | None) -> Standardize:
        return Standardize(self.norm, mask, self.given)
