"""The GRU: two gates and no separate cell state."""

from typing import NamedTuple

import numpy as np

from ..functional import dsigmoid, dtanh
from . import checking
from .memory import pieces, together


class GRUTrace(NamedTuple):
    """Everything a forward pass computed, time first, each (T, N, H) but x; h_prev[t] is before t."""

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray
    r: np.ndarray  # reset gate
    z: np.ndarray  # update gate: how much of h is kept
    n: np.ndarray  # candidate
    m: np.ndarray  # what r multiplies: h_{t-1} W_hn + b_hn, or h_{t-1} with reset="before"
    h: np.ndarray
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> np.ndarray:
        """h after the last step (N, H): the state the next forward starts from."""
        return self.h[-1]


class GRU:
    """h_t = (1 - z) n + z h_{t-1}, with update gate z, reset gate r and candidate n.

        r = sigmoid(x_t W_xr + h_{t-1} W_hr + b_r)
        z = sigmoid(x_t W_xz + h_{t-1} W_hz + b_z)
        n = tanh(x_t W_xn + b_n + r (h_{t-1} W_hn + b_hn))      reset="after" the product
        n = tanh(x_t W_xn + b_n + (r h_{t-1}) W_hn)             reset="before" the product

    Here z keeps, as in Cho et al. 2014 and PyTorch; other texts write 1 - z where we write z.

    Parameters: W_x (D, 3H), W_h (H, 3H), uniform in +-1/sqrt(H); b (3H,), zero, and with
    reset="after" b_hn (H,), zero. The three parts stand side by side in the order r, z, n.
    Arguments: D, H; rng, where the weights come from; reset, "after" or "before".
    Raises TypeError or ValueError naming the argument.
    Source: Cho et al. 2014 (reset before; cuDNN and PyTorch have it after).

    >>> cell = GRU(3, 4, rng=np.random.default_rng(0))
    >>> trace = cell.forward(np.ones((5, 2, 3)))  # 5 steps of 2 sequences
    >>> trace.h.shape, trace.z.shape
    ((5, 2, 4), (5, 2, 4))
    >>> grads = cell.backward(trace, np.ones((5, 2, 4)))
    >>> grads["W_h"].shape, grads["x"].shape, grads["h0"].shape
    ((4, 12), (5, 2, 3), (2, 4))
    """

    def __init__(self, D: int, H: int, *, rng: np.random.Generator, reset: str = "after"):
        self.D, self.H = checking.size("D", D), checking.size("H", H)
        self.reset = checking.choice("reset", reset, ("after", "before"))
        k = 1 / np.sqrt(H)
        self.W_x = checking.generator(rng).uniform(-k, k, (D, 3 * H))
        self.W_h = rng.uniform(-k, k, (H, 3 * H))
        self.b = np.zeros(3 * H)
        if reset == "after":
            self.b_hn = np.zeros(H)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        D, H = self.D, self.H
        shapes = {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b": (3 * H,)}
        return shapes | {"b_hn": (H,)} if self.reset == "after" else shapes

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the cell has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(
        self, x: np.ndarray, state: np.ndarray | None = None, lengths: np.ndarray | None = None
    ) -> GRUTrace:
        """h_t = (1 - z) n + z h_{t-1} for t = 1..T.

        Arguments: x (T, N, D); state, h_0 (N, H), zeros when None; lengths (N,), integers in
        1..T: a sequence that has ended keeps its state, h_t = h_{t-1}.
        Returns a `GRUTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> cell = GRU(1, 1, rng=np.random.default_rng(0))
        >>> cell.b[:] = [0, 1000, 0]  # keep everything
        >>> cell.forward(np.ones((3, 1, 1)), state=[[0.5]]).h.ravel()
        array([0.5, 0.5, 0.5])
        """
        x, (h0,), mask, p = checking.forward_arguments(self, x, {"state": state}, lengths)
        (T, N, D), H, dtype = x.shape, self.H, x.dtype
        after = self.reset == "after"

        # sigmoid(a) = 1/2 + 1/2 tanh(a/2): so the sums of r and z are halved beforehand
        half, one = np.array(0.5, dtype), np.array(1, dtype)
        halved = np.repeat([half, half, one], H)
        W_x, W_h, b = p["W_x"] * halved, p["W_h"] * halved, p["b"] * halved
        W_hrz, W_hn = W_h[:, : 2 * H], W_h[:, 2 * H :]

        # x_t W_x + b needs no state, so the product is taken for all t at once
        rz, n, m, h = together(dtype, (T, N, 2 * H), *[(T, N, H)] * 2, (T + 1, N, H))
        rows = x.reshape(T * N, D)
        np.matmul(rows, W_x[:, : 2 * H], out=rz.reshape(T * N, 2 * H))
        np.matmul(rows, W_x[:, 2 * H :], out=n.reshape(T * N, H))
        rz += b[: 2 * H]
        n += b[2 * H :]
        r, z = rz[:, :, :H], rz[:, :, H:]
        if after:
            b_hn = p["b_hn"].reshape(1, H)  # with N = 1, like added to like takes half the time
        else:
            m = h[:-1]
        h[0] = h0
        hW = np.empty((N, 3 * H), dtype)
        hW_rz, hW_n = hW[:, : 2 * H], hW[:, 2 * H :]
        h_prev = h[0]
        for t, rz_t, r_t, z_t, n_t, m_t, h_t in zip(range(T), rz, r, z, n, m, h[1:], strict=True):
            if after:
                h_prev.dot(W_h, out=hW)
                np.add(hW_n, b_hn, out=m_t)
                rz_t += hW_rz
            else:
                rz_t += h_prev @ W_hrz
            np.tanh(rz_t, out=rz_t)
            rz_t *= half
            rz_t += half
            n_t += r_t * m_t if after else (r_t * h_prev) @ W_hn
            np.tanh(n_t, out=n_t)
            np.add((one - z_t) * n_t, z_t * h_prev, out=h_t)
            if mask is not None:
                np.copyto(h_t, h_prev, where=~mask[t, :, None])
            h_prev = h_t
        return GRUTrace(x, h[:-1], r, z, n, m, h[1:], mask)

    def backward(
        self, trace: GRUTrace, dh: np.ndarray, dstate: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit: h_t = (1 - z) n + z h_{t-1}. Once dL/dh_t is known, its three factors get

            dn = dL/dh_t (1 - z)        dz = dL/dh_t (h_{t-1} - n)        dh_{t-1} = dL/dh_t z

        where the last one passes step t unchanged if z = 1. Each times the slope of its own gate,
        1 - n^2 or z (1 - z), gives da_n and da_z. With reset="after" n contains r m, where
        m = h_{t-1} w_n + b_hn, so

            dr = da_n m        dm = da_n r

        and h_{t-1} gets da_r w_r + da_z w_z + dm w_n more. With reset="before" n contains
        (r h_{t-1}) w_n, so s = da_n w_n reaches both factors: dr = s h_{t-1}, and h_{t-1} gets s r.
        A step after the end of a sequence copies its state: for the gradient that is z = 1.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends directly on each h_t;
        dstate (N, H), how L depends on `trace.final`, zeros when None.
        Returns dL by name: "W_x", "W_h", "b", "b_hn" (reset="after"), "x" (T, N, D), "h0" (N, H)
        and "h" (T, N, H), the total dL/dh_t of every step.
        Raises TypeError or ValueError naming the argument.
        Source: Cho et al. 2014, differentiated.

        >>> cell = GRU(1, 1, rng=np.random.default_rng(0))
        >>> cell.b[:] = [0, 1000, 0]  # keep everything
        >>> trace = cell.forward(np.ones((3, 1, 1)))
        >>> cell.backward(trace, [[[0]], [[0]], [[1]]])["h"].ravel()  # never gets smaller
        array([1., 1., 1.])
        """
        direct, (dh_final,), p = checking.backward_arguments(
            self, trace, GRUTrace, dh, {"dstate": dstate}
        )
        (T, N, H), D, dtype = direct.shape, self.D, direct.dtype
        _, h_prev, r, z, n, m, _, mask = trace
        W_hT = np.ascontiguousarray(p["W_h"].T)  # read at every step, so it lies row by row
        W_hrzT, W_hnT = W_hT[: 2 * H], W_hT[2 * H :]
        after = self.reset == "after"

        # dh[t] grows into the total dL/dh_t, where dh[0] belongs to h_0
        da, slope_n, dh = together(dtype, (T, N, 3, H), (T, N, H), (T + 1, N, H))
        dh[0], dh[1:] = 0, direct
        dh[T] += dh_final
        dh_t = dh[T]
        back = np.empty((N, H), dtype)
        # laid out like the slopes, for a product of unlike shapes takes three times as long
        arriving = np.empty((N, 3 * H), dtype)
        at_gates = arriving.reshape(N, 3, H).swapaxes(0, 1)
        rows = da.reshape(T, N, 3 * H)
        for s in reversed(pieces(da)):
            # every local slope of these steps first: none of them depends on the gradient
            kept = z[s]
            np.multiply(dtanh(n[s]), 1 - kept, out=slope_n[s])
            np.multiply(dsigmoid(r[s]), m[s], out=da[s, :, 0])
            np.multiply(dsigmoid(kept), h_prev[s] - n[s], out=da[s, :, 1])
            if after:
                da[s, :, 0] *= slope_n[s]  # r acts through n alone
                # dm for now: what reaches h_{t-1} W_hn + b_hn
                np.multiply(slope_n[s], r[s], out=da[s, :, 2])
            else:
                da[s, :, 2] = slope_n[s]
            if mask is not None:
                runs = mask[s, :, None]
                da[s] *= runs[:, :, None]
                slope_n[s] *= runs
                kept = np.where(runs, kept, 1)  # a copied state is a kept state

            # then the chain: each slope is multiplied by the gradient that arrives there
            per_step = da[s], rows[s], r[s], kept, dh[s]
            steps = zip(*[array[::-1] for array in per_step], strict=True)
            for da_t, row, r_t, z_t, dh_prev in steps:
                if after:
                    at_gates[...] = dh_t
                    row *= arriving
                    row.dot(W_hT, out=back)
                else:
                    da_t[:, 1:] *= dh_t[:, None]
                    s_t = da_t[:, 2] @ W_hnT
                    da_t[:, 0] *= s_t
                    np.add(row[:, : 2 * H] @ W_hrzT, s_t * r_t, out=back)
                back += dh_t * z_t
                dh_prev += back
                dh_t = dh_prev

        # the weights are shared by all steps, so one product adds up their T contributions
        h_prev, rows = h_prev.reshape(T * N, H), rows.reshape(T * N, 3 * H)
        grads = {}
        if after:
            grads["W_h"] = h_prev.T @ rows
            grads["b_hn"] = rows[:, 2 * H :].sum(axis=0)
            np.multiply(slope_n, dh[1:], out=da[:, :, 2])  # from dm to da_n, for W_x and b
        else:
            rh = r.reshape(T * N, H) * h_prev
            grads["W_h"] = np.hstack([h_prev.T @ rows[:, : 2 * H], rh.T @ rows[:, 2 * H :]])
        return grads | {
            "W_x": trace.x.reshape(T * N, D).T @ rows,
            "b": rows.sum(axis=0),
            "x": (rows @ p["W_x"].T).reshape(T, N, D),
            "h0": dh[0],
            "h": dh[1:],
        }
