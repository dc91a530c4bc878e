"""The deep transition: a recurrent layer whose way from one state to the next has several layers."""

from typing import NamedTuple

import numpy as np

from ..functional import ACTIVATIONS
from . import checking


class DeepTransitionTrace(NamedTuple):
    """Everything a forward pass computed, time first; h_prev[t] is the state before step t."""

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray  # (T, N, H)
    m: np.ndarray  # (T, L - 1, N, H), what stands between h_prev and h
    h: np.ndarray  # (T, N, H)
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> np.ndarray:
        """h after the last step (N, H): the state the next forward starts from."""
        return self.h[-1]


class DeepTransition:
    """An RNN with L = `depth` layers from each state to the next (DT-RNN):

        m_1 = f(x_t W_x + h_{t-1} W_h + b)
        m_l = f(m_{l-1} W_l + b_l)              l = 2..L
        h_t = m_L

    With depth=1 it is the plain RNN. The error passes T L layers on its way back, not T.

    Parameters: W_x (D, H), W_h (H, H), W_2, ..., W_L (H, H), uniform in +-1/sqrt(H); b, b_2, ...,
    b_L (H,), zero.
    Arguments: D, H; rng, where the weights come from; nonlinearity, a name in
    `functional.ACTIVATIONS`; depth, L.
    Raises TypeError or ValueError naming the argument.
    Source: Pascanu, Gulcehre, Cho & Bengio 2014 (DT-RNN).

    >>> cell = DeepTransition(3, 4, rng=np.random.default_rng(0), depth=2)
    >>> list(cell.parameters)
    ['W_x', 'W_h', 'b', 'W_2', 'b_2']
    >>> cell.forward(np.ones((5, 2, 3))).h.shape
    (5, 2, 4)
    """

    def __init__(
        self,
        D: int,
        H: int,
        *,
        rng: np.random.Generator,
        nonlinearity: str = "tanh",
        depth: int = 2,
    ):
        self.D, self.H = checking.size("D", D), checking.size("H", H)
        self.nonlinearity = checking.choice("nonlinearity", nonlinearity, ACTIVATIONS)
        self.depth = checking.size("depth", depth)
        k = 1 / np.sqrt(H)
        checking.generator(rng)
        for name, shape in self.shapes.items():
            is_weight = len(shape) == 2
            setattr(self, name, rng.uniform(-k, k, shape) if is_weight else np.zeros(shape))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        D, H = self.D, self.H
        shapes = {"W_x": (D, H), "W_h": (H, H), "b": (H,)}
        for layer in range(2, self.depth + 1):
            shapes |= {f"W_{layer}": (H, H), f"b_{layer}": (H,)}
        return shapes

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the cell has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(
        self, x: np.ndarray, state: np.ndarray | None = None, lengths: np.ndarray | None = None
    ) -> DeepTransitionTrace:
        """h_t = m_L for t = 1..T, where m_1 reads x_t and h_{t-1}, and m_l reads m_{l-1}.

        Arguments: x (T, N, D); state, h_0 (N, H), zeros when None; lengths (N,), integers in
        1..T: a sequence that has ended keeps its state, h_t = h_{t-1}.
        Returns a `DeepTransitionTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> rng = np.random.default_rng(0)
        >>> cell = DeepTransition(1, 1, rng=rng, nonlinearity="identity", depth=2)
        >>> cell.W_x[:], cell.W_h[:], cell.W_2[:] = 1, 1, 0.5
        >>> cell.forward([[[1]], [[0]], [[0]]]).h.ravel()
        array([0.5  , 0.25 , 0.125])
        """
        x, (h0,), mask, p = checking.forward_arguments(self, x, {"state": state}, lengths)
        (T, N, D), H, L = x.shape, self.H, self.depth
        W, b = self._by_layer(p)
        f = ACTIVATIONS[self.nonlinearity].value

        # x_t W_x + b needs no state, so one product serves all t
        a = (x.reshape(T * N, D) @ p["W_x"]).reshape(T, N, H)
        a += b[0]
        m = np.empty((T, L - 1, N, H), x.dtype)
        h = np.empty((T + 1, N, H), x.dtype)
        h[0] = h0
        mW = np.empty((N, H), x.dtype)
        for t in range(T):
            levels = [h[t], *m[t], h[t + 1]]
            for k in range(L):
                levels[k].dot(W[k], out=mW)
                mW += a[t] if k == 0 else b[k]
                f(mW, out=levels[k + 1])
            if mask is not None:
                np.copyto(h[t + 1], h[t], where=~mask[t, :, None])
        return DeepTransitionTrace(x, h[:-1], m, h[1:], mask)

    def backward(
        self, trace: DeepTransitionTrace, dh: np.ndarray, dstate: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit, two layers: m = f(a), a = w h_{t-1} + u x_t + b, and h_t = f(a'), a' = v m + b'.
        Once dL/dh_t is known, the chain goes down layer by layer inside the step,

            dL/da' = dL/dh_t f'(a')        dL/dm = dL/da' v        dL/da = dL/dm f'(a)

        and only then to the step before, which gets dL/da w: L slopes and L weights a step, where
        the plain RNN has one of each. The gradient of a weight is a sum over all steps, as ever.
        A step after the end of a sequence copies its state, so there dL/dh_{t-1} gets dL/dh_t.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends directly on each h_t;
        dstate (N, H), how L depends on `trace.final`, zeros when None.
        Returns dL by name: the parameters, "x" (T, N, D), "h0" (N, H) and "h" (T, N, H), the
        total dL/dh_t of every step.
        Raises TypeError or ValueError naming the argument.
        Source: Pascanu, Gulcehre, Cho & Bengio 2014, differentiated.

        >>> rng = np.random.default_rng(0)
        >>> cell = DeepTransition(1, 1, rng=rng, nonlinearity="identity", depth=2)
        >>> cell.W_x[:], cell.W_h[:], cell.W_2[:] = 1, 0.5, 0.5
        >>> trace = cell.forward([[[1]], [[0]], [[0]]])
        >>> cell.backward(trace, [[[0]], [[0]], [[1]]])["h"].ravel()  # halved twice a step
        array([0.0625, 0.25  , 1.    ])
        """
        dh, (dh_final,), p = checking.backward_arguments(
            self, trace, DeepTransitionTrace, dh, {"dstate": dstate}
        )
        (T, N, H), D, L, dtype = dh.shape, self.D, self.depth, dh.dtype
        W, _ = self._by_layer(p)
        mask = trace.mask

        # every local slope first: none of them depends on the gradient
        outputs = np.concatenate([trace.m, trace.h[:, None]], axis=1)
        da = ACTIVATIONS[self.nonlinearity].slope(outputs).astype(dtype, copy=False)
        if mask is not None:
            da *= mask[:, None, :, None]

        # then the chain: each slope is multiplied by the gradient that arrives there, and
        # dh[t] grows into the total dL/dh_t, where dh[0] belongs to h_0
        dh = np.concatenate([np.zeros((1, N, H), dtype), dh])
        dh[T] += dh_final
        back = np.empty((N, H), dtype)
        for t in reversed(range(T)):
            arrived = dh[t + 1]
            for k in reversed(range(L)):
                da[t, k] *= arrived
                arrived = da[t, k].dot(W[k].T, out=back)
            dh[t] += arrived
            if mask is not None:
                np.add(dh[t], dh[t + 1], out=dh[t], where=~mask[t, :, None])

        # the weights are shared by all steps, so one product adds up their T contributions
        inputs = np.concatenate([trace.h_prev[:, None], trace.m], axis=1)
        rows = [da[:, k].reshape(T * N, H) for k in range(L)]
        dW = [inputs[:, k].reshape(T * N, H).T @ rows[k] for k in range(L)]
        db = [da_k.sum(axis=0) for da_k in rows]
        grads = {"W_x": trace.x.reshape(T * N, D).T @ rows[0], "W_h": dW[0], "b": db[0]}
        for k in range(1, L):
            grads |= {f"W_{k + 1}": dW[k], f"b_{k + 1}": db[k]}
        return grads | {
            "x": (rows[0] @ p["W_x"].T).reshape(T, N, D),
            "h0": dh[0],
            "h": dh[1:],
        }

    def _by_layer(self, p: dict[str, np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The weights and the biases of the transition, from h_{t-1} up to h_t."""
        above = range(2, self.depth + 1)
        return [p["W_h"], *(p[f"W_{k}"] for k in above)], [p["b"], *(p[f"b_{k}"] for k in above)]
