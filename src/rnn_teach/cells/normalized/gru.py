"""The GRU, normalized."""

from typing import ClassVar, NamedTuple

import numpy as np

from ...functional import dsigmoid, dtanh, sigmoid
from .. import checking
from ..gru import GRU
from .standardize import AXIS, GAIN, Normalized


class NormalizedGRUTrace(NamedTuple):
    """Everything a forward pass computed, time first, each (T, N, H) unless said; h_prev[t] is before t.

    A scale is (T, N, 3, 1), or (T, 1, 3, H) with norm="batch".
    """

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    m: np.ndarray  # what r multiplies
    h: np.ndarray
    y_x: np.ndarray  # (T, N, 3, H) norm(x_t W_x)
    scale_x: np.ndarray
    y_h: np.ndarray  # (T, N, 3, H) norm(h_{t-1} W_h)
    scale_h: np.ndarray
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> np.ndarray:
        """h after the last step (N, H): the state the next forward starts from."""
        return self.h[-1]


class NormalizedGRU(Normalized, GRU):
    """A GRU (reset after the product) whose sums are normalized.

        u_t = gain_x norm(x_t W_x) + b        v_t = gain_h norm(h_{t-1} W_h)
        r = sigmoid(u_r + v_r)    z = sigmoid(u_z + v_z)    n = tanh(u_n + r (v_n + b_hn))
        h_t = (1 - z) n + z h_{t-1}
        norm(a) = (a - mean) / sqrt(var + 1e-5)

    norm="layer": mean and var over the H units of each gate (Ba, Kiros & Hinton take r and z
    together), of each sequence and step alone. norm="batch": over the sequences that still run,
    of each unit and step alone; a cell that is `evaluating(statistics)` uses those instead.

    Parameters: as a GRU; gain_x, gain_h (3H,), 1, or 0.1 with norm="batch".
    Arguments: D, H; rng; norm, "layer" or "batch".
    Raises TypeError or ValueError naming the argument.
    Source: Ba, Kiros & Hinton 2016; Cooijmans et al. 2017.

    >>> cell = NormalizedGRU(3, 4, rng=np.random.default_rng(0))
    >>> x = np.random.default_rng(1).normal(size=(5, 2, 3))
    >>> quiet, loud = (cell.forward(size * x).h for size in (1e3, 1e6))  # loudness is not heard
    >>> bool(np.allclose(quiet, loud))
    True
    """

    normed: ClassVar = {"x": 3, "h": 3}

    def __init__(self, D: int, H: int, *, rng: np.random.Generator, norm: str = "layer"):
        super().__init__(D, H, rng=rng, reset="after")
        self.norm = checking.choice("norm", norm, AXIS)
        self.gain_x, self.gain_h = np.full((2, 3 * H), GAIN[norm])

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        return super().shapes | {"gain_x": (3 * self.H,), "gain_h": (3 * self.H,)}

    def sums(self, trace: NormalizedGRUTrace) -> dict[str, np.ndarray]:
        """What is normalized, before it is: "x" and "h" (T, N, 3, H)."""
        three = (*trace.h.shape[:2], 3, self.H)
        products = {"x": trace.x @ self.W_x, "h": trace.h_prev @ self.W_h}
        return {name: a.reshape(three) for name, a in products.items()}

    def forward(
        self, x: np.ndarray, state: np.ndarray | None = None, lengths: np.ndarray | None = None
    ) -> NormalizedGRUTrace:
        """h_t = (1 - z) n + z h_{t-1} for t = 1..T.

        Arguments: x (T, N, D); state, h_0 (N, H); lengths (N,): all as for `GRU.forward`.
        Returns a `NormalizedGRUTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> cell = NormalizedGRU(3, 4, rng=np.random.default_rng(0))
        >>> cell.forward(np.ones((5, 2, 3))).h.shape
        (5, 2, 4)
        """
        x, (h0,), mask, p = checking.forward_arguments(self, x, {"state": state}, lengths)
        (T, N, D), H, dtype = x.shape, self.H, x.dtype
        over = self._standardize(mask)
        gain_x, gain_h, b = (p[name].reshape(3, H) for name in ("gain_x", "gain_h", "b"))

        # x_t W_x needs no state, so one product and one norm serve all t
        y_x = (x.reshape(T * N, D) @ p["W_x"]).reshape(T, N, 3, H)
        y_x, scale_x = over.value(y_x, "x", slice(None))
        gates = gain_x * y_x + b
        y_h = np.empty((T, N, 3, H), dtype)
        scale_h = np.empty((T, N, 3, 1) if self.norm == "layer" else (T, 1, 3, H), dtype)
        m = np.empty((T, N, H), dtype)
        h = np.empty((T + 1, N, H), dtype)
        h[0] = h0
        for t in range(T):
            hW = (h[t] @ p["W_h"]).reshape(N, 3, H)
            y_h[t], scale_h[t] = over.value(hW, "h", t)
            v = gain_h * y_h[t]
            r, z, n = gates[t].swapaxes(0, 1)
            rz = gates[t, :, :2]
            rz += v[:, :2]
            sigmoid(rz, out=rz)
            np.add(v[:, 2], p["b_hn"], out=m[t])
            n += r * m[t]
            np.tanh(n, out=n)
            np.add((1 - z) * n, z * h[t], out=h[t + 1])
            if mask is not None:
                np.copyto(h[t + 1], h[t], where=~mask[t, :, None])
        r, z, n = np.moveaxis(gates, 2, 0)
        return NormalizedGRUTrace(x, h[:-1], r, z, n, m, h[1:], y_x, scale_x, y_h, scale_h, mask)

    def backward(
        self, trace: NormalizedGRUTrace, dh: np.ndarray, dstate: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit: as in the plain GRU with reset="after", where da_r, da_z and da_n are the
        gradients of the sums u + v of the gates. u gets them as they are. v gets dv = (da_r, da_z,
        da_n r), and both go on through their norm: h_{t-1} W_h gets slope(dv gain_h), x_t W_x gets
        slope(du gain_x), where `Standardize.slope` is the way back through a norm.

        Arguments: trace, from `forward`; dh (T, N, H); dstate (N, H): all as for
        `GRU.backward`.
        Returns dL by name: the parameters, "x" (T, N, D), "h0" (N, H) and "h" (T, N, H), the
        total dL/dh_t of every step.
        Raises TypeError or ValueError naming the argument.
        Source: Ba, Kiros & Hinton 2016, differentiated.

        >>> cell = NormalizedGRU(3, 4, rng=np.random.default_rng(0))
        >>> x = np.random.default_rng(1).normal(size=(5, 2, 3))
        >>> grads = cell.backward(cell.forward(x), np.ones((5, 2, 4)))
        >>> bool(np.allclose(grads["W_h"].sum(axis=1), 0)), grads["x"].shape
        (True, (5, 2, 3))
        """
        dh, (dh_final,), p = checking.backward_arguments(
            self, trace, NormalizedGRUTrace, dh, {"dstate": dstate}
        )
        (T, N, H), D, dtype = dh.shape, self.D, dh.dtype
        r, z, n, mask = trace.r, trace.z, trace.n, trace.mask
        over = self._standardize(mask)
        gain_x, gain_h = p["gain_x"].reshape(3, H), p["gain_h"].reshape(3, H)

        # every local slope first: none of them depends on the gradient
        du = np.empty((T, N, 3, H), dtype)
        slope_n = (1 - z) * dtanh(n)
        du[:, :, 0] = slope_n * trace.m * dsigmoid(r)
        du[:, :, 1] = (trace.h_prev - n) * dsigmoid(z)
        du[:, :, 2] = slope_n
        if mask is not None:
            runs = mask[:, :, None]
            du *= runs[:, :, None]
            z = np.where(runs, z, 1)  # a copied state is a kept state

        # then the chain: each slope is multiplied by the gradient that arrives there
        dh = np.concatenate([np.zeros((1, N, H), dtype), dh])
        dh[T] += dh_final
        dv, dhW = np.empty((T, N, 3, H), dtype), np.empty((T, N, 3, H), dtype)
        for t in reversed(range(T)):
            du[t] *= dh[t + 1, :, None]
            dv[t] = du[t]
            dv[t, :, 2] *= r[t]
            dhW[t] = over.slope(dv[t] * gain_h, trace.y_h[t], trace.scale_h[t], t)
            dh[t] += dhW[t].reshape(N, 3 * H) @ p["W_h"].T + dh[t + 1] * z[t]

        # the weights are shared by all steps, so one product adds up their T contributions
        dxW = over.slope(du * gain_x, trace.y_x, trace.scale_x, slice(None))
        dxW, dhW = dxW.reshape(T * N, 3 * H), dhW.reshape(T * N, 3 * H)
        return {
            "W_x": trace.x.reshape(T * N, D).T @ dxW,
            "W_h": trace.h_prev.reshape(T * N, H).T @ dhW,
            "b": du.sum(axis=(0, 1)).ravel(),
            "b_hn": dv[:, :, 2].sum(axis=(0, 1)),
            "gain_x": (du * trace.y_x).sum(axis=(0, 1)).ravel(),
            "gain_h": (dv * trace.y_h).sum(axis=(0, 1)).ravel(),
            "x": (dxW @ p["W_x"].T).reshape(T, N, D),
            "h0": dh[0],
            "h": dh[1:],
        }
