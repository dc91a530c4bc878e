"""The encoder-decoder: one layer reads a sequence, another one writes the answer, symbol by symbol."""

from typing import NamedTuple

import numpy as np

from ..bidirectional import Bidirectional
from ..bptt import BPTT, Readout, step_weights
from ..cells import checking
from ..cells.layer import Layer, Trace
from ..functional import cross_entropy
from .additive import Additive
from .dot_product import DotProduct


class EncoderDecoderTrace(NamedTuple):
    """Everything a forward pass computed; S source steps, T target steps."""

    encoder: Trace  # the encoder's trace over the source
    decoder: Trace  # the decoder's trace over the target; with attention, the attention's
    mask: np.ndarray  # (T, N), True up to the end symbol of each target

    @property
    def h(self) -> np.ndarray:
        """What the readout reads (T, N, H)."""
        return self.decoder.h

    @property
    def weights(self) -> np.ndarray | None:
        """The attention of each target step to each source step (T, N, S), None without one."""
        return getattr(self.decoder, "weights", None)

    @property
    def final(self) -> object:
        """The encoder's final state: what its next forward starts from."""
        return self.encoder.final


class EncoderDecoder:
    """The encoder's final state is all the decoder gets, unless it has attention:

        s_0 = the state in which the encoder has read x_1..x_S
        s_t = decoder(y*_{t-1}, s_{t-1})        y_t = s_t W_y + b_y

    Source and target may differ in length: the decoder says when it is done with an end symbol.
    It reads its own answer, one-hot, one step late: y*_0 is the end symbol, too, and y*_t is the
    target in training (teacher forcing), the symbol chosen from y_t in use (`greedy`, `beam`).
    `Additive` and `DotProduct` say what attention adds.

    Encoder and decoder may be any layers that have the same H and the same kind of state: two
    GRUs, two Chains of as many LSTMs. A `Bidirectional` encoder of two cells hands over both final
    states side by side (merge="concat") or their sum (merge="sum").

    Parameters: those of the parts, "encoder.W_x", ..., "decoder.W_x", ..., "readout.W_y", ... and
    "attention.W_q", ....
    Arguments: encoder; decoder, with D = K inputs, or K + M with `Additive`; readout, a `Readout`
    of K outputs, one for each symbol; attention, None, `Additive` or `DotProduct`; end, the number
    of the end symbol.
    Raises TypeError or ValueError naming the argument.
    Source: Cho et al. 2014 and Sutskever, Vinyals & Le 2014; here as in the latter, the context
    is the decoder's first state and nothing more.

    >>> from rnn_teach.cells import GRU
    >>> rng = np.random.default_rng(0)
    >>> network = EncoderDecoder(GRU(2, 4, rng=rng), GRU(3, 4, rng=rng), Readout(4, 3, rng=rng), end=0)
    >>> list(network.parameters)[3:7]
    ['encoder.b_hn', 'decoder.W_x', 'decoder.W_h', 'decoder.b']
    >>> trace = network.forward(np.ones((7, 1, 2)), np.array([[1], [2], [0]]))
    >>> trace.encoder.h.shape, trace.h.shape
    ((7, 1, 4), (3, 1, 4))
    """

    def __init__(
        self,
        encoder: Layer,
        decoder: Layer,
        readout: Readout,
        attention: Additive | DotProduct | None = None,
        *,
        end: int,
    ):
        if not isinstance(attention, Additive | DotProduct | None):
            got = type(attention).__name__
            raise TypeError(f"attention: expected Additive, DotProduct or None, got {got}")
        H, K = decoder.H, readout.K
        inputs = K + attention.M if isinstance(attention, Additive) else K
        fits = [
            ("encoder", "H", encoder, H),
            ("decoder", "D", decoder, inputs),
            ("readout", "H", readout, H),
        ]
        if attention is not None:
            fits += [("attention", "H", attention, H), ("attention", "M", attention, encoder.H)]
        for name, letter, part, expected in fits:
            if getattr(part, letter) != expected:
                raise ValueError(
                    f"{name}: expected {letter}={expected}, to go with the other parts, "
                    f"got {letter}={getattr(part, letter)}"
                )
        if _looks_ahead(decoder):
            raise TypeError("decoder: expected a layer that reads forward only, got Bidirectional")
        if isinstance(attention, Additive) and hasattr(decoder, "parts"):
            got = type(decoder).__name__
            raise TypeError(f"decoder: expected a single cell with Additive attention, got {got}")
        if isinstance(encoder, Bidirectional):
            kinds = {type(layer).__name__ for layer in encoder.parts.values()}
            if len(kinds) > 1 or hasattr(encoder.forward_layer, "parts"):
                raise TypeError(
                    "encoder: expected a Bidirectional of two cells of one kind, "
                    f"got {' and '.join(sorted(kinds))}"
                )
        if isinstance(end, bool) or not isinstance(end, int | np.integer) or not 0 <= end < K:
            raise ValueError(f"end: expected an integer in 0..{K - 1}, got {end!r}")
        self.encoder, self.decoder, self.readout = encoder, decoder, readout
        self.attention, self.end = attention, int(end)

    @property
    def parts(self) -> dict[str, object]:
        """The layers by the names that their parameters begin with."""
        parts = {"encoder": self.encoder, "decoder": self.decoder, "readout": self.readout}
        return parts if self.attention is None else parts | {"attention": self.attention}

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The very arrays, by name: "encoder.W_x", ..., "readout.b_y"."""
        parts = self.parts.items()
        return {f"{k}.{name}": p for k, part in parts for name, p in part.parameters.items()}

    def forward(
        self,
        x: np.ndarray,
        target: np.ndarray,
        state: object = None,
        lengths: np.ndarray | None = None,
    ) -> EncoderDecoderTrace:
        """s_t = decoder(target_{t-1}, s_{t-1}) for t = 1..T, whatever y was, after x is read.

        Arguments: x (S, N, D); target (T, N), integers in 0..K-1, which counts up to and including
        the first end symbol: put end symbols after it; state, what the encoder starts from;
        lengths (N,) of the sources, integers in 1..S.
        Returns an `EncoderDecoderTrace`.
        Raises TypeError or ValueError naming the argument.

        >>> from rnn_teach.cells import RNN
        >>> rng = np.random.default_rng(0)
        >>> network = EncoderDecoder(RNN(1, 2, rng=rng), RNN(3, 2, rng=rng), Readout(2, 3, rng=rng), end=0)
        >>> trace = network.forward(np.ones((4, 1, 1)), np.array([[2], [0], [0]]))
        >>> trace.mask.ravel()  # what stands after the first end symbol does not count
        array([ True,  True, False])
        """
        x = checking.numbers("x", x, S=None, N=None, D=self.encoder.D)
        target, N, K = np.asarray(target), x.shape[1], self.readout.K
        if target.ndim != 2 or target.shape[1] != N or not len(target):
            raise ValueError(f"target: expected shape (T, N={N}), got {target.shape}")
        if target.dtype.kind not in "iu":
            raise TypeError(f"target: expected integers, got dtype {target.dtype}")
        outside = (target < 0) | (target >= K)
        if outside.any():
            raise ValueError(f"target: expected integers in 0..{K - 1}, got {target[outside][0]}")
        encoder = self.encoder.forward(x, state, lengths)
        read = np.concatenate([np.full((1, N), self.end), target[:-1]])
        decoder = self.decode(read, self.context(encoder), encoder.h, encoder.mask)
        ended = np.cumsum(read[1:] == self.end, axis=0) > 0
        mask = np.concatenate([np.ones((1, N), bool), ~ended])
        return EncoderDecoderTrace(encoder, decoder, mask)

    def context(self, encoder: Trace) -> object:
        """The encoder's final state, out of its trace, as the decoder starts from it."""
        if not isinstance(self.encoder, Bidirectional):
            return encoder.final
        ahead, back = encoder.final
        if isinstance(ahead, tuple):
            return tuple(self._join(a, b) for a, b in zip(ahead, back, strict=True))
        return self._join(ahead, back)

    def decode(
        self, read: np.ndarray, state: object, memory: np.ndarray, mask: np.ndarray | None
    ) -> Trace:
        """The decoder's trace when it reads the symbols `read`.

        Arguments: read (T, N), integers in 0..K-1, of which the first one is `end` at the start of
        a target; state, the decoder's, from `context` or from the `final` of such a trace; memory
        (S, N, M) and mask (S, N), the encoder's h and mask.
        Returns a trace with `h` (T, N, H), `final` and, with attention, `weights` (T, N, S).
        Raises TypeError or ValueError naming the argument.
        """
        dtype = np.float32 if memory.dtype == np.float32 else np.float64
        x = np.eye(self.readout.K, dtype=dtype)[read]
        with checking.inside("decoder"):
            if self.attention is None:
                return self.decoder.forward(x, state)
            return self.attention.forward(self.decoder, x, state, memory, mask)

    def backward(self, trace: EncoderDecoderTrace, dy: np.ndarray) -> dict[str, np.ndarray]:
        """All gradients of a loss L: back through the target, across, back through the source.

        One unit each: s_0 = h_S, where h_S is the encoder's last state. So dL/dh_S = dL/ds_0, and
        that is all the source ever hears of L: the state that all of x had to pass on its way
        forward, all of the error has to pass on its way back, S + T steps from end to beginning.
        With attention every h_s is also a part of the memory and gets dL/dmemory_s directly: the
        way from any target step to any source step is one step long.

        Arguments: trace, from `forward`; dy (T, N, K), how L depends on each y_t.
        Returns dL by name: what each part's own `backward` returns, under "encoder.", "decoder.",
        "readout." and "attention.": the parameters, "encoder.x" (S, N, D), "encoder.h" (S, N, H),
        the total dL/dh of every source step, "encoder.h0", "decoder.h" (T, N, H), ...
        Raises TypeError or ValueError naming the argument.
        Source: Sutskever, Vinyals & Le 2014, differentiated.

        >>> from rnn_teach.cells import RNN
        >>> rng = np.random.default_rng(0)
        >>> network = EncoderDecoder(RNN(1, 2, rng=rng), RNN(3, 2, rng=rng), Readout(2, 3, rng=rng), end=0)
        >>> trace = network.forward(np.ones((4, 1, 1)), np.array([[2], [0]]))
        >>> grads = network.backward(trace, np.ones((2, 1, 3)))
        >>> grads["encoder.h"].shape, grads["decoder.h"].shape
        ((4, 1, 2), (2, 1, 2))
        """
        readout = self.readout.backward(trace.h, dy)
        dh = readout.pop("h")
        if self.attention is None:
            decoder, attention = self.decoder.backward(trace.decoder, dh), {}
            dmemory = np.zeros_like(trace.encoder.h)
        else:
            decoder, attention = self.attention.backward(self.decoder, trace.decoder, dh)
            dmemory = attention.pop("memory")
        dfinal = self._dfinal(_initial(self.decoder, decoder))
        encoder = self.encoder.backward(trace.encoder, dmemory, dfinal)
        grads = {"encoder": encoder, "decoder": decoder, "readout": readout, "attention": attention}
        return {f"{k}.{name}": g for k, part in grads.items() for name, g in part.items()}

    def _join(self, ahead: np.ndarray, back: np.ndarray) -> np.ndarray:
        if self.encoder.merge == "sum":
            return ahead + back
        return np.concatenate([ahead, back], axis=1)

    def _dfinal(self, dcontext: object) -> object:
        """dL/d the encoder's final state: `context`, differentiated."""
        if not isinstance(self.encoder, Bidirectional):
            return dcontext
        H = self.encoder.forward_layer.H
        parts = dcontext if isinstance(dcontext, tuple) else (dcontext,)
        if self.encoder.merge == "concat":
            ahead, back = [d[:, :H] for d in parts], [d[:, H:] for d in parts]
        else:
            ahead = back = parts
        return (tuple(ahead), tuple(back)) if len(parts) == 2 else (ahead[0], back[0])


def _looks_ahead(layer: Layer) -> bool:
    parts = getattr(layer, "parts", {}).values()
    return isinstance(layer, Bidirectional) or any(_looks_ahead(part) for part in parts)


def _initial(layer: Layer, grads: dict[str, np.ndarray], prefix: str = "") -> object:
    """dL/d the initial state of `layer`, in the form of that state, out of its named gradients."""
    if f"{prefix}h0" not in grads:
        parts = getattr(layer, "parts", {}).items()
        return tuple(_initial(part, grads, f"{prefix}{name}.") for name, part in parts) or None
    h0, c0 = grads[f"{prefix}h0"], grads.get(f"{prefix}c0")
    return h0 if c0 is None else (h0, c0)


def teacher_forcing(
    network: EncoderDecoder,
    x: np.ndarray,
    target: np.ndarray,
    *,
    over_time: str = "mean",
    state: object = None,
    lengths: np.ndarray | None = None,
) -> BPTT:
    """Forward with the right answer as the decoder's input, the cross-entropy, and all the way back.

        L = 1/N sum_n sum_t L_tn / T_n    over_time="mean", T_n symbols, the end symbol counts
        L = 1/N sum_n sum_t L_tn          over_time="sum": -log p of the whole target

    Takes and returns what `bptt` does, so `training.fit` can use it in its place; `lengths` are
    those of the sources, and what is carried from batch to batch is the encoder's state.

    Arguments: network; x (S, N, D); target (T, N), integers in 0..K-1, which counts up to and
    including its first end symbol: put end symbols after it; state, what the encoder starts from;
    lengths (N,) of the sources, integers in 1..S.
    Returns `BPTT`: loss in nats, y (T, N, K), trace and grads, named as `EncoderDecoder.backward`
    says.
    Raises TypeError or ValueError naming the argument, FloatingPointError for a loss that is not
    finite: training has diverged.
    Source: teacher forcing: Williams & Zipser 1989.

    >>> from rnn_teach.cells import GRU
    >>> rng = np.random.default_rng(0)
    >>> network = EncoderDecoder(GRU(2, 4, rng=rng), GRU(3, 4, rng=rng), Readout(4, 3, rng=rng), end=0)
    >>> x, target = np.ones((7, 1, 2)), np.array([[1], [2], [0]])
    >>> result = teacher_forcing(network, x, target)
    >>> network.encoder.W_h -= 0.1 * result.grads["encoder.W_h"]  # one step downhill
    >>> bool(teacher_forcing(network, x, target).loss < result.loss)
    True
    """
    checking.choice("over_time", over_time, ("mean", "sum"))
    trace = network.forward(x, target, state, lengths)
    y = network.readout.forward(trace.h)
    loss, dy = cross_entropy(y, target, step_weights(trace, "every", over_time))
    if not np.isfinite(loss):
        raise FloatingPointError(f"loss: expected a finite number, got {loss}")
    return BPTT(loss, y, trace, network.backward(trace, dy))
