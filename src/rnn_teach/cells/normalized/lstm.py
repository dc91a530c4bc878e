"""The LSTM, normalized."""

from typing import ClassVar, NamedTuple

import numpy as np

from ...functional import dsigmoid, dtanh, sigmoid
from .. import checking
from ..lstm import LSTM
from .standardize import AXIS, GAIN, Normalized


class NormalizedLSTMTrace(NamedTuple):
    """Everything a forward pass computed, time first, each (T, N, H) unless said; *_prev[t] is before t.

    A scale is (T, N, G, 1), or (T, 1, G, H) with norm="batch"; G is 4, and 1 for c.
    """

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray  # tanh(gain_c norm(c) + b_c)
    h: np.ndarray
    y_x: np.ndarray  # (T, N, 4, H) norm(x_t W_x)
    scale_x: np.ndarray
    y_h: np.ndarray  # (T, N, 4, H) norm(h_{t-1} W_h)
    scale_h: np.ndarray
    y_c: np.ndarray  # (T, N, 1, H) norm(c_t)
    scale_c: np.ndarray
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> tuple[np.ndarray, np.ndarray]:
        """(h, c) after the last step, each (N, H): the state the next forward starts from."""
        return self.h[-1], self.c[-1]


class NormalizedLSTM(Normalized, LSTM):
    """An LSTM whose sums are normalized, and whose output looks at the normalized cell state.

        a_t = gain_x norm(x_t W_x) + gain_h norm(h_{t-1} W_h) + b       the sums of i, f, g, o
        c_t = f c_{t-1} + i g
        h_t = o tanh(gain_c norm(c_t) + b_c)
        norm(a) = (a - mean) / sqrt(var + 1e-5)

    norm="layer": mean and var over the H units of each gate (Ba, Kiros & Hinton take the 4H of all
    gates together: then one loud gate turns the others down), of each sequence and step alone.
    norm="batch": over the sequences that still run, of each unit and step alone; a cell that is
    `evaluating(statistics)` uses those instead. c itself is carried on as it is: normalizing
    that would be a multiplication at every step, which the LSTM is there to avoid.

    Parameters: as an LSTM; gain_x, gain_h (4H,), gain_c (H,), 1, or 0.1 with norm="batch";
    b_c (H,), zero.
    Arguments: D, H; rng; norm, "layer" or "batch"; forget_bias.
    Raises TypeError or ValueError naming the argument.
    Source: Ba, Kiros & Hinton 2016; Cooijmans et al. 2017.

    >>> from rnn_teach.cells.normalized import running_statistics
    >>> cell = NormalizedLSTM(3, 4, rng=np.random.default_rng(0), norm="batch")
    >>> x = np.random.default_rng(1).normal(size=(5, 8, 3))
    >>> seen = running_statistics(None, cell.statistics(cell.forward(x)))
    >>> alone, together = (cell.evaluating(seen).forward(a).h for a in (x[:, :1], x))
    >>> bool(np.allclose(alone[:, 0], together[:, 0], atol=1e-12))
    True
    """

    normed: ClassVar = {"x": 4, "h": 4, "c": 1}

    def __init__(
        self,
        D: int,
        H: int,
        *,
        rng: np.random.Generator,
        norm: str = "layer",
        forget_bias: float = 0.0,
    ):
        super().__init__(D, H, rng=rng, forget_bias=forget_bias)
        self.norm = checking.choice("norm", norm, AXIS)
        self.gain_x, self.gain_h = np.full((2, 4 * H), GAIN[norm])
        self.gain_c, self.b_c = np.full(H, GAIN[norm]), np.zeros(H)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        H = self.H
        gains = {"gain_x": (4 * H,), "gain_h": (4 * H,), "gain_c": (H,), "b_c": (H,)}
        return super().shapes | gains

    def sums(self, trace: NormalizedLSTMTrace) -> dict[str, np.ndarray]:
        """What is normalized, before it is: "x" and "h" (T, N, 4, H), "c" (T, N, 1, H)."""
        four = (*trace.h.shape[:2], 4, self.H)
        return {
            "x": (trace.x @ self.W_x).reshape(four),
            "h": (trace.h_prev @ self.W_h).reshape(four),
            "c": trace.c[:, :, None],
        }

    def forward(
        self,
        x: np.ndarray,
        state: tuple[np.ndarray, np.ndarray] | None = None,
        lengths: np.ndarray | None = None,
    ) -> NormalizedLSTMTrace:
        """c_t = f c_{t-1} + i g and h_t = o tanh(gain_c norm(c_t) + b_c) for t = 1..T.

        Arguments: x (T, N, D); state, (h_0, c_0), each (N, H); lengths (N,): all as for `LSTM.forward`.
        Returns a `NormalizedLSTMTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> cell = NormalizedLSTM(3, 4, rng=np.random.default_rng(0))
        >>> cell.forward(np.ones((5, 2, 3))).h.shape
        (5, 2, 4)
        """
        h0, c0 = checking.pair("state", state)
        x, (h0, c0), mask, p = checking.forward_arguments(
            self, x, {"state[0]": h0, "state[1]": c0}, lengths
        )
        (T, N, D), H, dtype = x.shape, self.H, x.dtype
        over, by_layer = self._standardize(mask), self.norm == "layer"
        gain_x, gain_h, b = (p[name].reshape(4, H) for name in ("gain_x", "gain_h", "b"))

        # x_t W_x needs no state, so one product and one norm serve all t
        y_x = (x.reshape(T * N, D) @ p["W_x"]).reshape(T, N, 4, H)
        y_x, scale_x = over.value(y_x, "x", slice(None))
        gates = gain_x * y_x + b
        y_h, y_c = np.empty((T, N, 4, H), dtype), np.empty((T, N, 1, H), dtype)
        scale_h = np.empty((T, N, 4, 1) if by_layer else (T, 1, 4, H), dtype)
        scale_c = np.empty((T, N, 1, 1) if by_layer else (T, 1, 1, H), dtype)
        c, h = np.empty((2, T + 1, N, H), dtype)
        tanh_c = np.empty((T, N, H), dtype)
        h[0], c[0] = h0, c0
        for t in range(T):
            hW = (h[t] @ p["W_h"]).reshape(N, 4, H)
            y_h[t], scale_h[t] = over.value(hW, "h", t)
            gates[t] += gain_h * y_h[t]
            i, f, g, o = gates[t].swapaxes(0, 1)
            for gate in (i, f, o):
                sigmoid(gate, out=gate)
            np.tanh(g, out=g)
            np.add(f * c[t], i * g, out=c[t + 1])
            y_c[t], scale_c[t] = over.value(c[t + 1][:, None], "c", t)
            np.tanh(p["gain_c"] * y_c[t, :, 0] + p["b_c"], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
            if mask is not None:
                ended = ~mask[t, :, None]
                np.copyto(c[t + 1], c[t], where=ended)
                np.copyto(h[t + 1], h[t], where=ended)
        i, f, g, o = np.moveaxis(gates, 2, 0)
        normed = (y_x, scale_x, y_h, scale_h, y_c, scale_c)
        return NormalizedLSTMTrace(
            x, h[:-1], c[:-1], i, f, g, o, c[1:], tanh_c, h[1:], *normed, mask
        )

    def backward(
        self,
        trace: NormalizedLSTMTrace,
        dh: np.ndarray,
        dstate: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit: as in the plain LSTM, with three detours. h_t = o tanh(s_t), s_t = gain_c y + b_c,
        where y = norm(c_t), so ds_t = dL/dh_t o (1 - tanh(s_t)^2) reaches c_t through the norm,

            dL/dc_t = slope(ds_t gain_c) + dL/dc_{t+1} f_{t+1}

        and da, the gradient of the sums of the gates, reaches h_{t-1} W_h as slope(da gain_h) and
        x_t W_x as slope(da gain_x), where `Standardize.slope` is the way back through a norm. The
        gain of each is multiplied by its y, so its gradient is sum_t da_t y_t.

        Arguments: trace, from `forward`; dh (T, N, H); dstate, (dh, dc), each (N, H): all as for
        `LSTM.backward`.
        Returns dL by name: the parameters, "x" (T, N, D), "h0" and "c0" (N, H), "h", "c" and
        "c_carried" (T, N, H), as `LSTM.backward`.
        Raises TypeError or ValueError naming the argument.
        Source: Ba, Kiros & Hinton 2016, differentiated.

        >>> cell = NormalizedLSTM(3, 4, rng=np.random.default_rng(0))
        >>> x = np.random.default_rng(1).normal(size=(5, 2, 3))
        >>> grads = cell.backward(cell.forward(x), np.ones((5, 2, 4)))
        >>> bool(np.allclose(grads["W_h"].sum(axis=1), 0)), grads["x"].shape
        (True, (5, 2, 3))
        """
        dh_final, dc_final = checking.pair("dstate", dstate)
        dh, (dh_final, dc_final), p = checking.backward_arguments(
            self, trace, NormalizedLSTMTrace, dh, {"dstate[0]": dh_final, "dstate[1]": dc_final}
        )
        (T, N, H), D, dtype = dh.shape, self.D, dh.dtype
        i, f, g, o, tanh_c, mask = trace.i, trace.f, trace.g, trace.o, trace.tanh_c, trace.mask
        over = self._standardize(mask)
        gain_x, gain_h = p["gain_x"].reshape(4, H), p["gain_h"].reshape(4, H)

        # every local slope first: none of them depends on the gradient
        da = np.empty((T, N, 4, H), dtype)
        da[:, :, 0] = g * dsigmoid(i)
        da[:, :, 1] = trace.c_prev * dsigmoid(f)
        da[:, :, 2] = i * dtanh(g)
        da[:, :, 3] = tanh_c * dsigmoid(o)
        ds = (o * dtanh(tanh_c)).astype(dtype, copy=False)
        if mask is not None:
            runs = mask[:, :, None]
            da *= runs[:, :, None]
            ds *= runs
            f = np.where(runs, f, 1)  # a copied c is a kept c

        # then the chain: each slope is multiplied by the gradient that arrives there
        dh = np.concatenate([np.zeros((1, N, H), dtype), dh])
        dh[T] += dh_final
        dc, carried = np.empty((T, N, H), dtype), np.empty((T + 1, N, H), dtype)
        carried[T] = dc_final
        dhW = np.empty((T, N, 4, H), dtype)
        for t in reversed(range(T)):
            ds[t] *= dh[t + 1]
            dy = (ds[t] * p["gain_c"])[:, None]
            dc[t] = over.slope(dy, trace.y_c[t], trace.scale_c[t], t)[:, 0] + carried[t + 1]
            da[t, :, :3] *= dc[t, :, None]
            da[t, :, 3] *= dh[t + 1]
            dhW[t] = over.slope(da[t] * gain_h, trace.y_h[t], trace.scale_h[t], t)
            dh[t] += dhW[t].reshape(N, 4 * H) @ p["W_h"].T
            np.multiply(dc[t], f[t], out=carried[t])
            if mask is not None:
                np.add(dh[t], dh[t + 1], out=dh[t], where=~runs[t])

        # the weights are shared by all steps, so one product adds up their T contributions
        dxW = over.slope(da * gain_x, trace.y_x, trace.scale_x, slice(None))
        dxW, dhW = dxW.reshape(T * N, 4 * H), dhW.reshape(T * N, 4 * H)
        return {
            "W_x": trace.x.reshape(T * N, D).T @ dxW,
            "W_h": trace.h_prev.reshape(T * N, H).T @ dhW,
            "b": da.sum(axis=(0, 1)).ravel(),
            "gain_x": (da * trace.y_x).sum(axis=(0, 1)).ravel(),
            "gain_h": (da * trace.y_h).sum(axis=(0, 1)).ravel(),
            "gain_c": (ds * trace.y_c[:, :, 0]).sum(axis=(0, 1)),
            "b_c": ds.sum(axis=(0, 1)),
            "x": (dxW @ p["W_x"].T).reshape(T, N, D),
            "h0": dh[0],
            "c0": carried[0],
            "h": dh[1:],
            "c": dc,
            "c_carried": carried[1:],
        }
