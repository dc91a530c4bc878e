"""Dot-product attention: a source step scores high if its state is like the decoder's."""

from typing import NamedTuple

import numpy as np

from ..cells import checking
from ..cells.layer import Layer, Trace
from ..functional import dtanh
from .attention import align, dscores, forward_arguments


class DotProductTrace(NamedTuple):
    """Everything a dot-product decoder computed, T target steps first; S source steps."""

    memory: np.ndarray  # (S, N, H)
    cell: Trace  # the cell's trace of all T steps
    weights: np.ndarray  # (T, N, S), their sum over S is 1, and padding has 0
    context: np.ndarray  # (T, N, H)
    h: np.ndarray  # (T, N, H), the attentional state: what the readout reads

    @property
    def final(self) -> object:
        """The cell's state after the last step."""
        return self.cell.final


class DotProduct:
    """Ask after each step, with the state after it; what is read out joins state and answer.

        s_t  = cell(x_t, s_{t-1})
        e_ts = s_t . memory_s
        h_t  = tanh([context_t, s_t] W_c)

    The score has no parameters: it is high where the two states point the same way. As the cell
    does not read the context, all its steps come first and all questions are asked at once.
    (The paper feeds h_t into the next step as an option; we do not.)

    Parameters: W_c (2H, H), uniform in +-1/sqrt(2H).
    Arguments: H, units of the decoder and of the encoder; rng, where the weights come from.
    Raises TypeError or ValueError naming the argument.
    Source: Luong, Pham & Manning 2015, global attention with the score "dot".

    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> attention, cell = DotProduct(2, rng=rng), RNN(3, 2, rng=rng)
    >>> trace = attention.forward(cell, np.ones((5, 1, 3)), np.zeros((1, 2)), np.ones((4, 1, 2)))
    >>> trace.weights[0]  # four source steps, all alike
    array([[0.25, 0.25, 0.25, 0.25]])
    """

    def __init__(self, H: int, *, rng: np.random.Generator):
        self.H = self.M = checking.size("H", H)
        k = 1 / np.sqrt(2 * H)
        self.W_c = checking.generator(rng).uniform(-k, k, (2 * H, H))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        return {"W_c": (2 * self.H, self.H)}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the layer has changed."""
        return {"W_c": self.W_c}

    def forward(
        self,
        cell: Layer,
        x: np.ndarray,
        state: object,
        memory: np.ndarray,
        mask: np.ndarray | None = None,
    ) -> DotProductTrace:
        """h_t = tanh([context_t, s_t] W_c) for t = 1..T.

        Arguments: cell, or any layer; x (T, N, K); state, which it starts from; memory (S, N, H);
        mask (S, N), True where the source has a step, None for everywhere.
        Returns a `DotProductTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> from rnn_teach.cells import RNN
        >>> rng = np.random.default_rng(0)
        >>> attention, cell = DotProduct(1, rng=rng), RNN(1, 1, rng=rng)
        >>> memory, mask = np.array([[[3.0]], [[7.0]]]), np.array([[True], [False]])
        >>> attention.forward(cell, np.ones((1, 1, 1)), np.zeros((1, 1)), memory, mask).context
        array([[[3.]]])
        """
        x, memory, (W_c,) = forward_arguments(self, cell, x, (), memory, mask)
        trace = cell.forward(x, state)
        weights = align(np.einsum("tnh,snh->tns", trace.h, memory), mask)
        context = np.einsum("tns,snh->tnh", weights, memory)
        h = np.tanh(np.concatenate([context, trace.h], axis=2) @ W_c)
        return DotProductTrace(memory, trace, weights, context, h)

    def backward(
        self, cell: Layer, trace: DotProductTrace, dh: np.ndarray
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """All gradients of a loss L: back through the asking, then through the cell's T steps.

        One unit each: h_t = tanh(a), a = p context + q s_t, context = sum_s w_s m_s, e_s = s_t m_s:

            da = dL/dh_t (1 - h_t^2)        dcontext = da p
            dw_s = dcontext m_s             de_s = w_s (dw_s - sum_r w_r dw_r)

        m_s is there twice, as what is scored and as what is handed over, so dL/dm_s = sum_t
        (de_s s_t + w_s dcontext). And s_t gets da q + sum_s de_s m_s, which is how L depends
        directly on each state of the cell: from there it is the cell's own backward pass.

        Arguments: cell; trace, from `forward`; dh (T, N, H), how L depends directly on each h_t.
        Returns two dicts of dL by name: the cell's, from its own `backward` ("h" is the total
        dL/ds_t), and "W_c", "memory" (S, N, H).
        Raises TypeError or ValueError naming the argument.
        Source: Luong, Pham & Manning 2015, differentiated.

        >>> from rnn_teach.cells import RNN
        >>> rng = np.random.default_rng(0)
        >>> attention, cell = DotProduct(2, rng=rng), RNN(1, 2, rng=rng)
        >>> trace = attention.forward(cell, np.ones((3, 1, 1)), np.zeros((1, 2)), np.ones((4, 1, 2)))
        >>> of_cell, of_attention = attention.backward(cell, trace, np.ones((3, 1, 2)))
        >>> of_cell["x"].shape, of_attention["memory"].shape
        ((3, 1, 1), (4, 1, 2))
        """
        dh, _, p = checking.backward_arguments(self, trace, DotProductTrace, dh, {})
        (T, N, H), memory, s, w = dh.shape, trace.memory, trace.cell.h, trace.weights
        joined = np.concatenate([trace.context, s], axis=2)

        da = (dh * dtanh(trace.h)).reshape(T * N, H)
        dcontext, ds = np.split((da @ p["W_c"].T).reshape(T, N, 2 * H), 2, axis=2)
        de = dscores(w, np.einsum("tnh,snh->tns", dcontext, memory))
        ds = ds + np.einsum("tns,snh->tnh", de, memory)
        return cell.backward(trace.cell, ds), {
            "W_c": joined.reshape(T * N, 2 * H).T @ da,
            "memory": np.einsum("tns,tnh->snh", de, s) + np.einsum("tns,tnh->snh", w, dcontext),
        }
