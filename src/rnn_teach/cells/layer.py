"""What every layer can do, as a type: the cells, and all that is composed of them."""

from typing import Protocol

import numpy as np


class Trace(Protocol):
    """What a forward pass computed, time first: at least the outputs and the last state."""

    @property
    def h(self) -> np.ndarray:
        """The outputs (T, N, H)."""

    @property
    def mask(self) -> np.ndarray | None:
        """(T, N), True while a sequence runs; None when all run to the end."""

    @property
    def final(self) -> object:
        """The state after the last step: an array (N, H), a tuple of such, or None."""


class Layer(Protocol):
    """D inputs and H outputs a step, parameters by name, and the way there and back."""

    D: int
    H: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name."""

    def forward(
        self, x: np.ndarray, state: object = None, lengths: np.ndarray | None = None
    ) -> Trace:
        """x (T, N, D) to a trace."""

    def backward(
        self, trace: Trace, dh: np.ndarray, dstate: object = None
    ) -> dict[str, np.ndarray]:
        """dh (T, N, H) to the gradients, by name."""
