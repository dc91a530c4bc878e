"""How parameters follow their gradients: SGD, momentum, RMSprop and Adam, and how the learning rate decays."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Arrays = dict[str, np.ndarray]
Schedule = Callable[[int], float]


class Optimizer:
    """What all of them share: a learning rate, the number of updates, and averages of each parameter.

    learning_rate: a number, or a function of k = 0, 1, 2, ..., the updates already made. It may be
    changed at any time.
    """

    def __init__(self, learning_rate: float | Schedule) -> None:
        if not callable(learning_rate):
            positive("learning_rate", learning_rate)
        self.learning_rate = learning_rate
        self._k = 0
        self._averages: Arrays = {}  # "m.cell.W_x": average m of the parameter "cell.W_x"

    def update(self, parameters: Arrays, grads: Arrays) -> None:
        """Change ``parameters`` in place by ``grads`` of the same names and shapes."""
        raise NotImplementedError

    def state(self) -> Arrays:
        """Return copies of all that it remembers, by name: with these it could go on elsewhere."""
        averages = {name: average.copy() for name, average in self._averages.items()}
        return {"kind": np.array(type(self).__name__), "k": np.array(self._k), **averages}

    def restore(self, state: Arrays) -> None:
        """Go on from ``state``, as returned by ``state()``.

        Raises ValueError if that was another kind of optimizer.
        """
        kind, mine = str(state["kind"]), type(self).__name__
        if kind != mine:
            raise ValueError(f"optimizer: expected {kind}, as in the checkpoint, got {mine}")
        self._k = int(state["k"])
        averages = state.keys() - {"kind", "k"}
        self._averages = {name: state[name].copy() for name in averages}

    def _next_rate(self) -> float:
        rate = self.learning_rate
        if callable(rate):
            rate = rate(self._k)
            if not 0 <= rate < math.inf:
                raise ValueError(
                    f"learning_rate: expected numbers of at least 0, got {rate!r} at k={self._k}"
                )
        self._k += 1
        return rate

    def _average(self, letter: str, name: str, p: np.ndarray) -> np.ndarray:
        return self._averages.setdefault(f"{letter}.{name}", np.zeros_like(p))


class SGD(Optimizer):
    """Gradient descent, with momentum if asked: v <- momentum v + g, p <- p - learning_rate v.

    Source: Robbins & Monro 1951; momentum: Polyak 1964.

    >>> p = {"w": np.array([1.0])}
    >>> SGD(learning_rate=0.1).update(p, {"w": np.array([2.0])})
    >>> p
    {'w': array([0.8])}
    """

    def __init__(self, learning_rate: float | Schedule, momentum: float = 0.0) -> None:
        super().__init__(learning_rate)
        self.momentum = momentum

    def update(self, parameters: Arrays, grads: Arrays) -> None:
        """Change ``parameters`` in place by ``grads`` of the same names and shapes."""
        rate = self._next_rate()
        for name, p in parameters.items():
            v = self._average("v", name, p)
            v *= self.momentum
            v += grads[name]
            p -= rate * v


class RMSprop(Optimizer):
    """Each gradient over its own recent size: s <- decay s + (1 - decay) g², p <- p - learning_rate g / (sqrt(s) + eps).

    Source: Tieleman & Hinton 2012.

    >>> p = {"w": np.array([1.0])}
    >>> RMSprop(learning_rate=0.1, decay=0.75).update(p, {"w": np.array([2.0])})
    >>> p  # s = 0.25 x 2², so the step is 0.1 x 2 / 1
    {'w': array([0.8])}
    """

    def __init__(
        self, learning_rate: float | Schedule = 1e-2, decay: float = 0.99, eps: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.decay, self.eps = decay, eps

    def update(self, parameters: Arrays, grads: Arrays) -> None:
        """Change ``parameters`` in place by ``grads`` of the same names and shapes."""
        rate = self._next_rate()
        for name, p in parameters.items():
            g, s = grads[name], self._average("s", name, p)
            s += (1 - self.decay) * (g * g - s)
            p -= rate * g / (np.sqrt(s) + self.eps)


class Adam(Optimizer):
    """Steps of a size that does not depend on the gradient's.

        m <- beta1 m + (1 - beta1) g        s <- beta2 s + (1 - beta2) g²
        p <- p - learning_rate (m / (1 - beta1^k)) / (sqrt(s / (1 - beta2^k)) + eps)   in update k

    Source: Kingma & Ba 2015.

    >>> p = {"w": np.array([1.0])}
    >>> Adam(learning_rate=0.1).update(p, {"w": np.array([2.0])})
    >>> p
    {'w': array([0.9])}
    """

    def __init__(
        self,
        learning_rate: float | Schedule = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def update(self, parameters: Arrays, grads: Arrays) -> None:
        """Change ``parameters`` in place by ``grads`` of the same names and shapes."""
        rate = self._next_rate()
        m_unbiased, s_unbiased = 1 - self.beta1**self._k, 1 - self.beta2**self._k
        for name, p in parameters.items():
            g = grads[name]
            m, s = self._average("m", name, p), self._average("s", name, p)
            m += (1 - self.beta1) * (g - m)
            s += (1 - self.beta2) * (g * g - s)
            p -= rate * (m / m_unbiased) / (np.sqrt(s / s_unbiased) + self.eps)


def step_decay(start: float, *, factor: float, every: int) -> Schedule:
    """Return k -> start factor^floor(k / every): constant for a while, then smaller at once.

    >>> rate = step_decay(1.0, factor=0.5, every=10)
    >>> rate(0), rate(9), rate(10), rate(25)
    (1.0, 1.0, 0.5, 0.25)
    """
    positive("start", start), positive("factor", factor), positive("every", every)
    return lambda k: start * factor ** (k // every)


def exponential_decay(start: float, *, half_life: float) -> Schedule:
    """Return k -> start 2^(-k / half_life): halved every ``half_life`` updates.

    >>> rate = exponential_decay(1.0, half_life=10)
    >>> rate(0), rate(10), rate(20)
    (1.0, 0.5, 0.25)
    """
    positive("start", start), positive("half_life", half_life)
    return lambda k: start * 2 ** (-k / half_life)


def linear_decay(start: float, *, steps: int) -> Schedule:
    """Return k -> start (1 - k / steps), and 0 from k = steps on.

    >>> rate = linear_decay(1.0, steps=4)
    >>> [rate(k) for k in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    positive("start", start), positive("steps", steps)
    return lambda k: start * max(0.0, 1 - k / steps)


def cosine_decay(start: float, *, steps: int) -> Schedule:
    """Return k -> start (1 + cos(pi k / steps)) / 2, and 0 from k = steps on.

    Source: Loshchilov & Hutter 2017.

    >>> rate = cosine_decay(1.0, steps=4)
    >>> [round(rate(k), 4) for k in range(6)]
    [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    positive("start", start), positive("steps", steps)
    return lambda k: start * (1 + math.cos(math.pi * min(k / steps, 1))) / 2


def positive(name: str, value: float) -> float:
    """Return ``value`` if it is above 0. Raises ValueError naming ``name`` if not.

    >>> positive("every", 3)
    3
    """
    if not value > 0:
        raise ValueError(f"{name}: expected a number above 0, got {value!r}")
    return value
