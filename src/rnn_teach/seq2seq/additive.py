"""Additive attention: a small network scores each source step before the decoder moves."""

from typing import NamedTuple

import numpy as np

from ..cells import checking
from ..cells.layer import Layer, Trace
from ..functional import dtanh
from .attention import State, align, dscores, forward_arguments


class AdditiveTrace(NamedTuple):
    """Everything an additive decoder computed, T target steps first; S source steps."""

    memory: np.ndarray  # (S, N, M)
    steps: tuple[Trace, ...]  # the cell's trace of each step, T of them
    h_prev: np.ndarray  # (T, N, H)
    u: np.ndarray  # (T, S, N, A), the hidden layer of the score
    weights: np.ndarray  # (T, N, S), their sum over S is 1, and padding has 0
    context: np.ndarray  # (T, N, M)
    h: np.ndarray  # (T, N, H)

    @property
    def final(self) -> State:
        """The cell's state after the last step."""
        return self.steps[-1].final


class Additive:
    """Ask before each step, with the state before it; the cell reads the answer as an input.

        e_ts = tanh(h_{t-1} W_q + memory_s W_m) . v
        h_t  = cell([x_t, context_t], h_{t-1})

    The score is a network of its own with A hidden units. The cell needs D = K + M inputs, where
    K is the size of x_t. The paper reads y_t off h_t, x_t and context_t; we read it off h_t, which
    has read the other two.

    Parameters: W_q (H, A), uniform in +-1/sqrt(H); W_m (M, A), in +-1/sqrt(M); v (A,), in
    +-1/sqrt(A).
    Arguments: H, units of the decoder; M, units of the encoder; A; rng, where the weights come from.
    Raises TypeError or ValueError naming the argument.
    Source: Bahdanau, Cho & Bengio 2015.

    >>> from rnn_teach.cells import GRU
    >>> rng = np.random.default_rng(0)
    >>> attention, cell = Additive(4, 6, 5, rng=rng), GRU(3 + 6, 4, rng=rng)
    >>> trace = attention.forward(cell, np.ones((2, 1, 3)), np.zeros((1, 4)), np.ones((8, 1, 6)))
    >>> trace.weights[0]  # eight source steps, all alike
    array([[0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125]])
    """

    def __init__(self, H: int, M: int, A: int, *, rng: np.random.Generator):
        self.H, self.M, self.A = checking.size("H", H), checking.size("M", M), checking.size("A", A)
        for name, shape in self.shapes.items():
            k = 1 / np.sqrt(shape[0])
            setattr(self, name, checking.generator(rng).uniform(-k, k, shape))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        return {"W_q": (self.H, self.A), "W_m": (self.M, self.A), "v": (self.A,)}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the layer has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(
        self,
        cell: Layer,
        x: np.ndarray,
        state: State,
        memory: np.ndarray,
        mask: np.ndarray | None = None,
    ) -> AdditiveTrace:
        """h_t = cell([x_t, context_t], h_{t-1}) for t = 1..T.

        Arguments: cell, any whose state is h or (h, c); x (T, N, K); state, which the cell starts
        from, (N, H) or a pair of such; memory (S, N, M); mask (S, N), True where the source has a
        step, None for everywhere.
        Returns an `AdditiveTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> from rnn_teach.cells import RNN
        >>> rng = np.random.default_rng(0)
        >>> attention, cell = Additive(2, 1, 5, rng=rng), RNN(1 + 1, 2, rng=rng)
        >>> memory, mask = np.array([[[3.0]], [[7.0]]]), np.array([[True], [False]])
        >>> attention.forward(cell, np.ones((1, 1, 1)), np.zeros((1, 2)), memory, mask).context
        array([[[3.]]])
        """
        halves = [
            checking.numbers("state", half, N=None, H=self.H)
            for half in (state if isinstance(state, tuple) else (state,))
        ]
        x, memory, (W_q, W_m, v) = forward_arguments(self, cell, x, halves, memory, mask)
        (T, N, _), (S, _, M), dtype = x.shape, memory.shape, W_q.dtype

        # memory_s W_m needs no decoder, so one product serves all t
        m = memory @ W_m
        u = np.empty((T, S, N, self.A), dtype)
        weights = np.empty((T, N, S), dtype)
        context = np.empty((T, N, M), dtype)
        h = np.empty((T + 1, N, self.H), dtype)
        h[0] = halves[0]
        steps = []
        for t in range(T):
            np.tanh(h[t] @ W_q + m, out=u[t])
            weights[t] = align((u[t] @ v).T, mask)
            context[t] = np.einsum("ns,snm->nm", weights[t], memory)
            step = cell.forward(np.concatenate([x[t], context[t]], axis=1)[None], state)
            h[t + 1], state = step.h[0], step.final
            steps.append(step)
        return AdditiveTrace(memory, tuple(steps), h[:-1], u, weights, context, h[1:])

    def backward(
        self, cell: Layer, trace: AdditiveTrace, dh: np.ndarray
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """All gradients of a loss L, one step of the cell at a time, from the last one.

        One unit each: context = sum_s w_s m_s and e_s = v u_s, u_s = tanh(q h_{t-1} + k m_s). The
        cell's own backward step gives dL/dcontext, the part of its dL/dx that was the context. Then

            dw_s = dL/dcontext m_s        de_s = w_s (dw_s - sum_r w_r dw_r)
            dv = sum_s de_s u_s           da_s = de_s v (1 - u_s^2)

        The weights share one sum, so what one gains the others lose: only where dw_s is above the
        weighted mean of them all does a higher score help. From da_s the chain goes on to q and k,
        to h_{t-1}, which gets sum_s da_s q, and to m_s, which gets da_s k and, as a part of the
        context, w_s dL/dcontext. Each is a sum over all t.

        Arguments: cell; trace, from `forward`; dh (T, N, H), how L depends directly on each h_t.
        Returns two dicts of dL by name. The cell's: as from its own `backward`; "x" is
        (T, N, K + M), and in "h0" and "h" the asking counts, too. The attention's: "W_q", "W_m",
        "v", and "memory" (S, N, M).
        Raises TypeError or ValueError naming the argument.
        Source: Bahdanau, Cho & Bengio 2015, differentiated.

        >>> from rnn_teach.cells import RNN
        >>> rng = np.random.default_rng(0)
        >>> attention, cell = Additive(2, 1, 5, rng=rng), RNN(1 + 1, 2, rng=rng)
        >>> trace = attention.forward(cell, np.ones((3, 1, 1)), np.zeros((1, 2)), np.ones((4, 1, 1)))
        >>> of_cell, of_attention = attention.backward(cell, trace, np.ones((3, 1, 2)))
        >>> of_cell["x"].shape, of_attention["memory"].shape
        ((3, 1, 2), (4, 1, 1))
        """
        dh, _, p = checking.backward_arguments(self, trace, AdditiveTrace, dh, {})
        W_q, W_m, v = p.values()
        (T, N, H), (S, _, M), A, dtype = dh.shape, trace.memory.shape, self.A, dh.dtype

        # every local slope first: none of them depends on the gradient
        slope = v * dtanh(trace.u)

        # then the chain. Step t asked with h_{t-1}, so dh[t] grows by what came of asking, where
        # dh[0] belongs to h_0
        dh = np.concatenate([np.zeros((1, N, H), dtype), dh])
        dstate = None
        de, dcontext = np.empty((T, N, S), dtype), np.empty((T, N, M), dtype)
        da_q, da_m = np.empty((T, N, A), dtype), np.zeros((S, N, A), dtype)
        shared, stepwise = dict.fromkeys(cell.parameters, 0), []
        for t in reversed(range(T)):
            step = cell.backward(trace.steps[t], dh[t + 1][None], dstate)
            dcontext[t] = step["x"][0, :, -M:]
            dw = np.einsum("nm,snm->ns", dcontext[t], trace.memory)
            de[t] = dscores(trace.weights[t], dw)
            da = de[t].T[:, :, None] * slope[t]
            da_m += da
            da_q[t] = da.sum(axis=0)
            dh[t] += da_q[t] @ W_q.T
            dstate = (step["h0"], step["c0"]) if "c0" in step else step["h0"]
            shared = {name: dW + step.pop(name) for name, dW in shared.items()}
            stepwise.append(step)

        first = stepwise[-1]
        initial = {"h0": first["h0"] + dh[0]} | {k: first[k] for k in ("c0",) if k in first}
        in_time = {
            name: np.concatenate([step[name] for step in reversed(stepwise)])
            for name in first
            if name not in initial
        }
        return shared | initial | in_time, {
            "W_q": trace.h_prev.reshape(T * N, H).T @ da_q.reshape(T * N, A),
            "W_m": trace.memory.reshape(S * N, M).T @ da_m.reshape(S * N, A),
            "v": np.einsum("tns,tsna->a", de, trace.u),
            "memory": da_m @ W_m.T + np.einsum("tns,tnm->snm", trace.weights, dcontext),
        }
