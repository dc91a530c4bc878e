"""The plain recurrent layer: a fully connected layer fed back into itself."""

from typing import NamedTuple

import numpy as np

from ..functional import ACTIVATIONS
from . import checking
from .memory import together


class RNNTrace(NamedTuple):
    """Everything a forward pass computed, time first; h_prev[t] is the state before step t."""

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray  # (T, N, H)
    h: np.ndarray  # (T, N, H)
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> np.ndarray:
        """h after the last step (N, H): the state the next forward starts from."""
        return self.h[-1]


class RNN:
    """h_t = f(x_t W_x + h_{t-1} W_h + b), where f is `nonlinearity`.

    D inputs and H hidden units make D H + H^2 + H numbers, however long the sequence is.

    Parameters: W_x (D, H), W_h (H, H), uniform in +-1/sqrt(H); b (H,), zero.
    Arguments: D, H; rng, where the weights come from; nonlinearity, a name in
    `functional.ACTIVATIONS`.
    Raises TypeError or ValueError naming the argument.
    Source: Elman 1990; Goodfellow, Bengio & Courville 2016, section 10.2.

    >>> cell = RNN(3, 4, rng=np.random.default_rng(0))
    >>> trace = cell.forward(np.ones((5, 2, 3)))  # 5 steps of 2 sequences
    >>> trace.h.shape
    (5, 2, 4)
    >>> grads = cell.backward(trace, np.ones((5, 2, 4)))
    >>> grads["W_h"].shape, grads["x"].shape, grads["h0"].shape
    ((4, 4), (5, 2, 3), (2, 4))
    """

    def __init__(self, D: int, H: int, *, rng: np.random.Generator, nonlinearity: str = "tanh"):
        self.D, self.H = checking.size("D", D), checking.size("H", H)
        self.nonlinearity = checking.choice("nonlinearity", nonlinearity, ACTIVATIONS)
        k = 1 / np.sqrt(H)
        self.W_x = checking.generator(rng).uniform(-k, k, (D, H))
        self.W_h = rng.uniform(-k, k, (H, H))
        self.b = np.zeros(H)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        D, H = self.D, self.H
        return {"W_x": (D, H), "W_h": (H, H), "b": (H,)}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the cell has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(
        self, x: np.ndarray, state: np.ndarray | None = None, lengths: np.ndarray | None = None
    ) -> RNNTrace:
        """h_t = f(x_t W_x + h_{t-1} W_h + b) for t = 1..T.

        Arguments: x (T, N, D); state, h_0 (N, H), zeros when None; lengths (N,), integers in
        1..T: a sequence that has ended keeps its state, h_t = h_{t-1}.
        Returns an `RNNTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> cell = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> cell.W_x[:], cell.W_h[:] = 1, 0.5  # each state remembers half of the last one
        >>> cell.forward([[[1]], [[0]], [[0]]]).h.ravel()
        array([1.  , 0.5 , 0.25])
        """
        x, (h0,), mask, p = checking.forward_arguments(self, x, {"state": state}, lengths)
        (T, N, D), H = x.shape, self.H
        W_x, W_h, b = p.values()
        f = ACTIVATIONS[self.nonlinearity].value

        h = np.empty((T + 1, N, H), x.dtype)
        h[0] = h0
        # x_t W_x + b needs no state, so one product serves all t: that is where h_t begins
        np.matmul(x.reshape(T * N, D), W_x, out=h[1:].reshape(T * N, H))
        h[1:] += b
        hW = np.empty((N, H), x.dtype)
        h_t = h[0]
        for t in range(T):
            h_prev, h_t = h_t, h[t + 1]
            h_t += h_prev.dot(W_h, out=hW)
            f(h_t, out=h_t)
            if mask is not None:
                np.copyto(h_t, h_prev, where=~mask[t, :, None])
        return RNNTrace(x, h[:-1], h[1:], mask)

    def backward(
        self, trace: RNNTrace, dh: np.ndarray, dstate: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit, one weight: h_t = f(a_t), a_t = w h_{t-1} + u x_t + b. The state h_t reaches L
        directly (that part is `dh[t]`) and through h_{t+1}, so the chain rule says

            dL/dh_t = dh[t] + dL/dh_{t+1} f'(a_{t+1}) w
            dL/da_t = dL/dh_t f'(a_t)

        and as every step uses the same w, its gradient is a sum: dL/dw = sum_t dL/da_t h_{t-1}.
        With vectors w becomes W_h transposed: the error goes back along the same wires. A step
        after the end of a sequence copies its state, so there dL/dh_{t-1} gets dL/dh_t itself.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends directly on each h_t;
        dstate (N, H), how L depends on `trace.final`, zeros when None.
        Returns dL by name: "W_x", "W_h", "b", "x" (T, N, D), "h0" (N, H) and "h" (T, N, H), the
        total dL/dh_t of every step.
        Raises TypeError or ValueError naming the argument.
        Source: Werbos 1990; Pascanu, Mikolov & Bengio 2013.

        >>> cell = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> cell.W_x[:], cell.W_h[:] = 1, 0.5
        >>> trace = cell.forward([[[1]], [[0]], [[0]]])
        >>> cell.backward(trace, [[[0]], [[0]], [[1]]])["h"].ravel()  # halved at each step back
        array([0.25, 0.5 , 1.  ])
        """
        direct, (dh_final,), p = checking.backward_arguments(
            self, trace, RNNTrace, dh, {"dstate": dstate}
        )
        (T, N, H), D, dtype = direct.shape, self.D, direct.dtype
        W_x, W_h, _ = p.values()
        W_hT = np.ascontiguousarray(W_h.T)  # read at every step, so it lies row by row
        mask = trace.mask
        da, dh = together(dtype, (T, N, H), (T + 1, N, H))

        # every local slope first: none of them depends on the gradient
        da = ACTIVATIONS[self.nonlinearity].slope(trace.h, out=da)
        if mask is not None:
            da *= mask[:, :, None]

        # then the chain: each slope is multiplied by the gradient that arrives there, and
        # dh[t] grows into the total dL/dh_t, where dh[0] belongs to h_0
        dh[0], dh[1:] = 0, direct
        dh[T] += dh_final
        back = np.empty((N, H), dtype)
        for t in reversed(range(T)):
            da_t, dh_t, dh_prev = da[t], dh[t + 1], dh[t]
            da_t *= dh_t
            dh_prev += da_t.dot(W_hT, out=back)
            if mask is not None:
                np.add(dh_prev, dh_t, out=dh_prev, where=~mask[t, :, None])

        # the weights are shared by all steps, so one product adds up their T contributions
        da = da.reshape(T * N, H)
        return {
            "W_x": trace.x.reshape(T * N, D).T @ da,
            "W_h": trace.h_prev.reshape(T * N, H).T @ da,
            "b": da.sum(axis=0),
            "x": (da @ W_x.T).reshape(T, N, D),
            "h0": dh[0],
            "h": dh[1:],
        }
