"""The plain recurrent layer, normalized."""

from typing import ClassVar, NamedTuple

import numpy as np

from ...functional import ACTIVATIONS
from .. import checking
from ..rnn import RNN
from .standardize import AXIS, GAIN, Normalized


class NormalizedRNNTrace(NamedTuple):
    """Everything a forward pass computed, time first; h_prev[t] is the state before step t."""

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray  # (T, N, H)
    y: np.ndarray  # (T, N, 1, H) the sums, normalized
    scale: np.ndarray  # (T, N, 1, 1), or (T, 1, 1, H) with norm="batch"
    h: np.ndarray  # (T, N, H)
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> np.ndarray:
        """h after the last step (N, H): the state the next forward starts from."""
        return self.h[-1]


class NormalizedRNN(Normalized, RNN):
    """h_t = f(gain norm(x_t W_x + h_{t-1} W_h) + b), where f is `nonlinearity`.

        norm(a) = (a - mean) / sqrt(var + 1e-5)

    norm="layer": mean and var over the H units, of each sequence and step on its own.
    norm="batch": over the sequences that still run, of each unit and step on its own; a cell that
    is `evaluating(statistics)` uses those instead.

    Parameters: as an RNN, and gain (H,), 1, or 0.1 with norm="batch".
    Arguments: D, H; rng; norm, "layer" or "batch"; nonlinearity.
    Raises TypeError or ValueError naming the argument.
    Source: Ba, Kiros & Hinton 2016; Cooijmans et al. 2017.

    >>> cell = NormalizedRNN(3, 4, rng=np.random.default_rng(0))
    >>> h = cell.forward(np.ones((5, 2, 3))).h
    >>> bool(np.allclose(np.arctanh(h).mean(axis=2), 0))  # in the mean, nothing comes in
    True
    """

    normed: ClassVar = {"a": 1}

    def __init__(
        self,
        D: int,
        H: int,
        *,
        rng: np.random.Generator,
        norm: str = "layer",
        nonlinearity: str = "tanh",
    ):
        super().__init__(D, H, rng=rng, nonlinearity=nonlinearity)
        self.norm = checking.choice("norm", norm, AXIS)
        self.gain = np.full(H, GAIN[norm])

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        return super().shapes | {"gain": (self.H,)}

    def sums(self, trace: NormalizedRNNTrace) -> dict[str, np.ndarray]:
        """What is normalized, before it is: "a" (T, N, 1, H)."""
        return {"a": (trace.x @ self.W_x + trace.h_prev @ self.W_h)[:, :, None]}

    def forward(
        self, x: np.ndarray, state: np.ndarray | None = None, lengths: np.ndarray | None = None
    ) -> NormalizedRNNTrace:
        """h_t = f(gain norm(x_t W_x + h_{t-1} W_h) + b) for t = 1..T.

        Arguments: x (T, N, D); state, h_0 (N, H); lengths (N,): all as for `RNN.forward`.
        Returns a `NormalizedRNNTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> cell = NormalizedRNN(3, 4, rng=np.random.default_rng(0))
        >>> cell.forward(np.ones((5, 2, 3))).h.shape
        (5, 2, 4)
        """
        x, (h0,), mask, p = checking.forward_arguments(self, x, {"state": state}, lengths)
        (T, N, D), H, dtype = x.shape, self.H, x.dtype
        over = self._standardize(mask)
        f = ACTIVATIONS[self.nonlinearity].value

        # x_t W_x needs no state, so one product serves all t
        a = (x.reshape(T * N, D) @ p["W_x"]).reshape(T, N, 1, H)
        y = np.empty((T, N, 1, H), dtype)
        scale = np.empty((T, N, 1, 1) if self.norm == "layer" else (T, 1, 1, H), dtype)
        h = np.empty((T + 1, N, H), dtype)
        h[0] = h0
        for t in range(T):
            a[t, :, 0] += h[t] @ p["W_h"]
            y[t], scale[t] = over.value(a[t], "a", t)
            f(p["gain"] * y[t, :, 0] + p["b"], out=h[t + 1])
            if mask is not None:
                np.copyto(h[t + 1], h[t], where=~mask[t, :, None])
        return NormalizedRNNTrace(x, h[:-1], y, scale, h[1:], mask)

    def backward(
        self, trace: NormalizedRNNTrace, dh: np.ndarray, dstate: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit: h_t = f(s_t), s_t = gain y_t + b, y_t = norm(a_t). As in the plain RNN, but
        between the slope of f and the weights stands the way back through the norm:

            dL/ds_t = dL/dh_t f'(s_t)    dL/dgain = sum_t dL/ds_t y_t    dL/dy_t = dL/ds_t gain

        and dL/da_t follows from dL/dy_t as `Standardize.slope` says.

        Arguments: trace, from `forward`; dh (T, N, H); dstate (N, H): all as for
        `RNN.backward`.
        Returns dL by name: the parameters, "x" (T, N, D), "h0" (N, H) and "h" (T, N, H), the
        total dL/dh_t of every step.
        Raises TypeError or ValueError naming the argument.
        Source: Ba, Kiros & Hinton 2016, differentiated.

        >>> cell = NormalizedRNN(3, 4, rng=np.random.default_rng(0))
        >>> x = np.random.default_rng(1).normal(size=(5, 2, 3))
        >>> grads = cell.backward(cell.forward(x), np.ones((5, 2, 4)))
        >>> bool(np.allclose(grads["W_h"].sum(axis=1), 0)), grads["x"].shape
        (True, (5, 2, 3))
        """
        dh, (dh_final,), p = checking.backward_arguments(
            self, trace, NormalizedRNNTrace, dh, {"dstate": dstate}
        )
        (T, N, H), D, dtype = dh.shape, self.D, dh.dtype
        mask, over = trace.mask, self._standardize(trace.mask)

        # every local slope first: none of them depends on the gradient
        ds = ACTIVATIONS[self.nonlinearity].slope(trace.h).astype(dtype, copy=False)
        if mask is not None:
            ds *= mask[:, :, None]

        # then the chain: each slope is multiplied by the gradient that arrives there
        dh = np.concatenate([np.zeros((1, N, H), dtype), dh])
        dh[T] += dh_final
        da = np.empty((T, N, 1, H), dtype)
        for t in reversed(range(T)):
            ds[t] *= dh[t + 1]
            dy = (ds[t] * p["gain"])[:, None]
            da[t] = over.slope(dy, trace.y[t], trace.scale[t], t)
            dh[t] += da[t, :, 0] @ p["W_h"].T
            if mask is not None:
                np.add(dh[t], dh[t + 1], out=dh[t], where=~mask[t, :, None])

        # the weights are shared by all steps, so one product adds up their T contributions
        rows = da.reshape(T * N, H)
        return {
            "W_x": trace.x.reshape(T * N, D).T @ rows,
            "W_h": trace.h_prev.reshape(T * N, H).T @ rows,
            "b": ds.sum(axis=(0, 1)),
            "gain": (ds * trace.y[:, :, 0]).sum(axis=(0, 1)),
            "x": (rows @ p["W_x"].T).reshape(T, N, D),
            "h0": dh[0],
            "h": dh[1:],
        }
