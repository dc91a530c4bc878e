"""Deep recurrent networks: layers one after another, and a transition of several layers.

The four ways of Pascanu, Gulcehre, Cho & Bengio 2014, with the number of
weight matrices on the longest way from x_1 to h_T in the networks that stand here:

    stacked hidden states, sRNN     Chain([RNN(D, H, rng=rng), RNN(H, H, rng=rng)])      T + 1
    input-to-hidden                 Chain([Dense(D, H, rng=rng), RNN(H, H, rng=rng)])    T + 1
    hidden-to-hidden, DT-RNN        DeepTransition(D, H, depth=2, rng=rng)               2 T
    hidden-to-output, DO-RNN        Chain([RNN(D, H, rng=rng), Dense(H, H, rng=rng)])    T + 1
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .cells import Layer, Trace, checking
from .cells.transition import DeepTransition, DeepTransitionTrace
from .functional import ACTIVATIONS

__all__ = ["Chain", "ChainTrace", "DeepTransition", "DeepTransitionTrace", "Dense", "DenseTrace"]


class DenseTrace(NamedTuple):
    """Everything a forward pass computed, time first."""

    x: np.ndarray  # (T, N, D)
    h: np.ndarray  # (T, N, H)
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> None:
        """None: no state goes from step to step."""
        return None


class Dense:
    """h_t = f(x_t W_x + b), where f is `nonlinearity`: the same feed-forward layer at every step.

    Parameters: W_x (D, H), uniform in +-1/sqrt(D); b (H,), zero.
    Arguments: D, H; rng, where the weights come from; nonlinearity, a name in
    `functional.ACTIVATIONS`.
    Raises TypeError or ValueError naming the argument.
    Source: Goodfellow, Bengio & Courville 2016, section 6.3.

    >>> layer = Dense(3, 4, rng=np.random.default_rng(0))
    >>> layer.forward(np.ones((5, 2, 3))).h.shape
    (5, 2, 4)
    """

    def __init__(self, D: int, H: int, *, rng: np.random.Generator, nonlinearity: str = "tanh"):
        self.D, self.H = checking.size("D", D), checking.size("H", H)
        self.nonlinearity = checking.choice("nonlinearity", nonlinearity, ACTIVATIONS)
        k = 1 / np.sqrt(D)
        self.W_x = checking.generator(rng).uniform(-k, k, (D, H))
        self.b = np.zeros(H)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        return {"W_x": (self.D, self.H), "b": (self.H,)}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the layer has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(
        self, x: np.ndarray, state: None = None, lengths: np.ndarray | None = None
    ) -> DenseTrace:
        """h_t = f(x_t W_x + b) for t = 1..T.

        Arguments: x (T, N, D); state, None; lengths (N,), integers in 1..T: a sequence that has
        ended keeps its last h, as in a cell.
        Returns a `DenseTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> layer = Dense(1, 1, rng=np.random.default_rng(0), nonlinearity="relu")
        >>> layer.W_x[:] = 2
        >>> layer.forward([[[1]], [[-1]], [[3]]]).h.ravel()
        array([2., 0., 6.])
        """
        checking.no_state("state", state)
        x, _, mask, p = checking.forward_arguments(self, x, {}, lengths)
        T, N, D = x.shape
        a = x.reshape(T * N, D) @ p["W_x"]
        a += p["b"]
        h = ACTIVATIONS[self.nonlinearity].value(a, out=a).reshape(T, N, self.H)
        if mask is not None:
            for t in range(1, T):
                np.copyto(h[t], h[t - 1], where=~mask[t, :, None])
        return DenseTrace(x, h, mask)

    def backward(
        self, trace: DenseTrace, dh: np.ndarray, dstate: None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L.

        One unit: h_t = f(a_t), a_t = u x_t + b, and no step knows of another one:

            dL/da_t = dL/dh_t f'(a_t)        dL/du = sum_t dL/da_t x_t        dL/dx_t = dL/da_t u

        A step after the end of a sequence repeats the h before it, so that one gets its gradient.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends on each h_t; dstate, None.
        Returns dL by name: "W_x", "b", "x" (T, N, D) and "h" (T, N, H), the total dL/dh_t.
        Raises TypeError or ValueError naming the argument.
        Source: Goodfellow, Bengio & Courville 2016, section 6.5.

        >>> layer = Dense(1, 1, rng=np.random.default_rng(0), nonlinearity="relu")
        >>> layer.W_x[:] = 2
        >>> layer.backward(layer.forward([[[1]], [[-1]], [[3]]]), np.ones((3, 1, 1)))["W_x"]
        array([[4.]])
        """
        checking.no_state("dstate", dstate)
        dh, _, p = checking.backward_arguments(self, trace, DenseTrace, dh, {})
        (T, N, H), D = dh.shape, self.D
        da = ACTIVATIONS[self.nonlinearity].slope(trace.h)
        dh = dh.copy()
        if trace.mask is not None:
            da *= trace.mask[:, :, None]
            for t in reversed(range(1, T)):
                np.add(dh[t - 1], dh[t], out=dh[t - 1], where=~trace.mask[t, :, None])
        da = (da * dh).reshape(T * N, H)
        return {
            "W_x": trace.x.reshape(T * N, D).T @ da,
            "b": da.sum(axis=0),
            "x": (da @ p["W_x"].T).reshape(T, N, D),
            "h": dh,
        }


class ChainTrace(NamedTuple):
    """The trace of every layer, from the input up; `h` and `mask` are those of the last one."""

    layers: tuple[Trace, ...]

    @property
    def h(self) -> np.ndarray:
        """The output of the last layer (T, N, H)."""
        return self.layers[-1].h

    @property
    def mask(self) -> np.ndarray | None:
        """(T, N), True while a sequence runs; None when all run to the end."""
        return self.layers[-1].mask

    @property
    def final(self) -> tuple:
        """The final state of each layer: what the next forward starts from."""
        return tuple(trace.final for trace in self.layers)


class Chain:
    """Layers one after another: h of the layer below is x of the layer above.

        h^k_t = layer_k(h^(k-1)_t, h^k_{t-1})        where h^0_t = x_t

    Parameters: those of the layers, named "0.W_x", "0.W_h", ..., "1.W_x", ... from the input up.
    Arguments: layers, any that have `forward` and `backward` as the cells do: RNN, LSTM, GRU,
    `Dense`, `DeepTransition`, `Bidirectional`, another `Chain`.
    Raises ValueError if there is no layer, or if one does not fit on the one below.
    Source: Schmidhuber 1992; Pascanu, Gulcehre, Cho & Bengio 2014 (sRNN).

    >>> from rnn_teach.cells import LSTM, RNN
    >>> rng = np.random.default_rng(0)
    >>> chain = Chain([LSTM(3, 4, rng=rng), RNN(4, 2, rng=rng)])
    >>> list(chain.parameters)
    ['0.W_x', '0.W_h', '0.b', '1.W_x', '1.W_h', '1.b']
    >>> trace = chain.forward(np.ones((5, 1, 3)))
    >>> trace.h.shape, trace.layers[0].h.shape
    ((5, 1, 2), (5, 1, 4))
    """

    def __init__(self, layers: Iterable[Layer]):
        self.layers = tuple(layers)
        if not self.layers:
            raise ValueError("layers: expected at least one layer, got none")
        for k, (below, above) in enumerate(zip(self.layers, self.layers[1:], strict=False)):
            if above.D != below.H:
                raise ValueError(
                    f"layers[{k + 1}]: expected D={below.H}, as layers[{k}] has H={below.H}, "
                    f"got D={above.D}"
                )
        self.D, self.H = self.layers[0].D, self.layers[-1].H

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers by the names that their parameters begin with."""
        return {str(k): layer for k, layer in enumerate(self.layers)}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        parts = self.parts.items()
        return {f"{k}.{name}": shape for k, layer in parts for name, shape in layer.shapes.items()}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the chain has changed."""
        parts = self.parts.items()
        return {f"{k}.{name}": p for k, layer in parts for name, p in layer.parameters.items()}

    @property
    def last_has_read_all(self) -> bool:
        """Whether the last h of a sequence can depend on all of its x; see `Bidirectional`."""
        recurrent = [layer for layer in self.layers if not isinstance(layer, Dense)]
        return not recurrent or getattr(recurrent[-1], "last_has_read_all", True)

    def forward(
        self, x: np.ndarray, state: tuple | None = None, lengths: np.ndarray | None = None
    ) -> ChainTrace:
        """The first layer reads x, every other one the h of the layer below it: x^(k+1)_t = h^k_t.

        Arguments: x (T, N, D); state, a tuple of one state for each layer (None: zeros, and a
        `Dense` has no other), or None for all; lengths (N,), integers in 1..T, for every layer.
        Returns a `ChainTrace`.
        Raises TypeError or ValueError naming the argument, and the layer if it is a state.

        >>> rng = np.random.default_rng(0)
        >>> double = Dense(1, 1, rng=rng, nonlinearity="identity")
        >>> double.W_x[:] = 2
        >>> Chain([double, double]).forward([[[1]], [[3]]]).h.ravel()
        array([ 4., 12.])
        """
        states = checking.one_each("state", state, len(self.layers))
        x, _, _, _ = checking.forward_arguments(self, x, {}, lengths)
        traces = []
        for k, (layer, start) in enumerate(zip(self.layers, states, strict=True)):
            with checking.inside(f"layer {k}"):
                traces.append(layer.forward(x, start, lengths))
            x = traces[-1].h
        return ChainTrace(tuple(traces))

    def backward(
        self, trace: ChainTrace, dh: np.ndarray, dstate: tuple | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, from the last layer down.

        Two layers of one unit: h_t of the lower one reaches L through its own next step and
        through the step above it, which reads it as x_t:

            dL/dh^1_t = dL/dh^1_{t+1} dh^1_{t+1}/dh^1_t + dL/dh^2_t dh^2_t/dh^1_t

        The first part is the lower layer's own backpropagation through time. The second is the
        upper layer's dL/dx_t, so it comes down as the lower layer's `dh`.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends directly on the last layer's
        h_t; dstate, as `trace.final`, how L depends on it, None for zeros.
        Returns dL by name: "0.W_x", ... for the parameters; "0.h0", "0.h" and all else a layer
        tells of itself, where "0.h" (T, N, H of layer 0) is the total dL/dh_t of layer 0; "x"
        (T, N, D); and "h", the total of the last layer.
        Raises TypeError or ValueError naming the argument, and the layer if it is a state.
        Source: Pascanu, Gulcehre, Cho & Bengio 2014, differentiated.

        >>> from rnn_teach.cells import RNN
        >>> cell = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> cell.W_x[:], cell.W_h[:] = 1, 1
        >>> chain = Chain([cell, cell])
        >>> grads = chain.backward(chain.forward(np.zeros((3, 1, 1))), [[[0]], [[0]], [[1]]])
        >>> grads["1.h"].ravel(), grads["0.h"].ravel()  # below, it counts the ways to the end
        (array([1., 1., 1.]), array([3., 2., 1.]))
        """
        count = len(self.layers)
        dstates = checking.one_each("dstate", dstate, count)
        dh, _, _ = checking.backward_arguments(self, trace, ChainTrace, dh, {})
        if len(trace.layers) != count:
            raise ValueError(f"trace: expected {count} layers, got {len(trace.layers)}")
        layered = {}
        for k in reversed(range(count)):
            with checking.inside(f"layer {k}"):
                grads = self.layers[k].backward(trace.layers[k], dh, dstates[k])
            dh = grads.pop("x")
            layered |= {f"{k}.{name}": g for name, g in grads.items()}
        return layered | {"x": dh, "h": layered[f"{count - 1}.h"]}
