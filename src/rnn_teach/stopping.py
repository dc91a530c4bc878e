"""When to end a run: as soon as the held-out loss has stopped falling."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .bptt import Network
from .checkpoint import fill
from .optimizers import Arrays, positive


class EarlyStopping:
    """End a run when the held-out loss has stopped falling, and go back to the best parameters.

    Arguments: measure, called as measure(network), returns the held-out loss; every, updates from
    one measurement to the next, the first before any update; patience, how many measurements in a
    row may fail to be the best so far. Give it to ``fit``; afterwards ``best`` is the lowest loss and
    ``best_step`` the number of updates it was reached with.
    Raises ValueError naming the argument.
    Source: Morgan & Bourlard 1990; Prechelt 1998.

    >>> from rnn_teach.bptt import Readout
    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> network = Network(RNN(3, 4, rng=rng), Readout(4, 2, rng=rng))
    >>> losses = iter([3.0, 1.0, 2.0, 0.9, 1.5, 1.2])
    >>> stopping = EarlyStopping(lambda network: next(losses), patience=2, every=1)
    >>> [stopping.ends(k, network) for k in range(6)], stopping.best_step
    ([False, False, False, False, False, True], 3)
    """

    def __init__(
        self, measure: Callable[[Network], float], *, patience: int = 5, every: int = 100
    ) -> None:
        self.measure = measure
        self.patience, self.every = positive("patience", patience), positive("every", every)
        self.best, self.best_step = math.inf, 0
        self._waited = 0
        self._parameters: Arrays = {}

    def ends(self, k: int, network: Network) -> bool:
        """Measure ``network`` after update ``k`` if it is time, and return whether to stop there."""
        if k % self.every:
            return False
        loss = float(self.measure(network))
        self._waited += 1
        if loss < self.best:
            self.best, self.best_step, self._waited = loss, k, 0
            self._parameters = {name: p.copy() for name, p in network.parameters.items()}
        return self.ended

    @property
    def ended(self) -> bool:
        """Whether ``patience`` measurements in a row were not the best."""
        return self._waited >= self.patience

    def restore_best(self, network: Network) -> None:
        """Put the best parameters so far into ``network``, in place."""
        if self._parameters:
            fill("parameters", network.parameters, self._parameters)

    def state(self) -> Arrays:
        """Return all that it remembers, by name."""
        numbers = np.array([self.best, self.best_step, self._waited])
        return {"numbers": numbers, **{f"best.{n}": p for n, p in self._parameters.items()}}

    def restore(self, state: Arrays) -> None:
        """Go on from ``state``, as returned by ``state()``."""
        best, best_step, waited = state["numbers"].tolist()
        self.best, self.best_step, self._waited = best, int(best_step), int(waited)
        names = [name for name in state if name != "numbers"]
        self._parameters = {name.removeprefix("best."): state[name].copy() for name in names}
