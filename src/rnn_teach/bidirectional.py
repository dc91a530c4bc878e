"""Two recurrent layers on the same sequence: one reads it from the front, one from the back."""

from typing import NamedTuple

import numpy as np

from .cells import Layer, Trace, checking


class BidirectionalTrace(NamedTuple):
    """The traces of both layers, and what they say together; `backward` is in its own order."""

    forward: Trace  # its h[t] has read x_1..x_t
    backward: Trace  # its h[t] has read as many steps from the sequence's end
    order: np.ndarray  # (T, N), order[t, n] is the step of x that the backward layer reads at t
    h: np.ndarray  # (T, N, H)
    mask: np.ndarray | None  # (T, N), True while a sequence runs

    @property
    def final(self) -> tuple:
        """The final states of both layers, each after the last step that it has read."""
        return self.forward.final, self.backward.final


class Bidirectional:
    """h_t joins what a layer reading forward and a layer reading backward say about x_t.

        u_t = forward_layer(x_t, u_{t-1})        h_t = [u_t, v_t]        merge="concat"
        v_t = backward_layer(x_t, v_{t+1})       h_t = u_t + v_t         merge="sum"

    So h_t knows the whole sequence, what comes after x_t too: you cannot use it where the future
    is not there yet. In a ragged batch the backward layer begins at each sequence's own end.

    At the last step v has read only x_T. For one answer to a whole sequence set align=False: then
    h_t joins the two as they read, each after t steps, and at the end both have read everything.

    Parameters: those of both layers, named "forward.W_x", ..., "backward.W_x", ...
    Arguments: forward_layer and backward_layer, any two layers of the same D: RNN, LSTM, GRU,
    `Chain`, ...; merge, "concat" (H is the sum of both) or "sum" (both have the same H); align.
    Raises TypeError or ValueError naming the argument.
    Source: Schuster & Paliwal 1997.

    >>> from rnn_teach.cells import RNN
    >>> rng = np.random.default_rng(0)
    >>> layer = Bidirectional(RNN(3, 4, rng=rng), RNN(3, 2, rng=rng))
    >>> layer.forward(np.ones((5, 1, 3))).h.shape
    (5, 1, 6)
    >>> list(layer.parameters)[:4]
    ['forward.W_x', 'forward.W_h', 'forward.b', 'backward.W_x']
    """

    def __init__(
        self,
        forward_layer: Layer,
        backward_layer: Layer,
        merge: str = "concat",
        align: bool = True,
    ):
        self.merge = checking.choice("merge", merge, ("concat", "sum"))
        for name in ("D", "H") if merge == "sum" else ("D",):
            wanted, got = getattr(forward_layer, name), getattr(backward_layer, name)
            if got != wanted:
                raise ValueError(
                    f"backward_layer: expected {name}={wanted}, as forward_layer has, "
                    f"got {name}={got}"
                )
        self.align = checking.boolean("align", align)
        self.forward_layer, self.backward_layer = forward_layer, backward_layer
        self.D = forward_layer.D
        self.H = forward_layer.H + (backward_layer.H if merge == "concat" else 0)

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers by the names that their parameters begin with."""
        return {"forward": self.forward_layer, "backward": self.backward_layer}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape each parameter has."""
        parts = self.parts.items()
        return {f"{k}.{name}": shape for k, layer in parts for name, shape in layer.shapes.items()}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: change one in place and the layer has changed."""
        parts = self.parts.items()
        return {f"{k}.{name}": p for k, layer in parts for name, p in layer.parameters.items()}

    @property
    def last_has_read_all(self) -> bool:
        """Whether the last h of a sequence can depend on all of its x in both directions."""
        return not self.align

    def forward(
        self, x: np.ndarray, state: tuple | None = None, lengths: np.ndarray | None = None
    ) -> BidirectionalTrace:
        """h_t = [u_t, v_t] or u_t + v_t: both layers read x, v from the end of each sequence.

        Arguments: x (T, N, D); state, a pair, what the forward layer starts from at the first step
        and the backward layer at the last one, None for zeros; lengths (N,), integers in 1..T.
        After the end of a sequence h shows what both layers ended with.
        Returns a `BidirectionalTrace`.
        Raises TypeError or ValueError naming the argument, and the layer if it is a state.

        >>> from rnn_teach.cells import RNN
        >>> cell = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> cell.W_x[:], cell.W_h[:] = 1, 1  # it adds up what it has read
        >>> Bidirectional(cell, cell).forward([[[1]], [[2]], [[3]]]).h[:, 0]
        array([[1., 6.],
               [3., 5.],
               [6., 3.]])
        >>> Bidirectional(cell, cell, align=False).forward([[[1]], [[2]], [[3]]]).h[:, 0]
        array([[1., 3.],
               [3., 5.],
               [6., 6.]])
        """
        starts = checking.one_each("state", state, 2)
        x, _, mask, _ = checking.forward_arguments(self, x, {}, lengths)
        order = _backward_order(x, mask)
        with checking.inside("forward layer"):
            u = self.forward_layer.forward(x, starts[0], lengths)
        with checking.inside("backward layer"):
            v = self.backward_layer.forward(_read(x, order), starts[1], lengths)
        v_h = _read(v.h, order) if self.align else v.h
        h = np.concatenate([u.h, v_h], axis=2) if self.merge == "concat" else u.h + v_h
        return BidirectionalTrace(u, v, order, h, mask)

    def backward(
        self, trace: BidirectionalTrace, dh: np.ndarray, dstate: tuple | None = None
    ) -> dict[str, np.ndarray]:
        """All gradients of a loss L: each layer goes back over its own reading.

        One unit each, h_t = (u_t, v_t): the two never touch before h, so each gets its part of
        dL/dh_t (with merge="sum" all of it) and works alone. The error of the forward layer goes
        from the last step to the first; that of the backward layer from the first to the last,
        since v_t comes from v_{t+1}. Both have read x_t, so dL/dx_t is the sum of what they say.

        Reading backward is putting the steps into another order and no more. The same order again
        undoes it, for the values and therefore for the gradients.

        Arguments: trace, from `forward`; dh (T, N, H), how L depends directly on each h_t;
        dstate, a pair as `trace.final`, how L depends on it, None for zeros.
        Returns dL by name: "forward.W_x", ..., "backward.W_x", ... for the parameters; all else a
        layer tells of itself, "forward.h0", "forward.h", "backward.h", ..., in its own order, as
        in `trace.backward`; "x" (T, N, D) and "h" (T, N, H), in the order of x.
        Raises TypeError or ValueError naming the argument, and the layer if it is a state.
        Source: Schuster & Paliwal 1997.

        >>> from rnn_teach.cells import RNN
        >>> cell = RNN(1, 1, rng=np.random.default_rng(0), nonlinearity="identity")
        >>> cell.W_x[:], cell.W_h[:] = 1, 0.5
        >>> layer = Bidirectional(cell, cell, merge="sum")
        >>> trace = layer.forward(np.zeros((3, 1, 1)))
        >>> layer.backward(trace, [[[0]], [[1]], [[0]]])["x"].ravel()  # both sides of step 2
        array([0.5, 2. , 0.5])
        """
        dstates = checking.one_each("dstate", dstate, 2)
        dh, _, _ = checking.backward_arguments(self, trace, BidirectionalTrace, dh, {})
        H = self.forward_layer.H
        du, dv = (dh[:, :, :H], dh[:, :, H:]) if self.merge == "concat" else (dh, dh)
        if self.align:
            dv = _read(dv, trace.order)
        with checking.inside("forward layer"):
            forward = self.forward_layer.backward(trace.forward, du, dstates[0])
        with checking.inside("backward layer"):
            backward = self.backward_layer.backward(trace.backward, dv, dstates[1])
        dx = forward.pop("x") + _read(backward.pop("x"), trace.order)
        grads = {f"forward.{name}": g for name, g in forward.items()}
        grads |= {f"backward.{name}": g for name, g in backward.items()}
        return grads | {"x": dx, "h": dh.copy()}


def _backward_order(x: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """length-1, ..., 1, 0 for each sequence, then its padding where it is: (T, N) steps of x."""
    T, N, _ = x.shape
    t = np.arange(T)[:, None]
    if mask is None:
        return np.repeat(t[::-1], N, axis=1)
    return np.where(mask, mask.sum(axis=0) - 1 - t, t)


def _read(x: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The steps of x (T, N, D) in another order: y[t, n] = x[order[t, n], n]."""
    return np.take_along_axis(x, order[:, :, None], axis=0)
