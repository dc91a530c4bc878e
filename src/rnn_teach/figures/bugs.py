"""Chapter 18's seven bugs: each is a small difference to the package's own code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..cells import GRU, LSTM, RNN, Layer, checking
from ..cells.gru import GRUTrace
from ..cells.lstm import LSTMTrace
from ..cells.rnn import RNNTrace
from ..functional import dsigmoid, dtanh, sigmoid
from ..optimizers import Arrays

# All are written as a reader of the page writes them; beside each wrong line stands the right one.


class WithoutTanh(LSTM):
    """h_t = o c_t: the output tanh is missing, on the way there and on the way back."""

    def forward(self, x, state=None, lengths=None) -> LSTMTrace:
        h0, c0 = checking.pair("state", state)
        x, (h0, c0), mask, p = checking.forward_arguments(self, x, {"h": h0, "c": c0}, lengths)
        h, c, gates = [h0], [c0], []
        for x_t in x:
            a_i, a_f, a_g, a_o = np.split(x_t @ p["W_x"] + h[-1] @ p["W_h"] + p["b"], 4, axis=1)
            i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
            gates.append((i, f, g, o))
            c.append(f * c[-1] + i * g)
            h.append(o * c[-1])  # o * np.tanh(c[-1])
        h, c, (i, f, g, o) = np.array(h), np.array(c), np.array(gates).swapaxes(0, 1)
        return LSTMTrace(x, h[:-1], c[:-1], i, f, g, o, c[1:], c[1:], h[1:], mask)

    def backward(self, trace, dh, dstate=None) -> Arrays:
        x, h_prev, c_prev, i, f, g, o, c, *_ = trace
        dh_next, dc_next = dstate or (0, 0)
        da = np.empty((*i.shape[:2], 4 * self.H), np.result_type(dh, i))
        for t in reversed(range(len(x))):
            dh_t = dh[t] + dh_next
            dc = dc_next + dh_t * o[t]  # * (1 - np.tanh(c[t]) ** 2)
            slopes = dsigmoid(i[t]), dsigmoid(f[t]), dtanh(g[t]), dsigmoid(o[t])
            parts = dc * g[t], dc * c_prev[t], dc * i[t], dh_t * c[t]
            da[t] = np.hstack([part * slope for part, slope in zip(parts, slopes)])
            dh_next, dc_next = da[t] @ self.W_h.T, dc * f[t]
        return gradients(x, h_prev, da) | {"h0": dh_next, "c0": dc_next}


class Flipped(GRU):
    """h_t = z n + (1 - z) h_{t-1}: z = 1 takes the candidate, where here it keeps the old state."""

    def forward(self, x, state=None, lengths=None) -> GRUTrace:
        return self._other_sign().forward(x, state, lengths)

    def backward(self, trace, dh, dstate=None) -> Arrays:
        grads = self._other_sign().backward(trace, dh, dstate)
        return grads | {name: self._turned(grads[name]) for name in ("W_x", "W_h", "b")}

    def _other_sign(self) -> GRU:
        """The GRU whose z is our 1 - z: sigmoid(-a) = 1 - sigmoid(a)."""
        twin = GRU(self.D, self.H, rng=np.random.default_rng(0))
        for name, p in self.parameters.items():
            setattr(twin, name, p if name == "b_hn" else self._turned(p))
        return twin

    def _turned(self, p: np.ndarray) -> np.ndarray:
        return p * np.repeat([1, -1, 1], self.H)


class NeverCarried(RNN):
    """h_t = tanh(x_t W_x + h_0 W_h + b): every step starts from the state before the first."""

    def forward(self, x, state=None, lengths=None) -> RNNTrace:
        x, (h_prev,), mask, p = checking.forward_arguments(self, x, {"state": state}, lengths)
        h = []
        for x_t in x:
            h.append(np.tanh(x_t @ p["W_x"] + h_prev @ p["W_h"] + p["b"]))
            # h_prev = h[-1]
        return RNNTrace(x, np.array([h_prev] * len(x)), np.array(h), mask)

    def backward(self, trace, dh, dstate=None) -> Arrays:
        """What automatic differentiation would find for such a forward pass."""
        da = dh * dtanh(trace.h)
        if dstate is not None:
            da[-1] += dstate * dtanh(trace.h[-1])
        return gradients(trace.x, trace.h_prev, da) | {"h0": (da @ self.W_h.T).sum(axis=0)}


class NotSummed(RNN):
    """The gradients of both weight matrices are written over at every step, not added up."""

    def backward(self, trace, dh, dstate=None) -> Arrays:
        grads = super().backward(trace, dh, dstate)
        da = grads["h"] * dtanh(trace.h)
        for t in reversed(range(len(da))):
            grads["W_x"] = trace.x[t].T @ da[t]  # +=
            grads["W_h"] = trace.h_prev[t].T @ da[t]  # +=
        return grads


class NotHandedBack(RNN):
    """dL/dh_t is what the loss says at step t; what comes back from step t + 1 is left out."""

    def backward(self, trace, dh, dstate=None) -> Arrays:
        da = dh * dtanh(trace.h)  # (dh[t] + da[t + 1] @ W_h.T) * ...
        if dstate is not None:
            da[-1] += dstate * dtanh(trace.h[-1])
        return gradients(trace.x, trace.h_prev, da) | {"h0": da[0] @ self.W_h.T}


def gradients(x: np.ndarray, h_prev: np.ndarray, da: np.ndarray) -> Arrays:
    """Those of W_x, W_h and b, added up over all steps and sequences, from the gradient of their sum."""
    dW_x = np.einsum("tnd,tnk->dk", x, da)
    dW_h = np.einsum("tnh,tnk->hk", h_prev, da)
    return {"W_x": dW_x, "W_h": dW_h, "b": da.sum(axis=(0, 1))}


def clip_without_root(grads: Arrays, max_norm: float) -> Arrays:
    """Clipping by hand: what is compared with max_norm is the square of the norm."""
    norm = sum((g**2).sum() for g in grads.values())  # np.sqrt of that
    scale = min(1, max_norm / norm)
    return {name: scale * g for name, g in grads.items()}


class Bug(NamedTuple):
    """How a bug is called, and the name of the right code that it is held against."""

    words: str
    right: str
    optimizer: str = "Adam"


BUGS = {
    "none": Bug("none", "RNN"),
    "tanh": Bug("tanh missing", "LSTM"),
    "reset": Bug("reset before, not after", "GRU"),
    "flipped": Bug("z flipped", "GRU"),
    "carried": Bug("state never carried over", "RNN"),
    "clipping": Bug("clipping wrong", "RNN", "SGD"),
    "summed": Bug("dW not summed over time", "RNN"),
    "handed": Bug("blame not handed back", "RNN"),
}
CELLS: dict[str, Callable[..., Layer]] = {
    "RNN": RNN,
    "GRU": GRU,
    "LSTM": LSTM,
    "none": RNN,
    "tanh": WithoutTanh,
    "reset": partial(GRU, reset="before"),
    "flipped": Flipped,
    "carried": NeverCarried,
    "clipping": RNN,  # here the bug is not in the cell
    "summed": NotSummed,
    "handed": NotHandedBack,
}
