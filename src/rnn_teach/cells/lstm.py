"""The LSTM: a cell state that is carried along, and three gates around it."""

from typing import NamedTuple

import numpy as np

from ..functional import dsigmoid, dtanh
from . import checking
from .memory import pieces, together


class LSTMTrace(NamedTuple):
    """Everything a forward pass computed, time first, each (T, N, H) but x; *_prev[t] is before t."""

    x: np.ndarray  # (T, N, D)
    h_prev: np.ndarray
    c_prev: np.ndarray
    i: np.ndarray  # input gate: how much of the candidate is stored
    f: np.ndarray  # forget gate: how much of c is kept
    g: np.ndarray  # candidate
    o: np.ndarray  # output gate
    c: np.ndarray  # cell state
    tanh_c: np.ndarray
    h: np.ndarray
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> tuple[np.ndarray, np.ndarray]:
        """(h, c) after the last step, each (N, H): the state the next forward starts from."""
        return self.h[-1], self.c[-1]


class LSTM:
    """c_t = f c_{t-1} + i g and h_t = o tanh(c_t), with gates i, f, o and candidate g.

        i = sigmoid(x_t W_xi + h_{t-1} W_hi + b_i)      g = tanh(x_t W_xg + h_{t-1} W_hg + b_g)
        f = sigmoid(x_t W_xf + h_{t-1} W_hf + b_f)      o = sigmoid(x_t W_xo + h_{t-1} W_ho + b_o)

    With coupled=True f = 1 - i: what is forgotten is what makes room. With peephole=True the gates
    look at the cell state: p_i c_{t-1} is added to the sum of i, p_f c_{t-1} to that of f, and
    p_o c_t, for o opens last, to that of o.

    Parameters: W_x (D, 4H), W_h (H, 4H), uniform in +-1/sqrt(H); b (4H,), zero, but
    `forget_bias` in its part f. The four parts stand side by side in the order i, f, g, o. A
    coupled f has no weights: W_x (D, 3H), W_h (H, 3H), b (3H,) are i, g, o. Peepholes p_i, p_f
    (not if coupled) and p_o, each (H,), uniform in +-1/sqrt(H).
    Arguments: D, H; rng, where the weights come from; forget_bias, a number; peephole; coupled.
    Raises TypeError or ValueError naming the argument.
    Source: Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000;
    peepholes: Gers & Schmidhuber 2000; coupled: Greff et al. 2017, variant CIFG.

    >>> cell = LSTM(3, 4, rng=np.random.default_rng(0), forget_bias=1.0)
    >>> trace = cell.forward(np.ones((5, 2, 3)))  # 5 steps of 2 sequences
    >>> trace.h.shape, trace.f.shape
    ((5, 2, 4), (5, 2, 4))
    >>> grads = cell.backward(trace, np.ones((5, 2, 4)))
    >>> grads["W_h"].shape, grads["x"].shape, grads["c0"].shape
    ((4, 16), (5, 2, 3), (2, 4))
    """

    def __init__(
        self,
        D: int,
        H: int,
        *,
        rng: np.random.Generator,
        forget_bias: float = 0.0,
        peephole: bool = False,
        coupled: bool = False,
    ):
        self.D, self.H = checking.size("D", D), checking.size("H", H)
        self.peephole = checking.boolean("peephole", peephole)
        self.coupled = checking.boolean("coupled", coupled)
        forget_bias = checking.numbers("forget_bias", forget_bias)
        if coupled and forget_bias:
            raise ValueError(f"forget_bias: expected 0 if coupled, as f = 1 - i, got {forget_bias}")
        k = 1 / np.sqrt(H)
        checking.generator(rng)
        for name, shape in self.shapes.items():
            setattr(self, name, np.zeros(shape) if name == "b" else rng.uniform(-k, k, shape))
        if not coupled:
            self.b[H : 2 * H] = forget_bias

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        D, H, G = self.D, self.H, 3 if self.coupled else 4
        shapes = {"W_x": (D, G * H), "W_h": (H, G * H), "b": (G * H,)}
        if self.peephole:
            looking = ("p_i", "p_o") if self.coupled else ("p_i", "p_f", "p_o")
            shapes |= dict.fromkeys(looking, (H,))
        return shapes

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the cell has changed."""
        return {name: getattr(self, name) for name in self.shapes}

    def forward(
        self,
        x: np.ndarray,
        state: tuple[np.ndarray, np.ndarray] | None = None,
        lengths: np.ndarray | None = None,
    ) -> LSTMTrace:
        """c_t = f c_{t-1} + i g and h_t = o tanh(c_t) for t = 1..T.

        Arguments: x (T, N, D); state, (h_0, c_0), each (N, H), zeros when None; lengths (N,),
        integers in 1..T: a sequence that has ended keeps its h and c.
        Returns an `LSTMTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> cell = LSTM(1, 1, rng=np.random.default_rng(0))
        >>> cell.b[:] = [-1000, 1000, 0, 0]  # store nothing, forget nothing
        >>> cell.forward(np.ones((3, 1, 1)), state=(np.zeros((1, 1)), np.ones((1, 1)))).c.ravel()
        array([1., 1., 1.])
        """
        h0, c0 = checking.pair("state", state)
        x, (h0, c0), mask, p = checking.forward_arguments(
            self, x, {"state[0]": h0, "state[1]": c0}, lengths
        )
        (T, N, D), H, dtype = x.shape, self.H, x.dtype
        peephole = self.peephole
        if self.coupled:
            p = with_forget_gate(p)

        # sigmoid(a) = 1/2 + 1/2 tanh(a/2): with the sums of i, f and o halved, one tanh serves all
        half = np.repeat(np.array([[0.5, 0.5, 1, 0.5]], dtype), H, axis=1)
        W_x, W_h, b = p["W_x"] * half, p["W_h"] * half, p["b"] * half
        ready = 3 * H if peephole else 4 * H  # an o that looks at c_t has to wait for it
        half, rest = half[:, :ready], 1 - half[:, :ready]
        if peephole:
            p_i, p_f, p_o = (p[name] / 2 for name in ("p_i", "p_f", "p_o"))

        # x_t W_x + b needs no state, so one product serves all t
        gates, c, tanh_c, h = together(dtype, (T, N, 4 * H), *[(T + 1, N, H)] * 3)
        np.matmul(x.reshape(T * N, D), W_x, out=gates.reshape(T * N, 4 * H))
        gates += b
        i, f, g, o = (gates[:, :, k * H : (k + 1) * H] for k in range(4))  # the same memory
        hW = np.empty((N, 4 * H), dtype)
        h[0], c[0] = h0, c0
        h_prev, c_prev = h[0], c[0]
        steps = zip(range(T), gates, i, f, g, o, c[1:], tanh_c[1:], h[1:], strict=True)
        for t, a, i_t, f_t, g_t, o_t, c_t, tanh_c_t, h_t in steps:
            a += h_prev.dot(W_h, out=hW)
            if peephole:
                i_t += p_i * c_prev
                f_t += p_f * c_prev
                a = a[:, :ready]
            np.tanh(a, out=a)
            a *= half
            a += rest
            np.multiply(f_t, c_prev, out=c_t)
            c_t += i_t * g_t
            if peephole:
                o_t += p_o * c_t
                o_t[:] = 0.5 + 0.5 * np.tanh(o_t)
            np.multiply(o_t, np.tanh(c_t, out=tanh_c_t), out=h_t)
            if mask is not None:
                ended = ~mask[t, :, None]
                np.copyto(c_t, c_prev, where=ended)
                np.copyto(h_t, h_prev, where=ended)
            h_prev, c_prev = h_t, c_t
        return LSTMTrace(x, h[:-1], c[:-1], i, f, g, o, c[1:], tanh_c[1:], h[1:], mask)

    def backward(
        self,
        trace: LSTMTrace,
        dh: np.ndarray,
        dstate: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L, by backpropagation through time.

        One unit: h_t = o tanh(c_t) and c_t = f c_{t-1} + i g. Once dL/dh_t is known,

            dL/dc_t = dL/dh_t o (1 - tanh(c_t)^2) + dL/dc_{t+1} f_{t+1}

        where the second part comes along the cell state: it is multiplied by the forget gate and
        by nothing else. If f = 1 the error is carried on unchanged. Inside the step

            di = dL/dc_t g        df = dL/dc_t c_{t-1}        dg = dL/dc_t i        do = dL/dh_t tanh(c_t)

        and each times the slope of its own gate, i (1 - i) or 1 - g^2, gives da, the gradient of
        the sums that the gates are made of. These sums contain h_{t-1}, so da W_h^T goes to
        dL/dh_{t-1}. A step after the end of a sequence copies h and c and hands both back.

        Peepholes are two more ways for the error to go: da_o p_o joins dL/dc_t, as o looks at c_t,
        and da_i p_i + da_f p_f joins what c_{t-1} gets. If f = 1 - i, then f moves against i, so
        di = dL/dc_t (g - c_{t-1}) and there is no df.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends directly on each h_t;
        dstate, a pair of (N, H), how L depends on `trace.final`, zeros when None.
        Returns dL by name: the parameters, "x" (T, N, D), "h0" and "c0" (N, H), "h" and "c"
        (T, N, H), the total dL/dh_t and dL/dc_t, and "c_carried" (T, N, H), the part of dL/dc_t
        that comes along the cell state (without the one through h_t).
        Raises TypeError or ValueError naming the argument.
        Source: Graves & Schmidhuber 2005 (the papers before it cut the gradient off after a step).

        >>> cell = LSTM(1, 1, rng=np.random.default_rng(0))
        >>> cell.W_h[:], cell.b[:] = 0, [-1000, 1000, 0, 0]  # store nothing, forget nothing
        >>> trace = cell.forward(np.ones((3, 1, 1)))
        >>> dfinal = (np.zeros((1, 1)), np.ones((1, 1)))
        >>> cell.backward(trace, np.zeros((3, 1, 1)), dfinal)["c"].ravel()  # never gets smaller
        array([1., 1., 1.])
        """
        dh_final, dc_final = checking.pair("dstate", dstate)
        direct, (dh_final, dc_final), p = checking.backward_arguments(
            self, trace, LSTMTrace, dh, {"dstate[0]": dh_final, "dstate[1]": dc_final}
        )
        (T, N, H), D, dtype = direct.shape, self.D, direct.dtype
        _, h_prev, c_prev, i, f, g, o, c, tanh_c, _, mask = trace
        W_hT = np.ascontiguousarray(p["W_h"].T)  # read at every step, so it lies row by row
        G = 3 if self.coupled else 4
        da, dc, dh, carried = together(dtype, (T, N, G, H), (T, N, H), *[(T + 1, N, H)] * 2)

        # dh[t] grows into the total dL/dh_t, where dh[0] belongs to h_0
        dh[0], dh[1:] = 0, direct
        dh[T] += dh_final
        carried[T] = dc_final
        dh_t, carried_t = dh[T], carried[T]
        back = np.empty((N, H), dtype)
        # laid out like the slopes, for a product of unlike shapes takes three times as long
        arriving = np.empty((N, G * H), dtype)
        at_gates = arriving.reshape(N, G, H).swapaxes(0, 1)
        at_ifg, at_o = at_gates[:-1], at_gates[-1]
        rows = da.reshape(T, N, G * H)
        for s in reversed(pieces(da)):
            # every local slope of these steps first: none of them depends on the gradient
            np.multiply(dsigmoid(i[s]), g[s] - c_prev[s] if self.coupled else g[s], out=da[s, :, 0])
            if not self.coupled:
                np.multiply(dsigmoid(f[s]), c_prev[s], out=da[s, :, 1])
            np.multiply(dtanh(g[s]), i[s], out=da[s, :, -2])
            np.multiply(dsigmoid(o[s]), tanh_c[s], out=da[s, :, -1])
            np.multiply(dtanh(tanh_c[s]), o[s], out=dc[s])
            kept = f[s]
            if self.peephole:
                looking = [p[name] for name in ("p_i", "p_f") if name in p]
                kept = kept + sum(da[s, :, k] * p_k for k, p_k in enumerate(looking))
                dc[s] += da[s, :, -1] * p["p_o"]
            if mask is not None:
                runs = mask[s, :, None]
                da[s] *= runs[:, :, None]
                dc[s] *= runs
                kept = np.where(runs, kept, 1)  # a copied c is a kept c

            # then the chain: each slope is multiplied by the gradient that arrives there
            per_step = rows[s], kept, dc[s], dh[s], carried[s]
            steps = zip(reversed(range(T)[s]), *[array[::-1] for array in per_step], strict=True)
            for t, da_t, f_t, dc_t, dh_prev, carried_prev in steps:
                dc_t *= dh_t
                dc_t += carried_t
                at_ifg[...], at_o[...] = dc_t, dh_t
                da_t *= arriving
                dh_prev += da_t.dot(W_hT, out=back)
                np.multiply(dc_t, f_t, out=carried_prev)
                if mask is not None:
                    np.add(dh_prev, dh_t, out=dh_prev, where=~mask[t, :, None])
                dh_t, carried_t = dh_prev, carried_prev

        # the weights are shared by all steps, so one product adds up their T contributions
        seen = {"p_i": (0, c_prev), "p_f": (1, c_prev), "p_o": (-1, c)}
        looks = {
            name: (da[:, :, k] * c_k).sum(axis=(0, 1))
            for name, (k, c_k) in seen.items()
            if name in p
        }
        da = da.reshape(T * N, G * H)
        return looks | {
            "W_x": trace.x.reshape(T * N, D).T @ da,
            "W_h": h_prev.reshape(T * N, H).T @ da,
            "b": da.sum(axis=0),
            "x": (da @ p["W_x"].T).reshape(T, N, D),
            "h0": dh[0],
            "c0": carried[0],
            "h": dh[1:],
            "c": dc,
            "c_carried": carried[1:],
        }


def with_forget_gate(p: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The parameters of a coupled f = 1 - sigmoid(a) = sigmoid(-a): those of i with the other sign."""
    i_g_o = {name: np.split(p[name], 3, axis=-1) for name in ("W_x", "W_h", "b")}
    stacked = {name: np.concatenate([i, -i, g, o], axis=-1) for name, (i, g, o) in i_g_o.items()}
    return p | stacked | ({"p_f": -p["p_i"]} if "p_i" in p else {})
